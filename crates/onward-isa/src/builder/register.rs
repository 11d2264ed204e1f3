//! Registers, handed out and given back.

use crate::{RegisterKind, Use};
use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;
use std::panic::Location;
use std::rc::Rc;

/// No register was handed out under this number.
const CONSTANT: u32 = 0;

/// A register as an operand: a copy of what a [`Register`] stands for. Used after the register was given back it stops
/// the builder with a panic.
pub trait RegisterOperand: Copy {
    /// The kind of the register.
    const KIND: RegisterKind;

    #[doc(hidden)]
    fn new(place: Place) -> Self;

    #[doc(hidden)]
    fn place(self) -> Place;
}

/// A register's number and the number of the hand-out it comes from.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub(super) number: u8,
    pub(super) lease: u32,
}

macro_rules! register_operands {
    ($($name:ident, $register:ident, $what:literal;)*) => {
        $(#[doc = concat!("A ", $what, " register as an operand; see [`RegisterOperand`].")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name(pub(super) Place);

        #[doc = concat!("A ", $what, " register that is held until this value is dropped.")]
        pub type $register = Register<$name>;

        impl RegisterOperand for $name {
            const KIND: RegisterKind = RegisterKind::$name;

            fn new(place: Place) -> Self {
                $name(place)
            }

            fn place(self) -> Place {
                self.0
            }
        }

        impl From<&Register<$name>> for $name {
            fn from(register: &Register<$name>) -> $name {
                register.operand()
            }
        }

        impl From<&$name> for $name {
            fn from(register: &$name) -> $name {
                *register
            }
        })*
    };
}

register_operands! {
    Scalar, ScalarRegister, "scalar";
    Vector, VectorRegister, "vector";
    Predicate, PredicateRegister, "predicate";
}

/// r0, which reads as 0; what is written to it is lost.
pub const ZERO: Scalar = Scalar(Place { number: 0, lease: CONSTANT });

/// A register that is held: nothing else gets it until this value is dropped.
#[derive(Debug)]
pub struct Register<R: RegisterOperand> {
    place: Place,
    pool: Rc<RefCell<Pool>>,
    kind: PhantomData<R>,
}

impl<R: RegisterOperand> Register<R> {
    /// The register as an operand that can be copied; it is good as long as the register is held.
    pub fn operand(&self) -> R {
        R::new(self.place)
    }

    /// Its number.
    pub fn number(&self) -> u8 {
        self.place.number
    }
}

impl<R: RegisterOperand> Drop for Register<R> {
    fn drop(&mut self) {
        self.pool.borrow_mut().give_back(R::KIND, self.place.number);
    }
}

/// What a register holds before the program writes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// Nothing that the program counts on.
    #[default]
    Unset,
    /// The 0 that dispatch leaves (`microarchitecture.md`, E3), which the program counts on.
    Zero,
    /// The same, and the program never writes it.
    AlwaysZero,
}

/// A register that was held, for a while of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldRegister {
    /// Its name, if it had one.
    pub name: Option<String>,
    /// The kind of register.
    pub kind: RegisterKind,
    /// Its number.
    pub number: u8,
    /// The words during which it was held.
    pub words: Range<u32>,
    /// Those among them that read it, ascending.
    pub reads: Vec<u32>,
    /// Those among them that write it, ascending.
    pub writes: Vec<u32>,
    /// What it holds before the first of them.
    pub start: Start,
}

impl fmt::Display for HeldRegister {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "`{name}` ({}{})", self.kind.letter(), self.number),
            None => write!(f, "{}{}", self.kind.letter(), self.number),
        }
    }
}

/// Who holds a register.
#[derive(Debug)]
struct Holder {
    lease: u32,
    name: Option<String>,
    asked_at: &'static Location<'static>,
    first_word: u32,
    reads: Vec<u32>,
    writes: Vec<u32>,
    start: Start,
}

/// Which register is asked for.
pub(super) enum Wish {
    /// The lowest that is free: for what lives long.
    Lowest,
    /// The highest that is free: for what is given back soon.
    Highest,
    /// This one.
    Number(u8),
    /// One that no instruction has written, to keep it so, or to begin with its 0.
    Unwritten { for_good: bool },
}

/// The registers of an assembly and who holds them.
#[derive(Debug, Default)]
pub(super) struct Pool {
    holders: [[Option<Holder>; 16]; 3],
    /// For each kind, a bit a register that was written.
    written: [u16; 3],
    leases: u32,
    /// Instructions so far.
    pub words: u32,
    /// Registers that were given back.
    pub held: Vec<HeldRegister>,
}

