//! What 1.0 is in the integers of a layer: of its weights by output (a neuron, of a convolution a channel), of its membranes
//! by neuron.

/// What 1.0 is, for all or one by one.
#[derive(Clone, Debug, PartialEq)]
pub enum Scale {
    /// The same for all.
    Same(f64),
    /// Of each output, or neuron.
    Each(Vec<f64>),
}

impl Scale {
    /// That of an output, or a neuron.
    pub fn of(&self, at: usize) -> f64 {
        match self {
            Scale::Same(scale) => *scale,
            Scale::Each(scales) => scales[at],
        }
    }

    /// The least of them.
    pub fn least(&self) -> f64 {
        match self {
            Scale::Same(scale) => *scale,
            Scale::Each(scales) => scales.iter().copied().fold(f64::INFINITY, f64::min),
        }
    }

    /// The greatest of them.
    pub fn greatest(&self) -> f64 {
        match self {
            Scale::Same(scale) => *scale,
            Scale::Each(scales) => scales.iter().copied().fold(0.0, f64::max),
        }
    }

    /// The scales of neurons, of which `each` have one output's, times `factor`.
    pub(crate) fn of_neurons(&self, each: usize, factor: f64) -> Scale {
        match self {
            Scale::Same(scale) => Scale::Same(scale * factor),
            Scale::Each(scales) => {
                Scale::Each(scales.iter().flat_map(|scale| std::iter::repeat_n(scale * factor, each)).collect())
            }
        }
    }

    /// The scales in a few words.
    pub fn describe(&self) -> String {
        match self {
            Scale::Same(scale) if scale.log2().fract() == 0.0 => format!("2^{}", scale.log2()),
            Scale::Same(scale) => format!("{scale:.2}"),
            Scale::Each(_) => format!("{:.2} to {:.2}, each output by its own", self.least(), self.greatest()),
        }
    }
}
