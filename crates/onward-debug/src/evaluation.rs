//! The values of expressions where a run is.

use crate::execution::Execution;
use crate::expression::{Expression, Index, Reference};
use crate::listing::Listings;
use crate::memory::{Cells, Part, resolve};
use onward_diagnostic::did_you_mean;
use onward_image::BlockIndex;
use onward_isa::{RegisterKind, SPECIALS, Special};
use std::ops::Range;

/// A number, or several with their places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    pub elements: Vec<i64>,
    pub shape: Shape,
    /// The array they are of, and a block that has it.
    pub array: Option<(String, BlockIndex)>,
}

/// How elements lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One alone.
    One,
    /// In a row, the first of them with this number.
    List(usize),
    /// Row by row.
    Rows { first_row: usize, first_column: usize, columns: usize },
    /// Bits: of so many, the numbers of those that are set.
    Bits(usize),
}

/// What expressions are evaluated with.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a, 'b> {
    pub execution: &'a Execution<'b>,
    pub listings: &'a Listings,
}

/// Names that stand for one number wherever a run is.
const PLACES: [&str; 3] = ["step", "executed", "window"];
/// Names of what only a block that runs has, beside registers and special registers.
const OF_BLOCK: [&str; 5] = ["vl", "rowlength", "core", "pc", "cycle"];

impl Value {
    fn one(number: i64) -> Value {
        Value { elements: vec![number], shape: Shape::One, array: None }
    }

    /// The number, if it is one.
    pub fn number(&self) -> Result<i64, String> {
        match (&self.shape, &self.elements[..]) {
            (Shape::One, &[number]) => Ok(number),
            _ => Err(format!("{} numbers where one is needed; say which, as in v0[3]", self.elements.len())),
        }
    }
}

impl Context<'_, '_> {
    /// The value of an expression.
    ///
    /// # Errors
    /// A name means nothing here, an index lies outside, or a number is needed where there are several.
    pub fn value(&self, expression: &Expression) -> Result<Value, String> {
        match expression {
            Expression::Number(number) => Ok(Value::one(*number)),
            Expression::Reference(reference) => self.reference(reference),
            Expression::Unary(operator, inner) => {
                let inner = self.number(inner)?;
                Ok(Value::one(if *operator == '!' { i64::from(inner == 0) } else { inner.wrapping_neg() }))
            }
            Expression::Binary(operator, left, right) => {
                let left = self.number(left)?;
                // As in most languages, the right side is not looked at where the left says it all.
                match *operator {
                    "&&" if left == 0 => return Ok(Value::one(0)),
                    "||" if left != 0 => return Ok(Value::one(1)),
                    _ => {}
                }
                binary(operator, left, self.number(right)?).map(Value::one)
            }
        }
    }

    /// The number that an expression is.
    ///
    /// # Errors
    /// As [`Context::value`].
    pub fn number(&self, expression: &Expression) -> Result<i64, String> {
        self.value(expression)?.number()
    }

    /// The elements of memories that a reference names; `None` if it names something else.
    ///
    /// # Errors
    /// As [`Context::value`].
    pub fn cells(&self, reference: &Reference) -> Result<Option<Cells>, String> {
        resolve(self.execution, reference, &self.part(&reference.indices)?)
    }

    /// What stands in brackets.
    fn part(&self, indices: &[Index]) -> Result<Part, String> {
        if indices.len() > 2 {
            return Err("nothing has three indices".to_owned());
        }
        let mut ranges = indices.iter().map(|index| self.range(index));
        Ok(Part { first: ranges.next().transpose()?, second: ranges.next().transpose()? })
    }

    fn range(&self, index: &Index) -> Result<(Range<usize>, bool), String> {
        let number = |expression: &Expression| {
            let number = self.number(expression)?;
            usize::try_from(number).ok().filter(|&at| at <= 1 << 32).ok_or(format!("{number} is no index"))
        };
        match index {
            Index::One(one) => number(one).map(|at| (at..at + 1, true)),
            Index::Range(first, end) => {
                let (first, end) = (number(first)?, number(end)?);
                if first < end { Ok((first..end, false)) } else { Err(format!("{first}..{end} holds nothing")) }
            }
        }
    }

    fn reference(&self, reference: &Reference) -> Result<Value, String> {
        if reference.scope.is_none()
            && let Some(value) = self.register(reference)?
        {
            return Ok(value);
        }
        if let Some(cells) = self.cells(reference)? {
            let elements = cells.values(self.execution.machine())?.into_iter().map(i64::from).collect();
            return Ok(Value { elements, shape: cells.shape, array: cells.array });
        }
        Err(self.unknown(&reference.name))
    }

