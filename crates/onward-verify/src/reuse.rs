//! Blocks of a layer mostly do the same: what was found of one holds for others that differ in nothing it depends on.

use crate::block::{Context, Fed};
use crate::class::Behaviour;
use crate::contract::Tags;
use onward_image::ProgramIndex;
use onward_isa::{Op, Special};
use std::collections::HashMap;
use std::rc::Rc;

/// All that a proof about a block depends on, beside what it looks at of the memories' contents.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    program: ProgramIndex,
    entry: u32,
    memory_bytes: [u32; 3],
    axons: u32,
    routes: Vec<u32>,
    tags: Tags,
    fed: Vec<Fed>,
    /// Arrays: memory, width, first element, elements.
    arrays: Vec<(u8, u8, u32, u64)>,
    /// The block's number, where the program asks for it.
    number: Option<u32>,
}

impl Key {
    fn of(of: &Context) -> Key {
        let block = of.block;
        let asks = of.code.iter().flatten().any(|instruction| {
            instruction.op == Op::Special && Special::from_number(instruction.imm) == Some(Special::Block)
        });
        Key {
            program: block.program,
            entry: block.entry,
            memory_bytes: block.memory_bytes,
            axons: block.axons,
            routes: block.routes.iter().map(|route| route.indices).collect(),
            tags: of.tags.clone(),
            fed: of.fed.clone(),
            arrays: block
                .symbols
                .iter()
                .map(|symbol| (symbol.space, symbol.width_bits, symbol.offset, symbol.elements()))
                .collect(),
            number: asks.then_some(of.number.0),
        }
    }
}

/// A part of a memory's first contents: memory, first byte, bytes.
type Part = (usize, usize, Vec<u8>);

/// What was found of a block, and the parts of its memories that this depends on.
type Found = (Vec<Part>, Rc<Behaviour>);

/// What was found of blocks.
#[derive(Default)]
pub(crate) struct Reuse {
    known: HashMap<Key, Vec<Found>>,
}

impl Reuse {
    /// What was found of a block that differs in nothing that matters.
    pub fn find(&self, of: &Context) -> Option<Rc<Behaviour>> {
        let known = self.known.get(&Key::of(of))?;
        let same = |(memory, first, bytes): &Part| part(of, *memory, *first, bytes.len()) == *bytes;
        known.iter().find(|(parts, _)| parts.iter().all(same)).map(|(_, behaviour)| behaviour.clone())
    }

    /// Keeps what was found of a block.
    pub fn keep(&mut self, of: &Context, behaviour: &Rc<Behaviour>) {
        if behaviour.stopped.is_some() {
            return;
        }
        let mut parts: Vec<Part> = Vec::new();
        for &(space, first, last) in behaviour.classes.iter().flat_map(|(_, steps)| steps.looked_at.values()) {
            if of.block.contents.get(space as usize).is_none() {
                continue; // payloads have no first contents
            }
            let (first, end) = ((first / 8) as usize, (last / 8 + 1) as usize);
            let is_known =
                |(memory, from, bytes): &Part| *memory == space as usize && *from <= first && end <= from + bytes.len();
            if !parts.iter().any(is_known) {
                parts.push((space as usize, first, part(of, space as usize, first, end - first)));
            }
        }
        self.known.entry(Key::of(of)).or_default().push((parts, behaviour.clone()));
    }
}

/// Bytes of what a memory holds at first; what is not given is 0.
fn part(of: &Context, memory: usize, first: usize, bytes: usize) -> Vec<u8> {
    let contents = &of.block.contents[memory];
    (first..first + bytes).map(|at| contents.get(at).copied().unwrap_or(0)).collect()
}
