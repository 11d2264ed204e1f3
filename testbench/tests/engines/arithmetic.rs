//! What each instruction computes, against exact arithmetic written down from the table alone.

use crate::cases;
use crate::chips::{RawBlock, image};
use onward_chip::Chip;
use onward_emulate::{Engine, HostPacket, Machine, Options, reference};
use onward_image::{BlockIndex, Image};
use onward_isa::{Field, INSTRUCTIONS, Instruction, Op, Operand, Space, Width};
use proptest::prelude::*;

/// What an instruction computes of one element: the destination's, the first operand's, the second's.
type Exact = fn(i128, i128, i128) -> i128;

fn power(exponent: i128) -> i128 {
    (0..exponent).fold(1, |power, _| power * 2)
}

/// The greatest number not above `a / b`.
fn floor(a: i128, b: i128) -> i128 {
    a / b - i128::from(a % b < 0)
}

fn shift_down(_: i128, a: i128, b: i128) -> i128 {
    let amount = b.clamp(-31, 31);
    if amount < 0 { a * power(-amount) } else { floor(a, power(amount)) }
}

fn shift_nearest(d: i128, a: i128, b: i128) -> i128 {
    let amount = b.clamp(-31, 31);
    if amount < 1 { shift_down(d, a, b) } else { floor(a + power(amount - 1), power(amount)) }
}

/// Towards zero: of a negative number what is nearest below its negative.
fn scale(_: i128, a: i128, b: i128) -> i128 {
    let product = a * b;
    if product < 0 { -floor(-product, power(16)) } else { floor(product, power(16)) }
}

/// Instructions of three scalar registers, and the bitwise ones, bit by bit.
const SCALAR: &[(Op, Exact)] = &[
    (Op::Add, |_, a, b| a + b),
    (Op::Sub, |_, a, b| a - b),
    (Op::Mul, |_, a, b| a * b),
    (Op::And, |_, a, b| bits(a, b, |a, b| a * b)),
    (Op::Or, |_, a, b| bits(a, b, |a, b| a + b - a * b)),
    (Op::Xor, |_, a, b| bits(a, b, |a, b| a + b - 2 * a * b)),
    (Op::Shr, shift_down),
    (Op::Min, |_, a, b| if a < b { a } else { b }),
    (Op::Max, |_, a, b| if a > b { a } else { b }),
];

/// Those with a signed number, those with an unsigned one.
const IMMEDIATE: &[(Op, bool, Exact)] = &[
    (Op::Addi, true, |_, a, b| a + b),
    (Op::Shri, true, shift_down),
    (Op::Andi, false, |_, a, b| bits(a, b, |a, b| a * b)),
    (Op::Ori, false, |_, a, b| bits(a, b, |a, b| a + b - a * b)),
    (Op::Lui, false, |_, _, b| if b < power(15) { b * power(16) } else { (b - power(16)) * power(16) }),
];

/// Those of vectors; the second operand is a vector's element or a scalar, as the table says.
const VECTOR: &[(Op, Exact)] = &[
    (Op::Vadd, |_, a, b| a + b),
    (Op::Vsub, |_, a, b| a - b),
    (Op::Vmul, |_, a, b| a * b),
    (Op::Vmac, |d, a, b| d + a * b),
    (Op::Vmin, |_, a, b| if a < b { a } else { b }),
    (Op::Vmax, |_, a, b| if a > b { a } else { b }),
    (Op::Vadds, |_, a, b| a + b),
    (Op::Vsubs, |_, a, b| a - b),
    (Op::Vmuls, |_, a, b| a * b),
    (Op::Vmacs, |d, a, b| d + a * b),
    (Op::Vmins, |_, a, b| if a < b { a } else { b }),
    (Op::Vmaxs, |_, a, b| if a > b { a } else { b }),
    (Op::Vshr, shift_down),
    (Op::Vshrn, shift_nearest),
    (Op::Vscale, scale),
    (Op::Vscales, scale),
];

