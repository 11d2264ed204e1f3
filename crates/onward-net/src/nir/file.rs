//! HDF5 to records: all that a NIR file holds, before it means anything.

use super::error::NirError;
use crate::values::Array;
use hdf5_pure::{DType, Dataset, File, Group};
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
        DType::Compound(_) | DType::Enum(_) | DType::Array(..) | DType::ObjectReference => {
            Field::Other(format!("{kind:?}"))
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

fn damaged(place: &str, error: &hdf5_pure::Error) -> NirError {
    NirError::file(format!("{place} cannot be read: {error}"), DAMAGED)
}
