//! Updates in parts, `update = spread`: the emulated chip equals the plain integer model to the bit, and neither lanes nor
//! placement nor threads change what is learned.

mod common;

use common::{compiled, modelled, parsed, places, same_arrays};
use onward_chip::Chip;
use onward_emulate::{Engine, Machine, Options as Emulation, reference};
use onward_image::Image;
use onward_run::data::Samples;
use onward_run::{Session, weights_hash};
use std::ops::ControlFlow;
use testbench::model::{Model, encode};

const CLASSES: usize = 3;

/// A network whose inputs and layers do not divide by the window, with blocks of several sizes.
struct Case {
    bits: u32,
    window: usize,
    gate: &'static str,
    inputs: usize,
    layers: &'static [usize],
    block: usize,
    carries: bool,
}

const CASES: [Case; 5] = [
    Case { bits: 16, window: 8, gate: "surrogate", inputs: 21, layers: &[13, 9], block: 5, carries: false },
    Case { bits: 8, window: 4, gate: "none", inputs: 10, layers: &[6, 6, 6], block: 6, carries: true },
    Case { bits: 4, window: 16, gate: "surrogate", inputs: 7, layers: &[12, 5], block: 4, carries: false },
    // Parts longer than a vector of 64, the last ones shorter.
    Case { bits: 16, window: 2, gate: "surrogate", inputs: 150, layers: &[140, 20], block: 20, carries: true },
    Case { bits: 16, window: 4, gate: "none", inputs: 450, layers: &[20, 10], block: 10, carries: false },
];

impl Case {
    fn text(&self) -> String {
        let mut text = format!(
            "network spread {{\n window = {}\n input pixels = rate({})\n target digit = classes({CLASSES})\n \
             neurons = integrate_and_fire {{ threshold = 1.0, reset = subtract }}\n \
             weights = fixed {{ bits = {} }}\n \
             learning = hinge {{ rate = 6, margin = 0.4, anneal = 1, gate = {}, update = spread{} }}\n",
            self.window,
            self.inputs,
            self.bits,
            self.gate,
            if self.carries { ", rounding = carried" } else { "" }
        );
        for (at, neurons) in self.layers.iter().enumerate() {
            let from = if at == 0 { "pixels, digit".to_owned() } else { format!("hidden{at}") };
            text += &format!(" layer hidden{} = dense({neurons}) from {from} {{ block = {} }}\n", at + 1, self.block);
        }
        text + &format!(" readout answer = nearest_target from hidden{}\n}}\n", self.layers.len())
    }

    fn image(&self, chip: Chip) -> Image {
        compiled(&self.text(), chip, 3)
    }

    /// The model of it, with the weights of the image.
    fn model(&self, image: &Image, seed: u64) -> Model<i64> {
        let machine = Machine::new(image, Emulation { seed, timing: false, threads: 1 }).expect("an image");
        modelled(&parsed(&self.text()), image, &machine, seed)
    }

    fn samples(&self, count: usize) -> Samples {
        let mut state = 9_u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as u32
        };
        let labels: Vec<u16> = (0..count).map(|_| (random() % CLASSES as u32) as u16).collect();
        let bright = |at: usize, label: u16| at % CLASSES == usize::from(label);
        let pixels = labels.iter().flat_map(|&label| (0..self.inputs).map(move |at| bright(at, label)));
        let pixels: Vec<u8> =
            pixels.map(|bright| if bright { 128 + random() % 128 } else { random() % 140 } as u8).collect();
        Samples::new(pixels, labels, self.inputs)
    }
}

fn assert_equal(session: &Session, image: &Image, model: &Model<i64>, when: &str) {
    for (number, (layer, at)) in places(image).into_iter().enumerate() {
        let first = model.layers[layer].fed_by_target;
        let arrays = ["weights", "bias", "mean_count", "target_count"].map(|name| (name, true));
        let arrays = [&arrays[..], &[("target_weights", first), ("target_trace", !first)]].concat();
        let same = same_arrays(session.machine(), model, [number, layer, at], &arrays, &[]);
        same.unwrap_or_else(|difference| panic!("{when}: {difference}"));
    }
}

#[test]
fn the_chip_equals_the_model() {
    let proceed = |_| ControlFlow::Continue(());
    for case in &CASES {
        let mut chip = Chip::builtin("small").expect("a chip");
        chip.core.vector_length = 64;
        let image = case.image(chip);
        let samples = case.samples(120);
        for use_reference in [false, true] {
            let options = Emulation { seed: 5, timing: false, threads: 2 };
            let machine: Box<dyn Engine> = match use_reference {
                false => Box::new(Machine::new(&image, options).expect("an image")),
                true => Box::new(reference::Machine::new(&image, options).expect("an image")),
            };
            let mut session = Session::with(&image, machine).expect("an input");
            let mut model = case.model(&image, 5);
            // Sample close behind sample, then at rest, then answers, then on; twice with another rate.
            for epoch in 0..2 {
                session.set_epoch(epoch, 2);
                model.set_epoch(epoch, 2);
                for part in [0..1, 1..40, 40..60] {
                    let order: Vec<u32> = (part.start..part.end).map(|at| at + 60 * epoch).collect();
                    session.learn(&samples, &order, proceed).expect("no fault");
                    for &at in &order {
                        let shown = encode(samples.pixels(at as usize), model.window);
                        model.learn(&shown, samples.label(at as usize).into(), None, false);
                    }
                    model.rest();
                    assert_equal(&session, &image, &model, &format!("epoch {epoch}, samples {part:?}"));
                }
                let answers = session.infer(&samples, 20, proceed).expect("answers");
                let expected: Vec<u16> =
                    (0..20).map(|at| model.infer(&encode(samples.pixels(at), model.window), false) as u16).collect();
                assert_eq!(answers, expected);
            }
            let learners =
                image.blocks.iter().zip(session.machine().draws()).filter(|(of, _)| of.symbol("pull").is_some());
            assert!(learners.into_iter().all(|(_, draws)| draws > 0), "every block learned");
        }
    }
}

#[test]
fn neither_chip_nor_threads_change_what_is_learned() {
    let case = &CASES[0];
    let samples = case.samples(60);
    let order: Vec<u32> = (0..60).collect();
    let hash = |chip: Chip, threads| {
        let image = case.image(chip);
        let mut session = Session::new(&image, Emulation { seed: 5, timing: true, threads }).expect("a session");
        session.learn(&samples, &order, |_| ControlFlow::Continue(())).expect("no fault");
        weights_hash(session.machine(), &image)
    };
    let chip = |name: &str, lanes| {
        let mut chip = Chip::builtin(name).expect("a chip");
        chip.core.lanes = lanes;
        chip
    };
    let first = hash(chip("small", 16), 1);
    for (name, lanes, threads) in [("small", 16, 2), ("small", 8, 1), ("middle", 64, 2), ("large", 16, 1)] {
        assert_eq!(hash(chip(name, lanes), threads), first, "{name}, {lanes} lanes, {threads} threads");
    }
}
