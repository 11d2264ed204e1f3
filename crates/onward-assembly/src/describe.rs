//! From directives to a description of the system: names are known, numbers not yet.

use crate::directive::Directive;
use crate::number::{Number, Numbers};
use crate::text::{Operand, Span, Statement, is_name};
use onward_diagnostic::{Diagnostic, nearest};
use onward_isa::{SPACES, Space, Width};

/// A name and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub text: String,
    pub span: Span,
}

/// `.block`
pub(crate) struct Block {
    pub name: Name,
    pub tile: (Number, Number),
    /// Which core of the tile; the first, if left out.
    pub core: Option<Number>,
    pub entry: Name,
    pub axons: Number,
    pub tagged: bool,
    /// The layer it is a part of; of its own, if left out.
    pub layer: Option<Name>,
    pub span: Span,
}

/// Elements of a memory: `n32[FIRST]`.
pub(crate) struct Elements {
    pub space: Space,
    pub width: Width,
    pub first: Number,
}

/// `.array`
pub(crate) struct Array {
    pub name: Name,
    pub elements: Elements,
    pub columns: Number,
    pub rows: Option<Number>,
    pub span: Span,
}

/// `.contents`
pub(crate) struct Contents {
    pub block: usize,
    pub elements: Elements,
    pub values: Vec<Number>,
    pub span: Span,
}

/// Who takes packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taker {
    Host,
    Block(usize),
}

/// `.route`
pub(crate) struct Route {
    pub block: usize,
    pub number: Number,
    /// What the number is called in the text.
    pub name: String,
    pub indices: Number,
    pub taker: Option<Taker>,
    pub first_axon: Option<Number>,
    pub span: Span,
}

/// `.edge`
pub(crate) struct Edge {
    pub from: Name,
    pub to: Name,
}

/// `.input`
pub(crate) struct Input {
    pub name: Name,
    pub indices: Number,
    pub taker: usize,
    pub first_axon: Option<Number>,
    pub span: Span,
}

/// `FIRST`, `FIRST..LAST` or `FIRST..LAST by EVERY`.
pub(crate) struct Range {
    pub first: Number,
    pub last: Option<Number>,
    pub every: Option<Number>,
}

/// `.packet`
pub(crate) struct Packet {
    pub step: Range,
    /// The name of the input.
    pub input: String,
    pub index: Range,
    pub payload: Option<Number>,
    pub span: Span,
}

/// What the directives of a text say.
#[derive(Default)]
pub(crate) struct Description {
    pub blocks: Vec<Block>,
    pub sizes: Vec<(Space, Number)>,
    pub arrays: Vec<Array>,
    pub contents: Vec<Contents>,
    pub routes: Vec<Route>,
    pub edges: Vec<Edge>,
    pub inputs: Vec<Input>,
    pub packets: Vec<Packet>,
    pub steps: Option<Number>,
}

/// Reads the directives; what is wrong with them is added to `diagnostics`.
pub(crate) fn describe(
    statements: &[Statement],
    numbers: &mut Numbers,
    diagnostics: &mut Vec<Diagnostic>,
) -> Description {
    let blocks = names_of(statements, Directive::Block);
    let inputs = names_of(statements, Directive::Input);
    let mut reader = Reader { numbers, diagnostics, blocks, inputs, out: Description::default() };
    for statement in statements {
        let (least, most) = statement.directive.operands;
        let count = statement.operands.len();
        let empty = statement.operands.iter().find(|operand| operand.text.is_empty());
        if let Some(empty) = empty.filter(|_| count > 1) {
            reader.diagnostics.push(Diagnostic::new(empty.span.clone(), "an operand is missing between commas"));
        } else if !(least..=most).contains(&count) {
            let message = format!("`{}` has {count} {}", statement.directive.name, plural(count, "operand"));
            let help = format!("it is written `{}`", statement.directive.form);
            reader.diagnostics.push(Diagnostic::new(statement.span.clone(), message).help(help));
        } else {
            reader.statement(statement); // what is wrong with it has been noted
        }
    }
    reader.out
}

