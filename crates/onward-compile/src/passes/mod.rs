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

/// The passes in the order they run.
pub static PASSES: &[&dyn Pass] = &[
    &parse::Parse,
    &load::Load,
    &fan_in::FanIn,
    &balance::Balance,
    &fixed_point::FixedPoint,
    &fit::Fit,
    &partition::Partition,
    &generate::Generate,
    &assemble::Assemble,
    &place::Place,
    &route::RoutePackets,
    &link::Link,
];
