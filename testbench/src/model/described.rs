//! What a model takes of a network's text, as the language's own parser reads it.

use super::dynamics::Neurons;
use super::feed::{Connection, dense_rows, plane};
use super::layer::{Block, Format, Layer};
use super::rule::direct::Table;
use super::{Model, Node, NodeKind, Noise, Number, Readout};
use onward_net::{
    Initial, LayerKind, Learning, Network, NodeIndex, PoolKind, Rule, Sparse, TargetPath, Values, When, WindowShift,
};
use std::collections::BTreeMap;

impl<N: Number> Model<N> {
    /// A network before its first sample, in the first epoch of a run of this seed; its weights are all 0.
    pub fn new(network: &Network, seed: u64) -> Model<N> {
        let (mut nodes, mut layers, mut blocks) = (Vec::new(), Vec::new(), 0);
        let mut readout = Readout::Spikes;
        for node in network.graph.node_indices() {
            let text = &network.graph[node];
            let pair = |sizes: [u32; 2]| sizes.map(|size| size as usize);
            let kind = match text {
                onward_net::Node::Input(_) => NodeKind::Input,
                onward_net::Node::Target(_) => NodeKind::Target,
                onward_net::Node::Flatten(_) | onward_net::Node::Add(_) => NodeKind::Pass(0),
                onward_net::Node::Concat(_) => NodeKind::Beside,
                onward_net::Node::Delay(delay) if delay.window == WindowShift::Stays => NodeKind::Later(delay.steps),
                onward_net::Node::Delay(delay) => NodeKind::Pass(delay.steps),
                onward_net::Node::Pool(pool) => {
                    if pool.kind == PoolKind::Maximum {
                        blocks += plane(&pool.shape)[0].div_ceil(pool.block as usize);
                    }
                    NodeKind::Pool(pool.kind, pair(pool.window), pair(pool.stride))
                }
                onward_net::Node::Layer(_) => {
                    let layer = described(network, node, seed, blocks);
                    blocks += layer.blocks.len();
                    layers.push(layer);
                    NodeKind::Layer(layers.len() - 1)
                }
                onward_net::Node::Readout(text) => {
                    let inputs = network.inputs(node) as usize;
                    let outputs = network.target().map_or(0, |target| target.size as usize);
                    readout =
                        Readout::new(text.kind, inputs, outputs, network.window_steps.into(), Noise::new(seed, blocks));
                    NodeKind::Readout
                }
            };
            let sources = network.sources(node).iter().map(|source| source.index()).collect();
            nodes.push(Node { name: text.name().to_owned(), kind, plane: plane(text.shape()), sources });
        }
        let sent = vec![Vec::new(); nodes.len()];
        let (classes, window) = (network.classes() as usize, network.window_steps.into());
        let shows_targets = network.shows_target_windows();
        let mut model = Model { layers, readout, window, classes, shows_targets, nodes, sent };
        model.set_epoch(0, 1);
        model
    }
}

/// A layer whose weights are all 0, the first of its blocks being the `first` of the network.
fn described<N: Number>(network: &Network, node: NodeIndex, seed: u64, first: usize) -> Layer<N> {
    let text = network.layer(node);
    let (inputs, neurons) = (network.inputs(node) as usize, text.neurons() as usize);
    let (classes, window) = (network.classes() as usize, i64::from(network.window_steps));
    let connection = connected(network, node);
    let format = format(text, network.fan_in(node));
    let fed_by_target = network.is_fed_by_target(node);
    let is_recurrent = text.recurrent.is_some();
    let rule = match &text.learning {
        Learning::None => None,
        Learning::Rule(rule) => Some(rule.clone()),
    };
    let one = f64::from(N::point(format.membrane)).exp2();
    let block = |(number, members): (usize, Vec<usize>)| {
        let own = if is_recurrent { dense_rows(inputs, neurons, neurons, &members) } else { Vec::new() };
        let mut rows = connection.rows(inputs, neurons, &members);
        if let Connection::Dense = connection {
            // Rows lie, and change, in the order of the axons that first feed them.
            rows = order_of_rows(network, node).into_iter().map(|place| rows[place].clone()).collect();
        }
        let rows = [rows, own];
        let direct = rule.as_ref().and_then(|rule: &Rule| match rule.target {
            TargetPath::Direct { grid } => Some(Table::new(&connection, members.len(), grid as usize, classes)),
            TargetPath::Stack => None,
        });
        let revives = rule.as_ref().is_some_and(|rule| rule.revive);
        let biases = connection.biases(members.len(), revives);
        let mut block = Block::new(members, rows, biases, Noise::new(seed, first + number), (classes, window));
        if let Some(table) = &direct {
            block.mean_square.truncate(table.rates.len());
        }
        block.table = direct;
        block
    };
    let blocks = connection.blocks(neurons, text.block as usize).into_iter().enumerate().map(block).collect();
    let zeros = |count: usize| vec![N::default(); count];
    let own = if is_recurrent { neurons * neurons } else { 0 };
    let (weights, axons) = (connection.weights(inputs, neurons), inputs + if is_recurrent { neurons } else { 0 });
    // In the order of the connection: number of the place of each neuron.
    let order: Vec<usize> = (0..neurons).map(|neuron| connection.place(neuron)).collect();
    Layer {
        name: text.name.clone(),
        inputs,
        fed_by_target,
        weight_bits: text.weights.bits,
        format,
        neurons: Neurons::new(&text.neuron, neurons, text.block as usize, |_| one).ordered(&order),
        rule,
        shift: 0,
        weights: BTreeMap::from([(1, zeros(weights))]),
        own_weights: zeros(own),
        target_weights: zeros(if fed_by_target { classes * neurons } else { 0 }),
        velocity: [zeros(weights), zeros(own)],
        trace: zeros(axons),
        target_trace: vec![zeros(axons); classes],
        blocks,
        connection,
        window,
    }
}

