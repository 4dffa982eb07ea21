//! The two real sets, by the maps in the project, to the cent. They are no part of the project: without them these tests
//! say so and pass.

use std::path::{Path, PathBuf};

use moon_core::{BusinessDate, TxMode};
use moon_import::ImportMap;

use super::bench::{Bench, counts};

#[expect(clippy::print_stdout, reason = "what is skipped is said")]
fn data() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: ../shared/data is absent");
    None
}

fn map(name: &str) -> ImportMap {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/integration-service/maps");
    ImportMap::load(&folder.join(name)).unwrap()
}

#[tokio::test]
async fn agency_performance_is_reproduced_to_the_cent() {
    let Some(data) = data() else { return };
    let bench = Bench::new("USD").await;
    let (map, file) = (map("agency-performance.toml"), data.join("agency-performance/sales.csv"));
    let report = bench.import(&file, &map).await.unwrap();
    assert_eq!(counts(&report), [5_679, 5_679, 0, 0, 0, 0, 0]);
    assert_eq!(report.rejects, None);
    for _ in 0..2 {
        let totals = bench.totals().await;
        assert_eq!(totals.all, (9_317_477_764, 5_679));
        assert_eq!((totals.teams.len(), totals.branches.len(), totals.products.len()), (26, 6, 27));
        assert_eq!(totals.teams["unassigned"], 665_545_858);
        let branches = [
            ("IN", 2_650_780_966),
            ("KY", 784_609_298),
            ("MI", 259_936),
            ("OH", 4_830_997_364),
            ("PA", 1_009_538_195),
            ("WV", 41_292_005),
        ];
        for (branch, minor) in branches {
            assert_eq!(totals.branches[branch], minor, "{branch}");
        }
        assert_eq!(totals.products["ANNIV"], 3_134_071_480);
        assert!(totals.products.contains_key("ANNIV 12"), "blanks are collapsed");
        // The year stands for its last day.
        let years = [(2005, 766_508_199), (2010, 827_546_048), (2014, 841_673_195), (2015, 341_930_071)];
        for (year, minor) in years {
            let day = BusinessDate::new(year, 12, 31).unwrap().epoch_day();
            assert_eq!(totals.days[&day], minor, "{year}");
        }
        assert_eq!(totals.days.len(), 11);

        let again = bench.import(&file, &map).await.unwrap();
        assert_eq!(counts(&again), [5_679, 0, 5_679, 0, 0, 0, 0]);
    }
}

#[tokio::test]
async fn the_truncated_file_has_one_reject_that_names_its_line() {
    let Some(data) = data() else { return };
    let bench = Bench::new("USD").await;
    let file = data.join("agency-performance/sales_truncated_last_line.csv");
    let report = bench.import(&file, &map("agency-performance.toml")).await.unwrap();
    assert_eq!(counts(&report), [5_680, 5_679, 0, 0, 0, 0, 1]);
    assert_eq!(bench.rejected(), [(5_681, String::new(), "row has 19 values where the header has 49".to_owned())]);
    assert_eq!(bench.totals().await.all, (9_317_477_764, 5_679));
}

#[tokio::test]
async fn mooninsurance_has_its_golden_totals_and_targets() {
    let Some(data) = data() else { return };
    let bench = Bench::new("LKR").await;
    for (name, rows) in [("agents", 8), ("products", 5), ("sales", 6)] {
        let file = data.join(format!("mooninsurance/{name}.csv"));
        let map = map(&format!("mooninsurance-{name}.toml"));
        let report = bench.import(&file, &map).await.unwrap();
        assert_eq!(counts(&report), [rows, rows, 0, 0, 0, 0, 0], "{name}");
        let again = bench.import(&file, &map).await.unwrap();
        assert_eq!(counts(&again), [rows, 0, rows, 0, 0, 0, 0], "{name}");
    }
    let totals = bench.totals().await;
    let expected = |rows: &[(&str, i128)]| rows.iter().map(|(code, units)| ((*code).to_owned(), units * 100)).collect();
    assert_eq!(totals.all, (60_600_000, 6));
    assert_eq!(totals.teams, expected(&[("Alpha", 270_000), ("Beta", 143_000), ("Delta", 89_000), ("Gamma", 104_000)]));
    let branches = [
        ("Badulla", 58_000),
        ("Colombo", 150_000),
        ("Kandy", 85_000),
        ("Matara", 120_000),
        ("Ratnapura", 89_000),
        ("Trincomalee", 104_000),
    ];
    assert_eq!(totals.branches, expected(&branches));
    assert_eq!(totals.products, expected(&[("1", 150_000), ("2", 174_000), ("3", 224_000), ("4", 58_000)]));

    let mut unit = bench.ledger.store().begin(TxMode::ReadOnly).await.unwrap();
    let mut targets: Vec<(String, i64)> = Vec::new();
    for target in unit.products().targets().await.unwrap() {
        assert_eq!(target.key.period, moon_core::Period::ALL);
        targets.push((target.key.product.unwrap().to_string(), target.amount.minor() / 100));
    }
    targets.sort();
    let wanted = [("1", 150_000), ("2", 85_000), ("3", 120_000), ("4", 100_000), ("5", 90_000)];
    assert_eq!(targets, wanted.map(|(code, units)| (code.to_owned(), units)));
    let branches = unit.organisation().list_branches(&moon_core::PageRequest::first(100)).await.unwrap().items;
    assert_eq!(branches.len(), 8, "Galle and Negombo have no sale and are there");
}
