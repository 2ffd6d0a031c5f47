//! `_locale`: the C library's locales.

use crate::module_parts::{LazyType, int_constants, new_exception};
use crate::posixmodule::path::{FsBytes, fs_decode, fs_encode};
use adder_runtime::exceptions::exc;
use adder_runtime::prelude::*;
use std::ffi::{CStr, CString};

unsafe extern "C" {
    fn gettext(text: *const c_char) -> *mut c_char;
    fn dgettext(domain: *const c_char, text: *const c_char) -> *mut c_char;
    fn dcgettext(domain: *const c_char, text: *const c_char, category: c_int) -> *mut c_char;
    fn textdomain(domain: *const c_char) -> *mut c_char;
    fn bindtextdomain(domain: *const c_char, directory: *const c_char) -> *mut c_char;
    fn bind_textdomain_codeset(domain: *const c_char, codeset: *const c_char) -> *mut c_char;
    fn wcscoll(a: *const libc::wchar_t, b: *const libc::wchar_t) -> c_int;
    fn wcsxfrm(target: *mut libc::wchar_t, source: *const libc::wchar_t, len: usize) -> usize;
}

/// `_locale.Error`, which is `locale.Error`.
fn error_type() -> PyResult<&'static PyTypeObject> {
    static TYPE: LazyType = LazyType::new();
    TYPE.get(|| new_exception("locale", "Error", &[exc::Exception.as_object()]))
}

#[cold]
fn locale_error(message: &str) -> Raised {
    match error_type() {
        Ok(ty) => adder_runtime::error::raise_message(ty, format_args!("{message}")),
        Err(raised) => raised,
    }
}

/// The C library's text; `None` for NULL.
fn text_of(pointer: *const c_char) -> PyResult<Option<Ref<PyUnicodeObject>>> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: a C string, copied at once.
    fs_decode(unsafe { CStr::from_ptr(pointer) }.to_bytes()).map(Some)
}

fn c_text(text: &PyUnicodeObject) -> PyResult<CString> {
    CString::new(fs_encode(text)?.as_bytes()).map_err(|_| raise!(ValueError, "embedded null character"))
}

/// Text as the C library's wide characters, which are code points, ended by NUL.
fn wide(text: &PyUnicodeObject) -> PyResult<Vec<libc::wchar_t>> {
    if text.code_points().any(|code| code == 0) {
        return Err(raise!(ValueError, "embedded null character"));
    }
    Ok(text
        .code_points()
        .map(|code| code as libc::wchar_t)
        .chain([0])
        .collect())
}

/// A grouping of digits: its sizes up to the end, or up to CHAR_MAX.
fn grouping(pointer: *const c_char) -> Ref {
    let mut sizes = Vec::new();
    let mut at = pointer;
    // SAFETY: the C library's text, ended by NUL.
    unsafe {
        while !at.is_null() && *at != 0 && *at != c_char::MAX {
            sizes.push(PyLongObject::from_i64(*at as i64).into_object());
            at = at.add(1);
        }
        if !sizes.is_empty() {
            sizes.push(PyLongObject::from_i64(*at as i64).into_object());
        }
    }
    PyListObject::from_vec(sizes).into_object()
}

/// The C library's locales.
#[pymodule(name = "_locale")]
pub mod _locale {
    use super::*;