/// How a layer is connected: over its source, or with a kernel over each node that its source brings together.
fn connected(network: &Network, node: NodeIndex) -> Connection {
    let (text, source) = (network.layer(node), network.signal(node));
    let is_joined = matches!(&text.kind, LayerKind::Convolution(of) if !of.joined.is_empty());
    let sources = if is_joined { network.sources(source) } else { vec![source] };
    let shapes: Vec<&[u32]> = sources.iter().map(|&source| network.graph[source].shape()).collect();
    Connection::new(&text.kind, &shapes, &text.shape)
}

/// The places of what comes into a layer in the order of the axons that first feed them.
fn order_of_rows(network: &Network, node: NodeIndex) -> Vec<usize> {
    let mut order = Vec::new();
    let mut is_known = vec![false; network.inputs(node) as usize];
    for place in axons(network, network.signal(node)).into_iter().flatten() {
        if !std::mem::replace(&mut is_known[place], true) {
            order.push(place);
        }
    }
    // What no axon feeds has no row.
    order
}

/// For each axon that a node is heard by, the places of its shape that it feeds.
fn axons(network: &Network, node: NodeIndex) -> Vec<Vec<usize>> {
    let each = |places: std::ops::Range<usize>| places.map(|place| vec![place]).collect();
    match &network.graph[node] {
        onward_net::Node::Layer(text) => {
            let neurons = text.neurons() as usize;
            let connection = connected(network, node);
            let blocks = connection.blocks(neurons, text.block as usize);
            blocks.into_iter().flatten().map(|neuron| vec![connection.place(neuron)]).collect()
        }
        onward_net::Node::Flatten(_) | onward_net::Node::Delay(_) | onward_net::Node::Add(_) => {
            network.sources(node).into_iter().flat_map(|source| axons(network, source)).collect()
        }
        onward_net::Node::Concat(_) => {
            let (mut first, mut all) = (0, Vec::new());
            for source in network.sources(node) {
                let of_source = axons(network, source).into_iter();
                all.extend(of_source.map(|places| places.into_iter().map(|place| first + place).collect()));
                first += network.graph[source].shape().iter().product::<u32>() as usize;
            }
            all
        }
        onward_net::Node::Pool(pool) if pool.kind != PoolKind::Maximum => {
            let source = network.signal(node);
            let ([_, height, width], [_, rows, columns]) = (plane(network.graph[source].shape()), plane(&pool.shape));
            let along = |at: usize, axis: usize, end: usize| {
                let (window, stride) = (pool.window[axis] as usize, pool.stride[axis] as usize);
                (0..end).filter(move |&first| (first * stride..first * stride + window).contains(&at))
            };
            let pooled = |place: usize| {
                let (channel, y, x) = (place / (height * width), place / width % height, place % width);
                let windows =
                    along(y, 0, rows).flat_map(move |row| along(x, 1, columns).map(move |column| (row, column)));
                windows.map(move |(row, column)| (channel * rows + row) * columns + column).collect::<Vec<_>>()
            };
            let all = axons(network, source).into_iter();
            all.map(|places| places.into_iter().flat_map(pooled).collect()).collect()
        }
        other => each(0..other.shape().iter().product::<u32>() as usize),
    }
}

