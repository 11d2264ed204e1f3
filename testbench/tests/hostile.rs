//! Files from strangers: whatever bytes they are, nothing panics. A short run of what `testbench/campaigns/fuzz.sh` does for
//! long, with changes drawn at random in place of those that libFuzzer finds.

#[path = "../fuzz/src/lib.rs"]
mod fuzz;

use std::time::{Duration, Instant};

/// Changes are tried for so long of each kind of file, and so many at least.
const TIME: Duration = Duration::from_millis(700);
const LEAST: u64 = 20;
/// Bytes of an input, at most.
const MOST_BYTES: usize = 1 << 14;

/// SplitMix64.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

/// What breaks readers of numbers.
const NUMBERS: [&[u8]; 10] = [
    &[0xff; 8],
    &[0xff; 4],
    &[0; 8],
    &[0, 0, 0, 0x80],
    &[0xff, 0xff, 0xff, 0x7f],
    b"-1",
    b"4294967296",
    b"99999999999999999999",
    b"1e999",
    b"(((((((((((((((((((((((((((((((((((((((((",
];

/// Changes bytes at one to four places.
fn mutate(bytes: &mut Vec<u8>, others: &[Vec<u8>], draws: &mut Draws) {
    for _ in 0..=draws.below(4) {
        let at = draws.below(bytes.len());
        let length = 1 + draws.below(32.min(bytes.len() - at));
        match draws.below(8) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << draws.below(8),
            1 if !bytes.is_empty() => bytes[at] = draws.next() as u8,
            2 => drop(bytes.drain(at..(at + length).min(bytes.len()))),
            3 => {
                let part = bytes[at..(at + length).min(bytes.len())].to_vec();
                let to = draws.below(bytes.len() + 1);
                bytes.splice(to..to, part);
            }
            4 | 5 => {
                let number = NUMBERS[draws.below(NUMBERS.len())];
                let end = if draws.below(2) == 0 { at } else { (at + number.len()).min(bytes.len()) };
                bytes.splice(at..end, number.iter().copied());
            }
            6 => {
                let other = &others[draws.below(others.len())];
                let from = draws.below(other.len());
                let part = other[from..other.len().min(from + 1 + draws.below(256))].to_vec();
                bytes.splice(at..at, part);
            }
            _ => bytes.truncate(at),
        }
    }
    bytes.truncate(MOST_BYTES);
}

fn try_out(target: &str) {
    let seeds = fuzz::seeds::of(target);
    assert!(!seeds.is_empty(), "`{target}` has no seeds");
    for (number, seed) in seeds.iter().enumerate() {
        eprintln!("{target}: seed {number}"); // the last one that a failure shows is the one that it is of
        fuzz::run(target, seed);
    }
    let begin = Instant::now();
    for number in 0u64.. {
        if number >= LEAST && begin.elapsed() > TIME {
            break;
        }
        let mut draws = Draws(number);
        let mut bytes = seeds[draws.below(seeds.len())].clone();
        mutate(&mut bytes, &seeds, &mut draws);
        let tried = std::panic::catch_unwind(|| fuzz::run(target, &bytes));
        assert!(tried.is_ok(), "`{target}` breaks at change {number}: {}", bytes.escape_ascii());
    }
}

macro_rules! tests {
    ($($target:ident)*) => {
        $(#[test]
        fn $target() {
            try_out(stringify!($target));
        })*

        #[test]
        fn every_kind_is_tried() {
            let tried = [$(stringify!($target)),*];
            assert_eq!(fuzz::TARGETS.iter().map(|(name, _)| *name).collect::<Vec<_>>(), tried);
        }
    };
}

tests!(network compiler assembly chip technology image nir npz npy table idx recordings checkpoint events faults space record);
