//! `fixed-point`: the integer constants of each layer.

use crate::lowering::{Integers, LayerParameters, LoweredLayer, MOST_ROWS, is_shown_targets};
use crate::pass::{Compilation, Pass};
use crate::readouts::ReadoutFormat;
use onward_diagnostic::Diagnostic;
use onward_net::{
    Convolution, Encoding, Gate, Initial, Layer, LayerKind, Learning, Loss, Network, Neuron, Node, NodeIndex,
    Optimizer, Readout, Reset, Rounding, Rule, TargetKind, Update, Values, When,
};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;

pub(super) struct FixedPoint;

/// The greatest shift of an instruction.
const MOST_SHIFT: i32 = 31;

/// A layer whose updates are divided by more than an instruction can.
fn too_slow(layer: &Layer, lowered: &LoweredLayer) -> Option<Diagnostic> {
    let rule = lowered.rule.as_ref()?;
    let projection = lowered.record.as_ref().filter(|record| record.target_weights.is_some());
    let coarser = projection.map_or(0, |record| record.target_coarser);
    let of = if coarser > 0 { "the target's projection" } else { "weights" };
    let grown = rule.growth.most();
    let last = rule.shift + rule.places_shift + (grown + coarser) as i32;
    (last > MOST_SHIFT).then(|| {
        Diagnostic::new(layer.span.clone(), format!("layer `{}` learns too slowly for 32 bits", layer.name))
            .label(format!("updates are divided by up to 2^{last}"))
            .note(format!(
                "that is the rate, less the fraction bits of {of}, plus twice the logarithm of the window and the fraction \
                 bits of what changes are multiplied by, and {grown} more by the end of the run; a shift is at most \
                 {MOST_SHIFT}"
            ))
            .help("a smaller `rate`, a smaller `anneal`, or a shorter window")
    })
}

/// Neurons of a full block.
fn neurons_of_a_block(layer: &Layer) -> u32 {
    match layer.kind {
        LayerKind::Convolution(_) => layer.block * layer.shape[1] * layer.shape[2],
        LayerKind::Dense | LayerKind::Sparse(_) => layer.block,
    }
}

/// A readout whose updates are divided by more than an instruction can.
fn readout_too_slow(readout: &Readout, window: u32) -> Option<Diagnostic> {
    let format = ReadoutFormat::new(&readout.kind, window)?;
    let last = format.shift + format.anneal as i32;
    (last > MOST_SHIFT).then(|| {
        Diagnostic::new(readout.span.clone(), format!("readout `{}` learns too slowly for 32 bits", readout.name))
            .label(format!("updates are divided by up to 2^{last}"))
            .note(format!("{} of it by the end of the run; a shift is at most {MOST_SHIFT}", format.anneal))
            .help("a smaller `rate`, a smaller `anneal`, or a shorter window")
    })
}

/// The readout's node.
fn readout_node(network: &Network) -> NodeIndex {
    let found = network.graph.node_indices().find(|&node| matches!(network.graph[node], Node::Readout(_)));
    found.expect("a network has a readout")
}

/// The integers of a layer.
fn describe(layer: &Layer, lowered: &LoweredLayer) -> String {
    let LayerParameters { weight_bits, fraction_bits, payload, divisors, unit, rounding, .. } = &lowered.parameters;
    let mut text = format!("layer {}: weights of {weight_bits} bits, times 2^{fraction_bits}", layer.name);
    let mut add = |line: std::fmt::Arguments| text.write_fmt(line).expect("writing to memory");
    if divisors != &[1] {
        let sizes: Vec<String> = divisors.iter().map(u64::to_string).collect();
        add(format_args!("; averages over {}", sizes.join(", ")));
    }
    if *payload != 1 {
        add(format_args!("; values of 0 to {payload}"));
    }
    add(format_args!("; on the membrane 1.0 = {unit}\n"));
    add(format_args!("{}", describe_neurons(&lowered.parameters)));
    let clamped =
        if rounding.clamped > 0 { format!(", {} beyond the greatest", rounding.clamped) } else { String::new() };
    add(format_args!(
        "  {} weights{clamped}; rounded by {:.3e} at most, {:.3e} root mean square\n",
        rounding.weights, rounding.largest, rounding.root_mean_square
    ));
    if let Some(record) = lowered.record.as_ref().filter(|record| record.target_weights.is_some())
        && record.target_coarser > 0
    {
        add(format_args!("  the target's projection has {} bits less of fraction\n", record.target_coarser));
    }
    add(format_args!("{}", describe_rule(layer, lowered)));
    text
}

