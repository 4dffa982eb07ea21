//! Scans and sums.

use futures_util::TryStreamExt;
use moon_core::{
    Adjustment, AdjustmentKind, AgentCode, BranchCode, BusinessDate, DayRange, DaySet, Dimension, Fold, FoldPlan,
    Places, PostingBatch, PostingFilter, ProductCode, Pushdown, Revision, Sale, SaleKind, TeamCode, Totals, TotalsPlan,
    UnitOfWork,
};
use moon_store_sqlite::SqliteStore;

use crate::common::{Database, agent, amount, branch, date, product, read, sale, team, write};

const DIMENSIONS: [Dimension; 4] = [Dimension::Team, Dimension::Branch, Dimension::Product, Dimension::Agent];

async fn scan(unit: &mut dyn UnitOfWork, filter: &PostingFilter) -> Vec<PostingBatch> {
    unit.postings().scan(filter).try_collect().await.unwrap()
}

fn folded(batches: &[PostingBatch], days: &DaySet) -> Totals {
    let mut fold = Fold::new(FoldPlan::daily(&DIMENSIONS, days.clone()));
    for batch in batches {
        fold.push(batch).unwrap();
    }
    fold.finish().unwrap()
}

async fn summed(unit: &mut dyn UnitOfWork, filter: PostingFilter) -> Totals {
    let plan = TotalsPlan { filter, dimensions: DIMENSIONS.to_vec() };
    match unit.postings().totals(&plan).await.unwrap() {
        Pushdown::Answered(totals) => totals,
        Pushdown::Declined => panic!("the store sums itself"),
    }
}

/// Numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn code(&mut self, prefix: &str, count: u64) -> String {
        format!("{prefix}{}", self.below(count))
    }
}

/// Sales over 60 days with voided ones, places given, derived and missing, cancelled and reinstated ones.
fn random_sales(numbers: &mut Numbers, count: u32) -> Vec<Sale> {
    let first = date("2026-01-01").epoch_day();
    let day = |offset: u64| BusinessDate::from_epoch_day(first + i32::try_from(offset).unwrap()).unwrap();
    (0..count)
        .map(|n| {
            let mut sale =
                sale(&format!("R{n}"), u128::from(numbers.below(u64::MAX)) << 32 | u128::from(n), "2026-01-01", 0);
            let offset = numbers.below(60);
            let minor = i64::try_from(numbers.below(2_000_000)).unwrap() - 1_000_000;
            let minor = if numbers.below(9) == 0 { minor.signum() * 999_999_999_999_999_999 } else { minor };
            sale.content.date = day(offset);
            sale.content.amount = amount(minor);
            sale.content.product = ProductCode::new(&numbers.code("P", 5)).unwrap();
            sale.content.kind = SaleKind::EVERY[usize::try_from(numbers.below(5)).unwrap()];
            if numbers.below(8) > 0 {
                sale.content.agent = Some(AgentCode::new(&numbers.code("A", 20)).unwrap());
            }
            if numbers.below(4) > 0 {
                let team = Some(TeamCode::new(&numbers.code("T", 4)).unwrap());
                let branch = Some(BranchCode::new(&numbers.code("B", 3)).unwrap());
                sale.content.team = team.clone().filter(|_| numbers.below(2) == 0);
                sale.content.branch = branch.clone().filter(|_| numbers.below(2) == 0);
                sale.places = Places { team, branch };
            }
            sale.voided = numbers.below(20) == 0;
            if !sale.voided && numbers.below(4) == 0 {
                let cancelled = offset + numbers.below(40);
                let part = numbers.below(2) == 0;
                sale.adjustments.push(Adjustment {
                    kind: AdjustmentKind::Cancellation,
                    date: day(cancelled),
                    amount: amount(if part { -minor / 2 } else { -minor }),
                    count: if part { 0 } else { -1 },
                    revision: Revision(1),
                });
                if !part {
                    sale.adjustments.push(Adjustment {
                        kind: AdjustmentKind::Reinstatement,
                        date: day(cancelled + 3),
                        amount: amount(minor),
                        count: 1,
                        revision: Revision(2),
                    });
                }
            }
            sale
        })
        .collect()
}

async fn random_store(database: &Database, count: u32) -> (SqliteStore, Vec<Sale>) {
    let store = database.store().await;
    let mut unit = write(&store).await;
    for n in 0..20 {
        unit.agents().put(&agent(&format!("A{n}")), None).await.unwrap();
        unit.organisation().put_team(&team(&format!("T{n}")), None).await.unwrap();
        unit.organisation().put_branch(&branch(&format!("B{n}")), None).await.unwrap();
        unit.products().put(&product(&format!("P{n}")), None).await.unwrap();
    }
    let sales = random_sales(&mut Numbers(7), count);
    assert!(unit.sales().insert_absent(&sales).await.unwrap().is_empty());
    unit.commit().await.unwrap();
    (store, sales)
}

