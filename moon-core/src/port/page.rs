//! Pages of lists.

use std::fmt::Write as _;

use crate::{Error, Result};

/// The most items of one page.
pub const PAGE_LIMIT_MAX: u32 = 1_000;

/// Where a list goes on: the sort key of the last item seen, versioned and opaque to callers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cursor(String);

impl Cursor {
    const VERSION: &'static str = "1";

    /// The cursor behind the item with this sort key.
    #[must_use]
    pub fn behind(sort_key: &str) -> Self {
        let mut text = String::with_capacity(1 + 2 * sort_key.len());
        text.push_str(Self::VERSION);
        for byte in sort_key.bytes() {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
    }

    /// Takes a cursor back from a caller.
    ///
    /// # Errors
    /// `InvalidInput` when it was not made by this version.
    pub fn from_text(text: &str) -> Result<Self> {
        let cursor = Self(text.to_owned());
        cursor.sort_key()?;
        Ok(cursor)
    }

    /// As given to callers.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The sort key of the last item seen.
    ///
    /// # Errors
    /// `InvalidInput` when the cursor was not made by this version.
    pub fn sort_key(&self) -> Result<String> {
        let fail = || {
            Error::invalid("cursor is not one that this version gave out; start again without it")
                .with("cursor", &self.0)
        };
        let hex = self.0.strip_prefix(Self::VERSION).filter(|hex| hex.is_ascii()).ok_or_else(fail)?;
        let bytes: Option<Vec<u8>> = (0..hex.len())
            .step_by(2)
            .map(|at| hex.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok()))
            .collect();
        bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(fail)
    }
}

/// Which part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// Behind which item; from the beginning when absent.
    pub after: Option<Cursor>,
    /// How many items at most, 1 to [`PAGE_LIMIT_MAX`].
    pub limit: u32,
}

impl PageRequest {
    /// From the beginning, `limit` items, brought into 1 to [`PAGE_LIMIT_MAX`].
    #[must_use]
    pub fn first(limit: u32) -> Self {
        Self { after: None, limit: limit.clamp(1, PAGE_LIMIT_MAX) }
    }

    /// The next page after `page`; `None` when that was the last one.
    #[must_use]
    pub fn following<T>(&self, page: &Page<T>) -> Option<Self> {
        page.next.clone().map(|after| Self { after: Some(after), limit: self.limit })
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// Where the list goes on; `None` at its end.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// Makes a page of `limit + 1` fetched items: the one too many only tells that the list goes on.
    #[must_use]
    pub fn from_fetched(mut items: Vec<T>, limit: u32, sort_key: impl Fn(&T) -> String) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|last| Cursor::behind(&sort_key(last)));
        Self { items, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_round_trip_and_foreign_ones_are_refused() {
        for key in ["", "AGT001", "ß 😀"] {
            let cursor = Cursor::behind(key);
            assert_eq!(Cursor::from_text(cursor.as_str()).unwrap().sort_key().unwrap(), key);
        }
        for bad in ["", "2ab", "1a", "1zz", "1ff", "ß"] {
            assert!(Cursor::from_text(bad).is_err(), "{bad:?}");
        }
        let page = Page::from_fetched(vec!["a", "b", "c"], 2, ToString::to_string);
        assert_eq!(page.items, ["a", "b"]);
        assert_eq!(page.next, Some(Cursor::behind("b")));
        assert_eq!(Page::from_fetched(vec!["a"], 2, ToString::to_string).next, None);
    }
}
