//! Lengths of time, as people write and read them.

use std::time::Duration;

use moon_core::{Error, Result};

/// Reads `500ms`, `90s`, `10m`, `2h` or `1d`.
///
/// # Errors
/// `InvalidInput` for anything else.
pub(crate) fn parse(text: &str) -> Result<Duration> {
    let fail = || Error::invalid("length of time is not of the form 500ms, 90s, 10m, 2h or 1d");
    let digits = text.find(|character: char| !character.is_ascii_digit()).ok_or_else(fail)?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| fail())?;
    let seconds = |each: u64| number.checked_mul(each).map(Duration::from_secs).ok_or_else(fail);
    match unit {
        "ms" => Ok(Duration::from_millis(number)),
        "s" => seconds(1),
        "m" => seconds(60),
        "h" => seconds(3_600),
        "d" => seconds(86_400),
        _ => Err(fail()),
    }
}

/// A length in its two largest units, such as `2 h 5 min`; below a minute with tenths of seconds.
pub(crate) fn show(length: Duration) -> String {
    let seconds = length.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    if days > 0 {
        format!("{days} d {hours} h")
    } else if hours > 0 {
        format!("{hours} h {minutes} min")
    } else if minutes > 0 {
        format!("{minutes} min {} s", seconds % 60)
    } else {
        format!("{seconds}.{} s", length.subsec_millis() / 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for (text, millis) in [("0s", 0), ("500ms", 500), ("90s", 90_000), ("10m", 600_000), ("2h", 7_200_000)] {
            assert_eq!(parse(text).unwrap(), Duration::from_millis(millis), "{text}");
        }
        assert_eq!(parse("1d").unwrap(), Duration::from_secs(86_400));
        for bad in ["", "5", "s", "-5s", "5 s", "1.5h", "5w", "99999999999999999999s", "9999999999999999999d"] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn two_units_are_enough_to_read() {
        for (millis, shown) in
            [(0, "0.0 s"), (1_950, "1.9 s"), (61_000, "1 min 1 s"), (7_500_000, "2 h 5 min"), (90_000_000, "1 d 1 h")]
        {
            assert_eq!(show(Duration::from_millis(millis)), shown);
        }
    }
}
