//! The report as a page: what is in it, and, in a browser without a window, that it draws itself and its figures are the JSON's.
//!
//! The browser is Debian's `chromium`; where there is none, what needs it is skipped and says so. `testbench/campaigns/page.sh` installs it.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A run of the digits with its page and its JSON.
struct Made {
    folder: TempDir,
    json: Value,
    page: String,
}

fn made() -> Made {
    let folder = TempDir::new().expect("a folder");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = Command::new(env!("CARGO_BIN_EXE_onward"))
        .current_dir(folder.path())
        .arg("train")
        .arg(root.join("programs/digits.sp"))
        .args(["--epochs", "2", "--threads", "2", "--json", "run.json", "--report", "run.html"])
        .args(["--probe", "hidden1.spikes,hidden1.membrane[0..4]", "--to", "200", "--probe-output", "probes.npz"])
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("it was written");
    let json = serde_json::from_str(&read("run.json")).expect("JSON");
    Made { json, page: read("run.html"), folder }
}

/// What lies between two marks.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let rest = &text[text.find(before).expect("the mark before") + before.len()..];
    &rest[..rest.find(after).expect("the mark behind")]
}

#[test]
fn a_page_holds_the_results_and_needs_no_network() {
    let made = made();
    let data = between(&made.page, "<script type=\"application/json\" id=\"data\">", "</script>");
    let data: Value = serde_json::from_str(data).expect("the page's data");
    assert_eq!(data["results"], made.json, "the results are those of --json");
    assert!(data["source"].as_str().expect("a text").contains("network digits"));
    let raster = &data["recorded"]["rasters"][0];
    assert_eq!(raster["name"], "hidden1.spikes");
    assert!(raster["steps"].as_array().expect("steps").len() > 1000);
    assert_eq!(data["recorded"]["traces"][0]["values"].as_array().expect("four neurons").len(), 4);
    assert!(made.page.len() < 3 << 20, "{} bytes", made.page.len());
    for outside in ["src=", "@import", "<link", "fetch("] {
        let own = made.page.replace(between(&made.page, "id=\"data\">", "</body>"), "");
        assert!(!own.contains(outside), "{outside}");
    }
}

/// Two layers of 125 blocks each and a readout: nearly all cores of 16 x 16 are at work.
const LARGE: &str = "network large {
  data = \"few.csv\"
  window = 8
  input pixels = rate(8, 8)
  target digit = classes(10)
  learning = hinge { rate = 7, margin = 0.3 }
  layer first = dense(1000) from pixels, digit { block = 8 }
  layer second = dense(1000) from first { block = 8 }
  readout answer = nearest_target from second
}
";

#[test]
fn a_page_of_256_cores_is_small() {
    const MOST: usize = 6_000_000;
    let folder = TempDir::new().expect("a folder");
    std::fs::write(folder.path().join("large.sp"), LARGE).expect("written");
    let mut table = (0..64).map(|pixel| format!("p{pixel},")).collect::<String>() + "label\n";
    for sample in 0..60 {
        table +=
            &(0..64).map(|pixel| format!("{},", (sample * 37 + pixel * (sample % 10 + 3)) % 256)).collect::<String>();
        table += &format!("{}\n", sample % 10);
    }
    std::fs::write(folder.path().join("few.csv"), table).expect("written");
    let output = Command::new(env!("CARGO_BIN_EXE_onward"))
        .current_dir(folder.path())
        .args([
            "train",
            "large.sp",
            "--epochs",
            "1",
            "--threads",
            "2",
            "--report",
            "large.html",
            "--json",
            "large.json",
        ])
        .args(["--chip-set", "mesh.width=16", "--chip-set", "mesh.height=16"])
        .args(["--probe", "first.spikes,second.membrane[0..16]", "--to", "400", "--probe-output", "probes.npz"])
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("it was written");
    let (page, json): (String, Value) = (read("large.html"), serde_json::from_str(&read("large.json")).expect("JSON"));
    assert_eq!(
        (&json["cores"], json["cores_used"].as_u64() >= Some(250)),
        (&256.into(), true),
        "{}",
        json["cores_used"]
    );
    // All of it is there: the steps of each core and link, and all parts.
    let timeline = &json["timeline"];
    assert!(timeline["steps"].as_array().expect("spans").len() >= 64);
    assert!(timeline["cores"].as_array().expect("cores").len() >= 250);
    assert!(page.len() < MOST, "{} bytes", page.len());
}

