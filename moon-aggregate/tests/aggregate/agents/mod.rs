//! Figures of agents by month, under pseudonyms.

mod privacy;

use moon_aggregate::{PseudonymKey, RunCommand, Silent, WITHHELD};
use moon_core::{
    AgentCell, Amount, Basis, DayRange, LifeMessage, NewTarget, RunKind, Sum, TargetKey, TargetScope, UNASSIGNED,
};

use crate::common::{Fixture, actor, agent_figures, code, day, fixtures, life, sale};

/// Amount and count on each basis: gross, net, activity.
type Sums = [(i128, i64); 3];
/// Month, agent and its sums.
type Row = (String, String, Sums);

async fn shown(fixture: &Fixture) -> Vec<Row> {
    let row = |AgentCell { month, agent, figures }| {
        let sum = |basis| {
            let Sum { minor, count } = moon_core::Figures::of(&figures, basis);
            (minor, count)
        };
        (month.to_string(), agent, [Basis::Gross, Basis::Net, Basis::Activity].map(sum))
    };
    fixture.warehouse.agent_cells(DayRange::ALL).await.unwrap().into_iter().map(row).collect()
}

/// Rows in the order in which they are read.
fn expected(rows: &[(&str, &str, Sums)]) -> Vec<Row> {
    let mut rows: Vec<Row> =
        rows.iter().map(|(month, agent, sums)| ((*month).to_owned(), (*agent).to_owned(), *sums)).collect();
    rows.sort_unstable();
    rows
}

fn pseudonym(key: u8, agent: &str) -> String {
    PseudonymKey::new(&[key; 32]).unwrap().pseudonym(agent).unwrap()
}

/// AGT001: 1,000 in January, of which 300 are cancelled in February, and 50 in February; AGT002: 70 in January and a
/// correction of -20 in February; 9 in January by nobody.
async fn filled(fixture: Fixture) -> Fixture {
    let mut fixture = fixture.with_masters().await;
    let part = Some(Amount::from_minor(300).unwrap());
    fixture
        .record(&[
            sale("1", Some("AGT001"), "Junior", 1_000, "2026-01-15"),
            life("1", LifeMessage::Cancel { date: day("2026-02-03"), amount: part }),
            sale("2", Some("AGT001"), "Senior", 50, "2026-02-28"),
            sale("3", Some("AGT002"), "Junior", 70, "2026-01-31"),
            sale("4", Some("AGT002"), "Junior", -20, "2026-02-01"),
            sale("5", None, "Senior", 9, "2026-01-01"),
        ])
        .await;
    fixture.agents = Some(agent_figures(1));
    fixture
}

const JANUARY: &str = "2026-01-01";
const FEBRUARY: &str = "2026-02-01";

#[tokio::test]
async fn agents_are_shown_apart_as_long_as_they_allow_it() {
    for fixture in fixtures().await {
        let fixture = filled(fixture).await;
        let (first, second) = (pseudonym(1, "AGT001"), pseudonym(1, "AGT002"));
        let nobody = (JANUARY, UNASSIGNED, [(9, 1), (9, 1), (9, 1)]);
        let first_january = [(1_000, 1), (700, 1), (1_000, 1)];
        let first_february = [(50, 1), (50, 1), (-250, 1)];
        let (second_january, second_february) = ([(70, 1); 3], [(-20, 1); 3]);

        // Nobody was ever asked.
        fixture.run().await.unwrap();
        let all_withheld = expected(&[
            nobody,
            (JANUARY, WITHHELD, [(1_070, 2), (770, 2), (1_070, 2)]),
            (FEBRUARY, WITHHELD, [(30, 2), (30, 2), (-270, 2)]),
        ]);
        assert_eq!(shown(&fixture).await, all_withheld, "{}", fixture.backend);

        fixture.consent("AGT001", Some(true)).await;
        fixture.consent("AGT002", Some(false)).await;
        let run = fixture.run().await.unwrap().record;
        assert_eq!(run.kind, RunKind::Full, "all months change");
        let one_shown = expected(&[
            nobody,
            (JANUARY, &first, first_january),
            (JANUARY, WITHHELD, second_january),
            (FEBRUARY, &first, first_february),
            (FEBRUARY, WITHHELD, second_february),
        ]);
        assert_eq!(shown(&fixture).await, one_shown, "{}", fixture.backend);

        fixture.consent("AGT002", Some(true)).await;
        fixture.run().await.unwrap();
        let both_shown = expected(&[
            nobody,
            (JANUARY, &first, first_january),
            (JANUARY, &second, second_january),
            (FEBRUARY, &first, first_february),
            (FEBRUARY, &second, second_february),
        ]);
        assert_eq!(shown(&fixture).await, both_shown, "{}", fixture.backend);

        fixture.consent("AGT001", Some(false)).await;
        fixture.consent("AGT002", None).await;
        let told = fixture.aggregation().preview(&RunCommand::incremental(), &Silent).await.unwrap();
        assert_eq!(told.agent_months, [day(JANUARY), day(FEBRUARY)]);
        assert!(told.cells.is_empty() && !told.is_empty());
        fixture.run().await.unwrap();
        assert_eq!(shown(&fixture).await, all_withheld, "{}", fixture.backend);
        let run = fixture.run().await.unwrap().record;
        assert_eq!((run.kind, run.rows_read), (RunKind::Incremental, 0), "nothing is left to do");
    }
}

