# wheels: cryptography==50.0.2
"""cryptography: an abi3 wheel of Rust and OpenSSL, with cffi beside it."""
import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.x509.oid import NameOID

digest = hashes.Hash(hashes.SHA256())
digest.update(b"abc")
copy = digest.copy()
print(digest.finalize().hex(), copy.finalize() == bytes.fromhex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"))
mac = hmac.HMAC(b"key", hashes.SHA1())
mac.update(b"message")
print(mac.finalize().hex())
key, nonce = bytes(range(32)), bytes(12)
for aead in (AESGCM(key), ChaCha20Poly1305(key)):
    sealed = aead.encrypt(nonce, b"secret", b"header")
    print(type(aead).__name__, sealed.hex(), aead.decrypt(nonce, sealed, b"header"))
    try:
        aead.decrypt(nonce, sealed, b"other")
    except InvalidTag as error:
        print(type(error).__name__)
encryptor = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()
print((encryptor.update(b"counter mode " * 3) + encryptor.finalize()).hex())
print(HKDF(hashes.SHA256(), 20, salt=None, info=b"i").derive(b"input").hex())
print(PBKDF2HMAC(hashes.SHA256(), 16, b"salt", 1000).derive(b"password").hex())

token = Fernet(b"A" * 43 + b"=").encrypt_at_time(b"text", 1_700_000_000)
print(Fernet(b"A" * 43 + b"=").decrypt_at_time(token, ttl=60, current_time=1_700_000_030))
try:
    Fernet(b"A" * 43 + b"=").decrypt_at_time(token, ttl=60, current_time=1_700_000_090)
except InvalidToken as error:
    print(type(error).__name__)

signer = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
signature = signer.sign(b"data")
print(signature.hex()[:32], signer.public_key().verify(signature, b"data"))
try:
    signer.public_key().verify(signature, b"Data")
except InvalidSignature as error:
    print(type(error).__name__)
private = rsa.generate_private_key(65537, 2048)
scheme = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH)
print(private.key_size, private.public_key().verify(private.sign(b"m", scheme, hashes.SHA256()), b"m", scheme, hashes.SHA256()))
pem = private.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"pw")
)
print(pem.splitlines()[0], serialization.load_pem_private_key(pem, b"pw").private_numbers() == private.private_numbers())
try:
    serialization.load_pem_private_key(pem, b"wrong")
except ValueError as error:
    print(type(error).__name__)
a, b = ec.derive_private_key(7, ec.SECP256R1()), ec.derive_private_key(11, ec.SECP256R1())
print(a.exchange(ec.ECDH(), b.public_key()) == b.exchange(ec.ECDH(), a.public_key()), a.public_key().public_numbers().x % 1000)

name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "example.org"), x509.NameAttribute(NameOID.COUNTRY_NAME, "NL")])
start = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)
certificate = (
    x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(signer.public_key()).serial_number(1234)
    .not_valid_before(start).not_valid_after(start + datetime.timedelta(days=10))
    .add_extension(x509.SubjectAlternativeName([x509.DNSName("example.org"), x509.DNSName("www.example.org")]), critical=False)
    .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(signer, None)
)
again = x509.load_der_x509_certificate(certificate.public_bytes(serialization.Encoding.DER))
print(again == certificate, again.subject.rfc4514_string(), again.serial_number, again.not_valid_after_utc, again.version)
print(again.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName))
print(again.verify_directly_issued_by(again), certificate.fingerprint(hashes.SHA256()).hex()[:16])
