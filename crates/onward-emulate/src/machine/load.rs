//! From an image to a machine.

use super::wiring::edges;
use super::{Machine, MachineError, Options};
use crate::awake::Groups;
use crate::fast::{Block, Decoded, Limits, Outlet, Scratch};
use crate::host_simd::Simd;
use crate::index::Place;
use crate::schedule::levels;
use crate::timing::Timing;
use onward_image::{BlockIndex, HostInputKind, Image};
use std::sync::Mutex;
use typed_index_collections::TiVec;

impl Machine {
    /// Loads an image.
    ///
    /// # Errors
    /// The image's routes do not fit its mesh, or threads cannot be started.
    pub fn new(image: &Image, options: Options) -> Result<Machine, MachineError> {
        Machine::load(image, options, |block| image.blocks[block].contents.clone())
    }

    /// Loads an image and leaves the contents of memories out of it, which are large: see [`Image::take_contents`].
    ///
    /// # Errors
    /// As [`Machine::new`].
    pub fn taking(image: &mut Image, options: Options) -> Result<Machine, MachineError> {
        image.check().map_err(MachineError::Image)?;
        let mut contents = image.take_contents();
        Machine::load(image, options, |block| std::mem::take(&mut contents[usize::from(block)]))
    }

    fn load(
        image: &Image,
        options: Options,
        mut contents: impl FnMut(BlockIndex) -> [Vec<u8>; 3],
    ) -> Result<Machine, MachineError> {
        image.check().map_err(MachineError::Image)?;
        let (core, threads) = (&image.chip.core, options.threads.max(1));
        let vector_length = usize::from(core.vector_length);
        let mut machine = Machine {
            blocks: TiVec::new(),
            place: vec![Place::default(); image.blocks.len()].into(),
            outlet_ranges: TiVec::new(),
            outlets: TiVec::new(),
            host_inputs: image.host_inputs.len(),
            host_firsts: image.host_inputs.iter().map(|part| part.first).collect(),
            groups: Groups::default(),
            programs: image.programs.iter().map(|program| Decoded::new(&program.words, &image.chip)).collect(),
            to_host: Vec::new(),
            limits: Limits {
                lanes: usize::from(core.lanes),
                vector_length,
                dispatch_cycles: u32::from(core.dispatch_cycles),
            },
            simd: Simd::detect(),
            pool: rayon::ThreadPoolBuilder::new().num_threads(threads).build()?,
            scratches: (0..threads).map(|_| Mutex::new(Scratch::new(vector_length))).collect(),
            timing: if options.timing { Some(Mutex::new(Timing::new(image, threads)?)) } else { None },
            step: 0,
            configuration_bits: 0,
            symbols: image.blocks.iter().map(|block| block.symbols.clone()).collect(),
            cores: image.chip.mesh.cores(),
            index_counts: None,
            shown: None,
            tags: (0..image.host_inputs.len()).filter(|&at| image.host_inputs[at].kind == HostInputKind::Tag).collect(),
            recorder: None,
        };
        for input in &image.host_inputs {
            machine.outlets.push(Outlet::new(input.route.indices as usize, input.kind.is_graded()));
        }
        for level in levels(image.blocks.len(), edges(image)) {
            machine.groups.push_level();
            for group in &level {
                let first = machine.blocks.next_key();
                for &number in &group.blocks {
                    machine.add_block(image, number, contents(number), options.seed);
                }
                machine.groups.push(first..machine.blocks.next_key(), group.recurrent);
            }
        }
        machine.connect(image);
        Ok(machine)
    }
    /// Adds a block behind those that run before it, with the outlets of its routes.
    fn add_block(&mut self, image: &Image, number: BlockIndex, contents: [Vec<u8>; 3], seed: u64) {
        let block = &image.blocks[number];
        let program = &self.programs[block.program];
        let first_outlet = self.outlets.next_key();
        for (at, route) in block.routes.iter().enumerate() {
            self.outlets.push(Outlet::new(route.indices as usize, program.is_graded(at)));
        }
        self.place[number] = self.blocks.next_key();
        self.outlet_ranges.push(first_outlet..self.outlets.next_key());
        let addresses = program.code.len() - 1; // not the one behind the last
        let mut made = Block::new(block, contents, number, addresses, seed);
        made.draws = image.learned.draws.get(usize::from(number)).copied().unwrap_or(0);
        self.blocks.push(made);
    }
}
