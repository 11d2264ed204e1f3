//! Losses: what a block wants of its neurons, by the scores of the classes. A loss is a row of [`Loss`] and here.

use crate::model::{Number, largest};
use onward_net::Loss;

/// What input and targets evoked in a block, and how the scores compare.
pub struct Evoked<'a, N> {
    /// By the input, `[neuron]`.
    pub input: &'a [N],
    /// By each class's last target.
    pub targets: Vec<&'a [N]>,
    /// The scores of the classes.
    pub scores: &'a [N],
    /// The own class.
    pub class: usize,
    /// The class that is to lose against it.
    pub rival: usize,
    /// What margins and temperatures are in units of.
    pub unit: Unit,
}

/// What margins and temperatures are in units of: of a whole window the product of two full counts, times the root of the
/// neurons, or that of two full rates; while the input is shown, what a step adds to it, rounded down.
#[derive(Clone, Copy, Debug)]
pub struct Unit {
    /// The product.
    pub product: f64,
    /// Fraction bits that it has on the chip.
    pub bits: u32,
    /// How many steps there were.
    pub steps: i64,
}

impl Unit {
    /// A product of counts.
    pub fn counts(product: f64, steps: i64) -> Unit {
        Unit { product, bits: 0, steps }
    }
}

/// The pulls on a block's neurons, `[neuron]` each.
#[derive(Clone, Debug)]
pub struct Pulls<N> {
    /// By the input's path.
    pub input: Vec<N>,
    /// By the own target's.
    pub own: Vec<N>,
    /// By the rival's.
    pub rival: Vec<N>,
}

/// What the neurons of a block say of a class.
pub fn score<N: Number>(loss: Option<Loss>, input: &[N], target: &[N]) -> N {
    let product = |(&h, &t): (&N, &N)| match loss {
        Some(Loss::SquaredError { .. }) => (h + h - t) * t,
        _ => h * t,
    };
    input.iter().zip(target).map(product).sum::<N>().held(32)
}

/// Whether targets learn by their own paths, and their projection with them.
pub fn moves_targets(loss: Loss) -> bool {
    loss != Loss::Hebbian
}

/// Fraction bits of pulls.
pub fn pull_bits(loss: Loss) -> u32 {
    if matches!(loss, Loss::Softmax { .. }) { 8 } else { 0 }
}

/// What the loss pulls at, if there is anything to learn. By how much each class counts, where the loss looks at all of them, is left
/// in `believed`.
pub fn pulls<N: Number>(loss: Loss, evoked: &Evoked<N>, believed: &mut Vec<N>) -> Option<Pulls<N>> {
    let (h, own, other) = (evoked.input, evoked.targets[evoked.class], evoked.targets[evoked.rival]);
    let Unit { product: unit, bits, steps } = evoked.unit;
    // Whether the own class does not lead another by so much.
    let is_near = |other: usize, margin: f64| {
        evoked.scores[evoked.class] - evoked.scores[other] < N::floor(margin * unit, bits) * N::whole(steps)
    };
    let each = |pull: &dyn Fn(usize) -> N| (0..h.len()).map(pull).collect::<Vec<N>>();
    match loss {
        Loss::Hinge { margin } => is_near(evoked.rival, margin).then(|| Pulls {
            input: each(&|i| own[i] - other[i]),
            own: h.to_vec(),
            rival: each(&|i| -h[i]),
        }),
        Loss::SquaredError { margin } => is_near(evoked.rival, 2.0 * margin).then(|| Pulls {
            input: each(&|i| own[i] - other[i]),
            own: each(&|i| h[i] - own[i]),
            rival: each(&|i| other[i] - h[i]),
        }),
        Loss::Softmax { temperature } => {
            let unit = unit * f64::from(N::point(bits)).exp2() * steps as f64;
            *believed = match bits {
                0 => N::probabilities(evoked.scores, temperature * unit),
                _ => {
                    // Differences are divided by 64 first, as scores of rates are large.
                    let most = evoked.scores[largest(evoked.scores, None)];
                    let behind: Vec<N> = evoked.scores.iter().map(|&score| -(most - score).held(32).part(6)).collect();
                    N::probabilities(&behind, temperature * unit / 64.0)
                }
            };
            let certain = N::nearest(1.0, pull_bits(loss));
            let missing = certain - believed[evoked.class];
            let mut toward: Vec<N> = believed.iter().map(|&probability| -probability).collect();
            toward[evoked.class] = missing;
            (missing >= N::nearest(4.0 / 256.0, 8)).then(|| evoked.weighted(missing, &toward))
        }
        Loss::Contrastive { margin } => {
            let others = (0..evoked.scores.len()).filter(|&other| other != evoked.class);
            let near: Vec<usize> = others.filter(|&other| is_near(other, margin)).collect();
            let missing = N::whole(near.len() as i64);
            let mut toward = vec![N::default(); evoked.scores.len()];
            near.iter().for_each(|&other| toward[other] = -N::whole(1));
            *believed = toward.iter().map(|&weight| -weight).collect();
            toward[evoked.class] = missing;
            (!near.is_empty()).then(|| evoked.weighted(missing, &toward))
        }
        Loss::Hebbian => Some(Pulls {
            input: each(&|i| own[i] - h[i]),
            own: vec![N::default(); h.len()],
            rival: vec![N::default(); h.len()],
        }),
    }
}

impl<N: Number> Evoked<'_, N> {
    /// Towards or away from each class's target by so much; the own target and the rival's move by `missing`.
    fn weighted(&self, missing: N, toward: &[N]) -> Pulls<N> {
        let mut input = vec![N::default(); self.input.len()];
        for (&coefficient, target) in toward.iter().zip(&self.targets).filter(|(c, _)| **c != N::default()) {
            input.iter_mut().zip(*target).for_each(|(pull, &t)| *pull = *pull + coefficient * t);
        }
        let own: Vec<N> = self.input.iter().map(|&h| missing * h).collect();
        Pulls { input, rival: own.iter().map(|&pull| -pull).collect(), own }
    }
}

/// The wrong class with the largest score, of equal ones the lowest, unless one is named.
pub fn rival<N: Number>(scores: &[N], class: usize, named: Option<usize>) -> usize {
    named.unwrap_or_else(|| largest(scores, Some(class)))
}
