//! The syntax tree: what was written, with its place in the text, before anyone asks whether it makes sense.
//!
//! The whole language is two kinds of entries, `name = value` and `kind name = value`; files that are included are part of
//! the tree already. That a `layer` is a layer is the business of [`crate::check`], so a new kind of layer changes nothing
//! here; only parameters and arithmetic are gone before that, by [`crate::parameters`].

use std::ops::Range;

/// A byte range of the source.
pub(crate) type Span = Range<usize>;

/// What the parser made of a source.
#[derive(Clone, Debug)]
pub(crate) struct File {
    /// What stands after `network`.
    pub name: Word,
    pub entries: Vec<Entry>,
    /// The parameters, taken out of the entries and their values known.
    pub parameters: Vec<Setting>,
    /// How much of the text had to be skipped.
    pub damage: Damage,
}

impl File {
    pub fn settings(&self) -> impl Iterator<Item = &Setting> {
        self.entries.iter().filter_map(|entry| if let Entry::Setting(setting) = entry { Some(setting) } else { None })
    }

    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.entries.iter().filter_map(|entry| if let Entry::Item(item) = entry { Some(item) } else { None })
    }
}

/// How much of a text the tree leaves out after syntax errors, the worse the greater.
///
/// It tells the checker what it may still say: a missing readout is not worth a message when a line was unreadable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Damage {
    /// The tree is the whole text.
    None,
    /// Values are missing; their entries are there, as [`ValueKind::Damaged`].
    Values,
    /// Whole entries are missing, and the names they declare.
    Entries,
    /// A brace is missing: entries may be in the wrong place.
    Structure,
}

/// A line of a network or of a set of options.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    Setting(Setting),
    Item(Item),
}

impl Entry {
    /// Notes that something behind it was unreadable.
    pub fn mark_partial(&mut self) {
        let (Entry::Setting(Setting { value, .. }) | Entry::Item(Item { value, .. })) = self;
        match &mut value.kind {
            ValueKind::Constructor(constructor) => constructor.is_partial = true,
            kind => *kind = ValueKind::Damaged,
        }
    }
}

/// `name = value`.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub name: Word,
    pub value: Value,
}

/// `kind name = value`.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub kind: Word,
    pub name: Word,
    pub value: Value,
}

/// An identifier.
#[derive(Clone, Debug)]
pub(crate) struct Word {
    pub text: String,
    pub span: Span,
}

/// The right side of an `=`, or an argument.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub kind: ValueKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum ValueKind {
    /// An integer; one too large for the type is its largest value, which no range allows.
    Integer(i64),
    Decimal(f64),
    Text(String),
    /// Values in parentheses; not just one without a comma, which is that value.
    List(Vec<Value>),
    /// `-value`, unless that is a number.
    Negative(Box<Value>),
    Operation(Box<Operation>),
    Constructor(Constructor),
    /// Something that the parser has already complained about.
    Damaged,
}

/// `left + right` and its like.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub left: Value,
    pub operator: Operator,
    pub right: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// `word(arguments) from sources { options }`, all but the word optional.
#[derive(Clone, Debug)]
pub(crate) struct Constructor {
    pub word: Word,
    pub arguments: Vec<Value>,
    pub sources: Vec<Word>,
    pub options: Vec<Setting>,
    /// Whether some of the above was unreadable, and so what is absent may yet be written.
    pub is_partial: bool,
}

impl Constructor {
    /// Whether it is a word and nothing else, which may be the name of a parameter.
    pub fn is_bare(&self) -> bool {
        self.arguments.is_empty() && self.sources.is_empty() && self.options.is_empty() && !self.is_partial
    }
}
