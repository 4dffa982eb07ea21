//! The way in for new sales.
//!
//! Rows go in by statements of many rows each. When a key is known, the unique key refuses the whole statement, and the
//! server undoes it; then the careful path inserts what it can and finds out what it could not. Keys that only messages
//! know are in the same index: see `ledger_sales` in the schema.

use std::collections::{HashMap, HashSet};

use moon_core::{Error, ErrorKind, Reference, Result, Sale, SaleId};
use mysql_async::Value;

use super::LOCK;
use super::row::{given, state};
use crate::codes::{Coded, Codes};
use crate::lists::{parts, places};
use crate::session::Session;
use crate::unit::MysqlUnit;
use crate::value::{self, Columns as _};

const DOING: &str = "record sales";

/// Rows of one statement at most.
const ROWS_MAX: usize = 512;
/// Rows of one statement at most where the server takes them in bulk.
const BULK_MAX: usize = 1_024;

/// The columns in the order of [`push_sale`].
pub(super) const COLUMNS: &str = "sale_date, id, source_id, product_id, agent_id, team_id, branch_id, given, kind, state, \
    amount, revision, last_revision, recorded_at, content_at, reference, policy_number";
const ROW: &str = "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
const COLUMN_COUNT: usize = 17;

impl MysqlUnit<'_> {
    pub(super) async fn insert_absent_sales(&mut self, sales: &[Sale]) -> Result<Vec<usize>> {
        self.session.check_writes()?;
        if sales.is_empty() {
            return Ok(Vec::new());
        }
        let mut ordered: Vec<&Sale> = sales.iter().collect();
        // One order for all units, so that two of them never wait for each other's keys in a ring.
        ordered.sort_unstable_by(|left, right| left.key.cmp(&right.key));
        self.load_sale_codes(&ordered).await?;
        let mut refused: HashSet<SaleId> = HashSet::new();
        if self.session.takes_bulk() {
            let mut chunks = ordered.chunks(BULK_MAX);
            let mut next = chunks.next().map(|part| (part, bulk_rows(&self.codes, part)));
            while let Some((part, rows)) = next {
                let behind = chunks.next();
                let (inserted, rows) = self.insert_bulk(rows?, behind).await?;
                if !inserted {
                    refused.extend(self.insert_carefully(part).await?);
                }
                next = behind.zip(rows);
            }
        } else {
            for part in parts(&ordered, ROWS_MAX) {
                if !self.insert_plain(part).await? {
                    refused.extend(self.insert_carefully(part).await?);
                }
            }
        }
        insert_adjustments(&mut self.session, sales.iter().filter(|sale| !refused.contains(&sale.id))).await?;
        Ok(sales.iter().enumerate().filter(|(_, sale)| refused.contains(&sale.id)).map(|(place, _)| place).collect())
    }

    /// Inserts sales by one statement; returns false, and leaves nothing, when a key is taken.
    async fn insert_plain(&mut self, sales: &[&Sale]) -> Result<bool> {
        let sql = format!("INSERT INTO ledger_sales ({COLUMNS}) VALUES {}", places(ROW, sales.len()));
        match self.session.execute(DOING, &sql, sale_params(&self.codes, sales)?).await {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            outcome => outcome.map(|_| true),
        }
    }

    /// [`insert_plain`](Self::insert_plain) for a server that takes rows in bulk, which saves it a quarter of its work. While
    /// it works, the rows of the sales that follow are made.
    async fn insert_bulk(
        &mut self,
        rows: Vec<Vec<Value>>,
        behind: Option<&[&Sale]>,
    ) -> Result<(bool, Option<Result<Vec<Vec<Value>>>>)> {
        let Self { session, codes, .. } = self;
        let sql = format!("INSERT INTO ledger_sales ({COLUMNS}) VALUES {ROW}");
        session.batch(DOING, "SAVEPOINT moon_sales").await?;
        let (outcome, rows) = futures_util::future::join(session.bulk(DOING, &sql, rows), async {
            behind.map(|sales| bulk_rows(codes, sales))
        })
        .await;
        match outcome {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                session.batch(DOING, "ROLLBACK TO SAVEPOINT moon_sales").await?;
                Ok((false, rows))
            }
            outcome => outcome.map(|()| (true, rows)),
        }
    }

    /// Inserts the sales whose keys are free and returns the identifiers of the others. Adjustments are left out.
    pub(super) async fn insert_carefully(&mut self, sales: &[&Sale]) -> Result<Vec<SaleId>> {
        let standing = self.identifiers(sales, LOCK).await?;
        let (mut free, mut refused) = (Vec::new(), Vec::new());
        for (sale, standing) in sales.iter().zip(standing) {
            if standing.is_none() { free.push(*sale) } else { refused.push(sale.id) }
        }
        for part in parts(&free, ROWS_MAX) {
            let sql = format!(
                "INSERT INTO ledger_sales ({COLUMNS}) VALUES {} ON DUPLICATE KEY UPDATE id = id",
                places(ROW, part.len())
            );
            self.session.execute(DOING, &sql, sale_params(&self.codes, part)?).await?;
        }
        // Another unit may have been faster, and then its sale stands there.
        for (sale, id) in free.iter().zip(self.identifiers(&free, "").await?) {
            match id {
                Some(id) if id == sale.id => {}
                Some(_) => refused.push(sale.id),
                None => {
                    self.session.spoil();
                    return Err(Error::new(ErrorKind::AlreadyExists, "another sale has this identifier")
                        .with("sale", &sale.key)
                        .with("id", sale.id));
                }
            }
        }
        Ok(refused)
    }

    /// The identifier of what stands under the key of each sale.
    async fn identifiers(&mut self, sales: &[&Sale], lock: &str) -> Result<Vec<Option<SaleId>>> {
        let select = "SELECT s.source_id, s.reference, s.id FROM ledger_sales s FORCE INDEX (ledger_sales_key)";
        let rows = self.rows_by_key(DOING, sales.iter().map(|sale| &sale.key), (select, "s"), lock).await?;
        let mut standing = HashMap::with_capacity(rows.len());
        for row in &rows {
            standing.insert((row.int(0)?, row.text(1)?), SaleId(row.uuid(2)?));
        }
        let of = |sale: &&Sale| {
            let source = self.codes.source(&sale.key.source)?;
            Ok(standing.get(&(source, sale.key.reference.as_str())).copied())
        };
        sales.iter().map(of).collect()
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

    /// Writes sales over the rows of their keys, which are there.
    pub(super) async fn overwrite(&mut self, sales: &[&Sale]) -> Result<()> {
        const OVER: &str = "sale_date = VALUES(sale_date), id = VALUES(id), product_id = VALUES(product_id),
            agent_id = VALUES(agent_id), team_id = VALUES(team_id), branch_id = VALUES(branch_id),
            given = VALUES(given), kind = VALUES(kind), state = VALUES(state), amount = VALUES(amount),
            revision = VALUES(revision), last_revision = VALUES(last_revision), recorded_at = VALUES(recorded_at),
            content_at = VALUES(content_at), policy_number = VALUES(policy_number)";
        for part in parts(sales, ROWS_MAX) {
            let sql = format!(
                "INSERT INTO ledger_sales ({COLUMNS}) VALUES {} ON DUPLICATE KEY UPDATE {OVER}",
                places(ROW, part.len())
            );
            self.session.execute("change sales", &sql, sale_params(&self.codes, part)?).await?;
        }
        Ok(())
    }
}

