//! The first assignment: blocks to cores in an order of the cores.
//!
//! A block gets a core of its own as long as there are any: cores compute side by side. Beyond that blocks share cores,
//! evenly, with those they exchange packets with: what stays on a core crosses no link.

use crate::Problem;
use crate::pairs::Pairs;
use crate::problem::Party;

/// Blocks on cores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packed {
    pub cores: Vec<u32>,
    /// Blocks a core holds at most.
    pub most: usize,
}

/// A block that no core has room for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no core has room for block {block}")]
pub struct NoRoom {
    /// Its number.
    pub block: u32,
}

/// Assigns blocks to cores in the order given.
///
/// # Errors
/// The first block that finds no room.
pub(crate) fn pack(problem: &Problem, order: &[u32], pairs: &Pairs) -> Result<Packed, NoRoom> {
    let blocks = problem.blocks.len();
    if let Some(block) = (0..blocks as u32).find(|&block| !problem.fits(&[block])) {
        return Err(NoRoom { block });
    }
    if blocks <= order.len() {
        return Ok(Packed { cores: order[..blocks].to_vec(), most: 1 });
    }
    let by_room = by_room(problem, order);
    match (by_partners(problem, order, pairs), by_room) {
        // What is saved on the way is not worth a core that the others wait for.
        (Ok(partners), Ok(room)) if busiest(problem, &partners) > busiest(problem, &room) => Ok(room),
        (partners, room) => partners.or(room),
    }
}

/// How long the busiest core computes.
fn busiest(problem: &Problem, packed: &Packed) -> u64 {
    crate::held(problem, &packed.cores).iter().map(|blocks| problem.work(blocks)).max().unwrap_or(0)
}

/// Fills cores in even layers, each block with those it exchanges most with.
fn by_partners(problem: &Problem, order: &[u32], pairs: &Pairs) -> Result<Packed, NoRoom> {
    let blocks = problem.blocks.len() as u32;
    let mut held: Vec<Vec<u32>> = vec![Vec::new(); order.len()];
    let mut place = vec![usize::MAX; blocks as usize];
    for block in 0..blocks {
        let mut exchanged = vec![0; order.len()];
        for &(party, packets) in &pairs.partners[block as usize] {
            if let Party::Block(other) = party
                && let Some(sum) = exchanged.get_mut(place[other as usize])
            {
                *sum += packets;
            }
        }
        let fits = |&at: &usize| {
            let together: Vec<u32> = held[at].iter().copied().chain([block]).collect();
            problem.fits(&together)
        };
        let best = (0..order.len())
            .filter(fits)
            .min_by_key(|&at| (held[at].len(), std::cmp::Reverse(exchanged[at]), at))
            .ok_or(NoRoom { block })?;
        held[best].push(block);
        place[block as usize] = best;
    }
    Ok(packed(order, &place, &held))
}

/// Puts each block where the core stays emptiest.
fn by_room(problem: &Problem, order: &[u32]) -> Result<Packed, NoRoom> {
    let mut held: Vec<Vec<u32>> = vec![Vec::new(); order.len()];
    let mut place = Vec::new();
    for block in 0..problem.blocks.len() as u32 {
        let with = |at: usize| held[at].iter().copied().chain([block]).collect::<Vec<u32>>();
        let best = (0..order.len())
            .filter(|&at| problem.fits(&with(at)))
            .min_by_key(|&at| {
                let fullness = if held[at].is_empty() { 0 } else { fullness(problem, &with(at)) };
                (!held[at].is_empty(), fullness, at)
            })
            .ok_or(NoRoom { block })?;
        held[best].push(block);
        place.push(best);
    }
    Ok(packed(order, &place, &held))
}

/// How full a core is where it is fullest, in millionths.
fn fullness(problem: &Problem, blocks: &[u32]) -> u64 {
    let amounts = problem.core.amounts.iter().enumerate().map(|(at, &room)| {
        let used: u64 = blocks.iter().map(|&block| problem.blocks[block as usize].amounts[at]).sum();
        used * 1_000_000 / room.max(1)
    });
    amounts.max().unwrap_or(0)
}

fn packed(order: &[u32], place: &[usize], held: &[Vec<u32>]) -> Packed {
    Packed { cores: place.iter().map(|&at| order[at]).collect(), most: held.iter().map(Vec::len).max().unwrap_or(0) }
}
