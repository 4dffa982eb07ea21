//! Which sales a scan or a sum reads, as conditions in SQL.

use moon_core::{PostingFilter, Result};
use sqlx::{QueryBuilder, Sqlite};

use crate::codes::Coded;
use crate::unit::SqliteUnit;
use crate::value::to_json;

/// Conditions on `ledger_sales s`, besides the days.
#[derive(Debug, Default)]
pub(crate) struct SaleConditions(Vec<(&'static str, String)>);

impl SaleConditions {
    /// Those of a filter. Codes that nobody knows match nothing.
    pub(crate) async fn of(unit: &mut SqliteUnit, filter: &PostingFilter) -> Result<Self> {
        let mut conditions = Vec::new();
        let agents = filter.agents.as_ref().map(|codes| codes.iter().map(AsRef::as_ref).collect::<Vec<&str>>());
        let products = filter.products.as_ref().map(|codes| codes.iter().map(AsRef::as_ref).collect());
        let teams = filter.teams.as_ref().map(|codes| codes.iter().map(AsRef::as_ref).collect());
        let branches = filter.branches.as_ref().map(|codes| codes.iter().map(AsRef::as_ref).collect());
        for (column, coded, codes) in [
            (" AND s.agent_id IN (SELECT value FROM json_each(", Coded::Agent, agents),
            (" AND s.product_id IN (SELECT value FROM json_each(", Coded::Product, products),
            (" AND s.team_id IN (SELECT value FROM json_each(", Coded::Team, teams),
            (" AND s.branch_id IN (SELECT value FROM json_each(", Coded::Branch, branches),
        ] {
            let Some(codes) = codes else { continue };
            unit.codes.load(&mut unit.session, coded, codes.iter().copied()).await?;
            let ids: Vec<i64> = codes.iter().filter_map(|code| unit.codes.get(coded, code)).collect();
            conditions.push((column, to_json(&ids)?));
        }
        if let Some(kinds) = &filter.kinds {
            let numbers: Vec<u8> = kinds.iter().map(|kind| kind.number()).collect();
            conditions.push((" AND s.kind IN (SELECT value FROM json_each(", to_json(&numbers)?));
        }
        Ok(Self(conditions))
    }

    /// Whether every sale matches that is not voided.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Appends ` AND ...` for each condition, that of not being voided included.
    pub(crate) fn push(&self, sql: &mut QueryBuilder<Sqlite>) {
        sql.push(" AND s.voided = 0");
        for (condition, values) in &self.0 {
            sql.push(*condition).push_bind(values.clone()).push("))");
        }
    }
}
