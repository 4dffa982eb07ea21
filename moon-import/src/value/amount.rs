//! Numbers as files write them.

use std::borrow::Cow;

use moon_core::{Amount, Currency, Error, Result};

/// How a file writes numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberForm {
    /// What stands before the fraction: a point or a comma.
    pub decimal: char,
    /// What may stand between groups of digits, if anything may.
    pub grouping: Option<char>,
}

impl NumberForm {
    /// Reads an amount. Groups have three digits, or two as in lakhs, the last one always three.
    ///
    /// # Errors
    /// `InvalidInput` for whatever is not a plain number of this form, and as of [`Amount::parse`].
    pub fn amount(self, text: &str, currency: Currency) -> Result<Amount> {
        let plain = self.plain(text).ok_or_else(|| {
            let error = Error::invalid("amount is not a number of the form that the map declares");
            let grouping = self.grouping.map_or_else(|| "none".to_owned(), String::from);
            error.with("amount", format_args!("{text:?}")).with("decimal", self.decimal).with("grouping", grouping)
        })?;
        Amount::parse(&plain, currency)
    }

    /// The number with a point and without groups; `None` when it has not the declared form.
    fn plain(self, text: &str) -> Option<Cow<'_, str>> {
        if self.decimal == '.' && self.grouping.is_none() {
            return Some(Cow::Borrowed(text));
        }
        let (whole, fraction) = match text.split_once(self.decimal) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (text, None),
        };
        let mut plain = String::with_capacity(text.len());
        let digits = whole.trim_start_matches(['-', '+']);
        plain.push_str(whole.get(..whole.len() - digits.len())?);
        match self.grouping.filter(|mark| digits.contains(*mark)) {
            None => plain.push_str(digits),
            Some(mark) => {
                let mut groups = digits.split(mark).peekable();
                let first = groups.next().filter(|first| (1..=3).contains(&first.len()))?;
                plain.push_str(first);
                while let Some(group) = groups.next() {
                    let is_last = groups.peek().is_none();
                    if group.len() != 3 && (is_last || group.len() != 2) {
                        return None;
                    }
                    plain.push_str(group);
                }
            }
        }
        // A point that is left over is no mark of this form.
        if plain.contains('.') || fraction.is_some_and(|fraction| fraction.contains('.')) {
            return None;
        }
        if let Some(fraction) = fraction {
            plain.push('.');
            plain.push_str(fraction);
        }
        Some(Cow::Owned(plain))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(decimal: char, grouping: Option<char>, text: &str) -> Option<i64> {
        NumberForm { decimal, grouping }.amount(text, "EUR".parse().unwrap()).ok().map(Amount::minor)
    }

    #[test]
    fn each_form_reads_its_own_numbers_only() {
        assert_eq!(parse('.', None, "1234.5"), Some(123_450));
        assert_eq!(parse('.', None, "1,234.5"), None);
        assert_eq!(parse('.', Some(','), "1,234.5"), Some(123_450));
        assert_eq!(parse('.', Some(','), "1,50,000.00"), Some(15_000_000));
        assert_eq!(parse(',', None, "1234,5"), Some(123_450));
        assert_eq!(parse(',', None, "1234.5"), None);
        assert_eq!(parse(',', Some('.'), "-1.234,50"), Some(-123_450));
        assert_eq!(parse(',', Some('\u{a0}'), "12\u{a0}345,6"), Some(1_234_560));
        for bad in ["1,23.5", "12,34", "1,,234", ",234", "1234,567", "1,234,", "1.2.3", "1,2345", "--1", "NaN", "1e3"] {
            assert_eq!(parse('.', Some(','), bad), None, "{bad:?}");
        }
        for bad in ["1.234", "1,2,3", "1,234.5", "1,5.0", ",5", "1,", "1,234"] {
            assert_eq!(parse(',', None, bad), None, "{bad:?}");
        }
    }

    #[test]
    fn the_limits_of_amounts_hold_in_every_form() {
        for (decimal, text) in [('.', "1234567890123456789"), (',', "1,005"), ('.', "0.001")] {
            assert_eq!(parse(decimal, None, text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_in_a_form_parses_back(minor in -99_999_999_999_i64..=99_999_999_999, comma in any::<bool>(), grouped in any::<bool>()) {
            let (decimal, mark) = if comma { (',', '.') } else { ('.', ',') };
            let whole = (minor.unsigned_abs() / 100).to_string();
            let mut text = String::from(if minor < 0 { "-" } else { "" });
            for (at, digit) in whole.chars().enumerate() {
                if grouped && at > 0 && (whole.len() - at) % 3 == 0 {
                    text.push(mark);
                }
                text.push(digit);
            }
            text.push(decimal);
            text.push_str(&format!("{:02}", minor.unsigned_abs() % 100));
            prop_assert_eq!(parse(decimal, grouped.then_some(mark), &text), Some(minor));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,12}", comma in any::<bool>(), grouping in prop::option::of(any::<char>())) {
            let _ = parse(if comma { ',' } else { '.' }, grouping, &text);
        }
    }
}
