#![no_main]

libfuzzer_sys::fuzz_target!(init: onward_fuzz::begin("idx"), |bytes: &[u8]| onward_fuzz::run("idx", bytes));
