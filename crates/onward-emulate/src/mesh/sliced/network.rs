//! The state of the routers in all lanes, and what a cycle makes of it.

use super::circuit::{Circuit, Want};
use super::word::Word;

/// An input buffer in all lanes. Its entries are filled from the first on, which is the head.
#[derive(Clone, Debug)]
struct Buffer {
    router: usize,
    /// Filled entries.
    filled: Vec<Word>,
    /// Class of each entry behind the head, bit by bit.
    codes: Vec<Word>,
    bits: usize,
    /// Class of the head, a word a class; empty if there is only one.
    head: Vec<Word>,
    /// By want: whether the head still wants it.
    requests: Vec<Word>,
    /// By want, the classes that want it; empty: all.
    wanted_by: Vec<Vec<usize>>,
    /// What arrives, by cycle modulo the flight: who, and class bit by bit.
    arrivals: Vec<Word>,
    /// Whether all entries were filled at the start of the cycle.
    full: Word,
    /// By entry, whether it was ever filled.
    seen: Vec<Word>,
    /// The output that fills it.
    feeder: Option<usize>,
}

/// An output in all lanes.
#[derive(Clone, Debug)]
struct Output {
    candidates: Vec<(usize, usize)>,
    /// By candidate: whether it is the first one at or after the round-robin pointer. Empty if there is only one.
    first: Vec<Word>,
    next: Option<usize>,
    /// By candidate and bit of the class behind it, the classes that set it.
    next_bits: Vec<Vec<Vec<usize>>>,
    /// How many credits are left, at least one, two, ...: only where links take time, else a buffer says if it is full.
    credits: Vec<Word>,
    /// Credits on their way back, by cycle modulo the flight.
    returning: Vec<Word>,
}

/// A router in all lanes.
#[derive(Clone, Debug)]
struct Router {
    buffers: std::ops::Range<usize>,
    outputs: std::ops::Range<usize>,
    /// The first cycle in which, for all that is known, it has nothing to do.
    active_until: u64,
    /// Whether it holds a flit in any lane.
    holds: bool,
    /// Whether its buffers may still say that they are full, from the cycle in which the last flit left.
    stale: bool,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Network {
    buffers: Vec<Buffer>,
    outputs: Vec<Output>,
    routers: Vec<Router>,
    flight: usize,
    /// Cycles so far.
    cycle: u64,
    /// Lanes with flits under way, and with credits under way, by the cycle modulo the flight in which they arrive; and
    /// those with flits that arrive in the next cycle from a sender.
    flying: Vec<Word>,
    returning: Vec<Word>,
    entering: Word,
    /// Lanes with anything that moves, and with anything that moves or credits under way, in the last cycle.
    moved: Word,
    unsettled: Word,
    /// Kept for its memory.
    code: Vec<Word>,
}

/// Lanes that became quiet in a cycle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quiet {
    /// No flit moves any more, nor is one on offer.
    pub came_to_rest: Word,
    /// All credits are back too.
    pub settled: Word,
}

impl Network {
    pub fn new(circuit: &Circuit, depth: usize, flight: usize) -> Network {
        let buffers = circuit.buffers.iter().map(|of| Buffer {
            router: of.router,
            filled: vec![Word::NONE; depth],
            codes: vec![Word::NONE; (depth - 1) * of.bits],
            bits: of.bits,
            head: vec![Word::NONE; if of.classes > 1 { of.classes } else { 0 }],
            requests: vec![Word::NONE; of.wants.len()],
            wanted_by: of.wants.iter().map(|want| want.classes.clone()).collect(),
            arrivals: vec![Word::NONE; (1 + of.bits) * if of.feeder.is_some() { flight } else { 1 }],
            full: Word::NONE,
            seen: vec![Word::NONE; depth],
            feeder: of.feeder,
        });
        let outputs = circuit.outputs.iter().map(|of| {
            let want = |&(buffer, want): &(usize, usize)| -> &Want { &circuit.buffers[buffer].wants[want] };
            let counts = of.next.is_some() && flight > 1;
            let several = if of.candidates.len() > 1 { of.candidates.len() } else { 0 };
            let mut first = vec![Word::NONE; several];
            if let Some(first) = first.first_mut() {
                *first = !Word::NONE;
            }
            Output {
                candidates: of.candidates.clone(),
                first,
                next: of.next,
                next_bits: of.candidates.iter().map(|candidate| want(candidate).next_bits.clone()).collect(),
                credits: vec![!Word::NONE; if counts { depth } else { 0 }],
                returning: vec![Word::NONE; if counts { flight } else { 0 }],
            }
        });
        let router = |of: &super::circuit::Node| Router {
            buffers: of.buffers.clone(),
            outputs: of.outputs.clone(),
            active_until: 0,
            holds: false,
            stale: false,
        };
        Network {
            buffers: buffers.collect(),
            outputs: outputs.collect(),
            routers: circuit.routers.iter().map(router).collect(),
            flight,
            cycle: 0,
            flying: vec![Word::NONE; flight],
            returning: vec![Word::NONE; flight],
            entering: Word::NONE,
            moved: Word::NONE,
            unsettled: Word::NONE,
            code: Vec::new(),
        }
    }

