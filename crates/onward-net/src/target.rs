//! Where labels enter, and the words for what they tell.

use crate::named::{Kind, Named, Parts, forms};
use crate::vocabulary::Absent::Error;
use crate::vocabulary::Takes::Integer;
use crate::vocabulary::{Family, Form, ItemKind, form, parameter};
use std::ops::Range;

/// The target of a network, through which labels enter as spikes that layers receive in windows of their own.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Name of the target, an identifier that is distinct in the network.
    pub name: String,
    /// Kind of label that the target tells.
    pub kind: TargetKind,
    /// Number of classes, 2 to 1,024, or of values of a vector, 1 to 4,096; each has an axon.
    pub size: u32,
    /// Bytes of the source that declare the target.
    pub span: Range<usize>,
}

/// Kind of label that a target tells of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// The label is the sample's class: the class's axon is active in each step of the target's window.
    Classes,
    /// The label is values from 0 to 1, payloads with 12 fraction bits, from which a readout learns.
    Vector,
}

impl Target {
    /// The word for the kind of target, with its arguments and options.
    pub(crate) fn written(&self) -> (&'static Form, Parts) {
        let (form, parts) = self.kind.written();
        (form, parts.argument(self.size))
    }
}

impl Named for TargetKind {
    const FAMILY: &'static Family =
        &Family { noun: "kind of target", item: Some(ItemKind::Target), forms: forms::<TargetKind> };

    const KINDS: &'static [Kind<TargetKind>] = &[
        Kind::value(
            TargetKind::Classes,
            form(
                "classes",
                &[parameter("number", Integer(2, 1024), Error, "number of classes")],
                &[],
                "one of several classes",
            ),
        ),
        Kind::value(
            TargetKind::Vector,
            form(
                "vector",
                &[parameter("values", Integer(1, 4096), Error, "number of values")],
                &[],
                "values from 0 to 1 to be learned by a readout that is `trained` with the squared error, `from LAYER, TARGET`",
            ),
        ),
    ];
}
