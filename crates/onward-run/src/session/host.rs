//! What the host sends while samples are shown.

use crate::data::{Encoder, Samples};
use onward_emulate::Feed;
use onward_image::Tag;
use std::ops::Range;

/// What the tag of an input window says where it goes on with the one before.
fn continued(samples: &Samples, sample: usize) -> i32 {
    if samples.continues(sample) { Tag::CONTINUES } else { 0 }
}

/// What is to be shown.
pub(super) struct Shown<'a> {
    pub samples: &'a Samples,
    pub order: &'a [u32],
    pub teaching: Teaching,
}

/// What is shown to learn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Teaching {
    /// Nothing.
    None,
    /// The sample's class, in a window of its own; this host input takes it.
    Classes(usize),
    /// The sample's class, which the tag of its own window says.
    Tags,
    /// The sample's values, at the end of its window, when the readout, which lags behind, is in the midst of the same
    /// window; this host input takes them.
    Values(usize),
}

impl Teaching {
    /// Steps of a sample with what is learned of it.
    pub fn period(self, window: usize) -> usize {
        if let Teaching::Classes(_) = self { 2 * window } else { window }
    }
}

/// What the host sends while samples are shown.
pub(super) struct Host<'a> {
    pub shown: &'a Shown<'a>,
    pub encoder: &'a Encoder,
    /// The spikes of a window, `words` a step.
    pub buffer: &'a mut [u64],
    pub words: usize,
    /// Steps of a window.
    pub window: usize,
    /// The host input of tags.
    pub tag: usize,
    /// The host input of samples.
    pub input: usize,
}

impl Host<'_> {
    /// Sends what belongs into these steps, counted from the first sample on.
    pub fn feed(&mut self, inputs: &mut dyn Feed, steps: Range<usize>) {
        let shown = self.shown;
        let period = shown.teaching.period(self.window);
        let samples = steps.start / period..steps.end.div_ceil(period).min(shown.order.len());
        for (at, &sample) in shown.order[samples.start.min(samples.end)..samples.end].iter().enumerate() {
            let first = (samples.start + at) * period;
            // The step of the chunk, if it is one of its.
            let place = |step: usize| steps.contains(&step).then(|| step - steps.start);
            let slot = match shown.teaching {
                Teaching::Classes(_) | Teaching::Tags => shown.samples.label(sample as usize),
                Teaching::None | Teaching::Values(_) => 0,
            };
            let learn = shown.teaching != Teaching::None;
            let tag = |is_target| Tag { target: is_target, learn, slot, ..Tag::default() }.payload();
            if let Some(step) = place(first) {
                inputs.send(self.tag, step, 0, tag(false) | continued(shown.samples, sample as usize));
            }
            if steps.start < first + self.window {
                self.sample(inputs, sample as usize, |step| place(first + step));
            }
            let target = match shown.teaching {
                Teaching::None | Teaching::Tags => continue,
                Teaching::Classes(target) => target,
                Teaching::Values(input) => {
                    let values = (0..).zip(shown.samples.values(sample as usize));
                    if let Some(step) = place(first + self.window - 1) {
                        values.for_each(|(axon, &value)| inputs.send(input, step, axon, value.into()));
                    }
                    continue;
                }
            };
            if let Some(step) = place(first + self.window) {
                inputs.send(self.tag, step, 0, tag(true));
            }
            for step in (first + self.window..first + period).filter_map(place) {
                inputs.send(target, step, u32::from(slot), 1);
            }
        }
    }

    /// Sends the spikes of a sample; `place` says where a step of its window lies in the chunk, if it does.
    pub fn sample(&mut self, inputs: &mut dyn Feed, sample: usize, place: impl Fn(usize) -> Option<usize>) {
        let (input, samples) = (self.input, self.shown.samples);
        let Some(rate) = self.encoder.as_rate() else {
            return self.encoder.encode(samples, sample, |packet| {
                if let Some(step) = place(packet.step as usize) {
                    inputs.send(input, step, packet.axon, packet.payload);
                }
            });
        };
        rate.encode(samples.pixels(sample), self.buffer, self.words);
        for (step, bits) in self.buffer.chunks(self.words).enumerate() {
            if let Some(step) = place(step) {
                inputs.spikes(input, step, bits);
            }
        }
    }
}
