//! What brings neurons back that hardly ever fire, or nearly always.

use crate::handlers::text::Assembly;
use crate::lowering::RuleFormat;

/// Neurons that hardly ever fire, or nearly always, are nudged back.
pub(super) fn homeostasis(a: &mut Assembly, learning: &RuleFormat) {
    let (low, high) = learning.mean_bounds;
    a.gap();
    a.label("homeostasis");
    if !learning.rule.revive {
        return;
    }
    a.comment("mean += (h - mean) / 2^9, 12 fraction bits");
    a.code("addi r10, r0, COUNT", "");
    a.code("vld v0, n16[r10]", "");
    a.code("addi r11, r0, -12", "");
    a.code("vshr v0, v0, r11", "");
    a.code("addi r10, r0, MEAN_COUNT", "");
    a.code("vld v1, n32[r10]", "");
    a.code("vsub v0, v0, v1", "");
    a.code("addi r11, r0, 9", "");
    a.code("vshr v0, v0, r11", "");
    a.code("vadd v1, v1, v0", "");
    a.code("vst v1, n32[r10]", "");
    a.load_number("r11", low, "");
    a.code("vclts p0, v1, r11", "too quiet");
    a.load_number("r11", high + 1, "");
    a.code("vcges p1, v1, r11", "too loud");
    a.code("addi r10, r0, BIAS", "");
    a.code("vld v2, n32[r10]", "");
    a.load_number("r11", learning.nudge, "");
    a.code("vaddp v2, v2, r11, p0", "");
    a.code("sub r11, r0, r11", "");
    a.code("vaddp v2, v2, r11, p1", "");
    a.code("vst v2, n32[r10]", "");
}
