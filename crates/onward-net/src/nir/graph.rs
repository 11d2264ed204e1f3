//! Records to a graph: nodes with their parameters, graphs within it inlined.

use super::error::NirError;
use super::file::{Field, Record};
use crate::values::Array;
use std::collections::{BTreeMap, BTreeSet};

/// A NIR graph without graphs in it.
pub(super) struct Graph {
    pub nodes: Vec<Node>,
    /// Of each node those that lead to it, as indices of `nodes`, rising.
    pub sources: Vec<Vec<usize>>,
    /// Nodes that have become a part of others.
    pub merged: Vec<usize>,
}

pub(super) struct Node {
    /// Names of the graphs it is in and its own, with slashes.
    pub path: String,
    pub kind: Kind,
}

pub(super) enum Kind {
    Input(Vec<usize>),
    Output(Vec<usize>),
    /// An input or output of an inner graph: what comes in goes out.
    Wire(Vec<usize>),
    /// `[out][in]`, and what is added.
    Linear(Array, Option<Vec<f64>>),
    Scale(Array),
    Convolution(Convolution),
    Pool(Pool),
    Flatten {
        start: i64,
        end: i64,
    },
    /// In the unit of the time step.
    Delay(Array),
    Neurons(Neurons),
}

/// A convolution; one in one dimension has height 1.
pub(super) struct Convolution {
    /// `[out][in of the group][ky][kx]`.
    pub weight: Array,
    pub bias: Option<Vec<f64>>,
    pub stride: [usize; 2],
    pub padding: Padding,
    pub dilation: [usize; 2],
    pub groups: usize,
    /// Whether the file has it in one dimension.
    pub is_line: bool,
}

impl Convolution {
    /// Output channels, input channels of a group, height and width of the kernel.
    pub fn kernel(&self) -> [usize; 4] {
        self.weight.shape[..].try_into().expect("weights of a convolution are read with four sizes")
    }
}

pub(super) enum Padding {
    Sizes([usize; 2]),
    /// So many zeros that the size stays.
    Same,
}

pub(super) struct Pool {
    pub is_average: bool,
    pub window: [usize; 2],
    pub stride: [usize; 2],
    pub padding: [usize; 2],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Model {
    Threshold,
    If,
    Lif,
    CubaLif,
    I,
    Li,
    CubaLi,
}

/// Neurons, or integrators that never fire; each parameter a number for all or for each.
pub(super) struct Neurons {
    pub model: Model,
    /// Whether firing resets them; what a Threshold node makes spikes of goes on as it is.
    pub is_reset: bool,
    parameters: BTreeMap<&'static str, Array>,
}

impl Model {
    pub fn name(self) -> &'static str {
        match self {
            Model::Threshold => "Threshold",
            Model::If => "IF",
            Model::Lif => "LIF",
            Model::CubaLif => "CubaLIF",
            Model::I => "I",
            Model::Li => "LI",
            Model::CubaLi => "CubaLI",
        }
    }

    /// Whether spikes leave it.
    pub fn fires(self) -> bool {
        matches!(self, Model::Threshold | Model::If | Model::Lif | Model::CubaLif)
    }

    /// The model that fires, of one that integrates alike and does not.
    fn firing(self) -> Option<Model> {
        match self {
            Model::I => Some(Model::If),
            Model::Li => Some(Model::Lif),
            Model::CubaLi => Some(Model::CubaLif),
            _ => None,
        }
    }

    /// Its parameters; those with a number have it if the file does not say.
    fn parameters(self) -> &'static [(&'static str, Option<f64>)] {
        match self {
            Model::Threshold => &[("threshold", None)],
            Model::If => &[("r", None), ("v_threshold", None), ("v_reset", Some(0.0))],
            Model::Lif => {
                &[("tau", None), ("r", None), ("v_leak", None), ("v_threshold", None), ("v_reset", Some(0.0))]
            }
            Model::CubaLif => &[
                ("tau_syn", None),
                ("tau_mem", None),
                ("r", None),
                ("v_leak", None),
                ("v_threshold", None),
                ("v_reset", Some(0.0)),
                ("w_in", Some(1.0)),
            ],
            Model::I => &[("r", None)],
            Model::Li => &[("tau", None), ("r", None), ("v_leak", None)],
            Model::CubaLi => {
                &[("tau_syn", None), ("tau_mem", None), ("r", None), ("v_leak", None), ("w_in", Some(1.0))]
            }
        }
    }
}

