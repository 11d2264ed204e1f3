//! The declared network, and whether routes are its edges.

use crate::breach::{Breach, Rule};
use onward_image::{
    Block, BlockIndex, Delivery, HostInput, HostInputKind, Image, Population, PopulationIndex, PopulationKind, Route,
    indices,
};
use std::collections::BTreeSet;

/// Who may send to whom: the edges of a network, those through populations that are on no core taken together.
pub(crate) struct Edges {
    pub all: BTreeSet<(PopulationIndex, PopulationIndex)>,
}

impl Edges {
    /// Those that an image declares.
    pub fn of(image: &Image) -> Edges {
        let network = &image.network;
        let mut all: BTreeSet<_> = network.edges.iter().copied().collect();
        let on_cores: BTreeSet<PopulationIndex> = image.blocks.iter().map(|block| block.population).collect();
        for through in indices(PopulationIndex::default()..network.populations.next_key()) {
            let is_folded = network.populations[through].kind == PopulationKind::Folded;
            if !is_folded || on_cores.contains(&through) {
                continue;
            }
            let from: Vec<_> = all.iter().filter(|(_, to)| *to == through).map(|(from, _)| *from).collect();
            let to: Vec<_> = all.iter().filter(|(from, _)| *from == through).map(|(_, to)| *to).collect();
            all.extend(from.iter().flat_map(|&from| to.iter().map(move |&to| (from, to))));
        }
        Edges { all }
    }

    fn has(&self, from: PopulationIndex, to: PopulationIndex) -> bool {
        self.all.contains(&(from, to))
    }

    fn leads_from(&self, wanted: impl Fn(PopulationIndex) -> bool, to: PopulationIndex) -> bool {
        self.all.iter().any(|&(from, at)| at == to && wanted(from))
    }
}

/// Whether the edges lead forward: in no circle but from a population to itself.
pub(crate) fn forward(image: &Image, edges: &Edges, breaches: &mut Vec<Breach>) {
    let name = |population: PopulationIndex| &image.network.populations[population].name;
    let others = || edges.all.iter().filter(|(from, to)| from != to);
    // What nothing leads to any more is taken away, again and again; what is left lies on a circle or behind one.
    let mut left: BTreeSet<PopulationIndex> = others().flat_map(|&(from, to)| [from, to]).collect();
    loop {
        let fed: BTreeSet<PopulationIndex> =
            others().filter(|(from, to)| left.contains(from) && left.contains(to)).map(|(_, to)| *to).collect();
        if fed.len() == left.len() {
            break;
        }
        left = fed;
    }
    if let Some((from, to)) = others().find(|(from, to)| left.contains(from) && left.contains(to) && from > to) {
        let what = format!("the edge from `{}` to `{}` closes a circle", name(*from), name(*to));
        breaches.push(Breach::of(Rule::Forward, what));
    } else if let Some(&population) = left.first() {
        let what = format!("`{}` lies on a circle of edges", name(population));
        breaches.push(Breach::of(Rule::Forward, what));
    }
}

/// Whether every route is an edge, and what the host sends an input or a target.
pub(crate) fn routes(image: &Image, edges: &Edges, breaches: &mut Vec<Breach>) {
    let population = |number: BlockIndex| image.blocks.get(number).map(|block| block.population);
    let name = |number: PopulationIndex| image.network.populations[number].name.as_str();
    for (number, block) in image.blocks.iter_enumerated() {
        for route in &block.routes {
            for taker in takers(route) {
                let from = block.population;
                let what = match taker {
                    Delivery::Host => {
                        let is_readout = image.network.populations[from].is_readout();
                        let reaches = |kind: fn(&Population) -> bool| {
                            edges.all.iter().any(|&(at, to)| at == from && kind(&image.network.populations[to]))
                        };
                        // Of a network it is the readout that answers; of a system by hand it is whoever is said to.
                        if is_readout || reaches(Population::is_readout) || is_by_hand(image) {
                            continue;
                        }
                        format!("route `{}` leads to the host, but `{}` is no readout", route.name, name(from))
                    }
                    Delivery::Block { block, .. } => match population(*block) {
                        Some(to) if edges.has(from, to) => continue,
                        Some(to) => format!(
                            "route `{}` leads to block {block}, but the network has no edge from `{}` to `{}`",
                            route.name,
                            name(from),
                            name(to)
                        ),
                        None => format!("route `{}` leads to block {block}, which there is not", route.name),
                    },
                };
                breaches.push(of_block(image, Rule::Edges, number, block, what));
            }
        }
    }
    for input in &image.host_inputs {
        for taker in takers(&input.route) {
            let Delivery::Block { block: taker, .. } = taker else { continue };
            let Some((to, block)) = population(*taker).zip(image.blocks.get(*taker)) else { continue };
            if is_declared(image, edges, input, to) {
                continue;
            }
            let what =
                format!("the host sends {} to `{}`, but the network has no such edge", kind_of(input.kind), name(to));
            breaches.push(of_block(image, Rule::Edges, *taker, block, what));
        }
    }
}

/// A breach that a block is to blame for.
pub(crate) fn of_block(image: &Image, rule: Rule, number: BlockIndex, block: &Block, what: String) -> Breach {
    let layer = image.network.populations.get(block.population).map(|population| population.name.clone());
    Breach { core: Some(block.core.0), block: Some(number.0), layer, ..Breach::of(rule, what) }
}

/// Who takes the packets of a route.
pub(crate) fn takers(route: &Route) -> impl Iterator<Item = &Delivery> {
    route.flits.iter().flat_map(|flit| &flit.deliveries)
}

/// Whether the image is of a system by hand: it declares no input, so that what the host sends is packets of any sort.
pub(crate) fn is_by_hand(image: &Image) -> bool {
    image.network.input().is_none() && image.network.target().is_none() && image.network.readout().is_none()
}

/// Whether what the host sends may go to a population.
fn is_declared(image: &Image, edges: &Edges, input: &HostInput, to: PopulationIndex) -> bool {
    let populations = &image.network.populations;
    let is_input = |from: PopulationIndex| {
        matches!(populations[from].kind, PopulationKind::RateInput { .. } | PopulationKind::EncodedInput { .. })
    };
    let is_target = |from: PopulationIndex| populations[from].is_target();
    match input.kind {
        HostInputKind::Input | HostInputKind::Values => edges.leads_from(is_input, to),
        HostInputKind::Target | HostInputKind::TargetValues => edges.leads_from(is_target, to),
        // What a window is reaches the layers that the input, or the target, reaches.
        HostInputKind::Tag => edges.leads_from(|from| is_input(from) || is_target(from), to),
        HostInputKind::Packets => is_by_hand(image),
    }
}

/// What a host input is called.
pub(crate) fn kind_of(kind: HostInputKind) -> &'static str {
    match kind {
        HostInputKind::Tag => "tags",
        HostInputKind::Target => "targets",
        HostInputKind::Input => "inputs",
        HostInputKind::Packets => "packets",
        HostInputKind::Values => "values",
        HostInputKind::TargetValues => "target values",
    }
}
