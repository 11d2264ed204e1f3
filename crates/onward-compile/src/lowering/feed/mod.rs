//! What arrives: for each active axon, its weights are added to the sums of the neurons it reaches, and its trace grows where
//! one is kept.

mod kernels;
mod pairs;
mod rows;

use crate::connect::{Connection, Part, PartKind, Role, Sums, Table, Traces, constant_shape};
use crate::layout::{Layout, strips};
use crate::lowering::code::Arrays;
use onward_isa::builder::{A16, A32, Assembly, Elements, Label, N16, Scalar, ScalarRegister, VectorRegister, ZERO};
use onward_isa::{Space, Width};

/// How a block takes in what comes.
pub(crate) struct Feed<'a> {
    pub connection: &'a Connection,
    pub arrays: Arrays<'a>,
    pub vector_length: u32,
    /// Neurons of the block.
    pub neurons: u32,
    /// The vector that sums are in, where a register holds the block.
    pub sums: Option<&'a VectorRegister>,
    /// That of the layer's own spikes, where they have another binary point than what comes in with them.
    pub own_sums: Option<&'a VectorRegister>,
}

/// What an event adds to the trace of its axon.
#[derive(Clone, Copy)]
pub(crate) struct Tally {
    /// Where traces begin; `None` where the array of that name does.
    pub base: Option<Scalar>,
    /// What is added.
    pub amount: Scalar,
}

/// What is the same for all events of a part, in registers.
#[derive(Default)]
struct Prepared {
    /// Weights of a row, or of a tap of all channels.
    columns: Option<ScalarRegister>,
    /// Rows of a kernel, or strips of a row.
    rows: Option<ScalarRegister>,
    /// Elements of a run of weights.
    length: Option<ScalarRegister>,
    one: Option<ScalarRegister>,
}

/// The part that an event belongs to, and what it arrived with.
struct Event<'e> {
    part: &'e Part,
    prepared: &'e Prepared,
    axon: Scalar,
    payload: Scalar,
    tally: Option<Tally>,
    /// Where the loop over events ends.
    end: &'e Label,
}

/// The value an axon's entry has: a register, and a number to be added.
type Entry = (Scalar, i64);

/// Whether rows of a part follow those of the one before, so that one instruction adds both.
fn follows(before: &Part, part: &Part) -> bool {
    let plain = |part: &Part| !part.graded && matches!(part.kind, PartKind::Rows { table: Table::Identity, .. });
    plain(before) && plain(part) && before.bits == part.bits && before.first_axon + before.axons == part.first_axon
}

