//! Images that each break one rule, and what is said of them.

use crate::{breaches, image_of, verdict};
use onward_assembly::assemble_system;
use onward_chip::Chip;
use onward_diagnostic::Source;
use onward_image::{
    BlockIndex, Core, Delivery, Destination, Endpoint, Flit, HostInput, HostInputKind, Image, PopulationIndex, Route,
    Symbol, Tile, port,
};
use onward_isa::{Instruction, Op};
use onward_verify::{Contract, Rule, Verdict, verify};

fn digits() -> Image {
    image_of("digits.sp", "small", 1)
}

/// The number of the first block of a layer.
fn block_of(image: &Image, layer: &str) -> BlockIndex {
    let found = image.blocks.iter_enumerated().find(|(_, block)| image.population(block).name == layer);
    found.unwrap_or_else(|| panic!("a block of `{layer}`")).0
}

/// The address of the first instruction of a block's program that is wanted.
fn address(image: &Image, block: BlockIndex, wanted: impl Fn(&str) -> bool) -> usize {
    let words = &image.programs[image.blocks[block].program].words;
    let text = |word: u32| Instruction::decode(word).map(|instruction| instruction.to_string()).unwrap_or_default();
    words.iter().position(|&word| wanted(&text(word))).expect("there is such an instruction")
}

/// Changes an instruction of a block's program.
fn change(image: &mut Image, block: BlockIndex, at: usize, change: impl Fn(&mut Instruction)) {
    let word = &mut image.programs[image.blocks[block].program].words[at];
    let mut instruction = Instruction::decode(*word).expect("an instruction");
    change(&mut instruction);
    *word = instruction.encode().expect("it has a word");
}

/// Gives a block a packet's way to another one, on axons that are added for it.
fn connect(image: &mut Image, from: BlockIndex, to: BlockIndex, name: &str) -> u32 {
    let first_axon = image.blocks[to].axons;
    image.blocks[to].axons += 1;
    if let Some(last) = image.blocks[to].fan_outs.last_mut() {
        last.0 += 1;
    }
    let core = image.blocks[to].core;
    let route = Route {
        name: name.into(),
        indices: 1,
        flits: vec![Flit {
            destination: Destination::Unicast(Endpoint::Core(core)),
            deliveries: vec![Delivery::Block { block: to, first_axon }],
        }],
    };
    image.blocks[from].routes.push(route);
    image.blocks[from].routes.len() as u32 - 1
}

/// Says that the image breaks the rule, first of all, in these words.
fn breaks(image: &Image, rule: Rule, words: &[&str]) {
    let verdict = verdict(image);
    let first = verdict.breaches.first().unwrap_or_else(|| panic!("nothing is said of a broken `{rule}`"));
    let text = first.to_string();
    assert_eq!(first.rule, rule, "{}", breaches(&verdict));
    for word in words {
        assert!(text.contains(word), "`{word}` is missing in: {text}");
    }
}

#[test]
fn the_image_itself_is_proven() {
    let verdict = verdict(&digits());
    assert!(verdict.holds(), "{}", breaches(&verdict));
}

#[test]
fn an_error_route_from_the_output_back_is_no_edge() {
    let mut image = digits();
    let (output, first) = (block_of(&image, "hidden2"), block_of(&image, "hidden1"));
    let route = connect(&mut image, output, first, "error");
    // The scores of the last layer go there.
    let at = address(&image, output, |text| text.starts_with("vsend"));
    change(&mut image, output, at, |send| send.imm = route as i32);
    breaks(&image, Rule::Edges, &["route `error`", "no edge from `hidden2` to `hidden1`"]);
    // Declared, it is a way back.
    let population =
        |name: &str| image.network.populations.iter().position(|found| found.name == name).expect("it is there");
    let back = (PopulationIndex::from(population("hidden2")), PopulationIndex::from(population("hidden1")));
    image.network.edges.push(back);
    breaks(&image, Rule::Forward, &["from `hidden2` to `hidden1` closes a circle"]);
}

#[test]
fn a_weight_that_changes_by_what_came_along_no_edge_is_named_with_its_instruction() {
    let mut image = digits();
    let (output, first) = (block_of(&image, "hidden2"), block_of(&image, "hidden1"));
    connect(&mut image, output, first, "error");
    // With room for a row of weights and a trace of its own, it works like any other axon.
    image.blocks[first].memory_bytes[2] += 128;
    image.blocks[first].memory_bytes[1] = 256;
    let verdict = verdict(&image);
    let foreign: Vec<_> = verdict.breaches.iter().filter(|breach| breach.rule == Rule::Locality).collect();
    assert!(!foreign.is_empty(), "{}", breaches(&verdict));
    assert!(foreign[0].address.is_some() && foreign[0].to_string().contains("`hidden2`"), "{}", foreign[0]);
}

