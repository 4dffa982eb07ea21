//! The currency of a ledger.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Error, Result};

/// An ISO 4217 currency with a minor unit.
///
/// ```
/// use moon_core::Currency;
///
/// let rupee: Currency = "LKR".parse()?;
/// assert_eq!((rupee.code(), rupee.digits()), ("LKR", 2));
/// # Ok::<(), moon_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency {
    iso: iso_currency::Currency,
    digits: u8,
}

impl Currency {
    /// The three capital letters.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.iso.code()
    }

    /// Decimal digits of the minor unit, 0 to 4.
    #[must_use]
    pub fn digits(self) -> u8 {
        self.digits
    }

    /// Minor units in one unit: 10 to the power of [`digits`](Self::digits).
    #[must_use]
    pub fn minor_per_unit(self) -> i64 {
        10_i64.pow(u32::from(self.digits))
    }
}

impl FromStr for Currency {
    type Err = Error;

    fn from_str(code: &str) -> Result<Self> {
        let unknown = || Error::invalid("currency is not an ISO 4217 code with a minor unit").with("currency", code);
        let iso = iso_currency::Currency::from_code(code).ok_or_else(unknown)?;
        let digits = iso.exponent().and_then(|digits| u8::try_from(digits).ok()).filter(|digits| *digits <= 4);
        Ok(Self { iso, digits: digits.ok_or_else(unknown)? })
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
