//! Packet-hops of a placement, kept up to date move by move.
//!
//! Senders with the same takers form a group. The tree of dimension-ordered paths from a sender at (sx, sy) is its row,
//! from the westernmost to the easternmost of itself and the takers' columns, and in each column with takers the rows from
//! the northernmost to the southernmost of sy and the takers. So its links number
//!
//! ```text
//! max(sx, X1) - min(sx, X0)  +  sum over columns c with takers of  max(sy, Y1[c]) - min(sy, Y0[c])
//! ```
//!
//! which is a sum of terms in one coordinate of the sender each. Summed over the senders of a group, a term depends on two
//! ends alone, with tables of how much packet weight lies how far beyond each end ([`Axis`]): a taker that moves changes a
//! few terms in constant time, however many senders and takers there are; a sender that moves costs a pass over the
//! columns.

use crate::Problem;
use crate::model::{Model, Move};
use crate::problem::{Party, Prices};
use std::collections::BTreeMap;

/// Cost of packets along multicast trees.
pub(crate) struct Multicast {
    width: u32,
    cores_per_tile: u32,
    prices: Prices,
    groups: Vec<Group>,
    /// By block: groups it takes from; one that it takes from twice is there twice.
    takes: Vec<Vec<u32>>,
    /// By block: groups it sends in, and packets.
    sends: Vec<Vec<(u32, u64)>>,
    cost: u64,
}

/// Senders with the same takers.
struct Group {
    /// Weight of the senders by column, and by row.
    columns: Axis,
    rows: Axis,
    packets: u64,
    /// Takers by flit: a core with several takers is in several rounds, and if it is in one then in all before it.
    rounds: Vec<Profile>,
    cost: u64,
}

/// Packets by coordinate of their sender.
enum Axis {
    /// One sender.
    One { at: u32, packets: u64 },
    /// Several: packets at each coordinate; and for each coordinate, the packets before (after) it, each times its
    /// distance.
    Many { packets: u64, before: Vec<u64>, after: Vec<u64> },
}

impl Axis {
    /// Sum over the senders of packets times `max(at, end) - min(at, start)`.
    #[inline]
    fn reach(&self, start: u32, end: u32) -> u64 {
        match self {
            Axis::One { at, packets } => packets * u64::from(end.max(*at) - start.min(*at)),
            Axis::Many { packets, before, after } => {
                packets * u64::from(end - start) + before[start as usize] + after[end as usize]
            }
        }
    }

    fn add(&mut self, at: u32, more: u64) {
        match self {
            Axis::One { at: here, packets } => {
                debug_assert_eq!(*packets, 0, "one sender");
                (*here, *packets) = (at, more);
            }
            Axis::Many { packets, before, after } => {
                *packets += more;
                for (end, (before, after)) in (0..).zip(before.iter_mut().zip(after)) {
                    *before += more * u64::from(u32::saturating_sub(end, at));
                    *after += more * u64::from(at.saturating_sub(end));
                }
            }
        }
    }

    fn shift(&mut self, from: u32, to: u32, moved: u64) {
        match self {
            Axis::One { at, .. } => *at = to,
            Axis::Many { before, after, .. } => {
                for (end, (before, after)) in (0..).zip(before.iter_mut().zip(after)) {
                    *before += moved * u64::from(u32::saturating_sub(end, to));
                    *before -= moved * u64::from(u32::saturating_sub(end, from));
                    *after += moved * u64::from(to.saturating_sub(end));
                    *after -= moved * u64::from(from.saturating_sub(end));
                }
            }
        }
    }
}

/// A set of cores: bits for each column of tiles, northernmost first, and which columns have any. Takers that are none of
/// the cores are bits too.
#[derive(Clone)]
struct Profile {
    /// Bits a tile.
    places: u32,
    /// Words a column.
    words: usize,
    bits: Vec<u64>,
    used: [u64; 4],
}

/// Where a taker is: column, row, and which of the places there.
#[derive(Clone, Copy)]
struct Place {
    x: u32,
    y: u32,
    place: u32,
}

