//! Small headers: genericaliasobject.h, iterobject.h, structseq.h, marshal.h, fileobject.h, pytime.h, picklebufobject.h, bltinmodule.h.

use crate::export::{Void, put, str_from_c};
use adder_runtime::objects::{iterobject, structseq};
use adder_runtime::prelude::*;
use std::ffi::{CStr, c_double};
use std::time::{SystemTime, UNIX_EPOCH};

fn file_method(file: Option<&PyObject>, text: &PyObject) -> PyResult<()> {
    let Some(file) = file else {
        return Err(raise!(TypeError, "writeobject with NULL file"));
    };
    file.call_method(identifier!("write"), &[text]).map(drop)
}

/// Marshal's module function with the version that C gives.
fn marshal(name: &str, object: &PyObject, version: Option<c_int>) -> PyResult {
    let function = crate::import::import_module("marshal")?.get_attr_str(name)?;
    match version {
        Some(version) => function.call(&[object, PyLongObject::from_i64(version as i64).as_object()]),
        None => function.call1(object),
    }
}

fn monotonic_time() -> i64 {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: a place for the time.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}

capi! {
    fn Py_GenericAlias(origin: &PyObject, args: &PyObject) -> PyResult {
        adder_runtime::objects::genericaliasobject::new_generic_alias(origin, args)
    }
    fn PySeqIter_New(sequence: &PyObject) -> PyResult {
        if !sequence.is_sequence() {
            return Err(crate::export::bad_internal_call());
        }
        Ok(iterobject::sequence_iterator(sequence))
    }
    fn PyCallIter_New(callable: &PyObject, sentinel: &PyObject) -> PyResult { iterobject::callable_iterator(callable, sentinel) }

    fn PyMarshal_WriteObjectToString(object: &PyObject, version: c_int) -> PyResult { marshal("dumps", object, Some(version)) }
    fn PyMarshal_ReadObjectFromString(start: *const c_char, n_bytes: isize) -> PyResult {
        // SAFETY: C gives that many bytes.
        let bytes = PyBytesObject::from_slice(unsafe { crate::unicodeobject::c_slice(start, n_bytes) });
        marshal("loads", bytes.as_object(), None)
    }

    fn PyFile_WriteObject(object: Option<&PyObject>, file: Option<&PyObject>, flags: c_int) -> PyResult<()> {
        let Some(object) = object else {
            return file_method(file, PyUnicodeObject::from_str("<NULL>").as_object());
        };
        let text = if flags & Py_PRINT_RAW != 0 { object.str()? } else { object.repr()? };
        file_method(file, text.as_object())
    }
    fn PyFile_WriteString(text: &CStr, file: Option<&PyObject>) -> PyResult<()> {
        if file.is_none() {
            if adder_runtime::error::occurred() {
                return Err(Raised::assume());
            }
            return Err(raise!(SystemError, "null file for PyFile_WriteString"));
        }
        file_method(file, str_from_c(text)?.as_object())
    }
    fn PyFile_GetLine(file: &PyObject, n_chars: c_int) -> PyResult {
        let limit = PyLongObject::from_i64(n_chars as i64);
        let args: &[&PyObject] = if n_chars > 0 { &[limit.as_object()] } else { &[] };
        let line = file.call_method(identifier!("readline"), args)?;
        if n_chars >= 0 {
            return Ok(line);
        }
        let len = line.len()?;
        if len == 0 {
            return Err(raise!(EOFError, "EOF when reading a line"));
        }
        match line.downcast::<PyUnicodeObject>() {
            Ok(text) if text.char_at(len - 1) == 10 => Ok(text.substring(0, len - 1).into_object()),
            Ok(text) => Ok(text.into_object()),
            Err(other) => Ok(match (*other).downcast::<PyBytesObject>().map(PyBytesObject::as_bytes) {
                Some([line @ .., b'\n']) => PyBytesObject::from_slice(line).into_object(),
                _ => other,
            }),
        }
    }
    fn PyFile_FromFd(
        fd: c_int, _name: Option<&CStr>, mode: Option<&CStr>, buffering: c_int, encoding: Option<&CStr>, errors: Option<&CStr>,
        newline: Option<&CStr>, close_fd: c_int
    ) -> PyResult {
        let text = |text: Option<&CStr>| text.map_or_else(|| Ok(none_ref()), |text| str_from_c(text).map(Ref::into_object));
        let mode = str_from_c(mode.unwrap_or(c"r"))?;
        let (fd, buffering) = (PyLongObject::from_i64(fd as i64), PyLongObject::from_i64(buffering as i64));
        let (encoding, errors, newline) = (text(encoding)?, text(errors)?, text(newline)?);
        crate::import::import_module("_io")?.call_method(identifier!("open"), &[
            fd.as_object(), mode.as_object(), buffering.as_object(), &encoding, &errors, &newline, &py_bool(close_fd != 0),
        ])
    }
    fn PyObject_AsFileDescriptorConverter(object: &PyObject, place: *mut c_int) -> c_int {
        match crate::abstract_::file_descriptor(object) {
            Ok(fd) => {
                // SAFETY: C gives a place.
                unsafe { put(place, fd) };
                1
            }
            Err(_) => 0,
        }
    }

    fn PyTime_AsSecondsDouble(time: i64) -> c_double { time as c_double / 1e9 }
    fn PyTime_Monotonic(place: *mut i64) -> PyResult<()> { store_time(place, monotonic_time()) }
    fn PyTime_MonotonicRaw(place: *mut i64) -> PyResult<()> { store_time(place, monotonic_time()) }
    fn PyTime_PerfCounter(place: *mut i64) -> PyResult<()> { store_time(place, monotonic_time()) }
    fn PyTime_PerfCounterRaw(place: *mut i64) -> PyResult<()> { store_time(place, monotonic_time()) }
    fn PyTime_Time(place: *mut i64) -> PyResult<()> { store_time(place, wall_time()) }
    fn PyTime_TimeRaw(place: *mut i64) -> PyResult<()> { store_time(place, wall_time()) }

    fn PyStructSequence_New(ty: &PyTypeObject) -> PyResult {
        let n_fields = ty.as_object().get_attr(identifier!("n_fields"))?;
        let n_fields = crate::longobject::as_ssize(&n_fields)?;
        let sequence = adder_runtime::types::heap::allocate_instance(ty, n_fields)?;
        let n_visible = crate::longobject::as_ssize(&*ty.as_object().get_attr(identifier!("n_sequence_fields"))?)?;
        // SAFETY: a struct sequence is a tuple whose size counts the visible fields.
        let tuple = unsafe { sequence.cast_unchecked::<PyTupleObject>() };
        tuple.ob_base.ob_size.set(n_visible);
        tuple.ob_hash.set(-1);
        Ok(sequence)
    }
    fn PyStructSequence_NewType(desc: *mut PyStructSequence_Desc) -> PyResult {
        // SAFETY: C gives a description that lives as long as the type.
        new_struct_sequence(unsafe { &*desc })
    }
    fn PyStructSequence_InitType2(ty: *mut PyTypeObject, desc: *mut PyStructSequence_Desc) -> PyResult<()> {
        // SAFETY: C gives a static type and its description.
        with_desc(unsafe { &*desc }, |desc| structseq::init_type(unsafe { &*ty }, desc))
    }
    fn PyStructSequence_InitType(ty: *mut PyTypeObject, desc: *mut PyStructSequence_Desc) -> Void {
        // SAFETY: C gives a static type and its description.
        if let Err(raised) = with_desc(unsafe { &*desc }, |desc| structseq::init_type(unsafe { &*ty }, desc)) {
            debug_assert!(adder_runtime::error::occurred(), "{raised:?}");
        }
        Void
    }
}

