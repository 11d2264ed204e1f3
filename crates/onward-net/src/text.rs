//! Networks as canonical text: every value is written out, and parsing it gives the same network.

use crate::augment::Augmentation;
use crate::layer::{LAYER_LEARNING, LAYER_NEURONS, LAYER_WEIGHTS, LayerWord, WINDOW_SHIFT};
use crate::named::{Named, Parts};
use crate::network::{Layer, Network, Node, WindowShift};
use crate::settings;
use crate::values::quoted;
use crate::vocabulary::{Form, ItemKind};
use crate::weights::Initial;
use std::fmt::{self, Display, Formatter};

/// Canonical text in the `.sp` language; parsing it gives the same network with other spans.
impl Display for Network {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        writeln!(formatter, "network {} {{", self.name)?;
        let common = Common::of_first_layer(self);
        let settings = Parts::default()
            .option_if(&settings::DATA, self.data.as_deref().map(quoted))
            .option_if(&settings::AUGMENT, augment(&self.augment))
            .option(&settings::EPOCHS, self.epochs)
            .option(&settings::WINDOW, self.window_steps)
            .option_if(&settings::NEURONS, common.neurons.as_ref())
            .option_if(&settings::WEIGHTS, common.weights.as_ref())
            .option_if(&settings::LEARNING, common.learning.as_ref());
        for setting in settings.options() {
            writeln!(formatter, "    {setting}")?;
        }
        writeln!(formatter)?;
        for index in self.graph.node_indices() {
            let node = &self.graph[index];
            let (form, parts) = node.written();
            write!(formatter, "    {} {} = {}", node.item().word(), node.name(), parts.head(form))?;
            let sources: Vec<_> = self.sources(index).iter().map(|&source| self.graph[source].name()).collect();
            if !sources.is_empty() {
                write!(formatter, " from {}", sources.join(", "))?;
            }
            let parts = if let Node::Layer(layer) = node { parts.and(common.what_differs(layer)) } else { parts };
            writeln!(formatter, "{}", parts.braces())?;
        }
        writeln!(formatter, "}}")
    }
}

/// What is done to pictures; nothing if nothing is.
fn augment(augment: &[Augmentation]) -> Option<String> {
    let words: Vec<String> = augment.iter().map(Named::text).collect();
    match &words[..] {
        [] => None,
        [word] => Some(word.clone()),
        _ => Some(format!("({})", words.join(", "))),
    }
}

/// The first layer's values become the network's, as text; layers that differ say so.
#[derive(Default)]
struct Common {
    neurons: Option<String>,
    weights: Option<String>,
    learning: Option<String>,
}

impl Common {
    fn of_first_layer(network: &Network) -> Common {
        let Some(first) = network.layers().next().map(|index| network.layer(index)) else { return Common::default() };
        // What is given number by number belongs to one layer.
        let share_weights = matches!(first.weights.initial, Initial::Drawn { .. });
        Common {
            neurons: first.neuron.is_uniform().then(|| first.neuron.to_string()),
            weights: share_weights.then(|| first.weights.to_string()),
            learning: Some(first.learning.to_string()),
        }
    }

    /// The options that tell a layer from the first.
    fn what_differs(&self, layer: &Layer) -> Parts {
        let unless = |common: &Option<String>, value: String| (common.as_ref() != Some(&value)).then_some(value);
        Parts::default()
            .option_if(&LAYER_NEURONS, unless(&self.neurons, layer.neuron.to_string()))
            .option_if(&LAYER_WEIGHTS, unless(&self.weights, layer.weights.to_string()))
            .option_if(&LAYER_LEARNING, unless(&self.learning, layer.learning.to_string()))
    }
}

impl Node {
    /// The kind of item that declares it.
    pub(crate) fn item(&self) -> ItemKind {
        match self {
            Node::Input(_) => ItemKind::Input,
            Node::Target(_) => ItemKind::Target,
            Node::Layer(_) | Node::Pool(_) | Node::Flatten(_) | Node::Add(_) | Node::Concat(_) | Node::Delay(_) => {
                ItemKind::Layer
            }
            Node::Readout(_) => ItemKind::Readout,
        }
    }

    /// The word for it with its arguments and options; of a layer without those that layers share.
    fn written(&self) -> (&'static Form, Parts) {
        match self {
            Node::Input(input) => input.written(),
            Node::Target(target) => target.written(),
            Node::Layer(layer) => layer.written(),
            Node::Pool(pool) => pool.written(),
            Node::Flatten(_) => LayerWord::Flatten.written(),
            Node::Add(_) => LayerWord::Add.written(),
            Node::Concat(_) => LayerWord::Concat.written(),
            Node::Delay(delay) => {
                let (form, parts) = LayerWord::Delay.written();
                let stays = (delay.window == WindowShift::Stays).then_some(delay.window);
                (form, parts.argument(delay.steps).option_if(&WINDOW_SHIFT, stays))
            }
            Node::Readout(readout) => readout.kind.written(),
        }
    }
}

/// The constructor with its arguments, as in `dense(128)`.
impl Display for Node {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        let (form, parts) = self.written();
        formatter.write_str(&parts.head(form))
    }
}
