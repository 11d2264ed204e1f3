//! What a loss makes of the classes' scores: pulls on the neurons.
//!
//! A loss is an implementation of [`LossCode`], and a line in the list of them.

use super::signal::{Of, Operands};
use super::update::Update;
use super::{INDICES, RuleFormat, Table, rounded};
use crate::layout::Layout;
use crate::lowering::code::load_name;
use onward_isa::builder::{Assembly, N16, N32, ScalarRegister, VectorRegister, ZERO};
use onward_isa::{Space, Width};
use onward_net::Loss;

/// What pulls at neurons by the input's path, and by those of the targets if they learn.
pub(crate) struct Pulls {
    /// By the input's path.
    pub input: VectorRegister,
    pub targets: Option<TargetPulls>,
}

/// The pulls of the targets' paths.
pub(crate) enum TargetPulls {
    /// The own target's, and the rival's with the sign turned.
    Opposite(VectorRegister),
    /// The own target's and the rival's.
    Each(VectorRegister, VectorRegister),
}

/// What a loss found in the scores, in registers.
#[derive(Default)]
pub(crate) struct Lead {
    /// The wrong class with the largest score.
    pub rival: Option<ScalarRegister>,
    /// How far the own class is from certain, in 256ths.
    pub missing: Option<ScalarRegister>,
}

/// A loss: what it keeps, and what it makes of scores.
pub(crate) trait LossCode: Sync {
    /// Whether scores are of squared distances.
    fn is_squared(&self) -> bool {
        false
    }

    /// Whether it pulls away from the targets of all classes, each by its weight in `class_weights`.
    fn looks_at_all(&self) -> bool {
        false
    }

    /// Fraction bits of the pulls that it makes.
    fn pull_bits(&self) -> u32 {
        0
    }

    /// What targets of so many classes weigh in a pull at most, together.
    fn largest_weight(&self, _classes: u32) -> u64 {
        1 << self.pull_bits()
    }

    /// The margin of a rule, in products of counts of neurons that fire in every step; 0 without one.
    fn margin(&self, _loss: Loss) -> f64 {
        0.0
    }

    /// Tables that it looks up, for blocks of so many neurons.
    fn tables(&self, _rule: &RuleFormat, _classes: u32, _neurons: u32) -> Vec<Table> {
        Vec::new()
    }

    /// Appends arrays that begin with 0.
    fn arrays(&self, layout: &mut Layout, classes: u32) {
        if self.looks_at_all() {
            layout.add("class_weights", Space::Neuron, Width::W32, 1, classes);
        }
    }

    /// Looks at the scores; goes on where there is nothing to learn.
    fn lead(&self, a: &mut Assembly, update: &Update) -> Lead;

    /// Makes pulls on the neurons that the operands are of.
    fn pulls(&self, a: &mut Assembly, update: &Update, lead: &Lead, operands: &Operands) -> Pulls;

    /// Whether the targets' paths learn.
    fn moves_targets(&self) -> bool {
        true
    }

    /// Whether they learn by what the input evoked alone.
    fn moves_targets_by_counts(&self) -> bool {
        false
    }
}

impl RuleFormat {
    /// What differences of scores are multiplied by, with 16 fraction bits, to become eighths of the temperature, after so many
    /// steps of a window.
    fn sharpness(&self, neurons: u32, steps: u32) -> i32 {
        let Loss::Softmax { temperature } = self.rule.loss else { return 0 };
        let unit = match self.is_direct() {
            true => self.unit(neurons) / f64::from(1 << RATE_SCORE_SHIFT),
            false => f64::from(neurons).sqrt() * f64::from(self.window) * f64::from(steps),
        };
        (8.0 * 65536.0 / (temperature * unit)).round().clamp(1.0, f64::from(i32::MAX)) as i32
    }

    /// The code of the rule's loss.
    pub(crate) fn loss(&self) -> &'static dyn LossCode {
        code(self.rule.loss)
    }
}

/// The code of a loss.
pub(in crate::lowering) fn code(loss: Loss) -> &'static dyn LossCode {
    match loss {
        Loss::Hinge { .. } => &Hinge,
        Loss::Softmax { .. } => &Softmax,
        Loss::SquaredError { .. } => &SquaredError,
        Loss::Hebbian => &Hebbian,
        Loss::Contrastive { .. } => &Contrastive,
    }
}

