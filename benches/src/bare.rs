//! SQLite without Moon: what a loop over sqlx costs that does nothing but fetch or insert rows.

use std::collections::HashMap;
use std::hint::black_box;
use std::path::Path;

use futures_util::TryStreamExt;
use moon_core::{
    Clock, Error, ErrorKind, IdGenerator, MessageBody, Result, SaleMessage, SystemClock, SystemIdGenerator,
};
use moon_datagen::{SOURCE, SalesForce};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use crate::sales::{UNIT_MESSAGES, sqlite_ledger};

fn failed(cause: sqlx::Error) -> Error {
    Error::new(ErrorKind::Backend, "the bare loop failed").caused_by(cause)
}

/// A connection to a file that a store has made, set up as the store sets up its own.
///
/// # Errors
/// `Backend` when it cannot be opened.
pub async fn connect(file: &Path, cache_kib: u32) -> Result<SqliteConnection> {
    SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .foreign_keys(true)
        .pragma("cache_size", format!("-{cache_kib}"))
        .pragma("wal_autocheckpoint", "4096")
        .row_buffer_size(512)
        .disable_statement_logging()
        .connect()
        .await
        .map_err(failed)
}

/// A row of `ledger_sales`, ready to be bound.
#[derive(Debug, Clone)]
pub struct BareSale {
    day: i32,
    id: [u8; 16],
    reference: String,
    product: i64,
    agent: Option<i64>,
    team: Option<i64>,
    branch: Option<i64>,
    given: u8,
    amount: i64,
    kind: u8,
    policy: Option<String>,
    micros: i64,
}

/// The numbers under which a database keeps codes.
type Numbers = HashMap<String, i64>;

/// A database that has all that the rows refer to, and the rows: those that recording these messages leaves behind.
#[derive(Debug)]
pub struct BareTable {
    connection: SqliteConnection,
    source: i64,
}

impl BareTable {
    /// A new database with the force in it.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn create(file: &Path, force: &SalesForce) -> Result<Self> {
        drop(sqlite_ledger(file, force).await?);
        let mut connection = connect(file, 24_576).await?;
        let inserted = sqlx::query("INSERT INTO ledger_sources (name) VALUES (?)").bind(SOURCE);
        let source = inserted.execute(&mut connection).await.map_err(failed)?.last_insert_rowid();
        Ok(Self { connection, source })
    }

    /// The rows of the messages, with the places of the agents' first assignments where none are given.
    ///
    /// # Errors
    /// `Backend` when the database cannot be read.
    pub async fn rows(&mut self, force: &SalesForce, messages: &[SaleMessage]) -> Result<Vec<BareSale>> {
        let products = self.numbers("SELECT code, id FROM ledger_products").await?;
        let agents = self.numbers("SELECT code, id FROM ledger_agents").await?;
        let teams = self.numbers("SELECT code, id FROM ledger_teams").await?;
        let branches = self.numbers("SELECT code, id FROM ledger_branches").await?;
        let assignments = force.first_assignments()?;
        let places: HashMap<_, _> = assignments.iter().map(|assignment| (&assignment.agent, assignment)).collect();
        let now = SystemClock.now();
        let ids = SystemIdGenerator::default();
        let mut rows = Vec::with_capacity(messages.len());
        for message in messages {
            let MessageBody::Content(content) = &message.body else { continue };
            let place = content.agent.as_ref().and_then(|agent| places.get(agent));
            let team = content.team.as_ref().or(place.map(|place| &place.team));
            let branch = content.branch.as_ref().or(place.map(|place| &place.branch));
            let number = |numbers: &Numbers, code: &str| numbers.get(code).copied();
            rows.push(BareSale {
                day: content.date.epoch_day(),
                id: *ids.next(now).0.as_bytes(),
                reference: message.key.reference.to_string(),
                product: number(&products, content.product.as_str()).unwrap_or_default(),
                agent: content.agent.as_ref().and_then(|code| number(&agents, code.as_str())),
                team: team.and_then(|code| number(&teams, code.as_str())),
                branch: branch.and_then(|code| number(&branches, code.as_str())),
                given: u8::from(content.team.is_some()) | u8::from(content.branch.is_some()) << 1,
                amount: content.amount.minor(),
                kind: content.kind.number(),
                policy: content.policy_number.as_ref().map(ToString::to_string),
                micros: now.timestamp_micros(),
            });
        }
        Ok(rows)
    }

    async fn numbers(&mut self, query: &'static str) -> Result<Numbers> {
        let rows: Vec<(String, i64)> = sqlx::query_as(query).fetch_all(&mut self.connection).await.map_err(failed)?;
        Ok(rows.into_iter().collect())
    }

    /// The yardstick of recording: a prepared INSERT for each row, and a transaction for as many as Moon puts into one.
    ///
    /// # Errors
    /// `Backend` when a row cannot be inserted.
    pub async fn insert(&mut self, rows: &[BareSale]) -> Result<()> {
        for rows in rows.chunks(UNIT_MESSAGES) {
            let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
            for row in rows {
                sqlx::query(
                    "INSERT INTO ledger_sales (sale_day, id, source_id, reference, revision, last_revision, product_id,
                        agent_id, team_id, branch_id, given, amount, kind, voided, policy_number, recorded_at, content_at)
                     VALUES (?, ?, ?, ?, 1, 1, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?)",
                )
                .bind(row.day)
                .bind(row.id.as_slice())
                .bind(self.source)
                .bind(row.reference.as_str())
                .bind(row.product)
                .bind(row.agent)
                .bind(row.team)
                .bind(row.branch)
                .bind(row.given)
                .bind(row.amount)
                .bind(row.kind)
                .bind(row.policy.as_deref())
                .bind(row.micros)
                .bind(row.micros)
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
            }
            transaction.commit().await.map_err(failed)?;
        }
        Ok(())
    }
}

