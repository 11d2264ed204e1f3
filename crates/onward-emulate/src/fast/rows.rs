//! The inner loop of a convolution as one operation: for each row of the kernel, add it to the sums it lies above.
//!
//! The shape is that of [`onward_isa::idiom::RowLoop`]. Run at once, the interpreter is entered once instead of three times
//! a row. Whenever anything irregular could happen (an address outside, a register that saturates), the loop is left to
//! the interpreter, which does the same by the book.

use super::sums;
use crate::memory::{Bank, PerMemory};
use onward_isa::idiom::{self, RowStep};
use onward_isa::{Instruction, Space};

/// A loop that can be run at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowLoop {
    /// Address behind the body.
    pub end: usize,
    shape: idiom::RowLoop,
}

impl RowLoop {
    /// The loop that begins at address `at`, if it is one.
    pub fn find(code: &[Option<Instruction>], at: usize) -> Option<RowLoop> {
        idiom::RowLoop::find(code, at).map(|shape| RowLoop { end: shape.end, shape })
    }

    /// Runs it `count` times, at least once, over vectors of `length` elements. Returns how many sums were saturated; `None`,
    /// and has done nothing, where it must be interpreted.
    #[inline(always)]
    pub fn run(
        &self,
        count: u32,
        length: usize,
        memory: &mut PerMemory<Bank>,
        registers: &mut [i32; 16],
    ) -> Option<u32> {
        let shape = &self.shape;
        let value = |register: u8| i64::from(registers[usize::from(register)]);
        let (first_sum, first_weight) = (value(shape.sums), value(shape.weights));
        let step = match shape.weight_step {
            RowStep::Register(register) => value(register),
            RowStep::Number(number) => number,
        };
        let rows = i64::from(count);
        let (last_sum, last_weight) = (first_sum + (rows - 1) * shape.sum_step, first_weight + (rows - 1) * step);
        let [neuron, axon, synapse] = &mut memory.0;
        let source = if shape.space == Space::Axon { axon } else { synapse };
        let inside = |first: i64, last: i64, elements: usize| {
            first.min(last) >= 0 && first.max(last) + length as i64 <= elements as i64
        };
        let ends = [first_sum + rows * shape.sum_step, first_weight + rows * step];
        if !inside(first_sum, last_sum, neuron.elements(shape.sum_width))
            || !inside(first_weight + shape.offset, last_weight + shape.offset, source.elements(shape.width))
            || ends.iter().any(|&end| i32::try_from(end).is_err())
        {
            return None;
        }
        let mut saturated = 0;
        let (mut to, mut from) = (first_sum, first_weight + shape.offset);
        for _ in 0..count {
            saturated += sums::add(neuron, shape.sum_width, to as usize, source, shape.width, from as usize, length);
            to += shape.sum_step;
            from += step;
        }
        registers[usize::from(shape.sums)] = ends[0] as i32;
        registers[usize::from(shape.weights)] = ends[1] as i32;
        Some(saturated)
    }
}
