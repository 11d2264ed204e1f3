//! Images carry what was proven of them: what is written is proven first, and what is read without a proof is told of.

use crate::terminal::{BOLD, styled};
use anstream::eprintln;
use onward_image::Image;
use onward_verify::{Contract, VERSION, verify};
use std::path::Path;

/// The image with what is proven of it. If it cannot be proven, which is no fault of whoever asked for it, that is said on
/// stderr, with what stands in the way, and the image carries no proof.
pub fn proven(image: Image) -> Image {
    let verdict = verify(&image, &Contract::of_network());
    if let Some(breach) = verdict.breaches.first() {
        eprintln!("{} the image is not proven: {}: {breach}", styled(BOLD, "note:"), breach.rule);
    }
    Image { proof: verdict.proof(&image), ..image }
}

/// Says, on stderr, if nothing is proven of an image that was read.
pub fn note_unproven(path: &Path, image: &Image) {
    if !image.is_proven_by(VERSION) {
        let path = path.display();
        eprintln!("{} nothing is proven of {path}: `onward verify {path}` looks at it", styled(BOLD, "note:"));
    }
}
