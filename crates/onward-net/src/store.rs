//! Arrays to files: the other way of `load`.

use crate::arrays::places;
use crate::network::{Network, Node};
use crate::values::{Array, FileArray, Values};
use npyz::{WriteOptions, WriterBuilder};
use std::io::{self, Cursor};
use std::sync::Arc;
use zip::write::SimpleFileOptions;
use zip::{DateTime, ZipWriter};

/// An array and what it is called among others.
pub type Member = (String, Arc<Array>);

impl Network {
    /// Takes all arrays out of the network and leaves `file(...)` in their places, members of the `.npz` file `path` named
    /// after layer and place: `hidden.weight`. Written as text and [loaded](Network::load) beside that file, it is the same
    /// network.
    pub fn store(&mut self, path: &str) -> Vec<Member> {
        let mut members = Vec::new();
        for node in self.graph.node_weights_mut() {
            let Node::Layer(layer) = node else { continue };
            let name = layer.name.clone();
            for place in places(layer) {
                let Values::Array(array) = &*place.values else { continue };
                let member = format!("{name}.{}", place.member);
                let file = FileArray { path: path.to_owned(), member: Some(member.clone()), span: 0..0 };
                members.push((member, Arc::clone(array)));
                *place.values = Values::File(file);
            }
        }
        members
    }

    /// Puts arrays back that [`store`](Network::store) took out, members of what the text calls `path`: for a text that
    /// stands beside no file.
    pub fn supply(&mut self, path: &str, members: &[Member]) {
        for node in self.graph.node_weights_mut() {
            let Node::Layer(layer) = node else { continue };
            for place in places(layer) {
                let Values::File(file) = &*place.values else { continue };
                let found = members.iter().find(|(name, _)| file.path == path && file.member.as_ref() == Some(name));
                if let Some((_, array)) = found {
                    *place.values = Values::Array(Arc::clone(array));
                }
            }
        }
    }
}

/// The bytes of a `.npz` file with these arrays, always the same ones.
///
/// # Errors
/// If an array is too large for the format.
pub fn npz(members: &[Member]) -> io::Result<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    // No time of day: the same arrays give the same bytes.
    let options = SimpleFileOptions::default().last_modified_time(DateTime::default());
    for (name, array) in members {
        archive.start_file(npyz::npz::file_name_from_array_name(name), options)?;
        let shape: Vec<u64> = array.shape.iter().map(|&size| size as u64).collect();
        let mut member = WriteOptions::new().default_dtype().shape(&shape).writer(&mut archive).begin_nd()?;
        member.extend(array.values.iter().copied())?;
        member.finish()?;
    }
    Ok(archive.finish()?.into_inner())
}
