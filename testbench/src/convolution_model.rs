//! Convolutions that learn by Signal Propagation, in plain integers: the definition of a convolution, loops, no tables, no
//! halos, no instructions. It shares nothing with the compiler or the emulator.
//!
//! Put in: what the text says, the run's seed, the initial weights. Taken out: every number that the chip holds at the end of
//! a sample. Each layer finishes a window before the next one sees its spikes, which makes no difference to values.
//!
//! ```
//! use testbench::convolution_model::{Layer, Model, Network};
//! let layer = Layer {
//!     channels: 1, kernel: [1, 1], stride: [1, 1], padding: [0, 0], block: 1,
//!     weight_bits: 8, threshold: 1.0, learning: None,
//! };
//! let network = Network { input: [1, 1, 2], classes: 2, window: 4, layers: vec![layer] };
//! // One tap of 1.0, which is 64; the targets' weights for two neurons.
//! let mut model = Model::new(&network, 1, |_, _| (vec![64], vec![vec![64, 0], vec![0, 64]]));
//! model.learn(&[255, 0], 0);
//! assert_eq!(model.layers[0].blocks[0].count, [4, 0]);
//! assert_eq!(model.infer(&[255, 0]), 0);
//! ```

use crate::integer_model::{encode, generator};

/// What the text of a network says.
#[derive(Clone, Debug)]
pub struct Network {
    /// Channels, height and width of a sample.
    pub input: [usize; 3],
    /// Classes.
    pub classes: usize,
    /// Steps of a window, a power of two.
    pub window: usize,
    /// The layers, each fed by the one before; the first by the input and the target.
    pub layers: Vec<Layer>,
}

/// What the text says of a convolution.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Output channels.
    pub channels: usize,
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Along y and x.
    pub stride: [usize; 2],
    /// Rows above and columns before the plane; as many behind.
    pub padding: [usize; 2],
    /// Channels of a block; the last one may have fewer.
    pub block: usize,
    /// Bits of a weight: 4, 8 or 16.
    pub weight_bits: u32,
    /// Membrane potential at which a neuron fires.
    pub threshold: f64,
    /// How it learns, if it does.
    pub learning: Option<Hinge>,
}

/// The hinge rule.
#[derive(Clone, Debug)]
pub struct Hinge {
    /// The learning rate is `2^-rate`; of a kernel's weights, divided by the root of the places besides.
    pub rate: u32,
    /// In units of the square root of the block's neurons, times the window squared.
    pub margin: f64,
    /// Whether weights change only where the voltage is near the threshold.
    pub gated: bool,
}

/// A network with its state.
#[derive(Clone, Debug)]
pub struct Model {
    /// Classes.
    pub classes: usize,
    /// Steps of a window.
    pub window: i64,
    /// Layers, from the input on.
    pub layers: Vec<State>,
}

/// A layer and its state.
#[derive(Clone, Debug)]
pub struct State {
    text: Layer,
    /// Whether the target has a projection of its own into the layer.
    pub fed_by_target: bool,
    /// Channels, height and width of what comes in.
    pub input: [usize; 3],
    /// The same of what goes out.
    pub output: [usize; 3],
    one: i64,
    threshold: i64,
    /// Updates of the target's projection are divided by 2 to the power of this.
    pub shift: i64,
    /// `[input]`, planes one after the other: steps it was active in the last input window.
    pub trace: Vec<i64>,
    /// `[class][input]`: the same of the last target window of each class.
    pub target_trace: Vec<Vec<i64>>,
    /// The blocks.
    pub blocks: Vec<Block>,
}

/// A block: some output channels. Neurons are numbered place by place, the block's channels of a place side by side.
#[derive(Clone, Debug)]
pub struct Block {
    /// First channel.
    pub first: usize,
    /// Channels.
    pub channels: usize,
    seed: u64,
    draws: u32,
    /// `[channel of the block][input channel][ky][kx]`.
    pub weights: Vec<i64>,
    /// `[class][neuron]`; empty unless the target feeds the layer.
    pub target_weights: Vec<Vec<i64>>,
    /// `[neuron]`.
    pub membrane: Vec<i64>,
    /// `[neuron]`: spikes in the last input window.
    pub count: Vec<i64>,
    /// `[class][neuron]`: spikes in the last target window of each class.
    pub target_count: Vec<Vec<i64>>,
    /// `[neuron]`: sum of what came in in the last input window.
    pub voltage: Vec<i64>,
    /// `[class][neuron]`: the same of target windows.
    pub target_voltage: Vec<Vec<i64>>,
    /// `[class]`: the scores that were last computed.
    pub scores: Vec<i64>,
}

