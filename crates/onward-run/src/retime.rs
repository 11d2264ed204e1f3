//! The results of a recorded run on another chip.

use crate::run::costs;
use onward_chip::{Costs, FileError};
use onward_diagnostic::Remedy;
use onward_emulate::{Record, RetimeError, Retimed};
use onward_image::Image;
use onward_profile::{RecordedRun, Results};
use std::borrow::Cow;
use std::time::Instant;

/// Why there are no results of a recorded run on a chip.
#[derive(Debug, thiserror::Error)]
pub enum RetimedError {
    /// The run cannot be timed for it.
    #[error(transparent)]
    Retime(#[from] RetimeError),
    /// The technology of the chip cannot be had.
    #[error(transparent)]
    Technology(#[from] FileError),
    /// The record is not of a run that showed samples.
    #[error("the record does not say what its run came to")]
    About,
}

impl Remedy for RetimedError {
    fn remedy(&self) -> Option<Cow<'_, str>> {
        match self {
            RetimedError::Retime(error) => error.remedy(),
            RetimedError::Technology(error) => error.remedy(),
            RetimedError::About => Some("make one with `onward train NET.sp --record FILE`".into()),
        }
    }
}

/// What came of a recorded run on the chip of an image, as [`Run::learn`](crate::Run::learn) would tell it: all but the host's
/// time, which is that of this, and a profile, which there is none of. The image is that of the record, linked for the chip.
///
/// # Errors
/// The image is of other programs or blocks; its technology cannot be had; the record is damaged.
pub fn retime(record: &Record, image: &Image, threads: usize) -> Result<Results, RetimedError> {
    retime_with(record, image, &costs(image)?, threads)
}

/// The same, with what events cost on the chip.
///
/// # Errors
/// The image is of other programs or blocks, or the record is damaged.
pub fn retime_with(record: &Record, image: &Image, costs: &Costs, threads: usize) -> Result<Results, RetimedError> {
    let start = Instant::now();
    let retimed = record.retime(image, threads)?;
    results(record, image, &retimed, costs, (threads, start))
}

/// The same for several images, each with its costs: what does not depend on the chip is done once.
///
/// # Errors
/// As [`retime_with`], of any of them.
pub fn retime_all(record: &Record, chips: &[(Image, Costs)], threads: usize) -> Result<Vec<Results>, RetimedError> {
    let start = Instant::now();
    let images: Vec<&Image> = chips.iter().map(|(image, _)| image).collect();
    let all = record.retime_all(&images, threads)?;
    let each = chips.iter().zip(&all);
    each.map(|((image, costs), retimed)| results(record, image, retimed, costs, (threads, start))).collect()
}

fn results(
    record: &Record,
    image: &Image,
    retimed: &Retimed,
    costs: &Costs,
    (threads, start): (usize, Instant),
) -> Result<Results, RetimedError> {
    let about = RecordedRun::from_bytes(record.about()).map_err(|_| RetimedError::About)?;
    Ok(about.results(image, retimed, costs, threads, start.elapsed()))
}
