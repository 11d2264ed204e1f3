//! Following a compilation or a run: the progress bar, and Ctrl-C.

use crate::failure::Failure;
use crate::{Outcome, report, terminal, text};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use onward_compile::{PASSES, Pass};
use onward_run::{EpochReport, Epochs, Progress, Watch};
use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::time::{Duration, Instant};

/// Runs shorter than this show no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// A bar that appears once a run is long, where there is a terminal; and whether the user wants the run to end.
struct Bar {
    bar: ProgressBar,
    stop: Arc<AtomicBool>,
    start: Instant,
    shown: bool,
}

impl Bar {
    fn new(length: u64) -> Result<Bar, Failure> {
        let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template("  {bar:30} {percent:>3} %  {msg}").expect("the template is one");
        bar.set_style(style.progress_chars("━━┄"));
        Ok(Bar { bar, stop: listen()?, start: Instant::now(), shown: false })
    }

    /// So much is done. Breaks once the user wants it.
    fn tell(&mut self, done: u64, message: impl FnOnce() -> String) -> ControlFlow<()> {
        if !self.shown && self.start.elapsed() > PATIENCE && std::io::stderr().is_terminal() {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            self.shown = true;
        }
        if self.shown {
            self.bar.set_position(done);
            self.bar.set_message(message() + &self.left());
        }
        if self.stop.load(Ordering::SeqCst) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// `, 12 s left`; nothing before anything is done.
    fn left(&self) -> String {
        let (done, all) = (self.bar.position(), self.bar.length().unwrap_or(0));
        if done == 0 || all <= done {
            return String::new();
        }
        let seconds = (self.start.elapsed().as_secs_f64() * (all - done) as f64 / done as f64) as u64;
        let left = if seconds < 60 { format!("{seconds} s") } else { text::duration(Duration::from_secs(seconds)) };
        format!(", {left} left")
    }

    fn print(&self, text: &str) -> Outcome {
        if text.is_empty() { Ok(()) } else { self.bar.suspend(|| terminal::print(text)) }
    }
}

/// Follows a run of epochs: shows how far it is, and asks it to end when the user does.
pub struct Monitor {
    bar: Bar,
    epochs: Epochs,
    /// Windows that learning an epoch and testing take: what time goes with.
    windows: (u64, u64),
    phase: Option<(bool, u32)>,
    phase_start: Instant,
    /// Whether each epoch is a line.
    has_lines: bool,
}

impl Monitor {
    /// Follows a run that learns from so many samples an epoch, and then is tested with so many; of no epochs it is a test.
    ///
    /// # Errors
    /// Ctrl-C cannot be listened for.
    pub fn new(epochs: Epochs, learned: usize, tested: usize) -> Result<Monitor, Failure> {
        let windows = (2 * learned as u64, tested as u64);
        let bar = Bar::new((windows.0 + windows.1) * u64::from(epochs.count.max(1)))?;
        Ok(Monitor { bar, epochs, windows, phase: None, phase_start: Instant::now(), has_lines: true })
    }

    /// Prints no lines.
    pub fn without_lines(self) -> Monitor {
        Monitor { has_lines: false, ..self }
    }

    /// Removes the bar.
    pub fn finish(&self) {
        self.bar.bar.finish_and_clear();
    }
}

impl Watch for Monitor {
    /// Breaks once the user wants it.
    fn progress(&mut self, progress: Progress) -> ControlFlow<()> {
        let now = Instant::now();
        if self.phase.is_none() {
            self.bar.start = now;
        }
        let phase = (progress.learning, progress.epoch);
        if self.phase.replace(phase) != Some(phase) {
            self.phase_start = now;
        }
        let in_epoch = if progress.learning { 2 * progress.done as u64 } else { self.windows.0 + progress.done as u64 };
        let before = u64::from(progress.epoch - self.epochs.first) * (self.windows.0 + self.windows.1);
        let (of, seconds) = (self.epochs.of, now.duration_since(self.phase_start).as_secs_f64());
        // `epoch 3 of 30, learning, 12,345 samples/s, 12.3 s left`
        self.bar.tell(before + in_epoch, || {
            let epoch = if of == 0 { String::new() } else { format!("epoch {} of {of}, ", progress.epoch + 1) };
            let phase = if progress.learning { "learning" } else { "testing" };
            match (progress.done as f64 / seconds) as u64 {
                rate if seconds > 0.2 => format!("{epoch}{phase}, {} samples/s", text::count(rate)),
                _ => epoch + phase,
            }
        })
    }

