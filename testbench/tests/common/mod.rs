//! The emulated chip beside the composed model: what several tests ask of both.

use onward_chip::Chip;
use onward_compile::{Options, compile};
use onward_diagnostic::Source;
use onward_emulate::Engine;
use onward_image::{Image, PopulationKind};
use onward_net::Network;
use testbench::model::{Model, Noise};

/// What differs, in words; `Ok` if nothing does.
pub type Comparison = Result<(), String>;

/// A text as the language's own parser reads it.
pub fn parsed(text: &str) -> Network {
    let source = Source::new("case.sp", text);
    Network::parse(&source).unwrap_or_else(|errors| panic!("{text}\n{}", source.render(&errors)))
}

/// A text on a chip, its weights drawn by a seed.
pub fn compiled(text: &str, chip: Chip, seed: u64) -> Image {
    let source = Source::new("case.sp", text);
    compile(&source, &Options::new(chip, seed)).unwrap_or_else(|errors| panic!("{text}\n{}", source.render(&errors)))
}

/// The blocks of layers: each with its logical number, its layer, by number, and its own number within the layer.
pub fn layer_blocks(image: &Image) -> Vec<[usize; 3]> {
    let mut blocks: Vec<[usize; 3]> = Vec::new();
    let mut last = None;
    for (number, block) in image.blocks.iter().enumerate() {
        if !matches!(image.network.populations[block.population].kind, PopulationKind::Layer { .. }) {
            continue;
        }
        blocks.push(match blocks.last() {
            Some(&[_, layer, at]) if last == Some(block.population) => [number, layer, at + 1],
            Some(&[_, layer, _]) => [number, layer + 1, 0],
            None => [number, 0, 0],
        });
        last = Some(block.population);
    }
    blocks
}

/// The same by logical number, where layers stand before all else that has blocks.
pub fn places(image: &Image) -> Vec<(usize, usize)> {
    layer_blocks(image).into_iter().map(|[_, layer, at]| (layer, at)).collect()
}

/// An array of a block on the chip.
pub fn peek(machine: &dyn Engine, block: usize, name: &str) -> Option<Vec<i64>> {
    machine.peek(block.into(), name).map(|values| values.into_iter().map(i64::from).collect())
}

/// The model of a network with the weights that a machine begins with.
pub fn modelled(network: &Network, image: &Image, machine: &dyn Engine, seed: u64) -> Model<i64> {
    let mut model = Model::new(network, seed);
    for [number, layer, at] in layer_blocks(image) {
        model.layers[layer].blocks[at].noise = Noise::new(seed, number);
        for name in ["weights", "own_weights", "target_weights", "table"] {
            if let Some(values) = peek(machine, number, name) {
                model.layers[layer].give(at, name, &values);
            }
        }
    }
    model
}

/// Whether an array is the same on both sides.
pub fn same(what: &str, chip: &[i64], model: &[i64]) -> Comparison {
    if chip.len() != model.len() {
        return Err(format!("{what}: {} elements on the chip, {} in the model", chip.len(), model.len()));
    }
    match chip.iter().zip(model).position(|(chip, model)| chip != model) {
        Some(at) => Err(format!("{what}, element {at}: {} on the chip, {} in the model", chip[at], model[at])),
        None => Ok(()),
    }
}

/// Whether arrays of a block are the same: each is named with whether the chip has it. What of these is named again may differ.
pub fn same_arrays(
    machine: &dyn Engine,
    model: &Model<i64>,
    [number, layer, at]: [usize; 3],
    names: &[(&str, bool)],
    but: &[&str],
) -> Comparison {
    for &(name, exists) in names {
        let what = format!("`{name}` of block {number} (layer {layer}, block {at} of it)");
        let expected = model.layers[layer].array(at, name).ok_or_else(|| format!("no {what} in the model"))?;
        match peek(machine, number, name) {
            Some(found) if exists && !but.contains(&name) => same(&what, &found, &expected)?,
            Some(_) if exists => {}
            None if !exists => {}
            found => return Err(format!("{what}: is it on the chip? {}", found.is_some())),
        }
    }
    Ok(())
}
