//! Networks as the book describes them, in plain loops: no cores, no instructions, no packets.
//!
//! A network is composed of what the text composes it of: connections ([`feed`]), neurons ([`dynamics`]), what a layer notes
//! of its windows ([`layer`]), rules ([`rule`]), readouts ([`readout`]), and the ways between them ([`Model`]). Any layer may
//! have any of each. All is written over [`Number`]: in 64-bit integers that saturate where the chip's memories are
//! narrower it says what a network computes to the bit; in real numbers, of which nothing is rounded, what that costs.
//! What differs between the two stands in [`number`] alone.
//!
//! Nothing is shared with the compiler or the emulator, so that a mistake in one does not hide in the other; of the parsed text
//! it takes the types, and [`described`] alone reads it. It is slow and is meant to be.
//!
//! A layer finishes a window before the next one sees its spikes: that it lags behind on the chip makes no difference to
//! values, and nor does a delay, which only makes ways longer.
//!
//! ```
//! use onward_diagnostic::Source;
//! use testbench::model::{Model, encode};
//! let text = "network n {
//!     window = 4
//!     learning = none
//!     weights = fixed { bits = 8 }
//!     input x = rate(2)
//!     target y = classes(2)
//!     layer a = dense(3) from x, y { block = 2 }
//!     readout z = nearest_target from a
//! }";
//! let network = onward_net::Network::parse(&Source::new("n.sp", text)).unwrap();
//! let mut model = Model::<i64>::new(&network, 1);
//! // A row an axon. The first block has two neurons, the second one. Of weights of 8 bits, 1.0 is 64.
//! model.layers[0].give(0, "weights", &[64, 0, 0, 32]);
//! model.layers[0].give(1, "weights", &[64, 0]);
//! model.layers[0].give(0, "target_weights", &[64, 0, 0, 64]);
//! model.layers[0].give(1, "target_weights", &[64, 0]);
//! model.learn(&encode(&[255, 0], 4), 0, None, false);
//! assert_eq!(model.layers[0].blocks[0].count, [4, 0]);
//! assert_eq!(model.infer(&encode(&[255, 0], 4), false), 0);
//! ```

pub mod described;
pub mod dynamics;
pub mod feed;
pub mod layer;
mod noise;
pub mod number;
pub mod readout;
pub mod rule;
pub mod tree;

pub use dynamics::{Afterwards, Neurons};
pub use feed::{Arrival, Connection, Step};
pub use layer::{Block, Format, Layer, Moment, spikes, value};
pub use noise::Noise;
pub use number::Number;
pub use readout::Readout;

use feed::Plane;
use onward_net::PoolKind;

/// What a window shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// A sample.
    Input {
        /// The class that it is learned to be of.
        learn: Option<usize>,
        /// Whether it goes on where the input window before it ended.
        continues: bool,
    },
    /// The target of a class.
    Target(usize),
}

impl Window {
    fn is_target(self) -> bool {
        matches!(self, Window::Target(_))
    }

    fn continues(self) -> bool {
        matches!(self, Window::Input { continues: true, .. })
    }
}

/// A network with its state.
#[derive(Clone, Debug)]
pub struct Model<N> {
    /// Layers, each behind all that lead to it.
    pub layers: Vec<Layer<N>>,
    /// What leaves the network.
    pub readout: Readout<N>,
    /// Steps of a window.
    pub window: i64,
    classes: usize,
    /// Whether targets are shown in windows of their own.
    pub shows_targets: bool,
    nodes: Vec<Node>,
    /// By node, what it sent in each step of the last window.
    sent: Vec<Vec<Step<N>>>,
}

#[derive(Clone, Debug)]
struct Node {
    name: String,
    kind: NodeKind,
    plane: Plane,
    sources: Vec<usize>,
}

/// What a node makes of what its sources send.
#[derive(Clone, Copy, Debug)]
enum NodeKind {
    /// Samples.
    Input,
    /// Classes.
    Target,
    /// Spikes of the neurons of the layer of this number.
    Layer(usize),
    /// What comes into each window that goes over the plane; its size and stride along y and x.
    Pool(PoolKind, [usize; 2], [usize; 2]),
    /// The same: flattenings and additions, and delays of so many steps.
    Pass(u32),
    /// What comes from each source, behind the places of the sources before it.
    Beside,
    /// What comes is sent so many steps later in the window.
    Later(u32),
    /// Nothing.
    Readout,
}

/// The evenly spread spikes of a sample, step by step.
pub fn encode<N: Number>(pixels: &[u8], window: i64) -> Vec<Step<N>> {
    // Rounded to the nearest: there are no halves, 255 being odd.
    let counts: Vec<i64> = pixels.iter().map(|&pixel| (2 * i64::from(pixel) * window + 255) / (2 * 255)).collect();
    let mut phases = vec![window / 2; pixels.len()];
    let mut step = || {
        phases.iter_mut().zip(&counts).for_each(|(phase, count)| *phase += count);
        let active: Vec<usize> = (0..phases.len()).filter(|&pixel| phases[pixel] >= window).collect();
        active.iter().for_each(|&pixel| phases[pixel] -= window);
        spikes(&active)
    };
    (0..window).map(|_| step()).collect()
}

