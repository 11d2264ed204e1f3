//! What a calibration came to: formats beside bounds, and the chip's integers beside real numbers.

use crate::{Calibration, FloatModel, LayerCalibration, LayerParameters, Range, Scale};
use serde::Serialize;
use std::collections::BTreeMap;

/// The models of a network that was compiled, and the integers of its layers by their names.
#[derive(Clone, Debug)]
pub struct Models {
    /// In real numbers.
    pub float: FloatModel,
    /// With rounded weights, thresholds and decays.
    pub rounded: FloatModel,
    /// The integers of each layer.
    pub parameters: BTreeMap<String, LayerParameters>,
}

/// What the chip counted of a layer that was shown the calibration's samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Spikes that it fired.
    pub spikes: u64,
    /// Results that were saturated, of whatever quantity.
    pub saturations: u64,
}

/// What a network met, its formats, and how far its integers are from real numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Name of the network.
    pub network: String,
    /// The data that was shown.
    pub data: String,
    /// Samples of it.
    pub samples: u64,
    /// Formats hold so many times more than what was met.
    pub margin: f64,
    /// Its layers, in their order.
    pub layers: Vec<LayerComparison>,
}

/// The formats of a layer, and how far its integers are from real numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerComparison {
    /// Name of the layer.
    pub layer: String,
    /// Bits of a weight.
    pub weight_bits: u32,
    /// What weights are multiplied by: the least and the greatest scale of an output.
    pub scale: [f64; 2],
    /// What 1.0 is on the membrane: the least and the greatest of a neuron.
    pub unit: [f64; 2],
    /// What comes in in a step.
    pub input: Quantity,
    /// The synaptic current, if there is one.
    pub current: Option<Quantity>,
    /// The membrane in a window.
    pub membrane: Quantity,
    /// Root of the mean square of what rounding did to weights; 1.0 is 1.0 of the network.
    pub weights_rounding: f64,
    /// Spikes a neuron and step in real numbers.
    pub float_rate: f64,
    /// The same with rounded weights, thresholds and decays: what the chip is expected to do.
    pub predicted_rate: f64,
    /// The same on the chip.
    pub measured_rate: f64,
    /// Results that were saturated on the chip, of whatever quantity.
    pub saturations: u64,
}

/// A quantity of a layer, in the chip's integers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Quantity {
    /// It is never greater.
    pub bound: f64,
    /// The greatest that was met.
    pub met: f64,
    /// Bits that hold the bound.
    pub bits_by_bound: u32,
    /// Bits by what was met, times the margin.
    pub bits: u32,
    /// Part of the values met that these bits do not hold.
    pub saturating_percent: f64,
}

impl Comparison {
    /// Compares what was compiled by `bounded` formats, and `calibrated` by what was met, whose rounded model has been shown
    /// the same samples; `counted` says what the chip counted of a layer.
    pub fn new(
        calibration: &Calibration,
        margin: f64,
        [bounded, calibrated]: [&Models; 2],
        counted: impl Fn(&str) -> Counted,
    ) -> Comparison {
        let layers = calibration.layers.iter().filter_map(|met| {
            let neurons: f64 = met.shape.iter().map(|&size| f64::from(size)).product();
            let steps = calibration.samples as f64 * f64::from(calibration.window);
            let rate = |spikes: u64| spikes as f64 / (neurons * steps).max(1.0);
            LayerComparison::new(met, [bounded, calibrated], counted(&met.layer), rate)
        });
        Comparison {
            network: calibration.network.clone(),
            data: calibration.data.clone(),
            samples: calibration.samples,
            margin,
            layers: layers.collect(),
        }
    }
}

impl LayerComparison {
    fn new(
        met: &LayerCalibration,
        [bounded, calibrated]: [&Models; 2],
        counted: Counted,
        rate: impl Fn(u64) -> f64,
    ) -> Option<LayerComparison> {
        let name = met.layer.as_str();
        let (by_bound, layer) = (bounded.parameters.get(name)?, calibrated.parameters.get(name)?);
        let (bounds, widths) = (layer.bounds, [by_bound.widths, layer.widths]);
        let ends = |scale: &Scale| [scale.least(), scale.greatest()];
        // What was met is of all neurons: it is counted as if of the one with the greatest unit.
        let unit = layer.unit.greatest();
        let of_sums = unit / f64::from(layer.finer).exp2();
        let quantity = |bound: f64, bits: [u32; 2], met: &Range| Quantity::new(bound, bits, met, unit);
        Some(LayerComparison {
            layer: met.layer.clone(),
            weight_bits: layer.weight_bits,
            scale: ends(&layer.scale),
            unit: ends(&layer.unit),
            input: Quantity::new(bounds.input, widths.map(|widths| widths.input), &met.input, of_sums),
            current: met.current.as_ref().map(|met| quantity(bounds.current, widths.map(|widths| widths.current), met)),
            membrane: quantity(bounds.membrane, widths.map(|widths| widths.membrane), &met.membrane),
            weights_rounding: bounded.float.weights_difference(&calibrated.rounded, name)?,
            float_rate: rate(met.spikes),
            predicted_rate: rate(calibrated.rounded.spikes(name)?),
            measured_rate: rate(counted.spikes),
            saturations: counted.saturations,
        })
    }
}

impl Quantity {
    fn new(bound: f64, [bits_by_bound, bits]: [u32; 2], met: &Range, unit: f64) -> Quantity {
        let most = if bits == 16 { f64::from(i16::MAX) } else { f64::from(i32::MAX) };
        let saturating_percent = 100.0 * met.part_above(most / unit);
        Quantity { bound, met: (met.largest * unit).round(), bits_by_bound, bits, saturating_percent }
    }
}
