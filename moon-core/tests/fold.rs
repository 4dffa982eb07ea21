//! The engine against a reference that anyone can check: maps of texts, one posting after the other, 128 bits.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what they unwrap is good by construction")]

use std::collections::BTreeMap;

use moon_core::{
    AMOUNT_MINOR_MAX, AdjustmentPostings, BusinessDate, Calendar, Cell, Code, CodeKind, ControlTotals, DayControl,
    DayRange, DaySet, Dimension, Error, ErrorKind, Figures, Fold, FoldPlan, Granularity, NewCodes, PostingBatch,
    PostingColumns, Sum, Totals, fold_parallel,
};
use proptest::prelude::*;

const GROUPS: u32 = 5;
const ALL: [Dimension; 4] = [Dimension::Team, Dimension::Branch, Dimension::Product, Dimension::Agent];

#[derive(Debug, Clone, Copy)]
struct Row {
    day: i32,
    groups: [u32; 4],
    amount: i64,
    /// Own day and count of an adjustment.
    adjustment: Option<(i32, i8)>,
}

fn codes<K: CodeKind>(prefix: &str, numbers: std::ops::Range<u32>) -> Vec<Code<K>> {
    // Descending, so that the order of indices is not that of codes.
    numbers.map(|number| Code::new(&format!("{prefix}{:03}", 900 - number)).unwrap()).collect()
}

fn code(prefix: &str, index: u32) -> String {
    if index == 0 { "unassigned".to_owned() } else { format!("{prefix}{:03}", 900 - index) }
}

/// A batch of rows that brings these codes.
fn batch(rows: &[Row], new: std::ops::Range<u32>) -> PostingBatch {
    let mut batch = PostingBatch {
        new_codes: NewCodes {
            teams: codes("T", new.clone()),
            branches: codes("B", new.clone()),
            products: codes("P", new.clone()),
            agents: codes("A", new),
        },
        ..PostingBatch::default()
    };
    for row in rows {
        let postings = match row.adjustment {
            None => &mut batch.sales,
            Some((own_day, count)) => {
                batch.adjustments.own_day.push(own_day);
                batch.adjustments.count.push(count);
                &mut batch.adjustments.postings
            }
        };
        postings.day.push(row.day);
        let [team, branch, product, agent] = row.groups;
        postings.team.push(team);
        postings.branch.push(branch);
        postings.product.push(product);
        postings.agent.push(agent);
        postings.given.push(0);
        postings.amount.push(row.amount);
    }
    batch
}

/// Cuts rows at these places; the first batch brings all codes but the last, which comes with the second one.
fn batches(rows: &[Row], cuts: &[prop::sample::Index]) -> Vec<PostingBatch> {
    let mut borders: Vec<_> = cuts.iter().map(|cut| cut.index(rows.len() + 1)).chain([0, rows.len()]).collect();
    borders.sort_unstable();
    let early_codes_only = |row: &Row| row.groups.iter().all(|group| *group < GROUPS - 1);
    let first_late = rows.iter().position(|row| !early_codes_only(row)).unwrap_or(rows.len());
    let mut known = 1;
    borders
        .windows(2)
        .map(|border| {
            let wanted = if border[1] > first_late { GROUPS } else { GROUPS - 1 };
            let new = known..wanted.max(known);
            known = new.end;
            batch(&rows[border[0]..border[1]], new)
        })
        .collect()
}

