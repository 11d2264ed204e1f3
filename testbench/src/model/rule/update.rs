//! How what is asked of weights becomes of them: paths are added, optimizer, rounding, decay; at once, in parts, or after a
//! batch.

use super::loss::{Pulls, moves_targets};
use crate::model::Number;
use crate::model::feed::{Connection, Row};
use crate::model::layer::{Block, Layer};
use crate::model::noise::Noise;
use crate::model::window_bits;
use onward_net::{Optimizer, Rounding, Rule, TargetPath, Update, When};

/// What a sample asks of the weights of a block: on each path the pulls on neurons, and the traces of axons.
#[derive(Clone, Debug)]
pub struct Asked<N> {
    paths: Vec<(Vec<N>, Vec<N>)>,
}

/// An update of which only some rows have been changed so far.
#[derive(Clone, Debug)]
pub struct Pending<N> {
    /// Parts that are done.
    parts: usize,
    asked: Asked<N>,
}

/// The weights that a row is of, with what is kept beside each.
struct Weights<'a, N> {
    weights: &'a mut [N],
    velocity: &'a mut [N],
    remainder: &'a mut [N],
    noise: &'a mut Noise,
    bits: u32,
    shift: i64,
}

impl<N: Number> Layer<N> {
    /// Changes what a block learns by the pulls of a window.
    pub(super) fn change(&mut self, number: usize, rule: &Rule, class: usize, rival: usize, pulls: Pulls<N>) {
        if rule.when == When::Window {
            let mut paths = vec![(pulls.input.clone(), self.trace.clone())];
            // Nothing is learned by the targets' paths where axon and target are only correlated.
            if !self.fed_by_target && !rule.is_direct() && moves_targets(rule.loss) {
                paths.push((pulls.own.clone(), self.target_trace[class].clone()));
                paths.push((pulls.rival.clone(), self.target_trace[rival].clone()));
            }
            self.change_weights(number, rule, Asked { paths });
        }
        if rule.is_direct() {
            if !self.connection.is_plane() {
                self.change_table(number, rule, [class, rival], &pulls);
            }
        } else if self.fed_by_target && moves_targets(rule.loss) {
            self.change_targets(number, class, &pulls.own);
            self.change_targets(number, rival, &pulls.rival);
        }
        if rule.when == When::Window {
            self.change_bias(number, &pulls.input, N::whole(self.window), self.shift);
        }
    }

    /// Changes what a block learns by the pulls of a step, from what is left of traces.
    pub(super) fn change_at_step(&mut self, number: usize, rule: &Rule, pulls: Pulls<N>) {
        let least = N::nearest(1.0 / 16.0, 8);
        let trace = self.trace.iter().map(|&trace| if trace < least { N::default() } else { trace }).collect();
        let shift = self.step_shift();
        self.change_rows(number, None, rule, &[Asked { paths: vec![(pulls.input.clone(), trace)] }], shift);
        self.change_bias(number, &pulls.input, N::nearest(1.0, 8), shift);
    }

    fn change_weights(&mut self, number: usize, rule: &Rule, asked: Asked<N>) {
        if rule.update == Update::Spread {
            self.blocks[number].pending = Some(Pending { parts: 0, asked });
        } else if rule.batch > 1 {
            self.blocks[number].batch.push(asked);
            if self.blocks[number].batch.len() == rule.batch as usize {
                let batch = std::mem::take(&mut self.blocks[number].batch);
                self.change_rows(number, None, rule, &batch, self.shift);
            }
        } else {
            self.change_rows(number, None, rule, &[asked], self.shift);
        }
    }

    /// A step is over: a part of the last update, if any is left.
    pub fn go_on(&mut self) {
        for number in 0..self.blocks.len() {
            let (Some(rule), Some(mut pending)) = (self.rule.clone(), self.blocks[number].pending.take()) else {
                continue;
            };
            let rows: usize = self.blocks[number].rows.iter().map(Vec::len).sum();
            let size = rows.div_ceil(self.window as usize);
            let first = (pending.parts * size).min(rows);
            let part = first..(first + size).min(rows);
            self.change_rows(number, Some(part), &rule, std::slice::from_ref(&pending.asked), self.shift);
            pending.parts += 1;
            self.blocks[number].pending = (pending.parts * size < rows).then_some(pending);
        }
    }

    /// Changes some of the rows of a block, or all of them, by the sum of what samples ask for.
    fn change_rows(
        &mut self,
        number: usize,
        part: Option<std::ops::Range<usize>>,
        rule: &Rule,
        asked: &[Asked<N>],
        shift: i64,
    ) {
        let shift = shift + self.places_shift(rule);
        let bits = self.weight_bits;
        let input = self.weights.values_mut().next().expect("a layer has weights");
        let [of_input, of_own] = &mut self.velocity;
        let Block { rows: [input_rows, own_rows], noise, remainder, .. } = &mut self.blocks[number];
        let all = input_rows.iter().map(|row| (row, true)).chain(own_rows.iter().map(|row| (row, false)));
        let part = part.unwrap_or(0..usize::MAX);
        let mut changes = Vec::new();
        for (row, is_input) in all.skip(part.start).take(part.len()) {
            if asked.iter().all(|asked| asked.paths.iter().all(|(_, traces)| row.is_silent(traces))) {
                continue;
            }
            changes.clear();
            changes.resize(row.count(), N::default());
            for (pulls, traces) in asked.iter().flat_map(|asked| &asked.paths) {
                row.changes(pulls, traces, &mut changes);
            }
            let (weights, velocity) =
                if is_input { (&mut *input, &mut *of_input) } else { (&mut self.own_weights, &mut *of_own) };
            Weights { weights, velocity, remainder, noise, bits, shift }.change(row, rule, &mut changes);
        }
    }

