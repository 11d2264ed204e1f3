//! Which weight lies between which place of a source and which neuron, and in which order weights change: dense layers,
//! convolutions, pairs.
//!
//! A place is `(channel * height + y) * width + x`. Neurons of a convolution are numbered place by place, the channels of a
//! place side by side, as a block holds them; all others as places are.

use super::Number;
use onward_net::{Convolution, LayerKind, Values};
use std::ops::Range;

/// Channels, height and width.
pub type Plane = [usize; 3];

/// Channels, height and width of any shape.
pub fn plane(shape: &[u32]) -> Plane {
    let mut plane = [1; 3];
    let missing = plane.len() - shape.len();
    plane[missing..].iter_mut().zip(shape).for_each(|(extent, &given)| *extent = given as usize);
    plane
}

/// Something that is sent: a spike (1) or a value, and what it is still to be divided by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arrival<N> {
    /// Where.
    pub place: usize,
    /// How much.
    pub value: N,
    /// Places of the averages on its way, multiplied; 1 without.
    pub divisor: u64,
}

/// What is sent in a step.
pub type Step<N> = Vec<Arrival<N>>;

/// How a layer is connected to its source.
#[derive(Clone, Debug)]
pub enum Connection {
    /// Weights `[place][neuron]`.
    Dense,
    /// Weights `[tap][channel]`, taps by channel of the group, row and column of the kernel.
    Kernels(Kernels),
    /// A weight a pair: of each place, the pairs and their neurons.
    Pairs(Vec<Vec<(usize, usize)>>),
}

/// A convolution over its source.
#[derive(Clone, Debug)]
pub struct Kernels {
    text: Convolution,
    input: Plane,
    /// Channels, height and width of the output.
    pub output: Plane,
    /// `[place of the source]`: the taps that it meets, each with the place of the kernel.
    reached: Vec<Vec<(usize, usize)>>,
    /// `[place of the source]`: the output channels that know of it.
    outputs: Vec<Range<usize>>,
    /// Taps, of all sources.
    all_taps: usize,
}

/// Weights of a block that change together: they share a draw, and are its elements in this order.
#[derive(Clone, Debug)]
pub struct Row {
    /// Where the weights are.
    pub weights: Vec<Range<usize>>,
    /// By what they change.
    pub kind: RowKind,
}

/// By what the weights of a row change.
#[derive(Clone, Debug)]
pub enum RowKind {
    /// The axon's trace, times the pull on each neuron of the block.
    Axon(usize),
    /// The axon's trace, times the pulls on these.
    Some(usize, Vec<usize>),
    /// For each range of weights, the pairs of an axon and a place: the axon's trace, times the pulls at the place.
    Places(Vec<Vec<(usize, usize)>>),
}

impl Connection {
    /// Of a layer of this kind and shape over sources: one, or of a convolution one for each kernel.
    pub fn new(kind: &LayerKind, sources: &[&[u32]], shape: &[u32]) -> Connection {
        match kind {
            LayerKind::Dense => Connection::Dense,
            LayerKind::Convolution(text) => {
                let mut kernels = Kernels::new(text, plane(sources[0]), plane(shape));
                for (text, source) in text.joined.iter().zip(&sources[1..]) {
                    kernels.join(Kernels::new(text, plane(source), plane(shape)));
                }
                Connection::Kernels(kernels)
            }
            LayerKind::Sparse(sparse) => {
                let Values::Array(array) = &sparse.connections else { panic!("pairs are read") };
                let pairs = array.values.chunks(3).map(|row| (row[0] as usize, row[1] as usize));
                Connection::pairs(pairs, sources[0].iter().product::<u32>() as usize)
            }
        }
    }

    /// Of pairs, from and to, each with the weight of its number.
    pub fn pairs(pairs: impl IntoIterator<Item = (usize, usize)>, inputs: usize) -> Connection {
        let mut reached = vec![Vec::new(); inputs];
        pairs.into_iter().enumerate().for_each(|(pair, (from, to))| reached[from].push((pair, to)));
        Connection::Pairs(reached)
    }

    /// Number of weights.
    pub fn weights(&self, inputs: usize, neurons: usize) -> usize {
        match self {
            Connection::Dense => inputs * neurons,
            Connection::Kernels(kernels) => kernels.all_taps * kernels.output[0],
            Connection::Pairs(reached) => reached.iter().map(Vec::len).sum(),
        }
    }

