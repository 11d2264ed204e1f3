//! From text to tree.

use super::{FUNCTIONS, Kind, Node, Operator};
use onward_diagnostic::did_you_mean;
use std::ops::Range;

/// What is wrong with the text of an expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// What is wrong.
    pub message: String,
    /// Bytes of the text.
    pub span: Range<usize>,
    /// What would help.
    pub help: String,
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(f64),
    Word(String),
    Name(String),
    Mark(&'static str),
    End,
}

/// Marks, the longer ones before those that they begin with.
const MARKS: [&str; 17] =
    ["<=", ">=", "==", "!=", "<", ">", "+", "-", "*", "/", "^", "(", ")", ",", "and", "or", "not"];

/// Operators by how strongly they bind, the weakest first.
const LEVELS: [&[(&str, Operator)]; 5] = [
    &[("or", Operator::Or)],
    &[("and", Operator::And)],
    &[
        ("==", Operator::Equal),
        ("!=", Operator::Unequal),
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("<", Operator::Less),
        (">", Operator::Greater),
    ],
    &[("+", Operator::Add), ("-", Operator::Subtract)],
    &[("*", Operator::Multiply), ("/", Operator::Divide)],
];

/// How deep parentheses may stand.
const DEEPEST: usize = 64;

pub(super) fn parse(text: &str) -> Result<Node, SyntaxError> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0 };
    let node = parser.level(0)?;
    match parser.peek() {
        (Token::End, _) => Ok(node),
        (_, span) => Err(error("this is one thing too many", span, "write one expression, as in `a * b + 1`")),
    }
}

fn error(message: impl Into<String>, span: Range<usize>, help: impl Into<String>) -> SyntaxError {
    SyntaxError { message: message.into(), span, help: help.into() }
}

fn tokens(text: &str) -> Result<Vec<(Token, Range<usize>)>, SyntaxError> {
    let mut found = Vec::new();
    let mut at = 0;
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '.';
    while let Some(letter) = text[at..].chars().next() {
        let rest = &text[at..];
        let (token, length) = if letter.is_whitespace() {
            at += letter.len_utf8();
            continue;
        } else if letter == '\'' || letter == '"' {
            let Some(end) = rest[1..].find(letter) else {
                return Err(error("the word does not end", at..text.len(), format!("close it with {letter}")));
            };
            (Token::Word(rest[1..=end].to_owned()), end + 2)
        } else if letter.is_ascii_digit() {
            number(rest).map_err(|length| {
                error(format!("`{}` is not a number", &rest[..length]), at..at + length, "write it as 12, 0.5 or 1e-6")
            })?
        } else if letter.is_alphabetic() || letter == '_' {
            let length = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
            let name = &rest[..length];
            let mark = MARKS.into_iter().find(|mark| *mark == name);
            (mark.map_or_else(|| Token::Name(name.to_owned()), Token::Mark), length)
        } else if let Some(mark) = MARKS.into_iter().find(|mark| rest.starts_with(mark)) {
            (Token::Mark(mark), mark.len())
        } else {
            let help = "there are numbers, names, 'words', + - * / ^ ( ) and < <= > >= == != and or not";
            return Err(error(format!("`{letter}` means nothing here"), at..at + letter.len_utf8(), help));
        };
        found.push((token, at..at + length));
        at += length;
    }
    found.push((Token::End, text.len()..text.len()));
    Ok(found)
}

/// The number that a text begins with, and its length; else the length of what is none.
fn number(text: &str) -> Result<(Token, usize), usize> {
    let bytes = text.as_bytes();
    let mut length = 0;
    while let Some(&byte) = bytes.get(length) {
        let after_exponent = length > 0 && matches!(bytes[length - 1], b'e' | b'E');
        let is_part = byte.is_ascii_alphanumeric()
            || matches!(byte, b'.' | b'_')
            || after_exponent && matches!(byte, b'+' | b'-');
        if !is_part {
            break;
        }
        length += 1;
    }
    let parsed = text[..length].replace('_', "").parse::<f64>().ok().filter(|number| number.is_finite());
    parsed.map(|number| (Token::Number(number), length)).ok_or(length)
}

