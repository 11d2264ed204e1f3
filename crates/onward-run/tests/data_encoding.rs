//! Rate coding and the order of samples.

use onward_run::data::{RateEncoder, SampleOrder, SplitMix64, encode_rate, rate_count};
use proptest::prelude::*;

/// The definition, one pixel and one step at a time.
fn naive(pixel: u8, window: u32) -> Vec<bool> {
    let mut phase = window / 2;
    (0..window)
        .map(|_| {
            phase += rate_count(pixel, window);
            let spike = phase >= window;
            if spike {
                phase -= window;
            }
            spike
        })
        .collect()
}

#[test]
fn counts_are_rounded_to_the_nearest() {
    assert_eq!([0, 15, 16, 127, 128, 255].map(|pixel| rate_count(pixel, 8)), [0, 0, 1, 4, 4, 8]);
    assert_eq!(rate_count(255, u32::MAX), u32::MAX);
    for window in [1_u32, 7, 8, 16, 1000] {
        for pixel in 0..=255_u8 {
            let exact = f64::from(pixel) * f64::from(window) / 255.0;
            assert_eq!(rate_count(pixel, window), exact.round() as u32);
        }
    }
}

#[test]
fn a_window_of_four_looks_like_this() {
    let mut spikes = [u64::MAX; 4];
    encode_rate(&[0, 64, 128, 191, 255], 4, &mut spikes, 1);
    // Counts 0 to 4; step by step, the first pixel in the lowest bit.
    assert_eq!(spikes, [0b11100, 0b11010, 0b10100, 0b11000]);
}

#[test]
#[should_panic(expected = "words of a window")]
fn a_wrong_length_is_a_mistake_of_the_caller() {
    RateEncoder::new(8).encode(&[1, 2, 3], &mut [0; 7], 1);
}

proptest! {
    #[test]
    fn spikes_are_those_of_the_definition(
        pixels in prop::collection::vec(any::<u8>(), 0..200),
        window in prop_oneof![0..20_u32, 60..70_u32, 120..135_u32],
        spare in 0..2_usize,
    ) {
        let words = pixels.len().div_ceil(64) + spare;
        let mut spikes = vec![u64::MAX; words * window as usize];
        RateEncoder::new(window).encode(&pixels, &mut spikes, words);
        let mut rest = spikes.clone();
        for (k, &pixel) in pixels.iter().enumerate() {
            let train = naive(pixel, window);
            prop_assert_eq!(train.iter().filter(|&&spike| spike).count() as u32, rate_count(pixel, window));
            for (step, &spike) in train.iter().enumerate() {
                let word = step * words + k / 64;
                prop_assert_eq!(spikes[word] >> (k % 64) & 1 == 1, spike, "pixel {} step {}", k, step);
                rest[word] &= !(1 << (k % 64));
            }
        }
        prop_assert!(rest.iter().all(|&word| word == 0), "bits beyond the pixels");
    }

    #[test]
    fn an_epoch_shows_every_sample_once(seed: u64, epoch: u32, samples in 0..300_u32) {
        let order = SampleOrder::new(seed).epoch(samples, epoch);
        prop_assert_eq!(&order, &SampleOrder::new(seed).epoch(samples, epoch));
        let mut sorted = order.clone();
        sorted.sort_unstable();
        prop_assert_eq!(sorted, (0..samples).collect::<Vec<_>>());
    }

    #[test]
    fn draws_stay_below_their_bound(seed: u64, bound in 1..=u32::MAX) {
        let mut generator = SplitMix64::new(seed);
        prop_assert!((0..20).all(|_| generator.below(bound) < bound));
    }
}

/// The published output of splitmix64.c for this seed.
#[test]
fn the_generator_is_splitmix64() {
    let mut generator = SplitMix64::new(1_234_567);
    let drawn = [generator.draw(), generator.draw(), generator.draw()];
    assert_eq!(drawn, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
}

/// Orders computed from the documentation by another program (Python).
#[test]
fn the_order_is_the_documented_one() {
    assert_eq!(SampleOrder::new(1).epoch(10, 0), [5, 6, 1, 8, 7, 4, 3, 9, 0, 2]);
    assert_eq!(SampleOrder::new(1).epoch(10, 1), [7, 8, 1, 0, 4, 2, 9, 6, 5, 3]);
}

#[test]
fn seeds_and_epochs_give_different_orders() {
    let orders: Vec<_> =
        (0..4).flat_map(|seed| (0..4).map(move |epoch| SampleOrder::new(seed).epoch(50, epoch))).collect();
    for (index, order) in orders.iter().enumerate() {
        assert!(!orders[..index].contains(order), "order {index} was there before");
    }
}

/// Every sample is first about equally often: 10 samples, 5,000 epochs, 500 expected each, 6 standard deviations.
#[test]
fn shuffles_are_fair() {
    let mut first = [0; 10];
    for epoch in 0..5000 {
        first[SampleOrder::new(3).epoch(10, epoch)[0] as usize] += 1;
    }
    assert!(first.iter().all(|&times: &i32| (times - 500).abs() < 128), "{first:?}");
}
