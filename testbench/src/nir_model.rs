//! NIR's equations in double precision, step by step: what an imported network is held against.
//!
//! Written for itself, node by node as the file has them, with plain loops: nothing is composed, folded or scaled, and
//! nothing is shared with importer, compiler or emulator. Time is discretized by Euler's method. Within a step values
//! run through the whole graph; only what neurons of a cycle send each other arrives a step later.

use crate::nir_file::{NirGraph, NirNode};
use std::collections::{BTreeMap, VecDeque};

/// A graph that runs.
#[derive(Clone, Debug)]
pub struct NirModel {
    nodes: Vec<Running>,
    /// In which order the nodes of a step are computed.
    order: Vec<usize>,
    time_step: f64,
    convention: Convention,
}

/// What a NIR file leaves open, or frameworks read otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub struct Convention {
    /// Whether a voltage fires that equals the threshold.
    pub fires_at: bool,
    /// Whether firing subtracts the threshold, instead of setting the voltage.
    pub subtracts: bool,
    /// Whether it does so in the next step, when the voltage has leaked.
    pub is_late: bool,
}

#[derive(Clone, Debug)]
struct Running {
    path: String,
    node: NirNode,
    shape: Vec<usize>,
    /// Nodes it is fed by, and whether with what they sent in the step before.
    sources: Vec<(usize, bool)>,
    voltage: Vec<f64>,
    current: Vec<f64>,
    output: Vec<f64>,
    /// What it sent in the step before.
    before: Vec<f64>,
    /// Whether the voltage is still to be lowered.
    owes: Vec<bool>,
    /// Of a delay: what came in, the oldest first.
    past: VecDeque<Vec<f64>>,
}

const FIRING: [&str; 4] = ["Threshold", "IF", "LIF", "CubaLIF"];

impl NirModel {
    /// A graph at rest; every voltage is where it would stay without input.
    pub fn new(graph: &NirGraph, time_step: f64, convention: Convention) -> NirModel {
        let mut flat = BTreeMap::new();
        let mut edges = Vec::new();
        flatten(graph, "", &mut flat, &mut edges);
        let names: Vec<String> = flat.keys().cloned().collect();
        let place = |name: &String| names.iter().position(|other| other == name).expect("an edge joins nodes");
        let edges: Vec<(usize, usize)> = edges.iter().map(|(from, to)| (place(from), place(to))).collect();
        let nodes: Vec<NirNode> = flat.into_values().collect();
        let is_late = late(&nodes, &edges, time_step);
        let mut running: Vec<Running> = names
            .iter()
            .zip(nodes)
            .map(|(path, node)| Running {
                path: path.clone(),
                node,
                shape: Vec::new(),
                sources: Vec::new(),
                voltage: Vec::new(),
                current: Vec::new(),
                output: Vec::new(),
                before: Vec::new(),
                owes: Vec::new(),
                past: VecDeque::new(),
            })
            .collect();
        for (&(from, to), &is_late) in edges.iter().zip(&is_late) {
            running[to].sources.push((from, is_late));
        }
        let mut model = NirModel { nodes: running, order: Vec::new(), time_step, convention };
        model.shapes();
        model.order();
        model.rest();
        model
    }

    fn shapes(&mut self) {
        for _ in 0..=self.nodes.len() {
            for at in 0..self.nodes.len() {
                let input = self.nodes[at].sources.iter().map(|&(source, _)| self.nodes[source].shape.clone());
                let input = input.into_iter().find(|shape| !shape.is_empty());
                self.nodes[at].shape = match (self.nodes[at].node.kind.as_str(), input) {
                    ("Input", _) => self.nodes[at].node.values("shape").iter().map(|&size| size as usize).collect(),
                    (_, None) => Vec::new(),
                    (_, Some(input)) => shape_behind(&self.nodes[at].node, &input),
                };
            }
        }
    }

