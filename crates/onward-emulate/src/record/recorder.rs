//! Makes a record while a machine runs. What it holds does not grow with the run: steps are written as soon as there are some.

use super::RunPhase;
use super::counted::Counted;
use super::file::Sink;
use super::steps::Gathering;
use crate::fast::{Block, Outlet};
use crate::index::Place;
use onward_image::Image;
use std::io::{self, Write};
use typed_index_collections::TiSlice;

/// Steps that a section holds at most, about.
const MOST_STEPS: usize = 1 << 15;
/// Bytes that steps take at most, about, until they are written.
const MOST_BYTES: usize = 1 << 23;

/// A record that is being made.
pub(crate) struct Recorder {
    /// Nothing once writing failed.
    sink: Option<Sink>,
    failed: Option<io::Error>,
    gathering: Gathering,
    phase: RunPhase,
    /// Counters when the phase began.
    before: Counted,
    /// Those of all that was learned by then.
    learning: Counted,
}

impl Recorder {
    /// Begins with a run of an image.
    ///
    /// # Errors
    /// Nothing can be written.
    pub fn new(image: &Image, to: Box<dyn Write + Send>) -> io::Result<Recorder> {
        Ok(Recorder {
            sink: Some(Sink::new(image, to)?),
            failed: None,
            gathering: Gathering::default(),
            phase: RunPhase::Other,
            before: Counted::none(image),
            learning: Counted::none(image),
        })
    }

    /// What is written is lost from the first error on, which is told at the end.
    fn write(&mut self, write: impl FnOnce(&mut Sink) -> io::Result<()>) {
        if let Some(sink) = &mut self.sink
            && let Err(error) = write(sink)
        {
            self.sink = None;
            self.failed = Some(error);
        }
    }

    fn write_steps(&mut self) {
        let steps = self.gathering.take();
        if steps.len() > 0 {
            self.write(|sink| sink.steps(&steps));
        }
    }

    /// Adds the chunk that just ran; only the blocks at `places` did.
    pub fn add_chunk(&mut self, steps: usize, blocks: &TiSlice<Place, Block>, places: &[Place], host: &[Outlet]) {
        self.gathering.add_chunk(steps, blocks, places, host);
        let gathered = &self.gathering.steps;
        if gathered.len() >= MOST_STEPS || gathered.bytes() >= MOST_BYTES {
            self.write_steps();
        }
    }

    /// A phase begins; so far that was counted.
    pub fn begin_phase(&mut self, phase: RunPhase, counted: Counted) {
        self.write_steps();
        if self.phase == RunPhase::Learning {
            self.learning.add(&self.before, &counted);
        }
        self.before = counted;
        self.phase = phase;
        self.write(|sink| sink.phase(phase));
    }

    /// Ends the record: that was counted in all.
    ///
    /// # Errors
    /// Something could not be written.
    pub fn end(mut self, counted: Counted, about: &[u8]) -> io::Result<()> {
        self.begin_phase(RunPhase::Other, counted);
        match (self.sink, self.failed) {
            (Some(sink), _) => sink.end(&self.before, &self.learning, about),
            (None, Some(error)) => Err(error),
            (None, None) => Ok(()),
        }
    }
}
