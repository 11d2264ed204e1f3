//! What layers have learned as arrays, for other tools and back.
//!
//! A layer's arrays are put together from its blocks, in the shapes that frameworks have: `weight` and `target_weight` as
//! `[neuron][axon]`, of a convolution `weight` as `[channel][channel that comes in][y][x]`, `bias` as `[neuron]`, `target_count` (what each target last evoked, which answers are found by) as
//! `[class][neuron]`, `target_table` (of a layer that the target reaches directly) as `[class][neuron]`, of a convolution as
//! `[class][cell][channel]`. Real values are exact: integers times a power of two; rounded back they are the same integers.

use npyz::{WriteOptions, WriterBuilder};
use onward_diagnostic::Remedy;
use onward_emulate::Engine;
use onward_image::{Block, BlockIndex, FractionBits, Image, Kernel, Order, PopulationIndex, PopulationKind, Symbol};
use onward_profile::Spike;
use std::borrow::Cow;
use std::io::{self, Cursor};
use zip::write::SimpleFileOptions;
use zip::{DateTime, ZipWriter};

/// How an array lies in a block, and what its numbers are.
#[derive(Clone, Copy)]
struct Kind {
    /// On the chip.
    symbol: &'static str,
    /// In a file.
    name: &'static str,
    /// Whether its rows, an axon each, are columns in a file.
    by_axon: bool,
    /// The fraction bits of its numbers, of those of the layer; whole numbers have none.
    fraction: fn(FractionBits) -> i32,
}

/// The rows that classes are compared by, where the target reaches a layer directly.
const TABLE: &str = "table";

/// Fraction bits of an entry of such a row.
const TABLE_FRACTION_BITS: i32 = 10;

const KINDS: [Kind; 10] = [
    Kind { symbol: "weights", name: "weight", by_axon: true, fraction: |bits| bits.weights },
    Kind { symbol: "target_weights", name: "target_weight", by_axon: true, fraction: |bits| bits.target_weights },
    Kind { symbol: "own_weights", name: "own_weight", by_axon: true, fraction: |bits| bits.weights },
    Kind { symbol: "bias", name: "bias", by_axon: false, fraction: |bits| bits.membrane },
    Kind { symbol: "target_count", name: "target_count", by_axon: false, fraction: |_| 0 },
    Kind { symbol: "target_potential", name: "target_potential", by_axon: false, fraction: |_| 0 },
    Kind { symbol: TABLE, name: "target_table", by_axon: false, fraction: |_| TABLE_FRACTION_BITS },
    // What follows has fraction bits of its own.
    Kind { symbol: "mean_count", name: "mean_count", by_axon: false, fraction: |_| 0 },
    Kind { symbol: "mean_square", name: "mean_square", by_axon: false, fraction: |_| 0 },
    Kind { symbol: "velocity", name: "velocity", by_axon: true, fraction: |_| 0 },
];

/// An array of a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LearnedArray {
    /// `hidden1.weight`.
    pub name: String,
    /// Extents, outermost first.
    pub shape: Vec<usize>,
    /// The numbers as the chip has them, row-major.
    pub integers: Vec<i32>,
    /// An integer stands for itself times 2 to the power of minus this.
    pub fraction_bits: i32,
}

/// Why arrays cannot be given to a layer.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WeightsError {
    /// No array is one of a layer.
    #[error("holds no array of a layer that learns here")]
    Foreign {
        /// What could have been there.
        expected: String,
    },
    /// An array has another shape.
    #[error("`{name}` has the shape {found:?}, and the network's is {expected:?}")]
    Shape {
        /// The array.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// The layer's.
        expected: Vec<usize>,
    },
    /// A number is none.
    #[error("`{name}{place}` is {value}")]
    Number {
        /// The array.
        name: String,
        /// Where in it: `[3, 0]`.
        place: String,
        /// What stands there.
        value: String,
    },
}

