//! Learning while the input is shown, in plain integers: one recurrent layer of leaky neurons, no cores, no packets.
//!
//! As in [`crate::integer_model`] nothing is shared with the compiler or the emulator; numbers are of 64 bits and saturate
//! where the chip's memories are narrower. Put in: what the text says ([`Network`]), the run's seed, the initial weights.
//! Taken out: every number that the chip holds when a window is over.
//!
//! ```
//! use testbench::steps_model::{Initial, Model, Network};
//! let network = Network {
//!     inputs: 1, classes: 2, window: 2, neurons: 1, block: 1, weight_bits: 8, threshold: 1.0,
//!     leak: vec![65536], current: None, recurrent: false,
//!     every: 1, memory: 3, rate: 4, margin: 0.1, gated: false,
//! };
//! // 1.0 is 64: the input fires the neuron in each step, class 0 as well, class 1 never.
//! let weights = |_block| Initial { weights: vec![vec![64]], target_weights: vec![vec![64], vec![0]], own_weights: vec![] };
//! let mut model = Model::new(&network, 1, weights);
//! let shown = vec![vec![true]; 2];
//! model.learn(&shown, 0, false);
//! assert_eq!((model.blocks[0].count.as_slice(), model.blocks[0].target_count[0].as_slice()), ([2].as_slice(), [2].as_slice()));
//! assert_eq!(model.infer(&shown, false), 0);
//! ```

use crate::integer_model::{generator, largest, saturate};

/// What the text of a network says.
#[derive(Clone, Debug)]
pub struct Network {
    /// Axons of the input.
    pub inputs: usize,
    /// Classes.
    pub classes: usize,
    /// Steps of a window, a power of two.
    pub window: usize,
    /// Neurons.
    pub neurons: usize,
    /// Neurons of a block; the last one may be smaller.
    pub block: usize,
    /// Bits of a weight.
    pub weight_bits: u32,
    /// Membrane potential at which a neuron fires.
    pub threshold: f64,
    /// What is left of a membrane from step to step, by neuron, in 65,536ths.
    pub leak: Vec<i64>,
    /// The same of the synaptic current, if there is one.
    pub current: Option<Vec<i64>>,
    /// Whether the layer's own spikes come back to it.
    pub recurrent: bool,
    /// Steps between changes.
    pub every: usize,
    /// A trace loses its `2^-memory`-th part a step.
    pub memory: u32,
    /// The learning rate is `2^-rate`.
    pub rate: u32,
    /// In units of the square root of the block's neurons, times the window squared.
    pub margin: f64,
    /// Whether weights change only where the membrane is near the threshold.
    pub gated: bool,
}

/// The weights of a block before the first sample, each `[from][neuron]`.
#[derive(Clone, Debug)]
pub struct Initial {
    /// From the input.
    pub weights: Vec<Vec<i64>>,
    /// From the target's classes.
    pub target_weights: Vec<Vec<i64>>,
    /// From the layer's own neurons; empty without recurrence.
    pub own_weights: Vec<Vec<i64>>,
}

/// The layer with its state.
#[derive(Clone, Debug)]
pub struct Model {
    network: Network,
    one: i64,
    threshold: i64,
    shift: i64,
    /// `[axon]`: inputs, classes, own spikes; 8 fraction bits.
    pub trace: Vec<i64>,
    /// The blocks.
    pub blocks: Vec<Block>,
}

/// A block's state.
#[derive(Clone, Debug)]
pub struct Block {
    seed: u64,
    draws: u32,
    first: usize,
    /// `[axon][neuron]`: inputs, classes, own spikes.
    pub rows: Vec<Vec<i64>>,
    /// `[neuron]`.
    pub bias: Vec<i64>,
    /// `[neuron]`, of input windows and of target windows.
    pub membrane: [Vec<i64>; 2],
    /// `[neuron]`, of input windows and of target windows.
    pub current: [Vec<i64>; 2],
    /// `[neuron]`: spikes of the last input window.
    pub count: Vec<i64>,
    /// `[class][neuron]`: spikes of the last target window of each class.
    pub target_count: Vec<Vec<i64>>,
    /// `[neuron]`: running mean of the count, 12 fraction bits.
    pub mean_count: Vec<i64>,
    /// `[class]`: the scores that were last computed.
    pub scores: Vec<i64>,
    /// `[neuron]`: membranes of the last step before any reset.
    risen: Vec<i64>,
}

/// A shown window.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Window {
    Input { learn: Option<usize> },
    Target(usize),
}

