//! What must not know what.

use super::imports::{Import, Place};
use std::collections::{BTreeMap, BTreeSet};

/// A law of the code's structure.
pub struct Law {
    /// As the page on architecture says it.
    pub name: &'static str,
    /// Whether an import is against it.
    pub forbids: fn(&Import) -> bool,
    /// An import that is: from and to, each a package and a module.
    pub example: [(&'static str, &'static str); 2],
}

/// Packages whose files form no circles, and what that law is called.
pub const CYCLE_FREE: &[&str] = &["onward_compile", "onward_quantize", "onward_place", "onward_assembly"];
pub const NO_CIRCLES: &str = "the files of the compiler form no circles";

fn is_of(place: &Place, packages: &[&str]) -> bool {
    packages.contains(&place.package.as_str())
}

/// Whether a module of a package uses another of it.
fn within(import: &Import, package: &str, from: &str, to: &str) -> bool {
    import.from.is_within(package, from) && import.to.is_within(package, to)
}

/// Whether a library is used outside the one file that may know it.
fn outside(import: &Import, library: &str, package: &str, module: &str) -> bool {
    import.to.package == library && !import.from.is_within(package, module)
}

/// What each package may use of the workspace. Data flows from the first to the last.
const USES: &[(&str, &[&str])] = &[
    ("onward_diagnostic", &[]),
    ("onward_isa", &["onward_diagnostic"]),
    ("onward_chip", &["onward_diagnostic"]),
    ("onward_image", &["onward_diagnostic", "onward_isa", "onward_chip"]),
    ("onward_net", &["onward_diagnostic"]),
    ("onward_place", &["onward_chip", "onward_image"]),
    ("onward_quantize", &["onward_diagnostic", "onward_isa", "onward_net"]),
    (
        "onward_compile",
        &[
            "onward_diagnostic",
            "onward_isa",
            "onward_chip",
            "onward_image",
            "onward_net",
            "onward_place",
            "onward_quantize",
        ],
    ),
    ("onward_lint", &["onward_diagnostic", "onward_net", "onward_quantize", "onward_compile"]),
    ("onward_verify", &["onward_isa", "onward_chip", "onward_image"]),
    ("onward_assembly", &["onward_diagnostic", "onward_isa", "onward_chip", "onward_image"]),
    ("onward_emulate", &["onward_diagnostic", "onward_isa", "onward_chip", "onward_image"]),
    ("onward_profile", &["onward_diagnostic", "onward_isa", "onward_chip", "onward_image", "onward_emulate"]),
    (
        "onward_run",
        &["onward_diagnostic", "onward_isa", "onward_chip", "onward_image", "onward_emulate", "onward_profile"],
    ),
    ("onward_explore", &["onward_diagnostic"]),
    ("onward_debug", &["onward_diagnostic", "onward_isa", "onward_image", "onward_emulate"]),
];

/// Whether a package uses one that it must not.
fn climbs(import: &Import) -> bool {
    let uses = USES.iter().find(|(package, _)| *package == import.from.package);
    uses.is_some_and(|(package, uses)| {
        import.to.package.starts_with("onward") && import.to.package != *package && !is_of(&import.to, uses)
    })
}

