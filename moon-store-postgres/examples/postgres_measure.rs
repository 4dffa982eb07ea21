//! Measures recording, scanning and summing against the database of `MOON_TEST_POSTGRES_URL`, in a schema of its own that it
//! removes at the end: `cargo run --release -p moon-store-postgres --example postgres_measure -- 1000000 5000`, the number of
//! sales and how many go into one call; a third word, `record`, leaves everything but recording out, and the schema where it is.
//!
//! Recording is compared with a bare COPY, in its binary form and one single statement, of the same rows into a table with
//! the same keys, foreign keys and indexes.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a measurement for people at a terminal"
)]

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt as _, TryStreamExt as _};
use moon_core::{
    BusinessDate, DaySet, Dimension, Fold, FoldPlan, Ledger, PostingFilter, SaleMessage, Store, TotalsPlan, TxMode,
};
use moon_store_postgres::{PostgresOptions, PostgresStore};
use moon_testkit::builders::{actor, assignment, content, content_message, enter, ledger, rupees};
use tokio_postgres::{Client, NoTls};

const SCHEMA: &str = "moon_measure";

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

/// All rows as COPY gives them.
async fn copied(client: &Client) -> Vec<Bytes> {
    let rows = client.copy_out("COPY ledger_sales TO STDOUT (FORMAT binary)").await.unwrap();
    let mut rows = pin!(rows);
    let (mut chunks, mut chunk) = (Vec::new(), BytesMut::new());
    while let Some(row) = rows.try_next().await.unwrap() {
        chunk.extend_from_slice(&row);
        if chunk.len() > 1 << 20 {
            chunks.push(chunk.split().freeze());
        }
    }
    chunks.push(chunk.freeze());
    chunks
}

async fn bare(client: &Client, rows: Vec<Bytes>) -> Duration {
    let create = "CREATE TABLE bare (LIKE ledger_sales INCLUDING ALL);
        ALTER TABLE bare ADD FOREIGN KEY (source_id) REFERENCES ledger_sources,
            ADD FOREIGN KEY (product_id) REFERENCES ledger_products, ADD FOREIGN KEY (agent_id) REFERENCES ledger_agents,
            ADD FOREIGN KEY (team_id) REFERENCES ledger_teams, ADD FOREIGN KEY (branch_id) REFERENCES ledger_branches";
    client.batch_execute(create).await.unwrap();
    let began = Instant::now();
    let mut sink = pin!(client.copy_in::<_, Bytes>("COPY bare FROM STDIN (FORMAT binary)").await.unwrap());
    for chunk in rows {
        sink.send(chunk).await.unwrap();
    }
    sink.finish().await.unwrap();
    began.elapsed()
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: u32| arguments.next().map_or(default, |text| text.parse().expect("a number"));
    let (all, call) = (number(1_000_000), number(5_000));
    let only_recording = arguments.next().is_some_and(|word| word == "record");
    let url = std::env::var("MOON_TEST_POSTGRES_URL").expect("MOON_TEST_POSTGRES_URL");
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let clean = format!("DROP SCHEMA IF EXISTS {SCHEMA} CASCADE");
    client.batch_execute(&clean).await.unwrap();
    let options = PostgresOptions::default().schema(SCHEMA).statement_timeout(Duration::from_secs(600));
    let store = Arc::new(PostgresStore::connect_with(&url, &options).await.unwrap());
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
    client.batch_execute(&format!("SET search_path TO {SCHEMA}")).await.unwrap();
    let bare = bare(&client, copied(&client).await).await;
    rate("bare COPY, one statement", all, bare);
    println!("record_sales is {} % of bare COPY", bare.as_millis() * 100 / took.as_millis().max(1));
    if only_recording {
        return;
    }
    client.batch_execute("DROP TABLE bare; ANALYZE").await.unwrap();

    let again = sales(0, call.min(all), all);
    let began = Instant::now();
    ledger.record_sales(&actor(), &again).await.unwrap();
    rate("the same again (duplicates)", call.min(all), began.elapsed());

    let filter = PostingFilter::default();
    for round in 0..2 {
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
    client.batch_execute(&clean).await.unwrap();
}