impl Feed<'_> {
    /// Appends where sums lie in memory.
    pub fn sums_array(connection: &Connection, layout: &mut Layout) {
        if let Sums::Memory { bits, elements } = connection.sums {
            layout.add("sums", Space::Neuron, width(bits), 1, elements);
        }
    }

    /// Appends weights, and tables that lead from axons to them. Parts whose rows follow each other lie so.
    pub fn arrays(connection: &Connection, neurons: u32, vector_length: u32, layout: &mut Layout) {
        let first = &connection.parts[0].kind;
        for part in &connection.parts {
            let called = |name: &str| format!("{}{name}", part.role.prefix());
            let bits = width(part.bits);
            let table = match &part.kind {
                PartKind::Rows { rows, table } => {
                    let columns = match (connection.sums, first) {
                        (Sums::Memory { .. }, PartKind::Kernels { .. }) if part.role == Role::Target => neurons,
                        (Sums::Memory { .. }, _) => {
                            let (strips, strip) = strips(first.row_length(neurons), vector_length);
                            strips * strip
                        }
                        (Sums::Register, _) => neurons,
                    };
                    layout.add(&called("weights"), Space::Synapse, bits, rows.len() as u32, columns);
                    table
                }
                PartKind::Kernels { kernels, table } => {
                    let taps = u32::try_from(kernels.all_taps()).unwrap_or(u32::MAX);
                    layout.add(&called("weights"), Space::Synapse, bits, taps, kernels.plane.channels);
                    table
                }
                PartKind::Pairs { first, pairs } => {
                    layout.add(&called("first"), Space::Axon, Width::W32, 1, first.len() as u32);
                    layout.add(&called("pairs"), Space::Synapse, Width::W32, 1, pairs.len() as u32);
                    continue;
                }
                PartKind::Marks { table } | PartKind::Values { table } => table,
            };
            add_table(layout, part.role.prefix(), table);
        }
    }

    /// Parts that are added alike, the first of each run that one instruction adds, of those roles.
    fn groups(&self, roles: &[Role]) -> Vec<&Part> {
        let parts = &self.connection.parts;
        let of_roles = (0..parts.len()).filter(|&at| roles.contains(&parts[at].role));
        let mut groups: Vec<&Part> = Vec::new();
        let mut last: Option<usize> = None;
        for at in of_roles {
            let apart = self.own_sums.is_some() && parts[at].role == Role::Own;
            let joined = last.is_some_and(|last| last + 1 == at && !apart && follows(&parts[last], &parts[at]));
            if !joined {
                groups.push(&parts[at]);
            }
            last = Some(at);
        }
        groups
    }

    /// Whether all parts are added by one instruction, whatever the window.
    pub fn is_joined(&self) -> bool {
        self.groups(&[Role::Input, Role::Target, Role::Own]).len() == 1
    }

    /// Takes the active axons of those roles in, up to a label of that name.
    pub fn events(&self, a: &mut Assembly, roles: &[Role], tally: Option<Tally>, name: &str) {
        let groups = self.groups(roles);
        let registers = (a.named("axon"), a.named("payload"));
        let end = &a.label(name);
        let (axon, payload) = (registers.0.operand(), registers.1.operand());
        if let [part] = groups[..] {
            let prepared = &self.prepare(a, part);
            a.foreach(axon, payload, end);
            self.event(a, &Event { part, prepared, axon, payload, tally, end });
            a.bind(end);
            return;
        }
        let firsts: Vec<ScalarRegister> = groups[1..]
            .iter()
            .map(|part| {
                let first = a.scratch();
                a.load_number(&first, part.first_axon as i32).note("the first axon of the next part");
                first
            })
            .collect();
        a.foreach(axon, payload, end);
        for (at, part) in groups.iter().enumerate() {
            let next = firsts.get(at).map(|first| {
                let next = a.label("other_axons");
                a.bge(axon, first, &next);
                next
            });
            let prepared = &self.prepare(a, part);
            match &next {
                None => self.event(a, &Event { part, prepared, axon, payload, tally, end }),
                Some(next) => {
                    let taken = &a.label("event_taken");
                    self.event(a, &Event { part, prepared, axon, payload, tally, end: taken });
                    a.bind(taken);
                    a.jmp(end);
                    a.bind(next);
                }
            }
        }
        a.bind(end);
    }

    /// What is the same for all events of a part.
    fn prepare(&self, a: &mut Assembly, part: &Part) -> Prepared {
        match &part.kind {
            PartKind::Rows { .. } => self.prepare_rows(a, part),
            PartKind::Kernels { kernels, table } => self.prepare_kernels(a, kernels, table),
            PartKind::Marks { .. } => {
                let one = a.named("one");
                a.addi(&one, ZERO, 1);
                Prepared { one: Some(one), ..Prepared::default() }
            }
            PartKind::Pairs { .. } | PartKind::Values { .. } => Prepared::default(),
        }
    }

    /// What an event does.
    fn event(&self, a: &mut Assembly, event: &Event) {
        match &event.part.kind {
            PartKind::Rows { table, .. } => {
                self.with_entry(a, event, table, |a, entry, _| {
                    self.row(a, event, entry);
                    self.tally_row(a, event, entry);
                });
            }
            PartKind::Kernels { kernels, table } => {
                self.with_entry(a, event, table, |a, (entry, _), place| {
                    self.tally_slot(a, event, place);
                    self.kernel(a, event, kernels, table, entry);
                });
            }
            PartKind::Pairs { .. } => self.pairs(a, event),
            PartKind::Values { table } => self.with_entry(a, event, table, |a, (register, offset), _| {
                let Sums::Memory { bits, .. } = self.connection.sums else { return };
                a.indexed(neuron_memory(bits), register, offset, |a, memory| a.addm(event.payload, memory));
            }),
            PartKind::Marks { table } => self.with_entry(a, event, table, |a, (register, offset), _| {
                let one = event.prepared.one.as_ref().expect("marks are made with 1");
                a.indexed(N16, register, offset, |a, memory| a.st(one, memory));
            }),
        }
    }

    fn offset(&self, part: &Part, array: &str) -> i64 {
        self.arrays.offset(&format!("{}{array}", part.role.prefix()))
    }

    /// From an axon's number to that of its entry in an array.
    fn beyond_axon(&self, part: &Part, array: &str) -> i64 {
        self.offset(part, array) - i64::from(part.first_axon)
    }

    /// Looks an axon's entries up and does `each` with them: the entry, and a register and a number that lead to its place
    /// among all entries.
    fn with_entry(
        &self,
        a: &mut Assembly,
        event: &Event,
        table: &Table,
        each: impl Fn(&mut Assembly, Entry, (Scalar, i64)),
    ) {
        let (part, axon) = (event.part, event.axon);
        let first_axon = i64::from(part.first_axon);
        let has_shapes = matches!(part.kind, PartKind::Kernels { .. }) && constant_shape(table).is_none();
        let load_shape = |a: &mut Assembly, base: Scalar, offset: i64| {
            if let Some(length) = event.prepared.length.as_ref().filter(|_| has_shapes) {
                a.indexed(A32, base, offset, |a, memory| a.ld(length, memory));
            }
        };
        match table {
            Table::Identity => each(a, (axon, -first_axon), (axon, -first_axon)),
            Table::Single { any_missing, .. } => {
                let entry = &a.scratch();
                a.indexed(A32, axon, self.beyond_axon(part, "entries"), |a, memory| a.ld(entry, memory));
                if *any_missing {
                    a.blt(entry, ZERO, event.end).note("reaches nothing");
                }
                load_shape(a, axon, self.beyond_axon(part, "shapes"));
                each(a, (entry.operand(), 0), (axon, -first_axon));
            }
            Table::Lists { .. } => {
                let (at, count, entry) = (&a.scratch(), &a.scratch(), &a.scratch());
                let first = self.beyond_axon(part, "first");
                a.indexed(A32, axon, first, |a, memory| a.ld(at, memory));
                a.indexed(A32, axon, first + 1, |a, memory| a.ld(count, memory));
                a.sub(count, count, at);
                a.loop_(count, event.end);
                a.indexed(A32, at, self.offset(part, "entries"), |a, memory| a.ld(entry, memory));
                load_shape(a, at.operand(), self.offset(part, "shapes"));
                a.addi(at, at, 1);
                each(a, (entry.operand(), 0), (at.operand(), -1));
            }
        }
    }

    /// The first row of a part among the rows of traces: inputs come first, then the target's lines, then own spikes.
    fn first_row(&self, part: &Part) -> i64 {
        let before = self.connection.parts.iter().take_while(|other| other.role != part.role);
        before.map(|part| i64::from(part.kind.rows())).sum()
    }

    /// The trace of a row grows.
    fn tally_row(&self, a: &mut Assembly, event: &Event, (register, number): Entry) {
        let Some(Tally { base, amount }) = event.tally else { return };
        let number = self.first_row(event.part) + number;
        match base {
            Some(base) => {
                let sum = &a.scratch();
                a.add(sum, register, base);
                a.addm(amount, A16.at(sum, number)).note("the axon's trace");
            }
            None => {
                let offset = self.arrays.offset("trace") + number;
                a.indexed(A16, register, offset, |a, memory| a.addm(amount, memory)).note("the axon's trace");
            }
        }
    }
}

