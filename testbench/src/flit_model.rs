//! The mesh of `isa/router.md`, flit by flit and cycle by cycle, as plainly as it can be said.
//!
//! Every cycle looks at every router, every output and every input, in the order in which the rules are written.
//! Nothing is shared with the emulator, not even types, so that a mistake in one does not hide in the other. It is slow
//! and is meant to be.

use std::collections::{BTreeMap, VecDeque};

/// North, east, south, west, and four local ones: the ports of a router.
pub const PORTS: usize = 8;
/// The inputs of a router, in the order of round robin: those of the ports, then the second channels of the links.
pub const INPUTS: usize = 12;
const NORTH: usize = 0;
const EAST: usize = 1;
const SOUTH: usize = 2;
const WEST: usize = 3;

/// A port of a router, at which a core or a host port sits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Column.
    pub x: usize,
    /// Row.
    pub y: usize,
    /// Port: 0 to 7.
    pub port: usize,
}

/// Where a packet goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// To one place, first x, then y, round a torus the shorter way.
    One(Place),
    /// Along the tree of this index.
    Tree(usize),
}

/// The outputs a tree uses at each router it passes, by column and row.
pub type Tree = BTreeMap<(usize, usize), [bool; PORTS]>;

/// The parameters of the mesh.
#[derive(Clone, Debug)]
pub struct Network {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Flits an input buffer holds.
    pub buffer_flits: usize,
    /// Cycles of a link.
    pub link_cycles: u64,
    /// Whether rows and columns are rings.
    pub torus: bool,
    /// Where the mesh is cut into chips.
    pub chips: Option<Chips>,
    /// The multicast trees.
    pub trees: Vec<Tree>,
}

/// Chips that a mesh is cut into.
#[derive(Clone, Debug)]
pub struct Chips {
    /// Columns of a chip.
    pub columns: usize,
    /// Rows of a chip.
    pub rows: usize,
    /// Cycles of a link between chips.
    pub link_cycles: u64,
    /// Cycles from one flit on it to the next.
    pub cycles_per_flit: u64,
}

/// Some computing, then some packets.
#[derive(Clone, Debug)]
pub struct Burst {
    /// Cycles of computing.
    pub gap: u64,
    /// Packets.
    pub packets: usize,
    /// Where each of them goes.
    pub targets: Vec<Target>,
}

/// What one core or host port does.
#[derive(Clone, Debug)]
pub struct Sender {
    /// Where it sits.
    pub place: Place,
    /// What it sends.
    pub bursts: Vec<Burst>,
    /// Cycles of computing at the end.
    pub tail: u64,
}

/// A flit given to a core or host port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Delivery {
    /// The cycle in which it is there.
    pub cycle: u64,
    /// Who sent it: index into the senders.
    pub sender: usize,
    /// Which of the sender's flits it is.
    pub flit: usize,
    /// Where it is.
    pub place: Place,
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Length of the step.
    pub cycles: u64,
    /// Links crossed.
    pub hops: u64,
    /// Links between chips crossed.
    pub crossings: u64,
    /// Flits accepted from senders.
    pub injected: u64,
    /// By sender: cycles in which its flit was refused.
    pub stalls: Vec<u64>,
    /// All deliveries, sorted.
    pub deliveries: Vec<Delivery>,
    /// By column, row and input: the most flits its buffer held.
    pub highest_occupancy: BTreeMap<(usize, usize, usize), usize>,
}

#[derive(Clone, Debug)]
struct Flit {
    sender: usize,
    number: usize,
    target: Target,
}

/// What a sender still has to do.
enum Work {
    Compute(u64),
    Send(Flit),
}

#[derive(Clone, Default)]
struct Input {
    buffer: VecDeque<Flit>,
    /// Outputs the head has still to be granted; `None` until it is first seen.
    wanted: Option<[bool; PORTS]>,
}

struct Output {
    /// By channel.
    credits: [usize; 2],
    priority: usize,
    /// The first cycle in which it may be granted.
    ready: u64,
}

enum Event {
    Flit { x: usize, y: usize, input: usize, flit: Flit },
    Credit { x: usize, y: usize, output: usize, channel: usize },
}

