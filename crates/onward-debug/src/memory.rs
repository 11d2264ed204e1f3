//! Arrays in the memories of blocks, by name or by address.

use crate::evaluation::Shape;
use crate::execution::Execution;
use crate::expression::{Reference, Scope, memory_name};
use onward_diagnostic::did_you_mean;
use onward_emulate::Engine;
use onward_image::{Block, BlockIndex, Image, Symbol};
use onward_isa::{Space, Width};
use std::ops::Range;

/// Elements of memories, and how they are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cells {
    pub cells: Vec<Cell>,
    pub shape: Shape,
    /// What they are called; of a single one with its place.
    pub name: String,
    /// The array's name, where it has one, and the block it lies in, or one of them.
    pub array: Option<(String, BlockIndex)>,
}

/// An element of a block's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    pub block: BlockIndex,
    pub space: Space,
    pub width: Width,
    pub at: usize,
}

/// Rows and columns of an array that are meant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Part {
    /// What the first brackets say, and whether they name one alone.
    pub first: Option<(Range<usize>, bool)>,
    /// What the second do.
    pub second: Option<(Range<usize>, bool)>,
}

impl Cell {
    /// Its value; `None` where the memory is too small.
    pub fn value(&self, engine: &dyn Engine) -> Option<i32> {
        let bytes = engine.memory(self.block, self.space);
        let bits = self.width.bits() as usize;
        let first = self.at * bits / 8;
        let low = |count: usize| bytes.get(first..first + count);
        Some(match self.width {
            // The low nibble comes first; its sign is that of the nibble.
            Width::W4 => i32::from((low(1)?[0] << if self.at.is_multiple_of(2) { 4 } else { 0 }) as i8 >> 4),
            Width::W8 => i32::from(low(1)?[0] as i8),
            Width::W16 => i32::from(i16::from_le_bytes(low(2)?.try_into().ok()?)),
            Width::W32 => i32::from_le_bytes(low(4)?.try_into().ok()?),
        })
    }
}

impl Cells {
    /// What an element of them is called.
    pub fn name_of(&self, at: usize) -> String {
        let name = &self.name;
        match self.shape {
            Shape::One | Shape::Bits(_) => name.clone(),
            Shape::List(first) => format!("{name}[{}]", first + at),
            Shape::Rows { first_row, first_column, columns } => {
                format!("{name}[{}][{}]", first_row + at / columns, first_column + at % columns)
            }
        }
    }

    /// Their values.
    ///
    /// # Errors
    /// An element lies beyond its memory.
    pub fn values(&self, engine: &dyn Engine) -> Result<Vec<i32>, String> {
        let value = |cell: &Cell| {
            let beyond = || {
                let have = engine.memory(cell.block, cell.space).len() * 8 / cell.width.bits() as usize;
                let (space, bits) = (cell.space.name(), cell.width.bits());
                format!("element {} of the {space} of block {}, which has {have} of {bits} bits", cell.at, cell.block)
            };
            cell.value(engine).ok_or_else(beyond)
        };
        self.cells.iter().map(value).collect()
    }
}

/// The elements that a reference names; `None` if it names no memory. `part` is what stands in its brackets.
///
/// # Errors
/// It names an array that there is not, or that several blocks have, or elements that it has not.
pub(crate) fn resolve(execution: &Execution, reference: &Reference, part: &Part) -> Result<Option<Cells>, String> {
    let image = execution.image;
    let name = reference.name.as_str();
    let current = execution.current().map(|current| current.block());
    if let Some((space, width)) = memory_name(name) {
        let block = match &reference.scope {
            None => current.ok_or_else(|| format!("no block runs here; name one, as in @0.{name}[0]"))?,
            Some(scope) => only(&blocks(image, scope)?, name)?,
        };
        let Some((range, alone)) = part.first.clone() else {
            return Err(format!("say which elements, as in {name}[0..16]"));
        };
        let have = execution.machine().memory(block, space).len() * 8 / width.bits() as usize;
        if range.end > have {
            let (last, space, bits) = (range.end - 1, space.name(), width.bits());
            return Err(format!("element {last} of the {space} of block {block}, which has {have} of {bits} bits"));
        }
        let cells = range.clone().map(|at| Cell { block, space, width, at }).collect();
        let (shape, name) = list(name, &range, alone);
        return Ok(Some(Cells { cells, shape, name, array: None }));
    }
    let having: Vec<BlockIndex> = match &reference.scope {
        Some(scope) => {
            let of_scope = blocks(image, scope)?;
            let having: Vec<BlockIndex> = with_array(image, of_scope.iter().copied(), name);
            if having.is_empty() {
                let arrays = of_scope.iter().flat_map(|&block| &image.blocks[block].symbols);
                return Err(no_array(name, arrays.map(|symbol| symbol.name.as_str())));
            }
            having
        }
        None => match current.filter(|&block| image.blocks[block].symbol(name).is_some()) {
            Some(block) => vec![block],
            None => with_array(image, image.blocks.keys(), name),
        },
    };
    match having[..] {
        [] => Ok(None),
        [block] => of_block(image, block, name, part).map(Some),
        _ if matches!(reference.scope, Some(Scope::Population(_))) => {
            of_population(image, &having, name, part).map(Some)
        }
        _ => only(&having, name).map(|_| None),
    }
}

fn with_array(image: &Image, blocks: impl Iterator<Item = BlockIndex>, name: &str) -> Vec<BlockIndex> {
    blocks.filter(|&block| image.blocks[block].symbol(name).is_some()).collect()
}

