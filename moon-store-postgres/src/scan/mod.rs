//! The stream of postings: a cursor of the server within the unit's snapshot, read a batch at a time.

mod dictionary;

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use moon_core::{
    PostingBatch, PostingColumns, PostingFilter, PostingSource, Pushdown, Result, TotalsPlan, UNASSIGNED_INDEX,
};

use crate::filter::{self, END, START, SaleConditions};
use crate::session::Row;
use crate::unit::PostgresUnit;
use crate::value::Day;
use dictionary::Dictionaries;

/// The most postings of one batch.
const BATCH: usize = 65_536;

const DOING: &str = "read postings";

#[async_trait]
impl PostingSource for PostgresUnit<'_> {
    fn scan<'a>(&'a mut self, filter: &'a PostingFilter) -> BoxStream<'a, Result<PostingBatch>> {
        stream::once(Scan::new(self, filter))
            .map_ok(|scan| {
                stream::try_unfold(
                    scan,
                    |mut scan| async move { Ok(scan.next_batch().await?.map(|batch| (batch, scan))) },
                )
            })
            .try_flatten()
            .boxed()
    }

    async fn totals(&mut self, plan: &TotalsPlan) -> Result<Pushdown> {
        self.sum(plan).await.map(Pushdown::Answered)
    }
}

/// What is still to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    Sales,
    Adjustments,
    Nothing,
}

struct Scan<'a, 'c> {
    unit: &'a mut PostgresUnit<'c>,
    conditions: SaleConditions,
    without_agents: bool,
    dictionaries: Dictionaries,
    rest: Rest,
    /// The cursor of `rest` is open.
    open: bool,
}

impl<'a, 'c> Scan<'a, 'c> {
    async fn new(unit: &'a mut PostgresUnit<'c>, filter: &'a PostingFilter) -> Result<Self> {
        let conditions = SaleConditions::of(unit, filter).await?;
        if std::mem::take(&mut unit.scanning) {
            unit.session.batch(DOING, "CLOSE moon_scan").await?;
        }
        let rest = if filter::is_empty(&filter.days) { Rest::Nothing } else { Rest::Sales };
        let without_agents = filter.without_agents;
        Ok(Self { unit, conditions, without_agents, dictionaries: Dictionaries::default(), rest, open: false })
    }

    async fn next_batch(&mut self) -> Result<Option<PostingBatch>> {
        while self.rest != Rest::Nothing {
            if !self.open {
                self.open().await?;
            }
            let mut batch = PostingBatch::default();
            let adjustments = self.rest == Rest::Adjustments;
            let without_agents = self.without_agents;
            let rows = {
                let columns = if adjustments { &mut batch.adjustments.postings } else { &mut batch.sales };
                reserve(columns, BATCH);
                let (own_day, count) = (&mut batch.adjustments.own_day, &mut batch.adjustments.count);
                let fetch = format!("FETCH FORWARD {BATCH} FROM moon_scan");
                self.unit
                    .session
                    .each_row(DOING, &fetch, &[], |row| {
                        take(row, columns, adjustments || !without_agents)?;
                        if adjustments {
                            own_day.push(row.get::<Day>(7)?.0);
                            count.push(i8::try_from(row.get::<i16>(8)?).unwrap_or(0));
                        }
                        Ok(())
                    })
                    .await?
            };
            if rows < BATCH {
                self.close().await?;
            }
            if rows > 0 {
                self.dictionaries.encode(&mut self.unit.session, &mut batch).await?;
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    /// Opens the cursor. The server is told that all rows are wanted: else it would rather begin soon than end soon.
    async fn open(&mut self) -> Result<()> {
        let select = if self.rest == Rest::Sales { self.sales() } else { self.adjustments() };
        self.unit.session.batch(DOING, "SET LOCAL cursor_tuple_fraction = 1").await?;
        let declare = format!("DECLARE moon_scan NO SCROLL CURSOR FOR {select}");
        self.unit.session.rows(DOING, &declare, &self.conditions.params()).await?;
        (self.open, self.unit.scanning) = (true, true);
        Ok(())
    }

    async fn close(&mut self) -> Result<()> {
        self.unit.session.batch(DOING, "CLOSE moon_scan").await?;
        (self.open, self.unit.scanning) = (false, false);
        self.rest = if self.rest == Rest::Sales { Rest::Adjustments } else { Rest::Nothing };
        Ok(())
    }

    fn sales(&self) -> String {
        let agents = if self.without_agents { "" } else { ", s.agent_id, s.given" };
        format!(
            "SELECT s.sale_date, s.product_id, s.team_id, s.branch_id, s.amount{agents}
             FROM ledger_sales s WHERE true{}{} ORDER BY s.sale_date",
            self.conditions.days("s.sale_date"),
            self.conditions.sql()
        )
    }

    /// Adjustments one of whose days lies in the days, under the places of their sales.
    fn adjustments(&self) -> String {
        let touched = if self.conditions.is_bounded() {
            format!(
                "(SELECT x.sale_id, x.revision FROM unnest({START}, {END}) AS r (lo, hi)
                  JOIN ledger_adjustments x ON x.sale_date >= r.lo AND x.sale_date < r.hi
                  UNION SELECT x.sale_id, x.revision FROM unnest({START}, {END}) AS r (lo, hi)
                  JOIN ledger_adjustments x ON x.own_date >= r.lo AND x.own_date < r.hi) k
                 JOIN ledger_adjustments a USING (sale_id, revision)"
            )
        } else {
            "ledger_adjustments a".to_owned()
        };
        let parameters = if self.conditions.is_bounded() { String::new() } else { self.conditions.days("a.sale_date") };
        format!(
            "SELECT s.sale_date, s.product_id, s.team_id, s.branch_id, a.amount, s.agent_id, s.given, a.own_date, a.count
             FROM {touched} JOIN ledger_sales s ON s.id = a.sale_id WHERE true{parameters}{} ORDER BY s.sale_date",
            self.conditions.sql()
        )
    }
}

fn reserve(columns: &mut PostingColumns, rows: usize) {
    columns.day.reserve(rows);
    for column in [&mut columns.team, &mut columns.branch, &mut columns.product, &mut columns.agent] {
        column.reserve(rows);
    }
    columns.given.reserve(rows);
    columns.amount.reserve(rows);
}

/// Appends a row. Codes are still the numbers under which the database keeps them.
fn take(row: &Row, columns: &mut PostingColumns, with_agent: bool) -> Result<()> {
    let number = |column: usize| -> Result<u32> {
        let number: Option<i32> = row.get(column)?;
        Ok(number.and_then(|number| u32::try_from(number).ok()).unwrap_or(0))
    };
    columns.day.push(row.get::<Day>(0)?.0);
    columns.product.push(number(1)?);
    columns.team.push(number(2)?);
    columns.branch.push(number(3)?);
    columns.amount.push(row.get(4)?);
    columns.agent.push(if with_agent { number(5)? } else { UNASSIGNED_INDEX });
    columns.given.push(if with_agent { u8::try_from(row.get::<i16>(6)?).unwrap_or(0) } else { 0 });
    Ok(())
}
