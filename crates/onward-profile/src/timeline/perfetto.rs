//! Steps as a trace for Perfetto (<https://ui.perfetto.dev>): a track a core and a track a link, in its protobuf format.
//!
//! Numbers of fields are those of `protos/perfetto/trace/trace_packet.proto` and the files beside it. A nanosecond of the trace is a
//! cycle of the chip.

use super::links::LinkTable;
use crate::protobuf::Message;
use onward_emulate::{SenderStep, StepLog, StepRecord};
use onward_image::{Endpoint, Image};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::RangeInclusive;

// Fields of a trace, of its packets, and of what is in these.
const TRACE_PACKET: u64 = 1;
const TIMESTAMP: u64 = 8;
const SEQUENCE: u64 = 10;
const TRACK_EVENT: u64 = 11;
const INTERNED_DATA: u64 = 12;
const SEQUENCE_FLAGS: u64 = 13;
const DEFAULTS: u64 = 59;
const TRACK_DESCRIPTOR: u64 = 60;
const EVENT_NAMES: u64 = 2;
const EVENT_TYPE: u64 = 9;
const EVENT_NAME_NUMBER: u64 = 10;
const EVENT_TRACK: u64 = 11;
const EVENT_NAME: u64 = 23;
const EVENT_VALUE: u64 = 30;

// Values of `TrackEvent.type`.
const SLICE_BEGIN: u64 = 1;
const SLICE_END: u64 = 2;
const COUNTER: u64 = 4;

/// Bits of `sequence_flags`: what is known of the sequence begins here; is needed.
const BEGINS: u64 = 1;
const GOES_ON: u64 = 2;

/// What a core does, in the order in which its slices of a step are drawn.
const STATES: [&str; 4] = ["computing", "sending", "stalled", "waiting"];

/// The number of the track of steps, of those that cores and links lie below, and of the first of the others.
const STEPS: u64 = 1;
const CORES: u64 = 2;
const LINKS: u64 = 3;
const FIRST: u64 = 16;

/// Writes a trace of steps as they come; what it holds in memory does not grow.
///
/// Within a step the cycles of a core are put together by what they were: it computes, then sends, is stalled, and waits.
pub struct PerfettoLog<W> {
    out: W,
    /// What went wrong first; nothing is written behind it.
    error: Option<io::Error>,
    /// The steps that are written, and the next one.
    range: RangeInclusive<u64>,
    next: u64,
    /// The cycle in which it begins.
    cycle: u64,
    /// Track of each sender.
    tracks: BTreeMap<Endpoint, u64>,
    table: LinkTable,
    /// Track of the first link, and what each link carried in the step before.
    first_link: u64,
    carried: Vec<u64>,
}

impl<W: Write> PerfettoLog<W> {
    /// A trace of these steps of runs of an image, counted from the first that it is told of.
    pub fn new(image: &Image, range: RangeInclusive<u64>, out: W) -> PerfettoLog<W> {
        let mut cores: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        for block in &image.blocks {
            let name = &image.population(block).name;
            let held = cores.entry(block.core.0).or_default();
            if !held.contains(name) {
                held.push(name.clone());
            }
        }
        let table = LinkTable::new(image);
        let host = Endpoint::Host(image.host_port);
        let endpoints = cores.keys().map(|&core| Endpoint::Core(onward_image::Core(core))).chain([host]);
        let tracks: BTreeMap<Endpoint, u64> = endpoints.zip(FIRST..).collect();
        let (first_link, carried) = (FIRST + tracks.len() as u64, vec![0; table.links.len()]);
        let mut log = PerfettoLog { out, error: None, range, next: 0, cycle: 0, tracks, table, first_link, carried };
        log.begin(image, &cores);
        log
    }

    /// The steps that were written.
    pub fn steps(&self) -> u64 {
        self.next.min(self.range.end().saturating_add(1)).saturating_sub(*self.range.start())
    }

    /// Has all that was told so far written, and shows where.
    ///
    /// # Errors
    /// Something could not be written.
    pub fn flush(&mut self) -> io::Result<&W> {
        match self.error.take() {
            Some(error) => Err(error),
            None => self.out.flush().map(|()| &self.out),
        }
    }

