//! The kernels of a convolution as they lie in a block's memories.
//!
//! Kernels over several sources add to the same sums, so they share a frame: one halo all round, one distance from row to row.
//! Their sub-kernels lie one behind the other, and each entry of the table says which is meant and how large it is. So a kernel
//! beside another costs its weights, and no code. Where kernels differ in groups or in the distance of rows, the weights
//! between are zeros.

use super::axis::{Axis, gcd};
use super::{Entry, Phase};
use crate::plan::PlannedBlock;
use onward_image::{Order, Plane};
use onward_net::Convolution;
use std::ops::Range;

/// Where a block's sums and sub-kernels lie.
#[derive(Clone, Debug)]
pub(crate) struct Kernels {
    /// The block's part of the output.
    pub plane: Plane,
    /// Bands: groups, or the one that the block's channels are of.
    pub bands: u32,
    /// By source.
    over: Vec<Over>,
    /// Output channels of all, and groups of them that know nothing of each other whichever source they hear.
    channels: u32,
    groups: u32,
    /// Variants of the weights.
    variants: u32,
    /// Rows before the first; places before the first of a row.
    before: [u32; 2],
    /// Rows of a band and places of a row, halo included.
    rows: u32,
    pitch: u32,
    /// Rows from one of a sub-kernel to the next.
    row_step: u32,
}

/// A kernel over a source.
#[derive(Clone, Debug)]
struct Over {
    axes: [Axis; 2],
    /// Channels, height, width of what comes in.
    input: [u32; 3],
    /// Its place in what comes in from all sources.
    first_place: u32,
    groups: u32,
    /// By phase along y and x, the first tap of the sub-kernel in that of a channel; and all of them.
    starts: Vec<Vec<u32>>,
    taps: u32,
    /// The first tap among those of all kernels.
    first_tap: u32,
    /// The first of its weights among those of an output channel.
    first_weight: u32,
    /// By row and by column of what comes in what it reaches of the block, if anything.
    reached: [Vec<Option<Reached>>; 2],
}

/// What inputs of a row, or of a column, reach.
#[derive(Clone, Copy, Debug)]
struct Reached {
    /// The first output; it may lie beyond the edges.
    first: i64,
    /// Rows or columns of the sub-kernel, with those between dilated taps.
    span: u32,
    /// Outputs of the block.
    outputs: u32,
    phase: u32,
}

/// A weight of a kernel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tap {
    pub variant: u32,
    /// Output channel.
    pub output: u32,
    /// Its place among the weights of the output channel, `[kernel][channel of the group][y][x]`.
    pub place: u32,
}

/// Rows and channels of a source that can reach a block.
pub(crate) type Window = [Range<u32>; 2];

