//! Cancellations and reinstatements in force, in the order in which their sales lie on disk.

use moon_core::{DayRange, PostingBatch, Result};
use mysql_async::{Row, Value};

use super::decode::Decoder;
use super::{DOING, Scan, WHOLE};
use crate::value::{self, Columns as _};

/// Behind which key on disk a part begins.
#[derive(Debug, Clone)]
struct Position {
    sale_day: i32,
    sale_id: Vec<u8>,
    revision: i64,
}

impl Scan<'_, '_> {
    /// Reads all adjustments that touch the days.
    pub(super) async fn read_adjustments(&mut self) -> Result<()> {
        let mut next = (!self.days.is_empty()).then(|| Position {
            sale_day: DayRange::ALL.start(),
            sale_id: Vec::new(),
            revision: -1,
        });
        while let Some(from) = next {
            next = self.read_adjustments_behind(&from).await?;
        }
        Ok(())
    }

    /// The tables of the adjustments `a` that touch the days, with values, and under which name their keys are in order.
    fn touched(&self) -> (String, Vec<Value>, &'static str) {
        if self.days.ranges() == [DayRange::ALL] {
            return ("ledger_adjustments a".to_owned(), Vec::new(), "a");
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
        let tables = format!(
            "({}) j JOIN ledger_adjustments a
                 ON a.sale_date = j.sale_date AND a.sale_id = j.sale_id AND a.revision = j.revision",
            parts.join(" UNION ")
        );
        (tables, params, "j")
    }

    /// Reads a part under the places of the sales, and returns where the next one begins.
    async fn read_adjustments_behind(&mut self, from: &Position) -> Result<Option<Position>> {
        let (touched, mut params, key) = self.touched();
        let agents = if self.without_agents { "NULL, 0" } else { "s.agent_id, s.given" };
        let sql = format!(
            "SELECT STRAIGHT_JOIN s.sale_date, s.product_id, s.team_id, s.branch_id, a.amount, {agents},
                 a.own_date, a.count, a.sale_id, a.revision
             FROM {touched}
             JOIN ledger_sales s FORCE INDEX (PRIMARY) ON s.sale_date = {key}.sale_date AND s.id = {key}.sale_id
             WHERE (({key}.sale_date = ? AND ({key}.sale_id > ? OR ({key}.sale_id = ? AND {key}.revision > ?)))
                 OR {key}.sale_date > ?){}
             ORDER BY {key}.sale_date, {key}.sale_id, {key}.revision LIMIT {WHOLE}",
            self.conditions.sql
        );
        let (day, id) = (value::day(from.sale_day), value::bytes(&from.sale_id));
        params.append(&mut self.params([day.clone(), id.clone(), id, Value::Int(from.revision), day]));
        let mut batch = PostingBatch::default();
        let columns = &mut batch.adjustments;
        let mut decoder = Decoder::default();
        let mut last = None;
        let take = |row: &Row| {
            decoder.posting(row, &mut columns.postings)?;
            columns.own_day.push(row.date(7)?.epoch_day());
            columns.count.push(value::narrow(row.int(8)?)?);
            last = Some((row.bytes(9)?.to_vec(), row.int(10)?));
            Ok(())
        };
        let count = self.unit.session.each_row(DOING, &sql, params, take).await?;
        let next = last.filter(|_| count == WHOLE).zip(columns.postings.day.last().copied());
        self.dictionaries.load_agents(&mut self.unit.session, &batch).await?;
        self.dictionaries.encode(&mut batch)?;
        self.send(batch).await;
        Ok(next.map(|((sale_id, revision), sale_day)| Position { sale_day, sale_id, revision }))
    }
}
