//! The .sp language and the network graph
