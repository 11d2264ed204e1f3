//! The chip: cores, mesh and host ports
