//! Where the learning signal attaches to a neuron.

use crate::named::{Kind, Named, forms};
use crate::vocabulary::{Family, form};
use std::fmt::{self, Display, Formatter};

/// Gate through which the learning signal reaches a neuron; it never attaches to the spike itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// The signal attaches before the spike: a weight changes only where the voltage is in a window about the
    /// threshold.
    Surrogate,
    /// The signal attaches to the voltage, which takes the place of the spike counts in scores.
    Voltage,
    /// The signal attaches behind the spike, to the count, and every weight may change.
    None,
}

impl Named for Gate {
    const FAMILY: &'static Family = &Family { noun: "gate", item: None, forms: forms::<Gate> };

    const KINDS: &'static [Kind<Gate>] = &[
        Kind::value(
            Gate::Surrogate,
            form("surrogate", &[], &[], "at the count, where the voltage is near the threshold"),
        ),
        Kind::value(
            Gate::Voltage,
            form("voltage", &[], &[], "at the voltage, which takes the place of the count in scores"),
        ),
        Kind::value(Gate::None, form("none", &[], &[], "at the count, wherever the voltage is")),
    ];
}

/// Writes the word for the gate.
impl Display for Gate {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        formatter.write_str(&self.text())
    }
}
