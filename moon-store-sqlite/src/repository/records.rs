//! Small documents.

use async_trait::async_trait;
use moon_core::{Currency, Error, ErrorKind, Expected, Record, RecordKey, RecordRepository, Result, Version};

use crate::unit::SqliteUnit;
use crate::value;

#[derive(sqlx::FromRow)]
struct RecordRow {
    namespace: String,
    key: String,
    value: String,
    expires_at: Option<i64>,
    version: i64,
}

impl RecordRow {
    fn read(self) -> Result<Record> {
        Ok(Record {
            key: RecordKey { namespace: self.namespace, key: self.key },
            value: value::from_json(&self.value)?,
            expires_at: self.expires_at.map(value::instant).transpose()?,
            version: value::version(self.version)?,
        })
    }
}

fn conflict(key: &RecordKey) -> Error {
    Error::new(ErrorKind::VersionConflict, "record is not as expected; somebody else changed it")
        .with("namespace", &key.namespace)
        .with("key", &key.key)
}

impl SqliteUnit {
    /// The views for people show decimals, for which they need the digits of the ledger's currency. It is in the settings
    /// of the ledger; SQL does not know how many digits which currency has.
    async fn show_currency(&mut self, record: &Record) -> Result<()> {
        if (record.key.namespace.as_str(), record.key.key.as_str()) != ("settings", "ledger") {
            return Ok(());
        }
        let currency = record.value.get("currency").and_then(serde_json::Value::as_str);
        let Some(currency) = currency.and_then(|code| code.parse::<Currency>().ok()) else { return Ok(()) };
        let outcome = sqlx::query(
            "INSERT OR REPLACE INTO ledger_currency (one, code, digits, minor_per_unit) VALUES (1, ?, ?, ?)",
        )
        .bind(currency.code())
        .bind(currency.digits())
        .bind(currency.minor_per_unit())
        .execute(self.session.writing()?)
        .await;
        self.session.done("write the currency", outcome).map(drop)
    }
}

#[async_trait]
impl RecordRepository for SqliteUnit {
    async fn get(&mut self, key: &RecordKey) -> Result<Option<Record>> {
        let row: sqlx::Result<Option<RecordRow>> = sqlx::query_as(
            "SELECT namespace, key, value, expires_at, version FROM ledger_records WHERE namespace = ? AND key = ?",
        )
        .bind(key.namespace.as_str())
        .bind(key.key.as_str())
        .fetch_optional(self.session.reading()?)
        .await;
        self.session.done("read a record", row)?.map(RecordRow::read).transpose()
    }

    async fn put(&mut self, record: &Record, expected: Expected) -> Result<()> {
        let (query, version) = match expected {
            Expected::Absent => (
                sqlx::query(
                    "INSERT INTO ledger_records (value, expires_at, version, namespace, key) VALUES (?, ?, ?, ?, ?)
                     ON CONFLICT (namespace, key) DO NOTHING",
                ),
                None,
            ),
            Expected::Version(version) => (
                sqlx::query(
                    "UPDATE ledger_records SET value = ?, expires_at = ?, version = ?
                     WHERE namespace = ? AND key = ? AND version = ?",
                ),
                Some(version.0),
            ),
        };
        let outcome = query
            .bind(value::to_json(&record.value)?)
            .bind(record.expires_at.map(value::micros))
            .bind(record.version.0)
            .bind(record.key.namespace.as_str())
            .bind(record.key.key.as_str())
            .bind(version)
            .execute(self.session.writing()?)
            .await;
        if self.session.done("write a record", outcome)?.rows_affected() == 0 {
            return Err(conflict(&record.key));
        }
        self.show_currency(record).await
    }

    async fn delete(&mut self, key: &RecordKey, version: Version) -> Result<()> {
        let outcome = sqlx::query("DELETE FROM ledger_records WHERE namespace = ? AND key = ? AND version = ?")
            .bind(key.namespace.as_str())
            .bind(key.key.as_str())
            .bind(version.0)
            .execute(self.session.writing()?)
            .await;
        if self.session.done("remove a record", outcome)?.rows_affected() == 0 {
            return Err(conflict(key));
        }
        Ok(())
    }

    async fn list(&mut self, namespace: &str) -> Result<Vec<Record>> {
        let rows: sqlx::Result<Vec<RecordRow>> = sqlx::query_as(
            "SELECT namespace, key, value, expires_at, version FROM ledger_records WHERE namespace = ? ORDER BY key",
        )
        .bind(namespace)
        .fetch_all(self.session.reading()?)
        .await;
        let rows = self.session.done("list records", rows)?;
        rows.into_iter().map(RecordRow::read).collect()
    }
}
