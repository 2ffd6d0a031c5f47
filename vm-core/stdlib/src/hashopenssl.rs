//! `_hashlib`: hash functions by name, HMAC and derived keys under the names that OpenSSL's binding has, over the crates that `_md5`
//! and the like use.

use crate::hashes::algorithms::{Algorithm, Derivation};
use crate::hashes::{Hash, given};
use crate::util::{ExceptionClass, Kept};
use adder_runtime::exceptions::exc;
use adder_runtime::objects::buffer::BytesArg;
use adder_runtime::per_interpreter::PerInterpreter;
use adder_runtime::prelude::*;

static UNSUPPORTED: ExceptionClass = ExceptionClass::new("_hashlib.UnsupportedDigestmodError", || exc::ValueError);
/// The constructors, each with the name of its function.
static CONSTRUCTORS: PerInterpreter<Kept> = PerInterpreter::new(Kept::new());

fn unknown_name() -> Raised {
    UNSUPPORTED.raise("[digital envelope routines] unsupported")
}

fn by_name(name: &PyUnicodeObject) -> PyResult<&'static Algorithm> {
    let name = name.to_str()?;
    if name.contains('\0') {
        return Err(raise!(ValueError, "embedded null character"));
    }
    Algorithm::named(name).ok_or_else(unknown_name)
}

/// The function that a name or a constructor of this module means.
fn by_digestmod(digestmod: &PyObject) -> PyResult<&'static Algorithm> {
    if let Some(name) = digestmod.downcast::<PyUnicodeObject>() {
        return by_name(name);
    }
    let constructors = CONSTRUCTORS.here().get();
    let constructors = constructors.as_deref().and_then(|dict| dict.downcast::<PyDictObject>());
    let name = match constructors {
        Some(constructors) => constructors.get(digestmod)?,
        None => None,
    };
    match name.as_deref().and_then(|name| name.downcast::<PyUnicodeObject>()) {
        Some(name) => by_name(name),
        None => Err(UNSUPPORTED.raise(format!("Unsupported digestmod {}", digestmod.repr()?.to_string_lossy()))),
    }
}

fn by_hmac_digestmod(digestmod: &PyObject) -> PyResult<&'static Algorithm> {
    let algorithm = by_digestmod(digestmod)?;
    if algorithm.is_xof() {
        return Err(raise!(ValueError, "{} has no digest size that HMAC could use", algorithm.name));
    }
    Ok(algorithm)
}

/// A hash, and what it is one of.
#[repr(C)]
pub struct NamedHash {
    hash: Hash,
    algorithm: &'static Algorithm,
}

impl NamedHash {
    fn start(algorithm: &'static Algorithm, data: Option<&PyObject>, string: Option<&PyObject>) -> PyResult {
        let hash = Hash::new(algorithm.start());
        if let Some(data) = given(data, string)? {
            hash.update(data)?;
        }
        NamedHash { hash, algorithm }.into_object()
    }
    fn into_object(self) -> PyResult {
        Ok(if self.algorithm.is_xof() {
            Ref::new(Xof(self))?.into_object()
        } else {
            Ref::new(self)?.into_object()
        })
    }
}

