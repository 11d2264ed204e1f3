//! From counters to what they mean: activity in the field's words, energy by category, and the results of a run.
//!
//! In go an image and the counters of a run of it ([`onward_emulate::Counters`]); out come sums ([`Activity`]) and joules
//! ([`Energy`]). With what a run was answered ([`TrainReport`]) they become its [`Results`], whose keys are a contract with
//! machines ([`SCHEMA_VERSION`]). Energy is counted, not guessed: each execution, memory access, flit, barrier and second of leakage times
//! a figure of the chip's technology ([`onward_chip::Costs`]). All of it is linear in the counters, so that the energy
//! of a part of a run follows from the counters of that part.
//!
//! ```
//! use onward_chip::{Chip, Technology};
//! use onward_profile::{Category, Energy};
//! # use onward_emulate::Counters;
//! # use onward_image::{Image, NetworkSummary};
//! # let chip = Chip::builtin("small").unwrap();
//! # let network = NetworkSummary {
//! #     name: "none".into(), source: Default::default(), seed: 1, data: None, window_steps: 8, augment: vec![], epochs: 1,
//! #     populations: vec![].into(), edges: vec![],
//! # };
//! # let image = Image { chip: chip.clone(), network, programs: vec![].into(), blocks: vec![].into(), trees: vec![].into(), host_inputs: vec![],
//! #     host_port: 0, learned: Default::default(), proof: None };
//! # let counters = Counters { steps: 0, blocks: vec![], host_packets: vec![], timing: None, configuration_bits: 1000, detail: None };
//! let costs = Technology::load(&chip.technology).unwrap().costs(&chip).unwrap();
//! let energy = Energy::of(&image, &counters, &costs); // `image` has no blocks: the host wrote 1,000 bits, nothing ran
//! assert!(energy.joules(Category::Host) > 0.0);
//! assert_eq!(energy.total(), energy.joules(Category::Host));
//! ```

mod activity;
mod columns;
mod energy;
mod formats;
mod page;
mod profile;
mod program;
mod protobuf;
mod quality;
mod recorded;
mod report;
mod results;
mod routes;
mod seeds;
mod timeline;
mod traffic;
mod waveform;

pub use activity::{Activity, PopulationActivity};
pub use columns::{Column, TableWriter};
pub use energy::{Category, Energy};
pub use formats::Speedscope;
pub use page::{Raster, Recorded, Trace, drawn_by, page};
pub use profile::{
    BlockPlace, Bound, BoundBy, CorePlace, Critical, CriticalSender, Footprint, HandlerPlace, LayerNeurons, LayerPlace,
    LinePlace, LinkPart, LinkPlace, Measure, Measures, Part, PhaseKind, PhasePlace, Profile, PurposePlace, Roofline,
};
pub use quality::{ClassQuality, Quality, SampleCounts};
pub use recorded::RecordedRun;
pub use report::{Answers, BanditReport, Comparisons, EpochReport, Phase, Spike, TestedOn, TrainReport};
pub use results::{
    BanditResults, Conditions, MEMORIES, MemoryFaultCosts, PerSample, Results, SCHEMA_VERSION, SilentNeurons, Usage,
    chip_parameters, usage,
};
pub use routes::{RouteCost, hops};
pub use seeds::{SeedResults, Spread};
pub use timeline::{CoreTimeline, LinkTimeline, MOST_SPANS, PerfettoLog, TimeSpent, Timeline, TimelineLog};
pub use traffic::traffic;
pub use waveform::{WaveArray, Waveform};
