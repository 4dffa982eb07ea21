//! Rows that cannot be taken in: each a reject with line, column and reason, and the good ones are kept.

use super::bad_files::SALES;
use super::bench::{Bench, counts};

/// Imports one bad row between two good ones, and gives its column and reason.
async fn reject(map: &str, row: &[u8]) -> (String, String) {
    let bench = Bench::new("LKR").await;
    let mut text = b"ID,AGENT,PRODUCT,AMOUNT,DATE\n1,AGT001,LIFE,100.00,2026-01-01\n".to_vec();
    text.extend_from_slice(row);
    text.extend_from_slice(b"\n3,AGT001,LIFE,7,2026-01-01\n");
    let report = bench.import_text("a.csv", &text, map).await.unwrap();
    assert_eq!(counts(&report), [3, 2, 0, 0, 0, 0, 1], "{}", String::from_utf8_lossy(row));
    assert_eq!(bench.totals().await.all, (10_700, 2), "the good rows are kept");
    let mut rejected = bench.rejected();
    assert_eq!(rejected.len(), 1);
    let (line, column, reason) = rejected.remove(0);
    assert_eq!(line, 3);
    assert_eq!((&report.first_rejects[0].column, &report.first_rejects[0].reason), (&column, &reason));
    (column, reason)
}

#[tokio::test]
async fn bad_values_are_named_with_their_column() {
    let cases: [(&[u8], &str, &str); 16] = [
        (b"2,AGT001,LIFE,1e3,2026-01-01", "AMOUNT", "amount is not a plain decimal number (amount: \"1e3\")"),
        (b"2,AGT001,LIFE,NaN,2026-01-01", "AMOUNT", "amount is not a plain decimal number"),
        (
            b"2,AGT001,LIFE,\"1,234.5\",2026-01-01",
            "AMOUNT",
            "amount is not a plain decimal number (amount: \"1,234.5\")",
        ),
        (b"2,AGT001,LIFE,1234567890123456789,2026-01-01", "AMOUNT", "amount has more than 18 digits in minor units"),
        (b"2,AGT001,LIFE,1.005,2026-01-01", "AMOUNT", "amount has more decimals than its currency"),
        (b"2,AGT001,LIFE,,2026-01-01", "AMOUNT", "value is missing"),
        (b"2,AGT001,LIFE,5,2026-02-31", "DATE", "there is no such date"),
        (b"2,AGT001,LIFE,5,31-01-2026", "DATE", "date is not of the form YYYY-MM-DD"),
        (b"2,AGT001,LIFE,5,", "DATE", "value is missing"),
        (b"2,unassigned,LIFE,5,2026-01-01", "AGENT", "agent code is reserved"),
        (b"2,AGT001,unassigned,5,2026-01-01", "PRODUCT", "product code is reserved"),
        (b"2,AGT\x07001,LIFE,5,2026-01-01", "AGENT", "agent code has characters that cannot be seen"),
        (b"2,AGT001,\xff\xfe,5,2026-01-01", "PRODUCT", "text is not valid UTF-8"),
        (b",AGT001,LIFE,5,2026-01-01", "ID", "reference is missing"),
        (b"2,AGT001,LIFE,5", "", "row has 4 values where the header has 5"),
        (b"2,AGT001,LIFE,5,2026-01-01,x", "", "row has 6 values where the header has 5"),
    ];
    for (row, column, reason) in cases {
        let found = reject(SALES, row).await;
        assert_eq!(found.0, column, "{found:?}");
        assert!(found.1.starts_with(reason), "{found:?}");
    }
}

#[tokio::test]
async fn a_letter_cut_in_two_by_a_delimiter_is_not_healed() {
    // Both halves of an é, in neighbouring values.
    let found = reject(SALES, b"2,AGT\xc3,\xa9LIFE,5,2026-01-01").await;
    assert_eq!(found.1, "text is not valid UTF-8");
}

