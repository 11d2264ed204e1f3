//! Lists of numbers to arrays.

use crate::syntax::{Value, ValueKind};
use crate::values::Array;
use onward_diagnostic::Diagnostic;
use std::ops::RangeInclusive;

/// The array that nested lists are. Fails with nothing if what is wrong has been reported.
pub(super) fn array(value: &Value, range: &RangeInclusive<f64>) -> Result<Array, Option<Diagnostic>> {
    let mut array = Array { shape: Vec::new(), values: Vec::new() };
    // The first element of each level says what the others are to be.
    let mut first = value;
    while let ValueKind::List(values) = &first.kind {
        array.shape.push(values.len());
        match values.first() {
            Some(value) => first = value,
            None => {
                let error = Diagnostic::new(first.span.clone(), "this list is empty");
                return Err(Some(error.help("write its numbers, separated by commas")));
            }
        }
    }
    fill(value, 0, range, &mut array)?;
    Ok(array)
}

fn fill(value: &Value, depth: usize, range: &RangeInclusive<f64>, array: &mut Array) -> Result<(), Option<Diagnostic>> {
    let wrong = |message: String| Some(Diagnostic::new(value.span.clone(), message));
    match (&value.kind, array.shape.get(depth).copied()) {
        (ValueKind::Damaged, _) => Err(None),
        (ValueKind::List(values), Some(size)) => {
            if values.len() != size {
                let message = format!("this list has {} elements, the first of its kind has {size}", values.len());
                return Err(wrong(message).map(|error| error.help("make all rows the same length")));
            }
            values.iter().try_for_each(|value| fill(value, depth + 1, range, array))
        }
        (_, None) => {
            let Some(number) = value.number() else {
                return Err(wrong("a list holds numbers".to_string())
                    .map(|error| error.help("write numbers, or parameters that are")));
            };
            if !range.contains(&number) {
                let (least, greatest) = (range.start(), range.end());
                return Err(wrong(format!("{number} is not from {least} to {greatest}")));
            }
            array.values.push(number);
            Ok(())
        }
        (_, Some(size)) => Err(wrong(format!("expected a list of {size} elements, as the first of its kind is"))),
    }
}
