//! The flags that every program shares.

use std::convert::Infallible;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;

use crate::resolve::Setting;
use crate::url::redact;

/// The flags of the shared settings, to be flattened into a program's own arguments.
///
/// What they hold is text as typed: one place checks it, whether it came from a flag, a variable or a file.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Settings (flags win over variables, variables over moon.toml)")]
pub struct SettingsArgs {
    /// The store: memory:, sqlite:FILE, postgres://... or mysql://... [MOON_STORE_URL; default: sqlite:moon.db]
    #[arg(long, global = true, value_name = "URL")]
    store_url: Option<UrlText>,
    /// The warehouse that dashboards read, like the store or redshift://... [MOON_WAREHOUSE_URL; default: beside the store]
    #[arg(long, global = true, value_name = "URL")]
    warehouse_url: Option<UrlText>,
    /// The ledger's currency, ISO 4217 [MOON_CURRENCY; default: the ledger's own, LKR for a new one]
    #[arg(long, global = true, value_name = "CODE")]
    currency: Option<String>,
    /// The zone that gives instants their business date [MOON_TIME_ZONE; default: the ledger's own, Asia/Colombo for a new one]
    #[arg(long, global = true, value_name = "ZONE")]
    time_zone: Option<String>,
    /// The month in which the fiscal year starts, 1 to 12 [MOON_FISCAL_YEAR_START; default: the ledger's own, 1 for a new one]
    #[arg(long, global = true, value_name = "MONTH")]
    fiscal_year_start: Option<String>,
    /// What is logged to standard error, such as debug or warn,sqlx=error [MOON_LOG; default: info]
    #[arg(long, global = true, value_name = "FILTER")]
    log: Option<String>,
    /// The settings file [default: moon.toml, where there is one]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl SettingsArgs {
    /// The text behind the flag of a setting.
    pub(crate) fn get(&self, setting: Setting) -> Option<&str> {
        match setting {
            Setting::StoreUrl => self.store_url.as_ref().map(UrlText::as_str),
            Setting::WarehouseUrl => self.warehouse_url.as_ref().map(UrlText::as_str),
            Setting::Currency => self.currency.as_deref(),
            Setting::TimeZone => self.time_zone.as_deref(),
            Setting::FiscalYearStart => self.fiscal_year_start.as_deref(),
            Setting::Log => self.log.as_deref(),
            // The programs that know these have flags of their own for them.
            Setting::Listen | Setting::ScheduleCron | Setting::MetricsFile | Setting::PushGateway => None,
            // Whoever lists the processes of a machine sees their flags.
            Setting::PseudonymKey => None,
        }
    }

    /// The settings file that was named.
    pub(crate) fn config(&self) -> Option<&Path> {
        self.config.as_deref()
    }
}

/// A URL as typed, which may hold a password: its `Debug` does not show it.
#[derive(Clone)]
struct UrlText(String);

impl UrlText {
    fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UrlText {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for UrlText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&redact(&self.0), f)
    }
}
