//! sysmodule.h: attributes of `sys`, its streams, audit hooks.

use crate::export::{Borrowed, Name, OutRef, Reported, Void, str_from_c};
use crate::va::VaList;
use adder_runtime::prelude::*;
use std::ffi::CStr;

fn sys_dict() -> PyResult<Ref> {
    crate::import::import_module("sys")
}

/// `sys.name`.
pub fn sys_attribute(name: &PyUnicodeObject) -> PyResult {
    sys_dict()?.get_attr(name)
}

/// `sys.name`, when there is one; never raises.
pub fn sys_attribute_opt(name: &PyUnicodeObject) -> Option<Ref> {
    sys_dict()
        .and_then(|sys| sys.get_attr_opt(name))
        .unwrap_or_else(|raised| {
            raised.clear();
            None
        })
}

pub fn set_sys_attribute(name: &PyUnicodeObject, value: &PyObject) -> PyResult<()> {
    sys_dict()?.set_attr(name, value)
}

/// `sys.getdlopenflags()`.
pub fn dlopen_flags() -> c_int {
    let flags = sys_dict().and_then(|sys| match sys.get_attr_opt(identifier!("getdlopenflags"))? {
        Some(function) => crate::longobject::as_c_int(&*function.call0()?),
        None => Ok(libc::RTLD_NOW),
    });
    flags.unwrap_or_else(|raised| {
        raised.clear();
        libc::RTLD_NOW
    })
}

type AuditHook = unsafe extern "C" fn(*const c_char, *mut PyObject, *mut c_void) -> c_int;

struct AuditHooks(std::cell::RefCell<Vec<(AuditHook, usize)>>);
// SAFETY: the GIL orders all access.
unsafe impl Sync for AuditHooks {}
static AUDIT_HOOKS: AuditHooks = AuditHooks(std::cell::RefCell::new(Vec::new()));

/// Whether anybody listens to audit events: C hooks here, Python hooks in the runtime.
pub fn has_audit_hooks() -> bool {
    !AUDIT_HOOKS.0.borrow().is_empty() || adder_runtime::hooks::get().is_some()
}

/// Raises an audit event: C hooks first, then those of `sys.addaudithook`.
pub fn audit(event: &CStr, args: &PyTupleObject) -> PyResult<()> {
    let hooks = AUDIT_HOOKS.0.borrow().clone();
    for (hook, data) in hooks {
        // SAFETY: the hook's contract is C's.
        if unsafe { hook(event.as_ptr(), args.as_ptr(), data as *mut c_void) } < 0 {
            return Err(Raised::from_c("audit hook"));
        }
    }
    adder_runtime::hooks::audit(&event.to_string_lossy(), args.as_slice())
}

/// Writes to `sys.stdout` or `sys.stderr`, else to the C stream. An exception that is set stays.
fn write(to_stderr: c_int, text: &PyUnicodeObject) {
    adder_runtime::error::preserving_exception(|| {
        let name = if to_stderr != 0 {
            identifier!("stderr")
        } else {
            identifier!("stdout")
        };
        let stream = sys_attribute_opt(name).filter(|stream| !is_none(stream));
        let written = stream.map(|stream| stream.call_method(identifier!("write"), &[text.as_object()]));
        match written {
            Some(Ok(_)) => {}
            other => {
                if let Some(Err(raised)) = other {
                    raised.clear();
                }
                let text = text.to_string_lossy();
                if to_stderr != 0 {
                    eprint!("{text}")
                } else {
                    print!("{text}")
                }
            }
        }
    });
}

