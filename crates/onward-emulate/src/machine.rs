//! A chip with an image loaded: runs steps, takes inputs, gives outputs.

use crate::awake::Groups;
use crate::counters::{BlockCounters, Counters, TimingTotals};
use crate::fast::{Block, Chunk, Decoded, Inlet, Limits, Outlet, Scratch, run_chunk, run_slot};
use crate::fault::Fault;
use crate::host_simd::Simd;
use crate::mesh::MeshError;
use crate::schedule::{Group, levels};
use crate::timing::Timing;
use onward_image::{Delivery, Image, Symbol};
use onward_isa::{Space, Width};
use rayon::prelude::*;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// How a machine is run. Nothing here changes an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The run's seed; with the blocks' logical numbers it seeds their generators.
    pub seed: u64,
    /// Whether cycles are kept (`--timing cycle`) or left out.
    pub timing: bool,
    /// Host threads, at least 1.
    pub threads: usize,
}

/// Why a machine cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    /// The mesh of the image is not one.
    #[error("the image's routes do not fit its chip: {0}")]
    Mesh(#[from] MeshError),
    /// No threads.
    #[error("host threads cannot be started: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// The image contradicts itself.
    #[error("the image is damaged: {0}")]
    Image(String),
}

/// A packet that reached the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Output {
    /// Step it was sent in.
    pub step: u64,
    /// Block that sent it; `None` for the host itself.
    pub sender: Option<u32>,
    /// Its index.
    pub index: u32,
    /// Its payload.
    pub payload: i32,
}

/// What the host sends over the steps of a chunk, one buffer an input of the image.
///
/// What is put into a step is sent in that step and consumed in the next.
pub struct Inputs<'a> {
    outlets: &'a mut [Outlet],
    steps: usize,
}

impl Inputs<'_> {
    /// Steps of the chunk.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Sends a packet with a payload.
    ///
    /// # Panics
    /// If the step or the input does not exist, the index is not the input's or was sent before in the step, or the
    /// input carries spikes and the payload is not 1.
    pub fn send(&mut self, input: usize, step: usize, index: u32, payload: i32) {
        let outlet = &mut self.outlets[input];
        assert!(payload == 1 || outlet.is_graded(), "this input carries spikes");
        outlet.send(step + 1, index, payload).expect("an index of the input, once a step");
    }

    /// Sends a spike for each set bit; `bits` has a bit for each index of the input, lowest first.
    ///
    /// # Panics
    /// If the step or the input does not exist, `bits` is too short, or a bit is no index or was sent before.
    pub fn spikes(&mut self, input: usize, step: usize, bits: &[u64]) {
        let outlet = &mut self.outlets[input];
        if outlet.is_graded() {
            for index in (0..64 * bits.len()).filter(|index| bits[index / 64] >> (index % 64) & 1 == 1) {
                outlet.send(step + 1, index as u32, 1).expect("an index of the input, once a step");
            }
            return;
        }
        outlet.send_spikes(step + 1, bits.iter().copied()).expect("an index of the input, once a step");
    }
}

/// A chip with an image loaded.
pub struct Machine {
    /// In the order they run.
    blocks: Vec<Block>,
    /// For each logical number, the place in `blocks`.
    place: Vec<usize>,
    /// For each place, its outlets; the host's come first of all.
    outlet_ranges: Vec<Range<usize>>,
    outlets: Vec<Outlet>,
    host_inputs: usize,
    /// Who runs when.
    groups: Groups,
    programs: Vec<Decoded>,
    /// Outlets the host takes.
    to_host: Vec<(usize, Option<u32>)>,
    limits: Limits,
    simd: Simd,
    pool: rayon::ThreadPool,
    /// One a thread.
    scratches: Vec<Mutex<Scratch>>,
    /// Behind a lock because steps that wait to be timed are timed when someone asks how long they took.
    timing: Option<Mutex<Timing>>,
    step: u64,
    configuration_bits: u64,
    symbols: Vec<Vec<Symbol>>,
}

/// A part of a level that one thread runs.
struct Task<'a> {
    blocks: &'a mut [Block],
    outlets: &'a mut [Outlet],
    /// Place of the first block and number of the first outlet.
    first: (usize, usize),
    recurrent: bool,
}

