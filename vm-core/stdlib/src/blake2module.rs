//! `_blake2`: BLAKE2b and BLAKE2s.

use crate::hashes::blake2::{Blake2b as StateB, Blake2s as StateS, Params};
use crate::hashes::{Hash, given};
use adder_runtime::objects::buffer::BytesArg;
use adder_runtime::prelude::*;

/// Declares one of the two types.
macro_rules! blake2_type {
    ($name:ident, $state:ident, $type_name:literal, $static_name:ident, $hash_name:literal, $title:literal, out $out:literal,
     key $key:literal, salt $salt:literal, person $person:literal, offset bits $offset_bits:literal, $signature:literal) => {
        #[repr(transparent)]
        pub struct $name(Hash);

        #[pytype(name = $type_name, static_name = $static_name)]
        /// Return a new BLAKE2 hash object.
        impl $name {
            #[new($signature)]
            fn new(
                cls: &PyTypeObject,
                data: Option<&PyObject>,
                digest_size: Option<i32>,
                key: Option<BytesArg<'_>>,
                salt: Option<BytesArg<'_>>,
                person: Option<BytesArg<'_>>,
                fanout: Option<i32>,
                depth: Option<i32>,
                leaf_size: Option<u64>,
                node_offset: Option<&PyObject>,
                node_depth: Option<i32>,
                inner_size: Option<i32>,
                last_node: bool,
                usedforsecurity: bool,
                string: Option<&PyObject>,
            ) -> PyResult<Ref<$name>> {
                let _ = usedforsecurity;
                let size = digest_size.unwrap_or($out);
                if !(1..=$out).contains(&size) {
                    return Err(raise!(
                        ValueError,
                        concat!("digest_size for ", $title, " must be between 1 and ", $out, " bytes, here it is {}"),
                        size
                    ));
                }
                let salt = part(&salt, $salt, "salt")?;
                let person = part(&person, $person, "person")?;
                let fanout = byte(fanout.unwrap_or(1), 0, "fanout must be between 0 and 255")?;
                let depth = byte(depth.unwrap_or(1), 1, "depth must be between 1 and 255")?;
                let Ok(leaf_size) = u32::try_from(leaf_size.unwrap_or(0)) else {
                    return Err(raise!(OverflowError, "leaf_size is too large"));
                };
                let node_offset = match node_offset {
                    Some(offset) => {
                        let offset = offset.index()?;
                        if offset.sign() < 0 {
                            return Err(raise!(ValueError, "Cannot convert negative int"));
                        }
                        offset.to_u64().ok_or_else(|| {
                            raise!(OverflowError, "Python int too large for C unsigned long long")
                        })?
                    }
                    None => 0,
                };
                if node_offset.checked_shr($offset_bits).unwrap_or(0) != 0 {
                    return Err(raise!(OverflowError, "node_offset is too large"));
                }
                let node_depth = byte(node_depth.unwrap_or(0), 0, "node_depth must be between 0 and 255")?;
                let inner_size = inner_size.unwrap_or(0);
                if !(0..=$out).contains(&inner_size) {
                    return Err(raise!(ValueError, concat!("inner_size must be between 0 and is ", $out)));
                }
                let key = part(&key, $key, "key")?;
                let state = $state::new(&Params {
                    digest_size: size as u8,
                    key,
                    salt,
                    person,
                    fanout,
                    depth,
                    leaf_size,
                    node_offset,
                    node_depth,
                    inner_size: inner_size as u8,
                    last_node,
                });
                let hash = Hash::new(Box::new(state));
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
            #[method("($self, /)")]
            fn digest(&self) -> Ref<PyBytesObject> {
                PyBytesObject::from_vec(self.0.digest(0))
            }
            /// Return the digest value as a string of hexadecimal digits.
            #[method("($self, /)")]
            fn hexdigest(&self) -> String {
                self.0.hex(0)
            }
            /// Update this hash object's state with the provided bytes-like object.
            #[method("($self, data, /)")]
            fn update(&self, data: &PyObject) -> PyResult<()> {
                self.0.update(data)
            }
            #[getter]
            fn name(&self) -> PyResult<&'static str> {
                Ok($hash_name)
            }
            #[getter]
            fn block_size(&self) -> usize {
                $state::BLOCK
            }
            #[getter]
            fn digest_size(&self) -> usize {
                self.0.output_size()
            }
        }
    };
}

