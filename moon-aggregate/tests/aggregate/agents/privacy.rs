//! Nothing in the warehouse tells who an agent is.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use moon_aggregate::{RunCommand, RunOptions, Silent};
use moon_core::{
    Agent, Amount, Contact, DayRange, ErrorKind, LifeMessage, Lock, Name, NewTarget, PutRule, RunOutcome, Store,
    TargetKey, TargetScope, Text,
};
use moon_store_sqlite::{SqliteStore, SqliteWarehouse};
use moon_testkit::faulty::{Fault, FaultyStore, Moment};

use crate::common::{Fixture, Trick, Tricky, actor, agent_figures, code, life, sale, sqlite};

/// What would tell: codes, names and contact data. All of them are longer than anything that stands in bytes by chance.
const NEEDLES: [&str; 8] = [
    "AGT001",
    "AGT002",
    "agt001@example.org",
    "agt002@example.org",
    "+94 11 555 0001",
    "+94 11 555 0002",
    "Name-of-the-first",
    "Name-of-the-second",
];

/// A ledger and a warehouse in files of their own.
async fn apart() -> Fixture {
    let mut fixture = sqlite().await;
    let folder = fixture.folder.as_ref().unwrap().path();
    let url = |name: &str| format!("sqlite:{}", folder.join(name).display());
    let store = SqliteStore::connect(&url("store.db")).await.unwrap();
    let warehouse = SqliteWarehouse::connect(&url("warehouse.db"), "LKR".parse().unwrap()).await.unwrap();
    store.migrate().await.unwrap();
    moon_core::Warehouse::migrate(&warehouse).await.unwrap();
    fixture.ledger = fixture.over(Arc::new(store)).await;
    fixture.warehouse = Arc::new(warehouse);
    fixture.agents = Some(agent_figures(1));
    let fixture = fixture.with_masters().await;
    for (agent, name) in [("AGT001", "Name-of-the-first"), ("AGT002", "Name-of-the-second")] {
        let mut unit = fixture.ledger.snapshot().await.unwrap();
        let found = unit.agents().find(&[code(agent)], Lock::None).await.unwrap().remove(0).unwrap();
        drop(unit);
        let contact = Contact {
            email: Some(Text::new("email", &format!("{}@example.org", agent.to_lowercase())).unwrap()),
            phone: Some(Text::new("phone", &format!("+94 11 555 0{}", &agent[3..])).unwrap()),
        };
        let agent = Agent { name: Name::new("name", name).unwrap(), contact, ..found };
        fixture.ledger.put_agents(&actor(), &[agent], PutRule::Replace).await.unwrap();
    }
    fixture
}

/// Which needles stand in the files of a database: in the one of that name and in its journals.
fn found_in(folder: &Path, name: &str) -> Vec<&'static str> {
    let mut bytes = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().starts_with(name) {
            bytes.extend(fs::read(path).unwrap());
        }
    }
    assert!(bytes.len() > 4_096, "{name} was written to");
    let text = String::from_utf8_lossy(&bytes);
    NEEDLES.into_iter().filter(|needle| text.contains(needle)).collect()
}

#[tokio::test]
async fn neither_names_nor_contact_data_nor_codes_of_agents_reach_the_warehouse() {
    let fixture = apart().await;
    let folder = fixture.folder.as_ref().unwrap().path();
    let insist = RunOptions { allow_shrink: true, ..RunOptions::default() };
    let check = |told: &str| {
        assert_eq!(found_in(folder, "warehouse.db"), Vec::<&str>::new(), "{told}");
    };

    // Runs: with and without consent, corrected, withdrawn, and with a target of an agent.
    fixture.consent("AGT001", Some(true)).await;
    fixture
        .record(&[
            sale("1", Some("AGT001"), "Junior", 1_000, "2026-01-15"),
            sale("2", Some("AGT002"), "Junior", 70, "2026-01-31"),
            sale("3", Some("AGT002"), "Senior", 30, "2026-03-31"),
        ])
        .await;
    let key = TargetKey {
        product: Some(code("Junior")),
        scope: TargetScope::Agent(code("AGT001")),
        period: fixture.ledger.settings().calendar.parse("2026-01").unwrap(),
    };
    let target = NewTarget { key, from: None, amount: Amount::from_minor(5).unwrap(), expected: None };
    fixture.ledger.set_targets(&actor(), &[target]).await.unwrap();
    fixture.run().await.unwrap();
    fixture.record(&[sale("2", Some("AGT001"), "Senior", 71, "2026-02-01")]).await;
    fixture.run().await.unwrap();
    fixture.consent("AGT001", Some(false)).await;
    fixture.consent("AGT002", Some(true)).await;
    fixture.run().await.unwrap();
    let january = fixture.ledger.settings().calendar.parse("2026-01").unwrap();
    fixture.run_as(&RunCommand { close: vec![january], ..RunCommand::full() }).await.unwrap();
    assert!(!fixture.warehouse.agent_cells(DayRange::ALL).await.unwrap().is_empty());
    check("after runs");

    // Refused runs: cells are lost on the way, and sales are gone.
    let tricky = Tricky::new(Arc::clone(&fixture.warehouse), [Trick::LoseCell]);
    let lossy = fixture.aggregation_into(Arc::<Tricky>::clone(&tricky));
    let refused = lossy.run(&RunCommand::full(), &insist, &Silent).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused);
    fixture.record(&[life("1", LifeMessage::Void), life("2", LifeMessage::Void)]).await;
    let refused = fixture.run().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused);
    check("after refused runs");

    // Failures, at any call of the store.
    let honest = fixture.ledger.clone();
    let mut failures = 0;
    for at in 0..60 {
        let faulty = FaultyStore::new(Arc::clone(honest.store()));
        let ledger = fixture.over(Arc::new(faulty.clone())).await;
        faulty.set(Some(Fault { at, times: 1, moment: Moment::After, kind: ErrorKind::Backend }));
        let failing = moon_aggregate::Aggregation::new(ledger, Arc::clone(&fixture.warehouse))
            .with_agent_figures(agent_figures(1));
        let _ = failing.run(&RunCommand::full(), &insist, &Silent).await;
        faulty.set(None);
        fixture.wait();
        // The next run repeats this one and replaces its record.
        let record = fixture.warehouse.runs(1).await.unwrap().remove(0);
        failures += usize::from(record.outcome == RunOutcome::Failed);
        assert!(!NEEDLES.iter().any(|needle| format!("{record:?}").contains(needle)), "{record:?}");
    }
    assert!(failures > 10, "{failures}");
    check("after failures");
    fixture.insist(&RunCommand::incremental()).await.unwrap();
    check("after all that");

    // The search itself finds what is there: the ledger has it all.
    assert_eq!(found_in(folder, "store.db"), NEEDLES);
}
