//! Calls: from registers to frames. Arguments move into the callee's registers; a call that has exactly the positional
//! arguments that the code wants needs no binding, every other one is bound by `bind_arguments`.

use crate::eval;
use crate::frame::*;
use adder_runtime::abi::*;
use adder_runtime::memory::{decref, xdecref};
use adder_runtime::objects::classobject::PyMethod_Type;
use adder_runtime::objects::codeobject::CodeData;
use adder_runtime::objects::funcobject::PyFunction_Type;
use adder_runtime::prelude::*;
use adder_runtime::protocol::call::vectorcall;
use adder_runtime::thread::{ThreadState, check_native_stack, thread_state};
use std::ptr::null_mut;

/// What a call instruction did.
pub enum Called {
    /// An owned result.
    Value(*mut PyObject),
    /// A new frame to enter; the operands are taken.
    Frame(*mut Frame),
    Raised,
}

fn is_type(object: *mut PyObject, ty: &'static PyTypeObject) -> bool {
    // SAFETY: callers pass live objects.
    unsafe { std::ptr::eq((*object).ob_type.get(), ty) }
}

/// Replaces a bound method in `args[0]` by its function, and fills `args[1]` with its `self`.
///
/// # Safety
/// `args[0]` is a `PyMethodObject`, `args[1]` is empty.
#[inline(always)]
pub unsafe fn unpack_method(args: *mut *mut PyObject) {
    // SAFETY: the caller's contract.
    unsafe {
        let method = (*args).cast::<PyMethodObject>();
        let function = (*method).im_func.get();
        let this = (*method).im_self.get();
        (*function).incref();
        (*this).incref();
        *args = function;
        *args.add(1) = this;
        decref(method.cast());
    }
}

/// Whether the interpreter itself runs calls of this function.
#[inline(always)]
unsafe fn is_ours(callable: *mut PyObject) -> bool {
    // SAFETY: the type is checked first.
    unsafe {
        is_type(callable, &PyFunction_Type)
            && (*callable.cast::<PyFunctionObject>())
                .vectorcall
                .get()
                .is_some_and(|slot| slot as usize == function_vectorcall as *const () as usize)
    }
}

/// CALL: `args[0]` is the callable, `args[1]` its `self` or empty, then `n` arguments.
///
/// # Safety
/// The registers hold owned objects as described.
#[inline(always)]
pub unsafe fn call(ts: &'static ThreadState, args: *mut *mut PyObject, n: usize) -> Called {
    // SAFETY: the caller's contract.
    unsafe {
        if (*args.add(1)).is_null() && is_type(*args, &PyMethod_Type) {
            unpack_method(args);
        }
        let callable = *args;
        let (first, n_args) = if (*args.add(1)).is_null() {
            (args.add(2), n)
        } else {
            (args.add(1), n + 1)
        };
        if is_ours(callable) {
            *args = null_mut();
            return match push_call(ts, callable.cast(), first, n_args, None) {
                Ok(frame) => Called::Frame(frame),
                Err(_) => Called::Raised,
            };
        }
        match vectorcall(
            &*callable,
            first,
            n_args | PY_VECTORCALL_ARGUMENTS_OFFSET,
            null_mut(),
        ) {
            Ok(value) => Called::Value(value.into_raw()),
            Err(_) => Called::Raised,
        }
    }
}

/// CALL_KW: as `call`; `names` is the tuple of the names of the last arguments.
///
/// # Safety
/// As `call`; `names` is a tuple of at most `n` names.
pub unsafe fn call_keywords(
    ts: &'static ThreadState,
    args: *mut *mut PyObject,
    n: usize,
    names: *mut PyObject,
) -> Called {
    // SAFETY: the caller's contract.
    unsafe {
        if (*args.add(1)).is_null() && is_type(*args, &PyMethod_Type) {
            unpack_method(args);
        }
        let callable = *args;
        let (first, n_args) = if (*args.add(1)).is_null() {
            (args.add(2), n)
        } else {
            (args.add(1), n + 1)
        };
        let n_positional = n_args - (*names.cast::<PyTupleObject>()).len();
        if is_ours(callable) {
            *args = null_mut();
            return match push_call(ts, callable.cast(), first, n_positional, Some(&*names.cast())) {
                Ok(frame) => Called::Frame(frame),
                Err(_) => Called::Raised,
            };
        }
        match vectorcall(
            &*callable,
            first,
            n_positional | PY_VECTORCALL_ARGUMENTS_OFFSET,
            names,
        ) {
            Ok(value) => Called::Value(value.into_raw()),
            Err(_) => Called::Raised,
        }
    }
}

