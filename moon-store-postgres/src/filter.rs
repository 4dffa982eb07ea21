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

/// How many ranges of days stand in a condition one by one, at most. Of more, neighbours are looked up together.
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

    /// ` AND ...`: a day lies in the days. Ranges are compared one by one, which the server looks up in an index on the day;
    /// for a condition on a subquery it would read all rows. A single range keeps the order of the index, too. Of many
    /// ranges those that lie closest are looked up together, and what lies between them is left out afterwards.
    pub(crate) fn days(&self, day: &str) -> String {
        // The parameters have to appear, or the server could not tell their types.
        match self.starts.as_slice() {
            _ if !self.bounded => format!(" AND cardinality({START}) = cardinality({END})"),
            _ => {
                let groups = groups(&self.starts, &self.ends);
                let one =
                    |(first, last): &(usize, usize)| format!("{day} >= ({START})[{first}] AND {day} < ({END})[{last}]");
                let any: Vec<String> = groups.iter().map(one).collect();
                let mut sql = format!(" AND ({})", any.join(" OR "));
                if groups.len() < self.starts.len() {
                    // The last range that begins by then: a binary search.
                    sql.push_str(&format!(" AND {day} < ({END})[width_bucket({day}, {START})]"));
                }
                sql
            }
        }
    }
}

/// At most [`RANGES_MAX`] groups of neighbouring ranges, each by the places of its first and last one, from 1 on: cut where
/// the most days lie between two ranges.
fn groups(starts: &[Day], ends: &[Day]) -> Vec<(usize, usize)> {
    let mut cuts: Vec<(i32, usize)> = Vec::with_capacity(starts.len());
    for (behind, (end, start)) in ends.iter().zip(starts.iter().skip(1)).enumerate() {
        cuts.push((start.0.saturating_sub(end.0), behind + 1));
    }
    cuts.sort_unstable_by(|one, other| other.cmp(one));
    cuts.truncate(RANGES_MAX - 1);
    let mut lasts: Vec<usize> = cuts.into_iter().map(|(_, last)| last).chain([starts.len()]).collect();
    lasts.sort_unstable();
    let firsts = std::iter::once(1).chain(lasts.iter().map(|last| last + 1));
    firsts.zip(lasts.iter().copied()).collect()
}

/// Whether a set of days has none.
pub(crate) fn is_empty(days: &DaySet) -> bool {
    days.ranges().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(days: impl IntoIterator<Item = i32>) -> Vec<Day> {
        days.into_iter().map(Day).collect()
    }

    #[test]
    fn few_ranges_stand_for_themselves() {
        assert_eq!(groups(&days([1]), &days([9])), [(1, 1)]);
        assert_eq!(groups(&days([1, 20, 30]), &days([9, 21, 31])), [(1, 1), (2, 2), (3, 3)]);
    }

    #[test]
    fn of_many_ranges_the_closest_are_looked_up_together() {
        // 100 single days, every other one, and behind each tenth of them a longer gap.
        let start = |number: i32| number * 2 + number / 10 * 50;
        let found = groups(&days((0..100).map(start)), &days((0..100).map(|number| start(number) + 1)));
        assert_eq!(found.len(), RANGES_MAX);
        assert_eq!(found.first(), Some(&(1, 10)), "no gap of one day is kept before the last ones");
        let joined: Vec<usize> = found.iter().flat_map(|(first, last)| *first..=*last).collect();
        assert_eq!(joined, (1..=100).collect::<Vec<_>>(), "each once, in order");
        for tenth in (10..100).step_by(10) {
            assert!(found.iter().any(|(_, last)| *last == tenth), "cut behind {tenth}");
        }
    }
}
