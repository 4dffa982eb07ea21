//! Sales and adjustments as arrays, a column each, for statements over many of them.

use moon_core::{Reference, Result, Sale};
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::row::{given, state};
use crate::codes::Codes;
use crate::session::Param;
use crate::value::{Day, Instant};

/// The columns of `ledger_sales` in the order of [`SaleColumns::params`].
pub(super) const COLUMNS: &str = "id, amount, recorded_at, content_at, revision, last_revision, sale_date, source_id, \
    product_id, agent_id, team_id, branch_id, kind, given, state, reference, policy_number";

/// A table of the sales in [`SaleColumns::params`], with columns as in [`COLUMNS`].
pub(super) fn sales_table() -> String {
    format!(
        "unnest($1::uuid[], $2::int8[], $3::timestamptz[], $4::timestamptz[], $5::int8[], $6::int8[], $7::date[], \
         $8::int4[], $9::int4[], $10::int4[], $11::int4[], $12::int4[], $13::int2[], $14::int2[], $15::int2[], \
         $16::text[], $17::text[]) AS x ({COLUMNS})"
    )
}

/// Sales whose codes are loaded.
#[derive(Debug, Default)]
pub(super) struct SaleColumns<'a> {
    id: Vec<Uuid>,
    amount: Vec<i64>,
    recorded_at: Vec<Instant>,
    content_at: Vec<Instant>,
    revision: Vec<i64>,
    last_revision: Vec<i64>,
    sale_date: Vec<Day>,
    source: Vec<i32>,
    product: Vec<i32>,
    agent: Vec<Option<i32>>,
    team: Vec<Option<i32>>,
    branch: Vec<Option<i32>>,
    kind: Vec<i16>,
    given: Vec<i16>,
    state: Vec<i16>,
    reference: Vec<&'a str>,
    policy_number: Vec<Option<&'a str>>,
}

impl<'a> SaleColumns<'a> {
    pub(super) fn of(codes: &Codes, sales: impl Iterator<Item = &'a Sale>) -> Result<Self> {
        let mut columns = Self::default();
        for sale in sales {
            let content = &sale.content;
            columns.id.push(sale.id.0);
            columns.amount.push(content.amount.minor());
            columns.recorded_at.push(Instant(sale.recorded_at));
            columns.content_at.push(Instant(sale.content_at));
            columns.revision.push(sale.revision.0.into());
            columns.last_revision.push(sale.last_revision.0.into());
            columns.sale_date.push(content.date.into());
            columns.source.push(codes.source(&sale.key.source)?);
            columns.product.push(codes.product(&content.product)?);
            columns.agent.push(codes.agent(content.agent.as_ref())?);
            columns.team.push(codes.team(sale.places.team.as_ref())?);
            columns.branch.push(codes.branch(sale.places.branch.as_ref())?);
            columns.kind.push(content.kind.number().into());
            columns.given.push(given(content));
            columns.state.push(state(sale));
            columns.reference.push(sale.key.reference.as_str());
            columns.policy_number.push(content.policy_number.as_ref().map(Reference::as_str));
        }
        Ok(columns)
    }

    pub(super) fn params(&self) -> [Param<'_>; 17] {
        [
            (&self.id, Type::UUID_ARRAY),
            (&self.amount, Type::INT8_ARRAY),
            (&self.recorded_at, Type::TIMESTAMPTZ_ARRAY),
            (&self.content_at, Type::TIMESTAMPTZ_ARRAY),
            (&self.revision, Type::INT8_ARRAY),
            (&self.last_revision, Type::INT8_ARRAY),
            (&self.sale_date, Type::DATE_ARRAY),
            (&self.source, Type::INT4_ARRAY),
            (&self.product, Type::INT4_ARRAY),
            (&self.agent, Type::INT4_ARRAY),
            (&self.team, Type::INT4_ARRAY),
            (&self.branch, Type::INT4_ARRAY),
            (&self.kind, Type::INT2_ARRAY),
            (&self.given, Type::INT2_ARRAY),
            (&self.state, Type::INT2_ARRAY),
            (&self.reference, Type::TEXT_ARRAY),
            (&self.policy_number, Type::TEXT_ARRAY),
        ]
    }
}

/// Adds the adjustments of sales.
pub(super) const INSERT_ADJUSTMENTS: &str = "INSERT INTO ledger_adjustments
        (sale_id, revision, amount, sale_date, own_date, kind, count)
    SELECT * FROM unnest($1::uuid[], $2::int8[], $3::int8[], $4::date[], $5::date[], $6::int2[], $7::int2[])";

/// The adjustments of sales, as [`INSERT_ADJUSTMENTS`] takes them.
#[derive(Debug, Default)]
pub(super) struct AdjustmentColumns {
    sale_id: Vec<Uuid>,
    revision: Vec<i64>,
    amount: Vec<i64>,
    sale_date: Vec<Day>,
    own_date: Vec<Day>,
    kind: Vec<i16>,
    count: Vec<i16>,
}

impl AdjustmentColumns {
    pub(super) fn of<'a>(sales: impl Iterator<Item = &'a Sale>) -> Self {
        let mut columns = Self::default();
        for sale in sales {
            for adjustment in &sale.adjustments {
                columns.sale_id.push(sale.id.0);
                columns.revision.push(adjustment.revision.0.into());
                columns.amount.push(adjustment.amount.minor());
                columns.sale_date.push(sale.content.date.into());
                columns.own_date.push(adjustment.date.into());
                columns.kind.push(adjustment.kind.number().into());
                columns.count.push(adjustment.count.into());
            }
        }
        columns
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sale_id.is_empty()
    }

    pub(super) fn params(&self) -> [Param<'_>; 7] {
        [
            (&self.sale_id, Type::UUID_ARRAY),
            (&self.revision, Type::INT8_ARRAY),
            (&self.amount, Type::INT8_ARRAY),
            (&self.sale_date, Type::DATE_ARRAY),
            (&self.own_date, Type::DATE_ARRAY),
            (&self.kind, Type::INT2_ARRAY),
            (&self.count, Type::INT2_ARRAY),
        ]
    }
}
