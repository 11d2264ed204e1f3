//! What an image must not be, and where it is.

use onward_isa::Space;
use serde::Serialize;
use std::fmt;

/// What is proven of an image. The order is that in which rules are looked at and shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// The parts of the image fit each other and the chip.
    Structure,
    /// What the blocks of a core need together is there, and no array lies over another.
    Budgets,
    /// The declared network leads from earlier layers to later ones, or from a layer to itself.
    Forward,
    /// Every route is an edge of the declared network, and what the host sends is an input or a target.
    Edges,
    /// Channels of the mesh depend on each other in no circle.
    Deadlock,
    /// Tags are those of the host, passed on as they came.
    Tags,
    /// Every word that is reached is an instruction, and every step ends.
    Program,
    /// Every loop ends, and no more than four nest.
    Loops,
    /// Every element that is reached lies in its memory, and lengths and indices are in range.
    Bounds,
    /// Every packet has a route and an index of it, once a step.
    Packets,
    /// Weights change by what lies on their own core.
    Locality,
}

impl Rule {
    /// All rules, in the order in which they are looked at.
    pub const ALL: [Rule; 11] = [
        Rule::Structure,
        Rule::Budgets,
        Rule::Forward,
        Rule::Edges,
        Rule::Deadlock,
        Rule::Tags,
        Rule::Program,
        Rule::Loops,
        Rule::Bounds,
        Rule::Packets,
        Rule::Locality,
    ];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Rule::Structure => "structure",
            Rule::Budgets => "budgets",
            Rule::Forward => "forward",
            Rule::Edges => "edges",
            Rule::Deadlock => "deadlock",
            Rule::Tags => "tags",
            Rule::Program => "program",
            Rule::Loops => "loops",
            Rule::Bounds => "bounds",
            Rule::Packets => "packets",
            Rule::Locality => "locality",
        }
    }

    /// What holds where it is kept.
    pub fn says(self) -> &'static str {
        match self {
            Rule::Structure => "the parts of the image fit each other and the chip",
            Rule::Budgets => "what is on a core fits it, and no array lies over another",
            Rule::Forward => "no path leads from a later layer to an earlier one",
            Rule::Edges => "every route is an edge of the declared network",
            Rule::Deadlock => "the routes' channels depend on each other in no circle",
            Rule::Tags => "every tag is the host's, passed on as it came",
            Rule::Program => "every word that is reached is an instruction, every step ends",
            Rule::Loops => "every loop ends, and no more than four nest",
            Rule::Bounds => "every address lies in its memory",
            Rule::Packets => "every packet has a route and an index of it, once a step",
            Rule::Locality => "every weight changes by what lies on its own core",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What an instruction may do and must not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A word that is no instruction, or the end of the program, is reached.
    NoInstruction,
    /// A branch leads out of the program.
    TargetOutside {
        /// Where to.
        target: i64,
    },
    /// A loop ends before it begins, or outside the program.
    LoopEnd {
        /// Where.
        end: i64,
    },
    /// A fifth loop is under way.
    LoopDepth,
    /// A loop ends behind one around it.
    LoopsOverlap,
    /// It cannot be shown that the step ends.
    Endless,
    /// Elements outside a memory.
    Address {
        /// The memory.
        space: Space,
        /// The lowest element that it may reach.
        low: i64,
        /// The highest.
        high: i64,
        /// How many of this width there are.
        available: i64,
    },
    /// A vector or row length out of range.
    Length {
        /// The least.
        low: i64,
        /// The greatest.
        high: i64,
        /// The greatest allowed.
        most: i64,
    },
    /// An element outside the vector.
    Element {
        /// The lowest index.
        low: i64,
        /// The highest.
        high: i64,
        /// The vector's least length.
        length: i64,
    },
    /// A look-up in a table that may have no entries.
    EmptyTable {
        /// The least number of entries.
        least: i64,
    },
    /// The block has no such route.
    Route {
        /// The route.
        route: u32,
        /// How many there are.
        routes: u32,
    },
    /// A packet's index is not one of its route.
    PacketIndex {
        /// The lowest.
        low: i64,
        /// The highest.
        high: i64,
        /// How many the route has.
        available: i64,
    },
    /// The same index may be sent twice in a step.
    SecondPacket {
        /// The lowest.
        low: i64,
        /// The highest.
        high: i64,
    },
    /// A weight is written with what came from elsewhere.
    Foreign {
        /// The array.
        array: String,
        /// Where from.
        from: String,
    },
}

