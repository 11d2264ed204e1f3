//! Checkpoints: a run that is killed goes on from the last one, and ends as if nothing had happened.
//!
//! A checkpoint holds where a run is, what its chip has learned, array by array, and how often each block's generator has
//! drawn. It holds no cycles, no placement and no layout, so a run may go on on another chip, with other threads, on another
//! machine. It is made where the network rests: between samples, and between sequences of them.
//!
//! ```text
//! offset  bytes  what
//!      0      8  magic 89 4f 4e 43 0d 0a 1a 0a
//!      8      4  version, little-endian, as are all numbers
//!     12      8  length of what follows the hash
//!     20     32  BLAKE3 hash of that
//!     52     32  which run it is of
//!     84     12  epoch, from 0, and samples (of a bandit: trials) that are done in it
//!     96      .  rewards: how many, and a byte each
//!      .      .  blocks: how many; each its layer (length, UTF-8), first neuron, draws, and its arrays: how many, each its
//!                name (length, UTF-8), how many elements, four bytes each
//! ```

use onward_diagnostic::{Remedy, Unreadable};
use onward_emulate::Engine;
use onward_image::{Block, BlockIndex, Image, Symbol};
use onward_isa::Width;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};

const MAGIC: [u8; 8] = *b"\x89ONC\r\n\x1a\n";
/// Version of checkpoints that are written, and the only one that is read.
pub const CHECKPOINT_VERSION: u32 = 1;
const HEADER: usize = 52;

/// Why a run cannot go on from a checkpoint.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] Unreadable),
    /// It begins with something else.
    #[error("not a checkpoint: it does not begin as one")]
    Foreign,
    /// It is of another version.
    #[error("the checkpoint has version {found}, this program reads {CHECKPOINT_VERSION}")]
    Version {
        /// Its version.
        found: u32,
    },
    /// Its bytes are not those that were written.
    #[error("the checkpoint is damaged")]
    Damaged,
    /// It is of a run of another network, other data, another seed or other options.
    #[error("the checkpoint is of another run")]
    OtherRun,
}

impl Remedy for CheckpointError {
    fn remedy(&self) -> Option<Cow<'_, str>> {
        let remedy = match self {
            CheckpointError::File(error) => return error.remedy(),
            CheckpointError::Foreign => "name another file",
            CheckpointError::Version { .. } | CheckpointError::Damaged => "--fresh begins anew, and writes over it",
            CheckpointError::OtherRun => {
                "give the command that it was made by, name another file, or begin anew with --fresh"
            }
        };
        Some(remedy.into())
    }
}

/// What a block has learned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Learned {
    draws: u32,
    /// Arrays that are not as the image fills them, and those of weights.
    arrays: BTreeMap<String, Vec<i32>>,
}

/// A block, wherever it lies: the name of its layer, and its first neuron there.
type Place = (String, u32);

/// Where a run is, and what it has learned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which run it is of.
    run: [u8; 32],
    /// Epoch, from 0.
    pub epoch: u32,
    /// Samples, or trials, that are done in it.
    pub done: u64,
    /// Of a bandit, whether each trial was rewarded.
    pub rewards: Vec<bool>,
    blocks: BTreeMap<Place, Learned>,
}

/// What makes a run the same: whatever of it changes an answer.
pub struct Identity(blake3::Hasher);

impl Identity {
    /// A run of an image as it is before the run, with a seed.
    ///
    /// The chip, its layout and the image's machine code are left out, since no answer depends on them.
    pub fn new(command: &str, image: &Image, seed: u64) -> Identity {
        let mut identity = Identity(blake3::Hasher::new());
        let network = &image.network;
        identity.add(command.as_bytes());
        identity.add(network.source.1.as_bytes());
        identity.add(&network.seed.to_le_bytes());
        identity.add(&seed.to_le_bytes());
        identity.add(&image.learned.epochs.to_le_bytes());
        // What it begins with: of an image that has learned more than its text says.
        for (_, block) in image.blocks.iter_enumerated().filter(|(_, block)| image.population(block).has_weights()) {
            for symbol in block.symbols.iter().filter(|symbol| symbol.name.contains("weights")) {
                for value in contents(block, symbol) {
                    identity.0.update(&value.to_le_bytes());
                }
            }
        }
        identity
    }

