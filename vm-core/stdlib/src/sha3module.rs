//! `_sha3`: SHA-3 and SHAKE.

use crate::hashes::keccak::Keccak;
use crate::hashes::{Hash, given};
use adder_runtime::prelude::*;

/// Declares a type of the Keccak family: a fixed digest size, or none.
macro_rules! sha3_type {
    ($name:ident, $type_name:literal, $static_name:ident, $hash_name:literal, rate $rate:literal, suffix $suffix:literal,
     size $size:literal, ($($len:ident)?), $digest_signature:literal) => {
        #[repr(transparent)]
        pub struct $name(Hash);

        #[pytype(name = $type_name, static_name = $static_name)]
        impl $name {
            #[new("(data=b'', *, usedforsecurity=True, string=None)")]
            fn new(
                cls: &PyTypeObject,
                data: Option<&PyObject>,
                usedforsecurity: bool,
                string: Option<&PyObject>,
            ) -> PyResult<Ref<$name>> {
                let _ = usedforsecurity;
                let hash = Hash::new(Box::new(Keccak::new($rate, $suffix, $size)));
                if let Some(data) = given(data, string)? {
                    hash.update(data)?;
                }
                Ref::new_in(cls, $name(hash))
            }
            /// Return a copy of the hash object.
            #[method("($self, /)")]
            fn copy(&self) -> PyResult<Ref<$name>> {
                Ref::new($name(self.0.copy()))
            }
            /// Return the digest value as a bytes object.
            #[method($digest_signature)]
            fn digest(&self $(, $len: usize)?) -> PyResult<Ref<PyBytesObject>> {
                let len = 0 $(+ checked_length($len)?)?;
                adder_runtime::memory::ensure_room(len)?;
                Ok(PyBytesObject::from_vec(self.0.digest(len)))
            }
            /// Return the digest value as a string of hexadecimal digits.
            #[method($digest_signature)]
            fn hexdigest(&self $(, $len: usize)?) -> PyResult<String> {
                let len = 0 $(+ checked_length($len)?)?;
                adder_runtime::memory::ensure_room(3 * len)?;
                Ok(self.0.hex(len))
            }
            /// Update this hash object's state with the provided bytes-like object.
            #[method("($self, data, /)")]
            fn update(&self, data: &PyObject) -> PyResult<()> {
                self.0.update(data)
            }
            #[getter]
            fn block_size(&self) -> usize {
                $rate
            }
            #[getter]
            fn name(&self) -> PyResult<&'static str> {
                Ok($hash_name)
            }
            #[getter]
            fn digest_size(&self) -> usize {
                $size
            }
            #[getter]
            fn _capacity_bits(&self) -> usize {
                1600 - 8 * $rate
            }
            #[getter]
            fn _rate_bits(&self) -> usize {
                8 * $rate
            }
            #[getter]
            fn _suffix(&self) -> Ref<PyBytesObject> {
                PyBytesObject::from_slice(&[$suffix])
            }
        }
    };
}

fn checked_length(len: usize) -> PyResult<usize> {
    if len >= 1 << 29 { Err(raise!(ValueError, "length is too large")) } else { Ok(len) }
}

sha3_type!(Sha3_224, "_sha3.sha3_224", SHA3_224_TYPE, "sha3_224", rate 144, suffix 6, size 28, (), "($self, /)");
sha3_type!(Sha3_256, "_sha3.sha3_256", SHA3_256_TYPE, "sha3_256", rate 136, suffix 6, size 32, (), "($self, /)");
sha3_type!(Sha3_384, "_sha3.sha3_384", SHA3_384_TYPE, "sha3_384", rate 104, suffix 6, size 48, (), "($self, /)");
sha3_type!(Sha3_512, "_sha3.sha3_512", SHA3_512_TYPE, "sha3_512", rate 72, suffix 6, size 64, (), "($self, /)");
sha3_type!(Shake128, "_sha3.shake_128", SHAKE_128_TYPE, "shake_128", rate 168, suffix 0x1f, size 0, (length), "($self, /, length)");
sha3_type!(Shake256, "_sha3.shake_256", SHAKE_256_TYPE, "shake_256", rate 136, suffix 0x1f, size 0, (length), "($self, /, length)");

#[pymodule(name = "_sha3", types = [SHA3_224_TYPE, SHA3_256_TYPE, SHA3_384_TYPE, SHA3_512_TYPE, SHAKE_128_TYPE, SHAKE_256_TYPE])]
pub mod _sha3 {
    pub use super::{SHA3_224_TYPE, SHA3_256_TYPE, SHA3_384_TYPE, SHA3_512_TYPE, SHAKE_128_TYPE, SHAKE_256_TYPE};

    #[pyconst]
    const _GIL_MINSIZE: usize = crate::hashes::GIL_MINSIZE;
    #[pyconst]
    const implementation: &str = "Adder";
}