/// CALL_EX: `args[0](*args[2], **args[3])`.
///
/// # Safety
/// The registers hold owned objects; `args[3]` is a dict when there are keywords, and not to be looked at otherwise.
pub unsafe fn call_ex(ts: &'static ThreadState, args: *mut *mut PyObject, has_keywords: bool) -> Called {
    // SAFETY: the caller's contract.
    let (callable, positional, keywords) = unsafe {
        (
            &**args,
            Ref::from_borrowed(*args.add(2)),
            has_keywords.then(|| Ref::from_borrowed((*args.add(3)).cast::<PyDictObject>())),
        )
    };
    let result = (|| {
        let tuple = match positional.downcast::<PyTupleObject>() {
            Ok(tuple) if PyTupleObject::check_exact(tuple.as_object()) => tuple,
            Ok(subclass) => subclass.as_object().to_tuple()?,
            Err(other) => {
                if other.ty().tp_iter.get().is_none() && !other.is_sequence() {
                    return Err(raise!(
                        TypeError,
                        "{} argument after * must be an iterable, not {}",
                        function_text(callable)?,
                        other.ty().name()
                    ));
                }
                other.to_tuple()?
            }
        };
        let keywords = keywords.filter(|keywords| keywords.len() != 0);
        const FEW: usize = 24;
        // SAFETY: the type is checked.
        if !unsafe { is_ours(callable.as_ptr()) } {
            return callable
                .call_tuple(&tuple, keywords.as_deref())
                .map(|value| Called::Value(value.into_raw()));
        }
        let function = callable.to_ref().into_raw().cast();
        let items = tuple.as_slice().as_ptr().cast::<*mut PyObject>();
        if keywords.is_none() {
            // SAFETY: the tuple keeps the arguments while they are bound.
            return unsafe { new_call_frame(ts, function, items, tuple.len(), None) }.map(Called::Frame);
        }
        // Arguments, then the names of the last of them.
        let (n_positional, n_keywords) = (
            tuple.len(),
            keywords.as_ref().map_or(0, |keywords| keywords.len()),
        );
        let mut few = [null_mut::<PyObject>(); FEW];
        let mut many = Vec::new();
        let room = if n_positional + 2 * n_keywords <= FEW {
            few.as_mut_slice()
        } else {
            many.resize(n_positional + 2 * n_keywords, null_mut());
            many.as_mut_slice()
        };
        let (values, names) = room.split_at_mut(n_positional + n_keywords);
        for (place, item) in values.iter_mut().zip(tuple.as_slice()) {
            *place = item.as_ptr();
        }
        if let Some(keywords) = &keywords {
            let mut position = 0;
            for index in 0..n_keywords {
                let Some((name, value, _)) = keywords.next_entry(&mut position) else {
                    break;
                };
                if !PyUnicodeObject::check(name) {
                    // SAFETY: the function's count is ours.
                    unsafe { decref(callable.as_ptr()) };
                    return Err(raise!(TypeError, "keywords must be strings"));
                }
                values[n_positional + index] = value.as_ptr();
                names[index] = name.as_ptr();
            }
        }
        // SAFETY: as many names as the dict has entries; they are live.
        let names = unsafe { std::slice::from_raw_parts(names.as_ptr().cast::<&PyObject>(), n_keywords) };
        let names = PyTupleObject::from_slice(names);
        // SAFETY: the tuple and the dict keep the arguments while they are bound.
        unsafe { new_call_frame(ts, function, values.as_ptr(), n_positional, Some(&*names)) }
            .map(Called::Frame)
    })();
    match result {
        Ok(called) => {
            if let Called::Frame(_) = called {
                // SAFETY: the operands are consumed.
                unsafe { eval::ops::clear_registers(args, 3 + usize::from(has_keywords)) };
            }
            called
        }
        Err(_) => Called::Raised,
    }
}

