//! Where predictions leave, and the words for it.

use crate::named::{Kind, Named, Parts, decimal, forms};
use crate::reader::{Given, Reader};
use crate::vocabulary::Absent::Means;
use crate::vocabulary::Takes::{Constructor, Decimal, Integer, OneOf};
use crate::vocabulary::{Family, ItemKind, Parameter, form, parameter};
use std::ops::Range;

/// The readout of a network, through which predictions leave.
#[derive(Clone, Debug, PartialEq)]
pub struct Readout {
    /// Name of the readout, an identifier that is distinct in the network.
    pub name: String,
    /// Kind of prediction.
    pub kind: ReadoutKind,
    /// Bytes of the source that declare the readout.
    pub span: Range<usize>,
}

/// Kind of prediction that a readout makes of the spikes of a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReadoutKind {
    /// The class whose target evokes spikes most like the layer's, by inner product; it needs a target.
    NearestTarget,
    /// The neuron that fired most in the window, the first of several; one packet a window.
    MostSpikes,
    /// The spikes themselves, step by step: no block, the layer's packets go to the host.
    Spikes,
    /// The output of weights of its own, which learn by a rule of their own; it needs a target.
    Trained(TrainedReadout),
    /// The class whose target is found by going down a tree of targets; it needs a target.
    TargetTree(TargetTree),
}

/// Readout with weights from every neuron of a layer to every output, on one core; nothing flows back to the layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrainedReadout {
    /// Loss that its changes make smaller.
    pub loss: ReadoutLoss,
    /// The learning rate is `2^-rate`, 0 to 20.
    pub rate: u32,
    /// Number of times that the learning rate is halved, evenly over the run, 0 to 16.
    pub anneal: u32,
    /// Number of bits of a weight: 4, 8 or 16.
    pub bits: u32,
}

/// Loss that the changes of a trained readout make smaller. An output of 1.0 is what a weight of 1.0 makes of an axon
/// that is active in each step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReadoutLoss {
    /// The own class's output shall exceed that of the strongest other by a margin.
    Hinge {
        /// Margin in outputs of 1.0, 0 to 100.
        margin: f64,
    },
    /// The squared distance to 1.0 for the own class and to 0.0 for all others shall be small.
    SquaredError,
}

/// A binary tree with a target in each leaf, one a class, and in each inner node a vector that tells the targets of its
/// two sides apart. It grows as classes appear; where an inner node would send a sample to the wrong side, or not
/// surely enough to the right one, its vector changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TargetTree {
    /// The rate by which an inner node's vector changes is `2^-rate`, 0 to 20.
    pub rate: u32,
    /// Margin, 0 to 100 in outputs of 1.0: a sample that is less sure of one side than this is compared with both.
    pub margin: f64,
    /// Number of times that the rate is halved, evenly over the run, 0 to 16.
    pub anneal: u32,
    /// Number of parts, 1 to 16, in which a product is taken, only as far as the side is not sure.
    pub parts: u32,
}

impl ReadoutKind {
    /// Whether the readout is told the class, or value, of what it learns from.
    pub fn needs_target(&self) -> bool {
        !matches!(self, ReadoutKind::MostSpikes | ReadoutKind::Spikes)
    }

    /// Whether the readout has memories that learning changes.
    pub fn learns(&self) -> bool {
        matches!(self, ReadoutKind::Trained(_) | ReadoutKind::TargetTree(_))
    }
}

const ANNEAL: Parameter =
    parameter("anneal", Integer(0, 16), Means("2"), "how many times the rate is halved, evenly over the run");

impl Named for ReadoutKind {
    const FAMILY: &'static Family =
        &Family { noun: "kind of readout", item: Some(ItemKind::Readout), forms: forms::<ReadoutKind> };

