//! The state of one router and its arbitration.

use super::engine::{Place, SenderIndex};
use super::flit::{LINKS, PORTS, Route};
use super::links::Tag;
use super::usage::INPUTS;
use onward_image::Tile;
use std::collections::VecDeque;

/// A link to another router.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    /// The first channel's input behind it.
    pub behind: Place,
    /// Inputs (a mask) whose flits go into the second channel.
    pub to_second: u16,
    /// Cycles from a grant to the flit being visible behind it, and from a flit leaving to its credit being usable.
    pub flight: u64,
    /// Cycles from a grant to the next.
    pub spacing: u64,
    /// Whether it leads to another chip.
    pub crosses: bool,
    /// The first cycle in which it can be granted again.
    pub ready: u64,
    /// Credits of its two channels.
    pub credits: [u16; 2],
}

impl Link {
    /// Those of the inputs that want it whose channel has a credit.
    fn open(&self, cycle: u64, wanting: u16) -> u16 {
        if self.ready > cycle {
            return 0;
        }
        let first = if self.credits[0] > 0 { !self.to_second } else { 0 };
        let second = if self.credits[1] > 0 { self.to_second } else { 0 };
        wanting & (first | second)
    }
}

/// A router in use.
#[derive(Clone, Debug)]
pub(super) struct Router {
    pub tile: Tile,
    /// By output, the inputs (a mask) whose head still wants it.
    wanting: [u16; PORTS],
    /// By output, the input that has the highest priority.
    pointers: [u8; PORTS],
    /// By direction; none where no router is.
    pub links: [Option<Link>; LINKS],
    pub buffers: [VecDeque<(Route, Tag)>; INPUTS],
    /// By input, the sender that waits there for room.
    pub waiting: [Option<SenderIndex>; PORTS],
    /// Inputs (a mask) into which an endpoint sends in this step.
    pub senders: u16,
    /// Whether `links` says what is there.
    pub links_known: bool,
    /// Whether it was used in this step.
    pub used: bool,
}

impl Router {
    /// A router whose links are not known yet.
    pub(super) fn new(tile: Tile) -> Router {
        Router {
            tile,
            wanting: [0; PORTS],
            pointers: [0; PORTS],
            links: [None; LINKS],
            buffers: std::array::from_fn(|_| VecDeque::new()),
            waiting: [None; PORTS],
            senders: 0,
            links_known: false,
            used: false,
        }
    }

    /// Back to the state in which a step starts.
    pub(super) fn reset(&mut self, buffer_flits: u16) {
        self.pointers = [0; PORTS];
        for link in self.links.iter_mut().flatten() {
            link.ready = 0;
            link.credits = [buffer_flits; 2];
        }
        self.senders = 0;
        self.used = false;
    }

    /// Whether no input has a flit.
    pub(super) fn is_empty(&self) -> bool {
        self.wanting == [0; PORTS]
    }

    /// The link behind a port, if one is there; behind the others are cores and host ports.
    pub(super) fn link(&mut self, port: usize) -> Option<&mut Link> {
        self.links.get_mut(port)?.as_mut()
    }

    /// Asks for the outputs that a new head wants.
    pub(super) fn request(&mut self, input: usize, head: Route) {
        debug_assert!(head.wanted() != 0);
        let mut outputs = head.wanted();
        while outputs != 0 {
            self.wanting[outputs.trailing_zeros() as usize] |= 1 << input;
            outputs &= outputs - 1;
        }
    }

    /// The inputs whose head wants something, a mask.
    pub(super) fn inputs_wanting(&self) -> u16 {
        self.wanting.iter().fold(0, |all, wanting| all | wanting)
    }

    /// Grants an output, by round robin, to one of the inputs that may have it.
    pub(super) fn grant(&mut self, output: usize, cycle: u64) -> Option<usize> {
        let wanting = self.wanting[output];
        if wanting == 0 {
            return None;
        }
        let open = self.link(output).map_or(wanting, |link| link.open(cycle, wanting));
        if open == 0 {
            return None;
        }
        let pointer = self.pointers[output];
        let from_pointer = open >> pointer << pointer;
        let input = if from_pointer != 0 { from_pointer } else { open }.trailing_zeros() as usize;
        self.pointers[output] = ((input + 1) % INPUTS) as u8;
        self.wanting[output] &= !(1 << input);
        Some(input)
    }
}
