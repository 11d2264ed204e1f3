#![no_main]

libfuzzer_sys::fuzz_target!(init: onward_fuzz::begin("chip"), |bytes: &[u8]| onward_fuzz::run("chip", bytes));
