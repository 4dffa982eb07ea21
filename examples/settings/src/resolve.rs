//! Which value of a setting wins, and where it came from.

use std::ffi::OsString;
use std::path::Path;

use moon_core::{Error, Result};

use crate::args::SettingsArgs;
use crate::exit::{FLAG, SETTING, VARIABLE};
use crate::file::File;

/// The settings file that is read where there is one and no other is named.
pub(crate) const DEFAULT_FILE: &str = "moon.toml";

/// The settings that the programs share. Each has one name, from which those of its flag and variable follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setting {
    StoreUrl,
    WarehouseUrl,
    Currency,
    TimeZone,
    FiscalYearStart,
    Log,
    Listen,
    ScheduleCron,
    MetricsFile,
    PushGateway,
    PseudonymKey,
}

impl Setting {
    /// All of them, in the order in which they are explained. Those behind `Log` have no flag that all programs share.
    pub(crate) const ALL: [Self; 11] = [
        Self::StoreUrl,
        Self::WarehouseUrl,
        Self::Currency,
        Self::TimeZone,
        Self::FiscalYearStart,
        Self::Log,
        Self::Listen,
        Self::ScheduleCron,
        Self::MetricsFile,
        Self::PushGateway,
        Self::PseudonymKey,
    ];

    /// The key in the settings file.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::StoreUrl => "store_url",
            Self::WarehouseUrl => "warehouse_url",
            Self::Currency => "currency",
            Self::TimeZone => "time_zone",
            Self::FiscalYearStart => "fiscal_year_start",
            Self::Log => "log",
            Self::Listen => "listen",
            Self::ScheduleCron => "schedule_cron",
            Self::MetricsFile => "metrics_file",
            Self::PushGateway => "push_gateway",
            Self::PseudonymKey => "pseudonym_key",
        }
    }

    /// The flag, with its dashes.
    pub(crate) fn flag(self) -> String {
        format!("--{}", self.name().replace('_', "-"))
    }

    /// The environment variable.
    pub(crate) fn variable(self) -> String {
        format!("MOON_{}", self.name().to_ascii_uppercase())
    }
}

/// Where a value stands.
#[derive(Debug)]
enum Place {
    Flag(String),
    Variable(String),
    Setting(String),
}

impl Place {
    /// Names the place in an error.
    fn blame(&self, error: Error) -> Error {
        match self {
            Self::Flag(flag) => error.with(FLAG, flag),
            Self::Variable(variable) => error.with(VARIABLE, variable),
            Self::Setting(setting) => error.with(SETTING, setting),
        }
    }
}

/// The layers of settings, the strongest first: flags, environment, file.
pub(crate) struct Layers<'a> {
    flags: &'a SettingsArgs,
    environment: &'a dyn Fn(&str) -> Option<OsString>,
    file: File,
}

impl<'a> Layers<'a> {
    /// Opens the layers; `folder` is where the default settings file is looked for.
    pub(crate) fn open(
        flags: &'a SettingsArgs,
        environment: &'a dyn Fn(&str) -> Option<OsString>,
        folder: &Path,
    ) -> Result<Self> {
        let file = match flags.config() {
            Some(path) => File::read(path)?.ok_or_else(|| {
                Error::invalid("there is no such settings file").with("file", path.display()).with(FLAG, "--config")
            })?,
            None => File::read(&folder.join(DEFAULT_FILE))?.unwrap_or_default(),
        };
        Ok(Self { flags, environment, file })
    }

    /// Reads the winning value of a setting; `None` when nobody gave one. An error names the value's place.
    pub(crate) fn read<T>(&self, setting: Setting, read: impl FnOnce(&str) -> Result<T>) -> Result<Option<T>> {
        let Some((text, place)) = self.get(setting)? else { return Ok(None) };
        read(&text).map(Some).map_err(|error| place.blame(error))
    }

    fn get(&self, setting: Setting) -> Result<Option<(String, Place)>> {
        if let Some(text) = self.flags.get(setting) {
            return Ok(Some((text.to_owned(), Place::Flag(setting.flag()))));
        }
        let variable = setting.variable();
        // Containers and unit files pass on what is not set as an empty text: that is no value.
        if let Some(value) = (self.environment)(&variable).filter(|value| !value.is_empty()) {
            return match value.into_string() {
                Ok(text) => Ok(Some((text, Place::Variable(variable)))),
                Err(_) => Err(Error::invalid("environment variable is not valid UTF-8").with(VARIABLE, variable)),
            };
        }
        Ok(self.file.get(setting).map(|(text, place)| (text.to_owned(), Place::Setting(place))))
    }
}
