//! Costs kept up to date move by move are those of the trees, counted anew; placements are placements.

use crate::model::{Model, Move};
use crate::{
    BlockNeeds, CoreRoom, Loads, Multicast, Objective, Party, Paths, Prices, Problem, Rings, Sender, Strategy as Way,
    solve,
};
use onward_chip::{Chip, Mesh, Topology};
use proptest::prelude::*;

/// A problem with room for so many blocks a core, and cores that blocks may be on.
fn problems() -> impl Strategy<Value = (Problem, u32)> {
    let topology = prop_oneof![Just(Topology::Mesh), Just(Topology::Torus)];
    let sizes = (1u16..=9, 1u16..=70, 1u16..=3, 1usize..=24, 1u32..=4, topology);
    sizes.prop_flat_map(|(width, height, cores_per_tile, blocks, together, topology)| {
        let party = move |tiles: u32| {
            prop_oneof![
                8 => (0..blocks as u32).prop_map(Party::Block),
                1 => (0..tiles).prop_map(Party::Fixed),
            ]
        };
        let tiles = u32::from(width) * u32::from(height);
        // Few sets of takers, so that several senders share one.
        let sets = prop::collection::vec(prop::collection::vec(party(tiles), 0..10), 1..6);
        let senders = prop::collection::vec((party(tiles), any::<prop::sample::Index>(), 0u64..1000), 0..20);
        (sets, senders).prop_map(move |(sets, senders)| {
            let sender = |(from, takers, packets): (Party, prop::sample::Index, u64)| Sender {
                from,
                takers: takers.get(&sets).clone(),
                packets,
            };
            let problem = Problem {
                mesh: Mesh { cores_per_tile, topology, ..Mesh::of(width, height) },
                host: 0,
                prices: Prices { link: 7, flit: 3 },
                core: CoreRoom { amounts: vec![u64::from(together) * 2], program_words: 10 },
                blocks: (0..blocks)
                    .map(|at| BlockNeeds {
                        amounts: vec![1 + at as u64 % 2],
                        program: at % 3,
                        program_words: 4,
                        work: 1,
                    })
                    .collect(),
                senders: senders.into_iter().map(sender).collect(),
            };
            (problem, together)
        })
    })
}

/// The same cost from the trees, counted link by link.
fn counted(problem: &Problem, objective: Objective, cores: &[u32]) -> u64 {
    let measures = problem.measure(cores);
    match objective {
        Objective::Hops => measures.packet_hops + measures.flits,
        Objective::Energy => 7 * measures.packet_hops + 3 * measures.flits,
        _ => unreachable!("counted elsewhere"),
    }
}

/// Moves blocks about, one or two at once, and holds the model's cost against one made anew.
fn follow<M: Model>(
    problem: &Problem,
    walk: &[(u32, u32, bool)],
    make: impl Fn(&[u32]) -> M,
    cost: impl Fn(&[u32]) -> u64,
) {
    let blocks = problem.blocks.len() as u32;
    let mut cores: Vec<u32> = (0..blocks).map(|block| block % problem.cores()).collect();
    let mut model = make(&cores);
    for &(block, to, back) in walk {
        let (block, to) = (block % blocks, to % problem.cores());
        let from = cores[block as usize];
        let mut moves = vec![Move { block, from, to }];
        if let Some(other) = (0..blocks).find(|&other| other != block && cores[other as usize] == to && from != to) {
            moves.push(Move { block: other, from: to, to: from });
        }
        let before = model.cost();
        model.shift(&moves);
        if back {
            let moves: Vec<Move> = moves.iter().map(|moved| moved.back()).collect();
            model.shift(&moves);
            assert_eq!(model.cost(), before);
        } else {
            moves.iter().for_each(|moved| cores[moved.block as usize] = moved.to);
        }
        assert_eq!(model.cost(), cost(&cores));
    }
}

fn walks() -> impl Strategy<Value = Vec<(u32, u32, bool)>> {
    prop::collection::vec((any::<u32>(), any::<u32>(), any::<bool>()), 1..20)
}

