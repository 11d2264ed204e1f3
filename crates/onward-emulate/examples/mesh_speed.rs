//! How long the host needs to time a step. Measured, not checked:
//! `cargo run --release -p onward-emulate --example mesh_speed`.

use std::hint::black_box;
use std::time::Instant;

use onward_chip::{Array, HostPort, Side, Topology};
use onward_emulate::mesh::{Mesh, Sliced, Traffic};
use onward_image::{Core, Destination, Endpoint, Tree, TreeIndex, dimension_order_tree};

/// Steps that are timed at once.
const STEPS: usize = 4_096;

/// The core in column `x`, row `y` of the 4 x 3 mesh.
fn core(x: u32, y: u32) -> Endpoint {
    Endpoint::Core(Core(y * 4 + x))
}

/// A network of two hidden layers of four cores, and a readout: the host at the upper left, layer 1 in column 1 (and
/// tile 0), layer 2 in column 2 (and tile 3).
fn network(shape: Shape) -> (onward_chip::Mesh, [HostPort; 1], Vec<Tree>, Vec<Destination>, Vec<Endpoint>) {
    let mesh = onward_chip::Mesh::of(4, 3);
    let shape = match shape {
        Shape::Plain => mesh,
        Shape::Torus => onward_chip::Mesh { topology: Topology::Torus, ..mesh },
        Shape::FourCores => onward_chip::Mesh { cores_per_tile: 4, ..onward_chip::Mesh::of(1, 3) },
        Shape::Array => {
            let array = Array { width: 2, height: 1, link_cycles: 5, cycles_per_flit: 3 };
            onward_chip::Mesh { array: Some(array), ..mesh }
        }
    };
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

/// Times steps of a shape, their packets spread in one way.
fn measure(name: &str, shape: Shape, (packets_per_burst, gap): (u32, u32), most_senders: usize) {
    let (shape, ports, trees, destinations, mut senders) = network(shape);
    senders.truncate(most_senders);
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
    let one_by_one = microseconds(64, || {
        for _ in 0..64 {
            fill(&mut traffic);
            black_box(mesh.step(black_box(&traffic)));
        }
    });
    let own = |at: u32| std::iter::once(at..at + 1).collect();
    let uses: Vec<_> = (0..).zip(&senders).map(|(at, &sender)| (sender, own(at))).collect();
    let mut sliced = Sliced::new(&mesh, &uses).expect("few kinds of flits");
    let at_once = microseconds(STEPS, || sliced.time(STEPS, &mut |_, traffic| fill(traffic), &mut |_, _| ()));
    println!(
        "{name}: {one_by_one:.2} us a step one by one, {at_once:.2} us {STEPS} at once; {} cycles, {} hops, {stalls} stalls",
        timing.cycles, timing.hops
    );
}

/// Host time of a step, when so many are run: the best of many runs, as other work on the host only adds to it.
fn microseconds(steps: usize, mut run: impl FnMut()) -> f64 {
    let time = |_| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64() * 1e6 / steps as f64
    };
    (0..100).map(time).fold(f64::INFINITY, f64::min)
}

/// What a mesh can be.
#[derive(Clone, Copy)]
enum Shape {
    Plain,
    Torus,
    /// Four cores on a tile, three tiles.
    FourCores,
    /// Two chips, of two columns each.
    Array,
}

fn main() {
    let patterns = [("spread over the step", (2, 5)), ("single packets", (1, 2)), ("all at once", (1_000, 0))];
    for (name, pattern) in patterns {
        measure(name, Shape::Plain, pattern, usize::MAX);
    }
    // One sender alone: nothing waits for anything.
    for (name, pattern) in patterns {
        measure(&format!("the host alone, {name}"), Shape::Plain, pattern, 1);
    }
    // Other shapes.
    for (name, pattern) in patterns {
        measure(&format!("torus, {name}"), Shape::Torus, pattern, usize::MAX);
        measure(&format!("two chips, {name}"), Shape::Array, pattern, usize::MAX);
        measure(&format!("four cores a tile, {name}"), Shape::FourCores, pattern, usize::MAX);
    }
}
