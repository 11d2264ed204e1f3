//! What a block does at the end of a target window: scores become pulls by the [`loss`], gated where the [`signal`] attaches,
//! and an [`optimizer`] brings them to the weights; then [`homeostasis`].

mod batch;
mod homeostasis;
mod loss;
mod optimizer;
mod signal;
mod spread;
mod steps;

pub(crate) use steps::steps;

pub(super) use signal::{Evoked, keep_potential};

use super::LayerShape;
use super::text::Assembly;
use crate::layout::Layout;
use crate::lowering::RuleFormat;
use onward_isa::{Space, Width};
use onward_net::{Loss, Optimizer, Rounding};

/// Appends what a rule remembers, beside counts, voltages and traces.
pub(super) fn remember(layout: &mut Layout, shape: &LayerShape, learning: &RuleFormat) {
    let (n, classes) = (shape.neurons, shape.classes);
    if learning.rule.revive {
        layout.add("mean_count", Space::Neuron, Width::W32, 1, n);
    }
    if learning.is_of_voltage() {
        layout.add("potential", Space::Neuron, Width::W16, 1, n);
        layout.add("target_potential", Space::Neuron, Width::W16, classes, n);
    }
    if let Loss::Softmax { .. } = learning.rule.loss {
        layout.add("probabilities", Space::Neuron, Width::W32, 1, classes);
    }
    if learning.rule.rounding == Rounding::Carried {
        layout.add("remainder", Space::Neuron, Width::W32, 1, n);
    }
    if learning.rule.batch > 1 {
        layout.add("batch_kept", Space::Neuron, Width::W32, 1, 1);
    }
    for table in learning.tables(classes, n) {
        layout.add(table.name, Space::Neuron, table.width, 1, table.values.len() as u32);
    }
}

/// Appends what a rule remembers of each weight.
pub(super) fn remember_of_weights(layout: &mut Layout, shape: &LayerShape, learning: &RuleFormat) {
    if let Optimizer::Momentum { .. } = learning.rule.optimizer {
        layout.add("velocity", Space::Synapse, Width::W16, shape.inputs, shape.neurons);
    }
    if learning.rule.batch > 1 {
        batch::arrays(layout, shape, learning);
    }
}

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
pub(super) fn update(a: &mut Assembly, shape: &LayerShape, layout: &Layout, learning: &RuleFormat) {
    a.register("rival", "r1");
    a.register("own_counts", "r5");
    a.register("rival_counts", "r6");
    a.register("shift", "r9");
    let pulls = loss::pulls(a, shape, learning);
    optimizer::scale(a, learning, pulls.as_ref());
    optimizer::prepare(a, layout, learning);
    if learning.spread {
        spread::keep(a, shape, pulls.as_ref());
    } else if learning.rule.batch > 1 {
        batch::update(a, shape, layout, learning, pulls.as_ref());
    } else {
        optimizer::rows(a, shape, learning, pulls.as_ref(), Rows::All);
    }
    if let Some(pulls) = pulls.as_ref().filter(|_| shape.fed_by_target) {
        optimizer::target_weights(a, shape, learning, pulls);
    }
    optimizer::bias(a, shape);
    homeostasis::homeostasis(a, learning);
}