impl Neurons {
    /// A parameter of its model.
    pub fn parameter(&self, name: &str) -> &Array {
        &self.parameters[name]
    }

    /// All parameters.
    pub fn parameters(&self) -> impl Iterator<Item = (&'static str, &Array)> {
        self.parameters.iter().map(|(&name, array)| (name, array))
    }
}

impl Kind {
    /// The type, as NIR names it.
    pub fn name(&self) -> &'static str {
        match self {
            Kind::Input(_) => "Input",
            Kind::Output(_) => "Output",
            Kind::Wire(_) => "a port of a graph",
            Kind::Linear(_, None) => "Linear",
            Kind::Linear(_, Some(_)) => "Affine",
            Kind::Scale(_) => "Scale",
            Kind::Convolution(convolution) if convolution.is_line => "Conv1d",
            Kind::Convolution(_) => "Conv2d",
            Kind::Pool(pool) if pool.is_average => "AvgPool2d",
            Kind::Pool(_) => "SumPool2d",
            Kind::Flatten { .. } => "Flatten",
            Kind::Delay(_) => "Delay",
            Kind::Neurons(neurons) => neurons.model.name(),
        }
    }
}

impl Graph {
    /// The graph that a file's root node is; what was passed over goes to `notes`.
    pub fn new(mut root: Record, notes: &mut Vec<String>) -> Result<Graph, NirError> {
        if root.kind != "NIRGraph" {
            // A file may hold a single node.
            let cause = format!("the file holds one node of type `{}`, no graph", root.kind);
            return Err(NirError::file(cause, "put it into a NIRGraph between an Input and an Output"));
        }
        let mut graph = Graph { nodes: Vec::new(), sources: Vec::new(), merged: Vec::new() };
        let mut edges = BTreeSet::new();
        graph.inline(&mut root, true, &mut edges, notes)?;
        graph.sources.resize(graph.nodes.len(), Vec::new());
        for (from, to) in edges {
            graph.sources[to].push(from);
        }
        graph.merge_thresholds();
        Ok(graph)
    }

    /// A Threshold behind a voltage makes spikes of it: together they are neurons that fire and are not reset.
    fn merge_thresholds(&mut self) {
        for index in 0..self.nodes.len() {
            let [source] = self.sources[index][..] else { continue };
            let (Kind::Neurons(voltage), Kind::Neurons(threshold)) =
                (&self.nodes[source].kind, &self.nodes[index].kind)
            else {
                continue;
            };
            let (Some(model), Model::Threshold) = (voltage.model.firing(), threshold.model) else { continue };
            let mut parameters = voltage.parameters.clone();
            parameters.insert("v_threshold", threshold.parameters["threshold"].clone());
            self.nodes[index].kind = Kind::Neurons(Neurons { model, is_reset: false, parameters });
            self.sources[index] = self.sources[source].clone();
            if !self.sources.iter().any(|sources| sources.contains(&source)) {
                self.merged.push(source);
            }
        }
    }

