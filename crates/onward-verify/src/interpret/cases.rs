//! Steps looked at number by number of what is loaded: where two registers stem from one element, ranges do not say how they hang
//! together, and what is known of each by itself shows too little.

use super::{Interpreter, Steps, follow};
use crate::block::Context;
use crate::class::Class;
use crate::memory::Memories;
use crate::range::Range;
use crate::state::State;
use onward_isa::Instruction;

/// Numbers that a load may give, at most: as many as a window that is learned from has steps, and none.
const MOST_CASES: i64 = 257;

impl Interpreter<'_> {
    /// Notes what a load outside of loops gives, if it is one of some numbers; and takes it to give the one of the case at hand.
    pub(super) fn split_by_case(&mut self, at: u32, instruction: &Instruction, state: &mut State, depth: u32) {
        let register = usize::from(instruction.d);
        let Range { low, high, .. } = state.scalars[register].range;
        if depth == 0 && register != 0 && low < high && high - low < MOST_CASES {
            self.found.cases.insert(at, state.scalars[register].range);
        }
        if let Some((_, number)) = self.case.filter(|(address, _)| *address == at) {
            // In a loop it is come to again.
            self.case_loads += 1 + depth;
            state.scalars[register].range = Range::of(number);
        }
    }
}

/// The steps of a class, looked at for each number that some load can give by itself, if nothing is wrong with them then. In a step
/// that comes to the load once at most, it gives one of these numbers.
pub(super) fn by_cases(of: &Context, class: &Class, memories: &Memories, whole: &Steps) -> Option<Steps> {
    whole.cases.iter().find_map(|(&address, &numbers)| {
        let mut all: Option<Steps> = None;
        for number in (numbers.low..=numbers.high).filter(|number| numbers.contains(*number)) {
            let (steps, loads) = follow(of, class, memories, Some((address, number))).ok()?;
            if loads > 1 || !steps.problems.is_empty() {
                return None;
            }
            all = Some(match all {
                Some(all) => all.or(steps),
                None => steps,
            });
        }
        all
    })
}

impl Steps {
    /// What steps do that are like these or like others.
    fn or(mut self, other: Steps) -> Steps {
        self.problems.extend(other.problems);
        for (&(class, address), write) in &other.writes.0 {
            self.writes.add(class, address, *write);
        }
        for (route, payload) in other.payloads {
            self.payloads.entry(route).and_modify(|all| *all = all.join(payload)).or_insert(payload);
        }
        self.cycles = self.cycles.max(other.cycles);
        for (most, packets) in self.packets.iter_mut().zip(&other.packets) {
            *most = (*most).max(*packets);
        }
        self.stays |= other.stays;
        self.reached.extend(other.reached);
        for (address, (space, first, last)) in other.looked_at {
            let all = self.looked_at.entry(address).or_insert((space, first, last));
            (all.1, all.2) = (all.1.min(first), all.2.max(last));
        }
        self.loads.extend(other.loads);
        self.cases.extend(other.cases);
        self
    }
}
