//! Indices of one kind each: what counts places cannot be used where outlets are counted.

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

        impl From<$name> for usize {
            #[inline(always)]
            fn from(index: $name) -> usize {
                index.0 as usize
            }
        }
    };
}

pub(crate) use index_type;
