//! The file: magic, version, length, checksum, contents.
//!
//! ```text
//! offset  bytes  what
//!      0      8  magic 89 4f 4e 57 0d 0a 1a 0a: no text file begins so, and transfers as text damage it
//!      8      4  version, little-endian
//!     12      8  length of the contents, little-endian
//!     20     32  BLAKE3 hash of the contents
//!     52      .  the contents, in bincode's standard configuration: the image, then its proof or that there is none
//! ```
//!
//! The encoding of the contents is this module's own affair: nothing outside it knows of bincode.

use crate::{Image, Proof};
use onward_diagnostic::{Remedy, Unreadable};
use std::borrow::Cow;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::{fs, path::Path};

const MAGIC: [u8; 8] = *b"\x89ONW\r\n\x1a\n";
/// Version of the format this crate writes, and the only one it reads.
pub const VERSION: u32 = 11;
const HEADER: usize = 52;

/// Why a file is not an image.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] Unreadable),
    /// It begins with something else.
    #[error("not an Onward image: it does not begin as one")]
    Foreign,
    /// It is of another version.
    #[error("the image has format version {found}, this program reads {VERSION}")]
    Version {
        /// Its version.
        found: u32,
    },
    /// Bytes are missing or left over.
    #[error("the image is cut off or has bytes left over: {expected} bytes expected, {found} found")]
    Length {
        /// Bytes the header promises.
        expected: u64,
        /// Bytes there are.
        found: u64,
    },
    /// Bytes are not those that were written.
    #[error("the image is damaged: its checksum does not match")]
    Checksum,
    /// The contents make no sense.
    #[error("the image is damaged: {0}")]
    Contents(String),
}

impl Remedy for ImageError {
    fn remedy(&self) -> Option<Cow<'_, str>> {
        let remedy = match self {
            ImageError::File(error) => return error.remedy(),
            ImageError::Foreign => "make one with `onward compile NET.sp -o IMAGE.onw`",
            ImageError::Version { .. } | ImageError::Contents(_) => "compile the network again",
            ImageError::Length { .. } | ImageError::Checksum => "copy or compile it again",
        };
        Some(remedy.into())
    }
}

/// Takes bytes in, and keeps only their number and hash.
#[derive(Default)]
struct Hasher {
    hasher: blake3::Hasher,
    length: u64,
}

impl Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Puts the contents into a writer, piece by piece.
fn encode(image: &Image, mut to: &mut dyn Write) -> io::Result<()> {
    encode_bare(image, to)?;
    let encoded = bincode::serde::encode_into_std_write(image.proof, &mut to, bincode::config::standard());
    encoded.map(|_| ()).map_err(failed_to_encode)
}

/// The image without its proof.
fn encode_bare(image: &Image, mut to: &mut dyn Write) -> io::Result<()> {
    let encoded = bincode::serde::encode_into_std_write(image, &mut to, bincode::config::standard());
    encoded.map(|_| ()).map_err(failed_to_encode)
}

fn failed_to_encode(error: bincode::error::EncodeError) -> io::Error {
    match error {
        bincode::error::EncodeError::Io { inner, .. } => inner,
        other => io::Error::other(other),
    }
}

/// The header of the contents.
fn header(image: &Image) -> [u8; HEADER] {
    let mut hasher = Hasher::default();
    encode(image, &mut hasher).expect("hashing cannot fail: all types have a length");
    let mut header = [0; HEADER];
    header[..8].copy_from_slice(&MAGIC);
    header[8..12].copy_from_slice(&VERSION.to_le_bytes());
    header[12..20].copy_from_slice(&hasher.length.to_le_bytes());
    header[20..].copy_from_slice(hasher.hasher.finalize().as_bytes());
    header
}

/// Checks the header of a file with so many bytes; `contents` reads what follows.
fn check_header(header: &[u8], found: u64, contents: &mut dyn FnMut(&mut Hasher) -> io::Result<()>) -> Checked {
    let prefix = header.len().min(MAGIC.len());
    if header.is_empty() || header[..prefix] != MAGIC[..prefix] {
        return Ok(Err(ImageError::Foreign));
    }
    if header.len() < HEADER {
        return Ok(Err(ImageError::Length { expected: HEADER as u64, found }));
    }
    let version = u32::from_le_bytes(header[8..12].try_into().expect("four bytes"));
    if version != VERSION {
        return Ok(Err(ImageError::Version { found: version }));
    }
    let length = u64::from_le_bytes(header[12..20].try_into().expect("eight bytes"));
    if Some(length) != found.checked_sub(HEADER as u64) {
        let expected = length.saturating_add(HEADER as u64);
        return Ok(Err(ImageError::Length { expected, found }));
    }
    let mut hasher = Hasher::default();
    contents(&mut hasher)?;
    if header[20..HEADER] != *hasher.hasher.finalize().as_bytes() {
        return Ok(Err(ImageError::Checksum));
    }
    Ok(Ok(()))
}

/// What the system says, or else what is wrong.
type Checked = io::Result<Result<(), ImageError>>;

