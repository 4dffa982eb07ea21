//! Columns of a batch as texts of whole numbers.
//!
//! Numbers of agents, teams, branches and products have at most 31 bits (the schema checks it), so that two fit into one
//! integer of SQLite, and a row needs four integers in place of seven.

use moon_core::{BusinessDate, Error, ErrorKind, PostingColumns, Result};

/// The bits of one number.
const NUMBER_BITS: u32 = 31;
const NUMBER_MASK: i64 = (1 << NUMBER_BITS) - 1;

/// Begins a query of [`PackedColumns`] over the rows of a subquery in parentheses, in their order.
macro_rules! select_packed {
    ($rows:literal) => {
        concat!(
            "SELECT group_concat(((x.sale_day + 354285) << 31) | x.product_id) AS day_product, \
             group_concat((ifnull(x.team_id, 0) << 31) | ifnull(x.branch_id, 0)) AS team_branch, \
             group_concat((ifnull(x.agent_id, 0) << 2) | x.given) AS agent_given, \
             group_concat(x.amount) AS amount, group_concat(x.own) AS own FROM ",
            $rows
        )
    };
}
pub(super) use select_packed;

/// The columns of a batch; `None` when it has no rows.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct PackedColumns {
    day_product: Option<String>,
    team_branch: Option<String>,
    agent_given: Option<String>,
    amount: Option<String>,
    /// An adjustment's own day and its count; `None` for sales.
    own: Option<String>,
}

impl PackedColumns {
    /// Takes the columns apart. Codes are still the numbers under which the database keeps them.
    pub(super) fn unpack(self, columns: &mut PostingColumns, own: Option<(&mut Vec<i32>, &mut Vec<i8>)>) -> Result<()> {
        numbers(self.amount.as_deref(), |amount| columns.amount.push(amount));
        let rows = columns.amount.len();
        for column in [&mut columns.team, &mut columns.branch, &mut columns.product, &mut columns.agent] {
            column.reserve_exact(rows);
        }
        columns.day.reserve_exact(rows);
        columns.given.reserve_exact(rows);
        let mut in_range = true;
        numbers(self.day_product.as_deref(), |packed| {
            columns.day.push(day(packed >> NUMBER_BITS, &mut in_range));
            columns.product.push(number(packed, &mut in_range));
        });
        numbers(self.team_branch.as_deref(), |packed| {
            columns.team.push(number(packed >> NUMBER_BITS, &mut in_range));
            columns.branch.push(number(packed, &mut in_range));
        });
        numbers(self.agent_given.as_deref(), |packed| {
            columns.agent.push(number(packed >> 2, &mut in_range));
            columns.given.push(u8::try_from(packed & 3).unwrap_or(0));
        });
        let mut lengths = vec![columns.day.len(), columns.team.len(), columns.agent.len()];
        if let Some((own_day, count)) = own {
            numbers(self.own.as_deref(), |packed| {
                own_day.push(day(packed >> 2, &mut in_range));
                count.push(i8::try_from((packed & 3) - 1).unwrap_or(0));
            });
            lengths.push(own_day.len());
        }
        // The days must ascend: everything downstream relies on it.
        let ordered = columns.day.is_sorted();
        if in_range && ordered && lengths.iter().all(|length| *length == rows) {
            Ok(())
        } else {
            Err(Error::new(ErrorKind::Corrupt, "postings came back from the database in an impossible form"))
        }
    }
}

fn number(packed: i64, in_range: &mut bool) -> u32 {
    u32::try_from(packed & NUMBER_MASK).unwrap_or_else(|_| {
        *in_range = false;
        0
    })
}

fn day(packed: i64, in_range: &mut bool) -> i32 {
    i32::try_from(packed + i64::from(BusinessDate::MIN.epoch_day())).unwrap_or_else(|_| {
        *in_range = false;
        0
    })
}

/// Gives each of the whole numbers in a text that SQLite joined by commas to `take`.
fn numbers(text: Option<&str>, mut take: impl FnMut(i64)) {
    let Some(text) = text else { return };
    let (mut value, mut negative) = (0_i64, false);
    for byte in text.bytes() {
        match byte {
            b',' => {
                take(if negative { -value } else { value });
                (value, negative) = (0, false);
            }
            b'-' => negative = true,
            // SQLite prints 64-bit integers, which cannot overflow here.
            digit => value = value.wrapping_mul(10).wrapping_add(i64::from(digit.wrapping_sub(b'0'))),
        }
    }
    take(if negative { -value } else { value });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_apart_exactly() {
        let read = |text| {
            let mut found = Vec::new();
            numbers(text, |number| found.push(number));
            found
        };
        assert_eq!(
            read(Some("0,-1,999999999999999999,-999999999999999999")),
            [0, -1, 999_999_999_999_999_999, -999_999_999_999_999_999]
        );
        assert!(read(None).is_empty());
    }

    #[test]
    fn columns_of_different_lengths_are_refused() {
        let packed = PackedColumns {
            day_product: Some("1,2".to_owned()),
            team_branch: Some("1,2".to_owned()),
            agent_given: Some("1".to_owned()),
            amount: Some("5,6".to_owned()),
            own: None,
        };
        let error = packed.unpack(&mut PostingColumns::default(), None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
    }
}
