//! A core: sequencer and scalar unit, memories, active set, send unit.

use super::chip::Plan;
use super::logic::{
    Logic, Timing, adder, find_first, flip_flops, gates, log2, multiplexers, multiplier, saturating_adder, selector,
    shifter,
};
use super::memory::{MemoryCost, Ports};
use super::{Part, vector};
use crate::event::Event;
use crate::{IdleCores, Protection};

/// Gates that decode instructions and steer the core: an assumption, that of a small in-order controller without its registers and
/// arithmetic, which are counted apart.
const CONTROL_GATES: f64 = 5000.0;
/// Flip-flops of the sequencer: instruction 32, pc 20, four loops of 92 (start, end, index, left), VL 13, ROW 31, step and
/// position 31 each, tag 32, draw counter 32, seed 64, block 16, the counter of F10 31, and where the block's parts of its
/// memories, axons and routes begin and end, 180.
const SEQUENCER_BITS: f64 = 881.0;
/// Bits of a block's entry: what dispatch loads of the above, and the tag's axon.
const BLOCK_BITS: u64 = 400;
/// Cycles of dispatch that reading an entry can be spread over: 16 bits a cycle.
const LONGEST_ENTRY: u64 = 25;
/// Flip-flops that are clocked in a core that waits: arrivals and the barrier.
const WAITING_BITS: f64 = 64.0;
/// Clock gates of the units of a core.
const UNIT_GATES: f64 = 10.0;
/// Bits of an address into a memory, or of an axon.
const ADDRESS_BITS: f64 = 20.0;

/// A core with all it has.
pub(super) fn core(plan: &Plan) -> Part {
    let memory = &plan.chip.memory;
    let data = [
        ("synapse memory", memory.synapse_bytes, 16, [Event::SynapseReadPerBit, Event::SynapseWritePerBit]),
        ("neuron memory", memory.neuron_bytes, 32, [Event::NeuronReadPerBit, Event::NeuronWritePerBit]),
        ("axon memory", memory.axon_bytes, 16, [Event::AxonReadPerBit, Event::AxonWritePerBit]),
    ];
    let mut core = Part::new("core", plan.chip.mesh.cores_per_tile.into())
        .with_parts([instruction_memory(plan)])
        .with_parts(data.map(|(name, bytes, port, events)| data_memory(plan, name, bytes, port, events)))
        .with_parts([active_set(plan), vector::registers(plan), vector::predicates(plan), vector::lanes(plan)])
        .with_parts([vector::reduction(plan), scalar_unit(plan), sequencer(plan), send_unit(plan)]);
    core = clock(plan, core);
    if plan.chip.idle_cores == IdleCores::Gated {
        let area = plan.technology.layout.power_switch_area * core.area_um2();
        core = core.with_parts([Part::new("power switches", 1).with_area(area, 0.0)]);
    }
    core
}

/// Instruction memory: a word a fetch.
fn instruction_memory(plan: &Plan) -> Part {
    let technology = plan.technology;
    let memory = MemoryCost::of(technology, plan.chip.memory.instruction_words.into(), 32, Ports::One);
    Part::new("instruction memory", 1)
        .with_area(memory.area_um2, memory.leakage_nw)
        .spending(Event::InstructionFetch, memory.read_fj)
        .with_path("instruction memory", memory.access_ps + technology.cells.flip_flop.setup_ps)
}

/// A memory of as many banks as there are lanes (M2), with the rotators between banks and lanes, both ways.
fn data_memory(plan: &Plan, name: &'static str, bytes: u32, port: u64, [read, write]: [Event; 2]) -> Part {
    let technology = plan.technology;
    let lanes = u64::from(plan.chip.core.lanes);
    let words = (u64::from(bytes) * 8).div_ceil(port * lanes);
    let protection = plan.chip.memory.protection;
    let more = u64::from(protection.bits_a_word(port as u32));
    let bank = MemoryCost::of(technology, words, port + more, Ports::Two);
    let (lanes, port) = (lanes as f64, port as f64);
    let code = Code::of(protection, port, more as f64);
    let rotators = multiplexers(2.0 * lanes * port * log2(lanes)) + (code.writing + code.reading) * lanes;
    let area = lanes * bank.area_um2 + technology.logic_area(rotators);
    let side = area.sqrt() / 1000.0;
    // Per bit: its share of a word, the rotator's levels, half the way across the banks.
    let way = technology.operation(multiplexers(log2(lanes))) + technology.wire_energy(1.0, side / 2.0);
    let timing = Timing(technology);
    let path = bank.access_ps
        + timing.gates(code.levels)
        + timing.multiplexers(log2(lanes) + 2.0)
        + timing.wire(side)
        + technology.cells.flip_flop.setup_ps;
    let memory = Part::new(name, 1)
        .with_area(area, lanes * bank.leakage_nw + technology.logic_leakage(rotators))
        .spending(read, (bank.read_fj + technology.operation(code.reading)) / port + way)
        .spending(write, (bank.write_fj + technology.operation(code.writing)) / port + way)
        .with_path(name, path);
    if write == Event::SynapseWritePerBit {
        let written = bank.write_fj + technology.operation(code.writing);
        return memory.spending(Event::HostConfigurationPerBit, written / port + way);
    }
    memory
}

