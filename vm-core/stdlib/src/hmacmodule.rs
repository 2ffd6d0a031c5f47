//! `_hmac`: HMAC with the functions that Python always has.

use crate::hashes::algorithms::Algorithm;
use crate::hashes::{Hash, data};
use crate::util::ExceptionClass;
use adder_runtime::exceptions::exc;
use adder_runtime::prelude::*;

static UNKNOWN: ExceptionClass = ExceptionClass::new("_hmac.UnknownHashError", || exc::ValueError);

/// The names by which functions are known here, and the names of the functions.
const NAMES: [(&str, &str); 28] = [
    ("md5", "md5"),
    ("MD5", "md5"),
    ("sha1", "sha1"),
    ("SHA1", "sha1"),
    ("sha224", "sha224"),
    ("SHA224", "sha224"),
    ("sha2_224", "sha224"),
    ("sha256", "sha256"),
    ("SHA256", "sha256"),
    ("sha2_256", "sha256"),
    ("sha384", "sha384"),
    ("SHA384", "sha384"),
    ("sha2_384", "sha384"),
    ("sha512", "sha512"),
    ("SHA512", "sha512"),
    ("sha2_512", "sha512"),
    ("sha3_224", "sha3_224"),
    ("sha3_256", "sha3_256"),
    ("sha3_384", "sha3_384"),
    ("sha3_512", "sha3_512"),
    ("blake2b", "blake2b"),
    ("blake2b_32", "blake2b"),
    ("blake2b_256", "blake2b"),
    ("blake2b_simd256", "blake2b"),
    ("blake2s", "blake2s"),
    ("blake2s_32", "blake2s"),
    ("blake2s_128", "blake2s"),
    ("blake2s_simd128", "blake2s"),
];

fn by_name(digestmod: &PyObject) -> PyResult<&'static Algorithm> {
    let known = digestmod
        .downcast::<PyUnicodeObject>()
        .and_then(|name| NAMES.iter().find(|(known, _)| name.eq_str(known)))
        .and_then(|(_, name)| Algorithm::named(name));
    match known {
        Some(algorithm) => Ok(algorithm),
        None => Err(UNKNOWN.raise(format!("unsupported hash type: {}", digestmod.repr()?.to_string_lossy()))),
    }
}

/// A key as bytes, and no longer than HMAC takes it at once.
fn keyed(algorithm: &'static Algorithm, key: &PyObject) -> PyResult<Hash> {
    let key = data(key)?;
    if key.as_bytes().len() > u32::MAX as usize {
        return Err(raise!(OverflowError, "key length exceeds UINT32_MAX"));
    }
    Ok(Hash::new(Box::new(algorithm.hmac(key.as_bytes()))))
}

fn compute(algorithm: &'static Algorithm, key: &PyObject, msg: &PyObject) -> PyResult<Ref<PyBytesObject>> {
    let hash = keyed(algorithm, key)?;
    let msg = data(msg)?;
    if msg.as_bytes().len() > u32::MAX as usize {
        return Err(raise!(OverflowError, "message length exceeds UINT32_MAX"));
    }
    hash.update_bytes(msg.as_bytes());
    Ok(PyBytesObject::from_vec(hash.digest(0)))
}

fn compute_named(name: &str, key: &PyObject, msg: &PyObject) -> PyResult<Ref<PyBytesObject>> {
    match Algorithm::named(name) {
        Some(algorithm) => compute(algorithm, key, msg),
        None => Err(UNKNOWN.raise(format!("unsupported hash type: {name}"))),
    }
}

crate::hmac_type!(Hmac, "_hmac.HMAC", BUILTIN_HMAC_TYPE);

/// HMAC with the functions that are always there.
#[pymodule(name = "_hmac", types = [BUILTIN_HMAC_TYPE])]
pub mod _hmac {
    pub use super::BUILTIN_HMAC_TYPE;
    use super::*;

