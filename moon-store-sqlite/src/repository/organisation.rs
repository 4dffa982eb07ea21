//! Teams and branches.

use async_trait::async_trait;
use moon_core::{Branch, BranchCode, OrganisationRepository, Page, PageRequest, Result, Team, TeamCode, Version};

use super::{after, fetch_limit, in_place, written};
use crate::codes::Coded;
use crate::unit::SqliteUnit;
use crate::value;

#[derive(sqlx::FromRow)]
struct TeamRow {
    place: i64,
    id: i64,
    code: String,
    name: String,
    version: i64,
}

impl TeamRow {
    fn read(&self) -> Result<Team> {
        Ok(Team {
            code: value::code(&self.code)?,
            name: value::text("name", &self.name)?,
            version: value::version(self.version)?,
        })
    }
}

#[derive(sqlx::FromRow)]
struct BranchRow {
    place: i64,
    id: i64,
    code: String,
    name: String,
    region: Option<String>,
    version: i64,
}

impl BranchRow {
    fn read(&self) -> Result<Branch> {
        Ok(Branch {
            code: value::code(&self.code)?,
            name: value::text("name", &self.name)?,
            region: self.region.as_deref().map(|region| value::text("region", region)).transpose()?,
            version: value::version(self.version)?,
        })
    }
}

#[async_trait]
impl OrganisationRepository for SqliteUnit {
    async fn find_teams(&mut self, codes: &[TeamCode]) -> Result<Vec<Option<Team>>> {
        if codes.is_empty() {
            return Ok(Vec::new());
        }
        let rows: sqlx::Result<Vec<TeamRow>> = sqlx::query_as(
            "SELECT k.key AS place, t.id, t.code, t.name, t.version
             FROM json_each(?) k CROSS JOIN ledger_teams t ON t.code = k.value",
        )
        .bind(value::json_texts(codes.iter().map(TeamCode::as_str))?)
        .fetch_all(self.session.reading()?)
        .await;
        let rows = self.session.done("find teams", rows)?;
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            self.codes.learn(Coded::Team, &row.code, row.id);
            found.push((row.place, row.read()?));
        }
        Ok(in_place(codes.len(), found))
    }

    async fn find_branches(&mut self, codes: &[BranchCode]) -> Result<Vec<Option<Branch>>> {
        if codes.is_empty() {
            return Ok(Vec::new());
        }
        let rows: sqlx::Result<Vec<BranchRow>> = sqlx::query_as(
            "SELECT k.key AS place, b.id, b.code, b.name, b.region, b.version
             FROM json_each(?) k CROSS JOIN ledger_branches b ON b.code = k.value",
        )
        .bind(value::json_texts(codes.iter().map(BranchCode::as_str))?)
        .fetch_all(self.session.reading()?)
        .await;
        let rows = self.session.done("find branches", rows)?;
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            self.codes.learn(Coded::Branch, &row.code, row.id);
            found.push((row.place, row.read()?));
        }
        Ok(in_place(codes.len(), found))
    }

    async fn put_team(&mut self, team: &Team, expected: Option<Version>) -> Result<()> {
        let query = match expected {
            None => sqlx::query(
                "INSERT INTO ledger_teams (name, version, code) VALUES (?, ?, ?) ON CONFLICT (code) DO NOTHING",
            ),
            Some(_) => sqlx::query("UPDATE ledger_teams SET name = ?, version = ? WHERE code = ? AND version = ?"),
        };
        let outcome = query
            .bind(team.name.as_str())
            .bind(team.version.0)
            .bind(team.code.as_str())
            .bind(expected.map(|version| version.0))
            .execute(self.session.writing()?)
            .await;
        let outcome = self.session.done("write a team", outcome)?;
        written(&outcome, "team", &team.code, expected)
    }

    async fn put_branch(&mut self, branch: &Branch, expected: Option<Version>) -> Result<()> {
        let query = match expected {
            None => sqlx::query(
                "INSERT INTO ledger_branches (name, region, version, code) VALUES (?, ?, ?, ?)
                 ON CONFLICT (code) DO NOTHING",
            ),
            Some(_) => sqlx::query(
                "UPDATE ledger_branches SET name = ?, region = ?, version = ? WHERE code = ? AND version = ?",
            ),
        };
        let outcome = query
            .bind(branch.name.as_str())
            .bind(branch.region.as_ref().map(moon_core::Text::as_str))
            .bind(branch.version.0)
            .bind(branch.code.as_str())
            .bind(expected.map(|version| version.0))
            .execute(self.session.writing()?)
            .await;
        let outcome = self.session.done("write a branch", outcome)?;
        written(&outcome, "branch", &branch.code, expected)
    }

    async fn list_teams(&mut self, page: &PageRequest) -> Result<Page<Team>> {
        let rows: sqlx::Result<Vec<TeamRow>> = sqlx::query_as(
            "SELECT 0 AS place, id, code, name, version FROM ledger_teams WHERE code > ? ORDER BY code LIMIT ?",
        )
        .bind(after(page)?)
        .bind(fetch_limit(page))
        .fetch_all(self.session.reading()?)
        .await;
        let rows = self.session.done("list teams", rows)?;
        let items = rows.iter().map(TeamRow::read).collect::<Result<_>>()?;
        Ok(Page::from_fetched(items, page.limit, |team: &Team| team.code.to_string()))
    }

    async fn list_branches(&mut self, page: &PageRequest) -> Result<Page<Branch>> {
        let rows: sqlx::Result<Vec<BranchRow>> = sqlx::query_as(
            "SELECT 0 AS place, id, code, name, region, version FROM ledger_branches
             WHERE code > ? ORDER BY code LIMIT ?",
        )
        .bind(after(page)?)
        .bind(fetch_limit(page))
        .fetch_all(self.session.reading()?)
        .await;
        let rows = self.session.done("list branches", rows)?;
        let items = rows.iter().map(BranchRow::read).collect::<Result<_>>()?;
        Ok(Page::from_fetched(items, page.limit, |branch: &Branch| branch.code.to_string()))
    }
}
