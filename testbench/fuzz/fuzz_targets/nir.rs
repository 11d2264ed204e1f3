#![no_main]

libfuzzer_sys::fuzz_target!(init: onward_fuzz::begin("nir"), |bytes: &[u8]| onward_fuzz::run("nir", bytes));
