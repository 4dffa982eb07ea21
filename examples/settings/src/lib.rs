//! Settings and wiring shared by the example programs: what a program is told (flags over environment over `moon.toml`
//! over defaults), which store and warehouse follow from it, how it logs, and how it ends.
//!
//! ```
//! use clap::Parser;
//! use moon_settings::{Settings, SettingsArgs};
//!
//! #[derive(Debug, Parser)]
//! struct Program {
//!     #[command(flatten)]
//!     settings: SettingsArgs,
//! }
//!
//! let program = Program::parse_from(["program", "--store-url", "memory:", "--currency", "EUR"]);
//! let settings = Settings::load(&program.settings)?;
//! assert_eq!(settings.ledger.currency.map(|currency| currency.code()), Some("EUR"));
//! # Ok::<(), moon_core::Error>(())
//! ```

mod args;
mod exit;
mod file;
mod logging;
mod pause;
mod push;
mod reading;
mod resolve;
mod settings;
mod url;
mod wiring;

pub use args::SettingsArgs;
pub use exit::{ErrorReport, FLAG, HINT, SETTING, VARIABLE, exit_code, finish};
pub use logging::init_logging;
pub use pause::GrowingPause;
pub use push::PushGatewayUrl;
pub use reading::{read_ledger, read_warehouse};
pub use settings::Settings;
pub use url::{Backend, StoreUrl};
pub use wiring::{open_ledger, open_store, open_warehouse};