    #[pyconst]
    const _GIL_MINSIZE: usize = crate::hashes::GIL_MINSIZE;

    /// Return a new HMAC object.
    #[pyfunction("($module, /, key, msg=None, digestmod=<unrepresentable>)")]
    fn new(key: &PyObject, msg: Option<&PyObject>, digestmod: Option<&PyObject>) -> PyResult<Ref<Hmac>> {
        let Some(digestmod) = digestmod else {
            return Err(raise!(TypeError, "new() missing 1 required argument 'digestmod'"));
        };
        let algorithm = by_name(digestmod)?;
        let hash = keyed(algorithm, key)?;
        if let Some(msg) = msg.filter(|msg| !is_none(msg)) {
            hash.update(msg)?;
        }
        Ref::new(Hmac { hash, algorithm })
    }
    #[pyfunction("($module, /, key, msg, digest)")]
    fn compute_digest(key: &PyObject, msg: &PyObject, digest: &PyObject) -> PyResult<Ref<PyBytesObject>> {
        compute(by_name(digest)?, key, msg)
    }
    #[pyfunction("($module, key, msg, /)")]
    fn compute_md5(key: &PyObject, msg: &PyObject) -> PyResult<Ref<PyBytesObject>> {
        compute_named("md5", key, msg)
    }
    #[pyfunction("($module, key, msg, /)")]
    fn compute_sha1(key: &PyObject, msg: &PyObject) -> PyResult<Ref<PyBytesObject>> {
        compute_named("sha1", key, msg)
    }
    #[pyfunction("($module, key, msg, /)")]
    fn compute_sha224(key: &PyObject, msg: &PyObject) -> PyResult<Ref<PyBytesObject>> {
        compute_named("sha224", key, msg)
    }
    #[pyfunction("($module, key, msg, /)")]
    fn compute_sha256(key: &PyObject, msg: &PyObject) -> PyResult<Ref<PyBytesObject>> {
        compute_named("sha256", key, msg)
    }
    #[pyfunction("($module, key, msg, /)")]
    fn compute_sha384(key: &PyObject, msg: &PyObject) -> PyResult<Ref<PyBytesObject>> {
        compute_named("sha384", key, msg)
    }
    #[pyfunction("($module, key, msg, /)")]
    fn compute_sha512(key: &PyObject, msg: &PyObject) -> PyResult<Ref<PyBytesObject>> {
        compute_named("sha512", key, msg)
    }
    #[pyfunction("($module, key, msg, /)")]
    fn compute_sha3_224(key: &PyObject, msg: &PyObject) -> PyResult<Ref<PyBytesObject>> {
        compute_named("sha3_224", key, msg)
    }
    #[pyfunction("($module, key, msg, /)")]
    fn compute_sha3_256(key: &PyObject, msg: &PyObject) -> PyResult<Ref<PyBytesObject>> {
        compute_named("sha3_256", key, msg)
    }
    #[pyfunction("($module, key, msg, /)")]
    fn compute_sha3_384(key: &PyObject, msg: &PyObject) -> PyResult<Ref<PyBytesObject>> {
        compute_named("sha3_384", key, msg)
    }
    #[pyfunction("($module, key, msg, /)")]
    fn compute_sha3_512(key: &PyObject, msg: &PyObject) -> PyResult<Ref<PyBytesObject>> {
        compute_named("sha3_512", key, msg)
    }
    #[pyfunction("($module, key, msg, /)")]
    fn compute_blake2s_32(key: &PyObject, msg: &PyObject) -> PyResult<Ref<PyBytesObject>> {
        compute_named("blake2s", key, msg)
    }
    #[pyfunction("($module, key, msg, /)")]
    fn compute_blake2b_32(key: &PyObject, msg: &PyObject) -> PyResult<Ref<PyBytesObject>> {
        compute_named("blake2b", key, msg)
    }
    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        module.add("UnknownHashError", UNKNOWN.get()?)
    }
}
