//! Dialects: how rows are written as text.

use super::{ERROR, dialects};
use adder_runtime::memory::blank_header;
use adder_runtime::prelude::*;
use std::cell::Cell;
use std::mem::offset_of;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Quoting {
    Minimal,
    All,
    NonNumeric,
    None,
    Strings,
    NotNull,
}

impl Quoting {
    fn from_number(number: i64) -> Option<Quoting> {
        use Quoting::*;
        [Minimal, All, NonNumeric, None, Strings, NotNull].get(usize::try_from(number).ok()?).copied()
    }
}

#[repr(C)]
pub struct Dialect {
    ob_base: PyObject,
    pub doublequote: Cell<u8>,
    pub skipinitialspace: Cell<u8>,
    pub strict: Cell<u8>,
    pub quoting: Quoting,
    pub delimiter: u32,
    pub quotechar: Option<u32>,
    pub escapechar: Option<u32>,
    pub lineterminator: Ref<PyUnicodeObject>,
}

/// The values that make a dialect, each given or not.
const FIELDS: [&str; 9] = [
    "dialect",
    "delimiter",
    "doublequote",
    "escapechar",
    "lineterminator",
    "quotechar",
    "quoting",
    "skipinitialspace",
    "strict",
];

fn flag(value: &Option<Ref>, default: bool) -> PyResult<bool> {
    value.as_ref().map_or(Ok(default), |value| value.is_true())
}

/// A character, or `None` where that is allowed.
fn character(name: &str, value: &Option<Ref>, default: Option<u32>, optional: bool) -> PyResult<Option<u32>> {
    let Some(value) = value else { return Ok(default) };
    if optional && is_none(value) {
        return Ok(None);
    }
    let wanted = if optional { "a unicode character or None" } else { "a unicode character" };
    match value.as_object().downcast::<PyUnicodeObject>() {
        Some(text) if text.len() == 1 => Ok(Some(text.char_at(0))),
        Some(text) => {
            let len = text.len();
            Err(raise!(TypeError, "\"{name}\" must be {wanted}, not a string of length {len}"))
        }
        None => Err(raise!(TypeError, "\"{name}\" must be {wanted}, not {}", value.ty().name())),
    }
}

fn check_character(name: &str, code: Option<u32>, terminator: &PyUnicodeObject, allow_space: bool) -> PyResult<()> {
    let Some(code) = code else { return Ok(()) };
    if code == 10 || code == 13 || (code == 32 && !allow_space) {
        return Err(raise!(ValueError, "bad {name} value"));
    }
    if terminator.code_points().any(|other| other == code) {
        return Err(raise!(ValueError, "bad {name} or lineterminator value"));
    }
    Ok(())
}

