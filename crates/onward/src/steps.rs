//! A run followed step by step: its timeline, and a trace for Perfetto.

use crate::failure::Failure;
use crate::files::Output;
use crate::text::{count, percent, table};
use onward_emulate::Engine;
use onward_image::Image;
use onward_profile::{PerfettoLog, TimeSpent, Timeline, TimelineLog};
use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom};
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Steps of a trace where nobody says which is the last.
const TRACED: u64 = 1000;

type Shared<T> = Arc<Mutex<T>>;

/// What follows a run.
#[derive(Default)]
pub struct StepLogs {
    /// Steps that are traced.
    range: Cell<Option<(u64, u64)>>,
    /// Where a trace goes until the run is over.
    file: RefCell<Option<File>>,
    trace: RefCell<Option<Shared<PerfettoLog<BufWriter<File>>>>>,
    timeline: RefCell<Option<Shared<TimelineLog>>>,
}

impl StepLogs {
    /// Makes room for a trace that will end in a file.
    ///
    /// # Errors
    /// There is none.
    pub fn prepare_trace(&self, output: &Output) -> Result<(), Failure> {
        let folder = output.path().parent().filter(|folder| !folder.as_os_str().is_empty());
        let file = tempfile::tempfile_in(folder.unwrap_or(Path::new(".")));
        *self.file.borrow_mut() = Some(file.map_err(|error| Failure::unwritable(output.path(), &error))?);
        Ok(())
    }

    /// Says which steps are traced; without a last one so many from the first.
    pub fn trace_steps(&self, from: Option<u64>, to: Option<u64>) {
        let from = from.unwrap_or(0);
        self.range.set(Some((from, to.unwrap_or(from.saturating_add(TRACED - 1)))));
    }

    /// Has an engine with an image loaded followed, with a timeline if that is asked for.
    pub fn follow(&self, engine: &mut dyn Engine, image: &Image, timeline: bool) {
        let timeline = timeline.then(|| Arc::new(Mutex::new(TimelineLog::new(image))));
        let trace = self.file.borrow_mut().take().map(|file| {
            let range: RangeInclusive<u64> = self.range.get().map_or(0..=TRACED - 1, |(from, to)| from..=to);
            Arc::new(Mutex::new(PerfettoLog::new(image, range, BufWriter::new(file))))
        });
        if timeline.is_some() || trace.is_some() {
            engine.log_steps(Box::new((timeline.clone(), trace.clone())));
        }
        *self.timeline.borrow_mut() = timeline;
        *self.trace.borrow_mut() = trace;
    }

    /// The timeline of what ran, if it was followed.
    pub fn timeline(&self) -> Option<Timeline> {
        let timeline = self.timeline.borrow();
        let timeline = timeline.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner).timeline();
        Some(timeline).filter(|timeline| !timeline.steps.is_empty())
    }

    /// Writes the trace.
    ///
    /// # Errors
    /// It cannot be written, or could not as the run went on.
    pub fn write_trace(&self, output: &Output) -> Result<(), Failure> {
        let Some(trace) = self.trace.borrow_mut().take() else { return Ok(()) };
        let finished = || -> io::Result<File> {
            // The engine may still have it: what it holds is put into the file, and the file is read from here.
            let mut trace = trace.lock().unwrap_or_else(PoisonError::into_inner);
            let mut file = trace.flush()?.get_ref().try_clone()?;
            file.seek(SeekFrom::Start(0))?;
            Ok(file)
        };
        let mut file = finished().map_err(|error| Failure::unwritable(output.path(), &error))?;
        output.write_with(|out| io::copy(&mut file, out).map(drop))
    }
}

/// What of its cycles a sender spent on what, over some spans, in the order of [`Spent::TITLES`].
struct Spent([u64; 5]);

impl Spent {
    const TITLES: [&str; 5] = ["computing", "sending", "stalled", "waiting", "idle"];

    fn of(timeline: &Timeline, time: &TimeSpent, spans: &std::ops::Range<usize>) -> Spent {
        let sum = |cycles: &[u64]| cycles[spans.clone()].iter().sum::<u64>();
        let idle = spans.clone().map(|span| timeline.idle_cycles(time, span)).sum();
        let TimeSpent { computing_cycles, sending_cycles, stalled_cycles, waiting_cycles } = time;
        Spent([sum(computing_cycles), sum(sending_cycles), sum(stalled_cycles), sum(waiting_cycles), idle])
    }

    fn busy(&self) -> u64 {
        self.0[..3].iter().sum()
    }
}

/// The timeline as a table of so many rows at most: what the cores that hold blocks did with their cycles, and which of them
/// was busy most.
pub fn by_step(timeline: &Timeline, rows: usize) -> String {
    let spans = timeline.steps.len();
    let each = spans.div_ceil(rows.max(1)).max(1);
    let mut first = 0;
    let row = |begin: usize| {
        let range = begin..(begin + each).min(spans);
        let sum = |list: &[u64]| list[range.clone()].iter().sum::<u64>();
        let (steps, cycles) = (sum(&timeline.steps), sum(&timeline.cycles));
        let spent: Vec<Spent> = timeline.cores.iter().map(|core| Spent::of(timeline, &core.time, &range)).collect();
        let all = (cycles * timeline.cores.len() as u64).max(1) as f64;
        let mut row = vec![
            format!("{}..{}", count(first), count(first + steps - 1)),
            format!("{:.1}", cycles as f64 / steps as f64),
        ];
        row.extend((0..Spent::TITLES.len()).map(|at| {
            let part = spent.iter().map(|spent| spent.0[at]).sum::<u64>();
            percent(100.0 * part as f64 / all)
        }));
        let busiest =
            spent.iter().zip(&timeline.cores).max_by_key(|(spent, core)| (spent.busy(), std::cmp::Reverse(core.core)));
        row.push(busiest.map_or_else(String::new, |(spent, core)| {
            format!("{} ({})", core.core, percent(100.0 * spent.busy() as f64 / cycles.max(1) as f64))
        }));
        first += steps;
        row
    };
    let rows: Vec<Vec<String>> = (0..spans).step_by(each).map(row).collect();
    let mut header = vec!["steps", "cycles a step"];
    header.extend(Spent::TITLES);
    header.push("busiest core");
    table(&header, rows, &[1, 2, 3, 4, 5, 6])
}
