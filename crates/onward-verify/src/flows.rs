//! What weights are made of: data flow from arrays and packets into synapse memory.

use crate::block::Context;
use crate::breach::Reason;
use crate::class::Behaviour;
use crate::interpret::Problem;
use crate::sources::Source;
use crate::value::Sources;
use onward_isa::Space;
use std::collections::{BTreeMap, BTreeSet};

/// What the arrays of a block are written with.
pub(crate) struct Flows {
    /// Each array that is written, with all it is written from.
    pub written: BTreeMap<Source, BTreeSet<Source>>,
}

/// Finds what the arrays of a block are written with.
pub(crate) fn flows(of: &Context, behaviour: &Behaviour) -> Flows {
    let mut bits: BTreeMap<Sources, Sources> = BTreeMap::new();
    for write in behaviour.writes.0.values() {
        let to = of.names.elements(write.space, write.width, write.first, write.last);
        let from = bits.entry(to).or_default();
        *from = from.and(write.from);
    }
    let mut written: BTreeMap<Source, BTreeSet<Source>> = BTreeMap::new();
    for (to, from) in bits {
        let from = of.names.of_bits(from);
        for array in of.names.of_bits(to) {
            written.entry(array).or_default().extend(from.iter().cloned());
        }
    }
    Flows { written }
}

impl Flows {
    /// The arrays of synapse memory that are written, each with the arrays it is written from and the packets that these
    /// stem from in the end.
    pub fn weights(&self) -> impl Iterator<Item = (&str, &BTreeSet<Source>, BTreeSet<Source>)> {
        self.written.iter().filter_map(|(array, from)| match array {
            Source::Array { space: Space::Synapse, name } => Some((name.as_str(), from, self.origins(array))),
            _ => None,
        })
    }

    /// What an array stems from in the end, arrays left out.
    fn origins(&self, array: &Source) -> BTreeSet<Source> {
        let mut seen: BTreeSet<&Source> = BTreeSet::new();
        let mut waiting = vec![array];
        let mut found = BTreeSet::new();
        while let Some(array) = waiting.pop() {
            if !seen.insert(array) {
                continue;
            }
            for source in self.written.get(array).into_iter().flatten() {
                match source {
                    Source::Array { .. } => waiting.push(source),
                    _ => {
                        found.insert(source.clone());
                    }
                }
            }
        }
        found
    }
}

/// Writes to synapse memory that stem from packets along no edge of the network.
pub(crate) fn foreign(of: &Context, behaviour: &Behaviour, flows: &Flows) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (&(_, address), write) in &behaviour.writes.0 {
        if write.space != Space::Synapse {
            continue;
        }
        let mut origins = BTreeSet::new();
        for source in of.names.of_bits(write.from) {
            match &source {
                Source::Array { .. } => origins.extend(flows.origins(&source)),
                _ => {
                    origins.insert(source);
                }
            }
        }
        let to = of.names.elements(write.space, write.width, write.first, write.last);
        for origin in origins {
            let Source::Undeclared(name) = origin else { continue };
            let array = of.names.of_bits(to).into_iter().next();
            let array = match array {
                Some(Source::Array { name, .. }) => name,
                _ => Space::Synapse.name().to_owned(),
            };
            let from = format!("what `{name}` sends, to which the network has no edge from there");
            problems.push(Problem { address, reason: Reason::Foreign { array, from } });
        }
    }
    problems.sort();
    problems.dedup();
    problems
}
