//! bytes -> `marshal.loads`, and code objects with changed bytes, which run when the verifier takes them.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| adder_fuzz::run(include_str!("../drivers/marshal.py"), data));
