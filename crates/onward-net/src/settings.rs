//! The settings of a network.

use crate::augment::Augmentation;
use crate::named::Named;
use crate::neuron::Neuron;
use crate::rule;
use crate::vocabulary::Absent::{Described, Means};
use crate::vocabulary::Takes::{Constructor, Constructors, Integer, Text};
use crate::vocabulary::{Absent, Family, Form, Parameter, form, parameter};
use crate::weights::Weights;

pub(crate) const DATA: Parameter = parameter("data", Text, Described("--data says it"), "a built-in name or a path");

pub(crate) const AUGMENT: Parameter = parameter(
    "augment",
    Constructors(Augmentation::FAMILY),
    Described("nothing"),
    "what is done to pictures before they are learned from, drawn for each sample anew in each epoch",
);

pub(crate) const EPOCHS: Parameter =
    parameter("epochs", Integer(1, 100_000), Means("10"), "how often the training data is shown");

pub(crate) const WINDOW: Parameter = parameter(
    "window",
    Integer(1, 0x7fff_ffff),
    Means("8"),
    "time steps an input, or its target, is shown; where a layer learns, up to 256",
);

pub(crate) const NEURONS: Parameter = of_all_layers("neurons", Neuron::FAMILY, Means("integrate_and_fire"));

pub(crate) const WEIGHTS: Parameter = of_all_layers("weights", Weights::FAMILY, Means("fixed"));

pub(crate) const LEARNING: Parameter =
    of_all_layers("learning", rule::FAMILY, Described("each layer says it; without a target, `none`"));

const fn of_all_layers(name: &'static str, family: &'static Family, absent: Absent) -> Parameter {
    parameter(name, Constructor(family), absent, "of all layers that do not say otherwise")
}

/// The network itself, whose options are its settings.
pub(crate) const NETWORK: &Form = &form(
    "network",
    &[],
    &[&[DATA, AUGMENT, EPOCHS, WINDOW, NEURONS, WEIGHTS, LEARNING]],
    "a network and its settings",
);

/// The network's family, of which it is the only member.
pub(crate) const FAMILY: &Family = &Family { noun: "network", item: None, forms: || vec![NETWORK] };
