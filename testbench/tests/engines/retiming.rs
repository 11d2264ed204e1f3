//! What a record says of another chip is what a run there counts.

use crate::chips::{Case, pair};
use onward_emulate::{Engine, Machine, Options, Record, RetimeError, RunPhase, reference};
use onward_image::Image;
use proptest::prelude::*;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes that are written by one and read by another.
#[derive(Clone, Default)]
pub struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    pub fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn options(case: &Case) -> Options {
    Options { seed: case.seed, timing: true, threads: case.threads }
}

/// Runs a case: first what is called learning, then what is called testing. `None` if the chip stops.
fn run(engine: &mut dyn Engine, case: &Case) -> Option<onward_emulate::Counters> {
    engine.begin_phase(RunPhase::Learning);
    engine.run_packets(case.steps, &case.packets).ok()?;
    let learned = engine.counters();
    engine.begin_phase(RunPhase::Testing);
    engine.run_packets(1, &[]).ok()?;
    engine.begin_phase(RunPhase::Other);
    engine.run_packets(2, &[]).ok()?;
    Some(learned)
}

/// The record of a case, if the chip does not stop.
fn recorded(case: &Case) -> Option<(Vec<u8>, Machine)> {
    let mut machine = Machine::new(&case.image, options(case)).expect("a valid image");
    let file = Shared::default();
    machine.record(&case.image, Box::new(file.clone())).expect("memory is written");
    run(&mut machine, case)?;
    machine.end_record(b"what it is").expect("memory is written");
    Some((file.bytes(), machine))
}

fn is_counted_alike(case: &Case, other: &Image) -> Result<(), TestCaseError> {
    let Some((bytes, machine)) = recorded(case) else { return Ok(()) };
    let record = Record::from_bytes(&bytes).expect("what was written");
    prop_assert_eq!(record.about(), b"what it is");
    // Recording changes nothing, and the chip that ran is timed as it ran.
    let mut plain = Machine::new(&case.image, options(case)).expect("a valid image");
    run(&mut plain, case);
    prop_assert_eq!(plain.counters(), machine.counters());
    prop_assert_eq!(&record.retime(&case.image, case.threads).expect("it ran there").counters, &plain.counters());
    let retimed = record.retime(other, case.threads).expect("the same blocks");
    let mut there = Machine::new(other, options(case)).expect("a valid image");
    let Some(learned) = run(&mut there, case) else { return Ok(()) };
    prop_assert_eq!(&retimed.counters, &there.counters());
    prop_assert_eq!(&retimed.learning_counters, &learned);
    let cycles = |counters: &onward_emulate::Counters| counters.timing.map(|timing| timing.cycles);
    prop_assert_eq!(Some(retimed.learning.cycles), cycles(&learned));
    prop_assert_eq!((retimed.learning.steps, retimed.testing.steps), (case.steps as u64, 1));
    let mut plainly = reference::Machine::new(other, options(case)).expect("a valid image");
    run(&mut plainly, case);
    prop_assert_eq!(&retimed.counters, &plainly.counters());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn another_chip_is_timed_as_a_run_there((case, other) in pair()) {
        is_counted_alike(&case, &other)?;
    }

    /// Damaged bytes are refused, or they are not damaged where it matters; nothing panics.
    #[test]
    fn a_damaged_record_is_refused((case, _) in pair(), at in any::<prop::sample::Index>(), bit in 0u32..8, cut in any::<bool>()) {
        let Some((bytes, _)) = recorded(&case) else { return Ok(()) };
        let mut damaged = bytes.clone();
        let at = at.index(bytes.len());
        if cut {
            damaged.truncate(at);
        } else {
            damaged[at] ^= 1_u8 << bit;
        }
        prop_assert!(Record::from_bytes(&damaged).is_err());
        damaged.clone_from(&bytes);
        damaged.push(0);
        prop_assert!(Record::from_bytes(&damaged).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, ..ProptestConfig::default() })]

    #[test]
    fn what_programs_depend_on_is_refused((case, other) in pair()) {
        let Some((bytes, _)) = recorded(&case) else { return Ok(()) };
        let record = Record::from_bytes(&bytes).expect("what was written");
        let mut longer = other.clone();
        longer.chip.core.vector_length += 64;
        let Err(refused) = record.retime(&longer, 1) else { return Err(TestCaseError::fail("longer vectors")) };
        prop_assert!(matches!(refused, RetimeError::Key { key: "core.vector_length", .. }), "{}", refused);
        let mut reprogrammed = other.clone();
        reprogrammed.programs.raw[0].words.push(0);
        prop_assert!(matches!(record.retime(&reprogrammed, 1), Err(RetimeError::Other(_))));
        let mut wider = other;
        wider.blocks.raw[0].axons += 1;
        prop_assert!(matches!(record.retime(&wider, 1), Err(RetimeError::Other(_))));
    }
}
