//! Readouts that learn, and samples with a rival that the host names, against the composed model in integers: every number that
//! both hold is equal, to the bit, after each sample.

mod common;

use common::{compiled, modelled, parsed, peek, places, same_arrays};
use onward_chip::Chip;
use onward_diagnostic::Source;
use onward_emulate::{Engine, Machine, Options};
use onward_image::{BlockIndex, HostInputKind, Image, PopulationIndex, PopulationKind, Tag};
use onward_net::{ReadoutLoss, TrainedReadout};
use onward_run::Session;
use onward_run::data::{Dataset, RateEncoder, Samples, SplitMix64};
use std::ops::ControlFlow;
use testbench::model::readout::Trained;
use testbench::model::tree::{Child, TargetTree, TreeNode};
use testbench::model::{Model, Noise, Readout, encode};

/// A chip with a network on it, and the model of it.
struct OnChip {
    image: Image,
    machine: Machine,
    model: Model<i64>,
    pixels: usize,
    window: usize,
}

/// A sample, and how it is shown.
#[derive(Clone, Debug)]
struct Shown {
    pixels: Vec<u8>,
    class: u16,
    learn: bool,
    answer: bool,
    rival: Option<u8>,
}

/// Vectors of so few elements that products fall into parts.
fn chip(vector_length: u16) -> Chip {
    let mut chip = Chip::load("middle").expect("a built-in chip");
    chip.core.vector_length = vector_length;
    chip
}

impl OnChip {
    fn new(text: &str, chip: Chip, seed: u64) -> OnChip {
        let image = compiled(text, chip, seed);
        let machine = Machine::new(&image, Options { seed, timing: false, threads: 1 }).expect("it fits");
        let model = modelled(&parsed(text), &image, &machine, seed);
        let pixels = image.host_inputs.iter().find(|input| input.kind == HostInputKind::Input).expect("an input");
        let (pixels, window) = (pixels.route.indices as usize, image.network.window_steps as usize);
        OnChip { pixels, window, image, machine, model }
    }

    fn input(&self, kind: HostInputKind) -> usize {
        self.image.host_inputs.iter().position(|input| input.kind == kind).expect("such an input")
    }

    /// Shows a sample and waits until all rest; what reached the host.
    fn show(&mut self, sample: &Shown) -> Vec<i32> {
        let (tag, target, input) =
            (self.input(HostInputKind::Tag), self.input(HostInputKind::Target), self.input(HostInputKind::Input));
        let words = self.pixels.div_ceil(64);
        let mut bits = vec![0; self.window * words];
        RateEncoder::new(self.window as u32).encode(&sample.pixels, &mut bits, words);
        let (window, class) = (self.window, sample.class);
        let windows = if sample.learn { 2 } else { 1 };
        let outputs = self.machine.run(windows * window + 8, |inputs| {
            let opens = Tag { learn: sample.learn, slot: class, answer: sample.answer, ..Tag::default() };
            inputs.send(tag, 0, 0, opens.payload());
            for (step, bits) in bits.chunks(words).enumerate() {
                inputs.spikes(input, step, bits);
            }
            if sample.learn {
                let opens = Tag { target: true, learn: true, slot: class, rival: sample.rival, ..Tag::default() };
                inputs.send(tag, window, 0, opens.payload());
                for step in window..2 * window {
                    inputs.send(target, step, class.into(), 1);
                }
            }
        });
        assert!(!self.machine.is_busy(), "at rest");
        outputs.expect("no fault").iter().map(|output| output.payload).collect()
    }

    /// Shows a sample with values to learn, and waits until all rest; what reached the host, block by block.
    fn show_values(&mut self, sample: &Shown, values: &[i64]) -> Vec<i32> {
        let (tag, target, input) =
            (self.input(HostInputKind::Tag), self.input(HostInputKind::TargetValues), self.input(HostInputKind::Input));
        let (window, words) = (self.window, self.pixels.div_ceil(64));
        let mut bits = vec![0; window * words];
        RateEncoder::new(window as u32).encode(&sample.pixels, &mut bits, words);
        let outputs = self.machine.run(window + 8, |inputs| {
            let opens = Tag { learn: sample.learn, answer: sample.answer, ..Tag::default() };
            inputs.send(tag, 0, 0, opens.payload());
            for (step, bits) in bits.chunks(words).enumerate() {
                inputs.spikes(input, step, bits);
            }
            if sample.learn {
                for (axon, &value) in (0..).zip(values) {
                    inputs.send(target, window - 1, axon, value as i32);
                }
            }
        });
        assert!(!self.machine.is_busy(), "at rest");
        let mut outputs = outputs.expect("no fault");
        outputs.sort_by_key(|output| (output.sender, output.index));
        outputs.iter().map(|output| output.payload).collect()
    }

