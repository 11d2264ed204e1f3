//! What passes print, beside what they printed when it was looked at.
//!
//! Each `tests/emits/NAME.sp` says in its first lines the chip and the passes; what pass P prints is in `NAME.P.txt`.
//! What P draws, where `P.dot` is asked for, is in `NAME.P.dot.txt`. `UPDATE_GOLDEN=1` records it.

use onward_chip::Chip;
use onward_compile::{Options, compile_with};
use onward_diagnostic::Source;
use std::path::Path;
use std::{env, fs};

#[test]
fn passes_print_what_they_made() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/emits");
    let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.retain(|path| path.extension().is_some_and(|extension| extension == "sp"));
    names.sort();
    assert!(names.len() >= 4);
    for path in names {
        let text = fs::read_to_string(&path).unwrap();
        let head = |what: &str| text.lines().find_map(|line| line.strip_prefix(what)).expect("it says chip and passes");
        let passes: Vec<&str> = head("# passes: ").split_whitespace().collect();
        let options = Options::new(Chip::builtin(head("# chip: ")).unwrap(), 1);
        let source = Source::new(path.file_name().unwrap().to_string_lossy(), text.clone());
        let mut printed = Vec::new();
        let compiled = compile_with(&source, &options, |pass, compilation| {
            if passes.contains(&pass.name()) {
                printed.push((pass.name().to_owned(), pass.emit(compilation)));
            }
            let drawing = format!("{}.dot", pass.name());
            if passes.contains(&drawing.as_str()) {
                printed.push((drawing, pass.drawing().expect("the pass makes a graph")(compilation)));
            }
        });
        compiled.unwrap_or_else(|errors| panic!("{}", source.render(&errors)));
        assert_eq!(printed.len(), passes.len(), "{}: all passes are known", path.display());
        for (pass, actual) in printed {
            let golden = path.with_extension(format!("{pass}.txt"));
            if env::var_os("UPDATE_GOLDEN").is_some() {
                fs::write(&golden, &actual).unwrap();
            }
            assert_eq!(actual, fs::read_to_string(&golden).unwrap_or_default(), "{}", golden.display());
        }
    }
}
