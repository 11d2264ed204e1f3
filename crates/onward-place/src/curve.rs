//! Orders of the tiles: along a Hilbert curve, row by row, in bands of columns.

use crate::Problem;
use std::collections::BTreeMap;

/// The point at distance `d` along the Hilbert curve that fills a square of side `2^order`.
fn hilbert(order: u32, d: u64) -> (u64, u64) {
    let (mut x, mut y) = (0, 0);
    for level in 0..order {
        let (side, quarter) = (1 << level, d >> (2 * level) & 3);
        let (right, down) = (quarter >> 1, (quarter ^ quarter >> 1) & 1);
        if down == 0 {
            if right == 1 {
                (x, y) = (side - 1 - x, side - 1 - y);
            }
            (x, y) = (y, x);
        }
        (x, y) = (x + side * right, y + side * down);
    }
    (x, y)
}

/// All tiles along the curve, which starts in the corner nearest to the host; of an array chip by chip, in the order in
/// which the curve comes to them.
pub(crate) fn along_the_curve(problem: &Problem) -> Vec<u32> {
    let (width, height) = (u64::from(problem.width()), u64::from(problem.height()));
    let order = width.max(height).next_power_of_two().ilog2();
    let (x, y) = problem.coordinates(problem.host);
    let (east, south) = (u64::from(x) * 2 >= width.max(2), u64::from(y) * 2 >= height.max(2));
    let points = (0..1u64 << (2 * order)).map(|d| hilbert(order, d)).filter(|&(x, y)| x < width && y < height);
    let mut tiles: Vec<u32> = points
        .map(|(x, y)| {
            let (x, y) = (if east { width - 1 - x } else { x }, if south { height - 1 - y } else { y });
            (y * width + x) as u32
        })
        .collect();
    let mut chips = BTreeMap::new();
    for &tile in &tiles {
        let next = chips.len();
        chips.entry(problem.mesh.chip_of(tile)).or_insert(next);
    }
    tiles.sort_by_key(|&tile| chips.get(&problem.mesh.chip_of(tile)));
    tiles
}

/// All tiles row by row, the northernmost first, each from west to east.
pub(crate) fn row_by_row(problem: &Problem) -> Vec<u32> {
    (0..problem.tiles()).collect()
}

/// All tiles in bands of so many columns, from the host's side on; within a band row by row, down one band and up the next.
///
/// A packet goes along its row first and then turns into every column with a taker: a layer that fills few columns from top
/// to bottom costs hardly more than a link a taker.
pub(crate) fn in_bands(problem: &Problem, band: u32) -> Vec<u32> {
    let (x, y) = problem.coordinates(problem.host);
    let (east, south) = (x * 2 >= problem.width().max(2), y * 2 >= problem.height().max(2));
    let mut tiles = Vec::new();
    for (number, start) in (0..problem.width()).step_by(band as usize).enumerate() {
        for down in 0..problem.height() {
            let y = if (number % 2 == 1) != south { problem.height() - 1 - down } else { down };
            for across in start..(start + band).min(problem.width()) {
                let x = if east { problem.width() - 1 - across } else { across };
                tiles.push(y * problem.width() + x);
            }
        }
    }
    tiles
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CoreRoom, Prices};
    use onward_chip::{Array, Mesh};
    use std::collections::BTreeSet;

    #[test]
    fn an_array_is_filled_chip_by_chip() {
        let array = Array { width: 3, height: 2, link_cycles: 4, cycles_per_flit: 2 };
        let problem = Problem {
            mesh: Mesh { array: Some(array), ..Mesh::of(9, 6) },
            host: 0,
            prices: Prices { link: 1, flit: 1 },
            core: CoreRoom::default(),
            blocks: Vec::new(),
            senders: Vec::new(),
        };
        let tiles = along_the_curve(&problem);
        assert_eq!(tiles.iter().collect::<BTreeSet<_>>().len(), 54);
        let chips: Vec<u32> = tiles.iter().map(|&tile| problem.mesh.chip_of(tile)).collect();
        assert_eq!(chips.chunk_by(|a, b| a == b).count(), 6);
        assert_eq!(chips[0], 0, "the host is at the first");
    }

    #[test]
    fn the_curve_visits_every_tile_once_and_steps_to_neighbours() {
        let points: Vec<_> = (0..64).map(|d| hilbert(3, d)).collect();
        assert_eq!(points.iter().collect::<BTreeSet<_>>().len(), 64);
        for pair in points.windows(2) {
            assert_eq!(pair[0].0.abs_diff(pair[1].0) + pair[0].1.abs_diff(pair[1].1), 1);
        }
    }
}
