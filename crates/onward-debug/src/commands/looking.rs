//! Values, and what there is.

use super::{Done, numbers};
use crate::breakpoint::carries_spikes;
use crate::debugger::Debugger;
use crate::expression::{self, Expression, Index};
use crate::show::{self, Format, block_name, plural};
use onward_diagnostic::did_you_mean;
use onward_emulate::reference::{Current, LoopUnderWay};
use onward_image::{BlockIndex, Delivery, HostInputKind, Image, Route};
use onward_isa::SPECIALS;
use std::collections::BTreeMap;

/// What `print` takes.
pub const EXPRESSIONS: &str = "\
An expression is made of
  r3, v0, v0[5], v0[0..8], p1    registers; of vectors the elements below VL
  axon                           a register by the name that the text gives it
  vl, rowlength, pc, cycle, core   more of the block that runs, and its special registers (`isa special`)
  step, window, executed         where the run is
  membrane, membrane[3], weights[7], weights[7][0..4]   an array of the block here: elements, rows
  hidden1.membrane[0..16]        of a layer, by neuron; @2.weights of block 2
  n32[12], @2.s8[0..64]          elements of a memory
  3, 0x1f, + - * / %, == != < <= > >=, && || !, ( )
FORMAT is /x (hexadecimal), /f (real, to four digits, where the image knows an array's binary point) or /d.
";

/// What `info` takes.
pub const INFO: &str = "\
WHAT is one of
  registers     scalar registers that are not 0, VL, row length, special registers
  vectors       vector registers, the elements below VL
  predicates    predicates, the bits that are set
  loops         loops under way
  events        active axons of the block here, and their payloads
  packets       packets that were sent in this step and arrive in the next
  output        packets that have reached the host
  blocks        blocks: core, program, what arrives, whether it runs on
  arrays        arrays of the block here; `info arrays hidden1` of a layer, `info arrays 2` of a block
  labels        labels of the programs
  breakpoints   breakpoints and watched arrays, and how often each stopped the run
  display       what is displayed at each stop
";

/// What `info` shows of one thing.
type Show = fn(&Debugger, &str) -> Done;

/// Rows of a list that are shown.
const ROWS: usize = 40;

pub fn print(debugger: &mut Debugger, rest: &str) -> Done {
    let (format, text) = Format::split(rest)?;
    if text.is_empty() {
        return Err("say what, as in `print membrane[3]`; `help print` says what there is".to_owned());
    }
    let context = debugger.context();
    let value = context.value(&expression::parse(text)?)?;
    Ok(show::value(&context, text, &value, format))
}

pub fn examine(debugger: &mut Debugger, rest: &str) -> Done {
    const HOW: &str = "say which elements, as in `x/16 n32[0]` or `x @2.s8[64]`";
    let (count, text) = match rest.strip_prefix('/') {
        Some(rest) => rest.split_once(char::is_whitespace).ok_or(HOW)?,
        None => ("16", rest),
    };
    let count: i64 =
        count.parse().ok().filter(|&count| count > 0).ok_or(format!("`{count}` is no number of elements"))?;
    let (mut reference, behind) = expression::parse_reference(text)?;
    let is_memory = expression::memory_name(&reference.name).is_some();
    let first = match &reference.indices[..] {
        [Index::One(first)] if is_memory && behind.is_empty() => first.clone(),
        _ => return Err(HOW.to_owned()),
    };
    let context = debugger.context();
    let first = context.number(&first)?;
    let numbers = Index::Range(Expression::Number(first), Expression::Number(first.saturating_add(count)));
    reference.indices = vec![numbers];
    let name = text.split('[').next().unwrap_or(text).to_owned();
    let value = context.value(&Expression::Reference(reference))?;
    Ok(show::value(&context, &name, &value, Format::Decimal))
}

pub fn display(debugger: &mut Debugger, rest: &str) -> Done {
    let (format, text) = Format::split(rest)?;
    if text.is_empty() {
        return Ok(debugger.displayed());
    }
    let expression = expression::parse(text)?;
    let number = debugger.next_display;
    debugger.next_display += 1;
    debugger.displays.push((number, format, expression, text.to_owned()));
    Ok(debugger.displayed())
}

pub fn undisplay(debugger: &mut Debugger, rest: &str) -> Done {
    let wanted = numbers(rest)?;
    let is_known = |number: &&u32| debugger.displays.iter().any(|(known, ..)| known == *number);
    if let Some(number) = wanted.iter().find(|number| !is_known(number)) {
        return Err(format!("nothing is displayed with number {number}; `info display` lists what is"));
    }
    debugger.displays.retain(|(number, ..)| !wanted.is_empty() && !wanted.contains(number));
    Ok(String::new())
}

pub fn info(debugger: &mut Debugger, rest: &str) -> Done {
    const WHAT: [(&str, Show); 12] = [
        ("registers", registers),
        ("vectors", vectors),
        ("predicates", predicates),
        ("loops", loops),
        ("events", events),
        ("packets", packets),
        ("output", output),
        ("blocks", blocks),
        ("arrays", arrays),
        ("labels", labels),
        ("breakpoints", breakpoints),
        ("display", displays),
    ];
    let (word, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let found = WHAT.iter().find(|(name, _)| !word.is_empty() && name.starts_with(word));
    match found {
        Some((_, show)) => show(debugger, rest.trim()),
        None if word.is_empty() => Err(format!("say what: {}", WHAT.map(|(name, _)| name).join(", "))),
        None => {
            Err(format!("there is no `info {word}`; {}", did_you_mean(word, WHAT.map(|(name, _)| name), "there are ")))
        }
    }
}

fn current<'a>(debugger: &'a Debugger) -> Result<Current<'a>, String> {
    debugger.execution.current().ok_or("no block runs here; `step` goes on to the next instruction".to_owned())
}

