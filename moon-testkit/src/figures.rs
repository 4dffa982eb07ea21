//! The key figures of a ledger, read in every way that there is, which must all agree.

use std::collections::BTreeMap;

use futures_util::TryStreamExt as _;
use moon_core::{
    Basis, DaySet, Dimension, FigureFilter, Figures, Fold, FoldPlan, GroupSum, KpiQuery, KpiReport, Ledger,
    PostingBatch, PostingFilter, Pushdown, Sum, TotalsPlan, View,
};

use crate::builders::date;

/// The sums of each group that has one which is not zero.
pub type Groups = BTreeMap<(Dimension, String), Figures>;

/// The figures by team, branch and product over a period (`2026-02`, `all`), as of 2026-06-15. Read through
/// [`Ledger::key_figures`] on every basis and, as sold, through the store's scan, folded, and through its own sums. The law
/// is checked on the way.
pub async fn figures(ledger: &Ledger, view: View, period: &str) -> Groups {
    let period = ledger.settings().calendar.parse(period).unwrap();
    let mut groups = Groups::new();
    for basis in Basis::EVERY {
        let as_of = date("2026-06-15");
        let query = KpiQuery { period, basis, as_of, to_date: false, with_year_before: false };
        let filter = FigureFilter { view, ..FigureFilter::default() };
        let report = ledger.key_figures(&query, &filter).await.unwrap();
        for (dimension, rows) in rows(&report) {
            let total = rows.iter().try_fold(Sum::ZERO, |total, (_, sum)| total.plus(*sum)).unwrap();
            assert_eq!(total, report.control, "the law, by {dimension:?} on {basis:?}");
            for (code, sum) in rows {
                let figures = groups.entry((dimension, code)).or_default();
                match basis {
                    Basis::Gross => figures.gross = sum,
                    Basis::Net => figures.net = sum,
                    Basis::Activity => figures.activity = sum,
                }
            }
        }
    }
    groups.retain(|_, figures| *figures != Figures::default());
    if view == View::AsSold {
        let days = DaySet::from(period.days());
        assert_eq!(folded(ledger, &days).await, groups, "folded from the scan");
        if let Some(summed) = summed(ledger, &days).await {
            assert_eq!(summed, groups, "summed by the store");
        }
    }
    groups
}

fn rows(report: &KpiReport) -> [(Dimension, Vec<(String, Sum)>); 3] {
    [
        (Dimension::Team, report.teams.iter().map(|row| (row.team.to_string(), row.total)).collect()),
        (Dimension::Branch, report.branches.iter().map(|row| (row.branch.to_string(), row.total)).collect()),
        (Dimension::Product, report.products.iter().map(|row| (row.product.to_string(), row.total)).collect()),
    ]
}

async fn folded(ledger: &Ledger, days: &DaySet) -> Groups {
    let filter = PostingFilter::days(days.clone());
    let mut unit = ledger.snapshot().await.unwrap();
    let batches: Vec<PostingBatch> = unit.postings().scan(&filter).try_collect().await.unwrap();
    let mut fold = Fold::new(FoldPlan::daily(&Dimension::DAILY, days.clone()));
    for batch in &batches {
        fold.push(batch).unwrap();
    }
    grouped(&fold.finish().unwrap().cells, days)
}

async fn summed(ledger: &Ledger, days: &DaySet) -> Option<Groups> {
    let plan = TotalsPlan { filter: PostingFilter::days(days.clone()), dimensions: Dimension::DAILY.to_vec() };
    match ledger.snapshot().await.unwrap().postings().totals(&plan).await.unwrap() {
        Pushdown::Answered(totals) => Some(grouped(&totals.cells, days)),
        Pushdown::Declined => None,
    }
}

fn grouped(cells: &[moon_core::Cell], days: &DaySet) -> Groups {
    let sums = GroupSum::over(cells, days.hull()).unwrap();
    let groups = sums.into_iter().map(|sum| ((sum.dimension, sum.code.to_string()), sum.figures));
    groups.filter(|(_, figures)| *figures != Figures::default()).collect()
}

/// Gross, net and activity in whole rupees with their counts.
#[must_use]
pub fn in_rupees(gross: (i64, i64), net: (i64, i64), activity: (i64, i64)) -> Figures {
    let sum = |(rupees, count): (i64, i64)| Sum::new(i128::from(rupees) * 100, count);
    Figures { gross: sum(gross), net: sum(net), activity: sum(activity) }
}

/// Compares one group; nothing at all is zero.
pub fn assert_group(groups: &Groups, dimension: Dimension, code: &str, expected: Figures) {
    let found = groups.get(&(dimension, code.to_owned())).copied().unwrap_or_default();
    assert_eq!(found, expected, "{dimension:?} {code}");
}
