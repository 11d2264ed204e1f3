//! Every mistake in a space file, as a reader sees it: `tests/errors/NAME.toml` and the messages in `NAME.txt`.

mod support;

use onward_diagnostic::Source;
use onward_explore::space;
use onward_golden::Folder;

#[test]
fn messages_are_as_recorded() {
    let mut folder = Folder::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/errors"), "txt");
    let inputs = folder.inputs("toml");
    assert!(inputs.len() >= 10);
    for input in inputs {
        let source = Source::new(input.name.as_str(), input.text.as_str());
        let errors = space::read(&source, &support::vocabulary()).expect_err(&input.name);
        folder.check(&input.golden("txt"), &source.render(&errors));
    }
    folder.finish();
}
