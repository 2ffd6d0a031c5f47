//! cpython/longintrepr.h: integers as sign, digit count and 30-bit digits, little end first.
use super::*;

pub type digit = u32;
pub type sdigit = i32;
pub type twodigits = u64;
pub type stwodigits = i64;

c_structs! {
    plain _PyLongValue {
        /// Digit count << 3 | small-int bit (4) | sign (0 positive, 1 zero, 2 negative).
        lv_tag: Cell<usize>,
        /// At least one digit is always there.
        ob_digit: [Cell<digit>; 1],
    }
    object PyLongObject {
        ob_base: PyObject,
        long_value: _PyLongValue,
    }
    plain PyLongLayout {
        bits_per_digit: u8,
        digit_size: u8,
        digits_order: i8,
        digit_endianness: i8,
    }
    plain PyLongExport {
        value: Cell<i64>,
        negative: Cell<u8>,
        ndigits: Cell<Py_ssize_t>,
        digits: Cell<*const c_void>,
        _reserved: Cell<usize>,
    }
}

c_consts! {
    u32 {
        PyLong_SHIFT = 30,
        PyLong_BASE = 1 << PyLong_SHIFT,
        PyLong_MASK = PyLong_BASE - 1,
        _PyLong_DECIMAL_SHIFT = 9,
        _PyLong_DECIMAL_BASE = 1_000_000_000,
    }
    usize {
        _PyLong_SIGN_MASK = 3,
        _PyLong_NON_SIZE_BITS = 3,
    }
    c_int {
        Py_ASNATIVEBYTES_DEFAULTS = -1,
        Py_ASNATIVEBYTES_BIG_ENDIAN = 0,
        Py_ASNATIVEBYTES_LITTLE_ENDIAN = 1,
        Py_ASNATIVEBYTES_NATIVE_ENDIAN = 3,
        Py_ASNATIVEBYTES_UNSIGNED_BUFFER = 4,
        Py_ASNATIVEBYTES_REJECT_NEGATIVE = 8,
        Py_ASNATIVEBYTES_ALLOW_INDEX = 16,
    }
}

pub const SIGN_POSITIVE: usize = 0;
pub const SIGN_ZERO: usize = 1;
pub const SIGN_NEGATIVE: usize = 2;
/// Set in lv_tag of the preallocated small ints.
pub const IMMORTALITY_BIT_MASK: usize = 1 << 2;

/// The tag of an integer with this sign (-1, 0, 1) and digit count.
#[inline(always)]
pub const fn lv_tag(sign: i32, n_digits: usize) -> usize {
    n_digits << _PyLong_NON_SIZE_BITS | (1 - sign) as usize
}

impl _PyLongValue {
    /// A value of at most one digit.
    pub const fn compact(value: i64) -> Self {
        let sign = if value > 0 {
            1
        } else if value < 0 {
            -1
        } else {
            0
        };
        _PyLongValue {
            lv_tag: Cell::new(lv_tag(sign, (value != 0) as usize)),
            ob_digit: [Cell::new(value.unsigned_abs() as digit)],
        }
    }

    /// At most one digit: the value is `compact_value`.
    #[inline(always)]
    pub fn is_compact(&self) -> bool {
        self.lv_tag.get() < (2 << _PyLong_NON_SIZE_BITS)
    }

    /// The value of a compact integer.
    #[inline(always)]
    pub fn compact_value(&self) -> isize {
        (1 - (self.lv_tag.get() & _PyLong_SIGN_MASK) as isize) * self.ob_digit[0].get() as isize
    }

    #[inline(always)]
    pub fn digit_count(&self) -> usize {
        self.lv_tag.get() >> _PyLong_NON_SIZE_BITS
    }

    /// -1, 0 or 1.
    #[inline(always)]
    pub fn sign(&self) -> i32 {
        1 - (self.lv_tag.get() & _PyLong_SIGN_MASK) as i32
    }

    #[inline(always)]
    pub fn is_negative(&self) -> bool {
        self.lv_tag.get() & _PyLong_SIGN_MASK == SIGN_NEGATIVE
    }

    #[inline(always)]
    pub fn is_zero(&self) -> bool {
        self.lv_tag.get() & _PyLong_SIGN_MASK == SIGN_ZERO
    }

    /// The first digit's address.
    #[inline(always)]
    pub fn digits_ptr(&self) -> *mut digit {
        // The pointer comes from the whole value, not from the one-element array, so that it may reach all digits.
        (self as *const Self as *mut u8).wrapping_add(std::mem::offset_of!(_PyLongValue, ob_digit))
            as *mut digit
    }

    /// The digits, little end first.
    ///
    /// # Safety
    /// `lv_tag` tells the truth about the digits in memory.
    #[inline(always)]
    pub unsafe fn digits(&self) -> &[digit] {
        // SAFETY: the caller vouches for the count; digits do not change once an integer is visible.
        unsafe { std::slice::from_raw_parts(self.digits_ptr(), self.digit_count()) }
    }
}

impl PyLongObject {
    #[inline(always)]
    pub fn is_compact(&self) -> bool {
        self.long_value.is_compact()
    }

    #[inline(always)]
    pub fn compact_value(&self) -> isize {
        self.long_value.compact_value()
    }
}
