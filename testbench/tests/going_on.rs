//! Learning off, and on again: parts of a run equal the whole, layers that may not learn stay as they are, weights come back
//! from files as they were.

use onward_chip::Chip;
use onward_compile::{Options, compile};
use onward_diagnostic::Source;
use onward_emulate::{Engine, Machine, Options as Emulation};
use onward_image::{BlockIndex, Image, PopulationIndex};
use onward_isa::Space;
use onward_net::read_npz;
use onward_run::data::{Dataset, Samples};
use onward_run::{
    Epochs, Session, TrainReport, WeightsError, give_weights, learned, learned_arrays, to_npz, train, weights_hash,
};
use std::ops::ControlFlow;
use std::path::Path;

const EMULATION: Emulation = Emulation { seed: 7, timing: false, threads: 2 };

fn compiled(text: &str, folder: &Path) -> Image {
    let source = Source::new(folder.join("net.sp").display().to_string(), text);
    let options = Options::new(Chip::builtin("small").expect("a chip"), 3);
    compile(&source, &options).map_err(|errors| source.render(&errors)).unwrap_or_else(|text| panic!("{text}"))
}

/// The digits network with weights of so many bits.
fn text(bits: u32) -> String {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../programs/digits.sp"));
    text.expect("a program").replace("bits   = 16", &format!("bits   = {bits}"))
}

fn data() -> Dataset {
    let digits = Dataset::load("digits").expect("built-in data");
    let first = |of: &Samples, count: usize| {
        let pixels = (0..count).flat_map(|at| of.pixels(at).to_vec()).collect();
        Samples::new(pixels, (0..count).map(|at| of.label(at)).collect(), of.pixels(0).len())
    };
    Dataset { train: first(&digits.train, 150), test: first(&digits.test, 40), ..digits }
}

fn session(image: &Image) -> Session {
    Session::new(image, EMULATION).expect("a session")
}

fn learn(session: &mut Session, image: &Image, epochs: Epochs) -> TrainReport {
    train(session, image, &data(), epochs, 5, |_| ControlFlow::Continue(()), |_| {}).expect("no fault")
}

fn memories(machine: &dyn Engine, image: &Image) -> Vec<Vec<u8>> {
    let spaces = [Space::Neuron, Space::Axon, Space::Synapse];
    let of = |block: BlockIndex| spaces.map(|space| machine.memory(block, space).to_vec());
    image.blocks.keys().flat_map(of).collect()
}

#[test]
fn parts_of_a_run_are_the_whole() {
    for bits in [16, 8, 4] {
        let image = compiled(&text(bits), Path::new(""));
        let mut whole = session(&image);
        let report = learn(&mut whole, &image, 4.into());
        let mut part = session(&image);
        let first = learn(&mut part, &image, Epochs { first: 0, count: 1, of: 4 });
        // Through a file.
        let mut bytes = Vec::new();
        learned(part.machine(), &image, first.whole_epochs(150)).write(&mut bytes).expect("memory");
        let saved = Image::from_bytes(&bytes).expect("an image");
        assert_eq!(saved.learned.epochs, 1);
        let mut rest = session(&saved);
        let last = learn(&mut rest, &saved, Epochs { first: saved.learned.epochs, count: 3, of: 4 });
        let epochs: Vec<_> = first.epochs.iter().chain(&last.epochs).collect();
        for (whole, part) in report.epochs.iter().zip(epochs) {
            assert_eq!((whole.epoch, whole.right()), (part.epoch, part.right()), "{bits} bits");
            assert_eq!(whole.weights_hash, part.weights_hash, "{bits} bits");
        }
        assert_eq!(rest.machine().draws(), whole.machine().draws());
        assert!(memories(rest.machine(), &image) == memories(whole.machine(), &image), "{bits} bits");
    }
}

