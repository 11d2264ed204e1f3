//! NIR's neurons in steps: its differential equations by Euler's method, in the terms of [`Neuron`].
//!
//! With time step dt, `s` the sum of weights of active axons and biases, and `u = v - v_leak`, so that a neuron at rest
//! is at 0:
//!
//! ```text
//! IF       v <- v + r s
//! LIF      u <- (1 - dt/tau) u + (r dt/tau) s
//! CubaLIF  c <- (1 - dt/tau_syn) c + (w_in dt/tau_syn) s,   u <- (1 - dt/tau_mem) u + (r dt/tau_mem) c
//! ```
//!
//! All of it is linear in s, so that the gain in front of it may go into the weights; where neurons of a layer differ in
//! their gain, thresholds and resets take the difference.

use super::error::NirError;
use super::graph::{Model, Neurons, Node};
use super::shape::{is_same, spread};
use super::{Options, ResetRule};
use crate::neuron::{Decay, Neuron, Reset, THRESHOLD_MIN, VOLTAGE_MAX};
use crate::values::{Array, Values};
use std::sync::Arc;

/// Neurons in steps, a number for each.
#[derive(Clone, Default)]
pub(super) struct Discrete {
    /// What a weight of 1 adds to the voltage in the end.
    pub gain: Vec<f64>,
    /// What a constant input of 1 adds to the voltage in each step, once currents have settled.
    pub drive: Vec<f64>,
    /// Added to the voltage in each step whatever comes in.
    pub bias: Vec<f64>,
    pub threshold: Vec<f64>,
    /// What the voltage is set to; nothing if the threshold is subtracted.
    pub reset: Option<Vec<f64>>,
    /// What is left of the voltage.
    pub leak: Vec<f64>,
    /// What is left of the current; 0 where there is none.
    pub current: Vec<f64>,
}

impl Discrete {
    /// The neurons of a node for a shape.
    pub fn new(node: &Node, neurons: &Neurons, shape: &[usize], options: &Options) -> Result<Discrete, NirError> {
        let maker = Maker { node, neurons, shape, time_step: options.time_step };
        let count = super::shape::size(shape);
        let (ones, zeros) = (vec![1.0; count], vec![0.0; count]);
        let mut discrete = match neurons.model {
            Model::Threshold => Discrete {
                gain: ones.clone(),
                drive: ones,
                threshold: maker.values("threshold"),
                reset: Some(zeros.clone()),
                leak: zeros.clone(),
                current: zeros.clone(),
                bias: zeros,
            },
            Model::If | Model::I => {
                let gain = maker.positive("r")?;
                let mut discrete = Discrete {
                    drive: gain.clone(),
                    gain,
                    leak: ones,
                    current: zeros.clone(),
                    bias: zeros,
                    ..Discrete::default()
                };
                maker.fire(&mut discrete, &vec![0.0; count], options);
                discrete
            }
            Model::Lif => {
                let part = maker.part("tau")?;
                let gain: Vec<f64> = product(&maker.positive("r")?, &part);
                let mut discrete = Discrete {
                    drive: gain.clone(),
                    gain,
                    leak: rest(&part),
                    current: zeros.clone(),
                    bias: zeros,
                    ..Discrete::default()
                };
                maker.fire(&mut discrete, &maker.values("v_leak"), options);
                discrete
            }
            Model::CubaLif => {
                let (synapse, membrane) = (maker.part("tau_syn")?, maker.part("tau_mem")?);
                let drive = product(&product(&maker.positive("w_in")?, &maker.positive("r")?), &membrane);
                let mut discrete = Discrete {
                    gain: product(&drive, &synapse),
                    drive,
                    leak: rest(&membrane),
                    current: rest(&synapse),
                    bias: zeros,
                    ..Discrete::default()
                };
                maker.fire(&mut discrete, &maker.values("v_leak"), options);
                discrete
            }
            // Its voltage as a current that a neuron without leak sums: as many spikes as its sum over time has thresholds.
            Model::Li => {
                let part = maker.part("tau")?;
                let drive = maker.positive("r")?;
                Discrete {
                    gain: product(&drive, &part),
                    drive,
                    bias: maker.values("v_leak"),
                    threshold: vec![options.output_threshold; count],
                    reset: None,
                    leak: ones,
                    current: rest(&part),
                }
            }
            Model::CubaLi => {
                let cause = "its voltage is filtered twice, and there is no neuron that could count it out in spikes";
                return Err(NirError::node(&node.path, cause, "use LI or CubaLIF as the last node"));
            }
        };
        if neurons.model == Model::I {
            discrete.threshold = vec![options.output_threshold; count];
            discrete.reset = None;
        }
        if let Some(threshold) = discrete.threshold.iter().find(|&&threshold| threshold <= 0.0) {
            let rest = if neurons.model.fires() && neurons.model != Model::If && neurons.model != Model::Threshold {
                " above its v_leak"
            } else {
                ""
            };
            let cause = format!("a threshold is {threshold}{rest}: the neuron would fire without input");
            return Err(NirError::node(&node.path, cause, "thresholds must be above rest"));
        }
        Ok(discrete)
    }

    /// These and then others, as the neurons of one layer.
    pub fn join(&mut self, other: Discrete) {
        let pairs = [
            (&mut self.gain, other.gain),
            (&mut self.drive, other.drive),
            (&mut self.bias, other.bias),
            (&mut self.threshold, other.threshold),
            (&mut self.leak, other.leak),
            (&mut self.current, other.current),
        ];
        for (own, added) in pairs {
            own.extend(added);
        }
        if let (Some(own), Some(added)) = (&mut self.reset, other.reset) {
            own.extend(added);
        }
    }