/// Where the binary points of a layer in a network that learns are. Where it shares kernels, or learns at steps, all has one;
/// else weights of few bits have as many fraction bits as leave room for 3 of the deviations they are drawn with, and
/// membranes 12 at least.
fn format(text: &onward_net::Layer, fan_in: u32) -> Format {
    let bits = text.weights.bits;
    let (gain, given) = match text.weights.initial {
        Initial::Drawn { gain, fraction } => (gain, fraction),
        Initial::Given(_) => (1.0, None),
    };
    let widest = if bits > 8 { bits - 4 } else { bits - 2 };
    let at_steps = matches!(&text.learning, Learning::Rule(rule) if rule.when != When::Window);
    if at_steps || matches!(text.kind, LayerKind::Convolution(_)) {
        let weights = given.unwrap_or(widest);
        return Format { weights, targets: weights, membrane: weights };
    }
    let deviation = gain * (2.0 / f64::from(fan_in)).sqrt();
    let largest = f64::from((1 << (bits - 1)) - 1);
    let has_room = |bits: u32| bits < 15 && largest / f64::from(bits + 1).exp2() >= 3.0 * deviation;
    let mut usual = widest;
    while bits <= 8 && has_room(usual) {
        usual += 1;
    }
    let weights = given.unwrap_or(usual);
    Format { weights, targets: weights.min(widest), membrane: weights.max(12) }
}

/// Normal numbers: SplitMix64, and the sum of twelve uniform ones.
struct Normal(u64);

impl Normal {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e3779b97f4a7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d049bb133111eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn draw(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

impl Model<f64> {
    /// A network in real numbers before its first sample. Weights that the text does not give come of the same distributions as
    /// the chip's, but not of the same generator. A plane's targets are drawn about 1/2.
    pub fn drawn(network: &Network, seed: u64) -> Model<f64> {
        let (mut model, mut normal) = (Model::new(network, seed), Normal(seed));
        for (layer, node) in model.layers.iter_mut().zip(network.layers()) {
            let text = network.layer(node);
            let neurons = layer.size();
            let count = layer.learned().len();
            // The text's order is `[neuron][place]`, `[channel][tap]`.
            let outputs = if let Connection::Kernels(_) = layer.connection { plane(&text.shape)[0] } else { neurons };
            let place = |index: usize| match layer.connection {
                Connection::Pairs(_) => index,
                _ => index % outputs * (count / outputs) + index / outputs,
            };
            let weights = match &text.kind {
                LayerKind::Sparse(sparse) => pair_weights(sparse),
                _ => numbers(&text.weights.initial, count, network.fan_in(node), place, &mut normal),
            };
            layer.weights = BTreeMap::from([(1, weights)]);
            let (about, deviation) = if layer.connection.is_plane() { (0.5, 0.3) } else { (0.0, 1.0) };
            for row in layer.target_weights.chunks_mut(neurons) {
                let members = layer.blocks.iter().flat_map(|block| &block.members);
                members.for_each(|&neuron| row[neuron] = about + deviation * normal.draw());
            }
            for table in layer.blocks.iter_mut().filter_map(|block| block.table.as_mut()) {
                table.rows.iter_mut().flatten().for_each(|entry| *entry = 0.1 * normal.draw());
            }
            if let Some(own) = &text.recurrent {
                layer.own_weights =
                    numbers(&own.initial, neurons * neurons, neurons as u32, |index| index, &mut normal);
            }
        }
        model
    }
}

/// So many weights as a text gives them: number `place` of its array, or drawn.
fn numbers(
    initial: &Initial,
    count: usize,
    fan_in: u32,
    place: impl Fn(usize) -> usize,
    normal: &mut Normal,
) -> Vec<f64> {
    match initial {
        Initial::Drawn { gain, .. } => {
            let deviation = gain * (2.0 / f64::from(fan_in)).sqrt();
            (0..count).map(|_| deviation * normal.draw()).collect()
        }
        Initial::Given(Values::Constant(value)) => vec![*value; count],
        Initial::Given(Values::Array(array)) => (0..count).map(|index| array.values[place(index)]).collect(),
        Initial::Given(Values::File(file)) => panic!("`{}` is read before", file.path),
    }
}

fn pair_weights(sparse: &Sparse) -> Vec<f64> {
    let Values::Array(array) = &sparse.connections else { panic!("pairs are read before") };
    array.values.chunks(3).map(|row| row[2]).collect()
}
