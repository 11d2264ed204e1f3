//! The reference in real numbers against the models in integers.
//!
//! Where a change of weight is a whole number of the weight's last bit, nothing is left to round and both must agree to the
//! bit: so these networks learn fast. Where the chip has tables or rounds, changes must point the same way and be as long.

use ndarray::{Array2, ArrayView1, ArrayView2, s};
use onward_run::data::{Dataset, SampleOrder, SplitMix64};
use testbench::float_model::{self, Attachment, Fall, Initial, Kernel, Kind, Loss, Optimizer, Rule, steps};
use testbench::integer_model::Signal;
use testbench::{convolution_model, integer_model, steps_model};

/// 1.0 in weights of 16 bits.
const ONE: f64 = 4096.0;

const CLASSES: usize = 10;

/// Uniform integers that are at most `most` times [`ONE`] away from 0.
fn drawn(random: &mut SplitMix64, rows: usize, columns: usize, most: f64) -> Array2<i64> {
    let bound = (most * ONE) as u32;
    Array2::from_shape_simple_fn((rows, columns), || i64::from(random.below(2 * bound + 1)) - i64::from(bound))
}

fn real(integers: &Array2<i64>) -> Array2<f64> {
    integers.mapv(|integer| integer as f64 / ONE)
}

/// Some columns, row by row.
fn columns(array: &Array2<i64>, first: usize, count: usize) -> Vec<Vec<i64>> {
    array.slice(s![.., first..first + count]).rows().into_iter().map(|row| row.to_vec()).collect()
}

/// The same numbers as blocks hold them, side by side.
fn side_by_side(blocks: &[&[Vec<i64>]]) -> Array2<f64> {
    let width: usize = blocks.iter().map(|rows| rows.first().map_or(0, Vec::len)).sum();
    let height = blocks.first().map_or(0, |rows| rows.len());
    let flat = (0..height).flat_map(|row| blocks.iter().flat_map(move |rows| rows[row].iter()));
    let flat = flat.map(|&integer| integer as f64 / ONE).collect();
    Array2::from_shape_vec((height, width), flat).expect("as many numbers as places")
}

/// Cosine of the angle between two changes, and how much longer the second is.
fn compared(before: &Array2<f64>, one: &Array2<f64>, other: ArrayView2<f64>) -> (f64, f64) {
    let (one, other) = (one - before, &other - before);
    let product = |a: &Array2<f64>, b: &Array2<f64>| (a * b).sum();
    let lengths = [product(&one, &one).sqrt(), product(&other, &other).sqrt()];
    (product(&one, &other) / (lengths[0] * lengths[1]), lengths[1] / lengths[0])
}

/// Two dense layers for the digits in integers and in real numbers, with the same weights.
struct Dense {
    before: [Array2<f64>; 2],
    integers: integer_model::Model,
    real: float_model::Model,
}

impl Dense {
    const NEURONS: usize = 24;
    const BLOCK: usize = 12;

    fn new(rule: &Rule, window: usize) -> Dense {
        let random = &mut SplitMix64::new(5);
        let weights = [drawn(random, 64, Self::NEURONS, 0.3), drawn(random, Self::NEURONS, Self::NEURONS, 0.5)];
        Dense::with_weights(rule, window, weights, drawn(random, CLASSES, Self::NEURONS, 1.7))
    }

    fn with_weights(rule: &Rule, window: usize, weights: [Array2<i64>; 2], targets: Array2<i64>) -> Dense {
        let layer = integer_model::Layer {
            neurons: Self::NEURONS,
            block: Self::BLOCK,
            weight_bits: 16,
            gain: 1.0,
            fraction: None,
            threshold: 1.0,
            learning: Some(in_integers(rule)),
        };
        let network =
            integer_model::Network { inputs: 64, classes: CLASSES, window, layers: vec![layer.clone(), layer] };
        let integers = integer_model::Model::new(&network, 1, |number, block| {
            let targets = if number == 0 { columns(&targets, block * Self::BLOCK, Self::BLOCK) } else { Vec::new() };
            (columns(&weights[number], block * Self::BLOCK, Self::BLOCK), targets)
        });
        let layer = float_model::Layer {
            kind: Kind::Dense { neurons: Self::NEURONS },
            block: Self::BLOCK,
            threshold: 1.0,
            gain: 1.0,
            rule: rule.clone(),
        };
        let network =
            float_model::Network { input: [1, 8, 8], classes: CLASSES, window, layers: vec![layer.clone(), layer] };
        let real = float_model::Model::with_weights(&network, |number, _| Initial {
            weights: self::real(&weights[number]),
            projection: (number == 0).then(|| self::real(&targets)),
        });
        Dense { before: weights.map(|weights| self::real(&weights)), integers, real }
    }

