//! The table itself.

use super::{
    Absent, Constructor, Decimal, Described, Error, Family, Form, Integer, Integers, Means, Numbers, OneOf, Pair,
    Parameter, Table, Takes, Text, parameter,
};

/// Sizes of a sample or a layer, outermost first.
const SIZES: &[Parameter] = &[
    parameter("size", Integer(1, 65_536), Error, "size of the first dimension"),
    parameter("size", Integer(1, 65_536), Described("one dimension"), "size of the second dimension"),
    parameter("size", Integer(1, 65_536), Described("two dimensions"), "size of the third dimension"),
];

/// Sizes of a layer that is connected neuron by neuron.
const NEURONS: &[Parameter] = &[
    parameter("neurons", Integer(1, 1 << 20), Error, "number of neurons"),
    parameter("size", Integer(1, 1 << 20), Described("one dimension"), "size of the second dimension"),
    parameter("size", Integer(1, 1 << 20), Described("two dimensions"), "size of the third dimension"),
];

const BLOCK: Parameter = parameter(
    "block",
    Integer(1, 1 << 20),
    Described("all neurons, but at most 128"),
    "neurons that live on one core and share a loss, at most the layer's",
);

const CHANNEL_BLOCK: Parameter = parameter(
    "block",
    Integer(1, 1 << 20),
    Described("as many as make at most 4,096 neurons"),
    "output channels that live on one core, at most the layer's",
);

const LAYER_NEURONS: Parameter =
    parameter("neurons", Constructor(Family::Neurons), Described("the network's"), "of this layer");

const LAYER_WEIGHTS: Parameter =
    parameter("weights", Constructor(Family::Weights), Described("the network's"), "of this layer");

const LAYER_LEARNING: Parameter =
    parameter("learning", Constructor(Family::Learning), Described("the network's"), "of this layer");

const RECURRENT_WEIGHTS: Parameter = parameter(
    "recurrent_weights",
    Constructor(Family::Weights),
    Described("not recurrent"),
    "from every neuron of the layer to every neuron of it, a step later",
);

const STRIDE: Parameter = parameter("stride", Pair(1, 64), Means("1"), "places from one window to the next");

const WINDOW: &[Parameter] = &[
    parameter("size", Integer(1, 64), Error, "height of the window"),
    parameter("size", Integer(1, 64), Described("the same; the width if the source has one dimension"), "its width"),
];

const POOL_STRIDE: Parameter =
    parameter("stride", Pair(1, 64), Described("the window's size"), "places from one window to the next");

const THRESHOLD: Parameter =
    parameter("threshold", Numbers(0.001, 1000.0), Means("1.0"), "membrane potential at which a neuron fires");

const RESET: Parameter =
    parameter("reset", Constructor(Family::Reset), Means("subtract"), "what firing does to the membrane");

const REFRACTORY: Parameter =
    parameter("refractory", Integer(0, 255), Means("0"), "steps after a spike in which the membrane does not change");

const BIAS: Parameter =
    parameter("bias", Numbers(-1000.0, 1000.0), Means("0.0"), "what is added to the membrane in each step");

const LEAK: &str = "what is left of the membrane from step to step";

const MARGIN: Parameter =
    parameter("margin", Decimal(0.0, 100.0), Means("0.3"), "in units of sqrt(block) full-rate spikes");

const TEMPERATURE: Parameter =
    parameter("temperature", Decimal(0.001, 100.0), Means("0.1"), "in units of sqrt(block) full-rate spikes");

const RATE: Parameter = parameter("rate", Integer(0, 20), Means("9"), "the learning rate is 2^-rate");

const ANNEAL: Parameter =
    parameter("anneal", Integer(0, 16), Means("2"), "how many times the rate is halved, evenly over the run");

const SHIFTS: Parameter = parameter(
    "shifts",
    Integers(1, 100_000, 16),
    Described("`anneal` says it"),
    "the epochs, counted from 1, at whose beginning the rate is halved",
);

const GATE: Parameter =
    parameter("gate", Constructor(Family::Gate), Means("surrogate"), "where the learning signal attaches to a neuron");

