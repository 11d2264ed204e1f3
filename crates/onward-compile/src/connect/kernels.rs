//! The kernels of a convolution as they lie in a block's memories.

use super::axis::Axis;
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
    axes: [Axis; 2],
    /// Channels, height, width of what comes in.
    input: [u32; 3],
    /// Input and output channels of a group.
    group: [u32; 2],
    /// Variants of the weights.
    variants: u32,
    /// Rows before the first; places before the first of a row.
    before: [u32; 2],
    /// Rows of a band and places of a row, halo included.
    rows: u32,
    pitch: u32,
    /// By phase along y and x, the first tap of the sub-kernel in that of a channel; and all of them.
    starts: Vec<Vec<u32>>,
    taps: u32,
}

impl Kernels {
    pub fn new(convolution: &Convolution, input: [u32; 3], block: &PlannedBlock, variants: u32) -> Kernels {
        let Order::Plane(plane) = block.order else { unreachable!("a convolution's blocks hold planes") };
        let axis = |at: usize, outputs| Axis {
            outputs,
            kernel: convolution.kernel[at],
            stride: convolution.stride[at],
            padding: convolution.padding[at],
            dilation: convolution.dilation[at],
        };
        let axes = [axis(0, plane.height), axis(1, plane.width)];
        let (above, below) = axes[0].halo(input[1], &(plane.first_row..plane.first_row + plane.rows));
        let (left, right) = axes[1].halo(input[2], &(0..plane.width));
        let mut starts = Vec::new();
        let mut taps = 0;
        for y in 0..axes[0].stride {
            let of_row = (0..axes[1].stride).map(|x| {
                let start = taps;
                taps += axes[0].taps(y).len() as u32 * span(&axes[1], x);
                start
            });
            starts.push(of_row.collect());
        }
        Kernels {
            plane,
            bands: block.neurons / (plane.channels * plane.rows * plane.width),
            axes,
            input,
            group: [input[0] / convolution.groups, convolution.channels / convolution.groups],
            variants,
            before: [above, left],
            rows: above + plane.rows + below,
            // What reaches beyond the end of a row may fall on the halo before the next.
            pitch: plane.width + left.max(right),
            starts,
            taps,
        }
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
        self.axes[0].step() * self.row_pitch()
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
        u64::from(self.bands) * u64::from(self.variants) * u64::from(self.group[0]) * u64::from(self.taps)
    }

    /// The longest run, in elements.
    pub fn longest_run(&self) -> u32 {
        (0..self.axes[1].stride).map(|phase| span(&self.axes[1], phase)).max().unwrap_or(0) * self.plane.channels
    }

    /// Rows of the kernel that an event adds at most.
    pub fn kernel_rows(&self) -> u32 {
        (0..self.axes[0].stride).map(|phase| self.axes[0].taps(phase).len() as u32).max().unwrap_or(0)
    }

    /// Input channels of a group.
    pub fn channels(&self) -> u32 {
        self.group[0]
    }

    /// Taps of all sub-kernels of a channel.
    pub fn taps_of_channel(&self) -> u32 {
        self.taps
    }

    /// The sub-kernels of a channel, one a phase of the stride along y and x; those that no input reaches anything by are
    /// left out. How many inputs each has is not known here.
    pub fn phases(&self) -> Vec<Phase> {
        let [along_y, along_x] = &self.axes;
        let all = (0..along_y.stride).flat_map(|y| (0..along_x.stride).map(move |x| (y, x)));
        let phases = all.map(|(y, x)| Phase {
            places: 0,
            first_tap: self.starts[y as usize][x as usize],
            rows: along_y.taps(y).len() as u32,
            run: span(along_x, x) * self.plane.channels,
        });
        phases.filter(|phase| phase.rows > 0 && phase.run > 0).collect()
    }

    fn rows_of_block(&self) -> Range<u32> {
        self.plane.first_row..self.plane.first_row + self.plane.rows
    }

    /// The group of a band.
    fn group_of(&self, band: u32) -> u32 {
        self.plane.first_channel / self.group[1] + band
    }

    /// For each place and variant that an axon feeds, where its sub-kernel and its first sum are: the number of the first
    /// tap in the upper half, the sum in the lower. The shape says rows in the upper half, the run's length in the lower.
    pub fn entries(&self, feeds: &[(u32, u32)]) -> Vec<Entry> {
        feeds.iter().filter_map(|&(place, variant)| self.entry(place, variant)).collect()
    }

