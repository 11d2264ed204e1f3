//! What blocks and host did in a step, as far as the mesh sees it: kept in few bytes, or made into timelines.

use crate::detail::Window;
use crate::fast::{Block, Outlet, SendRecord};
use crate::index::Place;
use crate::mesh::Traffic;
use onward_image::{BlockIndex, Core, Endpoint};
use std::ops::Range;
use typed_index_collections::TiSlice;

/// A block's record in a step. Sorted, entries bring the blocks of a core together in the order they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub core: u32,
    pub number: BlockIndex,
    pub place: Place,
    /// Index of the record.
    pub record: u32,
}

/// Is told what was done in a step: by the host, then core by core.
pub(super) trait Listener {
    /// The host sent so many packets, at least one, to an input.
    fn host(&mut self, input: usize, packets: u32);

    /// A block sent something, after the blocks of its core that were told before, and computed for `tail` more cycles.
    fn block(&mut self, core: u32, number: BlockIndex, sends: &[SendRecord], tail: u32);

    /// That was all.
    fn end(&mut self);
}

/// A chunk that ran.
pub(super) struct Ran<'a> {
    /// By step.
    pub entries: Vec<Vec<Entry>>,
    pub blocks: &'a TiSlice<Place, Block>,
    pub host: &'a [Outlet],
}

impl Ran<'_> {
    /// Tells what was done in a step.
    pub fn tell(&self, step: usize, listener: &mut impl Listener) {
        for (input, outlet) in self.host.iter().enumerate() {
            let packets = outlet.count(step + 1);
            if packets > 0 {
                listener.host(input, packets);
            }
        }
        for &Entry { core, number, place, record } in &self.entries[step] {
            let block = &self.blocks[place];
            let record = block.records[record as usize];
            let sends = &block.sends[record.sends.0 as usize..record.sends.1 as usize];
            listener.block(core, number, sends, record.tail);
        }
        listener.end();
    }
}

/// Where packets go, by who sends them.
#[derive(Clone, Copy)]
pub(super) struct Routes<'a> {
    pub host: Endpoint,
    /// By input.
    pub of_host: &'a [Range<u32>],
    /// By logical number and route.
    pub of_blocks: &'a TiSlice<BlockIndex, Vec<Range<u32>>>,
}

/// Makes the timelines of a step: that of the host, then that of each core, whose blocks run one after the other.
pub(super) struct Timelines<'a> {
    routes: Routes<'a>,
    traffic: &'a mut Traffic,
    /// Whose timeline is being made.
    endpoint: Endpoint,
    /// Cycles computed since its last packet by blocks that are done.
    before: u64,
}

impl<'a> Timelines<'a> {
    /// Puts them into `traffic`, in place of what is there; the step goes to the account of a window.
    pub fn of(routes: Routes<'a>, window: Window, traffic: &'a mut Traffic) -> Timelines<'a> {
        traffic.clear();
        traffic.set_account(window as u8);
        Timelines { routes, traffic, endpoint: routes.host, before: 0 }
    }
}

impl Listener for Timelines<'_> {
    fn host(&mut self, input: usize, packets: u32) {
        self.traffic.burst(0, packets, self.routes.of_host[input].clone());
    }

    fn block(&mut self, core: u32, number: BlockIndex, sends: &[SendRecord], tail: u32) {
        let endpoint = Endpoint::Core(Core(core));
        if self.endpoint != endpoint {
            self.end();
            self.endpoint = endpoint;
        }
        let routes = &self.routes.of_blocks[number];
        for send in sends {
            let gap = std::mem::take(&mut self.before) + u64::from(send.gap);
            self.traffic.burst(gap, send.packets, routes[send.route as usize].clone());
        }
        self.before += u64::from(tail);
    }

    fn end(&mut self) {
        self.traffic.finish(self.endpoint, std::mem::take(&mut self.before));
    }
}

/// What was done in a step, in some bytes a block: numbers in the LEB128 encoding. First input + 1 and packets of the
/// host, up to a 0; then for each block its logical number, how many sends, their gaps, packets and routes, and the tail.
pub(super) struct Packed {
    bytes: Box<[u8]>,
    /// The window that the host showed.
    pub window: Window,
}

