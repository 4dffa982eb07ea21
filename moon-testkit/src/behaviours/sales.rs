//! Sales and the messages about them at the port.

use std::sync::Arc;

use moon_core::{
    AdjustmentKind, DayRange, ErrorKind, LifeMessage, MessageBody, PageRequest, Places, Reference, Revision, Sale,
    SaleChange, SaleContent, SaleId, SaleKey, SaleKind, SaleQuery, Store, StoredMessage, UnitOfWork,
};
use uuid::Uuid;

use crate::builders::{
    adjustment, agent_code, branch_code, cancel, content, days, fill, key, noon, product_code, reading, reinstate,
    rupees, sale, team_code, writing,
};

/// A reference as text.
fn reference(text: &str) -> Reference {
    Reference::new("reference", text).unwrap()
}

fn message(sale: &str, revision: u32, body: MessageBody, entry: Option<&str>) -> StoredMessage {
    let (revision, received_at) = (Revision(revision), noon("2026-06-16"));
    StoredMessage { key: key(sale), revision, body, entry: entry.map(reference), received_at }
}

fn life(sale: &str, revision: u32, life: LifeMessage, entry: Option<&str>) -> StoredMessage {
    message(sale, revision, MessageBody::Life(life), entry)
}

async fn insert(store: &Arc<dyn Store>, sales: &[Sale]) {
    let mut unit = writing(store).await;
    assert_eq!(unit.sales().insert_absent(sales).await.unwrap(), [0; 0]);
    unit.commit().await.unwrap();
}

async fn list_all(unit: &mut dyn UnitOfWork, query: &SaleQuery, limit: u32) -> Vec<u128> {
    let mut request = Some(PageRequest::first(limit));
    let mut all = Vec::new();
    while let Some(now) = request {
        let page = unit.sales().list(query, &now).await.unwrap();
        assert!(page.items.len() <= usize::try_from(limit).unwrap(), "a page longer than asked for");
        request = now.following(&page);
        all.extend(page.items.iter().map(|sale| sale.id.0.as_u128()));
    }
    all
}

/// A sale with everything that it can have.
fn full(number: u32) -> Sale {
    Sale {
        content: SaleContent {
            kind: SaleKind::Endorsement,
            policy_number: Some(reference("POL/0042")),
            team: Some(team_code("BETA")),
            branch: Some(branch_code("KANDY")),
            ..content("AGT002", "MOTOR", "2026-02-10", rupees(1_000))
        },
        places: Places { team: Some(team_code("BETA")), branch: Some(branch_code("KANDY")) },
        revision: Revision(3),
        last_revision: Revision(9),
        adjustments: vec![
            adjustment(5, AdjustmentKind::Cancellation, "2026-02-12", rupees(-400), 0),
            adjustment(7, AdjustmentKind::Cancellation, "2026-02-11", rupees(-600), -1),
            adjustment(8, AdjustmentKind::Reinstatement, "2026-04-01", rupees(1_000), 1),
        ],
        recorded_at: noon("2026-06-01"),
        content_at: noon("2026-06-02"),
        ..sale(number, "2026-02-10", rupees(1_000))
    }
}

/// Nobody's sale, nowhere.
fn bare(number: u32) -> Sale {
    let mut sale = Sale { places: Places::default(), ..sale(number, "2026-02-10", rupees(0)) };
    sale.content.agent = None;
    sale
}

/// Every field comes back as written, through each way of reading, with and without the optional ones.
pub async fn a_sale_is_kept_in_full(store: Arc<dyn Store>) {
    fill(&store).await;
    let voided = Sale { voided: true, ..sale(4, "2026-02-10", rupees(5)) };
    let sales = [full(1), bare(2), sale(3, "2026-02-10", rupees(-7)), voided];
    insert(&store, &sales).await;
    let keys: Vec<_> = sales.iter().map(|sale| sale.key.clone()).collect();
    let mut unit = reading(&store).await;
    let found = unit.sales().find(&keys).await.unwrap();
    assert_eq!(found.into_iter().flatten().collect::<Vec<_>>(), sales);
    for sale in &sales {
        assert_eq!(unit.sales().get(sale.id).await.unwrap().as_ref(), Some(sale));
    }
    let listed = unit.sales().list(&SaleQuery::default(), &PageRequest::first(10)).await.unwrap();
    assert_eq!((listed.items.as_slice(), listed.next), (sales.as_slice(), None));
}

