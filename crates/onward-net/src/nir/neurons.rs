//! NIR's neurons in steps: its differential equations by Euler's method, in the terms of [`Neuron`].
//!
//! With time step dt, `s` the sum of weights of active axons and biases, and `u = v - v_leak`, so that a neuron at rest
//! is at 0:
//!
//! ```text
//! IF       v <- v + r s, or v + dt r s where r is 1 / dt
//! LIF      u <- (1 - dt/tau) u + (r dt/tau) s
//! CubaLIF  c <- (1 - dt/tau_syn) c + (w_in dt/tau_syn) s,   u <- (1 - dt/tau_mem) u + (r dt/tau_mem) c
//! ```
//!
//! All of it is linear in s, so that the gain in front of it may go into the weights; where neurons of a layer differ in
//! their gain, thresholds and resets take the difference.

use super::error::NirError;
use super::graph::{Model, Neurons, Node};
use super::shape::{is_same, spread};
use super::{Integration, Options, ResetRule, Tool};
use crate::neuron::{Decay, Fires, Lowering, Neuron, Reset, THRESHOLD_MIN, VOLTAGE_MAX};
use crate::values::{Array, Values};
use std::sync::Arc;

/// What becomes of a voltage that fired.
#[derive(Clone, Debug, Default)]
pub(super) enum After {
    /// Whatever: nothing is left of it in the next step.
    #[default]
    Any,
    /// It stays.
    Stays,
    /// It is lowered by this, perhaps a step late.
    Lowered(Vec<f64>, bool),
    /// It becomes this.
    Becomes(Vec<f64>),
}

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
    /// Whether a voltage that equals the threshold fires.
    pub fires: Option<Fires>,
    pub reset: After,
    /// What is left of the voltage.
    pub leak: Vec<f64>,
    /// What is left of the current; 0 where there is none.
    pub current: Vec<f64>,
}

impl Discrete {
    /// The neurons of a node for a shape.
    pub fn new(
        node: &Node,
        neurons: &Neurons,
        shape: &[usize],
        options: &Options,
        notes: &mut Vec<String>,
    ) -> Result<Discrete, NirError> {
        let maker = Maker { node, neurons, shape, time_step: options.time_step };
        let count = super::shape::size(shape);
        let (ones, zeros) = (vec![1.0; count], vec![0.0; count]);
        let is_read_out = !neurons.model.fires();
        let mut discrete = match neurons.model {
            Model::Threshold => Discrete {
                gain: ones.clone(),
                drive: ones,
                leak: zeros.clone(),
                current: zeros.clone(),
                bias: zeros.clone(),
                threshold: maker.values("threshold"),
                fires: Some(options.fires),
                reset: After::Any,
            },
            Model::If | Model::I => {
                let gain = maker.rate(options, notes)?;
                let mut discrete = Discrete {
                    drive: gain.clone(),
                    gain,
                    leak: ones,
                    current: zeros.clone(),
                    bias: zeros.clone(),
                    ..Discrete::default()
                };
                if !is_read_out {
                    maker.fire(&mut discrete, &zeros, options)?;
                }
                discrete
            }
            Model::Lif => {
                let (part, left) = maker.step("tau", options)?;
                let gain = match options.tool {
                    Some(Tool::Rockpool | Tool::Spyx) => ones.clone(),
                    _ => product(&maker.positive("r")?, &part),
                };
                let mut discrete = Discrete {
                    drive: gain.clone(),
                    gain,
                    leak: left,
                    current: zeros.clone(),
                    bias: zeros,
                    ..Discrete::default()
                };
                maker.fire(&mut discrete, &maker.values("v_leak"), options)?;
                discrete
            }
            Model::CubaLif => {
                let (synapse_part, synapse) = maker.step("tau_syn", options)?;
                let (part, membrane) = maker.step("tau_mem", options)?;
                // What a weight adds to the current, and what a current adds to the voltage in a step.
                let (jump, rise) = match options.tool {
                    Some(Tool::Rockpool) => (synapse.clone(), ones.clone()),
                    Some(Tool::Spyx) => (ones.clone(), ones.clone()),
                    Some(Tool::Norse) => (ones.clone(), product(&maker.positive("r")?, &part)),
                    _ => {
                        let jump = product(&maker.positive("w_in")?, &synapse_part);
                        (jump, product(&maker.positive("r")?, &part))
                    }
                };
                let settled: Vec<f64> = jump.iter().zip(&synapse_part).map(|(jump, part)| jump / part).collect();
                let mut discrete = Discrete {
                    gain: product(&jump, &rise),
                    drive: product(&settled, &rise),
                    leak: membrane,
                    current: synapse,
                    bias: zeros,
                    ..Discrete::default()
                };
                maker.fire(&mut discrete, &maker.values("v_leak"), options)?;
                if let (After::Lowered(_, is_late), Some(Tool::Spyx)) = (&mut discrete.reset, options.tool) {
                    *is_late = false;
                }
                discrete
            }
            // Its voltage as a current that a neuron without leak sums: as many spikes as its sum over time has thresholds.
            Model::Li => {
                let (part, left) = maker.step("tau", options)?;
                let gain = match options.tool {
                    Some(Tool::Rockpool) => left.clone(),
                    Some(Tool::Spyx) => ones.clone(),
                    _ => product(&maker.positive("r")?, &part),
                };
                Discrete {
                    drive: gain.iter().zip(&part).map(|(gain, part)| gain / part).collect(),
                    gain,
                    bias: maker.values("v_leak"),
                    leak: ones,
                    current: left,
                    ..Discrete::default()
                }
            }
            Model::CubaLi => {
                let cause = "its voltage is filtered twice, and there is no neuron that could count it out in spikes";
                let help = "put a Threshold node behind it, which makes spikes of its voltage, or use LI or CubaLIF";
                return Err(NirError::node(&node.path, cause, help));
            }
        };
        if is_read_out {
            discrete.threshold = vec![options.output_threshold; count];
            discrete.fires = Some(Fires::At);
            discrete.reset = After::Lowered(discrete.threshold.clone(), false);
        }
        if let (After::Lowered(_, true), Some(threshold)) =
            (&discrete.reset, discrete.threshold.iter().find(|&&threshold| threshold <= 0.0))
        {
            let cause = format!("a threshold is {threshold} above rest, and resets come a step late");
            let help = "a neuron that fires at rest is reset at once: use `--reset subtract` or `value`";
            return Err(NirError::node(&node.path, cause, help));
        }
        Ok(discrete)
    }

