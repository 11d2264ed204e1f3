//! A session: a run, its breakpoints, and what is said of where it is.

use crate::Host;
use crate::breakpoint::{Before, Breakpoint, Kind};
use crate::commands;
use crate::evaluation::Context;
use crate::execution::{Advance, End, Execution};
use crate::expression::Expression;
use crate::listing::Listings;
use crate::show;
use onward_emulate::reference::TraceLine;
use onward_emulate::{Engine, MachineError, Options};
use onward_image::{BlockIndex, Image};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Instructions that are shown of several that were executed: the last.
const SHOWN_INSTRUCTIONS: usize = 32;

/// A debugger of one run. It takes commands as lines and answers with text; [`Debugger::help`] lists them.
pub struct Debugger<'a> {
    pub(crate) execution: Execution<'a>,
    pub(crate) listings: Listings,
    pub(crate) breakpoints: Vec<Breakpoint>,
    /// The number of the next breakpoint.
    pub(crate) next_number: u32,
    /// How often the run was stopped before it was where it was to go.
    pub(crate) stops: u64,
    /// What is shown at each stop: number, how numbers are shown, expression, and as it was written.
    pub(crate) displays: Vec<(u32, show::Format, Expression, String)>,
    pub(crate) next_display: u32,
    /// Where `list` goes on: program text line behind the last that it showed.
    pub(crate) listed_to: Option<usize>,
    interrupt: Arc<AtomicBool>,
    /// The step and block that were named last.
    named: Option<(u64, Option<BlockIndex>)>,
}

/// What a command comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What is to be shown, whole lines or nothing; of a mistake what is wrong and what would help.
    pub text: String,
    /// Whether the command was not understood or cannot be done; nothing has changed then.
    pub is_error: bool,
    /// Whether the session is over.
    pub quits: bool,
    /// Whether an empty line would say it again.
    pub repeats: bool,
}

