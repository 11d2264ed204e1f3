//! Every example of the manual is assembled and run, on both engines.

use onward_assembly::assemble_system;
use onward_chip::Chip;
use onward_diagnostic::Source;
use onward_emulate::{Engine, HostPacket, Machine, Options, reference};
use onward_image::{BlockIndex, ProgramIndex};
use onward_isa::{INSTRUCTIONS, Op, Space};

/// A block with room for whatever an example does: registers hold 1, vectors four elements, routes lead nowhere.
fn system_around(example: &str) -> String {
    let registers: String = (1..16).map(|number| format!("    addi r{number}, r0, 1\n")).collect();
    format!(
        ".block one, 0, 0, start, 8
.size n, 1024
.size a, 1024
.size s, 1024
.route one, 0, 16
.route one, 1, 16
.input go, 8, one
.packet 0, go, 2
.steps 3
start:
    setvl r0, 4
    setrow r0, 4
{registers}    {example}
    sleep
"
    )
}

#[test]
fn every_example_runs_and_does_the_same_on_both_engines() {
    let chip = Chip::builtin("small").unwrap();
    for row in INSTRUCTIONS {
        let source = Source::new(row.mnemonic, system_around(row.example));
        let mut no_files = |_: &str, path: &str| Err(format!("{path} is not there"));
        let system =
            assemble_system(&source, &chip, &mut no_files).unwrap_or_else(|errors| panic!("{}", errors.render()));
        let options = Options { seed: 1, timing: true, threads: 1 };
        let mut fast = Machine::new(&system.image, options).unwrap();
        let mut plain = reference::Machine::new(&system.image, options).unwrap();
        let packets: Vec<HostPacket> = system
            .stimuli_in(0..3)
            .iter()
            .map(|of| HostPacket { step: of.step as usize, input: of.input, index: of.index, payload: of.payload })
            .collect();
        for engine in [&mut fast as &mut dyn Engine, &mut plain] {
            engine.run_packets(3, &packets).unwrap_or_else(|fault| panic!("`{}`: {fault}", row.example));
        }
        assert_eq!(fast.counters(), plain.counters(), "`{}`", row.example);
        for space in [Space::Neuron, Space::Axon, Space::Synapse] {
            assert_eq!(fast.memory(BlockIndex(0), space), plain.memory(BlockIndex(0), space), "`{}`", row.example);
        }
        let words = &system.image.programs[ProgramIndex(0)].words;
        let at = words.iter().position(|&word| word >> 24 == row.op as u32 && word == example_word(row.example));
        let executed = at.map(|at| fast.counters().blocks[0].addresses[at].executed);
        assert!(executed.is_some_and(|executed| executed > 0) || row.op == Op::Sleep, "`{}` did not run", row.example);
    }
}

/// The word of an example.
fn example_word(example: &str) -> u32 {
    let program = onward_isa::assemble(&Source::new("example", format!("{example}\nnop\n"))).unwrap();
    program.words[0]
}
