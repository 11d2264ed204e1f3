//! A block and the interpreter that runs its handlers.

use super::decode::Decoded;
use super::outlet::{Outlet, Refused, or_shifted};
use super::vector::{self, Vectors};
use crate::fault::{Fault, FaultKind};
use crate::memory::Bank;
use onward_isa::{Instruction, Op, Space, Width, random};
use std::sync::Arc;

/// Instructions after which a step is taken to be endless.
const ENDLESS: u64 = 1 << 32;

/// Where a block's packets come from: an outlet and the axon its index 0 arrives on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inlet {
    pub outlet: usize,
    pub first_axon: usize,
}

/// Executions of an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AddressCounts {
    /// Times the instruction ran.
    pub executed: u64,
    /// Elements it computed, or packets it sent.
    pub elements: u64,
}

/// A send as the network sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SendRecord {
    /// Cycles of computing since the last packet of the send before, or since the step began.
    pub gap: u32,
    /// Packets.
    pub packets: u32,
    /// Route number.
    pub route: u32,
}

/// What a block did in a step, for the timing pass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StepRecord {
    /// Step within the chunk.
    pub step: u32,
    /// Its sends: a range of the block's list.
    pub sends: (u32, u32),
    /// Cycles after the last send.
    pub tail: u32,
}

/// A block's state between steps, and the records of the chunk that is running.
pub(crate) struct Block {
    pub number: u32,
    pub tile: u32,
    pub program: Arc<Decoded>,
    pub entry: u32,
    pub tagged: bool,
    pub inlets: Vec<Inlet>,
    pub seed: u64,
    pub memory: [Bank; 3],
    /// Active set, a bit an axon.
    active: Vec<u64>,
    /// Payloads by axon, 0 where inactive; `None` if all packets of the block carry 1.
    payloads: Option<Vec<i32>>,
    /// Executions of `vshrs` so far.
    pub draws: u32,
    pub tag: i32,
    /// Step the last tag was consumed in.
    pub tag_step: Option<u64>,
    pub awake: bool,
    pub counts: Vec<AddressCounts>,
    pub saturated: u64,
    /// Steps the block ran in.
    pub steps: u64,
    /// Cycles it computed.
    pub cycles: u64,
    /// Active axons it consumed, tags not counted.
    pub events: u64,
    arrived: bool,
    pub records: Vec<StepRecord>,
    pub sends: Vec<SendRecord>,
}

/// What of the chip a block must know.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    pub lanes: usize,
    pub vector_length: usize,
    pub dispatch_cycles: u32,
}

/// Registers and lists that a thread uses for one block after the other.
pub(crate) struct Scratch {
    vectors: Vectors,
    events: Vec<u32>,
}

impl Scratch {
    pub fn new(vector_length: usize) -> Self {
        Scratch { vectors: Vectors::new(vector_length), events: Vec::new() }
    }
}

/// A loop that is running: body `start..end`.
#[derive(Clone, Copy, Default)]
struct Loop {
    start: usize,
    end: usize,
    /// What is left to do; see [`Over`].
    left: u32,
    over: Over,
}

/// What a loop runs over.
#[derive(Clone, Copy, Default)]
enum Over {
    /// A count: `left` iterations after this one.
    #[default]
    Count,
    /// The active set: `left` is the next event. Registers of axon and payload.
    Events(u8, u8),
    /// A predicate: `left` is the first bit to look at. Registers of index and predicate.
    Set(u8, u8),
}

impl Block {
    pub fn new(image: &onward_image::Block, number: u32, program: Arc<Decoded>, seed: u64) -> Self {
        let addresses = program.code.len();
        Block {
            number,
            tile: image.tile.0,
            program,
            entry: image.entry,
            tagged: image.tagged,
            inlets: Vec::new(),
            seed: random::block_seed(seed, number),
            memory: std::array::from_fn(|at| Bank::new(image.memory_bytes[at] as usize, &image.contents[at])),
            active: vec![0; (image.axons as usize).div_ceil(64) + 1],
            payloads: None,
            draws: 0,
            tag: 0,
            tag_step: None,
            awake: false,
            counts: vec![AddressCounts::default(); addresses],
            saturated: 0,
            steps: 0,
            cycles: 0,
            events: 0,
            arrived: false,
            records: Vec::new(),
            sends: Vec::new(),
        }
    }