    /// Learns from the first samples in two epochs.
    fn learn(&mut self, samples: usize) {
        let data = Dataset::load("digits").expect("built-in data");
        for epoch in 0..2 {
            self.integers.set_epoch(epoch, 2);
            self.real.set_epoch(epoch, 2);
            (0..samples).for_each(|sample| self.learn_from(&data, sample));
        }
    }

    fn learn_from(&mut self, data: &Dataset, sample: usize) {
        let (pixels, class) = (data.train.pixels(sample), data.train.label(sample).into());
        self.integers.learn(pixels, class);
        self.real.learn(pixels, class);
    }

    /// Both have learned the same; returns whether they learned in each layer.
    fn agree(&self, what: &str) -> bool {
        let mut learned = true;
        for number in 0..2 {
            let [weights, targets, biases] = self.learned(number);
            learned &= weights != self.before[number];
            assert_eq!(weights, self.real.weights(number), "{what}: weights of layer {number}");
            assert_eq!(biases.row(0), self.real.bias(number), "{what}: biases of layer {number}");
            if let Some(projection) = self.real.projection(number) {
                assert_eq!(targets, projection, "{what}: the target's weights");
            }
        }
        learned
    }

    /// Of a layer in integers, all that is learned.
    fn learned(&self, number: usize) -> [Array2<f64>; 3] {
        let blocks = &self.integers.layers[number].blocks;
        let weights: Vec<&[Vec<i64>]> = blocks.iter().map(|block| block.weights.as_slice()).collect();
        let targets: Vec<&[Vec<i64>]> = blocks.iter().map(|block| block.target_weights.as_slice()).collect();
        let biases: Vec<Vec<Vec<i64>>> = blocks.iter().map(|block| vec![block.bias.clone()]).collect();
        let biases: Vec<&[Vec<i64>]> = biases.iter().map(Vec::as_slice).collect();
        [side_by_side(&weights), side_by_side(&targets), side_by_side(&biases)]
    }
}

fn in_integers(rule: &Rule) -> integer_model::Rule {
    integer_model::Rule {
        loss: match rule.loss {
            Loss::Hinge { margin } => integer_model::Loss::Hinge(margin),
            Loss::Softmax { temperature } => integer_model::Loss::Softmax(temperature),
            Loss::SquaredError { margin } => integer_model::Loss::SquaredError(margin),
            Loss::Hebbian => integer_model::Loss::Hebbian,
        },
        rate: rule.rate as u32,
        fall: match &rule.fall {
            Fall::Evenly(times) => integer_model::Fall::Evenly(*times),
            Fall::In(epochs) => integer_model::Fall::In(epochs.clone()),
        },
        signal: match rule.attachment {
            Attachment::Surrogate => Signal::Surrogate,
            Attachment::Voltage => Signal::Voltage,
            Attachment::Count => Signal::Count,
        },
        optimizer: match rule.optimizer {
            Optimizer::Plain => integer_model::Optimizer::Plain,
            Optimizer::Momentum { decay } => integer_model::Optimizer::Momentum(decay),
            Optimizer::Adaptive { decay } => integer_model::Optimizer::Adaptive(decay),
        },
        weight_decay: rule.weight_decay,
        revive: rule.revive,
        spread: false,
        carries: false,
        batch: 1,
    }
}

/// A rule whose changes with windows of 8 steps are whole in 12 fraction bits: `12 - 2 * 3` is 6, halved once is 7.
fn exact() -> Rule {
    Rule { rate: 5.0, fall: Fall::Evenly(1), revive: false, ..Rule::default() }
}

#[test]
fn dense_layers_agree_to_the_bit_where_nothing_is_rounded() {
    let rules = [
        exact(),
        Rule { attachment: Attachment::Count, fall: Fall::In(vec![2]), ..exact() },
        Rule { loss: Loss::SquaredError { margin: 0.3 }, ..exact() },
        Rule { loss: Loss::Hebbian, ..exact() },
    ];
    for rule in rules {
        let mut pair = Dense::new(&rule, 8);
        pair.learn(50);
        assert!(pair.agree(&format!("{rule:?}")), "{rule:?} learns");
    }
}

