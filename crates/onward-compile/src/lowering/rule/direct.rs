//! Targets that reach a layer directly, by a table of each block.
//!
//! A class has a row in the table, with an entry for each neuron, of a convolution for each channel and cell of its plane. What the
//! input evoked becomes rates, averaged over the cells; a class's score is the product of rates and row. Rates and entries have
//! [`RATE_BITS`] fraction bits, and take the places of what input and targets evoked in all losses. The row of the own class
//! moves toward the rates, that of its rival away from them.

use super::RuleFormat;
use super::kernels::{PULLS, of_class, width};
use super::loss::{Lead, Pulls};
use super::optimizer::{round, scale};
use super::signal::{Bounds, Evoked, Of, Operands};
use super::update::Update;
use crate::layout::Layout;
use crate::lowering::block::Block;
use crate::lowering::code::{add_name, load_name, load_word};
use crate::purposes;
use onward_isa::builder::{Assembly, N16, Scalar, ScalarRegister, Vector, ZERO};
use onward_isa::{Space, Width};
use onward_quantize::RATE_BITS;
use std::ops::Range;

/// Entries of a table lie from minus so much to so much.
const LARGEST_ENTRY: i32 = 1 << RATE_BITS;

/// The rows, or columns, of a plane that each of so many cells covers: nearly as many each.
pub(super) fn cells(extent: u32, cells: u32) -> impl Iterator<Item = Range<u32>> {
    (0..cells).map(move |cell| cell * extent / cells..(cell + 1) * extent / cells)
}

/// Appends rates and the table and, of a convolution, where pulls are before and while they are spread over the places of cells.
pub(crate) fn arrays(layout: &mut Layout, block: &Block, rule: &RuleFormat) {
    if block.table().is_none() {
        return;
    }
    layout.add("rate", Space::Neuron, Width::W16, 1, block.compared());
    layout.add("table", Space::Neuron, Width::W16, block.classes(), block.compared());
    if block.kernels().is_some() {
        let (_, length) = block.walk_rows();
        layout.add("cell_pull", Space::Neuron, width(block, rule), 1, block.compared());
        layout.add("row_pull", Space::Neuron, width(block, rule), 1, length);
    }
}

/// What a sum of counts over so many places is multiplied by to become their mean rate, with 16 more fraction bits: rounded to
/// the nearest.
fn rate_factor(block: &Block, places: u32) -> i32 {
    let of_full = f64::from(block.window) * f64::from(places);
    (f64::from(1 << (16 + RATE_BITS)) / of_full).round() as i32
}

/// What the input evoked becomes rates: to memory, where the scores find them. The vector length is that of the neurons after
/// it, where a register holds the block.
pub(crate) fn rates(a: &mut Assembly, block: &Block) {
    let (Some(table), Some(rule)) = (block.table(), block.rule()) else { return };
    let evoked = Evoked::of_windows(rule).input;
    let Some((kernels, _)) = block.kernels() else {
        a.comment("Rates: counts as parts of the window");
        let (address, vector) = (&a.scratch(), &a.scratch_vector());
        load_name(a, address, evoked);
        a.vld(vector, N16.at(address, 0));
        a.load_number(address, rate_factor(block, 1));
        a.vscales(vector, vector, address);
        load_name(a, address, "RATE");
        a.vst(vector, N16.at(address, 0));
        return;
    };
    a.comment("Rates: the means over the cells of the plane, as parts of the window");
    let (plane, [along_y, along_x]) = (kernels.plane, table.cells);
    a.setvl(ZERO, plane.channels);
    let (from, to) = (&a.named("counted"), &a.named("rates"));
    load_name(a, to, "RATE");
    for rows in cells(plane.height, along_y) {
        for columns in cells(plane.width, along_x) {
            let sum = &a.scratch_vector();
            a.vmv(sum, ZERO);
            load_name(a, from, evoked);
            a.advance(from, ((rows.start * plane.width + columns.start) * plane.channels).into());
            let in_row = |a: &mut Assembly| {
                a.repeat_number(columns.len() as u32, "cell_column", |a| {
                    a.vacc(sum, N16.at(from, 0));
                    a.advance(from, plane.channels.into());
                });
                a.advance(from, ((plane.width - columns.len() as u32) * plane.channels).into());
            };
            a.repeat_number(rows.len() as u32, "cell_row", in_row);
            let factor = &a.scratch();
            a.load_number(factor, rate_factor(block, (rows.len() * columns.len()) as u32));
            a.vscales(sum, sum, factor);
            a.vst(sum, N16.at(to, 0));
            a.advance(to, plane.channels.into());
        }
    }
}

/// The rows of the own class and its rival move by their pulls, of a block that a register holds.
pub(super) fn table(
    a: &mut Assembly,
    block: &Block,
    rule: &RuleFormat,
    shift: &ScalarRegister,
    pulls: &Pulls,
    classes: [Option<Scalar>; 2],
) {
    let (Some(targets), [Some(own), Some(rival)]) = (&pulls.targets, classes) else { return };
    let (own_pull, rival_pull, is_turned) = targets.paths();
    let rows = [(own, own_pull, false), (rival, rival_pull, is_turned)];
    for ((class, pull, is_turned), purpose) in rows.into_iter().zip(purposes::TABLES) {
        a.serve(purpose, |a| {
            let address = &a.scratch();
            of_class(a, address, "TABLE", class, block.compared());
            move_entries(a, rule, shift, pull, address, is_turned);
        });
    }
}

