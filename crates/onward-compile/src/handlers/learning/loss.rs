//! What a loss makes of the classes' scores: pulls on the neurons.
//!
//! v1 is the pull of the input's path, v2 that of the own target's and v5 that of the rival's; v4 holds the counts.

use super::signal::gate_by;
use crate::formats::LearningFormat;
use crate::handlers::LayerShape;
use crate::handlers::readout;
use crate::handlers::text::Assembly;

/// The hinge: nothing to pull, and on to `homeostasis`, where the own class leads its strongest rival by the margin.
pub(super) fn hinge(a: &mut Assembly, shape: &LayerShape, learning: &LearningFormat) {
    a.comment("The rival: the wrong class with the largest score");
    a.code("setvl r0, CLASSES", "");
    a.code("vld v2, n32[SCORES]", "");
    a.code("vext r10, v2, slot", "the own score");
    a.code("lui r11, 0x8000", "");
    a.code("vins v2, r11, slot", "");
    readout::rival(a, "vimax rival, v2");
    a.code("vext r11, v2, rival", "");
    a.code("setvl r0, NEURONS", "");
    a.code("sub r10, r10, r11", "");
    a.load_number("r11", learning.margin(shape.neurons), "the margin");
    a.code("bge r10, r11, homeostasis", "");
    a.gap();
    a.code("ld shift, n32[SHIFT]", "");
    a.code("addi r10, r0, NEURONS", "");
    a.code("mul own_counts, slot, r10", "");
    a.code("mul rival_counts, rival, r10", "");
    let gate = learning.gate;
    if let Some((low, high)) = gate {
        a.load_number("r13", low, "voltages from here on ..");
        a.load_number("r14", high, ".. and below here are live");
    }
    a.comment("v1: toward the own target, away from the rival's, where the neuron is live");
    a.code("addi r10, own_counts, TARGET_COUNT", "");
    a.code("vld v1, n16[r10]", "");
    a.code("addi r10, rival_counts, TARGET_COUNT", "");
    a.code("vld v2, n16[r10]", "");
    a.code("vsub v1, v1, v2", "");
    gate_by(a, gate, "v1", "addi r10, r0, VOLTAGE");
    a.code("addi r10, r0, COUNT", "");
    a.code("vld v4, n16[r10]", "h");
    if !shape.fed_by_target {
        a.comment("v2: h where the own target's voltage is live; v5: -h where the rival's is");
        a.code("vmv v2, r0", "");
        a.code("vadd v2, v2, v4", "");
        gate_by(a, gate, "v2", "addi r10, own_counts, TARGET_VOLTAGE");
        a.code("vmv v5, r0", "");
        a.code("vsub v5, v5, v4", "");
        gate_by(a, gate, "v5", "addi r10, rival_counts, TARGET_VOLTAGE");
    }
}
