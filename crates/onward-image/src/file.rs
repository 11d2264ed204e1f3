//! The file: magic, version, length, checksum, contents.
//!
//! ```text
//! offset  bytes  what
//!      0      8  magic 89 4f 4e 57 0d 0a 1a 0a: no text file begins so, and transfers as text damage it
//!      8      4  version, little-endian
//!     12      8  length of the contents, little-endian
//!     20     32  BLAKE3 hash of the contents
//!     52      .  the contents: the image in bincode's standard configuration
//! ```
//!
//! The encoding of the contents is this module's own affair: nothing outside it knows of bincode.

use crate::Image;
use std::{fs, io, path::Path};

const MAGIC: [u8; 8] = *b"\x89ONW\r\n\x1a\n";
/// Version of the format this crate writes, and the only one it reads.
pub const VERSION: u32 = 2;
const HEADER: usize = 52;
/// The largest contents that are read, in bytes: far above any chip's memories, far below what would exhaust a host.
const LIMIT: usize = 1 << 36;

/// Why a file is not an image.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// It cannot be read.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: String,
        /// What the system says.
        error: io::Error,
    },
    /// It begins with something else.
    #[error("not an Onward image: it does not begin as one; make one with `onward compile NET.sp -o IMAGE.onw`")]
    Foreign,
    /// It is of another version.
    #[error("the image has format version {found}, this program reads {VERSION}; compile the network again")]
    Version {
        /// Its version.
        found: u32,
    },
    /// Bytes are missing or left over.
    #[error(
        "the image is cut off or has bytes left over: {expected} bytes expected, {found} found; copy or compile it again"
    )]
    Length {
        /// Bytes the header promises.
        expected: u64,
        /// Bytes there are.
        found: u64,
    },
    /// Bytes are not those that were written.
    #[error("the image is damaged: its checksum does not match; copy or compile it again")]
    Checksum,
    /// The contents make no sense.
    #[error("the image is damaged: {0}; compile the network again")]
    Contents(String),
}

impl Image {
    /// The file's bytes: the same for the same image, on any machine.
    pub fn to_bytes(&self) -> Vec<u8> {
        let contents = bincode::serde::encode_to_vec(self, bincode::config::standard())
            .expect("encoding to memory cannot fail: all types have a length");
        let mut bytes = Vec::with_capacity(HEADER + contents.len());
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend((contents.len() as u64).to_le_bytes());
        bytes.extend(blake3::hash(&contents).as_bytes());
        bytes.extend(contents);
        bytes
    }

    /// The checksum a file of the image carries, in hexadecimal: equal for equal images.
    pub fn checksum(&self) -> String {
        self.to_bytes()[20..HEADER].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The image in a file's bytes.
    ///
    /// # Errors
    /// The bytes are anything but what [`Image::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Image, ImageError> {
        let prefix = bytes.len().min(MAGIC.len());
        if bytes.is_empty() || bytes[..prefix] != MAGIC[..prefix] {
            return Err(ImageError::Foreign);
        }
        let Some((header, contents)) = bytes.split_at_checked(HEADER) else {
            return Err(ImageError::Length { expected: HEADER as u64, found: bytes.len() as u64 });
        };
        let version = u32::from_le_bytes(header[8..12].try_into().expect("four bytes"));
        if version != VERSION {
            return Err(ImageError::Version { found: version });
        }
        let length = u64::from_le_bytes(header[12..20].try_into().expect("eight bytes"));
        if length != contents.len() as u64 {
            let expected = length.saturating_add(HEADER as u64);
            return Err(ImageError::Length { expected, found: bytes.len() as u64 });
        }
        if header[20..] != *blake3::hash(contents).as_bytes() {
            return Err(ImageError::Checksum);
        }
        let config = bincode::config::standard().with_limit::<LIMIT>();
        let (image, read): (Image, usize) = bincode::serde::decode_from_slice(contents, config)
            .map_err(|error| ImageError::Contents(error.to_string()))?;
        if read != contents.len() {
            return Err(ImageError::Contents(format!("{} bytes are left over", contents.len() - read)));
        }
        image.check().map_err(ImageError::Contents)?;
        Ok(image)
    }

    /// Reads an image file.
    ///
    /// # Errors
    /// The file cannot be read or is no image.
    pub fn load(path: &Path) -> Result<Image, ImageError> {
        let bytes = fs::read(path).map_err(|error| ImageError::File { path: path.display().to_string(), error })?;
        Image::from_bytes(&bytes)
    }
}
