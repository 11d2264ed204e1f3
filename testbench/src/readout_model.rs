//! Readouts that learn, in plain integers: after the text of the book, one number at a time.
//!
//! Put in: spike counts of a window; taken out: every number that the chip holds. Nothing is shared with the compiler or
//! the emulator but what [`crate::integer_model`] has of its own.

use crate::integer_model::{generator, largest, saturate};

/// Random bits of a block: a number for each draw and element.
#[derive(Clone, Debug)]
struct Noise {
    seed: u64,
    draws: u32,
}

impl Noise {
    /// The generator of the block of this logical number.
    fn new(seed: u64, block: usize) -> Noise {
        Noise { seed: generator::block_seed(seed, block), draws: 0 }
    }

    /// Each of `values / 2^shift`, rounded down after noise below 1 was added; one draw for all.
    fn round(&mut self, values: &[i64], shift: i64) -> Vec<i64> {
        let draw = self.draws;
        self.draws = self.draws.wrapping_add(1);
        let of = |(i, &value): (usize, &i64)| {
            if shift <= 0 {
                return saturate(value * (1 << -shift), 32);
            }
            let noise = generator::noise(self.seed, draw, i) >> (32 - shift);
            (value + i64::from(noise)).div_euclid(1 << shift)
        };
        values.iter().enumerate().map(of).collect()
    }
}

/// What the text says of a readout that learns.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The rate is `2^-rate`.
    pub rate: u32,
    /// How often it is halved over the run.
    pub anneal: u32,
    /// The margin in outputs of 1.0; `None` for the squared error.
    pub margin: Option<f64>,
    /// Bits of a weight.
    pub bits: u32,
}

impl Rule {
    fn fraction_bits(&self) -> u32 {
        if self.bits > 8 { self.bits - 4 } else { self.bits - 2 }
    }

    /// An output of 1.0.
    fn one(&self, window: i64) -> i64 {
        window << self.fraction_bits()
    }

    fn margin(&self, window: i64) -> i64 {
        ((self.margin.unwrap_or(0.0) * self.one(window) as f64) as i64).max(1)
    }

    fn shift(&self, window: i64, epoch: u32, epochs: u32) -> i64 {
        let log_window = i64::from(window.ilog2());
        let first = match self.margin {
            Some(_) => i64::from(self.rate) - i64::from(self.fraction_bits()) + log_window,
            None => i64::from(self.rate) + 2 * log_window,
        };
        first + i64::from((self.anneal + 1) * epoch / epochs)
    }
}

/// A trained readout.
#[derive(Clone, Debug)]
pub struct Trained {
    rule: Rule,
    window: i64,
    noise: Noise,
    /// What updates are divided by in this epoch: `2^shift`.
    pub shift: i64,
    /// `[input][output]`.
    pub weights: Vec<Vec<i64>>,
    /// `[output]`.
    pub bias: Vec<i64>,
    /// `[output]`: those of the last input window.
    pub sums: Vec<i64>,
}

impl Trained {
    /// A readout that has learned nothing, in the block of this number.
    pub fn new(rule: Rule, inputs: usize, outputs: usize, window: i64, seed: u64, block: usize) -> Trained {
        Trained {
            rule,
            window,
            noise: Noise::new(seed, block),
            shift: rule.shift(window, 0, 1),
            weights: vec![vec![0; outputs]; inputs],
            bias: vec![0; outputs],
            sums: vec![0; outputs],
        }
    }

    /// Begins epoch `epoch` (from 0) of `epochs`.
    pub fn set_epoch(&mut self, epoch: u32, epochs: u32) {
        self.shift = self.rule.shift(self.window, epoch, epochs);
    }

    /// The class it answers to these counts.
    pub fn infer(&mut self, counts: &[i64]) -> usize {
        for (output, sum) in self.sums.iter_mut().enumerate() {
            *sum = self.window * self.bias[output];
            for (row, count) in self.weights.iter().zip(counts) {
                *sum += row[output] * count;
            }
            *sum = saturate(*sum, 32);
        }
        largest(&self.sums, None)
    }

