//! The three key figures as tables for people.

use std::fmt::Write as _;

use moon_core::{Attainment, Coverage, Currency, KpiReport, ProductRow, Sum, TargetStatus};

use crate::grid::{Align, Grid, grouped};

const NAME: &str = "Name";
const REGION: &str = "Region";
const YEAR_BEFORE: &str = "Year before";
const TOTAL: &str = "Total sales";
/// The label of all time.
const ALL_TIME: &str = "all";

/// The report as three titled tables.
pub(crate) fn render(report: &KpiReport) -> String {
    let mut out = String::new();
    let period = if report.period == ALL_TIME { "all time" } else { report.period.as_str() };
    // Writing to a string cannot fail.
    let _ = writeln!(out, "Period: {period}   Basis: {}   Currency: {}", report.basis.name(), report.currency);
    let tables = [
        ("Total sales by team", teams(report), report.teams.is_empty()),
        ("Total sales by branch", branches(report), report.branches.is_empty()),
        ("Target against total sales by product", products(report), report.products.is_empty()),
    ];
    for (title, grid, empty) in tables {
        let _ = writeln!(out, "\n{title}");
        if empty {
            out.push_str("nothing in this period\n");
        } else {
            grid.write(&mut out);
        }
    }
    out
}

fn teams(report: &KpiReport) -> Grid {
    let mut grid = Grid::new(vec![
        ("Team", Align::Left),
        (NAME, Align::Left),
        ("Sales", Align::Right),
        (TOTAL, Align::Right),
        (YEAR_BEFORE, Align::Right),
    ]);
    for row in &report.teams {
        let [count, total] = sum(row.total, report.currency);
        let before = year_before(row.year_before, report.currency);
        grid.push(vec![row.team.to_string(), row.team_name.to_string(), count, total, before]);
    }
    let [count, total] = sum(report.control, report.currency);
    let before = year_before_total(report.teams.iter().map(|row| row.year_before), report.currency);
    grid.sum_up(vec!["Total".to_owned(), String::new(), count, total, before]);
    if report.teams.iter().all(|row| row.team == row.team_name) {
        grid.drop_column(NAME);
    }
    if report.teams.iter().all(|row| row.year_before.is_none()) {
        grid.drop_column(YEAR_BEFORE);
    }
    grid
}

fn branches(report: &KpiReport) -> Grid {
    let mut grid = Grid::new(vec![
        ("Branch", Align::Left),
        (NAME, Align::Left),
        (REGION, Align::Left),
        ("Sales", Align::Right),
        (TOTAL, Align::Right),
        (YEAR_BEFORE, Align::Right),
    ]);
    for row in &report.branches {
        let [count, total] = sum(row.total, report.currency);
        let region = row.region.as_ref().map(ToString::to_string).unwrap_or_default();
        let before = year_before(row.year_before, report.currency);
        grid.push(vec![row.branch.to_string(), row.branch_name.to_string(), region, count, total, before]);
    }
    let [count, total] = sum(report.control, report.currency);
    let before = year_before_total(report.branches.iter().map(|row| row.year_before), report.currency);
    grid.sum_up(vec!["Total".to_owned(), String::new(), String::new(), count, total, before]);
    if report.branches.iter().all(|row| row.branch == row.branch_name) {
        grid.drop_column(NAME);
    }
    if report.branches.iter().all(|row| row.region.is_none()) {
        grid.drop_column(REGION);
    }
    if report.branches.iter().all(|row| row.year_before.is_none()) {
        grid.drop_column(YEAR_BEFORE);
    }
    grid
}

fn products(report: &KpiReport) -> Grid {
    let mut grid = Grid::new(vec![
        ("Product", Align::Left),
        (NAME, Align::Left),
        ("Target", Align::Right),
        ("Sales", Align::Right),
        (TOTAL, Align::Right),
        (YEAR_BEFORE, Align::Right),
        ("Variance", Align::Right),
        ("Attainment", Align::Right),
        ("Status", Align::Left),
    ]);
    for row in &report.products {
        let [count, total] = sum(row.total, report.currency);
        let optional = |minor: Option<i128>| minor.map(|minor| amount(minor, report.currency)).unwrap_or_default();
        grid.push(vec![
            row.product.to_string(),
            row.product_name.to_string(),
            optional(row.target_minor),
            count,
            total,
            year_before(row.year_before, report.currency),
            optional(row.variance_minor),
            row.attainment.map(percent).unwrap_or_default(),
            status(row, report.period != ALL_TIME),
        ]);
    }
    let [count, total] = sum(report.control, report.currency);
    let before = year_before_total(report.products.iter().map(|row| row.year_before), report.currency);
    let none = String::new;
    grid.sum_up(vec!["Total".to_owned(), none(), none(), count, total, before, none(), none(), none()]);
    if report.products.iter().all(|row| row.product == row.product_name) {
        grid.drop_column(NAME);
    }
    if report.products.iter().all(|row| row.year_before.is_none()) {
        grid.drop_column(YEAR_BEFORE);
    }
    grid
}

fn sum(sum: Sum, currency: Currency) -> [String; 2] {
    [grouped(&sum.count.to_string()), amount(sum.minor, currency)]
}

fn amount(minor: i128, currency: Currency) -> String {
    grouped(&Sum::new(minor, 0).display(currency).to_string())
}

fn year_before(sum: Option<Sum>, currency: Currency) -> String {
    sum.map(|sum| amount(sum.minor, currency)).unwrap_or_default()
}

