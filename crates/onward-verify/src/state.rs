//! What is known of a block in the midst of a step.

use crate::range::Range;
use crate::value::{Predicate, Sources, Value, Vector};

/// Indices that have been sent on a route in this step: all of a range may have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Sent {
    pub route: u32,
    pub low: i64,
    pub high: i64,
}

/// Registers, and what the step has taken so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub scalars: [Value; 16],
    pub vectors: [Vector; 8],
    pub predicates: [Predicate; 4],
    /// VL.
    pub length: Range,
    /// ROW.
    pub row: Range,
    /// The indices that were sent, in order, none next to or within another.
    pub sent: Vec<Sent>,
    /// At most so many cycles of the core, flits and waiting left out.
    pub cycles: u64,
    /// At most so many packets by route.
    pub packets: Vec<u64>,
}

impl State {
    /// A block at dispatch (E3): all registers are 0.
    pub fn at_dispatch(dispatch_cycles: u64, routes: usize) -> State {
        State {
            scalars: [Value::of(0); 16],
            vectors: [Vector::ZERO; 8],
            predicates: [Predicate { extent: 0, from: Sources::NONE }; 4],
            length: Range::of(0),
            row: Range::of(0),
            sent: Vec::new(),
            cycles: dispatch_cycles,
            packets: vec![0; routes],
        }
    }

    /// Adds what is known on another way to the same place.
    pub fn join(&mut self, other: &State) {
        for (value, other) in self.scalars.iter_mut().zip(&other.scalars) {
            *value = value.join(*other);
        }
        for (vector, other) in self.vectors.iter_mut().zip(&other.vectors) {
            if vector != other {
                *vector = vector.join(*other);
            }
        }
        for (predicate, other) in self.predicates.iter_mut().zip(&other.predicates) {
            predicate.extent = predicate.extent.max(other.extent);
            predicate.from = predicate.from.and(other.from);
        }
        self.length = self.length.join(other.length);
        self.row = self.row.join(other.row);
        if self.sent != other.sent {
            for sent in &other.sent {
                add_sent(&mut self.sent, *sent);
            }
        }
        self.cycles = self.cycles.max(other.cycles);
        for (packets, other) in self.packets.iter_mut().zip(&other.packets) {
            *packets = (*packets).max(*other);
        }
    }

    /// Whether another way adds nothing to what is known of registers and of what was sent.
    pub fn covers(&self, other: &State) -> bool {
        let mut joined = self.clone();
        joined.join(other);
        joined.cycles = self.cycles;
        joined.packets.clone_from(&self.packets);
        joined == *self
    }

    /// Lets what grew since `before` grow to where it can no longer.
    pub fn widen(&mut self, before: &State, thresholds: &[i64], vector_length: i64) {
        for (value, before) in self.scalars.iter_mut().zip(&before.scalars) {
            value.range = value.range.widened(before.range, thresholds);
        }
        for (vector, before) in self.vectors.iter_mut().zip(&before.vectors) {
            *vector = vector.widened(*before, thresholds, vector_length);
        }
        for (predicate, before) in self.predicates.iter_mut().zip(&before.predicates) {
            if predicate.extent > before.extent {
                predicate.extent = vector_length;
            }
        }
        self.length = self.length.widened(before.length, thresholds);
        self.row = self.row.widened(before.row, thresholds);
    }

    /// Notes that indices may have been sent; `false` if one of them may have been before.
    pub fn send(&mut self, sent: Sent) -> bool {
        let overlaps = |other: &Sent| other.route == sent.route && other.low <= sent.high && sent.low <= other.high;
        let is_first = !self.sent.iter().any(overlaps);
        add_sent(&mut self.sent, sent);
        is_first
    }
}

/// Adds a range to ranges in order, and makes one of those that touch.
fn add_sent(all: &mut Vec<Sent>, mut sent: Sent) {
    let touches = |other: &Sent| other.route == sent.route && other.low <= sent.high + 1 && sent.low <= other.high + 1;
    if all.iter().any(|other| other.route == sent.route && other.low <= sent.low && sent.high <= other.high) {
        return;
    }
    let (touching, mut rest): (Vec<Sent>, Vec<Sent>) = all.iter().partition(|other| touches(other));
    for other in touching {
        (sent.low, sent.high) = (sent.low.min(other.low), sent.high.max(other.high));
    }
    let at = rest.partition_point(|other| *other < sent);
    rest.insert(at, sent);
    *all = rest;
}