/// How error messages name a callable: `module.qualname()`, or its `str`.
pub fn function_text(function: &PyObject) -> PyResult<String> {
    let Some(qualname) = function.get_attr_opt(identifier!("__qualname__"))? else {
        return Ok(function.str()?.to_string_lossy());
    };
    let qualname = qualname.str()?.to_string_lossy();
    match function.get_attr_opt(identifier!("__module__"))? {
        Some(module) if !is_none(&module) => {
            let module = module.str()?.to_string_lossy();
            Ok(if module == "builtins" {
                format!("{qualname}()")
            } else {
                format!("{module}.{qualname}()")
            })
        }
        _ => Ok(format!("{qualname}()")),
    }
}

/// A frame for a call of `function`, whose count is taken, as are the arguments': their registers are left empty.
///
/// # Safety
/// `args` holds `n_positional` owned objects, then one for each keyword name.
#[inline(always)]
pub unsafe fn push_call(
    ts: &'static ThreadState,
    function: *mut PyFunctionObject,
    args: *mut *mut PyObject,
    n_positional: usize,
    names: Option<&PyTupleObject>,
) -> PyResult<*mut Frame> {
    // SAFETY: the caller's contract.
    unsafe {
        let code = (*function).func_code.get().cast::<PyCodeObject>();
        let data = &*(*code).adder_code.get().cast::<CodeData>();
        if names.is_none() && data.simple_arguments && data.n_args as usize == n_positional {
            let frame = match push_frame(ts, function, null_mut(), n_positional) {
                Ok(frame) => frame,
                Err(raised) => {
                    drop_arguments(args, n_positional);
                    return Err(raised);
                }
            };
            let registers = Frame::registers(frame);
            for index in 0..n_positional {
                *registers.add(index) = *args.add(index);
                *args.add(index) = null_mut();
            }
            return Ok(frame);
        }
        if names.is_none()
            && data.simple_arguments
            && let Some(defaults) = defaults_for(function, data, n_positional)
        {
            return push_call_with_defaults(ts, function, args, n_positional, defaults);
        }
        push_call_bound(ts, function, args, n_positional, names)
    }
}

/// The defaults that stand in for the arguments that are missing, when only those are.
///
/// # Safety
/// A live function whose code is `data`'s.
#[inline(always)]
unsafe fn defaults_for<'a>(
    function: *mut PyFunctionObject,
    data: &CodeData,
    n_positional: usize,
) -> Option<&'a [&'a PyObject]> {
    let n_missing = (data.n_args as usize).checked_sub(n_positional)?;
    // SAFETY: a tuple or null.
    let defaults = unsafe { (*function).func_defaults.get().cast::<PyTupleObject>().as_ref() }?;
    let first = defaults.len().checked_sub(n_missing)?;
    Some(&defaults.as_slice()[first..])
}

/// As `push_call` of a function with simple arguments, the last of which are `defaults`.
///
/// # Safety
/// As `push_call`; the function owns the defaults.
#[inline(never)]
pub unsafe fn push_call_with_defaults(
    ts: &'static ThreadState,
    function: *mut PyFunctionObject,
    args: *mut *mut PyObject,
    n_positional: usize,
    defaults: &[&PyObject],
) -> PyResult<*mut Frame> {
    // SAFETY: the caller's contract; the frame has a register for each argument.
    unsafe {
        let n_args = n_positional + defaults.len();
        let frame = match push_frame(ts, function, null_mut(), n_args) {
            Ok(frame) => frame,
            Err(raised) => {
                drop_arguments(args, n_positional);
                return Err(raised);
            }
        };
        let registers = Frame::registers(frame);
        for index in 0..n_positional {
            *registers.add(index) = std::ptr::replace(args.add(index), null_mut());
        }
        for (index, value) in defaults.iter().enumerate() {
            value.incref();
            *registers.add(n_positional + index) = value.as_ptr();
        }
        Ok(frame)
    }
}

