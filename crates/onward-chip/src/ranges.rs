//! How far two designs can be told apart with figures that may be wrong by a factor.
//!
//! What errs alike in both cancels: a core's memories may leak twice what is said, but they do so in both. So each line of two
//! bills is taken to be wrong by its own factor, the same one in both, and the range is what the ratio of the sums can be.

use serde::Serialize;

/// A ratio and the ends of what it may be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Range {
    /// The least it may be.
    pub lowest: f64,
    /// What the figures say.
    pub said: f64,
    /// The most it may be.
    pub highest: f64,
}

/// The ratio of the sums of `a` and `b`, line by line of two bills in one technology, each line of which may be off by the
/// `factor` either way, in both alike. Of different technologies see [`ratio_range`].
///
/// # Panics
/// If there are not as many lines in both.
pub fn ratio_of_sums(a: &[f64], b: &[f64], factor: f64) -> Range {
    assert_eq!(a.len(), b.len(), "as many lines in both");
    // What is nothing in both, such as a code for words of chips without one, has no ratio, and no part in the sums.
    let lines = a.iter().copied().zip(b.iter().copied()).filter(|(a, b)| a + b > 0.0);
    let mut lines: Vec<(f64, f64)> = lines.collect();
    // The ratio is greatest where the lines with the greatest ratios of their own are highest, and all others lowest (and least
    // the other way round): one of the cuts of the sorted lines.
    lines.sort_by(|(a, b), (c, d)| (a / b).total_cmp(&(c / d)));
    let sum = |cut: usize, below: f64, above: f64| {
        let weighed = lines.iter().enumerate().map(|(at, &(a, b))| {
            let weight = if at < cut { below } else { above };
            (weight * a, weight * b)
        });
        let (a, b) = weighed.fold((0.0, 0.0), |(a, b), (c, d)| (a + c, b + d));
        a / b
    };
    let cuts = 0..=lines.len();
    Range {
        lowest: cuts.clone().map(|cut| sum(cut, factor, 1.0 / factor)).fold(f64::INFINITY, f64::min),
        said: sum(0, 1.0, 1.0),
        highest: cuts.map(|cut| sum(cut, 1.0 / factor, factor)).fold(0.0, f64::max),
    }
}

/// The ratio of two figures that may be off by factors of their own.
pub fn ratio_range(a: f64, b: f64, factor_a: f64, factor_b: f64) -> Range {
    let (said, either) = (a / b, factor_a * factor_b);
    Range { lowest: said / either, said, highest: said * either }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_nothing_in_both_change_nothing() {
        let (a, b): (Vec<f64>, Vec<f64>) = (0..40).map(|at| (f64::from(40 - at), f64::from(1 + at * 7 % 11))).unzip();
        let with_nothing = |lines: &[f64]| lines.iter().flat_map(|&line| [line, 0.0]).collect::<Vec<f64>>();
        assert_eq!(ratio_of_sums(&with_nothing(&a), &with_nothing(&b), 2.0), ratio_of_sums(&a, &b, 2.0));
        let range = ratio_of_sums(&[1.0, 0.0, 3.0], &[1.0, 2.0, 0.0], 2.0);
        assert!(range.lowest < range.said && range.said < range.highest, "{range:?}");
    }

    #[test]
    fn what_errs_alike_cancels() {
        let alike = ratio_of_sums(&[2.0, 4.0], &[1.0, 2.0], 2.0);
        assert_eq!((alike.lowest, alike.said, alike.highest), (2.0, 2.0, 2.0));
        // 1 and 3 against 2 and 2: the ratio is greatest with the second line twice, the first half.
        let range = ratio_of_sums(&[1.0, 3.0], &[2.0, 2.0], 2.0);
        assert_eq!((range.lowest, range.said, range.highest), ((2.0 + 1.5) / 5.0, 1.0, (0.5 + 6.0) / 5.0));
        assert_eq!(ratio_range(3.0, 1.0, 2.0, 2.0), Range { lowest: 0.75, said: 3.0, highest: 12.0 });
    }
}
