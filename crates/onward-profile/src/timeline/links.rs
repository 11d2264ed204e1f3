//! The links that packets cross, by who sends them.

use crate::routes::links_of;
use onward_chip::Direction;
use onward_emulate::PacketSource;
use onward_image::{BlockIndex, Endpoint, Image, Route};
use std::collections::BTreeMap;
use typed_index_collections::TiVec;

/// A link between two routers.
#[derive(Clone, Debug)]
pub(super) struct Link {
    /// Column and row of the tile it leads from.
    pub from: (u16, u16),
    /// Of the tile it leads to.
    pub to: (u16, u16),
    /// Cycles that a flit keeps it.
    pub cycles_per_flit: u64,
}

impl Link {
    /// `(0, 1) to (1, 1)`.
    pub fn name(&self) -> String {
        let (from, to) = (self.from, self.to);
        format!("({}, {}) to ({}, {})", from.0, from.1, to.0, to.1)
    }
}

/// Number of a link, and how many flits a packet sends over it.
type Crossed = Vec<(usize, u64)>;

/// The links that an image's packets can cross, by tile and direction.
#[derive(Clone, Debug, Default)]
pub(super) struct LinkTable {
    pub links: Vec<Link>,
    of_host: Vec<Crossed>,
    of_blocks: TiVec<BlockIndex, Vec<Crossed>>,
}

impl LinkTable {
    pub fn new(image: &Image) -> LinkTable {
        let mesh = &image.chip.mesh;
        let crossed = |from: Endpoint, route: &Route| {
            let mut flits: BTreeMap<(u32, Direction), u64> = BTreeMap::new();
            for link in route.flits.iter().flat_map(|flit| links_of(image, from, flit.destination)) {
                *flits.entry(link).or_default() += 1;
            }
            flits
        };
        let host = Endpoint::Host(image.host_port);
        let of_host: Vec<_> = image.host_inputs.iter().map(|input| crossed(host, &input.route)).collect();
        let of_blocks: TiVec<BlockIndex, Vec<_>> = image
            .blocks
            .iter()
            .map(|block| block.routes.iter().map(|route| crossed(Endpoint::Core(block.core), route)).collect())
            .collect();
        let all = of_host.iter().chain(of_blocks.iter().flatten()).flat_map(|crossed| crossed.keys().copied());
        let numbers: BTreeMap<(u32, Direction), usize> =
            all.collect::<std::collections::BTreeSet<_>>().into_iter().zip(0..).collect();
        let links = numbers.keys().map(|&(tile, direction)| Link {
            from: mesh.coordinates(tile),
            to: mesh.coordinates(mesh.neighbour(tile, direction).unwrap_or(tile)),
            cycles_per_flit: u64::from(mesh.link(tile, direction).1),
        });
        let numbered = |crossed: &BTreeMap<(u32, Direction), u64>| {
            crossed.iter().map(|(link, &flits)| (numbers[link], flits)).collect::<Crossed>()
        };
        LinkTable {
            links: links.collect(),
            of_host: of_host.iter().map(numbered).collect(),
            of_blocks: of_blocks.iter().map(|routes| routes.iter().map(numbered).collect()).collect(),
        }
    }

    /// The links that a packet crosses; none of a source that the image does not have.
    pub fn of(&self, source: PacketSource) -> &[(usize, u64)] {
        let crossed = match source {
            PacketSource::Host { input } => self.of_host.get(input),
            PacketSource::Block { block, route } => self.of_blocks.get(block).and_then(|routes| routes.get(route)),
        };
        crossed.map_or(&[], Vec::as_slice)
    }
}
