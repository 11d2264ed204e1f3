//! A readout that is a tree of targets: a class is found by going down.

use super::Number;
use super::noise::Noise;
use super::readout::{fraction_bits, margin};
use super::rule::halvings;
use super::window_bits;
use onward_net::RateSchedule;

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
pub struct TreeNode<N> {
    /// A number for every input.
    pub weights: Vec<N>,
    /// Active in every step.
    pub bias: N,
    /// Left and right.
    pub children: [Child; 2],
    /// Node above, and whether it hangs on its right.
    pub parent: Option<(usize, usize)>,
    /// Leaves below.
    pub size: usize,
}

/// A tree of targets.
#[derive(Clone, Debug)]
pub struct TargetTree<N> {
    text: onward_net::TargetTree,
    window: i64,
    noise: Noise,
    /// Parts that a product is taken in: as the text says, or more where the chip's vectors are short.
    pub parts: usize,
    /// What updates are divided by in this epoch: `2^shift`.
    pub shift: i64,
    /// `[class][input]`: counts of each class's last target window.
    pub targets: Vec<Vec<N>>,
    /// Where each class that has appeared hangs: node and side; the only one nowhere.
    pub leaves: Vec<Option<Option<(usize, usize)>>>,
    /// The root, once a class has appeared.
    pub root: Option<Child>,
    /// Inner nodes.
    pub nodes: Vec<TreeNode<N>>,
    /// Parts of products that answers took.
    pub products: u64,
}

/// Bits of an inner node's weights.
const BITS: u32 = 16;

impl<N: Number> TargetTree<N> {
    /// A tree without a leaf, in a block with this generator.
    pub fn new(text: onward_net::TargetTree, inputs: usize, classes: usize, window: i64, noise: Noise) -> Self {
        let mut tree = TargetTree {
            parts: text.parts as usize,
            text,
            window,
            noise,
            shift: 0,
            targets: vec![vec![N::default(); inputs]; classes],
            leaves: vec![None; classes],
            root: None,
            nodes: Vec::new(),
            products: 0,
        };
        tree.set_epoch(0, 1, window);
        tree
    }

    /// Begins epoch `epoch` (from 0) of `epochs`.
    pub fn set_epoch(&mut self, epoch: u32, epochs: u32, window: i64) {
        let fraction = i64::from(N::point(fraction_bits(BITS)));
        let halvings = halvings(&RateSchedule::Anneal(self.text.anneal), epoch, epochs);
        self.shift = i64::from(self.text.rate) - fraction + window_bits(window) + halvings;
    }

    fn margin(&self) -> N {
        margin(self.text.margin, self.window, fraction_bits(BITS))
    }

    /// The products of the parts of two vectors.
    fn products_of(&self, a: &[N], b: &[N]) -> Vec<N> {
        let ends: Vec<usize> = (0..=self.parts).map(|part| a.len() * part / self.parts).collect();
        ends.windows(2).map(|part| (part[0]..part[1]).map(|i| a[i] * b[i]).sum()).collect()
    }

    fn product(&self, a: &[N], b: &[N]) -> N {
        self.products_of(a, b).into_iter().sum()
    }

    fn bias_of(&self, node: usize) -> N {
        (self.nodes[node].bias * N::whole(self.window)).held(32)
    }

    /// The class it answers to these counts.
    pub fn infer(&mut self, counts: &[N]) -> usize {
        let Some(root) = self.root else { return 0 };
        let margin = self.margin();
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
                sum = (sum + product).held(32);
                self.products += 1;
                if sum >= margin || -sum >= margin {
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
        self.products += (found.len() * self.parts) as u64;
        found.sort_unstable();
        let mut best: Option<(N, usize)> = None;
        for class in found {
            let score = self.product(counts, &self.targets[class]);
            if best.is_none_or(|(most, _)| score > most) {
                best = Some((score, class));
            }
        }
        best.map_or(0, |(_, class)| class)
    }

    /// Learns that these counts are of a class whose target evoked those.
    pub fn learn(&mut self, counts: &[N], class: usize, target: &[N]) {
        self.targets[class] = target.to_vec();
        if self.leaves[class].is_none() {
            self.insert(class);
        }
        let margin = self.margin();
        let mut place = self.leaves[class].flatten();
        while let Some((number, side)) = place {
            let signed = |value: N| if side == 0 { value } else { -value };
            let sum = self.product(counts, &self.nodes[number].weights) + self.bias_of(number);
            if signed(sum.held(32)) < margin {
                for part in 1..=self.parts {
                    let [begin, end] = [part - 1, part].map(|part| counts.len() * part / self.parts);
                    let draw = self.noise.draw();
                    let weights = &mut self.nodes[number].weights[begin..end];
                    for (i, (weight, &count)) in weights.iter_mut().zip(&counts[begin..end]).enumerate() {
                        *weight = (*weight + signed(count).rounded(self.shift, draw.bits(i))).held(BITS);
                    }
                }
                let change = signed(N::whole(self.window)).rounded(self.shift, self.noise.draw().bits(0));
                self.nodes[number].bias = (self.nodes[number].bias + change).held(32);
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
        let scale = N::nearest(1.0 / 256.0, fraction_bits(BITS));
        let target = self.targets[class].clone();
        let Some(mut child) = self.root else {
            self.root = Some(Child::Leaf(class));
            self.leaves[class] = Some(None);
            return;
        };
        let mut place = None;
        while let Child::Node(number) = child {
            let similarity = self.product(&target, &self.nodes[number].weights);
            let [left, right] = self.nodes[number].children.map(|child| self.leaves_below(child));
            let side = if left == right { usize::from(similarity < N::default()) } else { usize::from(right < left) };
            let node = &mut self.nodes[number];
            node.size += 1;
            for (weight, &count) in node.weights.iter_mut().zip(&target) {
                let change = if side == 0 { scale * count } else { -scale * count };
                *weight = (*weight + change).held(BITS);
            }
            place = Some((number, side));
            child = node.children[side];
        }
        let Child::Leaf(other) = child else { unreachable!("a descent ends at a leaf") };
        let number = self.nodes.len();
        let differences =
            self.targets[other].iter().zip(&target).map(|(&other, &own)| (scale * (other - own)).held(BITS));
        self.nodes.push(TreeNode {
            weights: differences.collect(),
            bias: N::default(),
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