impl Model {
    /// A network before its first sample.
    pub fn new(network: &Network, seed: u64, initial: impl Fn(usize) -> Initial) -> Model {
        let fraction =
            i64::from(if network.weight_bits > 8 { network.weight_bits - 4 } else { network.weight_bits - 2 });
        let one = 1 << fraction;
        let own = if network.recurrent { network.neurons } else { 0 };
        let blocks = (0..network.neurons).step_by(network.block).enumerate().map(|(number, first)| {
            let neurons = network.block.min(network.neurons - first);
            let Initial { weights, target_weights, own_weights } = initial(number);
            let rows: Vec<Vec<i64>> = [weights, target_weights, own_weights].concat();
            assert_eq!(rows.len(), network.inputs + network.classes + own, "rows of weights");
            let zeros = || vec![0; neurons];
            Block {
                seed: generator::block_seed(seed, number),
                draws: 0,
                first,
                rows,
                bias: zeros(),
                membrane: [zeros(), zeros()],
                current: [zeros(), zeros()],
                count: zeros(),
                target_count: vec![zeros(); network.classes],
                mean_count: zeros(),
                scores: vec![0; network.classes],
                risen: zeros(),
            }
        });
        Model {
            one,
            threshold: ((network.threshold * one as f64).round() as i64).max(1),
            shift: i64::from(network.rate) - fraction + i64::from(network.window.ilog2()) + 8,
            trace: vec![0; network.inputs + network.classes + own],
            blocks: blocks.collect(),
            network: network.clone(),
        }
    }

    /// Shows the spikes of a window, then its class, and learns. `continues`: from where the last input window ended.
    pub fn learn(&mut self, shown: &[Vec<bool>], class: usize, continues: bool) {
        self.show(Window::Input { learn: Some(class) }, shown, continues);
        let line = (0..self.network.classes).map(|line| line == class).collect();
        self.show(Window::Target(class), &vec![line; self.network.window], false);
        for at in 0..self.blocks.len() {
            self.learn_target(at, class);
            self.nudge(at);
        }
    }

    /// Shows the spikes of a window and says its class.
    pub fn infer(&mut self, shown: &[Vec<bool>], continues: bool) -> usize {
        self.show(Window::Input { learn: None }, shown, continues);
        let mut sums = vec![0; self.network.classes];
        for block in &mut self.blocks {
            block.score();
            for (sum, score) in sums.iter_mut().zip(&block.scores) {
                *sum = saturate(*sum + score, 32);
            }
        }
        largest(&sums, None)
    }

    fn show(&mut self, window: Window, shown: &[Vec<bool>], continues: bool) {
        let (inputs, classes) = (self.network.inputs, self.network.classes);
        let is_target = matches!(window, Window::Target(_));
        for block in &mut self.blocks {
            match window {
                Window::Target(class) => block.target_count[class].fill(0),
                Window::Input { .. } => block.count.fill(0),
            }
            if !continues {
                block.membrane[usize::from(is_target)].fill(0);
                block.current[usize::from(is_target)].fill(0);
            }
        }
        if !is_target && !continues {
            self.trace.fill(0);
        }
        let mut own = vec![false; self.trace.len() - inputs - classes];
        for (step, spikes) in shown.iter().enumerate() {
            let nothing = |count: usize| vec![false; count];
            let active: Vec<bool> = match window {
                Window::Input { .. } => [spikes.clone(), nothing(classes), own].concat(),
                Window::Target(_) => [nothing(inputs), spikes.clone(), own].concat(),
            };
            if let Window::Input { learn: Some(_) } = window {
                for (trace, &active) in self.trace.iter_mut().zip(&active) {
                    *trace -= trace.div_euclid(1 << self.network.memory);
                    *trace = saturate(*trace + if active { 256 } else { 0 }, 16);
                }
            }
            let mut fired = Vec::new();
            for at in 0..self.blocks.len() {
                fired.extend(self.step(at, window, &active));
                if let Window::Input { learn: Some(class) } = window
                    && (step + 1) % self.network.every == 0
                {
                    self.learn_step(at, class, step as i64 + 1);
                }
            }
            own = if self.network.recurrent { fired } else { Vec::new() };
        }
    }

