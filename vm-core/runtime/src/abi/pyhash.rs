//! pyhash.h: the numbers of numeric hashing.
use super::*;

c_structs! {
    plain PyHash_FuncDef {
        hash: Option<unsafe extern "C" fn(*const c_void, Py_ssize_t) -> Py_hash_t>,
        name: *const c_char,
        hash_bits: c_int,
        seed_bits: c_int,
    }
}

c_consts! {
    usize {
        PyHASH_MULTIPLIER = 1000003,
        PyHASH_BITS = 61,
        PyHASH_MODULUS = (1 << 61) - 1,
        PyHASH_INF = 314159,
        PyHASH_IMAG = PyHASH_MULTIPLIER,
    }
}
