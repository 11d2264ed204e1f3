//! Whether the parts of an image fit each other: what all other rules count on.

use crate::breach::{Breach, Rule};
use crate::network::of_block;
use onward_image::{Block, BlockIndex, Delivery, Destination, Image, Route, Symbol};

/// Checks that no index leads nowhere; without that nothing else can be looked at.
pub(crate) fn indices(image: &Image, breaches: &mut Vec<Breach>) {
    let populations = image.network.populations.next_key();
    let mut add = |what: String| breaches.push(Breach::of(Rule::Structure, what));
    if let Err(error) = image.chip.validate() {
        add(error.to_string());
    }
    if image.network.edges.iter().any(|&(from, to)| from >= populations || to >= populations) {
        add("an edge leads to a population that there is not".into());
    }
    if image.network.window_steps == 0 {
        add("its window has no steps".into());
    }
    for (number, block) in image.blocks.iter_enumerated() {
        let words = image.programs.get(block.program).map(|program| program.words.len());
        let what = if block.population >= populations {
            "its population is missing"
        } else if words.is_none_or(|words| block.entry as usize >= words) {
            "its program is missing, or does not have its entry"
        } else if block.core.0 as usize >= image.chip.mesh.cores() {
            "its core is not on the chip"
        } else if block.routes.iter().any(|route| !leads_somewhere(image, route)) {
            "a route of it leads to what there is not"
        } else if block
            .contents
            .iter()
            .zip(&block.memory_bytes)
            .any(|(contents, &bytes)| contents.len() > bytes as usize)
        {
            "its contents are larger than its memories"
        } else {
            continue;
        };
        add(format!("block {number}: {what}"));
    }
    if image.host_inputs.iter().any(|input| !leads_somewhere(image, &input.route)) {
        add("a route of the host leads to what there is not".into());
    }
}

fn leads_somewhere(image: &Image, route: &Route) -> bool {
    route.indices <= 1 << 20
        && route.flits.iter().all(|flit| {
            let reaches = match flit.destination {
                Destination::Multicast(tree) => image.trees.get(tree).is_some(),
                Destination::Unicast(_) => true,
            };
            reaches
                && flit.deliveries.iter().all(|delivery| match *delivery {
                    Delivery::Block { block, .. } => image.blocks.get(block).is_some(),
                    Delivery::Host => true,
                })
        })
}

/// All else that a loader checks. Rules that say more of the same are looked at before.
pub(crate) fn whole(image: &Image, breaches: &mut Vec<Breach>) {
    if let Err(what) = image.check() {
        breaches.push(Breach::of(Rule::Structure, what));
    }
}

/// Whether what is on each core fits it, and no array lies over another.
pub(crate) fn budgets(image: &Image, breaches: &mut Vec<Breach>) {
    for usage in image.core_usage() {
        for limit in usage.limits(&image.chip) {
            if limit.needed > limit.available {
                let what = format!("{} needs {}, there are {}", limit.what, limit.needed, limit.available);
                breaches.push(Breach { core: Some(usage.core.0), ..Breach::of(Rule::Budgets, what) });
            }
        }
    }
    for (number, block) in image.blocks.iter_enumerated() {
        overlaps(image, number, block, breaches);
    }
}

/// The first and the end of an array, in bits.
fn bits(symbol: &Symbol) -> Option<(u64, u64)> {
    let bits = u64::from(symbol.width()?.bits());
    let first = u64::from(symbol.offset).checked_mul(bits)?;
    Some((first, first.checked_add(symbol.elements().checked_mul(bits)?)?))
}

fn overlaps(image: &Image, number: BlockIndex, block: &Block, breaches: &mut Vec<Breach>) {
    let mut arrays: Vec<(u8, u64, u64, &str)> = Vec::new();
    for symbol in &block.symbols {
        let bytes = block.memory_bytes.get(usize::from(symbol.space));
        match bits(symbol).zip(bytes) {
            Some(((first, end), &bytes)) if end <= u64::from(bytes) * 8 => {
                if first < end {
                    arrays.push((symbol.space, first, end, &symbol.name));
                }
            }
            _ => {
                let what = format!("array `{}` does not lie in its memory", symbol.name);
                breaches.push(of_block(image, Rule::Budgets, number, block, what));
            }
        }
    }
    arrays.sort_unstable();
    for pair in arrays.windows(2) {
        let ((space, first, end, name), (other_space, other_first, other_end, other)) = (pair[0], pair[1]);
        // The same elements under two names are no mistake: one names a part, or all, of the other.
        let is_part = (first, end) == (other_first, other_end);
        if space == other_space && other_first < end && !is_part {
            let what = format!("arrays `{name}` and `{other}` lie one over the other");
            breaches.push(of_block(image, Rule::Budgets, number, block, what));
        }
    }
}
