//! Recording through the ledger: what becomes of each message, and where a sale counts.

use std::sync::Arc;

use moon_core::{Amount, Ledger, RecordReport, RevisionRule, SaleContent, SaleMessage, SaleOutcome, Store, TxMode};

use crate::builders::{
    actor, agent_code, assignment, branch_code, cancel, content, content_message, key, life_message, opened,
    product_code, reading, reinstate, rupees, team_code,
};

/// Outcomes in words: `recorded 0`, `duplicate`, `rejected not_found`.
pub(super) fn told(report: &RecordReport) -> Vec<String> {
    let told = |outcome: &SaleOutcome| match outcome {
        SaleOutcome::Recorded(_, revision) => format!("recorded {revision}"),
        SaleOutcome::Corrected(_, revision) => format!("corrected {revision}"),
        SaleOutcome::Applied(_, revision) => format!("applied {revision}"),
        SaleOutcome::Kept(revision) => format!("kept {revision}"),
        SaleOutcome::Duplicate(_) => "duplicate".to_owned(),
        SaleOutcome::Stale(_) => "stale".to_owned(),
        SaleOutcome::Conflict(error) => format!("conflict {}", error.kind().name()),
        SaleOutcome::Rejected(error) => format!("rejected {}", error.kind().name()),
    };
    report.outcomes.iter().map(told).collect()
}

/// Records in one call, and tells the outcomes.
pub(super) async fn record(ledger: &Ledger, messages: &[SaleMessage]) -> Vec<String> {
    told(&ledger.record_sales(&actor(), messages).await.unwrap())
}

/// Records message by message, and compares each outcome.
async fn record_each(ledger: &Ledger, messages: &[(SaleMessage, &str)]) {
    for (number, (message, expected)) in messages.iter().enumerate() {
        assert_eq!(record(ledger, std::slice::from_ref(message)).await, [*expected], "message {number}");
    }
}

/// A sale of this amount by `AGT001`, places not given.
fn of(rupees_: i64) -> SaleContent {
    content("AGT001", "LIFE", "2026-02-10", rupees(rupees_))
}

/// Team and branch under which a sale counts.
pub(super) async fn places(ledger: &Ledger, reference: &str) -> (Option<String>, Option<String>) {
    let places = ledger.find_sale(&key(reference)).await.unwrap().unwrap().places;
    (places.team.map(|code| code.to_string()), places.branch.map(|code| code.to_string()))
}

/// Places in words.
pub(super) fn at(team: &str, branch: &str) -> (Option<String>, Option<String>) {
    (Some(team.to_owned()), Some(branch.to_owned()))
}

/// Numbered messages: the highest content stands, older ones are stale, repeats are harmless, other payloads refused; life
/// messages take their place among them.
pub async fn numbered_messages_take_their_places(store: Arc<dyn Store>) {
    let ledger = opened(store).await;
    let content = |revision, amount| content_message("S1", Some(revision), of(amount));
    record_each(
        &ledger,
        &[
            (content(3, 100), "recorded 3"),
            (content(3, 100), "duplicate"),
            (content(3, 101), "conflict payload_conflict"),
            (content(1, 90), "stale"),
            (content(1, 90), "duplicate"),
            (content(1, 91), "conflict payload_conflict"),
            (content(5, 110), "corrected 5"),
            (content(3, 100), "duplicate"),
            (life_message("S1", Some(5), cancel("2026-03-01")), "conflict payload_conflict"),
            (life_message("S1", Some(4), cancel("2026-03-01")), "applied 4"),
            (life_message("S1", Some(4), cancel("2026-03-01")), "duplicate"),
            (life_message("S1", Some(4), reinstate("2026-03-01")), "conflict payload_conflict"),
            (content(4, 110), "conflict payload_conflict"),
            (life_message("S1", Some(9), reinstate("2026-03-02")), "applied 9"),
        ],
    )
    .await;
    let sale = ledger.find_sale(&key("S1")).await.unwrap().unwrap();
    assert_eq!((sale.content, sale.revision.0, sale.last_revision.0), (of(110), 5, 9));
    let postings: Vec<_> = sale.adjustments.iter().map(|posting| (posting.revision.0, posting.count)).collect();
    assert_eq!(postings, [(4, -1), (9, 1)]);
    let history = ledger.sale_history(sale.id).await.unwrap().unwrap();
    assert_eq!(history.messages.iter().map(|message| message.revision.0).collect::<Vec<_>>(), [1, 3, 4, 5, 9]);
}