/// The sum of all rows; nothing where no row has one or it could not be exact.
fn year_before_total(sums: impl Iterator<Item = Option<Sum>>, currency: Currency) -> String {
    let total = sums.flatten().map(Some).reduce(|total, sum| total?.plus(sum?).ok()).flatten();
    year_before(total, currency)
}

/// Two decimals of a percentage, cut and never rounded: what is not reached does not look reached.
fn percent(attainment: Attainment) -> String {
    let hundredths = attainment.millionths / 100;
    let sign = if attainment.millionths < 0 { "-" } else { "" };
    let magnitude = hundredths.unsigned_abs();
    format!("{sign}{}.{:02} %", grouped(&(magnitude / 100).to_string()), magnitude % 100)
}

/// The status in words, and how far it can be relied on: a period that ends, but has not ended, may still change it.
fn status(row: &ProductRow, ends: bool) -> String {
    let status = match row.status {
        TargetStatus::Achieved => "achieved",
        TargetStatus::NotAchieved => "not achieved",
        TargetStatus::NoTarget if row.coverage == Coverage::Partial => "no target for all of it",
        TargetStatus::NoTarget => "no target",
        TargetStatus::ZeroTarget => "target of zero",
    };
    let open = matches!(row.status, TargetStatus::Achieved | TargetStatus::NotAchieved) && ends && !row.complete;
    format!("{status}{}", if open { " so far" } else { "" })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use moon_core::{Basis, BranchRow, TeamRow, Text};

    use super::*;

    fn text(text: &str) -> Arc<str> {
        Arc::from(text)
    }

    fn report() -> KpiReport {
        let product = |product: &str, target: Option<i128>, total: i128| ProductRow {
            product: text(product),
            product_name: text(product),
            target_minor: target,
            total: Sum::new(total, 1),
            variance_minor: target.map(|target| total - target),
            attainment: target.and_then(|target| Attainment::of(total, target)),
            status: match target {
                None => TargetStatus::NoTarget,
                Some(0) => TargetStatus::ZeroTarget,
                Some(target) if total >= target => TargetStatus::Achieved,
                Some(_) => TargetStatus::NotAchieved,
            },
            complete: true,
            coverage: if target.is_some() { Coverage::Full } else { Coverage::None },
            year_before: None,
        };
        KpiReport {
            period: "2026-03".to_owned(),
            basis: Basis::Net,
            currency: "LKR".parse().unwrap(),
            teams: vec![TeamRow {
                team: text("T1"),
                team_name: text("Team One"),
                total: Sum::new(300_000_000, 3),
                year_before: None,
            }],
            branches: vec![BranchRow {
                branch: text("unassigned"),
                branch_name: text("unassigned"),
                region: Some(Text::new("region", "West").unwrap()),
                total: Sum::new(300_000_000, 3),
                year_before: Some(Sum::new(-50, 1)),
            }],
            products: vec![
                product("Junior", Some(100_000_001), 100_000_000),
                product("Senior", Some(100_000_000), 100_000_000),
                product("Term", None, 100_000_000),
            ],
            control: Sum::new(300_000_000, 3),
            run: None,
        }
    }

    #[test]
    fn three_tables_that_show_exact_amounts() {
        let expected = "\
Period: 2026-03   Basis: net   Currency: LKR

Total sales by team
Team   Name      Sales   Total sales
-----  --------  -----  ------------
T1     Team One      3  3,000,000.00
-----  --------  -----  ------------
Total                3  3,000,000.00

Total sales by branch
Branch      Region  Sales   Total sales  Year before
----------  ------  -----  ------------  -----------
unassigned  West        3  3,000,000.00        -0.50
----------  ------  -----  ------------  -----------
Total                   3  3,000,000.00        -0.50

Target against total sales by product
Product        Target  Sales   Total sales  Variance  Attainment  Status
-------  ------------  -----  ------------  --------  ----------  ------------
Junior   1,000,000.01      1  1,000,000.00     -0.01     99.99 %  not achieved
Senior   1,000,000.00      1  1,000,000.00      0.00    100.00 %  achieved
Term                       1  1,000,000.00                        no target
-------  ------------  -----  ------------  --------  ----------  ------------
Total                      3  3,000,000.00
";
        assert_eq!(render(&report()), expected);
    }

    #[test]
    fn an_empty_period_says_so() {
        let report = KpiReport { teams: vec![], branches: vec![], products: vec![], control: Sum::ZERO, ..report() };
        assert_eq!(render(&report).matches("nothing in this period").count(), 3);
    }

    #[test]
    fn a_status_is_preliminary_until_its_period_has_ended() {
        let mut report = report();
        let mut shown = |period: &str, complete: bool| {
            report.period = period.to_owned();
            report.products[0].complete = complete;
            render(&report).contains("not achieved so far")
        };
        assert!(shown("2026-03", false));
        assert!(!shown("2026-03", true));
        assert!(!shown("all", false), "all time never ends");
    }

    #[test]
    fn percentages_are_cut() {
        for (millionths, expected) in [
            (0, "0.00 %"),
            (999_999, "99.99 %"),
            (1_000_000, "100.00 %"),
            (12_345_678, "1,234.56 %"),
            (-99, "-0.00 %"),
            (-75_000, "-7.50 %"),
        ] {
            assert_eq!(percent(Attainment { millionths }), expected);
        }
    }
}
