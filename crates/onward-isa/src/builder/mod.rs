//! Writing programs by methods: one an instruction, with operands of their own types.
//!
//! [`Assembly`] has a method for each instruction of the table, made from it at build time, so that a wrong operand does
//! not compile. Registers are handed out and come back when they are dropped; labels are handed out, too. What comes out
//! is the text of a program that reads as if written by hand, and that the assembler takes.
//!
//! ```
//! use onward_diagnostic::Source;
//! use onward_isa::Special;
//! use onward_isa::builder::{Assembly, N32, S16, ZERO};
//!
//! let mut a = Assembly::new();
//! let neurons = a.constant("NEURONS", 40);
//! let window = a.constant("WINDOW", 16);
//! let axon = &a.named("axon"); // held until the end of the scope
//! let payload = &a.named("payload");
//! let sums = &a.scratch_vector();
//!
//! a.here("step");
//! a.setvl(ZERO, &neurons);
//! a.setrow(ZERO, &neurons);
//! a.vld(sums, N32.at(ZERO, "NEURONS * 2")).note("the bias");
//! a.for_each(axon, payload, "taken", |a| {
//!     a.vaccr(sums, S16.row(axon, -1));
//! });
//! let last = &a.label("last");
//! {
//!     let (position, end) = (&a.scratch(), &a.scratch()); // given back where the block ends
//!     a.special(position, Special::Position);
//!     a.addi(end, ZERO, &window - 1);
//!     a.beq(position, end, last).note("the window closes");
//! }
//! a.stay();
//! a.bind(last);
//! a.sleep();
//! let listing = a.finish();
//! assert_eq!(listing.text, "\
//! .equ NEURONS, 40
//! .equ WINDOW, 16
//! .reg axon, r1
//! .reg payload, r2
//! step:
//!     setvl r0, NEURONS
//!     setrow r0, NEURONS
//!     vld v7, n32[NEURONS * 2]              ; the bias
//!     foreach axon, payload, taken
//!     vaccr v7, s16[row axon - 1]
//! taken:
//!     special r15, position
//!     addi r14, r0, WINDOW - 1
//!     beq r15, r14, last                    ; the window closes
//!     stay
//! last:
//!     sleep
//! ");
//! let program = onward_isa::assemble(&Source::new("example", listing.text)).unwrap();
//! assert_eq!(program.words.len(), 10);
//! ```
//!
//! What is asked for in a way that cannot be right (more registers than there are, a register that was given back, a
//! name that is no constant, a label that is bound twice or never) is a mistake of the program that uses the builder: a
//! panic that says where. What depends on sizes, such as an offset out of reach, is left to the assembler, which reports
//! it as a mistake in the text.

mod operand;
mod register;

pub use operand::{
    A8, A16, A32, Constant, E32, Elements, Label, Memory, N8, N16, N32, RowMemory, S4, S8, S16, S32, StridedMemory,
    TableMemory, Value,
};
pub use register::{
    HeldRegister, Predicate, PredicateRegister, Register, RegisterOperand, Scalar, ScalarRegister, Start, Vector,
    VectorRegister, ZERO,
};

use crate::{Op, RegisterKind, Special, Use};
use register::{Place, Pool, Wish};
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Write;
use std::rc::Rc;

/// An operand as the methods of instructions hand it on.
enum Argument {
    Scalar(Scalar),
    Vector(Vector),
    Predicate(Predicate),
    /// A scalar register that is left out where it is r0.
    Base(Scalar),
    Number(Value),
    Label(Label),
    Special(Special),
    Memory(Memory),
    Row(RowMemory),
    Strided(StridedMemory),
    Table(TableMemory),
}

include!(concat!(env!("OUT_DIR"), "/builder.rs"));

/// What a name means; the assembler has one space of names.
#[derive(Debug, PartialEq, Eq)]
enum Meaning {
    Constant(i64),
    Register(RegisterKind, u8),
    Label,
}

/// A line of the text.
#[derive(Debug)]
enum TextLine {
    /// As it is.
    Plain(String),
    /// An instruction and the remark behind it.
    Code(String, String),
    /// What instructions are for from here on.
    Purpose(String),
}

/// A program under construction.
#[derive(Debug, Default)]
pub struct Assembly {
    lines: Vec<TextLine>,
    names: HashMap<String, Meaning>,
    /// For each label its name and whether it is bound.
    labels: Vec<(Rc<str>, bool)>,
    /// What the instructions that are written are for, innermost last.
    purposes: Vec<String>,
    pool: Rc<RefCell<Pool>>,
}