/// Messages without a number take the next one; content equal to what stands is a repeat.
pub async fn messages_without_a_number_take_the_next(store: Arc<dyn Store>) {
    let ledger = opened(store).await;
    record_each(
        &ledger,
        &[
            (content_message("S1", None, of(100)), "recorded 0"),
            (content_message("S1", None, of(100)), "duplicate"),
            (content_message("S1", None, of(110)), "corrected 1"),
            (content_message("S1", None, of(100)), "corrected 2"),
            (life_message("S1", None, cancel("2026-03-01")), "applied 3"),
            (content_message("S1", None, of(100)), "duplicate"),
            (life_message("S1", None, cancel("2026-03-01")), "rejected refused"),
            (content_message("S1", Some(8), of(120)), "corrected 8"),
            (content_message("S1", Some(6), of(130)), "stale"),
            (life_message("S1", None, reinstate("2026-03-01")), "applied 9"),
            (content_message("S1", Some(u32::MAX), of(140)), "corrected 4294967295"),
            (content_message("S1", None, of(150)), "rejected invalid_input"),
        ],
    )
    .await;
}

/// A source that tells of each sale once: anything else than what stands is a conflict, whatever became of the sale.
pub async fn a_sale_that_is_told_once_is_never_corrected(store: Arc<dyn Store>) {
    let ledger = opened(store).await;
    let only = |reference: &str, amount| SaleMessage {
        revision: RevisionRule::Only,
        ..content_message(reference, None, of(amount))
    };
    record_each(
        &ledger,
        &[
            (only("S1", 100), "recorded 0"),
            (only("S1", 100), "duplicate"),
            (only("S1", 101), "conflict payload_conflict"),
            (life_message("S1", None, cancel("2026-03-01")), "applied 1"),
            (only("S1", 100), "duplicate"),
            (life_message("S2", None, cancel("2026-03-01")), "kept 0"),
            (only("S2", 100), "recorded 1"),
            (only("S2", 100), "duplicate"),
        ],
    )
    .await;
    let kept = ledger.find_sale(&key("S2")).await.unwrap().unwrap();
    assert_eq!(kept.adjustments.len(), 1, "the cancellation that came first is applied");
}

/// One call may tell a sale's whole story, in any order, and of several sales at once.
pub async fn one_call_tells_many_messages_of_a_sale(store: Arc<dyn Store>) {
    let ledger = opened(store).await;
    let story = [
        content_message("S1", Some(2), of(100)),
        life_message("S2", Some(7), cancel("2026-03-01")),
        content_message("S1", Some(1), of(90)),
        content_message("S1", Some(2), of(100)),
        content_message("S1", Some(2), of(101)),
        life_message("S1", Some(3), cancel("2026-03-01")),
        content_message("S2", Some(6), of(200)),
        content_message("S1", Some(4), of(120)),
        content_message("S3", None, of(300)),
        content_message("S3", None, of(300)),
        content_message("S3", None, of(310)),
    ];
    let outcomes = [
        "recorded 2",
        "kept 7",
        "stale",
        "duplicate",
        "conflict payload_conflict",
        "applied 3",
        "recorded 6",
        "corrected 4",
        "recorded 0",
        "duplicate",
        "corrected 1",
    ];
    assert_eq!(record(&ledger, &story).await, outcomes);
    let again = record(&ledger, &story[..8]).await;
    let repeat = ["duplicate", "conflict payload_conflict"];
    assert!(again.iter().all(|outcome| repeat.contains(&outcome.as_str())), "{again:?}");
    for (reference, amount, cancelled) in [("S1", 120, true), ("S2", 200, true), ("S3", 310, false)] {
        let sale = ledger.find_sale(&key(reference)).await.unwrap().unwrap();
        assert_eq!(sale.content.amount, rupees(amount), "{reference}");
        let taken: Vec<_> = sale.adjustments.iter().map(|posting| -posting.amount).collect();
        assert_eq!(taken, if cancelled { vec![rupees(amount)] } else { Vec::<Amount>::new() }, "{reference}");
    }
}

