//! What the commands say, on standard error: standard output belongs to data.

use std::io::{self, Write as _};
use std::time::Duration;

/// Writes a line. A closed standard error is no reason to stop: the exit code still tells.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// A duration for people: `840 ms`, `12.3 s`, `3 min 05 s`.
pub(crate) fn duration(time: Duration) -> String {
    let millis = time.as_millis();
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..60_000 => format!("{}.{} s", millis / 1_000, millis % 1_000 / 100),
        _ => format!("{} min {:02} s", millis / 60_000, millis % 60_000 / 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_in_the_unit_that_suits_them() {
        let shown =
            [0, 999, 1_000, 12_345, 59_999, 60_000, 185_000].map(|millis| duration(Duration::from_millis(millis)));
        assert_eq!(shown, ["0 ms", "999 ms", "1.0 s", "12.3 s", "59.9 s", "1 min 00 s", "3 min 05 s"]);
    }
}
