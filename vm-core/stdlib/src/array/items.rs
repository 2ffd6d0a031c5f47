//! The item types of arrays: what a type code means, and items in memory <-> objects.

use adder_runtime::prelude::*;
use std::ffi::CStr;

/// One type code.
pub struct Descr {
    pub code: u8,
    pub size: usize,
    /// As the buffer protocol and `struct` have it.
    pub format: &'static CStr,
    pub kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Signed,
    Unsigned,
    Float,
    Char,
}

macro_rules! descriptors {
    ($($code:literal $size:literal $kind:ident $format:literal),+ $(,)?) => {
        pub static DESCRIPTORS: &[Descr] =
            &[$(Descr { code: $code, size: $size, format: $format, kind: Kind::$kind }),+];
    };
}

descriptors! {
    b'b' 1 Signed c"b",
    b'B' 1 Unsigned c"B",
    b'u' 4 Char c"w",
    b'w' 4 Char c"w",
    b'h' 2 Signed c"h",
    b'H' 2 Unsigned c"H",
    b'i' 4 Signed c"i",
    b'I' 4 Unsigned c"I",
    b'l' 8 Signed c"l",
    b'L' 8 Unsigned c"L",
    b'q' 8 Signed c"q",
    b'Q' 8 Unsigned c"Q",
    b'f' 4 Float c"f",
    b'd' 8 Float c"d",
}

pub fn descriptor(code: u32) -> Option<&'static Descr> {
    DESCRIPTORS.iter().find(|descr| u32::from(descr.code) == code)
}

/// An item's bytes, as the low ones of a word.
#[derive(Clone, Copy)]
pub struct Word(pub u64);

