//! What the assembler says about typical mistakes: `errors/*.s`, with the messages in the `.txt` beside each.
//! `SNAPSHOTS=overwrite cargo test -p onward-isa --test errors` renews them; read them as a newcomer would.

use onward_diagnostic::Source;
use onward_golden::Folder;

#[test]
fn messages() {
    let mut folder = Folder::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/errors"), "txt");
    let inputs = folder.inputs("s");
    assert!(inputs.len() >= 10);
    for input in inputs {
        let source = Source::new(input.name.as_str(), input.text.as_str());
        let diagnostics = onward_isa::assemble(&source).expect_err("each of these texts is wrong");
        folder.check(&input.golden("txt"), &source.render(&diagnostics));
    }
    folder.finish();
}
