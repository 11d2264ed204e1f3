//! A layer with its state: integrate and fire, and learn from the windows just shown.

use super::connection::{Connection, Path, Spikes, Step};
use super::rule::{Attachment, Evoked, Optimizer, Pulls};
use super::{Initial, Kind, Layer, largest};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, s};
use std::ops::Range;

/// A layer with its state.
#[derive(Clone, Debug)]
pub(super) struct LayerState {
    pub text: Layer,
    /// The learning rate of this epoch.
    rate: f64,
    connection: Connection,
    /// Neurons of each block.
    blocks: Vec<Range<usize>>,
    /// `[class][neuron]`: the target's own projection, of the first layer.
    projection: Option<Array2<f64>>,
    /// None of a convolution, where it stays 0.
    bias: Array1<f64>,
    /// Running mean of the counts of input windows.
    mean_count: Array1<f64>,
    /// Running mean of the squared pull of the input's path.
    mean_square: Array1<f64>,
    /// Of the last input window.
    input: Response,
    /// Of each class's last target window.
    targets: Vec<Response>,
}

/// What a window showed to a layer, and what the layer made of it.
#[derive(Clone, Debug)]
pub(super) struct Response {
    /// `[input]`: in how many steps it was active.
    trace: Array1<f64>,
    /// `[neuron]`: spikes.
    count: Array1<f64>,
    /// `[neuron]`: the sum of the currents.
    voltage: Array1<f64>,
    /// `[neuron]`: what scores and pulls take of it.
    evoked: Array1<f64>,
}

impl LayerState {
    /// A layer before its first sample, fed by an input of this shape.
    pub fn new(text: &Layer, input: [usize; 3], classes: usize, window: usize, initial: Initial) -> LayerState {
        let connection = Connection::new(initial.weights, &text.kind, input, text.block);
        let neurons: usize = text.output(input).iter().product();
        let response = Response {
            trace: Array1::zeros(input.iter().product::<usize>()),
            count: Array1::zeros(neurons),
            voltage: Array1::zeros(neurons),
            evoked: Array1::zeros(neurons),
        };
        LayerState {
            rate: 0.0,
            blocks: connection.blocks(text.block),
            connection,
            projection: initial.projection,
            bias: Array1::zeros(neurons),
            mean_count: Array1::zeros(neurons),
            // As if all pulls so far had been half a window: steps begin unscaled.
            mean_square: Array1::from_elem(neurons, (window * window) as f64 / 4.0),
            input: response.clone(),
            targets: vec![response; classes],
            text: text.clone(),
        }
    }

    /// Begins epoch `epoch` (from 0) of `epochs`.
    pub fn set_epoch(&mut self, epoch: u32, epochs: u32) {
        let rule = &self.text.rule;
        self.rate = (-rule.rate - f64::from(rule.fall.halvings(epoch, epochs))).exp2();
    }

    /// Shows the input's window; returns the layer's spikes.
    pub fn show_input(&mut self, spikes: &[u32], window: usize) -> Spikes {
        let (response, spikes) = self.show(spikes, window);
        self.input = response;
        spikes
    }

    /// Shows the target: the spikes of the layer before, or in the first layer the class itself.
    pub fn show_target(&mut self, spikes: &[u32], class: usize, window: usize) -> Spikes {
        let (response, spikes) = match &self.projection {
            None => self.show(spikes, window),
            Some(projection) => {
                let mut currents = Array2::zeros((window, self.bias.len()));
                currents += &projection.row(class);
                self.fire(Array1::zeros(0), &currents)
            }
        };
        self.targets[class] = response;
        spikes
    }

    /// Shows a window of spikes.
    pub fn show(&self, spikes: &[u32], window: usize) -> (Response, Spikes) {
        let mut currents = Array2::zeros((window, self.bias.len()));
        currents += &self.bias;
        self.connection.add_currents(spikes, &mut currents);
        let trace = spikes.iter().map(|bits| f64::from(bits.count_ones())).collect();
        self.fire(trace, &currents)
    }

    /// Integrate and fire, at most once a step; the threshold is subtracted.
    fn fire(&self, trace: Array1<f64>, currents: &Array2<f64>) -> (Response, Spikes) {
        let neurons = self.bias.len();
        let mut membrane = vec![0.0; neurons];
        let mut spikes = vec![0; neurons];
        for (step, current) in currents.axis_iter(Axis(0)).enumerate() {
            for ((membrane, spikes), current) in membrane.iter_mut().zip(&mut spikes).zip(current) {
                *membrane += current;
                if *membrane >= self.text.threshold {
                    *membrane -= self.text.threshold;
                    *spikes |= 1 << step;
                }
            }
        }
        let count: Array1<f64> = spikes.iter().map(|bits: &u32| f64::from(bits.count_ones())).collect();
        let (voltage, window) = (currents.sum_axis(Axis(0)), currents.nrows() as f64);
        let of = |(&count, &voltage): (&f64, &f64)| self.text.rule.attachment.evoked(count, voltage, window);
        let evoked = count.iter().zip(&voltage).map(of).collect();
        (Response { trace, count, voltage, evoked }, self.connection.in_planes(spikes))
    }

