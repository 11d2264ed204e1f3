//! The report of a run as a page: one file that draws itself in a browser and needs no network.
//!
//! The page holds the results with the keys that `--json` has, the network's text, the programs, and what was recorded, all as JSON, and
//! a script that draws from these with Apache ECharts, which is in the page too. So its figures are those of the results.

use onward_image::Image;
use serde::Serialize;
use std::borrow::Cow;

/// Apache ECharts 6.1.0, from its package on the npm registry; its licence lies beside it.
const CHARTS: &str = include_str!("../assets/echarts.min.js");
const FRAME: &str = include_str!("../assets/report.html");
const STYLE: &str = include_str!("../assets/report.css");
const SCRIPT: &str = concat!(include_str!("../assets/timeline.js"), include_str!("../assets/report.js"));

/// What was recorded of a run and is drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Recorded {
    /// Spikes of layers.
    pub rasters: Vec<Raster>,
    /// Arrays over steps.
    pub traces: Vec<Trace>,
}

/// Spikes of a layer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Raster {
    /// What they are called.
    pub name: String,
    /// The step of each.
    pub steps: Vec<u64>,
    /// The neuron of each.
    pub neurons: Vec<i32>,
    /// Steps in which windows began, as the layer saw them.
    pub windows: Vec<u64>,
    /// How many spikes were recorded; more than are here where there were too many to draw.
    pub recorded: u64,
}

/// An array over steps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Trace {
    /// What it is called.
    pub name: String,
    /// The steps behind which it was looked at.
    pub steps: Vec<u64>,
    /// For each number of the array what it was then.
    pub values: Vec<Vec<i32>>,
    /// How many numbers were recorded each time; more than are here where there were too many to draw.
    pub recorded: u64,
}

#[derive(Serialize)]
struct Data<'a, R: Serialize> {
    results: &'a R,
    /// The network's text.
    source: &'a str,
    programs: Vec<ProgramText<'a>>,
    /// Columns and rows of the mesh, in tiles.
    mesh: [u16; 2],
    recorded: &'a Recorded,
}

#[derive(Serialize)]
struct ProgramText<'a> {
    name: &'a str,
    text: &'a str,
}

/// The page of a run's results, as HTML.
///
/// # Errors
/// If the results cannot be written as JSON.
pub fn page(image: &Image, results: &impl Serialize, recorded: &Recorded) -> Result<String, serde_json::Error> {
    let mesh = &image.chip.mesh;
    let data = Data {
        results,
        source: &image.network.source.1,
        programs: image
            .programs
            .iter()
            .map(|program| ProgramText { name: &program.name, text: &program.text })
            .collect(),
        mesh: [mesh.width, mesh.height],
        recorded,
    };
    drawn_by(&image.network.name, &data, SCRIPT)
}

/// A page that a script of one's own draws, in the same frame and style: the data lies in it as JSON, in the element `data`, and Apache ECharts is
/// there as `echarts`.
///
/// # Errors
/// If the data cannot be written as JSON.
pub fn drawn_by(title: &str, data: &impl Serialize, script: &str) -> Result<String, serde_json::Error> {
    let data = serde_json::to_string(data)?;
    let parts: [(&str, Cow<str>); 5] = [
        ("{{title}}", escaped(title).into()),
        ("{{style}}", STYLE.into()),
        // Nothing in a script may look like its end.
        ("{{data}}", data.replace("</", "<\\/").replace("<!--", "<\\u0021--").into()),
        ("{{charts}}", CHARTS.into()),
        ("{{script}}", script.into()),
    ];
    // One after the other, from front to back: what is put in is not looked at again.
    let (mut html, mut rest) = (String::new(), FRAME);
    for (name, part) in parts {
        let (before, after) = rest.split_once(name).expect("the frame has a place for each part");
        html.push_str(before);
        html.push_str(&part);
        rest = after;
    }
    Ok(html + rest)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
