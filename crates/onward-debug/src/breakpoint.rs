//! Where a run stops: places and events, each with a condition if one was given.

use crate::evaluation::Context;
use crate::execution::Advance;
use crate::expression::Expression;
use crate::memory::Cells;
use onward_emulate::Engine;
use onward_emulate::reference::Current;
use onward_image::{Block, BlockIndex, Image, PopulationIndex, ProgramIndex};
use onward_isa::Access;

/// Changes of watched elements that are told of one instruction.
const CHANGES: usize = 16;

/// A place or an event that a run stops at.
pub(crate) struct Breakpoint {
    pub number: u32,
    pub kind: Kind,
    /// It stops only where this is not 0.
    pub condition: Option<Condition>,
    /// It is taken away once it has stopped a run.
    pub is_temporary: bool,
    pub is_enabled: bool,
    /// How often it has stopped a run.
    pub hits: u64,
}

/// An expression, and as it was written.
pub(crate) type Condition = (Expression, String);

/// What a run stops at.
pub(crate) enum Kind {
    /// Before an instruction: of one of these programs at its address.
    Addresses(Vec<(ProgramIndex, usize)>),
    /// The beginning of a step.
    Step(u64),
    /// A block begins its step on this core.
    Core(u32),
    /// This block begins its step.
    Block(BlockIndex),
    /// A block of this population begins its step.
    Population(PopulationIndex),
    /// A neuron of this population, this one or any, has fired.
    Fires(Option<PopulationIndex>, Option<u32>),
    /// A result was cut off at the ends of its range, in a block of this population or any.
    Saturates(Option<PopulationIndex>),
    /// Elements of memories have changed.
    Change(Watched),
}

/// Elements of memories, and what they held when they were looked at last.
pub(crate) struct Watched {
    /// As it was written.
    pub text: String,
    pub cells: Cells,
    pub values: Vec<i32>,
}

/// What there was of a block before it executed an instruction.
#[derive(Clone, Copy)]
pub(crate) struct Before {
    block: BlockIndex,
    sends: usize,
    saturations: u64,
    is_store: bool,
}

impl Before {
    /// Of the block that is about to execute an instruction.
    pub fn of(context: &Context) -> Option<Before> {
        let current = context.execution.current()?;
        let description = current.instruction()?.op.description();
        let block = current.block();
        Some(Before {
            block,
            sends: current.sends().len(),
            saturations: context.execution.machine().saturations(block),
            is_store: matches!(description.access, Access::Write | Access::Update) || description.updates.is_some(),
        })
    }
}

/// Whether the packets of a route stand for spikes of a block's neurons.
pub(crate) fn carries_spikes(image: &Image, block: &Block, route: usize) -> bool {
    // The compiler names what routes are for; whoever writes a system by hand names nothing.
    let is_layer = image.population(block).is_layer();
    let name = block.routes.get(route).map_or("", |route| route.name.as_str());
    is_layer && !["tags", "scores", "answer"].contains(&name)
}

impl Watched {
    /// Looks again; what has changed, in a line each.
    ///
    /// # Errors
    /// The elements lie beyond their memory.
    pub fn look(&mut self, engine: &dyn Engine) -> Result<Vec<String>, String> {
        let values = self.cells.values(engine)?;
        let changed = values.iter().zip(&self.values).zip(&self.cells.cells).enumerate();
        let lines = changed.filter(|(_, ((new, old), _))| new != old).map(|(at, ((new, old), cell))| {
            format!("  {} of block {}: {old} -> {new}", self.cells.name_of(at), cell.block)
        });
        let lines = lines.collect();
        self.values = values;
        Ok(lines)
    }
}

impl Breakpoint {
    /// Whether a run that went on so stops here, and what is to be said of that. A condition that cannot be told stops it too.
    pub fn stops(&mut self, context: &Context, before: Option<Before>, advance: &Advance) -> Option<Vec<String>> {
        if !self.is_enabled {
            return None;
        }
        let mut lines = self.kind.happens(context, before, advance)?;
        if let Some((condition, text)) = &self.condition {
            match context.number(condition) {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) => lines.push(format!("  its condition `{text}` cannot be told: {error}")),
            }
        }
        self.hits += 1;
        Some(lines)
    }
}

