//! What the host sends while samples are shown, for whoever runs an engine step by step instead of having it run.

use super::host::{Host, Shown, Teaching};
use super::{Session, SessionError};
use crate::data::Samples;
use onward_emulate::HostPacket;
use std::ops::Range;

impl Session {
    /// What the host sends in these steps, counted from the first that shows a sample, while it shows these samples as
    /// [`Session::learn`] does, or as [`Session::infer`] does where nothing is learned. The step of each packet is counted from
    /// the first of the range. The session's machine stays as it is.
    ///
    /// # Errors
    /// The network is to learn and takes no targets.
    pub fn packets(
        &self,
        samples: &Samples,
        order: &[u32],
        learn: bool,
        steps: Range<usize>,
    ) -> Result<Vec<HostPacket>, SessionError> {
        let shown = Shown { samples, order, teaching: self.teaching(learn)? };
        let mut host = Host {
            shown: &shown,
            encoder: &self.encoder,
            buffer: &mut vec![0; self.window * self.words],
            words: self.words,
            window: self.window,
            tag: self.tag,
            input: self.input,
        };
        let mut packets: Vec<HostPacket> = Vec::new();
        host.feed(&mut packets, steps);
        Ok(packets)
    }

    /// The step by which so many samples have been shown, and the one by which at the latest nothing of them is under way any
    /// more.
    ///
    /// # Errors
    /// As [`Session::packets`].
    pub fn steps_of(&self, samples: usize, learn: bool) -> Result<(u64, u64), SessionError> {
        let period = self.teaching(learn)?.period(self.window);
        let all = period * samples;
        Ok((all as u64, (all + self.longest_rest()) as u64))
    }

    pub(super) fn teaching(&self, learn: bool) -> Result<Teaching, SessionError> {
        match (learn, self.values, self.target) {
            (false, ..) => Ok(Teaching::None),
            (true, Some(values), _) => Ok(Teaching::Values(values)),
            (true, None, Some(target)) => Ok(Teaching::Classes(target)),
            (true, None, None) if self.learns_by_tags => Ok(Teaching::Tags),
            (true, None, None) => Err(SessionError::Input("targets")),
        }
    }
}
