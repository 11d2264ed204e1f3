//! Neurons and weights.

use super::Checker;
use super::values::Given;
use crate::network::{Decay, Initial, Neuron, Reset, Values, Weights};
use onward_diagnostic::Diagnostic;

impl Checker<'_> {
    pub(super) fn neuron(&mut self, given: &Given) -> Neuron {
        let reset = self.open_option(given, "reset");
        let reset = match reset.form.name {
            "subtract" => Reset::Subtract,
            "zero" => Reset::To(Values::Constant(0.0)),
            "to" => Reset::To(self.numbers_argument(&reset)),
            other => unreachable!("reset `{other}` is in the vocabulary only"),
        };
        let (leak, current) = match given.form.name {
            "integrate_and_fire" => (Decay::None, None),
            "leaky" => (self.decay(given, "leak"), None),
            "current_based" => (self.decay(given, "leak"), Some(self.decay(given, "current"))),
            other => unreachable!("neurons `{other}` are in the vocabulary only"),
        };
        Neuron {
            threshold: self.numbers(given, "threshold"),
            reset,
            leak,
            current,
            refractory: self.integer(given, "refractory"),
            bias: self.numbers(given, "bias"),
        }
    }

    fn decay(&mut self, given: &Given, name: &str) -> Decay {
        let decay = self.open_option(given, name);
        match decay.form.name {
            "none" => Decay::None,
            "shift" => Decay::Shift(self.integer_arguments(&decay).map_or(1, |arguments| arguments[0])),
            "spread" => self.spread(&decay),
            "factor" => Decay::Factor(self.numbers_argument(&decay)),
            other => unreachable!("decay `{other}` is in the vocabulary only"),
        }
    }

    fn spread(&mut self, given: &Given) -> Decay {
        let Some(parts) = self.decimal_arguments(given) else { return Decay::None };
        Decay::Spread(parts[0], parts[1])
    }

    pub(super) fn weights(&mut self, given: &Given) -> Weights {
        let bits = self.integer(given, "bits");
        let gain = self.decimal(given, "gain");
        let fraction = self.integer_if_given(given, "fraction");
        if given.option("values").is_none() {
            return Weights { bits, initial: Initial::Drawn { gain, fraction } };
        }
        if let Some(gain) = given.option("gain") {
            let error = Diagnostic::new(gain.span.clone(), "weights are either given or drawn with a gain");
            self.report(error.help("leave `gain` or `values` away"));
        }
        if let Some(fraction) = given.option("fraction") {
            let error =
                Diagnostic::new(fraction.span.clone(), "the binary point of given weights follows from the greatest");
            self.report(error.help("leave `fraction` or `values` away"));
        }
        Weights { bits, initial: Initial::Given(self.numbers(given, "values")) }
    }
}