const OPTIMIZER: Parameter =
    parameter("optimizer", Constructor(Family::Optimizer), Means("plain"), "what becomes of a change");

const WEIGHT_DECAY: Parameter = parameter(
    "weight_decay",
    Integer(1, 24),
    Described("none"),
    "a weight that changes first loses its 2^-weight_decay-th part",
);

const REVIVE: Parameter = parameter(
    "revive",
    Constructor(Family::Revival),
    Means("homeostasis"),
    "what becomes of neurons that hardly ever fire, or nearly always",
);

const EVERY: Parameter = parameter(
    "every",
    Integer(1, 256),
    Described("once, at the end of the target's window"),
    "weights change at every so many steps of the input's window, a power of two",
);

const MEMORY: Parameter =
    parameter("memory", Integer(1, 6), Means("3"), "with `every`: an axon's trace loses its 2^-memory-th part a step");

const UPDATE: Parameter = parameter(
    "update",
    Constructor(Family::Update),
    Means("at_once"),
    "when the weights change by what a target window has shown",
);

const ROUNDING: Parameter = parameter(
    "rounding",
    Constructor(Family::Rounding),
    Means("stochastic"),
    "what becomes of the part of a change that is smaller than a weight's last bit",
);

const BATCH: Parameter = parameter(
    "batch",
    Integer(1, 32),
    Means("1"),
    "a block adds the changes of so many samples that it learns from before they are rounded",
);

/// Weights and what else is given in a file: finite, and well within what a scale can be chosen for.
const WEIGHT: Takes = Numbers(-1e6, 1e6);

const fn form(
    family: Family,
    name: &'static str,
    arguments: &'static [Parameter],
    options: &'static [Parameter],
    meaning: &'static str,
) -> Form {
    Form { family, name, arguments, options, meaning }
}

const fn of_all_layers(name: &'static str, family: Family, absent: Absent) -> Parameter {
    parameter(name, Constructor(family), absent, "of all layers that do not say otherwise")
}

