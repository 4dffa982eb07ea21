//! The table of sales under random histories, and what its port promises.

use std::collections::BTreeMap;

use moon_core::{
    Amount, BusinessDate, DayRange, ErrorKind, LifeMessage, MessageBody, PageRequest, Places, Reference, Revision,
    Sale, SaleChange, SaleKey, SaleKind, SaleQuery, StoredMessage, TxMode, UnitOfWork,
};
use proptest::prelude::*;

use super::{begin, cancellation, code, commit, day, insert, instant, ready, sale, store};
use crate::MemoryStore;
use crate::store::MemoryUnit;

/// A sale of whatever kind these numbers lead to, the same for the same numbers.
pub(super) fn varied(number: u32, offset: i32, salt: u32) -> Sale {
    let mut sale = sale(number, BusinessDate::from_epoch_day(20_000 + offset).unwrap());
    let pick = |divisor: u32| salt / divisor % 4;
    let some = |letter: char, digit: u32| (digit > 0).then(|| format!("{letter}{digit}"));
    sale.content.agent = some('A', pick(1)).map(|text| code(&text));
    sale.places = Places {
        team: some('T', pick(4)).map(|text| code(&text)),
        branch: some('B', pick(16)).map(|text| code(&text)),
    };
    sale.content.team = sale.places.team.clone().filter(|_| salt.is_multiple_of(3));
    sale.content.branch = sale.places.branch.clone().filter(|_| salt.is_multiple_of(5));
    sale.content.product = code(&format!("P{}", 1 + salt % 3));
    sale.content.amount = Amount::from_minor(i64::from(salt % 1_000) - 200).unwrap();
    sale.content.kind = SaleKind::EVERY[usize::try_from(salt % 5).unwrap()];
    sale.content.policy_number =
        (salt.is_multiple_of(2)).then(|| Reference::new("policy", &format!("POL {salt}")).unwrap());
    sale.voided = salt.is_multiple_of(11);
    if salt % 4 == 1 && !sale.voided {
        let own_day = BusinessDate::from_epoch_day(20_000 + offset + i32::try_from(salt % 90).unwrap()).unwrap();
        let mut part = cancellation(&sale, own_day, 1);
        part.count = 0;
        part.amount = Amount::from_minor(i64::from(salt % 100)).unwrap();
        sale.adjustments = vec![part, cancellation(&sale, own_day, 2)];
        sale.last_revision = Revision(2);
    }
    sale
}

pub(super) fn list_all(unit: &mut MemoryUnit, query: &SaleQuery, limit: u32) -> Vec<Sale> {
    let mut sales = Vec::new();
    let mut request = Some(PageRequest::first(limit));
    while let Some(page) = request {
        let found = ready(unit.sales().list(query, &page)).unwrap();
        request = page.following(&found);
        sales.extend(found.items);
    }
    sales
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_history_leaves_what_was_written_last(
        first in prop::collection::vec((0..40_i32, any::<u32>()), 0..3_000),
        changes in prop::collection::vec((0..3_000_usize, 0..40_i32, any::<u32>()), 0..600),
        limit in 1..1_000_u32,
    ) {
        let store = store();
        let numbered = (0_u32..).zip(&first);
        let mut sales: Vec<_> = numbered.map(|(number, (offset, salt))| varied(number, *offset, *salt)).collect();
        for part in sales.chunks(700) {
            insert(&store, part);
        }
        let mut unit = begin(&store, TxMode::ReadWrite);
        for (place, offset, salt) in changes {
            if let Some(known) = sales.get_mut(place) {
                let after = varied(u32::try_from(place).unwrap(), offset, salt);
                let change = SaleChange { before: Some(known.clone()), after: after.clone() };
                ready(unit.sales().write(&[change])).unwrap();
                *known = after;
            }
        }
        commit(unit);

        let mut unit = begin(&store, TxMode::ReadOnly);
        let keys: Vec<_> = sales.iter().map(|sale| sale.key.clone()).collect();
        let found = ready(unit.sales().find(&keys)).unwrap();
        prop_assert!(found.into_iter().eq(sales.iter().cloned().map(Some)));
        for sale in sales.iter().step_by(97) {
            let found = ready(unit.sales().get(sale.id)).unwrap();
            prop_assert_eq!(found.as_ref(), Some(sale));
        }
        let ordered: BTreeMap<_, _> = sales.iter().map(|sale| ((sale.content.date, sale.id), sale)).collect();
        prop_assert!(list_all(&mut unit, &SaleQuery::default(), limit).iter().eq(ordered.values().copied()));
        let query = SaleQuery {
            days: DayRange::new(20_005, 20_021),
            agent: Some(code("A2")),
            product: Some(code("P1")),
            ..SaleQuery::default()
        };
        let matching = ordered.values().copied().filter(|sale| {
            query.days.contains(sale.content.date.epoch_day())
                && sale.content.agent == query.agent
                && Some(&sale.content.product) == query.product.as_ref()
        });
        prop_assert!(list_all(&mut unit, &query, 7).iter().eq(matching));
    }
}

