//! Going on, and back.

use super::{Done, nothing, stopping, times};
use crate::debugger::Debugger;
use crate::execution::{Advance, Execution};

/// Whether so many of what is counted have come.
fn counted(count: u64, is_one: impl Fn(&Execution, &Advance) -> bool) -> impl FnMut(&Execution, &Advance) -> bool {
    let mut left = count;
    move |execution, advance| {
        left -= u64::from(is_one(execution, advance));
        left == 0
    }
}

pub fn step(debugger: &mut Debugger, rest: &str) -> Done {
    let mut left = times(rest)?;
    if debugger.execution.current().is_none() {
        // To the next instruction, before any is executed.
        left -= 1;
        let there = debugger.go_on(false, |execution, _| execution.current().is_some())?;
        if left == 0 || debugger.execution.current().is_none() {
            return Ok(there);
        }
    }
    // Where the next block runs in a later step, on to there.
    let mut is_counted = counted(left, |_, advance| advance.executed.is_some());
    let mut is_done = false;
    debugger.go_on(true, move |execution, advance| {
        is_done = is_done || is_counted(execution, advance);
        is_done && execution.current().is_some()
    })
}

pub fn next(debugger: &mut Debugger, rest: &str) -> Done {
    let (mut text, stops) = (String::new(), debugger.stops);
    for _ in 0..times(rest)? {
        if debugger.stops != stops || !text.is_empty() && debugger.execution.end().is_some() {
            break;
        }
        let depth = debugger.execution.current().map_or(0, |current| current.loops().len());
        let is_loop = debugger.execution.current().and_then(|current| current.instruction());
        let is_loop = is_loop.is_some_and(|instruction| instruction.op.description().is_loop());
        if !is_loop {
            text = step(debugger, "")?;
            continue;
        }
        text = debugger.go_on(false, |execution, advance| {
            let is_left = execution.current().is_none_or(|current| current.loops().len() <= depth);
            advance.is_dispatched || advance.is_new_step || is_left
        })?;
    }
    Ok(text)
}

pub fn finish(debugger: &mut Debugger, rest: &str) -> Done {
    debugger.go_on(false, counted(times(rest)?, |_, advance| advance.is_dispatched))
}

pub fn timestep(debugger: &mut Debugger, rest: &str) -> Done {
    debugger.go_on(false, counted(times(rest)?, |_, advance| advance.is_new_step))
}

pub fn window(debugger: &mut Debugger, rest: &str) -> Done {
    let steps = u64::from(debugger.execution.image.network.window_steps.max(1));
    let begins =
        move |execution: &Execution, advance: &Advance| advance.is_new_step && execution.step().is_multiple_of(steps);
    debugger.go_on(false, counted(times(rest)?, begins))
}

pub fn go_on(debugger: &mut Debugger, rest: &str) -> Done {
    nothing(rest)?;
    debugger.go_on(false, |_, _| false)
}

pub fn until(debugger: &mut Debugger, rest: &str) -> Done {
    if rest.is_empty() {
        return Err("say until where, as in `until step 8`; `help break` lists places".to_owned());
    }
    let number = stopping::add(debugger, rest, true)?;
    let text = debugger.go_on(false, |_, _| false);
    debugger.breakpoints.retain(|breakpoint| breakpoint.number != number);
    text
}

pub fn restart(debugger: &mut Debugger, rest: &str) -> Done {
    nothing(rest)?;
    debugger.again(|_| true)
}

pub fn back(debugger: &mut Debugger, rest: &str) -> Done {
    let (number, unit) = match rest.find(|c: char| !c.is_ascii_digit()) {
        None => (rest, ""),
        Some(end) => (&rest[..end], rest[end..].trim()),
    };
    let count = times(number)?;
    let image = debugger.execution.image;
    let steps_of = |each: u64, what: &str| {
        let begun = debugger.execution.step() / each;
        begun.checked_sub(count).map(|to| to * each).ok_or(format!("{begun} {what} have gone by, not {count}"))
    };
    let is_unit = |name: &str| !unit.is_empty() && name.starts_with(unit);
    let to_step = match unit {
        "" => None,
        _ if is_unit("instructions") => None,
        _ if is_unit("timesteps") || is_unit("steps") => Some(steps_of(1, "steps")?),
        _ if is_unit("windows") => Some(steps_of(u64::from(image.network.window_steps.max(1)), "windows")?),
        _ => return Err(format!("`{unit}` is nothing to go back by; there are instructions, timesteps, windows")),
    };
    if let Some(step) = to_step {
        return debugger.again(|execution| execution.step() == step);
    }
    let executed = debugger.execution.executed();
    let Some(target) = executed.checked_sub(count) else {
        return Err(format!("{executed} instructions have been executed, not {count}"));
    };
    debugger.again(|execution| execution.executed() == target && execution.current().is_some())
}