impl Pool {
    /// Hands a register out.
    ///
    /// # Panics
    /// There is none left, or the one that is wished for is held.
    #[track_caller]
    pub fn hand_out<R: RegisterOperand>(pool: &Rc<RefCell<Pool>>, wish: &Wish, name: Option<String>) -> Register<R> {
        let asked_at = Location::caller();
        let mut this = pool.borrow_mut();
        let kind = R::KIND as usize;
        // r0 reads as 0: nobody can hold it.
        let numbers = u8::from(R::KIND == RegisterKind::Scalar)..R::KIND.count();
        let is_free = |number: &u8| this.holders[kind][usize::from(*number)].is_none();
        let is_unwritten = |number: &u8| this.written[kind] >> number & 1 == 0;
        let found = match *wish {
            Wish::Lowest => numbers.clone().find(is_free),
            Wish::Highest => numbers.clone().rev().find(is_free),
            Wish::Number(number) => numbers.clone().find(|&other| other == number).filter(is_free),
            Wish::Unwritten { .. } => numbers.clone().rev().find(|number| is_free(number) && is_unwritten(number)),
        };
        let Some(number) = found else {
            let what = match *wish {
                Wish::Number(number) => format!("{}{number}", R::KIND.letter()),
                Wish::Unwritten { .. } => format!("a {} that nothing has written", R::KIND.name()),
                Wish::Lowest | Wish::Highest => format!("a {}", R::KIND.name()),
            };
            let text = this.text(R::KIND);
            drop(this);
            panic!(
                "{what} is asked for{}, but none is free:\n{text}",
                name.map_or(String::new(), |name| format!(" (`{name}`)"))
            );
        };
        this.leases += 1;
        let lease = this.leases;
        let start = match *wish {
            Wish::Unwritten { for_good: true } => Start::AlwaysZero,
            Wish::Unwritten { for_good: false } => Start::Zero,
            _ => Start::Unset,
        };
        let first_word = this.words;
        this.holders[kind][usize::from(number)] =
            Some(Holder { lease, name, asked_at, first_word, reads: Vec::new(), writes: Vec::new(), start });
        drop(this);
        Register { place: Place { number, lease }, pool: pool.clone(), kind: PhantomData }
    }

    /// How many registers of a kind nobody holds.
    pub fn free(&self, kind: RegisterKind) -> usize {
        let first = usize::from(kind == RegisterKind::Scalar);
        let all = &self.holders[kind as usize][first..usize::from(kind.count())];
        all.iter().filter(|holder| holder.is_none()).count()
    }

    /// Who holds which registers of a kind, one a line.
    fn text(&self, kind: RegisterKind) -> String {
        let holders = self.holders[kind as usize].iter().enumerate();
        let lines = holders.filter_map(|(number, holder)| {
            let holder = holder.as_ref()?;
            let name = holder.name.as_deref().unwrap_or("scratch");
            Some(format!("  {}{number}: {name}, since {}\n", kind.letter(), holder.asked_at))
        });
        lines.collect()
    }

    /// A register that was handed out is used by the next instruction: its name in the text.
    ///
    /// # Panics
    /// It was given back, or is written though it was asked for as one that nothing writes.
    #[track_caller]
    pub fn use_register(&mut self, kind: RegisterKind, place: Place, used: Use) -> String {
        let plain = format!("{}{}", kind.letter(), place.number);
        if place.lease == CONSTANT {
            return plain;
        }
        let word = self.words;
        let holder = self.holders[kind as usize][usize::from(place.number)].as_mut();
        let Some(holder) = holder.filter(|holder| holder.lease == place.lease) else {
            panic!("{plain} is used after it was given back:\n{}", self.text(kind));
        };
        if used != Use::Write && holder.reads.last() != Some(&word) {
            holder.reads.push(word);
        }
        if used != Use::Read {
            assert!(
                holder.start != Start::AlwaysZero,
                "{plain} is written, though it was asked for as one that nothing writes"
            );
            holder.writes.push(word);
            self.written[kind as usize] |= 1 << place.number;
        }
        holder.name.clone().unwrap_or(plain)
    }

    /// Gives a held register the name it has in the text.
    pub fn rename(&mut self, kind: RegisterKind, number: u8, name: String) {
        if let Some(holder) = &mut self.holders[kind as usize][usize::from(number)] {
            holder.name = Some(name);
        }
    }

    fn give_back(&mut self, kind: RegisterKind, number: u8) {
        let words = self.words;
        let holder = self.holders[kind as usize][usize::from(number)].take();
        self.held.extend(holder.map(|holder| holder.ended(kind, number, words)));
    }

    /// All registers that were held, those too that still are.
    pub fn all_held(&mut self) -> Vec<HeldRegister> {
        let words = self.words;
        for kind in RegisterKind::ALL {
            for (number, holder) in (0..).zip(&mut self.holders[kind as usize]) {
                self.held.extend(holder.take().map(|holder| holder.ended(kind, number, words)));
            }
        }
        std::mem::take(&mut self.held)
    }
}

impl Holder {
    /// What is known of it when it ends before a word.
    fn ended(self, kind: RegisterKind, number: u8, words: u32) -> HeldRegister {
        HeldRegister {
            name: self.name,
            kind,
            number,
            words: self.first_word..words,
            writes: self.writes,
            reads: self.reads,
            start: self.start,
        }
    }
}
