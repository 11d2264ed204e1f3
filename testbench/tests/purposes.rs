//! What instructions of updates are for: programs say it of all that writes what was learned, of nothing else, and profiles add
//! up by it, for every rule there is.

use onward_chip::{Chip, Technology};
use onward_compile::compile;
use onward_diagnostic::Source;
use onward_emulate::{Counters, Engine, Machine, Options, Window};
use onward_image::{Image, Program};
use onward_isa::{Access, Instruction, Space};
use onward_profile::{Measure, Measures, PhaseKind, Profile};
use onward_run::data::{Dataset, Samples};
use onward_run::{Session, train};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

const SEED: u64 = 5;

/// What the update of every layer that is shown targets consists of.
const ALWAYS: [&str; 7] = ["control", "scores", "pulls", "gate", "input's path", "weights", "bias"];

/// Rules, and what their updates consist of beside that.
const RULES: [(&str, &[&str]); 13] = [
    ("hinge", &["rival", "own target's path", "rival's path", "own projection", "rival's projection", "homeostasis"]),
    ("softmax { gate = voltage }", &["rival", "own target's path", "own projection", "homeostasis"]),
    ("squared_error { revive = none }", &["rival", "rival's path", "rival's projection"]),
    ("contrastive", &["rival", "own target's path", "rival's path", "homeostasis"]),
    ("hebbian", &["homeostasis"]),
    ("hinge { optimizer = momentum, weight_decay = 14 }", &["momentum", "weight decay", "rival's path"]),
    ("hinge { optimizer = adaptive, rounding = carried }", &["adaptive", "remainders", "rival's path"]),
    ("hinge { optimizer = momentum, rounding = carried }", &["momentum", "remainders"]),
    ("hinge { rounding = carried, batch = 4 }", &["batch", "remainders", "own projection"]),
    ("hinge { update = spread }", &["spread", "own target's path", "rival's path"]),
    ("hinge { every = 2, memory = 3 }", &["rival", "own projection", "rival's projection", "homeostasis"]),
    ("hinge { target = direct }", &["rival", "own table row", "rival's table row", "homeostasis"]),
    ("softmax { target = direct, optimizer = adaptive }", &["adaptive", "own table row", "rival's table row"]),
];

/// Readouts that learn, and what their updates consist of.
const READOUTS: [(&str, &[&str]); 3] = [
    ("trained from hidden2", &["control", "rival", "input's path", "weights", "bias"]),
    ("trained from hidden2 { loss = squared_error }", &["control", "pulls", "input's path", "weights", "bias"]),
    ("target_tree from hidden2", &["control", "new class", "scores", "weights", "bias"]),
];

fn compiled(text: String, chip: &str) -> Image {
    let source = Source::new("network.sp", text);
    let chip = Chip::builtin(chip).expect("a built-in chip");
    compile(&source, &onward_compile::Options::new(chip, SEED))
        .unwrap_or_else(|errors| panic!("{}\n{}", source.text, source.render(&errors)))
}

fn dense(rule: &str, readout: &str) -> Image {
    let text = format!(
        "network digits {{
    window = 8
    learning = {rule}
    input pixels = rate(8, 8)
    target digit = classes(10)
    layer hidden1 = dense(64) from pixels, digit {{ block = 32 }}
    layer hidden2 = dense(64) from hidden1 {{ block = 32 }}
    readout answer = {readout}
}}
"
    );
    compiled(text, "middle")
}

fn convolution(rule: &str) -> Image {
    let text = format!(
        "network digits {{
    window = 8
    learning = {rule}
    weights = fixed {{ bits = 8 }}
    input pixels = rate(8, 8)
    target digit = classes(10)
    layer maps = conv(8, 3) from pixels, digit
    layer more = conv(8, 3) from maps
    readout answer = nearest_target from more
}}
"
    );
    compiled(text, "large")
}

