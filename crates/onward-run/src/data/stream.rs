//! Events as text, as they come: a line each, and a line that ends a window.
//!
//! ```text
//! # step of the window, axon
//! 0,17
//! 3,4
//! window
//! 1,17
//! window
//! ```

use super::Samples;
use super::error::{DataError, FileProblem, Problem};
use std::io::{BufRead, Read};

/// The word that ends a window.
const END: &str = "window";
/// Bytes of a line, at most: no event needs as many.
const LONGEST_LINE: u64 = 256;

/// Reads windows of events. No more than one window is held.
pub struct EventStream<R> {
    source: R,
    name: String,
    window: u32,
    axons: u32,
    line: u64,
    is_over: bool,
}

impl<R: BufRead> EventStream<R> {
    /// Events from a source, which messages call `name`, for an input of so many axons and windows of so many steps.
    pub fn new(source: R, name: impl Into<String>, window: u32, axons: u32) -> EventStream<R> {
        EventStream { source, name: name.into(), window, axons, line: 0, is_over: false }
    }

    /// The next window, as a single sample of recorded spikes; nothing once the source has ended. What follows the last mark is
    /// a window, too.
    ///
    /// # Errors
    /// The source cannot be read, or a line is no event of the input, with its number; the windows before it have been given.
    pub fn next_window(&mut self) -> Result<Option<Samples>, DataError> {
        let mut events: Vec<(u32, u32)> = Vec::new();
        let mut text = String::new();
        while !self.is_over {
            text.clear();
            let unreadable =
                |error| DataError::File { file: self.name.clone(), problem: FileProblem::Unreadable(error) };
            let read = (&mut self.source).take(LONGEST_LINE).read_line(&mut text).map_err(unreadable)?;
            if read == 0 {
                self.is_over = true;
                if events.is_empty() {
                    return Ok(None);
                }
                break;
            }
            self.line += 1;
            let line = text.split('#').next().unwrap_or("").trim();
            if line == END {
                break;
            }
            if !line.is_empty() {
                events.push(self.event(line).map_err(|problem| self.wrong(problem))?);
            }
        }
        if self.is_over && events.is_empty() {
            return Ok(None);
        }
        events.sort_unstable();
        if let Some(twice) = events.windows(2).find(|pair| pair[0] == pair[1]) {
            let (step, axon) = twice[0];
            let cause = format!("the window that ends here has two spikes of axon {axon} in step {step}");
            return Err(self.wrong(Problem::new(cause, "an axon takes one packet a step: leave one out")));
        }
        Ok(Some(Samples::recorded(vec![events], None)))
    }

    /// An event: step, axon, and perhaps its value, which is 1.
    fn event(&self, line: &str) -> Result<(u32, u32), Problem> {
        let help = format!("a line is `step,axon`, or `{END}` where a window ends");
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        let [step, axon, value @ ..] = &cells[..] else {
            return Err(Problem::new(format!("`{line}` is no event"), help));
        };
        let number = |text: &str, what: &str, limit: u32| {
            let number = text.parse::<u32>().ok().filter(|&number| number < limit);
            let cause = format!("`{text}` is no {what}: these are whole numbers from 0 to {}", i64::from(limit) - 1);
            number.ok_or_else(|| Problem::new(cause, help.clone()))
        };
        match value {
            [] | ["1"] => {
                Ok((number(step, "step of the window", self.window)?, number(axon, "axon of the input", self.axons)?))
            }
            [value] => {
                Err(Problem::new(format!("`{value}` is no value of an event"), "an event is a spike: its value is 1"))
            }
            _ => Err(Problem::new(format!("`{line}` has {} cells", cells.len()), help)),
        }
    }

    fn wrong(&self, problem: Problem) -> DataError {
        let cause = format!("line {}: {}", self.line, problem.cause);
        DataError::Archive { file: self.name.clone(), problem: Problem { cause, ..problem } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(text: &str) -> Result<Vec<Vec<(u32, u32)>>, String> {
        let mut stream = EventStream::new(text.as_bytes(), "events", 10, 8);
        let mut windows = Vec::new();
        while let Some(window) = stream.next_window().map_err(|error| error.to_string())? {
            windows.push(window.events(0).to_vec());
        }
        Ok(windows)
    }

    #[test]
    fn windows_end_at_marks_and_at_the_end() {
        assert_eq!(
            windows("# of a camera\n3,4\n0,7,1 # first\n\nwindow\nwindow\n9 , 0\n"),
            Ok(vec![vec![(0, 7), (3, 4)], vec![], vec![(9, 0)],])
        );
        assert_eq!(windows(""), Ok(vec![]));
        assert_eq!(windows("1,1\nwindow\n"), Ok(vec![vec![(1, 1)]]));
        assert_eq!(windows("window"), Ok(vec![vec![]]));
    }

    #[test]
    fn what_is_no_event_is_named_by_its_line() {
        for (text, says) in [
            ("1,2\n10,2\n", "events: line 2: `10` is no step of the window: these are whole numbers from 0 to 9"),
            ("1,8\n", "line 1: `8` is no axon of the input"),
            ("1,-1\n", "line 1: `-1` is no axon"),
            ("1.5,2\n", "line 1: `1.5` is no step"),
            ("nan,2\n", "line 1: `nan` is no step"),
            ("1\n", "line 1: `1` is no event"),
            ("1,2,3\n", "line 1: `3` is no value"),
            ("1,2,1,1\n", "line 1: `1,2,1,1` has 4 cells"),
            ("1,2\n0,0\n1,2\nwindow\n", "line 4: the window that ends here has two spikes of axon 2 in step 1"),
        ] {
            let error = windows(text).expect_err(says);
            assert!(error.contains(says), "{error}");
        }
        assert!(windows(&"1".repeat(1000)).is_err(), "a line without end is not read whole");
    }
}
