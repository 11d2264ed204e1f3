#![no_main]

libfuzzer_sys::fuzz_target!(init: onward_fuzz::begin("events"), |bytes: &[u8]| onward_fuzz::run("events", bytes));
