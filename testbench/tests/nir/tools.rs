//! What the name of a tool sets: its time step, where its neurons fire, what firing does, and what it means by the numbers.

use crate::Noise;
use crate::kinds::{linear, port};
use onward_net::nir::{Integration, Options, ResetRule, Tool, read};
use onward_net::{Decay, Fires, Initial, Layer, Network, Reset, Values};
use testbench::nir_file::{NirGraph, NirNode};

/// Of one tool, what the product's book says of it.
struct Expected {
    word: &'static str,
    time_step: f64,
    fires: Fires,
    reset: ResetRule,
    integration: Integration,
    /// Whether a quantity decays by exp(-dt / tau), or else by 1 - dt / tau.
    is_exponential: bool,
    /// What a weight of 1 adds to an `IF` whose r is 1 / dt.
    of_if: f64,
    /// What it adds to a `LIF`, and to a `CubaLIF`'s voltage in the same step, as a function of `r`, `w_in` and of what
    /// is lost of voltage and current in a step.
    of_lif: fn(r: f64, lost: f64) -> f64,
    of_cuba: fn(w_in: f64, lost_of_current: f64, r: f64, lost: f64) -> f64,
}

const AS_NIR: Expected = Expected {
    word: "lava",
    time_step: 1e-4,
    fires: Fires::Above,
    reset: ResetRule::AsGiven,
    integration: Integration::AsFound,
    is_exponential: false,
    of_if: 1.0,
    of_lif: |r, lost| r * lost,
    of_cuba: |w_in, lost_of_current, r, lost| w_in * lost_of_current * r * lost,
};

const TOOLS: [Expected; 7] = [
    AS_NIR,
    Expected { word: "snntorch", reset: ResetRule::SubtractLate, ..AS_NIR },
    Expected {
        word: "norse",
        time_step: 1e-6,
        integration: Integration::Steps,
        of_if: 1e6,
        of_cuba: |_, _, r, lost| r * lost,
        ..AS_NIR
    },
    Expected {
        word: "sinabs",
        time_step: 1.0,
        fires: Fires::At,
        reset: ResetRule::Subtract,
        integration: Integration::Steps,
        is_exponential: true,
        ..AS_NIR
    },
    Expected {
        word: "rockpool",
        time_step: 1e-3,
        fires: Fires::At,
        reset: ResetRule::Subtract,
        is_exponential: true,
        of_lif: |_, _| 1.0,
        of_cuba: |_, lost_of_current, _, _| 1.0 - lost_of_current,
        ..AS_NIR
    },
    Expected { word: "spikingjelly", fires: Fires::At, integration: Integration::Time, ..AS_NIR },
    Expected {
        word: "spyx",
        time_step: 1.0,
        reset: ResetRule::SubtractLate,
        integration: Integration::Steps,
        of_lif: |_, _| 1.0,
        of_cuba: |_, _, _, _| 1.0,
        ..AS_NIR
    },
];

/// Resistance and weight of currents; time constants in steps, of a `LIF`, and of a `CubaLIF`'s currents and voltages.
const R: f64 = 3.0;
const W_IN: f64 = 5.0;
const TAU: f64 = 4.0;
const TAU_SYN: f64 = 2.0;
const TAU_MEM: f64 = 8.0;

/// A file of neurons of three kinds, with time constants of so many steps of a length.
fn file(time_step: f64) -> NirGraph {
    let mut noise = Noise(11);
    let neurons = |kind: &str| NirNode::new(kind).with_all("v_threshold", &[4], 1.0).with_all("v_reset", &[4], 0.25);
    let of_voltage = |kind: &str| neurons(kind).with_all("r", &[4], R).with_all("v_leak", &[4], 0.0);
    NirGraph::default()
        .node("input", port("Input", &[4]))
        .node("one", linear(&mut noise, 4, 4))
        .node("plain", neurons("IF").with_all("r", &[4], 1.0 / time_step))
        .node("two", linear(&mut noise, 4, 4))
        .node("leaking", of_voltage("LIF").with_all("tau", &[4], TAU * time_step))
        .node("three", linear(&mut noise, 4, 4))
        .node(
            "slow",
            of_voltage("CubaLIF")
                .with_all("tau_syn", &[4], TAU_SYN * time_step)
                .with_all("tau_mem", &[4], TAU_MEM * time_step)
                .with_all("w_in", &[4], W_IN),
        )
        .node("output", port("Output", &[4]))
        .chain(&["input", "one", "plain", "two", "leaking", "three", "slow", "output"])
}

