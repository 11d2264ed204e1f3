//! The program as people meet it: what it answers to bad input, word for word, and that the good case works.
//!
//! Messages are golden files in `testbench/golden/command_line`; `SNAPSHOTS=overwrite` renews them.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A folder of its own with the programs in it: paths in messages are the same on every computer.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Desk {
        let folder = TempDir::new().unwrap();
        for file in ["digits.sp", "mnist.sp"] {
            fs::copy(root().join("programs").join(file), folder.path().join(file)).unwrap();
        }
        Desk { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), contents).unwrap();
    }

    fn edit(&self, name: &str, new_name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(from), "{name} has no `{from}`");
        self.write(new_name, text.replacen(from, to, 1));
    }

    fn onward(&self, command: &str) -> Output {
        let mut program = Command::new(env!("CARGO_BIN_EXE_onward"));
        program.args(command.split_whitespace()).current_dir(self.folder.path());
        program.env_remove("RUST_BACKTRACE").env("NO_COLOR", "1").output().unwrap()
    }

    /// Runs what must succeed; its stdout.
    fn succeed(&self, command: &str) -> String {
        let output = self.onward(command);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "onward {command}\n{stderr}");
        assert_eq!(stderr, "", "onward {command}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> =
            fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }

    /// Runs what must fail: exit code 2, the golden message, nothing on stdout, no file made.
    fn refuse(&self, golden: &str, command: &str) {
        let before = self.files();
        let output = self.onward(command);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{golden}: onward {command}\n{stderr}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{golden}: onward {command}");
        assert_eq!(self.files(), before, "{golden}: onward {command} left files");
        assert!(!stderr.contains("panicked") && !stderr.contains("internal error"), "{golden}: {stderr}");
        check(golden, command, &stderr);
    }
}

/// Compares what a command printed with its golden file.
fn check(golden: &str, command: &str, printed: &str) {
    onward_golden::check(&messages().join(format!("{golden}.txt")), &format!("$ onward {command}\n{printed}"));
}

/// The folder of the golden files.
fn messages() -> PathBuf {
    root().join("testbench/golden/command_line")
}

#[test]
fn messages_are_all_expected() {
    onward_golden::are_named(&messages(), &[&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")]);
}

/// An IDX file of images or labels.
fn idx(sizes: &[u32], bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, sizes.len() as u8];
    sizes.iter().for_each(|size| file.extend(size.to_be_bytes()));
    file.extend(bytes);
    file
}

/// A folder of four images of 8 x 8 to learn from and two to test with.
fn idx_folder(desk: &Desk, folder: &str, labels: [u8; 6]) {
    let image = |labels: &[u8]| labels.iter().flat_map(|&label| [label.wrapping_mul(25); 64]).collect::<Vec<u8>>();
    for (part, labels) in [("train", &labels[..4]), ("t10k", &labels[4..])] {
        let count = labels.len() as u32;
        desk.write(&format!("{folder}/{part}-images-idx3-ubyte"), idx(&[count, 8, 8], &image(labels)));
        desk.write(&format!("{folder}/{part}-labels-idx1-ubyte"), idx(&[count], labels));
    }
}

#[test]
fn bad_networks_are_refused() {
    let desk = Desk::new();
    desk.edit("digits.sp", "word.sp", "layer hidden1", "layr hidden1");
    desk.refuse("unknown_word", "train word.sp -o out.onw --json out.json");
    desk.edit("mnist.sp", "block.sp", "block = 128", "block = 512");
    desk.edit(
        "block.sp",
        "weights.sp",
        "dense(512) from pixels, class { block = 512 }",
        "dense(512) from pixels, class { block = 256 }",
    );
    desk.refuse("block_too_long", "compile block.sp -o out.onw");
    desk.refuse("weights_too_large", "compile weights.sp -o out.onw");
    desk.refuse("too_few_cores", "compile mnist.sp --chip small -o out.onw");
    desk.refuse("no_network", "train nowhere.sp");
    desk.write("bytes.sp", [0xff, 0xfe, 0x00, 0x80]);
    desk.refuse("network_not_text", "compile bytes.sp");
    desk.write("empty.sp", "");
    desk.refuse("network_empty", "compile empty.sp");
}

/// It compiles all the same; a script can ask that it does not.
#[test]
fn what_is_likely_a_mistake_is_warned_of() {
    let desk = Desk::new();
    desk.write(
        "silent.sp",
        "network silent {\n    window = 4\n    input x = events(2)\n    layer y = dense(1) from x {\n        \
         weights = fixed { bits = 8, values = ((0.1, 0.1),) }\n    }\n    readout answer = spikes from y\n}\n",
    );
    let compiled = desk.onward("compile silent.sp -o silent.onw");
    let warned = String::from_utf8(compiled.stderr).expect("messages are text");
    assert!(
        compiled.status.success() && warned.starts_with("warning[W02]: the neuron of `y` can never fire"),
        "{warned}"
    );
    desk.refuse("warnings_denied", "compile silent.sp --deny warnings -o out.onw");
}

#[test]
fn smaller_blocks_are_taken_and_reported() {
    let desk = Desk::new();
    desk.edit("digits.sp", "wide.sp", "block  = 64", "block  = 128");
    let compile = "compile wide.sp --chip-set memory.synapse_bytes=12288";
    desk.refuse("blocks_too_large", &format!("{compile} -o out.onw"));
    let fitted = desk.onward(&format!("{compile} --fit -o fitted.onw"));
    let note = String::from_utf8(fitted.stderr).expect("messages are text");
    assert!(fitted.status.success() && note.starts_with("fitted: `hidden"), "{note}");
    let report = desk.succeed("run fitted.onw --data digits");
    assert!(report.contains("  fitted    `hidden"), "{report}");
}

#[test]
fn parameters_are_set_and_files_included() {
    let desk = Desk::new();
    desk.edit("digits.sp", "wide.sp", "network digits {", "network digits {\n    include \"common/rule.sp\"");
    let text = fs::read_to_string(desk.path("wide.sp")).unwrap();
    let text = text.replace("learning = hinge { rate = rate, margin = 0.3, anneal = 2, gate = surrogate }", "");
    desk.write("wide.sp", text);
    desk.write("common/rule.sp", "# For several networks.\nlearning = hinge { rate = 7, margin = 0.3, anneal = 2 }\n");
    // The same network in other words is the same network.
    let printed = |network: &str, more: &str| desk.succeed(&format!("compile {network} --emit parse {more}"));
    assert_eq!(printed("wide.sp", ""), printed("digits.sp", ""));
    assert!(printed("wide.sp", "--set hidden=192").contains("dense(192)"));
    desk.succeed("compile wide.sp --set hidden=64 -o small.onw");
    assert!(desk.succeed("disasm small.onw").contains("hidden"));

    desk.refuse("unknown_parameter", "compile wide.sp --set hiden=64");
    desk.refuse("parameter_out_of_range", "compile wide.sp --set hidden=0");
    desk.refuse("setting_without_value", "train wide.sp --set hidden=");
    desk.write("common/rule.sp", "# For several networks.\nlearning = hing\n");
    desk.refuse("mistake_in_included_file", "compile wide.sp");
    fs::remove_file(desk.path("common/rule.sp")).unwrap();
    desk.refuse("included_file_missing", "compile wide.sp");
}

/// A network that learns nothing answers, or gives its spikes; `train` has nothing to do but to test it.
#[test]
fn networks_that_do_not_learn_run() {
    let desk = Desk::new();
    let network = "network still {
    data = \"digits\"
    window = 8
    input x = poisson(8, 8)
    layer c = conv(4, 3) from x { padding = 1 }
    layer d = dense(10) from c
    readout y = most_spikes from d
}
";
    desk.write("still.sp", network);
    desk.write("spikes.sp", network.replace("most_spikes", "spikes"));
    let json = |name: &str| -> Value { serde_json::from_str(&fs::read_to_string(desk.path(name)).unwrap()).unwrap() };
    desk.succeed("compile still.sp -o still.onw");
    desk.succeed("run still.onw --json run.json");
    let report = desk.succeed("train still.sp --json train.json");
    assert!(report.contains("accuracy") && report.contains("449 test samples"), "{report}");
    assert_eq!(json("run.json")["right"], json("train.json")["right"]);
    assert_eq!(json("run.json")["read_spikes"], Value::Null);

    desk.succeed("compile spikes.sp -o spikes.onw");
    let report = desk.succeed("run spikes.onw --spikes spikes.npy --json spikes.json");
    assert!(report.contains("spikes read"), "{report}");
    let read = json("spikes.json")["read_spikes"].as_u64().unwrap();
    assert_eq!(json("spikes.json")["accuracy_percent"], Value::Null);
    let bytes = fs::read(desk.path("spikes.npy")).unwrap();
    assert!(read > 100 && bytes.len() as u64 % 64 == read * 12 % 64 && bytes.len() as u64 > read * 12);
    // Another seed draws other spikes of the input.
    desk.succeed("run spikes.onw --seed 2 --spikes other.npy");
    assert_ne!(bytes, fs::read(desk.path("other.npy")).unwrap());

    desk.refuse("no_spikes_to_write", "run still.onw --spikes out.npy");
    desk.refuse("nothing_learned", "train still.sp -o out.onw");
    desk.refuse("learning_without_targets", "run still.onw --learn");
    desk.edit("still.sp", "events.sp", "poisson(8, 8)", "events(1, 8, 8)");
    desk.refuse("no_recorded_spikes", "train events.sp");
}

