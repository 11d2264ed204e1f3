//! How the kernels of a convolution change: all paths at once, summed over all places exactly, rounded once.
//!
//! Pulls go to memory, as many rows as the plane has, where the sums of their neurons would be; then each sub-kernel is gone
//! over with the traces of the inputs that reach neurons by it.

use super::RuleFormat;
use super::loss::{Lead, TargetPulls};
use super::optimizer::{self, Row, Step, round as round_shift};
use super::signal::{Bounds, Evoked, Operands};
use super::update::Update;
use crate::connect::Phase;
use crate::layout::Layout;
use crate::lowering::block::Block;
use crate::lowering::code::{add_name, load_name, load_word};
use crate::purposes;
use onward_isa::builder::{A16, A32, Assembly, N16, N32, Scalar, ScalarRegister, VectorRegister, ZERO};
use onward_isa::{Space, Width};
use onward_net::Optimizer;

/// Rows of a sub-kernel are changed at once, each in a vector register; two more are needed.
pub(crate) const MOST_ROWS: u32 = 6;

/// What pulls at the neurons, in the order of the paths: arrays that lie as the sums do, their halo 0.
pub(super) const PULLS: [&str; 3] = ["pull", "own_pull", "rival_pull"];

/// What the work on each path is for.
const PATHS: [&str; 3] = [purposes::INPUT_PATH, purposes::TARGET_PATHS[0], purposes::TARGET_PATHS[1]];

/// The paths that change kernels.
fn paths(block: &Block, rule: &RuleFormat) -> &'static [&'static str] {
    if block.shares_target_weights() && rule.loss().moves_targets() { &PULLS } else { &PULLS[..1] }
}

/// Whether the target's projection moves by what the input evoked, whose counts need not be kept as pulls.
pub(super) fn moves_targets_by_counts(block: &Block, rule: &RuleFormat) -> bool {
    let adapts = matches!(rule.rule.optimizer, Optimizer::Adaptive { .. });
    block.is_fed()
        && block.table().is_none()
        && rule.loss().moves_targets_by_counts()
        && !adapts
        && !rule.is_of_voltage()
}

/// The pulls that go to memory: that of the rival's target is left out where it is the own target's with the sign turned.
fn kept(block: &Block, rule: &RuleFormat) -> &'static [&'static str] {
    let by_counts = moves_targets_by_counts(block, rule);
    if block.table().is_some() || !rule.loss().moves_targets() || by_counts {
        return &PULLS[..1];
    }
    if block.is_fed() && !rule.loss().is_squared() { &PULLS[..2] } else { &PULLS }
}

/// The width of a pull in memory.
pub(super) fn width(block: &Block, rule: &RuleFormat) -> Width {
    if rule.largest_pull(block.classes()) < 1 << 15 { Width::W16 } else { Width::W32 }
}

/// Appends where pulls go.
pub(crate) fn arrays(layout: &mut Layout, block: &Block, rule: &RuleFormat) {
    let Some((kernels, _)) = block.kernels() else { return };
    for name in kept(block, rule) {
        layout.add(name, Space::Neuron, width(block, rule), 1, kernels.sums());
    }
}

/// Rows and columns of what is kept of each weight of the kernels, if the block has such.
pub(super) fn shape(block: &Block) -> Option<(u32, u32)> {
    let (kernels, _) = block.kernels()?;
    Some((u32::try_from(kernels.all_taps()).unwrap_or(u32::MAX), kernels.plane.channels))
}

/// `register = NAME + class * elements`.
pub(super) fn of_class(a: &mut Assembly, register: &ScalarRegister, name: &str, class: Scalar, elements: u32) {
    {
        let number = &a.scratch();
        a.load_number(number, elements as i32);
        a.mul(register, class, number);
    }
    add_name(a, register, register, name);
}