    /// Adds the nodes and edges of a graph; gives where edges to it lead and where edges from it come from.
    fn inline(
        &mut self,
        record: &mut Record,
        is_outermost: bool,
        all_edges: &mut BTreeSet<(usize, usize)>,
        notes: &mut Vec<String>,
    ) -> Result<(Vec<usize>, Vec<usize>), NirError> {
        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        let mut ends: BTreeMap<String, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
        for (name, inner) in &mut record.nodes {
            if inner.kind == "NIRGraph" {
                ends.insert(name.clone(), self.inline(inner, false, all_edges, notes)?);
                continue;
            }
            let kind = match (kind(inner)?, is_outermost) {
                (Kind::Input(shape), false) => {
                    inputs.push(self.nodes.len());
                    Kind::Wire(shape)
                }
                (Kind::Output(shape), false) => {
                    outputs.push(self.nodes.len());
                    Kind::Wire(shape)
                }
                (kind, _) => kind,
            };
            ends.insert(name.clone(), (vec![self.nodes.len()], vec![self.nodes.len()]));
            self.nodes.push(Node { path: inner.path.clone(), kind });
        }
        let place =
            |name: &str| if record.path.is_empty() { name.to_owned() } else { format!("{}/{name}", record.path) };
        for (from, to) in edges(record)? {
            let find = |name: &str| {
                ends.get(name).ok_or_else(|| {
                    let cause = format!("the edge from `{from}` to `{to}` names `{name}`, which is not in the graph");
                    let known: Vec<&str> = ends.keys().map(String::as_str).collect();
                    NirError {
                        node: some_path(&record.path),
                        cause,
                        help: format!("its nodes are {}", known.join(", ")),
                    }
                })
            };
            let (start, end) =
                (port(&place(&from), &find(&from)?.1, "Output")?, port(&place(&to), &find(&to)?.0, "Input")?);
            if !all_edges.insert((start, end)) {
                notes.push(format!(
                    "the edge from `{}` to `{}` is there twice; it counts once",
                    place(&from),
                    place(&to)
                ));
            }
        }
        Ok((inputs, outputs))
    }
}

fn some_path(path: &str) -> Option<String> {
    (!path.is_empty()).then(|| path.to_owned())
}

/// The one node that stands for a node, or for the input or output of an inner graph.
fn port(path: &str, found: &[usize], kind: &str) -> Result<usize, NirError> {
    match found {
        [one] => Ok(*one),
        _ => {
            let cause = format!("the graph has {} {kind} nodes, and an edge does not say which it means", found.len());
            Err(NirError::node(path, cause, format!("a graph in a graph needs exactly one {kind}")))
        }
    }
}

/// The names that the edges of a graph join.
fn edges(record: &Record) -> Result<Vec<(String, String)>, NirError> {
    let help = "edges are an array of pairs of node names";
    let problem =
        |cause: &str| NirError { node: some_path(&record.path), cause: cause.to_owned(), help: help.to_owned() };
    match record.fields.get("edges") {
        Some(Field::Text(shape, texts)) if shape.len() == 2 && shape[1] == 2 => {
            Ok(texts.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect())
        }
        Some(Field::Numbers(array)) if array.values.is_empty() => Ok(Vec::new()),
        Some(_) => Err(problem("the graph's `edges` are no pairs of names")),
        None => Err(problem("the graph has no `edges`")),
    }
}

/// What a record means.
fn kind(record: &Record) -> Result<Kind, NirError> {
    let fields = Fields(record);
    Ok(match record.kind.as_str() {
        "Input" => Kind::Input(fields.sizes("shape")?),
        "Output" => Kind::Output(fields.sizes("shape")?),
        "Linear" => Kind::Linear(fields.matrix("weight")?, None),
        "Affine" => {
            let weight = fields.matrix("weight")?;
            let bias = fields.bias(weight.shape[0])?.unwrap_or_else(|| vec![0.0; weight.shape[0]]);
            Kind::Linear(weight, Some(bias))
        }
        "Scale" => Kind::Scale(fields.numbers("scale")?.clone()),
        "Conv1d" => Kind::Convolution(fields.convolution(true)?),
        "Conv2d" => Kind::Convolution(fields.convolution(false)?),
        "SumPool2d" => Kind::Pool(fields.pool(false)?),
        "AvgPool2d" => Kind::Pool(fields.pool(true)?),
        "Flatten" => {
            Kind::Flatten { start: fields.integer_or("start_dim", 1)?, end: fields.integer_or("end_dim", -1)? }
        }
        "Identity" => Kind::Wire(Vec::new()),
        "Delay" => Kind::Delay(fields.numbers("delay")?.clone()),
        "Threshold" => Kind::Neurons(fields.neurons(Model::Threshold)?),
        "IF" => Kind::Neurons(fields.neurons(Model::If)?),
        "LIF" => Kind::Neurons(fields.neurons(Model::Lif)?),
        "CubaLIF" => Kind::Neurons(fields.neurons(Model::CubaLif)?),
        "I" => Kind::Neurons(fields.neurons(Model::I)?),
        "LI" => Kind::Neurons(fields.neurons(Model::Li)?),
        "CubaLI" => Kind::Neurons(fields.neurons(Model::CubaLi)?),
        other => {
            let help = "known are Input, Output, Linear, Affine, Scale, Conv1d, Conv2d, SumPool2d, AvgPool2d, Flatten, \
                        Delay, Identity, Threshold, IF, LIF, CubaLIF, I, LI, CubaLI and NIRGraph";
            return Err(NirError::node(&record.path, format!("nodes of type `{other}` are not known here"), help));
        }
    })
}

