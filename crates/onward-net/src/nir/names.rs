//! Names of nodes as identifiers.

use std::collections::BTreeSet;

/// Gives identifiers, each once.
#[derive(Default)]
pub(super) struct Names {
    taken: BTreeSet<String>,
}

impl Names {
    /// An identifier like a name: its letters, digits and underscores, and `kind` in front if it begins with no letter.
    pub fn give(&mut self, name: &str, kind: &str) -> String {
        let mut identifier = String::new();
        for character in name.chars() {
            let is_good = character.is_ascii_alphanumeric() || character == '_';
            identifier.push(if is_good { character } else { '_' });
        }
        if !identifier.starts_with(|first: char| first.is_ascii_alphabetic()) {
            identifier = format!("{}_{identifier}", kind.to_ascii_lowercase());
        }
        identifier.truncate(60);
        let mut unique = identifier.clone();
        for number in 2.. {
            if self.taken.insert(unique.clone()) {
                break;
            }
            unique = format!("{identifier}_{number}");
        }
        unique
    }
}
