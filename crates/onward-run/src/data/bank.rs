//! A bank of band-pass filters: from a waveform to the loudness of pitches over time.
//!
//! All of it is in integers, but for the filters' coefficients: these come of additions, multiplications and divisions of
//! 64-bit floating point alone, which IEEE 754 fixes to the bit, and are rounded to integers. So the same recording gives
//! the same bytes on every machine.

use std::f64::consts::TAU;

/// Samples a second of the recordings.
pub(super) const RATE: u32 = 8000;
/// Filters.
pub(super) const CHANNELS: usize = 32;
/// Moments of a recording: rows of what comes out.
pub(super) const FRAMES: usize = 64;

/// Where the lowest filter lies, in hertz.
const LOWEST: f64 = 120.0;
/// `700 Hz + f` grows by this from filter to filter, as pitch is heard (O'Shaughnessy's mel scale): the 32nd is at 3,700 Hz.
const SPACING: f64 = 1.055_690_8;
/// The least width of a filter, in hertz: narrower ones would ring longer than sounds last.
const NARROWEST: f64 = 60.0;
/// Fraction bits of coefficients.
const COEFFICIENT_BITS: u32 = 28;
/// Fraction bits of what passes the filters.
const SIGNAL_BITS: u32 = 8;
/// Samples over which magnitudes are added up: 5 ms.
const PIECE: usize = 40;
/// Pieces that a moment looks at, at least.
const PIECES_A_FRAME: usize = 3;
/// A recording begins and ends with the first and last piece that is at least so loud, as a part of the loudest.
const QUIET: u64 = 10;
/// Octaves of amplitude from silence, 0, to the loudest, 255: 48 dB.
const OCTAVES: i64 = 8;

/// A second-order band-pass filter with a gain of 1 at its centre, in direct form:
/// `y[t] = b (x[t] - x[t-2]) - a1 y[t-1] - a2 y[t-2]` (R. Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter
/// coefficients").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Section {
    b: i64,
    a1: i64,
    a2: i64,
}

/// What a section has seen.
#[derive(Clone, Copy, Default)]
struct State {
    x: [i64; 2],
    y: [i64; 2],
}

/// The filters.
#[derive(Clone, Debug)]
pub(super) struct Bank {
    sections: Vec<Section>,
}

/// The sine of so many turns, -0.5 to 0.5: Taylor's series, whose further terms are below 2^-60.
fn sine(turns: f64) -> f64 {
    let x = turns * TAU;
    let (mut term, mut sum, mut n) = (x, x, 1.0);
    while n < 40.0 {
        term = -term * x * x / ((n + 1.0) * (n + 2.0));
        sum += term;
        n += 2.0;
    }
    sum
}

impl Section {
    fn new(centre: f64, width: f64) -> Section {
        let turns = centre / f64::from(RATE);
        let alpha = sine(turns) * width / (2.0 * centre);
        let fixed = |value: f64| (value / (1.0 + alpha) * f64::from(1u32 << COEFFICIENT_BITS)).round() as i64;
        Section { b: fixed(alpha), a1: fixed(-2.0 * sine(0.25 - turns)), a2: fixed(1.0 - alpha) }
    }

    /// The next output, rounded to the nearest.
    fn pass(self, state: &mut State, x: i64) -> i64 {
        let sum = self.b * (x - state.x[1]) - self.a1 * state.y[0] - self.a2 * state.y[1];
        let y = (sum + (1 << (COEFFICIENT_BITS - 1))) >> COEFFICIENT_BITS;
        state.x = [x, state.x[0]];
        state.y = [y, state.y[0]];
        y
    }
}

impl Bank {
    pub(super) fn new() -> Bank {
        let mut above = 700.0 + LOWEST;
        let sections = (0..CHANNELS).map(|_| {
            let (centre, width) = (above - 700.0, (above * (SPACING - 1.0)).max(NARROWEST));
            above *= SPACING;
            Section::new(centre, width)
        });
        Bank { sections: sections.collect() }
    }

    /// [`FRAMES`] rows of [`CHANNELS`] values of a recording, low pitches first: the logarithm of the magnitude, 255 for the
    /// loudest of the recording, 0 for [`OCTAVES`] octaves less. What is quiet at both ends is left out, and what remains
    /// is looked at in as many moments, evenly spread, whatever its length.
    pub(super) fn rows(&self, wave: &[i16]) -> Vec<u8> {
        let pieces = self.magnitudes(wave);
        let (begin, end) = loud(&pieces);
        let mut levels = Vec::with_capacity(FRAMES * CHANNELS);
        for frame in 0..FRAMES {
            let length = end - begin;
            let first = begin + frame * length / FRAMES;
            let behind = (begin + (frame + 1) * length / FRAMES).max(first + 1);
            let missing = PIECES_A_FRAME.saturating_sub(behind - first);
            let first = first.saturating_sub(missing / 2);
            let behind = (behind + missing.div_ceil(2)).min(pieces.len());
            let seen = &pieces[first..behind];
            levels.extend((0..CHANNELS).map(|channel| {
                let sum: u64 = seen.iter().map(|piece| piece[channel]).sum();
                logarithm((sum / seen.len() as u64).max(1))
            }));
        }
        let top = levels.iter().copied().max().unwrap_or(0);
        let range = OCTAVES << 8;
        levels.iter().map(|level| (255 * (level - top + range) / range).clamp(0, 255) as u8).collect()
    }

