//! The report of a run, for people.

use crate::files::Output;
use crate::terminal::{BOLD, DIM, styled};
use crate::text::{average, count, duration, percent, plural, si, table};
use onward_image::Image;
use onward_profile::{
    Answers, BanditResults, Category, EpochReport, MEMORIES, PerSample, Results, SeedResults, SilentNeurons, TestedOn,
    Usage,
};
use onward_run::SILENCE_SAMPLES;
use onward_run::data::{Dataset, Split};

/// Cells of the longest bar of the energy table.
const BAR: f64 = 24.0;
/// Classes of the largest table of confusions that is printed.
const CONFUSION_CLASSES: usize = 20;

/// What is about to run with several seeds, in a few lines.
pub fn opening_of_seeds(image: &Image, dataset: &Dataset, seeds: &[u64]) -> String {
    opening_with(image, dataset, vec!["seeds".into(), plural(seeds.len() as u64, "seed")])
}

/// What is about to run, in a few lines.
pub fn opening(image: &Image, dataset: &Dataset, seed: u64) -> String {
    opening_with(image, dataset, vec!["seed".into(), seed.to_string()])
}

fn opening_with(image: &Image, dataset: &Dataset, seed: Vec<String>) -> String {
    let (chip, network) = (&image.chip, &image.network);
    // Recorded spikes have no shape of their own.
    let shape = match dataset.shape.iter().map(u32::to_string).collect::<Vec<_>>().join(" x ") {
        none if none.is_empty() => none,
        shape => format!(", {shape}"),
    };
    let mut rows = vec![
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
        seed,
    ];
    let augment: Vec<String> = network.augment.iter().map(ToString::to_string).collect();
    let augment = (!augment.is_empty()).then(|| {
        vec!["augment".into(), augment.join(", "), "drawn for each sample to learn from, in each epoch".into()]
    });
    rows.extend(augment);
    rows.extend(network.fitted().map(|changed| vec!["fitted".into(), changed.to_owned()]));
    table(&[], rows, &[])
}

