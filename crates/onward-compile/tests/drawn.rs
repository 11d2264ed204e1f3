//! What is drawn is the same on every chip.

use onward_chip::Chip;
use onward_compile::{Options, lowered};
use onward_diagnostic::Source;

/// On a chip with few axons `wide` is added up in parts, a step later, so delays lie elsewhere in the graph.
const TEXT: &str = "network net {
    window = 8
    input x = events(1, 40, 40)
    layer small = max_pool(4) from x
    layer few = flatten from small
    layer all = flatten from x
    layer near = dense(20) from few
    layer wide = dense(20) from all
    layer both = add from near, wide
    layer y = dense(10) from both
    readout answer = spikes from y
}
";

#[test]
fn weights_do_not_depend_on_which_layers_are_added_up_in_parts() {
    let source = Source::new("net.sp", TEXT);
    let [few, many] = [1024, 4096].map(|axons| {
        let mut chip = Chip::builtin("middle").expect("it is built in");
        chip.memory.axons = axons;
        let made = lowered(None, &source, &Options::new(chip, 7));
        made.unwrap_or_else(|errors| panic!("{}", source.render(&errors)))
    });
    let delays = |made: &onward_compile::Compilation| {
        let network = made.read_network().expect("it was read");
        network.layers().map(|node| (network.layer(node).name.clone(), node.index())).collect::<Vec<_>>()
    };
    assert_ne!(delays(&few), delays(&many), "this text shows nothing");
    for (one, other) in few.layers().zip(many.layers()) {
        assert_eq!(one.1.parameters, other.1.parameters);
    }
}
