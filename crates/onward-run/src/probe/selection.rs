//! What a probe records: an array of a layer, or what it sends, of all its neurons or some, at each step, window or epoch.

use onward_diagnostic::{Remedy, did_you_mean};
use onward_image::{Block, BlockIndex, Delivery, Image, PopulationIndex, Route};
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// The word for what a layer's neurons send.
const SPIKES: &str = "spikes";

/// When an array is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cadence {
    /// After each step.
    Step,
    /// At the end of each window, as the layer sees it: a layer behind others comes later.
    Window,
    /// At the end of each epoch of learning, behind its test; of a run that only tests, at its end.
    Epoch,
}

/// What a probe records, as it is written: `LAYER.WHAT`, `LAYER.WHAT[FIRST..END]`, `LAYER.WHAT@window`, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeText {
    /// The name of a layer, or of another part of the network that has a block.
    pub layer: String,
    /// The name of one of its arrays, or of a route that it sends by: `spikes`.
    pub what: String,
    /// Neurons of the layer, as it numbers them; all if none are named.
    pub neurons: Option<Range<u32>>,
    /// When an array is looked at; `None` where nothing is said.
    pub cadence: Option<Cadence>,
}

/// Why a probe cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// It is written as no probe is.
    #[error("`{0}` is no probe")]
    Syntax(String),
    /// There is no such layer, or it has no block.
    #[error("nothing to probe is called `{name}`")]
    Layer {
        /// The name.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// The layer has no such array, and sends by no such route.
    #[error("`{layer}` has no array `{name}`")]
    Array {
        /// The layer.
        layer: String,
        /// The name.
        name: String,
        /// Its arrays and routes.
        known: Vec<String>,
    },
    /// Neurons are named that there are not.
    #[error("`{layer}` has {neurons} neurons, and not those from {first} to below {end}")]
    Neurons {
        /// The layer.
        layer: String,
        /// How many it has.
        neurons: u32,
        /// The first that was named.
        first: u32,
        /// The one behind the last that was named.
        end: u32,
    },
    /// Neurons are named of an array that has no column for each.
    #[error("`{layer}.{name}` has no number for each neuron")]
    NoNeurons {
        /// The layer.
        layer: String,
        /// The array.
        name: String,
    },
    /// Packets are recorded as they are sent.
    #[error("what `{layer}` sends is recorded at its steps")]
    Cadence {
        /// The layer.
        layer: String,
    },
    /// What is recorded has nowhere to go.
    #[error("temporary files cannot be made in `{folder}`: {cause}")]
    Files {
        /// Where they were to be made.
        folder: String,
        /// The system's words.
        cause: String,
    },
    /// A system without windows or epochs.
    #[error("`{layer}` is of a system in assembly, which has no windows and no epochs")]
    NoWindows {
        /// Its name.
        layer: String,
    },
}

impl Remedy for ProbeError {
    fn remedy(&self) -> Option<Cow<'_, str>> {
        Some(match self {
            ProbeError::Syntax(_) => {
                "write LAYER.ARRAY, LAYER.ARRAY[FIRST..END] or LAYER.spikes, and @window or @epoch behind an array"
                    .into()
            }
            ProbeError::Layer { name, known } => {
                did_you_mean(name, known.iter().map(String::as_str), "there are ").into()
            }
            ProbeError::Array { name, known, .. } => {
                did_you_mean(name, known.iter().map(String::as_str), "it has ").into()
            }
            ProbeError::Neurons { neurons, .. } => format!("they count from 0; all are [0..{neurons}]").into(),
            ProbeError::NoNeurons { .. } => "leave [FIRST..END] away: the array is recorded whole".into(),
            ProbeError::Cadence { .. } => "leave @window or @epoch away".into(),
            ProbeError::Files { .. } => "name a file in another folder".into(),
            ProbeError::NoWindows { .. } => "leave @window or @epoch away".into(),
        })
    }
}

impl FromStr for ProbeText {
    type Err = ProbeError;

    fn from_str(text: &str) -> Result<ProbeText, ProbeError> {
        let wrong = || ProbeError::Syntax(text.to_owned());
        let (rest, cadence) = match text.split_once('@') {
            None => (text, None),
            Some((rest, "step")) => (rest, Some(Cadence::Step)),
            Some((rest, "window")) => (rest, Some(Cadence::Window)),
            Some((rest, "epoch")) => (rest, Some(Cadence::Epoch)),
            Some(_) => return Err(wrong()),
        };
        let (rest, neurons) = match rest.split_once('[') {
            None => (rest, None),
            Some((rest, range)) => {
                let range = range.strip_suffix(']').ok_or_else(wrong)?;
                let number = |text: &str| text.parse::<u32>().map_err(|_| wrong());
                let range = match range.split_once("..") {
                    Some((first, end)) => number(first)?..number(end)?,
                    None => number(range)?..number(range)?.checked_add(1).ok_or_else(wrong)?,
                };
                (rest, Some(range))
            }
        };
        let (layer, what) =
            rest.rsplit_once('.').filter(|(layer, what)| !layer.is_empty() && !what.is_empty()).ok_or_else(wrong)?;
        Ok(ProbeText { layer: layer.to_owned(), what: what.to_owned(), neurons, cadence })
    }
}