/// What a window shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Window {
    Input,
    Target(usize),
}

fn saturate(value: i64, bits: u32) -> i64 {
    let limit = 1i64 << (bits - 1);
    value.clamp(-limit, limit - 1)
}

impl Layer {
    fn extents(&self, input: [usize; 3]) -> [usize; 3] {
        let along = |at: usize| (input[1 + at] + 2 * self.padding[at] - self.kernel[at]) / self.stride[at] + 1;
        [self.channels, along(0), along(1)]
    }
}

impl Model {
    /// A network before its first sample. `weights` gives the initial weights of a block by number of the layer and of the
    /// block within it: `[channel][input channel][ky][kx]`, and in the first layer `[class][neuron]`.
    pub fn new(
        network: &Network,
        seed: u64,
        mut weights: impl FnMut(usize, usize) -> (Vec<i64>, Vec<Vec<i64>>),
    ) -> Model {
        let classes = network.classes;
        let mut input = network.input;
        let mut logical_number = 0;
        let mut layers = Vec::new();
        for (number, text) in network.layers.iter().enumerate() {
            let output = text.extents(input);
            let mut blocks = Vec::new();
            for first in (0..text.channels).step_by(text.block) {
                let channels = text.block.min(text.channels - first);
                let neurons = channels * output[1] * output[2];
                let (weights, target_weights) = weights(number, blocks.len());
                assert_eq!(weights.len(), channels * input[0] * text.kernel[0] * text.kernel[1], "taps");
                assert!(target_weights.iter().all(|row| row.len() == neurons), "columns of target weights");
                blocks.push(Block {
                    first,
                    channels,
                    seed: generator::block_seed(seed, logical_number),
                    draws: 0,
                    weights,
                    target_weights,
                    membrane: vec![0; neurons],
                    count: vec![0; neurons],
                    target_count: vec![vec![0; neurons]; classes],
                    voltage: vec![0; neurons],
                    target_voltage: vec![vec![0; neurons]; classes],
                    scores: vec![0; classes],
                });
                logical_number += 1;
            }
            let fraction = if text.weight_bits > 8 { text.weight_bits - 4 } else { text.weight_bits - 2 };
            let one = 1i64 << fraction;
            let rate = text.learning.as_ref().map_or(0, |hinge| i64::from(hinge.rate));
            let inputs = input.iter().product();
            layers.push(State {
                text: text.clone(),
                fed_by_target: number == 0,
                input,
                output,
                one,
                threshold: ((text.threshold * one as f64).round() as i64).max(1),
                shift: rate - i64::from(fraction) + 2 * i64::from(network.window.ilog2()),
                trace: vec![0; inputs],
                target_trace: vec![vec![0; inputs]; classes],
                blocks,
            });
            input = output;
        }
        Model { classes, window: network.window as i64, layers }
    }

    /// Shows a sample, then its class, and learns.
    pub fn learn(&mut self, pixels: &[u8], class: usize) {
        let mut shown = encode(pixels, self.window);
        for layer in &mut self.layers {
            shown = layer.show(Window::Input, &shown);
        }
        let mut shown = vec![(0..self.classes).map(|line| line == class).collect::<Vec<bool>>(); self.window as usize];
        for layer in &mut self.layers {
            shown = layer.show(Window::Target(class), &shown);
            layer.learn(class, self.window);
        }
    }

    /// Shows a sample and says its class, of equal ones the lowest.
    pub fn infer(&mut self, pixels: &[u8]) -> usize {
        let mut shown = encode(pixels, self.window);
        for layer in &mut self.layers {
            shown = layer.show(Window::Input, &shown);
        }
        let mut sums = vec![0; self.classes];
        for block in &mut self.layers.last_mut().expect("a network has a layer").blocks {
            block.score();
            for (sum, score) in sums.iter_mut().zip(&block.scores) {
                *sum = saturate(*sum + score, 32);
            }
        }
        let largest = sums.iter().max().expect("there are classes");
        sums.iter().position(|sum| sum == largest).expect("the largest is one of them")
    }
}