    /// Makes room for payloads, once it is known that some packets are graded or that handlers read payloads.
    pub fn take_payloads(&mut self, axons: usize) {
        self.payloads = Some(vec![0; axons]);
    }

    /// Runs the block's part of a chunk. `others` are the outlets it reads from, `own` those of its routes.
    #[inline(always)]
    pub fn run_chunk(
        &mut self,
        first_step: u64,
        steps: usize,
        others: &[Outlet],
        own: &mut [Outlet],
        limits: Limits,
        scratch: &mut Scratch,
    ) -> Result<(), Fault> {
        if !self.awake && self.inlets.iter().all(|inlet| !others[inlet.outlet].any()) {
            return Ok(());
        }
        for slot in 0..steps {
            if self.collect_from(slot, |outlet| &others[outlet]) {
                self.run_slot(first_step, slot, own, limits, scratch)?;
            }
        }
        Ok(())
    }

    /// Forgets the records of the last chunk.
    pub fn begin_chunk(&mut self) {
        self.records.clear();
        self.sends.clear();
    }

    /// Reads what arrived for a step into the active set. Returns whether the block runs in it.
    #[inline(always)]
    pub fn collect_from<'a>(&mut self, slot: usize, outlet: impl Fn(usize) -> &'a Outlet) -> bool {
        self.arrived = false;
        for inlet in &self.inlets {
            let outlet = outlet(inlet.outlet);
            if outlet.count(slot) == 0 {
                continue;
            }
            self.arrived = true;
            let bits = outlet.bits(slot);
            or_shifted(&mut self.active, bits, inlet.first_axon);
            if let Some(payloads) = &mut self.payloads {
                let values = outlet.payloads(slot);
                for (at, &word) in bits.iter().enumerate() {
                    let mut word = word;
                    while word != 0 {
                        let index = at * 64 + word.trailing_zeros() as usize;
                        payloads[inlet.first_axon + index] = values.map_or(1, |values| values[index]);
                        word &= word - 1;
                    }
                }
            }
        }
        self.arrived || self.awake
    }

    /// Runs one step on the active set that [`Block::collect_from`] made.
    #[inline(always)]
    pub fn run_slot(
        &mut self,
        first_step: u64,
        slot: usize,
        own: &mut [Outlet],
        limits: Limits,
        scratch: &mut Scratch,
    ) -> Result<(), Fault> {
        let step = first_step + slot as u64;
        if self.tagged && self.active[0] & 1 != 0 {
            self.tag = self.payloads.as_ref().map_or(1, |payloads| payloads[0]);
            self.tag_step = Some(step);
            self.active[0] &= !1;
        }
        scratch.events.clear();
        if self.arrived {
            for (at, word) in self.active.iter_mut().enumerate() {
                let mut bits = std::mem::take(word);
                while bits != 0 {
                    scratch.events.push((at * 64) as u32 + bits.trailing_zeros());
                    bits &= bits - 1;
                }
            }
        }
        self.events += scratch.events.len() as u64;
        self.steps += 1;
        let first_send = self.sends.len() as u32;
        let tail = self.interpret(step, slot + 1, own, limits, scratch)?;
        let sends = (first_send, self.sends.len() as u32);
        self.records.push(StepRecord { step: slot as u32, sends, tail });
        if self.arrived && let Some(payloads) = &mut self.payloads {
            payloads[0] = 0;
            for &axon in &scratch.events {
                payloads[axon as usize] = 0;
            }
        }
        Ok(())
    }

    fn special(&self, number: i32, step: u64, events: usize) -> i32 {
        const NEVER: u64 = i32::MAX as u64;
        match number {
            0 => (step & NEVER) as i32,
            1 => self.tag_step.map_or(NEVER, |tag| (step - tag).min(NEVER)) as i32,
            2 => self.number as i32,
            3 => self.tag,
            4 => self.tag & 3,
            5 => self.tag >> 2 & 1,
            6 => self.tag >> 8 & 0xffff,
            _ => events as i32,
        }
    }

    /// Runs from the entry to the end of the step. Returns the cycles since the last send.
    #[inline(always)]
    fn interpret(
        &mut self,
        step: u64,
        slot: usize,
        own: &mut [Outlet],
        limits: Limits,
        scratch: &mut Scratch,
    ) -> Result<u32, Fault> {
        let program = Arc::clone(&self.program);
        let code = &program.code[..];
        let v = &mut scratch.vectors;
        v.clear();
        let events = &scratch.events[..];
        let mut r = [0i32; 16];
        let mut loops = [Loop::default(); 4];
        let mut depth = 0;
        let mut row = 0i64;
        let mut beats = 1u32;
        let mut cycles = limits.dispatch_cycles;
        let mut total = 0u64;
        let mut saturated = 0u64;
        let mut executed = 0u64;
        let mut pc = self.entry as usize;

        macro_rules! stop {
            ($kind:expr) => {{
                let instruction = code.get(pc).and_then(|code| code.instruction);
                return Err(Fault {
                    step,
                    block: self.number,
                    tile: self.tile,
                    address: pc as u32,
                    instruction: instruction.map_or("?".into(), |instruction| instruction.to_string()),
                    kind: $kind,
                });
            }};
        }
        macro_rules! checked {
            ($result:expr) => {
                match $result {
                    Ok(value) => value,
                    Err(kind) => stop!(kind),
                }
            };
        }
        macro_rules! refused {
            ($result:expr, $route:expr) => {
                match $result {
                    Ok(value) => value,
                    Err(Refused::Second(index)) => stop!(FaultKind::SecondPacket { index }),
                    Err(Refused::Index(index)) => stop!(FaultKind::PacketIndex {
                        index: i64::from(index),
                        available: own[$route].indices() as u32
                    }),
                }
            };
        }

        loop {
            if pc >= code.len() {
                pc = code.len() - 1;
                stop!(FaultKind::NoInstruction);
            }
            if code[pc].ends_loop {
                let mut again = false;
                while depth > 0 && loops[depth - 1].end == pc {
                    let inner = &mut loops[depth - 1];
                    match inner.over {
                        Over::Events(axon, payload) if (inner.left as usize) < events.len() => {
                            let number = events[inner.left as usize];
                            r[usize::from(axon)] = number as i32;
                            r[usize::from(payload)] = self.payload_of(number);
                            r[0] = 0;
                            inner.left += 1;
                            again = true;
                        }
                        Over::Count if inner.left > 0 => {
                            inner.left -= 1;
                            again = true;
                        }
                        Over::Set(index, predicate) => match v.next_set(predicate, inner.left) {
                            Some(bit) => {
                                r[usize::from(index)] = bit as i32;
                                r[0] = 0;
                                inner.left = bit + 1;
                                again = true;
                            }
                            None => depth -= 1,
                        },
                        _ => depth -= 1,
                    }
                    if again {
                        pc = loops[depth - 1].start;
                        break;
                    }
                }
                if again {
                    // The body may begin where another loop ends: look again.
                    continue;
                }
            }
            let Some(Instruction { op, d, a, b, c, imm, space, width }) = code[pc].instruction else {
                stop!(FaultKind::NoInstruction)
            };
            let cost = code[pc].cost;
            cycles += cost.fixed + cost.beats * beats + cost.elements * (v.length as u32).max(1);
            self.counts[pc].executed += 1;
            executed += 1;
            if executed > ENDLESS {
                stop!(FaultKind::Endless);
            }
            let (ra, rb) = (r[usize::from(a & 15)], r[usize::from(b & 15)]);
            let length = v.length;

            macro_rules! scalar {
                ($value:expr) => {{
                    r[usize::from(d)] = $value;
                    r[0] = 0;
                }};
            }
            macro_rules! scalar_saturated {
                ($value:expr) => {{
                    let (value, over) = $value;
                    saturated += u64::from(over);
                    scalar!(value)
                }};
            }
            macro_rules! vector {
                ($count:expr) => {{
                    self.counts[pc].elements += length as u64;
                    saturated += u64::from($count);
                }};
            }
            macro_rules! branch {
                ($taken:expr) => {
                    if $taken {
                        cycles += u32::from(op != Op::Jmp);
                        let target = pc as i64 + i64::from(imm);
                        if target < 0 || target >= code.len() as i64 {
                            stop!(FaultKind::NoInstruction);
                        }
                        pc = target as usize;
                        while depth > 0 && !(loops[depth - 1].start..=loops[depth - 1].end).contains(&pc) {
                            depth -= 1;
                        }
                        continue;
                    }
                };
            }
            // First element of a memory operand, checked for `count` elements.
            macro_rules! at {
                ($base:expr, $count:expr) => {
                    checked!(self.locate(space, width, $base, $count))
                };
            }

            match op {
                Op::Nop => {}
                Op::Sleep | Op::Stay => {
                    self.awake = op == Op::Stay;
                    break;
                }
                Op::Jmp => branch!(true),
                Op::Beq => branch!(r[usize::from(d)] == ra),
                Op::Bne => branch!(r[usize::from(d)] != ra),
                Op::Blt => branch!(r[usize::from(d)] < ra),
                Op::Bge => branch!(r[usize::from(d)] >= ra),
                Op::Loop | Op::Foreach | Op::Forset => {
                    let end = pc as i64 + i64::from(imm);
                    let first_bit = if op == Op::Forset { v.next_set(a, 0) } else { None };
                    let (runs, left, over) = match op {
                        Op::Loop => (r[usize::from(d)] > 0, r[usize::from(d)].wrapping_sub(1) as u32, Over::Count),
                        Op::Foreach => (!events.is_empty(), 1, Over::Events(d, a)),
                        _ => (first_bit.is_some(), first_bit.map_or(0, |bit| bit + 1), Over::Set(d, a)),
                    };
                    if end <= pc as i64 || end >= code.len() as i64 {
                        stop!(FaultKind::NoInstruction);
                    }
                    if !runs || end == pc as i64 + 1 {
                        // Skipping the body (an empty one always) is a jump to its end: it may leave loops as any does.
                        while depth > 0 && !(loops[depth - 1].start..=loops[depth - 1].end).contains(&(end as usize)) {
                            depth -= 1;
                        }
                        pc = end as usize;
                        continue;
                    }
                    if depth == 4 {
                        stop!(FaultKind::LoopDepth);
                    }
                    if let Some(at) = code[pc].event_loop {
                        let event_loop = &program.event_loops[usize::from(at)];
                        let payload = events.last().map_or(0, |&event| self.payload_of(event));
                        if event_loop.run(events, payload, &mut self.memory, v, &mut r, row) {
                            let count = events.len() as u64;
                            for (counts, code) in self.counts[pc + 1..event_loop.end].iter_mut().zip(&code[pc + 1..]) {
                                counts.executed += count;
                                cycles += count as u32 * (code.cost.fixed + code.cost.beats * beats);
                            }
                            self.counts[pc + 1].elements += count * length as u64;
                            executed += count;
                            pc = event_loop.end;
                            continue;
                        }
                    }
                    if op == Op::Foreach {
                        let number = events[0];
                        scalar!(number as i32);
                        r[usize::from(a)] = self.payload_of(number);
                        r[0] = 0;
                    } else if let Some(bit) = first_bit {
                        scalar!(bit as i32);
                    }
                    loops[depth] = Loop { start: pc + 1, end: end as usize, left, over };
                    depth += 1;
                }
                Op::Special => scalar!(self.special(imm, step, events.len())),
                Op::Setvl => {
                    let wanted = i64::from(ra) + i64::from(imm);
                    if wanted < 0 || wanted > limits.vector_length as i64 {
                        stop!(FaultKind::Length { length: wanted, max: limits.vector_length as i64 });
                    }
                    v.length = wanted as usize;
                    beats = (wanted as usize).div_ceil(limits.lanes).max(1) as u32;
                }
                Op::Setrow => {
                    row = i64::from(ra) + i64::from(imm);
                    if !(0..=i64::from(i32::MAX)).contains(&row) {
                        stop!(FaultKind::Length { length: row, max: i64::from(i32::MAX) });
                    }
                }
                Op::Add => scalar_saturated!(vector::add(ra, rb)),
                Op::Sub => scalar_saturated!(vector::sub(ra, rb)),
                Op::Mul => scalar_saturated!(vector::mul(ra, rb)),
                Op::And => scalar!(ra & rb),
                Op::Or => scalar!(ra | rb),
                Op::Xor => scalar!(ra ^ rb),
                Op::Shr => scalar_saturated!(shift(ra, rb)),
                Op::Min => scalar!(ra.min(rb)),
                Op::Max => scalar!(ra.max(rb)),
                Op::Addi => scalar_saturated!(vector::add(ra, imm)),
                Op::Shri => scalar_saturated!(shift(ra, imm)),
                Op::Andi => scalar!(ra & imm),
                Op::Ori => scalar!(ra | imm),
                Op::Lui => scalar!(((imm as u32) << 16) as i32),
                Op::Ld => {
                    let at = at!(i64::from(ra) + i64::from(imm), 1);
                    scalar!(match space {
                        Space::Event => self.payload(at),
                        _ => self.memory[space as usize].get(width, at),
                    });
                }
                Op::St => {
                    let at = at!(i64::from(ra) + i64::from(imm), 1);
                    let (value, over) = narrow(r[usize::from(d)], width);
                    saturated += u64::from(over);
                    self.memory[space as usize].set(width, at, value);
                }
                Op::Addm => {
                    let at = at!(i64::from(ra) + i64::from(imm), 1);
                    let bank = &mut self.memory[space as usize];
                    let sum = i64::from(bank.get(width, at)) + i64::from(r[usize::from(d)]);
                    let (min, max) = width.range();
                    let value = sum.clamp(i64::from(min), i64::from(max));
                    saturated += u64::from(value != sum);
                    bank.set(width, at, value as i32);
                }
                Op::Vld | Op::Vldr | Op::Vacc | Op::Vaccr => {
                    let base = i64::from(ra) + i64::from(imm);
                    let base = if matches!(op, Op::Vldr | Op::Vaccr) { base.saturating_mul(row) } else { base };
                    let at = at!(base, length);
                    self.counts[pc].elements += length as u64;
                    let out = v.write(d);
                    if matches!(op, Op::Vld | Op::Vldr) {
                        self.load(space, width, at, out, |_, value| (value, 0));
                    } else {
                        saturated += u64::from(self.load(space, width, at, out, vector::add));
                    }
                }
                Op::Vst | Op::Vstr => {
                    let base = i64::from(ra) + i64::from(imm);
                    let base = if op == Op::Vstr { base.saturating_mul(row) } else { base };
                    let at = at!(base, length);
                    self.counts[pc].elements += length as u64;
                    saturated += u64::from(store(&mut self.memory[space as usize], width, at, v.read(d)));
                }
                Op::Vlds => {
                    let stride = i64::from(r[usize::from(c)]);
                    self.counts[pc].elements += length as u64;
                    let out = v.write(d);
                    for (i, out) in out.iter_mut().enumerate() {
                        let at = at!(i64::from(ra) + i64::from(imm) + i as i64 * stride, 1);
                        *out = match space {
                            Space::Event => self.payload(at),
                            _ => self.memory[space as usize].get(width, at),
                        };
                    }
                }
                Op::Vsts => {
                    let stride = i64::from(r[usize::from(c)]);
                    self.counts[pc].elements += length as u64;
                    for (i, &value) in v.read(d).iter().enumerate() {
                        let at = at!(i64::from(ra) + i64::from(imm) + i as i64 * stride, 1);
                        let (value, over) = narrow(value, width);
                        saturated += u64::from(over);
                        self.memory[space as usize].set(width, at, value);
                    }
                }
                Op::Vlut => {
                    let entries = r[usize::from(c)];
                    if entries < 1 {
                        stop!(FaultKind::EmptyTable);
                    }
                    self.counts[pc].elements += length as u64;
                    v.unary(d, a, |index| (index.clamp(0, entries - 1), 0));
                    for out in v.write(d).iter_mut() {
                        let at = at!(i64::from(rb) + i64::from(*out), 1);
                        *out = match space {
                            Space::Event => self.payload(at),
                            _ => self.memory[space as usize].get(width, at),
                        };
                    }
                }
                Op::Vadd => vector!(v.ternary(d, a, b, |_, a, b| vector::add(a, b))),
                Op::Vsub => vector!(v.ternary(d, a, b, |_, a, b| vector::sub(a, b))),
                Op::Vmul => vector!(v.ternary(d, a, b, |_, a, b| vector::mul(a, b))),
                Op::Vmac => vector!(v.ternary(d, a, b, vector::mac)),
                Op::Vmin => vector!(v.ternary(d, a, b, |_, a, b| (a.min(b), 0))),
                Op::Vmax => vector!(v.ternary(d, a, b, |_, a, b| (a.max(b), 0))),
                Op::Vadds => vector!(v.unary(d, a, |a| vector::add(a, rb))),
                Op::Vsubs => vector!(v.unary(d, a, |a| vector::sub(a, rb))),
                Op::Vmuls => vector!(v.unary(d, a, |a| vector::mul(a, rb))),
                // What adds nothing leaves the vector as it is.
                Op::Vmacs if rb == 0 => vector!(0u32),
                Op::Vmacs => vector!(v.accumulate(d, a, |d, a| vector::mac(d, a, rb))),
                Op::Vmins => vector!(v.unary(d, a, |a| (a.min(rb), 0))),
                Op::Vmaxs => vector!(v.unary(d, a, |a| (a.max(rb), 0))),
                Op::Vshr | Op::Vshrn | Op::Vshrs => {
                    let key = random::key(self.seed, self.draws);
                    self.draws = self.draws.wrapping_add(u32::from(op == Op::Vshrs));
                    let amount = rb.clamp(-31, 31);
                    vector!(match op {
                        _ if amount < 0 => v.unary(d, a, |a| vector::shift_left(a, -amount as u32)),
                        Op::Vshr => v.unary(d, a, |a| (a >> amount, 0)),
                        _ if amount == 0 => v.unary(d, a, |a| (a, 0)),
                        Op::Vshrn => v.unary(d, a, |a| ((a >> amount) + (a >> (amount - 1) & 1), 0)),
                        _ => {
                            v.shift_random(d, a, amount as u32, key);
                            0
                        }
                    });
                }
                Op::Vmv => {
                    self.counts[pc].elements += length as u64;
                    v.write(d).fill(ra);
                }
                Op::Vidx => {
                    self.counts[pc].elements += length as u64;
                    for (i, out) in v.write(d).iter_mut().enumerate() {
                        *out = i as i32;
                    }
                }
                Op::Vext | Op::Vins => {
                    if rb < 0 || rb as usize >= length {
                        stop!(FaultKind::Element { index: rb, length: length as u32 });
                    }
                    if op == Op::Vext {
                        scalar!(v.read(a)[rb as usize]);
                    } else {
                        v.write(d)[rb as usize] = ra;
                    }
                }
                Op::Vcge | Op::Vclt | Op::Vceq => {
                    self.counts[pc].elements += length as u64;
                    match op {
                        Op::Vcge => v.compare(d, a, b, |a, b| a >= b),
                        Op::Vclt => v.compare(d, a, b, |a, b| a < b),
                        _ => v.compare(d, a, b, |a, b| a == b),
                    }
                }
                Op::Vcges | Op::Vclts | Op::Vceqs => {
                    self.counts[pc].elements += length as u64;
                    match op {
                        Op::Vcges => v.compare(d, a, a, |a, _| a >= rb),
                        Op::Vclts => v.compare(d, a, a, |a, _| a < rb),
                        _ => v.compare(d, a, a, |a, _| a == rb),
                    }
                }
                Op::Pand | Op::Por | Op::Pnot => {
                    for at in 0..v.predicates[0].len() {
                        let (pa, pb) = (v.predicates[usize::from(a)][at], v.predicates[usize::from(b)][at]);
                        let below = length.saturating_sub(at * 64).min(64);
                        v.predicates[usize::from(d)][at] = match op {
                            Op::Pand => pa & pb,
                            Op::Por => pa | pb,
                            _ => !pa & if below == 64 { u64::MAX } else { (1 << below) - 1 },
                        };
                    }
                }
                Op::Pcount => scalar!(v.masked(a).map(|word| word.count_ones()).sum::<u32>() as i32),
                Op::Vsel => vector!(v.select(d, a, b, c, |p, a, b| (if p { a } else { b }, 0))),
                Op::Vsels => vector!(v.select(d, a, a, c, |p, a, _| (if p { a } else { rb }, 0))),
                Op::Vaddp => vector!(v.select(d, a, a, c, |p, a, _| vector::add(a, if p { rb } else { 0 }))),
                Op::Vsum => {
                    self.counts[pc].elements += length as u64;
                    let sum = v.read(a).iter().map(|&a| i64::from(a)).sum();
                    scalar_saturated!(vector::clamp(sum));
                }
                Op::Vrmax => {
                    self.counts[pc].elements += length as u64;
                    scalar!(v.read(a).iter().copied().max().unwrap_or(i32::MIN));
                }
                Op::Vrmin => {
                    self.counts[pc].elements += length as u64;
                    scalar!(v.read(a).iter().copied().min().unwrap_or(i32::MAX));
                }
                Op::Vimax => {
                    self.counts[pc].elements += length as u64;
                    let a = v.read(a);
                    let max = a.iter().copied().max();
                    scalar!(max.and_then(|max| a.iter().position(|&a| a == max)).map_or(-1, |at| at as i32));
                }
                Op::Vdot => {
                    self.counts[pc].elements += length as u64;
                    scalar_saturated!(vector::clamp(v.dot(a, b)));
                }
                Op::Spike | Op::Send | Op::Vsend => {
                    let route = imm as usize;
                    let Some(outlet) = own.get_mut(route) else {
                        stop!(FaultKind::Route { route: imm as u32, available: own.len() as u32 });
                    };
                    let packets = match op {
                        Op::Spike if !program.is_graded(route) => {
                            refused!(outlet.send_spikes(slot, v.masked(a)), route)
                        }
                        Op::Send => {
                            if ra < 0 {
                                let available = outlet.indices() as u32;
                                stop!(FaultKind::PacketIndex { index: i64::from(ra), available });
                            }
                            refused!(outlet.send(slot, ra as u32, rb), route);
                            1
                        }
                        _ => {
                            let predicate = if op == Op::Spike { a } else { b };
                            let mut packets = 0;
                            for index in 0..length {
                                if v.predicates[usize::from(predicate)][index / 64] >> (index % 64) & 1 != 0 {
                                    let payload = if op == Op::Spike { 1 } else { v.read(a)[index] };
                                    refused!(outlet.send(slot, index as u32, payload), route);
                                    packets += 1;
                                }
                            }
                            packets
                        }
                    };
                    self.counts[pc].elements += u64::from(packets);
                    if packets > 0 {
                        self.sends.push(SendRecord { gap: cycles, packets, route: imm as u32 });
                        total += u64::from(cycles);
                        cycles = 0;
                    }
                }
            }
            pc += 1;
        }
        self.saturated += saturated;
        self.cycles += total + u64::from(cycles);
        Ok(cycles)
    }

    /// The payload of an active axon.
    #[inline(always)]
    fn payload_of(&self, axon: u32) -> i32 {
        self.payloads.as_ref().map_or(1, |payloads| payloads[axon as usize])
    }

    /// The payload of an axon in this step, 0 if it is inactive.
    #[inline(always)]
    fn payload(&self, axon: usize) -> i32 {
        self.payloads.as_ref().map_or(0, |payloads| payloads[axon])
    }

    /// Checks that `count` elements from `first` lie in a memory.
    #[inline(always)]
    fn locate(&self, space: Space, width: Width, first: i64, count: usize) -> Result<usize, FaultKind> {
        let available = match space {
            Space::Event => self.payloads.as_ref().map_or(0, Vec::len),
            _ => self.memory[space as usize].elements(width),
        };
        if first < 0 || first.saturating_add(count as i64) > available as i64 {
            let (count, available) = (count as u64, available as u64);
            return Err(FaultKind::Address { space, first, count, available });
        }
        Ok(first as usize)
    }

    /// `out[i] = f(out[i], memory[at + i])`; returns how many were saturated.
    #[inline(always)]
    fn load(&self, space: Space, width: Width, at: usize, out: &mut [i32], f: impl Fn(i32, i32) -> (i32, u32)) -> u32 {
        let length = out.len();
        let mut saturated = 0;
        let mut put = |out: &mut i32, value: i32| {
            let (value, over) = f(*out, value);
            *out = value;
            saturated += over;
        };
        if space == Space::Event {
            let payloads = self.payloads.as_ref().map_or(&[][..], |payloads| &payloads[at..at + length]);
            for (out, &value) in out.iter_mut().zip(payloads) {
                put(out, value);
            }
            return saturated;
        }
        let bank = &self.memory[space as usize];
        match width {
            Width::W4 => {
                for (i, out) in out.iter_mut().enumerate() {
                    put(out, bank.get(width, at + i));
                }
            }
            Width::W8 => {
                for (out, &value) in out.iter_mut().zip(&bank.as_slice::<i8>()[at..at + length]) {
                    put(out, i32::from(value));
                }
            }
            Width::W16 => {
                for (out, &value) in out.iter_mut().zip(&bank.as_slice::<i16>()[at..at + length]) {
                    put(out, i32::from(value));
                }
            }
            Width::W32 => {
                for (out, &value) in out.iter_mut().zip(&bank.as_slice::<i32>()[at..at + length]) {
                    put(out, value);
                }
            }
        }
        saturated
    }
}