#[pytype(name = "_hashlib.HASH", static_name = HASH_TYPE, flags = BASETYPE | DISALLOW_INSTANTIATION)]
/// A hash object: calculates the digest of the bytes that it is given.
impl NamedHash {
    /// Update this hash object's state with the provided bytes-like object.
    #[method("($self, obj, /)")]
    fn update(&self, obj: &PyObject) -> PyResult<()> {
        self.hash.update(obj)
    }
    /// Return the digest value as a bytes object.
    #[method("($self, /)")]
    fn digest(&self) -> Ref<PyBytesObject> {
        PyBytesObject::from_vec(self.hash.digest(0))
    }
    /// Return the digest value as a string of hexadecimal digits.
    #[method("($self, /)")]
    fn hexdigest(&self) -> String {
        self.hash.hex(0)
    }
    /// Return a copy of the hash object.
    #[method("($self, /)")]
    fn copy(&self) -> PyResult {
        NamedHash { hash: self.hash.copy(), algorithm: self.algorithm }.into_object()
    }
    #[getter]
    fn digest_size(&self) -> usize {
        self.algorithm.digest_size
    }
    #[getter]
    fn block_size(&self) -> usize {
        self.algorithm.block_size
    }
    #[getter]
    fn name(&self) -> &'static str {
        self.algorithm.name
    }
    #[slot]
    fn tp_repr(this: &PyObject) -> PyResult<String> {
        let name = this.get_attr(identifier!("name"))?.str()?.to_string_lossy();
        Ok(format!("<{name} {} object @ {:p}>", this.ty().full_name(), this))
    }
}

/// A hash whose digest may be of any length.
#[repr(transparent)]
pub struct Xof(NamedHash);

fn checked_length(len: isize) -> PyResult<usize> {
    let len = usize::try_from(len).map_err(|_| raise!(ValueError, "length must be non-negative"))?;
    adder_runtime::memory::ensure_room(len.saturating_mul(3))?;
    Ok(len)
}

#[pytype(name = "_hashlib.HASHXOF", static_name = HASHXOF_TYPE, base = HASH_TYPE, flags = BASETYPE | DISALLOW_INSTANTIATION)]
/// A hash object whose digest may be of any length.
impl Xof {
    /// Return the digest value as a bytes object.
    #[method("($self, /, length)")]
    fn digest(&self, length: isize) -> PyResult<Ref<PyBytesObject>> {
        Ok(PyBytesObject::from_vec(self.0.hash.digest(checked_length(length)?)))
    }
    /// Return the digest value as a string of hexadecimal digits.
    #[method("($self, /, length)")]
    fn hexdigest(&self, length: isize) -> PyResult<String> {
        Ok(self.0.hash.hex(checked_length(length)?))
    }
    #[getter]
    fn digest_size(&self) -> usize {
        0
    }
}

crate::hmac_type!(NamedHmac, "_hashlib.HMAC", HMAC_TYPE);

/// A size that C's int holds.
fn size(value: isize, least: &str, most: &str) -> PyResult<usize> {
    if value < 1 {
        return Err(raise!(ValueError, "{least}"));
    }
    if value > i32::MAX as isize {
        return Err(raise!(OverflowError, "{most}"));
    }
    Ok(value as usize)
}

fn derived(len: usize, derive: impl FnOnce(&mut [u8]) + Send) -> PyResult<Ref<PyBytesObject>> {
    let mut key = adder_runtime::memory::vec_with_room(len)?;
    key.resize(len, 0);
    adder_runtime::thread::allow_threads(|| derive(&mut key));
    Ok(PyBytesObject::from_vec(key))
}

/// As much memory as scrypt takes when nothing is said.
const SCRYPT_MEMORY_BYTES: u64 = 32 << 20;

fn scrypt_limit(maxmem: i64) -> PyResult<u64> {
    match maxmem {
        0 => Ok(SCRYPT_MEMORY_BYTES),
        1..=0x7FFF_FFFF => Ok(maxmem as u64),
        _ => Err(raise!(ValueError, "maxmem must be positive and smaller than {}", i32::MAX)),
    }
}

/// The parameters, if they go together and need no more memory than that.
fn scrypt_params(n: u64, r: u64, p: u64, limit: u64) -> PyResult<::scrypt::Params> {
    let invalid = || raise!(ValueError, "Invalid parameter combination for n, r, p, maxmem.");
    let (Ok(r), Ok(p)) = (u32::try_from(r), u32::try_from(p)) else { return Err(invalid()) };
    let params = ::scrypt::Params::new(n.trailing_zeros() as u8, r, p).map_err(|_| invalid())?;
    let block_bytes = 128 * u128::from(r);
    if block_bytes * (u128::from(n) + 2 + u128::from(p)) > limit.into() {
        return Err(raise!(ValueError, "[digital envelope routines] memory limit exceeded"));
    }
    Ok(params)
}

