//! The stream of postings.
//!
//! Sales are read in the order in which they lie on disk, in chunks of one snapshot: each goes on behind the key on disk
//! where the one before ended. Only the last key of a chunk matters, so that it is asked for alone, and not with each row.

mod decode;
mod dictionary;

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use moon_core::{DayRange, DaySet, PostingBatch, PostingFilter, PostingSource, Pushdown, Result, TotalsPlan};
use mysql_async::Value;

use crate::filter::SaleConditions;
use crate::unit::MysqlUnit;
use crate::value::{self, Columns as _};
use decode::Decoder;
use dictionary::Dictionaries;

/// The most postings of one batch.
const BATCH: usize = 65_536;

const DOING: &str = "read postings";

#[async_trait]
impl PostingSource for MysqlUnit<'_> {
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

/// Where a chunk of sales begins.
#[derive(Debug, Clone)]
enum Position {
    /// With a day.
    Day(i32),
    /// Within a day, behind an identifier. Such a chunk ends with the day: one condition for both would cost the server a
    /// third more for each row.
    Within(i32, Vec<u8>),
}

/// Behind which key on disk a chunk of adjustments begins.
#[derive(Debug, Clone)]
struct AdjustmentPosition {
    sale_day: i32,
    sale_id: Vec<u8>,
    revision: i64,
}

/// What is still to be read.
enum Rest {
    /// Sales of these ranges, the first one from a position up to before a day, and then the adjustments.
    Sales { ranges: std::vec::IntoIter<DayRange>, current: Option<(Position, i32)> },
    /// Adjustments from a position on.
    Adjustments(AdjustmentPosition),
    /// Nothing.
    Nothing,
}

struct Scan<'a, 'c> {
    unit: &'a mut MysqlUnit<'c>,
    days: &'a DaySet,
    conditions: SaleConditions,
    without_agents: bool,
    dictionaries: Dictionaries,
    rest: Rest,
}

fn start_of(range: DayRange) -> (Position, i32) {
    (Position::Day(range.start()), range.end())
}

impl<'a, 'c> Scan<'a, 'c> {
    async fn new(unit: &'a mut MysqlUnit<'c>, filter: &'a PostingFilter) -> Result<Self> {
        let conditions = SaleConditions::of(unit, filter).await?;
        let mut ranges = filter.days.ranges().to_vec().into_iter();
        let current = ranges.next().map(start_of);
        Ok(Self {
            unit,
            days: &filter.days,
            conditions,
            without_agents: filter.without_agents,
            dictionaries: Dictionaries::default(),
            rest: Rest::Sales { ranges, current },
        })
    }

    async fn next_batch(&mut self) -> Result<Option<PostingBatch>> {
        loop {
            let mut batch = PostingBatch::default();
            match std::mem::replace(&mut self.rest, Rest::Nothing) {
                Rest::Nothing => return Ok(None),
                Rest::Sales { current: None, .. } => {
                    let sale_day = DayRange::ALL.start();
                    self.rest = Rest::Adjustments(AdjustmentPosition { sale_day, sale_id: Vec::new(), revision: -1 });
                }
                Rest::Sales { mut ranges, current: Some((from, end)) } => {
                    let next = self.read_sales(&from, end, &mut batch).await?;
                    let current = next.map(|next| (next, end)).or_else(|| ranges.next().map(start_of));
                    self.rest = Rest::Sales { ranges, current };
                }
                Rest::Adjustments(from) => {
                    let next = self.read_adjustments(&from, &mut batch).await?;
                    self.rest = next.map_or(Rest::Nothing, Rest::Adjustments);
                }
            }
            if !batch.is_empty() {
                self.dictionaries.encode(&mut self.unit.session, &mut batch).await?;
                return Ok(Some(batch));
            }
        }
    }

    /// A statement with these conditions and the filter's.
    fn params(&self, values: impl IntoIterator<Item = Value>) -> Vec<Value> {
        let mut params: Vec<Value> = values.into_iter().collect();
        params.extend(self.conditions.params.iter().cloned());
        params
    }

