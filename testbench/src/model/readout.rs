//! What leaves a network; readouts that learn.

use super::layer::{Block, Layer};
use super::noise::Noise;
use super::rule::halvings;
use super::tree::TargetTree;
use super::window_bits;
use super::{Number, largest};
use onward_net::{RateSchedule, ReadoutKind, ReadoutLoss, TrainedReadout};

/// What leaves a network.
#[derive(Clone, Debug)]
pub enum Readout<N> {
    /// The class whose target is nearest to what the last layer makes of the sample.
    NearestTarget,
    /// The neuron with the most spikes, the first of several.
    MostSpikes,
    /// Spikes.
    Spikes,
    /// The class, or the values, of weights of its own, block by block.
    Trained(Vec<Trained<N>>),
    /// The class found by a tree of targets.
    Tree(TargetTree<N>),
}

impl<N: Number> Readout<N> {
    /// A readout that has learned nothing, in a block with this generator.
    pub fn new(kind: ReadoutKind, inputs: usize, outputs: usize, window: i64, noise: Noise) -> Readout<N> {
        match kind {
            ReadoutKind::NearestTarget => Readout::NearestTarget,
            ReadoutKind::MostSpikes => Readout::MostSpikes,
            ReadoutKind::Spikes => Readout::Spikes,
            ReadoutKind::Trained(text) => Readout::Trained(vec![Trained::new(text, inputs, outputs, window, noise)]),
            ReadoutKind::TargetTree(text) => Readout::Tree(TargetTree::new(text, inputs, outputs, window, noise)),
        }
    }

    /// Begins epoch `epoch` (from 0) of `epochs`.
    pub(super) fn set_epoch(&mut self, epoch: u32, epochs: u32, window: i64) {
        match self {
            Readout::Trained(readouts) => readouts.iter_mut().for_each(|readout| readout.set_epoch(epoch, epochs)),
            Readout::Tree(tree) => tree.set_epoch(epoch, epochs, window),
            Readout::NearestTarget | Readout::MostSpikes | Readout::Spikes => {}
        }
    }

    /// Learns that these counts are of a class, whose target evoked those.
    pub(super) fn learn(&mut self, counts: &[N], class: usize, target: &[N], rival: Option<usize>) {
        match self {
            Readout::Trained(readouts) => readouts[0].learn(counts, class, rival),
            Readout::Tree(tree) => tree.learn(counts, class, target),
            Readout::NearestTarget | Readout::MostSpikes | Readout::Spikes => {}
        }
    }

    /// Learns that these counts are to be answered with these values, block by block.
    pub(super) fn learn_values(&mut self, counts: &[N], mut values: &[N]) {
        let Readout::Trained(readouts) = self else { panic!("a readout of values is trained") };
        for readout in readouts {
            let (own, others) = values.split_at(readout.bias.len());
            readout.learn_values(counts, own);
            values = others;
        }
    }
}

impl<N: Number> Layer<N> {
    /// Spikes at each place, in the last input window or in the last target window of a class.
    pub fn counts(&self, class: Option<usize>) -> Vec<N> {
        self.by_place(|block| class.map_or(&block.count, |class| &block.target_count[class]))
    }

    /// What blocks hold of each neuron, by the places of these.
    pub fn by_place(&self, held: impl Fn(&Block<N>) -> &Vec<N>) -> Vec<N> {
        let mut all = vec![N::default(); self.size()];
        for block in &self.blocks {
            let pairs = block.members.iter().zip(held(block));
            pairs.for_each(|(&neuron, &value)| all[self.connection.place(neuron)] = value);
        }
        all
    }
}

/// A trained readout.
#[derive(Clone, Debug)]
pub struct Trained<N> {
    text: TrainedReadout,
    window: i64,
    noise: Noise,
    /// What updates are divided by in this epoch: `2^shift`.
    pub shift: i64,
    /// `[input][output]`.
    pub weights: Vec<Vec<N>>,
    /// `[output]`.
    pub bias: Vec<N>,
    /// `[output]`: those of the last input window.
    pub sums: Vec<N>,
}

/// Fraction bits of the weights of a readout.
pub(super) fn fraction_bits(bits: u32) -> u32 {
    if bits > 8 { bits - 4 } else { bits - 2 }
}

