//! `onward explore`: results survive a kill, are the same whoever runs them, and can be had again from what they are exported to.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const NETWORK: &str = "network small {
    parameter bits = 16
    data = \"digits\"
    window = 4
    epochs = 1
    input pixels = rate(8, 8)
    target digit = classes(10)
    learning = hinge { rate = 6, margin = 0.3 }
    layer hidden = dense(32) from pixels, digit { block = 16, weights = fixed { bits = bits } }
    readout answer = nearest_target from hidden
}
";

const SPACE: &str = r#"
[fixed]
chip = "small"
"learning.epochs" = 2

[parameters]
"network.bits" = [4, 8, 16]
"chip.core.lanes" = [4, 8, 16]
"chip.memory.synapse_bytes" = [1024, 4096, 8192]
"chip.mesh.width" = [1, 2]

[objectives]
accuracy = { maximize = "accuracy_percent" }
energy = { minimize = "training_energy_j" }
area = { minimize = "area_mm2" }

[constraints]
good = "accuracy_percent >= 20"

[search]
designs = 24
batch = 8

[halving]
"learning.epochs" = [1, 2]
keep = 0.6
"#;

struct Desk(TempDir);

impl Desk {
    fn new() -> Desk {
        let desk = Desk(tempfile::tempdir().unwrap());
        fs::write(desk.path("net.sp"), NETWORK).unwrap();
        fs::write(desk.path("space.toml"), SPACE).unwrap();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onward"));
        command.args(arguments.split_whitespace()).current_dir(self.0.path()).env("NO_COLOR", "1");
        command
    }

    fn run(&self, arguments: &str) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn succeed(&self, arguments: &str) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "onward {arguments}\n{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, name: &str) -> serde_json::Value {
        let mut read: serde_json::Value = serde_json::from_slice(&fs::read(self.path(name)).unwrap()).unwrap();
        read["arguments"] = serde_json::Value::Null;
        read
    }
}