/// The integers of neurons, and the bounds of what they compute with where weights stay as they are.
fn describe_neurons(parameters: &LayerParameters) -> String {
    let LayerParameters { neuron, bounds, widths, .. } = parameters;
    let show = |values: &Integers| match values {
        Integers::Same(value) => value.to_string(),
        Integers::Each(values) => {
            let (least, most) = (values.iter().min().unwrap_or(&0), values.iter().max().unwrap_or(&0));
            format!("{least} to {most}")
        }
    };
    let mut text = format!("  threshold {}", show(&neuron.threshold));
    if let Some(reset) = &neuron.reset {
        text += &format!(", reset to {}", show(reset));
    }
    if let Some(leak) = &neuron.leak {
        text += &format!(", {} / 65536 left of the membrane", show(leak));
    }
    if let Some(current) = &neuron.current {
        text += &format!(", {} / 65536 of the current", show(current));
    }
    if neuron.refractory > 0 {
        text += &format!(", refractory for {} steps", neuron.refractory);
    }
    if neuron.bias != Integers::Same(0) {
        text += &format!(", bias {}", show(&neuron.bias));
    }
    if bounds.input.is_infinite() {
        return text + "\n";
    }
    let bits = |bound: f64, bits: u32| match bits {
        16 if bound > f64::from(i16::MAX) => "16 bits, by calibration".into(),
        32 if bound > f64::from(i32::MAX) => "32 bits, which can saturate".into(),
        _ => format!("{bits} bits"),
    };
    text += &format!("\n  at most {:.0} comes in in a step ({})", bounds.input, bits(bounds.input, widths.input));
    if neuron.current.is_some() {
        text += &format!(", {:.0} is the current ({})", bounds.current, bits(bounds.current, widths.current));
    }
    let membrane = bits(bounds.membrane, widths.membrane);
    text + &format!(", {:.0} is a membrane in a window ({membrane})\n", bounds.membrane)
}

/// By which integers a layer learns, if it does.
fn describe_rule(layer: &Layer, lowered: &LoweredLayer) -> String {
    let Some(rule) = &lowered.rule else { return String::new() };
    let kernels = match rule.places_shift {
        0 => String::new(),
        more => format!(" (of kernels / 2^{})", rule.shift + more),
    };
    let mut text = match rule.steps {
        Some(steps) => {
            format!("  at every {} steps, by traces that lose 1 / 2^{} a step: ", steps.every, steps.memory)
        }
        None => "  ".to_owned(),
    };
    let (margin, what) = match rule.steps {
        Some(_) => (rule.margin_of_step(neurons_of_a_block(layer)), "membrane"),
        None => (rule.margin(neurons_of_a_block(layer)), "voltage"),
    };
    let each = if rule.steps.is_some() { " a step" } else { "" };
    let gate = rule.gate.map_or("none".into(), |(low, high)| format!("{low} <= {what} < {high}"));
    text += &format!(
        "updates / 2^{}{kernels}, {} more over the run; margin {margin}{each} in a full block; gate: {gate}; nudge {}\n",
        rule.shift,
        rule.growth.most(),
        if rule.rule.revive { rule.nudge } else { 0 }
    );
    text
}

/// Whether updates cannot come in parts: these need their pulls kept, which is made for those of the hinge.
fn cannot_spread(rule: &Rule) -> bool {
    let plain = matches!((rule.loss, rule.optimizer, rule.weight_decay), (Loss::Hinge { .. }, Optimizer::Plain, None));
    rule.update == Update::Spread && !(plain && rule.gate != Gate::Voltage && rule.when == When::Window)
}

