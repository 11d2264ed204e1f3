#![no_main]

libfuzzer_sys::fuzz_target!(init: onward_fuzz::begin("recordings"), |bytes: &[u8]| onward_fuzz::run("recordings", bytes));
