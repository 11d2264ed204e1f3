//! What arrived for a block in a step: which of its axons are active, and with which payloads.

use super::outlet::{Outlet, or_shifted};
use crate::index::OutletIndex;

/// Where a block's packets come from: an outlet and the axon its index 0 arrives on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inlet {
    pub outlet: OutletIndex,
    pub first_axon: usize,
}

/// The packets that a block consumes in the step it runs in.
pub(super) struct Arrivals {
    /// Active set, a bit an axon.
    active: Vec<u64>,
    /// `None` if all packets of the block carry 1.
    payloads: Option<Payloads>,
    /// At least as many as there are packets in the step.
    packets: usize,
}

/// What packets carry.
struct Payloads {
    /// By axon, 0 where inactive, while they are told.
    values: Vec<i32>,
    /// Whether handlers read them as a memory, and so in any step.
    read: bool,
    /// Whether `values` are those of the step: where all packets carry 1, there is nothing to tell.
    told: bool,
}

impl Arrivals {
    /// Nothing, on so many axons.
    pub fn new(axons: usize) -> Arrivals {
        Arrivals { active: vec![0; axons.div_ceil(64) + 1], payloads: None, packets: 0 }
    }

    /// Makes room for payloads; `read` says whether handlers read them as a memory.
    pub fn take_payloads(&mut self, axons: usize, read: bool) {
        self.payloads = Some(Payloads { values: vec![0; axons], read, told: false });
    }

    /// Reads what arrives in a step. The set must be empty: [`Arrivals::list`] and [`Arrivals::forget`] leave it so.
    #[inline(always)]
    pub fn collect<'a>(&mut self, slot: usize, inlets: &[Inlet], outlet: impl Fn(OutletIndex) -> &'a Outlet) {
        self.packets = 0;
        let mut graded = false;
        for inlet in inlets {
            let outlet = outlet(inlet.outlet);
            let count = outlet.count(slot);
            if count > 0 {
                self.packets += count as usize;
                graded |= outlet.is_graded();
                or_shifted(&mut self.active, outlet.bits(slot), inlet.first_axon);
            }
        }
        if let Some(payloads) = &mut self.payloads {
            payloads.told = (graded || payloads.read) && self.packets > 0;
            if payloads.told {
                inlets.iter().for_each(|inlet| payloads.tell(inlet.first_axon, outlet(inlet.outlet), slot));
            }
        }
    }

    /// Whether there are packets in the step.
    #[inline(always)]
    pub fn any(&self) -> bool {
        self.packets > 0
    }

    /// Takes the packet on axon 0 out of the set and returns what it carries, if there is one.
    #[inline(always)]
    pub fn take_first(&mut self) -> Option<i32> {
        if self.active[0] & 1 == 0 {
            return None;
        }
        self.active[0] &= !1;
        Some(match &mut self.payloads {
            Some(payloads) if payloads.told => std::mem::take(&mut payloads.values[0]),
            _ => 1,
        })
    }

    /// Makes a list of the active axons, ascending, and the set empty.
    #[inline(always)]
    pub fn list(&mut self, axons: &mut Vec<u32>) {
        axons.clear();
        if self.packets == 0 {
            return;
        }
        // Room for all at once: a list that grows by one asks each time whether it must move.
        axons.resize(self.packets, 0);
        let mut places = axons.iter_mut();
        for (at, word) in self.active.iter_mut().enumerate() {
            let mut bits = std::mem::take(word);
            while bits != 0 {
                if let Some(place) = places.next() {
                    *place = (at * 64) as u32 + bits.trailing_zeros();
                }
                bits &= bits - 1;
            }
        }
        let unused = places.len();
        axons.truncate(self.packets - unused);
    }

    /// Forgets the payloads of a step whose active axons these were.
    #[inline(always)]
    pub fn forget(&mut self, axons: &[u32]) {
        if let Some(payloads) = &mut self.payloads
            && payloads.told
        {
            axons.iter().for_each(|&axon| payloads.values[axon as usize] = 0);
            payloads.told = false;
        }
    }

    /// The payload of an active axon.
    #[inline(always)]
    pub fn payload(&self, axon: u32) -> i32 {
        match &self.payloads {
            Some(payloads) if payloads.told => payloads.values[axon as usize],
            _ => 1,
        }
    }

    /// Payloads by axon, 0 where inactive; none if handlers never read them as a memory.
    #[inline(always)]
    pub fn payloads(&self) -> &[i32] {
        self.payloads.as_ref().map_or(&[], |payloads| &payloads.values)
    }
}

impl Payloads {
    /// Writes down what the packets of an outlet carry.
    #[inline(always)]
    fn tell(&mut self, first_axon: usize, outlet: &Outlet, slot: usize) {
        if outlet.count(slot) == 0 {
            return;
        }
        let values = outlet.payloads(slot);
        for (at, &word) in outlet.bits(slot).iter().enumerate() {
            let mut word = word;
            while word != 0 {
                let index = at * 64 + word.trailing_zeros() as usize;
                self.values[first_axon + index] = values.map_or(1, |values| values[index]);
                word &= word - 1;
            }
        }
    }
}