    pub fn weights(&self) -> ArrayView2<'_, f64> {
        self.connection.weights.view()
    }

    pub fn projection(&self) -> Option<ArrayView2<'_, f64>> {
        self.projection.as_ref().map(|projection| projection.view())
    }

    pub fn bias(&self) -> ArrayView1<'_, f64> {
        self.bias.view()
    }

    /// What all neurons say of each class, each block by itself.
    pub fn answer(&self, response: &Response) -> Vec<f64> {
        let mut sums = vec![0.0; self.targets.len()];
        for block in &self.blocks {
            for (sum, score) in sums.iter_mut().zip(self.scores(response, block)) {
                *sum += score;
            }
        }
        sums
    }

    /// What the neurons of a block say of each class.
    fn scores(&self, response: &Response, block: &Range<usize>) -> Vec<f64> {
        let input = response.evoked.slice(s![block.clone()]);
        let of = |target: &Response| self.text.rule.loss.score(input, target.evoked.slice(s![block.clone()]));
        self.targets.iter().map(of).collect()
    }

    /// Learns from the windows just shown.
    pub fn learn(&mut self, class: usize, window: f64) {
        for number in 0..self.blocks.len() {
            let block = self.blocks[number].clone();
            let scores = self.scores(&self.input, &block);
            let rival = largest(&scores, Some(class));
            let pulls = self.text.rule.loss.pulls(&Evoked {
                input: self.input.evoked.slice(s![block.clone()]),
                targets: self.targets.iter().map(|target| target.evoked.slice(s![block.clone()])).collect(),
                class,
                rival,
                scores: &scores,
                window,
            });
            if let Some(mut pulls) = pulls {
                self.gate(&mut pulls, &block, class, rival, window);
                self.scale(&mut pulls, &block, window);
                self.change(&pulls, number, class, rival, window);
            }
        }
        if self.text.rule.revive {
            nudge(&self.input.count, &mut self.mean_count, &mut self.bias, window);
        }
    }

    /// Clears pulls where a change of weight would not change what counts. The target's own projection is not gated.
    fn gate(&self, pulls: &mut Pulls, block: &Range<usize>, class: usize, rival: usize, window: f64) {
        let attachment = self.text.rule.attachment;
        if attachment == Attachment::Count {
            return;
        }
        let clear = |pull: &mut Array1<f64>, response: &Response| {
            let voltages = response.voltage.slice(s![block.clone()]);
            for (pull, _) in pull.iter_mut().zip(voltages).filter(|(_, u)| !attachment.is_live(**u, window)) {
                *pull = 0.0;
            }
        };
        clear(&mut pulls.input, &self.input);
        if self.projection.is_none() {
            clear(&mut pulls.own, &self.targets[class]);
            clear(&mut pulls.rival, &self.targets[rival]);
        }
    }

    /// Scales pulls where steps adapt to neurons.
    fn scale(&mut self, pulls: &mut Pulls, block: &Range<usize>, window: f64) {
        let Optimizer::Adaptive { decay } = self.text.rule.optimizer else { return };
        let part = f64::from(decay).exp2().recip();
        let means = self.mean_square.slice_mut(s![block.clone()]);
        for (i, mean) in means.into_iter().enumerate() {
            *mean += part * (pulls.input[i] * pulls.input[i] - *mean);
            let factor = (window / 2.0 / mean.sqrt()).clamp(0.5, 4.0);
            for pull in [&mut pulls.input[i], &mut pulls.own[i], &mut pulls.rival[i]] {
                *pull *= factor;
            }
        }
    }

    /// Changes weights and biases of a block.
    fn change(&mut self, pulls: &Pulls, number: usize, class: usize, rival: usize, window: f64) {
        let (rule, block) = (&self.text.rule, self.blocks[number].clone());
        let rate = self.rate / (window * window);
        let step = Step { rate, optimizer: rule.optimizer, weight_decay: rule.weight_decay };
        let mut paths: Vec<Path> = vec![(self.input.trace.view(), &pulls.input)];
        if self.projection.is_none() && rule.loss.moves_targets() {
            paths.push((self.targets[class].trace.view(), &pulls.own));
            paths.push((self.targets[rival].trace.view(), &pulls.rival));
        }
        self.connection.change(number, block.clone(), &paths, step);
        if let Some(projection) = self.projection.as_mut().filter(|_| rule.loss.moves_targets()) {
            for (line, pull) in [(class, &pulls.own), (rival, &pulls.rival)] {
                let mut row = projection.slice_mut(s![line, block.clone()]);
                row.scaled_add(rate * window, pull);
                row.mapv_inplace(|weight| weight.clamp(-1.0, 2.0));
            }
        }
        if matches!(self.text.kind, Kind::Dense { .. }) {
            self.bias.slice_mut(s![block]).scaled_add(rate * window, &pulls.input);
        }
    }
}

/// Homeostasis: who hardly ever fires, or nearly always, on a running mean of counts, is nudged back.
pub(super) fn nudge(count: &Array1<f64>, mean: &mut Array1<f64>, bias: &mut Array1<f64>, window: f64) {
    for ((mean, bias), count) in mean.iter_mut().zip(bias).zip(count) {
        *mean += (count - *mean) / 512.0;
        if *mean < 82.0 / 4096.0 * window {
            *bias += 1.0 / 1024.0;
        } else if *mean > 3300.0 / 4096.0 * window {
            *bias -= 1.0 / 1024.0;
        }
    }
}
