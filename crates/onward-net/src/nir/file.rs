//! HDF5 to records: all that a NIR file holds, before it means anything.

use super::error::NirError;
use crate::values::Array;
use hdf5_pure::{
    DType, Dataset, Datatype, DatatypeByteOrder, File, FileBuilder, FixedPointLayout, FloatingPointLayout, Group,
    GroupBuilder,
};
use std::collections::BTreeMap;

/// Numbers in one array at most: more than any chip here could hold as weights.
const NUMBERS_MAX: u64 = 1 << 27;

/// Graphs within graphs at most, so that a file that contains itself ends.
const DEPTH_MAX: usize = 32;

const DAMAGED: &str = "check that the file is whole, or write it again with `nir.write`";

/// A node as it is in the file: its type and its fields, and the nodes in it if it is a graph.
pub(super) struct Record {
    pub path: String,
    pub kind: String,
    pub fields: BTreeMap<String, Field>,
    pub nodes: BTreeMap<String, Record>,
}

/// Contents of a field.
pub(super) enum Field {
    Numbers(Array),
    /// With the shape of the array of texts.
    Text(Vec<usize>, Vec<String>),
    /// Something else, in the file's words.
    Other(String),
}

/// The root node of a NIR file.
pub(super) fn read(bytes: &[u8]) -> Result<Record, NirError> {
    let foreign = |cause: String| NirError::file(cause, "NIR files are HDF5 files as `nir.write` makes them");
    if bytes.is_empty() {
        return Err(foreign("the file is empty".to_owned()));
    }
    let file =
        File::from_bytes(bytes.to_vec()).map_err(|error| foreign(format!("it cannot be read as HDF5: {error}")))?;
    let root = file.root();
    let names = root.groups().map_err(|error| damaged("the file", &error))?;
    if !names.iter().any(|name| name == "node") {
        return Err(foreign("it is HDF5, but there is no group `node` in it".to_owned()));
    }
    let group = root.group("node").map_err(|error| damaged("the group `node`", &error))?;
    record(&group, "", 0)
}

/// The version of NIR that files are written for.
const NIR_VERSION: &str = "1.0.8";

/// The HDF5 file of a root node, as `nir.write` lays it out: numbers in single precision, sizes as integers.
pub(super) fn write(root: &Record) -> Result<Vec<u8>, NirError> {
    let mut file = FileBuilder::new();
    file.create_dataset("version").with_vlen_strings(&[NIR_VERSION]).with_shape(&[]);
    let mut group = file.create_group("node");
    write_record(root, &mut group);
    file.add_group(group.finish());
    file.finish().map_err(|error| NirError::file(format!("the file cannot be made: {error}"), "a smaller network"))
}

fn write_record(record: &Record, group: &mut GroupBuilder) {
    group.create_dataset("type").with_vlen_strings(&[record.kind.as_str()]).with_shape(&[]);
    for (name, field) in &record.fields {
        let dataset = group.create_dataset(name);
        let extents = |shape: &[usize]| shape.iter().map(|&size| size as u64).collect::<Vec<_>>();
        match field {
            Field::Text(shape, texts) => {
                let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
                dataset.with_vlen_strings(&texts).with_shape(&extents(shape));
            }
            Field::Numbers(Array { shape, values }) if SIZES.contains(&name.as_str()) => {
                let values: Vec<i64> = values.iter().map(|&value| value as i64).collect();
                dataset.with_i64_data(&values).with_shape(&extents(shape));
            }
            Field::Numbers(Array { shape, values }) => {
                let values: Vec<f32> = values.iter().map(|&value| value as f32).collect();
                dataset.with_f32_data(&values).with_shape(&extents(shape));
            }
            Field::Other(_) => {}
        }
    }
    if record.kind == "NIRGraph" {
        let mut nodes = group.create_group("nodes");
        for (name, node) in &record.nodes {
            let mut inner = nodes.create_group(name);
            write_record(node, &mut inner);
            nodes.add_group(inner.finish());
        }
        group.add_group(nodes.finish());
    }
}

/// Fields that are whole numbers.
const SIZES: [&str; 11] = [
    "shape",
    "input_shape",
    "input_type",
    "stride",
    "padding",
    "dilation",
    "groups",
    "kernel_size",
    "start_dim",
    "end_dim",
    "edges",
];

