//! The composed model in real numbers against itself in integers.
//!
//! Where a change of weight is a whole number of the weight's last bit, nothing is left to round and both must agree to the
//! bit: so these networks learn fast. Where the chip has tables or rounds, changes must point the same way and be as long.

use onward_diagnostic::Source;
use onward_net::Network;
use onward_run::data::{Dataset, SampleOrder, SplitMix64};
use testbench::model::{Layer, Model, Neurons, Step, encode, spikes};

/// 1.0 in weights of 16 bits.
const ONE: f64 = 4096.0;

fn parsed(text: &str) -> Network {
    let source = Source::new("float.sp", text);
    Network::parse(&source).unwrap_or_else(|errors| panic!("{}", source.render(&errors)))
}

fn digits() -> Dataset {
    Dataset::load("digits").expect("built-in data")
}

/// A network for the digits with these layers, all of which learn by a rule.
fn network(window: u32, rule: &str, layers: &str, last: &str) -> Network {
    parsed(&format!(
        "network digits {{\n window = {window}\n learning = {rule}\n input x = rate(1, 8, 8)\n target y = classes(10)\n {layers}\n \
         readout z = nearest_target from {last}\n}}\n"
    ))
}

/// Two dense layers in two blocks each.
fn dense(window: u32, rule: &str, neurons: u32) -> Network {
    let layer =
        |name: &str, from: &str| format!("layer {name} = dense({neurons}) from {from} {{ block = {} }}", neurons / 2);
    network(window, rule, &format!("{}\n {}", layer("a", "x, y"), layer("b", "a")), "b")
}

/// A network in integers and in real numbers, with the same weights.
struct Pair {
    integers: Model<i64>,
    real: Model<f64>,
    /// All that was drawn, by layer.
    before: Vec<[Vec<f64>; 4]>,
}

/// All that a layer learns: weights, own weights, the target's projection, biases.
fn learned<N: testbench::model::Number>(layer: &Layer<N>, real: impl Fn(&N) -> f64) -> [Vec<f64>; 4] {
    let biases = layer.blocks.iter().flat_map(|block| block.bias.clone()).collect();
    [layer.learned().clone(), layer.own_weights.clone(), layer.target_weights.clone(), biases]
        .map(|all: Vec<N>| all.iter().map(&real).collect())
}

fn in_ones(integer: &i64) -> f64 {
    *integer as f64 / ONE
}

impl Pair {
    /// Weights are uniform, at most `most` times 1.0 away from 0: of each layer, of own spikes, of the target.
    fn new(network: &Network, most: &[f64], own: f64, targets: f64) -> Pair {
        let random = &mut SplitMix64::new(5);
        let mut drawn = |most: f64, into: &mut Vec<i64>| {
            let bound = (most * ONE) as u32;
            into.iter_mut().for_each(|weight| *weight = i64::from(random.below(2 * bound + 1)) - i64::from(bound));
        };
        let mut integers = Model::<i64>::new(network, 1);
        for (layer, &most) in integers.layers.iter_mut().zip(most) {
            drawn(most, layer.weights.get_mut(&1).expect("weights"));
            drawn(own, &mut layer.own_weights);
            drawn(targets, &mut layer.target_weights);
        }
        Pair::of(network, integers)
    }

    fn of(network: &Network, integers: Model<i64>) -> Pair {
        let mut real = Model::<f64>::new(network, 1);
        for (real, layer) in real.layers.iter_mut().zip(&integers.layers) {
            let all = |integers: &[i64]| integers.iter().map(in_ones).collect::<Vec<f64>>();
            real.weights = [(1, all(layer.learned()))].into();
            (real.own_weights, real.target_weights) = (all(&layer.own_weights), all(&layer.target_weights));
        }
        let before = integers.layers.iter().map(|layer| learned(layer, in_ones)).collect();
        Pair { integers, real, before }
    }

    /// Learns from the first samples of the digits in two epochs.
    fn learn(&mut self, samples: usize) {
        let data = digits();
        for epoch in 0..2 {
            self.integers.set_epoch(epoch, 2);
            self.real.set_epoch(epoch, 2);
            (0..samples).for_each(|sample| self.learn_from(&data, sample));
        }
    }

    fn learn_from(&mut self, data: &Dataset, sample: usize) {
        let (pixels, class) = (data.train.pixels(sample), data.train.label(sample).into());
        self.integers.learn(&encode(pixels, self.integers.window), class, None, false);
        self.real.learn(&encode(pixels, self.real.window), class, None, false);
    }