/// CALL_PY_EXACT with fewer arguments than the function takes: a frame if it has defaults for all the others, else nothing is
/// done.
///
/// # Safety
/// As `push_call`, and the function has simple arguments.
#[inline(never)]
pub unsafe fn push_call_short(
    ts: &'static ThreadState,
    function: *mut PyFunctionObject,
    args: *mut *mut PyObject,
    n_positional: usize,
) -> Option<PyResult<*mut Frame>> {
    // SAFETY: the caller's contract.
    unsafe {
        let defaults = defaults_for(function, (*function).code().data(), n_positional)?;
        Some(push_call_with_defaults(
            ts,
            function,
            args,
            n_positional,
            defaults,
        ))
    }
}

/// Drops those arguments that were not moved elsewhere.
unsafe fn drop_arguments(args: *mut *mut PyObject, n: usize) {
    // SAFETY: the caller owns them.
    unsafe {
        for index in 0..n {
            xdecref(std::ptr::replace(args.add(index), null_mut()));
        }
    }
}

#[inline(never)]
unsafe fn push_call_bound(
    ts: &'static ThreadState,
    function: *mut PyFunctionObject,
    args: *mut *mut PyObject,
    n_positional: usize,
    names: Option<&PyTupleObject>,
) -> PyResult<*mut Frame> {
    // SAFETY: the caller's contract.
    unsafe {
        let n_all = n_positional + names.map_or(0, |names| names.len());
        let result = new_bound_frame::<true>(ts, function, args, n_positional, names);
        drop_arguments(args, n_all);
        result
    }
}

/// As `push_call` with borrowed arguments; the function's count is taken.
///
/// # Safety
/// `args` holds `n_positional` live objects, then one for each keyword name.
pub unsafe fn new_call_frame(
    ts: &'static ThreadState,
    function: *mut PyFunctionObject,
    args: *const *mut PyObject,
    n_positional: usize,
    names: Option<&PyTupleObject>,
) -> PyResult<*mut Frame> {
    // SAFETY: the caller's contract.
    unsafe {
        let code = &*(*function).func_code.get().cast::<PyCodeObject>();
        let data = code.data();
        if names.is_none() && data.simple_arguments && data.n_args as usize == n_positional {
            let frame = push_frame(ts, function, null_mut(), n_positional)?;
            let registers = Frame::registers(frame);
            for index in 0..n_positional {
                let value = *args.add(index);
                (*value).incref();
                *registers.add(index) = value;
            }
            return Ok(frame);
        }
        new_bound_frame::<false>(ts, function, args.cast_mut(), n_positional, names)
    }
}

/// A frame with its arguments bound. With `MOVE`, arguments may be taken from `args`, and are null then.
///
/// # Safety
/// As `new_call_frame`; with `MOVE` the caller owns the arguments.
unsafe fn new_bound_frame<const MOVE: bool>(
    ts: &'static ThreadState,
    function: *mut PyFunctionObject,
    args: *mut *mut PyObject,
    n_positional: usize,
    names: Option<&PyTupleObject>,
) -> PyResult<*mut Frame> {
    // SAFETY: the caller's contract.
    unsafe {
        let locals = if (*function).code().co_flags.get() & CO_OPTIMIZED != 0 {
            null_mut()
        } else {
            (*function).globals().to_object().into_raw()
        };
        let frame = push_frame(ts, function, locals, 0)?;
        if let Err(raised) = bind_arguments::<MOVE>(frame, args, n_positional, names) {
            pop_frame(ts, frame);
            return Err(raised);
        }
        Ok(frame)
    }
}

