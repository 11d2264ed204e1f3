//! `onward run IMAGE --stream`: events as they come, answers as they come.

use crate::failure::Failure;
use crate::ledger::Ledger;
use crate::profile::Profiling;
use crate::{Outcome, terminal};
use onward_image::{Encoding, Image};
use onward_profile::Profile;
use onward_run::data::{EventStream, Samples};
use onward_run::{Session, SessionError};
use std::fmt::Write;
use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::path::Path;

/// What standard input is called on the command line.
const STANDARD_INPUT: &str = "-";

/// Shows windows of events from a file or standard input, and prints after each what the network answered. Only one window is
/// held.
///
/// # Errors
/// The network takes no events, the source cannot be read, or a line of it is wrong; what came before has been answered.
pub fn run(
    image: &Image,
    mut session: Session,
    name: &str,
    path: &Path,
    ledger: &Ledger,
    profiling: &Profiling,
) -> Outcome {
    let Some(input) = image.network.input().filter(|input| input.encoding == Some(Encoding::Events)) else {
        let help = "write its input with `events`, which takes spikes as they are; samples are given with --data";
        return Err(Failure::input(format!("{name}: the network makes spikes of values, and takes no events"), help));
    };
    let (source, source_name): (Box<dyn BufRead>, _) = if path == Path::new(STANDARD_INPUT) {
        (Box::new(std::io::stdin().lock()), "standard input".to_owned())
    } else {
        ledger.reads(path)?;
        let file = std::fs::File::open(path).map_err(|error| Failure::unreadable(path, error))?;
        (Box::new(BufReader::new(file)), path.display().to_string())
    };
    let mut events = EventStream::new(source, source_name, image.network.window_steps, input.population.neurons);
    terminal::print(&heading(&session))?;
    let mut number = 0;
    while let Some(window) = events.next_window()? {
        let text = answer(&mut session, &window, number).map_err(|error| Failure::session(name, &error))?;
        terminal::print(&text)?;
        number += 1;
    }
    if !profiling.is_on() {
        return Ok(());
    }
    let profile = Profile::of(image, &session.machine().counters(), None, &onward_run::costs(image)?);
    terminal::print(&profiling.report(profile.as_ref()))
}

/// The names of the columns.
fn heading(session: &Session) -> String {
    match session.answered_values() {
        _ if session.reads_spikes() => "window,step,neuron\n".to_owned(),
        Some(count) if count > 1 => {
            format!("window{}\n", (1..=count).map(|at| format!(",answer_{at}")).collect::<String>())
        }
        _ => "window,answer\n".to_owned(),
    }
}

/// What the network answers to a window, as lines.
fn answer(session: &mut Session, window: &Samples, number: u64) -> Result<String, SessionError> {
    let go_on = |_| ControlFlow::Continue(());
    let mut text = String::new();
    if session.reads_spikes() {
        for spike in session.observe(window, 1, go_on)?.0 {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{number},{},{}", spike.step, spike.neuron);
        }
        return Ok(text);
    }
    text += &number.to_string();
    if session.answered_values().is_some() {
        session.infer_values(window, 1, go_on)?.iter().for_each(|value| text += &format!(",{value}"));
    } else {
        session.infer(window, 1, go_on)?.iter().for_each(|class| text += &format!(",{class}"));
    }
    Ok(text + "\n")
}