    /// Prints the line of an epoch without disturbing the bar. Where nobody reads, the run is over.
    fn epoch(&mut self, epoch: &EpochReport) {
        if !self.has_lines {
            return;
        }
        if let Err(failure) = self.bar.print(&report::epoch(epoch, self.epochs.of)) {
            failure.show();
            std::process::exit(failure.code().into());
        }
    }
}

/// Follows a run of steps.
pub struct StepMonitor(Bar);

impl StepMonitor {
    /// Follows a run of so many steps.
    ///
    /// # Errors
    /// Ctrl-C cannot be listened for.
    pub fn new(steps: u64) -> Result<StepMonitor, Failure> {
        Bar::new(steps).map(StepMonitor)
    }

    /// Takes note of how many steps are done; breaks once the user wants it.
    pub fn tell(&mut self, done: u64) -> ControlFlow<()> {
        let rate = done as f64 / self.0.start.elapsed().as_secs_f64();
        self.0.tell(done, || format!("{} steps/s", text::count(rate as u64)))
    }

    /// Prints to stdout without disturbing the bar.
    ///
    /// # Errors
    /// As [`terminal::print`].
    pub fn print(&self, text: &str) -> Outcome {
        self.0.print(text)
    }

    /// Removes the bar, and says how long the run took.
    pub fn finish(&self) -> Duration {
        self.0.bar.finish_and_clear();
        self.0.start.elapsed()
    }
}

/// Follows a compilation: which pass is at work, once it takes long.
pub struct PassMonitor {
    bar: ProgressBar,
    /// Dropped when it is over.
    over: Option<mpsc::Sender<()>>,
}

impl PassMonitor {
    /// A compilation begins, with the pass after `before` if there was one.
    pub fn new(before: Option<&str>) -> PassMonitor {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        bar.set_style(
            ProgressStyle::with_template("  {spinner} compiling: {msg} ({elapsed})").expect("the template is one"),
        );
        let (over, waits) = mpsc::channel();
        let monitor = PassMonitor { bar: bar.clone(), over: Some(over) };
        monitor.set_next(before);
        if std::io::stderr().is_terminal() {
            // A pass says nothing while it works: another thread shows it.
            std::thread::spawn(move || {
                if waits.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
                    bar.set_draw_target(ProgressDrawTarget::stderr());
                    bar.enable_steady_tick(Duration::from_millis(100));
                }
            });
        }
        monitor
    }

    /// A pass is done.
    pub fn done(&self, pass: &Pass) {
        self.set_next(Some(pass.name));
    }

    fn set_next(&self, before: Option<&str>) {
        let next = before.map_or(0, |before| 1 + PASSES.iter().position(|pass| pass.name == before).unwrap_or(0));
        if let Some(pass) = PASSES.get(next) {
            self.bar.set_message(format!("{} of {}, {}", next + 1, PASSES.len(), pass.description));
        }
    }

    /// Does what prints something.
    pub fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }
}

impl Drop for PassMonitor {
    fn drop(&mut self) {
        self.over = None;
        self.bar.finish_and_clear();
    }
}

/// What Ctrl-C sets; a second one ends the program at once. It is listened for once, for all runs of a command.
pub fn listen() -> Result<Arc<AtomicBool>, Failure> {
    static STOP: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    if let Some(stop) = STOP.get() {
        return Ok(Arc::clone(stop));
    }
    let stop = Arc::clone(STOP.get_or_init(Arc::default));
    let handler = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if handler.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
    })
    .map_err(|error| Failure::Inside(format!("Ctrl-C cannot be listened for: {error}")))?;
    Ok(stop)
}
