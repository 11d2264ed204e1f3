//! Whether an image's parts fit each other: indices in range, nothing larger than its chip. What was decoded from a
//! file with a valid checksum may still be nonsense; whoever uses an image may rely on these.

use crate::{
    Block, BlockIndex, Core, Delivery, Destination, Detours, Endpoint, Image, PopulationKind, Route, Tile, Tree,
    attachment, port,
};
use onward_chip::Mesh;

/// Indices a route can have: as many as a chip has axons at most.
const MOST_INDICES: u32 = 1 << 20;
/// Steps a window can have.
const MOST_STEPS: u32 = i32::MAX as u32;

/// Says what does not hold.
fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}

impl Image {
    /// Checks the image as a whole.
    ///
    /// # Errors
    /// One line that names what does not fit.
    pub fn check(&self) -> Result<(), String> {
        self.chip.validate().map_err(|error| error.to_string())?;
        ensure(usize::from(self.host_port) < self.chip.host.ports.len(), || "its host port is not on the chip".into())?;
        ensure((1..=MOST_STEPS).contains(&self.network.window_steps), || "its window is no window".into())?;
        let populations = self.network.populations.next_key();
        for &(from, to) in &self.network.edges {
            ensure(from < populations && to < populations, || "an edge leads nowhere".into())?;
        }
        for population in &self.network.populations {
            let PopulationKind::Layer { kernel: Some(kernel), .. } = &population.kind else { continue };
            let weights = kernel.shape.iter().try_fold(1u32, |all, &extent| all.checked_mul(extent));
            let mut taps = kernel.taps.clone();
            taps.sort_unstable();
            ensure(weights.is_some_and(|weights| taps.iter().copied().eq(0..weights)), || {
                format!("the kernels of `{}` are not whole", population.name)
            })?;
        }
        for program in &self.programs {
            let in_range = |address: u32| address as usize <= program.words.len();
            ensure(program.labels.iter().all(|(_, address)| in_range(*address)), || {
                format!("program `{}` has a label outside it", program.name)
            })?;
            ensure(
                program.purposes.is_sorted_by(|(_, one), (_, next)| one < next)
                    && program.purposes.iter().all(|(_, first)| (*first as usize) < program.words.len()),
                || format!("program `{}` says of instructions outside it what they are for", program.name),
            )?;
            ensure(program.population.is_none_or(|p| p < populations), || {
                format!("program `{}` belongs to no population", program.name)
            })?;
        }
        for tree in &self.trees {
            self.check_endpoint(tree.source)?;
            for &(tile, _) in &tree.branches {
                self.check_tile(tile)?;
            }
        }
        for (number, block) in self.blocks.iter_enumerated() {
            self.check_block(block).map_err(|what| format!("block {number}: {what}"))?;
        }
        for input in &self.host_inputs {
            let source = Endpoint::Host(self.host_port);
            self.check_route(&input.route, source).map_err(|what| format!("host input: {what}"))?;
        }
        self.check_parts()?;
        let draws = self.learned.draws.len();
        ensure(draws == 0 || draws == self.blocks.len(), || "its draws are not those of its blocks".into())?;
        self.check_sources()?;
        self.check_ways()?;
        self.check_budgets()
    }

    /// No block is on a dead core, and no packet goes over a dead link; on a chip with such links all keep to one order.
    fn check_ways(&self) -> Result<(), String> {
        let mesh = &self.chip.mesh;
        for (number, block) in self.blocks.iter_enumerated() {
            ensure(!mesh.is_dead(block.core.0), || {
                format!("block {number} is on core {}, which is dead", block.core.0)
            })?;
        }
        let Some(detours) = Detours::of(mesh, &self.chip.host.ports) else { return Ok(()) };
        let place = |endpoint| attachment(endpoint, mesh, &self.chip.host.ports).map(|(tile, _)| tile);
        for tree in &self.trees {
            let from = place(tree.source).ok_or("a tree begins outside the mesh")?;
            detours.check_tree(from, tree).map_err(|wrong| format!("a tree from router {}: {wrong}", from.0))?;
        }
        let host = self.host_inputs.iter().map(|input| (Endpoint::Host(self.host_port), &input.route));
        let blocks =
            self.blocks.iter().flat_map(|block| block.routes.iter().map(|of| (Endpoint::Core(block.core), of)));
        for (source, route) in host.chain(blocks) {
            for flit in &route.flits {
                let Destination::Unicast(to) = flit.destination else { continue };
                let (Some(from), Some(to)) = (place(source), place(to)) else { continue };
                detours.check_unicast(from, to).map_err(|wrong| format!("route `{}`: {wrong}", route.name))?;
            }
        }
        Ok(())
    }

