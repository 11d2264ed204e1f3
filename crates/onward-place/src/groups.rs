//! Senders with the same takers, for costs that are counted anew for each such group that a move touches.

use crate::Problem;
use crate::problem::Party;
use std::collections::{BTreeMap, BTreeSet};

/// Groups, and who is in them.
pub(crate) struct Groups {
    pub groups: Vec<Group>,
    /// By block: groups it sends in or takes from.
    pub of_block: Vec<Vec<u32>>,
}

/// Senders with the same takers.
pub(crate) struct Group {
    pub takers: Vec<Party>,
    pub senders: Vec<(Party, u64)>,
}

/// Where a taker is: column and row, and which core there.
pub(crate) type Place = ((u32, u32), Option<u32>);

impl Groups {
    /// The groups of a problem, with packets as `packets` makes them of a sender's.
    pub fn new(problem: &Problem, packets: impl Fn(u64) -> u64) -> Self {
        let mut known: BTreeMap<Vec<Party>, Vec<(Party, u64)>> = BTreeMap::new();
        for sender in problem.senders.iter().filter(|sender| sender.packets > 0) {
            let mut takers = sender.takers.clone();
            takers.sort_unstable();
            known.entry(takers).or_default().push((sender.from, packets(sender.packets)));
        }
        let groups: Vec<Group> = known.into_iter().map(|(takers, senders)| Group { takers, senders }).collect();
        let mut of_block = vec![BTreeSet::new(); problem.blocks.len()];
        for (number, group) in (0..).zip(&groups) {
            for &party in group.takers.iter().chain(group.senders.iter().map(|(party, _)| party)) {
                if let Party::Block(block) = party {
                    of_block[block as usize].insert(number);
                }
            }
        }
        let of_block = of_block.into_iter().map(|groups| groups.into_iter().collect()).collect();
        Groups { groups, of_block }
    }
}

impl Group {
    /// Its takers, a list for each flit of a packet, in order of columns and then rows: a core that is there several times
    /// waits for the next flit.
    pub fn rounds(&self, problem: &Problem, cores: &[u32]) -> Vec<Vec<Place>> {
        let place = |&taker: &Party| match taker {
            Party::Block(block) => (problem.at(taker, cores), Some(cores[block as usize])),
            Party::Fixed(_) => (problem.at(taker, cores), None),
        };
        let mut places: Vec<_> = self.takers.iter().map(place).collect();
        places.sort_unstable();
        let mut rounds = Vec::new();
        while !places.is_empty() {
            let (mut round, mut again) = (Vec::new(), Vec::new());
            for place in places {
                if round.last() == Some(&place) { again.push(place) } else { round.push(place) }
            }
            rounds.push(round);
            places = again;
        }
        rounds
    }
}
