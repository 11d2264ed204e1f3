//! What the host keeps to: the one thing that an image cannot show by itself.
//!
//! The host is outside the chip, and a handler may well use what it sends as an address: a target's slot, for example. So a
//! proof holds for hosts that keep to a contract, which is part of what it says.

use crate::range::{MOST, Range};
use onward_image::{HostInputKind, Image, Tag};
use std::collections::{BTreeMap, BTreeSet};

/// What a host keeps to.
///
/// Of an image of a network it follows from the image ([`Contract::of`]): tags are those of [`Tag`], with slots and rivals
/// below the number of classes; the inputs' packets come in steps of input windows, the target's in those of target windows,
/// and values of a target in the last steps of input windows of samples that are learned from. Of a system in assembly the packets that its text lists are all there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contract {
    /// By the number of a host input: the payloads its packets have. Any, for an input that is not named.
    pub payloads: BTreeMap<usize, Vec<i32>>,
}

impl Contract {
    /// The contract of hosts that show samples to a network.
    pub fn of_network() -> Contract {
        Contract::default()
    }

    /// The contract of a host that sends these packets, each an input and a payload, and no others.
    pub fn of_packets(inputs: usize, packets: impl IntoIterator<Item = (usize, i32)>) -> Contract {
        let mut payloads: BTreeMap<usize, BTreeSet<i32>> = (0..inputs).map(|input| (input, BTreeSet::new())).collect();
        for (input, payload) in packets {
            payloads.entry(input).or_default().insert(payload);
        }
        Contract { payloads: payloads.into_iter().map(|(input, all)| (input, all.into_iter().collect())).collect() }
    }

    /// What it says of an image's host, in sentences.
    pub(crate) fn sentences(&self, image: &Image) -> Vec<String> {
        let mut all = Vec::new();
        for (input, of_image) in image.host_inputs.iter().enumerate().filter(|(_, input)| input.first == 0) {
            all.push(match of_image.kind {
                HostInputKind::Tag => match image.network.classes() {
                    Some(classes) => format!("tags open windows; their slots and rivals are below {classes}"),
                    None => "tags open windows; their slots and rivals are 0".into(),
                },
                HostInputKind::Input => "inputs are spikes, and come in the steps of input windows".into(),
                HostInputKind::Values => "input values come in the steps of input windows".into(),
                HostInputKind::Target => "targets are spikes, and come in the steps of target windows".into(),
                HostInputKind::TargetValues => {
                    "target values come in the last steps of input windows of samples that are learned from".into()
                }
                HostInputKind::Packets => match self.payloads.get(&input) {
                    Some(payloads) => {
                        let (least, most) = (payloads.iter().min().unwrap_or(&0), payloads.iter().max().unwrap_or(&0));
                        format!("packets of input {input} carry {least} to {most}")
                    }
                    None => format!("packets of input {input} carry anything"),
                },
            });
        }
        if image.blocks.iter().any(|block| !block.symbols.is_empty()) {
            all.push(
                "over the configuration port it writes weights, biases, rates and what is frozen, but no tables".into(),
            );
        }
        all
    }

    /// What tags a host input can send.
    pub(crate) fn tags(&self, image: &Image, input: usize) -> Tags {
        let kind = image.host_inputs[input].kind;
        if let Some(payloads) = self.payloads.get(&input) {
            let listed: BTreeSet<i32> = payloads.iter().copied().collect();
            return Tags::Listed(listed.into_iter().collect());
        }
        match kind {
            HostInputKind::Tag => Tags::Windows {
                slots: image.network.classes().unwrap_or(1).clamp(1, 1 << 16),
                targets: image.host_input(HostInputKind::Target).is_some(),
            },
            HostInputKind::Input | HostInputKind::Target => Tags::Listed(vec![1]),
            HostInputKind::Packets | HostInputKind::Values | HostInputKind::TargetValues => Tags::Any,
        }
    }
}

/// What tags a block can take.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Tags {
    /// None: no packet leads to it, or it takes none.
    None,
    /// Those that open windows, of a network with so many slots.
    Windows {
        /// Classes; 1 where there are none.
        slots: u32,
        /// Whether there are target windows.
        targets: bool,
    },
    /// These, in ascending order.
    Listed(Vec<i32>),
    /// Any number.
    Any,
}

impl Tags {
    /// Both kinds of tags.
    pub fn and(self, other: Tags) -> Tags {
        match (self, other) {
            (same, other) if same == other => same,
            (Tags::None, some) | (some, Tags::None) => some,
            (Tags::Listed(mut all), Tags::Listed(more)) => {
                all.extend(more);
                all.sort_unstable();
                all.dedup();
                Tags::Listed(all)
            }
            _ => Tags::Any,
        }
    }

    /// The numbers that `(tag >> shift) & mask` can be, a tag of 0 among them: that is what there is before the first.
    pub fn bits(&self, shift: u32, mask: i64) -> Range {
        let part = |tag: i64| (tag >> shift) & mask;
        match self {
            Tags::None => Range::of(0),
            Tags::Any if mask >= 0 => Range::between(0, mask),
            Tags::Any => Range::ANY,
            Tags::Listed(tags) => {
                tags.iter().map(|&tag| Range::of(part(tag.into()))).fold(Range::of(part(0)), Range::join)
            }
            Tags::Windows { slots, targets } => {
                // Each field by itself; together they are at most the sum, and a tag is negative only by a rival above 127.
                let slots = i64::from(*slots);
                let rivals = slots.min(256);
                let flags = i64::from(*targets) | i64::from(1 << 2 | Tag::CONTINUES | Tag::RIVAL | Tag::ANSWER);
                let fields = [(flags, 2), (1 << 8, slots), (1 << 24, rivals)];
                let greatest = fields.iter().map(|&(unit, count)| {
                    let number = |of: i64| part(i64::from((unit * of) as i32));
                    (0..count).map(number).fold(0, i64::max)
                });
                let sum: i64 = greatest.sum();
                if rivals > 128 && mask < 0 { Range::ANY } else { Range::between(0, sum.min(MOST)) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tag_of_a_window_is_among_those_that_are_expected() {
        let tags = Tags::Windows { slots: 10, targets: true };
        for target in [false, true] {
            for slot in 0..10 {
                for rival in [None, Some(0), Some(9)] {
                    let tag = Tag { target, learn: true, answer: true, slot, rival };
                    for payload in [tag.payload(), tag.payload() | Tag::CONTINUES] {
                        for (shift, mask) in [(0, -1), (0, 3), (2, 1), (8, 0xffff), (24, 255), (0, 16), (4, 0xff)] {
                            let found = i64::from(payload >> shift) & mask;
                            assert!(tags.bits(shift, mask).contains(found), "{payload:#x} >> {shift} & {mask:#x}");
                        }
                    }
                }
            }
        }
        assert_eq!(tags.bits(8, 0xffff), Range::between(0, 9));
        assert_eq!(tags.bits(24, 255), Range::between(0, 9));
        assert_eq!(tags.bits(0, 3), Range::between(0, 1));
    }
}
