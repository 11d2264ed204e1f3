//! The interpreter compiled for several instruction sets of the host, chosen when the machine is made.
//!
//! The loops over vectors are plain Rust that the compiler turns into SIMD; with AVX2 or AVX-512 they run two to four
//! times faster than with what every x86-64 has. Integer arithmetic is the same in all of them, so are the results.

#![allow(unsafe_code)]

use super::block::{Block, Limits, Scratch};
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
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("bmi2")
            {
                return Simd::Avx512;
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi2") {
                return Simd::Avx2;
            }
        }
        Simd::Baseline
    }

    /// [`Block::run_chunk`] on it.
    #[allow(clippy::too_many_arguments)]
    pub fn run_chunk(
        self,
        block: &mut Block,
        first_step: u64,
        steps: usize,
        others: &[Outlet],
        own: &mut [Outlet],
        limits: Limits,
        scratch: &mut Scratch,
    ) -> Result<(), Fault> {
        match self {
            Simd::Baseline => block.run_chunk(first_step, steps, others, own, limits, scratch),
            // SAFETY: `detect` found every feature that the function is compiled for.
            #[cfg(target_arch = "x86_64")]
            Simd::Avx2 => unsafe { x86::run_chunk_avx2(block, first_step, steps, others, own, limits, scratch) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Simd::Avx512 => unsafe { x86::run_chunk_avx512(block, first_step, steps, others, own, limits, scratch) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Block, Fault, Limits, Outlet, Scratch};

    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    pub fn run_chunk_avx2(
        block: &mut Block,
        first_step: u64,
        steps: usize,
        others: &[Outlet],
        own: &mut [Outlet],
        limits: Limits,
        scratch: &mut Scratch,
    ) -> Result<(), Fault> {
        block.run_chunk(first_step, steps, others, own, limits, scratch)
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi1,bmi2,lzcnt,popcnt")]
    pub fn run_chunk_avx512(
        block: &mut Block,
        first_step: u64,
        steps: usize,
        others: &[Outlet],
        own: &mut [Outlet],
        limits: Limits,
        scratch: &mut Scratch,
    ) -> Result<(), Fault> {
        block.run_chunk(first_step, steps, others, own, limits, scratch)
    }
}
