//! The kinds of servers, and where the machine keeps their programs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::apt::{self, Attempt, is_root};
use crate::find;
use crate::launch::Recipe;
use crate::mariadb::MariaDb;
use crate::postgres::{self, Postgres};
use crate::purpose::Purpose;

/// The variable whose words, separated by commas, name the servers that the tests do without.
pub(crate) const SKIP: &str = "MOON_TEST_SKIP";

/// A kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// PostgreSQL.
    Postgres,
    /// MariaDB, which stands for MySQL as well.
    MySql,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Postgres, Self::MySql];

    /// Its word in `MOON_TEST_SKIP`, and the name of its folder.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::MySql => "mysql",
        }
    }

    /// The variable that tells the tests where it is.
    #[must_use]
    pub fn variable(self) -> &'static str {
        match self {
            Self::Postgres => "MOON_TEST_POSTGRES_URL",
            Self::MySql => "MOON_TEST_MYSQL_URL",
        }
    }

    fn purpose(self) -> &'static str {
        match self {
            Self::Postgres => "a PostgreSQL server",
            Self::MySql => "a MariaDB server",
        }
    }

    /// The Debian packages that bring it. MariaDB's core packages have the programs without a service.
    fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Postgres => &["postgresql"],
            Self::MySql => &["mariadb-server-core", "mariadb-client-core"],
        }
    }

    /// What to do where its programs are missing.
    pub(crate) fn advice(self) -> String {
        let line = apt::line(self.packages());
        format!(
            "{} for the tests is missing; install it with `{line}`, or name one of yours in {}, or leave its tests \
             out with {SKIP}={}",
            self.purpose(),
            self.variable(),
            self.word()
        )
    }

    /// Makes sure that its programs are on this machine, and installs them where that is allowed.
    ///
    /// # Errors
    /// A sentence with the line that installs them.
    pub fn ensure(self) -> Result<(), String> {
        self.provide().map(drop)
    }

    /// Its programs on this machine.
    pub(crate) fn find(self) -> Option<Programs> {
        match self {
            Self::Postgres => find::postgres().map(Programs::Postgres),
            Self::MySql => find::mariadb().map(|(install, server)| Programs::MariaDb { install, server }),
        }
    }

    /// Finds its programs; installs them where that is allowed.
    pub(crate) fn provide(self) -> Result<Programs, String> {
        if let Some(programs) = self.find() {
            return Ok(programs);
        }
        match apt::install(self.purpose(), self.packages()) {
            Attempt::Done | Attempt::Failed => {
                self.find().ok_or_else(|| format!("{} (tried, but it failed)", self.advice()))
            }
            Attempt::NotAllowed => Err(self.advice()),
        }
    }
}

/// Where a server's programs are.
#[derive(Debug)]
pub(crate) enum Programs {
    Postgres(PathBuf),
    MariaDb { install: PathBuf, server: PathBuf },
}

impl Programs {
    /// The recipe for a server in a new folder under `parent`.
    pub(crate) fn recipe(self, parent: &Path, purpose: Purpose) -> Result<Box<dyn Recipe>, String> {
        match self {
            Self::Postgres(programs) => {
                let user = is_root().then_some(postgres::USER);
                let folder = folder_of(user, parent, Kind::Postgres)?;
                Ok(Box::new(Postgres::new(programs, folder, user.is_some(), purpose)))
            }
            Self::MariaDb { install, server } => {
                // The core packages do without the service's user.
                let user = is_root().then(|| if user_exists("mysql") { "mysql" } else { "nobody" });
                let folder = folder_of(user, parent, Kind::MySql)?;
                Ok(Box::new(MariaDb::new(install, server, folder, user, purpose)))
            }
        }
    }
}

/// A new folder that belongs to the user, who is told apart from the one that runs this.
fn folder_of(user: Option<&str>, parent: &Path, kind: Kind) -> Result<PathBuf, String> {
    let folder = parent.join(kind.word());
    fs::create_dir(&folder).map_err(|error| format!("cannot make the folder {}: {error}", folder.display()))?;
    if let Some(user) = user {
        let mut command = Command::new("chown");
        command.arg(format!("{user}:")).arg(&folder).stdin(Stdio::null()).stdout(Stdio::null());
        if !command.status().is_ok_and(|status| status.success()) {
            return Err(format!("cannot give the folder {} to the user {user}", folder.display()));
        }
    }
    Ok(folder)
}

fn user_exists(name: &str) -> bool {
    let mut command = Command::new("id");
    command.args(["-u", name]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
