//! Images survive the way to a file and back; whatever happens to the bytes, reading them panics nobody.

use onward_chip::Chip;
use onward_compile::{Options, compile};
use onward_diagnostic::Source;
use onward_emulate::{Machine, Options as Emulation};
use onward_image::{Image, ImageError};
use proptest::prelude::*;
use std::sync::LazyLock;

static IMAGE: LazyLock<Image> = LazyLock::new(|| image(7, 5, 16));

/// A small network of which the parameters differ.
fn image(neurons: u32, block: u32, bits: u32) -> Image {
    let text = format!(
        "network small {{
            window = 4
            weights = fixed {{ bits = {bits} }}
            learning = hinge {{ rate = 5 }}
            input  pixels = rate(3, 3)
            target class  = classes(3)
            layer one = dense({neurons}) from pixels, class {{ block = {block} }}
            layer two = dense({neurons}) from one {{ block = {block} }}
            readout answer = nearest_target from two
        }}"
    );
    let source = Source::new("small.sp", text);
    let options = Options::new(Chip::builtin("middle").unwrap(), 1);
    compile(&source, &options).map_err(|errors| source.render(&errors)).unwrap()
}

/// Loads what may be nonsense and runs it a little.
fn exercise(image: &Image) {
    let options = Emulation { seed: 1, timing: true, threads: 1 };
    let Ok(mut machine) = Machine::new(image, options) else { return };
    for _ in 0..3 {
        let input = machine.host_inputs();
        let ran = machine.run(4, |inputs| {
            for (at, indices) in input.iter().enumerate() {
                if *indices > 0 {
                    inputs.send(at, 0, 0, 1);
                    inputs.send(at, 1, indices - 1, 1);
                }
            }
        });
        if ran.is_err() {
            return;
        }
    }
}

#[test]
fn every_prefix_is_refused() {
    let bytes = IMAGE.to_bytes();
    assert_eq!(&Image::from_bytes(&bytes).unwrap(), &*IMAGE);
    for length in (0..bytes.len()).step_by(if bytes.len() > 4096 { 97 } else { 1 }).chain(0..200) {
        let error = Image::from_bytes(&bytes[..length]).unwrap_err();
        assert!(matches!(error, ImageError::Foreign | ImageError::Length { .. }), "{length}: {error}");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(matches!(Image::from_bytes(&longer), Err(ImageError::Length { .. })));
}

#[test]
fn the_same_network_gives_the_same_bytes() {
    assert_eq!(image(7, 5, 16).to_bytes(), image(7, 5, 16).to_bytes());
    assert_ne!(image(7, 5, 16).to_bytes(), image(7, 5, 8).to_bytes());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn images_come_back_as_they_were(neurons in 1u32..20, block in 1u32..20, bits in prop::sample::select(vec![4u32, 8, 16])) {
        let image = image(neurons, block.min(neurons), bits);
        prop_assert_eq!(Image::from_bytes(&image.to_bytes()).unwrap(), image);
    }

    #[test]
    fn a_changed_byte_is_noticed(at in any::<prop::sample::Index>(), change in 1u8..) {
        let mut bytes = IMAGE.to_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        prop_assert!(Image::from_bytes(&bytes).is_err());
    }

    /// Contents that are nonsense under a checksum that is right.
    #[test]
    fn nonsense_with_a_valid_checksum_panics_nobody(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut bytes = IMAGE.to_bytes();
        let (header, contents) = bytes.split_at_mut(52);
        for (at, value) in changes {
            contents[at.index(contents.len())] = value;
        }
        header[20..].copy_from_slice(blake3::hash(contents).as_bytes());
        if let Ok(image) = Image::from_bytes(&bytes) {
            exercise(&image);
        }
    }
}
