//! The target alone: what the input evokes is to be what the own target does.

use super::{Lead, LossCode, Of, Operands, Pulls, Update};
use onward_isa::builder::Assembly;

pub(super) struct Hebbian;

impl LossCode for Hebbian {
    fn lead(&self, _: &mut Assembly, _: &Update) -> Lead {
        Lead::default()
    }

    fn pulls(&self, a: &mut Assembly, update: &Update, _: &Lead, operands: &Operands) -> Pulls {
        a.comment("What the target evokes, less what the input evokes already");
        let input = update.evoked(a, operands, Of::Own);
        {
            let h = &update.evoked(a, operands, Of::Input);
            a.vsub(&input, &input, h);
        }
        update.gate(a, operands, Of::Input, &input);
        Pulls { input, targets: None }
    }

    fn moves_targets(&self) -> bool {
        false
    }
}
