//! Files that cannot be read at all: a clear error, and nothing done.

use moon_core::{ErrorKind, Store, TxMode};
use moon_import::{ImportMap, ROW_BYTES_MAX, inspect_file};

use super::bench::{Bench, counts};

pub(crate) const SALES: &str = r#"
kind = "sales"
source = "test"
reference = "ID"
[columns]
agent = "AGENT"
product = "PRODUCT"
amount = "AMOUNT"
date = "DATE"
[unknown]
agents = "create"
products = "create"
"#;

const HEADER: &str = "ID,AGENT,PRODUCT,AMOUNT,DATE\n";

/// Nothing was recorded, created or rejected.
async fn assert_untouched(bench: &Bench) {
    assert_eq!(bench.totals().await.all, (0, 0));
    let mut unit = bench.ledger.store().begin(TxMode::ReadOnly).await.unwrap();
    assert_eq!(unit.audit().list(&moon_core::PageRequest::first(1)).await.unwrap().items, []);
    assert!(!bench.rejects().exists());
}

#[tokio::test]
async fn files_that_are_no_tables_stop_with_what_they_are() {
    let bench = Bench::new("LKR").await;
    let map = ImportMap::parse(SALES, "map.toml").unwrap();
    let cases: [(&str, &[u8], &str); 9] = [
        ("empty.csv", b"", "file is empty"),
        ("blank.csv", b"\n\n\r\n", "file has no header"),
        ("binary.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "file is binary or in UTF-16"),
        ("utf16.csv", b"\xff\xfeI\0D\0\n\0", "file is binary or in UTF-16"),
        ("headless.csv", b"1,AGT001,LIFE,100.00,2026-01-01\n", "the first line of the file is not a header"),
        ("other.csv", b"ID,AGENT,PRODUCT,AMT,DATE\n", "file has not the column that the map names (column: AMOUNT"),
        ("twice.csv", b"ID,AGENT,PRODUCT,AMOUNT,DATE,ID\n", "file has a column twice (column: ID"),
        ("latin.csv", b"ID,AGENT,PRODUCT,AMOUNT,DATE,\xe9\n", "header is not valid UTF-8"),
        ("empty.ndjson", b"", "file is empty"),
    ];
    for (name, content, expected) in cases {
        let file = bench.file(name, content);
        let error = bench.import(&file, &map).await.unwrap_err();
        assert_eq!(inspect_file(&map, &file).unwrap_err().to_string(), error.to_string());
        let text = error.to_string();
        assert!(text.starts_with(expected), "{name}: {text}");
        assert!(text.contains(&format!("{name})")), "{name} is named: {text}");
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{name}");
    }
    let absent = bench.import(&bench.folder.path().join("absent.csv"), &map).await.unwrap_err();
    assert!(absent.to_string().starts_with("file cannot be read (file: "), "{absent}");
    let folder = bench.import(bench.folder.path(), &map).await.unwrap_err();
    assert!(folder.to_string().contains("does not tell its form"), "{folder}");
    let unknown = bench.import(&bench.file("sales.dat", HEADER), &map).await.unwrap_err();
    assert!(unknown.to_string().contains("put `format` into the map"), "{unknown}");
    assert_untouched(&bench).await;
}

#[tokio::test]
async fn wrong_columns_are_listed_with_the_nearest() {
    let bench = Bench::new("LKR").await;
    let error = bench.import_text("a.csv", "ID,AGENT,PRODUCT,Amount ,DATE\n", SALES).await.unwrap_err().to_string();
    assert!(
        error.contains("column: AMOUNT, did_you_mean: Amount, columns: ID, AGENT, PRODUCT, Amount, DATE"),
        "{error}"
    );
}

#[tokio::test]
async fn a_file_without_rows_is_an_ordinary_file() {
    let bench = Bench::new("LKR").await;
    let report = bench.import_text("a.csv", HEADER, SALES).await.unwrap();
    assert_eq!(counts(&report), [0; 7]);
}

#[tokio::test]
async fn what_is_not_expected_is_refused_before_anything_is_recorded() {
    let bench = Bench::new("LKR").await;
    let text = format!(
        "{HEADER}1,AGT001,LIFE,100.00,2026-01-01\n2,AGT001,LIFE,-0.50,2026-01-02\n3,AGT001,LIFE,x,2026-01-02\n"
    );
    for expect in ["rows = 3", "rows = 1", "sum = \"99.51\"", "rows = 2\nsum = \"0\""] {
        let error = bench.import_text("a.csv", &text, &format!("{SALES}[expect]\n{expect}\n")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{expect}");
        let text = error.to_string();
        assert!(text.contains("file does not hold what it is expected to hold"), "{text}");
        assert!(text.contains("first_bad_line: 4"), "{text}");
    }
    let error = bench.import_text("a.csv", &text, &format!("{SALES}[expect]\nsum = \"1e2\"\n")).await.unwrap_err();
    assert!(error.to_string().contains("`sum` in [expect]"), "{error}");
    assert_untouched(&bench).await;

    let expect = "[expect]\nrows = 2\nsum = \"99.50\"\n";
    let report = bench.import_text("a.csv", &text, &format!("{SALES}{expect}")).await.unwrap();
    assert_eq!(counts(&report), [3, 2, 0, 0, 0, 0, 1]);
    assert_eq!(report.refused_rows, 0);
}

#[tokio::test]
async fn rows_that_are_too_long_are_passed_over_in_constant_memory() {
    let bench = Bench::new("LKR").await;
    let long = "x".repeat(10 * ROW_BYTES_MAX);
    let good = "1,AGT001,LIFE,100.00,2026-01-01\n";
    let text = format!("{HEADER}{good}2,AGT001,{long},5,2026-01-01\n3,AGT001,LIFE,7,2026-01-01\n");
    let report = bench.import_text("a.csv", &text, SALES).await.unwrap();
    assert_eq!(counts(&report), [3, 2, 0, 0, 0, 0, 1]);
    assert_eq!(bench.totals().await.all, (10_700, 2));
    let rejected = bench.rejected();
    assert_eq!(rejected.len(), 1);
    assert!(rejected[0].0 == 3 && rejected[0].2.starts_with("row is longer than 1048576 bytes"), "{rejected:?}");
    assert!(std::fs::metadata(bench.rejects()).unwrap().len() < 10_000, "the reject file shows the beginning only");

    let json = format!(
        "{{\"ID\":\"9\"}}\n{{\"ID\":\"{long}\"}}\n{{\"ID\":\"3\",\"AGENT\":\"AGT001\",\"PRODUCT\":\"LIFE\",\"AMOUNT\":7,\"DATE\":\"2026-01-01\"}}\n"
    );
    let report = bench.import_text("a.ndjson", &json, SALES).await.unwrap();
    assert_eq!(counts(&report), [3, 0, 1, 0, 0, 0, 2]);
    assert_eq!(bench.rejected()[1], (2, String::new(), "row is longer than 1048576 bytes".to_owned()));

    let header = bench.import_text("b.csv", &long, SALES).await.unwrap_err();
    assert!(header.to_string().starts_with("the first line is too long to be a header"), "{header}");
}

#[tokio::test]
async fn a_quote_left_open_is_one_reject_that_names_where_it_began_and_ended() {
    let bench = Bench::new("LKR").await;
    let text =
        format!("{HEADER}1,AGT001,LIFE,100.00,2026-01-01\n2,\"AGT001,LIFE,5,2026-01-01\n3,AGT001,LIFE,7,2026-01-01\n");
    let report = bench.import_text("a.csv", &text, SALES).await.unwrap();
    assert_eq!(counts(&report), [2, 1, 0, 0, 0, 0, 1]);
    let reason = "row has 2 values where the header has 5 and ends on line 4; is a quote left open?".to_owned();
    assert_eq!(bench.rejected(), [(3, String::new(), reason)]);
}

#[tokio::test]
async fn the_reject_file_never_replaces_the_file_itself() {
    let bench = Bench::new("LKR").await;
    let file = bench.file("rejects.csv", HEADER);
    let map = ImportMap::parse(SALES, "map.toml").unwrap();
    let options = moon_import::ImportOptions { actor: moon_core::Actor::new("test").unwrap(), rejects: file.clone() };
    let error = moon_import::import_file(&bench.ledger, &map, &file, &options, &mut |_| {}).await.unwrap_err();
    assert!(error.to_string().contains("would replace the file itself"), "{error}");
    assert_eq!(std::fs::read_to_string(file).unwrap(), HEADER);
}

/// A store that can be opened and then never written again.
#[tokio::test]
async fn a_store_that_fails_in_the_middle_leaves_whole_units_and_a_repeat_completes_them() {
    let bench = Bench::new("LKR").await;
    let mut text = HEADER.to_owned();
    for number in 0..12_000 {
        text.push_str(&format!("{number},AGT001,LIFE,1.00,2026-01-01\n"));
    }
    let file = bench.file("a.csv", &text);
    let map = ImportMap::parse(SALES, "map.toml").unwrap();
    let options =
        moon_import::ImportOptions { actor: moon_core::Actor::new("test").unwrap(), rejects: bench.rejects() };
    let store = std::sync::Arc::new(super::bench::Failing::new(bench.ledger.store().clone()));
    let ledger = moon_core::Ledger::open(store.clone(), &moon_core::LedgerOptions::default()).await.unwrap();
    let mut units = 0;
    let mut progress = |_| {
        units += 1;
        store.fail(units == 2);
    };
    let error = moon_import::import_file(&ledger, &map, &file, &options, &mut progress).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Backend);
    let shown = error.to_string();
    assert!(
        shown.starts_with("the import stopped; 10000 rows are done, and repeating the command completes it"),
        "{shown}"
    );
    assert!(shown.contains("stopped_at_line: 10002"), "{shown}");
    assert_eq!(bench.totals().await.all, (1_000_000, 10_000));
    let report = bench.import(&file, &map).await.unwrap();
    assert_eq!(counts(&report), [12_000, 2_000, 10_000, 0, 0, 0, 0]);
    assert_eq!(bench.totals().await.all, (1_200_000, 12_000));
}

#[tokio::test]
async fn a_store_that_fails_at_once_leaves_nothing() {
    let bench = Bench::new("LKR").await;
    let store = std::sync::Arc::new(super::bench::Failing::new(bench.ledger.store().clone()));
    let ledger = moon_core::Ledger::open(store.clone(), &moon_core::LedgerOptions::default()).await.unwrap();
    store.fail(true);
    let file = bench.file("a.csv", format!("{HEADER}1,AGT001,LIFE,1.00,2026-01-01\n"));
    let map = ImportMap::parse(SALES, "map.toml").unwrap();
    let options =
        moon_import::ImportOptions { actor: moon_core::Actor::new("test").unwrap(), rejects: bench.rejects() };
    let error = moon_import::import_file(&ledger, &map, &file, &options, &mut |_| {}).await.unwrap_err();
    assert!(error.to_string().starts_with("the import stopped; no row was recorded"), "{error}");
    assert_eq!(store.info().backend, "memory");
    assert_untouched(&bench).await;
}
