//! Who reads whose packets.

use super::Machine;
use crate::fast::Inlet;
use onward_image::{Delivery, Image, Route};

/// From each block to each block that takes its packets, as often as there is a way.
pub(super) fn edges(image: &Image) -> impl Iterator<Item = (u32, u32)> {
    let takers = |route: &Route| {
        let deliveries = route.flits.iter().flat_map(|flit| &flit.deliveries);
        let blocks = deliveries.filter_map(|delivery| match *delivery {
            Delivery::Block { block, .. } => Some(block),
            Delivery::Host => None,
        });
        blocks.collect::<Vec<u32>>()
    };
    let blocks = image.blocks.iter().zip(0..);
    blocks.flat_map(move |(block, from)| block.routes.iter().flat_map(takers).map(move |to| (from, to)))
}

impl Machine {
    /// Gives each block its inlets.
    pub(super) fn connect(&mut self, image: &Image) {
        let host = image.host_inputs.iter().enumerate().map(|(at, input)| (at, None, &input.route));
        let blocks = image.blocks.iter().enumerate().flat_map(|(number, block)| {
            let first = self.outlet_ranges[self.place[number]].start;
            block.routes.iter().enumerate().map(move |(at, route)| (first + at, Some(number as u32), route))
        });
        let mut graded = vec![false; image.blocks.len()];
        for (outlet, sender, route) in host.chain(blocks) {
            for delivery in route.flits.iter().flat_map(|flit| &flit.deliveries) {
                match *delivery {
                    Delivery::Host => self.to_host.push((outlet, sender)),
                    Delivery::Block { block, first_axon } => {
                        let place = self.place[block as usize];
                        self.groups.add_reader(outlet, place);
                        let taker = &mut self.blocks[place];
                        taker.inlets.push(Inlet { outlet, first_axon: first_axon as usize });
                        graded[block as usize] |= self.outlets[outlet].is_graded();
                    }
                }
            }
        }
        // In the order of the host's inputs, then of blocks and routes: they were met so.
        self.to_host.dedup();
        for (number, block) in image.blocks.iter().enumerate() {
            let taker = &mut self.blocks[self.place[number]];
            taker.inlets.sort_by_key(|inlet| inlet.first_axon);
            if graded[number] || self.programs[taker.program].reads_payloads {
                taker.take_payloads(block.axons as usize);
            }
        }
    }
}
