//! Scopes, names and the values of expressions.

use super::{
    problem::{Fault, Place, Problem, ScopeId},
    syntax::{BinaryOperator, Expression, ExpressionKind, Operand, OperandKind, UnaryOperator},
};
use crate::{Space, table::RegisterKind};
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};

/// So deep may expressions and the constants in them nest.
const DEPTH_LIMIT: usize = 400;

/// What an expression stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Number(i64),
    /// The number of a word of the program.
    Code(i64),
    /// A register and what is added to it.
    Register(RegisterKind, u8, i64),
}

/// What a name stands for.
#[derive(Debug)]
pub(super) struct Symbol {
    /// Where it was defined.
    pub place: Place,
    pub kind: SymbolKind,
}

#[derive(Debug)]
pub(super) enum SymbolKind {
    Constant {
        expression: Expression,
        state: RefCell<ConstantState>,
    },
    Register(RegisterKind, u8),
    /// A label; it has no address before the layout has come to it.
    Label(Cell<Option<Address>>),
    /// A macro's parameter: the argument, and the scope of the call.
    Parameter(Rc<Operand>, ScopeId),
}

#[derive(Clone, Debug)]
pub(super) enum ConstantState {
    Pending,
    Running,
    Known(Value),
    Failed,
}

/// Where a label points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// A word of the program.
    Code(u32),
    /// A byte of a memory.
    Data(Space, u32),
}

/// The call that a scope expands.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub place: Place,
    pub name: String,
}

/// The names of the program or of one expansion of a macro.
#[derive(Debug, Default)]
pub(super) struct Scope {
    pub symbols: HashMap<String, Symbol>,
    pub call: Option<Call>,
}

/// All names of a program.
#[derive(Debug)]
pub(super) struct Scopes(pub Vec<Scope>);

impl Scopes {
    /// The symbol a name stands for in a scope, and the scope that defines it.
    pub fn find(&self, name: &str, scope: ScopeId) -> Option<&Symbol> {
        self.0[scope].symbols.get(name).or_else(|| self.0[0].symbols.get(name))
    }

    /// The names visible in a scope, in alphabetical order.
    pub fn visible(&self, scope: ScopeId) -> Vec<&str> {
        let mut names: Vec<&str> =
            self.0[scope].symbols.keys().chain(self.0[0].symbols.keys()).map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The operand itself, or where it is a macro's parameter the argument, with the scope it belongs to.
    pub fn resolve<'a>(&'a self, operand: &'a Rc<Operand>, scope: ScopeId) -> (&'a Rc<Operand>, ScopeId) {
        let (mut operand, mut scope) = (operand, scope);
        while let Some(name) = operand.as_name()
            && let Some(Symbol { kind: SymbolKind::Parameter(argument, caller), .. }) = self.find(name, scope)
        {
            (operand, scope) = (argument, *caller);
        }
        (operand, scope)
    }

    /// The value of an expression.
    pub fn evaluate(&self, expression: &Expression, scope: ScopeId) -> Result<Value, Fault> {
        self.value(expression, scope, 0)
    }

    /// The value of a name.
    pub fn named(&self, name: &str, place: Place) -> Result<Value, Fault> {
        self.name(name, place, 0)
    }

    /// The value of an expression that must be a number, such as `what` takes.
    pub fn number(&self, operand: &Rc<Operand>, scope: ScopeId, what: &str) -> Result<i64, Fault> {
        let (operand, scope) = self.resolve(operand, scope);
        let place = Place { span: operand.span, scope };
        let found = match &operand.kind {
            OperandKind::Expression(expression) => match self.evaluate(expression, scope)? {
                Value::Number(number) => return Ok(number),
                Value::Code(_) => "a code label",
                Value::Register(..) => "a register",
            },
            OperandKind::Memory { .. } => "a memory operand",
            OperandKind::Text(_) => "a text",
        };
        Err(Problem::new(place, format!("{what} takes a number, found {found}")).label("expected a number").into())
    }

    fn value(&self, expression: &Expression, scope: ScopeId, depth: usize) -> Result<Value, Fault> {
        let place = Place { span: expression.span, scope };
        if depth > DEPTH_LIMIT {
            return Err(Problem::new(place, "this expression or the constants in it nest too deep").into());
        }
        match &expression.kind {
            ExpressionKind::Number(number) => Ok(Value::Number(*number)),
            ExpressionKind::Name(name) => self.name(name, place, depth),
            ExpressionKind::Unary(operator, inner) => {
                let inner = self.value(inner, scope, depth + 1)?;
                let Value::Number(number) = inner else {
                    return Err(not_a_number(place, inner));
                };
                let result = match operator {
                    UnaryOperator::Plus => Some(number),
                    UnaryOperator::Minus => number.checked_neg(),
                    UnaryOperator::Not => Some(!number),
                };
                result.map(Value::Number).ok_or_else(|| overflow(place))
            }
            ExpressionKind::Binary(operator, left, right) => {
                let a = self.value(left, scope, depth + 1)?;
                let b = self.value(right, scope, depth + 1)?;
                let right = Place { span: right.span, scope };
                binary(*operator, a, b, place, right)
            }
        }
    }