/// A voltage in scores is rounded to whole thresholds on the chip; where weights are whole it is whole, until they change.
#[test]
fn dense_layers_agree_to_the_bit_at_whole_voltages() {
    let data = Dataset::load("digits").expect("built-in data");
    let rule = Rule { attachment: Attachment::Voltage, ..exact() };
    let whole = |random: &mut SplitMix64, rows, columns, one_in: u32| {
        let mut weight = || match random.below(2 * one_in) {
            0 => -ONE as i64,
            1 => ONE as i64,
            _ => 0,
        };
        Array2::from_shape_simple_fn((rows, columns), &mut weight)
    };
    let agree = |&sample: &u64| {
        let random = &mut SplitMix64::new(sample);
        let weights = [whole(random, 64, Dense::NEURONS, 20), whole(random, Dense::NEURONS, Dense::NEURONS, 6)];
        let mut pair = Dense::with_weights(&rule, 8, weights, whole(random, CLASSES, Dense::NEURONS, 1));
        pair.learn_from(&data, sample as usize);
        pair.agree(&format!("sample {sample}"))
    };
    // From some samples there is nothing to learn.
    let learned = (0..20).filter(agree).count();
    assert!(learned > 10, "{learned} of 20 samples");
}

#[test]
fn dense_layers_agree_nearly_where_the_chip_has_tables_or_rounds() {
    let rules = [
        Rule { rate: 8.0, ..exact() },
        Rule { revive: true, ..exact() },
        Rule { loss: Loss::Softmax { temperature: 0.1 }, rate: 7.0, ..exact() },
        Rule { optimizer: Optimizer::Momentum { decay: 3 }, rate: 8.0, ..exact() },
        Rule { optimizer: Optimizer::Adaptive { decay: 9 }, rate: 8.0, ..exact() },
        Rule { weight_decay: Some(8), rate: 7.0, ..exact() },
    ];
    for rule in rules {
        let mut pair = Dense::new(&rule, 8);
        pair.learn(30);
        for number in 0..2 {
            let [weights, ..] = pair.learned(number);
            let (cosine, longer) = compared(&pair.before[number], &weights, pair.real.weights(number));
            println!("{rule:?}, layer {number}: cosine {cosine:.4}, {longer:.4} times as long");
            assert!(cosine > 0.9 && (0.9..1.1).contains(&longer), "{rule:?}, layer {number}: {cosine}, {longer}");
        }
    }
}

#[test]
fn every_rule_learns_the_digits() {
    let of = |rule: &Rule| Rule { rate: 7.0, ..rule.clone() };
    let usual = Rule::default();
    let rules = [
        (of(&usual), 90.0),
        (of(&Rule { loss: Loss::Softmax { temperature: 0.1 }, ..usual.clone() }), 90.0),
        (of(&Rule { loss: Loss::SquaredError { margin: 0.3 }, ..usual.clone() }), 90.0),
        (of(&Rule { loss: Loss::Hebbian, ..usual.clone() }), 85.0),
        (of(&Rule { attachment: Attachment::Voltage, ..usual.clone() }), 90.0),
        (of(&Rule { attachment: Attachment::Count, ..usual.clone() }), 90.0),
        (of(&Rule { optimizer: Optimizer::Momentum { decay: 3 }, ..usual.clone() }), 90.0),
        (of(&Rule { optimizer: Optimizer::Adaptive { decay: 9 }, ..usual.clone() }), 90.0),
        (of(&Rule { weight_decay: Some(14), ..usual.clone() }), 90.0),
    ];
    let dense = |_| (Kind::Dense { neurons: 128 }, 64);
    for (rule, least) in rules {
        let accuracy = digits([0, 1].map(dense), &rule, 6);
        println!("{rule:?}: {accuracy:.2} %");
        assert!(accuracy > least, "{rule:?}: {accuracy:.2} % after 6 epochs");
    }
}

#[test]
fn a_convolution_learns_the_digits() {
    let kernel = Kernel { channels: 16, extents: [5, 5], stride: [1, 1], padding: [2, 2] };
    let rule = Rule { rate: 4.0, fall: Fall::Evenly(4), revive: false, ..Rule::default() };
    let accuracy = digits([(Kind::Convolution(kernel), 8)], &rule, 3);
    println!("{accuracy:.2} %");
    assert!(accuracy > 95.0, "{accuracy:.2} % after 3 epochs");
}