impl Kernels {
    /// Those of a block, over sources of these shapes that lie one behind the other.
    pub fn new(convolution: &Convolution, inputs: &[[u32; 3]], block: &PlannedBlock, variants: u32) -> Kernels {
        let Order::Plane(plane) = block.order else { unreachable!("a convolution's blocks hold planes") };
        let axes = |of: &Convolution| {
            [0, 1].map(|at| Axis {
                outputs: [plane.height, plane.width][at],
                kernel: of.kernel[at],
                stride: of.stride[at],
                padding: of.padding[at],
                dilation: of.dilation[at],
            })
        };
        let mut kernels = Kernels {
            plane,
            bands: block.neurons / (plane.channels * plane.rows * plane.width),
            over: Vec::new(),
            channels: convolution.channels,
            groups: convolution.common_groups(),
            variants,
            before: [0; 2],
            rows: 0,
            pitch: 0,
            row_step: convolution.kernels().fold(0, |all, of| gcd(all, axes(of)[0].step())),
        };
        let (mut first_place, mut first_tap, mut first_weight, mut behind) = (0, 0, 0, [0; 2]);
        for (of, &input) in convolution.kernels().zip(inputs) {
            let axes = axes(of);
            let of_block = [kernels.rows_of_block(), 0..plane.width];
            for (axis, of_block) in of_block.iter().enumerate() {
                let (before, after) = axes[axis].halo(input[axis + 1], of_block);
                kernels.before[axis] = kernels.before[axis].max(before);
                behind[axis] = behind[axis].max(after);
            }
            let mut taps = 0;
            let mut starts = Vec::new();
            for y in 0..axes[0].stride {
                let of_row = (0..axes[1].stride).map(|x| {
                    let start = taps;
                    taps += span(&axes[0], y, kernels.row_step) * span(&axes[1], x, 1);
                    start
                });
                starts.push(of_row.collect());
            }
            let reached = [0, 1].map(|axis| {
                let (along, step) = (&axes[axis], [kernels.row_step, 1][axis]);
                let reach = |at: u32| {
                    let reach = along.reach(at, &of_block[axis])?;
                    let (phase, outputs) = (along.phase(at), along.outputs(at, &of_block[axis]));
                    Some(Reached { first: reach.first, span: span(along, phase, step), outputs, phase })
                };
                (0..input[axis + 1]).map(reach).collect()
            });
            let groups = of.groups;
            kernels.over.push(Over {
                axes,
                input,
                first_place,
                groups,
                starts,
                taps,
                first_tap,
                first_weight,
                reached,
            });
            first_place += input.iter().product::<u32>();
            first_tap += kernels.bands * variants * (input[0] / kernels.groups) * taps;
            first_weight += input[0] / of.groups * of.kernel[0] * of.kernel[1];
        }
        kernels.rows = kernels.before[0] + plane.rows + behind[0];
        // What reaches beyond the end of a row may fall on the halo before the next.
        kernels.pitch = plane.width + kernels.before[1].max(behind[1]);
        kernels
    }

    /// Elements of the sums.
    pub fn sums(&self) -> u32 {
        self.bands * self.band_sums()
    }

    /// Elements of a band's sums.
    pub fn band_sums(&self) -> u32 {
        (self.rows * self.pitch + self.before[1] + self.pitch - self.plane.width) * self.plane.channels
    }

    /// Elements from a row's sums to the next.
    pub fn row_pitch(&self) -> u32 {
        self.pitch * self.plane.channels
    }

    /// The first sum that is a neuron's.
    pub fn first_sum(&self) -> u32 {
        self.sum(0, i64::from(self.plane.first_row), 0)
    }

    /// Elements from the sums of a kernel row's run to those of the next.
    pub fn step(&self) -> u32 {
        self.row_step * self.row_pitch()
    }

    /// The sum of the neuron that an index of the block's packets stands for.
    pub fn sum_of(&self, index: u32) -> u32 {
        let plane = &self.plane;
        let (rest, channel) = (index / plane.channels, index % plane.channels);
        let (rest, x) = (rest / plane.width, rest % plane.width);
        let (band, y) = (rest / plane.rows, rest % plane.rows);
        self.sum(band, i64::from(plane.first_row + y), x.into()) + channel
    }

    fn sum(&self, band: u32, y: i64, x: i64) -> u32 {
        let row = y - i64::from(self.plane.first_row) + i64::from(self.before[0]);
        let place = row * i64::from(self.pitch) + x + i64::from(self.before[1]);
        band * self.band_sums() + place as u32 * self.plane.channels
    }

    /// Taps of the sub-kernels of all bands, variants and channels, each as many weights as a band has channels.
    pub fn all_taps(&self) -> u64 {
        let of = |over: &Over| u64::from(over.input[0] / self.groups) * u64::from(over.taps);
        u64::from(self.bands) * u64::from(self.variants) * self.over.iter().map(of).sum::<u64>()
    }

    /// The longest run, in elements.
    pub fn longest_run(&self) -> u32 {
        let of = |over: &Over| (0..over.axes[1].stride).map(|phase| span(&over.axes[1], phase, 1)).max().unwrap_or(0);
        self.over.iter().map(of).max().unwrap_or(0) * self.plane.channels
    }