/// A margin in outputs of 1.0 as sums over a window have it: at least the last bit.
pub(super) fn margin<N: Number>(margin: f64, window: i64, fraction: u32) -> N {
    let (margin, least) = (N::floor(margin * window as f64, fraction), N::positive(0.0, fraction));
    if margin < least { least } else { margin }
}

impl<N: Number> Trained<N> {
    /// A readout that has learned nothing.
    pub fn new(text: TrainedReadout, inputs: usize, outputs: usize, window: i64, noise: Noise) -> Trained<N> {
        let zeros = vec![N::default(); outputs];
        let weights = vec![zeros.clone(); inputs];
        let mut readout = Trained { text, window, noise, shift: 0, weights, bias: zeros.clone(), sums: zeros };
        readout.set_epoch(0, 1);
        readout
    }

    /// Begins epoch `epoch` (from 0) of `epochs`.
    pub fn set_epoch(&mut self, epoch: u32, epochs: u32) {
        let log_window = window_bits(self.window);
        let first = match self.text.loss {
            ReadoutLoss::Hinge { .. } => log_window - i64::from(N::point(fraction_bits(self.text.bits))),
            ReadoutLoss::SquaredError => 2 * log_window,
        };
        self.shift =
            i64::from(self.text.rate) + first + halvings(&RateSchedule::Anneal(self.text.anneal), epoch, epochs);
    }

    /// An output of 1.0.
    fn one(&self) -> N {
        N::nearest(self.window as f64, fraction_bits(self.text.bits))
    }

    /// The class it answers to these counts.
    pub fn infer(&mut self, counts: &[N]) -> usize {
        for (output, sum) in self.sums.iter_mut().enumerate() {
            let products = self.weights.iter().zip(counts).map(|(row, &count)| row[output] * count);
            *sum = (N::whole(self.window) * self.bias[output] + products.sum()).held(32);
        }
        largest(&self.sums, None)
    }

    /// Learns that these counts are of a class, which a rival is to lose against: the strongest, if none is named.
    pub fn learn(&mut self, counts: &[N], class: usize, rival: Option<usize>) {
        self.infer(counts);
        let mut errors = vec![N::default(); self.sums.len()];
        match self.text.loss {
            ReadoutLoss::Hinge { margin: least } => {
                let rival = rival.unwrap_or_else(|| largest(&self.sums, Some(class)));
                if self.sums[class] - self.sums[rival] >= margin(least, self.window, fraction_bits(self.text.bits)) {
                    return;
                }
                errors[class] = N::nearest(1.0, 0);
                errors[rival] = -errors[class];
            }
            ReadoutLoss::SquaredError => {
                let one = self.one();
                for (output, error) in errors.iter_mut().enumerate() {
                    let wanted = if output == class { one } else { N::default() };
                    *error = (wanted - self.sums[output]).held(32);
                }
            }
        }
        self.update(counts, &errors);
    }

    /// Learns that these counts are to be answered with these values, of 12 fraction bits.
    pub fn learn_values(&mut self, counts: &[N], values: &[N]) {
        self.infer(counts);
        let coarser = i64::from(N::point(12)) - i64::from(N::point(fraction_bits(self.text.bits)));
        let wanted = |value: &N| (*value * N::whole(self.window)).rounded(coarser, 0);
        let errors: Vec<N> = values.iter().zip(&self.sums).map(|(value, &sum)| wanted(value) - sum).collect();
        self.update(counts, &errors);
    }

    fn update(&mut self, counts: &[N], errors: &[N]) {
        let active = self.weights.iter_mut().zip(counts).filter(|(_, count)| **count > N::default());
        let bits = self.text.bits;
        let bias = (&mut self.bias, &N::whole(self.window));
        let rows = active.map(|row| (row, bits)).chain([(bias, 32)]);
        for ((row, &count), bits) in rows {
            let draw = self.noise.draw();
            for (i, (weight, &error)) in row.iter_mut().zip(errors).enumerate() {
                let change = (error * count).held(32).rounded(self.shift, draw.bits(i));
                *weight = (*weight + change).held(bits);
            }
        }
    }
}