/// Sales are found at the places of their keys; the source is a part of the key, and what is missing is `None`.
pub async fn sales_are_found_at_the_places_of_their_keys(store: Arc<dyn Store>) {
    fill(&store).await;
    let other_source = Sale { key: SaleKey::new("other", "S1").unwrap(), ..sale(2, "2026-02-10", rupees(2)) };
    insert(&store, &[sale(1, "2026-02-10", rupees(1)), other_source.clone()]).await;
    let mut unit = writing(&store).await;
    let keys = [key("S9"), other_source.key.clone(), key("S1"), other_source.key.clone()];
    let found = unit.sales().find(&keys).await.unwrap();
    let numbers: Vec<_> = found.iter().map(|sale| sale.as_ref().map(|sale| sale.id.0.as_u128())).collect();
    assert_eq!(numbers, [None, Some(2), Some(1), Some(2)]);
    assert_eq!(unit.sales().find(&[]).await.unwrap(), []);
    assert_eq!(unit.sales().get(SaleId(Uuid::from_u128(9))).await.unwrap(), None);
}

/// A known key is told by its place, ascending; the others go in, and what is there stays as it was.
pub async fn inserting_tells_which_keys_are_known(store: Arc<dyn Store>) {
    fill(&store).await;
    insert(&store, &[sale(1, "2026-02-10", rupees(1)), sale(3, "2026-02-10", rupees(3))]).await;
    let again = |number: u32| Sale { key: key(&format!("S{number}")), ..sale(100 + number, "2026-03-01", rupees(99)) };
    let mut unit = writing(&store).await;
    let sales = [sale(0, "2026-02-10", rupees(0)), again(1), sale(2, "2026-02-10", rupees(2)), again(3)];
    assert_eq!(unit.sales().insert_absent(&sales).await.unwrap(), [1, 3]);
    assert_eq!(unit.sales().insert_absent(&[again(2)]).await.unwrap(), [0], "inserted in this very unit");
    assert_eq!(unit.sales().insert_absent(&[]).await.unwrap(), [0; 0]);
    unit.commit().await.unwrap();
    let mut unit = reading(&store).await;
    assert_eq!(list_all(unit.as_mut(), &SaleQuery::default(), 10).await, [0, 1, 2, 3]);
    assert_eq!(unit.sales().get(SaleId(Uuid::from_u128(101))).await.unwrap(), None);
    let found = unit.sales().find(&[key("S1")]).await.unwrap();
    assert_eq!(found, [Some(sale(1, "2026-02-10", rupees(1)))]);
}

/// A key is known too when only messages have it.
pub async fn a_key_with_messages_only_is_known(store: Arc<dyn Store>) {
    fill(&store).await;
    let mut unit = writing(&store).await;
    unit.sales().add_messages(&[life("S2", 1, cancel("2026-03-01"), None)]).await.unwrap();
    let sales = [1, 2, 3].map(|number| sale(number, "2026-02-10", rupees(1)));
    assert_eq!(unit.sales().insert_absent(&sales).await.unwrap(), [1]);
    unit.commit().await.unwrap();
    let mut unit = writing(&store).await;
    assert_eq!(unit.sales().insert_absent(&sales).await.unwrap(), [0, 1, 2]);
    assert_eq!(unit.sales().find(&[key("S2")]).await.unwrap(), [None]);
}

/// Sales ascend by date, then identifier, in pages of any size.
pub async fn sales_are_listed_by_date_and_identifier(store: Arc<dyn Store>) {
    fill(&store).await;
    let dates = ["2026-02-10", "1000-01-01", "2026-02-09", "9999-12-31", "2026-02-10", "1969-12-31", "2026-02-10"];
    let sales: Vec<_> = (1..).zip(dates).map(|(number, day)| sale(number, day, rupees(1))).collect();
    insert(&store, &sales).await;
    let mut unit = reading(&store).await;
    for limit in [1, 2, 3, 7, 1_000] {
        assert_eq!(list_all(unit.as_mut(), &SaleQuery::default(), limit).await, [2, 6, 3, 1, 5, 7, 4], "{limit}");
    }
}

