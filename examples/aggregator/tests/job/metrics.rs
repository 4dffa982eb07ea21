//! Metrics of a job that ends.

use std::fs;

use crate::common::aggregator;
use crate::http::serve_once;
use crate::ledger::{cancel, folder, tell};

/// The value of a metric.
fn value(text: &str, name: &str) -> Option<i64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
    line.parse().ok()
}

#[test]
fn a_file_and_a_gateway_learn_how_the_job_went() {
    let folder = folder();
    let (address, request) = serve_once("200 OK");
    let gateway = format!("http://{address}/");
    let run = aggregator(folder.path(), &["run", "--metrics-file", "moon.prom", "--push-gateway", &gateway]);
    assert_eq!(run.code, 0, "{}", run.err);
    let text = fs::read_to_string(folder.path().join("moon.prom")).unwrap();
    let of = |name: &str| value(&text, &format!("moon_aggregation_{name}"));
    assert_eq!(
        (of("last_run_success"), of("last_run_rows"), of("last_run_cells")),
        (Some(1), Some(4), Some(12)),
        "{text}"
    );
    assert_eq!((of("last_run_days"), of("behind_seconds")), (Some(28), Some(0)), "{text}");
    assert_eq!(of("pending_marks{state=\"open\"}"), Some(0), "{text}");
    assert!(of("published_timestamp_seconds").unwrap() > 1_700_000_000, "{text}");
    let request = request.join().unwrap();
    assert!(request.starts_with("PUT /metrics/job/moon_aggregator HTTP/1.1\r\n"), "{request}");
    assert!(request.ends_with(&text), "{request}");
}

#[test]
fn a_gateway_that_does_not_take_them_is_no_failure_of_the_job() {
    let folder = folder();
    let (address, request) = serve_once("500 Internal Server Error");
    // The settings file names both; nobody listens there a second time.
    let settings = format!("push_gateway = \"http://me:geheim@{address}\"\nmetrics_file = \"no/such/folder.prom\"\n");
    fs::write(folder.path().join("moon.toml"), settings).unwrap();
    for round in 0..2 {
        let run = aggregator(folder.path(), &["run"]);
        assert_eq!(run.code, 0, "{}", run.err);
        assert_eq!(run.err.matches("metrics are lost").count(), 2, "{round}: {}", run.err);
        assert!(!run.err.contains("geheim"), "{}", run.err);
    }
    request.join().unwrap();
}

#[test]
fn a_run_that_fails_is_told_too() {
    let folder = folder();
    aggregator(folder.path(), &["run"]);
    let many: Vec<_> = (0..4).map(|number| cancel(["1", "2", "3", "4"][number], "2026-06-02", 1)).collect();
    tell(folder.path(), &many[..1]);
    let failed = aggregator(folder.path(), &["run", "--deadline", "0s", "--metrics-file", "moon.prom"]);
    assert_eq!((failed.code, failed.out.as_str()), (1, ""), "{}", failed.err);
    assert!(failed.err.contains("deadline"), "{}", failed.err);
    let text = fs::read_to_string(folder.path().join("moon.prom")).unwrap();
    assert_eq!(value(&text, "moon_aggregation_last_run_success"), Some(0), "{text}");
    assert_eq!(value(&text, "moon_aggregation_pending_days"), Some(2), "{text}");
}
