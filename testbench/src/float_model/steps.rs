//! Learning while the input is shown, in real numbers: one layer of leaky neurons, which may hear its own spikes. The rule
//! is that of `docs/src/time.md`.
//!
//! ```
//! use testbench::float_model::steps::{Model, Network};
//! let network = Network {
//!     inputs: 2, classes: 2, window: 8, neurons: 16, block: 8, threshold: 1.0, gain: 1.0,
//!     leak: vec![0.9; 16], current: None, recurrent_gain: Some(0.3),
//!     every: 4, memory: 2, rate: 4.0, halvings: 0, margin: 0.3, gated: true, revive: true,
//! };
//! let mut model = Model::new(&network, 1);
//! // One axon or the other in every step.
//! let samples = [vec![vec![0]; 8], vec![vec![1]; 8]];
//! for _ in 0..100 {
//!     for (class, shown) in samples.iter().enumerate() {
//!         model.learn(shown, class, false);
//!     }
//! }
//! assert_eq!(samples.map(|shown| model.infer(&shown, false)), [0, 1]);
//! ```

use super::largest;
use super::layer::nudge;
use super::random::Normal;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, s};
use std::ops::Range;

/// What the text of a network says.
#[derive(Clone, Debug)]
pub struct Network {
    /// Axons of the input.
    pub inputs: usize,
    /// Classes.
    pub classes: usize,
    /// Steps of a window.
    pub window: usize,
    /// Neurons.
    pub neurons: usize,
    /// Neurons of a block; the last one may be smaller.
    pub block: usize,
    /// Membrane potential at which a neuron fires.
    pub threshold: f64,
    /// Initial weights have the standard deviation `gain * sqrt(2 / inputs)`.
    pub gain: f64,
    /// By neuron, what is left of a membrane from step to step.
    pub leak: Vec<f64>,
    /// The same of the synaptic current, if there is one.
    pub current: Option<Vec<f64>>,
    /// If the layer hears its own spikes: their initial weights have the deviation `gain * sqrt(2 / neurons)`.
    pub recurrent_gain: Option<f64>,
    /// Steps between changes.
    pub every: usize,
    /// A trace loses its `2^-memory`-th part a step.
    pub memory: u32,
    /// The learning rate is `2^-rate`.
    pub rate: f64,
    /// How often the rate is halved over the run.
    pub halvings: u32,
    /// In units of the square root of the block's neurons, times the window squared.
    pub margin: f64,
    /// Whether weights change only where the membrane is near the threshold.
    pub gated: bool,
    /// Whether there is homeostasis.
    pub revive: bool,
}

/// What is left, by neuron, where the neurons of each block differ: the first of a block keeps the part `least`, the last
/// `most`, and what is lost between them is a geometric series.
pub fn spread(least: f64, most: f64, neurons: usize, block: usize) -> Vec<f64> {
    let of = |neuron: usize| {
        let place = (neuron % block) as f64 / (block.max(2) - 1) as f64;
        1.0 - (1.0 - least) * ((1.0 - most) / (1.0 - least)).powf(place)
    };
    (0..neurons).map(of).collect()
}

/// The layer with its state.
#[derive(Clone, Debug)]
pub struct Model {
    network: Network,
    /// The learning rate of this epoch.
    rate: f64,
    /// `[axon][neuron]`: inputs, classes, own spikes.
    weights: Array2<f64>,
    bias: Array1<f64>,
    /// `[axon]`.
    trace: Array1<f64>,
    /// Of input windows and of target windows.
    neurons: [Neurons; 2],
    /// Spikes since the input window began.
    count: Array1<f64>,
    /// `[class]`: spikes of each class's last target window.
    targets: Vec<Array1<f64>>,
    /// Running mean of the counts of input windows.
    mean_count: Array1<f64>,
}

/// What neurons keep from step to step.
#[derive(Clone, Debug)]
struct Neurons {
    membrane: Array1<f64>,
    current: Array1<f64>,
    /// Membranes of the last step before any reset.
    risen: Array1<f64>,
}

