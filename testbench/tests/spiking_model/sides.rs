//! The chip and the model, side by side.

use super::frozen::frozen;
use super::networks::{self, Case};
use onward_compile::{Options, compile_with};
use onward_diagnostic::Source;
use onward_emulate::{Engine, Machine, Output, reference};
use onward_image::{HostInputKind, Image, PopulationKind, Tag};
use onward_net::{
    Convolution, Decay, Fires, Initial, Layer, LayerKind, Lowering, Network, NodeIndex, ReadoutKind, Reset, Values,
};
use onward_profile::Activity;
use onward_quantize::{Integers, LayerParameters, ResetParameters, Scale};
use std::collections::{BTreeMap, BTreeSet};
use testbench::model::{Model, Step, Window, value};

pub struct Pair {
    image: Image,
    pub machine: Machine,
    /// The plain, slow engine, for every other case.
    slow: Option<reference::Machine>,
    pub model: Model<i64>,
    network: Network,
    window: usize,
    /// Spikes of all layers, and the synapses that spikes and inputs reached, counted from the text.
    activity: [u64; 2],
    /// Spikes of the layer that is read, in all.
    pub spikes: usize,
}

/// Mistakes of a text that say that the language has more than the compiler: values may not be added to spikes.
fn is_limit(message: &str) -> bool {
    message.contains("values and spikes are added")
}

impl Pair {
    /// Both sides of a case; nothing if it asks for what the compiler says it cannot do.
    pub fn new(case: &Case) -> Result<Option<Pair>, String> {
        Pair::with(case, &Options::new(case.chip.clone(), case.seed))
    }

    /// The same, compiled with these options.
    pub fn with(case: &Case, options: &Options) -> Result<Option<Pair>, String> {
        let source = Source::new("random.sp", case.text.as_str());
        let network = Network::parse(&source).map_err(|errors| source.render(&errors))?;
        let names: Vec<String> = network.layers().map(|node| network.layer(node).name.clone()).collect();
        let mut parameters: BTreeMap<String, LayerParameters> = BTreeMap::new();
        let compiled = compile_with(&source, options, |_, compilation| {
            for name in &names {
                if let Some(of) = compilation.parameters(name) {
                    parameters.insert(name.clone(), of.clone());
                }
            }
        });
        let image = match compiled {
            Ok(image) => image,
            Err(errors) if errors.iter().all(|error| is_limit(&error.message)) => return Ok(None),
            Err(errors) => return Err(source.render(&errors)),
        };
        for name in &names {
            check_integers(&network, name, &parameters[name])?;
        }
        let model = frozen(&network, &parameters);
        let options = onward_emulate::Options { seed: 1, timing: case.seed.is_multiple_of(3), threads: case.threads };
        let machine = Machine::new(&image, options).map_err(|error| error.to_string())?;
        let slow = case.seed.is_multiple_of(2).then(|| reference::Machine::new(&image, options));
        let slow = slow.transpose().map_err(|error| error.to_string())?;
        let window = network.window_steps as usize;
        Ok(Some(Pair { image, machine, slow, model, network, window, activity: [0; 2], spikes: 0 }))
    }

