//! Who reads whose packets.

use super::Machine;
use crate::fast::Inlet;
use onward_image::{BlockIndex, Delivery, Image, Route, indices};
use typed_index_collections::TiVec;

/// From each block to each block that takes its packets, as often as there is a way.
pub(super) fn edges(image: &Image) -> impl Iterator<Item = (BlockIndex, BlockIndex)> {
    let takers = |route: &Route| {
        let deliveries = route.flits.iter().flat_map(|flit| &flit.deliveries);
        let blocks = deliveries.filter_map(|delivery| match *delivery {
            Delivery::Block { block, .. } => Some(block),
            Delivery::Host => None,
        });
        blocks.collect::<Vec<BlockIndex>>()
    };
    let blocks = image.blocks.iter().zip(0_u32..);
    blocks.flat_map(move |(block, from)| block.routes.iter().flat_map(takers).map(move |to| (from.into(), to)))
}

impl Machine {
    /// Gives each block its inlets.
    pub(super) fn connect(&mut self, image: &Image) {
        let host = self.host_outlets().zip(&image.host_inputs).map(|(outlet, input)| (outlet, None, &input.route));
        let blocks = self.place.iter_enumerated().zip(&image.blocks).flat_map(|((number, &place), block)| {
            let outlets = indices(self.outlet_ranges[place].clone());
            outlets.zip(&block.routes).map(move |(outlet, route)| (outlet, Some(number), route))
        });
        let routes: Vec<_> = host.chain(blocks).collect();
        let mut graded: TiVec<BlockIndex, bool> = vec![false; image.blocks.len()].into();
        for (outlet, sender, route) in routes {
            for delivery in route.flits.iter().flat_map(|flit| &flit.deliveries) {
                match *delivery {
                    Delivery::Host => self.to_host.push((outlet, sender)),
                    Delivery::Block { block, first_axon } => {
                        let place = self.place[block];
                        self.groups.add_reader(outlet, place);
                        let taker = &mut self.blocks[place];
                        taker.inlets.push(Inlet { outlet, first_axon: first_axon as usize });
                        graded[block] |= self.outlets[outlet].is_graded();
                    }
                }
            }
        }
        // In the order of the host's inputs, then of blocks and routes: they were met so.
        self.to_host.dedup();
        for ((number, &place), block) in self.place.iter_enumerated().zip(&image.blocks) {
            let taker = &mut self.blocks[place];
            taker.inlets.sort_by_key(|inlet| inlet.first_axon);
            let read = self.programs[taker.program].reads_payloads;
            if graded[number] || read {
                taker.take_payloads(block.axons as usize, read);
            }
        }
    }
}