    const KINDS: &'static [Kind<ReadoutKind>] = &[
        Kind::value(
            ReadoutKind::NearestTarget,
            form("nearest_target", &[], &[], "the class whose target evokes spikes most like those of the layer"),
        ),
        Kind::value(
            ReadoutKind::MostSpikes,
            form("most_spikes", &[], &[], "the neuron that fired most in the window, the first of several"),
        ),
        Kind::value(ReadoutKind::Spikes, form("spikes", &[], &[], "the spikes of the layer themselves, step by step")),
        Kind::made(
            form(
                "trained",
                &[],
                &[TrainedReadout::OPTIONS],
                "the class that weights from the layer's neurons, which learn by a rule of their own, speak for most",
            ),
            |reader, given| ReadoutKind::Trained(TrainedReadout::read(reader, given)),
            |kind| if let ReadoutKind::Trained(readout) = kind { Some(readout.write()) } else { None },
        ),
        Kind::made(
            form(
                "target_tree",
                &[],
                &[TargetTree::OPTIONS],
                "the class whose target is most like the layer's spikes, found without comparing with all: down a binary tree",
            ),
            |reader, given| ReadoutKind::TargetTree(TargetTree::read(reader, given)),
            |kind| if let ReadoutKind::TargetTree(tree) = kind { Some(tree.write()) } else { None },
        ),
    ];
}

impl TrainedReadout {
    const LOSS: Parameter =
        parameter("loss", Constructor(ReadoutLoss::FAMILY), Means("hinge"), "what its changes make smaller");
    const RATE: Parameter = parameter("rate", Integer(0, 20), Means("8"), "the learning rate is 2^-rate");
    const BITS: Parameter = parameter("bits", OneOf(&[4, 8, 16]), Means("16"), "bits of a weight");
    const OPTIONS: &[Parameter] = &[Self::LOSS, Self::RATE, ANNEAL, Self::BITS];

    fn read(reader: &mut Reader, given: &Given) -> TrainedReadout {
        TrainedReadout {
            loss: ReadoutLoss::chosen(reader, given, &Self::LOSS),
            rate: reader.integer(given, &Self::RATE),
            anneal: reader.integer(given, &ANNEAL),
            bits: reader.integer(given, &Self::BITS),
        }
    }

    fn write(&self) -> Parts {
        let parts = Parts::default().option(&Self::LOSS, self.loss.text()).option(&Self::RATE, self.rate);
        parts.option(&ANNEAL, self.anneal).option(&Self::BITS, self.bits)
    }
}

impl Named for ReadoutLoss {
    const FAMILY: &'static Family = &Family { noun: "loss of a readout", item: None, forms: forms::<ReadoutLoss> };

    const KINDS: &'static [Kind<ReadoutLoss>] = &[
        Kind::made(
            form(
                "hinge",
                &[],
                &[&[ReadoutLoss::MARGIN]],
                "the own class's output shall exceed that of the strongest other by a margin",
            ),
            |reader, given| ReadoutLoss::Hinge { margin: reader.decimal(given, &ReadoutLoss::MARGIN) },
            |loss| match loss {
                ReadoutLoss::Hinge { margin } => Some(Parts::default().option(&ReadoutLoss::MARGIN, decimal(*margin))),
                ReadoutLoss::SquaredError => None,
            },
        ),
        Kind::value(
            ReadoutLoss::SquaredError,
            form("squared_error", &[], &[], "the output of the own class shall be 1.0, that of all others 0.0"),
        ),
    ];
}

impl ReadoutLoss {
    const MARGIN: Parameter = parameter("margin", Decimal(0.0, 100.0), Means("1.0"), "in outputs of 1.0");
}

impl TargetTree {
    const RATE: Parameter = parameter("rate", Integer(0, 20), Means("7"), "an inner node's vector changes by 2^-rate");
    const MARGIN: Parameter = parameter(
        "margin",
        Decimal(0.0, 100.0),
        Means("1.0"),
        "what is less sure of one side than this is compared with both",
    );
    const PARTS: Parameter = parameter(
        "parts",
        Integer(1, 16),
        Means("2"),
        "a comparison is made part by part, as far as the side is not sure",
    );
    const OPTIONS: &[Parameter] = &[Self::RATE, Self::MARGIN, ANNEAL, Self::PARTS];

    fn read(reader: &mut Reader, given: &Given) -> TargetTree {
        TargetTree {
            rate: reader.integer(given, &Self::RATE),
            margin: reader.decimal(given, &Self::MARGIN),
            anneal: reader.integer(given, &ANNEAL),
            parts: reader.integer(given, &Self::PARTS),
        }
    }

    fn write(&self) -> Parts {
        let parts = Parts::default().option(&Self::RATE, self.rate).option(&Self::MARGIN, decimal(self.margin));
        parts.option(&ANNEAL, self.anneal).option(&Self::PARTS, self.parts)
    }
}
