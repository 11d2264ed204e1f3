//! The scores that answers come of, as the blocks of the last layer send them to the readout.

use onward_emulate::Engine;
use onward_image::{BlockIndex, Delivery, Image, PopulationKind};

/// What the blocks of a readout that compares scores of classes are sent.
pub(super) struct Scores {
    /// Blocks that send some, and by which of their routes.
    senders: Vec<(BlockIndex, usize)>,
    classes: usize,
    /// By sender, the scores of each class, window by window; `None` while nobody asks.
    kept: Option<Vec<Vec<i32>>>,
}

impl Scores {
    /// Those of an image; `None` where no block sends scores of classes.
    pub fn new(image: &Image) -> Option<Scores> {
        let network = &image.network;
        let (readout, _) = network.readout().filter(|(_, readout)| readout.kind == PopulationKind::Readout)?;
        let classes = network.classes()?;
        let is_heard = |delivery: &Delivery| match *delivery {
            Delivery::Block { block, .. } => image.blocks[block].population == readout,
            Delivery::Host => false,
        };
        let mut senders = Vec::new();
        for (number, block) in image.blocks.iter_enumerated().filter(|(_, block)| block.population != readout) {
            let routes = block.routes.iter().enumerate().filter(|(_, route)| {
                let mut heard = route.flits.iter().flat_map(|flit| &flit.deliveries);
                route.name == "scores" && route.indices == classes && heard.any(is_heard)
            });
            senders.extend(routes.map(|(route, _)| (number, route)));
        }
        (!senders.is_empty()).then_some(Scores { senders, classes: classes as usize, kept: None })
    }

    /// Keeps what is sent from here on, and forgets what was.
    pub fn begin(&mut self) {
        self.kept = Some(vec![Vec::new(); self.senders.len()]);
    }

    /// Keeps what was sent in the chunk that ran last.
    pub fn keep(&mut self, machine: &dyn Engine) {
        let Some(kept) = &mut self.kept else { return };
        for (&(block, route), kept) in self.senders.iter().zip(kept) {
            // Each window sends those of all classes, in their order.
            machine.sent(block, route, &mut |_, _, score| kept.push(score));
        }
    }

    /// The sums over all blocks, sample by sample, of so many samples; empty where some are missing.
    pub fn end(&mut self, samples: usize) -> Vec<i32> {
        let kept = self.kept.take().unwrap_or_default();
        let count = samples * self.classes;
        if kept.iter().any(|of_block| of_block.len() < count) {
            return Vec::new();
        }
        let sum = |at: usize| kept.iter().fold(0i32, |sum, of_block| sum.saturating_add(of_block[at]));
        (0..count).map(sum).collect()
    }
}
