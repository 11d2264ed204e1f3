//! Indices of one kind each: what counts places cannot be used where outlets are counted.

use onward_image::index_type;

index_type! {
    /// A block by its place in the order in which blocks run.
    pub(crate) struct Place
}

index_type! {
    /// An outlet: the host's inputs first, then the routes of the blocks, place by place.
    pub(crate) struct OutletIndex
}
