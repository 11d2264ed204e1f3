//! `--faults`: what wrong bits cost is told and written, and what is dead is gone round.

use serde_json::Value;
use std::fs;
use std::process::{Command, Output};
use tempfile::TempDir;

const NETWORK: &str = "network small {\n data = \"digits\"\n window = 4\n input x = rate(8, 8)\n target t = classes(10)\n \
    learning = hinge { rate = 7, margin = 0.3 }\n layer h = dense(32) from x, t\n readout a = nearest_target from h\n}\n";

struct Desk(TempDir);

impl Desk {
    fn new(files: &[(&str, &str)]) -> Desk {
        let desk = Desk(TempDir::new().expect("a folder can be made"));
        for (name, text) in files {
            fs::write(desk.0.path().join(name), text).expect("a file can be written");
        }
        desk
    }

    fn onward(&self, arguments: &str) -> Output {
        let mut program = Command::new(env!("CARGO_BIN_EXE_onward"));
        program.args(arguments.split_whitespace()).current_dir(self.0.path()).env("NO_COLOR", "1");
        program.output().expect("the program runs")
    }

    /// What a command says, and what it writes for machines.
    fn run(&self, arguments: &str) -> (String, Value) {
        let output = self.onward(&format!("{arguments} --json results.json"));
        assert!(output.status.success(), "onward {arguments}\n{}", String::from_utf8_lossy(&output.stderr));
        let json = fs::read_to_string(self.0.path().join("results.json")).expect("it was written");
        let text = String::from_utf8(output.stdout).expect("text");
        (text, serde_json::from_str(&json).expect("JSON"))
    }
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is a number"))
}

#[test]
fn what_wrong_bits_cost_is_told_and_written() {
    let many = "seed = 3\n[memory]\nflipped = 0.02\nstuck = 0.001\nmemories = [\"synapse\"]\n";
    let desk = Desk::new(&[("net.sp", NETWORK), ("many.toml", many)]);
    desk.run("train net.sp --epochs 2 --timing none -o net.onw");
    let (_, sound) = desk.run("run net.onw --timing none");
    assert!(sound.get("faults").is_none(), "nothing is said of faults where there are none");
    let (text, faulty) = desk.run("run net.onw --timing none --faults many.toml");
    let faults = &faulty["faults"];
    let (of_sound, of_faulty) = (number(&sound["accuracy_percent"]), number(&faulty["accuracy_percent"]));
    assert!(of_faulty < of_sound - 10.0, "{of_faulty} of {of_sound}");
    assert!((number(&faults["sound_accuracy_percent"]) - of_sound).abs() < 1e-9);
    assert!((number(&faults["cost_points"]) - (of_sound - of_faulty)).abs() < 1e-9);
    let bits = number(&faults["bits"]);
    assert!(
        (number(&faults["flipped"]) - 0.02 * bits).abs() <= 1.0
            && (number(&faults["stuck"]) - 0.001 * bits).abs() <= 1.0
    );
    assert!(faults["sound_nrmse"].is_null() && number(&faults["corrected"]).abs() < 0.5);
    let line = format!("right {of_faulty:.2} %, on sound memories {of_sound:.2} %: the faults cost");
    assert!(text.contains(&line), "{text}");
    // A network that learns on such memories.
    let (text, learned) = desk.run("train net.sp --epochs 2 --timing none --faults many.toml");
    assert!((number(&learned["faults"]["sound_accuracy_percent"]) - of_sound).abs() < 1e-9);
    assert!(text.contains("the faults cost"), "{text}");
}

#[test]
fn a_code_takes_what_single_bits_cost() {
    let few = "seed = 3\n[memory]\nflipped = 0.0002\n";
    let desk = Desk::new(&[("net.sp", NETWORK), ("few.toml", few)]);
    desk.run(
        "train net.sp --epochs 2 --timing none --chip-set memory.protection=ecc --chip-set clock_hz=highest -o net.onw",
    );
    let (beside, _) = desk.run("chip show middle --set memory.protection=ecc --set clock_hz=highest --beside middle");
    assert!(beside.contains("memory.protection"), "{beside}");
    let (text, results) = desk.run("run net.onw --timing none --faults few.toml");
    let faults = &results["faults"];
    assert!(number(&faults["corrected"]) > 5.0 && number(&faults["silent"]).abs() < 0.5, "{faults}");
    assert!(text.contains("put right"), "{text}");
}

#[test]
fn a_fault_file_that_would_be_passed_over_is_refused() {
    let desk = Desk::new(&[
        ("net.sp", NETWORK),
        ("bits.toml", "[memory]\nflipped = 0.001\n"),
        ("dead.toml", "[dead]\nlink_share = 0.1\n"),
    ]);
    let output = desk.onward("train net.sp --seeds 2 --epochs 1 --faults bits.toml");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && stderr.contains("a single run"), "{stderr}");
    // What is dead is gone round with each seed, and costs no answer.
    let (_, whole) = desk.run("train net.sp --seeds 2 --epochs 1");
    let (_, broken) = desk.run("train net.sp --seeds 2 --epochs 1 --faults dead.toml");
    assert_eq!(whole["accuracy_percent"], broken["accuracy_percent"]);
}
