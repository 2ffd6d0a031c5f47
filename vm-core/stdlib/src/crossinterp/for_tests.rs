//! What `_testinternalcapi` has for tests of interpreters: making and running them as C would, sharing an object in one way.

use super::config::Config;
use super::{Fallback, Item, code, id_of, not_shareable, pickled, share};
use crate::interpreters::{INTERPRETER_ERROR, end, interpreter_of};
use adder_compiler::bytecode::code::LocalKind;
use adder_interp::interpreters::{self, enter};
use adder_interp::pythonrun;
use adder_runtime::prelude::*;
use adder_runtime::thread::{self, INTERPRETER, feature, whence as origin};
use std::sync::atomic::{AtomicI64, Ordering};

/// Runs text as `PyRun_SimpleString` does: what goes wrong is printed.
fn run_simple(text: &str) -> i32 {
    match pythonrun::run_string(text, "<string>") {
        Ok(_) => 0,
        Err(raised) => -i32::from(pythonrun::handle_uncaught(raised) != 0),
    }
}

fn make(features: u32, whence: i64) -> PyResult<&'static thread::InterpreterState> {
    interpreters::make(features, whence)
        .map_err(|why| INTERPRETER_ERROR.raise(format!("sub-interpreter creation failed: {why}")))
}

/// An object's data, as `get_crossinterp_data` gives it.
#[repr(C)]
pub struct CrossData {
    ob_base: PyObject,
    item: Item,
}

#[pytype(
    name = "_testinternalcapi.CrossInterpreterData",
    static_name = CROSS_DATA_TYPE,
    flags = DISALLOW_INSTANTIATION,
)]
impl CrossData {}

/// What is a function or a code object, as both.
fn code_of(object: &PyObject) -> PyResult<(Option<&PyFunctionObject>, &PyCodeObject)> {
    let function = object.downcast::<PyFunctionObject>();
    match function.map(PyFunctionObject::code).or_else(|| object.downcast()) {
        Some(code) => Ok((function, code)),
        None => Err(raise!(TypeError, "argument must be a code object or a function")),
    }
}

fn share_by(object: &PyObject, mode: &str) -> PyResult<Item> {
    let shown = || object.repr().map(|text| text.to_string_lossy());
    let script = |is_pure: bool| {
        code::share_script(object, is_pure)
            .map_err(|raised| not_shareable("object not a valid script", Some(raised.take())))
    };
    match mode {
        "xidata" => share(object, Fallback::ShareableOnly),
        "fallback" => share(object, Fallback::Full),
        "pickle" => pickled::share_pickled(object),
        "marshal" => match crate::marshal::dumps(object, 5, true) {
            Ok(bytes) => Ok(Item::Marshalled(bytes)),
            Err(raised) => Err(not_shareable(
                "object could not be marshalled",
                Some(raised.take()),
            )),
        },
        "code" => match object.downcast::<PyCodeObject>() {
            Some(code) => code::share_code(code),
            None => Err(not_shareable(&format!("expected code, got {}", shown()?), None)),
        },
        "func" => match object.downcast::<PyFunctionObject>() {
            Some(function) => code::share_function(function),
            None => Err(not_shareable(
                &format!("expected a function, got {}", shown()?),
                None,
            )),
        },
        "script" => script(false),
        "script-pure" => script(true),
        other => Err(raise!(ValueError, "unsupported mode '{other}'")),
    }
}

/// The part of the module that is about interpreters.
#[pymodule(name = "_testinternalcapi", types = [])]
pub mod interpreters_for_tests {
    use super::*;