    /// Synapses of the block that a spike with these places and variants reaches: taps that fall on its neurons.
    pub fn synapses(&self, feeds: &[(u32, u32)]) -> u32 {
        let [_, height, width] = self.input;
        let of_place = |&(place, _): &(u32, u32)| {
            let (channel, at) = (place / (height * width), place % (height * width));
            let is_here = (channel / self.group[0]).checked_sub(self.group_of(0)).is_some_and(|band| band < self.bands);
            let rows = self.axes[0].outputs(at / width, &self.rows_of_block());
            let columns = self.axes[1].outputs(at % width, &(0..self.plane.width));
            if is_here { rows * columns * self.plane.channels } else { 0 }
        };
        feeds.iter().map(of_place).sum()
    }

    fn entry(&self, place: u32, variant: u32) -> Option<Entry> {
        let [_, height, width] = self.input;
        let (channel, at) = (place / (height * width), place % (height * width));
        let (y, x) = (at / width, at % width);
        let band = (channel / self.group[0]).checked_sub(self.group_of(0)).filter(|&band| band < self.bands)?;
        let rows = self.axes[0].reach(y, &self.rows_of_block())?;
        let columns = self.axes[1].reach(x, &(0..self.plane.width))?;
        let phases = [self.axes[0].phase(y), self.axes[1].phase(x)];
        let tap = self.first_tap(band, variant, channel % self.group[0], phases);
        let sum = self.sum(band, rows.first, columns.first);
        let run = span(&self.axes[1], phases[1]) * self.plane.channels;
        // Whether they fit is checked where the block is (`generate`).
        let pack = |high: u32, low: u32| (high << 16 | low & 0xffff) as i32;
        Some(Entry { value: pack(tap, sum), shape: pack(rows.taps.len() as u32, run) })
    }

    fn first_tap(&self, band: u32, variant: u32, channel: u32, phases: [u32; 2]) -> u32 {
        let kernel = (band * self.variants + variant) * self.group[0] + channel;
        kernel * self.taps + self.starts[phases[0] as usize][phases[1] as usize]
    }

    /// The weights as they lie in synapse memory: `weight(variant, output channel, channel of the group, tap along y, x)`;
    /// the default between dilated taps.
    pub fn weights<T: Default>(&self, weight: impl Fn(u32, u32, u32, u32, u32) -> T) -> Vec<T> {
        let mut all = Vec::with_capacity(self.all_taps() as usize * self.plane.channels as usize);
        let step = self.axes[1].step();
        for band in 0..self.bands {
            let first_channel = self.plane.first_channel + band * self.plane.channels;
            for variant in 0..self.variants {
                for channel in 0..self.group[0] {
                    for y in 0..self.axes[0].stride {
                        for x in 0..self.axes[1].stride {
                            let columns = self.axes[1].taps(x);
                            for &tap in &self.axes[0].taps(y) {
                                for at in 0..span(&self.axes[1], x) {
                                    // Dilated taps leave zeros between them.
                                    let column = (at % step == 0).then(|| columns[(at / step) as usize]);
                                    all.extend((0..self.plane.channels).map(|c| match column {
                                        Some(column) => weight(variant, first_channel + c, channel, tap, column),
                                        None => T::default(),
                                    }));
                                }
                            }
                        }
                    }
                }
            }
        }
        all
    }

    /// What inputs of a plane can reach the block: rows, and channels.
    pub fn window(&self) -> (Range<u32>, Range<u32>) {
        let rows = (0..self.input[1]).filter(|&y| self.axes[0].reach(y, &self.rows_of_block()).is_some());
        let (first, last) = rows.fold((u32::MAX, 0), |(first, last), y| (first.min(y), last.max(y + 1)));
        let first_group = self.group_of(0);
        (first.min(last)..last, first_group * self.group[0]..(first_group + self.bands) * self.group[0])
    }
}

/// Places from the first to the last output that an input of a phase reaches.
fn span(axis: &Axis, phase: u32) -> u32 {
    match axis.taps(phase).len() as u32 {
        0 => 0,
        taps => (taps - 1) * axis.step() + 1,
    }
}