impl Remedy for WeightsError {
    fn remedy(&self) -> Option<Cow<'_, str>> {
        Some(match self {
            WeightsError::Foreign { expected } => format!("there are {expected}").into(),
            WeightsError::Shape { .. } => "it is of another network".into(),
            WeightsError::Number { .. } => "put a number there, or train it anew".into(),
        })
    }
}

/// What was given to the layers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// Arrays.
    pub arrays: usize,
    /// Numbers that were rounded.
    pub rounded: usize,
    /// Numbers beyond what the width holds, which became its greatest or least.
    pub clamped: usize,
}

/// A layer or readout whose weights are learned: its number, its fraction bits, and how its kernels lie.
fn learners(image: &Image) -> impl Iterator<Item = (PopulationIndex, FractionBits, Option<&Kernel>)> + '_ {
    image.network.numbered().filter_map(|(number, population)| match &population.kind {
        PopulationKind::Layer { schedule: Some(_), fraction_bits, kernel } => {
            Some((number, *fraction_bits, kernel.as_ref()))
        }
        &PopulationKind::ValueReadout { fraction_bits, .. }
        | &PopulationKind::LearningReadout { fraction_bits: Some(fraction_bits), .. } => {
            let fraction_bits = FractionBits { weights: fraction_bits, membrane: fraction_bits, target_weights: 0 };
            Some((number, fraction_bits, None))
        }
        _ => None,
    })
}

/// Columns of an array of a block: its neurons; of kernels, which neurons share, its channels.
fn columns(block: &Block, kernels: bool) -> u32 {
    match block.order {
        Order::Plane(plane) if kernels => plane.channels,
        _ => block.neurons,
    }
}

/// Cells of a plane that each row of a block's array has a column a channel for; 1 of other arrays.
fn cells(block: &Block, symbol: &Symbol) -> u32 {
    match block.order {
        Order::Plane(plane) if symbol.name == TABLE => (symbol.columns / plane.channels.max(1)).max(1),
        _ => 1,
    }
}

/// The blocks of a layer with their numbers, where each has such an array with a column a neuron, or of `kernels` a column a
/// channel.
fn blocks_with<'a>(
    image: &'a Image,
    population: PopulationIndex,
    symbol: &str,
    kernels: bool,
) -> Vec<(BlockIndex, &'a Block)> {
    let blocks: Vec<(BlockIndex, &Block)> = image.blocks_of(population).collect();
    let fits = |block: &Block| {
        let of_block = block.symbol(symbol).map(|symbol| symbol.columns / cells(block, symbol));
        of_block == Some(columns(block, kernels))
    };
    if blocks.iter().all(|(_, block)| fits(block)) { blocks } else { Vec::new() }
}

/// An array of a layer: where each of its numbers lies.
struct Place<'a> {
    kind: Kind,
    blocks: Vec<(BlockIndex, &'a Block)>,
    rows: usize,
    /// Neurons; of kernels, channels.
    neurons: usize,
    /// Whether it has a column a channel, not a neuron.
    shared: bool,
    width_bits: u32,
    /// By row its column in a file.
    columns: Vec<usize>,
    array: LearnedArray,
}

/// The places of a layer's input that its rows of weights are for: rows lie in the order of the axons, and blocks that hold
/// some of a plane number their neurons place by place.
fn inputs(image: &Image, population: PopulationIndex, rows: usize) -> Vec<usize> {
    let populations = &image.network.populations;
    let source = |taker: PopulationIndex| {
        let mut sources = image.network.edges.iter().filter(|(_, to)| *to == taker).map(|&(from, _)| from);
        sources.find(|&from| populations[from].kind != PopulationKind::Target)
    };
    let mut from = source(population);
    while let Some(folded) = from.filter(|&from| populations[from].kind == PopulationKind::Folded) {
        from = source(folded);
    }
    let blocks = image.blocks.iter().filter(|block| Some(block.population) == from);
    let places: Vec<usize> =
        blocks.flat_map(|block| (0..block.neurons).map(|index| block.neuron(index) as usize)).collect();
    if places.len() == rows { places } else { (0..rows).collect() }
}

