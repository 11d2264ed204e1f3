//! The state of the routers in all lanes, and what a cycle makes of it.

use super::super::usage::INPUTS;
use super::circuit::{self, BufferIndex, Candidate, Circuit, Feeder, LinkIndex, NodeIndex, OutputIndex};
use super::ways::Link;
use super::word::Word;
use onward_image::indices;
use std::ops::Range;
use typed_index_collections::TiVec;

/// An input buffer in all lanes. Its entries are filled from the first on, which is the head.
#[derive(Clone, Debug)]
struct Buffer {
    router: NodeIndex,
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
    /// What arrives, by cycle modulo the flight of the link that leads here: who, and class bit by bit.
    arrivals: Vec<Word>,
    /// Whether all entries were filled at the start of the cycle.
    full: Word,
    /// By entry, whether it was ever filled.
    seen: Vec<Word>,
    /// What fills it.
    feeder: Option<Feeder>,
}

/// An output in all lanes.
#[derive(Clone, Debug)]
struct Output {
    candidates: Vec<Candidate>,
    /// By candidate: whether it is the first one at or after the round-robin pointer. Empty if there is only one.
    first: Vec<Word>,
    /// By candidate and bit of the class behind it, the classes that set it.
    next_bits: Vec<Vec<Vec<usize>>>,
    /// What is behind it; nothing if an endpoint is.
    channels: Vec<Channel>,
    /// Its link's kind.
    link: LinkIndex,
    /// Where a link does not carry a flit in every cycle.
    pace: Option<Pace>,
}

/// A virtual channel behind an output.
#[derive(Clone, Debug)]
struct Channel {
    /// The buffer.
    next: BufferIndex,
    /// How many credits are left, at least one, two, ...: only where links take time, else a buffer says if it is full.
    credits: Vec<Word>,
    /// Credits on their way back, by cycle modulo the flight.
    returning: Vec<Word>,
}

/// When a link was last used.
#[derive(Clone, Debug)]
struct Pace {
    /// Lanes in which it may not yet be granted again.
    busy: Word,
    /// Those in which it was granted, by cycle modulo the spacing.
    recent: Vec<Word>,
}

/// Links of one kind: what is under way on them.
#[derive(Clone, Debug)]
struct Ring {
    link: Link,
    /// The cycle modulo the flight.
    slot: usize,
    /// The cycle modulo the spacing.
    beat: usize,
    /// Lanes with flits under way, and with credits under way, by the slot in which they arrive.
    flying: Vec<Word>,
    returning: Vec<Word>,
}