/// Runs one step.
pub fn run(network: &Network, senders: &[Sender]) -> Outcome {
    let mut work: Vec<VecDeque<Work>> =
        senders.iter().enumerate().map(|(index, sender)| work_of(index, sender)).collect();
    let new_output = || Output { credits: [network.buffer_flits; 2], priority: 0, ready: 0 };
    let mut inputs = vec![vec![vec![Input::default(); INPUTS]; network.width]; network.height];
    let mut outputs: Vec<Vec<[Output; PORTS]>> = (0..network.height)
        .map(|_| (0..network.width).map(|_| std::array::from_fn(|_| new_output())).collect())
        .collect();
    let mut events: BTreeMap<u64, Vec<Event>> = BTreeMap::new();
    let mut outcome = Outcome {
        cycles: 0,
        hops: 0,
        crossings: 0,
        injected: 0,
        stalls: vec![0; senders.len()],
        deliveries: Vec::new(),
        highest_occupancy: BTreeMap::new(),
    };
    let mut cycle = 0;
    loop {
        // What the links bring.
        for event in events.remove(&cycle).unwrap_or_default() {
            match event {
                Event::Flit { x, y, input, flit } => {
                    let buffer = &mut inputs[y][x][input].buffer;
                    buffer.push_back(flit);
                    assert!(buffer.len() <= network.buffer_flits, "credits must keep a buffer from overflowing");
                    let highest = outcome.highest_occupancy.entry((x, y, input)).or_default();
                    *highest = buffer.len().max(*highest);
                }
                Event::Credit { x, y, output, channel } => outputs[y][x][output].credits[channel] += 1,
            }
        }
        // What the senders do in this cycle.
        for (index, sender) in senders.iter().enumerate() {
            while let Some(Work::Compute(0)) = work[index].front() {
                work[index].pop_front();
            }
            match work[index].pop_front() {
                None => {}
                Some(Work::Compute(cycles)) => {
                    work[index].push_front(Work::Compute(cycles - 1));
                    outcome.cycles = cycle + 1;
                }
                Some(Work::Send(flit)) => {
                    let Place { x, y, port } = sender.place;
                    if inputs[y][x][port].buffer.len() < network.buffer_flits {
                        outcome.injected += 1;
                        outcome.cycles = cycle + 1;
                        events.entry(cycle + 1).or_default().push(Event::Flit { x, y, input: port, flit });
                    } else {
                        outcome.stalls[index] += 1;
                        work[index].push_front(Work::Send(flit));
                    }
                }
            }
        }
        // What the routers do.
        for y in 0..network.height {
            for x in 0..network.width {
                route(network, cycle, (x, y), &mut inputs[y][x], &mut outputs[y][x], &mut events, &mut outcome);
            }
        }
        let computing = work.iter().flatten().any(|work| !matches!(work, Work::Compute(0)));
        let buffered = inputs.iter().flatten().flatten().any(|input| !input.buffer.is_empty());
        let flying = events.values().flatten().any(|event| matches!(event, Event::Flit { .. }));
        if !(computing || buffered || flying) {
            break;
        }
        cycle += 1;
        assert!(cycle < 10_000_000, "deadlock");
    }
    let last = outcome.deliveries.iter().map(|delivery| delivery.cycle).max().unwrap_or(0);
    outcome.cycles = outcome.cycles.max(last);
    outcome.deliveries.sort();
    outcome
}

/// The timeline of a sender, unrolled.
fn work_of(index: usize, sender: &Sender) -> VecDeque<Work> {
    let mut work = VecDeque::new();
    let mut number = 0;
    for burst in &sender.bursts {
        work.push_back(Work::Compute(burst.gap));
        for _ in 0..burst.packets {
            for target in &burst.targets {
                work.push_back(Work::Send(Flit { sender: index, number, target: target.clone() }));
                number += 1;
            }
        }
    }
    work.push_back(Work::Compute(sender.tail));
    work
}

