//! The warehouse, and what people and BI tools read.

use moon_core::{
    Amount, Attainment, BranchCode, BranchEntry, Calendar, Cell, ControlTotals, Coverage, Currency, DayControl,
    DayRange, DaySet, Dimension, ErrorKind, Expected, Figures, Opening, ProductCode, ProductEntry, ProductRow,
    PublishedTarget, Record, RecordKey, RunKey, RunKind, RunOutcome, RunRecord, Scope, StagedRows, StagedRun, Sum,
    TargetScope, TargetStatus, TeamCode, TeamEntry, Version, Warehouse,
};
use moon_store_sqlite::SqliteWarehouse;
use sqlx::SqlitePool;
use uuid::Uuid;

use crate::common::{Database, at, date, sale, text, write};

pub(crate) fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

pub(crate) fn run(number: u64) -> RunKey {
    RunKey { epoch: 1, number, id: Uuid::from_u128(number.into()) }
}

pub(crate) fn record(key: RunKey, control: Figures) -> RunRecord {
    RunRecord {
        key,
        kind: RunKind::Full,
        days: DayRange::new(20_454, 20_456),
        started_at: at(0),
        finished_at: at(60),
        rows_read: 3,
        control,
        last_arrivals: [("source".to_owned(), at(0))].into(),
        outcome: RunOutcome::Published,
        error: None,
        manifest: moon_core::Manifest::default(),
    }
}

pub(crate) fn figures(net: i128, gross: i128, activity: i128) -> Figures {
    Figures { net: Sum::new(net, 1), gross: Sum::new(gross, 1), activity: Sum::new(activity, 1) }
}

pub(crate) fn cells(day: &str, team: &str, figures: Figures) -> Vec<Cell> {
    [(Dimension::Team, team), (Dimension::Branch, "B"), (Dimension::Product, "P")]
        .map(|(dimension, code)| Cell { dimension, day: date(day), code: code.into(), figures })
        .to_vec()
}

pub(crate) fn control(day: &str, figures: Figures) -> ControlTotals {
    ControlTotals { days: vec![DayControl { day: date(day), figures }] }
}

pub(crate) async fn opened(warehouse: &SqliteWarehouse, key: RunKey, scope: &Scope) -> Box<dyn StagedRun> {
    match warehouse.open(&key, scope).await.unwrap() {
        Opening::Staged(stage) => stage,
        Opening::AlreadyPublished(receipt) => panic!("published: {receipt:?}"),
    }
}

async fn publish(warehouse: &SqliteWarehouse, key: RunKey, day: &str, team: &str, figures: Figures) {
    let mut stage = opened(warehouse, key, &Scope::full()).await;
    stage.write(StagedRows::Cells(cells(day, team, figures))).await.unwrap();
    stage.publish(&control(day, figures), &record(key, figures)).await.unwrap();
}

pub(crate) async fn warehouse(database: &Database, code: &str) -> SqliteWarehouse {
    let warehouse = SqliteWarehouse::connect(&database.url(), currency(code)).await.unwrap();
    warehouse.migrate().await.unwrap();
    warehouse
}

pub(crate) async fn column(database: &Database, sql: &'static str) -> Vec<String> {
    let pool = SqlitePool::connect(&database.url()).await.unwrap();
    sqlx::query_scalar(sql).fetch_all(&pool).await.unwrap()
}

