//! The directives that describe a system.

/// A directive that describes the system, beside those that the assembler knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemDirective {
    /// Its name, with the dot.
    pub name: &'static str,
    /// How it is written; what stands in brackets may be left out.
    pub form: &'static str,
    /// What it does.
    pub summary: &'static str,
    pub(crate) what: Directive,
    /// Least and greatest number of operands.
    pub(crate) operands: (usize, usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Directive {
    Block,
    Size,
    Array,
    Contents,
    Route,
    Edge,
    Input,
    Packet,
    Steps,
}

/// The directives that describe a system.
pub const SYSTEM_DIRECTIVES: &[SystemDirective] = &[
    SystemDirective {
        name: ".block",
        form: ".block NAME, X, Y, ENTRY, AXONS [, tagged] [, core K] [, layer NAME]",
        summary: "puts a block on the tile in column X and row Y, there on core K (0, if not said); it runs from the \
                  label ENTRY on; blocks of one layer may send to each other",
        what: Directive::Block,
        operands: (5, 8),
    },
    SystemDirective {
        name: ".size",
        form: ".size MEMORY, BYTES",
        summary: "gives each block so many bytes of the memory `n`, `a` or `s`",
        what: Directive::Size,
        operands: (2, 2),
    },
    SystemDirective {
        name: ".array",
        form: ".array NAME, n32[FIRST], COLUMNS [, ROWS]",
        summary: "names elements of each block's memory, for whoever looks into it from outside",
        what: Directive::Array,
        operands: (3, 4),
    },
    SystemDirective {
        name: ".contents",
        form: ".contents BLOCK, n32[FIRST], VALUE, ...",
        summary: "what this block's memory holds there at the start, instead of what all blocks hold",
        what: Directive::Contents,
        operands: (3, usize::MAX),
    },
    SystemDirective {
        name: ".route",
        form: ".route BLOCK, NUMBER, INDICES [, TAKER [, FIRST_AXON]]",
        summary: "sends the packets of a block's route to a block's axons, or to the `host`; once for each taker",
        what: Directive::Route,
        operands: (3, 5),
    },
    SystemDirective {
        name: ".edge",
        form: ".edge LAYER, LAYER",
        summary: "declares that the first layer may send to the second: `onward verify` refuses routes along no edge; without any \
                  such line the edges are what the routes make them; a block that is part of no layer is one",
        what: Directive::Edge,
        operands: (2, 2),
    },
    SystemDirective {
        name: ".input",
        form: ".input NAME, INDICES, TAKER [, FIRST_AXON]",
        summary: "names packets of the host, and sends them to a block's axons; once for each taker",
        what: Directive::Input,
        operands: (3, 4),
    },
    SystemDirective {
        name: ".packet",
        form: ".packet STEP, INPUT, INDEX [, PAYLOAD]",
        summary: "what the host sends, and when; STEP and INDEX may be ranges",
        what: Directive::Packet,
        operands: (3, 4),
    },
    SystemDirective {
        name: ".steps",
        form: ".steps NUMBER",
        summary: "how long the system runs",
        what: Directive::Steps,
        operands: (1, 1),
    },
];
