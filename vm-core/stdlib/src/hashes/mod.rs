//! Hash functions: what `_md5`, `_sha1`, `_sha2`, `_sha3` and `_blake2` have in common.

pub mod algorithms;
pub mod blake2;
pub mod keccak;

use adder_runtime::memory::blank_header;
use adder_runtime::objects::buffer::Buffer;
use adder_runtime::prelude::*;
use std::sync::Mutex;

/// A hash function under way.
pub trait Hasher: Send {
    fn update(&mut self, data: &[u8]);
    /// The digest of what has come so far; `len` counts for functions with a chosen length.
    fn digest(&self, len: usize) -> Vec<u8>;
    fn copy(&self) -> Box<dyn Hasher>;
    fn output_size(&self) -> usize;
}

macro_rules! digest_crate_hashers {
    ($($ty:ty),+) => {$(
        impl Hasher for $ty {
            fn update(&mut self, data: &[u8]) {
                sha2::Digest::update(self, data);
            }
            fn digest(&self, _len: usize) -> Vec<u8> {
                sha2::Digest::finalize(self.clone()).to_vec()
            }
            fn copy(&self) -> Box<dyn Hasher> {
                Box::new(self.clone())
            }
            fn output_size(&self) -> usize {
                <$ty as sha2::Digest>::output_size()
            }
        }
    )+};
}
digest_crate_hashers!(
    md5::Md5,
    sha1::Sha1,
    sha2::Sha224,
    sha2::Sha256,
    sha2::Sha384,
    sha2::Sha512,
    sha2::Sha512_224,
    sha2::Sha512_256,
    ripemd::Ripemd160,
    sm3::Sm3
);

impl Hasher for keccak::Keccak {
    fn update(&mut self, data: &[u8]) {
        keccak::Keccak::update(self, data);
    }
    fn digest(&self, len: usize) -> Vec<u8> {
        let size = self.output_size();
        keccak::Keccak::digest(self, if size == 0 { len } else { size })
    }
    fn copy(&self) -> Box<dyn Hasher> {
        Box::new(self.clone())
    }
    fn output_size(&self) -> usize {
        keccak::Keccak::output_size(self)
    }
}

macro_rules! blake2_hashers {
    ($($ty:ty),+) => {$(
        impl Hasher for $ty {
            fn update(&mut self, data: &[u8]) {
                <$ty>::update(self, data);
            }
            fn digest(&self, _len: usize) -> Vec<u8> {
                <$ty>::digest(self)
            }
            fn copy(&self) -> Box<dyn Hasher> {
                Box::new(self.clone())
            }
            fn output_size(&self) -> usize {
                <$ty>::output_size(self)
            }
        }
    )+};
}
blake2_hashers!(blake2::Blake2b, blake2::Blake2s);

/// From this size on the GIL is released while hashing.
pub const GIL_MINSIZE: usize = 2048;

/// A hash object, of whatever type.
#[repr(C)]
pub struct Hash {
    ob_base: PyObject,
    state: Mutex<Box<dyn Hasher>>,
}

/// The bytes of an argument to be hashed.
pub fn data(object: &PyObject) -> PyResult<Buffer> {
    if object.downcast::<PyUnicodeObject>().is_some() {
        return Err(raise!(TypeError, "Strings must be encoded before hashing"));
    }
    if !adder_runtime::objects::buffer::has_buffer(object) {
        return Err(raise!(TypeError, "object supporting the buffer API required"));
    }
    let view = Buffer::simple(object)?;
    if view.view().ndim.get() > 1 {
        return Err(raise!(BufferError, "Buffer must be single dimension"));
    }
    Ok(view)
}

/// The one of the two names for the data that was given.
pub fn given<'a>(data: Option<&'a PyObject>, string: Option<&'a PyObject>) -> PyResult<Option<&'a PyObject>> {
    if data.is_some() && string.is_some() {
        return Err(raise!(
            TypeError,
            "'data' and 'string' are mutually exclusive and support for 'string' keyword parameter is slated for removal \
             in a future version."
        ));
    }
    Ok(data.or(string))
}

