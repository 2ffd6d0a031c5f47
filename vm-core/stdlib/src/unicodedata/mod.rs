//! `unicodedata`: the Unicode character database, and its version 3.2.0 as `ucd_3_2_0`.
//!
//! Properties and decompositions are generated tables (`tables.rs`), numeric values the runtime's own, names those of
//! the compiler.

mod named_sequences;
mod normalize;
mod tables;

use adder_compiler::names;
use adder_runtime::args::CodePoint;
use adder_runtime::objects::unicodectype;
use adder_runtime::prelude::*;
use named_sequences::NAMED_SEQUENCES;
use tables::*;

pub(crate) struct Record {
    category: u8,
    direction: u8,
    combining: u8,
    width: u8,
    mirrored: u8,
}

/// Which version of the database.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Version {
    Current,
    Old,
}

fn record(version: Version, code: u32) -> &'static Record {
    const LOW: u32 = (1 << SHIFT) - 1;
    let (index1, index2): (&[u16], &[u16]) = match version {
        Version::Current => (&INDEX1, &INDEX2),
        Version::Old => (&OLD_INDEX1, &OLD_INDEX2),
    };
    let block = u32::from(index1[(code >> SHIFT) as usize]);
    &RECORDS[usize::from(index2[(block << SHIFT | code & LOW) as usize])]
}

fn category(version: Version, code: u32) -> &'static str {
    CATEGORIES[usize::from(record(version, code).category)]
}

fn is_assigned(version: Version, code: u32) -> bool {
    version == Version::Current || category(version, code) != "Cn"
}

/// The decomposition's parts as the database has them, with the place of its prefix; empty for Hangul.
fn parts_of(code: u32) -> (&'static [u32], u8) {
    match DECOMPOSITIONS.binary_search_by_key(&code, |row| row.0) {
        Ok(at) => {
            let (_, place, n_parts, prefix) = DECOMPOSITIONS[at];
            (
                &PARTS[usize::from(place)..usize::from(place) + usize::from(n_parts)],
                prefix,
            )
        }
        Err(_) => (&[], 0),
    }
}

fn decomposition(version: Version, code: u32) -> String {
    if !is_assigned(version, code) {
        return String::new();
    }
    let hangul;
    let (parts, prefix) = match normalize::split_hangul(code) {
        Some(split) => {
            hangul = split;
            (hangul.as_slice(), 0)
        }
        None => parts_of(code),
    };
    let mut text = PREFIXES[usize::from(prefix)].to_owned();
    for part in parts {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&format!("{part:04X}"));
    }
    text
}

/// The value or the default; ValueError without one.
fn or_default(value: Option<Ref>, default: Option<&PyObject>, message: &str) -> PyResult {
    match (value, default) {
        (Some(value), _) => Ok(value),
        (None, Some(default)) => Ok(default.to_ref()),
        (None, None) => Err(raise!(ValueError, "{message}")),
    }
}

/// The numbers of a character where the old version has others.
fn old_numbers(version: Version, code: u32) -> Option<(u32, i8, i8, f64)> {
    if version == Version::Current {
        return None;
    }
    OLD_NUMBERS
        .binary_search_by_key(&code, |row| row.0)
        .ok()
        .map(|at| OLD_NUMBERS[at])
}

fn decimal(version: Version, code: u32, default: Option<&PyObject>) -> PyResult {
    let value = match old_numbers(version, code) {
        Some(row) => u32::try_from(row.1).ok(),
        None => unicodectype::to_decimal(code),
    };
    or_default(
        value.map(|value| PyLongObject::from_i64(value.into()).into_object()),
        default,
        "not a decimal",
    )
}

fn digit(version: Version, code: u32, default: Option<&PyObject>) -> PyResult {
    let value = match old_numbers(version, code) {
        Some(row) => u32::try_from(row.2).ok(),
        None => unicodectype::to_digit(code),
    };
    or_default(
        value.map(|value| PyLongObject::from_i64(value.into()).into_object()),
        default,
        "not a digit",
    )
}

fn numeric(version: Version, code: u32, default: Option<&PyObject>) -> PyResult {
    let value = match old_numbers(version, code) {
        Some(row) => Some(row.3).filter(|value| *value != -1.0),
        None => unicodectype::to_numeric(code),
    };
    or_default(
        value.map(|value| PyFloatObject::from_f64(value).into_object()),
        default,
        "not a numeric character",
    )
}

fn name(version: Version, code: u32, default: Option<&PyObject>) -> PyResult {
    let name = char::from_u32(code)
        .filter(|_| is_assigned(version, code))
        .and_then(names::name_of);
    let name = name.map(|name| PyUnicodeObject::from_string(name).into_object());
    or_default(name, default, "no such name")
}

fn lookup(version: Version, name: &str) -> PyResult<Ref<PyUnicodeObject>> {
    // The old version has neither aliases nor sequences.
    let found = names::character(name).filter(|found| {
        version == Version::Current
            || is_assigned(version, u32::from(*found))
                && names::name_of(*found).is_some_and(|known| known.eq_ignore_ascii_case(name))
    });
    if let Some(found) = found {
        return Ok(PyUnicodeObject::from_char(u32::from(found)));
    }
    let upper = name.to_ascii_uppercase();
    match NAMED_SEQUENCES.binary_search_by(|(known, _)| known.cmp(&upper.as_str())) {
        Ok(at) if version == Version::Current => Ok(PyUnicodeObject::from_str(NAMED_SEQUENCES[at].1)),
        _ => Err(raise!(KeyError, "undefined character name '{name}'")),
    }
}