    /// Adds something else that answers depend on.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    fn finish(&self) -> [u8; 32] {
        *self.0.finalize().as_bytes()
    }
}

/// What an image fills an array with.
fn contents(block: &Block, symbol: &Symbol) -> Vec<i32> {
    let (Some(space), Some(width)) = (symbol.space(), symbol.width()) else { return Vec::new() };
    let Some(bytes) = block.contents.get(space as usize) else { return Vec::new() };
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
    let first = symbol.offset as usize;
    let element = |at: usize| match width {
        Width::W4 => i32::from((byte(at / 2) >> (4 * (at % 2)) << 4) as i8 >> 4),
        Width::W8 => i32::from(byte(at) as i8),
        Width::W16 => i32::from(i16::from_le_bytes([byte(2 * at), byte(2 * at + 1)])),
        Width::W32 => i32::from_le_bytes([0, 1, 2, 3].map(|part| byte(4 * at + part))),
    };
    (first..first + symbol.elements() as usize).map(element).collect()
}

fn place(image: &Image, block: &Block) -> Place {
    (image.population(block).name.clone(), block.first_neuron)
}

impl Checkpoint {
    /// What a machine at rest has made of an image; arrays named in `keep` are kept, changed or not.
    fn of(machine: &dyn Engine, image: &Image, keep: &BTreeSet<(Place, String)>) -> BTreeMap<Place, Learned> {
        let draws = machine.draws();
        let mut blocks = BTreeMap::new();
        for (number, block) in image.blocks.iter_enumerated() {
            let place = place(image, block);
            let mut arrays = BTreeMap::new();
            for symbol in &block.symbols {
                let Some(now) = machine.peek(number, &symbol.name) else { continue };
                let is_kept = keep.contains(&(place.clone(), symbol.name.clone()));
                if is_kept || now != contents(block, symbol) {
                    arrays.insert(symbol.name.clone(), now);
                }
            }
            let draws = draws.get(usize::from(number)).copied().unwrap_or(0);
            blocks.insert(place, Learned { draws, arrays });
        }
        blocks
    }

    /// The image with what has been learned in it: a run of it goes on from here.
    ///
    /// # Errors
    /// The image is of another network.
    pub fn apply(&self, image: &Image) -> Result<Image, CheckpointError> {
        let mut image = image.clone();
        let mut draws = vec![0; image.blocks.len()];
        let places: Vec<Place> = image.blocks.iter().map(|block| place(&image, block)).collect();
        for (number, place) in places.into_iter().enumerate() {
            let number = BlockIndex::from(number);
            let learns = image.population(&image.blocks[number]).has_weights();
            let Some(learned) = self.blocks.get(&place) else {
                // What learns is cut as the network says, wherever it lies; the rest as it fits.
                if learns {
                    return Err(CheckpointError::OtherRun);
                }
                continue;
            };
            draws[usize::from(number)] = learned.draws;
            let block = &mut image.blocks[number];
            for (name, values) in &learned.arrays {
                let symbol = block.symbols.iter().find(|symbol| symbol.name == *name).cloned();
                let fits = symbol.filter(|symbol| symbol.elements() == values.len() as u64);
                let Some((symbol, space, width)) = fits.and_then(|symbol| {
                    let (space, width) = (symbol.space()?, symbol.width()?);
                    Some((symbol, space, width))
                }) else {
                    if learns {
                        return Err(CheckpointError::OtherRun);
                    }
                    continue;
                };
                let contents = &mut block.contents[space as usize];
                let end = (symbol.offset as usize + values.len()) * width.bits() as usize;
                contents.resize(contents.len().max(end.div_ceil(8)), 0);
                for (at, &value) in values.iter().enumerate() {
                    width.put(contents, symbol.offset as usize + at, value.into());
                }
            }
        }
        image.learned.draws = draws;
        image.proof = None;
        Ok(image)
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut body = self.run.to_vec();
        body.extend(self.epoch.to_le_bytes());
        body.extend(self.done.to_le_bytes());
        body.extend((self.rewards.len() as u64).to_le_bytes());
        body.extend(self.rewards.iter().map(|&reward| u8::from(reward)));
        body.extend((self.blocks.len() as u64).to_le_bytes());
        let text = |body: &mut Vec<u8>, text: &str| {
            body.extend((text.len() as u64).to_le_bytes());
            body.extend(text.as_bytes());
        };
        for ((layer, first_neuron), learned) in &self.blocks {
            text(&mut body, layer);
            body.extend(first_neuron.to_le_bytes());
            body.extend(learned.draws.to_le_bytes());
            body.extend((learned.arrays.len() as u64).to_le_bytes());
            for (name, values) in &learned.arrays {
                text(&mut body, name);
                body.extend((values.len() as u64).to_le_bytes());
                values.iter().for_each(|value| body.extend(value.to_le_bytes()));
            }
        }
        let mut bytes = MAGIC.to_vec();
        bytes.extend(CHECKPOINT_VERSION.to_le_bytes());
        bytes.extend((body.len() as u64).to_le_bytes());
        bytes.extend(blake3::hash(&body).as_bytes());
        bytes.extend(body);
        bytes
    }

