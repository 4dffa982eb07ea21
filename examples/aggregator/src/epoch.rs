//! What `new-epoch` does: the way on after the ledger was restored from a backup.

use moon_core::{Actor, Error, Result};
use moon_settings::{FLAG, HINT, SettingsArgs};
use serde_json::json;

use crate::args::{Format, NewEpochArgs};
use crate::output::{csv_line, line, print};
use crate::wiring;

/// Begins a new epoch of runs.
pub(crate) async fn new_epoch(settings: &SettingsArgs, args: &NewEpochArgs) -> Result<()> {
    let settings = wiring::settings(settings)?;
    let actor = Actor::new(&args.actor).map_err(|error| error.with(FLAG, "--actor"))?;
    let epoch = wiring::open(&settings).await?.start_epoch(&actor).await?;
    print(&match args.format.format {
        Format::Table => format!("Epoch {epoch} has begun; the next run computes everything and publishes it\n"),
        Format::Json => line(&json!({ "epoch": epoch })),
        Format::Csv => {
            let mut out = String::new();
            csv_line(&mut out, &["epoch"]);
            csv_line(&mut out, &[&epoch.to_string()]);
            out
        }
    })
}

/// The error of a run, with the way on for a ledger that was restored.
pub(crate) fn advised(error: Error) -> Error {
    if error.context().any(|(key, _)| key == "published_epoch") {
        return error.with(HINT, "if the ledger was restored from a backup, new-epoch is the way on; see its --help");
    }
    error
}
