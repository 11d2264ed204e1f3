//! Which neurons become one layer: those of a node, or of all nodes that feed each other in a cycle.

use super::Options;
use super::error::NirError;
use super::graph::{Graph, Kind, Model};
use super::neurons::Discrete;
use super::paths::{Path, Tracer};
use super::shape::{Shape, size};
use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use std::collections::BTreeMap;

/// Neurons that become a layer.
pub(super) struct Population {
    pub members: Vec<Member>,
    pub neurons: Discrete,
    /// Whether it feeds itself.
    pub is_recurrent: bool,
}

/// The neurons of a node in a population.
pub(super) struct Member {
    /// Index of nodes.
    pub node: usize,
    /// The first of its neurons in the population.
    pub first: usize,
    pub size: usize,
    /// Ways from other populations or the input.
    pub paths: Vec<Path>,
    /// Ways from neurons of the same population.
    pub back: Vec<Path>,
    /// What biases add.
    pub offset: Option<Vec<f64>>,
}

impl Population {
    /// Number of neurons.
    pub fn size(&self) -> usize {
        self.members.iter().map(|member| member.size).sum()
    }

    /// What biases add to all of them.
    pub fn offset(&self) -> Option<Vec<f64>> {
        let is_any = self.members.iter().any(|member| member.offset.is_some());
        let all =
            self.members.iter().flat_map(|member| member.offset.clone().unwrap_or_else(|| vec![0.0; member.size]));
        is_any.then(|| all.collect())
    }
}

/// The populations that lead to `last`, neurons, each behind those that feed it.
pub(super) fn populations(
    graph: &Graph,
    shapes: &[Option<Shape>],
    last: usize,
    tracer: &mut Tracer,
    options: &Options,
) -> Result<Vec<Population>, NirError> {
    let mut paths: BTreeMap<usize, Vec<Path>> = BTreeMap::new();
    let mut open = vec![last];
    while let Some(node) = open.pop() {
        if paths.contains_key(&node) {
            continue;
        }
        let found = tracer.paths(node)?;
        let fires = |&source: &usize| matches!(graph.nodes[source].kind, Kind::Neurons(_));
        open.extend(found.iter().map(|path| path.source).filter(fires));
        paths.insert(node, found);
    }
    let mut feeds: DiGraph<usize, ()> = DiGraph::new();
    let places: BTreeMap<usize, NodeIndex> = paths.keys().map(|&node| (node, feeds.add_node(node))).collect();
    for (node, found) in &paths {
        for source in found.iter().filter_map(|path| places.get(&path.source)) {
            feeds.update_edge(*source, places[node], ());
        }
    }
    // Components come with those that are fed first.
    let mut components = tarjan_scc(&feeds);
    components.reverse();
    let mut populations = Vec::new();
    for component in components {
        let mut nodes: Vec<usize> = component.iter().map(|&index| feeds[index]).collect();
        nodes.sort_unstable();
        populations.push(population(graph, shapes, &nodes, &paths, tracer, options)?);
    }
    Ok(populations)
}

fn population(
    graph: &Graph,
    shapes: &[Option<Shape>],
    nodes: &[usize],
    paths: &BTreeMap<usize, Vec<Path>>,
    tracer: &mut Tracer,
    options: &Options,
) -> Result<Population, NirError> {
    let mut members = Vec::new();
    let mut neurons: Option<Discrete> = None;
    let mut first = 0;
    for &node in nodes {
        let found = &graph.nodes[node];
        let shape = shapes[node].as_ref().expect("it is reached from the input");
        let Kind::Neurons(given) = &found.kind else { unreachable!("populations are of neurons") };
        let discrete = Discrete::new(found, given, shape, options, &mut tracer.notes)?;
        match &mut neurons {
            None => neurons = Some(discrete),
            Some(neurons) => neurons.join(discrete).map_err(|cause| {
                let names: Vec<&str> = nodes.iter().map(|&node| graph.nodes[node].path.as_str()).collect();
                let cause = format!("the neurons of a cycle ({}) become one layer, and {cause}", names.join(", "));
                NirError::node(&found.path, cause, "use neurons of one kind in a cycle")
            })?,
        }
        let (back, ahead): (Vec<Path>, Vec<Path>) =
            paths[&node].iter().cloned().partition(|path| nodes.contains(&path.source));
        if let Some(slow) = back.iter().find(|path| path.delay > 1) {
            let names: Vec<&str> = nodes.iter().map(|&node| graph.nodes[node].path.as_str()).collect();
            let cause = format!(
                "it is fed by `{}` over a delay of {} steps in a cycle ({})",
                graph.nodes[slow.source].path,
                slow.delay,
                names.join(", ")
            );
            let help = "what neurons of a cycle send each other arrives a step later; use a Delay of one step, or none";
            return Err(NirError::node(&found.path, cause, help));
        }
        let size = size(shape);
        let offset = tracer.offset(node)?;
        if given.model == Model::Li || given.model == Model::I {
            let what = if given.model == Model::Li { "the sum of its voltage over the steps" } else { "its voltage" };
            tracer.notes.push(format!(
                "`{}` ({}) does not fire: it is read out as spikes, one for each {} of {what}",
                found.path,
                given.model.name(),
                options.output_threshold
            ));
        }
        members.push(Member { node, first, size, paths: ahead, back, offset });
        first += size;
    }
    let is_recurrent = members.iter().any(|member| !member.back.is_empty());
    let population = Population { members, neurons: neurons.expect("a population has members"), is_recurrent };
    if population.size() > 1 << 20 {
        let cause = format!("it has {} neurons", population.size());
        return Err(NirError::node(&graph.nodes[nodes[0]].path, cause, "a layer has at most 1,048,576"));
    }
    Ok(population)
}
