//! What came of a run for machines: stable keys, with SI units in their names. `onward ... --json FILE` writes it, and the
//! report for people shows it.

use crate::quality::Quality;
use crate::report::{Answers, BanditReport, EpochReport, Phase, TrainReport, optional_answers};
use crate::{Activity, Energy, Profile, Timeline};
use onward_chip::{Chip, ChipSummary, Costs, KEYS};
use onward_emulate::{Counters, Options};
use onward_image::Image;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Version of the keys of [`Results`]: it grows when one is taken away or comes to mean something else, not when one is
/// added.
pub const SCHEMA_VERSION: u32 = 1;

/// The last trials of a bandit, of which the share of rewards is told apart.
const LAST_TRIALS: usize = 2000;
/// Parts of a bandit's run that its curve shows.
const CURVE_POINTS: usize = 10;

/// Under what conditions a run ran.
#[derive(Clone, Copy, Debug)]
pub struct Conditions<'a> {
    /// The command, or what else a run is called.
    pub command: &'static str,
    /// What ran.
    pub image: &'a Image,
    /// The data set it was shown; `None` for a system in assembly.
    pub data: Option<&'a str>,
    /// How it was emulated.
    pub options: Options,
    /// What events cost on the image's chip.
    pub costs: &'a Costs,
    /// Host time of learning and testing.
    pub host_time: Duration,
}

/// What came of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Results {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The command, or what else a run is called.
    pub command: &'static str,
    /// Version of this program.
    pub onward_version: &'static str,
    /// Name of the network.
    pub network: String,
    /// Name of the text it was compiled from.
    pub source: String,
    /// BLAKE3 of that text, with what it includes and the parameters that were set.
    pub network_hash: String,
    /// What the program was called with; empty where a library was used.
    pub arguments: Vec<String>,
    /// Every key of the chip file with its value; `null` where the chip does not have it.
    pub chip_parameters: BTreeMap<&'static str, Option<String>>,
    /// Name of the chip.
    pub chip: String,
    /// Name of its technology.
    pub technology: String,
    /// Area, clock and its limit, leakage, supply.
    #[serde(flatten)]
    pub chip_summary: ChipSummary,
    /// `null` for a system in assembly, which is shown no samples.
    pub data: Option<String>,
    /// What is done to pictures before they are learned from, as the language writes it; empty where nothing is.
    pub augment: Vec<String>,
    /// The run's seed.
    pub seed: u64,
    /// `cycle` or `none`.
    pub timing: &'static str,
    /// Host threads.
    pub threads: usize,
    /// Whether the run was broken off.
    pub interrupted: bool,
    /// How the answers came to be, and what is known of them.
    #[serde(flatten)]
    pub quality: Quality,
    /// What came of the last test; `None` without one.
    #[serde(flatten, serialize_with = "optional_answers")]
    pub answers: Option<Answers>,
    /// Packets that reached the host; `null` where samples are shown.
    pub host_outputs: Option<u64>,
    /// Epochs, in their order.
    pub epochs: Vec<EpochReport>,
    /// Steps of the whole run.
    pub steps: u64,
    /// Cycles of the whole run; `null` without timing, as all that follows from it.
    pub cycles: Option<u64>,
    /// Time the chip would have taken.
    pub emulated_s: Option<f64>,
    /// Cycles in which cores waited for the network.
    pub stall_cycles: Option<u64>,
    /// Means over samples learned from; `null` where nothing was learned.
    pub per_training_sample: Option<PerSample>,
    /// Means over samples tested; `null` where nothing was tested.
    pub per_test_sample: Option<PerSample>,
    /// Energy of the whole run.
    pub energy_j: f64,
    /// Mean power of the whole run, idle cores and clock included; `null` without timing.
    pub power_w: Option<f64>,
    /// Whether clock and leakage are in it: they are known only where time is.
    pub energy_includes_leakage: bool,
    /// The energy by [`Category`](crate::Category), without clock and leakage where they are not known.
    pub energy_by_category_j: BTreeMap<&'static str, f64>,
    /// Sums over the run.
    #[serde(flatten)]
    pub activity: Activity,
    /// Blocks of the image.
    pub blocks: usize,
    /// Cores that hold a block.
    pub cores_used: usize,
    /// Cores of the chip.
    pub cores: usize,
    /// How full the memories of the cores in use are, by the keys of [`MEMORIES`].
    pub core_usage_percent: BTreeMap<&'static str, Usage>,
    /// The run part by part, where it was counted in detail; else left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<Box<Profile>>,
    /// The run step by step, where that was asked for; else left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeline: Option<Box<Timeline>>,
    /// Host time of learning and testing.
    #[serde(rename = "host_s", serialize_with = "crate::report::seconds")]
    pub host_time: Duration,
    /// Synaptic events a second of host time.
    pub synaptic_events_per_host_s: f64,
    /// Hash of all weights and biases after the last epoch; empty where nothing can learn.
    pub weights_hash: String,
    /// Of each layer that learned; empty where nothing was learned.
    pub silent_neurons: Vec<SilentNeurons>,
    /// What wrong bits of memories did, where a run was given such; else left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub faults: Option<MemoryFaultCosts>,
    /// The energy in the order of categories.
    #[serde(skip)]
    pub energy: Energy,
}

