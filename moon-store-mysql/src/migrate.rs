//! Schemas and their versions.
//!
//! Each statement that makes a table commits by itself, so that no transaction holds a migration together. So it is noted
//! before each statement that it begins and after it that it is done: what was broken off is known, and is gone on with.

use std::time::Duration;

use moon_core::{Error, ErrorKind, Result};
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Row};

use crate::connections::{Access, Connections};
use crate::session::close;
use crate::value::Columns as _;

/// A part of the database that is upgraded by itself: the ledger or the warehouse.
pub(crate) struct Schema {
    /// Its name in `moon_schema`.
    pub(crate) component: &'static str,
    /// The scripts that lead from each version to the next; there are as many versions as scripts. Statements end with a
    /// semicolon at the end of a line.
    pub(crate) scripts: &'static [&'static str],
}

const DOING: &str = "upgrade the schema";

/// A migration waits for another one so many times as long as a unit of work for a lock.
const PATIENCE: u32 = 6;
/// How long one of its statements may take; adding an index to a large table takes its time.
const STATEMENT_WAIT: Duration = Duration::from_secs(6 * 3_600);

/// "Table exists already", of a table or a view, and "duplicate column name".
const EXISTS: [u16; 2] = [1050, 1060];

/// How far a schema is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Progress {
    /// Versions that are complete.
    version: i64,
    /// Statements of the next version that are done.
    step: i64,
    /// Whether the statement behind those was begun.
    begun: bool,
}

/// Brings a schema to the version of this program. Several processes may start at once: one upgrades, under a lock on a
/// connection of its own, the others wait and find nothing to do.
pub(crate) async fn migrate(connections: &Connections, schema: &Schema) -> Result<()> {
    // Most starts find nothing to do, and need neither the lock nor the right to create tables to see it.
    let target = target(schema);
    if stored(connections, schema).await? == (Progress { version: target, ..Progress::default() }) {
        return Ok(());
    }
    // Not given back to the pool: closing it frees the lock, however this ends.
    let mut conn = Owned(Some(connections.lease(DOING).await?));
    let outcome = tokio::time::timeout(STATEMENT_WAIT, upgrade(connections, schema, conn.get()?)).await;
    outcome.unwrap_or_else(|_| Err(connections.place().silent(DOING)))
}

fn target(schema: &Schema) -> i64 {
    i64::try_from(schema.scripts.len()).unwrap_or(i64::MAX)
}

async fn upgrade(connections: &Connections, schema: &Schema, conn: &mut Conn) -> Result<()> {
    let place = connections.place();
    lock(connections, conn).await?;
    let made = conn
        .query_drop(
            "CREATE TABLE IF NOT EXISTS moon_schema (
                 component VARBINARY(32) NOT NULL PRIMARY KEY,
                 version BIGINT NOT NULL,
                 step BIGINT NOT NULL,
                 begun BIGINT NOT NULL
             ) ENGINE = InnoDB",
        )
        .await;
    place.check(DOING, made)?;
    let select = "SELECT version, step, begun FROM moon_schema WHERE component = ?";
    let row: mysql_async::Result<Option<Row>> = conn.exec_first(select, (schema.component,)).await;
    let mut progress = place.check(DOING, row)?.as_ref().map(read).transpose()?.unwrap_or_default();
    refuse_newer(schema, progress.version)?;
    let applied = usize::try_from(progress.version).unwrap_or(0);
    for (version, script) in (1_i64..).zip(schema.scripts).skip(applied) {
        let done = usize::try_from(progress.step).unwrap_or(0);
        for (step, statement) in (1_i64..).zip(statements(script)).skip(done) {
            let resumed = progress.begun;
            progress = Progress { begun: true, ..progress };
            note(connections, schema, conn, progress).await?;
            let told =
                |error: Error| error.with("part", schema.component).with("version", version).with("statement", step);
            match conn.query_drop(statement).await {
                // Begun before, and broken off between its end and the note of it.
                Err(mysql_async::Error::Server(error)) if resumed && EXISTS.contains(&error.code) => {}
                Err(refusal @ mysql_async::Error::Server(_)) => {
                    // The server says that it was not done, so that nothing is in doubt.
                    note(connections, schema, conn, Progress { begun: false, ..progress }).await?;
                    return Err(told(place.failed(DOING, refusal)));
                }
                outcome => place.check(DOING, outcome).map_err(told)?,
            }
            progress = Progress { step, begun: false, ..progress };
            note(connections, schema, conn, progress).await?;
        }
        progress = Progress { version, ..Progress::default() };
        note(connections, schema, conn, progress).await?;
    }
    Ok(())
}

