//! Learning by Signal Propagation in plain integers: layers and loops, no cores, no instructions, no packets.
//!
//! It says what a network computes, to the bit, one number at a time, in 64-bit integers that are saturated where the
//! chip's memories are narrower. Nothing is shared with the compiler or the emulator, not even types or the generator
//! of random bits, so that a mistake in one does not hide in the other. It is slow and is meant to be.
//!
//! Put in: what the text of the network says ([`Network`]), the run's seed, the initial weights. Taken out: every
//! number that the chip holds at the end of a sample. Where layers lag behind each other the chip is in several samples
//! at once; here each layer finishes a window before the next one sees its spikes, which makes no difference to values.
//!
//! ```
//! use testbench::integer_model::{Layer, Model, Network};
//! let layer = Layer { neurons: 3, block: 2, weight_bits: 8, gain: 1.0, fraction: None, threshold: 1.0, learning: None };
//! let network = Network { inputs: 2, classes: 2, window: 4, layers: vec![layer] };
//! // One column a neuron: the first block has two of them, the second one. 1.0 is 64.
//! let weights = |_layer: usize, block: usize| match block {
//!     0 => (vec![vec![64, 0], vec![0, 32]], vec![vec![64, 0], vec![0, 64]]),
//!     _ => (vec![vec![64], vec![0]], vec![vec![64], vec![0]]),
//! };
//! let mut model = Model::new(&network, 1, weights);
//! model.learn(&[255, 0], 0);
//! assert_eq!(model.layers[0].blocks[0].count, [4, 0]);
//! assert_eq!(model.infer(&[255, 0]), 0);
//! ```

mod learning;
mod rule;

pub use rule::{Fall, Loss, Optimizer, Rule, Signal};

/// What the text of a network says.
#[derive(Clone, Debug)]
pub struct Network {
    /// Pixels of a sample.
    pub inputs: usize,
    /// Classes.
    pub classes: usize,
    /// Steps of a window, a power of two.
    pub window: usize,
    /// The layers, each fed by the one before; the first by the input and the target.
    pub layers: Vec<Layer>,
}

/// What the text says of a layer.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Neurons.
    pub neurons: usize,
    /// Neurons of a block; the last one may be smaller.
    pub block: usize,
    /// Bits of a weight: 4, 8 or 16.
    pub weight_bits: u32,
    /// Initial weights have the standard deviation `gain * sqrt(2 / inputs)`, by which the binary point is chosen.
    pub gain: f64,
    /// Bits of a weight below the binary point, if the text says how many.
    pub fraction: Option<u32>,
    /// Membrane potential at which a neuron fires.
    pub threshold: f64,
    /// How it learns, if it does.
    pub learning: Option<Rule>,
}

/// A network with its state.
#[derive(Clone, Debug)]
pub struct Model {
    /// Classes.
    pub classes: usize,
    /// Steps of a window.
    pub window: i64,
    /// Layers, from the input on.
    pub layers: Vec<LayerState>,
}

/// A layer's constants, and the state that its blocks have in common.
#[derive(Clone, Debug)]
pub struct LayerState {
    /// Whether the target has a projection of its own into the layer.
    pub fed_by_target: bool,
    /// Bits of a weight.
    pub weight_bits: u32,
    /// Bits of a weight below the binary point.
    pub fraction_bits: u32,
    /// Bits of a weight of the target's projection below the binary point.
    pub target_fraction_bits: u32,
    /// Bits of a membrane below the binary point.
    pub membrane_fraction_bits: u32,
    /// 1.0 on the membrane.
    pub one: i64,
    /// The threshold.
    pub threshold: i64,
    /// The rule.
    pub learning: Option<Rule>,
    /// What updates are divided by in this epoch: `2^shift`.
    pub shift: i64,
    /// `[input]`: steps it was active in the last input window. Unlike the chip, also kept in inference.
    pub trace: Vec<i64>,
    /// `[class][input]`: the same of the last target window of each class.
    pub target_trace: Vec<Vec<i64>>,
    /// The blocks.
    pub blocks: Vec<Block>,
}

