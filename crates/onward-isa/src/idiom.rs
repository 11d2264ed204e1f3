//! Loops that an engine may run as one operation, in one place for those who write them and those who recognise them.
//!
//! Nearly all work of an inference or a training run is in three loops. Over the events of a step, each active axon's row
//! of weights is added to the sums in a vector, and where the block learns the axon's trace counts up:
//!
//! ```text
//! foreach axon, payload, end      foreach axon, payload, end           foreach axon, payload, end
//! vaccr   v, s16[row axon - 1]    vaccr   v, s16[row axon - 1]         vaccr   v, s16[row axon - 1]
//! end:                            addm    one, a16[axon - 1]           add     trace, axon, traces
//!                                 end:                                 addm    one, a16[trace - 1]
//!                                                                      end:
//! ```
//!
//! Where axons share rows, or not all have one, a table in axon memory says which, and no trace is counted:
//!
//! ```text
//! foreach axon, payload, end
//! ld      entry, a32[axon + 3]
//! vaccr   v, s16[row entry]
//! end:
//! ```
//!
//! And over the rows of a kernel, or the strips of a long row, each is added to the sums in memory that it lies above:
//!
//! ```text
//! loop    rows, end
//! vaddn16 sums, s8[weights]
//! add     weights, weights, length        ; or addi weights, weights, 64
//! addi    sums, sums, 132
//! end:
//! ```
//!
//! [`EventRows`] and [`KernelRows`] write them, [`EventLoop::find`] and [`RowLoop::find`] know them again, whoever wrote
//! them.
//!
//! ```
//! use onward_isa::Instruction;
//! use onward_isa::builder::{Assembly, S16};
//! use onward_isa::idiom::{EventLoop, EventRows};
//!
//! let mut a = Assembly::new();
//! let (axon, payload, sums) = (&a.named("axon"), &a.named("payload"), &a.named_vector("sums"));
//! let rows = EventRows { axon: axon.into(), payload: payload.into(), sums: sums.into(), weights: S16, first: 1, trace: None };
//! let end = a.label("taken");
//! rows.write(&mut a, &end);
//! a.sleep();
//! let source = onward_diagnostic::Source::new("example", a.finish().text);
//! let words = onward_isa::assemble(&source).unwrap().words;
//! let code: Vec<_> = words.iter().map(|&word| Instruction::decode(word).ok()).collect();
//! let found = EventLoop::find(&code, 0).unwrap();
//! assert_eq!((found.end, found.vector, found.offset), (2, 0, -1));
//! ```

use crate::builder::{Assembly, Elements, Label, Scalar, Value, Vector};
use crate::{Instruction, Op, Space, Width};

/// Operands of a loop over events that adds each active axon's row to a vector.
#[derive(Clone, Copy, Debug)]
pub struct EventRows {
    /// Takes the axon of each event.
    pub axon: Scalar,
    /// Takes its payload, which is not used.
    pub payload: Scalar,
    /// The sums.
    pub sums: Vector,
    /// The weights' memory and width; not 32 bits, if the loop is to be run at once.
    pub weights: Elements,
    /// The axon whose row is the first of the memory.
    pub first: i64,
    /// The traces that count, where they do.
    pub trace: Option<EventTraces>,
}

/// Traces of 16 bits in axon memory, one an axon.
#[derive(Clone, Copy, Debug)]
pub struct EventTraces {
    /// What is added.
    pub increment: Scalar,
    /// Where the traces begin: the trace of axon `first` is at `base + offset`. No register if they are always at the
    /// same place.
    pub base: Option<Scalar>,
    /// See `base`; in reach of an instruction's offset.
    pub offset: i64,
}

impl EventRows {
    /// Writes the loop, and the label behind it.
    #[track_caller]
    pub fn write(&self, a: &mut Assembly, end: &Label) {
        a.foreach(self.axon, self.payload, end);
        a.vaccr(self.sums, self.weights.row(self.axon, -self.first));
        if let Some(trace) = &self.trace {
            let traces = Elements::new(Space::Axon, Width::W16);
            let offset = trace.offset - self.first;
            match trace.base {
                Some(base) => {
                    let address = &a.scratch();
                    a.add(address, self.axon, base);
                    a.addm(trace.increment, traces.at(address, offset)).note("the axon's trace");
                }
                None => a.addm(trace.increment, traces.at(self.axon, offset)).note("the axon's trace"),
            }
        }
        a.bind(end);
    }
}

