//! Values that words name: how a word becomes a value, and a value text.

use crate::reader::{Given, Reader};
use crate::vocabulary::{Family, Form, Parameter};
use std::fmt::Display;

/// Values that words name.
pub(crate) trait Named: Clone + PartialEq + 'static {
    /// The words.
    const FAMILY: &'static Family;
    /// What each of the family's words means. A word whose values another word also names stands behind it, so that a
    /// value is written with the last word that names it.
    const KINDS: &'static [Kind<Self>];

    /// The value that a constructor of the family says.
    fn read(reader: &mut Reader, given: &Given) -> Self {
        Self::KINDS[given.index].read(reader, given)
    }

    /// The value that an option says, or that which its absence means.
    fn chosen(reader: &mut Reader, given: &Given, option: &Parameter) -> Self {
        let chosen = reader.open_option(given, option);
        Self::read(reader, &chosen)
    }

    /// The word that names the value, with the arguments and options that it needs for it.
    ///
    /// # Panics
    /// If no word names it, which is a mistake in the type's table.
    fn written(&self) -> (&'static Form, Parts) {
        let words = Self::KINDS.iter().rev();
        let mut words = words.filter_map(|kind| kind.write(self).map(|parts| (&kind.form, parts)));
        words.next().expect("every value has a word")
    }

    /// The value as text.
    fn text(&self) -> String {
        let (form, parts) = self.written();
        parts.text(form)
    }
}

/// A word and what it means.
#[derive(Debug)]
pub(crate) struct Kind<T: 'static> {
    pub form: Form,
    meaning: Meaning<T>,
}

#[derive(Debug)]
enum Meaning<T: 'static> {
    /// Always the same.
    Value(T),
    /// What its arguments and options say. `write` gives them for a value that the word names.
    Made { read: fn(&mut Reader, &Given) -> T, write: fn(&T) -> Option<Parts> },
}

impl<T: Clone + PartialEq> Kind<T> {
    /// A word that always means the same.
    pub const fn value(value: T, form: Form) -> Kind<T> {
        Kind { form, meaning: Meaning::Value(value) }
    }

    /// A word with arguments or options: `read` makes of them a value, `write` of a value that the word names the
    /// arguments and options.
    pub const fn made(form: Form, read: fn(&mut Reader, &Given) -> T, write: fn(&T) -> Option<Parts>) -> Kind<T> {
        Kind { form, meaning: Meaning::Made { read, write } }
    }

    /// The value that a constructor with this word says.
    pub fn read(&self, reader: &mut Reader, given: &Given) -> T {
        match &self.meaning {
            Meaning::Value(value) => value.clone(),
            Meaning::Made { read, .. } => read(reader, given),
        }
    }

    /// The arguments and options of a value, if the word names it.
    fn write(&self, value: &T) -> Option<Parts> {
        match &self.meaning {
            Meaning::Value(only) => (only == value).then(Parts::default),
            Meaning::Made { write, .. } => write(value),
        }
    }
}

/// The words of a type.
pub(crate) fn forms<T: Named>() -> Vec<&'static Form> {
    T::KINDS.iter().map(|kind| &kind.form).collect()
}

/// Arguments and options of a word, as text.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    arguments: Vec<String>,
    options: Vec<(&'static str, String)>,
}

impl Parts {
    /// Adds an argument.
    pub fn argument(mut self, value: impl Display) -> Parts {
        self.arguments.push(value.to_string());
        self
    }

    /// Adds the sizes of a shape as arguments.
    pub fn sizes(mut self, shape: &[u32]) -> Parts {
        self.arguments.extend(shape.iter().map(ToString::to_string));
        self
    }

    /// Adds an option.
    pub fn option(mut self, option: &Parameter, value: impl Display) -> Parts {
        self.options.push((option.name, value.to_string()));
        self
    }

    /// Adds an option if it has a value; without one its absence says enough.
    pub fn option_if(self, option: &Parameter, value: Option<impl Display>) -> Parts {
        match value {
            Some(value) => self.option(option, value),
            None => self,
        }
    }

    /// These arguments and options, and then others.
    pub fn and(mut self, more: Parts) -> Parts {
        self.arguments.extend(more.arguments);
        self.options.extend(more.options);
        self
    }

    /// The word with its arguments, as in `dense(128)`.
    pub fn head(&self, form: &Form) -> String {
        if self.arguments.is_empty() {
            return form.name.to_string();
        }
        format!("{}({})", form.name, self.arguments.join(", "))
    }

    /// The options, each as in `block = 64`.
    pub fn options(&self) -> impl Iterator<Item = String> + '_ {
        self.options.iter().map(|(name, value)| format!("{name} = {value}"))
    }

    /// What stands between the braces, with them; nothing if there are no options.
    pub fn braces(&self) -> String {
        if self.options.is_empty() {
            return String::new();
        }
        format!(" {{ {} }}", self.options().collect::<Vec<_>>().join(", "))
    }

    /// The word with its arguments and options.
    pub fn text(&self, form: &Form) -> String {
        self.head(form) + &self.braces()
    }
}

/// The shortest decimal that reads back as the same number, with a point in it.
pub(crate) fn decimal(number: f64) -> String {
    format!("{number:?}")
}