proptest! {
    #[test]
    fn hops_and_energy_are_those_of_the_trees((problem, _) in problems(), walk in walks()) {
        for objective in [Objective::Hops, Objective::Energy] {
            let prices = objective.prices(&problem);
            let trees = |cores: &[u32]| counted(&problem, objective, cores);
            follow(&problem, &walk, |cores| Rings::new(&problem, cores, prices), trees);
            if !problem.is_torus() {
                follow(&problem, &walk, |cores| Multicast::new(&problem, cores, prices), trees);
            }
        }
    }

    #[test]
    fn paths_and_loads_follow_the_blocks((problem, _) in problems(), walk in walks()) {
        let paths = |cores: &[u32]| Paths::new(&problem, cores);
        follow(&problem, &walk, paths, |cores| paths(cores).cost());
        let loads = |cores: &[u32]| Loads::new(&problem, cores);
        follow(&problem, &walk, loads, |cores| loads(cores).cost());
    }

    #[test]
    fn loads_are_those_of_the_trees((problem, _) in problems(), offset in any::<u32>()) {
        // With all packets the same, scaled loads are whole multiples of what the trees say.
        let mut problem = problem;
        problem.senders.iter_mut().for_each(|sender| sender.packets = 1);
        let blocks = problem.blocks.len() as u32;
        let cores: Vec<u32> = (0..blocks).map(|block| (block + offset % 1000) % problem.cores()).collect();
        let busiest = problem.measure(&cores).busiest_link;
        let loads = Loads::new(&problem, &cores);
        if let Some(unit) = loads.busiest().checked_div(busiest) {
            prop_assert_eq!(loads.busiest(), unit * busiest);
            prop_assert_eq!(loads.total(), unit * problem.measure(&cores).packet_hops);
        } else {
            prop_assert_eq!(loads.busiest(), 0);
        }
    }

}

// Annealing takes a while; a few problems tell.
proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn placements_hold_every_block_within_its_room((problem, together) in problems(), seed in 0u64..4) {
        let tight = problem.blocks.len() > problem.cores() as usize;
        for strategy in Way::ALL {
            let Ok(cores) = solve(&problem, strategy, Objective::Hops, seed) else {
                // Where each core holds so many of the largest, there is room for all.
                prop_assert!(problem.blocks.len() > problem.cores() as usize * together.min(2) as usize);
                continue;
            };
            prop_assert_eq!(cores.len(), problem.blocks.len());
            for core in 0..problem.cores() {
                let held: Vec<u32> =
                    (0..).zip(&cores).filter(|&(_, &at)| at == core).map(|(block, _)| block).collect();
                prop_assert!(problem.fits(&held));
                prop_assert!(tight || held.len() <= 1);
            }
            prop_assert!(cores.iter().all(|&core| core < problem.cores()));
            prop_assert_eq!(&solve(&problem, strategy, Objective::Hops, seed).unwrap(), &cores, "the same again");
        }
    }

    #[test]
    fn annealing_is_never_worse_than_the_others((problem, _) in problems()) {
        for objective in Objective::ALL {
            let cost = |strategy| {
                solve(&problem, strategy, objective, 1).ok().map(|cores| objective.cost(&problem, &cores))
            };
            let annealed = cost(Way::Annealed);
            for other in Way::ALL {
                prop_assert!(annealed <= cost(other), "{:?} for {:?}", other, objective);
            }
        }
    }
}

#[test]
fn a_row_of_blocks_lies_in_a_row() {
    // Each block sends to the next: the least there is are as many links as connections, from the host's router on.
    let sender = |from, taker| Sender { from, takers: vec![Party::Block(taker)], packets: 5 };
    let mesh = Chip::builtin("middle").unwrap().mesh;
    let problem = Problem {
        mesh,
        host: 3,
        prices: Prices { link: 1, flit: 0 },
        core: CoreRoom::default(),
        blocks: vec![BlockNeeds::default(); 16],
        senders: (0..16)
            .map(|block: u32| sender(block.checked_sub(1).map_or(Party::Fixed(3), Party::Block), block))
            .collect(),
    };
    let cores = solve(&problem, Way::Annealed, Objective::Hops, 1).unwrap();
    assert_eq!(problem.measure(&cores).packet_hops, 5 * 15);
    assert_eq!(cores[0], 3);
}