/// A program that is finished.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The text, for the assembler: an instruction makes one word.
    pub text: String,
    /// What registers were held, and while which words; for [`lint`](crate::lint).
    pub held: Vec<HeldRegister>,
}

/// The instruction that was written last.
#[derive(Debug)]
pub struct Line<'a>(Option<&'a mut TextLine>);

impl Line<'_> {
    /// Puts a remark behind the instruction.
    pub fn note(self, remark: impl Into<String>) {
        if let Some(TextLine::Code(_, note)) = self.0 {
            *note = remark.into();
        }
    }
}

impl Assembly {
    /// An empty program.
    pub fn new() -> Assembly {
        Assembly::default()
    }

    /// A line of comment.
    pub fn comment(&mut self, comment: impl AsRef<str>) {
        self.lines.push(TextLine::Plain(format!("; {}", comment.as_ref())));
    }

    /// An empty line.
    pub fn gap(&mut self) {
        self.lines.push(TextLine::Plain(String::new()));
    }

    /// Names a number.
    ///
    /// # Panics
    /// The name is taken, or is none.
    #[track_caller]
    pub fn constant(&mut self, name: &str, value: impl Into<i64>) -> Constant {
        self.described_constant(name, value.into(), "")
    }

    /// Names the first element of an array of `rows` rows of `columns` elements, with its shape as a remark.
    ///
    /// # Panics
    /// The name is taken, or is none.
    #[track_caller]
    pub fn array(
        &mut self,
        name: &str,
        elements: Elements,
        first: impl Into<i64>,
        rows: u32,
        columns: u32,
    ) -> Constant {
        let shape = if rows == 1 { columns.to_string() } else { format!("{rows} x {columns}") };
        self.described_constant(name, first.into(), &format!("{}, {shape}", elements.name()))
    }

    #[track_caller]
    fn described_constant(&mut self, name: &str, value: i64, remark: &str) -> Constant {
        self.take_name(name, Meaning::Constant(value));
        let line = format!(".equ {name}, {value}");
        let line = if remark.is_empty() { line } else { format!("{line:<42}; {remark}") };
        self.lines.push(TextLine::Plain(line));
        Constant { name: name.into(), value }
    }

    /// The constant of a name; `None` if none has it.
    pub fn find_constant(&self, name: &str) -> Option<Constant> {
        match self.names.get(name)? {
            Meaning::Constant(value) => Some(Constant { name: name.into(), value: *value }),
            _ => None,
        }
    }

    #[track_caller]
    fn take_name(&mut self, name: &str, meaning: Meaning) {
        let is_name = crate::assembler::is_name(name) && name != "row" && RegisterKind::parse(name).is_none();
        assert!(is_name, "`{name}` cannot be a name");
        if let Some(other) = self.names.get(name) {
            panic!("`{name}` is to be {meaning:?}, but is {other:?}");
        }
        self.names.insert(name.to_owned(), meaning);
    }

    /// A name that is free: this one, or with a number behind it.
    fn free_name(&self, name: &str) -> String {
        let numbered = (2..).map(|number| format!("{name}_{number}"));
        std::iter::once(name.to_owned()).chain(numbered).find(|name| !self.names.contains_key(name)).unwrap_or_default()
    }
}

/// What instructions are for.
impl Assembly {
    /// Says of the instructions that `body` writes what they are for; where it says something more of its own, that.
    pub fn serve<T>(&mut self, purpose: &str, body: impl FnOnce(&mut Assembly) -> T) -> T {
        let outer = self.purposes.len();
        self.serve_from_here(purpose);
        let made = body(self);
        self.purposes.truncate(outer);
        self.write_purpose();
        made
    }

    /// The same of all instructions that follow, to the end of the program or of what encloses this.
    pub fn serve_from_here(&mut self, purpose: &str) {
        self.purposes.push(purpose.to_owned());
        self.write_purpose();
    }

    /// Writes what holds from here on, once, and only where it is another than before.
    fn write_purpose(&mut self) {
        let purpose = self.purposes.last().cloned().unwrap_or_default();
        self.lines.pop_if(|line| matches!(line, TextLine::Purpose(_)));
        let before = self.lines.iter().rev().find_map(|line| match line {
            TextLine::Purpose(purpose) => Some(purpose.as_str()),
            TextLine::Plain(_) | TextLine::Code(..) => None,
        });
        if before.unwrap_or_default() != purpose {
            self.lines.push(TextLine::Purpose(purpose));
        }
    }
}

