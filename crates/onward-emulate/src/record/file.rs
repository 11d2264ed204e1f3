//! The file of a record.
//!
//! ```text
//! offset  bytes  what
//!      0      8  magic 89 4f 4e 52 0d 0a 1a 0a
//!      8      4  version, little-endian, as are all numbers
//!     12      .  sections, the last of which is the end
//!
//! a section
//!      0      1  what it is: 1 image, 2 phase, 3 steps, 4 end
//!      1      8  length of its contents
//!      9      8  length as they lie in the file, packed by DEFLATE
//!     17     32  BLAKE3 hash of the 17 bytes before, of the number of the section (8 bytes, from 0), and of the packed contents
//!     49      .  the packed contents
//! ```
//!
//! The image is that of the run, its memories left empty. A phase says in a byte what the steps behind it are for (0 nothing that
//! is told apart, 1 learning, 2 testing). Of steps and counters see `coding`. The end holds the counters of the run, those of
//! learning, and what whoever made the record says of it.

use super::RunPhase;
use super::coding::{Reader, Writer, Wrong};
use super::counted::Counted;
use super::steps::Steps;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use onward_diagnostic::{Remedy, Unreadable};
use onward_image::Image;
use std::borrow::Cow;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

const MAGIC: [u8; 8] = *b"\x89ONR\r\n\x1a\n";
/// Version of records that are written, and the only one that is read.
pub const RECORD_VERSION: u32 = 1;
/// The head of a section without its hash.
const HEAD: usize = 17;
const HASH: usize = 32;
/// The largest contents of a section, in bytes: far above what is written (some ten million, or an image without its memories).
const LARGEST: u64 = 1 << 30;

const IMAGE: u8 = 1;
const PHASE: u8 = 2;
const STEPS: u8 = 3;
const END: u8 = 4;

/// Why a file is not a record of a run.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] Unreadable),
    /// It begins with something else.
    #[error("not a record of a run: it does not begin as one")]
    Foreign,
    /// It is of another version.
    #[error("the record has format version {found}, this program reads {RECORD_VERSION}")]
    Version {
        /// Its version.
        found: u32,
    },
    /// It ends before its end.
    #[error("the record is cut off")]
    CutOff,
    /// Its bytes are not those that were written.
    #[error("the record is damaged: {0}")]
    Damaged(&'static str),
}

impl Remedy for RecordError {
    fn remedy(&self) -> Option<Cow<'_, str>> {
        let remedy = match self {
            RecordError::File(error) => return error.remedy(),
            RecordError::Foreign => "make one with `onward train NET.sp --record FILE`",
            RecordError::Version { .. } => "record the run again, with this program",
            RecordError::CutOff | RecordError::Damaged(_) => "copy it again, or record the run again",
        };
        Some(remedy.into())
    }
}

/// A part of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Phase {
    pub kind: RunPhase,
    /// Where its sections of steps end; they begin where those of the phase before do.
    pub end: usize,
}

/// Steps as they lie in the file.
pub(super) struct PackedSteps {
    length: u64,
    bytes: Vec<u8>,
}

/// What a run did, in a form from which the time of every chip follows on which its blocks find room.
///
/// Lanes, clock, memories, mesh, places, buffers, links and barrier may be others than those of the run; see
/// [`Record::retime`].
pub struct Record {
    pub(super) image: Image,
    pub(super) phases: Vec<Phase>,
    pub(super) sections: Vec<PackedSteps>,
    pub(super) counted: Counted,
    pub(super) learning: Counted,
    about: Vec<u8>,
}

impl Record {
    /// The image that ran; its memories are empty.
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// What whoever made the record says of the run.
    pub fn about(&self) -> &[u8] {
        &self.about
    }