    /// Adds what an arrival makes flow into each neuron.
    pub fn add<N: Number>(&self, weights: &[N], arrival: &Arrival<N>, sums: &mut [N]) {
        let mut add_all = |first: usize, weights: &[N]| add_products(arrival.value, weights, &mut sums[first..]);
        match self {
            Connection::Dense => add_row(weights, arrival, sums),
            Connection::Kernels(kernels) => {
                let channels = kernels.output[0];
                let of_group = kernels.outputs[arrival.place].clone();
                for &(tap, place) in &kernels.reached[arrival.place] {
                    let row = &weights[tap * channels..][of_group.clone()];
                    add_all(place * channels + of_group.start, row);
                }
            }
            Connection::Pairs(reached) => {
                for &(pair, neuron) in &reached[arrival.place] {
                    add_all(neuron, &weights[pair..=pair]);
                }
            }
        }
    }

    /// The place at which a neuron's spikes leave.
    pub fn place(&self, neuron: usize) -> usize {
        match self {
            Connection::Kernels(kernels) => {
                let [channels, height, width] = kernels.output;
                neuron % channels * height * width + neuron / channels
            }
            Connection::Dense | Connection::Pairs(_) => neuron,
        }
    }

    /// The neurons of each block, in the order in which it holds them; `block` counts neurons, or channels.
    pub fn blocks(&self, neurons: usize, block: usize) -> Vec<Vec<usize>> {
        let parts = |all: usize| (0..all).step_by(block).map(move |first| first..(first + block).min(all));
        match self {
            Connection::Kernels(kernels) => {
                let [channels, height, width] = kernels.output;
                let of_places = |part: Range<usize>| {
                    (0..height * width)
                        .flat_map(|place| part.clone().map(move |channel| place * channels + channel))
                        .collect()
                };
                parts(channels).map(of_places).collect()
            }
            Connection::Dense | Connection::Pairs(_) => parts(neurons).map(Range::collect).collect(),
        }
    }

    /// The weights of a block by the order in which they change.
    pub fn rows(&self, inputs: usize, neurons: usize, block: &[usize]) -> Vec<Row> {
        match self {
            Connection::Dense => dense_rows(0, inputs, neurons, block),
            Connection::Kernels(kernels) => kernels.rows(block),
            Connection::Pairs(reached) => {
                let of_place = |(axon, pairs): (usize, &Vec<(usize, usize)>)| {
                    let place = |neuron| block.iter().position(|&own| own == neuron);
                    let own: Vec<_> = pairs.iter().filter_map(|&(pair, to)| Some((pair, place(to)?))).collect();
                    let weights = own.iter().map(|&(pair, _)| pair..pair + 1).collect();
                    Row { weights, kind: RowKind::Some(axon, own.into_iter().map(|(_, to)| to).collect()) }
                };
                let rows = reached.iter().enumerate().map(of_place);
                rows.filter(|row| !row.weights.is_empty()).collect()
            }
        }
    }

    /// The weights of a block in the order of the chip's memory.
    pub fn memory(&self, inputs: usize, neurons: usize, block: &[usize]) -> Vec<usize> {
        let mut rows = self.rows(inputs, neurons, block);
        if let Connection::Kernels(kernels) = self {
            rows = kernels.all_rows(block, true);
        }
        rows.into_iter().flat_map(|row| row.weights).flatten().collect()
    }

    /// How many neurons of a block share a draw where the target's weights change.
    pub fn target_row(&self, block: &[usize]) -> usize {
        match self {
            Connection::Kernels(kernels) => block.len() / kernels.output[1],
            Connection::Dense | Connection::Pairs(_) => block.len(),
        }
    }

    /// What changes are divided by more, as so many places ask for them: 2 to the power of this.
    pub fn places_shift(&self) -> i64 {
        match self {
            Connection::Kernels(kernels) => kernels.places_shift(),
            Connection::Dense | Connection::Pairs(_) => 0,
        }
    }

    /// Biases that a block of so many neurons learns: one each, of a convolution one a channel, but only where it `revives`.
    pub fn biases(&self, neurons: usize, revives: bool) -> usize {
        match self {
            Connection::Dense | Connection::Pairs(_) => neurons,
            Connection::Kernels(kernels) if revives => neurons / (kernels.output[1] * kernels.output[2]),
            Connection::Kernels(_) => 0,
        }
    }

    /// Whether neurons share weights by their places.
    pub fn is_plane(&self) -> bool {
        matches!(self, Connection::Kernels(_))
    }
}

