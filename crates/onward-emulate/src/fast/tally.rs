//! What a block counts of itself: together, or apart for each kind of window.

use crate::detail::{Window, WindowCounters};

/// The counters that a block counts into, and those of the windows that it is not in.
///
/// What is counted into is the same piece of memory whether windows are told apart or not: it is exchanged when a tag opens
/// a window of another kind, and so telling them apart takes nothing from the instructions.
#[derive(Debug)]
pub(crate) struct Tally {
    /// What is counted into.
    pub now: WindowCounters,
    /// The window it is of.
    window: Window,
    /// Those of the other windows, and nothing in place of `now`; empty where windows are not told apart.
    others: Vec<WindowCounters>,
}

impl Tally {
    /// Nothing yet, of a program of so many addresses.
    pub fn new(addresses: usize) -> Tally {
        Tally { now: WindowCounters::new(addresses), window: Window::None, others: Vec::new() }
    }

    /// From here on tells windows apart.
    pub fn tell_apart(&mut self) {
        let addresses = self.now.addresses.len();
        let others = Window::ALL.iter().map(|_| WindowCounters::new(addresses));
        self.others = others.collect();
        self.others[self.window as usize] = WindowCounters::default();
    }

    /// A tag came.
    #[inline]
    pub fn open(&mut self, tag: i32) {
        let window = Window::of_tag(tag);
        if !self.others.is_empty() && window != self.window {
            let next = std::mem::take(&mut self.others[window as usize]);
            self.others[self.window as usize] = std::mem::replace(&mut self.now, next);
            self.window = window;
        }
    }

    /// The counters by window; of windows that are not told apart, all in the first.
    pub fn windows(&self) -> [WindowCounters; Window::ALL.len()] {
        std::array::from_fn(|at| match self.others.get(at) {
            _ if at == self.window as usize => self.now.clone(),
            Some(other) => other.clone(),
            None => WindowCounters::new(self.now.addresses.len()),
        })
    }

    /// The counters of all windows together.
    pub fn total(&self) -> WindowCounters {
        let others = self.others.iter().enumerate().filter(|(at, _)| *at != self.window as usize);
        others.fold(self.now.clone(), |sum, (_, other)| sum.combine(other, |a, b| a + b))
    }
}