/// Hash functions, HMAC and derived keys.
#[pymodule(name = "_hashlib", types = [HASH_TYPE, HASHXOF_TYPE, HMAC_TYPE])]
pub mod _hashlib {
    use super::*;
    pub use super::{HASH_TYPE, HASHXOF_TYPE, HMAC_TYPE};

    #[pyconst]
    const _GIL_MINSIZE: usize = crate::hashes::GIL_MINSIZE;

    /// Return a new hash object using the named algorithm; data, if given, is hashed.
    #[pyfunction("($module, /, name, data=b'', *, usedforsecurity=True, string=None)")]
    fn new(
        name: &PyUnicodeObject,
        data: Option<&PyObject>,
        usedforsecurity: bool,
        string: Option<&PyObject>,
    ) -> PyResult {
        let _ = usedforsecurity;
        given(data, string)?;
        NamedHash::start(by_name(name)?, data, string)
    }
    /// Returns a md5 hash object; data, if given, is hashed.
    #[pyfunction("($module, /, data=b'', *, usedforsecurity=True, string=None)")]
    fn openssl_md5(data: Option<&PyObject>, usedforsecurity: bool, string: Option<&PyObject>) -> PyResult {
        let _ = usedforsecurity;
        NamedHash::start(Algorithm::named("md5").ok_or_else(unknown_name)?, data, string)
    }
    /// Returns a sha1 hash object; data, if given, is hashed.
    #[pyfunction("($module, /, data=b'', *, usedforsecurity=True, string=None)")]
    fn openssl_sha1(data: Option<&PyObject>, usedforsecurity: bool, string: Option<&PyObject>) -> PyResult {
        let _ = usedforsecurity;
        NamedHash::start(Algorithm::named("sha1").ok_or_else(unknown_name)?, data, string)
    }
    /// Returns a sha224 hash object; data, if given, is hashed.
    #[pyfunction("($module, /, data=b'', *, usedforsecurity=True, string=None)")]
    fn openssl_sha224(data: Option<&PyObject>, usedforsecurity: bool, string: Option<&PyObject>) -> PyResult {
        let _ = usedforsecurity;
        NamedHash::start(Algorithm::named("sha224").ok_or_else(unknown_name)?, data, string)
    }
    /// Returns a sha256 hash object; data, if given, is hashed.
    #[pyfunction("($module, /, data=b'', *, usedforsecurity=True, string=None)")]
    fn openssl_sha256(data: Option<&PyObject>, usedforsecurity: bool, string: Option<&PyObject>) -> PyResult {
        let _ = usedforsecurity;
        NamedHash::start(Algorithm::named("sha256").ok_or_else(unknown_name)?, data, string)
    }
    /// Returns a sha384 hash object; data, if given, is hashed.
    #[pyfunction("($module, /, data=b'', *, usedforsecurity=True, string=None)")]
    fn openssl_sha384(data: Option<&PyObject>, usedforsecurity: bool, string: Option<&PyObject>) -> PyResult {
        let _ = usedforsecurity;
        NamedHash::start(Algorithm::named("sha384").ok_or_else(unknown_name)?, data, string)
    }
    /// Returns a sha512 hash object; data, if given, is hashed.
    #[pyfunction("($module, /, data=b'', *, usedforsecurity=True, string=None)")]
    fn openssl_sha512(data: Option<&PyObject>, usedforsecurity: bool, string: Option<&PyObject>) -> PyResult {
        let _ = usedforsecurity;
        NamedHash::start(Algorithm::named("sha512").ok_or_else(unknown_name)?, data, string)
    }
    /// Returns a sha3-224 hash object; data, if given, is hashed.
    #[pyfunction("($module, /, data=b'', *, usedforsecurity=True, string=None)")]
    fn openssl_sha3_224(data: Option<&PyObject>, usedforsecurity: bool, string: Option<&PyObject>) -> PyResult {
        let _ = usedforsecurity;
        NamedHash::start(Algorithm::named("sha3_224").ok_or_else(unknown_name)?, data, string)
    }
    /// Returns a sha3-256 hash object; data, if given, is hashed.
    #[pyfunction("($module, /, data=b'', *, usedforsecurity=True, string=None)")]
    fn openssl_sha3_256(data: Option<&PyObject>, usedforsecurity: bool, string: Option<&PyObject>) -> PyResult {
        let _ = usedforsecurity;
        NamedHash::start(Algorithm::named("sha3_256").ok_or_else(unknown_name)?, data, string)
    }
    /// Returns a sha3-384 hash object; data, if given, is hashed.
    #[pyfunction("($module, /, data=b'', *, usedforsecurity=True, string=None)")]
    fn openssl_sha3_384(data: Option<&PyObject>, usedforsecurity: bool, string: Option<&PyObject>) -> PyResult {
        let _ = usedforsecurity;
        NamedHash::start(Algorithm::named("sha3_384").ok_or_else(unknown_name)?, data, string)
    }
    /// Returns a sha3-512 hash object; data, if given, is hashed.
    #[pyfunction("($module, /, data=b'', *, usedforsecurity=True, string=None)")]
    fn openssl_sha3_512(data: Option<&PyObject>, usedforsecurity: bool, string: Option<&PyObject>) -> PyResult {
        let _ = usedforsecurity;
        NamedHash::start(Algorithm::named("sha3_512").ok_or_else(unknown_name)?, data, string)
    }
    /// Returns a shake-128 hash object; data, if given, is hashed.
    #[pyfunction("($module, /, data=b'', *, usedforsecurity=True, string=None)")]
    fn openssl_shake_128(data: Option<&PyObject>, usedforsecurity: bool, string: Option<&PyObject>) -> PyResult {
        let _ = usedforsecurity;
        NamedHash::start(Algorithm::named("shake_128").ok_or_else(unknown_name)?, data, string)
    }
    /// Returns a shake-256 hash object; data, if given, is hashed.
    #[pyfunction("($module, /, data=b'', *, usedforsecurity=True, string=None)")]
    fn openssl_shake_256(data: Option<&PyObject>, usedforsecurity: bool, string: Option<&PyObject>) -> PyResult {
        let _ = usedforsecurity;
        NamedHash::start(Algorithm::named("shake_256").ok_or_else(unknown_name)?, data, string)
    }
    /// Return a new hmac object.
    #[pyfunction("($module, /, key, msg=b'', digestmod=None)")]
    fn hmac_new(key: BytesArg<'_>, msg: Option<&PyObject>, digestmod: Option<&PyObject>) -> PyResult<Ref<NamedHmac>> {
        let Some(digestmod) = digestmod else {
            return Err(raise!(TypeError, "Missing required parameter 'digestmod'."));
        };
        let algorithm = by_hmac_digestmod(digestmod)?;
        let hash = Hash::new(Box::new(algorithm.hmac(key.as_bytes())));
        if let Some(msg) = msg.filter(|msg| !is_none(msg)) {
            hash.update(msg)?;
        }
        Ref::new(NamedHmac { hash, algorithm })
    }
    /// Single-shot HMAC.
    #[pyfunction("($module, /, key, msg, digest)")]
    fn hmac_digest(key: BytesArg<'_>, msg: BytesArg<'_>, digest: &PyObject) -> PyResult<Ref<PyBytesObject>> {
        let algorithm = by_hmac_digestmod(digest)?;
        if key.as_bytes().len() > i32::MAX as usize {
            return Err(raise!(OverflowError, "key is too long."));
        }
        if msg.as_bytes().len() > i32::MAX as usize {
            return Err(raise!(OverflowError, "msg is too long."));
        }
        let hash = Hash::new(Box::new(algorithm.hmac(key.as_bytes())));
        hash.update_bytes(msg.as_bytes());
        Ok(PyBytesObject::from_vec(hash.digest(0)))
    }
    /// Password based key derivation function 2 (PKCS #5 v2.0) with HMAC as pseudorandom function.
    #[pyfunction("($module, /, hash_name, password, salt, iterations,\n            dklen=None)")]
    fn pbkdf2_hmac(
        hash_name: &PyUnicodeObject,
        password: BytesArg<'_>,
        salt: BytesArg<'_>,
        iterations: isize,
        dklen: Option<&PyObject>,
    ) -> PyResult<Ref<PyBytesObject>> {
        let algorithm = by_name(hash_name)?;
        let iterations = size(
            iterations,
            "iteration value must be greater than 0.",
            "iteration value is too great.",
        )?;
        let len = match dklen {
            Some(len) => len.index()?.as_isize()?,
            None => algorithm.digest_size as isize,
        };
        let len = size(len, "key length must be greater than 0.", "key length is too great.")?;
        if algorithm.is_xof() {
            return Err(raise!(ValueError, "{} has no digest size that HMAC could use", algorithm.name));
        }
        let from = Derivation { password: password.as_bytes(), salt: salt.as_bytes(), iterations };
        derived(len, |key| algorithm.derive_key(&from, key))
    }
    /// scrypt password-based key derivation function.
    #[pyfunction("($module, /, password, *, salt, n, r, p, maxmem=0, dklen=64)")]
    fn scrypt(
        password: BytesArg<'_>,
        salt: BytesArg<'_>,
        n: u64,
        r: u64,
        p: u64,
        maxmem: Option<i64>,
        dklen: Option<i64>,
    ) -> PyResult<Ref<PyBytesObject>> {
        if n < 2 || !n.is_power_of_two() {
            return Err(raise!(ValueError, "n must be a power of 2."));
        }
        let limit = scrypt_limit(maxmem.unwrap_or(0))?;
        let len = dklen.unwrap_or(64);
        if !(1..=i64::from(i32::MAX)).contains(&len) {
            return Err(raise!(ValueError, "dklen must be greater than 0 and smaller than {}", i32::MAX));
        }
        let params = scrypt_params(n, r, p, limit)?;
        let (password, salt) = (password.as_bytes(), salt.as_bytes());
        let mut is_derived = false;
        let key = derived(len as usize, |key| {
            is_derived = ::scrypt::scrypt(password, salt, &params, key).is_ok();
        })?;
        if !is_derived {
            return Err(raise!(ValueError, "dklen is too large."));
        }
        Ok(key)
    }
    /// Whether only functions that a standard of the United States approves are there: 0, no.
    #[pyfunction("($module, /)")]
    fn get_fips_mode() -> i32 {
        0
    }
    /// Equality of two strings or bytes in a time that does not depend on where they differ.
    #[pyfunction("($module, a, b, /)")]
    fn compare_digest(a: &PyObject, b: &PyObject) -> PyResult<bool> {
        crate::operator::_operator::_compare_digest(a, b)
    }

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        module.add("UnsupportedDigestmodError", UNSUPPORTED.get()?)?;
        let names = PySetObject::new_frozenset();
        let constructors = PyDictObject::new();
        for algorithm in Algorithm::all() {
            let name = PyUnicodeObject::from_str(algorithm.name);
            names.add(name.as_object())?;
            let constructor = PyUnicodeObject::from_string(format!("openssl_{}", algorithm.name));
            if let Some(function) = module.dict().get_str(&constructor) {
                constructors.set(&function, name.as_object())?;
            }
        }
        module.add("openssl_md_meth_names", names.into_object())?;
        module.add(
            "_constructors",
            adder_runtime::objects::mappingproxy::mapping_proxy(constructors.as_object())?,
        )?;
        CONSTRUCTORS.here().set(constructors.into_object());
        Ok(())
    }
}
