//! Postings as a store gives them to the engine: streamed, and summed.

use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _};
use moon_core::{
    Amount, DaySet, Dimension, Fold, FoldPlan, PostingBatch, PostingFilter, Pushdown, Sale, SaleChange, SaleKind,
    Store, Totals, TotalsPlan, UNASSIGNED, UnitOfWork,
};

use crate::builders::{
    agent_code, branch_code, date, days, fill, product_code, reading, rupees, sale, team_code, writing,
};
use crate::postings::{Posting, postings_of, scan, totals_of};
use crate::random;

async fn insert(store: &Arc<dyn Store>, sales: &[Sale]) {
    let mut unit = writing(store).await;
    for part in sales.chunks(500) {
        assert_eq!(unit.sales().insert_absent(part).await.unwrap(), [0; 0]);
    }
    unit.commit().await.unwrap();
}

/// Filters of each kind, alone and together, with values that match, values that match nothing, and no value.
fn filters() -> Vec<PostingFilter> {
    let all = PostingFilter::default;
    let holes: DaySet =
        [days("2026-01-22", "2026-01-25"), days("2026-02-03", "2026-02-03"), days("2026-03-01", "2026-03-09")]
            .into_iter()
            .collect();
    let two_kinds = Some(vec![SaleKind::Renewal, SaleKind::Reversal]);
    vec![
        all(),
        PostingFilter::days(DaySet::from(days("2026-02-01", "2026-02-28"))),
        PostingFilter::days(DaySet::from(days("2026-04-01", "2026-12-31"))),
        PostingFilter::days(DaySet::from(days("2027-01-01", "2027-12-31"))),
        PostingFilter::days(DaySet::default()),
        PostingFilter::days(holes.clone()),
        PostingFilter { agents: Some(vec![agent_code("AGT001")]), ..all() },
        PostingFilter { agents: Some(vec![agent_code("AGT002"), agent_code("AGT001")]), ..all() },
        PostingFilter { agents: Some(vec![agent_code("agt001")]), ..all() },
        PostingFilter { agents: Some(vec![]), ..all() },
        PostingFilter { products: Some(vec![product_code("MOTOR")]), ..all() },
        PostingFilter { products: Some(vec![]), ..all() },
        PostingFilter { teams: Some(vec![team_code("BETA"), team_code("GAMMA")]), ..all() },
        PostingFilter { teams: Some(vec![]), ..all() },
        PostingFilter { branches: Some(vec![branch_code("KANDY")]), ..all() },
        PostingFilter { branches: Some(vec![branch_code("GALLE")]), ..all() },
        PostingFilter { branches: Some(vec![]), ..all() },
        PostingFilter { kinds: two_kinds.clone(), ..all() },
        PostingFilter { kinds: Some(vec![]), ..all() },
        PostingFilter {
            days: holes,
            agents: Some(vec![agent_code("AGT001"), agent_code("AGT002")]),
            products: Some(vec![product_code("LIFE")]),
            teams: Some(vec![team_code("ALPHA"), team_code("BETA")]),
            branches: Some(vec![branch_code("COLOMBO")]),
            kinds: two_kinds,
            without_agents: false,
        },
    ]
}

/// A scan yields exactly the postings that match, for every filter; voided sales have none.
pub async fn a_scan_yields_exactly_what_matches(store: Arc<dyn Store>) {
    fill(&store).await;
    let sales = random::sales(1, 600);
    insert(&store, &sales).await;
    let mut unit = reading(&store).await;
    for filter in filters() {
        let expected = postings_of(&sales, &filter);
        let (found, _) = scan(unit.as_mut(), &filter).await;
        assert_eq!(found.len(), expected.len(), "{filter:?}");
        assert_eq!(found, expected, "{filter:?}");
    }
}

