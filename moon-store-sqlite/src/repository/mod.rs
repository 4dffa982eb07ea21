//! The repositories other than sales, each implemented by the unit of work.

mod agents;
mod assignments;
mod audit;
mod marks;
mod organisation;
mod products;
mod records;
mod targets;

use moon_core::{Error, ErrorKind, PageRequest, Result, Version};
use sqlx::sqlite::SqliteQueryResult;

/// The sort key behind which a page begins; the empty text, which is before every code, for the first one.
fn after(page: &PageRequest) -> Result<String> {
    page.after.as_ref().map_or_else(|| Ok(String::new()), moon_core::Cursor::sort_key)
}

/// How many rows a page fetches: one more than it holds, which tells that the list goes on.
fn fetch_limit(page: &PageRequest) -> i64 {
    i64::from(page.limit) + 1
}

/// The items at the places that a query by `json_each` named.
fn in_place<T: Clone>(length: usize, found: Vec<(i64, T)>) -> Vec<Option<T>> {
    let mut items = vec![None; length];
    for (place, item) in found {
        if let Some(slot) = usize::try_from(place).ok().and_then(|place| items.get_mut(place)) {
            *slot = Some(item);
        }
    }
    items
}

/// What it means that a guarded write touched no row.
fn written(
    outcome: &SqliteQueryResult,
    noun: &'static str,
    key: impl std::fmt::Display,
    expected: Option<Version>,
) -> Result<()> {
    match (outcome.rows_affected(), expected) {
        (1.., _) => Ok(()),
        (0, None) => Err(Error::new(ErrorKind::AlreadyExists, format!("{noun} exists already")).with(noun, key)),
        (0, Some(version)) => {
            Err(Error::new(ErrorKind::VersionConflict, format!("{noun} was changed by somebody else"))
                .with(noun, key)
                .with("expected_version", version))
        }
    }
}
