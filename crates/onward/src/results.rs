//! What came of a run, with stable keys and SI units in their names: what `--json` writes and the report shows.

use onward_chip::Costs;
use onward_emulate::{Counters, Options};
use onward_image::Image;
use onward_profile::{Activity, Category, Energy};
use onward_run::{BanditReport, EpochReport, LAST_TRIALS, Phase, Silence, TrainReport};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// What came of a run.
#[derive(Debug, Serialize)]
pub struct Results {
    pub command: &'static str,
    pub onward_version: &'static str,
    pub network: String,
    pub source: String,
    pub chip: String,
    pub technology: String,
    /// `null` for a system in assembly, which is shown no samples.
    pub data: Option<String>,
    pub seed: u64,
    /// `cycle` or `none`.
    pub timing: &'static str,
    pub threads: usize,
    pub interrupted: bool,
    /// Of the last test; `null` without one or without labels, or where spikes are read out.
    pub accuracy_percent: Option<f64>,
    /// Spikes that were read out; `null` where answers are.
    pub read_spikes: Option<usize>,
    /// Packets that reached the host; `null` where samples are shown.
    pub host_outputs: Option<u64>,
    pub right: usize,
    pub tested: usize,
    /// Root mean square error of the last test over the standard deviation of what was to be answered; `null` where answers
    /// are classes or spikes.
    pub nrmse: Option<f64>,
    /// Comparisons an answer of the last test took, a part of one being a fraction; `null` where the readout counts none.
    pub comparisons_per_answer: Option<f64>,
    /// The same as a share of the comparisons with every class.
    pub comparisons_share: Option<f64>,
    pub epochs: Vec<Epoch>,
    pub steps: u64,
    /// `null` without timing, as all that follows from it.
    pub cycles: Option<u64>,
    pub emulated_s: Option<f64>,
    pub stall_cycles: Option<u64>,
    /// `null` where nothing was learned.
    pub per_training_sample: Option<PerSample>,
    pub per_test_sample: Option<PerSample>,
    pub energy_j: f64,
    /// Leakage is known only where time is.
    pub energy_includes_leakage: bool,
    pub energy_by_category_j: BTreeMap<&'static str, f64>,
    #[serde(flatten)]
    pub activity: Activity,
    pub blocks: usize,
    pub cores_used: usize,
    pub cores: usize,
    pub core_usage_percent: BTreeMap<&'static str, Usage>,
    /// Host time of learning and testing.
    pub host_s: f64,
    pub synaptic_events_per_host_s: f64,
    pub weights_hash: String,
    /// Of each layer that learned; empty where nothing was learned.
    pub silent_neurons: Vec<SilentNeurons>,
    /// For the table, in the order of categories.
    #[serde(skip)]
    pub energy: Energy,
}

/// What came of a bandit.
#[derive(Debug, Serialize)]
pub struct BanditResults {
    pub trials: usize,
    /// Share of the best possible reward over all trials.
    pub reward_share_percent: f64,
    /// The last trials, and the share of them.
    pub last_trials: usize,
    pub reward_share_last_percent: f64,
    /// The share of every so many trials.
    pub curve_trials: usize,
    pub reward_curve_percent: Vec<f64>,
    #[serde(flatten)]
    pub results: Results,
}

impl BanditResults {
    /// Puts together what came of a bandit; `results` are those of the rest of the run.
    pub fn new(report: &BanditReport, results: Results) -> BanditResults {
        let trials = report.rewards.len();
        let curve_trials = trials.div_ceil(10).max(1);
        BanditResults {
            trials,
            reward_share_percent: report.share_percent(),
            last_trials: LAST_TRIALS.min(trials),
            reward_share_last_percent: report.last_share_percent(),
            curve_trials,
            reward_curve_percent: report.curve_percent(curve_trials),
            results,
        }
    }
}

