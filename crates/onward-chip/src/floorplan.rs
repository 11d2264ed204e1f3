//! A floor plan to scale, as SVG: where the area of a chip goes.
//!
//! Tiles lie as the mesh has them. Within a tile each part is a rectangle of its area (a squarified tree map: M. Bruls, K.
//! Huizing, J. van Wijk, 2000); it is a picture of the bill, not a placement.

use crate::{Bill, Chip, Part};
use std::fmt::Write;

/// Width of the drawing, pixels.
const WIDTH: f64 = 900.0;
/// Room for the legend beside it, and the margin around it.
const LEGEND: f64 = 330.0;
const MARGIN: f64 = 24.0;
const LINE: f64 = 20.0;
/// A part smaller than this share of its tile is drawn, but has no line of its own in the legend.
const LEAST_SHARE: f64 = 0.004;
/// Colours of the parts of a tile, in the order of their area (after P. Tol, "Colour schemes", muted and light).
const COLOURS: [&str; 16] = [
    "#77aadd", "#ee8866", "#eedd88", "#ffaabb", "#99ddff", "#44bb99", "#bbcc33", "#aaaa00", "#cc6677", "#88ccee",
    "#ddcc77", "#aa4499", "#117733", "#999933", "#882255", "#bbbbbb",
];

/// A rectangle in mm.
#[derive(Clone, Copy)]
struct Rectangle {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

/// A part of a tile with all of its kind.
struct Share {
    name: &'static str,
    um2: f64,
    of_core: bool,
}

/// The floor plan of a chip, or of all chips of an array.
pub fn floor_plan(chip: &Chip, bill: &Bill) -> String {
    let shares = shares(&bill.root, chip.mesh.tiles() as f64);
    let side = (shares.iter().map(|share| share.um2).sum::<f64>() / 1e6).sqrt();
    let (columns, rows) = (f64::from(chip.mesh.width), f64::from(chip.mesh.height));
    // Pads lie around the tiles: as wide a ring as their area takes.
    let pads = bill.root.parts.iter().filter(|part| matches!(part.name, "host port" | "chip link"));
    let pad_mm2: f64 = pads.map(|part| part.count as f64 * part.area_um2() / 1e6).sum();
    let (inner_width, inner_height) = (columns * side, rows * side);
    let around = inner_width + inner_height;
    let ring = (-around + (around * around + 4.0 * pad_mm2).sqrt()) / 4.0;
    let (width, height) = (inner_width + 2.0 * ring, inner_height + 2.0 * ring);
    let scale = WIDTH / width;
    let mut svg = String::new();
    let listed = shares.iter().filter(|share| share.um2 >= LEAST_SHARE * side * side * 1e6).count();
    let tall = (height * scale + 2.0 * MARGIN + 2.0 * LINE).max((listed + 8) as f64 * LINE + 2.0 * MARGIN);
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{:.0}\" height=\"{tall:.0}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
        WIDTH + LEGEND + 3.0 * MARGIN
    );
    rectangle(&mut svg, MARGIN, MARGIN, width * scale, height * scale, "#dddddd", "pads");
    let tile = Rectangle { x: 0.0, y: 0.0, width: side, height: side };
    let cells = squarified(&shares, tile);
    for row in 0..chip.mesh.height {
        for column in 0..chip.mesh.width {
            let (x, y) = (ring + f64::from(column) * side, ring + f64::from(row) * side);
            for (at, cell) in cells.iter().enumerate() {
                rectangle(
                    &mut svg,
                    MARGIN + (x + cell.x) * scale,
                    MARGIN + (y + cell.y) * scale,
                    cell.width * scale,
                    cell.height * scale,
                    COLOURS[at.min(COLOURS.len() - 1)],
                    shares[at].name,
                );
            }
            let _ = writeln!(
                svg,
                "<rect x=\"{:.2}\" y=\"{:.2}\" width=\"{:.2}\" height=\"{:.2}\" fill=\"none\" stroke=\"black\"/>",
                MARGIN + x * scale,
                MARGIN + y * scale,
                side * scale,
                side * scale
            );
        }
    }
    scale_bar(&mut svg, width, scale, MARGIN + height * scale + LINE);
    legend(&mut svg, chip, bill, &shares, pad_mm2);
    svg + "</svg>\n"
}

/// Parts of a tile, of its cores, and its part of the links, largest first.
fn shares(root: &Part, tiles: f64) -> Vec<Share> {
    let mut shares = Vec::new();
    if let Some(link) = root.find("link") {
        let um2 = link.count as f64 * link.area_um2() / tiles;
        shares.push(Share { name: "links", um2, of_core: false });
    }
    if let Some(tile) = root.find("tile") {
        for part in &tile.parts {
            let times = part.count as f64;
            if part.name == "core" {
                let inner = |inner: &Part| Share {
                    name: inner.name,
                    um2: times * inner.count as f64 * inner.area_um2(),
                    of_core: true,
                };
                shares.extend(part.parts.iter().map(inner));
            } else {
                shares.push(Share { name: part.name, um2: times * part.area_um2(), of_core: false });
            }
        }
    }
    shares.sort_by(|a, b| b.um2.total_cmp(&a.um2));
    shares
}

