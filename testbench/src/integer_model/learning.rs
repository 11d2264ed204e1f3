//! What a block makes of a sample and its target: pulls on its neurons by the loss, changes of its weights.

use std::ops::Range;

use super::{Block, Fall, LayerState, Loss, Optimizer, Rule, Signal, Window, largest, saturate};

/// An update of which only some rows have been changed so far.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    /// Parts that are done.
    parts: usize,
    pulls: Pulls,
    traces: Traces,
}

/// Traces of an update, `[axon]` each: of the input, of the own target, of the rival.
pub(super) type Traces = [Vec<i64>; 3];

/// The pulls on a block's neurons, `[neuron]` each.
#[derive(Clone, Debug)]
pub(super) struct Pulls {
    /// By the input's path.
    input: Vec<i64>,
    /// By the own target's.
    own: Vec<i64>,
    /// By the rival's.
    rival: Vec<i64>,
}

/// `1.0` of a probability.
const CERTAIN: i64 = 256;

/// Towards 0.
fn scaled(value: i64, factor: i64) -> i64 {
    saturate(value * factor / 65536, 32)
}

fn rounded(value: f64) -> i64 {
    value.round() as i64
}

/// Bounds of a voltage in scores, in thresholds.
fn potential_bounds(window: i64) -> (i64, i64) {
    (-(window / 2).max(1), window + window / 4)
}

impl LayerState {
    /// Sets the shift of an epoch.
    pub(super) fn set_epoch(&mut self, epoch: u32, epochs: u32, window: i64) {
        let Some(rule) = &self.learning else { return };
        let mut shift = i64::from(rule.rate) - i64::from(self.fraction_bits) + 2 * i64::from(window.ilog2());
        if let Loss::Softmax(_) = rule.loss {
            shift += 8;
        }
        if let Optimizer::Adaptive(_) = rule.optimizer {
            shift += 4;
        }
        self.shift = shift
            + match &rule.fall {
                Fall::Evenly(times) => (i64::from(*times) + 1) * i64::from(epoch) / i64::from(epochs),
                Fall::In(listed) => listed.iter().filter(|&&at| at <= epoch + 1).count() as i64,
            };
    }

    /// What does not begin with 0.
    pub(super) fn prepare(&mut self, window: i64) {
        for block in &mut self.blocks {
            // A quarter of the window, squared, is in the middle of the sixteenths.
            block.mean_square.fill(64 * window * window);
        }
    }

    /// Learns from the input and target windows just shown.
    pub(super) fn learn(&mut self, class: usize, rival: Option<usize>, window: i64) {
        let Some(rule) = self.learning.clone() else { return };
        for at in 0..self.blocks.len() {
            self.blocks[at].score(Some(&rule));
            let rival = rival.unwrap_or_else(|| largest(&self.blocks[at].scores, Some(class)));
            if let Some(mut pulls) = self.blocks[at].pulls(&rule, class, rival, window) {
                self.gate(at, &rule, class, rival, window, &mut pulls);
                self.blocks[at].scale(&rule, &mut pulls, window);
                self.change(at, &rule, class, rival, window, &pulls);
            }
            if rule.revive {
                self.nudge(at, window);
            }
        }
    }

    /// Clears pulls where a change of weight would not change what counts.
    fn gate(&mut self, at: usize, rule: &Rule, class: usize, rival: usize, window: i64, pulls: &mut Pulls) {
        let block = &self.blocks[at];
        let quarter = self.one * window / 4;
        let (low, high) = potential_bounds(window);
        let is_live = |voltage: i64, potential: i64| match rule.signal {
            Signal::Surrogate => -quarter <= voltage && voltage < self.one * window + quarter,
            Signal::Voltage => low < potential && potential < high,
            Signal::Count => true,
        };
        for i in 0..block.neurons {
            if !is_live(block.voltage[i], block.potential[i]) {
                pulls.input[i] = 0;
            }
            if self.fed_by_target {
                continue;
            }
            if !is_live(block.target_voltage[class][i], block.target_potential[class][i]) {
                pulls.own[i] = 0;
            }
            if !is_live(block.target_voltage[rival][i], block.target_potential[rival][i]) {
                pulls.rival[i] = 0;
            }
        }
    }

