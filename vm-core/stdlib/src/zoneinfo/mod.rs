//! `_zoneinfo`: `ZoneInfo`, a time zone of the IANA database. Reading a file is the library's (`zoneinfo._common`), the search
//! for it too (`zoneinfo._tzpath`); `data` answers what the offset is, `rules` what follows the last change of a file.
//!
//! Zones are cached by key: weakly all of them, strongly the last few. Tests: `test_zoneinfo`.

mod data;
mod rules;

use crate::datetimemodule::arguments::{bind, signature};
use crate::datetimemodule::calendar::{Hms, Ymd, ordinal, seconds_of};
use crate::datetimemodule::datetime::DateTime;
use crate::datetimemodule::delta::{Delta, new_delta};
use crate::datetimemodule::zone::TZINFO_TYPE;
use adder_runtime::args::Signature;
use adder_runtime::hooks;
use adder_runtime::memory::blank_header;
use adder_runtime::per_interpreter::PerInterpreter;
use adder_runtime::prelude::*;
use data::ZoneData;
use rules::Offset;
use std::mem::offset_of;

/// How many zones are kept though nobody else does.
const STRONG_CACHE_SIZE: usize = 8;
const EPOCH_ORDINAL: i64 = 719_163;

/// Zones of `ZoneInfo` itself by their keys; a subclass has its own in `_weak_cache`.
static WEAK_CACHE: PerInterpreter<ObjectCell> = PerInterpreter::new(ObjectCell::new(None));
/// The last zones of `ZoneInfo` that were asked for, the latest at the end.
static STRONG_CACHE: PerInterpreter<ObjectCell<PyDictObject>> = PerInterpreter::new(ObjectCell::new(None));

/// Where a zone came from, which decides how it is pickled.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Cache,
    NoCache,
    File,
}

#[repr(C)]
pub struct ZoneInfo {
    ob_base: PyObject,
    weakreflist: Cell<*mut PyObject>,
    key: ObjectCell,
    file_repr: ObjectCell,
    source: Cell<Source>,
    data: ZoneData,
}

static NEW: Signature = signature("ZoneInfo", &["key"], 1, 1);

/// What the methods are asked about: seconds since 1970 of its fields, year and fold.
fn local_seconds(date: Ymd, time: Hms) -> i64 {
    (ordinal(date) - EPOCH_ORDINAL) * 86_400 + i64::from(seconds_of(time))
}

fn weak_dict() -> PyResult {
    hooks::import_module("weakref")?
        .get_attr(identifier!("WeakValueDictionary"))?
        .call0()
}

fn is_base(cls: &PyTypeObject) -> bool {
    std::ptr::eq(cls, &ZONE_INFO_TYPE)
}

fn weak_cache(cls: &PyTypeObject) -> PyResult {
    if !is_base(cls) {
        return cls.as_object().get_attr(identifier!("_weak_cache"));
    }
    WEAK_CACHE
        .here()
        .get()
        .ok_or_else(|| raise!(SystemError, "the module _zoneinfo is not there yet"))
}

fn strong_cache() -> PyResult<Ref<PyDictObject>> {
    STRONG_CACHE
        .here()
        .get()
        .ok_or_else(|| raise!(SystemError, "the module _zoneinfo is not there yet"))
}

/// Makes a zone the latest one of the strong cache.
fn keep(key: &PyObject, zone: &PyObject) -> PyResult<()> {
    let cache = strong_cache()?;
    cache.pop(key)?;
    cache.set(key, zone)?;
    if cache.len() > STRONG_CACHE_SIZE {
        let oldest = cache.next_entry(&mut 0).map(|(key, _, _)| key.to_ref());
        if let Some(oldest) = oldest {
            cache.pop(&oldest)?;
        }
    }
    Ok(())
}

fn check_cached(cls: &PyTypeObject, key: &PyObject, cached: &PyObject) -> PyResult<()> {
    if cached.ty().is_subtype(cls) {
        return Ok(());
    }
    Err(raise!(
        RuntimeError,
        "Unexpected instance of {} in {} weak cache for key {}",
        cached.ty().fully_qualified_name(),
        cls.full_name(),
        key.repr()?.to_string_lossy()
    ))
}

