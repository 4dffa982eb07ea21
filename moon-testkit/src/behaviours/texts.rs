//! Texts that some database takes for one another, cuts, or reads as a command.

/// Valid codes.
pub(super) fn codes() -> Vec<String> {
    // Those that look alike are spelled by their numbers, lest an editor makes one of two.
    let mut texts: Vec<String> = [
        "abc",
        "ABC",
        "Abc",
        "a c",
        "a  c",
        "ac",
        "é",
        "e\u{301}",
        "E",
        "e",
        "ß",
        "ss",
        "SS",
        "fi",
        "I",
        "i",
        "😀",
        "😁",
        "👩🏽",
        "中",
        "中文",
        "ශ",
        "%",
        "_",
        "a%c",
        "a_c",
        "\\",
        "\\\\",
        "'",
        "''",
        "\"",
        "`",
        ";",
        "--",
        "/*",
        "*/",
        "?",
        "$1",
        ":a",
        "@a",
        "#",
        "NULL",
        "null",
        "0",
        "00",
        "0.0",
        "1e3",
        "true",
        "{}",
        "[]",
        "\\N",
        "\\0",
        "a,b",
        "a\"b",
        "'); DROP TABLE ledger_sales;--",
        "\" OR \"\"=\"",
        "a/b",
        "../a",
        "<b>",
        "&amp;",
        "A\u{30a}",
        "a\u{a0}c",
        "10",
        "9",
        "K",
        "\u{212a}",
        "\u{212b}",
        "\u{c5}",
        "A",
        "\u{1d400}",
        "\u{c0}",
        "\u{fb01}",
        "\u{131}",
        "\u{130}",
        // Written from the right to the left, and marks upon marks.
        "\u{5e9}\u{5dc}\u{5d5}\u{5dd}",
        "\u{645}\u{631}\u{62d}\u{628}\u{627} a",
        "a\u{300}\u{301}\u{302}\u{303}\u{304}",
        "a\u{301}\u{300}\u{302}\u{303}\u{304}",
        "\u{1112}\u{1161}\u{11ab}",
        "\u{d55c}",
        "'; DROP TABLE teams; --",
        "' OR '1'='1",
        "'/*",
        "*/ --",
        "it's \"both\" `ways`",
        "\\'",
        "\\\"; --",
        "%s%n%d",
        "%%",
        "${a}",
        "{{a}}",
        "$$",
        "$tag$",
        "E'\\n'",
        "\\t",
        "|",
        "=1+1",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.extend(["x".repeat(64), "x".repeat(63), "😀".repeat(64), format!("{}y", "😀".repeat(63))]);
    texts
}

/// Texts for people: the codes, and what no code may be.
pub(super) fn names() -> Vec<String> {
    let mut texts = codes();
    texts.extend([" a ", "a ", " a", "a\u{a0}", "\u{feff}a"].map(str::to_owned));
    // Marks that turn the direction or join what they stand between.
    texts.extend(["a\u{202e}b", "\u{200f}a", "👩\u{200d}👧", "a\u{200b}", "a\u{2028}b"].map(str::to_owned));
    texts.extend(["😀".repeat(200), format!("{} ", "x".repeat(199)), "\\".repeat(200), "'".repeat(200)]);
    texts
}

/// Texts on which there is no limit but that of a database: the names, and lines, tabs and other control characters. A NUL
/// is not among them, as PostgreSQL has none.
pub(super) fn free() -> Vec<String> {
    let mut texts = names();
    texts.extend(
        ["", " ", "\t", "a\tb", "a\t", "\n", "a\nb", "a\r\nb", "\r", "\u{1}", "\u{1a}", "\u{7f}"].map(str::to_owned),
    );
    texts
}