    /// Whether a buffer had no room at the start of the cycle.
    #[inline(always)]
    pub fn full(&self, buffer: usize) -> Word {
        self.buffers[buffer].full
    }

    /// The most flits a buffer ever held.
    pub fn highest_occupancy(&self, buffer: usize) -> u16 {
        self.buffers[buffer].seen.iter().filter(|seen| seen.any()).count() as u16
    }

    pub fn clear_occupancy(&mut self) {
        for buffer in &mut self.buffers {
            buffer.seen.fill(Word::NONE);
        }
    }

    /// A sender's flits, which are in its buffer from the next cycle on.
    #[inline(always)]
    pub fn enter(&mut self, buffer: usize, lanes: Word, class: &[Word]) {
        let to = &mut self.buffers[buffer];
        to.arrivals[0] |= lanes;
        for (bit, &class) in class.iter().enumerate() {
            to.arrivals[1 + bit] |= class & lanes;
        }
        self.entering |= lanes;
        let router = &mut self.routers[to.router];
        router.active_until = router.active_until.max(self.cycle + 2);
    }

    /// First half of a cycle: flits and credits arrive.
    #[inline(always)]
    pub fn receive(&mut self) {
        let slot = (self.cycle % self.flight as u64) as usize;
        for router in 0..self.routers.len() {
            let Router { buffers, outputs, active_until, holds, stale } = &mut self.routers[router];
            if *active_until <= self.cycle && !*holds {
                if std::mem::take(stale) {
                    self.buffers[buffers.clone()].iter_mut().for_each(|buffer| buffer.full = Word::NONE);
                }
                continue;
            }
            *stale = true;
            for buffer in &mut self.buffers[buffers.clone()] {
                buffer.receive(slot);
            }
            if self.flight > 1 {
                for output in &mut self.outputs[outputs.clone()] {
                    output.take_back(slot);
                }
            }
        }
        self.flying[slot] = Word::NONE;
        self.returning[slot] = Word::NONE;
    }

    /// Second half: outputs are granted, flits leave. `offers`: lanes in which a sender offers.
    #[inline(always)]
    pub fn arbitrate(&mut self, offers: Word) -> Quiet {
        let mut moving = std::mem::take(&mut self.entering) | offers;
        for router in 0..self.routers.len() {
            if self.routers[router].active_until <= self.cycle && !self.routers[router].holds {
                continue;
            }
            for output in self.routers[router].outputs.clone() {
                self.grant(output);
            }
            let mut held = Word::NONE;
            for buffer in self.routers[router].buffers.clone() {
                held |= self.leave(buffer);
            }
            self.routers[router].holds = held.any();
            moving |= held;
        }
        self.cycle += 1;
        moving = self.flying.iter().fold(moving, |all, &lanes| all | lanes);
        let unsettled = self.returning.iter().fold(moving, |all, &lanes| all | lanes);
        let quiet = Quiet { came_to_rest: self.moved & !moving, settled: self.unsettled & !unsettled };
        self.moved = moving;
        self.unsettled = unsettled;
        quiet
    }

