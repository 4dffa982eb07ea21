//! Which value of a setting wins, and where it came from.

use std::ffi::OsString;
use std::path::Path;

use moon_core::{Error, Result};

use crate::args::SettingsArgs;
use crate::exit::{FLAG, HINT, SETTING, VARIABLE};
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
}

impl Setting {
    /// All of them, in the order in which they are explained.
    pub(crate) const ALL: [Self; 6] =
        [Self::StoreUrl, Self::WarehouseUrl, Self::Currency, Self::TimeZone, Self::FiscalYearStart, Self::Log];

    /// The key in the settings file.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::StoreUrl => "store_url",
            Self::WarehouseUrl => "warehouse_url",
            Self::Currency => "currency",
            Self::TimeZone => "time_zone",
            Self::FiscalYearStart => "fiscal_year_start",
            Self::Log => "log",
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

    /// The value where none is given; `None`: there may be none.
    fn default(self) -> Option<&'static str> {
        match self {
            Self::StoreUrl => Some("sqlite:moon.db"),
            Self::WarehouseUrl => None,
            Self::Currency => Some("LKR"),
            Self::TimeZone => Some("Asia/Colombo"),
            Self::FiscalYearStart => Some("1"),
            Self::Log => Some("info"),
        }
    }
}

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Flag(String),
    Variable(String),
    Setting(String),
    Default(&'static str),
}

/// The text of a setting, with the place that it came from.
#[derive(Debug)]
pub(crate) struct Sourced {
    text: String,
    place: Place,
}

impl Sourced {
    /// Reads the text; an error names the place.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&str) -> Result<T>) -> Result<T> {
        read(&self.text).map_err(|error| match &self.place {
            Place::Flag(flag) => error.with(FLAG, flag),
            Place::Variable(variable) => error.with(VARIABLE, variable),
            Place::Setting(setting) => error.with(SETTING, setting),
            Place::Default(name) => error.with(SETTING, format_args!("the default of {name}")),
        })
    }
}

/// The layers of settings, the strongest first: flags, environment, file, defaults.
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

    /// The winning value of a setting; `None` when nobody gave one and it has no default.
    pub(crate) fn get(&self, setting: Setting) -> Result<Option<Sourced>> {
        let sourced = |text: &str, place| Ok(Some(Sourced { text: text.to_owned(), place }));
        if let Some(text) = self.flags.get(setting) {
            return sourced(text, Place::Flag(setting.flag()));
        }
        let variable = setting.variable();
        // Containers and unit files pass on what is not set as an empty text: that is no value.
        if let Some(value) = (self.environment)(&variable).filter(|value| !value.is_empty()) {
            let text = value
                .to_str()
                .ok_or_else(|| Error::invalid("environment variable is not valid UTF-8").with(VARIABLE, &variable))?;
            return sourced(text, Place::Variable(variable));
        }
        if let Some((text, place)) = self.file.get(setting) {
            return sourced(text, Place::Setting(place));
        }
        setting.default().map_or(Ok(None), |text| sourced(text, Place::Default(setting.name())))
    }

    /// The winning value of a setting that has a default.
    pub(crate) fn require(&self, setting: Setting) -> Result<Sourced> {
        self.get(setting)?.ok_or_else(|| {
            Error::invalid("setting has no value")
                .with(SETTING, setting.name())
                .with(HINT, format_args!("give {} or set {}", setting.flag(), setting.variable()))
        })
    }
}
