//! What lies where in a block's memories.

use onward_image::Symbol;
use onward_isa::{Space, Width};

/// Arrays of a block, laid one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The arrays.
    pub symbols: Vec<Symbol>,
    /// Bits used of neuron, axon and synapse memory.
    bits: [u64; 3],
}

impl Layout {
    /// Appends an array of `rows` rows of `columns` elements.
    pub fn add(&mut self, name: &str, space: Space, width: Width, rows: u32, columns: u32) {
        let width_bits = u64::from(width.bits());
        let used = &mut self.bits[space as usize];
        let offset = used.div_ceil(width_bits);
        *used = (offset + u64::from(rows) * u64::from(columns)) * width_bits;
        self.symbols.push(Symbol {
            name: name.into(),
            space: space as u8,
            width_bits: width.bits() as u8,
            offset: offset.try_into().unwrap_or(u32::MAX),
            rows,
            columns,
        });
    }

    /// Bytes used of neuron, axon and synapse memory; each a multiple of 4, so that blocks can lie side by side.
    pub fn bytes(&self) -> [u64; 3] {
        self.bits.map(|bits| bits.div_ceil(32) * 4)
    }

    /// An array by its name.
    pub fn symbol(&self, name: &str) -> Option<&Symbol> {
        self.symbols.iter().find(|symbol| symbol.name == name)
    }
}

/// Rows of a length that vectors take in equal strips: strips, and the length of one. The last may reach beyond the row.
pub(crate) fn strips(length: u32, vector_length: u32) -> (u32, u32) {
    let strips = length.div_ceil(vector_length);
    (strips, length.div_ceil(strips))
}
