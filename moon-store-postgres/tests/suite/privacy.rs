//! Nothing in a PostgreSQL warehouse tells who an agent is.

use std::sync::Arc;

use moon_aggregate::{AgentFigures, Aggregation, PseudonymKey, RunCommand, RunOptions, Silent};
use moon_core::{
    Agent, Consent, Consents, Contact, DayRange, ErrorKind, LifeMessage, Name, PutRule, RunOutcome, Store, Warehouse,
};
use moon_testkit::builders::{
    actor, agent, assignment, content, content_message, fill, ledger, life_message, noon, rupees, text,
};
use tokio_postgres::Client;

use crate::publishing::{texts, warehouse};
use crate::support::{Database, skipped};

/// What would tell: codes, names and contact data.
const NEEDLES: [&str; 7] = [
    "AGT001",
    "AGT002",
    "agt001@example.org",
    "agt002@example.org",
    "+94 11 555 0001",
    "Name-of-AGT001",
    "Name-of-AGT002",
];

fn described(code: &str, analytics: bool) -> Agent {
    let consent = Consent { granted: analytics, at: noon("2026-06-01"), how: text("portal") };
    Agent {
        name: Name::new("name", &format!("Name-of-{code}")).unwrap(),
        contact: Contact {
            email: Some(text(&format!("{}@example.org", code.to_lowercase()))),
            phone: Some(text("+94 11 555 0001")),
        },
        consents: Consents { performance_analytics: Some(consent), notifications: None },
        ..agent(code)
    }
}

/// Every row of every table and view of a database as text, system catalogues left out.
async fn dump(client: &Client) -> String {
    let relations = texts(
        client,
        "SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables
         WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1",
    )
    .await;
    let mut all = String::new();
    for relation in relations {
        all.push_str(&relation);
        all.push('\n');
        for row in texts(client, &format!("SELECT found::text FROM {relation} found")).await {
            all.push_str(&row);
            all.push('\n');
        }
    }
    all
}

fn needles_in(dump: &str) -> Vec<&'static str> {
    NEEDLES.into_iter().filter(|needle| dump.contains(needle)).collect()
}

#[tokio::test]
async fn no_table_of_a_warehouse_tells_who_an_agent_is() {
    if skipped() {
        return;
    }
    let (ledger_database, warehouse_database) = (Database::migrated().await, Database::empty().await);
    let store: Arc<dyn Store> = Arc::new(ledger_database.store().await);
    fill(&store).await;
    let ledger = ledger(store).await;
    ledger.assign(&actor(), &[assignment("AGT001", "2026-01-01", "ALPHA", "COLOMBO")]).await.unwrap();
    let both = [described("AGT001", true), described("AGT002", false)];
    ledger.put_agents(&actor(), &both, PutRule::Replace).await.unwrap();
    let shown: Arc<dyn Warehouse> = Arc::new(warehouse(&warehouse_database).await);
    let figures = AgentFigures { key: PseudonymKey::new(&[7; 32]).unwrap() };
    let aggregation = Aggregation::new(ledger.clone(), Arc::clone(&shown)).with_agent_figures(figures.clone());
    let run = async |command: RunCommand, allow_shrink| {
        let options = RunOptions { allow_shrink, ..RunOptions::default() };
        aggregation.run(&command, &options, &Silent).await
    };
    let (of_ledger, of_warehouse) = (ledger_database.client().await, warehouse_database.client().await);
    let check = async |told: &str| {
        assert_eq!(needles_in(&dump(&of_warehouse).await), Vec::<&str>::new(), "{told}");
    };

    let sale =
        |number: &str, agent: &str, day: &str| content_message(number, None, content(agent, "LIFE", day, rupees(100)));
    let sales =
        [sale("1", "AGT001", "2026-01-15"), sale("2", "AGT002", "2026-01-31"), sale("3", "AGT002", "2026-02-01")];
    ledger.record_sales(&actor(), &sales).await.unwrap();
    run(RunCommand::incremental(), false).await.unwrap();
    ledger.put_agents(&actor(), &[described("AGT002", true)], PutRule::Replace).await.unwrap();
    run(RunCommand::incremental(), false).await.unwrap();
    let mut found: Vec<_> =
        shown.agent_cells(DayRange::ALL).await.unwrap().into_iter().map(|cell| cell.agent).collect();
    found.sort_unstable();
    found.dedup();
    let mut pseudonyms = ["AGT001", "AGT002"].map(|code| figures.key.pseudonym(code).unwrap());
    pseudonyms.sort_unstable();
    assert_eq!(found, pseudonyms);
    check("after runs").await;

    let void = |number: &str| life_message(number, None, LifeMessage::Void);
    ledger.record_sales(&actor(), &[void("2"), void("3")]).await.unwrap();
    assert_eq!(run(RunCommand::full(), false).await.unwrap_err().kind(), ErrorKind::Refused);
    check("after a refused run").await;

    // Rows that were written past the ledger and that nobody can read: the errors tell what is in them.
    for (told, column, value) in [
        ("a name", "name", "Name-of-AGT001\t"),
        ("an address", "email", "agt001@example.org\t"),
        ("a number", "phone", "+94 11 555 0001\t"),
        ("a code", "code", "AGT001 "),
    ] {
        let change = format!("UPDATE ledger_agents SET {column} = $1 WHERE code = $2 RETURNING code");
        let before = of_ledger.query_one("SELECT * FROM ledger_agents WHERE code = 'AGT001'", &[]).await.unwrap();
        let before: String = before.get(column);
        of_ledger.query_one(&change, &[&value, &"AGT001"]).await.unwrap();
        let ended = run(RunCommand::full(), true).await;
        assert!(ended.is_err(), "{told}: {ended:?}");
        assert_eq!(shown.runs(1).await.unwrap().first().map(|run| run.outcome), Some(RunOutcome::Failed), "{told}");
        check(told).await;
        let code = if column == "code" { value } else { "AGT001" };
        of_ledger.query_one(&change, &[&before, &code]).await.unwrap();
    }
    run(RunCommand::full(), true).await.unwrap();
    check("after all that").await;
    // The search itself finds what is there.
    assert_eq!(needles_in(&dump(&of_ledger).await), NEEDLES);
}