    /// Runs text in an interpreter of its own: 0, or -1 when an exception was printed.
    #[pyfunction("($module, code, config, *, xi=False)")]
    fn run_in_subinterp_with_config(code: &str, config: &PyObject, xi: bool) -> PyResult<i32> {
        let whence = if xi { origin::XI } else { origin::CAPI };
        let interpreter = make(Config::of(Some(config))?.features(), whence)?;
        let entered = enter(interpreter);
        let status = run_simple(code);
        drop(entered);
        interpreters::destroy(interpreter);
        Ok(status)
    }
    /// Makes an interpreter in one of the ways of C.
    #[pyfunction("($module, /, config=None, *, whence=0)")]
    fn create_interpreter(config: Option<&PyObject>, whence: i64) -> PyResult<i64> {
        let config = config.filter(|config| !is_none(config));
        let features = match whence {
            origin::UNKNOWN | origin::LEGACY_CAPI if config.is_some() => {
                return Err(raise!(ValueError, "got unexpected config"));
            }
            origin::UNKNOWN | origin::LEGACY_CAPI => feature::LEGACY,
            origin::CAPI | origin::XI | origin::STDLIB => Config::of(config)?.features(),
            other => return Err(raise!(ValueError, "unsupported whence {other}")),
        };
        let interpreter = make(features, whence)?;
        interpreter
            .is_ready
            .store(whence != origin::UNKNOWN, Ordering::Relaxed);
        Ok(interpreter.id)
    }
    /// Ends an interpreter, whatever made it.
    #[pyfunction("($module, /, id, *, basic=False)")]
    fn destroy_interpreter(id: &PyObject, basic: bool) -> PyResult<()> {
        let _ = basic;
        end(interpreter_of(id)?)
    }
    /// Runs text in an interpreter, as its `__main__` or beside it.
    #[pyfunction("($module, /, id, code, *, main=False)")]
    fn exec_interpreter(id: &PyObject, code: &str, main: bool) -> PyResult<i32> {
        let interpreter = interpreter_of(id)?;
        let entered = enter(interpreter);
        if main {
            if !interpreter.running_main.load(Ordering::Relaxed).is_null() {
                drop(entered);
                return Err(INTERPRETER_ERROR.raise("interpreter already running"));
            }
            let state = std::ptr::from_ref(thread::thread_state()).cast_mut();
            interpreter.running_main.store(state, Ordering::Relaxed);
        }
        let status = run_simple(code);
        if main {
            interpreter
                .running_main
                .store(std::ptr::null_mut(), Ordering::Relaxed);
        }
        drop(entered);
        Ok(status)
    }
    #[pyfunction("($module, /)")]
    fn next_interpreter_id() -> i64 {
        thread::next_interpreter_id()
    }
    #[pyfunction("($module, /)")]
    fn unused_interpreter_id() -> i64 {
        i64::MAX
    }
    #[pyfunction("($module, id, /)")]
    fn normalize_interp_id(id: &PyObject) -> PyResult<i64> {
        id_of("interpreter", id)
    }
    #[pyfunction("($module, id, /)")]
    fn interpreter_exists(id: &PyObject) -> PyResult<bool> {
        Ok(interpreters::find(id_of("interpreter", id)?).is_some())
    }
    #[pyfunction("($module, id, /)")]
    fn get_interpreter_refcount(id: &PyObject) -> PyResult<i64> {
        Ok(interpreter_of(id)?.n_uses.load(Ordering::Relaxed))
    }
    #[pyfunction("($module, id, /)")]
    fn link_interpreter_refcount(id: &PyObject) -> PyResult<()> {
        interpreter_of(id)?.ends_unused.store(true, Ordering::Relaxed);
        Ok(())
    }
    #[pyfunction("($module, id, /)")]
    fn unlink_interpreter_refcount(id: &PyObject) -> PyResult<()> {
        interpreter_of(id)?.ends_unused.store(false, Ordering::Relaxed);
        Ok(())
    }
    #[pyfunction("($module, id, /)")]
    fn interpreter_refcount_linked(id: &PyObject) -> PyResult<bool> {
        Ok(interpreter_of(id)?.ends_unused.load(Ordering::Relaxed))
    }
    /// What the current interpreter, or the main one, may do: C's bits.
    #[pyfunction("($module, interpid=-1, /)")]
    fn get_interp_settings(interpid: i64) -> PyResult<Ref<PyDictObject>> {
        let interpreter = match interpid {
            -1 => thread::interpreter(),
            0 => &INTERPRETER,
            other => return Err(raise!(NotImplementedError, "{other}")),
        };
        let bits = [
            (feature::MAIN_OBMALLOC, 5),
            (feature::CHECK_EXTENSIONS, 8),
            (feature::THREADS, 10),
            (feature::DAEMON_THREADS, 11),
            (feature::FORK, 15),
            (feature::EXEC, 16),
        ];
        let flags: i64 = bits
            .iter()
            .filter(|(bit, _)| interpreter.allows(*bit))
            .map(|(_, shift)| 1 << shift)
            .sum();
        let settings = PyDictObject::new();
        settings.set(
            PyUnicodeObject::from_str("feature_flags").as_object(),
            PyLongObject::from_i64(flags).as_object(),
        )?;
        settings.set(
            PyUnicodeObject::from_str("own_gil").as_object(),
            &py_bool(interpreter.allows(feature::OWN_GIL)),
        )?;
        Ok(settings)
    }
    /// Has an interpreter make a pending call that says where it is made.
    #[pyfunction("($module, interpid, /)")]
    fn pending_identify(interpid: &PyObject) -> PyResult<i64> {
        let interpreter = interpreter_of(interpid)?;
        let done = std::sync::Arc::new((crate::thread::lock::RawLock::default(), AtomicI64::new(-1)));
        done.0.try_acquire();
        let told = done.clone();
        let call = move || {
            told.1.store(thread::interpreter().id, Ordering::Release);
            told.0.release();
            Ok(())
        };
        if !adder_interp::pending::add_pending_call_for(interpreter.id, Box::new(call)) {
            return Err(raise!(RuntimeError, "too many pending calls wait"));
        }
        done.0.acquire(None)?;
        Ok(done.1.load(Ordering::Acquire))
    }
    /// The data of an object, shared in one way.
    #[pyfunction("($module, /, obj, mode=None)")]
    fn get_crossinterp_data(obj: &PyObject, mode: Option<&str>) -> PyResult {
        let item = share_by(obj, mode.unwrap_or("xidata"))?;
        let data = Ref::new(CrossData {
            ob_base: adder_runtime::memory::blank_header(),
            item,
        })?;
        Ok(data.into_object())
    }
    /// A new object of data.
    #[pyfunction("($module, data, /)")]
    fn restore_crossinterp_data(data: &CrossData) -> PyResult {
        data.item.receive()
    }
    /// Whether code gives nothing but None.
    #[pyfunction("($module, code, /)")]
    fn code_returns_only_none(code: &PyCodeObject) -> bool {
        super::code::returns_only_none(code)
    }
    /// ValueError for code, or a function, that needs what is around it.
    #[pyfunction("($module, /, code, *, globalsns=None, builtinsns=None)")]
    fn verify_stateless_code(
        code: &PyObject,
        globalsns: Option<&PyDictObject>,
        builtinsns: Option<&PyDictObject>,
    ) -> PyResult<()> {
        let (function, inner) = code_of(code)?;
        let spaces = globalsns
            .zip(builtinsns)
            .or_else(|| function.and_then(super::code::spaces_of));
        super::code::check_stateless(inner, spaces).map_err(|why| raise!(ValueError, "{why}"))
    }

