//! All words of the language, family by family.

use crate::augment::Augmentation;
use crate::input::Encoding;
use crate::layer::{JOINED, LayerWord};
use crate::named::Named;
use crate::network::WindowShift;
use crate::neuron::{Decay, Fires, Neuron, Reset};
use crate::reader;
use crate::readout::{ReadoutKind, ReadoutLoss};
use crate::rule::{self, Gate, Optimizer, Revival, Rounding, TargetPath, Update};
use crate::settings;
use crate::target::TargetKind;
use crate::vocabulary::{Family, Form, ItemKind};
use crate::weights::Weights;

/// The kinds of items.
pub(crate) const ITEMS: &[ItemKind] =
    &[ItemKind::Parameter, ItemKind::Input, ItemKind::Target, ItemKind::Layer, ItemKind::Readout];

/// The families of words, in the order of the reference.
const FAMILIES: &[&Family] = &[
    settings::FAMILY,
    Augmentation::FAMILY,
    Encoding::FAMILY,
    TargetKind::FAMILY,
    LayerWord::FAMILY,
    JOINED,
    WindowShift::FAMILY,
    ReadoutKind::FAMILY,
    ReadoutLoss::FAMILY,
    Neuron::FAMILY,
    Weights::FAMILY,
    rule::FAMILY,
    Fires::FAMILY,
    Reset::FAMILY,
    Decay::FAMILY,
    Gate::FAMILY,
    Optimizer::FAMILY,
    Revival::FAMILY,
    Update::FAMILY,
    Rounding::FAMILY,
    TargetPath::FAMILY,
    reader::FILE,
];

/// The words for an item of a kind.
pub(crate) fn family(kind: ItemKind) -> &'static Family {
    match kind {
        ItemKind::Parameter => &Family { noun: "parameter", item: Some(ItemKind::Parameter), forms: Vec::new },
        ItemKind::Input => Encoding::FAMILY,
        ItemKind::Target => TargetKind::FAMILY,
        ItemKind::Layer => LayerWord::FAMILY,
        ItemKind::Readout => ReadoutKind::FAMILY,
    }
}

/// All words with their families.
fn all() -> impl Iterator<Item = (&'static Family, &'static Form)> {
    FAMILIES.iter().flat_map(|family| (family.forms)().into_iter().map(|form| (*family, form)))
}

/// Tells where in the language a word has its place, for those who put it elsewhere.
pub(crate) fn home(word: &str) -> Option<String> {
    if ITEMS.iter().any(|kind| kind.word() == word) {
        return Some(format!("`{word}` begins an item: `{word} NAME = ...`"));
    }
    if settings::NETWORK.options().any(|option| option.name == word) {
        return Some(format!("`{word}` is a setting of the network"));
    }
    if let Some((_, owner)) = all().find(|(_, form)| form.options().any(|option| option.name == word)) {
        return Some(format!("`{word}` is an option of `{}`", owner.name));
    }
    if word == "include" {
        return Some("`include \"PATH\"` stands alone in the network, without `=`".to_string());
    }
    let (family, _) = all().find(|(_, form)| form.name == word)?;
    let article = if family.noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    Some(format!("`{word}` is {article} {}", family.noun))
}

/// Whether a word is a value by itself, whatever a text declares.
pub(crate) fn is_value(word: &str) -> bool {
    all().any(|(_, form)| form.name == word && form.arguments_required() == 0)
}

/// The reference of the language in Markdown: every word with its options, ranges and defaults.
pub fn reference() -> String {
    let entry = |(family, form): (&Family, &Form)| {
        let is_network = form.name == settings::NETWORK.name;
        let title = if is_network { "network NAME { ... }".to_string() } else { form.usage() };
        form.reference(&title, family.noun)
    };
    all().map(entry).collect()
}

#[cfg(test)]
mod tests;
