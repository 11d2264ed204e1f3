//! Places of what comes into a layer, and which of them an axon feeds.

use onward_image::Plane;
use onward_net::{Pool, PoolKind, plane};
use std::ops::Range;
use std::sync::Arc;

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
    /// Index i feeds the place, from `first` on, of the i-th neuron of a plane.
    Plane {
        plane: Plane,
        /// Where the plane's places begin.
        first: u32,
    },
    /// Index i feeds those of the i-th list.
    Listed(Arc<Lists<Feed>>),
    /// Those of several senders one behind the other, each with the first index.
    Several(Arc<Vec<(u32, Feeds)>>),
}

impl Feeds {
    /// What each of some indices feeds.
    pub fn listed<I: IntoIterator<Item = Feed>>(lists: impl Iterator<Item = I>) -> Feeds {
        Feeds::Listed(Arc::new(lists.collect()))
    }

    /// The same, so many places on.
    pub fn shifted(self, by: u32) -> Feeds {
        match self {
            Feeds::Straight { first } => Feeds::Straight { first: first + by },
            Feeds::Plane { plane, first } => Feeds::Plane { plane, first: first + by },
            Feeds::Several(all) => {
                let shifted = |(first, feeds): &(u32, Feeds)| (*first, feeds.clone().shifted(by));
                Feeds::Several(Arc::new(all.iter().map(shifted).collect()))
            }
            Feeds::Listed(lists) => {
                let shifted = |feed: &Feed| Feed { place: feed.place + by, ..*feed };
                Feeds::listed(lists.iter().map(|list| list.iter().map(shifted)))
            }
        }
    }

    /// What an index feeds.
    pub fn of(&self, index: u32) -> FeedsOf<'_> {
        match self {
            Feeds::Straight { first } => FeedsOf::One(Some(Feed { place: first + index, divisor: 1 })),
            Feeds::Plane { plane, first } => {
                FeedsOf::One(Some(Feed { place: first + plane.neuron(index), divisor: 1 }))
            }
            Feeds::Listed(lists) => FeedsOf::Many(lists.of(index as usize).iter()),
            Feeds::Several(all) => {
                let (first, feeds) = &all[all.partition_point(|(first, _)| *first <= index) - 1];
                feeds.of(index - first)
            }
        }
    }
}

/// Lists of any length, one behind the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lists<T> {
    /// Where each ends.
    ends: Vec<u32>,
    items: Vec<T>,
}

impl<T> Lists<T> {
    pub fn push(&mut self, list: impl IntoIterator<Item = T>) {
        self.items.extend(list);
        self.ends.push(self.items.len() as u32);
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The list of a number.
    pub fn of(&self, at: usize) -> &[T] {
        let begin = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.items[begin as usize..self.ends[at] as usize]
    }

    pub fn iter(&self) -> impl Iterator<Item = &[T]> {
        (0..self.len()).map(|at| self.of(at))
    }

    /// The first of each list and the end of the last, and all there is in them.
    pub fn into_parts(self) -> (Vec<i32>, Vec<T>) {
        (std::iter::once(0).chain(self.ends).map(|end| end as i32).collect(), self.items)
    }
}

impl<T> Default for Lists<T> {
    fn default() -> Lists<T> {
        Lists { ends: Vec::new(), items: Vec::new() }
    }
}

impl<T, I: IntoIterator<Item = T>> FromIterator<I> for Lists<T> {
    fn from_iter<L: IntoIterator<Item = I>>(all: L) -> Lists<T> {
        let mut lists = Lists::default();
        all.into_iter().for_each(|list| lists.push(list));
        lists
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
