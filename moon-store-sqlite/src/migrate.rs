//! Schemas and their versions.

use moon_core::{Error, ErrorKind, Result};

use crate::connections::Connections;

/// A part of the database that is upgraded by itself: the ledger or the warehouse.
pub(crate) struct Schema {
    /// Its name in `moon_schema`.
    pub(crate) component: &'static str,
    /// The scripts that lead from each version to the next; there are as many versions as scripts.
    pub(crate) scripts: &'static [&'static str],
}

const DOING: &str = "upgrade the schema";

/// Brings a schema to the version of this program, in one transaction under the write lock: several processes may start
/// at once, and one that finds the work done does nothing.
pub(crate) async fn migrate(connections: &Connections, schema: &Schema) -> Result<()> {
    // Most starts find nothing to do, and need no lock to see it.
    let target = i64::try_from(schema.scripts.len()).unwrap_or(i64::MAX);
    if stored_version(connections, schema).await? == target {
        return Ok(());
    }
    let mut session = connections.write().await?;
    let created = sqlx::query(
        "CREATE TABLE IF NOT EXISTS moon_schema (component TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT",
    )
    .execute(session.writing()?)
    .await;
    session.done(DOING, created)?;
    let found: sqlx::Result<Option<i64>> = sqlx::query_scalar("SELECT version FROM moon_schema WHERE component = ?")
        .bind(schema.component)
        .fetch_optional(session.writing()?)
        .await;
    let found = session.done(DOING, found)?.unwrap_or(0);
    refuse_newer(schema, found, target)?;
    let applied = usize::try_from(found).unwrap_or(0);
    for script in schema.scripts.iter().skip(applied) {
        let run = sqlx::raw_sql(*script).execute(session.writing()?).await;
        session.done(DOING, run)?;
    }
    let stored = sqlx::query(
        "INSERT INTO moon_schema (component, version) VALUES (?, ?)
         ON CONFLICT (component) DO UPDATE SET version = excluded.version",
    )
    .bind(schema.component)
    .bind(target)
    .execute(session.writing()?)
    .await;
    session.done(DOING, stored)?;
    session.commit().await
}

/// The version that is there; 0 before the first.
async fn stored_version(connections: &Connections, schema: &Schema) -> Result<i64> {
    let mut session = connections.read().await?;
    let exists: sqlx::Result<bool> =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'moon_schema')")
            .fetch_one(session.reading()?)
            .await;
    if !session.done(DOING, exists)? {
        session.rollback().await?;
        return Ok(0);
    }
    let found: sqlx::Result<Option<i64>> = sqlx::query_scalar("SELECT version FROM moon_schema WHERE component = ?")
        .bind(schema.component)
        .fetch_optional(session.reading()?)
        .await;
    let found = session.done(DOING, found)?.unwrap_or(0);
    session.rollback().await?;
    refuse_newer(schema, found, i64::try_from(schema.scripts.len()).unwrap_or(i64::MAX))?;
    Ok(found)
}

/// Whether a schema is there as this program wants it; nothing is written.
///
/// # Errors
/// `Refused` when it is of another version.
pub(crate) async fn is_current(connections: &Connections, schema: &Schema) -> Result<bool> {
    let target = i64::try_from(schema.scripts.len()).unwrap_or(i64::MAX);
    let found = stored_version(connections, schema).await?;
    if found == 0 || found == target {
        return Ok(found == target);
    }
    Err(Error::new(
        ErrorKind::Refused,
        "the database is as an older version of this program left it; whatever writes to it brings it up to date",
    )
    .with("part", schema.component)
    .with("schema_version", found)
    .with("known_version", target))
}

fn refuse_newer(schema: &Schema, found: i64, known: i64) -> Result<()> {
    if found <= known {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Refused, "the database was made by a newer version of this program; upgrade the program")
        .with("part", schema.component)
        .with("schema_version", found)
        .with("known_version", known))
}