    /// What changes are divided by more, as so many places ask for them: 2 to the power of this.
    fn places_shift(&self, rule: &Rule) -> i64 {
        match (&self.connection, rule.target) {
            (Connection::Kernels(kernels), TargetPath::Direct { grid }) => {
                let [_, height, width] = kernels.output;
                let cells = height.min(grid as usize) * width.min(grid as usize);
                ((height * width) as f64 / cells as f64).log2().round() as i64
            }
            (connection, _) => connection.places_shift(),
        }
    }

    /// The rows of a block's table: the own class's moves toward the rates, the rival's away.
    pub(super) fn change_table(&mut self, number: usize, rule: &Rule, [class, rival]: [usize; 2], pulls: &Pulls<N>) {
        let TargetPath::Direct { grid } = rule.target else { return };
        if !moves_targets(rule.loss) {
            return;
        }
        let shift = self.shift + i64::from(self.points().weights) - i64::from(N::point(10)) - window_bits(self.window);
        let one = N::nearest(1.0, 10);
        let Block { table: Some(table), noise, .. } = &mut self.blocks[number] else { return };
        let length = table.row_length(&self.connection, grid as usize);
        for first in (0..table.rates.len()).step_by(length) {
            for (class, pulls) in [(class, &pulls.own), (rival, &pulls.rival)] {
                let draw = noise.draw();
                let row = &mut table.rows[class][first..first + length];
                for (i, (entry, &pull)) in row.iter_mut().zip(&pulls[first..]).enumerate() {
                    *entry = (*entry + pull.rounded(shift, draw.bits(i))).within(-one, one);
                }
            }
        }
    }

    /// The target's own projection, ungated.
    fn change_targets(&mut self, number: usize, class: usize, pulls: &[N]) {
        let coarser = i64::from(self.points().weights) - i64::from(self.points().targets);
        let one = N::nearest(1.0, self.format.targets);
        let (size, window) = (self.size(), N::whole(self.window));
        let block = &mut self.blocks[number];
        let row = self.connection.target_row(&block.members);
        for (members, pulls) in block.members.chunks(row).zip(pulls.chunks(row)) {
            let draw = block.noise.draw();
            for (i, (neuron, &pull)) in members.iter().zip(pulls).enumerate() {
                let weight = &mut self.target_weights[class * size + neuron];
                let change = (pull * window).rounded(self.shift + coarser, draw.bits(i));
                *weight = (*weight + change).within(-one, one + one).held(self.weight_bits);
            }
        }
    }

    /// The bias: a weight whose axon is active in every step; of a convolution, shared by the places of a channel.
    fn change_bias(&mut self, number: usize, pulls: &[N], trace: N, shift: i64) {
        if self.blocks[number].bias.is_empty() {
            return;
        }
        let rule = self.rule.as_ref().expect("it learns");
        let shift = shift + self.places_shift(rule);
        let finer = i64::from(self.points().membrane) - i64::from(self.points().weights);
        let block = &mut self.blocks[number];
        let draw = block.noise.draw();
        let biases = block.bias.len();
        for (i, bias) in block.bias.iter_mut().enumerate() {
            let pull = pulls.iter().skip(i).step_by(biases).fold(N::default(), |sum, &pull| sum + pull);
            *bias = (*bias + (pull * trace).rounded(shift - finer, draw.bits(i))).held(32);
        }
    }
}

impl<N: Number> Weights<'_, N> {
    /// Changes the weights of a row by what is asked of each.
    fn change(&mut self, row: &Row, rule: &Rule, changes: &mut [N]) {
        match (rule.optimizer, rule.rounding) {
            (Optimizer::Momentum { decay }, rounding) => {
                self.add_to_velocity(row, decay, rounding == Rounding::Carried, changes);
            }
            (_, Rounding::Carried) => {
                for (change, left) in changes.iter_mut().zip(self.remainder.iter_mut()) {
                    *change = change.carried(self.shift, left);
                }
            }
            (_, Rounding::Stochastic) => {
                let draw = self.noise.draw();
                for (i, change) in changes.iter_mut().enumerate() {
                    *change = change.rounded(self.shift, draw.bits(i));
                }
            }
        }
        if let Some(bits) = rule.weight_decay {
            let draw = self.noise.draw();
            for (i, (change, place)) in changes.iter_mut().zip(row.places()).enumerate() {
                *change = *change + (-self.weights[place]).rounded(bits.into(), draw.bits(i));
            }
        }
        let mut rest = &*changes;
        for range in &row.weights {
            let (own, others) = rest.split_at(range.len());
            for (weight, &change) in self.weights[range.clone()].iter_mut().zip(own) {
                *weight = (*weight + change).held(self.bits);
            }
            rest = others;
        }
    }

    /// A running sum takes the place of each change.
    fn add_to_velocity(&mut self, row: &Row, decay: u32, carries: bool, changes: &mut [N]) {
        let bits = i64::from(N::point(4));
        match carries {
            true => {
                for (change, left) in changes.iter_mut().zip(self.remainder.iter_mut()) {
                    *change = change.carried(self.shift - bits, left);
                }
            }
            false => {
                let draw = self.noise.draw();
                for (i, change) in changes.iter_mut().enumerate() {
                    *change = change.rounded(self.shift - bits, draw.bits(i));
                }
            }
        }
        let (second, third) = (self.noise.draw(), self.noise.draw());
        for (i, (change, place)) in changes.iter_mut().zip(row.places()).enumerate() {
            let old = self.velocity[place];
            let lost = old.rounded(decay.into(), second.bits(i));
            let new = old - lost + *change;
            self.velocity[place] = new.held(16);
            *change = new.rounded(bits + i64::from(decay), third.bits(i));
        }
    }
}
