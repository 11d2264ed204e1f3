//! The manual in the book is what the table says.

use onward_isa::{INSTRUCTIONS, manual, manual_entry};
use std::path::Path;

#[test]
fn the_book_has_this_manual() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/instructions.md");
    onward_golden::check(&path, &manual());
}

#[test]
fn every_instruction_has_an_entry() {
    let manual = manual();
    for row in INSTRUCTIONS {
        assert!(manual.contains(&format!("\n### {}\n", row.mnemonic)));
        let entry = manual_entry(row.mnemonic).expect(row.mnemonic);
        assert!(entry.contains(row.example) && entry.contains("31"), "{entry}");
        assert!(entry.lines().all(|line| line.chars().count() <= 130), "{entry}");
    }
}

/// The bits of the diagram are those that the decoder takes from the operands.
#[test]
fn diagrams_have_32_bits() {
    for row in INSTRUCTIONS {
        let entry = manual_entry(row.mnemonic).expect(row.mnemonic);
        let lines: Vec<&str> = entry.lines().collect();
        let at = lines.iter().position(|line| line.starts_with("    +")).expect("a diagram");
        let bounds: Vec<u32> = lines[at - 1].split_whitespace().map(|bit| bit.parse().expect("a bit")).collect();
        let names: Vec<&str> = lines[at + 1].trim().trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(bounds.len(), 2 * names.len(), "{entry}");
        let (mut next, mut used) = (31, 0_u32);
        for (bit, name) in bounds.chunks(2).zip(names) {
            assert_eq!(bit[0], next, "{entry}");
            next = bit[1].wrapping_sub(1);
            if name != "0" {
                used |= (bit[1]..=bit[0]).map(|bit| 1 << bit).sum::<u32>();
            }
        }
        assert_eq!(next, u32::MAX, "{entry}");
        assert_eq!(used & 0xff_ffff, row.operand_bits, "{entry}");
    }
}