/// What came of a bandit.
#[derive(Clone, Debug, Serialize)]
pub struct BanditResults {
    /// Trials played.
    pub trials: usize,
    /// Share of the best possible reward over all trials.
    pub reward_share_percent: f64,
    /// How many trials are the last ones.
    pub last_trials: usize,
    /// The share of them.
    pub reward_share_last_percent: f64,
    /// How many trials a point of the curve stands for.
    pub curve_trials: usize,
    /// The share of every so many trials.
    pub reward_curve_percent: Vec<f64>,
    /// The rest of the run.
    #[serde(flatten)]
    pub results: Results,
}

/// What became of wrong bits of memories in a run, and what they cost: the same run on sound memories tells.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MemoryFaultCosts {
    /// Bits that could be wrong, without those that protect them.
    pub bits: u64,
    /// Bits that stick, those that protect words left out.
    pub stuck: u64,
    /// Bits that flipped, those that protect words included.
    pub flipped: u64,
    /// Words that were put right.
    pub corrected: u64,
    /// Words that were noticed to be wrong, and stayed so.
    pub detected: u64,
    /// Words that became wrong, and nothing noticed.
    pub silent: u64,
    /// Share of right answers of the last test on sound memories, percent; `null` where none could be right.
    pub sound_accuracy_percent: Option<f64>,
    /// By how many points the share is lower with the wrong bits: below 0 where it is higher.
    pub cost_points: Option<f64>,
    /// The normalised error of the last test on sound memories; `null` where no values are answered.
    pub sound_nrmse: Option<f64>,
}

/// The neurons of a layer that fire for none of the first test samples, before and after learning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilentNeurons {
    /// Name of the layer.
    pub layer: String,
    /// Its neurons.
    pub neurons: usize,
    /// How many were silent before the run.
    pub before: usize,
    /// How many are silent after it.
    pub after: usize,
}

/// Means over samples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PerSample {
    /// How many samples.
    pub samples: u64,
    /// Steps a sample.
    pub steps: f64,
    /// Cycles a sample; `null` without timing.
    pub cycles: Option<f64>,
    /// Time the chip takes for a sample; `null` without timing.
    pub emulated_s: Option<f64>,
    /// Energy of a sample.
    pub energy_j: f64,
    /// Energy of all of them, by category.
    #[serde(skip)]
    pub energy: Energy,
}

/// How full a memory is over the cores in use, percent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Usage {
    /// Of the fullest core.
    pub max: f64,
    /// Mean over the cores.
    pub mean: f64,
}

/// The memories whose use is shown: name for people, key, index into the limits of a core.
pub const MEMORIES: [(&str, &str, usize); 4] = [
    ("synapse memory", "synapse_memory", 0),
    ("neuron memory", "neuron_memory", 1),
    ("axon memory", "axon_memory", 2),
    ("instruction memory", "instruction_memory", 3),
];

impl Results {
    /// What came of a run that showed samples.
    ///
    /// # Panics
    /// If the report's counters are of another image.
    pub fn new(run: &Conditions<'_>, report: &TrainReport) -> Results {
        let energy_of = |counters| Energy::of(run.image, counters, run.costs);
        let profile = Profile::of(run.image, &report.counters, Some(&report.learning_counters), run.costs);
        let learning = energy_of(&report.learning_counters);
        let testing = energy_of(&report.counters.since(&report.learning_counters));
        let clock_hz = report.counters.timing.map(|_| run.image.chip.clock_hz);
        let last = report.last_test.as_ref().or(report.epochs.last());
        Results {
            interrupted: report.interrupted,
            quality: Quality { tested_on: report.tested().map(|epoch| epoch.tested_on), ..Quality::default() },
            answers: report.answers().cloned(),
            epochs: report.epochs.clone(),
            per_training_sample: PerSample::new(report.learning, learning, clock_hz),
            per_test_sample: PerSample::new(report.testing, testing, clock_hz),
            weights_hash: last.map(|epoch| epoch.weights_hash.clone()).unwrap_or_default(),
            profile: profile.map(Box::new),
            ..Results::of_counters(run, &report.counters)
        }
    }

    /// What came of a system in assembly, of which so many packets reached the host.
    ///
    /// # Panics
    /// If the counters are of another image.
    pub fn of_system(run: &Conditions<'_>, counters: &Counters, host_outputs: u64, interrupted: bool) -> Results {
        let profile = Profile::of(run.image, counters, None, run.costs).map(Box::new);
        Results { host_outputs: Some(host_outputs), interrupted, profile, ..Results::of_counters(run, counters) }
    }