    /// Reads a chunk of sales, and returns where the next one begins.
    async fn read_sales(&mut self, from: &Position, end: i32, batch: &mut PostingBatch) -> Result<Option<Position>> {
        let (condition, values) = match from {
            Position::Day(day) if end == DayRange::ALL.end() => ("s.sale_date >= ?", vec![value::day(*day)]),
            Position::Day(day) => ("s.sale_date BETWEEN ? AND ?", vec![value::day(*day), value::day(end - 1)]),
            Position::Within(day, id) => ("s.sale_date = ? AND s.id > ?", vec![value::day(*day), value::bytes(id)]),
        };
        let agents = if self.without_agents { "" } else { ", s.agent_id, s.given" };
        let sql = format!(
            "SELECT s.sale_date, s.product_id, s.team_id, s.branch_id, s.amount{agents}
             FROM ledger_sales s FORCE INDEX (PRIMARY) WHERE {condition}{}
             ORDER BY s.sale_date, s.id LIMIT {BATCH}",
            self.conditions.sql
        );
        let params = self.params(values);
        let columns = &mut batch.sales;
        decode::reserve(columns, BATCH);
        let mut decoder = Decoder::default();
        let count = self.unit.session.each_row(DOING, &sql, params, |row| decoder.posting(row, columns)).await?;
        let Some(last) = columns.day.last().copied().filter(|_| count == BATCH) else {
            return Ok(match from {
                Position::Within(day, _) if day + 1 < end => Some(Position::Day(day + 1)),
                _ => None,
            });
        };
        let on_last_day = columns.day.len() - columns.day.partition_point(|day| *day < last);
        let behind = match from {
            Position::Within(_, id) => id.clone(),
            Position::Day(_) => Vec::new(),
        };
        self.border(last, behind, on_last_day).await
    }

    /// The position behind so many sales of a day that lie behind an identifier; the empty one is before all.
    async fn border(&mut self, day: i32, behind: Vec<u8>, count: usize) -> Result<Option<Position>> {
        let sql = format!(
            "SELECT s.id FROM ledger_sales s FORCE INDEX (PRIMARY) WHERE s.sale_date = ? AND s.id > ?{}
             ORDER BY s.id LIMIT 1 OFFSET ?",
            self.conditions.sql
        );
        let mut params = self.params([value::day(day), value::bytes(behind)]);
        params.push(Value::Int(i64::try_from(count).unwrap_or(i64::MAX) - 1));
        let row = self.unit.session.row(DOING, &sql, params).await?;
        row.map(|row| Ok(Position::Within(day, row.bytes(0)?.to_vec()))).transpose()
    }

    /// The adjustments that touch the days, as a table `j` of their keys on disk, with its values.
    fn touched(&self) -> (String, Vec<Value>) {
        if self.days.ranges() == [DayRange::ALL] {
            return ("ledger_adjustments j".to_owned(), Vec::new());
        }
        let mut parts = Vec::new();
        let mut params = Vec::new();
        for column in ["sale_date", "own_date"] {
            for range in self.days.ranges() {
                parts.push(format!(
                    "SELECT sale_date, sale_id, revision FROM ledger_adjustments WHERE {column} BETWEEN ? AND ?"
                ));
                params.push(value::day(range.start()));
                params.push(value::day(range.end() - 1));
            }
        }
        (format!("({}) j", parts.join(" UNION ")), params)
    }

    /// Reads a chunk of adjustments under the places of their sales, and returns where the next one begins.
    async fn read_adjustments(
        &mut self,
        from: &AdjustmentPosition,
        batch: &mut PostingBatch,
    ) -> Result<Option<AdjustmentPosition>> {
        if self.days.is_empty() {
            return Ok(None);
        }
        let (touched, mut params) = self.touched();
        let sql = format!(
            "SELECT STRAIGHT_JOIN s.sale_date, s.product_id, s.team_id, s.branch_id, a.amount, s.agent_id, s.given,
                 a.own_date, a.count, a.sale_id, a.revision
             FROM {touched}
             JOIN ledger_adjustments a
                 ON a.sale_date = j.sale_date AND a.sale_id = j.sale_id AND a.revision = j.revision
             JOIN ledger_sales s FORCE INDEX (PRIMARY) ON s.sale_date = j.sale_date AND s.id = j.sale_id
             WHERE ((j.sale_date = ? AND (j.sale_id > ? OR (j.sale_id = ? AND j.revision > ?))) OR j.sale_date > ?){}
             ORDER BY j.sale_date, j.sale_id, j.revision LIMIT {BATCH}",
            self.conditions.sql
        );
        let (day, id) = (value::day(from.sale_day), value::bytes(&from.sale_id));
        params.append(&mut self.params([day.clone(), id.clone(), id, Value::Int(from.revision), day]));
        let columns = &mut batch.adjustments;
        let mut decoder = Decoder::default();
        let mut last = None;
        let take = |row: &mysql_async::Row| {
            decoder.posting(row, &mut columns.postings)?;
            columns.own_day.push(row.date(7)?.epoch_day());
            columns.count.push(value::narrow(row.int(8)?)?);
            last = Some((row.bytes(9)?.to_vec(), row.int(10)?));
            Ok(())
        };
        let count = self.unit.session.each_row(DOING, &sql, params, take).await?;
        let next = last.filter(|_| count == BATCH).zip(columns.postings.day.last());
        Ok(next.map(|((sale_id, revision), sale_day)| AdjustmentPosition { sale_day: *sale_day, sale_id, revision }))
    }
}
