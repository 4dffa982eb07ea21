//! Reading key figures back from the warehouse.

use moon_core::{Error, ErrorKind, KpiQuery, KpiReport, Result};

use crate::Aggregation;

/// How often two reads are repeated that a run has come between.
const READS_MAX: u32 = 5;

impl Aggregation {
    /// The three key figures of a period as they are published, all from one run.
    ///
    /// # Errors
    /// `Corrupt` when the sums by team, branch and product differ; `Contention` when runs keep being published between
    /// the reads of the period and of the one a year before; those of the warehouse.
    pub async fn report(&self, query: &KpiQuery) -> Result<KpiReport> {
        let settings = self.ledger().settings();
        let days_before = query.days_year_before(settings.calendar);
        for _ in 0..READS_MAX {
            let published = self.warehouse().read(query.days()).await?;
            let before = match days_before {
                Some(days) => Some(self.warehouse().read(days).await?),
                None => None,
            };
            // Each read is a snapshot of its own; a run may have been published in between.
            if before.as_ref().is_none_or(|before| before.run == published.run) {
                return KpiReport::assemble(query, &published, before.as_ref(), settings.calendar, settings.currency);
            }
        }
        Err(Error::new(ErrorKind::Contention, "runs keep being published while the figures are read"))
    }
}
