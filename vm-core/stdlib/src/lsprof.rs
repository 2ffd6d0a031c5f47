//! `_lsprof`: the deterministic profiler behind `cProfile`. Events of `sys.monitoring` -> time per code object and per
//! built-in function, with their callers.
//!
//! The state is never borrowed while Python code may run: a timer of the user's, or what a callback's arguments do.

use adder_interp::monitoring::event;
use adder_runtime::abi::*;
use adder_runtime::memory::blank_header;
use adder_runtime::objects::descrobject::PyMethodDescr_Type;
use adder_runtime::objects::structseq;
use adder_runtime::prelude::*;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::Instant;

use crate::module_parts::struct_sequences;

struct_sequences! {
    profiler_entry = "_lsprof.profiler_entry", "", 6: [
        ("code", "code object or built-in function name"),
        ("callcount", "how many times this was called"),
        ("reccallcount", "how many times called recursively"),
        ("totaltime", "total time in this entry"),
        ("inlinetime", "inline time in this entry (not in subcalls)"),
        ("calls", "details of the calls"),
    ];
    profiler_subentry = "_lsprof.profiler_subentry", "", 5: [
        ("code", "called code object or built-in function name"),
        ("callcount", "how many times this is called"),
        ("reccallcount", "how many times this is called recursively"),
        ("totaltime", "total time spent in this call"),
        ("inlinetime", "inline time (not in further subcalls)"),
    ];
}

/// Which callback hears which events.
const CALLBACKS: [(u8, &str); 9] = [
    (event::PY_START, "_pystart_callback"),
    (event::PY_RESUME, "_pystart_callback"),
    (event::PY_THROW, "_pystart_callback"),
    (event::PY_RETURN, "_pyreturn_callback"),
    (event::PY_YIELD, "_pyreturn_callback"),
    (event::PY_UNWIND, "_pyreturn_callback"),
    (event::CALL, "_ccall_callback"),
    (event::C_RETURN, "_creturn_callback"),
    (event::C_RAISE, "_creturn_callback"),
];

/// `sys.monitoring.PROFILER_ID`.
const TOOL: i64 = 2;

#[derive(Clone, Copy, Default)]
struct Times {
    /// Calls that are running.
    level: usize,
    calls: usize,
    recursive_calls: usize,
    total: i64,
    inline: i64,
}

impl Times {
    /// A call is over that took `total`, of which `inline` not in other calls.
    fn stop(&mut self, total: i64, inline: i64) {
        self.level = self.level.saturating_sub(1);
        if self.level == 0 {
            self.total += total;
        } else {
            self.recursive_calls += 1;
        }
        self.inline += inline;
        self.calls += 1;
    }
}

struct Entry {
    object: Ref,
    times: Times,
    /// What it called, by key.
    callees: HashMap<usize, Times>,
}

/// A call that is running.
struct Call {
    key: usize,
    start: i64,
    in_calls: i64,
}

#[derive(Default)]
struct State {
    entries: HashMap<usize, Entry>,
    calls: Vec<Call>,
}

#[repr(C)]
pub struct Profiler {
    ob_base: PyObject,
    timer: Option<Ref>,
    /// Seconds in one unit of the timer; 0: it gives seconds as floats.
    unit: f64,
    began: Instant,
    subcalls: Cell<bool>,
    builtins: Cell<bool>,
    enabled: Cell<bool>,
    in_timer: Cell<bool>,
    state: RefCell<State>,
}

fn monitoring(name: &'static PyUnicodeObject, args: &[&PyObject]) -> PyResult {
    match adder_runtime::hooks::sys_attribute(identifier!("monitoring")) {
        Some(module) => module.call_method(name, args),
        None => Err(raise!(RuntimeError, "sys.monitoring is gone")),
    }
}

fn int(value: i64) -> Ref {
    PyLongObject::from_i64(value).into_object()
}

/// The built-in function that a call calls, if it is one.
fn c_function(callable: &PyObject, this: &PyObject) -> Option<Ref> {
    if callable.downcast::<PyCFunctionObject>().is_some() {
        return Some(callable.to_ref());
    }
    if !std::ptr::eq(callable.ty(), &PyMethodDescr_Type) {
        return None;
    }
    let missing = adder_runtime::hooks::sys_attribute(identifier!("monitoring"))
        .map(|module| module.get_attr(identifier!("MISSING")));
    if missing.is_some_and(|missing| missing.is_ok_and(|missing| missing.is(this))) {
        return None;
    }
    let bound = callable.call_method(identifier!("__get__"), &[this, this.ty().as_object()]);
    match bound {
        Ok(bound) => (*bound)
            .downcast::<PyCFunctionObject>()
            .is_some()
            .then_some(bound),
        Err(raised) => {
            raised.clear();
            None
        }
    }
}

/// What tells a built-in function from all others: its definition.
fn key_of(function: &PyObject) -> usize {
    match function.downcast::<PyCFunctionObject>() {
        Some(function) => std::ptr::from_ref(function.def()) as usize,
        None => function.as_ptr() as usize,
    }
}

