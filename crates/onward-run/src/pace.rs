//! How many steps are run at once.

use std::time::{Duration, Instant};

/// What a chunk is to take at most: a run that is to end does so while nobody has begun to wait.
const CHUNK_TIME: Duration = Duration::from_millis(50);
/// Steps of the first chunk, of which it is not known how long one takes.
const FIRST_STEPS: usize = 4;
/// By how much a chunk may be longer than the one before.
const GROWTH: usize = 4;

/// Sizes chunks of steps: large ones run faster, since each block's weights stay near for a while and steps are timed
/// together; but within a chunk blocks are at different steps, so a run can end only after one. Where a step takes long, a
/// chunk is a single step. Chunks change no answer and no count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    next: usize,
    most: usize,
}

impl Pace {
    /// Chunks of at most so many steps.
    pub fn new(most: usize) -> Pace {
        Pace { next: FIRST_STEPS.min(most), most }
    }

    /// Steps of the next chunk, at least 1, if so many are left.
    pub fn steps(&self, left: usize) -> usize {
        self.next.min(left).max(1)
    }

    /// Runs a chunk of so many steps and takes note of how long that took.
    pub fn run<T>(&mut self, steps: usize, run: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = run();
        self.took(steps, start.elapsed());
        result
    }

    fn took(&mut self, steps: usize, time: Duration) {
        let in_time = (steps as u128 * CHUNK_TIME.as_nanos() / time.as_nanos().max(1)).min(self.most as u128) as usize;
        // What was cut short by the end of a phase says little.
        let longest = GROWTH * self.next.max(steps);
        self.next = in_time.min(longest).clamp(1, self.most.max(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_take_their_time_and_no_longer() {
        let mut pace = Pace::new(1000);
        assert_eq!((pace.steps(10_000), pace.steps(3), pace.steps(0)), (4, 3, 1));
        // 10 us a step: chunks grow to the most.
        for expected in [16, 64, 256, 1000, 1000] {
            pace.took(pace.steps(10_000), Duration::from_micros(10) * pace.steps(10_000) as u32);
            assert_eq!(pace.steps(10_000), expected);
        }
        // 1 ms, then 200 ms a step: they shrink at once.
        pace.took(1000, Duration::from_secs(1));
        assert_eq!(pace.steps(10_000), 50);
        pace.took(50, Duration::from_secs(10));
        assert_eq!(pace.steps(10_000), 1);
        pace.took(1, Duration::ZERO);
        assert_eq!(pace.steps(10_000), 4);
    }
}
