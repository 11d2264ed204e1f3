//! Signal Propagation in real numbers: the same networks without hardware.
//!
//! Samples come one at a time, spikes in the same windows, targets as on the chip, and each block still has a loss of
//! its own; but weights, biases and membranes are 64-bit floating point and nothing is rounded or saturated. So its
//! accuracy beside the chip's says what rounding costs; and with one block a layer, what locality costs.
//!
//! Nothing is shared with the compiler or the emulator. Initial weights come of the same distributions as the chip's,
//! but not of the same generator.
//!
//! ```
//! use testbench::float_model::{Hinge, Layer, Model, Network};
//! let rule = Hinge { rate: 6.0, margin: 0.3, anneal: 0, gated: true };
//! let layer = Layer { neurons: 16, block: 8, threshold: 1.0, gain: 1.0, rule };
//! let network = Network { inputs: 2, classes: 2, window: 8, layers: vec![layer] };
//! let mut model = Model::new(&network, 1);
//! let samples: [(&[u8], usize); 2] = [(&[255, 0], 0), (&[0, 255], 1)];
//! for _ in 0..100 {
//!     for (pixels, class) in samples {
//!         model.learn(pixels, class);
//!     }
//! }
//! assert_eq!(samples.map(|(pixels, _)| model.infer(pixels)), [0, 1]);
//! ```

use ndarray::{Array1, Array2, ArrayView1, Axis, s};
use std::ops::Range;

/// What the text of a network says.
#[derive(Clone, Debug)]
pub struct Network {
    /// Pixels of a sample.
    pub inputs: usize,
    /// Classes.
    pub classes: usize,
    /// Steps of a window, at most 32.
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
    /// Membrane potential at which a neuron fires.
    pub threshold: f64,
    /// Initial weights have the standard deviation `gain * sqrt(2 / inputs)`.
    pub gain: f64,
    /// How it learns.
    pub rule: Hinge,
}

/// The hinge rule.
#[derive(Clone, Debug)]
pub struct Hinge {
    /// The learning rate is `2^-rate`.
    pub rate: f64,
    /// In units of the square root of the block's neurons, times the window squared.
    pub margin: f64,
    /// How often the rate is halved over the run.
    pub anneal: u32,
    /// Whether weights change only where the voltage is near the threshold.
    pub gated: bool,
}

/// A network with its state.
#[derive(Clone, Debug)]
pub struct Model {
    classes: usize,
    window: usize,
    layers: Vec<LayerState>,
}

#[derive(Clone, Debug)]
struct LayerState {
    text: Layer,
    /// The learning rate of this epoch.
    rate: f64,
    /// `[input][neuron]`.
    weights: Array2<f64>,
    /// `[class][neuron]`: the target's own projection, of the first layer.
    projection: Option<Array2<f64>>,
    bias: Array1<f64>,
    /// Running mean of the counts of input windows.
    mean_count: Array1<f64>,
    /// Of the last input window.
    input: Response,
    /// Of each class's last target window.
    targets: Vec<Response>,
}

/// What a window showed to a layer, and what the layer made of it.
#[derive(Clone, Debug)]
struct Response {
    /// `[input]`: in how many steps it was active.
    trace: Array1<f64>,
    /// `[neuron]`: spikes.
    count: Array1<f64>,
    /// `[neuron]`: the sum of the currents.
    voltage: Array1<f64>,
}

/// The spikes of a window: for each line a bit a step.
type Spikes = Vec<u32>;

/// The evenly spread spikes of a sample.
fn encode(pixels: &[u8], window: usize) -> Spikes {
    let line = |&pixel: &u8| {
        let count = (2 * usize::from(pixel) * window + 255) / (2 * 255);
        let (mut phase, mut bits) = (window / 2, 0);
        for step in 0..window {
            phase += count;
            if phase >= window {
                phase -= window;
                bits |= 1 << step;
            }
        }
        bits
    };
    pixels.iter().map(line).collect()
}

