//! Random graphs, and files with random damage.

use crate::kinds::{affine, conv2d, cuba_lif, flatten, integrate_and_fire, lif, linear, pool, row};
use crate::{Noise, agree, options};
use onward_net::Fires;
use onward_net::nir::{Options, ResetRule, read};
use proptest::prelude::*;
use testbench::nir_file::{NirGraph, NirNode};

/// Rows of nodes of all kinds, with skips and cycles.
pub(crate) fn graph(seed: u64, kinds: &[u8], skip: bool, cycle: bool) -> NirGraph {
    let mut noise = Noise(seed);
    let mut shape = vec![2, 8, 8];
    let mut nodes: Vec<(String, NirNode, Vec<usize>)> = Vec::new();
    for (at, kind) in kinds.iter().enumerate() {
        let node = match (kind % 9, shape.len()) {
            (0, 3) if shape[1] >= 3 => {
                let (stride, padding) = (1.0 + f64::from(kind / 9 % 2), f64::from(kind / 18 % 2));
                conv2d(&mut noise, [3, shape[0], 3, 3], stride, padding, 1.0, 1.0)
            }
            (1, 3) if shape[1] >= 2 => {
                pool(if kind / 9 % 2 == 0 { "SumPool2d" } else { "AvgPool2d" }, 2.0, 1.0, f64::from(kind / 18 % 2))
            }
            (2, 3) => flatten(0.0, -1.0),
            (3, _) => NirNode::new("Scale").with("scale", &shape, &noise.between(shape.iter().product(), 0.5, 2.0)),
            (4 | 5, 1) => affine(&mut noise, 5 + usize::from(kind / 9 % 3), shape[0]),
            (6, _) => integrate_and_fire(&shape),
            (7, _) => lif(&mut noise, &shape),
            (8, _) => cuba_lif(&mut noise, &shape),
            _ => NirNode::new("Delay").with_all("delay", &shape, f64::from(kind / 9 % 3)),
        };
        shape = behind(&node, &shape);
        nodes.push((format!("n{at}"), node, shape.clone()));
    }
    nodes.push(("last".to_owned(), integrate_and_fire(&shape), shape.clone()));
    // Biases from before delays act from the first step on; the equations need some steps.
    if nodes.iter().any(|(_, node, _)| node.kind == "Delay") {
        for (_, node, _) in &mut nodes {
            node.fields.remove("bias");
            if node.kind == "Affine" {
                node.kind = "Linear".to_owned();
            } else if node.kind == "Conv2d" {
                *node = without_bias(node.clone());
            }
        }
    }
    let fires = |node: &NirNode| ["IF", "LIF", "CubaLIF"].contains(&node.kind.as_str());
    let flat: Vec<(String, usize)> = nodes
        .iter()
        .filter(|(_, node, shape)| fires(node) && shape.len() == 1)
        .map(|(name, _, shape)| (name.clone(), shape[0]))
        .collect();
    let planes: Vec<(String, Vec<usize>)> = nodes
        .iter()
        .filter(|(_, node, shape)| fires(node) && shape.len() == 3)
        .map(|(name, _, shape)| (name.clone(), shape.clone()))
        .collect();
    let is_delayed = nodes.iter().any(|(_, node, _)| node.kind == "Delay");
    let all = nodes.iter().map(|(name, node, _)| (name.as_str(), node.clone())).collect();
    let mut graph = row(&[2, 8, 8], all, &shape);
    if let [(first, from), .., (last, to)] = &flat[..] {
        if skip {
            graph = graph.node("skip", linear(&mut noise, *to, *from)).chain(&[first, "skip", last]);
        }
        if cycle && !is_delayed {
            graph = graph.node("back", linear(&mut noise, *from, *to)).chain(&[last, "back", first]);
        }
    }
    if let [(first, from), .., (last, to)] = &planes[..]
        && skip
        && from[1..] == to[1..]
    {
        let beside = conv2d(&mut noise, [to[0], from[0], 1, 1], 1.0, 0.0, 1.0, 1.0);
        let beside = if is_delayed { without_bias(beside) } else { beside };
        graph = graph.node("beside", beside).chain(&[first, "beside", last]);
        // An edge that is there twice counts once.
        let edge = (first.clone(), last.clone());
        if from == to && seed.is_multiple_of(2) && !graph.edges.contains(&edge) {
            graph = graph.chain(&[first.as_str(), last.as_str()]);
        }
    }
    graph
}

/// A convolution that adds nothing.
fn without_bias(mut node: NirNode) -> NirNode {
    let channels = node.shape("weight")[0];
    node.fields.insert("bias".to_owned(), (vec![channels], vec![0.0; channels]));
    node
}

/// The shape behind a node.
fn behind(node: &NirNode, shape: &[usize]) -> Vec<usize> {
    match node.kind.as_str() {
        "Conv2d" => {
            let (stride, padding) = (node.values("stride")[0] as usize, node.values("padding")[0] as usize);
            let size = (shape[1] + 2 * padding - 3) / stride + 1;
            vec![node.shape("weight")[0], size, size]
        }
        "SumPool2d" | "AvgPool2d" => {
            let size = shape[1] + 2 * node.values("padding")[0] as usize - 1;
            vec![shape[0], size, size]
        }
        "Flatten" => vec![shape.iter().product()],
        "Affine" => vec![node.shape("weight")[0]],
        _ => shape.to_vec(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// What is imported does what the equations say, whatever the graph.
    #[test]
    fn random_graphs_do_what_the_equations_say(
        seed: u64,
        kinds in prop::collection::vec(0u8..54, 0..9),
        skip: bool,
        cycle: bool,
        fires in prop::sample::select(vec![Fires::Above, Fires::At]),
        reset in prop::sample::select(vec![ResetRule::AsGiven, ResetRule::Subtract, ResetRule::SubtractLate]),
    ) {
        agree(&graph(seed, &kinds, skip, cycle), "last", &Options { fires, reset, ..options() });
    }

    /// A damaged file is an error, or a network if the damage is in its numbers; never anything else.
    #[test]
    fn damage_is_an_error(
        seed in 0u64..20,
        kinds in prop::collection::vec(0u8..54, 0..5),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = graph(seed, &kinds, true, true).to_bytes();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let _ = read(&bytes, &options());
    }

    /// So is what was no file at all.
    #[test]
    fn noise_is_an_error(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(read(&bytes, &options()).is_err());
    }
}
