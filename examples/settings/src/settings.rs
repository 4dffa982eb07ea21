//! The settings of a program.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use chrono_tz::Tz;
use moon_aggregate::PseudonymKey;
use moon_core::{Calendar, Error, LedgerOptions, Result};

use crate::args::SettingsArgs;
use crate::exit::HINT;
use crate::logging;
use crate::push::PushGatewayUrl;
use crate::resolve::{Layers, Setting};
use crate::url::{StoreUrl, store_url};

const DEFAULT_STORE_URL: &str = "sqlite:moon.db";
const DEFAULT_LOG: &str = "info";

/// What every program is told. `Debug` shows no password.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// Where sales are kept.
    pub store_url: StoreUrl,
    /// Where dashboards read; `None`: beside the store.
    pub warehouse_url: Option<StoreUrl>,
    /// What a new ledger is created with, and what an existing one must agree with. What is not given is the ledger's
    /// own: fixed when it was created, else the defaults of [`LedgerOptions`].
    pub ledger: LedgerOptions,
    /// What is logged, in the form of a `tracing_subscriber::EnvFilter`.
    pub log: String,
    /// Where a program serves HTTP. The program's own flag wins.
    pub listen: Option<SocketAddr>,
    /// When the aggregator's schedule runs, in the form of cron. The program's own flag wins.
    pub schedule_cron: Option<String>,
    /// Where a job leaves its metrics as a text file. The program's own flag wins.
    pub metrics_file: Option<PathBuf>,
    /// The Pushgateway that a job tells its metrics. The program's own flag wins.
    pub push_gateway: Option<PushGatewayUrl>,
    /// What the pseudonyms of agents are made with; `None`: no figures of agents are published.
    pub pseudonym_key: Option<PseudonymKey>,
}

impl Settings {
    /// Reads the settings: flags win over the environment (`MOON_...`; an empty variable is none), the environment over
    /// the settings file (`--config`, else `moon.toml` in the working directory where there is one), the file over the
    /// defaults.
    ///
    /// # Errors
    /// `InvalidInput` and `Unsupported`, naming the flag, the variable or the key and its file; [`exit_code`] makes
    /// wrong usage of them. `Unavailable` when a settings file is there but cannot be read.
    ///
    /// [`exit_code`]: crate::exit_code
    pub fn load(args: &SettingsArgs) -> Result<Self> {
        Self::load_from(args, &|variable| std::env::var_os(variable), Path::new(""))
    }

    /// [`load`](Self::load) with the environment and the working directory as arguments.
    fn load_from(args: &SettingsArgs, environment: &dyn Fn(&str) -> Option<OsString>, folder: &Path) -> Result<Self> {
        let layers = Layers::open(args, environment, folder)?;
        Ok(Self {
            store_url: match layers.read(Setting::StoreUrl, store_url)? {
                Some(url) => url,
                None => DEFAULT_STORE_URL.parse()?,
            },
            warehouse_url: layers.read(Setting::WarehouseUrl, str::parse)?,
            ledger: LedgerOptions {
                currency: layers.read(Setting::Currency, str::parse)?,
                time_zone: layers.read(Setting::TimeZone, time_zone)?,
                calendar: layers.read(Setting::FiscalYearStart, calendar)?,
            },
            log: layers.read(Setting::Log, log)?.unwrap_or_else(|| DEFAULT_LOG.to_owned()),
            listen: layers.read(Setting::Listen, listen)?,
            schedule_cron: layers.read(Setting::ScheduleCron, |text| Ok(text.to_owned()))?,
            metrics_file: layers.read(Setting::MetricsFile, |text| Ok(PathBuf::from(text)))?,
            push_gateway: layers.read(Setting::PushGateway, str::parse)?,
            pseudonym_key: layers.read(Setting::PseudonymKey, pseudonym_key)?,
        })
    }

    /// Where dashboards read: the warehouse's own URL, else the store's.
    #[must_use]
    pub fn warehouse_url(&self) -> &StoreUrl {
        self.warehouse_url.as_ref().unwrap_or(&self.store_url)
    }
}

fn time_zone(text: &str) -> Result<Tz> {
    text.parse().map_err(|_| {
        Error::invalid("time zone is not in the tz database")
            .with("time_zone", format_args!("{text:?}"))
            .with(HINT, "a time zone has a name such as Asia/Colombo")
    })
}

fn calendar(text: &str) -> Result<Calendar> {
    let month = text.parse().map_err(|_| {
        Error::invalid("fiscal year must start in a month from 1 to 12").with("month", format_args!("{text:?}"))
    })?;
    Calendar::new(month)
}

fn listen(text: &str) -> Result<SocketAddr> {
    text.parse().map_err(|_| {
        Error::invalid("address is not of the form ADDRESS:PORT").with("address", format_args!("{text:?}"))
    })
}