/// A message that names something unknown is rejected by itself; the others of the call are kept.
pub async fn unknown_codes_are_rejected_row_by_row(store: Arc<dyn Store>) {
    let ledger = opened(store).await;
    let bad = |change: fn(&mut SaleContent)| {
        let mut content = of(100);
        change(&mut content);
        content
    };
    let messages = [
        content_message("S1", None, of(1)),
        content_message("S2", None, bad(|content| content.agent = Some(agent_code("agt001")))),
        content_message("S3", None, bad(|content| content.product = product_code("HEALTH"))),
        content_message("S4", None, bad(|content| content.team = Some(team_code("ALPHA2")))),
        content_message("S5", None, bad(|content| content.branch = Some(branch_code("ALPHA")))),
        content_message("S2", None, of(2)),
        content_message("S1", None, bad(|content| content.product = product_code("life"))),
        content_message("S6", None, of(6)),
    ];
    let unknown = "rejected not_found";
    let outcomes = ["recorded 0", unknown, unknown, unknown, unknown, "recorded 0", unknown, "recorded 0"];
    assert_eq!(record(&ledger, &messages).await, outcomes);
    let mut found = Vec::new();
    for reference in ["S1", "S2", "S3", "S4", "S5", "S6"] {
        found.push(ledger.find_sale(&key(reference)).await.unwrap().map(|sale| sale.content.amount.minor() / 100));
    }
    assert_eq!(found, [Some(1), Some(2), None, None, None, Some(6)]);
}

/// What the source gives is kept; what it does not give is that of the agent's assignment on the sale's date; what nobody
/// knows is unassigned.
pub async fn places_are_given_or_derived(store: Arc<dyn Store>) {
    let ledger = opened(store).await;
    let given = |team: Option<&str>, branch: Option<&str>| SaleContent {
        team: team.map(team_code),
        branch: branch.map(branch_code),
        ..of(1)
    };
    let contents = [
        given(None, None),
        given(Some("BETA"), None),
        given(None, Some("KANDY")),
        given(Some("BETA"), Some("KANDY")),
        content("AGT001", "LIFE", "2025-12-31", rupees(1)),
        content("AGT002", "LIFE", "2026-02-10", rupees(1)),
        SaleContent { agent: None, ..given(Some("BETA"), None) },
    ];
    let messages: Vec<_> =
        (1..).zip(contents).map(|(number, content)| content_message(&format!("S{number}"), None, content)).collect();
    record(&ledger, &messages).await;
    assert_eq!(places(&ledger, "S1").await, at("ALPHA", "COLOMBO"));
    assert_eq!(places(&ledger, "S2").await, at("BETA", "COLOMBO"));
    assert_eq!(places(&ledger, "S3").await, at("ALPHA", "KANDY"));
    assert_eq!(places(&ledger, "S4").await, at("BETA", "KANDY"));
    assert_eq!(places(&ledger, "S5").await, (None, None), "before the agent's first assignment");
    assert_eq!(places(&ledger, "S6").await, (None, None), "an agent who was never assigned");
    assert_eq!(places(&ledger, "S7").await, (Some("BETA".to_owned()), None), "nobody's sale");
}

