//! The configuration port: named arrays of a block, read and written as a whole.

use crate::memory::{Bank, Memory};
use onward_image::Symbol;
use onward_isa::Width;

/// Where a named array lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct NamedArray {
    pub memory: Memory,
    width: Width,
    /// Its first element, counted in elements of its memory.
    first: usize,
    pub elements: usize,
}

impl NamedArray {
    /// The array of a name; `None` if there is none, or it lies in no memory.
    pub fn find(symbols: &[Symbol], name: &str) -> Option<NamedArray> {
        let symbol = symbols.iter().find(|symbol| symbol.name == name)?;
        let (memory, width) = (Memory::of_space(symbol.space()?)?, symbol.width()?);
        Some(NamedArray { memory, width, first: symbol.offset as usize, elements: symbol.elements() as usize })
    }

    /// Bits that go over the port when it is read or written.
    pub fn bits(&self) -> u64 {
        self.elements as u64 * u64::from(self.width.bits())
    }

    /// Its elements in its memory, row by row, sign-extended.
    pub fn read(&self, bank: &Bank) -> Vec<i32> {
        (self.first..self.first + self.elements).map(|at| bank.get(self.width, at)).collect()
    }

    /// Sets its elements in its memory, row by row, each to the low bits of a value.
    pub fn write(&self, bank: &mut Bank, values: &[i32]) {
        for (at, &value) in (self.first..).zip(values) {
            bank.set(self.width, at, value);
        }
    }
}
