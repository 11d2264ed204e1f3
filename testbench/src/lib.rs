//! Reference models, end-to-end tests and benchmarks.

pub mod conformance;
pub mod convolution_model;
pub mod flit_model;
pub mod float_model;
pub mod integer_model;
pub mod nir_file;
pub mod nir_model;
pub mod readout_model;
pub mod spiking_model;
pub mod steps_model;
