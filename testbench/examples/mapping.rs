//! What placement is worth: `cargo run --release -p testbench --example mapping [strategies|objectives|compiled]`.
//!
//! Networks as abstract problems, from 16 to 1,024 cores, placed by each strategy with the same blocks and the same
//! multicast trees; packet-hops, paths and loads are counted from the trees, link by link. Then networks through compiler
//! and emulator. All but the seconds is the same on every machine.

use onward_chip::{Chip, Costs, Event, Mesh, Technology};
use onward_compile::{Options, compile};
use onward_diagnostic::Source;
use onward_emulate::Options as Emulation;
use onward_place::{BlockNeeds, CoreRoom, Measures, Objective, Party, Prices, Problem, Sender, Strategy, solve};
use onward_profile::{Activity, Category, Energy};
use onward_run::Session;
use onward_run::data::{Samples, SplitMix64};
use std::ops::ControlFlow;
use std::time::Instant;

/// Packets in a unit of time of a block of 128 neurons.
const PACKETS: u64 = 128;

fn problem(side: u16, blocks: usize, senders: Vec<Sender>) -> Problem {
    let needs = BlockNeeds { amounts: vec![1], program: 0, program_words: 0, work: 1 };
    let core = CoreRoom { amounts: vec![1], program_words: 0 };
    let chip = Chip::builtin("large").expect("a built-in chip");
    let mesh = Mesh { width: side, height: side, ..chip.mesh };
    let prices = Prices { link: 1, flit: 0 };
    Problem { mesh, host: 0, prices, core, blocks: vec![needs; blocks], senders }
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
        senders.push(sender(
            Party::Fixed(0),
            (0..channels).map(|c| c * strips + strip),
            2 * PACKETS / u64::from(strips),
        ));
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

fn networks() -> [(&'static str, Problem); 7] {
    [
        ("dense, 4 x 4", dense(4, &[4, 4, 4, 1])),
        ("dense, 8 x 8", dense(8, &[12, 16, 16, 12, 7, 1])),
        ("convolutional, 16 x 16", convolution(16, &[(2, 16), (4, 16), (8, 8), (8, 8)], 16)),
        ("recurrent, 12 x 12", recurrent(12, 9, 16)),
        ("small world, 24 x 24", small_world(24, 576, 8)),
        ("dense, 32 x 32", dense(32, &[64; 16])),
        ("random, 32 x 32", random(32, 1024, 6)),
    ]
}

/// Energy of the packets in the mesh in a unit of time, microjoules.
fn microjoules(measures: &Measures, costs: &Costs) -> f64 {
    let hops = measures.packet_hops as f64 * costs[Event::FlitHop];
    let flits = measures.flits as f64 * costs[Event::FlitInjection];
    (hops + flits + measures.deliveries as f64 * costs[Event::FlitEjection]) * 1e-6
}

/// Each network placed by each strategy for packet-hops.
fn strategies(costs: &Costs) {
    println!(
        "| network | strategy | packet-hops | to force-directed | energy | mean path | longest path | busiest link | seconds |"
    );
    println!("|---|---|---:|---:|---:|---:|---:|---:|---:|");
    let (mut products, mut worst) = ([1f64; 2], 0f64);
    let networks = networks();
    for (name, problem) in &networks {
        let mut results: Vec<(&str, Measures, f64)> = Vec::new();
        for strategy in Strategy::ALL {
            let start = Instant::now();
            let cores = solve(problem, strategy, Objective::Hops, 1).expect("a core a block");
            let seconds = start.elapsed().as_secs_f64();
            results.push((strategy.name(), problem.measure(&cores), seconds));
        }
        let hops = |at: usize| results[at].1.packet_hops as f64;
        for (at, (strategy, measures, seconds)) in results.iter().enumerate() {
            println!(
                "| {name} | {strategy} | {} | {:.3} | {:.2} \u{b5}J | {:.2} | {} | {} | {seconds:.2} |",
                measures.packet_hops,
                hops(at) / hops(2),
                microjoules(measures, costs),
                measures.mean_path,
                measures.longest_path,
                measures.busiest_link,
            );
        }
        products[0] *= hops(3) / hops(2);
        products[1] *= hops(3) / hops(0).min(hops(1)).min(hops(2));
        worst = worst.max(hops(3) / hops(2));
    }
    let [force_directed, best] = products.map(|product| product.powf(1.0 / networks.len() as f64));
    println!(
        "\npacket-hops, annealed to force-directed: geometric mean {force_directed:.3}, worst {worst:.3}; \
         annealed to the best of the other three: geometric mean {best:.3}\n"
    );
}

/// Some networks placed by annealing for each objective.
fn objectives() {
    println!("| network | objective | packet-hops | mean path | longest path | busiest link | seconds |");
    println!("|---|---|---:|---:|---:|---:|---:|");
    for (name, problem) in networks().iter().filter(|(name, _)| !name.contains("small") && !name.contains("4 x 4")) {
        for objective in [Objective::Hops, Objective::Latency, Objective::Congestion] {
            let start = Instant::now();
            let cores = solve(problem, Strategy::Annealed, objective, 1).expect("a core a block");
            let seconds = start.elapsed().as_secs_f64();
            let measures = problem.measure(&cores);
            println!(
                "| {name} | {} | {} | {:.2} | {} | {} | {seconds:.2} |",
                objective.name(),
                measures.packet_hops,
                measures.mean_path,
                measures.longest_path,
                measures.busiest_link
            );
        }
    }
    println!();
}

/// The text of a network of dense layers.
fn text(side: u32, layers: u32, neurons: u32, block: u32) -> String {
    let mut text = format!(
        "network deep {{\n window = 8\n learning = hinge {{ rate = 7 }}\n input x = rate({side}, {side})\n target y = classes(10)\n"
    );
    let mut from = "x, y".to_owned();
    for layer in 0..layers {
        text += &format!(" layer h{layer} = dense({neurons}) from {from} {{ block = {block} }}\n");
        from = format!("h{layer}");
    }
    text + &format!(" readout answer = nearest_target from {from}\n}}\n")
}

/// Networks through the compiler and the emulator: links that packets crossed and cycles that passed in a run that
/// learns. The packets are the same wherever the blocks lie.
fn compiled(costs: &Costs) {
    println!("| network | chip | strategy | packets | hops | to force-directed | network energy | cycles |");
    println!("|---|---|---|---:|---:|---:|---:|---:|");
    let file = |name: &str| {
        let path = format!("{}/../programs/{name}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).expect("the program is there")
    };
    for (name, text, chip, pixels, samples) in [
        ("`digits.sp`, 5 blocks", file("digits.sp"), "middle", 64, 200),
        ("`mnist.sp`, 9 blocks", file("mnist.sp"), "middle", 784, 50),
        ("dense, 17 blocks on 4 cores", text(8, 2, 256, 32), "small", 64, 50),
        ("dense, 193 blocks", text(16, 12, 512, 32), "large", 256, 20),
    ] {
        let mut random = SplitMix64::new(1);
        let bright =
            (0..samples * pixels).map(|_| if random.below(5) == 0 { random.below(256) as u8 } else { 0 }).collect();
        let samples = Samples::new(bright, (0..samples).map(|at| (at % 10) as u16).collect(), pixels);
        let order: Vec<u32> = (0..samples.len() as u32).collect();
        let results = Strategy::ALL.map(|strategy| {
            let source = Source::new(name, text.clone());
            let mut options = Options::new(Chip::builtin(chip).expect("a built-in chip"), 1);
            options.placing.strategy = strategy;
            let image = compile(&source, &options).unwrap_or_else(|errors| panic!("{}", source.render(&errors)));
            let how = Emulation { seed: 1, timing: true, threads: 1 };
            let mut session = Session::new(&image, how).expect("the image is sound");
            session.learn(&samples, &order, |_| ControlFlow::Continue(())).expect("no fault");
            let counters = session.machine().counters();
            let activity = Activity::of(&image, &counters);
            let energy = Energy::of(&image, &counters, costs).joules(Category::Network);
            let cycles = counters.timing.map_or(0, |timing| timing.cycles);
            (strategy.name(), activity, energy * 1e6, cycles)
        });
        for (strategy, activity, energy, cycles) in &results {
            let ratio = activity.hops as f64 / results[2].1.hops as f64;
            println!(
                "| {name} | {chip} | {strategy} | {} | {} | {ratio:.3} | {energy:.2} \u{b5}J | {cycles} |",
                activity.packets, activity.hops
            );
        }
    }
}

fn main() {
    let chip = Chip::builtin("large").expect("a built-in chip");
    let costs = Technology::load(&chip.technology).and_then(|technology| technology.costs(&chip));
    let costs = costs.expect("a built-in technology");
    let wanted = std::env::args().nth(1);
    let is_wanted = |part: &str| wanted.as_ref().is_none_or(|wanted| wanted == part);
    if is_wanted("strategies") {
        strategies(&costs);
    }
    if is_wanted("objectives") {
        objectives();
    }
    if is_wanted("compiled") {
        compiled(&costs);
    }
}
