//! Rows of weights, one for each neuron of the block.

use super::{Entry, Event, Feed, Prepared, neuron_memory, synapses};
use crate::connect::{Part, PartKind, Role, Sums};
use crate::layout::strips;
use onward_isa::builder::{Assembly, Scalar, ZERO};

impl Feed<'_> {
    /// Elements of a row that lies as sums do.
    fn row_length(&self) -> u32 {
        self.connection.parts[0].kind.row_length(self.neurons)
    }

    /// The rows of a plane that the target's weights of a convolution go by, as they have no halo: rows, their length, and
    /// from one row's sums to the next.
    fn plane_rows(&self, part: &Part) -> Option<(u32, u32, u32, u32)> {
        match &self.connection.parts[0].kind {
            PartKind::Kernels { kernels, .. } if part.role == Role::Target => {
                let plane = kernels.plane;
                Some((plane.rows, plane.width * plane.channels, kernels.first_sum(), kernels.row_pitch()))
            }
            _ => None,
        }
    }

    pub(super) fn prepare_rows(&self, a: &mut Assembly, part: &Part) -> Prepared {
        let mut prepared = Prepared::default();
        let Sums::Memory { .. } = self.connection.sums else { return prepared };
        if let Some((rows, length, ..)) = self.plane_rows(part) {
            let [columns, run, count] = [a.named("columns"), a.named("length"), a.named("rows")];
            a.load_number(&columns, self.neurons as i32);
            a.load_number(&run, length as i32);
            a.load_number(&count, rows as i32);
            a.setvl(&run, 0);
            return Prepared { columns: Some(columns), rows: Some(count), length: Some(run), one: None };
        }
        let (count, strip) = strips(self.row_length(), self.vector_length);
        let (columns, rows) = (a.named("columns"), a.named("rows"));
        a.setvl(ZERO, strip);
        a.load_number(&columns, (count * strip) as i32);
        a.addi(&rows, ZERO, count);
        (prepared.columns, prepared.rows) = (Some(columns), Some(rows));
        prepared
    }

    /// A row of weights, for every neuron of the block.
    pub(super) fn row(&self, a: &mut Assembly, event: &Event, entry: Entry) {
        match self.connection.sums {
            Sums::Register => self.row_to_register(a, event, entry),
            Sums::Memory { bits, .. } if self.plane_rows(event.part).is_some() => self.row_to_plane(a, event, bits),
            Sums::Memory { bits, .. } => self.row_to_memory(a, event, entry, bits),
        }
    }

    fn row_to_register(&self, a: &mut Assembly, event: &Event, (register, number): Entry) {
        let part = event.part;
        let offset = self.offset(part, "weights");
        let columns = i64::from(self.neurons.max(1));
        let weights = synapses(part.bits);
        let own_sums = self.own_sums.filter(|_| part.role == Role::Own);
        let sums = own_sums.or(self.sums).expect("sums are in a register");
        let in_rows = number + offset / columns;
        if offset % columns == 0 && (-0x800..0x800).contains(&in_rows) {
            if part.graded {
                let row = &a.scratch_vector();
                a.vldr(row, weights.row(register, in_rows));
                a.vmacs(sums, row, event.payload);
            } else {
                a.vaccr(sums, weights.row(register, in_rows));
            }
            return;
        }
        let place = &a.scratch();
        advance_from(a, place.operand(), register, number);
        {
            let columns_register = &a.scratch();
            a.addi(columns_register, ZERO, columns);
            a.mul(place, place, columns_register).note("its row");
        }
        if part.graded {
            let row = &a.scratch_vector();
            a.indexed(weights, place, offset, |a, memory| a.vld(row, memory));
            a.vmacs(sums, row, event.payload);
        } else {
            a.indexed(weights, place, offset, |a, memory| a.vacc(sums, memory));
        }
    }

    fn row_to_memory(&self, a: &mut Assembly, event: &Event, (register, number): Entry, sum_bits: u32) {
        let part = event.part;
        let (_, strip) = strips(self.row_length(), self.vector_length);
        let many = self.row_length() > self.vector_length;
        let (weights, sums) = (&a.scratch(), &a.scratch());
        let columns = event.prepared.columns.as_ref().expect("rows are prepared for");
        advance_from(a, weights.operand(), register, number);
        a.mul(weights, weights, columns).note("its row");
        a.advance(weights, self.offset(part, "weights"));
        a.addi(sums, ZERO, 0);
        if many {
            a.loop_(event.prepared.rows.as_ref().expect("rows are prepared for"), event.end);
        }
        self.add_run(a, event, weights.operand(), sums.operand(), sum_bits);
        if many {
            a.addi(weights, weights, strip);
            a.addi(sums, sums, strip);
        }
    }

    /// The target comes in by its own projection, a weight for each neuron, row by row of the plane.
    fn row_to_plane(&self, a: &mut Assembly, event: &Event, sum_bits: u32) {
        let part = event.part;
        let Some((_, _, first_sum, pitch)) = self.plane_rows(part) else { return };
        let Prepared { columns: Some(columns), rows: Some(rows), length: Some(length), .. } = event.prepared else {
            return;
        };
        let (weights, sums) = (&a.scratch(), &a.scratch());
        advance_from(a, weights.operand(), event.axon, -i64::from(part.first_axon));
        a.mul(weights, weights, columns).note("the class's row");
        a.advance(weights, self.offset(part, "weights"));
        a.load_number(sums, first_sum as i32);
        a.loop_(rows, event.end);
        a.vaddn(sum_bits, sums.operand(), synapses(part.bits).at(weights, 0));
        a.add(weights, weights, length);
        a.advance(sums, pitch.into());
    }

    /// Adds the run of weights at `weights` to that of sums at `sums`.
    pub(super) fn add_run(&self, a: &mut Assembly, event: &Event, weights: Scalar, sums: Scalar, sum_bits: u32) {
        let (run, memory) = (synapses(event.part.bits).at(weights, 0), neuron_memory(sum_bits));
        if event.part.graded {
            let vector = &a.scratch_vector();
            a.vld(vector, run);
            a.vmuls(vector, vector, event.payload);
            a.vacc(vector, memory.at(sums, 0));
            a.vst(vector, memory.at(sums, 0));
        } else {
            a.vaddn(sum_bits, sums, run);
        }
    }
}

/// Adds runs of weights to sums of 16 or 32 bits.
pub(super) trait AddRun {
    fn vaddn(&mut self, sum_bits: u32, sums: Scalar, run: onward_isa::builder::Memory);
}

impl AddRun for Assembly {
    fn vaddn(&mut self, sum_bits: u32, sums: Scalar, run: onward_isa::builder::Memory) {
        match sum_bits {
            16 => self.vaddn16(sums, run),
            _ => self.vaddn32(sums, run),
        };
    }
}

/// `register = from + number`.
pub(super) fn advance_from(a: &mut Assembly, register: Scalar, from: Scalar, number: i64) {
    if i16::try_from(number).is_ok() {
        a.addi(register, from, number);
        return;
    }
    let large = &a.scratch();
    a.load_number(large, number as i32);
    a.add(register, from, large);
}
