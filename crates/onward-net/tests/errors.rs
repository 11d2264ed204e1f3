//! Every kind of error, as a reader sees it: `tests/errors/NAME.sp` and the messages in `NAME.txt`.
//!
//! `UPDATE_GOLDEN=1 cargo test -p onward-net` writes the messages anew; read the difference before committing it.

mod golden;

use onward_diagnostic::Source;
use onward_net::Network;
use std::fs;
use std::path::Path;

#[test]
fn messages_are_as_recorded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/errors");
    let mut programs: Vec<_> = fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sp"))
        .collect();
    programs.sort();
    assert!(programs.len() >= 15);
    for path in programs {
        let name = path.file_name().expect("a file has a name").to_string_lossy();
        let text = fs::read_to_string(&path).expect("programs are UTF-8");
        let source = Source::new(name.clone(), text);
        let errors = Network::parse(&source).expect_err(&name);
        golden::check(&path.with_extension("txt"), &source.render(&errors));
    }
}