#[test]
fn a_killed_study_goes_on_to_the_end_of_an_undisturbed_one() {
    let desk = Desk::new();
    let study = "explore net.sp --space space.toml --workers 2";
    desk.succeed(&format!("{study} --database whole.db --json whole.json"));
    let found = |path: &Path| fs::metadata(path).map_or(0, |found| found.len());
    for kill in 0..2 {
        let mut command = desk.command(&format!("{study} --database parts.db --resume"));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let (before, start) = (found(&desk.path("parts.db-wal")), Instant::now());
        // Once it has kept something; a slow computer gets its time.
        while child.try_wait().unwrap().is_none() && start.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(20));
            if found(&desk.path("parts.db-wal")) > before + 40_000 * (kill + 1) {
                break;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let text = desk.succeed(&format!("{study} --database parts.db --resume --json parts.json"));
    assert_eq!(desk.json("parts.json"), desk.json("whole.json"));
    assert!(text.contains("24 of 24 designs"), "{text}");
    // With one worker and from nothing it is the same.
    desk.succeed(&format!("{} --database one.db --json one.json", study.replace("--workers 2", "--workers 1")));
    assert_eq!(desk.json("one.json"), desk.json("whole.json"));
    // What has results is not begun anew by accident.
    let refused = desk.run(&format!("{study} --database whole.db"));
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--resume"));
}

#[test]
fn a_point_that_is_exported_runs_again_to_the_bit() {
    let desk = Desk::new();
    desk.succeed("explore net.sp --space space.toml --workers 2 --database d.db --json d.json --uncertain 2 --seeds 2 --csv d.csv --parquet d.parquet --report d.html");
    let found = desk.json("d.json");
    let id = found["front"][0].as_str().unwrap();
    let designs = found["designs"].as_array().unwrap();
    let design = designs.iter().find(|design| design["id"] == id).unwrap();
    let text = desk.succeed(&format!("explore net.sp --space space.toml --database d.db --export {id} --output out"));
    let before = fs::read(desk.path("net.sp")).unwrap();
    let refused = desk.run(&format!("explore net.sp --space space.toml --database d.db --export {id} --output net.sp"));
    assert_eq!((refused.status.code(), fs::read(desk.path("net.sp")).unwrap()), (Some(2), before));
    let command = text.lines().find_map(|line| line.strip_prefix("onward ")).unwrap();
    desk.succeed(&format!("{command} --json again.json"));
    let again = desk.json("again.json");
    let number = |value: &serde_json::Value| value.as_f64().unwrap().to_bits();
    for (measure, of) in [
        ("accuracy_percent", &again["accuracy_percent"]),
        ("training_energy_j", &again["per_training_sample"]["energy_j"]),
        ("training_s", &again["per_training_sample"]["emulated_s"]),
        ("inference_energy_j", &again["per_test_sample"]["energy_j"]),
        ("area_mm2", &again["area_mm2"]),
    ] {
        assert_eq!(number(&design["measures"][measure]), number(of), "{measure}");
    }
    assert_eq!(design["labels"]["weights_hash"], again["weights_hash"]);
    // All designs are in the table and in the page, and each measure's parts add up to it.
    let table = fs::read_to_string(desk.path("d.csv")).unwrap();
    assert_eq!(table.lines().count(), 1 + designs.len());
    let columns = fs::read(desk.path("d.parquet")).unwrap();
    assert!(columns.starts_with(b"PAR1") && columns.ends_with(b"PAR1"));
    for name in table.lines().next().unwrap().split(',') {
        assert!(columns.windows(name.len()).any(|part| part == name.as_bytes()), "{name}");
    }
    assert!(
        ["network_hash", "data_hash"].iter().all(|hash| found[*hash].as_str().is_some_and(|hash| hash.len() == 64))
    );
    let page = fs::read_to_string(desk.path("d.html")).unwrap();
    assert!(page.contains(&format!("\"id\":\"{id}\"")) && page.contains("--export"));
    // What it says of a design's profile is a command that works once its files are there.
    let profile =
        page.split("\"profile_command\":\"").find_map(|rest| rest.split('"').next().filter(|text| text.contains(id)));
    let profile = profile.and_then(|text| text.strip_prefix("onward ")).unwrap();
    desk.succeed(&format!("explore net.sp --space space.toml --database d.db --export {id} --output designs"));
    desk.succeed(profile);
    assert!(fs::read_to_string(desk.path(&format!("designs/{id}.html"))).unwrap().contains("\"purposes\""));
    for design in designs {
        let Some(measures) = design["measures"].as_object().filter(|measures| !measures.is_empty()) else { continue };
        for whole in ["training_energy_j", "inference_energy_j", "area_mm2"] {
            let parts = measures.iter().filter(|(name, _)| name.starts_with(&format!("{whole}.")));
            let sum: f64 = parts.map(|(_, part)| part.as_f64().unwrap()).sum();
            let all = measures[whole].as_f64().unwrap();
            assert!((sum - all).abs() < 1e-9 * all, "{whole}: {sum} of {all}");
        }
    }
    assert!(
        designs.iter().any(|design| design["reason"].as_str().is_some_and(|reason| reason.contains("does not fit")))
    );
    assert_eq!(found["robustness"].as_array().unwrap().len(), found["front"].as_array().unwrap().len());
}

#[test]
fn bad_spaces_are_refused_with_place_and_remedy() {
    let desk = Desk::new();
    let refuse = |golden: &str, space: &str| {
        fs::write(desk.path("bad.toml"), space).unwrap();
        let output = desk.run("explore net.sp --space bad.toml");
        assert_eq!(output.status.code(), Some(2), "{golden}");
        assert!(!desk.path("bad.db").exists(), "{golden}");
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testbench/golden/explore").join(format!("{golden}.txt"));
        onward_golden::check(&path, &String::from_utf8(output.stderr).unwrap());
    };
    refuse("unknown_parameter", &SPACE.replace("network.bits", "network.bit").replace("core.lanes", "core.lane"));
    refuse("empty_range", &SPACE.replace("[4, 8, 16]", "{ from = 16, to = 4, step = 4 }"));
    refuse("not_allowed", &SPACE.replace("\"chip.core.lanes\" = [4, 8, 16]", "\"chip.core.lanes\" = [4, 12]"));
    refuse("contradictory", &SPACE.replace(">= 20", ">= 101"));
    refuse("divides_by_zero", &SPACE.replace("\"area_mm2\"", "\"area_mm2 / (1 - chip.mesh.width)\""));
}
