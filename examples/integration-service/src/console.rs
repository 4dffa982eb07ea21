//! What people see while a file is imported: a bar on a terminal, a line now and then elsewhere.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use moon_import::{ImportReport, Progress, Stage};

/// How long a plain line waits for the next one.
const LINE_EVERY: Duration = Duration::from_secs(2);

/// Shows how far an import is, on standard error.
#[derive(Debug)]
pub(crate) enum Console {
    Bar(ProgressBar),
    Lines(Option<Instant>),
}

impl Console {
    pub(crate) fn new() -> Self {
        if !io::stderr().is_terminal() {
            return Self::Lines(None);
        }
        let bar = ProgressBar::new(0);
        // The style is a constant; should it ever be wrong, the default one serves.
        if let Ok(style) = ProgressStyle::with_template("{msg} [{bar:40}] {percent}% ({eta} left)") {
            bar.set_style(style.progress_chars("=> "));
        }
        Self::Bar(bar)
    }

    pub(crate) fn show(&mut self, progress: Progress) {
        let verb = match progress.stage {
            Stage::Checking => "checked",
            Stage::Recording => "recorded",
            Stage::Comparing => "recorded, comparing with the ledger",
        };
        let rows = rows(progress.summary.rows);
        match self {
            Self::Bar(bar) => {
                bar.set_length(progress.bytes_total);
                bar.set_position(progress.bytes);
                bar.set_message(format!("{rows} {verb}"));
            }
            Self::Lines(last) => {
                if last.is_some_and(|last| last.elapsed() < LINE_EVERY) {
                    return;
                }
                *last = Some(Instant::now());
                // A pipe does not tell how much there is to come.
                let percent = progress.bytes.saturating_mul(100).checked_div(progress.bytes_total);
                let percent = percent.map(|percent| format!(" ({percent}%)")).unwrap_or_default();
                say(&format!("{rows} {verb}{percent}"));
            }
        }
    }

    /// Takes the bar away.
    pub(crate) fn clear(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

/// What there is to say about an import that has ended.
pub(crate) fn summarize(report: &ImportReport) {
    let summary = &report.summary;
    let refused = summary.rejected + summary.conflicts;
    match &report.rejects {
        None => say(&format!("{} done, none rejected", rows(summary.rows))),
        Some(path) => {
            for reject in &report.first_rejects {
                let column =
                    if reject.column.is_empty() { String::new() } else { format!(", column {}", reject.column) };
                say(&format!("line {}{column}: {}", reject.line, reject.reason));
            }
            let shown = u64::try_from(report.first_rejects.len()).unwrap_or(u64::MAX);
            if refused > shown {
                say(&format!("and {} more", grouped(refused - shown)));
            }
            let done = rows(summary.rows - refused);
            say(&format!("{done} done, {} rejected: see {}", grouped(refused), path.display()));
        }
    }
    if let Some(missing) = report.missing.as_ref().filter(|missing| missing.count > 0) {
        let first: Vec<&str> = missing.first.iter().map(|reference| reference.as_str()).collect();
        let more = if missing.count > u64::try_from(first.len()).unwrap_or(0) { ", ..." } else { "" };
        let count = grouped(missing.count);
        say(&format!(
            "in the ledger and not in this snapshot: {count} of its source's sales: {}{more}",
            first.join(", ")
        ));
    }
}

/// A line on standard error. A closed one is no reason to end.
fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// So many rows.
fn rows(count: u64) -> String {
    if count == 1 { "1 row".to_owned() } else { format!("{} rows", grouped(count)) }
}

/// A number with its digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stand_in_groups() {
        let shown = [0, 999, 1_000, 12_345, 1_234_567].map(grouped);
        assert_eq!(shown, ["0", "999", "1,000", "12,345", "1,234,567"]);
    }
}
