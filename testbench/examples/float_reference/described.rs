//! What the reference takes of a text; what it does not know it refuses.

use onward_diagnostic::Source;
use onward_net::{
    Convolution, Decay, Encoding, Gate, Initial, Layer, LayerKind, Learning, Loss, Network, Neuron, Node, NodeIndex,
    Optimizer, RateSchedule, ReadoutKind, Reset, Rule, Update, Values, When,
};
use std::path::Path;
use testbench::float_model::{self as model, steps};

/// A network that the reference knows.
pub enum Described {
    /// Layers that learn once a window.
    Windows(model::Network),
    /// A layer that learns while its input is shown.
    Steps(steps::Network),
}

/// The network that a file describes.
pub fn network(path: &str, settings: &[(String, String)]) -> Result<Network, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let mut read = |path: &Path| std::fs::read_to_string(path);
    let source = onward_net::with_includes(Source::new(path, text), &mut read)
        .map_err(|(source, errors)| source.render(&errors))?;
    let source = onward_net::with_settings(source, settings);
    Network::parse(&source).map_err(|errors| source.render(&errors))
}

/// What the reference takes of a network. `whole`: each layer is one block.
pub fn described(network: &Network, whole: bool) -> Result<Described, String> {
    let layers: Vec<NodeIndex> = network.layers().collect();
    let is_chain = |node: &Node| matches!(node, Node::Input(_) | Node::Target(_) | Node::Layer(_) | Node::Readout(_));
    if let Some(other) = network.graph.node_weights().find(|node| !is_chain(node)) {
        return Err(format!(
            "`{}`: the reference has layers one behind the other, and nothing between them",
            other.name()
        ));
    }
    if network.readout().kind != ReadoutKind::NearestTarget {
        return Err(format!("`{}`: the reference answers by the nearest target alone", network.readout().name));
    }
    for (depth, &node) in layers.iter().enumerate() {
        let is_first = depth == 0;
        let follows = is_first || network.signal(node) == layers[depth - 1];
        if !follows || network.is_fed_by_target(node) != is_first {
            let name = &network.layer(node).name;
            return Err(format!(
                "layer `{name}`: in the reference each layer feeds the next, and the target the first"
            ));
        }
    }
    if let [node] = layers[..]
        && let Learning::Rule(rule) = &network.layer(node).learning
        && let When::Steps { every, memory } = rule.when
    {
        return of_steps(network, network.layer(node), rule, [every, memory], whole).map(Described::Steps);
    }
    if network.input().encoding != Encoding::Rate || network.window_steps > 32 {
        return Err("the reference shows such layers evenly spread spikes in windows of at most 32 steps".into());
    }
    let of = |&node: &NodeIndex| layer(network.layer(node), whole);
    Ok(Described::Windows(model::Network {
        input: planes(&network.input().shape),
        classes: network.classes() as usize,
        window: network.window_steps as usize,
        layers: layers.iter().map(of).collect::<Result<_, _>>()?,
    }))
}

/// Channels, height and width.
fn planes(shape: &[u32]) -> [usize; 3] {
    let mut planes = [1; 3];
    let first = planes.len() - shape.len();
    planes[first..].iter_mut().zip(shape).for_each(|(extent, &given)| *extent = given as usize);
    planes
}

fn refused<T>(layer: &Layer, what: &str) -> Result<T, String> {
    Err(format!(
        "layer `{}`: the reference has no {what}; leave that out, or see what `onward train` makes of it",
        layer.name
    ))
}

fn gain(layer: &Layer, initial: &Initial) -> Result<f64, String> {
    match initial {
        Initial::Drawn { gain, .. } => Ok(*gain),
        Initial::Given(_) => refused(layer, "weights but drawn ones"),
    }
}

fn threshold(layer: &Layer) -> Result<f64, String> {
    let Neuron { threshold, reset, refractory, bias, .. } = &layer.neuron;
    if *reset != Reset::Subtract || *refractory > 0 || *bias != Values::Constant(0.0) {
        return refused(layer, "reset but by subtraction, no refractory neurons and no given biases");
    }
    let Values::Constant(threshold) = threshold else { return refused(layer, "several thresholds") };
    Ok(*threshold)
}

/// A layer that learns once a window.
fn layer(layer: &Layer, whole: bool) -> Result<model::Layer, String> {
    let Learning::Rule(rule) = &layer.learning else { return refused(layer, "layers that do not learn") };
    if layer.neuron.leak != Decay::None || layer.neuron.current.is_some() || layer.recurrent.is_some() {
        return refused(layer, "leak, current or recurrence in layers that learn once a window");
    }
    if rule.when != When::Window || rule.update != Update::AtOnce {
        return refused(layer, "several layers that learn at steps, and no updates that are spread");
    }
    if rule.batch > 1 {
        return refused(layer, "batches (`--set batch=1`, where the text has such a parameter)");
    }
    let (kind, all) = match &layer.kind {
        LayerKind::Dense => (model::Kind::Dense { neurons: layer.neurons() as usize }, layer.neurons()),
        LayerKind::Convolution(convolution) => (model::Kind::Convolution(kernel(layer, convolution)?), layer.shape[0]),
        LayerKind::Sparse(_) => return refused(layer, "sparse layers"),
    };
    Ok(model::Layer {
        kind,
        block: if whole { all } else { layer.block } as usize,
        threshold: threshold(layer)?,
        gain: gain(layer, &layer.weights.initial)?,
        rule: described_rule(rule),
    })
}