/// Whether changes of several samples cannot be added before they are rounded: pulls are kept as what those of the hinge are,
/// counts of a window.
fn cannot_batch(rule: &Rule) -> bool {
    let plain = matches!((rule.loss, rule.optimizer), (Loss::Hinge { .. }, Optimizer::Plain));
    let at_once = rule.update == Update::AtOnce && rule.when == When::Window;
    rule.batch > 1 && !(plain && at_once && rule.gate != Gate::Voltage)
}

/// Whether what rounding cuts off cannot be carried from weight to weight: a velocity has a remainder of its own, and layers
/// that learn at steps round by chance.
fn cannot_carry(rule: &Rule) -> bool {
    let plain = !matches!(rule.optimizer, Optimizer::Momentum { .. }) && rule.when == When::Window;
    rule.rounding == Rounding::Carried && !plain
}

/// What a convolution in a network that scores classes cannot be, each with what would help.
fn unlearnable_kernels(convolution: &Convolution, learning: &Learning) -> Vec<(&'static str, &'static str)> {
    let mut all = Vec::new();
    if convolution.groups != 1 || convolution.dilation != [1, 1] {
        all.push(("its kernels are neither grouped nor dilated", "leave `groups` and `dilation` away"));
    }
    if convolution.kernel[0].div_ceil(convolution.stride[0]) > MOST_ROWS {
        all.push(("a kernel reaches six rows of outputs at most", "a smaller kernel, or a larger stride"));
    }
    if let Learning::Rule(rule) = learning {
        if rule.revive {
            let help = "write `revive = none` in its `learning`: a dark input evokes nothing, and nothing is nudged";
            all.push(("a convolution that learns has no bias that could revive its neurons", help));
        }
        let Rule { loss, gate, optimizer, weight_decay, when, update, rounding, batch, .. } = rule;
        let plain = *optimizer == Optimizer::Plain
            && weight_decay.is_none()
            && *gate != Gate::Voltage
            && *rounding == Rounding::Stochastic
            && *batch == 1;
        let at_once = *when == When::Window && *update == Update::AtOnce;
        if !plain || !at_once || !matches!(loss, Loss::Hinge { .. }) {
            let help = "write `learning = hinge { revive = none }` for it, with a gate that is `surrogate` or `none`";
            all.push((
                "a convolution learns by a hinge over spike counts, once a window, without momentum, decay, carried remainders or batches",
                help,
            ));
        }
    }
    all
}