    /// Sums of the filters' magnitudes over each piece. Each filter is two sections, one behind the other.
    fn magnitudes(&self, wave: &[i16]) -> Vec<[u64; CHANNELS]> {
        let mut pieces = vec![[0; CHANNELS]; wave.len().div_ceil(PIECE).max(1)];
        for (channel, section) in self.sections.iter().enumerate() {
            let (mut first, mut second) = (State::default(), State::default());
            for (piece, wave) in pieces.iter_mut().zip(wave.chunks(PIECE)) {
                for &sample in wave {
                    let once = section.pass(&mut first, i64::from(sample) << SIGNAL_BITS);
                    piece[channel] += section.pass(&mut second, once).unsigned_abs();
                }
            }
        }
        pieces
    }
}

/// The pieces between which a recording is not quiet.
fn loud(pieces: &[[u64; CHANNELS]]) -> (usize, usize) {
    let loudness: Vec<u64> = pieces.iter().map(|piece| piece.iter().sum()).collect();
    let most = loudness.iter().copied().max().unwrap_or(0);
    let is_loud = |&level: &u64| level >= most / QUIET;
    let begin = loudness.iter().position(is_loud).unwrap_or(0);
    let end = loudness.iter().rposition(is_loud).map_or(pieces.len(), |last| last + 1);
    (begin, end)
}

/// The logarithm to base 2 with 8 fraction bits, between powers of two in a straight line.
fn logarithm(value: u64) -> i64 {
    let exponent = value.ilog2();
    let mantissa = if exponent >= 8 { value >> (exponent - 8) } else { value << (8 - exponent) };
    i64::from(exponent) * 256 + mantissa as i64 - 256
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sines_are_sines() {
        for turn in -50..=50 {
            let turns = f64::from(turn) / 100.0;
            assert!((sine(turns) - (turns * TAU).sin()).abs() < 1e-14);
        }
    }

    #[test]
    fn a_tone_is_loudest_in_its_channel() {
        let bank = Bank::new();
        let mut above = 700.0 + LOWEST;
        for channel in 0..CHANNELS {
            let turns = (above - 700.0) / f64::from(RATE);
            above *= SPACING;
            let wave: Vec<i16> = (0..4000).map(|t| (8000.0 * (TAU * turns * f64::from(t)).sin()) as i16).collect();
            let rows = bank.rows(&wave);
            let row = &rows[FRAMES / 2 * CHANNELS..][..CHANNELS];
            assert_eq!(row.iter().max(), Some(&row[channel]), "{row:?}");
        }
        assert!((above / SPACING - 4400.0).abs() < 0.1, "the last filter is at 3,700 Hz");
    }

    #[test]
    fn loudness_length_and_silence_do_not_matter() {
        let bank = Bank::new();
        // A tone that rises in pitch.
        let chirp = |length: i32, amplitude: f64| -> Vec<i16> {
            let at = |t: i32| f64::from(t) / f64::from(length);
            let phase = |t: i32| f64::from(length) * at(t) * (0.04 + 0.1 * at(t));
            (0..length).map(|t| (amplitude * (TAU * phase(t)).sin()) as i16).collect()
        };
        let rows = bank.rows(&chirp(4000, 12000.0));
        let away = |other: &[u8]| {
            rows.iter().zip(other).map(|(&a, &b)| f64::from(a.abs_diff(b))).sum::<f64>() / rows.len() as f64
        };
        assert!(away(&bank.rows(&chirp(4000, 3000.0))) < 2.0, "quieter");
        assert!(away(&bank.rows(&chirp(8000, 12000.0))) < 20.0, "longer");
        let silence = vec![0; 2000];
        let padded: Vec<i16> = [silence.clone(), chirp(4000, 12000.0), silence].concat();
        assert!(away(&bank.rows(&padded)) < 8.0, "with silence about it");
    }

    #[test]
    fn degenerate_recordings_have_rows() {
        let bank = Bank::new();
        for wave in [vec![], vec![0; 100], vec![i16::MIN; 1], vec![i16::MAX; 50_000]] {
            assert_eq!(bank.rows(&wave).len(), FRAMES * CHANNELS);
        }
    }
}