/// How many samples are for what.
fn how_split(dataset: &Dataset, shape: &str) -> String {
    let [train, test] = [&dataset.train, &dataset.test].map(|samples| count(samples.len() as u64));
    let validation = dataset.validation.as_ref().map(|samples| count(samples.len() as u64));
    let validation = validation.map_or_else(String::new, |count| format!("{count} to choose epochs by, "));
    let parts = format!("{train} to learn from, {validation}{test} to test with{shape}");
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
    let tested_on = remark(Some(report.tested_on));
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

/// The whole report; by class, if that is asked for and known.
pub fn report(results: &Results, by_class: bool) -> String {
    let classes = if by_class { classes(results) } else { String::new() };
    section("Result", result(results)) + &classes + &machine(results)
}

/// What a run came to, in short.
pub fn in_short(results: &Results) -> String {
    section("Result", result(results)) + &section("On the chip", on_the_chip(results))
}

/// What runs with several seeds came to.
pub fn seeds(results: &SeedResults) -> String {
    let (spread, unit): (_, fn(f64) -> String) = match results.nrmse {
        Some(spread) => (Some(spread), |value| format!("{value:.4}")),
        None => (results.accuracy_percent, percent),
    };
    let name = if results.nrmse.is_some() { "error" } else { "accuracy" };
    let runs = plural(results.runs.len() as u64, "seed");
    let Some(spread) = spread else {
        return section(
            "Result",
            table(&[], vec![vec![name.into(), "not known".into(), format!("of all {runs}")]], &[]),
        );
    };
    let tested = results.runs.first().map_or_else(String::new, |run| samples(run.tested(), run.quality.tested_on));
    let mut rows = vec![vec![name.to_owned(), unit(spread.mean), format!("mean of {runs}, each over {tested}")]];
    if let Some(deviation) = spread.deviation {
        rows.push(vec!["deviation".into(), unit(deviation), "standard deviation of a single seed".into()]);
    }
    rows.push(vec!["least".into(), unit(spread.least), format!("greatest {}", unit(spread.greatest))]);
    section("Result", table(&[], rows, &[]))
}

/// The heading of the lines of seeds.
pub fn seeds_heading() -> String {
    format!("\n{}\n", styled(DIM, "    seed     result   best epoch            time   weights"))
}

/// The line of a seed.
pub fn seed(results: &Results) -> String {
    let quality = match &results.answers {
        Some(Answers::Values { nrmse, rmse, .. }) => format!("{:.4}", nrmse.unwrap_or(*rmse)),
        Some(answers) => answers.accuracy_percent().map_or("not known".to_owned(), percent),
        None => "not tested".to_owned(),
    };
    let epoch = results.quality.best_epoch.map_or_else(|| "last".to_owned(), |epoch| epoch.to_string());
    let (hash, time) = (results.weights_hash.get(..16).unwrap_or("none"), duration(results.host_time));
    format!(
        "  {:>6}  {quality:>9}  {epoch:>11}  {time:>14}   {hash}{}\n",
        results.seed,
        remark(results.quality.tested_on)
    )
}

/// How each class was answered, and which were taken for which.
fn classes(results: &Results) -> String {
    let Some(confusion) = &results.quality.confusion else { return String::new() };
    let rows = results.quality.by_class.iter().map(|class| {
        let mut wrong: Vec<(u64, usize)> = confusion[class.class]
            .iter()
            .enumerate()
            .filter(|&(answer, &times)| answer != class.class && times > 0)
            .map(|(answer, &times)| (times, answer))
            .collect();
        wrong.sort_by_key(|&(times, answer)| (std::cmp::Reverse(times), answer));
        let taken: Vec<String> =
            wrong.iter().take(3).map(|(times, answer)| format!("{answer} ({})", count(*times))).collect();
        vec![
            class.class.to_string(),
            count(class.samples),
            count(class.right),
            class.accuracy_percent.map_or_else(String::new, percent),
            taken.join(", "),
        ]
    });
    let header = ["class", "samples", "right", "accuracy", "most often taken for"];
    let text = section("Classes", table(&header, rows.collect(), &[0, 1, 2, 3]));
    // A wider table would be read by nobody.
    if confusion.len() > CONFUSION_CLASSES {
        return text;
    }
    let header: Vec<String> =
        std::iter::once("of / as".to_owned()).chain((0..confusion.len()).map(|class| class.to_string())).collect();
    let rows = confusion
        .iter()
        .enumerate()
        .map(|(class, row)| std::iter::once(class.to_string()).chain(row.iter().map(|&times| count(times))).collect());
    let columns: Vec<&str> = header.iter().map(String::as_str).collect();
    let right: Vec<usize> = (0..columns.len()).collect();
    text + &section("Confusion", table(&columns, rows.collect(), &right))
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
    section("Rewards", table(&[], rows, &[])) + &report(&results.results, false)
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

/// What is said behind a line whose test was no test.
fn remark(tested_on: Option<TestedOn>) -> &'static str {
    match tested_on {
        None | Some(TestedOn::Test) => "",
        Some(TestedOn::Validation) => "   on validation samples",
        Some(TestedOn::Training) => "   on what it learned from",
        Some(TestedOn::Unknown) => "   perhaps on what it learned from",
    }
}

/// What a test was with, behind how many: `449 test samples`.
fn samples(tested: usize, tested_on: Option<TestedOn>) -> String {
    let samples = plural(tested as u64, "sample");
    match tested_on {
        None | Some(TestedOn::Test) => plural(tested as u64, "test sample"),
        Some(TestedOn::Validation) => format!("{samples} kept apart to choose epochs by"),
        Some(TestedOn::Training) => format!("{samples} that it learned from (none are kept apart: --test 0.2)"),
        Some(TestedOn::Unknown) => format!("{samples} that it may have learned from"),
    }
}

/// The figure that says how good answers are.
fn figure(answers: &Answers) -> String {
    match answers {
        Answers::Values { nrmse, rmse, .. } => format!("{:.4}", nrmse.unwrap_or(*rmse)),
        answers => answers.accuracy_percent().map_or_else(|| "no labels".to_owned(), percent),
    }
}

fn result(results: &Results) -> String {
    let samples = |tested: usize| samples(tested, results.quality.tested_on);
    let mut rows = vec![match &results.answers {
        None => vec!["accuracy".into(), "not tested".into(), String::new()],
        Some(Answers::Values { tested, nrmse: Some(nrmse), .. }) => {
            let meaning = format!("of the standard deviation, over {}", samples(*tested));
            vec!["error".into(), format!("{nrmse:.4}"), meaning]
        }
        Some(Answers::Values { tested, nrmse: None, rmse, .. }) => {
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
    let quality = &results.quality;
    if quality.has_learned == Some(false) {
        let meaning = "the weights are as they were drawn: this is no result of learning";
        rows.push(vec!["has learned".into(), "nothing yet".into(), meaning.into()]);
    }
    if let (Some(epoch), Some(validation)) = (quality.best_epoch, &quality.validation) {
        let over = format!("over {} kept apart", plural(validation.tested() as u64, "sample"));
        rows.push(vec!["best epoch".into(), epoch.to_string(), format!("with {} {over}", figure(validation))]);
    }
    if let Some(training) = &quality.training {
        let over = plural(training.tested() as u64, "sample");
        rows.push(vec!["on training".into(), figure(training), format!("over the {over} that it learned from")]);
    }
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
        let validation = results.quality.samples.map_or(0, |samples| samples.validation);
        let kind = if results.quality.tested_on == Some(TestedOn::Test) { "test samples" } else { "samples" };
        let (shown, kind) = if validation > 0 { (validation.min(SILENCE_SAMPLES), "samples") } else { (shown, kind) };
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
        row("synaptic events", activity.synaptic_events, "spikes times fan-out: weights added because a spike came"),
        row("halo reads", activity.halo_reads, "of synapse memory, read with them and of no synapse"),
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