/// Each part of a query narrows the list, alone and together; a given place and a derived one are the same to it.
pub async fn sales_are_listed_by_each_part_of_a_query(store: Arc<dyn Store>) {
    fill(&store).await;
    let voided = Sale { voided: true, ..sale(4, "2026-03-01", rupees(4)) };
    insert(&store, &[sale(1, "2026-02-09", rupees(1)), full(2), bare(3), voided]).await;
    let all = SaleQuery::default;
    let queries = [
        (SaleQuery { days: days("2026-02-09", "2026-02-09"), ..all() }, vec![1]),
        (SaleQuery { days: days("2026-02-10", "2026-03-01"), ..all() }, vec![2, 3, 4]),
        (SaleQuery { days: DayRange::new(0, 0), ..all() }, vec![]),
        (SaleQuery { agent: Some(agent_code("AGT001")), ..all() }, vec![1, 4]),
        (SaleQuery { agent: Some(agent_code("AGT009")), ..all() }, vec![]),
        (SaleQuery { product: Some(product_code("MOTOR")), ..all() }, vec![2]),
        (SaleQuery { team: Some(team_code("ALPHA")), ..all() }, vec![1, 4]),
        (SaleQuery { team: Some(team_code("BETA")), ..all() }, vec![2]),
        (SaleQuery { branch: Some(branch_code("KANDY")), ..all() }, vec![2]),
        (SaleQuery { branch: Some(branch_code("COLOMBO")), product: Some(product_code("LIFE")), ..all() }, vec![1, 4]),
        (SaleQuery { days: days("2026-02-10", "2026-12-31"), agent: Some(agent_code("AGT001")), ..all() }, vec![4]),
        (SaleQuery { team: Some(team_code("ALPHA")), branch: Some(branch_code("KANDY")), ..all() }, vec![]),
    ];
    let mut unit = reading(&store).await;
    for (query, expected) in queries {
        for limit in [1, 10] {
            assert_eq!(list_all(unit.as_mut(), &query, limit).await, expected, "{query:?} by {limit}");
        }
    }
}

/// Writing replaces everything but id and key, to the date and back.
pub async fn writing_replaces_what_was_found(store: Arc<dyn Store>) {
    fill(&store).await;
    insert(&store, &[sale(1, "2026-02-10", rupees(1)), full(2), bare(3)]).await;
    let fuller = Sale { id: bare(3).id, key: key("S3"), ..full(2) };
    let other_day = Sale { content: content("AGT002", "LIFE", "2025-12-31", rupees(8)), ..bare(2) };
    let voided = Sale { voided: true, last_revision: Revision(4), ..sale(1, "2026-02-10", rupees(1)) };
    let before = [sale(1, "2026-02-10", rupees(1)), full(2), bare(3)];
    let after = [voided, other_day, fuller];
    for (before, after) in [(&before, &after), (&after, &before)] {
        let mut unit = writing(&store).await;
        let change =
            |(before, after): (&Sale, &Sale)| SaleChange { before: Some(before.clone()), after: after.clone() };
        let changes: Vec<_> = before.iter().zip(after).map(change).collect();
        unit.sales().write(&changes).await.unwrap();
        unit.commit().await.unwrap();
        let mut unit = reading(&store).await;
        let found = unit.sales().find(&[key("S1"), key("S2"), key("S3")]).await.unwrap();
        assert_eq!(found.into_iter().flatten().collect::<Vec<_>>(), after);
        assert_eq!(list_all(unit.as_mut(), &SaleQuery::default(), 2).await.len(), 3, "none twice, none lost");
    }
}

/// A sale whose messages came first is written without one before; one that is not as it was found is a conflict.
pub async fn writing_tells_when_what_was_found_has_changed(store: Arc<dyn Store>) {
    fill(&store).await;
    insert(&store, &[sale(1, "2026-02-10", rupees(1))]).await;
    let mut unit = writing(&store).await;
    unit.sales().add_messages(&[life("S2", 1, cancel("2026-03-01"), None)]).await.unwrap();
    unit.sales().write(&[SaleChange { before: None, after: full(2) }]).await.unwrap();
    unit.commit().await.unwrap();
    assert_eq!(reading(&store).await.sales().find(&[key("S2")]).await.unwrap(), [Some(full(2))]);

    let there = SaleChange { before: None, after: sale(1, "2026-02-10", rupees(2)) };
    let gone = SaleChange { before: Some(sale(3, "2026-02-10", rupees(3))), after: sale(3, "2026-02-10", rupees(4)) };
    for change in [there, gone] {
        let mut unit = writing(&store).await;
        let error = unit.sales().write(std::slice::from_ref(&change)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::VersionConflict, "{}: {error}", change.after.key);
        unit.rollback().await.unwrap();
    }
    let found = reading(&store).await.sales().find(&[key("S1"), key("S3")]).await.unwrap();
    assert_eq!(found, [Some(sale(1, "2026-02-10", rupees(1))), None]);
}