    /// Writes what tracks there are.
    fn begin(&mut self, image: &Image, cores: &BTreeMap<u32, Vec<String>>) {
        let process = |track: u64, name: &str| {
            let process = Message::default().with(1, track).with_text(6, name);
            Message::default().with(1, track).with_message(3, process)
        };
        let name = &image.network.name;
        self.describe(process(CORES, &format!("{name}: cores (1 ns is a cycle)")));
        self.describe(process(LINKS, &format!("{name}: links (flits in a step)")));
        self.describe(Message::default().with(1, STEPS).with_text(2, "steps").with(5, CORES));
        self.name_states(STEPS);
        for (endpoint, track) in self.tracks.clone() {
            let name = match endpoint {
                Endpoint::Core(core) => {
                    format!("core {}: {}", core.0, cores.get(&core.0).map(|held| held.join(", ")).unwrap_or_default())
                }
                Endpoint::Host(_) => "host".to_owned(),
            };
            self.describe(Message::default().with(1, track).with_text(2, &name).with(5, CORES));
            self.name_states(track);
        }
        for link in 0..self.table.links.len() {
            let (track, name) = (self.first_link + link as u64, self.table.links[link].name());
            let counter = Message::default().with_text(6, "flits");
            self.describe(
                Message::default().with(1, track).with_text(2, &name).with(5, LINKS).with_message(8, counter),
            );
            self.name_states(track);
        }
    }

    fn describe(&mut self, descriptor: Message) {
        self.packet(Message::default().with(SEQUENCE, STEPS).with_message(TRACK_DESCRIPTOR, descriptor));
    }

    /// Begins a sequence of packets, whose events are of a track where they name none.
    fn name_states(&mut self, track: u64) {
        let mut names = Message::default();
        for (number, name) in (1..).zip(STATES.iter().chain(&["barrier"])) {
            names.message(EVENT_NAMES, Message::default().with(1, number).with_text(2, name));
        }
        let event = Message::default().with(EVENT_TRACK, track);
        let defaults = Message::default().with_message(TRACK_EVENT, event);
        let begins = Message::default().with(SEQUENCE, track).with(SEQUENCE_FLAGS, BEGINS);
        self.packet(begins.with_message(INTERNED_DATA, names).with_message(DEFAULTS, defaults));
    }

    fn event(&mut self, track: u64, cycle: u64, event: Message) {
        let mut packet = Message::default();
        packet.number(TIMESTAMP, cycle); // which may be 0
        let packet = packet.with(SEQUENCE, track).with(SEQUENCE_FLAGS, GOES_ON);
        self.packet(packet.with_message(TRACK_EVENT, event));
    }

    fn packet(&mut self, packet: Message) {
        if self.error.is_none() {
            let bytes = Message::default().with_message(TRACE_PACKET, packet).into_bytes();
            self.error = self.out.write_all(&bytes).err();
        }
    }

    /// A slice with the name of a number.
    fn slice(&mut self, track: u64, from: u64, cycles: u64, name: u64) {
        if cycles > 0 {
            self.event(track, from, Message::default().with(EVENT_TYPE, SLICE_BEGIN).with(EVENT_NAME_NUMBER, name));
            self.event(track, from + cycles, Message::default().with(EVENT_TYPE, SLICE_END));
        }
    }

    fn write(&mut self, number: u64, step: &StepRecord) {
        let (begin, whole) = (self.cycle, step.cycles + step.barrier_cycles);
        let name = Message::default().with(EVENT_TYPE, SLICE_BEGIN).with_text(EVENT_NAME, &format!("step {number}"));
        self.event(STEPS, begin, name);
        self.slice(STEPS, begin + step.cycles, step.barrier_cycles, 1 + STATES.len() as u64);
        self.event(STEPS, begin + whole, Message::default().with(EVENT_TYPE, SLICE_END));
        for sender in &step.senders {
            let Some(&track) = self.tracks.get(&sender.endpoint) else { continue };
            let SenderStep { computing, sending, stalled, .. } = *sender;
            // A host that sends nothing is not waiting.
            let waiting = if sender.done() > 0 { step.cycles - sender.done() } else { 0 };
            let mut from = begin;
            for (cycles, name) in [computing, sending, stalled, waiting].into_iter().zip(1..) {
                self.slice(track, from, cycles, name);
                from += cycles;
            }
        }
        let mut flits = vec![0; self.carried.len()];
        for &(source, packets) in &step.packets {
            self.table.of(source).iter().for_each(|&(link, each)| flits[link] += each * packets);
        }
        self.count_links(begin, flits);
        if number == *self.range.end() {
            self.count_links(begin + whole, vec![0; self.carried.len()]);
        }
    }

    /// Says what links carry from a cycle on, where that changes.
    fn count_links(&mut self, cycle: u64, flits: Vec<u64>) {
        for (link, &value) in flits.iter().enumerate() {
            if self.carried[link] != value {
                // A 0 must be there too, so it cannot be left out as `with` does.
                let mut event = Message::default().with(EVENT_TYPE, COUNTER);
                event.number(EVENT_VALUE, value);
                self.event(self.first_link + link as u64, cycle, event);
            }
        }
        self.carried = flits;
    }
}

impl<W: Write + Send> StepLog for PerfettoLog<W> {
    fn step(&mut self, step: &StepRecord) {
        let number = self.next;
        if self.range.contains(&number) {
            self.write(number, step);
        }
        self.cycle += step.cycles + step.barrier_cycles;
        self.next += 1;
    }
}
