//! Between the domain's values and the database's.

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use moon_core::{Amount, BusinessDate, Code, CodeKind, Error, ErrorKind, Reference, Result, Revision, Text, Version};
use mysql_async::{Row, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::failure::corrupt;

/// Text, and whatever else is kept as bytes.
pub(crate) fn bytes(value: impl AsRef<[u8]>) -> Value {
    Value::Bytes(value.as_ref().to_vec())
}

/// Text that may be absent.
pub(crate) fn optional(value: Option<impl AsRef<[u8]>>) -> Value {
    value.map_or(Value::NULL, bytes)
}

/// A number that may be absent.
pub(crate) fn optional_int<T: Into<i64>>(value: Option<T>) -> Value {
    value.map_or(Value::NULL, |value| Value::Int(value.into()))
}

pub(crate) fn int(value: impl Into<i64>) -> Value {
    Value::Int(value.into())
}

/// An instant, in microseconds since the epoch.
pub(crate) fn micros(at: DateTime<Utc>) -> Value {
    Value::Int(at.timestamp_micros())
}

pub(crate) fn uuid(value: Uuid) -> Value {
    Value::Bytes(value.as_bytes().to_vec())
}

/// A DATE.
pub(crate) fn date(date: BusinessDate) -> Value {
    naive(date.to_naive_date())
}

/// A DATE from days since 1970-01-01, clamped to what the database can hold: for borders of ranges, whose upper one may lie
/// a day behind the last date.
pub(crate) fn day(day: i32) -> Value {
    let clamped = day.clamp(BusinessDate::MIN.epoch_day(), BusinessDate::MAX.epoch_day());
    date(BusinessDate::from_epoch_day(clamped).unwrap_or(BusinessDate::MAX))
}

fn naive(date: NaiveDate) -> Value {
    let part = |number: u32| u8::try_from(number).unwrap_or(0);
    Value::Date(u16::try_from(date.year()).unwrap_or(0), part(date.month()), part(date.day()), 0, 0, 0, 0)
}

/// The columns of a row by their place, as they are stored.
pub(crate) trait Columns {
    fn value(&self, place: usize) -> Result<&Value>;

    fn optional_bytes(&self, place: usize) -> Result<Option<&[u8]>> {
        match self.value(place)? {
            Value::NULL => Ok(None),
            Value::Bytes(bytes) => Ok(Some(bytes)),
            _ => Err(unexpected(place)),
        }
    }

    fn bytes(&self, place: usize) -> Result<&[u8]> {
        self.optional_bytes(place)?.ok_or_else(|| unexpected(place))
    }

    fn optional_text(&self, place: usize) -> Result<Option<&str>> {
        let utf8 = |bytes| {
            std::str::from_utf8(bytes)
                .map_err(|cause| Error::new(ErrorKind::Corrupt, "stored text is not UTF-8").caused_by(cause))
        };
        self.optional_bytes(place)?.map(utf8).transpose()
    }

    fn text(&self, place: usize) -> Result<&str> {
        self.optional_text(place)?.ok_or_else(|| unexpected(place))
    }

    fn optional_int(&self, place: usize) -> Result<Option<i64>> {
        match self.value(place)? {
            Value::NULL => Ok(None),
            Value::Int(number) => Ok(Some(*number)),
            Value::UInt(number) => i64::try_from(*number).map(Some).map_err(|_| unexpected(place)),
            // The text protocol, and sums.
            Value::Bytes(digits) => {
                let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
                number.map(Some).ok_or_else(|| unexpected(place))
            }
            _ => Err(unexpected(place)),
        }
    }

    fn int(&self, place: usize) -> Result<i64> {
        self.optional_int(place)?.ok_or_else(|| unexpected(place))
    }

    fn optional_date(&self, place: usize) -> Result<Option<BusinessDate>> {
        match self.value(place)? {
            Value::NULL => Ok(None),
            Value::Date(year, month, day, ..) => {
                BusinessDate::new((*year).into(), (*month).into(), (*day).into()).map(Some).map_err(corrupt)
            }
            _ => Err(unexpected(place)),
        }
    }

    fn date(&self, place: usize) -> Result<BusinessDate> {
        self.optional_date(place)?.ok_or_else(|| unexpected(place))
    }

    fn instant(&self, place: usize) -> Result<DateTime<Utc>> {
        instant(self.int(place)?)
    }

    fn uuid(&self, place: usize) -> Result<Uuid> {
        Uuid::from_slice(self.bytes(place)?)
            .map_err(|cause| Error::new(ErrorKind::Corrupt, "stored identifier is not a UUID").caused_by(cause))
    }

    /// A sum of whole numbers, which the database makes as a DECIMAL.
    fn whole(&self, place: usize) -> Result<i128> {
        match self.value(place)? {
            Value::NULL => Ok(0),
            Value::Int(number) => Ok((*number).into()),
            Value::UInt(number) => Ok((*number).into()),
            Value::Bytes(digits) => {
                let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
                number.ok_or_else(|| unexpected(place))
            }
            _ => Err(unexpected(place)),
        }
    }
}

impl Columns for Row {
    fn value(&self, place: usize) -> Result<&Value> {
        self.as_ref(place).ok_or_else(|| unexpected(place))
    }
}

fn unexpected(place: usize) -> Error {
    Error::new(ErrorKind::Corrupt, "a stored value has an unexpected type").with("column", place)
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
