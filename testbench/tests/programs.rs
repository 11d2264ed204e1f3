//! The programs written by hand in `programs/*.s`, against plain models of what their comments say they compute.

use onward_assembly::{SYSTEM_DIRECTIVES, System, assemble_system};
use onward_chip::Chip;
use onward_diagnostic::Source;
use onward_emulate::{Engine, HostPacket, Machine, Options, reference};
use onward_image::BlockIndex;
use onward_isa::{random, read_relative};
use std::collections::BTreeMap;
use std::path::Path;

/// The run's seed.
const SEED: u64 = 7;

/// A packet that reached the host: step, index, payload.
type Answer = (u64, u32, i32);

fn source(name: &str) -> Source {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../programs").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Source::new(path.display().to_string(), text)
}

fn system(name: &str, chip: &str, lanes: u16) -> System {
    let mut chip = Chip::builtin(chip).expect("a built-in chip");
    chip.core.lanes = lanes;
    assemble_system(&source(name), &chip, &mut read_relative).unwrap_or_else(|errors| panic!("{errors}"))
}

/// How a system is run; nothing of it changes an answer.
#[derive(Clone, Copy, Debug)]
struct How {
    lanes: u16,
    timing: bool,
    /// Steps at once.
    chunk: u64,
    /// On the reference engine.
    reference: bool,
}

const HOW: [How; 7] = [
    How { lanes: 16, timing: true, chunk: 1000, reference: false },
    How { lanes: 4, timing: false, chunk: 1, reference: false },
    How { lanes: 8, timing: true, chunk: 7, reference: false },
    How { lanes: 64, timing: false, chunk: 1000, reference: false },
    How { lanes: 32, timing: true, chunk: 1, reference: false },
    How { lanes: 16, timing: true, chunk: 1000, reference: true },
    How { lanes: 4, timing: false, chunk: 13, reference: true },
];

/// Runs a system to its end.
fn run(system: &System, how: How) -> (Box<dyn Engine>, Vec<Answer>) {
    let options = Options { seed: SEED, timing: how.timing, threads: 1 };
    let mut machine: Box<dyn Engine> = if how.reference {
        Box::new(reference::Machine::new(&system.image, options).expect("a machine"))
    } else {
        Box::new(Machine::new(&system.image, options).expect("a machine"))
    };
    let mut answers = Vec::new();
    while machine.step() < system.steps {
        let first = machine.step();
        let steps = first..system.steps.min(first + how.chunk);
        let packets: Vec<HostPacket> = system
            .stimuli_in(steps.clone())
            .iter()
            .map(|stimulus| HostPacket {
                step: (stimulus.step - first) as usize,
                input: stimulus.input,
                index: stimulus.index,
                payload: stimulus.payload,
            })
            .collect();
        let outputs = machine.run_packets((steps.end - first) as usize, &packets);
        let outputs = outputs.unwrap_or_else(|fault| panic!("{fault}"));
        answers.extend(outputs.into_iter().map(|output| (output.step, output.index, output.payload)));
    }
    answers.sort_unstable();
    (machine, answers)
}

/// Runs a program with several numbers of lanes, with and without timing, in chunks of several lengths, and on both
/// engines: all must answer the same. `check` is given each machine at the end. Returns the system and the answers.
fn run_all(name: &str, chip: &str, check: impl Fn(&System, &dyn Engine)) -> (System, Vec<Answer>) {
    let mut first: Option<Vec<Answer>> = None;
    for how in HOW {
        let system = system(name, chip, how.lanes);
        let (machine, answers) = run(&system, how);
        check(&system, machine.as_ref());
        assert_eq!(machine.counters().timing.is_some(), how.timing);
        let expected = first.get_or_insert_with(|| answers.clone());
        assert_eq!(*expected, answers, "{name}, {how:?}");
    }
    (system(name, chip, 16), first.expect("several runs"))
}

/// What arrives in a step, by input: index and payload.
fn arrivals(system: &System, input: usize, step: u64) -> Vec<(usize, i64)> {
    let before = system.stimuli_in(step.saturating_sub(1)..step);
    before.iter().filter(|p| p.input == input).map(|p| (p.index as usize, i64::from(p.payload))).collect()
}

