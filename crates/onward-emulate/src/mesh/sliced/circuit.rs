//! The part of a mesh that an image's routes use, as a circuit: buffers, outputs, and what leads where.
//!
//! A flit in a buffer is known by its *class*: what happens to it from here on. Routes that go on alike, whoever sent
//! them, are one class, so that most buffers know one or two; a class is kept in as few bits as tell them apart.

use super::super::flit::Route;
use super::super::tables::Tables;
use super::ways::{Link, Place};
use onward_image::{Endpoint, Tile, index_type, indices};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use typed_index_collections::TiVec;

/// Classes a buffer may know. Beyond, stepping is faster.
const MOST_CLASSES: usize = 64;

index_type! {
    /// A buffer of [`Circuit::buffers`].
    pub(super) struct BufferIndex
}

index_type! {
    /// An output of [`Circuit::outputs`].
    pub(super) struct OutputIndex
}

index_type! {
    /// A router of [`Circuit::routers`].
    pub(super) struct NodeIndex
}

index_type! {
    /// A sender of [`Circuit::senders`].
    pub(super) struct SenderIndex
}

index_type! {
    /// A kind of links, of [`Circuit::links`].
    pub(super) struct LinkIndex
}

index_type! {
    /// A continuation, whichever place it begins at.
    struct ContinuationIndex
}

/// An input buffer of a router.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    /// Its router.
    pub router: NodeIndex,
    /// Its place among the inputs of the router.
    pub input: usize,
    /// Classes of flits it knows.
    pub classes: usize,
    /// Bits that tell them apart.
    pub bits: usize,
    /// The outputs its flits want, by output.
    pub wants: Vec<Want>,
    /// The output of another router that fills it, if it is no sender.
    pub feeder: Option<Feeder>,
}

/// What fills a buffer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Feeder {
    pub output: OutputIndex,
    /// The buffer's place in [`Output::channels`].
    pub channel: usize,
    /// The link's kind.
    pub link: LinkIndex,
}

/// That flits of a buffer want an output.
#[derive(Debug)]
pub(super) struct Want {
    /// Classes that want it; empty if all do.
    pub classes: Vec<usize>,
    /// For each bit of the class behind the output: the classes here that set it. Nothing for an output to an endpoint.
    pub next_bits: Vec<Vec<usize>>,
}

/// An output of a router.
#[derive(Debug)]
pub(super) struct Output {
    /// Those whose flits want it, in the order of round robin.
    pub candidates: Vec<Candidate>,
    /// The buffers behind it, one a virtual channel that is used; none if an endpoint is.
    pub channels: Vec<BufferIndex>,
    /// Its link's kind.
    pub link: LinkIndex,
}

/// A buffer whose flits want an output.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub buffer: BufferIndex,
    /// Index of its want.
    pub want: usize,
    /// The channel its flits go into: dimension order leaves no choice.
    pub channel: usize,
}

/// A router.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub tile: Tile,
    pub buffers: Range<BufferIndex>,
    pub outputs: Range<OutputIndex>,
}

/// Somebody who sends.
#[derive(Debug)]
pub(super) struct Sender {
    /// The core or the host port that sends.
    pub endpoint: Endpoint,
    /// The buffer it sends into.
    pub buffer: BufferIndex,
}

/// What a flit to a destination does, whoever waits for whom.
#[derive(Clone, Debug, Default)]
pub(super) struct Path {
    /// Who may use it; none if nobody does.
    pub sender: Option<SenderIndex>,
    /// Its class in the sender's buffer.
    pub class: usize,
    /// Buffers it passes.
    pub buffers: Vec<BufferIndex>,
    /// Links between routers it crosses.
    pub hops: u64,
    /// Those that lead to another chip.
    pub crossings: u64,
    /// Endpoints that take it.
    pub ejected: u64,
    /// Crossings and endpoints, by router.
    pub leavings: Vec<Leaving>,
}

/// What a flit and its copies do at a router besides going on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaving {
    pub router: NodeIndex,
    pub crossings: u64,
    pub ejected: u64,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Circuit {
    pub routers: TiVec<NodeIndex, Node>,
    pub buffers: TiVec<BufferIndex, Buffer>,
    pub outputs: TiVec<OutputIndex, Output>,
    pub senders: TiVec<SenderIndex, Sender>,
    /// The kinds of links, at least one.
    pub links: TiVec<LinkIndex, Link>,
    /// By destination.
    pub paths: Vec<Path>,
}