/// A few digits learned from, then a few tested: all counters, and those of learning.
fn run(image: &Image) -> (Counters, Counters) {
    let mut data = Dataset::load("digits").expect("built in");
    let part = |samples: &Samples, count: usize| {
        let pixels = (0..count).flat_map(|at| samples.pixels(at).to_vec()).collect();
        Samples::new(pixels, (0..count).map(|at| samples.label(at)).collect(), 64)
    };
    (data.train, data.test) = (part(&data.train, 24), part(&data.test, 6));
    let mut engine = Machine::new(image, Options { seed: SEED, timing: true, threads: 2 }).expect("a machine");
    engine.count_in_detail();
    let mut session = Session::with(image, Box::new(engine)).expect("a session");
    let report = train(&mut session, image, &data, 1, SEED, |_| ControlFlow::Continue(()), |_| {}).expect("no fault");
    (report.counters, report.learning_counters)
}

/// What each word is for, read out of the text, line by line: not by the assembler.
fn by_the_text(program: &Program) -> Vec<Option<String>> {
    let mut of_lines = vec![None];
    for line in program.text.lines() {
        let before = of_lines.last().cloned().flatten();
        of_lines.push(match line.strip_prefix(".purpose") {
            Some(text) => text.trim().strip_prefix('"').and_then(|text| text.strip_suffix('"')).map(str::to_owned),
            None => before,
        });
    }
    program.lines.iter().map(|&line| of_lines[line as usize].clone()).collect()
}

/// Instructions executed and cycles computed while a network learns, by what they are for.
fn counted(image: &Image, counters: &Counters) -> BTreeMap<String, [u64; 2]> {
    let mut sums: BTreeMap<String, [u64; 2]> = BTreeMap::new();
    let detail = counters.detail.as_ref().expect("it was counted in detail");
    for (block, counted) in image.blocks.iter().zip(&detail.blocks) {
        let purposes = by_the_text(&image.programs[block.program]);
        for (window, counts) in Window::ALL.iter().zip(&counted.windows) {
            for (purpose, counts) in purposes.iter().zip(&counts.addresses) {
                let Some(purpose) = purpose else { continue };
                if matches!(window, Window::Input | Window::Target) {
                    let sum = sums.entry(purpose.clone()).or_default();
                    *sum = [sum[0] + counts.executed, sum[1] + counts.cycles];
                }
            }
        }
    }
    sums.retain(|_, [executed, _]| *executed > 0);
    sums
}

/// Runs it, and asks what must hold of any network: the purposes that its update turned out to have.
fn holds(image: &Image, what: &str) -> BTreeSet<String> {
    let (counters, learning) = run(image);
    let technology = Technology::builtin(&image.chip.technology).expect("built in");
    let costs = technology.costs(&image.chip).expect("costs");
    let profile = Profile::of(image, &counters, Some(&learning), &costs).expect("it was counted in detail");
    // Parts add up to their phase, in every measure and to the last yoctojoule.
    for phase in &profile.phases {
        let parts = profile.purposes.iter().filter(|part| part.place.phase == phase.name);
        let sum = parts.fold(Measures::default(), |mut sum, part| {
            sum += &part.measures;
            sum
        });
        assert_eq!(sum, phase.measures, "{what}: {}", phase.name);
        let is_update = phase.name == PhaseKind::Update.name();
        assert_eq!(phase.measure(Measure::SynapticUpdates) > 0, is_update, "{what}: {}", phase.name);
    }
    let mut found = BTreeMap::new();
    for part in &profile.purposes {
        assert_eq!(part.place.purpose.is_some(), part.place.phase == PhaseKind::Update.name(), "{what}: {}", part.name);
        let Some(purpose) = part.place.purpose.clone() else { continue };
        let numbers = [Measure::Instructions, Measure::ComputingCycles].map(|measure| part.measure(measure));
        assert!(found.insert(purpose, numbers).is_none(), "{what}: {} is there twice", part.name);
    }
    assert_eq!(found, counted(image, &counters), "{what}");
    found.into_keys().collect()
}

