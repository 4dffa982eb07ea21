//! What an aggregation of a ledger in MariaDB is measured against, for `cargo xtask measure-warehouse`.
//!
//! - `fill URL SALES` puts a generated history of so many sales through the ledger of a database.
//! - `drain URL` reads the rows that an aggregation reads, by one statement for each table, and does nothing with them.
//! - `group-by-dimension URL` lets the server sum them by day, and by day and team, branch and product, a statement each.
//! - `group-by-all URL` lets it sum them by day and all three at once, and adds up the groups here.
//!
//! The last three print one line: the milliseconds that they took and the rows that came back.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a measurement for people at a terminal"
)]

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use moon_benches::history;
use moon_core::{Ledger, LedgerOptions, Store};
use moon_datagen::populate;
use moon_settings::GrowingPause;
use moon_store_mysql::{MysqlOptions, MysqlStore};
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Opts, OptsBuilder, Row, Value};

/// How often filling tells where it stands, in sales.
const TELL_EVERY: u64 = 500_000;

/// What a drain reads: sales in force in the order in which they lie, then cancellations and reinstatements.
const DRAINED: [&str; 2] = [
    "SELECT s.sale_date, s.product_id, s.team_id, s.branch_id, s.amount
     FROM ledger_sales s FORCE INDEX (PRIMARY) WHERE s.state = 0 ORDER BY s.sale_date, s.id",
    "SELECT STRAIGHT_JOIN s.sale_date, s.product_id, s.team_id, s.branch_id, j.amount, j.own_date, j.count
     FROM ledger_adjustments j JOIN ledger_sales s FORCE INDEX (PRIMARY) ON s.sale_date = j.sale_date AND s.id = j.sale_id
     WHERE s.state = 0 ORDER BY j.sale_date, j.sale_id, j.revision",
];

/// The tables that make up the bases, each with the day by which it is summed and its sums: sales; adjustments on the day
/// of their sale; adjustments on their own day.
const PARTS: [(&str, &str); 3] = [
    ("s.sale_date", "SUM(s.amount), COUNT(*) FROM ledger_sales s FORCE INDEX (PRIMARY)"),
    (
        "j.sale_date",
        "SUM(j.amount), SUM(j.count) FROM ledger_adjustments j
         JOIN ledger_sales s FORCE INDEX (PRIMARY) ON s.sale_date = j.sale_date AND s.id = j.sale_id",
    ),
    (
        "j.own_date",
        "SUM(j.amount), SUM(j.count) FROM ledger_adjustments j
         JOIN ledger_sales s FORCE INDEX (PRIMARY) ON s.sale_date = j.sale_date AND s.id = j.sale_id",
    ),
];

/// By day alone: the plain sums that the others must add up to.
const PLAIN: &str = "NULL";

const DIMENSIONS: [&str; 3] = ["s.team_id", "s.branch_id", "s.product_id"];

async fn connect(url: &str) -> Conn {
    let options = Opts::from_url(url).unwrap();
    Conn::new(OptsBuilder::from_opts(options).prefer_socket(false)).await.unwrap()
}

async fn fill(url: &str, sales: u64) {
    let (server, name) = url.rsplit_once('/').unwrap();
    let mut conn = connect(server).await;
    conn.query_drop(format!("CREATE DATABASE {name}")).await.unwrap();
    conn.disconnect().await.unwrap();
    let options = MysqlOptions::default().statement_timeout(Duration::from_secs(600));
    let store = Arc::new(MysqlStore::connect_with(url, &options).await.unwrap());
    store.migrate().await.unwrap();
    let ledger = Ledger::open(store, &LedgerOptions::default()).await.unwrap().with_pause(Arc::new(GrowingPause));
    let began = Instant::now();
    let mut next = TELL_EVERY;
    let plan = history(sales);
    let summary = populate(&ledger, &plan, |progress| {
        if progress.sales >= next {
            next += TELL_EVERY;
            eprintln!("  {} of {sales} sales after {} s", progress.sales, began.elapsed().as_secs());
        }
    });
    let arrived = summary.await.unwrap().arrived;
    let mut conn = connect(url).await;
    // As the server does by itself after a while.
    conn.query_drop("ANALYZE TABLE ledger_sales, ledger_adjustments").await.unwrap();
    conn.disconnect().await.unwrap();
    println!("{} {}", began.elapsed().as_millis(), arrived.sales);
}

async fn drain(conn: &mut Conn) -> u64 {
    let mut rows = 0;
    for sql in DRAINED {
        conn.exec_iter(sql, ()).await.unwrap().for_each_and_drop(|_| rows += 1).await.unwrap();
    }
    rows
}

async fn group_by_dimension(conn: &mut Conn) -> u64 {
    let mut rows = 0;
    for column in DIMENSIONS.into_iter().chain([PLAIN]) {
        for (day, sums) in PARTS {
            let by = if column == PLAIN { day.to_owned() } else { format!("{day}, {column}") };
            let sql = format!("SELECT STRAIGHT_JOIN {day}, {column}, {sums} WHERE s.state = 0 GROUP BY {by}");
            conn.exec_iter(sql, ()).await.unwrap().for_each_and_drop(|_| rows += 1).await.unwrap();
        }
    }
    rows
}

/// A sum by day and number of a group.
type Sums = HashMap<(String, Option<i64>), (i128, i64)>;

async fn group_by_all(conn: &mut Conn) -> u64 {
    let columns = DIMENSIONS.join(", ");
    let (mut rows, mut sums) = (0, DIMENSIONS.map(|_| Sums::new()));
    for (day, tables) in PARTS {
        let sql =
            format!("SELECT STRAIGHT_JOIN {day}, {columns}, {tables} WHERE s.state = 0 GROUP BY {day}, {columns}");
        let add = |row: Row| {
            rows += 1;
            roll_up(&row, &mut sums);
        };
        conn.exec_iter(sql, ()).await.unwrap().for_each_and_drop(add).await.unwrap();
    }
    assert!(sums.iter().all(|sums| !sums.is_empty()), "nothing was summed");
    rows
}

fn roll_up(row: &Row, sums: &mut [Sums; 3]) {
    let whole = |place: usize| match row.as_ref(place) {
        Some(Value::Int(number)) => Some(i128::from(*number)),
        Some(Value::Bytes(text)) => std::str::from_utf8(text).unwrap().parse().ok(),
        _ => None,
    };
    let day = row.as_ref(0).unwrap().as_sql(true);
    let (amount, count) = (whole(4).unwrap(), i64::try_from(whole(5).unwrap()).unwrap());
    for (place, sums) in sums.iter_mut().enumerate() {
        let group = whole(place + 1).map(|number| i64::try_from(number).unwrap());
        let sum = sums.entry((day.clone(), group)).or_default();
        *sum = (sum.0 + amount, sum.1 + count);
    }
}

/// Prints what a yardstick took.
fn tell(began: Instant, rows: u64) {
    assert!(rows > 0, "there is nothing to read");
    println!("{} {rows}", began.elapsed().as_millis());
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["fill", url, sales] => fill(url, sales.parse().unwrap()).await,
        [yardstick, url] => {
            let mut conn = connect(url).await;
            let began = Instant::now();
            let rows = match *yardstick {
                "drain" => drain(&mut conn).await,
                "group-by-dimension" => group_by_dimension(&mut conn).await,
                "group-by-all" => group_by_all(&mut conn).await,
                other => panic!("there is no yardstick `{other}`"),
            };
            tell(began, rows);
            conn.disconnect().await.unwrap();
        }
        _ => panic!("usage: fill URL SALES | drain URL | group-by-dimension URL | group-by-all URL"),
    }
}
