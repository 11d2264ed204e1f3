#![no_main]

libfuzzer_sys::fuzz_target!(init: onward_fuzz::begin("faults"), |bytes: &[u8]| onward_fuzz::run("faults", bytes));