/// Adds an arrival's row of weights `[place][neuron]`.
pub fn add_row<N: Number>(weights: &[N], arrival: &Arrival<N>, sums: &mut [N]) {
    let row = &weights[arrival.place * sums.len()..][..sums.len()];
    add_products(arrival.value, row, sums);
}

/// Adds a factor times each of some numbers to sums of 32 bits. Hot: nearly all of a window's time is spent here.
fn add_products<N: Number>(factor: N, numbers: &[N], sums: &mut [N]) {
    let sums = &mut sums[..numbers.len()];
    for i in 0..numbers.len() {
        sums[i] = (sums[i] + factor * numbers[i]).held(32);
    }
}

/// Rows of weights `[place][neuron]` into a block, whose axons are numbered from `first` on.
pub fn dense_rows(first: usize, inputs: usize, neurons: usize, block: &[usize]) -> Vec<Row> {
    let row = |place: usize| {
        let start = place * neurons + block[0];
        let weights = std::iter::once(start..start + block.len()).collect();
        Row { weights, kind: RowKind::Axon(first + place) }
    };
    (0..inputs).map(row).collect()
}

impl Row {
    /// What traces and pulls ask of each weight of the row.
    pub fn changes<N: Number>(&self, pulls: &[N], traces: &[N], changes: &mut [N]) {
        match &self.kind {
            RowKind::Axon(axon) => add_pulls(traces[*axon], pulls, changes),
            RowKind::Some(axon, neurons) => {
                for (change, &neuron) in changes.iter_mut().zip(neurons) {
                    *change = *change + pulls[neuron] * traces[*axon];
                }
            }
            RowKind::Places(taps) => {
                let channels = changes.len() / taps.len();
                for (changes, pairs) in changes.chunks_mut(channels).zip(taps) {
                    for &(axon, place) in pairs.iter().filter(|(axon, _)| traces[*axon] != N::default()) {
                        add_pulls(traces[axon], &pulls[place * channels..][..channels], changes);
                    }
                }
            }
        }
    }

    /// Whether the row's axon was silent; those of kernels are not asked.
    pub fn is_silent<N: Number>(&self, traces: &[N]) -> bool {
        match self.kind {
            RowKind::Axon(axon) | RowKind::Some(axon, _) => traces[axon] == N::default(),
            RowKind::Places(_) => false,
        }
    }

    /// Where each weight is.
    pub fn places(&self) -> impl Iterator<Item = usize> + '_ {
        self.weights.iter().cloned().flatten()
    }

    /// Number of weights.
    pub fn count(&self) -> usize {
        self.weights.iter().map(Range::len).sum()
    }
}

/// Adds a trace times each pull, exactly.
fn add_pulls<N: Number>(trace: N, pulls: &[N], changes: &mut [N]) {
    let changes = &mut changes[..pulls.len()];
    for i in 0..pulls.len() {
        changes[i] = changes[i] + pulls[i] * trace;
    }
}

impl Kernels {
    fn new(text: &Convolution, input: Plane, output: Plane) -> Kernels {
        let [rows, columns] = [text.kernel[0] as usize, text.kernel[1] as usize];
        let of_group = input[0] / text.groups as usize;
        let mut kernels =
            Kernels { text: text.clone(), input, output, reached: Vec::new(), outputs: Vec::new(), all_taps: 0 };
        kernels.all_taps = kernels.taps();
        kernels.outputs = (0..input.iter().product()).map(|place| kernels.group_of_input(place)).collect();
        for channel in 0..input[0] {
            for (y, x) in (0..input[1]).flat_map(|y| (0..input[2]).map(move |x| (y, x))) {
                let mut taps = Vec::new();
                for (ky, kx) in (0..rows).flat_map(|ky| (0..columns).map(move |kx| (ky, kx))) {
                    if let (Some(out_y), Some(out_x)) = (kernels.kernel_at(0, y, ky), kernels.kernel_at(1, x, kx)) {
                        let tap = (channel % of_group * rows + ky) * columns + kx;
                        taps.push((tap, out_y * output[2] + out_x));
                    }
                }
                kernels.reached.push(taps);
            }
        }
        kernels
    }

    /// Kernels over a further source, whose places and taps come behind those that there are.
    fn join(&mut self, other: Kernels) {
        let taps =
            |meets: Vec<(usize, usize)>| meets.into_iter().map(|(tap, place)| (self.all_taps + tap, place)).collect();
        self.reached.extend(other.reached.into_iter().map(taps));
        self.outputs.extend(other.outputs);
        self.all_taps += other.all_taps;
    }

