//! How pulls reach the weights: row by row, rounded once.

use super::loss::{Pulls, TargetPulls};
use super::{INDICES, RuleFormat, VELOCITY_BITS, spread};
use crate::lowering::block::Block;
use crate::lowering::code::{Arrays, add_name, load_name};
use crate::purposes;
use onward_isa::builder::{
    A16, Assembly, Line, Memory, N16, N32, S16, Scalar, ScalarRegister, Vector, VectorRegister, ZERO,
};
use onward_net::{Optimizer, Rounding};

impl TargetPulls {
    /// The vectors, each once.
    pub fn vectors(&self) -> Vec<&VectorRegister> {
        match self {
            TargetPulls::Opposite(pull) => vec![pull],
            TargetPulls::Each(own, rival) => vec![own, rival],
        }
    }

    /// The own target's pull, the rival's, and whether the sign of that is turned.
    pub fn paths(&self) -> (Vector, Vector, bool) {
        match self {
            TargetPulls::Opposite(pull) => (pull.operand(), pull.operand(), true),
            TargetPulls::Each(own, rival) => (own.operand(), rival.operand(), false),
        }
    }
}

/// Where the running mean of a neuron's squared pulls is small, its pulls are made larger, and the other way round. `mean` puts
/// where the means of these neurons lie into a register.
pub(super) fn scale(
    a: &mut Assembly,
    rule: &RuleFormat,
    pulls: &Pulls,
    mean: impl FnOnce(&mut Assembly, &ScalarRegister),
) {
    let Optimizer::Adaptive { decay } = rule.rule.optimizer else { return };
    a.serve(purposes::ADAPTIVE, |a| scale_by_root(a, rule, decay, pulls, mean));
}

fn scale_by_root(
    a: &mut Assembly,
    rule: &RuleFormat,
    decay: u32,
    pulls: &Pulls,
    mean: impl FnOnce(&mut Assembly, &ScalarRegister),
) {
    a.comment("mean += (pull^2 - mean) / 2^decay, 8 fraction bits");
    let (number, address) = (&a.scratch(), &a.scratch());
    let root = &a.scratch_vector();
    {
        let square = &a.scratch_vector();
        a.addi(number, ZERO, rule.pull_bits() as i32 - 12);
        a.vshr(square, &pulls.input, number);
        a.vscale(square, square, square);
        mean(a, address);
        a.vld(root, N32.at(address, 0));
        a.vsub(square, square, root);
        a.addi(number, ZERO, decay);
        a.vshr(square, square, number);
        a.vadd(root, root, square);
        a.vst(root, N32.at(address, 0));
    }
    a.comment("and pulls by its root");
    a.addi(number, ZERO, rule.square_shift());
    a.vshr(root, root, number);
    load_name(a, address, "ROOTS");
    a.addi(number, ZERO, INDICES);
    a.vlut(root, root, N16.table(address), number);
    for vector in pulls.vectors() {
        a.vmul(vector, vector, root);
    }
}

/// Which rows of weights are gone over.
pub(super) enum Rows<'a> {
    /// All, by the traces of the window that just ended.
    All,
    /// Those from the first to before the second register, by the traces from the third on.
    Part { first: &'a ScalarRegister, end: &'a ScalarRegister, traces: &'a ScalarRegister },
}

/// A row of weights.
#[derive(Clone, Copy)]
pub(super) enum Row<'a> {
    /// That of this number, for all neurons.
    Number(&'a ScalarRegister),
    /// Of a kernel: so many elements behind the one in the register.
    At(&'a ScalarRegister, i64),
}

/// How a change reaches a row of weights.
pub(super) struct Step<'a> {
    block: &'a Block<'a>,
    rule: &'a RuleFormat,
    arrays: Arrays<'a>,
    shift: &'a ScalarRegister,
    /// The part that weights lose, where a register holds it.
    decay: Option<ScalarRegister>,
    /// The shift of velocities, the part that they lose, what is between them and weights, and where they begin: where
    /// registers hold them.
    momentum: Option<[ScalarRegister; 4]>,
}

/// What is needed to change rows of all neurons, in registers.
pub(super) struct Change<'a> {
    pub block: &'a Block<'a>,
    pub rule: &'a RuleFormat,
    pub arrays: Arrays<'a>,
    /// What traces must be to count.
    pub least: &'a ScalarRegister,
    pub step: Step<'a>,
}

/// What earlier changes left, and by what whole steps are taken back from it.
pub(super) struct Remainders {
    left: VectorRegister,
    back: ScalarRegister,
}

