//! The inner loop of a convolution as one operation: for each row of the kernel, add it to the sums it lies above.
//!
//! ```text
//! loop    rows, end
//! vaddn16 sums, s8[weights]
//! add     weights, weights, length
//! addi    sums, sums, 132
//! end:
//! ```
//!
//! Run at once, the interpreter is entered once instead of three times a row. Whenever anything irregular could happen (an
//! address outside, a register that saturates), the loop is left to the interpreter, which does the same by the book.

use super::sums;
use crate::memory::Bank;
use onward_isa::{Instruction, Op, Space, Width};

/// A loop that can be run at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowLoop {
    /// Address behind the body.
    pub end: usize,
    sums: u8,
    weights: u8,
    length: u8,
    sum_width: Width,
    space: Space,
    width: Width,
    offset: i64,
    distance: i64,
}

impl RowLoop {
    /// The loop that begins at address `at`, if it is one.
    pub fn find(code: &[Option<Instruction>], at: usize) -> Option<RowLoop> {
        let head = code[at].filter(|head| head.op == Op::Loop)?;
        let end = at + usize::try_from(head.imm).ok()?;
        let &[Some(row), Some(next), Some(down)] = code.get(at + 1..end)? else { return None };
        let sum_width = match row.op {
            Op::Vaddn16 => Width::W16,
            Op::Vaddn32 => Width::W32,
            _ => return None,
        };
        let (sums, weights, length) = (row.d, row.a, next.b);
        let goes_on = next.op == Op::Add && next.d == weights && next.a == weights;
        let goes_down = down.op == Op::Addi && down.d == sums && down.a == sums;
        let distinct = sums != 0 && weights != 0 && sums != weights && length != weights && length != sums;
        let plain =
            matches!(row.width, Width::W8 | Width::W16) && row.space != Space::Neuron && row.space != Space::Event;
        (goes_on && goes_down && distinct && plain).then(|| RowLoop {
            end,
            sums,
            weights,
            length,
            sum_width,
            space: row.space,
            width: row.width,
            offset: row.imm.into(),
            distance: down.imm.into(),
        })
    }

    /// Runs it `count` times, at least once, over vectors of `length` elements. Returns how many sums were saturated; `None`,
    /// and has done nothing, where it must be interpreted.
    #[inline(always)]
    pub fn run(&self, count: u32, length: usize, memory: &mut [Bank; 3], registers: &mut [i32; 16]) -> Option<u32> {
        let of = |register: u8| i64::from(registers[usize::from(register)]);
        let (first_sum, first_weight, step) = (of(self.sums), of(self.weights), of(self.length));
        let rows = i64::from(count);
        let (last_sum, last_weight) = (first_sum + (rows - 1) * self.distance, first_weight + (rows - 1) * step);
        let [neuron, axon, synapse] = memory;
        let source = if self.space == Space::Axon { axon } else { synapse };
        let inside = |first: i64, last: i64, elements: usize| {
            first.min(last) >= 0 && first.max(last) + length as i64 <= elements as i64
        };
        let ends = [first_sum + rows * self.distance, first_weight + rows * step];
        if !inside(first_sum, last_sum, neuron.elements(self.sum_width))
            || !inside(first_weight + self.offset, last_weight + self.offset, source.elements(self.width))
            || ends.iter().any(|&end| i32::try_from(end).is_err())
        {
            return None;
        }
        let mut saturated = 0;
        let (mut to, mut from) = (first_sum, first_weight + self.offset);
        for _ in 0..count {
            saturated += sums::add(neuron, self.sum_width, to as usize, source, self.width, from as usize, length);
            to += self.distance;
            from += step;
        }
        registers[usize::from(self.sums)] = ends[0] as i32;
        registers[usize::from(self.weights)] = ends[1] as i32;
        Some(saturated)
    }
}
