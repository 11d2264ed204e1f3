//! The report of a run, for people.

use crate::files::Output;
use crate::terminal::{BOLD, DIM, styled};
use crate::text::{average, count, duration, percent, plural, si, table};
use onward_image::Image;
use onward_profile::{
    Answers, BanditResults, Category, EpochReport, MEMORIES, PerSample, Results, SilentNeurons, TestedOn, Usage,
};
use onward_run::SILENCE_SAMPLES;
use onward_run::data::{Dataset, Split};

/// Cells of the longest bar of the energy table.
const BAR: f64 = 24.0;

/// What is about to run, in a few lines.
pub fn opening(image: &Image, dataset: &Dataset, seed: u64) -> String {
    let (chip, network) = (&image.chip, &image.network);
    // Recorded spikes have no shape of their own.
    let shape = match dataset.shape.iter().map(u32::to_string).collect::<Vec<_>>().join(" x ") {
        none if none.is_empty() => none,
        shape => format!(", {shape}"),
    };
    let rows = vec![
        vec![
            "network".into(),
            network.name.clone(),
            format!(
                "{} on {}",
                plural(image.blocks.len() as u64, "block"),
                plural(image.core_usage().len() as u64, "core")
            ),
        ],
        vec![
            "chip".into(),
            chip.name.clone(),
            format!("{}, {} lanes, {}", mesh(&chip.mesh), chip.core.lanes, si(chip.clock_hz as f64, "Hz")),
        ],
        vec!["data".into(), dataset.name.clone(), how_split(dataset, &shape)],
        vec!["seed".into(), seed.to_string()],
    ];
    table(&[], rows, &[])
}

/// How many samples are for what.
fn how_split(dataset: &Dataset, shape: &str) -> String {
    let [train, test] = [&dataset.train, &dataset.test].map(|samples| count(samples.len() as u64));
    let parts = format!("{train} to learn from, {test} to test with{shape}");
    match dataset.split {
        Split::None => format!("{train} samples{shape}; none of them is kept apart to test with"),
        Split::Given => parts,
        Split::Drawn(seed) => format!("{parts}; drawn by split seed {seed}"),
    }
}

/// `4 x 4 tiles`; what is not the usual is said too: `8 x 4 tiles of 2 cores, torus, on 2 x 1 chips`.
pub fn mesh(mesh: &onward_chip::Mesh) -> String {
    let mut text = format!("{} x {} tiles", mesh.width, mesh.height);
    if mesh.cores_per_tile > 1 {
        text += &format!(" of {} cores", mesh.cores_per_tile);
    }
    if mesh.topology == onward_chip::Topology::Torus {
        text += ", torus";
    }
    if let Some(array) = &mesh.array {
        text += &format!(", on {} x {} chips", array.width, array.height);
    }
    text
}

/// The heading of the lines of epochs.
pub fn epochs_heading(answers_values: bool) -> String {
    let quality = if answers_values { "   error" } else { "accuracy" };
    format!("\n{}\n", styled(DIM, &format!("    epoch   {quality}       learned in       tested in")))
}

/// The line of an epoch.
pub fn epoch(report: &EpochReport, epochs: u32) -> String {
    let number = format!("{}/{epochs}", report.epoch + 1);
    let tested_on = match report.tested_on {
        TestedOn::Test => "",
        TestedOn::Training => "   on what it learned from",
        TestedOn::Unknown => "   perhaps on what it learned from",
    };
    format!(
        "  {number:>7}  {:>9}  {:>15}  {:>14}{tested_on}\n",
        match &report.answers {
            Answers::Values { nrmse, rmse, .. } => format!("{:.4}", nrmse.unwrap_or(*rmse)),
            answers => answers.accuracy_percent().map_or("not tested".to_owned(), percent),
        },
        duration(report.learn_time),
        duration(report.test_time)
    )
}

/// The whole report.
pub fn report(results: &Results) -> String {
    section("Result", result(results)) + &machine(results)
}

/// The whole report of a bandit.
pub fn bandit(results: &BanditResults) -> String {
    let trials = |count| plural(count as u64, "trial");
    let mut rows = vec![
        vec![
            "reward".into(),
            percent(results.reward_share_percent),
            format!("of the best, over {}", trials(results.trials)),
        ],
        vec![
            "lately".into(),
            percent(results.reward_share_last_percent),
            format!("over the last {}", trials(results.last_trials)),
        ],
    ];
    for (at, share) in results.reward_curve_percent.iter().enumerate() {
        let title = if at == 0 { format!("by {}", count(results.curve_trials as u64)) } else { String::new() };
        let bar = "▇".repeat((share / 100.0 * BAR).round() as usize);
        rows.push(vec![title, percent(*share), bar]);
    }
    section("Rewards", table(&[], rows, &[])) + &report(&results.results)
}

/// A part of a report under its title.
pub fn section(title: &str, body: String) -> String {
    format!("\n{}\n{body}", styled(BOLD, title))
}

