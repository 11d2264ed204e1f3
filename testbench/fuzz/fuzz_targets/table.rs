#![no_main]

libfuzzer_sys::fuzz_target!(init: onward_fuzz::begin("table"), |bytes: &[u8]| onward_fuzz::run("table", bytes));
