//! From a statement to an instruction: what each operand of the table may be, and what to say when it is not.

use super::{
    Assembler,
    expand::count,
    problem::{Fault, Place, Problem, ScopeId},
    syntax::{Expression, Operand as Written, OperandKind, Statement},
    value::{Address, Symbol, SymbolKind, Value},
};
use crate::{
    Instruction, Space, Width,
    table::{Description, INSTRUCTIONS, Op, Operand, RegisterKind, SPACES, SPECIALS},
};
use std::rc::Rc;

/// What is written, as far as its form says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Register(RegisterKind),
    Number(i64),
    /// A code label: the number of its word.
    Target(i64),
    Special(usize),
    Memory,
    Row,
    Strided,
    Text,
}

impl Shape {
    fn describe(self) -> String {
        match self {
            Shape::Register(kind) => format!("a {}", kind.name()),
            Shape::Number(number) => format!("the number {number}"),
            Shape::Target(_) => "a code label".into(),
            Shape::Special(_) => "a special register".into(),
            Shape::Memory => "a memory operand".into(),
            Shape::Row => "a row of a memory".into(),
            Shape::Strided => "a memory operand with a stride".into(),
            Shape::Text => "a text".into(),
        }
    }

    fn fits(self, operand: Operand) -> bool {
        match operand {
            Operand::Scalar(_) | Operand::Vector(_) | Operand::Predicate(_) | Operand::Base => {
                matches!(self, Shape::Register(kind) if Some(kind) == operand.register().map(|(kind, _)| kind))
            }
            Operand::Signed | Operand::Unsigned | Operand::Route => matches!(self, Shape::Number(_)),
            Operand::Label => matches!(self, Shape::Number(_) | Shape::Target(_)),
            Operand::Special => matches!(self, Shape::Special(_)),
            Operand::Memory | Operand::Table => self == Shape::Memory,
            Operand::Row => self == Shape::Row,
            Operand::Strided => self == Shape::Strided,
        }
    }
}

/// What an operand must be, in words.
fn describe(operand: Operand) -> String {
    let range = operand.range().map_or(String::new(), |(min, max)| format!("{min} to {max}"));
    match operand {
        Operand::Scalar(_) | Operand::Vector(_) | Operand::Predicate(_) | Operand::Base => {
            operand.register().map_or(String::new(), |(kind, _)| format!("a {} ({})", kind.name(), kind.range()))
        }
        Operand::Signed | Operand::Unsigned => format!("a number ({range})"),
        Operand::Label => "a label, or a distance in instructions".into(),
        Operand::Special => "a special register".into(),
        Operand::Route => format!("a route ({range})"),
        Operand::Memory => format!("a memory operand like `n32[r1+4]` (offset {range})"),
        Operand::Row => format!("a row like `s16[row r1-1]` (offset {range})"),
        Operand::Strided => format!("a memory operand with a stride, like `n32[r1+2 : r3]` (offset {range})"),
        Operand::Table => "a table like `n16[r2]`".into(),
    }
}

/// The instruction as its operands are named in the table, and its example.
fn usage(description: &Description) -> String {
    if description.operands.is_empty() {
        return format!("write `{}` alone", description.mnemonic);
    }
    let operands = description.operand_names.join(", ");
    format!("the form is `{} {operands}`, for example `{}`", description.mnemonic, description.example)
}

/// A statement being encoded.
struct Context<'a> {
    description: &'static Description,
    statement: &'a Statement,
    scope: ScopeId,
    /// The number of its word.
    address: i64,
}