/// What a run cost, on the chip and on this computer.
pub fn machine(results: &Results) -> String {
    let mut text = String::new();
    let mut section = |title: &str, body: String| text += &section(title, body);
    section("On the chip", on_the_chip(results));
    section("The chip", the_chip(results));
    let without = if results.energy_includes_leakage { "" } else { ", without clock and leakage" };
    section(&format!("Energy{without}"), energy(results));
    section("Activity", activity(results));
    section("Cores", cores(results));
    section("On this computer", host(results));
    text
}

/// What a test was with, behind how many: `449 test samples`.
fn samples(tested: usize, tested_on: Option<TestedOn>) -> String {
    let samples = plural(tested as u64, "sample");
    match tested_on {
        None | Some(TestedOn::Test) => plural(tested as u64, "test sample"),
        Some(TestedOn::Training) => format!("{samples} that it learned from (none are kept apart: --test 0.2)"),
        Some(TestedOn::Unknown) => format!("{samples} that it may have learned from"),
    }
}

fn result(results: &Results) -> String {
    let samples = |tested: usize| samples(tested, results.tested_on);
    let mut rows = vec![match &results.answers {
        None => vec!["accuracy".into(), "not tested".into(), String::new()],
        Some(Answers::Values { tested, nrmse: Some(nrmse), .. }) => {
            let meaning = format!("of the standard deviation, over {}", samples(*tested));
            vec!["error".into(), format!("{nrmse:.4}"), meaning]
        }
        Some(Answers::Values { tested, nrmse: None, rmse }) => {
            let meaning =
                format!("root mean square, as the values to be answered are all the same; over {}", samples(*tested));
            vec!["error".into(), format!("{rmse:.4}"), meaning]
        }
        Some(Answers::Spikes { tested, spikes }) => {
            vec!["spikes read".into(), count(spikes.len() as u64), format!("for {}", samples(*tested))]
        }
        Some(Answers::Classes { tested, right: None, .. }) => {
            vec!["answered".into(), plural(*tested as u64, "sample"), "without labels".into()]
        }
        Some(answers @ Answers::Classes { tested, right: Some(right), .. }) => {
            let meaning = format!("{} of {}", count(*right as u64), samples(*tested));
            vec!["accuracy".into(), answers.accuracy_percent().map_or_else(String::new, percent), meaning]
        }
    }];
    let learned = results.learned() as u64;
    if learned > 0 {
        let epochs = results.epochs.len() as u64;
        rows.push(vec!["learned from".into(), plural(learned, "sample"), format!("in {}", plural(epochs, "epoch"))]);
    }
    if !results.silent_neurons.is_empty() {
        let sum = |of: fn(&SilentNeurons) -> usize| results.silent_neurons.iter().map(of).sum::<usize>() as u64;
        let (neurons, before) = (count(sum(|layer| layer.neurons)), count(sum(|layer| layer.before)));
        let silent = format!("{} of {neurons}", count(sum(|layer| layer.after)));
        let shown = results.tested().min(SILENCE_SAMPLES);
        let kind = if results.tested_on == Some(TestedOn::Test) { "test samples" } else { "samples" };
        let meaning = format!("fire for none of {shown} {kind}; {before} did before");
        rows.push(vec!["silent neurons".into(), silent, meaning]);
    }
    if let Some(Answers::Classes { comparisons: Some(comparisons), .. }) = &results.answers {
        let of_all = format!("an answer, {} of those with every class", percent(100.0 * comparisons.share()));
        rows.push(vec!["comparisons".into(), average(comparisons.per_answer()), of_all]);
    }
    rows.push(vec![
        "weights".into(),
        results.weights_hash.get(..16).unwrap_or("none").into(),
        "hash of all weights and biases".into(),
    ]);
    table(&[], rows, &[])
}

fn on_the_chip(results: &Results) -> String {
    let columns: Vec<(&str, &PerSample)> = [
        ("a training sample", results.per_training_sample.as_ref()),
        ("a test sample", results.per_test_sample.as_ref()),
    ]
    .into_iter()
    .filter_map(|(title, sample)| Some((title, sample?)))
    .collect();
    let row = |title: &str, of: &dyn Fn(&PerSample) -> String, total: String| {
        let cells = columns.iter().map(|(_, sample)| of(sample));
        std::iter::once(title.to_owned()).chain(cells).chain([total]).collect::<Vec<String>>()
    };
    let mut rows = vec![row("steps", &|sample| average(sample.steps), count(results.steps))];
    if let (Some(cycles), Some(seconds)) = (results.cycles, results.emulated_s) {
        rows.push(row("cycles", &|sample| sample.cycles.map_or(String::new(), average), count(cycles)));
        rows.push(row("time", &|sample| sample.emulated_s.map_or(String::new(), |s| si(s, "s")), si(seconds, "s")));
    }
    rows.push(row("energy", &|sample| si(sample.energy_j, "J"), si(results.energy_j, "J")));
    if let Some(seconds) = results.emulated_s.filter(|&seconds| seconds > 0.0) {
        let power = |sample: &PerSample| sample.emulated_s.map_or(String::new(), |s| si(sample.energy_j / s, "W"));
        rows.push(row("power", &power, si(results.energy_j / seconds, "W")));
    }
    let header: Vec<&str> =
        std::iter::once("").chain(columns.iter().map(|&(title, _)| title)).chain(["in all"]).collect();
    let mut text = table(&header, rows, &[1, 2, 3]);
    if results.cycles.is_none() {
        text += "  Cycles and time, and so clock and leakage, are left out with --timing none.\n";
    }
    text
}

