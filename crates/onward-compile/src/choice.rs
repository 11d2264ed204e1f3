//! The chip that a network fits on, of several; and which change of text or chip would make it fit on one.

use crate::driver::tried;
use crate::pass::Options;
use crate::probes::Probes;
use onward_chip::{Chip, ROOM};
use onward_diagnostic::{Diagnostic, Source};
use onward_net::{Layer, LayerKind, Learning, Network, Node, Sparse, Values};

/// How often a key is doubled at most when a change is looked for.
const MOST_DOUBLINGS: u32 = 8;
/// Connections, of layers that list them, and neurons of others, up to which changes are looked for.
const MOST_CONNECTIONS: usize = 1_000_000;
/// Passes that find out whether a network fits. What passes before them find is wrong with the text on any chip.
const FITTING: [&str; 6] = ["fit", "partition", "generate", "assemble", "place", "route"];

/// The first chip of a list that a network fits on. `network` is it if it has been read, else `source` is parsed; the chip of
/// `options` does not matter.
///
/// # Errors
/// What is wrong with the text on any chip; or what does not fit on the last of the list, with the smallest change that would
/// make it fit.
pub fn first_fitting(
    network: Option<&Network>,
    source: &Source,
    options: &Options,
    chips: &[Chip],
) -> Result<Chip, Vec<Diagnostic>> {
    let mut last = None;
    // A block that fits no core fits no core of a larger mesh.
    let mut too_small: Vec<&Chip> = Vec::new();
    let mut known = Probes::default();
    for chip in chips {
        if too_small.iter().any(|other| other.memory == chip.memory && other.core == chip.core) {
            continue;
        }
        let options = Options { chip: chip.clone(), ..options.clone() };
        match tried(network.cloned(), source, &options, &mut known, &mut |_, _| {}) {
            Ok(_) => return Ok(chip.clone()),
            Err(failed) if !FITTING.contains(&failed.pass) => return Err(failed.errors),
            Err(failed) => {
                if failed.pass == "generate" {
                    too_small.push(chip);
                }
                last = Some((chip, failed.errors));
            }
        }
    }
    let (chip, errors) = last.expect("there are chips to try");
    Err(changed(network, source, &Options { chip: chip.clone(), ..options.clone() }, errors, &mut known))
}

/// Whether a network is so large that nothing is tried for it: each try takes as long as compiling it.
fn is_large(network: Option<&Network>, source: &Source) -> bool {
    let parsed = if network.is_none() { Network::parse(source).ok() } else { None };
    let connections = |layer: &Layer| match &layer.kind {
        LayerKind::Sparse(Sparse { connections: Values::Array(listed) }) => listed.values.len() / 3,
        _ => layer.neurons() as usize,
    };
    network.or(parsed.as_ref()).is_some_and(|network| {
        network.layers().map(|node| connections(network.layer(node))).sum::<usize>() > MOST_CONNECTIONS
    })
}

/// Adds to the errors of a network that does not fit its chip what would make it fit, if it is one of these, tried before it is
/// said: the text without sizes of blocks; or the smallest change of the chip's keys.
pub fn with_change(
    network: Option<&Network>,
    source: &Source,
    options: &Options,
    errors: Vec<Diagnostic>,
) -> Vec<Diagnostic> {
    changed(network, source, options, errors, &mut Probes::default())
}

/// The same, with what is known of the network.
fn changed(
    network: Option<&Network>,
    source: &Source,
    options: &Options,
    mut errors: Vec<Diagnostic>,
    known: &mut Probes,
) -> Vec<Diagnostic> {
    if is_large(network, source) {
        return errors;
    }
    let failed = tried(network.cloned(), source, options, known, &mut |_, _| {}).err();
    if !failed.is_some_and(|failed| FITTING.contains(&failed.pass)) {
        return errors;
    }
    let help = without_sizes(network, source, options).or_else(|| {
        let smaller = if network.is_none() { with_smaller(source, options) } else { None };
        let of_chip = change(network, source, options, known).map(|settings| {
            let settings: Vec<String> =
                settings.iter().map(|(key, value)| format!("--chip-set {key}={value}")).collect();
            format!("it fits with `--chip {} {}`", options.chip.name, settings.join(" "))
        });
        match (smaller, of_chip) {
            (Some(smaller), Some(of_chip)) => Some(format!("{smaller}; or {of_chip}")),
            (smaller, of_chip) => smaller.or(of_chip),
        }
    });
    if let (Some(help), Some(first)) = (help, errors.first_mut()) {
        // What else would help, in general, stays said.
        let general = first.help.iter().map(|general| format!("; else {general}"));
        *first = first.clone().help(help + &general.collect::<String>());
    }
    errors
}

/// A layer that learns, in smaller blocks than its text says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmallerBlock {
    /// Its name.
    pub layer: String,
    /// Neurons, or channels, of a block that fits.
    pub block: u32,
    /// Those that the text says.
    pub said: u32,
}

