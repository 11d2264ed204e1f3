//! Programs decoded once: what the interpreter wants to know of an instruction, beside it.

use super::events::EventLoop;
use super::rows::RowLoop;
use crate::cost::{Cost, LANE_COUNTS, cost, cost_with};
use crate::detail::WindowCounters;
use onward_chip::Chip;
use onward_image::index_type;
use onward_isa::{ClassedOp, Instruction, Op, Space};
use typed_index_collections::TiVec;

/// Scalar instructions that are run at once, at most.
const MOST_SCALARS: u16 = 1024;

index_type! {
    /// One of [`Decoded::event_loops`].
    pub(crate) struct EventLoopIndex
}

index_type! {
    /// One of [`Decoded::row_loops`].
    pub(crate) struct RowLoopIndex
}

/// How a loop can be run at once.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AtOnce {
    /// A `foreach` over active axons.
    Events(EventLoopIndex),
    /// A `loop` over the rows of a kernel.
    Rows(RowLoopIndex),
}

/// An instruction with what follows from its place in the program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Code {
    /// The instruction, behind its operation by class, which is found once; `None` where the word is none.
    pub operation: Option<(ClassedOp, Instruction)>,
    /// Its cost.
    pub cost: Cost,
    /// A loop may end here: its body's last instruction is the one before.
    pub ends_loop: bool,
    /// For a loop that can be run at once, how.
    pub at_once: Option<AtOnce>,
    /// Scalar instructions from here on, up to one of another kind or one before which a loop may end; 0 if this is none.
    pub scalars: u16,
    /// Cycles they take.
    pub scalar_cycles: u32,
}

impl Code {
    /// The instruction, if the word is one.
    pub fn instruction(&self) -> Option<Instruction> {
        self.operation.map(|(_, instruction)| instruction)
    }
}

/// A decoded program.
#[derive(Debug)]
pub(crate) struct Decoded {
    /// By address; one more than there are words, so that running off the end is met like any word that is none.
    pub code: Vec<Code>,
    /// Loops that can be run at once.
    pub event_loops: TiVec<EventLoopIndex, EventLoop>,
    /// The same of rows of kernels.
    pub row_loops: TiVec<RowLoopIndex, RowLoop>,
    /// By address, the cycles of [`Cost::fixed`] for each number of lanes; empty unless the run is recorded.
    pub lane_fixed: Vec<[u32; LANE_COUNTS.len()]>,
    /// Whether an instruction reads payloads as a memory.
    pub reads_payloads: bool,
    /// For each route number, whether graded values are sent to it.
    pub graded_routes: Vec<bool>,
}

impl Decoded {
    pub fn new(words: &[u32], chip: &Chip) -> Self {
        let instructions: Vec<Option<Instruction>> =
            words.iter().map(|&word| Instruction::decode(word).ok()).chain([None]).collect();
        let mut event_loops = TiVec::new();
        let mut row_loops = TiVec::new();
        let mut code: Vec<Code> = instructions
            .iter()
            .map(|&instruction| Code {
                operation: instruction.map(|instruction| (instruction.op.classed(), instruction)),
                cost: instruction.map_or(Cost::default(), |instruction| cost(&instruction, chip)),
                ends_loop: false,
                at_once: None,
                scalars: 0,
                scalar_cycles: 0,
            })
            .collect();
        let mut graded_routes = Vec::new();
        let mut reads_payloads = false;
        for at in 0..code.len() {
            let Some(instruction) = instructions[at] else { continue };
            match instruction.op {
                Op::Loop | Op::Foreach | Op::Forset => {
                    let end = at as i64 + i64::from(instruction.imm);
                    if let Some(code) = usize::try_from(end).ok().and_then(|end| code.get_mut(end)) {
                        code.ends_loop = true;
                    }
                    if let Some(found) = EventLoop::find(&instructions, at) {
                        code[at].at_once = Some(AtOnce::Events(event_loops.push_and_get_key(found)));
                    }
                    if let Some(found) = RowLoop::find(&instructions, at) {
                        code[at].at_once = Some(AtOnce::Rows(row_loops.push_and_get_key(found)));
                    }
                }
                Op::Send | Op::Vsend => {
                    let route = instruction.imm as usize;
                    graded_routes.resize(graded_routes.len().max(route + 1), false);
                    graded_routes[route] = true;
                }
                _ => reads_payloads |= instruction.space == Space::Event,
            }
        }
        // Backwards: a run is one longer than that behind it.
        for at in (0..code.len()).rev() {
            let Some(instruction) = instructions[at].filter(|instruction| instruction.op.is_scalar()) else {
                continue;
            };
            debug_assert!(code[at].cost == Cost { fixed: code[at].cost.fixed, ..Cost::default() }, "{instruction}");
            let behind = code.get(at + 1).filter(|behind| !behind.ends_loop && behind.scalars < MOST_SCALARS);
            let (scalars, cycles) = behind.map_or((0, 0), |behind| (behind.scalars, behind.scalar_cycles));
            (code[at].scalars, code[at].scalar_cycles) = (scalars + 1, cycles + code[at].cost.fixed);
        }
        Decoded { code, event_loops, row_loops, lane_fixed: Vec::new(), reads_payloads, graded_routes }
    }

    /// Adds the scalar instructions of whole runs, and the cycles of all of them, which are not counted one by one: each
    /// execution takes the same. Until then what stands in place of their cycles is how many whole runs began with each.
    pub fn with_scalars(&self, counters: WindowCounters) -> WindowCounters {
        let mut counters = counters;
        for at in 0..counters.addresses.len() {
            let code = &self.code[at];
            if code.scalars == 0 {
                continue;
            }
            let runs = std::mem::take(&mut counters.addresses[at].cycles);
            counters.addresses[at..at + usize::from(code.scalars)]
                .iter_mut()
                .for_each(|of_run| of_run.executed += runs);
            // Runs that begin further behind do not come here.
            let counts = &mut counters.addresses[at];
            counts.cycles = counts.executed * u64::from(code.cost.fixed);
        }
        counters
    }

    /// From here on knows what instructions take with other lanes.
    pub fn keep_lanes(&mut self) {
        let fixed = |code: &Code| {
            LANE_COUNTS.map(|lanes| code.instruction().map_or(0, |instruction| cost_with(&instruction, lanes).fixed))
        };
        self.lane_fixed = self.code.iter().map(fixed).collect();
    }

    /// Whether graded values are sent to a route.
    pub fn is_graded(&self, route: usize) -> bool {
        self.graded_routes.get(route).copied().unwrap_or(false)
    }
}
