//! Integers: Rust values <-> `PyLongObject`s, and the type `int`.
//!
//! An int of at most one digit is *compact* and takes short cuts everywhere. `digits` and `text` compute on plain
//! slices; `arith` on objects; `convert` goes to machine types and bytes; `int_type` is what Python sees.

pub mod arith;
#[cfg(test)]
mod arith_tests;
pub mod convert;
pub mod digits;
#[cfg(test)]
mod digits_tests;
pub mod int_type;
pub mod new;
pub mod pylong;
pub mod text;

pub use int_type::PyLong_Type;
pub use new::from_text_like;

use super::freelist::{self, FreeList};
use crate::memory;
use crate::prelude::*;
use num_bigint::{BigInt, BigUint, Sign};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The preallocated ints are -5 … 256.
pub const SMALL_MIN: i64 = -5;
pub const SMALL_MAX: i64 = 256;
const N_SMALL: usize = (SMALL_MAX - SMALL_MIN + 1) as usize;

/// Bytes before the first digit.
pub const DIGITS_OFFSET: usize =
    std::mem::offset_of!(PyLongObject, long_value) + std::mem::offset_of!(_PyLongValue, ob_digit);
/// The greatest number of digits.
const MAX_DIGITS: usize = (isize::MAX as usize - DIGITS_OFFSET) / size_of::<digit>();

static SMALL_INTS: [PyLongObject; N_SMALL] = {
    // A struct of cells is not `Copy`: the array is filled from a constant and each element then set.
    #[allow(clippy::declare_interior_mutable_const)]
    const BLANK: PyLongObject = PyLongObject {
        ob_base: PyObject::immortal((&raw const PyLong_Type).cast_mut()),
        long_value: _PyLongValue::compact(0),
    };
    let mut table = [BLANK; N_SMALL];
    let mut i = 0;
    while i < N_SMALL {
        let value = i as i64 + SMALL_MIN;
        let sign = if value > 0 { 1 } else { -((value < 0) as i32) };
        table[i].long_value = _PyLongValue {
            lv_tag: Cell::new(lv_tag(sign, (value != 0) as usize) | IMMORTALITY_BIT_MASK),
            ob_digit: [Cell::new(value.unsigned_abs() as digit)],
        };
        i += 1;
    }
    table
};

/// Ints of up to two digits that died: the size of their blocks is the same.
static FREE: FreeList = FreeList::new(256);

/// `sys.set_int_max_str_digits`: 0 for no limit.
static MAX_STR_DIGITS: AtomicUsize = AtomicUsize::new(4300);

/// The limit on decimal digits in conversions; 0 for none.
pub fn max_str_digits() -> usize {
    MAX_STR_DIGITS.load(Ordering::Relaxed)
}

pub fn set_max_str_digits(limit: usize) {
    MAX_STR_DIGITS.store(limit, Ordering::Relaxed);
}

/// An int's sign and normalised digits.
#[derive(Clone, Copy)]
pub struct IntView<'a> {
    pub negative: bool,
    pub digits: &'a [u32],
}

impl IntView<'_> {
    pub fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }
    pub fn to_bigint(self) -> BigInt {
        let sign = if self.negative { Sign::Minus } else { Sign::Plus };
        BigInt::from_biguint(sign, digits::to_biguint(self.digits))
    }
    /// The value when it has at most four digits.
    #[inline]
    pub fn to_i128(self) -> Option<i128> {
        if self.digits.len() > 4 {
            return None;
        }
        let value = digits::to_u128(self.digits) as i128;
        Some(if self.negative { -value } else { value })
    }
}

#[cold]
fn too_many_digits() -> Raised {
    raise!(OverflowError, "too many digits in integer")
}

/// Memory for an exact int of `n_digits` digits, header set; tag and digits are garbage.
#[inline]
fn alloc(n_digits: usize) -> Option<*mut PyLongObject> {
    let mut object = if n_digits <= 2 {
        FREE.pop()
    } else {
        std::ptr::null_mut()
    };
    if object.is_null() {
        let size = (DIGITS_OFFSET + n_digits * size_of::<digit>()).max(size_of::<PyLongObject>());
        object = memory::raw_malloc(size).cast();
        if object.is_null() {
            return None;
        }
    }
    // SAFETY: the block is large enough for the object.
    unsafe { memory::init_static(object, &PyLong_Type) };
    Some(object.cast())
}

/// Makes memory with a header into a compact int.
///
/// # Safety
/// Fresh memory for one digit.
#[inline(always)]
unsafe fn finish_compact(object: *mut PyLongObject, negative: bool, magnitude: u32) -> Ref<PyLongObject> {
    // SAFETY: the caller's contract.
    unsafe {
        let value = &(*object).long_value;
        value
            .lv_tag
            .set(1 << _PyLong_NON_SIZE_BITS | if negative { SIGN_NEGATIVE } else { SIGN_POSITIVE });
        value.ob_digit[0].set(magnitude);
        Ref::from_owned(object)
    }
}

