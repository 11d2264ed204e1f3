//! What a block's changes make smaller.
//!
//! A loss is a row of [`Loss::KINDS`]: the word for a rule with this loss.

use super::OPTIONS;
use crate::named::{Kind, Named, Parts, decimal};
use crate::vocabulary::Absent::Means;
use crate::vocabulary::Takes::Decimal;
use crate::vocabulary::{Family, Parameter, form, parameter};

/// Loss that a block's changes make smaller, computed from what the input and the targets evoke in the block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loss {
    /// The score of the own class shall exceed that of the strongest other, its rival, by a margin.
    Hinge {
        /// Margin in units of `sqrt(block)` full-rate spikes, 0 to 100.
        margin: f64,
    },
    /// The cross-entropy of the softmax of all classes' scores shall be small.
    Softmax {
        /// Temperature that scores are divided by, in the margin's units, above 0.
        temperature: f64,
    },
    /// The squared distance to what the own target evokes shall be small, while that to the rival's is not larger by a
    /// margin.
    SquaredError {
        /// In units of `sqrt(block)` full-rate spikes, 0 to 100.
        margin: f64,
    },
    /// Weights grow where axon and neuron are active together under the target, and are kept bounded locally.
    Hebbian,
    /// The score of the own class shall exceed those of all others by a margin, of each that comes nearer (Weston and
    /// Watkins 1999).
    Contrastive {
        /// In units of `sqrt(block)` full-rate spikes, 0 to 100.
        margin: f64,
    },
}

const MARGIN: Parameter =
    parameter("margin", Decimal(0.0, 100.0), Means("0.3"), "in units of sqrt(block) full-rate spikes");

const TEMPERATURE: Parameter =
    parameter("temperature", Decimal(0.001, 100.0), Means("0.1"), "in units of sqrt(block) full-rate spikes");

impl Named for Loss {
    const FAMILY: &'static Family = super::FAMILY;

    const KINDS: &'static [Kind<Loss>] = &[
        Kind::made(
            form(
                "hinge",
                &[],
                &[&[MARGIN], OPTIONS],
                "the score of the own class shall exceed that of its rival by a margin",
            ),
            |reader, given| Loss::Hinge { margin: reader.decimal(given, &MARGIN) },
            |loss| match loss {
                Loss::Hinge { margin } => Some(Parts::default().option(&MARGIN, decimal(*margin))),
                _ => None,
            },
        ),
        Kind::made(
            form(
                "softmax",
                &[],
                &[&[TEMPERATURE], OPTIONS],
                "the cross-entropy of the softmax of all classes' scores shall be small",
            ),
            |reader, given| Loss::Softmax { temperature: reader.decimal(given, &TEMPERATURE) },
            |loss| match loss {
                Loss::Softmax { temperature } => Some(Parts::default().option(&TEMPERATURE, decimal(*temperature))),
                _ => None,
            },
        ),
        Kind::made(
            form(
                "squared_error",
                &[],
                &[&[MARGIN], OPTIONS],
                "what the input evokes shall be nearer to what the own target evokes than to what its rival does, by a margin",
            ),
            |reader, given| Loss::SquaredError { margin: reader.decimal(given, &MARGIN) },
            |loss| match loss {
                Loss::SquaredError { margin } => Some(Parts::default().option(&MARGIN, decimal(*margin))),
                _ => None,
            },
        ),
        Kind::value(
            Loss::Hebbian,
            form(
                "hebbian",
                &[],
                &[OPTIONS],
                "weights grow where axon and neuron are active together under the target, within local bounds",
            ),
        ),
        Kind::made(
            form(
                "contrastive",
                &[],
                &[&[MARGIN], OPTIONS],
                "the score of the own class shall exceed that of every other class by a margin",
            ),
            |reader, given| Loss::Contrastive { margin: reader.decimal(given, &MARGIN) },
            |loss| match loss {
                Loss::Contrastive { margin } => Some(Parts::default().option(&MARGIN, decimal(*margin))),
                _ => None,
            },
        ),
    ];
}
