//! Metrics of the job: served, left in a file, or told to a Pushgateway.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::time::Duration;

use chrono::{DateTime, Utc};
use moon_aggregate::{Aggregation, RunReport, Verification};
use moon_core::{Error, ErrorKind, Result};
use moon_settings::{ErrorReport, PushGatewayUrl};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::progress::say;

/// What the metrics are called by whoever scrapes them.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// How long a Pushgateway may take.
const PUSH_TIMEOUT: Duration = Duration::from_secs(10);

type Labels = [(&'static str, &'static str); 1];
type Whole = Gauge<i64, AtomicI64>;
type Seconds = Gauge<f64, AtomicU64>;

/// All metrics of the job; `docs/aggregator.md` lists them.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    runs: Family<Labels, Counter>,
    success: Whole,
    ended: Whole,
    duration: Seconds,
    rows: Whole,
    days: Whole,
    cells: Whole,
    restatements: Whole,
    published: Whole,
    age: Whole,
    marks: Family<Labels, Whole>,
    pending_days: Whole,
    behind: Whole,
    differences: Family<Labels, Whole>,
    verified: Whole,
    next_run: Whole,
}

impl Metrics {
    /// Of one run of a job that ends: nothing is counted over runs.
    pub(crate) fn of_job() -> Self {
        Self::new(false)
    }

    /// Of a program that stays.
    pub(crate) fn of_schedule() -> Self {
        Self::new(true)
    }

    fn new(stays: bool) -> Self {
        let mut registry = Registry::with_prefix("moon_aggregation");
        let runs = Family::<Labels, Counter>::default();
        let differences = Family::<Labels, Whole>::default();
        let (verified, next_run) = (Whole::default(), Whole::default());
        if stays {
            registry.register("runs", "Runs by outcome", runs.clone());
            for outcome in ["published", "refused", "failed"] {
                drop(runs.get_or_create(&[("outcome", outcome)]));
            }
            registry.register("next_run_timestamp_seconds", "When the next run is due", next_run.clone());
            registry.register(
                "verify_differences",
                "Differences that the last verification found: wrong, or pending",
                differences.clone(),
            );
            registry.register("verify_timestamp_seconds", "When the last verification ended", verified.clone());
        }
        let mut whole = |name: &str, help: &str| {
            let gauge = Whole::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        let success = whole("last_run_success", "Whether the last run published: 1, else 0");
        let ended = whole("last_run_timestamp_seconds", "When the last run ended, whatever came of it");
        let rows = whole("last_run_rows", "Postings that the last published run read");
        let days = whole("last_run_days", "Length of the range that the last published run computed, in days");
        let cells = whole("last_run_cells", "Daily figures that the last published run wrote");
        let restatements = whole("last_run_restatements", "Figures of closed periods that the last run changed");
        let published = whole("published_timestamp_seconds", "When the figures that readers see were published");
        let age = whole("published_age_seconds", "How long ago that was");
        let pending_days = whole("pending_days", "Days that have changed since");
        let behind = whole("behind_seconds", "Age of the oldest change that is not published; 0 when there is none");
        let duration = Seconds::default();
        registry.register("last_run_duration_seconds", "How long the last published run took", duration.clone());
        let marks = Family::<Labels, Whole>::default();
        registry.register("pending_marks", "Marks of changes that are not published, by state", marks.clone());
        Self {
            registry,
            runs,
            success,
            ended,
            duration,
            rows,
            days,
            cells,
            restatements,
            published,
            age,
            marks,
            pending_days,
            behind,
            differences,
            verified,
            next_run,
        }
    }

    /// Notes how a run ended.
    pub(crate) fn ran(&self, now: DateTime<Utc>, ran: &Result<RunReport>) {
        self.ended.set(now.timestamp());
        self.success.set(ran.is_ok().into());
        let outcome = match ran {
            Ok(_) => "published",
            Err(error) if error.kind() == ErrorKind::Refused => "refused",
            Err(_) => "failed",
        };
        self.runs.get_or_create(&[("outcome", outcome)]).inc();
        if let Ok(report) = ran {
            let record = &report.record;
            self.duration.set((record.finished_at - record.started_at).to_std().unwrap_or_default().as_secs_f64());
            self.rows.set(whole(record.rows_read));
            self.days.set(whole(record.days.len()));
            self.cells.set(whole(record.manifest.cells));
            self.restatements.set(whole(report.restatements));
        }
    }

    /// Notes what a verification found.
    pub(crate) fn verified(&self, now: DateTime<Utc>, found: &Verification) {
        self.verified.set(now.timestamp());
        self.differences.get_or_create(&[("kind", "wrong")]).set(whole(found.wrong));
        self.differences.get_or_create(&[("kind", "pending")]).set(whole(found.pending));
    }

    /// Notes when the next run is due.
    pub(crate) fn due(&self, at: DateTime<Utc>) {
        self.next_run.set(at.timestamp());
    }

    /// Looks how things stand. What cannot be learnt stays as it was.
    pub(crate) async fn refresh(&self, aggregation: &Aggregation) {
        match aggregation.status(1).await {
            Ok(status) => {
                if let Some(record) = &status.published {
                    self.published.set(record.finished_at.timestamp());
                }
                if let Some(age) = status.age() {
                    self.age.set(age.num_seconds());
                }
                self.marks.get_or_create(&[("state", "open")]).set(whole(status.marks.open));
                self.marks.get_or_create(&[("state", "claimed")]).set(whole(status.marks.claimed));
                self.pending_days.set(whole(status.days.len()));
                self.behind.set(status.behind().num_seconds());
            }
            Err(error) => tracing::warn!(error = %error, "cannot tell how things stand"),
        }
    }

    /// All of them in the text form of OpenMetrics.
    pub(crate) fn text(&self) -> Result<String> {
        let mut text = String::new();
        encode(&mut text, &self.registry)
            .map_err(|cause| Error::new(ErrorKind::Backend, "write metrics").caused_by(cause))?;
        Ok(text)
    }
}

fn whole(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// Where a job that ends leaves its metrics.
pub(crate) struct Targets<'a> {
    pub(crate) file: Option<&'a PathBuf>,
    pub(crate) gateway: Option<&'a PushGatewayUrl>,
}

impl Targets<'_> {
    pub(crate) fn none(&self) -> bool {
        self.file.is_none() && self.gateway.is_none()
    }

