//! What is to be placed: blocks that send to each other, on a grid of cores.

use onward_chip::{Mesh, Topology};
use onward_image::{Core, Endpoint, Tile, dimension_order_tree, port};
use std::collections::{BTreeMap, BTreeSet};

/// A placement problem, free of where it comes from.
///
/// A packet of a sender goes to all its takers along the tree of dimension-ordered paths (first x, then y) and crosses
/// each link of it once. Where a core holds several takers, a second flit goes to those cores, and so on: so `route`
/// makes flits.
///
/// On a torus each of the two parts of a path goes the shorter way round. A link between chips of an array counts as one.
///
/// Cores are numbered tile by tile, tiles row by row from the northwest. Costs are whole numbers of 64 bits: packets in all
/// times links across the mesh times prices must stay below 2^63.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The mesh of routers, with as many cores at each as it says.
    pub mesh: Mesh,
    /// Tile of the router the host is attached to.
    pub host: u32,
    /// What energy is counted with.
    pub prices: Prices,
    /// What each core offers.
    pub core: CoreRoom,
    /// What each block takes of it.
    pub blocks: Vec<BlockNeeds>,
    /// Who sends what to whom.
    pub senders: Vec<Sender>,
}

/// What energy is counted with, in any unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prices {
    /// A link crossed.
    pub link: u32,
    /// A flit sent.
    pub flit: u32,
}

/// What a core offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CoreRoom {
    /// Amounts of what blocks use up, in the order of [`BlockNeeds::amounts`].
    pub amounts: Vec<u64>,
    /// Words of programs.
    pub program_words: u64,
}

/// What a block takes of its core.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockNeeds {
    /// Amounts that add up.
    pub amounts: Vec<u64>,
    /// Its program, which the blocks of a core share.
    pub program: usize,
    /// Words of the program.
    pub program_words: u64,
    /// How long it computes in a step, in any unit.
    pub work: u64,
}

/// Someone on the mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// A block, by number.
    Block(u32),
    /// Something that stays where it is, such as the host: the tile of its router.
    Fixed(u32),
}

/// A source of packets that all go to the same takers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// Who sends.
    pub from: Party,
    /// Who takes each packet.
    pub takers: Vec<Party>,
    /// Packets in a unit of time.
    pub packets: u64,
}

/// What a placement costs, counted from its trees.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measures {
    /// Links between routers that packets cross in a unit of time.
    pub packet_hops: u64,
    /// Flits into the mesh.
    pub flits: u64,
    /// Flits given to takers.
    pub deliveries: u64,
    /// Links from sender to taker: mean over deliveries.
    pub mean_path: f64,
    /// Links from sender to taker: the most there are.
    pub longest_path: u32,
    /// Packets in a unit of time over the link that has most.
    pub busiest_link: u64,
}

impl Problem {
    /// Columns of tiles.
    pub fn width(&self) -> u32 {
        self.mesh.width.into()
    }

    /// Rows of tiles.
    pub fn height(&self) -> u32 {
        self.mesh.height.into()
    }

    /// Number of tiles.
    pub fn tiles(&self) -> u32 {
        self.width() * self.height()
    }

    /// Cores at each router, one behind the other in number.
    pub fn cores_per_tile(&self) -> u32 {
        self.mesh.cores_per_tile.into()
    }

    /// Number of cores.
    pub fn cores(&self) -> u32 {
        self.tiles() * self.cores_per_tile()
    }

    /// Number of cores that are not dead: the others hold no block.
    pub fn working_cores(&self) -> u32 {
        self.mesh.working_cores() as u32
    }

    /// Whether rows and columns are rings.
    pub(crate) fn is_torus(&self) -> bool {
        self.mesh.topology == Topology::Torus
    }

    /// How far paths from a place in a row or column of this length to others lead: up at most, and down at most.
    pub(crate) fn furthest(&self, at: u32, to: impl IntoIterator<Item = u32>, length: u32) -> (u32, u32) {
        let mut furthest = (0, 0);
        for to in to {
            match self.mesh.goes_up(at as u16, to as u16, length as u16) {
                None => {}
                Some(true) => furthest.0 = furthest.0.max((to + length - at) % length),
                Some(false) => furthest.1 = furthest.1.max((at + length - to) % length),
            }
        }
        furthest
    }

