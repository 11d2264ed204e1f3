//! The commands: names, abbreviations, what each does in a line, and which function does it.

mod going;
mod looking;
mod source;
mod stopping;

use crate::debugger::Debugger;
use onward_diagnostic::did_you_mean;

/// What a command comes to: text to show, or what is wrong.
pub(crate) type Done = Result<String, String>;

/// A command.
pub(crate) struct Command {
    pub name: &'static str,
    /// Other names; beginnings of a name that no other has are understood too.
    short: &'static [&'static str],
    usage: &'static str,
    summary: &'static str,
    /// What there is to know beside that, in whole lines.
    more: &'static str,
    /// Whether an empty line says it again.
    pub repeats: bool,
    pub run: fn(&mut Debugger, &str) -> Done,
}

/// All commands, in the order of the help.
const COMMANDS: &[Command] = &[
    Command {
        name: "step",
        short: &["s", "si", "stepi"],
        usage: "step [N]",
        summary: "execute an instruction, or N, and show what each did",
        more: "",
        repeats: true,
        run: going::step,
    },
    Command {
        name: "next",
        short: &["n", "ni"],
        usage: "next [N]",
        summary: "the same, but a loop counts as one instruction",
        more: "",
        repeats: true,
        run: going::next,
    },
    Command {
        name: "finish",
        short: &["fin", "handler"],
        usage: "finish [N]",
        summary: "run until this handler has ended and the next one begins (another block, or the next step)",
        more: "",
        repeats: true,
        run: going::finish,
    },
    Command {
        name: "timestep",
        short: &["t"],
        usage: "timestep [N]",
        summary: "run to the beginning of the next step of the chip, or of the Nth from here",
        more: "",
        repeats: true,
        run: going::timestep,
    },
    Command {
        name: "window",
        short: &["w"],
        usage: "window [N]",
        summary: "run to the beginning of the next window: of the network's steps for a sample or a target",
        more: "",
        repeats: true,
        run: going::window,
    },
    Command {
        name: "continue",
        short: &["c"],
        usage: "continue",
        summary: "run until a breakpoint, a fault or the end; Ctrl-C stops it",
        more: "",
        repeats: true,
        run: going::go_on,
    },
    Command {
        name: "until",
        short: &["u"],
        usage: "until WHERE [if CONDITION]",
        summary: "run until it is there; WHERE is what `break` takes",
        more: "",
        repeats: false,
        run: going::until,
    },
    Command {
        name: "back",
        short: &["bk", "reverse"],
        usage: "back [N] [timesteps | windows]",
        summary: "go back by an instruction, or N, or to the beginning of a step or window before",
        more: "The machine cannot run backwards: the run begins anew and goes on to just there, past breakpoints.\n",
        repeats: true,
        run: going::back,
    },
    Command {
        name: "run",
        short: &["r", "restart"],
        usage: "run",
        summary: "begin the run anew and stay at its beginning; breakpoints are kept",
        more: "",
        repeats: false,
        run: going::restart,
    },
    Command {
        name: "break",
        short: &["b", "br"],
        usage: "break [WHERE] [if CONDITION]",
        summary: "stop the run at a place or an event, where a condition holds",
        more: stopping::WHERE,
        repeats: false,
        run: stopping::set,
    },
    Command {
        name: "tbreak",
        short: &["tb"],
        usage: "tbreak [WHERE] [if CONDITION]",
        summary: "the same, once",
        more: "",
        repeats: false,
        run: stopping::set_once,
    },
    Command {
        name: "watch",
        short: &["wa"],
        usage: "watch ARRAY [if CONDITION]",
        summary: "stop when elements of a memory change: an array of a block or layer, or a part of it",
        more: "  watch hidden1.membrane[54]     a neuron's membrane\n  watch @0.weights[7]            a row of the weights of block 0\n",
        repeats: false,
        run: stopping::watch,
    },
    Command {
        name: "delete",
        short: &["d"],
        usage: "delete [NUMBER ..]",
        summary: "take breakpoints away: these, or all",
        more: "",
        repeats: false,
        run: stopping::delete,
    },
    Command {
        name: "disable",
        short: &["dis"],
        usage: "disable [NUMBER ..]",
        summary: "let breakpoints be, but do not stop at them",
        more: "",
        repeats: false,
        run: stopping::disable,
    },
    Command {
        name: "enable",
        short: &["en"],
        usage: "enable [NUMBER ..]",
        summary: "stop at them again",
        more: "",
        repeats: false,
        run: stopping::enable,
    },
    Command {
        name: "print",
        short: &["p"],
        usage: "print[/FORMAT] EXPRESSION",
        summary: "show a register, a vector, an array, or what is computed of them",
        more: looking::EXPRESSIONS,
        repeats: false,
        run: looking::print,
    },
    Command {
        name: "x",
        short: &[],
        usage: "x[/COUNT] MEMORY[ELEMENT]",
        summary: "show elements of a memory by their numbers, 16 if COUNT is not said: x/4 n32[12]",
        more: "",
        repeats: false,
        run: looking::examine,
    },
    Command {
        name: "display",
        short: &["disp"],
        usage: "display[/FORMAT] [EXPRESSION]",
        summary: "print it at each stop from here on; without an expression, print all that are displayed",
        more: "",
        repeats: false,
        run: looking::display,
    },
    Command {
        name: "undisplay",
        short: &["undisp"],
        usage: "undisplay [NUMBER ..]",
        summary: "do so no longer: of these, or of all",
        more: "",
        repeats: false,
        run: looking::undisplay,
    },
    Command {
        name: "info",
        short: &["i"],
        usage: "info WHAT",
        summary: "show what there is",
        more: looking::INFO,
        repeats: false,
        run: looking::info,
    },
    Command {
        name: "list",
        short: &["l"],
        usage: "list [WHERE]",
        summary: "show the assembly around here, or there, with the line of the network that it was made from",
        more: "WHERE is a line, a label or an address, as of `break`; `list network` shows the network's text.\n",
        repeats: true,
        run: source::list,
    },
    Command {
        name: "disassemble",
        short: &["disas"],
        usage: "disassemble [PROGRAM]",
        summary: "show the instructions of the handler here, or of a program",
        more: "",
        repeats: false,
        run: source::disassemble,
    },
    Command {
        name: "where",
        short: &["bt", "backtrace"],
        usage: "where",
        summary: "say where the run is: instruction, loops, block, core, step, window, and the network's line",
        more: "",
        repeats: false,
        run: source::place,
    },
    Command {
        name: "help",
        short: &["h", "?"],
        usage: "help [COMMAND]",
        summary: "say what commands there are, or more of one",
        more: "",
        repeats: false,
        run: help,
    },
    Command {
        name: "quit",
        short: &["q", "exit"],
        usage: "quit",
        summary: "end the session",
        more: "",
        repeats: false,
        run: |_, _| Ok(String::new()),
    },
];