impl State {
    /// Shows the steps of a window; returns the spikes of the neurons, planes one after the other, step by step.
    fn show(&mut self, window: Window, steps: &[Vec<bool>]) -> Vec<Vec<bool>> {
        let own_projection = self.fed_by_target && window != Window::Input;
        for block in &mut self.blocks {
            block.open(window);
        }
        if !own_projection {
            let trace = match window {
                Window::Input => &mut self.trace,
                Window::Target(class) => &mut self.target_trace[class],
            };
            for (at, trace) in trace.iter_mut().enumerate() {
                *trace = steps.iter().filter(|active| active[at]).count() as i64;
            }
        }
        steps.iter().map(|active| self.step(window, active, own_projection)).collect()
    }

    fn step(&mut self, window: Window, active: &[bool], own_projection: bool) -> Vec<bool> {
        let [channels, height, width] = self.output;
        let mut spikes = vec![false; channels * height * width];
        for at in 0..self.blocks.len() {
            for neuron in 0..self.blocks[at].count.len() {
                let block = &self.blocks[at];
                let (channel, place) = (neuron % block.channels, neuron / block.channels);
                let current = if own_projection {
                    let lines = active.iter().zip(&block.target_weights).filter(|(active, _)| **active);
                    lines.map(|(_, weights)| weights[neuron]).sum()
                } else {
                    let mut current = 0;
                    self.taps(block, channel, place, |tap, input| {
                        if active[input] {
                            current += block.weights[tap];
                        }
                    });
                    current
                };
                let (threshold, keeps) = (self.threshold, !own_projection);
                if self.blocks[at].fire(window, neuron, saturate(current, 32), threshold, keeps) {
                    spikes[(self.blocks[at].first + channel) * height * width + place] = true;
                }
            }
        }
        spikes
    }

    /// All taps of a neuron: number of the weight, and of the input it is for.
    fn taps(&self, block: &Block, channel: usize, place: usize, mut each: impl FnMut(usize, usize)) {
        let ([channels, height, width], [rows, columns]) = (self.input, self.text.kernel);
        let (y, x) = (place / self.output[2], place % self.output[2]);
        debug_assert!(channel < block.channels);
        for input in 0..channels {
            for ky in 0..rows {
                for kx in 0..columns {
                    let (from_y, from_x) = (y * self.text.stride[0] + ky, x * self.text.stride[1] + kx);
                    let (Some(from_y), Some(from_x)) =
                        (from_y.checked_sub(self.text.padding[0]), from_x.checked_sub(self.text.padding[1]))
                    else {
                        continue;
                    };
                    if from_y < height && from_x < width {
                        let tap = ((channel * channels + input) * rows + ky) * columns + kx;
                        each(tap, (input * height + from_y) * width + from_x);
                    }
                }
            }
        }
    }

    /// Learns from the input and target windows just shown.
    fn learn(&mut self, class: usize, window: i64) {
        let Some(hinge) = self.text.learning.clone() else { return };
        for at in 0..self.blocks.len() {
            self.blocks[at].score();
            let scores = &self.blocks[at].scores;
            let others = (0..scores.len()).filter(|&other| other != class);
            let rival = others.rev().max_by_key(|&other| scores[other]).expect("there are two classes at least");
            let neurons = self.blocks[at].count.len() as f64;
            let margin = (hinge.margin * neurons.sqrt() * window as f64 * window as f64) as i64;
            if scores[class] - scores[rival] < margin {
                self.update(at, class, rival, hinge.gated, window);
            }
        }
    }

    fn update(&mut self, at: usize, class: usize, rival: usize, gated: bool, window: i64) {
        let quarter = self.one * window / 4;
        let live = |voltage: i64| !gated || (-quarter <= voltage && voltage < self.one * window + quarter);
        let block = &self.blocks[at];
        let mut changes = vec![0; block.weights.len()];
        for neuron in 0..block.count.len() {
            let toward = block.target_count[class][neuron] - block.target_count[rival][neuron];
            let toward = if live(block.voltage[neuron]) { toward } else { 0 };
            let (mut own, mut away) = (0, 0);
            if !self.fed_by_target {
                own = if live(block.target_voltage[class][neuron]) { block.count[neuron] } else { 0 };
                away = if live(block.target_voltage[rival][neuron]) { -block.count[neuron] } else { 0 };
            }
            self.taps(block, neuron % block.channels, neuron / block.channels, |tap, input| {
                changes[tap] += toward * self.trace[input];
                if !self.fed_by_target {
                    changes[tap] += own * self.target_trace[class][input] + away * self.target_trace[rival][input];
                }
            });
        }
        let places = (self.output[1] * self.output[2]) as f64;
        let shift = self.shift + (places.log2() / 2.0).round() as i64;
        for row in self.rows() {
            let block = &mut self.blocks[at];
            let draw = block.draw();
            for (column, &(input, ky, kx)) in row.iter().enumerate() {
                for channel in 0..block.channels {
                    let tap = ((channel * self.input[0] + input) * self.text.kernel[0] + ky) * self.text.kernel[1] + kx;
                    let change = block.round(changes[tap], shift, draw, column * block.channels + channel);
                    block.weights[tap] = saturate(block.weights[tap] + change, self.text.weight_bits);
                }
            }
        }
        if self.fed_by_target {
            self.move_targets(at, class, rival, window);
        }
    }

