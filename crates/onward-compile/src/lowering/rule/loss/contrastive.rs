//! The contrastive loss: the own class against all at once that come within its margin (Weston and Watkins 1999).

use super::{Lead, LossCode, Operands, Pulls, Toward, Update, away_from_all};
use crate::lowering::code::load_name;
use onward_isa::builder::{Assembly, N32, ZERO};
use onward_net::Loss;

pub(super) struct Contrastive;

impl LossCode for Contrastive {
    fn looks_at_all(&self) -> bool {
        true
    }

    fn margin(&self, loss: Loss) -> f64 {
        if let Loss::Contrastive { margin } = loss { margin } else { 0.0 }
    }

    /// Those within the margin have the weight 1; the lead is how many they are.
    fn lead(&self, a: &mut Assembly, update: &Update) -> Lead {
        let (rival, own, other) = update.rival(a);
        a.comment("The classes that come within the margin of the own one");
        let (within, near) = (a.named("missing"), &a.scratch_predicate());
        let (scores, weights) = (&a.scratch_vector(), &a.scratch_vector());
        update.load_margin(a, &other);
        a.sub(&own, &own, &other);
        a.addi(&own, &own, 1).note("the least score that does");
        a.setvl(ZERO, "CLASSES");
        update.block.load_scores(a, update.arrays, scores);
        a.lui(&other, 0x8000);
        a.vins(scores, &other, update.slot);
        a.vcges(near, scores, &own);
        a.pcount(&within, near);
        a.vmv(weights, ZERO);
        a.addi(&own, ZERO, 1);
        a.vaddp(weights, weights, &own, near);
        load_name(a, &other, "CLASS_WEIGHTS");
        a.vst(weights, N32.at(&other, 0));
        update.all_neurons(a);
        a.beq(&within, ZERO, update.nothing);
        Lead { rival: Some(rival), missing: Some(within) }
    }

    fn pulls(&self, a: &mut Assembly, update: &Update, lead: &Lead, operands: &Operands) -> Pulls {
        let within = lead.missing.as_ref().expect("they were counted with the rival");
        away_from_all(a, update, operands, Toward::Away, within)
    }
}