/// Registers.
impl Assembly {
    /// A scalar register for a short while, without a name.
    ///
    /// # Panics
    /// All are held; the message says by whom.
    #[track_caller]
    pub fn scratch(&mut self) -> ScalarRegister {
        Pool::hand_out(&self.pool, &Wish::Highest, None)
    }

    /// How many scalar registers are free: what is more than others need can hold what would else be loaded again and again.
    pub fn free_scalars(&self) -> usize {
        self.pool.borrow().free(RegisterKind::Scalar)
    }

    /// As [`scratch`](Self::scratch), a vector register.
    #[track_caller]
    pub fn scratch_vector(&mut self) -> VectorRegister {
        Pool::hand_out(&self.pool, &Wish::Highest, None)
    }

    /// As [`scratch`](Self::scratch), a predicate register.
    #[track_caller]
    pub fn scratch_predicate(&mut self) -> PredicateRegister {
        Pool::hand_out(&self.pool, &Wish::Highest, None)
    }

    /// A scalar register with a name in the text. A name that is taken gets a number behind it.
    ///
    /// # Panics
    /// All are held; the message says by whom.
    #[track_caller]
    pub fn named(&mut self, name: &str) -> ScalarRegister {
        self.name_register(name, &Wish::Lowest)
    }

    /// As [`named`](Self::named), a vector register.
    #[track_caller]
    pub fn named_vector(&mut self, name: &str) -> VectorRegister {
        self.name_register(name, &Wish::Lowest)
    }

    /// As [`named`](Self::named), a predicate register.
    #[track_caller]
    pub fn named_predicate(&mut self, name: &str) -> PredicateRegister {
        self.name_register(name, &Wish::Lowest)
    }

    /// As [`named`](Self::named), the register of this number.
    ///
    /// # Panics
    /// It is held, or there is none.
    #[track_caller]
    pub fn named_number<R: RegisterOperand>(&mut self, name: &str, number: u8) -> Register<R> {
        self.name_register(name, &Wish::Number(number))
    }

    /// A predicate register that nothing has written, and nothing writes while it is held: as the machine sets it at
    /// dispatch, with all bits 0 (`microarchitecture.md`, E3). Others may get it afterwards; should a way lead back to
    /// where it is read, the [lint](crate::lint) finds it.
    ///
    /// # Panics
    /// All are held or written.
    #[track_caller]
    pub fn cleared_predicate(&mut self, name: &str) -> PredicateRegister {
        self.name_register(name, &Wish::Unwritten { for_good: true })
    }

    /// A scalar register that holds 0 until the program writes it, as dispatch leaves it (`microarchitecture.md`, E3), and
    /// of which that is counted on. Others may get it once it is dropped, as with
    /// [`cleared_predicate`](Self::cleared_predicate).
    ///
    /// # Panics
    /// All are held or written.
    #[track_caller]
    pub fn zeroed(&mut self, name: &str) -> ScalarRegister {
        self.name_register(name, &Wish::Unwritten { for_good: false })
    }

    /// As [`zeroed`](Self::zeroed), a vector register.
    #[track_caller]
    pub fn zeroed_vector(&mut self, name: &str) -> VectorRegister {
        self.name_register(name, &Wish::Unwritten { for_good: false })
    }

    /// As [`zeroed`](Self::zeroed), a predicate register.
    #[track_caller]
    pub fn zeroed_predicate(&mut self, name: &str) -> PredicateRegister {
        self.name_register(name, &Wish::Unwritten { for_good: false })
    }

    #[track_caller]
    fn name_register<R: RegisterOperand>(&mut self, name: &str, wish: &Wish) -> Register<R> {
        let register: Register<R> = Pool::hand_out(&self.pool, wish, Some(name.to_owned()));
        let same = Meaning::Register(R::KIND, register.number());
        // The same name for the same register needs no second line.
        if self.names.get(name) != Some(&same) {
            let free = self.free_name(name);
            self.lines.push(TextLine::Plain(format!(".reg {free}, {}{}", R::KIND.letter(), register.number())));
            self.take_name(&free, same);
            self.pool.borrow_mut().rename(R::KIND, register.number(), free);
        }
        register
    }
}

