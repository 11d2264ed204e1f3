//! `onward debug`: a step debugger of an image, a network's text or a system in assembly.

use crate::arguments::{DataArguments, HowToCompile};
use crate::documents::{self, Document};
use crate::failure::Failure;
use crate::files::{Output, noting, read_image, read_source};
use crate::ledger::Ledger;
use crate::{Outcome, progress, report, terminal};
use onward_assembly::assemble_system;
use onward_debug::{Debugger, Host, Length};
use onward_emulate::{HostPacket, MachineError, Options};
use onward_image::Image;
use onward_run::data::{Dataset, Samples};
use onward_run::{Session, SessionError};
use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;
use serde::Serialize;
use serde_json::json;
use std::io::{BufRead, BufReader, IsTerminal};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  onward debug programs/digits.sp --sample 3            while it is shown test sample 3
  onward debug programs/digits.sp --sample 3 --learn    while it learns from training sample 3
  onward debug digits.onw --data digits --sample 0..9   an image, and ten samples one after the other
  onward debug programs/lif.s --chip small              a system written in assembly
  onward debug digits.onw --commands session.txt        commands of a file, one a line

`help` lists the commands: break, watch, step, next, finish, timestep, window, continue, back,
print, info, list, where .. Ctrl-C stops what runs, and the session goes on. Where standard input
is no terminal, commands are read from it. A network's text is compiled on the way and has learned
nothing; an image that `train -o` wrote has.";

const PROMPT: &str = "(onward) ";

/// Step through a network or a system: break, watch, look at registers, memories and packets, go back
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The image, the network's text, or the assembly
    #[arg(value_name = "IMAGE.onw|NET.sp|FILE.s")]
    file: PathBuf,
    /// Samples that are shown, by number, one after the other: 3, or 0..9 (both ends), or 3,5 [default: 0]
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',', value_parser = parse_samples)]
    sample: Vec<(usize, usize)>,
    /// Show training samples and what is to be learned of them, instead of test samples
    #[arg(long)]
    learn: bool,
    /// Do what these lines say, then end
    #[arg(long, value_name = "FILE")]
    commands: Option<PathBuf>,
    /// Write the commands and what each came to for machines; - for standard output
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(flatten)]
    data: DataArguments,
    #[command(flatten)]
    compile: HowToCompile,
}

/// What `--sample` is given, between commas: first and last.
fn parse_samples(text: &str) -> Result<(usize, usize), String> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    match (first.trim().parse(), last.trim().parse()) {
        (Ok(first), Ok(last)) if first <= last => Ok((first, last)),
        _ => Err("write a number, as 3, or the first and the last, as 0..9".to_owned()),
    }
}

/// A session: where its commands come from, and what they came to where that is written.
struct Talk {
    input: Input,
    json: Option<Output>,
}

/// A command of a session, and what it came to.
#[derive(Serialize)]
struct Said {
    command: String,
    text: String,
    refused: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome {
    let ledger = Ledger::default();
    let json = arguments.json.as_deref().map(|path| Output::prepare_json(path, &ledger)).transpose()?;
    let commands = arguments.commands.as_deref().map(|path| read_source(path, &ledger)).transpose()?;
    let input = match commands {
        Some(source) => Input::Lines(Box::new(std::io::Cursor::new(source.text))),
        None if std::io::stdin().is_terminal() => Input::Terminal(Box::new(DefaultEditor::new().map_err(broken)?)),
        None => Input::Lines(Box::new(BufReader::new(std::io::stdin()))),
    };
    let mut talk = Talk { input, json };
    match arguments.file.extension().and_then(|extension| extension.to_str()) {
        Some("s") => arguments.assembly(&ledger, &mut talk),
        Some("sp" | "nir") => {
            let seed = arguments.compile.seed();
            arguments.compile.faults.only_dead(&ledger)?;
            let (_, image) = arguments.compile.compile(&arguments.file, seed, &ledger)?;
            arguments.samples(&image, seed, &ledger, &mut talk)
        }
        _ => {
            if let Some(option) = arguments.compile.given() {
                let help = "an image is for the chip it was compiled for; compile it again, or name a file that ends in .sp or .s";
                return Err(Failure::input(format!("{option} is not for an image"), help));
            }
            let image = read_image(&arguments.file, &ledger)?;
            let seed = arguments.compile.seed.unwrap_or(image.network.seed);
            arguments.samples(&image, seed, &ledger, &mut talk)
        }
    }
}

impl Arguments {
    fn name(&self) -> String {
        self.file.display().to_string()
    }

