//! What passes print, beside what they printed when it was looked at.
//!
//! Each `tests/emits/NAME.sp` says in its first lines the chip and the passes; what pass P prints is in `NAME.P.txt`.
//! What P draws, where `P.dot` is asked for, is in `NAME.P.dot.txt`. `SNAPSHOTS=overwrite` records it.

use onward_chip::Chip;
use onward_compile::{Options, compile_with};
use onward_diagnostic::Source;
use onward_golden::Folder;

#[test]
fn passes_print_what_they_made() {
    let mut folder = Folder::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/emits"), "txt");
    let inputs = folder.inputs("sp");
    assert!(inputs.len() >= 4);
    for input in inputs {
        let lines = || input.text.lines();
        let head = |what: &str| lines().find_map(|line| line.strip_prefix(what)).expect("it says chip and passes");
        let passes: Vec<&str> = head("# passes: ").split_whitespace().collect();
        let options = Options::new(Chip::builtin(head("# chip: ")).unwrap(), 1);
        let source = Source::new(input.name.as_str(), input.text.as_str());
        let mut printed = Vec::new();
        let compiled = compile_with(&source, &options, |pass, compilation| {
            if passes.contains(&pass.name) {
                printed.push((pass.name.to_owned(), (pass.emit)(compilation)));
            }
            let drawing = format!("{}.dot", pass.name);
            if passes.contains(&drawing.as_str()) {
                printed.push((drawing, pass.drawing.expect("the pass makes a graph")(compilation)));
            }
        });
        compiled.unwrap_or_else(|errors| panic!("{}", source.render(&errors)));
        assert_eq!(printed.len(), passes.len(), "{}: all passes are known", input.name);
        for (pass, actual) in printed {
            folder.check(&input.golden(&format!("{pass}.txt")), &actual);
        }
    }
    folder.finish();
}
