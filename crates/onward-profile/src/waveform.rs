//! Cores cycle by cycle as waves, in the VCD format (IEEE 1364) that GTKWave and Surfer show.
//!
//! A scope a core: what it does, which handler of which block, the flits that it sends and gets, and numbers of arrays as they are
//! at the end of each step. A nanosecond of the file is a cycle of the chip.

use onward_emulate::reference::{WatchedCore, WatchedStep};
use onward_image::{BlockIndex, Image, Order};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Range;
use std::sync::Arc;
use typed_index_collections::TiVec;
use vcd::{IdCode, TimescaleUnit, Value, VarType, Writer};

/// An array of a block, or a part of it, that is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaveArray {
    /// The block.
    pub block: BlockIndex,
    /// Name of the array.
    pub symbol: String,
    /// Its elements.
    pub elements: Range<usize>,
}

/// What a variable is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Now {
    Text(String),
    Bit(bool),
    Number(i64),
}

/// Bits of a number that is shown.
const NUMBER_BITS: u32 = 32;
const STEP_BITS: u32 = 64;

/// Where a core is in no handler.
const NOWHERE: &str = "-";

/// A variable: its code in the file, its bits, and what it was last said to be.
struct Variable {
    code: IdCode,
    bits: u32,
    last: Option<Now>,
}

/// The variables of a core, by their place in the list of all.
struct Core {
    state: usize,
    layer: usize,
    handler: usize,
    address: usize,
    sends: usize,
    gets: usize,
    arrays: Vec<(WaveArray, usize)>,
}

/// What a block is called, and the labels of its program.
struct Block {
    layer: String,
    labels: Arc<Vec<(String, u32)>>,
}

/// What changes when: by cycle and variable.
type Changes = BTreeMap<(u64, usize), Now>;

/// Writes waves as steps come.
pub struct Waveform<W: Write> {
    blocks: TiVec<BlockIndex, Block>,
    writer: Writer<W>,
    variables: Vec<Variable>,
    step: usize,
    cores: BTreeMap<u32, Core>,
}

