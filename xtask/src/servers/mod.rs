//! Throw-away database servers for the tests: one PostgreSQL and one MariaDB from the machine's own programs. They
//! listen on 127.0.0.1 and in their folder only, and both vanish with the process that started them.

mod find;
mod guard;
mod launch;
mod mariadb;
mod postgres;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::{env, fs};

use self::guard::Guard;
use self::launch::{Recipe, launch};
use self::mariadb::MariaDb;
use self::postgres::Postgres;
use crate::apt::{self, Attempt, is_root};

/// The variable whose words, separated by commas, name the servers that the tests do without.
const SKIP: &str = "MOON_TEST_SKIP";

/// A kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Postgres,
    MySql,
}

impl Kind {
    const ALL: [Self; 2] = [Self::Postgres, Self::MySql];

    /// Its word in [`SKIP`], and the name of its folder.
    fn word(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::MySql => "mysql",
        }
    }

    /// The variable that tells the tests where it is.
    fn variable(self) -> &'static str {
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
    fn advice(self) -> String {
        let line = apt::line(self.packages());
        format!(
            "{} for the tests is missing; install it with `{line}`, or name one of yours in {}, or leave its tests \
             out with {SKIP}={}",
            self.purpose(),
            self.variable(),
            self.word()
        )
    }

    /// Its programs on this machine.
    fn find(self) -> Option<Programs> {
        match self {
            Self::Postgres => find::postgres().map(Programs::Postgres),
            Self::MySql => find::mariadb().map(|(install, server)| Programs::MariaDb { install, server }),
        }
    }

    /// Finds its programs; installs them where that is allowed.
    fn provide(self) -> Result<Programs, String> {
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
enum Programs {
    Postgres(PathBuf),
    MariaDb { install: PathBuf, server: PathBuf },
}

impl Programs {
    /// The recipe for a server in a new folder under `parent`.
    fn recipe(self, parent: &Path) -> Result<Box<dyn Recipe>, String> {
        match self {
            Self::Postgres(programs) => {
                let user = is_root().then_some(postgres::USER);
                let folder = folder_of(user, parent, Kind::Postgres)?;
                Ok(Box::new(Postgres::new(programs, folder, user.is_some())))
            }
            Self::MariaDb { install, server } => {
                // The core packages do without the service's user.
                let user = is_root().then(|| if user_exists("mysql") { "mysql" } else { "nobody" });
                let folder = folder_of(user, parent, Kind::MySql)?;
                Ok(Box::new(MariaDb::new(install, server, folder, user)))
            }
        }
    }
}

/// The servers that will have to be started; their programs are there.
#[derive(Debug)]
pub(crate) struct Provided(Vec<(Kind, Programs)>);

/// Finds out which servers must be started and makes sure that their programs are there, which may take an installation.
/// Servers that a variable names already, or that are to be left out, are none of them.
pub(crate) fn provide() -> Result<Provided, String> {
    let wanted = wanted(|name| env::var(name).ok())?;
    let (mut provided, mut missing) = (Vec::new(), Vec::new());
    for kind in wanted {
        match kind.provide() {
            Ok(programs) => provided.push((kind, programs)),
            Err(advice) => missing.push(advice),
        }
    }
    if missing.is_empty() { Ok(Provided(provided)) } else { Err(missing.join("\n")) }
}

/// The servers to start, by the variables that are set.
fn wanted(variable: impl Fn(&str) -> Option<String>) -> Result<Vec<Kind>, String> {
    let skip = variable(SKIP).unwrap_or_default();
    let words: Vec<&str> = skip.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
    if let Some(word) = words.iter().find(|word| Kind::ALL.iter().all(|kind| kind.word() != **word)) {
        return Err(format!("{SKIP} knows `postgres` and `mysql`, but not `{word}`"));
    }
    let is_set = |kind: Kind| variable(kind.variable()).is_some_and(|url| !url.is_empty());
    Ok(Kind::ALL.into_iter().filter(|kind| !words.contains(&kind.word()) && !is_set(*kind)).collect())
}

/// Servers that run until this is dropped.
#[derive(Debug)]
pub(crate) struct Servers {
    variables: Vec<(&'static str, String)>,
    _guard: Option<Guard>,
}

impl Servers {
    /// Starts all of them at once. Where one fails, none is left running.
    pub(crate) fn start(provided: Provided) -> Result<Self, String> {
        if provided.0.is_empty() {
            return Ok(Self { variables: Vec::new(), _guard: None });
        }
        let guard = Guard::new(&env::temp_dir())?;
        let mut recipes = Vec::with_capacity(provided.0.len());
        for (kind, programs) in provided.0 {
            recipes.push((kind.variable(), programs.recipe(guard.folder())?));
        }
        let outcomes: Vec<Result<(&'static str, String), String>> = thread::scope(|scope| {
            let start = |(variable, recipe): &(&'static str, Box<dyn Recipe>)| {
                launch(recipe.as_ref(), &guard).map(|url| (*variable, url))
            };
            let threads: Vec<_> = recipes.iter().map(|pair| scope.spawn(move || start(pair))).collect();
            let join = |thread: thread::ScopedJoinHandle<'_, _>| {
                thread.join().unwrap_or_else(|_| Err("a thread that starts a server panicked".to_owned()))
            };
            threads.into_iter().map(join).collect()
        });
        let variables = outcomes.into_iter().collect::<Result<_, String>>()?;
        Ok(Self { variables, _guard: Some(guard) })
    }

    /// The variables that tell the tests where the servers are.
    pub(crate) fn variables(&self) -> &[(&'static str, String)] {
        &self.variables
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

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted_with(variables: &[(&str, &str)]) -> Result<Vec<Kind>, String> {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
        wanted(|name| find(name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn both_are_started_unless_a_variable_says_otherwise() {
        assert_eq!(wanted_with(&[]), Ok(vec![Kind::Postgres, Kind::MySql]));
        assert_eq!(wanted_with(&[(SKIP, ""), ("MOON_TEST_MYSQL_URL", "")]), Ok(vec![Kind::Postgres, Kind::MySql]));
        assert_eq!(wanted_with(&[("MOON_TEST_MYSQL_URL", "mysql://elsewhere/")]), Ok(vec![Kind::Postgres]));
        assert_eq!(wanted_with(&[(SKIP, "postgres")]), Ok(vec![Kind::MySql]));
        assert_eq!(wanted_with(&[(SKIP, "mysql, postgres")]), Ok(vec![]));
    }

    #[test]
    fn a_word_that_names_no_server_is_refused() {
        assert_eq!(
            wanted_with(&[(SKIP, "mysql,mariadb")]),
            Err("MOON_TEST_SKIP knows `postgres` and `mysql`, but not `mariadb`".to_owned())
        );
    }

    #[test]
    fn the_advice_names_the_line_and_the_ways_out() {
        let advice = Kind::MySql.advice();
        for part in ["apt-get install -y mariadb-server-core", "MOON_TEST_MYSQL_URL", "MOON_TEST_SKIP=mysql"] {
            assert!(advice.contains(part), "{advice}");
        }
    }

    #[test]
    fn nothing_is_started_where_nothing_is_wanted() {
        assert!(Servers::start(Provided(Vec::new())).unwrap().variables().is_empty());
    }
}
