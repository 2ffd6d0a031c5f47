//! `open`, `open_code`, `text_encoding`.

use super::buffered::{BUFFERED_RANDOM_TYPE, BUFFERED_READER_TYPE, BUFFERED_WRITER_TYPE, wrap_raw};
use super::fileio::FILEIO_TYPE;
use super::textio::TEXTIOWRAPPER_TYPE;
use super::*;
use crate::posixmodule::path::fspath;
use std::sync::atomic::AtomicU8;

/// The block size that a file system prefers is followed up to here.
const MAX_BUFFER_SIZE: isize = 8 * 1024 * 1024;

/// A text argument that may be None.
pub struct OptStr<'a>(pub Option<&'a PyUnicodeObject>);

impl<'a> FromArg<'a> for OptStr<'a> {
    fn from_arg(arg: &'a PyObject, signature: &'static Signature, index: usize) -> PyResult<Self> {
        if is_none(arg) {
            return Ok(OptStr(None));
        }
        match arg.downcast::<PyUnicodeObject>() {
            Some(text) => Ok(OptStr(Some(text))),
            None => Err(signature.bad_argument(index, "str or None", arg)),
        }
    }
}

/// The text that was given; not giving it is the same as None.
pub fn given_text(argument: Option<OptStr<'_>>) -> Option<&PyUnicodeObject> {
    argument.and_then(|text| text.0)
}

/// What the letters of a mode say.
#[derive(Default)]
struct Mode {
    creating: bool,
    reading: bool,
    writing: bool,
    appending: bool,
    updating: bool,
    text: bool,
    binary: bool,
}

impl Mode {
    fn parse(mode: &str) -> PyResult<Mode> {
        let mut parsed = Mode::default();
        for (at, letter) in mode.char_indices() {
            let flag = match letter {
                'x' => &mut parsed.creating,
                'r' => &mut parsed.reading,
                'w' => &mut parsed.writing,
                'a' => &mut parsed.appending,
                '+' => &mut parsed.updating,
                't' => &mut parsed.text,
                'b' => &mut parsed.binary,
                _ => return Err(raise!(ValueError, "invalid mode: '{mode}'")),
            };
            *flag = true;
            if mode[at + letter.len_utf8()..].contains(letter) {
                return Err(raise!(ValueError, "invalid mode: '{mode}'"));
            }
        }
        Ok(parsed)
    }
    fn raw(&self) -> String {
        let letters = [
            (self.creating, 'x'),
            (self.reading, 'r'),
            (self.writing, 'w'),
            (self.appending, 'a'),
            (self.updating, '+'),
        ];
        letters
            .iter()
            .filter(|(is_set, _)| *is_set)
            .map(|(_, letter)| letter)
            .collect()
    }
    fn check(&self, encoding: bool, errors: bool, newline: bool) -> PyResult<()> {
        let n_actions = [self.creating, self.reading, self.writing, self.appending]
            .iter()
            .filter(|set| **set)
            .count();
        if self.text && self.binary {
            return Err(raise!(ValueError, "can't have text and binary mode at once"));
        }
        if n_actions > 1 {
            return Err(raise!(
                ValueError,
                "must have exactly one of create/read/write/append mode"
            ));
        }
        let refused = [
            (encoding, "an encoding"),
            (errors, "an errors"),
            (newline, "a newline"),
        ];
        if self.binary
            && let Some((_, what)) = refused.iter().find(|(given, _)| *given)
        {
            return Err(raise!(ValueError, "binary mode doesn't take {what} argument"));
        }
        Ok(())
    }
}

/// The arguments of `open` behind the file and the mode.
#[derive(Default)]
pub struct Options<'a> {
    pub buffering: Option<i32>,
    pub encoding: Option<&'a PyUnicodeObject>,
    pub errors: Option<&'a PyUnicodeObject>,
    pub newline: Option<&'a PyUnicodeObject>,
    pub closefd: Option<bool>,
    pub opener: Option<&'a PyObject>,
}

