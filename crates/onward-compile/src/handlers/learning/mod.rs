//! What a block does at the end of a target window: scores become pulls by the [`loss`], gated where the [`signal`] attaches,
//! and an [`optimizer`] brings them to the weights; then [`homeostasis`].

mod homeostasis;
mod loss;
mod optimizer;
mod signal;
mod spread;

use super::LayerShape;
use super::text::Assembly;
use crate::formats::LearningFormat;

pub(super) use spread::{arrays as spread_arrays, part, pending, traces};

/// Which rows of weights are gone over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rows {
    /// All, by the traces of the window that just ended.
    All,
    /// Those from r10 to before `part_end`, by the traces from `traces` on.
    Part,
}

/// The update after a target window; scores are in memory.
pub(super) fn update(a: &mut Assembly, shape: &LayerShape, learning: &LearningFormat) {
    a.register("rival", "r1");
    a.register("own_counts", "r5");
    a.register("rival_counts", "r6");
    a.register("shift", "r9");
    loss::hinge(a, shape, learning);
    if learning.spread {
        spread::keep(a, shape);
    } else {
        optimizer::rows(a, shape, Rows::All);
    }
    if shape.fed_by_target {
        optimizer::target_weights(a, shape, learning);
    }
    optimizer::bias(a);
    homeostasis::homeostasis(a, learning);
}
