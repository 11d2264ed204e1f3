//! The weights into a layer: what spikes make flow through them, and how they change.

use super::rule::Optimizer;
use super::{Kernel, Kind};
use ndarray::{Array1, Array2, ArrayView1, Axis, s};
use std::ops::Range;

/// The spikes of a window: for each line a bit a step.
pub(super) type Spikes = Vec<u32>;

/// A path of a change: traces of the axons, pulls on the neurons of a block.
pub(super) type Path<'a> = (ArrayView1<'a, f64>, &'a Array1<f64>);

/// The weights into a layer.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    /// Dense `[input][neuron]`; of a convolution `[tap][channel]`, taps by input channel, row and column.
    pub weights: Array2<f64>,
    /// The same of running sums of changes, where changes have momentum.
    velocity: Array2<f64>,
    plane: Option<Plane>,
}

/// What a convolution reaches. Its neurons are numbered block by block, within a block place by place.
#[derive(Clone, Debug)]
struct Plane {
    /// `[input]`: the taps that it meets, each with the place of the kernel.
    reached: Vec<Vec<(usize, usize)>>,
    /// Rows and columns of what comes out, multiplied.
    places: usize,
    /// Channels of each block.
    channels: Vec<Range<usize>>,
}

/// Multiples of the learning rate, and what else becomes of a change.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub rate: f64,
    pub optimizer: Optimizer,
    pub weight_decay: Option<u32>,
}

impl Kernel {
    /// Channels, height and width of what it makes of an input.
    pub fn output(&self, input: [usize; 3]) -> [usize; 3] {
        let along = |at: usize| (input[1 + at] + 2 * self.padding[at] - self.extents[at]) / self.stride[at] + 1;
        [self.channels, along(0), along(1)]
    }

    /// Of a place of the input along an axis: rows (or columns) of the kernel that meet it, each with its place.
    fn met(&self, from: usize, axis: usize, output: usize) -> impl Iterator<Item = (usize, usize)> + '_ {
        (0..self.extents[axis]).filter_map(move |tap| {
            let above = (from + self.padding[axis]).checked_sub(tap)?;
            let at = above / self.stride[axis];
            (above % self.stride[axis] == 0 && at < output).then_some((tap, at))
        })
    }

    /// `[input]`: the taps that it meets, each with the place of the kernel.
    fn reached(&self, input: [usize; 3]) -> Vec<Vec<(usize, usize)>> {
        let [_, height, width] = self.output(input);
        let mut reached = Vec::new();
        for channel in 0..input[0] {
            for y in 0..input[1] {
                for x in 0..input[2] {
                    let pairs = self.met(y, 0, height).flat_map(|(row, at_y)| {
                        self.met(x, 1, width).map(move |(column, at_x)| {
                            let tap = (channel * self.extents[0] + row) * self.extents[1] + column;
                            (tap, at_y * width + at_x)
                        })
                    });
                    reached.push(pairs.collect());
                }
            }
        }
        reached
    }
}

impl Connection {
    /// Weights by inputs and neurons, or taps and channels; see [`super::Layer::weights`].
    pub fn new(weights: Array2<f64>, kind: &Kind, input: [usize; 3], block: usize) -> Connection {
        let plane = match kind {
            Kind::Dense { .. } => None,
            Kind::Convolution(kernel) => {
                let [channels, height, width] = kernel.output(input);
                let of_block = |first: usize| first..(first + block).min(channels);
                Some(Plane {
                    reached: kernel.reached(input),
                    places: height * width,
                    channels: (0..channels).step_by(block).map(of_block).collect(),
                })
            }
        };
        Connection { velocity: Array2::zeros(weights.dim()), weights, plane }
    }

    /// What flows into each neuron, `[step][neuron]`, beside what `currents` holds already.
    pub fn add_currents(&self, spikes: &[u32], currents: &mut Array2<f64>) {
        match &self.plane {
            None => self.add_dense(spikes, currents),
            Some(plane) => self.add_convolved(plane, spikes, currents),
        }
    }

    fn add_dense(&self, spikes: &[u32], currents: &mut Array2<f64>) {
        // Rows that are active in the same steps are added up once.
        let mut active: Vec<usize> = (0..spikes.len()).filter(|&line| spikes[line] != 0).collect();
        active.sort_by_key(|&line| spikes[line]);
        for alike in active.chunk_by(|&a, &b| spikes[a] == spikes[b]) {
            let mut sum = Array1::zeros(self.weights.ncols());
            for &line in alike {
                sum += &self.weights.row(line);
            }
            for (step, mut current) in currents.axis_iter_mut(Axis(0)).enumerate() {
                if spikes[alike[0]] >> step & 1 == 1 {
                    current += &sum;
                }
            }
        }
    }