/// Operands of a loop that adds rows of weights to sums in neuron memory.
#[derive(Clone, Debug)]
pub struct KernelRows {
    /// How many rows.
    pub rows: Scalar,
    /// The first sum; it is moved on.
    pub sums: Scalar,
    /// The sums' width, 16 or 32 bits.
    pub sum_width: Width,
    /// The first weight; it is moved on.
    pub weights: Scalar,
    /// The weights' memory and width.
    pub elements: Elements,
    /// From one row's weights to the next one's.
    pub weight_step: WeightStep,
    /// From one row's sums to the next one's: 16 bits with a sign.
    pub sum_step: Value,
}

/// How far it is from one row of weights to the next.
#[derive(Clone, Debug)]
pub enum WeightStep {
    /// As a register says.
    Register(Scalar),
    /// A number of 16 bits with a sign.
    Number(Value),
}

impl KernelRows {
    /// Writes the loop, and the label behind it.
    #[track_caller]
    pub fn write(&self, a: &mut Assembly, end: &Label) {
        a.loop_(self.rows, end);
        let weights = self.elements.at(self.weights, 0);
        match self.sum_width {
            Width::W16 => a.vaddn16(self.sums, weights),
            _ => a.vaddn32(self.sums, weights),
        };
        match &self.weight_step {
            WeightStep::Register(step) => a.add(self.weights, self.weights, step),
            WeightStep::Number(step) => a.addi(self.weights, self.weights, step),
        };
        a.addi(self.sums, self.sums, &self.sum_step);
        a.bind(end);
    }
}

/// A loop over events: for each active axon a row is added to a vector, and perhaps a trace counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventLoop {
    /// Address behind the body.
    pub end: usize,
    /// Takes the axon; not r0.
    pub axon: u8,
    /// Takes the payload; another register.
    pub payload: u8,
    /// The vector.
    pub vector: u8,
    /// The width of a row's elements, 4 to 16 bits; they lie in synapse memory.
    pub width: Width,
    /// From the axon's number, or its entry, to that of its row.
    pub offset: i64,
    /// Where each axon's entry is looked up, where rows are not those of axons.
    pub table: Option<Lookup>,
    /// The trace that counts; none with a table.
    pub trace: Option<Trace>,
}

/// A table of 32 bits in axon memory: the entry of an axon is `a32[axon + offset]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// Takes the entry; none of the loop's other registers, not r0.
    pub entry: u8,
    /// What is added to the axon.
    pub offset: i64,
}

/// A trace of 16 bits in axon memory that counts an event: `a16[base + axon + offset]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace {
    /// Takes `base + axon`; r0 where the base is r0 and the sum is never formed.
    pub sum: u8,
    /// What the loop leaves as it is, or r0.
    pub base: u8,
    /// What is added; the loop leaves it as it is.
    pub increment: u8,
    /// What is added to the address.
    pub offset: i64,
}

impl EventLoop {
    /// The loop that begins at address `at`, if it is one.
    pub fn find(code: &[Option<Instruction>], at: usize) -> Option<EventLoop> {
        let head = code.get(at).copied().flatten().filter(|head| head.op == Op::Foreach)?;
        let end = at + usize::try_from(head.imm).ok()?;
        let body = code.get(at + 1..end)?;
        let (axon, payload) = (head.d, head.a);
        let first = body.first().copied().flatten()?;
        let table = Lookup::find(&first, axon, payload);
        let (row, body) = match (table, body) {
            (Some(_), [_, row]) => ((*row)?, &body[1..]),
            (Some(_), _) => return None,
            (None, _) => (first, body),
        };
        let index = table.map_or(axon, |table| table.entry);
        let adds_row = row.op == Op::Vaccr && row.space == Space::Synapse && row.a == index;
        if !adds_row || row.width == Width::W32 || axon == 0 || axon == payload {
            return None;
        }
        let trace = match body {
            [_] => None,
            [_, Some(addm)] => Some(Trace::find_at_axon(addm, axon, payload)?),
            [_, Some(add), Some(addm)] => Some(Trace::find(add, addm, axon, payload)?),
            _ => return None,
        };
        Some(EventLoop {
            end,
            axon,
            payload,
            vector: row.d,
            width: row.width,
            offset: i64::from(row.imm),
            table,
            trace,
        })
    }
}

