//! A sale as a row.

use moon_core::{
    Adjustment, AdjustmentKind, Error, ErrorKind, GIVEN_BRANCH, GIVEN_TEAM, Places, Result, Sale, SaleContent, SaleKey,
    SaleKind,
};

use crate::value;

/// What [`SaleRow`] reads besides `place`. Adjustments come as JSON in the row: few sales have any.
pub(super) const SALE_COLUMNS: &str = "s.sale_day, s.id, src.name AS source, s.reference, s.revision, s.last_revision, \
    p.code AS product, a.code AS agent, t.code AS team, b.code AS branch, s.given, s.amount, s.kind, s.voided, \
    s.policy_number, s.recorded_at, s.content_at, \
    (SELECT json_group_array(json_array(j.kind, j.own_day, j.amount, j.count, j.revision)) FROM ledger_adjustments j \
     WHERE j.sale_day = s.sale_day AND j.sale_id = s.id) AS adjustments";

/// Where [`SALE_COLUMNS`] are found; conditions on `s` follow. CROSS JOIN keeps SQLite from beginning elsewhere than with
/// the sales.
pub(super) const SALE_TABLES: &str = "ledger_sales s \
    CROSS JOIN ledger_sources src ON src.id = s.source_id \
    CROSS JOIN ledger_products p ON p.id = s.product_id \
    LEFT JOIN ledger_agents a ON a.id = s.agent_id \
    LEFT JOIN ledger_teams t ON t.id = s.team_id \
    LEFT JOIN ledger_branches b ON b.id = s.branch_id";

#[derive(sqlx::FromRow)]
pub(super) struct SaleRow {
    pub(super) place: i64,
    sale_day: i64,
    id: Vec<u8>,
    source: String,
    reference: String,
    revision: i64,
    last_revision: i64,
    product: String,
    agent: Option<String>,
    team: Option<String>,
    branch: Option<String>,
    given: u8,
    amount: i64,
    kind: u8,
    voided: bool,
    policy_number: Option<String>,
    recorded_at: i64,
    content_at: i64,
    adjustments: String,
}

impl SaleRow {
    pub(super) fn read(&self) -> Result<Sale> {
        let places = Places {
            team: self.team.as_deref().map(value::code).transpose()?,
            branch: self.branch.as_deref().map(value::code).transpose()?,
        };
        let corrupt = || Error::new(ErrorKind::Corrupt, "stored sale has an unknown kind").with("kind", self.kind);
        let policy_number = self.policy_number.as_deref();
        Ok(Sale {
            id: value::sale_id(&self.id)?,
            key: SaleKey {
                source: value::reference("source", &self.source)?,
                reference: value::reference("reference", &self.reference)?,
            },
            content: SaleContent {
                agent: self.agent.as_deref().map(value::code).transpose()?,
                product: value::code(&self.product)?,
                amount: value::amount(self.amount)?,
                date: value::day(self.sale_day)?,
                kind: SaleKind::from_number(self.kind).ok_or_else(corrupt)?,
                policy_number: policy_number.map(|number| value::reference("policy number", number)).transpose()?,
                // What was given is where the sale counts.
                team: places.team.clone().filter(|_| self.given & GIVEN_TEAM != 0),
                branch: places.branch.clone().filter(|_| self.given & GIVEN_BRANCH != 0),
            },
            places,
            revision: value::revision(self.revision)?,
            last_revision: value::revision(self.last_revision)?,
            voided: self.voided,
            adjustments: adjustments(&self.adjustments)?,
            recorded_at: value::instant(self.recorded_at)?,
            content_at: value::instant(self.content_at)?,
        })
    }
}

/// Adjustments ascending by revision.
fn adjustments(stored: &str) -> Result<Vec<Adjustment>> {
    if stored == "[]" {
        return Ok(Vec::new());
    }
    let rows: Vec<(u8, i64, i64, i8, i64)> = value::from_json(stored)?;
    let mut adjustments = Vec::with_capacity(rows.len());
    for (kind, own_day, amount, count, revision) in rows {
        let unknown = || Error::new(ErrorKind::Corrupt, "stored adjustment has an unknown kind").with("kind", kind);
        adjustments.push(Adjustment {
            kind: AdjustmentKind::from_number(kind).ok_or_else(unknown)?,
            date: value::day(own_day)?,
            amount: value::amount(amount)?,
            count,
            revision: value::revision(revision)?,
        });
    }
    adjustments.sort_by_key(|adjustment| adjustment.revision);
    Ok(adjustments)
}

/// Which places a sale's source gave.
pub(super) fn given(content: &SaleContent) -> u8 {
    let team = if content.team.is_some() { GIVEN_TEAM } else { 0 };
    let branch = if content.branch.is_some() { GIVEN_BRANCH } else { 0 };
    team | branch
}