#[test]
fn frozen_layers_keep_their_weights() {
    let image = compiled(&text(16), Path::new(""));
    let number = |name: &str| {
        let found = image.network.populations.position(|population| population.name == name);
        found.expect("a layer")
    };
    let weights = |session: &Session, layer: PopulationIndex| {
        let blocks = image.blocks_of(layer);
        let arrays = blocks.flat_map(|(block, _)| ["weights", "target_weights", "bias"].map(|name| (block, name)));
        arrays.map(|(block, name)| session.machine().peek(block, name)).collect::<Vec<_>>()
    };
    let [first, second] = ["hidden1", "hidden2"].map(number);
    let mut session = session(&image);
    let mut before = [first, second].map(|layer| weights(&session, layer));
    for frozen in [first, second] {
        session.let_learn(&image, |layer| layer != frozen).expect("it can be kept from learning");
        learn(&mut session, &image, 1.into());
        let now = [first, second].map(|layer| weights(&session, layer));
        assert_eq!(now[0] == before[0], frozen == first);
        assert_eq!(now[1] == before[1], frozen == second);
        before = now;
    }
    // All again.
    session.let_learn(&image, |_| true).expect("they can learn");
    learn(&mut session, &image, 1.into());
    assert!([first, second].map(|layer| weights(&session, layer)).iter().zip(&before).all(|(now, then)| now != then));
}

/// Every kind of layer that learns can be kept from it, and lets its weights change once it no longer is.
#[test]
fn every_kind_of_layer_can_be_frozen() {
    let layers = [
        "layer one = dense(40) from x, y { block = 20, neurons = leaky { leak = shift(3) }, learning = hinge { rate = 6, every = 4 } }",
        "layer one = conv(4, 3, 3) from x, y { block = 2, learning = hinge { rate = 4, revive = none } }",
    ];
    for layer in layers {
        let text = format!(
            "network n {{\n window = 8\n input x = rate(1, 8, 8)\n target y = classes(10)\n weights = fixed {{ bits = 16 }}\n \
             {layer}\n readout z = nearest_target from one\n}}\n"
        );
        let image = compiled(&text, Path::new(""));
        let data = data();
        let order: Vec<u32> = (0..40).collect();
        let mut session = session(&image);
        let proceed = |_| ControlFlow::Continue(());
        let first = weights_hash(session.machine(), &image);
        session.let_learn(&image, |_| false).expect("it can be frozen");
        session.learn(&data.train, &order, proceed).expect("no fault");
        assert_eq!(weights_hash(session.machine(), &image), first, "{layer}");
        session.let_learn(&image, |_| true).expect("it can learn");
        session.learn(&data.train, &order, proceed).expect("no fault");
        assert_ne!(weights_hash(session.machine(), &image), first, "{layer}");
    }
}

#[test]
fn a_rate_can_be_shifted() {
    let image = compiled(&text(16), Path::new(""));
    let shift = |session: &Session| session.machine().peek(BlockIndex(0), "shift").expect("a layer that learns")[0];
    let mut session = session(&image);
    session.set_epoch(0, 4);
    let usual = shift(&session);
    session.set_rate_shift(3);
    session.set_epoch(0, 4);
    assert_eq!(shift(&session), usual + 3);
}

#[test]
fn exported_weights_come_back_as_they_were() {
    for bits in [16, 8, 4] {
        let folder = tempfile::tempdir().expect("a folder");
        let image = compiled(&text(bits), folder.path());
        let mut trained = session(&image);
        learn(&mut trained, &image, 1.into());
        let arrays = learned_arrays(trained.machine(), &image);
        let names: Vec<&str> = arrays.iter().map(|array| array.name.as_str()).collect();
        assert!(names.contains(&"hidden1.target_weight") && names.contains(&"hidden2.weight"), "{names:?}");
        let path = folder.path().join("weights.npz");
        std::fs::write(&path, to_npz(&arrays).expect("small arrays")).expect("a file");
        let read = read_npz(&path).expect("a file of arrays");
        assert_eq!(read["hidden1.weight"].shape, [128, 64]);
        assert_eq!(read["hidden1.target_weight"].shape, [128, 10]);
        for array in &arrays {
            let integers = &read[&format!("{}.integer", array.name)].values;
            assert!(integers.iter().zip(&array.integers).all(|(&read, &integer)| read as i32 == integer));
        }

        // Into a machine that has learned nothing.
        let find = |name: &str| read.get(name).map(|array| (array.shape.clone(), array.values.clone()));
        let mut blank = session(&image);
        let given = give_weights(blank.machine_mut(), &image, find).expect("they fit");
        assert_eq!((given.arrays, given.rounded, given.clamped), (arrays.len(), 0, 0));
        assert_eq!(learned_arrays(blank.machine(), &image), arrays);
        assert_eq!(weights_hash(blank.machine(), &image), weights_hash(trained.machine(), &image));
        let proceed = |_| ControlFlow::Continue(());
        let test = data().test;
        let answers = trained.infer(&test, test.len(), proceed).expect("answers");
        assert_eq!(blank.infer(&test, test.len(), proceed).expect("answers"), answers);

        // By the text: the second layer begins with what it had learned.
        let given = format!(
            "block = 64\n weights = fixed {{ bits = {bits}, values = file(\"weights.npz\", \"hidden2.weight\") }} }}"
        );
        let with_file = text(bits).replace("from hidden1       { block = block }", &format!("from hidden1 {{ {given}"));
        let with_file = compiled(&with_file, folder.path());
        let begun = Machine::new(&with_file, EMULATION).expect("an image");
        let weight = |machine: &dyn Engine| {
            let all = learned_arrays(machine, &with_file);
            all.into_iter().find(|array| array.name == "hidden2.weight").expect("a layer")
        };
        assert_eq!(weight(&begun), weight(trained.machine()));
    }
}