    /// A step of a block; returns which neurons spike.
    fn step(&mut self, at: usize, window: Window, active: &[bool]) -> Vec<bool> {
        let (network, threshold) = (&self.network, self.threshold);
        let block = &mut self.blocks[at];
        let side = usize::from(matches!(window, Window::Target(_)));
        let mut spikes = Vec::new();
        for i in 0..block.bias.len() {
            let mut sum = if side == 0 { block.bias[i] } else { 0 };
            for (row, _) in block.rows.iter().zip(active).filter(|(_, active)| **active) {
                sum = saturate(sum + row[i], 32);
            }
            if let Some(left) = &network.current {
                sum = saturate(saturate(block.current[side][i] * left[block.first + i] / 65536, 32) + sum, 32);
                block.current[side][i] = sum;
            }
            let left = saturate(block.membrane[side][i] * network.leak[block.first + i] / 65536, 32);
            let risen = saturate(left + sum, 32);
            let fires = risen >= threshold;
            block.risen[i] = risen;
            block.membrane[side][i] = if fires { risen - threshold } else { risen };
            match window {
                Window::Target(class) => block.target_count[class][i] += i64::from(fires),
                Window::Input { .. } => block.count[i] += i64::from(fires),
            }
            spikes.push(fires);
        }
        spikes
    }

    /// The rival of a class, if the class does not lead it by the margin of so many steps.
    fn behind(&mut self, at: usize, class: usize, steps: i64) -> Option<usize> {
        let block = &mut self.blocks[at];
        block.score();
        let rival = largest(&block.scores, Some(class));
        let of_step = (self.network.margin * (block.bias.len() as f64).sqrt() * self.network.window as f64) as i64;
        (block.scores[class] - block.scores[rival] < of_step * steps).then_some(rival)
    }

    fn learn_step(&mut self, at: usize, class: usize, steps: i64) {
        let Some(rival) = self.behind(at, class, steps) else { return };
        let (shift, bits) = (self.shift, self.network.weight_bits);
        let block = &mut self.blocks[at];
        let is_near = |risen: i64| -self.threshold <= risen && risen < 2 * self.threshold;
        let pull: Vec<i64> = (0..block.bias.len())
            .map(|i| match !self.network.gated || is_near(block.risen[i]) {
                true => block.target_count[class][i] - block.target_count[rival][i],
                false => 0,
            })
            .collect();
        for (k, &trace) in self.trace.iter().enumerate().filter(|(_, trace)| **trace >= 16) {
            let draw = block.draw();
            for (i, pull) in pull.iter().enumerate() {
                let change = block.round(pull * trace, shift, draw, i);
                block.rows[k][i] = saturate(block.rows[k][i] + change, bits);
            }
        }
        let draw = block.draw();
        for (i, pull) in pull.iter().enumerate() {
            block.bias[i] = saturate(block.bias[i] + block.round(pull * 256, shift, draw, i), 32);
        }
    }

    /// The target's own projection.
    fn learn_target(&mut self, at: usize, class: usize) {
        let window = self.network.window as i64;
        let Some(rival) = self.behind(at, class, window) else { return };
        let shift = self.shift + i64::from(self.network.window.ilog2()) - 8;
        let (one, bits) = (self.one, self.network.weight_bits);
        let block = &mut self.blocks[at];
        for (line, sign) in [(class, 1), (rival, -1)] {
            let draw = block.draw();
            for i in 0..block.bias.len() {
                let change = block.round(sign * block.count[i] * window, shift, draw, i);
                let weight = &mut block.rows[self.network.inputs + line][i];
                *weight = saturate((*weight + change).clamp(-one, 2 * one), bits);
            }
        }
    }

    /// Homeostasis.
    fn nudge(&mut self, at: usize) {
        let (nudge, window) = ((self.one / 1024).max(1), self.network.window as i64);
        let block = &mut self.blocks[at];
        for i in 0..block.bias.len() {
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
    fn score(&mut self) {
        for (score, target_count) in self.scores.iter_mut().zip(&self.target_count) {
            *score = saturate(self.count.iter().zip(target_count).map(|(h, t)| h * t).sum(), 32);
        }
    }

    fn draw(&mut self) -> u32 {
        self.draws = self.draws.wrapping_add(1);
        self.draws.wrapping_sub(1)
    }

    /// `value / 2^shift`, rounded down after noise below 1 was added; exact if the shift is not positive.
    fn round(&self, value: i64, shift: i64, draw: u32, i: usize) -> i64 {
        if shift <= 0 {
            return saturate(value * (1 << -shift), 32);
        }
        assert!(shift < 32, "noise has 32 bits, and a shift by all of them is no sensible learning rate");
        let noise = generator::noise(self.seed, draw, i) >> (32 - shift);
        (value + i64::from(noise)).div_euclid(1 << shift)
    }
}