/// All that writes weights, or what is kept of them, says what it is for; and so does all that runs for learning alone.
fn is_marked(image: &Image, what: &str) {
    for program in &image.programs {
        let learning = program.labels.iter().find(|(name, _)| name == "learning").map(|&(_, at)| at as usize);
        let purposes = by_the_text(program);
        for (at, &word) in program.words.iter().enumerate() {
            let Ok(instruction) = Instruction::decode(word) else { continue };
            let access = instruction.op.description().access;
            let writes = matches!(access, Access::Write | Access::Update) && instruction.space == Space::Synapse;
            let is_for = program.purpose(at);
            assert_eq!(is_for, purposes[at].as_deref(), "{what}: {}: {at}", program.name);
            assert!(!writes || is_for.is_some(), "{what}: {}: {instruction} at {at} is for nothing", program.name);
        }
        let behind = learning.and_then(|at| program.purpose(at));
        assert_eq!(behind.is_some(), learning.is_some(), "{what}: {}: the code behind `learning`", program.name);
    }
}

fn expect(found: &BTreeSet<String>, expected: &[&str], what: &str) {
    for name in expected {
        assert!(found.contains(*name), "{what}: nothing is for `{name}`, but {found:?}");
    }
}

#[test]
fn the_updates_of_every_rule_add_up_by_purpose() {
    for (rule, more) in RULES {
        let image = dense(rule, "nearest_target from hidden2");
        is_marked(&image, rule);
        let found = holds(&image, rule);
        let always: Vec<&str> =
            ALWAYS.into_iter().filter(|name| !rule.contains("batch") || *name != "input's path").collect();
        expect(&found, &always, rule);
        expect(&found, more, rule);
    }
}

#[test]
fn those_of_convolutions_too() {
    let of_rule: [(&str, &[&str]); 5] = [
        (
            "hinge { revive = none }",
            &["rival", "own target's path", "rival's path", "own projection", "rival's projection"],
        ),
        (
            "softmax { optimizer = momentum, weight_decay = 14, revive = none }",
            &["rival", "momentum", "weight decay", "rival's path"],
        ),
        ("hinge { rounding = carried, revive = none }", &["remainders"]),
        ("hinge { batch = 4, revive = none }", &["batch"]),
        ("hinge { target = direct, revive = none }", &["rival", "own table row", "rival's table row"]),
    ];
    for (rule, more) in of_rule {
        let image = convolution(rule);
        is_marked(&image, rule);
        let found = holds(&image, rule);
        expect(&found, &["control", "scores", "pulls", "gate", "input's path", "weights"], rule);
        expect(&found, more, rule);
    }
}

#[test]
fn those_of_readouts_too() {
    for (readout, expected) in READOUTS {
        let image = dense("hinge", readout);
        is_marked(&image, readout);
        let found = holds(&image, readout);
        expect(&found, expected, readout);
    }
}

/// The book says of each name what it stands for.
#[test]
fn names_are_those_of_the_book() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/src/profiling.md");
    let book = std::fs::read_to_string(path).expect("the book");
    let mut names = BTreeSet::new();
    for (rule, _) in RULES {
        let image = dense(rule, "nearest_target from hidden2");
        names.extend(image.programs.iter().flat_map(|program| program.purposes.iter().map(|(name, _)| name.clone())));
    }
    for (readout, _) in READOUTS {
        let image = dense("hinge", readout);
        names.extend(image.programs.iter().flat_map(|program| program.purposes.iter().map(|(name, _)| name.clone())));
    }
    names.remove("");
    assert!(names.len() > 15, "{names:?}");
    for name in &names {
        assert!(book.contains(&format!("| `{name}` |")), "the book does not say what `{name}` is");
    }
}
