//! Vector registers and what is computed with them: whole vectors at once, in loops the compiler turns into SIMD.

use onward_isa::{Width, random};

/// The vector and predicate registers while a block runs.
///
/// A register's elements read as 0 until written in the same step of the block; `initialized` says how far that is.
pub(super) struct Vectors {
    registers: [Vec<i32>; 8],
    initialized: [usize; 8],
    /// Predicates as bitsets, bit i for element i.
    predicates: [Vec<u64>; 4],
    /// The vector length.
    pub length: usize,
}

/// A value and whether it was saturated (0 or 1).
type Saturated = (i32, u32);

#[inline(always)]
pub(super) fn add(a: i32, b: i32) -> Saturated {
    let sum = a.wrapping_add(b);
    let over = ((a ^ sum) & (b ^ sum)) >> 31;
    ((sum & !over) | (((sum >> 31) ^ i32::MIN) & over), (over & 1) as u32)
}

#[inline(always)]
pub(super) fn sub(a: i32, b: i32) -> Saturated {
    let difference = a.wrapping_sub(b);
    let over = ((a ^ b) & (a ^ difference)) >> 31;
    ((difference & !over) | (((difference >> 31) ^ i32::MIN) & over), (over & 1) as u32)
}

#[inline(always)]
pub(super) fn clamp(exact: i64) -> Saturated {
    let value = exact.clamp(i64::from(i32::MIN), i64::from(i32::MAX));
    (value as i32, u32::from(value != exact))
}

#[inline(always)]
pub(super) fn mul(a: i32, b: i32) -> Saturated {
    clamp(i64::from(a) * i64::from(b))
}

#[inline(always)]
pub(super) fn mac(sum: i32, a: i32, b: i32) -> Saturated {
    clamp(i64::from(sum) + i64::from(a) * i64::from(b))
}

/// `a * b / 2^16`, rounded towards zero.
#[inline(always)]
pub(super) fn scale(a: i32, b: i32) -> Saturated {
    let product = i64::from(a) * i64::from(b);
    // What is below zero is rounded up: all ones below the point are added first.
    clamp((product + (product >> 63 & 0xffff)) >> 16)
}

/// `value * 2^amount` for an amount of 0 to 31.
#[inline(always)]
pub(super) fn shift_left(value: i32, amount: u32) -> Saturated {
    clamp(i64::from(value) << amount)
}

/// `value / 2^amount` rounded down, or shifted left and saturated if the amount is negative.
#[inline(always)]
pub(super) fn shift(value: i32, amount: i32) -> Saturated {
    match amount.clamp(-31, 31) {
        amount if amount < 0 => shift_left(value, -amount as u32),
        amount => (value >> amount, 0),
    }
}

/// A value saturated to a width, and whether it was.
#[inline(always)]
pub(super) fn narrow(value: i32, width: Width) -> (i32, u32) {
    let (min, max) = width.range();
    let narrow = value.clamp(min, max);
    (narrow, u32::from(narrow != value))
}

impl Vectors {
    pub fn new(capacity: usize) -> Self {
        Vectors {
            registers: std::array::from_fn(|_| vec![0; capacity]),
            initialized: [0; 8],
            predicates: std::array::from_fn(|_| vec![0; capacity.div_ceil(64)]),
            length: 0,
        }
    }

    /// As at the start of a block: all registers read as 0, the length is 0.
    pub fn clear(&mut self) {
        self.initialized = [0; 8];
        self.length = 0;
        for predicate in &mut self.predicates {
            predicate.fill(0);
        }
    }

    /// Makes the first `length` elements of a register readable.
    #[inline(always)]
    fn touch(&mut self, register: u8) {
        let (register, length) = (usize::from(register), self.length);
        if self.initialized[register] < length {
            self.registers[register][self.initialized[register]..length].fill(0);
            self.initialized[register] = length;
        }
    }

    /// A register's first `length` elements.
    #[inline(always)]
    pub fn read(&mut self, register: u8) -> &[i32] {
        self.touch(register);
        &self.registers[usize::from(register)][..self.length]
    }

    /// A register's first `length` elements, to be written or changed.
    #[inline(always)]
    pub fn write(&mut self, register: u8) -> &mut [i32] {
        self.touch(register);
        &mut self.registers[usize::from(register)][..self.length]
    }

