//! The memories of a core; a block's part of one, seen as elements of any width.

use onward_isa::{Space, Width};
use std::ops::{Index, IndexMut};

/// A memory of a core: a space of addresses that can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Memory {
    Neuron,
    Axon,
    Synapse,
}

impl Memory {
    /// The memory that a space is; `None` for the payloads, which are none.
    #[inline(always)]
    pub fn of_space(space: Space) -> Option<Memory> {
        match space {
            Space::Neuron => Some(Memory::Neuron),
            Space::Axon => Some(Memory::Axon),
            Space::Synapse => Some(Memory::Synapse),
            Space::Event => None,
        }
    }
}

/// One of something for each memory, in the order of images: neuron, axon, synapse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PerMemory<T>(pub [T; 3]);

impl<T> Index<Memory> for PerMemory<T> {
    type Output = T;

    #[inline(always)]
    fn index(&self, memory: Memory) -> &T {
        &self.0[memory as usize]
    }
}

impl<T> IndexMut<Memory> for PerMemory<T> {
    #[inline(always)]
    fn index_mut(&mut self, memory: Memory) -> &mut T {
        &mut self.0[memory as usize]
    }
}

/// Bytes of one memory, aligned so that 8-, 16- and 32-bit elements can be read in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bank {
    words: Vec<u64>,
    bytes: usize,
}

impl Bank {
    /// A memory of so many bytes that begins with `contents`; the rest is 0.
    ///
    /// # Panics
    /// If the contents are larger than the memory; images are checked for that.
    pub fn new(bytes: usize, contents: &[u8]) -> Self {
        assert!(contents.len() <= bytes, "contents fit their memory");
        let mut bank = Bank { words: vec![0; bytes.div_ceil(8)], bytes };
        bytemuck::cast_slice_mut::<u64, u8>(&mut bank.words)[..contents.len()].copy_from_slice(contents);
        bank
    }

    /// Elements of a width it holds.
    pub fn elements(&self, width: Width) -> usize {
        self.bytes * 8 / width.bits() as usize
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.bytes]
    }

    /// The bytes.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.words)[..self.bytes]
    }

    /// All elements of a type of 1, 2, 4 or 8 bytes.
    #[inline(always)]
    pub fn as_slice<T: bytemuck::Pod>(&self) -> &[T] {
        &bytemuck::cast_slice::<u64, T>(&self.words)[..self.bytes / size_of::<T>()]
    }

    /// All elements of a type of 1, 2, 4 or 8 bytes.
    #[inline(always)]
    pub fn as_mut_slice<T: bytemuck::Pod>(&mut self) -> &mut [T] {
        &mut bytemuck::cast_slice_mut::<u64, T>(&mut self.words)[..self.bytes / size_of::<T>()]
    }

    /// One element, sign-extended.
    ///
    /// # Panics
    /// If it lies outside.
    #[inline(always)]
    pub fn get(&self, width: Width, at: usize) -> i32 {
        match width {
            Width::W4 => {
                let byte = self.bytes()[at / 2];
                i32::from((byte << (4 * (1 - at % 2))) as i8 >> 4)
            }
            Width::W8 => i32::from(self.as_slice::<i8>()[at]),
            Width::W16 => i32::from(self.as_slice::<i16>()[at]),
            Width::W32 => self.as_slice::<i32>()[at],
        }
    }

    /// Sets one element to the low bits of a value.
    ///
    /// # Panics
    /// If it lies outside.
    #[inline(always)]
    pub fn set(&mut self, width: Width, at: usize, value: i32) {
        match width {
            Width::W4 => {
                let shift = 4 * (at % 2);
                let byte = &mut self.bytes_mut()[at / 2];
                *byte = *byte & !(15 << shift) | (value as u8 & 15) << shift;
            }
            Width::W8 => self.as_mut_slice::<i8>()[at] = value as i8,
            Width::W16 => self.as_mut_slice::<i16>()[at] = value as i16,
            Width::W32 => self.as_mut_slice::<i32>()[at] = value,
        }
    }
}

/// The two elements of 4 bits in a byte, the lower first.
#[inline(always)]
pub(crate) fn halves(byte: u8) -> (i32, i32) {
    (i32::from((byte << 4) as i8 >> 4), i32::from(byte as i8 >> 4))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn elements_do_not_disturb_their_neighbours(
            width in prop::sample::select(Width::ALL.to_vec()),
            writes in prop::collection::vec((0usize..16, any::<i32>()), 0..40),
        ) {
            let mut bank = Bank::new(64, &[]);
            let mut model = [0i32; 16];
            for (at, value) in writes {
                bank.set(width, at, value);
                let shift = 32 - width.bits();
                model[at] = value << shift >> shift;
            }
            for (at, value) in model.iter().enumerate() {
                prop_assert_eq!(bank.get(width, at), *value);
            }
        }
    }
}
