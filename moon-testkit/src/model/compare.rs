//! Whether a store holds what the model holds.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::TryStreamExt as _;
use moon_core::{
    Basis, BusinessDate, ControlTotals, DayControl, DayRange, Dimension, FigureFilter, Fold, FoldPlan, KpiQuery,
    Ledger, MarkCounts, PAGE_LIMIT_MAX, PageRequest, Period, PostingFilter, Pushdown, Sale, SaleKey, SaleKind,
    SaleQuery, Sum, TotalsPlan, UnitOfWork, Version, View,
};

use super::command::{AGENTS, SALES};
use super::naive::{Model, content_of};
use crate::builders::{agent_code, branch_code, date, days, key, product_code, team_code};
use crate::postings::{postings_of, scan, totals_of};

/// Compares what the store keeps with what the model keeps, in one snapshot.
pub(super) async fn compare(ledger: &Ledger, model: &Model) {
    let mut unit = ledger.snapshot().await.unwrap();
    let unit = unit.as_mut();
    let sales = compare_sales(unit, model).await;
    compare_messages(ledger, unit, model, &sales).await;
    compare_assignments(unit, model).await;
    compare_targets(unit, model).await;
    compare_audit(unit, model).await;
    compare_marks(unit, model).await;
    compare_figures(unit, &sales, &PostingFilter::default()).await;
}

/// Compares the figures that filters and views make of it.
pub(super) async fn compare_views(ledger: &Ledger, model: &Model) {
    let mut unit = ledger.snapshot().await.unwrap();
    let unit = unit.as_mut();
    let sales = compare_sales(unit, model).await;
    for filter in filters() {
        compare_figures(unit, &sales, &filter).await;
    }
    for basis in Basis::EVERY {
        compare_as_now(ledger, unit, model, &sales, basis).await;
    }
}

async fn compare_sales(unit: &mut dyn UnitOfWork, model: &Model) -> Vec<Sale> {
    let listed = unit.sales().list(&SaleQuery::default(), &PageRequest::first(PAGE_LIMIT_MAX)).await.unwrap().items;
    let by_date: Vec<_> = listed.iter().map(|sale| (sale.content.date, sale.id)).collect();
    assert!(by_date.is_sorted(), "sales ascend by date and identifier: {by_date:?}");
    let mut expected = model.sales();
    for sale in &listed {
        if let Some(expected) = expected.get_mut(&sale.key) {
            // The model knows neither identifiers nor instants.
            (expected.id, expected.recorded_at, expected.content_at) = (sale.id, sale.recorded_at, sale.content_at);
        }
    }
    let found: BTreeMap<SaleKey, Sale> = listed.iter().map(|sale| (sale.key.clone(), sale.clone())).collect();
    assert_eq!(found, expected, "sales");
    let keys: Vec<SaleKey> = SALES.map(key).to_vec();
    let by_key: Vec<_> = keys.iter().map(|key| expected.get(key).cloned()).collect();
    assert_eq!(unit.sales().find(&keys).await.unwrap(), by_key, "sales by key");
    listed
}

async fn compare_messages(ledger: &Ledger, unit: &mut dyn UnitOfWork, model: &Model, sales: &[Sale]) {
    let keys = SALES.map(key);
    let mut found: BTreeMap<SaleKey, BTreeMap<u32, _>> = BTreeMap::new();
    for message in unit.sales().messages(&keys).await.unwrap() {
        let of_sale = found.entry(message.key).or_default();
        let other = of_sale.insert(message.revision.0, (message.body, message.entry));
        assert_eq!(other, None, "one message for each revision");
    }
    // The present content of a sale lies in the sale.
    let mut expected = model.messages.clone();
    for messages in expected.values_mut() {
        if let Some((revision, _)) = content_of(messages) {
            messages.remove(&revision);
        }
    }
    expected.retain(|_, messages| !messages.is_empty());
    assert_eq!(found, expected, "messages");
    for sale in sales {
        let history = ledger.sale_history(sale.id).await.unwrap().expect("a history of each sale");
        assert_eq!(history.sale, *sale);
        let told = history.messages.into_iter().map(|message| (message.revision.0, (message.body, message.entry)));
        let expected = model.messages[&sale.key].clone().into_iter();
        assert_eq!(told.collect::<Vec<_>>(), expected.collect::<Vec<_>>(), "history of {}", sale.key);
    }
}

