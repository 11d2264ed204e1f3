//! What arrives: for each active axon, its weights are added to the sums of the neurons it reaches.

use super::neurons::constant_shape;
use super::text::Assembly;
use crate::connect::{Connection, Kernels, Part, PartKind, Sums, Table, strips};
use crate::layout::Layout;

/// Registers by name: the first while events are taken in, the others while neurons are brought forward.
pub(super) const REGISTERS: [(&str, &str); 17] = [
    ("axon", "r1"),
    ("payload", "r2"),
    ("position", "r3"),
    ("at", "r4"),
    ("sums", "r5"),
    ("weights", "r6"),
    ("entry", "r7"),
    ("rows", "r8"),
    ("length", "r9"),
    ("threshold", "r1"),
    ("minus", "r2"),
    ("left", "r3"),
    ("leak", "r6"),
    ("left_current", "r7"),
    ("bias", "r8"),
    ("one", "r9"),
    ("columns", "r12"),
];

/// Where a block's arrays lie.
pub(super) struct Places<'a> {
    pub layout: &'a Layout,
    pub vector_length: u32,
    /// Elements of a row of weights.
    pub row_length: u32,
}

impl Places<'_> {
    /// An array's first element.
    fn offset(&self, name: &str) -> i64 {
        self.layout.symbol(name).map_or(0, |symbol| symbol.offset.into())
    }
}

/// Takes the active axons in. Goes on at `update`, which must follow.
pub(super) fn integrate(a: &mut Assembly, connection: &Connection, places: &Places) {
    let parts = &connection.parts;
    let joined = joined(connection);
    let alone = parts.len() == 1 || joined;
    if connection.sums == Sums::Register {
        a.code(&format!("setvl r0, {}", places.row_length), "");
        a.code(&format!("setrow r0, {}", places.row_length), "");
        a.code("vmv v0, r0", "what comes in");
    }
    let emitters: Vec<Emitter> =
        parts.iter().enumerate().map(|(number, part)| Emitter { connection, part, number, places }).collect();
    if alone {
        emitters[0].prepare(a);
        a.code("foreach axon, payload, update", "");
        return emitters[0].event(a, "update");
    }
    a.load_number("r10", parts[1].first_axon as i32, "the first axon of the layer's own spikes");
    a.code("foreach axon, payload, update", "");
    a.code("bge axon, r10, own", "");
    emitters[0].prepare(a);
    emitters[0].event(a, "taken");
    a.label("taken");
    a.code("jmp update", "");
    a.label("own");
    emitters[1].prepare(a);
    emitters[1].event(a, "update");
}

/// Whether rows of the layer's own spikes follow those of others, so that one instruction adds both.
fn joined(connection: &Connection) -> bool {
    let [first, own] = &connection.parts[..] else { return false };
    let plain = |part: &Part| !part.graded && matches!(part.kind, PartKind::Rows { table: Table::Identity, .. });
    plain(first) && plain(own) && first.bits == own.bits && first.first_axon + first.axons == own.first_axon
}

/// Writes what an event of a part does.
struct Emitter<'a> {
    connection: &'a Connection,
    part: &'a Part,
    number: usize,
    places: &'a Places<'a>,
}

