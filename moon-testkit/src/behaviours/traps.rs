//! Texts, instants, numbers and dates that databases like to change.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use moon_core::{
    AMOUNT_MINOR_MAX, Adjustment, AdjustmentKind, Amount, Assignment, Branch, Consent, Consents, Contact, Expected,
    LifeMessage, MessageBody, PageRequest, Product, REFERENCE_BYTES_MAX, Record, RecordKey, Reference, Revision, Sale,
    SaleChange, SaleKey, SaleQuery, Store, StoredMessage, Version,
};

use super::masters::Master;
use super::texts::{codes, names};
use crate::builders::{
    adjustment, agent, agent_code, branch, branch_code, date, fill, key, product, product_code, reading, rupees, sale,
    team_code, text, writing,
};

/// Codes are told apart byte by byte, kept as they are, and ordered by their bytes.
pub async fn codes_are_compared_byte_by_byte(store: Arc<dyn Store>) {
    let mut texts = codes();
    for master in Master::EVERY {
        let mut unit = writing(&store).await;
        for text in &texts {
            master.put(unit.as_mut(), (text, text, 1), None).await.unwrap();
        }
        unit.commit().await.unwrap();
    }
    texts.sort_unstable();
    let mut unit = reading(&store).await;
    for master in Master::EVERY {
        for text in &texts {
            let found = master.find(unit.as_mut(), &[text.as_str()]).await;
            assert_eq!(found, [Some((text.clone(), text.clone(), 1))], "{master:?}");
        }
        assert_eq!(master.list_all(unit.as_mut(), 7).await, texts, "{master:?}");
    }
}

/// Keys of sales, policy numbers and entries are told apart byte by byte, up to their full length.
pub async fn references_are_compared_byte_by_byte(store: Arc<dyn Store>) {
    fill(&store).await;
    let mut texts = codes();
    texts.retain(|text| text.len() <= REFERENCE_BYTES_MAX);
    texts.extend(["r".repeat(200), format!("{}s", "r".repeat(199)), "é".repeat(100), "😀".repeat(50)]);
    let reference = |text: &str| Reference::new("reference", text).unwrap();
    let mut sales = Vec::new();
    let mut messages = Vec::new();
    for (number, text) in (0..).zip(&texts) {
        for (source, reference_text, number) in
            [("core", text.as_str(), 2 * number), (text.as_str(), "S", 2 * number + 1)]
        {
            let mut sale =
                Sale { key: SaleKey::new(source, reference_text).unwrap(), ..sale(number, "2026-02-10", rupees(1)) };
            sale.content.policy_number = Some(reference(text));
            let body = MessageBody::Life(LifeMessage::Void);
            let (revision, received_at) = (Revision(1), sale.recorded_at);
            messages.push(StoredMessage {
                key: sale.key.clone(),
                revision,
                body,
                entry: Some(reference(text)),
                received_at,
            });
            sales.push(sale);
        }
    }
    let mut unit = writing(&store).await;
    assert_eq!(unit.sales().insert_absent(&sales).await.unwrap(), [0; 0]);
    unit.sales().add_messages(&messages).await.unwrap();
    unit.commit().await.unwrap();
    let mut unit = reading(&store).await;
    let keys: Vec<_> = sales.iter().map(|sale| sale.key.clone()).collect();
    let found = unit.sales().find(&keys).await.unwrap();
    assert_eq!(found.into_iter().flatten().collect::<Vec<_>>(), sales);
    for (sale, message) in sales.iter().zip(&messages) {
        let message = std::slice::from_ref(message);
        assert_eq!(unit.sales().messages(std::slice::from_ref(&sale.key)).await.unwrap(), message);
        let entries = std::slice::from_ref(sale.content.policy_number.as_ref().unwrap());
        let found = unit.sales().find_entries(&sale.key.source, entries).await.unwrap();
        assert_eq!(found, message, "{:?}", sale.key);
    }
    messages.sort_by_key(|message| message.key.clone());
    assert_eq!(unit.sales().messages(&keys).await.unwrap(), messages);
}