fn life(key: &SaleKey, revision: u32, entry: Option<&str>) -> StoredMessage {
    StoredMessage {
        key: key.clone(),
        revision: Revision(revision),
        body: MessageBody::Life(LifeMessage::Void),
        entry: entry.map(|entry| Reference::new("entry", entry).unwrap()),
        received_at: instant(),
    }
}

fn with_writer(test: impl FnOnce(&mut MemoryUnit)) -> MemoryStore {
    let store = store();
    let mut unit = begin(&store, TxMode::ReadWrite);
    test(&mut unit);
    commit(unit);
    store
}

#[test]
fn keys_that_only_messages_know_are_collisions_and_can_be_written() {
    with_writer(|unit| {
        let sales: Vec<_> = (0..4).map(|number| sale(number, day("2026-03-01"))).collect();
        ready(unit.sales().add_messages(&[life(&sales[2].key, 5, None)])).unwrap();
        ready(unit.sales().insert_absent(&sales[..1])).unwrap();
        assert_eq!(ready(unit.sales().insert_absent(&sales)).unwrap(), [0, 2]);
        let keys: Vec<_> = sales.iter().map(|sale| sale.key.clone()).collect();
        let found = ready(unit.sales().find(&keys)).unwrap();
        assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [true, true, false, true]);
        let change = SaleChange { before: None, after: sales[2].clone() };
        ready(unit.sales().write(std::slice::from_ref(&change))).unwrap();
        assert_eq!(ready(unit.sales().write(&[change])).unwrap_err().kind(), ErrorKind::VersionConflict);
    });
}

#[test]
fn a_call_that_fails_has_changed_nothing() {
    with_writer(|unit| {
        let (good, mut bad) = (sale(1, day("2026-03-01")), sale(2, day("2026-03-01")));
        bad.places.team = Some(code("T9"));
        let error = ready(unit.sales().insert_absent(&[good.clone(), bad])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.context().any(|pair| pair == ("team", "T9")), "{error}");
        assert_eq!(ready(unit.sales().get(good.id)).unwrap(), None);

        let messages = [life(&good.key, 1, Some("E1")), life(&good.key, 2, Some("E1"))];
        assert_eq!(ready(unit.sales().add_messages(&messages)).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(ready(unit.sales().messages(std::slice::from_ref(&good.key))).unwrap(), []);

        let gone = SaleChange { before: Some(good.clone()), after: good.clone() };
        let new = SaleChange { before: None, after: sale(3, day("2026-03-01")) };
        assert_eq!(ready(unit.sales().write(&[new.clone(), gone])).unwrap_err().kind(), ErrorKind::VersionConflict);
        assert_eq!(ready(unit.sales().get(new.after.id)).unwrap(), None);
    });
}

#[test]
fn messages_ascend_and_entries_are_found_by_source() {
    with_writer(|unit| {
        let (low, high) = (SaleKey::new("core", "a").unwrap(), SaleKey::new("core", "b").unwrap());
        let elsewhere = SaleKey::new("other", "a").unwrap();
        let messages = [
            life(&high, 0, None),
            life(&low, 7, Some("E2")),
            life(&low, 2, Some("E1")),
            life(&elsewhere, 1, Some("E1")),
        ];
        ready(unit.sales().add_messages(&messages)).unwrap();
        let [of_high, second, first, other] = messages;
        let found = ready(unit.sales().messages(&[high.clone(), low.clone(), high])).unwrap();
        assert_eq!(found, [first.clone(), second, of_high]);
        let entry = |text| Reference::new("entry", text).unwrap();
        let found = ready(unit.sales().find_entries(&low.source, &[entry("E9"), entry("E1")])).unwrap();
        assert_eq!(found, [first]);
        let found = ready(unit.sales().find_entries(&elsewhere.source, &[entry("E1")])).unwrap();
        assert_eq!(found, [other]);
        let again = ready(unit.sales().add_messages(&[life(&low, 7, None)])).unwrap_err();
        assert_eq!(again.kind(), ErrorKind::AlreadyExists);
    });
}

#[test]
fn a_sale_that_changes_for_ever_takes_no_more_room() {
    with_writer(|unit| {
        let mut before = sale(1, day("2026-03-01"));
        ready(unit.sales().insert_absent(&[before.clone(), sale(2, day("2026-03-02"))])).unwrap();
        for round in 0..2_000_u32 {
            let mut after = before.clone();
            let text = format!("{round:0>200}");
            after.content.policy_number = Some(Reference::new("policy", &text).unwrap());
            ready(unit.sales().write(&[SaleChange { before: Some(before), after: after.clone() }])).unwrap();
            before = after;
        }
        assert_eq!(ready(unit.sales().get(before.id)).unwrap(), Some(before));
        let bytes: usize = unit.state().sales.chunks().map(|head| head.chunk.text_bytes()).sum();
        assert!(bytes < 20_000, "{bytes}");
    });
}
