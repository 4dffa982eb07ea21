//! The engine's fold beside summing the amounts alone, which no fold can beat, and beside hash maps of texts and
//! decimals, which is what one writes first. The engine has to be exact, so the sum it is judged by is the exact one, in
//! 128 bits, which cannot overflow; the sum that wraps around at 64 bits is stated beside it. All times are medians.

use std::collections::HashMap;
use std::hint::black_box;
use std::io::Write;
use std::time::Duration;

use criterion::{Criterion, Throughput};
use moon_benches::{Order, PostingShape, medians, picoseconds_per_row, postings, times};
use moon_core::{
    CellRef, Code, CodeKind, DaySet, Dimension, Fold, FoldPlan, PostingBatch, PostingColumns, Result, UNASSIGNED,
    fold_parallel,
};
use rust_decimal::Decimal;

const ROWS: usize = 10_000_000;
/// The slow yardstick takes fewer; what it is asked is the time of a row.
const NAIVE_ROWS: usize = 500_000;
const WITH_AGENTS: [Dimension; 4] = [Dimension::Team, Dimension::Branch, Dimension::Product, Dimension::Agent];

fn plan(dimensions: &[Dimension]) -> FoldPlan {
    FoldPlan::daily(dimensions, DaySet::all())
}

/// The exact sum, by which the engine is judged.
fn sum_amounts(batches: &[PostingBatch]) -> i128 {
    let sum = |amounts: &[i64]| amounts.iter().map(|amount| i128::from(*amount)).sum::<i128>();
    batches.iter().map(|batch| sum(&batch.sales.amount) + sum(&batch.adjustments.postings.amount)).sum()
}

/// The exact sum by two threads: what memory lets a second thread gain when there is nothing else to do.
fn sum_amounts_by_two(batches: &[PostingBatch]) -> i128 {
    let (first, second) = batches.split_at(batches.len() / 2);
    std::thread::scope(|scope| {
        let helper = scope.spawn(|| sum_amounts(second));
        sum_amounts(first) + helper.join().unwrap_or_default()
    })
}

/// A sum that is right only as long as it fits.
fn sum_wrapping(batches: &[PostingBatch]) -> i64 {
    let sum = |amounts: &[i64]| amounts.iter().fold(0_i64, |sum, amount| sum.wrapping_add(*amount));
    batches
        .iter()
        .map(|batch| sum(&batch.sales.amount).wrapping_add(sum(&batch.adjustments.postings.amount)))
        .fold(0, i64::wrapping_add)
}

fn fold(batches: &[PostingBatch], dimensions: &[Dimension]) -> Result<Fold> {
    let mut fold = Fold::new(plan(dimensions));
    batches.iter().try_for_each(|batch| fold.push(batch))?;
    Ok(fold)
}

/// Net, gross and activity.
type Decimals = [(Decimal, i64); 3];

/// Sums by texts in hash maps of decimals.
#[derive(Default)]
struct Naive {
    sums: [HashMap<(i32, String), Decimals>; 3],
}

impl Naive {
    fn fold(batches: &[PostingBatch]) -> Self {
        let mut naive = Self::default();
        let first = batches.first().map(|batch| &batch.new_codes);
        let teams = first.map(|codes| texts(&codes.teams)).unwrap_or_default();
        let branches = first.map(|codes| texts(&codes.branches)).unwrap_or_default();
        let products = first.map(|codes| texts(&codes.products)).unwrap_or_default();
        let texts = [&teams[..], &branches[..], &products[..]];
        for PostingBatch { sales, adjustments, .. } in batches {
            for row in 0..sales.len() {
                naive.add(sales, row, texts, None);
            }
            for row in 0..adjustments.postings.len() {
                let own = adjustments.own_day[row];
                naive.add(&adjustments.postings, row, texts, Some((own, adjustments.count[row].into())));
            }
        }
        naive
    }

    fn add(&mut self, postings: &PostingColumns, row: usize, texts: [&[String]; 3], adjustment: Option<(i32, i64)>) {
        let amount = Decimal::new(postings.amount[row], 2);
        let groups = [postings.team[row], postings.branch[row], postings.product[row]];
        let (own_day, count) = adjustment.unwrap_or((postings.day[row], 1));
        for ((sums, texts), group) in self.sums.iter_mut().zip(texts).zip(groups) {
            let text = &texts[group as usize];
            let mut bump = |day: i32, bases: &[usize]| {
                let sums = sums.entry((day, text.clone())).or_default();
                for basis in bases {
                    sums[*basis].0 += amount;
                    sums[*basis].1 += count;
                }
            };
            match adjustment {
                None => bump(own_day, &[0, 1, 2]),
                Some(_) => {
                    bump(postings.day[row], &[0]);
                    bump(own_day, &[2]);
                }
            }
        }
    }
}

fn texts<K: CodeKind>(codes: &[Code<K>]) -> Vec<String> {
    std::iter::once(UNASSIGNED.to_owned()).chain(codes.iter().map(ToString::to_string)).collect()
}

/// Looks at every figure of every cell, as one does who writes or renders them.
fn figures(fold: Result<Fold>) -> u64 {
    let mut cells = 0;
    let look = |cell: CellRef<'_>| {
        black_box((cell.day, cell.code, cell.figures));
        cells += 1;
        Ok(())
    };
    let control = fold.and_then(|fold| fold.hand_out(look));
    black_box(control).map_or(0, |_| cells)
}

