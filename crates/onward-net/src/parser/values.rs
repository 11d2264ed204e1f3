//! Values: numbers and what is calculated with them, lists, constructors with their arguments, sources and options.

use super::{Parsed, Parser, Reported};
use crate::lexer::TokenKind;
use crate::syntax::{Constructor, Damage, Entry, Operation, Operator, Span, Value, ValueKind, Word};
use onward_diagnostic::Diagnostic;

/// Values within values, at most. Real networks need three; a stack overflow needs thousands.
const DEPTH_MAX: usize = 32;

/// Operations of one value, at most, for the same reason.
const OPERATIONS_MAX: usize = 64;

impl Parser<'_> {
    pub(super) fn value(&mut self) -> Parsed<Value> {
        let is_sum = |token: &TokenKind| match token {
            TokenKind::Plus => Some(Operator::Add),
            TokenKind::Minus => Some(Operator::Subtract),
            _ => None,
        };
        self.operations(is_sum, Self::product)
    }

    fn product(&mut self) -> Parsed<Value> {
        let is_product = |token: &TokenKind| match token {
            TokenKind::Star => Some(Operator::Multiply),
            TokenKind::Slash => Some(Operator::Divide),
            _ => None,
        };
        self.operations(is_product, Self::term)
    }

    /// Operands with operators between them, the leftmost first.
    fn operations(
        &mut self,
        operator: impl Fn(&TokenKind) -> Option<Operator>,
        operand: fn(&mut Self) -> Parsed<Value>,
    ) -> Parsed<Value> {
        let mut left = operand(self)?;
        let mut count = 0;
        while let Some(operator) = operator(self.peek()) {
            if count == OPERATIONS_MAX {
                let error = Diagnostic::new(self.span(), "this value is too long");
                return Err(self.report(error.note(format!("at most {OPERATIONS_MAX} operators may stand in a row"))));
            }
            count += 1;
            self.advance();
            let right = operand(self)?;
            let span = left.span.start..right.span.end;
            left = Value { kind: ValueKind::Operation(Box::new(Operation { left, operator, right })), span };
        }
        Ok(left)
    }

    fn term(&mut self) -> Parsed<Value> {
        let span = self.span();
        let kind = match self.peek().clone() {
            TokenKind::Integer(integer) => ValueKind::Integer(integer),
            TokenKind::Decimal(decimal) => ValueKind::Decimal(decimal),
            TokenKind::Text(text) => ValueKind::Text(text),
            TokenKind::Word(_) => {
                let constructor = self.constructor()?;
                let end = self.tokens[self.position - 1].span.end;
                return Ok(Value { kind: ValueKind::Constructor(constructor), span: span.start..end });
            }
            TokenKind::Minus => return self.nested(&span, Self::negative),
            TokenKind::OpenParenthesis => return self.nested(&span, Self::list),
            _ => return Err(self.expected("a value", "a value is a number, a string or a word such as `dense(64)`")),
        };
        self.advance();
        Ok(Value { kind, span })
    }

    fn negative(&mut self) -> Parsed<Value> {
        let start = self.span().start;
        self.advance();
        let value = self.term()?;
        let kind = match value.kind {
            ValueKind::Integer(integer) => ValueKind::Integer(-integer),
            ValueKind::Decimal(decimal) => ValueKind::Decimal(-decimal),
            _ => ValueKind::Negative(Box::new(value.clone())),
        };
        Ok(Value { kind, span: start..value.span.end })
    }

    fn list(&mut self) -> Parsed<Value> {
        let open = self.span();
        self.advance();
        let values = self.arguments(&open)?;
        let span = open.start..self.tokens[self.position - 1].span.end;
        let before_close = self.tokens[..self.position - 1].iter().rev().find(|token| token.kind != TokenKind::Newline);
        let ends_in_comma = before_close.is_some_and(|token| token.kind == TokenKind::Comma);
        match <[Value; 1]>::try_from(values) {
            Ok([value]) if !ends_in_comma => Ok(Value { kind: value.kind, span }),
            Ok([value]) => Ok(Value { kind: ValueKind::List(vec![value]), span }),
            Err(values) => Ok(Value { kind: ValueKind::List(values), span }),
        }
    }

    /// Parses something one level deeper, unless that is too deep.
    fn nested<T>(&mut self, span: &Span, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == DEPTH_MAX {
            let error = Diagnostic::new(span.clone(), "values are nested too deeply");
            return Err(self.report(error.note(format!("at most {DEPTH_MAX} may stand within each other"))));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn constructor(&mut self) -> Parsed<Constructor> {
        let word = self.word("a word", "")?;
        self.nested(&word.span.clone(), |parser| parser.constructor_of(word))
    }

    fn constructor_of(&mut self, word: Word) -> Parsed<Constructor> {
        let (mut arguments, mut sources, mut options) = (Vec::new(), Vec::new(), Vec::new());
        let mut is_partial = false;
        let open = self.span();
        if self.accept(&TokenKind::OpenParenthesis) {
            match self.arguments(&open) {
                Ok(list) => arguments = list,
                Err(Reported) => is_partial = true,
            }
        }
        if self.accept_on_next_line(|kind| matches!(kind, TokenKind::Word(word) if word == "from")) {
            match self.sources() {
                Ok(list) => sources = list,
                Err(Reported) => is_partial = true,
            }
        }
        let open = self.span_on_next_line();
        if self.accept_on_next_line(|kind| kind == &TokenKind::OpenBrace) {
            for entry in self.entries(&open) {
                match entry {
                    Entry::Setting(setting) => options.push(setting),
                    Entry::Item(item) => {
                        let error = Diagnostic::new(item.kind.span.start..item.name.span.end, "an option has one name");
                        self.report(error.help(format!("write `{} = ...`", item.name.text)));
                        self.damage = self.damage.max(Damage::Values);
                    }
                }
            }
        }
        if is_partial {
            self.damage = self.damage.max(Damage::Values);
        }
        Ok(Constructor { word, arguments, sources, options, is_partial })
    }

    /// Arguments up to the `)` that closes the parenthesis at `open`. After an error goes on behind that, or at what
    /// cannot be in a list.
    fn arguments(&mut self, open: &Span) -> Parsed<Vec<Value>> {
        let mut arguments = Vec::new();
        loop {
            self.skip_newlines();
            if self.accept(&TokenKind::CloseParenthesis) {
                return Ok(arguments);
            }
            match self.value() {
                Ok(value) => arguments.push(value),
                Err(Reported) => break,
            }
            let line_end = self.position;
            self.skip_newlines();
            if self.accept(&TokenKind::Comma) || self.peek() == &TokenKind::CloseParenthesis {
                continue;
            }
            let is_same_line = line_end == self.position;
            match self.peek() {
                TokenKind::Equals => {
                    self.expected("`,` or `)`", "arguments have no names; options, in `{ }`, have");
                }
                TokenKind::Word(word) if word != "from" && is_same_line => {
                    self.expected("`,` or `)`", "arguments are separated by commas");
                }
                TokenKind::Integer(_) | TokenKind::Decimal(_) | TokenKind::Text(_) if is_same_line => {
                    self.expected("`,` or `)`", "arguments are separated by commas");
                }
                TokenKind::Bad => {}
                _ => {
                    let error = Diagnostic::new(open.clone(), "this `(` is never closed").label("opened here");
                    self.report(error.help("add the `)` that belongs to it"));
                }
            }
            self.position = line_end;
            break;
        }
        self.skip_arguments();
        Err(Reported)
    }

    fn skip_arguments(&mut self) {
        let mut parentheses = 0_usize;
        loop {
            match self.peek() {
                TokenKind::End | TokenKind::Newline | TokenKind::OpenBrace | TokenKind::CloseBrace => return,
                TokenKind::Word(word) if word == "from" => return,
                TokenKind::OpenParenthesis => parentheses += 1,
                TokenKind::CloseParenthesis if parentheses == 0 => {
                    self.advance();
                    return;
                }
                TokenKind::CloseParenthesis => parentheses -= 1,
                _ => {}
            }
            self.advance();
        }
    }

    /// The names after `from`. After an error goes on at the options or the end of the line.
    fn sources(&mut self) -> Parsed<Vec<Word>> {
        let mut sources = Vec::new();
        loop {
            let before = self.tokens[self.position - 1].span.clone();
            self.skip_newlines();
            let is_new_line = self.tokens[self.position - 1].kind == TokenKind::Newline;
            if is_new_line && self.is_entry_start() || self.peek() == &TokenKind::CloseBrace {
                let what = if sources.is_empty() { "`from`" } else { "this comma" };
                self.report(Diagnostic::new(before, format!("a source is missing after {what}")));
                return Err(Reported);
            }
            match self.word("the name of a source", "write `from NAME` or `from NAME, NAME`") {
                Ok(word) => sources.push(word),
                Err(Reported) => break,
            }
            if self.accept(&TokenKind::Comma) {
                continue;
            }
            match self.peek() {
                TokenKind::Word(_) => {
                    self.expected("`,` or the end of the line", "sources are separated by commas");
                    break;
                }
                TokenKind::Bad => break,
                _ => return Ok(sources),
            }
        }
        while !matches!(self.peek(), TokenKind::End | TokenKind::Newline | TokenKind::OpenBrace | TokenKind::CloseBrace)
        {
            self.advance();
        }
        Err(Reported)
    }
}
