//! The job at the times of a schedule, until the program is told to stop.

mod server;
mod stop;
mod times;

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use moon_aggregate::{Aggregation, RunCommand, VerifyOptions};
use moon_core::{DayRange, Error, ErrorKind, Result};
use moon_settings::{ErrorReport, FLAG, HINT, SettingsArgs};

use self::stop::Stop;
use self::times::{Times, delay, retry_after};
use crate::args::ScheduleArgs;
use crate::metrics::Metrics;
use crate::output::instant;
use crate::progress::{Console, say};
use crate::{epoch, job, verify, wiring};

/// The longest sleep: a machine that was suspended, or whose clock was set, is late by no more.
const SLEEP_MAX: Duration = Duration::from_secs(20);

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Run,
    Verify,
}

/// Runs the job at the times of the schedule.
pub(crate) async fn schedule(settings: &SettingsArgs, args: &ScheduleArgs) -> Result<()> {
    let settings = wiring::settings(settings)?;
    let cron = args.cron.as_deref().or(settings.schedule_cron.as_deref()).ok_or_else(|| {
        Error::invalid("there is no schedule")
            .with(FLAG, "--cron")
            .with(HINT, "also MOON_SCHEDULE_CRON or schedule_cron")
    })?;
    let blamed = |text: &str, flag: &'static str, zone| Times::new(text, zone).map_err(|error| error.with(FLAG, flag));
    // Before any file is made; the zone may be the ledger's.
    for (text, flag) in [(Some(cron), "--cron"), (args.verify_cron.as_deref(), "--verify-cron")] {
        if let Some(text) = text {
            blamed(text, flag, chrono_tz::UTC)?;
        }
    }
    let stop = Stop::listen()?;
    let aggregation = wiring::open(&settings).await?;
    let zone = args.zone.unwrap_or(aggregation.ledger().settings().time_zone);
    let runs = blamed(cron, "--cron", zone)?;
    let verifications = args.verify_cron.as_deref().map(|text| blamed(text, "--verify-cron", zone)).transpose()?;
    let metrics = Arc::new(Metrics::of_schedule());
    if let Some(address) = args.listen.or(settings.listen) {
        server::serve(address, aggregation.clone(), Arc::clone(&metrics)).await?;
    }
    Schedule { aggregation, metrics, runs, verifications, stop, args }.keep().await
}

struct Schedule<'a> {
    aggregation: Aggregation,
    metrics: Arc<Metrics>,
    runs: Times,
    verifications: Option<Times>,
    stop: Stop,
    args: &'a ScheduleArgs,
}

impl Schedule<'_> {
    /// Works until it is told to stop.
    async fn keep(mut self) -> Result<()> {
        let published = self.aggregation.warehouse().read(DayRange::new(0, 0)).await?.run;
        let now = self.now();
        let mut run_due = self.runs.first_due(published.map(|record| record.started_at), now)?;
        let mut verify_due = self.verifications.as_ref().map(|times| times.next_after(now)).transpose()?;
        let mut failures = 0_u32;
        loop {
            let (work, due) = match verify_due.filter(|due| *due < run_due) {
                Some(due) => (Work::Verify, due),
                None => (Work::Run, run_due),
            };
            self.metrics.due(run_due);
            if due > self.now() {
                say(&format!("next: {} at {}", name(work), instant(due)));
            }
            let spread = delay(self.args.jitter, RandomState::new().hash_one(due));
            if !self.wait(due + spread).await {
                return Ok(());
            }
            let went = self.work(work).await?;
            let now = self.now();
            match work {
                Work::Verify => {
                    verify_due = self.verifications.as_ref().map(|times| times.next_after(now)).transpose()?
                }
                Work::Run => {
                    run_due = self.runs.next_after(now)?;
                    failures = if went { 0 } else { failures.saturating_add(1) };
                    if failures > 0 {
                        // A nightly run that fails shall not be missing until the next night.
                        run_due = run_due.min(now + retry_after(failures));
                    }
                }
            }
            if self.stop.is_told() {
                return Ok(());
            }
        }
    }

    fn now(&self) -> DateTime<Utc> {
        self.aggregation.ledger().clock().now()
    }

    /// Waits for an instant; `false` when told to stop first.
    async fn wait(&mut self, until: DateTime<Utc>) -> bool {
        loop {
            if self.stop.is_told() {
                return false;
            }
            let Ok(left) = (until - self.aggregation.ledger().clock().now()).to_std() else { return true };
            if left.is_zero() {
                return true;
            }
            tokio::select! {
                () = tokio::time::sleep(left.min(SLEEP_MAX)) => {}
                () = self.stop.told(1) => return false,
            }
        }
    }

    /// Does what is due and tells whether it went well.
    ///
    /// # Errors
    /// `Backend` when it was told twice to stop. A run that is left is repeated by the next one.
    async fn work(&mut self, work: Work) -> Result<bool> {
        let mut stop = self.stop.clone();
        let done = async {
            match work {
                Work::Run => self.run().await,
                Work::Verify => self.verify().await,
            }
        };
        tokio::select! {
            done = done => {
                if let Err(error) = &done {
                    say(&ErrorReport::new(error).to_string());
                }
                Ok(done.is_ok())
            }
            () = stop.told(2) => Err(Error::new(ErrorKind::Backend, "stopped at work")
                .with("work", name(work))
                .with(HINT, "the next run goes on where this one was left")),
        }
    }

    async fn run(&self) -> Result<()> {
        let command = RunCommand::incremental();
        let console = Console::of_run(&self.aggregation, &command).await;
        let ran = self.aggregation.run(&command, &self.args.how.options(false), &console).await;
        console.clear();
        self.metrics.ran(self.now(), &ran);
        for line in job::summary(&ran.map_err(epoch::advised)?) {
            say(&line);
        }
        Ok(())
    }

    async fn verify(&self) -> Result<()> {
        let found = verify::checked(&self.aggregation, &VerifyOptions::default()).await?;
        self.metrics.verified(self.now(), &found);
        verify::verdict(&found)?;
        say("what is published is as the source has it");
        Ok(())
    }
}

fn name(work: Work) -> &'static str {
    match work {
        Work::Run => "run",
        Work::Verify => "verify",
    }
}