#[test]
fn networks_of_other_tools_are_imported() {
    let desk = Desk::new();
    let file = |name: &str| fs::read(root().join("crates/onward-net/tests/nir").join(name)).unwrap();
    desk.write("model.nir", file("gzip.nir"));
    let note = desk.onward("import model.nir -o net.sp --window 20");
    assert_eq!(note.status.code(), Some(0));
    check("import", "import model.nir -o net.sp --window 20", &String::from_utf8_lossy(&note.stderr));
    assert_eq!(String::from_utf8_lossy(&note.stdout), "wrote net.sp and net.npz (6 arrays)\n");
    // The text and the file are the same network: the chip is given the same weights and programs.
    let text = desk.succeed("compile net.sp --emit assemble");
    let direct = desk.onward("compile model.nir --window 20 --emit assemble");
    assert_eq!(direct.status.code(), Some(0), "{}", String::from_utf8_lossy(&direct.stderr));
    assert_eq!(String::from_utf8_lossy(&direct.stdout), text);

    desk.refuse("import_over_its_input", "import model.nir -o model.nir");
    desk.refuse("import_without_a_name_for_arrays", "import model.nir -o net.npz");
    desk.refuse("import_of_a_text", "import digits.sp -o net2.sp");
    desk.refuse("import_missing", "import nowhere.nir -o net2.sp");
    desk.refuse("import_node", "compile model.nir --dt 0.01");
    desk.refuse("nir_options_for_a_text", "compile digits.sp --dt 0.001");
    desk.refuse("settings_for_nir", "compile model.nir --set hidden=3");
    desk.write("cut.nir", &file("plain.nir")[..20_000]);
    desk.refuse("import_cut_short", "compile cut.nir");
}

/// What a network has learned leaves as a NIR file, by which its neurons have the same weights and fire the same spikes as by
/// the arrays.
#[test]
fn what_was_learned_leaves_as_a_nir_file() {
    let desk = Desk::new();
    let neurons = "threshold = 1.0, reset = subtract";
    let text = |name: &str, target: &str, maps: &str, last: &str, readout: &str| {
        format!(
            "network {name} {{ window = 8\n epochs = 1\n input pixels = rate(8, 8)\n {target}\n\
             layer maps = conv(4, 3) from pixels{maps}\n layer some = sum_pool(2) from maps\n\
             layer last = dense(16) from some {last}\n readout answer = {readout} from last }}\n"
        )
    };
    let common = format!(
        "target digit = classes(10)\n neurons = integrate_and_fire {{ {neurons} }}\n weights = fixed {{ bits = 16 }}"
    );
    let learning = "learning = hinge { rate = 7, margin = 0.3, gate = surrogate, revive = none }";
    desk.write(
        "net.sp",
        text("net", &format!("{common}\n {learning}"), ", digit { padding = 1 }", "", "nearest_target"),
    );
    desk.succeed("train net.sp --data digits --threads 1 -o net.onw");
    desk.succeed("export net.onw -o net.npz");
    let command = "export net.onw --nir -o net.nir";
    let exported = desk.onward(command);
    assert_eq!(exported.status.code(), Some(0), "{}", String::from_utf8_lossy(&exported.stderr));
    check("export_nir", command, &String::from_utf8_lossy(&exported.stderr));
    // Of the text and the arrays comes the same file as of the image.
    let of_text = desk.onward("export net.sp --nir --weights net.npz -o text.nir");
    assert_eq!(of_text.status.code(), Some(0), "{}", String::from_utf8_lossy(&of_text.stderr));
    assert_eq!(fs::read(desk.path("text.nir")).unwrap(), fs::read(desk.path("net.nir")).unwrap());

    desk.onward("import net.nir -o back.sp --reset subtract --encoding rate --window 8 --weight-bits 16");
    let arrays = |name: &str| onward_net::read_npz(&desk.path(name)).unwrap();
    let (learned, back) = (arrays("net.npz"), arrays("back.npz"));
    for name in ["maps.weight", "last.weight", "last.bias"] {
        assert!(learned[name].values.iter().any(|&value| value != 0.0), "{name} has learned nothing");
        assert_eq!(back[name].values, learned[name].values, "{name}");
    }
    let given = |layer: &str, bias: &str| {
        format!(
            "neurons = integrate_and_fire {{ {neurons}{bias} }}, \
             weights = fixed {{ bits = 16, values = file(\"net.npz\", \"{layer}.weight\") }}"
        )
    };
    let maps = format!(" {{ padding = 1, {} }}", given("maps", ""));
    let last = format!("{{ {} }}", given("last", ", bias = file(\"net.npz\", \"last.bias\")"));
    desk.write("frozen.sp", text("frozen", "", &maps, &last, "spikes"));
    for name in ["frozen", "back"] {
        desk.succeed(&format!("compile {name}.sp -o {name}.onw"));
        desk.succeed(&format!("run {name}.onw --data digits --spikes {name}.npy"));
    }
    let spikes = fs::read(desk.path("frozen.npy")).unwrap();
    assert!(spikes.len() > 10_000, "{} bytes of spikes show little", spikes.len());
    assert_eq!(fs::read(desk.path("back.npy")).unwrap(), spikes);
}

