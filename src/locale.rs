//! environment -> the C library's locale, UTF-8 mode and the errors of the standard streams (PEP 538, PEP 540).

use std::ffi::{CStr, CString};

/// The locales that the C locale is taken for, the first that the machine has.
const COERCION_TARGETS: [&CStr; 3] = [c"C.UTF-8", c"C.utf8", c"UTF-8"];

/// What the locale means for text.
pub struct TextDefaults {
    pub utf8_mode: bool,
    pub stdio_errors: &'static str,
}

/// Sets `LC_CTYPE` as the environment asks. `utf8_mode` is what the command line or `PYTHONUTF8` say; `coerce` is off with
/// `PYTHONCOERCECLOCALE=0`.
pub fn settle(utf8_mode: Option<bool>, coerce: bool) -> TextDefaults {
    set_ctype(c"");
    if is_c_locale() && coerce && std::env::var_os("LC_ALL").is_none_or(|value| value.is_empty()) {
        let target = COERCION_TARGETS.into_iter().find(|target| set_ctype(target));
        if let Some(target) = target {
            // SAFETY: no other thread runs yet.
            unsafe { std::env::set_var("LC_CTYPE", target.to_str().unwrap_or_default()) };
            set_ctype(c"");
        }
    }
    let current = ctype();
    let lenient = is_c_locale() || COERCION_TARGETS.iter().any(|target| **target == *current);
    let utf8_mode = utf8_mode.unwrap_or_else(is_c_locale);
    TextDefaults {
        utf8_mode,
        stdio_errors: if utf8_mode || lenient {
            "surrogateescape"
        } else {
            "strict"
        },
    }
}

fn set_ctype(name: &CStr) -> bool {
    // SAFETY: a terminated name; no other thread runs yet.
    unsafe { !libc::setlocale(libc::LC_CTYPE, name.as_ptr()).is_null() }
}

fn ctype() -> CString {
    // SAFETY: with NULL the name of the current locale is given, terminated, which is copied at once.
    unsafe {
        let name = libc::setlocale(libc::LC_CTYPE, std::ptr::null());
        if name.is_null() {
            c"C".to_owned()
        } else {
            CStr::from_ptr(name).to_owned()
        }
    }
}

fn is_c_locale() -> bool {
    let current = ctype();
    *current == *c"C" || *current == *c"POSIX"
}