pub(crate) fn no_array<'a>(name: &str, arrays: impl Iterator<Item = &'a str>) -> String {
    let mut known: Vec<&str> = arrays.collect();
    known.sort_unstable();
    known.dedup();
    match known[..] {
        [] => format!("there is no array `{name}`, and no other"),
        _ => format!("there is no array `{name}`; {}", did_you_mean(name, known.iter().copied(), "there are ")),
    }
}

/// The blocks that a scope means.
fn blocks(image: &Image, scope: &Scope) -> Result<Vec<BlockIndex>, String> {
    match scope {
        Scope::Block(number) if (*number as usize) < image.blocks.len() => Ok(vec![BlockIndex(*number)]),
        Scope::Block(number) => Err(format!("there is no block {number}; the last is {}", image.blocks.len() - 1)),
        Scope::Population(name) => {
            let blocks: Vec<BlockIndex> = image
                .blocks
                .iter_enumerated()
                .filter(|(_, block)| image.population(block).name == *name)
                .map(|(number, _)| number)
                .collect();
            if blocks.is_empty() {
                let mut known: Vec<&str> = image.blocks.iter().map(|b| image.population(b).name.as_str()).collect();
                known.dedup();
                let help = did_you_mean(name, known.iter().copied(), "there are ");
                return Err(format!("no blocks belong to `{name}`; {help}"));
            }
            Ok(blocks)
        }
    }
}

fn only(blocks: &[BlockIndex], name: &str) -> Result<BlockIndex, String> {
    match blocks {
        [only] => Ok(*only),
        _ => {
            let names: Vec<String> = blocks.iter().take(8).map(|block| format!("@{block}.{name}")).collect();
            let more = if blocks.len() > 8 { ", .." } else { "" };
            Err(format!("{} blocks have it; name one: {}{more}", blocks.len(), names.join(", ")))
        }
    }
}

fn cells_of(block: BlockIndex, symbol: &Symbol, name: &str) -> Result<impl Fn(usize) -> Cell + use<>, String> {
    let (Some(space), Some(width)) = (symbol.space(), symbol.width()) else {
        return Err(format!("the image does not say where `{name}` lies"));
    };
    let offset = symbol.offset as usize;
    Ok(move |at| Cell { block, space, width, at: offset + at })
}

/// Elements of an array of one block.
fn of_block(image: &Image, block: BlockIndex, name: &str, part: &Part) -> Result<Cells, String> {
    let symbol = image.blocks[block].symbol(name).ok_or_else(|| no_array(name, std::iter::empty()))?;
    let cell = cells_of(block, symbol, name)?;
    let (rows, columns) = (symbol.rows as usize, symbol.columns as usize);
    let array = Some((name.to_owned(), block));
    if rows == 1 || columns == 1 {
        if part.second.is_some() {
            return Err(format!("`{name}` has one index"));
        }
        let all = rows * columns;
        let (range, alone) = part.first.clone().unwrap_or((0..all, all == 1));
        within(name, &range, all, "elements")?;
        let (shape, name) = list(name, &range, alone);
        return Ok(Cells { cells: range.map(cell).collect(), shape, name, array });
    }
    let (of_rows, one_row) = part.first.clone().unwrap_or((0..rows, false));
    let (of_columns, one_column) = part.second.clone().unwrap_or((0..columns, false));
    within(name, &of_rows, rows, "rows")?;
    within(name, &of_columns, columns, "columns")?;
    let (first_row, first_column) = (of_rows.start, of_columns.start);
    let (shape, called) = match one_row && one_column {
        true => (Shape::One, format!("{name}[{first_row}][{first_column}]")),
        false => (Shape::Rows { first_row, first_column, columns: of_columns.len() }, name.to_owned()),
    };
    let cells =
        of_rows.flat_map(|row| of_columns.clone().map(move |column| row * columns + column)).map(cell).collect();
    Ok(Cells { cells, shape, name: called, array })
}

/// Elements of an array that each of several blocks has an element a neuron of, by the neurons' numbers.
fn of_population(image: &Image, blocks: &[BlockIndex], name: &str, part: &Part) -> Result<Cells, String> {
    let mut all: Vec<(u32, Cell)> = Vec::new();
    for &number in blocks {
        let block: &Block = &image.blocks[number];
        let symbol = block.symbol(name).filter(|symbol| symbol.elements() == u64::from(block.neurons));
        let Some(symbol) = symbol else {
            return only(blocks, name).and_then(|_| Err(no_array(name, std::iter::empty())));
        };
        let cell = cells_of(number, symbol, name)?;
        all.extend((0..block.neurons).map(|index| (block.neuron(index), cell(index as usize))));
    }
    if part.second.is_some() {
        return Err(format!("`{name}` has one index"));
    }
    all.sort_by_key(|(neuron, _)| *neuron);
    let (range, alone) = part.first.clone().unwrap_or((0..all.len(), false));
    within(name, &range, all.len(), "elements")?;
    let (shape, called) = list(name, &range, alone);
    let array = Some((name.to_owned(), blocks[0]));
    Ok(Cells { cells: all[range].iter().map(|(_, cell)| *cell).collect(), shape, name: called, array })
}

/// How elements of a list are shown, and what they are called.
fn list(name: &str, range: &Range<usize>, alone: bool) -> (Shape, String) {
    match alone {
        true => (Shape::One, format!("{name}[{}]", range.start)),
        false => (Shape::List(range.start), name.to_owned()),
    }
}

fn within(name: &str, range: &Range<usize>, have: usize, what: &str) -> Result<(), String> {
    if range.end <= have { Ok(()) } else { Err(format!("`{name}` has {have} {what}, 0 to {}", have - 1)) }
}