/// A value saturated to a width, and whether it was.
#[inline(always)]
fn narrow(value: i32, width: Width) -> (i32, u32) {
    let (min, max) = width.range();
    let narrow = value.clamp(min, max);
    (narrow, u32::from(narrow != value))
}

/// `value / 2^amount` rounded down, or shifted left and saturated if the amount is negative.
#[inline(always)]
fn shift(value: i32, amount: i32) -> (i32, u32) {
    match amount.clamp(-31, 31) {
        amount if amount < 0 => vector::shift_left(value, -amount as u32),
        amount => (value >> amount, 0),
    }
}

/// Stores elements, each saturated; returns how many were.
#[inline(always)]
fn store(bank: &mut Bank, width: Width, at: usize, values: &[i32]) -> u32 {
    let mut saturated = 0;
    let mut put = |value| {
        let (value, over) = narrow(value, width);
        saturated += over;
        value
    };
    match width {
        Width::W4 => {
            for (i, &value) in values.iter().enumerate() {
                bank.set(width, at + i, put(value));
            }
        }
        Width::W8 => {
            for (out, &value) in bank.as_mut_slice::<i8>()[at..at + values.len()].iter_mut().zip(values) {
                *out = put(value) as i8;
            }
        }
        Width::W16 => {
            for (out, &value) in bank.as_mut_slice::<i16>()[at..at + values.len()].iter_mut().zip(values) {
                *out = put(value) as i16;
            }
        }
        Width::W32 => bank.as_mut_slice::<i32>()[at..at + values.len()].copy_from_slice(values),
    }
    saturated
}
