//! `compile`, `eval`, `exec`.

use crate::state;
use adder_compiler::{CompileOpts, Mode};
use adder_runtime::abi::*;
use adder_runtime::prelude::*;
use std::sync::OnceLock;

/// `PyCF_*` flags of `compile`.
pub mod flags {
    pub const SOURCE_IS_UTF8: i32 = 0x100;
    pub const DONT_IMPLY_DEDENT: i32 = 0x200;
    pub const ONLY_AST: i32 = 0x400;
    pub const IGNORE_COOKIE: i32 = 0x800;
    pub const TYPE_COMMENTS: i32 = 0x1000;
    pub const ALLOW_TOP_LEVEL_AWAIT: i32 = 0x2000;
    pub const ALLOW_INCOMPLETE_INPUT: i32 = 0x4000;
    pub const OPTIMIZED_AST: i32 = 0x8000 | ONLY_AST;
    pub const COMPILE_MASK: i32 = ONLY_AST
        | ALLOW_TOP_LEVEL_AWAIT
        | TYPE_COMMENTS
        | DONT_IMPLY_DEDENT
        | ALLOW_INCOMPLETE_INPUT
        | OPTIMIZED_AST;
    /// The `CO_FUTURE_*` bits.
    pub const FUTURE_MASK: i32 = 0x01FE_0000;
}

/// What the `_ast` module does for `compile`: source text to AST objects, and AST objects to code. Set by that module.
pub struct AstHooks {
    pub parse: fn(
        source: &str,
        filename: &PyObject,
        mode: Mode,
        opts: &CompileOpts,
        flags: i32,
        feature_version: i32,
    ) -> PyResult,
    /// `None` when the object is no AST.
    pub compile: fn(
        tree: &PyObject,
        filename: &PyObject,
        mode: Mode,
        opts: &CompileOpts,
        flags: i32,
    ) -> PyResult<Option<Ref>>,
}

pub static AST: OnceLock<AstHooks> = OnceLock::new();

/// Source text of what `compile`, `eval` and `exec` accept.
pub fn source_text(source: &PyObject, function: &str, what: &str, filename: &PyObject) -> PyResult<String> {
    let text = if let Some(text) = source.downcast::<PyUnicodeObject>() {
        text.to_str()?.to_owned()
    } else {
        let bytes = if let Some(bytes) = source.downcast::<PyBytesObject>() {
            bytes.as_bytes().to_vec()
        } else if let Some(bytes) = source.downcast::<PyByteArrayObject>() {
            bytes.as_bytes().to_vec()
        } else {
            match adder_runtime::objects::buffer::Buffer::simple(source) {
                Ok(buffer) => buffer.as_bytes().to_vec(),
                Err(raised) => {
                    raised.clear_if(adder_runtime::exceptions::exc::TypeError)?;
                    return Err(raise!(TypeError, "{function}() arg 1 must be a {what} object"));
                }
            }
        };
        crate::code::decode_source(&bytes, filename)?
    };
    if text.contains('\0') {
        return Err(raise!(
            SyntaxError,
            "source code string cannot contain null bytes"
        ));
    }
    Ok(text)
}

/// The `CO_FUTURE_*` flags of the calling frame's code.
fn inherited_flags() -> i32 {
    let frame = crate::frame::current_frame(adder_runtime::thread::thread_state());
    // SAFETY: the innermost frame is alive.
    unsafe { frame.as_ref() }.map_or(0, |frame| frame.code().co_flags.get() & flags::FUTURE_MASK)
}

/// A file name of `compile`: str, bytes or path.
pub fn file_name(filename: &PyObject) -> PyResult {
    if let Some(bytes) = filename.downcast::<PyBytesObject>() {
        return Ok(PyUnicodeObject::from_str(&String::from_utf8_lossy(bytes.as_bytes())).into_object());
    }
    if PyUnicodeObject::check(filename) {
        return Ok(filename.to_ref());
    }
    match filename.call_special(identifier!("__fspath__"), &[])? {
        Some(path) => file_name(&path),
        None => Err(raise!(
            TypeError,
            "expected str, bytes or os.PathLike object, not {}",
            filename.ty().name()
        )),
    }
}