    /// Sets a category's locale, or tells it.
    #[pyfunction("($module, category, locale=None, /)")]
    fn setlocale(category: i32, locale: Option<&PyUnicodeObject>) -> PyResult<Option<Ref<PyUnicodeObject>>> {
        let name = locale.map(c_text).transpose()?;
        let pointer = name.as_ref().map_or(std::ptr::null(), |name| name.as_ptr());
        // SAFETY: a C string or NULL; the GIL orders changes.
        let result = unsafe { libc::setlocale(category, pointer) };
        if result.is_null() {
            return Err(locale_error(if name.is_some() {
                "unsupported locale setting"
            } else {
                "locale query failed"
            }));
        }
        text_of(result)
    }
    /// The conventions for numbers and money.
    #[pyfunction("($module, /)")]
    fn localeconv() -> PyResult<Ref<PyDictObject>> {
        let dict = PyDictObject::new();
        // SAFETY: the C library's struct, copied before the next call; the GIL orders calls.
        let conventions = unsafe { &*libc::localeconv() };
        let put = |name: &str, value: Ref| {
            dict.set_str(&PyUnicodeObject::intern(PyUnicodeObject::from_str(name)), &value)
        };
        let text = |pointer: *const c_char| -> PyResult {
            Ok(text_of(pointer)?.map_or_else(none_ref, Ref::into_object))
        };
        put("decimal_point", text(conventions.decimal_point)?)?;
        put("thousands_sep", text(conventions.thousands_sep)?)?;
        put("grouping", grouping(conventions.grouping))?;
        put("int_curr_symbol", text(conventions.int_curr_symbol)?)?;
        put("currency_symbol", text(conventions.currency_symbol)?)?;
        put("mon_decimal_point", text(conventions.mon_decimal_point)?)?;
        put("mon_thousands_sep", text(conventions.mon_thousands_sep)?)?;
        put("mon_grouping", grouping(conventions.mon_grouping))?;
        put("positive_sign", text(conventions.positive_sign)?)?;
        put("negative_sign", text(conventions.negative_sign)?)?;
        for (name, value) in [
            ("int_frac_digits", conventions.int_frac_digits),
            ("frac_digits", conventions.frac_digits),
            ("p_cs_precedes", conventions.p_cs_precedes),
            ("p_sep_by_space", conventions.p_sep_by_space),
            ("n_cs_precedes", conventions.n_cs_precedes),
            ("n_sep_by_space", conventions.n_sep_by_space),
            ("p_sign_posn", conventions.p_sign_posn),
            ("n_sign_posn", conventions.n_sign_posn),
        ] {
            put(name, PyLongObject::from_i64(value as i64).into_object())?;
        }
        Ok(dict)
    }
    /// Compares by the locale's order.
    #[pyfunction("($module, os1, os2, /)")]
    fn strcoll(os1: &PyUnicodeObject, os2: &PyUnicodeObject) -> PyResult<i32> {
        let (first, second) = (wide(os1)?, wide(os2)?);
        // SAFETY: wide texts ended by NUL.
        Ok(unsafe { wcscoll(first.as_ptr(), second.as_ptr()) })
    }
    /// A text whose plain order is the locale's order of the argument.
    #[pyfunction("($module, string, /)")]
    fn strxfrm(string: &PyUnicodeObject) -> PyResult<Ref<PyUnicodeObject>> {
        let source = wide(string)?;
        let mut target = vec![0 as libc::wchar_t; source.len() * 2 + 16];
        loop {
            // SAFETY: a wide text ended by NUL, and a buffer of the size that is said.
            let len = unsafe { wcsxfrm(target.as_mut_ptr(), source.as_ptr(), target.len()) };
            if len < target.len() {
                let units: Vec<u32> = target[..len].iter().map(|unit| *unit as u32).collect();
                return Ok(PyUnicodeObject::from_code_points(&units));
            }
            target.resize(len + 1, 0);
        }
    }
    /// A fact about the locale.
    #[pyfunction("($module, key, /)", name = "nl_langinfo")]
    fn nl_langinfo_(key: i32) -> PyResult<Option<Ref<PyUnicodeObject>>> {
        if !LANGINFO.iter().any(|(_, known)| *known == key) {
            return Err(raise!(ValueError, "unsupported langinfo constant"));
        }
        // SAFETY: the C library's text.
        let text = unsafe { libc::nl_langinfo(key) };
        Ok(Some(text_of(text)?.unwrap_or_else(PyUnicodeObject::empty)))
    }
    /// The encoding of the locale.
    #[pyfunction("($module, /)")]
    fn getencoding() -> &'static str {
        crate::io::textio::locale_encoding()
    }
    /// The translation of a text.
    #[pyfunction("($module, msg, /)", name = "gettext")]
    fn gettext_(msg: FsBytes) -> PyResult<Option<Ref<PyUnicodeObject>>> {
        // SAFETY: a C string.
        text_of(unsafe { super::gettext(msg.as_ptr()) })
    }
    /// The translation of a text in a domain.
    #[pyfunction("($module, domain, msg, /)", name = "dgettext")]
    fn dgettext_(domain: &PyObject, msg: FsBytes) -> PyResult<Option<Ref<PyUnicodeObject>>> {
        let domain = optional_domain(domain)?;
        // SAFETY: C strings or NULL.
        text_of(unsafe { super::dgettext(pointer_of(&domain), msg.as_ptr()) })
    }
    /// The translation of a text in a domain and category.
    #[pyfunction("($module, domain, msg, category, /)", name = "dcgettext")]
    fn dcgettext_(domain: &PyObject, msg: FsBytes, category: i32) -> PyResult<Option<Ref<PyUnicodeObject>>> {
        let domain = optional_domain(domain)?;
        // SAFETY: C strings or NULL.
        text_of(unsafe { super::dcgettext(pointer_of(&domain), msg.as_ptr(), category) })
    }
    /// Sets the domain of texts, or tells it.
    #[pyfunction("($module, domain, /)", name = "textdomain")]
    fn textdomain_(domain: &PyObject) -> PyResult<Option<Ref<PyUnicodeObject>>> {
        let domain = optional_domain(domain)?;
        // SAFETY: a C string or NULL.
        text_of(unsafe { super::textdomain(pointer_of(&domain)) })
    }
    /// Sets the directory of a domain, or tells it.
    #[pyfunction("($module, domain, dir, /)", name = "bindtextdomain")]
    fn bindtextdomain_(domain: FsBytes, dir: &PyObject) -> PyResult<Option<Ref<PyUnicodeObject>>> {
        if domain.0.is_empty() {
            return Err(locale_error("domain must be a non-empty string"));
        }
        let directory = optional_domain(dir)?;
        // SAFETY: C strings or NULL.
        let result = unsafe { super::bindtextdomain(domain.as_ptr(), pointer_of(&directory)) };
        if result.is_null() {
            return Err(crate::posixmodule::path::posix_error());
        }
        text_of(result)
    }
    /// Sets the encoding of a domain's texts, or tells it.
    #[pyfunction("($module, domain, codeset, /)", name = "bind_textdomain_codeset")]
    fn bind_textdomain_codeset_(
        domain: FsBytes,
        codeset: &PyObject,
    ) -> PyResult<Option<Ref<PyUnicodeObject>>> {
        let codeset = optional_domain(codeset)?;
        // SAFETY: C strings or NULL.
        text_of(unsafe { super::bind_textdomain_codeset(domain.as_ptr(), pointer_of(&codeset)) })
    }

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        for (name, value) in LANGINFO {
            crate::module_parts::add_int(module, name, i64::from(*value))?;
        }
        int_constants!(module;
            LC_ALL = libc::LC_ALL, LC_COLLATE = libc::LC_COLLATE, LC_CTYPE = libc::LC_CTYPE,
            LC_MESSAGES = libc::LC_MESSAGES, LC_MONETARY = libc::LC_MONETARY, LC_NUMERIC = libc::LC_NUMERIC,
            LC_TIME = libc::LC_TIME, CHAR_MAX = c_char::MAX,
        );
        module.add("Error", error_type()?.as_object().to_ref())
    }
}

