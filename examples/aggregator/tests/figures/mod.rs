//! The real data and what must come out of it, to the cent.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::common::sums;

/// The folder of the workspace.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// The folder of the real data, if it is there.
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
pub(crate) fn data(set: &str) -> Option<PathBuf> {
    let folder = workspace().join("../shared/data").join(set);
    if !folder.is_dir() {
        println!("skipped: there is no {}", folder.display());
        return None;
    }
    Some(folder)
}

/// Code and total of each row.
pub(crate) fn totals<'r>(report: &'r Value, figure: &str, code: &str) -> Vec<(&'r str, &'r str)> {
    let rows = report[figure].as_array().unwrap();
    rows.iter().map(|row| (row[code].as_str().unwrap(), row["total_sales"].as_str().unwrap())).collect()
}

/// Every golden total of the first version's own data.
pub(crate) fn check_mooninsurance(report: &Value) {
    assert_eq!(
        totals(report, "teams", "team"),
        [("Alpha", "270000.00"), ("Beta", "143000.00"), ("Delta", "89000.00"), ("Gamma", "104000.00")]
    );
    assert_eq!(
        totals(report, "branches", "branch"),
        [
            ("Badulla", "58000.00"),
            ("Colombo", "150000.00"),
            ("Kandy", "85000.00"),
            ("Matara", "120000.00"),
            ("Ratnapura", "89000.00"),
            ("Trincomalee", "104000.00"),
        ]
    );
    let products: Vec<_> = report["products"].as_array().unwrap().iter().collect();
    let seen: Vec<[&str; 6]> = products
        .iter()
        .map(|row| {
            ["product_name", "total_sales", "target_amount", "variance", "attainment", "status"]
                .map(|field| row[field].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        seen,
        [
            ["Life Insurance - Premium Plan", "150000.00", "150000.00", "0.00", "1.000000", "achieved"],
            ["Vehicle Insurance - Full Coverage", "174000.00", "85000.00", "89000.00", "2.047059", "achieved"],
            ["Health Insurance - Family", "224000.00", "120000.00", "104000.00", "1.866667", "achieved"],
            ["Life Insurance - Term Plan", "58000.00", "100000.00", "-42000.00", "0.580000", "not_achieved"],
            ["Health Insurance - Senior", "0.00", "90000.00", "-90000.00", "0.000000", "not_achieved"],
        ]
    );
    assert!(products.iter().all(|row| row["coverage"] == "full"));
    assert_eq!(sums(&report["control"]), (60_600_000, 6));
    assert_eq!(report["run"]["rows_read"], 6);
}

/// The files of the first version's own data and their maps, in the order in which they build on one another.
pub(crate) const MOONINSURANCE: [(&str, &str); 3] = [
    ("agents.csv", "mooninsurance-agents.toml"),
    ("products.csv", "mooninsurance-products.toml"),
    ("sales.csv", "mooninsurance-sales.toml"),
];

/// The golden totals of the real sales over all years.
pub(crate) fn check_agency_performance(report: &Value) {
    let teams = totals(report, "teams", "team");
    assert_eq!(teams.len(), 26);
    assert!(teams.contains(&("unassigned", "6655458.58")), "{teams:?}");
    assert_eq!(
        totals(report, "branches", "branch"),
        [
            ("IN", "26507809.66"),
            ("KY", "7846092.98"),
            ("MI", "2599.36"),
            ("OH", "48309973.64"),
            ("PA", "10095381.95"),
            ("WV", "412920.05"),
        ]
    );
    let products = totals(report, "products", "product");
    assert_eq!(products.len(), 27);
    let largest = products.iter().max_by_key(|(_, total)| total.replace('.', "").parse::<i64>().unwrap());
    assert_eq!(largest, Some(&("ANNIV", "31340714.80")));
    assert_eq!(report["control"], serde_json::json!({ "total_sales": "93174777.64", "sale_count": 5_679 }));
    for figure in ["teams", "branches", "products"] {
        let rows = report[figure].as_array().unwrap();
        let sum = rows.iter().map(sums).fold((0, 0), |sum, row| (sum.0 + row.0, sum.1 + row.1));
        assert_eq!(sum, (9_317_477_764, 5_679), "{figure}");
    }
}

/// The file of the real sales and its map.
pub(crate) const AGENCY_PERFORMANCE: [(&str, &str); 1] = [("sales.csv", "agency-performance.toml")];

/// Totals of some years of the real sales.
pub(crate) const YEARS: [(&str, &str); 4] =
    [("2005", "7665081.99"), ("2010", "8275460.48"), ("2014", "8416731.95"), ("2015", "3419300.71")];