/// Comparisons: what `vsels` makes of the predicate, 1 or 0. And the three that select by `va >= vd`.
const PREDICATE: &[(Op, Exact)] = &[
    (Op::Vcge, |_, a, b| i128::from(a >= b)),
    (Op::Vclt, |_, a, b| i128::from(a < b)),
    (Op::Vceq, |_, a, b| i128::from(a == b)),
    (Op::Vcges, |_, a, b| i128::from(a >= b)),
    (Op::Vclts, |_, a, b| i128::from(a < b)),
    (Op::Vceqs, |_, a, b| i128::from(a == b)),
];

const SELECT: &[(Op, Exact)] = &[
    (Op::Vsel, |d, a, b| if a >= d { a } else { b }),
    (Op::Vsels, |d, a, b| if a >= d { a } else { b }),
    (Op::Vaddp, |d, a, b| if a >= d { a + b } else { a }),
];

/// What a reduction computes of the elements of two vectors.
type ExactOfAll = fn(&[i128], &[i128]) -> i128;

const REDUCE: &[(Op, ExactOfAll)] = &[
    (Op::Vsum, |a, _| a.iter().sum()),
    (Op::Vrmax, |a, _| a.iter().fold(-power(31), |x, &y| if x > y { x } else { y })),
    (Op::Vrmin, |a, _| a.iter().fold(power(31) - 1, |x, &y| if x < y { x } else { y })),
    (Op::Vimax, |a, _| (0..a.len()).find(|&i| a.iter().all(|&x| x <= a[i])).map_or(-1, |i| i as i128)),
    (Op::Vdot, |a, b| {
        let sum: i128 = a.iter().zip(b).map(|(a, b)| a * b).sum();
        floor(sum + power(63), power(64)) * -power(64) + sum
    }),
];

/// A function of single bits, on 32 of them in two's complement.
fn bits(a: i128, b: i128, f: fn(i128, i128) -> i128) -> i128 {
    let bit = |x: i128, at: i128| floor(x, power(at)) - 2 * floor(x, power(at + 1));
    (0..32).map(|at| f(bit(a, at), bit(b, at)) * if at == 31 { -power(31) } else { power(at) }).sum()
}

/// A number, often one where something could go wrong.
fn value() -> impl Strategy<Value = i32> {
    let edge = prop::sample::select(vec![
        i32::MIN,
        i32::MIN + 1,
        -65_536,
        -32,
        -31,
        -1,
        0,
        1,
        2,
        31,
        32,
        46_341,
        i32::MAX - 1,
        i32::MAX,
    ]);
    prop_oneof![any::<i32>(), edge, -40..40i32]
}

/// Elements a case has at most: with 4 lanes two beats, with 64 one.
const LENGTH: usize = 7;

/// A program that applies all instructions to the same numbers, and what must come of it.
#[derive(Default)]
struct Sheet {
    code: Vec<Instruction>,
    results: Vec<(String, i32)>,
    saturated: u64,
}

impl Sheet {
    fn push(&mut self, op: Op, registers: [u8; 4], imm: i32) {
        let [d, a, b, c] = registers;
        self.code.push(Instruction { d, a, b, c, imm, ..Instruction::new(op) });
    }

    fn expect(&mut self, op: Op, exact: i128) {
        let value = if exact < -power(31) { i32::MIN } else { i32::try_from(exact).unwrap_or(i32::MAX) };
        self.saturated += u64::from(i128::from(value) != exact);
        self.results.push((format!("{op:?}"), value));
    }

    /// What memory of a width keeps of a value.
    fn narrow(&mut self, exact: i128, width: Width) -> i128 {
        let half = power(i128::from(width.bits()) - 1);
        let value = if exact < -half {
            -half
        } else if exact >= half {
            half - 1
        } else {
            exact
        };
        self.saturated += u64::from(value != exact);
        value
    }