/// The database as an object; only version 3.2.0 has one.
#[repr(C)]
pub struct Ucd {
    ob_base: PyObject,
    version: Version,
}

/// The functions of the module and the methods of the object differ in the version only.
macro_rules! database {
    ($($(#[$doc:meta])* $name:ident $signature:literal ($($arg:ident: [$($ty:tt)+]),*) -> $ret:ty = $body:expr;)+) => {
        #[pytype(
            name = "unicodedata.UCD",
            static_name = UCD_TYPE,
            flags = DISALLOW_INSTANTIATION,
            members = [],
        )]
        /// A version of the Unicode character database.
        impl Ucd {
            $(
                $(#[$doc])*
                #[method($signature)]
                fn $name(&self, $($arg: $($ty)+),*) -> $ret {
                    let body: fn(Version, $($($ty)+),*) -> $ret = $body;
                    body(self.version, $($arg),*)
                }
            )+
            #[getter]
            fn unidata_version(&self) -> &'static str {
                match self.version {
                    Version::Current => VERSION,
                    Version::Old => OLD_VERSION,
                }
            }
        }

        #[pymodule(name = "unicodedata", types = [super::UCD_TYPE])]
        /// The Unicode character database.
        pub mod unicodedata {
            use super::*;

            $(
                $(#[$doc])*
                #[pyfunction($signature)]
                fn $name($($arg: $($ty)+),*) -> $ret {
                    let body: fn(Version, $($($ty)+),*) -> $ret = $body;
                    body(Version::Current, $($arg),*)
                }
            )+
            #[pyconst]
            const unidata_version: &str = VERSION;
            #[pyconst]
            fn ucd_3_2_0() -> PyResult<Ref<Ucd>> {
                Ref::new(Ucd { ob_base: adder_runtime::memory::blank_header(), version: Version::Old })
            }
        }
    };
}

database! {
    /// The character's decimal value.
    decimal "($self, chr, default=<unrepresentable>, /)" (chr: [CodePoint], default: [Option<&PyObject>]) -> PyResult
        = |version, chr, default| crate::unicodedata::decimal(version, chr.0, default);
    /// The character's value as a digit.
    digit "($self, chr, default=<unrepresentable>, /)" (chr: [CodePoint], default: [Option<&PyObject>]) -> PyResult
        = |version, chr, default| crate::unicodedata::digit(version, chr.0, default);
    /// The character's numeric value, as a float.
    numeric "($self, chr, default=<unrepresentable>, /)" (chr: [CodePoint], default: [Option<&PyObject>]) -> PyResult
        = |version, chr, default| crate::unicodedata::numeric(version, chr.0, default);
    /// The general category: two letters.
    category "($self, chr, /)" (chr: [CodePoint]) -> &'static str
        = |version, chr| crate::unicodedata::category(version, chr.0);
    /// The bidirectional class.
    bidirectional "($self, chr, /)" (chr: [CodePoint]) -> &'static str
        = |version, chr| DIRECTIONS[usize::from(record(version, chr.0).direction)];
    /// The canonical combining class.
    combining "($self, chr, /)" (chr: [CodePoint]) -> i64
        = |version, chr| i64::from(record(version, chr.0).combining);
    /// Whether the character is mirrored in text that runs from right to left.
    mirrored "($self, chr, /)" (chr: [CodePoint]) -> i64
        = |version, chr| i64::from(record(version, chr.0).mirrored);
    /// The East Asian width.
    east_asian_width "($self, chr, /)" (chr: [CodePoint]) -> &'static str
        = |version, chr| WIDTHS[usize::from(record(version, chr.0).width)];
    /// The decomposition as the database writes it.
    decomposition "($self, chr, /)" (chr: [CodePoint]) -> String
        = |version, chr| crate::unicodedata::decomposition(version, chr.0);
    /// The character's name.
    name "($self, chr, default=<unrepresentable>, /)" (chr: [CodePoint], default: [Option<&PyObject>]) -> PyResult
        = |version, chr, default| crate::unicodedata::name(version, chr.0, default);
    /// The character of a name.
    lookup "($self, name, /)" (name: [&str]) -> PyResult<Ref<PyUnicodeObject>>
        = |version, name| crate::unicodedata::lookup(version, name);
    /// The text in a normalisation form.
    normalize "($self, form, unistr, /)" (form: [&str], unistr: [&PyUnicodeObject]) -> PyResult<Ref<PyUnicodeObject>>
        = |version, form, unistr| normalize::normalize(version, form, unistr);
    /// Whether the text is in a normalisation form.
    is_normalized "($self, form, unistr, /)" (form: [&str], unistr: [&PyUnicodeObject]) -> PyResult<bool>
        = |version, form, unistr| Ok(normalize::normalize(version, form, unistr)?.eq(unistr));
}