async fn compare_assignments(unit: &mut dyn UnitOfWork, model: &Model) {
    for agent in AGENTS.map(agent_code) {
        type Row = (BusinessDate, Version, Option<BusinessDate>, String, String);
        let of_agent = model.assignments.iter().filter(|(assignment, _)| assignment.agent == agent);
        let mut expected: Vec<Row> = of_agent
            .map(|(new, version)| (new.from, *version, new.to, new.team.to_string(), new.branch.to_string()))
            .collect();
        expected.sort_unstable();
        let row = |known: &moon_core::Assignment| -> Row {
            (known.from, known.version, known.to, known.team.to_string(), known.branch.to_string())
        };
        let history = unit.agents().assignment_history(&agent).await.unwrap();
        assert_eq!(history.iter().map(row).collect::<Vec<_>>(), expected, "history of {agent}");
        let present: BTreeMap<_, _> = expected.into_iter().map(|row| (row.0, row)).collect();
        let found = unit.agents().assignments(std::slice::from_ref(&agent)).await.unwrap();
        assert_eq!(found.iter().map(row).collect::<Vec<_>>(), present.into_values().collect::<Vec<_>>(), "of {agent}");
    }
}

async fn compare_targets(unit: &mut dyn UnitOfWork, model: &Model) {
    let targets = unit.products().targets().await.unwrap();
    let count = targets.len();
    let found: BTreeMap<_, _> =
        targets.into_iter().map(|target| ((target.key, target.from), (target.amount, target.version))).collect();
    assert_eq!(found.len(), count, "one present version of each target");
    assert_eq!(found, model.targets, "targets");
}

async fn compare_audit(unit: &mut dyn UnitOfWork, model: &Model) {
    let entries = unit.audit().list(&PageRequest::first(PAGE_LIMIT_MAX)).await.unwrap().items;
    let actions: Vec<_> = entries.into_iter().map(|entry| entry.action).collect();
    assert_eq!(actions, model.audit, "audit");
}

async fn compare_marks(unit: &mut dyn UnitOfWork, model: &Model) {
    let claimed = unit.marks().claimed(model.run()).await.unwrap();
    assert!(claimed.windows(2).all(|pair| pair[0] < pair[1]), "marks ascend, each once: {claimed:?}");
    let claimed: BTreeSet<_> = claimed.into_iter().collect();
    let missing: Vec<_> = model.claimed.required.difference(&claimed).collect();
    assert!(missing.is_empty(), "not marked: {missing:?}");
    let needless: Vec<_> = claimed.difference(&model.claimed.allowed).collect();
    assert!(needless.is_empty(), "marked without need: {needless:?}");
    let counts: MarkCounts = unit.marks().counts().await.unwrap();
    assert_eq!(counts.claimed > 0, !claimed.is_empty(), "{counts:?}");
    assert!(counts.open > 0 || model.open.required.is_empty(), "{counts:?}");
    assert!(counts.open == 0 || !model.open.allowed.is_empty(), "{counts:?}");
    assert_eq!(counts.oldest.is_some(), counts.open + counts.claimed > 0, "{counts:?}");
}

