//! The generator: its values to the bit, and that rounding with it is fair.

use onward_isa::random::{block_seed, key, mix, noise};

/// Computed with a Python program written from the formulas in `random.rs`, not from its code. The first two block seeds
/// are also the first outputs of SplitMix64 with the seeds 0 and 1, as published.
#[test]
fn reference_values() {
    assert_eq!([0, 1, 2, u32::MAX].map(mix), [0, 0x6889_90c0, 0xd113_2181, 0x6768_824a]);
    let seeds = [(0, 0), (1, 0), (1, 1), (0xdead_beef_cafe_f00d, 4095)].map(|(seed, block)| block_seed(seed, block));
    assert_eq!(seeds, [0xe220_a839_7b1d_cdaf, 0x910a_2dec_8902_5cc1, 0xbeeb_8da1_658e_ec67, 0xf15b_c5fe_53b7_35ad]);
    let keys = [0, 1, 2, u32::MAX].map(|counter| key(block_seed(1, 0), counter));
    assert_eq!(keys, [0x60e1_bb31, 0xfa79_c220, 0x4d38_9b49, 0x6db0_fcc3]);
    let rows = [keys[0], keys[1], keys[3]].map(|key| [0, 1, 2, 3, 127].map(|index| noise(key, index)));
    assert_eq!(
        rows,
        [
            [0xc225_b390, 0xf3d3_28b7, 0x7eeb_70b7, 0x02a2_6044, 0x07b2_4df3],
            [0x00ac_54a5, 0x3686_4148, 0x0115_5e72, 0x3fdd_2bcf, 0x231d_9338],
            [0x67b7_6037, 0xecb9_b704, 0xffbb_8b62, 0x7d1f_3a85, 0xd89c_b10c],
        ]
    );
}

/// `vshrs` of one element by 1 to 31 bits, as the table says it.
fn round(value: i64, shift: u32, noise: u32) -> i64 {
    (value + i64::from(noise >> (32 - shift))) >> shift
}

/// The errors of many stochastic roundings of many values, in units of the result's last place: mean and its standard
/// error, over blocks, counters and the 128 neurons of a block.
fn mean_error(shift: u32, fraction: impl Fn(u32) -> i64) -> (f64, f64) {
    let (mut sum, mut squares, mut draws) = (0.0, 0.0, 0);
    for block in 0..8 {
        let seed = block_seed(7, block);
        for counter in 0..1000 {
            let key = key(seed, counter);
            for index in 0..128_u32 {
                let value = fraction(index.wrapping_add(counter)) - (1 << 20);
                let exact = value as f64 / f64::from(1_u32 << shift);
                let error = round(value, shift, noise(key, index)) as f64 - exact;
                assert!(error.abs() < 1.0);
                (sum, squares, draws) = (sum + error, squares + error * error, draws + 1);
            }
        }
    }
    let draws = f64::from(draws);
    (sum / draws, (squares / draws).sqrt() / draws.sqrt())
}

#[test]
fn stochastic_rounding_is_fair() {
    for shift in [1, 2, 3, 5, 8, 12, 16] {
        // One fraction at a time, and all of them.
        for fraction in [1, 3, 5, (1 << shift) / 3, (1 << shift) - 1] {
            let (mean, standard_error) = mean_error(shift, |_| fraction);
            assert!(mean.abs() <= 3.0 * standard_error, "by {shift}, {fraction}: {mean} +- {standard_error}");
        }
        let (mean, standard_error) = mean_error(shift, i64::from);
        assert!(mean.abs() <= 3.0 * standard_error, "by {shift}: {mean} +- {standard_error}");
    }
}

#[test]
fn what_is_whole_stays() {
    for shift in 1..32 {
        for noise in [0, 1, 0x8000_0000, u32::MAX] {
            assert_eq!(round(-3 << shift, shift, noise), -3);
        }
    }
}

/// Correlation of the draws of two columns over many counters.
fn correlation(a: impl Fn(u32) -> u32, b: impl Fn(u32) -> u32) -> f64 {
    const COUNT: u32 = 1 << 16;
    let centred = |x: u32| f64::from(x) / f64::from(1_u32 << 31) - 1.0;
    (0..COUNT).map(|at| centred(a(at)) * centred(b(at))).sum::<f64>() / f64::from(COUNT) * 3.0
}

#[test]
fn neighbours_are_hardly_correlated() {
    let seed = block_seed(3, 5);
    let draw = |counter, index| noise(key(seed, counter), index);
    let next_counter = correlation(|n| draw(n, 9), |n| draw(n + 1, 9));
    let next_index = correlation(|n| draw(n, 9), |n| draw(n, 10));
    let next_block = correlation(|n| draw(n, 9), |n| noise(key(block_seed(3, 6), n), 9));
    for found in [next_counter, next_index, next_block] {
        assert!(found.abs() < 0.015, "{next_counter} {next_index} {next_block}");
    }
    // Farther neighbours share a key and one multiplication: a few lags reach 0.06, none more. Rounding needs a fair mean
    // and neighbours that do not move together; that the sum over a block varies as it should is checked below.
    for lag in 2..512 {
        let found = correlation(|n| draw(n, 0), |n| draw(n, lag));
        assert!(found.abs() < 0.07, "lag {lag}: {found}");
    }
}

/// If the draws of a block moved together, their sum would vary more than that of independent ones.
#[test]
fn sums_over_a_block_vary_as_if_independent() {
    let (counters, neurons) = (1 << 14, 128);
    let seed = block_seed(11, 2);
    let variance = (0..counters)
        .map(|counter| {
            let key = key(seed, counter);
            let sum: f64 = (0..neurons).map(|index| f64::from(noise(key, index)) / f64::from(1_u32 << 31) - 1.0).sum();
            sum * sum * 3.0 / f64::from(neurons)
        })
        .sum::<f64>()
        / f64::from(counters);
    assert!((0.9..1.1).contains(&variance), "{variance}");
}
