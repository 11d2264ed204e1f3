//! `onward debug` as people meet it: sessions from files, word for word, and one that is typed in a terminal.
//!
//! Sessions are in `testbench/golden/debug`: what is said, and what comes of it. The book shows two of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn sessions() -> PathBuf {
    root().join("testbench/golden/debug")
}

/// A system that leaves its memory.
const FAULT: &str = "
        .block  lost, 0, 0, start, 1
        .input  knock, 1, lost
        .packet 0..3, knock, 0
        .steps  8
.reg number, r1
start:
        ld      number, n32[0]
        addi    number, number, 30
        st      number, n32[0]
        st      number, n32[number]             ; the third time, beyond the memory
        sleep
";

/// A folder with programs in it, and the session: paths are the same on every computer.
fn desk(session: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    for file in ["digits.sp", "lif.s"] {
        fs::copy(root().join("programs").join(file), folder.path().join(file)).unwrap();
    }
    fs::write(folder.path().join("fault.s"), FAULT).unwrap();
    fs::copy(sessions().join(format!("{session}.commands")), folder.path().join("session.txt")).unwrap();
    folder
}

fn onward(desk: &TempDir, command: &str) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_onward"));
    program.args(command.split_whitespace()).current_dir(desk.path());
    program.env_remove("RUST_BACKTRACE").env("NO_COLOR", "1").output().unwrap()
}

/// Holds a session against the text beside it; what it ends with on stderr is returned.
fn check(session: &str, command: &str) -> (Option<i32>, String) {
    let output = onward(&desk(session), &format!("{command} --commands session.txt"));
    let printed = String::from_utf8(output.stdout).unwrap();
    onward_golden::check(&sessions().join(format!("{session}.txt")), &format!("$ onward {command}\n{printed}"));
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn sessions_are_as_the_book_shows_them() {
    assert_eq!(check("digits", "debug digits.sp --sample 3,4 --learn"), (Some(0), String::new()));
    assert_eq!(check("lif", "debug lif.s --chip small"), (Some(0), String::new()));
}

#[test]
fn mistakes_are_one_message_and_the_session_goes_on() {
    let (code, stderr) = check("refused", "debug digits.sp");
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("commands were refused"), "{stderr}");
}

#[test]
fn a_fault_is_looked_at() {
    assert_eq!(check("fault", "debug fault.s --chip small").0, Some(2));
}