impl Descr {
    pub fn is_char(&self) -> bool {
        self.kind == Kind::Char
    }
    /// Reads the item at a place.
    ///
    /// # Safety
    /// `place` points to an item of this type, however aligned.
    #[inline(always)]
    pub unsafe fn read(&self, place: *const u8) -> Word {
        // SAFETY: the caller's contract.
        unsafe {
            Word(match self.size {
                1 => u64::from(*place),
                2 => u64::from(place.cast::<u16>().read_unaligned()),
                4 => u64::from(place.cast::<u32>().read_unaligned()),
                _ => place.cast::<u64>().read_unaligned(),
            })
        }
    }
    /// # Safety
    /// As `read`; the place may be written to.
    #[inline(always)]
    pub unsafe fn write(&self, place: *mut u8, word: Word) {
        // SAFETY: the caller's contract.
        unsafe {
            match self.size {
                1 => *place = word.0 as u8,
                2 => place.cast::<u16>().write_unaligned(word.0 as u16),
                4 => place.cast::<u32>().write_unaligned(word.0 as u32),
                _ => place.cast::<u64>().write_unaligned(word.0),
            }
        }
    }
    /// The word as a signed number.
    #[inline(always)]
    fn signed(&self, word: Word) -> i64 {
        let unused = 64 - 8 * self.size as u32;
        ((word.0 << unused) as i64) >> unused
    }
    #[inline(always)]
    fn float(&self, word: Word) -> f64 {
        if self.size == 4 { f64::from(f32::from_bits(word.0 as u32)) } else { f64::from_bits(word.0) }
    }
    /// The object that an item is.
    #[inline]
    pub fn object(&self, word: Word) -> PyResult {
        Ok(match self.kind {
            Kind::Signed => PyLongObject::from_i64(self.signed(word)).into_object(),
            Kind::Unsigned => PyLongObject::from_u64(word.0).into_object(),
            Kind::Float => PyFloatObject::from_f64(self.float(word)).into_object(),
            Kind::Char => {
                check_char(word.0 as u32)?;
                PyUnicodeObject::from_char(word.0 as u32).into_object()
            }
        })
    }
    /// The item that an object stands for, or the complaint of C's argument converters.
    #[inline]
    pub fn word(&self, object: &PyObject) -> PyResult<Word> {
        if let Some(long) = object.downcast_exact::<PyLongObject>()
            && long.is_compact()
        {
            let value = long.compact_value() as i64;
            let fits = match self.kind {
                Kind::Signed => self.signed(Word(value as u64)) == value,
                Kind::Unsigned => value >= 0 && (self.size == 8 || value >> (8 * self.size) == 0),
                _ => false,
            };
            if fits {
                return Ok(Word(value as u64));
            }
        }
        match self.kind {
            Kind::Float => {
                let value = object.to_f64()?;
                Ok(Word(if self.size == 4 { u64::from((value as f32).to_bits()) } else { value.to_bits() }))
            }
            Kind::Char => char_word(object),
            _ => self.integer(object),
        }
    }
    #[cold]
    fn integer(&self, object: &PyObject) -> PyResult<Word> {
        let long = object.index()?;
        let value = long.to_i64();
        let too_large = |c_type: &str| raise!(OverflowError, "Python int too large to convert to C {c_type}");
        match self.code {
            b'b' | b'B' | b'h' | b'H' | b'i' | b'l' => {
                let value = value.ok_or_else(|| too_large("long"))?;
                let (low, high, name) = match self.code {
                    b'b' => (i64::from(i8::MIN), i64::from(i8::MAX), "signed char"),
                    b'B' => (0, 255, "unsigned byte integer"),
                    b'h' => (i64::from(i16::MIN), i64::from(i16::MAX), "signed short integer"),
                    b'H' => (0, 65535, "unsigned short"),
                    b'i' => (i64::from(i32::MIN), i64::from(i32::MAX), "signed integer"),
                    _ => (i64::MIN, i64::MAX, "signed long"),
                };
                // The converters take a wider C type first.
                let (wide_low, wide_high, wide_name) = match self.code {
                    b'b' => (i64::from(i16::MIN), i64::from(i16::MAX), "signed short integer"),
                    b'H' => (i64::from(i32::MIN), i64::from(i32::MAX), "signed integer"),
                    _ => (low, high, name),
                };
                for (low, high, name) in [(wide_low, wide_high, wide_name), (low, high, name)] {
                    if value < low {
                        return Err(raise!(OverflowError, "{name} is less than minimum"));
                    }
                    if value > high {
                        return Err(raise!(OverflowError, "{name} is greater than maximum"));
                    }
                }
                Ok(Word(value as u64))
            }
            b'q' => value.map(|value| Word(value as u64)).ok_or_else(|| raise!(OverflowError, "int too big to convert")),
            b'Q' => match long.to_u64() {
                Some(value) => Ok(Word(value)),
                None if long.sign() < 0 => Err(raise!(OverflowError, "can't convert negative int to unsigned")),
                None => Err(raise!(OverflowError, "int too big to convert")),
            },
            _ => {
                if long.sign() < 0 {
                    return Err(raise!(OverflowError, "can't convert negative value to unsigned int"));
                }
                let value = long.to_u64().ok_or_else(|| too_large("unsigned long"))?;
                if self.size == 4 && value > u64::from(u32::MAX) {
                    return Err(raise!(OverflowError, "unsigned int is greater than maximum"));
                }
                Ok(Word(value))
            }
        }
    }
    /// How two items of this type compare; `None` for a NaN.
    pub fn compare(&self, a: Word, b: Word) -> Option<std::cmp::Ordering> {
        match self.kind {
            Kind::Signed => Some(self.signed(a).cmp(&self.signed(b))),
            Kind::Unsigned | Kind::Char => Some(a.0.cmp(&b.0)),
            Kind::Float => self.float(a).partial_cmp(&self.float(b)),
        }
    }
}

pub fn check_char(code: u32) -> PyResult<()> {
    if code > 0x10ffff {
        return Err(raise!(ValueError, "character U+{code:x} is not in range [U+0000; U+10ffff]"));
    }
    Ok(())
}

fn char_word(object: &PyObject) -> PyResult<Word> {
    let Some(text) = object.downcast::<PyUnicodeObject>() else {
        let found = object.ty().full_name();
        return Err(raise!(TypeError, "array item must be a unicode character, not {found}"));
    };
    if text.len() != 1 {
        return Err(raise!(
            TypeError,
            "array item must be a unicode character, not a string of length {}",
            text.len()
        ));
    }
    Ok(Word(u64::from(text.char_at(0))))
}
