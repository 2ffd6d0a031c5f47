//! `str.translate` and `str.maketrans`.

use super::{MAX_CODE_POINT, UnicodeWriter};
use crate::exceptions::exc;
use crate::prelude::*;

/// What a table says of a character.
enum Mapped {
    Same,
    Deleted,
    One(u32),
    Text(Ref<PyUnicodeObject>),
}

/// Asks the table; LookupError means that the character stays.
fn look_up(table: &PyObject, code: u32) -> PyResult<Mapped> {
    let key = PyLongObject::from_i64(i64::from(code));
    let value = match table.get_item(key.as_object()) {
        Ok(value) => value,
        Err(raised) => {
            raised.clear_if(exc::LookupError)?;
            return Ok(Mapped::Same);
        }
    };
    if is_none(&value) {
        return Ok(Mapped::Deleted);
    }
    if let Some(number) = value.as_object().downcast::<PyLongObject>() {
        return match number.to_i64() {
            Some(code) if (0..=i64::from(MAX_CODE_POINT)).contains(&code) => Ok(Mapped::One(code as u32)),
            _ => Err(raise!(
                ValueError,
                "character mapping must be in range(0x{:x})",
                MAX_CODE_POINT + 1
            )),
        };
    }
    match value.downcast::<PyUnicodeObject>() {
        Ok(text) => Ok(Mapped::Text(text)),
        Err(_) => Err(raise!(
            TypeError,
            "character mapping must return integer, None or str"
        )),
    }
}

fn push(writer: &mut UnicodeWriter, code: u32, mapped: Mapped) {
    match mapped {
        Mapped::Same => writer.push(code),
        Mapped::Deleted => {}
        Mapped::One(code) => writer.push(code),
        Mapped::Text(text) => writer.push_object(&text),
    }
}

impl PyUnicodeObject {
    /// Each character replaced by what the table says: a number, a string, or `None` to delete it.
    pub fn translate_by(&self, table: &PyObject) -> PyResult<Ref<PyUnicodeObject>> {
        let mut writer = PyUnicodeObject::writer(self.len());
        // ASCII answers that are one ASCII character (or none) are asked for once.
        const UNKNOWN: u8 = 0xFF;
        const DELETED: u8 = 0xFE;
        let mut known = [UNKNOWN; 128];
        for code in self.code_points() {
            if code < 128 {
                match known[code as usize] {
                    UNKNOWN => {}
                    DELETED => continue,
                    answer => {
                        writer.push(u32::from(answer));
                        continue;
                    }
                }
            }
            let mapped = look_up(table, code)?;
            if code < 128 {
                known[code as usize] = match &mapped {
                    Mapped::Same => code as u8,
                    Mapped::Deleted => DELETED,
                    Mapped::One(answer) if *answer < 128 => *answer as u8,
                    Mapped::Text(text) if text.len() == 1 && text.is_ascii() => text.char_at(0) as u8,
                    _ => UNKNOWN,
                };
            }
            push(&mut writer, code, mapped);
        }
        writer.finish()
    }
}

fn code_object(code: u32) -> Ref<PyLongObject> {
    PyLongObject::from_i64(i64::from(code))
}

/// The table of a dict whose keys are characters or numbers.
fn from_dict(source: &PyDictObject) -> PyResult<Ref<PyDictObject>> {
    let table = PyDictObject::new();
    let mut place = 0;
    while let Some((key, value, _)) = source.next_entry(&mut place) {
        let (key, value) = (key.to_ref(), value.to_ref());
        if let Some(text) = key.as_object().downcast::<PyUnicodeObject>() {
            if text.len() != 1 {
                return Err(raise!(
                    ValueError,
                    "string keys in translatetable must be of length 1"
                ));
            }
            table.set(code_object(text.char_at(0)).as_object(), &value)?;
        } else if key.type_has(Py_TPFLAGS_LONG_SUBCLASS) {
            table.set(&key, &value)?;
        } else {
            return Err(raise!(
                TypeError,
                "keys in translate table mustbe strings or integers"
            ));
        }
    }
    Ok(table)
}

#[pymethods(part = UNICODE_TRANSLATE)]
impl PyUnicodeObject {
    /// Each character replaced by table[ord(character)]: a number, a string, or None to delete it.
    #[method("($self, table, /)")]
    fn translate(&self, table: &PyObject) -> PyResult<Ref<PyUnicodeObject>> {
        self.translate_by(table)
    }
    /// A table for translate: from a dict, or from two strings of equal length and one of characters to delete.
    #[staticmethod("(x, y=<unrepresentable>, z=<unrepresentable>, /)")]
    fn maketrans(
        x: &PyObject,
        y: Option<&PyUnicodeObject>,
        z: Option<&PyUnicodeObject>,
    ) -> PyResult<Ref<PyDictObject>> {
        let Some(y) = y else {
            let Some(source) = x.downcast_exact::<PyDictObject>() else {
                return Err(raise!(
                    TypeError,
                    "if you give only one argument to maketrans it must be a dict"
                ));
            };
            return from_dict(source);
        };
        let Some(x) = x.downcast::<PyUnicodeObject>() else {
            return Err(raise!(
                TypeError,
                "first maketrans argument must be a string if there is a second argument"
            ));
        };
        if x.len() != y.len() {
            return Err(raise!(
                ValueError,
                "the first two maketrans arguments must have equal length"
            ));
        }
        let table = PyDictObject::new();
        for (from, to) in x.code_points().zip(y.code_points()) {
            table.set(code_object(from).as_object(), code_object(to).as_object())?;
        }
        for code in z.into_iter().flat_map(PyUnicodeObject::code_points) {
            table.set(code_object(code).as_object(), none())?;
        }
        Ok(table)
    }
}
