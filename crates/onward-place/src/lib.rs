//! Placement: which block lives on which core.
//!
//! A [`Problem`] is free of networks, programs and images: blocks, who sends how many packets to whom, a mesh. [`solve`] places
//! it by a [`Strategy`] and for an [`Objective`]; [`Problem::measure`] says what a placement costs, link by link. The same problem, strategy, objective and seed give the same placement on every
//! machine.
//!
//! ```
//! use onward_chip::Chip;
//! use onward_place::{BlockNeeds, CoreRoom, Objective, Party, Prices, Problem, Sender, Strategy, solve};
//!
//! // The host sends to block 0, block 0 to block 1.
//! let sender = |from, taker| Sender { from, takers: vec![Party::Block(taker)], packets: 10 };
//! let problem = Problem {
//!     mesh: Chip::builtin("middle").unwrap().mesh,
//!     host: 0,
//!     prices: Prices { link: 1, flit: 1 },
//!     core: CoreRoom::default(),
//!     blocks: vec![BlockNeeds::default(); 2],
//!     senders: vec![sender(Party::Fixed(0), 0), sender(Party::Block(0), 1)],
//! };
//! let cores = solve(&problem, Strategy::default(), Objective::Hops, 1).unwrap();
//! assert_eq!(problem.measure(&cores).packet_hops, 10); // block 0 at the host's router, block 1 beside it
//! ```

mod anneal;
mod curve;
mod force;
mod groups;
mod links;
mod model;
mod multicast;
mod pack;
mod pairs;
mod problem;
mod random;
mod rings;
#[cfg(test)]
mod tests;

pub use pack::NoRoom;
pub use problem::{BlockNeeds, CoreRoom, Measures, Party, Prices, Problem, Sender};

use anneal::{Effort, anneal};
use force::{Potential, relax};
use links::Loads;
use model::Model;
use multicast::Multicast;
use pack::{Packed, pack};
use pairs::{Pairs, Paths};
use rings::Rings;

/// How blocks find their cores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// In the order of their numbers, row by row.
    RowMajor,
    /// In the order of their numbers, along a Hilbert curve from the host's port.
    Hilbert,
    /// Along the curve, then neighbours swap until no pair gains: Jin et al., ASPLOS 2023.
    ForceDirected,
    /// All of these and more orders, and from the best of them simulated annealing on the true cost.
    #[default]
    Annealed,
}

/// What a placement is to bring down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Objective {
    /// Links that packets cross, those from cores into the mesh included.
    #[default]
    Hops,
    /// Energy of packets in the mesh: links crossed and flits sent, each at its price.
    Energy,
    /// Links from sender to taker, on average over deliveries.
    Latency,
    /// Packets over busy links: the sum of the squares of the links' loads.
    Congestion,
}

impl Strategy {
    /// Every strategy, the plainest first.
    pub const ALL: [Strategy; 4] = [Strategy::RowMajor, Strategy::Hilbert, Strategy::ForceDirected, Strategy::Annealed];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Strategy::RowMajor => "row-major",
            Strategy::Hilbert => "hilbert",
            Strategy::ForceDirected => "force-directed",
            Strategy::Annealed => "annealed",
        }
    }
}

impl Objective {
    /// Every objective.
    pub const ALL: [Objective; 4] = [Objective::Hops, Objective::Energy, Objective::Latency, Objective::Congestion];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Objective::Hops => "hops",
            Objective::Energy => "energy",
            Objective::Latency => "latency",
            Objective::Congestion => "congestion",
        }
    }

    /// What it says of blocks on these cores; less is better.
    pub fn cost(self, problem: &Problem, cores: &[u32]) -> u64 {
        match self {
            Objective::Hops | Objective::Energy if problem.is_torus() => {
                Rings::new(problem, cores, self.prices(problem)).cost()
            }
            Objective::Hops | Objective::Energy => Multicast::new(problem, cores, self.prices(problem)).cost(),
            Objective::Latency => Paths::new(problem, cores).cost(),
            Objective::Congestion => Loads::new(problem, cores).cost(),
        }
    }

    fn prices(self, problem: &Problem) -> Prices {
        if self == Objective::Energy { problem.prices } else { Prices { link: 1, flit: 1 } }
    }
}

/// Places a problem: the core of each block, by the blocks' numbers. Every strategy keeps what a core has room for
/// ([`Problem::fits`]), and gives each block a core of its own as long as there are as many cores as blocks.
///
/// `seed` draws the moves of [`Strategy::Annealed`]; the other strategies do not look at it.
///
/// # Errors
/// A block that no core has room for, be it alone or beside those that were placed before it.
///
/// # Panics
/// If a sender or a taker is none of the problem's blocks or tiles, or a block says fewer amounts than a core has.
pub fn solve(problem: &Problem, strategy: Strategy, objective: Objective, seed: u64) -> Result<Vec<u32>, NoRoom> {
    let pairs = Pairs::new(problem);
    let search = Search { problem, pairs: &pairs, objective, seed };
    let along_the_curve = search.pack(&curve::along_the_curve(problem))?;
    Ok(match strategy {
        Strategy::RowMajor => search.pack(&curve::row_by_row(problem))?.cores,
        Strategy::Hilbert => along_the_curve.cores,
        Strategy::ForceDirected => search.force_directed(&along_the_curve.cores),
        Strategy::Annealed => search.best_of_all(&along_the_curve)?,
    })
}