    /// The checkpoint in a file's bytes.
    ///
    /// # Errors
    /// The bytes are anything but what [`Checkpoint::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Checkpoint, CheckpointError> {
        let begins = bytes.get(..8).is_some_and(|magic| *magic == MAGIC);
        if !begins {
            return Err(CheckpointError::Foreign);
        }
        let (header, body) = bytes.split_at_checked(HEADER).ok_or(CheckpointError::Damaged)?;
        let mut reader = Reader(&header[8..20]);
        let version = reader.number::<4>().map(u32::from_le_bytes).ok_or(CheckpointError::Damaged)?;
        if version != CHECKPOINT_VERSION {
            return Err(CheckpointError::Version { found: version });
        }
        let length = reader.number::<8>().map(u64::from_le_bytes);
        if length != Some(body.len() as u64) || header[20..] != *blake3::hash(body).as_bytes() {
            return Err(CheckpointError::Damaged);
        }
        Reader(body).checkpoint().ok_or(CheckpointError::Damaged)
    }
}

/// Bytes that are read from the front; nothing is taken that is not there, however much is promised.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }

    fn number<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn count(&mut self) -> Option<usize> {
        usize::try_from(u64::from_le_bytes(self.number()?)).ok()
    }

    fn text(&mut self) -> Option<String> {
        let length = self.count()?;
        String::from_utf8(self.take(length)?.to_vec()).ok()
    }

    fn checkpoint(mut self) -> Option<Checkpoint> {
        let run = self.number()?;
        let (epoch, done) = (u32::from_le_bytes(self.number()?), u64::from_le_bytes(self.number()?));
        let rewards = self.count()?;
        let rewards = self.take(rewards)?.iter().map(|&reward| reward != 0).collect();
        let mut blocks = BTreeMap::new();
        for _ in 0..self.count()? {
            let place = (self.text()?, u32::from_le_bytes(self.number()?));
            let draws = u32::from_le_bytes(self.number()?);
            let mut arrays = BTreeMap::new();
            for _ in 0..self.count()? {
                let name = self.text()?;
                let elements = self.count()?;
                let bytes = self.take(elements.checked_mul(4)?)?;
                let values = bytes.chunks_exact(4).map(|four| i32::from_le_bytes([four[0], four[1], four[2], four[3]]));
                arrays.insert(name, values.collect());
            }
            blocks.insert(place, Learned { draws, arrays });
        }
        self.0.is_empty().then_some(Checkpoint { run, epoch, done, rewards, blocks })
    }
}

/// Where a run leaves its checkpoints, how often, and the one that it goes on from.
pub struct Checkpoints {
    path: PathBuf,
    /// Samples, or trials, from one to the next.
    pub(crate) every: u64,
    run: [u8; 32],
    /// The one that the run goes on from.
    pub from: Option<Checkpoint>,
    /// Arrays that the one it went on from has: what they are now is kept, even if it is what they were then.
    keep: BTreeSet<(Place, String)>,
}