    /// Shows all windows to both sides.
    pub fn run(&mut self, case: &Case) -> Result<(), String> {
        let lag = u64::from(self.model.lag(&case.last));
        let mut expected = BTreeSet::new();
        let mut answers = Vec::new();
        let mut start = 0;
        for (gap, steps) in &case.windows {
            let sent = |step: &networks::Step| step.iter().map(|&(place, sent)| value(place, sent)).collect();
            let shown: Vec<Step<i64>> = steps.iter().map(sent).collect();
            self.model.show(Window::Input { learn: None, continues: false }, &shown);
            for (step, neurons) in (start..).zip(self.model.spikes(&case.last)) {
                self.spikes += neurons.len();
                expected.extend(neurons.into_iter().map(|neuron| (step + lag, neuron as u32)));
            }
            answers.push(self.model.answer() as i32);
            self.count();
            start += (self.window + gap) as u64;
        }
        let outputs = show(&self.image, &mut self.machine, case, lag)?;
        let counted = Activity::of(&self.image, &self.machine.counters());
        same("spikes and synaptic events", &[counted.spikes, counted.synaptic_events], &self.activity)?;
        if let Some(slow) = &mut self.slow {
            let others = show(&self.image, slow, case, lag)?;
            let counted = Activity::of(&self.image, &slow.counters());
            same("what the plain engine counts", &[counted.spikes, counted.synaptic_events], &self.activity)?;
            let of = |outputs: &[Output]| {
                outputs.iter().map(|o| (o.step, o.sender, o.index, o.payload)).collect::<BTreeSet<_>>()
            };
            if of(&others) != of(&outputs) {
                return Err("the engines differ".to_string());
            }
        }
        if case.readout == ReadoutKind::MostSpikes {
            let found: Vec<i32> = outputs.iter().map(|output| output.payload).collect();
            return same("answers", &found, &answers);
        }
        let mut found = BTreeSet::new();
        for output in &outputs {
            let block = &self.image.blocks[output.sender.ok_or("the host sends to itself")?];
            if !found.insert((output.step, block.neuron(output.index))) {
                return Err(format!("{output:?} came twice"));
            }
        }
        let difference: Vec<_> = found.symmetric_difference(&expected).take(8).collect();
        if difference.is_empty() {
            return Ok(());
        }
        let sides = difference.iter().map(|spike| if found.contains(spike) { "chip" } else { "model" });
        let spikes: Vec<_> = difference.iter().zip(sides).collect();
        Err(format!("spikes (step, neuron) of one side alone: {spikes:?}"))
    }

    /// Counts what the last window showed: each thing that arrives at a layer, by as many synapses as its place has there.
    fn count(&mut self) {
        for node in self.network.layers() {
            let layer = self.network.layer(node);
            let source = self.network.signal(node);
            let shape = self.network.graph[source].shape();
            let arrivals = self.model.spikes(self.network.graph[source].name());
            let fan_outs: Vec<u64> = match &layer.kind {
                LayerKind::Convolution(of) if !of.joined.is_empty() => {
                    let kernels = of.kernels().zip(self.network.sources(source));
                    let alone = |(kernel, source): (&Convolution, NodeIndex)| {
                        let layer = Layer { kind: LayerKind::Convolution(kernel.clone()), ..layer.clone() };
                        let shape = self.network.graph[source].shape();
                        (0..shape.iter().product()).map(|place| fan_out(&layer, shape, place)).collect::<Vec<_>>()
                    };
                    kernels.flat_map(alone).collect()
                }
                _ => (0..shape.iter().product()).map(|place| fan_out(layer, shape, place)).collect(),
            };
            self.activity[1] += arrivals.iter().flatten().map(|&place| fan_outs[place]).sum::<u64>();
            let fired = self.model.spikes(&layer.name);
            self.activity[0] += fired.iter().map(|step| step.len() as u64).sum::<u64>();
            if layer.recurrent.is_some() {
                // What fires in the last step of a window is heard by nobody of the layer.
                let heard = fired[..fired.len() - 1].iter().map(|step| step.len() as u64).sum::<u64>();
                self.activity[1] += heard * u64::from(layer.neurons());
            }
        }
    }

    /// Membranes and currents of all layers, after the last window.
    pub fn compare_state(&self) -> Result<(), String> {
        for (number, block) in self.image.blocks.iter().enumerate() {
            let population = &self.image.network.populations[block.population];
            if !matches!(population.kind, PopulationKind::Layer { .. }) {
                continue;
            }
            let layer = self.model.layers.iter().find(|layer| layer.name == population.name);
            let Some(layer) = layer else { continue };
            let [membrane, current] =
                [layer.by_place(|block| &block.state[0].membrane), layer.by_place(|block| &block.state[0].current)];
            for (name, all) in [("membrane", membrane), ("current", current)] {
                let Some(found) = self.machine.peek(number.into(), name) else { continue };
                let neurons = (0..block.neurons).map(|index| block.neuron(index) as usize);
                let expected: Vec<i32> = neurons.map(|neuron| all[neuron] as i32).collect();
                same(&format!("{name} of `{}`, block {number}", population.name), &found, &expected)?;
            }
        }
        Ok(())
    }
}