    /// What is no array: registers, by number or as the text calls them, special registers, places of the run.
    fn register(&self, reference: &Reference) -> Result<Option<Value>, String> {
        let execution = self.execution;
        let name = reference.name.as_str();
        match name {
            "step" => return self.alone(reference, execution.step() as i64),
            "executed" => return self.alone(reference, execution.executed() as i64),
            "window" => {
                let window = u64::from(execution.image.network.window_steps.max(1));
                return self.alone(reference, (execution.step() / window) as i64);
            }
            _ => {}
        }
        let special = SPECIALS.iter().position(|(known, _)| *known == name);
        let special = special.and_then(|number| Special::from_number(number as i32));
        let Some(current) = execution.current() else {
            let is_of_block = special.is_some() || OF_BLOCK.contains(&name) || RegisterKind::parse(name).is_some();
            let has_array = || execution.image.blocks.iter().any(|block| block.symbol(name).is_some());
            return match is_of_block && !has_array() {
                true => Err(format!("no block runs here, so there is no `{name}`")),
                false => Ok(None),
            };
        };
        match name {
            "vl" => return self.alone(reference, current.length() as i64),
            "rowlength" => return self.alone(reference, current.row()),
            "core" => return self.alone(reference, current.core().into()),
            "pc" => return self.alone(reference, current.address() as i64),
            "cycle" => return self.alone(reference, current.cycle() as i64),
            _ => {}
        }
        let program = execution.image.blocks[current.block()].program;
        let names = self.listings.get(program).register_names(current.address());
        let register = names.get(name).map_or(name, String::as_str);
        let parsed =
            RegisterKind::parse(register).and_then(|(kind, number)| Some((kind, usize::try_from(number).ok()?)));
        match parsed {
            Some((RegisterKind::Scalar, number)) if number < 16 => {
                self.alone(reference, current.scalars()[number].into())
            }
            Some((RegisterKind::Vector, number)) if number < 8 => {
                let elements = &current.vectors()[number][..current.length()];
                self.elements(reference, elements.iter().map(|&element| element.into()).collect())
            }
            Some((RegisterKind::Predicate, number)) if number < 4 => {
                let bits = &current.predicates()[number][..current.length()];
                if !reference.indices.is_empty() {
                    return self.elements(reference, bits.iter().map(|&bit| bit.into()).collect());
                }
                let set = bits.iter().enumerate().filter(|(_, bit)| **bit).map(|(at, _)| at as i64);
                Ok(Some(Value { elements: set.collect(), shape: Shape::Bits(bits.len()), array: None }))
            }
            Some(_) => Err(format!("there is no register `{register}`: r0 to r15, v0 to v7, p0 to p3")),
            // An array of the block hides a special register of the same name.
            None if execution.image.blocks[current.block()].symbol(name).is_some() => Ok(None),
            None => special.map_or(Ok(None), |special| self.alone(reference, current.special(special).into())),
        }
    }

    fn alone(&self, reference: &Reference, number: i64) -> Result<Option<Value>, String> {
        match reference.indices[..] {
            [] => Ok(Some(Value::one(number))),
            _ => Err(format!("`{}` is one number and has no index", reference.name)),
        }
    }

    fn elements(&self, reference: &Reference, all: Vec<i64>) -> Result<Option<Value>, String> {
        let part = self.part(&reference.indices)?;
        if part.second.is_some() {
            return Err(format!("`{}` has one index", reference.name));
        }
        let (range, alone) = part.first.unwrap_or((0..all.len(), false));
        if range.end > all.len() {
            return Err(format!("`{}` has {} elements, as many as VL", reference.name, all.len()));
        }
        let shape = if alone { Shape::One } else { Shape::List(range.start) };
        Ok(Some(Value { elements: all[range].to_vec(), shape, array: None }))
    }

    fn unknown(&self, name: &str) -> String {
        let image = self.execution.image;
        let arrays = image.blocks.iter().flat_map(|block| &block.symbols).map(|symbol| symbol.name.as_str());
        let specials = SPECIALS.iter().map(|(name, _)| *name);
        let mut known: Vec<&str> = arrays.chain(specials).chain(PLACES).chain(OF_BLOCK).collect();
        known.sort_unstable();
        known.dedup();
        let help = did_you_mean(name, known, "there are registers (r0, v0, p0), and ");
        format!("nothing is called `{name}`; {help}")
    }
}

fn binary(operator: &str, left: i64, right: i64) -> Result<i64, String> {
    let by_nothing = || "a division by 0".to_owned();
    Ok(match operator {
        "||" | "&&" => i64::from(right != 0),
        "==" => i64::from(left == right),
        "!=" => i64::from(left != right),
        "<=" => i64::from(left <= right),
        ">=" => i64::from(left >= right),
        "<" => i64::from(left < right),
        ">" => i64::from(left > right),
        "+" => left.wrapping_add(right),
        "-" => left.wrapping_sub(right),
        "*" => left.wrapping_mul(right),
        "/" => left.checked_div(right).ok_or_else(by_nothing)?,
        _ => left.checked_rem(right).ok_or_else(by_nothing)?,
    })
}
