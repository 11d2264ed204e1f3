//! How long steps and windows take at most.
//!
//! A core's step takes the cycles of its blocks, a cycle for each flit, and what the mesh makes it wait. A flit waits, at its
//! sender or on its way, only while something is granted on a channel that it may have to wait for (`isa/router.md`, RT10 to
//! RT12), or was so many cycles ago as a flit or a credit is on a link. So all of a sender's flits are delivered after its
//! own work, and as many cycles as there are such grants, times that.

use crate::channels::{Channel, Ways};
use crate::class::{Behaviour, Class};
use crate::interpret::Steps;
use onward_image::{Block, Endpoint, HostInputKind, Image, Route};
use serde::Serialize;
use std::collections::BTreeMap;

/// The most cycles that steps and windows take, the barrier included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Bounds {
    /// Any step.
    pub step_cycles: u64,
    /// The steps in which a sample is shown that is not learned from.
    pub test_window_cycles: u64,
    /// Those in which one is shown that is, with its target.
    pub training_sample_cycles: u64,
}

/// What a sender does in a step at most.
#[derive(Clone, Debug, Default)]
struct Work {
    cycles: u64,
    /// By route.
    packets: Vec<u64>,
}

impl Work {
    /// The most of both, each by itself.
    fn most(mut self, steps: &Steps) -> Work {
        self.cycles = self.cycles.max(steps.cycles);
        self.packets.resize(steps.packets.len().max(self.packets.len()), 0);
        for (most, packets) in self.packets.iter_mut().zip(&steps.packets) {
            *most = (*most).max(*packets);
        }
        self
    }
}

/// What steps are asked for.
#[derive(Clone, Copy, Debug)]
enum When {
    /// Any.
    Any,
    /// So many steps after a sample's first, which is followed by its target if it is learned from.
    At { step: i64, learn: bool },
}

/// A block, what it does, and by how many steps it is behind the host's first block.
pub(crate) struct Timed<'a> {
    pub block: &'a Block,
    pub behaviour: &'a Behaviour,
    /// `None` if that is not known, or it takes no tags.
    pub behind: Option<i64>,
}

/// The bounds of an image whose blocks do no more than this.
pub(crate) fn bounds(image: &Image, ways: &Ways, blocks: &[Timed]) -> Bounds {
    let window = i64::from(image.network.window_steps);
    let step = |when: When| step(image, ways, blocks, when);
    let all = |steps: i64, learn: bool| {
        // No window is longer than what is worth adding up one by one.
        let step_at = |at: i64| step(When::At { step: at, learn });
        (0..steps).map(step_at).fold(0, u64::saturating_add)
    };
    let windows = if image.host_input(HostInputKind::Target).is_some() { 2 } else { 1 };
    Bounds {
        step_cycles: step(When::Any),
        test_window_cycles: all(window, false),
        training_sample_cycles: all(windows * window, true),
    }
}

fn step(image: &Image, ways: &Ways, blocks: &[Timed], when: When) -> u64 {
    let mesh = &image.chip.mesh;
    // By sender: its own work, and its packets by way.
    let mut work: BTreeMap<Endpoint, u64> = BTreeMap::new();
    let mut flits: Vec<(Endpoint, &Route, u64)> = Vec::new();
    for timed in blocks {
        let of_block = work_of(image, timed, when);
        *work.entry(Endpoint::Core(timed.block.core)).or_default() += of_block.cycles;
        for (route, packets) in timed.block.routes.iter().zip(of_block.packets) {
            flits.push((Endpoint::Core(timed.block.core), route, packets));
        }
    }
    let host = Endpoint::Host(image.host_port);
    work.insert(host, 0);
    flits.extend(image.host_inputs.iter().map(|input| {
        let packets = match input.kind {
            HostInputKind::Tag | HostInputKind::Target => 1,
            _ => u64::from(input.route.indices),
        };
        (host, &input.route, packets)
    }));
    let mut grants: BTreeMap<Channel, u64> = BTreeMap::new();
    for &(from, route, packets) in flits.iter().filter(|(.., packets)| *packets > 0) {
        *work.entry(from).or_default() += packets * route.flits.len() as u64;
        for flit in &route.flits {
            for channel in ways.way(from, flit.destination) {
                *grants.entry(*channel).or_default() += packets;
            }
        }
    }
    let between = mesh.array.as_ref().map_or(0, |array| u64::from(array.cycles_per_flit).saturating_sub(1));
    let waits = 1 + u64::from(mesh.longest_link()).max(between);
    let done = work.iter().map(|(&from, &cycles)| {
        let own = flits.iter().filter(|(sender, _, packets)| *sender == from && *packets > 0);
        let channels = own.flat_map(|(_, route, _)| &route.flits).flat_map(|flit| ways.way(from, flit.destination));
        let behind = ways.behind(channels.copied());
        let before: u64 = behind.iter().map(|channel| grants.get(channel).copied().unwrap_or(0)).sum();
        cycles + waits * before + u64::from(before > 0)
    });
    done.max().unwrap_or(0) + u64::from(image.chip.barrier_cycles)
}

/// What a block does at most in such a step.
fn work_of(image: &Image, timed: &Timed, when: When) -> Work {
    let window = i64::from(image.network.window_steps);
    let is_meant = |class: &Class| match (when, timed.behind) {
        (When::Any, _) | (_, None) => true,
        (When::At { step, learn }, Some(behind)) => {
            let windows = if learn && image.host_input(HostInputKind::Target).is_some() { 2 } else { 1 };
            let at = (step - behind).rem_euclid(windows * window);
            class.kind == (at / window) as u32
                && class.learn == u32::from(learn)
                && class.positions().contains(at % window)
        }
    };
    let classes = timed.behaviour.classes.iter().filter(|(class, _)| is_meant(class));
    classes.fold(Work::default(), |work, (_, steps)| work.most(steps))
}