fn width(bits: u32) -> Width {
    Width::from_bits(bits).expect("4, 8, 16 or 32 bits, as the network was checked for")
}

/// Elements of synapse memory of so many bits.
pub(crate) fn synapses(bits: u32) -> Elements {
    Elements::new(Space::Synapse, width(bits))
}

/// Elements of neuron memory of so many bits.
pub(crate) fn neuron_memory(bits: u32) -> Elements {
    Elements::new(Space::Neuron, width(bits))
}

/// The arrays of a table; `prefix` is empty or ends in `_`.
pub(crate) fn add_table(layout: &mut Layout, prefix: &str, table: &Table) {
    if let Table::Lists { first, .. } = table {
        layout.add(&format!("{prefix}first"), Space::Axon, Width::W32, 1, first.len() as u32);
    }
    let entries = table.entries().len() as u32;
    if entries > 0 {
        layout.add(&format!("{prefix}entries"), Space::Axon, Width::W32, 1, entries);
        if constant_shape(table).is_none() {
            layout.add(&format!("{prefix}shapes"), Space::Axon, Width::W32, 1, entries);
        }
    }
}

/// Appends, for a convolution that learns, the slot of each entry's trace and the first sum that a slot's input reaches.
pub(crate) fn slot_arrays(layout: &mut Layout, traces: &Traces) {
    layout.add("slots", Space::Axon, Width::W32, 1, traces.slots.len() as u32);
    layout.add("places", Space::Axon, Width::W32, 1, traces.sums.len() as u32);
}