/// What the chip takes, whatever runs on it.
fn the_chip(results: &Results) -> String {
    let chip = &results.chip_summary;
    let factor = average(chip.uncertainty_factor);
    let rows = vec![
        vec![
            "area".into(),
            area(chip.area_mm2),
            format!("in technology {}, at {} V", results.technology, chip.supply_v),
        ],
        vec![
            "clock".into(),
            si(chip.clock_hz as f64, "Hz"),
            format!("of {} that {} allows", si(chip.highest_clock_hz as f64, "Hz"), chip.clock_limit),
        ],
        vec!["leakage".into(), si(chip.leakage_w, "W"), "with all cores on".into()],
        vec!["good to".into(), format!("{factor} times"), "either way: figures, areas and energies".into()],
    ];
    table(&[], rows, &[1])
}

/// Square millimetres.
pub fn area(mm2: f64) -> String {
    if mm2 >= 0.1 { format!("{mm2:.2} mm²") } else { format!("{mm2:.5} mm²") }
}

fn energy(results: &Results) -> String {
    let largest = results.energy.categories().map(|(_, joules)| joules).fold(0.0, f64::max);
    let mut categories: Vec<(Category, f64)> = results
        .energy
        .categories()
        .filter(|&(category, _)| results.energy_includes_leakage || !category.needs_time())
        .collect();
    categories.sort_by(|a, b| b.1.total_cmp(&a.1));
    let rows = categories.into_iter().map(|(category, joules)| {
        let share = 100.0 * joules / results.energy_j;
        let bar = "▇".repeat((BAR * joules / largest).round() as usize);
        vec![category.title().into(), si(joules, "J"), format!("{share:.1} %"), bar]
    });
    table(&[], rows.collect(), &[1, 2])
}

fn activity(results: &Results) -> String {
    let activity = &results.activity;
    let row = |title: &str, value: u64, meaning: &str| vec![title.into(), count(value), meaning.into()];
    let mut rows = vec![
        row("synaptic events", activity.synaptic_events, "weights added because a spike came"),
        row("synaptic updates", activity.synaptic_updates, "weights written by learning"),
        row("neuron updates", activity.neuron_updates, "neurons brought forward a step"),
        row("spikes", activity.spikes, "fired by neurons"),
        row("packets", activity.packets, "sent by cores and host"),
        row("hops", activity.hops, "links between routers crossed"),
    ];
    if activity.crossings > 0 {
        rows.push(row("crossings", activity.crossings, "of these to another chip"));
    }
    rows.push(row("saturations", activity.saturations, "results cut off at the ends of their range"));
    table(&[], rows, &[1])
}

fn cores(results: &Results) -> String {
    let used = format!(
        "  {} of {} cores hold {}\n",
        results.cores_used,
        results.cores,
        plural(results.blocks as u64, "block")
    );
    used + &usage_table(&results.core_usage_percent)
}

/// How full the memories are, fullest core and mean.
pub fn usage_table(usage: &std::collections::BTreeMap<&'static str, Usage>) -> String {
    let full = |value: f64| format!("{value:.0} %");
    let rows = MEMORIES.iter().map(|(title, key, _)| {
        let Usage { max, mean } = usage[key];
        vec![(*title).to_owned(), full(max), full(mean)]
    });
    table(&["", "fullest core", "mean"], rows.collect(), &[1, 2])
}

fn host(results: &Results) -> String {
    let mut note = format!("on {}", plural(results.threads as u64, "thread"));
    if let Some(seconds) = results.emulated_s.filter(|&seconds| seconds > 0.0) {
        note += &format!("; {} times what the chip would take", average(results.host_time.as_secs_f64() / seconds));
    }
    let rows = vec![
        vec!["time".into(), duration(results.host_time), note],
        vec!["speed".into(), format!("{}/s", si(results.synaptic_events_per_host_s, "")), "synaptic events".into()],
    ];
    table(&[], rows, &[])
}

/// Which files were written, after an empty line; nothing if none were.
pub fn written<'a>(outputs: impl IntoIterator<Item = Option<&'a Output>>) -> String {
    let paths: Vec<String> = outputs.into_iter().flatten().map(|output| output.path().display().to_string()).collect();
    if paths.is_empty() { String::new() } else { format!("\nwrote {}\n", paths.join(" and ")) }
}
