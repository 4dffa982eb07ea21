//! Measures recording, scanning and summing on the server of `MOON_TEST_MYSQL_URL`, in a database `moon_measure` that it makes
//! and removes: `cargo run --release -p moon-store-mysql --example mysql_measure -- 1000000 5000`, the number of sales and how
//! many go into one call; a third word, `record`, leaves everything but recording out, and the database where it is.
//!
//! Recording is compared with one LOAD DATA LOCAL INFILE of the same rows into a table with the same keys, foreign keys and
//! indexes (the server must allow it: `local_infile = 1`), and scanning with a client that only drains the same rows.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a measurement for people at a terminal"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use moon_core::{
    BusinessDate, DaySet, Dimension, Fold, FoldPlan, Ledger, PostingFilter, SaleMessage, Store, TotalsPlan, TxMode,
};
use moon_store_mysql::{MysqlOptions, MysqlStore};
use moon_testkit::builders::{actor, assignment, content, content_message, enter, ledger, rupees};
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Opts, OptsBuilder, Row, Value};

const DATABASE: &str = "moon_measure";
const COLUMNS: &str = "sale_date, HEX(id), source_id, product_id, agent_id, team_id, branch_id, given, kind, state, amount, \
    revision, last_revision, recorded_at, content_at, reference, policy_number";
const DRAINED: &str = "SELECT sale_date, product_id, team_id, branch_id, agent_id, given, amount FROM ledger_sales
    WHERE state = 0 ORDER BY sale_date, id";

fn rate(what: &str, rows: u32, took: Duration) {
    let millis = took.as_millis().max(1);
    println!("{what:<34} {millis:>8} ms {:>10} rows/s", u128::from(rows) * 1_000 / millis);
}

/// Sales over two years in the order of their dates, of 2,000 agents, 40 teams, 25 branches and 30 products.
fn sales(from: u32, to: u32, all: u32) -> Vec<SaleMessage> {
    let first = "2025-01-01".parse::<BusinessDate>().unwrap().epoch_day();
    (from..to)
        .map(|number| {
            let day = first + i32::try_from(u64::from(number) * 730 / u64::from(all)).unwrap();
            let day = BusinessDate::from_epoch_day(day).unwrap().to_string();
            let mixed = number.wrapping_mul(2_654_435_761) >> 8;
            let agent = format!("AGT{:04}", mixed % 2_000);
            let product = format!("P{:02}", mixed / 2_000 % 30);
            let content = content(&agent, &product, &day, rupees(i64::from(mixed % 90_000)));
            content_message(&format!("POL/{number:09}"), Some(0), content)
        })
        .collect()
}

async fn masters(ledger: &Ledger) {
    let codes = |prefix: &str, count: u32, width: usize| -> Vec<String> {
        (0..count).map(|number| format!("{prefix}{number:0width$}")).collect()
    };
    let (teams, branches) = (codes("T", 40, 2), codes("B", 25, 2));
    let (products, agents) = (codes("P", 30, 2), codes("AGT", 2_000, 4));
    let of = |codes: &[String]| codes.iter().map(|code| code.clone().leak() as &str).collect::<Vec<&str>>();
    enter(ledger, &of(&teams), &of(&branches), &of(&products), &of(&agents)).await;
    let assignments: Vec<_> = agents
        .iter()
        .zip(teams.iter().cycle().zip(branches.iter().cycle()))
        .map(|(agent, (team, branch))| assignment(agent, "2020-01-01", team, branch))
        .collect();
    ledger.assign(&actor(), &assignments).await.unwrap();
}

/// All rows in the order of their arrival, as LOAD DATA takes them.
async fn lines(conn: &mut Conn) -> Bytes {
    let mut lines = Vec::new();
    let rows: Vec<Row> = conn.query(format!("SELECT {COLUMNS} FROM ledger_sales ORDER BY id")).await.unwrap();
    for row in rows {
        for (place, value) in row.unwrap().into_iter().enumerate() {
            if place > 0 {
                lines.push(b'\t');
            }
            match value {
                Value::NULL => lines.extend(b"\\N"),
                Value::Bytes(text) => lines.extend(text),
                other => lines.extend(other.as_sql(true).trim_matches('\'').as_bytes()),
            }
        }
        lines.push(b'\n');
    }
    Bytes::from(lines)
}