impl Reason {
    /// The rule that it breaks.
    pub fn rule(&self) -> Rule {
        match self {
            Reason::NoInstruction | Reason::TargetOutside { .. } | Reason::LoopEnd { .. } => Rule::Program,
            Reason::LoopDepth | Reason::LoopsOverlap | Reason::Endless => Rule::Loops,
            Reason::Address { .. } | Reason::Length { .. } | Reason::Element { .. } | Reason::EmptyTable { .. } => {
                Rule::Bounds
            }
            Reason::Route { .. } | Reason::PacketIndex { .. } | Reason::SecondPacket { .. } => Rule::Packets,
            Reason::Foreign { .. } => Rule::Locality,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let range = |f: &mut fmt::Formatter<'_>, low: i64, high: i64| match low == high {
            true => write!(f, "{low}"),
            false => write!(f, "{low} to {high}"),
        };
        match self {
            Reason::NoInstruction => f.write_str("what is reached here is no instruction"),
            Reason::TargetOutside { target } => write!(f, "the branch leads to {target}, outside the program"),
            Reason::LoopEnd { end } => write!(f, "the loop's end, {end}, is not behind it or outside the program"),
            Reason::LoopDepth => f.write_str("the loop can be the fifth under way"),
            Reason::LoopsOverlap => f.write_str("the loop ends behind the one around it"),
            Reason::Endless => f.write_str("nothing shows that the step ends"),
            Reason::Address { space, low, high, available } => {
                write!(f, "it can reach element")?;
                f.write_str(if low == high { " " } else { "s " })?;
                range(f, *low, *high)?;
                write!(f, " of the block's {}, which has {available} of this width", space.name())
            }
            Reason::Length { low, high, most } => {
                f.write_str("the length can be ")?;
                range(f, *low, *high)?;
                write!(f, ", allowed is 0 to {most}")
            }
            Reason::Element { low, high, length } => {
                f.write_str("the element's index can be ")?;
                range(f, *low, *high)?;
                write!(f, " in a vector of {length}")
            }
            Reason::EmptyTable { least } => write!(f, "the table can have {least} entries"),
            Reason::Route { route, routes } => write!(f, "route {route} of a block that has {routes}"),
            Reason::PacketIndex { low, high, available } => {
                f.write_str("the packet's index can be ")?;
                range(f, *low, *high)?;
                write!(f, ", the route has {available}")
            }
            Reason::SecondPacket { low, high } => {
                f.write_str("a packet with the index ")?;
                range(f, *low, *high)?;
                f.write_str(" may have been sent in this step already")
            }
            Reason::Foreign { array, from } => write!(f, "`{array}` is written with {from}"),
        }
    }
}

/// Something in an image that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Breach {
    /// The rule.
    pub rule: Rule,
    /// The core; none where it is not about one.
    pub core: Option<u32>,
    /// The block's logical number.
    pub block: Option<u32>,
    /// Name of the population that the block belongs to.
    pub layer: Option<String>,
    /// Address of the instruction.
    pub address: Option<u32>,
    /// The instruction as text.
    pub instruction: Option<String>,
    /// In which steps: `target window, learning, position 7`.
    pub steps: Option<String>,
    /// What is wrong.
    pub what: String,
}

impl Breach {
    /// One that no block is to blame for.
    pub(crate) fn of(rule: Rule, what: impl Into<String>) -> Breach {
        let what = what.into();
        Breach { rule, core: None, block: None, layer: None, address: None, instruction: None, steps: None, what }
    }
}

/// `core 3, block 2 (hidden1), address 17, `addm r2, a16[r15-1]`: ...`
impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        parts.extend(self.core.map(|core| format!("core {core}")));
        let layer = self.layer.as_ref().map_or(String::new(), |layer| format!(" (`{layer}`)"));
        parts.extend(self.block.map(|block| format!("block {block}{layer}")));
        parts.extend(self.address.map(|address| format!("address {address}")));
        parts.extend(self.instruction.as_ref().map(|instruction| format!("`{instruction}`")));
        if !parts.is_empty() {
            write!(f, "{}: ", parts.join(", "))?;
        }
        f.write_str(&self.what)?;
        self.steps.as_ref().map_or(Ok(()), |steps| write!(f, " ({steps})"))
    }
}