    fn options(seed: u64) -> Options {
        Options { seed, timing: false, threads: 1 }
    }

    /// A network while it is shown samples.
    fn samples(&self, image: &Image, seed: u64, ledger: &Ledger, talk: &mut Talk) -> Outcome {
        if self.learn && !image.learns() {
            let help = "leave --learn out, or name a network with `learning`";
            return Err(Failure::input("the network learns nothing: the host shows it no targets", help));
        }
        let name = self.name();
        let failed = |error: SessionError| Failure::session(&name, &error);
        let dataset = self.data.load(image, &self.file, ledger, None)?;
        let samples = if self.learn { &dataset.train } else { &dataset.test };
        let order = self.order(samples, &dataset)?;
        // It knows what a host sends; its machine stays as it is.
        let mut session = Session::new(image, Arguments::options(seed)).map_err(failed)?;
        session.set_seed(seed);
        let (shown, rests) = session.steps_of(order.len(), self.learn).map_err(failed)?;
        let host = Host::new(Length::UntilRest(shown, rests), |step| {
            let step = step as usize;
            // Whether it can be shown them was seen when its steps were counted.
            session.packets(samples, &order, self.learn, step..step + 1).unwrap_or_default()
        });
        let debugger = Debugger::new(image, Arguments::options(seed), host);
        talk.hold(image, seed, debugger.map_err(|error: MachineError| failed(error.into()))?)
    }

    /// The samples that are shown, in their order.
    fn order(&self, samples: &Samples, dataset: &Dataset) -> Result<Vec<u32>, Failure> {
        let wanted = if self.sample.is_empty() { &[(0, 0)][..] } else { &self.sample };
        let have = samples.sequences();
        let mut order = Vec::new();
        for &(first, last) in wanted {
            if last >= have {
                let which = if self.learn { "training" } else { "test" };
                let message = format!("{}: there is no {which} sample {last}", dataset.name);
                let help = match have {
                    0 => format!("there are no {which} samples"),
                    _ => format!("they are 0 to {}", have - 1),
                };
                return Err(Failure::input(message, help));
            }
            order.extend((first..=last).flat_map(|at| samples.of_sequence(at)).map(|at| at as u32));
        }
        Ok(order)
    }