/// An epoch.
#[derive(Debug, Serialize)]
pub struct Epoch {
    /// From 1.
    pub epoch: u32,
    /// `null` where the run was broken off before the test.
    pub accuracy_percent: Option<f64>,
    pub nrmse: Option<f64>,
    pub learned: usize,
    pub tested: usize,
    pub right: usize,
    pub learning_host_s: f64,
    pub testing_host_s: f64,
    pub weights_hash: String,
}

/// The neurons of a layer that fire for none of the first test samples, before and after learning.
#[derive(Debug, Serialize)]
pub struct SilentNeurons {
    pub layer: String,
    pub neurons: usize,
    pub before: usize,
    pub after: usize,
}

impl SilentNeurons {
    /// Two counts of the same layers.
    pub fn both(before: Vec<Silence>, after: Vec<Silence>) -> Vec<SilentNeurons> {
        let pair = |(before, after): (Silence, Silence)| SilentNeurons {
            layer: before.layer,
            neurons: before.neurons,
            before: before.silent,
            after: after.silent,
        };
        before.into_iter().zip(after).map(pair).collect()
    }
}

/// Means over samples.
#[derive(Debug, Serialize)]
pub struct PerSample {
    /// How many.
    pub samples: u64,
    pub steps: f64,
    pub cycles: Option<f64>,
    pub emulated_s: Option<f64>,
    pub energy_j: f64,
}

/// How full a memory is over the cores in use, percent.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Usage {
    pub max: f64,
    pub mean: f64,
}

/// The memories whose use is shown: name for people, key, index into the limits of a core.
pub const MEMORIES: [(&str, &str, usize); 4] = [
    ("synapse memory", "synapse_memory", 0),
    ("neuron memory", "neuron_memory", 1),
    ("axon memory", "axon_memory", 2),
    ("instruction memory", "instruction_memory", 3),
];

/// What a run was.
pub struct Run<'a> {
    pub command: &'static str,
    pub image: &'a Image,
    /// Nothing for a system in assembly.
    pub data: &'a str,
    pub options: Options,
    pub costs: &'a Costs,
    pub host_time: Duration,
}

impl Results {
    /// Puts together what came of a run.
    pub fn new(run: &Run<'_>, report: &TrainReport) -> Results {
        let image = run.image;
        let energy_of = |counters| Energy::of(image, counters, run.costs);
        let learning = energy_of(&report.learning_counters);
        let testing = energy_of(&report.counters.since(&report.learning_counters));
        let seconds = |cycles: u64| cycles as f64 / image.chip.clock_hz as f64;
        let timing = report.counters.timing;
        let per_sample = |phase: Phase, energy: &Energy| {
            let samples = phase.samples as f64;
            (phase.samples > 0).then(|| PerSample {
                samples: phase.samples,
                steps: phase.steps as f64 / samples,
                cycles: timing.map(|_| phase.cycles as f64 / samples),
                emulated_s: timing.map(|_| seconds(phase.cycles) / samples),
                energy_j: energy.total() / samples,
            })
        };
        let last = report.epochs.last();
        // The last one may have been broken off before it was tested.
        let last_tested = report.epochs.iter().rfind(|epoch| epoch.tested > 0);
        Results {
            data: Some(run.data.to_owned()),
            interrupted: report.interrupted,
            accuracy_percent: last_tested.filter(|_| report.has_accuracy).and_then(EpochReport::accuracy_percent),
            read_spikes: report.spikes.as_ref().map(Vec::len),
            right: last_tested.map_or(0, |epoch| epoch.right),
            tested: last_tested.map_or(0, |epoch| epoch.tested),
            nrmse: last_tested.and_then(|epoch| epoch.nrmse),
            comparisons_per_answer: last_tested.and_then(|epoch| Some(epoch.comparisons?.per_answer())),
            comparisons_share: last_tested.and_then(|epoch| Some(epoch.comparisons?.share())),
            epochs: report.epochs.iter().map(Epoch::new).collect(),
            per_training_sample: per_sample(report.learning, &learning),
            per_test_sample: per_sample(report.testing, &testing),
            weights_hash: last.map(|epoch| epoch.weights_hash.clone()).unwrap_or_default(),
            ..Results::of_machine(run, &report.counters)
        }
    }

