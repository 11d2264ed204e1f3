//! What instructions of an update are for: names of its parts, as profiles show them.
//!
//! They are those of the page on learning rules (`docs/src/rules.md`). Whatever is behind the label `learning`, and whatever else
//! writes what was learned, has one; what runs for samples that are not learned from, too, has none.

/// Whether something is to be learned, and what is the same for all that follows.
pub(crate) const CONTROL: &str = "control";
/// The scores of all classes.
pub(crate) const SCORES: &str = "scores";
/// What the loss finds in the scores: the rival, the lead, probabilities.
pub(crate) const RIVAL: &str = "rival";
/// The pulls that the loss makes.
pub(crate) const PULLS: &str = "pulls";
/// Pulls are cleared where the signal does not attach.
pub(crate) const GATE: &str = "gate";
/// Pulls are multiplied by what the adaptive optimizer makes of their mean square.
pub(crate) const ADAPTIVE: &str = "adaptive";
/// The products of pulls and traces on the input's path.
pub(crate) const INPUT_PATH: &str = "input's path";
/// The same on the own target's path and on the rival's, by the weights that their spikes come in by.
pub(crate) const TARGET_PATHS: [&str; 2] = ["own target's path", "rival's path"];
/// The own target's row of the projection of targets, and the rival's.
pub(crate) const PROJECTIONS: [&str; 2] = ["own projection", "rival's projection"];
/// The own target's row of the table of a layer that targets reach directly, and the rival's.
pub(crate) const TABLES: [&str; 2] = ["own table row", "rival's table row"];
/// Finding rows of weights that change, and changing them.
pub(crate) const WEIGHTS: &str = "weights";
/// Velocities of weights.
pub(crate) const MOMENTUM: &str = "momentum";
/// What weights lose.
pub(crate) const WEIGHT_DECAY: &str = "weight decay";
/// What rounding carries from row to row.
pub(crate) const REMAINDERS: &str = "remainders";
/// What a batch keeps of samples, and the sums of it.
pub(crate) const BATCH: &str = "batch";
/// What updates in parts keep from step to step.
pub(crate) const SPREAD: &str = "spread";
/// Biases.
pub(crate) const BIAS: &str = "bias";
/// What brings neurons back that never fire.
pub(crate) const HOMEOSTASIS: &str = "homeostasis";
/// A tree of targets takes a class in that has not appeared.
pub(crate) const NEW_CLASS: &str = "new class";