/// All constructors; the first is the network itself, whose options are its settings.
pub(crate) const FORMS: &[Form] = &[
    form(
        Family::Network,
        "network",
        &[],
        &[
            parameter("data", Text, Described("--data says it"), "a built-in name or a path"),
            parameter("epochs", Integer(1, 100_000), Means("10"), "how often the training data is shown"),
            parameter(
                "window",
                Integer(1, 65_536),
                Means("8"),
                "time steps an input, or its target, is shown; where a layer learns, a power of two up to 256",
            ),
            of_all_layers("neurons", Family::Neurons, Means("integrate_and_fire")),
            of_all_layers("weights", Family::Weights, Means("fixed")),
            of_all_layers("learning", Family::Learning, Described("each layer says it; without a target, `none`")),
        ],
        "a network and its settings",
    ),
    form(Family::Input, "rate", SIZES, &[], "evenly spread spikes, as many as the value is large"),
    form(Family::Input, "poisson", SIZES, &[], "in each step a spike with the probability that is the value"),
    form(Family::Input, "latency", SIZES, &[], "one spike in the window, the earlier the greater the value"),
    form(
        Family::Input,
        "current",
        SIZES,
        &[],
        "no spikes but the value itself in each step, which weights are multiplied by",
    ),
    form(
        Family::Input,
        "delta",
        SIZES,
        &[parameter(
            "change",
            Decimal(0.001, 1.0),
            Means("0.1"),
            "by how much a value, 0 to 1, must have changed since the last spike",
        )],
        "a spike where a value of a sequence has risen, in the first half of the first dimension, or fallen, in the second",
    ),
    form(
        Family::Input,
        "sequence",
        SIZES,
        &[parameter(
            "change",
            Decimal(0.001, 1.0),
            Means("0.1"),
            "by how much a value, 0 to 1, must have changed since the last spike of its rise or fall",
        )],
        "of a sequence spikes as many as its values are large, in the first third of the first dimension, and where they rise, \
         in the second, or fall, in the third",
    ),
    form(Family::Input, "events", SIZES, &[], "recorded spikes, as event cameras make them"),
    form(
        Family::Target,
        "classes",
        &[parameter("number", Integer(2, 1024), Error, "number of classes")],
        &[],
        "one of several classes",
    ),
    form(
        Family::Target,
        "vector",
        &[parameter("values", Integer(1, 4096), Error, "number of values")],
        &[],
        "values from 0 to 1 to be learned by a readout that is `trained` with the squared error, `from LAYER, TARGET`",
    ),
    form(
        Family::Layer,
        "dense",
        NEURONS,
        &[BLOCK, LAYER_NEURONS, LAYER_WEIGHTS, LAYER_LEARNING],
        "a layer with a weight from every axon of its sources to every neuron",
    ),
    form(
        Family::Layer,
        "recurrent",
        NEURONS,
        &[
            parameter(
                "recurrent_weights",
                Constructor(Family::Weights),
                Means("fixed"),
                "from every neuron of the layer to every neuron of it, a step later",
            ),
            BLOCK,
            LAYER_NEURONS,
            LAYER_WEIGHTS,
            LAYER_LEARNING,
        ],
        "a dense layer whose spikes also come back to it",
    ),
    form(
        Family::Layer,
        "conv",
        &[
            parameter("channels", Integer(1, 65_536), Error, "number of output channels"),
            parameter("size", Integer(1, 64), Error, "height of the kernel"),
            parameter(
                "size",
                Integer(1, 64),
                Described("the same; the width if the source has one dimension"),
                "width of the kernel",
            ),
        ],
        &[
            STRIDE,
            parameter(
                "padding",
                Pair(0, 63),
                Means("0"),
                "rows and columns of zeros about the plane; a single number does not count along which the kernel is 1",
            ),
            parameter(
                "padding_end",
                Pair(0, 63),
                Described("as `padding`"),
                "the same, but behind the last row and column only",
            ),
            parameter("dilation", Pair(1, 64), Means("1"), "distance of the kernel's taps"),
            parameter(
                "groups",
                Integer(1, 65_536),
                Means("1"),
                "parts of the channels that know nothing of each other",
            ),
            CHANNEL_BLOCK,
            parameter("rows", Integer(1, 65_536), Described("all"), "rows of the output that live on one core"),
            RECURRENT_WEIGHTS,
            LAYER_NEURONS,
            LAYER_WEIGHTS,
            LAYER_LEARNING,
        ],
        "a convolution: kernels that all places of the plane share",
    ),
    form(
        Family::Layer,
        "sparse",
        NEURONS,
        &[
            parameter("connections", Table, Error, "a row for each: from which axon, to which neuron, the weight"),
            RECURRENT_WEIGHTS,
            BLOCK,
            LAYER_NEURONS,
            LAYER_WEIGHTS,
            LAYER_LEARNING,
        ],
        "a layer in which only some pairs of axon and neuron have a weight",
    ),
    form(
        Family::Layer,
        "sum_pool",
        WINDOW,
        &[POOL_STRIDE],
        "the spikes of each window of a channel, as if they came from one place; costs nothing",
    ),
    form(
        Family::Layer,
        "average_pool",
        WINDOW,
        &[POOL_STRIDE],
        "the same, and weights behind it are divided by the size of the window; costs nothing",
    ),
    form(
        Family::Layer,
        "max_pool",
        WINDOW,
        &[POOL_STRIDE, CHANNEL_BLOCK],
        "a spike where a window of a channel has any, a step later",
    ),
    form(Family::Layer, "flatten", &[], &[], "the same spikes in one dimension; costs nothing"),
    form(
        Family::Layer,
        "add",
        &[],
        &[],
        "the spikes of several sources of one shape, as if they came from one; costs nothing",
    ),
    form(
        Family::Layer,
        "delay",
        &[parameter("steps", Integer(1, 256), Error, "number of steps")],
        &[],
        "the same spikes, later",
    ),
    form(
        Family::Readout,
        "nearest_target",
        &[],
        &[],
        "the class whose target evokes spikes most like those of the layer",
    ),
    form(Family::Readout, "most_spikes", &[], &[], "the neuron that fired most in the window, the first of several"),
    form(Family::Readout, "spikes", &[], &[], "the spikes of the layer themselves, step by step"),
    form(
        Family::Readout,
        "trained",
        &[],
        &[
            parameter("loss", Constructor(Family::ReadoutLoss), Means("hinge"), "what its changes make smaller"),
            parameter("rate", Integer(0, 20), Means("8"), "the learning rate is 2^-rate"),
            parameter("anneal", Integer(0, 16), Means("2"), "how many times the rate is halved, evenly over the run"),
            parameter("bits", OneOf(&[4, 8, 16]), Means("16"), "bits of a weight"),
        ],
        "the class that weights from the layer's neurons, which learn by a rule of their own, speak for most",
    ),
    form(
        Family::Readout,
        "target_tree",
        &[],
        &[
            parameter("rate", Integer(0, 20), Means("7"), "an inner node's vector changes by 2^-rate"),
            parameter(
                "margin",
                Decimal(0.0, 100.0),
                Means("1.0"),
                "what is less sure of one side than this is compared with both",
            ),
            parameter("anneal", Integer(0, 16), Means("2"), "how many times the rate is halved, evenly over the run"),
            parameter(
                "parts",
                Integer(1, 16),
                Means("2"),
                "a comparison is made part by part, as far as the side is not sure",
            ),
        ],
        "the class whose target is most like the layer's spikes, found without comparing with all: down a binary tree",
    ),
    form(
        Family::ReadoutLoss,
        "hinge",
        &[],
        &[parameter("margin", Decimal(0.0, 100.0), Means("1.0"), "in outputs of 1.0")],
        "the own class's output shall exceed that of the strongest other by a margin",
    ),
    form(
        Family::ReadoutLoss,
        "squared_error",
        &[],
        &[],
        "the output of the own class shall be 1.0, that of all others 0.0",
    ),
    form(
        Family::Neurons,
        "integrate_and_fire",
        &[],
        &[THRESHOLD, RESET, REFRACTORY, BIAS],
        "neurons that sum weights and fire at a threshold",
    ),
    form(
        Family::Neurons,
        "leaky",
        &[],
        &[parameter("leak", Constructor(Family::Decay), Means("shift(4)"), LEAK), THRESHOLD, RESET, REFRACTORY, BIAS],
        "the same, and the membrane decays",
    ),
    form(
        Family::Neurons,
        "current_based",
        &[],
        &[
            parameter(
                "current",
                Constructor(Family::Decay),
                Means("shift(2)"),
                "what is left of the synaptic current from step to step",
            ),
            parameter("leak", Constructor(Family::Decay), Means("shift(4)"), LEAK),
            THRESHOLD,
            RESET,
            REFRACTORY,
            BIAS,
        ],
        "the same, and weights add to a current that decays, which adds to the membrane",
    ),
    form(
        Family::Weights,
        "fixed",
        &[],
        &[
            parameter("bits", OneOf(&[4, 8, 16]), Means("16"), "bits of a weight"),
            parameter(
                "gain",
                Decimal(0.001, 1000.0),
                Means("1.0"),
                "weights are drawn about normal with standard deviation gain * sqrt(2 / inputs)",
            ),
            parameter(
                "fraction",
                Integer(0, 15),
                Described("chosen by width and deviation"),
                "bits of a drawn weight below the binary point; there may be more than it has bits",
            ),
            parameter(
                "values",
                WEIGHT,
                Described("they are drawn"),
                "the weights: of dense layers `[neuron][axon]`, of convolutions `[channel][channel of the group][y][x]`, \
                 of recurrences `[from][to]`",
            ),
        ],
        "fixed-point weights",
    ),
    form(
        Family::Learning,
        "hinge",
        &[],
        &[MARGIN, RATE, ANNEAL, SHIFTS, GATE, OPTIMIZER, WEIGHT_DECAY, EVERY, MEMORY, REVIVE, UPDATE, ROUNDING, BATCH],
        "the score of the own class shall exceed that of its rival by a margin",
    ),
    form(
        Family::Learning,
        "softmax",
        &[],
        &[
            TEMPERATURE,
            RATE,
            ANNEAL,
            SHIFTS,
            GATE,
            OPTIMIZER,
            WEIGHT_DECAY,
            EVERY,
            MEMORY,
            REVIVE,
            UPDATE,
            ROUNDING,
            BATCH,
        ],
        "the cross-entropy of the softmax of all classes' scores shall be small",
    ),
    form(
        Family::Learning,
        "squared_error",
        &[],
        &[MARGIN, RATE, ANNEAL, SHIFTS, GATE, OPTIMIZER, WEIGHT_DECAY, EVERY, MEMORY, REVIVE, UPDATE, ROUNDING, BATCH],
        "what the input evokes shall be nearer to what the own target evokes than to what its rival does, by a margin",
    ),
    form(
        Family::Learning,
        "hebbian",
        &[],
        &[RATE, ANNEAL, SHIFTS, GATE, OPTIMIZER, WEIGHT_DECAY, EVERY, MEMORY, REVIVE, UPDATE, ROUNDING, BATCH],
        "weights grow where axon and neuron are active together under the target, within local bounds",
    ),
    form(Family::Learning, "none", &[], &[], "weights stay as they are drawn or given"),
    form(Family::Reset, "subtract", &[], &[], "the threshold is subtracted, what was above it stays"),
    form(Family::Reset, "zero", &[], &[], "the membrane is 0 after it"),
    form(
        Family::Reset,
        "to",
        &[parameter("value", Numbers(-1000.0, 1000.0), Error, "the membrane after it")],
        &[],
        "the membrane is set to a value",
    ),
    form(Family::Decay, "none", &[], &[], "all of it is left"),
    form(
        Family::Decay,
        "shift",
        &[parameter("bits", Integer(1, 15), Error, "number of bits")],
        &[],
        "it loses its 2^-BITS-th part",
    ),
    form(
        Family::Decay,
        "spread",
        &[
            parameter("least", Decimal(0.0, 0.9999), Error, "part that is left in the first neuron of a block"),
            parameter("most", Decimal(0.0, 0.9999), Error, "part that is left in the last"),
        ],
        &[],
        "a part that differs from neuron to neuron of a block, with time constants evenly spread on a logarithmic scale",
    ),
    form(
        Family::Decay,
        "factor",
        &[parameter("part", Numbers(0.0, 1.0), Error, "what is left, in 16 fraction bits")],
        &[],
        "this part of it is left",
    ),
    form(Family::Gate, "surrogate", &[], &[], "at the count, where the voltage is near the threshold"),
    form(Family::Gate, "voltage", &[], &[], "at the voltage, which takes the place of the count in scores"),
    form(Family::Gate, "none", &[], &[], "at the count, wherever the voltage is"),
    form(Family::Optimizer, "plain", &[], &[], "it is added"),
    form(
        Family::Optimizer,
        "momentum",
        &[],
        &[parameter("decay", Integer(1, 8), Means("3"), "the sum loses its 2^-decay-th part with each change")],
        "a running sum of changes is added",
    ),
    form(
        Family::Optimizer,
        "adaptive",
        &[],
        &[parameter("decay", Integer(1, 15), Means("9"), "the mean moves by the 2^-decay-th part of what is new")],
        "it is divided by the root of a running mean of the squared pull on its neuron",
    ),
    form(Family::Revival, "homeostasis", &[], &[], "their biases are nudged back"),
    form(Family::Revival, "none", &[], &[], "nothing"),
    form(Family::Update, "at_once", &[], &[], "all in its last step"),
    form(Family::Update, "spread", &[], &[], "a part of the rows in each step of the next window"),
    form(Family::Rounding, "stochastic", &[], &[], "it is a whole bit with the probability of its size"),
    form(
        Family::Rounding,
        "carried",
        &[],
        &[],
        "the neuron carries it on to its next weight: one remainder a neuron, for all its weights in turn",
    ),
    form(
        Family::File,
        "file",
        &[
            parameter("path", Text, Error, "a `.npy` or `.npz` file, seen from the folder of the text"),
            parameter("member", Text, Described("the file is a `.npy`"), "name of the array in the `.npz`"),
        ],
        &[],
        "numbers that NumPy wrote, of any real type",
    ),
];