impl ZoneInfo {
    fn make(cls: &PyTypeObject, file: &PyObject, key: &PyObject, source: Source) -> PyResult<Ref<ZoneInfo>> {
        let parts = hooks::import_module("zoneinfo._common")?.call_method(identifier!("load_data"), &[file])?;
        let file_repr = match source {
            Source::File => Some(file.repr()?.into_object()),
            _ => None,
        };
        let zone = ZoneInfo {
            ob_base: blank_header(),
            weakreflist: Cell::new(std::ptr::null_mut()),
            key: ObjectCell::new(Some(key.to_ref())),
            file_repr: ObjectCell::new(file_repr),
            source: Cell::new(source),
            data: ZoneData::new(&parts)?,
        };
        Ref::new_in(cls, zone)
    }
    /// A new zone from the file that its key names.
    fn load(cls: &PyTypeObject, key: &PyObject, source: Source) -> PyResult<Ref<ZoneInfo>> {
        let path = hooks::import_module("zoneinfo._tzpath")?.call_method(identifier!("find_tzfile"), &[key])?;
        let file = if is_none(&path) {
            hooks::import_module("zoneinfo._common")?.call_method(identifier!("load_tzdata"), &[key])?
        } else {
            let mode = PyUnicodeObject::from_str("rb");
            hooks::import_module("io")?.call_method(identifier!("open"), &[&path, mode.as_object()])?
        };
        let zone = ZoneInfo::make(cls, &file, key, source);
        let raised = match &zone {
            Ok(_) => None,
            Err(raised) => Some(raised.take()),
        };
        let closed = file.call_method(identifier!("close"), &[]);
        if let Some(raised) = raised {
            if let Err(second) = closed {
                second.clear();
            }
            return Err(adder_runtime::error::restore(raised));
        }
        closed?;
        zone
    }
    fn cached(cls: &PyTypeObject, key: &PyObject) -> PyResult {
        if is_base(cls)
            && let Some(zone) = strong_cache()?.get(key)?
        {
            keep(key, &zone)?;
            return Ok(zone);
        }
        let cache = weak_cache(cls)?;
        let mut zone = cache.call_method(identifier!("get"), &[key, none()])?;
        if is_none(&zone) {
            let new = ZoneInfo::load(cls, key, Source::Cache)?;
            zone = cache.call_method(identifier!("setdefault"), &[key, new.as_object()])?;
        }
        check_cached(cls, key, &zone)?;
        if is_base(cls) {
            keep(key, &zone)?;
        }
        Ok(zone)
    }
    /// The offset at a datetime's own fields; none for None where it is not always the same.
    fn offset(&self, object: &PyObject) -> PyResult<Option<&Offset>> {
        if is_none(object) {
            return Ok(self.data.fixed.as_ref());
        }
        if let Some(datetime) = object.downcast::<DateTime>() {
            let date = datetime.ymd();
            let seconds = local_seconds(date, datetime.hms());
            return Ok(Some(self.data.at_local(seconds, date[0], datetime.fold_value() != 0)));
        }
        let number = |name: &'static PyUnicodeObject| -> PyResult<i64> { object.get_attr(name)?.index()?.as_i64() };
        let days = object.call_method(identifier!("toordinal"), &[])?.index()?.as_i64()?;
        let seconds = (days - EPOCH_ORDINAL) * 86_400
            + number(identifier!("hour"))? * 3600
            + number(identifier!("minute"))? * 60
            + number(identifier!("second"))?;
        let year = number(identifier!("year"))?;
        let year = i32::try_from(year).unwrap_or_default().clamp(1, 9999);
        let fold = number(identifier!("fold"))? != 0;
        Ok(Some(self.data.at_local(seconds, year, fold)))
    }
    fn key_or_none(&self) -> Ref {
        self.key.get().unwrap_or_else(none_ref)
    }
}

