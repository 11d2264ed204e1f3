//! Calibration: the network in real numbers by hand, and formats that follow what was met.

use onward_chip::Chip;
use onward_compile::{Compilation, Options, compile_with};
use onward_diagnostic::Source;
use onward_quantize::{Calibrated, Calibration, FloatModel, LayerParameters, Scale};

/// Compiles a text; what `after` makes of the compilation behind `fixed-point`.
fn compiled<T>(text: &str, calibration: Option<Calibrated>, after: impl Fn(&Compilation) -> T) -> Result<T, String> {
    let source = Source::new("net.sp", text);
    let options = Options { calibration, ..Options::new(Chip::builtin("middle").unwrap(), 1) };
    let mut made = None;
    let image = compile_with(&source, &options, |pass, compilation| {
        if pass.name == "fixed-point" {
            made = Some(after(compilation));
        }
    });
    image.map_err(|errors| source.render(&errors))?;
    Ok(made.unwrap())
}

fn model(text: &str) -> FloatModel {
    let mut model = compiled(text, None, |compilation| compilation.float_model().unwrap()).unwrap();
    model.open_window();
    model
}

/// A text with an input `x` and a layer `y` like this, which is read.
fn network(input: &str, layer: &str) -> String {
    format!(
        "network net {{\n window = 4\n input x = {input}\n layer y = {layer}\n readout answer = spikes from y\n}}\n"
    )
}

/// Shows steps; the membranes after each.
fn membranes(model: &mut FloatModel, steps: &[&[(u32, i32)]]) -> Vec<Vec<f64>> {
    let mut step = |packets: &&[(u32, i32)]| {
        model.step(packets);
        model.membrane("y").unwrap().to_vec()
    };
    steps.iter().map(&mut step).collect()
}

#[test]
fn integrate_and_fire_by_hand() {
    let text = network("events(2)", "dense(1) from x { weights = fixed { bits = 16, values = ((0.75, -0.25),) } }");
    let mut model = model(&text);
    let membranes = membranes(&mut model, &[&[(0, 1)], &[(0, 1), (1, 1)], &[], &[(1, 1)]]);
    // 0.75; 0.75 + 0.5 = 1.25 fires; 0.25; 0.
    assert_eq!(membranes, [[0.75], [0.25], [0.25], [0.0]]);
    assert_eq!(model.spikes("y"), Some(1));
    let met = &model.calibration("none").layers[0];
    // In the second step 0.75 came in, and -0.25.
    assert_eq!((met.input.largest, met.membrane.largest, met.input.values), (0.75, 0.75, 4));
    assert_eq!(met.current, None);
}

#[test]
fn a_current_a_leak_a_reset_and_rest_by_hand() {
    let text = network(
        "current(1)",
        "dense(1) from x {\n weights = fixed { bits = 16, values = 0.5 }\n neurons = current_based \
         { current = factor(0.5), leak = shift(1), reset = to(-0.25), refractory = 1, bias = 0.125 }\n}",
    );
    let mut model = model(&text);
    // 255 is 1.0. Current: 0.5, 0.75, 0.375, 0.1875. Membrane: 0.625; 0.3125 + 0.875 fires; rests; -0.125 + 0.3125.
    let found = membranes(&mut model, &[&[(0, 255)], &[(0, 255)], &[], &[]]);
    assert_eq!(found, [[0.625], [-0.25], [-0.25], [0.1875]]);
    let met = &model.calibration("none").layers[0];
    assert_eq!((met.spikes, met.current.as_ref().map(|current| current.largest)), (1, Some(0.75)));
}

#[test]
fn a_convolution_behind_a_pool_by_hand() {
    let text = "network net {\n window = 4\n input x = events(1, 2, 8)\n layer p = average_pool(2) from x\n \
                layer y = conv(1, 1, 3) from p {\n stride = (1, 2)\n padding = (0, 1)\n \
                neurons = integrate_and_fire { threshold = 100.0 }\n \
                weights = fixed { bits = 16, values = ((((1.0, 2.0, 3.0),),),) }\n }\n readout answer = spikes from y\n}\n";
    let mut model = model(text);
    // out[0] = 2 in[0] + 3 in[1]; out[1] = in[1] + 2 in[2] + 3 in[3]; a spike is a quarter of its place of the pool.
    let found = membranes(&mut model, &[&[(0, 1), (9, 1)], &[(3, 1)], &[(4, 1), (15, 1)]]);
    assert_eq!(found, [[1.0, 0.0], [1.75, 0.25], [1.75, 1.5]]);
}