/// Labels and loops.
impl Assembly {
    /// A label, to be bound once. A name that is taken gets a number behind it.
    pub fn label(&mut self, name: &str) -> Label {
        let free: Rc<str> = self.free_name(name).into();
        self.take_name(&free, Meaning::Label);
        self.labels.push((free.clone(), false));
        Label { name: free, number: self.labels.len() - 1 }
    }

    /// Puts a label here.
    ///
    /// # Panics
    /// It is bound already.
    #[track_caller]
    pub fn bind(&mut self, label: &Label) {
        let (name, is_bound) = &mut self.labels[label.number];
        assert!(!*is_bound, "the label `{name}` is bound twice");
        *is_bound = true;
        self.lines.push(TextLine::Plain(format!("{name}:")));
    }

    /// A label that is bound here.
    #[track_caller]
    pub fn here(&mut self, name: &str) -> Label {
        let label = self.label(name);
        self.bind(&label);
        label
    }

    /// `loop`: the body `count` times, up to a label of this name.
    #[track_caller]
    pub fn repeat(&mut self, count: impl Into<Scalar>, end: &str, body: impl FnOnce(&mut Assembly)) {
        let end = self.label(end);
        self.loop_(count, &end);
        body(self);
        self.bind(&end);
    }

    /// The same with a count that is known: the register that it takes is free again in the body, as a loop counts by itself.
    #[track_caller]
    pub fn repeat_number(&mut self, count: u32, end: &str, body: impl FnOnce(&mut Assembly)) {
        let end = self.label(end);
        {
            let left = &self.scratch();
            self.load_number(left, count as i32);
            self.loop_(left, &end);
        }
        body(self);
        self.bind(&end);
    }

    /// `foreach`: the body once for each active axon, up to a label of this name.
    #[track_caller]
    pub fn for_each(
        &mut self,
        axon: impl Into<Scalar>,
        payload: impl Into<Scalar>,
        end: &str,
        body: impl FnOnce(&mut Assembly),
    ) {
        let end = self.label(end);
        self.foreach(axon, payload, &end);
        body(self);
        self.bind(&end);
    }

    /// `forset`: the body once for each set bit of a predicate, up to a label of this name.
    #[track_caller]
    pub fn for_set(
        &mut self,
        index: impl Into<Scalar>,
        set: impl Into<Predicate>,
        end: &str,
        body: impl FnOnce(&mut Assembly),
    ) {
        let end = self.label(end);
        self.forset(index, set, &end);
        body(self);
        self.bind(&end);
    }
}

/// What takes more than one instruction where a number is large.
impl Assembly {
    /// Loads a number of 32 bits: one instruction if it fits 16, else two. The remark stands behind the first.
    #[track_caller]
    pub fn load_number(&mut self, rd: impl Into<Scalar>, value: i32) -> Line<'_> {
        let rd = rd.into();
        if i16::try_from(value).is_ok() {
            return self.addi(rd, ZERO, value);
        }
        self.lui(rd, value as u32 >> 16);
        let first = self.lines.len() - 1;
        if value & 0xffff != 0 {
            self.ori(rd, rd, value & 0xffff);
        }
        Line(self.lines.get_mut(first))
    }

    /// Loads a constant: one instruction if it fits 16 bits, else two. The remark stands behind the first.
    #[track_caller]
    pub fn load_constant(&mut self, rd: impl Into<Scalar>, constant: &Constant) -> Line<'_> {
        let rd = rd.into();
        if i16::try_from(constant.value()).is_ok() {
            return self.addi(rd, ZERO, constant);
        }
        self.lui(rd, format!("{} >> 16", constant.name()));
        let first = self.lines.len() - 1;
        self.ori(rd, rd, format!("{} & 0xffff", constant.name()));
        Line(self.lines.get_mut(first))
    }

    /// An instruction on the element `base + offset`, which `access` writes: what is beyond an offset's reach is added to
    /// the base in a scratch register.
    #[track_caller]
    pub fn indexed(
        &mut self,
        elements: Elements,
        base: impl Into<Scalar>,
        offset: i64,
        access: impl for<'a> FnOnce(&'a mut Assembly, Memory) -> Line<'a>,
    ) -> Line<'_> {
        let base = base.into();
        if (-0x800..0x800).contains(&offset) {
            return access(self, elements.at(base, offset));
        }
        let address = &self.scratch();
        if i16::try_from(offset).is_ok() {
            self.addi(address, base, offset);
        } else {
            self.load_number(address, offset as i32);
            self.add(address, address, base);
        }
        access(self, elements.at(address, 0))
    }

    /// Adds a number to a register: nothing for 0, else one instruction, or more through a scratch register. The remark
    /// stands behind the last.
    #[track_caller]
    pub fn advance(&mut self, register: impl Into<Scalar>, by: i64) -> Line<'_> {
        let register = register.into();
        if by == 0 {
            return Line(None);
        }
        if i16::try_from(by).is_ok() {
            return self.addi(register, register, by);
        }
        let number = &self.scratch();
        self.load_number(number, by as i32);
        self.add(register, register, number)
    }
}