impl Packed {
    /// Memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        size_of::<Packed>() + self.bytes.len()
    }

    /// Tells what was done; `cores` says by logical number where blocks run.
    pub fn tell(&self, cores: &TiSlice<BlockIndex, u32>, listener: &mut impl Listener) {
        let mut rest = &self.bytes[..];
        let mut number = || {
            let (mut value, mut shift) = (0u32, 0);
            while let Some((&byte, after)) = rest.split_first() {
                rest = after;
                value |= u32::from(byte & 0x7f) << shift;
                shift += 7;
                if byte < 0x80 {
                    return Some(value);
                }
            }
            None
        };
        while let Some(input) = number().and_then(|input| input.checked_sub(1)) {
            listener.host(input as usize, number().unwrap_or(0));
        }
        let mut sends = Vec::new();
        while let Some(block) = number() {
            let mut next = || number().unwrap_or(0);
            sends.clear();
            sends.extend((0..next()).map(|_| SendRecord { gap: next(), packets: next(), route: next() }));
            let number = BlockIndex::from(block);
            listener.block(cores[number], number, &sends, next());
        }
        listener.end();
    }
}

/// Packs a step.
#[derive(Default)]
pub(super) struct Packer {
    bytes: Vec<u8>,
    /// Whether what the host sent has ended.
    in_blocks: bool,
}

impl Packer {
    /// What it was told, of a step in which the host showed a window.
    pub fn packed(self, window: Window) -> Packed {
        Packed { bytes: self.bytes.into(), window }
    }

    fn number(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }
}

impl Listener for Packer {
    fn host(&mut self, input: usize, packets: u32) {
        self.number(input as u32 + 1);
        self.number(packets);
    }

    fn block(&mut self, _: u32, number: BlockIndex, sends: &[SendRecord], tail: u32) {
        if !std::mem::replace(&mut self.in_blocks, true) {
            self.number(0);
        }
        self.number(number.into());
        self.number(sends.len() as u32);
        for send in sends {
            self.number(send.gap);
            self.number(send.packets);
            self.number(send.route);
        }
        self.number(tail);
    }

    fn end(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use typed_index_collections::TiVec;

    /// What a listener was told.
    #[derive(Default, Debug, PartialEq)]
    struct Told(Vec<(u32, u32, Vec<SendRecord>, u32)>);

    impl Listener for Told {
        fn host(&mut self, input: usize, packets: u32) {
            self.0.push((input as u32, packets, Vec::new(), 0));
        }

        fn block(&mut self, core: u32, number: BlockIndex, sends: &[SendRecord], tail: u32) {
            self.0.push((core, number.into(), sends.to_vec(), tail));
        }

        fn end(&mut self) {
            self.0.push((u32::MAX, 0, Vec::new(), 0));
        }
    }

    fn send() -> impl Strategy<Value = SendRecord> {
        (any::<u32>(), 1u32.., 0..16u32).prop_map(|(gap, packets, route)| SendRecord { gap, packets, route })
    }

    proptest! {
        #[test]
        fn what_is_packed_is_told_again(
            host in prop::collection::vec((0..4usize, 1u32..), 0..4),
            blocks in prop::collection::vec((0..300u32, prop::collection::vec(send(), 0..5), any::<u32>()), 0..20),
        ) {
            let cores: TiVec<BlockIndex, u32> = (0..300).map(|block| block / 2).collect();
            let (mut packer, mut told) = (Packer::default(), Told::default());
            for (input, packets) in host {
                packer.host(input, packets);
                told.host(input, packets);
            }
            for (number, sends, tail) in blocks {
                packer.block(number / 2, number.into(), &sends, tail);
                told.block(number / 2, number.into(), &sends, tail);
            }
            packer.end();
            told.end();
            let mut again = Told::default();
            packer.packed(Window::None).tell(&cores, &mut again);
            prop_assert_eq!(told, again);
        }
    }
}
