//! Where the learning signal attaches to a neuron.

use crate::vocabulary::{Family, Kind, Named, form, forms};
use std::fmt::{self, Display, Formatter};

/// Where the learning signal attaches to a neuron; never the spike itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Before the spike: a weight changes only where the voltage is in a window about the threshold.
    Surrogate,
    /// At the voltage, which takes the place of the spike counts in scores.
    Voltage,
    /// Behind the spike: at the count, and every weight may change.
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

/// The word for it.
impl Display for Gate {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        formatter.write_str(&self.text())
    }
}