impl Profile {
    fn new(width: u32, height: u32, places: u32) -> Self {
        let words = (height * places).div_ceil(64) as usize;
        Profile { places, words, bits: vec![0; words * width as usize], used: [0; 4] }
    }

    /// Word and bit of a place.
    #[inline]
    fn bit(&self, Place { x, y, place }: Place) -> (usize, u32) {
        let bit = y * self.places + place;
        (x as usize * self.words + bit as usize / 64, bit % 64)
    }

    fn has(&self, place: Place) -> bool {
        let (word, bit) = self.bit(place);
        self.bits[word] >> bit & 1 == 1
    }

    fn flip(&mut self, place: Place) {
        let (word, bit) = self.bit(place);
        self.bits[word] ^= 1 << bit;
        let x = place.x;
        let word = &mut self.used[x as usize / 64];
        *word &= !(1 << (x % 64));
        let is_used = self.bits[x as usize * self.words..][..self.words].iter().any(|&bits| bits != 0);
        *word |= u64::from(is_used) << (x % 64);
    }

    /// First and last row with a tile in a column.
    #[inline]
    fn column(&self, x: u32) -> Option<(u32, u32)> {
        let (first, last) = ends(&self.bits[x as usize * self.words..][..self.words])?;
        // One place a tile is the common case, and dividing takes long.
        Some(if self.places == 1 { (first, last) } else { (first / self.places, last / self.places) })
    }

    /// First and last column with a tile.
    #[inline]
    fn columns(&self) -> Option<(u32, u32)> {
        ends(&self.used)
    }
}

/// The lowest and the highest bit that is set.
#[inline]
fn ends(words: &[u64]) -> Option<(u32, u32)> {
    let first = words.iter().position(|&bits| bits != 0)?;
    let last = words.iter().rposition(|&bits| bits != 0)?;
    Some((first as u32 * 64 + words[first].trailing_zeros(), last as u32 * 64 + 63 - words[last].leading_zeros()))
}

impl Group {
    /// Cost of a column of a round, and of the row that leads to it.
    #[inline]
    fn terms(&self, prices: Prices, round: usize, x: u32) -> u64 {
        let profile = &self.rounds[round];
        let Some((first, last)) = profile.columns() else { return 0 };
        let along_column = profile.column(x).map_or(0, |(first, last)| self.rows.reach(first, last));
        (self.columns.reach(first, last) + along_column) * u64::from(prices.link)
            + self.packets * u64::from(prices.flit)
    }

    /// All of it, anew.
    fn count(&self, prices: Prices) -> u64 {
        let round = |profile: &Profile| {
            let Some((first, last)) = profile.columns() else { return 0 };
            let columns = (first..=last).filter_map(|x| profile.column(x));
            let along_columns: u64 = columns.map(|(first, last)| self.rows.reach(first, last)).sum();
            (self.columns.reach(first, last) + along_columns) * u64::from(prices.link)
                + self.packets * u64::from(prices.flit)
        };
        self.rounds.iter().map(round).sum()
    }

    fn flip(&mut self, prices: Prices, round: usize, place: Place) {
        let before = self.terms(prices, round, place.x);
        self.rounds[round].flip(place);
        self.cost = self.cost - before + self.terms(prices, round, place.x);
    }

    fn take_away(&mut self, prices: Prices, place: Place) {
        let last = self.rounds.iter().rposition(|round| round.has(place)).expect("a taker is there before it leaves");
        self.flip(prices, last, place);
    }

    fn put(&mut self, prices: Prices, place: Place) {
        let first = self.rounds.iter().position(|round| !round.has(place)).unwrap_or_else(|| {
            let empty = Profile { bits: vec![0; self.rounds[0].bits.len()], used: [0; 4], ..self.rounds[0] };
            self.rounds.push(empty);
            self.rounds.len() - 1
        });
        self.flip(prices, first, place);
    }
}