/// Text.
impl Assembly {
    /// Writes an instruction.
    #[track_caller]
    fn push(&mut self, op: Op, arguments: Vec<Argument>) -> Line<'_> {
        let description = op.description();
        let mut text = description.mnemonic.to_owned();
        let mut separator = " ";
        for (argument, &used) in arguments.into_iter().zip(description.operand_uses) {
            let argument = match argument {
                Argument::Base(base) if base == ZERO => continue,
                Argument::Scalar(register) | Argument::Base(register) => self.register(register, used),
                Argument::Vector(register) => self.register(register, used),
                Argument::Predicate(register) => self.register(register, used),
                Argument::Number(value) => self.number(&value),
                Argument::Label(label) => label.name.as_ref().to_owned(),
                Argument::Special(special) => special.name().to_owned(),
                Argument::Memory(memory) | Argument::Table(TableMemory(memory)) => self.memory("", &memory, ""),
                Argument::Row(RowMemory(memory)) => self.memory("row ", &memory, ""),
                Argument::Strided(StridedMemory { first, stride }) => {
                    let stride = format!(" : {}", self.register(stride, Use::Read));
                    self.memory("", &first, &stride)
                }
            };
            text += separator;
            text += &argument;
            separator = ", ";
        }
        self.pool.borrow_mut().words += 1;
        self.lines.push(TextLine::Code(text, String::new()));
        Line(self.lines.last_mut())
    }

    #[track_caller]
    fn register<R: RegisterOperand>(&mut self, register: R, used: Use) -> String {
        let place: Place = register.place();
        self.pool.borrow_mut().use_register(R::KIND, place, used)
    }

    /// The text of a number; the names in it must be constants.
    #[track_caller]
    fn number(&self, value: &Value) -> String {
        if let Value::Expression(text) = value {
            let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'));
            for name in words.filter(|word| crate::assembler::is_name(word)) {
                assert!(
                    matches!(self.names.get(name), Some(Meaning::Constant(_))),
                    "`{name}` in `{text}` is no constant of this program"
                );
            }
        }
        value.text()
    }

    #[track_caller]
    fn memory(&mut self, row: &str, memory: &Memory, stride: &str) -> String {
        let offset = self.number(&memory.offset);
        let place = match memory.base {
            ZERO if row.is_empty() && stride.is_empty() => offset,
            base => self.register(base, Use::Read) + &memory.offset.offset(),
        };
        format!("{}[{row}{place}{stride}]", memory.elements.name())
    }

    /// The program.
    ///
    /// # Panics
    /// A label was not bound.
    #[track_caller]
    pub fn finish(self) -> Listing {
        let unbound: Vec<&str> =
            self.labels.iter().filter(|(_, is_bound)| !is_bound).map(|(name, _)| name.as_ref()).collect();
        assert!(unbound.is_empty(), "labels that were never bound: {}", unbound.join(", "));
        let mut text = String::new();
        for line in &self.lines {
            let written = match line {
                TextLine::Plain(line) => writeln!(text, "{line}"),
                TextLine::Purpose(purpose) if purpose.is_empty() => writeln!(text, ".purpose"),
                TextLine::Purpose(purpose) => writeln!(text, ".purpose \"{purpose}\""),
                TextLine::Code(instruction, note) if note.is_empty() => writeln!(text, "    {instruction}"),
                TextLine::Code(instruction, note) => writeln!(text, "    {instruction:<38}; {note}"),
            };
            written.expect("writing to memory");
        }
        Listing { text, held: self.pool.borrow_mut().all_held() }
    }
}
