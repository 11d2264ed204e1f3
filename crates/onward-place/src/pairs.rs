//! The same traffic as a graph of pairs: packets from each sender to each taker on its own.

use crate::Problem;
use crate::model::{Model, Move};
use crate::problem::Party;
use std::collections::BTreeMap;

/// Who exchanges packets with whom, and how many.
pub(crate) struct Pairs {
    /// By block: partners, and packets both ways.
    pub partners: Vec<Vec<(Party, u64)>>,
}

impl Pairs {
    /// The pairs of a problem.
    pub fn new(problem: &Problem) -> Self {
        let mut partners = vec![BTreeMap::new(); problem.blocks.len()];
        for sender in &problem.senders {
            for &taker in sender.takers.iter().filter(|&&taker| taker != sender.from) {
                for (one, other) in [(sender.from, taker), (taker, sender.from)] {
                    if let Party::Block(block) = one {
                        *partners[block as usize].entry(other).or_insert(0) += sender.packets;
                    }
                }
            }
        }
        Pairs { partners: partners.into_iter().map(|partners| partners.into_iter().collect()).collect() }
    }
}

/// Links on the way from sender to taker, summed over deliveries: their mean, but for a factor.
pub(crate) struct Paths<'a> {
    problem: &'a Problem,
    pairs: Pairs,
    cores: Vec<u32>,
    cost: u64,
}

impl<'a> Paths<'a> {
    /// The cost of a placement.
    pub fn new(problem: &'a Problem, cores: &[u32]) -> Self {
        let deliveries = problem.senders.iter().flat_map(|sender| {
            sender.takers.iter().map(|&taker| {
                sender.packets * problem.distance(problem.at(sender.from, cores), problem.at(taker, cores))
            })
        });
        let cost = deliveries.sum();
        Paths { problem, pairs: Pairs::new(problem), cores: cores.to_vec(), cost }
    }

    /// What a block on a core adds.
    fn of(&self, block: u32, core: u32) -> u64 {
        let at = self.problem.coordinates(core / self.problem.cores_per_tile());
        let partners = self.pairs.partners[block as usize].iter();
        partners.map(|&(party, packets)| packets * self.problem.distance(at, self.problem.at(party, &self.cores))).sum()
    }
}

impl Model for Paths<'_> {
    fn cost(&self) -> u64 {
        self.cost
    }

    fn shift(&mut self, moves: &[Move]) {
        for &Move { block, from, to } in moves {
            self.cost = self.cost - self.of(block, from) + self.of(block, to);
            self.cores[block as usize] = to;
        }
    }

    fn work(&self) -> u64 {
        self.pairs.partners.iter().map(Vec::len).sum::<usize>() as u64
    }
}
