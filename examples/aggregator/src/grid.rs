//! A small grid of text: titled, aligned, for people.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr as _;

/// On which side a column is flush.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// A table: columns with headings, rows of cells, and a last row that sums up.
#[derive(Debug)]
pub(crate) struct Grid {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<String>>,
    total: Vec<String>,
}

impl Grid {
    pub(crate) fn new(columns: Vec<(&'static str, Align)>) -> Self {
        Self { columns, rows: Vec::new(), total: Vec::new() }
    }

    pub(crate) fn push(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    /// Sets the last row.
    pub(crate) fn sum_up(&mut self, total: Vec<String>) {
        self.total = total;
    }

    /// Removes a column.
    pub(crate) fn drop_column(&mut self, heading: &str) {
        let Some(at) = self.columns.iter().position(|(known, _)| *known == heading) else { return };
        self.columns.remove(at);
        for row in self.rows.iter_mut().chain([&mut self.total]) {
            if at < row.len() {
                row.remove(at);
            }
        }
    }

    /// Appends the grid, two blanks between columns, rules below the headings and above the last row, if there is one.
    pub(crate) fn write(&self, out: &mut String) {
        let headings: Vec<String> = self.columns.iter().map(|(heading, _)| (*heading).to_owned()).collect();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|at| {
                let cells = self.rows.iter().chain([&headings, &self.total]).filter_map(|row| row.get(at));
                cells.map(|cell| cell.width()).max().unwrap_or(0)
            })
            .collect();
        let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
        let end: &[&Vec<String>] = if self.total.is_empty() { &[] } else { &[&rule, &self.total] };
        for row in [&headings, &rule].into_iter().chain(&self.rows).chain(end.iter().copied()) {
            let mut line = String::new();
            for ((cell, width), (_, align)) in row.iter().zip(&widths).zip(&self.columns) {
                let pad = width.saturating_sub(cell.width());
                let (before, after) = if *align == Align::Right { (pad, 0) } else { (0, pad) };
                // Writing to a string cannot fail.
                let _ = write!(line, "{:before$}{cell}{:after$}  ", "", "");
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
}

/// A plain decimal number with its whole part in groups of three.
pub(crate) fn grouped(number: &str) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
    let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut text = sign.to_owned();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text.push_str(fraction);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_and_nothing_is_lost() {
        for (plain, expected) in [
            ("0", "0"),
            ("-12", "-12"),
            ("123", "123"),
            ("1234", "1,234"),
            ("-123456.7890", "-123,456.7890"),
            ("93174777.64", "93,174,777.64"),
            ("1000000000000000000.00", "1,000,000,000,000,000,000.00"),
        ] {
            assert_eq!(grouped(plain), expected);
        }
    }

    #[test]
    fn nothing_stands_below_rows_that_are_not_summed_up() {
        let mut grid = Grid::new(vec![("Name", Align::Left)]);
        grid.push(vec!["x".to_owned()]);
        let mut text = String::new();
        grid.write(&mut text);
        assert_eq!(text, "Name\n----\nx\n");
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_on_the_screen() {
        let mut grid = Grid::new(vec![("Name", Align::Left), ("Hidden", Align::Left), ("Sum", Align::Right)]);
        grid.push(vec!["日本".to_owned(), "x".to_owned(), "1.00".to_owned()]);
        grid.push(vec!["e\u{301}".to_owned(), "x".to_owned(), "-10.00".to_owned()]);
        grid.sum_up(vec!["Total".to_owned(), String::new(), "-9.00".to_owned()]);
        grid.drop_column("Hidden");
        let mut text = String::new();
        grid.write(&mut text);
        let expected = "\
Name      Sum
-----  ------
日本     1.00
e\u{301}      -10.00
-----  ------
Total   -9.00
";
        assert_eq!(text, expected);
    }
}
