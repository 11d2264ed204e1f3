//! What a loss makes of the classes' scores: pulls on the neurons.
//!
//! v1 becomes the pull of the input's path; [`Pulls`] says where those of the targets' paths are. v4 holds what the input
//! evokes.

use super::signal::{Evoked, gate_by};
use crate::handlers::LayerShape;
use crate::handlers::text::Assembly;
use crate::lowering::{INDICES, RuleFormat, SUM_BITS};
use onward_net::Loss;

/// Where the pulls of the targets' paths are.
pub(super) struct Pulls {
    /// The vector of the own target's path.
    pub own: &'static str,
    /// That of the rival's path.
    pub rival: &'static str,
    /// What is before the rival's: nothing, or a minus.
    pub rival_sign: &'static str,
}

impl Pulls {
    /// One in a vector each.
    pub(super) const EACH: Pulls = Pulls { own: "v2", rival: "v5", rival_sign: "" };

    /// The vectors, each once.
    pub fn vectors(&self) -> Vec<&'static str> {
        if self.own == self.rival { vec![self.own] } else { vec![self.own, self.rival] }
    }
}

/// Makes pulls, or goes on to `homeostasis` where there is nothing to learn. `None` if targets' paths do not learn.
pub(super) fn pulls(a: &mut Assembly, shape: &LayerShape, learning: &RuleFormat) -> Option<Pulls> {
    let pulls = match learning.rule.loss {
        Loss::Hinge { .. } => Some(hinge(a, shape, learning)),
        Loss::Softmax { .. } => Some(softmax(a, shape, learning)),
        Loss::SquaredError { .. } => Some(squared_error(a, shape, learning)),
        Loss::Hebbian => {
            hebbian(a, learning);
            None
        }
    };
    if let Some(pulls) = pulls.as_ref().filter(|_| !shape.fed_by_target) {
        gate_by(a, learning, pulls.own, &Evoked::target_gate(learning, "own_counts"));
        gate_by(a, learning, pulls.rival, &Evoked::target_gate(learning, "rival_counts"));
    }
    pulls
}

/// r10 becomes the own score, r11 the rival's.
fn rival(a: &mut Assembly) {
    a.comment("The rival: the wrong class with the largest score");
    a.code("setvl r0, CLASSES", "");
    a.code("vld v2, n32[SCORES]", "");
    a.code("vext r10, v2, slot", "the own score");
    a.code("lui r11, 0x8000", "");
    a.code("vins v2, r11, slot", "");
    crate::handlers::text::rival(a, "vimax rival, v2");
    a.code("vext r11, v2, rival", "");
    a.code("setvl r0, NEURONS", "");
}

/// Goes on to `homeostasis` where the own class leads its rival by the margin.
fn margin(a: &mut Assembly, shape: &LayerShape, learning: &RuleFormat) {
    rival(a);
    a.code("sub r10, r10, r11", "");
    a.load_number("r11", learning.margin(shape.neurons), "the margin");
    a.code("bge r10, r11, homeostasis", "");
}

/// Loads what holds until the rows are done: the shift, and where the own target's and the rival's arrays begin.
fn places(a: &mut Assembly, learning: &RuleFormat) {
    a.gap();
    a.code("ld shift, n32[SHIFT]", "");
    a.code("addi r10, r0, NEURONS", "");
    a.code("mul own_counts, slot, r10", "");
    a.code("mul rival_counts, rival, r10", "");
    Evoked::gate_bounds(a, learning);
}

/// Loads what a target evoked; `class` is where its array begins.
fn load_target(a: &mut Assembly, learning: &RuleFormat, vector: &str, class: &str) {
    a.code(&format!("addi r10, {class}, {}", Evoked::of(learning).target), "");
    a.code(&format!("vld {vector}, n16[r10]"), "");
}

fn load_input(a: &mut Assembly, learning: &RuleFormat) {
    a.code(&format!("addi r10, r0, {}", Evoked::of(learning).input), "");
    a.code("vld v4, n16[r10]", "h");
}

/// v1 becomes the own target's less the rival's, where the neuron is live.
fn toward_own(a: &mut Assembly, learning: &RuleFormat) {
    a.comment("v1: toward the own target, away from the rival's, where the neuron is live");
    load_target(a, learning, "v1", "own_counts");
    load_target(a, learning, "v2", "rival_counts");
    a.code("vsub v1, v1, v2", "");
    gate_by(a, learning, "v1", &Evoked::input_gate(learning));
}