    /// Grants an output, and sends what is granted on its way.
    #[inline(always)]
    fn grant(&mut self, at: usize) {
        let output = &mut self.outputs[at];
        let ready = match output.next {
            None => !Word::NONE,
            Some(next) if self.flight == 1 => !self.buffers[next].full,
            Some(_) => output.credits[0],
        };
        let mut all = Word::NONE;
        self.code.clear();
        if let Some(next) = output.next {
            self.code.resize(self.buffers[next].bits, Word::NONE);
        }
        let mut granted = [Word::NONE; MOST_CANDIDATES];
        let granted = &mut granted[..output.candidates.len()];
        match output.candidates[..] {
            [(buffer, want)] => granted[0] = self.buffers[buffer].requests[want] & ready,
            [(one, its), (other, others)] => {
                let a = self.buffers[one].requests[its] & ready;
                let b = self.buffers[other].requests[others] & ready;
                let first = output.first[0];
                granted[0] = a & (first | !b);
                granted[1] = b & !(granted[0]);
                output.first[0] = (first & !granted[0]) | granted[1];
            }
            _ => {
                let mut requests = [Word::NONE; MOST_CANDIDATES];
                for (request, &(buffer, want)) in requests.iter_mut().zip(&output.candidates) {
                    *request = self.buffers[buffer].requests[want] & ready;
                }
                round_robin(&requests[..granted.len()], &mut output.first, granted);
            }
        }
        for ((&(buffer, want), &granted), next_bits) in output.candidates.iter().zip(&*granted).zip(&output.next_bits) {
            let from = &mut self.buffers[buffer];
            from.requests[want] &= !granted;
            all |= granted;
            for (code, setters) in self.code.iter_mut().zip(next_bits) {
                if from.head.is_empty() {
                    *code |= if setters.is_empty() { Word::NONE } else { granted };
                } else {
                    let set = setters.iter().fold(Word::NONE, |any, &class| any | from.head[class]);
                    *code |= set & granted;
                }
            }
        }
        let Some(next) = output.next else { return };
        // What leaves now arrives when the ring has gone round once.
        let slot = (self.cycle % self.flight as u64) as usize;
        if self.flight > 1 {
            for credit in 0..output.credits.len() {
                let more = output.credits.get(credit + 1).copied().unwrap_or(Word::NONE);
                output.credits[credit] = (output.credits[credit] & !all) | (more & all);
            }
        }
        let to = &mut self.buffers[next];
        let first = slot * (1 + to.bits);
        to.arrivals[first] = all;
        to.arrivals[first + 1..first + 1 + to.bits].copy_from_slice(&self.code);
        self.flying[slot] |= all;
        let router = &mut self.routers[to.router];
        if all.any() {
            router.active_until = router.active_until.max(self.cycle + self.flight as u64 + 1);
        }
    }

    /// Lets the heads leave that have been granted all they wanted. Returns the lanes in which flits are left.
    #[inline(always)]
    fn leave(&mut self, at: usize) -> Word {
        let buffer = &mut self.buffers[at];
        let wanting = buffer.requests.iter().fold(Word::NONE, |any, &request| any | request);
        let leaving = buffer.filled[0] & !wanting;
        if !leaving.any() {
            return buffer.filled[0];
        }
        buffer.pop(leaving);
        if self.flight > 1
            && let Some(feeder) = buffer.feeder
        {
            let slot = (self.cycle % self.flight as u64) as usize;
            self.outputs[feeder].returning[slot] |= leaving;
            self.returning[slot] |= leaving;
            let router = self.output_router(feeder);
            let until = self.cycle + self.flight as u64 + 1;
            self.routers[router].active_until = self.routers[router].active_until.max(until);
        }
        self.buffers[at].filled[0]
    }

    fn output_router(&self, output: usize) -> usize {
        self.routers.partition_point(|router| router.outputs.end <= output)
    }

    /// Sets the round robin of a lane back to its start, for its next step.
    pub fn restart(&mut self, lanes: Word) {
        for output in &mut self.outputs {
            for (at, first) in output.first.iter_mut().enumerate() {
                *first = if at == 0 { *first | lanes } else { *first & !lanes };
            }
        }
    }
}

