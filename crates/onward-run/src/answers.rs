//! What a network answered, sample by sample, for other tools.

use crate::data::{Samples, VALUE_ONE};
use npyz::{AutoSerialize, WriteOptions, WriterBuilder};
use onward_profile::Answers;
use std::fmt::Write;
use std::io::{self, Cursor};
use zip::write::SimpleFileOptions;
use zip::{DateTime, ZipWriter};

/// Answers with the samples they are for.
///
/// Samples are named by their number in the data, within the part that they are of; what is not known is left out: labels of
/// samples that have none.
pub struct AnswerTable<'a> {
    answers: &'a Answers,
    samples: &'a Samples,
}

impl<'a> AnswerTable<'a> {
    /// The table of answers to the first samples; `None` where spikes were read out, which are no answers.
    pub fn new(answers: &'a Answers, samples: &'a Samples) -> Option<AnswerTable<'a>> {
        (!matches!(answers, Answers::Spikes { .. })).then_some(AnswerTable { answers, samples })
    }

    /// Comma-separated values with a heading: `sample,label,answer`; where values are answered, what was wanted and what came:
    /// `sample,target,answer`, or of several values `sample,target_1,target_2,answer_1,answer_2`. Where classes are answered by the
    /// scores that blocks send, a column `score_C` for each class follows.
    pub fn csv(&self) -> String {
        let samples = self.samples;
        let mut text = String::new();
        // Writing to a string cannot fail.
        match self.answers {
            Answers::Values { given, tested, .. } => {
                let count = given.len() / (*tested).max(1);
                let names = |what: &str| match count {
                    1 => format!(",{what}"),
                    _ => (1..=count).map(|value| format!(",{what}_{value}")).collect(),
                };
                let _ = writeln!(text, "sample{}{}", names("target"), names("answer"));
                for (sample, answers) in given.chunks(count.max(1)).enumerate() {
                    let _ = write!(text, "{}", samples.number(sample));
                    self.wanted(sample).for_each(|value| text += &format!(",{value}"));
                    answers.iter().for_each(|value| text += &format!(",{value}"));
                    text.push('\n');
                }
            }
            Answers::Classes { given, scores, .. } => {
                let classes = scores.len() / given.len().max(1);
                text += if samples.is_labelled() { "sample,label,answer" } else { "sample,answer" };
                (0..classes).for_each(|class| text += &format!(",score_{class}"));
                text.push('\n');
                for (sample, answer) in given.iter().enumerate() {
                    let label =
                        if samples.is_labelled() { format!(",{}", samples.label(sample)) } else { String::new() };
                    let _ = write!(text, "{}{label},{answer}", samples.number(sample));
                    let scores = &scores[sample * classes..(sample + 1) * classes];
                    scores.iter().for_each(|score| text += &format!(",{score}"));
                    text.push('\n');
                }
            }
            Answers::Spikes { .. } => {}
        }
        text
    }

    /// The same as arrays (`.npz`): `sample`, `label`, `answer` and, with a row a sample, `scores`; or, where values are answered, `sample`, `target` and
    /// `answer` with a row a sample.
    ///
    /// # Errors
    /// If an array is too large for the format.
    pub fn npz(&self) -> io::Result<Vec<u8>> {
        let (samples, count) = (self.samples, self.answers.tested() as u64);
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        add(&mut archive, "sample", &[count], (0..count as usize).map(|sample| samples.number(sample)))?;
        match self.answers {
            Answers::Values { given, tested, .. } => {
                let shape = [count, (given.len() / (*tested).max(1)) as u64];
                add(&mut archive, "target", &shape, (0..*tested).flat_map(|sample| self.wanted(sample)))?;
                add(&mut archive, "answer", &shape, given.iter().copied())?;
            }
            Answers::Classes { given, scores, .. } => {
                if samples.is_labelled() {
                    add(&mut archive, "label", &[count], (0..given.len()).map(|sample| samples.label(sample)))?;
                }
                add(&mut archive, "answer", &[count], given.iter().copied())?;
                if !scores.is_empty() {
                    add(&mut archive, "scores", &[count, scores.len() as u64 / count], scores.iter().copied())?;
                }
            }
            Answers::Spikes { .. } => {}
        }
        Ok(archive.finish()?.into_inner())
    }

    /// The values that a sample should have been answered with.
    fn wanted(&self, sample: usize) -> impl Iterator<Item = f32> + '_ {
        self.samples.values(sample).iter().map(|&value| f32::from(value) / f32::from(VALUE_ONE))
    }
}

fn add<T: AutoSerialize>(
    archive: &mut ZipWriter<Cursor<Vec<u8>>>,
    name: &str,
    shape: &[u64],
    values: impl Iterator<Item = T>,
) -> io::Result<()> {
    // The same bytes whenever they are written.
    let options = SimpleFileOptions::default().last_modified_time(DateTime::default());
    archive.start_file(npyz::npz::file_name_from_array_name(name), options)?;
    let mut writer = WriteOptions::new().default_dtype().shape(shape).writer(archive).begin_nd()?;
    writer.extend(values)?;
    writer.finish()
}
