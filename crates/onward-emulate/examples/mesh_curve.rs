//! Latency against load of an 8 x 8 mesh, and of other shapes, under uniform traffic. Measured, not checked:
//! `cargo run --release -p onward-emulate --example mesh_curve`.
//!
//! A step has as many packets as its senders send, so the load is made within one long step: each core computes for a
//! random time (a gap with a geometric distribution), sends one packet to a core chosen at random, itself included, and
//! so on. With gaps of mean g it offers 1 / (1 + g) flits a cycle. What comes in the first cycles is left out, until
//! buffers are as full as they will be, and what comes after the window that is measured.
//!
//! A core waits where its flit is refused, and computes on afterwards: beyond saturation the load that is offered is not
//! what a source would offer that never waits, and latency does not grow without bound. The load that is *accepted*
//! says where saturation is. Latency is from the cycle in which a flit is first offered to that of its delivery.

use onward_chip::{Mesh as Shape, Topology};
use onward_emulate::mesh::{Delivery, Mesh, Observer, Traffic};
use onward_image::{Core, Destination, Endpoint};

const ROUTERS: u32 = 8;
const WARM_UP: u64 = 3_000;
const WINDOW: u64 = 12_000;

/// SplitMix64 (Steele, Lea, Flood).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// Cycles without a packet, if each cycle has one with probability `load`.
    fn gap(&mut self, load: f64) -> u64 {
        if load >= 1.0 {
            return 0;
        }
        let uniform = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        ((1.0 - uniform).ln() / (1.0 - load).ln()) as u64
    }
}

/// Notes when each flit is accepted and delivered.
#[derive(Default)]
struct Log {
    accepted: Vec<Vec<u64>>,
    delivered: Vec<Delivery>,
}

impl Observer for Log {
    fn delivered(&mut self, delivery: Delivery) {
        self.delivered.push(delivery);
    }

    fn accepted(&mut self, timeline: u32, _: u32, cycle: u64) {
        self.accepted[timeline as usize].push(cycle);
    }
}

fn mesh(shape: &Shape) -> Mesh {
    let destinations: Vec<_> =
        (0..shape.cores() as u32).map(|core| Destination::Unicast(Endpoint::Core(Core(core)))).collect();
    Mesh::new(shape, &[], &[], &destinations).expect("the tables are sound")
}

/// Whom a core sends to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum To {
    All,
    Others,
}

/// Flits a core and cycle that were accepted, and the mean latency, at a load.
fn measure(shape: &Shape, load: f64, receivers: To) -> (f64, f64) {
    let (mut mesh, cores) = (mesh(shape), shape.cores() as u64);
    let mut random = Random(1);
    let mut traffic = Traffic::default();
    let mut gaps: Vec<Vec<u64>> = Vec::new();
    for core in 0..cores as u32 {
        let (mut free, mut of_core) = (0, Vec::new());
        while free < WARM_UP + WINDOW {
            let (gap, to) = (
                random.gap(load),
                match receivers {
                    To::All => random.below(cores) as u32,
                    To::Others => (core + 1 + random.below(cores - 1) as u32) % cores as u32,
                },
            );
            traffic.burst(gap, 1, to..to + 1);
            of_core.push(gap);
            free += gap + 1;
        }
        traffic.finish(Endpoint::Core(Core(core)), 0);
        gaps.push(of_core);
    }
    let mut log = Log { accepted: vec![Vec::new(); cores as usize], delivered: Vec::new() };
    mesh.step_observed(&traffic, &mut log);
    let window = WARM_UP..WARM_UP + WINDOW;
    let taken = log.delivered.iter().filter(|delivery| window.contains(&delivery.cycle)).count();
    let (mut latencies, mut flits) = (0, 0_u64);
    for delivery in &log.delivered {
        let (core, flit) = (delivery.timeline as usize, delivery.flit as usize);
        let free = if flit == 0 { 0 } else { log.accepted[core][flit - 1] + 1 };
        let offered = free + gaps[core][flit];
        if window.contains(&offered) {
            latencies += delivery.cycle - offered;
            flits += 1;
        }
    }
    (taken as f64 / (cores * WINDOW) as f64, latencies as f64 / flits as f64)
}

/// The mean latency over all pairs of cores, one packet at a time; that of the formula (rule RT16); links a packet.
fn zero_load(shape: &Shape) -> (f64, f64, f64) {
    let (mut mesh, cores) = (mesh(shape), shape.cores() as u32);
    let (mut sum, mut hops) = (0, 0);
    for (from, to) in (0..cores).flat_map(|from| (0..cores).map(move |to| (from, to))) {
        let mut traffic = Traffic::default();
        traffic.burst(0, 1, to..to + 1);
        traffic.finish(Endpoint::Core(Core(from)), 0);
        let timing = mesh.step(&traffic);
        sum += timing.cycles;
        hops += timing.hops;
    }
    let pairs = f64::from(cores).powi(2);
    let links = hops as f64 / pairs;
    (sum as f64 / pairs, 2.0 + links * f64::from(1 + shape.link_cycles), links)
}