/// Fills the argument registers of a fresh frame.
unsafe fn bind_arguments<const MOVE: bool>(
    frame: *mut Frame,
    args: *mut *mut PyObject,
    n_positional: usize,
    names: Option<&PyTupleObject>,
) -> PyResult<()> {
    // SAFETY: the frame is fresh; its registers are empty; `args` is the caller's.
    unsafe {
        let function = (*frame).func();
        let code = (*frame).code();
        let data = &*(*frame).data;
        let registers = Frame::registers(frame);
        let (n_args, n_kwonly) = (data.n_args as usize, data.n_kwonly as usize);
        let n_named = n_args + n_kwonly;
        let has_varargs = code.co_flags.get() & CO_VARARGS != 0;
        let has_varkw = code.co_flags.get() & CO_VARKEYWORDS != 0;

        let n_copied = n_positional.min(n_args);
        for index in 0..n_copied {
            let value = *args.add(index);
            if MOVE {
                *args.add(index) = null_mut();
            } else {
                (*value).incref();
            }
            *registers.add(index) = value;
        }
        if has_varargs {
            // C may call with no arguments at all, and no array.
            let rest: &[&PyObject] = if n_positional > n_copied {
                std::slice::from_raw_parts(args.add(n_copied).cast(), n_positional - n_copied)
            } else {
                &[]
            };
            *registers.add(n_named) = PyTupleObject::from_slice(rest).into_object_raw();
        }
        let keywords = if has_varkw {
            let dict = PyDictObject::new();
            let place = n_named + usize::from(has_varargs);
            *registers.add(place) = dict.to_object().into_raw();
            Some(dict)
        } else {
            None
        };
        if let Some(names) = names {
            bind_keywords(
                function,
                code,
                registers,
                names,
                args.add(n_positional),
                keywords.as_deref(),
            )?;
        }
        if n_positional > n_args && !has_varargs {
            return Err(too_many_positional(function, code, n_positional, registers));
        }
        if n_positional < n_args {
            let defaults = function.defaults();
            let n_defaults = defaults.map_or(0, |defaults| defaults.len());
            let n_required = n_args - n_defaults.min(n_args);
            if (n_positional..n_required).any(|index| (*registers.add(index)).is_null()) {
                return Err(missing_arguments(
                    function,
                    code,
                    n_required,
                    0,
                    registers,
                    "positional",
                ));
            }
            if let Some(defaults) = defaults {
                let skip = n_defaults.saturating_sub(n_args);
                for index in n_required.max(n_positional)..n_args {
                    if (*registers.add(index)).is_null() {
                        let value = defaults.as_slice()[skip + index - n_required];
                        *registers.add(index) = value.to_ref().into_raw();
                    }
                }
            }
        }
        if n_kwonly > 0 {
            let defaults = function.kwdefaults();
            let mut missing = false;
            for index in n_args..n_named {
                if !(*registers.add(index)).is_null() {
                    continue;
                }
                let value = match defaults {
                    Some(defaults) => defaults.get(code.local_name(index).as_object())?,
                    None => None,
                };
                match value {
                    Some(value) => *registers.add(index) = value.into_raw(),
                    None => missing = true,
                }
            }
            if missing {
                return Err(missing_arguments(
                    function,
                    code,
                    n_named,
                    n_args,
                    registers,
                    "keyword-only",
                ));
            }
        }
        Ok(())
    }
}

unsafe fn bind_keywords(
    function: &PyFunctionObject,
    code: &PyCodeObject,
    registers: *mut *mut PyObject,
    names: &PyTupleObject,
    values: *const *mut PyObject,
    keywords: Option<&PyDictObject>,
) -> PyResult<()> {
    let data = code.data();
    let n_named = (data.n_args + data.n_kwonly) as usize;
    let n_posonly = data.n_posonly as usize;
    let parameters = &code.localsplus_names().as_slice()[..n_named];
    for (at, name) in names.as_slice().iter().enumerate() {
        // SAFETY: a value a name.
        let value = unsafe { &**values.add(at) };
        let Some(text) = name.downcast::<PyUnicodeObject>() else {
            return Err(raise!(
                TypeError,
                "{}() keywords must be strings",
                function.qualname().to_string_lossy()
            ));
        };
        let mut found = (n_posonly..n_named).find(|index| parameters[*index].is(name));
        if found.is_none() {
            found = (n_posonly..n_named).find(|index| code.local_name(*index).eq(text));
        }
        match found {
            Some(index) => {
                // SAFETY: the index is below n_localsplus.
                let place = unsafe { &mut *registers.add(index) };
                if !place.is_null() {
                    return Err(raise!(
                        TypeError,
                        "{}() got multiple values for argument '{}'",
                        function.qualname().to_string_lossy(),
                        text.to_string_lossy()
                    ));
                }
                *place = value.to_ref().into_raw();
            }
            None => match keywords {
                Some(keywords) => keywords.set(name, value)?,
                None => return Err(unexpected_keyword(function, code, names, text)),
            },
        }
    }
    Ok(())
}

