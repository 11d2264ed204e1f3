//! The integers of neurons, and how large what they compute with can become.

use crate::factors::factors;
use crate::integers::{Integers, integers};
use crate::part::{Given, PartParameters, parts};
use crate::range::{LayerCalibration, Range};
use crate::scale::Scale;
use onward_diagnostic::Diagnostic;
use onward_net::{Decay, Fires, Layer, Lowering, Reset, Values};
use std::fmt::Write;

/// The integers of neurons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeuronParameters {
    /// They fire from here on.
    pub threshold: Integers,
    /// What firing does to the membrane.
    pub reset: ResetParameters,
    /// What is left of the membrane each step, in 16 fraction bits; `None` for all of it.
    pub leak: Option<Integers>,
    /// The same of the synaptic current, if there is one.
    pub current: Option<Integers>,
    /// What the synaptic current is where a window opens.
    pub current_start: Integers,
    /// Steps after a spike in which the membrane stays as it is.
    pub refractory: u32,
    /// What is added each step.
    pub bias: Integers,
    /// What else they have: states that are added to their thresholds.
    pub parts: Vec<PartParameters>,
}

/// The integers of resets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResetParameters {
    /// The threshold is subtracted.
    SubtractThreshold,
    /// This is subtracted, at once or a step late.
    Subtract {
        /// What is subtracted.
        amount: Integers,
        /// Whether it is subtracted in the next step in which the membrane changes.
        is_late: bool,
    },
    /// The membrane is set to this.
    To(Integers),
    /// Nothing happens.
    None,
}

impl ResetParameters {
    /// The greatest magnitude that it sets a membrane to.
    pub(crate) fn largest(&self) -> f64 {
        if let ResetParameters::To(values) = self { values.largest() } else { 0.0 }
    }
}

/// The greatest magnitude that quantities can have in a window, whatever the spikes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// Of what comes in in a step.
    pub input: f64,
    /// Of the synaptic current.
    pub current: f64,
    /// Of the membrane.
    pub membrane: f64,
}

/// Bits of memory, 16 or 32, that quantities are kept in. What they do not hold saturates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Widths {
    /// Of what comes in in a step.
    pub input: u32,
    /// Of the synaptic current.
    pub current: u32,
    /// Of the membrane.
    pub membrane: u32,
}

impl Bounds {
    /// Those of quantities that nothing bounds.
    pub(crate) const ANY: Bounds = Bounds { input: f64::INFINITY, current: f64::INFINITY, membrane: f64::INFINITY };

    /// Bits of memory a quantity of this magnitude takes: 16 or 32. What 32 bits do not hold saturates.
    pub fn bits(bound: f64) -> u32 {
        if bound <= f64::from(i16::MAX) { 16 } else { 32 }
    }
}

impl Widths {
    /// All in words.
    pub(crate) const WORDS: Widths = Widths { input: 32, current: 32, membrane: 32 };

    /// The widths that bounds ask for.
    pub(crate) fn bounding(bounds: &Bounds) -> Widths {
        Widths {
            input: Bounds::bits(bounds.input),
            current: Bounds::bits(bounds.current),
            membrane: Bounds::bits(bounds.membrane),
        }
    }

    /// The same, but 16 where what was met, times a factor for sums and one for membranes, fits. Membranes come up to thresholds
    /// and are set by resets even if no sample led there: these must fit, and what currents begin with.
    pub(crate) fn narrowed(
        self,
        met: &LayerCalibration,
        [of_sums, of_membranes]: [f64; 2],
        neuron: &NeuronParameters,
    ) -> Widths {
        let narrowed = |bits: u32, met: &Range, factor: f64| bits.min(Bounds::bits(met.largest * factor));
        let start = self.current.min(Bounds::bits(neuron.current_start.largest()));
        let least = self.membrane.min(Bounds::bits(neuron.threshold.largest().max(neuron.reset.largest())));
        let current = met.current.as_ref().map_or(self.current, |met| narrowed(self.current, met, of_membranes));
        Widths {
            input: narrowed(self.input, &met.input, of_sums),
            current: if met.current.is_some() { current.max(start) } else { current },
            membrane: narrowed(self.membrane, &met.membrane, of_membranes).max(least),
        }
    }
}

