//! Weights: what they are at first, and the words for them.

use crate::named::{Kind, Named, Parts, decimal, forms};
use crate::reader::{Given, Reader};
use crate::values::Values;
use crate::vocabulary::Absent::{Described, Means};
use crate::vocabulary::Takes::{Decimal, Integer, Numbers, OneOf};
use crate::vocabulary::{Family, Parameter, form, parameter};
use onward_diagnostic::Diagnostic;
use std::fmt::{self, Display, Formatter};

/// Fixed-point weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    /// Number of bits of a weight: 4, 8 or 16.
    pub bits: u32,
    /// Values of the weights before anything is learned.
    pub initial: Initial,
}

/// Values of weights before anything is learned.
#[derive(Clone, Debug, PartialEq)]
pub enum Initial {
    /// The weights are drawn about normal, by the seed.
    Drawn {
        /// The standard deviation is `gain * sqrt(2 / inputs)`, inputs being the weights of a neuron; 0.001 to 1,000.
        gain: f64,
        /// Bits below the binary point, 0 to 15; if none are given, the compiler chooses by width and deviation.
        fraction: Option<u32>,
    },
    /// The weights are given, in the order of the layer's kind. The fixed-point format is chosen so that the greatest
    /// fits.
    Given(Values),
}

/// Weights are finite, and well within what a scale can be chosen for.
pub(crate) const WEIGHT_MAX: f64 = 1e6;

const BITS: Parameter = parameter("bits", OneOf(&[4, 8, 16]), Means("16"), "bits of a weight");

const GAIN: Parameter = parameter(
    "gain",
    Decimal(0.001, 1000.0),
    Means("1.0"),
    "weights are drawn about normal with standard deviation gain * sqrt(2 / inputs)",
);

const FRACTION: Parameter = parameter(
    "fraction",
    Integer(0, 15),
    Described("chosen by width and deviation"),
    "bits of a drawn weight below the binary point; there may be more than it has bits",
);

const VALUES: Parameter = parameter(
    "values",
    Numbers(-WEIGHT_MAX, WEIGHT_MAX),
    Described("they are drawn"),
    "the weights: of dense layers `[neuron][axon]`, of convolutions `[channel][channel of the group][y][x]`, \
     of recurrences `[from][to]`",
);

impl Named for Weights {
    const FAMILY: &'static Family = &Family { noun: "kind of weights", item: None, forms: forms::<Weights> };

    const KINDS: &'static [Kind<Weights>] = &[Kind::made(
        form("fixed", &[], &[&[BITS, GAIN, FRACTION, VALUES]], "fixed-point weights"),
        read_fixed,
        |weights| {
            let parts = Parts::default().option(&BITS, weights.bits);
            Some(match &weights.initial {
                Initial::Drawn { gain, fraction } => {
                    parts.option(&GAIN, decimal(*gain)).option_if(&FRACTION, *fraction)
                }
                Initial::Given(values) => parts.option(&VALUES, values),
            })
        },
    )];
}

fn read_fixed(reader: &mut Reader, given: &Given) -> Weights {
    let bits = reader.integer(given, &BITS);
    let gain = reader.decimal(given, &GAIN);
    let fraction = reader.integer_if_given(given, &FRACTION);
    if given.option(&VALUES).is_none() {
        return Weights { bits, initial: Initial::Drawn { gain, fraction } };
    }
    if let Some(gain) = given.option(&GAIN) {
        let error = Diagnostic::new(gain.span.clone(), "weights are either given or drawn with a gain");
        reader.report(error.help("leave `gain` or `values` away"));
    }
    if let Some(fraction) = given.option(&FRACTION) {
        let error =
            Diagnostic::new(fraction.span.clone(), "the binary point of given weights follows from the greatest");
        reader.report(error.help("leave `fraction` or `values` away"));
    }
    Weights { bits, initial: Initial::Given(reader.numbers(given, &VALUES)) }
}

/// `fixed { ... }`.
impl Display for Weights {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        formatter.write_str(&self.text())
    }
}
