//! Where samples enter, and the words for how their values become spikes.

use crate::named::{Kind, Named, Parts, decimal, forms};
use crate::vocabulary::Absent::{Described, Error, Means};
use crate::vocabulary::Takes::{Decimal, Integer};
use crate::vocabulary::{Family, Form, ItemKind, Parameter, form, parameter};
use std::ops::Range;

/// The input of a network, through which samples enter.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Name of the input, an identifier that is distinct in the network.
    pub name: String,
    /// Sizes of a sample, outermost first: one to three of them, each 1 to 65,536, their product at most 2^24. Two are
    /// height and width of one channel; three are channels, height, width.
    pub shape: Vec<u32>,
    /// Encoding of the values as spikes.
    pub encoding: Encoding,
    /// Bytes of the source that declare the input.
    pub span: Range<usize>,
}

/// Encoding of the values of a sample as packets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Encoding {
    /// Spikes are evenly spread over the window, as many as the value is large: none for the least, one a step for the
    /// greatest.
    Rate,
    /// In each step there is a spike with the probability that is the value (0 to 1), drawn by seed, sample, step and
    /// axon.
    Poisson,
    /// There is one spike in the window, the earlier the greater the value, and none for the least.
    Latency,
    /// The value itself (0 to 255 for 0 to 1) is the payload of a packet in each step; weights are multiplied by it.
    Current,
    /// There is a spike where the value has changed by this much (0 to 1) since the last spike, of samples that are
    /// sequences with a row a step: the first half of the axons for rises, the second for falls. The shape counts both.
    Delta(f64),
    /// Spikes are those of [`Encoding::Delta`] in the second and third part of the axons, and in the first a spike
    /// whenever the values since its last one add up to 1. Each row of the sequence lasts as many steps as go into the
    /// window, evenly spread.
    Sequence(f64),
    /// Samples are recorded spikes, each with its step and its axon.
    Events,
}

impl Input {
    /// The number of axons, which is the product of the shape.
    pub fn size(&self) -> u32 {
        self.shape.iter().product()
    }

    /// The word for the encoding, with its arguments and options.
    pub(crate) fn written(&self) -> (&'static Form, Parts) {
        let (form, parts) = self.encoding.written();
        (form, parts.sizes(&self.shape))
    }
}

/// Sizes of a sample, outermost first.
const SIZES: &[Parameter] = &[
    parameter("size", Integer(1, 65_536), Error, "size of the first dimension"),
    parameter("size", Integer(1, 65_536), Described("one dimension"), "size of the second dimension"),
    parameter("size", Integer(1, 65_536), Described("two dimensions"), "size of the third dimension"),
];

const DELTA_CHANGE: Parameter = parameter(
    "change",
    Decimal(0.001, 1.0),
    Means("0.1"),
    "by how much a value, 0 to 1, must have changed since the last spike",
);

const SEQUENCE_CHANGE: Parameter = parameter(
    "change",
    Decimal(0.001, 1.0),
    Means("0.1"),
    "by how much a value, 0 to 1, must have changed since the last spike of its rise or fall",
);

impl Named for Encoding {
    const FAMILY: &'static Family =
        &Family { noun: "encoding of an input", item: Some(ItemKind::Input), forms: forms::<Encoding> };

    const KINDS: &'static [Kind<Encoding>] = &[
        Kind::value(Encoding::Rate, form("rate", SIZES, &[], "evenly spread spikes, as many as the value is large")),
        Kind::value(
            Encoding::Poisson,
            form("poisson", SIZES, &[], "in each step a spike with the probability that is the value"),
        ),
        Kind::value(
            Encoding::Latency,
            form("latency", SIZES, &[], "one spike in the window, the earlier the greater the value"),
        ),
        Kind::value(
            Encoding::Current,
            form("current", SIZES, &[], "no spikes but the value itself in each step, which weights are multiplied by"),
        ),
        Kind::made(
            form(
                "delta",
                SIZES,
                &[&[DELTA_CHANGE]],
                "a spike where a value of a sequence has risen, in the first half of the first dimension, or fallen, in the second",
            ),
            |reader, given| Encoding::Delta(reader.decimal(given, &DELTA_CHANGE)),
            |encoding| match *encoding {
                Encoding::Delta(change) => Some(Parts::default().option(&DELTA_CHANGE, decimal(change))),
                _ => None,
            },
        ),
        Kind::made(
            form(
                "sequence",
                SIZES,
                &[&[SEQUENCE_CHANGE]],
                "of a sequence spikes as many as its values are large, in the first third of the first dimension, and where they rise, \
                 in the second, or fall, in the third",
            ),
            |reader, given| Encoding::Sequence(reader.decimal(given, &SEQUENCE_CHANGE)),
            |encoding| match *encoding {
                Encoding::Sequence(change) => Some(Parts::default().option(&SEQUENCE_CHANGE, decimal(change))),
                _ => None,
            },
        ),
        Kind::value(Encoding::Events, form("events", SIZES, &[], "recorded spikes, as event cameras make them")),
    ];
}