/// A shown window.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Window {
    Input { learn: Option<usize> },
    Target(usize),
}

impl Model {
    /// A network before its first sample, in the first epoch; its weights are drawn.
    pub fn new(network: &Network, seed: u64) -> Model {
        let mut normal = Normal(seed);
        let own = network.recurrent_gain.map_or(0, |_| network.neurons);
        let deviation = |gain: f64, inputs: usize| gain * (2.0 / inputs as f64).sqrt();
        let mut rows = vec![deviation(network.gain, network.inputs); network.inputs];
        rows.extend(vec![1.0; network.classes]);
        rows.extend(vec![network.recurrent_gain.map_or(0.0, |gain| deviation(gain, own)); own]);
        let mut weights = Array2::from_shape_simple_fn((rows.len(), network.neurons), || normal.draw());
        for (mut row, deviation) in weights.rows_mut().into_iter().zip(rows) {
            row *= deviation;
        }
        Model::with_weights(network, weights)
    }

    /// The same with given weights, `[axon][neuron]`: inputs, classes, own spikes.
    pub fn with_weights(network: &Network, weights: Array2<f64>) -> Model {
        let zeros = || Array1::zeros(network.neurons);
        let neurons = Neurons { membrane: zeros(), current: zeros(), risen: zeros() };
        let mut model = Model {
            rate: 0.0,
            trace: Array1::zeros(weights.nrows()),
            weights,
            bias: zeros(),
            neurons: [neurons.clone(), neurons],
            count: zeros(),
            targets: vec![zeros(); network.classes],
            mean_count: zeros(),
            network: network.clone(),
        };
        model.set_epoch(0, 1);
        model
    }

    /// Begins epoch `epoch` (from 0) of `epochs`.
    pub fn set_epoch(&mut self, epoch: u32, epochs: u32) {
        let halvings = (self.network.halvings + 1) * epoch / epochs;
        self.rate = (-self.network.rate - f64::from(halvings)).exp2();
    }

    /// Shows the spikes of a window, the active axons of each step, then its class, and learns. `continues`: from where the
    /// last input window ended.
    pub fn learn(&mut self, shown: &[Vec<usize>], class: usize, continues: bool) {
        self.show(Window::Input { learn: Some(class) }, shown, continues);
        self.show(Window::Target(class), &vec![vec![self.network.inputs + class]; self.network.window], false);
        for block in self.blocks() {
            self.learn_target(block, class);
        }
        if self.network.revive {
            nudge(&self.count, &mut self.mean_count, &mut self.bias, self.network.window as f64);
        }
    }

    /// Shows the spikes of a window and says its class.
    pub fn infer(&mut self, shown: &[Vec<usize>], continues: bool) -> usize {
        self.show(Window::Input { learn: None }, shown, continues);
        largest(&self.scores(0..self.network.neurons), None)
    }

