//! `_random`: the Mersenne Twister MT19937, as everywhere. Source: Matsumoto and Nishimura, 1998, and its 2002 initialisation.

use adder_runtime::memory::blank_header;
use adder_runtime::prelude::*;
use std::cell::RefCell;

const N: usize = 624;
const M: usize = 397;

struct Twister {
    state: [u32; N],
    index: usize,
}

impl Twister {
    fn from_word(seed: u32) -> Twister {
        let mut state = [0; N];
        state[0] = seed;
        for at in 1..N {
            let last = state[at - 1];
            state[at] = 1_812_433_253u32.wrapping_mul(last ^ (last >> 30)).wrapping_add(at as u32);
        }
        Twister { state, index: N }
    }
    fn from_words(key: &[u32]) -> Twister {
        let mut twister = Twister::from_word(19_650_218);
        let state = &mut twister.state;
        let (mut i, mut j) = (1, 0);
        for _ in 0..N.max(key.len()) {
            let last = state[i - 1];
            state[i] = (state[i] ^ (last ^ (last >> 30)).wrapping_mul(1_664_525)).wrapping_add(key[j]).wrapping_add(j as u32);
            i += 1;
            j += 1;
            if i >= N {
                state[0] = state[N - 1];
                i = 1;
            }
            if j >= key.len() {
                j = 0;
            }
        }
        for _ in 0..N - 1 {
            let last = state[i - 1];
            state[i] = (state[i] ^ (last ^ (last >> 30)).wrapping_mul(1_566_083_941)).wrapping_sub(i as u32);
            i += 1;
            if i >= N {
                state[0] = state[N - 1];
                i = 1;
            }
        }
        state[0] = 0x8000_0000;
        twister
    }
    #[inline]
    fn next(&mut self) -> u32 {
        if self.index >= N {
            self.refill();
        }
        let mut y = self.state[self.index];
        self.index += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }
    fn refill(&mut self) {
        let state = &mut self.state;
        for at in 0..N {
            let y = (state[at] & 0x8000_0000) | (state[(at + 1) % N] & 0x7fff_ffff);
            state[at] = state[(at + M) % N] ^ (y >> 1) ^ if y & 1 != 0 { 0x9908_b0df } else { 0 };
        }
        self.index = 0;
    }
    fn float(&mut self) -> f64 {
        let (a, b) = (self.next() >> 5, self.next() >> 6);
        (f64::from(a) * 67_108_864.0 + f64::from(b)) * (1.0 / 9_007_199_254_740_992.0)
    }
}

#[repr(C)]
pub struct Random {
    ob_base: PyObject,
    twister: RefCell<Twister>,
}

/// The words of the seed that an object stands for.
fn seeded(seed: Option<&PyObject>) -> PyResult<Twister> {
    let Some(seed) = seed.filter(|seed| !is_none(seed)) else {
        let mut words = [0u32; N];
        // SAFETY: the bytes of the array.
        let filled = unsafe { libc::getrandom(words.as_mut_ptr().cast(), size_of_val(&words), 0) };
        if filled != size_of_val(&words) as isize {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
            let (nanos, pid) = (now.as_nanos(), std::process::id());
            return Ok(Twister::from_words(&[nanos as u32, (nanos >> 32) as u32, (nanos >> 64) as u32, pid]));
        }
        return Ok(Twister::from_words(&words));
    };
    let magnitude = match seed.downcast::<PyLongObject>() {
        Some(int) => int.to_bigint().into_parts().1,
        None => num_bigint::BigUint::from(seed.hash()? as usize),
    };
    let mut words = magnitude.to_u32_digits();
    if words.is_empty() {
        words.push(0);
    }
    Ok(Twister::from_words(&words))
}

