//! Expressions: what stands behind `print`, `watch` and `if`, as a tree.
//!
//! ```text
//! r3   v1[5]   p0   vl   step   membrane[3]   hidden1.membrane[0..16]   @2.weights[7][0..4]   n32[12]
//! r3 > 10 && hidden1.count[54] == 0
//! ```

use onward_isa::Space;

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expression {
    Number(i64),
    Reference(Reference),
    Unary(char, Box<Expression>),
    Binary(&'static str, Box<Expression>, Box<Expression>),
}

/// A name with what stands around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// Whose it is, if that is said.
    pub scope: Option<Scope>,
    pub name: String,
    pub indices: Vec<Index>,
}

/// Whose array is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// A block, by its logical number (`@2`).
    Block(u32),
    /// A population, by its name.
    Population(String),
}

/// What stands in brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Index {
    One(Expression),
    /// From the first to before the last.
    Range(Expression, Expression),
}

/// Operators of two operands, by how strongly they bind; longer ones before their beginnings.
const LEVELS: [&[&str]; 5] = [&["||"], &["&&"], &["==", "!=", "<=", ">=", "<", ">"], &["+", "-"], &["*", "/", "%"]];

/// Reads a whole text.
///
/// # Errors
/// It is no expression; a message says where.
pub(crate) fn parse(text: &str) -> Result<Expression, String> {
    let mut parser = Parser { text, at: 0 };
    let expression = parser.level(0)?;
    match parser.rest() {
        "" => Ok(expression),
        rest => Err(format!("`{rest}` does not go on an expression")),
    }
}

/// Reads a reference at the beginning of a text, and gives what follows it.
///
/// # Errors
/// There is none.
pub(crate) fn parse_reference(text: &str) -> Result<(Reference, &str), String> {
    let mut parser = Parser { text, at: 0 };
    let reference = parser.reference()?;
    Ok((reference, parser.rest()))
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    /// What has not been read, without blanks at its beginning.
    fn rest(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        &self.text[self.at..]
    }

    fn take(&mut self, token: &str) -> bool {
        let is_there = self.rest().starts_with(token);
        self.at += if is_there { token.len() } else { 0 };
        is_there
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        if self.take(token) { Ok(()) } else { Err(format!("`{token}` is missing {}", self.before())) }
    }

    fn before(&mut self) -> String {
        match self.rest() {
            "" => "at the end".to_owned(),
            rest => format!("before `{rest}`"),
        }
    }

    fn level(&mut self, level: usize) -> Result<Expression, String> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.level(level + 1)?;
        while let Some(operator) = operators.iter().find(|operator| self.rest().starts_with(**operator)) {
            self.take(operator);
            left = Expression::Binary(operator, Box::new(left), Box::new(self.level(level + 1)?));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expression, String> {
        for operator in ['-', '!'] {
            if self.take(operator.encode_utf8(&mut [0; 4])) {
                return Ok(Expression::Unary(operator, Box::new(self.unary()?)));
            }
        }
        if self.take("(") {
            let inner = self.level(0)?;
            self.expect(")")?;
            return Ok(inner);
        }
        if self.rest().starts_with(|first: char| first.is_ascii_digit()) {
            return Ok(Expression::Number(self.number()?));
        }
        Ok(Expression::Reference(self.reference()?))
    }

    fn number(&mut self) -> Result<i64, String> {
        let word = self.word();
        let parsed = match word.strip_prefix("0x") {
            Some(digits) => i64::from_str_radix(digits, 16),
            None => word.parse(),
        };
        parsed.map_err(|_| format!("`{word}` is no number"))
    }

    /// Letters, digits and underscores.
    fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn name(&mut self) -> Result<String, String> {
        match self.word() {
            "" => Err(format!("a name or a number is missing {}", self.before())),
            word => Ok(word.to_owned()),
        }
    }

    fn reference(&mut self) -> Result<Reference, String> {
        let mut scope = None;
        let mut name = if self.take("@") {
            let number = self.number()?;
            scope = Some(Scope::Block(u32::try_from(number).map_err(|_| format!("there is no block {number}"))?));
            self.expect(".")?;
            self.name()?
        } else {
            self.take("$"); // as other debuggers have it
            self.name()?
        };
        if scope.is_none() && self.rest().starts_with('.') && !self.rest().starts_with("..") {
            self.take(".");
            scope = Some(Scope::Population(std::mem::replace(&mut name, self.name()?)));
        }
        let mut indices = Vec::new();
        while self.take("[") {
            let first = self.level(0)?;
            indices.push(if self.take("..") { Index::Range(first, self.level(0)?) } else { Index::One(first) });
            self.expect("]")?;
        }
        Ok(Reference { scope, name, indices })
    }
}

/// A memory and an element width as assembly has them: `n32`, `s8`.
pub(crate) fn memory_name(name: &str) -> Option<(Space, onward_isa::Width)> {
    let space = Space::ALL.into_iter().find(|space| name.starts_with(space.letter()) && *space != Space::Event)?;
    let width = onward_isa::Width::from_bits(name.strip_prefix(space.letter())?.parse().ok()?)?;
    Some((space, width))
}