    /// What is known of any run.
    fn of_counters(run: &Conditions<'_>, counters: &Counters) -> Results {
        let Conditions { image, options, host_time, .. } = *run;
        let (timing, chip) = (counters.timing, &image.chip);
        let energy = Energy::of(image, counters, run.costs);
        let activity = Activity::of(image, counters);
        let seconds = timing.map(|timing| timing.cycles as f64 / chip.clock_hz as f64);
        let by_category = energy.categories().filter(|(category, _)| timing.is_some() || !category.needs_time());
        let host_s = host_time.as_secs_f64();
        Results {
            schema_version: SCHEMA_VERSION,
            command: run.command,
            onward_version: env!("CARGO_PKG_VERSION"),
            network: image.network.name.clone(),
            source: image.network.source.0.clone(),
            network_hash: image.network_hash(),
            arguments: Vec::new(),
            chip_parameters: chip_parameters(chip),
            chip: chip.name.clone(),
            technology: chip.technology.clone(),
            chip_summary: run.costs.bill.summary(),
            data: run.data.map(str::to_owned),
            augment: image.network.augment.iter().map(ToString::to_string).collect(),
            seed: options.seed,
            timing: if options.timing { "cycle" } else { "none" },
            threads: options.threads,
            interrupted: false,
            quality: Quality::default(),
            answers: None,
            host_outputs: None,
            epochs: Vec::new(),
            steps: counters.steps,
            cycles: timing.map(|timing| timing.cycles),
            emulated_s: seconds,
            stall_cycles: timing.map(|timing| timing.stalls),
            per_training_sample: None,
            per_test_sample: None,
            energy_j: energy.total(),
            power_w: seconds.filter(|&seconds| seconds > 0.0).map(|seconds| energy.total() / seconds),
            energy_includes_leakage: timing.is_some(),
            energy_by_category_j: by_category.map(|(category, joules)| (category.key(), joules)).collect(),
            activity,
            blocks: image.blocks.len(),
            cores_used: image.core_usage().len(),
            cores: chip.mesh.cores(),
            core_usage_percent: usage(image),
            profile: None,
            timeline: None,
            host_time,
            synaptic_events_per_host_s: if host_s > 0.0 { activity.synaptic_events as f64 / host_s } else { 0.0 },
            weights_hash: String::new(),
            silent_neurons: Vec::new(),
            faults: None,
            energy,
        }
    }

    /// Share of right answers of the last test, percent; `None` where none could be right, or nothing was tested.
    pub fn accuracy_percent(&self) -> Option<f64> {
        self.answers.as_ref()?.accuracy_percent()
    }

    /// Root mean square error of the last test over the standard deviation of what was to be answered; `None` where values are
    /// not answered, or never vary.
    pub fn nrmse(&self) -> Option<f64> {
        if let Some(Answers::Values { nrmse, .. }) = &self.answers { *nrmse } else { None }
    }

    /// Samples answered in the last test.
    pub fn tested(&self) -> usize {
        self.answers.as_ref().map_or(0, Answers::tested)
    }

    /// Samples learned from in all.
    pub fn learned(&self) -> usize {
        self.epochs.iter().map(|epoch| epoch.samples).sum()
    }
}

impl PerSample {
    /// The means of a phase that took so much energy; `None` if it showed no sample. Without a clock no time was kept.
    fn new(phase: Phase, energy: Energy, clock_hz: Option<u64>) -> Option<PerSample> {
        let samples = phase.samples as f64;
        (phase.samples > 0).then(|| PerSample {
            samples: phase.samples,
            steps: phase.steps as f64 / samples,
            cycles: clock_hz.map(|_| phase.cycles as f64 / samples),
            emulated_s: clock_hz.map(|clock_hz| phase.cycles as f64 / clock_hz as f64 / samples),
            energy_j: energy.total() / samples,
            energy,
        })
    }
}

impl BanditResults {
    /// What came of a bandit.
    ///
    /// # Panics
    /// If the report's counters are of another image.
    pub fn new(run: &Conditions<'_>, report: &BanditReport) -> BanditResults {
        let trials = report.rewards.len();
        let curve_trials = trials.div_ceil(CURVE_POINTS).max(1);
        BanditResults {
            trials,
            reward_share_percent: report.share_percent(),
            last_trials: LAST_TRIALS.min(trials),
            reward_share_last_percent: report.last_share_percent(LAST_TRIALS),
            curve_trials,
            reward_curve_percent: report.curve_percent(curve_trials),
            results: Results::new(run, &report.run),
        }
    }
}

/// Every key of a chip file with its value; `None` where the chip does not have it.
pub fn chip_parameters(chip: &Chip) -> BTreeMap<&'static str, Option<String>> {
    KEYS.iter().map(|key| (key.name, key.value(chip))).collect()
}

/// How full the memories of the cores in use are, by the keys of [`MEMORIES`].
pub fn usage(image: &Image) -> BTreeMap<&'static str, Usage> {
    let cores: Vec<_> = image.core_usage().iter().map(|core| core.limits(&image.chip)).collect();
    let of_memory = |&(_, key, index): &(&str, &'static str, usize)| {
        let percents: Vec<f64> =
            cores.iter().map(|limits| 100.0 * limits[index].needed as f64 / limits[index].available as f64).collect();
        let mean = percents.iter().sum::<f64>() / percents.len().max(1) as f64;
        (key, Usage { max: percents.iter().copied().fold(0.0, f64::max), mean })
    };
    MEMORIES.iter().map(of_memory).collect()
}