/// Right answers in percent, of layers with their blocks, after some epochs.
fn digits<const LAYERS: usize>(layers: [(Kind, usize); LAYERS], rule: &Rule, epochs: u32) -> f64 {
    let data = Dataset::load("digits").expect("built-in data");
    let layers =
        layers.map(|(kind, block)| float_model::Layer { kind, block, threshold: 1.0, gain: 1.0, rule: rule.clone() });
    let network = float_model::Network { input: [1, 8, 8], classes: CLASSES, window: 8, layers: layers.to_vec() };
    let mut model = float_model::Model::new(&network, 7);
    for epoch in 0..epochs {
        model.set_epoch(epoch, epochs);
        for sample in SampleOrder::new(7).epoch(data.train.len() as u32, epoch) {
            model.learn(data.train.pixels(sample as usize), data.train.label(sample as usize).into());
        }
    }
    let right = |&at: &usize| model.infer(data.test.pixels(at)) == usize::from(data.test.label(at));
    100.0 * (0..data.test.len()).filter(right).count() as f64 / data.test.len() as f64
}

/// Two convolutions behind each other for the digits.
fn kernels() -> [(Kernel, usize); 2] {
    let of = |channels, extents, stride, padding| Kernel { channels, extents, stride, padding };
    [(of(5, [3, 3], [2, 2], [1, 1]), 2), (of(4, [2, 3], [1, 2], [0, 1]), 3)]
}

#[test]
fn convolutions_agree_to_the_bit_where_nothing_is_rounded() {
    // 4 steps and 16 and 6 places: 12 - 2 * 2 - 2 are 6.
    let (window, rate, data) = (4, 6, Dataset::load("digits").expect("built-in data"));
    let random = &mut SplitMix64::new(6);
    let inputs = [1, 5];
    // In 4 x 4 places, then in 3 x 2.
    let outputs = [5 * 16, 4 * 6];
    let taps = |number: usize| inputs[number] * kernels()[number].0.extents.iter().product::<usize>();
    let weights: Vec<Array2<i64>> =
        (0..2).map(|number| drawn(random, taps(number), kernels()[number].0.channels, 0.5)).collect();
    let targets = drawn(random, CLASSES, outputs[0], 1.0);
    let layers = kernels().map(|(kernel, block)| convolution_model::Layer {
        channels: kernel.channels,
        kernel: kernel.extents,
        stride: kernel.stride,
        padding: kernel.padding,
        block,
        weight_bits: 16,
        threshold: 1.0,
        learning: Some(convolution_model::Hinge { rate, margin: 0.3, gated: true }),
    });
    let network = convolution_model::Network { input: [1, 8, 8], classes: CLASSES, window, layers: layers.to_vec() };
    let mut integers = convolution_model::Model::new(&network, 1, |number, at| {
        let (kernel, block) = &kernels()[number];
        let first = at * block;
        let channels = first..(first + block).min(kernel.channels);
        let of_block = channels.clone().flat_map(|channel| weights[number].column(channel).to_vec()).collect();
        let targets = columns(&targets, 16 * first, 16 * channels.len());
        (of_block, if number == 0 { targets } else { Vec::new() })
    });
    let rule = Rule { rate: rate.into(), revive: false, ..Rule::default() };
    let layers = kernels().map(|(kernel, block)| float_model::Layer {
        kind: Kind::Convolution(kernel),
        block,
        threshold: 1.0,
        gain: 1.0,
        rule: rule.clone(),
    });
    let network = float_model::Network { input: [1, 8, 8], classes: CLASSES, window, layers: layers.to_vec() };
    let mut model = float_model::Model::with_weights(&network, |number, _| Initial {
        weights: real(&weights[number]),
        projection: (number == 0).then(|| real(&targets)),
    });
    for sample in 0..60 {
        let (pixels, class) = (data.train.pixels(sample), data.train.label(sample).into());
        integers.learn(pixels, class);
        model.learn(pixels, class);
    }
    for (number, before) in weights.iter().enumerate() {
        let blocks = &integers.layers[number].blocks;
        let by_channel: Vec<i64> = blocks.iter().flat_map(|block| block.weights.clone()).collect();
        let shape = (before.ncols(), before.nrows());
        let learned = Array2::from_shape_vec(shape, by_channel).expect("all taps of all channels").reversed_axes();
        assert_ne!(learned, before, "layer {number} learns");
        assert_eq!(real(&learned), model.weights(number), "kernels of layer {number}");
    }
    let targets: Vec<&[Vec<i64>]> =
        integers.layers[0].blocks.iter().map(|block| block.target_weights.as_slice()).collect();
    assert_eq!(Some(side_by_side(&targets).view()), model.projection(0), "the target's weights");
    let answers = (60..200).map(|sample| (integers.infer(data.train.pixels(sample)), sample));
    assert!(answers.into_iter().all(|(answer, sample)| model.infer(data.train.pixels(sample)) == answer));
}

