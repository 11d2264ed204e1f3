//! Tokens to the syntax tree, going on after errors.
//!
//! ```text
//! file        = "network" word "{" entries "}"
//! entries     = { entry ( newline | "," ) }
//! entry       = word "=" value | word word "=" value | "include" string
//! value       = product { ( "+" | "-" ) product }
//! product     = term { ( "*" | "/" ) term }
//! term        = [ "-" ] ( integer | decimal | string | constructor | "(" value { "," value } [ "," ] ")" )
//! constructor = word [ "(" value { "," value } ")" ] [ "from" word { "," word } ] [ "{" entries "}" ]
//! ```
//!
//! What a file includes is parsed in its place: entries, without `network` around them.
//!
//! Written by hand over the tokens, not with combinators, because most of it decides where to go on: after an error the
//! parser skips to the end of the line, or of the option, and leaves a [`ValueKind::Damaged`] there.

mod values;

use crate::include;
use crate::lexer::{Token, TokenKind, tokens_of};
use crate::syntax::{Damage, Entry, File, Item, Setting, Span, Value, ValueKind, Word};
use onward_diagnostic::{Diagnostic, Source};

const SMALLEST: &str = "write `network NAME { ... }`";

/// The error has been reported; whoever receives this finds a place to go on.
struct Reported;

type Parsed<T> = Result<T, Reported>;

/// The tree of `source`, if it has a network at all, and everything wrong with its syntax.
pub(crate) fn parse(source: &Source) -> (Option<File>, Vec<Diagnostic>) {
    let first = source.file(0);
    let mut parser = Parser::new(source, first.span, vec![first.name.to_string()]);
    let file = parser.file().ok();
    (file, parser.errors)
}

/// The value that `span` of `source` holds, and nothing else; and what is wrong with its syntax.
pub(crate) fn parse_value(source: &Source, span: Span) -> (Option<Value>, Vec<Diagnostic>) {
    let mut parser = Parser::new(source, span, Vec::new());
    let value = parser.value();
    if value.is_ok() && parser.peek() != &TokenKind::End {
        parser.expected("the end of the value", "");
    }
    (value.ok(), parser.errors)
}

struct Parser<'a> {
    source: &'a Source,
    tokens: Vec<Token>,
    /// Index of the next token; never past [`TokenKind::End`].
    position: usize,
    depth: usize,
    damage: Damage,
    errors: Vec<Diagnostic>,
    /// Files that have been met: one that stands in two places has been reported by whoever read it.
    files: Vec<String>,
}

