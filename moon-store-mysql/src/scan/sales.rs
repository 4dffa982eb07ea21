//! Sales in force, in the order in which they lie on disk.
//!
//! They are read in parts of one snapshot: each goes on behind the key on disk where the one before ended. Only the last
//! key of a part matters, so that it is asked for alone, and not with each row.

use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use moon_core::{DayRange, PostingBatch, Result};
use mysql_async::{Row, Value};
use tokio::sync::mpsc::Sender;

use super::decode::{self, Decoder};
use super::dictionary::Dictionaries;
use super::{BATCH, DOING, Scan, WHOLE, hand_over};
use crate::session::Rows;
use crate::value::{self, Columns as _};

/// The most sales of the first statement.
pub(super) const FIRST: usize = 262_144;
/// How many times as many the next one may take, if this one was quick. A statement that ends sets the server back by what
/// reads of the next one's sales twice, and nobody reads while the next one begins.
const GROWTH: usize = 4;
/// The most sales of any statement.
const LAST: usize = 64 * FIRST;
/// Into how much of the time that a statement may take the next one should fit, at the speed of this one: an eighth.
const PARTS_OF_LIMIT: u32 = 8;

/// Where a part begins.
#[derive(Debug, Clone)]
enum Position {
    /// With a day.
    Day(i32),
    /// Within a day, behind an identifier. Such a part ends with the day: one condition for both would cost the server a
    /// third more for each row.
    Within(i32, Vec<u8>),
}

/// Sales as they arrive, which go on in batches.
struct Arriving<'s> {
    batch: PostingBatch,
    decoder: Decoder,
    dictionaries: &'s mut Dictionaries,
    batches: &'s Sender<PostingBatch>,
    /// Whether a full batch goes on before the statement has ended.
    passes_on: bool,
    count: usize,
    /// The last day, and how many sales of it have arrived.
    last: Option<(i32, usize)>,
    outcome: Result<()>,
}

impl Arriving<'_> {
    /// Ends a batch: counts, and replaces numbers by indices.
    fn end_batch(&mut self) -> Result<PostingBatch> {
        let mut batch = std::mem::take(&mut self.batch);
        decode::fill_agents(&mut batch.sales);
        let days = &batch.sales.day;
        self.count += days.len();
        if let Some(day) = days.last().copied() {
            let before = self.last.map_or(0, |(last, count)| if last == day { count } else { 0 });
            self.last = Some((day, before + days.len() - days.partition_point(|other| *other < day)));
        }
        if self.passes_on {
            self.dictionaries.encode(&mut batch)?;
        }
        Ok(batch)
    }
}

impl Rows for Arriving<'_> {
    #[inline]
    fn take(&mut self, row: &Row) -> bool {
        if self.outcome.is_ok() {
            self.outcome = self.decoder.posting(row, &mut self.batch.sales);
        }
        self.passes_on && self.batch.sales.day.len() >= BATCH && self.outcome.is_ok()
    }

    fn pass_on(&mut self) -> BoxFuture<'_, ()> {
        async {
            match self.end_batch() {
                Ok(batch) => hand_over(self.batches, batch).await,
                Err(error) => self.outcome = Err(error),
            }
            decode::reserve(&mut self.batch.sales, BATCH);
        }
        .boxed()
    }
}

impl Scan<'_, '_> {
    /// Reads the sales of all days.
    pub(super) async fn read_sales(&mut self) -> Result<()> {
        for range in self.days.ranges() {
            let mut next = Some(Position::Day(range.start()));
            while let Some(from) = next {
                next = self.read_part(from, range.end()).await?;
            }
        }
        Ok(())
    }