pub fn compile(
    source: &PyObject,
    filename: &PyObject,
    mode: &str,
    given: i32,
    dont_inherit: bool,
    optimize: i32,
    feature_version: i32,
) -> PyResult {
    let filename = file_name(filename)?;
    if given
        & !(flags::COMPILE_MASK | flags::FUTURE_MASK | flags::SOURCE_IS_UTF8 | flags::IGNORE_COOKIE | 0x10)
        != 0
    {
        return Err(raise!(ValueError, "compile(): unrecognised flags"));
    }
    if !(-1..=2).contains(&optimize) {
        return Err(raise!(ValueError, "compile(): invalid optimize value"));
    }
    let mode_kind = match mode {
        "exec" => Mode::Exec,
        "eval" => Mode::Eval,
        "single" => Mode::Single,
        "func_type" => {
            if given & flags::ONLY_AST == 0 {
                return Err(raise!(
                    ValueError,
                    "compile() mode 'func_type' requires flag PyCF_ONLY_AST"
                ));
            }
            Mode::FuncType
        }
        _ if given & flags::ONLY_AST != 0 => {
            return Err(raise!(
                ValueError,
                "compile() mode must be 'exec', 'eval', 'single' or 'func_type'"
            ));
        }
        _ => {
            return Err(raise!(
                ValueError,
                "compile() mode must be 'exec', 'eval' or 'single'"
            ));
        }
    };
    let future = given & flags::FUTURE_MASK | if dont_inherit { 0 } else { inherited_flags() };
    let opts = CompileOpts {
        optimize: if optimize < 0 {
            crate::pylifecycle::config().optimize
        } else {
            optimize as u8
        },
        future_flags: future as u32,
        top_level_await: given & flags::ALLOW_TOP_LEVEL_AWAIT != 0,
        dont_imply_dedent: given & flags::DONT_IMPLY_DEDENT != 0,
        allow_incomplete_input: given & flags::ALLOW_INCOMPLETE_INPUT != 0,
    };
    if let Some(ast) = AST.get()
        && let Some(result) = (ast.compile)(source, &filename, mode_kind, &opts, given)?
    {
        return Ok(result);
    }
    let text = source_text(source, "compile", "string, bytes or AST", &filename)?;
    adder_runtime::hooks::audit("compile", &[source, &filename])?;
    if given & flags::ONLY_AST != 0 {
        return match AST.get() {
            Some(ast) => (ast.parse)(&text, &filename, mode_kind, &opts, given, feature_version),
            None => {
                adder_runtime::hooks::import_module("_ast")?;
                match AST.get() {
                    Some(ast) => (ast.parse)(&text, &filename, mode_kind, &opts, given, feature_version),
                    None => Err(raise!(
                        SystemError,
                        "module _ast does not offer trees to compile()"
                    )),
                }
            }
        };
    }
    Ok(crate::code::compile_text(&text, &filename, mode_kind, &opts)?.into_object())
}

/// Makes sure that globals have `__builtins__`.
pub fn ensure_builtins(globals: &PyDictObject) -> PyResult<()> {
    let name = identifier!("__builtins__");
    if !globals.contains_str(name) {
        match super::current_builtins() {
            Some(builtins) => globals.set_str(name, builtins.as_object())?,
            None => {
                if let Some(module) = state::BUILTINS.get() {
                    globals.set_str(name, module.as_object())?;
                }
            }
        }
    }
    Ok(())
}

