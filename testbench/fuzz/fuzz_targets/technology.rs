#![no_main]

libfuzzer_sys::fuzz_target!(init: onward_fuzz::begin("technology"), |bytes: &[u8]| onward_fuzz::run("technology", bytes));