impl Place<'_> {
    /// Index in the file's array of a block's element; `None` if the block does not fit its layer.
    fn index(&self, block: &Block, element: usize) -> Option<usize> {
        let columns = columns(block, self.shared) as usize;
        let (row, column) = (element / columns, (element % columns) as u32);
        let neuron = match block.order {
            Order::Plane(plane) if self.shared => plane.first_channel + column,
            _ => block.neuron(column),
        } as usize;
        if neuron >= self.neurons || row >= self.rows {
            return None;
        }
        Some(if self.kind.by_axon { neuron * self.rows + self.columns.get(row)? } else { row * self.neurons + neuron })
    }
}

/// The arrays of all layers that learn, without their numbers.
fn places(image: &Image) -> Vec<Place<'_>> {
    let mut places = Vec::new();
    for (population, fraction_bits, kernel) in learners(image) {
        let layer = &image.network.populations[population];
        for kind in KINDS {
            let is_of_cells = kernel.is_some() && kind.symbol == TABLE;
            let is_of_channels = kernel.is_some() && matches!(kind.symbol, "bias" | "mean_count");
            let kernel = kernel.filter(|_| kind.symbol == "weights");
            let shared = kernel.is_some() || is_of_cells || is_of_channels;
            let blocks = blocks_with(image, population, kind.symbol, shared);
            let Some((block, symbol)) =
                blocks.first().and_then(|(_, block)| Some((*block, block.symbol(kind.symbol)?)))
            else {
                continue;
            };
            let cells = cells(block, symbol) as usize;
            let rows = symbol.rows as usize * cells;
            let neurons = match block.order {
                Order::Plane(plane) if shared => layer.neurons / (plane.height * plane.width).max(1),
                _ => layer.neurons,
            } as usize;
            let shape = match (kernel, kind.by_axon, rows) {
                (Some(kernel), ..) => [neurons].into_iter().chain(kernel.shape.map(|extent| extent as usize)).collect(),
                (None, ..) if is_of_cells => vec![rows / cells, cells, neurons],
                (None, true, _) => vec![neurons, rows],
                (None, false, 1) => vec![neurons],
                (None, false, _) => vec![rows, neurons],
            };
            let array = LearnedArray {
                name: format!("{}.{}", layer.name, kind.name),
                shape,
                integers: Vec::new(),
                fraction_bits: (kind.fraction)(fraction_bits),
            };
            let columns = match (kernel, kind.symbol) {
                (Some(kernel), _) => kernel.taps.iter().map(|&tap| tap as usize).collect(),
                (None, "weights" | "velocity") => inputs(image, population, rows),
                _ => (0..rows).collect(),
            };
            places.push(Place {
                kind,
                columns,
                rows,
                neurons,
                shared,
                width_bits: u32::from(symbol.width_bits),
                array,
                blocks,
            });
        }
    }
    places
}

/// What the layers and trained readouts of a machine have learned.
pub fn learned_arrays(machine: &dyn Engine, image: &Image) -> Vec<LearnedArray> {
    let filled = places(image).into_iter().map(|place| {
        let mut integers = vec![0; place.rows * place.neurons];
        for &(number, block) in &place.blocks {
            for (element, value) in machine.peek(number, place.kind.symbol).into_iter().flatten().enumerate() {
                if let Some(integer) = place.index(block, element).and_then(|at| integers.get_mut(at)) {
                    *integer = value;
                }
            }
        }
        LearnedArray { integers, ..place.array }
    });
    filled.collect()
}