/// A block's state.
#[derive(Clone, Debug)]
pub struct Block {
    /// Neurons.
    pub neurons: usize,
    seed: u64,
    /// Draws of the generator so far.
    draws: u32,
    /// `[input][neuron]`.
    pub weights: Vec<Vec<i64>>,
    /// `[class][neuron]`; empty unless the target feeds the layer.
    pub target_weights: Vec<Vec<i64>>,
    /// `[neuron]`.
    pub bias: Vec<i64>,
    /// `[neuron]`.
    pub membrane: Vec<i64>,
    /// `[neuron]`: spikes in the last input window.
    pub count: Vec<i64>,
    /// `[class][neuron]`: spikes in the last target window of each class.
    pub target_count: Vec<Vec<i64>>,
    /// `[neuron]`: sum of the currents of the last input window. Unlike the chip's, also kept in inference.
    pub voltage: Vec<i64>,
    /// `[class][neuron]`: the same of target windows. The chip keeps it where a rule asks for it.
    pub target_voltage: Vec<Vec<i64>>,
    /// `[neuron]`: running mean of the count, 12 fraction bits.
    pub mean_count: Vec<i64>,
    /// `[neuron]`: where scores are of voltages, that of the last input window, in thresholds.
    pub potential: Vec<i64>,
    /// `[class][neuron]`: the same of target windows.
    pub target_potential: Vec<Vec<i64>>,
    /// `[class]`: in 8 fraction bits, where the loss wants them.
    pub probabilities: Vec<i64>,
    /// `[neuron]`: running mean of the squared pull of the input's path, 8 fraction bits, where steps adapt.
    pub mean_square: Vec<i64>,
    /// `[input][neuron]`: running sums of changes, 4 fraction bits more than weights, where changes have momentum.
    pub velocity: Vec<Vec<i64>>,
    /// `[neuron]`: what rounding cut off of the last change, where it is carried on.
    pub remainder: Vec<i64>,
    /// `[class]`: the scores that were last computed.
    pub scores: Vec<i64>,
    /// Of each step of the last sample, its input window first.
    pub steps: Vec<Step>,
    /// What the samples of an unfinished batch ask for.
    batch: Vec<(learning::Pulls, learning::Traces)>,
    /// What of the last update is still to be done.
    pending: Option<learning::Pending>,
}

/// What a block's neurons did in a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// `[neuron]`.
    pub spikes: Vec<bool>,
    /// `[neuron]`: after the step.
    pub membrane: Vec<i64>,
}

/// What a window shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Window {
    Input,
    Target(usize),
}

/// The nearest number of so many bits in two's complement.
pub(crate) fn saturate(value: i64, bits: u32) -> i64 {
    let limit = 1i64 << (bits - 1);
    value.clamp(-limit, limit - 1)
}

/// The evenly spread spikes of a sample: of each step of a window, which pixels spike.
pub fn encode(pixels: &[u8], window: i64) -> Vec<Vec<bool>> {
    // Rounded to the nearest: there are no halves, 255 being odd.
    let counts: Vec<i64> = pixels.iter().map(|&pixel| (2 * i64::from(pixel) * window + 255) / (2 * 255)).collect();
    let mut phases = vec![window / 2; pixels.len()];
    let mut steps = Vec::new();
    for _ in 0..window {
        let mut spikes = vec![false; pixels.len()];
        for k in 0..pixels.len() {
            phases[k] += counts[k];
            if phases[k] >= window {
                phases[k] -= window;
                spikes[k] = true;
            }
        }
        steps.push(spikes);
    }
    steps
}

/// The generator, after the text in `crates/onward-isa/src/random.rs`.
pub(crate) mod generator {
    fn mix(mut x: u32) -> u32 {
        x ^= x >> 16;
        x = x.wrapping_mul(0x7feb352d);
        x ^= x >> 15;
        x = x.wrapping_mul(0x846ca68b);
        x ^= x >> 16;
        x
    }

