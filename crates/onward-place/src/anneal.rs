//! Simulated annealing with the schedule of VPR (Betz, Rose, Marquardt, "Architecture and CAD for Deep-Submicron FPGAs",
//! 1999, section 3.2): the start temperature follows from how much random moves cost, cooling is slow while about 44 % of
//! the moves are accepted, and the distance that blocks move is narrowed to keep it so.

use crate::Problem;
use crate::model::{Model, Move};
use crate::pairs::Pairs;
use crate::problem::Party;
use crate::random::{Random, exp_of_minus};

/// How hard to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Effort {
    /// Moves in all, about.
    pub moves: u64,
    /// Whether to begin hot, so that nothing of the start is left, or cool, so that it is only refined.
    pub hot: bool,
}

/// Temperatures between start and end, about: for shares of the moves.
const TEMPERATURES: u64 = 200;

struct Annealer<'a, M> {
    problem: &'a Problem,
    pairs: &'a Pairs,
    model: M,
    cores: Vec<u32>,
    held: Vec<Vec<u32>>,
    /// Blocks a core holds at most.
    most: usize,
    /// How long a core computes at most: as long as the busiest at the start.
    longest: u64,
    random: Random,
}

/// What came of a number of moves.
#[derive(Default)]
struct Tried {
    accepted: u64,
    moves: u64,
}

impl<M: Model> Annealer<'_, M> {
    /// A core no further than `reach` columns and rows from a tile.
    fn near(&mut self, tile: u32, reach: u32) -> u32 {
        let (x, y) = self.problem.coordinates(tile);
        let (columns, rows) = (self.problem.width(), self.problem.height());
        // On a torus the window goes on beyond the edge; nowhere is it larger than the mesh.
        let window = |at: u32, length: u32| match self.problem.is_torus() {
            true => ((at + length - reach.min(length / 2)) % length, (2 * reach + 1).min(length)),
            false => (at.saturating_sub(reach), (at + reach).min(length - 1) - at.saturating_sub(reach) + 1),
        };
        let ((west, width), (north, height)) = (window(x, columns), window(y, rows));
        let each = self.problem.cores_per_tile();
        let at = self.random.below(width * height * each);
        let (tile, core) = (at / each, at % each);
        ((north + tile / width) % rows * columns + (west + tile % width) % columns) * each + core
    }

    /// Where a block might go: near where it is or, now and then, near someone it exchanges packets with.
    fn target(&mut self, block: u32, reach: u32) -> u32 {
        let partners = &self.pairs.partners[block as usize];
        let (near, reach) = if partners.is_empty() || self.random.below(8) > 0 {
            (Party::Block(block), reach)
        } else {
            (partners[self.random.below(partners.len() as u32) as usize].0, reach.min(2))
        };
        self.near(self.problem.tile_of(near, &self.cores), reach)
    }

    /// Moves a block, and perhaps another one back, if they have room.
    fn propose(&mut self, reach: u32) -> Option<([Move; 2], usize)> {
        let block = self.random.below(self.cores.len() as u32);
        let (from, to) = (self.cores[block as usize], self.target(block, reach));
        if from == to || self.problem.mesh.is_dead(to) {
            return None;
        }
        let there = &self.held[to as usize];
        let mut moves = [Move { block, from, to }; 2];
        let mut count = 1;
        // A place of the core: one that is taken means a swap.
        let place = if self.most == 1 { 0 } else { self.random.below(self.most as u32) as usize };
        if let Some(&other) = there.get(place) {
            moves[1] = Move { block: other, from: to, to: from };
            count = 2;
        }
        if self.most > 1 && !self.has_room(&moves[..count]) {
            return None;
        }
        Some((moves, count))
    }

    fn has_room(&self, moves: &[Move]) -> bool {
        let after = |core: u32| {
            let stay = self.held[core as usize].iter().filter(|&&block| moves.iter().all(|moved| moved.block != block));
            let come = moves.iter().filter(|moved| moved.to == core).map(|moved| &moved.block);
            stay.chain(come).copied().collect::<Vec<u32>>()
        };
        [moves[0].from, moves[0].to].into_iter().all(|core| {
            let blocks = after(core);
            blocks.len() <= self.most && self.problem.work(&blocks) <= self.longest && self.problem.fits(&blocks)
        })
    }

    /// Notes that blocks moved.
    fn settle(&mut self, moves: &[Move]) {
        for &Move { block, from, to } in moves {
            self.cores[block as usize] = to;
            self.held[from as usize].retain(|&held| held != block);
            self.held[to as usize].push(block);
        }
    }

    /// Tries moves at a temperature.
    fn run(&mut self, moves: u64, reach: u32, temperature: f64) -> Tried {
        let mut tried = Tried { moves, ..Tried::default() };
        for _ in 0..moves {
            let Some((proposed, count)) = self.propose(reach) else { continue };
            let proposed = &proposed[..count];
            let before = self.model.cost();
            self.model.shift(proposed);
            let after = self.model.cost();
            let accepted = after <= before
                || temperature > 0.0 && self.random.fraction() < exp_of_minus((after - before) as f64 / temperature);
            if accepted {
                tried.accepted += 1;
                self.settle(proposed);
            } else {
                let back = [proposed[0].back(), proposed[count - 1].back()];
                self.model.shift(&back[..count]);
            }
        }
        tried
    }

    /// The standard deviation of what moves change, all of them undone.
    fn spread(&mut self, reach: u32) -> f64 {
        let (mut sum, mut squares, mut moves) = (0.0, 0.0, 0.0);
        let before = self.model.cost() as f64;
        for _ in 0..self.cores.len().clamp(50, 2000) {
            let Some((proposed, count)) = self.propose(reach) else { continue };
            self.model.shift(&proposed[..count]);
            let change = self.model.cost() as f64 - before;
            let back = [proposed[0].back(), proposed[count - 1].back()];
            self.model.shift(&back[..count]);
            (sum, squares, moves) = (sum + change, squares + change * change, moves + 1.0);
        }
        if moves == 0.0 { 0.0 } else { (squares / moves - (sum / moves) * (sum / moves)).max(0.0).sqrt() }
    }
}

