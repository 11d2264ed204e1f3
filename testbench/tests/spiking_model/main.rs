//! The emulated chip against the composed model of layers, neurons and ways between them: random networks of every
//! kind, as texts, on random chips, shown random windows. Spikes are the same, neuron by neuron and step by step, and so are
//! the membranes and currents when the chip has come to rest.

mod calibrated;
#[path = "../common/frozen.rs"]
mod frozen;
mod networks;
mod sides;

use networks::Case;
use proptest::prelude::*;
use sides::Pair;

/// Shows the case to both sides and compares them.
fn agree(case: &Case) -> Result<Shown, String> {
    let Some(mut pair) = Pair::new(case)? else { return Ok(Shown::default()) };
    pair.run(case)?;
    pair.compare_state()?;
    Ok(Shown { fits: true, spikes: pair.spikes })
}

/// Whether a case shows anything.
#[derive(Clone, Copy, Debug, Default)]
struct Shown {
    /// It fits the chip, and all of it is of kinds that can be compiled.
    fits: bool,
    /// Spikes of the layer that is read.
    spikes: usize,
}

proptest! {
    // What is found is kept as a text, which does not depend on how networks are drawn.
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn chip_and_model_agree(numbers in prop::collection::vec(any::<u32>(), 1..200)) {
        let case = networks::case(&numbers);
        let shown = agree(&case);
        prop_assert!(shown.is_ok(), "{}\n{case:?}", shown.err().unwrap_or_default());
    }
}

/// Formats by calibration change no answer where nothing saturates, and with a margin little does.
#[test]
fn calibrated_chip_and_model_agree() {
    let (mut narrowed, mut saturated) = (0, 0);
    for seed in 0..150u32 {
        let numbers: Vec<u32> =
            (0..200u32).map(|at| (seed * 200 + at).wrapping_mul(0x9e37_79b9).rotate_left(11)).collect();
        let case = networks::case(&numbers);
        let shown = calibrated::agree(&case).unwrap_or_else(|difference| panic!("{difference}\n{case:?}"));
        narrowed += usize::from(shown.narrowed > 0);
        saturated += usize::from(shown.narrowed > 0 && shown.saturated > 0);
    }
    assert!(narrowed >= 15, "only {narrowed} of 150 networks are kept in fewer bits");
    assert!(saturated * 10 <= narrowed, "{saturated} of {narrowed} saturate");
}

/// That the random networks above are worth comparing: most fit, and most that fit spike.
#[test]
fn random_networks_show_something() {
    let mut random = 1u64;
    let mut next = || {
        // Steele, Lea, Flood: SplitMix64.
        random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (random ^ random >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) as u32
    };
    let (mut fits, mut spikes) = (0, 0);
    for _ in 0..200 {
        let numbers: Vec<u32> = (0..200).map(|_| next()).collect();
        let case = networks::case(&numbers);
        let shown = agree(&case).unwrap_or_else(|difference| panic!("{difference}\n{case:?}"));
        fits += usize::from(shown.fits);
        spikes += usize::from(shown.spikes > 0);
    }
    assert!(fits >= 180, "only {fits} of 200 networks can be compiled");
    assert!(spikes >= 120, "only {spikes} of 200 networks spike");
}

/// Networks on which the two sides once differed.
#[test]
fn found_before() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spiking_model/found");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("it can be read").path())
        .collect();
    paths.sort();
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("it is a text");
        for numbers in [[1, 2, 3], [5, 0, 7], [11, 13, 17], [1, 1, 4]] {
            let case = networks::case_of(&text, &numbers);
            if let Err(difference) = agree(&case) {
                panic!("{}: {difference}\n{case:?}", path.display());
            }
        }
    }
}
