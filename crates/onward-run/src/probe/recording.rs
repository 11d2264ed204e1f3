//! Where recorded numbers go: temporary files, one a column, until all are there.

use super::selection::{Cadence, Kind, Probe};
use npyz::{AutoSerialize, WriteOptions, WriterBuilder};
use onward_image::Tag;
use onward_profile::{Column as Table, Raster, Recorded, TableWriter, Trace};
use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::rc::Rc;
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{DateTime, ZipWriter};

/// Spikes of a layer that are drawn at most.
const MOST_SPIKES: usize = 50_000;
/// Numbers of an array that are drawn at most, and how often each.
const MOST_NUMBERS: usize = 16;
const MOST_RECORDS: usize = 5_000;

/// Rows of a table that are put into a piece of it.
const ROWS: usize = 1 << 17;

/// Bytes that are handed to an archive at once: each time it is handed some, it clears as much for what comes of them.
const AT_ONCE: usize = 1 << 16;
/// How hard an archive looks for what is alike: what is recorded is, and most of a harder search would be the run's time.
const COMPRESSION: i64 = 1;

/// A number in a column, as little-endian bytes.
trait Number: AutoSerialize + Copy {
    const BYTES: usize;
    fn put(self, out: &mut impl Write) -> io::Result<()>;
    fn take(bytes: &[u8]) -> Self;
}

macro_rules! numbers {
    ($($of:ty),*) => {$(
        impl Number for $of {
            const BYTES: usize = size_of::<$of>();
            fn put(self, out: &mut impl Write) -> io::Result<()> {
                out.write_all(&self.to_le_bytes())
            }
            fn take(bytes: &[u8]) -> Self {
                let mut own = [0; size_of::<$of>()];
                own.copy_from_slice(bytes);
                <$of>::from_le_bytes(own)
            }
        }
    )*};
}
numbers!(u8, u16, u32, u64, i32);

/// Numbers of one type, in a temporary file that is gone when it is closed.
struct Column {
    file: BufWriter<File>,
    count: u64,
}

impl Column {
    fn new(folder: &Path) -> io::Result<Column> {
        Ok(Column { file: BufWriter::with_capacity(1 << 16, tempfile::tempfile_in(folder)?), count: 0 })
    }

    fn push<T: Number>(&mut self, number: T) -> io::Result<()> {
        self.count += 1;
        number.put(&mut self.file)
    }

    /// All of its numbers.
    fn numbers<T: Number>(&mut self) -> io::Result<Vec<T>> {
        self.first(u64::MAX)
    }

    /// The first of its numbers, at most so many.
    fn first<T: Number>(&mut self, most: u64) -> io::Result<Vec<T>> {
        let count = most.min(self.count) as usize;
        let numbers = self.reader()?.next(count);
        // What comes later is put behind.
        self.file.get_mut().seek(SeekFrom::End(0))?;
        numbers
    }

    /// Reads its numbers from the first on. What reads them to the last leaves the column so that more can be put behind.
    fn reader(&mut self) -> io::Result<Reader<'_>> {
        self.file.flush()?;
        self.file.get_mut().seek(SeekFrom::Start(0))?;
        Ok(Reader { file: self.file.get_ref(), left: self.count })
    }

    /// Adds it to an archive under a name; `extents` of a record, of which there are as many as come out.
    fn add<T: Number>(&mut self, archive: &mut Archive, name: &str, extents: &[u64]) -> io::Result<()> {
        self.file.flush()?;
        let file = self.file.get_mut();
        file.seek(SeekFrom::Start(0))?;
        let of_record = extents.iter().product::<u64>().max(1);
        let mut shape = vec![self.count / of_record];
        shape.extend(extents);
        let is_large = self.count * T::BYTES as u64 > u64::from(u32::MAX) / 2;
        // The same bytes whenever they are written.
        let options = SimpleFileOptions::default().last_modified_time(DateTime::default()).large_file(is_large);
        let options = options.compression_level(Some(COMPRESSION));
        archive.start_file(npyz::npz::file_name_from_array_name(name), options)?;
        let mut buffered = BufWriter::with_capacity(AT_ONCE, archive);
        let mut writer = WriteOptions::new().default_dtype().shape(&shape).writer(&mut buffered).begin_nd()?;
        let mut reader = BufReader::with_capacity(AT_ONCE, &*file);
        let mut bytes = [0; 8];
        for _ in 0..self.count {
            reader.read_exact(&mut bytes[..T::BYTES])?;
            writer.push(&T::take(&bytes[..T::BYTES]))?;
        }
        writer.finish()?;
        buffered.flush()?;
        // What comes later is put behind.
        file.seek(SeekFrom::End(0)).map(drop)
    }
}