impl Machine {
    /// Loads an image.
    ///
    /// # Errors
    /// The image's routes do not fit its mesh, or threads cannot be started.
    pub fn new(image: &Image, options: Options) -> Result<Machine, MachineError> {
        Machine::load(image, options, |block| image.blocks[block].contents.clone())
    }

    /// Loads an image and leaves the contents of memories out of it, which are large: see [`Image::take_contents`].
    ///
    /// # Errors
    /// As [`Machine::new`].
    pub fn taking(image: &mut Image, options: Options) -> Result<Machine, MachineError> {
        image.check().map_err(MachineError::Image)?;
        let mut contents = image.take_contents();
        Machine::load(image, options, |block| std::mem::take(&mut contents[block]))
    }

    fn load(
        image: &Image,
        options: Options,
        mut contents: impl FnMut(usize) -> [Vec<u8>; 3],
    ) -> Result<Machine, MachineError> {
        image.check().map_err(MachineError::Image)?;
        let programs: Vec<Decoded> =
            image.programs.iter().map(|program| Decoded::new(&program.words, &image.chip)).collect();
        let takers = |route: &onward_image::Route| {
            let flits = route.flits.iter().flat_map(|flit| flit.deliveries.clone());
            flits
                .filter_map(|d| if let Delivery::Block { block, .. } = d { Some(block) } else { None })
                .collect::<Vec<_>>()
        };
        let edges = image
            .blocks
            .iter()
            .enumerate()
            .flat_map(|(from, block)| block.routes.iter().flat_map(takers).map(move |to| (from as u32, to)));
        let groups: Vec<Vec<Group>> = levels(image.blocks.len() as u32, edges);

        let mut machine = Machine {
            blocks: Vec::new(),
            place: vec![0; image.blocks.len()],
            outlet_ranges: Vec::new(),
            outlets: Vec::new(),
            host_inputs: image.host_inputs.len(),
            groups: Groups::default(),
            programs,
            to_host: Vec::new(),
            limits: Limits {
                lanes: usize::from(image.chip.core.lanes),
                vector_length: usize::from(image.chip.core.vector_length),
                dispatch_cycles: u32::from(image.chip.core.dispatch_cycles),
            },
            simd: Simd::detect(),
            pool: rayon::ThreadPoolBuilder::new().num_threads(options.threads.max(1)).build()?,
            scratches: (0..options.threads.max(1))
                .map(|_| Mutex::new(Scratch::new(usize::from(image.chip.core.vector_length))))
                .collect(),
            timing: match options.timing {
                true => Some(Mutex::new(Timing::new(image, options.threads.max(1))?)),
                false => None,
            },
            step: 0,
            configuration_bits: 0,
            symbols: image.blocks.iter().map(|block| block.symbols.clone()).collect(),
        };
        for input in &image.host_inputs {
            machine.outlets.push(Outlet::new(input.route.indices as usize, input.kind.is_graded()));
        }
        for level in &groups {
            machine.groups.push_level();
            for group in level {
                let first = machine.blocks.len();
                for &number in &group.blocks {
                    let block = &image.blocks[number as usize];
                    let program = &machine.programs[block.program as usize];
                    let first_outlet = machine.outlets.len();
                    for (at, route) in block.routes.iter().enumerate() {
                        machine.outlets.push(Outlet::new(route.indices as usize, program.is_graded(at)));
                    }
                    machine.place[number as usize] = machine.blocks.len();
                    machine.outlet_ranges.push(first_outlet..machine.outlets.len());
                    let contents = contents(number as usize);
                    let addresses = program.code.len() - 1; // not the one behind the last
                    let mut made = Block::new(block, contents, number, addresses, options.seed);
                    made.draws = image.learned.draws.get(number as usize).copied().unwrap_or(0);
                    machine.blocks.push(made);
                }
                machine.groups.push(first..machine.blocks.len(), group.recurrent);
            }
        }
        machine.connect(image);
        Ok(machine)
    }

