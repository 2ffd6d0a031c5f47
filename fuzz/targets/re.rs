//! bytes -> a pattern, or the words of a compiled one, and its subject.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| adder_fuzz::run(include_str!("../drivers/re.py"), data));