#[tokio::test]
async fn another_key_gives_other_pseudonyms_and_none_leaves_no_figures() {
    for fixture in fixtures().await {
        let mut fixture = filled(fixture).await;
        fixture.consent("AGT001", Some(true)).await;
        fixture.consent("AGT002", Some(true)).await;
        fixture.run().await.unwrap();
        let before = shown(&fixture).await;
        let cells = fixture.warehouse.cells(DayRange::ALL).await.unwrap();

        fixture.agents = Some(agent_figures(2));
        let run = fixture.run().await.unwrap().record;
        assert_eq!(run.kind, RunKind::Full, "{}", fixture.backend);
        let after = shown(&fixture).await;
        let names = |rows: &[Row]| -> Vec<String> {
            let mut names: Vec<_> = rows.iter().map(|(_, name, _)| name.clone()).collect();
            names.sort_unstable();
            names.dedup();
            names
        };
        let sorted = |mut names: Vec<String>| {
            names.sort_unstable();
            names
        };
        let all = |key| sorted(vec![pseudonym(key, "AGT001"), pseudonym(key, "AGT002"), UNASSIGNED.to_owned()]);
        assert_eq!((names(&before), names(&after)), (all(1), all(2)), "{}", fixture.backend);
        let sums = |rows: &[Row]| {
            let mut sums: Vec<_> = rows.iter().map(|(month, _, sums)| (month.clone(), *sums)).collect();
            sums.sort_unstable();
            sums
        };
        assert_eq!(sums(&before), sums(&after), "{}", fixture.backend);

        // Switched off by an incremental run as by a full one.
        fixture.agents = None;
        let told = fixture.aggregation().preview(&RunCommand::incremental(), &Silent).await.unwrap();
        assert_eq!(told.agent_months, [day(JANUARY), day(FEBRUARY)]);
        fixture.run().await.unwrap();
        assert_eq!(shown(&fixture).await, [], "{}", fixture.backend);
        assert_eq!(fixture.warehouse.cells(DayRange::ALL).await.unwrap(), cells, "{}", fixture.backend);
        let run = fixture.run().await.unwrap().record;
        assert_eq!((run.kind, run.rows_read, run.manifest.agent_key), (RunKind::Incremental, 0, None));
    }
}

#[tokio::test]
async fn an_incremental_run_computes_the_months_that_changed_and_keeps_the_others() {
    for fixture in fixtures().await {
        let fixture = filled(fixture).await;
        fixture.consent("AGT001", Some(true)).await;
        fixture.run().await.unwrap();
        // A month whose metrics are replaced, and a sale in another one.
        let key = TargetKey {
            product: Some(code("Junior")),
            scope: TargetScope::Ledger,
            period: fixture.ledger.settings().calendar.parse("2026-01").unwrap(),
        };
        let target = NewTarget { key, from: None, amount: Amount::from_minor(5).unwrap(), expected: None };
        fixture.ledger.set_targets(&actor(), &[target]).await.unwrap();
        fixture.record(&[sale("6", Some("AGT001"), "Junior", 8, "2026-02-14")]).await;
        let run = fixture.run().await.unwrap().record;
        // February has the sales 2, 4 and 6, and the cancellation of the first one, which comes with it.
        assert_eq!((run.kind, run.days.len()), (RunKind::Incremental, 1), "{}", fixture.backend);
        assert!((4..=5).contains(&run.rows_read), "{}: {}", fixture.backend, run.rows_read);
        let first = pseudonym(1, "AGT001");
        let rows = expected(&[
            (JANUARY, UNASSIGNED, [(9, 1); 3]),
            (JANUARY, &first, [(1_000, 1), (700, 1), (1_000, 1)]),
            (JANUARY, WITHHELD, [(70, 1); 3]),
            (FEBRUARY, &first, [(58, 2), (58, 2), (-242, 2)]),
            (FEBRUARY, WITHHELD, [(-20, 1); 3]),
        ]);
        assert_eq!(shown(&fixture).await, rows, "{}", fixture.backend);

        // A month that loses its last posting has no row any more.
        fixture.record(&[life("3", LifeMessage::Void), life("5", LifeMessage::Void)]).await;
        fixture.record(&[life("1", LifeMessage::Void)]).await;
        fixture.insist(&RunCommand::incremental()).await.unwrap();
        let rows = expected(&[(FEBRUARY, &first, [(58, 2); 3]), (FEBRUARY, WITHHELD, [(-20, 1); 3])]);
        assert_eq!(shown(&fixture).await, rows, "{}", fixture.backend);
    }
}
