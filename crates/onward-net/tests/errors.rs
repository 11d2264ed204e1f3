//! Every kind of error, as a reader sees it: `tests/errors/NAME.sp` and the messages in `NAME.txt`. Lines at the top of a
//! text that begin with `# --set` give its parameters other values.
//!
//! `SNAPSHOTS=overwrite cargo test -p onward-net` renews the messages; read the difference before committing it.

use onward_diagnostic::{Diagnostic, Source};
use onward_golden::{Folder, Input};
use onward_net::{Network, with_includes, with_settings};
use std::fs;
use std::path::Path;

/// What is wrong with a text of the folder, and the source that this points into.
fn wrong(input: &Input) -> (Source, Vec<Diagnostic>) {
    let folder = input.path.parent().expect("inputs are in a folder");
    let settings = input.text.lines().map_while(|line| line.strip_prefix("# --set "));
    let settings: Vec<_> = settings
        .map(|line| line.split_once('=').expect("settings are `NAME=VALUE`"))
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .collect();
    let mut read = |path: &Path| fs::read_to_string(folder.join(path));
    match with_includes(Source::new(input.name.as_str(), input.text.as_str()), &mut read) {
        Ok(source) => {
            let source = with_settings(source, &settings);
            let errors = Network::parse(&source).expect_err(&input.name);
            (source, errors)
        }
        Err(wrong) => wrong,
    }
}

#[test]
fn messages_are_as_recorded() {
    let mut folder = Folder::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/errors"), "txt");
    let inputs = folder.inputs("sp");
    assert!(inputs.len() >= 15);
    for input in inputs {
        let (source, errors) = wrong(&input);
        folder.check(&input.golden("txt"), &source.render(&errors));
    }
    folder.finish();
}
