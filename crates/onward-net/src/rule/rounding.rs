//! How changes become whole steps of a weight.

use crate::named::{Kind, Named, forms};
use crate::vocabulary::{Family, form};
use std::fmt::{self, Display, Formatter};

/// Rounding of a change to whole steps of a weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// A change is rounded up or down by chance, so that the mean is right, each weight for itself.
    Stochastic,
    /// A change is rounded down; what is cut off is added to the change of the neuron's next weight. A neuron keeps one
    /// remainder, below a step, for all its weights: their sum is right at all times, not only in the mean.
    Carried,
}

impl Named for Rounding {
    const FAMILY: &'static Family = &Family { noun: "rounding of changes", item: None, forms: forms::<Rounding> };

    const KINDS: &'static [Kind<Rounding>] = &[
        Kind::value(
            Rounding::Stochastic,
            form("stochastic", &[], &[], "it is a whole bit with the probability of its size"),
        ),
        Kind::value(
            Rounding::Carried,
            form(
                "carried",
                &[],
                &[],
                "the neuron carries it on to its next weight: one remainder a neuron, for all its weights in turn",
            ),
        ),
    ];
}

/// Writes the word for the rounding.
impl Display for Rounding {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        formatter.write_str(&self.text())
    }
}