fn hinge(a: &mut Assembly, shape: &LayerShape, learning: &RuleFormat) -> Pulls {
    margin(a, shape, learning);
    places(a, learning);
    toward_own(a, learning);
    load_input(a, learning);
    if shape.fed_by_target {
        return Pulls { own: "v4", rival: "v4", rival_sign: "-" };
    }
    a.comment("v2: h for the own target; v5: -h for the rival's; where their voltages are live");
    a.code("vmv v2, r0", "");
    a.code("vadd v2, v2, v4", "");
    a.code("vmv v5, r0", "");
    a.code("vsub v5, v5, v4", "");
    Pulls::EACH
}

fn squared_error(a: &mut Assembly, shape: &LayerShape, learning: &RuleFormat) -> Pulls {
    margin(a, shape, learning);
    places(a, learning);
    toward_own(a, learning);
    load_input(a, learning);
    a.comment("v2: the own target toward h; v5: the rival's away from it");
    load_target(a, learning, "v2", "own_counts");
    a.code("vsub v2, v4, v2", "");
    load_target(a, learning, "v5", "rival_counts");
    a.code("vsub v5, v5, v4", "");
    Pulls::EACH
}

fn hebbian(a: &mut Assembly, learning: &RuleFormat) {
    a.gap();
    a.code("ld shift, n32[SHIFT]", "");
    a.code("addi r10, r0, NEURONS", "");
    a.code("mul own_counts, slot, r10", "");
    Evoked::gate_bounds(a, learning);
    a.comment("v1: what the target evokes, less what the input evokes already");
    load_target(a, learning, "v1", "own_counts");
    load_input(a, learning);
    a.code("vsub v1, v1, v4", "");
    gate_by(a, learning, "v1", &Evoked::input_gate(learning));
}

/// Every class pulls by its probability, of 8 fraction bits; of the wrong ones' targets only the rival's moves, by what
/// all of them together are believed.
fn softmax(a: &mut Assembly, shape: &LayerShape, learning: &RuleFormat) -> Pulls {
    rival(a);
    a.comment("p_c = e^(score(c) / temperature), over their sum");
    a.code("setvl r0, CLASSES", "");
    a.code("vld v2, n32[SCORES]", "");
    a.code("vrmax r10, v2", "");
    a.code("vmv v3, r10", "");
    a.code("vsub v2, v3, v2", "");
    a.load_number("r11", learning.sharpness(shape.neurons), "eighths of the temperature");
    a.code("vscales v2, v2, r11", "");
    a.code("addi r10, r0, EXPONENTIALS", "");
    a.code(&format!("addi r11, r0, {INDICES}"), "");
    a.code("vlut v2, v2, n16[r10], r11", "");
    a.code("vsum r10, v2", "");
    a.code("addi r10, r10, -256", "");
    a.code(&format!("shri r10, r10, {SUM_BITS}"), "");
    a.code("addi r10, r10, RECIPROCALS", "");
    a.code("ld r10, n32[r10]", "");
    a.code("vscales v2, v2, r10", "");
    a.code("addi r10, r0, PROBABILITIES", "");
    a.code("vst v2, n32[r10]", "");
    a.code("vext r13, v2, slot", "");
    a.code("setvl r0, NEURONS", "");
    a.code("addi r2, r0, 256", "");
    a.code("sub r2, r2, r13", "how far the own class is from certain");
    a.code("addi r10, r0, 4", "");
    a.code("blt r2, r10, homeostasis", "");
    places(a, learning);
    a.comment("v1: toward the own target, away from each by its probability, where the neuron is live");
    let target = Evoked::of(learning).target;
    a.code("vmv v1, r0", "");
    a.code(&format!("addi r10, r0, {target}"), "");
    a.code("addi r11, r0, CLASSES", "");
    a.code("addi r12, r0, PROBABILITIES", "");
    a.code("loop r11, pulled", "");
    a.code("vld v2, n16[r10]", "");
    a.code("ld r15, n32[r12]", "");
    a.code("vmuls v2, v2, r15", "");
    a.code("vsub v1, v1, v2", "");
    a.code("addi r10, r10, NEURONS", "");
    a.code("addi r12, r12, 1", "");
    a.label("pulled");
    load_target(a, learning, "v2", "own_counts");
    a.code("addi r15, r0, 256", "");
    a.code("vmacs v1, v2, r15", "");
    gate_by(a, learning, "v1", &Evoked::input_gate(learning));
    load_input(a, learning);
    a.comment("v2: h by what is missing, for the own target; v5: as much less, for the rival's");
    a.code("vmuls v2, v4, r2", "");
    a.code("sub r15, r0, r2", "");
    a.code("vmuls v5, v4, r15", "");
    Pulls::EACH
}