/// `--from` is the options that the tool's name stands for, each of which may still be said otherwise.
#[test]
fn the_tool_of_a_file_stands_for_options() {
    let desk = Desk::new();
    let model = root().join("crates/onward-net/tests/nir/gzip.nir");
    desk.write("model.nir", fs::read(model).unwrap());
    let text = |options: &str| {
        let output = desk.onward(&format!("import model.nir -o net.sp {options}"));
        assert_eq!(output.status.code(), Some(0), "{options}: {}", String::from_utf8_lossy(&output.stderr));
        (fs::read(desk.path("net.sp")).unwrap(), fs::read(desk.path("net.npz")).unwrap())
    };
    for (tool, options) in [
        ("--from lava", ""),
        ("--from snntorch", "--reset subtract-late"),
        ("--from spikingjelly", "--fires at --integrate time"),
        ("--from snntorch --reset value", ""),
        ("--from spikingjelly --fires above --integrate steps --dt 2e-5", "--integrate steps --dt 2e-5"),
    ] {
        assert!(text(tool) == text(options), "{tool} is not `{options}`");
    }
    assert!(text("--from lava") != text("--from snntorch"));
    desk.refuse("from_no_tool", "import model.nir -o other.sp --from brian");
    desk.refuse("from_for_a_text", "compile digits.sp --from lava");
}

#[test]
fn bad_data_is_refused() {
    let desk = Desk::new();
    desk.refuse("no_data_given", "train mnist.sp");
    desk.refuse("wrong_shape", "train mnist.sp --data digits -o out.onw --json out.json");
    desk.refuse("no_data_folder", "train digits.sp --data nowhere -o out.onw");
    desk.refuse("data_is_a_file", "train digits.sp --data mnist.sp");
    idx_folder(&desk, "labels", [0, 1, 2, 12, 4, 5]);
    desk.refuse("label_out_of_range", "train digits.sp --data labels");
    idx_folder(&desk, "missing", [0, 1, 2, 3, 4, 5]);
    fs::remove_file(desk.path("missing/t10k-labels-idx1-ubyte")).unwrap();
    desk.refuse("data_file_missing", "train digits.sp --data missing");
    idx_folder(&desk, "truncated", [0, 1, 2, 3, 4, 5]);
    desk.write("truncated/train-images-idx3-ubyte", idx(&[4, 8, 8], &[0; 200]));
    desk.refuse("data_truncated", "train digits.sp --data truncated");
    idx_folder(&desk, "swapped", [0, 1, 2, 3, 4, 5]);
    fs::copy(desk.path("swapped/train-labels-idx1-ubyte"), desk.path("swapped/train-images-idx3-ubyte")).unwrap();
    desk.refuse("data_swapped", "train digits.sp --data swapped");
}

#[test]
fn bad_images_are_refused() {
    let desk = Desk::new();
    desk.succeed("compile digits.sp -o good.onw");
    let good = fs::read(desk.path("good.onw")).unwrap();
    let mut damaged = good.clone();
    damaged[good.len() / 2] ^= 1;
    desk.write("damaged.onw", damaged);
    // Of a fixed size, so that the message stays the same when images grow.
    let mut truncated = good[..500].to_vec();
    truncated[12..20].copy_from_slice(&1000_u64.to_le_bytes());
    desk.write("truncated.onw", &truncated);
    let mut version = good.clone();
    version[8] = 99;
    desk.write("version.onw", version);
    desk.write("empty.onw", []);
    for name in ["image_damaged", "image_truncated", "image_version", "image_empty"] {
        desk.refuse(name, &format!("run {}.onw --data digits", &name["image_".len()..]));
    }
    desk.refuse("image_foreign", "run digits.sp --data digits");
    desk.refuse("image_missing", "inspect nowhere.onw");
    desk.refuse("image_is_a_folder", "inspect .");
    desk.refuse("no_program", "disasm good.onw --program hiden1");
    desk.refuse("image_as_network", "compile good.onw");
}

#[test]
fn bad_commands_are_refused() {
    let desk = Desk::new();
    desk.refuse("unknown_chip", "train digits.sp --chip smal");
    desk.write("chip.toml", "name = \"mine\"\n[mesh]\nwidth = 0\nheight = 4\n[core]\nlanes = 7\n");
    desk.refuse("bad_chip_file", "train digits.sp --chip chip.toml");
    desk.refuse("unwritable_image", "train digits.sp -o nowhere/out.onw");
    desk.refuse("unwritable_results", "train digits.sp --json nowhere/out.json");
    fs::create_dir(desk.path("folder")).unwrap();
    desk.refuse("output_is_a_folder", "compile digits.sp -o folder");
    desk.refuse("no_epochs", "train digits.sp --epochs 0");
    desk.refuse("no_threads", "train digits.sp --threads 0");
    desk.refuse("unknown_pass", "compile digits.sp --emit assembly");
    desk.refuse("drawing_of_no_graph", "compile digits.sp --emit generate --dot");
    desk.write("nowhere.toml", "name = \"mine\"\ntechnology = \"7nm\"\n[mesh]\nwidth = 4\nheight = 4\n");
    desk.refuse("unknown_technology", "compile digits.sp --chip nowhere.toml");
    desk.refuse("assembly_as_network", "train wrong.s");
    desk.refuse("nir_to_train", "train model.nir");
    desk.refuse("unknown_instruction", "isa vacr");
    desk.refuse("output_is_input", "compile digits.sp -o ./digits.sp");
    desk.refuse("outputs_are_one", "train digits.sp -o out --json ./out");
    desk.write("wrong.s", "start:\n    addi r1, r0, 70000\n    vadd v0, v1, v9\n    jmp strat\n");
    desk.refuse("bad_assembly", "asm wrong.s");
}

