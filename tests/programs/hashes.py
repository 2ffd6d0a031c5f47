"""Hash functions by name, HMAC and derived keys."""

import hashlib
import hmac

data = bytes(range(256)) * 9
for name in sorted(hashlib.algorithms_available):
    hash = hashlib.new(name, data, usedforsecurity=False)
    length = () if hash.digest_size else (20,)
    copy = hash.copy()
    copy.update(b"more")
    print(name, hash.name, hash.digest_size, hash.block_size, hash.hexdigest(*length), copy.hexdigest(*length)[:16])
    if hash.digest_size:
        for size in 10, 200:
            print("   ", hmac.new(b"k" * size, data, name).hexdigest(), hmac.digest(b"k" * size, data, name).hex()[:16])
        print("   ", hashlib.pbkdf2_hmac(name, b"password", b"salt", 3, 70).hex())
for args in dict(n=2, r=1, p=1), dict(n=16, r=8, p=2, dklen=100):
    print(hashlib.scrypt(b"password", salt=b"salt", **args).hex())
for action in (
    lambda: hashlib.new("no such function"),
    lambda: hashlib.pbkdf2_hmac("md5", b"", b"", 0),
    lambda: hashlib.pbkdf2_hmac("md5", b"", b"", 1, 0),
    lambda: hashlib.scrypt(b"", salt=b"", n=3, r=1, p=1),
    lambda: hashlib.scrypt(b"", salt=b"", n=2**20, r=8, p=1),
    lambda: hashlib.md5("text"),
    lambda: hmac.new(b"key", b""),
    lambda: hmac.new(b"key", b"", "no such function"),
):
    try:
        print(action())
    except Exception as error:
        print(type(error).__name__, error)
