//! NumPy's own tests -> what adder makes of them, beside what CPython does with the same wheel.
#![forbid(unsafe_code)]
fn main() {}
