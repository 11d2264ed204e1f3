//! An image on the reference engine, watched: every access, every packet, every step. What an image does there that no image
//! may do is named, whatever was said of it before.
//!
//! It knows nothing of the verifier. What runs is judged by three things alone: whether the machine stops it; whether an
//! access that the trace shows lies in the memory the image gives the block; and whether each packet that was sent went to
//! somebody whom the declared network lets its sender reach, where no way leads back.

use onward_emulate::reference::{Machine, TraceSelection};
use onward_emulate::{Engine, HostPacket, Options};
use onward_image::{Delivery, HostInputKind, Image, PopulationIndex, PopulationKind, Tag};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

/// Instructions of a run after which it is taken for endless.
const MOST_INSTRUCTIONS: u64 = 3_000_000;

/// Numbers that look drawn (SplitMix64).
#[derive(Clone, Debug)]
pub struct Draws(pub u64);

impl Draws {
    /// The next one, of 64 bits.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// One below a number.
    pub fn below(&mut self, end: u64) -> u64 {
        self.draw() % end.max(1)
    }
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Nothing that must not be; and the most cycles that a step of each block took, by its number.
    Nothing(Vec<u64>),
    /// Something that must not be.
    Wrong(String),
    /// The image cannot be loaded at all.
    Refused(String),
}

/// Runs windows, with and without learning, of random packets that keep to what a host may send. `timing`: also over the mesh.
pub fn watch(image: &Image, draws: &mut Draws, samples: usize, timing: bool) -> Seen {
    // What panics is the machine: a mistake that a checked image must not be able to provoke.
    catch_unwind(AssertUnwindSafe(|| run(image, draws, samples, timing))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Seen::Wrong(text.unwrap_or_else(|| "a panic".into()))
    })
}

/// What one run notes as it goes.
#[derive(Default)]
struct Notes {
    instructions: u64,
    wrong: Option<String>,
}

fn run(image: &Image, draws: &mut Draws, samples: usize, timing: bool) -> Seen {
    let mut machine = match Machine::new(image, Options { seed: 1, timing, threads: 1 }) {
        Ok(machine) => machine,
        Err(error) => return Seen::Refused(error.to_string()),
    };
    if let Some(circle) = circle(image) {
        return Seen::Wrong(format!("`{circle}` lies on a circle of declared edges"));
    }
    let notes = Rc::new(RefCell::new(Notes::default()));
    let sizes: Vec<[u64; 3]> = image.blocks.iter().map(|block| block.memory_bytes.map(u64::from)).collect();
    let told = notes.clone();
    machine.trace(TraceSelection { cores: Vec::new(), steps: 0..=u64::MAX }, move |line| {
        let mut notes = told.borrow_mut();
        notes.instructions += 1;
        assert!(notes.instructions < MOST_INSTRUCTIONS, "the step does not end");
        let block = usize::from(line.block);
        if let Some(what) = outside(&line.values, &sizes[block]) {
            notes.wrong.get_or_insert(format!("block {block}, address {}: {what}", line.address));
        }
    });
    let mut before = machine.counters();
    let mut longest = vec![0; image.blocks.len()];
    let input = |kind| image.host_input(kind);
    let window = image.network.window_steps as usize;
    let classes = u64::from(image.network.classes().unwrap_or(1).max(1));
    for sample in 0..samples {
        let learn = sample % 2 == 0;
        let slot = draws.below(classes) as u16;
        let rival = (draws.below(4) == 0).then(|| draws.below(classes.min(256)) as u8);
        let density = draws.below(5);
        let windows = if learn && input(HostInputKind::Target).is_some() { 2 } else { 1 };
        for step in 0..windows * window {
            let target = step >= window;
            let mut packets: Vec<HostPacket> = Vec::new();
            let mut send = |input: usize, index: u32, payload: i32| {
                if index < image.input_indices(input) {
                    packets.push(HostPacket { step: 0, input, index, payload });
                }
            };
            if let Some(tag) = input(HostInputKind::Tag).filter(|_| step % window == 0) {
                let answer = draws.below(2) == 0;
                send(tag, 0, Tag { target, learn, slot: if learn { slot } else { 0 }, answer, rival }.payload());
            }
            if target {
                input(HostInputKind::Target).into_iter().for_each(|input| send(input, slot.into(), 1));
            } else if let Some(inputs) = input(HostInputKind::Input) {
                for index in 0..image.input_indices(inputs) {
                    if draws.below(4) < density {
                        send(inputs, index, 1);
                    }
                }
            }
            if let Err(fault) = machine.run(1, &packets) {
                return Seen::Wrong(fault.to_string());
            }
            let after = machine.counters();
            for (block, old) in after.blocks.iter().zip(&before.blocks) {
                let longest = &mut longest[usize::from(block.block)];
                *longest = (*longest).max(block.cycles - old.cycles);
            }
            before = after;
        }
    }
    if let Some(wrong) = notes.borrow().wrong.clone() {
        return Seen::Wrong(wrong);
    }
    match strays(image, &machine) {
        Some(stray) => Seen::Wrong(stray),
        None => Seen::Nothing(longest),
    }
}