/// An array of a block as it is before the first step, row by row.
fn initial(system: &System, name: &str, columns: usize) -> Vec<Vec<i64>> {
    let machine = Machine::new(&system.image, Options { seed: SEED, timing: false, threads: 1 }).expect("a machine");
    let values = machine.peek(BlockIndex(0), name).unwrap_or_else(|| panic!("no array `{name}`"));
    values.chunks(columns).map(|row| row.iter().map(|&value| i64::from(value)).collect()).collect()
}

fn flat(rows: &[Vec<i64>]) -> Vec<i32> {
    rows.iter().flatten().map(|&value| value as i32).collect()
}

#[test]
fn lif_neurons_fire_when_they_should() {
    let (neurons, threshold, refractory) = (16, 100, 4);
    let (system, answers) = run_all("lif.s", "small", |_, _| ());
    let weights = initial(&system, "weights", neurons);
    let (mut v, mut last_spike) = (vec![0_i64; neurons], vec![None::<u64>; neurons]);
    let mut expected = Vec::new();
    for step in 1..system.steps {
        for i in 0..neurons {
            let current: i64 = arrivals(&system, 0, step).iter().map(|&(axon, _)| weights[axon][i]).sum();
            v[i] += current - v[i].div_euclid(8);
            if last_spike[i].is_some_and(|last| step - last <= refractory) {
                v[i] = 0;
            }
            if v[i] >= threshold {
                v[i] = 0;
                last_spike[i] = Some(step);
                expected.push((step, i as u32, 1));
            }
        }
    }
    assert_eq!(answers, expected);
    // The run shows what it is about: every neuron fires, none in every step it could.
    for i in 0..neurons as u32 {
        let spikes = answers.iter().filter(|answer| answer.1 == i).count();
        assert!((8..40).contains(&spikes), "neuron {i} fires {spikes} times");
    }
}

/// `floor(value / 2^shift)`, rounded up with the probability of what is cut off.
fn stochastic(value: i64, shift: u32, key: u32, index: usize) -> i64 {
    (value + i64::from(random::noise(key, index as u32) >> (32 - shift))) >> shift
}

#[test]
fn stdp_tells_what_comes_together_from_what_does_not() {
    let (axons, neurons) = (16, 8);
    let model = |system: &System| {
        let mut w = initial(system, "weights", neurons);
        let (mut x, mut y, mut v) = (vec![0_i64; axons], vec![0_i64; neurons], vec![0_i64; neurons]);
        let mut spikes: Vec<Answer> = Vec::new();
        let mut draws = 0..;
        let mut key = || random::key(random::block_seed(SEED, 0), draws.next().expect("endless"));
        for step in 1..system.steps {
            for trace in x.iter_mut().chain(&mut y) {
                *trace -= *trace >> 2;
            }
            let mut current = vec![0; neurons];
            for (k, _) in arrivals(system, 0, step) {
                x[k] += 64;
                let key = key();
                for i in 0..neurons {
                    current[i] += w[k][i];
                    w[k][i] = (w[k][i] - stochastic(y[i], 3, key, i)).max(0);
                }
            }
            for i in 0..neurons {
                v[i] += current[i] - (v[i] >> 2);
                if v[i] >= 160 {
                    v[i] = 0;
                    y[i] += 64;
                    spikes.push((step, i as u32, 1));
                    let key = key();
                    for k in 0..axons {
                        w[k][i] = (w[k][i] + stochastic(x[k], 4, key, k)).min(40);
                    }
                }
            }
        }
        (w, x, y, spikes)
    };
    let (system, answers) = run_all("stdp.s", "small", |system, machine| {
        let (w, x, y, _) = model(system);
        assert_eq!(machine.peek(BlockIndex(0), "weights"), Some(flat(&w)));
        assert_eq!(machine.peek(BlockIndex(0), "axon_traces"), Some(flat(&[x])));
        assert_eq!(machine.peek(BlockIndex(0), "neuron_traces"), Some(flat(&[y])));
    });
    let (w, _, _, spikes) = model(&system);
    assert_eq!(answers, spikes);
    // What the rule is for: the axons that are active together are heard, the others are not.
    let mean = |rows: &[Vec<i64>]| rows.iter().flatten().sum::<i64>() as f64 / (rows.len() * neurons) as f64;
    let (together, alone) = (mean(&w[..8]), mean(&w[8..]));
    assert!(together > 36.0 && alone < 6.0, "mean weights {together} and {alone}");
}