/// How many times a loss that looks at all classes pulls toward the own target.
enum Toward {
    Number(u32),
    /// As many times as away from the others.
    Away,
}

/// Pulls of a loss that looks at all classes: toward the own target as many times as `toward` says, away from each by its
/// weight in `class_weights`, where the neuron is live; the own target's path goes by `away` times h, the rival's as much back.
fn away_from_all(
    a: &mut Assembly,
    update: &Update,
    operands: &Operands,
    toward: Toward,
    away: &ScalarRegister,
) -> Pulls {
    a.comment("Toward the own target, away from each by its weight, where the neuron is live");
    let input = update.weighted_targets(a, operands);
    {
        let own = &update.evoked(a, operands, Of::Own);
        match toward {
            Toward::Number(times) => {
                let number = &a.scratch();
                a.addi(number, ZERO, times);
                a.vmacs(&input, own, number);
            }
            Toward::Away => {
                a.vmacs(&input, own, away);
            }
        }
    }
    update.gate(a, operands, Of::Input, &input);
    let h = update.evoked(a, operands, Of::Input);
    a.comment("h for the own target, as much less for the rival's");
    let own = a.scratch_vector();
    a.vmuls(&own, &h, away);
    if !update.block.is_whole() && update.block.is_fed() {
        return Pulls { input, targets: Some(TargetPulls::Opposite(own)) };
    }
    let (rival, minus) = (a.scratch_vector(), &a.scratch());
    a.sub(minus, ZERO, away);
    a.vmuls(&rival, &h, minus);
    update.gate_targets(a, operands, &own, &rival);
    Pulls { input, targets: Some(TargetPulls::Each(own, rival)) }
}

/// The pull toward the own target and away from the rival's, where the neuron is live.
fn toward_own(a: &mut Assembly, update: &Update, operands: &Operands) -> VectorRegister {
    a.comment("Toward the own target, away from the rival's, where the neuron is live");
    let pull = update.evoked(a, operands, Of::Own);
    {
        let rival = &update.evoked(a, operands, Of::Rival);
        a.vsub(&pull, &pull, rival);
    }
    update.gate(a, operands, Of::Input, &pull);
    pull
}

/// The hinge: the own class is to lead its rival by a margin.
struct Hinge;

impl LossCode for Hinge {
    fn margin(&self, loss: Loss) -> f64 {
        if let Loss::Hinge { margin } = loss { margin } else { 0.0 }
    }

    fn moves_targets_by_counts(&self) -> bool {
        true
    }

    fn lead(&self, a: &mut Assembly, update: &Update) -> Lead {
        Lead { rival: Some(update.lead_by_margin(a)), missing: None }
    }

    fn pulls(&self, a: &mut Assembly, update: &Update, _: &Lead, operands: &Operands) -> Pulls {
        let input = toward_own(a, update, operands);
        if update.needs_input_only() {
            return Pulls { input, targets: None };
        }
        let h = update.evoked(a, operands, Of::Input);
        if update.block.is_fed() {
            return Pulls { input, targets: Some(TargetPulls::Opposite(h)) };
        }
        a.comment("h for the own target, -h for the rival's, where their voltages are live");
        let (own, rival) = (a.scratch_vector(), a.scratch_vector());
        a.vmv(&own, ZERO);
        a.vadd(&own, &own, &h);
        update.gate_target(a, operands, Of::Own, &own);
        a.vmv(&rival, ZERO);
        a.vsub(&rival, &rival, &h);
        update.gate_target(a, operands, Of::Rival, &rival);
        Pulls { input, targets: Some(TargetPulls::Each(own, rival)) }
    }
}

/// Fraction bits of a probability.
const PROBABILITY_BITS: u32 = 8;

/// Sums of exponentials are looked up to this power of two.
const SUM_BITS: u32 = 3;

/// By how much differences of scores of rates are shifted, so that what they are multiplied by then has bits enough.
const RATE_SCORE_SHIFT: u32 = 6;