fn record(group: &Group, path: &str, depth: usize) -> Result<Record, NirError> {
    let place = if path.is_empty() { "the graph".to_owned() } else { format!("node `{path}`") };
    if depth > DEPTH_MAX {
        let cause = format!("graphs lie in graphs more than {DEPTH_MAX} deep");
        return Err(NirError::node(path, cause, DAMAGED));
    }
    let mut record =
        Record { path: path.to_owned(), kind: String::new(), fields: BTreeMap::new(), nodes: BTreeMap::new() };
    for name in group.datasets().map_err(|error| damaged(&place, &error))? {
        let found = group.dataset(&name).map_err(|error| damaged(&place, &error))?;
        let field = field(&found)
            .map_err(|cause| NirError::file(format!("`{name}` of {place} cannot be read: {cause}"), DAMAGED))?;
        record.fields.insert(name, field);
    }
    record.kind = match record.fields.get("type") {
        Some(Field::Text(_, texts)) if texts.len() == 1 => texts[0].clone(),
        _ => return Err(NirError::file(format!("{place} has no `type`"), DAMAGED)),
    };
    // Nothing but nodes is looked for: metadata may hold whatever its writer liked.
    let groups = group.groups().map_err(|error| damaged(&place, &error))?;
    if groups.iter().any(|name| name == "nodes") {
        let inner = group.group("nodes").map_err(|error| damaged(&place, &error))?;
        for name in inner.groups().map_err(|error| damaged(&place, &error))? {
            let inner_path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
            let node = inner.group(&name).map_err(|error| damaged(&format!("node `{inner_path}`"), &error))?;
            record.nodes.insert(name, self::record(&node, &inner_path, depth + 1)?);
        }
    }
    Ok(record)
}

fn field(dataset: &Dataset) -> Result<Field, String> {
    let say = |error: hdf5_pure::Error| error.to_string();
    let extents = dataset.shape().map_err(say)?;
    let count = extents.iter().try_fold(1u64, |product, &extent| product.checked_mul(extent));
    let Some(count) = count.filter(|&count| count <= NUMBERS_MAX) else {
        return Err(format!("its shape is {extents:?}: more than {NUMBERS_MAX} numbers"));
    };
    // An element may be said to be billions of bytes long.
    let size = dataset.element_size().map_err(say)?;
    if size.saturating_mul(count) > NUMBERS_MAX * 8 {
        return Err(format!("its {count} elements of {size} bytes are more than {NUMBERS_MAX} numbers would take"));
    }
    let shape: Vec<usize> = extents.iter().map(|&extent| extent as usize).collect();
    let kind = dataset.dtype().map_err(say)?;
    let field = match kind {
        DType::String | DType::VariableLengthString => {
            let texts = dataset.read_string().map_err(say)?;
            if texts.len() as u64 != count {
                return Err(format!("its shape {extents:?} says {count} texts, but {} are there", texts.len()));
            }
            Field::Text(shape, texts.iter().map(|text| text.trim_end_matches('\0').to_owned()).collect())
        }
        DType::Compound(_) | DType::Enum(_) | DType::Array(..) | DType::ObjectReference | DType::Other(_) => {
            let Some(decoder) = Decoder::new(&dataset.datatype().map_err(say)?) else {
                return Ok(Field::Other(format!("{kind:?}")));
            };
            let bytes = dataset.read_raw().map_err(say)?;
            let values = decoder.values(&bytes);
            let shape = [shape, decoder.inner].concat();
            let expected = shape.iter().try_fold(1usize, |product, &extent| product.checked_mul(extent));
            if expected != Some(values.len()) {
                return Err(format!("its shape {shape:?} is not that of the {} numbers that are there", values.len()));
            }
            Field::Numbers(Array { shape, values })
        }
        _ => {
            let values = dataset.read_f64().map_err(say)?;
            if values.len() as u64 != count {
                return Err(format!("its shape {extents:?} says {count} numbers, but {} are there", values.len()));
            }
            Field::Numbers(Array { shape, values })
        }
    };
    Ok(field)
}

/// How elements of a type become numbers: half precision, bools and other enumerations, integers and floats of any width and
/// order of bytes, and arrays of such.
struct Decoder {
    /// Shape of an element; nothing for a single number.
    inner: Vec<usize>,
    /// Bytes of a number.
    size: usize,
    is_big_endian: bool,
    number: Number,
}