    /// What has been learned, `[axon][neuron]`: from inputs, classes, own spikes.
    pub fn weights(&self) -> ArrayView2<'_, f64> {
        self.weights.view()
    }

    /// What has been learned, `[neuron]`.
    pub fn bias(&self) -> ArrayView1<'_, f64> {
        self.bias.view()
    }

    fn blocks(&self) -> Vec<Range<usize>> {
        let (neurons, block) = (self.network.neurons, self.network.block);
        (0..neurons).step_by(block).map(|first| first..(first + block).min(neurons)).collect()
    }

    fn show(&mut self, window: Window, shown: &[Vec<usize>], continues: bool) {
        let own = self.network.inputs + self.network.classes;
        let side = match window {
            Window::Input { .. } => 0,
            Window::Target(_) => 1,
        };
        if !continues {
            self.neurons[side].membrane.fill(0.0);
            self.neurons[side].current.fill(0.0);
        }
        if side == 0 && !continues {
            self.trace.fill(0.0);
        }
        let mut counts = Array1::zeros(self.network.neurons);
        let mut fired: Vec<usize> = Vec::new();
        for (step, axons) in shown.iter().enumerate() {
            let mut active = axons.clone();
            if self.network.recurrent_gain.is_some() {
                active.extend(fired.iter().map(|neuron| own + neuron));
            }
            if let Window::Input { learn: Some(_) } = window {
                self.trace *= 1.0 - f64::from(self.network.memory).exp2().recip();
                active.iter().for_each(|&axon| self.trace[axon] += 1.0);
            }
            fired = self.step(side, &active);
            fired.iter().for_each(|&neuron| counts[neuron] += 1.0);
            if let Window::Input { learn: Some(class) } = window
                && (step + 1) % self.network.every == 0
            {
                self.count.assign(&counts);
                for block in self.blocks() {
                    self.learn_step(block, class, step + 1);
                }
            }
        }
        match window {
            Window::Input { .. } => self.count = counts,
            Window::Target(class) => self.targets[class] = counts,
        }
    }

    /// A step of the neurons; returns which spike.
    fn step(&mut self, side: usize, active: &[usize]) -> Vec<usize> {
        let network = &self.network;
        let mut sums = if side == 0 { self.bias.clone() } else { Array1::zeros(network.neurons) };
        for &axon in active {
            sums += &self.weights.row(axon);
        }
        let Neurons { membrane, current, risen } = &mut self.neurons[side];
        let mut fired = Vec::new();
        for (i, &sum) in sums.iter().enumerate() {
            let flows = match &network.current {
                Some(left) => {
                    current[i] = current[i] * left[i] + sum;
                    current[i]
                }
                None => sum,
            };
            risen[i] = membrane[i] * network.leak[i] + flows;
            let fires = risen[i] >= network.threshold;
            membrane[i] = if fires { risen[i] - network.threshold } else { risen[i] };
            if fires {
                fired.push(i);
            }
        }
        fired
    }

    /// What the neurons of a block say of each class.
    fn scores(&self, block: Range<usize>) -> Vec<f64> {
        let counts = self.count.slice(s![block.clone()]);
        self.targets.iter().map(|target| counts.dot(&target.slice(s![block.clone()]))).collect()
    }

    /// The rival of a class, if the class does not lead it by the margin of so many steps.
    fn behind(&self, block: Range<usize>, class: usize, steps: usize) -> Option<usize> {
        let scores = self.scores(block.clone());
        let rival = largest(&scores, Some(class));
        // Margins of a step are whole numbers.
        let of_step = (self.network.margin * (block.len() as f64).sqrt() * self.network.window as f64).floor();
        (scores[class] - scores[rival] < of_step * steps as f64).then_some(rival)
    }

    fn learn_step(&mut self, block: Range<usize>, class: usize, steps: usize) {
        let Some(rival) = self.behind(block.clone(), class, steps) else { return };
        let (rate, threshold) = (self.rate / self.network.window as f64, self.network.threshold);
        let of = |class: usize| self.targets[class].slice(s![block.clone()]);
        let mut pull = &of(class) - &of(rival);
        if self.network.gated {
            for (pull, risen) in pull.iter_mut().zip(self.neurons[0].risen.slice(s![block.clone()])) {
                *pull *= f64::from(-threshold <= *risen && *risen < 2.0 * threshold);
            }
        }
        for (axon, &trace) in self.trace.iter().enumerate().filter(|(_, trace)| **trace >= 1.0 / 16.0) {
            self.weights.slice_mut(s![axon, block.clone()]).scaled_add(rate * trace, &pull);
        }
        self.bias.slice_mut(s![block]).scaled_add(rate, &pull);
    }

    /// The target's own projection.
    fn learn_target(&mut self, block: Range<usize>, class: usize) {
        let window = self.network.window;
        let Some(rival) = self.behind(block.clone(), class, window) else { return };
        let counts = self.count.slice(s![block.clone()]);
        for (line, sign) in [(class, 1.0), (rival, -1.0)] {
            let mut row = self.weights.slice_mut(s![self.network.inputs + line, block.clone()]);
            row.scaled_add(sign * self.rate / window as f64, &counts);
            row.mapv_inplace(|weight| weight.clamp(-1.0, 2.0));
        }
    }
}
