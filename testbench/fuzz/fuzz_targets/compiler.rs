#![no_main]

libfuzzer_sys::fuzz_target!(init: onward_fuzz::begin("compiler"), |bytes: &[u8]| onward_fuzz::run("compiler", bytes));
