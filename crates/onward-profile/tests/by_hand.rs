//! A core worked out by hand, in two technologies: the numbers of the book's page on the bill ("A core by hand"), typed from its
//! arithmetic, to the last digit.

use onward_chip::{Bill, Chip, Technology};
use onward_diagnostic::Source;
use onward_emulate::{AddressCounts, BlockCounters, Counters};
use onward_image::{
    Block, BlockIndex, Core, Image, NetworkSummary, Population, PopulationIndex, PopulationKind, Program, ProgramIndex,
};
use onward_isa::{Cycles, assemble};
use onward_profile::Energy;

const CHIP: &str = "name = \"hand\"\nclock_hz = 100_000_000\nidle_cores = \"clocked\"\n[mesh]\nwidth = 1\nheight = 1\n\
    multicast_trees = 64\n[core]\nlanes = 4\nvector_length = 64\nblocks = 4\n[memory]\ninstruction_words = 1024\n\
    synapse_bytes = 8192\nneuron_bytes = 4096\naxon_bytes = 4096\naxons = 256\nroutes = 256\n";

const TECHNOLOGIES: [&str; 2] = ["45nm", "130nm-sg13g2"];

/// Area of one, um^2, in 45 nm and 130 nm.
const AREAS: [(&str, [&str; 2]); 14] = [
    ("instruction memory", ["14621.1", "138281.4"]),
    ("synapse memory", ["60103.2", "622365.5"]),
    ("neuron memory", ["31839.3", "393108.9"]),
    ("axon memory", ["30782.4", "363527.0"]),
    ("active set", ["22525.9", "267058.7"]),
    ("vector registers", ["3905.6", "66533.7"]),
    ("predicates", ["3538.9", "30171.5"]),
    ("lane", ["12220.2", "104177.3"]),
    ("reduction tree", ["2105.4", "17949.2"]),
    ("scalar unit", ["15745.7", "134234.3"]),
    ("sequencer", ["24034.1", "259601.5"]),
    ("send unit", ["6615.6", "73283.0"]),
    ("clock", ["534.5", "4556.9"]),
    ("core", ["312404.6", "3555149.4"]),
];

/// Paths, ps.
const PATHS: [(&str, [&str; 2]); 11] = [
    ("a scalar multiplication", ["1643.7", "4093.8"]),
    ("the address of a row", ["1457.0", "3628.7"]),
    ("a lane's multiplication", ["1419.5", "3535.4"]),
    ("instruction memory", ["667.2", "4100.6"]),
    ("synapse memory", ["839.8", "5063.2"]),
    ("neuron memory", ["718.0", "4247.1"]),
    ("axon memory", ["746.5", "4462.8"]),
    ("the active set's payloads", ["582.7", "3873.1"]),
    ("an arrival", ["624.1", "3838.0"]),
    ("a send's route", ["747.2", "4076.1"]),
    ("vector registers", ["539.8", "3585.4"]),
];

/// Highest clock, Hz.
const CLOCKS: [u64; 2] = [547_544_506, 177_752_750];

/// Energy of instructions, with vectors of 64 elements, pJ.
const INSTRUCTIONS: [(&str, [&str; 2]); 10] = [
    ("addi r1, r0, 5", ["4.799", "68.802"]),
    ("mul r1, r2, r3", ["7.301", "86.704"]),
    ("ld r1, n32[r0]", ["5.378", "91.721"]),
    ("addm r1, a16[r0]", ["6.831", "112.439"]),
    ("vld v0, n32[r0]", ["343.528", "7373.976"]),
    ("vst v0, n16[r0]", ["112.453", "2614.066"]),
    ("vaccr v0, s16[row r0]", ["433.719", "8997.950"]),
    ("vmac v0, v1, v2", ["604.405", "11220.871"]),
    ("vshrs v0, v1, r2", ["556.336", "8755.615"]),
    ("vsum r1, v2", ["148.530", "2157.808"]),
];

