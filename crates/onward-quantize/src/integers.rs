//! Integers of neurons, and how numbers of the text become such.

use crate::scale::Scale;
use onward_diagnostic::Diagnostic;
use onward_net::{Layer, Values};

/// An integer for all neurons, or one for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Integers {
    /// The same.
    Same(i32),
    /// By neuron.
    Each(Vec<i32>),
}

impl Integers {
    /// That of a neuron.
    pub fn of(&self, neuron: u32) -> i32 {
        match self {
            Integers::Same(value) => *value,
            Integers::Each(values) => values[neuron as usize],
        }
    }

    pub(crate) fn largest(&self) -> f64 {
        match self {
            Integers::Same(value) => f64::from(*value).abs(),
            Integers::Each(values) => values.iter().map(|&value| f64::from(value).abs()).fold(0.0, f64::max),
        }
    }
}

/// The numbers of `values`, as many as asked for.
pub(crate) fn numbers(values: &Values, count: usize, what: &str, layer: &Layer) -> Result<Vec<f64>, Diagnostic> {
    let wrong = |message: String| Diagnostic::new(layer.span.clone(), message);
    match values {
        Values::Constant(value) => Ok(vec![*value; count]),
        Values::Array(array) if array.values.len() == count => Ok(array.values.clone()),
        Values::Array(array) => Err(wrong(format!(
            "the {what} of layer `{}` are {} numbers, there must be {count}",
            layer.name,
            array.values.len()
        ))),
        Values::File(file) => Err(Diagnostic::new(file.span.clone(), format!("`{}` was not read", file.path))
            .help("load the network's files before it is compiled")),
    }
}

/// Numbers of neurons, each turned into an integer by what 1.0 is in its neuron.
pub(crate) fn integers(
    values: &Values,
    layer: &Layer,
    what: &str,
    scale: &Scale,
    to_integer: impl Fn(f64, f64) -> f64,
) -> Result<Integers, Diagnostic> {
    let integer = |value: f64, scale: f64| {
        // The language keeps numbers and the format keeps units small enough; a network made by hand may not.
        to_integer(value, scale).round().clamp(f64::from(i32::MIN), f64::from(i32::MAX)) as i32
    };
    match (values, scale) {
        (Values::Constant(value), Scale::Same(scale)) => Ok(Integers::Same(integer(*value, *scale))),
        (Values::Constant(0.0), _) => Ok(Integers::Same(integer(0.0, scale.greatest()))),
        _ => {
            let all = numbers(values, layer.neurons() as usize, what, layer)?;
            let all = all.into_iter().enumerate().map(|(neuron, value)| integer(value, scale.of(neuron)));
            Ok(Integers::Each(all.collect()))
        }
    }
}

/// The greatest magnitude of the numbers.
pub(crate) fn largest_of(values: &Values) -> f64 {
    match values {
        Values::Constant(value) => value.abs(),
        Values::Array(array) => array.values.iter().fold(0.0, |largest: f64, value| largest.max(value.abs())),
        Values::File(_) => 0.0,
    }
}
