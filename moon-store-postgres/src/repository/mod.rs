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

/// The sort key behind which a page begins; the empty text, which is before every code, for the first one.
fn after(page: &PageRequest) -> Result<String> {
    page.after.as_ref().map_or_else(|| Ok(String::new()), moon_core::Cursor::sort_key)
}

/// How many rows a page fetches: one more than it holds, which tells that the list goes on.
pub(crate) fn fetch_limit(page: &PageRequest) -> i64 {
    i64::from(page.limit) + 1
}

/// The items found, at the places of their codes.
fn in_place<'a, T: Clone>(codes: impl Iterator<Item = &'a str>, found: &HashMap<String, T>) -> Vec<Option<T>> {
    codes.map(|code| found.get(code).cloned()).collect()
}

/// What it means that a guarded write touched no row.
fn written(touched: u64, noun: &'static str, key: impl std::fmt::Display, expected: Option<Version>) -> Result<()> {
    match (touched, expected) {
        (1.., _) => Ok(()),
        (0, None) => Err(Error::new(ErrorKind::AlreadyExists, format!("{noun} exists already")).with(noun, key)),
        (0, Some(version)) => {
            Err(Error::new(ErrorKind::VersionConflict, format!("{noun} was changed by somebody else"))
                .with(noun, key)
                .with("expected_version", version))
        }
    }
}
