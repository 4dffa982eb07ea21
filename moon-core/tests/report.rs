//! Reports, from cells to documents.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what they unwrap is good by construction")]

use moon_core::{
    Amount, Basis, BranchEntry, BusinessDate, Calendar, Cell, Currency, DayRange, Dimension, ErrorKind, Figures,
    GroupSum, KpiQuery, KpiReport, ProductEntry, Published, PublishedTarget, Sum, TargetScope, TargetStatus, TeamEntry,
    Text,
};

fn date(text: &str) -> BusinessDate {
    text.parse().unwrap()
}

fn name(text: &str) -> Text {
    Text::new("name", text).unwrap()
}

fn cell(dimension: Dimension, day: &str, code: &str, minor: i128, count: i64) -> Cell {
    let sum = Sum::new(minor, count);
    Cell { dimension, day: date(day), code: code.into(), figures: Figures { net: sum, gross: sum, activity: sum } }
}

fn target(product: &str, period: &str, minor: i64) -> PublishedTarget {
    PublishedTarget {
        product: Some(product.parse().unwrap()),
        scope: TargetScope::Ledger,
        period: Calendar::default().parse(period).unwrap(),
        amount: Amount::from_minor(minor).unwrap(),
    }
}

fn query(period: &str, as_of: &str) -> KpiQuery {
    KpiQuery {
        period: Calendar::default().parse(period).unwrap(),
        basis: Basis::Net,
        as_of: date(as_of),
        to_date: false,
        with_year_before: false,
    }
}

fn rupee() -> Currency {
    "LKR".parse().unwrap()
}

fn published(days: DayRange) -> Published {
    let cells = [
        cell(Dimension::Team, "2025-03-05", "Alpha", 4_000, 1),
        cell(Dimension::Team, "2026-03-05", "Alpha", 15_000_000, 2),
        cell(Dimension::Team, "2026-03-06", "unassigned", -50, 1),
        cell(Dimension::Branch, "2025-03-05", "KDY", 4_000, 1),
        cell(Dimension::Branch, "2026-03-05", "=CMB, 1", 15_000_000, 2),
        cell(Dimension::Branch, "2026-03-06", "=CMB, 1", -50, 1),
        cell(Dimension::Product, "2025-03-05", "Junior", 4_000, 1),
        cell(Dimension::Product, "2026-03-05", "Junior", 15_000_000, 2),
        cell(Dimension::Product, "2026-03-06", "Extra", -50, 1),
    ];
    Published {
        sums: GroupSum::over(&cells, days).unwrap(),
        teams: vec![TeamEntry { code: "Alpha".parse().unwrap(), name: name("The \"A\" team") }],
        branches: vec![BranchEntry {
            code: "=CMB, 1".parse().unwrap(),
            name: name("Colombo"),
            region: Some(name("West")),
        }],
        products: vec![ProductEntry { code: "Senior".parse().unwrap(), name: name("Senior"), line: None }],
        targets: vec![
            target("Junior", "2026-03", 15_000_000),
            target("Senior", "2026-03", 100),
            target("Free", "2026-03", 0),
            target("Later", "2026-04", 5),
        ],
        run: None,
    }
}

fn report(query: &KpiQuery) -> KpiReport {
    let calendar = Calendar::default();
    let before = query.days_year_before(calendar).map(published);
    KpiReport::assemble(query, &published(query.days()), before.as_ref(), calendar, rupee()).unwrap()
}

#[test]
fn the_document_has_the_fixed_shape() {
    let json = serde_json::to_string(&report(&query("2026-03", "2026-04-01")).to_json()).unwrap();
    let expected = concat!(
        r#"{"period":"2026-03","basis":"net","currency":"LKR","#,
        r#""teams":[{"team":"Alpha","team_name":"The \"A\" team","total_sales":"150000.00","sale_count":2},"#,
        r#"{"team":"unassigned","team_name":"unassigned","total_sales":"-0.50","sale_count":1}],"#,
        r#""branches":[{"branch":"=CMB, 1","branch_name":"Colombo","region":"West","total_sales":"149999.50","sale_count":3}],"#,
        r#""products":[{"product":"Extra","product_name":"Extra","target_amount":null,"total_sales":"-0.50","sale_count":1,"#,
        r#""variance":null,"attainment":null,"status":"no_target","complete":true,"coverage":"none"},"#,
        r#"{"product":"Free","product_name":"Free","target_amount":"0.00","total_sales":"0.00","sale_count":0,"#,
        r#""variance":"0.00","attainment":null,"status":"zero_target","complete":true,"coverage":"full"},"#,
        r#"{"product":"Junior","product_name":"Junior","target_amount":"150000.00","total_sales":"150000.00","sale_count":2,"#,
        r#""variance":"0.00","attainment":"1.000000","status":"achieved","complete":true,"coverage":"full"},"#,
        r#"{"product":"Senior","product_name":"Senior","target_amount":"1.00","total_sales":"0.00","sale_count":0,"#,
        r#""variance":"-1.00","attainment":"0.000000","status":"not_achieved","complete":true,"coverage":"full"}],"#,
        r#""control":{"total_sales":"149999.50","sale_count":3},"run":null}"#,
    );
    assert_eq!(json, expected);
}

