//! What the parts of the emulator take, each by itself: `cargo bench -p testbench`. For changes to one of them; the
//! example `speed` shows whole runs beside their yardsticks.

use divan::{Bencher, counter::ItemsCount};
use onward_chip::Chip;
use onward_diagnostic::Source;
use onward_emulate::Options as Emulation;
use onward_emulate::mesh::{Mesh, Sliced, Traffic};
use onward_image::{Core, Destination, Endpoint, Image, TreeIndex, dimension_order_tree};
use onward_run::Session;
use onward_run::data::Samples;
use std::ops::ControlFlow;

fn main() {
    divan::main();
}

/// Sixteen cores, each of which sends 40 packets to four others, all at once.
fn crowd() -> (Mesh, Traffic) {
    let shape = onward_chip::Mesh::of(4, 4);
    let core = |number: u32| Endpoint::Core(Core(number % 16));
    let trees: Vec<_> = (0..16)
        .map(|from| {
            dimension_order_tree(
                &shape,
                &[],
                core(from),
                &[core(from + 1), core(from + 4), core(from + 6), core(from * 3)],
            )
        })
        .collect();
    let destinations: Vec<_> = (0..16).map(|tree| Destination::Multicast(TreeIndex(tree))).collect();
    let mesh = Mesh::new(&shape, &[], &trees, &destinations).expect("sound tables");
    let mut traffic = Traffic::default();
    for from in 0..16 {
        traffic.burst(u64::from(from % 3), 40, from..from + 1);
        traffic.finish(core(from), 5);
    }
    (mesh, traffic)
}

/// A step on the mesh, timed by itself.
#[divan::bench]
fn mesh_one_by_one(bencher: Bencher) {
    let (mut mesh, traffic) = crowd();
    bencher.counter(ItemsCount::new(1usize)).bench_local(|| mesh.step(&traffic));
}

/// 4,096 steps on the mesh, timed at once.
#[divan::bench]
fn mesh_many_at_once(bencher: Bencher) {
    let (mesh, traffic) = crowd();
    let uses: Vec<_> =
        (0..16u32).map(|from| (Endpoint::Core(Core(from)), std::iter::once(from..from + 1).collect())).collect();
    let mut sliced = Sliced::new(&mesh, &uses).expect("few kinds of flits");
    bencher
        .counter(ItemsCount::new(4096usize))
        .bench_local(|| sliced.time(4096, &mut |_, to| to.clone_from(&traffic), &mut |_, _| ()));
}

fn compiled(text: &str) -> Image {
    let source = Source::new("bench.sp", text);
    let options = onward_compile::Options::new(Chip::builtin("middle").expect("built in"), 1);
    onward_compile::compile(&source, &options).unwrap_or_else(|errors| panic!("{}", source.render(&errors)))
}

/// The digits' network: 20 samples, learned or only shown, with cycles.
#[divan::bench(args = [false, true])]
fn digits(bencher: Bencher, learn: bool) {
    let image = compiled(include_str!("../../programs/digits.sp"));
    let pixels = (0..20 * 64).map(|at: u32| (at * 97 % 256) as u8).collect();
    let samples = Samples::new(pixels, (0..20).map(|at| at % 10).collect(), 64);
    let order: Vec<u32> = (0..20).collect();
    let mut session = Session::new(&image, Emulation { seed: 1, timing: true, threads: 1 }).expect("a sound image");
    bencher.counter(ItemsCount::new(20usize)).bench_local(|| {
        if learn {
            session.learn(&samples, &order, |_| ControlFlow::Continue(())).expect("no fault");
        } else {
            session.infer(&samples, 20, |_| ControlFlow::Continue(())).expect("no fault");
        }
    });
}

/// Compiling the digits' network.
#[divan::bench]
fn compile_digits() -> Image {
    compiled(include_str!("../../programs/digits.sp"))
}