/// Synapses from a place of what comes in to all neurons of a layer.
fn fan_out(layer: &Layer, source: &[u32], place: u32) -> u64 {
    match &layer.kind {
        LayerKind::Dense => layer.neurons().into(),
        LayerKind::Sparse(sparse) => {
            let Values::Array(rows) = &sparse.connections else { panic!("they are given") };
            rows.values.chunks(3).filter(|row| row[0] as u32 == place).count() as u64
        }
        LayerKind::Convolution(convolution) => {
            let (height, width) = match *source {
                [_, height, width] | [height, width] => (height, width),
                _ => (1, source[0]),
            };
            let at = [place / width % height, place % width];
            // Along an axis, outputs one of whose taps lies here.
            let along = |axis: usize, outputs: u32| {
                let takes = |output: &u32| {
                    (0..convolution.kernel[axis]).any(|tap| {
                        output * convolution.stride[axis] + tap * convolution.dilation[axis]
                            == at[axis] + convolution.padding[axis]
                    })
                };
                (0..outputs).filter(takes).count() as u64
            };
            let channels = u64::from(convolution.channels / convolution.groups);
            channels * along(0, layer.shape[1]) * along(1, layer.shape[2])
        }
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, chip: &[T], model: &[T]) -> Result<(), String> {
    if chip == model { Ok(()) } else { Err(format!("{what}: chip {chip:?}, model {model:?}")) }
}

/// What reaches the host.
fn show(image: &Image, engine: &mut dyn Engine, case: &Case, lag: u64) -> Result<Vec<Output>, String> {
    let find = |kinds: &[HostInputKind]| image.host_inputs.iter().position(|input| kinds.contains(&input.kind));
    let tag = find(&[HostInputKind::Tag]).ok_or("no tags")?;
    let kind = if case.is_graded { HostInputKind::Values } else { HostInputKind::Input };
    let input = find(&[kind]).ok_or("no input")?;
    let mut outputs = Vec::new();
    for (gap, steps) in &case.windows {
        let fed = engine.run_fed(steps.len() + gap, &mut |feed| {
            feed.send(tag, 0, 0, Tag::default().payload());
            for (step, active) in steps.iter().enumerate() {
                for &(place, value) in active {
                    feed.send(input, step, place as u32, value as i32);
                }
            }
        });
        outputs.extend(fed.map_err(|fault| fault.to_string())?);
    }
    let window = case.windows[0].1.len();
    let rest = engine.run_fed(window + lag as usize + 3, &mut |_| {});
    outputs.extend(rest.map_err(|fault| fault.to_string())?);
    if engine.is_busy() { Err("the chip does not come to rest".to_string()) } else { Ok(outputs) }
}

/// The integers are those nearest to the numbers of the text.
fn check_integers(network: &Network, name: &str, parameters: &LayerParameters) -> Result<(), String> {
    let node = network.layers().find(|&node| network.layer(node).name == name).ok_or("no such layer")?;
    let layer = network.layer(node);
    let most = (1 << (layer.weights.bits - 1)) - 1;
    let near = |what: &str, found: i32, exact: f64, most: i32| {
        let is_near = (f64::from(found) - exact).abs() <= 0.5 + 1e-6 * exact.abs();
        let is_clamped = found.abs() == most && exact.abs() > f64::from(most);
        if is_near || is_clamped { Ok(()) } else { Err(format!("{what} of `{name}`: {found} for {exact}")) }
    };
    let given = match (&layer.kind, &layer.weights.initial) {
        (LayerKind::Sparse(sparse), _) => match &sparse.connections {
            Values::Array(array) => Some(array.values.chunks(3).map(|row| row[2]).collect::<Vec<_>>()),
            _ => None,
        },
        (_, Initial::Given(Values::Array(array))) => Some(array.values.clone()),
        (_, Initial::Given(Values::Constant(value))) => Some(vec![*value; parameters.weights[0].len()]),
        _ => None,
    };
    let finer = f64::from(parameters.finer).exp2();
    if let Some(given) = given {
        let outputs = outputs(layer, given.len());
        for (variant, &divisor) in parameters.divisors.iter().enumerate() {
            let found = in_order(network, node, &parameters.weights[variant]);
            // By output what its weights are off by, and would be if each were the nearest.
            let mut sums = vec![[0.0f64; 2]; layer.neurons() as usize];
            for ((&found, real), &(output, neuron)) in found.iter().zip(&given).zip(&outputs) {
                let unit = parameters.unit.of(neuron) / finer / divisor as f64 / f64::from(parameters.payload);
                let exact = real * unit;
                near("a weight", found, exact, most).or_else(|wrong| {
                    let is_other = (f64::from(found) - exact).abs() <= 1.0 + 1e-6 * exact.abs();
                    if is_other { Ok(()) } else { Err(wrong) }
                })?;
                sums[output][0] += f64::from(found) - exact;
                sums[output][1] += exact.round().clamp(f64::from(-most - 1), f64::from(most)) - exact;
            }
            if let Some([kept, nearest]) = sums.into_iter().find(|[kept, nearest]| kept.abs() > nearest.abs() + 1.0) {
                return Err(format!(
                    "weights of `{name}` are off by {kept} in all, by {nearest} if each is the nearest"
                ));
            }
        }
    }
    let each = |what: &str, found: &Integers, real: &Values, unit: &Scale, least: f64| {
        (0..layer.neurons()).try_for_each(|neuron| {
            let unit = unit.of(neuron as usize);
            let real = match real {
                Values::Constant(value) => *value,
                Values::Array(array) => array.values[neuron as usize],
                Values::File(_) => return Err("nothing is in files".to_string()),
            };
            let is_threshold = what == "the threshold";
            // What is above a number is nearest to half a unit more. No rest fires but where it is above the threshold.
            let more = if is_threshold && layer.neuron.fires == Fires::Above { 0.5 } else { 0.0 };
            let least = if is_threshold && real > 0.0 { 1.0 } else { least };
            near(what, found.of(neuron), (real * unit + more).max(least), i32::MAX)
        })
    };
    let neuron = &parameters.neuron;
    each("the threshold", &neuron.threshold, &layer.neuron.threshold, &parameters.unit, f64::MIN)?;
    each("the bias", &neuron.bias, &layer.neuron.bias, &parameters.unit, f64::MIN)?;
    match (&neuron.reset, &layer.neuron.reset) {
        (ResetParameters::To(found), Reset::To(real))
        | (ResetParameters::Subtract { amount: found, .. }, Reset::Subtract(Lowering { amount: Some(real), .. })) => {
            each("the reset", found, real, &parameters.unit, f64::MIN)?;
        }
        _ => {}
    }
    each("the current's start", &neuron.current_start, &layer.neuron.current_start, &parameters.unit, f64::MIN)?;
    if let (Some(found), Decay::Factor(real)) = (&neuron.leak, &layer.neuron.leak) {
        each("the leak", found, real, &Scale::Same(65536.0), 0.0)?;
    }
    if let (Some(found), Some(Decay::Factor(real))) = (&neuron.current, &layer.neuron.current) {
        each("the current's factor", found, real, &Scale::Same(65536.0), 0.0)?;
    }
    Ok(())
}

/// Output and first neuron of each weight, in the order of the network's kind of layer.
fn outputs(layer: &Layer, weights: usize) -> Vec<(usize, usize)> {
    let neurons = layer.neurons() as usize;
    match &layer.kind {
        LayerKind::Dense => (0..weights).map(|at| at / (weights / neurons)).map(|neuron| (neuron, neuron)).collect(),
        LayerKind::Convolution(convolution) => {
            let channels = convolution.channels as usize;
            let channel = |at: usize| at / (weights / channels);
            (0..weights).map(|at| (channel(at), channel(at) * (neurons / channels))).collect()
        }
        LayerKind::Sparse(sparse) => {
            let Values::Array(rows) = &sparse.connections else { panic!("they are given") };
            rows.values.chunks(3).map(|row| (row[1] as usize, row[1] as usize)).collect()
        }
    }
}

/// Weights in the order of the network's kind of layer: the compiler's are by input where the layer is dense.
fn in_order(network: &Network, node: NodeIndex, weights: &[i16]) -> Vec<i32> {
    let layer = network.layer(node);
    if !matches!(layer.kind, LayerKind::Dense) {
        return weights.iter().map(|&weight| weight.into()).collect();
    }
    let (inputs, neurons) = (network.inputs(node) as usize, layer.neurons() as usize);
    (0..neurons).flat_map(|neuron| (0..inputs).map(move |input| weights[input * neurons + neuron].into())).collect()
}
