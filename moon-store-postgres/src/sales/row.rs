//! A sale as a row.

use moon_core::{
    Adjustment, AdjustmentKind, Error, ErrorKind, GIVEN_BRANCH, GIVEN_TEAM, Places, Result, Sale, SaleContent, SaleId,
    SaleKind,
};

use super::stored_key;
use crate::session::Row;
use crate::value::{self, Day, Instant};

/// What [`read_sale`] reads. Adjustments come as JSON in the row: few sales have any.
pub(super) const SALE_COLUMNS: &str = "s.sale_date, s.id, src.name, s.reference, s.revision, s.last_revision, p.code, \
    a.code, t.code, b.code, s.given, s.amount, s.kind, s.state = 1, s.policy_number, s.recorded_at, s.content_at, \
    (SELECT json_agg(json_build_array(j.kind, j.own_date - DATE '1970-01-01', j.amount, j.count, j.revision))::text \
     FROM ledger_adjustments j WHERE j.sale_id = s.id)";

/// Where [`SALE_COLUMNS`] are found, besides `ledger_sales s`.
pub(super) const SALE_TABLES: &str = "JOIN ledger_sources src ON src.id = s.source_id \
    LEFT JOIN ledger_products p ON p.id = s.product_id \
    LEFT JOIN ledger_agents a ON a.id = s.agent_id \
    LEFT JOIN ledger_teams t ON t.id = s.team_id \
    LEFT JOIN ledger_branches b ON b.id = s.branch_id";

/// The columns that follow [`SALE_COLUMNS`] when keys are looked up.
pub(super) const PLACE: usize = 18;
pub(super) const STATE: usize = 19;

/// `state` of a sale in force.
pub(super) const IN_FORCE: i16 = 0;
/// `state` of a voided sale.
pub(super) const VOIDED: i16 = 1;
/// `state` of a key whose messages came before its sale.
pub(super) const AWAITED: i16 = 2;

pub(super) fn read_sale(row: &Row) -> Result<Sale> {
    let (team, branch, agent): (Option<&str>, Option<&str>, Option<&str>) = (row.get(8)?, row.get(9)?, row.get(7)?);
    let places = Places { team: team.map(value::code).transpose()?, branch: branch.map(value::code).transpose()? };
    let missing = || Error::new(ErrorKind::Corrupt, "stored sale has no product");
    let kind: i16 = row.get(12)?;
    let unknown = || Error::new(ErrorKind::Corrupt, "stored sale has an unknown kind").with("kind", kind);
    let given: i16 = row.get(10)?;
    let policy_number: Option<&str> = row.get(14)?;
    let product: Option<&str> = row.get(6)?;
    Ok(Sale {
        id: SaleId(row.get(1)?),
        key: stored_key(row.get(2)?, row.get(3)?)?,
        content: SaleContent {
            agent: agent.map(value::code).transpose()?,
            product: value::code(product.ok_or_else(missing)?)?,
            amount: value::amount(row.get(11)?)?,
            date: row.get::<Day>(0)?.date()?,
            kind: u8::try_from(kind).ok().and_then(SaleKind::from_number).ok_or_else(unknown)?,
            policy_number: policy_number.map(|number| value::reference("policy number", number)).transpose()?,
            // What was given is where the sale counts.
            team: places.team.clone().filter(|_| given & i16::from(GIVEN_TEAM) != 0),
            branch: places.branch.clone().filter(|_| given & i16::from(GIVEN_BRANCH) != 0),
        },
        places,
        revision: value::revision(row.get(4)?)?,
        last_revision: value::revision(row.get(5)?)?,
        voided: row.get(13)?,
        adjustments: adjustments(row.get(17)?)?,
        recorded_at: row.get::<Instant>(15)?.0,
        content_at: row.get::<Instant>(16)?.0,
    })
}

/// Adjustments ascending by revision.
fn adjustments(stored: Option<&str>) -> Result<Vec<Adjustment>> {
    let Some(stored) = stored else { return Ok(Vec::new()) };
    let rows: Vec<(u8, i32, i64, i8, i64)> = value::from_json(stored)?;
    let mut adjustments = Vec::with_capacity(rows.len());
    for (kind, own_day, amount, count, revision) in rows {
        let unknown = || Error::new(ErrorKind::Corrupt, "stored adjustment has an unknown kind").with("kind", kind);
        adjustments.push(Adjustment {
            kind: AdjustmentKind::from_number(kind).ok_or_else(unknown)?,
            date: Day(own_day).date()?,
            amount: value::amount(amount)?,
            count,
            revision: value::revision(revision)?,
        });
    }
    adjustments.sort_by_key(|adjustment| adjustment.revision);
    Ok(adjustments)
}

/// Which places a sale's source gave.
pub(super) fn given(content: &SaleContent) -> i16 {
    let team = if content.team.is_some() { GIVEN_TEAM } else { 0 };
    let branch = if content.branch.is_some() { GIVEN_BRANCH } else { 0 };
    i16::from(team | branch)
}

/// The state of a sale that is there.
pub(super) fn state(sale: &Sale) -> i16 {
    if sale.voided { VOIDED } else { IN_FORCE }
}