impl<'a> Parser<'a> {
    fn new(source: &'a Source, span: Span, files: Vec<String>) -> Self {
        let (tokens, errors) = tokens_of(&source.text, span);
        Parser { source, tokens, position: 0, depth: 0, damage: Damage::None, errors, files }
    }

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
        Ok(File { name, entries, parameters: Vec::new(), damage: self.damage })
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
        self.entries_to(Some(open))
    }

    /// Entries up to the `}` that closes the brace at `open`; without one, to the end, or to what cannot be an entry of a
    /// file that is included.
    fn entries_to(&mut self, open: Option<&Span>) -> Vec<Entry> {
        let mut entries = Vec::new();
        loop {
            while self.accept(&TokenKind::Newline) || self.accept(&TokenKind::Comma) {}
            let Some(open) = open else {
                if matches!(self.peek(), TokenKind::End | TokenKind::CloseBrace) || self.is_word("network") {
                    return entries;
                }
                self.entry_or_include(&mut entries);
                continue;
            };
            if self.accept(&TokenKind::CloseBrace) {
                return entries;
            }
            // Options hold no items, so `layer x` within them tells that their brace was left open.
            let is_item_in_options = self.depth > 0
                && self.is_item_start()
                && self.position > 0
                && self.tokens[self.position - 1].kind == TokenKind::Newline;
            if self.peek() == &TokenKind::End || is_item_in_options {
                if self.damage < Damage::Structure {
                    self.damage = Damage::Structure;
                    let error = Diagnostic::new(open.clone(), "this `{` is never closed").label("opened here");
                    self.report(error.help("add the `}` that belongs to it"));
                }
                return entries;
            }
            self.entry_or_include(&mut entries);
        }
    }

    /// The next entry, or those that it includes, and the end of its line.
    fn entry_or_include(&mut self, entries: &mut Vec<Entry>) {
        if self.is_include() {
            self.include(entries);
            if let Err(Reported) = self.end_of_entry() {
                self.skip_entry();
            }
            return;
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

    /// Whether the next two tokens are `include "..."`.
    fn is_include(&self) -> bool {
        self.is_word("include") && matches!(self.tokens[self.position + 1].kind, TokenKind::Text(_))
    }

    /// The entries of a file that others include.
    fn fragment(&mut self) -> Vec<Entry> {
        let mut entries = Vec::new();
        loop {
            entries.extend(self.entries_to(None));
            self.skip_newlines();
            match self.peek() {
                TokenKind::End => return entries,
                _ if self.is_word("network") => {
                    let error = Diagnostic::new(self.span(), "a file that is included holds no network of its own");
                    self.report(
                        error.help("leave `network NAME {` and its `}` away: what stands between them is included"),
                    );
                    self.damage = Damage::Structure;
                    return entries;
                }
                _ => {
                    let error = Diagnostic::new(self.span(), "this `}` closes nothing");
                    self.report(error.help("remove it, or add the `{` that belongs to it"));
                    self.damage = Damage::Structure;
                    self.advance();
                }
            }
        }
    }

    /// Puts the entries of a file that is named after `include` where it is named.
    fn include(&mut self, entries: &mut Vec<Entry>) {
        self.advance();
        let TokenKind::Text(path) = self.peek().clone() else { return };
        let span = self.span();
        self.advance();
        if self.depth > 0 {
            let error = Diagnostic::new(span, "`include` stands among options");
            self.report(error.help("include files in the network itself, beside its items"));
            return;
        }
        let name = include::resolve(self.source.file(span.start).name, &path);
        let Some(file) = self.source.files().skip(1).find(|file| file.name == name) else {
            let error = Diagnostic::new(span, format!("`{path}` has not been read"));
            self.report(error.help("write what it holds in its place"));
            self.damage = self.damage.max(Damage::Entries);
            return;
        };
        if self.files.contains(&name) {
            self.damage = self.damage.max(Damage::Entries);
            return;
        }
        self.files.push(name);
        let mut parser = Parser::new(self.source, file.span, std::mem::take(&mut self.files));
        entries.extend(parser.fragment());
        self.files = parser.files;
        self.errors.extend(parser.errors);
        self.damage = self.damage.max(parser.damage);
    }

    fn end_of_entry(&mut self) -> Parsed<()> {
        // What an unclosed brace or an unfinished list swallowed.
        if self.tokens[self.position - 1].kind == TokenKind::Newline {
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
            let is_include = after == "include" || after.starts_with("include ");
            let help = if is_include { "write `include \"PATH\"`, the path in double quotes" } else { help };
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
            && matches!(&self.tokens[self.position + 1].kind, TokenKind::Word(word) if word != "from")
    }

    /// Whether the next two tokens are `kind name` or `name =`.
    fn is_entry_start(&self) -> bool {
        self.is_item_start()
            || matches!(self.peek(), TokenKind::Word(_)) && self.tokens[self.position + 1].kind == TokenKind::Equals
    }

    /// Reports what should stand here, unless the lexer has reported what does.
    fn expected(&mut self, what: &str, help: &str) -> Reported {
        let span = self.span();
        let found = match self.peek() {
            TokenKind::Bad => return Reported,
            TokenKind::Newline => "the end of the line".to_string(),
            TokenKind::End => "the end of the file".to_string(),
            _ => format!("`{}`", &self.source.text[span.clone()]),
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
        &self.tokens[self.position].kind
    }

    fn span(&self) -> Span {
        self.tokens[self.position].span.clone()
    }

    fn is_word(&self, expected: &str) -> bool {
        matches!(self.peek(), TokenKind::Word(word) if word == expected)
    }

    fn advance(&mut self) {
        self.position = (self.position + 1).min(self.tokens.len() - 1);
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
        (self.position..).find(|&position| self.tokens[position].kind != TokenKind::Newline).unwrap_or(self.position)
    }

    fn span_on_next_line(&self) -> Span {
        self.tokens[self.next_line()].span.clone()
    }

    /// Accepts `from` and `{`, with which no entry begins, also at the start of a later line.
    fn accept_on_next_line(&mut self, is_wanted: impl Fn(&TokenKind) -> bool) -> bool {
        let position = self.next_line();
        let is_there = is_wanted(&self.tokens[position].kind);
        if is_there {
            self.position = position + 1;
        }
        is_there
    }
}
