//! Tokens to the syntax tree, going on after errors.
//!
//! ```text
//! file        = "network" word "{" entries "}"
//! entries     = { entry ( newline | "," ) }
//! entry       = word "=" value | word word "=" value
//! value       = integer | decimal | string | constructor
//! constructor = word [ "(" value { "," value } ")" ] [ "from" word { "," word } ] [ "{" entries "}" ]
//! ```
//!
//! Written by hand over the tokens, not with combinators, because most of it decides where to go on: after an error the
//! parser skips to the end of the line, or of the option, and leaves a [`ValueKind::Damaged`] there.

use crate::lexer::{Token, TokenKind, tokens};
use crate::syntax::{Constructor, Damage, Entry, File, Item, Setting, Span, Value, ValueKind, Word};
use onward_diagnostic::Diagnostic;

/// Constructors within constructors, at most. Real networks need three; a stack overflow needs thousands.
const DEPTH_MAX: usize = 32;

const SMALLEST: &str = "write `network NAME { ... }`";

/// The error has been reported; whoever receives this finds a place to go on.
struct Reported;

type Parsed<T> = Result<T, Reported>;

/// The tree of `text`, if it has a network at all, and everything wrong with its syntax.
pub(crate) fn parse(text: &str) -> (Option<File>, Vec<Diagnostic>) {
    let (tokens, errors) = tokens(text);
    let mut parser = Parser { text, tokens, at: 0, depth: 0, damage: Damage::None, errors };
    let file = parser.file().ok();
    (file, parser.errors)
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    /// Index of the next token; never past [`TokenKind::End`].
    at: usize,
    depth: usize,
    damage: Damage,
    errors: Vec<Diagnostic>,
}