#[test]
fn a_gradient_that_comes_in_by_the_hosts_port_is_no_input() {
    let mut image = digits();
    let first = block_of(&image, "hidden2");
    let first_axon = image.blocks[first].axons;
    image.blocks[first].axons += 64;
    if let Some(last) = image.blocks[first].fan_outs.last_mut() {
        last.0 += 64;
    }
    let destination = Destination::Unicast(Endpoint::Core(image.blocks[first].core));
    let flit = Flit { destination, deliveries: vec![Delivery::Block { block: first, first_axon }] };
    let route = Route { name: "gradient".into(), indices: 64, flits: vec![flit] };
    image.host_inputs.push(HostInput { kind: HostInputKind::Packets, first: 0, route: route.clone() });
    breaks(&image, Rule::Edges, &["the host sends packets to `hidden2`", "no such edge"]);
    // Nor does calling it an input make it one of that layer.
    image.host_inputs.last_mut().expect("it is there").kind = HostInputKind::Values;
    breaks(&image, Rule::Edges, &["the host sends values to `hidden2`"]);
}

#[test]
fn what_is_no_readout_sends_nothing_to_the_host() {
    let mut image = digits();
    let first = block_of(&image, "hidden1");
    let destination = Destination::Unicast(Endpoint::Host(image.host_port));
    image.blocks[first].routes[0].flits.push(Flit { destination, deliveries: vec![Delivery::Host] });
    breaks(&image, Rule::Edges, &["leads to the host", "`hidden1` is no readout"]);
}

#[test]
fn a_broadcast_is_no_edge() {
    let mut image = digits();
    let (sender, first) = (block_of(&image, "hidden2"), block_of(&image, "hidden1"));
    connect(&mut image, sender, first, "broadcast");
    let others: Vec<BlockIndex> =
        (0..image.blocks.len()).map(BlockIndex::from).filter(|&other| other != first).collect();
    for other in others {
        let first_axon = image.blocks[other].axons;
        image.blocks[other].axons += 1;
        if let Some(last) = image.blocks[other].fan_outs.last_mut() {
            last.0 += 1;
        }
        let destination = Destination::Unicast(Endpoint::Core(image.blocks[other].core));
        let flit = Flit { destination, deliveries: vec![Delivery::Block { block: other, first_axon }] };
        image.blocks[sender].routes.last_mut().expect("it was added").flits.push(flit);
    }
    breaks(&image, Rule::Edges, &["route `broadcast`"]);
}

#[test]
fn a_tree_that_reaches_more_than_its_takers_is_refused() {
    let mut image = digits();
    let tree = &mut image.trees[onward_image::TreeIndex(0)];
    tree.branches[0].1 |= port::LOCAL;
    tree.branches[0].1 ^= 0;
    let last = tree.branches.last_mut().expect("it has branches");
    last.1 |= port::EAST;
    let verdict = verdict(&image);
    assert!(!verdict.holds());
    let first = verdict.breaches.first().expect("it is broken");
    assert!(matches!(first.rule, Rule::Deadlock | Rule::Structure), "{}", breaches(&verdict));
}

#[test]
fn a_tree_that_turns_back_is_refused() {
    let mut image = digits();
    // From tile (0, 0) to the east and back to the west: it comes to the first tile twice.
    let tree = &mut image.trees[onward_image::TreeIndex(0)];
    tree.branches = vec![(Tile(0), port::EAST | port::LOCAL), (Tile(1), port::WEST | port::LOCAL)];
    breaks(&image, Rule::Deadlock, &["twice"]);
}

#[test]
fn a_handler_that_reads_past_its_traces_is_named() {
    let mut image = digits();
    let layer = block_of(&image, "hidden2");
    let at = address(&image, layer, |text| text.starts_with("vacc v") && text.contains("a16"));
    change(&mut image, layer, at, |load| load.imm += 40);
    breaks(&image, Rule::Bounds, &["(`hidden2`)", &format!("address {at}"), "axon memory"]);
}

#[test]
fn an_unbounded_loop_is_named() {
    let mut image = digits();
    let layer = block_of(&image, "hidden1");
    let at = address(&image, layer, |text| text.starts_with("vcges"));
    // It jumps to itself.
    let word = Instruction { imm: 0, ..Instruction::new(Op::Jmp) }.encode().expect("a word");
    let program = image.blocks[layer].program;
    image.programs[program].words[at] = word;
    breaks(&image, Rule::Loops, &[&format!("address {at}"), "nothing shows that the step ends"]);
}

#[test]
fn a_fifth_loop_is_named() {
    let mut image = digits();
    let answer = block_of(&image, "answer");
    let program = image.blocks[answer].program;
    let mut words = vec![Instruction { d: 1, imm: 2, ..Instruction::new(Op::Addi) }.encode().expect("a word")];
    for depth in 0..5 {
        let head = Instruction { d: 1, imm: 6 - depth, ..Instruction::new(Op::Loop) };
        words.push(head.encode().expect("a word"));
    }
    words.push(Instruction::new(Op::Nop).encode().expect("a word"));
    words.push(Instruction::new(Op::Sleep).encode().expect("a word"));
    image.programs[program].words = words;
    image.programs[program].labels.clear();
    breaks(&image, Rule::Loops, &["address 5", "the fifth"]);
}

