//! The time and the counters of a run on another chip.

use super::file::{Record, RecordError};
use super::steps::Steps;
use super::{PhaseTotals, RunPhase};
use crate::MachineError;
use crate::cost::LANE_COUNTS;
use crate::counters::{Counters, TimingTotals};
use crate::timing::Timing;
use onward_diagnostic::Remedy;
use onward_image::{Block, BlockIndex, Delivery, Image, Route};
use std::borrow::Cow;

/// Cycles of a block after which a step may be endless (rule F10): whether it is depends on the chip.
const ENDLESS: u64 = 1 << 30;

/// A recorded run on another chip: what a run there would have counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retimed {
    /// Counters of the run.
    pub counters: Counters,
    /// Counters of learning alone.
    pub learning_counters: Counters,
    /// Steps and cycles of learning.
    pub learning: PhaseTotals,
    /// Steps and cycles of testing.
    pub testing: PhaseTotals,
}

/// Why a run cannot be timed for another chip from its record.
#[derive(Debug, thiserror::Error)]
pub enum RetimeError {
    /// The record cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A key of the chip is another that programs depend on.
    #[error("`{key} = {asked}`: the run was recorded with {recorded}, and its programs depend on that")]
    Key {
        /// The key, with its section.
        key: &'static str,
        /// What it was.
        recorded: String,
        /// What was asked for.
        asked: String,
    },
    /// What was asked for is no image of the recorded run: not its programs, or not its blocks.
    #[error("the record is of other programs or blocks: {0}")]
    Other(&'static str),
    /// A block computes so long that a step may be endless.
    #[error(
        "with {lanes} lanes a block computes for more than 2^30 cycles without a packet, after which a step is endless"
    )]
    Endless {
        /// Lanes of the chip.
        lanes: u16,
    },
    /// The chip cannot be.
    #[error(transparent)]
    Machine(#[from] MachineError),
}

impl Remedy for RetimeError {
    fn remedy(&self) -> Option<Cow<'_, str>> {
        match self {
            RetimeError::Record(error) => error.remedy(),
            RetimeError::Key { key, .. } => {
                Some(format!("leave `{key}` as it was, or run the network on that chip").into())
            }
            RetimeError::Other(_) | RetimeError::Endless { .. } => Some("run the network on that chip".into()),
            RetimeError::Machine(_) => None,
        }
    }
}

impl Record {
    /// Times the run on the chip of an image: of the same programs and blocks, wherever they lie and however their routes lead.
    /// What comes out is what a run of that image would have counted, to the last cycle, without detail.
    ///
    /// # Errors
    /// The image is of other programs or blocks, or the record is damaged.
    pub fn retime(&self, image: &Image, threads: usize) -> Result<Retimed, RetimeError> {
        let mut all = self.retime_all(&[image], threads)?;
        all.pop().ok_or(RetimeError::Other("there is none"))
    }

    /// The same for several images: what does not depend on the chip is done once.
    ///
    /// # Errors
    /// As [`Record::retime`], of any of them.
    pub fn retime_all(&self, images: &[&Image], threads: usize) -> Result<Vec<Retimed>, RetimeError> {
        let mut timings = Vec::with_capacity(images.len());
        for image in images {
            self.check(image)?;
            timings.push(Timed::new(image, threads)?);
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.max(1)).build().map_err(MachineError::from)?;
        let mut steps = 0;
        for (at, phase) in self.phases.iter().enumerate() {
            timings.iter_mut().for_each(|timed| timed.begin(phase.kind));
            let first = at.checked_sub(1).map_or(0, |before| self.phases[before].end);
            for section in first..phase.end {
                let unpacked = self.unpack(section)?;
                steps += unpacked.len() as u64;
                for timed in &mut timings {
                    pool.install(|| timed.add(&unpacked))?;
                }
            }
        }
        if steps != self.counted.steps {
            return Err(RecordError::Damaged("its steps are not those that were counted").into());
        }
        Ok(timings.into_iter().map(|timed| timed.end(self)).collect())
    }

