//! command line -> runtime: the `adder` command.

use adder_cpyext as _; // linked for the C API that it exports

fn main() {}
