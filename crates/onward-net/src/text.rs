//! Networks as canonical text: every value is written out, and parsing it gives the same network.

use crate::network::{
    Convolution, Decay, Encoding, FileArray, Initial, Layer, LayerKind, Network, Neuron, Node, PoolKind, Reset,
    TargetKind, Values, Weights,
};
use crate::readout::{ReadoutKind, ReadoutLoss, TargetTree, TrainedReadout};
use crate::rule::{Gate, Learning, Loss, Optimizer, RateSchedule, Rounding, Rule, Update, When};
use std::fmt::{self, Display, Formatter};

/// Canonical text in the `.sp` language; parsing it gives the same network with other spans.
impl Display for Network {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        writeln!(formatter, "network {} {{", self.name)?;
        if let Some(data) = &self.data {
            writeln!(formatter, "    data = {}", quoted(data))?;
        }
        writeln!(formatter, "    epochs = {}", self.epochs)?;
        writeln!(formatter, "    window = {}", self.window_steps)?;
        let common = Common::of(self);
        for (name, value) in
            [("neurons", &common.neurons), ("weights", &common.weights), ("learning", &common.learning)]
        {
            if let Some(value) = value {
                writeln!(formatter, "    {name} = {value}")?;
            }
        }
        writeln!(formatter)?;
        for index in self.graph.node_indices() {
            let node = &self.graph[index];
            write!(formatter, "    {} {} = {node}", kind(node), node.name())?;
            let sources: Vec<_> = self.sources(index).iter().map(|&source| self.graph[source].name()).collect();
            if !sources.is_empty() {
                write!(formatter, " from {}", sources.join(", "))?;
            }
            let options = options(node, &common);
            if !options.is_empty() {
                write!(formatter, " {{ {} }}", options.join(", "))?;
            }
            writeln!(formatter)?;
        }
        writeln!(formatter, "}}")
    }
}

/// The first layer's values become the network's, as text; layers that differ say so.
#[derive(Default)]
struct Common {
    neurons: Option<String>,
    weights: Option<String>,
    learning: Option<String>,
}

impl Common {
    fn of(network: &Network) -> Common {
        let Some(first) = network.layers().next().map(|index| network.layer(index)) else { return Common::default() };
        // What is given number by number belongs to one layer.
        let is_one = |values: &Values| matches!(values, Values::Constant(_));
        let is_same_for_all = |decay: &Decay| !matches!(decay, Decay::Factor(values) if !is_one(values));
        let Neuron { threshold, reset, leak, current, bias, .. } = &first.neuron;
        let share_neurons = is_one(threshold)
            && is_one(bias)
            && !matches!(reset, Reset::To(values) if !is_one(values))
            && is_same_for_all(leak)
            && current.as_ref().is_none_or(is_same_for_all);
        let share_weights = matches!(first.weights.initial, Initial::Drawn { .. });
        Common {
            neurons: share_neurons.then(|| first.neuron.to_string()),
            weights: share_weights.then(|| first.weights.to_string()),
            learning: Some(first.learning.to_string()),
        }
    }
}

/// The word that begins an item.
pub(crate) fn kind(node: &Node) -> &'static str {
    match node {
        Node::Input(_) => "input",
        Node::Target(_) => "target",
        Node::Layer(_) | Node::Pool(_) | Node::Flatten(_) | Node::Add(_) | Node::Delay(_) => "layer",
        Node::Readout(_) => "readout",
    }
}

/// What stands between the braces of an item.
fn options(node: &Node, common: &Common) -> Vec<String> {
    let pair = |[y, x]: [u32; 2]| format!("({y}, {x})");
    match node {
        Node::Input(input) => match input.encoding {
            Encoding::Delta(change) | Encoding::Sequence(change) => vec![format!("change = {change:?}")],
            _ => Vec::new(),
        },
        Node::Pool(pool) => {
            let mut options = vec![format!("stride = {}", pair(pool.stride))];
            if pool.kind == PoolKind::Maximum {
                options.push(format!("block = {}", pool.block));
            }
            options
        }
        Node::Layer(layer) => layer_options(layer, common),
        Node::Readout(readout) => readout_options(&readout.kind),
        Node::Target(_) | Node::Flatten(_) | Node::Add(_) | Node::Delay(_) => Vec::new(),
    }
}

fn readout_options(kind: &ReadoutKind) -> Vec<String> {
    match kind {
        ReadoutKind::NearestTarget | ReadoutKind::MostSpikes | ReadoutKind::Spikes => Vec::new(),
        ReadoutKind::Trained(TrainedReadout { loss, rate, anneal, bits }) => {
            let loss = match loss {
                ReadoutLoss::Hinge { margin } => format!("hinge {{ margin = {margin:?} }}"),
                ReadoutLoss::SquaredError => "squared_error".to_owned(),
            };
            vec![
                format!("loss = {loss}"),
                format!("rate = {rate}"),
                format!("anneal = {anneal}"),
                format!("bits = {bits}"),
            ]
        }
        ReadoutKind::TargetTree(TargetTree { rate, margin, anneal, parts }) => vec![
            format!("rate = {rate}"),
            format!("margin = {margin:?}"),
            format!("anneal = {anneal}"),
            format!("parts = {parts}"),
        ],
    }
}

