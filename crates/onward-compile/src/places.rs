//! Places of what comes into a layer, and which of them an axon feeds.

use onward_net::{Pool, PoolKind};
use std::ops::Range;

/// A place of a layer's input that an axon feeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Feed {
    /// Place in the shape of the layer's source, row-major.
    pub place: u32,
    /// The weight counts for the divisor-th part: an average over so many.
    pub divisor: u64,
}

/// What a sender's packets feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Feeds {
    /// Index i feeds place `first + i`, with the whole weight.
    Straight {
        /// Place of index 0.
        first: u32,
    },
    /// Index i feeds these.
    Listed(Vec<Vec<Feed>>),
}

impl Feeds {
    /// What an index feeds.
    pub fn of(&self, index: u32) -> FeedsOf<'_> {
        match self {
            Feeds::Straight { first } => FeedsOf::One(Some(Feed { place: first + index, divisor: 1 })),
            Feeds::Listed(lists) => FeedsOf::Many(lists[index as usize].iter()),
        }
    }
}

/// The places that one index feeds.
pub(crate) enum FeedsOf<'a> {
    One(Option<Feed>),
    Many(std::slice::Iter<'a, Feed>),
}

impl Iterator for FeedsOf<'_> {
    type Item = Feed;

    fn next(&mut self) -> Option<Feed> {
        match self {
            FeedsOf::One(feed) => feed.take(),
            FeedsOf::Many(feeds) => feeds.next().copied(),
        }
    }
}

/// Channels, height, width: of a shape with fewer extents the first are 1.
pub(crate) fn plane(shape: &[u32]) -> [u32; 3] {
    match *shape {
        [channels, height, width] => [channels, height, width],
        [height, width] => [1, height, width],
        _ => [1, 1, shape.iter().product()],
    }
}

/// The windows of a pool that a place lies in.
pub(crate) struct Windows {
    /// Height and width of what comes in, and of what goes out.
    from: [u32; 2],
    to: [u32; 2],
    window: [u32; 2],
    stride: [u32; 2],
    divisor: u64,
}

impl Windows {
    pub fn new(pool: &Pool, [_, height, width]: [u32; 3]) -> Windows {
        let [_, rows, columns] = plane(&pool.shape);
        let size = u64::from(pool.window[0]) * u64::from(pool.window[1]);
        Windows {
            from: [height, width],
            to: [rows, columns],
            window: pool.window,
            stride: pool.stride,
            divisor: if pool.kind == PoolKind::Average { size } else { 1 },
        }
    }

    /// Along an axis, the windows that a coordinate lies in.
    fn along(&self, axis: usize, at: u32) -> Range<u32> {
        let (window, stride) = (self.window[axis], self.stride[axis]);
        let first = (at + 1).saturating_sub(window).div_ceil(stride);
        first..(at / stride + 1).min(self.to[axis]).max(first)
    }

    /// The places of what goes out that a place feeds.
    pub fn of(&self, feed: Feed) -> Vec<Feed> {
        let [height, width] = self.from;
        let (channel, at) = (feed.place / (height * width), feed.place % (height * width));
        let (ys, xs) = (self.along(0, at / width), self.along(1, at % width));
        let divisor = feed.divisor.saturating_mul(self.divisor);
        let [rows, columns] = self.to;
        ys.flat_map(|y| xs.clone().map(move |x| Feed { place: (channel * rows + y) * columns + x, divisor })).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_that_overlap_or_leave_gaps() {
        let windows = |window, stride| Windows {
            from: [1, 5],
            to: [1, (5 - window) / stride + 1],
            window: [1, window],
            stride: [1, stride],
            divisor: 1,
        };
        let of = |windows: Windows| (0..5).map(|at| windows.along(1, at)).collect::<Vec<_>>();
        assert_eq!(of(windows(2, 2)), [0..1, 0..1, 1..2, 1..2, 2..2]);
        assert_eq!(of(windows(3, 1)), [0..1, 0..2, 0..3, 1..3, 2..3]);
        assert_eq!(of(windows(1, 2)), [0..1, 1..1, 1..2, 2..2, 2..3]);
    }
}