impl fmt::Display for ProbeText {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}.{}", self.layer, self.what)?;
        if let Some(neurons) = &self.neurons {
            write!(f, "[{}..{}]", neurons.start, neurons.end)?;
        }
        match self.cadence {
            None | Some(Cadence::Step) => Ok(()),
            Some(Cadence::Window) => write!(f, "@window"),
            Some(Cadence::Epoch) => write!(f, "@epoch"),
        }
    }
}

/// A probe of an image: where what it records lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Probe {
    /// Its text, which names what is recorded.
    pub(super) name: String,
    /// Steps by which the layer lags behind the input.
    pub(super) lag: u32,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Packets(Packets),
    Values(Array),
    /// What comes in at a block's axons.
    Arrivals(Arrivals),
}

/// Who sends to a block, and which axon its index 0 comes in at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Arrivals {
    /// Blocks and their routes.
    pub blocks: Vec<(BlockIndex, usize, u32)>,
    /// Parts of the host's inputs.
    pub inputs: Vec<(usize, u32)>,
}

impl Arrivals {
    /// Those at a block.
    pub fn at(image: &Image, block: BlockIndex) -> Arrivals {
        let axons = move |route: &Route| {
            let deliveries = route.flits.iter().flat_map(|flit| &flit.deliveries);
            let at = deliveries.filter_map(|delivery| match delivery {
                Delivery::Block { block: to, first_axon } if *to == block => Some(*first_axon),
                _ => None,
            });
            at.collect::<Vec<u32>>()
        };
        let (mut blocks, mut inputs) = (Vec::new(), Vec::new());
        for (number, of_block) in image.blocks.iter_enumerated() {
            for (route, of_route) in of_block.routes.iter().enumerate() {
                blocks.extend(axons(of_route).into_iter().map(|axon| (number, route, axon)));
            }
        }
        for (part, input) in image.host_inputs.iter().enumerate() {
            inputs.extend(axons(&input.route).into_iter().map(|axon| (part, axon)));
        }
        Arrivals { blocks, inputs }
    }
}

/// Packets by a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packets {
    /// For each block the number of the route, and for each index what it stands for: a neuron; `None` if it is not asked for.
    pub senders: Vec<(BlockIndex, usize, Vec<Option<u32>>)>,
    /// Whether payloads say something: a layer's spikes have none.
    pub payloads: bool,
}

/// An array, of all blocks together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Array {
    pub symbol: String,
    pub cadence: Cadence,
    /// Extents of what is recorded at once.
    pub shape: Vec<u64>,
    /// For each block where its elements go: pairs of an element of the block and one of what is recorded.
    pub places: Vec<(BlockIndex, Vec<(u32, u32)>)>,
}

/// What comes in at a block's axons.
pub(crate) fn arrivals_at(image: &Image, block: BlockIndex) -> Probe {
    Probe { name: String::new(), lag: 0, kind: Kind::Arrivals(Arrivals::at(image, block)) }
}

impl ProbeText {
    /// Finds what the probe records in an image.
    ///
    /// # Errors
    /// See [`ProbeError`].
    pub(crate) fn resolve(&self, image: &Image) -> Result<Probe, ProbeError> {
        let populations = &image.network.populations;
        let has_blocks = |number: PopulationIndex| image.blocks_of(number).next().is_some();
        let found = populations.iter_enumerated().find(|(number, of)| of.name == self.layer && has_blocks(*number));
        let Some((number, population)) = found else {
            let known = populations.iter_enumerated().filter(|(number, _)| has_blocks(*number));
            let known = known.map(|(_, population)| population.name.clone()).collect();
            return Err(ProbeError::Layer { name: self.layer.clone(), known });
        };
        let blocks: Vec<(BlockIndex, &Block)> = image.blocks_of(number).collect();
        let is_assembly = image.network.input().is_none();
        if is_assembly && matches!(self.cadence, Some(Cadence::Window | Cadence::Epoch)) {
            return Err(ProbeError::NoWindows { layer: self.layer.clone() });
        }
        let is_array = self.what != SPIKES && blocks.iter().any(|(_, block)| block.symbol(&self.what).is_some());
        let kind = if is_array {
            Kind::Values(self.array(&blocks, population.neurons, is_assembly)?)
        } else {
            Kind::Packets(self.packets(&blocks, population.neurons, population.is_layer())?)
        };
        Ok(Probe { name: self.to_string(), lag: population.lag, kind })
    }

