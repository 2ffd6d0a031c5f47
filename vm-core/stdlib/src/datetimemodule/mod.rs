//! `_datetime`: dates, times, and time zones of fixed offset, in the memory layouts of `datetime.h`, which C extensions
//! read directly.
//!
//! `calendar` and `local` compute on plain numbers, `parse` and `format` go from and to text, `delta`, `date`, `time`,
//! `datetime` and `zone` are the types, `capi` is what C gets. A method that makes an object of a subclass calls that class,
//! as CPython's does. Tests: `test_datetime`, and `tests/programs/library.py`.

pub mod arguments;
pub mod calendar;
mod capi;
mod date;
pub mod datetime;
mod datetime_type;
pub mod delta;
mod format;
mod local;
mod parse;
mod time;
pub mod zone;

use adder_runtime::prelude::*;
use adder_runtime::types::lookup;

/// Puts an attribute into a static type, which Python code cannot change.
fn add_attribute(ty: &'static PyTypeObject, name: &str, value: Ref) -> PyResult<()> {
    let Some(names) = ty.dict() else {
        return Err(raise!(SystemError, "type {} is not ready", ty.name()));
    };
    names.set_str(PyUnicodeObject::intern_immortal(name), &value)?;
    lookup::modified(ty);
    Ok(())
}

/// Fast implementation of the datetime module.
#[pymodule(name = "_datetime", types = [
    super::date::DATE_TYPE,
    super::datetime::DATETIME_TYPE,
    super::time::TIME_TYPE,
    super::delta::DELTA_TYPE,
    super::zone::TZINFO_TYPE,
    super::zone::TIMEZONE_TYPE,
])]
pub mod _datetime {
    use super::*;

    #[pyconst]
    const MINYEAR: i32 = calendar::MIN_YEAR;
    #[pyconst]
    const MAXYEAR: i32 = calendar::MAX_YEAR;

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        // The types are the process's: a second module finds their attributes.
        if zone::UTC.borrow().is_none() {
            adder_runtime::types::ready(&date::ISO_CALENDAR_DATE_TYPE)?;
            delta::add_attributes()?;
            date::add_attributes()?;
            time::add_attributes()?;
            datetime_type::add_attributes()?;
            zone::add_attributes()?;
        }
        module.add("UTC", zone::utc()?.into_object())?;
        module.add("datetime_CAPI", capi::capsule()?)
    }
}