    /// The parts of a host input are of one kind and follow each other without a gap.
    fn check_parts(&self) -> Result<(), String> {
        let mut end = (None, 0);
        for part in &self.host_inputs {
            let follows = part.first == 0 || end == (Some(part.kind), part.first);
            ensure(follows, || format!("a part of a host input begins at index {}, where none ends", part.first))?;
            end = (Some(part.kind), part.first.saturating_add(part.route.indices));
        }
        Ok(())
    }

    /// An axon has one source, and the host takes a packet once.
    fn check_sources(&self) -> Result<(), String> {
        let mut ranges: Vec<(BlockIndex, u64, u64)> = Vec::new();
        let host = self.host_inputs.iter().map(|input| &input.route);
        for route in host.chain(self.blocks.iter().flat_map(|block| &block.routes)) {
            let deliveries = || route.flits.iter().flat_map(|flit| &flit.deliveries);
            let to_host = deliveries().filter(|delivery| **delivery == Delivery::Host).count();
            ensure(to_host <= 1, || format!("route `{}` leads to the host twice", route.name))?;
            for delivery in deliveries() {
                if let Delivery::Block { block, first_axon } = *delivery {
                    ranges.push((block, first_axon.into(), u64::from(first_axon) + u64::from(route.indices)));
                }
            }
        }
        ranges.sort_unstable();
        let contested = ranges.windows(2).find(|pair| pair[0].0 == pair[1].0 && pair[1].1 < pair[0].2);
        contested.map_or(Ok(()), |pair| Err(format!("axon {} of block {} has two sources", pair[1].1, pair[1].0)))
    }

    fn check_block(&self, block: &Block) -> Result<(), String> {
        self.check_core(block.core)?;
        ensure(block.population < self.network.populations.next_key(), || "its population is missing".into())?;
        let program = self.programs.get(block.program).ok_or("its program is missing")?;
        ensure((block.entry as usize) < program.words.len(), || "its entry is outside its program".into())?;
        for (contents, &bytes) in block.contents.iter().zip(&block.memory_bytes) {
            ensure(contents.len() <= bytes as usize, || "its contents are larger than its memory".into())?;
        }
        let runs = block.fan_outs.iter().map(|&(axons, _)| u64::from(axons));
        let axons = runs.fold(0, u64::saturating_add);
        let fits = block.fan_outs.is_empty() || axons == u64::from(block.axons);
        ensure(fits, || "its fan-outs are not those of its axons".into())?;
        for symbol in &block.symbols {
            let fits = || {
                let bytes = *block.memory_bytes.get(usize::from(symbol.space))?;
                let bits = u64::from(symbol.width()?.bits());
                let end = u64::from(symbol.offset).checked_add(symbol.elements())?.checked_mul(bits)?;
                Some(end <= u64::from(bytes) * 8)
            };
            ensure(fits() == Some(true), || format!("symbol `{}` lies outside its memory", symbol.name))?;
        }
        block.routes.iter().try_for_each(|route| self.check_route(route, Endpoint::Core(block.core)))
    }

