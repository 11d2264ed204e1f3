//! What an objective must tell: its cost, and how moves change it.

/// A block that goes from a core to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Move {
    pub block: u32,
    pub from: u32,
    pub to: u32,
}

impl Move {
    /// The way back.
    pub fn back(self) -> Move {
        Move { block: self.block, from: self.to, to: self.from }
    }
}

/// A cost that follows the blocks.
pub(crate) trait Model {
    /// What it is now.
    fn cost(&self) -> u64;

    /// Blocks move, all at once, each block at most once.
    fn shift(&mut self, moves: &[Move]);

    /// How long moving every block once takes, roughly: what has to be looked at.
    fn work(&self) -> u64;
}
