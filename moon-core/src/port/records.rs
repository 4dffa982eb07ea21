//! Small documents.

use async_trait::async_trait;

use crate::{Record, RecordKey, Result, Version};

/// What a write expects to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// No record of this key.
    Absent,
    /// A record of this version.
    Version(Version),
}

/// Keeps small documents by namespaced key. Whether one has expired is for the caller to judge by its clock.
#[async_trait]
pub trait RecordRepository: Send {
    /// The record of this key, locked until a writing unit ends.
    async fn get(&mut self, key: &RecordKey) -> Result<Option<Record>>;

    /// Writes a record if what is there is as expected.
    ///
    /// # Errors
    /// `VersionConflict` when it is not.
    async fn put(&mut self, record: &Record, expected: Expected) -> Result<()>;

    /// Removes a record if it has this version.
    ///
    /// # Errors
    /// `VersionConflict` when it has not.
    async fn delete(&mut self, key: &RecordKey, version: Version) -> Result<()>;

    /// The records of a namespace, ascending by key.
    async fn list(&mut self, namespace: &str) -> Result<Vec<Record>>;
}