enum Number {
    Integer(FixedPointLayout),
    Float(FloatingPointLayout),
}

impl Decoder {
    /// The decoder for a type of the file, if its elements are numbers.
    fn new(datatype: &Datatype) -> Option<Decoder> {
        let decoder = |size: u32, order: &DatatypeByteOrder, number| {
            let is_big_endian = match order {
                DatatypeByteOrder::LittleEndian => false,
                DatatypeByteOrder::BigEndian => true,
                DatatypeByteOrder::Vax => return None,
            };
            let size = size as usize;
            (1..=16).contains(&size).then_some(Decoder { inner: Vec::new(), size, is_big_endian, number })
        };
        match datatype {
            Datatype::FixedPoint { size, byte_order, layout } => {
                let is_sound = layout.bit_precision >= 1 && layout.bit_offset + layout.bit_precision <= 128;
                is_sound.then_some(())?;
                decoder(*size, byte_order, Number::Integer(*layout))
            }
            Datatype::BitField { size, byte_order, bit_offset, bit_precision } => {
                let is_sound = *bit_precision >= 1 && bit_offset.checked_add(*bit_precision)? <= 128;
                is_sound.then_some(())?;
                let layout = FixedPointLayout { signed: false, bit_offset: *bit_offset, bit_precision: *bit_precision };
                decoder(*size, byte_order, Number::Integer(layout))
            }
            Datatype::FloatingPoint { size, byte_order, layout } => {
                let ends = u32::from(layout.exponent_location) + u32::from(layout.exponent_size);
                let mantissa = u32::from(layout.mantissa_location) + u32::from(layout.mantissa_size);
                let widths = layout.exponent_size <= 16 && (1..=64).contains(&layout.mantissa_size);
                (ends < 128 && mantissa < 128 && widths && layout.exponent_bias <= 1 << 16).then_some(())?;
                decoder(*size, byte_order, Number::Float(*layout))
            }
            Datatype::Enumeration { base_type, .. } => Decoder::new(base_type),
            Datatype::Array { base_type, dimensions } => {
                let of_one = Decoder::new(base_type)?;
                let outer: Vec<usize> = dimensions.iter().map(|&extent| extent as usize).collect();
                Some(Decoder { inner: [outer, of_one.inner].concat(), ..of_one })
            }
            _ => None,
        }
    }

    fn values(&self, bytes: &[u8]) -> Vec<f64> {
        let value = |bytes: &[u8]| {
            let place = |bits: u128, &byte: &u8| bits << 8 | u128::from(byte);
            let bits = if self.is_big_endian { bytes.iter().fold(0, place) } else { bytes.iter().rev().fold(0, place) };
            match &self.number {
                Number::Integer(layout) => integer(bits, layout),
                Number::Float(layout) => float(bits, layout),
            }
        };
        bytes.chunks_exact(self.size).map(value).collect()
    }
}

/// So many bits from a place on.
fn part(bits: u128, first: u32, count: u32) -> u128 {
    let mask = if count >= 128 { u128::MAX } else { (1 << count) - 1 };
    bits >> first & mask
}

fn integer(bits: u128, layout: &FixedPointLayout) -> f64 {
    let precision = u32::from(layout.bit_precision);
    let value = part(bits, layout.bit_offset.into(), precision);
    let is_negative = layout.signed && value >> (precision - 1) & 1 == 1;
    // Two's complement, of as many bits as there are.
    if is_negative { -((value ^ part(u128::MAX, 0, precision)) as f64) - 1.0 } else { value as f64 }
}

/// A float of any width as IEEE 754 lays it out: half, single, double, and extended precision, whose leading bit is written.
fn float(bits: u128, layout: &FloatingPointLayout) -> f64 {
    let (first, size) = (u32::from(layout.mantissa_location), u32::from(layout.mantissa_size));
    let mantissa = part(bits, first, size) as f64;
    let ends = u32::from(layout.exponent_location) + u32::from(layout.exponent_size);
    let exponent = part(bits, layout.exponent_location.into(), layout.exponent_size.into()) as i32;
    let sign = if part(bits, ends, 1) == 1 { -1.0 } else { 1.0 };
    if exponent + 1 == 1 << layout.exponent_size {
        return if part(bits, first, size.min(63)) == 0 { sign * f64::INFINITY } else { f64::NAN };
    }
    let is_written = size == 64;
    let fraction = mantissa / 2f64.powi(size as i32 - i32::from(is_written));
    let leading = if is_written || exponent == 0 { 0.0 } else { 1.0 };
    sign * (leading + fraction) * 2f64.powi(exponent.max(1) - layout.exponent_bias as i32)
}

