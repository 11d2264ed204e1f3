//! Breakpoints.

use super::{Done, numbers};
use crate::breakpoint::{Breakpoint, Condition, Kind, Watched};
use crate::debugger::Debugger;
use crate::expression::{self, Expression};
use onward_diagnostic::did_you_mean;
use onward_image::{BlockIndex, PopulationIndex, ProgramIndex};

/// What `break` takes.
pub const WHERE: &str = "\
Without WHERE, at the instruction here. WHERE is one of
  integrate, hidden1:integrate   a label, of any program or of one
  *45, hidden1:*45               an address of this program or of one
  87, hidden1:87                 a line of its assembly text
  step 12                        the beginning of a step
  core 4, block 2, hidden1       a block begins its step: on a core, by number, of a layer
  fires hidden1[54]              a neuron fires; also `fires hidden1` and `fires` alone
  saturates hidden1              a result is cut off at the ends of its range; also `saturates` alone
CONDITION is an expression, as of `print`, that is not 0: break integrate if block == 1 && step > 8
";

pub fn set(debugger: &mut Debugger, rest: &str) -> Done {
    let number = add(debugger, rest, false)?;
    Ok(described(debugger, number, "Breakpoint"))
}

pub fn set_once(debugger: &mut Debugger, rest: &str) -> Done {
    let number = add(debugger, rest, true)?;
    Ok(described(debugger, number, "Temporary breakpoint"))
}

fn described(debugger: &Debugger, number: u32, what: &str) -> String {
    let found = debugger.breakpoints.iter().find(|breakpoint| breakpoint.number == number);
    let text = found.map_or(String::new(), |breakpoint| breakpoint.kind.describe(&debugger.context()));
    format!("{what} {number}: {text}\n")
}

/// Adds a breakpoint; its number.
///
/// # Errors
/// There is no such place, or the condition is no expression.
pub fn add(debugger: &mut Debugger, text: &str, is_temporary: bool) -> Result<u32, String> {
    let (place, condition) = split_condition(text)?;
    let kind = kind(debugger, place)?;
    Ok(push(debugger, kind, condition, is_temporary))
}

fn push(debugger: &mut Debugger, kind: Kind, condition: Option<Condition>, is_temporary: bool) -> u32 {
    let number = debugger.next_number;
    debugger.next_number += 1;
    debugger.breakpoints.push(Breakpoint { number, kind, condition, is_temporary, is_enabled: true, hits: 0 });
    number
}

/// What stands before and behind `if`.
fn split_condition(text: &str) -> Result<(&str, Option<Condition>), String> {
    let (place, condition) = match text.strip_prefix("if ") {
        Some(condition) => ("", condition),
        None => match text.split_once(" if ") {
            Some(parts) => parts,
            None => return Ok((text.trim(), None)),
        },
    };
    let condition = condition.trim();
    Ok((place.trim(), Some((expression::parse(condition)?, condition.to_owned()))))
}

fn kind(debugger: &Debugger, place: &str) -> Result<Kind, String> {
    let image = debugger.execution.image;
    let (word, rest) = place.split_once(char::is_whitespace).unwrap_or((place, ""));
    let rest = rest.trim();
    let number = |what: &str| match rest.parse::<u32>() {
        Ok(number) => Ok(number),
        Err(_) if rest.is_empty() => Err(format!("say which {what}, as in `{what} 2`")),
        Err(_) => Err(format!("`{rest}` is no number of a {what}")),
    };
    match word {
        "step" => rest.parse().map(Kind::Step).map_err(|_| "say which step, as in `step 12`".to_owned()),
        "core" => {
            let core = number("core")?;
            let mut cores: Vec<u32> = image.blocks.iter().map(|block| block.core.0).collect();
            cores.sort_unstable();
            cores.dedup();
            if cores.contains(&core) {
                return Ok(Kind::Core(core));
            }
            let cores: Vec<String> = cores.iter().map(u32::to_string).collect();
            Err(format!("core {core} holds no block; those that do are {}", cores.join(", ")))
        }
        "block" => {
            let block = number("block")?;
            match (block as usize) < image.blocks.len() {
                true => Ok(Kind::Block(BlockIndex(block))),
                false => Err(format!("there is no block {block}; the last is {}", image.blocks.len() - 1)),
            }
        }
        "fires" | "fire" => {
            let (population, neuron) = neuron(debugger, rest)?;
            Ok(Kind::Fires(population, neuron))
        }
        "saturates" | "saturation" => match neuron(debugger, rest)? {
            (population, None) => Ok(Kind::Saturates(population)),
            (_, Some(_)) => Err("saturations are counted by block; name a layer alone".to_owned()),
        },
        _ if rest.is_empty() => match place {
            "" => Ok(Kind::Addresses(vec![here(debugger)?])),
            _ => match population(debugger, place) {
                Some(population) if !is_place(debugger, place) => Ok(Kind::Population(population)),
                _ => addresses(debugger, place).map(Kind::Addresses),
            },
        },
        _ => Err(format!("`{place}` is no place; `help break` lists them")),
    }
}

