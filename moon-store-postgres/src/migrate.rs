//! Schemas and their versions.

use deadpool_postgres::Object;
use moon_core::{Error, ErrorKind, Result};
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::connections::{Access, Connections, quoted};

/// A part of the database that is upgraded by itself: the ledger or the warehouse.
pub(crate) struct Schema {
    /// Its name in `moon_schema`.
    pub(crate) component: &'static str,
    /// The scripts that lead from each version to the next; there are as many versions as scripts.
    pub(crate) scripts: &'static [&'static str],
}

const DOING: &str = "upgrade the schema";

/// The advisory lock of all migrations in a database: "Moon" in ASCII, and 1.
const LOCK: &str = "1299148654, 1";

const VERSION: &str = "SELECT version FROM moon_schema WHERE component = $1";

/// Brings a schema to the version of this program. Several processes may start at once: one upgrades, under a lock on a
/// connection of its own, the others wait and find nothing to do. Each step is one transaction with its version, so that a
/// failure leaves the version before it, whole.
pub(crate) async fn migrate(connections: &Connections, schema: &Schema) -> Result<()> {
    // Most starts find nothing to do, and need neither the lock nor the right to create tables to see it.
    let target = i64::try_from(schema.scripts.len()).unwrap_or(i64::MAX);
    if stored_version(connections, schema).await? == target {
        return Ok(());
    }
    // Not given back to the pool: closing it frees the lock, however this ends.
    let client = Object::take(connections.lease(DOING).await?);
    let place = connections.place();
    let lock = format!(
        "SET lock_timeout = {}; SET statement_timeout = 0; SELECT pg_advisory_lock({LOCK})",
        connections.options().lock_wait.as_millis()
    );
    place.check("wait for another migration", client.batch_execute(&lock).await)?;
    let held = client
        .query_typed_one(
            "SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted",
            &[],
        )
        .await;
    if !place.check(DOING, held.and_then(|row| row.try_get::<_, bool>(0)))? {
        return Err(place.error(ErrorKind::Contention, DOING, "the lock of migrations was not granted"));
    }
    let applied = prepare(connections, schema, &client).await?;
    refuse_newer(schema, applied, target)?;
    for (version, script) in (1_i64..).zip(schema.scripts).skip(usize::try_from(applied).unwrap_or(0)) {
        let step = format!("{}{script}", begin(connections));
        place.check(DOING, client.batch_execute(&step).await)?;
        let stored = client
            .execute_typed(
                "INSERT INTO moon_schema (component, version) VALUES ($1, $2)
                 ON CONFLICT (component) DO UPDATE SET version = excluded.version",
                &[(&schema.component, Type::TEXT), (&version, Type::INT8)],
            )
            .await;
        place.check(DOING, stored)?;
        place.check(DOING, client.batch_execute("COMMIT").await)?;
    }
    Ok(())
}

/// Begins a transaction in the schema of choice.
fn begin(connections: &Connections) -> String {
    let path = connections.options().schema.as_ref();
    let path = path.map(|name| format!("SET LOCAL search_path TO {};\n", quoted(name)));
    format!("BEGIN;\n{}", path.unwrap_or_default())
}

/// Makes the table of versions, and returns the version that is there; 0 before the first.
async fn prepare(connections: &Connections, schema: &Schema, client: &Client) -> Result<i64> {
    let place = connections.place();
    let create = connections.options().schema.as_ref();
    let create = create.map(|name| format!("CREATE SCHEMA IF NOT EXISTS {};\n", quoted(name)));
    let sql = format!(
        "{}{}CREATE TABLE IF NOT EXISTS moon_schema (component TEXT PRIMARY KEY, version BIGINT NOT NULL)",
        create.unwrap_or_default(),
        begin(connections),
    );
    place.check(DOING, client.batch_execute(&sql).await)?;
    let found = client.query_typed_opt(VERSION, &[(&schema.component, Type::TEXT)]).await;
    let found = place.check(DOING, found.and_then(|row| row.map_or(Ok(0), |row| row.try_get(0))))?;
    place.check(DOING, client.batch_execute("COMMIT").await)?;
    Ok(found)
}

/// The version that is there; 0 before the first.
async fn stored_version(connections: &Connections, schema: &Schema) -> Result<i64> {
    let mut session = connections.begin(Access::Snapshot).await?;
    let exists = session.row(DOING, "SELECT to_regclass('moon_schema') IS NOT NULL", &[]).await?;
    let mut found = 0;
    if exists.map_or(Ok(false), |row| row.get(0))? {
        let row = session.row(DOING, VERSION, &[(&schema.component, Type::TEXT)]).await?;
        found = row.map_or(Ok(0), |row| row.get(0))?;
    }
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