    /// Reads a part of the sales before a day, and returns where the next one begins.
    async fn read_part(&mut self, from: Position, end: i32) -> Result<Option<Position>> {
        let (condition, values) = match &from {
            Position::Day(day) if end == DayRange::ALL.end() => ("s.sale_date >= ?", vec![value::day(*day)]),
            Position::Day(day) => ("s.sale_date BETWEEN ? AND ?", vec![value::day(*day), value::day(end - 1)]),
            Position::Within(day, id) => ("s.sale_date = ? AND s.id > ?", vec![value::day(*day), value::bytes(id)]),
        };
        // The codes of agents are looked up after a statement, so that its sales have to fit into one batch.
        let (agents, limit) = if self.without_agents { ("", self.sales_max) } else { (", s.agent_id, s.given", WHOLE) };
        let sql = format!(
            "SELECT s.sale_date, s.product_id, s.team_id, s.branch_id, s.amount{agents}
             FROM ledger_sales s FORCE INDEX (PRIMARY) WHERE {condition}{}
             ORDER BY s.sale_date, s.id LIMIT {limit}",
            self.conditions.sql
        );
        let params = self.params(values);
        let mut sales = Arriving {
            batch: PostingBatch::default(),
            decoder: Decoder::default(),
            dictionaries: &mut self.dictionaries,
            batches: &self.batches,
            passes_on: self.without_agents,
            count: 0,
            last: None,
            outcome: Ok(()),
        };
        decode::reserve(&mut sales.batch.sales, BATCH.min(limit));
        let began = Instant::now();
        self.unit.session.pass_rows(DOING, &sql, params, &mut sales).await?;
        let took = began.elapsed();
        std::mem::replace(&mut sales.outcome, Ok(()))?;
        let mut batch = sales.end_batch()?;
        let (count, last) = (sales.count, sales.last);
        if !self.without_agents {
            self.dictionaries.load_agents(&mut self.unit.session, &batch).await?;
            self.dictionaries.encode(&mut batch)?;
        }
        self.send(batch).await;
        if count == self.sales_max {
            self.sales_max = next_max(count, took, self.unit.session.limit());
        }
        match (last.filter(|_| count == limit), from) {
            (Some((day, count)), Position::Within(_, id)) => self.border(day, id, count).await,
            (Some((day, count)), Position::Day(_)) => self.border(day, Vec::new(), count).await,
            (None, Position::Within(day, _)) if day + 1 < end => Ok(Some(Position::Day(day + 1))),
            (None, _) => Ok(None),
        }
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
}

/// How many sales the statement may take that follows on one of so many, which took so long and might have taken `limit`.
fn next_max(sales: usize, took: Duration, limit: Duration) -> usize {
    let growth = u32::try_from(GROWTH).unwrap_or(u32::MAX);
    let is_quick = took.saturating_mul(growth.saturating_mul(PARTS_OF_LIMIT)) <= limit;
    if is_quick { sales.saturating_mul(GROWTH).min(LAST) } else { sales }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_grow_as_long_as_they_are_quick() {
        let (limit, quick, slow) = (Duration::from_secs(64), Duration::from_secs(2), Duration::from_millis(2_001));
        assert_eq!(next_max(FIRST, quick, limit), 4 * FIRST);
        assert_eq!(next_max(FIRST, slow, limit), FIRST);
        assert_eq!(next_max(LAST, quick, limit), LAST);
        assert_eq!(next_max(FIRST, Duration::MAX, Duration::MAX), 4 * FIRST, "no limit at all");
    }

    #[test]
    fn the_sales_of_the_last_day_are_counted_across_batches() {
        let (batches, _receiver) = tokio::sync::mpsc::channel(1);
        let mut sales = Arriving {
            batch: PostingBatch::default(),
            decoder: Decoder::default(),
            dictionaries: &mut Dictionaries::default(),
            batches: &batches,
            passes_on: true,
            count: 0,
            last: None,
            outcome: Ok(()),
        };
        for (days, last) in [
            (&[1, 1, 2, 2][..], Some((2, 2))),
            (&[2, 2, 2], Some((2, 5))),
            (&[], Some((2, 5))),
            (&[2, 3], Some((3, 1))),
            (&[4], Some((4, 1))),
        ] {
            sales.batch.sales.day = days.to_vec();
            assert_eq!(sales.end_batch().unwrap().sales.day, days);
            assert_eq!(sales.last, last);
        }
        assert_eq!(sales.count, 10);
    }
}
