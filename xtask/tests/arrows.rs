//! Which crate may depend on which. Everything may depend on `moon-core`, which knows nobody; stores never see one
//! another; examples wire and decide.
#![expect(clippy::unwrap_used, reason = "a test stops at what it cannot read")]

use std::fmt;
use std::process::Command;

use serde_json::Value;

/// What a crate of the workspace is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// `moon-core`: the domain.
    Core,
    /// `moon-store-*`: a backend.
    Store,
    /// `moon-testkit`: what proves backends.
    Testkit,
    /// Any other `moon-*` library.
    Library,
    /// A package under `examples`: wires libraries and stores.
    Example,
    /// `benches`, `torture` and `xtask`: nothing depends on them.
    Tool,
}

/// When a dependency is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    /// In what is shipped, or while it is built.
    Shipped,
    /// In tests, examples and benchmarks only.
    Dev,
}

/// A crate of the workspace and those that it names.
#[derive(Debug, Clone)]
struct Package {
    name: String,
    role: Role,
    dependencies: Vec<(String, When)>,
}

/// An arrow that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Violation {
    from: String,
    to: String,
    rule: &'static str,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}: {}", self.from, self.to, self.rule)
    }
}

/// The rule that an arrow breaks, if it breaks one.
fn broken_rule(from: Role, to: Role, when: When) -> Option<&'static str> {
    match (from, to, when) {
        (_, Role::Tool, _) => Some("nothing depends on benches, torture or xtask"),
        (Role::Core, _, _) => Some("moon-core knows no other crate"),
        (Role::Store, Role::Store, _) => Some("stores never see one another"),
        (Role::Testkit, Role::Store, When::Shipped) => Some("the suite knows no backend"),
        (Role::Example | Role::Tool, Role::Example, _) => None,
        (_, Role::Example, _) => Some("libraries do not depend on examples"),
        (_, Role::Testkit, When::Shipped) => Some("moon-testkit is a dev-dependency only"),
        (Role::Library, Role::Store, When::Shipped) => Some("libraries know the ports, not the backends"),
        (Role::Store, Role::Library, When::Shipped) => Some("a store depends on moon-core alone"),
        _ => None,
    }
}

/// Every arrow between crates of the workspace that breaks a rule.
fn violations(packages: &[Package]) -> Vec<Violation> {
    let mut found = Vec::new();
    for package in packages {
        for (name, when) in &package.dependencies {
            let Some(dependency) = packages.iter().find(|other| other.name == *name) else { continue };
            if let Some(rule) = broken_rule(package.role, dependency.role, *when) {
                found.push(Violation { from: package.name.clone(), to: name.clone(), rule });
            }
        }
    }
    found
}

/// The role that follows from a package's name and the folder of its manifest, relative to the workspace.
fn role(name: &str, folder: &str) -> Role {
    match name {
        "moon-core" => Role::Core,
        "moon-testkit" => Role::Testkit,
        _ if folder.starts_with("examples/") => Role::Example,
        _ if ["benches", "torture", "xtask"].contains(&folder) => Role::Tool,
        _ if name.starts_with("moon-store-") => Role::Store,
        _ => Role::Library,
    }
}

/// What a crate without I/O, runtime or driver must not contain: runtimes and event loops, drivers and pools, HTTP and
/// TLS, asynchronous file systems.
const BANNED_IN_CORE: [&str; 24] = [
    "actix-rt",
    "async-std",
    "async-io",
    "deadpool",
    "diesel",
    "glommio",
    "h2",
    "hyper",
    "lettre",
    "libsqlite3-sys",
    "mio",
    "mysql",
    "mysql_async",
    "native-tls",
    "openssl",
    "polling",
    "postgres",
    "r2d2",
    "reqwest",
    "rusqlite",
    "rustls",
    "smol",
    "socket2",
    "ureq",
];

/// Families of crates, banned by the beginning of their names.
const BANNED_FAMILIES_IN_CORE: [&str; 5] = ["tokio", "sqlx", "moon-", "deadpool-", "hyper-"];

/// The crates of a tree that moon-core must not contain, in their order.
fn banned_in_core<'a>(tree: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let banned = |name: &&str| {
        BANNED_IN_CORE.contains(name) || BANNED_FAMILIES_IN_CORE.iter().any(|family| name.starts_with(family))
    };
    tree.filter(|name| *name != "moon-core").filter(banned).collect()
}