/// Gives arrays to the layers of a machine, over the configuration port: `find` says shape and real numbers of an array by
/// its name. What it does not find stays as it is.
///
/// # Errors
/// Arrays that are not the network's; nothing was written then.
pub fn give_weights(
    machine: &mut dyn Engine,
    image: &Image,
    find: impl Fn(&str) -> Option<(Vec<usize>, Vec<f64>)>,
) -> Result<Given, WeightsError> {
    let mut given = Given::default();
    let mut writes = Vec::new();
    let places = places(image);
    for place in &places {
        let name = &place.array.name;
        let Some((shape, values)) = find(name) else { continue };
        if shape != place.array.shape {
            return Err(WeightsError::Shape { name: name.clone(), found: shape, expected: place.array.shape.clone() });
        }
        if let Some((at, &value)) = values.iter().enumerate().find(|(_, value)| !value.is_finite()) {
            return Err(WeightsError::Number { name: name.clone(), place: place_in(&shape, at), value: real(value) });
        }
        let scale = 2f64.powi(place.array.fraction_bits);
        let most = 2f64.powi(place.width_bits as i32 - 1);
        let mut integer = |value: f64| {
            let scaled = value * scale;
            let rounded = scaled.round_ties_even();
            let held = rounded.clamp(-most, most - 1.0);
            given.clamped += usize::from((held - rounded).abs() > 0.0);
            given.rounded += usize::from((rounded - scaled).abs() > 0.0);
            held as i32
        };
        for &(number, block) in &place.blocks {
            let elements = place.rows * columns(block, place.shared) as usize;
            let of_block =
                (0..elements).map(|element| place.index(block, element).map_or(0, |at| integer(values[at]))).collect();
            writes.push((number, place.kind.symbol, of_block));
        }
        given.arrays += 1;
    }
    if given.arrays == 0 {
        let names: Vec<String> = places.iter().map(|place| format!("`{}`", place.array.name)).collect();
        return Err(WeightsError::Foreign { expected: names.join(", ") });
    }
    for (block, symbol, values) in writes {
        let values: Vec<i32> = values;
        machine.write(block, symbol, &values);
    }
    Ok(given)
}

/// The bytes of a `.npz` file: of each array the real numbers under its name, and the integers as `NAME.integer`. The same
/// arrays give the same bytes.
///
/// # Errors
/// If an array is too large for the format.
pub fn to_npz(arrays: &[LearnedArray]) -> io::Result<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().last_modified_time(DateTime::default());
    for array in arrays {
        let shape: Vec<u64> = array.shape.iter().map(|&extent| extent as u64).collect();
        let scale = 2f64.powi(-array.fraction_bits);
        archive.start_file(npyz::npz::file_name_from_array_name(&array.name), options)?;
        let mut reals = WriteOptions::new().default_dtype().shape(&shape).writer(&mut archive).begin_nd()?;
        reals.extend(array.integers.iter().map(|&integer| f64::from(integer) * scale))?;
        reals.finish()?;
        let name = format!("{}.integer", array.name);
        archive.start_file(npyz::npz::file_name_from_array_name(&name), options)?;
        let mut integers = WriteOptions::new().default_dtype().shape(&shape).writer(&mut archive).begin_nd()?;
        integers.extend(array.integers.iter().copied())?;
        integers.finish()?;
    }
    Ok(archive.finish()?.into_inner())
}

/// A real number as messages show it.
pub(crate) fn real(value: f64) -> String {
    if value.is_nan() { "not a number (NaN)".to_owned() } else { value.to_string() }
}

/// Where the number `at` of an array of this shape is, as Python writes it: `[3, 0]`.
pub(crate) fn place_in(shape: &[usize], at: usize) -> String {
    let mut rest = at;
    let mut indices: Vec<String> = Vec::new();
    for &extent in shape.iter().rev() {
        indices.push((rest % extent.max(1)).to_string());
        rest /= extent.max(1);
    }
    indices.reverse();
    if indices.is_empty() { String::new() } else { format!("[{}]", indices.join(", ")) }
}

/// Spikes as an array for NumPy (`.npy`): a row of sample, step and neuron each.
///
/// # Errors
/// If there are more than the format holds.
pub fn spikes_to_npy(spikes: &[Spike]) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let shape = [spikes.len() as u64, 3];
    let mut rows = WriteOptions::new().default_dtype().shape(&shape).writer(&mut bytes).begin_nd()?;
    rows.extend(spikes.iter().flat_map(|spike| [spike.sample, spike.step, spike.neuron]))?;
    rows.finish()?;
    Ok(bytes)
}
