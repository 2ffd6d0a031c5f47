//! `tzinfo`, whose methods subclasses give, and `timezone`, a fixed offset; and how dates and times ask a time zone.

use super::arguments::{bind, signature, wrong_type};
use super::datetime::DateTime;
use super::delta::{Delta, US_PER_DAY, delta_of_us};
use super::format::push_offset;
use adder_runtime::args::Signature;
use adder_runtime::memory::blank_header;
use adder_runtime::prelude::*;
use adder_runtime::types;

#[repr(transparent)]
pub struct TzInfo(PyDateTime_TZInfo);

/// `timezone.utc`, made when the module is.
pub static UTC: ObjectCell<TimeZone> = ObjectCell::new(None);

pub fn utc() -> PyResult<Ref<TimeZone>> {
    UTC.get()
        .ok_or_else(|| raise!(SystemError, "the module _datetime is not there yet"))
}

fn is_offset(delta: &Delta) -> bool {
    delta.us().abs() < US_PER_DAY
}

#[cold]
fn offset_out_of_range(offset: &PyObject) -> Raised {
    match offset.repr() {
        Ok(shown) => raise!(
            ValueError,
            "offset must be a timedelta strictly between -timedelta(hours=24) and timedelta(hours=24), not {}",
            shown.to_string_lossy()
        ),
        Err(raised) => raised,
    }
}

/// What `utcoffset()` or `dst()` of a time zone says about a datetime or None.
pub fn ask_offset(zone: Option<&PyObject>, method: &'static PyUnicodeObject, about: &PyObject) -> PyResult<Option<Ref<Delta>>> {
    let Some(zone) = zone else { return Ok(None) };
    if let Some(fixed) = zone.downcast_exact::<TimeZone>()
        && method.eq_str("utcoffset")
    {
        return Ok(fixed.offset.get());
    }
    let offset = zone.call_method(method, &[about])?;
    if is_none(&offset) {
        return Ok(None);
    }
    let offset = offset.downcast::<Delta>().map_err(|other| {
        raise!(
            TypeError,
            "tzinfo.{}() must return None or timedelta, not '{}'",
            method.to_string_lossy(),
            other.ty().full_name()
        )
    })?;
    if !is_offset(&offset) {
        return Err(offset_out_of_range(offset.as_object()));
    }
    Ok(Some(offset))
}

pub fn ask_utcoffset(zone: Option<&PyObject>, about: &PyObject) -> PyResult<Option<Ref<Delta>>> {
    ask_offset(zone, identifier!("utcoffset"), about)
}

pub fn ask_dst(zone: Option<&PyObject>, about: &PyObject) -> PyResult<Option<Ref<Delta>>> {
    ask_offset(zone, identifier!("dst"), about)
}

/// What `tzname()` says: a str or None.
pub fn ask_name(zone: Option<&PyObject>, about: &PyObject) -> PyResult<Option<Ref<PyUnicodeObject>>> {
    let Some(zone) = zone else { return Ok(None) };
    let name = zone.call_method(identifier!("tzname"), &[about])?;
    if is_none(&name) {
        return Ok(None);
    }
    match name.downcast::<PyUnicodeObject>() {
        Ok(name) => Ok(Some(name)),
        Err(other) => Err(raise!(
            TypeError,
            "tzinfo.tzname() must return None or a string, not '{}'",
            other.ty().full_name()
        )),
    }
}

/// The datetime that `fromutc()` of this zone is asked for.
fn in_utc<'a>(zone: &PyObject, object: &'a PyObject) -> PyResult<&'a DateTime> {
    let Some(datetime) = object.downcast::<DateTime>() else {
        return Err(raise!(TypeError, "fromutc: argument must be a datetime"));
    };
    if !datetime.zone().is_some_and(|own| own.is(zone)) {
        return Err(raise!(ValueError, "fromutc: dt.tzinfo is not self"));
    }
    Ok(datetime)
}

fn not_given(method: &str) -> Raised {
    raise!(
        NotImplementedError,
        "a tzinfo subclass must implement {method}()"
    )
}

