//! Single random changes of valid images: whatever breaks locality or bounds when it runs, the verifier has refused.

use crate::watched::{Draws, Seen, watch};
use crate::{breaches, verdict};
use onward_chip::Chip;
use onward_compile::{Options, compile};
use onward_diagnostic::Source;
use onward_image::{
    BlockIndex, Core, Delivery, Destination, Endpoint, HostInputKind, Image, PopulationIndex, PopulationKind,
    ProgramIndex, Route, TreeIndex,
};
use onward_isa::Instruction;
use std::collections::BTreeMap;

/// Changes that are tried in each run of the tests.
const FEW: usize = 400;
/// Samples that are shown to an image that was accepted.
const SAMPLES: usize = 4;

/// Small networks in which everything there is occurs: two layers that learn, a convolution with tables, a recurrence, weights that change part by part by what a table says.
const NETWORKS: [&str; 5] = [
    "network dense {\n window = 4\n input x = rate(3, 3)\n target t = classes(3)\n learning = hinge\n\
     layer a = dense(8) from x, t { block = 4 }\n layer b = dense(6) from a\n readout r = nearest_target from b\n}\n",
    "network planes {\n window = 4\n input x = rate(6, 6)\n layer c = conv(2, 3) from x { padding = 1, stride = 2 }\n\
     layer d = dense(4) from c\n readout r = most_spikes from d\n}\n",
    "network again {\n window = 4\n input x = rate(5)\n layer m = recurrent(6) from x { block = 3 }\n\
     layer o = dense(3) from m\n readout r = most_spikes from o\n}\n",
    "network tree {\n window = 4\n input x = rate(6)\n target t = classes(3)\n learning = hinge\n layer a = dense(6) from x, t\n\
     readout r = target_tree from a\n}\n",
    "network parts {\n window = 4\n input x = rate(6)\n target t = classes(3)\n learning = softmax { update = spread }\n\
     layer a = dense(6) from x, t { block = 3 }\n readout r = nearest_target from a\n}\n",
];

fn images() -> Vec<Image> {
    let mut chip = Chip::builtin("small").expect("a built-in chip");
    chip.mesh.width = 3;
    chip.mesh.height = 2;
    let compiled = |text: &&str| {
        let source = Source::new("case.sp", *text);
        compile(&source, &Options::new(chip.clone(), 1)).unwrap_or_else(|errors| panic!("{}", source.render(&errors)))
    };
    NETWORKS.iter().map(compiled).collect()
}