impl<'a> Change<'a> {
    /// Loads what is the same for all rows.
    pub fn new(
        a: &mut Assembly,
        block: &'a Block<'a>,
        rule: &'a RuleFormat,
        arrays: Arrays<'a>,
        shift: &'a ScalarRegister,
        least: &'a ScalarRegister,
    ) -> Change<'a> {
        let mut step = Step::new(block, rule, arrays, shift);
        step.decay = rule.rule.weight_decay.map(|bits| {
            let decay = a.named("decay");
            a.addi(&decay, ZERO, bits).note("the part that weights lose");
            decay
        });
        // Parts, batches and remainders leave no registers for them.
        if !rule.spread && rule.rule.batch == 1 && rule.rule.rounding == Rounding::Stochastic {
            step.momentum = step.velocities().map(|of| {
                let first = a.named("velocities");
                let names = ["velocity_shift", "velocity_decay", "velocity_bits"];
                let [shift, decay, back] = names.map(|name| a.named(name));
                load_velocities(a, &first, arrays);
                let all = [shift, decay, back, first];
                (0..3).for_each(|at| of.load(a, &all[at], step.shift, at));
                all
            });
        }
        Change { block, rule, arrays, least, step }
    }
}

/// The numbers of velocities.
#[derive(Clone, Copy)]
struct Velocities {
    decay: u32,
}

impl Velocities {
    /// Loads the shift of changes, the part that velocities lose, or what is between them and weights.
    fn load(self, a: &mut Assembly, register: &ScalarRegister, shift: &ScalarRegister, at: usize) {
        match at {
            0 => a.addi(register, shift, -VELOCITY_BITS).note("they have more fraction bits"),
            1 => a.addi(register, ZERO, self.decay).note("the part that they lose"),
            _ => a.addi(register, ZERO, VELOCITY_BITS + self.decay as i32).note("what is between them and weights"),
        };
    }
}

fn load_velocities(a: &mut Assembly, register: &ScalarRegister, arrays: Arrays) {
    a.load_number(register, arrays.offset("velocity") as i32).note("where velocities begin");
}