    /// Whether an image is of the run's programs and blocks.
    fn check(&self, image: &Image) -> Result<(), RetimeError> {
        image.check().map_err(MachineError::Image)?;
        let (recorded, asked) = (self.image.chip.core.vector_length, image.chip.core.vector_length);
        if recorded != asked {
            let (recorded, asked) = (recorded.to_string(), asked.to_string());
            return Err(RetimeError::Key { key: "core.vector_length", recorded, asked });
        }
        let programs = |image: &Image| image.programs.iter().map(|program| program.words.clone()).collect::<Vec<_>>();
        if programs(image) != programs(&self.image) {
            return Err(RetimeError::Other("the programs differ"));
        }
        if image.blocks.len() != self.image.blocks.len() || !image.blocks.iter().zip(&self.image.blocks).all(is_same) {
            return Err(RetimeError::Other("the blocks differ"));
        }
        let is_same_input = |at: usize| {
            let (one, other) = (&image.host_inputs[at], &self.image.host_inputs[at]);
            one.kind == other.kind && one.first == other.first && leads_alike(&one.route, &other.route)
        };
        let inputs = image.host_inputs.len();
        if inputs != self.image.host_inputs.len() || !(0..inputs).all(is_same_input) {
            return Err(RetimeError::Other("what the host sends differs"));
        }
        Ok(())
    }
}

/// Whether a block computes the same as another, wherever it lies.
fn is_same((one, other): (&Block, &Block)) -> bool {
    let what =
        |block: &Block| (block.program, block.entry, block.generator, block.tagged, block.axons, block.memory_bytes);
    what(one) == what(other)
        && one.routes.len() == other.routes.len()
        && one.routes.iter().zip(&other.routes).all(|(one, other)| leads_alike(one, other))
}

/// Whether packets of a route come to the same axons, by whatever way.
fn leads_alike(one: &Route, other: &Route) -> bool {
    let takers = |route: &Route| {
        let deliveries = route.flits.iter().flat_map(|flit| &flit.deliveries);
        let mut takers: Vec<Option<(BlockIndex, u32)>> = deliveries
            .map(|delivery| match *delivery {
                Delivery::Block { block, first_axon } => Some((block, first_axon)),
                Delivery::Host => None,
            })
            .collect();
        takers.sort_unstable();
        takers
    };
    one.indices == other.indices && takers(one) == takers(other)
}

/// A chip that a run is timed for.
struct Timed<'a> {
    image: &'a Image,
    timing: Timing,
    /// Which of [`LANE_COUNTS`] it has.
    lanes: usize,
    totals: TimingTotals,
    learned: TimingTotals,
    learning: PhaseTotals,
    testing: PhaseTotals,
    phase: RunPhase,
    /// Where the phase began.
    before: TimingTotals,
    steps: u64,
    steps_before: u64,
}

impl<'a> Timed<'a> {
    fn new(image: &'a Image, threads: usize) -> Result<Timed<'a>, MachineError> {
        Ok(Timed {
            image,
            timing: Timing::new(image, threads.max(1))?,
            lanes: LANE_COUNTS.iter().position(|&lanes| lanes == image.chip.core.lanes).unwrap_or(0),
            totals: TimingTotals::default(),
            learned: TimingTotals::default(),
            learning: PhaseTotals::default(),
            testing: PhaseTotals::default(),
            phase: RunPhase::Other,
            before: TimingTotals::default(),
            steps: 0,
            steps_before: 0,
        })
    }

    fn add(&mut self, steps: &Steps) -> Result<(), RetimeError> {
        let dispatch = u64::from(self.image.chip.core.dispatch_cycles);
        let spans: Vec<u64> = steps.spans.iter().map(|span| span.0[self.lanes]).collect();
        if spans.iter().any(|&cycles| cycles + dispatch > ENDLESS) {
            return Err(RetimeError::Endless { lanes: self.image.chip.core.lanes });
        }
        self.totals += self.timing.of_steps(steps, &spans, dispatch);
        self.steps += steps.len() as u64;
        Ok(())
    }

    /// The phase is over, another begins.
    fn begin(&mut self, phase: RunPhase) {
        let PhaseTotals { steps, cycles } =
            PhaseTotals { steps: self.steps - self.steps_before, cycles: self.totals.cycles - self.before.cycles };
        let sum = match self.phase {
            RunPhase::Learning => Some(&mut self.learning),
            RunPhase::Testing => Some(&mut self.testing),
            RunPhase::Other => None,
        };
        if let Some(sum) = sum {
            (sum.steps, sum.cycles) = (sum.steps + steps, sum.cycles + cycles);
        }
        if self.phase == RunPhase::Learning {
            self.learned += self.totals.since(&self.before);
        }
        (self.phase, self.before, self.steps_before) = (phase, self.totals, self.steps);
    }

    fn end(mut self, record: &Record) -> Retimed {
        self.begin(RunPhase::Other);
        Retimed {
            counters: record.counted.on(self.image, self.totals),
            learning_counters: record.learning.on(self.image, self.learned),
            learning: self.learning,
            testing: self.testing,
        }
    }
}
