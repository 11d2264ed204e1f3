//! Reference models, end-to-end tests and benchmarks.

pub mod conformance;
pub mod flit_model;
pub mod model;
pub mod nir_file;
pub mod nir_model;
