//! What the parser makes of a text: lines with labels, a word and its operands.

use std::{fmt, rc::Rc};

/// A byte range of one of the assembler's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub file: usize,
    pub start: usize,
    pub end: usize,
}

/// A name where it stands.
#[derive(Clone, Debug)]
pub(super) struct Name {
    pub text: String,
    pub span: Span,
}

/// A line that is not empty.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub labels: Vec<Name>,
    pub statement: Option<Rc<Statement>>,
}

/// An instruction, a call of a macro or a directive.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    /// The mnemonic, the macro's name, or the directive with its dot.
    pub word: Name,
    pub operands: Vec<Rc<Operand>>,
    pub span: Span,
}

/// An operand of an instruction, an argument of a macro or of a directive.
#[derive(Clone, Debug)]
pub(super) struct Operand {
    pub kind: OperandKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub(super) enum OperandKind {
    /// A number, a register, a label, a special register's name.
    Expression(Expression),
    /// `n32[base]`, `s16[row base]`, `n32[base : stride]`.
    Memory { memory: Name, row: bool, base: Expression, stride: Option<Expression> },
    /// `"text"`, without the quotes.
    Text(String),
}

#[derive(Clone, Debug)]
pub(super) struct Expression {
    pub kind: ExpressionKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub(super) enum ExpressionKind {
    Number(i64),
    Name(String),
    Unary(UnaryOperator, Box<Expression>),
    Binary(BinaryOperator, Box<Expression>, Box<Expression>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UnaryOperator {
    Plus,
    Minus,
    Not,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BinaryOperator {
    Multiply,
    Divide,
    Remainder,
    Add,
    Subtract,
    ShiftLeft,
    ShiftRight,
    And,
    Or,
}

impl BinaryOperator {
    /// All operators; those with two characters first, so that none hides another.
    pub const ALL: [BinaryOperator; 9] = [
        BinaryOperator::ShiftLeft,
        BinaryOperator::ShiftRight,
        BinaryOperator::Multiply,
        BinaryOperator::Divide,
        BinaryOperator::Remainder,
        BinaryOperator::Add,
        BinaryOperator::Subtract,
        BinaryOperator::And,
        BinaryOperator::Or,
    ];

    pub fn symbol(self) -> &'static str {
        match self {
            BinaryOperator::Multiply => "*",
            BinaryOperator::Divide => "/",
            BinaryOperator::Remainder => "%",
            BinaryOperator::Add => "+",
            BinaryOperator::Subtract => "-",
            BinaryOperator::ShiftLeft => "<<",
            BinaryOperator::ShiftRight => ">>",
            BinaryOperator::And => "&",
            BinaryOperator::Or => "|",
        }
    }

    /// How tightly it binds, as in C and Rust.
    pub fn precedence(self) -> u8 {
        match self {
            BinaryOperator::Multiply | BinaryOperator::Divide | BinaryOperator::Remainder => 5,
            BinaryOperator::Add | BinaryOperator::Subtract => 4,
            BinaryOperator::ShiftLeft | BinaryOperator::ShiftRight => 3,
            BinaryOperator::And => 2,
            BinaryOperator::Or => 1,
        }
    }
}

impl fmt::Display for BinaryOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.symbol())
    }
}

impl Span {
    /// Whether another lies inside.
    pub fn contains(self, other: Span) -> bool {
        self.file == other.file && self.start <= other.start && other.end <= self.end
    }

    /// The text from the start of one span to the end of another, in the same file.
    pub fn to(self, end: Span) -> Span {
        Span { end: end.end.max(self.start), ..self }
    }
}

impl Operand {
    /// The name, if the operand is nothing but a name.
    pub fn as_name(&self) -> Option<&str> {
        match &self.kind {
            OperandKind::Expression(Expression { kind: ExpressionKind::Name(name), .. }) => Some(name),
            _ => None,
        }
    }
}
