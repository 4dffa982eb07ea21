//! Teams and branches.

use async_trait::async_trait;
use moon_core::{Branch, BranchCode, OrganisationRepository, Page, PageRequest, Result, Team, TeamCode, Text, Version};
use mysql_async::Row;

use super::{after, fetch_limit, written};
use crate::codes::Coded;
use crate::unit::MysqlUnit;
use crate::value::{self, Columns as _};

/// Of `id, code, name, version`.
fn team(row: &Row) -> Result<Team> {
    Ok(Team {
        code: value::code(row.text(1)?)?,
        name: value::text("name", row.text(2)?)?,
        version: value::version(row.int(3)?)?,
    })
}

/// Of `id, code, name, version, region`.
fn branch(row: &Row) -> Result<Branch> {
    Ok(Branch {
        code: value::code(row.text(1)?)?,
        name: value::text("name", row.text(2)?)?,
        region: row.optional_text(4)?.map(|region| value::text("region", region)).transpose()?,
        version: value::version(row.int(3)?)?,
    })
}

#[async_trait]
impl OrganisationRepository for MysqlUnit<'_> {
    async fn find_teams(&mut self, codes: &[TeamCode]) -> Result<Vec<Option<Team>>> {
        let codes: Vec<&str> = codes.iter().map(TeamCode::as_str).collect();
        let query = "SELECT id, code, name, version FROM ledger_teams WHERE code IN ({places})";
        self.find_by_code("find teams", Coded::Team, &codes, query, team).await
    }

    async fn find_branches(&mut self, codes: &[BranchCode]) -> Result<Vec<Option<Branch>>> {
        let codes: Vec<&str> = codes.iter().map(BranchCode::as_str).collect();
        let query = "SELECT id, code, name, version, region FROM ledger_branches WHERE code IN ({places})";
        self.find_by_code("find branches", Coded::Branch, &codes, query, branch).await
    }

    async fn put_team(&mut self, team: &Team, expected: Option<Version>) -> Result<()> {
        let mut params =
            vec![value::bytes(team.name.as_str()), value::int(team.version.0), value::bytes(team.code.as_str())];
        let sql = match expected {
            None => "INSERT INTO ledger_teams (name, version, code) VALUES (?, ?, ?)",
            Some(version) => {
                params.push(value::int(version.0));
                "UPDATE ledger_teams SET name = ?, version = ? WHERE code = ? AND version = ?"
            }
        };
        let outcome = self.session.execute("write a team", sql, params).await;
        written(outcome, "team", &team.code, expected)
    }

    async fn put_branch(&mut self, branch: &Branch, expected: Option<Version>) -> Result<()> {
        let mut params = vec![
            value::bytes(branch.name.as_str()),
            value::optional(branch.region.as_ref().map(Text::as_str)),
            value::int(branch.version.0),
            value::bytes(branch.code.as_str()),
        ];
        let sql = match expected {
            None => "INSERT INTO ledger_branches (name, region, version, code) VALUES (?, ?, ?, ?)",
            Some(version) => {
                params.push(value::int(version.0));
                "UPDATE ledger_branches SET name = ?, region = ?, version = ? WHERE code = ? AND version = ?"
            }
        };
        let outcome = self.session.execute("write a branch", sql, params).await;
        written(outcome, "branch", &branch.code, expected)
    }

    async fn list_teams(&mut self, page: &PageRequest) -> Result<Page<Team>> {
        let sql = "SELECT id, code, name, version FROM ledger_teams WHERE code > ? ORDER BY code LIMIT ?";
        let rows = self.session.rows("list teams", sql, vec![after(page)?, fetch_limit(page)]).await?;
        let items = rows.iter().map(team).collect::<Result<_>>()?;
        Ok(Page::from_fetched(items, page.limit, |team: &Team| team.code.to_string()))
    }

    async fn list_branches(&mut self, page: &PageRequest) -> Result<Page<Branch>> {
        let sql = "SELECT id, code, name, version, region FROM ledger_branches WHERE code > ? ORDER BY code LIMIT ?";
        let rows = self.session.rows("list branches", sql, vec![after(page)?, fetch_limit(page)]).await?;
        let items = rows.iter().map(branch).collect::<Result<_>>()?;
        Ok(Page::from_fetched(items, page.limit, |branch: &Branch| branch.code.to_string()))
    }
}
