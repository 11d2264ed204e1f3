//! How the blocks of a layer learn, in the order of `docs/src/rules.md`: scores, loss, gate, optimizer, homeostasis.

pub mod direct;
pub mod loss;
mod update;

pub(super) use update::{Asked, Pending};

use super::layer::{Block, Layer};
use super::{Number, Window, window_bits};
use loss::{Evoked, Pulls, Unit};
use onward_net::{Gate, Optimizer, RateSchedule, Rule, When};

/// How often a rate is halved by epoch `epoch` (from 0) of `epochs`.
pub fn halvings(schedule: &RateSchedule, epoch: u32, epochs: u32) -> i64 {
    match schedule {
        RateSchedule::Anneal(times) => (i64::from(*times) + 1) * i64::from(epoch) / i64::from(epochs),
        RateSchedule::Shifts(listed) => listed.iter().filter(|&&first| first <= epoch + 1).count() as i64,
    }
}

impl<N: Number> Layer<N> {
    /// Begins epoch `epoch` (from 0) of `epochs`.
    pub fn set_epoch(&mut self, epoch: u32, epochs: u32) {
        let Some(rule) = &self.rule else { return };
        let adapted = if matches!(rule.optimizer, Optimizer::Adaptive { .. }) { 4 } else { 0 };
        // A pull is a count of the window, or a rate.
        let (windows, of_rates) = if rule.is_direct() { (1, 10) } else { (2, 0) };
        let bits = N::point(loss::pull_bits(rule.loss)) + N::point(adapted) + N::point(of_rates);
        self.shift = i64::from(rule.rate) - i64::from(self.points().weights)
            + windows * window_bits(self.window)
            + i64::from(bits)
            + halvings(&rule.schedule, epoch, epochs);
    }

    /// What the pulls of a step, or its traces, have more in fraction bits than sums over a window have.
    fn step_shift(&self) -> i64 {
        self.shift - window_bits(self.window) + i64::from(N::point(8))
    }

    /// Learns from the input and target windows just shown.
    pub fn learn(&mut self, class: usize, named_rival: Option<usize>) {
        let Some(rule) = self.rule.clone() else { return };
        let window = self.window;
        for number in 0..self.blocks.len() {
            // While the input is shown margins are whole numbers a step, and so is their sum over the window.
            let unit = match rule.when {
                When::Window if rule.is_direct() => Unit { product: 1.0, bits: 20, steps: 1 },
                When::Window => Unit::counts(square_root(&self.blocks[number]) * (window * window) as f64, 1),
                When::Steps { .. } => Unit::counts(square_root(&self.blocks[number]) * window as f64, window),
            };
            if let Some((rival, mut pulls)) = self.blocks[number].pulls(&rule, class, named_rival, unit) {
                if rule.is_direct() && self.connection.is_plane() {
                    self.learn_cells(number, &rule, [class, rival], pulls);
                    self.revive(number, &rule);
                    continue;
                }
                // Where weights change while the input is shown, only the target's projection still asks for pulls, ungated.
                if rule.when == When::Window {
                    self.gate(number, &rule, class, rival, &mut pulls);
                }
                let moves_projection = self.fed_by_target && loss::moves_targets(rule.loss);
                if rule.when == When::Window || moves_projection {
                    self.blocks[number].adapt(&rule, &mut pulls, window);
                }
                self.change(number, &rule, class, rival, pulls);
            }
            self.revive(number, &rule);
        }
    }

    /// Learns at a step of the input's window, if it is time.
    pub(super) fn learn_at(&mut self, window: Window, steps: usize) {
        let Window::Input { learn: Some(class), .. } = window else { return };
        let Some(rule) = self.rule.clone() else { return };
        let When::Steps { every, .. } = rule.when else { return };
        if !steps.is_multiple_of(every as usize) {
            return;
        }
        for number in 0..self.blocks.len() {
            let unit = Unit::counts(square_root(&self.blocks[number]) * self.window as f64, steps as i64);
            if let Some((_, mut pulls)) = self.blocks[number].pulls(&rule, class, None, unit) {
                self.gate_by_membrane(number, &rule, &mut pulls);
                self.blocks[number].adapt(&rule, &mut pulls, self.window);
                self.change_at_step(number, &rule, pulls);
            }
        }
    }

    /// A convolution's table moves by the pulls on rates, and each neuron is pulled at as its cell is.
    fn learn_cells(&mut self, number: usize, rule: &Rule, classes: [usize; 2], mut pulls: Pulls<N>) {
        self.blocks[number].adapt(rule, &mut pulls, self.window);
        self.change_table(number, rule, classes, &pulls);
        let entry = &self.blocks[number].table.as_ref().expect("it has a table").entry;
        pulls.input = entry.iter().map(|&entry| pulls.input[entry]).collect();
        (pulls.own, pulls.rival) = (Vec::new(), Vec::new());
        self.gate(number, rule, classes[0], classes[1], &mut pulls);
        self.change(number, rule, classes[0], classes[1], pulls);
    }

