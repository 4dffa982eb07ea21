//! Publishing: all or nothing, once, in order, and only what keeps the law.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use moon_core::{
    Cell, ControlTotals, DayRange, Dimension, ErrorKind, Figures, Opening, Published, Receipt, Result, RunKey, Scope,
    StagedRows, Sum, Warehouse,
};
use uuid::Uuid;

use super::{cell, cells, control, net, open, publish, read, record, run_key, scope, sorted, team_entry};
use crate::builders::{date, days};

const FIRST: &str = "2026-03-01";
const SECOND: &str = "2026-03-02";
const THIRD: &str = "2026-03-03";

/// Before the first run there is nothing to see.
pub async fn an_empty_warehouse_shows_nothing(warehouse: Arc<dyn Warehouse>) {
    assert_eq!(read(warehouse.as_ref()).await, Published::default());
    assert_eq!(warehouse.runs(10).await.unwrap(), []);
    warehouse.migrate().await.unwrap();
    assert_eq!(read(warehouse.as_ref()).await, Published::default(), "migrating again changes nothing");
}

/// What is staged is seen by nobody before it is published, and then all of it is.
pub async fn nothing_is_seen_before_it_is_published(warehouse: Arc<dyn Warehouse>) {
    let warehouse = warehouse.as_ref();
    let of_days = [(FIRST, 100), (SECOND, -250)];
    let mut stage = open(warehouse, run_key(1), &Scope::full()).await;
    stage.write(StagedRows::Teams(vec![team_entry("ALPHA", "Alpha")])).await.unwrap();
    for cell in cells(&of_days) {
        stage.write(StagedRows::Cells(vec![cell])).await.unwrap();
    }
    assert_eq!(read(warehouse).await, Published::default());
    let receipt = stage.publish(&control(&of_days), &record(run_key(1))).await.unwrap();
    assert_eq!(receipt.record, record(run_key(1)));
    let published = read(warehouse).await;
    assert_eq!(net(warehouse, DayRange::ALL).await, Some(-150));
    assert_eq!(published.teams, [team_entry("ALPHA", "Alpha")]);
    assert_eq!(published.run, Some(record(run_key(1))));
}

/// A stage that is discarded or dropped leaves what was published before, and the run can be made again.
pub async fn a_discarded_or_dropped_stage_leaves_nothing(warehouse: Arc<dyn Warehouse>) {
    let warehouse = warehouse.as_ref();
    publish(warehouse, run_key(1), &Scope::full(), &[(FIRST, 100)]).await.unwrap();
    let before = read(warehouse).await;
    for discarded in [true, false] {
        let mut stage = open(warehouse, run_key(2), &Scope::full()).await;
        stage.write(StagedRows::Cells(cells(&[(FIRST, 7), (SECOND, 8)]))).await.unwrap();
        stage.write(StagedRows::Teams(vec![team_entry("BETA", "Beta")])).await.unwrap();
        if discarded {
            stage.discard().await.unwrap()
        } else {
            drop(stage)
        }
        assert_eq!(read(warehouse).await, before);
    }
    publish(warehouse, run_key(2), &Scope::full(), &[(SECOND, 8)]).await.unwrap();
    assert_eq!(net(warehouse, DayRange::ALL).await, Some(8), "nothing of the broken attempts is left");
}

/// A repeat of a published run is told so, however many were published since, and changes nothing.
pub async fn a_run_is_published_once(warehouse: Arc<dyn Warehouse>) {
    let warehouse = warehouse.as_ref();
    publish(warehouse, run_key(1), &Scope::full(), &[(FIRST, 100)]).await.unwrap();
    for later in [2, 3] {
        let before = read(warehouse).await;
        let opening = warehouse.open(&run_key(1), &Scope::full()).await.unwrap();
        let Opening::AlreadyPublished(receipt) = opening else { unreachable!("was published, but {opening:?}") };
        assert_eq!(receipt.record, record(run_key(1)));
        assert_eq!(read(warehouse).await, before);
        publish(warehouse, run_key(later), &scope(date(SECOND).range()), &[(SECOND, 1)]).await.unwrap();
    }
    assert_eq!(net(warehouse, DayRange::ALL).await, Some(101));
    assert_eq!(warehouse.runs(10).await.unwrap().len(), 3);
}

