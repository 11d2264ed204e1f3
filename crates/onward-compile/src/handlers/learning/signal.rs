//! Where the learning signal attaches to a neuron: at its count, before the spike or behind it, or at its voltage.

use crate::handlers::LayerShape;
use crate::handlers::text::Assembly;
use crate::lowering::RuleFormat;

/// The arrays that scores are computed from.
#[derive(Clone, Copy, Debug)]
pub(in crate::handlers) struct Evoked {
    /// What the input evoked.
    pub input: &'static str,
    /// What the target of each class last evoked.
    pub target: &'static str,
}

/// What decides whether a neuron is live: how its address becomes r10, and the elements there.
pub(super) struct Gate {
    address: String,
    memory: &'static str,
}

impl Evoked {
    /// Spike counts, of layers that do not say otherwise.
    pub const COUNTS: Evoked = Evoked { input: "COUNT", target: "TARGET_COUNT" };

    const POTENTIALS: Evoked = Evoked { input: "POTENTIAL", target: "TARGET_POTENTIAL" };

    /// Those of a rule.
    pub fn of(learning: &RuleFormat) -> Evoked {
        if learning.is_of_voltage() { Evoked::POTENTIALS } else { Evoked::COUNTS }
    }

    /// By the voltage of the input window.
    pub(super) fn input_gate(learning: &RuleFormat) -> Gate {
        if learning.is_of_voltage() {
            return Gate { address: "addi r10, r0, POTENTIAL".into(), memory: "n16" };
        }
        Gate { address: "addi r10, r0, VOLTAGE".into(), memory: "n32" }
    }

    /// By the voltage of a target window; `class` is where the class's neurons begin.
    pub(super) fn target_gate(learning: &RuleFormat, class: &str) -> Gate {
        if learning.is_of_voltage() {
            return Gate { address: format!("addi r10, {class}, TARGET_POTENTIAL"), memory: "n16" };
        }
        Gate { address: format!("addi r10, {class}, TARGET_VOLTAGE"), memory: "n32" }
    }

    /// Loads r13 and r14 with the bounds of what is live.
    pub(super) fn gate_bounds(a: &mut Assembly, learning: &RuleFormat) {
        if let Some((low, high)) = bounds(learning) {
            a.load_number("r13", low, "voltages from here on ..");
            a.load_number("r14", high, ".. and below here are live");
        }
    }
}

fn bounds(learning: &RuleFormat) -> Option<(i32, i32)> {
    if learning.is_of_voltage() {
        let (low, high) = learning.potential_bounds();
        return Some((low + 1, high));
    }
    learning.gate
}

/// Clears elements of a vector where the voltage is not between r13 and r14.
pub(super) fn gate_by(a: &mut Assembly, learning: &RuleFormat, vector: &str, gate: &Gate) {
    if bounds(learning).is_none() {
        return;
    }
    a.code(&gate.address, "");
    a.code(&format!("vld v3, {}[r10]", gate.memory), "");
    a.code("vcges p0, v3, r13", "");
    a.code("vclts p1, v3, r14", "");
    a.code("pand p0, p0, p1", "");
    a.code(&format!("vsels {vector}, {vector}, r0, p0"), "");
}

/// The voltage at the end of a window, in thresholds and within bounds: to memory, where the scores find it.
pub(in crate::handlers) fn keep_potential(a: &mut Assembly, shape: &LayerShape, learning: &RuleFormat) {
    let (low, high) = learning.potential_bounds();
    a.comment("The voltage, in thresholds");
    a.code("addi r10, r0, VOLTAGE", "");
    a.code("vld v0, n32[r10]", "");
    a.load_number("r11", shape.layer.parameters.fraction_bits + shape.layer.parameters.finer as i32, "");
    a.code("vshrn v0, v0, r11", "");
    a.load_number("r11", low, "");
    a.code("vmaxs v0, v0, r11", "");
    a.load_number("r11", high, "");
    a.code("vmins v0, v0, r11", "");
    a.code("addi r11, r0, POTENTIAL", "");
    a.code("special r10, kind", "");
    a.code("beq r10, r0, keep", "");
    a.code("addi r10, r0, NEURONS", "");
    a.code("mul r10, slot, r10", "");
    a.code("addi r11, r10, TARGET_POTENTIAL", "");
    a.label("keep");
    a.code("vst v0, n16[r11]", "");
}
