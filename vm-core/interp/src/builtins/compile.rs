//! `compile`, `eval`, `exec`.

use crate::call::run_in_locals;
use crate::code;
use adder_compiler::{CompileOpts, Mode, ast};
use adder_runtime::hooks;
use adder_runtime::objects::buffer::Buffer;
use adder_runtime::prelude::*;
use std::cell::Cell;

/// `PyCF_` flags of `compile`.
pub mod flags {
    pub const SOURCE_IS_UTF8: i32 = 0x0100;
    pub const DONT_IMPLY_DEDENT: i32 = 0x0200;
    pub const ONLY_AST: i32 = 0x0400;
    pub const IGNORE_COOKIE: i32 = 0x0800;
    pub const TYPE_COMMENTS: i32 = 0x1000;
    pub const ALLOW_TOP_LEVEL_AWAIT: i32 = 0x2000;
    pub const ALLOW_INCOMPLETE_INPUT: i32 = 0x4000;
    pub const OPTIMIZED_AST: i32 = 0x8000 | ONLY_AST;
    /// `CO_FUTURE_*`.
    pub const FUTURES: i32 = 0x01fe_0000;
    pub const KNOWN: i32 = FUTURES
        | SOURCE_IS_UTF8
        | DONT_IMPLY_DEDENT
        | OPTIMIZED_AST
        | IGNORE_COOKIE
        | TYPE_COMMENTS
        | ALLOW_TOP_LEVEL_AWAIT
        | ALLOW_INCOMPLETE_INPUT;
}

/// What module `_ast` offers to `compile`: trees as objects.
pub struct AstHooks {
    pub is_ast: fn(&PyObject) -> bool,
    pub to_object: fn(&ast::Mod) -> PyResult,
    /// A tree for the mode: a node of another kind is a TypeError.
    pub from_object: fn(&PyObject, Mode) -> PyResult<ast::Mod>,
}

