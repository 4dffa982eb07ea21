//! Exact money: amounts of one posting and sums of many.

use std::fmt;
use std::ops::Neg;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::Currency;
use crate::{Error, ErrorKind, Result};

/// The largest magnitude of one amount, in minor units: just below 10^18.
pub const AMOUNT_MINOR_MAX: i64 = 999_999_999_999_999_999;

/// The amount of one sale, posting or target, in minor units of the ledger's currency (cents, say), at most
/// [`AMOUNT_MINOR_MAX`] either way.
///
/// ```
/// use moon_core::{Amount, Currency};
///
/// let rupee: Currency = "LKR".parse()?;
/// let amount = Amount::parse("-1250.5", rupee)?;
/// assert_eq!(amount.minor(), -125_050);
/// assert_eq!(amount.display(rupee).to_string(), "-1250.50");
/// assert!(Amount::parse("0.005", rupee).is_err());
/// # Ok::<(), moon_core::Error>(())
/// ```
///
/// Serde sees the whole number of minor units, which is what stores keep; at the borders amounts travel as decimal text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Amount(i64);

impl TryFrom<i64> for Amount {
    type Error = Error;

    fn try_from(minor: i64) -> Result<Self> {
        Self::from_minor(minor)
    }
}

impl From<Amount> for i64 {
    fn from(amount: Amount) -> Self {
        amount.0
    }
}

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// An amount of minor units.
    ///
    /// # Errors
    /// `InvalidInput` beyond [`AMOUNT_MINOR_MAX`].
    pub fn from_minor(minor: i64) -> Result<Self> {
        if minor.unsigned_abs() > AMOUNT_MINOR_MAX.unsigned_abs() {
            return Err(Error::invalid("amount has more than 18 digits in minor units").with("amount", minor));
        }
        Ok(Self(minor))
    }

    /// Reads a plain decimal number with a point: digits, optionally a sign before and a fraction behind. No exponent,
    /// no grouping, no blanks. Zeros beyond the currency's digits are accepted, since nothing is lost.
    ///
    /// # Errors
    /// `InvalidInput` for anything else, for more digits than the currency has, and beyond the limit.
    pub fn parse(text: &str, currency: Currency) -> Result<Self> {
        let fail = |fault: &'static str| Error::invalid(fault).with("amount", format_args!("{text:?}"));
        let (negative, digits) = match text.as_bytes() {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        let mut parts = digits.splitn(2, |byte| *byte == b'.');
        let whole = parts.next().unwrap_or_default();
        let fraction = parts.next();
        let all_digits = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
        if !all_digits(whole) || fraction.is_some_and(|fraction| !all_digits(fraction)) {
            return Err(fail("amount is not a plain decimal number"));
        }
        let fraction = fraction.unwrap_or_default();
        let kept = fraction.len().min(usize::from(currency.digits()));
        let (kept_digits, beyond) = fraction.split_at(kept);
        if beyond.iter().any(|digit| *digit != b'0') {
            return Err(fail("amount has more decimals than its currency").with("currency", currency));
        }
        let too_large = || fail("amount has more than 18 digits in minor units");
        let mut minor: i64 = 0;
        let padding = usize::from(currency.digits()) - kept;
        for digit in whole.iter().chain(kept_digits).copied().chain(std::iter::repeat_n(b'0', padding)) {
            minor = minor
                .checked_mul(10)
                .and_then(|minor| minor.checked_add(i64::from(digit - b'0')))
                .filter(|minor| *minor <= AMOUNT_MINOR_MAX)
                .ok_or_else(too_large)?;
        }
        Ok(Self(if negative { -minor } else { minor }))
    }

    /// Takes over a decimal exactly.
    ///
    /// # Errors
    /// `InvalidInput` when the currency has fewer digits than the value needs, and beyond the limit.
    pub fn from_decimal(value: Decimal, currency: Currency) -> Result<Self> {
        // Through text: scaling a `Decimal` near its 28 digits would round without a word.
        Self::parse(&value.to_string(), currency)
    }

    /// Minor units.
    #[must_use]
    pub fn minor(self) -> i64 {
        self.0
    }

    /// The amount in units of `currency`, with all of its digits.
    #[must_use]
    pub fn to_decimal(self, currency: Currency) -> Decimal {
        Decimal::new(self.0, u32::from(currency.digits()))
    }

    /// Writes the amount with all digits of `currency`.
    #[must_use]
    pub fn display(self, currency: Currency) -> impl fmt::Display {
        MinorUnits { minor: self.0.into(), digits: currency.digits() }
    }
}

impl Neg for Amount {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

/// An exact sum of amounts with the count of sales beside it: 128-bit minor units, so that only a sum of more than
/// 10^20 amounts of the largest size could overflow, and that is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Sum {
    /// Minor units of the ledger's currency.
    pub minor: i128,
    /// Sales: +1 for a sale, −1 for one of which nothing remains.
    pub count: i64,
}

impl Sum {
    /// Nothing, counted zero times.
    pub const ZERO: Self = Self { minor: 0, count: 0 };

    /// A sum of minor units and a count.
    #[must_use]
    pub const fn new(minor: i128, count: i64) -> Self {
        Self { minor, count }
    }