#[pytype(name = "datetime.tzinfo", static_name = TZINFO_TYPE, flags = BASETYPE, dealloc = inherit)]
/// Abstract base class for time zone info objects.
impl TzInfo {
    #[slot]
    fn tp_new(cls: &PyTypeObject, _args: &PyTupleObject, _kwargs: Option<&PyDictObject>) -> PyResult {
        cls.alloc_instance(0)
    }
    /// datetime -> string name of time zone.
    #[method("($self, object, /)")]
    fn tzname(&self, _about: &PyObject) -> PyResult {
        Err(not_given("tzname"))
    }
    /// datetime -> timedelta showing offset from UTC, negative values indicating West of UTC
    #[method("($self, object, /)")]
    fn utcoffset(&self, _about: &PyObject) -> PyResult {
        Err(not_given("utcoffset"))
    }
    /// datetime -> DST offset as timedelta positive east of UTC.
    #[method("($self, object, /)")]
    fn dst(&self, _about: &PyObject) -> PyResult {
        Err(not_given("dst"))
    }
    /// datetime in UTC -> datetime in local time.
    #[method("($self, object, /)")]
    fn fromutc(&self, object: &PyObject) -> PyResult {
        let missing = |method: &str| raise!(ValueError, "fromutc: non-None {method}() result required");
        let zone = self.as_object();
        let datetime = in_utc(zone, object)?;
        let offset = ask_utcoffset(Some(zone), object)?.ok_or_else(|| missing("utcoffset"))?;
        let dst = ask_dst(Some(zone), object)?.ok_or_else(|| missing("dst"))?;
        let standard = datetime.shifted(&*offset.minus(&dst)?, 1)?;
        let dst = ask_dst(datetime.zone(), &standard)?.ok_or_else(|| {
            raise!(
                ValueError,
                "fromutc: tz.dst() gave inconsistent results; cannot convert"
            )
        })?;
        match standard.downcast::<DateTime>() {
            Ok(standard) if !dst.is_zero() => standard.shifted(&dst, 1),
            Ok(standard) => Ok(standard.into_object()),
            Err(other) => Ok(other),
        }
    }
    /// -> (cls, state)
    #[method("($self, /)")]
    fn __reduce__(&self) -> PyResult<Ref<PyTupleObject>> {
        let this = self.as_object();
        let args = match this.get_attr_opt(identifier!("__getinitargs__"))? {
            Some(method) => method.call0()?,
            None => PyTupleObject::empty().into_object(),
        };
        let state = this.call_method(identifier!("__getstate__"), &[])?;
        Ok(PyTupleObject::from_slice(&[this.ty().as_object(), &args, &state]))
    }
}

#[repr(C)]
pub struct TimeZone {
    ob_base: PyObject,
    offset: ObjectCell<Delta>,
    name: ObjectCell<PyUnicodeObject>,
}

impl TimeZone {
    /// Without a look at what there is already, nor at the range.
    pub fn make(offset: &Delta, name: Option<&PyUnicodeObject>) -> PyResult<Ref<TimeZone>> {
        Ref::new(TimeZone {
            ob_base: blank_header(),
            offset: ObjectCell::new(Some(offset.to_ref())),
            name: ObjectCell::new(name.map(TypedObject::to_ref)),
        })
    }
    pub fn create(offset: &Delta, name: Option<&PyUnicodeObject>) -> PyResult<Ref<TimeZone>> {
        if name.is_none() && offset.is_zero() {
            return utc();
        }
        if !is_offset(offset) {
            return Err(offset_out_of_range(offset.as_object()));
        }
        TimeZone::make(offset, name)
    }
    fn offset(&self) -> PyResult<&Delta> {
        self.offset
            .borrow()
            .ok_or_else(|| raise!(SystemError, "a timezone without offset"))
    }
    fn is_utc(&self) -> bool {
        UTC.borrow().is_some_and(|utc| std::ptr::eq(utc, self))
    }
    fn name_text(&self) -> PyResult<Ref<PyUnicodeObject>> {
        if let Some(name) = self.name.get() {
            return Ok(name);
        }
        let mut text = "UTC".to_owned();
        let offset = self.offset()?;
        if !offset.is_zero() {
            push_offset(&mut text, offset, ":");
        }
        Ok(PyUnicodeObject::from_string(text))
    }
}

/// What `timezone`'s methods may be asked about.
fn check_about(about: &PyObject, method: &str) -> PyResult<()> {
    if is_none(about) || about.downcast::<DateTime>().is_some() {
        return Ok(());
    }
    Err(raise!(
        TypeError,
        "{method}(dt) argument must be a datetime instance or None, not {}",
        about.ty().full_name()
    ))
}

static TIMEZONE_NEW: Signature = signature("timezone", &["offset", "name"], 2, 1);