fn kernel(layer: &Layer, convolution: &Convolution) -> Result<model::Kernel, String> {
    let Convolution { channels, kernel, stride, padding, padding_end, dilation, groups } = convolution;
    if padding != padding_end || *dilation != [1, 1] || *groups != 1 {
        return refused(layer, "dilation, groups or uneven padding");
    }
    let pair = |pair: &[u32; 2]| pair.map(|extent| extent as usize);
    Ok(model::Kernel {
        channels: *channels as usize,
        extents: pair(kernel),
        stride: pair(stride),
        padding: pair(padding),
    })
}

fn described_rule(rule: &Rule) -> model::Rule {
    model::Rule {
        loss: match rule.loss {
            Loss::Hinge { margin } => model::Loss::Hinge { margin },
            Loss::Softmax { temperature } => model::Loss::Softmax { temperature },
            Loss::SquaredError { margin } => model::Loss::SquaredError { margin },
            Loss::Hebbian => model::Loss::Hebbian,
        },
        rate: rule.rate.into(),
        fall: match &rule.schedule {
            RateSchedule::Anneal(times) => model::Fall::Evenly(*times),
            RateSchedule::Shifts(epochs) => model::Fall::In(epochs.clone()),
        },
        attachment: match rule.gate {
            Gate::Surrogate => model::Attachment::Surrogate,
            Gate::Voltage => model::Attachment::Voltage,
            Gate::None => model::Attachment::Count,
        },
        optimizer: match rule.optimizer {
            Optimizer::Plain => model::Optimizer::Plain,
            Optimizer::Momentum { decay } => model::Optimizer::Momentum { decay },
            Optimizer::Adaptive { decay } => model::Optimizer::Adaptive { decay },
        },
        weight_decay: rule.weight_decay,
        revive: rule.revive,
    }
}

/// A layer that learns while its input is shown.
fn of_steps(
    network: &Network,
    layer: &Layer,
    rule: &Rule,
    [every, memory]: [u32; 2],
    whole: bool,
) -> Result<steps::Network, String> {
    if matches!(network.input().encoding, Encoding::Poisson | Encoding::Current) {
        return refused(layer, "spikes that are drawn, and no payloads");
    }
    let Loss::Hinge { margin } = rule.loss else { return refused(layer, "loss at steps but the hinge") };
    let RateSchedule::Anneal(halvings) = rule.schedule else { return refused(layer, "rate at steps but an even one") };
    let is_plain = rule.optimizer == Optimizer::Plain && rule.weight_decay.is_none() && rule.gate != Gate::Voltage;
    if !is_plain || layer.kind != LayerKind::Dense {
        return refused(layer, "such rule at steps");
    }
    let left = |decay: &Decay| left(layer, decay);
    Ok(steps::Network {
        inputs: network.input().size() as usize,
        classes: network.classes() as usize,
        window: network.window_steps as usize,
        neurons: layer.neurons() as usize,
        block: if whole { layer.neurons() } else { layer.block } as usize,
        threshold: threshold(layer)?,
        gain: gain(layer, &layer.weights.initial)?,
        leak: left(&layer.neuron.leak)?,
        current: layer.neuron.current.as_ref().map(left).transpose()?,
        recurrent_gain: layer.recurrent.as_ref().map(|own| gain(layer, &own.initial)).transpose()?,
        every: every as usize,
        memory,
        rate: rule.rate.into(),
        halvings,
        margin,
        gated: rule.gate == Gate::Surrogate,
        revive: rule.revive,
    })
}

/// By neuron, what a decay leaves. Blocks are the text's, also where the layer learns as one.
fn left(layer: &Layer, decay: &Decay) -> Result<Vec<f64>, String> {
    let neurons = layer.neurons() as usize;
    match decay {
        Decay::None => Ok(vec![1.0; neurons]),
        Decay::Shift(bits) => Ok(vec![1.0 - f64::from(*bits).exp2().recip(); neurons]),
        Decay::Factor(Values::Constant(part)) => Ok(vec![*part; neurons]),
        Decay::Spread(least, most) => Ok(steps::spread(*least, *most, neurons, layer.block as usize)),
        Decay::Factor(_) => refused(layer, "decay that is given for each neuron"),
    }
}
