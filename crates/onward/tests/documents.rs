//! What commands write for machines has one head, says what the command found, and can be compared; tables for other tools hold what
//! the profile and the probes hold.

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

struct Desk(TempDir);

impl Desk {
    fn new() -> Desk {
        let desk = Desk(TempDir::new().expect("a folder"));
        let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../programs");
        for name in ["digits.sp", "lif.s", "examples/convolution.sp"] {
            let file = name.rsplit('/').next().unwrap_or(name);
            std::fs::copy(programs.join(name), desk.0.path().join(file)).expect("a program");
        }
        desk
    }

    fn onward(&self, command: &str) -> Output {
        let arguments = command.split_whitespace();
        Command::new(env!("CARGO_BIN_EXE_onward")).current_dir(self.0.path()).args(arguments).output().expect("it runs")
    }

    fn succeed(&self, command: &str) -> String {
        let output = self.onward(command);
        assert!(output.status.success(), "onward {command}\n{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// The document that a command writes to standard output, and nothing else.
    fn document(&self, command: &str) -> Value {
        let text = self.succeed(&format!("{command} --json -"));
        let document: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{command}: {error}\n{text}"));
        assert_eq!(document["schema_version"], 1, "{command}");
        assert_eq!(document["onward_version"], env!("CARGO_PKG_VERSION"), "{command}");
        assert_eq!(document["command"], command.split_whitespace().next().expect("a command"));
        assert_eq!(document["arguments"][0], document["command"]);
        document
    }
}

#[test]
fn every_command_writes_a_document() {
    let desk = Desk::new();
    desk.succeed("train digits.sp --epochs 1 -o digits.onw --threads 2");
    let asm = desk.document("asm lif.s");
    let words: Vec<&str> = desk_words(&asm["instructions"]);
    let lines = desk.succeed("asm lif.s --words");
    assert_eq!(words, lines.lines().collect::<Vec<_>>());
    assert!(asm["labels"].as_array().expect("labels").iter().any(|label| label["name"] == "start"));

    let disasm = desk.document("disasm digits.onw --program hidden1");
    let program = &disasm["programs"][0];
    assert_eq!((&program["layer"], &program["blocks"]), (&json!("hidden1"), &json!([0, 1])));
    let shown = desk.succeed("disasm digits.onw --program hidden1");
    for word in desk_words(&program["instructions"]) {
        assert!(shown.contains(word), "{word}");
    }

    let exported = desk.document("export digits.onw -o digits.npz");
    assert_eq!(exported["learned_epochs"], 1);
    let arrays = onward_net::read_npz(&desk.0.path().join("digits.npz")).expect("arrays");
    for array in exported["arrays"].as_array().expect("arrays") {
        let written = &arrays[array["name"].as_str().expect("a name")];
        assert_eq!(array["shape"], json!(written.shape));
    }
    let nir = desk.document("export digits.onw --nir -o digits.nir");
    assert_eq!(nir["format"], "nir");

    let why = desk.document("why hidden1[54] digits.onw --samples 20");
    assert_eq!(why["samples"].as_array().expect("samples").len(), 20);
    let fired: u64 = why["samples"].as_array().expect("samples").iter().filter_map(|one| one["spikes"].as_u64()).sum();
    assert_eq!(why["spikes"], fired);

    let proof = desk.document("verify digits.onw");
    assert_eq!((&proof["holds"], &proof["network"]), (&json!(true), &json!("digits")));
    assert_eq!(proof["network_hash"], disasm_hash(&desk));

    std::fs::write(desk.0.path().join("a.trace"), "step 0 core 0\nstep 0 core 1\n").expect("written");
    let same = desk.document("trace-diff a.trace a.trace");
    assert_eq!((&same["same"], &same["difference"]), (&json!(true), &Value::Null));
    std::fs::write(desk.0.path().join("b.trace"), "step 0 core 0\nstep 0 core 2\n").expect("written");
    let differs = desk.onward("trace-diff a.trace b.trace --json -");
    assert_eq!(differs.status.code(), Some(1));
    let differs: Value = serde_json::from_slice(&differs.stdout).expect("JSON");
    assert_eq!(differs["difference"]["line"], 2);

    // Documents of any command are compared.
    desk.succeed("why hidden1[54] digits.onw --samples 20 --json one.json");
    desk.succeed("why hidden1[54] digits.onw --samples 21 --json two.json");
    let compared = desk.document("compare one.json two.json");
    assert!(compared["figures"].as_array().expect("figures").iter().any(|figure| figure["key"] == "steps"));
    assert!(desk.succeed("compare one.json one.json").contains("none changed"));
}

/// What says of which image a document is.
const OF_IMAGE: [&str; 8] =
    ["network", "source", "network_hash", "checksum", "chip", "technology", "chip_parameters", "seed"];

#[test]
fn documents_say_what_they_are_of() {
    let desk = Desk::new();
    std::fs::write(desk.0.path().join("lines.txt"), "step\nprint 6 * 7\nquit\n").expect("written");
    let made = desk.document("train digits.sp --epochs 1 -o digits.onw --record digits.rec --threads 2");
    desk.succeed("export digits.onw --nir -o digits.nir");
    // Of images.
    let commands = [
        "compile digits.sp",
        "inspect digits.onw",
        "disasm digits.onw",
        "verify digits.onw",
        "why hidden1[3] digits.onw --samples 3",
        "calibrate convolution.sp --samples 20",
        "debug digits.onw --commands lines.txt",
        "export digits.onw -o digits.npz",
    ];
    for command in commands {
        let document = desk.document(command);
        for key in OF_IMAGE {
            assert!(!document[key].is_null(), "{command}: {key}");
        }
        assert_eq!(document["chip"], "middle", "{command}");
        assert_eq!(document["chip_parameters"], made["chip_parameters"], "{command}");
    }
    let session = desk.document("debug lif.s --chip small --commands lines.txt");
    assert_eq!(session["commands"][1]["command"], "print 6 * 7");
    assert_eq!(session["commands"][1]["refused"], false);
    assert!(session["commands"][1]["text"].as_str().expect("a text").contains("= 42"));
    // Of runs.
    let hash = desk.document("inspect digits.onw")["network_hash"].clone();
    for command in ["run digits.onw", "profile digits.onw", "retime digits.rec"] {
        let document = desk.document(command);
        assert_eq!((&document["network_hash"], &document["seed"]), (&hash, &json!(1)), "{command}");
        assert!(!document["chip_parameters"].is_null() && !document["energy_j"].is_null(), "{command}");
    }
    let several = desk.document("train digits.sp --epochs 1 --seeds 2 --threads 2");
    assert_eq!((several["runs"].as_array().map(Vec::len), &several["seeds"]), (Some(2), &json!([1, 2])));
    // Of other things.
    assert_eq!(desk.document("isa vaccr")["instructions"][0]["mnemonic"], "vaccr");
    assert_eq!(desk.document("import digits.nir -o again.sp")["written"]["text"], "again.sp");
    for command in ["chip show middle", "chip list"] {
        let text = desk.succeed(&format!("{command} --json -"));
        let document: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(
            (&document["schema_version"], &document["command"]),
            (&json!(1), &json!(command.trim_end_matches(" middle")))
        );
    }
}

fn desk_words(instructions: &Value) -> Vec<&str> {
    instructions.as_array().expect("instructions").iter().filter_map(|one| one["word"].as_str()).collect()
}

fn disasm_hash(desk: &Desk) -> Value {
    desk.document("inspect digits.onw")["network_hash"].clone()
}

/// A Parquet file: rows of name and value.
fn rows(path: &Path) -> Vec<BTreeMap<String, Field>> {
    let reader = SerializedFileReader::new(File::open(path).expect("a file")).expect("a Parquet file");
    let rows = reader.get_row_iter(None).expect("rows");
    rows.map(|row| row.expect("a row").into_columns().into_iter().collect()).collect()
}

fn number(field: &Field) -> f64 {
    match field {
        Field::Int(number) => f64::from(*number),
        Field::Long(number) => *number as f64,
        Field::Double(number) => *number,
        other => panic!("{other:?} is no number"),
    }
}

fn text(field: &Field) -> &str {
    match field {
        Field::Str(text) => text,
        other => panic!("{other:?} is no text"),
    }
}

#[test]
fn tables_hold_what_was_counted_and_recorded() {
    let desk = Desk::new();
    let path = |name: &str| desk.0.path().join(name);
    let probes = "--probe hidden1.spikes[0..8],hidden1.membrane[0..4],hidden1.weights[0..2] --to 60";
    desk.succeed(&format!(
        "train digits.sp --epochs 1 --threads 2 --profile-output a.parquet {probes} --probe-output p.parquet"
    ));
    desk.succeed(&format!(
        "train digits.sp --epochs 1 --threads 2 --profile-output a.csv {probes} --probe-output p.npz"
    ));
    let csv = std::fs::read_to_string(path("a.csv")).expect("a table");
    let mut lines = csv.lines();
    let columns: Vec<&str> = lines.next().expect("a head").split(',').collect();
    let table = rows(&path("a.parquet"));
    assert_eq!(table.len(), lines.clone().count());
    for (row, line) in table.iter().zip(lines) {
        // Names are quoted, and may hold commas.
        let (by, rest) = line.split_once(",\"").expect("a name");
        let (name, numbers) = rest.rsplit_once("\",").expect("its end");
        assert_eq!((text(&row["by"]), text(&row["name"])), (by, name.replace("\"\"", "\"").as_str()));
        for (column, value) in columns[2..].iter().zip(numbers.split(',')) {
            let expected: f64 = value.parse().expect("a number");
            assert_eq!(number(&row[*column]).to_bits(), expected.to_bits(), "{name}: {column}");
        }
    }
    let arrays = onward_net::read_npz(&path("p.npz")).expect("arrays");
    let mut recorded: BTreeMap<String, Vec<(f64, f64, f64)>> = BTreeMap::new();
    for row in rows(&path("p.parquet")) {
        let of_row = (number(&row["step"]), number(&row["index"]), number(&row["value"]));
        recorded.entry(text(&row["probe"]).to_owned()).or_default().push(of_row);
    }
    for name in ["hidden1.membrane[0..4]", "hidden1.weights[0..2]"] {
        let (steps, values) = (&arrays[&format!("{name}.step")].values, &arrays[name].values);
        let record = values.len() / steps.len().max(1);
        let expected: Vec<_> =
            values.iter().enumerate().map(|(at, &value)| (steps[at / record], (at % record) as f64, value)).collect();
        assert_eq!(recorded.get(name).cloned().unwrap_or_default(), expected, "{name}");
    }
    let spikes = "hidden1.spikes[0..8]";
    let neurons = &arrays[&format!("{spikes}.neuron")].values;
    let steps = arrays[&format!("{spikes}.step")].values.iter();
    let expected: Vec<_> = steps.zip(neurons).map(|(&step, &neuron)| (step, neuron, 1.0)).collect();
    assert!(expected.len() > 10);
    assert_eq!(recorded[spikes], expected);
    let classes = &arrays["window.class"].values;
    assert_eq!(recorded["window.class"].iter().map(|row| row.2).collect::<Vec<_>>(), *classes);
}

#[test]
fn waves_and_traces_show_learning_too() {
    let desk = Desk::new();
    desk.succeed("compile digits.sp -o digits.onw");
    let told = desk.succeed("run digits.onw --learn --waveform learning.vcd --waveform-cores 0,1 --from 8 --to 17");
    assert_eq!(told.trim(), "wrote learning.vcd");
    let waves = std::fs::read_to_string(desk.0.path().join("learning.vcd")).expect("waves");
    assert!(waves.contains("$scope module core_0 $end") && !waves.contains("core_4"), "the cores that were named");
    // The second window of a sample shows its target.
    assert!(waves.contains("hidden1_membrane_0 ") && waves.contains("$enddefinitions"));
    let trace = desk.succeed("run digits.onw --learn --trace-instructions 0 --from 16 --to 17");
    assert!(trace.lines().all(|line| line.starts_with("step 16 core 0") || line.starts_with("step 17 core 0")));
    let tested = desk.succeed("run digits.onw --trace-instructions 0 --from 16 --to 17");
    assert_ne!(trace, tested, "a target window is no test window");
    let whole = desk.succeed("run digits.onw --learn --trace-instructions 0 --trace-vectors --from 16 --to 17");
    assert_eq!(whole.lines().count(), trace.lines().count());
    assert!(whole.len() > trace.len() && !whole.contains("..]"));
    let refused = desk.onward("run digits.onw --waveform a.vcd --waveform-arrays membrant");
    assert_eq!(refused.status.code(), Some(2));
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(message.contains("`membrant`") && message.contains("membrane"), "{message}");
    assert!(!desk.0.path().join("a.vcd").exists());
    let untimed = desk.onward("run digits.onw --waveform a.vcd --timing none");
    assert!(String::from_utf8_lossy(&untimed.stderr).contains("leave `--timing none` out"));
    let untimed = desk.onward("train digits.sp --by step --timing none");
    assert!(String::from_utf8_lossy(&untimed.stderr).contains("--by step is made of cycles"));
}
