//! What a loss makes of the classes' scores: pulls on the neurons.

mod contrastive;
mod hebbian;
mod hinge;
mod softmax;
mod squared_error;

use super::signal::{Of, Operands};
use super::update::Update;
use super::{RuleFormat, Table};
use crate::layout::Layout;
use onward_isa::builder::{Assembly, ScalarRegister, VectorRegister, ZERO};
use onward_isa::{Space, Width};
use onward_net::Loss;

/// What pulls at neurons by the input's path, and by those of the targets if they learn.
pub(crate) struct Pulls {
    /// By the input's path.
    pub input: VectorRegister,
    pub targets: Option<TargetPulls>,
}

/// The pulls of the targets' paths.
pub(crate) enum TargetPulls {
    /// The own target's, and the rival's with the sign turned.
    Opposite(VectorRegister),
    /// The own target's and the rival's.
    Each(VectorRegister, VectorRegister),
}

/// What a loss found in the scores, in registers.
#[derive(Default)]
pub(crate) struct Lead {
    /// The wrong class with the largest score.
    pub rival: Option<ScalarRegister>,
    /// How far the own class is from certain, in 256ths.
    pub missing: Option<ScalarRegister>,
}

/// A loss: what it keeps, and what it makes of scores.
pub(crate) trait LossCode: Sync {
    /// Whether scores are of squared distances.
    fn is_squared(&self) -> bool {
        false
    }

    /// Whether it pulls away from the targets of all classes, each by its weight in `class_weights`.
    fn looks_at_all(&self) -> bool {
        false
    }

    /// Fraction bits of the pulls that it makes.
    fn pull_bits(&self) -> u32 {
        0
    }

    /// The margin of a rule, in products of counts of neurons that fire in every step; 0 without one.
    fn margin(&self, _loss: Loss) -> f64 {
        0.0
    }

    /// Tables that it looks up, for blocks of so many neurons.
    fn tables(&self, _rule: &RuleFormat, _classes: u32, _neurons: u32) -> Vec<Table> {
        Vec::new()
    }

    /// Appends arrays that begin with 0.
    fn arrays(&self, layout: &mut Layout, classes: u32) {
        if self.looks_at_all() {
            layout.add("class_weights", Space::Neuron, Width::W32, 1, classes);
        }
    }

    /// Looks at the scores; goes on where there is nothing to learn.
    fn lead(&self, a: &mut Assembly, update: &Update) -> Lead;

    /// Makes pulls on the neurons that the operands are of.
    fn pulls(&self, a: &mut Assembly, update: &Update, lead: &Lead, operands: &Operands) -> Pulls;

    /// Whether the targets' paths learn.
    fn moves_targets(&self) -> bool {
        true
    }

    /// Whether they learn by what the input evoked alone.
    fn moves_targets_by_counts(&self) -> bool {
        false
    }
}

impl RuleFormat {
    /// The code of the rule's loss.
    pub(crate) fn loss(&self) -> &'static dyn LossCode {
        code(self.rule.loss)
    }
}

/// The code of a loss.
pub(in crate::lowering) fn code(loss: Loss) -> &'static dyn LossCode {
    match loss {
        Loss::Hinge { .. } => &hinge::Hinge,
        Loss::Softmax { .. } => &softmax::Softmax,
        Loss::SquaredError { .. } => &squared_error::SquaredError,
        Loss::Hebbian => &hebbian::Hebbian,
        Loss::Contrastive { .. } => &contrastive::Contrastive,
    }
}

/// How many times a loss that looks at all classes pulls toward the own target.
enum Toward {
    Number(u32),
    /// As many times as away from the others.
    Away,
}

/// Pulls of a loss that looks at all classes: toward the own target as many times as `toward` says, away from each by its
/// weight in `class_weights`, where the neuron is live; the own target's path goes by `away` times h, the rival's as much back.
fn away_from_all(
    a: &mut Assembly,
    update: &Update,
    operands: &Operands,
    toward: Toward,
    away: &ScalarRegister,
) -> Pulls {
    a.comment("Toward the own target, away from each by its weight, where the neuron is live");
    let input = update.weighted_targets(a, operands);
    {
        let own = &update.evoked(a, operands, Of::Own);
        match toward {
            Toward::Number(times) => {
                let number = &a.scratch();
                a.addi(number, ZERO, times);
                a.vmacs(&input, own, number);
            }
            Toward::Away => {
                a.vmacs(&input, own, away);
            }
        }
    }
    update.gate(a, operands, Of::Input, &input);
    let h = update.evoked(a, operands, Of::Input);
    a.comment("h for the own target, as much less for the rival's");
    let own = a.scratch_vector();
    a.vmuls(&own, &h, away);
    if !update.block.is_whole() && update.block.is_fed() {
        return Pulls { input, targets: Some(TargetPulls::Opposite(own)) };
    }
    let (rival, minus) = (a.scratch_vector(), &a.scratch());
    a.sub(minus, ZERO, away);
    a.vmuls(&rival, &h, minus);
    update.gate_targets(a, operands, &own, &rival);
    Pulls { input, targets: Some(TargetPulls::Each(own, rival)) }
}

/// The pull toward the own target and away from the rival's, where the neuron is live.
fn toward_own(a: &mut Assembly, update: &Update, operands: &Operands) -> VectorRegister {
    a.comment("Toward the own target, away from the rival's, where the neuron is live");
    let pull = update.evoked(a, operands, Of::Own);
    {
        let rival = &update.evoked(a, operands, Of::Rival);
        a.vsub(&pull, &pull, rival);
    }
    update.gate(a, operands, Of::Input, &pull);
    pull
}