/// Changes one thing; says which.
fn mutate(image: &mut Image, draws: &mut Draws) -> &'static str {
    let programs = image.programs.len() as u64;
    let blocks = image.blocks.len() as u64;
    let block = BlockIndex(draws.below(blocks) as u32);
    let program = image.blocks[block].program;
    match draws.below(24) {
        // Programs are what there is most of.
        0..=7 => {
            let words = &mut image.programs[ProgramIndex(draws.below(programs) as u32)].words;
            let at = draws.below(words.len() as u64) as usize;
            words[at] ^= 1 << draws.below(32);
            "a bit of an instruction"
        }
        8..=9 => {
            let words = &mut image.programs[program].words;
            let at = draws.below(words.len() as u64) as usize;
            if let Ok(mut instruction) = Instruction::decode(words[at]) {
                match draws.below(3) {
                    0 => instruction.imm = draws.below(1 << 12) as i32 - (1 << 11),
                    1 => instruction.a = draws.below(16) as u8,
                    _ => instruction.d = draws.below(16) as u8,
                }
                words[at] = instruction.encode().unwrap_or(words[at]);
            }
            "an operand"
        }
        10 => {
            let words = &mut image.programs[program].words;
            let (from, to) = (draws.below(words.len() as u64) as usize, draws.below(words.len() as u64) as usize);
            words[to] = words[from];
            "an instruction in another's place"
        }
        11 => {
            let words = image.programs[program].words.len() as u64;
            image.blocks[block].entry = draws.below(words) as u32;
            "an entry"
        }
        12..=13 => {
            let memory = draws.below(3) as usize;
            let contents = &mut image.blocks[block].contents[memory];
            if !contents.is_empty() {
                let at = draws.below(contents.len() as u64) as usize;
                contents[at] ^= 1 << draws.below(8);
            }
            "a bit of what a memory holds"
        }
        14 => {
            let memory = draws.below(3) as usize;
            let bytes = &mut image.blocks[block].memory_bytes[memory];
            *bytes = (*bytes).saturating_sub(1 + draws.below(16) as u32);
            let bytes = *bytes as usize;
            image.blocks[block].contents[memory].truncate(bytes);
            image.blocks[block].symbols.retain(|symbol| {
                let bits = u64::from(symbol.width_bits) * (u64::from(symbol.offset) + symbol.elements());
                usize::from(symbol.space) != memory || bits <= bytes as u64 * 8
            });
            "a smaller memory"
        }
        15 => {
            image.blocks[block].tagged ^= true;
            "whether a block takes tags"
        }
        16 => {
            let axons = &mut image.blocks[block].axons;
            *axons = (*axons + draws.below(4) as u32).saturating_sub(draws.below(4) as u32);
            image.blocks[block].fan_outs.clear();
            "the number of axons"
        }
        17..=18 => route(image, draws),
        19 => {
            let trees = image.trees.len() as u64;
            if trees > 0 {
                let tree = &mut image.trees[TreeIndex(draws.below(trees) as u16)];
                let at = draws.below(tree.branches.len() as u64) as usize;
                tree.branches[at].1 ^= 1 << draws.below(5);
            }
            "a branch of a tree"
        }
        20..=21 => {
            let populations = image.network.populations.len() as u64;
            let edges = &mut image.network.edges;
            let at = draws.below(edges.len() as u64) as usize;
            match draws.below(3) {
                0 => drop(edges.remove(at)),
                1 => edges[at] = (edges[at].1, edges[at].0),
                _ => edges[at].1 = PopulationIndex(draws.below(populations) as u32),
            }
            "an edge of the network"
        }
        22 => {
            let at = draws.below(image.host_inputs.len() as u64) as usize;
            let kinds = [HostInputKind::Tag, HostInputKind::Target, HostInputKind::Input, HostInputKind::Packets];
            image.host_inputs[at].kind = kinds[draws.below(4) as usize];
            "what the host sends"
        }
        _ => {
            if draws.below(2) == 0 {
                let populations = image.network.populations.len() as u64;
                image.blocks[block].population = PopulationIndex(draws.below(populations) as u32);
                return "the layer of a block";
            }
            let at = PopulationIndex(draws.below(image.network.populations.len() as u64) as u32);
            let target = &mut image.network.populations[at];
            if target.kind == PopulationKind::Target {
                target.neurons += 1 + draws.below(3) as u32;
            }
            "the number of classes"
        }
    }
}

/// Changes where packets go.
fn route(image: &mut Image, draws: &mut Draws) -> &'static str {
    let (blocks, cores) = (image.blocks.len() as u64, image.chip.mesh.cores() as u64);
    let core_of: Vec<Core> = image.blocks.iter().map(|block| block.core).collect();
    let host = image.host_inputs.iter_mut().map(|input| &mut input.route);
    let mut routes: Vec<&mut Route> = host.chain(image.blocks.iter_mut().flat_map(|block| &mut block.routes)).collect();
    let at = draws.below(routes.len() as u64) as usize;
    let route = &mut *routes[at];
    let Some(flit) = route.flits.first_mut() else { return "a route that leads nowhere" };
    match draws.below(4) {
        0 => {
            route.indices = (route.indices + draws.below(3) as u32).saturating_sub(draws.below(3) as u32);
            "the indices of a route"
        }
        1 => {
            if let Some(Delivery::Block { first_axon, .. }) = flit.deliveries.first_mut() {
                *first_axon = draws.below(u64::from(*first_axon) + 4) as u32;
            }
            "the axons that a route ends at"
        }
        2 => {
            // To another block, and to where it lies: the image still fits.
            let to = draws.below(blocks) as usize;
            flit.destination = Destination::Unicast(Endpoint::Core(core_of[to]));
            flit.deliveries = vec![Delivery::Block { block: to.into(), first_axon: draws.below(4) as u32 }];
            "who takes a route's packets"
        }
        _ => {
            flit.destination = Destination::Unicast(Endpoint::Core(Core(draws.below(cores) as u32)));
            "where a route leads"
        }
    }
}

