//! The way in for new sales.
//!
//! The clean path sends all rows by COPY in its binary form, straight into the table, within a savepoint. When a key is
//! known, the unique index refuses, and the careful path inserts what it can and tells what it cannot. Keys that only
//! messages know are in the same index: see `ledger_sales` in the schema.

use std::collections::HashSet;

use bytes::Bytes;
use moon_core::{ErrorKind, Reference, Result, Sale};
use uuid::Uuid;

use super::columns::{AdjustmentColumns, COLUMNS, INSERT_ADJUSTMENTS, SaleColumns, sales_table};
use super::row::{given, state};
use crate::codes::{Coded, Codes};
use crate::copy::CopyRows;
use crate::unit::PostgresUnit;
use crate::value::{Day, Instant};

const DOING: &str = "record sales";

/// Bytes of a row with short references.
const ROW_BYTES: usize = 200;

impl PostgresUnit<'_> {
    pub(super) async fn insert_absent_sales(&mut self, sales: &[Sale]) -> Result<Vec<usize>> {
        self.session.check_writes()?;
        if sales.is_empty() {
            return Ok(Vec::new());
        }
        let mut ordered: Vec<&Sale> = sales.iter().collect();
        // One order for all units, so that two of them never wait for each other's keys in a ring.
        ordered.sort_unstable_by(|left, right| left.key.cmp(&right.key));
        self.load_sale_codes(&ordered).await?;
        let rows = copy_rows(&self.codes, &ordered)?;
        self.session.batch(DOING, "SAVEPOINT moon_sales").await?;
        let copy = format!("COPY ledger_sales ({COLUMNS}) FROM STDIN (FORMAT binary)");
        let inserted: Option<HashSet<Uuid>> = match self.session.copy_in(DOING, &copy, rows).await {
            Ok(_) => None,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                self.session.recover(DOING, "ROLLBACK TO SAVEPOINT moon_sales").await?;
                Some(self.insert_carefully(&ordered).await?)
            }
            Err(error) => return Err(error),
        };
        self.session.batch(DOING, "RELEASE SAVEPOINT moon_sales").await?;
        let is_new = |sale: &Sale| inserted.as_ref().is_none_or(|inserted| inserted.contains(&sale.id.0));
        let adjustments = AdjustmentColumns::of(sales.iter().filter(|sale| is_new(sale)));
        if !adjustments.is_empty() {
            self.session.execute(DOING, INSERT_ADJUSTMENTS, &adjustments.params()).await?;
        }
        Ok(sales.iter().enumerate().filter(|(_, sale)| !is_new(sale)).map(|(place, _)| place).collect())
    }

    /// Inserts the sales whose keys are free and returns their identifiers.
    pub(super) async fn insert_carefully(&mut self, sales: &[&Sale]) -> Result<HashSet<Uuid>> {
        let columns = SaleColumns::of(&self.codes, sales.iter().copied())?;
        let sql = format!(
            "INSERT INTO ledger_sales ({COLUMNS}) SELECT * FROM {}
             ON CONFLICT (source_id, reference) DO NOTHING RETURNING id",
            sales_table()
        );
        self.session.check_writes()?;
        let rows = self.session.rows(DOING, &sql, &columns.params()).await?;
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Looks up the numbers of everything that these sales name.
    pub(super) async fn load_sale_codes(&mut self, sales: &[&Sale]) -> Result<()> {
        let Self { session, codes, .. } = self;
        codes.load_or_create_sources(session, sales.iter().map(|sale| &sale.key.source)).await?;
        let products = sales.iter().map(|sale| sale.content.product.as_str());
        codes.load(session, Coded::Product, products).await?;
        let agents = sales.iter().filter_map(|sale| sale.content.agent.as_ref()).map(AsRef::as_ref);
        codes.load(session, Coded::Agent, agents).await?;
        let teams = sales.iter().filter_map(|sale| sale.places.team.as_ref()).map(AsRef::as_ref);
        codes.load(session, Coded::Team, teams).await?;
        let branches = sales.iter().filter_map(|sale| sale.places.branch.as_ref()).map(AsRef::as_ref);
        codes.load(session, Coded::Branch, branches).await
    }
}

/// Sales as COPY takes them, in the order of [`COLUMNS`].
fn copy_rows(codes: &Codes, sales: &[&Sale]) -> Result<Bytes> {
    let mut rows = CopyRows::with_capacity(sales.len() * ROW_BYTES);
    for sale in sales {
        let content = &sale.content;
        rows.row(17);
        rows.bytes(sale.id.0.as_bytes())?;
        rows.int8(content.amount.minor());
        rows.int8(Instant(sale.recorded_at).stored());
        rows.int8(Instant(sale.content_at).stored());
        rows.int8(sale.revision.0.into());
        rows.int8(sale.last_revision.0.into());
        rows.int4(Day::from(content.date).stored());
        rows.int4(codes.source(&sale.key.source)?);
        rows.int4(codes.product(&content.product)?);
        rows.optional_int4(codes.agent(content.agent.as_ref())?);
        rows.optional_int4(codes.team(sale.places.team.as_ref())?);
        rows.optional_int4(codes.branch(sale.places.branch.as_ref())?);
        rows.int2(content.kind.number().into());
        rows.int2(given(content));
        rows.int2(state(sale));
        rows.bytes(sale.key.reference.as_str().as_bytes())?;
        match content.policy_number.as_ref().map(Reference::as_str) {
            Some(number) => rows.bytes(number.as_bytes())?,
            None => rows.null(),
        }
    }
    Ok(rows.finish())
}
