//! Where the learning signal attaches to a neuron.

use crate::handlers::text::Assembly;

/// Clears elements of a vector where the voltage that `address` points r10 to is not between r13 and r14.
pub(super) fn gate_by(a: &mut Assembly, gate: Option<(i32, i32)>, vector: &str, address: &str) {
    if gate.is_none() {
        return;
    }
    a.code(address, "");
    a.code("vld v3, n32[r10]", "");
    a.code("vcges p0, v3, r13", "");
    a.code("vclts p1, v3, r14", "");
    a.code("pand p0, p0, p1", "");
    a.code(&format!("vsels {vector}, {vector}, r0, p0"), "");
}
