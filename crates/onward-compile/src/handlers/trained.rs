//! The trained readout: weights from the axons of the last layer to outputs, which learn by a rule of their own.

use super::axons::{Step, clear_traces};
use crate::layout::Layout;
use crate::lowering::code::Arrays;
use crate::lowering::record::unless_answered;
use crate::lowering::rule::update::named_rival;
use crate::plan::Channel;
use crate::purposes;
use crate::readouts::ReadoutFormat;
use onward_isa::builder::{A16, Assembly, Elements, Label, Listing, N16, N32, ScalarRegister, VectorRegister, ZERO};
use onward_isa::idiom::{EventRows, EventTraces};
use onward_isa::{Space, Width};
use onward_net::ReadoutLoss;

/// Bits of a target's value below the binary point.
const VALUE_FRACTION_BITS: i32 = 12;

/// What the handlers of a trained readout are made for.
pub(crate) struct TrainedShape<'a> {
    pub name: &'a str,
    /// Neurons of the layer it hears.
    pub inputs: u32,
    /// Outputs of the block, and the first of them.
    pub outputs: u32,
    pub first_output: u32,
    /// Values of the target; 0 where classes are learned, which come with the tag.
    pub values: u32,
    pub window: u32,
    pub vector_length: u32,
    /// Of classes.
    pub loss: Option<ReadoutLoss>,
    pub format: ReadoutFormat,
}

fn layout(shape: &TrainedShape) -> Layout {
    let mut layout = Layout::default();
    let width = Width::from_bits(shape.format.bits).expect("4, 8 or 16 bits, as the network was checked for");
    layout.add("shift", Space::Neuron, Width::W32, 1, 1);
    layout.add("bias", Space::Neuron, Width::W32, 1, shape.outputs);
    layout.add("sums", Space::Neuron, Width::W32, 1, shape.outputs);
    if shape.values > 0 {
        layout.add("values", Space::Neuron, Width::W16, 1, shape.values);
    }
    layout.add("trace", Space::Axon, Width::W16, 1, shape.inputs);
    layout.add("weights", Space::Synapse, width, shape.inputs, shape.outputs);
    layout
}

/// What the code of all parts needs.
struct Writer<'a> {
    shape: &'a TrainedShape<'a>,
    arrays: Arrays<'a>,
    step: Step,
    /// The block's outputs.
    outputs: VectorRegister,
}

/// Handlers of a trained readout.
pub(crate) fn trained(shape: &TrainedShape) -> (Listing, Layout) {
    let layout = layout(shape);
    let mut assembly = Assembly::new();
    let a = &mut assembly;
    head(a, shape, &layout);
    let step = Step::begin(a);
    let writer = Writer { shape, arrays: Arrays(&layout), step, outputs: a.named_vector("outputs") };
    let learning = &a.label("learning");
    writer.input_window(a);
    match shape.loss {
        None => writer.values(a, learning),
        Some(loss) => writer.classes(a, loss, learning),
    }
    drop(writer);
    (assembly.finish(), layout)
}

fn head(a: &mut Assembly, shape: &TrainedShape, layout: &Layout) {
    a.comment(format!(
        "Readout `{}`: {} outputs, {} inputs, {}-bit weights that learn.",
        shape.name, shape.outputs, shape.inputs, shape.format.bits
    ));
    a.comment(
        "Axon 0 carries tags, axon 1 + k the spikes of neuron k, behind them the values of a target, if it has any.",
    );
    a.gap();
    a.constant("INPUTS", shape.inputs);
    a.constant("OUTPUTS", shape.outputs);
    a.constant("WINDOW", shape.window);
    a.constant("ROUTE_SCORES", Channel::Scores as i64);
    Arrays(layout).declare(a);
}

