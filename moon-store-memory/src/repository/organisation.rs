//! Teams and branches.

use async_trait::async_trait;
use moon_core::{Branch, BranchCode, OrganisationRepository, Page, PageRequest, Result, Team, TeamCode, Version};

use crate::store::MemoryUnit;

#[async_trait]
impl OrganisationRepository for MemoryUnit {
    async fn find_teams(&mut self, codes: &[TeamCode]) -> Result<Vec<Option<Team>>> {
        Ok(self.state().teams.find(codes))
    }

    async fn find_branches(&mut self, codes: &[BranchCode]) -> Result<Vec<Option<Branch>>> {
        Ok(self.state().branches.find(codes))
    }

    async fn put_team(&mut self, team: &Team, expected: Option<Version>) -> Result<()> {
        self.state_mut()?.teams.put(team, expected)
    }

    async fn put_branch(&mut self, branch: &Branch, expected: Option<Version>) -> Result<()> {
        self.state_mut()?.branches.put(branch, expected)
    }

    async fn list_teams(&mut self, page: &PageRequest) -> Result<Page<Team>> {
        self.state().teams.list(page)
    }

    async fn list_branches(&mut self, page: &PageRequest) -> Result<Page<Branch>> {
        self.state().branches.list(page)
    }
}