    /// Asserts that both have learned the same, to the bit; whether each layer learned something.
    fn agree(&self, what: &str) -> bool {
        let mut all = true;
        for (number, layer) in self.integers.layers.iter().enumerate() {
            let now = learned(layer, in_ones);
            assert_eq!(now, learned(&self.real.layers[number], |&real| real), "{what}: layer {number}");
            all &= now[0] != self.before[number][0];
        }
        all
    }

    /// Asserts that both have learned nearly the same weights, of each source: up to such a part of the change.
    fn agree_nearly(&self, what: &str, part: f64) {
        for (number, layer) in self.integers.layers.iter().enumerate() {
            let (integers, real) = (learned(layer, in_ones), learned(&self.real.layers[number], |&real| real));
            for array in (0..3).filter(|&array| !integers[array].is_empty()) {
                let change = |now: &[Vec<f64>; 4]| {
                    now[array].iter().zip(&self.before[number][array]).map(|(a, b)| a - b).collect::<Vec<_>>()
                };
                let (one, other) = (change(&integers), change(&real));
                let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
                let lengths = [product(&one, &one).sqrt(), product(&other, &other).sqrt()];
                let (cosine, longer) = (product(&one, &other) / (lengths[0] * lengths[1]), lengths[1] / lengths[0]);
                println!("{what}, layer {number}, weights {array}: cosine {cosine:.4}, {longer:.4} times as long");
                let is_near = cosine > 1.0 - part && (1.0 - part..1.0 + part).contains(&longer);
                assert!(is_near, "{what}, layer {number}: {cosine}, {longer}");
            }
        }
    }
}

// Changes with windows of 8 steps at a rate of 2^-5 are whole in 12 fraction bits: `12 - 2 * 3` is 6, halved once is 7.
#[test]
fn dense_layers_agree_to_the_bit_where_nothing_is_rounded() {
    for rule in [
        "hinge { rate = 5, anneal = 1, revive = none }",
        "hinge { rate = 5, shifts = (2), gate = none, revive = none }",
        "squared_error { rate = 5, anneal = 1, revive = none }",
        "hebbian { rate = 5, anneal = 1, revive = none }",
    ] {
        let mut pair = Pair::new(&dense(8, rule, 24), &[0.3, 0.5], 0.0, 1.7);
        pair.learn(50);
        assert!(pair.agree(rule), "{rule} learns");
    }
}

/// A voltage in scores is rounded to whole thresholds on the chip; where weights are whole it is whole, until they change.
#[test]
fn dense_layers_agree_to_the_bit_at_whole_voltages() {
    let data = digits();
    let network = dense(8, "hinge { rate = 5, anneal = 1, gate = voltage, revive = none }", 24);
    let whole = |random: &mut SplitMix64, weights: &mut Vec<i64>, one_in: u32| {
        weights.iter_mut().for_each(|weight| {
            *weight = match random.below(2 * one_in) {
                0 => -ONE as i64,
                1 => ONE as i64,
                _ => 0,
            };
        });
    };
    let agree = |&sample: &u64| {
        let random = &mut SplitMix64::new(sample);
        let mut integers = Model::<i64>::new(&network, 1);
        for (layer, one_in) in integers.layers.iter_mut().zip([20, 6]) {
            whole(random, layer.weights.get_mut(&1).expect("weights"), one_in);
        }
        whole(random, &mut integers.layers[0].target_weights, 1);
        let mut pair = Pair::of(&network, integers);
        pair.learn_from(&data, sample as usize);
        pair.agree(&format!("sample {sample}"))
    };
    // From some samples there is nothing to learn.
    let learned = (0..20).filter(agree).count();
    assert!(learned > 10, "{learned} of 20 samples");
}

#[test]
fn dense_layers_agree_nearly_where_the_chip_has_tables_or_rounds() {
    for rule in [
        "hinge { rate = 8, anneal = 1, revive = none }",
        "hinge { rate = 5, anneal = 1 }",
        "softmax { rate = 7, anneal = 1, revive = none }",
        "hinge { rate = 8, anneal = 1, optimizer = momentum, revive = none }",
        "hinge { rate = 8, anneal = 1, optimizer = adaptive, revive = none }",
        "hinge { rate = 7, anneal = 1, weight_decay = 8, revive = none }",
        "hinge { rate = 8, anneal = 1, rounding = carried, revive = none }",
        "hinge { rate = 8, anneal = 1, batch = 5, revive = none }",
        "hinge { rate = 8, anneal = 1, update = spread, revive = none }",
    ] {
        let mut pair = Pair::new(&dense(8, rule, 24), &[0.3, 0.5], 0.0, 1.7);
        pair.learn(30);
        pair.agree_nearly(rule, 0.1);
    }
}