#[test]
fn kernels_and_trained_readouts_come_back_as_they_were() {
    let text = "network kernels {
        epochs = 1
        window = 4
        input pixels = rate(8, 8)
        target class = classes(10)
        learning = hinge { rate = 3, revive = none }
        weights = fixed { bits = 8 }
        layer features = conv(8, 3) from pixels, class { stride = 2, padding = 1, block = 4 }
        layer more = conv(6, 3) from features { block = 2 }
        layer flat = dense(40) from more { block = 20 }
        readout answer = trained from flat { rate = 6 }
    }";
    let image = compiled(text, Path::new(""));
    let mut trained = session(&image);
    learn(&mut trained, &image, 1.into());
    let arrays = learned_arrays(trained.machine(), &image);
    let shape = |name: &str| arrays.iter().find(|array| array.name == name).map(|array| array.shape.clone());
    assert_eq!(shape("features.weight"), Some(vec![8, 1, 3, 3]));
    assert_eq!(shape("features.target_weight"), Some(vec![8 * 4 * 4, 10]));
    assert_eq!(shape("more.weight"), Some(vec![6, 8, 3, 3]));
    assert_eq!(shape("more.target_count"), Some(vec![10, 6 * 2 * 2]));
    assert_eq!(shape("flat.weight"), Some(vec![40, 6 * 2 * 2]));
    assert_eq!((shape("answer.weight"), shape("answer.bias")), (Some(vec![10, 40]), Some(vec![10])));

    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("weights.npz");
    std::fs::write(&path, to_npz(&arrays).expect("small arrays")).expect("a file");
    let read = read_npz(&path).expect("a file of arrays");
    let find = |name: &str| read.get(name).map(|array| (array.shape.clone(), array.values.clone()));
    let mut blank = session(&image);
    assert!(weights_hash(blank.machine(), &image) != weights_hash(trained.machine(), &image));
    let given = give_weights(blank.machine_mut(), &image, find).expect("they fit");
    assert_eq!((given.arrays, given.rounded, given.clamped), (arrays.len(), 0, 0));
    assert_eq!(weights_hash(blank.machine(), &image), weights_hash(trained.machine(), &image));

    // The text takes kernels in the shape they are exported in: it begins with what was learned.
    let with_file = text.replacen(
        "block = 4 }",
        "block = 4, weights = fixed { bits = 8, values = file(\"weights.npz\", \"features.weight\") } }",
        1,
    );
    let with_file = compiled(&with_file, folder.path());
    let begun = Machine::new(&with_file, EMULATION).expect("an image");
    for array in learned_arrays(&begun, &with_file).iter().filter(|array| array.name == "features.weight") {
        assert_eq!(Some(array), arrays.iter().find(|of| of.name == array.name));
    }
}

#[test]
fn foreign_weights_are_refused() {
    let image = compiled(&text(16), Path::new(""));
    let mut session = session(&image);
    let before = memories(session.machine(), &image);
    let machine = session.machine_mut();
    let nothing = give_weights(machine, &image, |_| None);
    assert!(matches!(nothing, Err(WeightsError::Foreign { .. })), "{nothing:?}");
    let other = give_weights(machine, &image, |name| (name == "hidden2.weight").then(|| (vec![3, 2], vec![0.0; 6])));
    assert!(matches!(other, Err(WeightsError::Shape { .. })), "{other:?}");
    let infinite =
        give_weights(machine, &image, |name| (name == "hidden2.bias").then(|| (vec![128], vec![f64::NAN; 128])));
    assert!(matches!(infinite, Err(WeightsError::Number { .. })), "{infinite:?}");
    assert!(memories(session.machine(), &image) == before);
}
