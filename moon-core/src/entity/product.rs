//! Products.

use serde::{Deserialize, Serialize};

use crate::{Name, ProductCode, Text, Version};

/// What is sold. The code is the key; names may repeat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// The key.
    pub code: ProductCode,
    /// Name for people.
    pub name: Name,
    /// Line of business, such as `life`, `vehicle` or `health`.
    pub line: Option<Text>,
    /// Days within which a customer may withdraw.
    pub free_look_days: Option<u16>,
    /// Rises with every change.
    pub version: Version,
}