#[test]
fn the_table_is_quoted_and_holds_no_formula() {
    let mut csv = String::new();
    report(&query("2026-03", "2026-03-10")).write_csv(&mut csv);
    let expected =
        "figure,code,name,region,target_amount,total_sales,sale_count,variance,attainment,status,complete,coverage
team,Alpha,\"The \"\"A\"\" team\",,,150000.00,2,,,,,
team,unassigned,unassigned,,,-0.50,1,,,,,
branch,\"'=CMB, 1\",Colombo,West,,149999.50,3,,,,,
product,Extra,Extra,,,-0.50,1,,,no_target,false,none
product,Free,Free,,0.00,0.00,0,0.00,,zero_target,false,full
product,Junior,Junior,,150000.00,150000.00,2,0.00,1.000000,achieved,false,full
product,Senior,Senior,,1.00,0.00,0,-1.00,0.000000,not_achieved,false,full
";
    assert_eq!(csv, expected);
}

#[test]
fn the_year_before_stands_beside_and_adds_up_too() {
    let report = report(&KpiQuery { with_year_before: true, ..query("2026-03", "2026-04-01") });
    let before: Vec<_> = report.branches.iter().map(|row| (&*row.branch, row.total.count, row.year_before)).collect();
    assert_eq!(before, [("=CMB, 1", 3, Some(Sum::ZERO)), ("KDY", 0, Some(Sum::new(4_000, 1)))]);
    let json = report.to_json();
    assert_eq!(json["teams"][0]["total_sales_year_before"], "40.00");
    assert_eq!(json["products"][2]["sale_count_year_before"], 1);
    let mut csv = String::new();
    report.write_csv(&mut csv);
    assert!(csv.contains("coverage,total_sales_year_before,sale_count_year_before\n"), "{csv}");
    assert!(csv.contains("\nbranch,KDY,KDY,,,0.00,0,,,,,,40.00,1\n"), "{csv}");
}

#[test]
fn figures_to_date_stop_at_the_day_of_asking_and_a_year_before_it() {
    let to_date = |period: &str, as_of: &str| {
        let query = KpiQuery { to_date: true, with_year_before: true, ..query(period, as_of) };
        let text = |days: DayRange| days.first().zip(days.last()).map(|(first, last)| format!("{first}..{last}"));
        (text(query.days()), query.days_year_before(Calendar::default()).map(text))
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        to_date("2024-02", "2024-02-29"),
        (some("2024-02-01..2024-02-29"), Some(some("2023-02-01..2023-02-28")))
    );
    assert_eq!(
        to_date("2026-Q1", "2026-02-10"),
        (some("2026-01-01..2026-02-10"), Some(some("2025-01-01..2025-02-10")))
    );
    assert_eq!(
        to_date("2026-W11", "2026-03-10"),
        (some("2026-03-09..2026-03-10"), Some(some("2025-03-10..2025-03-11")))
    );
    assert_eq!(to_date("2026-03", "2026-02-10"), (None, Some(None)));
    assert_eq!(
        to_date("2026-03", "2026-05-10"),
        (some("2026-03-01..2026-03-31"), Some(some("2025-03-01..2025-03-31")))
    );
    assert_eq!(to_date("all", "2026-03-10").1, None);
}

#[test]
fn sums_that_break_the_law_make_no_report() {
    let query = query("2026-03", "2026-04-01");
    let mut broken = published(query.days());
    broken.sums.pop();
    let error = KpiReport::assemble(&query, &broken, None, Calendar::default(), rupee()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    let empty = KpiReport::assemble(&query, &Published::default(), None, Calendar::default(), rupee()).unwrap();
    assert_eq!(empty.control, Sum::ZERO);
}

/// Example D of the worked examples: variance before the end and at it, and a quarter with a gap.
#[test]
fn status_and_variance_are_those_of_exact_amounts() {
    let figures = |total: i128, target_minor: i64| {
        let cells = Dimension::DAILY.map(|dimension| cell(dimension, "2026-03-12", "Junior", total, 1));
        let published = Published {
            sums: GroupSum::over(&cells, DayRange::ALL).unwrap(),
            targets: vec![target("Junior", "2026-03", target_minor)],
            ..Published::default()
        };
        let row = |period: &str, as_of: &str| {
            let query = query(period, as_of);
            KpiReport::assemble(&query, &published, None, Calendar::default(), rupee()).unwrap().products[0].clone()
        };
        (row("2026-03", "2026-03-14"), row("2026-Q1", "2026-04-01"))
    };
    let (march, quarter) = figures(850, 1_000);
    assert_eq!((march.variance_minor, march.status, march.complete), (Some(-150), TargetStatus::NotAchieved, false));
    assert_eq!((quarter.variance_minor, quarter.status), (None, TargetStatus::NoTarget));
    assert_eq!((quarter.coverage.name(), quarter.complete), ("partial", true));
    let (march, _) = figures(2_050, 2_000);
    assert_eq!((march.variance_minor, march.status), (Some(50), TargetStatus::Achieved));
    assert_eq!(march.attainment.unwrap().to_string(), "1.025000");
    let (march, _) = figures(99_999_999, 100_000_000);
    assert_eq!(
        (march.attainment.unwrap().to_string(), march.status),
        ("0.999999".to_owned(), TargetStatus::NotAchieved)
    );
}
