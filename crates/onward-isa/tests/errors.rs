//! What the assembler says about typical mistakes: `errors/*.s`, with the messages in the `.txt` beside each.
//! `UPDATE_GOLDEN=1 cargo test -p onward-isa --test errors` rewrites them; read them as a newcomer would.

use onward_diagnostic::Source;
use std::{fs, path::Path};

#[test]
fn messages() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/errors");
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut files: Vec<_> =
        fs::read_dir(&folder).expect("the folder").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    let mut stale = Vec::new();
    let mut count = 0;
    for path in files.iter().filter(|path| path.extension().is_some_and(|extension| extension == "s")) {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let source = Source::new(name.as_str(), fs::read_to_string(path).expect("a text"));
        let diagnostics = onward_isa::assemble(&source).expect_err("each of these texts is wrong");
        let found = source.render(&diagnostics);
        let golden = path.with_extension("txt");
        if update {
            fs::write(&golden, &found).expect("the folder is writable");
        } else if fs::read_to_string(&golden).unwrap_or_default() != found {
            eprintln!("{}:\n{found}", golden.display());
            stale.push(name);
        }
        count += 1;
    }
    assert!(count >= 10, "only {count} texts found");
    assert!(stale.is_empty(), "other messages than expected: {stale:?}; UPDATE_GOLDEN=1 accepts them");
}
