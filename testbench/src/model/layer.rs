//! A layer with its state: what it is shown flows into its neurons, they move, what they did is noted.

use super::dynamics::{Neurons, State};
use super::feed::{Arrival, Connection, Row, Step, add_row};
use super::noise::Noise;
use super::rule::direct::Table;
use super::rule::{Asked, Pending};
use super::window_bits;
use super::{Number, Window};
use onward_net::{Gate, Rule, When};
use std::collections::BTreeMap;

/// Where the binary points of a layer are: fraction bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// Of weights.
    pub weights: u32,
    /// Of the target's projection.
    pub targets: u32,
    /// Of membranes, thresholds and biases.
    pub membrane: u32,
}

/// A layer with its state.
#[derive(Clone, Debug)]
pub struct Layer<N> {
    /// What the text calls it.
    pub name: String,
    /// How it is connected to its source.
    pub connection: Connection,
    /// Places of its source.
    pub inputs: usize,
    /// Whether the target has a projection of its own into the layer.
    pub fed_by_target: bool,
    /// Bits of a weight.
    pub weight_bits: u32,
    /// Binary points.
    pub format: Format,
    /// What its neurons are, in the order of the connection.
    pub neurons: Neurons<N>,
    /// How it learns, if it does.
    pub rule: Option<Rule>,
    /// What the updates of a window are divided by in this epoch: `2^shift`.
    pub shift: i64,
    /// By divisor of what arrives, in the order of the connection. A layer that learns has one.
    pub weights: BTreeMap<u64, Vec<N>>,
    /// `[from][to]`, of the layer's own spikes of the step before; empty without recurrence.
    pub own_weights: Vec<N>,
    /// `[class][neuron]`; empty unless the target feeds the layer.
    pub target_weights: Vec<N>,
    /// Running sums of changes, where these have momentum: of weights and own weights.
    pub velocity: [Vec<N>; 2],
    /// `[axon]`, places of the source, then own neurons: steps it was active in the last input window, also in inference; of
    /// a layer that learns at steps what is left of that, 8 fraction bits.
    pub trace: Vec<N>,
    /// `[class][axon]`: the same of the last target window of each class.
    pub target_trace: Vec<Vec<N>>,
    /// The blocks.
    pub blocks: Vec<Block<N>>,
    pub(super) window: i64,
}

/// A block's state. Arrays have an element a neuron, or `[class][neuron]`.
#[derive(Clone, Debug)]
pub struct Block<N> {
    /// The block's neurons by their numbers in the layer.
    pub members: Vec<usize>,
    pub(super) rows: [Vec<Row>; 2],
    /// Random bits.
    pub noise: Noise,
    /// What is learned beside weights: by neuron, or by channel of a convolution.
    pub bias: Vec<N>,
    /// Of input windows and of target windows.
    pub state: [State<N>; 2],
    /// Which of these the last window was.
    pub side: usize,
    /// Spikes in the last input window.
    pub count: Vec<N>,
    /// Spikes in the last target window of each class.
    pub target_count: Vec<Vec<N>>,
    /// Sums of what was integrated in the last input window, also in inference.
    pub voltage: Vec<N>,
    /// The same of target windows.
    pub target_voltage: Vec<Vec<N>>,
    /// Where scores are of voltages, that of the last input window in thresholds.
    pub potential: Vec<N>,
    /// The same of target windows.
    pub target_potential: Vec<Vec<N>>,
    /// By bias, running mean of the count, 12 fraction bits.
    pub mean_count: Vec<N>,
    /// Running mean of the squared pull of the input's path, 8 fraction bits.
    pub mean_square: Vec<N>,
    /// What rounding cut off of the last change, by element of a row.
    pub remainder: Vec<N>,
    /// The scores that were last computed, `[class]`.
    pub scores: Vec<N>,
    /// By how much each class counts, where the loss looks at all of them: probabilities of 8 fraction bits, or 1.
    pub probabilities: Vec<N>,
    /// Of each step of the last sample, its input window first.
    pub steps: Vec<Moment<N>>,
    /// What classes are compared by, where the target reaches the layer directly.
    pub table: Option<Table<N>>,
    /// Spikes in the last window, where target windows are only passed on.
    pub passed: Vec<N>,
    pub(super) batch: Vec<Asked<N>>,
    pub(super) pending: Option<Pending<N>>,
}

/// What a block's neurons did in a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment<N> {
    /// Which fired.
    pub spikes: Vec<bool>,
    /// Membranes after the step.
    pub membrane: Vec<N>,
}

impl<N: Number> Layer<N> {
    /// Number of neurons.
    pub fn size(&self) -> usize {
        self.neurons.threshold.len()
    }

    /// Fraction bits in the numbers of the model.
    pub(super) fn points(&self) -> Format {
        let Format { weights, targets, membrane } = self.format;
        Format { weights: N::point(weights), targets: N::point(targets), membrane: N::point(membrane) }
    }