struct Installed(Cell<Option<&'static AstHooks>>);
// SAFETY: set once before any other thread runs.
unsafe impl Sync for Installed {}
static AST: Installed = Installed(Cell::new(None));

/// Installs what module `_ast` offers.
pub fn install_ast(hooks: &'static AstHooks) {
    AST.0.set(Some(hooks));
}

/// The flags that code compiled by the running code inherits.
fn inherited_flags() -> i32 {
    let Some(ts) = adder_runtime::thread::try_thread_state() else { return 0 };
    let frame = crate::frame::current_frame(ts);
    if frame.is_null() {
        return 0;
    }
    // SAFETY: the innermost frame is live.
    unsafe { (*frame).code() }.co_flags.get() & flags::FUTURES
}

/// Source text from a str or a bytes-like object.
pub fn source_text(source: &PyObject, function: &str, filename: &PyObject) -> PyResult<String> {
    let text = if let Some(text) = source.downcast::<PyUnicodeObject>() {
        text.to_str()?.to_owned()
    } else {
        let Ok(buffer) = Buffer::simple(source) else {
            adder_runtime::error::clear();
            return Err(raise!(
                TypeError,
                "{function}() arg 1 must be a string, bytes or {} object",
                if function == "compile" { "AST" } else { "code" }
            ));
        };
        if buffer.as_bytes().contains(&0) {
            return Err(raise!(SyntaxError, "source code string cannot contain null bytes"));
        }
        code::decode_source(buffer.as_bytes(), filename)?
    };
    if text.contains('\0') {
        return Err(raise!(SyntaxError, "source code string cannot contain null bytes"));
    }
    Ok(text)
}

/// `compile(...)`.
pub fn compile_builtin(
    source: &PyObject,
    filename: &PyObject,
    mode: &PyUnicodeObject,
    given_flags: i32,
    dont_inherit: bool,
    optimize: i32,
) -> PyResult {
    if given_flags & !flags::KNOWN != 0 {
        return Err(raise!(ValueError, "compile(): unrecognised flags"));
    }
    if !(-1..=2).contains(&optimize) {
        return Err(raise!(ValueError, "compile(): invalid optimize value"));
    }
    let only_ast = given_flags & flags::ONLY_AST != 0;
    let mode = match mode.to_string_lossy().as_str() {
        "exec" => Mode::Exec,
        "eval" => Mode::Eval,
        "single" => Mode::Single,
        "func_type" if only_ast => Mode::FuncType,
        "func_type" => return Err(raise!(ValueError, "compile() mode 'func_type' requires flag PyCF_ONLY_AST")),
        _ if only_ast => {
            return Err(raise!(ValueError, "compile() mode must be 'exec', 'eval', 'single' or 'func_type'"));
        }
        _ => return Err(raise!(ValueError, "compile() mode must be 'exec', 'eval' or 'single'")),
    };
    let filename = filename_argument(filename)?;
    let inherited = if dont_inherit { 0 } else { inherited_flags() };
    let opts = CompileOpts {
        optimize: if optimize < 0 { crate::config::get().optimize } else { optimize as u8 },
        future_flags: ((given_flags | inherited) & flags::FUTURES) as u32,
        top_level_await: given_flags & flags::ALLOW_TOP_LEVEL_AWAIT != 0,
        allow_incomplete_input: given_flags & flags::ALLOW_INCOMPLETE_INPUT != 0,
    };
    if let Some(hooks) = AST.0.get()
        && (hooks.is_ast)(source)
    {
        if only_ast && given_flags & flags::OPTIMIZED_AST != flags::OPTIMIZED_AST {
            return Ok(source.to_ref());
        }
        let tree = (hooks.from_object)(source, mode)?;
        return match adder_compiler::compile_ast(tree, &filename.str()?.to_string_lossy(), &opts) {
            Ok(compiled) => Ok(code::code_object(&compiled.code)?.into_object()),
            Err(error) => Err(code::raise_compile_error(&error, &filename)),
        };
    }
    let text = source_text(source, "compile", &filename)?;
    hooks::audit("compile", &[source, &filename])?;
    if only_ast {
        let Some(hooks) = AST.0.get() else {
            return Err(raise!(SystemError, "module _ast is not there"));
        };
        let text = adder_compiler::parse::source::normalize_newlines(&text);
        return match adder_compiler::parse::parse(&text, mode) {
            Ok(parsed) => (hooks.to_object)(&parsed.ast),
            Err(error) => Err(code::raise_compile_error(&error, &filename)),
        };
    }
    Ok(code::compile_text(&text, &filename, mode, &opts)?.into_object())
}

/// A file name argument: str, bytes or path-like, as a str.
fn filename_argument(filename: &PyObject) -> PyResult {
    if PyUnicodeObject::check(filename) {
        return Ok(filename.to_ref());
    }
    if let Some(bytes) = filename.downcast::<PyBytesObject>() {
        return Ok(adder_runtime::objects::codecs::decode_text(bytes.as_bytes(), "utf-8", Some("surrogateescape"))?.into_object());
    }
    if filename.ty().lookup(identifier!("__fspath__")).is_some() {
        let path = filename.call_method(identifier!("__fspath__"), &[])?;
        return filename_argument(&path);
    }
    Err(raise!(
        TypeError,
        "expected str, bytes or os.PathLike object, not {}",
        filename.ty().name()
    ))
}

/// The namespaces for `eval` and `exec`: the caller's unless given; builtins are added to the globals.
fn namespaces(
    function: &str,
    globals: Option<&PyObject>,
    locals: Option<&PyObject>,
) -> PyResult<(Ref<PyDictObject>, Ref)> {
    let globals = globals.filter(|globals| !is_none(globals));
    let locals = locals.filter(|locals| !is_none(locals));
    if let Some(locals) = locals
        && locals.ty().mapping_slot(|slots| slots.mp_subscript.get()).is_none()
    {
        return Err(if function == "eval" {
            raise!(TypeError, "locals must be a mapping")
        } else {
            raise!(TypeError, "locals must be a mapping or None, not {}", locals.ty().name())
        });
    }
    let (globals, locals) = match globals {
        Some(globals) => {
            let Some(dict) = globals.downcast::<PyDictObject>() else {
                return Err(if function == "eval" && globals.ty().mapping_slot(|slots| slots.mp_subscript.get()).is_some() {
                    raise!(TypeError, "globals must be a real dict; try eval(code, {{}}, mapping)")
                } else if function == "eval" {
                    raise!(TypeError, "globals must be a dict")
                } else {
                    raise!(TypeError, "exec() globals must be a dict, not {}", globals.ty().name())
                });
            };
            (dict.to_ref(), locals.unwrap_or(globals).to_ref())
        }
        None => {
            let Some(current) = hooks::current_globals() else {
                return Err(raise!(
                    TypeError,
                    "{function} must be given globals and locals when called without a frame"
                ));
            };
            let locals = match locals {
                Some(locals) => locals.to_ref(),
                None => super::current_locals()?,
            };
            (current, locals)
        }
    };
    let name = identifier!("__builtins__");
    if globals.get_str(name).is_none() {
        let builtins = hooks::get().and_then(|hooks| (hooks.current_builtins)());
        let builtins = match builtins {
            Some(builtins) => builtins.into_object(),
            None => super::dict()?.into_object(),
        };
        globals.set_str(name, &builtins)?;
    }
    Ok((globals, locals))
}

/// Runs code in namespaces.
pub fn eval_code(code: &PyCodeObject, globals: &PyDictObject, locals: &PyObject) -> PyResult {
    eval_with_closure(code, globals, locals, None)
}

fn eval_with_closure(
    code: &PyCodeObject,
    globals: &PyDictObject,
    locals: &PyObject,
    closure: Option<&PyObject>,
) -> PyResult {
    let builtins = match globals.get_str(identifier!("__builtins__")) {
        Some(builtins) => adder_runtime::objects::funcobject::builtins_dict(builtins)?,
        None => super::dict()?.into_object(),
    };
    let function = PyFunctionObject::from_code(code, globals, &builtins)?;
    if let Some(closure) = closure {
        function.set_closure(Some(closure.to_ref()));
    }
    run_in_locals(function, locals.to_ref())
}

/// `eval(source, globals, locals)`.
pub fn eval_builtin(source: &PyObject, globals: Option<&PyObject>, locals: Option<&PyObject>) -> PyResult {
    let (globals, locals) = namespaces("eval", globals, locals)?;
    if let Some(code) = source.downcast::<PyCodeObject>() {
        hooks::audit("exec", &[source])?;
        if code.co_nfreevars.get() > 0 {
            return Err(raise!(TypeError, "code object passed to eval() may not contain free variables"));
        }
        return eval_code(code, &globals, &locals);
    }
    let filename = PyUnicodeObject::from_str("<string>");
    let text = source_text(source, "eval", filename.as_object())?;
    let text = text.trim_start_matches([' ', '\t']);
    let opts = CompileOpts {
        optimize: crate::config::get().optimize,
        future_flags: inherited_flags() as u32,
        ..CompileOpts::default()
    };
    let code = code::compile_text(text, filename.as_object(), Mode::Eval, &opts)?;
    hooks::audit("exec", &[code.as_object()])?;
    eval_code(&code, &globals, &locals)
}

/// `exec(source, globals, locals, closure=)`.
pub fn exec_builtin(
    source: &PyObject,
    globals: Option<&PyObject>,
    locals: Option<&PyObject>,
    closure: Option<&PyObject>,
) -> PyResult<()> {
    let (globals, locals) = namespaces("exec", globals, locals)?;
    let closure = closure.filter(|closure| !is_none(closure));
    if let Some(code) = source.downcast::<PyCodeObject>() {
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
                let fits = closure.downcast::<PyTupleObject>().is_some_and(|cells| {
                    cells.len() == n_free && cells.as_slice().iter().all(|cell| PyCellObject::check(cell))
                });
                if !fits {
                    return Err(raise!(
                        TypeError,
                        "code object requires a closure of exactly length {n_free}"
                    ));
                }
            }
            None => {}
        }
        hooks::audit("exec", &[source])?;
        eval_with_closure(code, &globals, &locals, closure)?;
        return Ok(());
    }
    if closure.is_some() {
        return Err(raise!(TypeError, "closure can only be used when source is a code object"));
    }
    let filename = PyUnicodeObject::from_str("<string>");
    let text = source_text(source, "exec", filename.as_object())?;
    let opts = CompileOpts {
        optimize: crate::config::get().optimize,
        future_flags: inherited_flags() as u32,
        ..CompileOpts::default()
    };
    let code = code::compile_text(&text, filename.as_object(), Mode::Exec, &opts)?;
    hooks::audit("exec", &[code.as_object()])?;
    eval_code(&code, &globals, &locals)?;
    Ok(())
}
