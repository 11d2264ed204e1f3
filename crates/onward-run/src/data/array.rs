//! Arrays as NumPy writes them (`.npy`): integers and real numbers of all widths, in either order of bytes and of axes.

use super::error::Problem;
use crate::weights::{place_in, real};
use npyz::{DType, Endianness, NpyHeader, Order, TypeChar, TypeStr};
use onward_diagnostic::npy_header;
use std::io::Read;

/// Numbers in an array, at most.
const MOST: u64 = 1 << 31;

/// An array: its shape, and its numbers, the last axis changing fastest.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Array {
    pub shape: Vec<usize>,
    pub numbers: Numbers,
}

/// The numbers of an array, by what they can be: what they mean depends on it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Numbers {
    Bytes(Vec<u8>),
    Integers(Vec<i64>),
    Reals(Vec<f64>),
    Truths(Vec<bool>),
}

impl Numbers {
    fn len(&self) -> usize {
        match self {
            Numbers::Bytes(values) => values.len(),
            Numbers::Integers(values) => values.len(),
            Numbers::Reals(values) => values.len(),
            Numbers::Truths(values) => values.len(),
        }
    }
}

impl Array {
    /// How many numbers it holds.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Where its number `at` is, behind the array's name, as Python writes it: `[59]`, `[3, 0, 2]`; nothing where there is but one.
    pub fn place(&self, at: usize) -> String {
        place_in(&self.shape, at)
    }

    /// Its numbers as indices of something, which is `what` in messages: none below 0, none beyond 32 bits. Real numbers are
    /// taken where all of them are whole.
    pub fn indices(&self, name: &str, what: &str) -> Result<Vec<u32>, Problem> {
        let wrong = |at: usize, value: String| {
            let cause =
                format!("`{name}{}` is {value}: {what} is a whole number from 0 to {}", self.place(at), u32::MAX);
            Problem::new(cause, format!("write `{name}` as integers, each of them {what}"))
        };
        let integer = |(at, &value): (usize, &i64)| u32::try_from(value).map_err(|_| wrong(at, value.to_string()));
        match &self.numbers {
            Numbers::Bytes(values) => Ok(values.iter().map(|&value| value.into()).collect()),
            Numbers::Integers(values) => values.iter().enumerate().map(integer).collect(),
            Numbers::Reals(values) => {
                let whole = |(at, &value): (usize, &f64)| {
                    let is_index = value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&value);
                    if is_index { Ok(value as u32) } else { Err(wrong(at, real(value))) }
                };
                values.iter().enumerate().map(whole).collect()
            }
            Numbers::Truths(_) => {
                let cause = format!("`{name}` holds truth values, and {what} is a whole number");
                Err(Problem::new(cause, format!("write `{name}` as integers, as `numpy.nonzero` finds them")))
            }
        }
    }

    /// The first of its numbers that is none, or infinite.
    pub fn first_not_finite(&self) -> Option<(usize, f64)> {
        let Numbers::Reals(values) = &self.numbers else { return None };
        values.iter().copied().enumerate().find(|(_, value)| !value.is_finite())
    }
}

/// The array of a `.npy` file of `length` bytes. What is wrong is said as it would stand behind the array's name.
pub(super) fn read(mut reader: impl Read, length: u64) -> Result<Array, Problem> {
    let header = npy_header(&mut reader).and_then(|bytes| NpyHeader::from_reader(&bytes[..]));
    let header = header.map_err(|error| format!("is no `.npy` file, or damaged: {error}"))?;
    let extents = header.shape().to_vec();
    let count = extents.iter().try_fold(1u64, |count, &extent| count.checked_mul(extent));
    let kind = match header.dtype() {
        DType::Plain(kind) => kind,
        DType::Record(fields) => return Err(records(&fields.into_iter().map(|field| field.name).collect::<Vec<_>>())),
        DType::Array(..) => return Err("holds arrays, not numbers".into()),
    };
    let decode = Decode::of(&kind)?;
    // What a header promises must be there, before memory is taken for it.
    let bytes = count.filter(|&count| count <= MOST).and_then(|count| count.checked_mul(kind.size_field()));
    let bytes = bytes.filter(|&bytes| bytes <= length).ok_or("is shorter than its header says")?;
    let mut raw = Vec::new();
    reader.take(bytes).read_to_end(&mut raw).map_err(|error| format!("is damaged: {error}"))?;
    if raw.len() as u64 != bytes {
        return Err("is shorter than its header says".into());
    }
    let shape: Vec<usize> = extents.iter().map(|&extent| extent as usize).collect();
    let size = kind.size_field().max(1) as usize;
    if header.order() == Order::Fortran && shape.len() > 1 {
        raw = last_axis_fastest(&raw, &shape, size);
    }
    if kind.endianness() == Endianness::Big {
        raw.chunks_exact_mut(size).for_each(<[u8]>::reverse);
    }
    let array = Array { shape, numbers: Numbers::Bytes(Vec::new()) };
    let numbers = decode.numbers(raw).map_err(|(at, value)| {
        Problem::new(format!("at {} is {value}, beyond 63 bits", array.place(at)), "such numbers mean nothing here")
    })?;
    Ok(Array { numbers, ..array })
}

/// Records, of which those of event cameras are the most common.
fn records(fields: &[String]) -> Problem {
    let names = fields.join(", ");
    let is_events = ["x", "y", "t"].iter().all(|name| fields.iter().any(|field| field == name));
    let help = if is_events {
        "write three arrays: `steps`, the events' times in steps of the window; `axons`, (p * HEIGHT + y) * WIDTH + x; and \
         `offsets`, where each sample begins"
    } else {
        "write an array for each field"
    };
    Problem::new(format!("holds records of {names}, not numbers"), help)
}

