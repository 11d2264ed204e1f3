//! From lines to a flat list of labels, instructions and data: files are included, macros expanded, names collected.

use super::{
    Assembler, File, Item, ItemKind,
    directive::Directive,
    problem::{Place, Problem, ScopeId},
    syntax::{Line, Name, Operand, OperandKind, Span, Statement},
    value::{Call, ConstantState, Scope, Symbol, SymbolKind, Value},
};
use crate::table::{Description, INSTRUCTIONS, Op, Operand as TableOperand, RegisterKind};
use onward_diagnostic::Source;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

/// So many labels, instructions and directives a program may have once its macros are expanded.
const ITEM_LIMIT: usize = 1 << 20;
/// So deep may macros call macros, and files include files.
const NESTING_LIMIT: usize = 32;

/// A macro: the names of its parameters and its lines.
#[derive(Debug)]
pub(super) struct Macro {
    parameters: Vec<Name>,
    body: Vec<Line>,
    span: Span,
}

/// What other machines call it, and how it is written here.
const ELSEWHERE: [(&str, &str); 16] = [
    ("mov", "`addi rd, ra, 0` to copy a register, `addi rd, r0, 5` to load a number"),
    ("mv", "`addi rd, ra, 0` to copy a register"),
    ("li", "`addi rd, r0, 5` to load a number; a larger one with `lui` and `ori`"),
    ("not", "`sub rd, r0, ra` and `addi rd, rd, -1`"),
    ("neg", "`sub rd, r0, ra`"),
    ("subi", "`addi` with a negative number"),
    ("lw", "`ld rd, n32[ra+4]`"),
    ("sw", "`st rd, n32[ra+4]`"),
    ("sll", "`shr` with a negative amount, `shri rd, ra, -3`"),
    ("shl", "`shr` with a negative amount, `shri rd, ra, -3`"),
    ("srl", "`shr`, which keeps the sign"),
    ("sra", "`shr`"),
    ("bgt", "`blt` with the registers exchanged"),
    ("ble", "`bge` with the registers exchanged"),
    ("j", "`jmp`"),
    ("b", "`jmp`"),
];

/// Whether the instruction has as many operands as the statement, with memories at the same places.
fn looks_like(row: &Description, statement: &Statement) -> bool {
    row.operands.len() == statement.operands.len()
        && row.operands.iter().zip(&statement.operands).all(|(operand, written)| match (operand, &written.kind) {
            (TableOperand::Row, OperandKind::Memory { row, .. }) => *row,
            (TableOperand::Strided, OperandKind::Memory { stride, .. }) => stride.is_some(),
            (TableOperand::Memory | TableOperand::Table, OperandKind::Memory { row, stride, .. }) => {
                !row && stride.is_none()
            }
            (TableOperand::Memory | TableOperand::Table | TableOperand::Row | TableOperand::Strided, _) => false,
            (_, written) => matches!(written, OperandKind::Expression(_)),
        })
}