    /// 1.0 on the membrane.
    pub fn one(&self) -> N {
        N::nearest(1.0, self.format.membrane)
    }

    /// The weights that are learned.
    pub fn learned(&self) -> &Vec<N> {
        self.weights.values().next().expect("a layer has weights")
    }

    /// Whether it learns by targets that reach it directly.
    pub(super) fn is_direct(&self) -> bool {
        self.rule.as_ref().is_some_and(Rule::is_direct)
    }

    pub(super) fn learns_at_steps(&self) -> bool {
        self.rule.as_ref().is_some_and(|rule| rule.when != When::Window)
    }

    /// Shows the steps of a window; returns what the neurons send in each.
    pub fn show(&mut self, window: Window, shown: &[Step<N>]) -> Vec<Step<N>> {
        let is_projected = self.fed_by_target && window.is_target();
        self.open(window, is_projected);
        let mut fired = Vec::new();
        let mut sent = Vec::new();
        for (step, arrivals) in shown.iter().enumerate() {
            let own = if self.own_weights.is_empty() { Vec::new() } else { spikes(&fired) };
            self.note_axons(window, is_projected, arrivals, &own);
            let sums = self.sums(is_projected, arrivals, &own);
            for block in &mut self.blocks {
                block.step(window, &self.neurons, &sums);
            }
            fired = self.fired();
            self.learn_at(window, step + 1);
            self.go_on();
            let mut places: Vec<usize> = fired.iter().map(|&neuron| self.connection.place(neuron)).collect();
            places.sort_unstable();
            sent.push(spikes(&places));
        }
        if self.rule.as_ref().is_some_and(|rule| rule.gate == Gate::Voltage) {
            let (one, steps) = (self.one(), shown.len() as i64);
            self.blocks.iter_mut().for_each(|block| block.note_potential(window, one, steps));
        }
        let is_of_voltage = self.rule.as_ref().is_some_and(|rule| rule.gate == Gate::Voltage);
        for block in self.blocks.iter_mut().filter(|_| !window.is_target()) {
            if let Some(table) = &mut block.table {
                table.note(if is_of_voltage { &block.potential } else { &block.count }, self.window);
            }
        }
        sent
    }

    fn open(&mut self, window: Window, is_projected: bool) {
        let goes_on = window.continues() && self.learns_at_steps();
        match window {
            Window::Input { .. } if !goes_on => self.trace.fill(N::default()),
            Window::Target(class) if !is_projected => self.target_trace[class].fill(N::default()),
            _ => {}
        }
        for block in &mut self.blocks {
            block.open(window, goes_on, &self.neurons);
        }
    }

    /// Notes which axons are active.
    fn note_axons(&mut self, window: Window, is_projected: bool, arrivals: &[Arrival<N>], own: &[Arrival<N>]) {
        let mut one = N::nearest(1.0, 0);
        if let Some(When::Steps { memory, .. }) = self.rule.as_ref().map(|rule| rule.when) {
            if !matches!(window, Window::Input { learn: Some(_), .. }) {
                return;
            }
            one = N::nearest(1.0, 8);
            self.trace.iter_mut().for_each(|trace| *trace = *trace - trace.part(memory));
        }
        if is_projected {
            return;
        }
        let trace = match window {
            Window::Input { .. } => &mut self.trace,
            Window::Target(class) => &mut self.target_trace[class],
        };
        let own = own.iter().map(|arrival| (self.inputs + arrival.place, arrival.value));
        for (axon, value) in arrivals.iter().map(|arrival| (arrival.place, arrival.value)).chain(own) {
            trace[axon] = trace[axon] + one * value;
        }
        if self.learns_at_steps() {
            self.trace.iter_mut().for_each(|trace| *trace = trace.held(16));
        }
    }