/// A router in all lanes.
#[derive(Clone, Debug)]
struct Router {
    buffers: Range<BufferIndex>,
    outputs: Range<OutputIndex>,
    /// The first cycle in which, for all that is known, it has nothing to do.
    active_until: u64,
    /// Whether it holds a flit in any lane.
    holds: bool,
    /// Whether it is in the list of those that are looked at.
    listed: bool,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Network {
    buffers: TiVec<BufferIndex, Buffer>,
    outputs: TiVec<OutputIndex, Output>,
    routers: TiVec<NodeIndex, Router>,
    /// Those that are looked at: what has had nothing to do for a cycle is not in it.
    listed: Vec<NodeIndex>,
    /// Outputs with several inputs to choose from.
    choosing: Vec<OutputIndex>,
    /// By kind of links.
    rings: TiVec<LinkIndex, Ring>,
    /// Whether any link takes time, so that credits are counted.
    counts: bool,
    /// Outputs with a [`Pace`].
    paced: Vec<OutputIndex>,
    /// Cycles so far.
    cycle: u64,
    /// Lanes with flits that arrive in the next cycle from a sender.
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
    pub fn new(circuit: &Circuit, depth: usize) -> Network {
        let outputs: TiVec<OutputIndex, Output> =
            circuit.outputs.iter().map(|output| Output::new(circuit, output, depth)).collect();
        let router = |node: &circuit::Node| Router {
            buffers: node.buffers.clone(),
            outputs: node.outputs.clone(),
            active_until: 0,
            holds: false,
            listed: false,
        };
        let ring = |&link: &Link| Ring {
            link,
            slot: 0,
            beat: 0,
            flying: vec![Word::NONE; link.flight],
            returning: vec![Word::NONE; link.flight],
        };
        Network {
            buffers: circuit.buffers.iter().map(|buffer| Buffer::new(circuit, buffer, depth)).collect(),
            listed: Vec::new(),
            choosing: outputs.keys().filter(|&output| !outputs[output].first.is_empty()).collect(),
            paced: outputs.keys().filter(|&output| outputs[output].pace.is_some()).collect(),
            outputs,
            routers: circuit.routers.iter().map(router).collect(),
            rings: circuit.links.iter().map(ring).collect(),
            counts: circuit.links.iter().any(|link| link.flight > 1),
            cycle: 0,
            entering: Word::NONE,
            moved: Word::NONE,
            unsettled: Word::NONE,
            code: Vec::new(),
        }
    }

    /// Whether a buffer had no room at the start of the cycle.
    #[inline(always)]
    pub fn full(&self, buffer: BufferIndex) -> Word {
        self.buffers[buffer].full
    }

    /// The most flits a buffer ever held.
    pub fn highest_occupancy(&self, buffer: BufferIndex) -> u16 {
        self.buffers[buffer].seen.iter().filter(|seen| seen.any()).count() as u16
    }

    pub fn clear_occupancy(&mut self) {
        for buffer in &mut self.buffers {
            buffer.seen.fill(Word::NONE);
        }
    }

    /// A sender's flits, which are in its buffer from the next cycle on.
    #[inline(always)]
    pub fn enter(&mut self, buffer: BufferIndex, lanes: Word, class: &[Word]) {
        let to = &mut self.buffers[buffer];
        to.arrivals[0] |= lanes;
        for (bit, &class) in class.iter().enumerate() {
            to.arrivals[1 + bit] |= class & lanes;
        }
        self.entering |= lanes;
        let router = to.router;
        self.wake(router, self.cycle + 2);
    }

    /// Lets a router be looked at in the cycles before `until`.
    #[inline(always)]
    fn wake(&mut self, router: NodeIndex, until: u64) {
        let Router { active_until, listed, .. } = &mut self.routers[router];
        *active_until = (*active_until).max(until);
        if !std::mem::replace(listed, true) {
            self.listed.push(router);
        }
    }

    /// First half of a cycle: flits and credits arrive.
    #[inline(always)]
    pub fn receive(&mut self) {
        for ring in &mut self.rings {
            ring.turn();
        }
        let mut at = 0;
        while let Some(&router) = self.listed.get(at) {
            let Router { buffers, outputs, active_until, holds, listed } = &mut self.routers[router];
            if *active_until <= self.cycle && !*holds {
                // The last flit left a cycle ago, when a buffer may have been full.
                self.buffers[buffers.clone()].iter_mut().for_each(|buffer| buffer.full = Word::NONE);
                *listed = false;
                self.listed.swap_remove(at);
                continue;
            }
            at += 1;
            for buffer in &mut self.buffers[buffers.clone()] {
                buffer.receive(buffer.feeder.map_or(0, |feeder| self.rings[feeder.link].slot));
            }
            if self.counts {
                for output in &mut self.outputs[outputs.clone()] {
                    let slot = self.rings[output.link].slot;
                    output.channels.iter_mut().for_each(|channel| channel.take_back(slot));
                }
            }
        }
    }

    /// Second half: outputs are granted, flits leave. `offers`: lanes in which a sender offers.
    #[inline(always)]
    pub fn arbitrate(&mut self, offers: Word) -> Quiet {
        let mut moving = std::mem::take(&mut self.entering) | offers;
        // Those that are woken meanwhile have nothing to do before the next cycle.
        for at in 0..self.listed.len() {
            let router = self.listed[at];
            for output in indices(self.routers[router].outputs.clone()) {
                if self.outputs[output].channels.len() > 1 {
                    self.grant::<MOST_CHANNELS>(router, output);
                } else {
                    self.grant::<1>(router, output);
                }
            }
            let mut held = Word::NONE;
            for buffer in indices(self.routers[router].buffers.clone()) {
                held |= self.leave(buffer);
            }
            self.routers[router].holds = held.any();
            moving |= held;
        }
        self.cycle += 1;
        let mut unsettled = Word::NONE;
        for ring in &self.rings {
            moving = ring.flying.iter().fold(moving, |all, &lanes| all | lanes);
            unsettled = ring.returning.iter().fold(unsettled, |all, &lanes| all | lanes);
        }
        for pace in self.paced.iter().filter_map(|&output| self.outputs[output].pace.as_ref()) {
            unsettled |= pace.busy;
        }
        unsettled |= moving;
        let quiet = Quiet { came_to_rest: self.moved & !moving, settled: self.unsettled & !unsettled };
        self.moved = moving;
        self.unsettled = unsettled;
        quiet
    }

    /// Grants an output of a router, with so many channels at most, and sends what is granted on its way.
    #[inline(always)]
    fn grant<const CHANNELS: usize>(&mut self, router: NodeIndex, at: OutputIndex) {
        let output = &mut self.outputs[at];
        let mut ready = [!Word::NONE; CHANNELS];
        for (ready, channel) in ready.iter_mut().zip(&output.channels) {
            *ready = channel.credits.first().copied().unwrap_or(!self.buffers[channel.next].full);
        }
        if let Some(pace) = &mut output.pace {
            let free = pace.free(self.rings[output.link].beat);
            ready.iter_mut().for_each(|ready| *ready &= free);
        }
        let mut granted = [Word::NONE; MOST_CANDIDATES];
        let granted = &mut granted[..output.candidates.len()];
        let request = |candidate: &Candidate| {
            self.buffers[candidate.buffer].requests[candidate.want] & ready[candidate.channel % CHANNELS]
        };
        match &output.candidates[..] {
            [only] => granted[0] = request(only),
            [one, other] => {
                let (a, b) = (request(one), request(other));
                let first = output.first[0];
                granted[0] = a & (first | !b);
                granted[1] = b & !(granted[0]);
                output.first[0] = (first & !granted[0]) | granted[1];
            }
            candidates => {
                let mut requests = [Word::NONE; MOST_CANDIDATES];
                for (to, candidate) in requests.iter_mut().zip(candidates) {
                    *to = request(candidate);
                }
                round_robin(&requests[..granted.len()], &mut output.first, granted);
            }
        }
        for (candidate, &granted) in output.candidates.iter().zip(&*granted) {
            self.buffers[candidate.buffer].requests[candidate.want] &= !granted;
        }
        if let Some(pace) = &mut output.pace {
            let Link { flight: _, spacing } = self.rings[output.link].link;
            let all = granted.iter().fold(Word::NONE, |all, &granted| all | granted);
            pace.grant(self.rings[output.link].beat, all);
            if all.any() {
                self.wake(router, self.cycle + spacing as u64 + 1);
            }
        }
        for channel in 0..self.outputs[at].channels.len() {
            self.send::<CHANNELS>(at, channel, granted);
        }
    }

    /// Sends what was granted, and goes into a channel, on its way.
    #[inline(always)]
    fn send<const CHANNELS: usize>(&mut self, at: OutputIndex, number: usize, granted: &[Word]) {
        let output = &mut self.outputs[at];
        let channel = &mut output.channels[number];
        let ring = &mut self.rings[output.link];
        self.code.clear();
        self.code.resize(self.buffers[channel.next].bits, Word::NONE);
        let mut all = Word::NONE;
        for ((candidate, &granted), next_bits) in output.candidates.iter().zip(granted).zip(&output.next_bits) {
            if CHANNELS > 1 && candidate.channel != number {
                continue;
            }
            all |= granted;
            let from = &self.buffers[candidate.buffer];
            for (code, setters) in self.code.iter_mut().zip(next_bits) {
                if from.head.is_empty() {
                    *code |= if setters.is_empty() { Word::NONE } else { granted };
                } else {
                    let set = setters.iter().fold(Word::NONE, |any, &class| any | from.head[class]);
                    *code |= set & granted;
                }
            }
        }
        for credit in 0..channel.credits.len() {
            let more = channel.credits.get(credit + 1).copied().unwrap_or(Word::NONE);
            channel.credits[credit] = (channel.credits[credit] & !all) | (more & all);
        }
        // What leaves now arrives when the ring has gone round once.
        let to = &mut self.buffers[channel.next];
        let first = ring.slot * (1 + to.bits);
        to.arrivals[first] = all;
        to.arrivals[first + 1..first + 1 + to.bits].copy_from_slice(&self.code);
        ring.flying[ring.slot] |= all;
        let (router, until) = (to.router, self.cycle + ring.link.flight as u64 + 1);
        if all.any() {
            self.wake(router, until);
        }
    }

    /// Lets the heads leave that have been granted all they wanted. Returns the lanes in which flits are left.
    #[inline(always)]
    fn leave(&mut self, at: BufferIndex) -> Word {
        let buffer = &mut self.buffers[at];
        let wanting = buffer.requests.iter().fold(Word::NONE, |any, &request| any | request);
        let leaving = buffer.filled[0] & !wanting;
        if !leaving.any() {
            return buffer.filled[0];
        }
        buffer.pop(leaving);
        if let Some(Feeder { output, channel, link }) = buffer.feeder
            && self.rings[link].link.flight > 1
        {
            let ring = &mut self.rings[link];
            self.outputs[output].channels[channel].returning[ring.slot] |= leaving;
            ring.returning[ring.slot] |= leaving;
            let until = self.cycle + ring.link.flight as u64 + 1;
            let router = self.output_router(output);
            self.wake(router, until);
        }
        self.buffers[at].filled[0]
    }

    fn output_router(&self, output: OutputIndex) -> NodeIndex {
        self.routers.partition_point(|router| router.outputs.end <= output)
    }

    /// Sets the round robin of a lane back to its start, for its next step.
    pub fn restart(&mut self, lanes: Word) {
        for &output in &self.choosing {
            for (at, first) in self.outputs[output].first.iter_mut().enumerate() {
                *first = if at == 0 { *first | lanes } else { *first & !lanes };
            }
        }
    }
}

/// Inputs of a router at most.
const MOST_CANDIDATES: usize = INPUTS;
/// Channels of a link at most.
const MOST_CHANNELS: usize = 2;

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
    fn new(circuit: &Circuit, buffer: &circuit::Buffer, depth: usize) -> Buffer {
        let flight = buffer.feeder.map_or(1, |feeder| circuit.links[feeder.link].flight);
        Buffer {
            router: buffer.router,
            filled: vec![Word::NONE; depth],
            codes: vec![Word::NONE; (depth - 1) * buffer.bits],
            bits: buffer.bits,
            head: vec![Word::NONE; if buffer.classes > 1 { buffer.classes } else { 0 }],
            requests: vec![Word::NONE; buffer.wants.len()],
            wanted_by: buffer.wants.iter().map(|want| want.classes.clone()).collect(),
            arrivals: vec![Word::NONE; (1 + buffer.bits) * flight],
            full: Word::NONE,
            seen: vec![Word::NONE; depth],
            feeder: buffer.feeder,
        }
    }

