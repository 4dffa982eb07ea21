//! Agents, products, targets, assignments, teams and branches.

use moon_core::{AgentCode, PageRequest};

use super::bench::{Bench, counts};

const AGENTS: &str = r#"
kind = "agents"
[columns]
code = "CODE"
name = "NAME"
status = "STATUS"
time_zone = "ZONE"
team = "TEAM"
branch = "BRANCH"
from = "SINCE"
[unknown]
teams = "create"
branches = "create"
"#;

const ASSIGNMENTS: &str = r#"
kind = "assignments"
[columns]
agent = "AGENT"
team = "TEAM"
branch = "BRANCH"
from = "FROM"
to = "TO"
"#;

const TARGETS: &str = r#"
kind = "targets"
[columns]
product = "PRODUCT"
branch = "BRANCH"
team = "TEAM"
period = "PERIOD"
amount = "AMOUNT"
from = "FROM"
"#;

async fn with_agents() -> Bench {
    let bench = Bench::new("LKR").await;
    let text = "CODE,NAME,STATUS,ZONE,TEAM,BRANCH,SINCE\nAGT001,First,active,,Alpha,Colombo,2026-01-01\nAGT002,,left,Europe/Berlin,,,\n";
    assert_eq!(counts(&bench.import_text("agents.csv", text, AGENTS).await.unwrap()), [2, 2, 0, 0, 0, 0, 0]);
    bench
}

#[tokio::test]
async fn agents_are_created_corrected_and_left_alone() {
    let bench = with_agents().await;
    let text = "CODE,NAME,STATUS,ZONE,TEAM,BRANCH,SINCE
AGT001,First,active,,Alpha,Colombo,2026-01-01
AGT002,,suspended,Europe/Berlin,,,
AGT003,Third,,,Beta,Kandy,2026-02-01
AGT004,,busy,,,,
AGT005,,,Mars/Base,,,
AGT006,,,,Alpha,,2026-01-01
AGT001,First,active,,Alpha,Kandy,2026-01-01
";
    let report = bench.import_text("agents.csv", text, AGENTS).await.unwrap();
    assert_eq!(counts(&report), [7, 1, 1, 2, 0, 0, 3]);
    let mut unit = bench.ledger.snapshot().await.unwrap();
    let agents = unit.agents().list(&PageRequest::first(10)).await.unwrap().items;
    let shown: Vec<_> = agents.iter().map(|agent| (agent.name.as_str(), agent.status.name())).collect();
    assert_eq!(shown, [("First", "active"), ("AGT002", "suspended"), ("Third", "active")]);
    let assignments = unit.agents().assignments(&[AgentCode::new("AGT001").unwrap()]).await.unwrap();
    assert_eq!(assignments.iter().map(|one| one.branch.as_str()).collect::<Vec<_>>(), ["Kandy"]);
}

#[tokio::test]
async fn what_a_map_does_not_speak_of_stays() {
    let bench = with_agents().await;
    let map = "kind = \"agents\"\n[columns]\ncode = \"CODE\"\nemail = \"MAIL\"\n";
    let report = bench.import_text("agents.csv", "CODE,MAIL\nAGT001,one@example.com\n", map).await.unwrap();
    assert_eq!(counts(&report), [1, 0, 0, 1, 0, 0, 0]);
    let mut unit = bench.ledger.snapshot().await.unwrap();
    let agent = unit.agents().list(&PageRequest::first(1)).await.unwrap().items.remove(0);
    assert_eq!((agent.name.as_str(), agent.contact.email.as_ref().unwrap().as_str()), ("First", "one@example.com"));
}

#[tokio::test]
async fn an_agent_whose_team_may_not_be_created_is_not_created_either() {
    let bench = Bench::new("LKR").await;
    let map = AGENTS.replace("teams = \"create\"", "teams = \"refuse\"");
    let text = "CODE,NAME,STATUS,ZONE,TEAM,BRANCH,SINCE\nAGT001,First,active,,Alpha,Colombo,2026-01-01\n";
    let report = bench.import_text("agents.csv", text, &map).await.unwrap();
    assert_eq!(counts(&report), [1, 0, 0, 0, 0, 0, 1]);
    assert_eq!(bench.rejected()[0].2, "team is not known (code: Alpha)");
    let mut unit = bench.ledger.snapshot().await.unwrap();
    assert_eq!(unit.agents().list(&PageRequest::first(1)).await.unwrap().items, []);
    assert_eq!(unit.organisation().list_branches(&PageRequest::first(1)).await.unwrap().items, []);
}

