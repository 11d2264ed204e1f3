//! Words for what is done to pictures before they are learned from.

use crate::named::{Kind, Named, Parts, forms};
use crate::vocabulary::Absent::Error;
use crate::vocabulary::Takes::Integer;
use crate::vocabulary::{Family, Parameter, form, parameter};

/// A change of a picture, drawn for each sample anew in each epoch. Samples that are tested with stay as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Augmentation {
    /// It is moved by up to so many pixels up or down, and left or right, each way equally likely; what comes in is dark.
    Shift(u32),
    /// It is mirrored, left for right, half of the times.
    Flip,
}

const PIXELS: &[Parameter] = &[parameter("pixels", Integer(1, 1024), Error, "most pixels by which a picture is moved")];

impl Named for Augmentation {
    const FAMILY: &'static Family =
        &Family { noun: "augmentation of pictures", item: None, forms: forms::<Augmentation> };

    const KINDS: &'static [Kind<Augmentation>] = &[
        Kind::made(
            form(
                "shift",
                PIXELS,
                &[],
                "moved by up to so many pixels up or down, and left or right; what comes in is dark",
            ),
            |reader, given| {
                let pixels = reader.integer_arguments(given).and_then(|pixels| pixels.first().copied());
                Augmentation::Shift(pixels.unwrap_or(1))
            },
            |augmentation| match augmentation {
                Augmentation::Shift(pixels) => Some(Parts::default().argument(pixels)),
                Augmentation::Flip => None,
            },
        ),
        Kind::value(Augmentation::Flip, form("flip", &[], &[], "mirrored, left for right, half of the times")),
    ];
}