/// Texts for people come back byte by byte, blanks at their ends and all, at their full length.
pub async fn texts_are_kept_as_they_are(store: Arc<dyn Store>) {
    let texts = names();
    let mut unit = writing(&store).await;
    for (number, content) in texts.iter().enumerate() {
        let (code, text) = (format!("C{number}"), text(content));
        let consent = Consent { granted: true, at: DateTime::UNIX_EPOCH, how: text.clone() };
        let agent = moon_core::Agent {
            name: text.clone(),
            contact: Contact { email: Some(text.clone()), phone: Some(text.clone()) },
            consents: Consents { performance_analytics: Some(consent.clone()), notifications: Some(consent) },
            ..agent(&code)
        };
        let branch = Branch { name: text.clone(), region: Some(text.clone()), ..branch(&code) };
        let product = Product { name: text.clone(), line: Some(text), ..product(&code) };
        unit.agents().put(&agent, None).await.unwrap();
        unit.organisation().put_branch(&branch, None).await.unwrap();
        unit.products().put(&product, None).await.unwrap();
        let found = unit.agents().find(&[agent_code(&code)], moon_core::Lock::None).await.unwrap();
        assert_eq!(found, [Some(agent)], "{content:?}");
        assert_eq!(unit.organisation().find_branches(&[branch_code(&code)]).await.unwrap(), [Some(branch)]);
        assert_eq!(unit.products().find(&[product_code(&code)]).await.unwrap(), [Some(product)]);
    }
    // Who entered something is a text of this kind too.
    Master::Team.put(unit.as_mut(), ("T", "team", 1), None).await.unwrap();
    let mut entered = Vec::new();
    for (version, content) in (1..).zip(&texts) {
        let assignment = Assignment {
            agent: agent_code("C0"),
            from: date("2026-01-01"),
            to: None,
            team: team_code("T"),
            branch: branch_code("C0"),
            version: Version(version),
            entered_at: DateTime::UNIX_EPOCH,
            entered_by: text(content),
        };
        unit.agents().add_assignment(&assignment).await.unwrap();
        entered.push(assignment);
    }
    assert_eq!(unit.agents().assignment_history(&agent_code("C0")).await.unwrap(), entered);
    unit.commit().await.unwrap();
}

/// Instants of interest: the epoch and both its sides, and every digit of a microsecond.
fn instants() -> Vec<DateTime<Utc>> {
    let at = |seconds, micros: i64| DateTime::from_timestamp(seconds, 0).unwrap() + Duration::microseconds(micros);
    vec![
        at(0, 0),
        at(0, 1),
        at(-1, 999_999),
        at(1_781_524_800, 123_456),
        at(1_781_524_800, 999_999),
        at(1_781_524_801, 0),
        at(2_147_483_648, 100_000),
        at(4_102_444_800, 1),
    ]
}

/// Instants keep their microseconds, in whatever is kept with one.
pub async fn instants_keep_their_microseconds(store: Arc<dyn Store>) {
    fill(&store).await;
    for (number, at) in (1..).zip(instants()) {
        let mut unit = writing(&store).await;
        let content_at = at + Duration::microseconds(1);
        let sale = Sale { recorded_at: at, content_at, ..sale(number, "2026-02-10", rupees(1)) };
        let body = MessageBody::Life(LifeMessage::Void);
        let message =
            StoredMessage { key: sale.key.clone(), revision: Revision(1), body, entry: None, received_at: at };
        let assignment = Assignment {
            agent: agent_code("AGT001"),
            from: date("2026-01-01"),
            to: None,
            team: team_code("ALPHA"),
            branch: branch_code("KANDY"),
            version: Version(number),
            entered_at: at,
            entered_by: text("tests"),
        };
        let record = Record {
            key: RecordKey::new("test", number.to_string()),
            value: serde_json::Value::Null,
            expires_at: Some(at),
            version: Version(number),
        };
        unit.sales().insert_absent(std::slice::from_ref(&sale)).await.unwrap();
        unit.sales().add_messages(std::slice::from_ref(&message)).await.unwrap();
        unit.agents().add_assignment(&assignment).await.unwrap();
        unit.records().put(&record, Expected::Absent).await.unwrap();
        unit.commit().await.unwrap();
        let mut unit = reading(&store).await;
        assert_eq!(unit.sales().messages(std::slice::from_ref(&sale.key)).await.unwrap(), [message]);
        assert_eq!(unit.sales().get(sale.id).await.unwrap(), Some(sale));
        assert_eq!(unit.agents().assignments(&[agent_code("AGT001")]).await.unwrap(), [assignment]);
        assert_eq!(unit.records().get(&record.key).await.unwrap(), Some(record));
    }
}

