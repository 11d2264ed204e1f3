//! Numbers in the directives of a system: the assembler computes them.
//!
//! Each operand that must be a number becomes a constant in a line added at the end of the text the assembler is given,
//! so that directives have the same expressions, names and messages as instructions. What the assembler finds wrong
//! there is shown where the operand stands.

use crate::text::{Operand, Span};
use onward_diagnostic::Diagnostic;
use onward_isa::Program;
use std::collections::HashMap;
use std::ops::RangeInclusive;

/// An operand that must be a number.
#[derive(Clone, Debug)]
pub(crate) struct Number {
    at: usize,
    pub span: Span,
}

/// The operands that must be numbers.
pub(crate) struct Numbers {
    /// The constants are called this and their number.
    prefix: String,
    operands: Vec<Added>,
}

struct Added {
    text: String,
    directive: &'static str,
    span: Span,
}

impl Numbers {
    /// None yet; `text` is that of the whole file.
    pub fn new(text: &str) -> Self {
        let mut prefix = "number_in_a_directive_".to_owned();
        while text.contains(&prefix) {
            prefix.push('_');
        }
        Numbers { prefix, operands: Vec::new() }
    }

    /// Notes an operand of a directive.
    pub fn add(&mut self, operand: &Operand, directive: &'static str) -> Number {
        self.operands.push(Added { text: operand.text.to_owned(), directive, span: operand.span.clone() });
        Number { at: self.operands.len() - 1, span: operand.span.clone() }
    }

    /// The line of an operand up to the operand.
    fn head(&self, at: usize) -> String {
        format!("\n.equ {}{at}, ", self.prefix)
    }

    /// The lines to add to the text.
    pub fn lines(&self) -> String {
        self.operands.iter().enumerate().map(|(at, added)| self.head(at) + &added.text).collect()
    }

    /// Brings a diagnostic about the lines, which were added at offset `start`, back to the operand it is about.
    pub fn locate(&self, start: usize, diagnostic: &mut Diagnostic) {
        if diagnostic.span.start < start {
            return;
        }
        let mut line = start;
        for (at, added) in self.operands.iter().enumerate() {
            let first = line + self.head(at).len();
            line = first + added.text.len();
            if diagnostic.span.start <= line {
                let place = |offset: usize| added.span.start + offset.clamp(first, line) - first;
                diagnostic.span = place(diagnostic.span.start)..place(diagnostic.span.end);
                diagnostic.message = diagnostic.message.replace("`.equ`", &format!("`{}`", added.directive));
                return;
            }
        }
    }

    /// The values, taken out of an assembled program.
    pub fn values(&self, program: &mut Program) -> Values {
        let mut values = vec![None; self.operands.len()];
        let mut known: HashMap<String, usize> =
            (0..values.len()).map(|at| (format!("{}{at}", self.prefix), at)).collect();
        program.constants.retain(|(name, value)| match known.remove(name) {
            Some(at) => {
                values[at] = Some(*value);
                false
            }
            None => true,
        });
        Values(values)
    }
}

/// The values of the operands.
pub(crate) struct Values(Vec<Option<i64>>);

impl Values {
    /// A number's value, if it is one of those allowed; else says what is wrong with `what`.
    pub fn get(
        &self,
        number: &Number,
        what: &str,
        allowed: RangeInclusive<i64>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Option<i64> {
        let problem = match self.0[number.at] {
            Some(value) if allowed.contains(&value) => return Some(value),
            Some(value) => Diagnostic::new(number.span.clone(), format!("{what} is {value}")).label(format!(
                "allowed is {} to {}",
                allowed.start(),
                allowed.end()
            )),
            None => Diagnostic::new(number.span.clone(), format!("{what} is not a number"))
                .label("expected a number, found a register or a label of the code"),
        };
        diagnostics.push(problem);
        None
    }
}
