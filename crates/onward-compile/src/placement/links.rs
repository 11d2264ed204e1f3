//! Congestion: packets over every link, kept up to date move by move.
//!
//! What is brought down is the sum of the squares of the links' loads: it is smallest when few links are crossed and all of
//! them equally often, and unlike the busiest link alone it tells of every move whether it helps.

use super::Problem;
use super::model::{Model, Move};
use super::problem::Party;
use std::collections::{BTreeMap, BTreeSet};

/// All packets in a unit of time are scaled to about so many, so that squares add up within 64 bits.
const SCALE: u64 = 1 << 18;

/// Sum of the squares of the loads of links.
pub(super) struct Loads<'a> {
    problem: &'a Problem,
    groups: Vec<Group>,
    /// By block: groups it sends in or takes from.
    of_block: Vec<Vec<u32>>,
    cores: Vec<u32>,
    /// Links out of each tile to the north, east, south, west.
    loads: Vec<u64>,
    cost: u64,
}

/// Senders with the same takers.
struct Group {
    takers: Vec<Party>,
    senders: Vec<(Party, u64)>,
}

impl<'a> Loads<'a> {
    /// The cost of a placement.
    pub fn new(problem: &'a Problem, cores: &[u32]) -> Self {
        let all: u64 = problem.senders.iter().map(|sender| sender.packets).sum();
        let mut known: BTreeMap<Vec<Party>, Vec<(Party, u64)>> = BTreeMap::new();
        for sender in problem.senders.iter().filter(|sender| sender.packets > 0) {
            let mut takers = sender.takers.clone();
            takers.sort_unstable();
            let scaled = u128::from(sender.packets) * u128::from(SCALE) / u128::from(all);
            known.entry(takers).or_default().push((sender.from, (scaled as u64).max(1)));
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
        let mut loads = Loads {
            problem,
            groups,
            of_block: of_block.into_iter().map(|groups| groups.into_iter().collect()).collect(),
            cores: cores.to_vec(),
            loads: vec![0; problem.tiles() as usize * 4],
            cost: 0,
        };
        for group in 0..loads.groups.len() as u32 {
            loads.count::<true>(group);
        }
        loads
    }

    /// Load of the link that has most.
    #[cfg(test)]
    pub fn busiest(&self) -> u64 {
        self.loads.iter().copied().max().unwrap_or(0)
    }

    /// Loads of all links together.
    #[cfg(test)]
    pub fn total(&self) -> u64 {
        self.loads.iter().sum()
    }

    /// Adds a group's packets to the links it uses, or takes them off.
    fn count<const ADD: bool>(&mut self, group: u32) {
        let Loads { problem, groups, cores, loads, cost, .. } = self;
        let group = &groups[group as usize];
        let mut put = |x: u32, y: u32, direction: usize, packets: u64| {
            let load = &mut loads[(y * problem.width() + x) as usize * 4 + direction];
            *cost -= *load * *load;
            *load = if ADD { *load + packets } else { *load - packets };
            *cost += *load * *load;
        };
        let place = |&taker: &Party| match taker {
            Party::Block(block) => (problem.at(taker, cores), Some(cores[block as usize])),
            Party::Fixed(_) => (problem.at(taker, cores), None),
        };
        let mut places: Vec<_> = group.takers.iter().map(place).collect();
        places.sort_unstable();
        // Packets by the row of their sender.
        let mut rows = vec![0; problem.height() as usize];
        for &(from, packets) in &group.senders {
            rows[problem.at(from, cores).1 as usize] += packets;
        }
        while !places.is_empty() {
            // A core that is there several times waits for the next flit.
            let (mut round, mut again) = (Vec::new(), Vec::new());
            for place in places {
                if round.last() == Some(&place) { again.push(place) } else { round.push(place) }
            }
            places = again;
            let points = || round.iter().map(|&(at, _)| at);
            let first = points().map(|(x, _)| x).min().unwrap_or(0);
            let last = points().map(|(x, _)| x).max().unwrap_or(0);
            for &(from, packets) in &group.senders {
                let (x, y) = problem.at(from, cores);
                (x..last).for_each(|x| put(x, y, 1, packets));
                (first + 1..=x).for_each(|x| put(x, y, 3, packets));
            }
            // Places are in order: of a column the first is northernmost, the last southernmost.
            for column in round.chunk_by(|((x, _), _), ((next, _), _)| x == next) {
                let ((x, first), _) = column[0];
                let ((_, last), _) = column[column.len() - 1];
                let mut above = 0;
                for y in 0..last {
                    above += rows[y as usize];
                    put(x, y, 2, above);
                }
                let mut below = 0;
                for y in (first + 1..problem.height()).rev() {
                    below += rows[y as usize];
                    put(x, y, 0, below);
                }
            }
        }
    }
}

impl Model for Loads<'_> {
    fn cost(&self) -> u64 {
        self.cost
    }

    fn shift(&mut self, moves: &[Move]) {
        let groups = moves.iter().flat_map(|moved| &self.of_block[moved.block as usize]);
        let groups: BTreeSet<u32> = groups.copied().collect();
        groups.iter().for_each(|&group| self.count::<false>(group));
        for moved in moves {
            self.cores[moved.block as usize] = moved.to;
        }
        groups.iter().for_each(|&group| self.count::<true>(group));
    }

    fn work(&self) -> u64 {
        // Each group that is touched is counted anew.
        let span = u64::from(self.problem.width() + self.problem.height());
        let group = |&group: &u32| {
            let Group { takers, senders } = &self.groups[group as usize];
            span * (senders.len() as u64 + (takers.len() as u64).min(u64::from(self.problem.width())))
        };
        self.of_block.iter().flatten().map(group).sum()
    }
}
