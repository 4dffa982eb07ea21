//! From the flags to a job: settings, logging, ledger and warehouse.

use moon_aggregate::{AgentFigures, Aggregation};
use moon_core::{Calendar, Period, Result};
use moon_settings::{
    FLAG, Settings, SettingsArgs, init_logging, open_ledger, open_warehouse, read_ledger, read_warehouse,
};

/// Reads the settings and starts logging. No file is made.
pub(crate) fn settings(args: &SettingsArgs) -> Result<Settings> {
    let settings = Settings::load(args)?;
    init_logging(&settings)?;
    Ok(settings)
}

/// Opens the ledger and its warehouse, and makes or upgrades their tables where need be.
pub(crate) async fn open(settings: &Settings) -> Result<Aggregation> {
    let ledger = open_ledger(settings).await?;
    let warehouse = open_warehouse(settings, ledger.settings().currency).await?;
    Ok(with_agents(settings, Aggregation::new(ledger, warehouse)))
}

/// Opens both for a command that only reads: no file and no table is made, and the ledger refuses to write.
pub(crate) async fn read(settings: &Settings) -> Result<Aggregation> {
    let ledger = read_ledger(settings).await?;
    let warehouse = read_warehouse(settings, ledger.settings().currency).await?;
    Ok(with_agents(settings, Aggregation::new(ledger, warehouse)))
}

/// Figures of agents are switched on by a key for their pseudonyms.
fn with_agents(settings: &Settings, aggregation: Aggregation) -> Aggregation {
    match settings.pseudonym_key.clone() {
        Some(key) => aggregation.with_agent_figures(AgentFigures { key }),
        None => aggregation,
    }
}

/// The period behind an argument.
pub(crate) fn period(calendar: Calendar, argument: &str, text: &str) -> Result<Period> {
    calendar.parse(text).map_err(|error| error.with(FLAG, argument))
}

/// Checks the form of a period before any file is made. What one may look like does not depend on the fiscal year.
pub(crate) fn check_period(argument: &str, text: &str) -> Result<()> {
    period(Calendar::default(), argument, text).map(|_| ())
}