    fn packets(&self, blocks: &[(BlockIndex, &Block)], neurons: u32, is_layer: bool) -> Result<Packets, ProbeError> {
        let route = |block: &Block| block.routes.iter().position(|route| route.name == self.what);
        let mut senders = Vec::new();
        for &(number, block) in blocks {
            let Some(route) = route(block) else { continue };
            let indices = block.routes[route].indices;
            let of_neurons = indices == block.neurons;
            let neuron = |index| if of_neurons { block.neuron(index) } else { index };
            let asked = self.neurons.clone().unwrap_or(0..u32::MAX);
            let of = |index| Some(neuron(index)).filter(|neuron| asked.contains(neuron));
            senders.push((number, route, (0..indices).map(of).collect()));
        }
        if senders.is_empty() {
            let mut known = Vec::new();
            for (_, block) in blocks {
                known.extend(block.routes.iter().map(|route| route.name.clone()));
                known.extend(block.symbols.iter().map(|symbol| symbol.name.clone()));
            }
            known.sort_unstable();
            known.dedup();
            return Err(ProbeError::Array { layer: self.layer.clone(), name: self.what.clone(), known });
        }
        if matches!(self.cadence, Some(Cadence::Window | Cadence::Epoch)) {
            return Err(ProbeError::Cadence { layer: self.layer.clone() });
        }
        self.check_neurons(neurons)?;
        Ok(Packets { senders, payloads: !(is_layer && self.what == SPIKES) })
    }

    fn array(&self, blocks: &[(BlockIndex, &Block)], neurons: u32, is_assembly: bool) -> Result<Array, ProbeError> {
        let symbols: Vec<_> =
            blocks.iter().filter_map(|&(number, block)| Some((number, block, block.symbol(&self.what)?))).collect();
        let (_, _, first) = symbols[0];
        let by_neuron =
            symbols.iter().all(|(_, block, symbol)| symbol.columns == block.neurons && symbol.rows == first.rows);
        let by_neuron = by_neuron && symbols.len() == blocks.len();
        let of_weights = first.space() == Some(onward_isa::Space::Synapse);
        let cadence = self.cadence.unwrap_or(if of_weights && !is_assembly { Cadence::Epoch } else { Cadence::Step });
        if !by_neuron {
            if self.neurons.is_some() {
                return Err(ProbeError::NoNeurons { layer: self.layer.clone(), name: self.what.clone() });
            }
            return Ok(whole(&self.what, cadence, &symbols));
        }
        self.check_neurons(neurons)?;
        let asked = self.neurons.clone().unwrap_or(0..neurons);
        let (rows, columns) = (first.rows, asked.end - asked.start);
        let places = symbols.iter().map(|&(number, block, _)| {
            let of_row = |row: u32| {
                let asked = &asked;
                (0..block.neurons).filter_map(move |column| {
                    let neuron = Some(block.neuron(column)).filter(|neuron| asked.contains(neuron))?;
                    Some((row * block.neurons + column, row * columns + neuron - asked.start))
                })
            };
            (number, (0..rows).flat_map(of_row).collect())
        });
        let places = places.filter(|(_, places): &(_, Vec<_>)| !places.is_empty()).collect();
        let shape = if rows == 1 { vec![columns.into()] } else { vec![rows.into(), columns.into()] };
        Ok(Array { symbol: self.what.clone(), cadence, shape, places })
    }

    fn check_neurons(&self, neurons: u32) -> Result<(), ProbeError> {
        match &self.neurons {
            Some(asked) if asked.start >= asked.end || asked.end > neurons => {
                Err(ProbeError::Neurons { layer: self.layer.clone(), neurons, first: asked.start, end: asked.end })
            }
            _ => Ok(()),
        }
    }
}

/// An array that has no column for each neuron: block by block, with an extent for blocks where all are of one shape.
fn whole(symbol: &str, cadence: Cadence, symbols: &[(BlockIndex, &Block, &onward_image::Symbol)]) -> Array {
    let mut first = 0;
    let mut places = Vec::new();
    for (number, _, of_block) in symbols {
        let elements = of_block.elements() as u32;
        places.push((*number, (0..elements).map(|element| (element, first + element)).collect()));
        first += elements;
    }
    let extents = |symbol: &onward_image::Symbol| [u64::from(symbol.rows), u64::from(symbol.columns)];
    let of_first = extents(symbols[0].2);
    let is_even = symbols.iter().all(|(.., symbol)| extents(symbol) == of_first);
    let mut shape =
        if is_even { of_first.into_iter().filter(|&extent| extent > 1).collect() } else { vec![first.into()] };
    if is_even && symbols.len() > 1 {
        shape.insert(0, symbols.len() as u64);
    }
    if shape.is_empty() {
        shape.push(1);
    }
    Array { symbol: symbol.to_owned(), cadence, shape, places }
}