/// Reads a column piece by piece.
struct Reader<'a> {
    file: &'a File,
    /// Numbers that are left.
    left: u64,
}

impl Reader<'_> {
    /// The next numbers, at most so many.
    fn next<T: Number>(&mut self, most: usize) -> io::Result<Vec<T>> {
        let count = self.left.min(most as u64);
        let mut bytes = vec![0; count as usize * T::BYTES];
        self.file.read_exact(&mut bytes)?;
        self.left -= count;
        Ok(bytes.chunks_exact(T::BYTES).map(T::take).collect())
    }
}

type Archive<'a> = ZipWriter<StreamWriter<&'a mut dyn Write>>;

/// Windows that began.
struct Windows {
    steps: Column,
    targets: Column,
    learns: Column,
    classes: Column,
}

/// What a probe has recorded.
struct ProbeColumns {
    probe: Probe,
    steps: Column,
    /// Values of an array; of packets the neurons that sent them.
    values: Column,
    /// Of packets that have some.
    payloads: Option<Column>,
}

pub(super) struct Columns {
    windows: Option<Windows>,
    recorded: Vec<ProbeColumns>,
    /// The first thing that went wrong; nothing is recorded any more then.
    failed: Option<io::Error>,
}

/// What probes have recorded so far. A clone is the same recording.
#[derive(Clone)]
pub struct Recording(Rc<RefCell<Columns>>);

impl Recording {
    /// Begins one with temporary files in a folder; `windows` says whether windows are recorded too.
    pub(super) fn new(folder: &Path, probes: &[Probe], windows: bool) -> io::Result<Recording> {
        let column = || Column::new(folder);
        let recorded = |probe: &Probe| {
            let has_payloads = matches!(&probe.kind, Kind::Packets(packets) if packets.payloads);
            let payloads = has_payloads.then(column).transpose()?;
            Ok(ProbeColumns { probe: probe.clone(), steps: column()?, values: column()?, payloads })
        };
        let recorded = probes.iter().map(recorded).collect::<io::Result<_>>()?;
        let windows = match windows {
            true => Some(Windows { steps: column()?, targets: column()?, learns: column()?, classes: column()? }),
            false => None,
        };
        Ok(Recording(Rc::new(RefCell::new(Columns { windows, recorded, failed: None }))))
    }

    /// Records by `record`, unless that failed before.
    fn record(&self, record: impl FnOnce(&mut Columns) -> io::Result<()>) {
        let columns = &mut *self.0.borrow_mut();
        if columns.failed.is_none() {
            columns.failed = record(columns).err();
        }
    }

    /// A window begins with this tag.
    pub(super) fn window(&self, step: u64, payload: i32) {
        self.record(|columns| {
            let Some(windows) = &mut columns.windows else { return Ok(()) };
            let tag = Tag::from_payload(payload);
            windows.steps.push(step)?;
            windows.targets.push(u8::from(tag.target))?;
            windows.learns.push(u8::from(tag.learn))?;
            windows.classes.push(tag.slot)
        });
    }

    /// A packet of the probe of this number was sent by a neuron.
    pub(super) fn packet(&self, probe: usize, step: u64, neuron: u32, payload: i32) {
        self.record(|columns| {
            let recorded = &mut columns.recorded[probe];
            recorded.steps.push(step)?;
            recorded.values.push(neuron)?;
            recorded.payloads.as_mut().map_or(Ok(()), |payloads| payloads.push(payload))
        });
    }

    /// The array of the probe of this number holds these values after a step.
    pub(super) fn values(&self, probe: usize, step: u64, values: &[i32]) {
        self.record(|columns| {
            let recorded = &mut columns.recorded[probe];
            recorded.steps.push(step)?;
            values.iter().try_for_each(|&value| recorded.values.push(value))
        });
    }

    /// What the probe of this number has recorded: steps, and behind each the values of a record; of packets one each, the neuron
    /// or axon.
    ///
    /// # Errors
    /// What went wrong while recording, or now.
    pub(crate) fn records(&self, probe: usize) -> io::Result<(Vec<u64>, Vec<i32>)> {
        let columns = &mut *self.0.borrow_mut();
        if let Some(error) = columns.failed.take() {
            return Err(error);
        }
        let recorded = &mut columns.recorded[probe];
        Ok((recorded.steps.numbers()?, recorded.values.numbers()?))
    }

