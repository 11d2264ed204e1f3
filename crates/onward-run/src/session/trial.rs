//! Trials: the network answers, and what it is shown then depends on the answer.

use super::host::{Host, Shown, Teaching};
use super::{Session, SessionError};
use crate::data::Samples;
use onward_image::Tag;

/// What a target window shows: a class, and which other one is to lose against it, if that is not left to the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lesson {
    /// The class that is shown.
    pub class: u16,
    /// The class that is to lose.
    pub rival: Option<u8>,
}

impl Session {
    /// Shows a sample to learn from and waits for the answer; [`Session::teach`] then says what is learned of it. Where targets
    /// have no windows nothing is learned yet.
    ///
    /// # Errors
    /// A handler did what the machine does not allow, or there is no answer.
    pub(crate) fn ask(&mut self, samples: &Samples, sample: usize) -> Result<u16, SessionError> {
        let (window, tag, by_tags) = (self.window, self.tag, self.learns_by_tags);
        let mut host = Host {
            shown: &Shown { samples, order: &[], teaching: Teaching::None },
            encoder: &self.encoder,
            buffer: &mut self.buffer,
            words: self.words,
            window,
            tag,
            input: self.input,
        };
        let outputs = self.machine.run_fed(self.latency as usize + 1, &mut |inputs| {
            inputs.send(tag, 0, 0, Tag { learn: !by_tags, answer: true, ..Tag::default() }.payload());
            host.sample(inputs, sample, Some);
        })?;
        let answer = outputs.first().filter(|_| outputs.len() == 1).and_then(|only| u16::try_from(only.payload).ok());
        answer.ok_or(SessionError::Answers { expected: 1, found: outputs.len() })
    }

    /// Shows a target, of which the network learns what it keeps of the sample it was asked last; where targets have no windows,
    /// the sample once more, with the class. More than one may follow.
    ///
    /// # Errors
    /// A handler did what the machine does not allow, or the network takes no targets.
    pub(crate) fn teach(&mut self, samples: &Samples, sample: usize, lesson: Lesson) -> Result<(), SessionError> {
        let (window, tag) = (self.window, self.tag);
        let Lesson { class, rival } = lesson;
        if self.learns_by_tags {
            let mut host = Host {
                shown: &Shown { samples, order: &[], teaching: Teaching::Tags },
                encoder: &self.encoder,
                buffer: &mut self.buffer,
                words: self.words,
                window,
                tag,
                input: self.input,
            };
            self.machine.run_fed(window, &mut |inputs| {
                inputs.send(tag, 0, 0, Tag { learn: true, slot: class, rival, ..Tag::default() }.payload());
                host.sample(inputs, sample, Some);
            })?;
            return Ok(());
        }
        let target = self.target.ok_or(SessionError::Input("targets"))?;
        self.machine.run_fed(window, &mut |inputs| {
            let payload = Tag { target: true, learn: true, slot: class, rival, ..Tag::default() }.payload();
            inputs.send(tag, 0, 0, payload);
            for step in 0..window {
                inputs.send(target, step, u32::from(class), 1);
            }
        })?;
        Ok(())
    }
}