impl Emitter<'_> {
    fn name(&self, array: &str) -> String {
        if self.number == 0 { array.to_owned() } else { format!("own_{array}") }
    }

    fn offset(&self, array: &str) -> i64 {
        self.places.offset(&self.name(array))
    }

    /// From an axon's number to that of its entry in an array.
    fn from_axon(&self, array: &str) -> i64 {
        self.offset(array) - i64::from(self.part.first_axon)
    }

    /// What is the same for all events of the part.
    fn prepare(&self, a: &mut Assembly) {
        match &self.part.kind {
            PartKind::Rows { .. } => {
                if let Sums::Memory { .. } = self.connection.sums {
                    let (count, strip) = strips(self.places.row_length, self.places.vector_length);
                    a.code(&format!("setvl r0, {strip}"), "");
                    a.load_number("columns", (count * strip) as i32, "");
                    a.code(&format!("addi rows, r0, {count}"), "");
                }
            }
            PartKind::Kernels { kernels, table } => {
                if kernels.plane.channels > 1 {
                    a.load_number("columns", kernels.plane.channels as i32, "weights of a tap");
                }
                if let Some(shape) = constant_shape(table) {
                    let length = (shape & 0xffff) as u32;
                    if length <= self.places.vector_length {
                        a.code(&format!("setvl r0, {length}"), "a row of the kernel");
                    }
                    a.code(&format!("addi rows, r0, {}", shape >> 16), "");
                    a.code(&format!("addi length, r0, {length}"), "");
                }
            }
            PartKind::Marks { .. } => a.code("addi one, r0, 1", ""),
            PartKind::Pairs { .. } => {}
        }
    }

    /// What an event does; ends at `done`, which follows.
    fn event(&self, a: &mut Assembly, done: &str) {
        match &self.part.kind {
            PartKind::Rows { table, .. } => self.with_entry(a, table, done, |a, entry| self.row(a, entry, done)),
            PartKind::Kernels { kernels, table } => {
                self.with_entry(a, table, done, |a, _| self.kernel(a, kernels, constant_shape(table).is_some(), done))
            }
            PartKind::Pairs { .. } => self.pairs(a, done),
            PartKind::Marks { table } => self.with_entry(a, table, done, |a, (register, offset)| {
                a.indexed("st one", "n16", register, offset, "");
            }),
        }
    }

    /// Looks an axon's entries up and does `each` with them: a register and a number to be added, of the entry's value.
    fn with_entry(&self, a: &mut Assembly, table: &Table, done: &str, each: impl Fn(&mut Assembly, (&str, i64))) {
        match table {
            Table::Identity => each(a, ("axon", -i64::from(self.part.first_axon))),
            Table::Single { any_missing, .. } => {
                a.indexed("ld entry", "a32", "axon", self.from_axon("entries"), "");
                if *any_missing {
                    a.code(&format!("blt entry, r0, {done}"), "reaches nothing");
                }
                if self.has_shapes(table) {
                    a.indexed("ld length", "a32", "axon", self.from_axon("shapes"), "");
                }
                each(a, ("entry", 0));
            }
            Table::Lists { .. } => {
                a.indexed("ld at", "a32", "axon", self.from_axon("first"), "");
                a.indexed("ld r11", "a32", "axon", self.from_axon("first") + 1, "");
                a.code("sub r11, r11, at", "");
                a.code(&format!("loop r11, {done}"), "");
                a.indexed("ld entry", "a32", "at", self.offset("entries"), "");
                if self.has_shapes(table) {
                    a.indexed("ld length", "a32", "at", self.offset("shapes"), "");
                }
                a.code("addi at, at, 1", "");
                each(a, ("entry", 0));
            }
        }
    }

    fn has_shapes(&self, table: &Table) -> bool {
        matches!(self.part.kind, PartKind::Kernels { .. }) && constant_shape(table).is_none()
    }

    /// A row of weights, for every neuron of the block.
    fn row(&self, a: &mut Assembly, (register, number): (&str, i64), done: &str) {
        let bits = self.part.bits;
        let symbol = self.places.layout.symbol(&self.name("weights"));
        let (offset, columns) = symbol.map_or((0, 1), |symbol| (i64::from(symbol.offset), i64::from(symbol.columns)));
        if let Sums::Memory { bits: sum_bits, .. } = self.connection.sums {
            a.advance_from("weights", register, number, "");
            a.code("mul weights, weights, columns", "its row");
            a.advance("weights", offset, "");
            a.code("addi sums, r0, 0", "");
            if columns > i64::from(self.places.vector_length) {
                a.code(&format!("loop rows, {done}"), "");
            }
            let (_, strip) = strips(self.places.row_length, self.places.vector_length);
            self.add_run(a, sum_bits);
            if columns > i64::from(self.places.vector_length) {
                a.code(&format!("addi weights, weights, {strip}"), "");
                a.code(&format!("addi sums, sums, {strip}"), "");
            }
            return;
        }
        let in_rows = number + offset / columns;
        let (load, memory, base, at) = if offset % columns == 0 && (-0x800..0x800).contains(&in_rows) {
            ("r", format!("s{bits}"), format!("row {register}"), in_rows)
        } else {
            a.advance_from("weights", register, number, "");
            a.code(&format!("addi r15, r0, {columns}"), "");
            a.code("mul weights, weights, r15", "its row");
            ("", format!("s{bits}"), "weights".to_owned(), offset)
        };
        if self.part.graded {
            a.indexed(&format!("vld{load} v1"), &memory, &base, at, "");
            a.code("vmacs v0, v1, payload", "");
        } else {
            a.indexed(&format!("vacc{load} v0"), &memory, &base, at, "");
        }
    }

    /// Adds the run of weights at `weights` to that of sums at `sums`.
    fn add_run(&self, a: &mut Assembly, sum_bits: u32) {
        let bits = self.part.bits;
        if self.part.graded {
            a.code(&format!("vld v1, s{bits}[weights]"), "");
            a.code("vmuls v1, v1, payload", "");
            a.code(&format!("vacc v1, n{sum_bits}[sums]"), "");
            a.code(&format!("vst v1, n{sum_bits}[sums]"), "");
        } else {
            a.code(&format!("vaddn{sum_bits} sums, s{bits}[weights]"), "");
        }
    }

    /// The sub-kernel that `entry` names, run by run.
    fn kernel(&self, a: &mut Assembly, kernels: &Kernels, constant: bool, done: &str) {
        let Sums::Memory { bits: sum_bits, .. } = self.connection.sums else { return };
        let length = self.places.vector_length;
        let longest = kernels.longest_run();
        a.code("andi sums, entry, 0xffff", "its first sum");
        a.code("shri weights, entry, 16", "its sub-kernel");
        if kernels.plane.channels > 1 {
            a.code("mul weights, weights, columns", "");
        }
        a.advance("weights", self.offset("weights"), "");
        if !constant {
            a.code("shri rows, length, 16", "rows of the sub-kernel");
            a.code("andi length, length, 0xffff", "a row's run");
            if longest <= length {
                a.code("setvl length, 0", "");
            }
        }
        let one_row = constant && kernels.kernel_rows() == 1;
        if !one_row {
            a.code(&format!("loop rows, {done}"), "");
        }
        if longest > length {
            self.pieces(a, longest.div_ceil(length), sum_bits);
        } else {
            self.add_run(a, sum_bits);
        }
        if !one_row {
            a.code("add weights, weights, length", "");
            a.advance("sums", kernels.step().into(), "");
        }
    }

    /// A run longer than a vector, piece by piece.
    fn pieces(&self, a: &mut Assembly, pieces: u32, sum_bits: u32) {
        a.code("addi r13, weights, 0", "");
        a.code("addi r14, sums, 0", "");
        a.code(&format!("addi position, r0, {pieces}"), "");
        a.code("addi r11, length, 0", "what is left of the run");
        a.code("loop position, run_done", "");
        a.code(&format!("addi r15, r0, {}", self.places.vector_length), "");
        a.code("min r15, r15, r11", "");
        a.code("setvl r15, 0", "");
        self.add_run(a, sum_bits);
        a.code("sub r11, r11, r15", "");
        a.code("add weights, weights, r15", "");
        a.code("add sums, sums, r15", "");
        a.label("run_done");
        a.code("addi weights, r13, 0", "");
        a.code("addi sums, r14, 0", "");
    }

    /// The pairs of an axon.
    fn pairs(&self, a: &mut Assembly, done: &str) {
        let Sums::Memory { bits: sum_bits, .. } = self.connection.sums else { return };
        a.indexed("ld at", "a32", "axon", self.from_axon("first"), "");
        a.indexed("ld rows", "a32", "axon", self.from_axon("first") + 1, "");
        a.code("sub rows, rows, at", "");
        a.code(&format!("loop rows, {done}"), "");
        a.indexed("ld entry", "s32", "at", self.offset("pairs"), "");
        a.code("addi at, at, 1", "");
        a.code("andi sums, entry, 0xffff", "its neuron");
        a.code("shri weights, entry, 16", "its weight");
        if self.part.graded {
            a.code("mul weights, weights, payload", "");
        }
        a.code(&format!("addm weights, n{sum_bits}[sums]"), "");
    }
}

impl Assembly {
    /// `register = from + number`.
    fn advance_from(&mut self, register: &str, from: &str, number: i64, comment: &str) {
        if i16::try_from(number).is_ok() {
            return self.code(&format!("addi {register}, {from}, {number}"), comment);
        }
        self.load_number("r15", number as i32, "");
        self.code(&format!("add {register}, {from}, r15"), comment);
    }
}
