//! What firing does to the membrane.

use crate::named::{Kind, Named, Parts, forms};
use crate::reader::{Given, Reader};
use crate::values::{PerNeuron, Values};
use crate::vocabulary::Absent::{Described, Error};
use crate::vocabulary::Takes::Numbers;
use crate::vocabulary::{Family, Parameter, form, parameter};
use std::fmt::{self, Display, Formatter};

/// Reset of the membrane after a spike.
#[derive(Clone, Debug, PartialEq)]
pub enum Reset {
    /// The threshold, or another amount, is subtracted; what was above it stays.
    Subtract(Lowering),
    /// Nothing happens to the membrane: it fires as long as it is above its threshold.
    None,
    /// The membrane is set to this number, -1,000 to 1,000; an array has one for each neuron.
    To(Values),
}

/// What a soft reset subtracts, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Lowering {
    /// Number that is subtracted, -1,000 to 1,000; an array has one for each neuron. Without one it is the threshold.
    pub amount: Option<Values>,
    /// Whether it is subtracted a step late: from the membrane that has decayed and taken in what came, so that what is
    /// subtracted does not decay (snnTorch's order).
    pub is_late: bool,
}

/// The greatest size of a threshold, a reset or a bias.
pub(crate) const VOLTAGE_MAX: f64 = 1000.0;

const VALUE: Parameter = parameter("value", Numbers(-VOLTAGE_MAX, VOLTAGE_MAX), Error, "the membrane after it");

const AMOUNT: Parameter =
    parameter("amount", Numbers(-VOLTAGE_MAX, VOLTAGE_MAX), Described("the threshold"), "what is subtracted");

impl Named for Reset {
    const FAMILY: &'static Family = &Family { noun: "reset", item: None, forms: forms::<Reset> };

    const KINDS: &'static [Kind<Reset>] = &[
        Kind::made(
            form("subtract", &[AMOUNT], &[], "the threshold is subtracted, what was above it stays"),
            |reader, given| read_lowering(reader, given, false),
            |reset| write_lowering(reset, false),
        ),
        Kind::made(
            form(
                "subtract_late",
                &[AMOUNT],
                &[],
                "the same a step later, after the membrane's decay, so that what is subtracted does not decay",
            ),
            |reader, given| read_lowering(reader, given, true),
            |reset| write_lowering(reset, true),
        ),
        Kind::value(Reset::None, form("none", &[], &[], "nothing happens to the membrane")),
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

fn read_lowering(reader: &mut Reader, given: &Given, is_late: bool) -> Reset {
    let amount = given.has_arguments().then(|| reader.numbers_argument(given));
    Reset::Subtract(Lowering { amount, is_late })
}

fn write_lowering(reset: &Reset, is_late: bool) -> Option<Parts> {
    let Reset::Subtract(lowering) = reset else { return None };
    let parts = match &lowering.amount {
        Some(amount) => Parts::default().argument(amount),
        None => Parts::default(),
    };
    (lowering.is_late == is_late).then_some(parts)
}

impl Reset {
    /// The threshold is subtracted, at once.
    pub const SUBTRACT: Reset = Reset::Subtract(Lowering { amount: None, is_late: false });

    /// Whether the reset is what `zero` means; -0.0 is another number.
    fn is_zero(&self) -> bool {
        matches!(self, Reset::To(Values::Constant(value)) if value.to_bits() == 0)
    }

    /// The membrane after it, or what is subtracted, if there may be a number for each neuron.
    pub(super) fn numbers(&mut self, member: &'static str, what: &'static str) -> Option<PerNeuron<'_>> {
        let (Reset::To(values) | Reset::Subtract(Lowering { amount: Some(values), .. })) = self else { return None };
        Some(PerNeuron { member, what, range: VALUE.takes.range(), values })
    }
}

/// `subtract`, `zero`, `to(...)` or one of the others.
impl Display for Reset {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        formatter.write_str(&self.text())
    }
}