/// The namespaces of `eval` and `exec`.
fn namespaces(
    globals: Option<&PyObject>,
    locals: Option<&PyObject>,
    function: &str,
) -> PyResult<(Ref<PyDictObject>, Ref)> {
    let globals = globals.filter(|globals| !is_none(globals));
    let locals = locals.filter(|locals| !is_none(locals));
    let (globals, locals) = match (globals, locals) {
        (None, None) => {
            let Some(globals) = super::current_globals() else {
                return Err(super::no_frame(function));
            };
            (globals, super::current_locals()?)
        }
        (None, Some(locals)) => {
            let Some(globals) = super::current_globals() else {
                return Err(super::no_frame(function));
            };
            (globals, locals.to_ref())
        }
        (Some(globals), locals) => {
            let Some(dict) = globals.downcast::<PyDictObject>() else {
                return Err(match function {
                    "eval"
                        if globals
                            .ty()
                            .mapping_slot(|slots| slots.mp_subscript.get())
                            .is_some() =>
                    {
                        raise!(
                            TypeError,
                            "globals must be a real dict; try eval(code, {{}}, mapping)"
                        )
                    }
                    "eval" => raise!(TypeError, "globals must be a dict"),
                    _ => raise!(
                        TypeError,
                        "{function}() globals must be a dict, not {}",
                        globals.ty().name()
                    ),
                });
            };
            (
                dict.to_ref(),
                locals.map_or_else(|| globals.to_ref(), PyObject::to_ref),
            )
        }
    };
    if locals
        .ty()
        .mapping_slot(|slots| slots.mp_subscript.get())
        .is_none()
    {
        return Err(match function {
            "eval" => raise!(TypeError, "locals must be a mapping"),
            _ => raise!(
                TypeError,
                "locals must be a mapping or None, not {}",
                locals.ty().name()
            ),
        });
    }
    ensure_builtins(&globals)?;
    Ok((globals, locals))
}

pub fn eval(source: &PyObject, globals: Option<&PyObject>, locals: Option<&PyObject>) -> PyResult {
    let (globals, locals) = namespaces(globals, locals, "eval")?;
    if let Some(code) = source.downcast::<PyCodeObject>() {
        adder_runtime::hooks::audit("exec", &[source])?;
        if code.co_nfreevars.get() > 0 {
            return Err(raise!(
                TypeError,
                "code object passed to eval() may not contain free variables"
            ));
        }
        return crate::pythonrun::run_code(code, &globals, Some(locals));
    }
    let filename = PyUnicodeObject::from_str("<string>");
    let text = source_text(source, "eval", "string, bytes or code", filename.as_object())?;
    let opts = options();
    let text = text.trim_start_matches([' ', '\t']);
    let code = crate::code::compile_text(text, filename.as_object(), Mode::Eval, &opts)?;
    crate::pythonrun::run_code(&code, &globals, Some(locals))
}

fn options() -> CompileOpts {
    CompileOpts {
        optimize: crate::pylifecycle::config().optimize,
        future_flags: inherited_flags() as u32,
        ..CompileOpts::default()
    }
}

pub fn exec(
    source: &PyObject,
    globals: Option<&PyObject>,
    locals: Option<&PyObject>,
    closure: Option<&PyObject>,
) -> PyResult<()> {
    let (globals, locals) = namespaces(globals, locals, "exec")?;
    let closure = closure.filter(|closure| !is_none(closure));
    if let Some(code) = source.downcast::<PyCodeObject>() {
        adder_runtime::hooks::audit("exec", &[source])?;
        let n_free = code.co_nfreevars.get() as usize;
        match closure {
            None if n_free > 0 => {
                return Err(raise!(
                    TypeError,
                    "code object requires a closure of exactly length {n_free}"
                ));
            }
            Some(_) if n_free == 0 => {
                return Err(raise!(TypeError, "cannot use a closure with this code object"));
            }
            Some(closure) => {
                let good = closure.downcast_exact::<PyTupleObject>().is_some_and(|cells| {
                    cells.len() == n_free && cells.as_slice().iter().all(|cell| PyCellObject::check(cell))
                });
                if !good {
                    return Err(raise!(
                        TypeError,
                        "code object requires a closure of exactly length {n_free}"
                    ));
                }
            }
            None => {}
        }
        return crate::pythonrun::run_code_with_closure(code, &globals, Some(locals), closure).map(drop);
    }
    if closure.is_some() {
        return Err(raise!(
            TypeError,
            "closure can only be used when source is a code object"
        ));
    }
    let filename = PyUnicodeObject::from_str("<string>");
    let text = source_text(source, "exec", "string, bytes or code", filename.as_object())?;
    let code = crate::code::compile_text(&text, filename.as_object(), Mode::Exec, &options())?;
    crate::pythonrun::run_code(&code, &globals, Some(locals)).map(drop)
}
