//! What is fixed when a ledger is created.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    BusinessDate, Calendar, Currency, Error, ErrorKind, Expected, NoPause, Record, RecordKey, Result, Store, TxMode,
    Version, retry_contention,
};

/// Wishes for a ledger's settings. What is absent is taken from the ledger, or from the defaults when it is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LedgerOptions {
    /// The currency of all amounts; `LKR` by default.
    pub currency: Option<Currency>,
    /// Where an instant gets its business date; `Asia/Colombo` by default.
    pub time_zone: Option<chrono_tz::Tz>,
    /// The month in which the fiscal year starts; January by default.
    pub calendar: Option<Calendar>,
}

/// The settings of a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerSettings {
    /// The currency of all amounts.
    pub currency: Currency,
    /// Where an instant gets its business date.
    pub time_zone: chrono_tz::Tz,
    /// How time is cut into periods.
    pub calendar: Calendar,
}

impl LedgerSettings {
    /// The business date of an instant in the ledger's time zone.
    ///
    /// # Errors
    /// `InvalidInput` outside of what a [`BusinessDate`] can be.
    pub fn business_date(&self, instant: DateTime<Utc>) -> Result<BusinessDate> {
        BusinessDate::try_from(instant.with_timezone(&self.time_zone).date_naive())
    }

    /// The settings that a new ledger gets.
    fn new(options: &LedgerOptions) -> Result<Self> {
        Ok(Self {
            currency: options.currency.map_or_else(|| "LKR".parse(), Ok)?,
            time_zone: options.time_zone.unwrap_or(chrono_tz::Asia::Colombo),
            calendar: options.calendar.unwrap_or_default(),
        })
    }

    fn check(&self, options: &LedgerOptions) -> Result<()> {
        let refused = |what: &'static str, has: &dyn std::fmt::Display, wanted: &dyn std::fmt::Display| {
            Err(Error::new(ErrorKind::Refused, format!("the ledger was created with another {what}"))
                .with("ledger", has)
                .with("wanted", wanted))
        };
        if let Some(wanted) = options.currency.filter(|wanted| *wanted != self.currency) {
            return refused("currency", &self.currency, &wanted);
        }
        if let Some(wanted) = options.time_zone.filter(|wanted| *wanted != self.time_zone) {
            return refused("time zone", &self.time_zone, &wanted);
        }
        if let Some(wanted) = options.calendar.filter(|wanted| *wanted != self.calendar) {
            return refused(
                "start of the fiscal year",
                &self.calendar.fiscal_year_start(),
                &wanted.fiscal_year_start(),
            );
        }
        Ok(())
    }
}

/// Reads the settings of a ledger, or fixes them when it is new.
pub(super) async fn open(store: &dyn Store, options: &LedgerOptions) -> Result<LedgerSettings> {
    retry_contention(&NoPause, || async {
        // Reading first keeps an opened ledger from ever waiting for a writer.
        let mut unit = store.begin(TxMode::ReadOnly).await?;
        let found = unit.records().get(&key()).await?;
        unit.rollback().await?;
        if let Some(record) = found {
            return read(&record, options);
        }
        let mut unit = store.begin(TxMode::ReadWrite).await?;
        if let Some(record) = unit.records().get(&key()).await? {
            return read(&record, options);
        }
        let settings = LedgerSettings::new(options)?;
        let value = serde_json::to_value(settings)
            .map_err(|cause| Error::new(ErrorKind::Corrupt, "cannot write the ledger's settings").caused_by(cause))?;
        let record = Record { key: key(), value, expires_at: None, version: Version::FIRST };
        unit.records().put(&record, Expected::Absent).await.map_err(|error| match error.kind() {
            // Somebody else created the ledger at the same time: read what they fixed.
            ErrorKind::VersionConflict => {
                Error::new(ErrorKind::Contention, "the ledger is being created").caused_by(error)
            }
            _ => error,
        })?;
        unit.commit().await?;
        Ok(settings)
    })
    .await
}

fn key() -> RecordKey {
    RecordKey::new("settings", "ledger")
}

fn read(record: &Record, options: &LedgerOptions) -> Result<LedgerSettings> {
    let settings: LedgerSettings = serde_json::from_value(record.value.clone())
        .map_err(|cause| Error::new(ErrorKind::Corrupt, "the ledger's settings cannot be read").caused_by(cause))?;
    settings.check(options)?;
    Ok(settings)
}
