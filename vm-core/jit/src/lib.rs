//! bytecode -> trace: the recorder. It runs a loop with `Recording` in place of the interpreter's `Direct` and notes what the fast
//! paths did. Nothing is compiled yet: the trace is printed, and the interpreter goes on where the recorder stopped.

pub mod recorder;
pub mod recording;
pub mod trace;
