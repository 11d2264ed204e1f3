//! The words for layers: with neurons, or only a way that spikes take.

use crate::named::{Kind, Named, Parts, forms};
use crate::network::{Convolution, Layer, LayerKind, Pool, PoolKind, WindowShift};
use crate::neuron::Neuron;
use crate::rule;
use crate::vocabulary::Absent::{Described, Error, Means};
use crate::vocabulary::Takes::{Constructor, Constructors, Integer, Pair, Table};
use crate::vocabulary::{Family, Form, ItemKind, Parameter, form, parameter};
use crate::weights::Weights;
use std::fmt::{self, Display, Formatter};

/// Kind of a `layer` item, by the word for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LayerWord {
    Dense,
    Recurrent,
    Convolution,
    Sparse,
    Pool(PoolKind),
    Flatten,
    Add,
    Concat,
    Delay,
}

pub(crate) const WINDOW_SHIFT: Parameter = parameter(
    "window",
    Constructor(WindowShift::FAMILY),
    Means("moves"),
    "whether the window moves along, so that only all behind is later, or spikes are later in it",
);

impl Named for WindowShift {
    const FAMILY: &'static Family = &Family { noun: "shift of a window", item: None, forms: forms::<WindowShift> };

    const KINDS: &'static [Kind<WindowShift>] = &[
        Kind::value(WindowShift::Moves, form("moves", &[], &[], "it comes as much later as the spikes")),
        Kind::value(
            WindowShift::Stays,
            form("stays", &[], &[], "spikes are later in it, and those that would be behind its end are lost"),
        ),
    ];
}

/// `moves` or `stays`.
impl Display for WindowShift {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        formatter.write_str(&self.text())
    }
}

/// Sizes of a layer that is connected neuron by neuron.
const NEURONS: &[Parameter] = &[
    parameter("neurons", Integer(1, 1 << 20), Error, "number of neurons"),
    parameter("size", Integer(1, 1 << 20), Described("one dimension"), "size of the second dimension"),
    parameter("size", Integer(1, 1 << 20), Described("two dimensions"), "size of the third dimension"),
];

pub(crate) const BLOCK: Parameter = parameter(
    "block",
    Integer(1, 1 << 20),
    Described("of a layer that learns all neurons, but at most 128; else the compiler chooses"),
    "neurons that live on one core and share a loss, at most the layer's",
);

pub(crate) const CHANNEL_BLOCK: Parameter = parameter(
    "block",
    Integer(1, 1 << 20),
    Described("of a layer that learns as many as make at most 4,096 neurons; else the compiler chooses"),
    "output channels that live on one core, at most the layer's",
);

pub(crate) const LAYER_NEURONS: Parameter =
    parameter("neurons", Constructor(Neuron::FAMILY), Described("the network's"), "of this layer");

pub(crate) const LAYER_WEIGHTS: Parameter =
    parameter("weights", Constructor(Weights::FAMILY), Described("the network's"), "of this layer");

pub(crate) const LAYER_LEARNING: Parameter =
    parameter("learning", Constructor(rule::FAMILY), Described("the network's"), "of this layer");

/// The options of all layers with neurons.
const COMMON: &[Parameter] = &[LAYER_NEURONS, LAYER_WEIGHTS, LAYER_LEARNING];

/// Recurrent weights of a layer that is recurrent by its kind.
pub(crate) const OWN_WEIGHTS: Parameter = parameter(
    "recurrent_weights",
    Constructor(Weights::FAMILY),
    Means("fixed"),
    "from every neuron of the layer to every neuron of it, a step later",
);

/// Recurrent weights of a layer that may be recurrent.
pub(crate) const RECURRENT_WEIGHTS: Parameter = parameter(
    "recurrent_weights",
    Constructor(Weights::FAMILY),
    Described("not recurrent"),
    "from every neuron of the layer to every neuron of it, a step later",
);

pub(crate) const CONNECTIONS: Parameter =
    parameter("connections", Table, Error, "a row for each: from which axon, to which neuron, the weight");

pub(crate) const STRIDE: Parameter = parameter("stride", Pair(1, 64), Means("1"), "places from one window to the next");