    /// How many names of each sort code has.
    #[pyfunction("($module, /, code, *, globalsns=None, builtinsns=None)")]
    fn get_code_var_counts(
        code: &PyObject,
        globalsns: Option<&PyDictObject>,
        builtinsns: Option<&PyDictObject>,
    ) -> PyResult {
        let (function, inner) = code_of(code)?;
        let own = function.and_then(super::code::spaces_of);
        let globals = globalsns.or(own.map(|own| own.0));
        let builtins = builtinsns.or(own.map(|own| own.1));
        var_counts(inner, globals, builtins)
    }

    /// A dict of numbers and dicts by their names.
    fn table(rows: Vec<(&str, Ref)>) -> PyResult {
        let table = PyDictObject::new();
        for (name, value) in rows {
            table.set(PyUnicodeObject::from_str(name).as_object(), &value)?;
        }
        Ok(table.into_object())
    }

    fn var_counts(
        code: &PyCodeObject,
        globals: Option<&PyDictObject>,
        builtins: Option<&PyDictObject>,
    ) -> PyResult {
        let number = |value: usize| PyLongObject::from_usize(value).into_object();
        let kinds = &code.data().kinds;
        let n_of = |test: &dyn Fn(u8) -> bool| kinds.iter().filter(|kind| test(**kind)).count();
        let (arg, var, hidden) = (
            LocalKind::ARG_POS | LocalKind::ARG_KW,
            LocalKind::ARG_VAR,
            LocalKind::HIDDEN,
        );
        let (local, cell, free) = (LocalKind::LOCAL, LocalKind::CELL, LocalKind::FREE);
        let is_arg = move |kind: u8| kind & (arg | var) != 0;
        let positional = n_of(&|kind| kind & (arg | var) == LocalKind::ARG_POS);
        let either = n_of(&|kind| kind & (arg | var) == arg);
        let keyword = n_of(&|kind| kind & (arg | var) == LocalKind::ARG_KW);
        let varargs = n_of(&|kind| kind & var != 0 && kind & LocalKind::ARG_POS != 0);
        let varkwargs = n_of(&|kind| kind & var != 0 && kind & LocalKind::ARG_KW != 0);
        let n_args = n_of(&is_arg);
        let arg_cells = n_of(&|kind| is_arg(kind) && kind & cell != 0);
        let other_cells = n_of(&|kind| !is_arg(kind) && kind & cell != 0 && kind & hidden == 0);
        let hidden_cells = n_of(&|kind| kind & hidden != 0 && kind & cell != 0);
        let hidden_pure = n_of(&|kind| kind & hidden != 0 && kind & cell == 0);
        let pure = n_of(&|kind| kind & local != 0 && !is_arg(kind) && kind & (cell | hidden) == 0);
        let n_free = n_of(&|kind| kind & free != 0);
        let n_locals = n_args + pure + other_cells + hidden_cells + hidden_pure;

        let (read, attributes) = super::code::unbound_names(code);
        let (mut n_global, mut n_builtin) = (0, 0);
        for at in &read {
            let Some(name) = code
                .names()
                .as_slice()
                .get(*at)
                .and_then(|name| name.downcast::<PyUnicodeObject>())
            else {
                continue;
            };
            if globals.is_some_and(|globals| globals.contains_str(name)) {
                n_global += 1;
            } else if builtins.is_some_and(|builtins| builtins.contains_str(name)) {
                n_builtin += 1;
            }
        }
        let n_unbound = read.len() + attributes.len();
        table(vec![
            ("total", number(n_locals + n_free + n_unbound)),
            (
                "locals",
                table(vec![
                    ("total", number(n_locals)),
                    (
                        "args",
                        table(vec![
                            ("total", number(n_args)),
                            ("numposonly", number(positional)),
                            ("numposorkw", number(either)),
                            ("numkwonly", number(keyword)),
                            ("varargs", number(varargs)),
                            ("varkwargs", number(varkwargs)),
                        ])?,
                    ),
                    ("numpure", number(pure)),
                    (
                        "cells",
                        table(vec![
                            ("total", number(arg_cells + other_cells)),
                            ("numargs", number(arg_cells)),
                            ("numothers", number(other_cells)),
                        ])?,
                    ),
                    (
                        "hidden",
                        table(vec![
                            ("total", number(hidden_cells + hidden_pure)),
                            ("numpure", number(hidden_pure)),
                            ("numcells", number(hidden_cells)),
                        ])?,
                    ),
                ])?,
            ),
            ("numfree", number(n_free)),
            (
                "unbound",
                table(vec![
                    ("total", number(n_unbound)),
                    (
                        "globals",
                        table(vec![
                            ("total", number(read.len())),
                            ("numglobal", number(n_global)),
                            ("numbuiltin", number(n_builtin)),
                            ("numunknown", number(read.len() - n_global - n_builtin)),
                        ])?,
                    ),
                    ("numattrs", number(attributes.len())),
                    ("numunknown", number(0)),
                ])?,
            ),
        ])
    }

    #[pyexec]
    fn exec(_module: &PyModuleObject) -> PyResult<()> {
        adder_runtime::types::ready(&CROSS_DATA_TYPE)
    }
}