    /// Changes weights and biases of a block.
    fn change(&mut self, at: usize, rule: &Rule, class: usize, rival: usize, window: i64, pulls: &Pulls) {
        let (shift, weight_bits) = (self.shift, self.weight_bits);
        // Of targets nothing is learned by their own paths where axon and target are only correlated.
        let is_of_targets = rule.loss != Loss::Hebbian;
        let block = &mut self.blocks[at];
        let nothing = vec![0; self.trace.len()];
        let by_same_weights = !self.fed_by_target && is_of_targets;
        let of = |class: usize| if by_same_weights { self.target_trace[class].clone() } else { nothing.clone() };
        let traces = [self.trace.clone(), of(class), of(rival)];
        if rule.spread {
            block.pending = Some(Pending { parts: 0, pulls: pulls.clone(), traces });
        } else if rule.batch > 1 {
            block.batch.push((pulls.clone(), traces));
            if block.batch.len() == rule.batch {
                let batch = std::mem::take(&mut block.batch);
                block.change_by_batch(rule, &batch, shift, weight_bits);
            }
        } else {
            block.change_rows(0..self.trace.len(), rule, pulls, &traces, shift, weight_bits);
        }
        if self.fed_by_target && is_of_targets {
            let coarser = i64::from(self.fraction_bits - self.target_fraction_bits);
            let one = 1i64 << self.target_fraction_bits;
            for (line, pull) in [(class, &pulls.own), (rival, &pulls.rival)] {
                let draw = block.draw();
                for (i, pull) in pull.iter().enumerate() {
                    let weight = block.target_weights[line][i] + block.round(pull * window, shift + coarser, draw, i);
                    block.target_weights[line][i] = saturate(weight.clamp(-one, 2 * one), weight_bits);
                }
            }
        }
        let draw = block.draw();
        let finer = i64::from(self.membrane_fraction_bits - self.fraction_bits);
        for (i, pull) in pulls.input.iter().enumerate() {
            block.bias[i] = saturate(block.bias[i] + block.round(pull * window, shift - finer, draw, i), 32);
        }
    }

    /// Homeostasis of a block.
    fn nudge(&mut self, at: usize, window: i64) {
        let nudge = (self.one / 1024).max(1);
        let block = &mut self.blocks[at];
        for i in 0..block.neurons {
            block.mean_count[i] += (block.count[i] * 4096 - block.mean_count[i]).div_euclid(512);
            if block.mean_count[i] < 82 * window {
                block.bias[i] = saturate(block.bias[i] + nudge, 32);
            } else if block.mean_count[i] > 3300 * window {
                block.bias[i] = saturate(block.bias[i] - nudge, 32);
            }
        }
    }
}

impl Block {
    /// Keeps the voltage of a window as the scores want it.
    pub(super) fn keep_potential(&mut self, window: Window, one: i64, steps: i64) {
        let (low, high) = potential_bounds(steps);
        let (voltage, potential) = match window {
            Window::Input => (&self.voltage, &mut self.potential),
            Window::Target(class) => (&self.target_voltage[class], &mut self.target_potential[class]),
        };
        for (voltage, potential) in voltage.iter().zip(potential) {
            *potential = (2 * voltage + one).div_euclid(2 * one).clamp(low, high);
        }
    }

    /// Computes the scores of all classes.
    pub(super) fn score(&mut self, rule: Option<&Rule>) {
        let is_squared = rule.is_some_and(|rule| matches!(rule.loss, Loss::SquaredError(_)));
        for class in 0..self.scores.len() {
            let (input, target) = self.evoked(rule, class);
            let product = |(&h, &t): (&i64, &i64)| if is_squared { (2 * h - t) * t } else { h * t };
            let sum = input.iter().zip(target).map(product).sum();
            self.scores[class] = saturate(sum, 32);
        }
    }

