//! How the target reaches a layer that learns.

use crate::named::{Kind, Named, Parts};
use crate::vocabulary::Absent::Means;
use crate::vocabulary::Takes::Integer;
use crate::vocabulary::{Family, Parameter, form, parameter};
use std::fmt::{self, Display, Formatter};

/// Path by which the target reaches a layer that learns, and so what classes are compared by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetPath {
    /// The target is shown at the front in a window of its own and goes through the layers as an input does: a class is
    /// compared by what its target last evoked.
    Stack,
    /// The target is projected into the layer itself: a class is compared by its row of a table of the block, which is learned
    /// as the projection at the front is. No window shows the target; its class is in the sample's tag.
    Direct {
        /// Cells along a plane's height and along its width, 1 to 8, that a convolution's counts are averaged over before they
        /// are compared.
        grid: u32,
    },
}

const GRID: Parameter = parameter(
    "grid",
    Integer(1, 8),
    Means("4"),
    "cells along height and width that a convolution's counts are averaged over before classes are compared",
);

impl Named for TargetPath {
    const FAMILY: &'static Family =
        &Family { noun: "path of the target", item: None, forms: crate::named::forms::<TargetPath> };

    const KINDS: &'static [Kind<TargetPath>] = &[
        Kind::value(
            TargetPath::Stack,
            form("stack", &[], &[], "from the front through the layers, as an input does, in a window of its own"),
        ),
        Kind::made(
            form(
                "direct",
                &[],
                &[&[GRID]],
                "into the layer itself, by a table that each block learns; no window shows it",
            ),
            |reader, given| TargetPath::Direct { grid: reader.integer(given, &GRID) },
            |path| match path {
                TargetPath::Direct { grid } => Some(Parts::default().option(&GRID, grid)),
                TargetPath::Stack => None,
            },
        ),
    ];
}

/// Writes the word for the path, with its options.
impl Display for TargetPath {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        formatter.write_str(&self.text())
    }
}
