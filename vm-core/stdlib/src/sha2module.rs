//! `_sha2`: SHA-224, SHA-256, SHA-384, SHA-512.

use adder_runtime::prelude::*;
use sha2::Digest;

crate::hash_type!(Sha224, "_sha2.SHA224Type", SHA224_TYPE, "sha224", block 64);
crate::hash_type!(Sha256, "_sha2.SHA256Type", SHA256_TYPE, "sha256", block 64);
crate::hash_type!(Sha384, "_sha2.SHA384Type", SHA384_TYPE, "sha384", block 128);
crate::hash_type!(Sha512, "_sha2.SHA512Type", SHA512_TYPE, "sha512", block 128);

#[pymodule(name = "_sha2", types = [])]
pub mod _sha2 {
    use super::*;

    #[pyconst]
    const _GIL_MINSIZE: usize = crate::hashes::GIL_MINSIZE;
    #[pyconst]
    fn SHA224Type() -> Ref {
        SHA224_TYPE.to_object()
    }
    /// A new SHA-224 hash object.
    #[pyfunction("($module, /, data=b'', *, usedforsecurity=True, string=None)")]
    fn sha224(data: Option<&PyObject>, usedforsecurity: bool, string: Option<&PyObject>) -> PyResult<Ref<Sha224>> {
        let _ = usedforsecurity;
        Sha224::start(Box::new(::sha2::Sha224::new()), data, string)
    }
    #[pyconst]
    fn SHA256Type() -> Ref {
        SHA256_TYPE.to_object()
    }
    /// A new SHA-256 hash object.
    #[pyfunction("($module, /, data=b'', *, usedforsecurity=True, string=None)")]
    fn sha256(data: Option<&PyObject>, usedforsecurity: bool, string: Option<&PyObject>) -> PyResult<Ref<Sha256>> {
        let _ = usedforsecurity;
        Sha256::start(Box::new(::sha2::Sha256::new()), data, string)
    }
    #[pyconst]
    fn SHA384Type() -> Ref {
        SHA384_TYPE.to_object()
    }
    /// A new SHA-384 hash object.
    #[pyfunction("($module, /, data=b'', *, usedforsecurity=True, string=None)")]
    fn sha384(data: Option<&PyObject>, usedforsecurity: bool, string: Option<&PyObject>) -> PyResult<Ref<Sha384>> {
        let _ = usedforsecurity;
        Sha384::start(Box::new(::sha2::Sha384::new()), data, string)
    }
    #[pyconst]
    fn SHA512Type() -> Ref {
        SHA512_TYPE.to_object()
    }
    /// A new SHA-512 hash object.
    #[pyfunction("($module, /, data=b'', *, usedforsecurity=True, string=None)")]
    fn sha512(data: Option<&PyObject>, usedforsecurity: bool, string: Option<&PyObject>) -> PyResult<Ref<Sha512>> {
        let _ = usedforsecurity;
        Sha512::start(Box::new(::sha2::Sha512::new()), data, string)
    }
}