impl Assembler<'_> {
    /// Reads a file and all it includes.
    pub(super) fn read_file(&mut self, source: Source, included_at: Option<Span>) {
        let file = self.files.len();
        let (lines, diagnostics) = super::parser::parse(file, &source.text);
        self.files.push(File::new(source, included_at));
        for diagnostic in diagnostics {
            let span = Span { file, start: diagnostic.span.start, end: diagnostic.span.end };
            self.report(Problem { place: Place { span, scope: 0 }, diagnostic });
        }
        let lines = self.take_macros(lines);
        self.expand(&lines, 0, 0);
    }

    /// Registers the macros among the lines, wherever they are called, and returns the other lines.
    fn take_macros(&mut self, lines: Vec<Line>) -> Vec<Line> {
        let mut others = Vec::new();
        let mut open: Option<(Rc<Statement>, Vec<Line>)> = None;
        for line in lines {
            let directive = line.statement.as_ref().and_then(|s| Directive::from_name(&s.word.text));
            match (directive, &line.statement, &mut open) {
                (Some(Directive::Macro), Some(statement), Some((outer, _))) => {
                    let problem = Problem::new(place(statement.span, 0), "a macro inside a macro")
                        .note(format!("`{}` begins in line {}", self.text_of(outer.span), self.line_of(outer.span)))
                        .help("end the outer macro with `.endm` first");
                    self.report(problem);
                }
                (Some(Directive::Macro), Some(statement), None) => {
                    others.push(Line { labels: line.labels, statement: None });
                    open = Some((statement.clone(), Vec::new()));
                }
                (Some(Directive::EndMacro), Some(statement), open) => match open.take() {
                    Some((head, mut body)) => {
                        body.push(Line { labels: line.labels, statement: None });
                        self.define_macro(&head, body);
                    }
                    None => self.report(Problem::new(place(statement.span, 0), "`.endm` without `.macro`")),
                },
                (_, _, Some((_, body))) => body.push(line),
                (_, _, None) => others.push(line),
            }
        }
        if let Some((head, _)) = open {
            self.report(Problem::new(place(head.span, 0), "this macro does not end").help("close it with `.endm`"));
        }
        others
    }

    fn define_macro(&mut self, head: &Statement, body: Vec<Line>) {
        let names: Option<Vec<Name>> = head
            .operands
            .iter()
            .map(|operand| operand.as_name().map(|text| Name { text: text.to_owned(), span: operand.span }))
            .collect();
        let Some((name, parameters)) = names.as_deref().and_then(<[Name]>::split_first) else {
            self.report(wrong_form(Directive::Macro, place(head.span, 0)));
            return;
        };
        for (at, parameter) in parameters.iter().enumerate() {
            self.check_name(parameter, 0);
            if parameters[..at].iter().any(|other| other.text == parameter.text) {
                self.report(Problem::new(
                    place(parameter.span, 0),
                    format!("the parameter `{}` is there twice", parameter.text),
                ));
            }
        }
        let definition = Macro { parameters: parameters.to_vec(), body, span: head.span };
        if Op::from_mnemonic(&name.text).is_some() {
            self.report(Problem::new(place(name.span, 0), format!("`{}` is an instruction already", name.text)));
        } else if let Some(other) = self.macros.get(&name.text) {
            let note = format!("the other one is at {}", self.location(other.span));
            self.report(Problem::new(place(name.span, 0), format!("there are two macros `{}`", name.text)).note(note));
        } else {
            self.macros.insert(name.text.clone(), Rc::new(definition));
        }
    }

    fn expand(&mut self, lines: &[Line], scope: ScopeId, depth: usize) {
        for line in lines {
            if self.stopped {
                return;
            }
            if self.items.len() + self.scopes.0.len() > ITEM_LIMIT {
                self.stopped = true;
                let span = line.statement.as_ref().map_or_else(|| line.labels[0].span, |s| s.span);
                let note = format!("with its macros expanded it has more than {ITEM_LIMIT} lines");
                self.report(Problem::new(place(span, scope), "this program is too long").note(note));
                return;
            }
            for label in &line.labels {
                self.define_label(label, scope);
            }
            let Some(statement) = &line.statement else { continue };
            let word = &statement.word;
            if let Some(directive) = Directive::from_name(&word.text) {
                self.directive(directive, statement, scope);
            } else if let Some(op) = Op::from_mnemonic(&word.text) {
                self.items.push(Item { scope, kind: ItemKind::Instruction(op, statement.clone()) });
            } else if let Some(definition) = self.macros.get(&word.text).cloned() {
                self.expand_macro(&definition, statement, scope, depth);
            } else {
                self.unknown_word(statement, scope);
            }
        }
    }

    fn unknown_word(&mut self, statement: &Statement, scope: ScopeId) {
        let word = &statement.word;
        let at = place(word.span, scope);
        if word.text.starts_with('.') {
            let names = || Directive::ALL.iter().map(|row| row.1);
            let problem = Problem::new(at, format!("unknown directive `{}`", word.text))
                .help(format!("the directives are {}", names().collect::<Vec<_>>().join(", ")))
                .nearest(&word.text, names());
            self.report(problem);
            return;
        }
        let problem = Problem::new(at, format!("unknown instruction `{}`", word.text))
            .label("neither an instruction nor a macro");
        let lower = word.text.to_lowercase();
        let problem = match ELSEWHERE.iter().find(|(name, _)| *name == lower) {
            Some((_, here)) => problem.help(format!("write {here}")),
            None => {
                let mut macros: Vec<&str> = self.macros.keys().map(String::as_str).collect();
                macros.sort_unstable();
                let all = INSTRUCTIONS.iter().map(|row| row.mnemonic).chain(macros.iter().copied());
                let alike = INSTRUCTIONS.iter().filter(|row| looks_like(row, statement)).map(|row| row.mnemonic);
                problem.nearest(&lower, all).nearest(&word.text, macros.iter().copied()).nearest(&lower, alike)
            }
        };
        self.report(problem);
    }

    fn directive(&mut self, directive: Directive, statement: &Rc<Statement>, scope: ScopeId) {
        match (directive, &statement.operands[..]) {
            (Directive::Equ, [name, value]) => {
                let Some(name) = self.defined_name(directive, name, scope) else { return };
                match &value.kind {
                    OperandKind::Expression(expression) => {
                        let state = RefCell::new(ConstantState::Pending);
                        self.define(&name, scope, SymbolKind::Constant { expression: expression.clone(), state });
                    }
                    _ => self.report(
                        Problem::new(place(value.span, scope), "a constant is a number").label("expected a number"),
                    ),
                }
            }
            (Directive::Reg, [name, register]) => {
                let Some(name) = self.defined_name(directive, name, scope) else { return };
                let (operand, in_scope) = self.scopes.resolve(register, scope);
                let value = match &operand.kind {
                    OperandKind::Expression(expression) => self.scopes.evaluate(expression, in_scope),
                    _ => Ok(Value::Number(0)),
                };
                let at = place(operand.span, in_scope);
                match value {
                    Ok(Value::Register(kind, number, 0)) => {
                        self.define(&name, scope, SymbolKind::Register(kind, number));
                    }
                    Ok(_) => self.report(
                        Problem::new(at, "this is not a register").label(format!("expected {}", any_register())),
                    ),
                    Err(fault) => self.report_fault(fault),
                }
            }
            (Directive::Include, [path]) => match &path.kind {
                OperandKind::Text(text) => self.include(text, path.span, scope),
                _ => self.report(wrong_form(directive, place(statement.span, scope))),
            },
            (Directive::Purpose, operands) => {
                let is_text =
                    |operand: &Rc<Operand>| matches!(self.scopes.resolve(operand, scope).0.kind, OperandKind::Text(_));
                if operands.len() > 1 || !operands.iter().all(is_text) {
                    self.report(wrong_form(directive, place(statement.span, scope)));
                    return;
                }
                self.items.push(Item { scope, kind: ItemKind::Directive(directive, statement.clone()) });
            }
            (Directive::Macro | Directive::EndMacro, _) => {} // taken out before
            (Directive::Equ | Directive::Reg | Directive::Include, _) => {
                self.report(wrong_form(directive, place(statement.span, scope)))
            }
            _ => self.items.push(Item { scope, kind: ItemKind::Directive(directive, statement.clone()) }),
        }
    }

    fn include(&mut self, path: &str, span: Span, scope: ScopeId) {
        let at = place(span, scope);
        if scope != 0 {
            self.report(Problem::new(at, "a macro cannot include a file").help("include it outside of the macro"));
            return;
        }
        let including = self.files[span.file].source.name.clone();
        let source = match (self.read)(&including, path) {
            Ok(source) => source,
            Err(why) => {
                self.report(Problem::new(at, format!("`{path}` cannot be included")).label(why));
                return;
            }
        };
        let mut chain = vec![source.name.clone()];
        let mut file = Some(span.file);
        while let Some(current) = file {
            chain.insert(0, self.files[current].source.name.clone());
            if self.files[current].source.name == source.name {
                let note = chain.join(" includes ");
                self.report(Problem::new(at, format!("`{path}` includes itself")).note(note));
                return;
            }
            file = self.files[current].included_at.map(|at| at.file);
        }
        if chain.len() > NESTING_LIMIT {
            self.report(Problem::new(at, format!("files include each other more than {NESTING_LIMIT} deep")));
            return;
        }
        self.read_file(source, Some(span));
    }

    fn expand_macro(&mut self, definition: &Macro, statement: &Rc<Statement>, scope: ScopeId, depth: usize) {
        let name = &statement.word.text;
        let at = place(statement.span, scope);
        let (expected, found) = (definition.parameters.len(), statement.operands.len());
        if expected != found {
            let names: Vec<&str> = definition.parameters.iter().map(|p| p.text.as_str()).collect();
            let problem =
                Problem::new(at, format!("the macro `{name}` takes {}, found {found}", count(expected, "argument")))
                    .note(format!("it is defined at {}", self.location(definition.span)))
                    .help(format!("write `{}`", format!("{name} {}", names.join(", ")).trim_end()));
            self.report(problem);
            return;
        }
        let mut caller = Some(scope);
        while let Some(call) = caller.and_then(|scope| self.scopes.0[scope].call.as_ref()) {
            if call.name == *name {
                // Nothing could end it: there are no conditions.
                self.report(Problem::new(at, format!("the macro `{name}` calls itself")));
                return;
            }
            caller = Some(call.place.scope);
        }
        if depth >= NESTING_LIMIT {
            self.stopped = true;
            self.report(Problem::new(at, format!("macros call each other more than {NESTING_LIMIT} deep")));
            return;
        }
        let mut inner = Scope { call: Some(Call { place: at, name: name.clone() }), ..Scope::default() };
        let id = self.scopes.0.len();
        for (parameter, argument) in definition.parameters.iter().zip(&statement.operands) {
            let symbol =
                Symbol { place: place(parameter.span, id), kind: SymbolKind::Parameter(argument.clone(), scope) };
            inner.symbols.insert(parameter.text.clone(), symbol);
        }
        self.scopes.0.push(inner);
        self.expand(&definition.body, id, depth + 1);
    }

    /// The name that an `.equ` or `.reg` defines.
    fn defined_name(&mut self, directive: Directive, operand: &Operand, scope: ScopeId) -> Option<Name> {
        match operand.as_name() {
            Some(text) => Some(Name { text: text.to_owned(), span: operand.span }),
            None => {
                let message = format!("`{}` begins with the name it defines", directive.name());
                self.report(
                    Problem::new(place(operand.span, scope), message)
                        .label("expected a name")
                        .help(format!("write `{}`", directive.form())),
                );
                None
            }
        }
    }

    /// Reports a name that means something else already.
    fn check_name(&mut self, name: &Name, scope: ScopeId) -> bool {
        let problem = Problem::new(place(name.span, scope), format!("`{}` cannot be a name", name.text));
        if let Some((kind, _)) = RegisterKind::parse(&name.text) {
            self.report(problem.label(format!("a letter `{}` with a number is a {}", kind.letter(), kind.name())));
            return false;
        }
        if name.text == "row" {
            self.report(problem.label("`row` marks row addresses"));
            return false;
        }
        true
    }

    fn define_label(&mut self, label: &Name, scope: ScopeId) {
        // A label that is a macro's parameter is defined where the macro is called, under the argument's name.
        let (mut label, mut scope) = (label.clone(), scope);
        while let Some(Symbol { kind: SymbolKind::Parameter(argument, caller), .. }) =
            self.scopes.0[scope].symbols.get(&label.text)
        {
            let Some(text) = argument.as_name() else {
                let problem = Problem::new(
                    place(argument.span, *caller),
                    format!("the macro defines this as the label `{}`", label.text),
                )
                .label("expected a name");
                self.report(problem);
                return;
            };
            (label, scope) = (Name { text: text.to_owned(), span: argument.span }, *caller);
        }
        if self.define(&label, scope, SymbolKind::Label(Cell::new(None))) {
            self.items.push(Item { scope, kind: ItemKind::Label(label.text) });
        }
    }

    /// Gives a name its meaning in a scope.
    fn define(&mut self, name: &Name, scope: ScopeId, kind: SymbolKind) -> bool {
        if !self.check_name(name, scope) {
            return false;
        }
        let at = place(name.span, scope);
        if let Some(other) = self.scopes.0[scope].symbols.get(&name.text) {
            let problem = Problem::new(at, format!("`{}` is defined twice", name.text))
                .label("here again")
                .note(format!("it was defined at {}", self.location(other.place.span)));
            self.report(problem);
            return false;
        }
        self.scopes.0[scope].symbols.insert(name.text.clone(), Symbol { place: at, kind });
        true
    }
}

fn place(span: Span, scope: ScopeId) -> Place {
    Place { span, scope }
}

/// A directive with operands that it does not take.
pub(super) fn wrong_form(directive: Directive, place: Place) -> Problem {
    Problem::new(place, format!("these are not the operands of `{}`", directive.name())).help(format!(
        "`{}` {}",
        directive.form(),
        directive.summary()
    ))
}

/// `1 argument`, `2 arguments`.
pub(super) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// The registers of all kinds, as a message names them.
fn any_register() -> String {
    let ranges: Vec<String> = RegisterKind::ALL.iter().map(|kind| kind.range()).collect();
    format!("a register: {}", ranges.join(", "))
}
