//! The ways that spikes take from where they arise to neurons, and what is added to them underway.

use super::error::NirError;
use super::graph::{Graph, Kind, Node};
use super::matrix::Matrix;
use super::shape::{Shape, size, spread};
use std::collections::HashMap;

/// Ways to one node at most; their number may grow with two to the number of nodes.
const PATHS_MAX: usize = 64;

/// Nodes without neurons in a row at most.
const CHAIN_MAX: usize = 256;

/// Steps of a delay at most.
const DELAY_MAX: u32 = 256;

/// A way of spikes.
#[derive(Clone)]
pub(super) struct Path {
    /// The input or neurons, as an index of nodes.
    pub source: usize,
    /// Steps of all delays on the way.
    pub delay: u32,
    /// Nodes without neurons on the way, the first first. Delays are not among them: it is all the same where they are.
    pub chain: Vec<usize>,
}

/// Finds paths, and the constants that are added on them.
pub(super) struct Tracer<'a> {
    graph: &'a Graph,
    shapes: &'a [Option<Shape>],
    time_step: f64,
    offsets: HashMap<usize, Option<Vec<f64>>>,
    /// Said once: delays that are no whole number of steps.
    pub notes: Vec<String>,
}

impl<'a> Tracer<'a> {
    pub fn new(graph: &'a Graph, shapes: &'a [Option<Shape>], time_step: f64) -> Tracer<'a> {
        Tracer { graph, shapes, time_step, offsets: HashMap::new(), notes: Vec::new() }
    }

    /// All ways to a node.
    pub fn paths(&mut self, target: usize) -> Result<Vec<Path>, NirError> {
        let mut found = Vec::new();
        self.extend(target, target, &mut Vec::new(), &mut found)?;
        Ok(found)
    }

    /// Adds the ways to the node `index`, whose way on to the target is `behind`, the last node first.
    fn extend(
        &mut self,
        target: usize,
        index: usize,
        behind: &mut Vec<usize>,
        found: &mut Vec<Path>,
    ) -> Result<(), NirError> {
        for &source in &self.graph.sources[index] {
            let node = &self.graph.nodes[source];
            let Some(shape) = &self.shapes[source] else {
                let cause =
                    format!("no path leads to it from an Input, but it feeds `{}`", self.graph.nodes[index].path);
                return Err(NirError::node(&node.path, cause, "connect it, or take it out"));
            };
            match &node.kind {
                Kind::Input(_) => self.found(target, source, behind, found)?,
                Kind::Neurons(neurons) if neurons.model.fires() => self.found(target, source, behind, found)?,
                Kind::Neurons(neurons) => {
                    let cause = format!(
                        "it is an {} node in the midst of the network: what it sends to `{}` is a voltage, and only spikes \
                         travel on the chip",
                        neurons.model.name(),
                        self.graph.nodes[index].path
                    );
                    let help =
                        "use neurons that fire (LIF for LI, IF for I, CubaLIF for CubaLI), or make it the last node";
                    return Err(NirError::node(&node.path, cause, help));
                }
                Kind::Output(_) => {
                    return Err(NirError::node(
                        &node.path,
                        "an Output has an edge to another node",
                        "take the edge out",
                    ));
                }
                kind => {
                    if behind.contains(&source) {
                        let names: Vec<&str> =
                            behind.iter().rev().map(|&node| self.graph.nodes[node].path.as_str()).collect();
                        let cause = format!("it is in a cycle without neurons: {}", names.join(", "));
                        return Err(NirError::node(&node.path, cause, "a cycle must lead through neurons that fire"));
                    }
                    if let Kind::Delay(delay) = kind {
                        let steps = spread(delay, shape);
                        self.check_delay(node, &steps)?;
                    }
                    if behind.len() >= CHAIN_MAX {
                        let cause = format!("more than {CHAIN_MAX} nodes without neurons follow each other");
                        return Err(NirError::node(&node.path, cause, "compose them into fewer"));
                    }
                    behind.push(source);
                    self.extend(target, source, behind, found)?;
                    behind.pop();
                }
            }
        }
        Ok(())
    }

    fn found(&mut self, target: usize, source: usize, behind: &[usize], found: &mut Vec<Path>) -> Result<(), NirError> {
        let mut path = Path { source, delay: 0, chain: Vec::new() };
        for &node in behind.iter().rev() {
            match &self.graph.nodes[node].kind {
                Kind::Delay(delay) => path.delay = path.delay.saturating_add(self.steps(delay.values[0])),
                Kind::Wire(_) => {}
                _ => path.chain.push(node),
            }
        }
        let place = &self.graph.nodes[target].path;
        if path.delay > DELAY_MAX {
            let cause = format!(
                "the delays on the way to it from `{}` are {} steps of {}",
                self.graph.nodes[source].path, path.delay, self.time_step
            );
            let help = format!("at most {DELAY_MAX} steps; a longer time step (--dt) makes them fewer");
            return Err(NirError::node(place, cause, help));
        }
        found.push(path);
        if found.len() > PATHS_MAX {
            let cause = format!("more than {PATHS_MAX} paths without neurons lead to it");
            return Err(NirError::node(place, cause, "compose the nodes on the way into fewer"));
        }
        Ok(())
    }

    fn steps(&self, delay: f64) -> u32 {
        (delay / self.time_step).round() as u32 // saturates
    }

    fn check_delay(&mut self, node: &Node, delays: &[f64]) -> Result<(), NirError> {
        let (least, greatest) = delays.iter().fold((f64::MAX, f64::MIN), |(a, b), &delay| (a.min(delay), b.max(delay)));
        if least < 0.0 {
            let cause = format!("its delay is {least}, before what it comes from");
            return Err(NirError::node(&node.path, cause, "delays are 0 or more"));
        }
        if self.steps(least) != self.steps(greatest) {
            let cause = format!("its delays are between {least} and {greatest}: not the same for all");
            let help = "a delay holds for all spikes of a node; use a Delay node for each delay";
            return Err(NirError::node(&node.path, cause, help));
        }
        let steps = least / self.time_step;
        if (steps - steps.round()).abs() > 0.01 {
            self.notes.push(format!(
                "the delay of `{}`, {least}, is {steps:.2} steps; it becomes {}",
                node.path,
                steps.round()
            ));
        }
        Ok(())
    }

    /// What biases add up to at the entrance of a node; nothing for zero.
    pub fn offset(&mut self, node: usize) -> Result<Option<Vec<f64>>, NirError> {
        let mut sum: Option<Vec<f64>> = None;
        for &source in &self.graph.sources[node] {
            let added = match (&self.graph.nodes[source].kind, &self.shapes[source]) {
                (Kind::Input(_) | Kind::Neurons(_), _) | (_, None) => None,
                _ => self.offset_behind(source)?,
            };
            sum = match (sum, added) {
                (Some(mut sum), Some(added)) => {
                    sum.iter_mut().zip(&added).for_each(|(sum, added)| *sum += added);
                    Some(sum)
                }
                (sum, added) => sum.or(added),
            };
        }
        Ok(sum)
    }

    /// The same at the exit of a node without neurons. Paths are known, so there is no cycle.
    fn offset_behind(&mut self, index: usize) -> Result<Option<Vec<f64>>, NirError> {
        if let Some(known) = self.offsets.get(&index) {
            return Ok(known.clone());
        }
        let node = &self.graph.nodes[index];
        let output = self.shapes[index].clone().unwrap_or_default();
        let mut offset = self.offset(index)?;
        if let Some(before) = &mut offset {
            let input =
                self.graph.sources[index].iter().find_map(|&source| self.shapes[source].clone()).unwrap_or_default();
            *before = Matrix::of_node(node, &input, &output)?.apply(before);
        }
        let bias = match &node.kind {
            Kind::Linear(_, bias) => bias.clone(),
            Kind::Convolution(convolution) => convolution.bias.as_ref().map(|bias| {
                let places = size(&output) / bias.len();
                bias.iter().flat_map(|&value| std::iter::repeat_n(value, places)).collect()
            }),
            _ => None,
        };
        let bias = bias.filter(|bias: &Vec<f64>| bias.iter().any(|value| *value != 0.0));
        let sum = match (offset, bias) {
            (Some(offset), Some(bias)) => Some(offset.iter().zip(&bias).map(|(a, b)| a + b).collect()),
            (offset, bias) => offset.or(bias),
        };
        self.offsets.insert(index, sum.clone());
        Ok(sum)
    }
}