#[tokio::test]
async fn views_show_exact_decimals_by_the_fixed_names() {
    let database = Database::new();
    let warehouse = warehouse(&database, "LKR").await;
    let sums = figures(-5, 9_223_372_036_854_775_807, 100);
    let mut stage = opened(&warehouse, run(1), &Scope::full()).await;
    stage.write(StagedRows::Cells(cells("2026-01-01", "unassigned", sums))).await.unwrap();
    let team = TeamEntry { code: TeamCode::new("T").unwrap(), name: text("a team") };
    let branch =
        BranchEntry { code: BranchCode::new("B").unwrap(), name: text("it's"), region: Some(text("a region")) };
    let product = ProductEntry { code: ProductCode::new("P").unwrap(), name: text("a product"), line: None };
    let target = PublishedTarget {
        product: Some(product.code.clone()),
        scope: TargetScope::Branch(branch.code.clone()),
        period: Calendar::default().parse("2026-01").unwrap(),
        amount: Amount::from_minor(150_000).unwrap(),
    };
    stage.write(StagedRows::Teams(vec![team.clone()])).await.unwrap();
    stage.write(StagedRows::Branches(vec![branch.clone()])).await.unwrap();
    stage.write(StagedRows::Products(vec![product.clone()])).await.unwrap();
    stage.write(StagedRows::Targets(vec![target.clone()])).await.unwrap();
    let metric = ProductRow {
        product: "P".into(),
        product_name: "a product".into(),
        target_minor: Some(150_000),
        total: Sum::new(-5, 1),
        variance_minor: Some(-150_005),
        attainment: Attainment::of(-5, 150_000),
        status: TargetStatus::NotAchieved,
        complete: true,
        coverage: Coverage::Full,
        year_before: None,
    };
    for month in [None, Some(date("2026-01-01"))] {
        let rows = vec![metric.clone()];
        stage.write(StagedRows::ProductMetrics { month, rows }).await.unwrap();
    }
    assert!(warehouse.read(DayRange::ALL).await.unwrap().sums.is_empty(), "a stage is not seen");
    stage.publish(&control("2026-01-01", sums), &record(run(1), sums)).await.unwrap();

    let joined = |sql| column(&database, sql);
    assert_eq!(
        joined("SELECT day || ' ' || team || ' ' || net_sales || ' ' || gross_sales || ' ' || activity_sales || ' ' || net_count FROM team_sales_daily").await,
        ["2026-01-01 unassigned -0.05 92233720368547758.07 1.00 1"]
    );
    assert_eq!(
        joined("SELECT team || ' ' || team_name || ' ' || total_sales || ' ' || sale_count FROM team_sales_metrics")
            .await,
        ["unassigned unassigned -0.05 1"]
    );
    assert_eq!(
        joined("SELECT month || ' ' || branch || ' ' || branch_name || ' ' || region || ' ' || total_sales FROM branch_sales_metrics_monthly").await,
        ["2026-01 B it's a region -0.05"]
    );
    assert_eq!(
        joined("SELECT product || ' ' || scope || ' ' || period_start || ' ' || period_end || ' ' || target_amount FROM product_targets").await,
        ["P branch:B 2026-01-01 2026-01-31 1500.00"]
    );
    let metrics = "P a product 1500.00 -0.05 1 -1500.05 -0.000033 not_achieved 1 full";
    assert_eq!(
        joined("SELECT product || ' ' || product_name || ' ' || target_amount || ' ' || total_sales || ' ' || sale_count || ' ' || variance || ' ' || attainment || ' ' || status || ' ' || complete || ' ' || coverage FROM product_target_metrics").await,
        [metrics]
    );
    assert_eq!(
        joined("SELECT month || typeof(total_sales) FROM product_target_metrics_monthly").await,
        ["2026-01text"]
    );
    assert_eq!(
        joined("SELECT kind || ' ' || days || ' ' || started_at || ' ' || net_sales || ' ' || outcome FROM kpi_runs")
            .await,
        ["full 2026-01-01/2026-01-02 2023-11-14T22:13:20.123456Z -0.05 published"]
    );
    let published = warehouse.read(DayRange::ALL).await.unwrap();
    assert_eq!(published.sums.iter().map(|sum| sum.figures).collect::<Vec<_>>(), [sums; 3]);
    assert_eq!(published.teams, [team]);
    assert_eq!(published.branches, [branch]);
    assert_eq!(published.products, [product]);
    assert_eq!(published.targets, [target]);
    assert_eq!(published.run, Some(record(run(1), sums)));
}

#[tokio::test]
async fn decimals_follow_the_currency() {
    for (code, shown) in [("JPY", "-1234567"), ("KWD", "-1234.567"), ("USD", "-12345.67"), ("CLF", "-123.4567")] {
        let database = Database::new();
        let warehouse = warehouse(&database, code).await;
        publish(&warehouse, run(1), "2026-01-01", "T", figures(-1_234_567, 0, 0)).await;
        assert_eq!(column(&database, "SELECT net_sales FROM branch_sales_daily").await, [shown]);
        let other = SqliteWarehouse::connect(&database.url(), currency("EUR")).await.unwrap();
        assert_eq!(other.migrate().await.unwrap_err().kind(), ErrorKind::Refused);
        warehouse.migrate().await.unwrap();
    }
}

#[tokio::test]
async fn the_ledger_shows_itself_once_its_currency_is_known() {
    let database = Database::new();
    let store = database.filled().await;
    let mut unit = write(&store).await;
    unit.sales().insert_absent(&[sale("R1", 1, "2026-01-31", -150)]).await.unwrap();
    unit.commit().await.unwrap();
    let sql = "SELECT source || ' ' || date || ' ' || amount || ' ' || currency || ' ' || team || ' ' || recorded_at
               FROM ledger_sales_readable";
    assert!(column(&database, sql).await.is_empty());
    let settings = Record {
        key: RecordKey::new("settings", "ledger"),
        value: serde_json::json!({ "currency": "LKR" }),
        expires_at: None,
        version: Version::FIRST,
    };
    let mut unit = write(&store).await;
    unit.records().put(&settings, Expected::Absent).await.unwrap();
    unit.commit().await.unwrap();
    assert_eq!(column(&database, sql).await, ["source 2026-01-31 -1.50 LKR unassigned 2023-11-14T22:13:20Z"]);
}