struct Parser {
    tokens: Vec<(Token, Range<usize>)>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> (&Token, Range<usize>) {
        let (token, span) = &self.tokens[self.at.min(self.tokens.len() - 1)];
        (token, span.clone())
    }

    fn take(&mut self, mark: &str) -> Option<Range<usize>> {
        let (token, span) = self.peek();
        if *token != Token::Mark(MARKS.into_iter().find(|known| *known == mark)?) {
            return None;
        }
        self.at += 1;
        Some(span)
    }

    fn level(&mut self, level: usize) -> Result<Node, SyntaxError> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.level(level + 1)?;
        while let Some(&(_, operator)) = operators.iter().find(|(mark, _)| self.take(mark).is_some()) {
            let right = self.level(level + 1)?;
            left =
                Node { span: left.span.start..right.span.end, kind: Kind::Binary(operator, Box::new([left, right])) };
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Node, SyntaxError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            let (_, span) = self.peek();
            return Err(error("this is nested too deeply", span, "write it with fewer parentheses"));
        }
        let node = if let Some(span) = self.take("-") {
            let inner = self.unary()?;
            Node { span: span.start..inner.span.end, kind: Kind::Negative(Box::new(inner)) }
        } else if let Some(span) = self.take("not") {
            // Weaker than a comparison, as people say it: not (a < b).
            let inner = self.level(2)?;
            Node { span: span.start..inner.span.end, kind: Kind::Not(Box::new(inner)) }
        } else {
            let base = self.atom()?;
            match self.take("^") {
                Some(_) => {
                    let exponent = self.unary()?;
                    Node {
                        span: base.span.start..exponent.span.end,
                        kind: Kind::Binary(Operator::Power, Box::new([base, exponent])),
                    }
                }
                None => base,
            }
        };
        self.depth -= 1;
        Ok(node)
    }

    fn atom(&mut self) -> Result<Node, SyntaxError> {
        let (token, span) = self.peek();
        let token = token.clone();
        self.at += 1;
        let kind = match token {
            Token::Number(number) => Kind::Number(number),
            Token::Word(word) => Kind::Word(word),
            Token::Name(name) => match self.take("(") {
                Some(_) => return self.call(&name, span),
                None => Kind::Name(name),
            },
            Token::Mark("(") => {
                let inner = self.level(0)?;
                let end = self.close()?;
                return Ok(Node { span: span.start..end.end, ..inner });
            }
            Token::Mark(mark) => {
                return Err(error(
                    format!("`{mark}` stands where a value must be"),
                    span,
                    "write a number or a name here",
                ));
            }
            Token::End => return Err(error("a value is missing at the end", span, "write a number or a name here")),
        };
        Ok(Node { span, kind })
    }

    fn close(&mut self) -> Result<Range<usize>, SyntaxError> {
        self.take(")").ok_or_else(|| error("a parenthesis is not closed", self.peek().1, "write `)`"))
    }

    fn call(&mut self, name: &str, span: Range<usize>) -> Result<Node, SyntaxError> {
        let Some(&(_, function, least, most)) = FUNCTIONS.iter().find(|(known, ..)| *known == name) else {
            let help = did_you_mean(name, FUNCTIONS.map(|(known, ..)| known), "there are ");
            return Err(error(format!("there is no function `{name}`"), span, help));
        };
        let mut arguments = vec![self.level(0)?];
        while self.take(",").is_some() {
            arguments.push(self.level(0)?);
        }
        let end = self.close()?;
        if !(least..=most).contains(&arguments.len()) {
            return Err(error(format!("`{name}` takes {least} argument"), span.start..end.end, "leave the others out"));
        }
        Ok(Node { span: span.start..end.end, kind: Kind::Call(function, arguments) })
    }
}