/// The integers of neurons whose membranes have `unit` for 1.0.
pub(crate) fn neuron_parameters(layer: &Layer, unit: &Scale) -> Result<NeuronParameters, Diagnostic> {
    let neuron = &layer.neuron;
    let of = |values: &Values, what: &str| integers(values, layer, what, unit, |value, unit| value * unit);
    let decay = |decay: &Decay, what: &str| match decay {
        Decay::None => Ok(None),
        Decay::Shift(shift) => Ok(Some(Integers::Same(65536 - (65536 >> shift)))),
        Decay::Spread(least, most) => {
            let spread = factors(*least, *most, layer.block);
            let of = |neuron: usize| (spread[neuron % spread.len()] * 65536.0).round() as i32;
            Ok(Some(Integers::Each((0..layer.neurons() as usize).map(of).collect())))
        }
        Decay::Factor(values) => {
            integers(values, layer, what, &Scale::Same(65536.0), |value, one| value * one).map(Some)
        }
    };
    // The least integer that fires; above 0 where the threshold is, so that rest does not fire.
    let threshold = integers(&neuron.threshold, layer, "thresholds", unit, |value, unit| {
        let fires = match neuron.fires {
            Fires::At => (value * unit).round(),
            Fires::Above => (value * unit).floor() + 1.0,
        };
        if value > 0.0 { fires.max(1.0) } else { fires }
    })?;
    let current = match &neuron.current {
        None => None,
        Some(of) => Some(decay(of, "factors of the current")?.unwrap_or(Integers::Same(65536))),
    };
    let reset = match &neuron.reset {
        Reset::None => ResetParameters::None,
        Reset::To(values) => ResetParameters::To(of(values, "resets")?),
        Reset::Subtract(Lowering { amount, is_late }) => {
            let amount = match amount {
                Some(amount) => of(amount, "resets")?,
                // The integer itself, which may be above a threshold that is very small.
                None if neuron.fires == Fires::At => threshold.clone(),
                None => of(&neuron.threshold, "resets")?,
            };
            if amount == threshold && !is_late {
                ResetParameters::SubtractThreshold
            } else {
                ResetParameters::Subtract { amount, is_late: *is_late }
            }
        }
    };
    if let ResetParameters::Subtract { is_late: true, .. } = reset {
        let wrong = |what: &str, help: &str| {
            let message = format!("the resets of layer `{}` come a step late, and {what}", layer.name);
            Err(Diagnostic::new(layer.span.clone(), message).help(help.to_owned()))
        };
        if parts(neuron).next().is_some() {
            return wrong("its thresholds rise with spikes", "write `reset = subtract`, or neurons that do not adapt");
        }
        let is_negative = match &threshold {
            Integers::Same(value) => *value <= 0,
            Integers::Each(values) => values.iter().any(|&value| value <= 0),
        };
        if is_negative {
            return wrong("a neuron fires at rest", "write `reset = subtract`, or thresholds above 0");
        }
    }
    let number = |given: &Given| match *given {
        Given::Voltage(values, what) => of(values, what),
        Given::Left(left, what) => Ok(decay(left, what)?.unwrap_or(Integers::Same(65536))),
    };
    let with_numbers = |(part, given): (_, Vec<Given>)| {
        Ok(PartParameters { part, numbers: given.iter().map(number).collect::<Result<_, _>>()? })
    };
    Ok(NeuronParameters {
        threshold,
        reset,
        leak: decay(&neuron.leak, "leaks")?,
        current,
        current_start: of(&neuron.current_start, "starts of the current")?,
        refractory: neuron.refractory,
        bias: of(&neuron.bias, "biases")?,
        parts: parts(neuron).map(with_numbers).collect::<Result<_, _>>()?,
    })
}

impl NeuronParameters {
    /// The state that a window begins with at rest: the name of each array, and its bits.
    pub fn states(&self, widths: Widths) -> Vec<(&'static str, u32)> {
        let all = [
            ("membrane", widths.membrane, true),
            ("current", widths.current, self.current.is_some()),
            ("refractory", 16, self.refractory > 0),
        ];
        let all = all.into_iter().filter(|&(.., exists)| exists).map(|(name, bits, _)| (name, bits));
        all.chain(self.parts.iter().map(|of| (of.part.state(), 32))).collect()
    }

    /// Numbers of neurons, by the name of the array they lie in where they differ; with `learns_bias`, a bias that learns lies
    /// beside the given one.
    pub fn numbers(&self, learns_bias: bool) -> Vec<(&'static str, &Integers)> {
        let all = [
            ("threshold", Some(&self.threshold)),
            ("reset", self.reset_number()),
            ("leak", self.leak.as_ref()),
            ("current_left", self.current.as_ref()),
            ("current_start", Some(&self.current_start)),
            (Self::bias_name(learns_bias), Some(&self.bias)),
        ];
        let of_parts = self.parts.iter().flat_map(|of| of.part.numbers().iter().copied().zip(&of.numbers));
        all.into_iter().filter_map(|(name, values)| Some((name, values?))).chain(of_parts).collect()
    }