/// Flits a core and cycle at which the links in the middle are always busy: half the packets cross it, over 2 or, on a
/// torus, 4 links a row; but a core takes and sends one flit a cycle at most.
fn capacity(shape: &Shape) -> f64 {
    let links = if shape.topology == Topology::Torus { 8.0 } else { 4.0 };
    (links / f64::from(ROUTERS) / f64::from(shape.cores_per_tile)).min(1.0)
}

fn curve(name: &str, shape: &Shape) {
    let (measured, formula, links) = zero_load(shape);
    let capacity = capacity(shape);
    println!("\n{name}: capacity {capacity} flits a core and cycle");
    println!("  one packet at a time: {measured:.3} cycles; 2 + {links:.3} links * (1 + link_cycles) = {formula:.3}");
    println!("  of capacity   offered   accepted   of capacity   latency");
    for percent in [2, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100] {
        let load = capacity * f64::from(percent) / 100.0;
        let (accepted, latency) = measure(shape, load, To::All);
        let of_capacity = 100.0 * accepted / capacity;
        println!("  {percent:>9} %   {load:>7.3}   {accepted:>8.4}   {of_capacity:>9.1} %   {latency:>7.2}");
    }
    let (accepted, latency) = measure(shape, 1.0, To::All);
    println!(
        "  as fast as cores can: {accepted:.4} accepted, {:.1} % of capacity, latency {latency:.2}",
        100.0 * accepted / capacity
    );
}

/// What CAMINOS 0.6.3 says of such a mesh: `testbench/campaigns/caminos` has its configuration.
const PUBLISHED: &str = include_str!("../../../testbench/campaigns/caminos/results.csv");

/// Means over seeds of another simulator's accepted load and latency: by buffers and load.
fn published(buffer_flits: u16, load: f64) -> Option<(f64, f64)> {
    let rows = PUBLISHED.lines().skip(1).filter_map(|row| {
        let numbers: Vec<f64> = row.split(", ").filter_map(|number| number.parse().ok()).collect();
        let &[buffers, offered, accepted, latency, ..] = &numbers[..] else { return None };
        let wanted = (buffers - f64::from(buffer_flits)).abs() < 0.5 && (offered - load).abs() < 1e-6;
        wanted.then_some((accepted, latency))
    });
    let rows: Vec<(f64, f64)> = rows.collect();
    let count = rows.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| rows.iter().map(of).sum::<f64>() / count;
    (count > 0.0).then(|| (mean(|row| row.0), mean(|row| row.1)))
}

/// The plain mesh beside a published simulator's, packets of one flit to other cores only.
fn beside(plain: &Shape) {
    println!("\n8 x 8 mesh beside CAMINOS 0.6.3, cores that never send to themselves; ours, theirs");
    println!("  buffers   of capacity   latency           accepted, of capacity");
    for buffer_flits in [1, 2, 4, 8, 16] {
        let shape = Shape { buffer_flits, ..plain.clone() };
        for load in [0.01, 0.1, 0.2, 0.25, 0.3, 0.35, 1.0] {
            let Some((accepted, latency)) = published(buffer_flits, load) else { continue };
            let ours = measure(&shape, load, To::Others);
            println!(
                "  {buffer_flits:>7}   {:>9.0} %   {:>6.2}  {latency:>6.2}    {:>6.1} %  {:>6.1} %",
                100.0 * load / capacity(&shape),
                ours.1,
                100.0 * ours.0 / capacity(&shape),
                100.0 * accepted / capacity(&shape)
            );
        }
    }
}

fn main() {
    let plain = Shape::of(ROUTERS as u16, ROUTERS as u16);
    for buffer_flits in [1, 2, 4, 8, 16] {
        curve(&format!("8 x 8 mesh, buffers of {buffer_flits}"), &Shape { buffer_flits, ..plain.clone() });
    }
    beside(&plain);
    let torus = Shape { topology: Topology::Torus, ..plain.clone() };
    for buffer_flits in [4, 16] {
        let shape = Shape { buffer_flits, ..torus.clone() };
        curve(&format!("8 x 8 torus, two channels with buffers of {buffer_flits}"), &shape);
    }
    curve("8 x 8 mesh of tiles of 4 cores, buffers of 4", &Shape { cores_per_tile: 4, ..plain });
}