/// The image in so many bytes of contents whose checksum is right, whatever its parts are. `rest`: bytes left over.
///
/// No memory is taken that the contents could not fill, whatever lengths they claim: a byte of them is at most a number of
/// eight, and so the limit of what is decoded follows their length. (The library takes it as a type.)
fn decode<R: Read>(contents: R, length: u64, rest: impl FnOnce(R) -> u64) -> Result<Image, ImageError> {
    match length {
        0..0x1_0000 => decode_within::<0x10_0000, R>(contents, rest),
        0x1_0000..0x10_0000 => decode_within::<0x100_0000, R>(contents, rest),
        0x10_0000..0x100_0000 => decode_within::<0x1000_0000, R>(contents, rest),
        0x100_0000..0x1000_0000 => decode_within::<0x1_0000_0000, R>(contents, rest),
        _ => decode_within::<0x100_0000_0000, R>(contents, rest),
    }
}

fn decode_within<const LIMIT: usize, R: Read>(
    mut contents: R,
    rest: impl FnOnce(R) -> u64,
) -> Result<Image, ImageError> {
    let config = bincode::config::standard().with_limit::<LIMIT>();
    let damaged = |error: bincode::error::DecodeError| ImageError::Contents(error.to_string());
    let image: Image = bincode::serde::decode_from_std_read(&mut contents, config).map_err(damaged)?;
    let proof: Option<Proof> = bincode::serde::decode_from_std_read(&mut contents, config).map_err(damaged)?;
    match rest(contents) {
        0 => {}
        rest => return Err(ImageError::Contents(format!("{rest} bytes are left over"))),
    }
    Ok(Image { proof, ..image })
}

/// The image, if its parts fit each other.
fn checked(image: Image) -> Result<Image, ImageError> {
    image.check().map_err(ImageError::Contents)?;
    Ok(image)
}

impl Image {
    /// Writes the file: the same bytes for the same image, on any machine. Takes no memory to speak of.
    ///
    /// # Errors
    /// What the writer says.
    pub fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        to.write_all(&header(self))?;
        encode(self, to)
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes).expect("writing to memory cannot fail");
        bytes
    }

    /// The checksum a file of the image carries, in hexadecimal: equal for equal images.
    pub fn checksum(&self) -> String {
        header(self)[20..].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// BLAKE3 of the text that the image was compiled from, with what it includes and the parameters that were set.
    pub fn network_hash(&self) -> String {
        blake3::hash(self.network.source.1.as_bytes()).to_hex().to_string()
    }

    /// BLAKE3 of all of the image but its proof: what a proof says that it is about.
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = Hasher::default();
        encode_bare(self, &mut hasher).expect("hashing cannot fail: all types have a length");
        *hasher.hasher.finalize().as_bytes()
    }

    /// Whether it carries a proof of itself, by a verifier of that version.
    pub fn is_proven_by(&self, version: u32) -> bool {
        self.proof.is_some_and(|proof| proof.version == version && proof.of == self.digest())
    }

    /// The image in a file's bytes.
    ///
    /// # Errors
    /// The bytes are anything but what [`Image::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Image, ImageError> {
        let (header, contents) = bytes.split_at_checked(HEADER).unwrap_or((bytes, &[]));
        let checked_header = check_header(header, bytes.len() as u64, &mut |hasher| hasher.write_all(contents));
        checked_header.expect("reading memory cannot fail")?;
        decode(contents, contents.len() as u64, |rest| rest.len() as u64).and_then(checked)
    }

    /// Reads an image file, without ever holding the file itself in memory.
    ///
    /// # Errors
    /// The file cannot be read or is no image.
    pub fn load(path: &Path) -> Result<Image, ImageError> {
        Image::load_unchecked(path).and_then(checked)
    }

    /// Reads an image file whose parts may not fit each other, for those who look for just that: nothing that
    /// [`Image::check`] asks for holds.
    ///
    /// # Errors
    /// The file cannot be read, or its bytes are not those that were written.
    pub fn load_unchecked(path: &Path) -> Result<Image, ImageError> {
        let failed = |error| Unreadable::new(path, error);
        let mut file = fs::File::open(path).map_err(failed)?;
        let found = file.metadata().map_err(failed)?;
        if !found.is_file() {
            // A pipe can be read once only.
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).map_err(failed)?;
            let (header, contents) = bytes.split_at_checked(HEADER).unwrap_or((&bytes, &[]));
            check_header(header, bytes.len() as u64, &mut |hasher| hasher.write_all(contents)).map_err(failed)??;
            return decode(contents, contents.len() as u64, |rest| rest.len() as u64);
        }
        let mut header = Vec::with_capacity(HEADER);
        (&mut file).take(HEADER as u64).read_to_end(&mut header).map_err(failed)?;
        let mut contents = |hasher: &mut Hasher| io::copy(&mut file, hasher).map(|_| ());
        check_header(&header, found.len(), &mut contents).map_err(failed)??;
        file.seek(SeekFrom::Start(HEADER as u64)).map_err(failed)?;
        decode(BufReader::with_capacity(1 << 16, file), found.len(), |rest| rest.bytes().count() as u64)
    }

    /// Takes the initial contents of all blocks' memories out, by logical number: what is left describes the image, and
    /// its memories begin empty.
    pub fn take_contents(&mut self) -> Vec<[Vec<u8>; 3]> {
        self.blocks.iter_mut().map(|block| std::mem::take(&mut block.contents)).collect()
    }
}
