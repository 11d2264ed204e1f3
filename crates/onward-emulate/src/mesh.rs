//! How long a step takes on the mesh: cycles, hops, stalls.
//!
//! Values are computed elsewhere. What goes in is who sends how many packets where, and how many cycles each sender
//! computes in between ([`Traffic`]); what comes out is what the synchronous circuit of `isa/router.md` makes of it
//! ([`StepTiming`]), to the cycle. A step starts with an empty mesh and reset arbiters, so its timing is a function of
//! its traffic alone: steps may be timed in any order, and on several threads, each with a clone of the [`Mesh`].
//!
//! ```
//! use onward_chip::{HostPort, Side};
//! use onward_emulate::mesh::{Mesh, Traffic};
//! use onward_image::{Core, Destination, Endpoint, TreeIndex, dimension_order_tree};
//!
//! let shape = onward_chip::Mesh::of(3, 2);
//! let ports = [HostPort { side: Side::West, position: 0 }];
//! let layer = [Endpoint::Core(Core(1)), Endpoint::Core(Core(4))];
//! let tree = dimension_order_tree(&shape, &ports, Endpoint::Host(0), &layer);
//! let destinations = [Destination::Multicast(TreeIndex(0)), Destination::Unicast(Endpoint::Host(0))];
//! let mut mesh = Mesh::new(&shape, &ports, &[tree], &destinations)?;
//!
//! let mut traffic = Traffic::default();
//! traffic.burst(0, 10, 0..1); // the host sends ten packets into the tree,
//! traffic.finish(Endpoint::Host(0), 0);
//! traffic.burst(5, 1, 1..2); // core 4 computes for five cycles, sends one packet to the host,
//! traffic.finish(Endpoint::Core(Core(4)), 2); // and is done two cycles later
//! let timing = mesh.step(&traffic);
//! assert_eq!((timing.injected, timing.ejected, timing.hops), (11, 21, 22));
//! assert_eq!(timing.cycles, 13); // the last of the ten is offered in cycle 9, and 4 cycles later at core 4
//! assert_eq!(mesh.stalls(), [0, 0]);
//! # Ok::<(), onward_emulate::mesh::MeshError>(())
//! ```

mod engine;
mod error;
mod flit;
mod links;
mod router;
mod sender;
mod senders;
mod sliced;
mod tables;
mod traffic;
mod usage;
mod wheel;

use onward_chip::HostPort;
use onward_image::{Destination, Endpoint, Tree};

pub use engine::Mesh;
pub use error::{MeshError, TreeError};
pub(crate) use senders::finished;
pub use senders::{Accounts, SenderTiming, Senders};
pub(crate) use sliced::{Ended, LANES};
pub use sliced::{Sliced, SlicedTotals};
pub use traffic::Traffic;
pub use usage::{INPUTS, RouterUsage};

/// How long a step took, and what went through the mesh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepTiming {
    /// Cycles from the start of the step until every sender was done and every flit delivered. The barrier is not in
    /// it.
    pub cycles: u64,
    /// Links between routers crossed, summed over the flits.
    pub hops: u64,
    /// Those of the hops that led from one chip of an array to another.
    pub crossings: u64,
    /// Flits given to cores and host ports; each copy of a multicast packet counts.
    pub ejected: u64,
    /// Flits that cores and host ports sent; a multicast packet counts once.
    pub injected: u64,
}

/// A flit that came to an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Delivery {
    /// The cycle in which the endpoint has it.
    pub cycle: u64,
    /// The timeline that sent it, in the order of [`Traffic::finish`].
    pub timeline: u32,
    /// Which of the timeline's flits it is, from 0.
    pub flit: u32,
    /// Where it came.
    pub endpoint: Endpoint,
}

/// Is told of every delivery, and of every flit that enters. Meant for tests and traces: what a program reads never
/// depends on it.
pub trait Observer {
    /// Whether to keep track of flits at all.
    const OBSERVES: bool = true;

    /// A flit was delivered. Cycles never decrease from call to call; the order within a cycle is not defined.
    fn delivered(&mut self, delivery: Delivery);

    /// In `cycle` the flit `flit` of a timeline was accepted (rule RT6).
    fn accepted(&mut self, _timeline: u32, _flit: u32, _cycle: u64) {}
}

/// Observes nothing, costs nothing.
impl Observer for () {
    const OBSERVES: bool = false;

    fn delivered(&mut self, _: Delivery) {}
}

/// Collects the deliveries.
impl Observer for Vec<Delivery> {
    fn delivered(&mut self, delivery: Delivery) {
        self.push(delivery);
    }
}

impl Mesh {
    /// A mesh with its host ports and multicast trees, for traffic to the given destinations: bursts name them by their
    /// index here.
    ///
    /// # Errors
    /// When a parameter is out of range, a host port or a destination does not exist, or a tree is not one: see
    /// [`MeshError`] and [`TreeError`].
    pub fn new(
        mesh: &onward_chip::Mesh,
        host_ports: &[HostPort],
        trees: &[Tree],
        destinations: &[Destination],
    ) -> Result<Mesh, MeshError> {
        Ok(Mesh::with_tables(tables::Tables::new(mesh, host_ports, trees, destinations)?))
    }

    /// Times one step.
    ///
    /// # Panics
    /// When the traffic does not fit the mesh: an endpoint that does not exist or has two timelines, a destination
    /// beyond the table, a tree used by another than its source.
    pub fn step(&mut self, traffic: &Traffic) -> StepTiming {
        self.step_observed(traffic, &mut ())
    }
}
