//! Every kind of error, as a reader sees it: `tests/errors/NAME.sp` and the messages in `NAME.txt`. Lines at the top of a
//! text that begin with `# --set` give its parameters other values.
//!
//! `UPDATE_GOLDEN=1 cargo test -p onward-net` writes the messages anew; read the difference before committing it.

mod golden;

use onward_diagnostic::{Diagnostic, Source};
use onward_net::{Network, with_includes, with_settings};
use std::fs;
use std::path::Path;

/// What is wrong with a text of the folder, and the source that this points into.
fn wrong(folder: &Path, name: &str) -> (Source, Vec<Diagnostic>) {
    let text = fs::read_to_string(folder.join(name)).expect("programs are UTF-8");
    let settings = text.lines().map_while(|line| line.strip_prefix("# --set "));
    let settings: Vec<_> = settings
        .map(|line| line.split_once('=').expect("settings are `NAME=VALUE`"))
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .collect();
    let mut read = |path: &Path| fs::read_to_string(folder.join(path));
    match with_includes(Source::new(name, text), &mut read) {
        Ok(source) => {
            let source = with_settings(source, &settings);
            let errors = Network::parse(&source).expect_err(name);
            (source, errors)
        }
        Err(wrong) => wrong,
    }
}

#[test]
fn messages_are_as_recorded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/errors");
    let mut programs: Vec<_> = fs::read_dir(&folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sp"))
        .collect();
    programs.sort();
    assert!(programs.len() >= 15);
    for path in programs {
        let name = path.file_name().expect("a file has a name").to_string_lossy();
        let (source, errors) = wrong(&folder, &name);
        golden::check(&path.with_extension("txt"), &source.render(&errors));
    }
}
