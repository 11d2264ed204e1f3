//! The softmax: every class pulls by its probability.

use super::{Lead, LossCode, Operands, Pulls, Table, Toward, Update, away_from_all};
use crate::lowering::code::load_name;
use crate::lowering::rule::{INDICES, RuleFormat, rounded};
use onward_isa::Width;
use onward_isa::builder::{Assembly, N16, N32, VectorRegister, ZERO};

/// Fraction bits of a probability.
const PROBABILITY_BITS: u32 = 8;

/// Sums of exponentials are looked up to this power of two.
const SUM_BITS: u32 = 3;

/// The own class learns from as many 256ths that it is from certain.
const LEAST_MISSING: u32 = 4;

pub(super) struct Softmax;

impl LossCode for Softmax {
    fn looks_at_all(&self) -> bool {
        true
    }

    fn pull_bits(&self) -> u32 {
        PROBABILITY_BITS
    }

    fn tables(&self, rule: &RuleFormat, classes: u32, neurons: u32) -> Vec<Table> {
        let one = f64::from(1 << PROBABILITY_BITS);
        let exponential = |index: u32| rounded(one * (-f64::from(index) / 8.0).exp());
        // From the sum of one class alone to that of all.
        let least = 1u32 << PROBABILITY_BITS;
        let sums = (least..=classes * least).step_by(1 << SUM_BITS);
        // While the input is shown, scores grow with its steps.
        let shown = |steps| rule.sharpness(neurons, steps);
        let sharpness = rule.steps.map(|_| Table {
            name: "sharpness",
            width: Width::W32,
            values: (1..=rule.window).map(shown).collect(),
        });
        let tables = [
            Table { name: "exponentials", width: Width::W16, values: (0..INDICES).map(exponential).collect() },
            Table {
                name: "reciprocals",
                width: Width::W32,
                values: sums.map(|sum| rounded(65536.0 * one / f64::from(sum))).collect(),
            },
        ];
        tables.into_iter().chain(sharpness).collect()
    }

    fn lead(&self, a: &mut Assembly, update: &Update) -> Lead {
        let (rival, _, _) = update.rival(a);
        a.comment("p_c = e^(score(c) / temperature), over their sum");
        a.setvl(ZERO, "CLASSES");
        let own = &a.scratch();
        {
            let p = &a.scratch_vector();
            update.block.load_scores(a, update.arrays, p);
            probabilities(a, update, p);
            a.vext(own, p, update.slot);
        }
        update.all_neurons(a);
        let missing = a.named("missing");
        a.addi(&missing, ZERO, 1 << PROBABILITY_BITS);
        a.sub(&missing, &missing, own).note("how far the own class is from certain");
        let least = &a.scratch();
        a.addi(least, ZERO, LEAST_MISSING);
        a.blt(&missing, least, update.nothing);
        Lead { rival: Some(rival), missing: Some(missing) }
    }

    /// Of the wrong classes' targets only the rival's moves, by what all of them together are believed.
    fn pulls(&self, a: &mut Assembly, update: &Update, lead: &Lead, operands: &Operands) -> Pulls {
        let missing = lead.missing.as_ref().expect("it was computed with the rival");
        away_from_all(a, update, operands, Toward::Number(1 << PROBABILITY_BITS), missing)
    }
}

/// Scores in `p` become probabilities, there and in memory.
fn probabilities(a: &mut Assembly, update: &Update, p: &VectorRegister) {
    let (number, count) = (&a.scratch(), &a.scratch());
    {
        let most = &a.scratch_vector();
        a.vrmax(number, p);
        a.vmv(most, number);
        a.vsub(p, most, p);
    }
    match update.shown {
        None => {
            let window = update.rule.window;
            a.load_number(count, update.rule.sharpness(update.block.neurons(), window))
                .note("eighths of the temperature");
        }
        Some(steps) => {
            let table = update.arrays.offset("sharpness") - 1;
            a.indexed(N32, steps, table, |a, memory| a.ld(count, memory)).note("eighths of the temperature, by steps");
        }
    }
    a.vscales(p, p, count);
    load_name(a, number, "EXPONENTIALS");
    a.addi(count, ZERO, INDICES);
    a.vlut(p, p, N16.table(number), count);
    a.vsum(number, p);
    a.addi(number, number, -(1 << PROBABILITY_BITS));
    a.shri(number, number, SUM_BITS);
    a.addi(number, number, "RECIPROCALS");
    a.ld(number, N32.at(number, 0));
    a.vscales(p, p, number);
    load_name(a, number, "CLASS_WEIGHTS");
    a.vst(p, N32.at(number, 0));
}
