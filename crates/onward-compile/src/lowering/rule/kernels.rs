//! How the kernels of a convolution change: all paths at once, summed over all places exactly, rounded once.
//!
//! Pulls go to memory, as many rows as the plane has, where the sums of their neurons would be; then each sub-kernel is gone
//! over with the traces of the inputs that reach neurons by it.

use super::RuleFormat;
use super::loss::{Lead, TargetPulls};
use super::optimizer::round as round_shift;
use super::signal::{Bounds, Evoked, Operands};
use super::update::Update;
use crate::connect::Phase;
use crate::layout::Layout;
use crate::lowering::block::Block;
use crate::lowering::code::{add_name, load_name, load_word};
use onward_isa::builder::{A16, A32, Assembly, N16, Scalar, ScalarRegister, VectorRegister, ZERO};
use onward_isa::{Space, Width};

/// Rows of a sub-kernel are changed at once, each in a vector register; two more are needed.
pub(crate) const MOST_ROWS: u32 = 6;

/// What pulls at the neurons, in the order of the paths: arrays that lie as the sums do, their halo 0.
const PULLS: [&str; 3] = ["pull", "own_pull", "rival_pull"];

/// The paths that change kernels.
fn paths(block: &Block, rule: &RuleFormat) -> &'static [&'static str] {
    if block.is_fed() || !rule.loss().moves_targets() { &PULLS[..1] } else { &PULLS }
}

/// Appends where pulls go.
pub(crate) fn arrays(layout: &mut Layout, block: &Block, rule: &RuleFormat) {
    let Some((kernels, _)) = block.kernels() else { return };
    for name in paths(block, rule) {
        layout.add(name, Space::Neuron, Width::W16, 1, kernels.sums());
    }
}

/// `register = NAME + class * elements`.
fn of_class(a: &mut Assembly, register: &ScalarRegister, name: &str, class: Scalar, elements: u32) {
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
    let place = |a: &mut Assembly, input: &str, target: &str, at: usize, name: &str| {
        let register = a.named(name);
        match classes[at] {
            Some(class) => of_class(a, &register, target, class, neurons),
            None => {
                load_name(a, &register, input);
            }
        }
        register
    };
    a.gap();
    let evoked_arrays = Evoked::of(rule);
    let evoked = ["h", "own_target", "rival_target"];
    let evoked = [0, 1, 2].map(|at| place(a, evoked_arrays.input, evoked_arrays.target, at, evoked[at]));
    let is_gated = rule.live_bounds().is_some();
    let needs = [is_gated, is_gated && paths(block, rule).len() > 1, is_gated && paths(block, rule).len() > 1];
    let names = ["h_voltage", "own_voltage", "rival_voltage"];
    let voltages = [0, 1, 2].map(|at| needs[at].then(|| place(a, "VOLTAGE", "TARGET_VOLTAGE", at, names[at])));
    update.bounds = Bounds::load(a, rule);
    let (sum, left) = (&a.named("sum"), &a.scratch());
    a.load_number(sum, kernels.first_sum() as i32);
    a.setvl(ZERO, "ROW_LENGTH");
    a.addi(left, ZERO, rows);
    a.repeat(left, "pulled", |a| {
        let operands = Operands::Walked { evoked: &evoked, voltages: &voltages };
        let pulls = rule.loss().pulls(a, update, lead, &operands);
        let store = |a: &mut Assembly, vector: &VectorRegister, array: &str| {
            let address = &a.scratch();
            add_name(a, address, sum, array);
            a.vst(vector, N16.at(address, 0));
        };
        store(a, &pulls.input, "PULL");
        if let Some(TargetPulls::Each(own, rival)) = pulls.targets.as_ref().filter(|_| !block.is_fed()) {
            store(a, own, "OWN_PULL");
            store(a, rival, "RIVAL_PULL");
        }
        for pointer in evoked.iter().chain(voltages.iter().flatten()) {
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
    let slot = &a.named("trace_slot");
    a.addi(slot, ZERO, 0);
    let (channels, weights) = (kernels.plane.channels, block.weights());
    for phase in &traces.phases {
        let (place, left) = (&a.named("weights"), &a.scratch());
        load_name(a, place, "WEIGHTS");
        a.advance(place, (phase.first_tap * channels).into());
        a.load_number(left, kernels.channels() as i32);
        a.repeat(left, "changed", |a| {
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
                let count = &a.scratch();
                a.addi(count, ZERO, strips);
                a.repeat(count, "strips", |a| strip_of(a, update, &rows, phase, strip, slot, &bases));
            }
            for (row, at) in rows.iter().zip(0..) {
                a.vshrs(row, row, shift).note("stochastic rounding");
                let offset = (at * phase.run).into();
                a.indexed(weights, place, offset, |a, memory| a.vacc(row, memory));
                a.indexed(weights, place, offset, |a, memory| a.vst(row, memory));
            }
            a.advance(place, (kernels.taps_of_channel() * channels).into());
        });
    }
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
        for (at, base) in bases.iter().enumerate() {
            a.add(address, slot, base);
            match at {
                0 => a.vld(traces, A16.at(address, 0)),
                _ => a.vacc(traces, A16.at(address, 0)),
            };
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
        for (base, array) in bases.iter().zip(PULLS) {
            a.add(address, index, base);
            a.ld(trace, A16.at(address, 0)).note("its trace");
            add_name(a, address, sum, &array.to_uppercase());
            for (row, at) in rows.iter().zip(0..) {
                a.indexed(N16, address, (at * kernels.step()).into(), |a, memory| a.vld(pull, memory));
                a.vmacs(row, pull, trace);
            }
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
    let weights = block.weights();
    a.setvl(ZERO, "ROW_LENGTH");
    for (class, sign, what) in [(update.slot, "", "own"), (rival.operand(), "-", "rival")] {
        a.comment(format!("s_c += 2^-shift * {sign}h * WINDOW: the {what} target's path"));
        let (place, h, times, left) = (&a.scratch(), &a.scratch(), &a.scratch(), &a.scratch());
        of_class(a, place, "TARGET_WEIGHTS", class, block.neurons());
        load_name(a, h, Evoked::of(rule).input);
        a.addi(times, ZERO, format!("{sign}WINDOW"));
        a.addi(left, ZERO, rows);
        a.repeat(left, &format!("{what}_moved"), |a| {
            let vector = &a.scratch_vector();
            a.vld(vector, N16.at(h, 0)).note("h");
            a.vmuls(vector, vector, times);
            round_shift(a, vector, shift, block.target_coarser() as i32);
            a.vacc(vector, weights.at(place, 0));
            a.vmaxs(vector, vector, &bounds[0]);
            a.vmins(vector, vector, &bounds[1]);
            a.vst(vector, weights.at(place, 0));
            a.advance(h, length.into());
            a.advance(place, length.into());
        });
    }
}
