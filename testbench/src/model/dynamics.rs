//! How neurons move: leak, synaptic current, reset, refractory time, adaptation.

use super::Number;
use onward_net::{Decay, Fires, Lowering, Neuron, Reset, Values};

/// What the neurons of a layer are; each array has an element a neuron. What is left of something has 16 fraction bits.
#[derive(Clone, Debug)]
pub struct Neurons<N> {
    /// They fire from here on.
    pub threshold: Vec<N>,
    /// What firing does to the membrane.
    pub reset: Afterwards<N>,
    /// What is left of the membrane from step to step; `None` for all of it.
    pub leak: Option<Vec<N>>,
    /// The same of the synaptic current, if there is one.
    pub current: Option<Vec<N>>,
    /// What the current is where a window opens.
    pub current_start: Vec<N>,
    /// Steps after a spike in which the membrane stays.
    pub refractory: u32,
    /// Added to the membrane in each step.
    pub bias: Vec<N>,
    /// How thresholds rise with spikes, if they do.
    pub adaptation: Option<Adaptation<N>>,
}

/// What firing does to membranes.
#[derive(Clone, Debug)]
pub enum Afterwards<N> {
    /// Nothing.
    Stays,
    /// They are lowered by this.
    Lowered(Vec<N>),
    /// They are lowered by this a step later.
    LoweredLater(Vec<N>),
    /// They become this.
    Becomes(Vec<N>),
}

/// How thresholds rise with spikes.
#[derive(Clone, Debug)]
pub struct Adaptation<N> {
    /// What a spike adds.
    pub rise: Vec<N>,
    /// What is left of that from step to step; `None` for all of it.
    pub fall: Option<Vec<N>>,
}

/// The state of the neurons of a block, an element a neuron.
#[derive(Clone, Debug)]
pub struct State<N> {
    /// Membranes.
    pub membrane: Vec<N>,
    /// Synaptic currents; 0 without.
    pub current: Vec<N>,
    /// Membranes of the last step before any reset.
    pub risen: Vec<N>,
    /// What spikes have added to thresholds.
    pub adaptation: Vec<N>,
    /// Steps left in which a neuron is refractory.
    resting: Vec<u32>,
    /// Which membranes are still to be lowered.
    owes: Vec<bool>,
}

/// What a neuron did in a step.
#[derive(Clone, Copy, Debug)]
pub struct Moved<N> {
    /// Whether it fired.
    pub fires: bool,
    /// What its membrane took in.
    pub taken: N,
}

/// A number for each of so many neurons, of the value and the neuron.
fn each<N>(values: &Values, neurons: usize, number: impl Fn(f64, usize) -> N) -> Vec<N> {
    match values {
        Values::Constant(value) => (0..neurons).map(|neuron| number(*value, neuron)).collect(),
        Values::Array(array) => array.values.iter().zip(0..).map(|(&value, neuron)| number(value, neuron)).collect(),
        Values::File(file) => panic!("`{}` is read before", file.path),
    }
}

/// What a decay leaves, by neuron.
fn left<N: Number>(decay: &Decay, neurons: usize, block: usize) -> Option<Vec<N>> {
    let part = |part: f64| N::nearest(part, 16);
    match decay {
        Decay::None => None,
        Decay::Shift(bits) => Some(vec![part(1.0 - f64::from(*bits).exp2().recip()); neurons]),
        Decay::Factor(values) => Some(each(values, neurons, |value, _| part(value))),
        Decay::Spread(least, most) => {
            let kept = |neuron: usize| {
                let place = (neuron % block) as f64 / (block.max(2) - 1) as f64;
                part(1.0 - (1.0 - least) * ((1.0 - most) / (1.0 - least)).powf(place))
            };
            Some((0..neurons).map(kept).collect())
        }
    }
}

impl<N: Number> Neurons<N> {
    /// Neurons with these thresholds and a soft reset, without leak, current, bias and refractory time.
    pub fn integrate_and_fire(threshold: Vec<N>) -> Neurons<N> {
        let zeros = vec![N::default(); threshold.len()];
        Neurons {
            reset: Afterwards::Lowered(threshold.clone()),
            threshold,
            leak: None,
            current: None,
            current_start: zeros.clone(),
            refractory: 0,
            bias: zeros,
            adaptation: None,
        }
    }

