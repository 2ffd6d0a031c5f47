# wheels: bcrypt==5.0.0
"""bcrypt: an extension written in Rust with PyO3 for the stable ABI (cp39-abi3)."""

import threading

import bcrypt
from bcrypt import _bcrypt

assert _bcrypt.__file__.endswith(".abi3.so")
print(bcrypt.__title__, bcrypt.__version__, bcrypt.__license__)

VECTORS = [
    (b"Kk4DQuMMfZL9o", b"$2b$04$cVWp4XaNU8a4v1uMRum2SO"),
    (b"9IeRXmnGxMYbs", b"$2b$04$pQ7gRO7e6wx/936oXhNjrO"),
    (b"", b"$2b$04$cVWp4XaNU8a4v1uMRum2SO"),
    ("pässwörd".encode(), b"$2a$05$abcdefghijklmnopqrstuu"),
]
for password, salt in VECTORS:
    hashed = bcrypt.hashpw(password, salt)
    print(hashed, bcrypt.checkpw(password, hashed), bcrypt.checkpw(b"wrong", hashed))
    assert bcrypt.hashpw(password, hashed) == hashed

salt = bcrypt.gensalt(4)
assert salt.startswith(b"$2b$04$") and len(salt) == 29 and salt != bcrypt.gensalt(4)
assert bcrypt.gensalt(rounds=5, prefix=b"2a").startswith(b"$2a$05$")
print(bcrypt.kdf(b"password", b"salt", 16, 4).hex())
print(bcrypt.kdf(password=b"p", salt=b"s", desired_key_bytes=8, rounds=2, ignore_few_rounds=True).hex())


def attempt(function, *arguments, **keywords):
    try:
        print(function(*arguments, **keywords))
    except Exception as err:
        print(type(err).__name__, "|", err)


attempt(bcrypt.hashpw, "text", salt)
attempt(bcrypt.hashpw, b"x", b"no salt")
attempt(bcrypt.hashpw, b"x", b"$2b$99$cVWp4XaNU8a4v1uMRum2SO")
attempt(bcrypt.hashpw, b"a" * 73, VECTORS[0][1])
attempt(bcrypt.gensalt, 3)
attempt(bcrypt.gensalt, 40)
attempt(bcrypt.gensalt, 4, prefix=b"9z")
attempt(bcrypt.kdf, b"", b"salt", 16, 4)
attempt(bcrypt.kdf, b"p", b"s", 16, 0)
attempt(bcrypt.hashpw)
attempt(bcrypt.hashpw, b"x", unknown=1)

# The hashing leaves the interpreter to the other threads.
results = [None] * 4


def work(idx):
    results[idx] = bcrypt.hashpw(b"%d" % idx, b"$2b$06$cVWp4XaNU8a4v1uMRum2SO")


threads = [threading.Thread(target=work, args=(idx,)) for idx in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(results)
