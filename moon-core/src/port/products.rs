//! Products and targets.

use async_trait::async_trait;

use super::{Page, PageRequest};
use crate::{Product, ProductCode, Result, Target, TargetKey, Version};

/// Keeps products and targets.
#[async_trait]
pub trait ProductRepository: Send {
    /// The products of these codes, each at the place of its code; `None` where there is none.
    async fn find(&mut self, codes: &[ProductCode]) -> Result<Vec<Option<Product>>>;

    /// Writes a product: a new one when `expected` is `None`, else in place of the one with that version.
    ///
    /// # Errors
    /// `AlreadyExists`, or `VersionConflict` when no product of that code has the expected version.
    async fn put(&mut self, product: &Product, expected: Option<Version>) -> Result<()>;

    /// Products ascending by code, byte by byte.
    async fn list(&mut self, page: &PageRequest) -> Result<Page<Product>>;

    /// The current targets of these keys: the highest version of each (key, from), in no particular order.
    async fn find_targets(&mut self, keys: &[TargetKey]) -> Result<Vec<Target>>;

    /// All current targets, in no particular order.
    async fn targets(&mut self) -> Result<Vec<Target>>;

    /// Adds a target, which becomes the current one of its (key, from); what was there stays in the history.
    ///
    /// # Errors
    /// `VersionConflict` when this version of the (key, from) is there already.
    async fn add_target(&mut self, target: &Target) -> Result<()>;
}