    fn check_route(&self, route: &Route, source: Endpoint) -> Result<(), String> {
        ensure(route.indices <= MOST_INDICES, || format!("route `{}` has {} indices", route.name, route.indices))?;
        for flit in &route.flits {
            let mut reached = match flit.destination {
                Destination::Unicast(endpoint) => {
                    self.check_endpoint(endpoint)?;
                    vec![endpoint]
                }
                Destination::Multicast(tree) => {
                    let tree = self.trees.get(tree);
                    let tree = tree.ok_or_else(|| format!("route `{}` has no tree", route.name))?;
                    ensure(tree.source == source, || {
                        format!("route `{}` uses the tree of another sender", route.name)
                    })?;
                    self.leaves(tree)
                }
            };
            let mut takers: Vec<Endpoint> = flit
                .deliveries
                .iter()
                .map(|delivery| match *delivery {
                    Delivery::Block { block, .. } => {
                        let taker = self.blocks.get(block);
                        taker.map(|taker| Endpoint::Core(taker.core)).ok_or(format!("there is no block {block}"))
                    }
                    Delivery::Host => Ok(Endpoint::Host(self.host_port)),
                })
                .collect::<Result<_, _>>()?;
            // A flit is taken once at each endpoint it comes to: no more, no less, nowhere else.
            reached.sort_unstable();
            takers.sort_unstable();
            ensure(reached == takers, || {
                format!("route `{}` does not lead to those who take its packets", route.name)
            })?;
            for delivery in &flit.deliveries {
                if let Delivery::Block { block, first_axon } = *delivery {
                    let taker = self.blocks.get(block);
                    let end = u64::from(first_axon) + u64::from(route.indices);
                    ensure(taker.is_some_and(|taker| end <= u64::from(taker.axons)), || {
                        format!("route `{}` ends outside block {block}", route.name)
                    })?;
                }
            }
        }
        Ok(())
    }

    /// The endpoints a tree delivers to.
    fn leaves(&self, tree: &Tree) -> Vec<Endpoint> {
        let Mesh { cores_per_tile, .. } = self.chip.mesh;
        let host_ports = &self.chip.host.ports;
        let ports = (0..host_ports.len()).filter_map(|number| {
            let endpoint = Endpoint::Host(u16::try_from(number).ok()?);
            Some((endpoint, attachment(endpoint, &self.chip.mesh, host_ports)?))
        });
        let ports: Vec<_> = ports.collect();
        let of_branch = |&(tile, mask): &(Tile, u8)| {
            let local = (0..u32::from(cores_per_tile)).filter(|&number| mask & port::local(number) != 0);
            let cores = local.map(|number| Endpoint::Core(Core::on(tile, number, &self.chip.mesh)));
            let hosts = ports.iter().filter(|(_, at)| at.0 == tile && mask & at.1 != 0).map(|(endpoint, _)| *endpoint);
            cores.chain(hosts).collect::<Vec<_>>()
        };
        tree.branches.iter().flat_map(of_branch).collect()
    }

    fn check_tile(&self, tile: Tile) -> Result<(), String> {
        ensure((tile.0 as usize) < self.chip.mesh.tiles(), || format!("tile {} is not on the chip", tile.0))
    }

    fn check_core(&self, core: Core) -> Result<(), String> {
        ensure((core.0 as usize) < self.chip.mesh.cores(), || format!("core {} is not on the chip", core.0))
    }

    fn check_endpoint(&self, endpoint: Endpoint) -> Result<(), String> {
        match endpoint {
            Endpoint::Core(core) => self.check_core(core),
            Endpoint::Host(port) => ensure(usize::from(port) < self.chip.host.ports.len(), || {
                format!("host port {port} is not on the chip")
            }),
        }
    }

    /// The blocks of each core together fit it.
    fn check_budgets(&self) -> Result<(), String> {
        for usage in self.core_usage() {
            for limit in usage.limits(&self.chip) {
                ensure(limit.needed <= limit.available, || {
                    format!(
                        "core {}: {} needs {}, there are {}",
                        usage.core.0, limit.what, limit.needed, limit.available
                    )
                })?;
            }
        }
        Ok(())
    }
}