    fn order(&mut self) {
        while self.order.len() < self.nodes.len() {
            let ready = (0..self.nodes.len()).find(|at| {
                let is_free = self.steps(*at) > 0;
                !self.order.contains(at)
                    && (is_free
                        || self.nodes[*at].sources.iter().all(|(source, late)| *late || self.order.contains(source)))
            });
            self.order.push(ready.expect("a graph without cycles but through neurons"));
        }
    }

    /// Steps of a delay; what it sends is known before what it is sent.
    fn steps(&self, at: usize) -> usize {
        let node = &self.nodes[at].node;
        if node.kind == "Delay" { (node.values("delay")[0] / self.time_step).round() as usize } else { 0 }
    }

    fn rest(&mut self) {
        let steps: Vec<usize> = (0..self.nodes.len()).map(|at| self.steps(at)).collect();
        for (node, steps) in self.nodes.iter_mut().zip(steps) {
            let size = node.shape.iter().product();
            node.output = vec![0.0; size];
            node.before = vec![0.0; size];
            node.current = vec![0.0; size];
            node.owes = vec![false; size];
            let leaks = node.node.fields.contains_key("v_leak");
            node.voltage = if leaks { spread(&node.node, "v_leak", size, 0.0) } else { vec![0.0; size] };
            node.past = VecDeque::from(vec![vec![0.0; size]; steps]);
        }
    }

    /// Takes the input of a step and goes through the step.
    pub fn step(&mut self, input: &[f64]) {
        for node in &mut self.nodes {
            node.before.clone_from(&node.output);
        }
        for at in self.order.clone() {
            let (time_step, convention) = (self.time_step, self.convention);
            if let Some(oldest) = self.nodes[at].past.pop_front() {
                self.nodes[at].output = oldest;
                continue;
            }
            let (sum, shape) = self.taken(at);
            let node = &mut self.nodes[at];
            node.output = match node.node.kind.as_str() {
                "Input" => input.to_vec(),
                _ => node.compute(&sum, &shape, time_step, convention),
            };
        }
        for at in 0..self.nodes.len() {
            if self.steps(at) > 0 {
                let (sum, _) = self.taken(at);
                self.nodes[at].past.push_back(sum);
            }
        }
    }

    /// What a node is sent, and its shape.
    fn taken(&self, at: usize) -> (Vec<f64>, Vec<usize>) {
        let shape = self.nodes[at].sources.first().map(|&(source, _)| self.nodes[source].shape.clone());
        let shape = shape.unwrap_or_default();
        let mut sum = vec![0.0; if self.nodes[at].sources.is_empty() { 0 } else { shape.iter().product() }];
        for &(source, late) in &self.nodes[at].sources {
            let sent = if late { &self.nodes[source].before } else { &self.nodes[source].output };
            for place in 0..sum.len() {
                sum[place] += sent[place];
            }
        }
        (sum, shape)
    }

    /// What a node sent in the last step: spikes, or what else it makes.
    pub fn output(&self, path: &str) -> &[f64] {
        &self.nodes.iter().find(|node| node.path == path).expect("a node of the graph").output
    }

    /// Paths of all nodes that fire.
    pub fn neurons(&self) -> impl Iterator<Item = &str> {
        self.nodes.iter().filter(|node| FIRING.contains(&node.node.kind.as_str())).map(|node| node.path.as_str())
    }
}

