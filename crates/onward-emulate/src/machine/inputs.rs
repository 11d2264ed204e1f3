//! What the host sends in a chunk.

use crate::engine::Feed;
use crate::fast::Outlet;

/// The outlets of the host's inputs, one an input of the image, open for the packets of a chunk.
pub(super) struct Inputs<'a> {
    pub outlets: &'a mut [Outlet],
}

/// What is wrong where the host's packets cannot be sent.
const SENT_ONCE: &str = "an index of the input, once a step";

impl Feed for Inputs<'_> {
    fn send(&mut self, input: usize, step: usize, index: u32, payload: i32) {
        let outlet = &mut self.outlets[input];
        assert!(payload == 1 || outlet.is_graded(), "this input carries spikes");
        outlet.send(step + 1, index, payload).expect(SENT_ONCE);
    }

    fn spikes(&mut self, input: usize, step: usize, bits: &[u64]) {
        let outlet = &mut self.outlets[input];
        if outlet.is_graded() {
            for index in (0..64 * bits.len()).filter(|index| bits[index / 64] >> (index % 64) & 1 == 1) {
                outlet.send(step + 1, index as u32, 1).expect(SENT_ONCE);
            }
            return;
        }
        outlet.send_spikes(step + 1, bits.iter().copied()).expect(SENT_ONCE);
    }
}
