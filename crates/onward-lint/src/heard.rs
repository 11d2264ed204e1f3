//! Spikes that reach nobody.

use crate::Subject;
use onward_diagnostic::Diagnostic;
use onward_net::{Delay, Initial, Node, WindowShift};

pub(crate) fn by_nobody(subject: &Subject, code: u8) -> Vec<Diagnostic> {
    let network = subject.network;
    let mut warnings = Vec::new();
    for node in network.graph.node_indices() {
        if let Node::Delay(Delay { name, steps, window: WindowShift::Stays, span, .. }) = &network.graph[node]
            && *steps >= network.window_steps
        {
            warnings.push(
                Diagnostic::warning(code, span.clone(), format!("nothing passes the delay `{name}`"))
                    .label(format!("{steps} steps, in windows of {}", network.window_steps))
                    .note("what would come behind the end of a window is lost")
                    .help("a shorter delay, or a longer window"),
            );
        }
    }
    for &(node, parameters) in &subject.layers {
        let layer = network.layer(node);
        let hears = parameters.weights.iter().flatten().any(|&weight| weight != 0);
        // What rounded to 0 is another warning.
        let is_drawn = matches!(layer.weights.initial, Initial::Drawn { gain, .. } if gain > 0.0);
        if hears || subject.is_shown_targets || parameters.rounding.vanished > 0 || is_drawn {
            continue;
        }
        let source = network.graph[network.signal(node)].name();
        warnings.push(
            Diagnostic::warning(code, layer.span.clone(), format!("`{}` hears nothing of `{source}`", layer.name))
                .label("all weights are 0")
                .note("what comes in moves no neuron")
                .help("give it weights, or leave it out"),
        );
    }
    warnings
}