/// Pulls to memory, where the sums of their neurons would be.
pub(super) fn pulls(a: &mut Assembly, update: &mut Update, lead: &Lead) {
    let (block, rule) = (update.block, update.rule);
    let Some((kernels, _)) = block.kernels() else { return };
    let neurons = block.neurons();
    let (rows, length) = block.walk_rows();
    let classes = [None, Some(update.slot), lead.rival.as_ref().map(ScalarRegister::operand)];
    let place = |a: &mut Assembly, arrays: Evoked, at: usize, name: &str| {
        let register = a.named(name);
        match classes[at] {
            Some(class) => of_class(a, &register, arrays.target, class, neurons),
            None => {
                load_name(a, &register, arrays.input);
            }
        }
        register
    };
    a.gap();
    // A loss that looks at all classes goes from one to the next.
    let looked_at = [true, true, !rule.loss().looks_at_all()];
    let names = ["h", "own_target", "rival_target"];
    let evoked = [0, 1, 2].map(|at| looked_at[at].then(|| place(a, Evoked::of(rule), at, names[at])));
    let is_gated = rule.live_bounds().is_some();
    let needs = [is_gated, is_gated && paths(block, rule).len() > 1, is_gated && paths(block, rule).len() > 1];
    let names = ["h_voltage", "own_voltage", "rival_voltage"];
    let voltages = [0, 1, 2].map(|at| needs[at].then(|| place(a, Evoked::live(rule).0, at, names[at])));
    update.bounds = Bounds::load(a, rule);
    let sum = &a.named("sum");
    a.load_number(sum, kernels.first_sum() as i32);
    a.setvl(ZERO, "ROW_LENGTH");
    a.repeat_number(rows, "pulled", |a| {
        let operands = Operands::Walked { evoked: &evoked, voltages: &voltages };
        let pulls = rule.loss().pulls(a, update, lead, &operands);
        let pointer = evoked[0].as_ref().expect("what the input evoked is looked at");
        optimizer::scale(a, rule, &pulls, |a, register| {
            let [from, to] =
                [Evoked::of(rule).input, "mean_square"].map(|name| update.arrays.offset(&name.to_lowercase()));
            a.addi(register, pointer, 0);
            a.advance(register, to - from);
        });
        let store = |a: &mut Assembly, vector: &VectorRegister, array: &str| {
            let address = &a.scratch();
            add_name(a, address, sum, &array.to_uppercase());
            a.vst(vector, update.arrays.elements(array).at(address, 0));
        };
        store(a, &pulls.input, PULLS[0]);
        let targets = pulls.targets.iter().flat_map(TargetPulls::vectors);
        for (vector, array) in targets.zip(&kept(block, rule)[1..]) {
            store(a, vector, array);
        }
        for pointer in evoked.iter().chain(&voltages).flatten() {
            a.advance(pointer, length.into());
        }
        a.advance(sum, kernels.row_pitch().into());
    });
    update.bounds = None;
}

/// Where the traces of each path begin.
fn trace_bases(a: &mut Assembly, update: &Update, lead: &Lead) -> Vec<ScalarRegister> {
    let rows = update.block.trace_rows();
    let mut bases = vec![a.named("traces")];
    load_name(a, &bases[0], "TRACE");
    if let (3, Some(rival)) = (paths(update.block, update.rule).len(), &lead.rival) {
        for (name, class) in [("own_traces", update.slot), ("rival_traces", rival.operand())] {
            let base = a.named(name);
            of_class(a, &base, "TARGET_TRACE", class, rows);
            bases.push(base);
        }
    }
    bases
}

