//! Postings as rows, so that scans can be compared: those that a store streams, and those that sales should have.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::TryStreamExt as _;
use moon_core::{
    BusinessDate, Cell, Code, CodeKind, ControlTotals, DayControl, DaySet, Dimension, Figures, GIVEN_BRANCH,
    GIVEN_TEAM, NewCodes, PostingBatch, PostingColumns, PostingFilter, Sale, Sum, Totals, UNASSIGNED, UnitOfWork,
};

/// One posting, with codes instead of indices.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Posting {
    /// The sale's date, in days since 1970-01-01.
    pub day: i32,
    /// `None` for a sale's own posting; else the adjustment's date and count.
    pub adjustment: Option<(i32, i8)>,
    /// Signed minor units.
    pub minor: i64,
    /// Codes of team, branch, product and agent; [`UNASSIGNED`] for none.
    pub codes: [String; 4],
    /// Which places the source gave.
    pub given: u8,
}

/// Everything that a scan yields, ascending, and how many batches held a posting. Checks what every scan owes: columns of
/// one length, days that ascend, codes that come once and no later than their first use.
pub async fn scan(unit: &mut dyn UnitOfWork, filter: &PostingFilter) -> (Vec<Posting>, usize) {
    let batches: Vec<PostingBatch> = unit.postings().scan(filter).try_collect().await.unwrap();
    let mut codes: [Vec<String>; 4] = std::array::from_fn(|_| vec![UNASSIGNED.to_owned()]);
    let mut postings = Vec::new();
    for batch in &batches {
        learn(&mut codes, &batch.new_codes);
        let adjustments = &batch.adjustments;
        postings.extend(rows(&batch.sales, &codes).into_iter().map(|posting| (false, posting)));
        let lengths = [adjustments.own_day.len(), adjustments.count.len()];
        assert_eq!(lengths, [adjustments.postings.len(); 2], "columns of one length");
        let own = adjustments.own_day.iter().copied().zip(adjustments.count.iter().copied());
        for (posting, own) in rows(&adjustments.postings, &codes).into_iter().zip(own) {
            assert!(own.0 >= posting.day, "an adjustment before its sale: {posting:?}");
            postings.push((true, Posting { adjustment: Some(own), ..posting }));
        }
    }
    for adjusting in [false, true] {
        let days: Vec<_> = postings.iter().filter(|(of, _)| *of == adjusting).map(|(_, posting)| posting.day).collect();
        assert!(days.is_sorted(), "days must ascend within the scan");
    }
    for known in &codes {
        assert_eq!(known.iter().collect::<BTreeSet<_>>().len(), known.len(), "a code came twice: {known:?}");
    }
    let mut postings: Vec<_> = postings.into_iter().map(|(_, posting)| posting).collect();
    postings.sort_unstable();
    (postings, batches.iter().filter(|batch| !batch.is_empty()).count())
}

fn learn(known: &mut [Vec<String>; 4], new: &NewCodes) {
    fn texts<K: CodeKind>(codes: &[Code<K>]) -> Vec<String> {
        codes.iter().map(ToString::to_string).collect()
    }
    let new = [texts(&new.teams), texts(&new.branches), texts(&new.products), texts(&new.agents)];
    for (known, new) in known.iter_mut().zip(new) {
        known.extend(new);
    }
}

fn rows(columns: &PostingColumns, codes: &[Vec<String>; 4]) -> Vec<Posting> {
    let PostingColumns { day, team, branch, product, agent, given, amount } = columns;
    let lengths = [day.len(), team.len(), branch.len(), product.len(), agent.len(), given.len()];
    assert_eq!(lengths, [amount.len(); 6], "columns of one length");
    let row = |at: usize| {
        let indices = [team[at], branch[at], product[at], agent[at]];
        let code = |dimension: usize| {
            let index = usize::try_from(indices[dimension]).unwrap();
            codes[dimension].get(index).cloned().expect("a code comes no later than its first use")
        };
        Posting {
            day: day[at],
            adjustment: None,
            minor: amount[at],
            codes: std::array::from_fn(code),
            given: given[at],
        }
    };
    (0..amount.len()).map(row).collect()
}