/// A correction of agent or date derives again what was derived, and keeps what was given.
pub async fn a_correction_derives_places_again(store: Arc<dyn Store>) {
    let ledger = opened(store).await;
    ledger.assign(&actor(), &[assignment("AGT002", "2026-01-01", "BETA", "KANDY")]).await.unwrap();
    let given = SaleContent { team: Some(team_code("ALPHA")), ..of(1) };
    record(&ledger, &[content_message("S1", None, of(1)), content_message("S2", None, given.clone())]).await;
    let other_agent = |content: SaleContent| SaleContent { agent: Some(agent_code("AGT002")), ..content };
    let corrected = [content_message("S1", None, other_agent(of(1))), content_message("S2", None, other_agent(given))];
    assert_eq!(record(&ledger, &corrected).await, ["corrected 1", "corrected 1"]);
    assert_eq!(places(&ledger, "S1").await, at("BETA", "KANDY"));
    assert_eq!(places(&ledger, "S2").await, at("ALPHA", "KANDY"));
    let earlier = content("AGT002", "LIFE", "2025-12-31", rupees(1));
    let nobodys = SaleContent { agent: None, ..of(1) };
    record(&ledger, &[content_message("S1", None, earlier), content_message("S2", None, nobodys)]).await;
    assert_eq!(places(&ledger, "S1").await, (None, None));
    assert_eq!(places(&ledger, "S2").await, (None, None), "the team is no longer given");
}

/// Recording in the caller's unit is the caller's to commit: sale, marks and audit entry together, or nothing.
pub async fn recording_in_a_lent_unit_is_for_the_lender_to_commit(store: Arc<dyn Store>) {
    let ledger = opened(Arc::clone(&store)).await;
    let audited = async || {
        let page = reading(&store).await.audit().list(&moon_core::PageRequest::first(100)).await.unwrap();
        page.items.len()
    };
    let marks = async || reading(&store).await.marks().counts().await.unwrap().open;
    let (entries, open) = (audited().await, marks().await);
    let message = [content_message("S1", None, of(1))];
    let mut unit = store.begin(TxMode::ReadWrite).await.unwrap();
    let report = ledger.record_sales_in(unit.as_mut(), &actor(), &message).await.unwrap();
    assert_eq!(told(&report), ["recorded 0"]);
    unit.rollback().await.unwrap();
    assert_eq!(ledger.find_sale(&key("S1")).await.unwrap(), None);
    assert_eq!((audited().await, marks().await), (entries, open));
    let mut unit = store.begin(TxMode::ReadWrite).await.unwrap();
    ledger.record_sales_in(unit.as_mut(), &actor(), &message).await.unwrap();
    unit.commit().await.unwrap();
    assert!(ledger.find_sale(&key("S1")).await.unwrap().is_some());
    assert_eq!((audited().await, marks().await), (entries + 1, open + 2), "a day and a source");
}

/// Calls at once, about the same sale and about others, each have their effect, one after the other.
pub async fn calls_at_once_all_have_their_effect(store: Arc<dyn Store>) {
    let ledger = opened(store).await;
    let call = async |number: i64| {
        let messages =
            [content_message(&format!("S{number}"), None, of(number)), content_message("SHARED", None, of(number))];
        record(&ledger, &messages).await
    };
    let told = tokio::join!(call(1), call(2), call(3), call(4), call(5), call(6));
    let told = [told.0, told.1, told.2, told.3, told.4, told.5];
    assert!(told.iter().all(|outcomes| outcomes[0] == "recorded 0"), "{told:?}");
    let mut shared: Vec<_> = told.iter().map(|outcomes| outcomes[1].as_str()).collect();
    shared.sort_unstable();
    assert_eq!(shared, ["corrected 1", "corrected 2", "corrected 3", "corrected 4", "corrected 5", "recorded 0"]);
    let sale = ledger.find_sale(&key("SHARED")).await.unwrap().unwrap();
    assert_eq!(ledger.sale_history(sale.id).await.unwrap().unwrap().messages.len(), 6);
}
