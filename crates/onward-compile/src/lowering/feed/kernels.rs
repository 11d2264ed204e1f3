//! Kernels of a convolution: an event adds its sub-kernel to the sums, run by run.

use super::{Event, Feed, Prepared};
use crate::connect::{Kernels, Sums, Table, constant_shape};
use onward_isa::builder::{A16, A32, Assembly, Scalar, ZERO};

impl Feed<'_> {
    pub(super) fn prepare_kernels(&self, a: &mut Assembly, kernels: &Kernels, table: &Table) -> Prepared {
        let mut prepared = Prepared::default();
        if kernels.plane.channels > 1 {
            let columns = a.named("columns");
            a.load_number(&columns, kernels.plane.channels as i32).note("weights of a tap");
            prepared.columns = Some(columns);
        }
        let (rows, length) = (a.named("rows"), a.named("length"));
        if let Some(shape) = constant_shape(table) {
            let run = (shape & 0xffff) as u32;
            if run <= self.vector_length {
                a.setvl(ZERO, run).note("a row of the kernel");
            }
            a.addi(&rows, ZERO, shape >> 16);
            a.addi(&length, ZERO, run);
        }
        (prepared.rows, prepared.length) = (Some(rows), Some(length));
        prepared
    }

    /// The trace of an entry's slot grows; `place` leads to the entry's place among all.
    pub(super) fn tally_slot(&self, a: &mut Assembly, event: &Event, (register, number): (Scalar, i64)) {
        let Some(tally) = event.tally else { return };
        let slot = &a.scratch();
        a.indexed(A32, register, self.arrays.offset("slots") + number, |a, memory| a.ld(slot, memory));
        match tally.base {
            Some(base) => {
                a.add(slot, slot, base);
                a.addm(tally.amount, A16.at(slot, 0)).note("its trace");
            }
            None => {
                a.indexed(A16, slot, self.arrays.offset("trace"), |a, memory| a.addm(tally.amount, memory))
                    .note("its trace");
            }
        }
    }

    /// The sub-kernel that `entry` names, run by run.
    pub(super) fn kernel(&self, a: &mut Assembly, event: &Event, kernels: &Kernels, table: &Table, entry: Scalar) {
        let Sums::Memory { bits: sum_bits, .. } = self.connection.sums else { return };
        let Prepared { rows: Some(rows), length: Some(length), columns, .. } = event.prepared else { return };
        let constant = constant_shape(table).is_some();
        let (longest, vector_length) = (kernels.longest_run(), self.vector_length);
        let (sums, weights) = (&a.scratch(), &a.scratch());
        a.andi(sums, entry, 0xffff).note("its first sum");
        a.shri(weights, entry, 16).note("its sub-kernel");
        if let Some(columns) = columns {
            a.mul(weights, weights, columns);
        }
        a.advance(weights, self.offset(event.part, "weights"));
        if !constant {
            a.shri(rows, length, 16).note("rows of the sub-kernel");
            a.andi(length, length, 0xffff).note("a row's run");
            if longest <= vector_length {
                a.setvl(length, 0);
            }
        }
        let one_row = constant && kernels.kernel_rows() == 1;
        if !one_row {
            a.loop_(rows, event.end);
        }
        if longest > vector_length {
            let run = [weights.operand(), sums.operand(), length.operand()];
            self.pieces(a, event, run, longest.div_ceil(vector_length), sum_bits);
        } else {
            self.add_run(a, event, weights.operand(), sums.operand(), sum_bits);
        }
        if !one_row {
            a.add(weights, weights, length);
            a.advance(sums, kernels.step().into());
        }
    }

    /// A run longer than a vector, piece by piece.
    fn pieces(&self, a: &mut Assembly, event: &Event, run: [Scalar; 3], pieces: u32, sum_bits: u32) {
        let [weights, sums, length] = run;
        let (first_weight, first_sum) = (&a.scratch(), &a.scratch());
        a.addi(first_weight, weights, 0);
        a.addi(first_sum, sums, 0);
        {
            let (count, left) = (&a.scratch(), &a.scratch());
            a.addi(count, ZERO, pieces);
            a.addi(left, length, 0).note("what is left of the run");
            a.repeat(count, "run_done", |a| {
                let piece = &a.scratch();
                a.addi(piece, ZERO, self.vector_length);
                a.min(piece, piece, left);
                a.setvl(piece, 0);
                self.add_run(a, event, weights, sums, sum_bits);
                a.sub(left, left, piece);
                a.add(weights, weights, piece);
                a.add(sums, sums, piece);
            });
        }
        a.addi(weights, first_weight, 0);
        a.addi(sums, first_sum, 0);
    }
}
