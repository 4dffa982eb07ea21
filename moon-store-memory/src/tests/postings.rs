//! Scans and sums against the plainest way to compute them.

use std::collections::BTreeMap;

use futures_util::StreamExt;
use moon_core::{
    DayRange, DaySet, Dimension, Figures, GIVEN_BRANCH, GIVEN_TEAM, PostingColumns, PostingFilter, Pushdown, Sale,
    SaleKind, SaleQuery, Sum, TotalsPlan, TxMode, UNASSIGNED, UnitOfWork,
};
use proptest::prelude::*;

use super::sales::{list_all, varied};
use super::{begin, cancellation, code, day, insert, ready, sale, store};
use crate::MemoryStore;
use crate::store::MemoryUnit;

/// A posting in words: day, own day, team, branch, product, agent, given, amount, count (`None`: the sale itself).
type Plain = (i32, i32, [String; 4], u8, i64, Option<i8>);

/// All that a scan gives, in its order within sales and within adjustments.
fn scan(unit: &mut MemoryUnit, filter: &PostingFilter) -> (Vec<Plain>, Vec<Plain>) {
    let mut codes = [(); 4].map(|()| vec![UNASSIGNED.to_owned()]);
    let (mut sales, mut adjustments) = (Vec::new(), Vec::new());
    let batches: Vec<_> = ready(unit.postings().scan(filter).collect::<Vec<_>>());
    for batch in batches {
        let batch = batch.unwrap();
        assert!(batch.len() <= 65_536);
        codes[0].extend(batch.new_codes.teams.iter().map(ToString::to_string));
        codes[1].extend(batch.new_codes.branches.iter().map(ToString::to_string));
        codes[2].extend(batch.new_codes.products.iter().map(ToString::to_string));
        codes[3].extend(batch.new_codes.agents.iter().map(ToString::to_string));
        let plain = |columns: &PostingColumns, at: usize, own_day: i32, count: Option<i8>| -> Plain {
            let indices = [&columns.team, &columns.branch, &columns.product, &columns.agent];
            let mut texts = indices
                .into_iter()
                .zip(&codes)
                .map(|(column, codes)| codes[usize::try_from(column[at]).unwrap()].clone());
            let texts = [(); 4].map(|()| texts.next().unwrap());
            (columns.day[at], own_day, texts, columns.given[at], columns.amount[at], count)
        };
        sales.extend((0..batch.sales.len()).map(|at| plain(&batch.sales, at, batch.sales.day[at], None)));
        let columns = &batch.adjustments;
        let places = 0..columns.postings.len();
        adjustments.extend(places.map(|at| plain(&columns.postings, at, columns.own_day[at], Some(columns.count[at]))));
    }
    (sales, adjustments)
}

/// The same from sales, one by one.
fn expected(sales: &[Sale], filter: &PostingFilter) -> (Vec<Plain>, Vec<Plain>) {
    let (mut own, mut adjustments) = (Vec::new(), Vec::new());
    for sale in sales.iter().filter(|sale| !sale.voided) {
        let content = &sale.content;
        let bit = |given: bool, bit: u8| if given { bit } else { 0 };
        let given = bit(content.team.is_some(), GIVEN_TEAM) | bit(content.branch.is_some(), GIVEN_BRANCH);
        let text = |code: Option<&str>| code.unwrap_or(UNASSIGNED).to_owned();
        let texts = [
            text(sale.places.team.as_ref().map(|code| code.as_str())),
            text(sale.places.branch.as_ref().map(|code| code.as_str())),
            content.product.to_string(),
            text(content.agent.as_ref().map(|code| code.as_str())),
        ];
        let matches = filter.kinds.as_ref().is_none_or(|kinds| kinds.contains(&content.kind))
            && filter.products.as_ref().is_none_or(|codes| codes.contains(&content.product))
            && filter.agents.as_ref().is_none_or(|codes| codes.iter().any(|code| Some(code) == content.agent.as_ref()))
            && filter
                .teams
                .as_ref()
                .is_none_or(|codes| codes.iter().any(|code| Some(code) == sale.places.team.as_ref()))
            && filter
                .branches
                .as_ref()
                .is_none_or(|codes| codes.iter().any(|code| Some(code) == sale.places.branch.as_ref()));
        let day = content.date.epoch_day();
        if matches && filter.days.contains(day) {
            own.push((day, day, texts.clone(), given, content.amount.minor(), None));
        }
        for adjustment in &sale.adjustments {
            let own_day = adjustment.date.epoch_day();
            if matches && (filter.days.contains(day) || filter.days.contains(own_day)) {
                let amount = adjustment.amount.minor();
                adjustments.push((day, own_day, texts.clone(), given, amount, Some(adjustment.count)));
            }
        }
    }
    (own, adjustments)
}

/// Sums of plain postings by dimension, day and code, and by day alone.
type PlainSums = (BTreeMap<(Dimension, i32, String), Figures>, BTreeMap<i32, Figures>);

fn fold((sales, adjustments): &(Vec<Plain>, Vec<Plain>), filter: &PostingFilter) -> PlainSums {
    let (mut cells, mut days) = (BTreeMap::new(), BTreeMap::new());
    for (day, own_day, texts, _, amount, count) in sales.iter().chain(adjustments) {
        let sum = Sum::new((*amount).into(), count.unwrap_or(1).into());
        let gross = if count.is_none() { sum } else { Sum::ZERO };
        let on_sale_day = Figures { net: sum, gross, ..Figures::default() };
        let on_own_day = Figures { activity: sum, ..Figures::default() };
        for (day, figures) in [(*day, on_sale_day), (*own_day, on_own_day)] {
            if filter.days.contains(day) {
                let total: &mut Figures = days.entry(day).or_default();
                *total = total.plus(figures).unwrap();
                let dimensions = [Dimension::Team, Dimension::Branch, Dimension::Product, Dimension::Agent];
                for (dimension, text) in dimensions.into_iter().zip(texts) {
                    let cell: &mut Figures = cells.entry((dimension, day, text.clone())).or_default();
                    *cell = cell.plus(figures).unwrap();
                }
            }
        }
    }
    (cells, days)
}

