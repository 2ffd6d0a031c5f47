//! Functions and scripts on their way to another interpreter: which code needs nothing of the interpreter where it was made.

use super::{Item, not_shareable};
use adder_compiler::bytecode::code::SrcOperand;
use adder_compiler::bytecode::{Instr, Opcode};
use adder_compiler::{CompileOpts, Mode};
use adder_runtime::prelude::*;
use adder_runtime::thread;
use std::sync::atomic::Ordering;

const CO_VARIADIC: i32 = 0x4 | 0x8;

/// Calls `f` with each instruction until it gives something.
fn find_instruction<T>(code: &PyCodeObject, mut f: impl FnMut(Opcode, Instr) -> Option<T>) -> Option<T> {
    let words = adder_interp::code::pristine_words(code.data());
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let opcode = Opcode::from_u8(*word as u8)?;
        if let Some(found) = f(opcode, Instr::from_u64(*word)) {
            return Some(found);
        }
        at += 1 + opcode.info().ext.words();
    }
    None
}

/// Whether every way out of the code gives the constant None.
pub fn returns_only_none(code: &PyCodeObject) -> bool {
    let consts = code.consts();
    let other = find_instruction(code, |opcode, instr| {
        if opcode == Opcode::RETURN_GENERATOR {
            return Some(());
        }
        if opcode != Opcode::RETURN_VALUE {
            return None;
        }
        let value = match SrcOperand::decode(instr.a) {
            SrcOperand::Const(index) => consts.as_slice().get(usize::from(index)),
            _ => None,
        };
        (!value.is_some_and(|value| is_none(value))).then_some(())
    });
    other.is_none()
}

/// Whether code reads a global that is none of the builtins, or one that hides a builtin.
fn reads_globals(code: &PyCodeObject, globals: &PyDictObject, builtins: &PyDictObject) -> bool {
    let names = code.names();
    let found = find_instruction(code, |opcode, instr| {
        if opcode != Opcode::LOAD_GLOBAL {
            return None;
        }
        let name = names
            .as_slice()
            .get(usize::from(instr.b))?
            .downcast::<PyUnicodeObject>()?;
        (globals.contains_str(name) || !builtins.contains_str(name)).then_some(())
    });
    found.is_some()
}

/// The names that code reads as globals, and those that it uses as attributes.
pub fn unbound_names(code: &PyCodeObject) -> (Vec<usize>, Vec<usize>) {
    let (mut globals, mut attributes) = (Vec::new(), Vec::new());
    find_instruction(code, |opcode, instr| -> Option<()> {
        let (list, name) = match opcode {
            Opcode::LOAD_GLOBAL => (&mut globals, instr.b),
            Opcode::LOAD_ATTR | Opcode::LOAD_METHOD | Opcode::STORE_ATTR | Opcode::DELETE_ATTR => {
                (&mut attributes, instr.c)
            }
            Opcode::LOAD_SUPER_ATTR | Opcode::LOAD_SUPER_METHOD => (&mut attributes, instr.c),
            _ => return None,
        };
        if !list.contains(&usize::from(name)) {
            list.push(usize::from(name));
        }
        None
    });
    (globals, attributes)
}

/// Why code needs its surroundings, if it does; of a function's code also by the globals that it reads.
pub fn check_stateless(
    code: &PyCodeObject,
    spaces: Option<(&PyDictObject, &PyDictObject)>,
) -> Result<(), &'static str> {
    if code.co_nfreevars.get() > 0 {
        return Err("closures not supported");
    }
    match spaces {
        Some((globals, builtins)) if reads_globals(code, globals, builtins) => Err("globals not supported"),
        _ => Ok(()),
    }
}

/// The namespaces of a function.
pub fn spaces_of(function: &PyFunctionObject) -> Option<(&PyDictObject, &PyDictObject)> {
    // SAFETY: the function owns its builtins.
    let builtins = unsafe { function.func_builtins.get().as_ref() }?;
    Some((function.globals(), builtins.downcast::<PyDictObject>()?))
}

/// Why a function cannot be made anew from its code alone, if it cannot.
fn check_function(function: &PyFunctionObject) -> Result<(), &'static str> {
    if function.defaults().is_some_and(|defaults| defaults.len() > 0) {
        return Err("defaults not supported");
    }
    if function.kwdefaults().is_some_and(|defaults| defaults.len() > 0) {
        return Err("keyword defaults not supported");
    }
    if function.closure().is_some_and(|closure| closure.len() > 0) {
        return Err("closures not supported");
    }
    check_stateless(function.code(), spaces_of(function))
}

