//! The invariants of `docs/src/architecture.md`: what must not know what. Each is a line there and a law here.

mod additions;
mod imports;
mod laws;

use imports::{Import, Place, imports};
use laws::{CYCLE_FREE, LAWS, circles};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The workspace's top folder.
fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the testbench lies in the workspace").to_owned()
}

/// Every package of the workspace with sources: as code names it, and where they lie.
fn packages() -> Vec<(String, PathBuf)> {
    let crates = fs::read_dir(top().join("crates")).expect("the workspace has crates");
    let mut found: Vec<(String, PathBuf)> = crates
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|folder| folder.join("src").is_dir())
        .map(|folder| {
            let name = folder.file_name().and_then(|name| name.to_str()).expect("names are in ASCII");
            (name.replace('-', "_"), folder.join("src"))
        })
        .collect();
    found.push(("testbench".into(), top().join("testbench/src")));
    found.sort();
    found
}

/// Every import that breaks a law, in a sentence.
fn offences(all: &BTreeSet<Import>) -> Vec<String> {
    let mut found = Vec::new();
    for law in LAWS {
        let against = all.iter().filter(|import| (law.forbids)(import));
        found.extend(against.map(|import| format!("{}: {} uses {}", law.name, import.from, import.to)));
    }
    for package in CYCLE_FREE {
        found.extend(circles(package, all));
    }
    found
}

#[test]
fn every_file_keeps_the_invariants() {
    let found = offences(&imports(&packages()));
    assert!(found.is_empty(), "imports against docs/src/architecture.md:\n{}", found.join("\n"));
}

/// A law that no import could break is none.
#[test]
fn one_import_against_an_invariant_is_noticed() {
    let all = imports(&packages());
    for law in LAWS {
        let [from, to] = law.example.map(|(package, module)| Place::new(package, module));
        let mut broken = all.clone();
        broken.insert(Import { from, to });
        let found = offences(&broken);
        assert!(found.iter().any(|line| line.starts_with(law.name)), "`{}` allows its own example", law.name);
    }
    for package in CYCLE_FREE {
        let mut broken = all.clone();
        // The last import between two folders, turned round.
        let own = all.iter().filter(|import| import.from.package == *package && import.to.package == *package);
        let between = |import: &&Import| {
            let folder = |place: &Place| place.module.split("::").next().map(str::to_owned);
            !import.from.module.is_empty() && !import.to.module.is_empty() && folder(&import.from) != folder(&import.to)
        };
        let last = own.clone().rfind(between).expect("files import each other").clone();
        broken.insert(Import { from: last.to, to: last.from });
        assert!(!circles(package, &broken).is_empty(), "a circle in `{package}` is not noticed");
    }
}

/// The page names the laws, and the laws those of the page.
#[test]
fn the_page_and_the_laws_agree() {
    let page = fs::read_to_string(top().join("docs/src/architecture.md")).expect("the page is there");
    let named: BTreeSet<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("**Architecture invariant: "))
        .filter_map(|line| line.split_once(".**").map(|(name, _)| name))
        .collect();
    let held: BTreeSet<&str> = LAWS.iter().map(|law| law.name).chain([laws::NO_CIRCLES]).collect();
    assert_eq!(named, held, "invariants of docs/src/architecture.md, and those that are tested");
}

/// Every package has its line in the map of the code.
#[test]
fn the_page_maps_every_package() {
    let page = fs::read_to_string(top().join("docs/src/architecture.md")).expect("the page is there");
    let missing: BTreeMap<String, PathBuf> =
        packages().into_iter().filter(|(name, _)| !page.contains(&format!("`{}`", name.replace('_', "-")))).collect();
    assert!(missing.is_empty(), "docs/src/architecture.md says nothing of {missing:?}");
}