/// What happens to a flit from a buffer on: by output (a port), the place behind it and what happens from there.
type Continuation = Vec<(usize, Option<(Place, ContinuationIndex)>)>;

/// Finds what there is, before it gets indices.
#[derive(Default)]
struct Survey {
    /// Continuations, each once, by number.
    numbers: BTreeMap<Continuation, ContinuationIndex>,
    continuations: TiVec<ContinuationIndex, Continuation>,
    /// What is known already of a route at a place.
    known: HashMap<(Place, u32), ContinuationIndex>,
    /// By place, the continuations of the flits that come by.
    passing: BTreeMap<Place, Vec<ContinuationIndex>>,
}

impl Survey {
    /// The continuation of a route at a place.
    fn follow(&mut self, tables: &Tables, place: Place, route: Route) -> ContinuationIndex {
        if let Some(&number) = self.known.get(&(place, route.word())) {
            return number;
        }
        let continuation: Continuation = tables
            .branches(place, route)
            .into_iter()
            .map(|(port, next)| (port, next.map(|(next, onward)| (next, self.follow(tables, next, onward)))))
            .collect();
        let fresh = self.continuations.next_key();
        let number = *self.numbers.entry(continuation.clone()).or_insert(fresh);
        if number == fresh {
            self.continuations.push(continuation);
        }
        self.known.insert((place, route.word()), number);
        let passing = self.passing.entry(place).or_default();
        if !passing.contains(&number) {
            passing.push(number);
        }
        number
    }
}

impl Circuit {
    /// The circuit of the senders, each with the destinations it uses (indices into the mesh's table). `None` where so
    /// many kinds of flits pass a buffer that stepping is faster.
    ///
    /// # Panics
    /// When an endpoint does not exist or a destination is used by two senders.
    pub fn new(tables: &Tables, uses: &[(Endpoint, Vec<Range<u32>>)]) -> Option<Circuit> {
        let mut survey = Survey::default();
        let mut starts = Vec::new();
        for (number, (endpoint, destinations)) in (0_u32..).zip(uses) {
            let place = tables.place_of(*endpoint);
            survey.passing.entry(place).or_default();
            for destination in destinations.iter().cloned().flatten() {
                let route = tables.route_at(place.tile, destination);
                let continuation = survey.follow(tables, place, route);
                starts.push((SenderIndex::from(number), destination as usize, place, continuation));
                if survey.passing[&place].len() > MOST_CLASSES {
                    return None;
                }
            }
        }
        if survey.passing.values().any(|classes| classes.len() > MOST_CLASSES) {
            return None;
        }
        let mut circuit = Circuit {
            routers: TiVec::new(),
            buffers: TiVec::new(),
            outputs: TiVec::new(),
            senders: TiVec::new(),
            links: TiVec::new(),
            paths: Vec::new(),
        };
        let places: Vec<Place> = survey.passing.keys().copied().collect();
        let index_of: HashMap<Place, BufferIndex> =
            places.iter().zip(0_u32..).map(|(&place, at)| (place, at.into())).collect();
        circuit.add_routers(tables, &survey, &places, &index_of);
        for (endpoint, _) in uses {
            let buffer = index_of[&tables.place_of(*endpoint)];
            circuit.senders.push(Sender { endpoint: *endpoint, buffer });
        }
        for (sender, destination, place, continuation) in starts {
            circuit.add_path(tables, &survey, &index_of, (sender, destination), (place, continuation));
        }
        Some(circuit)
    }