/// What a network that scores classes cannot have.
fn unlearnable(network: &Network) -> Vec<Diagnostic> {
    let mut errors = Vec::new();
    let mut error = |span: Range<usize>, what: String, help: &str| {
        let message = format!("a network that learns, or scores classes by targets, cannot have {what}");
        errors.push(Diagnostic::new(span, message).help(help.to_owned()));
    };
    let without = "without learning, with the readout `most_spikes` or `spikes`, it can";
    for node in network.graph.node_weights() {
        match node {
            Node::Input(input) if input.encoding == Encoding::Current => {
                error(
                    input.span.clone(),
                    "an input of values".into(),
                    "let values become spikes: `rate`, `poisson` or `latency`",
                );
            }
            Node::Flatten(_) => {}
            Node::Pool(_) | Node::Add(_) | Node::Delay(_) => {
                error(node.span(), format!("`{}`: its layers follow each other", node.name()), without);
            }
            Node::Readout(readout) if !readout.kind.needs_target() => {
                error(
                    readout.span.clone(),
                    "this readout".into(),
                    "ask for a class: `nearest_target`, `target_tree` or `trained`",
                );
            }
            Node::Target(target) if target.kind == TargetKind::Vector => {
                let window = network.window_steps;
                let lag = network.lag(readout_node(network)).saturating_sub(1);
                if lag >= window {
                    let what =
                        format!("a target of values {lag} steps before the readout, in windows of {window} steps");
                    error(
                        target.span.clone(),
                        what,
                        "a longer window, or fewer layers: values wait for a window at most",
                    );
                }
            }
            Node::Layer(layer) if layer.learning != Learning::None && network.classes() == 0 => {
                let what = format!("the layer `{}` that learns from values: layers learn from classes", layer.name);
                error(layer.span.clone(), what, "give the layer `learning = none`; the readout learns");
            }
            Node::Layer(layer) => {
                let name = &layer.name;
                if let Learning::Rule(rule) = &layer.learning
                    && cannot_spread(rule)
                {
                    let what = format!("`{name}`: this rule does not change weights in parts");
                    let help = "`update = spread` goes with `hinge`, `gate = surrogate` or `none`, the plain optimizer, no decay and no `every`";
                    error(layer.span.clone(), what, help);
                }
                if let Learning::Rule(rule) = &layer.learning
                    && cannot_batch(rule)
                {
                    let what = format!("`{name}`: this rule does not add the changes of several samples");
                    let help = "`batch` goes with `hinge`, `gate = surrogate` or `none`, the plain optimizer, `update = at_once` and no `every`";
                    error(layer.span.clone(), what, help);
                }
                if let Learning::Rule(rule) = &layer.learning
                    && cannot_carry(rule)
                {
                    let what = format!("`{name}`: what rounding cuts off of this rule's changes is not carried on");
                    let help = "`rounding = carried` goes with the plain or adaptive optimizer and without `every`";
                    error(layer.span.clone(), what, help);
                }
                if learns_at_steps(layer) {
                    // Said by what looks at such layers alone.
                    continue;
                }
                if matches!(layer.kind, LayerKind::Sparse(_)) || layer.recurrent.is_some() {
                    let what = format!("`{name}`: its layers are dense or convolutions, without recurrence");
                    error(layer.span.clone(), what, without);
                }
                if let LayerKind::Convolution(convolution) = &layer.kind {
                    for (what, help) in unlearnable_kernels(convolution, &layer.learning) {
                        error(layer.span.clone(), format!("`{name}`: {what}"), help);
                    }
                }
                let Neuron { threshold, .. } = &layer.neuron;
                let plain = Neuron { threshold: threshold.clone(), ..Neuron::default() };
                if layer.neuron != plain || !matches!(threshold, Values::Constant(_)) {
                    let what = format!("the neurons of `{name}`: its neurons integrate and fire, all at one threshold");
                    error(layer.span.clone(), what, without);
                }
            }
            _ => {}
        }
    }
    errors.extend(network.layers().filter_map(|node| refused(network, node)));
    errors
}

/// The rule of a layer that learns while its input is shown.
fn rule(layer: &Layer) -> Option<(&Rule, u32, u32)> {
    match &layer.learning {
        Learning::Rule(rule) => match rule.when {
            When::Steps { every, memory } => Some((rule, every, memory)),
            When::Window => None,
        },
        Learning::None => None,
    }
}

/// Whether a layer learns while its input is shown.
fn learns_at_steps(layer: &Layer) -> bool {
    rule(layer).is_some()
}

