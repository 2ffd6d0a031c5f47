//! `_sha1`.

use adder_runtime::prelude::*;

crate::hash_type!(Sha1, "_sha1.sha1", SHA1_TYPE, "sha1", block 64);

#[pymodule(name = "_sha1", types = [])]
pub mod _sha1 {
    use super::*;

    #[pyconst]
    const _GIL_MINSIZE: usize = crate::hashes::GIL_MINSIZE;
    #[pyconst]
    fn SHA1Type() -> Ref {
        SHA1_TYPE.to_object()
    }
    /// A new SHA-1 hash object.
    #[pyfunction("($module, /, data=b'', *, usedforsecurity=True, string=None)")]
    fn sha1(data: Option<&PyObject>, usedforsecurity: bool, string: Option<&PyObject>) -> PyResult<Ref<Sha1>> {
        let _ = usedforsecurity;
        Sha1::start(Box::new(<::sha1::Sha1 as sha2::Digest>::new()), data, string)
    }
}