#[pytype(
    name = "zoneinfo.ZoneInfo",
    static_name = ZONE_INFO_TYPE,
    base = TZINFO_TYPE,
    flags = BASETYPE | HAVE_GC,
    weaklistoffset = offset_of!(ZoneInfo, weakreflist) as isize,
)]
impl ZoneInfo {
    #[slot]
    fn tp_new(cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let [key] = bind(&NEW, args, kwargs)?;
        ZoneInfo::cached(cls, key.unwrap_or(none()))
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        match self.key.visit(visitor) {
            0 => self.file_repr.visit(visitor),
            status => status,
        }
    }
    #[slot]
    fn tp_clear(&self) {
        drop(self.key.take());
        drop(self.file_repr.take());
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<String> {
        let class = self.as_object().ty().short_name();
        let key = self.key_or_none();
        if !is_none(&key) {
            return Ok(format!("{class}(key={})", key.repr()?.to_string_lossy()));
        }
        let file = self.file_repr.get().unwrap_or_else(none_ref);
        Ok(format!("{class}.from_file({})", file.str()?.to_string_lossy()))
    }
    #[slot]
    fn tp_str(&self) -> PyResult<Ref<PyUnicodeObject>> {
        let key = self.key_or_none();
        if is_none(&key) { self.as_object().repr() } else { key.str() }
    }
    #[getter]
    fn key(&self) -> Ref {
        self.key_or_none()
    }
    /// Clear the ZoneInfo cache.
    #[classmethod("($type, /, *, only_keys=None)")]
    fn clear_cache(cls: &PyTypeObject, only_keys: Option<&PyObject>) -> PyResult<()> {
        let weak = weak_cache(cls)?;
        match only_keys {
            None => {
                weak.call_method(identifier!("clear"), &[])?;
                if is_base(cls) {
                    strong_cache()?.clear();
                }
                Ok(())
            }
            Some(keys) => keys.for_each(|key| {
                if is_base(cls) {
                    strong_cache()?.pop(&key)?;
                }
                weak.call_method(identifier!("pop"), &[&key, none()]).map(drop)
            }),
        }
    }
    /// Get a new instance of ZoneInfo, bypassing the cache.
    #[classmethod("($type, /, key)")]
    fn no_cache(cls: &PyTypeObject, key: &PyObject) -> PyResult<Ref<ZoneInfo>> {
        ZoneInfo::load(cls, key, Source::NoCache)
    }
    /// Create a ZoneInfo file from a file object.
    #[classmethod("($type, file_obj, /, key=None)")]
    fn from_file(cls: &PyTypeObject, file_obj: &PyObject, key: Option<&PyObject>) -> PyResult<Ref<ZoneInfo>> {
        ZoneInfo::make(cls, file_obj, key.unwrap_or(none()), Source::File)
    }
    /// Retrieve a timedelta representing the UTC offset in a zone at the given datetime.
    #[method("($self, dt, /)")]
    fn utcoffset(&self, dt: &PyObject) -> PyResult<Option<Ref<Delta>>> {
        let offset = self.offset(dt)?;
        offset.map(|offset| new_delta(0, offset.seconds, 0)).transpose()
    }
    /// Retrieve a timedelta representing the amount of DST applied in a zone at the given datetime.
    #[method("($self, dt, /)")]
    fn dst(&self, dt: &PyObject) -> PyResult<Option<Ref<Delta>>> {
        let offset = self.offset(dt)?;
        offset.map(|offset| new_delta(0, offset.dst, 0)).transpose()
    }
    /// Retrieve a string containing the abbreviation for the time zone that applies in a zone at a given datetime.
    #[method("($self, dt, /)")]
    fn tzname(&self, dt: &PyObject) -> PyResult<Option<Ref<PyUnicodeObject>>> {
        let offset = self.offset(dt)?;
        Ok(offset.map(|offset| PyUnicodeObject::from_str(&offset.name)))
    }
    /// Given a datetime with local time in UTC, retrieve an adjusted datetime in local time.
    #[method("($self, object, /)")]
    fn fromutc(&self, object: &PyObject) -> PyResult {
        let Some(datetime) = object.downcast::<DateTime>() else {
            return Err(raise!(
                TypeError,
                "fromutc: argument must be a datetime instance, not {}",
                object.ty().full_name()
            ));
        };
        if !datetime.zone().is_some_and(|zone| zone.is(self.as_object())) {
            return Err(raise!(ValueError, "fromutc: dt.tzinfo is not self"));
        }
        let date = datetime.ymd();
        let (offset, fold) = self.data.at_utc(local_seconds(date, datetime.hms()), date[0]);
        let shown = datetime.shifted(&*new_delta(0, offset.seconds, 0)?, 1)?;
        if !fold {
            return Ok(shown);
        }
        let one = PyLongObject::from_i64(1);
        shown.get_attr(identifier!("replace"))?.call_kw(&[], &[("fold", one.as_object())])
    }
    /// Function for serialization with the pickle protocol.
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult<Ref<PyTupleObject>> {
        if self.source.get() == Source::File {
            let class = hooks::import_module("pickle")?.get_attr(identifier!("PicklingError"))?;
            let message = PyUnicodeObject::from_str("Cannot pickle a ZoneInfo file from a file stream.");
            return Err(adder_runtime::error::set_object(&class, Some(message.as_object())));
        }
        let constructor = self.as_object().ty().as_object().get_attr(identifier!("_unpickle"))?;
        let from_cache = PyLongObject::from_i64((self.source.get() == Source::Cache).into());
        let args = PyTupleObject::from_slice(&[&self.key_or_none(), from_cache.as_object()]);
        Ok(PyTupleObject::from_slice(&[&constructor, args.as_object()]))
    }
    /// Private method used in unpickling.
    #[classmethod("($type, key, from_cache, /)")]
    fn _unpickle(cls: &PyTypeObject, key: &PyObject, from_cache: bool) -> PyResult {
        if from_cache {
            return ZoneInfo::cached(cls, key);
        }
        Ok(ZoneInfo::load(cls, key, Source::NoCache)?.into_object())
    }
    /// Function to initialize subclasses.
    #[classmethod(raw, "(...)")]
    fn __init_subclass__(cls: &PyTypeObject, _args: &[&PyObject], _kwnames: Option<&PyTupleObject>) -> PyResult<()> {
        cls.type_set_attr(identifier!("_weak_cache"), Some(&*weak_dict()?))
    }
}

/// C implementation of the zoneinfo module
#[pymodule(name = "_zoneinfo", types = [super::ZONE_INFO_TYPE])]
pub mod _zoneinfo {
    use super::*;

    #[pyexec]
    fn exec(_module: &PyModuleObject) -> PyResult<()> {
        // The base type's attributes are made there.
        hooks::import_module("_datetime")?;
        if WEAK_CACHE.here().borrow().is_none() {
            WEAK_CACHE.here().set(Some(weak_dict()?));
            STRONG_CACHE.here().set(Some(PyDictObject::new()));
        }
        Ok(())
    }
}
