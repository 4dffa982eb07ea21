//! Everything that goes in comes out again, byte for byte.

use crate::common::{Database, agent, amount, at, branch, date, product, read, sale, team, text, write};
use moon_core::{
    Adjustment, AdjustmentKind, AgentCode, Assignment, AuditEntry, BranchCode, Calendar, Consent, Consents, Contact,
    ErrorKind, Expected, LifeMessage, Lock, Mark, MessageBody, PageRequest, Period, Places, ProductCode, Record,
    RecordKey, Reference, Revision, Sale, SaleChange, SaleKey, SaleQuery, StoredMessage, Target, TargetKey,
    TargetScope, TeamCode, Version,
};
use uuid::Uuid;

#[tokio::test]
async fn agents_teams_branches_and_products_round_trip_and_keep_versions() {
    let database = Database::new();
    let store = database.filled().await;
    let mut full = agent("Ünïcode 😀 '; DROP TABLE ledger_agents; --");
    full.contact = Contact { email: Some(text("a@example.org")), phone: Some(text("+94 1")) };
    full.time_zone = Some(chrono_tz::Asia::Colombo);
    full.status = moon_core::AgentStatus::Suspended;
    full.consents = Consents {
        performance_analytics: Some(Consent { granted: true, at: at(1), how: text("portal") }),
        notifications: Some(Consent { granted: false, at: at(2), how: text("form") }),
    };
    let mut unit = write(&store).await;
    unit.agents().put(&full, None).await.unwrap();
    assert_eq!(unit.agents().put(&full, None).await.unwrap_err().kind(), ErrorKind::AlreadyExists);
    let mut next = full.clone();
    next.version = Version(2);
    next.time_zone = None;
    let stale = unit.agents().put(&next, Some(Version(7))).await.unwrap_err();
    assert_eq!(stale.kind(), ErrorKind::VersionConflict);
    let missing = unit.agents().put(&agent("missing"), Some(Version(1))).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::VersionConflict);
    let codes = [full.code.clone(), AgentCode::new("nobody").unwrap(), full.code.clone()];
    let found = unit.agents().find(&codes, Lock::Exclusive).await.unwrap();
    assert_eq!(found, [Some(full.clone()), None, Some(full.clone())]);
    unit.agents().put(&next, Some(Version(1))).await.unwrap();
    let listed = unit.agents().list(&PageRequest::first(1)).await.unwrap();
    assert_eq!(listed.items, [agent("A")]);
    let rest = PageRequest::first(1).following(&listed).unwrap();
    assert_eq!(unit.agents().list(&rest).await.unwrap().items, [next]);

    assert_eq!(unit.organisation().put_team(&team("T"), None).await.unwrap_err().kind(), ErrorKind::AlreadyExists);
    let mut renamed = branch("B");
    renamed.region = None;
    renamed.version = Version(2);
    unit.organisation().put_branch(&renamed, Some(Version::FIRST)).await.unwrap();
    let branches = [BranchCode::new("b").unwrap(), BranchCode::new("B").unwrap()];
    assert_eq!(unit.organisation().find_branches(&branches).await.unwrap(), [None, Some(renamed.clone())]);
    assert_eq!(unit.organisation().list_branches(&PageRequest::first(9)).await.unwrap().items, [renamed]);
    assert_eq!(unit.organisation().list_teams(&PageRequest::first(9)).await.unwrap().items, [team("T")]);
    let found = unit.organisation().find_teams(&[TeamCode::new("T").unwrap()]).await.unwrap();
    assert_eq!(found, [Some(team("T"))]);
    let found = unit.products().find(&[ProductCode::new("Q").unwrap()]).await.unwrap();
    assert_eq!(found, [Some(product("Q"))]);
    assert_eq!(unit.products().list(&PageRequest::first(9)).await.unwrap().items, [product("P"), product("Q")]);
    unit.commit().await.unwrap();
}

