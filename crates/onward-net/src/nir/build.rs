//! Populations and paths to the network graph.

use super::error::NirError;
use super::feed::{Feed, FeedKind, dense, each, narrow};
use super::graph::{Graph, Kind};
use super::linear::{Kernel, Link, form};
use super::matrix::Matrix;
use super::names::Names;
use super::paths::{Path, Tracer};
use super::populations::{Member, Population, populations};
use super::shape::{Shape, by_channel, is_same, plane, size};
use super::{Options, Tool};
use crate::check::side_by_side;
use crate::input::Input;
use crate::network::{Delay, Layer, LayerKind, Network, Node, Plain, Pool, PoolKind, Sparse, WindowShift};
use crate::neuron::Neuron;
use crate::readout::Readout;
use crate::rule::Learning;
use crate::values::{Array, Values};
use crate::weights::{Initial, WEIGHT_MAX, Weights};
use petgraph::graph::{DiGraph, NodeIndex};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Up to this part of all pairs, connections are listed one by one.
const SPARSE_PART: f64 = 0.25;

/// The network that a graph describes.
pub(super) fn network(
    graph: &Graph,
    shapes: &[Option<Shape>],
    options: &Options,
    notes: &mut Vec<String>,
) -> Result<Network, NirError> {
    let input = only(graph, "Input", |kind| matches!(kind, Kind::Input(_)))?;
    let output = only(graph, "Output", |kind| matches!(kind, Kind::Output(_)))?;
    check_reached(graph, shapes, input, output)?;
    let mut tracer = Tracer::new(graph, shapes, options.time_step);
    let last = last(graph, output, &mut tracer)?;
    let populations = populations(graph, shapes, last, &mut tracer, options)?;
    notes.append(&mut tracer.notes);
    notes.extend(options.tool.and_then(Tool::remark).map(str::to_owned));
    let mut builder = Builder {
        graph,
        shapes,
        options,
        network: Network {
            name: options.name.clone(),
            data: None,
            epochs: 1,
            window_steps: options.window_steps,
            augment: Vec::new(),
            graph: DiGraph::new(),
        },
        names: Names::default(),
        outlets: BTreeMap::new(),
        derived: BTreeMap::new(),
    };
    builder.input(input);
    for population in &populations {
        builder.population(population)?;
    }
    builder.readout(last, output)?;
    note_what_is_left(graph, &populations, input, output, notes);
    Ok(builder.network)
}

/// The one node of a kind.
fn only(graph: &Graph, name: &str, is_kind: impl Fn(&Kind) -> bool) -> Result<usize, NirError> {
    let found: Vec<usize> = (0..graph.nodes.len()).filter(|&index| is_kind(&graph.nodes[index].kind)).collect();
    match found[..] {
        [one] => Ok(one),
        [] => Err(NirError::file(format!("the graph has no {name} node"), format!("add one {name} node"))),
        [_, second, ..] => {
            let cause = format!("it is a second {name} node, beside `{}`", graph.nodes[found[0]].path);
            Err(NirError::node(&graph.nodes[second].path, cause, format!("a network has one {name}")))
        }
    }
}

/// Refuses an output that nothing from the input leads to.
fn check_reached(graph: &Graph, shapes: &[Option<Shape>], input: usize, output: usize) -> Result<(), NirError> {
    if shapes[output].is_some() {
        return Ok(());
    }
    let named = |nodes: Vec<usize>| {
        let names: Vec<String> = nodes.iter().map(|&node| format!("`{}`", graph.nodes[node].path)).collect();
        if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
    };
    let (mut behind, mut open) = (vec![false; graph.nodes.len()], vec![output]);
    while let Some(node) = open.pop() {
        if !std::mem::replace(&mut behind[node], true) {
            open.extend(&graph.sources[node]);
        }
    }
    let is_other = |&node: &usize| node != output && node != input;
    let before = (0..graph.nodes.len()).filter(|&node| behind[node]).filter(is_other).collect();
    let reached = (0..graph.nodes.len()).filter(|&node| shapes[node].is_some()).filter(is_other).collect();
    let cause = format!(
        "no path leads to it from `{}`: from there {} can be reached, and what leads to it is {}",
        graph.nodes[input].path,
        named(reached),
        named(before)
    );
    Err(NirError::node(&graph.nodes[output].path, cause, "add the edge that is missing between them"))
}