#[test]
fn winners_take_all() {
    let neurons = 8;
    let (system, answers) = run_all("winner-take-all.s", "small", |_, _| ());
    let mut v = vec![vec![0_i64; neurons]; 2];
    let mut inhibition = [0, 0];
    let mut expected = Vec::new();
    for step in 1..system.steps {
        let mut next = [0, 0];
        for block in 0..2 {
            let v = &mut v[block];
            for (i, v) in v.iter_mut().enumerate() {
                let arrived = arrivals(&system, block, step);
                let current = arrived.iter().find(|(index, _)| *index == i).map_or(0, |&(_, payload)| payload);
                *v = (*v - (*v >> 4) + current - inhibition[block]).max(0);
            }
            let top = *v.iter().max().expect("eight neurons");
            if top < 200 {
                continue;
            }
            let winner = v.iter().position(|&v| v == top).expect("there is one");
            expected.push((step, winner as u32, block as i32));
            next[1 - block] = top / 2;
            for v in v.iter_mut() {
                *v = (*v - top / 2).max(0);
            }
            v[winner] = 0;
        }
        inhibition = next;
    }
    expected.sort_unstable();
    assert_eq!(answers, expected);
    let wins = |winner: u32, block: i32, from: u64, to: u64| {
        answers.iter().filter(|a| a.1 == winner && a.2 == block && (from..to).contains(&a.0)).count()
    };
    assert!(wins(2, 0, 0, 50) > 5 && wins(5, 1, 0, 50) == 0, "at first the left block wins");
    assert!(wins(5, 1, 101, 150) > 5 && wins(2, 0, 110, 150) == 0, "at last the right one does");
}

#[test]
fn all_packets_come_home() {
    let (packets, laps, cores) = (8, 3, 16);
    let links = laps * cores;
    let (_, answers) = run_all("packet-stress.s", "middle", |_, machine| {
        for core in 0..cores {
            assert_eq!(machine.peek(BlockIndex(core as u32), "home"), Some(vec![2 * packets]));
            let sent = &machine.counters().blocks[core as usize].packets;
            assert_eq!(*sent, [packets * links, packets * links, packets, packets].map(|n| n as u64));
        }
        assert!(!machine.is_busy(), "the mesh falls silent");
        if let Some(timing) = machine.counters().timing {
            // Each packet crosses a link a step; the tree that wakes all cores has 15 branches; and each report goes
            // from its core to the corner where the host is.
            let reports: i32 = (0..cores).map(|core| (core % 4 + core / 4) * 2 * packets).sum();
            assert_eq!(timing.hops, (cores * 2 * packets * links + 15 + reports) as u64);
            assert_eq!(timing.injected + 15, timing.ejected, "a flit each, but for the one that became sixteen");
            assert!(timing.stalls > 0, "the reports queue up before the host's port");
        }
    });
    let mut expected: BTreeMap<Answer, usize> = BTreeMap::new();
    for core in 0..cores {
        for index in 0..packets as u32 {
            *expected.entry((1 + links as u64, index, core + 1)).or_default() += 2; // from either side
        }
    }
    let mut found: BTreeMap<Answer, usize> = BTreeMap::new();
    for answer in answers {
        *found.entry(answer).or_default() += 1;
    }
    assert_eq!(found, expected);
}

/// A layer of `forward-learning.s`.
struct Layer {
    w: Vec<Vec<i64>>,
    targets: [Vec<i64>; 2],
    x: Vec<usize>,
    h: Vec<i64>,
    sums: Vec<i64>,
    seed: u64,
    draws: u32,
}

impl Layer {
    /// The first `drawn` rows of weights are drawn, the others given.
    fn new(block: u32, drawn: usize, w: Vec<Vec<i64>>) -> Self {
        let neurons = w[0].len();
        let none = vec![0; neurons];
        let seed = random::block_seed(SEED, block);
        let targets = [none.clone(), none.clone()];
        let mut layer = Layer { w, targets, x: vec![], h: none.clone(), sums: none, seed, draws: 0 };
        for k in 0..drawn {
            let key = layer.key();
            layer.w[k] = (0..neurons).map(|i| if stochastic(1, 1, key, i) == 1 { 8 } else { -8 }).collect();
        }
        layer
    }

