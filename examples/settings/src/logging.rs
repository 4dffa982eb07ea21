//! Logging, for all programs alike.

use std::io::{self, IsTerminal as _};

use moon_core::{Error, ErrorKind, Result};
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, Registry, fmt};

use crate::exit::HINT;
use crate::settings::Settings;

/// Reads a filter.
///
/// # Errors
/// `InvalidInput` when it has not the form of one.
pub(crate) fn filter(text: &str) -> Result<EnvFilter> {
    EnvFilter::builder().parse(text).map_err(|error| {
        Error::invalid("log filter is not valid")
            .with("filter", format_args!("{text:?}"))
            .with(HINT, "a filter is a level such as info, or levels by target such as warn,sqlx=error")
            .caused_by(error)
    })
}

/// Logs to standard error from here on, in colour on a terminal unless `NO_COLOR` is set. To be called once, first
/// thing in a program.
///
/// # Errors
/// `InvalidInput` for a bad filter, `AlreadyExists` when something logs already.
pub fn init_logging(settings: &Settings) -> Result<()> {
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    // The filter belongs to this layer alone: on the registry it would also decide what later layers see.
    let layer = fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal() && !no_colour)
        .with_filter(filter(&settings.log)?);
    Registry::default()
        .with(layer)
        .try_init()
        .map_err(|error| Error::new(ErrorKind::AlreadyExists, "start logging").caused_by(error))
}