/// Makes a list of them.
fn list(fold: Result<Fold>) -> u64 {
    black_box(fold.and_then(Fold::finish)).map_or(0, |totals| u64::try_from(totals.cells.len()).unwrap_or(0))
}

fn with_criterion(criterion: &mut Criterion, by_day: &[PostingBatch], random: &[PostingBatch], few: &[PostingBatch]) {
    let mut group = criterion.benchmark_group("engine");
    group.sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    group.throughput(Throughput::Elements(u64::try_from(ROWS).unwrap_or(0)));
    group.bench_function("yardstick: exact sum of the amounts", |bench| bench.iter(|| sum_amounts(black_box(by_day))));
    group.bench_function("yardstick: wrapping sum", |bench| bench.iter(|| sum_wrapping(black_box(by_day))));
    for (order, batches) in [("day order", by_day), ("random order", random)] {
        group.bench_function(format!("{order}, team + branch + product"), |bench| {
            bench.iter(|| figures(fold(batches, &Dimension::DAILY)));
        });
        group.bench_function(format!("{order}, with agents"), |bench| {
            bench.iter(|| figures(fold(batches, &WITH_AGENTS)));
        });
    }
    group.bench_function("day order, two threads", |bench| {
        bench.iter(|| figures(fold_parallel(&plan(&Dimension::DAILY), by_day, 2)));
    });
    group.throughput(Throughput::Elements(u64::try_from(NAIVE_ROWS).unwrap_or(0)));
    group.bench_function("yardstick: hash maps of texts and decimals", |bench| bench.iter(|| Naive::fold(few)));
    group.finish();
}

/// One line for each promise: how it stands, and its limit.
fn summary(by_day: &[PostingBatch], random: &[PostingBatch], few: &[PostingBatch]) -> std::io::Result<()> {
    let [sum, sum_by_two, wrapping, day, day_list, day_agents, day_by_two, shuffled, shuffled_agents, shuffled_by_two] =
        medians(
            15,
            [
                &mut || u64::try_from(black_box(sum_amounts(black_box(by_day)))).unwrap_or(0),
                &mut || u64::try_from(black_box(sum_amounts_by_two(black_box(by_day)))).unwrap_or(0),
                &mut || sum_wrapping(black_box(by_day)).unsigned_abs(),
                &mut || figures(fold(by_day, &Dimension::DAILY)),
                &mut || list(fold(by_day, &Dimension::DAILY)),
                &mut || figures(fold(by_day, &WITH_AGENTS)),
                &mut || figures(fold_parallel(&plan(&Dimension::DAILY), by_day, 2)),
                &mut || figures(fold(random, &Dimension::DAILY)),
                &mut || figures(fold(random, &WITH_AGENTS)),
                &mut || figures(fold_parallel(&plan(&Dimension::DAILY), random, 2)),
            ],
        )
        .map(|time| picoseconds_per_row(time, ROWS));
    let [naive] = medians(3, [&mut || Naive::fold(black_box(few)).sums.iter().map(|sums| sums.len() as u64).sum()])
        .map(|time| picoseconds_per_row(time, NAIVE_ROWS));
    let mut out = std::io::stdout().lock();
    let ns = |picoseconds: u128| format!("{} ns a posting", times(picoseconds, 1_000));
    writeln!(out, "plain sum of the amounts, exact in 128 bits: {}; wrapping at 64 bits: {}", ns(sum), ns(wrapping))?;
    writeln!(
        out,
        "day order: {}, {} times the exact plain sum (limit 6), {} times the wrapping one",
        ns(day),
        times(day, sum),
        times(day, wrapping)
    )?;
    writeln!(out, "day order, as a list: {}, {} times the exact plain sum", ns(day_list), times(day_list, sum))?;
    writeln!(out, "day order with agents: {}, {} times the exact plain sum", ns(day_agents), times(day_agents, sum))?;
    writeln!(
        out,
        "random order: {}, {} times the exact plain sum (limit 12), {} times the wrapping one",
        ns(shuffled),
        times(shuffled, sum),
        times(shuffled, wrapping)
    )?;
    writeln!(
        out,
        "random order with agents: {}, {} times the exact plain sum",
        ns(shuffled_agents),
        times(shuffled_agents, sum)
    )?;
    writeln!(
        out,
        "two threads (limit 1.7): {} times one in day order, {} times in random order; the plain sum gains {} times",
        times(day, day_by_two),
        times(shuffled, shuffled_by_two),
        times(sum, sum_by_two)
    )?;
    writeln!(out, "hash maps of texts and decimals: {}, {} times the engine (limit 50)", ns(naive), times(naive, day))
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let by_day = postings(PostingShape { rows: ROWS, order: Order::Day })?;
    let random = postings(PostingShape { rows: ROWS, order: Order::Random })?;
    let few = postings(PostingShape { rows: NAIVE_ROWS, order: Order::Day })?;
    let mut criterion = Criterion::default().configure_from_args();
    with_criterion(&mut criterion, &by_day, &random, &few);
    criterion.final_summary();
    summary(&by_day, &random, &few)?;
    Ok(())
}
