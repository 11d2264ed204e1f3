//! Runs that are killed go on from their last checkpoint, and end with the weights of a run that nothing happened to.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A folder of its own with the network in it.
struct Desk(TempDir);

impl Desk {
    fn new() -> Desk {
        let desk = Desk(TempDir::new().unwrap());
        let digits = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../programs/digits.sp");
        fs::copy(digits, desk.path("digits.sp")).unwrap();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, command: &str) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_onward"));
        program.args(command.split_whitespace()).current_dir(self.0.path()).env("NO_COLOR", "1");
        program
    }

    fn run(&self, command: &str) -> Output {
        self.command(command).output().unwrap()
    }

    /// Runs what must succeed; the hash of the weights at its end.
    fn weights(&self, command: &str) -> String {
        let output = self.run(&format!("{command} --json run.json"));
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        let results: Value = serde_json::from_slice(&fs::read(self.path("run.json")).unwrap()).unwrap();
        results["weights_hash"].as_str().unwrap_or_else(|| panic!("{results}")).to_owned()
    }

    /// Begins a command, and kills it when it has left so many checkpoints, or after a while.
    fn kill_after(&self, command: &str, checkpoint: &str, many: usize) {
        let mut child = self.command(command).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let changed = || fs::metadata(self.path(checkpoint)).and_then(|found| found.modified()).ok();
        let (mut last, mut seen, begin) = (changed(), 0, Instant::now());
        while seen < many && begin.elapsed() < Duration::from_secs(60) && child.try_wait().unwrap().is_none() {
            let now = changed();
            if now != last {
                (last, seen) = (now, seen + 1);
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        child.kill().unwrap(); // SIGKILL: it can do nothing about it
        child.wait().unwrap();
    }
}

#[test]
fn a_killed_training_ends_with_the_same_weights() {
    let desk = Desk::new();
    let undisturbed = desk.weights("train digits.sp --epochs 2 --timing none");
    let command = "train digits.sp --epochs 2 --timing none --checkpoint run.ckpt --every 100";
    assert_eq!(desk.weights(command), undisturbed, "checkpoints change nothing");
    fs::remove_file(desk.path("run.ckpt")).unwrap();
    desk.kill_after(command, "run.ckpt", 3);
    assert!(desk.path("run.ckpt").exists());
    // On another chip, with other threads, and killed again on the way.
    let elsewhere =
        command.replace("train digits.sp", "train digits.sp --chip small --chip-set core.lanes=4 --threads 1");
    desk.kill_after(&elsewhere, "run.ckpt", 6);
    let output = desk.run(&format!("{command} --json run.json"));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("goes on from run.ckpt: epoch "), "{text}");
    let results: Value = serde_json::from_slice(&fs::read(desk.path("run.json")).unwrap()).unwrap();
    assert_eq!(results["weights_hash"], undisturbed);
    // Nothing of what was written on the way is left.
    let left: Vec<String> =
        fs::read_dir(desk.0.path()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert!(left.iter().filter(|name| name.starts_with(".onward-")).count() <= 2, "{left:?}");
}

#[test]
fn a_checkpoint_of_another_run_is_refused_and_a_fresh_run_writes_over_it() {
    let desk = Desk::new();
    let command = "train digits.sp --epochs 1 --timing none --checkpoint run.ckpt --every 500";
    let undisturbed = desk.weights(command);
    for other in ["--seed 2", "--epochs 2", "--rate-shift 1"] {
        let command = match other {
            "--epochs 2" => command.replace("--epochs 1", other),
            _ => format!("{command} {other}"),
        };
        let output = desk.run(&command);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{command}: {stderr}");
        assert!(stderr.contains("run.ckpt: the checkpoint is of another run"), "{stderr}");
    }
    assert_eq!(desk.weights(&format!("{command} --fresh")), undisturbed);
    let mut bytes = fs::read(desk.path("run.ckpt")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(desk.path("run.ckpt"), &bytes).unwrap();
    let output = desk.run(command);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("the checkpoint is damaged"));
    for (more, what) in [("--validate 0.1", "--validate"), ("--seeds 2", "--seeds")] {
        let output = desk.run(&format!("{command} {more}"));
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(what));
    }
}

#[test]
fn a_killed_bandit_and_a_killed_run_go_on() {
    let desk = Desk::new();
    let command = "bandit digits.sp --trials 600 --timing none";
    let undisturbed = desk.weights(command);
    let kept = format!("{command} --checkpoint play.ckpt --every 50");
    desk.kill_after(&kept, "play.ckpt", 4);
    assert_eq!(desk.weights(&kept), undisturbed);
    desk.weights("train digits.sp --epochs 1 --timing none -o part.onw");
    let command = "run part.onw --learn --epochs 1 --timing none";
    let undisturbed = desk.weights(command);
    let kept = format!("{command} --checkpoint more.ckpt --every 100");
    desk.kill_after(&kept, "more.ckpt", 3);
    assert_eq!(desk.weights(&kept), undisturbed);
}
