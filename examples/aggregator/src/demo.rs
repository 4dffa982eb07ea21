//! Filling an empty ledger with generated data.

use moon_core::{
    BusinessDate, Error, ErrorKind, Expected, Ledger, PageRequest, Record, RecordKey, Result, SaleQuery, TxMode,
    Version,
};
use moon_datagen::{Plan, populate};
use moon_settings::HINT;
use serde::{Deserialize, Serialize};

use crate::grid::grouped;
use crate::progress::{Console, say};

/// What the ledger keeps about it, so that a second call, on whatever day, goes on with the same history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Filling {
    /// The day on which the history ends.
    last_day: BusinessDate,
    /// Whether all of it is there.
    complete: bool,
}

fn key() -> RecordKey {
    RecordKey::new("demo", "history")
}

/// Fills the ledger with a generated history that ends today. One that was filled before is left as it is; one that was
/// filled in part is completed.
///
/// # Errors
/// `Refused` when the ledger has sales of its own; those of the store.
pub(crate) async fn fill(ledger: &Ledger) -> Result<()> {
    let (filling, version) = begin(ledger).await?;
    if filling.complete {
        say("the ledger holds generated data already");
        return Ok(());
    }
    let plan = Plan::demo().ending_on(filling.last_day)?;
    let console = Console::new();
    let filled = populate(ledger, &plan, |progress| {
        console.show(|| {
            let (sales, of) = (progress.sales.to_string(), progress.sales_planned.to_string());
            format!("generating: {} of {} sales, up to {}", grouped(&sales), grouped(&of), progress.day)
        });
    })
    .await;
    console.clear();
    let filled = filled?;
    let mut unit = ledger.store().begin(TxMode::ReadWrite).await?;
    let record = record(Filling { complete: true, ..filling }, version.next())?;
    unit.records().put(&record, Expected::Version(version)).await?;
    unit.commit().await?;
    say(&format!(
        "generated {} sales by {} agents from {} to {}",
        grouped(&filled.arrived.sales.to_string()),
        grouped(&filled.agents.to_string()),
        plan.first_day,
        filling.last_day
    ));
    Ok(())
}

/// What was begun before, or else is begun now.
async fn begin(ledger: &Ledger) -> Result<(Filling, Version)> {
    let mut unit = ledger.store().begin(TxMode::ReadWrite).await?;
    if let Some(record) = unit.records().get(&key()).await? {
        let filling = serde_json::from_value(record.value).map_err(|cause| {
            Error::new(ErrorKind::Corrupt, "the record of the generated data cannot be read").caused_by(cause)
        })?;
        return Ok((filling, record.version));
    }
    if !unit.sales().list(&SaleQuery::default(), &PageRequest::first(1)).await?.items.is_empty() {
        return Err(Error::new(ErrorKind::Refused, "the ledger has sales of its own; only an empty one is filled")
            .with(HINT, "leave --demo out, or name another store with --store-url"));
    }
    let filling = Filling { last_day: ledger.today()?, complete: false };
    unit.records().put(&record(filling, Version::FIRST)?, Expected::Absent).await?;
    unit.commit().await?;
    Ok((filling, Version::FIRST))
}

fn record(filling: Filling, version: Version) -> Result<Record> {
    let value = serde_json::to_value(filling).map_err(|cause| {
        Error::new(ErrorKind::Corrupt, "cannot write the record of the generated data").caused_by(cause)
    })?;
    Ok(Record { key: key(), value, expires_at: None, version })
}