#[tokio::test]
async fn what_is_unknown_is_refused_where_creation_is_off_and_brings_nothing_into_being() {
    let map = SALES.replace("agents = \"create\"", "agents = \"refuse\"");
    let bench = Bench::new("LKR").await;
    let text = "ID,AGENT,PRODUCT,AMOUNT,DATE\n1,AGT001,LIFE,5,2026-01-01\n2,,HEALTH,7,2026-01-01\n";
    let report = bench.import_text("a.csv", text, &map).await.unwrap();
    assert_eq!(counts(&report), [2, 1, 0, 0, 0, 0, 1]);
    assert_eq!(report.refused_rows, 1);
    assert_eq!(bench.rejected(), [(2, String::new(), "agent is not known (code: AGT001)".to_owned())]);
    let mut unit = bench.ledger.snapshot().await.unwrap();
    let products = unit.products().list(&moon_core::PageRequest::first(10)).await.unwrap().items;
    let codes: Vec<_> = products.iter().map(|product| product.code.as_str()).collect();
    assert_eq!(codes, ["HEALTH"], "the product of the refused row was not created");
}

#[tokio::test]
async fn rejects_stand_in_the_order_of_their_lines_with_their_text() {
    let map = SALES.replace("agents = \"create\"", "agents = \"refuse\"");
    let bench = Bench::new("LKR").await;
    let text = "ID,AGENT,PRODUCT,AMOUNT,DATE\r\n1,AGT001,LIFE,5,2026-01-01\r\n\r\n2,,LIFE,x,2026-01-01\r\n3,AGT002,\"LI\nFE\",5,2026-01-01\r\n4,AGT003,LIFE,5,2026-01-01";
    let report = bench.import_text("a.csv", text, &map).await.unwrap();
    assert_eq!(counts(&report), [4, 0, 0, 0, 0, 0, 4]);
    let lines: Vec<u64> = bench.rejected().into_iter().map(|(line, _, _)| line).collect();
    assert_eq!(lines, [2, 4, 5, 7]);
    let rows: Vec<&str> = report.first_rejects.iter().map(|reject| reject.row.as_str()).collect();
    assert_eq!(rows[0], "1,AGT001,LIFE,5,2026-01-01");
    assert_eq!(rows[2], "3,AGT002,\"LI\nFE\",5,2026-01-01");
}

#[tokio::test]
async fn bad_json_is_named_with_its_line() {
    let bench = Bench::new("LKR").await;
    let good = r#"{"ID": 1, "AGENT": "AGT001", "PRODUCT": "LIFE", "AMOUNT": 100.10, "DATE": "2026-01-01", "NOTE": {"any": 1e9}}"#;
    let bad = [
        r#"{"ID": 2"#,
        "[1, 2]",
        r#"{"ID": 2, "AGENT": ["x"], "PRODUCT": "LIFE", "AMOUNT": 1, "DATE": "2026-01-01"}"#,
        r#"{"ID": 2, "ID": 3, "PRODUCT": "LIFE", "AMOUNT": 1, "DATE": "2026-01-01"}"#,
        r#"{"ID": 2, "PRODUCT": "LIFE", "AMOUNT": 1e3, "DATE": "2026-01-01"}"#,
        r#"{"ID": 2, "PRODUCT": "LIFE", "AMOUNT": null, "DATE": "2026-01-01"}"#,
    ];
    let text = format!("\u{feff}{good}\n\n{}\n", bad.join("\n"));
    let report = bench.import_text("a.jsonl", &text, SALES).await.unwrap();
    assert_eq!(counts(&report), [7, 1, 0, 0, 0, 0, 6]);
    assert_eq!(bench.totals().await.all, (10_010, 1));
    let rejected = bench.rejected();
    let lines: Vec<u64> = rejected.iter().map(|(line, _, _)| *line).collect();
    assert_eq!(lines, [3, 4, 5, 6, 7, 8]);
    let reasons =
        ["EOF", "expected a JSON object", "`AGENT` is an object", "`ID` is given twice", "\"1e3\"", "missing"];
    for ((_, _, reason), expected) in rejected.iter().zip(reasons) {
        assert!(reason.contains(expected), "{reason}");
    }
}
