//! Expressions over parameters and measures: conditions, constraints, objectives.
//!
//! Numbers, words in quotes, names with their dots, `+ - * / ^`, comparisons, `and`, `or`, `not`, and a few functions. A mistake
//! is told with its place in the text.

mod parse;

use crate::Value;
use std::ops::Range;

pub use parse::SyntaxError;

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    /// As it was written.
    pub text: String,
    root: Node,
}

#[derive(Clone, Debug, PartialEq)]
struct Node {
    /// Bytes of the text.
    span: Range<usize>,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Number(f64),
    Word(String),
    Name(String),
    Negative(Box<Node>),
    Not(Box<Node>),
    Binary(Operator, Box<[Node; 2]>),
    Call(Function, Vec<Node>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Or,
    And,
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Minimum,
    Maximum,
    Logarithm,
    BinaryLogarithm,
    Root,
    Absolute,
}

/// Functions by name, with how many arguments they take at least and at most.
const FUNCTIONS: [(&str, Function, usize, usize); 6] = [
    ("min", Function::Minimum, 1, usize::MAX),
    ("max", Function::Maximum, 1, usize::MAX),
    ("log", Function::Logarithm, 1, 1),
    ("log2", Function::BinaryLogarithm, 1, 1),
    ("sqrt", Function::Root, 1, 1),
    ("abs", Function::Absolute, 1, 1),
];

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NoValue {
    /// Something is divided by 0.
    #[error("divides by zero: `{divisor}` is 0")]
    DivisionByZero {
        /// The divisor as written.
        divisor: String,
        /// Where it stands.
        span: Range<usize>,
    },
    /// A parameter whose condition does not hold, or a measure that this run has not.
    #[error("there is no `{name}` here")]
    Absent {
        /// Its name.
        name: String,
    },
    /// A word where a number must be, or the other way round.
    #[error("`{text}` is not a {wanted}")]
    Kind {
        /// The part as written.
        text: String,
        /// What must be there.
        wanted: &'static str,
    },
    /// The root of a negative number, the logarithm of 0.
    #[error("`{text}` has no value")]
    Undefined {
        /// The part as written.
        text: String,
    },
}

/// A value on the way.
#[derive(Clone, Debug, PartialEq)]
enum Found {
    Number(f64),
    Word(String),
    Truth(bool),
}

impl Expression {
    /// Parses a text.
    ///
    /// # Errors
    /// What is wrong, with its place in the text.
    pub fn parse(text: &str) -> Result<Expression, SyntaxError> {
        Ok(Expression { text: text.to_owned(), root: parse::parse(text)? })
    }

    /// The names in it, each with its place, in their order.
    pub fn names(&self) -> Vec<(&str, Range<usize>)> {
        let mut found = Vec::new();
        self.root.visit(&mut |node| {
            if let Kind::Name(name) = &node.kind {
                found.push((name.as_str(), node.span.clone()));
            }
        });
        found
    }

    /// What is divided by, each as an expression with its place.
    pub fn divisors(&self) -> Vec<(Expression, Range<usize>)> {
        let mut found = Vec::new();
        self.root.visit(&mut |node| {
            if let Kind::Binary(Operator::Divide, sides) = &node.kind {
                let divisor = sides[1].clone();
                found.push((Expression { text: self.text.clone(), root: divisor.clone() }, divisor.span));
            }
        });
        found
    }

    /// Whether it says yes or no, and does not give a number.
    pub fn is_condition(&self) -> bool {
        match &self.root.kind {
            Kind::Not(_) => true,
            Kind::Binary(operator, _) => !operator.is_arithmetic(),
            _ => false,
        }
    }

    /// Where it is a comparison with a number: the other side as written, and from where to where that may lie.
    pub fn bounds(&self) -> Option<(&str, f64, f64)> {
        let Kind::Binary(operator, sides) = &self.root.kind else { return None };
        let number = |node: &Node| match &node.kind {
            Kind::Number(number) => Some(*number),
            Kind::Negative(inner) => match &inner.kind {
                Kind::Number(number) => Some(-number),
                _ => None,
            },
            _ => None,
        };
        let (side, number, is_left) = match (number(&sides[0]), number(&sides[1])) {
            (None, Some(number)) => (&sides[0], number, true),
            (Some(number), None) => (&sides[1], number, false),
            _ => return None,
        };
        let (lowest, highest) = match operator {
            Operator::Equal => (number, number),
            Operator::Less | Operator::LessOrEqual if is_left => (f64::NEG_INFINITY, number),
            Operator::Greater | Operator::GreaterOrEqual if !is_left => (f64::NEG_INFINITY, number),
            Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
                (number, f64::INFINITY)
            }
            _ => return None,
        };
        Some((&self.text[side.span.clone()], lowest, highest))
    }

    /// Its number, where `find` gives what names stand for.
    ///
    /// # Errors
    /// It has none: [`NoValue`].
    pub fn number(&self, find: &dyn Fn(&str) -> Option<Value>) -> Result<f64, NoValue> {
        self.root.number(&self.text, find)
    }

    /// Whether it holds.
    ///
    /// # Errors
    /// It says neither: [`NoValue`].
    pub fn holds(&self, find: &dyn Fn(&str) -> Option<Value>) -> Result<bool, NoValue> {
        self.root.truth(&self.text, find)
    }