/// NANDs of an exclusive OR of two, and its levels of gates.
const XOR_GATES: f64 = 4.0;
const XOR_LEVELS: f64 = 3.0;

/// What protects the words of a bank (W. Peterson, E. Weldon, "Error-Correcting Codes", 2nd edition, 1972: a tree of exclusive
/// ORs for each bit of the code, over half of the word).
struct Code {
    /// Makes the bits of the code as a word is written.
    writing: Logic,
    /// Checks, and corrects, as it is read.
    reading: Logic,
    /// Levels of gates that a word that is read goes through.
    levels: f64,
}

impl Code {
    fn of(protection: Protection, word: f64, bits: f64) -> Code {
        let tree = |inputs: f64| gates(XOR_GATES * (inputs - 1.0));
        match protection {
            Protection::None => Code { writing: gates(0.0), reading: gates(0.0), levels: 0.0 },
            // What is noticed is told a cycle later: the word does not wait for it.
            Protection::Parity => Code { writing: tree(word), reading: tree(word + 1.0), levels: 0.0 },
            Protection::Ecc => {
                let all = tree(word / 2.0 + 1.0) * bits;
                // Each bit is turned round where the code names it.
                let correction = gates(word * (bits - 1.0) + word * XOR_GATES);
                let levels = XOR_LEVELS * (log2(word / 2.0 + 1.0) + 1.0) + log2(bits);
                Code { writing: tree(word / 2.0) * bits, reading: all + correction, levels }
            }
        }
    }
}

/// Bits and payloads of two banks, the search for the next active axon, the inlet table.
fn active_set(plan: &Plan) -> Part {
    let technology = plan.technology;
    let axons = u64::from(plan.chip.memory.axons);
    let payloads = MemoryCost::of(technology, axons, 32, Ports::Two);
    let inlets = MemoryCost::of(technology, plan.chip.mesh.multicast_trees.into(), ADDRESS_BITS as u64, Ports::One);
    let timing = Timing(technology);
    let setup = technology.cells.flip_flop.setup_ps;
    let axons = axons as f64;
    // Two levels of 64, as long as that is enough; more axons have a wider second one.
    let groups = (axons / 64.0).ceil();
    let search = find_first(64.0) * groups + find_first(groups);
    let looking = find_first(64.0) + find_first(groups);
    let looking_ps = timing.find_first(64.0) + timing.find_first(groups);
    let bits = Part::new("active bits", 1)
        .with_logic(technology, flip_flops(2.0 * axons) + search)
        .spending(Event::EventPop, technology.operation(looking))
        .spending(Event::EventWrite, technology.operation(flip_flops(1.0)))
        .with_path("the search for the next active axon", timing.flip_flops() + looking_ps);
    let bank = Part::new("payload bank", 2)
        .with_area(payloads.area_um2, payloads.leakage_nw)
        .with_path("the active set's payloads", payloads.access_ps + timing.multiplexers(2.0) + setup);
    // An arrival's axon is its inlet's first one and its index (RT3).
    let arriving = inlets.read_fj + technology.operation(adder(ADDRESS_BITS));
    let table = Part::new("inlet table", 1)
        .with_area(inlets.area_um2, inlets.leakage_nw)
        .with_logic(technology, adder(ADDRESS_BITS))
        .spending(Event::EventWrite, arriving)
        .with_path("an arrival", inlets.access_ps + timing.adder(ADDRESS_BITS) + payloads.setup_ps);
    Part::new("active set", 1)
        .spending(Event::EventPop, payloads.read_fj)
        .spending(Event::EventWrite, payloads.write_fj)
        .with_parts([bits, bank, table])
}

/// From an instruction to a scalar operand: four levels of multiplexers behind the registers, while the instruction is decoded, and
/// the choice of the operand.
fn operand_ps(plan: &Plan) -> f64 {
    Timing(plan.technology).multiplexers(5.0)
}

