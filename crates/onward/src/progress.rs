//! Following a compilation or a run: the progress bar, and Ctrl-C.

use crate::failure::Failure;
use crate::text;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use onward_compile::{PASSES, Pass};
use onward_run::data::Dataset;
use onward_run::{Epochs, Progress};
use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

/// Runs shorter than this show no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// Follows a run: shows how far it is, and asks it to end when the user does.
pub struct Monitor {
    bar: ProgressBar,
    stop: Arc<AtomicBool>,
    start: Instant,
    epochs: Epochs,
    /// Windows that learning an epoch and testing take: what time goes with.
    windows: (u64, u64),
    phase: Option<(bool, u32)>,
    phase_start: Instant,
    shown: bool,
}

impl Monitor {
    /// Follows a run of epochs on the data; none for a test alone.
    ///
    /// # Errors
    /// Ctrl-C cannot be listened for.
    pub fn new(epochs: Epochs, dataset: &Dataset) -> Result<Monitor, Failure> {
        let learned = if epochs.count > 0 { dataset.train.len() } else { 0 };
        Monitor::of_samples(epochs, learned, dataset.test.len())
    }

    /// Follows a run that learns from so many samples an epoch, and then is tested with so many.
    ///
    /// # Errors
    /// Ctrl-C cannot be listened for.
    pub fn of_samples(epochs: Epochs, learned: usize, tested: usize) -> Result<Monitor, Failure> {
        let stop = listen()?;
        let windows = (2 * learned as u64, tested as u64);
        let bar = hidden_bar((windows.0 + windows.1) * u64::from(epochs.count.max(1)));
        let now = Instant::now();
        Ok(Monitor { bar, stop, start: now, epochs, windows, phase: None, phase_start: now, shown: false })
    }

    /// Host time since the run began.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Takes note of what is done; breaks once the user wants it.
    pub fn tell(&mut self, progress: Progress) -> ControlFlow<()> {
        let phase = (progress.learning, progress.epoch);
        if self.phase != Some(phase) {
            (self.phase, self.phase_start) = (Some(phase), Instant::now());
        }
        self.shown = self.shown || show(&self.bar, self.elapsed());
        if self.shown {
            let in_epoch =
                if progress.learning { 2 * progress.done as u64 } else { self.windows.0 + progress.done as u64 };
            let epoch = progress.epoch - self.epochs.first;
            self.bar.set_position(u64::from(epoch) * (self.windows.0 + self.windows.1) + in_epoch);
            self.bar.set_message(self.message(progress));
        }
        if self.stop.load(Ordering::SeqCst) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// `epoch 3 of 30, learning, 12,345 samples/s, 12.3 s left`.
    fn message(&self, progress: Progress) -> String {
        let seconds = self.phase_start.elapsed().as_secs_f64();
        let mut message = match self.epochs.of {
            0 => String::new(),
            of => format!("epoch {} of {of}, ", progress.epoch + 1),
        };
        message += if progress.learning { "learning" } else { "testing" };
        if seconds > 0.2 {
            message += &format!(", {} samples/s", text::count((progress.done as f64 / seconds) as u64));
        }
        message + &left(&self.bar, self.elapsed())
    }

    /// Prints to stdout without disturbing the bar. Where nobody reads, the run is over.
    pub fn print(&self, text: &str) {
        if let Err(failure) = self.bar.suspend(|| crate::terminal::print(text)) {
            failure.show();
            std::process::exit(failure.code().into());
        }
    }

    /// Removes the bar.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// Follows a run of steps.
pub struct StepMonitor {
    bar: ProgressBar,
    stop: Arc<AtomicBool>,
    start: Instant,
    shown: bool,
}

impl StepMonitor {
    /// Follows a run of so many steps.
    ///
    /// # Errors
    /// Ctrl-C cannot be listened for.
    pub fn new(steps: u64) -> Result<StepMonitor, Failure> {
        Ok(StepMonitor { bar: hidden_bar(steps), stop: listen()?, start: Instant::now(), shown: false })
    }

    /// Host time since the run began.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Takes note of how many steps are done; breaks once the user wants it.
    pub fn tell(&mut self, done: u64) -> ControlFlow<()> {
        self.shown = self.shown || show(&self.bar, self.elapsed());
        if self.shown {
            self.bar.set_position(done);
            let rate = done as f64 / self.elapsed().as_secs_f64();
            self.bar.set_message(format!("{} steps/s{}", text::count(rate as u64), left(&self.bar, self.elapsed())));
        }
        if self.stop.load(Ordering::SeqCst) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Prints to stdout without disturbing the bar.
    ///
    /// # Errors
    /// As [`terminal::print`](crate::terminal::print).
    pub fn print(&self, text: &str) -> Result<(), Failure> {
        if text.is_empty() { Ok(()) } else { self.bar.suspend(|| crate::terminal::print(text)) }
    }

    /// Removes the bar.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
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
    pub fn done(&self, pass: &dyn Pass) {
        self.set_next(Some(pass.name()));
    }

    fn set_next(&self, before: Option<&str>) {
        let next = before.map_or(0, |before| 1 + PASSES.iter().position(|pass| pass.name() == before).unwrap_or(0));
        if let Some(pass) = PASSES.get(next) {
            self.bar.set_message(format!("{} of {}, {}", next + 1, PASSES.len(), pass.description()));
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

/// What Ctrl-C sets; a second one ends the program at once.
fn listen() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let handler = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if handler.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
    })
    .map_err(|error| Failure::Inside(format!("Ctrl-C cannot be listened for: {error}")))?;
    Ok(stop)
}

fn hidden_bar(length: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::hidden());
    let style = ProgressStyle::with_template("  {bar:30} {percent:>3} %  {msg}").expect("the template is one");
    bar.set_style(style.progress_chars("━━┄"));
    bar
}

/// Shows a bar once the run is long, where there is a terminal. Returns whether it is shown.
fn show(bar: &ProgressBar, elapsed: Duration) -> bool {
    let is_wanted = elapsed > PATIENCE && std::io::stderr().is_terminal();
    if is_wanted {
        bar.set_draw_target(ProgressDrawTarget::stderr());
    }
    is_wanted
}

/// `, 12 s left`; nothing before anything is done.
fn left(bar: &ProgressBar, elapsed: Duration) -> String {
    let (done, all) = (bar.position(), bar.length().unwrap_or(0));
    if done == 0 || all <= done {
        return String::new();
    }
    let seconds = (elapsed.as_secs_f64() * (all - done) as f64 / done as f64) as u64;
    let left = if seconds < 60 { format!("{seconds} s") } else { text::duration(Duration::from_secs(seconds)) };
    format!(", {left} left")
}
