//! The schedule as a program, over real HTTP.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::common::{aggregator, json};
use crate::http::get;
use crate::ledger::{cancel, folder, now, tell};
use crate::servers::{Database, Server};

/// More than a machine with much to do takes.
const PATIENCE: Duration = Duration::from_secs(60);

struct Schedule {
    child: Child,
    said: Receiver<String>,
}

impl Schedule {
    fn start(folder: &Path, args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_aggregator"))
            .args(["schedule", "--listen", "127.0.0.1:0"])
            .args(args)
            .current_dir(folder)
            .env_clear()
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, said) = channel();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, said }
    }

    /// The first line with these words.
    fn hears(&self, words: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let line = self.said.recv_timeout(left).unwrap_or_else(|_| panic!("nobody said {words:?}"));
            if line.contains(words) {
                return line;
            }
        }
    }

    fn address(&self) -> String {
        self.hears("listening at http://").split("http://").nth(1).unwrap().to_owned()
    }

    fn terminate(mut self) -> i32 {
        // Every shell has a kill of its own; the program is not on every machine.
        let kill =
            Command::new("sh").args(["-c", "kill -s TERM \"$0\"", &self.child.id().to_string()]).status().unwrap();
        assert!(kill.success());
        self.child.wait().unwrap().code().unwrap()
    }
}