#[pytype(
    name = "_csv.Dialect",
    static_name = DIALECT_TYPE,
    flags = BASETYPE,
    members = [
        ("skipinitialspace", Py_T_BOOL, offset_of!(Dialect, skipinitialspace), Py_READONLY),
        ("doublequote", Py_T_BOOL, offset_of!(Dialect, doublequote), Py_READONLY),
        ("strict", Py_T_BOOL, offset_of!(Dialect, strict), Py_READONLY),
    ],
)]
/// CSV dialect
///
/// The Dialect type records CSV parsing and generation options.
impl Dialect {
    #[slot]
    fn tp_new(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let mut values: [Option<Ref>; 9] = Default::default();
        let given = args.as_slice();
        let n_given = given.len() + kwargs.map_or(0, |kwargs| kwargs.len());
        if n_given > FIELDS.len() {
            return Err(raise!(TypeError, "function takes at most 9 arguments ({n_given} given)"));
        }
        for (value, arg) in values.iter_mut().zip(given) {
            *value = Some(arg.to_ref());
        }
        if let Some(kwargs) = kwargs {
            let mut position = 0;
            while let Some((key, value, _)) = kwargs.next_entry(&mut position) {
                let name = key.str()?.to_string_lossy();
                match FIELDS.iter().position(|field| *field == name) {
                    Some(index) => values[index] = Some(value.to_ref()),
                    None => {
                        return Err(raise!(
                            TypeError,
                            "this function got an unexpected keyword argument '{name}'"
                        ));
                    }
                }
            }
        }
        let nothing_else = values[1..].iter().all(Option::is_none);
        if let Some(mut dialect) = values[0].clone().filter(|dialect| !is_none(dialect)) {
            if dialect.as_object().downcast::<PyUnicodeObject>().is_some() {
                dialect = registered(&dialect)?;
            }
            if nothing_else && std::ptr::eq(dialect.ty(), cls) && dialect.as_object().downcast::<Dialect>().is_some() {
                return Ok(dialect);
            }
            for (value, name) in values.iter_mut().zip(FIELDS).skip(1) {
                if value.is_none() {
                    *value = dialect.get_attr_opt(&PyUnicodeObject::intern(PyUnicodeObject::from_str(name)))?;
                }
            }
        }
        let [_, delimiter, doublequote, escapechar, lineterminator, quotechar, quoting, skip, strict] = values;
        let delimiter = character("delimiter", &delimiter, Some(u32::from(b',')), false)?.unwrap_or(0);
        let doublequote = flag(&doublequote, true)?;
        let escapechar = character("escapechar", &escapechar, None, true)?;
        let lineterminator = match &lineterminator {
            None => PyUnicodeObject::from_str("\r\n"),
            Some(value) => match value.as_object().downcast::<PyUnicodeObject>() {
                Some(text) => text.to_ref(),
                None => {
                    let found = value.ty().name();
                    return Err(raise!(TypeError, "\"lineterminator\" must be a string, not {found}"));
                }
            },
        };
        let no_quotes = quotechar.as_ref().is_some_and(|quotechar| is_none(quotechar));
        let quotechar = character("quotechar", &quotechar, Some(u32::from(b'"')), true)?;
        let quoting = match &quoting {
            None if no_quotes => Quoting::None,
            None => Quoting::Minimal,
            Some(value) => {
                let Some(number) = value.as_object().downcast_exact::<PyLongObject>() else {
                    return Err(raise!(TypeError, "\"quoting\" must be an integer, not {}", value.ty().name()));
                };
                let quoting = number.to_i64().and_then(Quoting::from_number);
                quoting.ok_or_else(|| raise!(TypeError, "bad \"quoting\" value"))?
            }
        };
        let skipinitialspace = flag(&skip, false)?;
        let strict = flag(&strict, false)?;
        if quoting != Quoting::None && quotechar.is_none() {
            return Err(raise!(TypeError, "quotechar must be set if quoting enabled"));
        }
        check_character("delimiter", Some(delimiter), &lineterminator, true)?;
        check_character("escapechar", escapechar, &lineterminator, !skipinitialspace)?;
        check_character("quotechar", quotechar, &lineterminator, !skipinitialspace)?;
        let pairs = [
            ("delimiter", "escapechar", Some(delimiter), escapechar),
            ("delimiter", "quotechar", Some(delimiter), quotechar),
            ("escapechar", "quotechar", escapechar, quotechar),
        ];
        for (first, second, a, b) in pairs {
            if a.is_some() && a == b {
                return Err(raise!(ValueError, "bad {first} or {second} value"));
            }
        }
        let dialect = Dialect {
            ob_base: blank_header(),
            doublequote: Cell::new(u8::from(doublequote)),
            skipinitialspace: Cell::new(u8::from(skipinitialspace)),
            strict: Cell::new(u8::from(strict)),
            quoting,
            delimiter,
            quotechar,
            escapechar,
            lineterminator,
        };
        Ok(Ref::new_in(cls, dialect)?.into_object())
    }
    #[getter(name = "delimiter")]
    fn get_delimiter(&self) -> Ref<PyUnicodeObject> {
        PyUnicodeObject::from_char(self.delimiter)
    }
    #[getter(name = "escapechar")]
    fn get_escapechar(&self) -> Option<Ref<PyUnicodeObject>> {
        self.escapechar.map(PyUnicodeObject::from_char)
    }
    #[getter(name = "quotechar")]
    fn get_quotechar(&self) -> Option<Ref<PyUnicodeObject>> {
        self.quotechar.map(PyUnicodeObject::from_char)
    }
    #[getter(name = "lineterminator")]
    fn get_lineterminator(&self) -> Ref<PyUnicodeObject> {
        self.lineterminator.clone()
    }
    #[getter(name = "quoting")]
    fn get_quoting(&self) -> i32 {
        self.quoting as i32
    }
    /// raises an exception to avoid pickling
    #[method(raw, "(...)")]
    fn __reduce__(&self, _args: &[&PyObject]) -> PyResult {
        self.refuse_pickling()
    }
    /// raises an exception to avoid pickling
    #[method(raw, "(...)")]
    fn __reduce_ex__(&self, _args: &[&PyObject]) -> PyResult {
        self.refuse_pickling()
    }
    fn refuse_pickling(&self) -> PyResult {
        let name = self.as_object().ty().name();
        let name = name.rsplit('.').next().unwrap_or(&name);
        Err(raise!(TypeError, "cannot pickle '{name}' instances"))
    }
}

/// The dialect that is registered under a name.
pub fn registered(name: &PyObject) -> PyResult {
    match dialects()?.get(name)? {
        Some(dialect) => Ok(dialect),
        None => Err(ERROR.raise("unknown dialect")),
    }
}

/// `Dialect(dialect, **params)`.
pub fn make(dialect: Option<&PyObject>, params: Option<&PyDictObject>) -> PyResult<Ref<Dialect>> {
    let args: Vec<&PyObject> = dialect.into_iter().collect();
    let made = DIALECT_TYPE.as_object().call_tuple(&PyTupleObject::from_slice(&args), params)?;
    made.downcast::<Dialect>().map_err(|_| raise!(TypeError, "Dialect() did not return a Dialect"))
}