#[test]
fn arrays_and_memories_that_overlap_are_named() {
    let mut image = digits();
    let layer = block_of(&image, "hidden1");
    let weights = image.blocks[layer].symbol("weights").expect("an array").clone();
    image.blocks[layer].symbols.push(Symbol { name: "errors".into(), offset: weights.offset + 10, rows: 2, ..weights });
    breaks(&image, Rule::Budgets, &["`weights` and `errors` lie one over the other"]);
    // Two blocks on a core that holds one.
    let mut image = digits();
    let cores: Vec<Core> = image.blocks.iter().map(|block| block.core).collect();
    for block in &mut image.blocks {
        block.core = cores[0];
        block.memory_bytes[2] = image.chip.memory.synapse_bytes;
    }
    let verdict = verdict(&image);
    assert!(verdict.breaches.iter().any(|breach| breach.rule == Rule::Budgets), "{}", breaches(&verdict));
}

#[test]
fn tags_that_are_made_up_are_named() {
    let mut image = digits();
    let layer = block_of(&image, "hidden1");
    let at = address(&image, layer, |text| text.starts_with("send r0, r15, 1"));
    // What goes on as the tag is a register that holds something else.
    change(&mut image, layer, at, |send| send.b = 1);
    let verdict = verdict(&image);
    // A constant 0 is a tag of an input window, but not the one that the sample has.
    assert!(verdict.keeps(Rule::Bounds), "{}", breaches(&verdict));
    let mut image = digits();
    change(&mut image, layer, at - 1, |special| special.imm = 0); // the step's number
    breaks(&image, Rule::Tags, &["`hidden2`", "not the host's"]);
}

#[test]
fn what_is_no_instruction_is_named_where_it_is_reached() {
    let mut image = digits();
    let layer = block_of(&image, "answer");
    let program = image.blocks[layer].program;
    let last = image.programs[program].words.len() - 1;
    image.programs[program].words[last] = Instruction::new(Op::Nop).encode().expect("a word");
    breaks(&image, Rule::Program, &["no instruction"]);
}

#[test]
fn a_second_packet_on_an_axon_is_named() {
    let mut image = digits();
    let layer = block_of(&image, "hidden1");
    let at = address(&image, layer, |text| text.starts_with("vld v6, n16[r5]"));
    let program = image.blocks[layer].program;
    let spike = address(&image, layer, |text| text.starts_with("spike"));
    image.programs[program].words[at] = image.programs[program].words[spike];
    let verdict = verdict(&image);
    assert!(verdict.breaches.iter().any(|breach| breach.rule == Rule::Packets), "{}", breaches(&verdict));
}

/// The verdict on a system in assembly, whose host sends what its text lists.
fn verdict_of_system(text: &str) -> Verdict {
    let chip = Chip::builtin("small").expect("a built-in chip");
    let mut none = |_: &str, _: &str| Err("there is no such text".to_owned());
    let system =
        assemble_system(&Source::new("case.s", text), &chip, &mut none).unwrap_or_else(|errors| panic!("{errors}"));
    let packets = system.stimuli.iter().map(|packet| (packet.input, packet.payload));
    verify(&system.image, &Contract::of_packets(system.image.host_inputs.len(), packets))
}

/// Two layers in assembly, the second of two blocks: the first passes on what it takes, the second adds it to weights.
fn system(more: &str) -> String {
    format!(
        ".block first, 0, 0, pass, 2\n.block left, 1, 0, add, 4, layer second\n.block right, 0, 1, add, 4, layer second\n\
         .route first, 0, 1, left\n.route first, 0, 1, right\n.route left, 0, 1, right, 1\n.route right, 0, 1\n\
         .input knock, 1, first\n.packet 0, knock, 0\n.steps 4\n.array weights, s16[0], 16\n{more}\
         pass:\n    send r0, r0, 0\n    sleep\n\
         add:\n    foreach r1, r2, added\n    ld r3, s16[r1]\n    add r3, r3, r2\n    st r3, s16[r1]\nadded:\n    sleep\n"
    )
}

#[test]
fn declared_edges_of_a_system_in_assembly_are_kept() {
    let forward = ".edge first, second\n.edge second, second\n";
    for more in ["", forward] {
        let verdict = verdict_of_system(&system(more));
        assert!(verdict.holds(), "{}", breaches(&verdict));
    }
    let breach = |more: &str| {
        let verdict = verdict_of_system(&system(more));
        let first = verdict.breaches.first().unwrap_or_else(|| panic!("nothing is said of {more}"));
        (first.rule, first.to_string())
    };
    // A route that no line declares, within a layer and back to an earlier one.
    let (rule, text) = breach(".edge first, second\n");
    assert!(rule == Rule::Edges && text.contains("no edge from `second` to `second`"), "{text}");
    let back = ".route right, 1, 1, first, 1\n";
    let (rule, text) = breach(&format!("{forward}{back}"));
    assert!(rule == Rule::Edges && text.contains("no edge from `second` to `first`"), "{text}");
    // Declared, or made by the routes alone, it is a way back.
    for more in [back.to_owned(), format!("{forward}{back}.edge second, first\n")] {
        let (rule, text) = breach(&more);
        assert!(rule == Rule::Forward && text.contains("closes a circle"), "{text}");
    }
}
