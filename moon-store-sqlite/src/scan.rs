//! The stream of postings.
//!
//! Each row that sqlx fetches crosses from SQLite's thread to the reader's, which costs more than SQLite needs to find it.
//! So a batch of sales crosses as one row: SQL packs the columns of a batch into four texts of whole numbers,
//! and they are taken apart here.

mod dictionary;
mod packed;

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use moon_core::{DayRange, DaySet, PostingBatch, PostingFilter, PostingSource, Pushdown, Result, TotalsPlan};
use sqlx::{QueryBuilder, Sqlite};

use crate::filter::SaleConditions;
use crate::unit::SqliteUnit;
use crate::value::to_json;
use dictionary::Dictionaries;
use packed::PackedColumns;

/// The most postings of one batch.
const BATCH: i64 = 65_536;

const DOING: &str = "read postings";

#[async_trait]
impl PostingSource for SqliteUnit {
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

/// Behind which key on disk a batch begins.
#[derive(Debug, Clone)]
struct Position {
    day: i32,
    id: Vec<u8>,
    revision: i64,
}

impl Position {
    /// Before everything on a day: every identifier is longer than none.
    fn before(day: i32) -> Self {
        Self { day, id: Vec::new(), revision: -1 }
    }
}

/// What is still to be read.
enum Rest {
    /// Sales of these ranges, the first one from a position on, and then the adjustments.
    Sales { ranges: std::vec::IntoIter<DayRange>, current: Option<(Position, i32)> },
    /// Adjustments from a position on.
    Adjustments(Position),
    /// Nothing.
    Nothing,
}

struct Scan<'a> {
    unit: &'a mut SqliteUnit,
    days: &'a DaySet,
    conditions: SaleConditions,
    dictionaries: Dictionaries,
    rest: Rest,
}

impl<'a> Scan<'a> {
    async fn new(unit: &'a mut SqliteUnit, filter: &'a PostingFilter) -> Result<Self> {
        let conditions = SaleConditions::of(unit, filter).await?;
        let mut ranges = filter.days.ranges().to_vec().into_iter();
        let current = ranges.next().map(|range| (Position::before(range.start()), range.end()));
        Ok(Self {
            unit,
            days: &filter.days,
            conditions,
            dictionaries: Dictionaries::default(),
            rest: Rest::Sales { ranges, current },
        })
    }

    async fn next_batch(&mut self) -> Result<Option<PostingBatch>> {
        loop {
            match std::mem::replace(&mut self.rest, Rest::Nothing) {
                Rest::Nothing => return Ok(None),
                Rest::Sales { current: None, .. } => {
                    self.rest = Rest::Adjustments(Position::before(i32::MIN));
                }
                Rest::Sales { mut ranges, current: Some((from, end)) } => {
                    let border = self.sales_border(&from, end).await?;
                    let to = border.clone().unwrap_or_else(|| Position::before(end));
                    let columns = self.pack_sales(&from, &to).await?;
                    let current = match border {
                        Some(border) => Some((border, end)),
                        None => ranges.next().map(|range| (Position::before(range.start()), range.end())),
                    };
                    self.rest = Rest::Sales { ranges, current };
                    let mut batch = PostingBatch::default();
                    columns.unpack(&mut batch.sales, None)?;
                    self.dictionaries.encode(&mut self.unit.session, &mut batch).await?;
                    if !batch.is_empty() {
                        return Ok(Some(batch));
                    }
                }
                Rest::Adjustments(from) => {
                    let border = self.adjustments_border(&from).await?;
                    let to = border.clone().unwrap_or_else(|| Position::before(i32::MAX));
                    let columns = self.pack_adjustments(&from, &to).await?;
                    self.rest = border.map_or(Rest::Nothing, Rest::Adjustments);
                    let mut batch = PostingBatch::default();
                    let adjustments = &mut batch.adjustments;
                    let own = (&mut adjustments.own_day, &mut adjustments.count);
                    columns.unpack(&mut adjustments.postings, Some(own))?;
                    self.dictionaries.encode(&mut self.unit.session, &mut batch).await?;
                    if !batch.is_empty() {
                        return Ok(Some(batch));
                    }
                }
            }
        }
    }

    /// The last sale of the batch behind `from`; `None` when the batch reaches the end.
    async fn sales_border(&mut self, from: &Position, end: i32) -> Result<Option<Position>> {
        let mut sql =
            QueryBuilder::<Sqlite>::new("SELECT s.sale_day, s.id FROM ledger_sales s WHERE (s.sale_day, s.id) > (");
        sql.push_bind(from.day).push(", ").push_bind(from.id.clone()).push(") AND s.sale_day < ").push_bind(end);
        if !self.conditions.is_empty() {
            self.conditions.push(&mut sql);
        }
        sql.push(" ORDER BY s.sale_day, s.id LIMIT 1 OFFSET ").push_bind(BATCH - 1);
        let found: sqlx::Result<Option<(i32, Vec<u8>)>> =
            sql.build_query_as().fetch_optional(self.unit.session.reading()?).await;
        let found = self.unit.session.done(DOING, found)?;
        Ok(found.map(|(day, id)| Position { day, id, revision: -1 }))
    }