async fn load_data(conn: &mut Conn) -> Duration {
    let (_, create): (String, String) = conn.query_first("SHOW CREATE TABLE ledger_sales").await.unwrap().unwrap();
    conn.query_drop(create.replace("`ledger_sales", "`bare_sales")).await.unwrap();
    let lines = lines(conn).await;
    let chunks: Vec<std::io::Result<Bytes>> =
        (0..lines.len()).step_by(65_536).map(|at| Ok(lines.slice(at..lines.len().min(at + 65_536)))).collect();
    conn.set_infile_handler(async move { Ok(futures_util::stream::iter(chunks).boxed()) });
    let columns = COLUMNS.replace("HEX(id)", "@id");
    let load = format!("LOAD DATA LOCAL INFILE 'rows' INTO TABLE bare_sales ({columns}) SET id = UNHEX(@id)");
    let began = Instant::now();
    conn.query_drop(load).await.unwrap();
    began.elapsed()
}

async fn drain(conn: &mut Conn) -> Duration {
    let began = Instant::now();
    let mut rows = 0_u32;
    conn.exec_iter(DRAINED, ()).await.unwrap().for_each_and_drop(|_| rows += 1).await.unwrap();
    assert!(rows > 0, "nothing was recorded");
    began.elapsed()
}

/// Reads all sales and sums them by day and dimension, in both ways, beside the bare client.
async fn scans(store: &MysqlStore, conn: &mut Conn, all: u32) {
    let filter = PostingFilter::default();
    for round in 0..4 {
        rate(&format!("rows drained ({round})"), all, drain(conn).await);
        let mut unit = store.begin(TxMode::ReadOnly).await.unwrap();
        let began = Instant::now();
        let mut fold = Fold::new(FoldPlan::daily(&Dimension::DAILY, DaySet::all()));
        let mut batches = unit.postings().scan(&filter);
        while let Some(batch) = batches.try_next().await.unwrap() {
            fold.push(&batch).unwrap();
        }
        drop(batches);
        let folded = fold.finish().unwrap();
        rate(&format!("scan and fold ({round})"), all, began.elapsed());
        let plan = TotalsPlan { filter: filter.clone(), dimensions: Dimension::DAILY.to_vec() };
        let began = Instant::now();
        let summed = unit.postings().totals(&plan).await.unwrap();
        rate(&format!("sums in SQL ({round})"), all, began.elapsed());
        assert_eq!(summed, moon_core::Pushdown::Answered(folded));
    }
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: u32| arguments.next().map_or(default, |text| text.parse().expect("a number"));
    let (all, call) = (number(1_000_000), number(5_000));
    let only_recording = arguments.next().is_some_and(|word| word == "record");
    let url = std::env::var("MOON_TEST_MYSQL_URL").expect("MOON_TEST_MYSQL_URL");
    let options = Opts::from_url(&url).expect("MOON_TEST_MYSQL_URL is a URL");
    let mut conn = Conn::new(OptsBuilder::from_opts(options).prefer_socket(false)).await.unwrap();
    let clean = format!("DROP DATABASE IF EXISTS {DATABASE}");
    conn.query_drop(&clean).await.unwrap();
    conn.query_drop(format!("CREATE DATABASE {DATABASE}")).await.unwrap();
    conn.query_drop(format!("USE {DATABASE}")).await.unwrap();
    let options = MysqlOptions::default().statement_timeout(Duration::from_secs(600));
    let database = format!("{}/{DATABASE}", url.trim_end_matches('/'));
    let store = Arc::new(MysqlStore::connect_with(&database, &options).await.unwrap());
    store.migrate().await.unwrap();
    let ledger = ledger(Arc::clone(&store) as Arc<dyn Store>).await;
    masters(&ledger).await;

    let mut took = Duration::ZERO;
    let mut from = 0;
    while from < all {
        let messages = sales(from, (from + call).min(all), all);
        let began = Instant::now();
        ledger.record_sales(&actor(), &messages).await.unwrap();
        took += began.elapsed();
        from += call;
    }
    rate("record_sales", all, took);
    let loaded = load_data(&mut conn).await;
    rate("LOAD DATA, one statement", all, loaded);
    println!("record_sales is {} % of LOAD DATA", loaded.as_millis() * 100 / took.as_millis().max(1));
    if only_recording {
        return;
    }
    conn.query_drop("DROP TABLE bare_sales").await.unwrap();

    let again = sales(0, call.min(all), all);
    let began = Instant::now();
    ledger.record_sales(&actor(), &again).await.unwrap();
    rate("the same again (duplicates)", call.min(all), began.elapsed());

    scans(&store, &mut conn, all).await;
    conn.query_drop(&clean).await.unwrap();
}