#[test]
fn training_reports_and_saves() {
    let desk = Desk::new();
    let text = desk.succeed("train digits.sp --epochs 2 --threads 1 --json results.json -o trained.onw");
    for word in [
        "accuracy",
        "a training sample",
        "a test sample",
        "synapse memory",
        "leakage",
        "wrote trained.onw and results.json",
    ] {
        assert!(text.contains(word), "no `{word}` in\n{text}");
    }
    let results: Value = serde_json::from_slice(&fs::read(desk.path("results.json")).unwrap()).unwrap();
    assert!(results["accuracy_percent"].as_f64().unwrap() > 85.0, "{results}");
    assert_eq!((&results["interrupted"], &results["timing"]), (&Value::Bool(false), &Value::from("cycle")));
    assert_eq!(results["epochs"].as_array().unwrap().len(), 2);
    let positive = [
        "steps",
        "cycles",
        "emulated_s",
        "energy_j",
        "synaptic_events",
        "synaptic_updates",
        "neuron_updates",
        "spikes",
        "packets",
        "flits",
        "hops",
        "host_s",
        "synaptic_events_per_host_s",
        "area_mm2",
        "clock_hz",
        "highest_clock_hz",
        "supply_v",
        "leakage_w",
        "power_w",
        "uncertainty_factor",
        "cores_used",
        "cores",
        "blocks",
    ];
    for key in positive {
        assert!(results[key].as_f64().is_some_and(|value| value > 0.0), "{key} is {}", results[key]);
    }
    for sample in ["per_training_sample", "per_test_sample"] {
        for key in ["samples", "steps", "cycles", "emulated_s", "energy_j"] {
            assert!(results[sample][key].as_f64().is_some_and(|value| value > 0.0), "{sample} {key}");
        }
    }
    let categories = results["energy_by_category_j"].as_object().unwrap();
    let sum: f64 = categories.values().map(|joules| joules.as_f64().unwrap()).sum();
    let total = results["energy_j"].as_f64().unwrap();
    assert_eq!(categories.len(), 13);
    assert!((sum - total).abs() < 1e-9 * total, "{sum} J by category, {total} J in all");
    assert_eq!(results["weights_hash"].as_str().unwrap().len(), 64);

    // What was saved answers as it did when it was trained, with time or without.
    for timing in ["cycle", "none"] {
        desk.succeed(&format!("run trained.onw --data digits --timing {timing} --threads 2 --json tested.json"));
        let tested: Value = serde_json::from_slice(&fs::read(desk.path("tested.json")).unwrap()).unwrap();
        for key in ["accuracy_percent", "right", "tested", "weights_hash"] {
            assert_eq!(tested[key], results[key], "{key}, timing {timing}");
        }
        assert_eq!(tested["cycles"].is_null(), timing == "none");
        for category in ["clock", "leakage", "idle_cores"] {
            assert_eq!(tested["energy_by_category_j"].get(category).is_none(), timing == "none");
        }
        assert!(tested["per_training_sample"].is_null());
    }
}

#[test]
fn chips_are_shown_and_changed() {
    let desk = Desk::new();
    let json = |name: &str| -> Value { serde_json::from_slice(&fs::read(desk.path(name)).unwrap()).unwrap() };
    let list = desk.succeed("chip list");
    for chip in ["small", "middle", "middle-8-lanes", "large", "convolution", "wide"] {
        assert!(list.contains(chip), "{list}");
    }
    desk.succeed("chip list --technology 130nm-sg13g2 --json list.json");
    assert_eq!(json("list.json")["chips"].as_array().unwrap().len(), 6);
    let text = desk.succeed("chip show middle --json bill.json --floorplan middle.svg --beside small");
    for word in ["synapse memory", "input buffers", "flit hop", "mm²", "core.lanes", "Beside small", "wrote bill.json"]
    {
        assert!(text.contains(word), "no `{word}` in\n{text}");
    }
    assert!(fs::read_to_string(desk.path("middle.svg")).unwrap().starts_with("<svg"));
    let bill = json("bill.json");
    // Areas of parts add up to the whole.
    fn area(parts: &Value) -> f64 {
        let all = |part: &Value| part["count"].as_f64().unwrap() * part["area_mm2"].as_f64().unwrap();
        parts.as_array().unwrap().iter().map(all).sum()
    }
    let whole = bill["area_mm2"].as_f64().unwrap();
    assert!((area(&bill["parts"]) - whole).abs() < 1e-9 * whole, "{bill}");
    assert!(bill["highest_clock_hz"].as_f64() >= bill["clock_hz"].as_f64() && bill["leakage_w"].as_f64() > Some(0.0));

    // The same network on a changed chip: the same answers at another price.
    desk.succeed("train digits.sp --epochs 1 --timing none --json middle.json");
    desk.succeed(
        "train digits.sp --epochs 1 --timing none --json lanes.json --chip-set core.lanes=32 --technology 22nm-seneca",
    );
    let (middle, lanes) = (json("middle.json"), json("lanes.json"));
    assert_eq!(middle["weights_hash"], lanes["weights_hash"]);
    assert_ne!(middle["area_mm2"], lanes["area_mm2"]);

    desk.refuse("clock_too_high", "train digits.sp --chip-set clock_hz=50000000000");
    desk.refuse("barrier_too_short", "chip show large --set barrier_cycles=1");
    desk.refuse("key_unknown", "compile digits.sp --chip-set core.lane=8 -o out.onw");
    desk.refuse("supply_too_low", "compile digits.sp --chip-set voltage_mv=100 -o out.onw");
    desk.refuse("chip_changed_for_an_image", "run out.onw --chip-set core.lanes=8");
}

#[test]
fn compiling_and_learning_later_is_training() {
    let desk = Desk::new();
    let text = desk.succeed("compile digits.sp --seed 5 -o fresh.onw");
    assert!(text.contains("`digits` fits chip `middle`"), "{text}");
    desk.succeed("run fresh.onw --learn --epochs 1 --json run.json");
    desk.succeed("train digits.sp --seed 5 --epochs 1 --timing none --chip small --json train.json");
    let [run, train] = ["run.json", "train.json"]
        .map(|name| serde_json::from_slice::<Value>(&fs::read(desk.path(name)).unwrap()).unwrap());
    for key in ["weights_hash", "accuracy_percent", "synaptic_events", "spikes", "seed"] {
        assert_eq!(run[key], train[key], "{key}");
    }
    assert_eq!((&run["command"], &train["command"]), (&Value::from("run"), &Value::from("train")));
}

#[test]
fn images_can_be_looked_at() {
    let desk = Desk::new();
    desk.succeed("compile digits.sp -o digits.onw");
    let text = desk.succeed("inspect digits.onw");
    for word in ["digits.sp:24", "hidden1[0..64]", "layer, learns", "checksum", "seed", "tree 0", "instructions"] {
        assert!(text.contains(word), "no `{word}` in\n{text}");
    }
    let text = desk.succeed("why hidden1[54] digits.onw --samples 50");
    check("why", "why hidden1[54] digits.onw --samples 50", &text);
    let text = desk.succeed("disasm digits.onw --program hidden1");
    for word in ["; handlers of `hidden1`, digits.sp:24", "step:\n", "vaccr v7, s16[row r", "; run by blocks 0 1"] {
        assert!(text.contains(word), "no `{word}` in\n{text}");
    }
    // What is shown assembles to the same words.
    desk.write("hidden1.s", &text);
    let shown: Vec<&str> =
        text.lines().filter(|line| line.starts_with("    ")).filter_map(|line| line.rsplit(' ').next()).collect();
    let words = desk.succeed("asm hidden1.s --words");
    assert_eq!(words.lines().collect::<Vec<_>>(), shown);
    assert!(desk.succeed("disasm digits.onw --program hidden1 --text").contains(".equ NEURONS, 64"));
    assert!(desk.succeed("isa vaccr").starts_with("vaccr vd, row\n"));
    assert!(desk.succeed("isa").contains("vaccr vd, row"));
    assert!(desk.succeed("compile --passes").contains("partition"));
    assert!(desk.succeed("compile digits.sp --emit partition").starts_with("block 0: hidden1 0..64"));
    for pass in ["parse", "load", "balance", "partition", "place", "route"] {
        let drawing = desk.succeed(&format!("compile digits.sp --emit {pass} --dot"));
        assert!(drawing.starts_with("digraph {") && drawing.contains("hidden2"), "{pass}: {drawing}");
    }
}