/// Inputs of a router at most.
const MOST_CANDIDATES: usize = 8;

/// Grants each lane's request that is the first at or after the pointer; the pointer goes to the one after it.
#[inline(always)]
fn round_robin(requests: &[Word], first: &mut [Word], granted: &mut [Word]) {
    let count = requests.len();
    for (start, &starts_here) in first.iter().enumerate() {
        let mut left = starts_here;
        for distance in 0..count {
            let at = (start + distance) % count;
            granted[at] |= left & requests[at];
            left &= !requests[at];
        }
    }
    let any = granted.iter().fold(Word::NONE, |any, &granted| any | granted);
    for at in 0..count {
        first[at] = (first[at] & !any) | granted[(at + count - 1) % count];
    }
}

impl Buffer {
    /// What arrives in a cycle goes behind what is there.
    #[inline(always)]
    fn receive(&mut self, slot: usize) {
        let first = if self.feeder.is_some() { slot * (1 + self.bits) } else { 0 };
        let mut arriving = self.arrivals[first];
        if arriving.any() {
            let depth = self.filled.len();
            for entry in 0..depth {
                let before = self.filled[entry];
                let here = arriving & !before;
                self.filled[entry] |= here;
                self.seen[entry] |= here;
                if entry == 0 {
                    let code: [Word; MOST_BITS] =
                        std::array::from_fn(
                            |bit| if bit < self.bits { self.arrivals[first + 1 + bit] } else { Word::NONE },
                        );
                    self.become_head(here, &code);
                } else {
                    for bit in 0..self.bits {
                        self.codes[(entry - 1) * self.bits + bit] |= here & self.arrivals[first + 1 + bit];
                    }
                }
                arriving &= before;
                if !arriving.any() {
                    break;
                }
            }
            debug_assert!(!arriving.any(), "a flit without room");
            self.arrivals[first..first + 1 + self.bits].fill(Word::NONE);
        }
        self.full = self.filled[self.filled.len() - 1];
    }

    /// In these lanes flits of these classes are the new heads.
    #[inline(always)]
    fn become_head(&mut self, lanes: Word, code: &[Word; MOST_BITS]) {
        for (class, head) in self.head.iter_mut().enumerate() {
            let mut is_it = lanes;
            for (bit, &code) in code[..self.bits].iter().enumerate() {
                is_it &= if class >> bit & 1 == 1 { code } else { !code };
            }
            *head = (*head & !lanes) | is_it;
        }
        for (request, classes) in self.requests.iter_mut().zip(&self.wanted_by) {
            *request |= if classes.is_empty() {
                lanes
            } else {
                lanes & classes.iter().fold(Word::NONE, |any, &class| any | self.head[class])
            };
        }
    }

    /// The head leaves, all behind it move up.
    #[inline(always)]
    fn pop(&mut self, leaving: Word) {
        let depth = self.filled.len();
        let next_head = if depth > 1 { leaving & self.filled[1] } else { Word::NONE };
        for entry in 0..depth {
            let behind = if entry + 1 < depth { self.filled[entry + 1] } else { Word::NONE };
            self.filled[entry] &= !leaving | behind;
        }
        let code: [Word; MOST_BITS] =
            std::array::from_fn(|bit| if bit < self.bits && depth > 1 { self.codes[bit] } else { Word::NONE });
        if next_head.any() {
            self.become_head(next_head, &code);
        }
        for at in 0..self.codes.len() {
            let behind = self.codes.get(at + self.bits).copied().unwrap_or(Word::NONE);
            self.codes[at] = (self.codes[at] & !leaving) | (behind & leaving);
        }
    }
}

/// Bits of a class at most.
const MOST_BITS: usize = 6;

impl Output {
    /// Credits that come back.
    #[inline(always)]
    fn take_back(&mut self, slot: usize) {
        let Some(returned) = self.returning.get_mut(slot) else { return };
        let mut back = std::mem::replace(returned, Word::NONE);
        for credit in &mut self.credits {
            let before = *credit;
            *credit |= back;
            back &= before;
        }
    }
}