/// Within its days a run replaces everything, also by nothing; other days stay as they are.
pub async fn cells_vanish_within_the_scope_only(warehouse: Arc<dyn Warehouse>) {
    let warehouse = warehouse.as_ref();
    publish(warehouse, run_key(1), &Scope::full(), &[(FIRST, 100), (SECOND, 200), (THIRD, 400)]).await.unwrap();
    publish(warehouse, run_key(2), &scope(days(FIRST, SECOND)), &[(FIRST, 1)]).await.unwrap();
    assert_eq!(net(warehouse, DayRange::ALL).await, Some(401));
    assert_eq!(net(warehouse, date(SECOND).range()).await, None, "no cell, no group");
    assert_eq!(net(warehouse, date(THIRD).range()).await, Some(400));
    // One code of a day vanishes where another takes its place.
    let mut stage = open(warehouse, run_key(3), &scope(date(THIRD).range())).await;
    let codes = [(Dimension::Team, "BETA"), (Dimension::Branch, "KANDY"), (Dimension::Product, "MOTOR")];
    let others: Vec<Cell> = codes.map(|(dimension, code)| cell(dimension, THIRD, code, 9)).to_vec();
    stage.write(StagedRows::Cells(others)).await.unwrap();
    stage.publish(&control(&[(THIRD, 9)]), &record(run_key(3))).await.unwrap();
    let third: Vec<_> =
        warehouse.read(date(THIRD).range()).await.unwrap().sums.into_iter().map(|sum| sum.code.to_string()).collect();
    assert_eq!(third, ["BETA", "KANDY", "MOTOR"]);
}

/// A run without days replaces none, and one of an empty ledger empties everything; both are published.
pub async fn runs_without_cells_are_published_too(warehouse: Arc<dyn Warehouse>) {
    let warehouse = warehouse.as_ref();
    publish(warehouse, run_key(1), &Scope::full(), &[]).await.unwrap();
    assert_eq!(read(warehouse).await.run, Some(record(run_key(1))));
    publish(warehouse, run_key(2), &Scope::full(), &[(FIRST, 100)]).await.unwrap();
    publish(warehouse, run_key(3), &scope(DayRange::new(0, 0)), &[]).await.unwrap();
    assert_eq!(net(warehouse, DayRange::ALL).await, Some(100), "no days, nothing replaced");
    publish(warehouse, run_key(4), &Scope::full(), &[]).await.unwrap();
    let published = read(warehouse).await;
    assert_eq!((published.sums, published.run), (Vec::new(), Some(record(run_key(4)))));
}