    fn key(&mut self) -> u32 {
        self.draws += 1;
        random::key(self.seed, self.draws - 1)
    }

    fn forward(&self, x: &[usize]) -> (Vec<i64>, Vec<i64>) {
        let sums: Vec<i64> = (0..self.h.len()).map(|i| x.iter().map(|&k| self.w[k][i]).sum()).collect();
        let spikes = sums.iter().map(|&sum| i64::from(sum >= 12)).collect();
        (sums, spikes)
    }

    fn score(&self, class: usize) -> i64 {
        self.h.iter().zip(&self.targets[class]).map(|(h, t)| h * t).sum()
    }

    /// Shows an image; gives what goes on.
    fn image(&mut self, x: &[usize]) -> Vec<usize> {
        (self.sums, self.h) = self.forward(x);
        self.x = x.to_vec();
        active(&self.h)
    }

    /// Shows the class of the image before; learns; gives what goes on.
    fn class(&mut self, class: usize, x: &[usize]) -> Vec<usize> {
        let (_, t) = self.forward(x);
        self.targets[class] = t.clone();
        if self.score(class) < self.score(1 - class) + 4 {
            for k in self.x.clone() {
                let key = self.key();
                for i in 0..self.h.len() {
                    let near = (self.sums[i] - 12).abs() < 16;
                    let step = if near { self.targets[class][i] - self.targets[1 - class][i] } else { 0 };
                    self.w[k][i] = (self.w[k][i] + stochastic(step, 1, key, i)).clamp(-128, 127);
                }
            }
        }
        active(&t)
    }
}

fn active(spikes: &[i64]) -> Vec<usize> {
    (0..spikes.len()).filter(|&i| spikes[i] == 1).collect()
}

#[test]
fn two_layers_learn_forward_only() {
    let lessons = 60;
    let samples: Vec<Vec<usize>> = (0..8)
        .map(|n| (0..16).filter(|pixel| if n % 2 == 0 { pixel / 4 == n / 2 } else { pixel % 4 == n / 2 }).collect())
        .collect();
    let model = |system: &System| {
        let weights = initial(system, "weights", 32);
        let (mut hidden, mut output) = (Layer::new(0, 16, weights.clone()), Layer::new(1, 32, weights));
        let test = |hidden: &mut Layer, output: &mut Layer| -> Vec<i32> {
            let answer = |sample: &Vec<usize>| {
                output.image(&hidden.image(sample));
                i32::from(output.score(0) < output.score(1))
            };
            samples.iter().map(answer).collect()
        };
        let before = test(&mut hidden, &mut output);
        for _ in 0..lessons {
            for (n, sample) in samples.iter().enumerate() {
                output.image(&hidden.image(sample));
                output.class(n % 2, &hidden.class(n % 2, &[16 + n % 2]));
            }
        }
        let after = test(&mut hidden, &mut output);
        ([hidden.w, output.w], before, after)
    };
    let (system, answers) = run_all("forward-learning.s", "small", |system, machine| {
        let (weights, ..) = model(system);
        for (block, weights) in weights.iter().enumerate() {
            assert_eq!(machine.peek(block.into(), "weights"), Some(flat(weights)), "layer {block}");
        }
    });
    let (_, before, after) = model(&system);
    // What the host sends in a step is answered two steps later.
    let again = 8 + 16 * lessons;
    let expected = (0..8).map(|n| (n as u64 + 2, 0, before[n]));
    let expected = expected.chain((0..8).map(|n| (again + n as u64 + 2, 0, after[n])));
    assert_eq!(answers, expected.collect::<Vec<_>>());
    assert_ne!(before, [0, 1, 0, 1, 0, 1, 0, 1], "it does not know before it has learned");
    assert_eq!(after, [0, 1, 0, 1, 0, 1, 0, 1], "it knows afterwards");
}

#[test]
fn the_book_has_all_directives() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/assembly-programs.md");
    let book = std::fs::read_to_string(path).expect("the page");
    for directive in SYSTEM_DIRECTIVES {
        let row = format!("| `{}` | {} |", directive.form, directive.summary);
        assert!(book.contains(&row), "the page lacks this line:\n{row}");
    }
}
