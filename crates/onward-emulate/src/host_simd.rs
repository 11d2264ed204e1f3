//! Functions compiled for several instruction sets of the host, the best of which is chosen when the program runs.
//!
//! The hot loops over vectors and words are plain Rust that the compiler turns into SIMD. With what every x86-64 has, an
//! epoch of MNIST took 39 s, with AVX2 16 s (one thread, no timing). Integer arithmetic is the same in all of them, so are
//! the results.

/// An instruction set of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Simd {
    /// What every host of this kind has.
    Baseline,
    /// AVX2, and BMI, LZCNT, POPCNT.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512 F, BW, DQ, VL, and all of [`Simd::Avx2`].
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Simd {
    /// The most this host can do.
    pub fn detect() -> Simd {
        #[cfg(target_arch = "x86_64")]
        {
            // Every feature that `compiled_for_host` compiles for.
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
}

/// Makes a function whose body is compiled once for each [`Simd`], its first argument. What the body calls is compiled
/// with it as far as it is `#[inline(always)]`.
macro_rules! compiled_for_host {
    (
        $(#[$attribute:meta])*
        $visibility:vis fn $name:ident($($argument:ident: $type:ty),+ $(,)?) $(-> $result:ty)? $body:block
    ) => {
        $(#[$attribute])*
        #[allow(unsafe_code)]
        $visibility fn $name(simd: $crate::host_simd::Simd, $($argument: $type),+) $(-> $result)? {
            #[inline(always)]
            fn baseline($($argument: $type),+) $(-> $result)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
            fn avx2($($argument: $type),+) $(-> $result)? {
                baseline($($argument),+)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi1,bmi2,lzcnt,popcnt")]
            fn avx512($($argument: $type),+) $(-> $result)? {
                baseline($($argument),+)
            }

            match simd {
                $crate::host_simd::Simd::Baseline => baseline($($argument),+),
                // SAFETY: `Simd::detect`, which alone makes this, found every feature the function is compiled for.
                #[cfg(target_arch = "x86_64")]
                $crate::host_simd::Simd::Avx2 => unsafe { avx2($($argument),+) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::host_simd::Simd::Avx512 => unsafe { avx512($($argument),+) },
            }
        }
    };
}

pub(crate) use compiled_for_host;