#[test]
fn sessions_are_all_expected() {
    onward_golden::are_named(&sessions(), &[&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")]);
}

#[test]
fn an_image_is_debugged_as_its_text() {
    let desk = desk("digits");
    let text = onward(&desk, "debug digits.sp --sample 3 --learn --commands session.txt").stdout;
    assert_eq!(onward(&desk, "compile digits.sp -o digits.onw").status.code(), Some(0));
    let image = onward(&desk, "debug digits.onw --sample 3 --learn --commands session.txt");
    assert_eq!(String::from_utf8(image.stdout), String::from_utf8(text));
}

#[test]
fn what_cannot_be_shown_is_refused_before_the_session() {
    let desk = desk("digits");
    for (command, what) in [
        ("debug digits.sp --sample 449", "no test sample 449"),
        ("debug digits.sp --sample 3..1", "0..9"),
        ("debug lif.s --sample 1", "--sample is for networks"),
        ("debug lif.s --learn", "--learn is for networks"),
        ("debug nothing.sp", "nothing.sp"),
        ("debug digits.sp --commands nothing.txt", "nothing.txt"),
    ] {
        let output = onward(&desk, command);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{command}: {stderr}");
        assert!(stderr.contains(what) && output.stdout.is_empty(), "{command}: {stderr}");
    }
}

/// A session in a terminal: lines are edited, an empty one says the last again, Ctrl-C stops what runs and not the session.
#[cfg(unix)]
mod terminal {
    use super::fs;
    use nix::pty::{Winsize, openpty};
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    use std::fs::File;
    use std::io::{Read, Write};
    use std::process::{Child, Command, Stdio};
    use std::sync::mpsc::{Receiver, channel};
    use std::time::{Duration, Instant};
    use tempfile::TempDir;

    /// How long an answer may take on a computer that has much else to do.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// What the editor sends the terminal when it begins to read a line, and when it has one (bracketed paste).
    const EDITOR_ON: &str = "\x1b[?2004h";
    const EDITOR_OFF: &str = "\x1b[?2004l";

    /// A system of so many steps that no computer is through with them soon.
    const ENDLESS: &str = "
        .block  busy, 0, 0, start, 1
        .input  knock, 1, busy
        .packet 0, knock, 0
        .steps  100000000
start:
        ld      r1, n32[0]
        addi    r1, r1, 1
        andi    r1, r1, 255
        st      r1, n32[0]
        stay
";

    struct Terminal {
        child: Child,
        keyboard: File,
        screen: Receiver<Vec<u8>>,
        /// What was shown and not yet looked for.
        shown: String,
    }

    impl Terminal {
        /// `None` where there are no pseudo-terminals.
        fn new(file: &str, folder: &TempDir) -> Option<Terminal> {
            let size = Winsize { ws_row: 50, ws_col: 200, ws_xpixel: 0, ws_ypixel: 0 };
            let pair = match openpty(&size, None) {
                Ok(pair) => pair,
                Err(error) => {
                    eprintln!("skipped: this system opens no pseudo-terminal: {error}");
                    return None;
                }
            };
            let end = || Stdio::from(pair.slave.try_clone().unwrap());
            let mut program = Command::new(env!("CARGO_BIN_EXE_onward"));
            program.args(["debug", file, "--chip", "small"]).current_dir(folder.path()).env("TERM", "xterm");
            let child = program.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
            drop(pair.slave);
            let keyboard = File::from(pair.master);
            let mut reader = keyboard.try_clone().unwrap();
            let (sender, screen) = channel();
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                // At the end a pseudo-terminal has an error to tell, or nothing.
                while let Ok(count @ 1..) = reader.read(&mut buffer) {
                    if sender.send(buffer[..count].to_vec()).is_err() {
                        break;
                    }
                }
            });
            Some(Terminal { child, keyboard, screen, shown: String::new() })
        }

        /// Types a line once the editor is at work: what is typed before may get lost, as with any editor.
        fn type_command(&mut self, line: &str) {
            self.expect(EDITOR_ON);
            self.type_keys(&format!("{line}\r"));
        }

        fn type_keys(&mut self, keys: &str) {
            self.keyboard.write_all(keys.as_bytes()).unwrap();
        }

        /// Whether a text is shown before so long; what was shown until then is gone.
        fn shows_within(&mut self, text: &str, patience: Duration) -> bool {
            let start = Instant::now();
            loop {
                if let Some(at) = self.shown.find(text) {
                    self.shown.drain(..at + text.len());
                    return true;
                }
                let Some(left) = patience.checked_sub(start.elapsed()) else { return false };
                match self.screen.recv_timeout(left) {
                    Ok(bytes) => self.shown += &String::from_utf8_lossy(&bytes),
                    Err(_) => return self.shown.contains(text),
                }
            }
        }

        fn expect(&mut self, text: &str) {
            assert!(self.shows_within(text, PATIENCE), "`{text}` does not come; shown is:\n{}", self.shown);
        }
    }

    #[test]
    fn a_session_is_typed() {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("endless.s"), ENDLESS).unwrap();
        let Some(mut terminal) = Terminal::new("endless.s", &folder) else { return };
        terminal.expect("step 0: no block runs in it");
        // A key too many is taken back.
        terminal.type_command("stepp\x7f");
        terminal.expect("=> 0000");
        terminal.type_command("step");
        terminal.expect("=> 0001");
        // Said again, by an empty line, and by the history.
        terminal.type_command("");
        terminal.expect("=> 0002");
        terminal.type_command("\x1b[A");
        terminal.expect("=> 0003");
        terminal.type_command("print nothing");
        terminal.expect("nothing is called `nothing`");
        terminal.expect(EDITOR_ON);
        // What is typed can be dropped.
        terminal.type_keys("quit\x03");
        terminal.type_command("print 6 * 7");
        terminal.expect("6 * 7 = 42");
        terminal.type_command("continue");
        // The line is taken, and the terminal no longer in the hands of the editor.
        terminal.expect("continue");
        terminal.expect(EDITOR_OFF);
        let process = Pid::from_raw(i32::try_from(terminal.child.id()).unwrap());
        let start = Instant::now();
        // As a terminal does for Ctrl-C; what comes just before the run goes on stops nothing.
        loop {
            kill(process, Signal::SIGINT).unwrap();
            if terminal.shows_within("Interrupted.", Duration::from_millis(500)) {
                break;
            }
            assert!(start.elapsed() < PATIENCE, "Ctrl-C does not stop it; shown is:\n{}", terminal.shown);
        }
        terminal.type_command("print executed > 4");
        terminal.expect("executed > 4 = 1");
        terminal.type_command("quit");
        assert!(terminal.child.wait().unwrap().success());
    }
}