    /// The neurons of a layer of a shape that are sent this beside spikes, and what their weights are multiplied by.
    pub fn neuron(&self, path: &str, offset: Option<&[f64]>, shape: &[u32]) -> Result<(Neuron, f64), NirError> {
        // Voltages are measured so that all gains are one; the first neuron keeps its own.
        let common = self.gain[0];
        let unit: Vec<f64> = self.gain.iter().map(|gain| common / gain).collect();
        let mut threshold = product(&self.threshold, &unit);
        let mut reset = self.reset.as_ref().map(|reset| product(reset, &unit));
        let mut bias = self.bias.clone();
        if let Some(offset) = offset {
            bias.iter_mut().zip(&self.drive).zip(offset).for_each(|((bias, drive), offset)| *bias += drive * offset);
        }
        let mut bias = product(&bias, &unit);
        let scale = common_scale(path, &threshold, reset.as_deref().unwrap_or(&[]), &bias)?;
        for value in threshold.iter_mut().chain(reset.iter_mut().flatten()).chain(&mut bias) {
            *value *= scale;
        }
        let neuron = Neuron {
            threshold: values(&threshold, shape),
            reset: reset.map_or(Reset::Subtract, |reset| Reset::To(values(&reset, shape))),
            leak: decay(&self.leak, shape),
            current: self.current.iter().any(|&left| left != 0.0).then(|| decay(&self.current, shape)),
            bias: values(&bias, shape),
            ..Neuron::default()
        };
        Ok((neuron, common * scale))
    }
}

/// What a layer's voltages are multiplied by so that the network graph has room for them.
fn common_scale(path: &str, threshold: &[f64], reset: &[f64], bias: &[f64]) -> Result<f64, NirError> {
    let least = threshold.iter().fold(f64::MAX, |least, &value| least.min(value));
    let all = threshold.iter().chain(reset).chain(bias);
    let greatest = all.fold(0.0f64, |greatest, &value| greatest.max(value.abs()));
    let fits = |scale: f64| least * scale >= THRESHOLD_MIN && greatest * scale <= VOLTAGE_MAX;
    // The threshold becomes 1 where it cannot be what it is; or all is as large, or small, as there is room.
    let scales = [1.0, 1.0 / least, VOLTAGE_MAX / greatest];
    scales.into_iter().find(|&scale| scale.is_finite() && fits(scale)).ok_or_else(|| {
        let cause =
            format!("its thresholds begin at {least:.3e}, and thresholds, resets and biases reach {greatest:.3e}");
        let help = "they may be at most a factor of a million apart; give neurons of one node thresholds of one size";
        NirError::node(path, cause, help)
    })
}

/// Reads a node's parameters for each of its neurons.
struct Maker<'a> {
    node: &'a Node,
    neurons: &'a Neurons,
    shape: &'a [usize],
    time_step: f64,
}

impl Maker<'_> {
    fn values(&self, name: &str) -> Vec<f64> {
        spread(self.neurons.parameter(name), self.shape)
    }

    fn positive(&self, name: &str) -> Result<Vec<f64>, NirError> {
        let values = self.values(name);
        match values.iter().find(|&&value| value <= 0.0) {
            None => Ok(values),
            Some(value) => {
                let help = if name.starts_with("tau") {
                    "it must be above 0"
                } else {
                    "it must be above 0; a sign belongs to the weights"
                };
                Err(NirError::node(&self.node.path, format!("its `{name}` is {value}"), help))
            }
        }
    }

    /// The part of a quantity that goes in a step, dt / tau.
    fn part(&self, name: &str) -> Result<Vec<f64>, NirError> {
        let dt = self.time_step;
        let mut parts = self.positive(name)?;
        for part in &mut parts {
            // Frameworks that count in steps write dt / (1 - beta), which rounds.
            if *part < dt * (1.0 - 1e-4) {
                let cause = format!("its `{name}` is {part}, shorter than the time step {dt}");
                let help = "use a shorter time step (--dt), in the unit of the file's time constants";
                return Err(NirError::node(&self.node.path, cause, help));
            }
            *part = (dt / *part).min(1.0);
        }
        Ok(parts)
    }

    /// Fills in threshold and reset, seen from rest.
    fn fire(&self, discrete: &mut Discrete, rest: &[f64], options: &Options) {
        if !self.neurons.model.fires() {
            return;
        }
        let above = |name| self.values(name).iter().zip(rest).map(|(value, rest)| value - rest).collect();
        discrete.threshold = above("v_threshold");
        discrete.reset = (options.reset == ResetRule::AsGiven).then(|| above("v_reset"));
    }
}

fn product(one: &[f64], other: &[f64]) -> Vec<f64> {
    one.iter().zip(other).map(|(a, b)| a * b).collect()
}

fn rest(parts: &[f64]) -> Vec<f64> {
    parts.iter().map(|part| 1.0 - part).collect()
}

/// One number where all are the same.
fn values(numbers: &[f64], shape: &[u32]) -> Values {
    let is_same = numbers.iter().all(|&number| is_same(number, numbers[0]));
    if is_same {
        return Values::Constant(numbers[0]);
    }
    let shape = shape.iter().map(|&size| size as usize).collect();
    Values::Array(Arc::new(Array { shape, values: numbers.to_vec() }))
}

fn decay(left: &[f64], shape: &[u32]) -> Decay {
    // In 16 fraction bits, which is all there is room for, what loses less keeps all.
    if left.iter().all(|&left| is_same(left, 1.0)) { Decay::None } else { Decay::Factor(values(left, shape)) }
}