    /// The windows that began: step, and whether each shows a target.
    ///
    /// # Errors
    /// What was recorded cannot be read again.
    pub(crate) fn windows(&self) -> io::Result<Vec<(u64, bool)>> {
        let columns = &mut *self.0.borrow_mut();
        let Some(windows) = &mut columns.windows else { return Ok(Vec::new()) };
        let targets = windows.targets.numbers::<u8>()?;
        Ok(windows.steps.numbers()?.into_iter().zip(targets).map(|(step, target)| (step, target != 0)).collect())
    }

    /// What can be drawn of it: of spikes and of arrays that were looked at after each step or window, the first of each as far as
    /// a picture shows them.
    ///
    /// # Errors
    /// As [`Recording::records`].
    pub fn drawn(&self) -> io::Result<Recorded> {
        let columns = &mut *self.0.borrow_mut();
        if let Some(error) = columns.failed.take() {
            return Err(error);
        }
        let windows: Vec<u64> = match &mut columns.windows {
            Some(windows) => windows.steps.first(MOST_SPIKES as u64)?,
            None => Vec::new(),
        };
        let mut drawn = Recorded::default();
        for ProbeColumns { probe, steps, values, .. } in &mut columns.recorded {
            let name = probe.name.clone();
            match &probe.kind {
                Kind::Packets(_) => {
                    let recorded = steps.count;
                    let steps: Vec<u64> = steps.first(MOST_SPIKES as u64)?;
                    let values = values.first(MOST_SPIKES as u64)?;
                    let end = steps.last().copied().unwrap_or(0);
                    let seen = windows.iter().map(|step| step + u64::from(probe.lag)).filter(|step| *step <= end);
                    drawn.rasters.push(Raster { name, steps, neurons: values, windows: seen.collect(), recorded });
                }
                Kind::Values(array) if array.cadence != Cadence::Epoch => {
                    let recorded = array.shape.iter().product::<u64>().max(1);
                    let steps = steps.first(MOST_RECORDS as u64)?;
                    let values: Vec<i32> = values.first(MOST_RECORDS as u64 * recorded)?;
                    let of_number = |at: usize| values.chunks(recorded as usize).map(move |record| record[at]);
                    let shown = (recorded as usize).min(MOST_NUMBERS);
                    let values = (0..shown).map(|at| of_number(at).collect()).collect();
                    drawn.traces.push(Trace { name, steps, values, recorded });
                }
                Kind::Values(_) | Kind::Arrivals(_) => {}
            }
        }
        Ok(drawn)
    }

    /// Writes what was recorded as an archive for NumPy (`.npz`). Of an array the probe `P` gives `P`, a record of 32-bit
    /// integers for each time it was looked at, and `P.step`, the number of the step behind which that was. Of packets it gives
    /// `P.step` and `P.neuron`, a number each for each packet, by step, and `P.payload` where they carry values. `window.step`,
    /// `window.target`, `window.learn` and `window.class` have a number for each window that the host began: the step in which
    /// it did, and what its tag says; a layer sees the window as many steps later as `P.lag` says.
    ///
    /// # Errors
    /// What went wrong while recording, or now.
    pub fn write_npz(&self, out: &mut dyn Write) -> io::Result<()> {
        let columns = &mut *self.0.borrow_mut();
        if let Some(error) = columns.failed.take() {
            return Err(error);
        }
        let mut archive = ZipWriter::new_stream(out);
        for ProbeColumns { probe, steps, values, payloads } in &mut columns.recorded {
            let name = &probe.name;
            match &probe.kind {
                Kind::Values(array) => values.add::<i32>(&mut archive, name, &array.shape)?,
                Kind::Packets(_) | Kind::Arrivals(_) => {
                    values.add::<u32>(&mut archive, &format!("{name}.neuron"), &[])?
                }
            }
            steps.add::<u64>(&mut archive, &format!("{name}.step"), &[])?;
            if let Some(payloads) = payloads {
                payloads.add::<i32>(&mut archive, &format!("{name}.payload"), &[])?;
            }
            add_number(&mut archive, &format!("{name}.lag"), probe.lag)?;
        }
        if let Some(Windows { steps, targets, learns, classes }) = &mut columns.windows {
            steps.add::<u64>(&mut archive, "window.step", &[])?;
            targets.add::<u8>(&mut archive, "window.target", &[])?;
            learns.add::<u8>(&mut archive, "window.learn", &[])?;
            classes.add::<u16>(&mut archive, "window.class", &[])?;
        }
        archive.finish().map(drop).map_err(io::Error::from)
    }
}