impl Assembler<'_> {
    /// The word of an instruction; what is wrong with it goes to `faults`.
    pub(super) fn encode(
        &self,
        op: Op,
        statement: &Statement,
        scope: ScopeId,
        address: i64,
        faults: &mut Vec<Fault>,
    ) -> u32 {
        let context = Context { description: op.description(), statement, scope, address };
        let (expected, found) = (context.description.operands, &statement.operands);
        if !(context.description.least_operands()..=expected.len()).contains(&found.len()) {
            faults.push(self.wrong_count(&context));
            return 0;
        }
        let before = faults.len();
        let mut instruction = Instruction::new(op);
        for (at, (&operand, written)) in expected.iter().zip(found).enumerate() {
            if let Err(fault) = self.operand(&context, at, operand, written, &mut instruction) {
                faults.push(fault);
            }
        }
        if faults.len() > before {
            return 0;
        }
        instruction.encode().unwrap_or_else(|error| {
            faults.push(Problem::new(Place { span: statement.span, scope }, error.to_string()).into());
            0
        })
    }

    fn wrong_count(&self, context: &Context) -> Fault {
        let (description, statement) = (context.description, context.statement);
        let (expected, found) = (description.operands.len(), statement.operands.len());
        let takes = match description.least_operands() {
            _ if expected == 0 => "no operands".into(),
            least if least < expected => format!("{least} or {}", count(expected, "operand")),
            _ => count(expected, "operand"),
        };
        let message = format!("`{}` takes {takes}, found {found}", description.mnemonic);
        let (span, label) = match (description.operands.get(found), statement.operands.get(expected)) {
            (Some(&missing), _) => (statement.span, format!("missing: {}", describe(missing))),
            (None, Some(surplus)) => (surplus.span.to(statement.span), "too many".into()),
            (None, None) => (statement.span, String::new()),
        };
        Problem::new(Place { span, scope: context.scope }, message).label(label).help(usage(description)).into()
    }

    /// What an operand looks like.
    fn shape(&self, written: &Rc<Written>, scope: ScopeId) -> Result<Shape, Fault> {
        let (written, scope) = self.scopes.resolve(written, scope);
        match &written.kind {
            OperandKind::Memory { row: true, stride: None, .. } => Ok(Shape::Row),
            OperandKind::Memory { stride: Some(_), .. } => Ok(Shape::Strided),
            OperandKind::Memory { .. } => Ok(Shape::Memory),
            OperandKind::Text(_) => Ok(Shape::Text),
            OperandKind::Expression(expression) => {
                let special = written.as_name().filter(|name| self.scopes.find(name, scope).is_none());
                if let Some(at) = special.and_then(|name| SPECIALS.iter().position(|(special, _)| *special == name)) {
                    return Ok(Shape::Special(at));
                }
                Ok(match self.scopes.evaluate(expression, scope)? {
                    Value::Register(kind, _, 0) => Shape::Register(kind),
                    Value::Number(number) => Shape::Number(number),
                    Value::Code(address) => Shape::Target(address),
                    Value::Register(..) => {
                        let place = Place { span: expression.span, scope };
                        return Err(Problem::new(
                            place,
                            "a sum of a register and a number stands only in a memory operand",
                        )
                        .label("computed when the chip runs")
                        .help("compute it with `addi` before")
                        .into());
                    }
                })
            }
        }
    }

    fn operand(
        &self,
        context: &Context,
        at: usize,
        operand: Operand,
        written: &Rc<Written>,
        instruction: &mut Instruction,
    ) -> Result<(), Fault> {
        let (resolved, scope) = self.scopes.resolve(written, context.scope);
        let place = Place { span: resolved.span, scope };
        if operand == Operand::Special {
            // A special register's name is looked up here, whatever constants are called.
            let name = resolved.as_name().unwrap_or("");
            let found = SPECIALS.iter().position(|(special, _)| *special == name);
            instruction.imm = found.ok_or_else(|| self.unknown_special(name, place))? as i32;
            return Ok(());
        }
        let shape = self.shape(written, context.scope).map_err(|fault| match fault {
            Fault::New(problem) if operand == Operand::Label => self.unknown_label(resolved, *problem),
            other => other,
        })?;
        if !shape.fits(operand) {
            return Err(self.wrong_kind(context, at, operand, shape, place));
        }
        match (operand, shape) {
            (Operand::Label, Shape::Target(target)) => instruction.imm = self.distance(context, target, place)?,
            (_, Shape::Number(number)) => instruction.imm = in_range(context, operand, number, place)?,
            (_, Shape::Register(_)) => {
                if let (Some((_, field)), OperandKind::Expression(expression)) = (operand.register(), &resolved.kind)
                    && let Value::Register(_, number, _) = self.scopes.evaluate(expression, scope)?
                {
                    instruction.set_register(field, number);
                }
            }
            _ => self.memory(context, operand, resolved, scope, instruction)?,
        }
        Ok(())
    }

    fn distance(&self, context: &Context, target: i64, place: Place) -> Result<i32, Fault> {
        let distance = target - context.address;
        if context.description.is_loop() && distance < 1 {
            return Err(Problem::new(
                place,
                format!("the label of a `{}` stands before it", context.description.mnemonic),
            )
            .label("this label must come behind the loop's last instruction")
            .note("the loop jumps back by itself; the label says where it ends")
            .into());
        }
        in_range(context, Operand::Label, distance, place)
    }

    /// A memory operand of any kind.
    fn memory(
        &self,
        context: &Context,
        operand: Operand,
        written: &Written,
        scope: ScopeId,
        instruction: &mut Instruction,
    ) -> Result<(), Fault> {
        let OperandKind::Memory { memory, base, stride, .. } = &written.kind else { return Ok(()) };
        let (name, place) = self.memory_name(&memory.text, Place { span: memory.span, scope });
        (instruction.space, instruction.width) = memory_of(&name, context.description, place)?;
        let (register, offset) = self.base(base, scope)?;
        let at = Place { span: base.span, scope };
        if operand == Operand::Table {
            if offset != 0 {
                return Err(Problem::new(at, "a table has no offset")
                    .label("expected a scalar register")
                    .help("compute its first address with `addi` before")
                    .into());
            }
            instruction.b = register;
            return Ok(());
        }
        instruction.a = register;
        instruction.imm = in_range(context, operand, offset, at)?;
        if let Some(stride) = stride {
            instruction.c = match self.base(stride, scope)? {
                (register, 0) => register,
                _ => {
                    return Err(Problem::new(Place { span: stride.span, scope }, "a stride stands in a register")
                        .label("expected a scalar register (r0 to r15)")
                        .into());
                }
            };
        }
        Ok(())
    }

    /// A memory's name, or that of the argument where it is a macro's parameter.
    fn memory_name(&self, name: &str, place: Place) -> (String, Place) {
        match self.scopes.find(name, place.scope) {
            Some(Symbol { kind: SymbolKind::Parameter(argument, caller), .. }) => {
                let (argument, scope) = self.scopes.resolve(argument, *caller);
                let place = Place { span: argument.span, scope };
                (argument.as_name().unwrap_or_else(|| self.text_of(argument.span)).to_owned(), place)
            }
            _ => (name.to_owned(), place),
        }
    }

    /// The register and the number in brackets.
    fn base(&self, expression: &Expression, scope: ScopeId) -> Result<(u8, i64), Fault> {
        let place = Place { span: expression.span, scope };
        let found = match self.scopes.evaluate(expression, scope)? {
            Value::Register(RegisterKind::Scalar, register, offset) => return Ok((register, offset)),
            Value::Number(offset) => return Ok((0, offset)),
            Value::Register(kind, ..) => kind.name(),
            Value::Code(_) => "code label",
        };
        Err(Problem::new(place, format!("a {found} in an address"))
            .label("expected a scalar register, a number, or their sum")
            .into())
    }

    fn wrong_kind(&self, context: &Context, at: usize, operand: Operand, found: Shape, place: Place) -> Fault {
        let description = context.description;
        const ORDINALS: [&str; 4] = ["first", "second", "third", "fourth"];
        let message =
            format!("the {} operand of `{}` is {}", ORDINALS[at.min(3)], description.mnemonic, found.describe());
        let mut problem = Problem::new(place, message).label(format!("expected {}", describe(operand)));
        if self.is_data_label(context, at) {
            problem = problem.note("a label in a memory stands for its byte offset");
        }
        let help = match (self.meant(context), operand, found) {
            (Some(other), ..) => format!("did you mean `{}`? {}", other.mnemonic, usage(other)),
            (None, Operand::Scalar(_), Shape::Number(0)) => format!("r0 reads as 0; {}", usage(description)),
            (None, Operand::Scalar(_), Shape::Number(number)) => {
                format!("`addi r1, r0, {number}` loads a number into a register; {}", usage(description))
            }
            _ => usage(description),
        };
        problem.help(help).into()
    }

    fn is_data_label(&self, context: &Context, at: usize) -> bool {
        let symbol = context.statement.operands[at].as_name().and_then(|name| self.scopes.find(name, context.scope));
        match symbol.map(|symbol| &symbol.kind) {
            Some(SymbolKind::Label(address)) => matches!(address.get(), Some(Address::Data(..))),
            _ => false,
        }
    }

    /// An instruction with a similar name that takes the operands written: `addi` for `add r1, r2, 5`.
    fn meant(&self, context: &Context) -> Option<&'static Description> {
        let (name, written) = (context.description.mnemonic, &context.statement.operands);
        let shapes: Option<Vec<Shape>> =
            written.iter().map(|operand| self.shape(operand, context.scope).ok()).collect();
        let shapes = shapes?;
        let fits = |row: &&Description| {
            row.operands.len() == shapes.len()
                && row.operands.iter().zip(&shapes).all(|(operand, shape)| shape.fits(*operand))
        };
        INSTRUCTIONS
            .iter()
            .filter(|row| row.mnemonic != name && (row.mnemonic.starts_with(name) || name.starts_with(row.mnemonic)))
            .filter(fits)
            .min_by_key(|row| row.mnemonic.len().abs_diff(name.len()))
    }

    fn unknown_special(&self, name: &str, place: Place) -> Fault {
        let names: Vec<&str> = SPECIALS.iter().map(|(name, _)| *name).collect();
        Problem::new(place, "this is not a special register")
            .note(format!("the special registers are {}", names.join(", ")))
            .nearest(name, names)
            .into()
    }

    /// Says `label` where a label is expected, and proposes only labels.
    fn unknown_label(&self, written: &Written, problem: Problem) -> Fault {
        let scope = problem.place.scope;
        match written.as_name() {
            Some(name) if RegisterKind::parse(name).is_none() && self.scopes.find(name, scope).is_none() => {
                let labels = self.scopes.visible(scope).into_iter().filter(|name| {
                    matches!(self.scopes.find(name, scope).map(|symbol| &symbol.kind), Some(SymbolKind::Label(_)))
                });
                Problem::new(problem.place, format!("unknown label `{name}`"))
                    .label("no line begins with this label")
                    .help(format!("write `{name}:` before the instruction to continue at"))
                    .nearest(name, labels)
                    .into()
            }
            _ => problem.into(),
        }
    }
}

