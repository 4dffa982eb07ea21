//! Codes: the names by which agents, teams, branches and products are known outside.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Error, Result};

/// The most characters a code may have.
pub const CODE_CHARS_MAX: usize = 64;

/// The reserved code under which sales without a known team, branch or agent are counted.
pub const UNASSIGNED: &str = "unassigned";

/// What a [`Code`] names; keeps a team's code from being passed where a branch's is wanted.
pub trait CodeKind: Copy + Eq + Ord + std::hash::Hash + fmt::Debug + Send + Sync + 'static {
    /// The kind as a lower-case noun, for messages.
    const NOUN: &'static str;
}

/// Marks the code of an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AgentKind {}
/// Marks the code of a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TeamKind {}
/// Marks the code of a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BranchKind {}
/// Marks the code of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProductKind {}

impl CodeKind for AgentKind {
    const NOUN: &'static str = "agent";
}
impl CodeKind for TeamKind {
    const NOUN: &'static str = "team";
}
impl CodeKind for BranchKind {
    const NOUN: &'static str = "branch";
}
impl CodeKind for ProductKind {
    const NOUN: &'static str = "product";
}

/// The code of an agent.
pub type AgentCode = Code<AgentKind>;
/// The code of a team.
pub type TeamCode = Code<TeamKind>;
/// The code of a branch.
pub type BranchCode = Code<BranchKind>;
/// The code of a product.
pub type ProductCode = Code<ProductKind>;

/// A code: 1 to [`CODE_CHARS_MAX`] visible characters, blanks only inside, compared and ordered byte by byte. Case and
/// Unicode form are kept as given, and [`UNASSIGNED`] is reserved. Cheap to clone.
///
/// ```
/// use moon_core::TeamCode;
///
/// assert_eq!(TeamCode::new("Alpha")?.as_str(), "Alpha");
/// assert!(TeamCode::new(" Alpha").is_err());
/// assert!(TeamCode::new("unassigned").is_err());
/// # Ok::<(), moon_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code<K: CodeKind> {
    text: Arc<str>,
    kind: PhantomData<K>,
}

impl<K: CodeKind> Code<K> {
    /// Checks and wraps a code.
    ///
    /// # Errors
    /// `InvalidInput` when it is empty, too long, reserved, has blanks at its ends or characters that cannot be seen.
    pub fn new(text: &str) -> Result<Self> {
        let fault = if text.is_empty() {
            "is empty"
        } else if text.trim() != text {
            "has blanks at its ends"
        } else if text.chars().any(is_invisible) {
            "has characters that cannot be seen"
        } else if text.len() > CODE_CHARS_MAX && text.chars().count() > CODE_CHARS_MAX {
            "is longer than 64 characters"
        } else if text == UNASSIGNED {
            "is reserved for what has no known place"
        } else {
            return Ok(Self { text: text.into(), kind: PhantomData });
        };
        Err(Error::invalid(format!("{} code {fault}", K::NOUN)).with("code", format_args!("{text:?}")))
    }

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Control characters, line and paragraph separators, and the invisible format characters (zero width, direction marks)
/// that make two different codes look the same.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

impl<K: CodeKind> fmt::Display for Code<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<K: CodeKind> fmt::Debug for Code<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", K::NOUN, &self.text)
    }
}

impl<K: CodeKind> AsRef<str> for Code<K> {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

// `Hash` of the derive hashes the text and a zero-sized marker, which is the hash of the text alone.
impl<K: CodeKind> std::borrow::Borrow<str> for Code<K> {
    fn borrow(&self) -> &str {
        &self.text
    }
}

impl<K: CodeKind> FromStr for Code<K> {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::new(text)
    }
}

impl<K: CodeKind> Serialize for Code<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de, K: CodeKind> Deserialize<'de> for Code<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_kept_byte_for_byte_and_bounded_in_characters() {
        for good in ["A", "ANNIV 12", "é", "e\u{301}", "😀", &"ß".repeat(CODE_CHARS_MAX)] {
            assert_eq!(ProductCode::new(good).unwrap().as_str(), good);
        }
        for bad in
            ["", " ", "A ", "\tA", "A\0B", "A\nB", "zero\u{200b}width", UNASSIGNED, &"ß".repeat(CODE_CHARS_MAX + 1)]
        {
            assert!(ProductCode::new(bad).is_err(), "{bad:?}");
        }
        assert_ne!(ProductCode::new("é").unwrap(), ProductCode::new("e\u{301}").unwrap());
        assert!(serde_json::from_str::<TeamCode>("\"unassigned\"").is_err());
    }
}
