//! What the host sends in a chunk.

use crate::engine::Feed;
use crate::fast::Outlet;

/// The outlets of the host's inputs, one a part of an input of the image, open for the packets of a chunk.
pub(super) struct Inputs<'a> {
    pub outlets: &'a mut [Outlet],
    /// For each, the input's index that its index 0 stands for.
    pub firsts: &'a [u32],
}

impl Inputs<'_> {
    /// The number behind the last part of the input that begins with number `input`.
    fn end(&self, input: usize) -> usize {
        let later = self.firsts[input + 1..].iter().take_while(|&&first| first > 0);
        input + 1 + later.count()
    }
}

/// What is wrong where the host's packets cannot be sent.
const SENT_ONCE: &str = "an index of the input, once a step";

impl Feed for Inputs<'_> {
    fn send(&mut self, input: usize, step: usize, index: u32, payload: i32) {
        let parts = &self.firsts[input + 1..self.end(input)];
        let part = input + parts.partition_point(|&first| first <= index);
        let outlet = &mut self.outlets[part];
        assert!(payload == 1 || outlet.is_graded(), "this input carries spikes");
        outlet.send(step + 1, index - self.firsts[part], payload).expect(SENT_ONCE);
    }

    fn spikes(&mut self, input: usize, step: usize, bits: &[u64]) {
        let end = self.end(input);
        if self.outlets[input].is_graded() {
            for index in (0..64 * bits.len()).filter(|index| bits[index / 64] >> (index % 64) & 1 == 1) {
                self.send(input, step, index as u32, 1);
            }
        } else if end == input + 1 {
            self.outlets[input].send_spikes(step + 1, bits.iter().copied()).expect(SENT_ONCE);
        } else {
            for (outlet, &first) in self.outlets[input..end].iter_mut().zip(&self.firsts[input..end]) {
                let (words, shift) = (&bits[first as usize / 64..], first % 64);
                let (count, last) = (outlet.indices().div_ceil(64), outlet.indices() % 64);
                let own = (0..count).map(|at| {
                    let next = words.get(at + 1).copied().unwrap_or(0);
                    let word = if shift == 0 { words[at] } else { words[at] >> shift | next << (64 - shift) };
                    // What lies behind is the next part's.
                    if at + 1 == count && last > 0 { word & ((1 << last) - 1) } else { word }
                });
                outlet.send_spikes(step + 1, own).expect(SENT_ONCE);
            }
        }
    }
}