    /// These and then others, as the neurons of one layer.
    /// # Errors
    /// If what firing does to them cannot be said of one layer: the reason.
    pub fn join(&mut self, other: Discrete) -> Result<(), String> {
        let (here, there) = (self.gain.len(), other.gain.len());
        if self.fires != other.fires {
            return Err("some of them fire at the threshold, others only above it".to_owned());
        }
        self.reset = match (std::mem::take(&mut self.reset), other.reset) {
            (After::Any, After::Any) => After::Any,
            (After::Becomes(own), After::Becomes(added)) => After::Becomes([own, added].concat()),
            (After::Becomes(own), After::Any) => After::Becomes([own, vec![0.0; there]].concat()),
            (After::Any, After::Becomes(added)) => After::Becomes([vec![0.0; here], added].concat()),
            (After::Stays | After::Any, After::Stays | After::Any) => After::Stays,
            (After::Stays | After::Any, After::Lowered(added, is_late)) => {
                After::Lowered([vec![0.0; here], added].concat(), is_late)
            }
            (After::Lowered(own, is_late), After::Stays | After::Any) => {
                After::Lowered([own, vec![0.0; there]].concat(), is_late)
            }
            (After::Lowered(own, is_late), After::Lowered(added, _)) => After::Lowered([own, added].concat(), is_late),
            _ => return Err("some of them are reset by firing, others are not".to_owned()),
        };
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
        Ok(())
    }

    /// The neurons of a layer of a shape that are sent this beside spikes, and what their weights are multiplied by.
    pub fn neuron(&self, path: &str, offset: Option<&[f64]>, shape: &[u32]) -> Result<(Neuron, f64), NirError> {
        // Voltages are measured so that all gains are one; the first neuron keeps its own.
        let common = self.gain[0];
        let unit: Vec<f64> = self.gain.iter().map(|gain| common / gain).collect();
        let mut threshold = product(&self.threshold, &unit);
        let mut reset = self.reset.clone();
        let mut resets: Vec<f64> = match &reset {
            After::Becomes(values) | After::Lowered(values, _) => product(values, &unit),
            After::Any | After::Stays => Vec::new(),
        };
        let mut bias = self.bias.clone();
        let mut start = vec![0.0; bias.len()];
        if let Some(offset) = offset {
            for (at, offset) in offset.iter().enumerate() {
                let settled = self.drive[at] * offset;
                bias[at] += settled;
                // Seen from where a current settles it begins below, by as much.
                if self.current[at] > 0.0 {
                    start[at] -= settled;
                }
            }
        }
        let (mut bias, mut start) = (product(&bias, &unit), product(&start, &unit));
        let scale = common_scale(path, &threshold, [&resets, &bias, &start])?;
        for value in threshold.iter_mut().chain(&mut resets).chain(&mut bias).chain(&mut start) {
            *value *= scale;
        }
        match &mut reset {
            After::Becomes(values) | After::Lowered(values, _) => *values = resets,
            After::Any | After::Stays => {}
        }
        let neuron = Neuron {
            fires: self.fires.unwrap_or(Fires::At),
            reset: match reset {
                After::Any => Reset::To(Values::Constant(0.0)),
                After::Stays => Reset::None,
                After::Lowered(amount, is_late) => {
                    let is_threshold = amount.iter().zip(&threshold).all(|(&one, &other)| is_same(one, other));
                    let amount = (!is_threshold).then(|| values(&amount, shape));
                    Reset::Subtract(Lowering { amount, is_late })
                }
                After::Becomes(to) => Reset::To(values(&to, shape)),
            },
            threshold: values(&threshold, shape),
            leak: decay(&self.leak, shape),
            current: self.current.iter().any(|&left| left != 0.0).then(|| decay(&self.current, shape)),
            current_start: values(&start, shape),
            bias: values(&bias, shape),
            ..Neuron::default()
        };
        Ok((neuron, common * scale))
    }
}

