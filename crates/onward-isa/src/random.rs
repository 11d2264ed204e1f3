//! The generator behind stochastic rounding, to the bit.
//!
//! A draw is a function of the block's seed, the block's draw counter and the neuron's index, so it is the same
//! wherever the block lies and however many lanes compute at once. All arithmetic is modulo 2^32:
//!
//! ```text
//! mix(x):      x ^= x >> 16;  x *= 0x7feb352d;  x ^= x >> 15;  x *= 0x846ca68b;  x ^= x >> 16
//! key(n):      mix(mix(n + low half of seed) ^ high half of seed)       n: the draw counter
//! noise(n, i): x = key(n) + i * 0x9e3779b9;  x ^= x >> 16;  x *= 0x7feb352d
//! ```
//!
//! `vshrs` by s takes the s highest bits of the noise. `mix` is the 32-bit finalizer "lowbias32" of C. Wellons
//! (hash-prospector, 2018, public domain). A core computes the next key while other instructions run; a lane needs one
//! addition of a constant multiple and one multiplication by a constant.

/// Scrambles 32 bits, one to one.
#[inline(always)]
pub const fn mix(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x7feb_352d);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846c_a68b);
    x ^ x >> 16
}

/// The key that the draws of one `vshrs` share; `counter` is how many the block has executed before.
#[inline(always)]
pub const fn key(seed: u64, counter: u32) -> u32 {
    mix(mix(counter.wrapping_add(seed as u32)) ^ (seed >> 32) as u32)
}

/// 32 random bits for the element `index`; the highest are the best.
#[inline(always)]
pub const fn noise(key: u32, index: u32) -> u32 {
    let x = key.wrapping_add(index.wrapping_mul(0x9e37_79b9));
    (x ^ x >> 16).wrapping_mul(0x7feb_352d)
}

/// The seed of a block's generator, from the run's seed and the block's logical number: SplitMix64's output function
/// (Steele, Lea, Flood, OOPSLA 2014) on `seed + (block + 1) * 0x9e3779b97f4a7c15`, modulo 2^64.
pub const fn block_seed(seed: u64, block: u32) -> u64 {
    let mut z = seed.wrapping_add((block as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}