/// What a cargo command writes to standard output.
fn cargo(arguments: &[&str]) -> String {
    let output = Command::new("cargo").args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The crates of this workspace.
fn workspace() -> Vec<Package> {
    let metadata: Value = serde_json::from_str(&cargo(&["metadata", "--format-version", "1", "--no-deps"])).unwrap();
    let root = metadata["workspace_root"].as_str().unwrap();
    let package = |package: &Value| {
        let name = package["name"].as_str().unwrap().to_owned();
        let manifest = package["manifest_path"].as_str().unwrap();
        let folder = manifest.strip_prefix(root).unwrap().trim_start_matches(['/', '\\']);
        let folder = folder.trim_end_matches("Cargo.toml").trim_end_matches(['/', '\\']).replace('\\', "/");
        let dependency = |dependency: &Value| {
            let when = if dependency["kind"] == "dev" { When::Dev } else { When::Shipped };
            (dependency["name"].as_str().unwrap().to_owned(), when)
        };
        let dependencies = package["dependencies"].as_array().unwrap().iter().map(dependency).collect();
        Package { role: role(&name, &folder), name, dependencies }
    };
    metadata["packages"].as_array().unwrap().iter().map(package).collect()
}

#[test]
fn the_arrows_of_the_workspace_keep_the_rules() {
    let packages = workspace();
    for role in [Role::Core, Role::Store, Role::Testkit, Role::Library, Role::Example, Role::Tool] {
        assert!(packages.iter().any(|package| package.role == role), "no crate is recognised as {role:?}");
    }
    let found: Vec<String> = violations(&packages).iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "arrows that must not be:\n{}", found.join("\n"));
}

#[test]
fn the_core_has_no_io_no_runtime_and_no_driver() {
    let tree = cargo(&["tree", "--package", "moon-core", "--edges", "normal,build", "--prefix", "none"]);
    let names: Vec<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.contains(&"moon-core") && names.contains(&"rust_decimal"), "not moon-core's tree:\n{tree}");
    assert_eq!(banned_in_core(names.iter().copied()), Vec::<&str>::new());
}

#[test]
fn the_ban_finds_runtimes_and_drivers() {
    let tree = ["moon-core", "serde", "tokio", "tokio-postgres", "mio", "sqlx-core", "moon-import", "futures-util"];
    let banned = banned_in_core(tree.into_iter());
    assert_eq!(banned, ["tokio", "tokio-postgres", "mio", "sqlx-core", "moon-import"]);
}

/// A made-up workspace in which every arrow is allowed.
fn sound() -> Vec<Package> {
    let package = |name: &str, folder: &str, dependencies: &[(&str, When)]| Package {
        name: name.to_owned(),
        role: role(name, folder),
        dependencies: dependencies.iter().map(|(name, when)| ((*name).to_owned(), *when)).collect(),
    };
    use When::{Dev, Shipped};
    vec![
        package("moon-core", "moon-core", &[("serde", Shipped)]),
        package("moon-testkit", "moon-testkit", &[("moon-core", Shipped)]),
        package("moon-store-a", "moon-store-a", &[("moon-core", Shipped), ("moon-testkit", Dev)]),
        package("moon-store-b", "moon-store-b", &[("moon-core", Shipped), ("moon-import", Dev)]),
        package("moon-import", "moon-import", &[("moon-core", Shipped), ("moon-store-a", Dev)]),
        package("moon-settings", "examples/settings", &[("moon-store-a", Shipped), ("moon-store-b", Shipped)]),
        package("server", "examples/server", &[("moon-settings", Shipped), ("moon-import", Shipped)]),
        package("moon-benches", "benches", &[("moon-store-b", Dev), ("moon-settings", Dev)]),
        package("xtask", "xtask", &[]),
    ]
}

#[test]
fn a_sound_workspace_has_no_violation() {
    assert_eq!(violations(&sound()), []);
}

#[test]
fn each_forbidden_arrow_is_found() {
    let forbidden = [
        ("moon-core", "moon-import", When::Shipped),
        ("moon-core", "moon-testkit", When::Dev),
        ("moon-store-a", "moon-store-b", When::Shipped),
        ("moon-store-a", "moon-store-b", When::Dev),
        ("moon-store-a", "moon-import", When::Shipped),
        ("moon-store-a", "moon-testkit", When::Shipped),
        ("moon-import", "moon-store-a", When::Shipped),
        ("moon-import", "moon-settings", When::Dev),
        ("moon-testkit", "moon-store-a", When::Shipped),
        ("server", "moon-testkit", When::Shipped),
        ("server", "xtask", When::Shipped),
        ("moon-import", "moon-benches", When::Dev),
    ];
    for (from, to, when) in forbidden {
        let mut packages = sound();
        let package = packages.iter_mut().find(|package| package.name == from).unwrap();
        package.dependencies.push((to.to_owned(), when));
        let found = violations(&packages);
        assert_eq!(found.len(), 1, "{from} -> {to} {when:?}: {found:?}");
        assert_eq!((found[0].from.as_str(), found[0].to.as_str()), (from, to));
    }
}