    /// Links between two tiles, along the row and along the column.
    pub(crate) fn apart(&self, (ax, ay): (u32, u32), (bx, by): (u32, u32)) -> (u32, u32) {
        let shorter = |links: u32, length: u32| if self.is_torus() { links.min(length - links) } else { links };
        (shorter(ax.abs_diff(bx), self.width()), shorter(ay.abs_diff(by), self.height()))
    }

    /// Links of a shortest path between two tiles.
    pub(crate) fn distance(&self, a: (u32, u32), b: (u32, u32)) -> u64 {
        let (x, y) = self.apart(a, b);
        u64::from(x + y)
    }

    /// Column and row of a tile.
    pub(crate) fn coordinates(&self, tile: u32) -> (u32, u32) {
        (tile % self.width(), tile / self.width())
    }

    /// Tile of a party, where blocks are on these cores.
    pub(crate) fn tile_of(&self, party: Party, cores: &[u32]) -> u32 {
        match party {
            Party::Block(block) => cores[block as usize] / self.cores_per_tile(),
            Party::Fixed(tile) => tile,
        }
    }

    /// Column and row of a party, where blocks are on these cores.
    pub(crate) fn at(&self, party: Party, cores: &[u32]) -> (u32, u32) {
        self.coordinates(self.tile_of(party, cores))
    }

    /// Whether these blocks fit a core together.
    pub fn fits(&self, blocks: &[u32]) -> bool {
        let needs = |&block: &u32| &self.blocks[block as usize];
        let amounts = self.core.amounts.iter().enumerate().all(|(at, &room)| {
            let used: u64 = blocks.iter().map(|block| needs(block).amounts[at]).sum();
            used <= room
        });
        let programs: BTreeMap<usize, u64> =
            blocks.iter().map(needs).map(|needs| (needs.program, needs.program_words)).collect();
        amounts && programs.values().sum::<u64>() <= self.core.program_words
    }

    /// How long these blocks compute on one core.
    pub(crate) fn work(&self, blocks: &[u32]) -> u64 {
        blocks.iter().map(|&block| self.blocks[block as usize].work).sum()
    }

    /// Takers of a sender by core, or by tile where they are none of the cores; a set for each flit of a packet.
    fn rounds(&self, sender: &Sender, cores: &[u32]) -> Vec<BTreeSet<(u32, Option<u32>)>> {
        let mut rounds: Vec<BTreeSet<(u32, Option<u32>)>> = Vec::new();
        for &taker in &sender.takers {
            let core = if let Party::Block(block) = taker { Some(cores[block as usize]) } else { None };
            let place = (self.tile_of(taker, cores), core);
            match rounds.iter_mut().find(|round| !round.contains(&place)) {
                Some(round) => drop(round.insert(place)),
                None => rounds.push(BTreeSet::from([place])),
            }
        }
        rounds
    }

    /// What it costs to have the blocks on these cores: every tree is made as `route` makes it, and its links counted.
    ///
    /// # Panics
    /// If a core is none of the mesh.
    pub fn measure(&self, cores: &[u32]) -> Measures {
        let mut measures = Measures::default();
        let mut loads = vec![0; self.tiles() as usize * 4];
        let mut path_links = 0;
        for sender in &self.senders {
            let from = self.tile_of(sender.from, cores);
            for round in self.rounds(sender, cores) {
                let at = |tile: u32| Endpoint::Core(Core::on(Tile(tile), 0, &self.mesh));
                let takers: Vec<Endpoint> = round.iter().map(|&(tile, _)| at(tile)).collect();
                let tree = dimension_order_tree(&self.mesh, &[], at(from), &takers);
                for &(tile, ports) in &tree.branches {
                    let links = [port::NORTH, port::EAST, port::SOUTH, port::WEST].into_iter().enumerate();
                    for (direction, _) in links.filter(|&(_, link)| ports & link != 0) {
                        measures.packet_hops += sender.packets;
                        loads[tile.0 as usize * 4 + direction] += sender.packets;
                    }
                }
                measures.flits += sender.packets;
                for &(tile, _) in &round {
                    let (x, y) = self.apart(self.coordinates(from), self.coordinates(tile));
                    let links = x + y;
                    measures.deliveries += sender.packets;
                    path_links += sender.packets * u64::from(links);
                    measures.longest_path = measures.longest_path.max(links);
                }
            }
        }
        measures.mean_path = path_links as f64 / measures.deliveries.max(1) as f64;
        measures.busiest_link = loads.into_iter().max().unwrap_or(0);
        measures
    }
}