    /// A memory access to 32-bit elements of a space.
    fn access(&mut self, op: Op, d: u8, space: Space, imm: usize) {
        self.code.push(Instruction { d, imm: imm as i32, space, width: Width::W32, ..Instruction::new(op) });
    }

    /// Stores v0, or r4, behind all results so far; each has as many places as it expects values.
    fn store(&mut self, op: Op, d: u8) {
        let at = self.results.len();
        self.access(op, d, Space::Neuron, at);
    }
}

/// Elements of d, a and b are in v1 to v3, the scalars a and b in r1 and r2; v0 and r4 take results.
fn sheet(d: &[i32], a: &[i32], b: &[i32], number: u16) -> Sheet {
    let mut sheet = Sheet::default();
    sheet.push(Op::Setvl, [0; 4], d.len() as i32);
    for (register, at) in [(1, 0), (2, 1), (3, 2)] {
        sheet.access(Op::Vld, register, Space::Axon, at * LENGTH);
    }
    let (first, second) = (i128::from(a[0]), i128::from(b[0]));
    sheet.access(Op::Ld, 1, Space::Axon, LENGTH);
    sheet.access(Op::Ld, 2, Space::Axon, 2 * LENGTH);
    sheet.push(Op::Addi, [3, 0, 0, 0], 1);
    for &(op, exact) in SCALAR {
        sheet.push(op, [4, 1, 2, 0], 0);
        sheet.store(Op::St, 4);
        sheet.expect(op, exact(0, first, second));
    }
    for &(op, signed, exact) in IMMEDIATE {
        let number = if signed { i32::from(number as i16) } else { i32::from(number) };
        sheet.push(op, [4, if op == Op::Lui { 0 } else { 1 }, 0, 0], number);
        sheet.store(Op::St, 4);
        sheet.expect(op, exact(0, first, number.into()));
    }
    // vd = f(vd, v2, v3 or r2)
    let is_scalar = |op: Op| op.description().operands.contains(&Operand::Scalar(Field::B));
    let elements = |op: Op, exact: Exact| -> Vec<i128> {
        let of = |i: usize| if is_scalar(op) { second } else { b[i].into() };
        (0..d.len()).map(|i| exact(d[i].into(), a[i].into(), of(i))).collect()
    };
    for &(op, exact) in VECTOR {
        sheet.push(Op::Vadds, [0, 1, 0, 0], 0);
        sheet.push(op, [0, 2, if is_scalar(op) { 2 } else { 3 }, 0], 0);
        sheet.store(Op::Vst, 0);
        elements(op, exact).into_iter().for_each(|exact| sheet.expect(op, exact));
    }
    sheet.push(Op::Vmv, [4, 3, 0, 0], 0);
    for &(op, exact) in PREDICATE {
        sheet.push(op, [1, 2, if is_scalar(op) { 2 } else { 3 }, 0], 0);
        sheet.push(Op::Vsels, [0, 4, 0, 1], 0);
        sheet.store(Op::Vst, 0);
        elements(op, exact).into_iter().for_each(|exact| sheet.expect(op, exact));
    }
    sheet.push(Op::Vcge, [2, 2, 1, 0], 0);
    for &(op, exact) in SELECT {
        sheet.push(op, [0, 2, if is_scalar(op) { 2 } else { 3 }, 2], 0);
        sheet.store(Op::Vst, 0);
        elements(op, exact).into_iter().for_each(|exact| sheet.expect(op, exact));
    }
    // p3 is a >= b, p2 is a >= d: all that is made of two predicates, and how many are set.
    sheet.push(Op::Vcge, [3, 2, 3, 0], 0);
    type OfTwo = fn(bool, bool) -> bool;
    for (op, exact) in [(Op::Pand, (|p, q| p && q) as OfTwo), (Op::Por, |p, q| p || q), (Op::Pnot, |p, _| !p)] {
        let set: Vec<bool> = (0..d.len()).map(|i| exact(a[i] >= d[i], a[i] >= b[i])).collect();
        sheet.push(op, [1, 2, if op == Op::Pnot { 0 } else { 3 }, 0], 0);
        sheet.push(Op::Vsels, [0, 4, 0, 1], 0);
        sheet.store(Op::Vst, 0);
        set.iter().for_each(|&set| sheet.expect(op, set.into()));
        sheet.push(Op::Pcount, [4, 1, 0, 0], 0);
        sheet.store(Op::St, 4);
        sheet.expect(Op::Pcount, set.iter().filter(|set| **set).count() as i128);
    }
    // A table of the elements of a, looked up by those of b.
    sheet.push(Op::Addi, [5, 0, 0, 0], LENGTH as i32);
    sheet.push(Op::Addi, [6, 0, 0, 0], a.len() as i32);
    let table =
        Instruction { d: 0, a: 3, b: 5, c: 6, space: Space::Axon, width: Width::W32, ..Instruction::new(Op::Vlut) };
    sheet.code.push(table);
    sheet.store(Op::Vst, 0);
    for &index in b {
        let nearest = if index < 0 { 0 } else { (index as usize).min(a.len() - 1) };
        sheet.expect(Op::Vlut, a[nearest].into());
    }
    let wide = |values: &[i32]| values.iter().map(|&value| i128::from(value)).collect::<Vec<i128>>();
    for &(op, exact) in REDUCE {
        sheet.push(op, [4, 2, if op == Op::Vdot { 3 } else { 0 }, 0], 0);
        sheet.store(Op::St, 4);
        sheet.expect(op, exact(&wide(a), &wide(b)));
    }
    sheet.push(Op::Sleep, [0; 4], 0);
    sheet
}

