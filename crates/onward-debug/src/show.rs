//! Where a run is and what is there, as text.

use crate::evaluation::{Context, Shape, Value};
use crate::execution::{End, Execution};
use onward_emulate::reference::{PassesLeft, TraceLine};
use onward_image::{Block, BlockIndex, Image, PopulationKind};
use std::fmt::Write;

/// How numbers are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// As they are.
    #[default]
    Decimal,
    /// The low 32 bits.
    Hexadecimal,
    /// As real numbers, where the image knows the binary point.
    Real,
}

impl Format {
    /// The format behind a command's slash, and the rest.
    ///
    /// # Errors
    /// There is no such format.
    pub fn split(text: &str) -> Result<(Format, &str), String> {
        let Some(rest) = text.strip_prefix('/') else { return Ok((Format::Decimal, text)) };
        let (letter, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let format = match letter {
            "d" => Format::Decimal,
            "x" => Format::Hexadecimal,
            "f" => Format::Real,
            _ => return Err(format!("there is no format `/{letter}`; there are /d, /x (hexadecimal) and /f (real)")),
        };
        Ok((format, rest.trim()))
    }
}

/// What a block is called: its number, and its population with the neurons it holds of it.
pub(crate) fn block_name(image: &Image, number: BlockIndex) -> String {
    let block: &Block = &image.blocks[number];
    let name = &image.population(block).name;
    let parts = image.blocks_of(block.population).count();
    match parts {
        1 => format!("block {number} ({name})"),
        _ if block.order == onward_image::Order::Straight => {
            format!("block {number} ({name}[{}..{}])", block.first_neuron, block.first_neuron + block.neurons)
        }
        _ => format!("block {number} ({name}, {} neurons)", block.neurons),
    }
}

/// The step, and the block that runs in it.
pub(crate) fn headline(execution: &Execution) -> String {
    if let Some(End::Over) = execution.end() {
        return String::new();
    }
    match execution.current() {
        Some(current) => {
            let block = block_name(execution.image, current.block());
            format!("step {}, core {}, {block}\n", current.step(), current.core())
        }
        None => format!("step {}: no block runs in it\n", execution.step()),
    }
}

/// The instruction that is executed next, and the line of the text that it stands in.
pub(crate) fn instruction(context: &Context) -> String {
    let Some(current) = context.execution.current() else { return String::new() };
    let listing = context.listings.get(context.execution.image.blocks[current.block()].program);
    let address = current.address();
    let code = format!("=> {address:04}  {}", listing.instruction(address));
    match listing.line(address).and_then(|line| Some((line, listing.text(line)?))) {
        Some((line, text)) => {
            let text = text.split(';').next().unwrap_or(text).trim();
            format!("{code:<44} ; {}:{line}  {text}\n", listing.name)
        }
        None => code + "\n",
    }
}

/// An instruction that was executed, and what it did.
pub(crate) fn executed(line: &TraceLine) -> String {
    let TraceLine { address, instruction, values, .. } = line;
    let mut text = format!("   {address:04}  {instruction}");
    if !values.is_empty() {
        let _ = write!(text, " | {values}"); // writing to a string cannot fail
    }
    text
}

/// Numbers, in lines of 16; those that something else than 1 belongs to are followed by a colon and that.
pub(crate) fn numbers(numbers: impl Iterator<Item = (u32, i32)>) -> String {
    let one = |(number, payload): (u32, i32)| match payload {
        1 => number.to_string(),
        _ => format!("{number}:{payload}"),
    };
    let texts: Vec<String> = numbers.map(one).collect();
    texts.chunks(16).map(|line| format!("    {}\n", line.join(" "))).collect()
}

/// `1 packet`, `3 packets`.
pub(crate) fn plural(number: usize, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}

/// What is to be said at the end.
pub(crate) fn end(execution: &Execution, end: &End) -> String {
    match end {
        End::Over => {
            let (steps, executed) = (execution.step(), execution.executed());
            let steps = plural(steps as usize, "step");
            format!("The run has ended after {steps} and {}", plural(executed as usize, "instruction"))
        }
        End::Fault(fault) => format!("{fault}"),
    }
}

/// Where the run is, from the outside to the inside: step, core, block, handler, line, loops; and where the network says it.
pub(crate) fn place(context: &Context) -> String {
    let (execution, image) = (context.execution, context.execution.image);
    let executed = execution.executed();
    let Some(current) = execution.current() else {
        return match execution.end() {
            Some(at) => end(execution, at) + "\n",
            None => format!("{}{}\n", headline(execution), plural(executed as usize, "instruction") + " executed"),
        };
    };
    let block = &image.blocks[current.block()];
    let listing = context.listings.get(block.program);
    let address = current.address();
    let window = u64::from(image.network.window_steps.max(1));
    let mut text = format!("#0  {}:{}", listing.name, listing.place(address));
    if let Some(line) = listing.line(address) {
        text += &format!(", line {line}");
    }
    text += &format!(", address {address}: {}\n", listing.instruction(address));
    let mut depth = 1;
    for under in current.loops().iter().rev() {
        let left = passes(under.left);
        let head = under.start - 1;
        let line = listing.line(head).map_or(String::new(), |line| format!(", line {line}"));
        text += &format!("#{depth}  in the loop at address {head}{line}: {}, {left}\n", listing.instruction(head));
        depth += 1;
    }
    let name = block_name(image, current.block());
    text += &format!("#{depth}  {name} on core {}, cycle {} of its step\n", current.core(), current.cycle());
    let step = current.step();
    let of_window = match window {
        1 => String::new(),
        _ => format!(", step {} of window {}", step % window, step / window),
    };
    text += &format!("#{}  step {step}{of_window}; {executed} instructions executed\n", depth + 1);
    text + &network_line(image, block)
}

/// What a loop still has to do.
pub(crate) fn passes(left: PassesLeft) -> String {
    match left {
        PassesLeft::Count(1) => "1 more pass".to_owned(),
        PassesLeft::Count(left) => format!("{left} more passes"),
        PassesLeft::Events(left) => plural(left, "more event"),
        PassesLeft::Bits(left) => plural(left, "more bit"),
    }
}

/// The line of the network's text that a block's population is declared in.
pub(crate) fn network_line(image: &Image, block: &Block) -> String {
    let (name, text) = &image.network.source;
    let population = image.population(block);
    let line = population.source_line as usize;
    let found = line.checked_sub(1).and_then(|at| text.lines().nth(at)).map(str::trim).filter(|line| !line.is_empty());
    found.map_or(String::new(), |found| format!("{name}:{line}  {found}\n"))
}

/// A value with its name. Many numbers stand in lines that begin with the number of their first.
pub(crate) fn value(context: &Context, name: &str, value: &Value, format: Format) -> String {
    let real = match format {
        Format::Real => value.array.as_ref().and_then(|(array, block)| fraction_bits(context, array, *block)),
        _ => None,
    };
    let one = |number: i64| match (format, real) {
        (Format::Hexadecimal, _) => format!("{:#x}", number as u32),
        (Format::Real, Some(bits)) => format!("{:.4}", number as f64 * f64::from(-bits).exp2()),
        _ => number.to_string(),
    };
    let texts: Vec<String> = value.elements.iter().map(|&number| one(number)).collect();
    let width = texts.iter().map(String::len).max().unwrap_or(0);
    let row = |label: String, row: &[String]| {
        let cells: String = row.iter().map(|cell| format!(" {cell:>width$}")).collect();
        format!("  {label}{cells}\n")
    };
    match value.shape {
        Shape::One => format!("{name} = {}\n", texts.first().map_or("", String::as_str)),
        Shape::Bits(of) => {
            let set = match texts[..] {
                [] => "none".to_owned(),
                _ => texts.join(" "),
            };
            format!("{name} = {} of {of} bits: {set}\n", texts.len())
        }
        Shape::List(_) if texts.is_empty() => format!("{name} has no elements here (VL is 0)\n"),
        Shape::List(first) => {
            let per_row = if width > 6 { 8 } else { 16 };
            let digits = (first + texts.len() - 1).to_string().len();
            let lines = texts.chunks(per_row).enumerate();
            let lines = lines.map(|(at, cells)| row(format!("{:>digits$}:", first + at * per_row), cells));
            format!("{name}\n{}", lines.collect::<String>())
        }
        Shape::Rows { first_row, first_column, columns } => {
            let rows = texts.len() / columns.max(1);
            let digits = (first_row + rows.max(1) - 1).to_string().len();
            let from = if first_column > 0 { format!(" (columns from {first_column})") } else { String::new() };
            let lines = texts.chunks(columns.max(1)).enumerate();
            let lines = lines.map(|(at, cells)| row(format!("[{:>digits$}]", first_row + at), cells));
            format!("{name}{from}\n{}", lines.collect::<String>())
        }
    }
}

/// Bits below the binary point of an array of a layer that has such.
fn fraction_bits(context: &Context, array: &str, block: BlockIndex) -> Option<i32> {
    let image = context.execution.image;
    let PopulationKind::Layer { fraction_bits, .. } = &image.population(&image.blocks[block]).kind else { return None };
    match array {
        "weights" => Some(fraction_bits.weights),
        "target_weights" => Some(fraction_bits.target_weights),
        "membrane" | "bias" => Some(fraction_bits.membrane),
        _ => None,
    }
}