/// Whoever does not look at agents gets all else as ever.
pub async fn a_scan_without_agents_yields_all_else(store: Arc<dyn Store>) {
    fill(&store).await;
    let sales = random::sales(3, 300);
    insert(&store, &sales).await;
    let mut unit = reading(&store).await;
    let blank = |mut posting: Posting| {
        let [_, _, _, agent] = &mut posting.codes;
        UNASSIGNED.clone_into(agent);
        posting.given = 0;
        posting
    };
    for filter in filters() {
        let mut expected: Vec<_> = postings_of(&sales, &filter).into_iter().map(blank).collect();
        expected.sort_unstable();
        let filter = PostingFilter { without_agents: true, ..filter };
        let (found, _) = scan(unit.as_mut(), &filter).await;
        let mut found: Vec<_> = found.into_iter().map(blank).collect();
        found.sort_unstable();
        assert_eq!(found, expected, "{filter:?}");
    }
}

/// An empty store yields no posting and no sum.
pub async fn an_empty_store_has_no_postings(store: Arc<dyn Store>) {
    let mut unit = reading(&store).await;
    for filter in filters() {
        assert_eq!(scan(unit.as_mut(), &filter).await, (Vec::new(), 0), "{filter:?}");
    }
    let plan = TotalsPlan { filter: PostingFilter::default(), dimensions: Dimension::DAILY.to_vec() };
    if let Pushdown::Answered(totals) = unit.postings().totals(&plan).await.unwrap() {
        assert_eq!(totals, Totals::default());
    }
}

/// A posting whose own day lies in the filter comes without that of its sale, if the sale's day does not.
pub async fn a_scan_looks_at_both_days_of_a_posting(store: Arc<dyn Store>) {
    use moon_core::AdjustmentKind::Cancellation;
    let cancelled = Sale {
        adjustments: vec![crate::builders::adjustment(1, Cancellation, "2026-03-05", rupees(-200), -1)],
        ..sale(1, "2026-02-20", rupees(200))
    };
    fill(&store).await;
    insert(&store, &[cancelled, sale(2, "2026-02-21", rupees(50))]).await;
    let mut unit = reading(&store).await;
    let amounts = |postings: &[Posting]| postings.iter().map(|posting| posting.minor / 100).collect::<Vec<_>>();
    for (first, last, expected) in [
        ("2026-03-05", "2026-03-05", vec![-200]),
        ("2026-02-20", "2026-02-20", vec![200, -200]),
        ("2026-02-21", "2026-03-31", vec![-200, 50]),
        ("2026-02-22", "2026-03-04", vec![]),
    ] {
        let (postings, _) = scan(unit.as_mut(), &PostingFilter::days(days(first, last).into())).await;
        assert_eq!(amounts(&postings), expected, "{first} to {last}");
    }
}

/// A long scan loses nothing, and the next scan starts with dictionaries of its own, also after one that was given up
/// half way.
pub async fn a_long_scan_loses_nothing(store: Arc<dyn Store>) {
    fill(&store).await;
    let sales = random::sales(2, 6_000);
    insert(&store, &sales).await;
    let mut unit = reading(&store).await;
    let all = PostingFilter::default();
    let expected = postings_of(&sales, &all);
    for _ in 0..2 {
        let first = unit.postings().scan(&all).next().await;
        assert!(first.is_some_and(|batch| batch.is_ok()));
        let (found, batches) = scan(unit.as_mut(), &all).await;
        assert!(batches > 0);
        assert!(found == expected, "{} postings instead of {}", found.len(), expected.len());
    }
}