/// The index of the largest, of equal ones the lowest, `except` left out.
pub fn largest<N: PartialOrd>(values: &[N], except: Option<usize>) -> usize {
    let mut best = None;
    for (index, value) in values.iter().enumerate() {
        if Some(index) != except && best.is_none_or(|best: usize| *value > values[best]) {
            best = Some(index);
        }
    }
    best.expect("there are two classes at least")
}

impl<N: Number> Model<N> {
    /// Begins epoch `epoch` (from 0) of `epochs`.
    pub fn set_epoch(&mut self, epoch: u32, epochs: u32) {
        self.layers.iter_mut().for_each(|layer| layer.set_epoch(epoch, epochs));
        self.readout.set_epoch(epoch, epochs, self.window);
    }

    /// Shows a sample, then its class, and learns. A class may be named that is to lose against it. `continues`: from where the
    /// last input window ended.
    pub fn learn(&mut self, shown: &[Step<N>], class: usize, rival: Option<usize>, continues: bool) {
        self.present(shown, class, rival, continues);
        self.update(class, rival);
    }

    /// Shows a sample, then its class; what learns while it is shown learns, and what is not shown the class at its end.
    pub fn present(&mut self, shown: &[Step<N>], class: usize, rival: Option<usize>, continues: bool) {
        self.show(Window::Input { learn: Some(class), continues }, shown);
        self.layers.iter_mut().filter(|layer| layer.is_direct()).for_each(|layer| layer.learn(class, rival));
        if !self.shows_targets {
            return;
        }
        // The target comes as a spike on the line of its class in each step.
        self.show(Window::Target(class), &vec![spikes(&[class]); shown.len()]);
    }

    /// Learns from the windows just shown.
    pub fn update(&mut self, class: usize, rival: Option<usize>) {
        self.layers.iter_mut().filter(|layer| !layer.is_direct()).for_each(|layer| layer.learn(class, rival));
        let (counts, targets) = (self.last().counts(None), self.last().counts(Some(class)));
        self.readout.learn(&counts, class, &targets, rival);
    }

    /// Shows a sample, and learns that the readout is to answer with these values, 12 fraction bits.
    pub fn learn_values(&mut self, shown: &[Step<N>], values: &[N]) {
        self.show(Window::Input { learn: None, continues: false }, shown);
        let counts = self.last().counts(None);
        self.readout.learn_values(&counts, values);
    }

    /// Shows a sample and says its class.
    pub fn infer(&mut self, shown: &[Step<N>], continues: bool) -> usize {
        self.show(Window::Input { learn: None, continues }, shown);
        self.answer()
    }

    /// The class of the sample that was shown last.
    pub fn answer(&mut self) -> usize {
        let last = self.last_number();
        let counts = self.layers[last].counts(None);
        match &mut self.readout {
            Readout::Trained(readouts) => {
                let answers: Vec<usize> = readouts.iter_mut().map(|readout| readout.infer(&counts)).collect();
                answers[0]
            }
            Readout::Tree(tree) => tree.infer(&counts),
            Readout::MostSpikes | Readout::Spikes => largest(&counts, None),
            Readout::NearestTarget => {
                let mut sums = vec![N::default(); self.classes];
                for number in self.read() {
                    let layer = &mut self.layers[number];
                    for block in &mut layer.blocks {
                        block.score(layer.rule.as_ref());
                        sums.iter_mut().zip(&block.scores).for_each(|(sum, &score)| *sum = (*sum + score).held(32));
                    }
                }
                largest(&sums, None)
            }
        }
    }

    /// Nothing is shown for as long as updates take to be done.
    pub fn rest(&mut self) {
        let window = self.window;
        self.layers.iter_mut().for_each(|layer| (0..window).for_each(|_| layer.go_on()));
    }

    /// Shows a window.
    pub fn show(&mut self, window: Window, shown: &[Step<N>]) {
        for number in 0..self.nodes.len() {
            let node = &self.nodes[number];
            let arrivals: Vec<Step<N>> = (0..shown.len()).map(|step| self.arriving(node, step)).collect();
            let sent = match node.kind {
                NodeKind::Input if !window.is_target() => shown.to_vec(),
                NodeKind::Target if window.is_target() => shown.to_vec(),
                NodeKind::Input | NodeKind::Target | NodeKind::Readout => vec![Vec::new(); shown.len()],
                NodeKind::Layer(layer) => self.layers[layer].show(window, &arrivals),
                NodeKind::Pool(kind, size, stride) => {
                    let source = self.nodes[node.sources[0]].plane;
                    arrivals.iter().map(|step| pooled(step, source, node.plane, kind, [size, stride])).collect()
                }
                NodeKind::Pass(_) | NodeKind::Beside => arrivals,
                NodeKind::Later(steps) => {
                    let late = (steps as usize).min(shown.len());
                    let mut sent = vec![Vec::new(); late];
                    sent.extend_from_slice(&arrivals[..shown.len() - late]);
                    sent
                }
            };
            self.sent[number] = sent;
        }
    }