/// Element of synapse memory that stores go to, and the row of 16 elements that begins there.
const PLACE: usize = 64;

/// Stores, loads and updates of one width, and the generator: a and b are in v2 and v3, r1 and r2.
fn memory_sheet(a: &[i32], b: &[i32], width: Width) -> Sheet {
    let mut sheet = Sheet::default();
    sheet.push(Op::Setvl, [0; 4], a.len() as i32);
    sheet.push(Op::Setrow, [0; 4], 16);
    for (register, at) in [(2, 1), (3, 2)] {
        sheet.access(Op::Vld, register, Space::Axon, at * LENGTH);
    }
    sheet.access(Op::Ld, 1, Space::Axon, LENGTH);
    sheet.access(Op::Ld, 2, Space::Axon, 2 * LENGTH);
    let (first, second) = (i128::from(a[0]), i128::from(b[0]));
    let memory = |op: Op, d: u8, imm: usize| Instruction {
        d,
        imm: imm as i32,
        space: Space::Synapse,
        width,
        ..Instruction::new(op)
    };
    let row = PLACE / 16;
    sheet.code.push(memory(Op::St, 1, PLACE));
    let stored = sheet.narrow(first, width);
    sheet.code.push(memory(Op::Ld, 4, PLACE));
    sheet.store(Op::St, 4);
    sheet.expect(Op::St, stored);
    sheet.code.push(memory(Op::Addm, 2, PLACE));
    let sum = sheet.narrow(stored + second, width);
    sheet.code.push(memory(Op::Ld, 4, PLACE));
    sheet.store(Op::St, 4);
    sheet.expect(Op::Addm, sum);
    for (store, load, add, at) in [(Op::Vst, Op::Vld, Op::Vacc, PLACE), (Op::Vstr, Op::Vldr, Op::Vaccr, row)] {
        sheet.code.push(memory(store, 2, at));
        let stored: Vec<i128> = a.iter().map(|&a| sheet.narrow(a.into(), width)).collect();
        sheet.code.push(memory(load, 0, at));
        sheet.store(Op::Vst, 0);
        stored.iter().for_each(|&value| sheet.expect(load, value));
        sheet.push(Op::Vadds, [0, 3, 0, 0], 0);
        sheet.code.push(memory(add, 0, at));
        sheet.store(Op::Vst, 0);
        stored.iter().zip(b).for_each(|(&value, &b)| sheet.expect(add, value + i128::from(b)));
    }
    // Sums in neuron memory behind all results, to which rows of axon or synapse memory are added.
    for (op, sum_width) in [(Op::Vaddn16, Width::W16), (Op::Vaddn32, Width::W32)] {
        let sums = |op, d| Instruction { d, imm: 512, width: sum_width, ..Instruction::new(op) };
        sheet.push(Op::Addi, [5, 0, 0, 0], 512);
        sheet.code.push(memory(Op::Vst, 2, PLACE));
        let stored: Vec<i128> = a.iter().map(|&a| sheet.narrow(a.into(), width)).collect();
        sheet.code.push(sums(Op::Vst, 3));
        let before: Vec<i128> = b.iter().map(|&b| sheet.narrow(b.into(), sum_width)).collect();
        sheet.code.push(memory(op, 5, PLACE));
        let after: Vec<i128> =
            before.iter().zip(&stored).map(|(&before, &stored)| sheet.narrow(before + stored, sum_width)).collect();
        sheet.code.push(sums(Op::Vld, 0));
        sheet.store(Op::Vst, 0);
        after.into_iter().for_each(|value| sheet.expect(op, value));
    }
    // Two draws, by the page on the generator.
    for draw in 0..2 {
        sheet.push(Op::Vshrs, [0, 2, 2, 0], 0);
        sheet.store(Op::Vst, 0);
        for (i, &a) in a.iter().enumerate() {
            let noise = match second.clamp(-31, 31) {
                amount if amount > 0 => i128::from(noise(draw, i as u32)) / power(32 - amount),
                _ => 0,
            };
            sheet.expect(Op::Vshrs, shift_down(0, i128::from(a) + noise, second));
        }
    }
    sheet.push(Op::Sleep, [0; 4], 0);
    sheet
}