#[pytype(name = "_random.Random", static_name = RANDOM_TYPE, flags = BASETYPE)]
/// Random() -> create a random number generator with its own internal state.
impl Random {
    #[slot]
    fn tp_new(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let _ = (args, kwargs);
        let twister = RefCell::new(seeded(None)?);
        Ok(Ref::new_in(cls, Random { ob_base: blank_header(), twister })?.into_object())
    }
    #[slot]
    fn tp_init(&self, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult<()> {
        let ours = std::ptr::eq(self.as_object().ty(), &RANDOM_TYPE);
        if ours && kwargs.is_some_and(|kwargs| kwargs.len() != 0) {
            return Err(raise!(TypeError, "Random() takes no keyword arguments"));
        }
        match args.as_slice() {
            [] => Ok(()),
            [seed] => self.seed(Some(seed)),
            more => Err(raise!(TypeError, "Random expected at most 1 argument, got {}", more.len())),
        }
    }
    /// random() -> x in the interval [0, 1).
    #[method("($self, /)")]
    fn random(&self) -> f64 {
        self.twister.borrow_mut().float()
    }
    /// seed([n]) -> None.
    /// An int seeds by its value, others by their hash, None by the system.
    #[method("($self, n=None, /)")]
    fn seed(&self, n: Option<&PyObject>) -> PyResult<()> {
        let twister = seeded(n)?;
        *self.twister.borrow_mut() = twister;
        Ok(())
    }
    /// getstate() -> tuple containing the current state.
    #[method("($self, /)")]
    fn getstate(&self) -> PyResult {
        let twister = self.twister.borrow();
        let mut words: Vec<Ref> =
            twister.state.iter().map(|word| PyLongObject::from_u64(u64::from(*word)).into_object()).collect();
        words.push(PyLongObject::from_usize(twister.index).into_object());
        Ok(PyTupleObject::from_vec(words).into_object())
    }
    /// setstate(state) -> None.  Restores generator state.
    #[method("($self, state, /)")]
    fn setstate(&self, state: &PyObject) -> PyResult<()> {
        let Some(words) = state.downcast::<PyTupleObject>() else {
            return Err(raise!(TypeError, "state vector must be a tuple"));
        };
        let words = words.as_slice();
        if words.len() != N + 1 {
            return Err(raise!(ValueError, "state vector is the wrong size"));
        }
        let mut state = [0u32; N];
        for (place, word) in state.iter_mut().zip(words) {
            let word = word.index()?;
            *place = word.as_u64()? as u32;
        }
        let index = words[N].index()?.as_i64()?;
        if !(0..=N as i64).contains(&index) {
            return Err(raise!(ValueError, "invalid state"));
        }
        *self.twister.borrow_mut() = Twister { state, index: index as usize };
        Ok(())
    }
    /// getrandbits(k) -> x.  Generates an int with k random bits.
    #[method("($self, k, /)")]
    fn getrandbits(&self, k: u64) -> PyResult<Ref<PyLongObject>> {
        let mut twister = self.twister.borrow_mut();
        if k == 0 {
            return Ok(PyLongObject::from_i64(0));
        }
        if k <= 32 {
            return Ok(PyLongObject::from_u64(u64::from(twister.next() >> (32 - k))));
        }
        let n_words = k.div_ceil(32) as usize;
        let mut words = Vec::new();
        if words.try_reserve_exact(n_words).is_err() {
            return Err(adder_runtime::memory::no_memory());
        }
        let mut left = k;
        for _ in 0..n_words {
            let mut word = twister.next();
            if left < 32 {
                word >>= 32 - left;
            }
            words.push(word);
            left = left.saturating_sub(32);
        }
        if let [low, high] = words.as_slice() {
            return Ok(PyLongObject::from_u64(u64::from(*low) | u64::from(*high) << 32));
        }
        PyLongObject::from_biguint(false, &num_bigint::BigUint::new(words))
    }
}

/// Module implements the Mersenne Twister random number generator.
#[pymodule(name = "_random", types = [RANDOM_TYPE])]
pub mod _random {
    pub use super::RANDOM_TYPE;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_as_everywhere() {
        let mut twister = Twister::from_words(&[1]);
        assert_eq!(twister.float(), 0.13436424411240122);
        let mut twister = Twister::from_words(&[5]);
        assert_eq!(twister.float(), 0.6229016948897019);
    }
}
