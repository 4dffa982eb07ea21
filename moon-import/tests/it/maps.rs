//! Maps that say something that makes no sense: the file, the line and the key are named.

use std::error::Error as _;

use moon_import::ImportMap;

use super::bad_files::SALES;

/// The message and its cause.
fn fault(map: &str) -> String {
    let error = ImportMap::parse(map, "map.toml").unwrap_err();
    let cause = error.source().map(ToString::to_string).unwrap_or_default();
    format!("{error}: {cause}")
}

#[test]
fn faults_name_file_line_and_key() {
    let cases = [
        (SALES.replace("agent = ", "agnet = "), "line: 6", "unknown field `agnet`"),
        (SALES.replace("\"sales\"", "\"sails\""), "line: 2", "unknown variant `sails`"),
        (
            SALES.replace("date = \"DATE\"", "date = { column = \"DATE\", form = \"ymd\" }"),
            "line: 9",
            "unknown date form `ymd`",
        ),
        (SALES.replace("date = \"DATE\"", "date = { colum = \"DATE\" }"), "line: 9", "unknown field `colum`"),
        (
            SALES.replace("agent = \"AGENT\"", "agent = { missing = [\"x\"] }"),
            "line: 6",
            "name either `column` or `constant`",
        ),
        (SALES.replace("agent = \"AGENT\"", "agent = 7"), "line: 6", "the name of a column, or a table"),
        (SALES.replace("amount = \"AMOUNT\"\n", ""), "line: ", "missing field `amount`"),
        (SALES.replace("kind = \"sales\"", "kind = sales"), "line: 2", "TOML parse error"),
    ];
    for (map, line, expected) in cases {
        let fault = fault(&map);
        assert!(fault.contains("map: map.toml") && fault.contains(line) && fault.contains(expected), "{fault}");
    }
}

#[test]
fn keys_that_contradict_each_other_are_named() {
    let with = |line: &str| SALES.replace("[columns]", &format!("{line}\n[columns]"));
    let cases = [
        (with("revisions = \"column\""), "needs `revision_column`"),
        (with("revision_column = \"REV\""), "needs `revisions = \"column\"`"),
        (with("delimiter = \";;\""), "`delimiter` is not one ASCII character"),
        (with("grouping = \".\""), "`grouping` is not one character"),
        (SALES.replace("\"test\"", "\" \""), "source has blanks"),
        (SALES.replace("reference = \"ID\"", "reference = []"), "`reference` names no column"),
        ("kind = \"agents\"\n[columns]\ncode = \"C\"\nteam = \"T\"\n".to_owned(), "an assignment needs all of"),
        ("kind = \"products\"\n[columns]\ncode = \"C\"\ntarget = \"T\"\n".to_owned(), "belong together"),
        (
            "kind = \"teams\"\n[columns]\ncode = \"C\"\n[expect]\nsum = \"1\"\n".to_owned(),
            "no meaning for rows without",
        ),
        ("kind = \"teams\"\nreference = \"C\"\n[columns]\ncode = \"C\"\n".to_owned(), "unknown field `reference`"),
    ];
    for (map, expected) in cases {
        let fault = fault(&map);
        assert!(fault.contains(expected) && fault.contains("map.toml"), "{fault}");
    }
}

#[test]
fn a_map_that_is_not_there_is_named() {
    let error = ImportMap::load(std::path::Path::new("absent.toml")).unwrap_err().to_string();
    assert_eq!(error, "map cannot be read (file: absent.toml)");
}
