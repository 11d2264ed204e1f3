#![no_main]

libfuzzer_sys::fuzz_target!(init: onward_fuzz::begin("checkpoint"), |bytes: &[u8]| onward_fuzz::run("checkpoint", bytes));
