//! From text to lines. Each line is parsed by itself, so that a mistake in one does not hide those in others.
//!
//! ```text
//! line       = { name ":" } [ word [ operand { "," operand } ] ] [ ( ";" | "#" ) comment ]
//! word       = [ "." ] name
//! operand    = string | memory | expression
//! memory     = name "[" [ "row" ] expression [ ":" expression ] "]"
//! expression = operators * / %, + -, << >>, &, | over: number, name, "(" expression ")", - ~ + before any of them
//! number     = decimal, 0x hexadecimal or 0b binary; "_" between digits
//! name       = letter or "_", then letters, digits, "_", "."
//! ```

use super::syntax::{
    BinaryOperator, Expression, ExpressionKind, Line, Name, Operand, OperandKind, Span, Statement, UnaryOperator,
};
use nom::{
    IResult, Offset, Parser,
    branch::alt,
    bytes::complete::{tag, take_while, take_while1},
    character::complete::{char, one_of, satisfy},
    combinator::{not, opt, peek, recognize, value},
    error::{ErrorKind, ParseError},
    sequence::{preceded, terminated},
};
use onward_diagnostic::Diagnostic;
use std::{cell::Cell, rc::Rc};

/// So many numbers, names and operators an expression may have; this also bounds how deep it nests.
const EXPRESSION_LIMIT: usize = 200;

/// Why the parser stopped, and where: at the start of `rest`, or over the first `length` bytes of it.
#[derive(Debug)]
struct SyntaxError<'a> {
    rest: &'a str,
    length: usize,
    message: String,
    label: &'static str,
    help: Option<&'static str>,
}

impl<'a> ParseError<&'a str> for SyntaxError<'a> {
    fn from_error_kind(rest: &'a str, _: ErrorKind) -> Self {
        SyntaxError { rest, length: 0, message: String::new(), label: "", help: None }
    }

    fn append(_: &'a str, _: ErrorKind, other: Self) -> Self {
        other
    }
}

type Parsed<'a, T> = IResult<&'a str, T, SyntaxError<'a>>;

/// Ends the parsing of the line.
fn fail<'a, T>(rest: &'a str, length: usize, message: impl Into<String>, help: Option<&'static str>) -> Parsed<'a, T> {
    Err(nom::Err::Failure(SyntaxError { rest, length, message: message.into(), label: "", help }))
}

/// Ends the parsing of the line because something else must stand here.
fn expected<'a, T>(rest: &'a str, what: &'static str, help: Option<&'static str>) -> Parsed<'a, T> {
    let length = token_length(rest);
    let message = match &rest[..length] {
        "" => format!("expected {what}, but the line ends"),
        found => format!("expected {what}, found `{found}`"),
    };
    Err(nom::Err::Failure(SyntaxError { rest, length, message, label: what, help }))
}

/// The bytes of what a reader would call the next word of the line.
fn token_length(rest: &str) -> usize {
    let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '.').unwrap_or(rest.len());
    match rest.chars().next() {
        None | Some(';' | '#') => 0,
        Some(c) if word == 0 => c.len_utf8(),
        Some(_) => word,
    }
}

fn blank(input: &str) -> Parsed<'_, &str> {
    take_while(|c: char| c == ' ' || c == '\t' || c == '\r').parse(input)
}

/// A character of the grammar, with the blanks before it.
fn symbol<'a>(c: char) -> impl Parser<&'a str, Output = char, Error = SyntaxError<'a>> {
    preceded(blank, char(c))
}

fn name(input: &str) -> Parsed<'_, &str> {
    recognize((
        satisfy(|c| c.is_ascii_alphabetic() || c == '_'),
        take_while(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.'),
    ))
    .parse(input)
}

/// Whether a text can name a label, a constant or a macro.
pub(crate) fn is_name(text: &str) -> bool {
    matches!(name(text), Ok(("", _)))
}

fn number(input: &str) -> Parsed<'_, i64> {
    let (rest, digits) = take_while1(|c: char| c.is_alphanumeric() || c == '_').parse(input)?;
    let plain = digits.replace('_', "");
    let parsed = match plain.get(..2) {
        Some("0x" | "0X") => i64::from_str_radix(&plain[2..], 16),
        Some("0b" | "0B") => i64::from_str_radix(&plain[2..], 2),
        _ => plain.parse(),
    };
    match parsed {
        Ok(number) => Ok((rest, number)),
        Err(error) if matches!(error.kind(), std::num::IntErrorKind::PosOverflow) => {
            fail(input, digits.len(), format!("`{digits}` is too large"), Some("numbers have at most 63 bits"))
        }
        Err(_) => fail(
            input,
            digits.len(),
            format!("`{digits}` is not a number"),
            Some("numbers are decimal (12), hexadecimal (0x1f) or binary (0b101)"),
        ),
    }
}

fn unary_operator(input: &str) -> Parsed<'_, UnaryOperator> {
    alt((
        value(UnaryOperator::Plus, char('+')),
        value(UnaryOperator::Minus, char('-')),
        value(UnaryOperator::Not, char('~')),
    ))
    .parse(input)
}

