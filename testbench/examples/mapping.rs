//! What placement is worth: `cargo run --release -p testbench --example mapping`.
//!
//! Networks as abstract problems, from 16 to 1,024 cores, placed by each strategy with the same blocks and the same
//! multicast trees. Packet-hops, paths and loads are counted from the trees, link by link. All but the seconds is the same
//! on every machine.

use onward_chip::{Chip, Mesh};
use onward_compile::placement::{
    BlockNeeds, CoreRoom, Measures, Objective, Party, Prices, Problem, Sender, Strategy, solve,
};
use onward_run::data::SplitMix64;
use std::time::Instant;

/// Packets in a unit of time of a block of 128 neurons.
const PACKETS: u64 = 128;

fn problem(side: u16, blocks: usize, senders: Vec<Sender>) -> Problem {
    let needs = BlockNeeds { amounts: vec![1], program: 0, program_words: 0 };
    let core = CoreRoom { amounts: vec![1], program_words: 0 };
    let chip = Chip::builtin("large").expect("a built-in chip");
    let mesh = Mesh { width: side, height: side, ..chip.mesh };
    let prices = Prices { link: 1, flit: 0 };
    Problem { mesh, cores_per_tile: 1, host: 0, prices, core, blocks: vec![needs; blocks], senders }
}

fn sender(from: Party, takers: impl IntoIterator<Item = u32>, packets: u64) -> Sender {
    Sender { from, takers: takers.into_iter().map(Party::Block).collect(), packets }
}

/// Fully connected layers of so many blocks; the host feeds the first.
fn dense(side: u16, layers: &[u32]) -> Problem {
    let mut senders = vec![sender(Party::Fixed(0), 0..layers[0], 2 * PACKETS)];
    let mut first = 0;
    for pair in layers.windows(2) {
        let next = first + pair[0];
        senders.extend((first..next).map(|block| sender(Party::Block(block), next..next + pair[1], PACKETS)));
        first = next;
    }
    problem(side, (first + layers[layers.len() - 1]) as usize, senders)
}

/// Layers of `channels x strips` blocks, strips of rows of the picture. A strip goes to those that its kernels overlap: of
/// all channels, the strip that covers the same rows and its neighbours. The last layer is dense.
fn convolution(side: u16, layers: &[(u32, u32)], dense: u32) -> Problem {
    let mut senders = vec![];
    let (channels, strips) = layers[0];
    for strip in 0..strips {
        senders.push(sender(Party::Fixed(0), (0..channels).map(|c| c * strips + strip), 2 * PACKETS / u64::from(strips)));
    }
    let mut first = 0;
    for (at, &(channels, strips)) in layers.iter().enumerate() {
        let next = first + channels * strips;
        for block in 0..channels * strips {
            let strip = block % strips;
            let takers: Vec<u32> = match layers.get(at + 1) {
                None => (next..next + dense).collect(),
                Some(&(next_channels, next_strips)) => {
                    // Rows as parts of the picture, with a halo of a tenth of a strip.
                    let overlaps = |other: &u32| {
                        let (a, b) = (f64::from(strip) / f64::from(strips), f64::from(strip + 1) / f64::from(strips));
                        let halo = 0.1 / f64::from(strips.max(next_strips));
                        let (c, d) =
                            (f64::from(*other) / f64::from(next_strips), f64::from(other + 1) / f64::from(next_strips));
                        a - halo < d && c < b + halo
                    };
                    let strips = (0..next_strips).filter(overlaps).collect::<Vec<_>>();
                    (0..next_channels).flat_map(|c| strips.iter().map(move |s| next + c * next_strips + s)).collect()
                }
            };
            senders.push(sender(Party::Block(first + block), takers, PACKETS));
        }
        first = next;
    }
    problem(side, (first + dense) as usize, senders)
}

/// Populations that are fully connected in themselves; each feeds the next.
fn recurrent(side: u16, populations: u32, size: u32) -> Problem {
    let mut senders = vec![sender(Party::Fixed(0), 0..size, 2 * PACKETS)];
    for population in 0..populations {
        let first = population * size;
        let end = if population + 1 < populations { first + 2 * size } else { first + size };
        senders.extend((first..first + size).map(|block| sender(Party::Block(block), first..end, PACKETS)));
    }
    problem(side, (populations * size) as usize, senders)
}

