//! What has no place on the chip, and files that are damaged: each message, held in `golden/nir_errors.txt`.

use crate::kinds::{affine, conv2d, flatten, integrate_and_fire, lif, linear, pool, port, row};
use crate::{Noise, options};
use onward_net::nir::{Options, read};
use std::fmt::Write;
use testbench::nir_file::{NirGraph, NirNode};

/// A good graph that mistakes are made in.
fn good() -> NirGraph {
    let mut noise = Noise(1);
    row(&[6], vec![("fc", affine(&mut noise, 5, 6)), ("lif", lif(&mut noise, &[5]))], &[5])
}

fn changed(node: &str, change: impl FnOnce(&mut NirNode)) -> NirGraph {
    let mut graph = good();
    change(graph.nodes.get_mut(node).unwrap());
    graph
}

fn replaced(name: &str, node: NirNode) -> NirGraph {
    good().node(name, node)
}

fn graphs() -> Vec<(&'static str, NirGraph)> {
    let mut noise = Noise(2);
    let mut all = vec![
        ("unknown type", replaced("lif", NirNode::new("Izhikevich"))),
        ("field missing", changed("lif", |node| drop(node.fields.remove("tau")))),
        (
            "field is text",
            changed("lif", |node| {
                node.fields.remove("tau");
                node.texts.insert("tau".into(), "slow".into());
            }),
        ),
        ("field is not finite", changed("fc", |node| node.fields.get_mut("weight").unwrap().1[3] = f64::NAN)),
        (
            "bias of another size",
            changed("fc", |node| drop(node.fields.insert("bias".into(), (vec![4], vec![0.0; 4])))),
        ),
        ("weights of one size", changed("fc", |node| node.fields.get_mut("weight").unwrap().0 = vec![30])),
        ("weights for another input", replaced("fc", linear(&mut noise, 5, 7))),
        (
            "flatten missing",
            row(&[2, 3, 1], vec![("fc", linear(&mut noise, 5, 6)), ("if", integrate_and_fire(&[5]))], &[5]),
        ),
        ("parameters of another shape", replaced("lif", lif(&mut noise, &[4]))),
        ("output of another shape", replaced("output", port("Output", &[4]))),
        ("four sizes", row(&[2, 2, 3, 3], vec![("if", integrate_and_fire(&[1]))], &[2, 2, 3, 3])),
        ("size of zero", replaced("input", port("Input", &[0]))),
        ("shape is no size", replaced("input", NirNode::new("Input").with("shape", &[1], &[2.5]))),
        ("tau too short", changed("lif", |node| node.fields.get_mut("tau").unwrap().1[2] = 0.25)),
        ("tau not positive", changed("lif", |node| node.fields.get_mut("tau").unwrap().1[2] = 0.0)),
        ("weights too large", changed("fc", |node| node.fields.get_mut("weight").unwrap().1[3] = 1e30)),
        ("negative resistance", changed("lif", |node| node.fields.get_mut("r").unwrap().1[1] = -1.0)),
        ("thresholds far apart", changed("lif", |node| node.fields.get_mut("v_threshold").unwrap().1[1] = 1e9)),
        ("no input", good_without("input")),
        ("no output", good_without("output")),
        ("two inputs", good().node("input2", port("Input", &[6]))),
        ("two outputs", good().node("output2", port("Output", &[5]))),
        ("nothing to the output", without_edge(good(), "lif", "output")),
        ("two to the output", good().chain(&["fc", "output"])),
        ("no neurons", row(&[6], vec![], &[6])),
        ("weights last", row(&[6], vec![("if", integrate_and_fire(&[6])), ("fc", linear(&mut noise, 5, 6))], &[5])),
        ("edge to nothing", good().chain(&["lif", "nowhere"])),
        ("edge from the output", good().node("more", linear(&mut noise, 5, 5)).chain(&["output", "more", "lif"])),
        ("no path from the input", without_edge(good(), "input", "fc")),
        ("fed by nodes that nothing feeds", good().node("idle", integrate_and_fire(&[5])).chain(&["idle", "lif"])),
        (
            "cycle without neurons",
            good()
                .node("a", linear(&mut noise, 5, 5))
                .node("b", linear(&mut noise, 5, 5))
                .chain(&["fc", "a", "b", "a", "lif"]),
        ),
        (
            "long delay in a cycle",
            good().node("wait", NirNode::new("Delay").with_all("delay", &[5], 2.0)).chain(&["lif", "wait", "lif"]),
        ),
        ("delay too long", delayed(&[5], &[900.0; 5])),
        ("delays of neurons", delayed(&[5], &[1.0, 2.0, 3.0, 4.0, 5.0])),
        ("delay before its cause", delayed(&[5], &[-1.0; 5])),
        (
            "voltage within the network",
            row(
                &[6],
                vec![
                    (
                        "li",
                        NirNode::new("LI").with_all("tau", &[6], 2.0).with_all("r", &[6], 1.0).with_all(
                            "v_leak",
                            &[6],
                            0.0,
                        ),
                    ),
                    ("fc", linear(&mut noise, 5, 6)),
                    ("if", integrate_and_fire(&[5])),
                ],
                &[5],
            ),
        ),
        (
            "current-based integrator",
            row(
                &[6],
                vec![(
                    "li",
                    NirNode::new("CubaLI")
                        .with_all("tau_syn", &[6], 2.0)
                        .with_all("tau_mem", &[6], 2.0)
                        .with_all("r", &[6], 1.0)
                        .with_all("v_leak", &[6], 0.0),
                )],
                &[6],
            ),
        ),
        (
            "convolution of a row",
            row(
                &[6],
                vec![("conv", conv2d(&mut noise, [2, 1, 3, 3], 1.0, 0.0, 1.0, 1.0)), ("if", integrate_and_fire(&[1]))],
                &[6],
            ),
        ),
        (
            "convolution of other channels",
            row(
                &[3, 6, 6],
                vec![("conv", conv2d(&mut noise, [2, 2, 3, 3], 1.0, 0.0, 1.0, 1.0)), ("if", integrate_and_fire(&[1]))],
                &[2, 4, 4],
            ),
        ),
        (
            "kernel too large",
            row(
                &[2, 2, 2],
                vec![("conv", conv2d(&mut noise, [2, 2, 3, 3], 1.0, 0.0, 1.0, 1.0)), ("if", integrate_and_fire(&[1]))],
                &[2, 4, 4],
            ),
        ),
        (
            "groups that do not divide",
            row(
                &[2, 6, 6],
                vec![("conv", conv2d(&mut noise, [3, 1, 3, 3], 1.0, 0.0, 1.0, 2.0)), ("if", integrate_and_fire(&[1]))],
                &[2, 4, 4],
            ),
        ),
        (
            "stride of zero",
            row(
                &[2, 6, 6],
                vec![("conv", conv2d(&mut noise, [3, 2, 3, 3], 0.0, 0.0, 1.0, 1.0)), ("if", integrate_and_fire(&[1]))],
                &[2, 4, 4],
            ),
        ),
        (
            "window too large",
            row(
                &[2, 3, 3],
                vec![("pool", pool("SumPool2d", 4.0, 1.0, 0.0)), ("if", integrate_and_fire(&[1]))],
                &[2, 1, 1],
            ),
        ),
        (
            "flattens what is not there",
            row(&[2, 3, 3], vec![("flat", flatten(0.0, 3.0)), ("if", integrate_and_fire(&[1]))], &[18]),
        ),
        ("shapes that cannot be added", good().node("b", linear(&mut noise, 4, 6)).chain(&["input", "b", "lif"])),
    ];
    let two_ports = row(&[6], vec![("if", integrate_and_fire(&[6]))], &[6]).node("more", port("Input", &[6]));
    all.push((
        "two inputs of an inner graph",
        replaced("fc", NirNode { graph: Some(two_ports), ..NirNode::new("NIRGraph") }),
    ));
    let wrong = row(&[6], vec![("if", integrate_and_fire(&[4]))], &[6]);
    all.push(("mistake in an inner graph", replaced("fc", NirNode { graph: Some(wrong), ..NirNode::new("NIRGraph") })));
    all
}