impl Parser<'_> {
    fn file(&mut self) -> Parsed<File> {
        self.skip_newlines();
        if self.peek() == &TokenKind::End {
            return Err(self.report(Diagnostic::new(self.span(), "the file holds no network").help(SMALLEST)));
        }
        if !self.is_word("network") {
            return Err(self.expected("`network`", SMALLEST));
        }
        self.advance();
        // Without a name there may still be a network to check.
        let name = match self.word("the name of the network", SMALLEST) {
            Err(Reported) if self.peek() != &TokenKind::OpenBrace => return Err(Reported),
            Err(Reported) => Word { text: String::new(), span: self.span() },
            Ok(name) => name,
        };
        self.skip_newlines();
        let open = self.span();
        if !self.accept(&TokenKind::OpenBrace) {
            return Err(self.expected("`{`", SMALLEST));
        }
        let entries = self.entries(&open);
        self.skip_newlines();
        if self.damage < Damage::Structure && self.peek() != &TokenKind::End {
            self.after_the_end();
        }
        Ok(File { name, entries, damage: self.damage })
    }

    fn after_the_end(&mut self) {
        self.damage = Damage::Structure;
        if self.peek() == &TokenKind::Bad {
            return;
        }
        let error = if self.is_word("network") {
            Diagnostic::new(self.span(), "a second network").help("put each network into a file of its own")
        } else {
            Diagnostic::new(self.span(), "this stands after the end of the network")
                .help("is there a `}` too many before it?")
        };
        self.report(error);
    }

    /// Entries up to the `}` that closes the brace at `open`. Goes on after errors.
    fn entries(&mut self, open: &Span) -> Vec<Entry> {
        let mut entries = Vec::new();
        loop {
            while self.accept(&TokenKind::Newline) || self.accept(&TokenKind::Comma) {}
            if self.accept(&TokenKind::CloseBrace) {
                return entries;
            }
            // Options hold no items, so `layer x` within them tells that their brace was left open.
            let is_item_in_options = self.depth > 0
                && self.is_item_start()
                && self.at > 0
                && self.tokens[self.at - 1].kind == TokenKind::Newline;
            if self.peek() == &TokenKind::End || is_item_in_options {
                if self.damage < Damage::Structure {
                    self.damage = Damage::Structure;
                    let error = Diagnostic::new(open.clone(), "this `{` is never closed").label("opened here");
                    self.report(error.help("add the `}` that belongs to it"));
                }
                return entries;
            }
            let mut entry = self.entry();
            if let Err(Reported) = self.end_of_entry() {
                self.damage = self.damage.max(Damage::Values);
                self.skip_entry();
                if let Ok(entry) = &mut entry {
                    entry.mark_partial();
                }
            }
            match entry {
                Ok(entry) => entries.push(entry),
                Err(Reported) => self.damage = self.damage.max(Damage::Entries),
            }
        }
    }

    fn end_of_entry(&mut self) -> Parsed<()> {
        // What an unclosed brace or an unfinished list swallowed.
        if self.tokens[self.at - 1].kind == TokenKind::Newline {
            return Ok(());
        }
        match self.peek() {
            TokenKind::Newline | TokenKind::Comma | TokenKind::CloseBrace | TokenKind::End => Ok(()),
            TokenKind::Word(word) if word == "from" => {
                let error = Diagnostic::new(self.span(), "`from` stands in the wrong place");
                Err(self.report(error.help("the order is `layer NAME = dense(64) from SOURCE { options }`")))
            }
            TokenKind::Integer(_) | TokenKind::Decimal(_) => {
                Err(self.expected("the end of the line", "arguments stand in parentheses: `dense(64)`"))
            }
            _ => Err(self.expected("the end of the line", "an entry ends with its line; a list goes on with a comma")),
        }
    }

    /// Skips what is left of an entry after an error: to the end of the line, over whole `{ ... }`.
    fn skip_entry(&mut self) {
        let (mut braces, mut parentheses) = (0_usize, 0_usize);
        loop {
            match self.peek() {
                TokenKind::End => return,
                TokenKind::Newline if braces == 0 => return,
                TokenKind::CloseBrace if braces == 0 => return,
                // Commas separate options, but also the sources of an item.
                TokenKind::Comma if braces == 0 && parentheses == 0 && self.depth > 0 => return,
                TokenKind::OpenBrace => braces += 1,
                TokenKind::CloseBrace => braces -= 1,
                TokenKind::OpenParenthesis => parentheses += 1,
                TokenKind::CloseParenthesis => parentheses = parentheses.saturating_sub(1),
                _ => {}
            }
            self.advance();
        }
    }

    /// An entry, up to but without what ends it. Fails only if not even its name is known.
    fn entry(&mut self) -> Parsed<Entry> {
        let help = "an entry is `name = value` or `kind name = value`";
        let result = self.entry_head(help);
        let Ok((kind, name)) = result else {
            self.skip_entry();
            return Err(Reported);
        };
        let value = if self.accept(&TokenKind::Equals) {
            self.value()
        } else {
            let after = kind.as_ref().map_or_else(|| name.text.clone(), |kind| format!("{} {}", kind.text, name.text));
            Err(self.expected(&format!("`=` after `{after}`"), help))
        };
        let value = value.unwrap_or_else(|Reported| {
            self.damage = self.damage.max(Damage::Values);
            self.skip_entry();
            Value { kind: ValueKind::Damaged, span: name.span.clone() }
        });
        Ok(match kind {
            Some(kind) => Entry::Item(Item { kind, name, value }),
            None => Entry::Setting(Setting { name, value }),
        })
    }

    /// `kind name` or `name`.
    fn entry_head(&mut self, help: &str) -> Parsed<(Option<Word>, Word)> {
        let first = self.word("a name", help)?;
        match self.peek() {
            TokenKind::Word(_) => Ok((Some(first), self.word("a name", help)?)),
            _ => Ok((None, first)),
        }
    }

    fn value(&mut self) -> Parsed<Value> {
        let span = self.span();
        let kind = match self.peek().clone() {
            TokenKind::Integer(integer) => ValueKind::Integer(integer),
            TokenKind::Decimal(decimal) => ValueKind::Decimal(decimal),
            TokenKind::Text(text) => ValueKind::Text(text),
            TokenKind::Word(_) => {
                let constructor = self.constructor()?;
                let end = self.tokens[self.at - 1].span.end;
                return Ok(Value { kind: ValueKind::Constructor(constructor), span: span.start..end });
            }
            _ => return Err(self.expected("a value", "a value is a number, a string or a word such as `dense(64)`")),
        };
        self.advance();
        Ok(Value { kind, span })
    }

    fn constructor(&mut self) -> Parsed<Constructor> {
        let word = self.word("a word", "")?;
        if self.depth == DEPTH_MAX {
            let error = Diagnostic::new(word.span, "values are nested too deeply");
            return Err(self.report(error.note(format!("at most {DEPTH_MAX} may stand within each other"))));
        }
        self.depth += 1;
        let constructor = self.constructor_of(word);
        self.depth -= 1;
        constructor
    }

    fn constructor_of(&mut self, word: Word) -> Parsed<Constructor> {
        let (mut arguments, mut sources, mut options) = (Vec::new(), Vec::new(), Vec::new());
        let mut is_partial = false;
        let open = self.span();
        if self.accept(&TokenKind::OpenParenthesis) {
            match self.arguments(&open) {
                Ok(list) => arguments = list,
                Err(Reported) => is_partial = true,
            }
        }
        if self.accept_on_next_line(|kind| matches!(kind, TokenKind::Word(word) if word == "from")) {
            match self.sources() {
                Ok(list) => sources = list,
                Err(Reported) => is_partial = true,
            }
        }
        let open = self.span_on_next_line();
        if self.accept_on_next_line(|kind| kind == &TokenKind::OpenBrace) {
            for entry in self.entries(&open) {
                match entry {
                    Entry::Setting(setting) => options.push(setting),
                    Entry::Item(item) => {
                        let error = Diagnostic::new(item.kind.span.start..item.name.span.end, "an option has one name");
                        self.report(error.help(format!("write `{} = ...`", item.name.text)));
                        self.damage = self.damage.max(Damage::Values);
                    }
                }
            }
        }
        if is_partial {
            self.damage = self.damage.max(Damage::Values);
        }
        Ok(Constructor { word, arguments, sources, options, is_partial })
    }

    /// Arguments up to the `)` that closes the parenthesis at `open`. After an error goes on behind that, or at what
    /// cannot be in a list.
    fn arguments(&mut self, open: &Span) -> Parsed<Vec<Value>> {
        let mut arguments = Vec::new();
        loop {
            self.skip_newlines();
            if self.accept(&TokenKind::CloseParenthesis) {
                return Ok(arguments);
            }
            match self.value() {
                Ok(value) => arguments.push(value),
                Err(Reported) => break,
            }
            let line_end = self.at;
            self.skip_newlines();
            if self.accept(&TokenKind::Comma) || self.peek() == &TokenKind::CloseParenthesis {
                continue;
            }
            let is_same_line = line_end == self.at;
            match self.peek() {
                TokenKind::Equals => {
                    self.expected("`,` or `)`", "arguments have no names; options, in `{ }`, have");
                }
                TokenKind::Word(word) if word != "from" && is_same_line => {
                    self.expected("`,` or `)`", "arguments are separated by commas");
                }
                TokenKind::Integer(_) | TokenKind::Decimal(_) | TokenKind::Text(_) if is_same_line => {
                    self.expected("`,` or `)`", "arguments are separated by commas");
                }
                TokenKind::Bad => {}
                _ => {
                    let error = Diagnostic::new(open.clone(), "this `(` is never closed").label("opened here");
                    self.report(error.help("add the `)` that belongs to it"));
                }
            }
            self.at = line_end;
            break;
        }
        self.skip_arguments();
        Err(Reported)
    }

    fn skip_arguments(&mut self) {
        let mut parentheses = 0_usize;
        loop {
            match self.peek() {
                TokenKind::End | TokenKind::Newline | TokenKind::OpenBrace | TokenKind::CloseBrace => return,
                TokenKind::Word(word) if word == "from" => return,
                TokenKind::OpenParenthesis => parentheses += 1,
                TokenKind::CloseParenthesis if parentheses == 0 => {
                    self.advance();
                    return;
                }
                TokenKind::CloseParenthesis => parentheses -= 1,
                _ => {}
            }
            self.advance();
        }
    }

    /// The names after `from`. After an error goes on at the options or the end of the line.
    fn sources(&mut self) -> Parsed<Vec<Word>> {
        let mut sources = Vec::new();
        loop {
            let before = self.tokens[self.at - 1].span.clone();
            self.skip_newlines();
            let is_new_line = self.tokens[self.at - 1].kind == TokenKind::Newline;
            if is_new_line && self.is_entry_start() || self.peek() == &TokenKind::CloseBrace {
                let what = if sources.is_empty() { "`from`" } else { "this comma" };
                self.report(Diagnostic::new(before, format!("a source is missing after {what}")));
                return Err(Reported);
            }
            match self.word("the name of a source", "write `from NAME` or `from NAME, NAME`") {
                Ok(word) => sources.push(word),
                Err(Reported) => break,
            }
            if self.accept(&TokenKind::Comma) {
                continue;
            }
            match self.peek() {
                TokenKind::Word(_) => {
                    self.expected("`,` or the end of the line", "sources are separated by commas");
                    break;
                }
                TokenKind::Bad => break,
                _ => return Ok(sources),
            }
        }
        while !matches!(self.peek(), TokenKind::End | TokenKind::Newline | TokenKind::OpenBrace | TokenKind::CloseBrace)
        {
            self.advance();
        }
        Err(Reported)
    }

    fn word(&mut self, what: &str, help: &str) -> Parsed<Word> {
        match self.peek().clone() {
            TokenKind::Word(text) if text != "from" => {
                let span = self.span();
                self.advance();
                Ok(Word { text, span })
            }
            _ => Err(self.expected(what, help)),
        }
    }

    /// Whether the next two tokens are `kind name`.
    fn is_item_start(&self) -> bool {
        matches!(self.peek(), TokenKind::Word(word) if word != "from")
            && matches!(&self.tokens[self.at + 1].kind, TokenKind::Word(word) if word != "from")
    }

    /// Whether the next two tokens are `kind name` or `name =`.
    fn is_entry_start(&self) -> bool {
        self.is_item_start()
            || matches!(self.peek(), TokenKind::Word(_)) && self.tokens[self.at + 1].kind == TokenKind::Equals
    }

    /// Reports what should stand here, unless the lexer has reported what does.
    fn expected(&mut self, what: &str, help: &str) -> Reported {
        let span = self.span();
        let found = match self.peek() {
            TokenKind::Bad => return Reported,
            TokenKind::Newline => "the end of the line".to_string(),
            TokenKind::End => "the end of the file".to_string(),
            _ => format!("`{}`", &self.text[span.clone()]),
        };
        let mut error = Diagnostic::new(span, format!("expected {what}, found {found}"));
        if self.is_word("from") {
            error = error.note("`from` has a meaning of its own and is no name");
        }
        self.report(if help.is_empty() { error } else { error.help(help) })
    }

    fn report(&mut self, error: Diagnostic) -> Reported {
        self.errors.push(error);
        Reported
    }

    fn peek(&self) -> &TokenKind {
        &self.tokens[self.at].kind
    }

    fn span(&self) -> Span {
        self.tokens[self.at].span.clone()
    }

    fn is_word(&self, expected: &str) -> bool {
        matches!(self.peek(), TokenKind::Word(word) if word == expected)
    }

    fn advance(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    fn accept(&mut self, kind: &TokenKind) -> bool {
        let is_there = self.peek() == kind;
        if is_there {
            self.advance();
        }
        is_there
    }

    fn skip_newlines(&mut self) {
        while self.accept(&TokenKind::Newline) {}
    }

    /// Index of the next token that is no line end.
    fn next_line(&self) -> usize {
        (self.at..).find(|&at| self.tokens[at].kind != TokenKind::Newline).unwrap_or(self.at)
    }

    fn span_on_next_line(&self) -> Span {
        self.tokens[self.next_line()].span.clone()
    }

    /// Accepts `from` and `{`, with which no entry begins, also at the start of a later line.
    fn accept_on_next_line(&mut self, is_wanted: impl Fn(&TokenKind) -> bool) -> bool {
        let at = self.next_line();
        let is_there = is_wanted(&self.tokens[at].kind);
        if is_there {
            self.at = at + 1;
        }
        is_there
    }
}
