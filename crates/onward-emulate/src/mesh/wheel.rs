//! When which sender is due: a timing wheel.

/// Cycles the wheel goes round in: one a bit of a word.
const CYCLES: u64 = 64;
const END: u32 = u32::MAX;
/// Due of a sender that is not in the wheel.
const NEVER: u64 = u64::MAX;

/// Senders by the cycle in which they are next looked at. Each is in the wheel at most once; inserting and taking cost
/// the same however many there are. A sender due later than one turn is met on the way and left where it is.
#[derive(Clone, Debug)]
pub(super) struct Wheel {
    /// First sender of each cycle's list.
    first: [u32; CYCLES as usize],
    /// The cycles, modulo [`CYCLES`], whose list is not empty.
    filled: u64,
    /// By sender: the cycle it is due, and the sender after it in its list.
    entries: Vec<(u64, u32)>,
}

impl Default for Wheel {
    fn default() -> Wheel {
        Wheel { first: [END; CYCLES as usize], filled: 0, entries: Vec::new() }
    }
}

impl Wheel {
    /// Empties the wheel and makes room for `senders` senders.
    pub(super) fn reset(&mut self, senders: usize) {
        self.first = [END; CYCLES as usize];
        self.filled = 0;
        self.entries.clear();
        self.entries.resize(senders, (NEVER, END));
    }

    /// Makes a sender due in a cycle that is not before the one last drained.
    #[inline]
    pub(super) fn insert(&mut self, sender: u32, due: u64) {
        let slot = (due % CYCLES) as usize;
        self.entries[sender as usize] = (due, self.first[slot]);
        self.first[slot] = sender;
        self.filled |= 1 << slot;
    }

    /// Takes the senders due in `cycle` into `due`, in no particular order.
    #[inline]
    pub(super) fn drain(&mut self, cycle: u64, due: &mut Vec<u32>) {
        due.clear();
        let slot = (cycle % CYCLES) as usize;
        if self.filled >> slot & 1 == 0 {
            return;
        }
        let mut sender = std::mem::replace(&mut self.first[slot], END);
        self.filled &= !(1 << slot);
        while sender != END {
            let (when, next) = self.entries[sender as usize];
            if when == cycle {
                self.entries[sender as usize].0 = NEVER;
                due.push(sender);
            } else {
                self.insert(sender, when);
            }
            sender = next;
        }
    }

    /// The sender that is due first with its cycle, and the cycle in which the next one is due, [`u64::MAX`] if there is
    /// none. Looks at all senders.
    pub(super) fn first_two(&self) -> Option<(u32, u64, u64)> {
        let (mut first, mut second) = ((END, NEVER), NEVER);
        for (sender, &(due, _)) in self.entries.iter().enumerate() {
            if due < first.1 {
                (first, second) = ((sender as u32, due), first.1);
            } else {
                second = second.min(due);
            }
        }
        (first.1 != NEVER).then_some((first.0, first.1, second))
    }

    /// Takes a sender out before it is due.
    pub(super) fn remove(&mut self, sender: u32) {
        let (due, next) = self.entries[sender as usize];
        let slot = (due % CYCLES) as usize;
        if self.first[slot] == sender {
            self.first[slot] = next;
        } else {
            let mut at = self.first[slot];
            while self.entries[at as usize].1 != sender {
                at = self.entries[at as usize].1;
            }
            self.entries[at as usize].1 = next;
        }
        if self.first[slot] == END {
            self.filled &= !(1 << slot);
        }
        self.entries[sender as usize].0 = NEVER;
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
            wheel.insert(sender as u32, due);
        }
        let (mut cycle, mut found, mut out) = (0, vec![u64::MAX; dues.len()], Vec::new());
        loop {
            wheel.drain(cycle, &mut out);
            for &sender in &out {
                found[sender as usize] = cycle;
            }
            match wheel.next_after(cycle) {
                Some(next) => cycle = next,
                None => break,
            }
        }
        assert_eq!(found, dues);
    }
}
