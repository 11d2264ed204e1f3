//! The hinge: the own class is to lead its rival by a margin.

use super::{Lead, LossCode, Of, Operands, Pulls, TargetPulls, Update, toward_own};
use onward_isa::builder::{Assembly, ZERO};
use onward_net::Loss;

pub(super) struct Hinge;

impl LossCode for Hinge {
    fn margin(&self, loss: Loss) -> f64 {
        if let Loss::Hinge { margin } = loss { margin } else { 0.0 }
    }

    fn moves_targets_by_counts(&self) -> bool {
        true
    }

    fn lead(&self, a: &mut Assembly, update: &Update) -> Lead {
        Lead { rival: Some(update.lead_by_margin(a)), missing: None }
    }

    fn pulls(&self, a: &mut Assembly, update: &Update, _: &Lead, operands: &Operands) -> Pulls {
        let input = toward_own(a, update, operands);
        if update.needs_input_only() {
            return Pulls { input, targets: None };
        }
        let h = update.evoked(a, operands, Of::Input);
        if update.block.is_fed() {
            return Pulls { input, targets: Some(TargetPulls::Opposite(h)) };
        }
        a.comment("h for the own target, -h for the rival's, where their voltages are live");
        let (own, rival) = (a.scratch_vector(), a.scratch_vector());
        a.vmv(&own, ZERO);
        a.vadd(&own, &own, &h);
        update.gate(a, operands, Of::Own, &own);
        a.vmv(&rival, ZERO);
        a.vsub(&rival, &rival, &h);
        update.gate(a, operands, Of::Rival, &rival);
        Pulls { input, targets: Some(TargetPulls::Each(own, rival)) }
    }
}