/// The neurons whose spikes are the output.
fn last(graph: &Graph, output: usize, tracer: &mut Tracer) -> Result<usize, NirError> {
    // Integrators that never fire may stand here, and only here.
    let mut current = output;
    let mut chain = Vec::new();
    loop {
        let node = &graph.nodes[current];
        let [source] = graph.sources[current][..] else {
            let cause = match graph.sources[current].len() {
                0 => "nothing leads to it".to_owned(),
                count => format!("{count} nodes lead to it"),
            };
            return Err(NirError::node(&node.path, cause, "the output is the spikes of one node with neurons"));
        };
        match &graph.nodes[source].kind {
            Kind::Neurons(_) => {
                if let Some(&weighted) = chain.first() {
                    let node: &super::graph::Node = &graph.nodes[weighted];
                    let cause = format!("it is a {} node between the last neurons and the Output", node.kind.name());
                    let help = "put an LI or I node behind it, which is read out as spikes, or neurons that fire";
                    return Err(NirError::node(&node.path, cause, help));
                }
                return Ok(source);
            }
            Kind::Wire(_) | Kind::Flatten { .. } => {}
            Kind::Input(_) => {
                let cause = "no neurons are between Input and Output";
                return Err(NirError::node(&node.path, cause, "a network has at least one node with neurons"));
            }
            _ if chain.len() > graph.nodes.len() => {
                // A cycle without neurons; tracing says so.
                tracer.paths(output)?;
            }
            _ => chain.push(source),
        }
        current = source;
    }
}

/// Tells of nodes that are in the file but not in the network.
fn note_what_is_left(graph: &Graph, populations: &[Population], input: usize, output: usize, notes: &mut Vec<String>) {
    let mut is_used = vec![false; graph.nodes.len()];
    let mut open: Vec<usize> = vec![input, output];
    open.extend(populations.iter().flat_map(|population| population.members.iter().map(|member| member.node)));
    while let Some(node) = open.pop() {
        if !std::mem::replace(&mut is_used[node], true) {
            open.extend(&graph.sources[node]);
        }
    }
    graph.merged.iter().for_each(|&node| is_used[node] = true);
    for (node, _) in graph.nodes.iter().zip(&is_used).filter(|&(_, &is_used)| !is_used) {
        notes.push(format!("`{}` ({}) does not lead to the Output; it is left out", node.path, node.kind.name()));
    }
}

struct Builder<'a> {
    graph: &'a Graph,
    shapes: &'a [Option<Shape>],
    options: &'a Options,
    network: Network,
    names: Names,
    /// Where the spikes of a node of the file leave.
    outlets: BTreeMap<usize, Outlet>,
    /// Pools, flattenings and delays that exist: of what node of the network, which node of the file or how many steps.
    derived: BTreeMap<(NodeIndex, Derived), NodeIndex>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Derived {
    Reshape(usize),
    Delay(u32),
    /// Neurons from this one on, of so many.
    Place(usize, usize),
}

/// Where spikes of a node of the file leave.
#[derive(Clone, Copy)]
struct Outlet {
    index: NodeIndex,
    /// The first of its neurons in the layer.
    first: usize,
    /// Neurons of the layer.
    all: usize,
}

