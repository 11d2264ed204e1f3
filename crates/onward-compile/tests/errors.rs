//! What a chip cannot hold is refused with a message that says which layer, which limit, by how much, and what helps.
//!
//! Each `tests/errors/NAME.sp` has its messages beside it in `NAME.txt`; its first line names the chip.
//! `SNAPSHOTS=overwrite` records them.

use onward_chip::Chip;
use onward_compile::{Options, compile};
use onward_diagnostic::Source;
use onward_golden::Folder;

#[test]
fn limits_are_named() {
    let mut folder = Folder::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/errors"), "txt");
    let inputs = folder.inputs("sp");
    assert!(inputs.len() >= 7);
    for input in inputs {
        let first = input.text.lines().next();
        let chip = first.and_then(|line| line.strip_prefix("# chip: ")).expect("the first line names a chip");
        let source = Source::new(input.name.as_str(), input.text.as_str());
        let options = Options::new(Chip::builtin(chip).unwrap(), 1);
        let errors = compile(&source, &options).expect_err("it does not fit");
        folder.check(&input.golden("txt"), &source.render(&errors));
    }
    folder.finish();
}
