//! The tables of the book that are made from the code: compared here, and renewed with `SNAPSHOTS=overwrite`.

use onward_chip::{Chip, KEYS, key_tables, spare_table};
use std::collections::BTreeSet;
use std::path::Path;

/// Compares what stands in a page between `<!-- name` and `<!-- end -->`.
fn check(page: &str, name: &str, table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src").join(page);
    let text = std::fs::read_to_string(&path).expect("a page of the book");
    let begin = text.find(&format!("<!-- {name}")).expect("a mark");
    let begin = begin + text[begin..].find('\n').expect("a line") + 1;
    let end = begin + text[begin..].find("<!-- end -->").expect("an end");
    onward_golden::check(&path, &format!("{}\n{}\n\n{}", &text[..begin], table.trim(), &text[end..]));
}

#[test]
fn the_book_has_every_key() {
    check("chip.md", "keys", &key_tables());
    check("energy.md", "spare", &spare_table());
}

/// A key that a chip file takes and the table does not have would be checked by nobody.
#[test]
fn the_table_has_every_key_of_a_chip_file() {
    let text = "name = \"all\"\nvoltage_mv = 900\n[mesh]\nwidth = 2\nheight = 2\n\
                [mesh.array]\nwidth = 2\nheight = 1\nlink_cycles = 4\ncycles_per_flit = 2\n";
    let chip = Chip::parse("all.toml", text).expect("a chip");
    fn walk(value: &toml::Value, name: String, found: &mut BTreeSet<String>) {
        match value {
            toml::Value::Table(table) => {
                for (key, value) in table {
                    walk(value, if name.is_empty() { key.clone() } else { format!("{name}.{key}") }, found);
                }
            }
            _ => {
                found.insert(name);
            }
        }
    }
    let mut found = BTreeSet::new();
    walk(&toml::Value::try_from(&chip).expect("TOML"), String::new(), &mut found);
    // What is dead is said by a fault file.
    found.retain(|key| !key.starts_with("mesh.defects"));
    let told: BTreeSet<String> = KEYS.iter().map(|key| key.name.to_owned()).collect();
    assert_eq!(found, told);
    for key in KEYS {
        assert!(key.value(&chip).is_some(), "{}", key.name);
    }
}
