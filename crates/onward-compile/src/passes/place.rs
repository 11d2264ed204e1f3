//! `place`: each block gets a tile.
//!
//! Tiles are taken along a Hilbert curve from the host's port, so that blocks that follow each other, and thus layers
//! that talk to each other, lie close together; when every tile has a block, further blocks go to the core with the
//! most room.

use crate::handlers::Handlers;
use crate::pass::{Compilation, Pass};
use crate::plan::PlannedBlock;
use onward_chip::{Chip, Side};
use onward_diagnostic::Diagnostic;
use onward_image::Tile;
use std::collections::BTreeSet;
use std::fmt::Write;

pub(super) struct Place;

/// What is used of a core, in the order of [`LIMITS`].
type Needs = [u64; 7];

const LIMITS: [&str; 7] = [
    "bytes of synapse memory",
    "bytes of neuron memory",
    "bytes of axon memory",
    "axons",
    "route table entries",
    "blocks",
    "instruction words",
];

fn available(chip: &Chip) -> Needs {
    let memory = &chip.memory;
    [
        memory.synapse_bytes.into(),
        memory.neuron_bytes.into(),
        memory.axon_bytes.into(),
        memory.axons.into(),
        memory.routes.into(),
        chip.core.blocks.into(),
        memory.instruction_words.into(),
    ]
}

/// A core being filled.
#[derive(Clone, Default)]
struct Core {
    used: Needs,
    programs: BTreeSet<usize>,
}

impl Core {
    /// What the core would use with the block too. A program that is there already costs no words.
    fn with(&self, block: &PlannedBlock, handlers: &[Handlers], routes: u64) -> Needs {
        let of = &handlers[block.handlers];
        let [neuron, axon, synapse] = of.layout.bytes();
        let words = if self.programs.contains(&block.handlers) { 0 } else { of.program.words.len() as u64 };
        let more: Needs = [synapse, neuron, axon, block.axons.into(), routes, 1, words];
        std::array::from_fn(|at| self.used[at] + more[at])
    }
}

/// An upper bound of the route table entries a block takes: a flit for each taker.
fn routes(blocks: &[PlannedBlock], number: usize) -> u64 {
    let from = crate::plan::PlannedSource::Block(number as u32);
    let takers = blocks.iter().flat_map(|block| block.inlets.iter()).filter(|inlet| inlet.from == from);
    takers.count() as u64 + 1
}

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

/// All tiles along the curve, which starts in the corner nearest to the host's port.
fn curve(chip: &Chip) -> Vec<Tile> {
    let (width, height) = (u64::from(chip.mesh.width), u64::from(chip.mesh.height));
    let order = width.max(height).next_power_of_two().ilog2();
    let port = chip.host.ports[0];
    let position = u64::from(port.position);
    let (east, south) = match port.side {
        Side::West => (false, position * 2 >= height),
        Side::East => (true, position * 2 >= height),
        Side::North => (position * 2 >= width, false),
        Side::South => (position * 2 >= width, true),
    };
    let points = (0..1u64 << (2 * order)).map(|d| hilbert(order, d)).filter(|&(x, y)| x < width && y < height);
    points
        .map(|(x, y)| {
            let (x, y) = (if east { width - 1 - x } else { x }, if south { height - 1 - y } else { y });
            Tile((y * width + x) as u32)
        })
        .collect()
}

