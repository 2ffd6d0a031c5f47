//! bytecode -> trace: the recorder. It runs a loop with `Recording` in place of the interpreter's `Direct` and notes what the fast
//! paths did. Nothing is compiled yet: the trace is printed, and the interpreter goes on where the recorder stopped.
//!
//! The tests are `tests/golden`; `adder --dump=trace PROGRAM` prints the same.

pub mod recorder;
pub mod recording;
pub mod trace;

use adder_compiler::{CompileOpts, Mode};
use adder_interp::{code, pythonrun};
use adder_runtime::prelude::*;

/// Calls of `run` before the recording, after which its instructions have their specialised forms.
const N_WARM_CALLS: usize = 3;

/// Runs a program that defines a function `run`, and records the first loop of `run`: the trace, why it ended early if it did, and
/// the result, which must be what an interpreted call gives.
pub fn trace_of(source: &str) -> PyResult<String> {
    let filename = PyUnicodeObject::from_str("<trace>");
    let code = code::compile_text(source, filename.as_object(), Mode::Exec, &CompileOpts::default())?;
    let globals = PyDictObject::new();
    let name = PyUnicodeObject::from_str("<trace>");
    globals.set_str(identifier!("__name__"), name.as_object())?;
    pythonrun::run_code(&code, &globals, None)?;
    let run = globals.get_str(identifier!("run"));
    let Some(run) = run.and_then(|run| run.downcast::<PyFunctionObject>().ok()) else {
        return Err(raise!(
            ValueError,
            "a program to trace defines a function called run"
        ));
    };
    let mut expected = none_ref();
    for _ in 0..N_WARM_CALLS {
        expected = run.as_object().call(&[])?;
    }
    let recorded = recorder::record(&run);
    let (result, expected) = (recorded.result?.repr()?, expected.repr()?);
    if !result.eq(&expected) {
        return Err(raise!(
            AssertionError,
            "a recorded run gives {}, an interpreted one {}",
            result.to_string_lossy(),
            expected.to_string_lossy()
        ));
    }
    let end = recorded
        .aborted
        .map_or(String::new(), |reason| format!("; aborted: {reason}\n"));
    Ok(format!(
        "{}{end}; result: {}\n",
        recorded.trace,
        result.to_string_lossy()
    ))
}
