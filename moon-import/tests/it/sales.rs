//! What the keys of a map of sales do.

use moon_core::{ErrorKind, SaleKey, SaleKind};
use moon_import::ImportMap;

use super::bad_files::SALES;
use super::bench::{Bench, counts};

const HEADER: &str = "ID,AGENT,PRODUCT,AMOUNT,DATE\n";

#[tokio::test]
async fn a_source_that_tells_once_makes_a_changed_row_a_conflict() {
    let bench = Bench::new("LKR").await;
    bench.import_text("a.csv", format!("{HEADER}1,AGT001,LIFE,5,2026-01-01\n"), SALES).await.unwrap();
    let report = bench.import_text("b.csv", format!("{HEADER}1,AGT001,LIFE,6,2026-01-01\n"), SALES).await.unwrap();
    assert_eq!(counts(&report), [1, 0, 0, 0, 0, 1, 0]);
    let rejected = bench.rejected();
    assert!(rejected[0].0 == 2 && rejected[0].2.starts_with("conflict: revision arrived before"), "{rejected:?}");
    assert_eq!(bench.totals().await.all, (500, 1));
}

#[tokio::test]
async fn a_snapshot_corrects_and_reports_what_is_missing() {
    let map = SALES.replace("[columns]", "revisions = \"snapshot\"\n[columns]");
    let bench = Bench::new("LKR").await;
    let first = format!("{HEADER}1,AGT001,LIFE,5,2026-01-01\n2,AGT001,LIFE,6,2026-01-02\n3,AGT001,LIFE,7,2026-01-03\n");
    let report = bench.import_text("a.csv", &first, &map).await.unwrap();
    assert_eq!(report.missing.unwrap().count, 0);
    // Another source is no concern of this one.
    bench.import_text("a.csv", &first, &SALES.replace("\"test\"", "\"other\"")).await.unwrap();
    let second =
        format!("{HEADER}1,AGT001,LIFE,5,2026-01-01\n2,AGT001,LIFE,60,2026-01-02\n4,AGT001,LIFE,x,2026-01-03\n");
    let report = bench.import_text("b.csv", second, &map).await.unwrap();
    assert_eq!(counts(&report), [3, 0, 1, 1, 0, 0, 1]);
    let missing = report.missing.unwrap();
    assert_eq!(missing.count, 1);
    assert_eq!(missing.first.iter().map(ToString::to_string).collect::<Vec<_>>(), ["3"]);
}

#[tokio::test]
async fn a_snapshot_that_tells_of_a_sale_twice_is_in_conflict_with_itself() {
    let map = SALES.replace("[columns]", "revisions = \"snapshot\"\n[columns]");
    let bench = Bench::new("LKR").await;
    let rows = "1,AGT001,LIFE,5,2026-01-01\n1,AGT001,LIFE,5,2026-01-01\n1,AGT001,LIFE,6,2026-01-01\n";
    let report = bench.import_text("a.csv", format!("{HEADER}{rows}"), &map).await.unwrap();
    assert_eq!(counts(&report), [3, 1, 1, 0, 0, 1, 0]);
    let report = bench.import_text("a.csv", format!("{HEADER}{rows}"), &map).await.unwrap();
    assert_eq!(counts(&report), [3, 0, 2, 0, 0, 1, 0]);
    assert_eq!(bench.totals().await.all, (500, 1));
}

#[tokio::test]
async fn a_column_of_revisions_decides_in_every_order() {
    let map = SALES.replace("[columns]", "revisions = \"column\"\nrevision_column = \"REV\"\n[columns]");
    let bench = Bench::new("LKR").await;
    let header = "ID,AGENT,PRODUCT,AMOUNT,DATE,REV\n";
    let rows = "1,,LIFE,120,2026-02-02,2\n1,,LIFE,100,2026-01-30,0\n1,,LIFE,120,2026-02-02,2\n1,,LIFE,121,2026-02-02,2\n1,,LIFE,5,2026-02-02,\n1,,LIFE,5,2026-02-02,-1\n";
    let report = bench.import_text("a.csv", format!("{header}{rows}"), &map).await.unwrap();
    assert_eq!(counts(&report), [6, 1, 1, 0, 1, 1, 2]);
    assert_eq!(bench.totals().await.all, (12_000, 1));
}

#[tokio::test]
async fn a_negative_row_that_names_its_original_takes_a_part_of_it_back() {
    let map =
        SALES.replace("[columns]", "cancels = \"ORIGINAL\"\n[columns]\nkind = \"KIND\"\npolicy_number = \"POLICY\"");
    let bench = Bench::new("LKR").await;
    let header = "ID,AGENT,PRODUCT,AMOUNT,DATE,ORIGINAL,KIND,POLICY\n";
    // The cancellation stands before its sale; a negative row without an original and a positive one with it are sales.
    let rows = "9,AGT001,LIFE,-200,2026-06-02,1,,\n1,AGT001,LIFE,500,2026-05-01,,renewal,P-1\n2,AGT001,LIFE,-120,2026-05-02,,,\n3,AGT001,LIFE,10,2026-05-02,1,,\n4,AGT001,LIFE,1,2026-05-02,,gift,\n";
    let text = format!("{header}{rows}");
    let report = bench.import_text("a.csv", &text, &map).await.unwrap();
    assert_eq!(counts(&report), [5, 4, 0, 0, 0, 0, 1]);
    assert_eq!(bench.totals().await.all, (19_000, 3));
    let sale = bench.ledger.find_sale(&SaleKey::new("test", "1").unwrap()).await.unwrap().unwrap();
    assert_eq!((sale.content.kind, sale.adjustments.len()), (SaleKind::Renewal, 1));
    assert_eq!(sale.adjustments[0].date.to_string(), "2026-06-02");
    let again = bench.import_text("a.csv", &text, &map).await.unwrap();
    assert_eq!(counts(&again), [5, 0, 4, 0, 0, 0, 1]);
    assert_eq!(bench.totals().await.all, (19_000, 3));
}