impl Pass for Place {
    fn name(&self) -> &'static str {
        "place"
    }

    fn description(&self) -> &'static str {
        "give each block a tile, along a Hilbert curve from the host's port"
    }

    fn run(&self, compilation: &mut Compilation) -> Result<(), Vec<Diagnostic>> {
        let chip = &compilation.options.chip;
        let limits = available(chip);
        let curve = curve(chip);
        let mut cores = vec![Core::default(); curve.len()];
        let mut tiles = Vec::new();
        for (number, block) in compilation.blocks.iter().enumerate() {
            let routes = routes(&compilation.blocks, number);
            let fits = |core: &Core| {
                let needs = core.with(block, &compilation.handlers, routes);
                needs.iter().zip(limits).all(|(&needs, limit)| needs <= limit).then_some(needs)
            };
            let candidates = cores.iter().enumerate().filter_map(|(at, core)| Some((at, fits(core)?)));
            // An empty core ahead of all others; then the one that is least full where it is fullest.
            let fullness = |needs: &Needs| {
                needs.iter().zip(limits).map(|(&needs, limit)| needs * 1_000_000 / limit.max(1)).max().unwrap_or(0)
            };
            let best = candidates.min_by_key(|(at, needs)| {
                (cores[*at].used[5] > 0, if cores[*at].used[5] > 0 { fullness(needs) } else { 0 }, *at)
            });
            let Some((at, needs)) = best else {
                return Err(vec![does_not_fit(compilation, number, &cores, &limits, routes)]);
            };
            cores[at].used = needs;
            cores[at].programs.insert(block.handlers);
            tiles.push(curve[at]);
        }
        compilation.tiles = tiles;
        Ok(())
    }

    fn emit(&self, compilation: &Compilation) -> String {
        let network = compilation.network();
        let mut text = String::new();
        for (number, (block, tile)) in compilation.blocks.iter().zip(&compilation.tiles).enumerate() {
            let width = u32::from(compilation.options.chip.mesh.width);
            let (x, y) = (tile.0 % width, tile.0 / width);
            writeln!(text, "block {number} ({}): tile {} (x {x}, y {y})", network.graph[block.node].name(), tile.0)
                .expect("writing to memory");
        }
        text
    }
}

/// Why no core takes a block.
fn does_not_fit(compilation: &Compilation, number: usize, cores: &[Core], limits: &Needs, routes: u64) -> Diagnostic {
    let block = &compilation.blocks[number];
    let node = &compilation.network().graph[block.node];
    let chip = &compilation.options.chip;
    let alone = Core::default().with(block, &compilation.handlers, routes);
    if let Some(at) = (0..LIMITS.len()).find(|&at| alone[at] > limits[at]) {
        let message = format!(
            "a block of `{}` does not fit a core: {} {} needed, {} available",
            node.name(),
            alone[at],
            LIMITS[at],
            limits[at]
        );
        return Diagnostic::new(node.span(), message).help("smaller blocks, or a chip with larger cores");
    }
    let totals = (0..compilation.blocks.len()).fold([0; 7], |sums: Needs, at| {
        let block = Core::default().with(&compilation.blocks[at], &compilation.handlers, 0);
        std::array::from_fn(|limit| sums[limit] + block[limit])
    });
    // What is scarcest over the whole chip; a program's words count once a core, so they say little here.
    let cores_there = cores.len() as u64;
    let scarcest = (0..6).max_by_key(|&at| totals[at] * 1_000_000 / (limits[at] * cores_there).max(1)).unwrap_or(0);
    let of_node = compilation.blocks.iter().filter(|other| other.node == block.node).count();
    let message = format!(
        "the network does not fit chip `{}`: its {} blocks find no place on {cores_there} cores",
        chip.name,
        compilation.blocks.len()
    );
    let nth = compilation.blocks[..=number].iter().filter(|other| other.node == block.node).count();
    let mut diagnostic = Diagnostic::new(node.span(), message)
        .label(format!("no core has room for block {nth} of its {of_node}"))
        .note(format!(
            "all blocks together need {} {}; {cores_there} cores have {} each, {} in all",
            totals[scarcest],
            LIMITS[scarcest],
            limits[scarcest],
            limits[scarcest] * cores_there
        ));
    // A block fits only as a whole, so what is left may be enough in sum and not on any core.
    if alone[scarcest] * 2 > limits[scarcest] {
        diagnostic =
            diagnostic.note(format!("this block alone needs {}: a core has room for one such", alone[scarcest]));
    }
    let help = match scarcest {
        0 => "a chip with more or larger cores (--chip), fewer neurons, or weights of fewer bits",
        2 => "a chip with more or larger cores (--chip), fewer inputs to a layer, or fewer classes",
        _ => "a chip with more or larger cores (--chip), or fewer neurons",
    };
    diagnostic.help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_visits_every_tile_once_and_steps_to_neighbours() {
        let points: Vec<_> = (0..64).map(|d| hilbert(3, d)).collect();
        assert_eq!(points.iter().collect::<BTreeSet<_>>().len(), 64);
        for pair in points.windows(2) {
            assert_eq!(pair[0].0.abs_diff(pair[1].0) + pair[0].1.abs_diff(pair[1].1), 1);
        }
    }
}