fn layer_options(layer: &Layer, common: &Common) -> Vec<String> {
    let mut options = Vec::new();
    match &layer.kind {
        LayerKind::Dense => {}
        LayerKind::Convolution(Convolution { stride, padding, padding_end, dilation, groups, .. }) => {
            let pairs =
                [("stride", stride), ("padding", padding), ("padding_end", padding_end), ("dilation", dilation)];
            options.extend(pairs.map(|(name, [y, x])| format!("{name} = ({y}, {x})")));
            options.push(format!("groups = {groups}"));
        }
        LayerKind::Sparse(sparse) => options.push(format!("connections = {}", sparse.connections)),
    }
    if let Some(recurrent) = &layer.recurrent {
        options.push(format!("recurrent_weights = {recurrent}"));
    }
    options.push(format!("block = {}", layer.block));
    if let Some(rows) = layer.block_rows {
        options.push(format!("rows = {rows}"));
    }
    let own = [
        ("neurons", layer.neuron.to_string(), &common.neurons),
        ("weights", layer.weights.to_string(), &common.weights),
        ("learning", layer.learning.to_string(), &common.learning),
    ];
    for (name, value, common) in own {
        if common.as_ref() != Some(&value) {
            options.push(format!("{name} = {value}"));
        }
    }
    options
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The constructor with its arguments, as in `dense(128)`.
impl Display for Node {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        let sizes = |shape: &[u32]| shape.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        match self {
            Node::Input(input) => {
                let encoding = match input.encoding {
                    Encoding::Rate => "rate",
                    Encoding::Poisson => "poisson",
                    Encoding::Latency => "latency",
                    Encoding::Current => "current",
                    Encoding::Delta(_) => "delta",
                    Encoding::Sequence(_) => "sequence",
                    Encoding::Events => "events",
                };
                write!(formatter, "{encoding}({})", sizes(&input.shape))
            }
            Node::Target(target) => match target.kind {
                TargetKind::Classes => write!(formatter, "classes({})", target.size),
                TargetKind::Vector => write!(formatter, "vector({})", target.size),
            },
            Node::Layer(layer) => match (&layer.kind, &layer.recurrent) {
                (LayerKind::Dense, None) => write!(formatter, "dense({})", sizes(&layer.shape)),
                (LayerKind::Dense, Some(_)) => write!(formatter, "recurrent({})", sizes(&layer.shape)),
                (LayerKind::Convolution(Convolution { channels, kernel: [height, width], .. }), _) => {
                    write!(formatter, "conv({channels}, {height}, {width})")
                }
                (LayerKind::Sparse(_), _) => write!(formatter, "sparse({})", sizes(&layer.shape)),
            },
            Node::Pool(pool) => {
                let kind = match pool.kind {
                    PoolKind::Sum => "sum_pool",
                    PoolKind::Average => "average_pool",
                    PoolKind::Maximum => "max_pool",
                };
                write!(formatter, "{kind}({})", sizes(&pool.window))
            }
            Node::Flatten(_) => write!(formatter, "flatten"),
            Node::Add(_) => write!(formatter, "add"),
            Node::Delay(delay) => write!(formatter, "delay({})", delay.steps),
            Node::Readout(readout) => write!(
                formatter,
                "{}",
                match readout.kind {
                    ReadoutKind::NearestTarget => "nearest_target",
                    ReadoutKind::MostSpikes => "most_spikes",
                    ReadoutKind::Spikes => "spikes",
                    ReadoutKind::Trained(_) => "trained",
                    ReadoutKind::TargetTree(_) => "target_tree",
                }
            ),
        }
    }
}

/// `integrate_and_fire { ... }`, or what it is with a leak or a current.
impl Display for Neuron {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        let Neuron { threshold, reset, leak, current, refractory, bias } = self;
        match (current, leak) {
            (Some(current), _) => write!(formatter, "current_based {{ current = {current}, leak = {leak}, ")?,
            (None, Decay::None) => write!(formatter, "integrate_and_fire {{ ")?,
            (None, _) => write!(formatter, "leaky {{ leak = {leak}, ")?,
        }
        write!(formatter, "threshold = {threshold}, reset = {reset}, refractory = {refractory}, bias = {bias} }}")
    }
}

