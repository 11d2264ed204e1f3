//! When which sender is due: a timing wheel.

use super::engine::SenderIndex;
use typed_index_collections::TiVec;

/// Cycles the wheel goes round in: one a bit of a word.
const CYCLES: u64 = 64;

/// Senders by the cycle in which they are next looked at. Each is in the wheel at most once; inserting and taking cost
/// the same however many there are. A sender due later than one turn is met on the way and left where it is.
#[derive(Clone, Debug)]
pub(super) struct Wheel {
    /// First sender of each cycle's list.
    first: [Option<SenderIndex>; CYCLES as usize],
    /// The cycles, modulo [`CYCLES`], whose list is not empty.
    filled: u64,
    /// By sender: the cycle it is due, and the sender after it in its list.
    entries: TiVec<SenderIndex, (u64, Option<SenderIndex>)>,
}

impl Default for Wheel {
    fn default() -> Wheel {
        Wheel { first: [None; CYCLES as usize], filled: 0, entries: TiVec::new() }
    }
}

impl Wheel {
    /// Empties the wheel and makes room for `senders` senders.
    pub(super) fn reset(&mut self, senders: usize) {
        self.first = [None; CYCLES as usize];
        self.filled = 0;
        self.entries.clear();
        self.entries.resize(senders, (0, None));
    }

    /// Makes a sender due in a cycle that is not before the one last drained.
    #[inline]
    pub(super) fn insert(&mut self, sender: SenderIndex, due: u64) {
        let slot = (due % CYCLES) as usize;
        self.entries[sender] = (due, self.first[slot]);
        self.first[slot] = Some(sender);
        self.filled |= 1 << slot;
    }

    /// Takes the senders due in `cycle` into `due`, in no particular order.
    #[inline]
    pub(super) fn drain(&mut self, cycle: u64, due: &mut Vec<SenderIndex>) {
        due.clear();
        let slot = (cycle % CYCLES) as usize;
        if self.filled >> slot & 1 == 0 {
            return;
        }
        let mut next = self.first[slot].take();
        self.filled &= !(1 << slot);
        while let Some(sender) = next {
            let (when, after) = self.entries[sender];
            next = after;
            if when == cycle {
                due.push(sender);
            } else {
                self.insert(sender, when);
            }
        }
    }

    /// A cycle after `cycle` before which no sender is due; `None` if the wheel is empty.
    pub(super) fn next_after(&self, cycle: u64) -> Option<u64> {
        let turned = self.filled.rotate_right(((cycle + 1) % CYCLES) as u32);
        (turned != 0).then(|| cycle + 1 + u64::from(turned.trailing_zeros()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senders_come_out_in_the_cycle_they_are_due() {
        let mut wheel = Wheel::default();
        let dues = [0, 3, 3, 64, 67, 200, 1_000];
        wheel.reset(dues.len());
        for (sender, &due) in dues.iter().enumerate() {
            wheel.insert(sender.into(), due);
        }
        let (mut cycle, mut found, mut out) = (0, vec![u64::MAX; dues.len()], Vec::new());
        loop {
            wheel.drain(cycle, &mut out);
            for &sender in &out {
                found[usize::from(sender)] = cycle;
            }
            match wheel.next_after(cycle) {
                Some(next) => cycle = next,
                None => break,
            }
        }
        assert_eq!(found, dues);
    }
}