fn registers(debugger: &Debugger, _: &str) -> Done {
    let current = current(debugger)?;
    let program = debugger.execution.image.blocks[current.block()].program;
    let names = debugger.listings.get(program).register_names(current.address());
    let named = |register: &str| {
        let found = names.iter().find(|(_, known)| *known == register);
        found.map_or(String::new(), |(name, _)| format!("  {name}"))
    };
    let mut text = String::new();
    for (number, &value) in current.scalars().iter().enumerate() {
        let register = format!("r{number}");
        let name = named(&register);
        if value != 0 || !name.is_empty() {
            text += &format!("  {register:<4} {value:>11}{name}\n");
        }
    }
    text += &format!("  the other scalar registers are 0\n  VL {}, row length {}\n ", current.length(), current.row());
    for (number, (name, _)) in (0..).zip(SPECIALS) {
        if let Some(special) = onward_isa::Special::from_number(number) {
            text += &format!(" {name} {}", current.special(special));
        }
    }
    Ok(text + "\n")
}

/// Registers whose names begin with a letter, each as `print` shows it.
fn printed(debugger: &Debugger, letter: char, count: usize) -> Done {
    current(debugger)?;
    let context = debugger.context();
    let print = |number: usize| {
        let name = format!("{letter}{number}");
        let value = context.value(&expression::parse(&name)?)?;
        Ok(show::value(&context, &name, &value, Format::Decimal))
    };
    (0..count).map(print).collect()
}

fn vectors(debugger: &Debugger, _: &str) -> Done {
    let length = current(debugger)?.length();
    if length == 0 { Ok("VL is 0: no vector has elements here\n".to_owned()) } else { printed(debugger, 'v', 8) }
}

fn predicates(debugger: &Debugger, _: &str) -> Done {
    printed(debugger, 'p', 4)
}

fn loops(debugger: &Debugger, _: &str) -> Done {
    let loops = current(debugger)?.loops();
    if loops.is_empty() {
        return Ok("no loop is under way\n".to_owned());
    }
    let line = |under: &LoopUnderWay| {
        format!("  addresses {} to {}: {} behind this\n", under.start, under.end - 1, show::passes(under.left))
    };
    Ok(loops.iter().map(line).collect())
}

