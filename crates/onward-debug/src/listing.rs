//! Programs as a person reads them: instructions, labels, lines of the text.

use onward_image::{Image, Program, ProgramIndex};
use onward_isa::disassemble;
use std::collections::BTreeMap;
use typed_index_collections::TiVec;

/// The programs of an image.
pub(crate) struct Listings(TiVec<ProgramIndex, Listing>);

/// A program.
pub(crate) struct Listing {
    pub name: String,
    /// Instructions by address, with labels by name.
    instructions: Vec<String>,
    labels: BTreeMap<usize, Vec<String>>,
    /// What instructions are for, from an address on.
    purposes: Vec<(String, u32)>,
    /// Of each instruction the line of the text, from 1.
    lines: Vec<u32>,
    text: Vec<String>,
}

impl Listings {
    pub fn of(image: &Image) -> Listings {
        Listings(image.programs.iter().map(Listing::of).collect())
    }

    pub fn get(&self, program: ProgramIndex) -> &Listing {
        &self.0[program]
    }

    /// The program of a name.
    pub fn named(&self, name: &str) -> Option<(ProgramIndex, &Listing)> {
        self.0.iter_enumerated().find(|(_, listing)| listing.name == name)
    }

    pub fn all(&self) -> impl Iterator<Item = (ProgramIndex, &Listing)> + Clone {
        self.0.iter_enumerated()
    }
}

impl Listing {
    fn of(program: &Program) -> Listing {
        let text = disassemble(&program.words, &program.labels);
        // Labels stand in lines of their own, and end in a colon.
        let is_instruction = |line: &&str| line.starts_with(' ');
        let instruction = |line: &str| line.split(';').next().unwrap_or_default().trim().to_owned();
        let mut labels: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for (name, address) in &program.labels {
            labels.entry(*address as usize).or_default().push(name.clone());
        }
        Listing {
            name: program.name.clone(),
            instructions: text.lines().filter(is_instruction).map(instruction).collect(),
            labels,
            purposes: program.purposes.clone(),
            lines: program.lines.clone(),
            text: program.text.lines().map(str::to_owned).collect(),
        }
    }

    /// The instructions.
    pub fn len(&self) -> usize {
        self.instructions.len()
    }

    /// The instruction at an address.
    pub fn instruction(&self, address: usize) -> &str {
        self.instructions.get(address).map_or("(no instruction)", String::as_str)
    }

    /// The labels of an address.
    pub fn labels_at(&self, address: usize) -> &[String] {
        self.labels.get(&address).map_or(&[], Vec::as_slice)
    }

    /// What the instructions from an address on are for, if it is something else than before it; empty for nothing in
    /// particular.
    pub fn purpose_from(&self, address: usize) -> Option<&str> {
        self.purposes.iter().find(|(_, first)| *first as usize == address).map(|(purpose, _)| purpose.as_str())
    }

    /// The address of a label.
    pub fn label(&self, name: &str) -> Option<usize> {
        self.labels.iter().find(|(_, names)| names.iter().any(|known| known == name)).map(|(address, _)| *address)
    }

    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.labels.values().flatten().map(String::as_str)
    }

    /// Where an address lies: `label`, `label+3`, or the address alone before the first label.
    pub fn place(&self, address: usize) -> String {
        match self.labels.range(..=address).next_back() {
            Some((&first, names)) if first == address => names[0].clone(),
            Some((&first, names)) => format!("{}+{}", names[0], address - first),
            None => format!("*{address}"),
        }
    }

    /// The line of the text that an instruction stands in, from 1.
    pub fn line(&self, address: usize) -> Option<usize> {
        self.lines.get(address).map(|&line| line as usize).filter(|line| (1..=self.text.len()).contains(line))
    }

    /// A line of the text, from 1.
    pub fn text(&self, line: usize) -> Option<&str> {
        self.text.get(line.checked_sub(1)?).map(String::as_str)
    }

    /// The first instruction of a line of the text, or of the next line that has one.
    pub fn address_of_line(&self, line: usize) -> Option<usize> {
        let from = |at: &usize| self.lines[*at] as usize >= line;
        (0..self.lines.len()).filter(from).min_by_key(|&at| (self.lines[at], at))
    }

    /// What the text calls scalar, vector and predicate registers at an address (`.reg NAME, r3`): name and register. A name
    /// holds from its line on, until the register is given another.
    pub fn register_names(&self, address: usize) -> BTreeMap<String, String> {
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        for line in self.text.iter().take(self.line(address).unwrap_or(0)) {
            let Some(rest) = line.trim_start().strip_prefix(".reg ") else { continue };
            let code = rest.split(';').next().unwrap_or_default();
            if let Some((name, register)) = code.split_once(',') {
                let (name, register) = (name.trim().to_owned(), register.trim().to_owned());
                names.retain(|_, known| *known != register);
                names.insert(name, register);
            }
        }
        names
    }
}
