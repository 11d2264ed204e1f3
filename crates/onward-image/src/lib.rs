//! The .onw format
#![allow(missing_docs)]
mod route;
pub use route::{Destination, Endpoint, Tile, Tree, TreeIndex, port};
