//! `_md5`.

use adder_runtime::prelude::*;

crate::hash_type!(Md5, "_md5.md5", MD5_TYPE, "md5", block 64);

#[pymodule(name = "_md5", types = [])]
pub mod _md5 {
    use super::*;

    #[pyconst]
    const _GIL_MINSIZE: usize = crate::hashes::GIL_MINSIZE;
    #[pyconst]
    fn MD5Type() -> Ref {
        MD5_TYPE.to_object()
    }
    /// A new MD5 hash object.
    #[pyfunction("($module, /, data=b'', *, usedforsecurity=True, string=None)")]
    fn md5(data: Option<&PyObject>, usedforsecurity: bool, string: Option<&PyObject>) -> PyResult<Ref<Md5>> {
        let _ = usedforsecurity;
        Md5::start(Box::new(<::md5::Md5 as sha2::Digest>::new()), data, string)
    }
}