impl Running {
    fn compute(&mut self, input: &[f64], input_shape: &[usize], dt: f64, convention: Convention) -> Vec<f64> {
        let (size, node) = (input.len(), &self.node);
        let field = |name: &str, absent: f64| spread(node, name, size, absent);
        match node.kind.as_str() {
            "Linear" | "Affine" => full(node, input),
            "Conv1d" | "Conv2d" => convolve(node, input, input_shape, &self.shape),
            "SumPool2d" | "AvgPool2d" => pool(node, input, input_shape, &self.shape),
            "Scale" => field("scale", 1.0).iter().zip(input).map(|(scale, value)| scale * value).collect(),
            "Threshold" => field("threshold", 0.0)
                .iter()
                .zip(input)
                .map(|(threshold, value)| spike(convention.fires(*value, *threshold)))
                .collect(),
            "IF" | "I" => {
                let r = field("r", 1.0);
                for at in 0..size {
                    self.voltage[at] += r[at] * input[at];
                }
                self.fire(size, convention)
            }
            "LIF" | "LI" => {
                let (tau, r, leak) = (field("tau", 1.0), field("r", 1.0), field("v_leak", 0.0));
                for at in 0..size {
                    self.voltage[at] += dt / tau[at] * (leak[at] - self.voltage[at] + r[at] * input[at]);
                }
                self.fire(size, convention)
            }
            "CubaLIF" | "CubaLI" => {
                let (tau_syn, tau_mem, w_in) = (field("tau_syn", 1.0), field("tau_mem", 1.0), field("w_in", 1.0));
                let (r, leak) = (field("r", 1.0), field("v_leak", 0.0));
                for at in 0..size {
                    self.current[at] += dt / tau_syn[at] * (w_in[at] * input[at] - self.current[at]);
                    self.voltage[at] += dt / tau_mem[at] * (leak[at] - self.voltage[at] + r[at] * self.current[at]);
                }
                self.fire(size, convention)
            }
            _ => input.to_vec(),
        }
    }

    /// Spikes of neurons, voltages of what does not fire.
    fn fire(&mut self, size: usize, convention: Convention) -> Vec<f64> {
        if !FIRING.contains(&self.node.kind.as_str()) {
            return self.voltage.clone();
        }
        let threshold = spread(&self.node, "v_threshold", size, 0.0);
        let reset = spread(&self.node, "v_reset", size, 0.0);
        (0..size)
            .map(|at| {
                if std::mem::take(&mut self.owes[at]) {
                    self.voltage[at] -= threshold[at];
                }
                let fires = convention.fires(self.voltage[at], threshold[at]);
                if fires && convention.subtracts && convention.is_late {
                    self.owes[at] = true;
                } else if fires {
                    self.voltage[at] = if convention.subtracts { self.voltage[at] - threshold[at] } else { reset[at] };
                }
                spike(fires)
            })
            .collect()
    }
}

impl Convention {
    fn fires(self, voltage: f64, threshold: f64) -> bool {
        voltage > threshold || self.fires_at && voltage >= threshold
    }
}

fn spike(fires: bool) -> f64 {
    if fires { 1.0 } else { 0.0 }
}

/// A field with a number for each place; a field of fewer has each for a channel, or one for all.
fn spread(node: &NirNode, name: &str, size: usize, absent: f64) -> Vec<f64> {
    match node.fields.get(name) {
        None => vec![absent; size],
        Some((_, values)) => (0..size).map(|at| values[at / (size / values.len())]).collect(),
    }
}

/// Nodes by path and edges between paths; inputs and outputs of inner graphs are nodes that pass on what comes.
fn flatten(graph: &NirGraph, prefix: &str, nodes: &mut BTreeMap<String, NirNode>, edges: &mut Vec<(String, String)>) {
    let port = |name: &String, kind: &str| match &graph.nodes[name].graph {
        None => format!("{prefix}{name}"),
        Some(inner) => {
            let port = inner.nodes.iter().find(|(_, node)| node.kind == kind).expect("a port");
            format!("{prefix}{name}/{}", port.0)
        }
    };
    for (name, node) in &graph.nodes {
        match &node.graph {
            Some(inner) => flatten(inner, &format!("{prefix}{name}/"), nodes, edges),
            None => {
                let is_port = !prefix.is_empty() && (node.kind == "Input" || node.kind == "Output");
                let kind = if is_port { "Port" } else { &node.kind };
                nodes.insert(format!("{prefix}{name}"), NirNode { kind: kind.to_owned(), ..node.clone() });
            }
        }
    }
    edges.extend(graph.edges.iter().map(|(from, to)| (port(from, "Output"), port(to, "Input"))));
}