    /// Routers with their buffers and outputs. Places rise with tile and input, and so do indices.
    fn add_routers(
        &mut self,
        tables: &Tables,
        survey: &Survey,
        places: &[Place],
        index_of: &HashMap<Place, BufferIndex>,
    ) {
        for of_router in places.chunk_by(|a, b| a.tile == b.tile) {
            let (router, tile) = (self.routers.next_key(), of_router[0].tile);
            let (first_buffer, first_output) = (self.buffers.next_key(), self.outputs.next_key());
            let mut ports: Vec<usize> = Vec::new();
            for place in of_router {
                let outputs = survey.passing[place].iter().flat_map(|&number| &survey.continuations[number]);
                ports.extend(outputs.map(|&(port, _)| port));
            }
            ports.sort_unstable();
            ports.dedup();
            let output =
                |_: &usize| Output { candidates: Vec::new(), channels: Vec::new(), link: LinkIndex::default() };
            self.outputs.extend(ports.iter().map(output));
            for place in of_router {
                let buffer = self.buffers.next_key();
                let classes = &survey.passing[place];
                let mut made = Buffer {
                    router,
                    input: place.input,
                    classes: classes.len(),
                    bits: classes.len().next_power_of_two().trailing_zeros() as usize,
                    wants: Vec::new(),
                    feeder: None,
                };
                for (output, &port) in indices(first_output..self.outputs.next_key()).zip(&ports) {
                    let Some((want, next)) = want(survey, index_of, classes, port) else { continue };
                    let output = &mut self.outputs[output];
                    let mut channel = 0;
                    if let Some(next) = next {
                        output.link = position_or_push(&mut self.links.raw, tables.link(tile, port)).into();
                        channel = position_or_push(&mut output.channels, next);
                    }
                    output.candidates.push(Candidate { buffer, want: made.wants.len(), channel });
                    made.wants.push(want);
                }
                self.buffers.push(made);
            }
            self.routers.push(Node {
                tile,
                buffers: first_buffer..self.buffers.next_key(),
                outputs: first_output..self.outputs.next_key(),
            });
        }
        for (number, output) in self.outputs.iter_enumerated() {
            for (channel, &next) in output.channels.iter().enumerate() {
                self.buffers[next].feeder = Some(Feeder { output: number, channel, link: output.link });
            }
        }
        if self.links.is_empty() {
            self.links.push(Link { flight: 1, spacing: 1 });
        }
    }

    /// What a flit from `place` on passes.
    fn add_path(
        &mut self,
        tables: &Tables,
        survey: &Survey,
        index_of: &HashMap<Place, BufferIndex>,
        (sender, destination): (SenderIndex, usize),
        (place, continuation): (Place, ContinuationIndex),
    ) {
        let class = class_of(survey, place, continuation);
        let mut path = Path { sender: Some(sender), class, ..Path::default() };
        let mut open = vec![(place, continuation)];
        while let Some((place, continuation)) = open.pop() {
            let buffer = index_of[&place];
            path.buffers.push(buffer);
            let mut leaving = Leaving { router: self.buffers[buffer].router, crossings: 0, ejected: 0 };
            for &(port, next) in &survey.continuations[continuation] {
                match next {
                    Some(next) => {
                        path.hops += 1;
                        leaving.crossings += u64::from(tables.leaves_chip(place.tile, port));
                        open.push(next);
                    }
                    None => leaving.ejected += 1,
                }
            }
            path.crossings += leaving.crossings;
            path.ejected += leaving.ejected;
            if leaving.crossings + leaving.ejected > 0 {
                path.leavings.push(leaving);
            }
        }
        if self.paths.len() <= destination {
            self.paths.resize(destination + 1, Path::default());
        }
        assert!(self.paths[destination].sender.is_none(), "two senders use destination {destination}");
        self.paths[destination] = path;
    }
}

/// Where an item is in a list; what is not yet there is added.
fn position_or_push<T: PartialEq>(list: &mut Vec<T>, item: T) -> usize {
    list.iter().position(|known| *known == item).unwrap_or_else(|| {
        list.push(item);
        list.len() - 1
    })
}

/// Number of a continuation among those that pass a place.
fn class_of(survey: &Survey, place: Place, continuation: ContinuationIndex) -> usize {
    let found = survey.passing[&place].iter().position(|&number| number == continuation);
    found.expect("what passes a place is known there")
}

/// How the flits of a buffer want an output, and the buffer behind it; `None` if none does.
fn want(
    survey: &Survey,
    index_of: &HashMap<Place, BufferIndex>,
    classes: &[ContinuationIndex],
    port: usize,
) -> Option<(Want, Option<BufferIndex>)> {
    let mut wanting = Vec::new();
    let mut next_bits: Vec<Vec<usize>> = Vec::new();
    let mut behind = None;
    for (class, &number) in classes.iter().enumerate() {
        let Some(&(_, next)) = survey.continuations[number].iter().find(|&&(at, _)| at == port) else { continue };
        wanting.push(class);
        let Some((place, continuation)) = next else { continue };
        behind = Some(index_of[&place]);
        let bits = survey.passing[&place].len().next_power_of_two().trailing_zeros() as usize;
        next_bits.resize(bits, Vec::new());
        let code = class_of(survey, place, continuation);
        for (bit, setters) in next_bits.iter_mut().enumerate() {
            if code >> bit & 1 == 1 {
                setters.push(class);
            }
        }
    }
    if wanting.is_empty() {
        return None;
    }
    if wanting.len() == classes.len() {
        wanting.clear();
    }
    Some((Want { classes: wanting, next_bits }, behind))
}