fn layer<'a>(network: &'a Network, name: &str) -> &'a Layer {
    network.layers().map(|node| network.layer(node)).find(|layer| layer.name == name).expect("a layer")
}

/// A number that all neurons share.
fn same(values: &Values) -> f64 {
    match values {
        Values::Constant(value) => *value,
        Values::Array(array) => {
            assert!(array.values.iter().all(|value| (value - array.values[0]).abs() < 1e-12), "{array:?}");
            array.values[0]
        }
        Values::File(path) => panic!("{path:?} is a file"),
    }
}

fn factor(decay: &Decay) -> f64 {
    match decay {
        Decay::Factor(values) => same(values),
        Decay::Shift(bits) => 1.0 - 0.5f64.powi(*bits as i32),
        other => panic!("{other:?} is no factor"),
    }
}

/// By what a layer's weights are larger than those of the file.
fn gain(layer: &Layer, weights: &[f64]) -> f64 {
    let Initial::Given(Values::Array(found)) = &layer.weights.initial else { panic!("weights are given") };
    let (at, greatest) = weights.iter().enumerate().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs())).unwrap();
    found.values[at] / greatest
}

fn close(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() <= 1e-6 * expected.abs(), "{what}: {found}, not {expected}");
}

#[test]
fn the_name_of_a_tool_sets_what_the_book_says() {
    assert_eq!(Tool::ALL.len(), TOOLS.len());
    for expected in TOOLS {
        let word = expected.word;
        let (_, tool) = Tool::ALL.into_iter().find(|(name, _)| *name == word).expect("a tool of this name");
        let options = tool.options();
        let chosen = Options {
            tool: Some(tool),
            time_step: expected.time_step,
            fires: expected.fires,
            reset: expected.reset,
            integration: expected.integration,
            ..Options::default()
        };
        assert_eq!(options, chosen, "{word}");

        let graph = file(expected.time_step);
        let imported = read(&graph.to_bytes(), &options).unwrap_or_else(|error| panic!("{word}: {error}"));
        let network = &imported.network;
        let lost = |steps: f64| if expected.is_exponential { 1.0 - (-1.0 / steps).exp() } else { 1.0 / steps };
        let [plain, leaking, slow] = ["plain", "leaking", "slow"].map(|name| layer(network, name));
        let weights = |name: &str| graph.nodes[name].values("weight");

        close(gain(plain, weights("one")), expected.of_if, &format!("{word}, IF"));
        close(gain(leaking, weights("two")), (expected.of_lif)(R, lost(TAU)), &format!("{word}, LIF"));
        let of_cuba = (expected.of_cuba)(W_IN, lost(TAU_SYN), R, lost(TAU_MEM));
        close(gain(slow, weights("three")), of_cuba, &format!("{word}, CubaLIF"));
        close(factor(&leaking.neuron.leak), 1.0 - lost(TAU), &format!("{word}, what is left of a LIF"));
        close(factor(&slow.neuron.leak), 1.0 - lost(TAU_MEM), &format!("{word}, what is left of a CubaLIF"));
        let current = slow.neuron.current.as_ref().expect("currents");
        close(factor(current), 1.0 - lost(TAU_SYN), &format!("{word}, what is left of a current"));

        for layer in [plain, leaking, slow] {
            assert_eq!(layer.neuron.fires, expected.fires, "{word}, {}", layer.name);
            // Spyx's neurons of currents subtract at once, before what is left of the voltage decays.
            let is_late = expected.reset == ResetRule::SubtractLate && !(word == "spyx" && layer.name == "slow");
            match (&layer.neuron.reset, expected.reset) {
                (Reset::To(to), ResetRule::AsGiven) => close(same(to), 0.25, &format!("{word}, {}", layer.name)),
                (Reset::Subtract(lowering), ResetRule::Subtract | ResetRule::SubtractLate) => {
                    assert_eq!(lowering.is_late, is_late, "{word}, {}", layer.name);
                }
                (found, _) => panic!("{word}, {}: {found:?}", layer.name),
            }
        }
        // Where a tool's neurons may do what those here cannot, it is said.
        let is_said = imported.notes.iter().any(|note| note.contains("several times in a step"));
        assert_eq!(is_said, matches!(word, "sinabs" | "rockpool"), "{word}: {:?}", imported.notes);
    }
}
