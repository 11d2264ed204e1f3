//! What links between routers carried. It follows from routes and packets, and so needs no timing.

use crate::routes::{links_of, sent_routes};
use onward_chip::Direction;
use onward_emulate::Counters;
use onward_image::Image;
use serde::Serialize;
use std::collections::BTreeMap;

/// A link and what it carried.
#[derive(Clone, Debug, Serialize)]
pub struct LinkPart {
    /// `(0, 1) to (1, 1)`: columns and rows of two tiles.
    pub name: String,
    /// Where it is.
    #[serde(flatten)]
    pub place: LinkPlace,
    /// Flits it carried.
    pub flits: u64,
    /// Cycles that a flit keeps it.
    pub cycles_per_flit: u64,
    /// Share of the run's cycles, barriers left out, in which it carried a flit; `None` where no time was kept.
    pub used_percent: Option<f64>,
}

/// Where a link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LinkPlace {
    /// Column and row of the tile it leads from.
    pub from: (u16, u16),
    /// Of the tile it leads to.
    pub to: (u16, u16),
    /// Whether it leads to another chip.
    pub crosses_chips: bool,
}

/// Links that carried something, by tile and direction.
pub(super) fn links(image: &Image, counters: &Counters) -> Vec<LinkPart> {
    let mut flits: BTreeMap<(u32, Direction), u64> = BTreeMap::new();
    for (from, packets, route) in sent_routes(image, counters).filter(|(_, packets, _)| *packets > 0) {
        for flit in &route.flits {
            for link in links_of(image, from, flit.destination) {
                *flits.entry(link).or_default() += packets;
            }
        }
    }
    let mesh = &image.chip.mesh;
    let cycles = counters.timing.map(|timing| timing.cycles - timing.barrier_cycles).filter(|&cycles| cycles > 0);
    let part = |((tile, direction), flits): ((u32, Direction), u64)| {
        let from = mesh.coordinates(tile);
        let to = mesh.coordinates(mesh.neighbour(tile, direction).unwrap_or(tile));
        let cycles_per_flit = u64::from(mesh.link(tile, direction).1);
        LinkPart {
            name: format!("({}, {}) to ({}, {})", from.0, from.1, to.0, to.1),
            place: LinkPlace { from, to, crosses_chips: mesh.leaves_chip(tile, direction) },
            flits,
            cycles_per_flit,
            used_percent: cycles.map(|cycles| 100.0 * (flits * cycles_per_flit) as f64 / cycles as f64),
        }
    };
    flits.into_iter().map(part).collect()
}
