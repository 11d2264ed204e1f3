//! Arrays from files.

use crate::arrays::{self, Misfit};
use crate::network::{Network, Node};
use crate::values::{Array, FileArray, Values};
use npyz::{DType, Endianness, NpyFile, NpyHeader, Order, TypeChar, TypeStr};
use onward_diagnostic::{Diagnostic, below, nearest, npy_header, system_cause};
use petgraph::graph::NodeIndex;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;
use std::sync::Arc;
use zip::ZipArchive;
use zip::result::ZipError;

/// Numbers of an array, at most: 2^28, which are 2 GiB.
const NUMBERS_MAX: u64 = 1 << 28;

/// Files that have been read, or why they could not be.
type Loaded = BTreeMap<(String, Option<String>), Result<Arc<Array>, Misfit>>;

impl Network {
    /// Reads all arrays that are in files, which lie in the folder `base` or below, and paths seen from there. After it only numbers and arrays remain, each
    /// in the shape that its place expects.
    ///
    /// # Errors
    /// Everything that is wrong with the files, each at the place of the text that names it.
    pub fn load(&mut self, base: &Path) -> Result<(), Vec<Diagnostic>> {
        let mut errors = Vec::new();
        let mut loaded = Loaded::new();
        let layers: Vec<NodeIndex> = self.layers().collect();
        for index in layers {
            let signal = self.graph[self.signal(index)].shape().to_vec();
            let fan_in = self.fan_in(index);
            let Node::Layer(layer) = &mut self.graph[index] else { continue };
            let name = layer.name.clone();
            for slot in arrays::slots(layer, &signal, fan_in) {
                let Values::File(file) = &*slot.place.values else { continue };
                let key = (file.path.clone(), file.member.clone());
                let read = loaded.entry(key).or_insert_with(|| read(base, file).map(Arc::new));
                let settled = match read {
                    Ok(array) => slot.settle(array),
                    Err(misfit) => Err(misfit.clone()),
                };
                match settled {
                    Ok(array) => *slot.place.values = Values::Array(Arc::new(array)),
                    Err(Misfit { message, help }) => {
                        let error = Diagnostic::new(file.span.clone(), message);
                        errors.push(error.note(format!("it is for the layer `{name}`")).help(help));
                    }
                }
            }
        }
        errors.sort_by_key(|error| error.span.start);
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// The paths of the files that [`Network::load`] would read, as the text writes them.
    pub fn array_files(&self) -> BTreeSet<String> {
        let mut paths = BTreeSet::new();
        for index in self.layers() {
            let Node::Layer(layer) = &self.graph[index] else { continue };
            for place in arrays::places(&mut layer.clone()) {
                if let Values::File(file) = &*place.values {
                    paths.insert(file.path.clone());
                }
            }
        }
        paths
    }
}

/// All arrays of a `.npz` file, by name.
///
/// # Errors
/// That the file cannot be read, is none, or that one of its arrays holds no numbers.
pub fn read_npz(path: &Path) -> Result<BTreeMap<String, Array>, String> {
    let opened = File::open(path).map_err(|error| format!("cannot be read: {}", system_cause(&error)))?;
    let damaged = |error: ZipError| format!("is no `.npz` file, or damaged: {error}");
    let mut archive = ZipArchive::new(BufReader::new(opened)).map_err(damaged)?;
    let mut arrays = BTreeMap::new();
    // Members may lie over each other in the file: all of them together are as large as an array may be.
    let mut left = 8 * NUMBERS_MAX;
    for name in members(&archive) {
        let member = archive.by_name(&format!("{name}.npy")).map_err(damaged)?;
        let size = member.size();
        left = left.checked_sub(size).ok_or("holds more numbers than any chip has weights")?;
        arrays.insert(name.clone(), array(member, size).map_err(|cause| format!("`{name}` {cause}"))?);
    }
    Ok(arrays)
}

/// The array that a file, or a member of one, holds.
fn read(base: &Path, file: &FileArray) -> Result<Array, Misfit> {
    let path = &file.path;
    let misfit = |message: String, help: &str| Misfit { message, help: help.to_string() };
    let unreadable = |error: &std::io::Error| {
        let help = "a text names arrays in its own folder or below, and paths are seen from there";
        misfit(format!("`{path}` cannot be read: {}", system_cause(error)), help)
    };
    let full = below(base, &base.join(path)).map_err(|error| unreadable(&error))?;
    let found = std::fs::metadata(&full).map_err(|error| unreadable(&error))?;
    if !found.is_file() {
        return Err(misfit(format!("`{path}` is no file"), WRITE_NPY));
    }
    let length = found.len();
    let opened = BufReader::new(File::open(&full).map_err(|error| unreadable(&error))?);
    let is_archive = Path::new(path).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npz"));
    let Some(member) = &file.member else {
        if is_archive {
            let names = ZipArchive::new(opened).map(|archive| members(&archive)).unwrap_or_default();
            let message = format!("`{path}` may hold many arrays, and none is named");
            return Err(misfit(message, &format!("write `file(\"{path}\", \"NAME\")`; names in it: {}", list(&names))));
        }
        return array(opened, length).map_err(|cause| misfit(format!("`{path}` {cause}"), WRITE_NPY));
    };
    if !is_archive {
        let message = format!("`{path}` is no `.npz` file, and only those have members");
        return Err(misfit(message, &format!("write `file(\"{path}\")`")));
    }
    let damaged = |error: ZipError| misfit(format!("`{path}` is no `.npz` file, or damaged: {error}"), WRITE_NPZ);
    let mut archive = ZipArchive::new(opened).map_err(damaged)?;
    let names = members(&archive);
    let found = archive.by_name(&format!("{member}.npy"));
    match found {
        Ok(found) => {
            let size = found.size();
            array(found, size).map_err(|cause| misfit(format!("`{member}` in `{path}` {cause}"), WRITE_NPZ))
        }
        Err(_) => {
            let help = match nearest(member, names.iter().map(String::as_str)) {
                Some(guess) => format!("did you mean `{guess}`? names in it: {}", list(&names)),
                None => format!("names in it: {}", list(&names)),
            };
            Err(misfit(format!("`{path}` holds no `{member}`"), &help))
        }
    }
}

const WRITE_NPY: &str = "write it with `numpy.save` as an array of real numbers";
const WRITE_NPZ: &str = "write it with `numpy.savez` as arrays of real numbers";

/// The names of the arrays in an archive.
fn members<R: Read + Seek>(archive: &ZipArchive<R>) -> Vec<String> {
    let names = archive.file_names().flatten();
    let mut names: Vec<String> = names.filter_map(|name| name.strip_suffix(".npy").map(ToString::to_string)).collect();
    names.sort();
    names
}

/// Names for a message, but not thousands.
fn list(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let shown: Vec<_> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > SHOWN { format!(" and {} more", names.len() - SHOWN) } else { String::new() };
    if names.is_empty() { "none".to_string() } else { format!("{}{more}", shown.join(", ")) }
}

/// The numbers of a `.npy` file of `length` bytes, row-major; or what is wrong with it, behind its name.
fn array(mut reader: impl Read, length: u64) -> Result<Array, String> {
    let header = npy_header(&mut reader).and_then(|bytes| NpyHeader::from_reader(&bytes[..]));
    let header = header.map_err(|error| format!("is no `.npy` file, or damaged: {error}"))?;
    let is_half = |kind: &TypeStr| kind.type_char() == TypeChar::Float && kind.size_field() == 2;
    if matches!(header.dtype(), DType::Plain(kind) if is_half(&kind)) {
        return halves(&header, reader);
    }
    let file = NpyFile::with_header(header, reader);
    let shape: Vec<u64> = file.shape().to_vec();
    let count = shape.iter().try_fold(1_u64, |count, &size| count.checked_mul(size));
    // What a header promises must be there, before memory is taken for it.
    let count = count.filter(|&count| count <= NUMBERS_MAX).ok_or_else(|| "has too many numbers".to_string())?;
    let DType::Plain(kind) = file.dtype() else { return Err("holds records, not numbers".to_string()) };
    let (letter, size) = (kind.type_char(), kind.size_field());
    if count.checked_mul(size).is_none_or(|bytes| bytes > length) {
        return Err("is shorter than its header says".to_string());
    }
    let order = file.order();
    let values = match (letter, size) {
        (TypeChar::Bool, 1) => numbers(file, |value: bool| f64::from(u8::from(value))),
        (TypeChar::Float, 4) => numbers(file, |value: f32| value.into()),
        (TypeChar::Float, 8) => numbers(file, |value: f64| value),
        (TypeChar::Int, 1) => numbers(file, |value: i8| value.into()),
        (TypeChar::Int, 2) => numbers(file, |value: i16| value.into()),
        (TypeChar::Int, 4) => numbers(file, |value: i32| value.into()),
        // Beyond 2^53 digits are lost; no range goes so far.
        (TypeChar::Int, 8) => numbers(file, |value: i64| value as f64),
        (TypeChar::Uint, 1) => numbers(file, |value: u8| value.into()),
        (TypeChar::Uint, 2) => numbers(file, |value: u16| value.into()),
        (TypeChar::Uint, 4) => numbers(file, |value: u32| value.into()),
        (TypeChar::Uint, 8) => numbers(file, |value: u64| value as f64),
        _ => return Err(format!("holds numbers of the type `{}`, which cannot be read", kind)),
    };
    let values = values.map_err(|error| format!("is damaged: {error}"))?;
    let shape: Vec<usize> = shape.into_iter().map(|size| size as usize).collect();
    let values = match order {
        npyz::Order::C => values,
        npyz::Order::Fortran => row_major(&shape, &values),
    };
    Ok(Array { shape, values })
}

/// The numbers of an array of IEEE 754's binary16: a sign, 5 bits of exponent, 10 of fraction.
fn halves(header: &NpyHeader, reader: impl Read) -> Result<Array, String> {
    let count = header.shape().iter().try_fold(1_u64, |count, &size| count.checked_mul(size));
    let count = count.filter(|&count| count <= NUMBERS_MAX).ok_or_else(|| "has too many numbers".to_string())?;
    let mut bytes = Vec::new();
    reader.take(2 * count).read_to_end(&mut bytes).map_err(|error| format!("is damaged: {error}"))?;
    if bytes.len() as u64 != 2 * count {
        return Err("is shorter than its header says".to_string());
    }
    let is_big = matches!(header.dtype(), DType::Plain(kind) if kind.endianness() == Endianness::Big);
    let half = |pair: &[u8]| {
        let bits = if is_big { u16::from_be_bytes([pair[0], pair[1]]) } else { u16::from_le_bytes([pair[0], pair[1]]) };
        let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
        let size = match exponent {
            0 => fraction * 2f64.powi(-24),
            31 if fraction > 0.0 => f64::NAN,
            31 => f64::INFINITY,
            _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
        };
        if bits >> 15 == 1 { -size } else { size }
    };
    let values: Vec<f64> = bytes.chunks_exact(2).map(half).collect();
    let shape: Vec<usize> = header.shape().iter().map(|&size| size as usize).collect();
    let values = if header.order() == Order::C { values } else { row_major(&shape, &values) };
    Ok(Array { shape, values })
}

fn numbers<T: npyz::Deserialize, R: Read>(file: NpyFile<R>, to_f64: impl Fn(T) -> f64) -> std::io::Result<Vec<f64>> {
    let data = file.data::<T>().map_err(|error| std::io::Error::other(error.to_string()))?;
    data.map(|value| value.map(&to_f64)).collect()
}

/// Numbers whose first index changes fastest, with the last one changing fastest.
fn row_major(shape: &[usize], values: &[f64]) -> Vec<f64> {
    let mut index = vec![0; shape.len()];
    let mut sorted = Vec::with_capacity(values.len());
    for _ in 0..values.len() {
        let offset = shape.iter().zip(&index).rev().fold(0, |offset, (&size, &index)| offset * size + index);
        sorted.push(values[offset]);
        for (index, &size) in index.iter_mut().zip(shape).rev() {
            *index += 1;
            if *index < size {
                break;
            }
            *index = 0;
        }
    }
    sorted
}