    /// The taps in the order in which they are changed, those that share a draw together: by phase of the stride along y and
    /// x, by input channel, by row of the kernel from the last on; in a row from the last column on. Phases that no input
    /// has which reaches an output change nothing and draw nothing.
    fn rows(&self) -> Vec<Vec<(usize, usize, usize)>> {
        let ([rows, columns], [down, across]) = (self.text.kernel, self.text.stride);
        let meets = |taps: &[usize], phase: usize, at: usize| {
            (0..self.input[1 + at]).filter(|from| (from + self.text.padding[at]) % self.text.stride[at] == phase).any(
                |from| {
                    taps.iter().any(|tap| {
                        let above = (from + self.text.padding[at]).checked_sub(*tap);
                        above.is_some_and(|above| above / self.text.stride[at] < self.output[1 + at])
                    })
                },
            )
        };
        let mut all = Vec::new();
        for phase_y in 0..down {
            for phase_x in 0..across {
                let kys: Vec<usize> = (0..rows).rev().filter(|ky| ky % down == phase_y).collect();
                let kxs: Vec<usize> = (0..columns).rev().filter(|kx| kx % across == phase_x).collect();
                if kxs.is_empty() || !meets(&kys, phase_y, 0) || !meets(&kxs, phase_x, 1) {
                    continue;
                }
                for input in 0..self.input[0] {
                    for &ky in &kys {
                        all.push(kxs.iter().map(|&kx| (input, ky, kx)).collect());
                    }
                }
            }
        }
        all
    }

    /// The target's own projection, a row of the plane at a time.
    fn move_targets(&mut self, at: usize, class: usize, rival: usize, window: i64) {
        let (shift, one, bits) = (self.shift, self.one, self.text.weight_bits);
        let [_, height, width] = self.output;
        let block = &mut self.blocks[at];
        let row = width * block.channels;
        for (line, sign) in [(class, 1), (rival, -1)] {
            for y in 0..height {
                let draw = block.draw();
                for i in 0..row {
                    let neuron = y * row + i;
                    let change = block.round(sign * block.count[neuron] * window, shift, draw, i);
                    let moved = (block.target_weights[line][neuron] + change).clamp(-one, 2 * one);
                    block.target_weights[line][neuron] = saturate(moved, bits);
                }
            }
        }
    }
}

impl Block {
    fn open(&mut self, window: Window) {
        self.membrane.fill(0);
        match window {
            Window::Input => {
                self.count.fill(0);
                self.voltage.fill(0);
            }
            Window::Target(class) => {
                self.target_count[class].fill(0);
                self.target_voltage[class].fill(0);
            }
        }
    }

    fn fire(&mut self, window: Window, i: usize, current: i64, threshold: i64, keeps_voltage: bool) -> bool {
        let (count, voltage) = match window {
            Window::Input => (&mut self.count, &mut self.voltage),
            Window::Target(class) => (&mut self.target_count[class], &mut self.target_voltage[class]),
        };
        if keeps_voltage {
            voltage[i] = saturate(voltage[i] + current, 32);
        }
        self.membrane[i] = saturate(self.membrane[i] + current, 32);
        let fires = self.membrane[i] >= threshold;
        if fires {
            self.membrane[i] -= threshold;
            count[i] += 1;
        }
        fires
    }

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
            return value * (1 << -shift);
        }
        let noise = generator::noise(self.seed, draw, i) >> (32 - shift);
        (value + i64::from(noise)).div_euclid(1 << shift)
    }
}