#[tokio::test]
async fn publishing_is_all_or_nothing_once_and_in_order() {
    let database = Database::new();
    let warehouse = warehouse(&database, "LKR").await;
    publish(&warehouse, run(5), "2026-01-01", "T", figures(1, 2, 3)).await;
    let before = warehouse.read(DayRange::ALL).await.unwrap();
    assert!(matches!(warehouse.open(&run(5), &Scope::full()).await.unwrap(), Opening::AlreadyPublished(_)));
    assert_eq!(warehouse.open(&run(4), &Scope::full()).await.unwrap_err().kind(), ErrorKind::Refused);

    // The law is checked against what was staged.
    let mut stage = opened(&warehouse, run(6), &Scope::full()).await;
    stage.write(StagedRows::Cells(cells("2026-01-01", "T", figures(1, 2, 3)))).await.unwrap();
    let wrong = figures(1, 2, 4);
    let error = stage.publish(&control("2026-01-01", wrong), &record(run(6), wrong)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert_eq!(warehouse.read(DayRange::ALL).await.unwrap(), before);

    // A stage that a later run removed is not published, nor is one that a later run has overtaken.
    let removed = opened(&warehouse, run(7), &Scope::full()).await;
    publish(&warehouse, run(8), "2026-01-01", "T", figures(1, 2, 3)).await;
    let error = removed.publish(&ControlTotals::default(), &record(run(7), figures(0, 0, 0))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);

    // Only the scope is replaced; what is not written in it vanishes.
    let scope = Scope { days: DaySet::from(date("2026-01-02").range()), months: DaySet::default(), agents: false };
    let next = figures(7, 7, 7);
    let mut stage = opened(&warehouse, run(9), &scope).await;
    let outside = StagedRows::Cells(cells("2026-01-01", "T", next));
    assert_eq!(stage.write(outside).await.unwrap_err().kind(), ErrorKind::InvalidInput);
    stage.write(StagedRows::Cells(cells("2026-01-02", "U", next))).await.unwrap();
    let twice = StagedRows::Cells(cells("2026-01-02", "U", next));
    assert_eq!(stage.write(twice).await.unwrap_err().kind(), ErrorKind::InvalidInput);
    stage.publish(&control("2026-01-02", next), &record(run(9), next)).await.unwrap();
    let days = "SELECT day || team FROM team_sales_daily ORDER BY day";
    assert_eq!(column(&database, days).await, ["2026-01-01T", "2026-01-02U"]);
    let stage = opened(&warehouse, run(10), &Scope::full()).await;
    stage.publish(&ControlTotals::default(), &record(run(10), figures(0, 0, 0))).await.unwrap();
    assert!(column(&database, days).await.is_empty());
}

#[tokio::test]
async fn records_of_runs_are_kept_newest_first_and_published_ones_stay() {
    let database = Database::new();
    let warehouse = warehouse(&database, "LKR").await;
    let huge = figures(i128::MAX, i128::MIN, 0);
    let failed = RunRecord { outcome: RunOutcome::Failed, error: Some("because".to_owned()), ..record(run(2), huge) };
    warehouse.record(&failed).await.unwrap();
    let refused = RunRecord { outcome: RunOutcome::Refused, ..failed.clone() };
    warehouse.record(&refused).await.unwrap();
    publish(&warehouse, run(3), "2026-01-01", "T", figures(1, 1, 1)).await;
    warehouse.record(&RunRecord { outcome: RunOutcome::Failed, ..record(run(3), huge) }).await.unwrap();
    let published = record(run(3), figures(1, 1, 1));
    assert_eq!(warehouse.runs(9).await.unwrap(), [published.clone(), refused]);
    assert_eq!(warehouse.runs(1).await.unwrap(), [published]);
}

#[tokio::test]
async fn a_cell_beyond_64_bits_is_refused_clearly() {
    let database = Database::new();
    let warehouse = warehouse(&database, "LKR").await;
    let mut stage = opened(&warehouse, run(1), &Scope::full()).await;
    for minor in [i128::from(i64::MAX) + 1, i128::from(i64::MIN)] {
        let too_large = StagedRows::Cells(cells("2026-01-01", "T", figures(minor, 0, 0)));
        let error = stage.write(too_large).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert!(error.to_string().contains(&minor.to_string()), "{error}");
    }
    stage.discard().await.unwrap();
    assert_eq!(column(&database, "SELECT run_id FROM warehouse_stages").await.len(), 0);
}
