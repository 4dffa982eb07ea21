//! What a file is known to hold against what it holds.

use moon_core::{Currency, Error, ErrorKind, Result, Sum};

use crate::Reject;
use crate::map::Expectation;

/// An expectation in the ledger's currency.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected {
    rows: Option<u64>,
    minor: Option<i128>,
    currency: Currency,
}

impl Expected {
    /// # Errors
    /// `InvalidInput` when the sum is not an amount of the currency.
    pub(crate) fn new(expectation: &Expectation, currency: Currency) -> Result<Self> {
        let minor = expectation.sum.as_deref().map(|sum| {
            minor_units(sum, currency).ok_or_else(|| {
                let error = Error::invalid("`sum` in [expect] is not a plain decimal number of the ledger's currency");
                error.with("sum", format_args!("{sum:?}")).with("currency", currency)
            })
        });
        Ok(Self { rows: expectation.rows, minor: minor.transpose()?, currency })
    }

    /// Compares with the good rows of a file.
    ///
    /// # Errors
    /// `Refused`, naming both sides, and the first row that was not good.
    pub(crate) fn check(&self, rows: u64, minor: i128, first_reject: Option<&Reject>) -> Result<()> {
        let rows_differ = self.rows.is_some_and(|expected| expected != rows);
        let sums_differ = self.minor.is_some_and(|expected| expected != minor);
        if !rows_differ && !sums_differ {
            return Ok(());
        }
        let mut error = Error::new(ErrorKind::Refused, "file does not hold what it is expected to hold");
        if let Some(expected) = self.rows {
            error = error.with("expected_rows", expected).with("good_rows", rows);
        }
        if let Some(expected) = self.minor {
            let shown = |minor| Sum::new(minor, 0).display(self.currency).to_string();
            error = error.with("expected_sum", shown(expected)).with("sum", shown(minor));
        }
        if let Some(reject) = first_reject {
            error = error.with("first_bad_line", reject.line).with("reason", &reject.reason);
        }
        Err(error)
    }
}

/// A plain decimal number in minor units; sums may have more digits than one amount.
fn minor_units(text: &str, currency: Currency) -> Option<i128> {
    let (negative, plain) = text.strip_prefix('-').map_or((false, text), |plain| (true, plain));
    let (whole, fraction) = plain.split_once('.').unwrap_or((plain, "0"));
    let digits = usize::from(currency.digits());
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let kept = fraction.len().min(digits);
    let (kept, beyond) = fraction.split_at_checked(kept)?;
    if !is_number(whole) || !is_number(fraction) || beyond.bytes().any(|byte| byte != b'0') {
        return None;
    }
    let minor: i128 = format!("{whole}{kept:0<digits$}").parse().ok()?;
    Some(if negative { -minor } else { minor })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_read_exactly() {
        let minor = |text: &str| minor_units(text, "USD".parse().unwrap());
        assert_eq!(minor("93174777.64"), Some(9_317_477_764));
        assert_eq!(minor("-1.5"), Some(-150));
        assert_eq!(minor("12"), Some(1_200));
        assert_eq!(minor("100000000000000000000000.01"), Some(10_000_000_000_000_000_000_000_001));
        for bad in ["", "1e3", "1,000", "1.005", "NaN", ".5", "1.", "+1", "1.2.3", "9".repeat(40).as_str()] {
            assert_eq!(minor(bad), None, "{bad:?}");
        }
        assert_eq!(minor_units("12", "JPY".parse().unwrap()), Some(12));
    }
}