/// Where an earlier run opens after a later one was published, it is refused. A higher epoch starts its numbers again.
pub async fn an_earlier_run_cannot_open(warehouse: Arc<dyn Warehouse>) {
    let warehouse = warehouse.as_ref();
    let old = RunKey { epoch: 2, number: 5, id: Uuid::from_u128(25) };
    publish(warehouse, old, &Scope::full(), &[(FIRST, 100)]).await.unwrap();
    for (epoch, number) in [(2, 4), (1, 5), (1, 6), (0, u64::from(u32::MAX))] {
        let earlier = RunKey { epoch, number, id: Uuid::from_u128(99) };
        let error = warehouse.open(&earlier, &Scope::full()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{earlier:?}: {error}");
    }
    let restored = RunKey { epoch: 3, number: 1, id: Uuid::from_u128(31) };
    publish(warehouse, restored, &Scope::full(), &[(FIRST, 7)]).await.unwrap();
    assert_eq!(net(warehouse, DayRange::ALL).await, Some(7));
}

/// Where a later run was published while an earlier one was staged, the earlier one is refused and changes nothing.
pub async fn an_earlier_run_cannot_publish_after_a_later_one(warehouse: Arc<dyn Warehouse>) {
    let warehouse = warehouse.as_ref();
    let late = open(warehouse, run_key(1), &Scope::full()).await;
    publish(warehouse, run_key(2), &Scope::full(), &[(FIRST, 100)]).await.unwrap();
    let before = read(warehouse).await;
    let error = late.publish(&ControlTotals::default(), &record(run_key(1))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    assert_eq!(read(warehouse).await, before);
    assert_eq!(warehouse.runs(10).await.unwrap(), [record(run_key(2))]);
}

/// The law is checked against what was staged: whatever differs from the plain sums is refused and changes nothing.
pub async fn what_breaks_the_law_is_refused(warehouse: Arc<dyn Warehouse>) {
    let warehouse = warehouse.as_ref();
    let of_days = [(FIRST, 100), (SECOND, 200)];
    publish(warehouse, run_key(1), &Scope::full(), &of_days).await.unwrap();
    let before = read(warehouse).await;
    let whole = cells(&of_days);
    let one = Sum::new(1, 0);
    let count = Sum::new(0, 1);
    let faults = [
        Figures { net: one, ..Figures::default() },
        Figures { gross: one, ..Figures::default() },
        Figures { activity: one, ..Figures::default() },
        Figures { net: count, ..Figures::default() },
        Figures { gross: count, ..Figures::default() },
        Figures { activity: count, ..Figures::default() },
    ];
    let mut attempts: Vec<Vec<Cell>> = Vec::new();
    for place in 0..whole.len() {
        let mut lost = whole.clone();
        lost.remove(place);
        attempts.push(lost);
        // Each dimension with a fault of its own kind: six cells, six faults.
        let mut wrong = whole.clone();
        for (cell, fault) in wrong.iter_mut().zip(faults).skip(place).take(1) {
            cell.figures = cell.figures.plus(fault).unwrap();
        }
        attempts.push(wrong);
    }
    // Right in total, wrong by day.
    attempts.push(cells(&[(FIRST, 200), (SECOND, 100)]));
    for attempt in attempts {
        let mut stage = open(warehouse, run_key(2), &Scope::full()).await;
        stage.write(StagedRows::Cells(attempt.clone())).await.unwrap();
        let error = stage.publish(&control(&of_days), &record(run_key(2))).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{error} with {attempt:?}");
        assert_eq!(read(warehouse).await, before);
    }
    assert_eq!(warehouse.runs(10).await.unwrap(), [record(run_key(1))]);
    publish(warehouse, run_key(2), &Scope::full(), &of_days).await.unwrap();
}

/// Whoever reads while runs are published sees one of them as a whole: sums, names and the run's record.
pub async fn readers_see_one_run_as_a_whole(warehouse: Arc<dyn Warehouse>) {
    const RUNS: u32 = 8;
    let published = Arc::new(AtomicBool::new(false));
    let reader = {
        let (warehouse, published) = (Arc::clone(&warehouse), Arc::clone(&published));
        tokio::spawn(async move {
            let mut seen = Vec::new();
            // The last reading begins after the last run.
            loop {
                let last = published.load(Ordering::SeqCst);
                seen.push(read(warehouse.as_ref()).await);
                if last {
                    return seen;
                }
                tokio::task::yield_now().await;
            }
        })
    };
    for number in 1..=RUNS {
        let of_days = [(FIRST, i128::from(number)), (SECOND, 0)];
        let mut stage = open(warehouse.as_ref(), run_key(number), &Scope::full()).await;
        stage.write(StagedRows::Teams(vec![team_entry("ALPHA", &format!("Alpha {number}"))])).await.unwrap();
        stage.write(StagedRows::Cells(cells(&of_days))).await.unwrap();
        tokio::task::yield_now().await;
        stage.publish(&control(&of_days), &record(run_key(number))).await.unwrap();
        tokio::task::yield_now().await;
    }
    published.store(true, Ordering::SeqCst);
    let seen = reader.await.unwrap();
    let mut numbers = Vec::new();
    for seen in seen {
        let number = seen.run.as_ref().map_or(0, |run| run.key.number);
        let nets: Vec<i128> = seen.sums.iter().map(|sum| sum.figures.net.minor).collect();
        let expected = if number == 0 { Vec::new() } else { vec![i128::from(number); 3] };
        assert_eq!(nets, expected, "run {number}");
        let names: Vec<String> = seen.teams.iter().map(|team| team.name.to_string()).collect();
        let expected: Vec<_> = (number > 0).then(|| format!("Alpha {number}")).into_iter().collect();
        assert_eq!(names, expected, "run {number}");
        numbers.push(number);
    }
    assert!(numbers.is_sorted(), "readers never go back: {numbers:?}");
    assert_eq!(numbers.last(), Some(&u64::from(RUNS)));
}

/// Publishers that meet exclude each other, whether both have staged before or come at once: each publishes or is refused,
/// never in part, and what is shown is the later one of those that published. Both are refused never.
pub async fn publishers_that_meet_wait_for_one_another(warehouse: Arc<dyn Warehouse>) {
    const ROUNDS: u32 = 6;
    let warehouse = warehouse.as_ref();
    let mut expected = Vec::new();
    for round in 0..ROUNDS {
        let (lower, higher) = (run_key(2 * round + 1), run_key(2 * round + 2));
        let scope = Scope::full();
        let (lower_days, higher_days) = ([(FIRST, i128::from(round))], [(SECOND, i128::from(round) + 100)]);
        let (first, second) = if round % 2 == 0 {
            let mut stages = Vec::new();
            for (key, of_days) in [(lower, &lower_days), (higher, &higher_days)] {
                let mut stage = open(warehouse, key, &scope).await;
                stage.write(StagedRows::Cells(cells(of_days))).await.unwrap();
                stages.push(stage);
            }
            let (second, first) = (stages.pop().unwrap(), stages.pop().unwrap());
            let (lower_control, higher_control) = (control(&lower_days), control(&higher_days));
            let (lower_record, higher_record) = (record(lower), record(higher));
            let (first, second) = tokio::join!(
                first.publish(&lower_control, &lower_record),
                second.publish(&higher_control, &higher_record)
            );
            assert!(second.is_ok(), "nothing came behind it: {second:?}");
            (first, second)
        } else {
            tokio::join!(
                try_to_publish(warehouse, lower, &scope, &lower_days),
                try_to_publish(warehouse, higher, &scope, &higher_days),
            )
        };
        let mut shown = None;
        for (published, key, of_days) in [(first, lower, &lower_days), (second, higher, &higher_days)] {
            match published {
                Ok(_) => {
                    expected.push(record(key));
                    shown = Some((key, sorted(of_days)));
                }
                // A later one was published, or has taken the stage away by opening its own.
                Err(error) => assert_eq!(error.kind(), ErrorKind::Refused, "{error}"),
            }
        }
        let (key, shown) = shown.unwrap();
        assert_eq!(warehouse.cells(DayRange::ALL).await.unwrap(), shown, "round {round}");
        assert_eq!(read(warehouse).await.run, Some(record(key)));
    }
    expected.reverse();
    assert_eq!(warehouse.runs(2 * ROUNDS).await.unwrap(), expected);
}

/// Publishes, where opening may be refused too.
async fn try_to_publish(
    warehouse: &dyn Warehouse,
    key: RunKey,
    scope: &Scope,
    of_days: &[(&str, i128)],
) -> Result<Receipt> {
    let Opening::Staged(mut stage) = warehouse.open(&key, scope).await? else { unreachable!("it is new") };
    stage.write(StagedRows::Cells(cells(of_days))).await?;
    stage.publish(&control(of_days), &record(key)).await
}
