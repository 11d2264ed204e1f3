//! Text to tokens.
//!
//! Never fails: what is no token is reported once and kept as [`TokenKind::Bad`], so that the parser knows that the
//! entry around it is damaged and needs no second message.

use crate::syntax::Span;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::character::complete::{char, digit1, none_of, one_of, satisfy};
use nom::combinator::{not, opt, recognize, value};
use nom::multi::many0_count;
use nom::sequence::{pair, preceded, terminated};
use nom::{IResult, Parser};
use onward_diagnostic::Diagnostic;

/// A token and its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub kind: TokenKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TokenKind {
    Word(String),
    Integer(i64),
    Decimal(f64),
    Text(String),
    Equals,
    Comma,
    Plus,
    Minus,
    Star,
    Slash,
    OpenParenthesis,
    CloseParenthesis,
    OpenBrace,
    CloseBrace,
    /// The end of a line, which ends an entry.
    Newline,
    /// Something that has been reported.
    Bad,
    /// The end of the text; always the last token, and only there.
    End,
}

/// What the characters look like, before they are found good.
#[derive(Clone, Copy)]
enum Shape {
    Token(&'static TokenKind),
    Word,
    MalformedWord,
    Number,
    MalformedNumber,
    Text,
    UnclosedText,
    Stray,
}

/// All tokens of a file, ending in [`TokenKind::End`], and what is wrong with them, with their places in the whole text.
pub(crate) fn tokens_of(whole: &str, file: Span) -> (Vec<Token>, Vec<Diagnostic>) {
    let offset = file.start;
    let (mut tokens, mut errors) = tokens(&whole[file]);
    let spans = tokens.iter_mut().map(|token| &mut token.span).chain(errors.iter_mut().map(|error| &mut error.span));
    for span in spans {
        *span = span.start + offset..span.end + offset;
    }
    (tokens, errors)
}

/// All tokens of `text`, ending in [`TokenKind::End`], and what is wrong with them.
fn tokens(text: &str) -> (Vec<Token>, Vec<Diagnostic>) {
    let (mut tokens, mut errors) = (Vec::new(), Vec::new());
    let mut rest = text;
    loop {
        rest = skip_blank(rest);
        // A parser that finds nothing has met the end: `stray` takes whatever the others leave.
        let Ok((after, (shape, lexeme))) = lexeme(rest) else { break };
        let start = text.len() - rest.len();
        let span = start..start + lexeme.len();
        let kind = judge(shape, lexeme, &span, &mut errors);
        // A caret at the end of a line shall not reach into the next.
        let span = if kind == TokenKind::Newline { start..start } else { span };
        tokens.push(Token { kind, span });
        rest = after;
    }
    tokens.push(Token { kind: TokenKind::End, span: text.len()..text.len() });
    (tokens, errors)
}

/// The text after blanks and comments. Line ends are tokens; a carriage return before one is a blank.
fn skip_blank(text: &str) -> &str {
    // A byte order mark is what some editors put first.
    let is_blank = |c: char| c != '\n' && (c.is_whitespace() || c == '\u{feff}');
    let comment = recognize(pair(char('#'), take_while(|c| c != '\n')));
    let blank: IResult<&str, usize> = many0_count(alt((take_while1(is_blank), comment))).parse(text);
    blank.map_or(text, |(rest, _)| rest)
}

fn lexeme(text: &str) -> IResult<&str, (Shape, &str)> {
    alt((shaped(foreign), shaped(punctuation), shaped(word), shaped(number), shaped(quoted), shaped(stray))).parse(text)
}

/// Adds the characters that a parser consumed to what it says they are.
fn shaped(mut parser: impl FnMut(&str) -> IResult<&str, Shape>) -> impl FnMut(&str) -> IResult<&str, (Shape, &str)> {
    move |text| {
        let (rest, shape) = parser(text)?;
        Ok((rest, (shape, &text[..text.len() - rest.len()])))
    }
}

/// How comments begin and end in other languages.
fn foreign(text: &str) -> IResult<&str, Shape> {
    value(Shape::Stray, alt((tag("//"), tag("/*"), tag("*/")))).parse(text)
}

fn punctuation(text: &str) -> IResult<&str, Shape> {
    alt((
        value(Shape::Token(&TokenKind::Newline), char('\n')),
        value(Shape::Token(&TokenKind::Equals), char('=')),
        value(Shape::Token(&TokenKind::Comma), char(',')),
        value(Shape::Token(&TokenKind::Plus), char('+')),
        value(Shape::Token(&TokenKind::Minus), char('-')),
        value(Shape::Token(&TokenKind::Star), char('*')),
        value(Shape::Token(&TokenKind::Slash), char('/')),
        value(Shape::Token(&TokenKind::OpenParenthesis), char('(')),
        value(Shape::Token(&TokenKind::CloseParenthesis), char(')')),
        value(Shape::Token(&TokenKind::OpenBrace), char('{')),
        value(Shape::Token(&TokenKind::CloseBrace), char('}')),
    ))
    .parse(text)
}

fn is_word_character(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// A word; also one with hyphens or letters that names do not have, which is found malformed but clearly meant as one.
fn word(text: &str) -> IResult<&str, Shape> {
    let start = satisfy(|c| c.is_alphabetic() || c == '_');
    let part = || take_while1(is_word_character);
    let lexeme = recognize((start, many0_count(alt((part(), recognize(pair(char('-'), part())))))));
    let is_good = |c: char| c.is_ascii_alphanumeric() || c == '_';
    lexeme.map(|word: &str| if word.chars().all(is_good) { Shape::Word } else { Shape::MalformedWord }).parse(text)
}

fn number(text: &str) -> IResult<&str, Shape> {
    let goes_on = |c: char| is_word_character(c) || c == '.';
    let fraction = pair(char('.'), digit1);
    let exponent = (one_of("eE"), opt(one_of("+-")), digit1);
    let number = (digit1, opt(fraction), opt(exponent));
    let end = not(satisfy(goes_on));
    let malformed = (opt(char('.')), digit1, take_while(goes_on));
    alt((value(Shape::Number, terminated(number, end)), value(Shape::MalformedNumber, malformed))).parse(text)
}

fn quoted(text: &str) -> IResult<&str, Shape> {
    let escape = recognize(preceded(char('\\'), none_of("\n")));
    let content = many0_count(alt((recognize(none_of("\"\\\n")), escape)));
    let shape = alt((value(Shape::Text, tag("\"")), value(Shape::UnclosedText, opt(char('\\')))));
    preceded((char('"'), content), shape).parse(text)
}

fn stray(text: &str) -> IResult<&str, Shape> {
    let is_stray = |c: char| !(c.is_whitespace() || is_word_character(c) || "=,+-*/(){}\"#.'[".contains(c));
    // What other languages write in brackets and single quotes is one error, not one for each end.
    let quoted = recognize((char('\''), take_while(|c| !"'\n".contains(c)), opt(char('\''))));
    let bracketed = recognize((char('['), take_while(|c| !"]\n".contains(c)), opt(char(']'))));
    // A point without digits is stray too, but alone: it must not swallow the `1` behind it. So is a digit of another
    // script.
    let single = recognize(satisfy(|c| c == '.' || is_word_character(c)));
    value(Shape::Stray, alt((take_while1(is_stray), quoted, bracketed, single))).parse(text)
}

/// The token that characters of a shape are, or [`TokenKind::Bad`] and an error.
fn judge(shape: Shape, lexeme: &str, span: &Span, errors: &mut Vec<Diagnostic>) -> TokenKind {
    match shape {
        Shape::Token(kind) => kind.clone(),
        Shape::Word => TokenKind::Word(lexeme.to_string()),
        Shape::MalformedWord => {
            let error = Diagnostic::new(span.clone(), format!("`{lexeme}` is not a name"));
            errors.push(error.help(if lexeme.contains('-') {
                "names are made of the letters a to z, digits and `_`; a minus stands between blanks"
            } else {
                "names are made of the letters a to z, digits and `_`"
            }));
            TokenKind::Word(lexeme.to_string())
        }
        Shape::Number if lexeme.contains(['.', 'e', 'E']) => {
            TokenKind::Decimal(lexeme.parse().unwrap_or(f64::INFINITY))
        }
        Shape::Number => TokenKind::Integer(lexeme.parse().unwrap_or(i64::MAX)),
        Shape::Text => unescape(lexeme, span, errors),
        Shape::UnclosedText => {
            let error = Diagnostic::new(span.start..span.start + 1, "this string is never closed");
            errors.push(error.label("opened here").help("close it with `\"` on the same line"));
            TokenKind::Bad
        }
        Shape::MalformedNumber => {
            errors.push(malformed_number(lexeme, span));
            TokenKind::Bad
        }
        Shape::Stray => {
            errors.push(unexpected_characters(lexeme, span));
            TokenKind::Bad
        }
    }
}

/// The content of a string, its quotes and escapes (`\"` and `\\`) taken away.
fn unescape(lexeme: &str, span: &Span, errors: &mut Vec<Diagnostic>) -> TokenKind {
    let mut content = String::new();
    let mut characters = lexeme[1..lexeme.len() - 1].char_indices();
    let mut is_good = true;
    while let Some((offset, c)) = characters.next() {
        match (c, characters.as_str().chars().next()) {
            ('\\', Some(escaped)) => {
                characters.next();
                if !matches!(escaped, '"' | '\\') {
                    let start = span.start + 1 + offset;
                    let error = Diagnostic::new(
                        start..start + 1 + escaped.len_utf8(),
                        format!("unknown escape `\\{}`", visible(escaped.encode_utf8(&mut [0; 4]))),
                    );
                    errors.push(error.help("write `\\\\` for a backslash and `\\\"` for a quote"));
                    is_good = false;
                }
                content.push(escaped);
            }
            _ => content.push(c),
        }
    }
    if is_good { TokenKind::Text(content) } else { TokenKind::Bad }
}

fn malformed_number(lexeme: &str, span: &Span) -> Diagnostic {
    let help = if lexeme.starts_with('.') {
        "write a zero before the point, as in `0.5`"
    } else if lexeme.contains('.') {
        "write a decimal as `0.5`, with digits on both sides of one point"
    } else {
        "names begin with a letter; numbers in a list are separated by commas"
    };
    Diagnostic::new(span.clone(), format!("`{lexeme}` is neither a number nor a name")).help(help)
}

/// Characters with no meaning, with the remedy for those that other languages have.
fn unexpected_characters(lexeme: &str, span: &Span) -> Diagnostic {
    let many = if lexeme.chars().count() > 1 { "characters" } else { "character" };
    let error = Diagnostic::new(span.clone(), format!("unexpected {many} `{}`", visible(lexeme)));
    match lexeme.chars().next() {
        Some(';') => error.help("an entry ends with its line: leave `;` away"),
        Some(':') => error.help("write `name = value`"),
        Some('/' | '*') => error.help("a comment begins with `#` and goes to the end of its line"),
        Some('[' | ']') => error.help("lists stand in parentheses, as in `rate(8, 8)`"),
        Some('\'' | '`' | '“' | '”') => error.help("strings stand in double quotes: `\"...\"`"),
        _ => error,
    }
}

/// The text with what cannot be seen written as an escape.
fn visible(text: &str) -> String {
    let show = |c: char| if "'\"\\".contains(c) { c.to_string() } else { c.escape_debug().to_string() };
    text.chars().map(show).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<TokenKind> {
        tokens(text).0.into_iter().map(|token| token.kind).collect()
    }

    #[test]
    fn numbers() {
        assert_eq!(
            kinds("12 -3 0.5 1e-7 2.5E+3"),
            [
                TokenKind::Integer(12),
                TokenKind::Minus,
                TokenKind::Integer(3),
                TokenKind::Decimal(0.5),
                TokenKind::Decimal(1e-7),
                TokenKind::Decimal(2500.0),
                TokenKind::End,
            ]
        );
        assert_eq!(kinds("99999999999999999999"), [TokenKind::Integer(i64::MAX), TokenKind::End]);
        for malformed in ["8x8", "1.", ".5", "1.2.3", "1e", "3e5x"] {
            assert_eq!(kinds(malformed), [TokenKind::Bad, TokenKind::End], "{malformed}");
        }
    }

    #[test]
    fn strings() {
        assert_eq!(kinds(r#""a \"b\" \\ # c""#), [TokenKind::Text(r#"a "b" \ # c"#.into()), TokenKind::End]);
        assert_eq!(kinds("\"ä\\"), [TokenKind::Bad, TokenKind::End]);
        assert_eq!(kinds("\"a\nb"), [TokenKind::Bad, TokenKind::Newline, TokenKind::Word("b".into()), TokenKind::End]);
    }

    #[test]
    fn blanks_and_comments() {
        assert_eq!(kinds("\u{feff}a # b = (\r\n\t"), [TokenKind::Word("a".into()), TokenKind::Newline, TokenKind::End]);
    }

    #[test]
    fn a_malformed_name_is_still_a_name() {
        for name in ["hidden-1", "größe", "a-b-c"] {
            let (tokens, errors) = tokens(name);
            assert_eq!((tokens.len(), errors.len()), (2, 1), "{name}");
            assert_eq!(tokens[0].kind, TokenKind::Word(name.into()));
        }
        let difference = [TokenKind::Word("a".into()), TokenKind::Minus, TokenKind::Integer(1), TokenKind::End];
        assert_eq!(kinds("a -1"), difference);
        assert_eq!(kinds("a - 1"), difference);
    }

    #[test]
    fn every_character_is_something() {
        let (tokens, errors) = tokens("a ;; ' . $ [8 ² x");
        assert_eq!(tokens.iter().filter(|token| token.kind == TokenKind::Bad).count(), 2);
        assert_eq!(errors.len(), 2);
        assert_eq!(kinds("1 // 2"), [TokenKind::Integer(1), TokenKind::Bad, TokenKind::Integer(2), TokenKind::End]);
    }
}
