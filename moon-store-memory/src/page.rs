//! Pages of ordered maps.

use moon_core::{PAGE_LIMIT_MAX, Page, PageRequest, Result};

use crate::tree::Tree;

/// The key behind which the page starts.
///
/// # Errors
/// `InvalidInput` for a cursor of another version or another list.
pub(crate) fn after<K>(request: &PageRequest, read: impl Fn(&str) -> Result<K>) -> Result<Option<K>> {
    request.after.as_ref().map(|cursor| cursor.sort_key().and_then(|key| read(&key))).transpose()
}

/// The entries behind a key, ascending; all when there is none.
pub(crate) fn behind<'a, K: Ord + Clone, V: Clone>(
    tree: &'a Tree<K, V>,
    after: Option<&'a K>,
) -> impl Iterator<Item = (&'a K, &'a V)> {
    after.map_or_else(|| tree.iter(), |key| tree.starting_at(key)).skip_while(move |(key, _)| Some(*key) == after)
}

/// A page of what follows.
pub(crate) fn page<T>(
    items: impl Iterator<Item = T>,
    request: &PageRequest,
    sort_key: impl Fn(&T) -> String,
) -> Page<T> {
    let limit = request.limit.clamp(1, PAGE_LIMIT_MAX);
    let fetched = usize::try_from(limit).map_or(usize::MAX, |limit| limit + 1);
    Page::from_fetched(items.take(fetched).collect(), limit, sort_key)
}