/// An exact int of two digits.
#[inline(never)]
fn new_two_digits(negative: bool, magnitude: u64) -> Ref<PyLongObject> {
    let object = memory::insist(|| alloc(2).and_then(std::ptr::NonNull::new)).as_ptr();
    // SAFETY: fresh memory for two digits.
    unsafe {
        let value = &(*object).long_value;
        value
            .lv_tag
            .set(2 << _PyLong_NON_SIZE_BITS | if negative { SIGN_NEGATIVE } else { SIGN_POSITIVE });
        let first = value.digits_ptr();
        *first = magnitude as u32 & digits::MASK;
        *first.add(1) = (magnitude >> digits::SHIFT) as u32;
        Ref::from_owned(object)
    }
}

/// One of the preallocated ints.
#[inline]
pub fn small_int(value: i64) -> &'static PyLongObject {
    debug_assert!((SMALL_MIN..=SMALL_MAX).contains(&value));
    &SMALL_INTS[(value - SMALL_MIN) as usize]
}

/// Frees an int whose count is zero.
///
/// # Safety
/// As a `tp_dealloc`.
pub(super) unsafe fn dealloc(this: *mut PyLongObject) {
    // SAFETY: the caller's contract; the memory is given up.
    unsafe {
        let object = this.cast::<PyObject>();
        if PyLongObject::check_exact(&*object) {
            if (*this).has_small_block() && FREE.push(object) {
                return;
            }
            memory::raw_free(object.cast());
            return;
        }
        freelist::free_instance(object);
    }
}