impl Lookup {
    fn find(load: &Instruction, axon: u8, payload: u8) -> Option<Lookup> {
        let loads = load.op == Op::Ld && load.space == Space::Axon && load.width == Width::W32 && load.a == axon;
        let distinct = load.d != 0 && load.d != axon && load.d != payload;
        (loads && distinct).then(|| Lookup { entry: load.d, offset: load.imm.into() })
    }
}

/// Whether an instruction adds to an element of 16 bits in axon memory.
fn is_count(addm: &Instruction) -> bool {
    addm.op == Op::Addm && addm.space == Space::Axon && addm.width == Width::W16
}

impl Trace {
    fn find(add: &Instruction, addm: &Instruction, axon: u8, payload: u8) -> Option<Trace> {
        let base = if add.a == axon { add.b } else { add.a };
        let adds = add.op == Op::Add && (add.a == axon) != (add.b == axon);
        let counts = is_count(addm) && addm.a == add.d;
        let changes = [axon, payload, add.d];
        let invariant = |register: u8| register == 0 || !changes.contains(&register);
        let distinct = add.d != 0 && add.d != axon && add.d != payload;
        let fits = adds && counts && distinct && invariant(base) && invariant(addm.d);
        fits.then(|| Trace { sum: add.d, base, increment: addm.d, offset: i64::from(addm.imm) })
    }

    fn find_at_axon(addm: &Instruction, axon: u8, payload: u8) -> Option<Trace> {
        let fits = is_count(addm) && addm.a == axon && addm.d != axon && (addm.d == 0 || addm.d != payload);
        fits.then(|| Trace { sum: 0, base: 0, increment: addm.d, offset: i64::from(addm.imm) })
    }
}

/// A loop over rows: each is added to sums in neuron memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowLoop {
    /// Address behind the body.
    pub end: usize,
    /// Holds the address of the first sum; not r0.
    pub sums: u8,
    /// Holds the address of the first weight; not r0, another register.
    pub weights: u8,
    /// From one row of weights to the next.
    pub weight_step: RowStep,
    /// The width of sums, 16 or 32 bits.
    pub sum_width: Width,
    /// Where the weights lie: axon or synapse memory.
    pub space: Space,
    /// Their width, 8 or 16 bits.
    pub width: Width,
    /// What is added to their address.
    pub offset: i64,
    /// From one row of sums to the next.
    pub sum_step: i64,
}

/// How far it is from one row of weights to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowStep {
    /// As a register says that the loop leaves as it is.
    Register(u8),
    /// So far.
    Number(i64),
}

impl RowLoop {
    /// The loop that begins at address `at`, if it is one.
    pub fn find(code: &[Option<Instruction>], at: usize) -> Option<RowLoop> {
        let head = code.get(at).copied().flatten().filter(|head| head.op == Op::Loop)?;
        let end = at + usize::try_from(head.imm).ok()?;
        let &[Some(row), Some(next), Some(down)] = code.get(at + 1..end)? else { return None };
        let sum_width = match row.op {
            Op::Vaddn16 => Width::W16,
            Op::Vaddn32 => Width::W32,
            _ => return None,
        };
        let (sums, weights) = (row.d, row.a);
        let weight_step = match next.op {
            Op::Add => RowStep::Register(next.b),
            Op::Addi => RowStep::Number(next.imm.into()),
            _ => return None,
        };
        let goes_on = next.d == weights && next.a == weights;
        let goes_down = down.op == Op::Addi && down.d == sums && down.a == sums;
        let distinct = sums != 0 && weights != 0 && sums != weights;
        let invariant = ![RowStep::Register(sums), RowStep::Register(weights)].contains(&weight_step);
        let plain =
            matches!(row.width, Width::W8 | Width::W16) && row.space != Space::Neuron && row.space != Space::Event;
        (goes_on && goes_down && distinct && invariant && plain).then(|| RowLoop {
            end,
            sums,
            weights,
            weight_step,
            sum_width,
            space: row.space,
            width: row.width,
            offset: row.imm.into(),
            sum_step: down.imm.into(),
        })
    }
}