    /// The row (axis 0) or column (1) of the output that has this tap at a row or column of the input, if one has.
    fn kernel_at(&self, axis: usize, input: usize, tap: usize) -> Option<usize> {
        let along = |pair: [u32; 2]| pair[axis] as usize;
        let start = (input + along(self.text.padding)).checked_sub(tap * along(self.text.dilation))?;
        let place = start / along(self.text.stride);
        (start % along(self.text.stride) == 0 && place < self.output[1 + axis]).then_some(place)
    }

    fn taps(&self) -> usize {
        self.input[0] / self.text.groups as usize * (self.text.kernel[0] * self.text.kernel[1]) as usize
    }

    /// The output channels that know of a place of the source.
    fn group_of_input(&self, place: usize) -> Range<usize> {
        let groups = self.text.groups as usize;
        let group = place / (self.input[1] * self.input[2]) / (self.input[0] / groups);
        let outputs = self.output[0] / groups;
        group * outputs..(group + 1) * outputs
    }

    fn places_shift(&self) -> i64 {
        (((self.output[1] * self.output[2]) as f64).log2() / 2.0).round() as i64
    }

    /// The rows in the order in which they change: by phase of the stride along y and x, by input channel, by row of the kernel
    /// from the last on; in a row from the last column on. Phases that no input has which reaches an output change nothing
    /// and draw nothing.
    fn rows(&self, block: &[usize]) -> Vec<Row> {
        let rows = self.all_rows(block, false).into_iter();
        rows.filter(|row| matches!(&row.kind, RowKind::Places(taps) if !taps.is_empty())).collect()
    }

    /// All rows: in the order of the chip's memory by input channel first. Those that reach nothing have no taps.
    fn all_rows(&self, block: &[usize], by_memory: bool) -> Vec<Row> {
        let ([rows, columns], [down, across]) = (self.text.kernel, self.text.stride);
        let (channels, first) = (self.output[0], block[0]);
        let count = block.iter().filter(|&&neuron| neuron < channels).count();
        let inputs = self.input[0] / self.text.groups as usize;
        let first_input = first / (channels / self.text.groups as usize) * inputs;
        let mut all = Vec::new();
        for phase_y in 0..down {
            for phase_x in 0..across {
                let kys: Vec<usize> = (0..rows).rev().filter(|ky| ky % down == phase_y).map(|ky| ky as usize).collect();
                let kxs: Vec<usize> =
                    (0..columns).rev().filter(|kx| kx % across == phase_x).map(|kx| kx as usize).collect();
                let meets = self.meets(0, &kys) && self.meets(1, &kxs);
                for (input, &ky) in (0..inputs).flat_map(|input| kys.iter().map(move |ky| (input, ky))) {
                    let tap = |kx: usize| (input * rows as usize + ky) * columns as usize + kx;
                    let weights = kxs.iter().map(|&kx| tap(kx) * channels + first..tap(kx) * channels + first + count);
                    let pairs = kxs.iter().map(|&kx| self.pairs(first_input + input, tap(kx)));
                    let taps = if meets { pairs.collect() } else { Vec::new() };
                    let key = (if by_memory { input } else { 0 }, all.len());
                    all.push((key, Row { weights: weights.collect(), kind: RowKind::Places(taps) }));
                }
            }
        }
        all.sort_by_key(|(key, _)| *key);
        all.into_iter().map(|(_, row)| row).filter(|row| !row.weights.is_empty()).collect()
    }

    /// Whether an input meets one of these taps along an axis, whose phase of the stride they share.
    fn meets(&self, axis: usize, taps: &[usize]) -> bool {
        (0..self.input[1 + axis]).any(|input| taps.iter().any(|&tap| self.kernel_at(axis, input, tap).is_some()))
    }

    /// Of a tap over an input channel: the places of the source that meet it, and where the kernel is then.
    fn pairs(&self, channel: usize, tap: usize) -> Vec<(usize, usize)> {
        let size = self.input[1] * self.input[2];
        let places = channel * size..(channel + 1) * size;
        let of_place = |from: usize| {
            let meeting = self.reached[from].iter().filter(move |(meeting, _)| *meeting == tap);
            meeting.map(move |&(_, place)| (from, place))
        };
        places.flat_map(of_place).collect()
    }
}
