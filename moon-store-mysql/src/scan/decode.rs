//! From rows to columns, without anything on the way.

use moon_core::{BusinessDate, Error, ErrorKind, PostingColumns, Result, UNASSIGNED_INDEX};
use mysql_async::{Row, Value};

use crate::failure::corrupt;

/// Makes room for so many postings at once.
pub(super) fn reserve(columns: &mut PostingColumns, postings: usize) {
    let PostingColumns { day, team, branch, product, agent, given, amount } = columns;
    day.reserve(postings);
    for numbers in [team, branch, product, agent] {
        numbers.reserve(postings);
    }
    given.reserve(postings);
    amount.reserve(postings);
}

/// Fills the columns of agents and given places, where they were not read.
pub(super) fn fill_agents(columns: &mut PostingColumns) {
    columns.agent.resize(columns.day.len(), UNASSIGNED_INDEX);
    columns.given.resize(columns.day.len(), 0);
}

/// Reads postings, whose days ascend: a day is worked out once.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    known: Option<((u16, u8, u8), i32)>,
}

impl Decoder {
    /// Adds a row of sale date, product, team, branch, amount, and perhaps agent and given places: columns of these that were
    /// not read are to be [filled](fill_agents). Codes are still the numbers under which the database keeps them.
    #[inline]
    pub(super) fn posting(&mut self, row: &Row, columns: &mut PostingColumns) -> Result<()> {
        let value = |place| row.as_ref(place);
        let (Some(Value::Date(year, month, day, ..)), Some(Value::Int(amount))) = (value(0), value(4)) else {
            return Err(unexpected());
        };
        match (value(5), value(6)) {
            (None, None) => {}
            (agent, Some(Value::Int(given))) => {
                columns.agent.push(number(agent)?);
                columns.given.push(u8::try_from(*given).map_err(|_| unexpected())?);
            }
            _ => return Err(unexpected()),
        }
        columns.day.push(self.day(*year, *month, *day)?);
        columns.product.push(number(value(1))?);
        columns.team.push(number(value(2))?);
        columns.branch.push(number(value(3))?);
        columns.amount.push(*amount);
        Ok(())
    }

    #[inline]
    fn day(&mut self, year: u16, month: u8, day: u8) -> Result<i32> {
        let date = (year, month, day);
        match self.known {
            Some((known, epoch_day)) if known == date => Ok(epoch_day),
            _ => {
                let epoch_day = BusinessDate::new(year.into(), month.into(), day.into()).map_err(corrupt)?.epoch_day();
                self.known = Some((date, epoch_day));
                Ok(epoch_day)
            }
        }
    }
}

/// The number of a code; that of what is not assigned where there is none.
#[inline]
fn number(value: Option<&Value>) -> Result<u32> {
    match value {
        Some(Value::Int(number)) => u32::try_from(*number).map_err(|_| unexpected()),
        Some(Value::NULL) => Ok(UNASSIGNED_INDEX),
        _ => Err(unexpected()),
    }
}

#[cold]
fn unexpected() -> Error {
    Error::new(ErrorKind::Corrupt, "a stored posting has values of unexpected types")
}