    /// An array of the block of the readout.
    fn read(&mut self, name: &str) -> Vec<i64> {
        let block = self.readout();
        self.machine.read(block, name).unwrap_or_else(|| panic!("`{name}`")).into_iter().map(i64::from).collect()
    }

    fn readout(&self) -> BlockIndex {
        let is_readout = |population: PopulationIndex| {
            let kind = &self.image.network.populations[population].kind;
            matches!(kind, PopulationKind::LearningReadout { .. } | PopulationKind::ValueReadout { .. })
        };
        self.image.blocks.position(|block| is_readout(block.population)).expect("a readout that learns")
    }

    /// Begins an epoch on both sides.
    fn set_epoch(&mut self, epoch: u32, epochs: u32) {
        self.model.set_epoch(epoch, epochs);
        let layers = places(&self.image).into_iter().map(|(layer, _)| &self.model.layers[layer]);
        let mut shifts: Vec<(BlockIndex, i64)> = layers
            .enumerate()
            .filter(|(_, layer)| layer.rule.is_some())
            .map(|(at, layer)| (at.into(), layer.shift))
            .collect();
        shifts.push((
            self.readout(),
            match &self.model.readout {
                Readout::Trained(readouts) => readouts[0].shift,
                Readout::Tree(tree) => tree.shift,
                other => panic!("{other:?} does not learn"),
            },
        ));
        for (block, shift) in shifts {
            assert!(self.machine.write(block, "shift", &[shift as i32]), "what learns has a shift");
        }
    }

    /// Shows a sample to both; what reached the host, and what the model answers.
    fn show_both(&mut self, sample: &Shown) -> [Vec<i32>; 2] {
        let answers = self.show(sample);
        let shown = encode(&sample.pixels, self.model.window);
        let mut expected = Vec::new();
        if sample.learn {
            self.model.present(&shown, sample.class.into(), sample.rival.map(usize::from), false);
            if sample.answer {
                expected.push(self.model.answer() as i32);
            }
            self.model.update(sample.class.into(), sample.rival.map(usize::from));
        } else {
            expected.push(self.model.infer(&shown, false) as i32);
        }
        [answers, expected]
    }

    /// Layers are the same on both sides.
    fn same_layers(&self, when: &str) {
        for (number, (layer, at)) in places(&self.image).into_iter().enumerate() {
            let arrays = ["weights", "bias", "count", "target_count"].map(|name| (name, true));
            let same = same_arrays(&self.machine, &self.model, [number, layer, at], &arrays, &[]);
            same.unwrap_or_else(|difference| panic!("{when}: {difference}"));
        }
    }
}

#[test]
fn readouts_of_values_are_those_of_the_model() {
    for seed in 0..16 {
        let mut random = SplitMix64::new(2000 + seed);
        let (size, hidden, bits) = (1 + random.below(100), 5 + random.below(60), [8, 16][random.below(2) as usize]);
        let (window, rate, anneal) = (3 + random.below(30), 3 + random.below(6), random.below(3));
        let options = format!("loss = squared_error, rate = {rate}, anneal = {anneal}, bits = {bits}");
        let block = hidden.min(20);
        let text = format!(
            "network random {{
                window = {window}
                learning = none
                input pixels = rate(20)
                target value = vector({size})
                layer first = dense({hidden}) from pixels {{ block = {block} }}
                readout answer = trained from first, value {{ {options} }}
            }}"
        );
        let mut chip = OnChip::new(&text, chip(64), seed);
        let first = usize::from(chip.readout());
        let kind = TrainedReadout { loss: ReadoutLoss::SquaredError, rate, anneal, bits };
        let of_block = |(at, neurons): (usize, u32)| {
            Trained::new(kind, hidden as usize, neurons as usize, window.into(), Noise::new(seed, at))
        };
        let blocks = chip.image.blocks.iter().map(|block| block.neurons).enumerate().skip(first);
        chip.model.readout = Readout::Trained(blocks.map(of_block).collect());
        for (at, sample) in samples(&mut random, 40, 4).iter().enumerate() {
            let values: Vec<i64> = (0..size).map(|_| random.below(4097).into()).collect();
            let answers: Vec<i64> = chip.show_values(sample, &values).into_iter().map(i64::from).collect();
            let shown = encode(&sample.pixels, chip.model.window);
            chip.model.infer(&shown, false);
            let mut expected: Vec<i64> = Vec::new();
            if let (Readout::Trained(models), true) = (&chip.model.readout, sample.answer || !sample.learn) {
                expected.extend(models.iter().flat_map(|model| &model.sums));
            }
            if sample.learn {
                chip.model.learn_values(&shown, &values);
            }
            let Readout::Trained(models) = &chip.model.readout else { panic!("a trained readout") };
            assert_eq!(models.len(), size.div_ceil(64) as usize);
            for (number, model) in (first..).zip(models) {
                let read = |name| peek(&chip.machine, number, name).expect("an array");
                assert_eq!(read("sums"), model.sums, "seed {seed}, sample {at}: sums");
                assert_eq!(read("bias"), model.bias, "seed {seed}, sample {at}: biases");
                assert_eq!(read("weights"), model.weights.concat(), "seed {seed}, sample {at}: weights");
            }
            assert_eq!(answers, expected, "seed {seed}, sample {at}: answers");
        }
    }
}

