//! How many files an addition touches: what is special of one loss, or of one part of a neuron, stands in two files of the product, that
//! of its words and that of its code, and in two of the testbench, its model and the networks that are drawn with it.

use super::top;
use proc_macro2::{TokenStream, TokenTree};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn has_identifier(tokens: TokenStream, wanted: &[&str]) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(found) => wanted.iter().any(|wanted| found == wanted),
        TokenTree::Group(group) => has_identifier(group.stream(), wanted),
        _ => false,
    })
}

/// The files below a folder whose code names one of these, by their paths from the top; comments and texts do not count.
fn add_files(folder: &Path, wanted: &[&str], found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            add_files(&path, wanted, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).expect("a source can be read");
            if has_identifier(text.parse().expect("a source is Rust"), wanted) {
                let path = path.strip_prefix(top()).expect("it lies below the top");
                found.insert(path.display().to_string());
            }
        }
    }
}

fn files(folders: &[&str], wanted: &[&str]) -> Vec<String> {
    let mut found = BTreeSet::new();
    folders.iter().for_each(|folder| add_files(&top().join(folder), wanted, &mut found));
    found.into_iter().collect()
}

/// The sources of the product.
fn product(wanted: &[&str]) -> Vec<String> {
    let crates = fs::read_dir(top().join("crates")).expect("the workspace has crates");
    let mut found = BTreeSet::new();
    for entry in crates {
        add_files(&entry.expect("the folder can be read").path().join("src"), wanted, &mut found);
    }
    found.into_iter().collect()
}

const TESTBENCH: &[&str] = &["testbench/src", "testbench/tests", "testbench/examples"];

#[test]
fn a_loss_is_two_files_of_the_product_and_two_of_the_testbench() {
    let loss = &["Contrastive"];
    assert_eq!(
        product(loss),
        ["crates/onward-compile/src/lowering/rule/loss.rs", "crates/onward-net/src/rule/loss.rs"]
    );
    assert_eq!(files(TESTBENCH, loss), ["testbench/src/model/rule/loss.rs", "testbench/tests/integer_model.rs"]);
}

#[test]
fn a_part_of_neurons_is_two_files_of_the_product_and_two_of_the_testbench() {
    let part = &["Adaptation", "adaptation"];
    assert_eq!(product(part), ["crates/onward-net/src/neuron.rs", "crates/onward-quantize/src/part.rs"]);
    assert_eq!(
        files(TESTBENCH, part),
        ["testbench/src/model/dynamics.rs", "testbench/tests/spiking_model/networks.rs"]
    );
}
