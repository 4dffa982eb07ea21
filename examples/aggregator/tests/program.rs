//! The program as its users meet it.
#![expect(clippy::unwrap_used, reason = "a test stops at what it cannot read")]

mod common;

use std::fs;
use std::sync::Arc;

use common::{aggregator, json, sums};
use moon_core::{
    Actor, Amount, Ledger, LedgerOptions, MessageBody, Name, Product, ProductCode, PutRule, RevisionRule, SaleContent,
    SaleKey, SaleKind, SaleMessage, Store, Version,
};
use moon_store_sqlite::SqliteStore;

#[test]
fn one_command_fills_an_empty_ledger_and_prints_three_tables() {
    let folder = tempfile::tempdir().unwrap();
    let first = aggregator(folder.path(), &["run", "--demo"]);
    assert_eq!(first.code, 0, "{}", first.err);
    for title in ["Total sales by team", "Total sales by branch", "Target against total sales by product"] {
        assert_eq!(first.out.matches(title).count(), 1, "{}", first.out);
    }
    assert!(first.out.starts_with("Period: all time   Basis: net   Currency: LKR\n"), "{}", first.out);
    assert!(first.err.contains("generated ") && first.err.contains(" published: "), "{}", first.err);
    assert!(folder.path().join("moon.db").is_file());

    // The law, as the reader of the figures can check it.
    let report = json(&aggregator(folder.path(), &["run", "--demo", "--full", "--format", "json"]));
    let control = sums(&report["control"]);
    assert!(control.1 > 10_000, "{control:?}");
    for figure in ["teams", "branches", "products"] {
        let rows = report[figure].as_array().unwrap();
        let sum = rows.iter().map(sums).fold((0, 0), |sum, row| (sum.0 + row.0, sum.1 + row.1));
        assert_eq!(sum, control, "{figure}");
    }

    // Another run over the same data changes nothing but the run.
    let again = json(&aggregator(folder.path(), &["run", "--format", "json"]));
    for field in ["period", "basis", "currency", "teams", "branches", "products", "control"] {
        assert_eq!(again[field], report[field], "{field}");
    }
    assert_eq!(again["run"]["rows_read"], 0, "nothing has changed");
    assert_ne!(again["run"]["run_id"], report["run"]["run_id"]);
}

#[test]
fn periods_bases_and_formats() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("moon.toml"), "fiscal_year_start = 4\ncurrency = \"USD\"\n").unwrap();
    let whole = |basis: &str| {
        json(&aggregator(folder.path(), &["run", "--demo", "--format", "json", "--period", "all", "--basis", basis]))
    };
    let (net, gross, activity) = (whole("net"), whole("gross"), whole("activity"));
    assert_eq!((&net["basis"], &net["currency"], &net["period"]), (&"net".into(), &"USD".into(), &"all".into()));
    assert_eq!(net["control"], activity["control"], "equal over all time");
    assert!(sums(&gross["control"]).1 > sums(&net["control"]).1, "some sales were cancelled");

    // The fiscal years of the demonstration add up to the whole.
    let run = aggregator(folder.path(), &["run", "--full"]).err;
    let last: i32 = run.split(" to ").nth(1).unwrap().get(..4).unwrap().parse().unwrap();
    let years = (last - 3..=last + 1).map(|year| {
        let year = year.to_string();
        let report = json(&aggregator(folder.path(), &["run", "--format", "json", "--period", &year]));
        assert_eq!(report["period"], year.as_str());
        sums(&report["control"])
    });
    let sum = years.fold((0, 0), |sum, year| (sum.0 + year.0, sum.1 + year.1));
    assert_eq!(sum, sums(&net["control"]));

    let csv = aggregator(folder.path(), &["run", "--format", "csv", "--year-before"]).out;
    let mut lines = csv.lines();
    assert!(
        lines.next().unwrap().starts_with("figure,code,name,region,target_amount,total_sales,sale_count,"),
        "{csv}"
    );
    let figures = |figure: &str| csv.lines().filter(|line| line.starts_with(figure)).count();
    assert_eq!(figures("team,"), net["teams"].as_array().unwrap().len());
    assert_eq!(figures("product,"), net["products"].as_array().unwrap().len());
}