fn damaged(place: &str, error: &hdf5_pure::Error) -> NirError {
    NirError::file(format!("{place} cannot be read: {error}"), DAMAGED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ieee(size: u32, exponent_size: u8, mantissa_size: u8, byte_order: DatatypeByteOrder) -> Decoder {
        let layout = FloatingPointLayout {
            bit_offset: 0,
            bit_precision: 1 + u16::from(exponent_size) + u16::from(mantissa_size),
            exponent_location: mantissa_size,
            exponent_size,
            mantissa_location: 0,
            mantissa_size,
            exponent_bias: (1 << (exponent_size - 1)) - 1,
        };
        Decoder::new(&Datatype::FloatingPoint { size, byte_order, layout }).unwrap()
    }

    #[test]
    fn floats_of_all_widths() {
        let half = ieee(2, 5, 10, DatatypeByteOrder::LittleEndian);
        // 1, -2, the greatest, the least that is normal, the least of all, infinity.
        let bytes: Vec<u8> =
            [0x3c00u16, 0xc000, 0x7bff, 0x0400, 0x0001, 0x7c00].into_iter().flat_map(u16::to_le_bytes).collect();
        let expected = [1.0, -2.0, 65504.0, 2f64.powi(-14), 2f64.powi(-24), f64::INFINITY];
        assert_eq!(half.values(&bytes), expected);
        assert!(half.values(&0x7e00u16.to_le_bytes())[0].is_nan());
        for value in [0.0, 0.1, -3.75e20, f64::MIN_POSITIVE, 5e-324, f64::MAX] {
            let double = ieee(8, 11, 52, DatatypeByteOrder::BigEndian);
            assert_eq!(double.values(&f64::to_be_bytes(value)), [value]);
        }
        // Extended precision, as long doubles of x86 are: the leading bit is written. 1.5 and -1.
        let extended = ieee(16, 15, 64, DatatypeByteOrder::LittleEndian);
        let bits = |sign: u128, exponent: u128, mantissa: u128| (sign << 79 | exponent << 64 | mantissa).to_le_bytes();
        assert_eq!(extended.values(&bits(0, 16383, 3 << 62)), [1.5]);
        assert_eq!(extended.values(&bits(1, 16383, 1 << 63)), [-1.0]);
    }

    #[test]
    fn bools_and_integers_and_arrays_of_them() {
        let integer = |size: u32, signed, byte_order| Datatype::FixedPoint {
            size,
            byte_order,
            layout: FixedPointLayout { signed, bit_offset: 0, bit_precision: 8 * size as u16 },
        };
        let of = |datatype: &Datatype, bytes: &[u8]| Decoder::new(datatype).unwrap().values(bytes);
        let little = integer(2, true, DatatypeByteOrder::LittleEndian);
        assert_eq!(of(&little, &[0xfe, 0xff, 0x00, 0x80]), [-2.0, -32768.0]);
        assert_eq!(of(&integer(3, false, DatatypeByteOrder::BigEndian), &[1, 0, 2]), [65538.0]);
        let byte = Box::new(integer(1, true, DatatypeByteOrder::LittleEndian));
        let bools = Datatype::Enumeration { size: 1, base_type: byte, members: Vec::new() };
        assert_eq!(of(&bools, &[1, 0, 1]), [1.0, 0.0, 1.0]);
        let array = Datatype::Array { base_type: Box::new(little), dimensions: vec![2, 1] };
        let decoder = Decoder::new(&array).unwrap();
        assert_eq!((decoder.inner.clone(), decoder.values(&[1, 0, 2, 0])), (vec![2, 1], vec![1.0, 2.0]));
        assert!(Decoder::new(&Datatype::Opaque { size: 4, tag: Vec::new() }).is_none());
    }
}