/// Right answers in percent, after some epochs.
fn accuracy(network: &Network, epochs: u32) -> f64 {
    let data = digits();
    let mut model = Model::drawn(network, 7);
    for epoch in 0..epochs {
        model.set_epoch(epoch, epochs);
        for sample in SampleOrder::new(7).epoch(data.train.len() as u32, epoch) {
            let shown = encode(data.train.pixels(sample as usize), model.window);
            model.learn(&shown, data.train.label(sample as usize).into(), None, false);
        }
    }
    let is_right = |&at: &usize| {
        model.infer(&encode(data.test.pixels(at), model.window), false) == usize::from(data.test.label(at))
    };
    100.0 * (0..data.test.len()).filter(is_right).count() as f64 / data.test.len() as f64
}

#[test]
fn every_rule_learns_the_digits() {
    for (rule, least) in [
        ("hinge { rate = 7 }", 90.0),
        ("softmax { rate = 7 }", 90.0),
        ("squared_error { rate = 7 }", 90.0),
        ("hebbian { rate = 7 }", 85.0),
        ("hinge { rate = 7, gate = voltage }", 90.0),
        ("hinge { rate = 7, gate = none }", 90.0),
        ("hinge { rate = 7, optimizer = momentum }", 90.0),
        ("hinge { rate = 7, optimizer = adaptive }", 90.0),
        ("hinge { rate = 7, weight_decay = 14 }", 90.0),
    ] {
        let accuracy = accuracy(&dense(8, rule, 128), 6);
        println!("{rule}: {accuracy:.2} %");
        assert!(accuracy > least, "{rule}: {accuracy:.2} % after 6 epochs");
    }
}

#[test]
fn a_convolution_learns_the_digits() {
    let rule = "hinge { rate = 4, anneal = 4, revive = none }";
    let network = network(8, rule, "layer a = conv(16, 5) from x, y { padding = 2, block = 8 }", "a");
    let accuracy = accuracy(&network, 3);
    println!("{accuracy:.2} %");
    assert!(accuracy > 95.0, "{accuracy:.2} % after 3 epochs");
}

#[test]
fn convolutions_agree_to_the_bit_where_nothing_is_rounded() {
    // 4 steps and 16 and 6 places: 12 - 2 * 2 - 2 are 6.
    let layers = "layer a = conv(5, 3) from x, y { stride = 2, padding = 1, block = 2 }
        layer b = conv(4, 2, 3) from a { stride = (1, 2), padding = (0, 1), block = 3 }";
    let network = network(4, "hinge { rate = 6, anneal = 0, revive = none }", layers, "b");
    let mut pair = Pair::new(&network, &[0.5, 0.5], 0.0, 1.0);
    let data = digits();
    (0..60).for_each(|sample| pair.learn_from(&data, sample));
    assert!(pair.agree("kernels"), "both layers learn");
    for sample in 60..200 {
        let pixels = data.train.pixels(sample);
        assert_eq!(pair.integers.infer(&encode(pixels, 4), false), pair.real.infer(&encode(pixels, 4), false));
    }
}

/// A recurrent layer in both, that learned from some windows.
fn recurrent(leak: &str, memory: u32, rate: u32, windows: usize) -> Pair {
    let (inputs, classes, window) = (12, 3, 8);
    let network = parsed(&format!(
        "network n {{\n window = {window}\n input x = rate({inputs})\n target y = classes({classes})\n \
         layer a = recurrent(10) from x, y {{ block = 4, neurons = leaky {{ leak = {leak} }}, \
         learning = hinge {{ rate = {rate}, every = 4, memory = {memory} }} }}\n readout z = nearest_target from a\n}}\n"
    ));
    let mut pair = Pair::new(&network, &[0.6], 0.6, 0.6);
    let random = &mut SplitMix64::new(7);
    for number in 0..windows {
        let mut step = || (0..inputs).filter(|_| random.below(4) == 0).collect::<Vec<usize>>();
        let shown: Vec<Vec<usize>> = (0..window).map(|_| step()).collect();
        let integers: Vec<Step<i64>> = shown.iter().map(|places| spikes(places)).collect();
        let real: Vec<Step<f64>> = shown.iter().map(|places| spikes(places)).collect();
        pair.integers.learn(&integers, number % classes, None, false);
        pair.real.learn(&real, number % classes, None, false);
    }
    pair
}

