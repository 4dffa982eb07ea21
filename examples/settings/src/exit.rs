//! How a program ends: its exit code, and what it says about an error.

use std::error::Error as StdError;
use std::fmt;
use std::io::{self, Write as _};
use std::process::ExitCode;

use moon_core::{Error, ErrorKind, Result};

/// The context key that names a flag. An error with it is wrong usage.
pub const FLAG: &str = "flag";
/// The context key that names an environment variable. An error with it is wrong usage.
pub const VARIABLE: &str = "variable";
/// The context key that names a key of the settings file. An error with it is wrong usage.
pub const SETTING: &str = "setting";
/// The context key of an advice; [`ErrorReport`] gives it a line of its own.
pub const HINT: &str = "hint";

const FAILED: u8 = 1;
const WRONG_USAGE: u8 = 2;
const REFUSED: u8 = 3;

/// The exit code of an error: 3 when a rule refused (the law, a guard, another run), 2 when a flag, a variable or a
/// setting was wrong ([`FLAG`], [`VARIABLE`] or [`SETTING`] in its context), else 1. What went well is 0.
#[must_use]
pub fn exit_code(error: &Error) -> u8 {
    if error.kind() == ErrorKind::Refused {
        REFUSED
    } else if error.context().any(|(key, _)| [FLAG, VARIABLE, SETTING].contains(&key)) {
        WRONG_USAGE
    } else {
        FAILED
    }
}

/// Ends a program: reports an error on standard error and turns the result into the exit code.
#[must_use = "return it from main"]
pub fn finish(result: Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A closed standard error is no reason to end otherwise: the exit code still tells.
            let _ = writeln!(io::stderr().lock(), "{}", ErrorReport::new(&error));
            ExitCode::from(exit_code(&error))
        }
    }
}

/// An error as people read it: its message and context, hints on lines of their own, and the chain of causes.
///
/// ```
/// use moon_core::Error;
/// use moon_settings::{ErrorReport, HINT};
///
/// let error = Error::invalid("there is no such date").with("date", "2026-02-31").with(HINT, "February ends earlier");
/// assert_eq!(
///     ErrorReport::new(&error).to_string(),
///     "error: there is no such date (date: 2026-02-31)\n  hint: February ends earlier",
/// );
/// ```
#[derive(Debug)]
pub struct ErrorReport<'a>(&'a Error);

impl<'a> ErrorReport<'a> {
    /// Reports this error.
    #[must_use]
    pub fn new(error: &'a Error) -> Self {
        Self(error)
    }
}

impl fmt::Display for ErrorReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("error: ")?;
        write_one(f, self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            f.write_str("\n  caused by: ")?;
            match error.downcast_ref::<Error>() {
                Some(error) => write_one(f, error)?,
                None => write!(f, "{error}")?,
            }
            cause = error.source();
        }
        Ok(())
    }
}

/// An error without its cause; the hints behind it, a line each.
fn write_one(f: &mut fmt::Formatter<'_>, error: &Error) -> fmt::Result {
    f.write_str(error.message())?;
    let mut end = "";
    for (key, value) in error.context().filter(|(key, _)| *key != HINT) {
        f.write_str(if end.is_empty() { " (" } else { ", " })?;
        write!(f, "{key}: {value}")?;
        end = ")";
    }
    f.write_str(end)?;
    for (_, hint) in error.context().filter(|(key, _)| *key == HINT) {
        write!(f, "\n  hint: {hint}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_by_kind_and_place() {
        assert_eq!(exit_code(&Error::invalid("row has no date")), 1);
        assert_eq!(exit_code(&Error::new(ErrorKind::Backend, "write").with("file", "moon.db")), 1);
        assert_eq!(exit_code(&Error::invalid("period is unknown").with(FLAG, "--period")), 2);
        assert_eq!(exit_code(&Error::new(ErrorKind::Unsupported, "not built in").with(VARIABLE, "MOON_STORE_URL")), 2);
        assert_eq!(exit_code(&Error::new(ErrorKind::Refused, "the law does not hold").with(FLAG, "--full")), 3);
    }

    #[test]
    fn a_report_shows_context_hints_and_all_causes() {
        let disk = io::Error::other("disk full");
        let inner = Error::new(ErrorKind::Backend, "insert sales").with("rows", 5).caused_by(disk);
        let error = Error::new(ErrorKind::Backend, "import the file")
            .with("file", "sales.csv")
            .with(HINT, "run it again")
            .with("line", 7)
            .caused_by(inner);
        assert_eq!(
            ErrorReport::new(&error).to_string(),
            "error: import the file (file: sales.csv, line: 7)\n  hint: run it again\
             \n  caused by: insert sales (rows: 5)\n  caused by: disk full"
        );
    }
}
