//! The passes, one a file, in the order they run.

mod assemble;
mod balance;
mod fan_in;
mod fit;
mod fixed_point;
pub(crate) mod generate;
mod link;
mod load;
mod parse;
mod partition;
mod place;

mod route;

use crate::pass::Pass;

pub(crate) use place::SEED as PLACING_SEED;

/// The passes in the order they run.
pub static PASSES: &[Pass] = &[
    parse::PASS,
    load::PASS,
    fan_in::PASS,
    balance::PASS,
    fixed_point::PASS,
    fit::PASS,
    partition::PASS,
    generate::PASS,
    assemble::PASS,
    place::PASS,
    route::PASS,
    link::PASS,
];
