//! Readouts.

use super::Checker;
use super::values::Given;
use crate::readout::{ReadoutKind, ReadoutLoss, TargetTree, TrainedReadout};

impl Checker<'_> {
    /// What a readout's constructor says.
    pub(super) fn readout_kind(&mut self, given: &Given) -> ReadoutKind {
        match given.form.name {
            "nearest_target" => ReadoutKind::NearestTarget,
            "most_spikes" => ReadoutKind::MostSpikes,
            "spikes" => ReadoutKind::Spikes,
            "trained" => {
                let loss = self.open_option(given, "loss");
                ReadoutKind::Trained(TrainedReadout {
                    loss: self.readout_loss(&loss),
                    rate: self.integer(given, "rate"),
                    anneal: self.integer(given, "anneal"),
                    bits: self.integer(given, "bits"),
                })
            }
            "target_tree" => ReadoutKind::TargetTree(TargetTree {
                rate: self.integer(given, "rate"),
                margin: self.decimal(given, "margin"),
                anneal: self.integer(given, "anneal"),
                parts: self.integer(given, "parts"),
            }),
            other => unreachable!("readout `{other}` is in the vocabulary only"),
        }
    }

    fn readout_loss(&mut self, given: &Given) -> ReadoutLoss {
        match given.form.name {
            "hinge" => ReadoutLoss::Hinge { margin: self.decimal(given, "margin") },
            "squared_error" => ReadoutLoss::SquaredError,
            other => unreachable!("loss `{other}` is in the vocabulary only"),
        }
    }
}
