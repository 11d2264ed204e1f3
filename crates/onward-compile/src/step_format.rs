//! Layers that learn while their input is shown: what they may be, and their integers.

use crate::formats::LayerFormat;
use crate::parameters::{NeuronParameters, neuron_parameters};
use onward_diagnostic::Diagnostic;
use onward_net::{
    Gate, Initial, Layer, LayerKind, Learning, Loss, Network, NodeIndex, Optimizer, Reset, Rule, Values, When,
};

/// Fraction bits of an axon's trace: a spike adds 1.0.
pub(crate) const TRACE_BITS: u32 = 8;
/// A trace below a 16th of a spike changes nothing.
pub(crate) const LEAST_TRACE: i32 = 1 << (TRACE_BITS - 4);

/// The integer constants of a layer that learns while its input is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct StepFormat {
    /// Weights change at every so many steps.
    pub every: u32,
    /// A trace loses its `2^-memory`-th part a step.
    pub memory: u32,
    /// What its neurons are.
    pub neuron: NeuronParameters,
    /// Axons of its own spikes: all its neurons if it is recurrent, else 0.
    pub own: u32,
    /// Standard deviation of the drawn weights of its own spikes, with 16 more fraction bits.
    pub own_deviation: i64,
    /// Membranes, before a reset, from `.0` on and below `.1` are near enough to the threshold; `None` if all are.
    pub gate: Option<(i32, i32)>,
    margin: f64,
    window: u32,
}

/// The rule of a layer that learns while its input is shown.
pub(crate) fn rule(layer: &Layer) -> Option<(&Rule, u32, u32)> {
    match &layer.learning {
        Learning::Rule(rule) => match rule.when {
            When::Steps { every, memory } => Some((rule, every, memory)),
            When::Window => None,
        },
        Learning::None => None,
    }
}

/// Whether a layer learns while its input is shown.
pub(crate) fn learns_at_steps(layer: &Layer) -> bool {
    rule(layer).is_some()
}

/// What a layer that learns while its input is shown cannot be, as the text would say it, and what would help.
pub(crate) fn refused(network: &Network, node: NodeIndex) -> Option<Diagnostic> {
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

impl LayerFormat {
    /// The same with what a layer needs that learns while its input is shown, if it does.
    ///
    /// # Errors
    /// Numbers that are not as many as neurons.
    pub(crate) fn with_steps(mut self, layer: &Layer, window: u32) -> Result<LayerFormat, Diagnostic> {
        let (Some((rule, every, memory)), Some(learning)) = (rule(layer), &mut self.learning) else { return Ok(self) };
        // Targets' counts are sums over a window; traces have fraction bits.
        learning.shift += TRACE_BITS as i32 - window.ilog2() as i32;
        let own = layer.recurrent.as_ref().map_or(0, |_| layer.neurons());
        let own_deviation = match layer.recurrent.as_ref().map(|weights| &weights.initial) {
            Some(Initial::Drawn { gain, .. }) => {
                (gain * (2.0 / f64::from(own)).sqrt() * f64::from(self.one) * 65536.0).round() as i64
            }
            _ => 0,
        };
        let Loss::Hinge { margin } = rule.loss else { unreachable!("only the hinge learns at steps") };
        let gate = (rule.gate == Gate::Surrogate).then_some((-self.threshold, 2 * self.threshold));
        let neuron = neuron_parameters(layer, &layer.neuron, f64::from(self.one))?;
        self.steps = Some(StepFormat { every, memory, neuron, own, own_deviation, gate, margin, window });
        Ok(self)
    }
}

impl StepFormat {
    /// The margin of a block of so many neurons for each step that the input has been shown, in products of counts: rounded
    /// down.
    pub fn margin(&self, neurons: u32) -> i32 {
        (self.margin * f64::from(neurons).sqrt() * f64::from(self.window)) as i32
    }
}
