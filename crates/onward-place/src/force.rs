//! Swaps of neighbours by tension, after Jin, Xing, Li, Deng, He, Pan, "Mapping Very Large Scale Spiking Neuron Network to
//! Neuromorphic Hardware", ASPLOS 2023 (doi:10.1145/3582016.3582038).
//!
//! Each connection between two clusters, here the contents of two cores, pulls with a force that is the gradient of a
//! potential of their distance. The tension of two neighbouring cores is the energy that is set free if they swap. In each
//! iteration the pairs with positive tension are put in order, the highest first, and the first part of them is swapped as
//! far as their tension is still positive; the energy falls with every swap, so it ends, when no tension is left. How
//! large that part is, and the two potentials, are our choice.

use crate::Problem;
use crate::pairs::Pairs;
use crate::problem::Party;

/// The part of the pairs under tension that is swapped before tensions are looked at anew.
const PART: (usize, usize) = (3, 10);

/// Energy of a connection by its distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Potential {
    /// |dx| + |dy|: packet-hops, were every taker sent a packet of its own.
    Distance,
    /// dx^2 + dy^2: long connections count more.
    Square,
}

impl Potential {
    fn of(self, problem: &Problem, a: (u32, u32), b: (u32, u32)) -> i64 {
        let (x, y) = problem.apart(a, b);
        let (x, y) = (i64::from(x), i64::from(y));
        match self {
            Potential::Distance => x + y,
            Potential::Square => x * x + y * y,
        }
    }
}

struct Field<'a> {
    problem: &'a Problem,
    pairs: &'a Pairs,
    potential: Potential,
    cores: Vec<u32>,
    held: Vec<Vec<u32>>,
}

impl Field<'_> {
    /// Energy set free if what is on `from` went to the neighbour `to`, and what is there stayed.
    fn pull(&self, from: u32, to: u32) -> i64 {
        let tile = |core: u32| self.problem.coordinates(core / self.problem.cores_per_tile());
        let (here, there) = (tile(from), tile(to));
        let partners = self.held[from as usize].iter().flat_map(|&block| &self.pairs.partners[block as usize]);
        // Those that go along, and those that come the other way, are as far as before.
        let stays = |&&(party, _): &&(Party, u64)| match party {
            Party::Block(block) => ![from, to].contains(&self.cores[block as usize]),
            Party::Fixed(_) => true,
        };
        let energy = |a, b| self.potential.of(self.problem, a, b);
        let pulls = partners.filter(stays).map(|&(party, packets)| {
            let at = self.problem.at(party, &self.cores);
            packets as i64 * (energy(here, at) - energy(there, at))
        });
        pulls.sum()
    }

    fn tension(&self, (a, b): (u32, u32)) -> i64 {
        self.pull(a, b) + self.pull(b, a)
    }

    fn swap(&mut self, (a, b): (u32, u32)) {
        self.held.swap(a as usize, b as usize);
        for core in [a, b] {
            self.held[core as usize].iter().for_each(|&block| self.cores[block as usize] = core);
        }
    }
}

/// Swaps neighbours until no pair is under tension.
pub(crate) fn relax(problem: &Problem, pairs: &Pairs, cores: &[u32], potential: Potential) -> Vec<u32> {
    let mut field = Field { problem, pairs, potential, cores: cores.to_vec(), held: crate::held(problem, cores) };
    let neighbours = neighbours(problem);
    loop {
        let mut tense: Vec<(i64, (u32, u32))> =
            neighbours.iter().map(|&pair| (field.tension(pair), pair)).filter(|&(tension, _)| tension > 0).collect();
        if tense.is_empty() {
            return field.cores;
        }
        tense.sort_unstable_by_key(|&(tension, pair)| (-tension, pair));
        tense.truncate((tense.len() * PART.0).div_ceil(PART.1));
        for (_, pair) in tense {
            if field.tension(pair) > 0 {
                field.swap(pair);
            }
        }
    }
}

/// Cores of neighbouring tiles, in pairs.
fn neighbours(problem: &Problem) -> Vec<(u32, u32)> {
    let mesh = &problem.mesh;
    // To the east and to the south; a ring of two would be there twice.
    let tiles = (0..problem.tiles()).flat_map(|tile| {
        let pair = |direction, back| {
            let other = mesh.neighbour(tile, direction)?;
            (mesh.neighbour(tile, back) != Some(other) || tile < other).then_some((tile, other))
        };
        [pair(1, 3), pair(2, 0)].into_iter().flatten()
    });
    let each = problem.cores_per_tile();
    let cores = |(a, b): (u32, u32)| (0..each * each).map(move |at| (a * each + at / each, b * each + at % each));
    tiles.flat_map(cores).filter(|&(a, b)| !mesh.is_dead(a) && !mesh.is_dead(b)).collect()
}