pub const LAWS: &[Law] = &[
    Law {
        name: "data flows one way through the packages",
        forbids: climbs,
        example: [("onward_image", "image"), ("onward_emulate", "Machine")],
    },
    Law {
        name: "what runs knows nothing of how it was compiled",
        forbids: |import| {
            is_of(
                &import.from,
                &[
                    "onward_isa",
                    "onward_chip",
                    "onward_image",
                    "onward_emulate",
                    "onward_run",
                    "onward_debug",
                    "onward_profile",
                ],
            ) && is_of(
                &import.to,
                &["onward_net", "onward_quantize", "onward_place", "onward_compile", "onward_assembly"],
            )
        },
        example: [("onward_run", "session"), ("onward_net", "Network")],
    },
    Law {
        name: "the verifier knows nothing of the compiler",
        forbids: |import| {
            is_of(&import.from, &["onward_verify"])
                && is_of(
                    &import.to,
                    &[
                        "onward_net",
                        "onward_quantize",
                        "onward_place",
                        "onward_compile",
                        "onward_assembly",
                        "onward_emulate",
                        "onward_run",
                    ],
                )
        },
        example: [("onward_verify", "verdict"), ("onward_compile", "passes")],
    },
    Law {
        name: "exploration knows nothing of what it explores",
        forbids: |import| {
            is_of(&import.from, &["onward_explore"])
                && import.to.package.starts_with("onward")
                && !is_of(&import.to, &["onward_explore", "onward_diagnostic"])
        },
        example: [("onward_explore", "study"), ("onward_chip", "Chip")],
    },
    Law {
        name: "placement and systems by hand know no network",
        forbids: |import| {
            is_of(&import.from, &["onward_place", "onward_assembly"])
                && is_of(&import.to, &["onward_net", "onward_quantize", "onward_compile"])
        },
        example: [("onward_place", "problem"), ("onward_net", "Network")],
    },
    Law {
        name: "the language knows no chip",
        forbids: |import| {
            is_of(&import.from, &["onward_net"]) && is_of(&import.to, &["onward_isa", "onward_chip", "onward_image"])
        },
        example: [("onward_net", "check"), ("onward_chip", "Chip")],
    },
    Law {
        name: "the reference engine shares nothing with the fast one",
        forbids: |import| {
            within(import, "onward_emulate", "reference", "fast")
                || within(import, "onward_emulate", "fast", "reference")
        },
        example: [("onward_emulate", "reference::core"), ("onward_emulate", "fast::rows")],
    },
    Law {
        name: "the mesh knows neither engine",
        forbids: |import| {
            within(import, "onward_emulate", "mesh", "fast") || within(import, "onward_emulate", "mesh", "reference")
        },
        example: [("onward_emulate", "mesh::sliced"), ("onward_emulate", "fast::simd")],
    },
    Law {
        name: "what writes programs knows no pass",
        forbids: |import| {
            let writers = ["lowering", "handlers"].iter().any(|module| import.from.is_within("onward_compile", module));
            writers && ["passes", "pass", "driver"].iter().any(|module| import.to.is_within("onward_compile", module))
        },
        example: [("onward_compile", "lowering::feed"), ("onward_compile", "passes::link")],
    },
    Law {
        name: "one file knows how an image is encoded",
        forbids: |import| outside(import, "bincode", "onward_image", "file"),
        example: [("onward_image", "image"), ("bincode", "serde")],
    },
    Law {
        name: "one file knows how HDF5 is read",
        forbids: |import| import.from.package != "testbench" && outside(import, "hdf5_pure", "onward_net", "nir::file"),
        example: [("onward_net", "nir::graph"), ("hdf5_pure", "File")],
    },
    Law {
        name: "independent models share no code with what they check",
        forbids: |import| {
            import.from.package == "testbench"
                && !["conformance", "nir_file"].iter().any(|module| import.from.is_within("testbench", module))
                && is_of(
                    &import.to,
                    &[
                        "onward_quantize",
                        "onward_place",
                        "onward_compile",
                        "onward_assembly",
                        "onward_emulate",
                        "onward_run",
                    ],
                )
        },
        example: [("testbench", "integer"), ("onward_compile", "Compilation")],
    },
];

/// Circles of files of a package that leave the folder of one idea: each in a sentence.
pub fn circles(package: &str, all: &BTreeSet<Import>) -> Vec<String> {
    let mut edges: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for import in all.iter().filter(|import| import.from.package == package && import.to.package == package) {
        // The root only names what there is.
        if !import.from.module.is_empty() && !import.to.module.is_empty() {
            edges.entry(&import.from.module).or_default().insert(&import.to.module);
        }
    }
    let reached: BTreeMap<&str, BTreeSet<&str>> = edges.keys().map(|&from| (from, reachable(from, &edges))).collect();
    let mut found: BTreeMap<Vec<&str>, String> = BTreeMap::new();
    for (&from, reaches) in &reached {
        let back = |to: &&&str| reached.get(**to).is_some_and(|reaches| reaches.contains(from));
        let mut circle: Vec<&str> = reaches.iter().filter(back).copied().chain([from]).collect();
        circle.sort_unstable();
        circle.dedup();
        // A folder and its parts may name each other: that is one idea in several files.
        let shortest = circle.iter().min_by_key(|module| module.len()).copied().unwrap_or("");
        let folder = if circle.contains(&shortest) && is_above_all(shortest, &circle) {
            shortest
        } else {
            shortest.rsplit_once("::").map_or("", |(folder, _)| folder)
        };
        if circle.len() > 1 && (folder.is_empty() || !is_above_all(folder, &circle)) {
            let text = format!("{NO_CIRCLES}: {package}: {}", circle.join(", "));
            found.insert(circle, text);
        }
    }
    found.into_values().collect()
}

fn is_above_all(folder: &str, modules: &[&str]) -> bool {
    modules
        .iter()
        .all(|module| module.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with("::")))
}

fn reachable<'a>(from: &'a str, edges: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![from];
    while let Some(module) = waiting.pop() {
        for &next in edges.get(module).into_iter().flatten() {
            if found.insert(next) {
                waiting.push(next);
            }
        }
    }
    found
}