pub(crate) const PADDING: Parameter = parameter(
    "padding",
    Pair(0, 63),
    Means("0"),
    "rows and columns of zeros about the plane; a single number does not count along which the kernel is 1",
);

pub(crate) const PADDING_END: Parameter = parameter(
    "padding_end",
    Pair(0, 63),
    Described("as `padding`"),
    "the same, but behind the last row and column only",
);

pub(crate) const DILATION: Parameter = parameter("dilation", Pair(1, 64), Means("1"), "distance of the kernel's taps");

pub(crate) const GROUPS: Parameter =
    parameter("groups", Integer(1, 65_536), Means("1"), "parts of the channels that know nothing of each other");

pub(crate) const ROWS: Parameter = parameter(
    "rows",
    Integer(1, 65_536),
    Described("of a layer that learns all; else the compiler chooses"),
    "rows of the output that live on one core",
);

const CHANNELS: Parameter = parameter("channels", Integer(1, 65_536), Error, "number of output channels");
const KERNEL_HEIGHT: Parameter = parameter("size", Integer(1, 64), Error, "height of the kernel");
const KERNEL_WIDTH: Parameter = parameter(
    "size",
    Integer(1, 64),
    Described("the same; the width if the source has one dimension"),
    "width of the kernel",
);
const KERNEL: &[Parameter] = &[CHANNELS, KERNEL_HEIGHT, KERNEL_WIDTH];
/// How a kernel lies over what it goes over.
const GEOMETRY: &[Parameter] = &[STRIDE, PADDING, PADDING_END, DILATION, GROUPS];

/// The word for a kernel over a further source.
pub(crate) const JOINED: &Family = &Family {
    noun: "kernel over a further source",
    item: None,
    forms: || vec![const { &form("kernel", &[KERNEL_HEIGHT, KERNEL_WIDTH], &[GEOMETRY], JOINED_MEANING) }],
};
const JOINED_MEANING: &str =
    "a kernel over the next source of a `concat`, that makes as many channels, rows and columns";

pub(crate) const KERNELS: Parameter = parameter(
    "kernels",
    Constructors(JOINED),
    Described("one kernel over all of the source"),
    "over the second source of a `concat` and those after it, one for each; their sums are added",
);

const WINDOW: &[Parameter] = &[
    parameter("size", Integer(1, 64), Error, "height of the window"),
    parameter("size", Integer(1, 64), Described("the same; the width if the source has one dimension"), "its width"),
];

pub(crate) const POOL_STRIDE: Parameter =
    parameter("stride", Pair(1, 64), Described("the window's size"), "places from one window to the next");

impl Named for LayerWord {
    const FAMILY: &'static Family =
        &Family { noun: "kind of layer", item: Some(ItemKind::Layer), forms: forms::<LayerWord> };