fn totals(unit: &mut MemoryUnit, plan: &TotalsPlan) -> PlainSums {
    let Pushdown::Answered(totals) = ready(unit.postings().totals(plan)).unwrap() else { panic!("declined") };
    assert!(totals.cells.is_sorted_by_key(|cell| (cell.dimension, cell.day, &*cell.code)));
    let cells =
        totals.cells.iter().map(|cell| ((cell.dimension, cell.day.epoch_day(), cell.code.to_string()), cell.figures));
    let days = totals.control.days.iter().map(|control| (control.day.epoch_day(), control.figures));
    (cells.collect(), days.collect())
}

fn filters() -> impl Strategy<Value = PostingFilter> {
    let ranges = prop::collection::vec((19_990..20_130_i32, 1..20_i32), 0..4);
    let days = prop_oneof![
        1 => Just(DaySet::all()),
        3 => ranges.prop_map(|ranges| {
            ranges.into_iter().map(|(start, len)| DayRange::new(start, start + len)).collect::<DaySet>()
        }),
    ];
    let digits = || prop::option::weighted(0.3, prop::collection::vec(1..=4_u8, 0..3));
    let kinds = prop::option::weighted(0.3, prop::sample::subsequence(SaleKind::EVERY.to_vec(), 0..=5));
    (days, digits(), digits(), digits(), digits(), kinds).prop_map(
        |(days, agents, products, teams, branches, kinds)| {
            // The digit 4 makes a code that the store does not know.
            let texts = |letter: char, digits: Vec<u8>| digits.into_iter().map(move |digit| format!("{letter}{digit}"));
            PostingFilter {
                days,
                agents: agents.map(|digits| texts('A', digits).map(|text| code(&text)).collect()),
                products: products.map(|digits| texts('P', digits).map(|text| code(&text)).collect()),
                teams: teams.map(|digits| texts('T', digits).map(|text| code(&text)).collect()),
                branches: branches.map(|digits| texts('B', digits).map(|text| code(&text)).collect()),
                kinds,
                without_agents: false,
            }
        },
    )
}

fn stored(rows: &[(i32, u32)]) -> MemoryStore {
    let store = store();
    let sales: Vec<_> = (0..).zip(rows).map(|(number, (offset, salt))| varied(number, *offset, *salt)).collect();
    insert(&store, &sales);
    store
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn scans_and_sums_are_those_of_the_sales_one_by_one(
        rows in prop::collection::vec((0..40_i32, any::<u32>()), 0..2_500),
        filters in prop::collection::vec(filters(), 1..8),
    ) {
        let store = stored(&rows);
        let mut unit = begin(&store, TxMode::ReadOnly);
        let sales = list_all(&mut unit, &SaleQuery::default(), 1_000);
        for filter in filters {
            let postings = scan(&mut unit, &filter);
            prop_assert_eq!(&postings, &expected(&sales, &filter));
            let dimensions = vec![Dimension::Agent, Dimension::Team, Dimension::Team, Dimension::Branch, Dimension::Product];
            let plan = TotalsPlan { filter: filter.clone(), dimensions };
            prop_assert_eq!(totals(&mut unit, &plan), fold(&postings, &filter));
        }
    }
}

#[test]
fn a_cancellation_is_found_by_its_own_day_without_its_sale() {
    let store = store();
    let mut cancelled = sale(1, day("2026-01-15"));
    cancelled.adjustments.push(cancellation(&cancelled, day("2026-04-10"), 1));
    insert(&store, &[cancelled, sale(2, day("2026-01-15"))]);
    let mut unit = begin(&store, TxMode::ReadOnly);
    let april = PostingFilter::days(DayRange::inclusive(day("2026-04-01"), day("2026-04-30")).into());
    let (sales, adjustments) = scan(&mut unit, &april);
    assert_eq!((sales.len(), adjustments.len()), (0, 1));
    let plan = TotalsPlan { filter: april, dimensions: vec![Dimension::Team] };
    let (cells, days) = totals(&mut unit, &plan);
    assert_eq!(cells.keys().map(|(_, _, code)| code.as_str()).collect::<Vec<_>>(), [UNASSIGNED]);
    let figures = Figures { activity: Sum::new(-100, -1), ..Figures::default() };
    assert_eq!(days.values().copied().collect::<Vec<_>>(), [figures]);
}

#[test]
fn large_scans_come_in_bounded_batches_in_order_with_the_codes_first() {
    let rows: Vec<_> = (0..150_000_u32).map(|number| (i32::try_from(number % 700).unwrap(), 2_u32)).collect();
    let store = stored(&rows);
    let mut unit = begin(&store, TxMode::ReadOnly);
    let filter = PostingFilter::default();
    let batches: Vec<_> = ready(unit.postings().scan(&filter).collect::<Vec<_>>());
    let batches: Vec<_> = batches.into_iter().collect::<Result<_, _>>().unwrap();
    assert!(batches.len() >= 3 && batches.iter().all(|batch| batch.len() <= 65_536));
    assert!(batches.iter().skip(1).all(|batch| batch.new_codes == moon_core::NewCodes::default()));
    let days: Vec<_> = batches.iter().flat_map(|batch| batch.sales.day.iter().copied()).collect();
    assert_eq!(days.len(), rows.len());
    assert!(days.is_sorted());
}