impl Model {
    /// A network before its first sample, in the first epoch.
    pub fn new(network: &Network, seed: u64) -> Model {
        let mut normal = Normal(seed);
        let mut inputs = network.inputs;
        let mut layers = Vec::new();
        for text in &network.layers {
            let deviation = text.gain * (2.0 / inputs as f64).sqrt();
            let weights = Array2::from_shape_simple_fn((inputs, text.neurons), || deviation * normal.draw());
            let own = (text.neurons, network.classes);
            let projection = layers.is_empty().then(|| Array2::from_shape_simple_fn((own.1, own.0), || normal.draw()));
            let response = Response {
                trace: Array1::zeros(inputs),
                count: Array1::zeros(text.neurons),
                voltage: Array1::zeros(text.neurons),
            };
            layers.push(LayerState {
                text: text.clone(),
                rate: 0.0,
                weights,
                projection,
                bias: Array1::zeros(text.neurons),
                mean_count: Array1::zeros(text.neurons),
                input: response.clone(),
                targets: vec![response; network.classes],
            });
            inputs = text.neurons;
        }
        let mut model = Model { classes: network.classes, window: network.window, layers };
        model.set_epoch(0, 1);
        model
    }

    /// Begins epoch `epoch` (from 0) of `epochs`.
    pub fn set_epoch(&mut self, epoch: u32, epochs: u32) {
        for layer in &mut self.layers {
            let rule = &layer.text.rule;
            let halvings = (rule.anneal + 1) * epoch / epochs;
            layer.rate = (-rule.rate - f64::from(halvings)).exp2();
        }
    }

    /// Shows a sample, then its class, and learns.
    pub fn learn(&mut self, pixels: &[u8], class: usize) {
        let mut shown = encode(pixels, self.window);
        let mut target = Spikes::new();
        for layer in &mut self.layers {
            (layer.input, shown) = layer.show(&shown, self.window);
            (layer.targets[class], target) = layer.show_target(&target, class, self.window);
            layer.learn(class, self.window as f64);
        }
    }

    /// Shows a sample and says its class: that whose last target is nearest to what the last layer makes of it.
    pub fn infer(&self, pixels: &[u8]) -> usize {
        let mut shown = encode(pixels, self.window);
        let mut scores = vec![0.0; self.classes];
        for (depth, layer) in self.layers.iter().enumerate() {
            let (response, spikes) = layer.show(&shown, self.window);
            if depth + 1 == self.layers.len() {
                scores = layer.scores(&response, 0..layer.text.neurons);
            }
            shown = spikes;
        }
        largest(&scores, None)
    }
}

/// The index of the largest, of equal ones the lowest, `except` left out.
fn largest(values: &[f64], except: Option<usize>) -> usize {
    let mut best = None;
    for (at, &value) in values.iter().enumerate() {
        if Some(at) != except && best.is_none_or(|best: usize| value > values[best]) {
            best = Some(at);
        }
    }
    best.expect("there are two classes at least")
}

impl LayerState {
    /// Shows a window of spikes.
    fn show(&self, spikes: &[u32], window: usize) -> (Response, Spikes) {
        // Rows that are active in the same steps are added up once.
        let mut active: Vec<usize> = (0..spikes.len()).filter(|&line| spikes[line] != 0).collect();
        active.sort_by_key(|&line| spikes[line]);
        let mut currents = Array2::zeros((window, self.text.neurons));
        currents += &self.bias;
        for alike in active.chunk_by(|&a, &b| spikes[a] == spikes[b]) {
            let mut sum = Array1::zeros(self.text.neurons);
            for &line in alike {
                sum += &self.weights.row(line);
            }
            for step in (0..window).filter(|step| spikes[alike[0]] >> step & 1 == 1) {
                currents.row_mut(step).scaled_add(1.0, &sum);
            }
        }
        let trace = spikes.iter().map(|bits| f64::from(bits.count_ones())).collect();
        self.fire(trace, &currents)
    }

    /// Shows the target: the spikes of the layer before, or in the first layer the class itself.
    fn show_target(&self, spikes: &[u32], class: usize, window: usize) -> (Response, Spikes) {
        let Some(projection) = &self.projection else { return self.show(spikes, window) };
        let mut currents = Array2::zeros((window, self.text.neurons));
        currents += &projection.row(class);
        self.fire(Array1::zeros(0), &currents)
    }