/// A code object as it is, a built-in function as its name.
fn shown(object: &PyObject) -> PyResult {
    let Some(function) = object.downcast::<PyCFunctionObject>() else {
        return Ok(object.to_ref());
    };
    let name = function.def().name_text();
    let this = function.self_object();
    let module = match this.map(|this| this.downcast::<PyModuleObject>()) {
        None | Some(Some(_)) => object.get_attr(identifier!("__module__"))?,
        Some(None) => {
            let name = PyUnicodeObject::intern(PyUnicodeObject::from_str(&name));
            if let Some(found) = this.and_then(|this| this.ty().lookup(&name)) {
                return Ok(found.to_ref().repr()?.into_object());
            }
            none_ref()
        }
    };
    let text = if is_none(&module) {
        format!("<built-in method {name}>")
    } else {
        format!("<built-in method {}.{name}>", module.str()?.to_string_lossy())
    };
    Ok(PyUnicodeObject::from_string(text).into_object())
}

#[pytype(name = "_lsprof.Profiler", static_name = PROFILER_TYPE, flags = BASETYPE)]
/// Build a profiler object using the specified timer function.
///
/// The default timer is a fast built-in one based on real time. For custom timer functions returning integers, timeunit is the
/// seconds in one unit.
impl Profiler {
    #[new("(timer=None, timeunit=0.0, subcalls=True, builtins=True)")]
    fn new(
        cls: &PyTypeObject,
        timer: Option<&PyObject>,
        timeunit: Option<f64>,
        subcalls: Option<bool>,
        builtins: Option<bool>,
    ) -> PyResult<Ref<Profiler>> {
        let profiler = Profiler {
            ob_base: blank_header(),
            timer: timer.filter(|timer| !is_none(timer)).map(PyObject::to_ref),
            unit: timeunit.unwrap_or(0.0),
            began: Instant::now(),
            subcalls: Cell::new(subcalls.unwrap_or(true)),
            builtins: Cell::new(builtins.unwrap_or(true)),
            enabled: Cell::new(false),
            in_timer: Cell::new(false),
            state: RefCell::default(),
        };
        Ref::new_in(cls, profiler)
    }

    /// Start collecting profiling information.
    #[method("($self, /, subcalls=True, builtins=True)")]
    fn enable(&self, subcalls: Option<bool>, builtins: Option<bool>) -> PyResult<()> {
        if self.in_timer.get() {
            return Err(raise!(RuntimeError, "cannot enable profiler in external timer"));
        }
        self.subcalls.set(subcalls.unwrap_or(true));
        self.builtins.set(builtins.unwrap_or(true));
        let name = PyUnicodeObject::from_str("cProfile");
        monitoring(identifier!("use_tool_id"), &[&int(TOOL), name.as_object()])?;
        let mut events = 0;
        for (number, callback) in CALLBACKS {
            let callback = self.as_object().get_attr_str(callback)?;
            let bit = int(1 << number);
            monitoring(identifier!("register_callback"), &[&int(TOOL), &bit, &callback])?;
            events |= 1 << number;
        }
        self.enabled.set(true);
        monitoring(identifier!("set_events"), &[&int(TOOL), &int(events)]).map(drop)
    }

    /// Stop collecting profiling information.
    #[method("($self, /)")]
    fn disable(&self) -> PyResult<()> {
        if self.in_timer.get() {
            return Err(raise!(RuntimeError, "cannot disable profiler in external timer"));
        }
        if self.enabled.replace(false) {
            for (number, _) in CALLBACKS {
                let bit = int(1 << number);
                monitoring(identifier!("register_callback"), &[&int(TOOL), &bit, none()])?;
            }
            monitoring(identifier!("free_tool_id"), &[&int(TOOL)])?;
            self.stop_all();
        }
        Ok(())
    }

    /// Clear all profiling information collected so far.
    #[method("($self, /)")]
    fn clear(&self) -> PyResult<()> {
        if self.in_timer.get() {
            return Err(raise!(RuntimeError, "cannot clear profiler in external timer"));
        }
        let old = self.state.take();
        drop(old);
        Ok(())
    }

    /// All information collected by the profiler: a list of profiler_entry objects.
    #[method("($self, /)")]
    fn getstats(&self) -> PyResult<Ref<PyListObject>> {
        struct Told {
            object: Ref,
            times: Times,
            callees: Vec<(Ref, Times)>,
        }
        let told: Vec<Told> = {
            let state = self.state.borrow();
            let entries = state.entries.values().filter(|entry| entry.times.calls != 0);
            entries
                .map(|entry| {
                    let callees = entry.callees.iter().filter(|(_, times)| times.calls != 0);
                    let callees = callees
                        .filter_map(|(key, times)| Some((state.entries.get(key)?.object.clone(), *times)));
                    Told {
                        object: entry.object.clone(),
                        times: entry.times,
                        callees: callees.collect(),
                    }
                })
                .collect()
        };
        let list = PyListObject::new();
        for entry in told {
            let calls = if entry.callees.is_empty() {
                none_ref()
            } else {
                let calls = PyListObject::new();
                for (object, times) in &entry.callees {
                    let fields = self.fields(object, times)?;
                    calls.push(structseq::new_instance(profiler_subentry()?, fields)?);
                }
                calls.into_object()
            };
            let mut fields = self.fields(&entry.object, &entry.times)?;
            fields.push(calls);
            list.push(structseq::new_instance(profiler_entry()?, fields)?);
        }
        Ok(list)
    }

