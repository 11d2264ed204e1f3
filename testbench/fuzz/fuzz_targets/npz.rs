#![no_main]

libfuzzer_sys::fuzz_target!(init: onward_fuzz::begin("npz"), |bytes: &[u8]| onward_fuzz::run("npz", bytes));