impl Recording {
    /// Writes what was recorded as a table, a Parquet file: a row for each number, with the columns `probe`, `step`, `index` and
    /// `value`. Of an array, `index` counts its numbers as they lie in a record, from 0; of packets it is the neuron, and `value`
    /// the payload, 1 of spikes. Windows are in it too, as `window.target`, `window.learn` and `window.class` with index 0.
    ///
    /// # Errors
    /// What went wrong while recording, or now.
    pub fn write_parquet<W: Write + Send>(&self, out: W) -> io::Result<W> {
        let columns = &mut *self.0.borrow_mut();
        if let Some(error) = columns.failed.take() {
            return Err(error);
        }
        let kinds = [
            ("probe", Table::Text(Vec::new())),
            ("step", Table::Whole(Vec::new())),
            ("index", Table::Short(Vec::new())),
            ("value", Table::Short(Vec::new())),
        ];
        let mut table = TableWriter::new(&kinds, out)?;
        let mut put = |name: &str, rows: &[(u64, i32, i32)]| {
            rows.chunks(ROWS).try_for_each(|rows| {
                table.rows(&[
                    Table::Text(vec![name.to_owned(); rows.len()]),
                    Table::Whole(rows.iter().map(|row| row.0 as i64).collect()),
                    Table::Short(rows.iter().map(|row| row.1).collect()),
                    Table::Short(rows.iter().map(|row| row.2).collect()),
                ])
            })
        };
        for ProbeColumns { probe, steps, values, payloads } in &mut columns.recorded {
            let record = match &probe.kind {
                Kind::Values(array) => array.shape.iter().product::<u64>().max(1) as usize,
                Kind::Packets(_) | Kind::Arrivals(_) => 1,
            };
            let is_array = matches!(probe.kind, Kind::Values(_));
            let records = (ROWS / record).max(1);
            let (mut steps, mut values) = (steps.reader()?, values.reader()?);
            let mut payloads = payloads.as_mut().map(Column::reader).transpose()?;
            while steps.left > 0 {
                let (steps, values) = (steps.next::<u64>(records)?, values.next::<i32>(records * record)?);
                let payloads = payloads.as_mut().map(|payloads| payloads.next::<i32>(records)).transpose()?;
                let rows: Vec<(u64, i32, i32)> = if is_array {
                    let of_record = |(step, record): (u64, &[i32])| {
                        (0..).zip(record.to_vec()).map(move |(index, value)| (step, index, value))
                    };
                    steps.into_iter().zip(values.chunks(record)).flat_map(of_record).collect()
                } else {
                    let payload = |at: usize| payloads.as_ref().map_or(1, |payloads| payloads[at]);
                    let packets = steps.into_iter().zip(values).enumerate();
                    packets.map(|(at, (step, neuron))| (step, neuron, payload(at))).collect()
                };
                put(&probe.name, &rows)?;
            }
        }
        if let Some(Windows { steps, targets, learns, classes }) = &mut columns.windows {
            window_rows::<u8>((&mut *steps, targets), |rows| put("window.target", rows))?;
            window_rows::<u8>((&mut *steps, learns), |rows| put("window.learn", rows))?;
            window_rows::<u16>((&mut *steps, classes), |rows| put("window.class", rows))?;
        }
        table.finish()
    }
}

/// Tells rows of step, index 0 and value of the windows that began, piece by piece.
fn window_rows<T: Number + Into<i32>>(
    (steps, values): (&mut Column, &mut Column),
    mut tell: impl FnMut(&[(u64, i32, i32)]) -> io::Result<()>,
) -> io::Result<()> {
    let (mut steps, mut values) = (steps.reader()?, values.reader()?);
    while steps.left > 0 {
        let (steps, values) = (steps.next::<u64>(ROWS)?, values.next::<T>(ROWS)?);
        let rows: Vec<_> = steps.into_iter().zip(values).map(|(step, value)| (step, 0, value.into())).collect();
        tell(&rows)?;
    }
    Ok(())
}

fn add_number(archive: &mut Archive, name: &str, number: u32) -> io::Result<()> {
    let options = SimpleFileOptions::default().last_modified_time(DateTime::default());
    archive.start_file(npyz::npz::file_name_from_array_name(name), options)?;
    let mut writer = WriteOptions::new().default_dtype().shape(&[]).writer(archive).begin_nd()?;
    writer.push(&number)?;
    writer.finish()
}
