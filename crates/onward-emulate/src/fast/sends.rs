//! Packets: spikes by a predicate, graded values by a vector, single ones.

use super::block::SendRecord;
use super::execution::Execution;
use super::lanes::LaneTally;
use super::outlet::{Outlet, Refused};
use crate::fault::FaultKind;

impl<const RECORDS: bool> Execution<'_, RECORDS> {
    fn outlet(&mut self, route: i32) -> Result<&mut Outlet, FaultKind> {
        let available = self.own.len() as u32;
        self.own.get_mut(route as usize).ok_or(FaultKind::Route { route: route as u32, available })
    }

    /// Notes packets for the timing pass.
    #[inline(always)]
    fn sent(&mut self, route: i32, packets: u32) {
        self.counts().elements += u64::from(packets);
        if packets > 0 {
            self.block.sends.push(SendRecord { gap: self.cycles, packets, route: route as u32 });
            self.earlier_cycles += u64::from(self.cycles);
            self.cycles = 0;
            self.note(LaneTally::sent);
        }
    }

    #[inline(always)]
    pub fn send_spikes(&mut self, predicate: u8, base: i32, route: i32) -> Result<(), FaultKind> {
        if base < 0 || self.program.is_graded(route as usize) {
            return self.send_each(predicate, base, route, None);
        }
        let slot = self.slot;
        // Not through `outlet`, which would borrow the vectors too.
        let available = self.own.len() as u32;
        let outlet = self.own.get_mut(route as usize).ok_or(FaultKind::Route { route: route as u32, available })?;
        let words = self.v.masked(predicate);
        let sent = if base == 0 {
            outlet.send_spikes(slot, words)
        } else {
            outlet.send_spikes_from(slot, base as usize, words)
        };
        let packets = sent.map_err(|refused| refused.fault(outlet))?;
        self.sent(route, packets);
        Ok(())
    }

    pub fn send_graded(&mut self, vector: u8, predicate: u8, base: i32, route: i32) -> Result<(), FaultKind> {
        self.send_each(predicate, base, route, Some(vector))
    }

    /// One packet after the other; their payloads are 1 or those of a vector.
    fn send_each(&mut self, predicate: u8, base: i32, route: i32, vector: Option<u8>) -> Result<(), FaultKind> {
        self.outlet(route)?;
        let mut packets = 0;
        for element in 0..self.v.length {
            if self.v.is_set(predicate, element) {
                let payload = vector.map_or(1, |vector| self.v.read(vector)[element]);
                let slot = self.slot;
                let outlet = self.outlet(route)?;
                let index = i64::from(base) + element as i64;
                let Ok(index) = u32::try_from(index) else {
                    return Err(FaultKind::PacketIndex { index, available: outlet.indices() as u32 });
                };
                outlet.send(slot, index, payload).map_err(|refused| refused.fault(outlet))?;
                packets += 1;
            }
        }
        self.sent(route, packets);
        Ok(())
    }

    pub fn send(&mut self, index: i32, payload: i32, route: i32) -> Result<(), FaultKind> {
        let slot = self.slot;
        let outlet = self.outlet(route)?;
        let Ok(index) = u32::try_from(index) else {
            return Err(FaultKind::PacketIndex { index: i64::from(index), available: outlet.indices() as u32 });
        };
        outlet.send(slot, index, payload).map_err(|refused| refused.fault(outlet))?;
        self.sent(route, 1);
        Ok(())
    }
}

impl Refused {
    fn fault(self, outlet: &Outlet) -> FaultKind {
        match self {
            Refused::Second(index) => FaultKind::SecondPacket { index },
            Refused::Index(index) => {
                FaultKind::PacketIndex { index: i64::from(index), available: outlet.indices() as u32 }
            }
        }
    }
}
