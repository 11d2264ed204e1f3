//! Where each label, instruction and number lies, and the words and bytes there.

use super::{
    Assembler, Data, Item, ItemKind, Program,
    directive::Directive,
    expand::wrong_form,
    problem::{Fault, Place, Problem, ScopeId},
    syntax::{Operand, OperandKind, Statement},
    value::{Address, SymbolKind},
};
use crate::{Space, Width, table::SPACES};
use std::{mem, rc::Rc};

/// So many words of code, and so many nibbles of each memory, can be laid out.
const SECTION_LIMIT: u64 = 1 << 26;

/// Code, or a memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    Code,
    Memory(Space),
}

/// Where an item lies: in words for code, in nibbles for memories.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position {
    section: Section,
    start: u64,
    end: u64,
}

impl Assembler<'_> {
    /// The position of each item; labels get their addresses.
    pub(super) fn lay_out(&mut self) -> Vec<Position> {
        let items = mem::take(&mut self.items);
        let mut section = Section::Code;
        let mut ends = [0; 1 + Space::ALL.len()];
        let mut positions = Vec::with_capacity(items.len());
        for item in &items {
            if let ItemKind::Directive(Directive::Section, statement) = &item.kind {
                match self.section(statement, item.scope) {
                    Ok(next) => section = next,
                    Err(fault) => self.report_fault(fault),
                }
            }
            let end = &mut ends[match section {
                Section::Code => 0,
                Section::Memory(space) => 1 + space as usize,
            }];
            let start = *end;
            match self.end(item, section, start) {
                Ok(next) if next <= SECTION_LIMIT => *end = next,
                Ok(_) => {
                    let limit =
                        format!("a memory has at most {} MiB here, code {SECTION_LIMIT} words", SECTION_LIMIT >> 21);
                    self.report(Problem::new(self.place(item), "this does not fit").note(limit));
                }
                Err(fault) => {
                    *end = start.next_multiple_of(2); // half a byte is reported once, not for all that follows
                    self.report_fault_of(item, fault);
                }
            }
            positions.push(Position { section, start, end: *end });
        }
        self.items = items;
        positions
    }

    pub(super) fn place(&self, item: &Item) -> Place {
        match &item.kind {
            ItemKind::Label(name) => self.scopes.0[item.scope].symbols[name].place,
            ItemKind::Instruction(_, statement) | ItemKind::Directive(_, statement) => {
                Place { span: statement.span, scope: item.scope }
            }
        }
    }

    /// Where the item that begins at `start` ends.
    fn end(&self, item: &Item, section: Section, start: u64) -> Result<u64, Fault> {
        let at = self.place(item);
        match (&item.kind, section) {
            (ItemKind::Label(name), _) => {
                if let SymbolKind::Label(address) = &self.scopes.0[item.scope].symbols[name].kind {
                    address.set(Some(match section {
                        Section::Code => Address::Code(start as u32),
                        Section::Memory(space) => Address::Data(space, self.whole_bytes(start, at)?),
                    }));
                }
                Ok(start)
            }
            (ItemKind::Instruction(..), Section::Code) => Ok(start + 1),
            (ItemKind::Instruction(_, statement), Section::Memory(space)) => {
                let place = Place { span: statement.word.span, scope: item.scope };
                Err(Problem::new(place, "an instruction outside of the code")
                    .label(format!("the section here is {}", space.name()))
                    .help("put `.section code` before it")
                    .into())
            }
            (ItemKind::Directive(Directive::Section | Directive::Purpose, _), _) => Ok(start),
            (ItemKind::Directive(directive, statement), section) => {
                self.data_end(*directive, statement, item.scope, section, start)
            }
        }
    }

    fn section(&self, statement: &Statement, scope: ScopeId) -> Result<Section, Fault> {
        let [operand] = &statement.operands[..] else {
            return Err(wrong_form(Directive::Section, Place { span: statement.span, scope }).into());
        };
        let (operand, in_scope) = self.scopes.resolve(operand, scope);
        let name = operand.as_name().unwrap_or("");
        if name == "code" {
            return Ok(Section::Code);
        }
        let writable = || Space::ALL.into_iter().filter(|space| space.is_writable());
        if let Some(space) = writable().find(|space| space.letter() == name) {
            return Ok(Section::Memory(space));
        }
        let place = Place { span: operand.span, scope: in_scope };
        let choices: Vec<String> = writable().map(|space| format!("`{}` ({})", space.letter(), space.name())).collect();
        let mut problem =
            Problem::new(place, "there is no such section").help(format!("write `code`, {}", choices.join(", ")));
        if let Some(space) = SPACES.iter().find(|space| space.letter == name) {
            problem = problem.note(format!("`{name}`, the {}, begins empty", space.name));
        }
        Err(problem.into())
    }

    fn data_end(
        &self,
        directive: Directive,
        statement: &Statement,
        scope: ScopeId,
        section: Section,
        start: u64,
    ) -> Result<u64, Fault> {
        let at = Place { span: statement.span, scope };
        if section == Section::Code {
            if directive == Directive::Word && !statement.operands.is_empty() {
                return Ok(start + statement.operands.len() as u64);
            }
            return Err(Problem::new(at, format!("`{}` does not go into code", directive.name()))
                .help("put `.section n`, `.section a` or `.section s` before it; code takes `.word`")
                .into());
        }
        match (directive, &statement.operands[..]) {
            (Directive::Nibble | Directive::Byte | Directive::Half | Directive::Word, [_, ..]) => {
                let bits = directive.bits().unwrap_or(8);
                self.check_alignment(bits, start, at)?;
                Ok(start + statement.operands.len() as u64 * u64::from(bits / 4))
            }
            (Directive::Fill, [count, _] | [count, _, _]) => {
                let bits = self.fill_width(statement, scope)?.bits();
                self.check_alignment(bits, start, at)?;
                Ok(start + self.size(count, scope, "the count of `.fill`", 0)? * u64::from(bits / 4))
            }
            (Directive::Zero, [bytes]) => {
                self.whole_bytes(start, at)?;
                Ok(start + 2 * self.size(bytes, scope, "`.zero`", 0)?)
            }
            (Directive::Align, [bytes]) => {
                // An alignment also completes a byte that `.nibble` began.
                Ok(start.next_multiple_of(2 * self.size(bytes, scope, "`.align`", 1)?))
            }
            (Directive::Origin, [offset]) => {
                let offset = 2 * self.size(offset, scope, "`.org`", 0)?;
                if offset < start {
                    return Err(Problem::new(at, "`.org` does not go back")
                        .label(format!("this memory is filled up to byte {}", start.div_ceil(2)))
                        .into());
                }
                Ok(offset)
            }
            _ => Err(wrong_form(directive, at).into()),
        }
    }

    fn whole_bytes(&self, nibbles: u64, place: Place) -> Result<u32, Fault> {
        if nibbles % 2 == 1 {
            return Err(Problem::new(place, "this does not begin at a whole byte")
                .label("an odd number of nibbles stands before it")
                .help("put `.align 1` before it, which adds a zero nibble")
                .into());
        }
        Ok((nibbles / 2) as u32)
    }

    fn check_alignment(&self, bits: u32, nibbles: u64, place: Place) -> Result<(), Fault> {
        if bits > 4 && nibbles % 2 == 1 {
            self.whole_bytes(nibbles, place)?;
        }
        if !nibbles.is_multiple_of(u64::from(bits / 4)) {
            return Err(Problem::new(place, format!("{bits}-bit numbers at byte offset {}", nibbles / 2))
                .label(format!("no instruction can load them from there: they lie at multiples of {}", bits / 8))
                .help(format!("put `.align {}` before it", bits / 8))
                .into());
        }
        Ok(())
    }

    fn size(&self, operand: &Rc<Operand>, scope: ScopeId, what: &str, minimum: u64) -> Result<u64, Fault> {
        let number = self.scopes.number(operand, scope, what)?;
        let maximum = SECTION_LIMIT / 2;
        u64::try_from(number).ok().filter(|size| (minimum..=maximum).contains(size)).ok_or_else(|| {
            let (operand, scope) = self.scopes.resolve(operand, scope);
            Problem::new(Place { span: operand.span, scope }, format!("{what} is {number}"))
                .label(format!("allowed is {minimum} to {maximum}"))
                .into()
        })
    }

    fn fill_width(&self, statement: &Statement, scope: ScopeId) -> Result<Width, Fault> {
        let Some(operand) = statement.operands.get(2) else { return Ok(Width::W8) };
        let bits = self.scopes.number(operand, scope, "the width of `.fill`")?;
        u32::try_from(bits).ok().and_then(Width::from_bits).ok_or_else(|| {
            let place = Place { span: operand.span, scope };
            Problem::new(place, format!("numbers of {bits} bits")).label("allowed is 4, 8, 16, 32").into()
        })
    }

    /// Words and bytes.
    pub(super) fn emit(&mut self, positions: &[Position]) -> Program {
        let items = mem::take(&mut self.items);
        let mut program = Program::default();
        let mut memories = Space::ALL.map(|space| (space, Memory::default()));
        for (item, position) in items.iter().zip(positions) {
            let mut faults = Vec::new();
            match (&item.kind, position.section) {
                (ItemKind::Label(_), _) => {}
                (ItemKind::Instruction(op, statement), _) => {
                    program.words.push(self.encode(*op, statement, item.scope, position.start as i64, &mut faults));
                }
                (ItemKind::Directive(Directive::Purpose, statement), _) => {
                    let text = statement.operands.first().map(|operand| self.scopes.resolve(operand, item.scope).0);
                    let text = match text.as_ref().map(|operand| &operand.kind) {
                        Some(OperandKind::Text(text)) => text.as_str(),
                        _ => "",
                    };
                    program.serve(text);
                }
                (ItemKind::Directive(directive, statement), Section::Code) => {
                    if position.end > position.start {
                        let numbers = self.numbers(*directive, &statement.operands, item.scope, 32, &mut faults);
                        program.words.extend(numbers.iter().map(|&number| number as u32));
                    }
                }
                (ItemKind::Directive(directive, statement), Section::Memory(space)) => {
                    let memory = &mut memories[space as usize].1;
                    self.emit_data(*directive, statement, item.scope, *position, memory, &mut faults);
                }
            }
            let origin = self.origin(self.place(item)).span;
            program.lines.resize(program.words.len(), self.line_of(origin));
            program.file_of_line.resize(program.words.len(), origin.file as u32);
            for fault in faults {
                self.report_fault_of(item, fault);
            }
        }
        // What nothing stands behind is for nothing.
        program.purposes.pop_if(|(_, first)| *first as usize == program.words.len());
        program.data = memories.into_iter().flat_map(|(space, memory)| memory.into_data(space)).collect();
        self.items = items;
        program
    }

    fn emit_data(
        &self,
        directive: Directive,
        statement: &Statement,
        scope: ScopeId,
        position: Position,
        memory: &mut Memory,
        faults: &mut Vec<Fault>,
    ) {
        if position.start == position.end {
            return; // nothing, or reported by the layout
        }
        match directive {
            Directive::Origin => {} // a gap
            Directive::Fill => {
                let bits = self.fill_width(statement, scope).map_or(8, Width::bits);
                // Without a value it has the wrong form, which the layout has said.
                let Some(value) = statement.operands.get(1..2) else { return };
                let numbers = self.numbers(directive, value, scope, bits, faults);
                let count = (position.end - position.start) / u64::from(bits / 4);
                memory.put(position.start, bits, numbers.into_iter().cycle().take(count as usize));
            }
            Directive::Zero | Directive::Align => {
                memory.put(position.start, 4, (position.start..position.end).map(|_| 0));
            }
            _ => {
                let bits = directive.bits().unwrap_or(8);
                let numbers = self.numbers(directive, &statement.operands, scope, bits, faults);
                memory.put(position.start, bits, numbers.into_iter());
            }
        }
    }

    /// The numbers of a data directive: signed or unsigned ones of so many bits, 0 for those that are wrong.
    fn numbers(
        &self,
        directive: Directive,
        operands: &[Rc<Operand>],
        scope: ScopeId,
        bits: u32,
        faults: &mut Vec<Fault>,
    ) -> Vec<i64> {
        // Elements of 4 bits are weights, always signed; wider ones are also masks, written without a sign.
        let (minimum, maximum) = (-(1_i64 << (bits - 1)), if bits == 4 { 7 } else { (1_i64 << bits) - 1 });
        let mut number = |operand: &Rc<Operand>| {
            let checked = self.scopes.number(operand, scope, &format!("`{}`", directive.name())).and_then(|number| {
                let (operand, scope) = self.scopes.resolve(operand, scope);
                if (minimum..=maximum).contains(&number) {
                    return Ok(number);
                }
                let place = Place { span: operand.span, scope };
                Err(Problem::new(place, format!("{number} does not fit {bits} bits"))
                    .label(format!("allowed is {minimum} to {maximum}"))
                    .into())
            });
            checked.unwrap_or_else(|fault| {
                faults.push(fault);
                0
            })
        };
        operands.iter().map(&mut number).collect()
    }
}

/// A memory's contents while they are collected.
#[derive(Default)]
struct Memory {
    /// Pieces: the nibble each begins at, and its nibbles.
    pieces: Vec<(u64, Vec<u8>)>,
}

impl Memory {
    /// Puts numbers of so many bits at a nibble not before the end of what is there.
    fn put(&mut self, start: u64, bits: u32, numbers: impl Iterator<Item = i64>) {
        let adjoins = self.pieces.last().is_some_and(|(at, nibbles)| at + nibbles.len() as u64 == start);
        if !adjoins {
            self.pieces.push((start, Vec::new()));
        }
        if let Some((_, nibbles)) = self.pieces.last_mut() {
            nibbles.extend(numbers.flat_map(|number| (0..bits / 4).map(move |at| (number >> (4 * at)) as u8 & 15)));
        }
    }

    fn into_data(self, space: Space) -> impl Iterator<Item = Data> {
        self.pieces.into_iter().map(move |(start, nibbles)| Data {
            space,
            offset: (start / 2) as u32,
            bytes: nibbles.chunks(2).map(|pair| pair[0] | pair.get(1).unwrap_or(&0) << 4).collect(),
        })
    }
}