/// What a layer's voltages are multiplied by so that the network graph has room for them.
fn common_scale(path: &str, threshold: &[f64], others: [&[f64]; 3]) -> Result<f64, NirError> {
    let sizes = threshold.iter().map(|value| value.abs());
    let least = sizes.filter(|&size| size > 0.0).fold(f64::MAX, f64::min);
    let all = threshold.iter().chain(others.into_iter().flatten());
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

    /// The part of a quantity that goes in a step, dt / tau or what the tool has instead, and what is left.
    fn step(&self, name: &str, options: &Options) -> Result<(Vec<f64>, Vec<f64>), NirError> {
        let dt = self.time_step;
        let times = self.positive(name)?;
        let is_exponential = options.tool.is_some_and(Tool::is_exponential);
        // Frameworks that count in steps write dt / (1 - beta), which rounds.
        if let Some(time) = times.iter().find(|&&time| !is_exponential && time < dt * (1.0 - 1e-4)) {
            let cause = format!("its `{name}` is {time}, shorter than the time step {dt}");
            let help = "use a shorter time step (--dt), in the unit of the file's time constants, or name the tool that wrote \
                        the file (--from)";
            return Err(NirError::node(&self.node.path, cause, help));
        }
        let part = |time: &f64| if is_exponential { -(-dt / time).exp_m1() } else { (dt / time).min(1.0) };
        let parts: Vec<f64> = times.iter().map(part).collect();
        let left = rest(&parts);
        Ok((parts, left))
    }

    /// What a weight of 1 adds to a voltage without leak in a step: `r`, or `dt r` where time is meant.
    fn rate(&self, options: &Options, notes: &mut Vec<String>) -> Result<Vec<f64>, NirError> {
        let mut rate = self.positive("r")?;
        let dt = self.time_step;
        let is_inverse = rate.iter().all(|r| (r * dt - 1.0).abs() < 1e-3) && (dt - 1.0).abs() > 1e-9;
        let (name, path) = (self.neurons.model.name(), &self.node.path);
        match options.integration {
            Integration::Time => rate.iter_mut().for_each(|r| *r *= dt),
            Integration::Steps => {}
            Integration::AsFound if is_inverse => {
                notes.push(format!(
                    "`{path}` ({name}): its r is 1 / dt, so that v' = r s by Euler's method adds s in a step; so it does \
                     here (`--integrate steps` would add r s)"
                ));
                rate.iter_mut().for_each(|r| *r *= dt);
            }
            Integration::AsFound => {
                if let Some(r) = rate.iter().find(|&&r| r >= 100.0) {
                    notes.push(format!(
                        "`{path}` ({name}): a spike adds its weight times r, {r}; if r is meant in time, v' = r s, say \
                         `--integrate time`"
                    ));
                }
            }
        }
        Ok(rate)
    }

    /// Fills in threshold and reset, seen from rest.
    fn fire(&self, discrete: &mut Discrete, rest: &[f64], options: &Options) -> Result<(), NirError> {
        let above = |name| self.values(name).iter().zip(rest).map(|(value, rest)| value - rest).collect();
        discrete.threshold = above("v_threshold");
        discrete.fires = Some(options.fires);
        discrete.reset = match options.reset {
            _ if !self.neurons.is_reset => After::Stays,
            ResetRule::AsGiven => After::Becomes(above("v_reset")),
            ResetRule::Subtract => After::Lowered(self.values("v_threshold"), false),
            ResetRule::SubtractLate => After::Lowered(self.values("v_threshold"), true),
        };
        Ok(())
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