    /// 32 random bits: of draw `n`, for the element `i`.
    pub fn noise(seed: u64, n: u32, i: usize) -> u32 {
        let low = (seed % (1 << 32)) as u32;
        let high = (seed / (1 << 32)) as u32;
        let key = mix(mix(n.wrapping_add(low)) ^ high);
        let mut x = key.wrapping_add((i as u32).wrapping_mul(0x9e3779b9));
        x ^= x >> 16;
        x.wrapping_mul(0x7feb352d)
    }

    /// SplitMix64's output function on `seed + (block + 1) * 0x9e3779b97f4a7c15`.
    pub fn block_seed(seed: u64, block: usize) -> u64 {
        let mut z = seed.wrapping_add((block as u64 + 1).wrapping_mul(0x9e3779b97f4a7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d049bb133111eb);
        z ^ (z >> 31)
    }
}

/// Bits of a weight below the binary point, where the text does not say: with 16 bits, 12. With 8 (4) bits, 6 (2), and more as
/// long as the largest weight stays at 3 standard deviations at least.
fn fraction_bits(weight_bits: u32, deviation: f64) -> u32 {
    let mut bits = match weight_bits {
        16 => return 12,
        8 => 6,
        _ => 2,
    };
    let largest = ((1 << (weight_bits - 1)) - 1) as f64;
    while bits < 15 && largest / 2f64.powi(bits as i32 + 1) >= 3.0 * deviation {
        bits += 1;
    }
    bits
}

/// The index of the largest, of equal ones the lowest, `except` left out.
pub(crate) fn largest(values: &[i64], except: Option<usize>) -> usize {
    let mut best = None;
    for (at, &value) in values.iter().enumerate() {
        if Some(at) != except && best.is_none_or(|best: usize| value > values[best]) {
            best = Some(at);
        }
    }
    best.expect("there are two classes at least")
}

impl Model {
    /// A network before its first sample, in the first epoch. `weights` gives the initial weights of a block by number
    /// of the layer and of the block within it: `[input][neuron]`, and in the first layer `[class][neuron]`.
    pub fn new(
        network: &Network,
        seed: u64,
        mut weights: impl FnMut(usize, usize) -> (Vec<Vec<i64>>, Vec<Vec<i64>>),
    ) -> Model {
        let (classes, window) = (network.classes, network.window as i64);
        let mut inputs = network.inputs;
        let mut logical_number = 0;
        let mut layers = Vec::new();
        for (number, text) in network.layers.iter().enumerate() {
            let mut blocks = Vec::new();
            let mut first_neuron = 0;
            while first_neuron < text.neurons {
                let neurons = text.block.min(text.neurons - first_neuron);
                let (weights, target_weights) = weights(number, blocks.len());
                assert_eq!(weights.len(), inputs, "rows of weights");
                assert_eq!(target_weights.len(), if number == 0 { classes } else { 0 }, "rows of target weights");
                assert!(weights.iter().chain(&target_weights).all(|row| row.len() == neurons), "columns of weights");
                let seed = generator::block_seed(seed, logical_number);
                blocks.push(Block::new(neurons, classes, seed, weights, target_weights));
                first_neuron += neurons;
                logical_number += 1;
            }
            layers.push(LayerState::new(text, number == 0, inputs, classes, window, blocks));
            inputs = text.neurons;
        }
        Model { classes, window, layers }
    }

    /// Begins epoch `epoch` (from 0) of `epochs`.
    pub fn set_epoch(&mut self, epoch: u32, epochs: u32) {
        for layer in &mut self.layers {
            layer.set_epoch(epoch, epochs, self.window);
        }
    }

    /// Shows a sample, then its class, and learns.
    pub fn learn(&mut self, pixels: &[u8], class: usize) {
        self.learn_against(pixels, class, None);
    }