    /// By how much a comparison of numbers is missed, relative to them; 0 where it holds, 1 where that cannot be said.
    pub fn missed(&self, find: &dyn Fn(&str) -> Option<Value>) -> Result<f64, NoValue> {
        if self.holds(find)? {
            return Ok(0.0);
        }
        if let Kind::Binary(operator, sides) = &self.root.kind
            && operator.is_comparison()
            && let (Ok(left), Ok(right)) = (sides[0].number(&self.text, find), sides[1].number(&self.text, find))
        {
            let scale = left.abs().max(right.abs()).max(f64::MIN_POSITIVE);
            return Ok(((left - right).abs() / scale).max(1e-9));
        }
        Ok(1.0)
    }
}

impl Operator {
    fn is_arithmetic(self) -> bool {
        use Operator::{Add, Divide, Multiply, Power, Subtract};
        matches!(self, Add | Subtract | Multiply | Divide | Power)
    }

    fn is_comparison(self) -> bool {
        !self.is_arithmetic() && !matches!(self, Operator::And | Operator::Or)
    }
}

impl Node {
    fn visit<'a>(&'a self, look: &mut impl FnMut(&'a Node)) {
        look(self);
        match &self.kind {
            Kind::Number(_) | Kind::Word(_) | Kind::Name(_) => {}
            Kind::Negative(inner) | Kind::Not(inner) => inner.visit(look),
            Kind::Binary(_, sides) => sides.iter().for_each(|side| side.visit(look)),
            Kind::Call(_, arguments) => arguments.iter().for_each(|argument| argument.visit(look)),
        }
    }

    fn kind_error(&self, text: &str, wanted: &'static str) -> NoValue {
        NoValue::Kind { text: text[self.span.clone()].to_owned(), wanted }
    }

    fn number(&self, text: &str, find: &dyn Fn(&str) -> Option<Value>) -> Result<f64, NoValue> {
        match self.value(text, find)? {
            Found::Number(number) if number.is_finite() => Ok(number),
            Found::Number(_) => Err(NoValue::Undefined { text: text[self.span.clone()].to_owned() }),
            _ => Err(self.kind_error(text, "number")),
        }
    }

    fn truth(&self, text: &str, find: &dyn Fn(&str) -> Option<Value>) -> Result<bool, NoValue> {
        match self.value(text, find)? {
            Found::Truth(truth) => Ok(truth),
            _ => Err(self.kind_error(text, "condition")),
        }
    }

    fn value(&self, text: &str, find: &dyn Fn(&str) -> Option<Value>) -> Result<Found, NoValue> {
        Ok(match &self.kind {
            Kind::Number(number) => Found::Number(*number),
            Kind::Word(word) => Found::Word(word.clone()),
            Kind::Name(name) => match find(name) {
                Some(Value::Word(word)) => Found::Word(word),
                Some(value) => Found::Number(value.number().unwrap_or(f64::NAN)),
                None => return Err(NoValue::Absent { name: name.clone() }),
            },
            Kind::Negative(inner) => Found::Number(-inner.number(text, find)?),
            Kind::Not(inner) => Found::Truth(!inner.truth(text, find)?),
            Kind::Binary(operator, sides) => return binary(*operator, sides, text, find),
            Kind::Call(function, arguments) => {
                let numbers: Vec<f64> =
                    arguments.iter().map(|argument| argument.number(text, find)).collect::<Result<_, _>>()?;
                Found::Number(function.of(&numbers))
            }
        })
    }
}

fn binary(
    operator: Operator,
    [left, right]: &[Node; 2],
    text: &str,
    find: &dyn Fn(&str) -> Option<Value>,
) -> Result<Found, NoValue> {
    use Operator::{
        Add, And, Divide, Equal, Greater, GreaterOrEqual, Less, LessOrEqual, Multiply, Or, Power, Subtract, Unequal,
    };
    match operator {
        // What decides alone is enough: the other side may have no value then.
        Or => return Ok(Found::Truth(left.truth(text, find)? || right.truth(text, find)?)),
        And => return Ok(Found::Truth(left.truth(text, find)? && right.truth(text, find)?)),
        Equal | Unequal => {
            let (a, b) = (left.value(text, find)?, right.value(text, find)?);
            if std::mem::discriminant(&a) != std::mem::discriminant(&b) {
                let wanted = if matches!(a, Found::Word(_)) { "word" } else { "number" };
                return Err(right.kind_error(text, wanted));
            }
            return Ok(Found::Truth((a == b) == (operator == Equal)));
        }
        _ => {}
    }
    let (a, b) = (left.number(text, find)?, right.number(text, find)?);
    Ok(match operator {
        Less => Found::Truth(a < b),
        LessOrEqual => Found::Truth(a <= b),
        Greater => Found::Truth(a > b),
        GreaterOrEqual => Found::Truth(a >= b),
        Add => Found::Number(a + b),
        Subtract => Found::Number(a - b),
        Multiply => Found::Number(a * b),
        Power => Found::Number(a.powf(b)),
        Divide if b.abs() == 0.0 => {
            return Err(NoValue::DivisionByZero {
                divisor: text[right.span.clone()].to_owned(),
                span: right.span.clone(),
            });
        }
        Divide => Found::Number(a / b),
        Or | And | Equal | Unequal => unreachable!("answered above"),
    })
}

impl Function {
    fn of(self, numbers: &[f64]) -> f64 {
        let first = numbers.first().copied().unwrap_or(f64::NAN);
        match self {
            Function::Minimum => numbers.iter().copied().fold(f64::INFINITY, f64::min),
            Function::Maximum => numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            Function::Logarithm => first.ln(),
            Function::BinaryLogarithm => first.log2(),
            Function::Root => first.sqrt(),
            Function::Absolute => first.abs(),
        }
    }
}
