//! What must hold of every word that is declared, also of those that are still to come.

use super::*;
use crate::Network;
use crate::vocabulary::{Parameter, Takes};
use onward_diagnostic::Source;
use std::collections::BTreeSet;

#[test]
fn words_are_distinct_within_their_family() {
    for family in FAMILIES {
        let forms = (family.forms)();
        for (position, form) in forms.iter().enumerate() {
            assert!(forms[..position].iter().all(|other| other.name != form.name), "{}", form.name);
            let options: Vec<&str> = form.options().map(|option| option.name).collect();
            for (position, option) in options.iter().enumerate() {
                assert!(!options[..position].contains(option), "{option} of {}", form.name);
            }
        }
    }
}

#[test]
fn the_reference_names_every_word() {
    let reference = reference();
    for (_, form) in all() {
        for word in form.options().map(|option| option.name).chain([form.name]) {
            assert!(reference.contains(word), "{word}");
        }
    }
}

/// Values that a parameter takes: the ends of its range, or every word with every option at these.
fn examples(takes: &Takes) -> Vec<String> {
    match *takes {
        Takes::Integer(least, greatest) => vec![least.to_string(), greatest.to_string()],
        Takes::OneOf(values) => values.iter().map(ToString::to_string).collect(),
        Takes::Pair(least, greatest) => vec![format!("({least}, {greatest})"), format!("({greatest}, {least})")],
        Takes::Integers(least, greatest, _) => vec![least.to_string(), format!("({least}, {greatest})")],
        Takes::Decimal(least, greatest) => vec![format!("{least:?}"), format!("{greatest:?}")],
        Takes::Numbers(least, greatest) => {
            vec![format!("{least:?}"), format!("{greatest:?}"), "file(\"numbers.npy\")".to_string()]
        }
        Takes::Table => vec!["file(\"table.npy\")".to_string(), "file(\"tables.npz\", \"one\")".to_string()],
        Takes::Text => vec!["\"a\"".to_string(), "\"b\"".to_string()],
        Takes::Constructor(family) => (family.forms)().into_iter().flat_map(constructors).collect(),
        Takes::Constructors(family) => {
            let mut one: Vec<String> = (family.forms)().into_iter().flat_map(constructors).collect();
            one.push(format!("({})", one.join(", ")));
            one
        }
    }
}

/// A word with each set of arguments, and with each option alone at each of its examples.
fn constructors(form: &'static Form) -> Vec<String> {
    let heads = heads(form);
    let options = form.options().flat_map(|option| with_option(form, option));
    heads.iter().cloned().chain(options).collect()
}

/// A word with its arguments at their first examples, and at their last.
fn heads(form: &Form) -> Vec<String> {
    if form.arguments.is_empty() {
        return vec![form.name.to_string()];
    }
    let arguments: Vec<Vec<String>> = form.arguments.iter().map(|argument| examples(&argument.takes)).collect();
    let head = |pick: fn(&Vec<String>) -> Option<&String>| {
        let arguments: Vec<&str> = arguments.iter().filter_map(pick).map(String::as_str).collect();
        format!("{}({})", form.name, arguments.join(", "))
    };
    vec![head(|examples| examples.first()), head(|examples| examples.last())]
}

fn with_option(form: &Form, option: &Parameter) -> Vec<String> {
    let head = heads(form).swap_remove(0);
    examples(&option.takes).iter().map(|value| format!("{head} {{ {} = {value} }}", option.name)).collect()
}

/// The canonical text of a network in which a value stands in its place, if it may stand there.
fn canonical(place: &str, value: &str) -> Option<String> {
    let (layer, readout) = match place {
        // Options stand behind the source.
        "readout" => ("learning = hinge".to_string(), value.replacen(" {", " from second {", 1)),
        "learning" => (format!("learning = {value}"), "nearest_target".to_string()),
        option => (format!("{option} = {value}"), "nearest_target".to_string()),
    };
    let readout = if readout.contains(" from ") { readout } else { format!("{readout} from second") };
    let text = format!(
        "network test {{
            learning = hinge
            input x = rate(2)
            target y = classes(2)
            layer first = dense(2) from x, y
            layer second = dense(2) from first {{ {layer} }}
            readout z = {readout}
        }}"
    );
    let network = Network::parse(&Source::new("test.sp", text)).ok()?;
    let canonical = network.to_string();
    let source = Source::new("canonical.sp", canonical.as_str());
    let again = Network::parse(&source).unwrap_or_else(|errors| panic!("{}", source.render(&errors)));
    assert_eq!(again.to_string(), canonical, "{value}");
    Some(canonical)
}

/// What is read is what is written: every word, every option of it at the ends of its range, alone.
#[test]
fn every_word_is_read_and_written() {
    let places = [
        ("neurons", Neuron::FAMILY),
        ("weights", Weights::FAMILY),
        ("learning", rule::FAMILY),
        ("readout", ReadoutKind::FAMILY),
    ];
    let mut needs_another = BTreeSet::new();
    for (place, form) in
        places.into_iter().flat_map(|(place, family)| (family.forms)().into_iter().map(move |form| (place, form)))
    {
        for head in heads(form) {
            let text = canonical(place, &head).unwrap_or_else(|| panic!("`{head}` is not accepted"));
            assert!(text.contains(form.name), "`{head}` is written as\n{text}");
        }
        for option in form.options() {
            let texts = with_option(form, option);
            let written: BTreeSet<_> = texts.iter().filter_map(|text| canonical(place, text)).collect();
            if written.is_empty() {
                needs_another.insert(option.name);
            } else {
                // An option that is not written, or not read, makes all of them the same.
                let least = examples(&option.takes).len() * 2 / 3;
                assert!(written.len() > 1 && written.len() >= least, "{texts:#?} are written as {written:#?}");
            }
        }
    }
    assert_eq!(needs_another, BTreeSet::from(["memory"]), "options that mean nothing alone");
}
