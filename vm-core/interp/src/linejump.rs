//! `frame.f_lineno = line` of a trace function -> the frame goes on at that line. The values that the place of departure
//! keeps in temporaries and the place of arrival does not are dropped; what the place of arrival needs must be there.

use crate::eval;
use crate::frame::*;
use crate::frameobject::FrameObject;
use crate::monitoring::event;
use adder_compiler::bytecode::verify::{State, Temps, temporaries};
use adder_compiler::bytecode::{self, ExceptionEntry, Instr};
use adder_runtime::exceptions::exc;
use adder_runtime::memory;
use adder_runtime::objects::codeobject::CodeData;
use adder_runtime::prelude::*;
use adder_runtime::thread::thread_state;
use std::ptr::null_mut;

/// What the temporaries of a code hold before each word.
fn states_of(code: &PyCodeObject) -> PyResult<Vec<Option<Temps>>> {
    let data = code.data();
    let entry = |entry: &adder_runtime::objects::codeobject::ExceptionHandler| ExceptionEntry {
        start: entry.start,
        end: entry.end,
        handler: entry.handler,
        depth: entry.depth,
        lasti: entry.lasti,
    };
    let words = crate::code::pristine_words(data);
    let skeleton = bytecode::CodeObject {
        instructions: words.into_iter().map(Instr::from_u64).collect(),
        localsplus_names: vec![Default::default(); data.n_localsplus as usize],
        n_temps: data.n_registers - data.n_localsplus,
        exception_table: data.exceptions.iter().map(entry).collect(),
        ..Default::default()
    };
    temporaries(&skeleton).map_err(|message| raise!(SystemError, "code that cannot be followed: {message}"))
}

/// How many temporaries are in use.
fn depth(state: &[State]) -> usize {
    state
        .iter()
        .rposition(|state| *state != State::Empty)
        .map_or(0, |top| top + 1)
}

/// Whether a frame in the state `from` can go on in the state `to` after some of its temporaries were dropped.
fn fits(from: &[State], to: &[State]) -> bool {
    depth(to) <= depth(from)
        && to[..depth(to)].iter().zip(from).all(|(to, from)| match to {
            State::Full => from.is_full(),
            State::Maybe => *from != State::Empty,
            _ => from == to,
        })
}

/// Why no place of a line can be gone to.
fn why_not(to: &[State]) -> &'static str {
    match to[..depth(to)].last() {
        Some(State::Iterator) => "can't jump into the body of a for loop",
        Some(State::Handled | State::Raised) => "can't jump into an 'except' block as there's no exception",
        Some(State::Lasti) => "can't jump into a re-raising block as there's no location",
        _ => "incompatible stacks",
    }
}

/// Whether the event that is being told allows it.
fn check_event(frame: *mut Frame) -> PyResult<u8> {
    let ts = thread_state();
    let refused = |message: &str| Err(raise!(ValueError, "{message}"));
    if ts.base.tracing.get() == 0 || crate::tracing::event_frame().is_null() {
        return refused("f_lineno can only be set in a trace function");
    }
    if crate::tracing::event_frame() != frame {
        return refused("can't jump during a call");
    }
    let number = ts.base.what_event.get() as u8;
    match number {
        event::PY_START | event::PY_RESUME => {
            refused("can't jump from the 'call' trace event of a new frame")
        }
        event::CALL | event::C_RETURN => refused("can't jump during a call"),
        event::PY_YIELD
        | event::LINE
        | event::INSTRUCTION
        | event::JUMP
        | event::BRANCH_LEFT
        | event::BRANCH_RIGHT => Ok(number),
        _ => refused("can only jump from a 'line' trace event"),
    }
}

