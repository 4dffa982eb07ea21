//! PostgreSQL: how a throw-away cluster is made and served.

use std::fs;
use std::path::{Path, PathBuf};

use crate::launch::{Line, Recipe, strings};
use crate::purpose::Purpose;

/// The user that Debian's package makes; PostgreSQL refuses to run as root.
pub(crate) const USER: &str = "postgres";

/// A cluster in a folder.
#[derive(Debug)]
pub(crate) struct Postgres {
    programs: PathBuf,
    folder: PathBuf,
    /// Whether to become [`USER`] first.
    as_user: bool,
    purpose: Purpose,
}

impl Postgres {
    /// A cluster in `folder`, which belongs to the user it runs as, with the programs of the folder `programs`.
    pub(crate) fn new(programs: PathBuf, folder: PathBuf, as_user: bool, purpose: Purpose) -> Self {
        Self { programs, folder, as_user, purpose }
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn line(&self, program: &str, arguments: &[&str]) -> Line {
        let user = if self.as_user {
            strings(&["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"])
        } else {
            Line::new()
        };
        let program = self.programs.join(program).display().to_string();
        user.into_iter().chain([program]).chain(strings(arguments)).collect()
    }
}

impl Recipe for Postgres {
    fn name(&self) -> &'static str {
        "PostgreSQL"
    }

    fn folder(&self) -> &Path {
        &self.folder
    }

    /// Texts sort as in English, so that a statement that forgets to ask for the order of bytes is found out.
    fn prepare(&self) -> Line {
        let data = self.data().display().to_string();
        let options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync"];
        let order = ["--locale=C", "--locale-provider=icu", "--icu-locale=en-US"];
        self.line("initdb", &[&["--pgdata", data.as_str()], &options[..], &order[..]].concat())
    }

    /// Nothing here must outlive the machine's power, so nothing waits for the disk.
    /// Without [`Purpose::Tests`] commits are written before they are answered.
    fn serve(&self, port: u16) -> Line {
        let (data, port) = (self.data().display().to_string(), port.to_string());
        let sockets = format!("unix_socket_directories={}", self.folder.display());
        let mut arguments = vec!["-D", data.as_str(), "-p", port.as_str(), "-h", "127.0.0.1", "-c", sockets.as_str()];
        for setting in ["fsync=off", "max_connections=300"].iter().chain(settings(self.purpose)) {
            arguments.extend(["-c", *setting]);
        }
        self.line("postgres", &arguments)
    }

    /// At once, without a checkpoint. Not killed: its shared memory would stay.
    fn stop_signal(&self) -> &'static str {
        "QUIT"
    }

    /// The server keeps its state in the eighth line of this file.
    /// The file of a server that was killed is still there, with another process in its first line.
    fn is_ready(&self, _port: u16, process: u32) -> bool {
        let state = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let line = |number| state.lines().nth(number).unwrap_or_default().trim();
        line(0) == process.to_string() && line(7) == "ready"
    }

    fn url(&self, port: u16) -> String {
        format!("postgres://postgres@127.0.0.1:{port}/postgres")
    }
}

fn settings(purpose: Purpose) -> &'static [&'static str] {
    match purpose {
        Purpose::Tests => &["synchronous_commit=off", "full_page_writes=off"],
        Purpose::Kills => &["synchronous_commit=on", "full_page_writes=on"],
        Purpose::Measurements => {
            &["synchronous_commit=on", "full_page_writes=on", "shared_buffers=1GB", "max_wal_size=8GB"]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster(as_user: bool) -> Postgres {
        Postgres::new(PathBuf::from("bin"), PathBuf::from("folder"), as_user, Purpose::Tests)
    }

    #[test]
    fn root_becomes_the_packages_user_and_others_stay_who_they_are() {
        let line = cluster(true).prepare().join(" ");
        assert!(line.starts_with("setpriv --reuid=postgres --regid=postgres --clear-groups bin/initdb "), "{line}");
        assert!(cluster(false).prepare().join(" ").starts_with("bin/initdb --pgdata folder/data --auth=trust "));
    }

    #[test]
    fn it_listens_on_this_machine_only() {
        let line = cluster(false).serve(1234).join(" ");
        assert!(
            line.starts_with("bin/postgres -D folder/data -p 1234 -h 127.0.0.1 -c unix_socket_directories=folder ")
        );
        assert!(
            line.ends_with(" -c fsync=off -c max_connections=300 -c synchronous_commit=off -c full_page_writes=off")
        );
        assert_eq!(cluster(false).url(1234), "postgres://postgres@127.0.0.1:1234/postgres");
    }

    #[test]
    fn a_cluster_that_is_not_there_is_not_ready() {
        assert!(!cluster(false).is_ready(1234, 1));
    }
}
