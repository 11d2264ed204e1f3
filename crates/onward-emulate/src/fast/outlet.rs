//! What a source sends to a route, step by step, until its takers have read it.

/// Packets of one route over the steps of a chunk. Slot `j` holds what was sent in the chunk's step `j - 1` and is
/// consumed in its step `j`; slot 0 comes from the chunk before.
#[derive(Clone, Debug)]
pub(crate) struct Outlet {
    /// Indices a packet can have.
    indices: usize,
    /// Words a slot takes.
    words: usize,
    /// A bit for each index, slot by slot.
    bits: Vec<u64>,
    /// Payloads, slot by slot, if they are not all 1.
    payloads: Option<Vec<i32>>,
    /// Packets in each slot.
    counts: Vec<u32>,
    /// Whether any slot holds a packet.
    any: bool,
    /// Whether it carries packets into a chunk that has been begun and not been run yet.
    begun: bool,
    /// Packets sent since the run began.
    sent: u64,
}

impl Outlet {
    pub fn new(indices: usize, graded: bool) -> Self {
        let words = indices.div_ceil(64);
        Outlet {
            indices,
            words,
            bits: vec![0; words],
            payloads: graded.then(|| vec![0; indices]),
            counts: vec![0],
            any: false,
            begun: false,
            sent: 0,
        }
    }

    /// Begins a chunk of so many steps: the last slot becomes the first, the others are empty.
    pub fn begin(&mut self, steps: usize) {
        let last = self.counts.len() - 1;
        let carried = self.counts[last];
        if carried > 0 && last > 0 {
            self.bits.copy_within(last * self.words.., 0);
            if let Some(payloads) = &mut self.payloads {
                payloads.copy_within(last * self.indices.., 0);
            }
        }
        self.counts.clear();
        self.counts.resize(steps + 1, 0);
        self.counts[0] = carried;
        self.any = carried > 0;
        self.begun = self.any;
        // Bits are zeroed when a slot's first packet comes.
        self.bits.resize((steps + 1) * self.words, 0);
        if let Some(payloads) = &mut self.payloads {
            payloads.resize((steps + 1) * self.indices, 0);
        }
    }

    /// Begins a chunk of so many steps unless that has been done: nothing was sent in the chunk before.
    pub fn ready(&mut self, steps: usize) {
        if !self.begun {
            self.counts.clear();
            self.counts.push(0);
            self.begin(steps);
        }
        self.begun = false;
    }

    /// Whether there is anything to read in this chunk.
    pub fn any(&self) -> bool {
        self.any
    }

    /// Packets sent since the run began.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Whether its packets carry payloads other than 1.
    pub fn is_graded(&self) -> bool {
        self.payloads.is_some()
    }

    /// Whether the last slot holds packets: they are consumed in the first step of the next chunk.
    pub fn is_pending(&self) -> bool {
        self.counts[self.counts.len() - 1] > 0
    }

    /// Calls `f` with index and payload of each packet of a slot, by index.
    pub fn for_each(&self, slot: usize, mut f: impl FnMut(u32, i32)) {
        if self.counts[slot] == 0 {
            return;
        }
        let payloads = self.payloads(slot);
        for (at, &word) in self.bits(slot).iter().enumerate() {
            let mut word = word;
            while word != 0 {
                let index = at * 64 + word.trailing_zeros() as usize;
                f(index as u32, payloads.map_or(1, |payloads| payloads[index]));
                word &= word - 1;
            }
        }
    }

    /// Steps of the chunk.
    pub fn steps(&self) -> usize {
        self.counts.len() - 1
    }

    /// Number of indices a packet can have.
    pub fn indices(&self) -> usize {
        self.indices
    }

    /// Packets consumed in a step.
    #[inline(always)]
    pub fn count(&self, slot: usize) -> u32 {
        self.counts[slot]
    }

    /// The bits consumed in a step; meaningless where there is no packet.
    #[inline(always)]
    pub fn bits(&self, slot: usize) -> &[u64] {
        &self.bits[slot * self.words..][..self.words]
    }

    /// The payloads consumed in a step, by index; `None` if all are 1.
    #[inline(always)]
    pub fn payloads(&self, slot: usize) -> Option<&[i32]> {
        self.payloads.as_ref().map(|payloads| &payloads[slot * self.indices..][..self.indices])
    }

