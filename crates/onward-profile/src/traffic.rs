//! What a run sent, for the next placement.

use onward_emulate::Counters;
use onward_image::{Image, Traffic};

/// Packets by sender and route.
///
/// # Panics
/// If the counters are of another image.
pub fn traffic(image: &Image, counters: &Counters) -> Traffic {
    let mut blocks = vec![Vec::new(); image.blocks.len()];
    for counted in &counters.blocks {
        blocks[usize::from(counted.block)].clone_from(&counted.packets);
    }
    Traffic::new(image, counters.steps, &counters.host_packets, &blocks)
}
