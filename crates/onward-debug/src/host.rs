//! What the host does in a run that is debugged.

use onward_emulate::HostPacket;

/// The host of a run. Going back runs again from the start, so it does the same each time.
pub struct Host<'a> {
    packets: Box<dyn Fn(u64) -> Vec<HostPacket> + 'a>,
    length: Length,
}

/// How long a run lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// So many steps.
    Steps(u64),
    /// Until nothing is under way any more, but not fewer steps than the first number, and not more than the second.
    UntilRest(u64, u64),
}

impl<'a> Host<'a> {
    /// A host that sends these packets: `packets` is asked with the number of a step, from 0, and the step that each packet names
    /// is not looked at.
    pub fn new(length: Length, packets: impl Fn(u64) -> Vec<HostPacket> + 'a) -> Host<'a> {
        Host { packets: Box::new(packets), length }
    }

    /// What it sends in a step.
    pub(crate) fn packets(&self, step: u64) -> Vec<HostPacket> {
        (self.packets)(step)
    }

    /// Whether the run is over before this step.
    pub(crate) fn is_over(&self, step: u64, is_busy: bool) -> bool {
        match self.length {
            Length::Steps(steps) => step >= steps,
            Length::UntilRest(first, last) => step >= last || step >= first && !is_busy,
        }
    }
}
