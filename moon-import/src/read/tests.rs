//! What is written is read back, whatever stands in it and wherever blocks end.

use std::io::Write as _;

use proptest::prelude::*;

use super::*;

const MAP: &str = r#"
kind = "sales"
source = "test"
reference = "B"
[columns]
product = "A"
amount = "C"
date = "C"
"#;

/// The line of a row and its values.
type Values = (u64, Vec<Option<String>>);

/// The values of all rows in the slots A, B and C, with the line of each row; `Err` for rows that cannot be read.
fn read(bytes: &[u8], format: FileFormat) -> Vec<Result<Values, (u64, String)>> {
    let map = ImportMap::parse(MAP, "map.toml").unwrap();
    let mut slots = Slots::default();
    for column in ["A", "B", "C"] {
        slots.of(column);
    }
    let mut rows = Rows::open(bytes, format, &map, &slots).unwrap();
    let mut found = Vec::new();
    loop {
        match rows.next().unwrap() {
            Next::End => return found,
            Next::Bad(line, fault, _) => found.push(Err((line, fault.reason))),
            Next::Row(row, _) => {
                let values = (0..3).map(|slot| row.value(slot).unwrap().map(str::to_owned)).collect();
                found.push(Ok((row.line, values)));
            }
        }
    }
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9]{0,8}", "[\",\n\r;é😀 ]{0,6}", Just("x".repeat(30_000))]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn csv_is_read_back(rows in prop::collection::vec((value(), value(), value()), 0..12), crlf in any::<bool>()) {
        let terminator = if crlf { ::csv::Terminator::CRLF } else { ::csv::Terminator::Any(b'\n') };
        let mut writer = ::csv::WriterBuilder::new().terminator(terminator).from_writer(Vec::new());
        writer.write_record(["C", "unused", "A", "B"]).unwrap();
        let mut line = 2;
        let mut expected = Vec::new();
        for (a, b, c) in &rows {
            writer.write_record([c, "", a, b]).unwrap();
            expected.push(Ok((line, vec![Some(a.clone()), Some(b.clone()), Some(c.clone())])));
            let breaks = [a, b, c].iter().map(|text| text.matches('\n').count()).sum::<usize>();
            line += 1 + u64::try_from(breaks).unwrap();
        }
        let bytes = writer.into_inner().unwrap();
        prop_assert_eq!(read(&bytes, FileFormat::Csv), expected);
    }

    #[test]
    fn ndjson_is_read_back(rows in prop::collection::vec((value(), value(), prop::option::of(0..10_i64)), 1..12)) {
        let mut bytes = Vec::new();
        let mut expected = Vec::new();
        for (place, (a, b, c)) in rows.iter().enumerate() {
            let row = serde_json::json!({ "unused": [1, { "A": 2 }], "B": b, "A": a, "C": c });
            writeln!(bytes, "{row}").unwrap();
            let values = vec![Some(a.clone()), Some(b.clone()), c.map(|number| number.to_string())];
            expected.push(Ok((u64::try_from(place).unwrap() + 1, values)));
        }
        prop_assert_eq!(read(&bytes, FileFormat::Ndjson), expected);
    }

    #[test]
    fn no_bytes_make_it_panic_or_lose_its_place(bytes in prop::collection::vec(prop_oneof![Just(b'"'), Just(b','), Just(b'\n'), Just(b'\r'), 1..=255_u8], 0..200)) {
        let mut text = b"A,B,C\n".to_vec();
        text.extend_from_slice(&bytes);
        let lines = text.iter().filter(|byte| **byte == b'\n').count() + 1;
        let mut last = 1;
        for row in read(&text, FileFormat::Csv) {
            let line = row.map_or_else(|(line, _)| line, |(line, _)| line);
            prop_assert!(line >= last && usize::try_from(line).unwrap() <= lines);
            last = line;
        }
    }
}

#[test]
fn a_row_beyond_the_bound_is_passed_over_also_when_it_ends_the_file() {
    let long = "y".repeat(ROW_BYTES_MAX + 10);
    let text = format!("A,B,C\n1,2,{long}\n4,5,6\n7,8,{long}");
    let found = read(text.as_bytes(), FileFormat::Csv);
    let lines: Vec<_> = found
        .iter()
        .map(|row| row.as_ref().map_or_else(|(line, _)| (*line, false), |(line, _)| (*line, true)))
        .collect();
    assert_eq!(lines, [(2, false), (3, true), (4, false)]);
    let many = format!("A,B,C\n{}\n4,5,6\n", ",".repeat(20_000));
    assert!(read(many.as_bytes(), FileFormat::Csv)[1].is_ok());
}

#[test]
fn halves_of_a_character_do_not_become_one_across_a_delimiter() {
    let found = read(b"C,A,B\n\xC2,\x80,x\n1,2,3\n", FileFormat::Csv);
    assert_eq!(found.first(), Some(&Err((2, "text is not valid UTF-8".to_owned()))));
    assert_eq!(found.len(), 2);
}