    /// Integrate and fire, at most once a step; the threshold is subtracted.
    fn fire(&self, trace: Array1<f64>, currents: &Array2<f64>) -> (Response, Spikes) {
        let neurons = self.text.neurons;
        let mut membrane = vec![0.0; neurons];
        let mut spikes = vec![0; neurons];
        for (step, current) in currents.axis_iter(Axis(0)).enumerate() {
            for ((membrane, spikes), current) in membrane.iter_mut().zip(&mut spikes).zip(current) {
                *membrane += current;
                if *membrane >= self.text.threshold {
                    *membrane -= self.text.threshold;
                    *spikes |= 1 << step;
                }
            }
        }
        let count = spikes.iter().map(|bits: &u32| f64::from(bits.count_ones())).collect();
        (Response { trace, count, voltage: currents.sum_axis(Axis(0)) }, spikes)
    }

    /// What the neurons of a block say of each class.
    fn scores(&self, response: &Response, block: Range<usize>) -> Vec<f64> {
        let counts = response.count.slice(s![block.clone()]);
        self.targets.iter().map(|target| counts.dot(&target.count.slice(s![block.clone()]))).collect()
    }

    /// Learns from the windows just shown.
    fn learn(&mut self, class: usize, window: f64) {
        let neurons = self.text.neurons;
        for first in (0..neurons).step_by(self.text.block) {
            let block = first..(first + self.text.block).min(neurons);
            let scores = self.scores(&self.input, block.clone());
            let rival = largest(&scores, Some(class));
            let margin = self.text.rule.margin * (block.len() as f64).sqrt() * window * window;
            // The chip's margin is an integer, and so are scores.
            if scores[class] - scores[rival] < margin.floor() {
                self.update(block, class, rival, window);
            }
        }
        self.keep_alive(window);
    }

    fn update(&mut self, block: Range<usize>, class: usize, rival: usize, window: f64) {
        let rate = self.rate / (window * window);
        let quarter = window / 4.0;
        let gated = self.text.rule.gated;
        let of = |values: &Array1<f64>| values.slice(s![block.clone()]).to_owned();
        let live = |response: &Response| {
            of(&response.voltage).mapv(|u| f64::from(!gated || (-quarter <= u && u < window + quarter)))
        };
        let (own, other) = (&self.targets[class], &self.targets[rival]);
        let pull = (of(&own.count) - of(&other.count)) * live(&self.input);
        let counts = of(&self.input.count);
        let (toward, away) = (&counts * &live(own), -&counts * &live(other));
        let paths = if self.projection.is_some() {
            vec![(&self.input.trace, &pull)]
        } else {
            vec![(&self.input.trace, &pull), (&own.trace, &toward), (&other.trace, &away)]
        };
        for (traces, pulls) in paths {
            add_products(&mut self.weights, block.clone(), rate, traces.view(), pulls.view());
        }
        if let Some(projection) = &mut self.projection {
            for (line, sign) in [(class, 1.0), (rival, -1.0)] {
                let mut row = projection.slice_mut(s![line, block.clone()]);
                row.scaled_add(sign * rate * window, &counts);
                row.mapv_inplace(|weight| weight.clamp(-1.0, 2.0));
            }
        }
        self.bias.slice_mut(s![block]).scaled_add(rate * window, &pull);
    }

    /// Homeostasis: who hardly ever fires, or nearly always, is nudged back.
    fn keep_alive(&mut self, window: f64) {
        let state = self.mean_count.iter_mut().zip(&mut self.bias).zip(&self.input.count);
        for ((mean, bias), count) in state {
            *mean += (count - *mean) / 512.0;
            if *mean < 82.0 / 4096.0 * window {
                *bias += 1.0 / 1024.0;
            } else if *mean > 3300.0 / 4096.0 * window {
                *bias -= 1.0 / 1024.0;
            }
        }
    }
}

/// `weights[k][block] += rate * traces[k] * pulls`.
fn add_products(
    weights: &mut Array2<f64>,
    block: Range<usize>,
    rate: f64,
    traces: ArrayView1<f64>,
    pulls: ArrayView1<f64>,
) {
    for (line, &trace) in traces.iter().enumerate().filter(|&(_, &trace)| trace != 0.0) {
        weights.slice_mut(s![line, block.clone()]).scaled_add(rate * trace, &pulls);
    }
}

/// Normal numbers: SplitMix64, and the sum of twelve uniform ones.
struct Normal(u64);

impl Normal {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e3779b97f4a7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d049bb133111eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn draw(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}
