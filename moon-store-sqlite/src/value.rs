//! Between the domain's values and SQLite's.

use chrono::{DateTime, Utc};
use moon_core::{
    Amount, BusinessDate, Code, CodeKind, Error, ErrorKind, Reference, Result, Revision, SaleId, Text, Version,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::failure::corrupt;

/// Microseconds since the epoch.
pub(crate) fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

/// The instant of [`micros`].
pub(crate) fn instant(micros: i64) -> Result<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros)
        .ok_or_else(|| Error::new(ErrorKind::Corrupt, "stored instant is out of range").with("microseconds", micros))
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

pub(crate) fn day(stored: i64) -> Result<BusinessDate> {
    BusinessDate::from_epoch_day(narrow(stored)?).map_err(corrupt)
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

pub(crate) fn uuid(stored: &[u8]) -> Result<Uuid> {
    Uuid::from_slice(stored)
        .map_err(|cause| Error::new(ErrorKind::Corrupt, "stored identifier is not a UUID").caused_by(cause))
}

pub(crate) fn sale_id(stored: &[u8]) -> Result<SaleId> {
    uuid(stored).map(SaleId)
}

/// A count of SQLite as an unsigned one.
pub(crate) fn unsigned(stored: i64) -> Result<u64> {
    narrow(stored)
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

/// A JSON array of texts, as `json_each` takes it.
pub(crate) fn json_texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<String> {
    to_json(&texts.into_iter().collect::<Vec<_>>())
}

/// The sum of `high * 2^32 + low`, from which SQL's 64-bit sums of half amounts make an exact 128-bit one.
pub(crate) fn recombine(high: i64, low: i64) -> i128 {
    i128::from(high) * (1 << 32) + i128::from(low)
}
