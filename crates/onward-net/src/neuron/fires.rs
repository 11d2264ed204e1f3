//! Whether a membrane that equals the threshold fires.

use crate::named::{Kind, Named, forms};
use crate::vocabulary::{Family, form};
use std::fmt::{self, Display, Formatter};

/// Where a neuron fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fires {
    /// At the threshold and above, `v >= threshold`.
    At,
    /// Above the threshold alone, `v > threshold`, as NIR and snnTorch have it.
    Above,
}

impl Named for Fires {
    const FAMILY: &'static Family = &Family { noun: "condition of firing", item: None, forms: forms::<Fires> };

    const KINDS: &'static [Kind<Fires>] = &[
        Kind::value(Fires::At, form("at", &[], &[], "it fires at the threshold and above")),
        Kind::value(Fires::Above, form("above", &[], &[], "it fires above the threshold alone")),
    ];
}

/// `at` or `above`.
impl Display for Fires {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        formatter.write_str(&self.text())
    }
}
