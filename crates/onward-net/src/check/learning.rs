//! How layers learn.

use super::Checker;
use super::values::Given;
use crate::rule::{Gate, Learning, Loss, Optimizer, RateSchedule, Rounding, Rule, Update, When};
use onward_diagnostic::Diagnostic;

impl Checker<'_> {
    pub(super) fn learning(&mut self, given: &Given) -> Learning {
        let loss = match given.form.name {
            "none" => return Learning::None,
            "hinge" => Loss::Hinge { margin: self.decimal(given, "margin") },
            "softmax" => Loss::Softmax { temperature: self.decimal(given, "temperature") },
            "squared_error" => Loss::SquaredError { margin: self.decimal(given, "margin") },
            "hebbian" => Loss::Hebbian,
            other => unreachable!("learning rule `{other}` is in the vocabulary only"),
        };
        let gate = match self.open_option(given, "gate").form.name {
            "surrogate" => Gate::Surrogate,
            "voltage" => Gate::Voltage,
            "none" => Gate::None,
            other => unreachable!("gate `{other}` is in the vocabulary only"),
        };
        let revive = match self.open_option(given, "revive").form.name {
            "homeostasis" => true,
            "none" => false,
            other => unreachable!("revival `{other}` is in the vocabulary only"),
        };
        let update = match self.open_option(given, "update").form.name {
            "at_once" => Update::AtOnce,
            "spread" => Update::Spread,
            other => unreachable!("time of the update `{other}` is in the vocabulary only"),
        };
        let rounding = match self.open_option(given, "rounding").form.name {
            "stochastic" => Rounding::Stochastic,
            "carried" => Rounding::Carried,
            other => unreachable!("rounding `{other}` is in the vocabulary only"),
        };
        Learning::Rule(Rule {
            loss,
            rate: self.integer(given, "rate"),
            schedule: self.rate_schedule(given),
            gate,
            optimizer: self.optimizer(given),
            weight_decay: self.integer_if_given(given, "weight_decay"),
            when: self.when(given),
            revive,
            update,
            rounding,
            batch: self.integer(given, "batch"),
        })
    }

    fn when(&mut self, given: &Given) -> When {
        let memory = self.integer(given, "memory");
        let Some(every) = self.integer_if_given(given, "every") else {
            if let Some(value) = given.option("memory") {
                let error =
                    Diagnostic::new(value.span.clone(), "traces fade only where weights change from step to step");
                self.report(error.help("leave `memory` away, or say how often they change: `every = 8`"));
            }
            return When::Window;
        };
        if let Some(value) = given.option("every")
            && !every.is_power_of_two()
        {
            let error = Diagnostic::new(value.span.clone(), format!("`every` is a power of two, not {every}"));
            self.report(
                error.note("windows are powers of two as well, so that the last change comes with their last step"),
            );
        }
        When::Steps { every, memory }
    }

    fn rate_schedule(&mut self, given: &Given) -> RateSchedule {
        let anneal = self.integer(given, "anneal");
        let Some(value) = given.option("shifts") else { return RateSchedule::Anneal(anneal) };
        let span = value.span.clone();
        if given.option("anneal").is_some() {
            let error = Diagnostic::new(span.clone(), "the rate falls either in listed epochs or evenly over the run");
            self.report(error.help("leave `anneal` or `shifts` away"));
        }
        let epochs = self.integers(given, "shifts");
        if !epochs.is_sorted() {
            let error = Diagnostic::new(span, "the epochs of `shifts` do not rise");
            self.report(error.help("write them in their order"));
        }
        RateSchedule::Shifts(epochs)
    }

    fn optimizer(&mut self, given: &Given) -> Optimizer {
        let optimizer = self.open_option(given, "optimizer");
        match optimizer.form.name {
            "plain" => Optimizer::Plain,
            "momentum" => Optimizer::Momentum { decay: self.integer(&optimizer, "decay") },
            "adaptive" => Optimizer::Adaptive { decay: self.integer(&optimizer, "decay") },
            other => unreachable!("optimizer `{other}` is in the vocabulary only"),
        }
    }
}