    /// Clears pulls where a change of weight would not change what counts. The target's own projection is not gated.
    fn gate(&self, number: usize, rule: &Rule, class: usize, rival: usize, pulls: &mut Pulls<N>) {
        let (block, window) = (&self.blocks[number], self.window);
        let full = self.one() * N::whole(window);
        let quarter = full.part(2);
        let (low, high) = N::potential_bounds(window);
        let is_live = |voltage: N, potential: N| match rule.gate {
            Gate::Surrogate => -quarter <= voltage && voltage < full + quarter,
            Gate::Voltage => low < potential && potential < high,
            Gate::None => true,
        };
        let clear = |pulls: &mut [N], voltage: &[N], potential: &[N]| {
            for (pull, (&voltage, &potential)) in pulls.iter_mut().zip(voltage.iter().zip(potential)) {
                if !is_live(voltage, potential) {
                    *pull = N::default();
                }
            }
        };
        clear(&mut pulls.input, &block.voltage, &block.potential);
        if !self.fed_by_target && !rule.is_direct() {
            clear(&mut pulls.own, &block.target_voltage[class], &block.target_potential[class]);
            clear(&mut pulls.rival, &block.target_voltage[rival], &block.target_potential[rival]);
        }
    }

    /// The same while the input is shown: where the membrane is near the threshold.
    fn gate_by_membrane(&self, number: usize, rule: &Rule, pulls: &mut Pulls<N>) {
        let block = &self.blocks[number];
        for (i, pull) in pulls.input.iter_mut().enumerate() {
            let (risen, threshold) = (block.state[0].risen[i], self.neurons.threshold[block.members[i]]);
            let is_near = -threshold <= risen && risen < threshold + threshold;
            if rule.gate == Gate::Surrogate && !is_near {
                *pull = N::default();
            }
        }
    }

    /// Homeostasis of a block: who hardly ever fires, or nearly always, on a running mean of counts, is nudged back; a channel by
    /// its mean over all places.
    fn revive(&mut self, number: usize, rule: &Rule) {
        if !rule.revive {
            return;
        }
        let nudge = N::positive(1.0 / 1024.0, self.format.membrane);
        let [rare, often] = [82, 3300].map(|bound| N::nearest(f64::from(bound) / 4096.0 * self.window as f64, 12));
        let block = &mut self.blocks[number];
        let biases = block.bias.len();
        let places = (block.members.len() / biases) as f64;
        for i in 0..biases {
            let sum = block.count.iter().skip(i).step_by(biases).fold(N::default(), |sum, &count| sum + count);
            let count = sum.decayed(N::nearest(1.0 / places, 28));
            block.mean_count[i] = block.mean_count[i] + (count - block.mean_count[i]).part(9);
            if block.mean_count[i] < rare {
                block.bias[i] = (block.bias[i] + nudge).held(32);
            } else if block.mean_count[i] > often {
                block.bias[i] = (block.bias[i] - nudge).held(32);
            }
        }
    }
}

fn square_root<N>(block: &Block<N>) -> f64 {
    (block.members.len() as f64).sqrt()
}

impl<N: Number> Block<N> {
    /// What the input and a target evoked.
    fn evoked(&self, rule: Option<&Rule>) -> (&[N], Vec<&[N]>) {
        if let Some(table) = &self.table {
            return (&table.rates, table.rows.iter().map(Vec::as_slice).collect());
        }
        let is_of_voltage = rule.is_some_and(|rule| rule.gate == Gate::Voltage && rule.when == When::Window);
        let (input, targets) =
            if is_of_voltage { (&self.potential, &self.target_potential) } else { (&self.count, &self.target_count) };
        (input, targets.iter().map(Vec::as_slice).collect())
    }

    /// Computes the scores of all classes.
    pub fn score(&mut self, rule: Option<&Rule>) {
        let (input, targets) = self.evoked(rule);
        let score = |target: &&[N]| loss::score(rule.map(|rule| rule.loss), input, target);
        self.scores = targets.iter().map(score).collect();
    }

    /// The rival, and what the loss pulls at, if there is anything to learn.
    fn pulls(&mut self, rule: &Rule, class: usize, named: Option<usize>, unit: Unit) -> Option<(usize, Pulls<N>)> {
        self.score(Some(rule));
        let rival = loss::rival(&self.scores, class, named);
        let mut believed = self.probabilities.clone();
        let (input, targets) = self.evoked(Some(rule));
        let evoked = Evoked { input, targets, scores: &self.scores, class, rival, unit };
        let pulls = loss::pulls(rule.loss, &evoked, &mut believed);
        self.probabilities = believed;
        pulls.map(|pulls| (rival, pulls))
    }

    /// Scales pulls where steps adapt to neurons.
    fn adapt(&mut self, rule: &Rule, pulls: &mut Pulls<N>, window: i64) {
        let Optimizer::Adaptive { decay } = rule.optimizer else { return };
        // A rate is a part of the window.
        let (of_rates, counts) = if rule.is_direct() { (10 - window_bits(window) as u32, window) } else { (0, 1) };
        for i in 0..self.mean_square.len() {
            let square = N::square(pulls.input[i], loss::pull_bits(rule.loss) + of_rates, counts);
            self.mean_square[i] = self.mean_square[i] + (square - self.mean_square[i]).part(decay);
            let factor = N::step_factor(self.mean_square[i], window);
            for pull in [&mut pulls.input[i], &mut pulls.own[i], &mut pulls.rival[i]] {
                *pull = (*pull * factor).held(32);
            }
        }
    }
}
