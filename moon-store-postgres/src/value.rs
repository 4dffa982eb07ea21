//! Between the domain's values and PostgreSQL's.

use std::error::Error as StdError;

use bytes::{Buf as _, BufMut as _, BytesMut};
use chrono::{DateTime, Utc};
use moon_core::{Amount, BusinessDate, Code, CodeKind, Error, ErrorKind, Reference, Result, Revision, Text, Version};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::failure::corrupt;

/// Days from 1970-01-01, where the domain begins to count, to 2000-01-01, where PostgreSQL does.
const DAYS_TO_2000: i32 = 10_957;
/// The same in microseconds.
const MICROS_TO_2000: i64 = 946_684_800_000_000;

/// A date as the domain counts it, in days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day(pub(crate) i32);

impl Day {
    /// As PostgreSQL counts it.
    pub(crate) fn stored(self) -> i32 {
        self.0.saturating_sub(DAYS_TO_2000)
    }

    pub(crate) fn date(self) -> Result<BusinessDate> {
        BusinessDate::from_epoch_day(self.0).map_err(corrupt)
    }
}

impl From<BusinessDate> for Day {
    fn from(date: BusinessDate) -> Self {
        Self(date.epoch_day())
    }
}

impl ToSql for Day {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        out.put_i32(self.stored());
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::DATE
    }

    to_sql_checked!();
}

impl FromSql<'_> for Day {
    fn from_sql(_: &Type, mut raw: &[u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(raw.try_get_i32()?.saturating_add(DAYS_TO_2000)))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::DATE
    }
}

/// An instant in whole microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(pub(crate) DateTime<Utc>);

impl Instant {
    /// Microseconds as PostgreSQL counts them.
    pub(crate) fn stored(self) -> i64 {
        self.0.timestamp_micros().saturating_sub(MICROS_TO_2000)
    }
}

impl ToSql for Instant {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        out.put_i64(self.stored());
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::TIMESTAMPTZ
    }

    to_sql_checked!();
}

impl FromSql<'_> for Instant {
    fn from_sql(_: &Type, mut raw: &[u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        let micros = raw.try_get_i64()?.saturating_add(MICROS_TO_2000);
        DateTime::from_timestamp_micros(micros).map(Self).ok_or_else(|| "instant is out of range".into())
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::TIMESTAMPTZ
    }
}

/// A stored integer as a narrower type.
pub(crate) fn narrow<T: TryFrom<i64>>(stored: i64) -> Result<T> {
    T::try_from(stored)
        .map_err(|_| Error::new(ErrorKind::Corrupt, "stored number is out of range").with("number", stored))
}

pub(crate) fn version(stored: i64) -> Result<Version> {
    narrow(stored).map(Version)
}

pub(crate) fn revision(stored: i64) -> Result<Revision> {
    narrow(stored).map(Revision)
}

pub(crate) fn amount(stored: i64) -> Result<Amount> {
    Amount::from_minor(stored).map_err(corrupt)
}

pub(crate) fn code<K: CodeKind>(stored: &str) -> Result<Code<K>> {
    Code::new(stored).map_err(corrupt)
}

pub(crate) fn text(field: &'static str, stored: &str) -> Result<Text> {
    Text::new(field, stored).map_err(corrupt)
}

pub(crate) fn reference(field: &'static str, stored: &str) -> Result<Reference> {
    Reference::new(field, stored).map_err(corrupt)
}

/// Refuses the one character that PostgreSQL cannot keep, before it spoils the transaction.
pub(crate) fn no_nul(field: &'static str, text: &str) -> Result<()> {
    if text.contains('\0') {
        return Err(Error::invalid("text has a NUL character").with("field", field));
    }
    Ok(())
}

/// As JSON text.
pub(crate) fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|cause| Error::new(ErrorKind::InvalidInput, "value cannot be written as JSON").caused_by(cause))
}

/// From JSON text that was stored.
pub(crate) fn from_json<T: DeserializeOwned>(stored: &str) -> Result<T> {
    serde_json::from_str(stored)
        .map_err(|cause| Error::new(ErrorKind::Corrupt, "stored JSON cannot be read").caused_by(cause))
}

/// A NUMERIC without a fraction, as text. PostgreSQL sums BIGINT in NUMERIC, exactly.
pub(crate) fn whole(stored: &str) -> Result<i128> {
    stored.parse().map_err(|cause: std::num::ParseIntError| {
        Error::new(ErrorKind::Corrupt, "stored sum is not a whole number").with("sum", stored).caused_by(cause)
    })
}

/// A sum as a narrower type.
pub(crate) fn narrow_whole<T: TryFrom<i128>>(stored: i128) -> Result<T> {
    T::try_from(stored).map_err(|_| Error::new(ErrorKind::Corrupt, "stored sum is out of range").with("sum", stored))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_instants_count_from_2000() {
        let date: BusinessDate = "2000-01-01".parse().unwrap();
        assert_eq!(Day::from(date).stored(), 0);
        let mut out = BytesMut::new();
        let at = Instant(DateTime::from_timestamp(-1, 999_999_000).unwrap());
        at.to_sql(&Type::TIMESTAMPTZ, &mut out).unwrap();
        assert_eq!(Instant::from_sql(&Type::TIMESTAMPTZ, &out).unwrap(), at);
    }
}