impl Multicast {
    /// The cost of a placement.
    pub fn new(problem: &Problem, cores: &[u32], prices: Prices) -> Self {
        let mut known: BTreeMap<Vec<Party>, Vec<(Party, u64)>> = BTreeMap::new();
        for sender in problem.senders.iter().filter(|sender| sender.packets > 0 && !sender.takers.is_empty()) {
            let mut takers = sender.takers.clone();
            takers.sort_unstable();
            known.entry(takers).or_default().push((sender.from, sender.packets));
        }
        let mut multicast = Multicast {
            width: problem.width(),
            cores_per_tile: problem.cores_per_tile(),
            prices,
            groups: Vec::new(),
            takes: vec![Vec::new(); problem.blocks.len()],
            sends: vec![Vec::new(); problem.blocks.len()],
            cost: 0,
        };
        for (takers, senders) in known {
            multicast.add(problem, cores, &takers, &senders);
        }
        multicast
    }

    fn add(&mut self, problem: &Problem, cores: &[u32], takers: &[Party], senders: &[(Party, u64)]) {
        let number = self.groups.len() as u32;
        let axis = |length: u32| match senders {
            [_] => Axis::One { at: 0, packets: 0 },
            _ => Axis::Many { packets: 0, before: vec![0; length as usize], after: vec![0; length as usize] },
        };
        // What is none of the cores has a place of its own behind theirs.
        let has_fixed = takers.iter().any(|taker| matches!(taker, Party::Fixed(_)));
        let places = problem.cores_per_tile() + u32::from(has_fixed);
        let mut group = Group {
            columns: axis(problem.width()),
            rows: axis(problem.height()),
            packets: senders.iter().map(|(_, packets)| packets).sum(),
            rounds: vec![Profile::new(problem.width(), problem.height(), places)],
            cost: 0,
        };
        for &(from, packets) in senders {
            let (x, y) = problem.at(from, cores);
            group.columns.add(x, packets);
            group.rows.add(y, packets);
            if let Party::Block(block) = from {
                self.sends[block as usize].push((number, packets));
            }
        }
        for &taker in takers {
            let (x, y) = problem.at(taker, cores);
            let place = match taker {
                Party::Block(block) => cores[block as usize] % problem.cores_per_tile(),
                Party::Fixed(_) => problem.cores_per_tile(),
            };
            group.put(self.prices, Place { x, y, place });
            if let Party::Block(block) = taker {
                self.takes[block as usize].push(number);
            }
        }
        self.cost += group.cost;
        self.groups.push(group);
    }

    fn place(&self, core: u32) -> Place {
        let (tile, place) = (core / self.cores_per_tile, core % self.cores_per_tile);
        Place { x: tile % self.width, y: tile / self.width, place }
    }
}

impl Model for Multicast {
    fn cost(&self) -> u64 {
        self.cost
    }

    fn shift(&mut self, moves: &[Move]) {
        // Takers leave first: so that those that change places need no second flit in between.
        for &Move { block, from, .. } in moves {
            let from = self.place(from);
            for &group in &self.takes[block as usize] {
                let group = &mut self.groups[group as usize];
                self.cost -= group.cost;
                group.take_away(self.prices, from);
                self.cost += group.cost;
            }
        }
        for &Move { block, to, .. } in moves {
            let to = self.place(to);
            for &group in &self.takes[block as usize] {
                let group = &mut self.groups[group as usize];
                self.cost -= group.cost;
                group.put(self.prices, to);
                self.cost += group.cost;
            }
        }
        for &Move { block, from, to } in moves {
            let (from, to) = (self.place(from), self.place(to));
            for &(group, packets) in &self.sends[block as usize] {
                let group = &mut self.groups[group as usize];
                self.cost -= group.cost;
                group.columns.shift(from.x, to.x, packets);
                group.rows.shift(from.y, to.y, packets);
                group.cost = group.count(self.prices);
                self.cost += group.cost;
            }
        }
    }

    fn work(&self) -> u64 {
        let takes: usize = self.takes.iter().map(Vec::len).sum();
        let sends: usize = self.sends.iter().map(Vec::len).sum();
        (takes + 4 * sends) as u64
    }
}