/// One cycle of one router.
fn route(
    network: &Network,
    cycle: u64,
    (x, y): (usize, usize),
    inputs: &mut [Input],
    outputs: &mut [Output; PORTS],
    events: &mut BTreeMap<u64, Vec<Event>>,
    outcome: &mut Outcome,
) {
    for input in inputs.iter_mut() {
        if let (Some(head), None) = (input.buffer.front(), input.wanted) {
            input.wanted = Some(wanted(network, x, y, &head.target));
        }
    }
    for (port, output) in outputs.iter_mut().enumerate() {
        let neighbour = neighbour(network, x, y, port);
        if cycle < output.ready {
            continue;
        }
        let order = (0..INPUTS).map(|step| (output.priority + step) % INPUTS);
        let may = |&i: &usize| {
            let has_credit = neighbour.is_none() || output.credits[channel(network, x, y, i, port)] > 0;
            has_credit && inputs[i].wanted.is_some_and(|wanted| wanted[port])
        };
        let Some(granted) = order.into_iter().find(may) else { continue };
        output.priority = (granted + 1) % INPUTS;
        let input = &mut inputs[granted];
        if let Some(wanted) = &mut input.wanted {
            wanted[port] = false;
        }
        let flit = input.buffer[0].clone();
        match neighbour {
            Some((next_x, next_y)) => {
                let channel = channel(network, x, y, granted, port);
                output.credits[channel] -= 1;
                outcome.hops += 1;
                let mut arrival = cycle + 1 + network.link_cycles;
                if let Some(chips) = between_chips(network, (x, y), (next_x, next_y)) {
                    outcome.crossings += 1;
                    output.ready = cycle + chips.cycles_per_flit;
                    arrival = cycle + 1 + chips.link_cycles;
                }
                let event = Event::Flit { x: next_x, y: next_y, input: opposite(port) + 8 * channel, flit };
                events.entry(arrival).or_default().push(event);
            }
            None => outcome.deliveries.push(Delivery {
                cycle: cycle + 1,
                sender: flit.sender,
                flit: flit.number,
                place: Place { x, y, port },
            }),
        }
    }
    for (number, input) in inputs.iter_mut().enumerate() {
        let (port, channel) = (number % 8, number / 8);
        if input.wanted == Some([false; PORTS]) {
            input.wanted = None;
            input.buffer.pop_front();
            if let Some((from_x, from_y)) = neighbour(network, x, y, port) {
                let chips = between_chips(network, (x, y), (from_x, from_y));
                let arrival = cycle + 1 + chips.map_or(network.link_cycles, |chips| chips.link_cycles);
                let event = Event::Credit { x: from_x, y: from_y, output: opposite(port), channel };
                events.entry(arrival).or_default().push(event);
            }
        }
    }
}

/// The outputs a flit wants at a router.
fn wanted(network: &Network, x: usize, y: usize, target: &Target) -> [bool; PORTS] {
    let place = match target {
        Target::Tree(tree) => return network.trees[*tree][&(x, y)],
        Target::One(place) => place,
    };
    let port = if place.x != x {
        if rises(network, x, place.x, network.width) { EAST } else { WEST }
    } else if place.y != y {
        if rises(network, y, place.y, network.height) { SOUTH } else { NORTH }
    } else {
        place.port
    };
    std::array::from_fn(|output| output == port)
}

/// Whether the way from one place of a row or column to another leads to higher numbers.
fn rises(network: &Network, from: usize, to: usize, length: usize) -> bool {
    if !network.torus {
        return to > from;
    }
    let (upward, downward) = ((length + to - from) % length, (length + from - to) % length);
    upward < downward || (upward == downward && from.is_multiple_of(2))
}

/// The channel of a link that a flit from an input takes.
fn channel(network: &Network, x: usize, y: usize, input: usize, output: usize) -> usize {
    let over_the_edge = match output {
        NORTH => y == 0,
        EAST => x == network.width - 1,
        SOUTH => y == network.height - 1,
        WEST => x == 0,
        _ => false,
    };
    // A flit that went over the edge stays in the second channel until it turns.
    let went_over = input == opposite(output) + 8;
    usize::from(network.torus && (over_the_edge || went_over))
}

/// The chips, if two routers lie on different ones.
fn between_chips(network: &Network, a: (usize, usize), b: (usize, usize)) -> Option<&Chips> {
    let chips = network.chips.as_ref()?;
    let chip = |(x, y)| (x / chips.columns, y / chips.rows);
    (chip(a) != chip(b)).then_some(chips)
}

/// The router at a port, if the mesh goes on there.
fn neighbour(network: &Network, x: usize, y: usize, port: usize) -> Option<(usize, usize)> {
    let (width, height) = (network.width, network.height);
    match port {
        NORTH if y > 0 => Some((x, y - 1)),
        EAST if x + 1 < width => Some((x + 1, y)),
        SOUTH if y + 1 < height => Some((x, y + 1)),
        WEST if x > 0 => Some((x - 1, y)),
        NORTH if network.torus && height > 1 => Some((x, height - 1)),
        EAST if network.torus && width > 1 => Some((0, y)),
        SOUTH if network.torus && height > 1 => Some((x, 0)),
        WEST if network.torus && width > 1 => Some((width - 1, y)),
        _ => None,
    }
}

/// The port at the other end of a link.
fn opposite(port: usize) -> usize {
    match port {
        NORTH => SOUTH,
        EAST => WEST,
        SOUTH => NORTH,
        WEST => EAST,
        local => local,
    }
}