/// The network with smaller blocks of layers that learn where theirs do not fit a core, each the largest that does; `None` if that
/// is not what it lacks, or all fits. As the block is a part of the rule, it learns otherwise then.
pub fn with_smaller_blocks(source: &Source, options: &Options) -> Option<(Network, Vec<SmallerBlock>)> {
    let said = Network::parse(source).ok().filter(|network| !is_large(Some(network), source))?;
    let mut network = said.clone();
    let blocks = |network: &Network| -> Vec<u32> { network.layers().map(|node| network.layer(node).block).collect() };
    loop {
        // Decays may be spread over a block, so integers are not known from other blocks.
        let made = tried(Some(network.clone()), source, options, &mut Probes::default(), &mut |_, _| {});
        let Err(failed) = made else { break };
        if !FITTING.contains(&failed.pass) {
            return None;
        }
        let before = blocks(&network);
        for node in network.graph.node_weights_mut() {
            if let Node::Layer(layer) = node
                && layer.learning != Learning::None
                && failed.errors.iter().any(|error| error.span == layer.span)
            {
                layer.block = smaller(layer);
            }
        }
        if blocks(&network) == before {
            return None;
        }
    }
    let changed = said.layers().zip(network.layers()).filter_map(|(said_at, at)| {
        let (said, layer) = (said.layer(said_at), network.layer(at));
        let change = SmallerBlock { layer: said.name.clone(), block: layer.block, said: said.block };
        (layer.block < said.block).then_some(change)
    });
    let changed: Vec<SmallerBlock> = changed.collect();
    (!changed.is_empty()).then_some((network, changed))
}

/// The next smaller block of a layer: a multiple of 16 neurons, which fill the lanes of most chips; of a convolution, a channel less.
fn smaller(layer: &Layer) -> u32 {
    match layer.kind {
        LayerKind::Convolution(_) => (layer.block - 1).max(1),
        _ if layer.block > 16 => (layer.block - 1) / 16 * 16,
        _ => (layer.block / 2).max(1),
    }
}

/// The smaller blocks with which a network would fit, in words.
fn with_smaller(source: &Source, options: &Options) -> Option<String> {
    let (_, changed) = with_smaller_blocks(source, options)?;
    let blocks: Vec<String> =
        changed.iter().map(|SmallerBlock { layer, block, .. }| format!("`block = {block}` for `{layer}`")).collect();
    Some(format!("it fits with {}, which --fit takes: it learns otherwise then", blocks.join(", ")))
}

/// Which sizes of blocks must be left out of the text so that the network fits, if that does it: those of layers that do not
/// learn, as no answer changes with them.
fn without_sizes(network: Option<&Network>, source: &Source, options: &Options) -> Option<String> {
    let mut network = network.cloned().or_else(|| Network::parse(source).ok())?;
    let mut names = Vec::new();
    for node in network.graph.node_weights_mut() {
        match node {
            Node::Layer(layer) if layer.cut_said && layer.learning == Learning::None => {
                (layer.cut_said, layer.block_rows) = (false, None);
                layer.block = layer.kind.default_block(&layer.shape);
                names.push(format!("`{}`", layer.name));
            }
            Node::Pool(pool) if pool.cut_said => {
                pool.cut_said = false;
                names.push(format!("`{}`", pool.name));
            }
            _ => {}
        }
    }
    let fits =
        !names.is_empty() && tried(Some(network), source, options, &mut Probes::default(), &mut |_, _| {}).is_ok();
    fits.then(|| {
        format!("it fits if `block` and `rows` of {} are left out: the compiler then chooses them", names.join(", "))
    })
}

/// The keys with the values that make a network fit, each as small as can be, by doubling.
fn change(
    network: Option<&Network>,
    source: &Source,
    options: &Options,
    known: &mut Probes,
) -> Option<Vec<(&'static str, String)>> {
    let with = |doublings: &[u32; ROOM.len()]| -> Option<(Chip, Vec<(&'static str, String)>)> {
        let mut chip = options.chip.clone();
        let mut change = Vec::new();
        for ((key, double), &times) in ROOM.iter().zip(doublings).filter(|(_, times)| **times > 0) {
            let mut value = None;
            for _ in 0..times {
                value = Some(double(&mut chip)?);
            }
            change.push((*key, value?));
        }
        chip.validate().is_ok().then_some((chip, change))
    };
    let mut fits = |doublings: &[u32; ROOM.len()]| {
        let Some((chip, _)) = with(doublings) else { return false };
        let options = Options { chip, ..options.clone() };
        tried(network.cloned(), source, &options, known, &mut |_, _| {}).is_ok()
    };
    let all = (1..=MOST_DOUBLINGS).map(|times| [times; ROOM.len()]);
    // A mesh is not doubled as often as memories are.
    let all = all.map(|mut doublings| {
        doublings[ROOM.len() - 1] = doublings[ROOM.len() - 1].min(3);
        doublings
    });
    let mut doublings = all.into_iter().find(&mut fits)?;
    for key in 0..ROOM.len() {
        for fewer in 0..doublings[key] {
            let mut smaller = doublings;
            smaller[key] = fewer;
            if fits(&smaller) {
                doublings = smaller;
                break;
            }
        }
    }
    with(&doublings).map(|(_, change)| change)
}
