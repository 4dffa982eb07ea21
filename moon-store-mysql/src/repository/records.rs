//! Small documents.

use async_trait::async_trait;
use moon_core::{Currency, Error, ErrorKind, Expected, Record, RecordKey, RecordRepository, Result, Version};
use mysql_async::Row;

use super::version_taken;
use crate::unit::MysqlUnit;
use crate::value::{self, Columns as _};

const COLUMNS: &str = "namespace, name, value, expires_at, version";

fn record(row: &Row) -> Result<Record> {
    Ok(Record {
        key: RecordKey { namespace: row.text(0)?.to_owned(), key: row.text(1)?.to_owned() },
        value: value::from_json(row.text(2)?)?,
        expires_at: row.optional_int(3)?.map(value::instant).transpose()?,
        version: value::version(row.int(4)?)?,
    })
}

fn conflict(key: &RecordKey) -> Error {
    Error::new(ErrorKind::VersionConflict, "record is not as expected; somebody else changed it")
        .with("namespace", &key.namespace)
        .with("key", &key.key)
}

impl MysqlUnit<'_> {
    /// The views for people show decimals, for which they need the digits of the ledger's currency. It is in the settings
    /// of the ledger; SQL does not know how many digits which currency has.
    async fn show_currency(&mut self, record: &Record) -> Result<()> {
        if (record.key.namespace.as_str(), record.key.key.as_str()) != ("settings", "ledger") {
            return Ok(());
        }
        let currency = record.value.get("currency").and_then(serde_json::Value::as_str);
        let Some(currency) = currency.and_then(|code| code.parse::<Currency>().ok()) else { return Ok(()) };
        let sql = "INSERT INTO ledger_currency (one, code, digits, minor_per_unit) VALUES (1, ?, ?, ?)
            ON DUPLICATE KEY UPDATE code = VALUES(code), digits = VALUES(digits), minor_per_unit = VALUES(minor_per_unit)";
        let params =
            vec![value::bytes(currency.code()), value::int(currency.digits()), value::int(currency.minor_per_unit())];
        self.session.execute("write the currency", sql, params).await.map(drop)
    }
}

#[async_trait]
impl RecordRepository for MysqlUnit<'_> {
    async fn get(&mut self, key: &RecordKey) -> Result<Option<Record>> {
        let lock = if self.session.writes() { " FOR UPDATE" } else { "" };
        let sql = format!("SELECT {COLUMNS} FROM ledger_records WHERE namespace = ? AND name = ?{lock}");
        let params = vec![value::bytes(&key.namespace), value::bytes(&key.key)];
        self.session.row("read a record", &sql, params).await?.as_ref().map(record).transpose()
    }

    async fn put(&mut self, record: &Record, expected: Expected) -> Result<()> {
        let mut params = vec![
            value::bytes(value::to_json(&record.value)?),
            value::optional_int(record.expires_at.map(|at| at.timestamp_micros())),
            value::int(record.version.0),
            value::bytes(&record.key.namespace),
            value::bytes(&record.key.key),
        ];
        let sql = match expected {
            Expected::Absent => {
                "INSERT INTO ledger_records (value, expires_at, version, namespace, name) VALUES (?, ?, ?, ?, ?)"
            }
            Expected::Version(version) => {
                params.push(value::int(version.0));
                "UPDATE ledger_records SET value = ?, expires_at = ?, version = ?
                 WHERE namespace = ? AND name = ? AND version = ?"
            }
        };
        match self.session.execute("write a record", sql, params).await {
            Ok(0) => return Err(conflict(&record.key)),
            outcome => version_taken(outcome, || conflict(&record.key))?,
        }
        self.show_currency(record).await
    }

    async fn delete(&mut self, key: &RecordKey, version: Version) -> Result<()> {
        let sql = "DELETE FROM ledger_records WHERE namespace = ? AND name = ? AND version = ?";
        let params = vec![value::bytes(&key.namespace), value::bytes(&key.key), value::int(version.0)];
        if self.session.execute("remove a record", sql, params).await? == 0 {
            return Err(conflict(key));
        }
        Ok(())
    }

    async fn list(&mut self, namespace: &str) -> Result<Vec<Record>> {
        let sql = format!("SELECT {COLUMNS} FROM ledger_records WHERE namespace = ? ORDER BY name");
        self.session.rows("list records", &sql, vec![value::bytes(namespace)]).await?.iter().map(record).collect()
    }
}