#[test]
fn images_are_proven() {
    let desk = Desk::new();
    desk.succeed("compile digits.sp -o digits.onw");
    let command = "verify digits.onw --json proof.json";
    check("verify", command, &desk.succeed(command));
    let proof: Value = serde_json::from_slice(&fs::read(desk.path("proof.json")).unwrap()).unwrap();
    assert_eq!((&proof["holds"], &proof["rules"]["bounds"]), (&true.into(), &true.into()));
    assert!(proof["bounds"]["step_cycles"].as_u64().is_some_and(|cycles| cycles > 1000));
    assert_eq!(proof["breaches"].as_array().map(Vec::len), Some(0));
    // A system whose blocks send to each other though they are not one layer.
    let source = fs::read_to_string(root().join("programs/winner-take-all.s")).unwrap();
    desk.write("rivals.s", source.replace(", layer rivals", ""));
    let command = "verify rivals.s --json rivals.json";
    let output = desk.onward(command);
    assert_eq!((output.status.code(), output.stderr.len()), (Some(1), 0));
    check("verify_broken", command, &String::from_utf8(output.stdout).unwrap());
    let proof: Value = serde_json::from_slice(&fs::read(desk.path("rivals.json")).unwrap()).unwrap();
    assert_eq!((&proof["holds"], &proof["breaches"][0]["rule"]), (&false.into(), &"forward".into()));
    desk.refuse("verify_with_a_chip", "verify digits.onw --chip small");
}

#[test]
fn every_command_explains_itself() {
    let desk = Desk::new();
    for command in ["", "train", "compile", "import", "run", "export", "inspect", "disasm", "asm", "isa"] {
        let text = desk.succeed(&format!("{command} --help"));
        assert!(
            text.contains("Example") && text.contains(&format!("onward {command}").trim_end().to_owned()),
            "{text}"
        );
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_reports_what_ran() {
    let desk = Desk::new();
    let mut program = Command::new(env!("CARGO_BIN_EXE_onward"));
    let command = "train digits.sp --epochs 100000 --json results.json -o trained.onw";
    program.args(command.split_whitespace()).current_dir(desk.folder.path());
    program.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = program.spawn().unwrap();
    // The first epoch's line says that it learns.
    use std::io::{BufRead, BufReader};
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("1/100000")));
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let rest: Vec<String> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(rest.iter().any(|line| line.contains("accuracy")), "{rest:?}");
    let results: Value = serde_json::from_slice(&fs::read(desk.path("results.json")).unwrap()).unwrap();
    assert_eq!(results["interrupted"], Value::Bool(true));
    desk.succeed("run trained.onw");
}

/// Parts of a run are, to the byte of the image, the whole; weights go out and come back; what cannot be asked for is refused.
#[test]
fn learning_goes_on_from_an_image() {
    let desk = Desk::new();
    desk.succeed("train digits.sp --timing none --epochs 2 -o whole.onw");
    desk.succeed("train digits.sp --timing none --epochs 1 --of 2 -o part.onw --export part.npz");
    desk.succeed("run part.onw --timing none --learn --epochs 1 -o joined.onw");
    let bytes = |name: &str| fs::read(desk.path(name)).unwrap();
    assert!(bytes("joined.onw") == bytes("whole.onw"));

    desk.succeed("export part.onw -o exported.npz");
    assert!(bytes("exported.npz") == bytes("part.npz"));
    desk.succeed("run part.onw --timing none --json part.json");
    desk.succeed("compile digits.sp -o blank.onw");
    desk.succeed("run blank.onw --timing none --weights part.npz --json blank.json");
    let read = |name: &str| -> Value { serde_json::from_slice(&bytes(name)).unwrap() };
    for key in ["weights_hash", "right", "accuracy_percent"] {
        assert_eq!(read("blank.json")[key], read("part.json")[key], "{key}");
    }

    desk.refuse("freeze_unknown", "run part.onw --learn --freeze hiden1");
    desk.refuse("of_too_few", "run part.onw --learn --epochs 5 --of 3");
    desk.refuse("learning_option_alone", "run part.onw --rate-shift 1");
    desk.refuse("weights_not_there", "run part.onw --weights nothing.npz");
    desk.write("text.npz", "no archive");
    desk.refuse("weights_damaged", "run part.onw --weights text.npz");
}

/// A block that adds up the payloads that come, and tells the host when they pass a limit.
const COUNTER: &str = "\
.block counter, 0, 0, step, 4
.array sum, n32[0], 1
.route counter, 0, 1, host
.input in, 4, counter
.packet 0..3, in, 1, 5
.packet 2, in, 2, 7
.steps 6

step:
    foreach r1, r2, added
    addm r2, n32[r0]
added:
    ld r3, n32[r0]
    addi r4, r0, 20
    blt r3, r4, quiet
    send r0, r3, 0
quiet:
    sleep
";

/// A report without what the host's clock says.
fn without_host(report: &str) -> String {
    let (chip, _) = report.split_once("\nOn this computer\n").expect("the last part is the host's");
    chip.to_owned()
}

/// A long run says what reached the host as it comes, and ends when it is asked to, with a report of what ran.
#[cfg(unix)]
#[test]
fn an_interrupted_system_reports_what_ran() {
    use std::io::{BufRead, BufReader};
    let desk = Desk::new();
    desk.write("counter.s", COUNTER.replace(".steps 6", ".steps 1000000000000"));
    let mut program = Command::new(env!("CARGO_BIN_EXE_onward"));
    let command = "run counter.s --chip small --json results.json";
    program.args(command.split_whitespace()).current_dir(desk.folder.path());
    program.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = program.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.ends_with("27")));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let rest: Vec<String> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(rest.iter().any(|line| line == "Energy"), "{rest:?}");
    let results: Value = serde_json::from_slice(&fs::read(desk.path("results.json")).unwrap()).unwrap();
    assert_eq!((&results["interrupted"], &results["host_outputs"]), (&Value::Bool(true), &Value::from(2)));
    let steps = results["steps"].as_u64().unwrap();
    assert!(steps > 0 && rest.iter().any(|line| line.contains("steps") && line.contains(&with_commas(steps))));
}

/// `1,234,567`.
fn with_commas(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).expect("digits")).collect();
    groups.join(",")
}

#[test]
fn a_system_in_assembly_runs_from_source() {
    let desk = Desk::new();
    desk.write("counter.s", COUNTER);
    let command = "run counter.s --chip small --show sum";
    let fast = without_host(&desk.succeed(&format!("{command} --json results.json")));
    check("run_assembly", command, &fast);
    assert_eq!(without_host(&desk.succeed(&format!("{command} --engine reference"))), fast);
    let untimed = without_host(&desk.succeed(&format!("{command} --timing none")));
    check("run_assembly_untimed", &format!("{command} --timing none"), &untimed);
    // The report for machines has the keys of that of an image.
    let read = |name: &str| -> Value { serde_json::from_slice(&fs::read(desk.path(name)).unwrap()).unwrap() };
    let results = read("results.json");
    desk.succeed("compile digits.sp -o digits.onw");
    desk.succeed("run digits.onw --json image.json");
    let keys = |results: &Value| results.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&results), keys(&read("image.json")));
    assert_eq!((&results["steps"], &results["host_outputs"]), (&Value::from(6), &Value::from(2)));
    assert_eq!((&results["data"], &results["accuracy_percent"]), (&Value::Null, &Value::Null));
    assert!(results["energy_j"].as_f64().is_some_and(|joules| joules > 0.0), "{results}");
    desk.refuse("assembly_over_itself", "run counter.s --json counter.s");
    desk.write(
        "wrong.s",
        COUNTER.replace("addm r2, n32[r0]", "addm r2, n33[r0]").replace(".route counter", ".route contour"),
    );
    desk.refuse("assembly_mistakes", "run wrong.s --chip small");
    desk.write("outside.s", COUNTER.replace("addm r2, n32[r0]", "addm r2, n32[r2 + 2000]"));
    desk.refuse("assembly_fault", "run outside.s --chip small");
    desk.refuse("assembly_with_data", "run counter.s --data digits");
    desk.refuse("assembly_unknown_array", "run counter.s --show sun");
    desk.refuse("trace_of_no_block", "run counter.s --trace-instructions 7");
    desk.refuse("trace_backwards", "run counter.s --trace-instructions all --from 3 --to 1");
}