fn binary_operator(input: &str) -> Parsed<'_, BinaryOperator> {
    for operator in BinaryOperator::ALL {
        if let Ok((rest, _)) = tag::<_, _, SyntaxError<'_>>(operator.symbol()).parse(input) {
            return Ok((rest, operator));
        }
    }
    Err(nom::Err::Error(SyntaxError::from_error_kind(input, ErrorKind::Tag)))
}

/// The parser of one file.
struct Reader<'a> {
    file: usize,
    text: &'a str,
    /// How many nodes the current expression may still get.
    nodes_left: Cell<usize>,
}

impl<'a> Reader<'a> {
    /// The span from the start of one rest of the text to the start of another.
    fn span(&self, from: &'a str, to: &'a str) -> Span {
        Span { file: self.file, start: self.text.offset(from), end: self.text.offset(to) }
    }

    fn node(&self, kind: ExpressionKind, from: &'a str, to: &'a str) -> Parsed<'a, Expression> {
        match self.nodes_left.get() {
            0 => fail(
                from,
                self.text.offset(to) - self.text.offset(from),
                "this expression is too long",
                Some("split it with `.equ`"),
            ),
            left => {
                self.nodes_left.set(left - 1);
                Ok((to, Expression { kind, span: self.span(from, to) }))
            }
        }
    }

    fn expression(&self, input: &'a str) -> Parsed<'a, Expression> {
        self.binary(input, 1)
    }

    /// Operators that bind at least as tightly as `minimum`, from the left.
    fn binary(&self, input: &'a str, minimum: u8) -> Parsed<'a, Expression> {
        let (start, _) = blank(input)?;
        let (mut rest, mut left) = self.unary(start)?;
        while let Ok((after, operator)) = preceded(blank, binary_operator).parse(rest) {
            if operator.precedence() < minimum {
                break;
            }
            let (after, right) = self.binary(after, operator.precedence() + 1)?;
            (rest, left) = self.node(ExpressionKind::Binary(operator, left.into(), right.into()), start, after)?;
        }
        Ok((rest, left))
    }

    fn unary(&self, input: &'a str) -> Parsed<'a, Expression> {
        let (start, _) = blank(input)?;
        if self.nodes_left.get() == 0 {
            return fail(start, token_length(start), "this expression is too long", Some("split it with `.equ`"));
        }
        if let Ok((rest, operator)) = unary_operator(start) {
            self.nodes_left.set(self.nodes_left.get() - 1);
            let (rest, operand) = self.unary(rest)?;
            let span = self.span(start, rest);
            return Ok((rest, Expression { kind: ExpressionKind::Unary(operator, operand.into()), span }));
        }
        if let Ok((rest, _)) = char::<_, SyntaxError<'_>>('(').parse(start) {
            self.nodes_left.set(self.nodes_left.get() - 1);
            let (rest, inner) = self.expression(rest)?;
            return match symbol(')').parse(rest) {
                Ok((rest, _)) => Ok((rest, Expression { kind: inner.kind, span: self.span(start, rest) })),
                Err(_) => expected(blank(rest)?.0, "`)`", None),
            };
        }
        if start.starts_with(|c: char| c.is_ascii_digit()) {
            let (rest, number) = number(start)?;
            return self.node(ExpressionKind::Number(number), start, rest);
        }
        match name(start) {
            Ok((rest, name)) => self.node(ExpressionKind::Name(name.to_owned()), start, rest),
            Err(_) => {
                let bracket = start.starts_with('[');
                let help = bracket.then_some("the memory and the width stand before the bracket, as in `n32[r1+4]`");
                expected(start, "a number, a register or a name", help)
            }
        }
    }

    fn memory(&self, input: &'a str) -> Parsed<'a, OperandKind> {
        let (inside, memory) = terminated(name, symbol('[')).parse(input)?;
        let memory = Name { text: memory.to_owned(), span: self.span(input, &input[memory.len()..]) };
        let row = terminated(tag("row"), peek(not(satisfy(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.'))));
        let (rest, row) = opt(preceded(blank, row)).parse(inside)?;
        let (rest, base) = self.expression(rest)?;
        let (rest, stride) = match symbol(':').parse(rest) {
            Ok((rest, _)) => self.expression(rest).map(|(rest, stride)| (rest, Some(stride)))?,
            Err(_) => (rest, None),
        };
        match symbol(']').parse(rest) {
            Ok((rest, _)) => Ok((rest, OperandKind::Memory { memory, row: row.is_some(), base, stride })),
            Err(_) => expected(
                blank(rest)?.0,
                "`]`",
                Some("memory operands look like `n32[r1+4]`, `s16[row r1-1]` or `n32[r1+2 : r3]`"),
            ),
        }
    }

    fn string(&self, input: &'a str) -> Parsed<'a, OperandKind> {
        let (inside, _) = char('"').parse(input)?;
        let (rest, text) = take_while(|c| c != '"').parse(inside)?;
        match char::<_, SyntaxError<'_>>('"').parse(rest) {
            Ok((rest, _)) => Ok((rest, OperandKind::Text(text.to_owned()))),
            Err(_) => fail(input, input.len(), "this text does not end", Some("close it with `\"`")),
        }
    }

    fn operand(&self, input: &'a str) -> Parsed<'a, Rc<Operand>> {
        self.nodes_left.set(EXPRESSION_LIMIT);
        let (start, _) = blank(input)?;
        let expression = |input| self.expression(input).map(|(rest, e)| (rest, OperandKind::Expression(e)));
        let (rest, kind) = alt((|i| self.string(i), |i| self.memory(i), expression)).parse(start)?;
        Ok((rest, Rc::new(Operand { kind, span: self.span(start, rest) })))
    }

    fn operands(&self, input: &'a str) -> Parsed<'a, Vec<Rc<Operand>>> {
        let (mut rest, first) = self.operand(input)?;
        let mut operands = vec![first];
        while let Ok((after, _)) = symbol(',').parse(rest) {
            let (after, operand) = self.operand(after)?;
            operands.push(operand);
            rest = after;
        }
        Ok((rest, operands))
    }

    fn at_end(rest: &str) -> bool {
        rest.is_empty() || rest.starts_with([';', '#'])
    }

    fn statement(&self, input: &'a str) -> Parsed<'a, Statement> {
        let Ok((rest, word)) = recognize((opt(char('.')), name)).parse(input) else {
            return expected(input, "a label, an instruction or a directive", Some("a comment begins with `;` or `#`"));
        };
        let word_end = rest;
        if !Self::at_end(rest) && one_of::<_, _, SyntaxError<'_>>(" \t\r").parse(rest).is_err() {
            return expected(rest, "a blank after the first word", None);
        }
        let (mut rest, _) = blank(rest)?;
        let mut operands = Vec::new();
        // `.macro name first, second`: the name is not followed by a comma.
        if word == ".macro"
            && let Ok((after, name)) = name(rest)
        {
            let span = self.span(rest, after);
            let kind = OperandKind::Expression(Expression { kind: ExpressionKind::Name(name.to_owned()), span });
            operands.push(Rc::new(Operand { kind, span }));
            (rest, _) = (opt(symbol(',')), blank).parse(after)?;
        }
        if !Self::at_end(rest) {
            let (after, more) = self.operands(rest)?;
            operands.extend(more);
            rest = after;
        }
        let word = Name { text: word.to_owned(), span: self.span(input, word_end) };
        let end = operands.last().map_or(word.span, |last| last.span);
        Ok((rest, Statement { span: word.span.to(end), word, operands }))
    }

    /// A line's labels, and the rest of it.
    fn labels(&self, input: &'a str) -> (&'a str, Vec<Name>) {
        let mut labels = Vec::new();
        let mut rest = blank(input).map_or(input, |(rest, _)| rest);
        while let Ok((after, text)) = terminated(name, symbol(':')).parse(rest) {
            let span = Span { end: self.text.offset(rest) + text.len(), ..self.span(rest, after) };
            labels.push(Name { text: text.to_owned(), span });
            rest = blank(after).map_or(after, |(rest, _)| rest);
        }
        (rest, labels)
    }

    fn rest_of_line(&self, input: &'a str) -> Parsed<'a, Option<Rc<Statement>>> {
        if Self::at_end(input) {
            return Ok((input, None));
        }
        let (rest, statement) = self.statement(input)?;
        let (rest, _) = blank(rest)?;
        if Self::at_end(rest) {
            return Ok((rest, Some(Rc::new(statement))));
        }
        let help = if rest.starts_with(':') {
            "a colon follows a label only where it stands, not where it is used"
        } else {
            "operands are separated by commas; a comment begins with `;` or `#`"
        };
        expected(rest, "a comma or the end of the line", Some(help))
    }
}

/// All lines of a file that hold anything, and what is wrong with the others. The labels of a wrong line are kept.
pub(super) fn parse(file: usize, text: &str) -> (Vec<Line>, Vec<Diagnostic>) {
    let reader = Reader { file, text, nodes_left: Cell::new(0) };
    let (mut lines, mut diagnostics) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let (rest, labels) = reader.labels(line);
        let statement = match reader.rest_of_line(rest) {
            Ok((_, statement)) => statement,
            Err(nom::Err::Error(error) | nom::Err::Failure(error)) => {
                let start = text.offset(error.rest);
                let message =
                    if error.message.is_empty() { "this line is not understood".into() } else { error.message };
                let mut diagnostic = Diagnostic::new(start..start + error.length, message);
                if !error.label.is_empty() {
                    diagnostic = diagnostic.label(format!("expected {}", error.label));
                }
                diagnostic.help = error.help.map(str::to_owned);
                diagnostics.push(diagnostic);
                None
            }
            Err(nom::Err::Incomplete(_)) => None, // only streaming parsers say so
        };
        if !labels.is_empty() || statement.is_some() {
            lines.push(Line { labels, statement });
        }
    }
    (lines, diagnostics)
}