    /// Rows of the kernel that an event adds at most.
    pub fn kernel_rows(&self) -> u32 {
        let of =
            |over: &Over| (0..over.axes[0].stride).map(|y| span(&over.axes[0], y, self.row_step)).max().unwrap_or(0);
        self.over.iter().map(of).max().unwrap_or(0)
    }

    /// Input channels of a group, of the only kernel of a layer that learns.
    pub fn channels(&self) -> u32 {
        self.over[0].input[0] / self.groups
    }

    /// Taps of all sub-kernels of a channel, of the only kernel of a layer that learns.
    pub fn taps_of_channel(&self) -> u32 {
        self.over[0].taps
    }

    /// The sub-kernels of a channel of a layer that learns, one a phase of the stride along y and x; those that no input reaches
    /// anything by are left out. How many inputs each has is not known here.
    pub fn phases(&self) -> Vec<Phase> {
        let over = &self.over[0];
        let [along_y, along_x] = &over.axes;
        let all = (0..along_y.stride).flat_map(|y| (0..along_x.stride).map(move |x| (y, x)));
        let phases = all.map(|(y, x)| Phase {
            places: 0,
            first_tap: over.starts[y as usize][x as usize],
            rows: along_y.taps(y).count() as u32,
            run: span(along_x, x, 1) * self.plane.channels,
        });
        phases.filter(|phase| phase.rows > 0 && phase.run > 0).collect()
    }

    fn rows_of_block(&self) -> Range<u32> {
        self.plane.first_row..self.plane.first_row + self.plane.rows
    }

    /// The kernel that a place of what comes in belongs to, with channel, row and column of the place; and the block's band that
    /// hears it.
    fn find(&self, place: u32) -> Option<(&Over, [u32; 3], u32)> {
        let over = self.over.iter().rev().find(|over| over.first_place <= place)?;
        let ([channels, height, width], place) = (over.input, place - over.first_place);
        let (channel, at) = (place / (height * width), place % (height * width));
        let first_group = self.plane.first_channel / (self.channels / self.groups);
        let band = (channel / (channels / self.groups)).checked_sub(first_group).filter(|&band| band < self.bands)?;
        Some((over, [channel, at / width, at % width], band))
    }

    /// For each place and variant that an axon feeds, where its sub-kernel and its first sum are: the number of the first
    /// tap in the upper half, the sum in the lower. The shape says rows in the upper half, the run's length in the lower.
    pub fn entries(&self, feeds: &[(u32, u32)]) -> impl Iterator<Item = Entry> {
        feeds.iter().filter_map(|&(place, variant)| self.entry(place, variant))
    }

    /// Synapses of the block that a spike with these places and variants reaches: taps that fall on its neurons.
    pub fn synapses(&self, feeds: &[(u32, u32)]) -> u32 {
        let of_place = |&(place, _): &(u32, u32)| {
            let Some((over, [channel, y, x], band)) = self.find(place) else { return 0 };
            // Of a band's channels those that the kernel connects: it may have more groups than all have in common.
            let of_group = self.channels / over.groups;
            let first = channel / (over.input[0] / over.groups) * of_group;
            let of_band = self.plane.first_channel + band * self.plane.channels;
            let channels = (first + of_group).min(of_band + self.plane.channels).saturating_sub(first.max(of_band));
            let [rows, columns] = over.reached(y, x).map(|reached| reached.map_or(0, |reached| reached.outputs));
            rows * columns * channels
        };
        feeds.iter().map(of_place).sum()
    }

    fn entry(&self, place: u32, variant: u32) -> Option<Entry> {
        let (over, [channel, y, x], band) = self.find(place)?;
        let [Some(rows), Some(columns)] = over.reached(y, x) else { return None };
        let inputs = over.input[0] / self.groups;
        let kernel = (band * self.variants + variant) * inputs + channel % inputs;
        let tap = over.first_tap + kernel * over.taps + over.starts[rows.phase as usize][columns.phase as usize];
        let sum = self.sum(band, rows.first, columns.first);
        let run = columns.span * self.plane.channels;
        // Whether they fit is checked where the block is (`generate`).
        let pack = |high: u32, low: u32| (high << 16 | low & 0xffff) as i32;
        Some(Entry { value: pack(tap, sum), shape: pack(rows.span, run) })
    }