/// The space and width of `n32` and the like.
fn memory_of(name: &str, description: &Description, place: Place) -> Result<(Space, Width), Fault> {
    let all = || Space::ALL.into_iter().flat_map(|space| Width::ALL.map(|width| (space, width)));
    let text = |(space, width): (Space, Width)| format!("{}{}", space.letter(), width.bits());
    let allowed: Vec<String> = all().filter(|&(space, width)| description.takes(space, width)).map(text).collect();
    if allowed.iter().any(|allowed| allowed == name) {
        return all().find(|&memory| text(memory) == name).ok_or(Fault::Reported);
    }
    let space = SPACES.iter().find(|space| name.starts_with(space.letter));
    let written = space.filter(|space| space.widths.iter().any(|bits| name[space.letter.len()..] == bits.to_string()));
    let problem = match (written, space.filter(|space| name[space.letter.len()..].parse::<u32>().is_ok())) {
        (Some(space), _) if description.updates.is_some() => {
            Problem::new(place, format!("`{}` cannot read the {}", description.mnemonic, space.name))
        }
        (Some(space), _) => Problem::new(place, format!("the {} cannot be written", space.name)),
        (None, Some(space)) => {
            let widths: Vec<String> = space.widths.iter().map(u8::to_string).collect();
            Problem::new(place, format!("there is no memory `{name}`")).label(format!(
                "the {} has elements of {} bits",
                space.name,
                widths.join(", ")
            ))
        }
        (None, None) => Problem::new(place, format!("there is no memory `{name}`")),
    };
    Err(problem.help(format!("here can stand {}", allowed.join(", "))).into())
}

