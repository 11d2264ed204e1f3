//! Arrays that the text names: files of every type and order that NumPy writes, and what can be wrong with them.

use npyz::WriterBuilder;
use onward_diagnostic::Source;
use onward_net::{Array, Decay, Initial, LayerKind, Network, Reset, Values};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use tempfile::TempDir;
use zip::write::SimpleFileOptions;

/// A `.npy` file.
fn npy<T: npyz::Serialize + npyz::AutoSerialize>(shape: &[u64], order: npyz::Order, values: &[T]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = npyz::WriteOptions::new()
        .default_dtype()
        .shape(shape)
        .order(order)
        .writer(&mut bytes)
        .begin_nd()
        .expect("the header can be written");
    writer.extend(values).expect("values can be written");
    writer.finish().expect("the file can be finished");
    bytes
}

fn write(folder: &TempDir, name: &str, bytes: &[u8]) {
    fs::write(folder.path().join(name), bytes).expect("files can be written");
}

fn archive(folder: &TempDir, name: &str, members: &[(&str, Vec<u8>)], method: zip::CompressionMethod) {
    let file = File::create(folder.path().join(name)).expect("files can be made");
    let mut archive = zip::ZipWriter::new(file);
    for (member, bytes) in members {
        let options = SimpleFileOptions::default().compression_method(method);
        archive.start_file(format!("{member}.npy"), options).expect("members can be begun");
        archive.write_all(bytes).expect("members can be written");
    }
    archive.finish().expect("archives can be finished");
}

fn parsed(text: &str) -> (Source, Network) {
    let source = Source::new("net.sp", text);
    let network = Network::parse(&source).unwrap_or_else(|errors| panic!("{}", source.render(&errors)));
    (source, network)
}

fn loaded(text: &str, folder: &Path) -> Network {
    let (source, mut network) = parsed(text);
    network.load(folder).unwrap_or_else(|errors| panic!("{}", source.render(&errors)));
    network
}

fn array(values: &Values) -> &Array {
    match values {
        Values::Array(array) => array,
        other => panic!("{other:?} is no array"),
    }
}

#[test]
fn files_become_arrays() {
    let folder = TempDir::new().expect("folders can be made");
    write(&folder, "dense.npy", &npy(&[2, 3], npyz::Order::Fortran, &[1_f32, 4.0, 2.0, 5.0, 3.0, 6.0]));
    write(&folder, "thresholds.npy", &npy(&[2], npyz::Order::C, &[1_u8, 2]));
    write(&folder, "kernel.npy", &npy(&[2, 1, 2], npyz::Order::C, &[-1_i64, 2, -3, 4]));
    write(&folder, "bias.npy", &npy(&[2], npyz::Order::C, &[0.5_f64, -0.5]));
    let connections = npy(&[1, 3], npyz::Order::C, &[1_i16, 0, 7]);
    archive(&folder, "more.npz", &[("c", connections)], zip::CompressionMethod::Stored);
    let factors = npy(&[1], npyz::Order::C, &[true]);
    archive(&folder, "packed.npz", &[("f.weight", factors)], zip::CompressionMethod::Deflated);
    let network = loaded(
        r#"network loaded {
            input x = rate(3)
            layer a = dense(2) from x {
                weights = fixed { values = file("dense.npy") }
                neurons = leaky { threshold = file("thresholds.npy"), leak = factor((0.5, 1.0)) }
            }
            layer b = conv(2, 2) from a {
                weights = fixed { values = file("kernel.npy") }
                neurons = leaky { bias = file("bias.npy") }
            }
            layer c = sparse(1) from b {
                connections = file("more.npz", "c")
                neurons = current_based { current = factor(file("packed.npz", "f.weight")), reset = to((0.25,)) }
            }
            readout r = spikes from c
        }"#,
        folder.path(),
    );
    let [a, b, c] = network.layers().map(|index| network.layer(index)).collect::<Vec<_>>()[..] else {
        panic!("there are three layers")
    };
    let given = |initial: &Initial| match initial {
        Initial::Given(values) => array(values).clone(),
        other => panic!("{other:?} is not given"),
    };
    let expected = Array { shape: vec![2, 3], values: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0] };
    assert_eq!(given(&a.weights.initial), expected);
    assert_eq!(array(&a.neuron.threshold).values, [1.0, 2.0]);
    let Decay::Factor(leak) = &a.neuron.leak else { panic!("it decays") };
    assert_eq!(array(leak).values, [0.5, 1.0]);
    let expected = Array { shape: vec![2, 1, 1, 2], values: vec![-1.0, 2.0, -3.0, 4.0] };
    assert_eq!(given(&b.weights.initial), expected);
    assert_eq!(*array(&b.neuron.bias), Array { shape: vec![2, 1, 1], values: vec![0.5, -0.5] });
    let LayerKind::Sparse(sparse) = &c.kind else { panic!("it is sparse") };
    assert_eq!(*array(&sparse.connections), Array { shape: vec![1, 3], values: vec![1.0, 0.0, 7.0] });
    let Some(Decay::Factor(current)) = &c.neuron.current else { panic!("it decays") };
    assert_eq!(array(current).values, [1.0]);
    let Reset::To(to) = &c.neuron.reset else { panic!("it is set") };
    assert_eq!(array(to).values, [0.25]);
    // What was in files is now in the text.
    let again = parsed(&network.to_string()).1;
    assert_eq!(again.to_string(), network.to_string());
    assert!(!again.to_string().contains("file("));
}

