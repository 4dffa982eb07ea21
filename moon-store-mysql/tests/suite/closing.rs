//! Closed periods and figures of agents as BI tools see them, and warehouses of an older version.

use moon_core::{
    AgentCell, Calendar, Cell, DayRange, Dimension, Manifest, Opening, Period, Restatement, RunRecord, Scope,
    StagedRows, Warehouse,
};
use moon_testkit::builders::date;
use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;

use crate::publishing::{control, figures, publish, record, run_key, staged, texts, warehouse};
use crate::support::{Database, connect, skipped};

fn march() -> Period {
    Calendar::default().parse("2026-03").unwrap()
}

#[tokio::test]
async fn bi_tools_see_what_was_reported() {
    if skipped() {
        return;
    }
    let database = Database::empty().await;
    let warehouse = warehouse(&database).await;
    let reported = [("2026-03-31", 100)];
    let mut stage = staged(&warehouse, 1, &Scope::full(), &reported).await;
    stage.write(StagedRows::Close(march())).await.unwrap();
    let agent = AgentCell { month: date("2026-03-01"), agent: "withheld".to_owned(), figures: figures(-5) };
    stage.write(StagedRows::AgentCells(vec![agent])).await.unwrap();
    let manifest = Manifest {
        cells: 3,
        cells_hash: "ab".to_owned(),
        closed: vec![march()],
        reopened: Vec::new(),
        agent_key: None,
        days: None,
    };
    stage.publish(&control(&reported), &RunRecord { manifest, ..record(1) }).await.unwrap();
    let restated = [("2026-03-31", -7)];
    let scope = Scope { agents: false, ..Scope::full() };
    let mut stage = staged(&warehouse, 2, &scope, &restated).await;
    let (dimension, day) = (Dimension::Branch, date("2026-03-31"));
    let (before, after) = (figures(100), figures(-7));
    let row = Restatement { run: run_key(2), dimension, day, code: "KANDY".into(), before, after };
    stage.write(StagedRows::Restatements(vec![row])).await.unwrap();
    stage.write(StagedRows::Reopen(march())).await.unwrap();
    stage.publish(&control(&restated), &record(2)).await.unwrap();

    let mut conn = database.conn().await;
    assert_eq!(
        texts(&mut conn, "SELECT CONCAT_WS(' ', month, agent, net_sales, net_count) FROM agent_sales_monthly").await,
        ["2026-03 withheld -0.0500 1"]
    );
    let closings =
        "SELECT CONCAT_WS(' ', granularity, period_start, period_end, number, epoch, closed_at, reopened_number,
        reopened_epoch, reopened_at = closed_at) FROM closings";
    let closing = "month 2026-03-01 2026-03-31 1 1 2026-04-02 12:00:00.000000 2 1 1";
    assert_eq!(texts(&mut conn, closings).await, [closing]);
    let closed = "SELECT CONCAT_WS(' ', f.granularity, f.period_start, f.dimension, f.day, f.code, f.net_sales, f.net_count,
        f.gross_sales, f.activity_sales) FROM closed_figures f JOIN closings c USING (closed_by, granularity, period_start)
        WHERE c.number = 1 ORDER BY f.dimension";
    assert_eq!(
        texts(&mut conn, closed).await,
        [
            "month 2026-03-01 branch 2026-03-31 KANDY 1.0000 1 1.0100 0.9900",
            "month 2026-03-01 product 2026-03-31 LIFE 1.0000 1 1.0100 0.9900",
            "month 2026-03-01 team 2026-03-31 ALPHA 1.0000 1 1.0100 0.9900",
        ]
    );
    let restatements = "SELECT CONCAT_WS(' ', number, epoch, dimension, day, code, before_net_sales, after_net_sales,
        after_net_sales - before_net_sales, after_gross_count) FROM restatements";
    assert_eq!(texts(&mut conn, restatements).await, ["2 1 branch 2026-03-31 KANDY 1.0000 -0.0700 -1.0700 2"]);
    let manifests = "SELECT JSON_UNQUOTE(JSON_EXTRACT(manifest, '$.cells_hash')) FROM kpi_runs ORDER BY number";
    assert_eq!(texts(&mut conn, manifests).await, ["ab", ""]);
}

