//! Blocks that add up a part of what comes into a layer, and send the sums on.

use super::relay::{head, pass_tag_on};
use crate::connect::{Connection, Role, Sums};
use crate::layout::Layout;
use crate::lowering::code::{Arrays, clear, in_strips};
use crate::lowering::feed::{Feed, neuron_memory};
use crate::plan::PlannedBlock;
use onward_isa::builder::{Assembly, Listing, Scalar, VectorRegister, ZERO};

/// Handlers of a block that adds up: each step it sends those sums on that are not 0. It keeps nothing from step to step.
pub(crate) fn adder(
    name: &str,
    block: &PlannedBlock,
    connection: &Connection,
    vector_length: u32,
) -> (Listing, Layout) {
    let mut layout = Layout::default();
    Feed::sums_array(connection, &mut layout);
    Feed::arrays(connection, block.neurons, vector_length, &mut layout);
    let mut assembly = Assembly::new();
    let a = &mut assembly;
    head(a, &format!("Sums for layer `{name}`"), block, &layout);
    pass_tag_on(a);
    let taken = (connection.sums == Sums::Register).then(|| a.scratch_vector());
    if let Some(taken) = &taken {
        a.setvl(ZERO, block.neurons);
        a.setrow(ZERO, block.neurons);
        a.vmv(taken, ZERO);
    }
    let feed = Feed {
        connection,
        arrays: Arrays(&layout),
        vector_length,
        neurons: block.neurons,
        sums: taken.as_ref(),
        own_sums: None,
    };
    feed.events(a, &[Role::Input], None, "added");
    let one = &a.named("one");
    a.addi(one, ZERO, 1);
    match (&taken, connection.sums) {
        (None, Sums::Memory { bits, elements }) => {
            in_strips(a, block.neurons, vector_length, "sent", |a, at| {
                let sums = &a.scratch_vector();
                a.vld(sums, neuron_memory(bits).at(at, 0));
                send(a, sums, one.operand(), at);
            });
            clear(a, neuron_memory(bits), 0, elements, vector_length, "cleared");
        }
        (taken, _) => taken.iter().for_each(|taken| send(a, taken, one.operand(), ZERO)),
    }
    a.sleep();
    (assembly.finish(), layout)
}

/// Sends the sums that are not 0, those of a strip whose first neuron is `base`.
fn send(a: &mut Assembly, sums: &VectorRegister, one: Scalar, base: Scalar) {
    let chosen = &a.scratch_predicate();
    a.vcges(chosen, sums, one);
    a.vsend(sums, chosen, "ROUTE_SPIKES", base);
    a.vclts(chosen, sums, ZERO);
    a.vsend(sums, chosen, "ROUTE_SPIKES", base);
}