impl Hash {
    pub fn new(state: Box<dyn Hasher>) -> Hash {
        Hash {
            ob_base: blank_header(),
            state: Mutex::new(state),
        }
    }
    fn with<R>(&self, f: impl FnOnce(&mut dyn Hasher) -> R) -> R {
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        f(&mut **state)
    }
    pub fn update(&self, object: &PyObject) -> PyResult<()> {
        let view = data(object)?;
        self.update_bytes(view.as_bytes());
        Ok(())
    }
    pub fn update_bytes(&self, bytes: &[u8]) {
        if bytes.len() >= GIL_MINSIZE {
            // The lock is not held while the GIL is waited for.
            adder_runtime::thread::allow_threads(|| self.with(|state| state.update(bytes)));
        } else {
            self.with(|state| state.update(bytes));
        }
    }
    pub fn digest(&self, len: usize) -> Vec<u8> {
        self.with(|state| state.digest(len))
    }
    pub fn hex(&self, len: usize) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        self.digest(len)
            .iter()
            .flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]])
            .map(char::from)
            .collect()
    }
    pub fn copy(&self) -> Hash {
        Hash::new(self.with(|state| state.copy()))
    }
    pub fn output_size(&self) -> usize {
        self.with(|state| state.output_size())
    }
}

/// Declares a hash type without a constructor of its own.
#[macro_export]
macro_rules! hash_type {
    ($name:ident, $type_name:literal, $static_name:ident, $hash_name:literal, block $block:expr) => {
        #[repr(transparent)]
        pub struct $name($crate::hashes::Hash);

        #[pytype(name = $type_name, static_name = $static_name, flags = DISALLOW_INSTANTIATION)]
        impl $name {
            pub fn start(
                state: Box<dyn $crate::hashes::Hasher>,
                data: Option<&PyObject>,
                string: Option<&PyObject>,
            ) -> PyResult<Ref<$name>> {
                let hash = $crate::hashes::Hash::new(state);
                if let Some(data) = $crate::hashes::given(data, string)? {
                    hash.update(data)?;
                }
                Ref::new($name(hash))
            }
            /// Return a copy of the hash object.
            #[method("($self, /)")]
            fn copy(&self) -> PyResult<Ref<$name>> {
                Ref::new($name(self.0.copy()))
            }
            /// Return the digest value as a bytes object.
            #[method("($self, /)")]
            fn digest(&self) -> Ref<PyBytesObject> {
                PyBytesObject::from_vec(self.0.digest(0))
            }
            /// Return the digest value as a string of hexadecimal digits.
            #[method("($self, /)")]
            fn hexdigest(&self) -> String {
                self.0.hex(0)
            }
            /// Update this hash object's state with the provided string.
            #[method("($self, obj, /)")]
            fn update(&self, obj: &PyObject) -> PyResult<()> {
                self.0.update(obj)
            }
            #[getter]
            fn block_size(&self) -> usize {
                $block
            }
            #[getter]
            fn name(&self) -> PyResult<&'static str> {
                Ok($hash_name)
            }
            #[getter]
            fn digest_size(&self) -> usize {
                self.0.output_size()
            }
        }
    };
}

/// Declares a type for HMACs under way, which knows the function by its name.
#[macro_export]
macro_rules! hmac_type {
    ($name:ident, $type_name:literal, $static_name:ident) => {
        /// An HMAC under way, and of which function.
        #[repr(C)]
        pub struct $name {
            hash: $crate::hashes::Hash,
            algorithm: &'static $crate::hashes::algorithms::Algorithm,
        }

        #[pytype(name = $type_name, static_name = $static_name, flags = DISALLOW_INSTANTIATION)]
        /// Calculates the HMAC of a message.
        impl $name {
            /// Return a copy ("clone") of the HMAC object.
            #[method("($self, /)")]
            fn copy(&self) -> PyResult<Ref<$name>> {
                Ref::new($name {
                    hash: self.hash.copy(),
                    algorithm: self.algorithm,
                })
            }
            /// Update the HMAC object with the given message.
            #[method("($self, /, msg)")]
            fn update(&self, msg: &PyObject) -> PyResult<()> {
                self.hash.update(msg)
            }
            /// Return the digest of the bytes passed to the update() method so far.
            #[method("($self, /)")]
            fn digest(&self) -> Ref<PyBytesObject> {
                PyBytesObject::from_vec(self.hash.digest(0))
            }
            /// Return hexadecimal digest of the bytes passed to the update() method so far.
            #[method("($self, /)")]
            fn hexdigest(&self) -> String {
                self.hash.hex(0)
            }
            #[getter]
            fn name(&self) -> String {
                format!("hmac-{}", self.algorithm.name)
            }
            #[getter]
            fn block_size(&self) -> usize {
                self.algorithm.block_size
            }
            #[getter]
            fn digest_size(&self) -> usize {
                self.algorithm.digest_size
            }
            #[slot]
            fn tp_repr(&self) -> String {
                format!("<{} HMAC object @ {:p}>", self.algorithm.name, self)
            }
        }
    };
}
