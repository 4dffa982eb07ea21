//! MariaDB: how a throw-away data directory is made and served.

use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::launch::{Line, Recipe, strings};
use crate::purpose::Purpose;

/// The version of the protocol in the greeting that a server sends once it takes clients.
const PROTOCOL_VERSION: u8 = 10;

/// What is written only when it suits: nothing here must outlive the server.
const LAZY: [&str; 3] = ["--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--sync-frm=0"];

/// At commit the log is written to the operating system, and once a second to the disk.
const AT_COMMIT: [&str; 2] = ["--innodb-flush-log-at-trx-commit=2", "--sync-frm=0"];

/// The log is large enough to take bulk loads without a pause.
const LARGE: [&str; 2] = ["--innodb-buffer-pool-size=4G", "--innodb-log-file-size=2G"];

/// A data directory in a folder.
#[derive(Debug)]
pub(crate) struct MariaDb {
    install: PathBuf,
    server: PathBuf,
    folder: PathBuf,
    user: Option<&'static str>,
    purpose: Purpose,
}

impl MariaDb {
    /// A data directory in `folder`, made by the program `install` and served by `server`; `user` is whom root becomes.
    pub(crate) fn new(
        install: PathBuf,
        server: PathBuf,
        folder: PathBuf,
        user: Option<&'static str>,
        purpose: Purpose,
    ) -> Self {
        Self { install, server, folder, user, purpose }
    }

    fn line(&self, program: &Path, arguments: &[&str]) -> Line {
        // The first argument keeps the machine's own settings out.
        let head = [program.display().to_string(), "--no-defaults".to_owned()];
        let data = format!("--datadir={}", self.folder.join("data").display());
        let user = self.user.map(|user| format!("--user={user}"));
        head.into_iter().chain([data]).chain(user).chain(strings(arguments)).collect()
    }
}

impl Recipe for MariaDb {
    fn name(&self) -> &'static str {
        "MariaDB"
    }

    fn folder(&self) -> &Path {
        &self.folder
    }

    /// With the method `normal` root has no password and comes over TCP; `socket` would admit the system's root alone.
    fn prepare(&self) -> Line {
        let options = ["--auth-root-authentication-method=normal", "--skip-test-db"];
        self.line(&self.install, &[&options[..], &LAZY].concat())
    }

    /// Character set and order are those of Debian's configuration: the order folds case, so that a column that forgets to ask for the order of bytes is
    /// found out.
    fn serve(&self, port: u16) -> Line {
        let (port, socket) = (format!("--port={port}"), format!("--socket={}", self.folder.join("socket").display()));
        let options = [
            port.as_str(),
            socket.as_str(),
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            "--max-connections=300",
            "--local-infile=1",
            "--character-set-server=utf8mb4",
            "--collation-server=utf8mb4_general_ci",
        ];
        let for_purpose = match self.purpose {
            Purpose::Tests => LAZY.to_vec(),
            Purpose::Kills => AT_COMMIT.to_vec(),
            Purpose::Measurements => [AT_COMMIT, LARGE].concat(),
        };
        self.line(&self.server, &[&options[..], &for_purpose].concat())
    }

    /// What it holds is thrown away, so it need not put anything in order.
    fn stop_signal(&self) -> &'static str {
        "KILL"
    }

    /// The first to speak is the server: three bytes of length, a number, and its protocol or the mark of an error.
    fn is_ready(&self, port: u16, _process: u32) -> bool {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let wait = Duration::from_secs(1);
        let greet = || -> std::io::Result<u8> {
            let mut stream = TcpStream::connect_timeout(&address, wait)?;
            stream.set_read_timeout(Some(wait))?;
            let mut greeting = [0; 5];
            stream.read_exact(&mut greeting)?;
            let [.., protocol] = greeting;
            Ok(protocol)
        };
        greet().is_ok_and(|protocol| protocol == PROTOCOL_VERSION)
    }

    fn url(&self, port: u16) -> String {
        format!("mysql://root@127.0.0.1:{port}/")
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    fn server(user: Option<&'static str>) -> MariaDb {
        MariaDb::new(
            PathBuf::from("bin/install"),
            PathBuf::from("bin/server"),
            PathBuf::from("folder"),
            user,
            Purpose::Tests,
        )
    }

    #[test]
    fn the_machines_settings_are_kept_out_and_root_becomes_another_user() {
        let begins = "--no-defaults --datadir=folder/data --user=mysql --";
        assert!(server(Some("mysql")).prepare().join(" ").starts_with(&format!("bin/install {begins}")));
        assert!(server(Some("mysql")).serve(1234).join(" ").starts_with(&format!("bin/server {begins}")));
        assert!(!server(None).serve(1234).join(" ").contains("--user"));
    }

    #[test]
    fn it_listens_on_this_machine_only() {
        let line = server(None).serve(1234);
        for wanted in ["--port=1234", "--bind-address=127.0.0.1", "--socket=folder/socket"] {
            assert!(line.iter().any(|argument| argument == wanted), "{wanted}");
        }
        assert_eq!(server(None).url(1234), "mysql://root@127.0.0.1:1234/");
    }

    #[test]
    fn only_a_greeting_shows_that_it_takes_clients() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let answers = thread::spawn(move || {
            for answer in [&b"\x01\0\0\0\x0a"[..], b"\x01\0\0\0\xff", b""] {
                listener.accept().unwrap().0.write_all(answer).unwrap();
            }
        });
        assert!(server(None).is_ready(port, 1));
        assert!(!server(None).is_ready(port, 1), "an error is no greeting");
        assert!(!server(None).is_ready(port, 1), "silence is no greeting");
        answers.join().unwrap();
    }
}