/// Anneals from a placement; returns the best that was seen.
pub(crate) fn anneal<M: Model>(
    problem: &Problem,
    pairs: &Pairs,
    (start, most): (&[u32], usize),
    model: M,
    (effort, seed): (Effort, u64),
) -> Vec<u32> {
    let mut best = (model.cost(), start.to_vec());
    let blocks = start.len();
    if blocks == 0 || problem.cores() < 2 {
        return best.1;
    }
    let held = crate::held(problem, start);
    let mut annealer = Annealer {
        problem,
        pairs,
        model,
        cores: start.to_vec(),
        longest: held.iter().map(|blocks| problem.work(blocks)).max().unwrap_or(0),
        held,
        most,
        random: Random::new(seed),
    };
    let longest = (problem.width().max(problem.height()) - 1).max(1);
    let mut reach = if effort.hot { f64::from(longest) } else { f64::from(longest.min(3)) };
    let moves = (effort.moves / TEMPERATURES).max(64);
    let mut temperature = annealer.spread(reach as u32) * if effort.hot { 2.0 } else { 0.05 };
    let end = |cost: u64| 0.005 * cost as f64 / (blocks as f64 * 8.0);
    let mut left = effort.moves;
    while temperature > end(annealer.model.cost()) && left >= moves {
        let tried = annealer.run(moves, reach as u32, temperature);
        left -= moves;
        if annealer.model.cost() < best.0 {
            best = (annealer.model.cost(), annealer.cores.clone());
        }
        let rate = tried.accepted as f64 / tried.moves as f64;
        temperature *= match rate {
            _ if rate > 0.96 => 0.5,
            _ if rate > 0.8 => 0.9,
            _ if rate > 0.15 || reach > 1.5 => 0.95,
            _ => 0.8,
        };
        reach = (reach * (1.0 - 0.44 + rate)).clamp(1.0, f64::from(longest));
    }
    annealer.run(2 * moves, 2.min(longest), 0.0);
    if annealer.model.cost() < best.0 {
        return annealer.cores;
    }
    best.1
}
