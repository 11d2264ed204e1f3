//! How long the host needs to time a step. Measured, not checked:
//! `cargo run --release -p onward-emulate --example mesh_speed`.

use std::hint::black_box;
use std::time::Instant;

use onward_chip::{HostPort, Side, Topology};
use onward_emulate::mesh::{Mesh, Traffic};
use onward_image::{Core, Destination, Endpoint, Tree, TreeIndex, dimension_order_tree};

/// The core in column `x`, row `y` of the 4 x 3 mesh.
fn core(x: u32, y: u32) -> Endpoint {
    Endpoint::Core(Core(y * 4 + x))
}

/// A network of two hidden layers of four cores, and a readout: the host at the upper left, layer 1 in column 1 (and
/// tile 0), layer 2 in column 2 (and tile 3).
fn network(topology: Topology) -> (onward_chip::Mesh, [HostPort; 1], Vec<Tree>, Vec<Destination>, Vec<Endpoint>) {
    let shape = onward_chip::Mesh { topology, ..onward_chip::Mesh::of(4, 3) };
    let ports = [HostPort { side: Side::West, position: 0 }];
    let first = [core(1, 0), core(1, 1), core(1, 2), core(0, 0)];
    let second = [core(2, 0), core(2, 1), core(2, 2), core(3, 0)];
    let mut trees = vec![dimension_order_tree(&shape, &ports, Endpoint::Host(0), &first)];
    let mut senders = vec![Endpoint::Host(0)];
    for source in first {
        trees.push(dimension_order_tree(&shape, &ports, source, &second));
        senders.push(source);
    }
    let readout = core(3, 1);
    senders.extend(second);
    let mut destinations: Vec<_> =
        (0..trees.len()).map(|tree| Destination::Multicast(TreeIndex(tree as u16))).collect();
    destinations.extend([Destination::Unicast(readout); 4]);
    (shape, ports, trees, destinations, senders)
}

fn measure(name: &str, topology: Topology, packets_per_burst: u32, gap: u32) {
    let (shape, ports, trees, destinations, senders) = network(topology);
    let mut mesh = Mesh::new(&shape, &ports, &trees, &destinations).expect("the tables are sound");
    let fill = |traffic: &mut Traffic| {
        traffic.clear();
        for (index, &sender) in senders.iter().enumerate() {
            let packets = if index == 0 {
                100
            } else if index <= 4 {
                37
            } else {
                2
            };
            let mut left = packets;
            while left > 0 {
                let burst = left.min(packets_per_burst);
                traffic.burst(u64::from(gap + index as u32 % 3), burst, index as u32..index as u32 + 1);
                left -= burst;
            }
            traffic.finish(sender, 5);
        }
    };
    let mut traffic = Traffic::default();
    fill(&mut traffic);
    let timing = mesh.step(&traffic);
    let stalls: u64 = mesh.stalls().iter().sum();
    let steps = 20_000;
    let start = Instant::now();
    for _ in 0..steps {
        fill(&mut traffic);
        black_box(mesh.step(black_box(&traffic)));
    }
    let microseconds = start.elapsed().as_secs_f64() * 1e6 / f64::from(steps);
    println!("{name}: {microseconds:.2} us a step; {timing:?}, {stalls} stall cycles");
}

fn main() {
    for _ in 0..3 {
        for (name, packets_per_burst, gap) in
            [("spread over the step", 2, 5), ("single packets", 1, 2), ("all at once", 1_000, 0)]
        {
            measure(name, Topology::Mesh, packets_per_burst, gap);
        }
    }
    // What is not a plain mesh is timed by another engine.
    measure("spread over the step, torus", Topology::Torus, 2, 5);
    measure("all at once, torus", Topology::Torus, 1_000, 0);
}