#[pytype(name = "datetime.timezone", static_name = TIMEZONE_TYPE, base = TZINFO_TYPE)]
/// Fixed offset from UTC implementation of tzinfo.
impl TimeZone {
    #[slot]
    fn tp_new(_cls: &PyTypeObject, args: &PyTupleObject, kwargs: Option<&PyDictObject>) -> PyResult {
        let [offset, name] = bind(&TIMEZONE_NEW, args, kwargs)?;
        let offset = offset.unwrap_or(none());
        let Some(offset) = offset.downcast::<Delta>() else {
            return Err(wrong_type("timezone", 1, "datetime.timedelta", offset));
        };
        let name = name
            .map(|name| super::arguments::text("timezone", 2, name))
            .transpose()?;
        Ok(TimeZone::create(offset, name)?.into_object())
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<String> {
        if self.is_utc() {
            return Ok("datetime.timezone.utc".to_owned());
        }
        let class = self.as_object().ty().full_name();
        let offset = self.offset()?.as_object().repr()?.to_string_lossy();
        Ok(match self.name.borrow() {
            None => format!("{class}({offset})"),
            Some(name) => format!("{class}({offset}, {})", name.repr()?.to_string_lossy()),
        })
    }
    #[slot]
    fn tp_str(&self) -> PyResult<Ref<PyUnicodeObject>> {
        self.name_text()
    }
    #[slot]
    fn tp_hash(&self) -> PyResult<Py_hash_t> {
        self.offset()?.hash_value()
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        match other.downcast::<TimeZone>() {
            Some(other) if matches!(op, CompareOp::Eq | CompareOp::Ne) => {
                let order = self.offset()?.parts().cmp(&other.offset()?.parts());
                Ok(py_bool(op.holds(order)))
            }
            _ => Ok(not_implemented().to_ref()),
        }
    }
    /// If name is specified when timezone is created, returns the name.  Otherwise returns offset as 'UTC(+|-)HH:MM'.
    #[method("($self, object, /)")]
    fn tzname(&self, about: &PyObject) -> PyResult<Ref<PyUnicodeObject>> {
        check_about(about, "tzname")?;
        self.name_text()
    }
    /// Return fixed offset.
    #[method("($self, object, /)")]
    fn utcoffset(&self, about: &PyObject) -> PyResult<Ref<Delta>> {
        check_about(about, "utcoffset")?;
        Ok(self.offset()?.to_ref())
    }
    /// Return None.
    #[method("($self, object, /)")]
    fn dst(&self, about: &PyObject) -> PyResult<()> {
        check_about(about, "dst")
    }
    /// datetime in UTC -> datetime in local time.
    #[method("($self, object, /)")]
    fn fromutc(&self, object: &PyObject) -> PyResult {
        in_utc(self.as_object(), object)?.shifted(self.offset()?, 1)
    }
    /// pickle support
    #[method("($self, /)")]
    fn __getinitargs__(&self) -> PyResult<Ref<PyTupleObject>> {
        let offset = self.offset()?.as_object();
        Ok(match self.name.borrow() {
            None => PyTupleObject::from_slice(&[offset]),
            Some(name) => PyTupleObject::from_slice(&[offset, name.as_object()]),
        })
    }
}

/// Makes `timezone.utc` and puts the attributes that are timezones into the type.
pub fn add_attributes() -> PyResult<()> {
    const LAST_US: i128 = US_PER_DAY - 60 * super::delta::US_PER_SECOND;
    let utc = TimeZone::make(&*delta_of_us(0)?, None)?;
    UTC.set(Some(utc.clone()));
    let zone = |us| TimeZone::create(&*delta_of_us(us)?, None);
    super::add_attribute(&TIMEZONE_TYPE, "utc", utc.into_object())?;
    super::add_attribute(&TIMEZONE_TYPE, "min", zone(-LAST_US)?.into_object())?;
    super::add_attribute(&TIMEZONE_TYPE, "max", zone(LAST_US)?.into_object())
}

/// Whether static types of C see the same size.
const _: () = assert!(size_of::<TimeZone>() == 32 && size_of::<TzInfo>() == size_of::<PyObject>());

/// A zone's own count of an object, where a struct of C has a bare pointer.
///
/// # Safety
/// The object is dead; `zone` is a pointer that it owned, or null.
pub unsafe fn dealloc_with_zone(object: *mut PyObject, zone: &Cell<*mut PyObject>) {
    // SAFETY: the caller's contract.
    unsafe {
        adder_runtime::memory::xdecref(zone.replace(std::ptr::null_mut()));
        types::free_instance(object);
    }
}