    /// Where a given bias lies, if it differs from neuron to neuron.
    pub fn bias_name(learns_bias: bool) -> &'static str {
        if learns_bias { "given_bias" } else { "bias" }
    }

    /// The number that resets have beside the threshold: what the membrane is set to, or what is subtracted.
    fn reset_number(&self) -> Option<&Integers> {
        match &self.reset {
            ResetParameters::To(values) | ResetParameters::Subtract { amount: values, .. } => Some(values),
            ResetParameters::SubtractThreshold | ResetParameters::None => None,
        }
    }

    /// The integers in a sentence; of those that differ from neuron to neuron the least and the greatest.
    pub fn describe(&self) -> String {
        let show = |values: &Integers| match values {
            Integers::Same(value) => value.to_string(),
            Integers::Each(values) => {
                let (least, most) = (values.iter().min().unwrap_or(&0), values.iter().max().unwrap_or(&0));
                format!("{least} to {most}")
            }
        };
        let mut text = format!("threshold {}", show(&self.threshold));
        let mut add = |part: std::fmt::Arguments| text.write_fmt(part).expect("writing to memory");
        match &self.reset {
            ResetParameters::SubtractThreshold => {}
            ResetParameters::Subtract { amount, is_late } => {
                let late = if *is_late { " a step late" } else { "" };
                add(format_args!(", reset by {}{late}", show(amount)));
            }
            ResetParameters::To(reset) => add(format_args!(", reset to {}", show(reset))),
            ResetParameters::None => add(format_args!(", no reset")),
        }
        if let Some(leak) = &self.leak {
            add(format_args!(", {} / 65536 left of the membrane", show(leak)));
        }
        if let Some(current) = &self.current {
            add(format_args!(", {} / 65536 of the current", show(current)));
        }
        if self.current_start != Integers::Same(0) {
            add(format_args!(", which begins at {}", show(&self.current_start)));
        }
        if self.refractory > 0 {
            add(format_args!(", refractory for {} steps", self.refractory));
        }
        if self.bias != Integers::Same(0) {
            add(format_args!(", bias {}", show(&self.bias)));
        }
        for PartParameters { part, numbers } in &self.parts {
            add(format_args!(", {}", part.describe(&numbers.iter().map(show).collect::<Vec<_>>())));
        }
        text
    }

    /// What comes of inputs of at most `input` a step, over a window, where membranes are finer by so many bits.
    pub(crate) fn bounds(&self, input: f64, finer: u32, window: u32) -> Bounds {
        let (sum, input) = (input, input * f64::from(finer).exp2());
        // The sum of the powers of a factor, as far as a window is long.
        let steps = |decay: Option<&Integers>| {
            let left = decay.map_or(1.0, |decay| decay.largest() / 65536.0);
            if left < 1.0 { f64::from(window).min(1.0 / (1.0 - left)) } else { f64::from(window) }
        };
        let start = self.current_start.largest();
        let current = self.current.as_ref().map_or(0.0, |decay| input * steps(Some(decay)) + start);
        let grows = if self.current.is_some() { current } else { input } + self.bias.largest();
        let reset = self.reset.largest();
        let grows = grows + self.lowered().max(self.raised());
        Bounds { input: sum, current, membrane: grows * steps(self.leak.as_ref()) + reset }
    }

    /// The greatest of the numbers that membranes and currents are compared with, or become.
    pub(crate) fn largest(&self) -> f64 {
        self.threshold.largest().max(self.reset.largest()).max(self.current_start.largest()).max(self.bias.largest())
    }

    /// By how much a reset may bring a membrane higher: what is subtracted may be below 0.
    fn raised(&self) -> f64 {
        let subtracted = match &self.reset {
            ResetParameters::Subtract { amount, .. } => amount,
            ResetParameters::SubtractThreshold => &self.threshold,
            ResetParameters::To(_) | ResetParameters::None => return 0.0,
        };
        let neurons = if let Integers::Each(values) = subtracted { values.len() as u32 } else { 1 };
        (0..neurons).map(|neuron| -f64::from(subtracted.of(neuron))).fold(0.0, f64::max)
    }

    /// By how much a spike may bring a membrane lower than rest: what is subtracted and was not there before.
    fn lowered(&self) -> f64 {
        let ResetParameters::Subtract { amount, is_late } = &self.reset else { return 0.0 };
        let neurons = match (amount, &self.threshold) {
            (Integers::Each(values), _) | (_, Integers::Each(values)) => values.len() as u32,
            _ => 1,
        };
        let left = |neuron| match (&self.leak, is_late) {
            (Some(Integers::Same(left)), true) => f64::from(*left) / 65536.0,
            (Some(Integers::Each(left)), true) => f64::from(left[neuron as usize % left.len()]) / 65536.0,
            _ => 1.0,
        };
        let lower = |neuron| f64::from(amount.of(neuron)) - left(neuron) * f64::from(self.threshold.of(neuron));
        (0..neurons).map(lower).fold(0.0, f64::max)
    }
}