/// A recurrent layer in both, that learned from some windows.
fn recurrent(
    leak: Vec<i64>,
    memory: u32,
    rate: u32,
    windows: usize,
) -> (Array2<f64>, steps_model::Model, steps::Model) {
    let (inputs, classes, window, neurons, block) = (12, 3, 8, 10, 4);
    let random = &mut SplitMix64::new(7);
    let rows = drawn(random, inputs + classes + neurons, neurons, 0.6);
    let network = steps_model::Network {
        inputs,
        classes,
        window,
        neurons,
        block,
        weight_bits: 16,
        threshold: 1.0,
        leak: leak.clone(),
        current: None,
        recurrent: true,
        every: 4,
        memory,
        rate,
        margin: 0.3,
        gated: true,
    };
    let mut integers = steps_model::Model::new(&network, 1, |at| {
        let part = |from: usize, to: usize| {
            let part = rows.slice(s![from..to, ..]).to_owned();
            columns(&part, at * block, block.min(neurons - at * block))
        };
        let own = inputs + classes;
        steps_model::Initial {
            weights: part(0, inputs),
            target_weights: part(inputs, own),
            own_weights: part(own, own + neurons),
        }
    });
    let network = steps::Network {
        inputs,
        classes,
        window,
        neurons,
        block,
        threshold: 1.0,
        gain: 1.0,
        leak: leak.iter().map(|&part| part as f64 / 65536.0).collect(),
        current: None,
        recurrent_gain: Some(1.0),
        every: 4,
        memory,
        rate: rate.into(),
        halvings: 0,
        margin: 0.3,
        gated: true,
        revive: true,
    };
    let mut model = steps::Model::with_weights(&network, real(&rows));
    for number in 0..windows {
        let shown: Vec<Vec<bool>> = (0..window).map(|_| (0..inputs).map(|_| random.below(4) == 0).collect()).collect();
        let active = |step: &Vec<bool>| (0..inputs).filter(|&axon| step[axon]).collect();
        integers.learn(&shown, number % classes, false);
        model.learn(&shown.iter().map(active).collect::<Vec<_>>(), number % classes, false);
    }
    (real(&rows), integers, model)
}

fn of_steps(model: &steps_model::Model) -> Array2<f64> {
    let blocks: Vec<&[Vec<i64>]> = model.blocks.iter().map(|block| block.rows.as_slice()).collect();
    side_by_side(&blocks)
}

#[test]
fn a_recurrent_layer_agrees_to_the_bit_where_nothing_is_rounded() {
    // All of a membrane is left; halved traces have 8 fraction bits in 8 steps; 12 - 8 - 3 is 1.
    let (before, integers, model) = recurrent(vec![65536; 10], 1, 1, 6);
    let learned = of_steps(&integers);
    assert_ne!(learned, before);
    assert_eq!(learned, model.weights());
    let biases: Vec<f64> =
        integers.blocks.iter().flat_map(|block| &block.bias).map(|&bias| bias as f64 / ONE).collect();
    assert_eq!(ArrayView1::from(&biases), model.bias());
}

#[test]
fn a_recurrent_layer_agrees_nearly_where_the_chip_rounds() {
    let leak = steps::spread(0.5, 0.95, 10, 4).iter().map(|part| (part * 65536.0).round() as i64).collect();
    let (before, integers, model) = recurrent(leak, 3, 5, 20);
    let (cosine, longer) = compared(&before, &of_steps(&integers), model.weights());
    println!("cosine {cosine:.4}, {longer:.4} times as long");
    assert!(cosine > 0.9 && (0.9..1.1).contains(&longer), "{cosine}, {longer}");
}