/// Whether a name is a label or a number rather than a layer.
fn is_place(debugger: &Debugger, place: &str) -> bool {
    debugger.listings.all().any(|(_, listing)| listing.label(place).is_some())
}

fn population(debugger: &Debugger, name: &str) -> Option<PopulationIndex> {
    let image = debugger.execution.image;
    let mut with_blocks = image.network.numbered().filter(|(number, _)| image.blocks_of(*number).next().is_some());
    with_blocks.find(|(_, population)| population.name == name).map(|(number, _)| number)
}

/// A layer, and a neuron of it: `hidden1[54]`.
fn neuron(debugger: &Debugger, text: &str) -> Result<(Option<PopulationIndex>, Option<u32>), String> {
    if text.is_empty() {
        return Ok((None, None));
    }
    let (name, neuron) = match text.strip_suffix(']').and_then(|text| text.split_once('[')) {
        Some((name, neuron)) => (name, Some(neuron)),
        None => (text, None),
    };
    let image = debugger.execution.image;
    let Some(number) = population(debugger, name.trim()) else {
        let mut names: Vec<&str> = image.blocks.iter().map(|block| image.population(block).name.as_str()).collect();
        names.dedup();
        return Err(format!("no blocks belong to `{name}`; {}", did_you_mean(name, names, "there are ")));
    };
    let Some(neuron) = neuron else { return Ok((Some(number), None)) };
    let neurons = image.network.populations[number].neurons;
    match neuron.trim().parse::<u32>() {
        Ok(neuron) if neuron < neurons => Ok((Some(number), Some(neuron))),
        _ => Err(format!("`{name}` has no neuron `{neuron}`; they are 0 to {}", neurons.saturating_sub(1))),
    }
}

/// The program and the address of the instruction here.
pub fn here(debugger: &Debugger) -> Result<(ProgramIndex, usize), String> {
    let current = debugger.execution.current().ok_or("no block runs here; name a program, as in hidden1:*0")?;
    Ok((debugger.execution.image.blocks[current.block()].program, current.address()))
}

