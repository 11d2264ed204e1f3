//! Which file of the workspace names what of which other file, read from the sources.
//!
//! Files are parsed, not searched: a path counts wherever Rust would resolve it (`use`, an expression, a type, inside a macro's
//! arguments), and comments and texts do not. Code under `#[cfg(test)]` is left out, as tests may know more than what they test.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use syn::visit::{self, Visit};

/// A file of a package, or of a library from elsewhere its path behind the library's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Name of the package as code writes it, such as `onward_isa`.
    pub package: String,
    /// Module, such as `fast::rows`; empty for the root.
    pub module: String,
}

/// One file names something of another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Import {
    pub from: Place,
    pub to: Place,
}

impl Place {
    pub fn new(package: &str, module: &str) -> Place {
        Place { package: package.into(), module: module.into() }
    }

    /// Whether the file is that module or lies below it.
    pub fn is_within(&self, package: &str, module: &str) -> bool {
        let below = self.module.strip_prefix(module);
        self.package == package
            && (module.is_empty() || below.is_some_and(|rest| rest.is_empty() || rest.starts_with("::")))
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        let separator = if self.module.is_empty() { "" } else { "::" };
        write!(formatter, "{}{separator}{}", self.package, self.module)
    }
}

/// All imports between files of the packages whose sources lie in these folders, and from them to other packages.
pub fn imports(packages: &[(String, PathBuf)]) -> BTreeSet<Import> {
    let mut found = BTreeSet::new();
    for (package, root) in packages {
        let files = modules(root);
        for (module, path) in &files {
            let text = fs::read_to_string(path).expect("a source can be read");
            let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let mut paths = Paths::default();
            paths.visit_file(&parsed);
            for segments in paths.found {
                if let Some(to) = resolve(package, module, &segments, &files) {
                    let from = Place::new(package, module);
                    if from != to {
                        found.insert(Import { from, to });
                    }
                }
            }
        }
    }
    found
}

/// The files of a package's sources by module.
fn modules(root: &Path) -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a source folder can be read") {
            let path = entry.expect("a source folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let relative = path.strip_prefix(root).expect("it was found below").with_extension("");
                let mut parts: Vec<String> =
                    relative.iter().map(|part| part.to_str().expect("names are in ASCII").to_owned()).collect();
                if parts.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
                    parts.pop();
                }
                found.insert(parts.join("::"), path);
            }
        }
    }
    found
}

/// Where a path leads: to the deepest module of the package that its segments name, or into another package.
fn resolve(package: &str, module: &str, segments: &[String], files: &BTreeMap<String, PathBuf>) -> Option<Place> {
    let own: Vec<&str> = module.split("::").filter(|part| !part.is_empty()).collect();
    let (base, rest) = match segments.first()?.as_str() {
        "crate" => (Vec::new(), &segments[1..]),
        "self" => (own, &segments[1..]),
        "super" => {
            let ups = segments.iter().take_while(|segment| *segment == "super").count();
            (own[..own.len().checked_sub(ups)?].to_vec(), &segments[ups..])
        }
        first => {
            let below = own.iter().copied().chain([first]).collect::<Vec<_>>().join("::");
            if files.contains_key(&below) {
                (own, segments)
            } else if segments.len() > 1 && is_package(first) {
                return Some(Place::new(first, &segments[1..].join("::")));
            } else {
                return None;
            }
        }
    };
    let mut place: Vec<&str> = base;
    for segment in rest {
        place.push(segment);
        if !files.contains_key(&place.join("::")) {
            place.pop();
            break;
        }
    }
    Some(Place::new(package, &place.join("::")))
}

/// Packages are in lower case; so are modules, but those are found before.
fn is_package(name: &str) -> bool {
    name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
        && !["std", "core", "alloc"].contains(&name)
}

/// The paths of a file, each as its segments.
#[derive(Default)]
struct Paths {
    found: Vec<Vec<String>>,
}

impl Paths {
    fn tree(&mut self, tree: &syn::UseTree, before: &[String]) {
        let with = |name: &syn::Ident| before.iter().cloned().chain([name.to_string()]).collect::<Vec<_>>();
        match tree {
            syn::UseTree::Path(path) => self.tree(&path.tree, &with(&path.ident)),
            syn::UseTree::Name(name) => self.found.push(with(&name.ident)),
            syn::UseTree::Rename(name) => self.found.push(with(&name.ident)),
            syn::UseTree::Glob(_) => self.found.push(before.to_vec()),
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.tree(item, before)),
        }
    }

    /// Paths among the tokens of a macro's arguments.
    fn tokens(&mut self, tokens: proc_macro2::TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        let mut end = |path: &mut Vec<String>| {
            if path.len() > 1 {
                self.found.push(std::mem::take(path));
            }
            path.clear();
        };
        let mut groups = Vec::new();
        for token in tokens {
            match token {
                proc_macro2::TokenTree::Ident(name) => {
                    if colons != 2 {
                        end(&mut path);
                    }
                    path.push(name.to_string());
                    colons = 0;
                }
                proc_macro2::TokenTree::Punct(mark) if mark.as_char() == ':' => colons += 1,
                other => {
                    end(&mut path);
                    colons = 0;
                    if let proc_macro2::TokenTree::Group(group) = other {
                        groups.push(group.stream());
                    }
                }
            }
        }
        end(&mut path);
        groups.into_iter().for_each(|group| self.tokens(group));
    }
}

/// Whether an item is compiled for tests only.
fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.meta.require_list().is_ok_and(|list| list.tokens.to_string().contains("test"))
    })
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if !is_for_tests(&module.attrs) {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !is_for_tests(&item.attrs) {
            self.tree(&item.tree, &[]);
        }
    }

    /// `pub(super)` says who may see, and uses nothing.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.found.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        self.tokens(called.tokens.clone());
        visit::visit_macro(self, called);
    }
}