    /// What flows into each neuron in a step. Where not all have the same binary point, sums of weights are shifted left to the
    /// membrane's, and the bias comes last.
    fn sums(&self, is_projected: bool, arrivals: &[Arrival<N>], own: &[Arrival<N>]) -> Vec<N> {
        let Format { weights, targets, membrane } = self.points();
        let is_finer = weights != membrane || targets != membrane;
        let nothing = vec![N::default(); self.size()];
        let mut bias = nothing.clone();
        for block in self.blocks.iter().filter(|_| !is_projected) {
            // A convolution's neurons lie place by place, the channels of each together.
            let of_neurons = block.bias.iter().cycle();
            block.members.iter().zip(of_neurons).for_each(|(&neuron, &of_neuron)| bias[neuron] = of_neuron);
        }
        let mut sums = if is_finer { nothing } else { bias.clone() };
        for arrival in arrivals {
            match is_projected {
                true => add_row(&self.target_weights, arrival, &mut sums),
                false => self.connection.add(&self.weights[&arrival.divisor], arrival, &mut sums),
            }
        }
        let finer = |sums: &mut Vec<N>, bits: u32| {
            sums.iter_mut().for_each(|sum| *sum = sum.rounded(-i64::from(membrane - bits), 0));
        };
        if is_finer {
            finer(&mut sums, if is_projected { targets } else { weights });
        }
        if !own.is_empty() && is_finer {
            let mut of_own = vec![N::default(); sums.len()];
            own.iter().for_each(|arrival| add_row(&self.own_weights, arrival, &mut of_own));
            finer(&mut of_own, weights);
            sums.iter_mut().zip(of_own).for_each(|(sum, own)| *sum = (*sum + own).held(32));
        } else {
            own.iter().for_each(|arrival| add_row(&self.own_weights, arrival, &mut sums));
        }
        if is_finer {
            sums.iter_mut().zip(bias).for_each(|(sum, bias)| *sum = (*sum + bias).held(32));
        }
        sums
    }

    /// The neurons that fired in the last step.
    fn fired(&self) -> Vec<usize> {
        let of_block = |block: &Block<N>| {
            let last = block.steps.last().map_or(&[][..], |step| &step.spikes);
            block.members.iter().zip(last).filter(|(_, fires)| **fires).map(|(&neuron, _)| neuron).collect::<Vec<_>>()
        };
        self.blocks.iter().flat_map(of_block).collect()
    }

    /// Connects the layer to its source by these pairs, from and to; their weights are 0.
    pub fn connect(&mut self, pairs: impl IntoIterator<Item = (usize, usize)>) {
        self.connection = Connection::pairs(pairs, self.inputs);
        let (inputs, size) = (self.inputs, self.size());
        let zeros = vec![N::default(); self.connection.weights(inputs, size)];
        self.weights = BTreeMap::from([(1, zeros.clone())]);
        self.velocity[0] = zeros;
        for block in &mut self.blocks {
            block.rows[0] = self.connection.rows(inputs, size, &block.members);
        }
    }

    /// An array of a block by the name and in the order that it has on the chip.
    pub fn array(&self, block: usize, name: &str) -> Option<Vec<N>> {
        let held = &self.blocks[block];
        let learned = |all: &[N]| held.weight_order(self).iter().map(|&weight| all[weight]).collect::<Vec<N>>();
        let rows = |all: &[N]| {
            all.chunks(self.size()).flat_map(|row| held.members.iter().map(|&neuron| row[neuron])).collect::<Vec<N>>()
        };
        Some(match name {
            "weights" => learned(self.learned()),
            "velocity" => learned(&self.velocity[0]),
            "own_weights" => rows(&self.own_weights),
            "target_weights" => rows(&self.target_weights),
            "membrane" => held.state[if self.learns_at_steps() { 0 } else { held.side }].membrane.clone(),
            "target_membrane" => held.state[1].membrane.clone(),
            "current" => held.state[if self.learns_at_steps() { 0 } else { held.side }].current.clone(),
            "target_current" => held.state[1].current.clone(),
            "bias" => held.bias.clone(),
            "count" if held.table.is_some() => held.passed.clone(),
            "count" => held.count.clone(),
            "rate" => held.table.as_ref().map_or_else(Vec::new, |table| table.rates.clone()),
            "table" => held.table.as_ref().map_or_else(Vec::new, |table| table.rows.concat()),
            "target_count" => held.target_count.concat(),
            "voltage" => held.voltage.clone(),
            "target_voltage" => held.target_voltage.concat(),
            "potential" => held.potential.clone(),
            "target_potential" => held.target_potential.concat(),
            "mean_count" => held.mean_count.clone(),
            "mean_square" => held.mean_square.clone(),
            "remainder" => held.remainder.clone(),
            "scores" => held.scores.clone(),
            "class_weights" => held.probabilities.clone(),
            "trace" if self.learns_at_steps() => {
                let classes = vec![N::default(); if self.fed_by_target { self.target_trace.len() } else { 0 }];
                [&self.trace[..self.inputs], &classes, &self.trace[self.inputs..]].concat()
            }
            "trace" => self.trace.clone(),
            "target_trace" => self.target_trace.concat(),
            _ => return None,
        })
    }

