//! Convolutions and pools: kernels and windows that go over a plane.

use super::Checker;
use super::connections::sizes_in_words;
use super::layers::Connected;
use crate::layer::{CHANNEL_BLOCK, DILATION, GROUPS, PADDING, PADDING_END, POOL_STRIDE, ROWS, STRIDE};
use crate::network::{Convolution, LayerKind, Node, Pool, PoolKind, channel_block};
use crate::reader::Given;
use crate::syntax::Span;
use onward_diagnostic::Diagnostic;

const AXES: [(&str, &str); 2] = [("height", "y"), ("width", "x")];

/// Channels, height and width of any shape.
fn plane(shape: &[u32]) -> [u32; 3] {
    match *shape {
        [channels, height, width] => [channels, height, width],
        [height, width] => [1, height, width],
        _ => [1, 1, shape.iter().product()],
    }
}

/// A window or kernel of which one size may be given alone.
fn window(sizes: &[u32], signal: &[u32]) -> [u32; 2] {
    match *sizes {
        [height, width] => [height, width],
        [width] if signal.len() == 1 => [1, width],
        _ => [sizes[0]; 2],
    }
}

impl Checker<'_> {
    pub(super) fn convolution(&mut self, given: &Given, signal: Option<&[u32]>, span: &Span) -> Connected {
        let reader = &mut self.reader;
        let (stride, _) = reader.pair(given, &STRIDE);
        let (dilation, _) = reader.pair(given, &DILATION);
        let padding = reader.pair(given, &PADDING);
        let padding_end = given.option(&PADDING_END).map_or(padding, |_| reader.pair(given, &PADDING_END));
        let groups = reader.integer(given, &GROUPS);
        let arguments = reader.integer_arguments(given);
        let channels = arguments.as_ref().map_or(1, |arguments| arguments[0]);
        let kernel = arguments.as_ref().map_or([1; 2], |arguments| window(&arguments[1..], signal.unwrap_or(&[])));
        // A single number shall be good for kernels in one dimension, too.
        let about = |(sizes, is_single): ([u32; 2], bool)| {
            [0, 1].map(|axis| if is_single && kernel[axis] == 1 { 0 } else { sizes[axis] })
        };
        let convolution = Convolution {
            channels,
            kernel,
            stride,
            padding: about(padding),
            padding_end: about(padding_end),
            dilation,
            groups,
        };
        let shape = match (signal, arguments) {
            (Some(signal), Some(_)) => self.convolved(&convolution, signal, given, span),
            _ => None,
        };
        let shape = shape.filter(|shape| self.is_not_too_large(shape, span));
        let block = self.channel_block_of(given, shape.as_deref());
        let rows = self.reader.integer_if_given(given, &ROWS);
        if let (Some(rows), Some(shape), Some(value)) = (rows, &shape, given.option(&ROWS))
            && rows > shape[1]
        {
            let message = format!("`rows` must be from 1 to the {} rows of the output, not `{rows}`", shape[1]);
            self.report(
                Diagnostic::new(value.span.clone(), message).help("leave it away to have all of them on one core"),
            );
        }
        Connected { kind: LayerKind::Convolution(convolution), shape, block, block_rows: rows }
    }

    /// The shape of what a convolution makes of `signal`, if it can be.
    fn convolved(&mut self, convolution: &Convolution, signal: &[u32], given: &Given, span: &Span) -> Option<Vec<u32>> {
        let Convolution { channels, kernel, stride, padding, padding_end, dilation, groups } = convolution;
        let [inputs, height, width] = plane(signal);
        let mut is_good = true;
        for (count, what) in [(inputs, "channels of its source"), (*channels, "output channels")] {
            if count % groups != 0 {
                is_good = false;
                let place = given.option(&GROUPS).map_or(span.clone(), |value| value.span.clone());
                let error = Diagnostic::new(place, format!("{groups} groups cannot share {count} {what}"));
                self.report(error.help(format!("write a number that divides {inputs} and {channels}")));
            }
        }
        let mut shape = vec![*channels];
        for (axis, size) in [height, width].into_iter().enumerate() {
            let (extent, along) = AXES[axis];
            let reach = (kernel[axis] - 1) * dilation[axis] + 1;
            for (option, padding) in [(&PADDING, padding[axis]), (&PADDING_END, padding_end[axis])] {
                if padding >= reach {
                    is_good = false;
                    let place = given
                        .option(option)
                        .or(given.option(&PADDING))
                        .map_or(span.clone(), |value| value.span.clone());
                    let message =
                        format!("a padding of {padding} along {along} is more than the kernel reaches over the edge");
                    let error = Diagnostic::new(place, message);
                    self.report(error.help(match reach {
                        1 => format!("the kernel has the {extent} 1: write no padding along {along}"),
                        _ => format!("the kernel reaches over {reach} places: write at most {}", reach - 1),
                    }));
                }
            }
            let padded = size + padding[axis] + padding_end[axis];
            if reach > padded {
                is_good = false;
                let message = format!("the kernel has the {extent} {reach}, and what it goes over has only {padded}");
                let error = Diagnostic::new(span.clone(), message);
                let error = error.note(format!("the source has the shape {}", sizes_in_words(signal)));
                self.report(error.help(format!("make the kernel smaller along {along}, or add `padding`")));
            } else {
                shape.push((padded - reach) / stride[axis] + 1);
            }
        }
        is_good.then_some(shape)
    }

    /// A pool, and whether its shape is known.
    pub(super) fn pool(
        &mut self,
        kind: PoolKind,
        name: String,
        span: Span,
        given: &Given,
        signal: Option<&[u32]>,
    ) -> (Node, bool) {
        let arguments = self.reader.integer_arguments(given);
        let window = arguments.as_ref().map_or([1; 2], |arguments| window(arguments, signal.unwrap_or(&[])));
        let stride = given.option(&POOL_STRIDE).map_or(window, |_| self.reader.pair(given, &POOL_STRIDE).0);
        let shape = match (signal, arguments) {
            (Some(signal), Some(_)) => self.pooled(window, stride, signal, &span),
            _ => None,
        };
        let cut_said = given.option(&CHANNEL_BLOCK).is_some();
        let block = match kind {
            PoolKind::Maximum => self.channel_block_of(given, shape.as_deref()),
            // Costs nothing, lives nowhere.
            PoolKind::Sum | PoolKind::Average => shape.as_ref().map_or(1, |shape| shape[0]),
        };
        let is_known = shape.is_some();
        let shape = shape.unwrap_or_else(|| vec![1]);
        (Node::Pool(Pool { name, kind, window, stride, shape, block, cut_said, span }), is_known)
    }

    fn pooled(&mut self, window: [u32; 2], stride: [u32; 2], signal: &[u32], span: &Span) -> Option<Vec<u32>> {
        let [channels, height, width] = plane(signal);
        let mut shape = vec![channels];
        for (axis, size) in [height, width].into_iter().enumerate() {
            let (extent, along) = AXES[axis];
            if window[axis] > size {
                let message = format!("the window has the {extent} {}, and what it goes over has {size}", window[axis]);
                let error = Diagnostic::new(span.clone(), message);
                let error = error.note(format!("the source has the shape {}", sizes_in_words(signal)));
                self.report(error.help(format!("make the window smaller along {along}")));
                return None;
            }
            shape.push((size - window[axis]) / stride[axis] + 1);
        }
        Some(shape)
    }

    /// Output channels on one core.
    fn channel_block_of(&mut self, given: &Given, shape: Option<&[u32]>) -> u32 {
        let block = self.reader.integer_if_given(given, &CHANNEL_BLOCK);
        let Some(&[channels, height, width]) = shape else { return block.unwrap_or(1) };
        if let (Some(block), Some(value)) = (block, given.option(&CHANNEL_BLOCK))
            && block > channels
        {
            let message = format!("`block` must be from 1 to the layer's {channels} channels, not `{block}`");
            let note = "block: output channels that live on one core";
            self.report(Diagnostic::new(value.span.clone(), message).note(note));
        }
        block.unwrap_or_else(|| channel_block(channels, height * width))
    }
}
