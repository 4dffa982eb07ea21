//! The repositories other than sales, each implemented by the unit of work.

mod agents;
mod assignments;
mod audit;
mod marks;
mod organisation;
mod products;
mod records;
mod targets;

use std::collections::HashMap;

use moon_core::{Error, ErrorKind, PageRequest, Result, Version};
use mysql_async::{Row, Value};

use crate::codes::Coded;
use crate::lists::lookups;
use crate::unit::MysqlUnit;
use crate::value::{self, Columns as _};

/// The sort key behind which a page begins; the empty text, which is before every code, for the first one.
fn after(page: &PageRequest) -> Result<Value> {
    let key = page.after.as_ref().map_or_else(|| Ok(String::new()), moon_core::Cursor::sort_key)?;
    Ok(value::bytes(key))
}

/// How many rows a page fetches: one more than it holds, which tells that the list goes on.
pub(crate) fn fetch_limit(page: &PageRequest) -> Value {
    value::int(i64::from(page.limit) + 1)
}

/// What it means that a guarded write touched no row, or found its key taken.
fn written(
    outcome: Result<u64>,
    noun: &'static str,
    key: impl std::fmt::Display,
    expected: Option<Version>,
) -> Result<()> {
    match (outcome, expected) {
        (Err(error), _) if error.kind() == ErrorKind::AlreadyExists => {
            Err(Error::new(ErrorKind::AlreadyExists, format!("{noun} exists already")).with(noun, key))
        }
        (Ok(0), Some(version)) => {
            Err(Error::new(ErrorKind::VersionConflict, format!("{noun} was changed by somebody else"))
                .with(noun, key)
                .with("expected_version", version))
        }
        (outcome, _) => outcome.map(drop),
    }
}

/// A row of master data whose key another one has already.
fn version_taken(outcome: Result<u64>, conflict: impl FnOnce() -> Error) -> Result<()> {
    match outcome {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(conflict()),
        outcome => outcome.map(drop),
    }
}

impl MysqlUnit<'_> {
    /// The rows of some codes, each at the place of its code. The query has `{places}` for the codes, and its first two
    /// columns are the number and the code; rows are met, and locked where the query says so, ascending by code.
    async fn find_by_code<T: Clone>(
        &mut self,
        doing: &str,
        coded: Coded,
        codes: &[&str],
        query: &str,
        read: impl Fn(&Row) -> Result<T>,
    ) -> Result<Vec<Option<T>>> {
        let mut ordered = codes.to_vec();
        ordered.sort_unstable();
        ordered.dedup();
        let ordered: Vec<Value> = ordered.into_iter().map(value::bytes).collect();
        let mut found: HashMap<String, T> = HashMap::with_capacity(ordered.len());
        for (places, params) in lookups(&ordered) {
            let rows = self.session.rows(doing, &query.replace("{places}", &places), params).await?;
            for row in rows {
                self.codes.learn(coded, row.text(1)?, row.int(0)?);
                found.insert(row.text(1)?.to_owned(), read(&row)?);
            }
        }
        Ok(codes.iter().map(|code| found.get(*code).cloned()).collect())
    }
}
