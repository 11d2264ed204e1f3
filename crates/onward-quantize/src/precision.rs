//! How much finer than sums of weights the membranes of a layer are, and what is left of error then.
//!
//! Weights say how coarse sums are; membranes and currents also decay, and take biases. A decay is rounded towards zero, so it
//! takes half of the last place more than it should in each step, which adds up over as many steps as a neuron remembers; and what
//! a reset or a bias is off by comes again and again. All this is counted in the last place of the membrane, so more fraction bits
//! make it as small as is wanted: what comes in is shifted left by these before it is added.

use crate::integers::Integers;
use crate::neuron::{NeuronParameters, Widths};
use crate::part::Given;
use crate::part::parts;
use crate::scale::Scale;
use onward_net::{Fires, Layer, Lowering, Neuron, Reset, Values};

/// What a membrane may be off by, as a part of its threshold, where 16 bits are to hold it.
const ENOUGH: f64 = 1.0 / 512.0;

/// What it may be off by where it takes 32 bits all the same.
const PLENTY: f64 = 1.0 / 16384.0;

/// The most bits by which a membrane is finer.
const MOST_FINER: u32 = 24;

/// For how many steps errors add up in neurons that forget nothing: from one spike to the next, not over a window.
const MOST_STEPS: f64 = 256.0;

/// How fine the membranes of a layer are, and what that costs beside numbers that weights alone decide.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Fineness {
    /// The greatest part of its threshold that a neuron's membrane is off by, as decays, biases and resets are rounded.
    pub error: f64,
    /// Bytes of state and numbers of a neuron.
    pub bytes: u32,
    /// How many of them are spent on precision.
    pub more_bytes: u32,
    /// Vector instructions that a step of some neurons has more for it.
    pub more_instructions: u32,
}

impl Fineness {
    /// Of neurons and the widths of their states, beside `plain` ones.
    pub(crate) fn new(error: f64, finer: u32, [chosen, plain]: [(&NeuronParameters, Widths); 2]) -> Fineness {
        let arrays = |neuron: &NeuronParameters| {
            let numbers = neuron.numbers(false);
            numbers.iter().filter(|(_, values)| matches!(values, Integers::Each(_))).count() as u32
        };
        let bytes = |(neuron, widths): (&NeuronParameters, Widths)| {
            neuron.states(widths).iter().map(|(_, bits)| bits / 8).sum::<u32>() + 4 * arrays(neuron)
        };
        let (all, of_plain) = (bytes(chosen), bytes(plain));
        let more_instructions = u32::from(finer > 0) + arrays(chosen.0) - arrays(plain.0).min(arrays(chosen.0));
        Fineness { error, bytes: all, more_bytes: all.saturating_sub(of_plain), more_instructions }
    }
}

/// A layer's neurons, and how fine the sums are that they take in.
pub(crate) struct Precision<'a> {
    pub layer: &'a Layer,
    /// What 1.0 is in sums, by neuron.
    pub unit: Scale,
    /// What is left of membranes and currents from step to step.
    pub parameters: &'a NeuronParameters,
    /// Steps of a window.
    pub window: u32,
}

impl Precision<'_> {
    /// How many bits more a membrane has than sums: as few as make errors small where 16 bits then hold it; else as many as make
    /// them no matter. `magnitude` says the greatest that a membrane or current can come to with so many more.
    pub fn finer(&self, magnitude: impl Fn(u32) -> f64) -> u32 {
        let holds = |finer: u32, most: f64| magnitude(finer) <= most;
        // A bit is left, so that sums on the way do not saturate either.
        let words = |finer: &u32| *finer == 0 || holds(*finer, 30f64.exp2());
        let least = (0..=MOST_FINER).take_while(words).find(|&finer| self.error(finer) <= ENOUGH);
        match least {
            Some(least) if least == 0 || holds(least, f64::from(i16::MAX)) => least,
            _ => {
                let enough = (0..=MOST_FINER).take_while(words).find(|&finer| self.error(finer) <= PLENTY);
                enough.unwrap_or_else(|| (0..=MOST_FINER).take_while(words).last().unwrap_or(0))
            }
        }
    }

    /// The greatest part of its threshold that a neuron's membrane is off by, when it has that many bits more than sums.
    pub fn error(&self, finer: u32) -> f64 {
        let neurons = match self.is_same() {
            true => 1,
            false => self.layer.neurons(),
        };
        (0..neurons).map(|neuron| self.error_of(neuron, f64::from(finer).exp2())).fold(0.0, f64::max)
    }

    /// Whether all neurons are the same.
    fn is_same(&self) -> bool {
        let Neuron { threshold, bias, reset, .. } = &self.layer.neuron;
        let constant = |values: &Values| matches!(values, Values::Constant(_));
        let left = |left: &Option<Integers>| !matches!(left, Some(Integers::Each(_)));
        let reset = match reset {
            Reset::To(values) | Reset::Subtract(Lowering { amount: Some(values), .. }) => constant(values),
            Reset::Subtract(_) | Reset::None => true,
        };
        let decays = left(&self.parameters.leak) && left(&self.parameters.current);
        let given = parts(&self.layer.neuron).flat_map(|(_, given)| given);
        let parts = given.into_iter().all(|given| match given {
            Given::Voltage(values, _) => constant(values),
            Given::Left(..) => true,
        });
        matches!(self.unit, Scale::Same(_)) && constant(threshold) && constant(bias) && reset && decays && parts
    }

    fn error_of(&self, neuron: u32, finer: f64) -> f64 {
        let Neuron { threshold, fires, reset, bias, .. } = &self.layer.neuron;
        let unit = self.unit.of(neuron as usize) * finer;
        let number = |values: &Values| match values {
            Values::Constant(value) => *value,
            Values::Array(array) => array.values[neuron as usize],
            Values::File(_) => 0.0,
        };
        let off = |value: f64| ((value * unit).round() - value * unit).abs();
        // Over how many steps what is left of an error adds up, and whether anything is lost at all.
        let steps = |left: &Option<Integers>| {
            let left = left.as_ref().map_or(1.0, |left| f64::from(left.of(neuron)) / 65536.0);
            let steps = if left < 1.0 { (1.0 / (1.0 - left)).min(f64::from(self.window)) } else { MOST_STEPS };
            (steps.min(f64::from(self.window)), left < 1.0 && left > 0.0)
        };
        let (remembers, leaks) = steps(&self.parameters.leak);
        let (lasts, fades) = steps(&self.parameters.current);
        let mut error = off(number(bias)) * remembers;
        error += if leaks { 0.5 * remembers } else { 0.0 };
        if self.parameters.current.is_some() && fades {
            error += 0.5 * lasts * remembers;
        }
        let threshold = number(threshold);
        error += match reset {
            Reset::To(values) | Reset::Subtract(Lowering { amount: Some(values), .. }) => off(number(values)),
            Reset::Subtract(_) => off(threshold),
            Reset::None => 0.0,
        };
        // Sums of integers reach a threshold that is none where they reach the next one; others are anywhere.
        if leaks || self.parameters.current.is_some() || number(bias) != 0.0 {
            error += if *fires == Fires::Above { 0.5 } else { off(threshold) };
        }
        for (_, given) in parts(&self.layer.neuron) {
            for given in given {
                error += match given {
                    Given::Voltage(values, _) => off(number(values)),
                    Given::Left(..) => 0.5 * MOST_STEPS.min(f64::from(self.window)),
                };
            }
        }
        let threshold = if threshold > 0.0 { threshold } else { 1.0 };
        error / (threshold * unit)
    }
}
