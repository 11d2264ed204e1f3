//! From a network to an image, in passes
