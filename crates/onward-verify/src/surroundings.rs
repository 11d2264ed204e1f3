//! What surrounds a block: who sends on which of its axons, and which tags it takes.

use crate::block::{Fed, When};
use crate::contract::{Contract, Tags};
use crate::interpret::Payload;
use crate::network::{Edges, is_by_hand, kind_of, takers};
use crate::sources::Names;
use onward_image::{BlockIndex, Delivery, HostInputKind, Image, Route};
use std::collections::BTreeMap;

/// Who sends packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    /// A host input.
    Host(usize),
    /// A route of a block.
    Block(BlockIndex, u32),
}

/// Packets that a block takes: from index 0 on at an axon.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    pub from: Sender,
    pub first_axon: u32,
    pub indices: u32,
}

/// What each block takes, by its number.
pub(crate) fn taken(image: &Image) -> BTreeMap<BlockIndex, Vec<Taken>> {
    let mut all: BTreeMap<BlockIndex, Vec<Taken>> = BTreeMap::new();
    let mut add = |from: Sender, route: &Route| {
        for delivery in takers(route) {
            if let Delivery::Block { block, first_axon } = *delivery {
                all.entry(block).or_default().push(Taken { from, first_axon, indices: route.indices });
            }
        }
    };
    for (number, input) in image.host_inputs.iter().enumerate() {
        add(Sender::Host(number), &input.route);
    }
    for (number, block) in image.blocks.iter_enumerated() {
        for (route, of_block) in (0..).zip(&block.routes) {
            add(Sender::Block(number, route), of_block);
        }
    }
    all
}

/// Who sends tags to a block.
pub(crate) fn tag_senders(taken: &[Taken]) -> impl Iterator<Item = Sender> + '_ {
    taken.iter().filter(|taken| taken.first_axon == 0 && taken.indices > 0).map(|taken| taken.from)
}

/// What is known of blocks that have been looked at, as far as others depend on it.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub tags: Tags,
    /// By route.
    pub payloads: BTreeMap<u32, Payload>,
    /// By how many steps it is behind the host's first block, if that is known.
    pub behind: Option<i64>,
    /// The position at which it sends on each route, if it is always the same.
    pub sends_at: BTreeMap<u32, i64>,
}

/// Which tags a block takes, and by how many steps it is behind the host's first block.
pub(crate) fn tags_of(
    image: &Image,
    contract: &Contract,
    taken: &[Taken],
    known: &BTreeMap<BlockIndex, Known>,
) -> (Tags, Option<i64>) {
    let mut all = Tags::None;
    let mut behind: Option<Option<i64>> = None;
    for sender in tag_senders(taken) {
        let (tags, steps) = match sender {
            Sender::Host(input) => (contract.tags(image, input), Some(0)),
            Sender::Block(block, route) => match known.get(&block) {
                Some(sender) => {
                    let tags = match sender.payloads.get(&route) {
                        Some(payload) if payload.is_tag() && sender.tags == Tags::None => Tags::Listed(vec![0]),
                        Some(payload) if payload.is_tag() => sender.tags.clone(),
                        Some(payload) => payload.range.single().map_or(Tags::Any, |one| Tags::Listed(vec![one as i32])),
                        None => Tags::None, // it never sends
                    };
                    let sends_at = sender.sends_at.get(&route).copied();
                    (tags, sender.behind.zip(sends_at).map(|(behind, at)| behind + at + 1))
                }
                None => (Tags::Any, None),
            },
        };
        all = all.and(tags);
        behind = Some(match behind {
            Some(before) if before != steps => None,
            _ => steps,
        });
    }
    (all, behind.flatten())
}

/// The axons that packets arrive on, the tag's left out.
pub(crate) fn fed(
    image: &Image,
    edges: &Edges,
    number: BlockIndex,
    taken: &[Taken],
    behind: Option<i64>,
    names: &mut Names,
) -> Vec<Fed> {
    let block = &image.blocks[number];
    let by_hand = is_by_hand(image);
    let populations = &image.network.populations;
    let mut all: Vec<Fed> = Vec::new();
    for taken in taken {
        let (first, last) = (i64::from(taken.first_axon), i64::from(taken.first_axon) + i64::from(taken.indices) - 1);
        let first = first.max(i64::from(block.tagged));
        if first > last {
            continue;
        }
        let (from, when, is_spike) = match taken.from {
            Sender::Host(input) => {
                let kind = image.host_inputs[input].kind;
                let when = match (kind, behind) {
                    (HostInputKind::Input | HostInputKind::Values, Some(0)) if !by_hand => When::Windows { kind: 0 },
                    (HostInputKind::Target, Some(0)) if !by_hand => When::Windows { kind: 1 },
                    // They are sent in the last step of a window, which is later in it for whoever is behind.
                    (HostInputKind::TargetValues, Some(behind)) if !by_hand => {
                        let window = i64::from(image.network.window_steps);
                        When::Learning { position: (window - 1 - behind).rem_euclid(window) }
                    }
                    _ => When::Any,
                };
                let name = populations_of_input(image, kind).unwrap_or_else(|| format!("the host's {}", kind_of(kind)));
                (names.sender(&name), when, !kind.is_graded())
            }
            Sender::Block(sender, _) => {
                let from = image.blocks[sender].population;
                let name = &populations[from].name;
                let bits = match edges.all.contains(&(from, block.population)) {
                    true => names.sender(name),
                    false => names.undeclared(name),
                };
                (bits, When::Any, false)
            }
        };
        all.push(Fed { first, last, from, when, is_spike });
    }
    all.sort_by_key(|fed| fed.first);
    // Neighbours that come alike are one.
    let mut merged: Vec<Fed> = Vec::new();
    for fed in all {
        match merged.last_mut() {
            Some(before)
                if before.last + 1 == fed.first
                    && (before.when, before.is_spike, before.from) == (fed.when, fed.is_spike, fed.from) =>
            {
                before.last = fed.last;
            }
            _ => merged.push(fed),
        }
    }
    merged
}

/// The name of the input or target that a host input shows.
fn populations_of_input(image: &Image, kind: HostInputKind) -> Option<String> {
    let network = &image.network;
    match kind {
        HostInputKind::Input | HostInputKind::Values => network.input().map(|input| input.population.name.clone()),
        HostInputKind::Target | HostInputKind::TargetValues => network.target().map(|target| target.name.clone()),
        HostInputKind::Tag | HostInputKind::Packets => None,
    }
}