    /// The same, and a class is named that is to lose against it.
    pub fn learn_against(&mut self, pixels: &[u8], class: usize, rival: Option<usize>) {
        let mut shown = encode(pixels, self.window);
        for layer in &mut self.layers {
            shown = layer.show(Window::Input, &shown);
        }
        // To the first layer the target comes as a spike on the line of its class in each step.
        let mut shown = vec![(0..self.classes).map(|line| line == class).collect::<Vec<bool>>(); self.window as usize];
        for layer in &mut self.layers {
            shown = layer.show(Window::Target(class), &shown);
            layer.learn(class, rival, self.window);
        }
    }

    /// Nothing is shown for as long as updates take to be done.
    pub fn rest(&mut self) {
        for layer in &mut self.layers {
            for _ in 0..self.window {
                for block in &mut layer.blocks {
                    block.part(layer.learning.as_ref(), self.window, layer.shift, layer.weight_bits);
                }
            }
        }
    }

    /// Shows a sample and says its class.
    pub fn infer(&mut self, pixels: &[u8]) -> usize {
        let mut shown = encode(pixels, self.window);
        for layer in &mut self.layers {
            shown = layer.show(Window::Input, &shown);
        }
        let mut sums = vec![0; self.classes];
        let last = self.layers.last_mut().expect("a network has a layer");
        let rule = last.learning.clone();
        for block in &mut last.blocks {
            block.score(rule.as_ref());
            for (sum, score) in sums.iter_mut().zip(&block.scores) {
                *sum = saturate(*sum + score, 32);
            }
        }
        largest(&sums, None)
    }
}

impl LayerState {
    fn new(text: &Layer, fed_by_target: bool, inputs: usize, classes: usize, window: i64, blocks: Vec<Block>) -> Self {
        let deviation = text.gain * (2.0 / inputs as f64).sqrt();
        let fraction_bits = text.fraction.unwrap_or_else(|| fraction_bits(text.weight_bits, deviation));
        let most_of_target = [2, 6, 12][text.weight_bits as usize / 8];
        let membrane_fraction_bits = fraction_bits.max(12);
        let one = 1i64 << membrane_fraction_bits;
        let mut layer = LayerState {
            fed_by_target,
            weight_bits: text.weight_bits,
            fraction_bits,
            target_fraction_bits: fraction_bits.min(most_of_target),
            membrane_fraction_bits,
            one,
            threshold: ((text.threshold * one as f64).round() as i64).max(1),
            learning: text.learning.clone(),
            shift: 0,
            trace: vec![0; inputs],
            target_trace: vec![vec![0; inputs]; classes],
            blocks,
        };
        layer.set_epoch(0, 1, window);
        layer.prepare(window);
        layer
    }

    /// Shows the steps of a window; returns the spikes of the neurons, step by step.
    fn show(&mut self, window: Window, steps: &[Vec<bool>]) -> Vec<Vec<bool>> {
        let own_projection = self.fed_by_target && window != Window::Input;
        let trace = match window {
            Window::Input => &mut self.trace,
            Window::Target(class) => &mut self.target_trace[class],
        };
        if !own_projection {
            trace.fill(0);
        }
        for block in &mut self.blocks {
            block.open(window);
        }
        let mut spikes = Vec::new();
        for active in steps {
            if !own_projection {
                for (trace, &active) in trace.iter_mut().zip(active) {
                    *trace += i64::from(active);
                }
            }
            let mut of_all = Vec::new();
            for block in &mut self.blocks {
                let bits = if own_projection { self.target_fraction_bits } else { self.fraction_bits };
                let finer = [self.fraction_bits, self.target_fraction_bits, self.membrane_fraction_bits]
                    != [self.fraction_bits; 3];
                let current =
                    block.current(active, own_projection, finer.then_some(self.membrane_fraction_bits - bits));
                of_all.extend(block.step(window, &current, self.threshold));
                let (rule, rows) = (self.learning.as_ref(), steps.len() as i64);
                block.part(rule, rows, self.shift, self.weight_bits);
            }
            spikes.push(of_all);
        }
        if self.learning.as_ref().is_some_and(|rule| rule.signal == Signal::Voltage) {
            for block in &mut self.blocks {
                block.keep_potential(window, self.one, steps.len() as i64);
            }
        }
        spikes
    }
}

impl Block {
    fn new(neurons: usize, classes: usize, seed: u64, weights: Vec<Vec<i64>>, target_weights: Vec<Vec<i64>>) -> Block {
        let inputs = weights.len();
        Block {
            neurons,
            seed,
            draws: 0,
            weights,
            target_weights,
            bias: vec![0; neurons],
            membrane: vec![0; neurons],
            count: vec![0; neurons],
            target_count: vec![vec![0; neurons]; classes],
            voltage: vec![0; neurons],
            target_voltage: vec![vec![0; neurons]; classes],
            mean_count: vec![0; neurons],
            potential: vec![0; neurons],
            target_potential: vec![vec![0; neurons]; classes],
            probabilities: vec![0; classes],
            mean_square: vec![0; neurons],
            velocity: vec![vec![0; neurons]; inputs],
            remainder: vec![0; neurons],
            batch: Vec::new(),
            scores: vec![0; classes],
            steps: Vec::new(),
            pending: None,
        }
    }

