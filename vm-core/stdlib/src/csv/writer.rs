//! Rows -> lines of text.

use super::ERROR;
use super::dialect::{Dialect, Quoting};
use adder_runtime::memory::blank_header;
use adder_runtime::objects::unicodeobject::UnicodeWriter;
use adder_runtime::per_kind;
use adder_runtime::prelude::*;

#[repr(C)]
pub struct Writer {
    ob_base: PyObject,
    write: Ref,
    dialect: Ref<Dialect>,
}

/// Whether an object counts as a number for quoting.
fn is_number(object: &PyObject) -> bool {
    // SAFETY: a type's suites live as long as the type.
    let number = unsafe { object.ty().tp_as_number.get().as_ref() };
    let converts = number.is_some_and(|number| {
        number.nb_index.get().is_some() || number.nb_int.get().is_some() || number.nb_float.get().is_some()
    });
    converts || PyComplexObject::check(object)
}

/// Appends one field, in quotes when it must be.
fn append(
    out: &mut UnicodeWriter,
    dialect: &Dialect,
    text: Option<&PyUnicodeObject>,
    mut quoted: bool,
) -> PyResult<()> {
    let quotes = dialect.quoting != Quoting::None;
    let mut field = UnicodeWriter::new();
    if let Some(text) = text {
        per_kind!(text.data(), units => {
            for unit in units {
                let code = u32::from(*unit);
                let special = code == dialect.delimiter
                    || Some(code) == dialect.escapechar
                    || Some(code) == dialect.quotechar
                    || code == 10
                    || code == 13
                    || dialect.lineterminator.code_points().any(|other| other == code);
                if special {
                    let mut escape = false;
                    if !quotes {
                        escape = true;
                    } else {
                        if Some(code) == dialect.quotechar {
                            if dialect.doublequote.get() != 0 {
                                field.push(code);
                            } else {
                                escape = true;
                            }
                        } else if Some(code) == dialect.escapechar {
                            escape = true;
                        }
                        quoted |= !escape;
                    }
                    if escape {
                        match dialect.escapechar {
                            Some(escape) => field.push(escape),
                            None => return Err(ERROR.raise("need to escape, but no escapechar set")),
                        }
                    }
                }
                field.push(code);
            }
        });
    }
    if field.is_empty() && dialect.delimiter == 32 && dialect.skipinitialspace.get() != 0 {
        let null = text.is_none() && matches!(dialect.quoting, Quoting::Strings | Quoting::NotNull);
        if !quotes || null {
            return Err(ERROR.raise(
                "empty field must be quoted if delimiter is a space and skipinitialspace is true",
            ));
        }
        quoted = true;
    }
    let quote = dialect.quotechar.filter(|_| quoted);
    if let Some(quote) = quote {
        out.push(quote);
    }
    out.push_object(&*field.finish()?);
    if let Some(quote) = quote {
        out.push(quote);
    }
    Ok(())
}

#[pytype(name = "_csv.writer", static_name = WRITER_TYPE, flags = HAVE_GC | DISALLOW_INSTANTIATION)]
/// CSV writer
///
/// Writer objects are responsible for generating tabular data
/// in CSV format from sequence input.
impl Writer {
    pub fn to(file: &PyObject, dialect: Ref<Dialect>) -> PyResult<Ref<Writer>> {
        let write = file.get_attr_opt(identifier!("write"))?.filter(|write| write.is_callable());
        let Some(write) = write else {
            return Err(raise!(TypeError, "argument 1 must have a \"write\" method"));
        };
        Ref::new(Writer { ob_base: blank_header(), write, dialect })
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        let status = visitor.visit(self.write.as_raw());
        if status != 0 { status } else { visitor.visit(self.dialect.as_raw()) }
    }
    /// Construct and write a CSV record from an iterable of fields.
    #[method("($self, row, /)")]
    fn writerow(&self, row: &PyObject) -> PyResult {
        let iterator = row.iter().map_err(|raised| {
            if !raised.matches(adder_runtime::exceptions::exc::TypeError) {
                return raised;
            }
            raised.clear();
            ERROR.raise(format!("iterable expected, not {}", row.ty().name()))
        })?;
        let dialect = &*self.dialect;
        let mut out = UnicodeWriter::new();
        let (mut n_fields, mut null) = (0, false);
        while let Some(field) = iterator.next()? {
            null = is_none(&field);
            let text = field.as_object().downcast::<PyUnicodeObject>();
            let quoted = match dialect.quoting {
                Quoting::NonNumeric => !is_number(&field),
                Quoting::All => true,
                Quoting::Strings => text.is_some(),
                Quoting::NotNull => !null,
                Quoting::Minimal | Quoting::None => false,
            };
            if n_fields > 0 {
                out.push(dialect.delimiter);
            }
            n_fields += 1;
            match text {
                Some(text) => append(&mut out, dialect, Some(text), quoted)?,
                None if null => append(&mut out, dialect, None, quoted)?,
                None => append(&mut out, dialect, Some(&*field.str()?), quoted)?,
            }
        }
        if n_fields > 0 && out.is_empty() {
            let unquotable = null && matches!(dialect.quoting, Quoting::Strings | Quoting::NotNull);
            if dialect.quoting == Quoting::None || unquotable {
                return Err(ERROR.raise("single empty field record must be quoted"));
            }
            append(&mut out, dialect, None, true)?;
        }
        out.push_object(&dialect.lineterminator);
        self.write.call1(out.finish()?.as_object())
    }
    /// Construct and write a series of iterables to a csv file.
    #[method("($self, rows, /)")]
    fn writerows(&self, rows: &PyObject) -> PyResult<()> {
        rows.for_each(|row| self.writerow(&row).map(drop))
    }
    #[getter(name = "dialect")]
    fn get_dialect(&self) -> Ref<Dialect> {
        self.dialect.clone()
    }
}
