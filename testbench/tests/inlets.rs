//! Rules RT1 to RT3 of `isa/router.md`: a packet carries its index, and each taker finds its own axon for it.

use onward_assembly::assemble_system;
use onward_chip::Chip;
use onward_diagnostic::Source;
use onward_emulate::{Engine, HostPacket, Machine, Options, reference};
use onward_image::{BlockIndex, Core, Destination, Endpoint};

const SYSTEM: &str = "
.block source, 0, 0, send_all, 1
.block left, 1, 0, note, 8
.block right, 0, 1, note, 8
.block second, 1, 0, note, 8        ; on the same core as `left`
.size n, 256
.route source, 0, 3, left, 2
.route source, 0, 3, right, 5
.route source, 0, 3, second
.input go, 1, source
.packet 0, go, 0
.steps 4

send_all:
    setvl r0, 3
    pnot p0, p1
    spike p0, 0
    sleep
note:
    foreach r1, r2, noted
    addm r2, n32[r1]                ; marks the axon
noted:
    sleep
";

#[test]
fn each_taker_of_a_packet_has_its_own_first_axon() {
    let chip = Chip::builtin("small").unwrap();
    let mut no_files = |_: &str, path: &str| Err(format!("{path} is not there"));
    let system = assemble_system(&Source::new("inlets.s", SYSTEM), &chip, &mut no_files)
        .unwrap_or_else(|errors| panic!("{}", errors.render()));
    // A tree to one block of each core, and a flit of its own for the second block of a core.
    let flits = &system.image.blocks[BlockIndex(0)].routes[0].flits;
    assert!(matches!(flits[0].destination, Destination::Multicast(_)));
    assert_eq!(flits[1].destination, Destination::Unicast(Endpoint::Core(Core(1))));

    let options = Options { seed: 1, timing: true, threads: 1 };
    let mut fast = Machine::new(&system.image, options).unwrap();
    let mut plain = reference::Machine::new(&system.image, options).unwrap();
    let packet = HostPacket { step: 0, input: 0, index: 0, payload: 1 };
    for engine in [&mut fast as &mut dyn Engine, &mut plain] {
        engine.run_packets(4, &[packet]).unwrap();
        for (block, first) in [(1, 2), (2, 5), (3, 0)].map(|(block, first)| (BlockIndex(block), first)) {
            let marks = engine.memory(block, onward_isa::Space::Neuron).chunks(4).take(8);
            let marked: Vec<usize> = marks.enumerate().filter(|(_, mark)| mark[0] == 1).map(|(axon, _)| axon).collect();
            assert_eq!(marked, [first, first + 1, first + 2], "block {block}");
        }
    }
}