/// The key itself, or `file:` and the path of a file that holds it; line ends behind it are no part of it.
fn pseudonym_key(text: &str) -> Result<PseudonymKey> {
    let Some(path) = text.strip_prefix("file:") else { return PseudonymKey::new(text.as_bytes()) };
    let bytes = std::fs::read(path).map_err(|cause| {
        Error::invalid("file of the pseudonym key cannot be read").with("file", path).caused_by(cause)
    })?;
    let end = bytes.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |last| last + 1);
    PseudonymKey::new(bytes.get(..end).unwrap_or_default()).map_err(|error| error.with("file", path))
}

fn log(text: &str) -> Result<String> {
    logging::filter(text).map(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use clap::Parser;
    use moon_core::{Currency, ErrorKind};

    use super::*;
    use crate::exit_code;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        settings: SettingsArgs,
    }

    /// Settings from flags, variables and the text of a `moon.toml`.
    fn load(flags: &[&str], variables: &[(&str, &str)], file: Option<&str>) -> Result<Settings> {
        let folder = tempfile::tempdir().unwrap();
        if let Some(text) = file {
            fs::write(folder.path().join("moon.toml"), text).unwrap();
        }
        let args = Program::try_parse_from([&["program"], flags].concat()).unwrap().settings;
        let environment =
            |wanted: &str| variables.iter().find(|(name, _)| *name == wanted).map(|(_, value)| OsString::from(value));
        Settings::load_from(&args, &environment, folder.path())
    }

    #[test]
    fn the_defaults() {
        let settings = load(&[], &[], None).unwrap();
        assert_eq!(settings.store_url.expose(), "sqlite:moon.db");
        assert_eq!(settings.warehouse_url, None);
        assert_eq!(settings.warehouse_url(), &settings.store_url);
        assert_eq!(settings.ledger, LedgerOptions::default());
        assert_eq!(settings.log, "info");
    }

    #[test]
    fn flags_win_over_variables_over_the_file_over_defaults() {
        let file = "currency = \"EUR\"\n";
        let variables = [("MOON_CURRENCY", "USD")];
        let currency = |flags: &[&str], variables: &[(&str, &str)], file| {
            load(flags, variables, file).unwrap().ledger.currency.map_or("none", Currency::code)
        };
        assert_eq!(currency(&["--currency", "JPY"], &variables, Some(file)), "JPY");
        assert_eq!(currency(&[], &variables, Some(file)), "USD");
        assert_eq!(currency(&[], &[("MOON_CURRENCY", "")], Some(file)), "EUR");
        assert_eq!(currency(&[], &[], Some("")), "none");
    }

    #[test]
    fn every_setting_can_be_given_in_every_way() {
        let values = [
            ("store_url", "memory:"),
            ("warehouse_url", "sqlite:w.db"),
            ("currency", "JPY"),
            ("time_zone", "Europe/Berlin"),
            ("fiscal_year_start", "4"),
            ("log", "warn,sqlx=error"),
            ("listen", "0.0.0.0:80"),
            ("schedule_cron", "30 18 * * *"),
            ("metrics_file", "moon.prom"),
            ("push_gateway", "http://gateway:9091"),
            ("pseudonym_key", KEY),
        ];
        assert_eq!(values.map(|(name, _)| name), Setting::ALL.map(Setting::name));
        let flags: Vec<String> =
            values.iter().take(6).map(|(name, value)| format!("--{}={value}", name.replace('_', "-"))).collect();
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let variables = values.map(|(name, value)| (format!("MOON_{}", name.to_uppercase()), value));
        let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let file: String = values.iter().map(|(name, value)| format!("{name} = {value:?}\n")).collect();

        let by_flags = load(&flags, &[], None).unwrap();
        assert_eq!(by_flags.warehouse_url().expose(), "sqlite:w.db");
        let ledger = LedgerOptions {
            currency: Some("JPY".parse().unwrap()),
            time_zone: Some(chrono_tz::Europe::Berlin),
            calendar: Some(Calendar::new(4).unwrap()),
        };
        assert_eq!((by_flags.ledger, by_flags.log.as_str()), (ledger, "warn,sqlx=error"));
        let by_variables = load(&[], &variables, None).unwrap();
        assert_eq!(load(&[], &[], Some(&file)).unwrap(), by_variables);
        // What the programs have flags of their own for.
        assert_eq!(by_variables.listen.map(|address| address.port()), Some(80));
        assert_eq!(by_variables.schedule_cron.as_deref(), Some("30 18 * * *"));
        assert_eq!(by_variables.metrics_file.as_deref(), Some(Path::new("moon.prom")));
        assert_eq!(by_variables.push_gateway.as_ref().map(PushGatewayUrl::expose), Some("http://gateway:9091"));
        assert_eq!(by_variables.pseudonym_key, Some(PseudonymKey::new(KEY.as_bytes()).unwrap()));
        let shared = Settings {
            listen: None,
            schedule_cron: None,
            metrics_file: None,
            push_gateway: None,
            pseudonym_key: None,
            ..by_variables
        };
        assert_eq!(shared, by_flags);
    }

    const KEY: &str = "geheim-geheim-geheim-geheim-0123456789";

    #[test]
    fn a_pseudonym_key_stands_in_a_file_too_and_shows_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let value = format!("file:{}", path.display());
        let given = || load(&[], &[("MOON_PSEUDONYM_KEY", &value)], None);
        let missing = given().unwrap_err();
        fs::write(&path, format!("{KEY}\r\n")).unwrap();
        let settings = given().unwrap();
        assert_eq!(settings.pseudonym_key, Some(PseudonymKey::new(KEY.as_bytes()).unwrap()));
        fs::write(&path, "geheim\n").unwrap();
        let short = [given().unwrap_err(), load(&[], &[("MOON_PSEUDONYM_KEY", "geheim")], None).unwrap_err(), missing];
        for error in &short {
            assert_eq!(exit_code(error), 2, "{error}");
            assert!(error.to_string().contains("variable: MOON_PSEUDONYM_KEY"), "{error}");
        }
        assert!(!format!("{settings:?} {short:?}").contains("geheim"), "{settings:?} {short:?}");
    }

    #[test]
    fn a_bad_value_names_its_place_and_is_wrong_usage() {
        let cases = [
            (load(&["--currency", "XYZ"], &[], None), "flag: --currency"),
            (load(&[], &[("MOON_TIME_ZONE", "+05:30")], None), "variable: MOON_TIME_ZONE"),
            (load(&[], &[], Some("fiscal_year_start = 13")), "setting: fiscal_year_start in "),
            (load(&["--fiscal-year-start", "May"], &[], None), "flag: --fiscal-year-start"),
            (load(&["--log", "=loud="], &[], None), "flag: --log"),
            (load(&["--store-url", "redshift://db/moon"], &[], None), "flag: --store-url"),
            (load(&["--store-url", "postgres:db"], &[], None), "flag: --store-url"),
            (load(&["--warehouse-url", "mysql:moon"], &[], None), "flag: --warehouse-url"),
            (load(&[], &[("MOON_WAREHOUSE_URL", "moon.db")], None), "variable: MOON_WAREHOUSE_URL"),
            (load(&["--config", "there-is-no-such-file.toml"], &[], None), "flag: --config"),
            (load(&[], &[], Some("listen = \"x\"")), "setting: listen in "),
            (load(&[], &[], Some("lisen = \"x\"")), "setting: lisen in "),
            (load(&[], &[("MOON_PUSH_GATEWAY", "gateway")], None), "variable: MOON_PUSH_GATEWAY"),
        ];
        for (result, place) in cases {
            let error = result.unwrap_err();
            assert!(error.to_string().contains(place), "{error}");
            assert_eq!(exit_code(&error), 2, "{error}");
        }
    }

    #[test]
    fn a_named_file_replaces_the_default_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.toml");
        fs::write(&path, "currency = \"EUR\"").unwrap();
        let path = path.to_str().unwrap();
        let settings = load(&["--config", path], &[], Some("currency = \"USD\"\nlog = \"debug\"")).unwrap();
        assert_eq!(settings.ledger.currency.map(Currency::code), Some("EUR"));
        assert_eq!(settings.log, "info");
    }

    #[test]
    #[cfg(unix)]
    fn a_variable_that_is_no_text_is_refused() {
        use std::os::unix::ffi::OsStringExt as _;
        let environment = |name: &str| (name == "MOON_LOG").then(|| OsString::from_vec(vec![0xff]));
        let folder = tempfile::tempdir().unwrap();
        let error = Settings::load_from(&SettingsArgs::default(), &environment, folder.path()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("MOON_LOG"), "{error}");
    }

    #[test]
    fn a_password_shows_nowhere() {
        for url in ["redshift://me:geheim@db/moon", "oracle://me:geheim@db/moon", "postgres:me:geheim@db"] {
            let flags = ["--store-url", url];
            let args = Program::try_parse_from([&["program"], &flags[..]].concat()).unwrap();
            assert!(!format!("{args:?}").contains("geheim"), "{args:?}");
            let error = load(&flags, &[], None).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("geheim"), "{error:?}");
        }
        for url in ["sqlite:moon.db?password=geheim", "postgres://me:geheim@db/moon", "mysql://me:geheim@db/moon"] {
            let settings = load(&["--store-url", url], &[], None).unwrap();
            assert!(!format!("{settings:?}").contains("geheim"), "{settings:?}");
        }
    }
}