fn browser() -> Option<PathBuf> {
    let names = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
    names.iter().map(PathBuf::from).find(|path| path.exists())
}

/// The page as the browser has made it, and what it wrote to its console.
fn drawn(browser: &Path, made: &Made, hash: &str, size: &str) -> (String, Vec<String>) {
    let profile = TempDir::new().expect("a folder");
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--enable-logging=stderr",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("--window-size={size}"))
        .args(["--virtual-time-budget=5000", "--dump-dom"])
        .arg(format!("file://{}{hash}", made.folder.path().join("run.html").display()))
        .output()
        .expect("the browser runs");
    let log = String::from_utf8_lossy(&output.stderr);
    let console = log.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect();
    (String::from_utf8_lossy(&output.stdout).into_owned(), console)
}

#[test]
fn a_browser_draws_the_page_and_its_figures_are_the_json_s() {
    let Some(browser) = browser() else {
        println!("skipped: there is no chromium; testbench/campaigns/page.sh installs it");
        return;
    };
    let made = made();
    let lines = made.json["profile"]["lines"].as_array().expect("lines");
    let has = |line: &&Value, key: &str| line[key].as_str().is_some_and(|text| text.to_lowercase().contains("vaccr"));
    let expected = lines.iter().filter(|line| ["name", "layer", "handler"].iter().any(|key| has(line, key))).count();
    assert!(expected > 2);
    for size in ["1280,900", "390,800"] {
        let (page, console) = drawn(&browser, &made, "#list=lines&filter=VACCR&span=3", size);
        assert_eq!(console, Vec::<String>::new(), "nothing is wrong");
        let charts: usize = between(&page, "data-charts=\"", "\"").parse().expect("a number");
        assert!(charts >= 16, "{charts} charts");
        assert!(page.matches("<canvas").count() >= charts, "each is drawn, some in layers");
        for key in
            ["accuracy_percent", "energy_j", "cycles", "power_w", "synaptic_events", "spikes", "cores_used", "area_mm2"]
        {
            let shown: f64 =
                between(&page, &format!("data-key=\"{key}\" data-value=\""), "\"").parse().expect("a number");
            assert_eq!(Some(shown), made.json[key].as_f64(), "{key}");
        }
        let shown: f64 =
            between(&page, "data-key=\"per_test_sample.energy_j\" data-value=\"", "\"").parse().expect("a number");
        assert_eq!(Some(shown), made.json["per_test_sample"]["energy_j"].as_f64());
        // The slider's span, which the address chooses, with the figures of the timeline.
        let timeline = &made.json["timeline"];
        let at = |list: &Value| list[3].as_u64().expect("a number");
        let told = between(&page, "<output id=\"span-told\"", ">");
        let shown = |key: &str| -> u64 { between(told, &format!("data-{key}=\""), "\"").parse().expect("a number") };
        assert_eq!(shown("first"), 3 * timeline["steps_per_span"].as_u64().expect("steps"));
        assert_eq!(shown("cycles"), at(&timeline["cycles"]));
        let sum =
            |list: &Value, of: &dyn Fn(&Value) -> u64| list.as_array().expect("a list").iter().map(of).sum::<u64>();
        assert_eq!(shown("flits"), sum(&timeline["links"], &|link| at(&link["flits"])));
        let busy = ["computing_cycles", "sending_cycles", "stalled_cycles"];
        assert_eq!(shown("busy"), sum(&timeline["cores"], &|core| busy.iter().map(|key| at(&core[*key])).sum()));
        // The table shows what the address asks for.
        assert_eq!(between(&page, "data-rows=\"", "\""), expected.to_string(), "the filter");
    }
}