/// The number, if it is in the operand's range.
fn in_range(context: &Context, operand: Operand, number: i64, place: Place) -> Result<i32, Fault> {
    let (minimum, maximum) = operand.range().unwrap_or((i32::MIN, i32::MAX));
    if let Ok(fitting) = i32::try_from(number)
        && (minimum..=maximum).contains(&fitting)
    {
        return Ok(fitting);
    }
    let through_register = "a larger number goes through a register: `lui` loads its upper half, `ori` its lower";
    let (what, help) = match operand {
        Operand::Signed => ("number", Some(through_register)),
        Operand::Unsigned => ("number", Some("take 16 bits of it: `number & 0xffff`, or `number >> 16 & 0xffff`")),
        Operand::Label => ("distance", Some("go there in two steps, over a `jmp` between")),
        Operand::Route => ("route", None),
        Operand::Memory | Operand::Row | Operand::Strided => {
            ("offset", Some("add it to the base register with `addi` before"))
        }
        _ => ("number", None),
    };
    let message = match operand {
        Operand::Label => format!("`{}` cannot reach that far: {number} instructions", context.description.mnemonic),
        _ => format!("the {what} {number} does not fit into `{}`", context.description.mnemonic),
    };
    let mut problem = Problem::new(place, message).label(format!("allowed is {minimum} to {maximum}"));
    problem.diagnostic.help = help.map(str::to_owned);
    Err(problem.into())
}
