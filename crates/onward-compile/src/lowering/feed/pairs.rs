//! Lists of neuron and weight, where few pairs have one.

use super::{Event, Feed, neuron_memory};
use crate::connect::Sums;
use onward_isa::builder::{A32, Assembly, S32};

impl Feed<'_> {
    /// The pairs of an axon.
    pub(super) fn pairs(&self, a: &mut Assembly, event: &Event) {
        let Sums::Memory { bits: sum_bits, .. } = self.connection.sums else { return };
        let part = event.part;
        let (at, count, entry, weight) = (&a.scratch(), &a.scratch(), &a.scratch(), &a.scratch());
        let first = self.beyond_axon(part, "first");
        a.indexed(A32, event.axon, first, |a, memory| a.ld(at, memory));
        a.indexed(A32, event.axon, first + 1, |a, memory| a.ld(count, memory));
        a.sub(count, count, at);
        a.loop_(count, event.end);
        a.indexed(S32, at, self.offset(part, "pairs"), |a, memory| a.ld(entry, memory));
        a.addi(at, at, 1);
        let neuron = &a.scratch();
        a.andi(neuron, entry, 0xffff).note("its neuron");
        a.shri(weight, entry, 16).note("its weight");
        if part.graded {
            a.mul(weight, weight, event.payload);
        }
        a.addm(weight, neuron_memory(sum_bits).at(neuron, 0));
    }
}