impl<'a> Step<'a> {
    /// With nothing in registers but the shift.
    pub fn new(block: &'a Block<'a>, rule: &'a RuleFormat, arrays: Arrays<'a>, shift: &'a ScalarRegister) -> Step<'a> {
        Step { block, rule, arrays, shift, decay: None, momentum: None }
    }

    fn velocities(&self) -> Option<Velocities> {
        let Optimizer::Momentum { decay } = self.rule.rule.optimizer else { return None };
        Some(Velocities { decay })
    }

    /// Before rows change: what is left of earlier changes, if it is carried on. Vectors are of neurons.
    pub fn remainders(&self, a: &mut Assembly) -> Option<Remainders> {
        let is_carried = self.rule.rule.rounding == Rounding::Carried;
        let load = |a: &mut Assembly| {
            let remainders = Remainders { left: a.scratch_vector(), back: a.named("back") };
            a.sub(&remainders.back, ZERO, self.shift).note("from whole steps back to what they stand for");
            if self.velocities().is_some() {
                a.advance(&remainders.back, VELOCITY_BITS.into()).note("those of velocities");
            }
            let address = &a.scratch();
            load_name(a, address, "REMAINDER");
            a.vld(&remainders.left, N32.at(address, 0)).note("what is left of earlier changes");
            remainders
        };
        is_carried.then(|| a.serve(purposes::REMAINDERS, load))
    }

    /// After it: they go back to memory.
    pub fn keep_remainders(&self, a: &mut Assembly, remainders: Option<Remainders>) {
        let Some(Remainders { left, .. }) = remainders else { return };
        a.serve(purposes::REMAINDERS, |a| {
            let address = &a.scratch();
            load_name(a, address, "REMAINDER");
            a.vst(&left, N32.at(address, 0)).note("for the first row of the next update");
        });
    }

    /// Rounds a vector down by the shift and adds it to a row.
    pub fn add_to_row(&self, a: &mut Assembly, row: Row, vector: &VectorRegister, remainders: Option<&Remainders>) {
        self.round(a, row, vector, remainders);
        self.add(a, row, vector);
    }

    /// What a row is asked to change by becomes whole steps of its weights.
    pub fn round(&self, a: &mut Assembly, row: Row, vector: &VectorRegister, remainders: Option<&Remainders>) {
        let velocities = self.velocities();
        match (velocities, remainders) {
            (_, Some(remainders)) => a.serve(purposes::REMAINDERS, |a| {
                a.vadd(&remainders.left, &remainders.left, vector).note("with what is left of the row before");
                match velocities {
                    None => {
                        a.vshr(vector, &remainders.left, self.shift).note("whole steps");
                    }
                    Some(of) => self.with_number_of(a, of, 0, |a, shift| {
                        a.vshr(vector, &remainders.left, shift).note("whole steps of velocities");
                    }),
                }
                let taken = &a.scratch_vector();
                a.vshr(taken, vector, &remainders.back);
                a.vsub(&remainders.left, &remainders.left, taken).note("what is left for the next row");
            }),
            (Some(of), None) => self.with_number_of(a, of, 0, |a, shift| {
                a.vshrs(vector, vector, shift);
            }),
            (None, None) => {
                a.vshrs(vector, vector, self.shift).note("stochastic rounding");
            }
        }
        if let Some(velocities) = velocities {
            a.serve(purposes::MOMENTUM, |a| self.add_to_velocity(a, row, vector, velocities));
        }
    }

    /// `body` with one of the numbers of velocities in a register.
    fn with_number_of(
        &self,
        a: &mut Assembly,
        of: Velocities,
        at: usize,
        body: impl FnOnce(&mut Assembly, &ScalarRegister),
    ) {
        let held = self.momentum.as_ref().map(|all| &all[at]);
        let load = |a: &mut Assembly, register: &ScalarRegister| of.load(a, register, self.shift, at);
        with_register(a, held, load, body);
    }

    /// Adds whole steps to a row, which loses its part.
    pub fn add(&self, a: &mut Assembly, row: Row, vector: &VectorRegister) {
        let weights = self.block.weights();
        if let Some(bits) = self.rule.rule.weight_decay {
            a.serve(purposes::WEIGHT_DECAY, |a| self.decay(a, row, vector, bits));
        }
        match row {
            Row::Number(row) => {
                a.vaccr(vector, weights.row(row, 0));
                a.vstr(vector, weights.row(row, 0));
            }
            Row::At(place, offset) => {
                a.indexed(weights, place, offset, |a, memory| a.vacc(vector, memory));
                a.indexed(weights, place, offset, |a, memory| a.vst(vector, memory));
            }
        }
    }

    /// The row loses its part.
    fn decay(&self, a: &mut Assembly, row: Row, vector: &VectorRegister, bits: u32) {
        let weights = self.block.weights();
        let (lost, zero) = (&a.scratch_vector(), &a.scratch_vector());
        match row {
            Row::Number(row) => a.vldr(lost, weights.row(row, 0)),
            Row::At(place, offset) => a.indexed(weights, place, offset, |a, memory| a.vld(lost, memory)),
        };
        a.vmv(zero, ZERO);
        a.vsub(lost, zero, lost);
        with_register(
            a,
            self.decay.as_ref(),
            |a, decay| {
                a.addi(decay, ZERO, bits);
            },
            |a, decay| {
                a.vshrs(lost, lost, decay).note("decay");
            },
        );
        a.vadd(vector, vector, lost);
    }

    /// A change in whole steps of velocities goes to the row's velocity, and becomes what that asks for.
    fn add_to_velocity(&self, a: &mut Assembly, row: Row, vector: &VectorRegister, of: Velocities) {
        let (velocity, lost) = (&a.scratch_vector(), &a.scratch_vector());
        let held = |at: usize| self.momentum.as_ref().map(|all| &all[at]);
        let shifted = |a: &mut Assembly, at: usize, to: &VectorRegister, from: &VectorRegister| {
            self.with_number_of(a, of, at, |a, register| {
                a.vshrs(to, from, register);
            });
        };
        let address = &a.scratch();
        match row {
            Row::Number(row) => {
                load_name(a, address, "NEURONS");
                a.mul(address, address, row);
                let load = |a: &mut Assembly, register: &ScalarRegister| load_velocities(a, register, self.arrays);
                with_register(a, held(3), load, |a, first| {
                    a.add(address, address, first);
                });
            }
            Row::At(place, offset) => {
                a.addi(address, place, 0);
                a.advance(address, offset + self.arrays.offset("velocity") - self.arrays.offset("weights"));
            }
        }
        a.vld(velocity, S16.at(address, 0)).note("the velocity");
        // What it loses: rounded down it would never come to rest above 0.
        shifted(a, 1, lost, velocity);
        a.vsub(velocity, velocity, lost);
        a.vadd(velocity, velocity, vector);
        a.vst(velocity, S16.at(address, 0));
        shifted(a, 2, vector, velocity);
    }
}

/// `body` with a number in a register: the one that holds it, or one that it is loaded into for the while.
fn with_register(
    a: &mut Assembly,
    held: Option<&ScalarRegister>,
    load: impl FnOnce(&mut Assembly, &ScalarRegister),
    body: impl FnOnce(&mut Assembly, &ScalarRegister),
) {
    match held {
        Some(register) => body(a, register),
        None => {
            let register = &a.scratch();
            load(a, register);
            body(a, register);
        }
    }
}

impl Change<'_> {
    /// The weights, by the pull of the input's path and, where targets come in by the same weights and learn, by theirs; the
    /// classes are the own one and its rival.
    pub fn rows(&self, a: &mut Assembly, pulls: &Pulls, classes: [Option<Scalar>; 2], rows: &Rows) {
        let remainders = self.step.remainders(a);
        let targets = pulls.targets.as_ref().filter(|_| self.block.shares_target_weights());
        let what = if targets.is_some() { " + pull_own * x_own,k + pull_rival * x_rival,k" } else { "" };
        a.comment(format!("w_k += 2^-shift * (pull * x_k{what})"));
        let traces = targets.and_then(|targets| Some((targets, self.target_traces(a, classes)?)));
        let bases = traces.as_ref().map(|(_, bases)| bases);
        let load = |a: &mut Assembly, first: &ScalarRegister, vector: &VectorRegister| {
            let address = &a.scratch();
            a.serve(purposes::INPUT_PATH, |a| {
                self.input_trace(a, (first, address), rows, |a, memory| a.vld(vector, memory));
            });
            for (base, purpose) in bases.into_iter().flatten().zip(purposes::TARGET_PATHS) {
                a.serve(purpose, |a| {
                    a.add(address, first, base);
                    a.vacc(vector, A16.at(address, 0));
                });
            }
        };
        let change = |a: &mut Assembly, row: &ScalarRegister, vector: &VectorRegister| {
            let trace = &a.scratch();
            a.serve(purposes::INPUT_PATH, |a| {
                self.input_trace(a, (row, trace), rows, |a, memory| a.ld(trace, memory)).note("x_k");
                a.vmuls(vector, &pulls.input, trace);
            });
            if let Some((targets, [own, rival])) = &traces {
                let (own_pull, rival_pull, _) = targets.paths();
                let paths = [(own, own_pull, "x_own,k"), (rival, rival_pull, "x_rival,k")];
                for ((base, pull, note), purpose) in paths.into_iter().zip(purposes::TARGET_PATHS) {
                    a.serve(purpose, |a| {
                        a.add(trace, row, base);
                        a.ld(trace, A16.at(trace, 0)).note(note);
                        a.vmacs(vector, pull, trace);
                    });
                }
            }
        };
        a.serve(purposes::WEIGHTS, |a| self.in_strips(a, rows, remainders.as_ref(), load, change));
        self.step.keep_remainders(a, remainders);
    }

