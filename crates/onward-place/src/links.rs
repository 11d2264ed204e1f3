//! Congestion: packets over every link, kept up to date move by move.
//!
//! What is brought down is the sum of the squares of the links' loads: it is smallest when few links are crossed and all of
//! them equally often, and unlike the busiest link alone it tells of every move whether it helps.

use crate::Problem;
use crate::groups::{Group, Groups, Place};
use crate::model::{Model, Move};
use std::collections::BTreeSet;

/// All packets in a unit of time are scaled to about so many, so that squares add up within 64 bits.
const SCALE: u64 = 1 << 18;

/// Sum of the squares of the loads of links.
pub(crate) struct Loads<'a> {
    problem: &'a Problem,
    groups: Groups,
    cores: Vec<u32>,
    /// Links out of each tile to the north, east, south, west.
    loads: Vec<u64>,
    cost: u64,
}

impl<'a> Loads<'a> {
    /// The cost of a placement.
    pub fn new(problem: &'a Problem, cores: &[u32]) -> Self {
        let all: u64 = problem.senders.iter().map(|sender| sender.packets).sum();
        let scaled = |packets| (u128::from(packets) * u128::from(SCALE) / u128::from(all)) as u64;
        let mut loads = Loads {
            problem,
            groups: Groups::new(problem, |packets| scaled(packets).max(1)),
            cores: cores.to_vec(),
            loads: vec![0; problem.tiles() as usize * 4],
            cost: 0,
        };
        for group in 0..loads.groups.groups.len() as u32 {
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
        let Loads { problem, groups, cores, loads, cost } = self;
        let group = &groups.groups[group as usize];
        let mut put = |x: u32, y: u32, direction: usize, packets: u64| {
            let load = &mut loads[(y * problem.width() + x) as usize * 4 + direction];
            *cost -= *load * *load;
            *load = if ADD { *load + packets } else { *load - packets };
            *cost += *load * *load;
        };
        // Packets by the row of their sender.
        let mut rows = vec![0; problem.height() as usize];
        for &(from, packets) in &group.senders {
            rows[problem.at(from, cores).1 as usize] += packets;
        }
        for round in group.rounds(problem, cores) {
            if problem.is_torus() {
                round_the_torus(problem, (group, cores), &rows, &round, &mut put);
                continue;
            }
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

/// The links of a flit on a torus, where the way to a taker depends on where the sender is.
fn round_the_torus(
    problem: &Problem,
    (group, cores): (&Group, &[u32]),
    rows: &[u64],
    round: &[Place],
    put: &mut impl FnMut(u32, u32, usize, u64),
) {
    let (width, height) = (problem.width(), problem.height());
    for &(from, packets) in &group.senders {
        let (x, y) = problem.at(from, cores);
        let (east, west) = problem.furthest(x, round.iter().map(|&((x, _), _)| x), width);
        (0..east).for_each(|step| put((x + step) % width, y, 1, packets));
        (0..west).for_each(|step| put((x + width - step) % width, y, 3, packets));
    }
    for column in round.chunk_by(|((x, _), _), ((next, _), _)| x == next) {
        let x = column[0].0.0;
        for (y, &packets) in (0..).zip(rows).filter(|&(_, &packets)| packets > 0) {
            let (south, north) = problem.furthest(y, column.iter().map(|&((_, y), _)| y), height);
            (0..south).for_each(|step| put(x, (y + step) % height, 2, packets));
            (0..north).for_each(|step| put(x, (y + height - step) % height, 0, packets));
        }
    }
}

impl Model for Loads<'_> {
    fn cost(&self) -> u64 {
        self.cost
    }

    fn shift(&mut self, moves: &[Move]) {
        let groups = moves.iter().flat_map(|moved| &self.groups.of_block[moved.block as usize]);
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
            let Group { takers, senders } = &self.groups.groups[group as usize];
            let (takers, senders) = (takers.len() as u64, senders.len() as u64);
            let rows = if self.problem.is_torus() { senders.min(u64::from(self.problem.height())) } else { 1 };
            let ways = if self.problem.is_torus() { takers * (senders + rows) } else { 0 };
            span * (senders + rows * takers.min(u64::from(self.problem.width()))) + ways
        };
        self.groups.of_block.iter().flatten().map(group).sum()
    }
}