    /// Sends spikes on a route that carries nothing graded; returns their number.
    #[inline(always)]
    pub fn send_spikes(&mut self, slot: usize, mask: impl Iterator<Item = u64>) -> Result<u32, Refused> {
        let fresh = self.counts[slot] == 0;
        let bits = &mut self.bits[slot * self.words..][..self.words];
        let mut count = 0;
        let mut at = 0;
        for word in mask {
            // Bits that are no indices: all beyond the last word, and some of the last.
            let outside = match self.indices.saturating_sub(at * 64) {
                indices @ 0..64 => word >> indices << indices,
                _ => 0,
            };
            let word = word & !outside;
            if word != 0 {
                let old = if fresh { 0 } else { bits[at] };
                if old & word != 0 {
                    return Err(Refused::Second((at * 64) as u32 + (old & word).trailing_zeros()));
                }
            }
            if outside != 0 {
                return Err(Refused::Index((at * 64) as u32 + outside.trailing_zeros()));
            }
            if at < bits.len() {
                bits[at] = if fresh { word } else { bits[at] | word };
                count += word.count_ones();
            }
            at += 1;
        }
        if fresh && at < bits.len() {
            bits[at..].fill(0);
        }
        self.counts[slot] += count;
        self.sent += u64::from(count);
        self.any |= count > 0;
        Ok(count)
    }

    /// [`Outlet::send_spikes`] with indices from `base` on.
    pub fn send_spikes_from(
        &mut self,
        slot: usize,
        base: usize,
        mask: impl Iterator<Item = u64>,
    ) -> Result<u32, Refused> {
        let words = &mut self.bits[slot * self.words..][..self.words];
        let mut count = 0;
        for (at, mask) in mask.enumerate().filter(|&(_, mask)| mask != 0) {
            if self.counts[slot] + count == 0 {
                words.fill(0);
            }
            let first = base + at * 64;
            let shift = first % 64;
            let parts =
                [(first / 64, mask << shift), (first / 64 + 1, if shift == 0 { 0 } else { mask >> (64 - shift) })];
            for (word, bits) in parts.into_iter().filter(|&(_, bits)| bits != 0) {
                let inside = match self.indices.saturating_sub(word * 64) {
                    indices @ 0..64 => bits & ((1 << indices) - 1),
                    _ => bits,
                };
                let held = words.get(word).map_or(0, |held| held & inside);
                if held != 0 {
                    return Err(Refused::Second((word * 64) as u32 + held.trailing_zeros()));
                }
                if bits != inside {
                    return Err(Refused::Index((word * 64) as u32 + (bits & !inside).trailing_zeros()));
                }
                words[word] |= bits;
                count += bits.count_ones();
            }
        }
        self.counts[slot] += count;
        self.sent += u64::from(count);
        self.any |= count > 0;
        Ok(count)
    }

    /// Sends one graded packet.
    pub fn send(&mut self, slot: usize, index: u32, payload: i32) -> Result<(), Refused> {
        if index as usize >= self.indices {
            return Err(Refused::Index(index));
        }
        let bits = &mut self.bits[slot * self.words..][..self.words];
        if self.counts[slot] == 0 {
            bits.fill(0);
        }
        let (word, bit) = (index as usize / 64, 1 << (index % 64));
        if bits[word] & bit != 0 {
            return Err(Refused::Second(index));
        }
        bits[word] |= bit;
        if let Some(payloads) = &mut self.payloads {
            payloads[slot * self.indices + index as usize] = payload;
        }
        self.counts[slot] += 1;
        self.sent += 1;
        self.any = true;
        Ok(())
    }
}

/// Why a packet was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// No such index on the route.
    Index(u32),
    /// A packet with this index was sent in the same step.
    Second(u32),
}

/// Ors `bits`, moved up by `offset`, into `into`.
#[inline(always)]
pub(crate) fn or_shifted(into: &mut [u64], bits: &[u64], offset: usize) {
    let (word, shift) = (offset / 64, offset % 64);
    if shift == 0 {
        for (into, &bits) in into[word..].iter_mut().zip(bits) {
            *into |= bits;
        }
        return;
    }
    for (at, &bits) in bits.iter().enumerate() {
        into[word + at] |= bits << shift;
        let high = bits >> (64 - shift);
        if high != 0 {
            into[word + at + 1] |= high;
        }
    }
}
