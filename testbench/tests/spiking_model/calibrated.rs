//! Formats chosen by what a case's windows are in real numbers.

use super::networks::Case;
use super::sides::Pair;
use onward_compile::{Options, compile_with};
use onward_diagnostic::Source;
use onward_emulate::Engine;
use onward_quantize::{Bounds, Calibrated, LayerParameters};
use std::collections::BTreeMap;

/// What came of a calibrated case.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shown {
    /// Quantities that are kept in 16 bits though their bounds ask for 32.
    pub narrowed: usize,
    /// Results that were saturated on the chip.
    pub saturated: u64,
}

/// Compiles a case with a calibration by its own windows, shows it to both sides, and compares them if nothing saturated.
pub fn agree(case: &Case) -> Result<Shown, String> {
    let source = Source::new("random.sp", case.text.as_str());
    let options = Options::new(case.chip.clone(), case.seed);
    let mut model = None;
    let compiled = compile_with(&source, &options, |pass, compilation| {
        if pass.name == "fixed-point" {
            model = compilation.float_model().ok();
        }
    });
    let (Ok(_), Some(mut model)) = (compiled, model) else { return Ok(Shown::default()) };
    for (_, steps) in &case.windows {
        model.open_window();
        for step in steps {
            let packets: Vec<_> = step.iter().map(|&(place, value)| (place as u32, value as i32)).collect();
            model.step(&packets);
        }
    }
    let calibrated = Calibrated { calibration: model.calibration("windows"), margin: 2.0 };
    let calibrated = Options { calibration: Some(calibrated), ..options };
    let mut parameters: BTreeMap<String, LayerParameters> = BTreeMap::new();
    compile_with(&source, &calibrated, |_, compilation| parameters = compilation.all_parameters())
        .map_err(|errors| source.render(&errors))?;
    let narrowed = |of: &LayerParameters| {
        let (widths, bounds) = (of.widths, of.bounds);
        let pairs =
            [(widths.input, bounds.input), (widths.current, bounds.current), (widths.membrane, bounds.membrane)];
        pairs.into_iter().filter(|&(bits, bound)| bits < Bounds::bits(bound)).count()
    };
    let narrowed = parameters.values().map(narrowed).sum();
    let Some(mut pair) = Pair::with(case, &calibrated)? else { return Ok(Shown::default()) };
    let run = pair.run(case);
    let saturated = pair.machine.counters().blocks.iter().map(|block| block.saturated).sum();
    if saturated == 0 {
        run?;
        pair.compare_state()?;
    }
    Ok(Shown { narrowed, saturated })
}