/// The postings of these sales that pass a filter, ascending: plainly, by the words of the port.
#[must_use]
pub fn postings_of(sales: &[Sale], filter: &PostingFilter) -> Vec<Posting> {
    fn passes<T: PartialEq>(wanted: Option<&Vec<T>>, value: Option<&T>) -> bool {
        wanted.is_none_or(|wanted| value.is_some_and(|value| wanted.contains(value)))
    }
    let mut postings = Vec::new();
    for sale in sales {
        let (content, places) = (&sale.content, &sale.places);
        let wanted = !sale.voided
            && passes(filter.agents.as_ref(), content.agent.as_ref())
            && passes(filter.products.as_ref(), Some(&content.product))
            && passes(filter.teams.as_ref(), places.team.as_ref())
            && passes(filter.branches.as_ref(), places.branch.as_ref())
            && passes(filter.kinds.as_ref(), Some(&content.kind));
        if !wanted {
            continue;
        }
        let day = content.date.epoch_day();
        let given_team = if content.team.is_some() { GIVEN_TEAM } else { 0 };
        let given_branch = if content.branch.is_some() { GIVEN_BRANCH } else { 0 };
        let own = Posting {
            day,
            adjustment: None,
            minor: content.amount.minor(),
            codes: [
                code(places.team.as_ref()),
                code(places.branch.as_ref()),
                code(Some(&content.product)),
                code(content.agent.as_ref()),
            ],
            given: given_team | given_branch,
        };
        for adjustment in &sale.adjustments {
            let own_day = adjustment.date.epoch_day();
            if filter.days.contains(day) || filter.days.contains(own_day) {
                let (adjustment, minor) = (Some((own_day, adjustment.count)), adjustment.amount.minor());
                postings.push(Posting { adjustment, minor, ..own.clone() });
            }
        }
        if filter.days.contains(day) {
            postings.push(own);
        }
    }
    postings.sort_unstable();
    postings
}

fn code<K: CodeKind>(code: Option<&Code<K>>) -> String {
    code.map_or_else(|| UNASSIGNED.to_owned(), ToString::to_string)
}

/// The sums of postings by day and dimension with the plain ones beside them: plainly, posting by posting.
#[must_use]
pub fn totals_of(postings: &[Posting], dimensions: &[Dimension], days: &DaySet) -> Totals {
    let mut cells: BTreeMap<(Dimension, i32, String), Figures> = BTreeMap::new();
    let mut control: BTreeMap<i32, Figures> = BTreeMap::new();
    for posting in postings {
        let count = posting.adjustment.map_or(1, |(_, count)| count);
        let sum = Sum::new(posting.minor.into(), count.into());
        let activity = Figures { activity: sum, ..Figures::default() };
        let parts = match posting.adjustment {
            None => vec![(posting.day, Figures { net: sum, gross: sum, activity: sum })],
            Some((own_day, _)) => vec![(posting.day, Figures { net: sum, ..Figures::default() }), (own_day, activity)],
        };
        for (day, figures) in parts.into_iter().filter(|(day, _)| days.contains(*day)) {
            let plain = control.entry(day).or_default();
            *plain = plain.plus(figures).unwrap();
            for dimension in dimensions {
                let place = Dimension::DAILY.iter().chain([&Dimension::Agent]).position(|known| known == dimension);
                let key = (*dimension, day, posting.codes[place.unwrap()].clone());
                let cell = cells.entry(key).or_default();
                *cell = cell.plus(figures).unwrap();
            }
        }
    }
    let day = |day| BusinessDate::from_epoch_day(day).unwrap();
    Totals {
        cells: cells
            .into_iter()
            .map(|((dimension, at, code), figures)| Cell { dimension, day: day(at), code: Arc::from(code), figures })
            .collect(),
        control: ControlTotals {
            days: control.into_iter().map(|(at, figures)| DayControl { day: day(at), figures }).collect(),
        },
    }
}