    /// Gives each block its inlets.
    fn connect(&mut self, image: &Image) {
        let host = image.host_inputs.iter().enumerate().map(|(at, input)| (at, None, &input.route));
        let blocks = image.blocks.iter().enumerate().flat_map(|(number, block)| {
            let first = self.outlet_ranges[self.place[number]].start;
            block.routes.iter().enumerate().map(move |(at, route)| (first + at, Some(number as u32), route))
        });
        let mut graded = vec![false; image.blocks.len()];
        for (outlet, sender, route) in host.chain(blocks) {
            for delivery in route.flits.iter().flat_map(|flit| &flit.deliveries) {
                match *delivery {
                    Delivery::Host => self.to_host.push((outlet, sender)),
                    Delivery::Block { block, first_axon } => {
                        let place = self.place[block as usize];
                        self.groups.add_reader(outlet, place);
                        let taker = &mut self.blocks[place];
                        taker.inlets.push(Inlet { outlet, first_axon: first_axon as usize });
                        graded[block as usize] |= self.outlets[outlet].is_graded();
                    }
                }
            }
        }
        // In the order of the host's inputs, then of blocks and routes: `connect` met them so.
        self.to_host.dedup();
        for (number, block) in image.blocks.iter().enumerate() {
            let taker = &mut self.blocks[self.place[number]];
            taker.inlets.sort_by_key(|inlet| inlet.first_axon);
            if graded[number] || self.programs[taker.program].reads_payloads {
                taker.take_payloads(block.axons as usize);
            }
        }
    }

    /// For each host input, how many indices its packets can have.
    pub fn host_inputs(&self) -> Vec<u32> {
        self.outlets[..self.host_inputs].iter().map(|outlet| outlet.indices() as u32).collect()
    }

    /// The number of the next step.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Whether a block would run in the next step without further input: a window is open, or packets are under way.
    pub fn is_busy(&self) -> bool {
        // What only the host reads wakes nobody.
        let arrives = |outlet: usize| self.groups.has_readers(outlet) && self.outlets[outlet].is_pending();
        (0..self.host_inputs).any(arrives)
            || self
                .groups
                .running_places()
                .any(|place| self.blocks[place].awake || self.outlet_ranges[place].clone().any(arrives))
    }