    const KINDS: &'static [Kind<LayerWord>] = &[
        Kind::value(
            LayerWord::Dense,
            form(
                "dense",
                NEURONS,
                &[&[BLOCK], COMMON],
                "a layer with a weight from every axon of its sources to every neuron",
            ),
        ),
        Kind::value(
            LayerWord::Recurrent,
            form(
                "recurrent",
                NEURONS,
                &[&[OWN_WEIGHTS, BLOCK], COMMON],
                "a dense layer whose spikes also come back to it",
            ),
        ),
        Kind::value(
            LayerWord::Convolution,
            form(
                "conv",
                KERNEL,
                &[GEOMETRY, &[KERNELS, CHANNEL_BLOCK, ROWS, RECURRENT_WEIGHTS], COMMON],
                "a convolution: kernels that all places of the plane share",
            ),
        ),
        Kind::value(
            LayerWord::Sparse,
            form(
                "sparse",
                NEURONS,
                &[&[CONNECTIONS, RECURRENT_WEIGHTS, BLOCK], COMMON],
                "a layer in which only some pairs of axon and neuron have a weight",
            ),
        ),
        Kind::value(
            LayerWord::Pool(PoolKind::Sum),
            form(
                "sum_pool",
                WINDOW,
                &[&[POOL_STRIDE]],
                "the spikes of each window of a channel, as if they came from one place; costs nothing",
            ),
        ),
        Kind::value(
            LayerWord::Pool(PoolKind::Average),
            form(
                "average_pool",
                WINDOW,
                &[&[POOL_STRIDE]],
                "the same, and weights behind it are divided by the size of the window; costs nothing",
            ),
        ),
        Kind::value(
            LayerWord::Pool(PoolKind::Maximum),
            form(
                "max_pool",
                WINDOW,
                &[&[POOL_STRIDE, CHANNEL_BLOCK]],
                "a spike where a window of a channel has any, a step later",
            ),
        ),
        Kind::value(LayerWord::Flatten, form("flatten", &[], &[], "the same spikes in one dimension; costs nothing")),
        Kind::value(
            LayerWord::Add,
            form(
                "add",
                &[],
                &[],
                "the spikes of several sources of one shape, as if they came from one; costs nothing",
            ),
        ),
        Kind::value(
            LayerWord::Concat,
            form(
                "concat",
                &[],
                &[],
                "the spikes of several sources side by side, as channels where their planes are of one size; costs nothing",
            ),
        ),
        Kind::value(
            LayerWord::Delay,
            form(
                "delay",
                &[parameter("steps", Integer(1, 256), Error, "number of steps")],
                &[&[WINDOW_SHIFT]],
                "the same spikes, later",
            ),
        ),
    ];
}

impl Layer {
    /// The word with its arguments and options, but those that all layers with neurons have.
    pub(crate) fn written(&self) -> (&'static Form, Parts) {
        let word = match (&self.kind, &self.recurrent) {
            (LayerKind::Dense, None) => LayerWord::Dense,
            (LayerKind::Dense, Some(_)) => LayerWord::Recurrent,
            (LayerKind::Convolution(_), _) => LayerWord::Convolution,
            (LayerKind::Sparse(_), _) => LayerWord::Sparse,
        };
        let (form, parts) = word.written();
        let parts = match &self.kind {
            LayerKind::Dense => parts.sizes(&self.shape),
            LayerKind::Convolution(convolution) => convolution.write(parts),
            LayerKind::Sparse(sparse) => parts.sizes(&self.shape).option(&CONNECTIONS, &sparse.connections),
        };
        let parts = parts.option_if(&RECURRENT_WEIGHTS, self.recurrent.as_ref());
        (form, parts.option_if(&BLOCK, self.cut_said.then_some(self.block)).option_if(&ROWS, self.block_rows))
    }
}

impl Convolution {
    fn write(&self, parts: Parts) -> Parts {
        let parts = self.geometry(parts.argument(self.channels));
        let kernel = (JOINED.forms)()[0];
        let joined: Vec<String> =
            self.joined.iter().map(|joined| joined.geometry(Parts::default()).text(kernel)).collect();
        let joined = (!joined.is_empty()).then(|| format!("({})", joined.join(", ")));
        parts.option_if(&KERNELS, joined)
    }

    /// Its sizes, and how it lies over what it goes over.
    fn geometry(&self, parts: Parts) -> Parts {
        let parts = parts.sizes(&self.kernel);
        let parts = parts.option(&STRIDE, pair(&self.stride)).option(&PADDING, pair(&self.padding));
        let parts = parts.option(&PADDING_END, pair(&self.padding_end)).option(&DILATION, pair(&self.dilation));
        parts.option(&GROUPS, self.groups)
    }
}

impl Pool {
    /// The word with its arguments and options.
    pub(crate) fn written(&self) -> (&'static Form, Parts) {
        let (form, parts) = LayerWord::Pool(self.kind).written();
        let parts = parts.sizes(&self.window).option(&POOL_STRIDE, pair(&self.stride));
        let block = (self.kind == PoolKind::Maximum && self.cut_said).then_some(self.block);
        (form, parts.option_if(&CHANNEL_BLOCK, block))
    }
}

/// `(y, x)`.
fn pair([y, x]: &[u32; 2]) -> String {
    format!("({y}, {x})")
}