/// The command that a word means: by its name, another name, or the beginning of its name.
///
/// # Errors
/// There is none, or there are several.
pub(crate) fn find(word: &str) -> Result<&'static Command, String> {
    let is_called = |command: &&Command| command.name == word || command.short.contains(&word);
    if let Some(command) = COMMANDS.iter().find(is_called) {
        return Ok(command);
    }
    let beginning: Vec<&Command> = COMMANDS.iter().filter(|command| command.name.starts_with(word)).collect();
    match beginning[..] {
        [command] if !word.is_empty() => Ok(command),
        [] => {
            let names = COMMANDS.iter().map(|command| command.name);
            Err(format!("there is no command `{word}`; {}", did_you_mean(word, names, "there are ")))
        }
        _ => {
            let names: Vec<&str> = beginning.iter().map(|command| command.name).collect();
            Err(format!("`{word}` may be {}", names.join(" or ")))
        }
    }
}

/// All commands, a line each.
pub(crate) fn overview() -> String {
    let line = |command: &Command| format!("  {:<30} {}\n", command.usage, command.summary);
    let lines: String = COMMANDS.iter().map(line).collect();
    format!(
        "{lines}`help COMMAND` says more. Commands may be shortened, as far as they stay clear: b, c, s, n, p, i r.\n"
    )
}

fn help(_: &mut Debugger, rest: &str) -> Done {
    if rest.is_empty() {
        return Ok(overview());
    }
    let command = find(rest)?;
    let short = match command.short {
        [] => String::new(),
        short => format!("Also: {}\n", short.join(", ")),
    };
    Ok(format!("{}\n  {}\n{short}{}", command.usage, command.summary, command.more))
}

/// A number of times; 1 if nothing is said.
fn times(text: &str) -> Result<u64, String> {
    match text {
        "" => Ok(1),
        _ => text.parse().ok().filter(|&times| times > 0).ok_or(format!("`{text}` is no number from 1 on")),
    }
}

/// Numbers of things; none if nothing is said.
fn numbers(text: &str) -> Result<Vec<u32>, String> {
    let number = |word: &str| word.parse().map_err(|_| format!("`{word}` is no number"));
    text.split_whitespace().map(number).collect()
}

/// Nothing stands behind a command that takes nothing.
fn nothing(rest: &str) -> Result<(), String> {
    if rest.is_empty() { Ok(()) } else { Err(format!("`{rest}` is more than this command takes")) }
}