    /// `d[i] = f(a[i])`; returns how many were saturated.
    #[inline(always)]
    pub fn unary(&mut self, d: u8, a: u8, f: impl Fn(i32) -> Saturated) -> u32 {
        self.touch(d);
        self.touch(a);
        let mut saturated = 0;
        if d == a {
            for d in &mut self.registers[usize::from(d)][..self.length] {
                let (value, over) = f(*d);
                *d = value;
                saturated += over;
            }
        } else {
            let mut out = std::mem::take(&mut self.registers[usize::from(d)]);
            for (d, &a) in out[..self.length].iter_mut().zip(&self.registers[usize::from(a)][..self.length]) {
                let (value, over) = f(a);
                *d = value;
                saturated += over;
            }
            self.registers[usize::from(d)] = out;
        }
        saturated
    }

    /// `d[i] = f(d[i], a[i], b[i])`; returns how many were saturated.
    #[inline(always)]
    pub fn ternary(&mut self, d: u8, a: u8, b: u8, f: impl Fn(i32, i32, i32) -> Saturated) -> u32 {
        self.touch(d);
        self.touch(a);
        self.touch(b);
        let length = self.length;
        let mut out = std::mem::take(&mut self.registers[usize::from(d)]);
        let mut saturated = 0;
        let mut put = |d: &mut i32, (value, over): Saturated| {
            *d = value;
            saturated += over;
        };
        let registers = &self.registers;
        match (a == d, b == d) {
            (false, false) => {
                let (a, b) = (&registers[usize::from(a)][..length], &registers[usize::from(b)][..length]);
                for ((d, &a), &b) in out[..length].iter_mut().zip(a).zip(b) {
                    put(d, f(*d, a, b));
                }
            }
            (true, false) => {
                for (d, &b) in out[..length].iter_mut().zip(&registers[usize::from(b)][..length]) {
                    put(d, f(*d, *d, b));
                }
            }
            (false, true) => {
                for (d, &a) in out[..length].iter_mut().zip(&registers[usize::from(a)][..length]) {
                    put(d, f(*d, a, *d));
                }
            }
            (true, true) => {
                for d in &mut out[..length] {
                    put(d, f(*d, *d, *d));
                }
            }
        }
        self.registers[usize::from(d)] = out;
        saturated
    }

    /// `d[i] = f(d[i], a[i])`; returns how many were saturated.
    #[inline(always)]
    pub fn accumulate(&mut self, d: u8, a: u8, f: impl Fn(i32, i32) -> Saturated) -> u32 {
        self.ternary(d, a, a, |d, a, _| f(d, a))
    }

    /// `d[i] = p[i] ? yes(..) : no(..)` of `a[i]` and `b[i]`.
    #[inline(always)]
    pub fn select(&mut self, d: u8, a: u8, b: u8, predicate: u8, f: impl Fn(bool, i32, i32) -> Saturated) -> u32 {
        self.touch(d);
        self.touch(a);
        self.touch(b);
        let length = self.length;
        let mut out = std::mem::take(&mut self.registers[usize::from(d)]);
        let mut saturated = 0;
        let bits = &self.predicates[usize::from(predicate)];
        for (word, chunk) in bits.iter().zip(out[..length].chunks_mut(64)).enumerate().map(|(at, (w, c))| ((at, *w), c))
        {
            let (at, word) = word;
            let from = |register: u8| {
                (register != d).then(|| &self.registers[usize::from(register)][at * 64..at * 64 + chunk.len()])
            };
            let mut put = |i: usize, d: &mut i32, a: i32, b: i32| {
                let (value, over) = f(word >> i & 1 != 0, a, b);
                *d = value;
                saturated += over;
            };
            match (from(a), from(b)) {
                (Some(a), Some(b)) => {
                    for (i, ((d, &a), &b)) in chunk.iter_mut().zip(a).zip(b).enumerate() {
                        put(i, d, a, b);
                    }
                }
                (None, Some(b)) => {
                    for (i, (d, &b)) in chunk.iter_mut().zip(b).enumerate() {
                        put(i, d, *d, b);
                    }
                }
                (Some(a), None) => {
                    for (i, (d, &a)) in chunk.iter_mut().zip(a).enumerate() {
                        put(i, d, a, *d);
                    }
                }
                (None, None) => {
                    for (i, d) in chunk.iter_mut().enumerate() {
                        put(i, d, *d, *d);
                    }
                }
            }
        }
        self.registers[usize::from(d)] = out;
        saturated
    }

