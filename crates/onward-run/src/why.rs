//! Why a neuron does what it does: what it is shown, what comes of it, and what its rule makes of that.
//!
//! [`Observation::of`] shows samples to a machine of its own, one step at a time, and listens at one neuron. Where the network learns,
//! the samples are shown with their targets as in learning, so that voltages and traces are kept, but all layers are kept from
//! changing: what is seen is the network as it is.

use crate::data::Samples;
use crate::error::SessionError;
use crate::probe::{ProbeError, ProbeText, arrivals_at, attach_resolved};
use crate::session::Session;
use onward_diagnostic::{Remedy, did_you_mean};
use onward_emulate::{Engine, Machine, Options};
use onward_image::{Block, BlockIndex, Delivery, Image, PopulationIndex};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::str::FromStr;

/// A neuron, written `LAYER[NUMBER]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeuronName {
    /// Its layer.
    pub layer: String,
    /// Its number in the layer, from 0.
    pub number: u32,
}

impl FromStr for NeuronName {
    type Err = String;

    fn from_str(text: &str) -> Result<NeuronName, String> {
        let parts = text.strip_suffix(']').and_then(|text| text.split_once('['));
        let parsed = parts.and_then(|(layer, number)| Some((layer, number.parse().ok()?)));
        let (layer, number) =
            parsed.filter(|(layer, _)| !layer.is_empty()).ok_or("write LAYER[NUMBER], as in hidden1[54]")?;
        Ok(NeuronName { layer: layer.to_owned(), number })
    }
}

/// Why a neuron cannot be observed.
#[derive(Debug, thiserror::Error)]
pub enum WhyError {
    /// There is no such layer.
    #[error("no layer `{name}`")]
    Layer {
        /// The name.
        name: String,
        /// The layers there are.
        known: Vec<String>,
    },
    /// The layer has fewer neurons.
    #[error("`{layer}` has {neurons} neurons, and none of number {number}")]
    Neuron {
        /// The layer.
        layer: String,
        /// How many it has.
        neurons: u32,
        /// The number that was asked for.
        number: u32,
    },
    /// It cannot be recorded.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// The network cannot be run.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// What was recorded is lost.
    #[error("temporary files: {0}")]
    Files(#[from] io::Error),
}

impl Remedy for WhyError {
    fn remedy(&self) -> Option<Cow<'_, str>> {
        match self {
            WhyError::Layer { name, known } => {
                Some(did_you_mean(name, known.iter().map(String::as_str), "layers are ").into())
            }
            WhyError::Neuron { neurons, .. } => Some(format!("they count from 0 to {}", neurons - 1).into()),
            WhyError::Probe(error) => error.remedy(),
            WhyError::Session(error) => error.remedy(),
            WhyError::Files(_) => Some("make room where temporary files go".into()),
        }
    }
}

/// What a neuron did while a sample was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// How often it fired.
    pub spikes: u32,
    /// The largest membrane that a step left, as the chip has it.
    pub membrane: i32,
    /// What it integrated in the window, without resets, where its rule asks for that.
    pub voltage: Option<i32>,
}

/// What came in at one of the neuron's inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// Who sends: a layer, or the input, and the neuron or index there.
    pub from: (String, u32),
    /// In how many steps of input windows something came.
    pub steps: u64,
    /// The weight, as the chip has it; `None` where weights are no row for each input.
    pub weight: Option<i32>,
}

/// What was seen of a neuron.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// The layer.
    pub population: PopulationIndex,
    /// The block it lies in, and its place there.
    pub block: (BlockIndex, u32),
    /// Each sample that was shown.
    pub shown: Vec<Shown>,
    /// Each of its inputs, in the order of axons; of convolutions, all that reach its block.
    pub inputs: Vec<Arrived>,
    /// The bias that it has learned, as the chip has it.
    pub bias: Option<i32>,
    /// Its mean count, by which neurons that are silent or always fire are brought back, in spikes a window.
    pub mean_count: Option<f64>,
}