/// Rectangles in the order of the shares, which fill the whole in proportion.
fn squarified(shares: &[Share], whole: Rectangle) -> Vec<Rectangle> {
    let total: f64 = shares.iter().map(|share| share.um2).sum();
    let area = |share: &Share| share.um2 / total * whole.width * whole.height;
    let (mut placed, mut left, mut at) = (Vec::new(), whole, 0);
    while at < shares.len() {
        let short = left.width.min(left.height);
        // A strip along the shorter side takes shares as long as its worst one becomes squarer.
        let worst = |count: usize| {
            let sum: f64 = shares[at..at + count].iter().map(area).sum();
            let aspect = |share: &Share| {
                let (long, thick) = (area(share) / sum * short, sum / short);
                (long / thick).max(thick / long)
            };
            shares[at..at + count].iter().map(aspect).fold(0.0, f64::max)
        };
        let mut count = 1;
        while at + count < shares.len() && worst(count + 1) <= worst(count) {
            count += 1;
        }
        let sum: f64 = shares[at..at + count].iter().map(area).sum();
        let thick = sum / short;
        let mut along = 0.0;
        for share in &shares[at..at + count] {
            let long = area(share) / thick;
            placed.push(if left.width >= left.height {
                Rectangle { x: left.x, y: left.y + along, width: thick, height: long }
            } else {
                Rectangle { x: left.x + along, y: left.y, width: long, height: thick }
            });
            along += long;
        }
        if left.width >= left.height {
            left = Rectangle { x: left.x + thick, width: (left.width - thick).max(0.0), ..left };
        } else {
            left = Rectangle { y: left.y + thick, height: (left.height - thick).max(0.0), ..left };
        }
        at += count;
    }
    placed
}

fn rectangle(svg: &mut String, x: f64, y: f64, width: f64, height: f64, colour: &str, title: &str) {
    let _ = writeln!(
        svg,
        "<rect x=\"{x:.2}\" y=\"{y:.2}\" width=\"{width:.2}\" height=\"{height:.2}\" fill=\"{colour}\" stroke=\"white\" \
         stroke-width=\"0.4\"><title>{title}</title></rect>"
    );
}

/// A round number of millimetres, at most a third of the width.
fn scale_bar(svg: &mut String, width_mm: f64, scale: f64, y: f64) {
    let power = 10f64.powf((width_mm / 3.0).log10().floor());
    let length =
        [5.0, 2.0, 1.0].iter().map(|step| step * power).find(|length| *length <= width_mm / 3.0).unwrap_or(power);
    let _ = writeln!(
        svg,
        "<path d=\"M{MARGIN} {:.1} v6 h{:.2} v-6\" fill=\"none\" stroke=\"black\"/>\n<text x=\"{:.1}\" y=\"{:.1}\">{length} mm</text>",
        y - 6.0,
        length * scale,
        MARGIN + length * scale + 8.0,
        y + 2.0
    );
}

fn legend(svg: &mut String, chip: &Chip, bill: &Bill, shares: &[Share], pad_mm2: f64) {
    let x = WIDTH + 2.0 * MARGIN;
    let mut y = MARGIN + 14.0;
    let mut line = |svg: &mut String, colour: Option<&str>, text: &str, weight: &str| {
        if let Some(colour) = colour {
            rectangle(svg, x, y - 11.0, 13.0, 13.0, colour, text);
        }
        let indent = if colour.is_some() { 20.0 } else { 0.0 };
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"{y:.1}\" font-weight=\"{weight}\">{text}</text>", x + indent);
        y += LINE;
    };
    line(svg, None, &format!("{}, {}", chip.name, bill.technology), "bold");
    line(svg, None, &format!("{:.2} mm² in all", bill.area_mm2()), "normal");
    let tile_um2: f64 = shares.iter().map(|share| share.um2).sum();
    let side = (tile_um2 / 1e6).sqrt();
    line(svg, None, &format!("{} tiles of {side:.2} x {side:.2} mm, of which", chip.mesh.tiles()), "normal");
    for (at, share) in shares.iter().enumerate().filter(|(_, share)| share.um2 >= LEAST_SHARE * tile_um2) {
        let percent = 100.0 * share.um2 / tile_um2;
        let of = if share.of_core { "" } else { " (of the tile)" };
        line(
            svg,
            Some(COLOURS[at.min(COLOURS.len() - 1)]),
            &format!("{}{of}: {percent:.1} %, {:.3} mm²", share.name, share.um2 / 1e6),
            "normal",
        );
    }
    line(svg, Some("#dddddd"), &format!("pads: {pad_mm2:.2} mm²"), "normal");
}
