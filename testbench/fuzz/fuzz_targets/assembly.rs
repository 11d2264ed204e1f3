#![no_main]

libfuzzer_sys::fuzz_target!(init: onward_fuzz::begin("assembly"), |bytes: &[u8]| onward_fuzz::run("assembly", bytes));