/// The 32 bits of noise for an element of block 0 in a run with seed 1, written down again from the manual.
fn noise(draw: u32, index: u32) -> u32 {
    fn mix(x: u32) -> u32 {
        let x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
        let x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
        x ^ (x >> 16)
    }
    let z = 1u64.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let seed = z ^ (z >> 31);
    let key = mix(mix(draw.wrapping_add(seed as u32)) ^ (seed >> 32) as u32);
    let x = key.wrapping_add(index.wrapping_mul(0x9e37_79b9));
    (x ^ (x >> 16)).wrapping_mul(0x7feb_352d)
}

proptest! {
    #![proptest_config(cases(10_000))]

    #[test]
    fn arithmetic_is_exact_and_saturated_once(
        d in prop::collection::vec(value(), 1..LENGTH),
        a in prop::collection::vec(value(), LENGTH),
        b in prop::collection::vec(value(), LENGTH),
        number: u16,
        lanes in prop::sample::select(vec![4u16, 64]),
    ) {
        let (a, b) = (&a[..d.len()], &b[..d.len()]);
        work(&sheet(&d, a, b, number), &d, a, b, lanes)?;
    }

    #[test]
    fn memory_keeps_what_fits_its_width(
        d in prop::collection::vec(value(), 1..LENGTH),
        a in prop::collection::vec(value(), LENGTH),
        b in prop::collection::vec(value(), LENGTH),
        width in prop::sample::select(Width::ALL.to_vec()),
        lanes in prop::sample::select(vec![4u16, 64]),
    ) {
        let (a, b) = (&a[..d.len()], &b[..d.len()]);
        work(&memory_sheet(a, b, width), &d, a, b, lanes)?;
    }
}