#[test]
fn traces_show_each_instruction_and_their_first_difference_is_found() {
    let desk = Desk::new();
    desk.write("counter.s", COUNTER);
    let command = "run counter.s --chip small --trace-instructions all --from 1 --to 3";
    let trace = desk.succeed(command);
    check("trace", command, &trace);
    desk.write("a.trace", &trace);
    desk.write("b.trace", trace.replacen("12", "13", 1));
    assert!(desk.succeed("trace-diff a.trace a.trace").starts_with("the traces are the same"));
    let differ = desk.onward("trace-diff a.trace b.trace");
    assert_eq!(differ.status.code(), Some(1));
    check("trace_diff", "trace-diff a.trace b.trace", &String::from_utf8(differ.stdout).unwrap());

    // A network: the steps that were asked for, of the core that was asked for.
    desk.succeed("compile digits.sp -o digits.onw");
    let trace = desk.succeed("run digits.onw --trace-instructions 1 --from 8 --to 9");
    let lines: Vec<&str> = trace.lines().collect();
    assert!(lines.len() > 80, "{}", lines.len());
    assert!(lines.iter().all(|line| line.starts_with("step 8 core 1 ") || line.starts_with("step 9 core 1 ")));
}

#[test]
fn blocks_are_placed_for_what_a_run_sent() {
    let desk = Desk::new();
    let weights = |json: &str| -> String {
        let results: Value = serde_json::from_str(&fs::read_to_string(desk.path(json)).unwrap()).unwrap();
        results["weights_hash"].as_str().unwrap().to_owned()
    };
    let hops = |json: &str| -> u64 {
        let results: Value = serde_json::from_str(&fs::read_to_string(desk.path(json)).unwrap()).unwrap();
        results["hops"].as_u64().unwrap()
    };
    desk.succeed("train digits.sp --epochs 1 --place row-major --json rows.json --save-traffic traffic.json");
    desk.succeed("train digits.sp --epochs 1 --traffic traffic.json --json placed.json");
    assert_eq!(weights("rows.json"), weights("placed.json"), "where blocks lie changes no answer");
    assert!(hops("placed.json") < hops("rows.json"));
    // What is placed for a measurement costs just what the emulator counts of the same run.
    let emitted = desk.succeed("compile digits.sp --traffic traffic.json --emit place");
    assert!(emitted.starts_with("placed by `annealed` for `hops`; packets measured over "), "{emitted}");
    let placed = emitted.lines().find_map(|line| line.strip_prefix("as placed")).unwrap();
    assert_eq!(placed.split_whitespace().next().unwrap(), hops("placed.json").to_string());
    check("emit_place", "compile digits.sp --emit place", &desk.succeed("compile digits.sp --emit place"));
    for way in ["--place hilbert", "--place force-directed", "--objective energy", "--objective latency"] {
        let first = desk.succeed(&format!("compile digits.sp --emit place {way}"));
        assert_eq!(first, desk.succeed(&format!("compile digits.sp --emit place {way}")), "{way}");
    }
    desk.succeed("compile digits.sp -o one.onw --objective congestion");
    desk.succeed("compile digits.sp -o two.onw --objective congestion");
    assert_eq!(fs::read(desk.path("one.onw")).unwrap(), fs::read(desk.path("two.onw")).unwrap());

    desk.edit(
        "digits.sp",
        "wide.sp",
        "dense(hidden) from pixels, digit { block = block }",
        "dense(hidden) from pixels, digit { block = 32 }",
    );
    desk.refuse("traffic_of_other_blocks", "compile wide.sp --traffic traffic.json");
    desk.refuse("traffic_of_another_network", "compile mnist.sp --traffic traffic.json -o out.onw");
    desk.write("damaged.json", "{ \"network\": 7 }");
    desk.refuse("traffic_damaged", "train digits.sp --traffic damaged.json");
    desk.refuse("traffic_missing", "compile digits.sp --traffic nowhere.json");
    desk.refuse("traffic_overwritten", "train digits.sp --traffic traffic.json --save-traffic traffic.json");
    desk.refuse("unknown_strategy", "compile digits.sp --place best");
}

#[test]
fn formats_follow_what_was_met() {
    let desk = Desk::new();
    fs::copy(root().join("programs/examples/convolution.sp"), desk.path("net.sp")).unwrap();
    let calibrate = "calibrate net.sp --samples 20 -o ranges.json --json report.json";
    check("calibrate", calibrate, &desk.succeed(calibrate));
    let report: Value = serde_json::from_str(&fs::read_to_string(desk.path("report.json")).unwrap()).unwrap();
    for layer in report["layers"].as_array().unwrap() {
        let rate = |name: &str| layer[name].as_f64().unwrap();
        assert!(rate("float_rate") > 0.0, "{layer}");
        assert!((rate("measured_rate") - rate("predicted_rate")).abs() < 0.05 * rate("float_rate"), "{layer}");
        assert_eq!((&layer["saturations"], rate("weights_rounding") > 0.0), (&Value::from(0), true), "{layer}");
    }
    let emit = "compile net.sp --calibration ranges.json --emit fixed-point";
    check("calibrated", emit, &desk.succeed(emit));
    let wide = desk.succeed("compile net.sp --calibration ranges.json --margin 1000000 --emit fixed-point");
    assert_eq!(wide, desk.succeed("compile net.sp --emit fixed-point"), "such a margin leaves the bounds");

    // What is let saturate does, and is said beforehand.
    fs::copy(root().join("programs/examples/currents.sp"), desk.path("currents.sp")).unwrap();
    desk.succeed("calibrate currents.sp --samples 20 --margin 0.001 --json report.json");
    let report: Value = serde_json::from_str(&fs::read_to_string(desk.path("report.json")).unwrap()).unwrap();
    let first = &report["layers"][0];
    assert_eq!((&first["input"]["bits"], &first["input"]["bits_by_bound"]), (&Value::from(16), &Value::from(32)));
    assert!(first["input"]["saturating_percent"].as_f64().unwrap() > 50.0, "{first}");
    assert!(first["saturations"].as_u64().unwrap() > 1000, "{first}");

    // The same answers, as nothing saturates.
    desk.succeed("compile net.sp -o bounded.onw");
    desk.succeed("compile net.sp --calibration ranges.json -o calibrated.onw");
    let right = |image: &str| {
        desk.succeed(&format!("run {image} --timing none --json run.json"));
        let results: Value = serde_json::from_str(&fs::read_to_string(desk.path("run.json")).unwrap()).unwrap();
        results["right"].clone()
    };
    assert_eq!(right("bounded.onw"), right("calibrated.onw"));

    desk.edit("net.sp", "other.sp", "network convolution", "network other");
    desk.edit("net.sp", "wide.sp", "conv(16, 3)", "conv(24, 3)");
    desk.refuse("calibration_of_another_network", "compile other.sp --calibration ranges.json");
    desk.refuse("calibration_of_other_layers", "compile wide.sp --calibration ranges.json -o out.onw");
    desk.refuse("calibration_of_another_seed", "compile net.sp --seed 2 --calibration ranges.json");
    desk.refuse("calibration_of_a_network_that_learns", "calibrate digits.sp -o out.json");
    desk.write("damaged.json", "{ \"network\": 7 }");
    desk.refuse("calibration_damaged", "compile net.sp --calibration damaged.json");
    desk.refuse("calibration_missing", "compile net.sp --calibration nowhere.json");
    desk.refuse("calibration_overwritten", "compile net.sp --calibration ranges.json -o ranges.json");
    desk.refuse("calibration_over_its_input", "calibrate net.sp -o net.sp");
    desk.refuse("no_margin", "calibrate net.sp --margin 0");
}