/// A session that has learned from a built-in data set.
fn learned(path: &str, epochs: u32) -> (Dataset, Session) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../programs").join(path);
    let source = Source::new("program.sp", std::fs::read_to_string(path).expect("a program"));
    let options = onward_compile::Options::new(chip(256), 1);
    let image =
        onward_compile::compile(&source, &options).unwrap_or_else(|errors| panic!("{}", source.render(&errors)));
    let dataset = Dataset::load(image.network.data.as_deref().expect("it names its data")).expect("built in");
    let mut session = Session::new(&image, Options { seed: 1, timing: false, threads: 1 }).expect("it fits");
    let go_on = |_| ControlFlow::Continue(());
    onward_run::train(&mut session, &image, &dataset, epochs, 1, go_on, |_| {}).expect("no fault");
    (dataset, session)
}

#[test]
fn images_made_from_classes_are_recognized() {
    let (classes, mut generator) = learned("learning/generate.sp", 10);
    let (_, mut recognizer) = learned("digits.sp", 10);
    let shown: Vec<u8> =
        (0..10).flat_map(|class| (0..10).map(move |line| if line == class { 255 } else { 0 })).collect();
    assert_eq!(classes.shape, [10]);
    let go_on = |_| ControlFlow::Continue(());
    let shown = Samples::new(shown, (0..10).collect(), 10);
    let values = generator.infer_values(&shown, 10, go_on).expect("no fault");
    let pixels = values.iter().map(|value| (value.clamp(0.0, 1.0) * 255.0).round() as u8).collect();
    let made = Samples::new(pixels, (0..10).collect(), 64);
    let answers = recognizer.infer(&made, 10, go_on).expect("no fault");
    assert_eq!(answers, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
}

fn text(window: u32, hidden: u32, block: u32, classes: u32, learning: &str, readout: &str) -> String {
    format!(
        "network random {{
            window = {window}
            learning = {learning}
            input pixels = rate(20)
            target class = classes({classes})
            layer first = dense({hidden}) from pixels, class {{ block = {block} }}
            layer last = dense({hidden}) from first {{ block = {block} }}
            readout answer = {readout}
        }}"
    )
}

/// Samples about a few patterns, so that there is something to tell apart.
fn samples(random: &mut SplitMix64, count: usize, classes: u32) -> Vec<Shown> {
    let patterns: Vec<Vec<u8>> =
        (0..classes).map(|_| (0..20).map(|_| if random.below(2) == 0 { 0 } else { 200 }).collect()).collect();
    let sample = |_| {
        let class = random.below(classes);
        let pixels = patterns[class as usize].iter().map(|&pixel| pixel + random.below(55) as u8).collect();
        let learn = random.below(4) > 0;
        let rival = (random.below(3) == 0).then(|| ((class + 1 + random.below(classes - 1)) % classes) as u8);
        Shown { pixels, class: class as u16, learn, answer: random.below(3) == 0, rival }
    };
    (0..count).map(sample).collect()
}

