//! Constants that differ from neuron to neuron.

/// Halvings of the interval that a root lies in: beyond the digits of a double.
const HALVINGS: u32 = 60;

/// What is left from step to step in each neuron of a block: `least` in the first, `most` in the last. What is lost is a
/// geometric series. Only additions, multiplications and divisions are used, so that it is the same on every machine.
pub(crate) fn factors(least: f64, most: f64, block: u32) -> Vec<f64> {
    let (first, last) = (1.0 - least, 1.0 - most);
    let ratio = root(last / first, block.max(2) - 1);
    let mut lost = first;
    (0..block.max(1))
        .map(|_| {
            let left = 1.0 - lost;
            lost *= ratio;
            left.clamp(0.0, 1.0)
        })
        .collect()
}

/// The root of `value`, above 0, of that degree, 1 or more: by halving an interval.
fn root(value: f64, degree: u32) -> f64 {
    let (mut low, mut high) = (value.min(1.0), value.max(1.0));
    for _ in 0..HALVINGS {
        let middle = low + (high - low) / 2.0;
        if power(middle, degree) < value { low = middle } else { high = middle }
    }
    low + (high - low) / 2.0
}

fn power(base: f64, exponent: u32) -> f64 {
    (0..exponent).fold(1.0, |power, _| power * base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_middle() {
        for (least, most) in [(0.5, 0.99), (0.99, 0.5), (0.0, 0.9), (0.7, 0.7)] {
            let all = factors(least, most, 65);
            assert!((all[0] - least).abs() < 1e-9 && (all[64] - most).abs() < 1e-9, "{all:?}");
            let middle = 1.0 - ((1.0 - least) * (1.0 - most)).sqrt();
            assert!((all[32] - middle).abs() < 1e-9, "{} {middle}", all[32]);
        }
        assert_eq!(factors(0.5, 0.9, 1), [0.5]);
    }
}
