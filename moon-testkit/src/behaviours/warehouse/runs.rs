//! The records that runs leave.

use std::sync::Arc;

use moon_core::{
    Calendar, ControlTotals, DayRange, ErrorKind, Manifest, RunKey, RunKind, RunOutcome, RunRecord, Scope, Sum,
    Warehouse,
};
use uuid::Uuid;

use super::{open, publish, read, record, run_key, stopped};
use crate::builders::{date, noon};

/// Every part of a record comes back, instants to the microsecond, sums beyond 64 bits.
pub async fn a_record_is_kept_in_full(warehouse: Arc<dyn Warehouse>) {
    let precise = noon("2026-04-01") + chrono::TimeDelta::microseconds(123_457);
    let mut kept = RunRecord {
        kind: RunKind::Backfill,
        days: date("1000-01-01").range(),
        started_at: precise,
        finished_at: precise + chrono::TimeDelta::microseconds(1),
        rows_read: 1 << 40,
        ..stopped(run_key(7), RunOutcome::Refused, "groups do not add up; 'quoted' \"twice\" – Łódź")
    };
    kept.control.net = Sum::new(i128::from(i64::MAX) * 1_000, 5);
    kept.last_arrivals.insert("it's another".to_owned(), precise);
    warehouse.record(&kept).await.unwrap();
    assert_eq!(warehouse.runs(10).await.unwrap(), [kept]);
    let empty = RunRecord {
        kind: RunKind::Incremental,
        days: DayRange::new(0, 0),
        last_arrivals: [].into(),
        error: None,
        ..stopped(run_key(8), RunOutcome::Failed, "")
    };
    warehouse.record(&empty).await.unwrap();
    assert_eq!(warehouse.runs(1).await.unwrap(), [empty]);
    assert_eq!(read(warehouse.as_ref()).await.run, None, "neither was published");
}

/// What a run published is kept with its record, published or not.
pub async fn a_manifest_is_kept(warehouse: Arc<dyn Warehouse>) {
    let calendar = Calendar::default();
    let period = |label: &str| calendar.parse(label).unwrap();
    let manifest = Manifest {
        cells: 1 << 40,
        cells_hash: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".to_owned(),
        closed: vec![period("2026-03"), period("2026-Q1")],
        reopened: vec![period("all")],
        agent_key: Some("0123456789abcdef".to_owned()),
        days: Some([date("1000-01-01"), date("2026-03-01"), date("2026-03-02")].into_iter().collect()),
    };
    let kept = RunRecord { manifest: manifest.clone(), ..record(run_key(1)) };
    let stage = open(warehouse.as_ref(), run_key(1), &Scope::full()).await;
    assert_eq!(stage.publish(&ControlTotals::default(), &kept).await.unwrap().record, kept);
    assert_eq!(read(warehouse.as_ref()).await.run, Some(kept.clone()));
    let failed = RunRecord { manifest, ..stopped(run_key(2), RunOutcome::Failed, "stopped") };
    warehouse.record(&failed).await.unwrap();
    assert_eq!(warehouse.runs(10).await.unwrap(), [failed, kept]);
}

/// Records come newest first, that is by epoch and number, and no more than asked for.
pub async fn records_come_newest_first(warehouse: Arc<dyn Warehouse>) {
    let key = |epoch: u32, number: u32| RunKey {
        epoch,
        number: number.into(),
        id: Uuid::from_u128(u128::from(epoch * 100 + number)),
    };
    let order = [key(2, 1), key(1, 10), key(1, 9), key(1, 2)];
    for key in [order[2], order[0], order[3], order[1]] {
        warehouse.record(&stopped(key, RunOutcome::Failed, "stopped")).await.unwrap();
    }
    for limit in [1_u32, 2, 3, 4, 100] {
        let found: Vec<RunKey> = warehouse.runs(limit).await.unwrap().iter().map(|record| record.key).collect();
        let count = usize::try_from(limit).unwrap().min(order.len());
        assert_eq!(found, order[..count], "{limit}");
    }
}

/// A run that was stopped and made again replaces its record; that of a published run stays.
pub async fn a_published_record_stays(warehouse: Arc<dyn Warehouse>) {
    let warehouse = warehouse.as_ref();
    let failed = stopped(run_key(1), RunOutcome::Failed, "the disk is full");
    let refused = stopped(run_key(1), RunOutcome::Refused, "groups do not add up");
    for stop in [&failed, &refused, &refused] {
        warehouse.record(stop).await.unwrap();
        assert_eq!(warehouse.runs(10).await.unwrap(), std::slice::from_ref(stop));
    }
    publish(warehouse, run_key(1), &Scope::full(), &[("2026-03-01", 100)]).await.unwrap();
    warehouse.record(&failed).await.unwrap();
    assert_eq!(warehouse.runs(10).await.unwrap(), [record(run_key(1))]);
    assert_eq!(read(warehouse).await.run, Some(record(run_key(1))));
}