/// Amounts, dates, revisions and versions are kept up to both ends of what they can be.
pub async fn numbers_and_dates_are_kept_at_both_ends(store: Arc<dyn Store>) {
    fill(&store).await;
    let most = Amount::from_minor(AMOUNT_MINOR_MAX).unwrap();
    let cent = Amount::from_minor(1).unwrap();
    let last = u32::MAX - 1;
    let mut sales = Vec::new();
    for (day, amount) in [("1000-01-01", most), ("1000-01-01", -most), ("9999-12-31", most), ("9999-12-31", -most)] {
        let number = u32::MAX - u32::try_from(sales.len()).unwrap();
        let back =
            |revision, kind, amount, count| Adjustment { ..adjustment(revision, kind, "9999-12-31", amount, count) };
        sales.push(Sale {
            revision: Revision(last - 3),
            last_revision: Revision(last),
            adjustments: vec![
                back(last - 2, AdjustmentKind::Cancellation, -amount, -1),
                back(last - 1, AdjustmentKind::Reinstatement, amount, 1),
                back(last, AdjustmentKind::Cancellation, -cent, 0),
            ],
            ..sale(number, day, amount)
        });
    }
    let content = MessageBody::Content(sales[1].content.clone());
    let part = LifeMessage::Cancel { date: date("1000-01-01"), amount: Some(-most) };
    let message = |revision, body| {
        let (key, received_at) = (key("S1"), sales[0].recorded_at);
        StoredMessage { key, revision: Revision(revision), body, entry: None, received_at }
    };
    let messages = [message(0, content), message(last, MessageBody::Life(part))];
    let mut unit = writing(&store).await;
    assert_eq!(unit.sales().insert_absent(&sales).await.unwrap(), [0; 0]);
    unit.sales().add_messages(&messages).await.unwrap();
    Master::Team.put(unit.as_mut(), ("T", "most", last), None).await.unwrap();
    unit.commit().await.unwrap();

    // Both amounts and both dates once more, by replacing.
    let after = |index: usize| {
        let other = sales[3 - index].clone();
        Sale { id: sales[index].id, key: sales[index].key.clone(), ..other }
    };
    let mut unit = writing(&store).await;
    let changes: Vec<_> =
        (0..4).map(|index| SaleChange { before: Some(sales[index].clone()), after: after(index) }).collect();
    unit.sales().write(&changes).await.unwrap();
    Master::Team.put(unit.as_mut(), ("T", "most", u32::MAX), Some(last)).await.unwrap();
    unit.commit().await.unwrap();
    let mut unit = reading(&store).await;
    for change in changes {
        assert_eq!(unit.sales().get(change.after.id).await.unwrap(), Some(change.after));
    }
    assert_eq!(unit.sales().messages(&[key("S1")]).await.unwrap(), messages);
    let listed = unit.sales().list(&SaleQuery::default(), &PageRequest::first(10)).await.unwrap();
    let dates: Vec<_> = listed.items.iter().map(|sale| sale.content.date.to_string()).collect();
    assert_eq!(dates, ["1000-01-01", "1000-01-01", "9999-12-31", "9999-12-31"]);
    assert_eq!(Master::Team.find(unit.as_mut(), &["T"]).await, [Some(("T".into(), "most".into(), u32::MAX))]);
}