/// What came of a kind of changes.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    tried: usize,
    refused: usize,
    /// Of these: what does nothing wrong in the samples that are shown.
    refused_and_nothing_seen: usize,
    accepted: usize,
}

/// Tries so many changes; the reference engine shows samples to what was accepted, and to some of what was not.
fn try_mutations(count: usize, seed: u64) -> BTreeMap<&'static str, Tally> {
    let images = images();
    for image in &images {
        let verdict = verdict(image);
        assert!(verdict.holds(), "{}", breaches(&verdict));
        let seen = watch(image, &mut Draws(seed), SAMPLES, true);
        assert!(matches!(seen, Seen::Nothing(_)), "{}: {seen:?}", image.network.name);
    }
    let mut tallies: BTreeMap<&'static str, Tally> = BTreeMap::new();
    let mut missed = Vec::new();
    for number in 0..count {
        let mut draws = Draws(seed.wrapping_add(number as u64).wrapping_mul(0x1234_5678_9abc_def1));
        let original = &images[number % images.len()];
        let mut image = original.clone();
        let what = mutate(&mut image, &mut draws);
        if image == *original {
            continue;
        }
        // The file is written with a checksum of its own: it is well formed, whatever it says.
        let verdict = verdict(&image);
        let tally = tallies.entry(what).or_default();
        tally.tried += 1;
        if !verdict.holds() {
            tally.refused += 1;
            let is_looked_at = (number / images.len()).is_multiple_of(8);
            if is_looked_at && matches!(watch(&image, &mut draws, SAMPLES, true), Seen::Nothing(_)) {
                tally.refused_and_nothing_seen += 8;
            }
            continue;
        }
        tally.accepted += 1;
        match watch(&image, &mut draws, SAMPLES, true) {
            Seen::Nothing(longest) => {
                for (block, took) in image.blocks.iter().zip(longest) {
                    let layer = &image.network.populations[block.population].name;
                    let of_layer = verdict.handlers.iter().filter(|handler| handler.layer == *layer);
                    let most = of_layer.map(|handler| handler.cycles).max().unwrap_or(0);
                    if took > most {
                        missed.push(format!(
                            "{number}, {what} of `{}`: {took} cycles, {most} proven",
                            image.network.name
                        ));
                    }
                }
            }
            Seen::Wrong(wrong) | Seen::Refused(wrong) => {
                missed.push(format!("{number}, {what} of `{}`: {wrong}", image.network.name));
            }
        }
    }
    assert!(missed.is_empty(), "accepted, and wrong:\n{}", missed.join("\n"));
    tallies
}

fn show(tallies: &BTreeMap<&'static str, Tally>) {
    println!(
        "{:40} {:>7} {:>9} {:>9} {:>28}",
        "change of", "tried", "accepted", "refused", "refused, nothing seen (est.)"
    );
    let mut all = Tally::default();
    for (what, tally) in tallies {
        let Tally { tried, refused, refused_and_nothing_seen, accepted } = *tally;
        println!("{what:40} {tried:7} {accepted:9} {refused:9} {refused_and_nothing_seen:28}");
        all.tried += tried;
        all.refused += refused;
        all.accepted += accepted;
        all.refused_and_nothing_seen += refused_and_nothing_seen;
    }
    let Tally { tried, refused, refused_and_nothing_seen, accepted } = all;
    println!("{:40} {tried:7} {accepted:9} {refused:9} {refused_and_nothing_seen:28}", "in all");
}

#[test]
fn no_change_that_breaks_locality_or_bounds_is_accepted() {
    let tallies = try_mutations(FEW, 1);
    show(&tallies);
    assert!(tallies.values().any(|tally| tally.accepted > 0) && tallies.values().any(|tally| tally.refused > 0));
}

/// `testbench/campaigns/mutations.sh` runs this.
#[test]
#[ignore = "takes minutes"]
fn no_change_of_very_many_is_accepted() {
    let number =
        |name: &str, otherwise: u64| std::env::var(name).ok().map_or(otherwise, |text| text.parse().expect("a number"));
    show(&try_mutations(number("MUTATIONS", 13_000) as usize, number("SEED", 2)));
}
