//! Recording a run.

use super::Machine;
use crate::cost::LaneCycles;
use crate::fast::Decoded;
use crate::index::Place;
use crate::record::{BlockCounted, Counted, Recorder, RunPhase};
use onward_image::Image;
use std::io::{self, Write};

impl Machine {
    /// From here on records the run: what it writes, read by [`Record::load`](crate::Record::load), holds the time of every chip
    /// on which the image's blocks find room. `image` is the one that is loaded; its memories are not written. The record is
    /// ended by [`Engine::end_record`](crate::Engine::end_record).
    ///
    /// # Errors
    /// Nothing can be written.
    ///
    /// # Panics
    /// If a step has run.
    pub fn record(&mut self, image: &Image, to: Box<dyn Write + Send>) -> io::Result<()> {
        assert!(self.step == 0, "a record begins before the first step");
        self.recorder = Some(Recorder::new(image, to)?);
        self.programs.iter_mut().for_each(Decoded::keep_lanes);
        self.blocks.iter_mut().for_each(|block| block.keep_lanes());
        Ok(())
    }

    /// Adds the chunk that just ran.
    pub(super) fn record_chunk(&mut self, steps: usize) {
        if let Some(recorder) = &mut self.recorder {
            let places: Vec<Place> = self.groups.running_places().collect();
            recorder.add_chunk(steps, &self.blocks, &places, &self.outlets.raw[..self.host_inputs]);
        }
    }

    pub(super) fn record_phase(&mut self, phase: RunPhase) {
        if let Some(mut recorder) = self.recorder.take() {
            recorder.begin_phase(phase, self.counted());
            self.recorder = Some(recorder);
        }
    }

    pub(super) fn finish_record(&mut self, about: &[u8]) -> io::Result<()> {
        let Some(recorder) = self.recorder.take() else { return Ok(()) };
        recorder.end(self.counted(), about)
    }

    /// What was counted so far, with the cycles of all numbers of lanes.
    fn counted(&self) -> Counted {
        let of_block = |&place: &Place| {
            let block = &self.blocks[place];
            let program = &self.programs[block.program];
            let own = &self.outlets[self.outlet_ranges[place].clone()].raw;
            let counters = block.counters(program, own);
            let lanes = block.lanes.iter().flat_map(|lanes| &lanes.addresses);
            let all = lanes.zip(&counters.addresses).zip(&program.code);
            let lanes = all.map(|((lanes, counts), code)| match code.scalars {
                0 => *lanes,
                _ => LaneCycles::same(counts.executed * u64::from(code.cost.fixed)),
            });
            BlockCounted { lanes: lanes.collect(), counters }
        };
        Counted {
            steps: self.step,
            blocks: self.place.iter().map(of_block).collect(),
            host_packets: self.outlets.raw[..self.host_inputs].iter().map(|outlet| outlet.sent()).collect(),
            configuration_bits: self.configuration_bits,
        }
    }
}