#[tokio::test]
async fn texts_are_compared_byte_by_byte() {
    let database = Database::new();
    let store = database.store().await;
    let codes =
        ["a", "A", "é", "e\u{301}", "ß", "ss", "😀", "a b", "a  b", "10", "9", "1e1", "\"q\"", "a\\u0041", "%_"];
    let mut unit = write(&store).await;
    for code in codes {
        unit.organisation().put_team(&team(code), None).await.unwrap();
    }
    let listed = unit.organisation().list_teams(&PageRequest::first(100)).await.unwrap();
    let mut sorted = codes;
    sorted.sort_unstable();
    assert_eq!(listed.items.iter().map(|team| team.code.as_str()).collect::<Vec<_>>(), sorted);
    let wanted = codes.map(|code| TeamCode::new(code).unwrap());
    let found = unit.organisation().find_teams(&wanted).await.unwrap();
    for (code, found) in wanted.iter().zip(found) {
        assert_eq!(found.map(|team| team.code).as_ref(), Some(code));
    }
}

#[tokio::test]
async fn assignments_keep_their_history() {
    let database = Database::new();
    let store = database.filled().await;
    let first = Assignment {
        agent: AgentCode::new("A").unwrap(),
        from: date("2026-01-01"),
        to: None,
        team: TeamCode::new("T").unwrap(),
        branch: BranchCode::new("B").unwrap(),
        version: Version(1),
        entered_at: at(0),
        entered_by: text("importer"),
    };
    let second = Assignment { version: Version(2), to: Some(date("2026-03-01")), ..first.clone() };
    let later = Assignment { from: date("2026-04-01"), ..first.clone() };
    let mut unit = write(&store).await;
    for assignment in [&later, &first, &second] {
        unit.agents().add_assignment(assignment).await.unwrap();
    }
    let repeat = unit.agents().add_assignment(&second).await.unwrap_err();
    assert_eq!(repeat.kind(), ErrorKind::VersionConflict);
    let agents = [first.agent.clone(), first.agent.clone(), AgentCode::new("nobody").unwrap()];
    assert_eq!(unit.agents().assignments(&agents).await.unwrap(), [second.clone(), later.clone()]);
    assert_eq!(unit.agents().assignment_history(&first.agent).await.unwrap(), [first.clone(), second, later]);
    for unknown in [
        Assignment { agent: AgentCode::new("X").unwrap(), ..first.clone() },
        Assignment { team: TeamCode::new("X").unwrap(), ..first.clone() },
        Assignment { branch: BranchCode::new("X").unwrap(), ..first.clone() },
    ] {
        let error = unit.agents().add_assignment(&unknown).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains('X'), "{error}");
    }
}

#[tokio::test]
async fn targets_are_found_by_key_and_by_their_highest_version() {
    let database = Database::new();
    let store = database.filled().await;
    let calendar = Calendar::default();
    let target = |product: Option<&str>, scope: TargetScope, period: Period, version: u32, minor: i64| Target {
        key: TargetKey { product: product.map(|code| ProductCode::new(code).unwrap()), scope, period },
        from: date("2026-03-01"),
        amount: amount(minor),
        version: Version(version),
        entered_at: at(0),
        entered_by: text("planner"),
    };
    let march = calendar.parse("2026-03").unwrap();
    let targets = [
        target(Some("P"), TargetScope::Ledger, march, 1, 100),
        target(Some("P"), TargetScope::Ledger, march, 2, 200),
        target(Some("P"), TargetScope::Branch(BranchCode::new("B").unwrap()), march, 1, 0),
        target(None, TargetScope::Team(TeamCode::new("T").unwrap()), Period::ALL, 1, 999_999_999_999_999_999),
        target(None, TargetScope::Agent(AgentCode::new("A").unwrap()), calendar.parse("2026").unwrap(), 1, 5),
    ];
    let mut unit = write(&store).await;
    for target in &targets {
        unit.products().add_target(target).await.unwrap();
    }
    assert_eq!(unit.products().add_target(&targets[1]).await.unwrap_err().kind(), ErrorKind::VersionConflict);
    let mut current = unit.products().targets().await.unwrap();
    current.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    let mut expected = targets[1..].to_vec();
    expected.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    assert_eq!(current, expected);
    for target in &expected {
        let keys = [target.key.clone(), target.key.clone()];
        assert_eq!(unit.products().find_targets(&keys).await.unwrap(), std::slice::from_ref(target));
    }
    let unknown = target(Some("X"), TargetScope::Ledger, march, 1, 1);
    assert!(unit.products().find_targets(std::slice::from_ref(&unknown.key)).await.unwrap().is_empty());
    assert_eq!(unit.products().add_target(&unknown).await.unwrap_err().kind(), ErrorKind::NotFound);
}