impl Builder<'_> {
    fn shape(&self, node: usize) -> &Shape {
        self.shapes[node].as_ref().expect("it is reached from the input")
    }

    fn input(&mut self, node: usize) {
        let shape = self.shape(node).clone();
        let feeds_line = (0..self.graph.nodes.len()).any(|other| {
            matches!(&self.graph.nodes[other].kind, Kind::Convolution(convolution) if convolution.is_line)
                && self.graph.sources[other].contains(&node)
        });
        let sizes: Vec<u32> = match shape[..] {
            [] => vec![1],
            [channels, length] if feeds_line => vec![channels as u32, 1, length as u32],
            _ => narrow(&shape),
        };
        let name = self.names.give(&self.graph.nodes[node].path, "input");
        let index = self
            .network
            .add(Node::Input(Input { name, shape: sizes, encoding: self.options.encoding, span: 0..0 }), &[]);
        self.outlets.insert(node, Outlet { index, first: 0, all: size(&shape) });
    }

    /// Adds a population as a layer.
    fn population(&mut self, population: &Population) -> Result<(), NirError> {
        let member = &population.members[0];
        let is_alone = population.members.len() == 1;
        let mut feed = if is_alone { self.simple(member, population.is_recurrent) } else { None };
        if feed.is_none() && is_alone && !population.is_recurrent {
            feed = self.joined(member);
        }
        let feed = match feed {
            Some(feed) => feed,
            None => self.plain(population)?,
        };
        let names: Vec<&str> =
            population.members.iter().map(|member| self.graph.nodes[member.node].path.as_str()).collect();
        let path = names.join("_");
        let (neuron, gain) = population.neurons.neuron(names[0], population.offset().as_deref(), &feed.shape)?;
        check_weights(names[0], feed.weights(), gain)?;
        let recurrent = if population.is_recurrent { Some(self.recurrent(population, gain)?) } else { None };
        let name = self.names.give(&path, self.graph.nodes[member.node].kind.name());
        let index = self.layer(name, feed, neuron, gain, recurrent);
        let layer_shape = self.network.layer(index).shape.clone();
        let mut outlet = Outlet { index, first: 0, all: population.size() };
        // A convolution's neurons that the file has in a row.
        if is_alone && layer_shape.len() > 1 && self.shape(member.node).len() == 1 {
            let name = self.names.give(&format!("{path}_flat"), "flatten");
            let plain = Plain { name, shape: vec![outlet.all as u32], span: 0..0 };
            outlet.index = self.network.add(Node::Flatten(plain), &[index]);
        }
        for member in &population.members {
            self.outlets.insert(member.node, Outlet { first: member.first, ..outlet });
        }
        Ok(())
    }

    /// A member's connection if it has a simple form; of neurons that feed themselves it must be full.
    fn simple(&mut self, member: &Member, must_be_full: bool) -> Option<Feed> {
        let first = member.paths.first()?;
        if member.paths.iter().any(|path| self.is_part(path.source)) {
            return None;
        }
        // Paths that meet and then go on as one: their spikes are added where they meet, if until then there are no weights.
        let common = (0..)
            .take_while(|&back| {
                let node = |path: &Path| path.chain.len().checked_sub(back + 1).map(|index| path.chain[index]);
                member.paths.len() > 1
                    && node(first).is_some()
                    && member.paths.iter().all(|path| node(path) == node(first))
            })
            .count();
        let (ends, shape, chain) = match &member.paths[..] {
            [path] => {
                let end = (self.outlets[&path.source].index, path.delay, Vec::new());
                (vec![end], self.shape(path.source).clone(), &path.chain[..])
            }
            paths => {
                let (ends, shape) = self.ends(paths, common)?;
                (ends, shape, &first.chain[first.chain.len() - common..])
            }
        };
        let form = form(self.graph, self.shapes, chain, &shape)?;
        let base = self.shape_behind(self.network.graph[ends[0].0].shape(), &ends[0].2);
        if !self.can_reshape(&base, &form.reshapes) {
            return None;
        }
        let plane = match self.shape_behind(&base, &form.reshapes)[..] {
            [channels, height, width] => Some([channels, height, width].map(|size| size as usize)),
            _ => None,
        };
        let feed: Box<dyn FnOnce(NodeIndex) -> Feed> = match form.link {
            Link::Full(weights) => Box::new(|source| Feed::full(source, weights)),
            _ if must_be_full => return None,
            Link::Convolution(kernel) if plane != Some(kernel.input) => return None,
            Link::Convolution(kernel) => Box::new(|source| Feed::convolution(source, kernel)),
            Link::Each(scales) => {
                let kernel = plane.and_then(|plane| Some(each(&by_channel(&scales, plane)?, plane)))?;
                Box::new(|source| Feed::convolution(source, kernel))
            }
        };
        // Nothing fails from here on: every node that is added is used.
        let source = match &member.paths[..] {
            [path] => self.delayed(path),
            paths => {
                let delayed: Vec<NodeIndex> = paths.iter().map(|path| self.delayed(path)).collect();
                let pairs = delayed.into_iter().zip(&ends);
                let sources: Vec<NodeIndex> =
                    pairs.map(|(source, (.., reshapes))| self.reshaped(source, reshapes)).collect();
                self.sum(&sources, &self.graph.nodes[member.node].path)
            }
        };
        let source = self.reshaped(source, &form.reshapes);
        Some(feed(source))
    }

    /// A member's connection as kernels over several sources, if each of its paths is a convolution, or a weight for each place of
    /// a plane.
    fn joined(&mut self, member: &Member) -> Option<Feed> {
        let mut all: Vec<(&Path, Vec<usize>, Kernel)> = Vec::new();
        for path in &member.paths {
            if self.is_part(path.source) {
                return None;
            }
            let form = form(self.graph, self.shapes, &path.chain, self.shape(path.source))?;
            let own = self.network.graph[self.outlets[&path.source].index].shape();
            let plane = match self.shape_behind(own, &form.reshapes)[..] {
                [channels, height, width] => [channels, height, width].map(|size| size as usize),
                _ => return None,
            };
            let kernel = match form.link {
                Link::Convolution(kernel) => kernel,
                Link::Each(scales) => each(&by_channel(&scales, plane)?, plane),
                Link::Full(_) => return None,
            };
            let is_alike = all.first().is_none_or(|(.., first)| first.output == kernel.output);
            if kernel.input != plane || !self.can_reshape(own, &form.reshapes) || !is_alike {
                return None;
            }
            // Kernels of one geometry over one source are one.
            let same = all.iter_mut().find(|(other, reshapes, known)| {
                let is_same_source = (other.source, other.delay) == (path.source, path.delay);
                is_same_source && *reshapes == form.reshapes && known.geometry == kernel.geometry
            });
            match same {
                Some((.., known)) => {
                    let weights = known.weights.values.iter_mut().zip(&kernel.weights.values);
                    weights.for_each(|(known, more)| *known += more);
                }
                None => all.push((path, form.reshapes, kernel)),
            }
        }
        // Nothing fails from here on: every node that is added is used.
        let mut sources = Vec::new();
        for (path, reshapes, _) in &all {
            let delayed = self.delayed(path);
            sources.push(self.reshaped(delayed, reshapes));
        }
        let source = match sources[..] {
            [one] => one,
            _ => self.concat(&sources, &self.graph.nodes[member.node].path),
        };
        Kernel::joined(all.into_iter().map(|(.., kernel)| kernel).collect())
            .map(|kernel| Feed::convolution(source, kernel))
    }

    /// Several nodes side by side.
    fn concat(&mut self, sources: &[NodeIndex], path: &str) -> NodeIndex {
        let shapes: Vec<Vec<u32>> = sources.iter().map(|&source| self.network.graph[source].shape().to_vec()).collect();
        let name = self.names.give(&format!("{path}_sources"), "concat");
        self.network.add(Node::Concat(Plain { name, shape: side_by_side(&shapes), span: 0..0 }), sources)
    }

    /// Where paths are before their last `common` nodes, as nodes of the network, delays, and pools and flattenings behind them, if
    /// their spikes can be added there; with their shape.
    #[expect(clippy::type_complexity, reason = "used once")]
    fn ends(&self, paths: &[Path], common: usize) -> Option<(Vec<(NodeIndex, u32, Vec<usize>)>, Shape)> {
        let mut ends: Vec<(NodeIndex, u32, Vec<usize>)> = Vec::new();
        let mut shape = None;
        for path in paths {
            let source = self.outlets[&path.source].index;
            let chain = &path.chain[..path.chain.len() - common];
            let form = form(self.graph, self.shapes, chain, self.shape(path.source))?;
            let is_plain = matches!(&form.link, Link::Each(scales) if scales.iter().all(|&scale| is_same(scale, 1.0)));
            let own = self.network.graph[source].shape();
            if !is_plain
                || !self.can_reshape(own, &form.reshapes)
                || ends.contains(&(source, path.delay, form.reshapes.clone()))
            {
                return None;
            }
            shape.get_or_insert_with(|| self.shape(chain.last().copied().unwrap_or(path.source)).clone());
            ends.push((source, path.delay, form.reshapes));
        }
        let behind = |(source, _, reshapes): &(NodeIndex, u32, Vec<usize>)| {
            self.shape_behind(self.network.graph[*source].shape(), reshapes)
        };
        ends.iter().all(|end| behind(end) == behind(&ends[0])).then_some((ends, shape?))
    }

    fn sum(&mut self, sources: &[NodeIndex], path: &str) -> NodeIndex {
        let shape = self.network.graph[sources[0]].shape().to_vec();
        let name = self.names.give(&format!("{path}_sum"), "add");
        self.network.add(Node::Add(Plain { name, shape, span: 0..0 }), sources)
    }

    /// A shape of the network behind pools and flattenings of the file.
    fn shape_behind(&self, shape: &[u32], reshapes: &[usize]) -> Vec<u32> {
        match reshapes.last() {
            None => shape.to_vec(),
            Some(&node) => match &self.graph.nodes[node].kind {
                Kind::Flatten { .. } => vec![narrow(self.shape(node)).iter().product()],
                _ => narrow(self.shape(node)),
            },
        }
    }

    /// Whether pools and flattenings can stand behind a shape of the network.
    fn can_reshape(&self, shape: &[u32], reshapes: &[usize]) -> bool {
        let pools = |&node: &usize| matches!(self.graph.nodes[node].kind, Kind::Pool(_));
        shape.len() == 3 || !reshapes.iter().any(pools)
    }

    /// Whether a node's neurons are only some of a layer's.
    fn is_part(&self, source: usize) -> bool {
        self.outlets[&source].all != size(self.shape(source))
    }

    /// The spikes of a path's source, later by its delay.
    fn delayed(&mut self, path: &Path) -> NodeIndex {
        let source = self.outlets[&path.source].index;
        if path.delay == 0 {
            return source;
        }
        if let Some(&known) = self.derived.get(&(source, Derived::Delay(path.delay))) {
            return known;
        }
        let name = format!("{}_delay{}", self.graph.nodes[path.source].path, path.delay);
        let name = self.names.give(&name, "delay");
        let shape = self.network.graph[source].shape().to_vec();
        let index = self.network.add(
            Node::Delay(Delay { name, shape, steps: path.delay, window: WindowShift::Stays, span: 0..0 }),
            &[source],
        );
        self.derived.insert((source, Derived::Delay(path.delay)), index);
        index
    }

    /// The spikes of a node behind pools and flattenings of the file.
    fn reshaped(&mut self, source: NodeIndex, reshapes: &[usize]) -> NodeIndex {
        let mut index = source;
        for &node in reshapes {
            if let Some(&known) = self.derived.get(&(index, Derived::Reshape(node))) {
                index = known;
                continue;
            }
            let found = &self.graph.nodes[node];
            let name = self.names.give(&found.path, found.kind.name());
            let shape = narrow(self.shape(node));
            let made = match &found.kind {
                Kind::Pool(pool) => Node::Pool(Pool {
                    name,
                    kind: if pool.is_average { PoolKind::Average } else { PoolKind::Sum },
                    window: pool.window.map(|size| size as u32),
                    stride: pool.stride.map(|size| size as u32),
                    block: shape[0],
                    cut_said: false,
                    shape,
                    span: 0..0,
                }),
                _ => Node::Flatten(Plain { name, shape: vec![shape.iter().product()], span: 0..0 }),
            };
            let reshaped = self.network.add(made, &[index]);
            self.derived.insert((index, Derived::Reshape(node)), reshaped);
            index = reshaped;
        }
        index
    }

    /// A population's connection as a plain matrix.
    fn plain(&mut self, population: &Population) -> Result<Feed, NirError> {
        // What feeds it: nodes of the network, each with a matrix to all its neurons.
        let mut sources: Vec<(NodeIndex, Matrix)> = Vec::new();
        for member in &population.members {
            for path in &member.paths {
                let outlet = self.outlets[&path.source];
                let index = self.delayed(path);
                let entry = match sources.iter().position(|(source, _)| *source == index) {
                    Some(entry) => entry,
                    None => {
                        sources.push((index, Matrix::zero(population.size(), outlet.all)));
                        sources.len() - 1
                    }
                };
                let matrix = self.matrix(path)?;
                sources[entry].1.add(&matrix, member.first, outlet.first);
            }
        }
        let place = self.graph.nodes[population.members[0].node].path.clone();
        let (source, matrix) = match sources.len() {
            1 => sources.swap_remove(0),
            _ => self.side_by_side(&place, sources),
        };
        let rows = matrix.rows.len();
        let part = matrix.entries() as f64 / (rows * matrix.columns) as f64;
        let is_full = population.is_recurrent || part > SPARSE_PART || rows * matrix.columns <= 4096;
        let feed = if is_full { Feed::full(source, dense(&matrix)) } else { Feed::sparse(source, &matrix) };
        // Neurons on a plane stay on it, so that convolutions and pools can be behind them.
        let plane = match &population.members[..] {
            [one] => plane(self.shape(one.node)).map(|plane| narrow(&plane)),
            _ => None,
        };
        Ok(Feed { shape: plane.unwrap_or_else(|| feed.shape.clone()), ..feed })
    }

    /// The matrix of a path's chain.
    fn matrix(&self, path: &Path) -> Result<Matrix, NirError> {
        let mut shape = self.shape(path.source);
        let mut matrix: Option<Matrix> = None;
        for &node in &path.chain {
            let next = Matrix::of_node(&self.graph.nodes[node], shape, self.shape(node))?;
            matrix = Some(match matrix {
                Some(before) => before.then(&self.graph.nodes[node], &next)?,
                None => next,
            });
            shape = self.shape(node);
        }
        Ok(matrix.unwrap_or_else(|| Matrix::identity(size(shape))))
    }

    /// Several sources as one, whose axons are those of all, with the matrix from them.
    fn side_by_side(&mut self, place: &str, sources: Vec<(NodeIndex, Matrix)>) -> (NodeIndex, Matrix) {
        let all: usize = sources.iter().map(|(_, matrix)| matrix.columns).sum();
        let mut matrix = Matrix::zero(sources[0].1.rows.len(), all);
        let mut first = 0;
        for (_, part) in &sources {
            matrix.add(part, 0, first);
            first += part.columns;
        }
        let nodes: Vec<NodeIndex> = sources.into_iter().map(|(source, _)| source).collect();
        (self.concat(&nodes, place), matrix)
    }

    /// Neurons that fire when those of `range` do, a step later: `all` of them, the copies from `first` on.
    fn copy(&mut self, source: NodeIndex, range: std::ops::Range<usize>, first: usize, all: usize) -> NodeIndex {
        let key = (source, Derived::Place(first, all));
        if let Some(&known) = self.derived.get(&key) {
            return known;
        }
        let columns = self.network.graph[source].shape().iter().product::<u32>() as usize;
        let mut matrix = Matrix::zero(all, columns);
        for (offset, column) in range.enumerate() {
            matrix.rows[first + offset].push((column, 1.0));
        }
        let name = self.names.give(&format!("{}_copy", self.network.graph[source].name()), "copy");
        let index = self.layer(name, Feed::sparse(source, &matrix), Neuron::default(), 1.0, None);
        self.derived.insert(key, index);
        index
    }

    /// Weights of a population's neurons to each other, `[from][to]`.
    fn recurrent(&self, population: &Population, gain: f64) -> Result<Weights, NirError> {
        let count = population.size();
        let mut matrix = Matrix::zero(count, count);
        for member in &population.members {
            for path in &member.back {
                let source = population.members.iter().find(|other| other.node == path.source);
                let source = source.expect("the path is from a member");
                matrix.add(&self.matrix(path)?, member.first, source.first);
            }
        }
        let mut values = vec![0.0; count * count];
        for (to, row) in matrix.rows.iter().enumerate() {
            for &(from, weight) in row {
                values[from * count + to] = weight * gain;
            }
        }
        check_weights(&self.graph.nodes[population.members[0].node].path, values.iter().copied(), 1.0)?;
        Ok(self.weights(Array { shape: vec![count, count], values }))
    }

    fn weights(&self, array: Array) -> Weights {
        Weights { bits: self.options.weight_bits, initial: Initial::Given(Values::Array(Arc::new(array))) }
    }

    fn layer(&mut self, name: String, feed: Feed, neuron: Neuron, gain: f64, recurrent: Option<Weights>) -> NodeIndex {
        let mut weights = feed.weights;
        let step = if matches!(feed.kind, FeedKind::Sparse) { 3 } else { 1 };
        weights.values.iter_mut().skip(step - 1).step_by(step).for_each(|weight| *weight *= gain);
        let (kind, weights) = match feed.kind {
            FeedKind::Full => (LayerKind::Dense, self.weights(weights)),
            FeedKind::Sparse => {
                let connections = Values::Array(Arc::new(weights));
                // The table has the weights; of the rest only the bits count.
                let weights =
                    Weights { bits: self.options.weight_bits, initial: Initial::Drawn { gain: 1.0, fraction: None } };
                (LayerKind::Sparse(Sparse { connections }), weights)
            }
            FeedKind::Convolution(geometry) => (LayerKind::Convolution(geometry), self.weights(weights)),
        };
        // How the layer is cut is the compiler's to choose.
        let block = kind.default_block(&feed.shape);
        let layer = Layer {
            name,
            kind,
            shape: feed.shape,
            recurrent,
            block,
            block_rows: None,
            cut_said: false,
            in_parts: false,
            stream: None,
            neuron,
            weights,
            learning: Learning::None,
            span: 0..0,
        };
        self.network.add(Node::Layer(layer), &[feed.source])
    }

    fn readout(&mut self, last: usize, output: usize) -> Result<(), NirError> {
        let outlet = self.outlets[&last];
        let mut layer = outlet.index;
        if let Node::Flatten(_) = self.network.graph[layer] {
            layer = self.network.signal(layer);
        }
        if self.is_part(last) {
            // Only some neurons of a layer are the output.
            let count = size(self.shape(last));
            layer = self.copy(layer, outlet.first..outlet.first + count, 0, count);
        }
        let name = self.names.give(&self.graph.nodes[output].path, "output");
        self.network.add(Node::Readout(Readout { name, kind: self.options.readout, span: 0..0 }), &[layer]);
        Ok(())
    }
}

/// Refuses weights that no scale could be chosen for.
fn check_weights(path: &str, mut weights: impl Iterator<Item = f64>, gain: f64) -> Result<(), NirError> {
    match weights.find(|weight| !(-WEIGHT_MAX..=WEIGHT_MAX).contains(&(weight * gain))) {
        None => Ok(()),
        Some(weight) => {
            let cause = format!("with time constants and resistance, a weight into it is {:e}", weight * gain);
            Err(NirError::node(path, cause, format!("weights are from -{WEIGHT_MAX:e} to {WEIGHT_MAX:e}")))
        }
    }
}