    /// Leaves them there. What goes wrong is said, and changes nothing about the job.
    pub(crate) async fn tell(&self, metrics: &Metrics) {
        let text = match metrics.text() {
            Ok(text) => text,
            Err(error) => return complain(&error),
        };
        if let Some(path) = self.file
            && let Err(error) = replace(path, &text)
        {
            complain(&error);
        }
        if let Some(gateway) = self.gateway
            && let Err(error) = push(gateway, text).await
        {
            complain(&error);
        }
    }
}

fn complain(error: &Error) {
    say(&format!("metrics are lost: {}", ErrorReport::new(error)));
}

/// Writes a file in one piece: whoever reads it sees the old text or the new one.
fn replace(path: &Path, text: &str) -> Result<()> {
    let fail = |cause| Error::new(ErrorKind::Backend, "write metrics").with("file", path.display()).caused_by(cause);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let draft = path.with_file_name(name);
    let replaced = fs::write(&draft, text).and_then(|()| fs::rename(&draft, path));
    if replaced.is_err() {
        // What is left of a failed attempt is of no use to anybody.
        let _ = fs::remove_file(&draft);
    }
    replaced.map_err(fail)
}

/// Replaces what the gateway holds of this job.
async fn push(gateway: &PushGatewayUrl, text: String) -> Result<()> {
    // The cause may quote the URL, and with it a password.
    let fail = |cause: reqwest::Error| {
        Error::new(ErrorKind::Unavailable, "push metrics").with("gateway", gateway).caused_by(cause.without_url())
    };
    let client = reqwest::Client::builder().timeout(PUSH_TIMEOUT).build().map_err(fail)?;
    let request = client
        .put(format!("{}/metrics/job/moon_aggregator", gateway.expose()))
        .header("content-type", "text/plain; version=0.0.4; charset=utf-8")
        .body(text);
    request.send().await.and_then(reqwest::Response::error_for_status).map_err(fail)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_in_one_piece_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("moon.prom");
        for text in ["one\n", "two\n"] {
            replace(&path, text).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(replace(&folder.path().join("no/such/folder.prom"), "x").is_err());
    }

    #[test]
    fn a_job_that_ends_counts_nothing() {
        let refused = Err(Error::new(ErrorKind::Refused, "the law does not hold"));
        let job = Metrics::of_job();
        job.ran("2026-03-01T00:00:00Z".parse().unwrap(), &refused);
        let text = job.text().unwrap();
        assert!(text.contains("\nmoon_aggregation_last_run_success 0\n"), "{text}");
        assert!(text.contains("\nmoon_aggregation_last_run_timestamp_seconds 1772323200\n"), "{text}");
        assert!(!text.contains("runs_total"), "{text}");
        let schedule = Metrics::of_schedule();
        schedule.ran("2026-03-01T00:00:00Z".parse().unwrap(), &refused);
        let text = schedule.text().unwrap();
        assert!(text.contains("moon_aggregation_runs_total{outcome=\"refused\"} 1\n"), "{text}");
        assert!(text.contains("moon_aggregation_runs_total{outcome=\"published\"} 0\n"), "{text}");
    }
}
