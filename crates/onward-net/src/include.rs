//! Files that a text includes.

use crate::lexer::{TokenKind, tokens_of};
use crate::syntax::Span;
use onward_diagnostic::{Diagnostic, Source, system_cause};
use std::io;
use std::path::{Component, Path, PathBuf};

/// Files within files, at most. Through links in a file system a file may include itself under ever new names.
const DEPTH_MAX: usize = 16;

/// What the settings of whoever calls are known by in messages, as if they were a file.
pub(crate) const SETTINGS: &str = "--set";

/// `source` with all files that it includes, and those that they include; `read` gives the text of a path, which is
/// relative to what the path of the source is relative to.
///
/// # Errors
/// Files that cannot be read, that include themselves or are included twice, with the source that the diagnostics point
/// into: it holds what could be read.
pub fn with_includes(
    mut source: Source,
    read: &mut dyn FnMut(&Path) -> io::Result<String>,
) -> Result<Source, (Source, Vec<Diagnostic>)> {
    // Each file with those that lead to it, itself the last.
    let mut files = vec![(source.file(0).span, vec![source.name.clone()])];
    let mut errors = Vec::new();
    let mut next = 0;
    let root = PathBuf::from(normal(&source.name)).parent().map(Path::to_owned).unwrap_or_default();
    while let Some((span, chain)) = files.get(next).cloned() {
        next += 1;
        for (path, span) in includes(&source, span) {
            let name = resolve(chain.last().map_or("", String::as_str), &path);
            let error = |message: String| Diagnostic::new(span.clone(), message);
            if let Some(first) = chain.iter().position(|file| normal(file) == name) {
                let way: Vec<_> = chain[first + 1..].iter().map(|file| format!("`{file}`")).collect();
                let by_way = if way.is_empty() { String::new() } else { format!(" by way of {}", way.join(", ")) };
                errors.push(error(format!("`{name}` includes itself{by_way}")).help("remove one of the includes"));
            } else if !lies_below(&root, Path::new(&name)) {
                let error = error(format!("`{name}` lies outside the folder of `{}`", source.name));
                errors.push(error.help("a text includes what lies in its own folder or below: copy the file there"));
            } else if source.files().any(|file| file.name == name) {
                let error = error(format!("`{name}` is included twice"));
                errors.push(error.help("include it once: what it holds is there for the whole network"));
            } else if chain.len() > DEPTH_MAX {
                errors.push(error(format!("more than {DEPTH_MAX} files include each other in a row")));
            } else {
                match read(Path::new(&name)) {
                    Ok(text) => {
                        source.add(&format!("# ---- {name}"), &name, &text);
                        let span = source.text.len() - text.len()..source.text.len();
                        files.push((span, chain.iter().cloned().chain([name]).collect()));
                    }
                    Err(cause) => {
                        let error = error(format!("`{name}` cannot be read: {}", system_cause(&cause)));
                        errors.push(error.help("paths are seen from the folder of the file that names them"));
                    }
                }
            }
        }
    }
    if errors.is_empty() { Ok(source) } else { Err((source, errors)) }
}

/// `source` with values for its parameters, each a name and what would stand behind its `=`. Mistakes in them are found
/// when it is parsed, and shown as those of a file called `--set`.
pub fn with_settings(mut source: Source, settings: &[(String, String)]) -> Source {
    if !settings.is_empty() {
        let one_line = |text: &str| text.replace(['\n', '\r'], " ");
        let lines = settings.iter().map(|(name, value)| format!("{} = {}\n", one_line(name), one_line(value)));
        source.add("# ---- parameters that were set", SETTINGS, &lines.collect::<String>());
    }
    source
}

/// The path by which a file is known that `including` names as `path`: relative to the same place as `including` itself.
pub(crate) fn resolve(including: &str, path: &str) -> String {
    let folder = Path::new(including).parent().unwrap_or(Path::new(""));
    normal(&folder.join(path).to_string_lossy())
}

/// A path that is named at `span`, relative to the folder of the first file.
pub(crate) fn seen_from_first(source: &Source, span: &Span, path: &str) -> String {
    let file = source.file(span.start);
    if file.span.start == 0 || file.name == SETTINGS || Path::new(path).is_absolute() {
        return path.to_string();
    }
    let folder_of = |name: &str| PathBuf::from(normal(name)).parent().map(Path::to_owned).unwrap_or_default();
    let (from, to) = (folder_of(&source.name), folder_of(file.name).join(path));
    let shared = from.components().zip(to.components()).take_while(|(from, to)| from == to).count();
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    let path: PathBuf = up.chain(to.components().skip(shared)).collect();
    normal(&path.to_string_lossy())
}

/// Whether a path lies in a folder or below, both without `.` and `..` where that can be seen.
fn lies_below(folder: &Path, path: &Path) -> bool {
    let below = path.strip_prefix(folder).ok();
    below.is_some_and(|below| below.components().all(|component| matches!(component, Component::Normal(_))))
}

/// The same path without `.` and, where it can be seen, without `..`: two ways to write it give one name.
fn normal(path: &str) -> String {
    let mut parts = PathBuf::new();
    for component in Path::new(path).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(parts.components().next_back(), Some(Component::Normal(_))) => {
                parts.pop();
            }
            _ => parts.push(component),
        }
    }
    parts.display().to_string()
}

/// The paths that a file includes, each with its place.
fn includes(source: &Source, file: Span) -> Vec<(String, Span)> {
    let (tokens, _) = tokens_of(&source.text, file);
    let ends_entry = |kind: &TokenKind| matches!(kind, TokenKind::Newline | TokenKind::Comma | TokenKind::OpenBrace);
    let mut found = Vec::new();
    for index in 0..tokens.len() - 1 {
        let is_start = index == 0 || ends_entry(&tokens[index - 1].kind);
        if let (true, TokenKind::Word(word), TokenKind::Text(path)) =
            (is_start, &tokens[index].kind, &tokens[index + 1].kind)
            && word == "include"
        {
            found.push((path.clone(), tokens[index + 1].span.clone()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_seen_from_the_including_file() {
        assert_eq!(resolve("nets/a.sp", "b.sp"), "nets/b.sp");
        assert_eq!(resolve("nets/a.sp", "../common/./b.sp"), "common/b.sp");
        assert_eq!(resolve("a.sp", "../b.sp"), "../b.sp");
        assert_eq!(resolve("../a.sp", "../b.sp"), "../../b.sp");
    }

    #[test]
    fn includes_stay_in_the_folder_of_the_text() {
        for (main, path, stays) in [
            ("net.sp", "part.sp", true),
            ("net.sp", "a/../part.sp", true),
            ("nets/net.sp", "common/part.sp", true),
            ("../net.sp", "part.sp", true),
            ("net.sp", "../part.sp", false),
            ("nets/net.sp", "../part.sp", false),
            ("nets/net.sp", "a/../../nets2/part.sp", false),
            ("../net.sp", "../part.sp", false),
            ("net.sp", "/etc/passwd", false),
            ("/nets/net.sp", "/nets/part.sp", true),
            ("/nets/net.sp", "/etc/passwd", false),
        ] {
            let mut reads = 0;
            let text = format!("network n {{\n include \"{path}\"\n}}\n");
            let result = with_includes(Source::new(main, text), &mut |_| {
                reads += 1;
                Ok(String::new())
            });
            assert_eq!((result.is_ok(), reads == 1), (stays, stays), "{main} includes {path}");
        }
    }
}