    /// Learns that these counts are of a class, which a rival is to lose against: the strongest, if none is named.
    pub fn learn(&mut self, counts: &[i64], class: usize, rival: Option<usize>) {
        self.infer(counts);
        let mut errors = vec![0; self.sums.len()];
        if self.rule.margin.is_some() {
            let rival = rival.unwrap_or_else(|| largest(&self.sums, Some(class)));
            if self.sums[class] - self.sums[rival] >= self.rule.margin(self.window) {
                return;
            }
            errors[class] = 1;
            errors[rival] = -1;
        } else {
            for (output, error) in errors.iter_mut().enumerate() {
                let wanted = if output == class { self.rule.one(self.window) } else { 0 };
                *error = saturate(wanted - self.sums[output], 32);
            }
        }
        self.update(counts, &errors);
    }

    /// Learns that these counts are to be answered with these values, of 12 fraction bits.
    pub fn learn_values(&mut self, counts: &[i64], values: &[i64]) {
        self.infer(counts);
        let left = i64::from(self.rule.one(self.window).ilog2()) - 12;
        let as_output = |value: i64| if left < 0 { value >> -left } else { value << left };
        let errors: Vec<i64> = values.iter().zip(&self.sums).map(|(&value, sum)| as_output(value) - sum).collect();
        self.update(counts, &errors);
    }

    fn update(&mut self, counts: &[i64], errors: &[i64]) {
        let times = |count: i64| errors.iter().map(|error| saturate(error * count, 32)).collect::<Vec<_>>();
        for (row, &count) in self.weights.iter_mut().zip(counts) {
            if count > 0 {
                let changes = self.noise.round(&times(count), self.shift);
                for (weight, change) in row.iter_mut().zip(changes) {
                    *weight = saturate(*weight + change, self.rule.bits);
                }
            }
        }
        let changes = self.noise.round(&times(self.window), self.shift);
        for (bias, change) in self.bias.iter_mut().zip(changes) {
            *bias = saturate(*bias + change, 32);
        }
    }
}

/// Something in a tree of targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Child {
    /// A class.
    Leaf(usize),
    /// An inner node, by number.
    Node(usize),
}

/// An inner node.
#[derive(Clone, Debug)]
pub struct TreeNode {
    /// A number for every input.
    pub weights: Vec<i64>,
    /// Active in every step.
    pub bias: i64,
    /// Left and right.
    pub children: [Child; 2],
    /// Node above, and whether it hangs on its right.
    pub parent: Option<(usize, usize)>,
    /// Leaves below.
    pub size: usize,
}

/// A tree of targets.
#[derive(Clone, Debug)]
pub struct TargetTree {
    rule: Rule,
    window: i64,
    noise: Noise,
    parts: usize,
    /// What updates are divided by in this epoch: `2^shift`.
    pub shift: i64,
    /// `[class][input]`: counts of each class's last target window.
    pub targets: Vec<Vec<i64>>,
    /// Where each class that has appeared hangs: node and side; the only one nowhere.
    pub leaves: Vec<Option<Option<(usize, usize)>>>,
    /// The root, once a class has appeared.
    pub root: Option<Child>,
    /// Inner nodes.
    pub nodes: Vec<TreeNode>,
    /// Parts of products that answers took.
    pub products: u64,
}

impl TargetTree {
    /// A tree without a leaf, in the block of this number.
    pub fn new(rule: Rule, parts: usize, inputs: usize, classes: usize, window: i64, seed: u64, block: usize) -> Self {
        TargetTree {
            rule,
            window,
            noise: Noise::new(seed, block),
            parts,
            shift: rule.shift(window, 0, 1),
            targets: vec![vec![0; inputs]; classes],
            leaves: vec![None; classes],
            root: None,
            nodes: Vec::new(),
            products: 0,
        }
    }

    /// Begins epoch `epoch` (from 0) of `epochs`.
    pub fn set_epoch(&mut self, epoch: u32, epochs: u32) {
        self.shift = self.rule.shift(self.window, epoch, epochs);
    }

    /// The products of the parts of two vectors.
    fn products_of(&self, a: &[i64], b: &[i64]) -> Vec<i64> {
        let ends: Vec<usize> = (0..=self.parts).map(|part| a.len() * part / self.parts).collect();
        let products = ends.windows(2).map(|of| (of[0]..of[1]).map(|i| a[i] * b[i]).sum::<i64>());
        products.collect()
    }

    fn bias_of(&self, node: usize) -> i64 {
        saturate(self.nodes[node].bias * self.window, 32)
    }

