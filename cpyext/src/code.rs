//! code.h, frameobject.h, pyframe.h, genobject.h, traceback.h: what C asks of code, frames, generators and tracebacks.

use crate::export::{Void, bad_internal_call, opt, put, str_from_c};
use adder_interp::frame::{C_OWNER, Frame, FrameExit, FrameOwner, HEADER_WORDS};
use adder_runtime::objects::codeobject::{
    BYTES_PER_WORD, CO_FAST_CELL, CO_FAST_FREE, CO_FAST_LOCAL, CodeParts,
};
use adder_runtime::prelude::*;
use std::ffi::CStr;

fn code_object(object: &PyObject) -> PyResult<&PyCodeObject> {
    object.downcast::<PyCodeObject>().ok_or_else(bad_internal_call)
}

/// How to free what C code keeps on code objects, by its index.
static FREE_EXTRA: std::sync::Mutex<Vec<Option<freefunc>>> = std::sync::Mutex::new(Vec::new());

fn free_of(index: usize) -> Option<Option<freefunc>> {
    let functions = FREE_EXTRA
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    functions.get(index).copied()
}

pub fn request_extra_index(free: Option<freefunc>) -> PyResult<isize> {
    let _ = adder_runtime::objects::codeobject::FREE_EXTRA.set(free_extra);
    let mut functions = FREE_EXTRA
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    functions.push(free);
    Ok(functions.len() as isize - 1)
}

/// Frees all that a code object that dies was given.
///
/// # Safety
/// `table` is a `co_extra` of ours, which nobody uses any more.
unsafe fn free_extra(table: *mut c_void) {
    // SAFETY: the caller's contract.
    let table = unsafe { Box::from_raw(table.cast::<Vec<*mut c_void>>()) };
    for (index, value) in table.into_iter().enumerate() {
        free_value(index, value);
    }
}

fn free_value(index: usize, value: *mut c_void) {
    if let Some(Some(free)) = free_of(index).filter(|_| !value.is_null()) {
        // SAFETY: the function was given for values under this index.
        unsafe { free(value) };
    }
}

fn set_extra(code: &PyCodeObject, index: isize, value: *mut c_void) -> PyResult<()> {
    let index = usize::try_from(index).unwrap_or(usize::MAX);
    if free_of(index).is_none() {
        return Err(bad_internal_call());
    }
    if code.co_extra.get().is_null() {
        code.co_extra
            .set(Box::into_raw(Box::new(Vec::<*mut c_void>::new())).cast());
    }
    let old = {
        // SAFETY: a table of ours, which nobody else uses here.
        let table = unsafe { &mut *code.co_extra.get().cast::<Vec<*mut c_void>>() };
        if table.len() <= index {
            table.resize(index + 1, std::ptr::null_mut());
        }
        std::mem::replace(&mut table[index], value)
    };
    free_value(index, old);
    Ok(())
}

/// The pieces of a code object of C: names and a place, nothing to run.
struct NativeCode<'a> {
    /// Positional, positional-only, keyword-only.
    n_args: [c_int; 3],
    flags: c_int,
    consts: Ref<PyTupleObject>,
    names: Ref<PyTupleObject>,
    variables: [Option<&'a PyObject>; 3],
    filename: Ref,
    name: Ref,
    qualname: Ref,
    line: c_int,
}

/// `raise AssertionError`, with the first temporary.
fn refusal(first_temp: usize) -> Vec<u64> {
    use adder_interp::eval::op;
    const SRC_TAKE: u64 = 0x4000;
    const NO_REG: u64 = 0xFFFF;
    let temp = first_temp as u64;
    vec![
        u64::from(op::LOAD_COMMON_CONSTANT) | temp << 16,
        u64::from(op::RAISE_VARARGS) | 1 << 8 | (temp | SRC_TAKE) << 16 | NO_REG << 32,
    ]
}

