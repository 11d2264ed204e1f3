//! What a network that is shown targets cannot be, each with its reason and with what would help.

use super::rule::kernels::MOST_ROWS;
use onward_diagnostic::Diagnostic;
use onward_net::{
    Convolution, Encoding, Gate, Layer, LayerKind, Learning, Network, Neuron, Node, NodeIndex, Pool, PoolKind,
    ReadoutKind, Rule, TargetKind, Update, Values, When,
};

/// The least threshold of a layer that learns.
const THRESHOLD_MIN: f64 = 0.001;

/// What is wrong, why, and what would help.
type Limit = (&'static str, &'static str);

/// What of a network the compiler has no program for.
pub(crate) fn limits(network: &Network) -> Vec<Diagnostic> {
    let mut errors = Vec::new();
    for node in network.graph.node_indices() {
        let of_node = &network.graph[node];
        let mut error = |what: &str, help: &str| {
            let message = format!("a network that learns, or scores classes by targets, cannot have {what}");
            errors.push(Diagnostic::new(of_node.span(), message).help(help.to_owned()));
        };
        match of_node {
            Node::Input(input) if input.encoding == Encoding::Current => {
                error(
                    "an input of values: traces count spikes",
                    "let values become spikes: `rate`, `poisson` or `latency`",
                );
            }
            Node::Pool(Pool { kind: PoolKind::Average, name, .. }) => {
                error(
                    &format!("the averages of `{name}`: parts of a spike are below what a weight can change by"),
                    "pool by `sum` or `max`",
                );
            }
            Node::Readout(readout) if !readout.kind.needs_target() => {
                error("this readout", "ask for a class: `nearest_target`, `target_tree` or `trained`");
            }
            Node::Readout(readout) if readout.kind == ReadoutKind::NearestTarget => {
                if let Some((what, help)) = of_scores(network, node) {
                    error(&what, help);
                }
            }
            Node::Target(target) if target.kind == TargetKind::Vector => {
                let (window, lag) = (network.window_steps, lag_before_readout(network));
                if lag >= window {
                    error(
                        &format!("a target of values {lag} steps before the readout, in windows of {window} steps"),
                        "a longer window, or fewer layers: values wait for a window at most",
                    );
                }
            }
            Node::Layer(layer) => {
                let Learning::Rule(rule) = &layer.learning else { continue };
                if network.classes() == 0 {
                    error(
                        &format!("the layer `{}` that learns from values: layers learn from classes", layer.name),
                        "give the layer `learning = none`; the readout learns",
                    );
                }
                for (what, help) in of_layer(network, layer, rule) {
                    error(&format!("`{}` as it is: {what}", layer.name), help);
                }
            }
            _ => {}
        }
    }
    errors
}

/// Steps by which the layer that is read lags behind the input.
fn lag_before_readout(network: &Network) -> u32 {
    let readout = network.graph.node_indices().find(|&node| matches!(network.graph[node], Node::Readout(_)));
    readout.map_or(0, |readout| network.lag(readout)).saturating_sub(1)
}

/// What is wrong with the layers whose scores a readout adds.
fn of_scores(network: &Network, readout: NodeIndex) -> Option<(String, &'static str)> {
    let layers: Vec<NodeIndex> =
        network.sources(readout).into_iter().filter(|&of| matches!(network.graph[of], Node::Layer(_))).collect();
    let lags = layers.iter().map(|&layer| network.lag(layer));
    let apart = lags.clone().max()? - lags.min()?;
    if apart >= network.window_steps {
        let what = format!("a readout of layers that are {apart} steps apart, in windows of {}", network.window_steps);
        return Some((what, "a longer window, or layers nearer to each other: else scores of two samples meet"));
    }
    let is_direct = |layer: &&NodeIndex| network.is_direct(**layer);
    let direct = layers.iter().filter(is_direct).count();
    (direct > 0 && direct < layers.len()).then(|| {
        let what = "a readout of layers of which the target reaches some directly".to_owned();
        (what, "read layers of one sort: the scores of others are in other units")
    })
}

