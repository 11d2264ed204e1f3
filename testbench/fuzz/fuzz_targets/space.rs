#![no_main]

libfuzzer_sys::fuzz_target!(init: onward_fuzz::begin("space"), |bytes: &[u8]| onward_fuzz::run("space", bytes));