    /// What the input and a target evoked.
    fn evoked(&self, rule: Option<&Rule>, class: usize) -> (&[i64], &[i64]) {
        if rule.is_some_and(|rule| rule.signal == Signal::Voltage) {
            (&self.potential, &self.target_potential[class])
        } else {
            (&self.count, &self.target_count[class])
        }
    }

    /// What the loss pulls at, if there is anything to learn.
    fn pulls(&mut self, rule: &Rule, class: usize, rival: usize, window: i64) -> Option<Pulls> {
        let unit = (self.neurons as f64).sqrt() * window as f64 * window as f64;
        let lead = self.scores[class] - self.scores[rival];
        if let Loss::Softmax(temperature) = rule.loss {
            self.believe(temperature * unit);
        }
        let (h, own) = self.evoked(Some(rule), class);
        let (_, other) = self.evoked(Some(rule), rival);
        let each = |pull: &dyn Fn(usize) -> i64| (0..self.neurons).map(pull).collect::<Vec<i64>>();
        match rule.loss {
            Loss::Hinge(margin) => (lead < (margin * unit) as i64).then(|| Pulls {
                input: each(&|i| own[i] - other[i]),
                own: each(&|i| h[i]),
                rival: each(&|i| -h[i]),
            }),
            Loss::SquaredError(margin) => (lead < (2.0 * margin * unit) as i64).then(|| Pulls {
                input: each(&|i| own[i] - other[i]),
                own: each(&|i| h[i] - own[i]),
                rival: each(&|i| other[i] - h[i]),
            }),
            Loss::Softmax(_) => {
                let missing = CERTAIN - self.probabilities[class];
                let expected = |i: usize| -> i64 {
                    (0..self.scores.len()).map(|c| self.probabilities[c] * self.evoked(Some(rule), c).1[i]).sum()
                };
                (missing >= 4).then(|| Pulls {
                    input: each(&|i| CERTAIN * own[i] - expected(i)),
                    own: each(&|i| missing * h[i]),
                    rival: each(&|i| -missing * h[i]),
                })
            }
            Loss::Hebbian => Some(Pulls {
                input: each(&|i| own[i] - h[i]),
                own: vec![0; self.neurons],
                rival: vec![0; self.neurons],
            }),
        }
    }

    /// Computes the classes' probabilities.
    fn believe(&mut self, temperature: f64) {
        let sharpness = rounded(8.0 * 65536.0 / temperature).clamp(1, i64::from(i32::MAX));
        let most = *self.scores.iter().max().expect("there are classes");
        let exponentials: Vec<i64> = self
            .scores
            .iter()
            .map(|score| {
                let eighths = scaled(saturate(most - score, 32), sharpness).min(63);
                rounded(256.0 * (-(eighths as f64) / 8.0).exp())
            })
            .collect();
        let sum: i64 = exponentials.iter().sum();
        let reciprocal = rounded(65536.0 * 256.0 / (sum - sum % 8) as f64);
        self.probabilities = exponentials.into_iter().map(|e| scaled(e, reciprocal)).collect();
    }

    /// Scales pulls where steps adapt to neurons.
    fn scale(&mut self, rule: &Rule, pulls: &mut Pulls, window: i64) {
        let Optimizer::Adaptive(decay) = rule.optimizer else { return };
        for i in 0..self.neurons {
            let pull = pulls.input[i];
            let square = match rule.loss {
                // Of 8 fraction bits, so that the square has 16.
                Loss::Softmax(_) => (pull * 16) * (pull * 16) / 65536,
                _ => pull * pull * 256,
            };
            self.mean_square[i] += (saturate(square, 32) - self.mean_square[i]).div_euclid(1 << decay);
            let index = (self.mean_square[i] / (4 * window * window)).clamp(0, 63);
            let root = rounded((64.0 / (index as f64 + 0.5).sqrt()).min(64.0));
            for pull in [&mut pulls.input[i], &mut pulls.own[i], &mut pulls.rival[i]] {
                *pull = saturate(*pull * root, 32);
            }
        }
    }