/// `subtract`, `zero` or `to(...)`.
impl Display for Reset {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        match self {
            Reset::Subtract => write!(formatter, "subtract"),
            Reset::To(Values::Constant(value)) if value.to_bits() == 0 => write!(formatter, "zero"),
            Reset::To(values) => write!(formatter, "to({values})"),
        }
    }
}

/// `none`, `shift(...)` or `factor(...)`.
impl Display for Decay {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        match self {
            Decay::None => write!(formatter, "none"),
            Decay::Shift(shift) => write!(formatter, "shift({shift})"),
            Decay::Factor(values) => write!(formatter, "factor({values})"),
            Decay::Spread(least, most) => write!(formatter, "spread({least:?}, {most:?})"),
        }
    }
}

/// A number, a list of them or `file(...)`.
impl Display for Values {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        match self {
            // `{:?}` writes the shortest decimal that reads back as the same number, and a point in it.
            Values::Constant(value) => write!(formatter, "{value:?}"),
            Values::Array(array) => list(formatter, &array.shape, &array.values),
            Values::File(FileArray { path, member: None, .. }) => write!(formatter, "file({})", quoted(path)),
            Values::File(FileArray { path, member: Some(member), .. }) => {
                write!(formatter, "file({}, {})", quoted(path), quoted(member))
            }
        }
    }
}

/// Numbers as nested lists, each in parentheses; one of a single element ends in a comma.
fn list(formatter: &mut Formatter, shape: &[usize], values: &[f64]) -> fmt::Result {
    let Some((&size, inner)) = shape.split_first() else {
        return values.iter().try_for_each(|value| write!(formatter, "{value:?}"));
    };
    write!(formatter, "(")?;
    for (at, part) in values.chunks(inner.iter().product::<usize>().max(1)).enumerate() {
        if at > 0 {
            write!(formatter, ", ")?;
        }
        list(formatter, inner, part)?;
    }
    write!(formatter, "{}", if size == 1 { ",)" } else { ")" })
}

/// `fixed { ... }`.
impl Display for Weights {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        let bits = self.bits;
        match &self.initial {
            Initial::Drawn { gain, fraction: None } => write!(formatter, "fixed {{ bits = {bits}, gain = {gain:?} }}"),
            Initial::Drawn { gain, fraction: Some(fraction) } => {
                write!(formatter, "fixed {{ bits = {bits}, gain = {gain:?}, fraction = {fraction} }}")
            }
            Initial::Given(values) => write!(formatter, "fixed {{ bits = {bits}, values = {values} }}"),
        }
    }
}

/// `hinge { ... }` and its like, or `none`.
impl Display for Learning {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        match self {
            Learning::None => write!(formatter, "none"),
            Learning::Rule(rule) => rule.fmt(formatter),
        }
    }
}

impl Display for Rule {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        let Rule { loss, rate, schedule, gate, optimizer, weight_decay, when, revive, update, rounding, batch } = self;
        match loss {
            Loss::Hinge { margin } => write!(formatter, "hinge {{ margin = {margin:?}, ")?,
            Loss::Softmax { temperature } => write!(formatter, "softmax {{ temperature = {temperature:?}, ")?,
            Loss::SquaredError { margin } => write!(formatter, "squared_error {{ margin = {margin:?}, ")?,
            Loss::Hebbian => write!(formatter, "hebbian {{ ")?,
        }
        write!(formatter, "rate = {rate}, ")?;
        match schedule {
            RateSchedule::Anneal(times) => write!(formatter, "anneal = {times}, ")?,
            RateSchedule::Shifts(epochs) => {
                let epochs: Vec<_> = epochs.iter().map(ToString::to_string).collect();
                write!(formatter, "shifts = ({}), ", epochs.join(", "))?;
            }
        }
        let gate = match gate {
            Gate::Surrogate => "surrogate",
            Gate::Voltage => "voltage",
            Gate::None => "none",
        };
        write!(formatter, "gate = {gate}, optimizer = ")?;
        match optimizer {
            Optimizer::Plain => write!(formatter, "plain")?,
            Optimizer::Momentum { decay } => write!(formatter, "momentum {{ decay = {decay} }}")?,
            Optimizer::Adaptive { decay } => write!(formatter, "adaptive {{ decay = {decay} }}")?,
        }
        if let Some(bits) = weight_decay {
            write!(formatter, ", weight_decay = {bits}")?;
        }
        if let When::Steps { every, memory } = when {
            write!(formatter, ", every = {every}, memory = {memory}")?;
        }
        write!(formatter, ", revive = {}", if *revive { "homeostasis" } else { "none" })?;
        // What is usual need not be said.
        if *update == Update::Spread {
            write!(formatter, ", update = spread")?;
        }
        if *rounding == Rounding::Carried {
            write!(formatter, ", rounding = carried")?;
        }
        if *batch > 1 {
            write!(formatter, ", batch = {batch}")?;
        }
        write!(formatter, " }}")
    }
}
