//! Which sales a scan or a sum reads, as conditions in SQL.

use moon_core::{DayRange, DaySet, PostingFilter, Result};
use tokio_postgres::types::Type;

use crate::codes::Coded;
use crate::session::Param;
use crate::unit::PostgresUnit;
use crate::value::Day;

/// The parameters of a query over postings: [`START`] and [`END`] are the borders of its days.
pub(crate) const START: &str = "$1::date[]";
/// See [`START`].
pub(crate) const END: &str = "$2::date[]";

/// Up to how many ranges of days stand in a condition one by one.
const RANGES_MAX: usize = 64;

/// Days and conditions on `ledger_sales s`.
#[derive(Debug, Default)]
pub(crate) struct SaleConditions {
    starts: Vec<Day>,
    ends: Vec<Day>,
    bounded: bool,
    numbers: Vec<(&'static str, Vec<i32>)>,
    kinds: Option<Vec<i16>>,
}

impl SaleConditions {
    /// Those of a filter. Codes that nobody knows match nothing.
    pub(crate) async fn of(unit: &mut PostgresUnit<'_>, filter: &PostingFilter) -> Result<Self> {
        let ranges = filter.days.ranges();
        let mut conditions = Self {
            starts: ranges.iter().map(|range| Day(range.start())).collect(),
            ends: ranges.iter().map(|range| Day(range.end())).collect(),
            bounded: ranges != [DayRange::ALL],
            ..Self::default()
        };
        let agents = filter.agents.as_ref().map(|codes| codes.iter().map(AsRef::as_ref).collect::<Vec<&str>>());
        let products = filter.products.as_ref().map(|codes| codes.iter().map(AsRef::as_ref).collect());
        let teams = filter.teams.as_ref().map(|codes| codes.iter().map(AsRef::as_ref).collect());
        let branches = filter.branches.as_ref().map(|codes| codes.iter().map(AsRef::as_ref).collect());
        for (column, coded, codes) in [
            ("agent_id", Coded::Agent, agents),
            ("product_id", Coded::Product, products),
            ("team_id", Coded::Team, teams),
            ("branch_id", Coded::Branch, branches),
        ] {
            let Some(codes) = codes else { continue };
            unit.codes.load(&mut unit.session, coded, codes.iter().copied()).await?;
            let ids = codes.iter().filter_map(|code| unit.codes.get(coded, code)).collect();
            conditions.numbers.push((column, ids));
        }
        conditions.kinds =
            filter.kinds.as_ref().map(|kinds| kinds.iter().map(|kind| i16::from(kind.number())).collect());
        Ok(conditions)
    }

    /// Whether days are left out.
    pub(crate) fn is_bounded(&self) -> bool {
        self.bounded
    }

    /// ` AND ...` for each condition but the days, that of not being voided included.
    pub(crate) fn sql(&self) -> String {
        let mut sql = " AND s.state = 0".to_owned();
        let columns = self.numbers.iter().map(|(column, _)| *column).chain(self.kinds.as_ref().map(|_| "kind"));
        for (column, place) in columns.zip(3..) {
            sql.push_str(&format!(" AND s.{column} = ANY(${place})"));
        }
        sql
    }

    /// The parameters: the borders of the days, then those of the conditions.
    pub(crate) fn params(&self) -> Vec<Param<'_>> {
        let mut params: Vec<Param<'_>> = vec![(&self.starts, Type::DATE_ARRAY), (&self.ends, Type::DATE_ARRAY)];
        params.extend(self.numbers.iter().map(|(_, ids)| -> Param<'_> { (ids, Type::INT4_ARRAY) }));
        params.extend(self.kinds.iter().map(|kinds| -> Param<'_> { (kinds, Type::INT2_ARRAY) }));
        params
    }

    /// ` AND ...`: a day lies in the days. Few ranges are compared one by one, which the server looks up in an index on the
    /// day; for a condition on a subquery it would read all rows. A single range keeps the order of the index, too.
    pub(crate) fn days(&self, day: &str) -> String {
        // The parameters have to appear, or the server could not tell their types.
        match self.starts.as_slice() {
            _ if !self.bounded => format!(" AND cardinality({START}) = cardinality({END})"),
            ranges if ranges.len() <= RANGES_MAX => {
                let one = |place| format!("{day} >= ({START})[{place}] AND {day} < ({END})[{place}]");
                let any: Vec<String> = (1..=ranges.len()).map(one).collect();
                format!(" AND ({})", any.join(" OR "))
            }
            _ => format!(
                " AND EXISTS (SELECT 1 FROM unnest({START}, {END}) AS r (lo, hi) WHERE {day} >= r.lo AND {day} < r.hi)"
            ),
        }
    }
}

/// Whether a set of days has none.
pub(crate) fn is_empty(days: &DaySet) -> bool {
    days.ranges().is_empty()
}
