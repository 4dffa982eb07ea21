//! Where the machine keeps its database servers.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// Where Debian keeps PostgreSQL's servers: a folder for each major version, none of them in the path.
const POSTGRES_VERSIONS: &str = "/usr/lib/postgresql";

/// Folders of servers that a user's path may leave out.
const SYSTEM_FOLDERS: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/usr/libexec"];

/// The folder with PostgreSQL's `initdb` and `postgres`. Debian's newest version comes before the path, whose `initdb`
/// may be a wrapper.
pub(crate) fn postgres() -> Option<PathBuf> {
    let versions = fs::read_dir(POSTGRES_VERSIONS).into_iter().flatten().flatten().map(|entry| entry.path());
    let folders = newest_first(versions.collect()).into_iter().map(|folder| folder.join("bin")).chain(path());
    let complete = |folder: &PathBuf| ["initdb", "postgres"].iter().all(|program| folder.join(program).is_file());
    folders.into_iter().find(complete)
}

/// MariaDB's server and the program that prepares its data directory.
pub(crate) fn mariadb() -> Option<(PathBuf, PathBuf)> {
    let folders: Vec<PathBuf> = path().into_iter().chain(SYSTEM_FOLDERS.map(PathBuf::from)).collect();
    // The program that prepares calls this one, which Debian packs with the client.
    program(&folders, "my_print_defaults")?;
    Some((program(&folders, "mariadb-install-db")?, program(&folders, "mariadbd")?))
}

/// The folders of `PATH`.
fn path() -> Vec<PathBuf> {
    env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default()
}

/// The first file of that name.
fn program(folders: &[PathBuf], name: &str) -> Option<PathBuf> {
    folders.iter().map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Folders named by their major version, the highest first; others are left out. Versions are numbers: 9 is older than
/// 15. The versions before 10 had two parts, and nobody has kept them since 2021.
fn newest_first(folders: Vec<PathBuf>) -> Vec<PathBuf> {
    let version = |folder: &Path| folder.file_name()?.to_str()?.parse::<u32>().ok();
    let mut versions: Vec<(u32, PathBuf)> =
        folders.into_iter().filter_map(|folder| Some((version(&folder)?, folder))).collect();
    versions.sort_by(|one, other| other.cmp(one));
    versions.into_iter().map(|(_, folder)| folder).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_numbers() {
        let found = newest_first(["lib/9.6", "lib/15", "lib/9", "lib/common", "lib/17"].map(PathBuf::from).to_vec());
        assert_eq!(found, ["lib/17", "lib/15", "lib/9"].map(PathBuf::from));
    }

    #[test]
    fn a_program_comes_from_the_first_folder_that_has_it() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folders = [root.join("tests"), root.to_owned(), root.join("src")];
        assert_eq!(program(&folders, "Cargo.toml"), Some(root.join("Cargo.toml")));
        assert_eq!(program(&folders, "lib.rs"), Some(root.join("src/lib.rs")));
        assert_eq!(program(&folders, "there-is-no-program-of-this-name"), None);
    }
}
