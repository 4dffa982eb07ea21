//! Teams and branches.

use async_trait::async_trait;

use super::{Page, PageRequest};
use crate::{Branch, BranchCode, Result, Team, TeamCode, Version};

/// Keeps teams and branches.
#[async_trait]
pub trait OrganisationRepository: Send {
    /// The teams of these codes, each at the place of its code; `None` where there is none.
    async fn find_teams(&mut self, codes: &[TeamCode]) -> Result<Vec<Option<Team>>>;

    /// The branches of these codes, each at the place of its code; `None` where there is none.
    async fn find_branches(&mut self, codes: &[BranchCode]) -> Result<Vec<Option<Branch>>>;

    /// Writes a team: a new one when `expected` is `None`, else in place of the one with that version.
    ///
    /// # Errors
    /// `AlreadyExists`, or `VersionConflict` when no team of that code has the expected version.
    async fn put_team(&mut self, team: &Team, expected: Option<Version>) -> Result<()>;

    /// Writes a branch, by the same rules.
    ///
    /// # Errors
    /// `AlreadyExists`, or `VersionConflict` when no branch of that code has the expected version.
    async fn put_branch(&mut self, branch: &Branch, expected: Option<Version>) -> Result<()>;

    /// Teams ascending by code, byte by byte.
    async fn list_teams(&mut self, page: &PageRequest) -> Result<Page<Team>>;

    /// Branches ascending by code, byte by byte.
    async fn list_branches(&mut self, page: &PageRequest) -> Result<Page<Branch>>;
}