    /// The weights as they lie in synapse memory; the default where there is none, as between dilated taps.
    pub fn weights<T: Default>(&self, weight: impl Fn(Tap) -> T) -> Vec<T> {
        let mut all = Vec::with_capacity(self.all_taps() as usize * self.plane.channels as usize);
        for over in &self.over {
            let inputs = over.input[0] / self.groups;
            let taps = over.taps(self.row_step);
            for band in 0..self.bands {
                let first_channel = self.plane.first_channel + band * self.plane.channels;
                let first_input = first_channel / (self.channels / self.groups) * inputs;
                for variant in 0..self.variants {
                    for channel in first_input..first_input + inputs {
                        for &(y, x) in &taps {
                            all.extend((first_channel..first_channel + self.plane.channels).map(|output| {
                                match y.zip(x).and_then(|(y, x)| over.place(channel, output, self.channels, [y, x])) {
                                    Some(place) => weight(Tap { variant, output, place }),
                                    None => T::default(),
                                }
                            }));
                        }
                    }
                }
            }
        }
        all
    }

    /// What inputs of each source can reach the block.
    pub fn windows(&self) -> Vec<Window> {
        let first_group = self.plane.first_channel / (self.channels / self.groups);
        let of = |over: &Over| {
            let rows = (0..over.input[1]).filter(|&y| over.reached[0][y as usize].is_some());
            let (first, last) = rows.fold((u32::MAX, 0), |(first, last), y| (first.min(y), last.max(y + 1)));
            let inputs = over.input[0] / self.groups;
            [first.min(last)..last, first_group * inputs..(first_group + self.bands) * inputs]
        };
        self.over.iter().map(of).collect()
    }
}

impl Over {
    /// What inputs of a row and a column reach.
    fn reached(&self, y: u32, x: u32) -> [Option<Reached>; 2] {
        [self.reached[0][y as usize], self.reached[1][x as usize]]
    }

    /// The taps of a channel in the order of memory, by row and column; nothing between dilated ones.
    fn taps(&self, row_step: u32) -> Vec<(Option<u32>, Option<u32>)> {
        let along = |axis: &Axis, phase: u32, step: u32| -> Vec<Option<u32>> {
            let (taps, apart): (Vec<u32>, u32) = (axis.taps(phase).collect(), axis.step() / step);
            (0..span(axis, phase, step)).map(|at| (at % apart == 0).then(|| taps[(at / apart) as usize])).collect()
        };
        let mut all = Vec::new();
        for (y, x) in (0..self.axes[0].stride).flat_map(|y| (0..self.axes[1].stride).map(move |x| (y, x))) {
            let columns = along(&self.axes[1], x, 1);
            let rows = along(&self.axes[0], y, row_step);
            all.extend(rows.into_iter().flat_map(|y| columns.iter().map(move |&x| (y, x))));
        }
        all
    }

    /// The place among the weights of an output channel of that from an input channel by a tap; nothing if they are of different
    /// groups.
    fn place(&self, channel: u32, output: u32, outputs: u32, [y, x]: [u32; 2]) -> Option<u32> {
        let inputs = self.input[0] / self.groups;
        let (group, at) = (channel / inputs, channel % inputs);
        let place = (at * self.axes[0].kernel + y) * self.axes[1].kernel + x;
        (output / (outputs / self.groups) == group).then_some(self.first_weight + place)
    }
}

/// Places `step` apart from the first to the last output that an input of a phase reaches.
fn span(axis: &Axis, phase: u32, step: u32) -> u32 {
    match axis.taps(phase).count() as u32 {
        0 => 0,
        taps => (taps - 1) * axis.step() / step + 1,
    }
}
