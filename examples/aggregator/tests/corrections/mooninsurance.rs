//! The first version's own data, six sales, corrected. The totals are worked out by hand: each line of `CORRECTED` names the
//! sales that stand behind it.

use moon_core::{LifeMessage, MessageBody, SaleContent, SaleKind, Version};
use serde_json::Value;

use crate::desk::{Desk, Way, cancel, minor, reinstate};
use crate::figures::{MOONINSURANCE, check_mooninsurance, data, totals};

/// Sales 1 and 3; 8 alone, as 2 has moved with its agent and 4 is cancelled; 5 and 6; what is left of 2.
const TEAMS: [(&str, &str); 4] =
    [("Alpha", "275000.50"), ("Beta", "45000.00"), ("Delta", "193000.00"), ("Gamma", "59999.75")];

/// A sale each, in the places that came with them: 4 is cancelled, 7 is void and is nowhere.
const BRANCHES: [(&str, &str); 7] = [
    ("Badulla", "0.00"),
    ("Colombo", "155000.50"),
    ("Kandy", "59999.75"),
    ("Matara", "120000.00"),
    ("Negombo", "45000.00"),
    ("Ratnapura", "89000.00"),
    ("Trincomalee", "104000.00"),
];

/// Name, sales, target, variance, attainment and status: 1; 2 and 5 against the new target; 3 and 6; 4; 8.
const PRODUCTS: [[&str; 6]; 5] = [
    ["Life Insurance - Premium Plan", "155000.50", "150000.00", "5000.50", "1.033337", "achieved"],
    ["Vehicle Insurance - Full Coverage", "148999.75", "160000.00", "-11000.25", "0.931248", "not_achieved"],
    ["Health Insurance - Family", "224000.00", "120000.00", "104000.00", "1.866667", "achieved"],
    ["Life Insurance - Term Plan", "0.00", "100000.00", "-100000.00", "0.000000", "not_achieved"],
    ["Health Insurance - Pensioners", "45000.00", "90000.00", "-45000.00", "0.500000", "not_achieved"],
];

/// Month, basis, amount and count. March gross: 155,000.50 + 85,000 + 58,000 + 89,000 + 104,000; net: less what was taken
/// from 2 and 4; activity: less the 89,000 that were cancelled in March. April gross and net: 120,000 + 45,000; activity:
/// less 25,000.25 and 58,000, and 89,000 restored.
const MONTHS: [(&str, &str, &str, i64); 6] = [
    ("2024-03", "gross", "491000.50", 5),
    ("2024-03", "net", "408000.25", 4),
    ("2024-03", "activity", "402000.50", 4),
    ("2024-04", "gross", "165000.00", 2),
    ("2024-04", "net", "165000.00", 2),
    ("2024-04", "activity", "170999.75", 2),
];

#[tokio::test]
async fn corrected_on_sqlite() {
    corrected(Way::Sqlite).await;
}

#[tokio::test]
async fn corrected_from_mariadb_to_postgres() {
    corrected(Way::Servers).await;
}

async fn corrected(way: Way) {
    let Some(folder) = data("mooninsurance") else { return };
    let Some(desk) = Desk::new(way, "mooninsurance", "LKR", &folder, &MOONINSURANCE).await else { return };
    check_mooninsurance(&desk.run("all", "net"));

    // Another amount, another day, another team.
    desk.correct("1", |sale| sale.amount = minor(15_500_050)).await;
    desk.correct("3", |sale| sale.date = "2024-04-02".parse().unwrap()).await;
    desk.correct("6", |sale| sale.team = Some("Delta".parse().unwrap())).await;
    // A part is cancelled, all is, and all is and comes back.
    desk.live("2", cancel("2024-04-10", Some(2_500_025))).await;
    desk.live("4", cancel("2024-04-20", None)).await;
    desk.live("5", cancel("2024-03-20", None)).await;
    desk.live("5", reinstate("2024-04-25")).await;
    // One that should never have been entered, and one that comes late.
    for (reference, agent, amount, date, branch) in
        [("7", "AGT004", 99_999, "2024-04-05", "Galle"), ("8", "AGT005", 4_500_000, "2024-04-15", "Negombo")]
    {
        let sale = SaleContent {
            agent: Some(agent.parse().unwrap()),
            product: "5".parse().unwrap(),
            amount: minor(amount),
            date: date.parse().unwrap(),
            kind: SaleKind::NewBusiness,
            policy_number: None,
            team: None,
            branch: Some(branch.parse().unwrap()),
        };
        desk.tell(reference, MessageBody::Content(sale)).await;
    }
    desk.live("7", LifeMessage::Void).await;
    // Entered late: its sale goes with the agent to the other team, and stays in the branch that came with it.
    assert_eq!(desk.assign("AGT002", "2024-03-01", "Gamma", "Galle").await, 1);
    desk.target("2", "all", 16_000_000, Some(Version::FIRST)).await;
    desk.rename("5", "Health Insurance - Pensioners").await;

    let after = desk.run_after().await;
    assert_eq!(totals(&after, "teams", "team"), TEAMS);
    assert_eq!(totals(&after, "branches", "branch"), BRANCHES);
    let fields = ["product_name", "total_sales", "target_amount", "variance", "attainment", "status"];
    let text = |row: &Value, field: &str| row[field].as_str().unwrap().to_owned();
    let products = after["products"].as_array().unwrap();
    let products: Vec<_> = products.iter().map(|row| fields.map(|field| text(row, field))).collect();
    assert_eq!(products, PRODUCTS);
    assert_eq!(after["control"], serde_json::json!({ "total_sales": "573000.25", "sale_count": 6 }));
    for (month, basis, total, count) in MONTHS {
        let control = serde_json::json!({ "total_sales": total, "sale_count": count });
        assert_eq!(desk.run(month, basis)["control"], control, "{month} {basis}");
    }
    desk.check_view("team_sales_metrics", "team", &TEAMS).await;
    desk.check_view("branch_sales_metrics", "branch", &BRANCHES).await;
}