/// Changes the kernels.
pub(super) fn change(a: &mut Assembly, update: &Update, lead: &Lead) {
    let (block, rule) = (update.block, update.rule);
    let (Some((kernels, _)), Some(traces)) = (block.kernels(), &block.traces) else { return };
    a.gap();
    a.comment("A weight changes by the sum, over all places, of what pulls at the neuron times the input's trace.");
    let shift = &a.named("shift");
    load_word(a, update.arrays, shift, "shift");
    a.advance(shift, rule.places_shift.into()).note("as many places pull at each weight");
    let bases = trace_bases(a, update, lead);
    let step = Step::new(block, rule, update.arrays, shift);
    let complete = (rule.rule.batch > 1).then(|| a.serve(purposes::BATCH, |a| completes_batch(a, rule)));
    let slot = &a.named("trace_slot");
    a.addi(slot, ZERO, 0);
    let channels = kernels.plane.channels;
    for phase in &traces.phases {
        let place = &a.named("weights");
        load_name(a, place, "WEIGHTS");
        a.advance(place, (phase.first_tap * channels).into());
        a.repeat_number(kernels.channels(), "changed", |a| {
            let rows: Vec<VectorRegister> =
                (0..phase.rows).map(|row| a.named_vector(&format!("kernel_row{row}"))).collect();
            a.setvl(ZERO, phase.run);
            for row in &rows {
                a.vmv(row, ZERO);
            }
            let length = block.vector_length;
            for (strips, strip) in [(phase.places / length, length), (1, phase.places % length)] {
                if strips == 0 || strip == 0 {
                    continue;
                }
                a.repeat_number(strips, "strips", |a| strip_of(a, update, &rows, phase, strip, slot, &bases));
            }
            for (row, at) in rows.iter().zip(0..) {
                let place = Row::At(place, (at * phase.run).into());
                add_up(a, update, complete.as_ref(), place, row, |a| {
                    let remainders = step.remainders(a);
                    step.round(a, place, row, remainders.as_ref());
                    step.keep_remainders(a, remainders);
                    step.add(a, place, row);
                });
            }
            a.advance(place, (kernels.taps_of_channel() * channels).into());
        });
    }
}

/// Counts a sample of the batch; 1 where that completes it, else 0.
fn completes_batch(a: &mut Assembly, rule: &RuleFormat) -> ScalarRegister {
    let (complete, kept, address, all) = (a.named("complete"), &a.scratch(), &a.scratch(), &a.label("batch_counted"));
    load_name(a, address, "BATCH_KEPT");
    a.ld(kept, N32.at(address, 0)).note("samples kept");
    a.addi(kept, kept, 1);
    a.addi(&complete, ZERO, rule.rule.batch);
    a.sub(&complete, &complete, kept);
    let more = &a.label("batch_incomplete");
    a.bne(&complete, ZERO, more);
    a.addi(&complete, ZERO, 1);
    a.st(ZERO, N32.at(address, 0));
    a.jmp(all);
    a.bind(more);
    a.addi(&complete, ZERO, 0);
    a.st(kept, N32.at(address, 0));
    a.bind(all);
    complete
}

/// What is asked of a row is added to what earlier samples of the batch ask for; `change` where the batch is complete, or there
/// is none.
fn add_up(
    a: &mut Assembly,
    update: &Update,
    complete: Option<&ScalarRegister>,
    row: Row,
    vector: &VectorRegister,
    change: impl FnOnce(&mut Assembly),
) {
    let (Some(complete), Row::At(place, offset)) = (complete, row) else { return change(a) };
    let change = |a: &mut Assembly| a.serve(purposes::WEIGHTS, change);
    a.serve(purposes::BATCH, |a| add_to_batch(a, update, complete, (place, offset), vector, change));
}

fn add_to_batch(
    a: &mut Assembly,
    update: &Update,
    complete: &ScalarRegister,
    (place, offset): (&ScalarRegister, i64),
    vector: &VectorRegister,
    change: impl FnOnce(&mut Assembly),
) {
    let elements = update.arrays.elements("batch_sums");
    let (kept, incomplete) = (&a.label("row_kept"), &a.label("row_incomplete"));
    let offset = offset + update.arrays.offset("batch_sums") - update.arrays.offset("weights");
    a.indexed(elements, place, offset, |a, memory| a.vacc(vector, memory)).note("with what samples before ask for");
    a.beq(complete, ZERO, incomplete);
    {
        let zero = &a.scratch_vector();
        a.vmv(zero, ZERO);
        a.indexed(elements, place, offset, |a, memory| a.vst(zero, memory));
    }
    change(a);
    a.jmp(kept);
    a.bind(incomplete);
    a.indexed(elements, place, offset, |a, memory| a.vst(vector, memory));
    a.bind(kept);
}

