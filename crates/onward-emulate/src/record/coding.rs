//! Steps and counters as bytes: numbers in the LEB128 encoding, lists with their lengths first.

use super::counted::{BlockCounted, Counted};
use super::steps::{BlockStep, Send, Steps};
use crate::cost::{LANE_COUNTS, LaneCycles};
use crate::counters::AddressCounts;
use onward_image::Image;

/// What bytes are not.
pub(crate) type Wrong = &'static str;

/// The largest sum over a run: above what any run comes to, below what would overflow when it is charged.
const MOST: u64 = 1 << 48;
const CUT_OFF: Wrong = "it is cut off";

/// Writes numbers.
#[derive(Default)]
pub(crate) struct Writer(pub Vec<u8>);

impl Writer {
    pub fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn numbers(&mut self, values: impl IntoIterator<Item = u64>) {
        values.into_iter().for_each(|value| self.number(value));
    }

    /// From many lanes to few, each as the difference to the one before: it seldom is below 0.
    fn lanes(&mut self, cycles: &LaneCycles) {
        let mut before = 0;
        for &cycles in cycles.0.iter().rev() {
            let difference = cycles.wrapping_sub(before) as i64;
            self.number(((difference << 1) ^ (difference >> 63)) as u64);
            before = cycles;
        }
    }
}

/// Reads numbers.
pub(crate) struct Reader<'a>(pub &'a [u8]);

impl Reader<'_> {
    #[inline(always)]
    pub fn number(&mut self) -> Result<u64, Wrong> {
        // Nearly all are short.
        if let Some((&byte @ 0..0x80, rest)) = self.0.split_first() {
            self.0 = rest;
            return Ok(byte.into());
        }
        self.long_number()
    }

    fn long_number(&mut self) -> Result<u64, Wrong> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first().ok_or(CUT_OFF)?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("a number is too long")
    }

    #[inline(always)]
    fn small(&mut self) -> Result<u32, Wrong> {
        u32::try_from(self.number()?).map_err(|_| "a number is too large")
    }

    /// The length of a list, each entry of which takes a byte at least.
    pub fn length(&mut self) -> Result<usize, Wrong> {
        let length = self.number()?;
        usize::try_from(length).ok().filter(|&length| length <= self.0.len()).ok_or(CUT_OFF)
    }

    /// A sum over a run.
    fn count(&mut self) -> Result<u64, Wrong> {
        self.number().and_then(|count| if count <= MOST { Ok(count) } else { Err("a count is too large") })
    }

    fn lanes(&mut self) -> Result<LaneCycles, Wrong> {
        let mut cycles = LaneCycles::default();
        let mut before = 0_u64;
        for at in (0..LANE_COUNTS.len()).rev() {
            let zigzag = self.number()?;
            before = before.wrapping_add((zigzag >> 1) ^ (zigzag & 1).wrapping_neg());
            cycles.0[at] = before;
        }
        if cycles.0.iter().any(|&cycles| cycles > MOST) { Err("a count is too large") } else { Ok(cycles) }
    }

    /// Nothing is left over.
    pub fn end(&self) -> Result<(), Wrong> {
        if self.0.is_empty() { Ok(()) } else { Err("bytes are left over") }
    }
}

impl Steps {
    /// As bytes.
    pub fn encode(&self, to: &mut Writer) {
        to.number(self.spans.len() as u64);
        self.spans.iter().for_each(|span| to.lanes(span));
        to.number(self.len() as u64);
        for step in 0..self.len() {
            let (host, mut first, blocks) = self.step(step);
            to.number(host.len() as u64);
            host.iter().for_each(|&(input, packets)| to.numbers([input.into(), packets.into()]));
            to.number(blocks.len() as u64);
            for block in blocks {
                let end = block.sends_end as usize;
                to.numbers([block.block.into(), (end - first) as u64]);
                for send in &self.sends[first..end] {
                    to.numbers([send.route.into(), usize::from(send.span) as u64, send.packets.into()]);
                }
                to.number(usize::from(block.tail) as u64);
                first = end;
            }
        }
    }

    /// From bytes, all of which it takes. What it names may not be there: see [`Steps::check`].
    pub fn decode(bytes: &[u8]) -> Result<Steps, Wrong> {
        let mut from = Reader(bytes);
        let mut steps = Steps::default();
        for _ in 0..from.length()? {
            steps.spans.push(from.lanes()?);
        }
        let count = from.length()?;
        steps.ends.reserve_exact(count);
        for _ in 0..count {
            for _ in 0..from.length()? {
                steps.host.push((from.small()?, from.small()?));
            }
            for _ in 0..from.length()? {
                let (block, sends) = (from.small()?, from.length()?);
                for _ in 0..sends {
                    let (route, span, packets) = (from.small()?, from.small()?, from.small()?);
                    steps.sends.push(Send { span: (span as usize).into(), packets, route });
                }
                let tail = (from.small()? as usize).into();
                steps.blocks.push(BlockStep { block, sends_end: steps.sends.len() as u32, tail });
            }
            steps.ends.push((steps.host.len() as u32, steps.blocks.len() as u32));
        }
        from.end()?;
        Ok(steps)
    }
}

impl Counted {
    /// As bytes.
    pub fn encode(&self, to: &mut Writer) {
        to.numbers([self.steps, self.configuration_bits]);
        to.numbers(self.host_packets.iter().copied());
        for BlockCounted { counters, lanes } in &self.blocks {
            to.numbers([counters.steps, counters.events, counters.synapses, counters.saturated]);
            to.numbers(counters.packets.iter().copied());
            for (counts, lanes) in counters.addresses.iter().zip(lanes) {
                to.numbers([counts.executed, counts.elements, counts.saturated]);
                to.lanes(lanes);
            }
        }
    }

    /// From bytes: the counters of an image.
    pub fn decode(from: &mut Reader, image: &Image) -> Result<Counted, Wrong> {
        let mut counted = Counted::none(image);
        (counted.steps, counted.configuration_bits) = (from.count()?, from.count()?);
        counted.host_packets = image.host_inputs.iter().map(|_| from.count()).collect::<Result<_, _>>()?;
        for BlockCounted { counters, lanes } in &mut counted.blocks {
            (counters.steps, counters.events) = (from.count()?, from.count()?);
            (counters.synapses, counters.saturated) = (from.count()?, from.count()?);
            counters.packets = counters.packets.iter().map(|_| from.count()).collect::<Result<_, _>>()?;
            for (counts, lanes) in counters.addresses.iter_mut().zip(lanes) {
                let (executed, elements, saturated) = (from.count()?, from.count()?, from.count()?);
                *counts = AddressCounts { executed, elements, cycles: 0, saturated };
                *lanes = from.lanes()?;
            }
        }
        Ok(counted)
    }
}
