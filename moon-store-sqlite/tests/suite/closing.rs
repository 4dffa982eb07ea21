//! Closed periods and figures of agents as BI tools see them, and warehouses of an older version.

use moon_core::{
    AgentCell, Calendar, DayRange, Dimension, Manifest, Opening, Period, Restatement, RunRecord, Scope, StagedRows,
    Warehouse,
};
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;

use crate::common::{Database, date};
use crate::warehouse::{cells, column, control, figures, opened, record, run, warehouse};

fn march() -> Period {
    Calendar::default().parse("2026-03").unwrap()
}

#[tokio::test]
async fn bi_tools_see_what_was_reported() {
    let database = Database::new();
    let warehouse = warehouse(&database, "LKR").await;
    let reported = figures(100, i128::from(i64::MAX), -99);
    let mut stage = opened(&warehouse, run(1), &Scope::full()).await;
    let agent = AgentCell { month: date("2026-03-01"), agent: "withheld".to_owned(), figures: figures(-5, 0, 1) };
    for rows in [
        StagedRows::Cells(cells("2026-03-31", "T", reported)),
        StagedRows::Close(march()),
        StagedRows::AgentCells(vec![agent]),
    ] {
        stage.write(rows).await.unwrap();
    }
    let manifest = Manifest {
        cells: 3,
        cells_hash: "ab".to_owned(),
        closed: vec![march()],
        reopened: Vec::new(),
        agent_key: None,
        days: None,
    };
    let kept = RunRecord { manifest, ..record(run(1), reported) };
    stage.publish(&control("2026-03-31", reported), &kept).await.unwrap();
    let restated = figures(-7, 0, 0);
    let mut stage = opened(&warehouse, run(2), &Scope { agents: false, ..Scope::full() }).await;
    let (dimension, day, code) = (Dimension::Branch, date("2026-03-31"), "B".into());
    let row = Restatement { run: run(2), dimension, day, code, before: reported, after: restated };
    for rows in [
        StagedRows::Cells(cells("2026-03-31", "T", restated)),
        StagedRows::Restatements(vec![row]),
        StagedRows::Reopen(march()),
    ] {
        stage.write(rows).await.unwrap();
    }
    stage.publish(&control("2026-03-31", restated), &record(run(2), restated)).await.unwrap();

    let read = async |sql| column(&database, sql).await;
    assert_eq!(
        read("SELECT month || ' ' || agent || ' ' || net_sales || ' ' || net_count || ' ' || activity_sales FROM agent_sales_monthly").await,
        ["2026-03 withheld -0.05 1 0.01"]
    );
    assert_eq!(
        read("SELECT granularity || ' ' || period_start || ' ' || period_end || ' ' || number || ' ' || epoch || ' ' || closed_at || ' ' || reopened_number || ' ' || reopened_epoch || ' ' || (reopened_at = closed_at) FROM closings").await,
        ["month 2026-03-01 2026-03-31 1 1 2023-11-14T22:14:20.123456Z 2 1 1"]
    );
    assert_eq!(
        read("SELECT f.granularity || ' ' || f.period_start || ' ' || f.dimension || ' ' || f.day || ' ' || f.code || ' ' || f.net_sales || ' ' || f.gross_sales || ' ' || f.activity_sales FROM closed_figures f JOIN closings c USING (closed_by, granularity, period_start) WHERE c.number = 1 ORDER BY f.dimension").await,
        [
            "month 2026-03-01 branch 2026-03-31 B 1.00 92233720368547758.07 -0.99",
            "month 2026-03-01 product 2026-03-31 P 1.00 92233720368547758.07 -0.99",
            "month 2026-03-01 team 2026-03-31 T 1.00 92233720368547758.07 -0.99",
        ]
    );
    assert_eq!(
        read("SELECT number || ' ' || epoch || ' ' || dimension || ' ' || day || ' ' || code || ' ' || before_net_sales || ' ' || after_net_sales || ' ' || before_gross_sales || ' ' || after_gross_sales || ' ' || before_activity_sales || ' ' || after_activity_count FROM restatements").await,
        ["2 1 branch 2026-03-31 B 1.00 -0.07 92233720368547758.07 0.00 -0.99 1"]
    );
    assert_eq!(read("SELECT manifest ->> 'cells_hash' FROM kpi_runs ORDER BY number").await, ["ab", ""]);
}

/// A warehouse as a released version left it, with the record of its run, which had no manifest.
#[tokio::test]
async fn an_older_warehouse_keeps_its_figures() {
    let database = Database::new();
    let sums = figures(100, 200, 300);
    let mut old = serde_json::to_value(record(run(1), sums)).unwrap();
    old.as_object_mut().unwrap().remove("manifest");
    let options = SqliteConnectOptions::new().filename(database.file()).create_if_missing(true);
    let pool = SqlitePool::connect_with(options).await.unwrap();
    sqlx::raw_sql(include_str!("../../src/schema/warehouse_1.sql")).execute(&pool).await.unwrap();
    sqlx::raw_sql(
        "CREATE TABLE moon_schema (component TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT;
        INSERT INTO moon_schema VALUES ('warehouse', 1);
        INSERT INTO warehouse_currency VALUES (1, 'LKR', 2, 100);
        INSERT INTO warehouse_cells VALUES (1, 20543, 'T', 100, 1, 200, 1, 300, 1), (2, 20543, 'B', 100, 1, 200, 1, 300, 1),
            (3, 20543, 'P', 100, 1, 200, 1, 300, 1);
        INSERT INTO warehouse_product_metrics VALUES (NULL, 'P', 'a product', 400, 100, 1, -300, '0.250000', 'not_achieved',
            1, 'full')",
    )
    .execute(&pool)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO warehouse_runs VALUES (?, 1, 1, 'full', '', '', '', 3, '', 1, '', 1, '', 1, '{}', 'published', NULL, ?)",
    )
    .bind(run(1).id.to_string())
    .bind(old.to_string())
    .execute(&pool)
    .await
    .unwrap();
    pool.close().await;

    let upgraded = warehouse(&database, "LKR").await;
    upgraded.migrate().await.unwrap();
    let expected = cells("2026-03-31", "T", sums);
    assert_eq!(upgraded.cells(DayRange::ALL).await.unwrap(), expected);
    let metrics = upgraded.product_metrics(DayRange::ALL).await.unwrap();
    assert_eq!(metrics.iter().map(|metrics| (metrics.month, metrics.rows.len())).collect::<Vec<_>>(), [(None, 1)]);
    assert_eq!(upgraded.runs(9).await.unwrap(), [record(run(1), sums)]);
    assert_eq!(column(&database, "SELECT ifnull(manifest, 'none') FROM kpi_runs").await, ["none"]);
    let opening = upgraded.open(&run(1), &Scope::full()).await.unwrap();
    assert!(matches!(opening, Opening::AlreadyPublished(_)), "{opening:?}");

    // What is new works on what is old.
    let nothing = figures(0, 0, 0);
    let mut stage = opened(&upgraded, run(2), &Scope { days: DayRange::new(0, 0).into(), ..Scope::full() }).await;
    stage.write(StagedRows::Close(march())).await.unwrap();
    stage.publish(&moon_core::ControlTotals::default(), &record(run(2), nothing)).await.unwrap();
    assert_eq!(upgraded.closed_cells(march(), run(2).id).await.unwrap(), expected);
}