    /// The sum of both.
    ///
    /// # Errors
    /// `Refused` when the amount leaves 128 bits or the count 64.
    pub fn plus(self, other: Self) -> Result<Self> {
        let minor = self.minor.checked_add(other.minor);
        let count = self.count.checked_add(other.count);
        minor.zip(count).map(|(minor, count)| Self { minor, count }).ok_or_else(|| {
            Error::new(ErrorKind::Refused, "sum is too large to be exact")
                .with("minor_units", self.minor)
                .with("added", other.minor)
        })
    }

    /// The amount in units of `currency`, with all of its digits.
    #[must_use]
    pub fn display(self, currency: Currency) -> impl fmt::Display {
        MinorUnits { minor: self.minor, digits: currency.digits() }
    }

    /// The amount as a decimal.
    ///
    /// # Errors
    /// `Refused` when it has more digits than a `Decimal` holds (28); [`display`](Self::display) has no such limit.
    pub fn to_decimal(self, currency: Currency) -> Result<Decimal> {
        Decimal::try_from_i128_with_scale(self.minor, u32::from(currency.digits())).map_err(|cause| {
            Error::new(ErrorKind::Refused, "sum has more digits than a decimal holds")
                .with("minor_units", self.minor)
                .caused_by(cause)
        })
    }
}

/// Minor units, written in units with a decimal point.
struct MinorUnits {
    minor: i128,
    digits: u8,
}

impl fmt::Display for MinorUnits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = 10_u128.pow(u32::from(self.digits));
        let magnitude = self.minor.unsigned_abs();
        let (whole, fraction) = (magnitude / scale, magnitude % scale);
        let text = match self.digits {
            0 => whole.to_string(),
            digits => format!("{whole}.{fraction:0width$}", width = usize::from(digits)),
        };
        f.pad_integral(self.minor >= 0, "", &text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn currency(code: &str) -> Currency {
        code.parse().unwrap()
    }

    #[test]
    fn bad_amounts_are_refused_with_the_reason() {
        let usd = currency("USD");
        for bad in ["", "-", ".", "1.", ".5", "1e3", "NaN", "inf", "1,234.5", " 1", "1 ", "1.2.3", "--1", "0x1", "١"] {
            assert_eq!(
                Amount::parse(bad, usd).unwrap_err().message(),
                "amount is not a plain decimal number",
                "{bad:?}"
            );
        }
        assert_eq!(Amount::parse("1.005", usd).unwrap_err().message(), "amount has more decimals than its currency");
        assert_eq!(Amount::parse("1.5", currency("JPY")).unwrap_err().kind(), ErrorKind::InvalidInput);
        for large in ["1000000000000000000", "10000000000000000", "99999999999999999999999999999999"] {
            assert!(Amount::parse(large, usd).unwrap_err().message().contains("18 digits"), "{large}");
        }
    }

    #[test]
    fn limits_and_zeros_are_exact() {
        let usd = currency("USD");
        assert_eq!(Amount::parse("9999999999999999.99", usd).unwrap().minor(), AMOUNT_MINOR_MAX);
        assert_eq!(Amount::parse("-9999999999999999.99", usd).unwrap().minor(), -AMOUNT_MINOR_MAX);
        assert_eq!(Amount::parse("-0.00", usd).unwrap(), Amount::ZERO);
        assert_eq!(Amount::parse("+1.5000", usd).unwrap().minor(), 150);
        assert_eq!(Amount::parse("1.5", currency("KWD")).unwrap().display(currency("KWD")).to_string(), "1.500");
        assert_eq!(Amount::from_minor(-5).unwrap().display(usd).to_string(), "-0.05");
        assert_eq!(Amount::from_decimal(Decimal::new(15_000, 4), usd).unwrap().minor(), 150);
    }

    #[test]
    fn sums_at_the_limit_raise_an_error_and_never_wrap() {
        let top = Sum::new(i128::MAX, 1);
        assert_eq!(top.plus(Sum::new(1, 0)).unwrap_err().kind(), ErrorKind::Refused);
        assert_eq!(Sum::new(i128::MIN, 0).plus(Sum::new(-1, 0)).unwrap_err().kind(), ErrorKind::Refused);
        assert_eq!(Sum::new(0, i64::MAX).plus(Sum::new(0, 1)).unwrap_err().kind(), ErrorKind::Refused);
        assert_eq!(top.display(currency("JPY")).to_string(), i128::MAX.to_string());
        assert!(top.to_decimal(currency("JPY")).is_err());
    }

    proptest! {
        #[test]
        fn what_is_displayed_parses_back(minor in -AMOUNT_MINOR_MAX..=AMOUNT_MINOR_MAX, code in prop::sample::select(vec!["JPY", "USD", "KWD", "CLF"])) {
            let currency = currency(code);
            let amount = Amount::from_minor(minor).unwrap();
            prop_assert_eq!(Amount::parse(&amount.display(currency).to_string(), currency).unwrap(), amount);
            prop_assert_eq!(Amount::from_decimal(amount.to_decimal(currency), currency).unwrap(), amount);
        }
    }
}
