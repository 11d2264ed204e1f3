#![no_main]

libfuzzer_sys::fuzz_target!(init: onward_fuzz::begin("network"), |bytes: &[u8]| onward_fuzz::run("network", bytes));