/// A sale with everything that a sale can have.
fn full_sale() -> Sale {
    let mut full = sale("R'1\"", 1, "2026-02-28", -999_999_999_999_999_999);
    full.content.agent = Some(AgentCode::new("A").unwrap());
    full.content.team = Some(TeamCode::new("T").unwrap());
    full.content.policy_number = Some(Reference::new("policy", "P-1").unwrap());
    full.content.kind = moon_core::SaleKind::Reversal;
    full.places = Places { team: full.content.team.clone(), branch: Some(BranchCode::new("B").unwrap()) };
    full.last_revision = Revision(7);
    full.revision = Revision(3);
    full.content_at = at(9);
    full.adjustments = vec![
        Adjustment {
            kind: AdjustmentKind::Cancellation,
            date: date("2026-03-01"),
            amount: amount(999_999_999_999_999_999),
            count: -1,
            revision: Revision(4),
        },
        Adjustment {
            kind: AdjustmentKind::Reinstatement,
            date: date("2026-03-02"),
            amount: amount(-999_999_999_999_999_999),
            count: 1,
            revision: Revision(7),
        },
    ];
    full
}

#[tokio::test]
async fn sales_are_inserted_once_found_changed_and_moved() {
    let database = Database::new();
    let store = database.filled().await;
    let full = full_sale();
    let plain = sale("R2", 2, "1000-01-01", 0);
    let mut unit = write(&store).await;
    let sales = [full.clone(), plain.clone()];
    assert_eq!(unit.sales().insert_absent(&sales).await.unwrap(), [0_usize; 0]);
    let third = sale("R3", 3, "9999-12-31", 5);
    let collisions = unit.sales().insert_absent(&[full.clone(), third.clone(), plain.clone()]).await.unwrap();
    assert_eq!(collisions, [0, 2]);
    let keys = [
        plain.key.clone(),
        SaleKey::new("elsewhere", "R2").unwrap(),
        full.key.clone(),
        SaleKey::new("source", "r2").unwrap(),
    ];
    let found = unit.sales().find(&keys).await.unwrap();
    assert_eq!(found, [Some(plain.clone()), None, Some(full.clone()), None]);
    assert_eq!(unit.sales().get(third.id).await.unwrap(), Some(third.clone()));

    let mut moved = full.clone();
    moved.content.date = date("2026-01-01");
    moved.content.branch = Some(BranchCode::new("B").unwrap());
    moved.content.team = None;
    moved.adjustments.pop();
    let mut voided = plain.clone();
    voided.voided = true;
    let changes = [
        SaleChange { before: Some(full.clone()), after: moved.clone() },
        SaleChange { before: Some(plain.clone()), after: voided.clone() },
    ];
    unit.sales().write(&changes).await.unwrap();
    unit.commit().await.unwrap();

    let mut unit = write(&store).await;
    let page = unit.sales().list(&SaleQuery::default(), &PageRequest::first(2)).await.unwrap();
    assert_eq!(page.items, [voided.clone(), moved.clone()]);
    let page =
        unit.sales().list(&SaleQuery::default(), &PageRequest::first(2).following(&page).unwrap()).await.unwrap();
    assert_eq!((page.items, page.next), (vec![third.clone()], None));
    let query = SaleQuery { agent: moved.content.agent.clone(), ..SaleQuery::default() };
    assert_eq!(unit.sales().list(&query, &PageRequest::first(2)).await.unwrap().items, [moved.clone()]);
    let query = SaleQuery { branch: Some(BranchCode::new("X").unwrap()), ..SaleQuery::default() };
    assert!(unit.sales().list(&query, &PageRequest::first(2)).await.unwrap().items.is_empty());

    // Neither what was not found, nor what is there without having been found.
    let gone = SaleChange { before: Some(sale("R9", 9, "2026-01-01", 1)), after: sale("R9", 9, "2026-01-01", 2) };
    let there = SaleChange { before: None, after: third.clone() };
    let fine = SaleChange { before: Some(third.clone()), after: sale("R3", 3, "9999-12-31", 6) };
    for wrong in [gone, there] {
        let error = unit.sales().write(&[fine.clone(), wrong]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::VersionConflict);
    }
    assert_eq!(unit.sales().get(third.id).await.unwrap(), Some(third), "a refused write leaves nothing behind");
}