/// Entries at an address move by a pull, perhaps with its sign turned.
fn move_entries(
    a: &mut Assembly,
    rule: &RuleFormat,
    shift: &ScalarRegister,
    pull: Vector,
    address: &ScalarRegister,
    is_turned: bool,
) {
    a.comment("entries += 2^-shift * pull");
    let change = &a.scratch_vector();
    a.vmv(change, ZERO);
    match is_turned {
        true => a.vsub(change, change, pull),
        false => a.vadd(change, change, pull),
    };
    round(a, change, shift, rule.table_shift);
    a.vacc(change, N16.at(address, 0));
    let bound = &a.scratch();
    a.load_number(bound, LARGEST_ENTRY);
    a.vmins(change, change, bound);
    a.sub(bound, ZERO, bound);
    a.vmaxs(change, change, bound);
    a.vst(change, N16.at(address, 0));
}

/// Pulls of a convolution: on the rates of cells, by which the table moves, then on each neuron, to memory, where the sums of
/// neurons would be.
pub(super) fn pulls(a: &mut Assembly, update: &mut Update, lead: &Lead) {
    a.gap();
    on_rates(a, update, lead);
    on_neurons(a, update);
}

fn on_rates(a: &mut Assembly, update: &Update, lead: &Lead) {
    let (block, rule) = (update.block, update.rule);
    let (rows, length) = block.compared_rows();
    let classes = [Some(update.slot), lead.rival.as_ref().map(ScalarRegister::operand)];
    let rates = a.named("h");
    load_name(a, &rates, "RATE");
    let mut row = |class: Option<Scalar>, name: &str| {
        let register = a.named(name);
        of_class(a, &register, "TABLE", class?, block.compared());
        Some(register)
    };
    let (own, rival) = (row(classes[0], "own_target"), row(classes[1], "rival_target"));
    let evoked = [Some(rates), own, rival];
    a.setvl(ZERO, length);
    a.repeat_number(rows, "cells_pulled", |a| {
        let operands = Operands::Walked { evoked: &evoked, voltages: &[None, None, None] };
        let pulls = rule.loss().pulls(a, update, lead, &operands);
        let rates = evoked[Of::Input as usize].as_ref().expect("rates are looked at");
        let beside = |a: &mut Assembly, register: &ScalarRegister, array: &str| {
            let [from, to] = ["rate", array].map(|name| update.arrays.offset(name));
            a.addi(register, rates, 0);
            a.advance(register, to - from);
        };
        scale(a, rule, &pulls, |a, register| beside(a, register, "mean_square"));
        {
            let address = &a.scratch();
            beside(a, address, "cell_pull");
            a.vst(&pulls.input, update.arrays.elements("cell_pull").at(address, 0));
        }
        if let (Some(targets), [_, Some(own), Some(rival)]) = (&pulls.targets, &evoked) {
            let (own_pull, rival_pull, is_turned) = targets.paths();
            let shift = &a.scratch();
            load_word(a, update.arrays, shift, "shift");
            let rows = [(own_pull, own, false), (rival_pull, rival, is_turned)];
            for ((pull, row, is_turned), purpose) in rows.into_iter().zip(purposes::TABLES) {
                a.serve(purpose, |a| move_entries(a, rule, shift, pull, row, is_turned));
            }
        }
        for pointer in evoked.iter().flatten() {
            a.advance(pointer, length.into());
        }
    });
}

fn on_neurons(a: &mut Assembly, update: &mut Update) {
    let (block, rule, arrays) = (update.block, update.rule, update.arrays);
    let (Some((kernels, _)), Some(table)) = (block.kernels(), block.table()) else { return };
    let (plane, [along_y, along_x]) = (kernels.plane, table.cells);
    let (_, length) = block.walk_rows();
    a.gap();
    a.comment("Each neuron is pulled at as its cell is, where it is live");
    update.bounds = Bounds::load(a, rule);
    let (sum, cell) = (&a.named("sum"), &a.named("cell"));
    a.load_number(sum, kernels.first_sum() as i32);
    load_name(a, cell, "CELL_PULL");
    let voltage = rule.live_bounds().is_some().then(|| {
        let voltage = a.named("h_voltage");
        load_name(a, &voltage, Evoked::live(rule).0.input);
        voltage
    });
    let voltages = [voltage, None, None];
    for rows in cells(plane.height, along_y) {
        a.setvl(ZERO, plane.channels);
        {
            let (pull, place) = (&a.scratch_vector(), &a.scratch());
            load_name(a, place, "ROW_PULL");
            for columns in cells(plane.width, along_x) {
                a.vld(pull, arrays.elements("cell_pull").at(cell, 0));
                a.repeat_number(columns.len() as u32, "cell_spread", |a| {
                    a.vst(pull, arrays.elements("row_pull").at(place, 0));
                    a.advance(place, plane.channels.into());
                });
                a.advance(cell, plane.channels.into());
            }
        }
        a.setvl(ZERO, length);
        let of_row = &a.scratch_vector();
        {
            let place = &a.scratch();
            load_name(a, place, "ROW_PULL");
            a.vld(of_row, arrays.elements("row_pull").at(place, 0));
        }
        a.repeat_number(rows.len() as u32, "row_pulled", |a| {
            let (pull, address) = (&a.scratch_vector(), &a.scratch());
            a.vadds(pull, of_row, ZERO);
            let operands = Operands::Walked { evoked: &[None, None, None], voltages: &voltages };
            update.gate(a, &operands, Of::Input, pull);
            add_name(a, address, sum, &PULLS[0].to_uppercase());
            a.vst(pull, arrays.elements(PULLS[0]).at(address, 0));
            a.advance(sum, kernels.row_pitch().into());
            if let [Some(voltage), ..] = &voltages {
                a.advance(voltage, length.into());
            }
        });
    }
    update.bounds = None;
}