/// Sixteen registers, an adder, a multiplier, a shifter.
fn scalar_unit(plan: &Plan) -> Part {
    let technology = plan.technology;
    let timing = Timing(technology);
    let logic = flip_flops(16.0 * 32.0)
        + selector(16.0, 32.0) * 2.0
        + saturating_adder(32.0)
        + multiplier(32.0)
        + shifter(32.0)
        + gates(32.0 * 4.0);
    // Two operands through four levels of multiplexers, a result into a register.
    let registers = technology.operation(multiplexers(2.0 * 4.0 * 32.0) + flip_flops(32.0));
    let operand = timing.flip_flops() + operand_ps(plan);
    let saturation = timing.gates(1.0) + timing.multiplexers(2.0);
    Part::new("scalar unit", 1)
        .with_logic(technology, logic)
        .spending(Event::ScalarOperation, registers + technology.operation(saturating_adder(32.0)))
        .spending(Event::ScalarMultiply, registers + technology.operation(multiplier(32.0)))
        .with_path("a scalar multiplication", operand + timing.multiplier(32.0, 64.0) + saturation)
}

/// Decoder, pc, loops, special registers, block table, addresses of memory operands.
fn sequencer(plan: &Plan) -> Part {
    let (technology, core) = (plan.technology, &plan.chip.core);
    let timing = Timing(technology);
    let logic = flip_flops(SEQUENCER_BITS)
        + gates(CONTROL_GATES)
        + gates(4.0 * 2.0 * ADDRESS_BITS) // the comparators of L5
        + (adder(ADDRESS_BITS) * 2.0 + multiplier(ADDRESS_BITS)) * 2.0; // two address generators (M4, M11)
    let cycles = u64::from(core.dispatch_cycles).min(LONGEST_ENTRY);
    let table = MemoryCost::of(technology, u64::from(core.blocks) * cycles, BLOCK_BITS.div_ceil(cycles), Ports::One);
    let blocks = Part::new("block table", 1)
        .with_area(table.area_um2, table.leakage_nw)
        .spending(Event::Dispatch, cycles as f64 * table.read_fj + technology.operation(flip_flops(512.0 + 32.0)))
        .with_path("the block table", table.access_ps + technology.cells.flip_flop.setup_ps);
    // The sum is recoded as it is, in carry-save form (C. Lyu, D. Matula, "Redundant binary Booth recoding", ARITH 1995); bounds
    // are checked while the memory is read.
    let address = timing.flip_flops()
        + operand_ps(plan)
        + technology.cells.full_adder.delay_ps
        + timing.multiplier(ADDRESS_BITS, ADDRESS_BITS);
    Part::new("sequencer", 1)
        .with_logic(technology, logic)
        .spending(
            Event::InstructionFetch,
            technology.operation(gates(CONTROL_GATES)) + 52.0 * technology.cells.flip_flop.energy_fj,
        )
        .with_path("the address of a row", address)
        .with_parts([blocks])
}

/// Route table, the adder of the first axon, the bits of F9, and the flit that waits.
fn send_unit(plan: &Plan) -> Part {
    let (technology, chip) = (plan.technology, plan.chip);
    let timing = Timing(technology);
    let axon_bits = log2(f64::from(chip.memory.axons));
    let routes = MemoryCost::of(technology, chip.memory.routes.into(), 20 + axon_bits as u64, Ports::One);
    let logic = flip_flops(f64::from(chip.memory.axons) + plan.flit_bits) + adder(ADDRESS_BITS) * 2.0;
    let sending = adder(ADDRESS_BITS) * 2.0 + flip_flops(plan.flit_bits + 1.0);
    let table = Part::new("route table", 1)
        .with_area(routes.area_um2, routes.leakage_nw)
        .spending(Event::FlitInjection, routes.read_fj);
    Part::new("send unit", 1)
        .with_logic(technology, logic)
        .spending(Event::FlitInjection, technology.operation(sending))
        .with_path("a send's route", {
            routes.access_ps + timing.adder(ADDRESS_BITS) + technology.cells.flip_flop.setup_ps
        })
        .with_parts([table])
}

/// What is clocked: a waiting core's arrivals; in a running one sequencer and send unit, with the tree of wires to them.
fn clock(plan: &Plan, core: Part) -> Part {
    let technology = plan.technology;
    let running = SEQUENCER_BITS + plan.flit_bits;
    let behind_gates = 512.0 + 4.0 * f64::from(plan.chip.core.vector_length);
    let own = |name| core.find(name).map_or(0.0, |part| part.own_area_um2);
    let area_mm2 = (own("sequencer") + own("scalar unit") + own("send unit")) / 1e6;
    let tree = 1.5 * (area_mm2 * running / 32.0).sqrt() * technology.wires.energy_fj_per_mm;
    let waiting = technology.clocked(WAITING_BITS) + UNIT_GATES * technology.cells.clock_gate.clock_fj;
    let part = Part::new("clock", 1)
        .with_logic(technology, flip_flops(WAITING_BITS))
        .spending(Event::CoreCycle, waiting)
        .spending(Event::RunningCycle, technology.clocked(running) + technology.gated(behind_gates) + tree);
    core.with_parts([part])
}