/// A text that may be None.
fn optional_domain(domain: &PyObject) -> PyResult<Option<CString>> {
    if is_none(domain) {
        Ok(None)
    } else {
        crate::posixmodule::path::fs_converter(domain).map(Some)
    }
}

fn pointer_of(text: &Option<CString>) -> *const c_char {
    text.as_ref().map_or(std::ptr::null(), |text| text.as_ptr())
}

/// What `nl_langinfo` can be asked for.
const LANGINFO: &[(&str, c_int)] = &[
    ("ABDAY_1", 131072),
    ("ABDAY_2", 131073),
    ("ABDAY_3", 131074),
    ("ABDAY_4", 131075),
    ("ABDAY_5", 131076),
    ("ABDAY_6", 131077),
    ("ABDAY_7", 131078),
    ("ABMON_1", 131086),
    ("ABMON_10", 131095),
    ("ABMON_11", 131096),
    ("ABMON_12", 131097),
    ("ABMON_2", 131087),
    ("ABMON_3", 131088),
    ("ABMON_4", 131089),
    ("ABMON_5", 131090),
    ("ABMON_6", 131091),
    ("ABMON_7", 131092),
    ("ABMON_8", 131093),
    ("ABMON_9", 131094),
    ("ALT_DIGITS", 131119),
    ("AM_STR", 131110),
    ("CODESET", 14),
    ("CRNCYSTR", 262159),
    ("DAY_1", 131079),
    ("DAY_2", 131080),
    ("DAY_3", 131081),
    ("DAY_4", 131082),
    ("DAY_5", 131083),
    ("DAY_6", 131084),
    ("DAY_7", 131085),
    ("D_FMT", 131113),
    ("D_T_FMT", 131112),
    ("ERA", 131116),
    ("ERA_D_FMT", 131118),
    ("ERA_D_T_FMT", 131120),
    ("ERA_T_FMT", 131121),
    ("MON_1", 131098),
    ("MON_10", 131107),
    ("MON_11", 131108),
    ("MON_12", 131109),
    ("MON_2", 131099),
    ("MON_3", 131100),
    ("MON_4", 131101),
    ("MON_5", 131102),
    ("MON_6", 131103),
    ("MON_7", 131104),
    ("MON_8", 131105),
    ("MON_9", 131106),
    ("NOEXPR", 327681),
    ("PM_STR", 131111),
    ("RADIXCHAR", 65536),
    ("THOUSEP", 65537),
    ("T_FMT", 131114),
    ("T_FMT_AMPM", 131115),
    ("YESEXPR", 327680),
    ("_DATE_FMT", 131180),
];