/// A warehouse as a released version left it: one figure of each kind, and the record of its run, which had no manifest.
async fn make_version_1(conn: &mut Conn) {
    for statement in include_str!("../../src/schema/warehouse_1.sql").split(";\n") {
        let lines: Vec<&str> = statement.lines().filter(|line| !line.starts_with("--")).collect();
        if lines.iter().any(|line| !line.is_empty()) {
            conn.query_drop(lines.join("\n")).await.unwrap();
        }
    }
    let mut old = serde_json::to_value(record(1)).unwrap();
    old.as_object_mut().unwrap().remove("manifest");
    let id = run_key(1).id;
    for statement in [
        "CREATE TABLE moon_schema (component VARBINARY(32) NOT NULL PRIMARY KEY, version BIGINT NOT NULL,
            step BIGINT NOT NULL, begun BIGINT NOT NULL)",
        "INSERT INTO moon_schema VALUES ('warehouse', 1, 0, 0)",
        "INSERT INTO warehouse_currency VALUES (1, 'LKR', 2)",
        "INSERT INTO team_sales_daily VALUES ('2026-03-31', 'ALPHA', 1, 1, 1.01, 2, 0.99, 0)",
        "INSERT INTO branch_sales_daily VALUES ('2026-03-31', 'KANDY', 1, 1, 1.01, 2, 0.99, 0)",
        "INSERT INTO product_sales_daily VALUES ('2026-03-31', 'LIFE', 1, 1, 1.01, 2, 0.99, 0)",
        "INSERT INTO teams VALUES ('ALPHA', 'Alpha')",
        "INSERT INTO warehouse_product_metrics
            VALUES (1, '1000-01-01', 'LIFE', 'Life', 4, 1, 1, -3, 0.25, 'not_achieved', 1, 'full')",
        &format!(
            "INSERT INTO warehouse_runs VALUES ('{id}', 1, 1, 'full', '', NOW(), NOW(), 3, 1, 1, 1, 1, 1, 1, '{{}}',
                'published', NULL, '{old}')"
        ),
    ] {
        conn.query_drop(statement).await.unwrap();
    }
}

#[tokio::test]
async fn an_older_warehouse_keeps_its_figures_and_grants() {
    if skipped() {
        return;
    }
    let mut database = Database::empty().await;
    let mut conn = database.conn().await;
    make_version_1(&mut conn).await;
    let user = database.user("bi").await;
    for table in ["team_sales_daily", "team_sales_metrics", "kpi_runs"] {
        conn.query_drop(format!("GRANT SELECT ON {}.{table} TO '{user}'@'%'", database.name())).await.unwrap();
    }
    let warehouse = warehouse(&database).await;
    warehouse.migrate().await.unwrap();
    let mut reader = connect(&database.url_of(&user)).await;
    assert_eq!(texts(&mut reader, "SELECT total_sales FROM team_sales_metrics").await, ["1.0000"]);
    assert_eq!(texts(&mut reader, "SELECT COALESCE(manifest, 'none') FROM kpi_runs").await, ["none"]);
    let groups = [(Dimension::Team, "ALPHA"), (Dimension::Branch, "KANDY"), (Dimension::Product, "LIFE")];
    let cells = groups.map(|(dimension, code)| Cell {
        dimension,
        day: date("2026-03-31"),
        code: code.into(),
        figures: figures(100),
    });
    assert_eq!(warehouse.cells(DayRange::ALL).await.unwrap(), cells);
    let metrics = warehouse.product_metrics(DayRange::ALL).await.unwrap();
    assert_eq!(metrics.iter().map(|metrics| (metrics.month, metrics.rows.len())).collect::<Vec<_>>(), [(None, 1)]);
    assert_eq!(warehouse.runs(9).await.unwrap(), [record(1)]);
    let opening = warehouse.open(&run_key(1), &Scope::full()).await.unwrap();
    assert!(matches!(opening, Opening::AlreadyPublished(_)), "{opening:?}");

    // What is new works on what is old.
    let mut stage = staged(&warehouse, 2, &Scope { days: DayRange::new(0, 0).into(), ..Scope::full() }, &[]).await;
    stage.write(StagedRows::Close(march())).await.unwrap();
    stage.publish(&control(&[]), &record(2)).await.unwrap();
    assert_eq!(warehouse.closed_cells(march(), run_key(2).id).await.unwrap(), cells);
    publish(&warehouse, 3, &Scope::full(), &[]).await.unwrap();
    assert_eq!(warehouse.closed_cells(march(), run_key(2).id).await.unwrap(), cells);
}

/// A server that went down right after the new column was there, before it was noted.
#[tokio::test]
async fn an_upgrade_that_broke_off_at_the_new_column_is_gone_on_with() {
    if skipped() {
        return;
    }
    let database = Database::empty().await;
    let mut conn = database.conn().await;
    make_version_1(&mut conn).await;
    let upgraded = warehouse(&database).await;
    for later in ["TABLE warehouse_stage_agents", "TABLE warehouse_stage_restatements", "VIEW agent_sales_monthly"] {
        conn.query_drop(format!("DROP {later}")).await.unwrap();
    }
    // Four tables come before it.
    conn.query_drop("UPDATE moon_schema SET version = 1, step = 4, begun = 1").await.unwrap();
    upgraded.migrate().await.unwrap();
    publish(&upgraded, 2, &Scope::full(), &[("2026-03-31", 100)]).await.unwrap();
    assert_eq!(upgraded.agent_cells(DayRange::ALL).await.unwrap(), []);
}