    /// Where the traces of the own target begin, and those of the rival.
    fn target_traces(&self, a: &mut Assembly, classes: [Option<Scalar>; 2]) -> Option<[ScalarRegister; 2]> {
        let [Some(own), Some(rival)] = classes else { return None };
        let rows = &a.scratch();
        a.load_number(rows, self.block.trace_rows() as i32);
        let bases = [a.named("own_traces"), a.named("rival_traces")];
        a.mul(&bases[0], own, rows);
        a.mul(&bases[1], rival, rows);
        add_name(a, &bases[0], &bases[0], "TARGET_TRACE").note("traces of the own target");
        add_name(a, &bases[1], &bases[1], "TARGET_TRACE").note("traces of the rival");
        Some(bases)
    }

    /// An instruction on the input's trace of the row in the first register; the second takes its address.
    fn input_trace<'b>(
        &self,
        a: &'b mut Assembly,
        (row, address): (&ScalarRegister, &ScalarRegister),
        rows: &Rows,
        access: impl for<'c> FnOnce(&'c mut Assembly, Memory) -> Line<'c>,
    ) -> Line<'b> {
        match rows {
            Rows::All if self.block.fades() => return a.indexed(A16, row, self.arrays.offset("trace"), access),
            Rows::All => add_name(a, address, row, "TRACE"),
            Rows::Part { traces, .. } => a.add(address, row, *traces),
        };
        access(a, A16.at(address, 0))
    }

    /// A pass over rows in strips of a vector register's length. `load` adds up the traces of the strip that begins at a row;
    /// for each row that was active in any of them, `change` makes what it changes by.
    fn in_strips(
        &self,
        a: &mut Assembly,
        rows: &Rows,
        remainders: Option<&Remainders>,
        load: impl Fn(&mut Assembly, &ScalarRegister, &VectorRegister),
        change: impl Fn(&mut Assembly, &ScalarRegister, &VectorRegister),
    ) {
        let (all, length) = (self.block.trace_rows(), self.block.vector_length);
        let own_first = if let Rows::All = rows { Some(a.named("first_row")) } else { None };
        let count = match rows {
            Rows::All => all,
            Rows::Part { .. } => spread::rows_of_a_part(self.block),
        };
        let first = match (rows, &own_first) {
            (Rows::Part { first, .. }, _) => *first,
            (Rows::All, Some(first)) => first,
            (Rows::All, None) => return,
        };
        if let Rows::All = rows {
            a.addi(first, ZERO, 0).note("first row of the strip");
        }
        let index = &a.scratch();
        a.addi(index, ZERO, count.div_ceil(length)).note("strips");
        a.repeat(index, "rows_done", |a| {
            let row = &a.scratch();
            match rows {
                Rows::All => {
                    a.load_number(row, all as i32);
                    a.sub(row, row, first);
                }
                Rows::Part { end, .. } => {
                    // The last parts, and their last strips, may be beyond the rows: then they are empty.
                    a.min(first, first, *end);
                    a.sub(row, *end, first);
                }
            }
            let vector = &a.scratch_vector();
            let active = &a.scratch_predicate();
            {
                let most = &a.scratch();
                a.load_number(most, length as i32);
                a.min(row, row, most);
            }
            a.setvl(row, 0);
            load(a, first, vector);
            a.vcges(active, vector, self.least).note("rows of the strip that were active");
            a.setvl(ZERO, "NEURONS");
            a.for_set(index, active, "strip_done", |a| {
                a.add(row, first, index).note("the row");
                change(a, row, vector);
                self.step.add_to_row(a, Row::Number(row), vector, remainders);
            });
            a.load_number(row, length as i32);
            a.add(first, first, row);
        });
    }
}