    fn name(&self, name: &str, place: Place, depth: usize) -> Result<Value, Fault> {
        if let Some((kind, number)) = RegisterKind::parse(name) {
            if number >= u32::from(kind.count()) {
                return Err(Problem::new(place, format!("there is no register `{name}`"))
                    .label(format!("{}s are {}", kind.name(), kind.range()))
                    .into());
            }
            return Ok(Value::Register(kind, number as u8, 0));
        }
        let Some(symbol) = self.find(name, place.scope) else {
            return Err(Problem::new(place, format!("unknown name `{name}`"))
                .label("no label, constant or register has this name")
                .nearest(name, self.visible(place.scope))
                .into());
        };
        match &symbol.kind {
            SymbolKind::Register(kind, number) => Ok(Value::Register(*kind, *number, 0)),
            SymbolKind::Label(address) => match address.get() {
                Some(Address::Code(address)) => Ok(Value::Code(address.into())),
                Some(Address::Data(_, offset)) => Ok(Value::Number(offset.into())),
                None => Err(Problem::new(place, format!("the address of `{name}` is not known yet"))
                    .label("needed here to place what follows")
                    .help("use labels that stand before this line")
                    .into()),
            },
            SymbolKind::Parameter(argument, caller) => match &argument.kind {
                OperandKind::Expression(expression) => self.value(expression, *caller, depth + 1),
                _ => {
                    let place = Place { span: argument.span, scope: *caller };
                    Err(Problem::new(place, format!("`{name}` is used as a number here"))
                        .label("expected a number, a register or a label")
                        .into())
                }
            },
            SymbolKind::Constant { expression, state } => {
                let before = state.replace(ConstantState::Running);
                let result = match before {
                    ConstantState::Known(value) => Ok(value),
                    ConstantState::Failed => Err(Fault::Reported),
                    ConstantState::Pending => self.value(expression, symbol.place.scope, depth + 1),
                    ConstantState::Running => Err(Problem::new(place, format!("`{name}` is defined by itself")).into()),
                };
                state.replace(result.as_ref().map_or(ConstantState::Failed, |value| ConstantState::Known(*value)));
                result
            }
        }
    }
}

fn overflow(place: Place) -> Fault {
    Problem::new(place, "this number does not fit 64 bits").into()
}

fn not_a_number(place: Place, found: Value) -> Fault {
    let (found, help) = match found {
        Value::Register(..) => {
            ("a register", "a register's value is known only on the chip: compute with it in instructions before")
        }
        _ => ("a code label", "of two code labels only the distance, `end - start`, is a number"),
    };
    Problem::new(place, format!("{found} stands where only numbers can be computed with")).help(help).into()
}

/// Numbers under all operators; a number added to a label or a register; the distance of two labels.
fn binary(operator: BinaryOperator, a: Value, b: Value, place: Place, right: Place) -> Result<Value, Fault> {
    use BinaryOperator as Is;
    let (x, y, make): (i64, i64, fn(i64, Value) -> Value) = match (operator, a, b) {
        (_, Value::Number(x), Value::Number(y)) => (x, y, |n, _| Value::Number(n)),
        (Is::Subtract, Value::Code(x), Value::Code(y)) => (x, y, |n, _| Value::Number(n)),
        (Is::Add | Is::Subtract, Value::Code(x), Value::Number(y)) => (x, y, |n, _| Value::Code(n)),
        (Is::Add, Value::Number(x), Value::Code(y)) => (x, y, |n, _| Value::Code(n)),
        (Is::Add | Is::Subtract, Value::Register(_, _, x), Value::Number(y))
        | (Is::Add, Value::Number(x), Value::Register(_, _, y)) => (x, y, |n, of| match of {
            Value::Register(kind, number, _) => Value::Register(kind, number, n),
            other => other,
        }),
        (_, Value::Number(_), other) | (_, other, _) => return Err(not_a_number(place, other)),
    };
    let of = if matches!(a, Value::Register(..)) { a } else { b };
    let shift = || {
        u32::try_from(y)
            .ok()
            .filter(|&amount| amount < 64)
            .ok_or_else(|| Fault::from(Problem::new(right, format!("a shift by {y}")).label("allowed is 0 to 63")))
    };
    let result = match operator {
        Is::Add => x.checked_add(y),
        Is::Subtract => x.checked_sub(y),
        Is::Multiply => x.checked_mul(y),
        Is::Divide | Is::Remainder if y == 0 => {
            return Err(Problem::new(right, "a division by zero").label("this is 0").into());
        }
        Is::Divide => x.checked_div(y),
        Is::Remainder => x.checked_rem(y),
        Is::ShiftLeft => i64::try_from(i128::from(x) << shift()?).ok(),
        Is::ShiftRight => Some(x >> shift()?),
        Is::And => Some(x & y),
        Is::Or => Some(x | y),
    };
    result.map(|n| make(n, of)).ok_or_else(|| overflow(place))
}