/// The same elements, each of so many bytes, of which the first axis changes fastest, with the last one changing fastest.
fn last_axis_fastest(raw: &[u8], shape: &[usize], size: usize) -> Vec<u8> {
    let mut strides = vec![0; shape.len()];
    let mut stride = 1;
    for (to, &extent) in strides.iter_mut().zip(shape) {
        *to = stride;
        stride *= extent;
    }
    let mut index = vec![0; shape.len()];
    let mut sorted = Vec::with_capacity(raw.len());
    for _ in 0..raw.len() / size {
        let at: usize = index.iter().zip(&strides).map(|(index, stride)| index * stride).sum();
        sorted.extend_from_slice(&raw[at * size..][..size]);
        for (index, &extent) in index.iter_mut().zip(shape).rev() {
            *index += 1;
            if *index < extent {
                break;
            }
            *index = 0;
        }
    }
    sorted
}

/// How the bytes of a number are read, the lowest first.
#[derive(Clone, Copy)]
enum Decode {
    Truth,
    Byte,
    Unsigned(usize),
    Signed(usize),
    Half,
    Single,
    Double,
}

impl Decode {
    fn of(kind: &TypeStr) -> Result<Decode, Problem> {
        Ok(match (kind.type_char(), kind.size_field()) {
            (TypeChar::Bool, 1) => Decode::Truth,
            (TypeChar::Uint, 1) => Decode::Byte,
            (TypeChar::Uint, size @ (2 | 4 | 8)) => Decode::Unsigned(size as usize),
            (TypeChar::Int, size @ (1 | 2 | 4 | 8)) => Decode::Signed(size as usize),
            (TypeChar::Float, 2) => Decode::Half,
            (TypeChar::Float, 4) => Decode::Single,
            (TypeChar::Float, 8) => Decode::Double,
            (TypeChar::Float, size) => {
                let cause = format!("holds real numbers of {size} bytes, which differ from computer to computer");
                return Err(Problem::new(cause, "write it with `.astype(numpy.float64)`"));
            }
            (TypeChar::ByteStr | TypeChar::UnicodeStr, _) => {
                let help = "`numpy.unique(ARRAY, return_inverse=True)[1]` numbers texts in their order";
                return Err(Problem::new("holds texts, not numbers", help));
            }
            (TypeChar::Object, _) => {
                let help = "write an array of numbers: rows of equal length, and a type as in `.astype(numpy.int64)`";
                return Err(Problem::new("holds Python objects, not numbers", help));
            }
            (TypeChar::Complex, _) => return Err(Problem::new("holds complex numbers", "write it with `.real`")),
            (TypeChar::TimeDelta | TypeChar::DateTime, _) => {
                return Err(Problem::new("holds times, not numbers", "write it with `.astype(numpy.int64)`, in steps"));
            }
            _ => return Err(format!("holds numbers of the type `{kind}`, which cannot be read").into()),
        })
    }

    /// The numbers, or the first that is beyond all ranges, and where.
    fn numbers(self, raw: Vec<u8>) -> Result<Numbers, (usize, u64)> {
        Ok(match self {
            Decode::Truth => Numbers::Truths(raw.iter().map(|&byte| byte != 0).collect()),
            Decode::Byte => Numbers::Bytes(raw),
            Decode::Unsigned(size) => {
                let numbers = raw.chunks_exact(size).map(unsigned).enumerate();
                let checked = numbers.map(|(at, value)| i64::try_from(value).map_err(|_| (at, value)));
                Numbers::Integers(checked.collect::<Result<_, _>>()?)
            }
            Decode::Signed(size) => {
                let unused = 64 - 8 * size as u32;
                let signed = |bytes: &[u8]| (unsigned(bytes) << unused) as i64 >> unused;
                Numbers::Integers(raw.chunks_exact(size).map(signed).collect())
            }
            Decode::Half => Numbers::Reals(raw.chunks_exact(2).map(|bytes| half(unsigned(bytes) as u16)).collect()),
            Decode::Single => {
                let single = |bytes: &[u8]| f32::from_bits(unsigned(bytes) as u32).into();
                Numbers::Reals(raw.chunks_exact(4).map(single).collect())
            }
            Decode::Double => {
                Numbers::Reals(raw.chunks_exact(8).map(|bytes| f64::from_bits(unsigned(bytes))).collect())
            }
        })
    }
}

/// The number of up to eight bytes, the lowest first.
fn unsigned(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

/// The number that IEEE 754's binary16 encodes so: a sign, 5 bits of exponent, 10 of fraction.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    sign * match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_read_to_the_bit() {
        for (bits, value) in [(0x3c00, 1.0), (0xc000, -2.0), (0x3555, 0.333_251_953_125), (1, 5.960_464_477_539_063e-8)]
        {
            assert_eq!(half(bits).to_bits(), f64::to_bits(value), "{bits:04x}");
        }
        assert!(half(0x7c00).is_infinite() && half(0x7e00).is_nan() && half(0x7bff).to_bits() == 65_504f64.to_bits());
    }

    #[test]
    fn places_are_written_as_python_does() {
        let array = Array { shape: vec![3, 2, 4], numbers: Numbers::Bytes(vec![0; 24]) };
        assert_eq!((array.place(0), array.place(23)), ("[0, 0, 0]".to_owned(), "[2, 1, 3]".to_owned()));
        assert_eq!(array.place(13), "[1, 1, 1]");
    }
}