/// Figures that mean what they say: epochs chosen without the test samples, several seeds, answers sample by sample.
#[test]
fn figures_are_honest() {
    let desk = Desk::new();
    let json = |name: &str| -> Value { serde_json::from_slice(&fs::read(desk.path(name)).unwrap()).unwrap() };
    let text = desk.succeed(
        "train digits.sp --epochs 3 --timing none --validate 0.1 --by-class --training-accuracy --answers a.csv --json r.json \
         -o best.onw",
    );
    for word in
        ["on validation samples", "best epoch", "on training", "Classes", "Confusion", "135 to choose epochs by"]
    {
        assert!(text.contains(word), "no `{word}` in\n{text}");
    }
    let results = json("r.json");
    let answers = fs::read_to_string(desk.path("a.csv")).unwrap();
    let right = answers.lines().skip(1).filter(|line| {
        let cells: Vec<&str> = line.split(',').collect();
        cells[1] == cells[2]
    });
    assert_eq!(Value::from(right.count()), results["right"]);
    let keys = fs::read_to_string(root().join("docs/src/results.md")).unwrap();
    for key in results.as_object().unwrap().keys().chain(results["epochs"][0].as_object().unwrap().keys()) {
        assert!(keys.contains(&format!("`{key}`")), "docs/src/results.md says nothing of `{key}`");
    }
    desk.succeed("run best.onw --data digits --timing none --json again.json --answers a.npz");
    assert_eq!(json("again.json")["confusion"], results["confusion"]);
    assert_eq!(json("again.json")["has_learned"], Value::Bool(true));
    desk.succeed("compile digits.sp -o blank.onw");
    assert!(desk.succeed("run blank.onw --timing none").contains("nothing yet"));

    // Several seeds are the runs of each.
    let text = desk.succeed("train digits.sp --epochs 1 --timing none --seeds 2..4 --json seeds.json");
    assert!(text.contains("mean of 3 seeds"), "{text}");
    let seeds = json("seeds.json");
    assert_eq!(seeds["seeds"], serde_json::json!([2, 3, 4]));
    desk.succeed("train digits.sp --epochs 1 --timing none --seed 3 --json one.json");
    assert_eq!(seeds["runs"][1]["weights_hash"], json("one.json")["weights_hash"]);
    let accuracies: Vec<f64> =
        seeds["runs"].as_array().unwrap().iter().map(|run| run["accuracy_percent"].as_f64().unwrap()).collect();
    let mean = accuracies.iter().sum::<f64>() / 3.0;
    assert!((seeds["accuracy_percent"]["mean"].as_f64().unwrap() - mean).abs() < 1e-9, "{seeds}");

    // Without a part to test with: drawn, or said.
    let rows = |line: usize| format!("{},{},{}\n", line % 256, 255 - line % 256, line % 2);
    desk.write("table.csv", "a,b,label\n".to_owned() + &(0..50).map(rows).collect::<String>());
    let network = "network small {\n window = 8\n input x = rate(2)\n target t = classes(2)\n layer h = dense(16) from x, t { \
                   learning = hinge { rate = 7 } }\n readout a = nearest_target from h\n}\n";
    desk.write("small.sp", network);
    let learn = "train small.sp --data table.csv --epochs 2 --timing none";
    let text = desk.succeed(&format!("{learn} --json all.json -o small.onw"));
    let lines = text.lines().filter(|line| line.contains('%') && (line.contains("/2 ") || line.contains("accuracy  ")));
    let lines: Vec<&str> = lines.collect();
    assert!(lines.len() == 3 && lines.iter().all(|line| line.contains("it learned from")), "{text}");
    assert_eq!((&json("all.json")["tested_on"], &json("all.json")["split"]), (&"training".into(), &"none".into()));
    assert!(desk.succeed("run small.onw --data table.csv --timing none").contains("may have learned from"));
    let text = desk.succeed(&format!("{learn} --test 0.2 --answers drawn.csv"));
    assert!(text.contains("40 to learn from, 10 to test with, 2; drawn by split seed 1"), "{text}");
    let drawn = fs::read_to_string(desk.path("drawn.csv")).unwrap();
    let numbers: Vec<usize> =
        drawn.lines().skip(1).map(|line| line.split(',').next().unwrap().parse().unwrap()).collect();
    assert!(numbers.len() == 10 && numbers.is_sorted() && numbers[9] > 10, "{numbers:?}");
    desk.refuse("validation_without_test", &format!("{learn} --validate 0.1"));
    desk.refuse("test_drawn_of_given", "train digits.sp --test 0.2");
    desk.refuse("share_of_all", "train digits.sp --validate 1");
    desk.refuse("seeds_saved", "train digits.sp --seeds 3 -o out.onw");
    desk.refuse("seeds_unread", "train digits.sp --seeds 3..1");
    desk.refuse("answers_of_no_kind", "train digits.sp --answers answers.txt");
    desk.refuse("validation_without_learning", "run blank.onw --validate 0.1");
}