/// Rounds a vector down by the shift and so many bits more, where the binary point is not that of the weights.
pub(super) fn round(a: &mut Assembly, vector: &VectorRegister, shift: &ScalarRegister, more: i32) {
    if more == 0 {
        a.vshrs(vector, vector, shift);
        return;
    }
    let all = &a.scratch();
    a.addi(all, shift, more).note("another binary point");
    a.vshrs(vector, vector, all);
}

/// The target's own projection: ungated, the class's axon was active in every step of its window.
pub(super) fn target_weights(
    a: &mut Assembly,
    block: &Block,
    rule: &RuleFormat,
    shift: &ScalarRegister,
    pulls: &Pulls,
    classes: [Option<Scalar>; 2],
) {
    let (Some(targets), [Some(own), Some(rival)]) = (&pulls.targets, classes) else { return };
    let (own_pull, rival_pull, is_turned) = targets.paths();
    let bounds = &[a.named("least"), a.named("most")];
    a.load_number(&bounds[0], rule.target_bounds.0).note("bounds of the target's projection");
    a.load_number(&bounds[1], rule.target_bounds.1);
    let (weights, window) = (block.weights(), i64::from(block.window));
    let paths = [(own, own_pull, window), (rival, rival_pull, if is_turned { -window } else { window })];
    for ((class, pull, times), purpose) in paths.into_iter().zip(purposes::PROJECTIONS) {
        a.serve(purpose, |a| {
            let (vector, number, row) = (&a.scratch_vector(), &a.scratch(), &a.scratch());
            a.comment("s_c += 2^-shift * pull * WINDOW");
            a.addi(number, ZERO, times);
            a.vmuls(vector, pull, number);
            round(a, vector, shift, block.target_coarser() as i32);
            a.load_number(row, block.first_target_row() as i32);
            a.add(row, row, class).note("row of the class");
            a.vaccr(vector, weights.row(row, 0));
            a.vmaxs(vector, vector, &bounds[0]);
            a.vmins(vector, vector, &bounds[1]);
            a.vstr(vector, weights.row(row, 0));
        });
    }
}

/// The bias is a weight whose axon has a trace of its own in every update: it is rounded with so many bits more.
pub(super) fn bias(
    a: &mut Assembly,
    block: &Block,
    pull: &VectorRegister,
    shift: &ScalarRegister,
    trace: u32,
    more: i32,
) {
    debug_assert!(block.is_whole(), "only such blocks have biases that learn");
    a.serve(purposes::BIAS, |a| {
        a.comment("The bias is a weight whose axon is active in every step.");
        let (number, vector) = (&a.scratch(), &a.scratch_vector());
        a.load_number(number, trace as i32);
        a.vmuls(vector, pull, number);
        round(a, vector, shift, more);
        load_name(a, number, "BIAS");
        a.vacc(vector, N32.at(number, 0));
        a.vst(vector, N32.at(number, 0));
    });
}