    #[method("($self, code, instruction_offset, /, *args)")]
    fn _pystart_callback(&self, code: &PyObject, instruction_offset: &PyObject, args: &[&PyObject]) {
        let _ = (instruction_offset, args);
        self.enter(code.as_ptr() as usize, code);
    }
    #[method("($self, code, instruction_offset, retval, /)")]
    fn _pyreturn_callback(&self, code: &PyObject, instruction_offset: &PyObject, retval: &PyObject) {
        let _ = (instruction_offset, retval);
        self.leave(code.as_ptr() as usize);
    }
    #[method("($self, code, instruction_offset, callable, self_arg, /)")]
    fn _ccall_callback(
        &self,
        code: &PyObject,
        instruction_offset: &PyObject,
        callable: &PyObject,
        self_arg: &PyObject,
    ) {
        let _ = (code, instruction_offset);
        if self.builtins.get()
            && let Some(function) = c_function(callable, self_arg)
        {
            self.enter(key_of(&function), &function);
        }
    }
    #[method("($self, code, instruction_offset, callable, self_arg, /)")]
    fn _creturn_callback(
        &self,
        code: &PyObject,
        instruction_offset: &PyObject,
        callable: &PyObject,
        self_arg: &PyObject,
    ) {
        let _ = (code, instruction_offset);
        if self.builtins.get()
            && let Some(function) = c_function(callable, self_arg)
        {
            self.leave(key_of(&function));
        }
    }
}

impl Profiler {
    /// Now, in nanoseconds or in units of the user's timer.
    fn now(&self) -> i64 {
        let Some(timer) = &self.timer else {
            return self.began.elapsed().as_nanos() as i64;
        };
        self.in_timer.set(true);
        let told = timer.call0().and_then(|told| {
            if self.unit > 0.0 {
                told.index()?.as_i64()
            } else {
                let seconds = told.to_f64()?;
                Ok((seconds * 1e9).round() as i64)
            }
        });
        self.in_timer.set(false);
        told.unwrap_or_else(|raised| {
            adder_runtime::error::write_unraisable(raised, None, Some(timer));
            0
        })
    }

    fn enter(&self, key: usize, object: &PyObject) {
        {
            let mut state = self.state.borrow_mut();
            let state = &mut *state;
            let entry = state.entries.entry(key).or_insert_with(|| Entry {
                object: object.to_ref(),
                times: Times::default(),
                callees: HashMap::new(),
            });
            entry.times.level += 1;
            let caller = state.calls.last().filter(|_| self.subcalls.get());
            if let Some(caller) = caller.and_then(|caller| state.entries.get_mut(&caller.key)) {
                caller.callees.entry(key).or_default().level += 1;
            }
            state.calls.push(Call {
                key,
                start: 0,
                in_calls: 0,
            });
        }
        let start = self.now();
        if let Some(call) = self.state.borrow_mut().calls.last_mut() {
            call.start = start;
        }
    }

    fn leave(&self, key: usize) {
        if self.state.borrow().calls.is_empty() {
            return;
        }
        let end = self.now();
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        let Some(call) = state.calls.pop() else { return };
        let Some(entry) = state.entries.get_mut(&key) else {
            return;
        };
        let total = end - call.start;
        let inline = total - call.in_calls;
        entry.times.stop(total, inline);
        let Some(caller) = state.calls.last_mut() else {
            return;
        };
        caller.in_calls += total;
        let caller = caller.key;
        if self.subcalls.get()
            && let Some(times) = state
                .entries
                .get_mut(&caller)
                .and_then(|entry| entry.callees.get_mut(&key))
        {
            times.stop(total, inline);
        }
    }

    /// What is still running has run until now.
    fn stop_all(&self) {
        loop {
            let last = self.state.borrow().calls.last().map(|call| call.key);
            match last {
                Some(key) => self.leave(key),
                None => return,
            }
        }
    }

    /// The first five fields of an entry.
    fn fields(&self, object: &PyObject, times: &Times) -> PyResult<Vec<Ref>> {
        let unit = if self.timer.is_some() && self.unit > 0.0 {
            self.unit
        } else {
            1e-9
        };
        let seconds = |time: i64| PyFloatObject::from_f64(time as f64 * unit).into_object();
        Ok(vec![
            shown(object)?,
            PyLongObject::from_usize(times.calls).into_object(),
            PyLongObject::from_usize(times.recursive_calls).into_object(),
            seconds(times.total),
            seconds(times.inline),
        ])
    }
}

/// Fast profiler.
#[pymodule(name = "_lsprof", types = [PROFILER_TYPE])]
pub mod _lsprof {
    pub use super::PROFILER_TYPE;
    use super::*;

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        module.add("profiler_entry", profiler_entry()?.to_object())?;
        module.add("profiler_subentry", profiler_subentry()?.to_object())
    }
}