#[tokio::test]
async fn sums_in_sql_equal_folded_ones_under_every_filter() {
    let database = Database::new();
    let (store, sales) = random_store(&database, 2_000).await;
    let ranges = [DayRange::new(20_454, 20_456), DayRange::new(20_470, 20_471), DayRange::new(20_500, 20_540)];
    let some_days: DaySet = ranges.into_iter().collect();
    let codes = |prefix: &str| ["1", "2", "99"].map(|number| format!("{prefix}{number}"));
    let all = PostingFilter::default();
    let filters = [
        all.clone(),
        PostingFilter::days(some_days.clone()),
        PostingFilter::days(DaySet::default()),
        PostingFilter {
            agents: Some(codes("A").map(|code| AgentCode::new(&code).unwrap()).to_vec()),
            ..PostingFilter::days(some_days.clone())
        },
        PostingFilter {
            teams: Some(codes("T").map(|code| TeamCode::new(&code).unwrap()).to_vec()),
            branches: Some(codes("B").map(|code| BranchCode::new(&code).unwrap()).to_vec()),
            ..all.clone()
        },
        PostingFilter {
            products: Some(codes("P").map(|code| ProductCode::new(&code).unwrap()).to_vec()),
            kinds: Some(vec![SaleKind::Renewal, SaleKind::NewBusiness]),
            ..PostingFilter::days(some_days)
        },
        PostingFilter { kinds: Some(Vec::new()), ..all.clone() },
    ];
    let mut unit = read(&store).await;
    for filter in filters {
        let batches = scan(unit.as_mut(), &filter).await;
        let mut last = i32::MIN;
        for day in batches.iter().flat_map(|batch| &batch.sales.day) {
            assert!(*day >= last, "sales ascend");
            last = *day;
        }
        assert_eq!(summed(unit.as_mut(), filter.clone()).await, folded(&batches, &filter.days), "{filter:?}");
    }
    let counted: usize = scan(unit.as_mut(), &all).await.iter().map(PostingBatch::len).sum();
    let expected: usize = sales.iter().map(|sale| sale.posting_dates().count()).sum();
    assert_eq!(counted, expected);
}

#[tokio::test]
async fn an_incremental_scan_brings_what_touches_the_days_and_no_more() {
    let database = Database::new();
    let store = database.filled().await;
    let mut cancelled = sale("R1", 1, "2026-01-10", 100);
    cancelled.adjustments.push(Adjustment {
        kind: AdjustmentKind::Cancellation,
        date: date("2026-02-10"),
        amount: amount(-100),
        count: -1,
        revision: Revision(1),
    });
    let mut unit = write(&store).await;
    unit.sales().insert_absent(&[cancelled, sale("R2", 2, "2026-01-11", 7)]).await.unwrap();
    let own = DaySet::from(date("2026-02-10").range());
    let batches = scan(unit.as_mut(), &PostingFilter::days(own)).await;
    assert_eq!(batches.len(), 1);
    assert!(batches[0].sales.is_empty());
    assert_eq!(batches[0].adjustments.postings.amount, [-100]);
    assert_eq!(batches[0].adjustments.own_day, [date("2026-02-10").epoch_day()]);
    assert_eq!(batches[0].adjustments.count, [-1]);
    let sold = DaySet::from(date("2026-01-10").range());
    let batches = scan(unit.as_mut(), &PostingFilter::days(sold)).await;
    assert_eq!(batches.iter().map(PostingBatch::len).sum::<usize>(), 2);
}

/// One day holds more than a batch, so that the border lies within it.
#[tokio::test]
async fn batches_neither_lose_nor_repeat_at_their_borders() {
    let database = Database::new();
    let store = database.filled().await;
    let mut unit = write(&store).await;
    let count = 66_000_u32;
    for start in (0..count).step_by(11_000) {
        let sales: Vec<_> = (start..start + 11_000)
            .map(|n| {
                // Identifiers that do not ascend with their arrival.
                let mut sale = sale(&format!("R{n}"), u128::from(n.reverse_bits()), "2026-01-01", i64::from(n));
                if n % 50 == 0 {
                    let revision = Revision(1);
                    let kind = AdjustmentKind::Cancellation;
                    let amount = amount(-i64::from(n));
                    sale.adjustments.push(Adjustment { kind, date: date("2026-01-02"), amount, count: -1, revision });
                }
                sale
            })
            .collect();
        unit.sales().insert_absent(&sales).await.unwrap();
    }
    let filter = PostingFilter::default();
    let batches = scan(unit.as_mut(), &filter).await;
    assert!(batches.iter().all(|batch| batch.len() <= 65_536));
    let mut amounts: Vec<_> = batches.iter().flat_map(|batch| batch.sales.amount.iter().copied()).collect();
    amounts.sort_unstable();
    assert_eq!(amounts, (0..i64::from(count)).collect::<Vec<_>>());
    assert_eq!(summed(unit.as_mut(), filter.clone()).await, folded(&batches, &filter.days));
}

#[tokio::test]
async fn sums_at_the_limit_are_exact() {
    let database = Database::new();
    let store = database.filled().await;
    let mut unit = write(&store).await;
    let top = 999_999_999_999_999_999;
    for (sign, prefix) in [(1, "plus"), (-1, "minus")] {
        let day = if sign > 0 { "2026-01-01" } else { "2026-01-02" };
        let number = |n: u128| n + if sign > 0 { 0 } else { 1_000 };
        let sales: Vec<_> = (0..40).map(|n| sale(&format!("{prefix}{n}"), number(n), day, sign * top)).collect();
        unit.sales().insert_absent(&sales).await.unwrap();
    }
    let totals = summed(unit.as_mut(), PostingFilter::default()).await;
    let days: Vec<_> = totals.control.days.iter().map(|day| day.figures.net.minor).collect();
    assert_eq!(days, [40 * i128::from(top), -40 * i128::from(top)]);
}