    /// A bit of a predicate.
    #[inline(always)]
    pub fn is_set(&self, predicate: u8, index: usize) -> bool {
        self.predicates[usize::from(predicate)][index / 64] >> (index % 64) & 1 != 0
    }

    /// `d = f(a, b)` for predicates, all bits.
    #[inline(always)]
    pub fn combine(&mut self, d: u8, a: u8, b: u8, f: impl Fn(u64, u64) -> u64) {
        for at in 0..self.predicates[0].len() {
            let bits = f(self.predicates[usize::from(a)][at], self.predicates[usize::from(b)][at]);
            self.predicates[usize::from(d)][at] = bits;
        }
    }

    /// `d = !a` below the length, nothing above.
    #[inline(always)]
    pub fn invert(&mut self, d: u8, a: u8) {
        for at in 0..self.predicates[0].len() {
            let below = self.length.saturating_sub(at * 64).min(64);
            let mask = if below == 64 { u64::MAX } else { (1 << below) - 1 };
            self.predicates[usize::from(d)][at] = !self.predicates[usize::from(a)][at] & mask;
        }
    }

    /// Sets a predicate to a comparison of two vectors.
    #[inline(always)]
    pub fn compare(&mut self, predicate: u8, a: u8, b: u8, f: impl Fn(i32, i32) -> bool) {
        self.touch(a);
        self.touch(b);
        let (a, b) = (&self.registers[usize::from(a)][..self.length], &self.registers[usize::from(b)][..self.length]);
        let out = &mut self.predicates[usize::from(predicate)];
        out.fill(0);
        for ((out, a), b) in out.iter_mut().zip(a.chunks(64)).zip(b.chunks(64)) {
            for (i, (&a, &b)) in a.iter().zip(b).enumerate() {
                *out |= u64::from(f(a, b)) << i;
            }
        }
    }

    /// `d[i] = a[i] / 2^shift`, rounded up with the probability of what is cut off; shift is 1 to 31.
    #[inline(always)]
    pub fn shift_random(&mut self, d: u8, a: u8, shift: u32, key: u32) {
        self.touch(d);
        self.touch(a);
        let mask = (1 << shift) - 1;
        let round = |i: usize, a: i32| {
            let noise = random::noise(key, i as u32) >> (32 - shift);
            (a >> shift) + (((a as u32 & mask) + noise) >> shift) as i32
        };
        if d == a {
            for (i, d) in self.registers[usize::from(d)][..self.length].iter_mut().enumerate() {
                *d = round(i, *d);
            }
        } else {
            let mut out = std::mem::take(&mut self.registers[usize::from(d)]);
            let a = &self.registers[usize::from(a)][..self.length];
            for (i, (d, &a)) in out[..self.length].iter_mut().zip(a).enumerate() {
                *d = round(i, a);
            }
            self.registers[usize::from(d)] = out;
        }
    }

    /// The exact scalar product, modulo 2^64.
    #[inline(always)]
    pub fn dot(&mut self, a: u8, b: u8) -> i64 {
        self.touch(a);
        self.touch(b);
        let (a, b) = (&self.registers[usize::from(a)][..self.length], &self.registers[usize::from(b)][..self.length]);
        a.iter().zip(b).fold(0i64, |sum, (&a, &b)| sum.wrapping_add(i64::from(a) * i64::from(b)))
    }

    /// The lowest set bit of a predicate from `first` on.
    #[inline(always)]
    pub fn next_set(&self, predicate: u8, first: u32) -> Option<u32> {
        let words = &self.predicates[usize::from(predicate)];
        let mut at = first as usize / 64;
        let mut word = words.get(at)? & (u64::MAX << (first % 64));
        while word == 0 {
            at += 1;
            word = *words.get(at)?;
        }
        Some((at * 64) as u32 + word.trailing_zeros())
    }

    /// The set bits of a predicate below the length, word by word.
    #[inline(always)]
    pub fn masked(&self, predicate: u8) -> impl Iterator<Item = u64> + '_ {
        let length = self.length;
        self.predicates[usize::from(predicate)].iter().enumerate().map(move |(at, &word)| {
            let below = length.saturating_sub(at * 64).min(64);
            if below == 64 { word } else { word & ((1 << below) - 1) }
        })
    }
}
