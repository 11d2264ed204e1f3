//! The proof as a whole, and what it says.

use crate::block::Context;
use crate::bounds::{Bounds, Timed, bounds};
use crate::breach::{Breach, Reason, Rule};
use crate::channels::{Ways, ways};
use crate::class::{Behaviour, Class, behaviour};
use crate::contract::{Contract, Tags};
use crate::flows::{flows, foreign};
use crate::interpret::{Problem, Stop};
use crate::network::{Edges, forward, is_by_hand, of_block, routes};
use crate::range::MOST;
use crate::reuse::Reuse;
use crate::sources::{Names, Source};
use crate::structure;
use crate::surroundings::{Known, Sender, Taken, fed, tag_senders, tags_of, taken};
use onward_image::{BlockIndex, Image, ProgramIndex, Proof, indices};
use onward_isa::{Instruction, Space};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use typed_index_collections::TiVec;

/// Version of the proofs: it rises with what they show.
pub const VERSION: u32 = 1;

/// What is shown of an image, or what breaks it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Version of the proof.
    pub version: u32,
    /// What breaks a rule, the first first: by rule, core, block and address.
    pub breaches: Vec<Breach>,
    /// How much was looked at.
    pub looked_at: LookedAt,
    /// What the host must keep to for it, in sentences.
    pub assumes: Vec<String>,
    /// The longest steps of each layer, by window.
    pub handlers: Vec<Handler>,
    /// What weights change by.
    pub learned: Vec<Learned>,
    /// The most cycles; none where a rule is broken.
    pub bounds: Option<Bounds>,
}

/// How much a proof is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LookedAt {
    /// Blocks.
    pub blocks: usize,
    /// Cores that have one.
    pub cores: usize,
    /// Instructions of all programs.
    pub instructions: usize,
    /// Routes, those of the host among them.
    pub routes: usize,
    /// Channels of the mesh that packets come through.
    pub channels: usize,
    /// Classes of steps.
    pub classes: usize,
}

/// The longest step of a layer's blocks, in windows of a kind at some positions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Handler {
    /// The layer.
    pub layer: String,
    /// Bits 1..0 of the tag: 0 an input window, 1 a target window.
    pub kind: u32,
    /// Whether the sample is learned from.
    pub learn: bool,
    /// First position in the window.
    pub first: i64,
    /// The last.
    pub last: i64,
    /// The most cycles that a block takes, flits and waiting left out.
    pub cycles: u64,
    /// The most packets that it sends, each counted once.
    pub packets: u64,
}

/// What the weights of a layer change by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Learned {
    /// The layer.
    pub layer: String,
    /// The array of synapse memory.
    pub array: String,
    /// Arrays on the same core that it is written from.
    pub arrays: Vec<String>,
    /// What else it is written from at once: packets of a layer, the tag, chance.
    pub also: Vec<String>,
    /// Whose packets these stem from in the end.
    pub packets: Vec<String>,
}

impl Verdict {
    /// Whether all rules are kept.
    pub fn holds(&self) -> bool {
        self.breaches.is_empty()
    }

    /// Its summary, for the image that it is about; `None` where a rule is broken.
    pub fn proof(&self, image: &Image) -> Option<Proof> {
        let bounds = self.bounds.filter(|_| self.holds())?;
        Some(Proof {
            version: VERSION,
            of: image.digest(),
            step_cycles: bounds.step_cycles,
            test_window_cycles: bounds.test_window_cycles,
            training_sample_cycles: bounds.training_sample_cycles,
        })
    }

    /// Whether a rule is kept; where what it counts on is broken it was not looked at, and is not.
    pub fn keeps(&self, rule: Rule) -> bool {
        let first = self.breaches.first().map(|breach| breach.rule);
        first != Some(Rule::Structure) && self.breaches.iter().all(|breach| breach.rule != rule)
    }
}

/// Proves what is to be proven of an image, for hosts that keep to a contract.
pub fn verify(image: &Image, contract: &Contract) -> Verdict {
    let mut breaches = Vec::new();
    structure::indices(image, &mut breaches);
    if !breaches.is_empty() {
        return broken(breaches);
    }
    structure::budgets(image, &mut breaches);
    let edges = Edges::of(image);
    forward(image, &edges, &mut breaches);
    routes(image, &edges, &mut breaches);
    let ways = ways(image, &mut breaches);
    if breaches.is_empty() {
        structure::whole(image, &mut breaches);
    }
    if breaches.iter().any(|breach| matches!(breach.rule, Rule::Structure | Rule::Budgets)) {
        return broken(breaches);
    }
    Prover::new(image, contract, &edges).finish(&ways, breaches)
}

fn broken(mut breaches: Vec<Breach>) -> Verdict {
    breaches.sort();
    Verdict {
        version: VERSION,
        breaches,
        looked_at: LookedAt::default(),
        assumes: Vec::new(),
        handlers: Vec::new(),
        learned: Vec::new(),
        bounds: None,
    }
}

