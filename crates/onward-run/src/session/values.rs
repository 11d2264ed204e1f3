//! Samples of which values are learned, and answers that are values.

use super::host::{Shown, Teaching};
use super::{Session, SessionError};
use crate::data::Samples;
use onward_image::{BlockIndex, Image, PopulationKind};
use std::ops::ControlFlow;
use typed_index_collections::TiVec;

/// Where values come out.
#[derive(Clone, Debug)]
pub(super) struct Outputs {
    /// Values of an answer.
    count: usize,
    /// The payload that means 1.0.
    one: f64,
    /// The first value of each block; nothing for those that send none.
    first: TiVec<BlockIndex, Option<u32>>,
}

impl Outputs {
    /// Those of an image's readout, if it answers with values.
    pub fn of(image: &Image) -> Option<Outputs> {
        let (number, readout) = image.network.readout()?;
        let PopulationKind::ValueReadout { one, .. } = readout.kind else { return None };
        let first = image.blocks.iter().map(|block| (block.population == number).then_some(block.first_neuron));
        Some(Outputs { count: readout.neurons as usize, one: f64::from(one), first: first.collect() })
    }
}

impl Session {
    /// Values of an answer, where answers are values.
    pub fn answered_values(&self) -> Option<usize> {
        self.outputs.as_ref().map(|outputs| outputs.count)
    }

    /// Shows samples with their values; the readout learns from each. A sample takes a window: its values come at the end of
    /// it, when the readout, which lags behind, is in the midst of the same window.
    pub(super) fn learn_values(
        &mut self,
        values: usize,
        samples: &Samples,
        order: &[u32],
        mut progress: impl FnMut(usize) -> ControlFlow<()>,
    ) -> Result<usize, SessionError> {
        let shown = Shown { samples, order, teaching: Teaching::Values(values) };
        let ran = self.play(&shown, &mut progress, &mut |_| {})?;
        Ok((ran.steps / self.window).min(order.len()))
    }

    /// Shows samples `0..count` and returns the values the network answers, sample by sample; nothing is learned.
    ///
    /// Returns those of fewer samples if `progress` broke off.
    ///
    /// # Errors
    /// A handler did what the machine does not allow, or an answer is missing.
    pub fn infer_values(
        &mut self,
        samples: &Samples,
        count: usize,
        progress: impl FnMut(usize) -> ControlFlow<()>,
    ) -> Result<Vec<f32>, SessionError> {
        let outputs = self.outputs.clone().ok_or(SessionError::Input("targets of values"))?;
        let (first_step, latency, window) = (self.machine.step(), self.latency, self.window as u64);
        let (mut answers, mut found) = (vec![0f32; count * outputs.count], 0);
        let ran = self.show_all(samples, count, progress, &mut |output| {
            found += 1;
            let since = output.step.checked_sub(first_step + latency).filter(|since| since % window == 0);
            let first = output.sender.and_then(|sender| outputs.first.get(sender).copied().flatten());
            if let (Some(since), Some(first)) = (since, first) {
                let at = (since / window) as usize * outputs.count + (first + output.index) as usize;
                if let Some(answer) = answers.get_mut(at) {
                    *answer = (f64::from(output.payload) / outputs.one) as f32;
                }
            }
        })?;
        // Where the run was broken off, answers are still under way.
        let done = if ran.whole { count } else { (found / outputs.count.max(1)).min(count) };
        answers.truncate(done * outputs.count);
        if found == answers.len() { Ok(answers) } else { Err(SessionError::Answers { expected: answers.len(), found }) }
    }
}
