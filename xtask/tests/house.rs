//! The rules of the house that no compiler checks.
#![expect(clippy::unwrap_used, reason = "a test stops at what it cannot read")]

use std::fs;
use std::path::{Path, PathBuf};

/// Beyond this a file holds more than one idea.
const SOURCE_LINES_MAX: usize = 500;

/// Beyond this a text is data, not something that a person wrote.
const TEXT_BYTES_MAX: u64 = 1_000_000;

/// The hidden folders that belong to the project; others are those of git, editors and tools.
const HIDDEN_FOLDERS: [&str; 3] = [".cargo", ".ci", ".config"];

/// Beginnings of paths that exist on one machine only. In two parts each, so that this list does not find itself.
const MACHINE_PATHS: [&str; 4] =
    [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every text file under a folder with its path, in the order of their paths.
fn texts(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        // What vanishes while the tree is walked (an editor's or a database's temporary file) is no source.
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() {
                if holds_source(&entry.file_name().to_string_lossy()) {
                    folders.push(entry.path());
                }
            } else if metadata.is_file()
                && metadata.len() <= TEXT_BYTES_MAX
                && let Ok(text) = fs::read_to_string(entry.path())
            {
                found.push((entry.path(), text));
            }
        }
    }
    assert!(!found.is_empty(), "found no text in the folder");
    found.sort();
    found
}

/// Whether a folder of that name can hold source: what cargo builds is none.
fn holds_source(name: &str) -> bool {
    if name.starts_with('.') { HIDDEN_FOLDERS.contains(&name) } else { name != "target" }
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension().and_then(|extension| extension.to_str()).is_some_and(|extension| extensions.contains(&extension))
}

/// Files with more lines than a source file may have, each with its count.
fn too_long(texts: &[(PathBuf, String)]) -> Vec<String> {
    let sources = texts.iter().filter(|(path, _)| has_extension(path, &["rs", "sql"]));
    let counted = sources.map(|(path, text)| (path, text.lines().count()));
    counted
        .filter(|(_, lines)| *lines > SOURCE_LINES_MAX)
        .map(|(path, lines)| format!("{}: {lines} lines", path.display()))
        .collect()
}

/// Lines that name a path of some machine.
fn machine_paths(texts: &[(PathBuf, String)]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in texts {
        for (index, line) in text.lines().enumerate() {
            if MACHINE_PATHS.iter().any(|machine| line.contains(machine)) {
                found.push(format!("{}:{}: {}", path.display(), index + 1, line.trim()));
            }
        }
    }
    found
}

/// Manifests of packages that do not take the workspace's lints over.
fn without_lints(texts: &[(PathBuf, String)]) -> Vec<String> {
    let inherits = |text: &str| {
        let mut lines = text.lines().map(str::trim);
        lines.any(|line| line == "[lints]") && lines.next() == Some("workspace = true")
    };
    let manifests = texts.iter().filter(|(path, text)| path.ends_with("Cargo.toml") && text.contains("[package]"));
    manifests.filter(|(_, text)| !inherits(text)).map(|(path, _)| path.display().to_string()).collect()
}

/// Lines of moon-core that reach for the outside world through the standard library.
fn core_io(texts: &[(PathBuf, String)]) -> Vec<String> {
    let outside = ["std::fs", "std::net", "std::process", "std::env", "std::os"];
    let mut found = Vec::new();
    for (path, text) in texts.iter().filter(|(path, _)| has_extension(path, &["rs"])) {
        for (index, line) in text.lines().enumerate() {
            if outside.iter().any(|module| line.contains(module)) {
                found.push(format!("{}:{}: {}", path.display(), index + 1, line.trim()));
            }
        }
    }
    found
}

#[test]
fn source_files_hold_one_idea_each() {
    assert_eq!(too_long(&texts(&root())), Vec::<String>::new());
}

#[test]
fn nothing_names_a_path_of_some_machine() {
    assert_eq!(machine_paths(&texts(&root())), Vec::<String>::new());
}

#[test]
fn every_package_takes_the_lints_of_the_workspace() {
    let texts = texts(&root());
    let manifests = texts.iter().filter(|(path, _)| path.ends_with("Cargo.toml")).count();
    assert!(manifests > 10, "found only {manifests} manifests");
    assert_eq!(without_lints(&texts), Vec::<String>::new());
}

#[test]
fn the_core_does_not_reach_outside_through_the_standard_library() {
    let texts = texts(&root().join("moon-core/src"));
    assert!(texts.iter().any(|(path, _)| path.ends_with("lib.rs")));
    assert_eq!(core_io(&texts), Vec::<String>::new());
}

#[test]
fn each_rule_of_the_house_can_be_broken() {
    let file = |name: &str, text: &str| vec![(PathBuf::from(name), text.to_owned())];
    assert_eq!(too_long(&file("a.rs", &"\n".repeat(501))), ["a.rs: 501 lines"]);
    assert_eq!(too_long(&file("a.rs", &"\n".repeat(500))), Vec::<String>::new());
    assert_eq!(too_long(&file("a.csv", &"\n".repeat(501))), Vec::<String>::new());

    let line = format!("see {}data", MACHINE_PATHS[0]);
    assert_eq!(machine_paths(&file("a.md", &format!("first\n{line}\n"))), [format!("a.md:2: {line}")]);

    let manifest = "[package]\nname = \"a\"\n";
    assert_eq!(without_lints(&file("a/Cargo.toml", manifest)), ["a/Cargo.toml"]);
    assert!(without_lints(&file("a/Cargo.toml", &format!("{manifest}\n[lints]\nworkspace = true\n"))).is_empty());
    assert_eq!(without_lints(&file("a/Cargo.toml", &format!("{manifest}\n[lints]\nrust.x = 1\n"))).len(), 1);

    assert_eq!(core_io(&file("a.rs", "use std::fs;")), ["a.rs:1: use std::fs;"]);
}