/// A proof under way.
struct Prover<'a> {
    image: &'a Image,
    contract: &'a Contract,
    edges: &'a Edges,
    code: TiVec<ProgramIndex, Vec<Option<Instruction>>>,
    taken: BTreeMap<BlockIndex, Vec<Taken>>,
    known: BTreeMap<BlockIndex, Known>,
    behaviours: BTreeMap<BlockIndex, Rc<Behaviour>>,
    reuse: Reuse,
    breaches: Vec<Breach>,
    learned: BTreeMap<(String, String), Learned>,
}

impl<'a> Prover<'a> {
    fn new(image: &'a Image, contract: &'a Contract, edges: &'a Edges) -> Prover<'a> {
        let decode = |words: &Vec<u32>| words.iter().map(|&word| Instruction::decode(word).ok()).collect();
        Prover {
            image,
            contract,
            edges,
            code: image.programs.iter().map(|program| decode(&program.words)).collect(),
            taken: taken(image),
            known: BTreeMap::new(),
            behaviours: BTreeMap::new(),
            reuse: Reuse::default(),
            breaches: Vec::new(),
            learned: BTreeMap::new(),
        }
    }

    /// Looks at all blocks, those that send tags before those that take them.
    fn finish(mut self, ways: &Ways, breaches: Vec<Breach>) -> Verdict {
        self.breaches = breaches;
        let mut left: BTreeSet<BlockIndex> = indices(BlockIndex::default()..self.image.blocks.next_key()).collect();
        while !left.is_empty() {
            let is_ready = |number: &BlockIndex| {
                let taken = self.taken.get(number).map_or(&[][..], Vec::as_slice);
                let tagged = self.image.blocks[*number].tagged;
                !tagged
                    || tag_senders(taken).all(|from| !matches!(from, Sender::Block(block, _) if left.contains(&block)))
            };
            let ready: Vec<BlockIndex> = left.iter().copied().filter(is_ready).collect();
            // Tags that go round in a circle can be anything.
            let next = if ready.is_empty() { left.iter().copied().take(1).collect() } else { ready };
            for number in next {
                left.remove(&number);
                self.block(number);
            }
        }
        self.verdict(ways)
    }

    fn block(&mut self, number: BlockIndex) {
        let image = self.image;
        let block = &image.blocks[number];
        let taken = self.taken.get(&number).map_or(&[][..], Vec::as_slice);
        let (tags, behind) = match block.tagged {
            true => tags_of(image, self.contract, taken, &self.known),
            false => (Tags::None, None),
        };
        if tags == Tags::Any && !is_by_hand(image) {
            let what = "its tags are not the host's, passed on as they came".to_owned();
            self.breaches.push(of_block(image, Rule::Tags, number, block, what));
        }
        let mut names = Names::of(block);
        let fed = fed(image, self.edges, number, taken, behind, &mut names);
        let code = &self.code[block.program];
        let context = Context {
            number,
            block,
            chip: &image.chip,
            code,
            tags,
            window: i64::from(image.network.window_steps),
            fed,
            names,
            thresholds: Context::thresholds(code),
        };
        let behaviour = self.reuse.find(&context).unwrap_or_else(|| {
            let made = Rc::new(behaviour(&context));
            self.reuse.keep(&context, &made);
            made
        });
        let mut payloads = BTreeMap::new();
        let mut sends_at: BTreeMap<u32, Option<i64>> = BTreeMap::new();
        for (class, steps) in &behaviour.classes {
            for (&route, &payload) in &steps.payloads {
                payloads
                    .entry(route)
                    .and_modify(|all: &mut crate::interpret::Payload| *all = all.join(payload))
                    .or_insert(payload);
                let at = class.positions().single();
                sends_at.entry(route).and_modify(|all| *all = all.filter(|_| *all == at)).or_insert(at);
            }
        }
        let flows = flows(&context, &behaviour);
        let mut problems: BTreeMap<Problem, Option<String>> = BTreeMap::new();
        for (class, steps) in &behaviour.classes {
            for problem in &steps.problems {
                problems.entry(problem.clone()).or_insert_with(|| Some(steps_of(class, &context.tags)));
            }
        }
        problems.extend(foreign(&context, &behaviour, &flows).into_iter().map(|problem| (problem, None)));
        match &behaviour.stopped {
            Some(Stop::TooLong(address)) => {
                problems.insert(Problem { address: *address, reason: Reason::Endless }, None);
            }
            Some(Stop::Split(_)) => {
                problems.insert(Problem { address: block.entry, reason: Reason::Endless }, None);
            }
            None => {}
        }
        let mut seen = BTreeSet::new();
        for (Problem { address, reason }, steps) in problems {
            // One breach an instruction and rule is enough.
            if !seen.insert((address, reason.rule())) {
                continue;
            }
            let instruction = code.get(address as usize).copied().flatten();
            let breach = of_block(image, reason.rule(), number, block, reason.to_string());
            self.breaches.push(Breach {
                address: Some(address),
                instruction: instruction.map(|instruction| instruction.to_string()),
                steps,
                ..breach
            });
        }
        let layer = &image.network.populations[block.population].name;
        for (array, from, origins) in flows.weights() {
            let key = (layer.clone(), array.to_owned());
            let learned = self.learned.entry(key).or_insert_with(|| Learned {
                layer: layer.clone(),
                array: array.to_owned(),
                arrays: Vec::new(),
                also: Vec::new(),
                packets: Vec::new(),
            });
            learned.add(from, &origins);
        }
        let known = Known {
            tags: context.tags.clone(),
            payloads,
            behind,
            sends_at: sends_at.into_iter().filter_map(|(route, at)| Some((route, at?))).collect(),
        };
        self.known.insert(number, known);
        self.behaviours.insert(number, behaviour);
    }

    fn verdict(self, ways: &Ways) -> Verdict {
        let image = self.image;
        let timed: Vec<Timed> = self
            .behaviours
            .iter()
            .map(|(&number, behaviour)| Timed {
                block: &image.blocks[number],
                behaviour,
                behind: self.known.get(&number).and_then(|known| known.behind),
            })
            .collect();
        let mut breaches = self.breaches;
        breaches.sort();
        breaches.dedup();
        let bounds = breaches.is_empty().then(|| bounds(image, ways, &timed));
        let cores: BTreeSet<_> = image.blocks.iter().map(|block| block.core).collect();
        let looked_at = LookedAt {
            blocks: image.blocks.len(),
            cores: cores.len(),
            instructions: image.programs.iter().map(|program| program.words.len()).sum(),
            routes: image.host_inputs.len() + image.blocks.iter().map(|block| block.routes.len()).sum::<usize>(),
            channels: ways.channels(),
            classes: timed.iter().map(|timed| timed.behaviour.classes.len()).sum(),
        };
        Verdict {
            version: VERSION,
            breaches,
            looked_at,
            assumes: self.contract.sentences(image),
            handlers: handlers(image, &timed),
            learned: self.learned.into_values().collect(),
            bounds,
        }
    }
}

/// `target window, learning, position 7`.
fn steps_of(class: &Class, tags: &Tags) -> String {
    if *tags == Tags::None {
        return "any step".into();
    }
    let window = ["input window", "target window"]
        .get(class.kind as usize)
        .map_or_else(|| format!("window of kind {}", class.kind), |name| (*name).to_owned());
    let learning = if class.learn == 1 { ", learning" } else { "" };
    let positions = match (class.first, class.last) {
        (first, last) if first == last => format!("position {first}"),
        (first, last) if last == MOST => format!("positions from {first} on"),
        (first, last) => format!("positions {first} to {last}"),
    };
    format!("{window}{learning}, {positions}")
}

/// The longest steps of each layer.
fn handlers(image: &Image, blocks: &[Timed]) -> Vec<Handler> {
    let mut all: BTreeMap<(u32, u32, u32, i64, i64), Handler> = BTreeMap::new();
    for timed in blocks {
        let population = timed.block.population;
        for (class, steps) in &timed.behaviour.classes {
            let key = (population.0, class.kind, class.learn, class.first, class.last);
            let packets = steps.packets.iter().sum();
            let handler = all.entry(key).or_insert_with(|| Handler {
                layer: image.network.populations[population].name.clone(),
                kind: class.kind,
                learn: class.learn == 1,
                first: class.first,
                last: class.last,
                cycles: 0,
                packets: 0,
            });
            handler.cycles = handler.cycles.max(steps.cycles);
            handler.packets = handler.packets.max(packets);
        }
    }
    all.into_values().collect()
}

impl Learned {
    fn add(&mut self, from: &BTreeSet<Source>, origins: &BTreeSet<Source>) {
        for source in from {
            let list = if matches!(source, Source::Array { .. }) { &mut self.arrays } else { &mut self.also };
            insert(list, name_of(source));
        }
        for origin in origins {
            if matches!(origin, Source::Packets(_) | Source::Undeclared(_)) {
                insert(&mut self.packets, name_of(origin));
            }
        }
    }
}

fn insert(list: &mut Vec<String>, name: String) {
    if let Err(at) = list.binary_search(&name) {
        list.insert(at, name);
    }
}

fn name_of(source: &Source) -> String {
    match source {
        Source::Array { space: Space::Neuron | Space::Axon | Space::Synapse | Space::Event, name } => name.clone(),
        Source::Packets(name) => name.clone(),
        Source::Undeclared(name) => format!("{name} (no edge)"),
        Source::Tag => "tag".into(),
        Source::Activity => "active axons".into(),
        Source::Chance => "random bits".into(),
    }
}
