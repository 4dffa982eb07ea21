//! Names and other texts for people.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Error, Result};

/// The most characters a [`Text`] may have.
pub const TEXT_CHARS_MAX: usize = 200;

/// A short text for people: 1 to [`TEXT_CHARS_MAX`] characters, no NUL and no line breaks or other control characters,
/// kept as given. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Arc<str>);

/// The name of an agent, a team, a branch or a product. Names may repeat.
pub type Name = Text;

impl Text {
    /// Checks and wraps a text; `field` names it in the message.
    ///
    /// # Errors
    /// `InvalidInput` when it is blank, too long or has control characters.
    pub fn new(field: &'static str, text: &str) -> Result<Self> {
        let fault = if text.trim().is_empty() {
            "is empty"
        } else if text.chars().any(char::is_control) {
            "has control characters"
        } else if text.len() > TEXT_CHARS_MAX && text.chars().count() > TEXT_CHARS_MAX {
            "is longer than 200 characters"
        } else {
            return Ok(Self(text.into()));
        };
        Err(Error::invalid(format!("{field} {fault}")).with("value", format_args!("{text:?}")))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::new("text", &text).map_err(serde::de::Error::custom)
    }
}
