#![no_main]

libfuzzer_sys::fuzz_target!(init: onward_fuzz::begin("image"), |bytes: &[u8]| onward_fuzz::run("image", bytes));
