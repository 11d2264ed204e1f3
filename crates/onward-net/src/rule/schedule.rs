//! When weights change, and by which rate.

use crate::named::Parts;
use crate::reader::{Given, Reader};
use crate::vocabulary::Absent::{Described, Means};
use crate::vocabulary::Takes::{Integer, Integers};
use crate::vocabulary::{Parameter, parameter};
use onward_diagnostic::Diagnostic;

/// Moments at which a block changes its weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Weights change once a sample, at the end of the target's window.
    Window,
    /// Weights change while the input is shown, from traces that fade.
    Steps {
        /// Number of steps from one change to the next: a power of two, at most the window.
        every: u32,
        /// Speed at which traces fade, 1 to 6: an axon's trace loses its `2^-memory`-th part a step.
        memory: u32,
    },
}

/// Schedule by which the learning rate falls over a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RateSchedule {
    /// The rate is halved so often, after equal parts of the run, 0 to 16.
    Anneal(u32),
    /// The rate is halved at the beginning of each of these epochs, counted from 1; they rise, and some may be the
    /// same.
    Shifts(Vec<u32>),
}

pub(super) const ANNEAL: Parameter =
    parameter("anneal", Integer(0, 16), Means("2"), "how many times the rate is halved, evenly over the run");

pub(super) const SHIFTS: Parameter = parameter(
    "shifts",
    Integers(1, 100_000, 16),
    Described("`anneal` says it"),
    "the epochs, counted from 1, at whose beginning the rate is halved",
);

pub(super) const EVERY: Parameter = parameter(
    "every",
    Integer(1, 256),
    Described("once, at the end of the target's window"),
    "weights change at every so many steps of the input's window, a power of two",
);

pub(super) const MEMORY: Parameter =
    parameter("memory", Integer(1, 6), Means("3"), "with `every`: an axon's trace loses its 2^-memory-th part a step");

impl RateSchedule {
    pub(super) fn read(reader: &mut Reader, given: &Given) -> RateSchedule {
        let anneal = reader.integer(given, &ANNEAL);
        let Some(value) = given.option(&SHIFTS) else { return RateSchedule::Anneal(anneal) };
        let span = value.span.clone();
        if given.option(&ANNEAL).is_some() {
            let error = Diagnostic::new(span.clone(), "the rate falls either in listed epochs or evenly over the run");
            reader.report(error.help("leave `anneal` or `shifts` away"));
        }
        let epochs = reader.integers(given, &SHIFTS);
        if !epochs.is_sorted() {
            let error = Diagnostic::new(span, "the epochs of `shifts` do not rise");
            reader.report(error.help("write them in their order"));
        }
        RateSchedule::Shifts(epochs)
    }

    pub(super) fn write(&self, parts: Parts) -> Parts {
        match self {
            RateSchedule::Anneal(times) => parts.option(&ANNEAL, times),
            RateSchedule::Shifts(epochs) => {
                let epochs: Vec<_> = epochs.iter().map(ToString::to_string).collect();
                parts.option(&SHIFTS, format!("({})", epochs.join(", ")))
            }
        }
    }
}

impl When {
    pub(super) fn read(reader: &mut Reader, given: &Given) -> When {
        let memory = reader.integer(given, &MEMORY);
        let Some(every) = reader.integer_if_given(given, &EVERY) else {
            if let Some(value) = given.option(&MEMORY) {
                let error =
                    Diagnostic::new(value.span.clone(), "traces fade only where weights change from step to step");
                reader.report(error.help("leave `memory` away, or say how often they change: `every = 8`"));
            }
            return When::Window;
        };
        if let Some(value) = given.option(&EVERY)
            && !every.is_power_of_two()
        {
            let error = Diagnostic::new(value.span.clone(), format!("`every` is a power of two, not {every}"));
            reader.report(
                error.note("windows are powers of two as well, so that the last change comes with their last step"),
            );
        }
        When::Steps { every, memory }
    }

    pub(super) fn write(&self, parts: Parts) -> Parts {
        match self {
            When::Window => parts,
            When::Steps { every, memory } => parts.option(&EVERY, every).option(&MEMORY, memory),
        }
    }
}
