//! Neurons: what they are, and the words for them.
//!
//! A kind of neurons is a row of [`Neuron::KINDS`]; what it adds to [`Neuron`], with the numbers it has for each
//! neuron, stands in this file too.

mod decay;
mod fires;
mod reset;

pub use decay::Decay;
pub use fires::Fires;
pub(crate) use reset::VOLTAGE_MAX;
pub use reset::{Lowering, Reset};

use crate::named::{Kind, Named, Parts, forms};
use crate::reader::{Given, Reader};
use crate::values::{PerNeuron, Values};
use crate::vocabulary::Absent::Means;
use crate::vocabulary::Takes::{Constructor, Integer, Numbers};
use crate::vocabulary::{Family, Parameter, form, parameter};
use std::fmt::{self, Display, Formatter};

/// Neurons. In each step, with input i (the weights of the active axons), in this order:
///
/// 1. with a synaptic current: `c = decay_current(c) + i`, and the membrane takes `c`; without: it takes `i`;
/// 2. `v = decay_leak(v) + that + bias`, but while it is refractory v stays as it is; a reset that comes a step late is
///    here: `v` is lowered if the neuron fired in the last step in which it changed;
/// 3. it fires if `v >= threshold` (or only if `v > threshold`, as [`Fires`] says) and it is not refractory; then the reset,
///    and it is refractory for `refractory` steps;
/// 4. with an adaptation `a`, it fires if `v >= threshold + a`; then, also while it is refractory, `a = decay_fall(a)`, and
///    `a` rises by `rise` if it fired. The reset subtracts the threshold alone.
///
/// A decay rounds towards zero, so that what decays reaches 0. Where a window opens, `v` and `a` are 0, and `c` is
/// `current_start`.
#[derive(Clone, Debug, PartialEq)]
pub struct Neuron {
    /// Membrane potential at which a neuron fires, -1,000 to 1,000, and at least 0.001 in layers that learn; an array has one
    /// for each neuron. Below 0 a neuron fires by itself.
    pub threshold: Values,
    /// Whether a membrane that equals the threshold fires.
    pub fires: Fires,
    /// Reset of the membrane after a spike.
    pub reset: Reset,
    /// Decay of the membrane from step to step.
    pub leak: Decay,
    /// Decay of the synaptic current from step to step, if there is a current.
    pub current: Option<Decay>,
    /// Synaptic current where a window opens, -1,000 to 1,000; an array has one for each neuron.
    pub current_start: Values,
    /// Number of steps after a spike in which the membrane does not change, 0 to 255.
    pub refractory: u32,
    /// Number that is added to the membrane in each step, -1,000 to 1,000; an array has one for each neuron.
    pub bias: Values,
    /// Adaptation of the threshold to spikes, if there is any.
    pub adaptation: Option<Adaptation>,
}

/// Adaptation of a threshold, which rises with each spike and falls back (Bellec et al. 2018).
#[derive(Clone, Debug, PartialEq)]
pub struct Adaptation {
    /// Number that a spike adds to the threshold, 0 to 1,000; an array has one for each neuron.
    pub rise: Values,
    /// Decay of what was added, from step to step.
    pub fall: Decay,
}

impl Default for Neuron {
    /// The neuron integrates and fires at 1, with a soft reset.
    fn default() -> Neuron {
        Neuron {
            threshold: Values::Constant(1.0),
            fires: Fires::At,
            reset: Reset::SUBTRACT,
            leak: Decay::None,
            current: None,
            current_start: Values::Constant(0.0),
            refractory: 0,
            bias: Values::Constant(0.0),
            adaptation: None,
        }
    }
}

/// The least size of a threshold for which numbers have room.
pub(crate) const THRESHOLD_MIN: f64 = 0.001;

const THRESHOLD: Parameter = parameter(
    "threshold",
    Numbers(-VOLTAGE_MAX, VOLTAGE_MAX),
    Means("1.0"),
    "membrane potential at which a neuron fires, at least 0.001 where a layer learns; below 0 it fires by itself",
);

const FIRES: Parameter =
    parameter("fires", Constructor(Fires::FAMILY), Means("at"), "whether a membrane that equals the threshold fires");

const RESET: Parameter =
    parameter("reset", Constructor(Reset::FAMILY), Means("subtract"), "what firing does to the membrane");

const REFRACTORY: Parameter =
    parameter("refractory", Integer(0, 255), Means("0"), "steps after a spike in which the membrane does not change");

const BIAS: Parameter =
    parameter("bias", Numbers(-VOLTAGE_MAX, VOLTAGE_MAX), Means("0.0"), "what is added to the membrane in each step");

const LEAK: Parameter =
    parameter("leak", Constructor(Decay::FAMILY), Means("shift(4)"), "what is left of the membrane from step to step");

const CURRENT: Parameter = parameter(
    "current",
    Constructor(Decay::FAMILY),
    Means("shift(2)"),
    "what is left of the synaptic current from step to step",
);

const CURRENT_START: Parameter = parameter(
    "current_start",
    Numbers(-VOLTAGE_MAX, VOLTAGE_MAX),
    Means("0.0"),
    "the synaptic current where a window opens",
);

const RISE: Parameter =
    parameter("rise", Numbers(0.0, 1000.0), Means("0.2"), "what a spike adds to the threshold, from the next step on");

const FALL: Parameter = parameter(
    "fall",
    Constructor(Decay::FAMILY),
    Means("factor(0.9)"),
    "what is left from step to step of what spikes added to the threshold",
);

const ADAPTIVE_LEAK: Parameter =
    parameter("leak", Constructor(Decay::FAMILY), Means("none"), "what is left of the membrane from step to step");

