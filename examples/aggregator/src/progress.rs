//! Progress on standard error: a moving line on a terminal, plain lines every few seconds elsewhere.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use moon_aggregate::{Progress, Step};
use moon_core::BusinessDate;

use crate::grid::grouped;

/// How long nothing is said between two plain lines.
const PLAIN_EVERY: Duration = Duration::from_secs(5);

/// Writes a line to standard error. If that is closed, nobody wants to know.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Standard error, as a place where something moves.
pub(crate) struct Console {
    bar: Option<ProgressBar>,
    said: Mutex<Instant>,
}

impl Console {
    pub(crate) fn new() -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        Self { bar, said: Mutex::new(Instant::now()) }
    }

    /// Shows how things stand.
    pub(crate) fn show(&self, state: impl FnOnce() -> String) {
        match &self.bar {
            Some(bar) => bar.set_message(state()),
            None => {
                let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
                if said.elapsed() >= PLAIN_EVERY {
                    *said = Instant::now();
                    say(&state());
                }
            }
        }
    }

    /// Takes the moving line away.
    pub(crate) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Console {
    fn step(&self, step: Step) {
        self.show(|| step.name().to_owned());
    }

    fn read(&self, rows: u64, day: BusinessDate) {
        self.show(|| format!("reading: {} postings, up to {day}", grouped(&rows.to_string())));
    }

    fn staged(&self, cells: usize, of: usize) {
        self.show(|| format!("staging: {} of {} cells", grouped(&cells.to_string()), grouped(&of.to_string())));
    }
}
