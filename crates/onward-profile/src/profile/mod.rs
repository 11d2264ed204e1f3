//! One model of what ran, from which tables, files and reports are made: a run, part by part.
//!
//! What each block did at each address in each kind of window is measured once, and so is what belongs to no block: the host,
//! what is no core's of the chip, cores without a block. The same pieces are then put together in several ways: by phase,
//! layer, core, block, handler and instruction. So the parts of each way add up to the whole exactly, in whole numbers and in
//! energy, which is counted in whole yoctojoules.
//!
//! Three things are known of more than a piece and are shared out among its pieces, in whole numbers that add up
//! ([`apportion`](measures::apportion)):
//! - synaptic events, of which an image knows how many each active axon of a block reaches, among the instructions that read
//!   synapses in loops over active axons, by what they read; halo reads likewise;
//! - cycles in which flits of a route waited, among the instructions that send to it, by their packets;
//! - the waiting, idling, clock and leakage of a core, among its blocks, by the cycles they were busy.

mod bounds;
mod build;
mod links;
mod measures;
mod parts;

pub use bounds::{Bound, BoundBy, Critical, CriticalSender, Roofline};
pub use links::{LinkPart, LinkPlace};
pub use measures::{Measure, Measures};
pub use parts::{
    BlockPlace, CorePlace, Footprint, HandlerPlace, LayerNeurons, LayerPlace, LinePlace, Part, PhaseKind, PhasePlace,
    PurposePlace,
};

use onward_chip::Costs;
use onward_emulate::Counters;
use onward_image::Image;
use serde::Serialize;

/// A run, part by part. Each list of parts adds up to the whole.
#[derive(Clone, Debug, Serialize)]
pub struct Profile {
    /// The whole run.
    pub total: Measures,
    /// By what the network was shown: learning (input window, target window, update), testing, and what belongs to no window.
    pub phases: Vec<Part<PhasePlace>>,
    /// The same, the update divided by what its instructions are for.
    pub purposes: Vec<Part<PurposePlace>>,
    /// By layer of the network, and what is no layer's.
    pub layers: Vec<Part<LayerPlace>>,
    /// By core, and what is no core's.
    pub cores: Vec<Part<CorePlace>>,
    /// By block, and what is no block's.
    pub blocks: Vec<Part<BlockPlace>>,
    /// By part of a program from one label to the next, over all blocks that run it.
    pub handlers: Vec<Part<HandlerPlace>>,
    /// By instruction, over all blocks that run it.
    pub lines: Vec<Part<LinePlace>>,
    /// Links between routers that carried flits.
    pub links: Vec<LinkPart>,
    /// How often each neuron of each layer fired.
    pub neurons: Vec<LayerNeurons>,
    /// Which cores decided how long steps took; `None` where no time was kept, as what follows.
    pub critical: Option<Critical>,
    /// What the cycles of the run went into, along the cores that were done last in each step; adds up to its cycles.
    pub bounds: Vec<Bound>,
    /// How near cores and mesh came to what they can do.
    pub roofline: Option<Roofline>,
    /// Memory that the network takes on the chip.
    pub footprint: Footprint,
    /// Steps.
    pub steps: u64,
    /// Cycles; `None` where no time was kept.
    pub cycles: Option<u64>,
}

impl Profile {
    /// The profile of a run, of which `learning` are the counters of its learning alone, if it learned; `None` if it was not
    /// counted in detail ([`onward_emulate::Engine::count_in_detail`]).
    ///
    /// # Panics
    /// If the counters are of another image.
    pub fn of(image: &Image, counters: &Counters, learning: Option<&Counters>, costs: &Costs) -> Option<Profile> {
        let detail = counters.detail.as_ref()?;
        let pieces = build::pieces(image, counters, detail, learning, costs);
        let links = links::links(image, counters);
        let critical = Critical::of(image, counters, detail);
        let cores = pieces.cores(image, detail);
        let bounds = critical.as_ref().map_or_else(Vec::new, |critical| bounds::bounds(critical, &cores));
        Some(Profile {
            total: pieces.total,
            phases: pieces.phases(),
            purposes: pieces.purposes(),
            layers: pieces.layers(image),
            blocks: pieces.blocks(image),
            handlers: pieces.handlers(image),
            lines: pieces.lines(image),
            roofline: Roofline::of(image, counters, &pieces.total, &links),
            neurons: parts::neurons(image, detail),
            footprint: Footprint::of(image),
            steps: counters.steps,
            cycles: counters.timing.map(|timing| timing.cycles),
            cores,
            links,
            critical,
            bounds,
        })
    }
}
