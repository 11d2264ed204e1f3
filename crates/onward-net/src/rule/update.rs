//! When the rows of weights change.

use crate::named::{Kind, Named, forms};
use crate::vocabulary::{Family, form};
use std::fmt::{self, Display, Formatter};

/// Distribution over steps of the rows of weights that change by what a target window has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    /// All rows change in the window's last step.
    AtOnce,
    /// A part of the rows changes in each step of the next window: no step is much longer than the others.
    Spread,
}

impl Named for Update {
    const FAMILY: &'static Family = &Family { noun: "time of the update", item: None, forms: forms::<Update> };

    const KINDS: &'static [Kind<Update>] = &[
        Kind::value(Update::AtOnce, form("at_once", &[], &[], "all in its last step")),
        Kind::value(Update::Spread, form("spread", &[], &[], "a part of the rows in each step of the next window")),
    ];
}

/// Writes the word for the update.
impl Display for Update {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        formatter.write_str(&self.text())
    }
}
