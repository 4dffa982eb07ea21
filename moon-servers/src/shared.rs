//! The servers that all tests of a run share.

use std::{env, thread};

use crate::guard::Guard;
use crate::kind::{Kind, Programs, SKIP};
use crate::launch::{Recipe, launch};
use crate::purpose::Purpose;

/// The servers that will have to be started; their programs are there.
#[derive(Debug)]
pub struct Provided(Vec<(Kind, Programs)>);

/// Finds out which servers must be started and makes sure that their programs are there, which may take an installation.
/// Servers that a variable names already, or that are to be left out, are none of them.
///
/// # Errors
/// A sentence with the line that installs what is missing.
pub fn provide() -> Result<Provided, String> {
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
pub struct Servers {
    variables: Vec<(&'static str, String)>,
    _guard: Option<Guard>,
}

impl Servers {
    /// Starts all of them at once. Where one fails, none is left running.
    ///
    /// # Errors
    /// A sentence with the end of the log of the one that did not start.
    pub fn start(provided: Provided) -> Result<Self, String> {
        if provided.0.is_empty() {
            return Ok(Self { variables: Vec::new(), _guard: None });
        }
        let guard = Guard::new(&env::temp_dir())?;
        let mut recipes = Vec::with_capacity(provided.0.len());
        for (kind, programs) in provided.0 {
            recipes.push((kind.variable(), programs.recipe(guard.folder(), Purpose::Tests)?));
        }
        let outcomes: Vec<Result<(&'static str, String), String>> = thread::scope(|scope| {
            let start = |(variable, recipe): &(&'static str, Box<dyn Recipe>)| {
                let running = launch(recipe.as_ref(), &guard)?;
                guard.keep(running.process);
                Ok((*variable, recipe.url(running.port)))
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
    #[must_use]
    pub fn variables(&self) -> &[(&'static str, String)] {
        &self.variables
    }
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