impl Drop for Schedule {
    fn drop(&mut self) {
        // One that has ended is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_was_missed_is_caught_up_once_and_health_and_metrics_are_served() {
    let folder = folder();
    // Nothing was ever published, so that it runs at once; the next time is far away.
    let schedule = Schedule::start(folder.path(), &["--cron", "0 0 29 2 *", "--zone", "Asia/Colombo"]);
    let address = schedule.address();
    schedule.hears(" published: 4 postings");
    let next = schedule.hears("next: run at ");
    assert!(next.contains("-02-28T18:30:00"), "midnight in Colombo: {next}");
    assert_eq!(get(&address, "/healthz").0, 200);
    assert_eq!(get(&address, "/readyz").0, 200);
    assert_eq!(get(&address, "/nothing").0, 404);
    tell(folder.path(), &[cancel("1", "2026-06-02", 20_000)]);
    let (status, text) = get(&address, "/metrics");
    assert_eq!(status, 200);
    for line in [
        "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8\r",
        "moon_aggregation_runs_total{outcome=\"published\"} 1",
        "moon_aggregation_runs_total{outcome=\"failed\"} 0",
        "moon_aggregation_last_run_rows 4",
        "moon_aggregation_last_run_days 28",
        "moon_aggregation_pending_days 2",
        "# EOF",
    ] {
        assert!(text.lines().any(|found| found == line.trim_end_matches('\r')), "{line}: {text}");
    }
    for name in ["published_age_seconds", "last_run_duration_seconds", "next_run_timestamp_seconds", "behind_seconds"] {
        assert!(text.contains(&format!("\nmoon_aggregation_{name} ")), "{name}: {text}");
    }
    assert_eq!(schedule.terminate(), 0);

    // Started again, it has nothing to catch up.
    let schedule = Schedule::start(folder.path(), &["--cron", "0 0 29 2 *"]);
    schedule.hears("next: run at ");
    assert_eq!(schedule.terminate(), 0);
    assert_eq!(json(&aggregator(folder.path(), &["status", "--format", "json"]))["runs"].as_array().unwrap().len(), 1);
}

#[test]
fn it_runs_when_it_is_due_and_verifies() {
    let folder = folder();
    aggregator(folder.path(), &["run"]);
    tell(folder.path(), &[cancel("1", "2026-06-02", 20_000)]);
    let crons = ["--cron", "* * * * * *", "--verify-cron", "* * * * * *", "--jitter", "10ms"];
    let schedule = Schedule::start(folder.path(), &crons);
    schedule.hears(" published: 2 postings from 2026-05-04 to 2026-06-02");
    schedule.hears("no day had changed");
    schedule.hears("what is published is as the source has it");
    assert_eq!(schedule.terminate(), 0);
    let status = json(&aggregator(folder.path(), &["status", "--format", "json"]));
    assert!(status["unfinished"].is_null() && status["lease_until"].is_null(), "{status}");
}

#[test]
fn a_run_that_cannot_be_made_is_said_and_tried_again_later() {
    let folder = folder();
    let schedule = Schedule::start(folder.path(), &["--cron", "0 0 29 2 *", "--deadline", "0s"]);
    let address = schedule.address();
    schedule.hears("run did not end within its deadline");
    schedule.hears("next: run at ");
    let (_, text) = get(&address, "/metrics");
    assert!(text.contains("moon_aggregation_runs_total{outcome=\"failed\"} 1\n"), "{text}");
    assert!(text.contains("moon_aggregation_last_run_success 0\n"), "{text}");
    assert_eq!(schedule.terminate(), 0);
}

#[test]
fn an_address_that_is_taken_is_an_error() {
    let folder = folder();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let run = aggregator(folder.path(), &["schedule", "--cron", "@daily", "--listen", &address]);
    assert_eq!(run.code, 2, "{}", run.err);
    assert!(run.err.contains("cannot listen at this address"), "{}", run.err);
}

/// A time of a schedule that is far away.
const YEARLY: &str = "0 0 1 1 *";

/// The small ledger, whose figures are published to a database of their own on a server.
fn published() -> (tempfile::TempDir, Database) {
    let folder = folder();
    let figures = now(Database::create(Server::Postgres));
    fs::write(folder.path().join("moon.toml"), format!("warehouse_url = {:?}\n", figures.url())).unwrap();
    assert_eq!(aggregator(folder.path(), &["run"]).code, 0);
    (folder, figures)
}

#[test]
fn what_a_verification_finds_is_in_the_metrics_and_a_lost_warehouse_is_not_ready() {
    if Server::Postgres.skipped() {
        return;
    }
    let (folder, figures) = published();
    now(figures.rows("UPDATE team_sales_daily SET net_sales = net_sales + 1 WHERE day = '2026-05-18'"));
    let schedule = Schedule::start(folder.path(), &["--cron", YEARLY, "--verify-cron", "* * * * * *"]);
    let address = schedule.address();
    schedule.hears("no change explains it");
    let (status, text) = get(&address, "/metrics");
    assert_eq!(status, 200);
    // The cell, and the hash of all that the run published.
    for line in [
        "moon_aggregation_verify_differences{kind=\"wrong\"} 2",
        "moon_aggregation_verify_differences{kind=\"pending\"} 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
    assert_eq!(get(&address, "/readyz").0, 200, "it is wrong, and it answers");

    drop(figures);
    assert_eq!(get(&address, "/readyz").0, 503);
    assert_eq!(get(&address, "/healthz").0, 200);
    assert_eq!(schedule.terminate(), 0);
}

#[test]
fn times_that_were_missed_are_caught_up_by_one_run() {
    if Server::Postgres.skipped() {
        return;
    }
    let (folder, figures) = published();
    // It last ran years ago, as far as the warehouse tells.
    now(figures.rows(
        "UPDATE warehouse_runs SET started_at = '2020-06-15T00:00:00Z',
            record = CAST(jsonb_set(CAST(record AS jsonb), '{started_at}', '\"2020-06-15T00:00:00Z\"') AS TEXT)",
    ));
    let runs = || json(&aggregator(folder.path(), &["status", "--format", "json"]))["runs"].as_array().unwrap().len();
    for round in ["caught up", "started again, there is nothing to catch up"] {
        let schedule = Schedule::start(folder.path(), &["--cron", YEARLY]);
        if round == "caught up" {
            schedule.hears(" published: 0 postings");
        }
        schedule.hears("next: run at ");
        assert_eq!(schedule.terminate(), 0);
        assert_eq!(runs(), 2, "{round}");
    }
}