fn reference(plan: &FoldPlan, rows: &[Row]) -> Totals {
    let bucket = |day: i32| {
        let date = BusinessDate::from_epoch_day(day).unwrap();
        plan.calendar.period_of(plan.granularity, date).days().first().unwrap()
    };
    let mut cells: BTreeMap<(Dimension, BusinessDate, String), Figures> = BTreeMap::new();
    let mut control: BTreeMap<BusinessDate, Figures> = BTreeMap::new();
    for row in rows {
        let (own_day, count) = row.adjustment.unwrap_or((row.day, 1));
        let sum = Sum::new(row.amount.into(), count.into());
        let gross = if row.adjustment.is_none() { sum } else { Sum::ZERO };
        let sold = Figures { net: sum, gross, activity: Sum::ZERO };
        let moved = Figures { activity: sum, ..Figures::default() };
        for (day, figures) in [(row.day, sold), (own_day, moved)] {
            if !plan.days.contains(day) {
                continue;
            }
            for ((dimension, prefix), group) in ALL.iter().zip(["T", "B", "P", "A"]).zip(row.groups) {
                if plan.dimensions.contains(dimension) {
                    let cell = cells.entry((*dimension, bucket(day), code(prefix, group))).or_default();
                    *cell = cell.plus(figures).unwrap();
                }
            }
            let plain = control.entry(bucket(day)).or_default();
            *plain = plain.plus(figures).unwrap();
        }
    }
    let cell = |((dimension, day, code), figures): (_, _)| Cell { dimension, day, code: String::into(code), figures };
    Totals {
        cells: cells.into_iter().map(cell).collect(),
        control: ControlTotals {
            days: control.into_iter().map(|(day, figures)| DayControl { day, figures }).collect(),
        },
    }
}

fn fold(plan: &FoldPlan, batches: &[PostingBatch]) -> moon_core::Result<Totals> {
    let mut fold = Fold::new(plan.clone());
    batches.iter().try_for_each(|batch| fold.push(batch))?;
    fold.finish()
}

fn amount() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => -5_000_000..=50_000_000_i64,
        1 => Just(0),
        1 => -AMOUNT_MINOR_MAX..=AMOUNT_MINOR_MAX,
        1 => prop::sample::select(vec![AMOUNT_MINOR_MAX, -AMOUNT_MINOR_MAX, 1 << 51, -(1 << 51), (1 << 51) - 1]),
    ]
}

/// A day of a few weeks around 2026-01-01, now and then one at either end of time.
fn day() -> impl Strategy<Value = i32> {
    prop_oneof![
        20 => 20_440..20_475_i32,
        1 => prop::sample::select(vec![DayRange::ALL.start(), DayRange::ALL.end() - 1, 0]),
    ]
}

fn row() -> impl Strategy<Value = Row> {
    let adjustment = prop::option::weighted(0.2, (day(), -1..=1_i8));
    (day(), prop::array::uniform4(0..GROUPS), amount(), adjustment).prop_map(|(day, groups, amount, adjustment)| Row {
        day,
        groups,
        amount,
        adjustment,
    })
}

/// Rows in runs of one day, as a store gives them, long enough to fill blocks and to leave rests.
fn rows() -> impl Strategy<Value = Vec<Row>> {
    let run = (prop::collection::vec(row(), 1..4), 1..400_usize, any::<bool>());
    prop::collection::vec(run, 0..6).prop_map(|runs| {
        let mut rows = Vec::new();
        for (pattern, length, one_day) in runs {
            let day = pattern[0].day;
            let cycle = pattern.iter().cycle().take(length);
            rows.extend(cycle.map(|row| if one_day { Row { day, ..*row } } else { *row }));
        }
        rows
    })
}

