//! Loops over events whose rows a table names: run at once or by the book, both engines do the same.

use crate::chips::{RawBlock, image};
use onward_chip::Chip;
use onward_diagnostic::Source;
use onward_emulate::{Engine, HostPacket, Machine, Options, reference};
use onward_image::{BlockIndex, Image};
use onward_isa::assemble;
use proptest::prelude::*;

/// Axons, and entries of the table.
const AXONS: u32 = 12;
/// Elements of a row.
const LENGTH: usize = 10;

/// A block that adds the row of each event's entry to what its sums begin with, and stores them.
fn summing(bits: u32, first: i32, offset: i32) -> Image {
    let text = format!(
        "addi r4, r0, {LENGTH}\n setvl r4, 0\n setrow r4, 0\n lui r5, {first}\n vmv v0, r5\n foreach r1, r2, taken\n ld r3, \
         a32[r1]\n vaccr v0, s{bits}[row r3{offset:+}]\ntaken: vst v0, n32[r0]\n st r1, n32[r0+20]\n st r2, n32[r0+21]\n st \
         r3, n32[r0+22]\n sleep\n"
    );
    let source = Source::new("table.s", text);
    let words = assemble(&source).unwrap_or_else(|errors| panic!("{}", source.render(&errors))).words;
    let raw = RawBlock {
        tile: 0,
        program: 0,
        host_axons: AXONS,
        tagged: false,
        spikes_only: false,
        memory_bytes: [256; 3],
        contents: Vec::new(),
        routes: Vec::new(),
    };
    image(Chip::builtin("small").expect("a chip"), vec![words], &[raw])
}

proptest! {
    #![proptest_config(crate::cases(64))]

    #[test]
    fn rows_that_a_table_names(
        bits in prop::sample::select(vec![4u32, 8, 16]),
        entries in prop::collection::vec(0i32..14, AXONS as usize),
        weights in prop::collection::vec(any::<u8>(), 256),
        active in prop::collection::vec(any::<bool>(), AXONS as usize),
        // Near the greatest sum, so that some saturate.
        first in prop::sample::select(vec![0i32, 1, 0x7fff]),
        offset in -1i32..2,
    ) {
        let mut image = summing(bits, first, offset);
        let block = &mut image.blocks[BlockIndex(0)];
        block.contents[1] = entries.iter().flat_map(|entry| entry.to_le_bytes()).collect();
        block.contents[2] = weights;
        let packets: Vec<HostPacket> = (0..AXONS)
            .filter(|&axon| active[axon as usize])
            .map(|index| HostPacket { step: 0, input: 0, index, payload: 1 })
            .collect();
        let options = Options { seed: 1, timing: true, threads: 1 };
        let mut plain = reference::Machine::new(&image, options).expect("a valid image");
        let mut fast = Machine::new(&image, options).expect("a valid image");
        let (expected, found) = (plain.run_packets(2, &packets), fast.run_packets(2, &packets));
        prop_assert_eq!(&expected, &found);
        if expected.is_ok() {
            crate::same_state(&image, &plain, &fast).map_err(TestCaseError::fail)?;
        }
    }
}