#[test]
fn one_number_a_channel_is_that_of_all_its_neurons() {
    let (_, network) = parsed(
        "network channels {
            input x = rate(1, 3)
            layer a = conv(2, 1, 2) from x { neurons = leaky { bias = (1, 2) } }
            readout r = spikes from a
        }",
    );
    let layer = network.layer(network.layers().next().expect("there is a layer"));
    assert_eq!(layer.shape, [2, 1, 2]);
    assert_eq!(*array(&layer.neuron.bias), Array { shape: vec![2, 1, 2], values: vec![1.0, 1.0, 2.0, 2.0] });
}

#[test]
fn included_files_name_arrays_beside_themselves() {
    let text = "network outer {
        include \"common/w.sp\"
        input x = rate(2)
        layer a = dense(1) from x { weights = w }
        readout r = spikes from a
    }";
    let source = Source::new("nets/outer.sp", text);
    let mut read = |path: &Path| {
        assert_eq!(path, Path::new("nets/common/w.sp"));
        Ok("parameter w = fixed { values = file(\"w.npy\") }\n".to_string())
    };
    let source = onward_net::with_includes(source, &mut read).expect("it can be read");
    let network = Network::parse(&source).unwrap_or_else(|errors| panic!("{}", source.render(&errors)));
    assert!(network.to_string().contains("file(\"common/w.npy\")"), "{network}");
}

#[test]
fn what_is_wrong_with_files() {
    let folder = TempDir::new().expect("folders can be made");
    write(&folder, "shape.npy", &npy(&[3, 2], npyz::Order::C, &[0_f32; 6]));
    write(&folder, "range.npy", &npy(&[2], npyz::Order::C, &[1.0_f32, -1.0]));
    write(&folder, "none.npy", &npy(&[2], npyz::Order::C, &[1.0_f64, f64::NAN]));
    write(&folder, "text.npy", b"1 2 3\n");
    let long = npy(&[2, 3], npyz::Order::C, &[0_f32; 6]);
    write(&folder, "short.npy", &long[..long.len() - 1]);
    let mut huge = long.clone();
    let shape = huge.windows(5).position(|window| window == b"shape").expect("the header has the shape");
    let three = huge[shape..].iter().position(|&byte| byte == b'3').expect("the shape has the size");
    huge[shape + three] = b'9';
    write(&folder, "huge.npy", &huge);
    archive(&folder, "some.npz", &[("conv1.weight", long.clone()), ("b", long)], zip::CompressionMethod::Stored);
    write(&folder, "damaged.npz", b"PK, but no more");
    let (source, mut network) = parsed(include_str!("errors/loading/wrong.sp"));
    let errors = network.load(folder.path()).expect_err("much is wrong");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/errors/loading/wrong.txt");
    onward_golden::check(&path, &source.render(&errors));
}
