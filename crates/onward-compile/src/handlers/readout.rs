//! The readout: adds the scores of all blocks of the last layer, class by class, and sends the class with the largest.

use super::text::Assembly;
use crate::plan::Channel;

/// Handlers of a readout that takes scores of `classes` classes from `sources` blocks.
pub(crate) fn readout(name: &str, classes: u32, sources: u32) -> String {
    let mut a = Assembly::default();
    a.comment(&format!("Readout `{name}`: the class with the largest sum of scores over {sources} blocks."));
    a.comment("Axon `block * CLASSES + class` carries a score; all come in the same step.");
    a.gap();
    a.constant("CLASSES", i64::from(classes));
    a.constant("BLOCKS", i64::from(sources));
    a.constant("ROUTE_SCORES", Channel::Scores as i64);
    a.register("axon", "r1");
    a.register("count", "r2");
    a.register("class", "r3");
    a.gap();
    a.label("step");
    a.code("setvl r0, CLASSES", "");
    a.code("vmv v0, r0", "sums");
    a.code("addi count, r0, BLOCKS", "");
    a.code("loop count, summed", "");
    a.code("vacc v0, e32[axon]", "");
    a.code("addi axon, axon, CLASSES", "");
    a.label("summed");
    a.code("vimax class, v0", "of equal ones the lowest");
    a.code("send r0, class, ROUTE_SCORES", "to the host");
    a.code("sleep", "");
    a.finish()
}
