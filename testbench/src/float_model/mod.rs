//! Signal Propagation in real numbers: the same networks without hardware.
//!
//! Samples come one at a time, spikes in the same windows, targets as on the chip, and each block still has a loss of
//! its own; but weights, biases and membranes are 64-bit floating point and nothing is rounded or saturated, and
//! exponentials, reciprocals and roots are no tables. So its accuracy beside the chip's says what rounding costs; and with
//! one block a layer, what locality costs.
//!
//! [`Model`] is dense layers and convolutions that learn once a window, by any rule (`docs/src/learning.md`, `rules.md`);
//! [`steps`] is a layer that learns while its input is shown (`time.md`). The rule is that of Kohan, Rietman and
//! Siegelmann, "Signal Propagation" (arXiv 2204.01723), local to blocks.
//!
//! Nothing is shared with the compiler, the emulator or the models in integers. Initial weights come of the same
//! distributions as the chip's, but not of the same generator, unless they are given.
//!
//! ```
//! use testbench::float_model::{Kind, Layer, Loss, Model, Network, Rule};
//! let rule = Rule { loss: Loss::Hinge { margin: 0.3 }, rate: 6.0, ..Rule::default() };
//! let layer = Layer { kind: Kind::Dense { neurons: 16 }, block: 8, threshold: 1.0, gain: 1.0, rule };
//! let network = Network { input: [1, 1, 2], classes: 2, window: 8, layers: vec![layer] };
//! let mut model = Model::new(&network, 1);
//! let samples: [(&[u8], usize); 2] = [(&[255, 0], 0), (&[0, 255], 1)];
//! for _ in 0..100 {
//!     for (pixels, class) in samples {
//!         model.learn(pixels, class);
//!     }
//! }
//! assert_eq!(samples.map(|(pixels, _)| model.infer(pixels)), [0, 1]);
//! ```

mod connection;
mod layer;
mod random;
mod rule;
pub mod steps;

pub use rule::{Attachment, Fall, Loss, Optimizer, Rule};

use connection::Spikes;
use layer::LayerState;
use ndarray::{Array2, ArrayView1, ArrayView2};
use random::Normal;

/// What the text of a network says.
#[derive(Clone, Debug)]
pub struct Network {
    /// Channels, height and width of a sample; without planes 1, 1 and its pixels.
    pub input: [usize; 3],
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
    /// How it is connected.
    pub kind: Kind,
    /// Neurons of a block, of a convolution channels; the last one may have fewer.
    pub block: usize,
    /// Membrane potential at which a neuron fires.
    pub threshold: f64,
    /// Initial weights have the standard deviation `gain * sqrt(2 / weights of a neuron)`.
    pub gain: f64,
    /// How it learns.
    pub rule: Rule,
}

/// How a layer is connected.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Each neuron has a weight for each input, and a bias.
    Dense {
        /// Neurons.
        neurons: usize,
    },
    /// The neurons of a channel share a kernel; there are no biases.
    Convolution(Kernel),
}

/// The kernels of a convolution.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// Output channels.
    pub channels: usize,
    /// Height and width.
    pub extents: [usize; 2],
    /// Along y and x.
    pub stride: [usize; 2],
    /// Rows above and columns before the plane; as many behind.
    pub padding: [usize; 2],
}

/// The weights of a layer before its first sample.
#[derive(Clone, Debug)]
pub struct Initial {
    /// Dense `[input][neuron]`; of a convolution `[tap][channel]`, taps by input channel, row and column.
    pub weights: Array2<f64>,
    /// Of the first layer `[class][neuron]`; neurons of a convolution block by block, within a block place by place.
    pub projection: Option<Array2<f64>>,
}

/// A network with its state.
#[derive(Clone, Debug)]
pub struct Model {
    classes: usize,
    window: usize,
    layers: Vec<LayerState>,
}

impl Layer {
    /// Channels, height and width of its neurons.
    fn output(&self, input: [usize; 3]) -> [usize; 3] {
        match &self.kind {
            Kind::Dense { neurons } => [1, 1, *neurons],
            Kind::Convolution(kernel) => kernel.output(input),
        }
    }

    /// Draws weights from the distributions of the chip's. A plane's targets are drawn about 1/2.
    fn drawn(&self, input: [usize; 3], classes: Option<usize>, normal: &mut Normal) -> Initial {
        let (inputs, columns, about, spread) = match &self.kind {
            Kind::Dense { neurons } => (input.iter().product(), *neurons, 0.0, 1.0),
            Kind::Convolution(kernel) => {
                (input[0] * kernel.extents.iter().product::<usize>(), kernel.channels, 0.5, 0.3)
            }
        };
        let deviation = self.gain * (2.0 / inputs as f64).sqrt();
        let weights = Array2::from_shape_simple_fn((inputs, columns), || deviation * normal.draw());
        let neurons: usize = self.output(input).iter().product();
        let projection =
            classes.map(|classes| Array2::from_shape_simple_fn((classes, neurons), || about + spread * normal.draw()));
        Initial { weights, projection }
    }
}

impl Model {
    /// A network before its first sample, in the first epoch; its weights are drawn.
    pub fn new(network: &Network, seed: u64) -> Model {
        let mut normal = Normal(seed);
        Model::with_weights(network, |number, input| {
            let classes = (number == 0).then_some(network.classes);
            network.layers[number].drawn(input, classes, &mut normal)
        })
    }

    /// The same with given weights: of each layer by its number, and the shape of what feeds it.
    pub fn with_weights(network: &Network, mut initial: impl FnMut(usize, [usize; 3]) -> Initial) -> Model {
        let mut input = network.input;
        let mut layers = Vec::new();
        for (number, text) in network.layers.iter().enumerate() {
            layers.push(LayerState::new(text, input, network.classes, network.window, initial(number, input)));
            input = text.output(input);
        }
        let mut model = Model { classes: network.classes, window: network.window, layers };
        model.set_epoch(0, 1);
        model
    }

    /// Begins epoch `epoch` (from 0) of `epochs`.
    pub fn set_epoch(&mut self, epoch: u32, epochs: u32) {
        for layer in &mut self.layers {
            layer.set_epoch(epoch, epochs);
        }
    }

    /// Shows a sample, then its class, and learns.
    pub fn learn(&mut self, pixels: &[u8], class: usize) {
        let mut shown = encode(pixels, self.window);
        let mut target = Spikes::new();
        for layer in &mut self.layers {
            shown = layer.show_input(&shown, self.window);
            target = layer.show_target(&target, class, self.window);
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
                scores = layer.answer(&response);
            }
            shown = spikes;
        }
        largest(&scores, None)
    }
}

/// What has been learned, by number of the layer.
impl Model {
    /// As [`Initial::weights`].
    pub fn weights(&self, layer: usize) -> ArrayView2<'_, f64> {
        self.layers[layer].weights()
    }

    /// As [`Initial::projection`].
    pub fn projection(&self, layer: usize) -> Option<ArrayView2<'_, f64>> {
        self.layers[layer].projection()
    }

    /// `[neuron]`; 0 in a convolution.
    pub fn bias(&self, layer: usize) -> ArrayView1<'_, f64> {
        self.layers[layer].bias()
    }
}

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
