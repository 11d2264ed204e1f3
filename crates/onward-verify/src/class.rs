//! Steps that are looked at together: those of the same kind of window, with or without learning, at some positions in it.

use crate::block::{Context, Fed, When};
use crate::contract::Tags;
use crate::interpret::{Steps, Stop, steps};
use crate::memory::{Memories, Writes};
use crate::range::{MOST, Range};
use std::collections::{BTreeMap, HashMap};

/// Rounds in which what memories can hold may grow as it does; then it grows to the next number that the program names.
const ROUNDS: usize = 12;
/// Rounds from which on it grows to all that the width holds.
const COARSE: usize = 18;
/// Rounds until it is given up.
const MOST_ROUNDS: usize = 32;
/// Parts that a window's positions may fall into.
const MOST_PARTS: usize = 4096;

/// A class of steps.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Class {
    /// Bits 1..0 of the tag.
    pub kind: u32,
    /// Bit 2.
    pub learn: u32,
    /// First and last position.
    pub first: i64,
    pub last: i64,
}

impl Class {
    /// The positions, as a range.
    pub fn positions(&self) -> Range {
        Range::between(self.first, self.last)
    }

    /// Whether steps of the class lie in a window of so many steps.
    pub fn is_in_window(&self, window: i64) -> bool {
        self.first < window
    }

    /// The axons that can be active, in order.
    pub fn active<'a>(&self, of: &'a Context) -> Vec<&'a Fed> {
        let comes = |fed: &&Fed| match fed.when {
            When::Any => true,
            When::Windows { kind } => self.kind == kind && self.is_in_window(of.window),
            When::Learning { position } => self.kind == 0 && self.learn == 1 && self.positions().contains(position),
        };
        of.fed.iter().filter(comes).collect()
    }
}

/// What a block does in all its steps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Behaviour {
    pub classes: Vec<(Class, Steps)>,
    /// What is wrong with the block as a whole.
    pub stopped: Option<Stop>,
    /// What is written in any step.
    pub writes: Writes,
}

/// The kinds of windows, with or without learning, that tags can open.
fn kinds(tags: &Tags) -> Vec<(u32, u32)> {
    let all = |kinds: u32| (0..kinds).flat_map(|kind| [(kind, 0), (kind, 1)]).collect();
    match tags {
        Tags::None => vec![(0, 0)],
        Tags::Windows { targets, .. } => all(1 + u32::from(*targets)),
        Tags::Any => all(4),
        Tags::Listed(listed) => {
            let mut kinds: Vec<(u32, u32)> =
                listed.iter().chain([&0]).map(|&tag| ((tag & 3) as u32, (tag >> 2 & 1) as u32)).collect();
            kinds.sort_unstable();
            kinds.dedup();
            kinds
        }
    }
}

/// Looks at all steps of a block, again and again, until what memories can hold is known.
pub(crate) fn behaviour(of: &Context) -> Behaviour {
    let first = if of.tags == Tags::None { MOST } else { 0 };
    let mut classes: Vec<Class> =
        kinds(&of.tags).into_iter().map(|(kind, learn)| Class { kind, learn, first, last: MOST }).collect();
    // Positions behind the window are steps of their own in any case: what the host sends has come by then; and so are those
    // in which something comes that comes in no other.
    let mut at = vec![of.window];
    at.extend(of.fed.iter().flat_map(|fed| match fed.when {
        When::Learning { position } => vec![position, position + 1],
        When::Any | When::Windows { .. } => Vec::new(),
    }));
    at.sort_unstable();
    classes = classes.into_iter().flat_map(|class| parted(class, &at)).collect();
    let mut writes = Writes::default();
    // Of the round before: what holds of steps as long as nothing else can be loaded.
    let mut before: BTreeMap<Class, Steps> = BTreeMap::new();
    for round in 0..MOST_ROUNDS {
        let memories = Memories::of(&writes);
        let mut found: Vec<(Class, Steps)> = Vec::new();
        let mut waiting: Vec<Class> = classes.iter().rev().cloned().collect();
        while let Some(class) = waiting.pop() {
            if let Some(steps) = before.remove(&class).filter(|steps| steps.hold_with(of, &memories)) {
                found.push((class, steps));
                continue;
            }
            match steps(of, &class, &memories) {
                Ok(steps) => found.push((class, steps)),
                Err(Stop::Split(at)) => {
                    let parts = parted(class.clone(), &at);
                    if parts.len() < 2 || found.len() + waiting.len() > MOST_PARTS {
                        return Behaviour { stopped: Some(Stop::Split(at)), ..Behaviour::default() };
                    }
                    waiting.extend(parts.into_iter().rev());
                }
                Err(stop) => return Behaviour { stopped: Some(stop), ..Behaviour::default() },
            }
        }
        classes = found.iter().map(|(class, _)| class.clone()).collect();
        let mut all = Writes::default();
        for (number, (_, steps)) in (0..).zip(&found) {
            for (&(_, address), write) in &steps.writes.0 {
                all.add(number, address, *write);
            }
        }
        let thresholds = match round {
            0..ROUNDS => None,
            ROUNDS..COARSE => Some(&of.thresholds[..]),
            _ => Some(&[][..]),
        };
        if !writes.grow(&all, thresholds) {
            found.iter_mut().for_each(|(_, steps)| steps.loads = HashMap::new());
            return Behaviour { classes: found, stopped: None, writes };
        }
        before = found.into_iter().collect();
    }
    Behaviour { stopped: Some(Stop::TooLong(of.block.entry)), ..Behaviour::default() }
}

/// A class cut before these positions.
fn parted(class: Class, at: &[i64]) -> Vec<Class> {
    let mut parts = vec![class];
    for &at in at {
        let Some(last) = parts.last_mut() else { break };
        if last.first < at && at <= last.last {
            let behind = Class { first: at, ..last.clone() };
            last.last = at - 1;
            parts.push(behind);
        }
    }
    parts
}
