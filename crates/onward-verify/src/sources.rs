//! Names of what a value can stem from: the block's own arrays, what arrived, the tag, chance.

use crate::value::Sources;
use onward_image::Block;
use onward_isa::{Space, Width};
use std::collections::BTreeSet;

/// So many things have a bit of their own; what comes behind shares the last one.
const MOST: usize = 127;

/// Something a value can stem from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Source {
    /// An array of the block, or what no array covers of one of its memories.
    Array { space: Space, name: String },
    /// Packets from a population, or from a host input.
    Packets(String),
    /// Packets along a route that is no edge of the network.
    Undeclared(String),
    /// The tag, and what is derived from it.
    Tag,
    /// Which axons were active, and when.
    Activity,
    /// The block's generator.
    Chance,
}

/// An array's place in a memory, in bits.
#[derive(Clone, Copy, Debug)]
struct Place {
    space: Space,
    first: i64,
    end: i64,
}

/// All that the values of a block can stem from, numbered.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    sources: Vec<Source>,
    /// Where each array lies; the first sources are arrays.
    places: Vec<Place>,
}

impl Names {
    pub const TAG: usize = 0;
    pub const ACTIVITY: usize = 1;
    pub const CHANCE: usize = 2;
    /// The three memories, where no array lies.
    const NAMELESS: usize = 3;
    const ARRAYS: usize = 6;

    /// The arrays of a block; senders are added as they come.
    pub fn of(block: &Block) -> Names {
        let mut names = Names { sources: vec![Source::Tag, Source::Activity, Source::Chance], places: Vec::new() };
        for space in [Space::Neuron, Space::Axon, Space::Synapse] {
            names.sources.push(Source::Array { space, name: format!("{} without a name", space.name()) });
        }
        for symbol in &block.symbols {
            let (Some(space), Some(width)) = (symbol.space(), symbol.width()) else { continue };
            let bits = i64::from(width.bits());
            let first = i64::from(symbol.offset) * bits;
            let elements = i64::try_from(symbol.elements()).unwrap_or(0);
            names.places.push(Place { space, first, end: first + elements.saturating_mul(bits) });
            names.sources.push(Source::Array { space, name: symbol.name.clone() });
        }
        names
    }

    /// The bit of a sender.
    pub fn sender(&mut self, name: &str) -> Sources {
        self.number(Source::Packets(name.to_owned()))
    }

    /// The bit of a sender that the network does not name as one.
    pub fn undeclared(&mut self, name: &str) -> Sources {
        self.number(Source::Undeclared(name.to_owned()))
    }

    fn number(&mut self, wanted: Source) -> Sources {
        let at = self.sources.iter().position(|source| *source == wanted).unwrap_or_else(|| {
            self.sources.push(wanted);
            self.sources.len() - 1
        });
        Sources::of(at.min(MOST))
    }

    /// The numbers of the arrays that elements `first` to `last` of a memory lie in.
    fn arrays_at(&self, space: Space, width: Width, first: i64, last: i64) -> impl Iterator<Item = usize> + '_ {
        let bits = i64::from(width.bits());
        let (first, end) = (first * bits, (last + 1) * bits);
        let mut covered = first;
        let mut within: Vec<usize> = Vec::new();
        for (at, place) in self.places.iter().enumerate() {
            if place.space == space && place.first < end && first < place.end {
                within.push(Names::ARRAYS + at);
                // Arrays come in the order of their places, as far as compilers and linkers go.
                if place.first <= covered {
                    covered = covered.max(place.end);
                }
            }
        }
        if covered < end {
            within.push(Names::NAMELESS + space as usize);
        }
        within.into_iter()
    }

    /// What elements of a memory stem from: the arrays they lie in.
    pub fn elements(&self, space: Space, width: Width, first: i64, last: i64) -> Sources {
        self.arrays_at(space, width, first, last).fold(Sources::NONE, |all, at| all.and(Sources::of(at.min(MOST))))
    }

    /// Whether elements of a memory lie in more than one array, or in one and beside it.
    pub fn are_several(&self, space: Space, width: Width, first: i64, last: i64) -> bool {
        self.arrays_at(space, width, first, last).nth(1).is_some()
    }

    /// The sources whose bits are set.
    pub fn of_bits(&self, sources: Sources) -> BTreeSet<Source> {
        let known = self.sources.iter().enumerate();
        known.filter(|(at, _)| sources.0 >> (*at).min(MOST) & 1 == 1).map(|(_, source)| source.clone()).collect()
    }
}