#[tokio::test]
async fn numbers_dates_and_delimiters_are_those_of_the_map() {
    let map = r#"
        kind = "sales"
        source = "erp"
        delimiter = ";"
        decimal = "comma"
        grouping = "."
        reference = ["BELEG", "POS"]
        [columns]
        product = { constant = "HAUSRAT" }
        amount = "BETRAG"
        date = { column = "DATUM", form = "dd.mm.yyyy" }
        kind = { column = "ART", values = { N = "new_business", S = "reversal" }, missing = ["-"] }
        [unknown]
        products = "create"
    "#;
    let bench = Bench::new("EUR").await;
    let text = "BELEG;POS;BETRAG;DATUM;ART\nA|1;2;1.234,50;14.03.2026;N\nA;1|2; -0,5 ;1.3.2026;S\nA;3;7;01.03.2026;-\nA;4;1,234.5;01.03.2026;-\n";
    let report = bench.import_text("a.csv", text, map).await.unwrap();
    assert_eq!(counts(&report), [4, 3, 0, 0, 0, 0, 1]);
    assert_eq!(bench.totals().await.all, (123_450 - 50 + 700, 3));
    let sale = bench.ledger.find_sale(&SaleKey::new("erp", r"A|1\|2").unwrap()).await.unwrap().unwrap();
    assert_eq!((sale.content.kind, sale.content.amount.minor()), (SaleKind::Reversal, -50));
}

#[tokio::test]
async fn an_instant_gets_its_date_in_the_ledgers_zone() {
    let map = SALES.replace("date = \"DATE\"", "date = { column = \"DATE\", form = \"instant\" }");
    let bench = Bench::new("LKR").await;
    let json = r#"{"ID":"1","PRODUCT":"LIFE","AMOUNT":"5","DATE":"2026-03-14T20:15:00Z"}
{"ID":"2","PRODUCT":"LIFE","AMOUNT":"5","DATE":"2026-03-14T20:15:00"}"#;
    let report = bench.import_text("a.ndjson", json, &map).await.unwrap();
    assert_eq!(counts(&report), [2, 1, 0, 0, 0, 0, 1]);
    let sale = bench.ledger.find_sale(&SaleKey::new("test", "1").unwrap()).await.unwrap().unwrap();
    assert_eq!(sale.content.date.to_string(), "2026-03-15");
}

#[tokio::test]
async fn created_products_get_the_name_and_line_of_their_first_row() {
    let map =
        SALES.replace("[columns]", "[columns]\nproduct_name = \"NAME\"\nproduct_line = \"LINE\"\nagent_name = \"WHO\"");
    let bench = Bench::new("LKR").await;
    let text = "ID,AGENT,PRODUCT,AMOUNT,DATE,NAME,LINE,WHO\n1,AGT001,L1,5,2026-01-01,Term Life,life,First Agent\n2,AGT001,L1,5,2026-01-01,Other,other,\n3,AGT002,L2,5,2026-01-01,,,\n";
    let report = bench.import_text("a.csv", text, &map).await.unwrap();
    assert_eq!(counts(&report), [3, 3, 0, 0, 0, 0, 0]);
    let mut unit = bench.ledger.snapshot().await.unwrap();
    let products = unit.products().list(&moon_core::PageRequest::first(10)).await.unwrap().items;
    let shown: Vec<_> = products
        .iter()
        .map(|product| (product.name.to_string(), product.line.as_ref().map(ToString::to_string)))
        .collect();
    assert_eq!(shown, [("Term Life".to_owned(), Some("life".to_owned())), ("L2".to_owned(), None)]);
    let agents = unit.agents().list(&moon_core::PageRequest::first(10)).await.unwrap().items;
    assert_eq!(agents[0].name.as_str(), "First Agent");
}

#[tokio::test]
async fn rows_that_the_ledger_does_not_take_break_an_expectation_too() {
    let map = SALES.replace("agents = \"create\"", "agents = \"refuse\"") + "[expect]\nrows = 1\n";
    let bench = Bench::new("LKR").await;
    let report = bench.import_text("a.csv", format!("{HEADER}1,AGT001,LIFE,5,2026-01-01\n"), &map).await.unwrap();
    assert_eq!(report.refused_rows, 1);
}

#[tokio::test]
async fn a_ledger_in_another_currency_reads_other_amounts() {
    let bench = Bench::new("JPY").await;
    let report = bench
        .import_text("a.csv", format!("{HEADER}1,A,L,5.0,2026-01-01\n2,A,L,5.5,2026-01-01\n"), SALES)
        .await
        .unwrap();
    assert_eq!(counts(&report), [2, 1, 0, 0, 0, 0, 1]);
    let error = ImportMap::parse("kind = \"sales\"", "m.toml").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}