/// The place to go on at: of those of the line whose state fits, the one that keeps most.
fn find_place(data: &CodeData, states: &[Option<Temps>], from: &[State], line: i32) -> PyResult<usize> {
    let mut best: Option<(usize, usize)> = None;
    let mut reason = None;
    let mut last_line = -1;
    for run in data.locations() {
        let starts_line = run.line != -1 && run.line != last_line;
        if starts_line {
            last_line = run.line;
        }
        let place = run.start as usize;
        let Some(Some(to)) = states.get(place).filter(|_| starts_line && run.line == line) else {
            continue;
        };
        if !fits(from, to) {
            reason.get_or_insert(why_not(to));
        } else if best.is_none_or(|(_, best)| depth(to) > best) {
            best = Some((place, depth(to)));
        }
    }
    let reason = reason.unwrap_or("can't jump into an exception handler, or code may be unreachable");
    best.map(|(place, _)| place)
        .ok_or_else(|| raise!(ValueError, "{reason}"))
}

/// `frame.f_lineno = line`.
pub fn jump_to_line(object: &FrameObject, line: i64) -> PyResult<()> {
    let Some(frame) = object.frame() else {
        return Err(raise!(ValueError, "f_lineno can only be set in a trace function"));
    };
    let number = check_event(frame)?;
    // SAFETY: the frame is alive and stopped at an event; registers hold live objects or null.
    unsafe {
        let code = (*frame).code().to_ref();
        if line < i64::from(code.co_firstlineno.get()) {
            return Err(raise!(
                ValueError,
                "line {line} comes before the current code block"
            ));
        }
        let data = code.data();
        let lines = data.locations().iter().map(|run| run.line);
        let Some(target) = lines.filter(|at| i64::from(*at) >= line).min() else {
            return Err(raise!(
                ValueError,
                "line {line} comes after the current code block"
            ));
        };
        let states = states_of(&code)?;
        let Some(mut from) = states[(*frame).index() as usize].clone() else {
            return Err(raise!(ValueError, "can't jump from unreachable code"));
        };
        if number == event::PY_YIELD {
            // The yielded value is gone.
            let word = *(*frame).pc;
            let taken = bytecode::code::SrcOperand::decode(eval::field_b(word));
            if let bytecode::code::SrcOperand::Take(register) = taken {
                from[register as usize - data.n_localsplus as usize] = State::Empty;
            }
        }
        let place = find_place(data, &states, &from, target)?;
        bind_unbound(frame)?;
        let to = states[place].as_deref().unwrap_or_default();
        let registers = Frame::registers(frame).add(data.n_localsplus as usize);
        for temp in (depth(to)..from.len()).rev() {
            let value = std::ptr::replace(registers.add(temp), null_mut());
            if from[temp] == State::Handled {
                let value = if value == none().as_ptr() {
                    null_mut()
                } else {
                    value
                };
                let item = &*thread_state().base.exc_info.get();
                memory::xdecref(item.exc_value.replace(value));
            } else {
                memory::xdecref(value);
            }
        }
        (*frame).pc = data.words.as_ptr().add(place).cast();
        (*frame).traced_line = target;
    }
    Ok(())
}

/// Code after a jump may use variables that the jump left unbound: they become None.
unsafe fn bind_unbound(frame: *mut Frame) -> PyResult<()> {
    // SAFETY: the caller's contract: a live frame.
    unsafe {
        let registers = Frame::registers(frame);
        let n_locals = (*frame).n_localsplus();
        let unbound = (0..n_locals)
            .filter(|index| (*registers.add(*index)).is_null())
            .count();
        if unbound == 0 {
            return Ok(());
        }
        let plural = if unbound == 1 { "" } else { "s" };
        let text = format!("assigning None to {unbound} unbound local{plural}");
        crate::warnings::warn(
            exc::RuntimeWarning,
            PyUnicodeObject::from_string(text).as_object(),
            1,
            None,
        )?;
        for index in 0..n_locals {
            if (*registers.add(index)).is_null() {
                *registers.add(index) = none_ref().into_raw();
            }
        }
    }
    Ok(())
}
