//! What can be wrong with data.

/// What is wrong with a data set. Each message says where, what was found and expected, and what would help.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// Neither a built-in name nor a folder nor an `.npz` file nor recordings.
    #[error(
        "no data set `{name}`: {}; built in: {}; for your own data, give the path of a folder with the four IDX files \
         of an MNIST-like set, of an .npz file, or of a folder or tar archive of recordings",
        if *is_file { "it is a file, but no .npz or .tar.gz" } else { "no folder or file of that name" },
        builtin.join(", ")
    )]
    NoDataset {
        /// The name asked for.
        name: String,
        /// Something that is no folder is there.
        is_file: bool,
        /// The names there are.
        builtin: Vec<&'static str>,
    },
    /// A file of the set is not in its folder.
    #[error(
        "{folder}: no file `{file}`, nor `{file}.gz`; a folder of IDX files needs train-images-idx3-ubyte, \
         train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte"
    )]
    MissingFile {
        /// Where it should be.
        folder: String,
        /// Its name.
        file: String,
    },
    /// A file is not what it should be.
    #[error("{file}: {problem}")]
    File {
        /// Path or other name of the file.
        file: String,
        /// What is wrong with it.
        problem: FileProblem,
    },
    /// An archive of arrays does not hold what it should.
    #[error("{file}: {problem}")]
    Archive {
        /// Its path.
        file: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A recording, or an archive of them, is not what it should be.
    #[error("{file}: {problem}")]
    Recording {
        /// Its path.
        file: String,
        /// What is wrong with it, and what would help.
        problem: String,
    },
    /// Images and labels of one part differ in number.
    #[error(
        "{images_file} holds {images} images but {labels_file} {labels} labels; take both from the same download of the \
         data set"
    )]
    Counts {
        /// The file of images.
        images_file: String,
        /// Number of images.
        images: usize,
        /// The file of labels.
        labels_file: String,
        /// Number of labels.
        labels: usize,
    },
    /// The two parts hold images of different shape.
    #[error(
        "{name}: training images are {} but test images are {}; take both from the same data set",
        shape_text(train),
        shape_text(test)
    )]
    Parts {
        /// The data set.
        name: String,
        /// Rows and columns of the training images.
        train: Vec<u32>,
        /// Rows and columns of the test images.
        test: Vec<u32>,
    },
    /// The network's input has another shape.
    #[error(
        "{name}: samples are {} but the network's input is {}; change the network's input or give other data",
        shape_text(found),
        shape_text(expected)
    )]
    Shape {
        /// The data set.
        name: String,
        /// The network's input.
        expected: Vec<u32>,
        /// A sample's shape.
        found: Vec<u32>,
    },
    /// Not as many values as the network's target has.
    #[error(
        "{name}: samples have {found} values to be learned, but the network's target has {expected}; change the target or give data with `targets`"
    )]
    Values {
        /// The data set.
        name: String,
        /// Those of the network's target.
        expected: u32,
        /// Those of a sample.
        found: u32,
    },
    /// A label that the network has no class for.
    #[error(
        "{name}: {part} sample {sample} has label {label}, but the network has {classes} classes (0 to {}); give the \
         network at least {} classes or other data",
        i64::from(*classes) - 1, u32::from(*label) + 1
    )]
    Label {
        /// The data set.
        name: String,
        /// "train" or "test".
        part: &'static str,
        /// The first such sample of the part, from 0.
        sample: usize,
        /// Its label.
        label: u16,
        /// Classes of the network.
        classes: u32,
    },
}

/// What is wrong with one file.
#[derive(Debug, thiserror::Error)]
pub enum FileProblem {
    /// The system would not read it.
    #[error("cannot be read: {0}; check that it is a file and that you may read it")]
    Unreadable(std::io::Error),
    /// Compressed bytes are damaged or cut off.
    #[error("the gzip compression is broken or cut off: {0}; download the file again")]
    BrokenGzip(std::io::Error),
    /// Not an IDX file of that kind.
    #[error(
        "starts with {found:02x?} where an IDX file of {kind} starts with {expected:02x?}; it is another kind of file, \
         or two files are swapped"
    )]
    Magic {
        /// "images" or "labels".
        kind: &'static str,
        /// The four bytes it must start with.
        expected: [u8; 4],
        /// Its first bytes.
        found: Vec<u8>,
    },
    /// Fewer bytes than the header announces, or no whole header.
    #[error("is cut off: {expected} bytes expected, {found} found (uncompressed); download the file again")]
    Truncated {
        /// Bytes with the header.
        expected: u64,
        /// Bytes there are.
        found: u64,
    },
    /// More bytes than the header announces.
    #[error(
        "goes on after its end: {expected} bytes expected by its header, more found (uncompressed); the header or the \
         file is wrong, download it again"
    )]
    Trailing {
        /// Bytes with the header.
        expected: u64,
    },
    /// A size of 0.
    #[error("is empty: its header says {0}; a data set needs at least one sample of at least one pixel")]
    Empty(String),
    /// Sizes beyond what any data set has.
    #[error("its header says {sizes}, {bytes} bytes: more than the {limit} that are read; the header is damaged")]
    TooLarge {
        /// The sizes in the header.
        sizes: String,
        /// Their product.
        bytes: u128,
        /// The limit.
        limit: u64,
    },
}

/// `28 x 28`.
fn shape_text(shape: &[u32]) -> String {
    shape.iter().map(u32::to_string).collect::<Vec<_>>().join(" x ")
}
