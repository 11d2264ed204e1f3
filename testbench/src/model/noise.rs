//! The random bits of a block, after the text in `isa/microarchitecture.md`.

/// The generator of a block: each draw gives all elements of a vector bits of their own.
#[derive(Clone, Debug)]
pub struct Noise {
    seed: u64,
    draws: u32,
}

/// One draw.
#[derive(Clone, Copy, Debug)]
pub struct Draw(u32);

fn mix(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x7feb352d);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846ca68b);
    x ^= x >> 16;
    x
}

impl Noise {
    /// The generator of the block of this logical number, in a run of this seed.
    pub fn new(seed: u64, block: usize) -> Noise {
        // SplitMix64's output function on `seed + (block + 1) * 0x9e3779b97f4a7c15`.
        let mut z = seed.wrapping_add((block as u64 + 1).wrapping_mul(0x9e3779b97f4a7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d049bb133111eb);
        Noise { seed: z ^ (z >> 31), draws: 0 }
    }

    /// The next draw.
    pub fn draw(&mut self) -> Draw {
        let low = (self.seed % (1 << 32)) as u32;
        let high = (self.seed / (1 << 32)) as u32;
        let key = mix(mix(self.draws.wrapping_add(low)) ^ high);
        self.draws = self.draws.wrapping_add(1);
        Draw(key)
    }
}

impl Draw {
    /// 32 random bits, for the element `i`.
    #[inline]
    pub fn bits(self, i: usize) -> u32 {
        let mut x = self.0.wrapping_add((i as u32).wrapping_mul(0x9e3779b9));
        x ^= x >> 16;
        x.wrapping_mul(0x7feb352d)
    }
}
