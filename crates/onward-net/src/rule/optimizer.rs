//! What becomes of a change before it reaches the weight.

use crate::named::{Kind, Named, Parts, forms};
use crate::vocabulary::Absent::Means;
use crate::vocabulary::Takes::Integer;
use crate::vocabulary::{Family, Parameter, form, parameter};
use std::fmt::{self, Display, Formatter};

/// Optimizer that a change goes through before it reaches the weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Optimizer {
    /// The change is added.
    Plain,
    /// A running sum of changes is added, which loses its `2^-decay`-th part each time.
    Momentum {
        /// Speed of the decay, 1 to 8.
        decay: u32,
    },
    /// The change is divided by the root of a running mean of the squared pull on its neuron.
    Adaptive {
        /// The mean moves by the `2^-decay`-th part of what is new, 1 to 15.
        decay: u32,
    },
}

const SUM_DECAY: Parameter =
    parameter("decay", Integer(1, 8), Means("3"), "the sum loses its 2^-decay-th part with each change");

const MEAN_DECAY: Parameter =
    parameter("decay", Integer(1, 15), Means("9"), "the mean moves by the 2^-decay-th part of what is new");

impl Named for Optimizer {
    const FAMILY: &'static Family = &Family { noun: "optimizer", item: None, forms: forms::<Optimizer> };

    const KINDS: &'static [Kind<Optimizer>] = &[
        Kind::value(Optimizer::Plain, form("plain", &[], &[], "it is added")),
        Kind::made(
            form("momentum", &[], &[&[SUM_DECAY]], "a running sum of changes is added"),
            |reader, given| Optimizer::Momentum { decay: reader.integer(given, &SUM_DECAY) },
            |optimizer| match optimizer {
                Optimizer::Momentum { decay } => Some(Parts::default().option(&SUM_DECAY, decay)),
                _ => None,
            },
        ),
        Kind::made(
            form(
                "adaptive",
                &[],
                &[&[MEAN_DECAY]],
                "it is divided by the root of a running mean of the squared pull on its neuron",
            ),
            |reader, given| Optimizer::Adaptive { decay: reader.integer(given, &MEAN_DECAY) },
            |optimizer| match optimizer {
                Optimizer::Adaptive { decay } => Some(Parts::default().option(&MEAN_DECAY, decay)),
                _ => None,
            },
        ),
    ];
}

/// Writes the word for the optimizer, with its options.
impl Display for Optimizer {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        formatter.write_str(&self.text())
    }
}