    /// What a text says of so many neurons, in blocks of the text; 1.0 is `one` on the membrane of each.
    pub fn new(text: &Neuron, neurons: usize, block: usize, one: impl Fn(usize) -> f64) -> Neurons<N> {
        let numbers = |values: &Values| each(values, neurons, |value, neuron| N::nearest(value * one(neuron), 0));
        let threshold: Vec<N> = each(&text.threshold, neurons, |value, neuron| match text.fires {
            Fires::Above => N::above(value * one(neuron)),
            Fires::At if value > 0.0 => N::positive(value * one(neuron), 0),
            Fires::At => N::nearest(value * one(neuron), 0),
        });
        let lowering = |amount: &Option<Values>| match amount {
            Some(amount) => numbers(amount),
            None if text.fires == Fires::At => threshold.clone(),
            None => numbers(&text.threshold),
        };
        Neurons {
            reset: match &text.reset {
                Reset::None => Afterwards::Stays,
                Reset::To(values) => Afterwards::Becomes(numbers(values)),
                Reset::Subtract(Lowering { amount, is_late: false }) => Afterwards::Lowered(lowering(amount)),
                Reset::Subtract(Lowering { amount, is_late: true }) => Afterwards::LoweredLater(lowering(amount)),
            },
            current_start: numbers(&text.current_start),
            threshold,
            leak: left(&text.leak, neurons, block),
            current: text
                .current
                .as_ref()
                .map(|current| left(current, neurons, block).unwrap_or_else(|| vec![N::nearest(1.0, 16); neurons])),
            refractory: text.refractory,
            bias: numbers(&text.bias),
            adaptation: text.adaptation.as_ref().map(|adaptation| Adaptation {
                rise: numbers(&adaptation.rise),
                fall: left(&adaptation.fall, neurons, block),
            }),
        }
    }

    /// The same neurons in another order.
    pub fn ordered(&self, order: &[usize]) -> Neurons<N> {
        let pick = |all: &Vec<N>| order.iter().map(|&neuron| all[neuron]).collect();
        Neurons {
            threshold: pick(&self.threshold),
            reset: match &self.reset {
                Afterwards::Stays => Afterwards::Stays,
                Afterwards::Lowered(amount) => Afterwards::Lowered(pick(amount)),
                Afterwards::LoweredLater(amount) => Afterwards::LoweredLater(pick(amount)),
                Afterwards::Becomes(values) => Afterwards::Becomes(pick(values)),
            },
            current_start: pick(&self.current_start),
            leak: self.leak.as_ref().map(pick),
            current: self.current.as_ref().map(pick),
            refractory: self.refractory,
            bias: pick(&self.bias),
            adaptation: self.adaptation.as_ref().map(|adaptation| Adaptation {
                rise: pick(&adaptation.rise),
                fall: adaptation.fall.as_ref().map(pick),
            }),
        }
    }

    /// A step of the neuron `neuron`, of which `state` holds element `i`.
    #[inline]
    pub fn step(&self, neuron: usize, state: &mut State<N>, i: usize, input: N) -> Moved<N> {
        let mut taken = input;
        if let Some(left) = &self.current {
            taken = (state.current[i].decayed(left[neuron]) + input).held(32);
            state.current[i] = taken;
        }
        let rests = state.resting[i] > 0;
        let fires = !rests && self.integrate(neuron, state, i, taken);
        if rests {
            state.resting[i] -= 1;
        }
        if let Some(Adaptation { rise, fall }) = &self.adaptation {
            let left = fall.as_ref().map_or(state.adaptation[i], |fall| state.adaptation[i].decayed(fall[neuron]));
            // A fresh spike is not decayed in its first step.
            state.adaptation[i] = if fires { (left + rise[neuron]).held(32) } else { left };
        }
        Moved { fires, taken }
    }

    /// A neuron that does not rest takes something in; whether it fires.
    #[inline]
    fn integrate(&self, neuron: usize, state: &mut State<N>, i: usize, taken: N) -> bool {
        let left = self.leak.as_ref().map_or(state.membrane[i], |left| state.membrane[i].decayed(left[neuron]));
        let mut risen = ((left + taken).held(32) + self.bias[neuron]).held(32);
        if let (Afterwards::LoweredLater(amount), true) = (&self.reset, state.owes[i]) {
            risen = (risen - amount[neuron]).held(32);
        }
        let fires = risen >= (self.threshold[neuron] + state.adaptation[i]).held(32);
        state.risen[i] = risen;
        state.owes[i] = fires;
        state.membrane[i] = risen;
        if fires {
            // A soft reset subtracts what the threshold is without adaptation.
            state.membrane[i] = match &self.reset {
                Afterwards::Stays | Afterwards::LoweredLater(_) => risen,
                Afterwards::Lowered(amount) => (risen - amount[neuron]).held(32),
                Afterwards::Becomes(values) => values[neuron],
            };
            state.resting[i] = self.refractory;
        }
        fires
    }
}

impl<N: Number> State<N> {
    /// So many neurons at rest.
    pub fn new(neurons: usize) -> State<N> {
        let zeros = vec![N::default(); neurons];
        State {
            membrane: zeros.clone(),
            current: zeros.clone(),
            risen: zeros.clone(),
            adaptation: zeros,
            resting: vec![0; neurons],
            owes: vec![false; neurons],
        }
    }
}