    /// Steps of the run.
    pub fn steps(&self) -> u64 {
        self.counted.steps
    }

    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or is not what a run recorded.
    pub fn load(path: &Path) -> Result<Record, RecordError> {
        let failed = |error| RecordError::File(Unreadable::new(path, error));
        let file = std::fs::File::open(path).map_err(failed)?;
        Record::read(BufReader::with_capacity(1 << 16, file)).map_err(failed)?
    }

    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// They are not what a run recorded.
    pub fn from_bytes(bytes: &[u8]) -> Result<Record, RecordError> {
        Record::read(bytes).map_err(|_| RecordError::CutOff)?
    }

    fn read(mut from: impl Read) -> io::Result<Result<Record, RecordError>> {
        let mut sections = Sections { from: &mut from, number: 0 };
        match sections.begin().and_then(|()| sections.record()) {
            Err(Stopped::Io(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(Err(RecordError::CutOff)),
            Err(Stopped::Io(error)) => Err(error),
            Err(Stopped::Wrong(wrong)) => Ok(Err(RecordError::Damaged(wrong))),
            Err(Stopped::Refused(error)) => Ok(Err(error)),
            Ok(record) => Ok(Ok(record)),
        }
    }

    /// The steps of a section.
    ///
    /// # Errors
    /// They name what the image does not have.
    pub(super) fn unpack(&self, section: usize) -> Result<Steps, RecordError> {
        let PackedSteps { length, bytes } = &self.sections[section];
        let wrong = RecordError::Damaged;
        let steps = Steps::decode(&unpacked(bytes, *length).map_err(wrong)?).map_err(wrong)?;
        steps.check(&self.image).map_err(wrong)?;
        Ok(steps)
    }
}

/// Why a record is not read any further.
enum Stopped {
    Io(io::Error),
    Wrong(Wrong),
    Refused(RecordError),
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Stopped {
        Stopped::Io(error)
    }
}

impl From<Wrong> for Stopped {
    fn from(wrong: Wrong) -> Stopped {
        Stopped::Wrong(wrong)
    }
}

/// A section as it lies in the file.
struct Section {
    kind: u8,
    length: u64,
    packed: Vec<u8>,
}

struct Sections<'a> {
    from: &'a mut dyn Read,
    number: u64,
}

impl Sections<'_> {
    fn begin(&mut self) -> Result<(), Stopped> {
        let mut head = Vec::new();
        self.from.take(12).read_to_end(&mut head)?;
        let prefix = head.len().min(MAGIC.len());
        if head.is_empty() || head[..prefix] != MAGIC[..prefix] {
            return Err(Stopped::Refused(RecordError::Foreign));
        }
        let version = head.get(8..12).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
        match version {
            None => Err(Stopped::Refused(RecordError::CutOff)),
            Some(RECORD_VERSION) => Ok(()),
            Some(found) => Err(Stopped::Refused(RecordError::Version { found })),
        }
    }

    fn next(&mut self) -> Result<Section, Stopped> {
        let mut head = [0; HEAD];
        self.from.read_exact(&mut head)?;
        let mut hash = [0; HASH];
        self.from.read_exact(&mut hash)?;
        let number = |at: usize| u64::from_le_bytes(std::array::from_fn(|byte| head[at + byte]));
        let (length, packed_length) = (number(1), number(9));
        if length > LARGEST || packed_length > LARGEST {
            return Err("a section is too large".into());
        }
        // Not allocated at once: what a damaged file promises need not be there.
        let mut packed = Vec::new();
        self.from.take(packed_length).read_to_end(&mut packed)?;
        if packed.len() as u64 != packed_length {
            return Err(Stopped::Refused(RecordError::CutOff));
        }
        if hash != hashed(&head, self.number, &packed) {
            return Err("a checksum does not match".into());
        }
        self.number += 1;
        Ok(Section { kind: head[0], length, packed })
    }