/// What a layer that learns cannot be.
fn of_layer(network: &Network, layer: &Layer, rule: &Rule) -> Vec<Limit> {
    let mut limits = combinations(rule);
    match &layer.kind {
        LayerKind::Dense => {}
        LayerKind::Sparse(_) => limits.push((
            "it is sparse, and lists of neuron and weight are read but not changed",
            "make it `dense`, or give it `learning = none`",
        )),
        LayerKind::Convolution(convolution) => limits.extend(of_kernels(layer, convolution, rule)),
    }
    if layer.recurrent.as_ref().is_some_and(|own| own.bits != layer.weights.bits) {
        limits.push((
            "its recurrent weights have another width, and one instruction changes rows of both",
            "give `weights` and `recurrent_weights` the same `bits`",
        ));
    }
    if !is_at_least(&layer.neuron.threshold, THRESHOLD_MIN) {
        limits.push((
            "a threshold is below 0.001, and what a neuron that fires by itself does says nothing of its weights",
            "thresholds of at least 0.001, or `learning = none`",
        ));
    }
    if let When::Steps { every, .. } = rule.when {
        let Neuron { threshold, refractory, current_start, .. } = &layer.neuron;
        if *current_start != Values::Constant(0.0) {
            limits.push((
                "its currents begin with something, and its windows may go on where the last one ended",
                "leave `current_start` away, or `every`",
            ));
        }
        if every > network.window_steps {
            limits.push((
                "it changes its weights less often than a window has steps",
                "make `every` smaller, or the window longer",
            ));
        }
        if rule.gate == Gate::Surrogate && (!matches!(threshold, Values::Constant(_)) || *refractory > 0) {
            limits.push((
                "how near a membrane is to its threshold is told by one threshold, of neurons that do not rest",
                "leave `refractory` and thresholds of each neuron away, or write `gate = none`",
            ));
        }
    }
    limits
}

/// Whether all numbers are at least this.
fn is_at_least(values: &Values, least: f64) -> bool {
    match values {
        Values::Constant(value) => *value >= least,
        Values::Array(array) => array.values.iter().all(|&value| value >= least),
        Values::File(_) => true,
    }
}

/// What of a rule does not go together, whatever the layer.
fn combinations(rule: &Rule) -> Vec<Limit> {
    let &Rule { gate, when, update, batch, .. } = rule;
    let (in_parts, at_steps) = (update == Update::Spread, when != When::Window);
    let mut limits = Vec::new();
    if at_steps && rule.is_direct() {
        limits.push((
            "its table of targets is compared with the rates of a whole window",
            "leave `every` or `target = direct` away",
        ));
    }
    if in_parts && at_steps {
        limits.push((
            "it changes weights in every few steps, and in parts after a window",
            "leave `every` or `update = spread` away",
        ));
    }
    if batch > 1 && (in_parts || at_steps) {
        limits.push((
            "the changes of several samples are added at the end of a window, and brought to the weights at once",
            "leave `batch` away, or `every` and `update = spread`",
        ));
    }
    if at_steps && gate == Gate::Voltage {
        limits.push((
            "voltages in thresholds are those of windows",
            "`gate = surrogate` or `none`, or leave `every` away",
        ));
    }
    limits
}

/// What a convolution that learns cannot be.
fn of_kernels(layer: &Layer, convolution: &Convolution, rule: &Rule) -> Vec<Limit> {
    let &Rule { when, update, .. } = rule;
    let mut limits = Vec::new();
    if convolution.groups != 1 || convolution.dilation != [1, 1] {
        limits.push(("its kernels are grouped or dilated", "leave `groups` and `dilation` away"));
    }
    if convolution.kernel[0].div_ceil(convolution.stride[0]) > MOST_ROWS {
        limits.push((
            "a kernel reaches six rows of outputs at most, as each takes a vector register",
            "a smaller kernel, or a larger stride",
        ));
    }
    if layer.recurrent.is_some() {
        limits.push(("kernels and rows of its own spikes would change together", "leave `recurrent_weights` away"));
    }
    if when != When::Window || update != Update::AtOnce {
        limits.push((
            "kernels change by the sums over all places of a plane, which are known at the end of a window and at once",
            "leave `every` and `update = spread` away",
        ));
    }
    limits
}
