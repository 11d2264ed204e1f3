//! Who reads and writes which register at which word, by what the builder says.

use super::registers::{Slot, reads, writes};
use super::{Given, Reason};
use crate::Instruction;
use crate::builder::{HeldRegister, Start};
use std::collections::HashMap;

/// A holder of a register by its place in [`Given::held`]; without a builder all are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Lease(u32);

/// Whoever writes a register without holding it.
const STRAY: Lease = Lease(u32::MAX);

/// What the builder says, by word and register.
pub(super) struct Leases<'a> {
    given: &'a Given<'a>,
    readers: HashMap<(u32, Slot), Lease>,
    writers: HashMap<(u32, Slot), Lease>,
}

impl<'a> Leases<'a> {
    /// Notes all holders, and what instructions do otherwise.
    pub fn new(code: &[Option<Instruction>], given: &'a Given<'a>, found: &mut Vec<(u32, Reason)>) -> Leases<'a> {
        let mut leases = Leases { given, readers: HashMap::new(), writers: HashMap::new() };
        for (at, held) in (0..).zip(given.held) {
            let Some(slot) = Slot::new(held.kind, held.number) else { continue };
            leases.readers.extend(held.reads.iter().map(|&word| ((word, slot), Lease(at))));
            leases.writers.extend(held.writes.iter().map(|&word| ((word, slot), Lease(at))));
            for (words, is_write) in [(&held.reads, false), (&held.writes, true)] {
                let does = |word: u32| {
                    let instruction = code.get(word as usize).copied().flatten();
                    instruction.is_some_and(|i| if is_write { writes(&i) } else { reads(&i) }.contains(&slot))
                };
                let wrong = words.iter().filter(|&&word| !does(word));
                found.extend(
                    wrong.map(|&word| (word, Reason::NotUsed { register: held.to_string(), writes: is_write })),
                );
            }
        }
        if given.held.is_empty() {
            return leases;
        }
        for (word, instruction) in (0..).zip(code) {
            let Some(instruction) = instruction else { continue };
            for (slots, is_write) in [(reads(instruction), false), (writes(instruction), true)] {
                let known = if is_write { &leases.writers } else { &leases.readers };
                let strangers =
                    slots.into_iter().filter(|slot| slot.register().is_some() && !known.contains_key(&(word, *slot)));
                found
                    .extend(strangers.map(|slot| (word, Reason::NotHeld { register: slot.plain(), writes: is_write })));
            }
        }
        leases
    }

    fn by_builder(&self, slot: Slot) -> bool {
        !self.given.held.is_empty() && slot.register().is_some()
    }

    fn held(&self, lease: Lease) -> Option<&HeldRegister> {
        self.given.held.get(lease.0 as usize)
    }

    /// Who reads a register at a word; `None` if that is not known.
    pub fn reader(&self, word: u32, slot: Slot) -> Option<Lease> {
        if self.by_builder(slot) { self.readers.get(&(word, slot)).copied() } else { None }
    }

    /// Who writes a register at a word.
    pub fn writer(&self, word: u32, slot: Slot) -> Lease {
        if self.by_builder(slot) { self.writers.get(&(word, slot)).copied().unwrap_or(STRAY) } else { STRAY }
    }

    /// Whether a reader counts on the 0 of dispatch.
    pub fn begins_with_zero(&self, reader: Option<Lease>, slot: Slot) -> bool {
        let held = reader.and_then(|lease| self.held(lease));
        held.is_some_and(|held| held.start != Start::Unset)
            || slot.register().is_some_and(|register| self.given.zero.contains(&register))
    }

    /// A register by the name it has for a holder.
    pub fn name(&self, lease: Option<Lease>, slot: Slot) -> String {
        lease.and_then(|lease| self.held(lease)).map_or_else(|| slot.plain(), ToString::to_string)
    }

    /// Who somebody is.
    pub fn holder(&self, lease: Lease) -> String {
        let Some(held) = self.held(lease) else { return "an instruction that does not hold it".to_owned() };
        let words = format!("words {} to {}", held.words.start, held.words.end.max(1) - 1);
        match &held.name {
            Some(name) => format!("`{name}` ({words})"),
            None => format!("a scratch register ({words})"),
        }
    }
}
