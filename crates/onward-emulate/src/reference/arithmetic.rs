//! Exact results, and what becomes of them in so many bits.

use onward_isa::Op;

/// The least and the greatest number of so many bits.
pub(super) fn range(bits: u32) -> (i128, i128) {
    (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
}

/// The nearest number of so many bits, and whether that is another (rule C3 counts those).
pub(super) fn saturate(exact: i128, bits: u32) -> (i32, bool) {
    let (min, max) = range(bits);
    let nearest = exact.clamp(min, max);
    (nearest as i32, nearest != exact)
}

/// What is shifted out: towards minus infinity, to the nearest with halves up, or with `noise` (the draw's highest
/// bits, as many as are shifted out) added before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rounding {
    Down,
    Nearest,
    Stochastic { key: u32, index: u32 },
}

/// `value / 2^amount` before saturation (rules I12, V4, N3).
pub(super) fn shift(value: i128, amount: i32, rounding: Rounding) -> i128 {
    let amount = amount.clamp(-31, 31);
    if amount <= 0 {
        return value * (1 << -amount);
    }
    let divisor: i128 = 1 << amount;
    match rounding {
        Rounding::Down => value.div_euclid(divisor),
        Rounding::Nearest => (2 * value + divisor).div_euclid(2 * divisor),
        Rounding::Stochastic { key, index } => {
            let noise = u64::from(noise(key, index)) >> (32 - amount);
            (value + i128::from(noise)).div_euclid(divisor)
        }
    }
}

/// The exact result of a scalar or vector instruction for one element. `d` is what the destination held, `b` the second
/// operand: an element, a scalar register or a number of the instruction.
pub(super) fn element(op: Op, d: i128, a: i128, b: i128) -> i128 {
    match op {
        Op::Add | Op::Addi | Op::Vadd | Op::Vadds => a + b,
        Op::Sub | Op::Vsub | Op::Vsubs => a - b,
        Op::Mul | Op::Vmul | Op::Vmuls => a * b,
        Op::Vmac | Op::Vmacs => d + a * b,
        Op::Min | Op::Vmin | Op::Vmins => a.min(b),
        Op::Max | Op::Vmax | Op::Vmaxs => a.max(b),
        Op::And | Op::Andi => a & b,
        Op::Or | Op::Ori => a | b,
        Op::Xor => a ^ b,
        Op::Shr | Op::Shri | Op::Vshr => shift(a, b as i32, Rounding::Down),
        Op::Vshrn => shift(a, b as i32, Rounding::Nearest),
        Op::Vscale | Op::Vscales => a * b / 65536, // integers divide towards zero
        _ => unreachable!("`{op:?}` is no arithmetic of two numbers"),
    }
}

/// Whether a comparison or the condition of a branch holds.
pub(super) fn holds(op: Op, a: i32, b: i32) -> bool {
    match op {
        Op::Beq | Op::Vceq | Op::Vceqs => a == b,
        Op::Bne => a != b,
        Op::Blt | Op::Vclt | Op::Vclts => a < b,
        Op::Bge | Op::Vcge | Op::Vcges => a >= b,
        _ => unreachable!("`{op:?}` is no comparison"),
    }
}

/// Rule N1.
pub(super) fn block_seed(seed: u64, block: u32) -> u64 {
    let modulus: u128 = 1 << 64;
    let times = |a: u128, b: u128| a * b % modulus; // both below 2^64
    let z = (u128::from(seed) + times(u128::from(block) + 1, 0x9e37_79b9_7f4a_7c15)) % modulus;
    let z = times(z ^ z >> 30, 0xbf58_476d_1ce4_e5b9);
    let z = times(z ^ z >> 27, 0x94d0_49bb_1331_11eb);
    (z ^ z >> 31) as u64
}

/// `a * b` modulo 2^32.
fn times(a: u32, b: u32) -> u32 {
    (u64::from(a) * u64::from(b) % (1 << 32)) as u32
}

/// `a + b` modulo 2^32.
fn plus(a: u32, b: u32) -> u32 {
    ((u64::from(a) + u64::from(b)) % (1 << 32)) as u32
}

/// Rule N2: the key of a draw.
pub(super) fn key(seed: u64, draw: u32) -> u32 {
    let mix = |x: u32| {
        let x = times(x ^ x >> 16, 0x7feb_352d);
        let x = times(x ^ x >> 15, 0x846c_a68b);
        x ^ x >> 16
    };
    let (low, high) = ((seed % (1 << 32)) as u32, (seed >> 32) as u32);
    mix(mix(plus(draw, low)) ^ high)
}

/// Rule N2: the noise of an element.
fn noise(key: u32, index: u32) -> u32 {
    let x = plus(key, times(index, 0x9e37_79b9));
    times(x ^ x >> 16, 0x7feb_352d)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shifts_round_as_they_say() {
        let shifted = |value, amount, rounding| shift(value, amount, rounding);
        assert_eq!([-3, -2, -1, 0, 1, 2, 3].map(|value| shifted(value, 1, Rounding::Down)), [-2, -1, -1, 0, 0, 1, 1]);
        assert_eq!([-3, -2, -1, 0, 1, 2, 3].map(|value| shifted(value, 1, Rounding::Nearest)), [-1, -1, 0, 0, 1, 1, 2]);
        assert_eq!(shifted(-1, 100, Rounding::Down), -1);
        assert_eq!(shifted(3, -100, Rounding::Nearest), 3 << 31);
    }

    #[test]
    fn the_generator_is_the_one_of_the_instruction_set() {
        for (seed, block, draw) in [(0, 0, 0), (1, 7, 3), (u64::MAX, u32::MAX, u32::MAX)] {
            let block_seed = block_seed(seed, block);
            assert_eq!(block_seed, onward_isa::random::block_seed(seed, block));
            let key = key(block_seed, draw);
            assert_eq!(key, onward_isa::random::key(block_seed, draw));
            assert!([0, 1, 4095].iter().all(|&i| noise(key, i) == onward_isa::random::noise(key, i)));
        }
    }
}
