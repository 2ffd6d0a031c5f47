//! command line -> runtime: the `adder` command.
fn main() {}