capi! {
    fn PySys_GetObject(name: Name) -> Reported<Borrowed> {
        // The sys module keeps it.
        Reported(Ok(Borrowed(sys_attribute_opt(&name).map_or(std::ptr::null_mut(), |value| value.as_raw()))))
    }
    fn PySys_GetAttr(name: &PyUnicodeObject) -> PyResult { required(name) }
    fn PySys_GetAttrString(name: Name) -> PyResult { required(&name) }
    fn PySys_GetOptionalAttr(name: &PyUnicodeObject, place: OutRef) -> PyResult<bool> {
        crate::object::give_optional(place, sys_dict().and_then(|sys| sys.get_attr_opt(name)))
    }
    fn PySys_GetOptionalAttrString(name: Name, place: OutRef) -> PyResult<bool> {
        crate::object::give_optional(place, sys_dict().and_then(|sys| sys.get_attr_opt(&name)))
    }
    fn PySys_SetObject(name: Name, value: Option<&PyObject>) -> PyResult<()> {
        match value {
            Some(value) => set_sys_attribute(&name, value),
            None if sys_attribute_opt(&name).is_some() => sys_dict()?.del_attr(&name),
            None => Ok(()),
        }
    }
    fn PySys_GetXOptions() -> PyResult<Borrowed> {
        // The sys module keeps them.
        match sys_attribute_opt(identifier!("_xoptions")) {
            Some(options) if PyDictObject::check(&options) => Ok(Borrowed(options.as_raw())),
            _ => {
                let options = PyDictObject::new();
                set_sys_attribute(identifier!("_xoptions"), options.as_object())?;
                Ok(Borrowed(options.as_object().as_ptr()))
            }
        }
    }
    fn PySys_AddAuditHook(hook: *mut c_void, data: *mut c_void) -> PyResult<()> {
        // SAFETY: C gives an audit hook.
        let hook = unsafe { std::mem::transmute::<*mut c_void, AuditHook>(hook) };
        AUDIT_HOOKS.0.borrow_mut().push((hook, data as usize));
        Ok(())
    }
    fn PySys_AuditTuple(event: &CStr, args: Option<&PyObject>) -> PyResult<()> {
        match args {
            None => audit(event, &PyTupleObject::empty()),
            Some(args) => match args.downcast::<PyTupleObject>() {
                Some(args) => audit(event, args),
                None => Err(raise!(TypeError, "expected tuple, got {}", args.ty().name())),
            },
        }
    }
    fn PySys_AddWarnOption(option: *const wchar_t) -> Void {
        if let Err(raised) = add_warn_option(crate::unicodeobject::from_wide(option, -1)) {
            raised.clear();
        }
        Void
    }
    fn PySys_AddWarnOptionUnicode(option: &PyUnicodeObject) -> Void {
        if let Err(raised) = add_warn_option(Ok(option.to_ref())) {
            raised.clear();
        }
        Void
    }
    fn PySys_ResetWarnOptions() -> Void {
        if let Some(options) = sys_attribute_opt(identifier!("warnoptions"))
            && let Err(raised) = options.call_method(identifier!("clear"), &[])
        {
            raised.clear();
        }
        Void
    }
    fn PySys_HasWarnOptions() -> c_int {
        c_int::from(sys_attribute_opt(identifier!("warnoptions")).is_some_and(|options| options.len().is_ok_and(|len| len > 0)))
    }
    fn adder_PySys_FormatV(to_stderr: c_int, format: &CStr, args: VaList) -> PyResult<()> {
        let text = adder_runtime::error::preserving_exception(|| crate::unicode_format::format_unicode(format, &args));
        write(to_stderr, &*text?);
        Ok(())
    }
    fn adder_PySys_WriteBytes(to_stderr: c_int, text: &CStr) -> PyResult<()> {
        write(to_stderr, &PyUnicodeObject::from_str(&text.to_string_lossy()));
        Ok(())
    }
    fn _PySys_GetSizeOf(object: &PyObject) -> PyResult<usize> {
        let size = sys_attribute(identifier!("getsizeof"))?.call1(object)?;
        crate::longobject::as_mask(&size).map(|size| size as usize)
    }
}

fn required(name: &PyUnicodeObject) -> PyResult {
    match sys_dict()?.get_attr_opt(name)? {
        Some(value) => Ok(value),
        None => Err(raise!(RuntimeError, "lost sys.{}", name.to_string_lossy())),
    }
}

fn add_warn_option(option: PyResult<Ref<PyUnicodeObject>>) -> PyResult<()> {
    let options = sys_attribute(identifier!("warnoptions"))?;
    options
        .call_method(identifier!("append"), &[option?.as_object()])
        .map(drop)
}

/// The attribute as text, for the getters of paths that predate `sys`.
pub fn sys_text(name: &str) -> String {
    let name = str_from_c(&std::ffi::CString::new(name).unwrap_or_default());
    name.ok()
        .and_then(|name| sys_attribute_opt(&name))
        .and_then(|value| value.str().ok())
        .map(|text| text.to_string_lossy())
        .unwrap_or_default()
}