/// The first rows, and how many more there are.
fn first_rows(rows: Vec<String>, none: &str) -> String {
    let more = rows.len().saturating_sub(ROWS);
    let mut text: String = rows.into_iter().take(ROWS).map(|row| row + "\n").collect();
    if text.is_empty() {
        text = format!("{none}\n");
    }
    if more > 0 {
        text += &format!("  and {more} more\n");
    }
    text
}

fn events(debugger: &Debugger, _: &str) -> Done {
    let events = current(debugger)?.events();
    match events {
        [] => Ok("no axon is active\n".to_owned()),
        _ => {
            let (count, numbers) = (plural(events.len(), "active axon"), show::numbers(events.iter().copied()));
            Ok(format!("  {count}; a payload other than 1 stands behind a colon\n{numbers}"))
        }
    }
}

/// Who takes the packets of a route, each block with the axon that index 0 arrives on.
fn takers(image: &Image, route: &Route) -> String {
    let deliveries = route.flits.iter().flat_map(|flit| &flit.deliveries);
    let mut takers: Vec<(Option<BlockIndex>, String)> = deliveries
        .map(|delivery| match delivery {
            Delivery::Host => (None, "the host".to_owned()),
            Delivery::Block { block, first_axon } => {
                (Some(*block), format!("{} from axon {first_axon} on", block_name(image, *block)))
            }
        })
        .collect();
    takers.sort();
    let takers: Vec<String> = takers.into_iter().map(|(_, taker)| taker).collect();
    if takers.is_empty() { "nobody".to_owned() } else { takers.join(", ") }
}

fn packets(debugger: &Debugger, _: &str) -> Done {
    let execution = &debugger.execution;
    let image = execution.image;
    // The parts of an input go different ways.
    let mut of_host: BTreeMap<usize, Vec<(u32, i32)>> = BTreeMap::new();
    for packet in execution.host_packets() {
        let mut parts = image.input_parts(packet.input);
        let part = parts.rfind(|&part| image.host_inputs[part].first <= packet.index).unwrap_or(packet.input);
        of_host.entry(part).or_default().push((packet.index, packet.payload));
    }
    let mut text = String::new();
    for (part, packets) in of_host {
        let input = &image.host_inputs[part];
        let what = match input.kind {
            HostInputKind::Tag => "tag",
            HostInputKind::Target | HostInputKind::TargetValues => "target",
            HostInputKind::Input | HostInputKind::Values => "input",
            HostInputKind::Packets => input.route.name.as_str(),
        };
        let (count, to) = (plural(packets.len(), "packet"), takers(image, &input.route));
        text += &format!("  the host, {what}: {count} to {to}\n{}", show::numbers(packets.into_iter()));
    }
    for sent in execution.machine().sent_in_step() {
        let block = &image.blocks[sent.block];
        let route = &block.routes[sent.route];
        let (what, is_neuron) = match carries_spikes(image, block, sent.route) {
            true => (", by neuron", true),
            false => (", by index", false),
        };
        let number = |index| if is_neuron { block.neuron(index) } else { index };
        let packets = sent.packets.iter().map(|&(index, payload)| (number(index), payload));
        let (from, name, to) = (block_name(image, sent.block), &route.name, takers(image, route));
        let count = plural(sent.packets.len(), "packet");
        text += &format!("  {from}, {name}{what}: {count} to {to}\n{}", show::numbers(packets));
    }
    match text.is_empty() {
        true => Ok("nothing was sent in this step so far\n".to_owned()),
        false => Ok(text),
    }
}

fn output(debugger: &Debugger, _: &str) -> Done {
    let image = debugger.execution.image;
    let outputs = debugger.execution.outputs();
    let row = |output: &onward_emulate::Output| {
        let from = output.sender.map_or("the host".to_owned(), |block| block_name(image, block));
        format!("  step {:>5}   index {:>5}   payload {:>11}   of {from}", output.step, output.index, output.payload)
    };
    let earlier = outputs.len().saturating_sub(ROWS);
    let head = if earlier > 0 { format!("  {earlier} before these\n") } else { String::new() };
    Ok(head + &first_rows(outputs[earlier..].iter().map(row).collect(), "nothing has reached the host so far"))
}