fn marshalled(code: &PyCodeObject) -> PyResult<Vec<u8>> {
    crate::marshal::dumps(code.as_object(), 5, true)
}

/// A function without state.
pub fn share_function(function: &PyFunctionObject) -> PyResult<Item> {
    if let Err(why) = check_function(function) {
        let cause = raise!(ValueError, "{why}").take();
        return Err(not_shareable(
            "only stateless functions are shareable",
            Some(cause),
        ));
    }
    marshalled(function.code()).map(Item::Function)
}

pub fn share_code(code: &PyCodeObject) -> PyResult<Item> {
    marshalled(code).map(Item::Code)
}

/// A function of marshalled code. Its globals are `__main__`'s when that runs.
pub fn receive_function(bytes: &[u8]) -> PyResult {
    let code = crate::marshal::loads(bytes, true)?;
    let Ok(code) = code.downcast::<PyCodeObject>() else {
        return Err(raise!(TypeError, "the marshalled function is no code"));
    };
    let runs_main = !thread::interpreter()
        .running_main
        .load(Ordering::Relaxed)
        .is_null();
    let globals = match runs_main {
        true => adder_interp::pythonrun::main_dict()?,
        false => PyDictObject::new(),
    };
    adder_interp::builtins::evaluate::ensure_builtins(&globals)?;
    let Some(builtins) = adder_interp::state::builtins_dict() else {
        return Err(raise!(RuntimeError, "no builtins"));
    };
    Ok(PyFunctionObject::from_code(&code, &globals, builtins.as_object())?.into_object())
}

/// The code of a script: text is compiled, the code of functions is taken. ValueError or TypeError for what is none.
pub fn script_code(script: &PyObject, is_pure: bool) -> PyResult<Ref<PyCodeObject>> {
    let code = if PyUnicodeObject::check(script) || script.downcast::<PyBytesObject>().is_some() {
        let filename = PyUnicodeObject::from_str("<script>");
        let text = adder_interp::builtins::evaluate::source_text(
            script,
            "exec",
            "string, bytes or code",
            filename.as_object(),
        )?;
        let code = adder_interp::code::compile_text(
            &text,
            filename.as_object(),
            Mode::Exec,
            &CompileOpts::default(),
        )?;
        return Ok(code);
    } else if let Some(function) = script.downcast_exact::<PyFunctionObject>() {
        if function.closure().is_some_and(|closure| closure.len() > 0) {
            return Err(raise!(ValueError, "closures not supported"));
        }
        function.code().to_ref()
    } else if let Some(code) = script.downcast::<PyCodeObject>() {
        code.to_ref()
    } else {
        return Err(raise!(
            TypeError,
            "unsupported script {}",
            script.repr()?.to_string_lossy()
        ));
    };
    check_script(&code)?;
    if is_pure {
        let (globals, builtins) = (PyDictObject::new(), adder_interp::state::builtins_dict());
        let known = builtins.as_deref().map(|builtins| (&*globals, builtins));
        let spaces = script
            .downcast_exact::<PyFunctionObject>()
            .and_then(spaces_of)
            .or(known);
        if let Err(why) = check_stateless(&code, spaces) {
            return Err(raise!(ValueError, "{why}"));
        }
    }
    Ok(code)
}

/// ValueError for code that cannot be run as the text of a module.
fn check_script(code: &PyCodeObject) -> PyResult<()> {
    if code.co_nfreevars.get() > 0 {
        return Err(raise!(ValueError, "closures not supported"));
    }
    let n_args = code.co_argcount.get() + code.co_posonlyargcount.get() + code.co_kwonlyargcount.get();
    if n_args > 0 || code.co_flags.get() & CO_VARIADIC != 0 {
        return Err(raise!(ValueError, "code with args not supported"));
    }
    if !returns_only_none(code) {
        return Err(raise!(ValueError, "code that returns a value is not a script"));
    }
    Ok(())
}

/// The data of a script.
pub fn share_script(script: &PyObject, is_pure: bool) -> PyResult<Item> {
    let code = script_code(script, is_pure)?;
    share_code(&code)
}