/// Takes the lock of all migrations in this database, and lifts the limit of a statement's time.
async fn lock(connections: &Connections, conn: &mut Conn) -> Result<()> {
    let place = connections.place();
    let limits = "SET time_zone = '+00:00' /*M! , max_statement_time = 0 */ /*!50708 , max_execution_time = 0 */";
    place.check(DOING, conn.query_drop(limits).await)?;
    // The lock is one of the server, not of a database, and its name has at most 64 characters.
    let seconds = connections.options().lock_wait.saturating_mul(PATIENCE).as_secs().max(1);
    let sql = format!("SELECT GET_LOCK(CONCAT('moon-', SHA1(DATABASE())), {seconds})");
    let granted: mysql_async::Result<Option<Option<i64>>> = conn.query_first(sql).await;
    match place.check("wait for another migration", granted)?.flatten() {
        Some(1) => Ok(()),
        _ => Err(place.error(ErrorKind::Contention, DOING, "another migration took too long; try again")),
    }
}

async fn note(connections: &Connections, schema: &Schema, conn: &mut Conn, progress: Progress) -> Result<()> {
    let Progress { version, step, begun } = progress;
    let sql = "INSERT INTO moon_schema (component, version, step, begun) VALUES (?, ?, ?, ?)
        ON DUPLICATE KEY UPDATE version = VALUES(version), step = VALUES(step), begun = VALUES(begun)";
    let noted = conn.exec_drop(sql, (schema.component, version, step, i64::from(begun))).await;
    connections.place().check(DOING, noted)
}

fn read(row: &Row) -> Result<Progress> {
    Ok(Progress { version: row.int(0)?, step: row.int(1)?, begun: row.int(2)? != 0 })
}

/// How far the schema is; nothing before the first migration.
async fn stored(connections: &Connections, schema: &Schema) -> Result<Progress> {
    // Not in a snapshot, for which a table that another process makes meanwhile has "changed its definition" (error 1412).
    let mut session = connections.begin(Access::Write).await?;
    let exists = "SELECT COUNT(*) FROM information_schema.tables
        WHERE table_schema = DATABASE() AND table_name = 'moon_schema'";
    let exists = session.row(DOING, exists, Vec::new()).await?.map_or(Ok(0), |row| row.int(0))?;
    let mut progress = Progress::default();
    if exists > 0 {
        let sql = "SELECT version, step, begun FROM moon_schema WHERE component = ?";
        let row = session.row(DOING, sql, vec![crate::value::bytes(schema.component)]).await?;
        progress = row.as_ref().map(read).transpose()?.unwrap_or_default();
    }
    session.rollback().await?;
    refuse_newer(schema, progress.version)?;
    Ok(progress)
}

/// Whether a schema is there as this program wants it; nothing is written.
///
/// # Errors
/// `Refused` when it is of another version, or a migration was broken off.
pub(crate) async fn is_current(connections: &Connections, schema: &Schema) -> Result<bool> {
    let target = target(schema);
    let found = stored(connections, schema).await?;
    if found == Progress::default() || found == (Progress { version: target, ..Progress::default() }) {
        return Ok(found.version == target);
    }
    Err(Error::new(
        ErrorKind::Refused,
        "the database is as an older version of this program left it; whatever writes to it brings it up to date",
    )
    .with("part", schema.component)
    .with("schema_version", found.version)
    .with("known_version", target))
}

/// The statements of a script.
fn statements(script: &str) -> impl Iterator<Item = &str> {
    script.split(";\n").map(without_comments).filter(|statement| !statement.is_empty())
}

/// What follows the comments at the beginning.
fn without_comments(statement: &str) -> &str {
    let mut rest = statement.trim();
    while rest.starts_with("--") {
        rest = rest.split_once('\n').map_or("", |(_, behind)| behind).trim_start();
    }
    rest
}

fn refuse_newer(schema: &Schema, found: i64) -> Result<()> {
    let known = target(schema);
    if found <= known {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Refused, "the database was made by a newer version of this program; upgrade the program")
        .with("part", schema.component)
        .with("schema_version", found)
        .with("known_version", known))
}

/// A connection that is closed in the end, never given back.
struct Owned(Option<Conn>);

impl Owned {
    fn get(&mut self) -> Result<&mut Conn> {
        self.0.as_mut().ok_or_else(|| Error::new(ErrorKind::Backend, "the connection has ended"))
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        if let Some(conn) = self.0.take() {
            close(conn);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_taken_apart_into_statements() {
        let script = "-- a\n-- b\n\nCREATE TABLE a (\n    b INT\n);\n\n-- c\nCREATE VIEW c AS SELECT 1;\n";
        let found: Vec<_> = statements(script).collect();
        assert_eq!(found, ["CREATE TABLE a (\n    b INT\n)", "CREATE VIEW c AS SELECT 1"]);
        assert_eq!(statements("-- nothing").count(), 0);
    }
}
