#![no_main]

libfuzzer_sys::fuzz_target!(init: onward_fuzz::begin("npy"), |bytes: &[u8]| onward_fuzz::run("npy", bytes));