    /// The class it answers to these counts.
    pub fn infer(&mut self, counts: &[i64]) -> usize {
        let Some(root) = self.root else { return 0 };
        let margin = self.rule.margin(self.window);
        let (mut open, mut found) = (vec![root], Vec::new());
        while let Some(child) = open.pop() {
            let node = match child {
                Child::Leaf(class) => {
                    found.push(class);
                    continue;
                }
                Child::Node(node) => node,
            };
            let mut sum = self.bias_of(node);
            for product in self.products_of(counts, &self.nodes[node].weights) {
                sum = saturate(sum + product, 32);
                self.products += 1;
                if sum.abs() >= margin {
                    break;
                }
            }
            let [left, right] = self.nodes[node].children;
            if sum < margin {
                open.push(right);
            }
            if sum > -margin {
                open.push(left);
            }
        }
        if let [only] = found[..] {
            return only;
        }
        let score = |class: usize| self.products_of(counts, &self.targets[class]).iter().sum::<i64>();
        let best = found.iter().map(|&class| (score(class), std::cmp::Reverse(class))).max();
        self.products += (found.len() * self.parts) as u64;
        best.map_or(0, |(_, class)| class.0)
    }

    /// Learns that these counts are of a class whose target evoked those.
    pub fn learn(&mut self, counts: &[i64], class: usize, target: &[i64]) {
        self.targets[class] = target.to_vec();
        if self.leaves[class].is_none() {
            self.insert(class);
        }
        let margin = self.rule.margin(self.window);
        let mut place = self.leaves[class].flatten();
        while let Some((number, side)) = place {
            let sign = if side == 0 { 1 } else { -1 };
            let sum = self.products_of(counts, &self.nodes[number].weights).iter().sum::<i64>() + self.bias_of(number);
            if sign * saturate(sum, 32) < margin {
                let mut begin = 0;
                for part in 1..=self.parts {
                    let end = counts.len() * part / self.parts;
                    let signed: Vec<i64> = counts[begin..end].iter().map(|count| sign * count).collect();
                    let changes = self.noise.round(&signed, self.shift);
                    for (weight, change) in self.nodes[number].weights[begin..end].iter_mut().zip(changes) {
                        *weight = saturate(*weight + change, 16);
                    }
                    begin = end;
                }
                let change = self.noise.round(&[sign * self.window], self.shift)[0];
                self.nodes[number].bias = saturate(self.nodes[number].bias + change, 32);
            }
            place = self.nodes[number].parent;
        }
    }

    fn leaves_below(&self, child: Child) -> usize {
        match child {
            Child::Leaf(_) => 1,
            Child::Node(node) => self.nodes[node].size,
        }
    }

    /// Gives a class its leaf.
    fn insert(&mut self, class: usize) {
        // A spike of a target weighs 2^-8.
        let scale = 1 << (self.rule.fraction_bits() - 8);
        let target = self.targets[class].clone();
        let Some(mut child) = self.root else {
            self.root = Some(Child::Leaf(class));
            self.leaves[class] = Some(None);
            return;
        };
        let mut place = None;
        while let Child::Node(number) = child {
            let similarity = self.products_of(&target, &self.nodes[number].weights).iter().sum::<i64>();
            let [left, right] = self.nodes[number].children.map(|child| self.leaves_below(child));
            let side = if left == right { usize::from(similarity < 0) } else { usize::from(right < left) };
            let node = &mut self.nodes[number];
            node.size += 1;
            for (weight, &count) in node.weights.iter_mut().zip(&target) {
                let change = if side == 0 { scale * count } else { -scale * count };
                *weight = saturate(*weight + change, 16);
            }
            place = Some((number, side));
            child = node.children[side];
        }
        let Child::Leaf(other) = child else { unreachable!("a descent ends at a leaf") };
        let number = self.nodes.len();
        let difference =
            self.targets[other].iter().zip(&target).map(|(other, own)| saturate(scale * (other - own), 16));
        self.nodes.push(TreeNode {
            weights: difference.collect(),
            bias: 0,
            children: [Child::Leaf(other), Child::Leaf(class)],
            parent: place,
            size: 2,
        });
        self.leaves[other] = Some(Some((number, 0)));
        self.leaves[class] = Some(Some((number, 1)));
        match place {
            Some((above, side)) => self.nodes[above].children[side] = Child::Node(number),
            None => self.root = Some(Child::Node(number)),
        }
    }
}
