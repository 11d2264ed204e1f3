//! What a block does at the end of a target window: scores become pulls by the [`loss`], gated where the [`signal`] attaches,
//! and an [`optimizer`] brings them to the weights; then [`homeostasis`].

mod homeostasis;
mod loss;
mod optimizer;
mod signal;

use super::LayerShape;
use super::text::Assembly;
use crate::formats::LearningFormat;

/// The update after a target window; scores are in memory.
pub(super) fn update(a: &mut Assembly, shape: &LayerShape, learning: &LearningFormat) {
    a.register("rival", "r1");
    a.register("own_counts", "r5");
    a.register("rival_counts", "r6");
    a.register("shift", "r9");
    loss::hinge(a, shape, learning);
    if shape.fed_by_target {
        optimizer::input_rows(a, shape);
        optimizer::target_weights(a, shape, learning);
    } else {
        optimizer::all_rows(a, shape);
    }
    optimizer::bias(a);
    homeostasis::homeostasis(a, learning);
}
