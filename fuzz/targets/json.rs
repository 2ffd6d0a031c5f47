//! bytes -> `json.loads` and `json.dumps`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| adder_fuzz::run(include_str!("../drivers/json.py"), data));