/// A code object that describes compiled code, for tracebacks and introspection. Who runs it gets an AssertionError.
fn native_code(native: NativeCode<'_>) -> PyResult {
    let (mut names, mut kinds) = (Vec::new(), Vec::new());
    for (group, kind) in native
        .variables
        .iter()
        .zip([CO_FAST_LOCAL, CO_FAST_CELL, CO_FAST_FREE])
    {
        let Some(group) = group else { continue };
        for name in group.to_tuple()?.as_slice() {
            // A variable that is also a cell is listed once.
            match names.iter().position(|known: &Ref| known.is(name)) {
                Some(known) => kinds[known] |= kind,
                None => {
                    names.push(name.to_ref());
                    kinds.push(kind);
                }
            }
        }
    }
    let code = PyCodeObject::from_parts(CodeParts {
        argcount: native.n_args[0],
        posonlyargcount: native.n_args[1],
        kwonlyargcount: native.n_args[2],
        stacksize: 1,
        flags: native.flags,
        firstlineno: native.line,
        words: refusal(names.len()),
        consts: native.consts,
        names: native.names,
        localsplus_names: PyTupleObject::from_vec(names),
        localsplus_kinds: kinds,
        filename: native.filename,
        name: native.name,
        qualname: native.qualname,
        exceptiontable: PyBytesObject::from_slice(&[]),
        linetable: PyBytesObject::from_slice(&[]),
    })?;
    Ok(code.into_object())
}

fn new_empty(filename: &CStr, function: &CStr, line: c_int) -> PyResult {
    let (filename, function) = (
        str_from_c(filename)?.into_object(),
        str_from_c(function)?.into_object(),
    );
    native_code(NativeCode {
        n_args: [0; 3],
        flags: CO_OPTIMIZED | CO_NEWLOCALS,
        consts: PyTupleObject::empty(),
        names: PyTupleObject::empty(),
        variables: [None; 3],
        filename,
        name: function.clone(),
        qualname: function,
        line,
    })
}

/// A frame that nobody runs, for the traceback of compiled code: a block of its own with empty variables.
fn new_frame(
    code: &PyCodeObject,
    globals: &PyDictObject,
    locals: Option<&PyObject>,
) -> PyResult<Ref<PyFrameObject>> {
    // Cython makes frames for tracebacks while its exception is set.
    let function = adder_runtime::error::preserving_exception(|| {
        PyFunctionObject::type_object()
            .as_object()
            .call(&[code.as_object(), globals.as_object()])
    })?;
    // SAFETY: just made as a function.
    let function: Ref<PyFunctionObject> = unsafe { function.cast() };
    let n_words = HEADER_WORDS + code.data().n_registers as usize;
    let block = adder_runtime::memory::raw_calloc(n_words * size_of::<u64>()).cast::<Frame>();
    if block.is_null() {
        return Err(adder_runtime::memory::no_memory());
    }
    // SAFETY: the block has room for the header; empty registers are null, which the zeroed block has.
    unsafe {
        block.write(Frame {
            previous: std::ptr::null_mut(),
            code: code.to_ref().into_raw(),
            data: code.data(),
            globals: (globals as *const PyDictObject).cast_mut(),
            builtins: function.func_builtins.get(),
            func: function.into_raw(),
            locals: locals.map_or(std::ptr::null_mut(), |locals| locals.to_ref().into_raw()),
            pc: code.data().words.as_ptr().cast(),
            frame_obj: std::ptr::null_mut(),
            owner: FrameOwner::FrameObject,
            exit: FrameExit::Native,
            c_owner: C_OWNER,
            traced_line: 0,
            extra: std::ptr::null_mut(),
        });
        adder_interp::frameobject::object_of(block)
    }
}

/// PyTraceBack_Here: an entry for `frame` in front of the traceback of the exception that is set.
fn traceback_here(frame: &PyObject) -> PyResult<()> {
    let Some(exception) = adder_runtime::error::fetch() else {
        return Ok(());
    };
    let line = line_number(frame);
    // SAFETY: C gives a frame.
    let frame = unsafe { frame.to_ref().cast::<PyFrameObject>() };
    if let Some(base) = (*exception).downcast::<PyBaseExceptionObject>() {
        // SAFETY: the exception owns its traceback or has none.
        let next = unsafe { opt(base.traceback.get()) }.map(PyObject::to_ref);
        let entry = adder_runtime::objects::traceback::new_traceback(next, frame, -1, line)?;
        crate::pyerrors::set_field(&base.traceback, Some(entry.into_object()));
    }
    let _ = adder_runtime::error::restore(exception);
    Ok(())
}

/// The line that C code wrote into the frame, or the one at which the frame stands.
fn line_number(frame: &PyObject) -> c_int {
    // SAFETY: C gives a frame.
    let written = unsafe { frame.cast_unchecked::<PyFrameObject>() }.f_lineno.get();
    if written != 0 {
        return written;
    }
    let line = attribute(frame, identifier!("f_lineno")).and_then(|line| {
        if is_none(&line) {
            // Nothing of it ran: it stands at the first line.
            let code = attribute(frame, identifier!("f_code"))?;
            crate::longobject::as_c_int(&*attribute(&code, identifier!("co_firstlineno"))?)
        } else {
            crate::longobject::as_c_int(&line)
        }
    });
    line.unwrap_or_else(|raised| {
        raised.clear();
        -1
    })
}