    /// What arrives in a cycle goes behind what is there.
    #[inline(always)]
    fn receive(&mut self, slot: usize) {
        let first = slot * (1 + self.bits);
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
    fn new(circuit: &Circuit, output: &circuit::Output, depth: usize) -> Output {
        let link = circuit.links[output.link];
        let mut first = vec![Word::NONE; if output.candidates.len() > 1 { output.candidates.len() } else { 0 }];
        if let Some(first) = first.first_mut() {
            *first = !Word::NONE;
        }
        let next_bits =
            |candidate: &Candidate| circuit.buffers[candidate.buffer].wants[candidate.want].next_bits.clone();
        let counts = link.flight > 1;
        let channel = |&next: &BufferIndex| Channel {
            next,
            credits: vec![!Word::NONE; if counts { depth } else { 0 }],
            returning: vec![Word::NONE; if counts { link.flight } else { 0 }],
        };
        let is_paced = link.spacing > 1 && !output.channels.is_empty();
        Output {
            candidates: output.candidates.clone(),
            first,
            next_bits: output.candidates.iter().map(next_bits).collect(),
            channels: output.channels.iter().map(channel).collect(),
            link: output.link,
            pace: is_paced.then(|| Pace { busy: Word::NONE, recent: vec![Word::NONE; link.spacing] }),
        }
    }
}

impl Channel {
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

impl Pace {
    /// Lanes in which the link may be granted; what was granted a spacing ago is over.
    #[inline(always)]
    fn free(&mut self, beat: usize) -> Word {
        let over = std::mem::replace(&mut self.recent[beat], Word::NONE);
        self.busy &= !over;
        !self.busy
    }

    #[inline(always)]
    fn grant(&mut self, beat: usize, lanes: Word) {
        self.recent[beat] = lanes;
        self.busy |= lanes;
    }
}

impl Ring {
    /// Goes on to a cycle, in which what is in its slot arrives.
    #[inline(always)]
    fn turn(&mut self) {
        self.slot = if self.slot + 1 < self.link.flight { self.slot + 1 } else { 0 };
        self.beat = if self.beat + 1 < self.link.spacing { self.beat + 1 } else { 0 };
        self.flying[self.slot] = Word::NONE;
        self.returning[self.slot] = Word::NONE;
    }
}
