//! What firing does to the membrane.

use crate::named::{Kind, Named, Parts, forms};
use crate::values::{PerNeuron, Values};
use crate::vocabulary::Absent::Error;
use crate::vocabulary::Takes::Numbers;
use crate::vocabulary::{Family, Parameter, form, parameter};
use std::fmt::{self, Display, Formatter};

/// Reset of the membrane after a spike.
#[derive(Clone, Debug, PartialEq)]
pub enum Reset {
    /// The threshold is subtracted; what was above the threshold stays.
    Subtract,
    /// The membrane is set to this number, -1,000 to 1,000; an array has one for each neuron.
    To(Values),
}

/// The greatest size of a threshold, a reset or a bias.
pub(crate) const VOLTAGE_MAX: f64 = 1000.0;

const VALUE: Parameter = parameter("value", Numbers(-VOLTAGE_MAX, VOLTAGE_MAX), Error, "the membrane after it");

impl Named for Reset {
    const FAMILY: &'static Family = &Family { noun: "reset", item: None, forms: forms::<Reset> };

    const KINDS: &'static [Kind<Reset>] = &[
        Kind::value(
            Reset::Subtract,
            form("subtract", &[], &[], "the threshold is subtracted, what was above it stays"),
        ),
        Kind::made(
            form("zero", &[], &[], "the membrane is 0 after it"),
            |_, _| Reset::To(Values::Constant(0.0)),
            |reset| reset.is_zero().then(Parts::default),
        ),
        Kind::made(
            form("to", &[VALUE], &[], "the membrane is set to a value"),
            |reader, given| Reset::To(reader.numbers_argument(given)),
            |reset| match reset {
                Reset::To(values) if !reset.is_zero() => Some(Parts::default().argument(values)),
                _ => None,
            },
        ),
    ];
}

impl Reset {
    /// Whether the reset is what `zero` means; -0.0 is another number.
    fn is_zero(&self) -> bool {
        matches!(self, Reset::To(Values::Constant(value)) if value.to_bits() == 0)
    }

    /// The membrane after it, if there may be a number for each neuron.
    pub(super) fn numbers(&mut self, member: &'static str, what: &'static str) -> Option<PerNeuron<'_>> {
        let Reset::To(values) = self else { return None };
        Some(PerNeuron { member, what, range: VALUE.takes.range(), values })
    }
}

/// `subtract`, `zero` or `to(...)`.
impl Display for Reset {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        formatter.write_str(&self.text())
    }
}
