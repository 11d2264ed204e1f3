//! Indices of one kind each: what counts places cannot be used where outlets are counted.

use std::ops::Range;

/// Makes an index type, of 32 bits, for lists of [`typed_index_collections`].
macro_rules! index_type {
    ($(#[$attribute:meta])* $visibility:vis struct $name:ident) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $visibility struct $name(u32);

        impl From<usize> for $name {
            #[inline(always)]
            fn from(index: usize) -> Self {
                debug_assert!(u32::try_from(index).is_ok());
                $name(index as u32)
            }
        }

        impl From<u32> for $name {
            #[inline(always)]
            fn from(index: u32) -> Self {
                $name(index)
            }
        }

        impl From<$name> for u32 {
            #[inline(always)]
            fn from(index: $name) -> u32 {
                index.0
            }
        }

        /// The distance of two indices.
        impl std::ops::Sub for $name {
            type Output = usize;

            #[inline(always)]
            fn sub(self, first: Self) -> usize {
                (self.0 - first.0) as usize
            }
        }

        impl From<$name> for usize {
            #[inline(always)]
            fn from(index: $name) -> usize {
                index.0 as usize
            }
        }
    };
}

pub(crate) use index_type;

/// The indices of a range, rising.
pub(crate) fn indices<I: From<usize>>(range: Range<I>) -> impl Iterator<Item = I> + Clone
where
    usize: From<I>,
{
    (usize::from(range.start)..usize::from(range.end)).map(I::from)
}

index_type! {
    /// A block by its logical number, which is the same wherever it runs.
    pub(crate) struct BlockNumber
}

index_type! {
    /// A block by its place in the order in which blocks run.
    pub(crate) struct Place
}

index_type! {
    /// A program of the image.
    pub(crate) struct ProgramIndex
}

index_type! {
    /// An outlet: the host's inputs first, then the routes of the blocks, place by place.
    pub(crate) struct OutletIndex
}