/// A C text as Rust text that lives as long as the process, as C's own does.
///
/// # Safety
/// It is terminated or NULL.
unsafe fn static_text(text: *const c_char) -> Option<&'static str> {
    if text.is_null() {
        return None;
    }
    // SAFETY: the caller's contract.
    unsafe { CStr::from_ptr(text) }.to_str().ok()
}

/// The rows of a description, up to the one with a NULL name.
fn struct_fields(desc: &PyStructSequence_Desc) -> Vec<structseq::Field> {
    let mut fields = Vec::new();
    let mut next = desc.fields.get();
    // SAFETY: C gives an array that ends with a NULL name; names and texts live as long as the type.
    while let Some(row) = unsafe { next.as_ref() }.filter(|row| !row.name.get().is_null()) {
        let unnamed = std::ptr::eq(
            row.name.get(),
            crate::osmodule::PyStructSequence_UnnamedField.as_ptr(),
        );
        // SAFETY: as above.
        let (name, doc) = unsafe {
            (
                static_text(row.name.get()),
                static_text(row.doc.get()).unwrap_or(""),
            )
        };
        fields.push(structseq::Field {
            name: name.filter(|_| !unnamed),
            doc,
        });
        next = next.wrapping_add(1);
    }
    fields
}

/// The description in Rust's words, for the runtime's maker of such types.
fn with_desc<T>(desc: &PyStructSequence_Desc, f: impl FnOnce(&structseq::Desc<'_>) -> T) -> T {
    let fields = struct_fields(desc);
    // SAFETY: C gives terminated texts.
    let (name, doc) = unsafe {
        (
            static_text(desc.name.get()).unwrap_or("?"),
            static_text(desc.doc.get()).unwrap_or(""),
        )
    };
    let n_in_sequence = desc.n_in_sequence.get().max(0) as usize;
    f(&structseq::Desc {
        name,
        doc,
        fields: &fields,
        n_in_sequence,
        instantiable: true,
    })
}

fn new_struct_sequence(desc: &PyStructSequence_Desc) -> PyResult {
    with_desc(desc, |desc| Ok(structseq::new_type(desc)?.as_object().to_ref()))
}

fn store_time(place: *mut i64, time: i64) -> PyResult<()> {
    // SAFETY: C gives a place.
    unsafe { put(place, time) };
    Ok(())
}

fn wall_time() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos() as i64)
}
