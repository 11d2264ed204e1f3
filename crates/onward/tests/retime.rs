//! `--record` and `retime`: what they tell, and what they refuse.

use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

const NETWORK: &str = "network small {
    data = \"digits\"
    window = 2
    input pixels = rate(8, 8)
    target digit = classes(10)
    layer hidden = dense(16) from pixels, digit { learning = hinge { rate = 7, margin = 0.3 } }
    readout answer = nearest_target from hidden
}
";

struct Desk(TempDir);

impl Desk {
    fn new() -> Desk {
        let desk = Desk(TempDir::new().expect("a folder"));
        std::fs::write(desk.0.path().join("net.sp"), NETWORK).expect("it is written");
        desk
    }

    fn onward(&self, command: &str) -> Output {
        let mut program = Command::new(env!("CARGO_BIN_EXE_onward"));
        program.args(command.split_whitespace()).current_dir(self.0.path());
        program.env_remove("RUST_BACKTRACE").env("NO_COLOR", "1").output().expect("it starts")
    }

    fn succeed(&self, command: &str) -> String {
        let output = self.onward(command);
        assert_eq!(output.status.code(), Some(0), "onward {command}\n{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    /// Bad input: the message and its remedy.
    fn refused(&self, command: &str) -> String {
        let output = self.onward(command);
        let text = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(2), "onward {command}\n{text}");
        assert!(text.starts_with("error: ") && text.contains("= help: "), "{text}");
        text
    }

    fn json(&self, name: &str) -> serde_json::Value {
        let text = std::fs::read_to_string(self.0.path().join(name)).expect("it was written");
        serde_json::from_str(&text).expect("JSON")
    }

    fn has(&self, name: &str) -> bool {
        Path::new(&self.0.path().join(name)).exists()
    }
}

#[test]
fn a_record_is_timed_for_another_chip_as_a_run_there() {
    let desk = Desk::new();
    desk.succeed("train net.sp --epochs 1 --chip middle --timing none --record run.rec");
    let told = desk.succeed("retime run.rec --chip wide --json retimed.json");
    assert!(told.contains("ran on") && told.contains("timed for") && told.contains("wide"), "{told}");
    desk.succeed("train net.sp --epochs 1 --chip wide --json own.json");
    let (retimed, own) = (desk.json("retimed.json"), desk.json("own.json"));
    for key in [
        "cycles",
        "stall_cycles",
        "energy_j",
        "energy_by_category_j",
        "packets",
        "flits",
        "hops",
        "steps",
        "emulated_s",
        "per_training_sample",
        "per_test_sample",
        "accuracy_percent",
        "chip",
        "chip_parameters",
        "area_mm2",
        "core_usage_percent",
        "weights_hash",
        "confusion",
        "by_class",
    ] {
        assert_eq!(retimed[key], own[key], "{key}");
        assert!(retimed.get(key).is_some(), "{key}");
    }
    assert_eq!(retimed["command"], "retime");
    // The chip that ran, with a key changed.
    desk.succeed("retime run.rec --set core.lanes=64 --json lanes.json");
    assert_ne!(desk.json("lanes.json")["cycles"], retimed["cycles"]);
}

#[test]
fn what_a_record_does_not_hold_is_refused() {
    let desk = Desk::new();
    desk.succeed("train net.sp --epochs 1 --record run.rec");
    let refused = desk.refused("retime run.rec --set core.vector_length=1024");
    assert!(refused.contains("core.vector_length"), "{refused}");
    let refused = desk.refused("retime run.rec --set memory.synapse_bytes=64");
    assert!(refused.contains("bytes of synapse memory"), "{refused}");
    let refused = desk.refused("retime net.sp");
    assert!(refused.contains("not a record of a run"), "{refused}");
    let path = desk.0.path().join("run.rec");
    let mut bytes = std::fs::read(&path).expect("it was written");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(desk.0.path().join("damaged.rec"), &bytes).expect("it is written");
    let refused = desk.refused("retime damaged.rec --json none.json");
    assert!(refused.contains("damaged") && !desk.has("none.json"), "{refused}");
    std::fs::write(desk.0.path().join("cut.rec"), &bytes[..middle]).expect("it is written");
    assert!(desk.refused("retime cut.rec").contains("cut off"));
    assert!(desk.refused("retime missing.rec").contains("missing.rec"));
}

#[test]
fn what_is_no_single_run_is_not_recorded() {
    let desk = Desk::new();
    for option in ["--seeds 2", "--validate 0.2", "--checkpoint c.ckpt"] {
        let refused = desk.refused(&format!("train net.sp --epochs 1 {option} --record run.rec"));
        assert!(refused.contains(option.split(' ').next().expect("an option")), "{refused}");
    }
    desk.refused("train net.sp --epochs 1 --engine reference --record run.rec");
    assert!(!desk.has("run.rec"));
    let left = std::fs::read_dir(desk.0.path()).expect("the folder").count();
    assert_eq!(left, 1, "nothing but the text is there");
}