/// The memory operand of a trace line, if it begins outside of the block's part of that memory.
fn outside(values: &str, bytes: &[u64; 3]) -> Option<String> {
    for part in values.split(' ') {
        let Some((operand, _)) = part.split_once("]=") else { continue };
        let Some((memory, first)) = operand.split_once('[') else { continue };
        let Some(space) = memory.get(..1).and_then(|letter| "nas".find(letter)) else { continue };
        let (Ok(width), Ok(first)) = (memory[1..].parse::<u64>(), first.parse::<u64>()) else { continue };
        if (first + 1) * width > bytes[space] * 8 {
            return Some(format!("`{operand}]` lies outside of {} bytes", bytes[space]));
        }
    }
    None
}

/// The declared edges, those through populations that are on no core followed to the next that is.
fn reached(image: &Image, from: PopulationIndex) -> BTreeSet<PopulationIndex> {
    let on_cores: BTreeSet<PopulationIndex> = image.blocks.iter().map(|block| block.population).collect();
    let mut found = BTreeSet::new();
    let mut waiting = vec![from];
    let mut seen = BTreeSet::new();
    while let Some(at) = waiting.pop() {
        for &(_, to) in image.network.edges.iter().filter(|(begin, _)| *begin == at) {
            let is_folded = image.network.populations[to].kind == PopulationKind::Folded && !on_cores.contains(&to);
            if is_folded && seen.insert(to) {
                waiting.push(to);
            }
            found.insert(to);
        }
    }
    found
}

/// A packet that was sent to somebody whom the network does not let its sender reach.
fn strays(image: &Image, machine: &Machine) -> Option<String> {
    let counters = machine.counters();
    let mut allowed: BTreeMap<PopulationIndex, BTreeSet<PopulationIndex>> = BTreeMap::new();
    for block in &counters.blocks {
        let sender = &image.blocks[block.block];
        for (route, _) in sender.routes.iter().zip(&block.packets).filter(|(_, packets)| **packets > 0) {
            for delivery in route.flits.iter().flat_map(|flit| &flit.deliveries) {
                let Delivery::Block { block: taker, .. } = *delivery else { continue };
                let to = image.blocks[taker].population;
                let allowed = allowed.entry(sender.population).or_insert_with(|| reached(image, sender.population));
                if !allowed.contains(&to) {
                    return Some(format!("block {} sent to block {taker}, to which no edge leads", block.block));
                }
            }
        }
    }
    let inputs = image.host_inputs.iter().zip(&counters.host_packets).filter(|(_, packets)| **packets > 0);
    for (input, _) in inputs {
        let is_wanted = |kind: &PopulationKind| match input.kind {
            HostInputKind::Tag => true,
            HostInputKind::Target | HostInputKind::TargetValues => {
                matches!(kind, PopulationKind::Target | PopulationKind::ValueTarget)
            }
            _ => matches!(kind, PopulationKind::RateInput { .. } | PopulationKind::EncodedInput { .. }),
        };
        let sources = image.network.populations.iter_enumerated().filter(|(_, population)| is_wanted(&population.kind));
        let allowed: BTreeSet<PopulationIndex> = sources.flat_map(|(number, _)| reached(image, number)).collect();
        for delivery in input.route.flits.iter().flat_map(|flit| &flit.deliveries) {
            let Delivery::Block { block, .. } = *delivery else { continue };
            if !allowed.contains(&image.blocks[block].population) {
                return Some(format!("the host sent {:?} to block {block}, to which no edge leads", input.kind));
            }
        }
    }
    None
}

/// A population from which declared edges lead back to it, others on the way.
fn circle(image: &Image) -> Option<String> {
    let edges = || image.network.edges.iter().filter(|(from, to)| from != to);
    for (start, population) in image.network.populations.iter_enumerated() {
        let mut seen = BTreeSet::new();
        let mut waiting: Vec<PopulationIndex> = edges().filter(|(from, _)| *from == start).map(|(_, to)| *to).collect();
        while let Some(at) = waiting.pop() {
            if at == start {
                return Some(population.name.clone());
            }
            if seen.insert(at) {
                waiting.extend(edges().filter(|(from, _)| *from == at).map(|(_, to)| *to));
            }
        }
    }
    None
}