impl<W: Write> Waveform<W> {
    /// Waves of these cores of an image, with these arrays of blocks that they hold.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn new(image: &Image, cores: &[u32], arrays: &[WaveArray], out: W) -> io::Result<Waveform<W>> {
        let mut writer = Writer::new(out);
        writer.version(concat!("onward ", env!("CARGO_PKG_VERSION")))?;
        writer.comment(&format!("{}: 1 ns is a cycle", image.network.name))?;
        writer.timescale(1, TimescaleUnit::NS)?;
        let mut variables = Vec::new();
        let mut add = |writer: &mut Writer<W>, kind: VarType, bits: u32, name: &str| {
            let code = writer.add_var(kind, bits, name, None)?;
            variables.push(Variable { code, bits, last: None });
            Ok::<usize, io::Error>(variables.len() - 1)
        };
        writer.add_module("chip")?;
        let step = add(&mut writer, VarType::Integer, STEP_BITS, "step")?;
        let mut scopes = BTreeMap::new();
        for &core in cores {
            writer.add_module(&format!("core_{core}"))?;
            let mut scope = Core {
                state: add(&mut writer, VarType::String, 1, "state")?,
                layer: add(&mut writer, VarType::String, 1, "layer")?,
                handler: add(&mut writer, VarType::String, 1, "handler")?,
                address: add(&mut writer, VarType::Integer, NUMBER_BITS, "address")?,
                sends: add(&mut writer, VarType::Wire, 1, "flit_sent")?,
                gets: add(&mut writer, VarType::Integer, NUMBER_BITS, "flits_arrived")?,
                arrays: Vec::new(),
            };
            for array in arrays.iter().filter(|array| image.blocks[array.block].core.0 == core) {
                let block = &image.blocks[array.block];
                let name = format!("{}_{}", word(&image.population(block).name), word(&array.symbol));
                // Neurons are numbered as the layer numbers them, other elements as they lie.
                let first = match block.symbol(&array.symbol) {
                    Some(symbol) if symbol.elements() == u64::from(block.neurons) && block.order == Order::Straight => {
                        block.first_neuron as usize
                    }
                    _ => 0,
                };
                let first_variable = variables_of(&mut add, &mut writer, &name, array, first)?;
                scope.arrays.push((array.clone(), first_variable));
            }
            writer.upscope()?;
            scopes.insert(core, scope);
        }
        writer.upscope()?;
        writer.enddefinitions()?;
        let programs: Vec<_> = image.programs.iter().map(|program| Arc::new(program.labels.clone())).collect();
        let block = |block: &onward_image::Block| Block {
            layer: word(&image.population(block).name),
            labels: programs[usize::from(block.program)].clone(),
        };
        let blocks = image.blocks.iter().map(block).collect();
        Ok(Waveform { blocks, writer, variables, step, cores: scopes })
    }

    /// Writes a step; `peek` shows an array of a block as it is at the end of it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn step(&mut self, step: &WatchedStep, peek: &dyn Fn(BlockIndex, &str) -> Option<Vec<i32>>) -> io::Result<()> {
        let mut changes = Changes::new();
        changes.insert((step.begin, self.step), Now::Number(step.step as i64));
        let nothing = WatchedCore::default();
        for (core, scope) in &self.cores {
            let watched = step.cores.get(core).unwrap_or(&nothing);
            self.core(step, watched, scope, &mut changes);
            let end = step.begin + step.cycles;
            for (array, first) in &scope.arrays {
                let values = peek(array.block, &array.symbol).unwrap_or_default();
                let shown = values.get(array.elements.clone()).unwrap_or_default();
                for (&value, variable) in shown.iter().zip(*first..) {
                    changes.insert((end, variable), Now::Number(value.into()));
                }
            }
        }
        self.write(changes)
    }

    /// Says when the last step that was written ended, and that all is.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(&mut self, cycle: u64) -> io::Result<&W> {
        self.writer.timestamp(cycle)?;
        self.writer.flush()?;
        Ok(self.writer.writer())
    }

    /// What a core did in a step.
    fn core(&self, step: &WatchedStep, core: &WatchedCore, scope: &Core, changes: &mut Changes) {
        let begin = step.begin;
        let mut state = |cycle: u64, name: &str| {
            changes.insert((begin + cycle, scope.state), Now::Text(name.to_owned()));
        };
        // A later state of the same cycle takes the place of one that took no time.
        state(0, if core.done > 0 { "computing" } else { "idle" });
        for flit in &core.flits {
            if flit.accepted > flit.offered {
                state(flit.offered, "stalled");
            }
            state(flit.accepted, "sending");
            state(flit.accepted + 1, "computing");
        }
        if core.done > 0 && core.done < step.cycles {
            state(core.done, "waiting");
        }
        state(step.cycles, if step.barrier_cycles > 0 { "barrier" } else { "idle" });
        for flit in &core.flits {
            changes.insert((begin + flit.accepted, scope.sends), Now::Bit(true));
            changes.entry((begin + flit.accepted + 1, scope.sends)).or_insert(Now::Bit(false));
        }
        changes.entry((begin, scope.sends)).or_insert(Now::Bit(false));
        let mut arrived: BTreeMap<u64, i64> = BTreeMap::from([(0, 0)]);
        for &cycle in &core.arrived {
            *arrived.entry(cycle).or_default() += 1;
            arrived.entry(cycle + 1).or_default();
        }
        for (cycle, flits) in arrived {
            changes.insert((begin + cycle, scope.gets), Now::Number(flits));
        }
        let nowhere = || Now::Text(NOWHERE.to_owned());
        changes.insert((begin, scope.layer), nowhere());
        changes.insert((begin, scope.handler), nowhere());
        for instruction in &core.instructions {
            let block = &self.blocks[instruction.block];
            let before = block.labels.iter().filter(|(_, at)| *at as usize <= instruction.address);
            let handler = before.max_by_key(|(_, at)| *at).map_or("start", |(name, _)| name.as_str());
            let cycle = begin + instruction.cycle;
            changes.insert((cycle, scope.layer), Now::Text(block.layer.clone()));
            changes.insert((cycle, scope.handler), Now::Text(word(handler)));
            changes.insert((cycle, scope.address), Now::Number(instruction.address as i64));
        }
        if core.done > 0 {
            changes.insert((begin + core.done, scope.layer), nowhere());
            changes.insert((begin + core.done, scope.handler), nowhere());
        }
    }

    /// Writes what changes in the order of time; what is said to be what it is already is left out.
    fn write(&mut self, changes: Changes) -> io::Result<()> {
        let mut now = None;
        for ((cycle, variable), value) in changes {
            let variable = &mut self.variables[variable];
            if variable.last.as_ref() == Some(&value) {
                continue;
            }
            if now != Some(cycle) {
                self.writer.timestamp(cycle)?;
                now = Some(cycle);
            }
            match &value {
                Now::Text(text) => self.writer.change_string(variable.code, text)?,
                Now::Bit(bit) => self.writer.change_scalar(variable.code, *bit)?,
                Now::Number(number) => {
                    let bits = (0..variable.bits).rev().map(|bit| Value::from(number >> bit & 1 == 1));
                    self.writer.change_vector(variable.code, bits)?;
                }
            }
            variable.last = Some(value);
        }
        Ok(())
    }
}

/// Adds a variable for each element of an array; returns the first.
fn variables_of<W: Write>(
    add: &mut impl FnMut(&mut Writer<W>, VarType, u32, &str) -> io::Result<usize>,
    writer: &mut Writer<W>,
    name: &str,
    array: &WaveArray,
    first: usize,
) -> io::Result<usize> {
    let mut first_variable = None;
    for element in array.elements.clone() {
        let variable = add(writer, VarType::Integer, NUMBER_BITS, &format!("{name}_{}", first + element))?;
        first_variable.get_or_insert(variable);
    }
    Ok(first_variable.unwrap_or_default())
}

/// A name without what would end it in a file.
fn word(name: &str) -> String {
    name.chars().map(|letter| if letter.is_whitespace() || letter == '$' { '_' } else { letter }).collect()
}