impl PyLongObject {
    /// As `decref` of an object that is known to be an exact int.
    ///
    /// # Safety
    /// As `memory::decref`, and the type is `int`.
    #[inline(always)]
    pub unsafe fn decref_exact(object: *mut PyObject) {
        // SAFETY: the caller's contract.
        unsafe {
            let count = (*object).ob_refcnt.get();
            if (count as i32) < 0 {
                return;
            }
            (*object).ob_refcnt.set(count - 1);
            if count == 1 && !((*object.cast::<PyLongObject>()).has_small_block() && FREE.push(object)) {
                memory::raw_free(object.cast());
            }
        }
    }
    #[inline(always)]
    fn has_small_block(&self) -> bool {
        self.long_value.lv_tag.get() < 3 << _PyLong_NON_SIZE_BITS
    }
    /// Sign and digits.
    #[inline]
    pub fn view(&self) -> IntView<'_> {
        // SAFETY: the tag of a finished int tells the truth.
        let digits = unsafe { self.long_value.digits() };
        IntView {
            negative: self.long_value.is_negative(),
            digits,
        }
    }
    #[inline]
    pub fn digits(&self) -> &[u32] {
        self.view().digits
    }
    /// -1, 0 or 1.
    #[inline]
    pub fn sign(&self) -> i32 {
        self.long_value.sign()
    }
    #[inline]
    pub fn is_zero(&self) -> bool {
        self.long_value.is_zero()
    }
    #[inline]
    pub fn is_negative(&self) -> bool {
        self.long_value.is_negative()
    }
    /// Bits of the magnitude.
    pub fn bit_length(&self) -> u64 {
        digits::bit_length(self.digits())
    }

    #[inline(always)]
    pub fn from_i64(value: i64) -> Ref<PyLongObject> {
        match Self::from_i64_quick(value) {
            Some(int) => int,
            None => Self::from_i64_general(value),
        }
    }
    /// One of the small ints, or a compact one in the memory of one that died.
    #[inline(always)]
    pub fn from_i64_quick(value: i64) -> Option<Ref<PyLongObject>> {
        if (SMALL_MIN..=SMALL_MAX).contains(&value) {
            // SAFETY: the small ints are immortal: nobody counts them.
            return Some(unsafe { Ref::from_owned(std::ptr::from_ref(small_int(value)).cast_mut()) });
        }
        let magnitude = value.unsigned_abs();
        if magnitude > u64::from(digits::MASK) {
            return None;
        }
        let object = FREE.pop();
        if object.is_null() {
            return None;
        }
        // SAFETY: memory of an int of up to two digits.
        unsafe {
            memory::init_static(object, &PyLong_Type);
            Some(finish_compact(object.cast(), value < 0, magnitude as u32))
        }
    }
    #[inline(never)]
    fn from_i64_general(value: i64) -> Ref<PyLongObject> {
        let magnitude = value.unsigned_abs();
        if magnitude <= u64::from(digits::MASK) {
            let object = memory::insist(|| alloc(1).and_then(std::ptr::NonNull::new)).as_ptr();
            // SAFETY: fresh memory for one digit.
            return unsafe { finish_compact(object, value < 0, magnitude as u32) };
        }
        if magnitude >> (2 * digits::SHIFT) == 0 {
            return new_two_digits(value < 0, magnitude);
        }
        Self::from_sign_magnitude(value < 0, magnitude)
    }
    #[inline]
    pub fn from_isize(value: isize) -> Ref<PyLongObject> {
        Self::from_i64(value as i64)
    }
    #[inline]
    pub fn from_u64(value: u64) -> Ref<PyLongObject> {
        match i64::try_from(value) {
            Ok(value) => Self::from_i64(value),
            Err(_) => Self::from_sign_magnitude(false, value),
        }
    }
    #[inline]
    pub fn from_usize(value: usize) -> Ref<PyLongObject> {
        Self::from_u64(value as u64)
    }
    pub fn from_sign_magnitude(negative: bool, magnitude: u64) -> Ref<PyLongObject> {
        let (buffer, n) = digits::from_u64(magnitude);
        Self::from_few_digits(negative, &buffer[..n])
    }
    pub fn from_i128(value: i128) -> Ref<PyLongObject> {
        if let Ok(value) = i64::try_from(value) {
            return Self::from_i64(value);
        }
        let (buffer, n) = digits::from_u128(value.unsigned_abs());
        Self::from_few_digits(value < 0, &buffer[..n])
    }
    pub fn from_u128(value: u128) -> Ref<PyLongObject> {
        let (buffer, n) = digits::from_u128(value);
        Self::from_few_digits(false, &buffer[..n])
    }
    /// From so few digits that only a broken process has no memory for them.
    fn from_few_digits(negative: bool, source: &[u32]) -> Ref<PyLongObject> {
        memory::insist(|| Self::try_build(negative, source.len(), |out| out.copy_from_slice(source)))
    }
    /// From a magnitude that need not be normalised.
    pub fn from_digits(negative: bool, source: &[u32]) -> PyResult<Ref<PyLongObject>> {
        let source = digits::normalized(source);
        Self::build(negative, source.len(), |out| out.copy_from_slice(source))
    }
    pub fn from_bigint(value: &BigInt) -> PyResult<Ref<PyLongObject>> {
        Self::from_biguint(value.sign() == Sign::Minus, value.magnitude())
    }
    pub fn from_biguint(negative: bool, magnitude: &BigUint) -> PyResult<Ref<PyLongObject>> {
        Self::build(negative, digits::biguint_len(magnitude), |out| {
            digits::from_biguint_into(out, magnitude)
        })
    }
    pub fn from_bool(value: bool) -> Ref<PyLongObject> {
        Self::from_i64(value.into())
    }

    /// A new int of at most `n_digits` digits, which `fill` writes (all of them); leading zeros are dropped.
    pub fn build(
        negative: bool,
        n_digits: usize,
        fill: impl FnOnce(&mut [u32]),
    ) -> PyResult<Ref<PyLongObject>> {
        if n_digits > MAX_DIGITS {
            return Err(too_many_digits());
        }
        Self::try_build(negative, n_digits, fill).ok_or_else(memory::no_memory)
    }

    /// As `build`; None when there is no memory.
    fn try_build(
        negative: bool,
        n_digits: usize,
        fill: impl FnOnce(&mut [u32]),
    ) -> Option<Ref<PyLongObject>> {
        let object = alloc(n_digits)?;
        // SAFETY: fresh memory for `n_digits` digits (at least one); digits are plain numbers, zeroed before they
        // are lent to `fill`. The tag is set before anybody sees the object.
        unsafe {
            let value = &(*object).long_value;
            let first = value.digits_ptr();
            std::ptr::write_bytes(first, 0, n_digits.max(1));
            let buffer = std::slice::from_raw_parts_mut(first, n_digits);
            fill(buffer);
            let n = digits::normalized(buffer).len();
            let is_small =
                n == 0 || n == 1 && i64::from(*first) <= if negative { -SMALL_MIN } else { SMALL_MAX };
            let sign = match (n, negative) {
                (0, _) => 0,
                (_, true) => -1,
                (_, false) => 1,
            };
            value.lv_tag.set(lv_tag(sign, n));
            let int = Ref::from_owned(object);
            if is_small {
                return Some(small_int(int.compact_value() as i64).to_ref());
            }
            Some(int)
        }
    }

    /// A copy of `source` that is an instance of `cls`, a proper subtype of int.
    pub fn new_subtype(cls: &PyTypeObject, source: &PyLongObject) -> PyResult<Ref<PyLongObject>> {
        let view = source.view();
        let n = view.digits.len();
        let object = freelist::alloc_instance(cls, n.max(1))?;
        // SAFETY: a subtype's instance has an int's layout, with room for `n` digits; the tag follows the source's.
        unsafe {
            let int: Ref<PyLongObject> = object.cast();
            let value = &int.long_value;
            value
                .lv_tag
                .set(source.long_value.lv_tag.get() & !IMMORTALITY_BIT_MASK);
            std::ptr::copy_nonoverlapping(view.digits.as_ptr(), value.digits_ptr(), n);
            Ok(int)
        }
    }

    /// This int, or an exact copy of it when it is an instance of a subtype.
    #[inline]
    pub fn to_exact(&self) -> Ref<PyLongObject> {
        if Self::check_exact(self.as_object()) {
            return self.to_ref();
        }
        let view = self.view();
        memory::insist(|| {
            Self::try_build(view.negative, view.digits.len(), |out| {
                out.copy_from_slice(view.digits)
            })
        })
    }

    pub fn to_bigint(&self) -> BigInt {
        self.view().to_bigint()
    }
}