impl Checkpoints {
    /// Looks for a checkpoint to go on from, unless the run is to begin afresh.
    ///
    /// # Errors
    /// There is a file, but no checkpoint of this run.
    pub fn open(path: &Path, every: u64, fresh: bool, identity: &Identity) -> Result<Checkpoints, CheckpointError> {
        let run = identity.finish();
        let mut found = None;
        if !fresh {
            match std::fs::read(path) {
                Ok(bytes) if bytes.is_empty() => {}
                Ok(bytes) => found = Some(Checkpoint::from_bytes(&bytes)?),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(Unreadable::new(path, error).into()),
            }
        }
        if found.as_ref().is_some_and(|found| found.run != run) {
            return Err(CheckpointError::OtherRun);
        }
        let kept = |checkpoint: &Checkpoint| {
            let names = |(place, learned): (&Place, &Learned)| {
                learned.arrays.keys().map(|name| (place.clone(), name.clone())).collect::<Vec<_>>()
            };
            checkpoint.blocks.iter().flat_map(names).collect()
        };
        let keep = found.as_ref().map(kept).unwrap_or_default();
        Ok(Checkpoints { path: path.to_owned(), every: every.max(1), run, from: found, keep })
    }

    /// Writes a checkpoint of a machine at rest: under another name first, so that there is a whole one at any time.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn save(
        &self,
        machine: &dyn Engine,
        image: &Image,
        (epoch, done): (u32, u64),
        rewards: &[bool],
    ) -> std::io::Result<()> {
        let blocks = Checkpoint::of(machine, image, &self.keep);
        let checkpoint = Checkpoint { run: self.run, epoch, done, rewards: rewards.to_vec(), blocks };
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new().prefix(".onward-").tempfile_in(folder)?;
        file.write_all(&checkpoint.to_bytes())?;
        file.as_file().sync_all()?;
        file.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }

    /// The end of the piece of an epoch's samples that begins at `at`: where the next checkpoint is due, or at the end of the
    /// sequence that is shown then.
    pub(crate) fn end_of_piece(&self, at: usize, samples: usize, continues: impl Fn(usize) -> bool) -> usize {
        let every = usize::try_from(self.every).unwrap_or(usize::MAX);
        let mut end = (at / every).saturating_add(1).saturating_mul(every).min(samples);
        while end < samples && continues(end) {
            end += 1;
        }
        end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint() -> Checkpoint {
        let arrays = [("weights".to_owned(), vec![1, -2, i32::MAX]), ("bias".to_owned(), vec![])].into();
        let blocks = [(("hidden".to_owned(), 64), Learned { draws: 7, arrays })].into();
        Checkpoint { run: [3; 32], epoch: 2, done: 1 << 40, rewards: vec![true, false], blocks }
    }

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let bytes = checkpoint().to_bytes();
        assert_eq!(Checkpoint::from_bytes(&bytes).expect("it was just written"), checkpoint());
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(Checkpoint::from_bytes(&changed).is_err(), "byte {at}");
            assert!(Checkpoint::from_bytes(&bytes[..at]).is_err(), "cut off at {at}");
        }
        // Lengths that promise more than there is take no memory.
        let mut body = bytes[HEADER..].to_vec();
        body[44..52].copy_from_slice(&u64::MAX.to_le_bytes());
        let mut forged = bytes[..HEADER].to_vec();
        forged[20..].copy_from_slice(blake3::hash(&body).as_bytes());
        forged.extend(body);
        assert!(matches!(Checkpoint::from_bytes(&forged), Err(CheckpointError::Damaged)));
    }

    #[test]
    fn pieces_end_where_checkpoints_are_due_or_a_sequence_ends() {
        let identity = Identity(blake3::Hasher::new());
        let none = Checkpoints::open(Path::new("there-is-none"), 10, false, &identity).expect("there is none");
        assert_eq!(none.end_of_piece(0, 25, |_| false), 10);
        assert_eq!(none.end_of_piece(10, 25, |_| false), 20);
        assert_eq!(none.end_of_piece(20, 25, |_| false), 25);
        assert_eq!(none.end_of_piece(13, 25, |at| at % 4 != 0), 20);
        assert_eq!(none.end_of_piece(0, 25, |at| at % 4 != 0), 12);
    }
}
