//! From rows to columns, without anything on the way.

use moon_core::{BusinessDate, PostingColumns, Result, UNASSIGNED_INDEX};
use mysql_async::{Row, Value};

use crate::failure::corrupt;
use crate::value::{self, Columns as _};

/// Reads postings, whose days ascend: a day is worked out once.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    known: Option<((u16, u8, u8), i32)>,
}

impl Decoder {
    /// Adds a row of sale date, product, team, branch, agent, given places and amount. Codes are still the numbers under
    /// which the database keeps them.
    pub(super) fn posting(&mut self, row: &Row, columns: &mut PostingColumns) -> Result<()> {
        columns.day.push(self.day(row)?);
        columns.product.push(number(row, 1)?);
        columns.team.push(number(row, 2)?);
        columns.branch.push(number(row, 3)?);
        columns.agent.push(number(row, 4)?);
        columns.given.push(value::narrow(row.int(5)?)?);
        columns.amount.push(row.int(6)?);
        Ok(())
    }

    fn day(&mut self, row: &Row) -> Result<i32> {
        let Value::Date(year, month, day, ..) = row.value(0)? else { return Ok(row.date(0)?.epoch_day()) };
        let date = (*year, *month, *day);
        match self.known {
            Some((known, epoch_day)) if known == date => Ok(epoch_day),
            _ => {
                let epoch_day =
                    BusinessDate::new((*year).into(), (*month).into(), (*day).into()).map_err(corrupt)?.epoch_day();
                self.known = Some((date, epoch_day));
                Ok(epoch_day)
            }
        }
    }
}

/// The number of a code; that of what is not assigned where there is none.
fn number(row: &Row, place: usize) -> Result<u32> {
    row.optional_int(place)?.map_or(Ok(UNASSIGNED_INDEX), value::narrow)
}
