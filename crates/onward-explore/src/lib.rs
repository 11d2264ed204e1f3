//! Exploring designs: chips, networks and how they learn, together.
//!
//! In go a [`Space`], read from a file, and an [`Evaluator`] that says what comes of a design; out come results, each kept at once, and
//! the front of those that no other beats. The engine is ask and tell: a [`Search`](search::Search) proposes designs, and is told
//! what came of them; it runs nothing, and what it proposes depends on nothing but its seed and what it was told. So a study
//! gives the same results with however many workers, and after however many interruptions.
//!
//! ```
//! use onward_explore::front::{front, hypervolume};
//! let designs = [vec![1.0, 4.0], vec![2.0, 2.0], vec![3.0, 3.0]];
//! assert_eq!(front(&designs), [0, 1]); // the third is worse than the second in both
//! assert_eq!(hypervolume(&designs, &[4.0, 5.0]), 3.0 + 4.0);
//! ```

pub mod effects;
mod evaluator;
pub mod expression;
pub mod front;
mod random;
pub mod robust;
pub mod search;
pub mod space;
mod store;
mod study;
mod thinning;
mod value;
mod vocabulary;

pub use evaluator::{Evaluator, Executor, Group, Identity, Local, Outcome, Unevaluated};
pub use space::{Design, Settings, Space};
pub use store::{STORE_VERSION, Store, StoreError, Stored};
pub use study::{Follow, Point, Studied, Study, StudyError, score};
pub use value::Value;
pub use vocabulary::{KnownMeasure, KnownParameter, Vocabulary};