/// One filter of each kind.
fn filters() -> Vec<PostingFilter> {
    let all = PostingFilter::default;
    vec![
        PostingFilter::days(days("2026-02-01", "2026-02-14").into()),
        PostingFilter { agents: Some(vec![agent_code("AGT001"), agent_code("AGT003")]), ..all() },
        PostingFilter { products: Some(vec![product_code("LIFE")]), ..all() },
        PostingFilter { teams: Some(vec![team_code("BETA")]), ..all() },
        PostingFilter { branches: Some(vec![branch_code("COLOMBO")]), ..all() },
        PostingFilter { kinds: Some(vec![SaleKind::NewBusiness, SaleKind::Reversal]), ..all() },
    ]
}

/// Postings, sums folded from them, sums made by the store, and the law.
async fn compare_figures(unit: &mut dyn UnitOfWork, sales: &[Sale], filter: &PostingFilter) {
    const EVERY: [Dimension; 4] = [Dimension::Team, Dimension::Branch, Dimension::Product, Dimension::Agent];
    let postings = postings_of(sales, filter);
    assert_eq!(scan(unit, filter).await.0, postings, "postings of {filter:?}");
    let expected = totals_of(&postings, &EVERY, &filter.days);
    let mut fold = Fold::new(FoldPlan::daily(&EVERY, filter.days.clone()));
    {
        let mut batches = unit.postings().scan(filter);
        while let Some(batch) = batches.try_next().await.unwrap() {
            fold.push(&batch).unwrap();
        }
    }
    let totals = fold.finish().unwrap();
    assert_eq!(totals, expected, "folded from {filter:?}");
    let plan = TotalsPlan { filter: filter.clone(), dimensions: EVERY.to_vec() };
    if let Pushdown::Answered(summed) = unit.postings().totals(&plan).await.unwrap() {
        assert_eq!(summed, expected, "summed by the store over {filter:?}");
    }
    for dimension in EVERY {
        let mut by_day: BTreeMap<BusinessDate, ControlTotals> = BTreeMap::new();
        for cell in totals.cells.iter().filter(|cell| cell.dimension == dimension) {
            let DayControl { day, figures } = DayControl { day: cell.day, figures: cell.figures };
            by_day.entry(day).or_default().days.push(DayControl { day, figures });
        }
        let grouped: Vec<_> =
            by_day.into_iter().map(|(day, cells)| DayControl { day, figures: cells.total().unwrap() }).collect();
        totals.control.check(dimension, &grouped).unwrap();
    }
}

/// Key figures by today's assignments: given places stay, derived ones follow.
async fn compare_as_now(ledger: &Ledger, unit: &mut dyn UnitOfWork, model: &Model, sales: &[Sale], basis: Basis) {
    let as_of = date("2026-02-09");
    let query = KpiQuery { period: Period::ALL, basis, as_of, to_date: false, with_year_before: false };
    let filter = FigureFilter { view: View::AsNow, ..FigureFilter::default() };
    let report = ledger.key_figures_in(unit, &query, &filter).await.unwrap();
    let placed: Vec<Sale> =
        sales.iter().map(|sale| Sale { places: model.places_now(&sale.content, as_of), ..sale.clone() }).collect();
    let postings = postings_of(&placed, &PostingFilter::default());
    let totals = totals_of(&postings, &Dimension::DAILY, &DayRange::ALL.into());
    let of = |dimension: Dimension| {
        let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
        for cell in totals.cells.iter().filter(|cell| cell.dimension == dimension) {
            let sum = sums.entry(cell.code.to_string()).or_default();
            *sum = sum.plus(cell.figures.of(basis)).unwrap();
        }
        sums
    };
    let teams: BTreeMap<_, _> = report.teams.iter().map(|row| (row.team.to_string(), row.total)).collect();
    let branches: BTreeMap<_, _> = report.branches.iter().map(|row| (row.branch.to_string(), row.total)).collect();
    assert_eq!(teams, of(Dimension::Team), "{basis:?} by team, as now");
    assert_eq!(branches, of(Dimension::Branch), "{basis:?} by branch, as now");
    assert_eq!(report.control, totals.control.total().unwrap().of(basis), "{basis:?}");
}
