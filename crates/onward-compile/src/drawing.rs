//! Blocks as drawings, in the language of Graphviz: who sends what to whom, and where blocks live.

use crate::pass::Compilation;
use crate::plan::PlannedSource;
use onward_image::{BlockIndex, Delivery, Destination, Route};
use std::collections::BTreeMap;
use std::fmt::{Display, Write};

/// What is drawn as a node of its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Host,
    Block(BlockIndex),
}

impl Display for End {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            End::Host => formatter.write_str("host"),
            End::Block(number) => write!(formatter, "block{number}"),
        }
    }
}

/// What goes from one to another: an arrow for each pair, with all that it carries.
type Arrows = BTreeMap<(End, End), Vec<String>>;

/// Blocks by layer, and what each takes of which other.
pub(crate) fn by_layer(compilation: &Compilation) -> String {
    let groups = compilation.blocks.iter().map(|block| compilation.network().graph[block.node].name().to_owned());
    draw(compilation, groups, &inlets(compilation))
}

/// Blocks by core, and what each takes of which other.
pub(crate) fn by_core(compilation: &Compilation) -> String {
    draw(compilation, cores(compilation), &inlets(compilation))
}

/// Blocks by core, and which route brings what each sends to its takers.
pub(crate) fn by_route(compilation: &Compilation) -> String {
    let mut arrows = Arrows::new();
    let mut add = |from: End, route: &Route| {
        for flit in &route.flits {
            let how = match flit.destination {
                Destination::Unicast(_) => String::new(),
                Destination::Multicast(tree) => format!(" by tree {}", tree.0),
            };
            for delivery in &flit.deliveries {
                let to = match delivery {
                    Delivery::Host => End::Host,
                    Delivery::Block { block, .. } => End::Block(*block),
                };
                arrows.entry((from, to)).or_default().push(format!("{}{how}", route.name));
            }
        }
    };
    for input in &compilation.routing.host_inputs {
        add(End::Host, &input.route);
    }
    for (number, routes) in compilation.routing.routes.iter_enumerated() {
        routes.iter().for_each(|route| add(End::Block(number), route));
    }
    draw(compilation, cores(compilation), &arrows)
}

/// What blocks take, as `partition` has planned it.
fn inlets(compilation: &Compilation) -> Arrows {
    let mut arrows = Arrows::new();
    for (number, block) in compilation.blocks.iter_enumerated() {
        for inlet in block.inlets.iter() {
            let (from, what) = match inlet.from {
                PlannedSource::Host(node, _) => {
                    (End::Host, format!("{} of {}", inlet.what.name(), compilation.network().graph[node].name()))
                }
                PlannedSource::Block(sender) => (End::Block(sender), inlet.what.name().to_owned()),
            };
            arrows.entry((from, End::Block(number))).or_default().push(what);
        }
    }
    arrows
}

/// What each block's core is called.
fn cores(compilation: &Compilation) -> impl Iterator<Item = String> {
    let mesh = &compilation.options.chip.mesh;
    compilation.cores.iter().map(|core| {
        let (x, y) = mesh.coordinates(core.tile(mesh).0);
        format!("core {} at ({x}, {y})", core.0)
    })
}

/// A box for each block, a frame about those of one group, an arrow for each pair that has something to say.
fn draw(compilation: &Compilation, groups: impl Iterator<Item = String>, arrows: &Arrows) -> String {
    let mut members: BTreeMap<String, Vec<BlockIndex>> = BTreeMap::new();
    // In the order of their first blocks, not of their names.
    let mut order: Vec<String> = Vec::new();
    for (number, group) in compilation.blocks.keys().zip(groups) {
        let blocks = members.entry(group.clone()).or_default();
        if blocks.is_empty() {
            order.push(group);
        }
        blocks.push(number);
    }
    let mut text = String::from("digraph {\n    node [shape = box]\n    host [shape = oval]\n");
    let mut line = |line: String| writeln!(text, "{line}").expect("writing to memory");
    for (at, group) in order.iter().enumerate() {
        // Names are identifiers, so nothing needs escaping.
        line(format!("    subgraph cluster{at} {{\n        label = \"{group}\""));
        for &number in &members[group] {
            let block = &compilation.blocks[number];
            let name = compilation.network().graph[block.node].name();
            line(format!("        block{number} [label = \"block {number}\\n{name}, {} neurons\"]", block.neurons));
        }
        line("    }".into());
    }
    for ((from, to), what) in arrows {
        line(format!("    {from} -> {to} [label = \"{}\"]", what.join("\\n")));
    }
    text + "}\n"
}
