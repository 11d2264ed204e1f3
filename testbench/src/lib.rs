//! Reference models, end-to-end tests and benchmarks.