/// Which edges carry what was sent in the step before: those from neurons in a cycle that no delay makes late already.
fn late(nodes: &[NirNode], edges: &[(usize, usize)], time_step: f64) -> Vec<bool> {
    let delays =
        |node: usize| nodes[node].kind == "Delay" && (nodes[node].values("delay")[0] / time_step).round() > 0.0;
    let leads = |start: usize, goal: usize| {
        let (mut seen, mut open) = (vec![false; nodes.len()], vec![start]);
        while let Some(at) = open.pop() {
            if at == goal {
                return true;
            }
            if !std::mem::replace(&mut seen[at], true) {
                open.extend(edges.iter().filter(|&&(from, to)| from == at && !delays(to)).map(|&(_, to)| to));
            }
        }
        false
    };
    edges
        .iter()
        .map(|&(from, to)| FIRING.contains(&nodes[from].kind.as_str()) && !delays(to) && leads(to, from))
        .collect()
}

fn sizes(node: &NirNode, name: &str) -> [usize; 2] {
    match node.values(name) {
        [one] => [*one as usize; 2],
        [y, x] => [*y as usize, *x as usize],
        other => panic!("{name}: {other:?}"),
    }
}

/// What a convolution is along y and x; one of one dimension is along x.
struct Geometry {
    kernel: [usize; 2],
    stride: [usize; 2],
    /// Zeros before the first place and behind the last.
    before: [usize; 2],
    behind: [usize; 2],
    /// From one tap to the next.
    dilation: [usize; 2],
}

/// Of a node that is sent a plane of these sizes.
fn geometry(node: &NirNode, [_, height, width]: [usize; 3]) -> Geometry {
    let shape = node.shape("weight");
    let is_line = node.kind == "Conv1d";
    let kernel = if is_line { [1, shape[2]] } else { [shape[2], shape[3]] };
    let (mut stride, mut dilation) = (sizes(node, "stride"), sizes(node, "dilation"));
    let (mut before, mut behind) = match node.texts.get("padding").map(String::as_str) {
        Some("same") => {
            let places = [height, width];
            let outputs = [0, 1].map(|axis| places[axis].div_ceil(stride[axis]));
            let needed =
                [0, 1].map(|axis| (outputs[axis] - 1) * stride[axis] + (kernel[axis] - 1) * dilation[axis] + 1);
            let total = [0, 1].map(|axis| needed[axis].saturating_sub(places[axis]));
            (total.map(|total| total / 2), total.map(|total| total - total / 2))
        }
        Some(_) => ([0, 0], [0, 0]),
        None => (sizes(node, "padding"), sizes(node, "padding")),
    };
    if is_line {
        (stride[0], dilation[0], before[0], behind[0]) = (1, 1, 0, 0);
    }
    Geometry { kernel, stride, before, behind, dilation }
}

fn plane(shape: &[usize]) -> [usize; 3] {
    let shape = &shape[shape.len().saturating_sub(3)..];
    if shape.len() == 2 { [shape[0], 1, shape[1]] } else { [shape[0], shape[1], shape[2]] }
}

