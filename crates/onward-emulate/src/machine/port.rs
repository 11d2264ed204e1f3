//! The configuration port: named arrays of a block, read and written as a whole.

use crate::memory::Bank;
use onward_image::Symbol;
use onward_isa::{Space, Width};

/// Where a named array lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct NamedArray {
    space: Space,
    width: Width,
    /// Its first element, counted in elements of its memory.
    first: usize,
    pub elements: usize,
}

impl NamedArray {
    /// The array of a name; `None` if there is none, or it lies in no memory.
    pub fn find(symbols: &[Symbol], name: &str) -> Option<NamedArray> {
        let symbol = symbols.iter().find(|symbol| symbol.name == name)?;
        let (space, width) = (symbol.space()?, symbol.width()?);
        let (first, elements) = (symbol.offset as usize, symbol.elements() as usize);
        (space != Space::Event).then_some(NamedArray { space, width, first, elements })
    }

    /// Bits that go over the port when it is read or written.
    pub fn bits(&self) -> u64 {
        self.elements as u64 * u64::from(self.width.bits())
    }

    /// Its elements, row by row, sign-extended.
    pub fn read(&self, memory: &[Bank; 3]) -> Vec<i32> {
        let bank = &memory[self.space as usize];
        (self.first..self.first + self.elements).map(|at| bank.get(self.width, at)).collect()
    }

    /// Sets its elements, row by row, each to the low bits of a value.
    pub fn write(&self, memory: &mut [Bank; 3], values: &[i32]) {
        let bank = &mut memory[self.space as usize];
        for (at, &value) in (self.first..).zip(values) {
            bank.set(self.width, at, value);
        }
    }
}