fn attribute(object: &PyObject, name: &PyUnicodeObject) -> PyResult {
    object.get_attr(name)
}

capi! {
    fn PyCode_NewEmpty(filename: &CStr, function: &CStr, line: c_int) -> PyResult { new_empty(filename, function, line) }
    fn PyCode_GetCode(code: &PyObject) -> PyResult { attribute(code, identifier!("co_code")) }
    fn PyCode_GetVarnames(code: &PyObject) -> PyResult { attribute(code, identifier!("co_varnames")) }
    fn PyCode_GetCellvars(code: &PyObject) -> PyResult { attribute(code, identifier!("co_cellvars")) }
    fn PyCode_GetFreevars(code: &PyObject) -> PyResult { attribute(code, identifier!("co_freevars")) }
    fn PyCode_Addr2Line(code: &PyObject, offset: c_int) -> PyResult<c_int> {
        Ok(code_object(code)?.line_at(offset / BYTES_PER_WORD as c_int).unwrap_or(-1))
    }
    fn PyUnstable_Code_GetExtra(code: &PyObject, index: isize, place: *mut *mut c_void) -> PyResult<()> {
        let table = code_object(code)?.co_extra.get().cast::<Vec<*mut c_void>>();
        // SAFETY: the field is NULL or a table of ours; C gives a place.
        unsafe {
            let value = table.as_ref().and_then(|table| table.get(index as usize)).copied();
            put(place, value.unwrap_or(std::ptr::null_mut()));
        }
        Ok(())
    }
    fn PyUnstable_Code_SetExtra(code: &PyObject, index: isize, value: *mut c_void) -> PyResult<()> {
        set_extra(code_object(code)?, index, value)
    }

    fn PyFrame_GetBack(frame: *const PyFrameObject) -> PyResult<Option<Ref<PyFrameObject>>> {
        // SAFETY: C gives a frame, of which nothing but its links is looked at.
        adder_interp::frameobject::back_of(unsafe { &*frame })
    }
    fn PyFrame_GetCode(frame: &PyObject) -> PyResult { attribute(frame, identifier!("f_code")) }
    fn PyFrame_GetLineNumber(frame: &PyObject) -> c_int { line_number(frame) }
    fn PyFrame_New(
        _state: *mut PyThreadState, code: &PyObject, globals: &PyDictObject, locals: Option<&PyObject>
    ) -> PyResult<Ref<PyFrameObject>> {
        new_frame(code_object(code)?, globals, locals.filter(|locals| !is_none(locals)))
    }
    fn PyTraceBack_Here(frame: &PyObject) -> PyResult<()> { traceback_here(frame) }
    fn _PyTraceback_Add(function: &CStr, filename: &CStr, line: c_int) -> Void {
        let made = adder_runtime::error::preserving_exception(|| {
            new_empty(filename, function, line)
                .and_then(|code| {
                    let frame = new_frame(code_object(&code)?, &PyDictObject::new(), None)?;
                    frame.f_lineno.set(line);
                    Ok(frame)
                })
                .map_err(Raised::clear)
        });
        if let Ok(frame) = made {
            traceback_here(&frame.ob_base).unwrap_or_else(Raised::clear);
        }
        Void
    }
    fn PyUnstable_Code_New(
        n_args: c_int, n_keyword_only: c_int, _n_locals: c_int, _stack_size: c_int, flags: c_int, _code: &PyObject, consts: &PyTupleObject,
        names: &PyTupleObject, variables: &PyObject, free: &PyObject, cells: &PyObject, filename: &PyObject, name: &PyObject,
        qualname: &PyObject, line: c_int, _line_table: &PyObject, _exception_table: &PyObject
    ) -> PyResult {
        native_code(NativeCode {
            n_args: [n_args, 0, n_keyword_only], flags, consts: consts.to_ref(), names: names.to_ref(),
            variables: [Some(variables), Some(cells), Some(free)], filename: filename.to_ref(), name: name.to_ref(),
            qualname: qualname.to_ref(), line,
        })
    }
    fn PyUnstable_Code_NewWithPosOnlyArgs(
        n_args: c_int, n_positional_only: c_int, n_keyword_only: c_int, _n_locals: c_int, _stack_size: c_int, flags: c_int,
        _code: &PyObject, consts: &PyTupleObject, names: &PyTupleObject, variables: &PyObject, free: &PyObject, cells: &PyObject,
        filename: &PyObject, name: &PyObject, qualname: &PyObject, line: c_int, _line_table: &PyObject, _exception_table: &PyObject
    ) -> PyResult {
        native_code(NativeCode {
            n_args: [n_args, n_positional_only, n_keyword_only], flags, consts: consts.to_ref(), names: names.to_ref(),
            variables: [Some(variables), Some(cells), Some(free)], filename: filename.to_ref(), name: name.to_ref(),
            qualname: qualname.to_ref(), line,
        })
    }
    fn PyFrame_GetLasti(frame: &PyObject) -> PyResult<c_int> {
        crate::longobject::as_c_int(&*attribute(frame, identifier!("f_lasti"))?)
    }
    fn PyFrame_GetLocals(frame: &PyObject) -> PyResult { attribute(frame, identifier!("f_locals")) }
    fn PyFrame_GetGlobals(frame: &PyObject) -> PyResult { attribute(frame, identifier!("f_globals")) }
    fn PyFrame_GetBuiltins(frame: &PyObject) -> PyResult { attribute(frame, identifier!("f_builtins")) }
    fn PyFrame_GetGenerator(frame: &PyObject) -> PyResult<Option<Ref>> {
        Ok(frame.get_attr_opt(identifier!("f_generator"))?.filter(|generator| !is_none(generator)))
    }
    fn PyFrame_GetVar(frame: &PyObject, name: &PyObject) -> PyResult { frame_var(frame, name) }
    fn PyFrame_GetVarString(frame: &PyObject, name: crate::export::Name) -> PyResult { frame_var(frame, name.as_object()) }
    fn PyFrame_FastToLocalsWithError(_frame: *mut PyObject) -> c_int { 0 }
    fn PyFrame_FastToLocals(_frame: *mut PyObject) -> Void { Void }
    fn PyFrame_LocalsToFast(_frame: *mut PyObject, _clear: c_int) -> Void { Void }

    fn PyGen_New(frame: Ref) -> PyResult { generator_of(&frame, None, None) }
    fn PyGen_NewWithQualName(frame: Ref, name: Option<&PyObject>, qualname: Option<&PyObject>) -> PyResult {
        generator_of(&frame, name, qualname)
    }
    fn PyCoro_New(frame: Ref, name: Option<&PyObject>, qualname: Option<&PyObject>) -> PyResult {
        generator_of(&frame, name, qualname)
    }
    fn PyAsyncGen_New(frame: Ref, name: Option<&PyObject>, qualname: Option<&PyObject>) -> PyResult {
        generator_of(&frame, name, qualname)
    }
    fn PyCode_Optimize(code: &PyObject, _consts: *mut PyObject, _names: *mut PyObject, _lines: *mut PyObject) -> Ref {
        code.to_ref()
    }
    /// 1 with the place of the instruction at a byte offset, as `co_positions` counts them; -1 stands for what is not known.
    fn PyCode_Addr2Location(
        code: &PyObject, offset: c_int, line: *mut c_int, column: *mut c_int, end_line: *mut c_int, end_column: *mut c_int
    ) -> PyResult<c_int> {
        let positions = code_object(code)?.as_object().call_method(identifier!("co_positions"), &[])?.to_tuple()?;
        let at = positions.as_slice().get(offset.max(0) as usize / 2).copied();
        let parts = at.map(PyObject::to_tuple).transpose()?;
        for (place_idx, place) in [line, end_line, column, end_column].into_iter().enumerate() {
            let part = parts.as_ref().and_then(|parts| parts.as_slice().get(place_idx).copied());
            let number = match part.filter(|part| !is_none(part)) {
                Some(part) => crate::longobject::as_c_int(part)?,
                None => -1,
            };
            // SAFETY: C gives places.
            unsafe { put(place, number) };
        }
        Ok(1)
    }
    fn PyCompile_OpcodeStackEffect(opcode: c_int, arg: c_int) -> c_int { stack_effect(opcode, arg, none()) }
    fn PyCompile_OpcodeStackEffectWithJump(opcode: c_int, arg: c_int, jump: c_int) -> c_int {
        let jump = match jump {
            0 => false_(),
            1 => true_(),
            _ => none(),
        };
        stack_effect(opcode, arg, jump)
    }
    /// The code of a frame of ours that an evaluation hook sees.
    fn PyUnstable_InterpreterFrame_GetCode(frame: *mut Frame) -> Ref {
        // SAFETY: a live frame, which owns its code.
        unsafe { (*(*frame).code).to_object() }
    }
    fn PyUnstable_InterpreterFrame_GetLasti(frame: *mut Frame) -> PyResult<c_int> {
        // SAFETY: a live frame.
        let object = unsafe { adder_interp::frameobject::object_of(frame)? };
        crate::longobject::as_c_int(&*attribute(&object.ob_base, identifier!("f_lasti"))?)
    }
    fn PyUnstable_InterpreterFrame_GetLine(frame: *mut Frame) -> PyResult<c_int> {
        // SAFETY: a live frame.
        let object = unsafe { adder_interp::frameobject::object_of(frame)? };
        Ok(line_number(&object.ob_base))
    }
    fn PyGen_GetCode(generator: &PyObject) -> PyResult { attribute(generator, identifier!("gi_code")) }
    fn PyTraceBack_Print(traceback: Option<&PyObject>, file: &PyObject) -> PyResult<()> {
        let Some(traceback) = traceback else { return Ok(()) };
        if !PyTracebackObject::check(traceback) {
            return Err(raise!(SystemError, "PyTraceBack_Print called with a bad argument"));
        }
        let mut text = String::new();
        adder_interp::traceback::describe_traceback(traceback, &mut text);
        let text = PyUnicodeObject::from_string(text);
        file.call_method(identifier!("write"), &[text.as_object()]).map(drop)
    }
    fn _PyGen_SetStopIterationValue(value: &PyObject) -> PyResult<()> {
        let exception = adder_runtime::exceptions::exc::StopIteration.as_object().call1(value)?;
        let _ = adder_runtime::error::raise_exception(exception);
        Ok(())
    }
    /// The value of the StopIteration that is set, None when nothing is; -1 for another exception.
    fn _PyGen_FetchStopIterationValue(place: *mut *mut PyObject) -> PyResult<()> {
        let value = if !adder_runtime::error::occurred() {
            none_ref()
        } else {
            let raised = Raised::assume();
            if !raised.matches(adder_runtime::exceptions::exc::StopIteration) {
                // SAFETY: C gives a place.
                unsafe { put(place, std::ptr::null_mut()) };
                return Err(raised);
            }
            let exception = raised.take();
            // SAFETY: a StopIteration owns its value.
            unsafe { opt(exception.cast_unchecked::<PyStopIterationObject>().value.get()) }.unwrap_or(none()).to_ref()
        };
        // SAFETY: C gives a place.
        unsafe { put(place, value.into_raw()) };
        Ok(())
    }
}

