//! The squared error: what the input evokes is to be what the own target does, and not what the rival's does.

use super::{Lead, LossCode, Of, Operands, Pulls, TargetPulls, Update, toward_own};
use onward_isa::builder::Assembly;
use onward_net::Loss;

pub(super) struct SquaredError;

impl LossCode for SquaredError {
    fn is_squared(&self) -> bool {
        true
    }

    /// Scores of squared errors are twice products, and so is their margin.
    fn margin(&self, loss: Loss) -> f64 {
        if let Loss::SquaredError { margin } = loss { 2.0 * margin } else { 0.0 }
    }

    fn lead(&self, a: &mut Assembly, update: &Update) -> Lead {
        Lead { rival: Some(update.lead_by_margin(a)), missing: None }
    }

    fn pulls(&self, a: &mut Assembly, update: &Update, _: &Lead, operands: &Operands) -> Pulls {
        let input = toward_own(a, update, operands);
        let h = update.evoked(a, operands, Of::Input);
        a.comment("The own target toward h, the rival's away from it");
        let own = update.evoked(a, operands, Of::Own);
        a.vsub(&own, &h, &own);
        let rival = update.evoked(a, operands, Of::Rival);
        a.vsub(&rival, &rival, &h);
        update.gate_targets(a, operands, &own, &rival);
        Pulls { input, targets: Some(TargetPulls::Each(own, rival)) }
    }
}