    /// A window opens: what it counts starts from 0.
    fn open(&mut self, window: Window) {
        self.membrane.fill(0);
        match window {
            Window::Input => {
                self.steps.clear();
                self.count.fill(0);
                self.voltage.fill(0);
            }
            Window::Target(class) => {
                self.target_count[class].fill(0);
                self.target_voltage[class].fill(0);
            }
        }
    }

    /// What flows into each neuron in a step. Where not all have the same binary point, sums of weights are shifted left by
    /// `finer`, to the membrane's, and the bias comes last.
    fn current(&self, active: &[bool], own_projection: bool, finer: Option<u32>) -> Vec<i64> {
        let rows = if own_projection { &self.target_weights } else { &self.weights };
        let bias = if own_projection { vec![0; self.neurons] } else { self.bias.clone() };
        let mut current = if finer.is_some() { vec![0; self.neurons] } else { bias.clone() };
        for (row, &active) in rows.iter().zip(active) {
            if active {
                for i in 0..self.neurons {
                    current[i] = saturate(current[i] + row[i], 32);
                }
            }
        }
        if let Some(finer) = finer {
            for (current, bias) in current.iter_mut().zip(bias) {
                *current = saturate(saturate(*current << finer, 32) + bias, 32);
            }
        }
        current
    }

    /// A step of the neurons; returns which spike.
    fn step(&mut self, window: Window, current: &[i64], threshold: i64) -> Vec<bool> {
        let (count, voltage) = match window {
            Window::Input => (&mut self.count, &mut self.voltage),
            Window::Target(class) => (&mut self.target_count[class], &mut self.target_voltage[class]),
        };
        let mut spikes = vec![false; self.neurons];
        for i in 0..self.neurons {
            self.membrane[i] = saturate(self.membrane[i] + current[i], 32);
            if self.membrane[i] >= threshold {
                spikes[i] = true;
                self.membrane[i] -= threshold;
                count[i] += 1;
            }
            voltage[i] = saturate(voltage[i] + current[i], 32);
        }
        self.steps.push(Step { spikes: spikes.clone(), membrane: self.membrane.clone() });
        spikes
    }

    /// The number of the next draw, which is used up.
    fn draw(&mut self) -> u32 {
        let draw = self.draws;
        self.draws = self.draws.wrapping_add(1);
        draw
    }

    /// `value / 2^shift`, rounded down after noise below 1 was added; exact up to saturation if the shift is not positive.
    fn round(&self, value: i64, shift: i64, draw: u32, i: usize) -> i64 {
        if shift <= 0 {
            return saturate(value << -shift, 32);
        }
        assert!(shift < 32, "noise has 32 bits, and a shift by all of them is no sensible learning rate");
        let noise = generator::noise(self.seed, draw, i) >> (32 - shift);
        (value + i64::from(noise)).div_euclid(1 << shift)
    }
}
