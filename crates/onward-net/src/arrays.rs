//! Arrays of numbers and what they belong to: the shapes and ranges that a layer expects.

use crate::network::{Layer, LayerKind, Sparse};
use crate::values::{Array, PerNeuron, Values};
use crate::weights::{Initial, WEIGHT_MAX, Weights};
use std::ops::RangeInclusive;

/// A place of a layer where an array may stand.
pub(crate) struct Place<'a> {
    /// Name of the array among the layer's arrays in a file.
    pub member: &'static str,
    /// Name of the array in messages.
    pub what: &'static str,
    pub values: &'a mut Values,
    holds: Holds,
}

/// Kind of thing that each number of a place belongs to.
enum Holds {
    /// Each number, in the range, belongs to a neuron.
    Neurons(RangeInclusive<f64>),
    /// Each row belongs to a pair of axon and neuron.
    Connections,
    /// Each number is a weight from the source.
    Weights,
    /// Each number is a weight from the layer itself.
    Recurrent,
}

/// A place, and what an array in it is to look like.
pub(crate) struct Slot<'a> {
    pub place: Place<'a>,
    expects: Expects,
}

/// Shape and range that a place expects of an array.
#[derive(Clone)]
enum Expects {
    /// One number for each neuron of a layer of this shape, or for each of its channels.
    Neurons { shape: Vec<usize>, range: RangeInclusive<f64> },
    /// A shape, and others that are the same row-major.
    Weights { shape: Vec<usize>, same: Vec<Vec<usize>>, axes: &'static str },
    /// Rows of axon, neuron and weight.
    Connections { inputs: usize, neurons: usize },
}

/// Reason why an array does not fit, and its remedy.
#[derive(Clone)]
pub(crate) struct Misfit {
    pub message: String,
    pub help: String,
}

fn sizes(shape: &[u32]) -> Vec<usize> {
    shape.iter().map(|&size| size as usize).collect()
}

/// The places of a layer where arrays may stand.
pub(crate) fn places(layer: &mut Layer) -> Vec<Place<'_>> {
    let numbers = layer.neuron.numbers().into_iter();
    let mut places: Vec<Place> = numbers
        .map(|PerNeuron { member, what, range, values }| Place { member, what, values, holds: Holds::Neurons(range) })
        .collect();
    if let LayerKind::Sparse(Sparse { connections: values }) = &mut layer.kind {
        let holds = Holds::Connections;
        places.push(Place { member: "connections", what: "table of connections", values, holds });
    }
    if let Initial::Given(values) = &mut layer.weights.initial {
        places.push(Place { member: "weight", what: "weights", values, holds: Holds::Weights });
    }
    if let Some(Weights { initial: Initial::Given(values), .. }) = &mut layer.recurrent {
        let holds = Holds::Recurrent;
        places.push(Place { member: "recurrent_weight", what: "recurrent weights", values, holds });
    }
    places
}

/// The places of a layer with a source of shape `signal`, with what their arrays are to look like; `fan_in` counts the weights of
/// a convolution's neuron.
pub(crate) fn slots<'a>(layer: &'a mut Layer, signal: &[u32], fan_in: u32) -> Vec<Slot<'a>> {
    let (shape, source) = (sizes(&layer.shape), sizes(signal));
    let (neurons, inputs) = (shape.iter().product::<usize>(), source.iter().product::<usize>());
    let weights = weights(&layer.kind, &shape, &source, fan_in);
    let with_expectation = |place: Place<'a>| {
        let expects = match &place.holds {
            Holds::Neurons(range) => Expects::Neurons { shape: shape.clone(), range: range.clone() },
            Holds::Connections => Expects::Connections { inputs, neurons },
            Holds::Weights => weights.clone()?,
            Holds::Recurrent => {
                let same = vec![[shape.clone(), shape.clone()].concat()];
                Expects::Weights { shape: vec![neurons, neurons], same, axes: "[from][to]" }
            }
        };
        Some(Slot { place, expects })
    };
    places(layer).into_iter().filter_map(with_expectation).collect()
}

/// Shape that a layer expects of its weights; nothing if they are part of its table.
fn weights(kind: &LayerKind, shape: &[usize], source: &[usize], fan_in: u32) -> Option<Expects> {
    match kind {
        LayerKind::Dense => {
            let expected = vec![shape.iter().product(), source.iter().product()];
            Some(Expects::Weights { shape: expected, same: vec![[shape, source].concat()], axes: "[neuron][axon]" })
        }
        LayerKind::Convolution(convolution) if !convolution.joined.is_empty() => {
            let shape = vec![convolution.channels as usize, fan_in as usize];
            Some(Expects::Weights { shape, same: Vec::new(), axes: "[channel][weights of one kernel after the other]" })
        }
        LayerKind::Convolution(convolution) => {
            let channels = if source.len() == 3 { source[0] } else { 1 };
            let [height, width] = convolution.kernel.map(|size| size as usize);
            let group = channels / convolution.groups.max(1) as usize;
            let expected = vec![convolution.channels as usize, group, height, width];
            // One-dimensional kernels come without a height.
            let same = if height == 1 { vec![vec![expected[0], group, width]] } else { Vec::new() };
            Some(Expects::Weights { shape: expected, same, axes: "[channel][channel of the group][y][x]" })
        }
        LayerKind::Sparse(_) => None,
    }
}