/// The own class learns from as many 256ths that it is from certain.
const LEAST_MISSING: u32 = 4;

/// The softmax: every class pulls by its probability.
struct Softmax;

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
    if update.rule.is_direct() {
        a.addi(count, ZERO, RATE_SCORE_SHIFT);
        a.vshr(p, p, count).note("scores of rates are large");
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

/// The squared error: what the input evokes is to be what the own target does, and not what the rival's does.
struct SquaredError;

impl LossCode for SquaredError {
    fn is_squared(&self) -> bool {
        true
    }

    /// Scores of squared errors are twice products, and so is their margin.
    fn margin(&self, loss: Loss) -> f64 {
        if let Loss::SquaredError { margin } = loss { 2.0 * margin } else { 0.0 }
    }

    fn lead(&self, a: &mut Assembly, update: &Update) -> Lead {
        Lead { rival: Some(update.lead_by_margin(a)), missing: None }
    }

    fn pulls(&self, a: &mut Assembly, update: &Update, _: &Lead, operands: &Operands) -> Pulls {
        let input = toward_own(a, update, operands);
        let h = update.evoked(a, operands, Of::Input);
        a.comment("The own target toward h, the rival's away from it");
        let own = update.evoked(a, operands, Of::Own);
        a.vsub(&own, &h, &own);
        let rival = update.evoked(a, operands, Of::Rival);
        a.vsub(&rival, &rival, &h);
        update.gate_targets(a, operands, &own, &rival);
        Pulls { input, targets: Some(TargetPulls::Each(own, rival)) }
    }
}

/// The contrastive loss: the own class against all at once that come within its margin (Weston and Watkins 1999).
struct Contrastive;

impl LossCode for Contrastive {
    fn looks_at_all(&self) -> bool {
        true
    }

    fn margin(&self, loss: Loss) -> f64 {
        if let Loss::Contrastive { margin } = loss { margin } else { 0.0 }
    }

    fn largest_weight(&self, classes: u32) -> u64 {
        classes.into()
    }

    /// Those within the margin have the weight 1; the lead is how many they are.
    fn lead(&self, a: &mut Assembly, update: &Update) -> Lead {
        let (rival, own, other) = update.rival(a);
        a.comment("The classes that come within the margin of the own one");
        let (within, near) = (a.named("missing"), &a.scratch_predicate());
        let (scores, weights) = (&a.scratch_vector(), &a.scratch_vector());
        update.load_margin(a, &other);
        a.sub(&own, &own, &other);
        a.addi(&own, &own, 1).note("the least score that does");
        a.setvl(ZERO, "CLASSES");
        update.block.load_scores(a, update.arrays, scores);
        a.lui(&other, 0x8000);
        a.vins(scores, &other, update.slot);
        a.vcges(near, scores, &own);
        a.pcount(&within, near);
        a.vmv(weights, ZERO);
        a.addi(&own, ZERO, 1);
        a.vaddp(weights, weights, &own, near);
        load_name(a, &other, "CLASS_WEIGHTS");
        a.vst(weights, N32.at(&other, 0));
        update.all_neurons(a);
        a.beq(&within, ZERO, update.nothing);
        Lead { rival: Some(rival), missing: Some(within) }
    }

    fn pulls(&self, a: &mut Assembly, update: &Update, lead: &Lead, operands: &Operands) -> Pulls {
        let within = lead.missing.as_ref().expect("they were counted with the rival");
        away_from_all(a, update, operands, Toward::Away, within)
    }
}

/// The target alone: what the input evokes is to be what the own target does.
struct Hebbian;

impl LossCode for Hebbian {
    fn lead(&self, _: &mut Assembly, _: &Update) -> Lead {
        Lead::default()
    }

    fn pulls(&self, a: &mut Assembly, update: &Update, _: &Lead, operands: &Operands) -> Pulls {
        a.comment("What the target evokes, less what the input evokes already");
        let input = update.evoked(a, operands, Of::Own);
        {
            let h = &update.evoked(a, operands, Of::Input);
            a.vsub(&input, &input, h);
        }
        update.gate(a, operands, Of::Input, &input);
        Pulls { input, targets: None }
    }

    fn moves_targets(&self) -> bool {
        false
    }
}