impl<'a> Debugger<'a> {
    /// A session of a run of the image from its beginning, on the reference engine: before the first instruction of step 0, or
    /// at the beginning of that step if no block runs in it.
    ///
    /// # Errors
    /// The image contradicts itself, or its routes do not fit its mesh.
    ///
    /// # Panics
    /// Here or while the run goes on: if the host sends what its image has no input for; see
    /// [`begin_step`](onward_emulate::reference::Machine::begin_step).
    pub fn new(image: &'a Image, options: Options, host: Host<'a>) -> Result<Debugger<'a>, MachineError> {
        Ok(Debugger {
            execution: Execution::new(image, options, host)?,
            listings: Listings::of(image),
            breakpoints: Vec::new(),
            next_number: 1,
            stops: 0,
            displays: Vec::new(),
            next_display: 1,
            listed_to: None,
            interrupt: Arc::default(),
            named: None,
        })
    }

    /// Has a flag looked at after each instruction: whoever sets it stops what goes on, and the session waits for the next
    /// command. The flag is cleared then.
    pub fn interrupted_by(&mut self, flag: Arc<AtomicBool>) {
        self.interrupt = flag;
    }

    /// Where the run is, as a stop shows it.
    pub fn greeting(&mut self) -> String {
        self.place()
    }

    /// Does what a line says. An empty line, or one that begins with `#`, does nothing.
    pub fn execute(&mut self, line: &str) -> Reply {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Reply { text: String::new(), is_error: false, quits: false, repeats: false };
        }
        let (word, rest) = split_word(line);
        let command = match commands::find(word) {
            Ok(command) => command,
            Err(error) => return Reply { text: error + "\n", is_error: true, quits: false, repeats: false },
        };
        let done = (command.run)(self, rest);
        let (quits, repeats) = (command.name == "quit", command.repeats);
        match done {
            Ok(text) => Reply { text, is_error: false, quits, repeats },
            Err(error) => Reply { text: error + "\n", is_error: true, quits: false, repeats: false },
        }
    }

    /// The engine, as it is: for whoever wants to know more than commands show.
    pub fn engine(&self) -> &dyn Engine {
        self.execution.machine()
    }

    /// Instructions that were executed so far.
    pub fn executed(&self) -> u64 {
        self.execution.executed()
    }

    /// The lines that `help` prints: all commands.
    pub fn help() -> String {
        commands::overview()
    }

    /// What expressions are evaluated with.
    pub(crate) fn context(&self) -> Context<'_, 'a> {
        Context { execution: &self.execution, listings: &self.listings }
    }

    /// Goes on until `is_there`, a breakpoint, the end or an interruption; says what was executed if that is wanted, why it
    /// stopped if `is_there` does not say it, and where.
    pub(crate) fn go_on(
        &mut self,
        tells: bool,
        mut is_there: impl FnMut(&Execution, &Advance) -> bool,
    ) -> Result<String, String> {
        if let Some(end) = self.execution.end() {
            return Err(format!("{}; `run` begins anew, `back` goes back", show::end(&self.execution, end)));
        }
        self.interrupt.store(false, Ordering::SeqCst);
        self.listed_to = None;
        let mut executed: VecDeque<String> = VecDeque::new();
        let reasons = loop {
            let before = Before::of(&self.context());
            let mut told = |line: TraceLine| {
                if executed.len() == SHOWN_INSTRUCTIONS {
                    executed.pop_front();
                }
                executed.push_back(show::executed(&line));
            };
            let advance = match tells {
                true => self.execution.advance(Some(&mut told)),
                false => self.execution.advance(None),
            };
            let reasons = self.reasons(before, &advance);
            if self.execution.end().is_some() || !reasons.is_empty() || is_there(&self.execution, &advance) {
                break reasons;
            }
            if self.interrupt.swap(false, Ordering::SeqCst) {
                self.stops += 1;
                break vec!["Interrupted.".to_owned()];
            }
        };
        let lines: Vec<String> = executed.into_iter().chain(reasons).collect();
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        Ok(text + &self.place())
    }

    /// The breakpoints that stop the run here.
    fn reasons(&mut self, before: Option<Before>, advance: &Advance) -> Vec<String> {
        let mut reasons = Vec::new();
        let context = Context { execution: &self.execution, listings: &self.listings };
        for breakpoint in &mut self.breakpoints {
            let Some(lines) = breakpoint.stops(&context, before, advance) else { continue };
            let what = breakpoint.kind.describe_here(&context);
            reasons.push(match breakpoint.is_temporary {
                true => format!("At {what}"),
                false => format!("Breakpoint {}: {what}", breakpoint.number),
            });
            reasons.extend(lines);
        }
        self.stops += u64::from(!reasons.is_empty());
        let stopped_by = |breakpoint: &Breakpoint| breakpoint.is_temporary && breakpoint.hits > 0;
        self.breakpoints.retain(|breakpoint| !stopped_by(breakpoint));
        reasons
    }

    /// Runs again from the start, until `is_there`, which the start may be already.
    pub(crate) fn again(&mut self, is_there: impl Fn(&Execution) -> bool) -> Result<String, String> {
        self.interrupt.store(false, Ordering::SeqCst);
        self.listed_to = None;
        self.execution.restart();
        let mut was_interrupted = false;
        while !is_there(&self.execution) && self.execution.end().is_none() && !was_interrupted {
            self.execution.advance(None);
            was_interrupted = self.interrupt.swap(false, Ordering::SeqCst);
        }
        self.look_again();
        let note = if was_interrupted { "Interrupted on the way, which begins at the start.\n" } else { "" };
        Ok(note.to_owned() + &self.place())
    }

    /// What is watched is as it is: what changes from here on is told.
    fn look_again(&mut self) {
        for breakpoint in &mut self.breakpoints {
            if let Kind::Change(watched) = &mut breakpoint.kind {
                // They were there when they were named, and memories keep their size.
                let _ = watched.look(self.execution.machine());
            }
        }
    }

    /// Where the run is, and what is displayed at each stop. The step and the block are named if they are others than before.
    pub(crate) fn place(&mut self) -> String {
        let now = (self.execution.step(), self.execution.current().map(|current| current.block()));
        let is_named = self.named == Some(now) && self.execution.end().is_none();
        self.named = Some(now);
        let mut text = String::new();
        if !is_named || now.1.is_none() {
            text += &show::headline(&self.execution);
        }
        text += &show::instruction(&self.context());
        match self.execution.end() {
            Some(End::Fault(fault)) => text += &format!("{fault}\n"),
            Some(end @ End::Over) => text += &format!("{}\n", show::end(&self.execution, end)),
            None => {}
        }
        text + &self.displayed()
    }

    /// What is displayed at each stop.
    pub(crate) fn displayed(&self) -> String {
        let context = self.context();
        let of = |(number, format, expression, written): &(u32, show::Format, Expression, String)| match context
            .value(expression)
        {
            Ok(value) => format!("{number}: {}", show::value(&context, written, &value, *format)),
            Err(error) => format!("{number}: {written}: {error}\n"),
        };
        self.displays.iter().map(of).collect()
    }
}

/// The first word of a line, and the rest. A format behind a slash belongs to the rest: `print/x r3`.
fn split_word(line: &str) -> (&str, &str) {
    let end = line.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(line.len());
    (&line[..end], line[end..].trim())
}