    /// Runs `steps` steps; `feed` puts what the host sends in them. Returns what reached the host, by step.
    ///
    /// # Errors
    /// A handler did what the machine does not allow.
    pub fn run(&mut self, steps: usize, feed: impl FnOnce(&mut Inputs<'_>)) -> Result<Vec<Output>, Fault> {
        self.begin_chunk(steps);
        feed(&mut Inputs { outlets: &mut self.outlets[..self.host_inputs], steps });
        for outlet in (0..self.host_inputs).filter(|&outlet| self.outlets[outlet].any()) {
            self.groups.wake_readers(outlet);
        }
        // Of several faults the first is reported (rule F11). A block that runs later may have met one earlier in time,
        // so after a fault the others run up to its step.
        let mut first: Option<Fault> = None;
        for level in 0..self.groups.levels() {
            let steps = first.as_ref().map_or(steps, |fault| (fault.step - self.step) as usize + 1);
            if let Err(fault) = self.run_level(level, steps) {
                first = Some(match first {
                    Some(first) if (first.step, first.block) < (fault.step, fault.block) => first,
                    _ => fault,
                });
            }
        }
        if let Some(fault) = first {
            let complete = (fault.step - self.step) as usize;
            return Err(Fault { reached: self.reached_host(complete), ..fault });
        }
        let outputs = self.reached_host(steps);
        if let Some(timing) = &mut self.timing {
            let timing = timing.get_mut().unwrap_or_else(PoisonError::into_inner);
            let outlets = &self.outlets[..self.host_inputs];
            let places: Vec<usize> = self.groups.running_places().collect();
            self.pool.install(|| timing.add_chunk(steps, &self.blocks, &places, outlets));
        }
        self.step += steps as u64;
        Ok(outputs)
    }

    /// What reached the host in the first steps of the chunk that just ran, by step.
    fn reached_host(&self, steps: usize) -> Vec<Output> {
        let sending: Vec<_> = self.to_host.iter().filter(|&&(outlet, _)| self.outlets[outlet].any()).collect();
        let packets = |&&(outlet, _): &&(usize, _)| {
            (1..=steps).map(|slot| self.outlets[outlet].count(slot) as usize).sum::<usize>()
        };
        let mut outputs = Vec::with_capacity(sending.iter().map(packets).sum());
        for slot in 1..=steps {
            for &&(outlet, sender) in &sending {
                self.outlets[outlet].for_each(slot, |index, payload| {
                    outputs.push(Output { step: self.step + slot as u64 - 1, sender, index, payload });
                });
            }
        }
        outputs
    }

    /// Carries over what the last chunk left: packets of its last step, and blocks that are awake.
    fn begin_chunk(&mut self, steps: usize) {
        for outlet in &mut self.outlets[..self.host_inputs] {
            outlet.begin(steps);
        }
        for group in self.groups.end_chunk() {
            let (places, _) = self.groups.group(group);
            for place in places {
                if self.blocks[place].awake {
                    self.groups.wake_place(place);
                }
                for outlet in self.outlet_ranges[place].clone() {
                    self.outlets[outlet].begin(steps);
                    if self.outlets[outlet].any() {
                        self.groups.wake_readers(outlet);
                        // Though it may have nothing to do: its outlets begin anew with it.
                        self.groups.wake_place(place);
                    }
                }
            }
        }
    }

    /// Runs one level of the schedule over a chunk.
    fn run_level(&mut self, level: usize, steps: usize) -> Result<(), Fault> {
        let running = self.groups.running(level).to_vec();
        let Some(&first_group) = running.first() else { return Ok(()) };
        let (first_place, first_outlet) = {
            let place = self.groups.group(first_group).0.start;
            (place, self.outlet_ranges[place].start)
        };
        let (done, mut rest_outlets) = self.outlets.split_at_mut(first_outlet);
        let mut rest_blocks = &mut self.blocks[first_place..];
        let (mut next_place, mut next_outlet) = (first_place, first_outlet);
        let mut tasks = Vec::with_capacity(running.len());
        for &group in &running {
            let (places, recurrent) = self.groups.group(group);
            let (from, to) = (self.outlet_ranges[places.start].start, self.outlet_ranges[places.end - 1].end);
            let (blocks, later) = rest_blocks[places.start - next_place..].split_at_mut(places.len());
            let (outlets, later_outlets) = rest_outlets[from - next_outlet..].split_at_mut(to - from);
            (rest_blocks, rest_outlets) = (later, later_outlets);
            (next_place, next_outlet) = (places.end, to);
            tasks.push(Task { blocks, outlets, first: (places.start, from), recurrent });
        }
        let chunk = Chunk { first_step: self.step, steps, limits: self.limits, programs: &self.programs };
        let (simd, ranges, scratches) = (self.simd, &self.outlet_ranges, &self.scratches);
        let run = |task: &mut Task| {
            // Each thread has its own: nobody waits.
            let scratch = &scratches[rayon::current_thread_index().unwrap_or(0) % scratches.len()];
            let mut scratch = scratch.lock().unwrap_or_else(PoisonError::into_inner);
            for block in task.blocks.iter_mut() {
                block.begin_chunk();
            }
            for outlet in task.outlets.iter_mut() {
                outlet.ready(steps);
            }
            if task.recurrent {
                return run_recurrent(task, done, ranges, chunk, &mut scratch, simd);
            }
            run_chunk(simd, &mut task.blocks[0], chunk, done, task.outlets, &mut scratch)
        };
        let results: Vec<Result<(), Fault>> = match &mut tasks[..] {
            // Alone it need not be handed to another thread.
            [task] if self.scratches.len() == 1 => vec![run(task)],
            tasks => self.pool.install(|| tasks.par_iter_mut().map(run).collect()),
        };
        for &group in &running {
            let (places, _) = self.groups.group(group);
            for outlet in self.outlet_ranges[places.start].start..self.outlet_ranges[places.end - 1].end {
                if self.outlets[outlet].any() {
                    self.groups.wake_readers(outlet);
                }
            }
        }
        // Of several faults the first is reported: the same for any number of threads.
        let faults = results.into_iter().filter_map(Result::err);
        faults.min_by_key(|fault| (fault.step, fault.block)).map_or(Ok(()), Err)
    }

    /// Counters since the machine was made.
    pub fn counters(&self) -> Counters {
        let blocks = self.place.iter().enumerate().map(|(number, &place)| {
            let block = &self.blocks[place];
            BlockCounters {
                block: number as u32,
                addresses: block.counts.clone(),
                steps: block.steps,
                cycles: block.cycles,
                events: block.events,
                saturated: block.saturated,
                packets: self.outlets[self.outlet_ranges[place].clone()].iter().map(Outlet::sent).collect(),
            }
        });
        Counters {
            steps: self.step,
            blocks: blocks.collect(),
            host_packets: self.outlets[..self.host_inputs].iter().map(Outlet::sent).collect(),
            timing: self.timing_totals(),
            configuration_bits: self.configuration_bits,
        }
    }

    /// How often the generator of each block has drawn, by logical number.
    pub fn draws(&self) -> Vec<u32> {
        self.place.iter().map(|&place| self.blocks[place].draws).collect()
    }

    /// Of each address of a program, whether it lies in the body of a `foreach`: a row added there is added by events.
    pub fn in_foreach(&self, block: u32) -> &[bool] {
        &self.programs[self.blocks[self.place[block as usize]].program].in_foreach
    }

    /// A block's memory.
    ///
    /// # Panics
    /// If there is no such block, or the space is that of the payloads.
    pub fn memory(&self, block: u32, space: Space) -> &[u8] {
        self.blocks[self.place[block as usize]].memory[space as usize].bytes()
    }

    /// Cycles so far; `None` without timing.
    pub fn cycles(&self) -> Option<u64> {
        self.timing_totals().map(|totals| totals.cycles)
    }

    fn timing_totals(&self) -> Option<TimingTotals> {
        let timing = self.timing.as_ref()?;
        let mut timing = timing.lock().unwrap_or_else(PoisonError::into_inner);
        let timing = &mut *timing;
        Some(self.pool.install(|| timing.totals()))
    }

    /// Reads a named array of a block over the configuration port, row by row; `None` if the block has none.
    pub fn read(&mut self, block: u32, symbol: &str) -> Option<Vec<i32>> {
        let (_, width, _, elements) = self.locate(block, symbol)?;
        self.configuration_bits += elements as u64 * u64::from(width.bits());
        self.peek(block, symbol)
    }

    /// Looks at a named array of a block as a debugger does: no port is used, nothing is counted.
    pub fn peek(&self, block: u32, symbol: &str) -> Option<Vec<i32>> {
        let (space, width, first, elements) = self.locate(block, symbol)?;
        let bank = &self.blocks[self.place[block as usize]].memory[space as usize];
        Some((first..first + elements).map(|at| bank.get(width, at)).collect())
    }

    /// Writes a named array of a block over the configuration port, row by row. Returns whether the block has it and it
    /// is of that size.
    pub fn write(&mut self, block: u32, symbol: &str, values: &[i32]) -> bool {
        let Some((space, width, first, elements)) = self.locate(block, symbol) else { return false };
        if elements != values.len() {
            return false;
        }
        self.configuration_bits += elements as u64 * u64::from(width.bits());
        let bank = &mut self.blocks[self.place[block as usize]].memory[space as usize];
        for (at, &value) in values.iter().enumerate() {
            bank.set(width, first + at, value);
        }
        true
    }

    fn locate(&self, block: u32, name: &str) -> Option<(Space, Width, usize, usize)> {
        let symbol = self.symbols.get(block as usize)?.iter().find(|symbol| symbol.name == name)?;
        let (space, width) = (symbol.space()?, symbol.width()?);
        (space != Space::Event).then_some((space, width, symbol.offset as usize, symbol.elements() as usize))
    }
}

/// Runs blocks that can reach each other, step by step: first all collect, then all run.
fn run_recurrent(
    task: &mut Task,
    done: &[Outlet],
    ranges: &[Range<usize>],
    chunk: Chunk,
    scratch: &mut Scratch,
    simd: Simd,
) -> Result<(), Fault> {
    let (first_place, first_outlet) = task.first;
    for block in task.blocks.iter_mut() {
        block.choose_inlets(|inlet| inlet.outlet >= first_outlet || done[inlet.outlet].any());
    }
    let mut running = Vec::with_capacity(task.blocks.len());
    for slot in 0..chunk.steps {
        running.clear();
        running.extend(task.blocks.iter_mut().map(|block| {
            block.collect(slot, |outlet| {
                if outlet < first_outlet { &done[outlet] } else { &task.outlets[outlet - first_outlet] }
            })
        }));
        for (at, block) in task.blocks.iter_mut().enumerate().filter(|(at, _)| running[*at]) {
            let range = &ranges[first_place + at];
            let own = &mut task.outlets[range.start - first_outlet..range.end - first_outlet];
            run_slot(simd, block, chunk, slot, own, scratch)?;
        }
    }
    Ok(())
}
