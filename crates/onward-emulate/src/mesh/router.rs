//! The state of one router and its arbitration.
//!
//! All five outputs are arbitrated at once, in 64-bit words of five fields (one an output, 12 bits apart) whose low five
//! bits stand for the inputs. With the requests `r` of an output written twice side by side, and `p` the one bit of the
//! input that has priority, `r & !(r - p)` is the first request at or after `p`, going round.

use super::flit::{PORTS, Route};

/// Distance between the fields of two outputs, in bits: twice the inputs, and room for a borrow.
pub(super) const FIELD: u32 = 12;

/// Bit 0 of each field.
const ONE: u64 = 1 | 1 << FIELD | 1 << (2 * FIELD) | 1 << (3 * FIELD) | 1 << (4 * FIELD);
/// The inputs in each field.
const INPUTS: u64 = 0x1F * ONE;
/// Stops the borrow of a field without requests.
const GUARD: u64 = ONE << (FIELD - 1);
/// No router.
pub(super) const NONE: u32 = u32::MAX;
/// The port that stands for no link; what is sent there has no effect.
pub(super) const NOWHERE: u32 = 7;

/// By port, all inputs in the field of that output; nothing for [`NOWHERE`].
const FIELD_OF: [u64; 8] = {
    let mut table = [0; 8];
    let mut output = 0;
    while output < PORTS {
        table[output] = 0x1F << (FIELD as usize * output);
        output += 1;
    }
    table
};

/// The fields of the outputs in a mask: bit 0 of each field whose output is in it.
const SPREAD: [u64; 32] = {
    let mut table = [0; 32];
    let mut mask = 0;
    while mask < 32 {
        let mut output = 0;
        while output < PORTS as u32 {
            table[mask] |= (mask as u64 >> output & 1) << (FIELD * output);
            output += 1;
        }
        mask += 1;
    }
    table
};

/// The inputs that occur in any field.
#[inline]
fn any_output(fields: u64) -> u32 {
    let pairs = fields | fields >> (2 * FIELD);
    ((pairs | pairs >> FIELD | fields >> (4 * FIELD)) & 0x1F) as u32
}

/// A router in use. Arrays by port have eight entries, so that a masked index needs no check.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(super) struct Router {
    /// For each output the inputs whose head flit still wants it.
    requests: u64,
    /// For each output the input with the highest priority.
    pointers: u64,
    /// All inputs of each output that has a credit.
    open: u64,
    /// All inputs of each output that leads to another router.
    linked: u64,
    /// The head flit of each input that is not empty.
    pub(super) heads: [Route; 8],
    /// Flits that entered each input in this step.
    pub(super) entered: [u32; 8],
    /// Flits that left each input in this step.
    pub(super) left: [u32; 8],
    /// By port: the place (router in use times 8, and port) at the other end of its links, which is where its flits go
    /// and where the credits of its input go. [`NONE`] where not yet known, [`NOWHERE`] of the router itself where no link
    /// is.
    pub(super) behind: [u32; 8],
    credits: [u8; 8],
    /// Flits given to the core or a host port in this step.
    pub(super) ejected: u32,
    /// The most flits each input held, over all steps.
    pub(super) highest_occupancy: [u8; 8],
    /// Inputs (a mask) into which an endpoint sends in this step.
    pub(super) senders: u8,
    /// Inputs (a mask) whose sender waits for room.
    pub(super) senders_waiting: u8,
    /// The ports that lead to another router, a mask.
    pub(super) link_ports: u8,
    /// Column.
    pub(super) x: u8,
    /// Row.
    pub(super) y: u8,
    /// Whether it was used in this step.
    pub(super) used: bool,
}

impl Router {
    /// The router at column `x`, row `y`, of which the ports in the mask `link_ports` lead to other routers.
    pub(super) fn new(x: u8, y: u8, link_ports: u8, buffer_flits: u8) -> Router {
        let mut router = Router {
            requests: 0,
            pointers: 0,
            open: 0,
            linked: SPREAD[usize::from(link_ports & 0xF)] * 0x1F,
            heads: [Route::default(); 8],
            entered: [0; 8],
            left: [0; 8],
            behind: [NONE; 8],
            credits: [0; 8],
            ejected: 0,
            highest_occupancy: [0; 8],
            senders: 0,
            senders_waiting: 0,
            link_ports,
            x,
            y,
            used: false,
        };
        router.reset(buffer_flits);
        router
    }

    /// Back to the state in which a step starts.
    pub(super) fn reset(&mut self, buffer_flits: u8) {
        self.requests = 0;
        self.pointers = ONE;
        self.open = INPUTS;
        self.entered = [0; 8];
        self.left = [0; 8];
        self.credits = [buffer_flits; 8];
        self.ejected = 0;
        self.senders = 0;
        self.senders_waiting = 0;
        self.used = false;
    }