    fn add_convolved(&self, plane: &Plane, spikes: &[u32], currents: &mut Array2<f64>) {
        // Hot: most lines are silent in most steps, so only what is active is gone through.
        for (step, mut current) in currents.axis_iter_mut(Axis(0)).enumerate() {
            let current = current.as_slice_mut().expect("rows are contiguous");
            for (reached, _) in plane.reached.iter().zip(spikes).filter(|(_, bits)| **bits >> step & 1 == 1) {
                for &(tap, place) in reached {
                    let row = self.weights.row(tap);
                    let row = row.as_slice().expect("rows are contiguous");
                    for channels in &plane.channels {
                        let first = channels.start * plane.places + place * channels.len();
                        let current = &mut current[first..][..channels.len()];
                        current.iter_mut().zip(&row[channels.clone()]).for_each(|(current, weight)| *current += weight);
                    }
                }
            }
        }
    }

    /// Changes the weights of a block by what all paths ask for.
    pub fn change(&mut self, number: usize, block: Range<usize>, paths: &[Path], step: Step) {
        match self.plane.take() {
            None => self.change_dense(block, paths, step),
            Some(plane) => {
                self.change_convolved(&plane, number, paths, step);
                self.plane = Some(plane);
            }
        }
    }

    fn change_dense(&mut self, block: Range<usize>, paths: &[Path], step: Step) {
        let mut change = Array1::zeros(block.len());
        for line in 0..self.weights.nrows() {
            change.fill(0.0);
            let mut is_active = false;
            for (traces, pulls) in paths.iter().filter(|(traces, _)| traces[line] > 0.0) {
                change.scaled_add(traces[line], *pulls);
                is_active = true;
            }
            // Axons that were silent on all paths are passed over, whatever else would become of their weights.
            if is_active {
                self.change_row(line, block.clone(), change.view(), step);
            }
        }
    }

    fn change_convolved(&mut self, plane: &Plane, number: usize, paths: &[Path], step: Step) {
        let channels = plane.channels[number].clone();
        let count = channels.len();
        let mut changes = Array2::zeros((self.weights.nrows(), count));
        let sums = changes.as_slice_mut().expect("a new array is contiguous");
        for (traces, pulls) in paths {
            let pulls = pulls.as_slice().expect("pulls are contiguous");
            for (reached, &trace) in plane.reached.iter().zip(traces).filter(|(_, trace)| **trace > 0.0) {
                for &(tap, place) in reached {
                    let pairs = sums[tap * count..][..count].iter_mut().zip(&pulls[place * count..][..count]);
                    pairs.for_each(|(sum, pull)| *sum += trace * pull);
                }
            }
        }
        // What so many places ask for grows like the root of their number, whose logarithm is rounded as on the chip.
        let of_places = ((plane.places as f64).log2() / 2.0).round().exp2();
        let step = Step { rate: step.rate / of_places, ..step };
        for (tap, change) in changes.axis_iter(Axis(0)).enumerate() {
            self.change_row(tap, channels.clone(), change, step);
        }
    }

    fn change_row(&mut self, row: usize, columns: Range<usize>, change: ArrayView1<f64>, step: Step) {
        let mut weights = self.weights.slice_mut(s![row, columns.clone()]);
        if let Some(bits) = step.weight_decay {
            weights *= 1.0 - f64::from(bits).exp2().recip();
        }
        if let Optimizer::Momentum { decay } = step.optimizer {
            let lost = f64::from(decay).exp2().recip();
            let mut velocity = self.velocity.slice_mut(s![row, columns]);
            velocity *= 1.0 - lost;
            velocity.scaled_add(step.rate, &change);
            weights.scaled_add(lost, &velocity);
        } else {
            weights.scaled_add(step.rate, &change);
        }
    }

    /// Spikes of the neurons in the order of planes, one channel after the other.
    pub fn in_planes(&self, spikes: Spikes) -> Spikes {
        let Some(plane) = &self.plane else { return spikes };
        let of_channel = |channel: usize| {
            let block = plane.channels.iter().find(|block| block.contains(&channel)).expect("each channel has a block");
            let first = block.start * plane.places + channel - block.start;
            (0..plane.places).map(move |place| first + place * block.len())
        };
        let channels = plane.channels.last().map_or(0, |block| block.end);
        (0..channels).flat_map(of_channel).map(|neuron| spikes[neuron]).collect()
    }

    /// The neurons of each block.
    pub fn blocks(&self, block: usize) -> Vec<Range<usize>> {
        match &self.plane {
            None => {
                let neurons = self.weights.ncols();
                (0..neurons).step_by(block).map(|first| first..(first + block).min(neurons)).collect()
            }
            Some(plane) => {
                let of = |channels: &Range<usize>| channels.start * plane.places..channels.end * plane.places;
                plane.channels.iter().map(of).collect()
            }
        }
    }
}
