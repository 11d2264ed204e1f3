//! Exploring networks and chips together: what can be set and measured, how a design is evaluated, what is told of a study.

mod document;
mod evaluator;
mod export;
mod files;
mod records;
mod report;
mod uncertain;
mod vocabulary;

pub use document::document;
pub use evaluator::Runs;
pub use export::export;
pub use files::{columns, csv, parquet, write_page};
pub use report::{Analysis, Progress, opening, report};
pub use uncertain::changed;