pub(crate) fn plural(count: usize, word: &str) -> String {
    if count == 1 { word.to_owned() } else { format!("{word}s") }
}

/// The names that the first operands of a directive give, each once, in their order.
fn names_of(statements: &[Statement], what: Directive) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for statement in statements.iter().filter(|statement| statement.directive.what == what) {
        if let Some(first) = statement.operands.first()
            && !names.iter().any(|name| name == first.text)
        {
            names.push(first.text.to_owned());
        }
    }
    names
}

struct Reader<'a> {
    numbers: &'a mut Numbers,
    diagnostics: &'a mut Vec<Diagnostic>,
    /// Names of blocks, by logical number.
    blocks: Vec<String>,
    inputs: Vec<String>,
    out: Description,
}

impl Reader<'_> {
    fn problem<T>(&mut self, diagnostic: Diagnostic) -> Option<T> {
        self.diagnostics.push(diagnostic);
        None
    }

    fn statement(&mut self, statement: &Statement) -> Option<()> {
        let operands = &statement.operands[..];
        let span = statement.span.clone();
        let directive = statement.directive.name;
        // First all operands are read, then it is asked whether they could be: so all that is wrong is said.
        let number =
            |reader: &mut Self, at: usize| operands.get(at).map(|operand| reader.numbers.add(operand, directive));
        match statement.directive.what {
            Directive::Block => {
                let tile = (number(self, 1)?, number(self, 2)?);
                let axons = number(self, 4)?;
                let name = self.name(&operands[0], "a block");
                let entry = self.name(&operands[3], "a label");
                let (mut tagged, mut core, mut layer) = (false, None, None);
                for operand in operands.iter().skip(5) {
                    // `layer NAME`
                    let of = operand.text.strip_prefix("layer").filter(|name| name.starts_with(char::is_whitespace));
                    if let (Some(name), None) = (of, &layer) {
                        let text = name.trim_start();
                        let span = operand.span.end - text.len()..operand.span.end;
                        layer = Some(self.name(&Operand { text, span }, "a layer"));
                        continue;
                    }
                    match operand.text.strip_prefix("core") {
                        _ if operand.text == "tagged" && !tagged => tagged = true,
                        Some(number) if number.starts_with(char::is_whitespace) && core.is_none() => {
                            let text = number.trim_start();
                            let span = operand.span.end - text.len()..operand.span.end;
                            core = Some(self.numbers.add(&Operand { text, span }, directive));
                        }
                        _ => {
                            let message =
                                format!("expected `tagged`, `core K` or `layer NAME`, found `{}`", operand.text);
                            let help = "`tagged` lets axon 0 take tags, `core K` names the core where tiles have several, \
                                        `layer NAME` makes blocks parts of one layer; each at most once";
                            return self.problem(Diagnostic::new(operand.span.clone(), message).help(help));
                        }
                    }
                }
                let layer = if let Some(layer) = layer { Some(layer?) } else { None };
                let (name, entry) = (name?, entry?);
                if name.text == "host" {
                    return self
                        .problem(Diagnostic::new(name.span, "no block can be called `host`").label("it is the host"));
                }
                if self.out.blocks.iter().any(|block| block.name.text == name.text) {
                    let message = format!("there is another block `{}`", name.text);
                    return self.problem(Diagnostic::new(name.span, message).label("defined a second time here"));
                }
                self.out.blocks.push(Block { name, tile, core, entry, axons, tagged, layer, span });
            }
            Directive::Size => {
                let bytes = number(self, 1)?;
                let space = self.space(&operands[0])?;
                self.out.sizes.push((space, bytes));
            }
            Directive::Array => {
                let (columns, rows) = (number(self, 2)?, number(self, 3));
                let elements = self.elements(&operands[1], directive);
                let name = self.name(&operands[0], "an array")?;
                if self.out.arrays.iter().any(|array| array.name.text == name.text) {
                    return self.problem(Diagnostic::new(name.span, format!("there is another array `{}`", name.text)));
                }
                self.out.arrays.push(Array { name, elements: elements?, columns, rows, span });
            }
            Directive::Contents => {
                let values = operands[2..].iter().map(|operand| self.numbers.add(operand, directive)).collect();
                let elements = self.elements(&operands[1], directive);
                let block = self.block(&operands[0]);
                self.out.contents.push(Contents { block: block?, elements: elements?, values, span });
            }
            Directive::Route => {
                let (route, indices, first_axon) = (number(self, 1)?, number(self, 2)?, number(self, 4));
                let block = self.block(&operands[0]);
                let taker = operands.get(3).map(|taker| self.taker(taker));
                let taker = if let Some(taker) = taker { Some(taker?) } else { None };
                if let (Some(Taker::Host), Some(first)) = (taker, operands.get(4)) {
                    let message = "the host has no axons";
                    return self.problem(Diagnostic::new(first.span.clone(), message).help("leave this operand out"));
                }
                let name = if is_name(operands[1].text) { operands[1].text.to_lowercase() } else { "route".into() };
                self.out.routes.push(Route { block: block?, number: route, name, indices, taker, first_axon, span });
            }
            Directive::Edge => {
                let (from, to) = (self.name(&operands[0], "a layer"), self.name(&operands[1], "a layer"));
                self.out.edges.push(Edge { from: from?, to: to? });
            }
            Directive::Input => {
                let (indices, first_axon) = (number(self, 1)?, number(self, 3));
                let name = self.name(&operands[0], "an input");
                let taker = self.taker(&operands[2]);
                let (name, Taker::Block(taker)) = (name?, taker?) else {
                    let message = "the host sends nothing to itself";
                    return self.problem(Diagnostic::new(operands[2].span.clone(), message).label("expected a block"));
                };
                self.out.inputs.push(Input { name, indices, taker, first_axon, span });
            }
            Directive::Packet => {
                let step = self.range(&operands[0], directive);
                let index = self.range(&operands[2], directive);
                let payload = number(self, 3);
                let input = operands[1].text;
                if !self.inputs.iter().any(|name| name == input) {
                    let of = self.inputs.iter().map(String::as_str);
                    let problem = unknown("input", &operands[1], of, "define it with `.input`");
                    return self.problem(problem);
                }
                self.out.packets.push(Packet { step: step?, input: input.to_owned(), index: index?, payload, span });
            }
            Directive::Steps => {
                let steps = number(self, 0)?;
                if self.out.steps.is_some() {
                    return self.problem(Diagnostic::new(span, "`.steps` stands here a second time"));
                }
                self.out.steps = Some(steps);
            }
        }
        Some(())
    }

    fn name(&mut self, operand: &Operand, of: &str) -> Option<Name> {
        if is_name(operand.text) {
            return Some(Name { text: operand.text.to_owned(), span: operand.span.clone() });
        }
        let problem = Diagnostic::new(operand.span.clone(), format!("`{}` is not a name for {of}", operand.text))
            .help("names begin with a letter or `_` and go on with letters, digits, `_` and `.`");
        self.problem(problem)
    }

    fn block(&mut self, operand: &Operand) -> Option<usize> {
        let found = self.blocks.iter().position(|name| name == operand.text);
        if found.is_none() {
            let names = self.blocks.iter().map(String::as_str);
            self.diagnostics.push(unknown("block", operand, names, "define it with `.block`"));
        }
        found
    }

    fn taker(&mut self, operand: &Operand) -> Option<Taker> {
        if operand.text == "host" {
            return Some(Taker::Host);
        }
        let found = self.blocks.iter().position(|name| name == operand.text);
        if found.is_none() {
            let names = self.blocks.iter().map(String::as_str).chain(["host"]);
            self.diagnostics.push(unknown("block", operand, names, "a taker is a block or `host`"));
        }
        found.map(Taker::Block)
    }

    fn space(&mut self, operand: &Operand) -> Option<Space> {
        let found = Space::ALL.into_iter().find(|space| space.is_writable() && space.letter() == operand.text);
        if found.is_none() {
            let problem = Diagnostic::new(operand.span.clone(), format!("there is no memory `{}`", operand.text))
                .help(format!("the memories are {}", memories()));
            self.diagnostics.push(problem);
        }
        found
    }

    /// `n32[FIRST]`
    fn elements(&mut self, operand: &Operand, directive: &'static str) -> Option<Elements> {
        let split = operand.text.strip_suffix(']').and_then(|inside| inside.split_once('['));
        let Some((memory, first)) = split else {
            let problem =
                Diagnostic::new(operand.span.clone(), format!("`{}` are no elements of a memory", operand.text))
                    .help("write the memory, the width of an element and the first element, as in `n32[8]`");
            return self.problem(problem);
        };
        let start = operand.span.start + memory.len() + 1;
        let first = self.numbers.add(&Operand { text: first.trim(), span: start..operand.span.end - 1 }, directive);
        let memory = memory.trim_end();
        let found = Space::ALL.into_iter().filter(|space| space.is_writable()).find_map(|space| {
            let bits: u32 = memory.strip_prefix(space.letter())?.parse().ok()?;
            let width = Width::from_bits(bits).filter(|&width| space.has(width))?;
            Some((space, width))
        });
        let Some((space, width)) = found else {
            let span = operand.span.start..operand.span.start + memory.len();
            let widths = SPACES.iter().filter(|space| space.writable).map(|space| {
                let widths: Vec<String> = space.widths.iter().map(|bits| format!("{}{bits}", space.letter)).collect();
                widths.join(", ")
            });
            let help = format!("there are {}", widths.collect::<Vec<_>>().join(", "));
            return self.problem(Diagnostic::new(span, format!("there is no memory `{memory}`")).help(help));
        };
        Some(Elements { space, width, first })
    }

    /// `FIRST..LAST by EVERY`
    fn range(&mut self, operand: &Operand, directive: &'static str) -> Option<Range> {
        let part = |from: usize, to: usize| {
            let text = &operand.text[from..to];
            let start = operand.span.start + from + (text.len() - text.trim_start().len());
            Operand { text: text.trim(), span: start..start + text.trim().len() }
        };
        let end = operand.text.len();
        let Some(dots) = operand.text.find("..") else {
            return Some(Range { first: self.numbers.add(operand, directive), last: None, every: None });
        };
        let by = operand.text[dots..].find(" by ").map(|at| dots + at);
        let parts = [Some(part(0, dots)), Some(part(dots + 2, by.unwrap_or(end))), by.map(|by| part(by + 4, end))];
        if parts.iter().flatten().any(|part| part.text.is_empty()) {
            let problem = Diagnostic::new(operand.span.clone(), "this range is not complete")
                .help("write `FIRST..LAST`, both included, or `FIRST..LAST by EVERY`");
            return self.problem(problem);
        }
        let [first, last, every] = parts.map(|part| part.map(|part| self.numbers.add(&part, directive)));
        Some(Range { first: first?, last, every })
    }
}

fn memories() -> String {
    let writable = Space::ALL.into_iter().filter(|space| space.is_writable());
    writable.map(|space| format!("`{}` ({})", space.letter(), space.name())).collect::<Vec<_>>().join(", ")
}

/// A name that nothing has.
pub(crate) fn unknown<'a>(
    what: &str,
    operand: &Operand,
    names: impl Iterator<Item = &'a str>,
    else_help: &str,
) -> Diagnostic {
    let help = match nearest(operand.text, names) {
        Some(name) => format!("did you mean `{name}`?"),
        None => else_help.to_owned(),
    };
    Diagnostic::new(operand.span.clone(), format!("there is no {what} `{}`", operand.text)).help(help)
}
