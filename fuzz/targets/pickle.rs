//! bytes -> `pickle.loads` with a few harmless classes.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| adder_fuzz::run(include_str!("../drivers/pickle.py"), data));