impl Writer<'_> {
    fn weights(&self) -> Elements {
        self.arrays.elements("weights")
    }

    /// Outputs are summed over the input's window, at whose last step this goes on.
    fn input_window(&self, a: &mut Assembly) {
        let (shape, step, outputs) = (self.shape, &self.step, &self.outputs);
        let (integrate, plainly) = (&a.label("integrate"), &a.label("integrate_plainly"));
        a.bne(&step.position, ZERO, integrate);
        a.setvl(ZERO, "OUTPUTS").note("a window opens: all starts from 0");
        a.vmv(outputs, ZERO);
        a.vst(outputs, N32.at(ZERO, "SUMS"));
        a.beq(&step.learn, ZERO, integrate).note("without learning nobody asks for traces");
        clear_traces(a, ZERO, shape.inputs, shape.vector_length, "traces_cleared");
        a.bind(integrate);
        a.setvl(ZERO, "OUTPUTS");
        a.setrow(ZERO, "OUTPUTS");
        a.vld(outputs, N32.at(ZERO, "SUMS"));
        a.vacc(outputs, N32.at(ZERO, "BIAS"));
        a.beq(&step.learn, ZERO, plainly);
        let summed = &a.label("summed");
        self.events(a);
        a.jmp(summed);
        a.bind(plainly);
        let (axon, payload) = (&a.named("axon"), &a.named("payload"));
        self.rows(axon, payload, false).write(a, summed);
        a.vst(outputs, N32.at(ZERO, "SUMS"));
        let close_window = &a.label("close_window");
        step.end_unless_last(a, close_window);
        a.bind(close_window);
    }

    /// What each event adds.
    fn rows(&self, axon: &ScalarRegister, payload: &ScalarRegister, counts: bool) -> EventRows {
        let trace = EventTraces { increment: (&self.step.one).into(), base: None, offset: 0 };
        EventRows {
            axon: axon.into(),
            payload: payload.into(),
            sums: (&self.outputs).into(),
            weights: self.weights(),
            first: 1,
            trace: counts.then_some(trace),
        }
    }

    /// Takes the events of a sample in that is learned from: traces count, and values of the target are kept.
    fn events(&self, a: &mut Assembly) {
        let shape = self.shape;
        let (axon, payload, integrated) = (&a.named("axon"), &a.named("payload"), &a.label("integrated"));
        if shape.values == 0 {
            return self.rows(axon, payload, true).write(a, integrated);
        }
        let last = &a.scratch();
        a.load_number(last, shape.inputs as i32).note("the last axon of the layer");
        a.foreach(axon, payload, integrated);
        let input = &a.label("input");
        a.bge(last, axon, input);
        let value = self.arrays.offset("values") - i64::from(shape.inputs) - 1;
        a.indexed(N16, axon, value, |a, memory| a.st(payload, memory)).note("a value of the target");
        a.jmp(integrated);
        a.bind(input);
        a.vaccr(&self.outputs, self.weights().row(axon, -1));
        a.addm(&self.step.one, A16.at(axon, -1)).note("the axon's trace");
        a.bind(integrated);
    }

    /// At the end of the input's window the greatest output is the answer; at that of the target's, the readout learns.
    fn classes(&self, a: &mut Assembly, loss: ReadoutLoss, learning: &Label) {
        let (step, rest) = (&self.step, &a.label("rest"));
        unless_answered(a, step.learn.operand(), rest);
        {
            let class = &a.scratch();
            a.vimax(class, &self.outputs).note("of equal ones the lowest");
            a.send(ZERO, class, "ROUTE_SCORES").note("to the host");
        }
        a.sleep();
        a.gap();
        a.bind(&step.target_window);
        a.beq(&step.learn, ZERO, rest);
        step.end_unless_last(a, learning);
        a.bind(rest);
        a.sleep();
        a.gap();
        a.bind(learning);
        a.serve_from_here(purposes::CONTROL);
        a.setvl(ZERO, "OUTPUTS");
        a.setrow(ZERO, "OUTPUTS");
        a.vld(&self.outputs, N32.at(ZERO, "SUMS"));
        let error = &a.named_vector("error");
        match loss {
            ReadoutLoss::Hinge { .. } => a.serve(purposes::RIVAL, |a| self.hinge(a, error, rest)),
            ReadoutLoss::SquaredError => a.serve(purposes::PULLS, |a| self.squared_error(a, error)),
        }
        self.update(a, error);
        a.sleep();
    }

    /// Outputs are the answer; where the sample is learned from, the error is what they lack of the target's values.
    fn values(&self, a: &mut Assembly, learning: &Label) {
        let (step, outputs) = (&self.step, &self.outputs);
        unless_answered(a, step.learn.operand(), learning);
        {
            let (all, none) = (&a.scratch_predicate(), &a.cleared_predicate("none"));
            a.pnot(all, none).note("all outputs");
            a.vsend(outputs, all, "ROUTE_SCORES", ZERO).note("to the host");
        }
        a.beq(&step.learn, ZERO, &step.target_window);
        a.bind(learning);
        a.serve(purposes::CONTROL, |a| self.learn_values(a));
        a.bind(&step.target_window);
        a.sleep();
    }

    fn learn_values(&self, a: &mut Assembly) {
        let (shape, outputs) = (self.shape, &self.outputs);
        let error = &a.named_vector("error");
        a.serve(purposes::PULLS, |a| {
            let number = &a.scratch();
            a.load_number(number, (self.arrays.offset("values") + i64::from(shape.first_output)) as i32);
            a.vld(error, N16.at(number, 0));
            let mut left = shape.format.fraction_bits as i32 - VALUE_FRACTION_BITS;
            if shape.window.is_power_of_two() {
                left += shape.window.ilog2() as i32;
            } else {
                a.load_number(number, shape.window as i32);
                a.vmuls(error, error, number);
            }
            a.addi(number, ZERO, -left);
            a.vshr(error, error, number).note("as outputs have it");
            a.vsub(error, error, outputs);
        });
        self.update(a, error);
        a.sleep();
    }

    /// The error becomes 1 for the own class and -1 for its rival, unless the own one leads by the margin.
    fn hinge(&self, a: &mut Assembly, error: &VectorRegister, rest: &Label) {
        let (outputs, slot) = (&self.outputs, &self.step.slot);
        let rival = &a.named("rival");
        let (lead, number) = (&a.scratch(), &a.scratch());
        a.comment("The rival: the wrong class with the greatest output");
        a.vext(lead, outputs, slot).note("the own output");
        a.lui(number, 0x8000);
        a.vins(outputs, number, slot);
        named_rival(a, rival, |a| a.vimax(rival, outputs).note(""));
        a.vext(number, outputs, rival);
        a.sub(lead, lead, number);
        a.load_number(number, self.shape.format.margin).note("the margin");
        a.bge(lead, number, rest);
        a.vmv(error, ZERO);
        a.vins(error, &self.step.one, slot);
        a.addi(number, ZERO, -1);
        a.vins(error, number, rival);
    }

    /// The error becomes what the outputs lack of 1.0 for the own class and 0.0 for the others.
    fn squared_error(&self, a: &mut Assembly, error: &VectorRegister) {
        let wanted = &a.scratch();
        a.vmv(error, ZERO);
        a.load_number(wanted, self.shape.format.one).note("1.0");
        a.vins(error, wanted, &self.step.slot);
        a.vsub(error, error, &self.outputs);
    }

    /// `w_k += 2^-shift * error * x_k`, and the bias, whose axon is active in every step.
    fn update(&self, a: &mut Assembly, error: &VectorRegister) {
        let (inputs, strip) = (self.shape.inputs, self.shape.vector_length.min(self.shape.inputs));
        let (shift, change) = (&a.named("shift"), &a.scratch_vector());
        a.ld(shift, N32.at(ZERO, "SHIFT"));
        a.comment("w_k += 2^-shift * error * x_k");
        a.serve(purposes::WEIGHTS, |a| {
            let (first, strips, length) = (&a.scratch(), &a.scratch(), &a.scratch());
            a.addi(first, ZERO, 0).note("first axon of the strip");
            a.addi(strips, ZERO, inputs.div_ceil(strip)).note("strips");
            a.repeat(strips, "rows_done", |a| {
                let (left, active) = (&a.scratch(), &a.scratch_predicate());
                a.load_number(left, inputs as i32);
                a.sub(left, left, first);
                a.load_number(length, strip as i32);
                a.min(left, left, length);
                a.setvl(left, 0);
                a.vld(change, A16.at(first, 0));
                a.vcges(active, change, &self.step.one).note("axons of the strip that were active");
                a.setvl(ZERO, "OUTPUTS");
                let index = &a.scratch();
                a.for_set(index, active, "strip_done", |a| {
                    let (axon, trace) = (&a.scratch(), &a.scratch());
                    a.add(axon, first, index).note("the axon, and its row");
                    a.serve(purposes::INPUT_PATH, |a| {
                        a.ld(trace, A16.at(axon, 0)).note("x_k");
                        a.vmuls(change, error, trace);
                    });
                    a.vshrs(change, change, shift).note("stochastic rounding");
                    a.vaccr(change, self.weights().row(axon, 0));
                    a.vstr(change, self.weights().row(axon, 0));
                });
                a.add(first, first, length);
            });
        });
        a.serve(purposes::BIAS, |a| {
            let window = &a.scratch();
            a.addi(window, ZERO, "WINDOW");
            a.vmuls(change, error, window);
            a.vshrs(change, change, shift);
            a.vacc(change, N32.at(ZERO, "BIAS"));
            a.vst(change, N32.at(ZERO, "BIAS"));
        });
    }
}