#[cold]
fn unexpected_keyword(
    function: &PyFunctionObject,
    code: &PyCodeObject,
    names: &PyTupleObject,
    name: &PyUnicodeObject,
) -> Raised {
    let data = code.data();
    let qualname = function.qualname().to_string_lossy();
    let given = |parameter: &PyUnicodeObject| {
        names.as_slice().iter().any(|name| {
            name.downcast::<PyUnicodeObject>()
                .is_some_and(|name| name.eq(parameter))
        })
    };
    let as_keywords: Vec<String> = (0..data.n_posonly as usize)
        .map(|index| code.local_name(index))
        .filter(|parameter| given(parameter))
        .map(|parameter| parameter.to_string_lossy())
        .collect();
    if !as_keywords.is_empty() {
        return raise!(
            TypeError,
            "{qualname}() got some positional-only arguments passed as keyword arguments: '{}'",
            as_keywords.join(", ")
        );
    }
    let name = name.to_string_lossy();
    let possible: Vec<String> = (data.n_posonly as usize..(data.n_args + data.n_kwonly) as usize)
        .map(|index| code.local_name(index).to_string_lossy())
        .collect();
    match crate::suggestions::best_match(&name, possible.iter().map(String::as_str)) {
        Some(other) => raise!(
            TypeError,
            "{qualname}() got an unexpected keyword argument '{name}'. Did you mean '{other}'?"
        ),
        None => raise!(
            TypeError,
            "{qualname}() got an unexpected keyword argument '{name}'"
        ),
    }
}

#[cold]
fn too_many_positional(
    function: &PyFunctionObject,
    code: &PyCodeObject,
    given: usize,
    registers: *mut *mut PyObject,
) -> Raised {
    let data = code.data();
    let (n_args, n_kwonly) = (data.n_args as usize, data.n_kwonly as usize);
    // SAFETY: argument registers.
    let n_kwonly_given = (n_args..n_args + n_kwonly)
        .filter(|index| unsafe { !(*registers.add(*index)).is_null() })
        .count();
    let n_defaults = function.defaults().map_or(0, |defaults| defaults.len());
    let (plural, takes) = if n_defaults > 0 {
        (
            true,
            format!("from {} to {n_args}", n_args.saturating_sub(n_defaults)),
        )
    } else {
        (n_args != 1, n_args.to_string())
    };
    let keyword_part = if n_kwonly_given > 0 {
        format!(
            " positional argument{} (and {n_kwonly_given} keyword-only argument{})",
            if given == 1 { "" } else { "s" },
            if n_kwonly_given == 1 { "" } else { "s" }
        )
    } else {
        String::new()
    };
    raise!(
        TypeError,
        "{}() takes {takes} positional argument{} but {given}{keyword_part} {} given",
        function.qualname().to_string_lossy(),
        if plural { "s" } else { "" },
        if given == 1 && n_kwonly_given == 0 {
            "was"
        } else {
            "were"
        }
    )
}

#[cold]
fn missing_arguments(
    function: &PyFunctionObject,
    code: &PyCodeObject,
    end: usize,
    start: usize,
    registers: *mut *mut PyObject,
    kind: &str,
) -> Raised {
    let names: Vec<String> = (start..end)
        // SAFETY: argument registers.
        .filter(|index| unsafe { (*registers.add(*index)).is_null() })
        .map(|index| format!("'{}'", code.local_name(index).to_string_lossy()))
        .collect();
    let list = match names.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [one, two] => format!("{one} and {two}"),
        [first @ .., last] => format!("{}, and {last}", first.join(", ")),
    };
    raise!(
        TypeError,
        "{}() missing {} required {kind} argument{}: {list}",
        function.qualname().to_string_lossy(),
        names.len(),
        if names.len() == 1 { "" } else { "s" }
    )
}

