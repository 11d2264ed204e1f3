//! Packet-hops on a torus.
//!
//! A tree is the row of its sender as far as the furthest column of a taker each way round, and each such column likewise.
//! Which way that is depends on where the sender is, so the sums over senders of [`crate::multicast`] do not hold: each
//! group of senders that a move touches is counted anew, by columns and rows of its senders.

use crate::Problem;
use crate::groups::{Group, Groups};
use crate::model::{Model, Move};
use crate::problem::Prices;
use std::collections::BTreeSet;

/// Cost of packets along multicast trees, on a mesh of any topology.
pub(crate) struct Rings<'a> {
    problem: &'a Problem,
    prices: Prices,
    groups: Groups,
    cores: Vec<u32>,
    /// By group.
    costs: Vec<u64>,
    cost: u64,
}

impl<'a> Rings<'a> {
    /// The cost of a placement.
    pub fn new(problem: &'a Problem, cores: &[u32], prices: Prices) -> Self {
        let groups = Groups::new(problem, |packets| packets);
        let costs: Vec<u64> = groups.groups.iter().map(|group| count(problem, prices, group, cores)).collect();
        let cost = costs.iter().sum();
        Rings { problem, prices, groups, cores: cores.to_vec(), costs, cost }
    }
}

/// What a group's packets cost.
fn count(problem: &Problem, prices: Prices, group: &Group, cores: &[u32]) -> u64 {
    let (mut columns, mut rows) = (vec![0; problem.width() as usize], vec![0; problem.height() as usize]);
    for &(from, packets) in &group.senders {
        let (x, y) = problem.at(from, cores);
        columns[x as usize] += packets;
        rows[y as usize] += packets;
    }
    let all: u64 = columns.iter().sum();
    // Links of a row or column, with the packets at each place of it.
    let links = |packets: &[u64], takers: &[u32]| {
        let length = packets.len() as u32;
        let senders = (0..).zip(packets).filter(|&(_, &packets)| packets > 0);
        let each = senders.map(|(at, &packets)| {
            let (up, down) = problem.furthest(at, takers.iter().copied(), length);
            packets * u64::from(up + down)
        });
        each.sum::<u64>()
    };
    let mut cost = 0;
    for round in group.rounds(problem, cores) {
        // Places are in order, column by column.
        let by_column = || round.chunk_by(|((x, _), _), ((next, _), _)| x == next);
        let taken: Vec<u32> = by_column().map(|column| column[0].0.0).collect();
        let mut hops = links(&columns, &taken);
        for column in by_column() {
            let taken: Vec<u32> = column.iter().map(|&((_, y), _)| y).collect();
            hops += links(&rows, &taken);
        }
        cost += hops * u64::from(prices.link) + all * u64::from(prices.flit);
    }
    cost
}

impl Model for Rings<'_> {
    fn cost(&self) -> u64 {
        self.cost
    }

    fn shift(&mut self, moves: &[Move]) {
        for moved in moves {
            self.cores[moved.block as usize] = moved.to;
        }
        let groups = moves.iter().flat_map(|moved| &self.groups.of_block[moved.block as usize]);
        for &group in &groups.copied().collect::<BTreeSet<u32>>() {
            let cost = count(self.problem, self.prices, &self.groups.groups[group as usize], &self.cores);
            let before = std::mem::replace(&mut self.costs[group as usize], cost);
            self.cost = self.cost - before + cost;
        }
    }

    fn work(&self) -> u64 {
        // A pass over the takers for each row with senders, and over their columns for each column with senders.
        let (width, height) = (u64::from(self.problem.width()), u64::from(self.problem.height()));
        let group = |&group: &u32| {
            let Group { takers, senders } = &self.groups.groups[group as usize];
            let (takers, senders) = (takers.len() as u64, senders.len() as u64);
            senders + takers * (4 + senders.min(height)) + takers.min(width) * senders.min(width)
        };
        self.groups.of_block.iter().flatten().map(group).sum()
    }
}