/// The addresses that a label, a line or an address means.
///
/// # Errors
/// There is none.
pub fn addresses(debugger: &Debugger, place: &str) -> Result<Vec<(ProgramIndex, usize)>, String> {
    let listings = &debugger.listings;
    let (program, place) = match place.split_once(':') {
        Some((name, place)) => match listings.named(name) {
            Some((program, _)) => (Some(program), place),
            None => {
                let names = listings.all().map(|(_, listing)| listing.name.as_str());
                return Err(format!("there is no program `{name}`; {}", did_you_mean(name, names, "there are ")));
            }
        },
        None => (None, place),
    };
    let only = || match (program, listings.all().count()) {
        (Some(program), _) => Ok(program),
        (None, 1) => Ok(ProgramIndex::default()),
        (None, _) => here(debugger).map(|(program, _)| program),
    };
    if let Some(address) = place.strip_prefix('*') {
        let program = only()?;
        let instructions = listings.get(program).len();
        let address: usize = address.trim().parse().map_err(|_| format!("`{address}` is no address"))?;
        return match address < instructions {
            true => Ok(vec![(program, address)]),
            false => Err(format!("the addresses of {} are 0 to {}", listings.get(program).name, instructions - 1)),
        };
    }
    if let Ok(line) = place.parse::<usize>() {
        let program = only()?;
        let found = listings.get(program).address_of_line(line).map(|address| vec![(program, address)]);
        return found
            .ok_or(format!("no instruction of {} stands in line {line} or behind it", listings.get(program).name));
    }
    let searched = listings.all().filter(|(number, _)| program.is_none_or(|program| program == *number));
    let with_label = searched.clone().filter_map(|(number, listing)| Some((number, listing.label(place)?)));
    let found: Vec<(ProgramIndex, usize)> =
        with_label.filter(|&(number, address)| address < listings.get(number).len()).collect();
    if found.is_empty() {
        let mut labels: Vec<&str> = searched.flat_map(|(_, listing)| listing.labels()).collect();
        let image = debugger.execution.image;
        labels.extend(image.blocks.iter().map(|block| image.population(block).name.as_str()));
        let help = match onward_diagnostic::nearest(place, labels) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`info labels` lists them".to_owned(),
        };
        return Err(format!("there is no label or layer `{place}`; {help}"));
    }
    Ok(found)
}

pub fn watch(debugger: &mut Debugger, rest: &str) -> Done {
    let (place, condition) = split_condition(rest)?;
    if place.is_empty() {
        return Err("say what, as in `watch membrane[3]`; `info arrays` lists what there is".to_owned());
    }
    let (reference, behind) = expression::parse_reference(place)?;
    if !behind.is_empty() {
        return Err(format!("`{behind}` does not go on the name of an array"));
    }
    let context = debugger.context();
    let Some(cells) = context.cells(&reference)? else {
        // What it is otherwise, if anything.
        context.value(&Expression::Reference(reference))?;
        return Err(format!("`{place}` is no memory; registers begin as 0 in each step, and cannot be watched"));
    };
    let values = cells.values(debugger.execution.machine())?;
    let count = values.len();
    let watched = Watched { text: place.to_owned(), cells, values };
    let number = push(debugger, Kind::Change(watched), condition, false);
    let elements = if count == 1 { "1 element".to_owned() } else { format!("{count} elements") };
    Ok(format!("Breakpoint {number}: {place} changes ({elements})\n"))
}

/// Does something to the breakpoints of these numbers, or to all.
fn each(debugger: &mut Debugger, rest: &str, act: impl Fn(&mut Breakpoint)) -> Done {
    let wanted = numbers(rest)?;
    check(debugger, &wanted)?;
    let all = debugger.breakpoints.iter_mut();
    all.filter(|breakpoint| wanted.is_empty() || wanted.contains(&breakpoint.number)).for_each(act);
    Ok(String::new())
}

fn check(debugger: &Debugger, wanted: &[u32]) -> Result<(), String> {
    let is_known = |number: &&u32| debugger.breakpoints.iter().any(|breakpoint| breakpoint.number == **number);
    match wanted.iter().find(|number| !is_known(number)) {
        Some(number) => Err(format!("there is no breakpoint {number}; `info breakpoints` lists them")),
        None => Ok(()),
    }
}

pub fn delete(debugger: &mut Debugger, rest: &str) -> Done {
    let wanted = numbers(rest)?;
    check(debugger, &wanted)?;
    debugger.breakpoints.retain(|breakpoint| !wanted.is_empty() && !wanted.contains(&breakpoint.number));
    Ok(String::new())
}

pub fn disable(debugger: &mut Debugger, rest: &str) -> Done {
    each(debugger, rest, |breakpoint| breakpoint.is_enabled = false)
}

pub fn enable(debugger: &mut Debugger, rest: &str) -> Done {
    each(debugger, rest, |breakpoint| breakpoint.is_enabled = true)
}
