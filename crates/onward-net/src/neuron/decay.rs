//! What is left of a membrane or a current from step to step.

use crate::named::{Kind, Named, Parts, decimal, forms};
use crate::reader::{Given, Reader};
use crate::values::{PerNeuron, Values};
use crate::vocabulary::Absent::Error;
use crate::vocabulary::Takes::{Decimal, Integer, Numbers};
use crate::vocabulary::{Family, Parameter, form, parameter};
use std::fmt::{self, Display, Formatter};

/// Decay of a quantity: what is left of it from step to step.
#[derive(Clone, Debug, PartialEq)]
pub enum Decay {
    /// All of the quantity is left.
    None,
    /// The quantity loses its 2^-shift-th part, `x - x / 2^shift`; the shift is 1 to 15.
    Shift(u32),
    /// This part of the quantity is left, 0 to 1 in 16 fraction bits; an array has one for each neuron.
    Factor(Values),
    /// The neurons of each block differ in the part that is left: the first keeps the first part, the last the second,
    /// 0 to 1, and between them what is lost is a geometric series, so that time constants are evenly spread on a
    /// logarithmic scale.
    Spread(f64, f64),
}

const PART: Parameter = parameter("part", Numbers(0.0, 1.0), Error, "what is left, in 16 fraction bits");

impl Named for Decay {
    const FAMILY: &'static Family = &Family { noun: "decay", item: None, forms: forms::<Decay> };

    const KINDS: &'static [Kind<Decay>] = &[
        Kind::value(Decay::None, form("none", &[], &[], "all of it is left")),
        Kind::made(
            form(
                "shift",
                &[parameter("bits", Integer(1, 15), Error, "number of bits")],
                &[],
                "it loses its 2^-BITS-th part",
            ),
            |reader, given| Decay::Shift(reader.integer_arguments(given).map_or(1, |arguments| arguments[0])),
            |decay| if let Decay::Shift(bits) = decay { Some(Parts::default().argument(bits)) } else { None },
        ),
        Kind::made(
            form(
                "spread",
                &[
                    parameter("least", Decimal(0.0, 0.9999), Error, "part that is left in the first neuron of a block"),
                    parameter("most", Decimal(0.0, 0.9999), Error, "part that is left in the last"),
                ],
                &[],
                "a part that differs from neuron to neuron of a block, with time constants evenly spread on a logarithmic scale",
            ),
            read_spread,
            |decay| match *decay {
                Decay::Spread(least, most) => Some(Parts::default().argument(decimal(least)).argument(decimal(most))),
                _ => None,
            },
        ),
        Kind::made(
            form("factor", &[PART], &[], "this part of it is left"),
            |reader, given| Decay::Factor(reader.numbers_argument(given)),
            |decay| if let Decay::Factor(part) = decay { Some(Parts::default().argument(part)) } else { None },
        ),
    ];
}

fn read_spread(reader: &mut Reader, given: &Given) -> Decay {
    reader.decimal_arguments(given).map_or(Decay::None, |parts| Decay::Spread(parts[0], parts[1]))
}

impl Decay {
    /// The part that is left, if there may be one for each neuron.
    pub(super) fn numbers(&mut self, member: &'static str, what: &'static str) -> Option<PerNeuron<'_>> {
        let Decay::Factor(values) = self else { return None };
        Some(PerNeuron { member, what, range: PART.takes.range(), values })
    }
}

/// `none`, `shift(...)` or one of the others.
impl Display for Decay {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        formatter.write_str(&self.text())
    }
}
