//! Which sales a scan or a sum reads, as conditions in SQL.

use moon_core::{PostingFilter, Result};
use mysql_async::Value;

use crate::codes::Coded;
use crate::lists::places;
use crate::unit::MysqlUnit;
use crate::value;

/// Conditions on `ledger_sales s`, besides the days.
#[derive(Debug, Default)]
pub(crate) struct SaleConditions {
    /// ` AND ...` for each, that of being in force included.
    pub(crate) sql: String,
    pub(crate) params: Vec<Value>,
}

impl SaleConditions {
    /// Those of a filter. Codes that nobody knows match nothing.
    pub(crate) async fn of(unit: &mut MysqlUnit<'_>, filter: &PostingFilter) -> Result<Self> {
        let mut conditions = Self { sql: " AND s.state = 0".to_owned(), params: Vec::new() };
        let agents = filter.agents.as_ref().map(|codes| codes.iter().map(AsRef::as_ref).collect::<Vec<&str>>());
        let products = filter.products.as_ref().map(|codes| codes.iter().map(AsRef::as_ref).collect());
        let teams = filter.teams.as_ref().map(|codes| codes.iter().map(AsRef::as_ref).collect());
        let branches = filter.branches.as_ref().map(|codes| codes.iter().map(AsRef::as_ref).collect());
        for (column, coded, codes) in [
            ("agent_id", Coded::Agent, agents),
            ("product_id", Coded::Product, products),
            ("team_id", Coded::Team, teams),
            ("branch_id", Coded::Branch, branches),
        ] {
            let Some(codes) = codes else { continue };
            unit.codes.load(&mut unit.session, coded, codes.iter().copied()).await?;
            conditions.push(column, codes.iter().filter_map(|code| unit.codes.get(coded, code)).map(Value::Int));
        }
        if let Some(kinds) = &filter.kinds {
            conditions.push("kind", kinds.iter().map(|kind| value::int(kind.number())));
        }
        Ok(conditions)
    }

    fn push(&mut self, column: &str, values: impl Iterator<Item = Value>) {
        let mut values: Vec<Value> = values.collect();
        let Some(last) = values.last().cloned() else {
            self.sql.push_str(" AND FALSE");
            return;
        };
        // Few lengths, so that the statement stays prepared.
        values.resize(values.len().next_power_of_two(), last);
        self.sql.push_str(&format!(" AND s.{column} IN ({})", places("?", values.len())));
        self.params.append(&mut values);
    }
}