/// The record of a run that was stopped changes no figure, and the last published run stays the last one; a stopped run
/// does not forbid an earlier one either.
pub async fn a_stopped_run_changes_no_figure(warehouse: Arc<dyn Warehouse>) {
    let warehouse = warehouse.as_ref();
    publish(warehouse, run_key(1), &Scope::full(), &[("2026-03-01", 100)]).await.unwrap();
    let before = read(warehouse).await;
    warehouse.record(&stopped(run_key(9), RunOutcome::Failed, "stopped")).await.unwrap();
    assert_eq!(read(warehouse).await, before);
    let stage = open(warehouse, run_key(2), &Scope::full()).await;
    stage.discard().await.unwrap();
    assert_eq!(read(warehouse).await, before);
    let error = warehouse.open(&RunKey { epoch: 0, ..run_key(3) }, &Scope::full()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
}

/// A run that changes nothing is published by its record alone: figures stay, the run behind them is this one, what was
/// staged before is not seen, and a repeat changes nothing.
pub async fn a_run_that_changes_nothing_needs_no_stage(warehouse: Arc<dyn Warehouse>) {
    let warehouse = warehouse.as_ref();
    let first = publish(warehouse, run_key(1), &Scope::full(), &[("2026-03-01", 100)]).await.unwrap().record;
    let before = read(warehouse).await;
    let cells = warehouse.cells(DayRange::ALL).await.unwrap();
    let abandoned = open(warehouse, run_key(2), &Scope::full()).await;
    drop(abandoned);
    // A record of a failed attempt gives way.
    warehouse.record(&stopped(run_key(2), RunOutcome::Failed, "stopped")).await.unwrap();
    let idle = RunRecord { rows_read: 0, days: DayRange::new(0, 0), ..record(run_key(2)) };
    let receipt = warehouse.publish_unchanged(&idle, &first.key).await.unwrap();
    assert_eq!(receipt.record, idle);
    assert_eq!(read(warehouse).await, moon_core::Published { run: Some(idle.clone()), ..before.clone() });
    assert_eq!(warehouse.cells(DayRange::ALL).await.unwrap(), cells);
    assert_eq!(warehouse.runs(10).await.unwrap(), [idle.clone(), first.clone()]);

    let other = RunRecord { rows_read: 7, ..idle.clone() };
    assert_eq!(warehouse.publish_unchanged(&other, &first.key).await.unwrap().record, idle, "a repeat");
    let opening = warehouse.open(&run_key(2), &Scope::full()).await.unwrap();
    assert!(matches!(opening, moon_core::Opening::AlreadyPublished(receipt) if receipt.record == idle));
    publish(warehouse, run_key(3), &Scope::full(), &[("2026-03-02", 5)]).await.unwrap();
    assert_eq!(warehouse.publish_unchanged(&other, &first.key).await.unwrap().record, idle, "a late repeat");
    assert_eq!(read(warehouse).await.run.map(|run| run.key), Some(run_key(3)));
}

/// It is refused behind a later run, and has to look again when any other one was published than the one that it was
/// compared with.
pub async fn a_run_that_changes_nothing_follows_the_one_it_was_compared_with(warehouse: Arc<dyn Warehouse>) {
    let warehouse = warehouse.as_ref();
    let kind = async |number, shown| {
        let outcome = warehouse.publish_unchanged(&record(run_key(number)), &run_key(shown)).await;
        outcome.map(|_| ()).map_err(|error| error.kind())
    };
    assert_eq!(kind(2, 1).await, Err(ErrorKind::Contention), "nothing was published");
    for number in [1, 3] {
        publish(warehouse, run_key(number), &Scope::full(), &[("2026-03-01", 100)]).await.unwrap();
    }
    let before = read(warehouse).await;
    assert_eq!(kind(4, 1).await, Err(ErrorKind::Contention));
    assert_eq!(kind(2, 1).await, Err(ErrorKind::Refused));
    assert_eq!(kind(2, 3).await, Err(ErrorKind::Refused));
    let earlier = record(RunKey { epoch: 0, ..run_key(9) });
    let error = warehouse.publish_unchanged(&earlier, &run_key(3)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    assert_eq!(read(warehouse).await, before);
    assert_eq!(warehouse.runs(10).await.unwrap().len(), 2);
    assert_eq!(kind(4, 3).await, Ok(()));
}