    fn record(&mut self) -> Result<Record, Stopped> {
        let first = self.next()?;
        if first.kind != IMAGE {
            return Err("it does not begin with an image".into());
        }
        let image = Image::from_bytes(&unpacked(&first.packed, first.length)?);
        let image = image.map_err(|_| "its image is none")?;
        let (mut phases, mut sections) = (vec![Phase { kind: RunPhase::Other, end: 0 }], Vec::new());
        let end = loop {
            let section = self.next()?;
            match section.kind {
                STEPS => sections.push(PackedSteps { length: section.length, bytes: section.packed }),
                PHASE => {
                    let kind = match unpacked(&section.packed, section.length)?[..] {
                        [0] => RunPhase::Other,
                        [1] => RunPhase::Learning,
                        [2] => RunPhase::Testing,
                        _ => return Err("a phase that is none".into()),
                    };
                    phases.push(Phase { kind, end: 0 });
                }
                END => break section,
                _ => return Err("a section that is none".into()),
            }
            if let Some(last) = phases.last_mut() {
                last.end = sections.len();
            }
        };
        if self.from.read(&mut [0])? > 0 {
            return Err("bytes are left over".into());
        }
        let end = unpacked(&end.packed, end.length)?;
        let mut reader = Reader(&end);
        let counted = Counted::decode(&mut reader, &image)?;
        let learning = Counted::decode(&mut reader, &image)?;
        if !counted.covers(&learning) {
            return Err("more is counted of learning than of the whole run".into());
        }
        Ok(Record { phases, sections, counted, learning, about: reader.0.to_vec(), image })
    }
}

fn hashed(head: &[u8; HEAD], number: u64, packed: &[u8]) -> [u8; HASH] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(head).update(&number.to_le_bytes()).update(packed);
    *hasher.finalize().as_bytes()
}

/// What was packed, which has that length.
fn unpacked(packed: &[u8], length: u64) -> Result<Vec<u8>, Wrong> {
    let mut contents = Vec::new();
    let read = DeflateDecoder::new(packed).take(length + 1).read_to_end(&mut contents);
    match read {
        Ok(_) if contents.len() as u64 == length => Ok(contents),
        _ => Err("a section is not packed as it says"),
    }
}

/// Writes a record, section by section.
pub(super) struct Sink {
    to: Box<dyn Write + Send>,
    number: u64,
}

impl Sink {
    /// Begins a record of a run of an image, whose memories are left out.
    pub fn new(image: &Image, mut to: Box<dyn Write + Send>) -> io::Result<Sink> {
        to.write_all(&MAGIC)?;
        to.write_all(&RECORD_VERSION.to_le_bytes())?;
        let mut sink = Sink { to, number: 0 };
        let mut bare = image.clone();
        bare.take_contents();
        bare.proof = None;
        bare.learned = onward_image::Learned::default();
        sink.section(IMAGE, &bare.to_bytes())?;
        Ok(sink)
    }

    /// What follows is of this phase.
    pub fn phase(&mut self, kind: RunPhase) -> io::Result<()> {
        self.section(PHASE, &[kind as u8])
    }

    /// Steps of the run.
    pub fn steps(&mut self, steps: &Steps) -> io::Result<()> {
        let mut contents = Writer::default();
        steps.encode(&mut contents);
        self.section(STEPS, &contents.0)
    }

    /// Ends the record.
    pub fn end(mut self, counted: &Counted, learning: &Counted, about: &[u8]) -> io::Result<()> {
        let mut contents = Writer::default();
        counted.encode(&mut contents);
        learning.encode(&mut contents);
        contents.0.extend(about);
        self.section(END, &contents.0)?;
        self.to.flush()
    }

    fn section(&mut self, kind: u8, contents: &[u8]) -> io::Result<()> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(contents)?;
        let packed = encoder.finish()?;
        let mut head = [0; HEAD];
        head[0] = kind;
        head[1..9].copy_from_slice(&(contents.len() as u64).to_le_bytes());
        head[9..].copy_from_slice(&(packed.len() as u64).to_le_bytes());
        self.to.write_all(&head)?;
        self.to.write_all(&hashed(&head, self.number, &packed))?;
        self.to.write_all(&packed)?;
        self.number += 1;
        Ok(())
    }
}