#[tokio::test]
async fn assignments_that_cannot_be_are_rejected_one_by_one() {
    let bench = with_agents().await;
    let text = "AGENT,TEAM,BRANCH,FROM,TO
AGT001,Alpha,Colombo,2026-06-01,
AGT001,Alpha,Colombo,2026-03-01,2026-07-01
AGT001,Alpha,Colombo,2026-03-01,2026-03-01
AGT009,Alpha,Colombo,2026-03-01,
AGT001,Omega,Colombo,2026-03-01,
AGT001,unassigned,Colombo,2026-03-01,
AGT001,Alpha,Colombo,2026-03-01,2026-06-01
AGT001,Alpha,Colombo,2026-03-01,2026-06-01
";
    let report = bench.import_text("a.csv", text, ASSIGNMENTS).await.unwrap();
    assert_eq!(counts(&report), [8, 2, 1, 0, 0, 0, 5]);
    let rejected = bench.rejected();
    let reasons = [
        (3, "assignment ends beyond the start of the next one"),
        (4, "assignment ends before it starts"),
        (5, "agent is not known"),
        (6, "team is not known"),
        (7, "team code is reserved"),
    ];
    for ((line, _, reason), (expected_line, expected)) in rejected.iter().zip(reasons) {
        assert!(*line == expected_line && reason.starts_with(expected), "{line} {reason}");
    }
}

#[tokio::test]
async fn targets_are_set_once_for_each_key_of_a_file() {
    let bench = with_agents().await;
    let products = "kind = \"products\"\n[columns]\ncode = \"CODE\"\n";
    bench.import_text("products.csv", "CODE\nLIFE\n", products).await.unwrap();
    let header = "PRODUCT,BRANCH,TEAM,PERIOD,AMOUNT,FROM\n";
    let rows = "LIFE,,,2026-03,1000,
LIFE,,,2026-03,2000,
LIFE,,,2026-03,2000,2026-03-15
LIFE,Colombo,,2026-Q1,500,
,,Alpha,2026,9000,
LIFE,Colombo,Alpha,2026,1,
LIFE,,,2026-W10,1,
LIFE,,,2026-04,-1,
PETS,,,2026-04,1,
LIFE,,,2026-13,1,
";
    let report = bench.import_text("targets.csv", format!("{header}{rows}"), TARGETS).await.unwrap();
    assert_eq!(counts(&report), [10, 4, 0, 0, 0, 0, 6]);
    let rejected = bench.rejected();
    let reasons = [
        "target is given twice in this file, first on line 2",
        "a target is for one of branch, team and agent",
        "target is not for a month",
        "target is negative",
        "product is not known",
        "period is not",
    ];
    for ((_, _, reason), expected) in rejected.iter().zip(reasons) {
        assert!(reason.starts_with(expected), "{reason}");
    }
    let again = "LIFE,,,2026-03,1000,\nLIFE,,,2026-03,2500,2026-03-15\n";
    let report = bench.import_text("targets.csv", format!("{header}{again}"), TARGETS).await.unwrap();
    assert_eq!(counts(&report), [2, 0, 1, 1, 0, 0, 0]);
}

#[tokio::test]
async fn a_product_with_a_bad_target_is_not_created() {
    let bench = Bench::new("LKR").await;
    let map = "kind = \"products\"\n[columns]\ncode = \"CODE\"\nfree_look_days = \"DAYS\"\ntarget = \"TARGET\"\ntarget_period = { constant = \"all\" }\n";
    let text = "CODE,DAYS,TARGET\nA,14,\nB,14,-1\nC,soon,1\nD,,1\nD,,2\n";
    let report = bench.import_text("products.csv", text, map).await.unwrap();
    assert_eq!(counts(&report), [5, 2, 0, 0, 0, 0, 3]);
    let mut unit = bench.ledger.snapshot().await.unwrap();
    let products = unit.products().list(&PageRequest::first(10)).await.unwrap().items;
    assert_eq!(products.iter().map(|product| product.code.as_str()).collect::<Vec<_>>(), ["A", "D"]);
    assert_eq!(unit.products().targets().await.unwrap().len(), 1);
}

#[tokio::test]
async fn teams_and_branches_take_names_and_regions() {
    let bench = with_agents().await;
    let teams = "kind = \"teams\"\n[columns]\ncode = \"CODE\"\nname = \"NAME\"\n";
    let report = bench.import_text("t.csv", "CODE,NAME\nAlpha,Team Alpha\nBeta,\nunassigned,x\n", teams).await.unwrap();
    assert_eq!(counts(&report), [3, 1, 0, 1, 0, 0, 1]);
    let branches = "kind = \"branches\"\n[columns]\ncode = \"CODE\"\nregion = \"REGION\"\n";
    let report = bench.import_text("b.csv", "CODE,REGION\nColombo,Western\nColombo,Western\n", branches).await.unwrap();
    assert_eq!(counts(&report), [2, 0, 1, 1, 0, 0, 0]);
    let mut unit = bench.ledger.snapshot().await.unwrap();
    let branch = unit.organisation().list_branches(&PageRequest::first(1)).await.unwrap().items.remove(0);
    assert_eq!(branch.region.unwrap().as_str(), "Western");
}
