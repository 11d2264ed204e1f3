//! Convolutions and pools: kernels and windows that go over a plane.

use super::Checker;
use super::connections::sizes_in_words;
use super::layers::Connected;
use crate::layer::{CHANNEL_BLOCK, DILATION, GROUPS, KERNELS, PADDING, PADDING_END, POOL_STRIDE, ROWS, STRIDE};
use crate::network::{Convolution, LayerKind, Node, Pool, PoolKind, channel_block, plane};
use crate::reader::Given;
use crate::syntax::Span;
use onward_diagnostic::Diagnostic;

const AXES: [(&str, &str); 2] = [("height", "y"), ("width", "x")];

/// A window or kernel of which one size may be given alone.
fn window(sizes: &[u32], signal: &[u32]) -> [u32; 2] {
    match *sizes {
        [height, width] => [height, width],
        [width] if signal.len() == 1 => [1, width],
        _ => [sizes[0]; 2],
    }
}

impl Checker<'_> {
    /// A convolution of what has the shape `signal`; of a concatenation also `sources`, the shapes that it brings together.
    pub(super) fn convolution(
        &mut self,
        given: &Given,
        signal: Option<&[u32]>,
        sources: Option<&[Vec<u32>]>,
        span: &Span,
    ) -> Connected {
        let arguments = self.reader.integer_arguments(given);
        let channels = arguments.as_ref().map_or(1, |arguments| arguments[0]);
        let joined = given.option(&KERNELS);
        let over = if joined.is_some() { sources.map(|sources| sources[0].as_slice()) } else { signal };
        let mut convolution = self.kernel(given, channels, arguments.as_deref().map(|all| &all[1..]), over);
        let mut shape = match (over, arguments) {
            (Some(over), Some(_)) => self.convolved(&convolution, over, given, span),
            _ => None,
        };
        if let (Some(joined), Some(_)) = (joined, signal) {
            shape = self.joined(given, &mut convolution, shape, sources.unwrap_or_default(), &joined.span);
        }
        let shape = shape.filter(|shape| self.is_not_too_large(shape, span));
        let fan_in = match (joined, signal) {
            (None, Some(signal)) => convolution.fan_in([plane(signal)[0]]),
            _ => convolution.fan_in(sources.unwrap_or_default().iter().map(|shape| plane(shape)[0])),
        };
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
        Connected { kind: LayerKind::Convolution(convolution), shape, block, block_rows: rows, fan_in }
    }

    /// A kernel of so many output channels with the options of `given`, over what has the shape `over`.
    fn kernel(&mut self, given: &Given, channels: u32, sizes: Option<&[u32]>, over: Option<&[u32]>) -> Convolution {
        let reader = &mut self.reader;
        let (stride, _) = reader.pair(given, &STRIDE);
        let (dilation, _) = reader.pair(given, &DILATION);
        let padding = reader.pair(given, &PADDING);
        let padding_end = given.option(&PADDING_END).map_or(padding, |_| reader.pair(given, &PADDING_END));
        let groups = reader.integer(given, &GROUPS);
        let kernel = sizes.map_or([1; 2], |sizes| window(sizes, over.unwrap_or(&[])));
        // A single number shall be good for kernels in one dimension, too.
        let about = |(sizes, is_single): ([u32; 2], bool)| {
            [0, 1].map(|axis| if is_single && kernel[axis] == 1 { 0 } else { sizes[axis] })
        };
        let (padding, padding_end) = (about(padding), about(padding_end));
        Convolution { channels, kernel, stride, padding, padding_end, dilation, groups, joined: Vec::new() }
    }

    /// Adds the kernels over further sources; the shape that all make, if they make one.
    fn joined(
        &mut self,
        given: &Given,
        convolution: &mut Convolution,
        mut shape: Option<Vec<u32>>,
        sources: &[Vec<u32>],
        span: &Span,
    ) -> Option<Vec<u32>> {
        let all = self.reader.constructors(given, &KERNELS);
        if sources.len() != all.len() + 1 {
            let found =
                if sources.is_empty() { "is no `concat`".into() } else { format!("brings {} together", sources.len()) };
            let message = format!("`kernels` has {} for further sources, and the source {found}", all.len());
            let error = Diagnostic::new(span.clone(), message);
            self.report(error.help("write `from` a `concat`, and a `kernel` for each of its sources but the first"));
            return None;
        }
        for (given, over) in all.iter().zip(&sources[1..]) {
            let sizes = self.reader.integer_arguments(given);
            let kernel = self.kernel(given, convolution.channels, sizes.as_deref(), Some(over));
            let made = sizes.and_then(|_| self.convolved(&kernel, over, given, span));
            if let (Some(made), Some(first)) = (&made, &shape)
                && made != first
            {
                let [first, made] = [first, made].map(|shape| sizes_in_words(shape));
                let message = format!("a kernel makes {made} of its source, and the first makes {first}");
                let error = Diagnostic::new(span.clone(), message).note("their sums are added place by place");
                self.report(error.help("choose `stride` and `padding` so that they make the same"));
                shape = None;
            }
            shape = shape.filter(|_| made.is_some());
            convolution.joined.push(kernel);
        }
        shape
    }

    /// The shape of what a convolution makes of `signal`, if it can be.
    fn convolved(&mut self, convolution: &Convolution, signal: &[u32], given: &Given, span: &Span) -> Option<Vec<u32>> {
        let Convolution { channels, kernel, stride, padding, padding_end, dilation, groups, .. } = convolution;
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