/// `open(file, mode, …)`.
pub fn open_file(file: &PyObject, mode: &str, options: &Options<'_>) -> PyResult {
    let path = if PyLongObject::check(file) {
        file.to_ref()
    } else {
        fspath(file)?
    };
    let parsed = Mode::parse(mode)?;
    parsed.check(
        options.encoding.is_some(),
        options.errors.is_some(),
        options.newline.is_some(),
    )?;
    let mut buffering = options.buffering.unwrap_or(-1);
    if parsed.binary && buffering == 1 {
        adder_runtime::exceptions::warn(
            exc::RuntimeWarning,
            "line buffering (buffering=1) isn't supported in binary mode, the default buffer size will be used",
            1,
        )?;
    }
    let raw_mode = PyUnicodeObject::from_string(parsed.raw());
    let closefd = py_bool(options.closefd.unwrap_or(true));
    let opener = options.opener.unwrap_or(none());
    let raw = FILEIO_TYPE
        .as_object()
        .call(&[&path, raw_mode.as_object(), &closefd, opener])?;
    let mut result = raw.clone();
    let built = (|| {
        let is_terminal = buffering < 0
            && raw
                .call_method(identifier!("_isatty_open_only"), &[])?
                .is_true()?;
        let mut line_buffering = false;
        if buffering == 1 || is_terminal {
            buffering = -1;
            line_buffering = true;
        }
        let size = if buffering < 0 {
            let preferred = raw.get_attr(identifier!("_blksize"))?.to_index(exc::OverflowError)?;
            preferred.min(MAX_BUFFER_SIZE).max(super::DEFAULT_BUFFER_SIZE as isize)
        } else {
            buffering as isize
        };
        if size < 0 {
            return Err(raise!(ValueError, "invalid buffering size"));
        }
        if size == 0 {
            if !parsed.binary {
                return Err(raise!(ValueError, "can't have unbuffered text I/O"));
            }
            return Ok(());
        }
        let ty = if parsed.updating {
            &BUFFERED_RANDOM_TYPE
        } else if parsed.creating || parsed.writing || parsed.appending {
            &BUFFERED_WRITER_TYPE
        } else if parsed.reading {
            &BUFFERED_READER_TYPE
        } else {
            return Err(raise!(ValueError, "unknown mode: '{mode}'"));
        };
        result = wrap_raw(&raw, size as usize, ty)?;
        if parsed.binary {
            return Ok(());
        }
        let or_none = |text: Option<&PyUnicodeObject>| text.map_or_else(none_ref, |text| text.to_object());
        let (encoding, errors, newline) = (
            or_none(options.encoding),
            or_none(options.errors),
            or_none(options.newline),
        );
        let line_buffering = py_bool(line_buffering);
        let wrapper =
            TEXTIOWRAPPER_TYPE
                .as_object()
                .call(&[&result, &encoding, &errors, &newline, &line_buffering])?;
        result = wrapper;
        result.set_attr(identifier!("mode"), PyUnicodeObject::from_str(mode).as_object())
    })();
    match built {
        Ok(()) => Ok(result),
        Err(raised) => {
            let first = raised.take();
            let closed = result.call_method(identifier!("close"), &[]);
            match chain(Some(first), closed) {
                Ok(_) => Ok(result),
                Err(raised) => Err(raised),
            }
        }
    }
}

/// A flag of `sys.flags` that never changes, looked up once; 2 is 'not yet'.
pub struct StartupFlag(AtomicU8);

static WARN_DEFAULT_ENCODING: StartupFlag = StartupFlag(AtomicU8::new(2));
static UTF8_MODE: StartupFlag = StartupFlag(AtomicU8::new(2));
pub static DEV_MODE: StartupFlag = StartupFlag(AtomicU8::new(2));

/// The value of a flag of `sys.flags`; false before there is one.
pub fn startup_flag(flag: &StartupFlag, name: &str) -> PyResult<bool> {
    let known = flag.0.load(Ordering::Relaxed);
    if known < 2 {
        return Ok(known == 1);
    }
    let sys = adder_runtime::hooks::import_module("sys")?;
    let Some(flags) = sys.get_attr_opt(identifier!("flags"))? else {
        return Ok(false);
    };
    let value = match flags.get_attr_opt(&PyUnicodeObject::intern(PyUnicodeObject::from_str(name)))? {
        Some(value) => value.is_true()?,
        None => false,
    };
    flag.0.store(u8::from(value), Ordering::Relaxed);
    Ok(value)
}

/// Whether the use of the locale's encoding is warned of.
pub fn warns_of_default_encoding() -> PyResult<bool> {
    startup_flag(&WARN_DEFAULT_ENCODING, "warn_default_encoding")
}

/// Whether UTF-8 is used whatever the locale says.
pub fn utf8_mode() -> PyResult<bool> {
    startup_flag(&UTF8_MODE, "utf8_mode")
}

#[pymodule(name = "_io")]
pub mod part {
    use super::*;

    /// Opens a file and returns a stream on it.
    #[pyfunction(
        "($module, /, file, mode='r', buffering=-1, encoding=None,\n     errors=None, newline=None, closefd=True, opener=None)"
    )]
    fn open(
        file: &PyObject,
        mode: &str,
        buffering: Option<i32>,
        encoding: Option<OptStr<'_>>,
        errors: Option<OptStr<'_>>,
        newline: Option<OptStr<'_>>,
        closefd: bool,
        opener: Option<&PyObject>,
    ) -> PyResult {
        let options = Options {
            buffering,
            encoding: given_text(encoding),
            errors: given_text(errors),
            newline: given_text(newline),
            closefd: Some(closefd),
            opener,
        };
        open_file(file, mode, &options)
    }
    /// Opens a file whose content is going to be run as code, to be read as bytes.
    #[pyfunction("($module, /, path)")]
    fn open_code(path: &PyUnicodeObject) -> PyResult {
        open_file(path.as_object(), "rb", &Options::default())
    }
    /// The encoding that an API for text files uses when None is given.
    #[pyfunction("($module, encoding, stacklevel=2, /)")]
    fn text_encoding(encoding: &PyObject, stacklevel: Option<i32>) -> PyResult {
        if !is_none(encoding) {
            return Ok(encoding.to_ref());
        }
        if warns_of_default_encoding()? {
            adder_runtime::exceptions::warn(
                exc::EncodingWarning,
                "'encoding' argument not specified",
                stacklevel.unwrap_or(2) as isize,
            )?;
        }
        Ok(PyUnicodeObject::from_str(if utf8_mode()? { "utf-8" } else { "locale" }).into_object())
    }
}