    /// A system in assembly.
    fn assembly(&self, ledger: &Ledger, talk: &mut Talk) -> Outcome {
        let foreign = [
            ("--data", self.data.data.is_some()),
            ("--test", self.data.test.is_some()),
            ("--sample", !self.sample.is_empty()),
            ("--learn", self.learn),
            ("--set", !self.compile.set.is_empty()),
        ];
        if let Some((option, _)) = foreign.iter().find(|(_, given)| *given) {
            let help = "a system in assembly brings its own packets, by `.packet`";
            return Err(Failure::input(format!("{option} is for networks"), help));
        }
        let source = read_source(&self.file, ledger)?;
        let chip = self.compile.chip.load(ledger)?;
        let mut included = Vec::new();
        let mut read = noting(&self.file, &mut included);
        let system = assemble_system(&source, &chip, &mut read).map_err(|errors| Failure::assembly(&errors))?;
        drop(read);
        included.into_iter().try_for_each(|path| ledger.reads(path))?;
        let host = Host::new(Length::Steps(system.steps), |step| {
            let sent = system.stimuli_in(step..step + 1).iter();
            let packet = |sent: &onward_assembly::Stimulus| HostPacket {
                step: 0,
                input: sent.input,
                index: sent.index,
                payload: sent.payload,
            };
            sent.map(packet).collect()
        });
        let seed = self.compile.seed.unwrap_or(system.image.network.seed);
        let debugger = Debugger::new(&system.image, Arguments::options(seed), host);
        talk.hold(&system.image, seed, debugger.map_err(|error| Failure::session(&self.name(), &error.into()))?)
    }
}

/// Where commands come from.
enum Input {
    /// Somebody types them.
    Terminal(Box<DefaultEditor>),
    /// A file or a pipe.
    Lines(Box<dyn BufRead>),
}

/// The next command.
enum Next {
    Line(String),
    /// Ctrl-C while a line was typed: it is dropped.
    Dropped,
    End,
}

impl Input {
    fn next(&mut self) -> Result<Next, Failure> {
        match self {
            Input::Terminal(editor) => match editor.readline(PROMPT) {
                Ok(line) => {
                    // What cannot be kept can be typed again.
                    let _ = editor.add_history_entry(line.as_str());
                    Ok(Next::Line(line))
                }
                Err(ReadlineError::Interrupted) => Ok(Next::Dropped),
                Err(ReadlineError::Eof) => Ok(Next::End),
                Err(error) => Err(broken(error)),
            },
            Input::Lines(lines) => {
                let mut line = String::new();
                let read = lines.read_line(&mut line);
                let read = read.map_err(|error| {
                    Failure::input(format!("commands cannot be read: {error}"), "write them as text, one a line")
                })?;
                Ok(if read == 0 { Next::End } else { Next::Line(line.trim_end().to_owned()) })
            }
        }
    }
}

fn broken(error: ReadlineError) -> Failure {
    Failure::Inside(format!("the terminal cannot be read: {error}"))
}

impl Talk {
    /// Takes commands until the session ends. Of a script, each is printed before what it comes to; one that is refused does not
    /// end it, and is told at the end.
    fn hold(&mut self, image: &Image, seed: u64, mut debugger: Debugger) -> Outcome {
        let is_script = matches!(self.input, Input::Lines(_));
        debugger.interrupted_by(progress::listen()?);
        let greeting = debugger.greeting();
        terminal::print(&greeting)?;
        let (mut last, mut said) = (String::new(), Vec::new());
        let mut refused = 0;
        loop {
            let line = match self.input.next()? {
                Next::Line(line) => line,
                Next::Dropped => continue,
                Next::End => break,
            };
            // An empty line says again what can be said again; not in scripts, where such lines part others.
            let line = if line.trim().is_empty() && !is_script { last.clone() } else { line };
            if line.trim().is_empty() {
                continue;
            }
            if is_script {
                terminal::print(&format!("{PROMPT}{line}\n"))?;
            }
            let reply = debugger.execute(&line);
            terminal::print(&reply.text)?;
            refused += u64::from(reply.is_error);
            if self.json.is_some() {
                said.push(Said { command: line.clone(), text: reply.text, refused: reply.is_error });
            }
            last = if reply.repeats { line } else { String::new() };
            if reply.quits {
                break;
            }
        }
        if let Some(json) = &self.json {
            let body = json!({"seed": seed, "greeting": greeting, "commands": said});
            json.write_json(&Document::new("debug", documents::of_image(image, body)))?;
            terminal::print(&report::written([Some(json)]))?;
        }
        match refused {
            0 => Ok(()),
            _ if !is_script => Ok(()),
            1 => Err(Failure::input("a command was refused", "its message stands behind it")),
            _ => Err(Failure::input(format!("{refused} commands were refused"), "their messages stand behind them")),
        }
    }
}