/// Messages of every form come back in full, ascending by key and revision.
pub async fn messages_are_kept_in_full_and_in_order(store: Arc<dyn Store>) {
    fill(&store).await;
    insert(&store, &[sale(1, "2026-02-10", rupees(1))]).await;
    let part = LifeMessage::Cancel { date: "2026-03-02".parse().unwrap(), amount: Some(rupees(-3)) };
    let mut kept = vec![
        message("S1", 10, MessageBody::Content(full(1).content), None),
        message("S1", 2, MessageBody::Content(bare(1).content), None),
        life("S1", 9, cancel("2026-03-01"), Some("E1")),
        life("S0", 3, part, Some("E2")),
        life("S1", 0, reinstate("2026-03-03"), None),
        life("S10", 1, LifeMessage::Void, None),
    ];
    let mut unit = writing(&store).await;
    unit.sales().add_messages(&kept[..2]).await.unwrap();
    unit.sales().add_messages(&kept[2..]).await.unwrap();
    unit.sales().add_messages(&[]).await.unwrap();
    unit.commit().await.unwrap();
    kept.sort_by_key(|message| (message.key.clone(), message.revision));
    let mut unit = reading(&store).await;
    assert_eq!(unit.sales().messages(&[key("S1"), key("S10"), key("S9"), key("S0")]).await.unwrap(), kept);
    kept.retain(|message| message.key == key("S1"));
    assert_eq!(unit.sales().messages(&[key("S1")]).await.unwrap(), kept);
    assert_eq!(unit.sales().messages(&[]).await.unwrap(), []);
}

/// A revision of a sale is kept once.
pub async fn a_revision_is_kept_once(store: Arc<dyn Store>) {
    fill(&store).await;
    let first = life("S1", 1, cancel("2026-03-01"), None);
    let mut unit = writing(&store).await;
    unit.sales().add_messages(std::slice::from_ref(&first)).await.unwrap();
    unit.commit().await.unwrap();
    let mut unit = writing(&store).await;
    let error = unit.sales().add_messages(&[life("S1", 1, LifeMessage::Void, None)]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}");
    unit.rollback().await.unwrap();
    assert_eq!(reading(&store).await.sales().messages(&[key("S1")]).await.unwrap(), [first]);
}

/// Life messages are found by the source's own reference of the entry that carried them.
pub async fn entries_are_found_by_source_and_reference(store: Arc<dyn Store>) {
    fill(&store).await;
    let first = life("S1", 1, cancel("2026-03-01"), Some("E1"));
    let second = life("S2", 1, cancel("2026-03-01"), Some("e1"));
    let foreign = StoredMessage { key: SaleKey::new("other", "S1").unwrap(), ..first.clone() };
    let without = life("S3", 1, cancel("2026-03-01"), None);
    let mut unit = writing(&store).await;
    unit.sales().add_messages(&[first.clone(), second.clone(), foreign.clone(), without]).await.unwrap();
    unit.commit().await.unwrap();
    let mut unit = reading(&store).await;
    let (core, other) = (reference("core"), reference("other"));
    assert_eq!(
        unit.sales().find_entries(&core, &[reference("E1"), reference("E9")]).await.unwrap(),
        std::slice::from_ref(&first)
    );
    assert_eq!(unit.sales().find_entries(&other, &[reference("E1")]).await.unwrap(), [foreign]);
    assert_eq!(unit.sales().find_entries(&core, &[]).await.unwrap(), []);
    let mut both = unit.sales().find_entries(&core, &[reference("e1"), reference("E1")]).await.unwrap();
    both.sort_by_key(|message| message.key.clone());
    assert_eq!(both, [first, second]);
}