fn part<'a>(bytes: &'a Option<BytesArg<'_>>, max: usize, name: &str) -> PyResult<&'a [u8]> {
    let bytes = bytes.as_ref().map_or(&[][..], BytesArg::as_bytes);
    if bytes.len() > max {
        return Err(raise!(ValueError, "maximum {name} length is {max} bytes"));
    }
    Ok(bytes)
}

fn byte(value: i32, low: i32, message: &str) -> PyResult<u8> {
    if (low..=255).contains(&value) { Ok(value as u8) } else { Err(raise!(ValueError, "{message}")) }
}

blake2_type!(Blake2b, StateB, "_blake2.blake2b", BLAKE2B_TYPE, "blake2b", "Blake2b", out 64, key 64, salt 16, person 16, offset bits 64, "(data=b'', *, digest_size=_blake2.blake2b.MAX_DIGEST_SIZE, key=b'', salt=b'', person=b'', fanout=1, depth=1, leaf_size=0, node_offset=0, node_depth=0, inner_size=0, last_node=False, usedforsecurity=True, string=None)");
blake2_type!(Blake2s, StateS, "_blake2.blake2s", BLAKE2S_TYPE, "blake2s", "Blake2s", out 32, key 32, salt 8, person 8, offset bits 48, "(data=b'', *, digest_size=_blake2.blake2s.MAX_DIGEST_SIZE, key=b'', salt=b'', person=b'', fanout=1, depth=1, leaf_size=0, node_offset=0, node_depth=0, inner_size=0, last_node=False, usedforsecurity=True, string=None)");

/// _blake2b provides BLAKE2b for hashlib
#[pymodule(name = "_blake2", types = [BLAKE2B_TYPE, BLAKE2S_TYPE])]
pub mod _blake2 {
    use super::*;
    pub use super::{BLAKE2B_TYPE, BLAKE2S_TYPE};

    #[pyconst]
    const _GIL_MINSIZE: usize = crate::hashes::GIL_MINSIZE;
    #[pyconst]
    const BLAKE2B_MAX_DIGEST_SIZE: i64 = 64;
    #[pyconst]
    const BLAKE2B_MAX_KEY_SIZE: i64 = 64;
    #[pyconst]
    const BLAKE2B_PERSON_SIZE: i64 = 16;
    #[pyconst]
    const BLAKE2B_SALT_SIZE: i64 = 16;
    #[pyconst]
    const BLAKE2S_MAX_DIGEST_SIZE: i64 = 32;
    #[pyconst]
    const BLAKE2S_MAX_KEY_SIZE: i64 = 32;
    #[pyconst]
    const BLAKE2S_PERSON_SIZE: i64 = 8;
    #[pyconst]
    const BLAKE2S_SALT_SIZE: i64 = 8;

    #[pyexec]
    fn exec(_module: &PyModuleObject) -> PyResult<()> {
        for (ty, sizes) in [(&BLAKE2B_TYPE, [16, 16, 64, 64]), (&BLAKE2S_TYPE, [8, 8, 32, 32])] {
            let Some(dict) = ty.dict() else { continue };
            for (name, size) in ["SALT_SIZE", "PERSON_SIZE", "MAX_KEY_SIZE", "MAX_DIGEST_SIZE"].iter().zip(sizes) {
                let name = PyUnicodeObject::intern(PyUnicodeObject::from_str(name));
                dict.set_str(&name, PyLongObject::from_i64(size).as_object())?;
            }
            adder_runtime::types::lookup::modified(ty);
        }
        Ok(())
    }
}