/// Adds what `strip` slots from the one in the register on ask for to the rows.
fn strip_of(
    a: &mut Assembly,
    update: &Update,
    rows: &[VectorRegister],
    phase: &Phase,
    strip: u32,
    slot: &ScalarRegister,
    bases: &[ScalarRegister],
) {
    let Some((kernels, _)) = update.block.kernels() else { return };
    let active = &a.scratch_predicate();
    a.setvl(ZERO, strip);
    {
        let (address, traces) = (&a.scratch(), &a.scratch_vector());
        for ((at, base), purpose) in bases.iter().enumerate().zip(PATHS) {
            a.serve(purpose, |a| {
                a.add(address, slot, base);
                match at {
                    0 => a.vld(traces, A16.at(address, 0)),
                    _ => a.vacc(traces, A16.at(address, 0)),
                };
            });
        }
        a.addi(address, ZERO, 1);
        a.vcges(active, traces, address).note("inputs of the strip that were active");
    }
    a.setvl(ZERO, phase.run);
    let index = &a.scratch();
    a.for_set(index, active, "strip_done", |a| {
        let (sum, address, trace) = (&a.scratch(), &a.scratch(), &a.scratch());
        a.add(index, index, slot);
        add_name(a, sum, index, "PLACES");
        a.ld(sum, A32.at(sum, 0)).note("its first sum");
        let pull = &a.scratch_vector();
        for ((base, array), purpose) in bases.iter().zip(PULLS).zip(PATHS) {
            a.serve(purpose, |a| {
                a.add(address, index, base);
                a.ld(trace, A16.at(address, 0)).note("its trace");
                add_name(a, address, sum, &array.to_uppercase());
                for (row, at) in rows.iter().zip(0..) {
                    let elements = update.arrays.elements(array);
                    a.indexed(elements, address, (at * kernels.step()).into(), |a, memory| a.vld(pull, memory));
                    a.vmacs(row, pull, trace);
                }
            });
        }
    });
    a.advance(slot, strip.into());
}

/// The target's own projection: ungated, the class's axon was active in every step of its window.
pub(super) fn target_weights(a: &mut Assembly, update: &Update, lead: &Lead) {
    let (block, rule) = (update.block, update.rule);
    let Some(rival) = &lead.rival else { return };
    a.gap();
    let shift = &a.named("shift");
    load_word(a, update.arrays, shift, "shift");
    let (low, high) = rule.target_bounds;
    let bounds = [a.named("least"), a.named("most")];
    a.load_number(&bounds[0], low).note("bounds of the target's projection");
    a.load_number(&bounds[1], high);
    let (rows, length) = block.walk_rows();
    let (weights, Some((kernels, _))) = (block.weights(), block.kernels()) else { return };
    let by_counts = moves_targets_by_counts(block, rule);
    let rivals = kept(block, rule).get(2);
    let turned = if rivals.is_none() { "-" } else { "" };
    let paths = [(update.slot, "", "own", PULLS[1]), (rival.operand(), turned, "rival", *rivals.unwrap_or(&PULLS[1]))];
    a.setvl(ZERO, "ROW_LENGTH");
    for ((class, sign, what, pulls), purpose) in paths.into_iter().zip(purposes::PROJECTIONS) {
        a.serve(purpose, |a| {
            let (place, pull, times, left) = (&a.scratch(), &a.scratch(), &a.scratch(), &a.scratch());
            let (elements, step) = if by_counts {
                a.comment(format!("s_c += 2^-shift * {sign}h * WINDOW: the {what} target's path"));
                load_name(a, pull, Evoked::of(rule).input);
                (N16, length)
            } else {
                a.comment(format!("s_c += 2^-shift * {sign}pull * WINDOW: the {what} target's path"));
                load_name(a, pull, &pulls.to_uppercase());
                a.advance(pull, kernels.first_sum().into());
                (update.arrays.elements(pulls), kernels.row_pitch())
            };
            of_class(a, place, "TARGET_WEIGHTS", class, block.neurons());
            a.addi(times, ZERO, format!("{sign}WINDOW"));
            a.addi(left, ZERO, rows);
            a.repeat(left, &format!("{what}_moved"), |a| {
                let vector = &a.scratch_vector();
                a.vld(vector, elements.at(pull, 0)).note("the pull");
                a.vmuls(vector, vector, times);
                round_shift(a, vector, shift, block.target_coarser() as i32);
                a.vacc(vector, weights.at(place, 0));
                a.vmaxs(vector, vector, &bounds[0]);
                a.vmins(vector, vector, &bounds[1]);
                a.vst(vector, weights.at(place, 0));
                a.advance(pull, step.into());
                a.advance(place, length.into());
            });
        });
    }
}