/// Events are answered as they come: before the next ones are there, and as they are where all are given at once.
#[test]
fn events_are_answered_as_they_come() {
    use std::io::{BufRead, BufReader, Write};
    let desk = Desk::new();
    let network = |readout: &str| {
        format!(
            "network camera {{\n window = 8\n input x = events(2, 4, 4)\n layer f = flatten from x\n \
             layer y = dense(6) from f\n readout r = {readout} from y\n}}\n"
        )
    };
    // Forty windows of events, some of them without any.
    let (mut lines, mut steps, mut axons, mut offsets) = (String::new(), Vec::new(), Vec::new(), vec![0u32]);
    for window in 0..40u32 {
        for event in (0..8 * 32).filter(|event| (event * 7 + window * 13) % 11 == 0 && window % 9 != 4) {
            lines += &format!("{},{}\n", event / 32, event % 32);
            steps.push(event / 32);
            axons.push(event % 32);
        }
        lines += "window\n";
        offsets.push(steps.len() as u32);
    }
    let npy = |values: &[u32]| {
        let header = format!("{{'descr': '<u4', 'fortran_order': False, 'shape': ({},), }}", values.len());
        let mut file = b"\x93NUMPY\x01\x00v\x00".to_vec();
        file.extend(format!("{header:<117}\n").bytes());
        values.iter().for_each(|value| file.extend(value.to_le_bytes()));
        file
    };
    for (name, values) in [("steps", &steps), ("axons", &axons), ("offsets", &offsets)] {
        desk.write(&format!("recorded/{name}.npy"), npy(values));
    }
    desk.write("events.txt", &lines);
    desk.write("classes.sp", network("most_spikes"));
    desk.succeed("compile classes.sp -o classes.onw");
    desk.succeed("run classes.onw --data recorded --timing none --answers answers.csv");
    let stream = desk.succeed("run classes.onw --stream events.txt --timing none");
    let answers = fs::read_to_string(desk.path("answers.csv")).unwrap();
    assert_eq!(stream.replace("window", "sample"), answers);
    desk.write("spikes.sp", network("spikes"));
    desk.succeed("compile spikes.sp -o spikes.onw");
    desk.succeed("run spikes.onw --data recorded --timing none --spikes spikes.npy");
    let stream = desk.succeed("run spikes.onw --stream events.txt --timing none");
    let spikes: Vec<u32> =
        stream.lines().skip(1).flat_map(|line| line.split(',').map(|cell| cell.parse().unwrap())).collect();
    let file = fs::read(desk.path("spikes.npy")).unwrap();
    let numbers = file[file.len() - 4 * spikes.len()..].chunks_exact(4);
    assert!(spikes.len() > 300 && file.len() < 4 * spikes.len() + 256, "{}", spikes.len());
    assert_eq!(numbers.map(|number| u32::from_le_bytes(number.try_into().unwrap())).collect::<Vec<_>>(), spikes);

    // The answer is there while the next window has not begun.
    let mut program = Command::new(env!("CARGO_BIN_EXE_onward"));
    program.args(["run", "classes.onw", "--stream", "-"]).current_dir(desk.folder.path());
    let piped = std::process::Stdio::piped;
    let mut child = program.stdin(piped()).stdout(piped()).stderr(piped()).spawn().unwrap();
    let (mut input, mut output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()).lines());
    assert_eq!(output.next().unwrap().unwrap(), "window,answer");
    for (window, events) in lines.split_inclusive("window\n").enumerate() {
        input.write_all(events.as_bytes()).unwrap();
        input.flush().unwrap();
        let answer = output.next().unwrap().unwrap();
        assert_eq!(answer, answers.lines().nth(window + 1).unwrap());
    }
    input.write_all(b"0,32\n").unwrap();
    drop(input);
    let rest = child.wait_with_output().unwrap();
    assert_eq!(rest.status.code(), Some(2));
    check("stream_of_other_axons", "run classes.onw --stream -", &String::from_utf8(rest.stderr).unwrap());
    desk.succeed("compile digits.sp -o digits.onw");
    desk.refuse("stream_of_values", "run digits.onw --stream events.txt");
    desk.refuse("stream_missing", "run classes.onw --stream nowhere.txt");
}

/// What the README shows is what the program prints, but for the times of the computer it ran on.
#[test]
#[cfg_attr(debug_assertions, ignore = "trains for 30 epochs: in release mode")]
fn the_readme_shows_what_is_printed() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let transcript = readme.split("```text\n").nth(1).and_then(|rest| rest.split("\n```").next()).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_onward"));
    let output =
        program.args(["train", "programs/digits.sp"]).current_dir(root()).env("NO_COLOR", "1").output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let shown = transcript.split("\nOn this computer").next().unwrap();
    let without_times = |line: &str| match line.split_once('%') {
        Some((epoch, _)) if line.contains("/30") => epoch.trim_end().to_owned(),
        _ => line.trim_end().to_owned(),
    };
    let printed: Vec<String> = printed.lines().map(without_times).collect();
    for line in shown.lines().filter(|line| line.trim() != "...").map(without_times) {
        assert!(printed.contains(&line), "README.md shows a line that is not printed:\n{line}");
    }
}

/// What ran is told part by part, written for other tools, and compared.
#[test]
fn runs_are_profiled_and_compared() {
    let desk = Desk::new();
    let text = desk.succeed("train digits.sp --epochs 1 --profile --json a.json");
    for word in ["What bounds the run", "The average step", "activation sparsity", "learning, update", "never fire"] {
        assert!(text.contains(word), "no `{word}` in\n{text}");
    }
    let tables = text.split("What bounds the run").nth(1).unwrap();
    assert!(tables.lines().all(|line| line.chars().count() <= 80), "wider than 80 columns:\n{tables}");
    let keys = fs::read_to_string(root().join("docs/src/profiling.md")).unwrap();
    let results: Value = serde_json::from_slice(&fs::read(desk.path("a.json")).unwrap()).unwrap();
    for key in
        results["profile"].as_object().unwrap().keys().chain(results["profile"]["total"].as_object().unwrap().keys())
    {
        assert!(keys.contains(&format!("`{key}`")), "docs/src/profiling.md says nothing of `{key}`");
    }
    let learned =
        desk.succeed("train digits.sp --epochs 1 --profile --seed 2 --json b.json --profile-output b.pb.gz -o b.onw");
    assert!(learned.contains("b.pb.gz"));
    let text = desk.succeed("profile b.onw --by core,link --top 2");
    assert!(text.contains("By core, the first 2") && !text.contains("By line"), "{text}");
    desk.refuse("profile_of_a_text", "profile digits.sp");
    desk.refuse("profile_for_no_tool", "profile b.onw --profile-output b.txt");
    desk.refuse("profile_sorted_by_nothing", "profile b.onw --sort heat");

    assert!(desk.succeed("compare a.json a.json --fail-above 0%").contains("none changed"));
    let text = desk.succeed("compare a.json b.json --only cycles,profile.layers --top 200 --fail-above 1000%");
    assert!(text.contains("profile.layers[hidden1].spikes"), "{text}");
    let differs = desk.onward("compare a.json b.json --fail-above 0.01%");
    assert_eq!(differs.status.code(), Some(1), "{}", String::from_utf8_lossy(&differs.stderr));
    desk.refuse("compare_below_nothing", "compare a.json b.json --only warmth");
    desk.write("other.json", "{}");
    desk.refuse("compare_no_results", "compare a.json other.json");

    let json = |command: &str| -> Value { serde_json::from_str(&desk.succeed(command)).unwrap() };
    for command in
        ["isa vaccr", "chip show small", "chip list", "compile digits.sp", "inspect b.onw", "compare a.json b.json"]
    {
        let document = json(&format!("{command} --json -"));
        assert_eq!(document["schema_version"], 1, "{command}");
        assert!(command.starts_with(document["command"].as_str().unwrap()), "{command}");
    }
    assert_eq!(json("isa --json -")["instructions"].as_array().unwrap().len(), onward_isa_instructions(&desk));
    assert_eq!(json("run b.onw --json -")["network_hash"], json("inspect b.onw --json -")["network_hash"]);
}

/// Instructions that `isa` lists.
fn onward_isa_instructions(desk: &Desk) -> usize {
    desk.succeed("isa").lines().filter(|line| line.starts_with("  ")).count()
}