#[test]
fn trained_readouts_are_those_of_the_model() {
    for seed in 0..24 {
        let mut random = SplitMix64::new(seed);
        let (classes, hidden) = (2 + random.below(9), 5 + random.below(40));
        let (window, block) = (1 << (1 + random.below(5)), 1 + random.below(hidden));
        let bits = [4, 8, 16][random.below(3) as usize];
        let (rate, anneal) = (random.below(10), random.below(3));
        let margin = (random.below(3) > 0).then(|| f64::from(random.below(20)) / 8.0);
        let loss = margin.map_or("squared_error".to_owned(), |margin| format!("hinge {{ margin = {margin:?} }}"));
        let readout = format!("trained from last {{ loss = {loss}, rate = {rate}, anneal = {anneal}, bits = {bits} }}");
        let learning = ["hinge", "none"][random.below(2) as usize];
        let mut chip = OnChip::new(&text(window, hidden, block, classes, learning, &readout), chip(64), seed);
        for (at, sample) in samples(&mut random, 60, classes).iter().enumerate() {
            if at == 30 {
                chip.set_epoch(1, 2);
            }
            let [answers, expected] = chip.show_both(sample);
            let when = format!("seed {seed}, sample {at}");
            assert_eq!(answers, expected, "{when}: answers");
            chip.same_layers(&when);
            let Readout::Trained(models) = chip.model.readout.clone() else { panic!("a trained readout") };
            assert_eq!(chip.read("sums"), models[0].sums, "{when}: sums");
            assert_eq!(chip.read("bias"), models[0].bias, "{when}: biases");
            assert_eq!(chip.read("weights"), models[0].weights.concat(), "{when}: weights");
        }
    }
}

#[test]
fn trees_of_targets_are_those_of_the_model() {
    let mut several = 0;
    for seed in 0..24 {
        let mut random = SplitMix64::new(1000 + seed);
        let (classes, hidden) = (2 + random.below(12), 10 + random.below(110));
        let (window, block) = (1 << (1 + random.below(5)), 1 + random.below(hidden.min(64)));
        let (rate, anneal, parts) = (4 + random.below(5), random.below(3), 1 + random.below(4));
        let margin = f64::from(random.below(20)) / 16.0;
        let readout = format!(
            "target_tree from last {{ rate = {rate}, margin = {margin:?}, anneal = {anneal}, parts = {parts} }}"
        );
        let learning = ["hinge", "none"][random.below(2) as usize];
        let mut chip = OnChip::new(&text(window, hidden, block, classes, learning, &readout), chip(64), seed);
        let parts = parts.max(hidden.div_ceil(64)) as usize;
        let products = |model: &mut Model<i64>| match &mut model.readout {
            Readout::Tree(tree) => {
                tree.parts = parts;
                tree.products
            }
            other => panic!("{other:?} is no tree"),
        };
        for (at, sample) in samples(&mut random, 100, classes).iter().enumerate() {
            if at == 50 {
                chip.set_epoch(1, 2);
            }
            let before = products(&mut chip.model);
            let [answers, expected] = chip.show_both(sample);
            several += u32::from(products(&mut chip.model) > before + (2 * parts) as u64);
            let when = format!("seed {seed}, sample {at}");
            assert_eq!(answers, expected, "{when}: answers");
            chip.same_layers(&when);
            let Readout::Tree(tree) = chip.model.readout.clone() else { panic!("a tree") };
            compare_tree(&mut chip, &tree, &when);
        }
    }
    assert!(several > 100, "only {several} answers looked at several nodes");
}

fn compare_tree(chip: &mut OnChip, model: &TargetTree<i64>, when: &str) {
    let child = |child: &Child| match *child {
        Child::Leaf(class) => -1 - class as i64,
        Child::Node(node) => node as i64,
    };
    let place = |place: Option<(usize, usize)>| place.map_or(-1, |(node, side)| (2 * node + side) as i64);
    let inner = model.leaves.len() - 1;
    let mut of_nodes = |name: &str, of: &dyn Fn(&TreeNode<i64>) -> Vec<i64>, width: usize| {
        let mut expected: Vec<i64> = model.nodes.iter().flat_map(of).collect();
        expected.resize(inner * width, 0);
        assert_eq!(chip.read(name), expected, "{when}: {name}");
    };
    let inputs = model.targets[0].len();
    of_nodes("weights", &|node| node.weights.clone(), inputs);
    of_nodes("bias", &|node| vec![node.bias], 1);
    of_nodes("children", &|node| node.children.iter().map(child).collect(), 2);
    of_nodes("parent", &|node| vec![place(node.parent)], 1);
    of_nodes("size", &|node| vec![node.size as i64], 1);
    let leaves: Vec<i64> = model.leaves.iter().map(|leaf| leaf.map_or(-2, place)).collect();
    assert_eq!(chip.read("leaf"), leaves, "{when}: leaves");
    assert_eq!(chip.read("root"), [model.root.as_ref().map_or(0, child)], "{when}: root");
    assert_eq!(chip.read("nodes"), [model.nodes.len() as i64], "{when}: nodes");
    assert_eq!(chip.read("products"), [model.products as i64], "{when}: products");
    assert_eq!(chip.read("target_trace"), model.targets.concat(), "{when}: targets");
}
