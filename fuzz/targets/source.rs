//! bytes -> source text: compiled, parsed, unparsed.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| adder_fuzz::run(include_str!("../drivers/source.py"), data));
