//! The verifier: it accepts what is committed, names what breaks each rule, and what it says of cycles holds.

mod adversarial;
mod committed;
mod cycles;
mod mutations;
mod watched;

use onward_chip::Chip;
use onward_compile::{Options, compile};
use onward_diagnostic::Source;
use onward_image::Image;
use onward_verify::{Contract, Verdict, verify};

/// The image of a committed network's text.
fn image_of(name: &str, chip: &str, seed: u64) -> Image {
    let path = format!("{}/../programs/{name}", env!("CARGO_MANIFEST_DIR"));
    let source = Source::new(name, std::fs::read_to_string(&path).expect("a committed text"));
    let chip = Chip::builtin(chip).expect("a built-in chip");
    compile(&source, &Options::new(chip, seed)).unwrap_or_else(|errors| panic!("{}", source.render(&errors)))
}

/// The verdict on an image of a network.
fn verdict(image: &Image) -> Verdict {
    verify(image, &Contract::of_network())
}

/// What breaks it, line by line.
fn breaches(verdict: &Verdict) -> String {
    verdict.breaches.iter().map(|breach| format!("{}: {breach}\n", breach.rule)).collect()
}