fn shape_behind(node: &NirNode, input: &[usize]) -> Vec<usize> {
    match node.kind.as_str() {
        "Linear" | "Affine" => vec![node.shape("weight")[0]],
        "Conv1d" | "Conv2d" => {
            let Geometry { kernel, stride, before, behind, dilation } = geometry(node, plane(input));
            let [_, height, width] = plane(input);
            let out = |axis: usize, size: usize| {
                (size + before[axis] + behind[axis] - dilation[axis] * (kernel[axis] - 1) - 1) / stride[axis] + 1
            };
            let channels = node.shape("weight")[0];
            if input.len() == 2 { vec![channels, out(1, width)] } else { vec![channels, out(0, height), out(1, width)] }
        }
        "SumPool2d" | "AvgPool2d" => {
            let (window, stride, padding) = (sizes(node, "kernel_size"), sizes(node, "stride"), sizes(node, "padding"));
            let out = |axis: usize| (input[axis + 1] + 2 * padding[axis] - window[axis]) / stride[axis] + 1;
            vec![input[0], out(0), out(1)]
        }
        "Flatten" => {
            let (start, end) = (node.values("start_dim")[0] as i64, node.values("end_dim")[0] as i64);
            let index =
                |dimension: i64| if dimension < 0 { dimension + input.len() as i64 } else { dimension } as usize;
            let (start, end) = (index(start), index(end));
            [&input[..start], &[input[start..=end].iter().product()], &input[end + 1..]].concat()
        }
        _ => input.to_vec(),
    }
}

fn full(node: &NirNode, input: &[f64]) -> Vec<f64> {
    let (outputs, weights) = (node.shape("weight")[0], node.values("weight"));
    let bias = spread(node, "bias", outputs, 0.0);
    let mut result = Vec::new();
    for (out, mut sum) in bias.into_iter().enumerate() {
        for at in 0..input.len() {
            sum += weights[out * input.len() + at] * input[at];
        }
        result.push(sum);
    }
    result
}

fn convolve(node: &NirNode, input: &[f64], input_shape: &[usize], shape: &[usize]) -> Vec<f64> {
    let Geometry { kernel, stride, before, dilation, .. } = geometry(node, plane(input_shape));
    let [channels, height, width] = plane(input_shape);
    let [outputs, rows, columns] = plane(shape);
    let groups = node.values("groups")[0] as usize;
    let (inputs, weights) = (channels / groups, node.values("weight"));
    let bias = spread(node, "bias", outputs, 0.0);
    let mut result = Vec::new();
    for (out, &bias) in bias.iter().enumerate() {
        for y in 0..rows {
            for x in 0..columns {
                let mut sum = bias;
                for i in 0..inputs {
                    for ky in 0..kernel[0] {
                        for kx in 0..kernel[1] {
                            let from_y = (y * stride[0] + ky * dilation[0]) as isize - before[0] as isize;
                            let from_x = (x * stride[1] + kx * dilation[1]) as isize - before[1] as isize;
                            if (0..height as isize).contains(&from_y) && (0..width as isize).contains(&from_x) {
                                let channel = out / (outputs / groups) * inputs + i;
                                let place = (channel * height + from_y as usize) * width + from_x as usize;
                                let weight = ((out * inputs + i) * kernel[0] + ky) * kernel[1] + kx;
                                sum += weights[weight] * input[place];
                            }
                        }
                    }
                }
                result.push(sum);
            }
        }
    }
    result
}

fn pool(node: &NirNode, input: &[f64], input_shape: &[usize], shape: &[usize]) -> Vec<f64> {
    let (window, stride, padding) = (sizes(node, "kernel_size"), sizes(node, "stride"), sizes(node, "padding"));
    let divisor = if node.kind == "AvgPool2d" { (window[0] * window[1]) as f64 } else { 1.0 };
    let mut result = Vec::new();
    for channel in 0..shape[0] {
        for y in 0..shape[1] {
            for x in 0..shape[2] {
                let mut sum = 0.0;
                for wy in 0..window[0] {
                    for wx in 0..window[1] {
                        let from_y = (y * stride[0] + wy) as isize - padding[0] as isize;
                        let from_x = (x * stride[1] + wx) as isize - padding[1] as isize;
                        if (0..input_shape[1] as isize).contains(&from_y)
                            && (0..input_shape[2] as isize).contains(&from_x)
                        {
                            sum +=
                                input[(channel * input_shape[1] + from_y as usize) * input_shape[2] + from_x as usize];
                        }
                    }
                }
                result.push(sum / divisor);
            }
        }
    }
    result
}
