//! A sale as a row.

use std::collections::HashMap;

use moon_core::{
    Adjustment, AdjustmentKind, BusinessDate, Code, CodeKind, Error, ErrorKind, GIVEN_BRANCH, GIVEN_TEAM, Places,
    Result, Sale, SaleContent, SaleId, SaleKey, SaleKind,
};
use mysql_async::{Row, Value};

use crate::lists::parts;
use crate::session::Session;
use crate::value::{self, Columns as _};

/// What [`read_sale`] reads.
pub(super) const SALE_COLUMNS: &str = "s.sale_date, s.id, src.name, s.reference, s.revision, s.last_revision, p.code, \
    a.code, t.code, b.code, s.given, s.amount, s.kind, s.state, s.policy_number, s.recorded_at, s.content_at, \
    EXISTS (SELECT 1 FROM ledger_adjustments j WHERE j.sale_date = s.sale_date AND j.sale_id = s.id)";

/// Where [`SALE_COLUMNS`] are found, besides `ledger_sales s`. LEFT keeps the servers from beginning elsewhere than with the
/// sales.
pub(super) const SALE_TABLES: &str = "LEFT JOIN ledger_sources src ON src.id = s.source_id \
    LEFT JOIN ledger_products p ON p.id = s.product_id \
    LEFT JOIN ledger_agents a ON a.id = s.agent_id \
    LEFT JOIN ledger_teams t ON t.id = s.team_id \
    LEFT JOIN ledger_branches b ON b.id = s.branch_id";

/// The place of the state among the columns.
pub(super) const STATE: usize = 13;

/// `state` of a sale in force.
pub(super) const IN_FORCE: i64 = 0;
/// `state` of a voided sale.
pub(super) const VOIDED: i64 = 1;
/// `state` of a key whose messages came before its sale.
pub(super) const AWAITED: i64 = 2;

/// A sale without its adjustments.
#[derive(Debug)]
pub(super) struct StoredSale {
    pub(super) sale: Sale,
    /// Whether it has adjustments.
    pub(super) adjusted: bool,
}

pub(super) fn key(row: &Row) -> Result<SaleKey> {
    Ok(SaleKey {
        source: value::reference("source", row.text(2)?)?,
        reference: value::reference("reference", row.text(3)?)?,
    })
}

fn optional<K: CodeKind>(row: &Row, place: usize) -> Result<Option<Code<K>>> {
    row.optional_text(place)?.map(value::code).transpose()
}

pub(super) fn read_sale(row: &Row) -> Result<StoredSale> {
    let places = Places { team: optional(row, 8)?, branch: optional(row, 9)? };
    let given: u8 = value::narrow(row.int(10)?)?;
    let kind = row.int(12)?;
    let unknown = || Error::new(ErrorKind::Corrupt, "stored sale has an unknown kind").with("kind", kind);
    let policy_number = row.optional_text(14)?;
    let sale = Sale {
        id: SaleId(row.uuid(1)?),
        key: key(row)?,
        content: SaleContent {
            agent: optional(row, 7)?,
            product: value::code(row.text(6)?)?,
            amount: value::amount(row.int(11)?)?,
            date: row.date(0)?,
            kind: u8::try_from(kind).ok().and_then(SaleKind::from_number).ok_or_else(unknown)?,
            policy_number: policy_number.map(|number| value::reference("policy number", number)).transpose()?,
            // What was given is where the sale counts.
            team: places.team.clone().filter(|_| given & GIVEN_TEAM != 0),
            branch: places.branch.clone().filter(|_| given & GIVEN_BRANCH != 0),
        },
        places,
        revision: value::revision(row.int(4)?)?,
        last_revision: value::revision(row.int(5)?)?,
        voided: row.int(STATE)? == VOIDED,
        adjustments: Vec::new(),
        recorded_at: row.instant(15)?,
        content_at: row.instant(16)?,
    };
    Ok(StoredSale { sale, adjusted: row.int(17)? != 0 })
}

/// How many sales a statement names by their keys on disk.
const SALES_MAX: usize = 256;

/// Conditions for the adjustments of sales, in parts, with their values.
pub(super) fn by_sale(sales: &[(BusinessDate, SaleId)]) -> impl Iterator<Item = (String, Vec<Value>)> {
    parts(sales, SALES_MAX).map(|part| {
        let condition = vec!["(sale_date = ? AND sale_id = ?)"; part.len()].join(" OR ");
        (condition, part.iter().flat_map(|(date, id)| [value::date(*date), value::uuid(id.0)]).collect())
    })
}

/// The adjustments of these sales, ascending by revision.
pub(super) async fn adjustments_of(
    session: &mut Session<'_>,
    sales: &[(BusinessDate, SaleId)],
) -> Result<HashMap<SaleId, Vec<Adjustment>>> {
    let mut adjustments: HashMap<SaleId, Vec<Adjustment>> = HashMap::with_capacity(sales.len());
    for (condition, params) in by_sale(sales) {
        let sql = format!(
            "SELECT sale_id, kind, own_date, amount, count, revision FROM ledger_adjustments
             WHERE {condition} ORDER BY sale_date, sale_id, revision"
        );
        for row in session.rows("read adjustments", &sql, params).await? {
            let kind = row.int(1)?;
            let unknown = || Error::new(ErrorKind::Corrupt, "stored adjustment has an unknown kind").with("kind", kind);
            adjustments.entry(SaleId(row.uuid(0)?)).or_default().push(Adjustment {
                kind: u8::try_from(kind).ok().and_then(AdjustmentKind::from_number).ok_or_else(unknown)?,
                date: row.date(2)?,
                amount: value::amount(row.int(3)?)?,
                count: value::narrow(row.int(4)?)?,
                revision: value::revision(row.int(5)?)?,
            });
        }
    }
    Ok(adjustments)
}

/// Which places a sale's source gave.
pub(super) fn given(content: &SaleContent) -> i64 {
    let team = if content.team.is_some() { GIVEN_TEAM } else { 0 };
    let branch = if content.branch.is_some() { GIVEN_BRANCH } else { 0 };
    i64::from(team | branch)
}

/// The state of a sale that is there.
pub(super) fn state(sale: &Sale) -> i64 {
    if sale.voided { VOIDED } else { IN_FORCE }
}