    /// Gives a block weights in the order that they have on the chip: `weights`, `own_weights` or `target_weights`.
    pub fn give(&mut self, block: usize, name: &str, values: &[N]) {
        let (held, size) = (&self.blocks[block], self.size());
        let (array, order) = match name {
            "weights" => {
                let order = held.weight_order(self);
                (self.weights.values_mut().next().expect("a layer has weights"), order)
            }
            "table" => {
                let table = self.blocks[block].table.as_mut().expect("a block with a table");
                let columns = table.rates.len();
                table.rows.iter_mut().zip(values.chunks(columns)).for_each(|(row, values)| row.copy_from_slice(values));
                return;
            }
            _ => {
                let array = if name == "own_weights" { &mut self.own_weights } else { &mut self.target_weights };
                let rows = 0..array.len() / size;
                (array, rows.flat_map(|row| held.members.iter().map(move |neuron| row * size + neuron)).collect())
            }
        };
        assert_eq!(values.len(), order.len(), "`{name}` of a block of `{}`", self.name);
        order.into_iter().zip(values).for_each(|(place, &value)| array[place] = value);
    }
}

/// Spikes at these places.
pub fn spikes<N: Number>(places: &[usize]) -> Step<N> {
    places.iter().map(|&place| value(place, N::nearest(1.0, 0))).collect()
}

/// A value that is sent to a place.
pub fn value<N>(place: usize, value: N) -> Arrival<N> {
    Arrival { place, value, divisor: 1 }
}

impl<N: Number> Block<N> {
    /// A block of a layer before its first sample.
    pub(super) fn new(
        members: Vec<usize>,
        rows: [Vec<Row>; 2],
        biases: usize,
        noise: Noise,
        (classes, window): (usize, i64),
    ) -> Block<N> {
        let zeros = vec![N::default(); members.len()];
        let by_class = vec![zeros.clone(); classes];
        let longest = rows.iter().flatten().map(Row::count).max().unwrap_or(0);
        Block {
            noise,
            bias: vec![N::default(); biases],
            state: [State::new(members.len()), State::new(members.len())],
            side: 0,
            count: zeros.clone(),
            target_count: by_class.clone(),
            voltage: zeros.clone(),
            target_voltage: by_class.clone(),
            potential: zeros.clone(),
            target_potential: by_class,
            mean_count: vec![N::default(); biases],
            // As if all pulls so far had been half a window: steps begin unscaled.
            mean_square: vec![N::nearest((2.0 * window_bits(window) as f64).exp2() / 4.0, 8); members.len()],
            remainder: vec![N::default(); longest],
            scores: vec![N::default(); classes],
            probabilities: vec![N::default(); classes],
            steps: Vec::new(),
            table: None,
            passed: zeros,
            batch: Vec::new(),
            pending: None,
            members,
            rows,
        }
    }

    /// A window opens: what it counts starts from 0, and so do neurons unless it goes on.
    fn open(&mut self, window: Window, goes_on: bool, neurons: &Neurons<N>) {
        self.side = usize::from(window.is_target());
        if !goes_on {
            let start = self.members.iter().map(|&neuron| neurons.current_start[neuron]).collect();
            self.state[self.side] = State::new(self.members.len());
            self.state[self.side].current = start;
        }
        if !window.is_target() {
            self.steps.clear();
        }
        let (count, voltage) = match window {
            Window::Input { .. } => (&mut self.count, &mut self.voltage),
            Window::Target(class) => (&mut self.target_count[class], &mut self.target_voltage[class]),
        };
        count.fill(N::default());
        voltage.fill(N::default());
        self.passed.fill(N::default());
    }

    fn step(&mut self, window: Window, neurons: &Neurons<N>, sums: &[N]) {
        let side = self.side;
        let mut spikes = vec![false; self.members.len()];
        let (count, voltage) = match window {
            Window::Input { .. } => (&mut self.count, &mut self.voltage),
            Window::Target(class) => (&mut self.target_count[class], &mut self.target_voltage[class]),
        };
        for (i, &neuron) in self.members.iter().enumerate() {
            let moved = neurons.step(neuron, &mut self.state[side], i, sums[neuron]);
            spikes[i] = moved.fires;
            voltage[i] = (voltage[i] + moved.taken).held(32);
            if moved.fires {
                count[i] = count[i] + N::nearest(1.0, 0);
                self.passed[i] = count[i];
            }
        }
        self.steps.push(Moment { spikes, membrane: self.state[side].membrane.clone() });
    }

    /// Keeps the voltages of a window as the scores want them.
    fn note_potential(&mut self, window: Window, one: N, steps: i64) {
        let (voltage, potential) = match window {
            Window::Input { .. } => (&self.voltage, &mut self.potential),
            Window::Target(class) => (&self.target_voltage[class], &mut self.target_potential[class]),
        };
        for (voltage, potential) in voltage.iter().zip(potential) {
            *potential = voltage.potential(one, steps);
        }
    }

    /// The numbers of the block's weights in the order of the chip's memory.
    pub(super) fn weight_order(&self, layer: &Layer<N>) -> Vec<usize> {
        match layer.connection {
            Connection::Dense => self.rows[0].iter().flat_map(|row| row.weights.clone()).flatten().collect(),
            _ => layer.connection.memory(layer.inputs, layer.size(), &self.members),
        }
    }
}