/// What a layer that learns while its input is shown cannot be, as the text would say it, and what would help.
fn refused(network: &Network, node: NodeIndex) -> Option<Diagnostic> {
    let layer = network.layer(node);
    let (rule, every, _) = rule(layer)?;
    let neuron = &layer.neuron;
    let window = network.window_steps;
    let drawn = |initial: &Initial| matches!(initial, Initial::Drawn { .. });
    let (what, help) = if layer.kind != LayerKind::Dense {
        (
            "is neither dense nor recurrent".to_owned(),
            "make it `dense` or `recurrent`, or learn once a window, without `every`",
        )
    } else if !network.is_fed_by_target(node) {
        (
            "is not fed by the target".into(),
            "name the target as its second source, or learn once a window, without `every`",
        )
    } else if !matches!(rule.loss, Loss::Hinge { .. }) {
        (
            "learns by another loss than `hinge`".into(),
            "write `hinge { every = .. }`, or learn once a window, without `every`",
        )
    } else if rule.optimizer != Optimizer::Plain || rule.weight_decay.is_some() || rule.gate == Gate::Voltage {
        (
            "has an optimizer, a weight decay or a gate that layers have which learn once a window".into(),
            "leave `optimizer` and `weight_decay` away, with `gate = surrogate` or `none`; or leave `every` away",
        )
    } else if every > window {
        (
            format!("changes its weights every {every} steps of a window of {window}"),
            "make `every` smaller, or the window longer",
        )
    } else if !matches!(neuron.threshold, Values::Constant(_)) || neuron.bias != Values::Constant(0.0) {
        ("has thresholds or biases of its own for its neurons".into(), "leave them away: biases are learned")
    } else if neuron.reset != Reset::Subtract || neuron.refractory > 0 {
        ("has another reset than `subtract`, or is refractory".into(), "leave `reset` and `refractory` away")
    } else if !drawn(&layer.weights.initial) || layer.recurrent.as_ref().is_some_and(|own| !drawn(&own.initial)) {
        ("is given its weights".into(), "let them be drawn: leave `values` away")
    } else if layer.recurrent.as_ref().is_some_and(|own| own.bits != layer.weights.bits) {
        ("has recurrent weights of another width".into(), "give `weights` and `recurrent_weights` the same `bits`")
    } else {
        return None;
    };
    let message = format!("layer `{}` cannot learn at every few steps: it {what}", layer.name);
    Some(Diagnostic::new(layer.span.clone(), message).help(help.to_owned()))
}

impl Pass for FixedPoint {
    fn name(&self) -> &'static str {
        "fixed-point"
    }

    fn description(&self) -> &'static str {
        "choose each layer's fixed-point format and turn its parameters into integers"
    }

    fn run(&self, compilation: &mut Compilation) -> Result<(), Vec<Diagnostic>> {
        let network = compilation.network();
        let calibrated = compilation.options.calibration.as_ref();
        if let Some(calibrated) = calibrated {
            calibrated.check(network, compilation.options.seed).map_err(|error| vec![error])?;
        }
        let mut errors = Vec::new();
        if is_shown_targets(network) {
            errors = unlearnable(network);
            if calibrated.is_some() {
                let readout = network.readout().span.clone();
                let message = "the formats of a network that learns, or scores classes by targets, are not calibrated";
                errors = vec![Diagnostic::new(readout, message.to_owned()).help("leave --calibration out")];
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let mut layers = BTreeMap::new();
        for node in network.layers() {
            let layer = network.layer(node);
            let met = calibrated.and_then(|calibrated| Some((calibrated.layer(&layer.name)?, calibrated.margin)));
            match LoweredLayer::new(network, node, compilation.options.seed, met) {
                Ok(lowered) => {
                    errors.extend(too_slow(layer, &lowered));
                    layers.insert(node, lowered);
                }
                Err(error) => errors.push(error),
            }
        }
        errors.extend(readout_too_slow(network.readout(), network.window_steps));
        compilation.layers = layers;
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    fn amounts(&self, compilation: &Compilation) -> Vec<(u64, &'static str)> {
        let weights = compilation.layers.values().flat_map(|layer| &layer.parameters.weights);
        let weights = weights.map(|weights| weights.len() as u64).sum();
        vec![(compilation.layers.len() as u64, "format"), (weights, "weight")]
    }

    fn emit(&self, compilation: &Compilation) -> String {
        let network = compilation.network();
        let mut text = String::new();
        for (&node, lowered) in &compilation.layers {
            text += &describe(network.layer(node), lowered);
        }
        let readout = network.readout();
        if let Some(format) = ReadoutFormat::new(&readout.kind, network.window_steps) {
            let ReadoutFormat { bits, fraction_bits, one, shift, anneal, margin } = format;
            writeln!(
                text,
                "readout {}: weights of {bits} bits, {fraction_bits} of them fraction; an output of 1.0 is {one}; updates \
                 / 2^{shift}, {anneal} more over the run; margin {margin}",
                readout.name
            )
            .expect("writing to memory");
        }
        text
    }
}