#[tokio::test]
async fn unknown_codes_are_refused_by_name() {
    let database = Database::new();
    let store = database.filled().await;
    let mut unit = write(&store).await;
    let mut nobody = sale("R1", 1, "2026-01-01", 1);
    nobody.content.agent = Some(AgentCode::new("X").unwrap());
    let mut nowhere = sale("R1", 1, "2026-01-01", 1);
    nowhere.places.branch = Some(BranchCode::new("X").unwrap());
    let mut nothing = sale("R1", 1, "2026-01-01", 1);
    nothing.content.product = ProductCode::new("X").unwrap();
    for (noun, sale) in [("agent", nobody), ("branch", nowhere), ("product", nothing)] {
        let error = unit.sales().insert_absent(&[sale]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(error.to_string(), format!("there is no such {noun} ({noun}: X)"));
    }
}

#[tokio::test]
async fn many_sales_of_any_number_are_inserted_and_collide_at_their_places() {
    let database = Database::new();
    let store = database.filled().await;
    let sales: Vec<_> = (0..1_041).map(|n| sale(&format!("R{n}"), n, "2026-01-01", 1)).collect();
    let mut unit = write(&store).await;
    let odd: Vec<_> = sales.iter().skip(1).step_by(2).cloned().collect();
    assert!(unit.sales().insert_absent(&odd).await.unwrap().is_empty());
    let collisions = unit.sales().insert_absent(&sales).await.unwrap();
    assert_eq!(collisions, (1..1_041).step_by(2).collect::<Vec<_>>());
    let keys: Vec<_> = sales.iter().map(|sale| sale.key.clone()).collect();
    let found = unit.sales().find(&keys).await.unwrap();
    assert_eq!(found.into_iter().flatten().collect::<Vec<_>>(), sales);
}

#[tokio::test]
async fn a_message_before_its_sale_keeps_the_key_from_plain_inserts() {
    let database = Database::new();
    let store = database.filled().await;
    let message = |reference: &str, revision: u32, entry: Option<&str>| StoredMessage {
        key: SaleKey::new("source", reference).unwrap(),
        revision: Revision(revision),
        body: MessageBody::Life(LifeMessage::Cancel { date: date("2026-03-01"), amount: Some(amount(-5)) }),
        entry: entry.map(|entry| Reference::new("entry", entry).unwrap()),
        received_at: at(3),
    };
    let awaited = sale("R1", 1, "2026-01-01", 1);
    let plain = sale("R2", 2, "2026-01-01", 1);
    let mut unit = write(&store).await;
    let early = message("R1", 4, Some("E1"));
    unit.sales().add_messages(std::slice::from_ref(&early)).await.unwrap();
    assert_eq!(unit.sales().insert_absent(&[plain.clone(), awaited.clone()]).await.unwrap(), [1]);
    unit.sales().write(&[SaleChange { before: None, after: awaited.clone() }]).await.unwrap();
    let late = message("R2", 1, None);
    let content =
        StoredMessage { revision: Revision(0), body: MessageBody::Content(full_sale().content), ..late.clone() };
    unit.sales().add_messages(&[late.clone(), content.clone()]).await.unwrap();
    let keys = [plain.key.clone(), awaited.key.clone(), SaleKey::new("other", "R1").unwrap()];
    assert_eq!(unit.sales().messages(&keys).await.unwrap(), [early.clone(), content, late.clone()]);
    let entries = [Reference::new("entry", "E1").unwrap(), Reference::new("entry", "E2").unwrap()];
    assert_eq!(unit.sales().find_entries(&awaited.key.source, &entries).await.unwrap(), [early]);
    for repeat in [late, message("R5", 1, Some("E1"))] {
        let error = unit.sales().add_messages(&[message("R6", 1, None), repeat]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    }
    let refused = unit.sales().messages(&[SaleKey::new("source", "R6").unwrap()]).await.unwrap();
    assert!(refused.is_empty(), "a refused call leaves nothing behind");
}

#[tokio::test]
async fn marks_wait_are_claimed_and_settled() {
    let database = Database::new();
    let store = database.store().await;
    let (first, second) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let day = |value: &str| Mark::Day(date(value));
    let target = Mark::Target { product: Some(ProductCode::new("P\"'").unwrap()), period: Period::ALL };
    let mut unit = write(&store).await;
    unit.marks().append(&[day("2026-01-02"), target.clone(), day("2026-01-02")], at(1)).await.unwrap();
    unit.marks().append(&[], at(0)).await.unwrap();
    unit.marks().claim(first).await.unwrap();
    unit.marks().append(&[day("2026-01-02"), day("2026-01-01"), Mark::Dimensions], at(2)).await.unwrap();
    assert_eq!(unit.marks().claimed(first).await.unwrap(), [day("2026-01-02"), target.clone()]);
    let counts = unit.marks().counts().await.unwrap();
    assert_eq!((counts.open, counts.claimed, counts.oldest), (3, 2, Some(at(1))));
    unit.marks().claim(first).await.unwrap();
    let all = [day("2026-01-01"), day("2026-01-02"), target, Mark::Dimensions];
    assert_eq!(unit.marks().claimed(first).await.unwrap(), all);
    unit.marks().settle(second).await.unwrap();
    unit.marks().settle(first).await.unwrap();
    unit.marks().settle(first).await.unwrap();
    assert_eq!(unit.marks().counts().await.unwrap(), moon_core::MarkCounts::default());
}

#[tokio::test]
async fn records_and_audit_entries_round_trip() {
    let database = Database::new();
    let store = database.store().await;
    let record = |version: u32, value: serde_json::Value| Record {
        key: RecordKey::new("lease", "k\0'"),
        value,
        expires_at: Some(at(5)),
        version: Version(version),
    };
    let first = record(1, serde_json::json!({ "a": [1, "ß\u{0}", null], "n": i64::MAX }));
    let second = record(2, serde_json::json!("x"));
    let mut unit = write(&store).await;
    unit.records().put(&first, Expected::Absent).await.unwrap();
    assert_eq!(unit.records().get(&first.key).await.unwrap(), Some(first.clone()));
    for wrong in [Expected::Absent, Expected::Version(Version(9))] {
        assert_eq!(unit.records().put(&second, wrong).await.unwrap_err().kind(), ErrorKind::VersionConflict);
    }
    unit.records().put(&second, Expected::Version(Version(1))).await.unwrap();
    assert_eq!(unit.records().list("lease").await.unwrap(), [second]);
    let stale = unit.records().delete(&first.key, Version(1)).await.unwrap_err();
    assert_eq!(stale.kind(), ErrorKind::VersionConflict);
    unit.records().delete(&first.key, Version(2)).await.unwrap();
    assert_eq!(unit.records().get(&first.key).await.unwrap(), None);
    let entry = |n: i64| AuditEntry {
        at: at(n),
        actor: text("importer"),
        action: "record_sales".to_owned(),
        subject: "ten rows".to_owned(),
        details: serde_json::json!({ "rows": n }),
    };
    for n in 0..3 {
        unit.audit().append(&entry(n)).await.unwrap();
    }
    let page = unit.audit().list(&PageRequest::first(2)).await.unwrap();
    assert_eq!(page.items, [entry(0), entry(1)]);
    let rest = PageRequest::first(2).following(&page).unwrap();
    assert_eq!(unit.audit().list(&rest).await.unwrap().items, [entry(2)]);
    unit.commit().await.unwrap();
    let mut unit = read(&store).await;
    assert_eq!(unit.audit().append(&entry(3)).await.unwrap_err().kind(), ErrorKind::Unsupported);
}