/// The values of sales whose codes are loaded, each by itself.
fn bulk_rows(codes: &Codes, sales: &[&Sale]) -> Result<Vec<Vec<Value>>> {
    sales.iter().map(|sale| sale_params(codes, &[sale])).collect()
}

/// The values of sales whose codes are loaded.
fn sale_params(codes: &Codes, sales: &[&Sale]) -> Result<Vec<Value>> {
    let mut params = Vec::with_capacity(sales.len() * COLUMN_COUNT);
    for sale in sales {
        push_sale(&mut params, codes, sale)?;
    }
    Ok(params)
}

fn push_sale(params: &mut Vec<Value>, codes: &Codes, sale: &Sale) -> Result<()> {
    let content = &sale.content;
    params.push(value::date(content.date));
    params.push(value::uuid(sale.id.0));
    params.push(Value::Int(codes.source(&sale.key.source)?));
    params.push(Value::Int(codes.product(&content.product)?));
    params.push(value::optional_int(codes.agent(content.agent.as_ref())?));
    params.push(value::optional_int(codes.team(sale.places.team.as_ref())?));
    params.push(value::optional_int(codes.branch(sale.places.branch.as_ref())?));
    params.push(Value::Int(given(content)));
    params.push(value::int(content.kind.number()));
    params.push(Value::Int(state(sale)));
    params.push(Value::Int(content.amount.minor()));
    params.push(value::int(sale.revision.0));
    params.push(value::int(sale.last_revision.0));
    params.push(value::micros(sale.recorded_at));
    params.push(value::micros(sale.content_at));
    params.push(value::bytes(sale.key.reference.as_str()));
    params.push(value::optional(content.policy_number.as_ref().map(Reference::as_str)));
    Ok(())
}

/// Inserts the adjustments of sales.
pub(super) async fn insert_adjustments(session: &mut Session<'_>, sales: impl Iterator<Item = &Sale>) -> Result<()> {
    let adjusted: Vec<_> = sales.flat_map(|sale| sale.adjustments.iter().map(move |own| (sale, own))).collect();
    for part in parts(&adjusted, ROWS_MAX) {
        let sql = format!(
            "INSERT INTO ledger_adjustments (sale_date, sale_id, revision, own_date, kind, count, amount) VALUES {}",
            places("(?,?,?,?,?,?,?)", part.len())
        );
        let mut params = Vec::with_capacity(part.len() * 7);
        for (sale, adjustment) in part {
            params.push(value::date(sale.content.date));
            params.push(value::uuid(sale.id.0));
            params.push(value::int(adjustment.revision.0));
            params.push(value::date(adjustment.date));
            params.push(value::int(adjustment.kind.number()));
            params.push(value::int(adjustment.count));
            params.push(Value::Int(adjustment.amount.minor()));
        }
        session.execute(DOING, &sql, params).await?;
    }
    Ok(())
}
