//! Data, encodings, training and inference on the emulated chip

pub mod data;