/// The options of all kinds of neurons.
const COMMON: &[Parameter] = &[THRESHOLD, FIRES, RESET, REFRACTORY, BIAS];

impl Named for Neuron {
    const FAMILY: &'static Family = &Family { noun: "kind of neurons", item: None, forms: forms::<Neuron> };

    const KINDS: &'static [Kind<Neuron>] = &[
        Kind::made(
            form("integrate_and_fire", &[], &[COMMON], "neurons that sum weights and fire at a threshold"),
            Neuron::read_common,
            |neuron| Some(neuron.write_common()),
        ),
        Kind::made(
            form("leaky", &[], &[&[LEAK], COMMON], "the same, and the membrane decays"),
            |reader, given| Neuron { leak: Decay::chosen(reader, given, &LEAK), ..Neuron::read_common(reader, given) },
            |neuron| {
                let decays = neuron.leak != Decay::None;
                decays.then(|| Parts::default().option(&LEAK, &neuron.leak).and(neuron.write_common()))
            },
        ),
        Kind::made(
            form(
                "current_based",
                &[],
                &[&[CURRENT, CURRENT_START, LEAK], COMMON],
                "the same, and weights add to a current that decays, which adds to the membrane",
            ),
            |reader, given| Neuron {
                current: Some(Decay::chosen(reader, given, &CURRENT)),
                current_start: reader.numbers(given, &CURRENT_START),
                leak: Decay::chosen(reader, given, &LEAK),
                ..Neuron::read_common(reader, given)
            },
            |neuron| {
                let current = neuron.current.as_ref()?;
                let starts = (!is_zero(&neuron.current_start)).then_some(&neuron.current_start);
                let decays = Parts::default().option(&CURRENT, current).option_if(&CURRENT_START, starts);
                let decays = decays.option(&LEAK, &neuron.leak);
                Some(decays.and(neuron.write_common()))
            },
        ),
        Kind::made(
            form(
                "adaptive",
                &[],
                &[&[RISE, FALL, ADAPTIVE_LEAK], COMMON],
                "neurons whose threshold rises with each spike and falls back, and whose membrane may decay",
            ),
            |reader, given| Neuron {
                adaptation: Some(Adaptation {
                    rise: reader.numbers(given, &RISE),
                    fall: Decay::chosen(reader, given, &FALL),
                }),
                leak: Decay::chosen(reader, given, &ADAPTIVE_LEAK),
                ..Neuron::read_common(reader, given)
            },
            |neuron| {
                let Adaptation { rise, fall } = neuron.adaptation.as_ref()?;
                let own = Parts::default().option(&RISE, rise).option(&FALL, fall).option(&ADAPTIVE_LEAK, &neuron.leak);
                Some(own.and(neuron.write_common()))
            },
        ),
    ];
}

impl Neuron {
    /// Reads what all kinds of neurons have; the rest is as in integrate and fire.
    fn read_common(reader: &mut Reader, given: &Given) -> Neuron {
        Neuron {
            threshold: reader.numbers(given, &THRESHOLD),
            fires: Fires::chosen(reader, given, &FIRES),
            reset: Reset::chosen(reader, given, &RESET),
            refractory: reader.integer(given, &REFRACTORY),
            bias: reader.numbers(given, &BIAS),
            ..Neuron::default()
        }
    }

    fn write_common(&self) -> Parts {
        let fires = (self.fires != Fires::At).then_some(self.fires);
        let parts = Parts::default().option(&THRESHOLD, &self.threshold).option_if(&FIRES, fires);
        parts.option(&RESET, &self.reset).option(&REFRACTORY, self.refractory).option(&BIAS, &self.bias)
    }

    /// The places where there may be a number for each neuron.
    pub(crate) fn numbers(&mut self) -> Vec<PerNeuron<'_>> {
        let mut numbers = vec![
            PerNeuron {
                member: "threshold",
                what: "threshold",
                range: THRESHOLD.takes.range(),
                values: &mut self.threshold,
            },
            PerNeuron { member: "bias", what: "bias", range: BIAS.takes.range(), values: &mut self.bias },
        ];
        numbers.extend(self.reset.numbers("reset", "value of the reset"));
        numbers.extend(self.leak.numbers("leak", "factor of the leak"));
        if let Some(current) = &mut self.current {
            numbers.extend(current.numbers("current", "factor of the current"));
            numbers.push(PerNeuron {
                member: "current_start",
                what: "start of the current",
                range: CURRENT_START.takes.range(),
                values: &mut self.current_start,
            });
        }
        if let Some(Adaptation { rise, fall }) = &mut self.adaptation {
            numbers.push(PerNeuron {
                member: "rise",
                what: "rise of the threshold",
                range: RISE.takes.range(),
                values: rise,
            });
            numbers.extend(fall.numbers("fall", "factor of the fall"));
        }
        numbers
    }

    /// What they have and no node of NIR has.
    pub(crate) fn beyond_nir(&self) -> Option<&'static str> {
        if self.adaptation.is_some() {
            return Some("its thresholds rise with spikes");
        }
        (self.refractory > 0).then_some("it has a refractory time")
    }

    /// Whether all neurons are the same, so that other layers may have neurons like them.
    pub(crate) fn is_uniform(&self) -> bool {
        self.clone().numbers().iter().all(|numbers| matches!(numbers.values, Values::Constant(_)))
    }
}

/// Whether it is 0 for all; -0.0 is another number.
fn is_zero(values: &Values) -> bool {
    matches!(values, Values::Constant(value) if value.to_bits() == 0)
}

/// `integrate_and_fire { ... }`, or what it is with a leak, a current or an adaptation.
impl Display for Neuron {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        formatter.write_str(&self.text())
    }
}