#[test]
fn an_empty_ledger_has_empty_figures() {
    let folder = tempfile::tempdir().unwrap();
    let run = aggregator(folder.path(), &["run", "--format", "json"]);
    let report = json(&run);
    assert_eq!((sums(&report["control"]), &report["teams"]), ((0, 0), &serde_json::json!([])));
    assert_eq!(report["run"]["rows_read"], 0);
    assert!(run.err.contains(" published: 0 postings in "), "{}", run.err);
}

#[test]
fn wrong_usage_ends_with_2_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&[&str], &str); 7] = [
        (&[], "Usage"),
        (&["walk"], "walk"),
        (&["run", "--basis", "nett"], "gross, net, activity"),
        (&["run", "--format", "xml"], "xml"),
        (&["run", "--period", "2026-13"], "2026-13"),
        (&["run", "--period", "2026-Q5"], "period is not of the form"),
        (&["run", "--currency", "EURO"], "EURO"),
    ];
    for (args, said) in cases {
        let run = aggregator(folder.path(), args);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{args:?}: {}", run.err);
        assert!(run.err.contains(said), "{args:?}: {}", run.err);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let help = aggregator(folder.path(), &["run", "--help"]);
    assert_eq!(help.code, 0);
    assert!(help.out.contains("--period"));
}

#[test]
fn a_ledger_with_sales_of_its_own_is_not_filled() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let url = format!("sqlite:{}", folder.path().join("moon.db").display());
        let store = SqliteStore::connect(&url).await.unwrap();
        store.migrate().await.unwrap();
        let ledger = Ledger::open(Arc::new(store), &LedgerOptions::default()).await.unwrap();
        let product = ProductCode::new("Junior").unwrap();
        let row = Product {
            code: product.clone(),
            name: Name::new("name", "=Junior").unwrap(),
            line: None,
            free_look_days: None,
            version: Version::FIRST,
        };
        let actor = Actor::new("test").unwrap();
        ledger.put_products(&actor, &[row], PutRule::Create).await.unwrap();
        let content = SaleContent {
            agent: None,
            product,
            amount: Amount::from_minor(12_345).unwrap(),
            date: "2026-03-01".parse().unwrap(),
            kind: SaleKind::NewBusiness,
            policy_number: None,
            team: None,
            branch: None,
        };
        let message = SaleMessage {
            key: SaleKey::new("test", "1").unwrap(),
            revision: RevisionRule::Only,
            body: MessageBody::Content(content),
            entry: None,
        };
        ledger.record_sales(&actor, &[message]).await.unwrap();
    });
    let refused = aggregator(folder.path(), &["run", "--demo"]);
    assert_eq!((refused.code, refused.out.as_str()), (3, ""), "{}", refused.err);
    assert!(refused.err.contains("sales of its own") && refused.err.contains("hint: "), "{}", refused.err);

    let report = json(&aggregator(folder.path(), &["run", "--format", "json", "--period", "2026-03-01"]));
    assert_eq!(sums(&report["control"]), (12_345, 1));
    assert_eq!(report["teams"][0]["team"], "unassigned");
    let csv = aggregator(folder.path(), &["run", "--format", "csv"]).out;
    assert!(csv.contains("\"'=Junior\""), "no formula runs in a spreadsheet: {csv}");
}

#[test]
fn a_ledger_in_another_currency_is_refused_and_a_broken_store_fails() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(aggregator(folder.path(), &["run"]).code, 0);
    let refused = aggregator(folder.path(), &["run", "--currency", "EUR"]);
    assert_eq!((refused.code, refused.out.as_str()), (3, ""), "{}", refused.err);
    fs::write(
        folder.path().join("broken.db"),
        "this is no database, but some text of more than a hundred bytes, ".repeat(3),
    )
    .unwrap();
    let failed = aggregator(folder.path(), &["run", "--store-url", "sqlite:broken.db"]);
    assert_eq!((failed.code, failed.out.as_str()), (1, ""), "{}", failed.err);
    assert!(failed.err.contains("broken.db"), "{}", failed.err);
}
