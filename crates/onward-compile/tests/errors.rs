//! What a chip cannot hold is refused with a message that says which layer, which limit, by how much, and what helps.
//!
//! Each `tests/errors/NAME.sp` has its messages beside it in `NAME.txt`; its first line names the chip.
//! `UPDATE_GOLDEN=1` records them.

use onward_chip::Chip;
use onward_compile::{Options, compile};
use onward_diagnostic::Source;
use std::path::Path;
use std::{env, fs};

#[test]
fn limits_are_named() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/errors");
    let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.retain(|path| path.extension().is_some_and(|extension| extension == "sp"));
    names.sort();
    assert!(names.len() >= 7);
    for path in names {
        let text = fs::read_to_string(&path).unwrap();
        let chip =
            text.lines().next().and_then(|line| line.strip_prefix("# chip: ")).expect("the first line names a chip");
        let source = Source::new(path.file_name().unwrap().to_string_lossy(), text.clone());
        let options = Options::new(Chip::builtin(chip).unwrap(), 1);
        let errors = compile(&source, &options).expect_err("it does not fit");
        let (actual, golden) = (source.render(&errors), path.with_extension("txt"));
        if env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&golden, &actual).unwrap();
        }
        assert_eq!(actual, fs::read_to_string(&golden).unwrap_or_default(), "{}", path.display());
    }
}
