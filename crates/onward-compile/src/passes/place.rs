//! `place`: each block gets a core. How is in [`onward_place`], what for in [`crate::demand`].

use crate::demand::{self, LIMITS, WINDOWS};
use crate::drawing;
use crate::pass::{Compilation, Pass, Product};
use onward_diagnostic::Diagnostic;
use onward_image::{BlockIndex, Core};
use onward_place::{Problem, Strategy, solve};
use std::fmt::Write;

/// Draws the moves of the annealing. Not the run's seed: other weights shall not change the time a step takes.
pub(crate) const SEED: u64 = 1;

pub(super) const PASS: Pass = Pass {
    name: "place",
    description: "give each block a core, so that packets cross few links",
    needs: &[Product::Blocks, Product::Words],
    makes: Product::Cores,
    run,
    verify: Some(verify),
    amounts,
    emit,
    drawing: Some(drawing::by_core),
};

fn run(compilation: &mut Compilation) -> Result<(), Vec<Diagnostic>> {
    let problem = demand::problem(compilation).map_err(|error| vec![error])?;
    let placing = &compilation.options.placing;
    let cores = solve(&problem, placing.strategy, placing.objective, SEED)
        .map_err(|no_room| vec![does_not_fit(compilation, &problem, no_room.block.into())])?;
    compilation.cores = cores.into_iter().map(Core).collect();
    Ok(())
}

/// Every block has a core that the chip has.
fn verify(compilation: &Compilation) -> Result<(), String> {
    let cores = compilation.options.chip.mesh.cores();
    let mesh = &compilation.options.chip.mesh;
    let beyond = compilation.cores.iter().find(|core| core.0 as usize >= cores || mesh.is_dead(core.0));
    match (compilation.cores.len() == compilation.blocks.len(), beyond) {
        (true, None) => Ok(()),
        (false, _) => Err(format!("{} cores for {} blocks", compilation.cores.len(), compilation.blocks.len())),
        (true, Some(core)) => Err(format!("core {} of {cores}", core.0)),
    }
}

fn amounts(compilation: &Compilation) -> Vec<(u64, &'static str)> {
    let mut cores = compilation.cores.clone();
    cores.sort_unstable();
    cores.dedup();
    vec![(cores.len() as u64, "core")]
}

fn emit(compilation: &Compilation) -> String {
    let Ok(problem) = demand::problem(compilation) else { return String::new() };
    let network = compilation.network();
    let mut text = costs(compilation, &problem) + "\n" + &grid(compilation, &problem) + "\n";
    let mesh = &compilation.options.chip.mesh;
    for ((number, block), core) in compilation.blocks.iter_enumerated().zip(&compilation.cores) {
        let (x, y) = mesh.coordinates(core.tile(mesh).0);
        let on_tile = match mesh.cores_per_tile {
            1 => String::new(),
            _ => format!(", number {} there", core.number_on_tile(mesh)),
        };
        let name = network.graph[block.node].name();
        writeln!(text, "block {number} ({name}): core {} (x {x}, y {y}{on_tile})", core.0).expect("writing to memory");
    }
    text
}

/// How the blocks were placed, and what it costs beside the order along the curve.
fn costs(compilation: &Compilation, problem: &Problem) -> String {
    let placing = &compilation.options.placing;
    let cores: Vec<u32> = compilation.cores.iter().map(|core| core.0).collect();
    let before = solve(problem, Strategy::Hilbert, placing.objective, SEED).unwrap_or_else(|_| cores.clone());
    let (before, after) = (problem.measure(&before), problem.measure(&cores));
    let traffic = match &placing.traffic {
        None => format!("estimated, of {WINDOWS} windows"),
        Some(traffic) => format!("measured over {} steps", traffic.steps),
    };
    let line = |what: &str, of: onward_place::Measures| {
        format!(
            "{what:24} {:>14} {:>10.2} {:>13} {:>13}\n",
            of.packet_hops, of.mean_path, of.longest_path, of.busiest_link
        )
    };
    format!(
        "placed by `{}` for `{}`; packets {traffic}\n{:24} {:>14} {:>10} {:>13} {:>13}\n",
        placing.strategy.name(),
        placing.objective.name(),
        "",
        "packet-hops",
        "mean path",
        "longest path",
        "busiest link"
    ) + &line("along the Hilbert curve", before)
        + &line("as placed", after)
}

/// The mesh with the numbers of the blocks on each tile.
fn grid(compilation: &Compilation, problem: &Problem) -> String {
    let mut cells = vec![String::new(); problem.tiles() as usize];
    let mesh = &compilation.options.chip.mesh;
    for (number, core) in compilation.cores.iter_enumerated() {
        let cell = &mut cells[core.tile(mesh).0 as usize];
        let comma = if cell.is_empty() { "" } else { "," };
        write!(cell, "{comma}{number}").expect("writing to memory");
    }
    let widest = cells.iter().map(String::len).max().unwrap_or(0).max(1);
    let mut text = String::new();
    for row in cells.chunks(problem.width() as usize) {
        let row: Vec<String> =
            row.iter().map(|cell| format!("{:>widest$}", if cell.is_empty() { "." } else { cell })).collect();
        writeln!(text, "{}", row.join("  ")).expect("writing to memory");
    }
    text
}

/// Why no core takes a block.
fn does_not_fit(compilation: &Compilation, problem: &Problem, number: BlockIndex) -> Diagnostic {
    let block = &compilation.blocks[number];
    let node = &compilation.network().graph[block.node];
    let chip = &compilation.options.chip;
    let needs = |number: BlockIndex| {
        let needs = &problem.blocks[usize::from(number)];
        needs.amounts.iter().copied().chain([needs.program_words]).collect::<Vec<u64>>()
    };
    let limits: Vec<u64> = problem.core.amounts.iter().copied().chain([problem.core.program_words]).collect();
    let alone = needs(number);
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
    let total = |at: usize| compilation.blocks.keys().map(|block| needs(block)[at]).sum::<u64>();
    // What is scarcest over the whole chip; a program's words count once a core, so they say little here.
    let cores_there = u64::from(problem.working_cores());
    let scarcest = (0..6).max_by_key(|&at| total(at) * 1_000_000 / (limits[at] * cores_there).max(1)).unwrap_or(0);
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
            total(scarcest),
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