/// A problem and what is looked for.
struct Search<'a> {
    problem: &'a Problem,
    pairs: &'a Pairs,
    objective: Objective,
    seed: u64,
}

impl Search<'_> {
    /// Blocks in the order of their numbers, along an order of the tiles.
    fn pack(&self, tiles: &[u32]) -> Result<Packed, NoRoom> {
        let each = self.problem.cores_per_tile();
        let cores: Vec<u32> = tiles
            .iter()
            .flat_map(|tile| tile * each..(tile + 1) * each)
            .filter(|&core| !self.problem.mesh.is_dead(core))
            .collect();
        pack(self.problem, &cores, self.pairs)
    }

    /// Swaps of neighbours in both potentials; the better for the objective.
    fn force_directed(&self, start: &[u32]) -> Vec<u32> {
        let [first, second] =
            [Potential::Distance, Potential::Square].map(|potential| relax(self.problem, self.pairs, start, potential));
        let cost = |cores: &[u32]| self.objective.cost(self.problem, cores);
        if cost(&second) < cost(&first) { second } else { first }
    }

    fn best_of_all(&self, start: &Packed) -> Result<Vec<u32>, NoRoom> {
        let relaxed = self.force_directed(&start.cores);
        let mut best = (self.objective.cost(self.problem, &relaxed), relaxed);
        let width = self.problem.width();
        let bands = (1..=width).take_while(|band| band * band <= width).map(|band| curve::in_bands(self.problem, band));
        for order in [curve::along_the_curve(self.problem), curve::row_by_row(self.problem)].into_iter().chain(bands) {
            self.consider(&mut best, self.pack(&order)?.cores);
        }
        if self.objective == Objective::Congestion {
            // What a move does to the loads of links takes long to tell: packets that cross few links come first.
            let hops = Search { objective: Objective::Hops, ..*self };
            self.consider(&mut best, hops.best_of_all(start)?);
        } else {
            // From scratch, several times where that costs little.
            let restarts = if self.problem.blocks.len() <= SMALL { RESTARTS } else { 1 };
            for seed in (0..restarts).map(|restart| self.seed.wrapping_add(restart)) {
                let found = self.annealed(&best.1, start.most, (true, seed));
                self.consider(&mut best, found);
            }
        }
        // Then from the best there is.
        let found = self.annealed(&best.1, start.most, (false, self.seed));
        self.consider(&mut best, found);
        Ok(best.1)
    }

    /// Keeps what is better.
    fn consider(&self, best: &mut (u64, Vec<u32>), cores: Vec<u32>) {
        let cost = self.objective.cost(self.problem, &cores);
        if cost < best.0 {
            *best = (cost, cores);
        }
    }

    fn annealed(&self, start: &[u32], most: usize, how: (bool, u64)) -> Vec<u32> {
        match self.objective {
            Objective::Hops | Objective::Energy => {
                let prices = self.objective.prices(self.problem);
                if self.problem.is_torus() {
                    self.anneal(start, most, how, Rings::new(self.problem, start, prices))
                } else {
                    self.anneal(start, most, how, Multicast::new(self.problem, start, prices))
                }
            }
            Objective::Latency => self.anneal(start, most, how, Paths::new(self.problem, start)),
            Objective::Congestion => self.anneal(start, most, how, Loads::new(self.problem, start)),
        }
    }

    fn anneal(&self, start: &[u32], most: usize, (hot, seed): (bool, u64), model: impl Model) -> Vec<u32> {
        let all = moves(self.problem, &model);
        let effort = Effort { moves: if hot { all } else { all / 4 }, hot };
        anneal(self.problem, self.pairs, (start, most), model, (effort, seed))
    }
}

/// Up to so many blocks, several tries cost little and find more.
const SMALL: usize = 256;
/// How many tries.
const RESTARTS: u64 = 4;

/// How many moves a problem is worth: as in VPR, the 4/3rd power of the blocks at each of some 110 temperatures; but no
/// more than take some seconds.
fn moves(problem: &Problem, model: &impl Model) -> u64 {
    let blocks = problem.blocks.len().max(1) as u64;
    let cube_root = (1..=blocks).take_while(|root| root * root * root <= blocks).last().unwrap_or(1);
    let wanted = (110 * 7 * blocks * cube_root).max(20_000);
    wanted.min(MOST_WORK * blocks / model.work().max(1))
}

/// What may be looked at in all: some ten seconds.
const MOST_WORK: u64 = 90_000_000;

/// Blocks by core.
fn held(problem: &Problem, cores: &[u32]) -> Vec<Vec<u32>> {
    let mut held = vec![Vec::new(); problem.cores() as usize];
    for (block, &core) in (0..).zip(cores) {
        held[core as usize].push(block);
    }
    held
}
