//! `fixed-point`: the integer constants of each layer.

use crate::lowering::LoweredLayer;
use crate::lowering::limits::limits;
use crate::pass::{Compilation, Pass, Product};
use crate::readouts::ReadoutFormat;
use onward_diagnostic::Diagnostic;
use onward_net::{Layer, LayerKind, Readout};
use onward_quantize::{ExpectedRate, Fineness, LayerParameters, Scale, is_shown_targets};
use std::collections::BTreeMap;
use std::fmt::Write;

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

/// The integers of a layer.
fn describe(layer: &Layer, lowered: &LoweredLayer) -> String {
    let LayerParameters { weight_bits, scale, payload, divisors, unit, rounding, .. } = &lowered.parameters;
    let mut text = format!("layer {}: weights of {weight_bits} bits, times {}", layer.name, scale.describe());
    let mut add = |line: std::fmt::Arguments| text.write_fmt(line).expect("writing to memory");
    if divisors != &[1] {
        let sizes: Vec<String> = divisors.iter().map(u64::to_string).collect();
        add(format_args!("; averages over {}", sizes.join(", ")));
    }
    if *payload != 1 {
        add(format_args!("; values of 0 to {payload}"));
    }
    match unit {
        Scale::Same(unit) => add(format_args!("; on the membrane 1.0 = {unit}\n")),
        unit => add(format_args!("; on the membrane 1.0 = {:.0} to {:.0}\n", unit.least(), unit.greatest())),
    }
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
    let mut text = format!("  {}", neuron.describe());
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
    text += &format!(", {:.0} is a membrane in a window ({membrane})\n", bounds.membrane);
    text + &describe_fineness(parameters)
}

/// How fine membranes are, and what that costs.
fn describe_fineness(parameters: &LayerParameters) -> String {
    let LayerParameters { finer, fineness, .. } = parameters;
    let Fineness { error, bytes, more_bytes, more_instructions } = fineness;
    let finer = match finer {
        0 => "are as fine as sums".to_owned(),
        1 => "have a fraction bit more than sums".to_owned(),
        bits => format!("have {bits} fraction bits more than sums"),
    };
    let off = match *error {
        0.0 => String::new(),
        error => format!(", and are off by {error:.1e} of a threshold at most"),
    };
    let mut text = format!("  membranes {finer}{off}; {bytes} bytes a neuron");
    if *more_bytes > 0 || *more_instructions > 0 {
        let s = if *more_instructions == 1 { "" } else { "s" };
        text += &format!(", {more_bytes} of them and {more_instructions} vector instruction{s} a step for precision");
    }
    text + "\n"
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

/// What rounding is expected to do to rates.
fn describe_expected(ExpectedRate { difference, rate, share, .. }: &ExpectedRate) -> String {
    format!(
        "  rates are expected to differ from real numbers by {difference:.5} at most (root mean square; 95 %), at a mean of \
         {rate:.5} spikes a step, if 1/{:.0} of the inputs send\n",
        1.0 / share
    )
}

pub(super) const PASS: Pass = Pass {
    name: "fixed-point",
    description: "choose each layer's fixed-point format and turn its parameters into integers",
    needs: &[Product::Balance],
    makes: Product::Layers,
    run,
    verify: None,
    amounts,
    emit,
    drawing: None,
};

fn run(compilation: &mut Compilation) -> Result<(), Vec<Diagnostic>> {
    let network = compilation.network();
    let calibrated = compilation.options.calibration.as_ref();
    if let Some(calibrated) = calibrated {
        calibrated.check(network, compilation.options.seed).map_err(|error| vec![error])?;
    }
    let mut errors = Vec::new();
    if is_shown_targets(network) {
        errors = limits(network);
        if calibrated.is_some() {
            let readout = network.readout().span.clone();
            let message = "the formats of a network that learns, or scores classes by targets, are not calibrated";
            errors = vec![Diagnostic::new(readout, message.to_owned()).help("leave --calibration out")];
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    // Another chip may have been tried, and integers are the same on each.
    let known = std::mem::take(&mut compilation.probes.layers);
    let network = compilation.network();
    if !known.is_empty() {
        compilation.layers = network.layers().zip(known).collect();
        return Ok(());
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

fn amounts(compilation: &Compilation) -> Vec<(u64, &'static str)> {
    let weights = compilation.layers.values().flat_map(|layer| &layer.parameters.weights);
    let weights = weights.map(|weights| weights.len() as u64).sum();
    vec![(compilation.layers.len() as u64, "format"), (weights, "weight")]
}

fn emit(compilation: &Compilation) -> String {
    let network = compilation.network();
    let mut text = String::new();
    let expected = compilation.expected_rates().unwrap_or_default();
    for (&node, lowered) in &compilation.layers {
        let layer = network.layer(node);
        text += &describe(layer, lowered);
        if let Some(expected) = expected.iter().find(|expected| expected.layer == layer.name) {
            text += &describe_expected(expected);
        }
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
