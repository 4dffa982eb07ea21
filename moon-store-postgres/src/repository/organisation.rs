//! Teams and branches.

use std::collections::HashMap;

use async_trait::async_trait;
use moon_core::{Branch, BranchCode, OrganisationRepository, Page, PageRequest, Result, Team, TeamCode, Text, Version};
use tokio_postgres::types::Type;

use super::{after, fetch_limit, in_place, written};
use crate::codes::Coded;
use crate::session::{Param, Row};
use crate::unit::PostgresUnit;
use crate::value;

/// Of `id, code, name, version`.
fn team(row: &Row) -> Result<Team> {
    Ok(Team {
        code: value::code(row.get(1)?)?,
        name: value::text("name", row.get(2)?)?,
        version: value::version(row.get(3)?)?,
    })
}

/// Of `id, code, name, version, region`.
fn branch(row: &Row) -> Result<Branch> {
    let region: Option<&str> = row.get(4)?;
    Ok(Branch {
        code: value::code(row.get(1)?)?,
        name: value::text("name", row.get(2)?)?,
        region: region.map(|region| value::text("region", region)).transpose()?,
        version: value::version(row.get(3)?)?,
    })
}

#[async_trait]
impl OrganisationRepository for PostgresUnit<'_> {
    async fn find_teams(&mut self, codes: &[TeamCode]) -> Result<Vec<Option<Team>>> {
        let texts: Vec<&str> = codes.iter().map(TeamCode::as_str).collect();
        let sql = "SELECT id, code, name, version FROM ledger_teams WHERE code = ANY($1)";
        let mut found = HashMap::with_capacity(texts.len());
        for row in self.session.rows("find teams", sql, &[(&texts, Type::TEXT_ARRAY)]).await? {
            self.codes.learn(Coded::Team, row.get(1)?, row.get(0)?);
            found.insert(row.get::<String>(1)?, team(&row)?);
        }
        Ok(in_place(texts.into_iter(), &found))
    }

    async fn find_branches(&mut self, codes: &[BranchCode]) -> Result<Vec<Option<Branch>>> {
        let texts: Vec<&str> = codes.iter().map(BranchCode::as_str).collect();
        let sql = "SELECT id, code, name, version, region FROM ledger_branches WHERE code = ANY($1)";
        let mut found = HashMap::with_capacity(texts.len());
        for row in self.session.rows("find branches", sql, &[(&texts, Type::TEXT_ARRAY)]).await? {
            self.codes.learn(Coded::Branch, row.get(1)?, row.get(0)?);
            found.insert(row.get::<String>(1)?, branch(&row)?);
        }
        Ok(in_place(texts.into_iter(), &found))
    }

    async fn put_team(&mut self, team: &Team, expected: Option<Version>) -> Result<()> {
        let sql = match expected {
            None => {
                "INSERT INTO ledger_teams (code, name, version)
                 SELECT $1, $2, $3 WHERE $4::int8 IS NULL ON CONFLICT (code) DO NOTHING"
            }
            Some(_) => "UPDATE ledger_teams SET name = $2, version = $3 WHERE code = $1 AND version = $4",
        };
        let params: [Param<'_>; 4] = [
            (&team.code.as_str(), Type::TEXT),
            (&team.name.as_str(), Type::TEXT),
            (&i64::from(team.version.0), Type::INT8),
            (&expected.map(|version| i64::from(version.0)), Type::INT8),
        ];
        let touched = self.session.execute("write a team", sql, &params).await?;
        written(touched, "team", &team.code, expected)
    }

    async fn put_branch(&mut self, branch: &Branch, expected: Option<Version>) -> Result<()> {
        let sql = match expected {
            None => {
                "INSERT INTO ledger_branches (code, name, region, version)
                 SELECT $1, $2, $3, $4 WHERE $5::int8 IS NULL ON CONFLICT (code) DO NOTHING"
            }
            Some(_) => {
                "UPDATE ledger_branches SET name = $2, region = $3, version = $4 WHERE code = $1 AND version = $5"
            }
        };
        let params: [Param<'_>; 5] = [
            (&branch.code.as_str(), Type::TEXT),
            (&branch.name.as_str(), Type::TEXT),
            (&branch.region.as_ref().map(Text::as_str), Type::TEXT),
            (&i64::from(branch.version.0), Type::INT8),
            (&expected.map(|version| i64::from(version.0)), Type::INT8),
        ];
        let touched = self.session.execute("write a branch", sql, &params).await?;
        written(touched, "branch", &branch.code, expected)
    }

    async fn list_teams(&mut self, page: &PageRequest) -> Result<Page<Team>> {
        let sql = "SELECT id, code, name, version FROM ledger_teams WHERE code > $1 ORDER BY code LIMIT $2";
        let params: [Param<'_>; 2] = [(&after(page)?, Type::TEXT), (&fetch_limit(page), Type::INT8)];
        let rows = self.session.rows("list teams", sql, &params).await?;
        let items = rows.iter().map(team).collect::<Result<_>>()?;
        Ok(Page::from_fetched(items, page.limit, |team: &Team| team.code.to_string()))
    }

    async fn list_branches(&mut self, page: &PageRequest) -> Result<Page<Branch>> {
        let sql = "SELECT id, code, name, version, region FROM ledger_branches WHERE code > $1 ORDER BY code LIMIT $2";
        let params: [Param<'_>; 2] = [(&after(page)?, Type::TEXT), (&fetch_limit(page), Type::INT8)];
        let rows = self.session.rows("list branches", sql, &params).await?;
        let items = rows.iter().map(branch).collect::<Result<_>>()?;
        Ok(Page::from_fetched(items, page.limit, |branch: &Branch| branch.code.to_string()))
    }
}
