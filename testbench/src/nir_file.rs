//! NIR files, written and read without the product's importer: what tests make graphs of.

use hdf5_pure::{File, FileBuilder, Group, GroupBuilder};
use std::collections::BTreeMap;

/// A graph: nodes by name, edges between names.
#[derive(Clone, Debug, Default)]
pub struct NirGraph {
    /// Nodes by name.
    pub nodes: BTreeMap<String, NirNode>,
    /// From, to.
    pub edges: Vec<(String, String)>,
}

/// A node: its type and its fields, or a graph.
#[derive(Clone, Debug, Default)]
pub struct NirNode {
    /// The type, as NIR names it.
    pub kind: String,
    /// Numbers by the name of the field, with their shape.
    pub fields: BTreeMap<String, (Vec<usize>, Vec<f64>)>,
    /// Texts by the name of the field.
    pub texts: BTreeMap<String, String>,
    /// What it holds if it is a graph.
    pub graph: Option<NirGraph>,
}

impl NirNode {
    /// A node of a type without fields.
    pub fn new(kind: &str) -> NirNode {
        NirNode { kind: kind.to_owned(), ..NirNode::default() }
    }

    /// With a field of numbers.
    pub fn with(mut self, name: &str, shape: &[usize], values: &[f64]) -> NirNode {
        assert_eq!(shape.iter().product::<usize>(), values.len(), "{name}");
        self.fields.insert(name.to_owned(), (shape.to_vec(), values.to_vec()));
        self
    }

    /// With a field that is the same for all places of a shape.
    pub fn with_all(self, name: &str, shape: &[usize], value: f64) -> NirNode {
        let values = vec![value; shape.iter().product()];
        self.with(name, shape, &values)
    }

    /// With a field that is a text.
    pub fn with_text(mut self, name: &str, text: &str) -> NirNode {
        self.texts.insert(name.to_owned(), text.to_owned());
        self
    }

    /// The numbers of a field.
    pub fn values(&self, name: &str) -> &[f64] {
        &self.fields[name].1
    }

    /// The shape of a field.
    pub fn shape(&self, name: &str) -> &[usize] {
        &self.fields[name].0
    }
}

impl NirGraph {
    /// With a node.
    pub fn node(mut self, name: &str, node: NirNode) -> NirGraph {
        self.nodes.insert(name.to_owned(), node);
        self
    }

    /// With edges along the names.
    pub fn chain(mut self, names: &[&str]) -> NirGraph {
        self.edges.extend(names.windows(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned())));
        self
    }

    /// As an HDF5 file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut file = FileBuilder::new();
        file.create_dataset("version").with_vlen_strings(&["1.0"]).with_shape(&[]);
        let mut group = file.create_group("node");
        self.write(&mut group);
        file.add_group(group.finish());
        file.finish().expect("a file in memory")
    }

    fn write(&self, group: &mut GroupBuilder) {
        group.create_dataset("type").with_vlen_strings(&["NIRGraph"]).with_shape(&[]);
        let names: Vec<&str> = self.edges.iter().flat_map(|(from, to)| [from.as_str(), to.as_str()]).collect();
        group.create_dataset("edges").with_vlen_strings(&names).with_shape(&[self.edges.len() as u64, 2]);
        let mut nodes = group.create_group("nodes");
        for (name, node) in &self.nodes {
            let mut inner = nodes.create_group(name);
            match &node.graph {
                Some(graph) => graph.write(&mut inner),
                None => {
                    inner.create_dataset("type").with_vlen_strings(&[&node.kind]).with_shape(&[]);
                }
            }
            for (field, (shape, values)) in &node.fields {
                let shape: Vec<u64> = shape.iter().map(|&size| size as u64).collect();
                inner.create_dataset(field).with_f64_data(values).with_shape(&shape);
            }
            for (field, text) in &node.texts {
                inner.create_dataset(field).with_vlen_strings(&[text]).with_shape(&[]);
            }
            nodes.add_group(inner.finish());
        }
        group.add_group(nodes.finish());
    }

    /// From an HDF5 file; only for files known to be good.
    pub fn from_bytes(bytes: &[u8]) -> NirGraph {
        let file = File::from_bytes(bytes.to_vec()).expect("an HDF5 file");
        NirGraph::read(&file.root().group("node").expect("a NIR file"))
    }

    fn read(group: &Group) -> NirGraph {
        let text = |group: &Group, name: &str| group.dataset(name).and_then(|field| field.read_string());
        let pairs = text(group, "edges").expect("edges");
        let edges = pairs.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
        let mut nodes = BTreeMap::new();
        let inner = group.group("nodes").expect("nodes");
        for name in inner.groups().expect("nodes") {
            let found = inner.group(&name).expect("a node");
            let mut node = NirNode::new(&text(&found, "type").expect("a type")[0]);
            for field in found.datasets().expect("fields") {
                let dataset = found.dataset(&field).expect("a field");
                let shape = dataset.shape().expect("a shape").iter().map(|&size| size as usize).collect();
                // Texts give no numbers.
                if field != "type"
                    && let Ok(values) = dataset.read_f64()
                {
                    node.fields.insert(field, (shape, values));
                }
            }
            if node.kind == "NIRGraph" {
                node.graph = Some(NirGraph::read(&found));
            }
            nodes.insert(name, node);
        }
        NirGraph { nodes, edges }
    }
}