/// The vectorcall of Python functions: how native code calls them.
pub unsafe extern "C" fn function_vectorcall(
    callable: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> *mut PyObject {
    let ts = thread_state();
    if check_native_stack("").is_err() {
        return null_mut();
    }
    // SAFETY: vectorcall's contract; the new frame is linked before it runs.
    unsafe {
        (*callable).incref();
        let n = PyVectorcall_NARGS(nargsf);
        let function = callable.cast::<PyFunctionObject>();
        let names = if kwnames.is_null() || (*kwnames.cast::<PyTupleObject>()).len() == 0 {
            None
        } else {
            Some(&*kwnames.cast::<PyTupleObject>())
        };
        match new_call_frame(ts, function, args, n, names) {
            Ok(frame) => run_new_frame(ts, frame),
            Err(_) => null_mut(),
        }
    }
}

/// Links a frame of the stack and runs it to its end.
///
/// # Safety
/// The frame is complete and the innermost on the stack.
pub unsafe fn run_new_frame(ts: &'static ThreadState, frame: *mut Frame) -> *mut PyObject {
    // SAFETY: the caller's contract.
    unsafe {
        (*frame).exit = FrameExit::Native;
        (*frame).previous = current_frame(ts);
        ts.base.current_frame.set(frame.cast());
        eval::run(ts, frame, false)
    }
}

/// Runs module or class code: `function` takes no arguments, names are stored in `locals`.
pub fn run_in_locals(function: Ref<PyFunctionObject>, locals: Ref) -> PyResult {
    let ts = thread_state();
    let data = function.code().data();
    let flags = function.code().co_flags.get();
    if data.n_args + data.n_kwonly > 0 || flags & (CO_VARARGS | CO_VARKEYWORDS) != 0 {
        // A function's code: its parameters are bound, or found to be missing.
        return function.as_object().call0();
    }
    check_native_stack("")?;
    // SAFETY: the function is live; the frame is complete, as the code takes no arguments.
    unsafe {
        let flags = function.code().co_flags.get();
        let locals = if flags & CO_OPTIMIZED != 0 {
            null_mut()
        } else {
            locals.into_raw()
        };
        let frame = push_frame(ts, function.into_raw(), locals, 0)?;
        let result = run_new_frame(ts, frame);
        Ref::from_owned_opt(result).ok_or_else(Raised::assume)
    }
}

/// Whether a callable is a builtin function of METH_O (`one`), or of METH_FASTCALL, with or without METH_KEYWORDS, or of
/// METH_NOARGS when there are no arguments. Not its identity but its convention fits a specialised call, so that bound
/// methods, which are made anew for each object, do too.
///
/// # Safety
/// `callable` is live.
#[inline(always)]
pub unsafe fn is_builtin(callable: *mut PyObject, one: bool, n: usize) -> bool {
    // SAFETY: the caller's contract; the type says what the fields are.
    unsafe {
        if (*callable).ob_type.get()
            != (&raw const adder_runtime::objects::methodobject::PyCFunction_Type).cast_mut()
        {
            return false;
        }
        let flags = (*(*callable.cast::<PyCFunctionObject>()).m_ml.get())
            .ml_flags
            .get();
        if one {
            flags == METH_O
        } else {
            flags & !METH_KEYWORDS == METH_FASTCALL || flags == METH_NOARGS && n == 0
        }
    }
}

/// A call of a builtin function that `is_builtin` knows; `n` is 1 for METH_O.
///
/// # Safety
/// `callable` is a `PyCFunctionObject` of that convention; `args` holds `n` objects.
#[inline(always)]
pub unsafe fn call_builtin(
    callable: *mut PyObject,
    args: *mut *mut PyObject,
    n: usize,
    one: bool,
) -> Option<*mut PyObject> {
    // SAFETY: the caller's contract.
    unsafe {
        let function = callable.cast::<PyCFunctionObject>();
        let definition = &*(*function).m_ml.get();
        let this = (*function).m_self.get();
        let meth = definition.ml_meth.get().unwrap_unchecked();
        let result = if one {
            meth(this, *args)
        } else {
            call_convention(definition.ml_flags.get(), meth, this, args, n)
        };
        checked(result, callable)
    }
}

/// METH_FASTCALL, with or without METH_KEYWORDS, or METH_NOARGS.
#[inline(always)]
unsafe fn call_convention(
    flags: c_int,
    meth: PyCFunction,
    this: *mut PyObject,
    args: *mut *mut PyObject,
    n: usize,
) -> *mut PyObject {
    // SAFETY: the flags say what the function takes.
    unsafe {
        if flags == METH_FASTCALL {
            let meth = std::mem::transmute::<PyCFunction, PyCFunctionFast>(meth);
            meth(this, args, n as isize)
        } else if flags == METH_NOARGS {
            meth(this, null_mut())
        } else {
            let meth = std::mem::transmute::<PyCFunction, PyCFunctionFastWithKeywords>(meth);
            meth(this, args, n as isize, null_mut())
        }
    }
}

/// A call of a method descriptor (METH_NOARGS, METH_O, METH_FASTCALL with or without METH_KEYWORDS) on `this`.
///
/// # Safety
/// `callable` is a `PyMethodDescrObject` of such a convention with the right number of arguments, `this` of its type.
#[inline(always)]
pub unsafe fn call_method_descriptor(
    callable: *mut PyObject,
    this: *mut PyObject,
    args: *mut *mut PyObject,
    n: usize,
) -> Option<*mut PyObject> {
    // SAFETY: the caller's contract.
    unsafe {
        let definition = &*(*callable.cast::<PyMethodDescrObject>()).d_method.get();
        let meth = definition.ml_meth.get().unwrap_unchecked();
        let result = match definition.ml_flags.get() {
            METH_O => meth(this, *args),
            flags => call_convention(flags, meth, this, args, n),
        };
        checked(result, callable)
    }
}

/// A result of a specialised call. That there is none without an exception is checked; that there is no exception with one was, when
/// the call was made in its general form.
#[inline(always)]
unsafe fn checked(result: *mut PyObject, callable: *mut PyObject) -> Option<*mut PyObject> {
    if result.is_null() {
        // SAFETY: the callable is alive.
        unsafe { call_failed(callable) };
        return None;
    }
    Some(result)
}

/// # Safety
/// `callable` is alive; a call of it gave NULL.
#[cold]
#[inline(never)]
unsafe extern "C" fn call_failed(callable: *mut PyObject) {
    // SAFETY: the caller's contract.
    let _ = unsafe { adder_runtime::protocol::call::checked_result(&*callable, null_mut()) };
}

/// `class(...)` for a class with a Python `__init__`: makes the instance and a frame for `__init__`.
///
/// # Safety
/// `args[0]` is `class`, whose `__new__` is `object`'s and whose `__init__` is `init`; `args[1]` is empty.
pub unsafe fn push_init(
    ts: &'static ThreadState,
    class: *mut PyTypeObject,
    init: *mut PyFunctionObject,
    args: *mut *mut PyObject,
    n: usize,
) -> PyResult<*mut Frame> {
    // SAFETY: the caller's contract.
    unsafe {
        (*init.cast::<PyObject>()).incref();
        let instance = match adder_runtime::types::heap::allocate_instance(&*class, 0) {
            Ok(instance) => instance,
            Err(raised) => {
                decref(init.cast());
                return Err(raised);
            }
        };
        // The instance takes the place of the empty `self`; the class is dropped when the frame is there.
        *args.add(1) = instance.clone().into_raw();
        let frame = push_call(ts, init, args.add(1), n + 1, None)?;
        (*frame).extra = instance.into_raw();
        let class = std::ptr::replace(args, null_mut());
        decref(class);
        Ok(frame)
    }
}
