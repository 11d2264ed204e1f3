//! How large the quantities of a layer became in samples.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a layer met. Magnitudes are in units of the network: 1.0 is 1.0 of its text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerCalibration {
    /// Name of the layer.
    pub layer: String,
    /// Shape of its neurons.
    pub shape: Vec<u32>,
    /// Places of what comes in.
    pub inputs: u32,
    /// Spikes of its neurons in all.
    pub spikes: u64,
    /// What came in in a step: the sum of the weights of one sign, so that the order in which they come does not matter.
    pub input: Range,
    /// The synaptic current, if there is one.
    pub current: Option<Range>,
    /// The membrane as a step leaves it.
    pub membrane: Range,
}

/// The magnitudes of a quantity.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// The largest.
    #[serde(deserialize_with = "classes::magnitude")]
    pub largest: f64,
    /// How many there were.
    pub values: u64,
    /// How many of them lay in which class: each begins at a number and ends where the next of four an octave begins.
    #[serde(with = "classes")]
    classes: BTreeMap<u64, u64>,
}

/// Bits below the two highest of the mantissa: what a class leaves out of a number.
const CLASS_BITS: u32 = 50;

impl Range {
    pub(crate) fn meet(&mut self, value: f64) {
        let magnitude = value.abs();
        self.largest = self.largest.max(magnitude);
        self.values += 1;
        *self.classes.entry(magnitude.to_bits() >> CLASS_BITS).or_default() += 1;
    }

    /// The part of the values, 0 to 1, that is above `limit`; those of the class that `limit` is in count as above.
    pub fn part_above(&self, limit: f64) -> f64 {
        if self.largest <= limit || self.values == 0 {
            return 0.0;
        }
        let above = self.classes.range(limit.max(0.0).to_bits() >> CLASS_BITS..).map(|(_, count)| count).sum::<u64>();
        above as f64 / self.values as f64
    }
}

/// Classes as rows of where they begin and how many values are in them.
mod classes {
    use super::CLASS_BITS;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::collections::BTreeMap;

    pub fn serialize<S: Serializer>(classes: &BTreeMap<u64, u64>, serializer: S) -> Result<S::Ok, S::Error> {
        let rows: Vec<(f64, u64)> =
            classes.iter().map(|(class, count)| (f64::from_bits(class << CLASS_BITS), *count)).collect();
        rows.serialize(serializer)
    }

    /// A number that is not negative.
    pub fn magnitude<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        let magnitude = f64::deserialize(deserializer)?;
        if magnitude >= 0.0 { Ok(magnitude) } else { Err(D::Error::custom("a magnitude is negative")) }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<u64, u64>, D::Error> {
        let rows = Vec::<(f64, u64)>::deserialize(deserializer)?;
        let class = |(begin, count): (f64, u64)| {
            let is_magnitude = begin >= 0.0 && begin.is_finite();
            // To the nearest: a number that was read may be off by its last bit.
            is_magnitude.then_some(((begin.to_bits() + (1 << (CLASS_BITS - 1))) >> CLASS_BITS, count))
        };
        rows.into_iter().map(class).collect::<Option<_>>().ok_or_else(|| D::Error::custom("a magnitude is negative"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_values_above_a_limit() {
        let mut range = Range::default();
        [0.0, 0.5, -1.0, 3.0].into_iter().for_each(|value| range.meet(value));
        let eighths = [0.25, 1.0, 2.0, 3.0, 4.0].map(|limit| (8.0 * range.part_above(limit)) as u32);
        assert_eq!(eighths, [6, 4, 2, 0, 0]);
        let text = serde_json::to_string(&range).unwrap();
        assert_eq!(text, r#"{"largest":3.0,"values":4,"classes":[[0.0,1],[0.5,1],[1.0,1],[3.0,1]]}"#);
        assert_eq!(serde_json::from_str::<Range>(&text).unwrap(), range);
        for damaged in [r#"{"largest":1,"values":1,"classes":[[-1.0,1]]}"#, r#"{"largest":-1,"values":0,"classes":[]}"#]
        {
            let error = serde_json::from_str::<Range>(damaged).unwrap_err().to_string();
            assert!(error.starts_with("a magnitude is negative"), "{error}");
        }
    }
}
