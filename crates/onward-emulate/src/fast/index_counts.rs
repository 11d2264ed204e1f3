//! How many packets had each index: counted a word of 64 indices at a time.

use super::outlet::Outlet;

/// Planes of a counter: it is emptied before it overflows.
const PLANES: usize = 8;
/// Words a counter takes before it is emptied.
const MOST: u32 = (1 << PLANES) - 1;

/// Counts the bits of words of 64, place by place. A counter is held bit by bit in [`PLANES`] words, so that adding a word
/// is a few logical operations for all its places (a carry seldom goes far).
#[derive(Clone, Debug)]
struct Places {
    planes: [u64; PLANES],
    added: u32,
}

/// Packets by index, of an outlet.
#[derive(Clone, Debug)]
pub(crate) struct IndexCounts {
    words: Vec<Places>,
    counts: Vec<u64>,
}

impl Places {
    #[inline(always)]
    fn add(&mut self, word: u64) {
        let mut carry = word;
        for plane in &mut self.planes {
            if carry == 0 {
                break;
            }
            let sum = *plane ^ carry;
            carry &= *plane;
            *plane = sum;
        }
        self.added += 1;
    }

    fn count(&self, place: usize) -> u64 {
        self.planes.iter().enumerate().map(|(at, plane)| (plane >> place & 1) << at).sum()
    }
}

impl IndexCounts {
    /// Nothing yet, of so many indices.
    pub fn new(indices: usize) -> IndexCounts {
        let words = vec![Places { planes: [0; PLANES], added: 0 }; indices.div_ceil(64)];
        IndexCounts { words, counts: vec![0; indices] }
    }

    /// Adds what was sent in the steps of a chunk.
    pub fn add(&mut self, outlet: &Outlet, steps: usize) {
        for slot in (1..=steps).filter(|&slot| outlet.count(slot) > 0) {
            for (places, &word) in self.words.iter_mut().zip(outlet.bits(slot)) {
                places.add(word);
            }
            if self.words.first().is_some_and(|places| places.added == MOST) {
                self.counts = self.counts();
                self.words.fill(Places { planes: [0; PLANES], added: 0 });
            }
        }
    }

    /// Packets by index.
    pub fn counts(&self) -> Vec<u64> {
        let counted = |(index, &count): (usize, &u64)| count + self.words[index / 64].count(index % 64);
        self.counts.iter().enumerate().map(counted).collect()
    }
}