/// The yardstick of scanning: every sale as a row of its own, in the order of the days. Returns the sum of all that was
/// read, so that nothing of it can be left out.
///
/// # Errors
/// `Backend` when the rows cannot be read.
pub async fn fetch_rows(connection: &mut SqliteConnection) -> Result<i64> {
    type Row = (i32, i64, Option<i64>, Option<i64>, Option<i64>, i64);
    let mut rows = sqlx::query_as::<_, Row>(
        "SELECT sale_day, product_id, team_id, branch_id, agent_id, amount FROM ledger_sales WHERE voided = 0
         ORDER BY sale_day, id",
    )
    .fetch(connection);
    let mut sum = 0_i64;
    while let Some((day, product, team, branch, agent, amount)) = rows.try_next().await.map_err(failed)? {
        let places = [team, branch, agent].into_iter().flatten();
        sum = places.chain([i64::from(day), product, amount]).fold(sum, i64::wrapping_add);
    }
    Ok(sum)
}

/// What SQL itself needs to add up the sales by day and team, by day and branch, and by day and product.
///
/// # Errors
/// `Backend` when the sums cannot be read.
pub async fn group_in_sql(connection: &mut SqliteConnection) -> Result<usize> {
    const QUERIES: [&str; 3] = [
        "SELECT sale_day, team_id, sum(amount), count(*) FROM ledger_sales WHERE voided = 0 GROUP BY sale_day, team_id",
        "SELECT sale_day, branch_id, sum(amount), count(*) FROM ledger_sales WHERE voided = 0
         GROUP BY sale_day, branch_id",
        "SELECT sale_day, product_id, sum(amount), count(*) FROM ledger_sales WHERE voided = 0
         GROUP BY sale_day, product_id",
    ];
    let mut cells = 0;
    for query in QUERIES {
        let rows: Vec<(i32, Option<i64>, i64, i64)> =
            sqlx::query_as(query).fetch_all(&mut *connection).await.map_err(failed)?;
        cells += black_box(rows).len();
    }
    Ok(cells)
}