/// A record whose fields are asked for.
struct Fields<'a>(&'a Record);

impl Fields<'_> {
    fn problem(&self, cause: String) -> NirError {
        NirError::node(&self.0.path, cause, format!("the NIR specification says what {} nodes have", self.0.kind))
    }

    fn numbers_if_any(&self, name: &str) -> Result<Option<&Array>, NirError> {
        let array = match self.0.fields.get(name) {
            None => return Ok(None),
            Some(Field::Numbers(array)) => array,
            Some(Field::Text(..)) => return Err(self.problem(format!("`{name}` is a text, not a number"))),
            Some(Field::Other(kind)) => return Err(self.problem(format!("`{name}` is no number, but {kind}"))),
        };
        match array.values.iter().find(|value| !value.is_finite()) {
            Some(value) => Err(NirError::node(
                &self.0.path,
                format!("`{name}` has the value {value}"),
                "every number must be finite; the training may have diverged",
            )),
            None => Ok(Some(array)),
        }
    }

    fn numbers(&self, name: &str) -> Result<&Array, NirError> {
        self.numbers_if_any(name)?.ok_or_else(|| self.problem(format!("it has no `{name}`")))
    }

    /// Whole numbers, none below zero.
    fn wholes(&self, name: &str) -> Result<Vec<usize>, NirError> {
        let array = self.numbers(name)?;
        let is_whole = |&value: &f64| value >= 0.0 && value.fract() == 0.0 && value <= f64::from(u32::MAX);
        match array.values.iter().find(|&value| !is_whole(value)) {
            Some(value) => Err(self.problem(format!("`{name}` has the value {value}, which is no size"))),
            None => Ok(array.values.iter().map(|&value| value as usize).collect()),
        }
    }

    /// A shape.
    fn sizes(&self, name: &str) -> Result<Vec<usize>, NirError> {
        let sizes = self.wholes(name)?;
        if sizes.contains(&0) {
            return Err(self.problem(format!("`{name}` is {sizes:?}: a size of 0")));
        }
        Ok(sizes)
    }

    /// Along y and x; one number stands for both, and is alone in a convolution in one dimension.
    fn pair(&self, name: &str, least: usize, is_line: bool) -> Result<[usize; 2], NirError> {
        let sizes = self.wholes(name)?;
        let pair = match (sizes.as_slice(), is_line) {
            ([x], true) => [if name == "padding" { 0 } else { 1 }, *x],
            ([both], false) => [*both, *both],
            ([y, x], false) => [*y, *x],
            _ => return Err(self.problem(format!("`{name}` has {} numbers", sizes.len()))),
        };
        if pair.iter().any(|&size| size < least) {
            return Err(self.problem(format!("`{name}` is {sizes:?}, but must be at least {least}")));
        }
        Ok(pair)
    }

    fn integer_or(&self, name: &str, absent: i64) -> Result<i64, NirError> {
        match self.numbers_if_any(name)? {
            None => Ok(absent),
            Some(array) if array.values.len() == 1 && array.values[0].fract() == 0.0 => Ok(array.values[0] as i64),
            Some(array) => Err(self.problem(format!("`{name}` is {:?}, not one whole number", array.values))),
        }
    }

    /// Weights of a full connection.
    fn matrix(&self, name: &str) -> Result<Array, NirError> {
        let array = self.numbers(name)?;
        if array.shape.len() != 2 || array.values.is_empty() {
            let cause = format!("`{name}` has the shape {:?}", array.shape);
            return Err(NirError::node(&self.0.path, cause, "it must have two sizes: outputs and inputs"));
        }
        Ok(array.clone())
    }

    fn bias(&self, outputs: usize) -> Result<Option<Vec<f64>>, NirError> {
        let Some(array) = self.numbers_if_any("bias")? else { return Ok(None) };
        match array.values.len() {
            1 => Ok(Some(vec![array.values[0]; outputs])),
            count if count == outputs => Ok(Some(array.values.clone())),
            count => {
                let cause = format!("`bias` has {count} numbers for {outputs} outputs");
                Err(NirError::node(&self.0.path, cause, "it needs one for each output, or one for all"))
            }
        }
    }

    fn convolution(&self, is_line: bool) -> Result<Convolution, NirError> {
        let given = self.numbers("weight")?;
        let rank = if is_line { 3 } else { 4 };
        if given.shape.len() != rank || given.values.is_empty() {
            let cause = format!("`weight` has the shape {:?}", given.shape);
            return Err(self.problem(format!("{cause} instead of {rank} sizes")));
        }
        let mut weight = given.clone();
        if is_line {
            weight.shape.insert(2, 1);
        }
        let groups = self.wholes("groups")?;
        let [groups] = groups[..] else { return Err(self.problem(format!("`groups` is {groups:?}"))) };
        if groups == 0 || !weight.shape[0].is_multiple_of(groups) {
            let cause = format!("{} output channels do not fall into {groups} groups", weight.shape[0]);
            return Err(NirError::node(&self.0.path, cause, "`groups` must divide the output channels"));
        }
        let padding = match self.0.fields.get("padding") {
            Some(Field::Text(_, texts)) if texts == &["same"] => Padding::Same,
            Some(Field::Text(_, texts)) if texts == &["valid"] => Padding::Sizes([0, 0]),
            Some(Field::Text(_, texts)) => {
                return Err(self.problem(format!("`padding` is {texts:?}, not a size, \"same\" or \"valid\"")));
            }
            _ => Padding::Sizes(self.pair("padding", 0, is_line)?),
        };
        let bias = self.bias(weight.shape[0])?;
        let stride = self.pair("stride", 1, is_line)?;
        let dilation = self.pair("dilation", 1, is_line)?;
        Ok(Convolution { weight, bias, stride, padding, dilation, groups, is_line })
    }

    fn pool(&self, is_average: bool) -> Result<Pool, NirError> {
        let padding = if self.0.fields.contains_key("padding") { self.pair("padding", 0, false)? } else { [0, 0] };
        Ok(Pool {
            is_average,
            window: self.pair("kernel_size", 1, false)?,
            stride: self.pair("stride", 1, false)?,
            padding,
        })
    }

    fn neurons(&self, model: Model) -> Result<Neurons, NirError> {
        let mut parameters = BTreeMap::new();
        for &(name, absent) in model.parameters() {
            let array = match (self.numbers_if_any(name)?, absent) {
                (Some(array), _) if array.values.is_empty() => {
                    return Err(self.problem(format!("`{name}` is empty")));
                }
                (Some(array), _) => array.clone(),
                (None, Some(value)) => Array { shape: Vec::new(), values: vec![value] },
                (None, None) => return Err(self.problem(format!("it has no `{name}`"))),
            };
            parameters.insert(name, array);
        }
        Ok(Neurons { model, is_reset: true, parameters })
    }
}
