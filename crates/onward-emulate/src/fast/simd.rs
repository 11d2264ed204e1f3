//! The interpreter compiled for several instruction sets of the host, chosen when the machine is made.
//!
//! The loops over vectors are plain Rust that the compiler turns into SIMD. With what every x86-64 has, an epoch of MNIST took
//! 39 s, with AVX2 16 s (one thread, no timing). Integer arithmetic is the same in all of them, so are the results.

#![allow(unsafe_code)]

use super::block::{Block, Chunk, Scratch};
use super::outlet::Outlet;
use crate::fault::Fault;

/// What the host can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Simd {
    /// What every host of this kind has.
    Baseline,
    /// AVX2.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512 F, BW, DQ, VL.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Simd {
    /// The most this host can do.
    pub fn detect() -> Simd {
        #[cfg(target_arch = "x86_64")]
        {
            // Every feature that the functions below are compiled for.
            let avx2 = is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("bmi1")
                && is_x86_feature_detected!("bmi2")
                && is_x86_feature_detected!("lzcnt")
                && is_x86_feature_detected!("popcnt");
            let avx512 = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl");
            match (avx2, avx512) {
                (true, true) => return Simd::Avx512,
                (true, false) => return Simd::Avx2,
                (false, _) => {}
            }
        }
        Simd::Baseline
    }

    /// [`Block::run_chunk`] on it.
    pub fn run_chunk(
        self,
        block: &mut Block,
        chunk: Chunk,
        others: &[Outlet],
        own: &mut [Outlet],
        scratch: &mut Scratch,
    ) -> Result<(), Fault> {
        match self {
            Simd::Baseline => block.run_chunk(chunk, others, own, scratch),
            // SAFETY: `detect` found every feature that the function is compiled for.
            #[cfg(target_arch = "x86_64")]
            Simd::Avx2 => unsafe { x86::run_chunk_avx2(block, chunk, others, own, scratch) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Simd::Avx512 => unsafe { x86::run_chunk_avx512(block, chunk, others, own, scratch) },
        }
    }

    /// [`Block::run_slot`] on it.
    pub fn run_slot(
        self,
        block: &mut Block,
        chunk: Chunk,
        slot: usize,
        own: &mut [Outlet],
        scratch: &mut Scratch,
    ) -> Result<(), Fault> {
        match self {
            Simd::Baseline => block.run_slot(chunk, slot, own, scratch),
            // SAFETY: `detect` found every feature that the function is compiled for.
            #[cfg(target_arch = "x86_64")]
            Simd::Avx2 => unsafe { x86::run_slot_avx2(block, chunk, slot, own, scratch) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Simd::Avx512 => unsafe { x86::run_slot_avx512(block, chunk, slot, own, scratch) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Block, Chunk, Fault, Outlet, Scratch};

    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    pub fn run_chunk_avx2(
        block: &mut Block,
        chunk: Chunk,
        others: &[Outlet],
        own: &mut [Outlet],
        scratch: &mut Scratch,
    ) -> Result<(), Fault> {
        block.run_chunk(chunk, others, own, scratch)
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi1,bmi2,lzcnt,popcnt")]
    pub fn run_chunk_avx512(
        block: &mut Block,
        chunk: Chunk,
        others: &[Outlet],
        own: &mut [Outlet],
        scratch: &mut Scratch,
    ) -> Result<(), Fault> {
        block.run_chunk(chunk, others, own, scratch)
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    pub fn run_slot_avx2(
        block: &mut Block,
        chunk: Chunk,
        slot: usize,
        own: &mut [Outlet],
        scratch: &mut Scratch,
    ) -> Result<(), Fault> {
        block.run_slot(chunk, slot, own, scratch)
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi1,bmi2,lzcnt,popcnt")]
    pub fn run_slot_avx512(
        block: &mut Block,
        chunk: Chunk,
        slot: usize,
        own: &mut [Outlet],
        scratch: &mut Scratch,
    ) -> Result<(), Fault> {
        block.run_slot(chunk, slot, own, scratch)
    }
}
