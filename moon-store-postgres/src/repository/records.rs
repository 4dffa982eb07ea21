//! Small documents.

use async_trait::async_trait;
use moon_core::{Currency, Error, ErrorKind, Expected, Record, RecordKey, RecordRepository, Result, Version};
use tokio_postgres::types::Type;

use crate::session::{Param, Row};
use crate::unit::PostgresUnit;
use crate::value::{self, Instant};

const COLUMNS: &str = "namespace, key, value::text, expires_at, version";

fn record(row: &Row) -> Result<Record> {
    Ok(Record {
        key: RecordKey { namespace: row.get(0)?, key: row.get(1)? },
        value: value::from_json(row.get(2)?)?,
        expires_at: row.get::<Option<Instant>>(3)?.map(|at| at.0),
        version: value::version(row.get(4)?)?,
    })
}

fn conflict(key: &RecordKey) -> Error {
    Error::new(ErrorKind::VersionConflict, "record is not as expected; somebody else changed it")
        .with("namespace", &key.namespace)
        .with("key", &key.key)
}

impl PostgresUnit<'_> {
    /// The views for people show decimals, for which they need the digits of the ledger's currency. It is in the settings
    /// of the ledger; SQL does not know how many digits which currency has.
    async fn show_currency(&mut self, record: &Record) -> Result<()> {
        if (record.key.namespace.as_str(), record.key.key.as_str()) != ("settings", "ledger") {
            return Ok(());
        }
        let currency = record.value.get("currency").and_then(serde_json::Value::as_str);
        let Some(currency) = currency.and_then(|code| code.parse::<Currency>().ok()) else { return Ok(()) };
        let sql = "INSERT INTO ledger_currency (one, code, digits, minor_per_unit) VALUES (1, $1, $2, $3)
            ON CONFLICT (one) DO UPDATE
            SET code = excluded.code, digits = excluded.digits, minor_per_unit = excluded.minor_per_unit";
        let params: [Param<'_>; 3] = [
            (&currency.code(), Type::TEXT),
            (&i32::from(currency.digits()), Type::INT4),
            (&currency.minor_per_unit(), Type::INT8),
        ];
        self.session.execute("write the currency", sql, &params).await.map(drop)
    }
}

#[async_trait]
impl RecordRepository for PostgresUnit<'_> {
    async fn get(&mut self, key: &RecordKey) -> Result<Option<Record>> {
        value::no_nul("namespace", &key.namespace)?;
        value::no_nul("key", &key.key)?;
        let lock = if self.session.writes() { " FOR UPDATE" } else { "" };
        let sql = format!("SELECT {COLUMNS} FROM ledger_records WHERE namespace = $1 AND key = $2{lock}");
        let params: [Param<'_>; 2] = [(&key.namespace, Type::TEXT), (&key.key, Type::TEXT)];
        self.session.row("read a record", &sql, &params).await?.as_ref().map(record).transpose()
    }

    async fn put(&mut self, record: &Record, expected: Expected) -> Result<()> {
        value::no_nul("namespace", &record.key.namespace)?;
        value::no_nul("key", &record.key.key)?;
        let (sql, version) = match expected {
            Expected::Absent => (
                "INSERT INTO ledger_records (namespace, key, value, expires_at, version)
                 SELECT $1, $2, $3::json, $4, $5 WHERE $6::int8 IS NULL ON CONFLICT (namespace, key) DO NOTHING",
                None,
            ),
            Expected::Version(version) => (
                "UPDATE ledger_records SET value = $3::json, expires_at = $4, version = $5
                 WHERE namespace = $1 AND key = $2 AND version = $6",
                Some(i64::from(version.0)),
            ),
        };
        let params: [Param<'_>; 6] = [
            (&record.key.namespace, Type::TEXT),
            (&record.key.key, Type::TEXT),
            (&value::to_json(&record.value)?, Type::TEXT),
            (&record.expires_at.map(Instant), Type::TIMESTAMPTZ),
            (&i64::from(record.version.0), Type::INT8),
            (&version, Type::INT8),
        ];
        if self.session.execute("write a record", sql, &params).await? == 0 {
            return Err(conflict(&record.key));
        }
        self.show_currency(record).await
    }

    async fn delete(&mut self, key: &RecordKey, version: Version) -> Result<()> {
        let sql = "DELETE FROM ledger_records WHERE namespace = $1 AND key = $2 AND version = $3";
        let params: [Param<'_>; 3] =
            [(&key.namespace, Type::TEXT), (&key.key, Type::TEXT), (&i64::from(version.0), Type::INT8)];
        if self.session.execute("remove a record", sql, &params).await? == 0 {
            return Err(conflict(key));
        }
        Ok(())
    }

    async fn list(&mut self, namespace: &str) -> Result<Vec<Record>> {
        value::no_nul("namespace", namespace)?;
        let sql = format!("SELECT {COLUMNS} FROM ledger_records WHERE namespace = $1 ORDER BY key");
        let rows = self.session.rows("list records", &sql, &[(&namespace, Type::TEXT)]).await?;
        rows.iter().map(record).collect()
    }
}