/// The generator, coroutine or asynchronous generator that a frame of PyFrame_New would be suspended in.
fn generator_of(frame: &PyObject, name: Option<&PyObject>, qualname: Option<&PyObject>) -> PyResult {
    let code = attribute(frame, identifier!("f_code"))?;
    if !code_object(&code)?.is_generator_like() {
        return Err(bad_internal_call());
    }
    let globals = attribute(frame, identifier!("f_globals"))?;
    let function = PyFunctionObject::type_object()
        .as_object()
        .call(&[&code, &globals])?;
    let generator = function.call0()?;
    for (attribute, value) in [
        (identifier!("__name__"), name),
        (identifier!("__qualname__"), qualname),
    ] {
        if let Some(value) = value {
            generator.set_attr(attribute, value)?;
        }
    }
    Ok(generator)
}

/// `_opcode.stack_effect`; INT_MAX when the opcode has none.
fn stack_effect(opcode: c_int, arg: c_int, jump: &PyObject) -> c_int {
    let effect = crate::import::import_module("_opcode").and_then(|module| {
        let (opcode, arg) = (
            PyLongObject::from_i64(opcode.into()),
            PyLongObject::from_i64(arg.into()),
        );
        let function = module.get_attr(identifier!("stack_effect"))?;
        let effect = function.call_kw(&[opcode.as_object(), arg.as_object()], &[("jump", jump)])?;
        crate::longobject::as_c_int(&effect)
    });
    effect.unwrap_or_else(|raised| {
        raised.clear();
        c_int::MAX
    })
}

fn frame_var(frame: &PyObject, name: &PyObject) -> PyResult {
    if !PyUnicodeObject::check(name) {
        return Err(raise!(TypeError, "name must be str, not {}", name.ty().name()));
    }
    let locals = attribute(frame, identifier!("f_locals"))?;
    match crate::abstract_::optional_item(&locals, name)? {
        Some(value) => Ok(value),
        None => Err(raise!(
            NameError,
            "variable {} does not exist",
            name.repr()?.to_string_lossy()
        )),
    }
}