/// Both engines run a sheet and get what it expects.
fn work(sheet: &Sheet, d: &[i32], a: &[i32], b: &[i32], lanes: u16) -> Result<(), TestCaseError> {
    let words = sheet.code.iter().map(|instruction| instruction.encode().expect("a valid instruction")).collect();
    let mut image = plain_image(words, lanes);
    let mut values = [0; 3 * LENGTH];
    for (at, of) in [(0, d), (1, a), (2, b)] {
        values[at * LENGTH..][..of.len()].copy_from_slice(of);
    }
    image.blocks[BlockIndex(0)].contents[1] = values.iter().flat_map(|value: &i32| value.to_le_bytes()).collect();
    let packet = HostPacket { step: 0, input: 0, index: 0, payload: 1 };
    let options = Options { seed: 1, timing: false, threads: 1 };
    let mut reference = reference::Machine::new(&image, options).expect("a valid image");
    let mut fast = Machine::new(&image, options).expect("a valid image");
    for (name, engine) in [("reference", &mut reference as &mut dyn Engine), ("fast", &mut fast)] {
        prop_assert_eq!(engine.run_packets(2, &[packet]), Ok(vec![]));
        let bytes = engine.memory(BlockIndex(0), Space::Neuron);
        for (at, (op, expected)) in sheet.results.iter().enumerate() {
            let found = i32::from_le_bytes([bytes[4 * at], bytes[4 * at + 1], bytes[4 * at + 2], bytes[4 * at + 3]]);
            prop_assert_eq!(found, *expected, "{}: {}, result {}", name, op, at);
        }
        prop_assert_eq!(engine.counters().blocks[0].saturated, sheet.saturated, "{}: saturations", name);
    }
    Ok(())
}

/// One block that runs these words.
pub fn plain_image(words: Vec<u32>, lanes: u16) -> Image {
    let mut chip = Chip::builtin("small").expect("a chip");
    chip.core.lanes = lanes;
    let raw = RawBlock {
        tile: 0,
        program: 0,
        host_axons: 1,
        tagged: false,
        spikes_only: false,
        memory_bytes: [4096; 3],
        contents: Vec::new(),
        routes: Vec::new(),
    };
    image(chip, vec![words], &[raw])
}

/// Whoever adds an instruction adds it to a sheet, or here.
#[test]
fn every_instruction_that_computes_is_on_a_sheet() {
    let sheets = [SCALAR, VECTOR, PREDICATE, SELECT].concat();
    let mut known: Vec<Op> = sheets.iter().map(|(op, _)| *op).collect();
    known.extend(IMMEDIATE.iter().map(|(op, ..)| *op));
    known.extend(REDUCE.iter().map(|(op, _)| *op));
    known.extend([Op::Pand, Op::Por, Op::Pnot, Op::Pcount, Op::Vlut, Op::Vshrs]);
    known.extend([Op::St, Op::Addm, Op::Vst, Op::Vld, Op::Vacc, Op::Vstr, Op::Vldr, Op::Vaccr, Op::Ld]);
    known.extend([Op::Vaddn16, Op::Vaddn32]);
    // Control, sends and moves: isa/conformance.
    let elsewhere = [
        Op::Nop,
        Op::Sleep,
        Op::Stay,
        Op::Jmp,
        Op::Beq,
        Op::Bne,
        Op::Blt,
        Op::Bge,
        Op::Loop,
        Op::Foreach,
        Op::Forset,
        Op::Special,
        Op::Setvl,
        Op::Setrow,
        Op::Vlds,
        Op::Vsts,
        Op::Vmv,
        Op::Vidx,
        Op::Vext,
        Op::Vins,
        Op::Spike,
        Op::Send,
        Op::Vsend,
    ];
    for row in INSTRUCTIONS {
        assert!(known.contains(&row.op) != elsewhere.contains(&row.op), "`{}`", row.mnemonic);
    }
}