    /// The sales behind `from` up to `to`, in order.
    async fn pack_sales(&mut self, from: &Position, to: &Position) -> Result<PackedColumns> {
        let mut sql = QueryBuilder::<Sqlite>::new(packed::select_packed!(
            "(SELECT s.sale_day, s.product_id, s.team_id, s.branch_id, s.agent_id, s.given, s.amount, NULL AS own
              FROM ledger_sales s WHERE (s.sale_day, s.id) > ("
        ));
        sql.push_bind(from.day).push(", ").push_bind(from.id.clone());
        sql.push(") AND (s.sale_day, s.id) <= (").push_bind(to.day).push(", ").push_bind(to.id.clone()).push(")");
        self.conditions.push(&mut sql);
        sql.push(" ORDER BY s.sale_day, s.id) x");
        let packed = sql.build_query_as().fetch_one(self.unit.session.reading()?).await;
        self.unit.session.done(DOING, packed)
    }

    /// The adjustments that touch the days, as a table `j` of their keys.
    fn push_touched(&self, sql: &mut QueryBuilder<Sqlite>) -> Result<()> {
        if self.days.ranges() == [DayRange::ALL] {
            sql.push("ledger_adjustments j");
            return Ok(());
        }
        let ranges: Vec<_> = self.days.ranges().iter().map(|range| (range.start(), range.end())).collect();
        let ranges = to_json(&ranges)?;
        sql.push("(SELECT x.sale_day, x.sale_id, x.revision FROM json_each(").push_bind(ranges.clone());
        sql.push(
            ") r CROSS JOIN ledger_adjustments x ON x.sale_day >= r.value ->> 0 AND x.sale_day < r.value ->> 1
             UNION SELECT x.sale_day, x.sale_id, x.revision FROM json_each(",
        );
        sql.push_bind(ranges);
        sql.push(") r CROSS JOIN ledger_adjustments x ON x.own_day >= r.value ->> 0 AND x.own_day < r.value ->> 1) j");
        Ok(())
    }

    /// The last adjustment of the batch behind `from`; `None` when the batch reaches the end.
    async fn adjustments_border(&mut self, from: &Position) -> Result<Option<Position>> {
        let mut sql = QueryBuilder::<Sqlite>::new("SELECT j.sale_day, j.sale_id, j.revision FROM ");
        self.push_touched(&mut sql)?;
        sql.push(" WHERE (j.sale_day, j.sale_id, j.revision) > (").push_bind(from.day).push(", ");
        sql.push_bind(from.id.clone()).push(", ").push_bind(from.revision);
        sql.push(") ORDER BY j.sale_day, j.sale_id, j.revision LIMIT 1 OFFSET ").push_bind(BATCH - 1);
        let found: sqlx::Result<Option<(i32, Vec<u8>, i64)>> =
            sql.build_query_as().fetch_optional(self.unit.session.reading()?).await;
        let found = self.unit.session.done(DOING, found)?;
        Ok(found.map(|(day, id, revision)| Position { day, id, revision }))
    }

    /// The adjustments behind `from` up to `to`, in order, under the places of their sales, which are found in the table's
    /// own order.
    async fn pack_adjustments(&mut self, from: &Position, to: &Position) -> Result<PackedColumns> {
        let mut sql = QueryBuilder::<Sqlite>::new(packed::select_packed!(
            "(SELECT s.sale_day, s.product_id, s.team_id, s.branch_id, s.agent_id, s.given, a.amount,
                 ((a.own_day + 354285) << 2) | (a.count + 1) AS own FROM "
        ));
        self.push_touched(&mut sql)?;
        sql.push(
            " CROSS JOIN ledger_adjustments a
                 ON a.sale_day = j.sale_day AND a.sale_id = j.sale_id AND a.revision = j.revision
             CROSS JOIN ledger_sales s INDEXED BY sqlite_autoindex_ledger_sales_1
                 ON s.sale_day = j.sale_day AND s.id = j.sale_id
             WHERE (j.sale_day, j.sale_id, j.revision) > (",
        );
        sql.push_bind(from.day).push(", ").push_bind(from.id.clone()).push(", ").push_bind(from.revision);
        sql.push(") AND (j.sale_day, j.sale_id, j.revision) <= (").push_bind(to.day).push(", ");
        sql.push_bind(to.id.clone()).push(", ").push_bind(to.revision).push(")");
        self.conditions.push(&mut sql);
        sql.push(" ORDER BY j.sale_day, j.sale_id, j.revision) x");
        let packed = sql.build_query_as().fetch_one(self.unit.session.reading()?).await;
        self.unit.session.done(DOING, packed)
    }
}
