//! Indices of one kind each: what counts blocks cannot be used where programs are counted.

use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Makes an index type, of 32 bits, for lists of `typed_index_collections`.
///
/// ```
/// onward_image::index_type! {
///     /// A floor of a house.
///     pub struct Floor
/// }
/// assert_eq!(usize::from(Floor::from(3_u32)), 3);
/// assert_eq!(Floor::from(3_u32).to_string(), "3");
/// ```
#[macro_export]
macro_rules! index_type {
    ($(#[$attribute:meta])* $visibility:vis struct $name:ident) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $visibility struct $name(pub u32);

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
        impl ::std::ops::Sub for $name {
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

        impl ::std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                self.0.fmt(formatter)
            }
        }
    };
}

/// The indices of a range, rising.
pub fn indices<I: From<usize>>(range: Range<I>) -> impl DoubleEndedIterator<Item = I> + Clone
where
    usize: From<I>,
{
    (usize::from(range.start)..usize::from(range.end)).map(I::from)
}

index_type! {
    /// A block by its logical number, which is the same wherever it runs.
    #[derive(Serialize, Deserialize)]
    pub struct BlockIndex
}

index_type! {
    /// A program of an image.
    #[derive(Serialize, Deserialize)]
    pub struct ProgramIndex
}

index_type! {
    /// A population: a node of the network, in topological order.
    #[derive(Serialize, Deserialize)]
    pub struct PopulationIndex
}
