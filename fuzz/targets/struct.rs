//! bytes -> a format of `struct` and data.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| adder_fuzz::run(include_str!("../drivers/struct.py"), data));
