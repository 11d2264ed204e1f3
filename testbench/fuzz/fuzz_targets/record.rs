#![no_main]

libfuzzer_sys::fuzz_target!(init: onward_fuzz::begin("record"), |bytes: &[u8]| onward_fuzz::run("record", bytes));