impl Kind {
    /// What there is to be said if it happens here; `None` if it does not.
    fn happens(&mut self, context: &Context, before: Option<Before>, advance: &Advance) -> Option<Vec<String>> {
        let execution = context.execution;
        let image = execution.image;
        let current = execution.current();
        let happens = |happens: bool| happens.then(Vec::new);
        match self {
            Kind::Addresses(places) => {
                let is_at = |at: Current| places.contains(&(image.blocks[at.block()].program, at.address()));
                happens(current.is_some_and(is_at))
            }
            Kind::Step(step) => happens(advance.is_new_step && execution.step() == *step && execution.end().is_none()),
            Kind::Core(core) => happens(advance.is_dispatched && current.is_some_and(|at| at.core() == *core)),
            Kind::Block(block) => happens(advance.is_dispatched && current.is_some_and(|at| at.block() == *block)),
            Kind::Population(population) => happens(
                advance.is_dispatched && current.is_some_and(|at| image.blocks[at.block()].population == *population),
            ),
            Kind::Fires(population, neuron) => {
                let (before, current) = (before?, current?);
                let block = &image.blocks[before.block];
                if current.block() != before.block || population.is_some_and(|wanted| wanted != block.population) {
                    return None;
                }
                let spikes = current.sends().skip(before.sends).filter(|sent| carries_spikes(image, block, sent.route));
                let neurons = spikes.flat_map(|sent| sent.packets).map(|&(index, _)| block.neuron(index));
                let fired: Vec<u32> = neurons.filter(|fired| neuron.is_none_or(|wanted| wanted == *fired)).collect();
                (!fired.is_empty()).then(|| vec![fired_text(&image.population(block).name, &fired)])
            }
            Kind::Saturates(population) => {
                let before = before?;
                let block = &image.blocks[before.block];
                let more = execution.machine().saturations(before.block) - before.saturations;
                let is_wanted = population.is_none_or(|wanted| wanted == block.population);
                let said = || vec![format!("  {more} of block {} ({})", before.block, image.population(block).name)];
                (is_wanted && more > 0).then(said)
            }
            Kind::Change(watched) => {
                let before = before.filter(|before| before.is_store)?;
                if !watched.cells.cells.iter().any(|cell| cell.block == before.block) {
                    return None;
                }
                let mut lines = watched.look(execution.machine()).unwrap_or_default();
                let more = lines.len().saturating_sub(CHANGES);
                lines.truncate(CHANGES);
                lines.extend((more > 0).then(|| format!("  and {more} more")));
                (!lines.is_empty()).then_some(lines)
            }
        }
    }

    /// What it is, where it has stopped the run: of several addresses, the one.
    pub fn describe_here(&self, context: &Context) -> String {
        match (self, context.execution.current()) {
            (Kind::Addresses(_), Some(at)) => {
                let listing = context.listings.get(context.execution.image.blocks[at.block()].program);
                format!("{}:{}", listing.name, listing.place(at.address()))
            }
            _ => self.describe(context),
        }
    }

    /// What it is, for the list of breakpoints.
    pub fn describe(&self, context: &Context) -> String {
        let image = context.execution.image;
        let population = |number: &Option<PopulationIndex>| {
            number.map_or("any layer".to_owned(), |number| image.network.populations[number].name.clone())
        };
        match self {
            Kind::Addresses(places) => {
                let place = |&(program, address): &(ProgramIndex, usize)| {
                    let listing = context.listings.get(program);
                    format!("{}:{}, address {address}", listing.name, listing.place(address))
                };
                places.iter().map(place).collect::<Vec<_>>().join("; ")
            }
            Kind::Step(step) => format!("step {step}"),
            Kind::Core(core) => format!("core {core}"),
            Kind::Block(block) => format!("block {block}"),
            Kind::Population(number) => format!("blocks of {}", image.network.populations[*number].name),
            Kind::Fires(number, Some(neuron)) => format!("{}[{neuron}] fires", population(number)),
            Kind::Fires(number, None) => format!("a neuron of {} fires", population(number)),
            Kind::Saturates(number) => format!("a saturation in {}", population(number)),
            Kind::Change(watched) => format!("{} changes", watched.text),
        }
    }
}

/// What has fired, the first of many.
fn fired_text(layer: &str, neurons: &[u32]) -> String {
    const SHOWN: usize = 16;
    let numbers: Vec<String> = neurons.iter().take(SHOWN).map(u32::to_string).collect();
    let more = if neurons.len() > SHOWN { format!(" and {} more", neurons.len() - SHOWN) } else { String::new() };
    format!("  {layer} fired: {}{more}", numbers.join(" "))
}