    /// Changes the weights of some axons.
    fn change_rows(
        &mut self,
        axons: Range<usize>,
        rule: &Rule,
        pulls: &Pulls,
        traces: &Traces,
        shift: i64,
        weight_bits: u32,
    ) {
        for k in axons {
            let [x, of_own, of_rival] = [0, 1, 2].map(|path| traces[path][k]);
            if x + of_own + of_rival < 1 {
                continue;
            }
            let changes =
                (0..self.neurons).map(|i| pulls.input[i] * x + pulls.own[i] * of_own + pulls.rival[i] * of_rival);
            self.change_row(k, rule, changes.collect(), shift, weight_bits);
        }
    }

    /// Changes all weights by the sum of what several samples ask for.
    fn change_by_batch(&mut self, rule: &Rule, batch: &[(Pulls, Traces)], shift: i64, weight_bits: u32) {
        for k in 0..self.weights.len() {
            if batch.iter().all(|(_, traces)| traces.iter().all(|trace| trace[k] == 0)) {
                continue;
            }
            let of_sample = |(pulls, [x, own, rival]): &(Pulls, Traces), i: usize| {
                pulls.input[i] * x[k] + pulls.own[i] * own[k] + pulls.rival[i] * rival[k]
            };
            let changes = (0..self.neurons).map(|i| batch.iter().map(|sample| of_sample(sample, i)).sum());
            self.change_row(k, rule, changes.collect(), shift, weight_bits);
        }
    }

    /// A step is over: a part of the last update, if any is left.
    pub(super) fn part(&mut self, rule: Option<&Rule>, window: i64, shift: i64, weight_bits: u32) {
        let (Some(rule), Some(mut pending)) = (rule, self.pending.take()) else { return };
        let rows = self.weights.len();
        let size = rows.div_ceil(window as usize);
        let first = (pending.parts * size).min(rows);
        self.change_rows(first..(first + size).min(rows), rule, &pending.pulls, &pending.traces, shift, weight_bits);
        pending.parts += 1;
        if pending.parts < window as usize {
            self.pending = Some(pending);
        }
    }

    /// Changes the weights of an axon.
    fn change_row(&mut self, k: usize, rule: &Rule, mut changes: Vec<i64>, shift: i64, weight_bits: u32) {
        if let Optimizer::Momentum(decay) = rule.optimizer {
            let (draw, second, third) = (self.draw(), self.draw(), self.draw());
            for (i, change) in changes.iter_mut().enumerate() {
                let old = self.velocity[k][i];
                let lost = self.round(old, i64::from(decay), second, i);
                let new = old - lost + self.round(*change, shift - 4, draw, i);
                self.velocity[k][i] = saturate(new, 16);
                *change = self.round(new, 4 + i64::from(decay), third, i);
            }
        } else if !rule.carries {
            let draw = self.draw();
            for (i, change) in changes.iter_mut().enumerate() {
                *change = self.round(*change, shift, draw, i);
            }
        } else {
            for (change, left) in changes.iter_mut().zip(&mut self.remainder) {
                let all = saturate(*left + *change, 32);
                *change = if shift <= 0 { saturate(all << -shift, 32) } else { all.div_euclid(1 << shift) };
                let done = if shift <= 0 { change.div_euclid(1 << -shift) } else { saturate(*change << shift, 32) };
                *left = saturate(all - done, 32);
            }
        }
        if let Some(bits) = rule.weight_decay {
            let draw = self.draw();
            for (i, change) in changes.iter_mut().enumerate() {
                *change += self.round(-self.weights[k][i], i64::from(bits), draw, i);
            }
        }
        for (i, change) in changes.into_iter().enumerate() {
            self.weights[k][i] = saturate(self.weights[k][i] + change, weight_bits);
        }
    }
}