impl Slot<'_> {
    /// The array in the shape that later stages expect, or why it cannot be here.
    pub fn settle(&self, array: &Array) -> Result<Array, Misfit> {
        match &self.expects {
            Expects::Neurons { shape, range } => {
                self.in_range(array, range)?;
                self.per_neuron(array, shape)
            }
            Expects::Weights { shape, same, axes } => {
                self.in_range(array, &(-WEIGHT_MAX..=WEIGHT_MAX))?;
                if array.shape != *shape && !same.contains(&array.shape) {
                    return Err(self.wrong_shape(array, &format!("{} for {axes}", in_words(shape))));
                }
                Ok(Array { shape: shape.clone(), values: array.values.clone() })
            }
            Expects::Connections { inputs, neurons } => self.connections(array, *inputs, *neurons),
        }
    }

    fn per_neuron(&self, array: &Array, shape: &[usize]) -> Result<Array, Misfit> {
        let neurons: usize = shape.iter().product();
        let settled = |values| Ok(Array { shape: shape.to_vec(), values });
        if array.shape == shape || array.shape == [neurons] {
            return settled(array.values.clone());
        }
        let channels = if shape.len() == 3 { shape[0] } else { 0 };
        if channels > 0 && (array.shape == [channels] || array.shape == [channels, 1, 1]) {
            let plane = neurons / channels;
            return settled(array.values.iter().flat_map(|&value| std::iter::repeat_n(value, plane)).collect());
        }
        let per_channel = if channels > 0 { format!(" or, one a channel, {channels}") } else { String::new() };
        Err(self.wrong_shape(array, &format!("{}{per_channel}", in_words(shape))))
    }

    fn connections(&self, array: &Array, inputs: usize, neurons: usize) -> Result<Array, Misfit> {
        if !matches!(array.shape[..], [_, 3]) {
            return Err(self.wrong_shape(array, "N x 3: from, to, weight"));
        }
        let mut pairs = Vec::with_capacity(array.shape[0]);
        for (row, connection) in array.values.chunks_exact(3).enumerate() {
            for (number, count, what) in [(connection[0], inputs, "axon"), (connection[1], neurons, "neuron")] {
                if number.fract() != 0.0 || !(0.0..count as f64).contains(&number) {
                    return Err(Misfit {
                        message: format!(
                            "row {row} (from 0) of the {} names {what} {number}, which does not exist",
                            self.place.what
                        ),
                        help: format!("{what}s are numbered from 0 to {}", count.saturating_sub(1)),
                    });
                }
            }
            if !(-WEIGHT_MAX..=WEIGHT_MAX).contains(&connection[2]) {
                return Err(Misfit {
                    message: format!("row {row} (from 0) of the {} has the weight {}", self.place.what, connection[2]),
                    help: format!("weights are from -{WEIGHT_MAX} to {WEIGHT_MAX}"),
                });
            }
            pairs.push((connection[0] as usize, connection[1] as usize));
        }
        pairs.sort_unstable();
        if let Some(twice) = pairs.windows(2).find(|pair| pair[0] == pair[1]) {
            let (from, to) = twice[0];
            return Err(Misfit {
                message: format!("the {} has axon {from} and neuron {to} twice", self.place.what),
                help: "add their weights and keep one row".to_string(),
            });
        }
        Ok(array.clone())
    }

    fn in_range(&self, array: &Array, range: &RangeInclusive<f64>) -> Result<(), Misfit> {
        match array.values.iter().position(|value| !range.contains(value)) {
            Some(position) => Err(Misfit {
                message: format!("number {position} (from 0) of the {} is {}", self.place.what, array.values[position]),
                help: format!("all of them are from {} to {}", range.start(), range.end()),
            }),
            None => Ok(()),
        }
    }

    fn wrong_shape(&self, array: &Array, expected: &str) -> Misfit {
        Misfit {
            message: format!("the shape of the {} is {}", self.place.what, in_words(&array.shape)),
            help: format!("the shape must be {expected}"),
        }
    }
}

/// `2 x 3`.
pub(crate) fn in_words(shape: &[usize]) -> String {
    if shape.is_empty() {
        return "that of a single number".to_string();
    }
    shape.iter().map(ToString::to_string).collect::<Vec<_>>().join(" x ")
}