#[test]
fn drawn_weights_are_those_that_are_rounded() {
    let text = network("events(64)", "dense(32) from x { weights = fixed { bits = 16 } }");
    let difference = compiled(&text, None, |compilation| {
        let rounded = compilation.rounded_model().unwrap();
        compilation.float_model().unwrap().weights_difference(&rounded, "y").unwrap()
    });
    // Evenly spread errors of up to half of 2^-12: 2^-12 / sqrt(12).
    let expected = 0.5f64.powi(12) / 12f64.sqrt();
    assert!((difference.unwrap() / expected - 1.0).abs() < 0.05);
}

/// Makes a calibration one of another network.
type Change<'a> = &'a dyn Fn(&mut Calibration);

/// Many inputs, of which few come at a time: bounds ask for 32 bits, what is met for 16.
fn wide() -> String {
    network("events(256)", "dense(64) from x { weights = fixed { bits = 8, values = 1.0 } }")
}

fn widths(text: &str, calibration: Option<Calibrated>) -> LayerParameters {
    compiled(text, calibration, |compilation| compilation.parameters("y").unwrap().clone()).unwrap()
}

#[test]
fn what_was_met_with_its_margin_is_kept_in_16_bits() {
    let text = wide();
    let mut model = model(&text);
    model.step(&[(0, 1), (1, 1)]);
    let calibration = model.calibration("none");
    let of = |margin: f64| widths(&text, Some(Calibrated { calibration: calibration.clone(), margin })).widths;
    let bounded = widths(&text, None);
    // 1.0 is 64, so 256 of them are 16384: the input is bounded by 16 bits, the membrane, of four such, is not.
    assert_eq!(bounded.unit, Scale::Same(64.0));
    assert_eq!((bounded.bounds.input, bounded.bounds.membrane), (16384.0, 65536.0));
    assert_eq!((bounded.widths.input, bounded.widths.membrane), (16, 32));
    // A membrane of 2 - 1 = 1 was met, which is 64: 511 times that fits 16 bits, 512 times does not.
    assert_eq!([2.0, 511.0, 512.0].map(|margin| of(margin).membrane), [16, 16, 32]);
}

#[test]
fn a_membrane_holds_its_threshold_whatever_was_met() {
    let text = network(
        "events(256)",
        "dense(64) from x {\n weights = fixed { bits = 8, values = 1.0 }\n neurons = integrate_and_fire { threshold = 600.0 }\n}",
    );
    let mut model = model(&text);
    model.step(&[(0, 1)]);
    let calibrated = Calibrated { calibration: model.calibration("none"), margin: 2.0 };
    // 600 is 38400, though no more than 64 was met.
    assert_eq!(widths(&text, Some(calibrated)).widths.membrane, 32);
}

#[test]
fn a_calibration_of_another_network_is_refused() {
    let text = wide();
    let calibration = model(&text).calibration("none");
    let refused = |change: Change| {
        let mut other = calibration.clone();
        change(&mut other);
        compiled(&text, Some(Calibrated { calibration: other, margin: 2.0 }), |_| ()).err().unwrap_or_default()
    };
    assert_eq!(refused(&|_| ()), "");
    assert_eq!(refused(&|of| of.seed = 2), "", "nothing is drawn");
    let messages: [(Change, &str); 5] = [
        (&|of| of.network = "other".into(), "the calibration is of network `other`, this one is `net`"),
        (&|of| of.window = 5, "the calibration is for windows of 5 steps, they have 4"),
        (&|of| of.layers.clear(), "the calibration is of 0 layers, the network has 1"),
        (&|of| of.layers[0].layer = "z".into(), "`z` of 64 neurons over 256 places, here is `y` of 64 neurons"),
        (&|of| of.layers[0].inputs = 7, "`y` of 64 neurons over 7 places, here is `y` of 64 neurons over 256 places"),
    ];
    for (change, message) in messages {
        let found = refused(change);
        assert!(found.contains(message), "{found}");
    }
}