/// A writing unit's scan sees what the unit has written, and not what others have not committed.
pub async fn a_scan_sees_the_units_own_writes(store: Arc<dyn Store>) {
    fill(&store).await;
    let before = [sale(1, "2026-02-10", rupees(1)), sale(2, "2026-02-10", rupees(2))];
    insert(&store, &before).await;
    let all = PostingFilter::default();
    let mut reader = reading(&store).await;
    assert_eq!(scan(reader.as_mut(), &all).await.0, postings_of(&before, &all));
    let mut unit = writing(&store).await;
    let moved = Sale { voided: false, ..sale(1, "2026-01-01", rupees(10)) };
    let change = SaleChange { before: Some(before[0].clone()), after: moved.clone() };
    unit.sales().write(&[change]).await.unwrap();
    let added = sale(3, "2026-03-10", rupees(3));
    unit.sales().insert_absent(std::slice::from_ref(&added)).await.unwrap();
    let after = [moved, before[1].clone(), added];
    assert_eq!(scan(unit.as_mut(), &all).await.0, postings_of(&after, &all));
    assert_eq!(scan(reader.as_mut(), &all).await.0, postings_of(&before, &all));
    unit.commit().await.unwrap();
    assert_eq!(scan(reader.as_mut(), &all).await.0, postings_of(&before, &all), "one snapshot");
    assert_eq!(scan(reading(&store).await.as_mut(), &all).await.0, postings_of(&after, &all));
}

async fn fold(unit: &mut dyn UnitOfWork, filter: &PostingFilter, dimensions: &[Dimension]) -> Totals {
    let mut fold = Fold::new(FoldPlan::daily(dimensions, filter.days.clone()));
    let batches: Vec<PostingBatch> = unit.postings().scan(filter).try_collect().await.unwrap();
    for batch in &batches {
        fold.push(batch).unwrap();
    }
    fold.finish().unwrap()
}

/// Sums made by the store, sums folded from its scan and plain ones are equal, for every filter and grouping. A store
/// that says it can sum must answer; one that says it cannot must decline.
pub async fn sums_of_the_store_equal_folded_ones(store: Arc<dyn Store>) {
    fill(&store).await;
    let sales = random::sales(3, 400);
    insert(&store, &sales).await;
    let sums = store.info().sums;
    let every = [Dimension::Team, Dimension::Branch, Dimension::Product, Dimension::Agent];
    let mut unit = reading(&store).await;
    for filter in filters() {
        for dimensions in [&every[..], &every[..3], &every[3..], &every[1..2], &[]] {
            let plain = totals_of(&postings_of(&sales, &filter), dimensions, &filter.days);
            let folded = fold(unit.as_mut(), &filter, dimensions).await;
            assert_eq!(folded, plain, "folded: {filter:?} by {dimensions:?}");
            let plan = TotalsPlan { filter: filter.clone(), dimensions: dimensions.to_vec() };
            match unit.postings().totals(&plan).await.unwrap() {
                Pushdown::Answered(totals) => {
                    assert!(sums, "a store that says it cannot sum has summed");
                    assert_eq!(totals, plain, "summed by the store: {filter:?} by {dimensions:?}");
                }
                Pushdown::Declined => assert!(!sums, "declined: {filter:?} by {dimensions:?}"),
            }
        }
    }
}

/// Sums beyond 64 bits are exact, on both ways.
pub async fn sums_beyond_64_bits_are_exact(store: Arc<dyn Store>) {
    fill(&store).await;
    let most = Amount::from_minor(moon_core::AMOUNT_MINOR_MAX).unwrap();
    let sales: Vec<_> =
        (1..=40).map(|number| sale(number, "2026-02-10", if number % 10 == 0 { -most } else { most })).collect();
    insert(&store, &sales).await;
    let filter = PostingFilter::days(date("2026-02-10").range().into());
    let mut unit = reading(&store).await;
    let folded = fold(unit.as_mut(), &filter, &Dimension::DAILY).await;
    let total = folded.control.total().unwrap().net;
    assert_eq!((total.minor, total.count), (32 * i128::from(most.minor()), 40));
    let plan = TotalsPlan { filter, dimensions: Dimension::DAILY.to_vec() };
    if let Pushdown::Answered(totals) = unit.postings().totals(&plan).await.unwrap() {
        assert_eq!(totals, folded);
    }
}