    /// What the sources of a node send in a step, source by source.
    fn arriving(&self, node: &Node, step: usize) -> Step<N> {
        let mut arrivals = Vec::new();
        let mut first = 0;
        for &source in &node.sources {
            let sent = self.sent[source][step].iter();
            arrivals.extend(sent.map(|arrival| Arrival { place: first + arrival.place, ..*arrival }));
            if let NodeKind::Beside = node.kind {
                first += self.nodes[source].plane.iter().product::<usize>();
            }
        }
        arrivals
    }

    /// What a node sent in each step of the last window, ascending; what is sent more than once is there more than once.
    pub fn spikes(&self, node: &str) -> Vec<Vec<usize>> {
        let number = self.number(node);
        let places = |step: &Step<N>| {
            let mut places: Vec<usize> = step.iter().map(|arrival| arrival.place).collect();
            places.sort_unstable();
            places
        };
        self.sent[number].iter().map(places).collect()
    }

    /// What a node sent in a step of the last window.
    pub fn sent(&self, node: &str, step: usize) -> &[Arrival<N>] {
        &self.sent[self.number(node)][step]
    }

    /// The layer of this name.
    pub fn layer(&mut self, name: &str) -> Option<&mut Layer<N>> {
        self.layers.iter_mut().find(|layer| layer.name == name)
    }

    fn number(&self, node: &str) -> usize {
        self.nodes.iter().position(|other| other.name == node).expect("a node of the network")
    }

    fn last_number(&self) -> usize {
        self.read()[0]
    }

    /// The layers that are read out.
    fn read(&self) -> Vec<usize> {
        let readout = self.nodes.iter().find(|node| matches!(node.kind, NodeKind::Readout)).expect("a readout");
        let layer =
            |&source: &usize| if let NodeKind::Layer(layer) = self.nodes[source].kind { Some(layer) } else { None };
        readout.sources.iter().filter_map(layer).collect()
    }

    /// The layer that is read out.
    pub fn last(&self) -> &Layer<N> {
        &self.layers[self.last_number()]
    }

    /// Steps by which a node sees a window later than the input does: its longest way.
    pub fn lag(&self, node: &str) -> u32 {
        self.lag_of(self.number(node))
    }

    fn lag_of(&self, node: usize) -> u32 {
        let Node { kind, sources, .. } = &self.nodes[node];
        let own = match kind {
            NodeKind::Layer(_) | NodeKind::Later(_) | NodeKind::Pool(PoolKind::Maximum, ..) | NodeKind::Readout => 1,
            NodeKind::Pass(steps) => *steps,
            NodeKind::Input | NodeKind::Target | NodeKind::Beside | NodeKind::Pool(..) => 0,
        };
        own + sources.iter().map(|&source| self.lag_of(source)).max().unwrap_or(0)
    }
}

/// What arrives at a pool, at each window that covers it.
fn pooled<N: Number>(step: &Step<N>, source: Plane, plane: Plane, kind: PoolKind, sizes: [[usize; 2]; 2]) -> Step<N> {
    let [size, stride] = sizes;
    let places = if kind == PoolKind::Average { (size[0] * size[1]) as u64 } else { 1 };
    let mut pooled = Vec::new();
    for arrival in step {
        let [channel, y, x] =
            [arrival.place / source[2] / source[1], arrival.place / source[2] % source[1], arrival.place % source[2]];
        for (out_y, out_x) in (0..plane[1]).flat_map(|y| (0..plane[2]).map(move |x| (y, x))) {
            let (top, left) = (out_y * stride[0], out_x * stride[1]);
            if (top..top + size[0]).contains(&y) && (left..left + size[1]).contains(&x) {
                let place = (channel * plane[1] + out_y) * plane[2] + out_x;
                let (value, divisor) = arrival.value.averaged(arrival.divisor, places);
                pooled.push(Arrival { place, value, divisor });
            }
        }
    }
    if kind != PoolKind::Maximum {
        return pooled;
    }
    let mut places: Vec<usize> = pooled.iter().filter(|a| a.value > N::default()).map(|a| a.place).collect();
    places.sort_unstable();
    places.dedup();
    spikes(&places)
}

/// The nearest whole logarithm of a window's steps.
fn window_bits(window: i64) -> i64 {
    (window as f64).log2().round() as i64
}