fn bills() -> [(Chip, Technology, Bill); 2] {
    TECHNOLOGIES.map(|name| {
        let chip = Chip::parse("hand.toml", CHIP).unwrap();
        let technology = Technology::builtin(name).unwrap();
        let bill = Bill::of(&chip, &technology).unwrap();
        (chip, technology, bill)
    })
}

#[test]
fn areas_paths_and_clock_are_those_worked_out_by_hand() {
    for (at, (_, _, bill)) in bills().iter().enumerate() {
        for (name, expected) in AREAS {
            let part = bill.root.find(name).unwrap_or_else(|| panic!("no {name}"));
            assert_eq!(format!("{:.1}", part.area_um2()), expected[at], "{name}, {}", bill.technology);
        }
        let walked = bill.root.walk();
        for (name, expected) in PATHS {
            let path = walked.iter().flat_map(|(_, _, part)| &part.paths).find(|path| path.name == name);
            let path = path.unwrap_or_else(|| panic!("no {name}"));
            assert_eq!(format!("{:.1}", path.picoseconds), expected[at], "{name}, {}", bill.technology);
        }
        assert_eq!(bill.highest_clock_hz, CLOCKS[at], "{}", bill.technology);
    }
}

/// An image of a block whose program is an instruction.
fn image(chip: Chip, instruction: &str) -> Image {
    let program = assemble(&Source::new("by-hand.s", format!("{instruction}\n"))).unwrap();
    let block = Block {
        population: PopulationIndex(0),
        first_neuron: 0,
        neurons: 1,
        core: Core(0),
        program: ProgramIndex(0),
        entry: 0,
        generator: 0,
        tagged: false,
        axons: 4,
        memory_bytes: [64, 64, 64],
        contents: Default::default(),
        routes: vec![],
        symbols: vec![],
        order: onward_image::Order::Straight,
        fan_outs: Vec::new(),
    };
    let population = Population {
        name: "layer".into(),
        kind: PopulationKind::Layer { schedule: None, fraction_bits: Default::default(), kernel: None },
        neurons: 1,
        lag: 1,
        source_line: 1,
    };
    let network = NetworkSummary {
        name: "by hand".into(),
        source: Default::default(),
        seed: 1,
        data: None,
        window_steps: 1,
        augment: Vec::new(),
        epochs: 1,
        populations: vec![population].into(),
        edges: vec![],
    };
    let program = Program {
        name: "layer".into(),
        words: program.words,
        labels: vec![],
        purposes: vec![],
        lines: vec![],
        text: String::new(),
        population: Some(PopulationIndex(0)),
    };
    Image {
        chip,
        network,
        programs: vec![program].into(),
        blocks: vec![block].into(),
        trees: vec![].into(),
        host_inputs: vec![],
        host_port: 0,
        learned: Default::default(),
        proof: None,
    }
}

#[test]
fn ten_instructions_cost_what_was_worked_out_by_hand() {
    for (at, (chip, technology, _)) in bills().iter().enumerate() {
        let costs = technology.costs(chip).unwrap();
        for (instruction, expected) in INSTRUCTIONS {
            let image = image(chip.clone(), instruction);
            let word = onward_isa::Instruction::decode(image.programs[ProgramIndex(0)].words[0]).unwrap();
            let is_vector =
                matches!(word.op.description().cycles, Cycles::Vector | Cycles::VectorMemory | Cycles::Reduce);
            let elements = if is_vector { 64 } else { 0 };
            let counts = AddressCounts { executed: 1, elements, ..AddressCounts::default() };
            let addresses = vec![counts];
            let block = BlockCounters {
                synapses: 0,
                block: BlockIndex(0),
                addresses,
                steps: 0,
                cycles: 0,
                events: 0,
                saturated: 0,
                packets: vec![],
            };
            let counters = Counters {
                steps: 0,
                blocks: vec![block],
                host_packets: vec![],
                timing: None,
                configuration_bits: 0,
                detail: None,
            };
            let picojoules = Energy::of(&image, &counters, &costs).total() * 1e12;
            assert_eq!(format!("{picojoules:.3}"), expected[at], "{instruction}, {}", technology.name);
        }
    }
}