fn good_without(name: &str) -> NirGraph {
    let mut graph = good();
    graph.nodes.remove(name);
    graph.edges.retain(|(from, to)| from != name && to != name);
    graph
}

fn without_edge(mut graph: NirGraph, from: &str, to: &str) -> NirGraph {
    graph.edges.retain(|edge| (edge.0.as_str(), edge.1.as_str()) != (from, to));
    graph
}

/// Neurons behind a delay.
fn delayed(shape: &[usize], delays: &[f64]) -> NirGraph {
    let mut noise = Noise(3);
    let nodes = vec![
        ("fc", affine(&mut noise, 5, 6)),
        ("lif", lif(&mut noise, &[5])),
        ("wait", NirNode::new("Delay").with("delay", shape, delays)),
        ("fc2", linear(&mut noise, 4, 5)),
        ("if", integrate_and_fire(&[4])),
    ];
    row(&[6], nodes, &[4])
}

#[test]
fn every_error_names_its_node_and_what_would_help() {
    let mut found = String::new();
    for (what, graph) in graphs() {
        let error = read(&graph.to_bytes(), &options()).expect_err(what);
        assert!(!error.help.is_empty(), "{what}");
        writeln!(found, "{what}\n    {error}\n").unwrap();
    }
    let bytes = good().to_bytes();
    let mut cut = bytes.clone();
    cut.truncate(bytes.len() / 2);
    let files: [(&str, &[u8]); 4] = [
        ("empty file", b""),
        ("a text", b"network digits {\n}\n"),
        ("a file cut short", &cut),
        ("HDF5 that is no NIR", &other()),
    ];
    for (what, bytes) in files {
        let error = read(bytes, &options()).expect_err(what);
        writeln!(found, "{what}\n    {error}\n").unwrap();
    }
    for (what, options) in [
        ("no time step", Options { time_step: 0.0, ..options() }),
        ("no output threshold", Options { output_threshold: f64::NAN, ..options() }),
        ("nearest target", Options { readout: onward_net::ReadoutKind::NearestTarget, ..options() }),
    ] {
        writeln!(found, "{what}\n    {}\n", read(&bytes, &options).expect_err(what)).unwrap();
    }
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/nir_errors.txt");
    onward_golden::check(std::path::Path::new(golden), &found);
}

/// HDF5 with something else in it.
fn other() -> Vec<u8> {
    let mut file = hdf5_pure::FileBuilder::new();
    file.create_dataset("temperature").with_f64_data(&[20.5]).with_shape(&[1]);
    file.finish().unwrap()
}