fn blocks(debugger: &Debugger, _: &str) -> Done {
    let execution = &debugger.execution;
    let (image, machine) = (execution.image, execution.machine());
    let running = execution.current().map(|current| current.block());
    let rows = image.blocks.iter_enumerated().map(|(number, block)| {
        let mark = if running == Some(number) { "=>" } else { "" };
        let (name, core) = (block_name(image, number), block.core.0);
        let program = &image.programs[block.program].name;
        let arrived = plural(machine.arrived(number).len(), "packet");
        let awake = if machine.is_awake(number) { ", ended its last step with `stay`" } else { "" };
        format!("{mark:<2} {name} on core {core}: program {program}, {arrived} in this step{awake}")
    });
    Ok(first_rows(rows.collect(), "the image has no blocks"))
}

fn arrays(debugger: &Debugger, rest: &str) -> Done {
    let image = debugger.execution.image;
    let here = debugger.execution.current().map(|current| current.block());
    let is_meant = |number: BlockIndex| match rest {
        "" => here.is_none_or(|here| here == number),
        _ => rest.trim_start_matches('@') == number.to_string() || image.population(&image.blocks[number]).name == rest,
    };
    let meant: Vec<_> = image.blocks.keys().filter(|&number| is_meant(number)).collect();
    if meant.is_empty() {
        let mut names: Vec<&str> = image.blocks.iter().map(|block| image.population(block).name.as_str()).collect();
        names.dedup();
        return Err(format!("no blocks belong to `{rest}`; {}", did_you_mean(rest, names, "there are ")));
    }
    let mut text = String::new();
    for number in meant {
        text += &format!("{}\n", block_name(image, number));
        for symbol in &image.blocks[number].symbols {
            let (Some(space), Some(width)) = (symbol.space(), symbol.width()) else { continue };
            let memory = format!("{}{}[{}]", space.letter(), width.bits(), symbol.offset);
            let size = match (symbol.rows, symbol.columns) {
                (1, columns) => columns.to_string(),
                (rows, columns) => format!("{rows} x {columns}"),
            };
            text += &format!("  {:<20} {memory:<12} {size}\n", symbol.name);
        }
    }
    Ok(text)
}

fn labels(debugger: &Debugger, _: &str) -> Done {
    let mut text = String::new();
    for (_, listing) in debugger.listings.all() {
        text += &format!("{}\n", listing.name);
        for address in 0..listing.len() {
            for label in listing.labels_at(address) {
                text += &format!("  {address:04}  {label}\n");
            }
        }
    }
    Ok(text)
}

fn breakpoints(debugger: &Debugger, _: &str) -> Done {
    let context = debugger.context();
    let row = |breakpoint: &crate::breakpoint::Breakpoint| {
        let once = if breakpoint.is_temporary { ", once" } else { "" };
        let condition = breakpoint.condition.as_ref().map_or(String::new(), |(_, text)| format!(" if {text}"));
        let off = if breakpoint.is_enabled { "" } else { " (disabled)" };
        let (number, what, hits) = (breakpoint.number, breakpoint.kind.describe(&context), breakpoint.hits);
        let times = if hits == 1 { "1 time".to_owned() } else { format!("{hits} times") };
        format!("  {number}: {what}{condition}{once}{off}, stopped the run {times}")
    };
    Ok(first_rows(debugger.breakpoints.iter().map(row).collect(), "there are no breakpoints"))
}

fn displays(debugger: &Debugger, _: &str) -> Done {
    let row = |(number, _, _, text): &(u32, Format, Expression, String)| format!("  {number}: {text}");
    Ok(first_rows(debugger.displays.iter().map(row).collect(), "nothing is displayed"))
}