    /// The same of a system in assembly, of which so many packets reached the host.
    pub fn of_system(run: &Run<'_>, counters: &Counters, host_outputs: u64, interrupted: bool) -> Results {
        Results { host_outputs: Some(host_outputs), interrupted, ..Results::of_machine(run, counters) }
    }

    /// What is known of any run.
    fn of_machine(run: &Run<'_>, counters: &Counters) -> Results {
        let image = run.image;
        let timing = counters.timing;
        let energy = Energy::of(image, counters, run.costs);
        let activity = Activity::of(image, counters);
        let host_s = run.host_time.as_secs_f64();
        Results {
            command: run.command,
            onward_version: env!("CARGO_PKG_VERSION"),
            network: image.network.name.clone(),
            source: image.network.source.0.clone(),
            chip: image.chip.name.clone(),
            technology: image.chip.technology.clone(),
            data: None,
            seed: run.options.seed,
            timing: if run.options.timing { "cycle" } else { "none" },
            threads: run.options.threads,
            interrupted: false,
            accuracy_percent: None,
            read_spikes: None,
            host_outputs: None,
            right: 0,
            tested: 0,
            nrmse: None,
            comparisons_per_answer: None,
            comparisons_share: None,
            epochs: Vec::new(),
            steps: counters.steps,
            cycles: timing.map(|timing| timing.cycles),
            emulated_s: timing.map(|timing| timing.cycles as f64 / image.chip.clock_hz as f64),
            stall_cycles: timing.map(|timing| timing.stalls),
            per_training_sample: None,
            per_test_sample: None,
            energy_j: energy.total(),
            energy_includes_leakage: timing.is_some(),
            energy_by_category_j: energy
                .categories()
                .filter(|&(category, _)| timing.is_some() || category != Category::Leakage)
                .map(|(category, joules)| (category.key(), joules))
                .collect(),
            activity,
            blocks: image.blocks.len(),
            cores_used: image.core_usage().len(),
            cores: image.chip.mesh.cores(),
            core_usage_percent: usage(image),
            host_s,
            synaptic_events_per_host_s: if host_s > 0.0 { activity.synaptic_events as f64 / host_s } else { 0.0 },
            weights_hash: String::new(),
            silent_neurons: Vec::new(),
            energy,
        }
    }

    /// Test samples that silent neurons were looked for with.
    pub fn silence_samples(&self) -> usize {
        self.tested.min(onward_run::SILENCE_SAMPLES)
    }

    /// Samples learned from in all.
    pub fn learned(&self) -> usize {
        self.epochs.iter().map(|epoch| epoch.learned).sum()
    }
}

impl Epoch {
    fn new(report: &EpochReport) -> Epoch {
        Epoch {
            epoch: report.epoch + 1,
            accuracy_percent: report.accuracy_percent(),
            nrmse: report.nrmse,
            learned: report.samples,
            tested: report.tested,
            right: report.right,
            learning_host_s: report.learn_time.as_secs_f64(),
            testing_host_s: report.test_time.as_secs_f64(),
            weights_hash: report.weights_hash.clone(),
        }
    }
}

/// How full the memories of the cores in use are.
pub fn usage(image: &Image) -> BTreeMap<&'static str, Usage> {
    let cores: Vec<_> = image.core_usage().iter().map(|core| core.limits(&image.chip)).collect();
    let of = |&(_, key, index): &(&str, &'static str, usize)| {
        let percents: Vec<f64> =
            cores.iter().map(|limits| 100.0 * limits[index].needed as f64 / limits[index].available as f64).collect();
        let mean = percents.iter().sum::<f64>() / percents.len().max(1) as f64;
        (key, Usage { max: percents.iter().copied().fold(0.0, f64::max), mean })
    };
    MEMORIES.iter().map(of).collect()
}