    /// Whether no input has a flit.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.requests == 0
    }

    /// Flits in the buffer of an input.
    #[inline]
    pub(super) fn occupancy(&self, input: usize) -> u32 {
        self.entered[input & 7].wrapping_sub(self.left[input & 7])
    }

    /// Counts a flit that enters an input; it is the head if the input was empty. (The hot functions choose by
    /// arithmetic what a processor could not predict as a branch.)
    #[inline]
    pub(super) fn enter(&mut self, input: usize, route: Route) {
        debug_assert!(route.wanted() != 0);
        let input = input & 7;
        self.entered[input] += 1;
        let occupancy = self.occupancy(input);
        let highest = &mut self.highest_occupancy[input];
        *highest = (*highest).max(occupancy as u8);
        let is_head = occupancy == 1;
        self.heads[input] = if is_head { route } else { self.heads[input] };
        self.request(input, route, is_head);
    }

    /// Counts a flit that leaves an input; `next` is behind it, if anything is.
    #[inline]
    pub(super) fn leave(&mut self, input: usize, next: Route) {
        let input = input & 7;
        self.left[input] += 1;
        self.heads[input] = next;
        self.request(input, next, self.occupancy(input) > 0);
    }

    /// Asks for the outputs that a new head wants.
    #[inline]
    fn request(&mut self, input: usize, head: Route, is_head: bool) {
        let outputs = SPREAD[(head.wanted() & 0x1F) as usize] << input;
        self.requests |= if is_head { outputs } else { 0 };
    }

    /// Lets flits of a lone sender through: counts them, and turns the pointers of their outputs as the last one does.
    pub(super) fn pass(&mut self, input: usize, route: Route, flits: u32) {
        let input = input & 7;
        self.entered[input] += flits;
        self.left[input] += flits;
        self.highest_occupancy[input] = self.highest_occupancy[input].max(1);
        let outputs = route.wanted() & 0x1F;
        self.ejected += flits * (outputs & !u32::from(self.link_ports)).count_ones();
        let fields = SPREAD[outputs as usize] * 0x1F;
        let next = (input + 1) % PORTS;
        self.pointers = self.pointers & !fields | SPREAD[outputs as usize] << next;
    }

    /// Grants each output that has a credit to one of the inputs that want it, by round robin.
    #[inline]
    pub(super) fn arbitrate(&mut self) -> Grants {
        let requests = self.requests & self.open;
        let twice = requests | requests << PORTS;
        let first = twice & !((twice | GUARD) - self.pointers);
        let granted = (first | first >> PORTS) & INPUTS;
        // The input after the granted one has priority next time; outputs without a grant keep their pointer.
        let after = (granted << 1 | granted >> (PORTS - 1)) & INPUTS;
        let outputs = (granted + INPUTS) >> PORTS & ONE;
        self.pointers = self.pointers & !(outputs * 0x1F) | after;

        let wanting = any_output(self.requests);
        self.requests &= !granted;
        let finished = wanting & !any_output(self.requests);
        let ejected = granted & !self.linked;
        let ejecting_outputs = outputs & !self.linked;
        // The sum of the fields' low bits: each is at most one, so that no field overflows.
        self.ejected += (ejecting_outputs.wrapping_mul(ONE) >> (4 * FIELD) & 0xF) as u32;
        Grants { links: granted & self.linked, ejected, finished }
    }

    /// Takes a credit of an output.
    #[inline]
    pub(super) fn use_credit(&mut self, output: usize) {
        let credits = &mut self.credits[output & 7];
        *credits -= 1;
        self.open &= if *credits == 0 { !FIELD_OF[output & 7] } else { u64::MAX };
    }

    /// Gives a credit of an output back.
    #[inline]
    pub(super) fn return_credit(&mut self, output: usize) {
        let credits = &mut self.credits[output & 7];
        *credits = credits.wrapping_add(1);
        self.open |= FIELD_OF[output & 7];
    }
}

/// What a router granted in a cycle. A grant is the bit of its input in the field of its output.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grants {
    /// Grants of outputs that lead to another router.
    pub(super) links: u64,
    /// Grants of outputs that lead to the core or to a host port.
    pub(super) ejected: u64,
    /// Inputs (a mask) whose head flit was granted the last output it wanted.
    pub(super) finished: u32,
}

/// Takes a grant from a set of them: its output and its input.
#[inline]
pub(super) fn next_grant(grants: &mut u64) -> Option<(usize, usize)> {
    if *grants == 0 {
        return None;
    }
    let bit = grants.trailing_zeros();
    *grants &= *grants - 1;
    Some(((bit / FIELD) as usize, (bit % FIELD) as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Arbitration as the rules say it, output by output.
    fn granted_plainly(requests: u8, pointer: usize) -> Option<usize> {
        (0..PORTS).map(|k| (pointer + k) % PORTS).find(|input| requests >> input & 1 == 1)
    }

    #[test]
    fn every_request_and_pointer_of_an_output_is_granted_by_round_robin() {
        for output in 0..PORTS as u32 {
            for requests in 0..32_u64 {
                for pointer in 0..PORTS {
                    let mut router = Router::new(0, 0, 0xF, 4);
                    // The other outputs get other requests, so that a carry between fields would show.
                    let others = (requests ^ 0x1F).wrapping_mul(ONE) & !(0x1F << (FIELD * output));
                    router.requests = others | requests << (FIELD * output);
                    router.pointers &= !(0x1F << (FIELD * output));
                    router.pointers |= 1 << (FIELD * output + pointer as u32);
                    let grants = router.arbitrate();
                    let fields = (grants.links | grants.ejected) >> (FIELD * output) & 0x1F;
                    let expected = granted_plainly(requests as u8, pointer);
                    assert_eq!(fields, expected.map_or(0, |input| 1 << input));
                    let next = expected.map_or(pointer, |input| (input + 1) % PORTS);
                    assert_eq!(router.pointers >> (FIELD * output) & 0x1F, 1 << next);
                }
            }
        }
    }

    #[test]
    fn an_output_without_credit_grants_nothing() {
        let mut router = Router::new(0, 0, 0xF, 1);
        router.enter(4, Route::multicast(0b1_0010, 0));
        router.use_credit(1);
        let grants = router.arbitrate();
        assert_eq!((grants.links, grants.finished, router.ejected), (0, 0, 1));
        router.return_credit(1);
        let grants = router.arbitrate();
        assert_eq!((grants.links, grants.finished, router.ejected), (1 << (FIELD + 4), 1 << 4, 1));
    }
}