/// Blocks on a ring, each sends to its neighbours; one connection in ten is rewired (Watts and Strogatz, Nature 1998). The
/// numbers of the blocks say nothing of their place on the ring.
fn small_world(side: u16, blocks: u32, neighbours: u32) -> Problem {
    let mut random = SplitMix64::new(7);
    let names = shuffled(blocks, &mut random);
    let mut senders = Vec::new();
    for at in 0..blocks {
        let mut takers: Vec<u32> = Vec::new();
        for step in 1..=neighbours / 2 {
            for to in [(at + step) % blocks, (at + blocks - step) % blocks] {
                let rewired = random.below(10) == 0;
                let to = if rewired { random.below(blocks) } else { to };
                if to != at && !takers.contains(&names[to as usize]) {
                    takers.push(names[to as usize]);
                }
            }
        }
        senders.push(sender(Party::Block(names[at as usize]), takers, PACKETS));
    }
    problem(side, blocks as usize, senders)
}

/// Each block sends to so many others, anywhere, at rates that differ.
fn random(side: u16, blocks: u32, takers: u32) -> Problem {
    let mut random = SplitMix64::new(9);
    let mut senders = Vec::new();
    for block in 0..blocks {
        let mut to: Vec<u32> = (0..takers).map(|_| random.below(blocks)).filter(|&to| to != block).collect();
        to.sort_unstable();
        to.dedup();
        senders.push(sender(Party::Block(block), to, u64::from(random.below(2 * PACKETS as u32)) + 1));
    }
    problem(side, blocks as usize, senders)
}

fn shuffled(count: u32, random: &mut SplitMix64) -> Vec<u32> {
    let mut names: Vec<u32> = (0..count).collect();
    for at in (1..count).rev() {
        names.swap(at as usize, random.below(at + 1) as usize);
    }
    names
}

fn main() {
    let networks = [
        ("dense, 4 x 4", dense(4, &[4, 4, 4, 1])),
        ("dense, 8 x 8", dense(8, &[12, 16, 16, 12, 7, 1])),
        ("convolutional, 16 x 16", convolution(16, &[(2, 16), (4, 16), (8, 8), (8, 8)], 16)),
        ("recurrent, 12 x 12", recurrent(12, 9, 16)),
        ("small world, 24 x 24", small_world(24, 576, 8)),
        ("dense, 32 x 32", dense(32, &[64; 16])),
        ("random, 32 x 32", random(32, 1024, 6)),
    ];
    println!(
        "| network | strategy | packet-hops | to force-directed | mean path | longest path | busiest link | seconds |"
    );
    println!("|---|---|---:|---:|---:|---:|---:|---:|");
    let (mut product, mut worst) = (1f64, 0f64);
    for (name, problem) in &networks {
        let mut results: Vec<(&str, Measures, f64)> = Vec::new();
        for strategy in Strategy::ALL {
            let start = Instant::now();
            let cores = solve(problem, strategy, Objective::Hops, 1).expect("a core a block");
            let seconds = start.elapsed().as_secs_f64();
            results.push((strategy.name(), problem.measure(&cores), seconds));
        }
        let baseline = results[2].1.packet_hops as f64;
        for (strategy, measures, seconds) in &results {
            let ratio = measures.packet_hops as f64 / baseline;
            println!(
                "| {name} | {strategy} | {} | {ratio:.3} | {:.2} | {} | {} | {seconds:.2} |",
                measures.packet_hops, measures.mean_path, measures.longest_path, measures.busiest_link,
            );
        }
        let ratio = results[3].1.packet_hops as f64 / baseline;
        product *= ratio;
        worst = worst.max(ratio);
    }
    println!();
    println!(
        "annealed to force-directed, packet-hops: geometric mean {:.3}, worst {worst:.3}",
        product.powf(1.0 / networks.len() as f64)
    );
}
