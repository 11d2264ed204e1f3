//! What blocks that hear neurons and answer have in common.

use crate::lowering::code::{branch_if, clear_from, load_last_step, load_name};
use onward_isa::Special;
use onward_isa::builder::{A16, Assembly, Label, Scalar, ScalarRegister, ZERO};

/// Clears the traces of `count` axons from the element `first` of axon memory on.
pub(super) fn clear_traces(a: &mut Assembly, first: impl Into<Scalar>, count: u32, vector_length: u32, label: &str) {
    let (zero, at) = (&a.scratch_vector(), &a.scratch());
    a.addi(at, first, 0);
    clear_from(a, zero, A16, at, count, vector_length, label);
}

/// Runs of at most a vector register's length that `length` elements are cut into, `parts` or more of them: first element
/// and length of each.
pub(super) fn parts(length: u32, parts: u32, vector_length: u32) -> Vec<(u32, u32)> {
    let count = parts.max(length.div_ceil(vector_length)).min(length).max(1);
    let ends: Vec<u32> =
        (0..=count).map(|part| (u64::from(length) * u64::from(part) / u64::from(count)) as u32).collect();
    ends.windows(2).map(|ends| (ends[0], ends[1] - ends[0])).collect()
}

/// What a step of a block that learns begins with, in registers.
pub(super) struct Step {
    /// Steps since the window's tag.
    pub position: ScalarRegister,
    /// The target's slot.
    pub slot: ScalarRegister,
    /// Whether the sample is learned from.
    pub learn: ScalarRegister,
    /// 1.
    pub one: ScalarRegister,
    /// Where a step of a target's window goes on; to be bound.
    pub target_window: Label,
}

impl Step {
    /// Begins a step, which ends at once where no window is open.
    pub fn begin(a: &mut Assembly) -> Step {
        let (position, slot) = (a.named("position"), a.named("slot"));
        let (learn, one) = (a.named("learn"), a.named("one"));
        a.gap();
        a.here("step");
        a.special(&position, Special::Position);
        end_without_window(a, &position);
        a.addi(&one, ZERO, 1);
        a.special(&learn, Special::Learn);
        a.special(&slot, Special::Slot);
        let target_window = a.label("target_window");
        branch_if(a, Special::Kind, &target_window);
        Step { position, slot, learn, one, target_window }
    }

    /// `if position == WINDOW - 1: label; else the step ends`.
    pub fn end_unless_last(&self, a: &mut Assembly, label: &Label) {
        end_unless_last(a, &self.position, label);
    }
}

/// `if position >= WINDOW: sleep`.
pub(super) fn end_without_window(a: &mut Assembly, position: &ScalarRegister) {
    let (window, in_window) = (&a.scratch(), &a.label("in_window"));
    load_name(a, window, "WINDOW");
    a.blt(position, window, in_window);
    a.sleep().note("no window is open");
    a.bind(in_window);
}

/// `if position == WINDOW - 1: label; else the step ends`.
pub(super) fn end_unless_last(a: &mut Assembly, position: &ScalarRegister, label: &Label) {
    let last = &a.scratch();
    load_last_step(a, last);
    a.beq(position, last, label);
    a.stay();
}