impl Observation {
    /// Shows samples `0..count` to a network and observes a neuron.
    ///
    /// # Errors
    /// See [`WhyError`].
    pub fn of(
        image: &Image,
        name: &NeuronName,
        samples: &Samples,
        count: usize,
        seed: u64,
    ) -> Result<Observation, WhyError> {
        let (population, block, column) = find(image, name)?;
        let probe = |text: String| -> Result<_, WhyError> { Ok(text.parse::<ProbeText>()?.resolve(image)?) };
        let NeuronName { layer, number } = name;
        let learns = image.learns() && samples.is_labelled();
        let has = |symbol: &str| image.blocks[block].symbol(symbol).is_some();
        let mut probes = vec![
            probe(format!("{layer}.membrane[{number}]"))?,
            probe(format!("{layer}.spikes[{number}]"))?,
            arrivals_at(image, block),
        ];
        let keeps_voltage = learns && has("voltage");
        if keeps_voltage {
            probes.push(probe(format!("{layer}.voltage[{number}]@window"))?);
        }
        let options = Options { seed, timing: false, threads: 1 };
        let machine = Box::new(Machine::new(image, options).map_err(SessionError::from)?);
        let (engine, recording) = attach_resolved(machine, image, probes, 0..=u64::MAX, &std::env::temp_dir())?;
        let mut session = Session::with(image, engine)?;
        session.set_seed(seed);
        let count = count.min(samples.len());
        if learns {
            session.let_learn(image, |_| false)?;
            let order: Vec<u32> = (0..count as u32).collect();
            session.learn(samples, &order, |_| ControlFlow::Continue(()))?;
        } else {
            session.show(samples, count)?;
        }
        let windows: Vec<u64> =
            recording.windows()?.into_iter().filter(|(_, target)| !target).map(|(step, _)| step).collect();
        let (window, lag) =
            (u64::from(image.network.window_steps), u64::from(image.network.populations[population].lag));
        // The window that is open in a step, in which a layer is so many steps late.
        let of_step = |step: u64, lag: u64| {
            let since = step.checked_sub(lag)?;
            let at = windows.partition_point(|&begin| begin <= since).checked_sub(1)?;
            (since - windows[at] < window).then_some(at)
        };
        let nothing = Shown { spikes: 0, membrane: i32::MIN, voltage: None };
        let mut shown = vec![nothing; windows.len()];
        let (steps, membranes) = recording.records(0)?;
        for (step, membrane) in steps.into_iter().zip(membranes) {
            if let Some(at) = of_step(step, lag) {
                shown[at].membrane = shown[at].membrane.max(membrane);
            }
        }
        for at in recording.records(1)?.0.into_iter().filter_map(|step| of_step(step, lag)) {
            shown[at].spikes += 1;
        }
        if keeps_voltage {
            let (steps, voltages) = recording.records(3)?;
            for (step, voltage) in steps.into_iter().zip(voltages) {
                if let Some(at) = of_step(step, lag) {
                    shown[at].voltage = Some(voltage);
                }
            }
        }
        let mut arrived: BTreeMap<u32, u64> = BTreeMap::new();
        let (steps, axons) = recording.records(2)?;
        for (step, axon) in steps.into_iter().zip(axons) {
            // What is sent in a step comes in a step later.
            if of_step(step + 1, lag).is_some() {
                *arrived.entry(axon as u32).or_default() += 1;
            }
        }
        let machine = session.machine();
        // Of a convolution an element a channel, and places hold the channels one after the other.
        let own = |symbol: &str| {
            let values = machine.peek(block, symbol)?;
            values.get(column as usize % values.len().max(1)).copied()
        };
        Ok(Observation {
            population,
            block: (block, column),
            shown,
            inputs: inputs(image, machine, (block, column), &arrived),
            bias: own("bias"),
            // 12 fraction bits.
            mean_count: own("mean_count").map(|count| f64::from(count) / 4096.0),
        })
    }

    /// Spikes of all samples.
    pub fn spikes(&self) -> u64 {
        self.shown.iter().map(|shown| u64::from(shown.spikes)).sum()
    }
}

/// The population, block and place there of a neuron.
fn find(image: &Image, name: &NeuronName) -> Result<(PopulationIndex, BlockIndex, u32), WhyError> {
    let layers = || image.network.numbered().filter(|(_, population)| population.is_layer());
    let Some((number, population)) = layers().find(|(_, population)| population.name == name.layer) else {
        let known = layers().map(|(_, population)| population.name.clone()).collect();
        return Err(WhyError::Layer { name: name.layer.clone(), known });
    };
    let place = |(block, of_block): (BlockIndex, &Block)| {
        let column = (0..of_block.neurons).find(|&index| of_block.neuron(index) == name.number)?;
        Some((number, block, column))
    };
    let none = || WhyError::Neuron { layer: name.layer.clone(), neurons: population.neurons, number: name.number };
    image.blocks_of(number).find_map(place).ok_or_else(none)
}

/// The inputs of a neuron, by axon.
fn inputs(
    image: &Image,
    machine: &dyn Engine,
    (block, column): (BlockIndex, u32),
    arrived: &BTreeMap<u32, u64>,
) -> Vec<Arrived> {
    let of_block = &image.blocks[block];
    let rows = of_block.symbol("weights").filter(|symbol| symbol.columns == of_block.neurons);
    let weights = rows.and_then(|_| machine.peek(block, "weights"));
    let mut inputs: BTreeMap<u32, (String, u32)> = BTreeMap::new();
    let mut add = |route: &onward_image::Route, name: &str, number: &dyn Fn(u32) -> u32| {
        for delivery in route.flits.iter().flat_map(|flit| &flit.deliveries) {
            if let Delivery::Block { block: to, first_axon } = delivery
                && *to == block
            {
                inputs.extend((0..route.indices).map(|index| (first_axon + index, (name.to_owned(), number(index)))));
            }
        }
    };
    for of_sender in &image.blocks {
        let name = &image.population(of_sender).name;
        for route in of_sender.routes.iter().filter(|route| route.name == "spikes" || route.name == "own") {
            add(route, name, &|index| of_sender.neuron(index));
        }
    }
    let input = image.network.input().map_or("input", |input| &input.population.name);
    for part in image
        .host_inputs
        .iter()
        .filter(|part| matches!(part.kind, onward_image::HostInputKind::Input | onward_image::HostInputKind::Values))
    {
        add(&part.route, input, &|index| part.first + index);
    }
    let weight = |axon: u32| {
        let row = axon.checked_sub(1)?;
        weights.as_ref()?.get((row * of_block.neurons + column) as usize).copied()
    };
    let of_axon = |(axon, from): (u32, (String, u32))| Arrived {
        from,
        steps: arrived.get(&axon).copied().unwrap_or(0),
        weight: weight(axon),
    };
    inputs.into_iter().map(of_axon).collect()
}