#[test]
fn a_recurrent_layer_agrees_to_the_bit_where_nothing_is_rounded() {
    // All of a membrane is left; halved traces have 8 fraction bits in 8 steps; 12 - 8 - 3 is 1.
    assert!(recurrent("none", 1, 1, 6).agree("a recurrent layer"), "it learns");
}

#[test]
fn a_recurrent_layer_agrees_nearly_where_the_chip_rounds() {
    recurrent("spread(0.5, 0.95)", 3, 5, 20).agree_nearly("a recurrent layer", 0.1);
}

/// What the parts of a network have to do with each other is said by no list: any layer may have any of them.
#[test]
fn parts_are_composed_freely() {
    let rules = [
        "softmax { rate = 7, anneal = 1 }",
        "squared_error { rate = 8, anneal = 1, gate = none }",
        "hinge { rate = 8, anneal = 1, optimizer = adaptive, weight_decay = 12 }",
        "hinge { rate = 8, anneal = 1, batch = 3, gate = voltage }",
        "softmax { rate = 7, anneal = 1, every = 4, memory = 2 }",
        "hinge { rate = 8, anneal = 1, update = spread, rounding = carried }",
    ];
    let layers = [
        // Leaky and recurrent, over a convolution that learns as well.
        "layer a = conv(4, 3) from x, y { block = 2 }
         layer b = recurrent(20) from a { block = 10, neurons = current_based { current = shift(1), leak = shift(3) } }",
        // Behind a pool, beside a way around it.
        "layer a = dense(64) from x, y { block = 32 }
         layer b = dense(64) from a { block = 32, neurons = leaky { leak = factor(0.9), refractory = 1 } }
         layer c = add from a, b
         layer d = dense(20) from c { block = 20, neurons = leaky { reset = zero } }",
        "layer a = conv(4, 3) from x, y { padding = 1, block = 2, neurons = leaky { leak = shift(4) } }
         layer p = sum_pool(2) from a
         layer b = dense(20) from p { block = 10 }",
    ];
    for (rule, layers) in rules.into_iter().flat_map(|rule| layers.map(|layers| (rule, layers))) {
        let last = if layers.contains("layer d") { "d" } else { "b" };
        let network = network(8, rule, layers, last);
        let mut pair = Pair::new(&network, &[0.3, 0.3, 0.3], 0.2, 1.0);
        pair.learn(10);
        // Voltages in whole thresholds are coarse.
        pair.agree_nearly(&format!("{rule}, {layers}"), 0.25);
    }
}

/// A layer of pairs, which the language reads of files alone.
#[test]
fn pairs_of_leaky_recurrent_neurons_learn_by_softmax() {
    let layer = "layer a = recurrent(24) from x, y { block = 12, neurons = leaky { leak = shift(4) } }";
    let network = network(8, "softmax { rate = 7, anneal = 1 }", layer, "a");
    let mut integers = Model::<i64>::new(&network, 1);
    let pairs: Vec<(usize, usize)> = (0..64 * 24).filter(|at| at % 3 == 0).map(|at| (at % 64, at / 64)).collect();
    integers.layers[0].connect(pairs.iter().copied());
    let random = &mut SplitMix64::new(5);
    let mut drawn = |weight: &mut i64| *weight = i64::from(random.below(4001)) - 2000;
    integers.layers[0].weights.get_mut(&1).expect("weights").iter_mut().for_each(&mut drawn);
    integers.layers[0].target_weights.iter_mut().for_each(&mut drawn);
    let mut pair = Pair::of(&network, integers);
    let weights = std::mem::take(&mut pair.real.layers[0].weights);
    pair.real.layers[0].connect(pairs);
    pair.real.layers[0].weights = weights;
    pair.learn(20);
    pair.agree_nearly("pairs", 0.1);
    assert_eq!(pair.integers.layers[0].learned().len(), 512);
    let leaks: &Neurons<f64> = &pair.real.layers[0].neurons;
    assert_eq!(leaks.leak.as_ref().map(|leak| leak[0]), Some(0.9375));
}