fn plan() -> impl Strategy<Value = FoldPlan> {
    let days = prop_oneof![
        Just(DaySet::all()),
        Just(DaySet::from(DayRange::new(20_450, 20_460))),
        Just([DayRange::new(20_441, 20_450), DayRange::new(20_455, 20_456)].into_iter().collect::<DaySet>()),
    ];
    let granularity = [
        Granularity::Day,
        Granularity::Week,
        Granularity::Month,
        Granularity::Quarter,
        Granularity::Year,
        Granularity::All,
    ];
    let dimensions = prop::sample::subsequence(ALL.to_vec(), 0..=4);
    (dimensions, days, prop::sample::select(granularity.to_vec()), 1..=12_u8).prop_map(
        |(dimensions, days, granularity, start)| FoldPlan {
            dimensions,
            days,
            granularity,
            calendar: Calendar::new(start).unwrap(),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Any split of any permutation with any number of threads gives what the reference gives.
    #[test]
    fn totals_depend_on_the_postings_alone(
        rows in rows().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        threads in 1..5_usize,
        plan in plan(),
    ) {
        let (in_order, shuffled) = rows;
        let expected = reference(&plan, &in_order);
        prop_assert_eq!(&fold(&plan, &batches(&in_order, &cuts)).unwrap(), &expected);
        prop_assert_eq!(&fold(&plan, &batches(&shuffled, &cuts)).unwrap(), &expected);
        prop_assert_eq!(&fold_parallel(&plan, &batches(&shuffled, &cuts), threads).unwrap().finish().unwrap(), &expected);
        for dimension in &plan.dimensions {
            prop_assert!(expected.control.check(*dimension, &by_day(&expected, *dimension)).is_ok());
        }
    }

    /// Folds of separate scans, each with a dictionary of its own, merge into the fold of both.
    #[test]
    fn folds_of_separate_scans_merge(left in rows(), right in rows(), plan in plan()) {
        let expected = reference(&plan, &[&left[..], &right].concat());
        let mut fold = Fold::new(plan.clone());
        fold.push(&batch(&left, 1..GROUPS)).unwrap();
        let mut other = Fold::new(plan);
        let mut reversed = batch(&right, 1..GROUPS);
        let NewCodes { teams, branches, products, agents } = &mut reversed.new_codes;
        teams.reverse();
        branches.reverse();
        products.reverse();
        agents.reverse();
        let turn = |column: &mut Vec<u32>| column.iter_mut().filter(|group| **group != 0).for_each(|group| *group = GROUPS - *group);
        for postings in [&mut reversed.sales, &mut reversed.adjustments.postings] {
            for column in [&mut postings.team, &mut postings.branch, &mut postings.product, &mut postings.agent] {
                turn(column);
            }
        }
        other.push(&reversed).unwrap();
        fold.merge(other).unwrap();
        prop_assert_eq!(fold.finish().unwrap(), expected);
    }

    /// A run of one day whose amounts grow, so that what was assumed of them fails time and again.
    #[test]
    fn amounts_that_outgrow_a_run_add_up(parts in prop::collection::vec((1..1_500_i32, 0..60_u32, any::<bool>()), 1..8)) {
        let rows: Vec<_> = parts
            .into_iter()
            .flat_map(|(length, bits, down)| {
                let amount = (1_i64 << bits).min(AMOUNT_MINOR_MAX) * if down { -1 } else { 1 };
                (0..length).map(move |row| Row { day: 20_000, groups: [row.unsigned_abs() % 2; 4], amount, adjustment: None })
            })
            .collect();
        let plan = FoldPlan::daily(&ALL, DaySet::all());
        prop_assert_eq!(fold(&plan, &[batch(&rows, 1..2)]).unwrap(), reference(&plan, &rows));
    }

    /// Many rows of one block size or another, all of one size, in runs of a day or with days mixed: nothing wraps inside.
    #[test]
    fn amounts_at_the_limit_add_up(
        length in 1..6_000_i32,
        bits in 0..60_u32,
        down in any::<bool>(),
        days in 1..4_i32,
        adjusted in any::<bool>(),
    ) {
        let amount = (1_i64 << bits).min(AMOUNT_MINOR_MAX) * if down { -1 } else { 1 };
        let adjustment = |day: i32| adjusted.then_some((day + 1, 1));
        let rows: Vec<_> = (0..length)
            .map(|row| row % days)
            .map(|day| Row { day, groups: [1; 4], amount, adjustment: adjustment(day) })
            .collect();
        let plan = FoldPlan::daily(&ALL, DaySet::all());
        prop_assert_eq!(fold(&plan, &[batch(&rows, 1..2)]).unwrap(), reference(&plan, &rows));
    }
}

fn by_day(totals: &Totals, dimension: Dimension) -> Vec<DayControl> {
    let mut days: BTreeMap<BusinessDate, Figures> = BTreeMap::new();
    for cell in totals.cells.iter().filter(|cell| cell.dimension == dimension) {
        let day = days.entry(cell.day).or_default();
        *day = day.plus(cell.figures).unwrap();
    }
    days.into_iter().map(|(day, figures)| DayControl { day, figures }).collect()
}

#[test]
fn sums_beyond_the_limits_raise_an_error() {
    for amount in [AMOUNT_MINOR_MAX, -AMOUNT_MINOR_MAX, 0] {
        for adjustment in [None, Some((0, -1))] {
            let row = Row { day: 0, groups: [0; 4], amount, adjustment };
            let mut fold = Fold::new(FoldPlan::daily(&[Dimension::Team], DaySet::all()));
            fold.push(&batch(&[row], 1..1)).unwrap();
            // Doubling: the amount leaves 128 bits after 67 or 68 times, the count leaves 64 after 63.
            let overflow = (0..70).find_map(|_| {
                let copy = fold.clone();
                fold.merge(copy).err()
            });
            assert_eq!(overflow.map(|error| error.kind()), Some(ErrorKind::Refused), "{row:?}");
        }
    }
}

/// More groups than any short cut has room for, brought in parts, so that rows grow while they are in use.
#[test]
fn many_groups_brought_little_by_little_add_up() {
    let plan = FoldPlan::daily(&ALL, DaySet::all());
    let (mut rows, mut batches, mut known) = (Vec::new(), Vec::new(), 1);
    for codes in [3, 20, 90, 140, 141, 600] {
        let part: Vec<_> = (0..1_500_u32)
            .map(|number| Row {
                day: 20_000 + i32::try_from(number / 400).unwrap() + i32::from(codes == 20 && number % 2 == 0),
                groups: [number % codes, number % codes.min(60), (number * 7) % codes.min(30), (number * 13) % codes],
                amount: i64::from(number) * 1_001 - 500_000,
                adjustment: (number % 10 == 0).then_some((20_001, -1)),
            })
            .collect();
        batches.push(batch(&part, known..codes));
        known = codes;
        rows.extend(part);
    }
    let expected = reference(&plan, &rows);
    assert_eq!(fold(&plan, &batches).unwrap(), expected);
    assert_eq!(fold_parallel(&plan, &batches, 3).unwrap().finish().unwrap(), expected);
}

#[test]
fn whoever_takes_the_sums_may_refuse_them() {
    let rows = [1, 2, 3].map(|group| Row { day: 7, groups: [group; 4], amount: 1, adjustment: None });
    let mut fold = Fold::new(FoldPlan::daily(&ALL, DaySet::all()));
    fold.push(&batch(&rows, 1..4)).unwrap();
    let mut taken = 0;
    let refused = fold.hand_out(|cell| {
        taken += 1;
        if cell.dimension == Dimension::Branch { Err(Error::invalid("no more")) } else { Ok(()) }
    });
    assert_eq!((refused.map_err(|error| error.kind()), taken), (Err(ErrorKind::InvalidInput), 4));
}

#[test]
fn a_group_whose_sums_are_zero_has_a_cell() {
    let rows = [
        Row { day: 7, groups: [1, 0, 0, 0], amount: 0, adjustment: None },
        Row { day: 8, groups: [2, 0, 0, 0], amount: 5, adjustment: Some((9, -1)) },
        Row { day: 8, groups: [2, 0, 0, 0], amount: -5, adjustment: Some((9, 1)) },
    ];
    let plan = FoldPlan::daily(&[Dimension::Team], DaySet::all());
    let totals = fold(&plan, &[batch(&rows, 1..3)]).unwrap();
    let found: Vec<_> = totals.cells.iter().map(|cell| (cell.day.epoch_day(), &*cell.code)).collect();
    assert_eq!(found, [(7, "T899"), (8, "T898"), (9, "T898")]);
    assert_eq!(totals.control.days.len(), 3);
}

#[test]
fn what_a_store_must_not_send_is_an_error() {
    let good = Row { day: 0, groups: [0; 4], amount: 1, adjustment: None };
    let plan = FoldPlan::daily(&ALL, DaySet::all());
    let kind = |batches: &[PostingBatch]| fold(&plan, batches).map_err(|error| error.kind());
    for index in [2, 3, 4, u32::MAX] {
        for dimension in 0..4 {
            for adjustment in [None, Some((0, 1))] {
                let mut row = Row { adjustment, ..good };
                row.groups[dimension] = index;
                assert_eq!(kind(&[batch(&[good, row], 1..2)]), Err(ErrorKind::Corrupt), "{row:?}");
                assert_eq!(kind(&[batch(&[good, row], 1..2), batch(&[], 2..9)]), Err(ErrorKind::Corrupt), "{row:?}");
            }
        }
    }
    for day in [i32::MIN, DayRange::ALL.start() - 1, DayRange::ALL.end(), i32::MAX] {
        assert_eq!(kind(&[batch(&[Row { day, ..good }], 1..1)]), Err(ErrorKind::Corrupt), "{day}");
        assert_eq!(kind(&[batch(&[good, Row { day, ..good }], 1..1)]), Err(ErrorKind::Corrupt), "{day}");
        let own = Row { adjustment: Some((day, 1)), ..good };
        assert_eq!(kind(&[batch(&[own], 1..1)]), Err(ErrorKind::Corrupt), "{day}");
    }
    assert_eq!(kind(&[batch(&[], 1..3), batch(&[], 2..4)]), Err(ErrorKind::Corrupt));
    let mut short = batch(&[good, good], 1..1);
    short.sales.team.pop();
    assert_eq!(kind(&[short]), Err(ErrorKind::Corrupt));
    let mut short = batch(&[], 1..1);
    short.adjustments = AdjustmentPostings { own_day: vec![0], ..AdjustmentPostings::default() };
    assert_eq!(kind(&[short]), Err(ErrorKind::Corrupt));
    let short = PostingBatch {
        sales: PostingColumns { amount: vec![1], ..PostingColumns::default() },
        ..PostingBatch::default()
    };
    assert_eq!(kind(&[short]), Err(ErrorKind::Corrupt));
}

#[test]
fn many_merged_folds_go_on() {
    let plan = FoldPlan::daily(&[Dimension::Team, Dimension::Agent], DaySet::all());
    let rows: Vec<_> = (0..40_u32)
        .map(|number| Row {
            day: 20_000 + i32::try_from(number % 7).unwrap(),
            groups: [number % 3; 4],
            amount: i64::from(number),
            adjustment: (number % 5 == 0).then_some((20_003, -1)),
        })
        .collect();
    let folded = |rows: &[Row]| {
        let mut fold = Fold::new(plan.clone());
        fold.push(&batch(rows, 1..3)).unwrap();
        fold
    };
    let (first, others) = rows.split_first().unwrap();
    let mut fold = folded(&[*first]);
    for row in others {
        fold.merge(folded(&[*row])).unwrap();
    }
    assert_eq!(fold.clone().finish().unwrap(), reference(&plan, &rows));
    // What was merged stays when more comes, also codes that need other rows.
    let more: Vec<_> = (0..200).map(|group| Row { day: 20_009, groups: [group; 4], ..*first }).collect();
    fold.push(&batch(&more, 3..200)).unwrap();
    assert_eq!(fold.finish().unwrap(), reference(&plan, &[rows, more].concat()));
}

#[test]
fn a_merged_fold_goes_on_only_with_the_codes_it_knows() {
    let plan = FoldPlan::daily(&ALL, DaySet::all());
    let row = Row { day: 0, groups: [1; 4], amount: 1, adjustment: None };
    let (mut fold, mut other) = (Fold::new(plan.clone()), Fold::new(plan.clone()));
    fold.push(&batch(&[row], 1..2)).unwrap();
    other.push(&batch(&[row], 2..3)).unwrap();
    fold.merge(other).unwrap();
    fold.push(&batch(&[row], 1..1)).unwrap();
    let beyond = Row { groups: [2; 4], ..row };
    assert_eq!(fold.clone().push(&batch(&[beyond], 1..1)).unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(fold.push(&batch(&[beyond], 3..4)).unwrap_err().kind(), ErrorKind::Refused);
    let differing = Fold::new(FoldPlan { dimensions: vec![], ..plan });
    assert_eq!(fold.merge(differing).unwrap_err().kind(), ErrorKind::InvalidInput);
}
